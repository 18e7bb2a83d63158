"""„Löschen“: drafts go with everything that belongs to them, other customers are anonymised, some must stay.

Source: domain.md section 4, SC-28 to SC-32, PX-66 to PX-75, NE-08 to NE-11; the rules stand in domain/deletion.py.
"""

from __future__ import annotations

from typing import ClassVar

from flask_appadmin.bulk import DeleteRecords, Instead
from flask_appadmin.i18n import _


class DeleteCustomers(DeleteRecords):
    hint = _("Entwürfe löschen, andere Kunden anonymisieren")
    instead: ClassVar[Instead | None] = Instead(
        _("Inaktiv setzen"),
        _("Besser als löschen: Inaktive Kunden werden nicht mehr angeboten, alle Daten und Belege bleiben."),
        {"active": False},
    )
    for_refused: ClassVar[Instead | None] = Instead(
        _("Sperren"),
        _("Wer bleiben muss, lässt sich sperren: Der Status wird „Gesperrt“, alle Daten und Belege bleiben."),
        {"status": "locked"},
        {"status": "active"},
    )

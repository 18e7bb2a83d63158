"""„Löschen“: drafts go with everything that belongs to them, other customers are anonymised, some must stay.

Source: domain.md section 4, SC-28 to SC-32, PX-66 to PX-75, NE-08 to NE-11; the rules stand in domain/deletion.py.
"""

from __future__ import annotations

from typing import Any, ClassVar

from flask_appadmin.bulk import DeleteRecords
from flask_appadmin.i18n import _


class DeleteCustomers(DeleteRecords):
    hint = _("Entwürfe löschen, andere Kunden anonymisieren")
    instead: ClassVar[tuple[Any, Any, dict[str, Any]] | None] = (
        _("Inaktiv setzen"),
        _("Besser als löschen: Inaktive Kunden werden nicht mehr angeboten, alle Daten und Belege bleiben."),
        {"active": False},
    )

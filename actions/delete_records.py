"""„Löschen“: drafts go with everything that belongs to them; other customers stay until they can be anonymised.

Source: domain.md section 4, SC-28 to SC-32. Anonymising is a function of its own that does not exist yet, so a customer
that is no draft is refused with the way that is open today: „Inaktiv setzen“.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask_appadmin.bulk import DeleteRecords
from flask_appadmin.i18n import _, gettext
from flask_appadmin.selections import Selection
from models import Customer


class DeleteCustomers(DeleteRecords):
    hint = _("Entwürfe mit allen zugehörigen Daten löschen")

    def refusals(self, selection: Selection, keys: Sequence[int]) -> list[tuple[int, str]]:
        rows = Customer.select(Customer.id, Customer.status, Customer.customer_type).where(Customer.id.in_(list(keys)))
        refused = []
        for key, status, customer_type in rows.tuples():
            if status != "draft":
                reason = gettext(
                    "ist kein Entwurf. Nehmen Sie stattdessen unter „Einstellungen ändern“ das Häkchen „Aktiv“ weg."
                )
                refused.append((key, reason))
            elif customer_type != "end_customer":
                refused.append((key, gettext("Der Kundentyp muss zuerst auf „Endkunde“ gesetzt werden.")))
        known = {key for key, _reason in refused}
        return refused + [entry for entry in super().refusals(selection, keys) if entry[0] not in known]

"""„Mailing-Aktivität festhalten“: one mail or call for each marked customer who may be written to (PX-178)."""

from __future__ import annotations

from collections.abc import Sequence

from flask_appadmin.bulk import AddToEach
from flask_appadmin.database import key_condition
from flask_appadmin.i18n import _, gettext
from flask_appadmin.selections import Selection
from models import Customer


class RecordMailing(AddToEach):
    """Customers with „Keine Werbung“ are left out, however they were marked."""

    name = "record_mailing"
    label = _("Mailing-Aktivität festhalten")
    group = _("Mehr")
    hint = _("Eine Mail oder einen Anruf bei jedem markierten Kunden festhalten")
    child = "mailing_activity"

    def refusals(self, selection: Selection, keys: Sequence[int]) -> list[tuple[int, str]]:
        locked = Customer.select(Customer.id).where(key_condition(Customer.id, list(keys)) & Customer.no_advertising)
        return [(key, gettext("möchte keine Werbung (Mailingsperre)")) for (key,) in locked.tuples()]

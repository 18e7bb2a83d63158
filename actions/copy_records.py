"""„So.PROCURE Kunde kopieren“ and „vollständig kopieren“: what is taken stands in the models (SC-21 to SC-25)."""

from __future__ import annotations

from typing import Any

from flask_appadmin.bulk import CopyRecord, FullCopyRecord
from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import _, gettext
from flask_appadmin.selections import Selection
from flask_appadmin.specs import FieldSpec, ModelSpec

#: The numbers that the dialog lets one type in place of the proposed ones.
_NUMBERS = ("customer_number", "debtor_account")


def _one_at_a_time(selection: Selection) -> None:
    if len(selection.key_list(2)) != 1:
        raise AppAdminError(gettext("Es kann immer nur ein Kunde gleichzeitig kopiert werden."))


class CopyCustomer(CopyRecord):
    """The settings of the customer row, without its children."""

    label = _("So.PROCURE Kunde kopieren")
    hint = _("Nur die Einstellungen; Ansprechpartner, Adressen und Banken bleiben zurück")

    def fields(self, spec: ModelSpec) -> tuple[FieldSpec, ...]:
        return tuple(spec.field(name) for name in _NUMBERS)

    def plan(self, selection: Selection, values: dict[str, Any]) -> ChangeSet:
        _one_at_a_time(selection)
        return super().plan(selection, values)


class FullCopyCustomer(CopyCustomer, FullCopyRecord):
    """Everything that belongs to the customer, without business transactions and unique numbers."""

    name = "full_copy"
    label = _("So.PROCURE Kunde vollständig kopieren")
    hint = _("Mit Ansprechpartnern, Adressen, Banken und allen weiteren Stammdaten")
    keys = ""
    rights = ("copy.full",)
    full = True

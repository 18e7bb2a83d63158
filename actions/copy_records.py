"""„So.PROCURE Kunde kopieren“ and „vollständig kopieren“: what is taken stands in the models (SC-21 to SC-25)."""

from __future__ import annotations

from typing import Any

from domain.numbers import propose_number
from flask_appadmin.bulk import CopyRecord, FullCopyRecord
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import _
from flask_appadmin.selections import Selection
from flask_appadmin.specs import FieldSpec, ModelSpec

#: The numbers that the dialog lets one type in place of the proposed ones.
_NUMBERS = ("customer_number", "debtor_account")


_ONE_AT_A_TIME = _("Es kann immer nur ein Kunde gleichzeitig kopiert werden.")


class CopyCustomer(CopyRecord):
    """The settings of the customer row, without its children."""

    label = _("So.PROCURE Kunde kopieren")
    nothing_marked = _ONE_AT_A_TIME
    confirm_label = _("OK")
    hint = _("Nur die Einstellungen; Ansprechpartner, Adressen und Banken bleiben zurück")

    def fields(self, spec: ModelSpec) -> tuple[FieldSpec, ...]:
        return tuple(spec.field(name) for name in _NUMBERS)

    def proposals(self, spec: ModelSpec) -> dict[str, Any]:
        return {name: propose_number(name) for name in _NUMBERS}

    def key_of(self, selection: Selection) -> int:
        keys = selection.key_list(2)
        if len(keys) != 1:
            raise AppAdminError(str(_ONE_AT_A_TIME))
        return keys[0]


class FullCopyCustomer(CopyCustomer, FullCopyRecord):
    """Everything that belongs to the customer, without business transactions and unique numbers."""

    name = "full_copy"
    label = _("So.PROCURE Kunde vollständig kopieren")
    hint = _("Mit Ansprechpartnern, Adressen, Banken und allen weiteren Stammdaten")
    keys = ""
    rights = ("copy.full",)
    full = True

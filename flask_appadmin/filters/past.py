"""Questions to the history: "PLZ geändert seit 01.10.2026", "IBAN nicht geändert in den letzten 365 Tagen".

A record counts whose field was changed, by hand, in bulk or by a file; its making does not count as a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_appadmin.errors import FilterError
from flask_appadmin.filters.comparing import OPERATIONS, Condition, Operation, comparison, read_condition
from flask_appadmin.filters.parts import Part
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import Operator
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache, spec_of

#: The name in URLs, and what stands in the place of a field for "any of them".
PAST, ANY_FIELD = "history", "any"

_SENTENCES = {
    "from": _("geändert seit %(value)s"),
    "to": _("geändert bis %(value)s"),
    "between": _("geändert zwischen %(value)s"),
    "": _("geändert am %(value)s"),
    "last": _("geändert in den letzten %(value)s Tagen"),
    "by": _("geändert von %(value)s"),
}

#: The ways to ask when, and by whom.
PAST_OPERATIONS: dict[str, Operation] = {
    "from": Operation("from", _("geändert seit"), 1, ""),
    "last": Operation("last", _("geändert in den letzten … Tagen"), 1, ""),
    "between": Operation("between", _("geändert zwischen"), 2, ""),
    "to": Operation("to", _("geändert bis"), 1, ""),
    "": Operation("", _("geändert am"), 1, ""),
    "by": Operation("by", _("geändert von"), 1, ""),
}


def _moment_field() -> FieldSpec:
    return spec_of(ChangeSetRecord).field("changed_at")


@dataclass(frozen=True)
class Changed(Part):
    """Records of which a field was changed at some time, perhaps by somebody."""

    #: The model of the list.
    owner: ModelSpec
    #: The model of the field: the same, or one of its children.
    entity: ModelSpec
    #: None: any field.
    field: FieldSpec | None
    conditions: tuple[tuple[str, Any], ...]
    no: bool = False
    spec = None

    def expression(self, operator: Operator) -> Any:
        sets = ChangeSetRecord.select(ChangeSetRecord.id)
        for key, asked in self.conditions:
            if key == "by":
                sets = sets.where(ChangeSetRecord.user_name.contains(asked))
            else:
                sets = sets.where(comparison(ChangeSetRecord.changed_at, "datetime", key, asked.values))
        changes = ChangeRecord.select(ChangeRecord.owner_id).where(
            ChangeRecord.change_set.in_(sets),
            ChangeRecord.entity == self.entity.name,
            ChangeRecord.owner_entity == self.owner.name,
            ChangeRecord.action == "update",
        )
        if self.field is not None:
            changes = changes.where(ChangeRecord.field == self.field.name)
        found = self.owner.model._meta.primary_key.in_(changes)
        return ~found if self.no else found

    def sentence(self, names: ReferenceCache | None = None) -> str:
        """„PLZ geändert seit 01.10.2026“."""
        words = ", ".join(
            str(_SENTENCES[key]) % {"value": asked if key == "by" else asked.value_words(names)}
            for key, asked in self.conditions
        )
        label = str(self.field.label) if self.field is not None else gettext("Irgendein Feld")
        if self.entity is not self.owner:
            label = gettext("%(label)s (%(place)s)", label=label, place=str(self.entity.plural))
        if self.no:
            return gettext("%(field)s nicht %(words)s", field=label, words=words)
        return f"{label} {words}"

    def url_pairs(self, names: ReferenceCache | None = None) -> list[tuple[str, str]]:
        path = [PAST] if self.entity is self.owner else [PAST, self.entity.name]
        start = ".".join([*(["no"] if self.no else []), *path, self.field.name if self.field else ANY_FIELD])
        pairs = []
        for key, asked in self.conditions:
            name = f"{start}__{key}" if key else start
            if key == "by":
                pairs.append((name, asked))
            else:
                pairs += [(name, text) for _name, text in asked.url_pairs(names)]
        return pairs


def read_past(name: str, key: str, texts: list[str], names: ReferenceCache) -> tuple[str, Any]:
    """One question of time or person; raises FilterError."""
    if key == "by":
        return key, _person(name, texts)
    item = _moment_field()
    found = read_condition(item, name, key if key in PAST_OPERATIONS else "?", texts, names)
    if not found.values:
        raise FilterError(name, gettext("Bitte einen Wert angeben."))
    return key, Condition(item, OPERATIONS[key], found.values)


def _person(name: str, texts: list[str]) -> str:
    text = " ".join(texts).replace("\x00", "").strip()
    if not text or len(text) > 80:
        raise FilterError(name, gettext("Bitte den Namen eines Benutzers angeben."))
    return text

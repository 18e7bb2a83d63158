"""Which lines of the history are asked for: of whom, through what, of which table and field, from when to when.

The names in the URL are `who kind entity field text from to record`; what cannot be understood raises FilterError with
its name, so that a history is never shown without the filter that somebody asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_appadmin.digits import is_number
from flask_appadmin.errors import FilterError, NotFound
from flask_appadmin.filters.comparing import comparison
from flask_appadmin.filters.past import read_past
from flask_appadmin.history import KINDS, ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_read, visible
from flask_appadmin.specs import ModelSpec, ReferenceCache

#: The names in the URL that say which lines are asked for.
NAMES = ("who", "kind", "entity", "field", "text", "from", "to", "record")

_LONGEST = 80


@dataclass(frozen=True)
class Lookback:
    """What is asked of the history. All empty: everything."""

    #: The texts of the URL as they were given.
    asked: Mapping[str, str]
    #: The record that it is about, with its children.
    record: tuple[ModelSpec, int] | None
    #: Conditions on operations.
    of_sets: tuple[Any, ...]
    #: Conditions on lines, those on their operations included.
    of_lines: tuple[Any, ...]

    @property
    def is_empty(self) -> bool:
        return not self.asked

    def title(self) -> str:
        """The name of the record that it is about, "" where it is about more."""
        if self.record is None:
            return ""
        spec, key = self.record
        return f"{spec.label} {ReferenceCache().titles(spec, {key})[key]}"


def read_lookback(given: Mapping[str, str], operator: Operator, specs: dict[str, ModelSpec]) -> Lookback:
    """Reads the parameters of a URL; raises FilterError, and NotFound for a record that the operator does not see."""
    asked = {name: given[name].replace("\x00", "").strip() for name in NAMES if given.get(name, "").strip()}
    of_sets = [_of_set(name, text) for name, text in asked.items() if name in ("who", "kind", "from", "to")]
    of_lines = list(of_sets)
    record = _record(asked["record"], operator, specs) if "record" in asked else None
    if record is not None:
        spec, key = record
        of_lines += [ChangeRecord.owner_entity == spec.name, ChangeRecord.owner_id == key]
    if "entity" in asked:
        found = specs.get(asked["entity"])
        if found is None or not operator.may(f"{found.right}.read"):
            raise FilterError("entity", gettext("Diese Tabelle gibt es nicht."))
        of_lines.append(ChangeRecord.entity == found.name)
    if "field" in asked:
        of_lines += _of_field(asked["field"], operator, specs)
    if "text" in asked:
        of_lines.append(ChangeRecord.record_title.contains(asked["text"][:_LONGEST]))
    return Lookback(asked, record, tuple(of_sets), tuple(of_lines))


def _of_set(name: str, text: str) -> Any:
    if name == "who":
        return ChangeSetRecord.user_name.contains(text[:_LONGEST])
    if name == "kind":
        if text not in KINDS:
            raise FilterError(name, gettext("Diese Art von Vorgang gibt es nicht."))
        return ChangeSetRecord.kind == text
    key, condition = read_past(gettext("von") if name == "from" else gettext("bis"), name, [text], ReferenceCache())
    return comparison(ChangeSetRecord.changed_at, "datetime", key, condition.values)


def _of_field(text: str, operator: Operator, specs: dict[str, ModelSpec]) -> list[Any]:
    """`table.field`."""
    entity, _dot, name = text.partition(".")
    spec = specs.get(entity)
    item = spec.by_name.get(name) if spec is not None else None
    if spec is None or item is None or not may_read(operator, item):
        raise FilterError("field", gettext("Dieses Feld gibt es nicht."))
    return [ChangeRecord.entity == spec.name, ChangeRecord.field == item.name]


def _record(text: str, operator: Operator, specs: dict[str, ModelSpec]) -> tuple[ModelSpec, int]:
    """`table-key`. A record that was removed can be looked back at by whoever sees all rows of its table."""
    entity, _dash, digits = text.rpartition("-")
    spec = specs.get(entity)
    if spec is None or not is_number(digits):
        raise FilterError("record", gettext("Diesen Datensatz gibt es nicht."))
    condition = visible(operator, spec)
    key_field = spec.model._meta.primary_key
    if condition is not None and not spec.model.select().where(key_field == int(digits), condition).exists():
        raise NotFound(spec, int(digits))
    return spec, int(digits)

"""The database as its history tells it: snapshots and changes played again, and compared with what is stored.

Shape: a state is (table, key) -> {field: JSON value}, fields that are empty left out. What stood there before the first
operation (value tables, roles) is the picture the replay begins with; everything after that it knows from the history
alone. Secrets are compared by whether there is one. Counters are no business data and have no history.
"""

from __future__ import annotations

import json
from typing import Any

import peewee

from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.history import ChangeRecord
from flask_appadmin.specs import FieldSpec, ModelSpec, spec_of
from models import MODELS

#: Tables the gateway counts in: number -> why it has no history.
COUNTERS = ("number_range", "running_number")

State = dict[tuple[str, int], dict[str, Any]]

_TOLD = "••••"


def tables() -> list[ModelSpec]:
    return [spec for spec in map(spec_of, MODELS) if spec.name not in COUNTERS]


def stored_state() -> State:
    """Every record as it stands in the database."""
    state: State = {}
    for spec in tables():
        columns = [spec.model.id, *(item.column_field for item in spec.data_fields)]
        for row in spec.model.select(*columns).tuples():
            state[spec.name, row[0]] = {
                item.name: _as_told(item, value)
                for item, value in zip(spec.data_fields, row[1:], strict=True)
                if value is not None
            }
    return state


def _as_told(item: FieldSpec, value: Any) -> Any:
    return _TOLD if item.secret else json.loads(json_text(item.type.to_json(value, item)))


class Replay:
    """Plays the history from where the database stands now."""

    def __init__(self) -> None:
        self.state = stored_state()
        self.last = ChangeRecord.select(peewee.fn.MAX(ChangeRecord.id)).scalar() or 0
        self.specs = {spec.name: spec for spec in tables()}
        #: Entries that do not fit what stood before them.
        self.broken: list[str] = []

    def catch_up(self) -> None:
        """Plays what was written since."""
        query = ChangeRecord.select().where(ChangeRecord.id > self.last).order_by(ChangeRecord.id)
        for row in query.iterator():
            self.last = row.id
            if row.entity in self.specs:
                self._play(row)

    def _play(self, row: ChangeRecord) -> None:
        place = (row.entity, row.record_id)
        if row.action == "create":
            if place in self.state:
                self.broken.append(f"{place}: made twice")
            self.state[place] = json.loads(row.new_value)
        elif row.action == "delete":
            before = self.state.pop(place, None)
            if before != json.loads(row.old_value):
                self.broken.append(f"{place}: removed as {_difference(before or {}, json.loads(row.old_value))}")
        elif row.action == "update" and row.field is not None:  # else a line that names something, no value
            record = self.state.setdefault(place, {})
            old, new = json.loads(row.old_value), json.loads(row.new_value)
            if record.get(row.field) != old and old != _TOLD:
                self.broken.append(f"{place}.{row.field}: was {record.get(row.field)!r}, the history says {old!r}")
            record.pop(row.field, None)
            if new is not None:
                record[row.field] = new

    def differences(self) -> list[str]:
        """Where the database is not what the history tells, and where the history contradicts itself."""
        self.catch_up()
        now = stored_state()
        found = list(self.broken)
        for place in sorted(self.state.keys() | now.keys()):
            told, stored = self.state.get(place), now.get(place)
            if told is None or stored is None:
                found.append(f"{place}: {'in the database only' if told is None else 'in the history only'}")
            elif told != stored:
                found.append(f"{place}: {_difference(told, stored)}")
        return found


def _difference(told: dict[str, Any], stored: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Field -> (as the history tells it, as it is stored)."""
    names = sorted(told.keys() | stored.keys())
    return {name: (told.get(name), stored.get(name)) for name in names if told.get(name) != stored.get(name)}

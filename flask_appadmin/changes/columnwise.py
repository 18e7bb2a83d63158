"""New records of one table, column by column: what all rows share is looked at, written and noted once.

Shape: `Columns` holds the values of rows by field. `check` puts every value through its field and answers the faults by
row; `insert` stores the rows; `snapshots` answers what the history keeps of each. Of a wide table most columns hold the
default in every row: those stand in the statement and in the snapshot as they are, instead of being bound, checked and
spelt for each row.
Errors: none of its own; faults of values are answered. Source: docs/decisions/change-gateway.md.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from typing import Any

from flask_appadmin.arrangements import missing_by_layout, required_names
from flask_appadmin.database import database, insert_many
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.rights import Operator, may_edit
from flask_appadmin.specs import FieldSpec, ModelSpec

#: What a value of these is after its field does not depend on which of several equal ones it is.
_SAME = (str, int, bool, datetime.date, datetime.datetime)

#: Stands for no default; no value is this one.
_NONE = object()

#: As `json_text` spells a text.
_spelt: Callable[[str], str] = json.encoder.encode_basestring


class Columns:
    """The values of new records of one table. The rows stay the holders of their values; what is changed here is
    changed in them."""

    def __init__(self, spec: ModelSpec, rows: Sequence[dict[str, Any]]) -> None:
        self.spec = spec
        self.rows = rows
        names: set[str] = set().union(*rows)
        self._columns = {name: [values.get(name) for values in rows] for name in names}
        #: Field -> the one object that stands in all rows; only after the check.
        self._shared: dict[str, Any] = {}

    def filled(self) -> set[str]:
        """The fields that have a value in some row."""
        return {name for name in self._columns if self._common(name) is not None}

    def _common(self, name: str) -> Any:
        """The one object that stands in all rows, `_NONE` where they differ."""
        found = self._shared.get(name, self)
        if found is self:
            column = self._columns[name]
            found = self._shared[name] = column[0] if len(set(map(id, column))) == 1 else _NONE
        return found

    def check(self, operator: Operator, exempt: set[tuple[int, str]]) -> dict[int, list[FieldError]]:
        """Puts all values through the limits and obligations of their fields; answers the faults by place of the row.

        exempt: (place, field) of references that become known later. Raises NotAllowed for values that the operator may
        not give.
        """
        asked = required_names(operator, self.spec)
        looked_at = {*self._columns, *(item.name for item in self.spec.required_fields), *asked}
        refused: dict[int, list[FieldError]] = {}
        # In the order of the declaration, so that the faults of a row are always told in the same one.
        for name, item in self.spec.by_name.items():
            if name in looked_at:
                for place, fault in self._check_column(operator, item, name in asked, exempt):
                    refused.setdefault(place, []).append(fault)
        return refused

    def _check_column(
        self, operator: Operator, item: FieldSpec, is_asked: bool, exempt: set[tuple[int, str]]
    ) -> list[tuple[int, FieldError]]:
        name, rows = item.name, self.rows
        is_needed = item.required or is_asked
        column = self._columns.setdefault(name, [None] * len(rows))
        if is_needed:
            for values in rows:
                values.setdefault(name, None)
        # A default is right by declaration; nothing may stand where nothing is asked for.
        default = self.spec.constant_defaults.get(name, _NONE)
        right = {id(default)} if is_needed else {id(default), id(None)}
        if right.issuperset(map(id, column)):
            return []
        guard = bool(item.right) and not may_edit(operator, item)
        is_same = not item.secret
        known: dict[tuple[type, Any], Any] = {}
        faults = []
        for place, value in enumerate(column):
            if value is default or (value is None and (not is_needed or (place, name) in exempt)):
                continue
            if guard and value is not None and value != item.default_value():
                operator.require(f"{item.right}.edit")
            kind = value.__class__
            if is_same and kind in _SAME:
                found = known.get((kind, value), _NONE)
                if found is not _NONE:
                    if found is not value:
                        rows[place][name] = column[place] = found
                    continue
            try:
                found = item.check(value)
                if found is None and is_asked:
                    raise missing_by_layout(item)
            except FieldError as fault:
                faults.append((place, fault))
                continue
            if is_same and kind in _SAME:
                known[kind, value] = found
            if found is not value:
                rows[place][name] = column[place] = found
        return faults

    def insert(self, keys: Sequence[int], moment: datetime.datetime) -> None:
        """Stores the rows under these keys, all made at this moment."""
        spec = self.spec
        stamps = [moment.isoformat(" ")] * len(self.rows)
        written = {"version": "1"}
        bound: dict[str, Sequence[Any]] = {"id": keys, "created_at": stamps, "updated_at": stamps}
        converted = spec.converted_fields
        for item in spec.own_fields:
            column = self._columns.get(item.name)
            if column is None:
                continue
            shared = self._common(item.name)
            if shared is None:
                continue
            write = item.column_field.db_value if item.name in converted else None
            is_declared = shared is not _NONE and shared is spec.constant_defaults.get(item.name)
            literal = _literal(write(shared) if write else shared) if is_declared else ""
            if literal:
                written[item.column] = literal
            elif write is None:
                bound[item.column] = column
            else:
                bound[item.column] = [None if value is None else write(value) for value in column]
        columns = ", ".join(f'"{column}"' for column in (*bound, *written))
        marks = ", ".join([*[database.param] * len(bound), *written.values()])
        insert_many(f'INSERT INTO "{spec.name}" ({columns}) VALUES', f"({marks})", zip(*bound.values(), strict=True))

    def snapshots(self) -> list[str]:
        """What `running.snapshot` answers for each row: its filled values as one JSON object."""
        spec = self.spec
        further = {item.name: item for item in spec.further_fields}
        converted = spec.converted_fields
        #: Stretches of the object: a text that all rows share, or what each of them has, None for nothing.
        parts: list[list[str | None]] = []
        fixed: list[str] = []
        for name in sorted(name for name in self._columns if name in spec.data_names or name in further):
            column, shared = self._columns[name], self._common(name)
            if shared is None:
                continue
            item = converted.get(name) or further.get(name)
            if shared is not _NONE:
                fixed.append(f"{_spelt(name)}:{_json(shared, item)}")
                continue
            if fixed:
                parts.append([",".join(fixed)] * len(column))
                fixed = []
            start = f"{_spelt(name)}:"
            if item is None:
                parts.append([None if value is None else start + _plain_json(value) for value in column])
            else:
                parts.append([None if value is None else start + _json(value, item) for value in column])
        if fixed:
            parts.append([",".join(fixed)] * len(self.rows))
        if not parts:
            return ["{}"] * len(self.rows)
        return ["{" + ",".join(filter(None, row)) + "}" for row in zip(*parts, strict=True)]


def _literal(value: Any) -> str:
    """SQL for the declared default of a field; "" for one that is better bound."""
    if value is True or value is False:
        return "TRUE" if value else "FALSE"
    if value.__class__ is int:
        return str(value)
    return f"'{value}'" if value.__class__ is str and value.isascii() and value.replace("_", "").isalnum() else ""


#: How JSON spells the values of the commonest kinds.
_SPELLERS: dict[type, Callable[[Any], str]] = {str: _spelt, int: str, bool: lambda value: "true" if value else "false"}


def _plain_json(value: Any) -> str:
    return _SPELLERS.get(value.__class__, json_text)(value)


def _json(value: Any, item: FieldSpec | None) -> str:
    if item is None:
        return _plain_json(value)
    return _plain_json("••••" if item.secret else item.type.to_json(value, item))

"""Values that may occur only once: against the table, and among the rows of one change set."""

from __future__ import annotations

from typing import Any

from flask_appadmin.changes.running import (
    CHUNK,
    NewRecord,
    Run,
    refuse,
)
from flask_appadmin.database import value_condition
from flask_appadmin.errors import FieldError
from flask_appadmin.i18n import gettext
from flask_appadmin.specs import FieldSpec, ModelSpec


def check_unique(run: Run, spec: ModelSpec, rows: list[tuple[int | None, dict[str, Any], Any, str]]) -> None:
    """Values that may occur once: against the table and among the rows themselves. rows: (own key, values, place,
    source)."""
    for names in unique_sets(spec):
        items = [spec.field(name) for name in names]
        wanted: dict[tuple[Any, ...], list[tuple[int | None, Any, str]]] = {}
        for key, values, place, source in rows:
            value = tuple(map(values.get, names))
            if None in value or any(part.__class__ is NewRecord for part in value):
                continue
            wanted.setdefault(value, []).append((key, place, source))
        if not wanted:
            continue
        taken = _taken(spec, items, wanted)
        for value, places in wanted.items():
            for position, (key, place, source) in enumerate(places):
                others = taken.get(value, set()) - {key}
                if others or position:
                    refuse(run, _unique_fault(spec, items, value), place, source)


def unique_sets(spec: ModelSpec) -> list[tuple[str, ...]]:
    """The groups of fields whose values may occur only once together."""
    found: list[tuple[str, ...]] = [(item.name,) for item in spec.data_fields if item.unique]
    for item in spec.data_fields:
        if item.unique_with:
            found.append((*item.unique_with, item.name))
    return found


def _taken(
    spec: ModelSpec, items: list[FieldSpec], wanted: dict[tuple[Any, ...], Any]
) -> dict[tuple[Any, ...], set[int]]:
    key_field = spec.model._meta.primary_key
    taken: dict[tuple[Any, ...], set[int]] = {}
    first = items[0]
    values = sorted({value[0] for value in wanted}, key=str)
    for start in range(0, len(values), CHUNK):
        query = spec.model.select(key_field, *(item.column_field for item in items))
        for row in query.where(value_condition(first.column_field, values[start : start + CHUNK])).tuples():
            if tuple(row[1:]) in wanted:
                taken.setdefault(tuple(row[1:]), set()).add(row[0])
    return taken


def _unique_fault(spec: ModelSpec, items: list[FieldSpec], value: tuple[Any, ...]) -> FieldError:
    item = items[-1]
    own_words = spec.model.unique_messages.get(item.name)
    if own_words is not None:
        return FieldError(item, None, str(own_words))
    return FieldError(item, item.format(value[-1]), gettext("ist bereits vorhanden"))

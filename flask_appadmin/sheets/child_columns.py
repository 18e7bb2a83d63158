"""The children that a row of a foreign file names in columns of its own, where its record is known already.

Shape: each becomes a part of its row: changed where its number (or what it may have only once) names one that is there,
new where it does not, nothing where one with the same values is there. A place in an order (`Record.position_field`)
behind the last one means one more at the end.
Errors: findings of the row, which is then left out as a whole.
Source: ME-94 to ME-96, ME-104, ME-114.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask_appadmin.changes import known_specs
from flask_appadmin.database import key_condition
from flask_appadmin.errors import FieldError
from flask_appadmin.i18n import gettext
from flask_appadmin.sheets.planned import Planned
from flask_appadmin.specs import FieldSpec, ModelSpec

if TYPE_CHECKING:
    from flask_appadmin.sheets.planning import Planner


def plan_children(planner: Planner, rows: Sequence[Planned], reader: Any) -> None:
    """Adds to rows of known records what they say about children."""
    found: dict[str, list[tuple[Planned, Planned]]] = {}
    for row in rows:
        if row.key is None or row.state in ("new", "error", "skipped"):
            continue
        for name, values in row.children:
            child = Planned(row.number)
            child.owner, child.values = row.key, dict(values)
            found.setdefault(name, []).append((row, child))
    for name, pairs in found.items():
        entity = known_specs()[name]
        _match(planner, entity, [child for _row, child in pairs])
        planner.comparison.compare([child for _row, child in pairs], entity, reader)
        for row, child in pairs:
            row.findings += child.findings
            child.findings = []
            if child.state == "error":
                row.state = "error"
            elif child.state in ("new", "changed"):
                child.title = child.title or entity.title_of(child.values)
                row.parts.append((entity, child))


def _match(planner: Planner, entity: ModelSpec, rows: Sequence[Planned]) -> None:
    """Finds which of the stored children each row means; what is there already with the same values stays as it is."""
    owner = entity.owner
    assert owner is not None
    number = next((item for item in entity.natural_key if item.unique_with == (owner.name,)), None)
    once = [item for item in entity.data_fields if item.unique_with == (owner.name,) and item is not number]
    once += [item for item in entity.data_fields if item.unique]
    stored = _stored(entity, rows, number, once)
    for row in rows:
        present = stored.get(row.owner, [])
        if number is not None and row.values.get(number.name) is not None:
            if _match_number(planner, entity, row, number, present):
                continue
        given = {name: value for name, value in row.values.items() if value is not None}
        named = [item for item in once if given.get(item.name) is not None]
        for item in named:
            # What stands twice in the file is one; two rows may name it.
            if not planner.matcher.is_first(entity, (item.name, row.owner, given[item.name]), row.number):
                row.state = "unchanged"
            row.key = next((values["id"] for values in present if values[item.name] == given[item.name]), row.key)
        if row.state or row.key is not None:
            continue
        same = any(all(values.get(name) == value for name, value in given.items()) for values in present)
        row.state = "unchanged" if same or not given else "new"


def _match_number(
    planner: Planner, entity: ModelSpec, row: Planned, number: FieldSpec, present: list[dict[str, Any]]
) -> bool:
    """Whether the number of the row says all: one that is there, or one that cannot be."""
    value = row.values[number.name]
    key = next((values["id"] for values in present if values[number.name] == value), None)
    if key is not None:
        planner.matcher.check_twice(row, entity, key, str(number.label), value, gettext("Zeilenschlüssel"))
        row.key = key
        return True
    if number.name == entity.model.position_field:
        del row.values[number.name]  # it goes behind the last one
        return False
    if number.required:
        row.state = "new"  # people choose it themselves
        return True
    words = gettext("ist unter „%(plural)s“ dieses Datensatzes nicht vorhanden", plural=str(entity.plural))
    row.refuse(str(number.label), value, FieldError(number, value, words).found())
    return True


def _stored(
    entity: ModelSpec, rows: Sequence[Planned], number: FieldSpec | None, once: Sequence[FieldSpec]
) -> dict[int, list[dict[str, Any]]]:
    """Owner -> the children it has, with the values that rows can be compared by."""
    assert entity.owner is not None
    names = {name for row in rows for name in row.values} | {item.name for item in once}
    if number is not None:
        names.add(number.name)
    items = [item for item in entity.data_fields if item.name in names]
    query = entity.model.select(
        entity.model._meta.primary_key, entity.owner.column_field, *(item.column_field for item in items)
    ).where(key_condition(entity.owner.column_field, sorted({row.owner for row in rows})))
    found: dict[int, list[dict[str, Any]]] = {}
    for key, owner, *values in query.tuples():
        known = dict(zip((item.name for item in items), values, strict=True))
        found.setdefault(owner, []).append({"id": key, **known})
    return found


__all__ = ["plan_children"]

"""Splitting: a merge is taken back, and what was changed at the survivor since is given to whom it belongs.

Shape: `later_edits` answers the fields of the survivor that somebody changed after the merge and the child rows that
were added; `split` is the operation that takes the merge back and carries the chosen fields to another of the records.
What nobody assigns stays with the survivor; new child rows always do.
Source: goals D4, M7.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_appadmin.changes import ChangeSet, UndoPart, known_specs
from flask_appadmin.errors import NotFound
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.rights import Operator, may_edit, may_read, visible, words_for
from flask_appadmin.specs import FieldSpec, ModelSpec


@dataclass(frozen=True)
class LaterEdit:
    """Something that was changed at the survivor after the merge."""

    #: Name of the field, "" for a child row that was added.
    field: str
    label: str
    #: What stands there now, and what stood there before.
    words: str
    before: str
    who: str
    when: Any
    #: It can be given to another record.
    is_open: bool


def merge_of(change_set: int) -> tuple[ChangeSetRecord, ModelSpec, list[int]]:
    """The operation, its table, and its records, the survivor first; NotFound where it is no merge."""
    row = ChangeSetRecord.get_or_none(ChangeSetRecord.id == change_set)
    details = row.details if row is not None and isinstance(row.details, dict) else {}
    spec = known_specs().get(row.entity) if row is not None else None
    if row is None or row.kind != "merge" or spec is None or "survivor" not in details:
        raise NotFound()
    return row, spec, [int(details["survivor"]), *map(int, details.get("merged", ()))]


def _lines(change_set: int, spec: ModelSpec, survivor: int) -> list[Any]:
    query = (
        ChangeRecord.select(ChangeRecord, ChangeSetRecord)
        .join(ChangeSetRecord)
        .where(
            ChangeRecord.owner_entity == spec.name,
            ChangeRecord.owner_id == survivor,
            ChangeRecord.change_set > change_set,
        )
        .order_by(ChangeRecord.id)
    )
    return list(query)


def _edited(change_set: int, spec: ModelSpec, survivor: int) -> dict[str, tuple[Any, Any]]:
    """Field -> (first, last) line of its changes since, where the last one still stands."""
    found: dict[str, tuple[Any, Any]] = {}
    for line in _lines(change_set, spec, survivor):
        if line.entity == spec.name and line.action == "update" and line.field in spec.by_name:
            first = found[line.field][0] if line.field in found else line
            found[line.field] = (first, line)
    row = spec.model.select().where(spec.model._meta.primary_key == survivor).dicts().first() or {}
    standing = {}
    for name, (first, last) in found.items():
        item = spec.field(name)
        if item.secret or _value(item, last.new_value) != row.get(name) or first.old_value == last.new_value:
            continue
        standing[name] = (first, last)
    return standing


def _value(item: FieldSpec, text: str | None) -> Any:
    return item.type.from_json(json.loads(text or "null"), item)


def later_edits(change_set: int, operator: Operator) -> list[LaterEdit]:
    """What was changed at the survivor since the merge, in the order of the history."""
    _row, spec, keys = merge_of(change_set)
    names = ReferenceCache()
    found = []
    for name, (first, last) in _edited(change_set, spec, keys[0]).items():
        item = spec.field(name)
        if not may_read(operator, item):
            continue
        texts = (last.new_value, first.old_value)
        now, before = (words_for(operator, item, _value(item, text), names) for text in texts)
        who, when = last.change_set.user_name, last.change_set.changed_at
        is_open = may_edit(operator, item) and not item.read_only and not item.natural_key
        found.append(LaterEdit(name, str(item.label), now, before, who, when, is_open))
    for line in _lines(change_set, spec, keys[0]):
        child = known_specs().get(line.entity)
        if line.action != "create" or child is None or child.owner is None:
            continue
        if child.model.select().where(child.model._meta.primary_key == line.record_id).exists():
            who, when = line.change_set.user_name, line.change_set.changed_at
            found.append(LaterEdit("", str(child.label), line.record_title, "", who, when, False))
    return found


def split(change_set: int, operator: Operator, assigned: Mapping[str, int], *, reason: str = "") -> ChangeSet:
    """The operation that takes a merge back; `assigned`: field -> the record that gets what was entered since."""
    _row, spec, keys = merge_of(change_set)
    condition = visible(operator, spec)
    query = spec.model.select(spec.model._meta.primary_key).where(spec.model._meta.primary_key.in_(keys))
    if len(list((query if condition is None else query.where(condition)).tuples())) != len(keys):
        raise NotFound(spec)
    survivor = keys[0]
    edited = _edited(change_set, spec, survivor)
    over: set[int] = set()
    given: dict[int, dict[str, Any]] = {}
    for name, key in assigned.items():
        item = spec.by_name.get(name)
        if item is None or name not in edited or key not in keys[1:] or item.read_only or item.natural_key:
            continue
        if not may_edit(operator, item):
            operator.require(f"{item.right}.edit")
        first, last = edited[name]
        given.setdefault(key, {})[name] = _value(item, last.new_value)
        own = ChangeRecord.select(ChangeRecord.id).where(
            ChangeRecord.change_set == change_set,
            ChangeRecord.entity == spec.name,
            ChangeRecord.record_id == survivor,
            ChangeRecord.field == name,
        )
        lines = [row[0] for row in own.tuples()]
        if lines:
            over.update(lines)
        else:
            given.setdefault(survivor, {})[name] = _value(item, first.old_value)
    change = ChangeSet.undo(change_set, part=UndoPart(over=frozenset(over)), reason=reason)
    for key in sorted(given, key=lambda key: key != survivor):
        change.update(spec, key, given[key])
    return change

"""Undo: the inverse of a whole set, found by joining its history with the records; what was changed again stays."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask_appadmin import search
from flask_appadmin.changes.removing import StillUsed, remove_records, title_of_key, users_of
from flask_appadmin.changes.running import (
    CHANGE_COLUMNS,
    CHUNK,
    KNOWN_SPECS,
    Run,
    depth,
    insert_changes,
    owner_of,
    snapshot,
)
from flask_appadmin.changes.unique import unique_sets
from flask_appadmin.database import database, engine
from flask_appadmin.fieldtypes import ReferenceCache
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import visible
from flask_appadmin.specs import FieldSpec, ModelSpec, shown


@dataclass(frozen=True)
class UndoConflict:
    """A value that was changed again since; it stays."""

    title: str
    label: str
    #: What it would have been set back to, and what stands there now.
    wanted: str
    current: str
    who: str = ""
    reason: str = ""


@dataclass(frozen=True)
class UndoPlan:
    change_set: int
    updated: int
    removed: int
    restored: int
    conflicts: list[UndoConflict]
    conflict_count: int

    @property
    def count(self) -> int:
        return self.updated + self.removed + self.restored


def plan_undo(change_set: int, *, listed: int = 50) -> UndoPlan:
    """What taking back a set would restore, and what was changed again since and therefore stays."""
    fields = _changed_fields(change_set)
    conflicts: list[UndoConflict] = []
    conflict_count = 0
    for spec, item in fields:
        number, found = _field_conflicts(change_set, spec, item, listed - len(conflicts))
        conflict_count += number
        conflicts += found
    restorable = _restorable_records(change_set, fields)
    removed, kept = _removable(change_set)
    restored, lost = _recreatable(change_set)
    conflicts += kept + lost
    return UndoPlan(
        change_set, restorable, len(removed), len(restored), conflicts, conflict_count + len(kept) + len(lost)
    )


def _changed_fields(change_set: int) -> list[tuple[ModelSpec, FieldSpec]]:
    rows = (
        ChangeRecord.select(ChangeRecord.entity, ChangeRecord.field)
        .where(ChangeRecord.change_set == change_set, ChangeRecord.action == "update")
        .distinct()
        .tuples()
    )
    found = []
    for entity, name in rows:
        spec = KNOWN_SPECS.get(entity)
        item = spec.by_name.get(name) if spec is not None else None
        if spec is not None and item is not None and not item.secret:
            found.append((spec, item))
    return sorted(found, key=lambda pair: (pair[0].name, pair[1].name))


def _undo_join(spec: ModelSpec, item: FieldSpec) -> str:
    """FROM and WHERE over the rows of one field of a set (parameters: set, field)."""
    param = database.param
    return (
        f'FROM "change" c JOIN "{spec.name}" t ON t.id = c.record_id '
        f"WHERE c.change_set_id = {param} AND c.entity = '{spec.name}' AND c.field = {param}"
    )


def _is_current(item: FieldSpec, column: str) -> str:
    current = item.type.sql_from_json(f"c.{column}", item, engine())
    return f't."{item.column}" IS NOT DISTINCT FROM {current}'


def _field_conflicts(change_set: int, spec: ModelSpec, item: FieldSpec, listed: int) -> tuple[int, list[UndoConflict]]:
    join = _undo_join(spec, item)
    where = f"AND NOT ({_is_current(item, 'new_value')}) AND NOT ({_is_current(item, 'old_value')})"
    count = database.execute_sql(f"SELECT count(*) {join} {where}", (change_set, item.name)).fetchone()[0]
    found = []
    if count and listed > 0:
        current = item.type.sql_to_json(f't."{item.column}"', item, engine())
        rows = database.execute_sql(
            f"SELECT c.record_title, c.old_value, {current}, c.record_id {join} {where} "
            f"ORDER BY c.id LIMIT {int(listed)}",
            (change_set, item.name),
        ).fetchall()
        names = ReferenceCache()
        for title, old, now, key in rows:
            found.append(
                UndoConflict(
                    title,
                    str(item.label),
                    shown(item, item.type.from_json(json.loads(old), item), names) or gettext("leer"),
                    shown(item, item.type.from_json(json.loads(now), item), names) or gettext("leer"),
                    _last_person(spec, key, item),
                )
            )
    return count, found


def _last_person(spec: ModelSpec, key: int, item: FieldSpec) -> str:
    row = (
        ChangeSetRecord.select(ChangeSetRecord.user_name)
        .join(ChangeRecord)
        .where(ChangeRecord.entity == spec.name, ChangeRecord.record_id == key, ChangeRecord.field == item.name)
        .order_by(ChangeRecord.id.desc())
        .first()
    )
    return row.user_name if row is not None else ""


def _restorable_records(change_set: int, fields: list[tuple[ModelSpec, FieldSpec]]) -> int:
    """How many records get at least one value back."""
    if not fields:
        return 0
    parts, params = [], []
    for spec, item in fields:
        parts.append(
            f"SELECT '{spec.name}' AS entity, t.id {_undo_join(spec, item)} AND {_is_current(item, 'new_value')}"
        )
        params += [change_set, item.name]
    sql = f"SELECT count(*) FROM ({' UNION '.join(parts)}) AS restorable"
    return database.execute_sql(sql, params).fetchone()[0]


def _removable(change_set: int) -> tuple[list[tuple[ModelSpec, int]], list[UndoConflict]]:
    """Records the set made, children last, without those that were changed since by another set."""
    rows = list(
        ChangeRecord.select(ChangeRecord.entity, ChangeRecord.record_id, ChangeRecord.record_title)
        .where(ChangeRecord.change_set == change_set, ChangeRecord.action == "create")
        .order_by(ChangeRecord.id)
        .tuples()
    )
    removable: list[tuple[ModelSpec, int]] = []
    kept: list[UndoConflict] = []
    by_entity: dict[str, list[tuple[int, str]]] = {}
    for entity, key, title in rows:
        by_entity.setdefault(entity, []).append((key, title))
    made = {(entity, key) for entity, key, _title in rows}
    for entity, found in by_entity.items():
        spec = KNOWN_SPECS.get(entity)
        if spec is None:
            continue
        titles = dict(found)
        for start in range(0, len(found), CHUNK):
            keys = [key for key, _title in found[start : start + CHUNK]]
            later = _changed_later(change_set, spec, keys, made)
            key_field = spec.model._meta.primary_key
            present = {row[0] for row in spec.model.select(key_field).where(key_field.in_(keys)).tuples()}
            for key in keys:
                if key not in present:
                    continue
                if key in later:
                    reason = gettext("wurde seither geändert")
                    kept.append(
                        UndoConflict(titles[key], str(spec.label), gettext("entfernen"), reason, later[key], reason)
                    )
                else:
                    removable.append((spec, key))
    return removable, kept


def _changed_later(change_set: int, spec: ModelSpec, keys: list[int], made: set[tuple[str, int]]) -> dict[int, str]:
    """Keys of records that a later set changed (themselves or their children) -> the last person."""
    query = (
        ChangeRecord.select(
            ChangeRecord.owner_id, ChangeRecord.record_id, ChangeRecord.owner_entity, ChangeSetRecord.user_name
        )
        .join(ChangeSetRecord)
        .where(
            ChangeRecord.change_set > change_set,
            (
                ((ChangeRecord.entity == spec.name) & ChangeRecord.record_id.in_(keys))
                | ((ChangeRecord.owner_entity == spec.name) & ChangeRecord.owner_id.in_(keys))
            ),
            ~ChangeSetRecord.id.in_(_undone_pairs(change_set)),
        )
        .order_by(ChangeRecord.id)
        .tuples()
    )
    found: dict[int, str] = {}
    wanted = set(keys)
    for owner_id, record_id, owner_entity, name in query:
        for key in (record_id, owner_id if owner_entity == spec.name else None):
            if key in wanted:
                found[key] = name
    return found


def _undone_pairs(change_set: int) -> list[int]:
    """Later sets that cancel each other (a set and its undo), so that undoing both in turn stays possible."""
    rows = list(
        ChangeSetRecord.select(ChangeSetRecord.id, ChangeSetRecord.undo_of)
        .where(ChangeSetRecord.undo_of > change_set)
        .tuples()
    )
    return [key for pair in rows for key in pair] or [0]


def _recreatable(change_set: int) -> tuple[list[tuple[ModelSpec, int, dict[str, Any]]], list[UndoConflict]]:
    """Records the set removed, owners first, without those whose place is taken."""
    rows = list(
        ChangeRecord.select(
            ChangeRecord.entity, ChangeRecord.record_id, ChangeRecord.record_title, ChangeRecord.old_value
        )
        .where(ChangeRecord.change_set == change_set, ChangeRecord.action == "delete")
        .order_by(ChangeRecord.id.desc())
        .tuples()
    )
    found: list[tuple[ModelSpec, int, dict[str, Any]]] = []
    lost: list[UndoConflict] = []
    for entity, key, title, content in rows:
        spec = KNOWN_SPECS.get(entity)
        if spec is None or not content:
            continue
        stored = json.loads(content)
        values = {
            name: spec.field(name).type.from_json(value, spec.field(name))
            for name, value in stored.items()
            if name in spec.by_name and not spec.field(name).secret
        }
        reason = _cannot_return(spec, key, values)
        if reason:
            lost.append(UndoConflict(title, str(spec.label), gettext("wiederherstellen"), reason, "", reason))
        else:
            found.append((spec, key, values))
    return found, lost


def _cannot_return(spec: ModelSpec, key: int, values: dict[str, Any]) -> str:
    key_field = spec.model._meta.primary_key
    if spec.model.select().where(key_field == key).exists():
        return gettext("ist bereits wieder vorhanden")
    for names in unique_sets(spec):
        items = [spec.field(name) for name in names]
        if any(values.get(name) is None for name in names):
            continue
        query = spec.model.select()
        for item in items:
            query = query.where(item.column_field == values[item.name])
        if query.exists():
            label = items[-1].label
            return gettext(
                "%(field)s „%(value)s“ ist inzwischen vergeben", field=str(label), value=str(values[names[-1]])
            )
    return ""


def write_undo(run: Run, change_set: int) -> None:
    original = ChangeSetRecord.get_by_id(change_set)
    own = original.user_id is not None and original.user_id == run.operator.user_id
    if not run.operator.may("undo.all"):
        run.operator.require("undo.own" if own else "undo.all")
    fields = _changed_fields(change_set)
    for spec in {spec.name: spec for spec, _item in fields}.values():
        run.operator.require(f"{spec.right}.edit")
        visible(run.operator, spec)
    for spec, item in fields:
        _restore_field(run, change_set, spec, item)
    _bump_versions(run)
    run.updated += _count_updated(run)
    removable, kept = _removable(change_set)
    _remove_made(run, removable)
    restored, lost = _recreatable(change_set)
    _recreate(run, restored)
    for conflict in (*kept, *lost):
        run.skipped.append(f"{conflict.title}: {conflict.reason}")
    for spec, item in fields:
        number, found = _field_conflicts(change_set, spec, item, 20)
        run.skipped += [f"{entry.title}: {entry.label} → {entry.current}" for entry in found]
        run.skipped += [gettext("und %(count)s weitere", count=number - len(found))] if number > len(found) else []


def _restore_field(run: Run, change_set: int, spec: ModelSpec, item: FieldSpec) -> None:
    param = database.param
    columns = ", ".join(CHANGE_COLUMNS)
    database.execute_sql(
        f'INSERT INTO "change" ({columns}) SELECT {param}, c.entity, c.record_id, c.owner_entity, c.owner_id, '
        f"c.record_title, 'update', c.field, c.field_label, c.new_value, c.old_value, NULL "
        f"{_undo_join(spec, item)} AND {_is_current(item, 'new_value')}",
        (run.change_set, change_set, item.name),
    )
    old = item.type.sql_from_json("c.new_value", item, engine())
    database.execute_sql(
        f'UPDATE "{spec.name}" SET "{item.column}" = {old} FROM "change" c '
        f"WHERE c.change_set_id = {param} AND c.entity = '{spec.name}' AND c.field = {param} "
        f'AND c.record_id = "{spec.name}".id',
        (run.change_set, item.name),
    )
    indexed = {other.name for other in search.indexed_fields(spec)}
    if item.name in indexed:
        rows = ChangeRecord.select(ChangeRecord.record_id, ChangeRecord.owner_id).where(
            ChangeRecord.change_set == run.change_set, ChangeRecord.entity == spec.name, ChangeRecord.field == item.name
        )
        for key, owner_id in rows.tuples():
            run.touch(spec, key, owner_id if spec.owner is not None else None)


def _bump_versions(run: Run) -> None:
    param = database.param
    entities = ChangeRecord.select(ChangeRecord.entity).where(ChangeRecord.change_set == run.change_set).distinct()
    for (entity,) in list(entities.tuples()):
        database.execute_sql(
            f'UPDATE "{entity}" SET version = version + 1, updated_at = {param} WHERE id IN '
            f'(SELECT record_id FROM "change" WHERE change_set_id = {param} AND entity = {param})',
            (run.moment, run.change_set, entity),
        )


def _count_updated(run: Run) -> int:
    query = (
        ChangeRecord.select(ChangeRecord.entity, ChangeRecord.record_id)
        .where(ChangeRecord.change_set == run.change_set, ChangeRecord.action == "update")
        .distinct()
    )
    return query.count()


def _remove_made(run: Run, removable: list[tuple[ModelSpec, int]]) -> None:
    """Removes the records a set made, the latest first; one that another of them still uses is tried again after it."""
    waiting = sorted(removable, key=lambda pair: -depth(pair[0]))
    while waiting:
        still_used = []
        for spec, key in waiting:
            if users_of(spec, key):
                still_used.append((spec, key))
                continue
            run.operator.require(f"{spec.right}.{'delete' if spec.owner is None else 'edit'}")
            _clear_own_pointers(spec, key)
            remove_records(run, spec, [key], "")
            run.deleted += 1 if spec.owner is None else 0
        if len(still_used) == len(waiting):
            run.skipped += [str(StillUsed(title_of_key(spec, key), users_of(spec, key))) for spec, key in waiting]
            break
        waiting = still_used
    if removable and not run.deleted:
        run.deleted = len(removable) - len(waiting)


def _clear_own_pointers(spec: ModelSpec, key: int) -> None:
    """A child that siblings or its owner point to (a copied address) is let go before it is removed."""
    if spec.owner is None:
        return
    for reference, model in spec.model._meta.backrefs.items():
        if not getattr(getattr(reference, "described_as", None), "owner", False) and reference.null:
            model.update({reference: None}).where(reference == key).execute()


def _recreate(run: Run, restored: list[tuple[ModelSpec, int, dict[str, Any]]]) -> None:
    later: list[tuple[ModelSpec, int, str, Any]] = []
    written = []
    for spec, key, values in sorted(restored, key=lambda entry: depth(entry[0])):
        run.operator.require(f"{spec.right}.{'create' if spec.owner is None else 'edit'}")
        row = dict(values)
        for item in spec.data_fields:
            if item.target is not None and row.get(item.name) is not None and item is not spec.owner:
                # A pointer to a sibling that is not back yet is set when all are.
                later.append((spec, key, item.column, row[item.name]))
                if item.nullable:
                    row[item.name] = None
            if item.name not in row and not item.nullable:
                row[item.name] = item.default_value() if item.default is not None else ""
        names = [item for item in spec.data_fields if row.get(item.name) is not None]
        columns = ["id", "version", "created_at", "updated_at", *(item.column for item in names)]
        marks = ", ".join([database.param] * len(columns))
        quoted = ", ".join(f'"{column}"' for column in columns)
        stored = [item.column_field.db_value(row[item.name]) for item in names]
        database.execute_sql(
            f'INSERT INTO "{spec.name}" ({quoted}) VALUES ({marks})', (key, 1, run.moment, run.moment, *stored)
        )
        written.append((spec, key, values))
    for spec, key, column, target in later:
        database.execute_sql(
            f'UPDATE "{spec.name}" SET "{column}" = {database.param} WHERE id = {database.param}', (target, key)
        )
    rows = []
    for spec, key, values in written:
        owner_entity, owner_id = owner_of(spec, key, values)
        rows.append(
            (
                run.change_set,
                spec.name,
                key,
                owner_entity,
                owner_id,
                spec.title_of(values)[:160],
                "create",
                None,
                None,
                None,
                snapshot(spec, values),
                None,
            )
        )
        run.touch(spec, key, owner_id if spec.owner is not None else None)
    insert_changes(rows)
    run.created += sum(1 for spec, _key, _values in written if spec.owner is None) or len(written)

"""Records that a set made or removed: which of them go and which come back, and how."""

from __future__ import annotations

import json
from typing import Any

from flask_appadmin.changes.elsewhere import write_values
from flask_appadmin.changes.removing import StillUsed, remove_records, title_of_key, users_of
from flask_appadmin.changes.running import (
    CHUNK,
    KNOWN_SPECS,
    Run,
    depth,
    insert_changes,
    owner_of,
    snapshot,
    visible_keys,
)
from flask_appadmin.changes.undoing.conflict import UndoConflict
from flask_appadmin.changes.undoing.part import UndoPart
from flask_appadmin.changes.unique import unique_sets
from flask_appadmin.database import database
from flask_appadmin.history import COPIED, ChangeRecord, ChangeSetRecord, is_final, taken_back
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.specs import ModelSpec


def removable_records(
    change_set: int, part: UndoPart, operator: Operator
) -> tuple[list[tuple[ModelSpec, int]], list[UndoConflict]]:
    """Records the set made, children last, without those that were changed since by another set."""
    rows = list(
        part.limit(ChangeRecord.select(ChangeRecord.entity, ChangeRecord.record_id, ChangeRecord.record_title))
        .where(ChangeRecord.change_set == change_set, ChangeRecord.action == "create")
        .order_by(ChangeRecord.id)
        .tuples()
    )
    removable: list[tuple[ModelSpec, int]] = []
    kept: list[UndoConflict] = []
    by_entity: dict[str, list[tuple[int, str]]] = {}
    for entity, key, title in rows:
        by_entity.setdefault(entity, []).append((key, title))
    for entity, found in by_entity.items():
        spec = KNOWN_SPECS.get(entity)
        if spec is None:
            continue
        titles = dict(found)
        for start in range(0, len(found), CHUNK):
            keys = [key for key, _title in found[start : start + CHUNK]]
            later = _changed_later(change_set, spec, keys)
            present = visible_keys(operator, spec, keys)
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


def _changed_later(change_set: int, spec: ModelSpec, keys: list[int]) -> dict[int, str]:
    """Keys of records that a later set changed (themselves or their children) -> the last person."""
    query = (
        ChangeRecord.select(
            ChangeRecord.owner_id, ChangeRecord.record_id, ChangeRecord.owner_entity, ChangeSetRecord.user_name
        )
        .join(ChangeSetRecord)
        .where(
            ChangeRecord.change_set > change_set,
            ChangeRecord.action != COPIED,
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
    rows = ChangeSetRecord.select(ChangeSetRecord.undo_of).where(ChangeSetRecord.undo_of > change_set).tuples()
    back = taken_back([row[0] for row in rows])
    return [key for undone, state in back.items() if state.is_whole for key in (undone, state.by)] or [0]


def recreatable_records(
    change_set: int, part: UndoPart
) -> tuple[list[tuple[ModelSpec, int, dict[str, Any]]], list[UndoConflict]]:
    """Records the set removed, owners first, without those whose place is taken and those who were anonymised."""
    rows = list(
        part.limit(
            ChangeRecord.select(
                ChangeRecord.entity, ChangeRecord.record_id, ChangeRecord.record_title, ChangeRecord.old_value
            )
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
        reason = gettext("wurde anonymisiert") if is_final(*owner_of(spec, key, values)) else ""
        reason = reason or _cannot_return(spec, key, values)
        if reason:
            lost.append(UndoConflict(title, str(spec.label), gettext("wiederherstellen"), reason, "", reason))
        else:
            found.append((spec, key, values))
    return found, lost


def _cannot_return(spec: ModelSpec, key: int, values: dict[str, Any]) -> str:
    """Why a removed record cannot come back, "" where it can."""
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


def remove_records_made(run: Run, removable: list[tuple[ModelSpec, int]]) -> None:
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


def recreate_records(run: Run, restored: list[tuple[ModelSpec, int, dict[str, Any]]]) -> None:
    """Makes removed records again under their old keys, owners first, and notes that in the history."""
    later: list[tuple[ModelSpec, int, str, Any]] = []
    written = []
    for spec, key, values in sorted(restored, key=lambda entry: depth(entry[0])):
        run.operator.require(f"{spec.right}.{'create' if spec.owner is None else 'edit'}")
        row = dict(values)
        for item in spec.own_fields:
            if item.target is not None and row.get(item.name) is not None and item is not spec.owner:
                # A pointer to a sibling that is not back yet is set when all are.
                later.append((spec, key, item.column, row[item.name]))
                if item.nullable:
                    row[item.name] = None
            if item.name not in row and not item.nullable:
                row[item.name] = item.default_value() if item.default is not None else ""
        names = [item for item in spec.own_fields if row.get(item.name) is not None]
        columns = ["id", "version", "created_at", "updated_at", *(item.column for item in names)]
        marks = ", ".join([database.param] * len(columns))
        quoted = ", ".join(f'"{column}"' for column in columns)
        stored = [item.column_field.db_value(row[item.name]) for item in names]
        database.execute_sql(
            f'INSERT INTO "{spec.name}" ({quoted}) VALUES ({marks})', (key, 1, run.moment, run.moment, *stored)
        )
        for item in spec.further_fields:
            if values.get(item.name) is not None:
                write_values(item, [(key, values[item.name])], run.moment)
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

"""Merging: several records become one. What belonged to the others is moved, nothing is removed.

Shape: a Merge says what was planned (`flask_appadmin.merging`): the survivor's new values, the child rows that move,
the references that lead to the survivor from now on, and what becomes of the merged records. All of it are ordinary
changes of fields in the history, so that undo, histories and searches need to know nothing of merging.
Rules are asked for the survivor's new values only: a moved row stays what it was. Moved rows stand in the history of
the survivor; each line names the record it came from.
Errors: NotFound for a record that the operator may not see, MergedMeanwhile where something was changed since the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import peewee

from flask_appadmin import search
from flask_appadmin.changes.elsewhere import write_values
from flask_appadmin.changes.relating import owner_sql, plain_title_sql
from flask_appadmin.changes.running import (
    CHANGE_COLUMNS,
    CHUNK,
    KNOWN_SPECS,
    Run,
    Update,
    insert_changes,
    json_of,
    owner_of,
    require,
    visible_keys,
)
from flask_appadmin.changes.updating import split_names, write_updates
from flask_appadmin.customfields import complete
from flask_appadmin.database import database, engine, execute_many, key_condition
from flask_appadmin.errors import AppAdminError, NotFound
from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.history import MERGED, ChangeRecord
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import system_operator
from flask_appadmin.specs import FieldSpec, ModelSpec

#: The right to merge.
RIGHT = "merge.run"


class MergedMeanwhile(AppAdminError):
    """The records are no longer as they were shown."""

    status = 409

    def sentence(self) -> str:
        return gettext(
            "Die Datensätze wurden inzwischen geändert oder schon zusammengeführt. Es wurde nichts geändert. Bitte "
            "prüfen Sie noch einmal."
        )


@dataclass(frozen=True)
class Move:
    """A child row that gets another owner."""

    spec: ModelSpec
    key: int
    #: The record it came from.
    source: int
    #: Further new values: a reference to a row that is there already.
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Repoint:
    """References of other records: those to `old` lead to `new` from now on."""

    item: FieldSpec
    spec: ModelSpec
    old: int
    new: int
    #: The record it came from.
    source: int
    #: Only these rows; None for all.
    only: tuple[int, ...] | None = None
    #: But for these.
    without: tuple[int, ...] = ()


@dataclass
class Merge:
    spec: ModelSpec
    survivor: int
    #: Merged records -> how histories name them.
    sources: dict[int, str]
    #: Names the very records the plan was made of.
    state: str
    #: The survivor's new values, and from whom each came.
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, int] = field(default_factory=dict)
    #: What becomes of the merged records.
    ended: dict[int, dict[str, Any]] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    repoints: list[Repoint] = field(default_factory=list)


def state_of(spec: ModelSpec, keys: Iterable[int]) -> str:
    """Names records with their children as they are now: any change of one of them makes it another text."""
    wanted = sorted(keys)
    last = (
        ChangeRecord.select(ChangeRecord.owner_id, peewee.fn.MAX(ChangeRecord.id))
        .where(ChangeRecord.owner_entity == spec.name, ChangeRecord.owner_id.in_(wanted))
        .group_by(ChangeRecord.owner_id)
    )
    changes = dict(last.tuples())
    model = spec.model
    query = model.select(model._meta.primary_key, model.version).where(key_condition(model._meta.primary_key, wanted))
    versions = dict(query.tuples())
    return ".".join(f"{key}-{versions.get(key, 0)}-{changes.get(key, 0)}" for key in wanted)


def write_merge(run: Run, step: Merge) -> None:
    spec = step.spec
    keys = sorted([step.survivor, *step.sources])
    run.operator.require(RIGHT)
    require(run, spec, "edit")
    _hold_rows(spec, keys)
    found = visible_keys(run.operator, spec, keys)
    for key in keys:
        if key not in found:
            raise NotFound(spec, key)
    if state_of(spec, keys) != step.state:
        raise MergedMeanwhile()
    # What may occur once is given up before the survivor takes it.
    rows = _rows(spec, list(step.ended))
    for key, values in step.ended.items():
        _write(run, spec, rows[key], values, "")
    _move(run, step)
    for repoint in step.repoints:
        _write_repoint(run, step, repoint)
    _name_sources(run, step)
    changed = len(step.ended)
    if step.values:
        words = {name: _from(spec, step.sources[key]) for name, key in step.origins.items() if key in step.sources}
        # With every right: the plan has asked whether the operator may choose; what nobody chose is a rule's.
        ruled = replace(run, operator=system_operator(run.operator.name), updated=0)
        write_updates(ruled, [Update(spec, step.survivor, step.values, origins=words)])
        changed += ruled.updated
    for key in keys:
        run.touch(spec, key, None)
    run.updated += changed


def _from(spec: ModelSpec, title: str) -> str:
    return gettext("von %(label)s %(title)s", label=str(spec.label), title=title)[:80]


def _hold_rows(spec: ModelSpec, keys: list[int]) -> None:
    """Nobody else changes these records until this set is written; in the order of their keys, so that two who merge
    the same records wait for one another."""
    if engine() == "postgresql":
        key_field = spec.model._meta.primary_key
        query = spec.model.select(key_field).where(key_condition(key_field, keys)).order_by(key_field)
        list(query.for_update("FOR UPDATE").tuples())


def _rows(spec: ModelSpec, keys: Sequence[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(keys), CHUNK):
        key_field = spec.model._meta.primary_key
        query = spec.model.select().where(key_condition(key_field, list(keys[start : start + CHUNK])))
        found.update((row["id"], row) for row in complete(spec, query.dicts()))
    return found


def _write(run: Run, spec: ModelSpec, row: dict[str, Any], values: dict[str, Any], source: str) -> None:
    """New values of one row, with their history under its (new) owner; no rule is asked."""
    KNOWN_SPECS.setdefault(spec.name, spec)
    changed = {name: value for name, value in values.items() if row[name] != value}
    if not changed:
        return
    after = {**row, **changed}
    owner_entity, owner_id = owner_of(spec, row["id"], after)
    title = spec.title_of(after)[:160]
    history = []
    for name in sorted(changed):
        item = spec.field(name)
        texts = (json_of(item, row[name]), json_of(item, changed[name]))
        place = (spec.name, row["id"], owner_entity, owner_id, title, "update", name, str(item.label)[:120])
        history.append((run.change_set, *place, *texts, source or None))
    param = database.param
    own, further = split_names(spec, tuple(changed))
    columns = "".join(f'"{spec.field(name).column}" = {param}, ' for name in own)
    stored = [spec.field(name).column_field.db_value(changed[name]) for name in own]
    execute_many(
        f'UPDATE "{spec.name}" SET {columns}version = version + 1, updated_at = {param} WHERE id = {param}',
        [(*stored, run.moment, row["id"])],
    )
    for item in further:
        write_values(item, [(row["id"], changed[item.name])], run.moment)
    if not run.rehearsal:
        insert_changes(history)
    run.turn(spec, row, after, None)


def _move(run: Run, step: Merge) -> None:
    by_spec: dict[str, list[Move]] = {}
    for move in step.moves:
        by_spec.setdefault(move.spec.name, []).append(move)
    for group in by_spec.values():
        spec = group[0].spec
        assert spec.owner is not None
        rows = _rows(spec, [move.key for move in group])
        numbers = _numbers(run, step, spec, [rows[move.key] for move in group])
        for move in group:
            values = {**move.values, spec.owner.name: step.survivor, **numbers.get(move.key, {})}
            _write(run, spec, rows[move.key], values, _from(step.spec, step.sources[move.source]))


def number_field(spec: ModelSpec) -> FieldSpec | None:
    """The field by which the rows of one owner are counted, if the table has one."""
    owner = spec.owner
    names = (owner.name,) if owner is not None else ()
    counted = (item for item in spec.data_fields if item.type.name == "integer" and item.unique_with == names)
    return next(counted, None) if names else None


def _numbers(run: Run, step: Merge, spec: ModelSpec, rows: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """New numbers for rows that move to an owner who counts its own.

    Each is higher than all that the survivor and the merged records ever showed, so that the way back, which restores
    owner and number one after the other, meets no number twice.
    """
    item = number_field(spec)
    if item is None:
        return {}
    assert spec.owner is not None
    fresh = [{**row, spec.owner.name: step.survivor, item.name: None} for row in rows]
    spec.model.prepare_many(fresh, run)
    owners = [step.survivor, *step.sources]
    highest = spec.model.select(peewee.fn.MAX(item.column_field)).where(spec.owner.column_field.in_(owners))
    first = max((highest.tuples().scalar() or 0) + 1, min((row[item.name] or 0) for row in fresh))
    for offset, row in enumerate(fresh):
        row[item.name] = first + offset
    # Said once more with these numbers, so that they count as given.
    spec.model.prepare_many(fresh, run)
    return {row["id"]: {item.name: row[item.name]} for row in fresh}


def _write_repoint(run: Run, step: Merge, repoint: Repoint) -> None:
    """Set-based: an account with a hundred thousand entries moves in two statements."""
    spec, item = repoint.spec, repoint.item
    KNOWN_SPECS.setdefault(spec.name, spec)
    param = database.param
    where = f't."{item.column}" = {param}'
    if repoint.only is not None:
        where += f" AND t.id IN ({', '.join(str(int(key)) for key in repoint.only) or '0'})"
    if repoint.without:
        where += f" AND t.id NOT IN ({', '.join(str(int(key)) for key in repoint.without)})"
    if not run.rehearsal:
        owner_entity, owner_id = owner_sql(spec)
        values = f"{param}, '{spec.name}', t.id, {owner_entity}, {owner_id}, {plain_title_sql(spec)}, 'update', "
        database.execute_sql(
            f'INSERT INTO "change" ({", ".join(CHANGE_COLUMNS)}) SELECT {values}'
            f'{param}, {param}, {param}, {param}, {param} FROM "{spec.name}" t WHERE {where}',
            (
                run.change_set,
                item.name,
                str(item.label)[:120],
                json_of(item, repoint.old),
                json_of(item, repoint.new),
                _from(step.spec, step.sources[repoint.source]),
                repoint.old,
            ),
        )
    database.execute_sql(
        f'UPDATE "{spec.name}" AS t SET "{item.column}" = {param}, version = version + 1, updated_at = {param} '
        f"WHERE {where}",
        (repoint.new, run.moment, repoint.old),
    )
    if any(found.name == item.name for found in search.indexed_fields(spec)):
        query = spec.model.select(spec.model._meta.primary_key).where(item.column_field == repoint.new)
        for (key,) in query.tuples():
            run.touch(spec, key, None)


def _name_sources(run: Run, step: Merge) -> None:
    """A line in the survivor's history for each merged record: a merge is told even where no value was taken."""
    if run.rehearsal:
        return
    row = _rows(step.spec, [step.survivor])[step.survivor]
    place = (step.spec.name, step.survivor, step.spec.name, step.survivor, step.spec.title_of(row)[:160], MERGED)
    label = gettext("Zusammengeführt mit")[:120]
    insert_changes(
        [
            (run.change_set, *place, None, label, None, json_text({"id": key, "title": title}), None)
            for key, title in step.sources.items()
        ]
    )

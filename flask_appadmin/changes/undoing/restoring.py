"""Takes a set back: old values, records it removed, records it made. The gateway calls it inside its transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flask_appadmin import search
from flask_appadmin.changes.elsewhere import write_told
from flask_appadmin.changes.running import CHANGE_COLUMNS, Run
from flask_appadmin.changes.undoing.part import WHOLE, UndoPart, require_returnable
from flask_appadmin.changes.undoing.records import (
    recreatable_records,
    recreate_records,
    removable_records,
    remove_records_made,
)
from flask_appadmin.changes.undoing.values import (
    changed_fields,
    comes_back,
    field_conflicts,
    keys_sql,
    measure_tables,
    undo_join,
)
from flask_appadmin.database import database, engine
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import may_edit
from flask_appadmin.specs import FieldSpec, ModelSpec

#: So many lines at least are taken back at a time where somebody wants to hear how far it is.
PIECE = 10_000
#: A set is taken back in no more pieces than this, since each of them looks for its beginning.
_MOST_PIECES = 20


def write_undo(run: Run, change_set: int, part: UndoPart = WHOLE) -> None:
    """Takes back a set or a part of it; what stays is told in `run.skipped`.

    Raises NotAllowed, NotTakenBack and OnlyWhole before anything is written.
    """
    original = ChangeSetRecord.get_by_id(change_set)
    own = original.user_id is not None and original.user_id == run.operator.user_id
    if not run.operator.may("undo.all"):
        run.operator.require("undo.own" if own else "undo.all")
    require_returnable(original, part)
    fields = changed_fields(change_set, part)
    for spec in {spec.name: spec for spec, _item in fields}.values():
        run.operator.require(f"{spec.right}.edit")
    for _spec, item in fields:
        if not may_edit(run.operator, item):
            run.operator.require(f"{item.right}.edit")
    measure_tables(fields)
    # Each value is noted, and each record is written.
    told_counts = [_told_count(change_set, spec, item) for spec, item in fields]
    run.expect(sum(told_counts) + max(told_counts, default=0))
    # What nothing was made or removed by comes back in one pass over each table.
    only_values = not (
        ChangeRecord.select()
        .where(ChangeRecord.change_set == change_set, ChangeRecord.action.in_(("create", "delete")))
        .exists()
    )
    complete = set()
    for items in _by_table(fields):
        for spec, item in items:
            returned, told = _note_restored(run, change_set, spec, item, part)
            if returned == told:
                complete.add((spec.name, item.name))
        run.updated += _write_restored(run, items, bump=only_values)
    removable, kept = removable_records(change_set, part, run.operator)
    remove_records_made(run, removable)
    restored, lost = recreatable_records(change_set, part)
    recreate_records(run, restored)
    back = {spec.name for spec, _key, _values in restored}
    for items in _by_table([pair for pair in fields if pair[0].name in back]):
        # Changed first and removed then, by the same set: it was not there a moment ago.
        for spec, item in items:
            _note_restored(run, change_set, spec, item, part)
        _write_restored(run, items, bump=False)
    if not only_values:
        _bump_versions(run)
        run.updated = _count_updated(run)
    for conflict in (*kept, *lost):
        run.skipped.append(f"{conflict.title}: {conflict.reason}")
    for spec, item in fields:
        if (spec.name, item.name) in complete:
            continue
        number, found = field_conflicts(change_set, spec, item, 20, part, run.operator)
        run.skipped += [f"{entry.title}: {entry.label} → {entry.current}" for entry in found]
        run.skipped += [gettext("und %(count)s weitere", count=number - len(found))] if number > len(found) else []
    if run.skipped or not part.is_whole:
        ChangeSetRecord.update(details={"part": True}).where(ChangeSetRecord.id == run.change_set).execute()


def _told_count(change_set: int, spec: ModelSpec, item: FieldSpec) -> int:
    """How many values of a field a set changed."""
    query = ChangeRecord.select().where(ChangeRecord.change_set == change_set)
    return query.where(ChangeRecord.entity == spec.name, ChangeRecord.field == item.name).count()


def _pieces(run: Run, change_set: int, spec: ModelSpec, item: FieldSpec, told: int) -> Iterator[tuple[str, int]]:
    """Conditions on the lines of a field in a set, so many at a time as progress wants, with their number."""
    if run.progress is None:
        yield "1 = 1", told
        return
    param, low = database.param, 0
    size = max(PIECE, -(-told // _MOST_PIECES))
    while True:
        sql = (
            f'SELECT max(id), count(*) FROM (SELECT id FROM "change" WHERE change_set_id = {param} '
            f"AND entity = {param} AND field = {param} AND id > {low} ORDER BY id LIMIT {size}) AS part"
        )
        high, count = database.execute_sql(sql, (change_set, spec.name, item.name)).fetchone()
        if not count:
            return
        yield f"c.id > {low} AND c.id <= {high}", count
        low = high


def _by_table(fields: list[tuple[ModelSpec, FieldSpec]]) -> list[list[tuple[ModelSpec, FieldSpec]]]:
    found: dict[str, list[tuple[ModelSpec, FieldSpec]]] = {}
    for spec, item in fields:
        found.setdefault(spec.name, []).append((spec, item))
    return list(found.values())


def _write_restored(run: Run, items: list[tuple[ModelSpec, FieldSpec]], *, bump: bool) -> int:
    """Puts back what this set's history says of one table, and raises the version with it where asked to; answers how
    many records that were.

    One statement for all fields: each rewriting of a row costs PostgreSQL an entry in every index of the table. The
    grouping lets it look at the history once, of whose newest rows it has no statistics yet.
    """
    param, spec = database.param, items[0][0]
    lines = f"change_set_id = {param} AND entity = '{spec.name}' AND action = 'update'"
    low, high, told = database.execute_sql(
        f'SELECT min(record_id), max(record_id), count(*) FROM "change" WHERE {lines}', (run.change_set,)
    ).fetchone()
    if not told:
        return 0
    for _spec, item in items:
        if item.elsewhere is None and item.unique and item.nullable:
            # What may occur once and went from one record to another is given up before the other gets it back.
            database.execute_sql(
                f'UPDATE "{spec.name}" SET "{item.column}" = NULL WHERE id IN (SELECT record_id FROM "change" '
                f"WHERE {lines} AND field = {param} AND new_value = 'null')",
                (run.change_set, item.name),
            )
    values, columns = [], []
    for _spec, item in items:
        if item.elsewhere is not None:
            source = f'SELECT record_id AS id, max(new_value) AS value FROM "change" WHERE {lines} AND field = {param}'
            write_told(item, f"{source} GROUP BY record_id", (run.change_set, item.name), run.moment)
    own = [item for _spec, item in items if item.elsewhere is None]
    for place, item in enumerate(own):
        values.append(f"max(CASE WHEN field = '{item.name}' THEN new_value END) AS v{place}")
        old = item.type.sql_from_json(f"c.v{place}", item, engine())
        column = f'"{spec.name}"."{item.column}"'
        columns.append(f'"{item.column}" = CASE WHEN c.v{place} IS NULL THEN {column} ELSE {old} END')
    # Where nothing but values elsewhere came back, the records still count as changed.
    columns += ["version = version + 1", f"updated_at = {param}"] if bump or not columns else []
    bump = bump or not own
    pieces = 1 if run.progress is None else max(1, min(_MOST_PIECES, told // (2 * PIECE)))
    step, count = -(-(high - low + 1) // pieces), 0
    for first in range(low, high + 1, step):
        cursor = database.execute_sql(
            f'UPDATE "{spec.name}" SET {", ".join(columns)} '
            f'FROM (SELECT {", ".join(["record_id", *values])} FROM "change" '
            f"WHERE {lines} AND record_id >= {first} AND record_id < {first + step} GROUP BY record_id) c "
            f'WHERE c.record_id = "{spec.name}".id',
            (*([run.moment] if bump else []), run.change_set),
        )
        written = int(database.rows_affected(cursor))
        count += written
        run.advance(written)
    return count


def _note_restored(run: Run, change_set: int, spec: ModelSpec, item: FieldSpec, part: UndoPart) -> tuple[int, int]:
    """Writes into the history which old values of a field come back; answers how many these are and how many the set
    had changed."""
    param = database.param
    columns = ", ".join(CHANGE_COLUMNS)
    join, params = undo_join(change_set, spec, item, part, run.operator)
    now = "c.new_value"
    if part.over:
        current = item.type.sql_to_json(item.sql("t"), item, engine())
        now = f"CASE WHEN c.id IN ({keys_sql(part.over)}) THEN {current} ELSE c.new_value END"
    told = restored = 0
    for piece, count in list(_pieces(run, change_set, spec, item, _told_count(change_set, spec, item))):
        cursor = database.execute_sql(
            f'INSERT INTO "change" ({columns}) SELECT {param}, c.entity, c.record_id, c.owner_entity, c.owner_id, '
            f"c.record_title, 'update', c.field, c.field_label, {now}, c.old_value, NULL "
            f"{join} AND {piece} AND {comes_back(item, part)}",
            (run.change_set, *params),
        )
        restored += int(database.rows_affected(cursor))
        told += count
        run.advance(count)
    if item.owner:
        # A child that moved goes back: both owners are found by other words now.
        both = ChangeRecord.select(ChangeRecord.record_id, ChangeRecord.old_value, ChangeRecord.new_value).where(
            ChangeRecord.change_set == run.change_set, ChangeRecord.entity == spec.name, ChangeRecord.field == item.name
        )
        for key, *owners in both.tuples():
            for owner_key in owners:
                run.touch(spec, key, json.loads(owner_key))
    indexed = {other.name for other in search.indexed_fields(spec)}
    if item.name in indexed:
        rows = ChangeRecord.select(ChangeRecord.record_id, ChangeRecord.owner_id).where(
            ChangeRecord.change_set == run.change_set, ChangeRecord.entity == spec.name, ChangeRecord.field == item.name
        )
        for key, owner_id in rows.tuples():
            run.touch(spec, key, owner_id if spec.owner is not None else None)
    return restored, told


def _bump_versions(run: Run) -> None:
    """Raises the version of every record that the undo wrote about."""
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

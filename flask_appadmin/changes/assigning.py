"""Set steps: new values for all selected records at once, written by the database itself.

Shape: `write_assign` does just what `plan_assign` has shown. Records in which something else follows are written one
by one, the others by one statement per field. Rows are picked once, and locked where the engine can.
Errors: faults of the run for records that refuse; PlanChanged, with the rows, where somebody was faster.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import peewee

from flask_appadmin import search
from flask_appadmin.changes.assign_rules import Seen, look_at_rows, reads_rows, refuse_sealed
from flask_appadmin.changes.assignment import Assignment, count_changed, keys_of, rows_state, without_some
from flask_appadmin.changes.elsewhere import write_told
from flask_appadmin.changes.relating import owner_sql, title_sql, write_relation
from flask_appadmin.changes.running import CHANGE_COLUMNS, CHUNK, KNOWN_SPECS, Assign, Run, json_of, visible_keys
from flask_appadmin.changes.updating import store_updates
from flask_appadmin.database import database, engine, key_condition
from flask_appadmin.errors import AppAdminError, ChangedRow, PlanChanged
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.history import lines_since
from flask_appadmin.i18n import gettext
from flask_appadmin.specs import FieldSpec, ModelSpec

#: So many rows that changed meanwhile are named.
_NAMED = 20


def write_assign(run: Run, step: Assign) -> None:
    selection = step.selection
    spec: ModelSpec = selection.spec
    KNOWN_SPECS.setdefault(spec.name, spec)
    assignment = Assignment(spec, step.values, run.operator)
    for item in assignment.items:
        if item.reason:
            run.ask_why(item.label)
    planned: int | None = None
    with _picked(spec, without_some(selection, step.without)) as number:
        run.expect(number)
        picked = peewee.Table("picked", ("id",)).bind(database)
        condition = spec.model._meta.primary_key.in_(picked.select(picked.id))
        if step.expected:
            # Asked of the rows that are held now: nobody comes in between any more.
            planned = _compare(run, spec, condition, assignment, step.expected)
        # Where children change, too, a record may be changed without one of its own values.
        changed = count_changed(assignment, condition) if assignment.relations else None
        seen = Seen()
        if assignment.transforms or reads_rows(assignment):
            look_at_rows(run, assignment, condition, seen)
        refuse_sealed(assignment, condition, seen)
        if seen.refused:
            for _key, title, sentence in seen.refused[:50]:
                run.faults.append(AppAdminError(f"{title}: {sentence}"))
            return
        for child, item, relation in assignment.relations:
            write_relation(run, spec, child, item, relation)
        if seen.extras:
            _leave_out([update.key for update, _row, _new in seen.extras])
            store_updates(run, spec, seen.extras)
        alone = {update.key for update, _row, _new in seen.extras}
        for record in seen.written:
            if record.key not in alone:
                run.note(spec, record.key, record.old, record.new)
        if seen.extras:
            run.advance(len(seen.extras))
        written = 0
        for stretch in _stretches(number if run.progress is None else STRETCH) if assignment.items else ():
            written += _write_stretch(run, assignment, stretch)
            run.advance(stretch.count)
    done = written + len(seen.extras) if changed is None else changed
    if planned is not None and planned != done:
        # The same rows, and yet another number: what was shown and what is written do not follow the same rules.
        raise PlanChanged(planned, done)
    run.updated += done - len(seen.extras)


def _leave_out(keys: list[int]) -> None:
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        marks = ", ".join([database.param] * len(part))
        database.execute_sql(f"DELETE FROM picked WHERE id IN ({marks})", part)


@dataclass(frozen=True)
class _Stretch:
    """Picked keys above `low` up to `high`: what is written at a time, so that progress is told and a stop is heard."""

    low: int
    high: int
    count: int

    def of(self, column: str) -> str:
        """The condition on a column of keys."""
        return f"{column} > {self.low} AND {column} <= {self.high}"


#: So many records are written at a time where somebody wants to hear how far it is.
STRETCH = 10_000


def _stretches(size: int) -> Iterator[_Stretch]:
    """The picked keys in ascending order, so many at a time."""
    low = -1
    while True:
        sql = f"SELECT max(id), count(*) FROM (SELECT id FROM picked WHERE id > {low} ORDER BY id LIMIT {size}) AS part"
        high, count = database.execute_sql(sql).fetchone()
        if not count:
            return
        yield _Stretch(low, high, count)
        low = high


def _write_stretch(run: Run, assignment: Assignment, stretch: _Stretch) -> int:
    """History and new values of picked rows, one statement per field and one for all; answers how many changed."""
    spec = assignment.spec
    for item in assignment.items if not run.rehearsal else ():
        _record_assignment(run, assignment, item, stretch)
    table = f'"{spec.name}"'
    columns, params = [], []
    for item in assignment.items:
        if item.elsewhere is None:
            sql, given = assignment.expression(item, table)
            columns.append(f'"{item.column}" = {sql}')
            params += given
    columns += ["version = version + 1", f"updated_at = {database.param}"]
    different, given = assignment.differs(table, relations=False)
    cursor = database.execute_sql(
        f"UPDATE {table} SET {', '.join(columns)} "
        f"WHERE id IN (SELECT id FROM picked WHERE {stretch.of('id')}) AND {stretch.of('id')} AND {different}",
        [*params, run.moment, *given],
    )
    changed = int(database.rows_affected(cursor))
    for item in assignment.items if not run.rehearsal else ():
        if item.elsewhere is not None:
            # The history just said which records get which value; what these are made of may have changed since.
            mark = database.param
            source = f'SELECT record_id AS id, new_value AS value FROM "change" WHERE change_set_id = {mark} '
            source += f"AND entity = {mark} AND field = {mark} AND {stretch.of('record_id')}"
            write_told(item, source, (run.change_set, spec.name, item.name), run.moment)
    if assignment.names & {item.name for item in search.indexed_fields(spec)} and not run.rehearsal:
        # Here and not at the end, so that the keys of a million records need not be remembered.
        rows = database.execute_sql(f"SELECT id FROM picked WHERE {stretch.of('id')} ORDER BY id").fetchall()
        search.refresh(spec, [row[0] for row in rows])
    return changed


def _compare(run: Run, spec: ModelSpec, condition: Any, assignment: Assignment, expected: str) -> int:
    """How many were to change; raises PlanChanged, with the rows and what changed, unless these are the rows that were
    shown."""
    try:
        planned = [int(part) for part in json.loads(expected)]
    except (ValueError, TypeError):
        planned = []
    found = json.loads(rows_state(spec, condition, assignment))
    if len(planned) == len(found) + 1 and planned[:-2] == found[:-1]:
        return planned[-1]
    last = planned[-2] if len(planned) == len(found) + 1 else found[-1]
    raise PlanChanged(planned[0] if planned else 0, found[0], rows=_changed_since(run, assignment, condition, last))


def _changed_since(run: Run, assignment: Assignment, condition: Any, last: int) -> list[ChangedRow]:
    """What others did since to these rows, and to rows that may have been among them."""
    spec = assignment.spec
    names = [spec.name, *(child.name for child, _item, _relation in assignment.relations)]
    lines = lines_since(last, names, run.operator, KNOWN_SPECS, limit=_NAMED * 10)
    by_key = [(line.record_id if line.entity == spec.name else line.owner_id, line) for line in lines]
    keys = sorted({key for key, _line in by_key})
    some = condition & key_condition(spec.model._meta.primary_key, keys)
    inside = {row[0] for row in keys_of(spec, some).tuples()}
    seen = visible_keys(run.operator, spec, keys) | inside
    titles = ReferenceCache().titles(spec, seen)
    rows = []
    for key, line in by_key:
        gone = line.action == "delete" and line.entity == spec.name
        if key not in seen and not gone:
            continue
        note = ""
        if gone:
            note = gettext("gelöscht")
        elif key not in inside:
            note = gettext("gehört nicht mehr dazu")
        elif line.action == "create":
            note = gettext("neu")
        title = titles.get(key, line.title)
        rows.append(ChangedRow(key, title, line.label, line.old, line.new, line.who, note))
    # Rows that are still marked come first: it is they that would have been overwritten.
    return sorted(rows, key=lambda row: row.key not in inside)[:_NAMED]


class _picked:
    """The keys of the chosen rows in a temporary table: picked once, locked in order, the same for every statement."""

    def __init__(self, spec: ModelSpec, condition: Any) -> None:
        self._spec = spec
        self._condition = condition

    def __enter__(self) -> int:
        """Picks; answers how many there are."""
        database.execute_sql("DROP TABLE IF EXISTS picked")
        key_field = self._spec.model._meta.primary_key
        query = self._spec.model.select(key_field)
        if self._condition is not None:
            query = query.where(self._condition)
        if engine() == "postgresql":
            query = query.order_by(key_field).for_update("FOR UPDATE")
        sql, params = query.sql()
        database.execute_sql("CREATE TEMPORARY TABLE picked (id integer PRIMARY KEY)")
        if engine() == "postgresql":
            sql = f"WITH locked AS ({sql}) SELECT id FROM locked"
        database.execute_sql(f"INSERT INTO picked (id) {sql}", params)
        if engine() == "postgresql":
            database.execute_sql("ANALYZE picked")
        return int(database.execute_sql("SELECT count(*) FROM picked").fetchone()[0])

    def __exit__(self, *_fault: Any) -> None:
        if _fault[0] is None:
            database.execute_sql("DROP TABLE IF EXISTS picked")


def _record_assignment(run: Run, assignment: Assignment, item: FieldSpec, stretch: _Stretch) -> None:
    spec, param = assignment.spec, database.param
    owner_entity, owner_id = owner_sql(spec)
    old = item.type.sql_to_json(item.sql("t"), item, engine())
    different, given = assignment.expression(item, "t")
    if item.name in assignment.transforms:
        new, made = item.type.sql_to_json("x.made", item, engine()), given
        source = f'(SELECT t.*, {different} AS made FROM picked p JOIN "{spec.name}" t ON t.id = p.id '
        source += f"WHERE {stretch.of('p.id')} AND {stretch.of('t.id')}) x"
        # The subquery keeps the parameters of an expression that is asked for twice in one place.
        old = item.type.sql_to_json(item.sql("x"), item, engine())
        title, title_params = _title(spec)
        database.execute_sql(
            f'INSERT INTO "change" ({", ".join(CHANGE_COLUMNS)}) '
            f"SELECT {param}, '{spec.name}', x.id, {owner_entity}, {owner_id.replace('t.', 'x.')}, "
            f"{title.replace('t.', 'x.')}, 'update', {param}, {param}, {old}, {new}, NULL FROM {source} "
            f"WHERE {item.sql('x')} IS DISTINCT FROM x.made",
            [run.change_set, *title_params, item.name, str(item.label)[:120], *made],
        )
        return
    title, title_params = _title(spec)
    database.execute_sql(
        f'INSERT INTO "change" ({", ".join(CHANGE_COLUMNS)}) '
        f"SELECT {param}, '{spec.name}', t.id, {owner_entity}, {owner_id}, {title}, 'update', "
        f"{param}, {param}, "
        f'{old}, {param}, NULL FROM picked p JOIN "{spec.name}" t ON t.id = p.id '
        f"WHERE {stretch.of('p.id')} AND {stretch.of('t.id')} AND {item.sql('t')} IS DISTINCT FROM {different}",
        [
            run.change_set,
            *title_params,
            item.name,
            str(item.label)[:120],
            json_of(item, assignment.values[item.name]),
            *given,
        ],
    )


def _title(spec: ModelSpec) -> tuple[str, list[Any]]:
    sql = title_sql(spec)
    return sql, [str(spec.label)[:160]] if sql == database.param else []

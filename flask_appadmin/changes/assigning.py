"""Set steps: one value per field for all selected records, planned by GROUP BY and written by the database itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import peewee

from flask_appadmin import search
from flask_appadmin.arrangements import checked
from flask_appadmin.changes.running import (
    CHANGE_COLUMNS,
    KNOWN_SPECS,
    Assign,
    Run,
    json_of,
)
from flask_appadmin.database import database, engine, key_condition, utcnow
from flask_appadmin.errors import AppAdminError, FaultList, FieldError, PlanChanged
from flask_appadmin.fieldtypes import ReferenceCache
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_edit
from flask_appadmin.specs import FieldSpec, ModelSpec, shown


@dataclass(frozen=True)
class ValueGroup:
    """How many of the selected records have this value now."""

    count: int
    old: str
    new: str
    #: The value stays as it is.
    same: bool


@dataclass(frozen=True)
class AssignPlan:
    """What a set step would do: per field the old values with counts, and the records that refuse."""

    count: int
    changed: int
    groups: dict[str, list[ValueGroup]]
    #: (key, title, reason) of records whose rules refuse the new values.
    refused: list[tuple[int, str, str]]
    #: Names the very rows and versions this plan was made of; `apply` stops when they differ.
    state: str


def plan_assign(
    selection: Any, values: dict[str, Any], operator: Operator, *, without: Iterable[int] = ()
) -> AssignPlan:
    """What `assign` would do, found by GROUP BY; nothing is written. Raises FaultList for values no record takes."""
    spec = selection.spec
    items = _checked_assignments(spec, values, operator)
    condition = _without(selection, without)
    base = spec.model.select(spec.model._meta.primary_key)
    base = base if condition is None else base.where(condition)
    state = _state_of(spec, condition)
    count = json.loads(state)[0]
    names = ReferenceCache()
    groups: dict[str, list[ValueGroup]] = {}
    for item in items:
        column = item.column_field
        query = spec.model.select(column, peewee.fn.COUNT(peewee.SQL("1"))).group_by(column)
        query = query if condition is None else query.where(condition)
        found = sorted(query.tuples(), key=lambda row: -row[1])
        new = shown(item, values[item.name], names) or gettext("leer")
        groups[item.name] = [
            ValueGroup(number, shown(item, old, names) or gettext("leer"), new, old == values[item.name])
            for old, number in found
        ]
    changed = _count_changed(spec, items, values, condition)
    return AssignPlan(count, changed, groups, _refused(spec, items, values, condition, operator), state)


def _without(selection: Any, without: Iterable[int]) -> Any:
    condition = selection.where()
    left_out = sorted(without)
    if left_out:
        excluded = ~key_condition(selection.spec.model._meta.primary_key, left_out)
        condition = excluded if condition is None else condition & excluded
    return condition


def _checked_assignments(spec: ModelSpec, values: dict[str, Any], operator: Operator) -> list[FieldSpec]:
    faults: list[AppAdminError] = []
    items = []
    operator.require(f"{spec.right}.edit")
    for name in values:
        item = spec.by_name.get(name)
        if item is None or not item.bulk:
            faults.append(
                FieldError(item or name, None, gettext("Dieses Feld lässt sich nicht für viele Datensätze ändern."))
            )
            continue
        if not may_edit(operator, item):
            operator.require(f"{item.right}.edit")
        try:
            values[name] = checked(operator, item, values[name])
            if values[name] is None and not item.nullable:
                raise FieldError(item, None, gettext("Dieses Feld kann nicht leer sein."))
        except FieldError as fault:
            faults.append(fault)
        items.append(item)
    if faults:
        raise FaultList(faults)
    return items


def _state_of(spec: ModelSpec, condition: Any) -> str:
    """Names the very rows: their number, the sum of their keys and of their versions (versions only grow)."""
    key, version = spec.model._meta.primary_key, spec.model.version
    total = peewee.fn.COALESCE(peewee.fn.SUM(key), 0)
    versions = peewee.fn.COALESCE(peewee.fn.SUM(version), 0)
    query = spec.model.select(peewee.fn.COUNT(key), total, versions)
    row = (query if condition is None else query.where(condition)).tuples().get()
    return json.dumps([int(part) for part in row])


def _differs(item: FieldSpec, value: Any) -> Any:
    column = item.column_field
    if value is None:
        return column.is_null(False)
    return column.is_null() | (column != value)


def _count_changed(spec: ModelSpec, items: list[FieldSpec], values: dict[str, Any], condition: Any) -> int:
    if not items:
        return 0
    different = _differs(items[0], values[items[0].name])
    for item in items[1:]:
        different |= _differs(item, values[item.name])
    query = spec.model.select(peewee.fn.COUNT(peewee.SQL("1"))).where(different)
    return (query if condition is None else query.where(condition)).scalar()


def _refused(
    spec: ModelSpec, items: list[FieldSpec], values: dict[str, Any], condition: Any, operator: Operator
) -> list[tuple[int, str, str]]:
    """The records whose rules refuse the new values: (key, title, sentence)."""
    rules = spec.model.rule_fields
    if not {item.name for item in items} & set(rules):
        return []
    run = Run("bulk", operator, "", utcnow())
    key_field = spec.model._meta.primary_key
    fields = [item for item in spec.data_fields if item.name in rules or item in spec.title_specs]
    query = spec.model.select(key_field, *(item.column_field for item in fields))
    query = query if condition is None else query.where(condition)
    names = [item.name for item in fields]
    refused = []
    for row in query.tuples().iterator():
        old = dict(zip(names, row[1:], strict=True))
        merged = {"id": row[0], **old, **values}
        faults = list(spec.model.validate(merged, run))
        if faults:
            # A record that broke the rule before is not made worse by this change only if nothing of the rule changes.
            if all(old.get(name) == values[name] for name in values if name in old):
                continue
            refused.append((row[0], spec.title_of(old), " ".join(str(fault) for fault in faults)))
    return refused


def write_assign(run: Run, step: Assign) -> None:
    selection, values = step.selection, step.values
    spec: ModelSpec = selection.spec
    KNOWN_SPECS.setdefault(spec.name, spec)
    items = _checked_assignments(spec, values, run.operator)
    condition = _without(selection, step.without)
    if step.expected:
        found = _state_of(spec, condition)
        if found != step.expected:
            raise PlanChanged(json.loads(step.expected)[0], json.loads(found)[0])
    refused = _refused(spec, items, values, condition, run.operator)
    if refused:
        for _key, title, sentence in refused[:50]:
            run.faults.append(AppAdminError(f"{title}: {sentence}"))
        return
    with _picked(spec, condition) as picked:
        run.expect(picked)
        _note_followed(run, spec, items, values)
        indexed = {item.name for item in items} & {item.name for item in search.indexed_fields(spec)}
        for stretch in _stretches(picked if run.progress is None else STRETCH):
            for item in items:
                _record_assignment(run, spec, item, values[item.name], stretch)
            run.updated += _write_values(run, spec, items, values, stretch)
            if indexed and not run.rehearsal:
                # Here and not at the end, so that the keys of a million records need not be remembered.
                search.refresh(spec, _keys_of(stretch))
            run.advance(stretch.count)


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


def _keys_of(stretch: _Stretch) -> list[int]:
    rows = database.execute_sql(f"SELECT id FROM picked WHERE {stretch.of('id')} ORDER BY id")
    return [row[0] for row in rows.fetchall()]


def _write_values(run: Run, spec: ModelSpec, items: list[FieldSpec], values: dict[str, Any], stretch: _Stretch) -> int:
    """Sets the values of one stretch; answers how many records got another one."""
    different = " OR ".join(f'"{item.column}" IS DISTINCT FROM {database.param}' for item in items)
    stored = [item.column_field.db_value(values[item.name]) for item in items]
    columns = ", ".join(f'"{item.column}" = {database.param}' for item in items)
    cursor = database.execute_sql(
        f'UPDATE "{spec.name}" SET {columns}, version = version + 1, updated_at = {database.param} '
        f"WHERE id IN (SELECT id FROM picked WHERE {stretch.of('id')}) AND {stretch.of('id')} AND ({different})",
        [*stored, run.moment, *stored],
    )
    return int(database.rows_affected(cursor))


def _note_followed(run: Run, spec: ModelSpec, items: list[FieldSpec], values: dict[str, Any]) -> None:
    """Remembers the picked records that will change where something follows from it."""
    names = spec.watched_fields
    if not {item.name for item in items} & set(names):
        return
    key_field = spec.model._meta.primary_key
    columns = [spec.field(name).column_field for name in names]
    picked = peewee.Table("picked", ("id",)).bind(database)
    query = spec.model.select(key_field, *columns).where(key_field.in_(picked.select(picked.id)))
    for row in query.tuples():
        old = dict(zip(names, row[1:], strict=True))
        run.note(spec, row[0], old, {**old, **values})


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


def _title_sql(spec: ModelSpec) -> str:
    parts = [f"coalesce(cast(t.\"{item.column}\" as text), '')" for item in spec.title_specs if item.target is None]
    return f"substr(trim({' || chr_blank || '.join(parts)}), 1, 160)".replace("chr_blank", "' '") if parts else "''"


def _owner_sql(spec: ModelSpec) -> tuple[str, str]:
    if spec.owner is None:
        return f"'{spec.name}'", "t.id"
    return f"'{spec.owner.references.name}'", f't."{spec.owner.column}"'


def _record_assignment(run: Run, spec: ModelSpec, item: FieldSpec, value: Any, stretch: _Stretch) -> None:
    param = database.param
    owner_entity, owner_id = _owner_sql(spec)
    old = item.type.sql_to_json(f't."{item.column}"', item, engine())
    database.execute_sql(
        f'INSERT INTO "change" ({", ".join(CHANGE_COLUMNS)}) '
        f"SELECT {param}, '{spec.name}', t.id, {owner_entity}, {owner_id}, {_title_sql(spec)}, 'update', "
        f"{param}, {param}, "
        f'{old}, {param}, NULL FROM picked p JOIN "{spec.name}" t ON t.id = p.id '
        f'WHERE {stretch.of("p.id")} AND {stretch.of("t.id")} AND t."{item.column}" IS DISTINCT FROM {param}',
        (
            run.change_set,
            item.name,
            str(item.label)[:120],
            json_of(item, value),
            item.column_field.db_value(value),
        ),
    )

"""Undo: the inverse of a whole set, found by joining its history with the records; what was changed again stays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask_appadmin import search
from flask_appadmin.changes.elsewhere import write_told, write_values
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
    visible_keys,
)
from flask_appadmin.changes.unique import unique_sets
from flask_appadmin.database import database, engine, measure_table
from flask_appadmin.errors import AppAdminError
from flask_appadmin.fieldtypes import ReferenceCache
from flask_appadmin.history import (
    COPIED,
    FINAL_KINDS,
    WHOLE_KINDS,
    ChangeRecord,
    ChangeSetRecord,
    has_final,
    is_final,
    taken_back,
)
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, mask, may_edit, may_read, may_read_full, system_operator, visible
from flask_appadmin.specs import FieldSpec, ModelSpec, shown


@dataclass(frozen=True)
class UndoPart:
    """Which part of a set is taken back, and which newer values give way to it."""

    #: (table, key): only this record with its children.
    record: tuple[str, int] | None = None
    #: (table, key, field): only this value; without a field that the record was made or removed.
    cell: tuple[str, int, str | None] | None = None
    #: Keys of lines of the history whose old value comes back although somebody changed it since.
    over: frozenset[int] = frozenset()

    @property
    def is_whole(self) -> bool:
        return self.record is None and self.cell is None

    def condition(self, alias: str = "c") -> str:
        """SQL that keeps to the part; names are those of declared models and fields, keys are numbers."""
        found = []
        if self.record is not None:
            entity, key = KNOWN_SPECS[self.record[0]].name, int(self.record[1])
            own = f"{alias}.entity = '{entity}' AND {alias}.record_id = {key}"
            found.append(f"({alias}.owner_entity = '{entity}' AND {alias}.owner_id = {key} OR {own})")
        if self.cell is not None:
            spec, key = KNOWN_SPECS[self.cell[0]], int(self.cell[1])
            field = f"= '{spec.field(self.cell[2]).name}'" if self.cell[2] is not None else "IS NULL"
            found.append(f"{alias}.entity = '{spec.name}' AND {alias}.record_id = {key} AND {alias}.field {field}")
        return "".join(f" AND {condition}" for condition in found)

    def limit(self, query: Any) -> Any:
        """The same for a query over ChangeRecord."""
        if self.record is not None:
            entity, key = self.record
            query = query.where(
                ((ChangeRecord.owner_entity == entity) & (ChangeRecord.owner_id == key))
                | ((ChangeRecord.entity == entity) & (ChangeRecord.record_id == key))
            )
        if self.cell is not None:
            entity, key, field = self.cell
            query = query.where(ChangeRecord.entity == entity, ChangeRecord.record_id == key)
            query = query.where(ChangeRecord.field.is_null() if field is None else ChangeRecord.field == field)
        return query


#: Everything that a set changed.
WHOLE = UndoPart()


@dataclass(frozen=True)
class UndoConflict:
    """A value that was changed again since; it stays, unless the operator says otherwise."""

    title: str
    label: str
    #: What it would have been set back to, and what stands there now.
    wanted: str
    current: str
    who: str = ""
    reason: str = ""
    #: What the set had made of it.
    made: str = ""
    #: The line of the history, to name it in `UndoPart.over`; 0 where there is no choice.
    line: int = 0
    entity: str = ""
    record_id: int = 0


@dataclass(frozen=True)
class UndoPlan:
    change_set: int
    updated: int
    removed: int
    restored: int
    conflicts: list[UndoConflict]
    conflict_count: int
    #: The first of the records that would go, and of those that would come back.
    removes: tuple[str, ...] = ()
    restores: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return self.updated + self.removed + self.restored


def plan_undo(
    change_set: int, *, part: UndoPart = WHOLE, operator: Operator | None = None, listed: int = 50
) -> UndoPlan:
    """What taking back a set would restore, and what was changed again since and therefore stays."""
    operator = operator or system_operator("")
    fields = _changed_fields(change_set, part)
    _measure(fields)
    conflicts: list[UndoConflict] = []
    conflict_count = 0
    for spec, item in fields:
        number, found = _field_conflicts(change_set, spec, item, listed - len(conflicts), part, operator)
        conflict_count += number
        conflicts += found
    restorable = _restorable_records(change_set, fields, part, operator)
    removed, kept = _removable(change_set, part, operator)
    restored, lost = _recreatable(change_set, part)
    conflicts += kept + lost
    return UndoPlan(
        change_set,
        restorable,
        len(removed),
        len(restored),
        conflicts,
        conflict_count + len(kept) + len(lost),
        tuple(title_of_key(spec, key) for spec, key in removed[:_SAMPLES]),
        tuple(f"{spec.label} {spec.title_of(values)}" for spec, _key, values in restored[:_SAMPLES]),
    )


def plan_undo_groups(
    change_set: int, *, part: UndoPart = WHOLE, operator: Operator, limit: int = 20
) -> list[tuple[int, str, str, str]]:
    """What would be set back, alike values counted together: (count, field, value now, value then)."""
    found = []
    names = ReferenceCache()
    for spec, item in _changed_fields(change_set, part):
        join, params = _undo_join(change_set, spec, item, part, operator)
        current = "c.new_value"
        if part.over:
            current = item.type.sql_to_json(item.sql("t"), item, engine())
        rows = database.execute_sql(
            f"SELECT count(*), {current} AS now, c.old_value {join} AND {_comes_back(item, part)} "
            f"GROUP BY 2, 3 ORDER BY 1 DESC LIMIT {int(limit)}",
            params,
        ).fetchall()
        label = str(item.label) if spec.owner is None else f"{spec.label}: {item.label}"
        for count, now, old in rows:
            found.append((count, label, _told(operator, item, now, names), _told(operator, item, old, names)))
    return sorted(found, key=lambda group: -group[0])[:limit]


#: So many titles tell which records go or come back.
_SAMPLES = 10


def _changed_fields(change_set: int, part: UndoPart = WHOLE) -> list[tuple[ModelSpec, FieldSpec]]:
    rows = (
        part.limit(ChangeRecord.select(ChangeRecord.entity, ChangeRecord.field))
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


def _measure(fields: list[tuple[ModelSpec, FieldSpec]]) -> None:
    for name in {spec.name for spec, _item in fields}:
        measure_table(name)


def _undo_join(
    change_set: int, spec: ModelSpec, item: FieldSpec, part: UndoPart, operator: Operator
) -> tuple[str, list[Any]]:
    """FROM and WHERE over what a set did to one field, with its parameters.

    A record whose field was written twice in one set counts once, from its first old value to its last new one. What
    the set made itself is left out: it goes as a whole. So is what the operator does not see, and who was anonymised.
    """
    param = database.param
    asked = (change_set, item.name)
    where = f"change_set_id = {param} AND entity = '{spec.name}' AND field = {param}"
    twice = f'SELECT 1 FROM "change" WHERE {where} GROUP BY record_id HAVING count(*) > 1 LIMIT 1'
    lines, params = '"change"', list[Any]()
    if database.execute_sql(twice, asked).fetchone() is not None:
        lines = (
            "(SELECT b.id, b.change_set_id, b.entity, b.field, b.field_label, b.record_id, b.owner_entity, b.owner_id, "
            "b.record_title, a.old_value, b.new_value FROM (SELECT min(id) AS first_id, max(id) AS last_id "
            f'FROM "change" WHERE {where} GROUP BY record_id) g '
            'JOIN "change" a ON a.id = g.first_id JOIN "change" b ON b.id = g.last_id)'
        )
        params += asked
    sql = (
        f'FROM {lines} c JOIN "{spec.name}" t ON t.id = c.record_id '
        f"WHERE c.change_set_id = {param} AND c.entity = '{spec.name}' AND c.field = {param}{part.condition()}"
    )
    params += asked
    made = f"change_set_id = {param} AND entity = '{spec.name}' AND field IS NULL AND action = 'create'"
    if database.execute_sql(f'SELECT 1 FROM "change" WHERE {made} LIMIT 1', (change_set,)).fetchone() is not None:
        sql += f' AND c.record_id NOT IN (SELECT record_id FROM "change" WHERE {made})'
        params.append(change_set)
    condition = visible(operator, spec)
    if condition is not None:
        seen, seen_params = spec.model.select(spec.model._meta.primary_key).where(condition).sql()
        sql += f" AND t.id IN ({seen})"
        params += seen_params
    if has_final():
        sql += (
            ' AND NOT EXISTS (SELECT 1 FROM "change" f JOIN change_set s ON s.id = f.change_set_id '
            f"WHERE f.owner_entity = c.owner_entity AND f.owner_id = c.owner_id AND s.kind IN ({_FINAL}))"
        )
    return sql, params


#: The kinds after which nothing of a record comes back, for SQL.
_FINAL = ", ".join(f"'{kind}'" for kind in FINAL_KINDS)


def _is_current(item: FieldSpec, column: str) -> str:
    current = item.type.sql_from_json(f"c.{column}", item, engine())
    return f"{item.sql('t')} IS NOT DISTINCT FROM {current}"


def _told(operator: Operator, item: FieldSpec, text: str, names: ReferenceCache) -> str:
    """A value as far as this operator may see it."""
    if not may_read(operator, item):
        return "••••"
    words = shown(item, item.type.from_json(json.loads(text), item), names)
    return (words if may_read_full(operator, item) else mask(words)) or gettext("leer")


def _field_conflicts(
    change_set: int, spec: ModelSpec, item: FieldSpec, listed: int, part: UndoPart, operator: Operator
) -> tuple[int, list[UndoConflict]]:
    join, params = _undo_join(change_set, spec, item, part, operator)
    where = f"AND NOT ({_is_current(item, 'new_value')}) AND NOT ({_is_current(item, 'old_value')})"
    if part.over:
        where += f" AND c.id NOT IN ({_keys(part.over)})"
    count = database.execute_sql(f"SELECT count(*) {join} {where}", params).fetchone()[0]
    found = []
    if count and listed > 0:
        current = item.type.sql_to_json(item.sql("t"), item, engine())
        rows = database.execute_sql(
            f"SELECT c.record_title, c.old_value, c.new_value, {current}, c.record_id, c.id {join} {where} "
            f"ORDER BY c.id LIMIT {int(listed)}",
            params,
        ).fetchall()
        names = ReferenceCache()
        for title, old, made, now, key, line in rows:
            found.append(
                UndoConflict(
                    title,
                    str(item.label),
                    _told(operator, item, old, names),
                    _told(operator, item, now, names),
                    _last_person(spec, key, item),
                    made=_told(operator, item, made, names),
                    line=line,
                    entity=spec.name,
                    record_id=key,
                )
            )
    return count, found


def _keys(keys: Iterable[int]) -> str:
    return ", ".join(str(int(key)) for key in sorted(keys)) or "0"


def _last_person(spec: ModelSpec, key: int, item: FieldSpec) -> str:
    row = (
        ChangeSetRecord.select(ChangeSetRecord.user_name)
        .join(ChangeRecord)
        .where(ChangeRecord.entity == spec.name, ChangeRecord.record_id == key, ChangeRecord.field == item.name)
        .order_by(ChangeRecord.id.desc())
        .first()
    )
    return row.user_name if row is not None else ""


def _comes_back(item: FieldSpec, part: UndoPart) -> str:
    """SQL: the value is still the one the set made, or the operator wants the old one in spite of a newer."""
    current = _is_current(item, "new_value")
    if not part.over:
        return current
    return f"({current} OR c.id IN ({_keys(part.over)}) AND NOT ({_is_current(item, 'old_value')}))"


def _restorable_records(
    change_set: int, fields: list[tuple[ModelSpec, FieldSpec]], part: UndoPart, operator: Operator
) -> int:
    """How many records get at least one value back."""
    if not fields:
        return 0
    parts, params = [], []
    for spec, item in fields:
        join, asked = _undo_join(change_set, spec, item, part, operator)
        parts.append(f"SELECT '{spec.name}' AS entity, t.id {join} AND {_comes_back(item, part)}")
        params += asked
    sql = f"SELECT count(*) FROM ({' UNION '.join(parts)}) AS restorable"
    return database.execute_sql(sql, params).fetchone()[0]


def _removable(
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
    made = {(entity, key) for entity, key, _title in rows}
    for entity, found in by_entity.items():
        spec = KNOWN_SPECS.get(entity)
        if spec is None:
            continue
        titles = dict(found)
        for start in range(0, len(found), CHUNK):
            keys = [key for key, _title in found[start : start + CHUNK]]
            later = _changed_later(change_set, spec, keys, made)
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


def _changed_later(change_set: int, spec: ModelSpec, keys: list[int], made: set[tuple[str, int]]) -> dict[int, str]:
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


def _recreatable(
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


def write_undo(run: Run, change_set: int, part: UndoPart = WHOLE) -> None:
    original = ChangeSetRecord.get_by_id(change_set)
    own = original.user_id is not None and original.user_id == run.operator.user_id
    if not run.operator.may("undo.all"):
        run.operator.require("undo.own" if own else "undo.all")
    require_returnable(original, part)
    fields = _changed_fields(change_set, part)
    for spec in {spec.name: spec for spec, _item in fields}.values():
        run.operator.require(f"{spec.right}.edit")
    for _spec, item in fields:
        if not may_edit(run.operator, item):
            run.operator.require(f"{item.right}.edit")
    _measure(fields)
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
    removable, kept = _removable(change_set, part, run.operator)
    _remove_made(run, removable)
    restored, lost = _recreatable(change_set, part)
    _recreate(run, restored)
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
        number, found = _field_conflicts(change_set, spec, item, 20, part, run.operator)
        run.skipped += [f"{entry.title}: {entry.label} → {entry.current}" for entry in found]
        run.skipped += [gettext("und %(count)s weitere", count=number - len(found))] if number > len(found) else []
    if run.skipped or not part.is_whole:
        ChangeSetRecord.update(details={"part": True}).where(ChangeSetRecord.id == run.change_set).execute()


def require_returnable(operation: ChangeSetRecord, part: UndoPart) -> None:
    """NotTakenBack for what never comes back, OnlyWhole for a part of what comes back as a whole."""
    if operation.kind in FINAL_KINDS:
        raise NotTakenBack(operation.title)
    if not part.is_whole and is_whole(operation):
        raise OnlyWhole(operation.title)


def is_whole(operation: ChangeSetRecord) -> bool:
    """Whether single records and values of it stay as they are unless all of it is taken back; the same holds for
    what has taken it back."""
    if operation.kind in WHOLE_KINDS:
        return True
    return operation.undo_of_id is not None and is_whole(operation.undo_of)


class OnlyWhole(AppAdminError):
    """A part of an operation that comes back as a whole or not at all."""

    status = 409

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title

    def sentence(self) -> str:
        return gettext(
            "„%(title)s“ lässt sich nur als Ganzes zurücknehmen; einzelne Werte oder Datensätze davon nicht. Es wurde "
            "nichts geändert.",
            title=self.title,
        )


class NotTakenBack(AppAdminError):
    """An operation after which nothing comes back."""

    status = 409

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title

    def sentence(self) -> str:
        return gettext("„%(title)s“ lässt sich nicht zurücknehmen.", title=self.title)


def _told_count(change_set: int, spec: ModelSpec, item: FieldSpec) -> int:
    """How many values of a field a set changed."""
    query = ChangeRecord.select().where(ChangeRecord.change_set == change_set)
    return query.where(ChangeRecord.entity == spec.name, ChangeRecord.field == item.name).count()


#: A set is taken back in no more pieces than this, since each of them looks for its beginning.
_MOST_PIECES = 20


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


#: So many lines at least are taken back at a time where somebody wants to hear how far it is.
PIECE = 10_000


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
    join, params = _undo_join(change_set, spec, item, part, run.operator)
    now = "c.new_value"
    if part.over:
        current = item.type.sql_to_json(item.sql("t"), item, engine())
        now = f"CASE WHEN c.id IN ({_keys(part.over)}) THEN {current} ELSE c.new_value END"
    told = restored = 0
    for piece, count in list(_pieces(run, change_set, spec, item, _told_count(change_set, spec, item))):
        cursor = database.execute_sql(
            f'INSERT INTO "change" ({columns}) SELECT {param}, c.entity, c.record_id, c.owner_entity, c.owner_id, '
            f"c.record_title, 'update', c.field, c.field_label, {now}, c.old_value, NULL "
            f"{join} AND {piece} AND {_comes_back(item, part)}",
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

"""Values that a set changed: which of them come back, and which were changed again since.

Shape: pieces of SQL over the history `c` and the table `t` of the records, one field at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask_appadmin.changes.running import KNOWN_SPECS
from flask_appadmin.changes.undoing.conflict import UndoConflict
from flask_appadmin.changes.undoing.part import WHOLE, UndoPart
from flask_appadmin.database import database, engine, measure_table
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.history import FINAL_KINDS, ChangeRecord, ChangeSetRecord, has_final
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, visible, words_for
from flask_appadmin.specs import FieldSpec, ModelSpec

#: The kinds after which nothing of a record comes back, for SQL.
_FINAL = ", ".join(f"'{kind}'" for kind in FINAL_KINDS)


def changed_fields(change_set: int, part: UndoPart = WHOLE) -> list[tuple[ModelSpec, FieldSpec]]:
    """The fields of which a set changed values, as far as models still know them; without secrets."""
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


def measure_tables(fields: list[tuple[ModelSpec, FieldSpec]]) -> None:
    """Gives the database fresh statistics of the tables that are joined with the history."""
    for name in {spec.name for spec, _item in fields}:
        measure_table(name)


def undo_join(
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


def _is_current(item: FieldSpec, column: str) -> str:
    current = item.type.sql_from_json(f"c.{column}", item, engine())
    return f"{item.sql('t')} IS NOT DISTINCT FROM {current}"


def told_value(operator: Operator, item: FieldSpec, text: str, names: ReferenceCache) -> str:
    """A value as far as this operator may see it."""
    return words_for(operator, item, item.type.from_json(json.loads(text), item), names) or gettext("leer")


def field_conflicts(
    change_set: int, spec: ModelSpec, item: FieldSpec, listed: int, part: UndoPart, operator: Operator
) -> tuple[int, list[UndoConflict]]:
    """How many values of a field were changed again since, and the first `listed` of them."""
    join, params = undo_join(change_set, spec, item, part, operator)
    where = f"AND NOT ({_is_current(item, 'new_value')}) AND NOT ({_is_current(item, 'old_value')})"
    if part.over:
        where += f" AND c.id NOT IN ({keys_sql(part.over)})"
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
                    told_value(operator, item, old, names),
                    told_value(operator, item, now, names),
                    _last_person(spec, key, item),
                    made=told_value(operator, item, made, names),
                    line=line,
                    entity=spec.name,
                    record_id=key,
                )
            )
    return count, found


def keys_sql(keys: Iterable[int]) -> str:
    """Keys as the inside of an IN (…), which must not be empty."""
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


def comes_back(item: FieldSpec, part: UndoPart) -> str:
    """SQL: the value is still the one the set made, or the operator wants the old one in spite of a newer."""
    current = _is_current(item, "new_value")
    if not part.over:
        return current
    return f"({current} OR c.id IN ({keys_sql(part.over)}) AND NOT ({_is_current(item, 'old_value')}))"


def restorable_records(
    change_set: int, fields: list[tuple[ModelSpec, FieldSpec]], part: UndoPart, operator: Operator
) -> int:
    """How many records get at least one value back."""
    if not fields:
        return 0
    parts, params = [], []
    for spec, item in fields:
        join, asked = undo_join(change_set, spec, item, part, operator)
        parts.append(f"SELECT '{spec.name}' AS entity, t.id {join} AND {comes_back(item, part)}")
        params += asked
    sql = f"SELECT count(*) FROM ({' UNION '.join(parts)}) AS restorable"
    return database.execute_sql(sql, params).fetchone()[0]

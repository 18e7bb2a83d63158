"""Child tables that are pure assignments (a book's keywords, a record's categories): added, removed, replaced for many.

Shape: a model says by `Description.assigns` which field makes its rows an assignment. A Relation is what shall become
of them for every selected record; it stands among the values of a bulk change under "<child table>.<field>". Adding
what is there already does nothing, so nothing is ever doubled. Rows are written and removed by the database itself,
with a snapshot each in the history; a model with rules of its own for new rows gets them row by row.
Errors: FieldError for a value the field does not take.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from flask_appadmin import search
from flask_appadmin.arrangements import checked
from flask_appadmin.changes.creating import write_creates
from flask_appadmin.changes.removing import remove_records
from flask_appadmin.changes.running import CHANGE_COLUMNS, CHUNK, KNOWN_SPECS, NewRecord, Run
from flask_appadmin.database import Record, database, engine
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_edit, may_read
from flask_appadmin.specs import FieldSpec, ModelSpec, shown

MODES = ("add", "remove", "replace")

#: What a model may say about new rows that the database could not do by itself.
_HOOKS = ("prepare", "prepare_many", "propose_many", "validate", "settle", "starting_values", "follow", "derive")

_RECORD: Any = Record


@dataclass(frozen=True)
class Relation:
    """What becomes of the assignments of every selected record."""

    #: "add", "remove" or "replace".
    mode: str
    values: tuple[Any, ...]

    def words(self, item: FieldSpec, names: ReferenceCache | None = None) -> str:
        texts = ", ".join(f"„{shown(item, value, names)}“" for value in self.values)
        if self.mode == "add":
            return gettext("%(values)s hinzufügen", values=texts)
        if self.mode == "remove":
            return gettext("%(values)s entfernen", values=texts)
        if not self.values:
            return gettext("alle entfernen")
        return gettext("durch %(values)s ersetzen", values=texts)


def assigned_children(spec: ModelSpec) -> tuple[tuple[ModelSpec, FieldSpec], ...]:
    """The child tables that are pure assignments, with the field that is assigned."""
    return tuple(
        (child, child.field(child.description.assigns)) for child in spec.children if child.description.assigns
    )


def open_children(spec: ModelSpec, operator: Operator) -> tuple[tuple[ModelSpec, FieldSpec], ...]:
    """Those of them that this operator may change."""
    return tuple(
        (child, item)
        for child, item in assigned_children(spec)
        if operator.may(f"{child.right}.edit") and may_read(operator, item) and may_edit(operator, item)
    )


def relation_name(child: ModelSpec, item: FieldSpec) -> str:
    return f"{child.name}.{item.name}"


def child_of(spec: ModelSpec, name: str) -> tuple[ModelSpec, FieldSpec] | None:
    return next((pair for pair in assigned_children(spec) if relation_name(*pair) == name), None)


def checked_relation(operator: Operator, child: ModelSpec, item: FieldSpec, relation: Relation) -> Relation:
    """The relation with values as the field stores them; each once."""
    operator.require(f"{child.right}.edit")
    if not may_edit(operator, item):
        operator.require(f"{item.right}.edit")
    if relation.mode not in MODES or (not relation.values and relation.mode != "replace"):
        raise FieldError(item, None, gettext("Bitte einen Wert angeben."))
    values = []
    for value in relation.values:
        value = checked(operator, item, value)
        if value is None:
            raise FieldError(item, None, gettext("Bitte einen Wert angeben."))
        target = item.references
        if target is not None and not target.model.select().where(target.model._meta.primary_key == value).exists():
            raise FieldError(item, str(value), gettext("ist nicht mehr vorhanden"))
        values.append(value)
    return Relation(relation.mode, tuple(dict.fromkeys(values)))


# --- what would happen ------------------------------------------------------------------------------------------------


def _rows_of(child: ModelSpec, item: FieldSpec, owner: str, test: str) -> str:
    assert child.owner is not None
    return (
        f'EXISTS (SELECT 1 FROM "{child.name}" c WHERE c."{child.owner.column}" = {owner} AND c."{item.column}" {test})'
    )


def _stored(item: FieldSpec, relation: Relation) -> list[Any]:
    return [item.column_field.db_value(value) for value in relation.values]


def differs_sql(child: ModelSpec, item: FieldSpec, relation: Relation, owner: str) -> tuple[str, list[Any]]:
    """SQL that is true for records whose assignments would change; `owner` is the SQL of their key."""
    mark, stored = database.param, _stored(item, relation)
    one_of = f"IN ({', '.join([mark] * len(stored))})"
    if relation.mode == "remove":
        return _rows_of(child, item, owner, one_of), stored
    parts = [f"NOT {_rows_of(child, item, owner, f'= {mark}')}" for _value in stored]
    params = list(stored)
    if relation.mode == "replace":
        parts.append(_rows_of(child, item, owner, f"NOT {one_of}" if stored else "IS NOT NULL"))
        params += stored
    return f"({' OR '.join(parts)})", params


def child_query(child: ModelSpec, keys: Any, *columns: Any) -> Any:
    """A select over the assignments of the records of a subquery of keys."""
    assert child.owner is not None
    return child.model.select(*columns).where(child.owner.column_field.in_(keys))


def counted_values(child: ModelSpec, item: FieldSpec, keys: Any) -> dict[Any, int]:
    """Value -> how many of the selected records have it."""
    column = item.column_field
    query = child_query(child, keys, column, peewee.fn.COUNT(peewee.SQL("1"))).group_by(column)
    return dict(query.tuples())


def child_state(child: ModelSpec, keys: Any) -> list[int]:
    key, version = child.model._meta.primary_key, child.model.version
    total, versions = (peewee.fn.COALESCE(peewee.fn.SUM(column), 0) for column in (key, version))
    return [int(part) for part in child_query(child, keys, peewee.fn.COUNT(key), total, versions).tuples().get()]


# --- writing ----------------------------------------------------------------------------------------------------------


def write_relation(run: Run, spec: ModelSpec, child: ModelSpec, item: FieldSpec, relation: Relation) -> None:
    """Does it for the records whose keys stand in the temporary table `picked`."""
    KNOWN_SPECS.setdefault(child.name, child)
    if any(found.name == child.name for found, _items in search.searched_children(spec)):
        for (key,) in database.execute_sql("SELECT id FROM picked").fetchall():
            run.touch(spec, key, None)
    mark, stored = database.param, _stored(item, relation)
    if relation.mode in ("remove", "replace"):
        one_of = f"IN ({', '.join([mark] * len(stored))})" if stored else ""
        test = f'c."{item.column}" {one_of}' if relation.mode == "remove" else ""
        if relation.mode == "replace" and stored:
            test = f'c."{item.column}" NOT {one_of}'
        _remove(run, child, test, stored)
    if relation.mode in ("add", "replace"):
        for value in relation.values:
            _add(run, child, item, value)


def _is_plain(child: ModelSpec) -> bool:
    """Whether new rows need nothing but their values."""
    model: Any = child.model
    own = (getattr(getattr(model, name), "__func__", None) is not getattr(_RECORD, name).__func__ for name in _HOOKS)
    return not any(own) and not model.mirrors and not child.watched_fields


def _add(run: Run, child: ModelSpec, item: FieldSpec, value: Any) -> None:
    assert child.owner is not None
    owner, mark = child.owner, database.param
    missing = f"FROM picked p WHERE NOT {_rows_of(child, item, 'p.id', f'= {mark}')}"
    stored = item.column_field.db_value(value)
    if not _is_plain(child):
        keys = [row[0] for row in database.execute_sql(f"SELECT p.id {missing} ORDER BY p.id", (stored,)).fetchall()]
        write_creates(run, [NewRecord(child, {owner.name: key, item.name: value}) for key in keys])
        return
    row = database.execute_sql(f'SELECT coalesce(max(id), 0) FROM "{child.name}"').fetchone()
    last = row[0]
    defaults = [
        (other.column, other.column_field.db_value(other.default_value()))
        for other in child.data_fields
        if other.name not in (owner.name, item.name) and other.default is not None
    ]
    columns = [owner.column, item.column, "version", "created_at", "updated_at", *(name for name, _value in defaults)]
    values = [stored, run.moment, run.moment, *(default for _name, default in defaults)]
    moment = mark if engine() == "sqlite" else f"{mark}::timestamp"
    marks = ", ".join([mark, "1", moment, moment, *([mark] * len(defaults))])
    quoted = ", ".join(f'"{name}"' for name in columns)
    database.execute_sql(
        f'INSERT INTO "{child.name}" ({quoted}) SELECT p.id, {marks} {missing} ORDER BY p.id', [*values, stored]
    )
    # Nobody else can add to these records: they are held. So what is new among theirs is ours.
    found = f'FROM "{child.name}" t JOIN picked p ON p.id = t."{owner.column}" WHERE t.id > {mark}'
    found += f' AND t."{item.column}" = {mark}'
    run.created += _note(run, child, "create", found, [last, stored])


def _remove(run: Run, child: ModelSpec, test: str, params: Sequence[Any]) -> None:
    assert child.owner is not None
    where = f'c."{child.owner.column}" IN (SELECT id FROM picked){f" AND {test}" if test else ""}'
    model: Any = child.model
    plain = model.settle.__func__ is _RECORD.settle.__func__ and not model._meta.backrefs
    if not plain:
        keys = [row[0] for row in database.execute_sql(f'SELECT c.id FROM "{child.name}" c WHERE {where}', params)]
        for start in range(0, len(keys), CHUNK):
            remove_records(run, child, keys[start : start + CHUNK], "")
        run.deleted += len(keys)
        return
    found = f'FROM "{child.name}" t WHERE {where.replace("c.", "t.")}'
    run.deleted += _note(run, child, "delete", found, params)
    database.execute_sql(
        f'DELETE FROM "{child.name}" WHERE id IN (SELECT c.id FROM "{child.name}" c WHERE {where})', params
    )


def _note(run: Run, child: ModelSpec, action: str, found: str, params: Sequence[Any]) -> int:
    """A snapshot of each of these rows in the history; answers how many they are."""
    assert child.owner is not None
    mark, content = database.param, snapshot_sql(child)
    old, new = ("NULL", content) if action == "create" else (content, "NULL")
    cursor = database.execute_sql(
        f"INSERT INTO \"change\" ({', '.join(CHANGE_COLUMNS)}) SELECT {mark}, '{child.name}', t.id, "
        f"'{child.owner.references.name}', t.\"{child.owner.column}\", {title_sql(child)}, '{action}', NULL, NULL, "
        f"{old}, {new}, NULL {found}",
        [run.change_set, str(child.label)[:160], *params] if not _texts(child) else [run.change_set, *params],
    )
    return int(database.rows_affected(cursor))


def _texts(spec: ModelSpec) -> list[FieldSpec]:
    return [item for item in spec.title_specs if item.target is None]


def title_sql(spec: ModelSpec) -> str:
    """SQL for the title of a row `t`; one parameter (the model's name) where it has no text of its own."""
    parts = [f"coalesce(cast(t.\"{item.column}\" as text), '')" for item in _texts(spec)]
    if not parts:
        return database.param
    return f"substr(trim({' || chr_blank || '.join(parts)}), 1, 160)".replace("chr_blank", "' '")


def plain_title_sql(spec: ModelSpec) -> str:
    """Without a parameter: "" for a model that has no text of its own."""
    sql = title_sql(spec)
    return "''" if sql == database.param else sql


def owner_sql(spec: ModelSpec) -> tuple[str, str]:
    """SQL for the table and the key of the record that a row `t` belongs to."""
    if spec.owner is None:
        return f"'{spec.name}'", "t.id"
    return f"'{spec.owner.references.name}'", f't."{spec.owner.column}"'


def snapshot_sql(spec: ModelSpec) -> str:
    """SQL for the JSON of all filled values of a row `t`, as `running.snapshot` writes it."""
    parts = []
    for item in sorted(spec.own_fields, key=lambda item: item.name):
        column = f't."{item.column}"'
        content = item.type.sql_to_json(column, item, engine())
        parts.append(f"case when {column} is null then '' else ',\"{item.name}\":' || {content} end")
    return f"'{{' || substr({' || '.join(parts)}, 2) || '}}'"


def given_relations(spec: ModelSpec, values: dict[str, Any]) -> Iterator[tuple[ModelSpec, FieldSpec, Relation]]:
    """The relations among the values of a bulk change."""
    for name, value in values.items():
        if isinstance(value, Relation) and (pair := child_of(spec, name)) is not None:
            yield (*pair, value)

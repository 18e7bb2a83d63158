"""What a set step gives to which records: its checked values, in Python, in SQL, in words and as JSON.

Shape: `values` of a step name a field, and what becomes of it: a value that all get, a Transform of what each has, or
(under "<child table>.<field>") a Relation. An `Assignment` answers what that means for one row (`new_value`) and for a
statement (`expression`, `differs`).
Errors: FaultList for values that no record takes, FieldError for one row's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import peewee

from flask_appadmin.arrangements import checked
from flask_appadmin.changes.relating import Relation, checked_relation, child_of, child_state, differs_sql
from flask_appadmin.changes.transforms import Transform, transform_from_json
from flask_appadmin.database import database, key_condition
from flask_appadmin.errors import AppAdminError, FaultList, FieldError
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.history import ChangeRecord
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_edit, may_read_full
from flask_appadmin.specs import FieldSpec, ModelSpec, shown


class Assignment:
    """The checked values of a set step, and what they mean for a row."""

    def __init__(self, spec: ModelSpec, values: dict[str, Any], operator: Operator) -> None:
        self.spec = spec
        self.items: list[FieldSpec] = []
        self.relations: list[tuple[ModelSpec, FieldSpec, Relation]] = []
        self.values = values
        self._check(operator)
        self.names = {item.name for item in self.items}
        self.transforms = {name: value for name, value in values.items() if isinstance(value, Transform)}
        sources = (self.sources_of(item) for item in self.items)
        self.sources = tuple(dict.fromkeys(name for names in sources for name in names))

    def _check(self, operator: Operator) -> None:
        faults: list[AppAdminError] = []
        spec, values = self.spec, self.values
        operator.require(f"{spec.right}.edit")
        for name in values:
            try:
                if (pair := child_of(spec, name)) is not None and isinstance(values[name], Relation):
                    values[name] = checked_relation(operator, *pair, values[name])
                    self.relations.append((*pair, values[name]))
                    continue
                item = spec.by_name.get(name)
                if item is None or not item.bulk or isinstance(values[name], Relation):
                    words = gettext("Dieses Feld lässt sich nicht für viele Datensätze ändern.")
                    raise FieldError(item or name, None, words)
                if not may_edit(operator, item):
                    operator.require(f"{item.right}.edit")
                self.items.append(item)
                if isinstance(values[name], Transform):
                    _require_sources(operator, spec, values[name])
                    continue
                values[name] = checked(operator, item, values[name])
                if values[name] is None and not item.nullable:
                    raise FieldError(item, None, gettext("Dieses Feld kann nicht leer sein."))
            except FieldError as fault:
                faults.append(fault)
        if faults:
            raise FaultList(faults)

    def sources_of(self, item: FieldSpec) -> tuple[str, ...]:
        """The fields that decide whether this one changes, and to what."""
        value = self.values[item.name]
        return tuple(dict.fromkeys((item.name, *(value.sources if isinstance(value, Transform) else ()))))

    def new_value(self, operator: Operator, item: FieldSpec, old: dict[str, Any]) -> Any:
        """What becomes of this field; FieldError where the field does not take it."""
        value = self.values[item.name]
        if not isinstance(value, Transform):
            return value
        made = value.changed(old)
        if made == old[item.name] and type(made) is type(old[item.name]):
            return made
        found = checked(operator, item, made)
        if found is None and not item.nullable:
            raise FieldError(item, None, gettext("Dieses Feld kann nicht leer sein."))
        if found != made:
            raise FieldError(item, item.format(made), gettext("würde so nicht gespeichert"))
        return found

    def expression(self, item: FieldSpec, alias: str) -> tuple[str, list[Any]]:
        """SQL for what becomes of this field in a row of `alias`."""
        value = self.values[item.name]
        if not isinstance(value, Transform):
            return database.param, [item.column_field.db_value(value)]
        sql, params = value.sql(lambda name: self.spec.field(name).sql(alias))
        return sql, list(params)

    def differs(self, alias: str, *, relations: bool = True) -> tuple[str, list[Any]]:
        """SQL that is true for the rows in which something changes."""
        parts, params = [], []
        for item in self.items:
            sql, given = self.expression(item, alias)
            parts.append(f"{item.sql(alias)} IS DISTINCT FROM {sql}")
            params += given
        for child, item, relation in self.relations if relations else ():
            sql, given = differs_sql(child, item, relation, f"{alias}.id")
            parts.append(sql)
            params += given
        return (f"({' OR '.join(parts)})" if parts else "(1 = 0)"), params


def words_of(spec: ModelSpec, name: str, value: Any, names: ReferenceCache | None = None) -> str:
    """What becomes of a field, in words: „Ort: „Wien“ durch „Graz“ ersetzen“; of a protected field its name only."""
    if isinstance(value, Relation):
        pair = child_of(spec, name)
        return f"{pair[1].label}: {value.words(pair[1], names)}" if pair is not None else ""
    item = spec.by_name.get(name)
    if item is None:
        return ""
    if is_protected(item):
        return str(item.label)
    if isinstance(value, Transform):
        return f"{item.label}: {value.words()}"
    return f"{item.label}: {shown(item, value, names) or gettext('leeren')}"


def is_protected(item: FieldSpec) -> bool:
    """Whether not all who see an operation may see this field."""
    return bool(item.secret or item.masked or item.right)


def heading_of(spec: ModelSpec, name: str, value: Any) -> str:
    """The same as short as titles have it: a value that all get is not named."""
    if isinstance(value, Relation | Transform):
        return words_of(spec, name, value)
    item = spec.by_name.get(name)
    return str(item.label) if item is not None else ""


def _require_sources(operator: Operator, spec: ModelSpec, transform: Transform) -> None:
    """Whoever copies a field shows it; one that is masked for him stays where it is."""
    for name in transform.sources:
        item = spec.field(name)
        if item is not transform.item and not may_read_full(operator, item):
            operator.require(f"{item.right or spec.right}.read_full")


# --- as JSON ----------------------------------------------------------------------------------------------------------


def values_to_json(spec: ModelSpec, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a set step as JSON keeps them, so that a plan can run as a job."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Transform):
            kept[name] = value.to_json()
        elif isinstance(value, Relation):
            pair = child_of(spec, name)
            assert pair is not None
            kept[name] = {
                "relation": value.mode,
                "values": [pair[1].type.to_json(one, pair[1]) for one in value.values],
            }
        elif (item := spec.by_name.get(name)) is not None:
            kept[name] = {"value": item.type.to_json(value, item)}
    return kept


def values_from_json(spec: ModelSpec, kept: dict[str, Any]) -> dict[str, Any]:
    """The way back; FieldError or KeyError for what this version does not know."""
    values: dict[str, Any] = {}
    for name, content in kept.items():
        if not isinstance(content, dict):
            # A value that all get, as jobs kept it that were started before there was anything else.
            item = spec.field(name)
            values[name] = item.type.from_json(content, item)
            continue
        if "relation" in content:
            pair = child_of(spec, name)
            if pair is None:
                raise KeyError(name)
            child_item = pair[1]
            found = tuple(child_item.type.from_json(one, child_item) for one in content["values"])
            values[name] = Relation(content["relation"], found)
            continue
        item = spec.field(name)
        if "transform" in content:
            values[name] = transform_from_json(spec, item, content)
        else:
            values[name] = item.type.from_json(content["value"], item)
    return values


# --- which records ----------------------------------------------------------------------------------------------------


def without_some(selection: Any, without: Iterable[int]) -> Any:
    condition = selection.where()
    left_out = sorted(without)
    if left_out:
        excluded = ~key_condition(selection.spec.model._meta.primary_key, left_out)
        condition = excluded if condition is None else condition & excluded
    return condition


def selected(spec: ModelSpec, condition: Any, *columns: Any) -> Any:
    query = spec.model.select(*columns)
    return query if condition is None else query.where(condition)


def keys_of(spec: ModelSpec, condition: Any) -> Any:
    return selected(spec, condition, spec.model._meta.primary_key)


def rows_state(spec: ModelSpec, condition: Any, assignment: Assignment) -> str:
    """Names the very rows: their number, the sum of their keys and of their versions (versions only grow), the same of
    the children concerned; and the last change there was, so that later ones can be named."""
    key, version = spec.model._meta.primary_key, spec.model.version
    total, versions = (peewee.fn.COALESCE(peewee.fn.SUM(column), 0) for column in (key, version))
    row = selected(spec, condition, peewee.fn.COUNT(key), total, versions).tuples().get()
    parts = [int(part) for part in row]
    for child, _item, _relation in assignment.relations:
        parts += child_state(child, keys_of(spec, condition))
    last = ChangeRecord.select(peewee.fn.COALESCE(peewee.fn.MAX(ChangeRecord.id), 0)).scalar()
    return json.dumps([*parts, int(last)])


def count_changed(assignment: Assignment, condition: Any) -> int:
    sql, params = assignment.differs('"t1"')
    query = selected(assignment.spec, condition, peewee.fn.COUNT(peewee.SQL("1"))).where(peewee.SQL(sql, params))
    return int(query.scalar())

"""Set steps: new values for all selected records at once, planned by GROUP BY and written by the database itself.

Shape: `values` of a step name a field, and what becomes of it: a value that all get, a Transform of what each has, or
(under "<child table>.<field>") a Relation. `plan_assign` answers what would happen, `write_assign` does just that.
Rows are read one by one only where rules of the model need it, and then by the same rules as in the form: what follows
from a change within the record (`shown_when`, `mirrors`, `derive`), `validate`, values that may occur once. Records in
which something else follows are written one by one, the others by one statement per field.
Counts: `count` of a plan is `changed` + `same` + the refused; what is applied adds up the same way.
Errors: FaultList for values that no record takes or that some refuse; PlanChanged, with the rows, where somebody was
faster.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import peewee

from flask_appadmin import search
from flask_appadmin.arrangements import checked
from flask_appadmin.changes.following import complete, dependent_fields, mirrored, sources_of
from flask_appadmin.changes.relating import (
    Relation,
    checked_relation,
    child_of,
    child_state,
    counted_values,
    differs_sql,
    relation_name,
    title_sql,
    write_relation,
)
from flask_appadmin.changes.running import (
    CHANGE_COLUMNS,
    CHUNK,
    KNOWN_SPECS,
    Assign,
    NewRecord,
    Run,
    Update,
    Written,
    json_of,
    visible_keys,
)
from flask_appadmin.changes.transforms import Transform, transform_from_json
from flask_appadmin.changes.unique import check_unique, unique_sets
from flask_appadmin.changes.updating import store_updates
from flask_appadmin.database import database, engine, key_condition, utcnow
from flask_appadmin.errors import AppAdminError, ChangedRow, FaultList, FieldError, PlanChanged
from flask_appadmin.fieldtypes import ReferenceCache
from flask_appadmin.history import ChangeRecord, lines_since
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_edit, may_read_full
from flask_appadmin.specs import FieldSpec, ModelSpec, shown

#: So many old values of a field are told one by one; the others are counted.
_GROUPS = 100
SAMPLES = 5
#: So many rows that changed meanwhile are named.
_NAMED = 20


@dataclass(frozen=True)
class ValueGroup:
    """How many of the selected records have this value now."""

    count: int
    old: str
    new: str
    #: The value stays as it is.
    same: bool
    #: Why these records refuse what it would become.
    fault: str = ""


@dataclass(frozen=True)
class Sample:
    """One record before and after: (label, old, new) of each field that changes, those that follow included."""

    key: int
    title: str
    lines: list[tuple[str, str, str]]


@dataclass(frozen=True)
class AssignPlan:
    """What a set step would do: per field the old values with counts, and the records that refuse."""

    count: int
    #: Records that would differ afterwards; without those that refuse.
    changed: int
    groups: dict[str, list[ValueGroup]]
    #: (key, title, reason) of records that do not take the new values.
    refused: list[tuple[int, str, str]]
    #: Names the very rows and versions this plan was made of; `apply` stops when they differ.
    state: str
    #: Field -> (number of further old values, records that have them).
    rest: dict[str, tuple[int, int]] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    #: (words, number of records): what else would change by the rules.
    effects: list[tuple[str, int]] = field(default_factory=list)
    #: (label of the child table, rows that would come, rows that would go).
    children: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def same(self) -> int:
        """Records that are so already."""
        return self.count - self.changed - len(self.refused)


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
        sql, params = value.sql(lambda name: f'{alias}."{self.spec.field(name).column}"')
        return sql, list(params)

    def differs(self, alias: str, *, relations: bool = True) -> tuple[str, list[Any]]:
        """SQL that is true for the rows in which something changes."""
        parts, params = [], []
        for item in self.items:
            sql, given = self.expression(item, alias)
            parts.append(f'{alias}."{item.column}" IS DISTINCT FROM {sql}')
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


# --- planning ---------------------------------------------------------------------------------------------------------


def plan_assign(
    selection: Any, values: dict[str, Any], operator: Operator, *, without: Iterable[int] = (), samples: int = 0
) -> AssignPlan:
    """What `assign` would do, found by GROUP BY; nothing is written. Raises FaultList for values no record takes.

    `samples`: so many records are shown before and after.
    """
    spec = selection.spec
    assignment = Assignment(spec, values, operator)
    condition = _without(selection, without)
    state = _state_of(spec, condition, assignment)
    count = json.loads(state)[0]
    names = ReferenceCache()
    groups: dict[str, list[ValueGroup]] = {}
    rest: dict[str, tuple[int, int]] = {}
    faulty = False
    for item in assignment.items:
        found, more, has_faults = _groups_of(assignment, item, condition, operator, names)
        groups[item.name] = found
        faulty = faulty or has_faults
        if more[0]:
            rest[item.name] = more
    children = []
    for child, item, relation in assignment.relations:
        groups[relation_name(child, item)] = found = _relation_groups(
            spec, condition, count, child, item, relation, names
        )
        come = sum(group.count for group in found if group.new and not group.same)
        children.append((str(child.plural), come, sum(group.count for group in found if not group.new)))
    run = Run("bulk", operator, "", utcnow())
    seen = _Seen()
    if faulty or _reads_rows(assignment):
        _look_at_rows(run, assignment, condition, seen)
    _refuse_sealed(assignment, condition, seen)
    total = _count_changed(assignment, condition)
    refused = sorted(seen.refused)
    shown_samples = _samples(run, assignment, condition, {key for key, _t, _r in refused}, samples, names)
    return AssignPlan(
        count,
        total - len(refused),
        groups,
        refused,
        state,
        rest,
        shown_samples,
        seen.effects(run, spec) if seen.extras or seen.written else [],
        children,
    )


def _without(selection: Any, without: Iterable[int]) -> Any:
    condition = selection.where()
    left_out = sorted(without)
    if left_out:
        excluded = ~key_condition(selection.spec.model._meta.primary_key, left_out)
        condition = excluded if condition is None else condition & excluded
    return condition


def _selected(spec: ModelSpec, condition: Any, *columns: Any) -> Any:
    query = spec.model.select(*columns)
    return query if condition is None else query.where(condition)


def _keys_of(spec: ModelSpec, condition: Any) -> Any:
    return _selected(spec, condition, spec.model._meta.primary_key)


def _state_of(spec: ModelSpec, condition: Any, assignment: Assignment) -> str:
    """Names the very rows: their number, the sum of their keys and of their versions (versions only grow), the same of
    the children concerned; and the last change there was, so that later ones can be named."""
    key, version = spec.model._meta.primary_key, spec.model.version
    total, versions = (peewee.fn.COALESCE(peewee.fn.SUM(column), 0) for column in (key, version))
    row = _selected(spec, condition, peewee.fn.COUNT(key), total, versions).tuples().get()
    parts = [int(part) for part in row]
    for child, _item, _relation in assignment.relations:
        parts += child_state(child, _keys_of(spec, condition))
    last = ChangeRecord.select(peewee.fn.COALESCE(peewee.fn.MAX(ChangeRecord.id), 0)).scalar()
    return json.dumps([*parts, int(last)])


def _groups_of(
    assignment: Assignment, item: FieldSpec, condition: Any, operator: Operator, names: ReferenceCache
) -> tuple[list[ValueGroup], tuple[int, int], bool]:
    """(the groups by old value, the largest first; (further old values, their records); whether some refuse)."""
    spec = assignment.spec
    sources = assignment.sources_of(item)
    columns = [spec.field(name).column_field for name in sources]
    counted = peewee.fn.COUNT(peewee.SQL("1"))
    query = _selected(spec, condition, *columns, counted).group_by(*columns)
    is_constant = item.name not in assignment.transforms
    told: list[ValueGroup] = []
    more = more_records = 0
    faulty: list[ValueGroup] = []
    new_words = shown(item, assignment.values[item.name], names) or gettext("leer") if is_constant else ""
    for row in sorted(query.tuples(), key=lambda row: -row[-1]):
        old, number = row[0], row[-1]
        fault = ""
        if is_constant:
            new = assignment.values[item.name]
        else:
            try:
                new = assignment.new_value(operator, item, dict(zip(sources, row, strict=False)))
            except FieldError as refusal:
                new, fault = None, refusal.found()
        if len(told) >= _GROUPS and not (fault and len(faulty) < _GROUPS):
            more, more_records = more + 1, more_records + number
            continue
        old_words = shown(item, old, names) or gettext("leer")
        words = new_words if is_constant else "" if fault else shown(item, new, names) or gettext("leer")
        (faulty if fault else told).append(ValueGroup(number, old_words, words, not fault and old == new, fault))
    # What fails stands first.
    return faulty + told, (more, more_records), bool(faulty)


def _relation_groups(
    spec: ModelSpec,
    condition: Any,
    count: int,
    child: ModelSpec,
    item: FieldSpec,
    relation: Relation,
    names: ReferenceCache,
) -> list[ValueGroup]:
    """Per value how many records get it, have it already or lose it."""
    present = counted_values(child, item, _keys_of(spec, condition))
    groups = []
    for value in relation.values:
        words, has = shown(item, value, names), present.get(value, 0)
        if relation.mode == "remove":
            groups += [ValueGroup(has, words, "", False)] if has else []
            continue
        groups += [ValueGroup(count - has, "", words, False)] if count > has else []
        groups += [ValueGroup(has, words, words, True)] if has else []
    if relation.mode == "replace":
        others = {value: number for value, number in present.items() if value not in relation.values}
        told = sorted(others.items(), key=lambda pair: -pair[1])
        groups += [ValueGroup(number, shown(item, value, names), "", False) for value, number in told]
    return groups


def _count_changed(assignment: Assignment, condition: Any) -> int:
    sql, params = assignment.differs('"t1"')
    query = _selected(assignment.spec, condition, peewee.fn.COUNT(peewee.SQL("1"))).where(peewee.SQL(sql, params))
    return int(query.scalar())


def _samples(
    run: Run, assignment: Assignment, condition: Any, refused: set[int], number: int, names: ReferenceCache
) -> list[Sample]:
    if number <= 0:
        return []
    spec = assignment.spec
    sql, params = assignment.differs('"t1"', relations=False)
    items = _read_items(assignment, title=True)
    key_field = spec.model._meta.primary_key
    query = _selected(spec, condition, key_field, *(item.column_field for item in items))
    query = query.where(peewee.SQL(sql, params)).order_by(key_field).limit(number)
    if refused:
        query = query.where(~key_condition(key_field, sorted(refused)))
    found = []
    rows = _as_rows(query, items)
    sources = sources_of(spec, (row for _key, row in rows))
    for key, row in rows:
        changed, _faults = _changed(run, assignment, key, row, sources)
        run.faults.clear()
        lines = [
            (
                str(spec.field(name).label),
                shown(spec.field(name), row.get(name), names) or gettext("leer"),
                shown(spec.field(name), value, names) or gettext("leer"),
            )
            for name, value in changed.items()
        ]
        found.append(Sample(key, spec.title_of(row), lines))
    return found


# --- row by row, where rules need it ----------------------------------------------------------------------------------


class _Seen:
    """What looking at the rows has found."""

    def __init__(self) -> None:
        #: (key, title, sentence)
        self.refused: list[tuple[int, str, str]] = []
        #: Records in which something else follows: what is written of them, one by one.
        self.extras: list[tuple[Update, dict[str, Any], dict[str, Any]]] = []
        #: Field that follows -> number of records.
        self.followers: Counter[str] = Counter()
        #: Records from which something follows elsewhere.
        self.written: list[Written] = []

    def effects(self, run: Run, spec: ModelSpec) -> list[tuple[str, int]]:
        """(words, number of records) of what else would change."""
        found = [(str(spec.field(name).label), number) for name, number in self.followers.most_common()]
        elsewhere: Counter[str] = Counter()
        if self.written:
            for step in (*spec.model.follow(self.written, run), *mirrored(spec, self.written)):
                if isinstance(step, Update):
                    for name in step.values:
                        elsewhere[f"{step.spec.plural}: {step.spec.field(name).label}"] += 1
                elif isinstance(step, NewRecord):
                    elsewhere[gettext("%(plural)s: neu", plural=str(step.spec.plural))] += 1
        return found + elsewhere.most_common()


def _reads_rows(assignment: Assignment) -> bool:
    """Whether rules have a say in these fields, so that each row must be looked at."""
    spec, names = assignment.spec, assignment.names
    model = spec.model
    concerned = {*model.rule_fields, *model.derive_fields, *spec.watched_fields}
    concerned |= {name for group in unique_sets(spec) for name in group}
    return bool(names & concerned or dependent_fields(spec, set(names)) - names)


def _read_items(assignment: Assignment, *, title: bool) -> list[FieldSpec]:
    spec, touched = assignment.spec, set(assignment.names)
    names = touched | set(assignment.sources) | dependent_fields(spec, touched)
    model = spec.model
    for group in (model.rule_fields, spec.watched_fields, *unique_sets(spec)):
        if touched & set(group) or (group is model.rule_fields and names & set(group)):
            names |= set(group)
    if title:
        names |= {item.name for item in spec.title_specs}
    return [item for item in spec.data_fields if item.name in names]


def _as_rows(query: Any, items: list[FieldSpec]) -> list[tuple[int, dict[str, Any]]]:
    names = [item.name for item in items]
    return [(row[0], dict(zip(names, row[1:], strict=True))) for row in query.tuples()]


def _parts(query: Any, items: list[FieldSpec]) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    names = [item.name for item in items]
    part: list[tuple[int, dict[str, Any]]] = []
    for row in query.tuples().iterator():
        part.append((row[0], dict(zip(names, row[1:], strict=True))))
        if len(part) == CHUNK * 4:
            yield part
            part = []
    yield part


def _changed(
    run: Run, assignment: Assignment, key: int, row: dict[str, Any], sources: Any
) -> tuple[dict[str, Any], list[AppAdminError]]:
    """What becomes of a row, with what follows within it, and what speaks against it."""
    changed: dict[str, Any] = {}
    for item in assignment.items:
        old = row[item.name]
        try:
            value = assignment.new_value(run.operator, item, row)
        except FieldError as fault:
            run.faults.append(fault)
            continue
        if value != old or type(value) is not type(old):
            changed[item.name] = value
    if changed and not run.faults:
        complete(run, Update(assignment.spec, key, dict(changed)), row, changed, sources)
    faults, run.faults = run.faults, []
    return changed, faults


def _look_at_rows(run: Run, assignment: Assignment, condition: Any, seen: _Seen) -> None:
    """Asks the rules of the form about each row that would change."""
    spec, model = assignment.spec, assignment.spec.model
    key_field = model._meta.primary_key
    items = _read_items(assignment, title=True)
    sql, params = assignment.differs('"t1"', relations=False)
    query = _selected(spec, condition, key_field, *(item.column_field for item in items))
    query = query.where(peewee.SQL(sql, params))
    rules = set(model.rule_fields)
    uniques = {name for group in unique_sets(spec) for name in group}
    watched = set(spec.watched_fields)
    once: list[tuple[int | None, dict[str, Any], Any, str]] = []
    titles: dict[int, str] = {}
    for rows in _parts(query, items):
        merged_rows = ({**row, **{n: assignment.values[n] for n in assignment.names}} for _key, row in rows)
        sources = sources_of(spec, merged_rows)
        for key, row in rows:
            changed, faults = _changed(run, assignment, key, row, sources)
            merged = {**row, **changed}
            if not faults and rules & set(changed):
                faults = list(model.validate({"id": key, **merged}, run))
            if faults:
                seen.refused.append((key, spec.title_of(row), " ".join(str(fault) for fault in faults)))
                continue
            if uniques & set(changed):
                once.append((key, merged, ("", str(key)), ""))
                titles[key] = spec.title_of(row)
            extra = [name for name, value in changed.items() if name not in assignment.names]
            settled = any(
                changed.get(name, row[name]) != assignment.new_value(run.operator, spec.field(name), row)
                for name in (assignment.names if extra or model.mirrors else ())
            )
            if extra or settled:
                seen.extras.append((Update(spec, key, changed), row, changed))
                seen.followers.update(extra)
            if watched & set(changed):
                seen.written.append(Written(key, row, merged))
    if once:
        _refuse_doubles(run, spec, once, titles, seen)


def _refuse_doubles(run: Run, spec: ModelSpec, once: list[Any], titles: dict[int, str], seen: _Seen) -> None:
    check_unique(run, spec, once)
    doubles: dict[int, list[str]] = {}
    for fault in run.faults:
        place = getattr(fault, "place", None)
        assert place is not None
        doubles.setdefault(int(place[1]), []).append(str(fault))
    run.faults.clear()
    seen.refused += [(key, titles[key], " ".join(said)) for key, said in doubles.items()]
    seen.extras = [extra for extra in seen.extras if extra[0].key not in doubles]
    seen.written = [record for record in seen.written if record.key not in doubles]


def _refuse_sealed(assignment: Assignment, condition: Any, seen: _Seen) -> None:
    """Anonymised records are not changed any more; that stands in the preview, among those that refuse."""
    spec = assignment.spec
    if spec.model.sealed_when is None:
        return
    name, sealed = spec.model.sealed_when
    known = {key for key, _title, _reason in seen.refused}
    sql, params = assignment.differs('"t1"')
    items = list(spec.title_specs)
    query = _selected(spec, condition, spec.model._meta.primary_key, *(item.column_field for item in items))
    query = query.where(spec.field(name).column_field == sealed, peewee.SQL(sql, params))
    reason = gettext("ist anonymisiert und wird nicht mehr geändert")
    seen.refused += [(key, spec.title_of(row), reason) for key, row in _as_rows(query, items) if key not in known]


# --- writing ----------------------------------------------------------------------------------------------------------


def write_assign(run: Run, step: Assign) -> None:
    selection = step.selection
    spec: ModelSpec = selection.spec
    KNOWN_SPECS.setdefault(spec.name, spec)
    assignment = Assignment(spec, step.values, run.operator)
    for item in assignment.items:
        if item.reason:
            run.ask_why(item.label)
    with _picked(spec, _without(selection, step.without)) as number:
        run.expect(number)
        picked = peewee.Table("picked", ("id",)).bind(database)
        condition = spec.model._meta.primary_key.in_(picked.select(picked.id))
        if step.expected:
            # Asked of the rows that are held now: nobody comes in between any more.
            _compare(run, spec, condition, assignment, step.expected)
        # Where children change, too, a record may be changed without one of its own values.
        changed = _count_changed(assignment, condition) if assignment.relations else None
        seen = _Seen()
        if assignment.transforms or _reads_rows(assignment):
            _look_at_rows(run, assignment, condition, seen)
        _refuse_sealed(assignment, condition, seen)
        if seen.refused:
            for _key, title, sentence in seen.refused[:50]:
                run.faults.append(AppAdminError(f"{title}: {sentence}"))
            return
        for child, item, relation in assignment.relations:
            write_relation(run, spec, child, item, relation)
        if seen.extras:
            _leave_out([update.key for update, _row, _changed in seen.extras])
            store_updates(run, spec, seen.extras)
        alone = {update.key for update, _row, _changed in seen.extras}
        for record in seen.written:
            if record.key not in alone:
                run.note(spec, record.key, record.old, record.new)
        if seen.extras:
            run.advance(len(seen.extras))
        written = 0
        for stretch in _stretches(number if run.progress is None else STRETCH) if assignment.items else ():
            written += _write_stretch(run, assignment, stretch)
            run.advance(stretch.count)
    run.updated += written if changed is None else changed - len(seen.extras)


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
        sql, given = assignment.expression(item, table)
        columns.append(f'"{item.column}" = {sql}')
        params += given
    different, given = assignment.differs(table, relations=False)
    cursor = database.execute_sql(
        f"UPDATE {table} SET {', '.join(columns)}, version = version + 1, updated_at = {database.param} "
        f"WHERE id IN (SELECT id FROM picked WHERE {stretch.of('id')}) AND {stretch.of('id')} AND {different}",
        [*params, run.moment, *given],
    )
    changed = int(database.rows_affected(cursor))
    if assignment.names & {item.name for item in search.indexed_fields(spec)} and not run.rehearsal:
        # Here and not at the end, so that the keys of a million records need not be remembered.
        rows = database.execute_sql(f"SELECT id FROM picked WHERE {stretch.of('id')} ORDER BY id").fetchall()
        search.refresh(spec, [row[0] for row in rows])
    return changed


def _compare(run: Run, spec: ModelSpec, condition: Any, assignment: Assignment, expected: str) -> None:
    """Raises PlanChanged, with the rows and what changed, unless these are the rows that were shown."""
    try:
        planned = [int(part) for part in json.loads(expected)]
    except (ValueError, TypeError):
        planned = []
    found = json.loads(_state_of(spec, condition, assignment))
    if len(planned) == len(found) and planned[:-1] == found[:-1]:
        return
    last = planned[-1] if len(planned) == len(found) else found[-1]
    raise PlanChanged(planned[0] if planned else 0, found[0], rows=_changed_since(run, assignment, condition, last))


def _changed_since(run: Run, assignment: Assignment, condition: Any, last: int) -> list[ChangedRow]:
    """What others did since to these rows, and to rows that may have been among them."""
    spec = assignment.spec
    names = [spec.name, *(child.name for child, _item, _relation in assignment.relations)]
    lines = lines_since(last, names, run.operator, KNOWN_SPECS, limit=_NAMED * 10)
    by_key = [(line.record_id if line.entity == spec.name else line.owner_id, line) for line in lines]
    keys = sorted({key for key, _line in by_key})
    some = condition & key_condition(spec.model._meta.primary_key, keys)
    inside = {row[0] for row in _keys_of(spec, some).tuples()}
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


def _owner_sql(spec: ModelSpec) -> tuple[str, str]:
    if spec.owner is None:
        return f"'{spec.name}'", "t.id"
    return f"'{spec.owner.references.name}'", f't."{spec.owner.column}"'


def _record_assignment(run: Run, assignment: Assignment, item: FieldSpec, stretch: _Stretch) -> None:
    spec, param = assignment.spec, database.param
    owner_entity, owner_id = _owner_sql(spec)
    old = item.type.sql_to_json(f't."{item.column}"', item, engine())
    different, given = assignment.expression(item, "t")
    if item.name in assignment.transforms:
        new, made = item.type.sql_to_json("x.made", item, engine()), given
        source = f'(SELECT t.*, {different} AS made FROM picked p JOIN "{spec.name}" t ON t.id = p.id '
        source += f"WHERE {stretch.of('p.id')} AND {stretch.of('t.id')}) x"
        # The subquery keeps the parameters of an expression that is asked for twice in one place.
        old = item.type.sql_to_json(f'x."{item.column}"', item, engine())
        title, title_params = _title(spec)
        database.execute_sql(
            f'INSERT INTO "change" ({", ".join(CHANGE_COLUMNS)}) '
            f"SELECT {param}, '{spec.name}', x.id, {owner_entity}, {owner_id.replace('t.', 'x.')}, "
            f"{title.replace('t.', 'x.')}, 'update', {param}, {param}, {old}, {new}, NULL FROM {source} "
            f'WHERE x."{item.column}" IS DISTINCT FROM x.made',
            [run.change_set, *title_params, item.name, str(item.label)[:120], *made],
        )
        return
    title, title_params = _title(spec)
    database.execute_sql(
        f'INSERT INTO "change" ({", ".join(CHANGE_COLUMNS)}) '
        f"SELECT {param}, '{spec.name}', t.id, {owner_entity}, {owner_id}, {title}, 'update', "
        f"{param}, {param}, "
        f'{old}, {param}, NULL FROM picked p JOIN "{spec.name}" t ON t.id = p.id '
        f'WHERE {stretch.of("p.id")} AND {stretch.of("t.id")} AND t."{item.column}" IS DISTINCT FROM {different}',
        [
            run.change_set,
            *title_params,
            item.name,
            str(item.label)[:120],
            json_of(item, assignment.values[item.name]),
            *given,
        ],
    )


def _title_sql(spec: ModelSpec) -> str:
    """Without a parameter: "" for a model that has no text of its own."""
    sql = title_sql(spec)
    return "''" if sql == database.param else sql


def _title(spec: ModelSpec) -> tuple[str, list[Any]]:
    sql = title_sql(spec)
    return sql, [str(spec.label)[:160]] if sql == database.param else []

"""What a set step would do, found by GROUP BY before anything is written.

Counts: `count` of a plan is `changed` + `same` + the refused; what is applied adds up the same way.
Errors: FaultList for values that no record takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import peewee

from flask_appadmin.changes.assign_rules import (
    Seen,
    as_rows,
    changed_by,
    look_at_rows,
    read_items,
    reads_rows,
    refuse_sealed,
)
from flask_appadmin.changes.assignment import (
    Assignment,
    count_changed,
    keys_of,
    rows_state,
    selected,
    without_some,
)
from flask_appadmin.changes.following import sources_of
from flask_appadmin.changes.relating import Relation, counted_values, relation_name
from flask_appadmin.changes.running import Run
from flask_appadmin.database import key_condition, utcnow
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.specs import FieldSpec, ModelSpec, shown

#: So many old values of a field are told one by one; the others are counted.
_GROUPS = 100
SAMPLES = 5


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
    #: Names the very rows and versions this plan was made of, and how many change; `apply` stops when they differ.
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


def plan_assign(
    selection: Any, values: dict[str, Any], operator: Operator, *, without: Iterable[int] = (), samples: int = 0
) -> AssignPlan:
    """What `assign` would do, found by GROUP BY; nothing is written. Raises FaultList for values no record takes.

    `samples`: so many records are shown before and after.
    """
    spec = selection.spec
    assignment = Assignment(spec, values, operator)
    condition = without_some(selection, without)
    state = rows_state(spec, condition, assignment)
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
    seen = Seen()
    if faulty or reads_rows(assignment):
        look_at_rows(run, assignment, condition, seen)
    refuse_sealed(assignment, condition, seen)
    refused = sorted(seen.refused)
    changed = count_changed(assignment, condition) - len(refused)
    shown_samples = _samples(run, assignment, condition, {key for key, _t, _r in refused}, samples, names)
    return AssignPlan(
        count,
        changed,
        groups,
        refused,
        json.dumps([*json.loads(state), changed]),
        rest,
        shown_samples,
        seen.effects(run, spec) if seen.extras or seen.written else [],
        children,
    )


def _groups_of(
    assignment: Assignment, item: FieldSpec, condition: Any, operator: Operator, names: ReferenceCache
) -> tuple[list[ValueGroup], tuple[int, int], bool]:
    """(the groups by old value, the largest first; (further old values, their records); whether some refuse)."""
    spec = assignment.spec
    sources = assignment.sources_of(item)
    columns = [spec.field(name).column_field for name in sources]
    counted = peewee.fn.COUNT(peewee.SQL("1"))
    query = selected(spec, condition, *columns, counted).group_by(*columns)
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
    present = counted_values(child, item, keys_of(spec, condition))
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


def _samples(
    run: Run, assignment: Assignment, condition: Any, refused: set[int], number: int, names: ReferenceCache
) -> list[Sample]:
    if number <= 0:
        return []
    spec = assignment.spec
    sql, params = assignment.differs('"t1"', relations=False)
    items = read_items(assignment, title=True)
    key_field = spec.model._meta.primary_key
    query = selected(spec, condition, key_field, *(item.column_field for item in items))
    query = query.where(peewee.SQL(sql, params)).order_by(key_field).limit(number)
    if refused:
        query = query.where(~key_condition(key_field, sorted(refused)))
    found = []
    rows = as_rows(query, items)
    sources = sources_of(spec, (row for _key, row in rows))
    for key, row in rows:
        changed, _faults = changed_by(run, assignment, key, row, sources)
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

"""The rules of the form asked about the rows of a set step, one by one, where they have a say in its fields.

What follows from a change within the record (`shown_when`, `mirrors`, `derive`), `validate`, values that may occur
once, sealed records. Plan and writing ask the same, so that what is shown is what is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import peewee

from flask_appadmin.changes.assignment import Assignment, selected
from flask_appadmin.changes.following import complete, dependent_fields, mirrored, sources_of
from flask_appadmin.changes.running import CHUNK, NewRecord, Run, Update, Written
from flask_appadmin.changes.unique import check_unique, unique_sets
from flask_appadmin.errors import AppAdminError, FieldError
from flask_appadmin.i18n import gettext
from flask_appadmin.specs import FieldSpec, ModelSpec


class Seen:
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


def reads_rows(assignment: Assignment) -> bool:
    """Whether rules have a say in these fields, so that each row must be looked at."""
    spec, names = assignment.spec, assignment.names
    model = spec.model
    concerned = {*model.rule_fields, *model.derive_fields, *spec.watched_fields}
    concerned |= {name for group in unique_sets(spec) for name in group}
    return bool(names & concerned or dependent_fields(spec, set(names)) - names)


def read_items(assignment: Assignment, *, title: bool) -> list[FieldSpec]:
    spec, touched = assignment.spec, set(assignment.names)
    names = touched | set(assignment.sources) | dependent_fields(spec, touched)
    model = spec.model
    for group in (model.rule_fields, spec.watched_fields, *unique_sets(spec)):
        if touched & set(group) or (group is model.rule_fields and names & set(group)):
            names |= set(group)
    if title:
        names |= {item.name for item in spec.title_specs}
    return [item for item in spec.data_fields if item.name in names]


def as_rows(query: Any, items: list[FieldSpec]) -> list[tuple[int, dict[str, Any]]]:
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


def changed_by(
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


def look_at_rows(run: Run, assignment: Assignment, condition: Any, seen: Seen) -> None:
    """Asks the rules of the form about each row that would change."""
    spec, model = assignment.spec, assignment.spec.model
    key_field = model._meta.primary_key
    items = read_items(assignment, title=True)
    sql, params = assignment.differs('"t1"', relations=False)
    query = selected(spec, condition, key_field, *(item.column_field for item in items))
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
            changed, faults = changed_by(run, assignment, key, row, sources)
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


def _refuse_doubles(run: Run, spec: ModelSpec, once: list[Any], titles: dict[int, str], seen: Seen) -> None:
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


def refuse_sealed(assignment: Assignment, condition: Any, seen: Seen) -> None:
    """Anonymised records are not changed any more; that stands in the preview, among those that refuse."""
    spec = assignment.spec
    if spec.model.sealed_when is None:
        return
    name, sealed = spec.model.sealed_when
    known = {key for key, _title, _reason in seen.refused}
    sql, params = assignment.differs('"t1"')
    items = list(spec.title_specs)
    query = selected(spec, condition, spec.model._meta.primary_key, *(item.column_field for item in items))
    query = query.where(spec.field(name).column_field == sealed, peewee.SQL(sql, params))
    reason = gettext("ist anonymisiert und wird nicht mehr geändert")
    seen.refused += [(key, spec.title_of(row), reason) for key, row in as_rows(query, items) if key not in known]

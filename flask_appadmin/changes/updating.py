"""Changed records: only what differs is written, and never over what somebody else changed meanwhile."""

from __future__ import annotations

from typing import Any

from flask_appadmin import search
from flask_appadmin.arrangements import checked, missing_by_layout, required_names
from flask_appadmin.changes.anonymising import Sealed
from flask_appadmin.changes.elsewhere import write_values
from flask_appadmin.changes.following import complete, dependent_fields, sources_of
from flask_appadmin.changes.running import (
    CHUNK,
    KNOWN_SPECS,
    SYSTEM_KINDS,
    NewRecord,
    Run,
    Update,
    insert_changes,
    json_of,
    owner_of,
    refuse,
    require,
)
from flask_appadmin.changes.unique import check_unique, unique_sets
from flask_appadmin.database import Prepared, database, engine, execute_many, key_condition
from flask_appadmin.errors import ConflictError, FieldError, NotFound
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import may_edit, visible, words_for
from flask_appadmin.specs import FieldSpec, ModelSpec, shown


def write_updates(run: Run, steps: list[Update]) -> None:
    by_spec: dict[str, list[Update]] = {}
    for step in steps:
        by_spec.setdefault(step.spec.name, []).append(step)
    for group in by_spec.values():
        for start in range(0, len(group), CHUNK):
            part = group[start : start + CHUNK]
            _update_part(run, group[start].spec, part)
            run.advance(len(part))


def _update_part(run: Run, spec: ModelSpec, steps: list[Update]) -> None:
    KNOWN_SPECS.setdefault(spec.name, spec)
    require(run, spec, "edit")
    touched = {name for step in steps for name in step.values}
    touched |= dependent_fields(spec, touched)
    rules = set(spec.model.rule_fields) if touched & set(spec.model.rule_fields) else set()
    uniques = {name for names in unique_sets(spec) if touched & set(names) for name in names}
    following = set(spec.watched_fields) if touched & set(spec.watched_fields) else set()
    # Whoever saves a form completes the record; a bulk change or a file is told about its own fields only.
    mandatory = required_names(run.operator, spec) if run.kind == "form" else frozenset[str]()
    names = touched | rules | uniques | mandatory | following | {item.name for item in spec.title_specs}
    if spec.owner is not None:
        names.add(spec.owner.name)
    seal = spec.model.sealed_when
    if seal is not None:
        names.add(seal[0])
    items = [item for item in spec.data_fields if item.name in names]
    current = _current_rows(run, spec, items, [step.key for step in steps])
    sources = sources_of(spec, ({**current.get(step.key, {}), **step.values} for step in steps))
    before = len(run.faults)
    planned: list[tuple[Update, dict[str, Any], dict[str, Any]]] = []
    for step in steps:
        row = current.get(step.key)
        if row is None:
            raise NotFound(spec, step.key)
        if seal is not None and row[seal[0]] == seal[1] and not run.by_rule:
            refuse(run, Sealed(f"{spec.label} {spec.title_of(row)}"), step.place, step.source)
            continue
        changed = _changed_values(run, step, row)
        if changed:
            complete(run, step, row, changed, sources)
        if changed:
            merged = {**row, **changed}
            for name in mandatory - set(step.values):
                if merged[name] is None:
                    refuse(run, missing_by_layout(spec.field(name)), step.place, step.source)
            if rules & set(changed):
                for fault in spec.model.validate({"id": step.key, **merged}, run):
                    refuse(run, fault, step.place, step.source)
            planned.append((step, row, changed))
    if uniques and len(run.faults) == before:
        rows = [(step.key, {**row, **changed}, step.place, step.source) for step, row, changed in planned]
        check_unique(
            run, spec, [entry for entry, (_s, _r, changed) in zip(rows, planned, strict=True) if uniques & set(changed)]
        )
    if len(run.faults) > before:
        return
    store_updates(run, spec, planned)


#: Fields -> the question for one row of a model: a save of the form asks it, and making its SQL takes longer than that.
_questions: dict[tuple[Any, ...], Prepared] = {}
_MOST_QUESTIONS = 500


def _current_rows(run: Run, spec: ModelSpec, items: list[FieldSpec], keys: list[int]) -> dict[int, dict[str, Any]]:
    key_field = spec.model._meta.primary_key
    condition = visible(run.operator, spec)

    def question(which: Any) -> Any:
        query = spec.model.select(key_field, *(item.column_field for item in items)).where(which)
        query = query if condition is None else query.where(condition)
        return query.order_by(key_field).for_update("FOR UPDATE") if engine() == "postgresql" else query

    names = [item.name for item in items]
    if len(keys) == 1 and condition is None:
        place = (spec.model, *items)
        asked = _questions.get(place)
        if asked is None:
            if len(_questions) >= _MOST_QUESTIONS:
                _questions.clear()
            asked = _questions[place] = Prepared(lambda key: question(key_field == key), 1)
        rows = asked(keys[0])
    else:
        rows = question(key_condition(key_field, keys)).tuples()
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def _changed_values(run: Run, step: Update, row: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name, value in step.values.items():
        item = step.spec.field(name)
        if isinstance(value, NewRecord):
            value = value.key
        try:
            value = checked(run.operator, item, value)
        except FieldError as fault:
            refuse(run, fault, step.place, step.source)
            continue
        old = row[name]
        if (value == old and type(value) is type(old)) or (item.secret and value is None):
            continue
        if not may_edit(run.operator, item):
            run.operator.require(f"{item.right}.edit")
        if (refusal := _read_only_fault(run, item, old, value)) is not None:
            refuse(run, refusal, step.place, step.source)
            continue
        if step.base is not None and name in step.base and step.base[name] != old:
            refuse(run, _conflict(run, step, item, value, old, row), step.place, step.source)
            continue
        if item.reason and old is not None:
            run.ask_why(item.label)
        if item.proof and value:
            run.ask_proof(item.label)
        changed[name] = value
    return changed


def _read_only_fault(run: Run, item: FieldSpec, old: Any, value: Any) -> FieldError | None:
    if not item.read_only or run.by_rule or run.kind in SYSTEM_KINDS:
        return None
    if item.read_only == "once_filled" and old is None:
        return None
    reason = (
        gettext("kann nicht mehr geändert werden")
        if item.read_only is not True
        else gettext("kann nicht geändert werden")
    )
    return FieldError(item, item.format(value), reason, gettext("Es bleibt bei „%(old)s“.", old=item.format(old)))


def _conflict(run: Run, step: Update, item: FieldSpec, ours: Any, theirs: Any, row: dict[str, Any]) -> ConflictError:
    last = (
        ChangeRecord.select(ChangeRecord, ChangeSetRecord)
        .join(ChangeSetRecord)
        .where(
            ChangeRecord.entity == step.spec.name, ChangeRecord.record_id == step.key, ChangeRecord.field == item.name
        )
        .order_by(ChangeRecord.id.desc())
        .first()
    )
    names = ReferenceCache()
    base = (step.base or {}).get(item.name)
    fault = ConflictError(
        f"{step.spec.label} {step.spec.title_of(row)}",
        item,
        shown(item, ours, names),
        _told(run, item, theirs, names),
        _told(run, item, base, names),
        who=last.change_set.user_name if last is not None else "",
        when=last.change_set.changed_at if last is not None else "",
        stored=theirs,
    )
    return fault


def _told(run: Run, item: FieldSpec, value: Any, names: ReferenceCache) -> str:
    """A value that somebody else wrote, as far as this operator may see it."""
    if item.secret:
        return "" if value is None else gettext("geändert")
    return words_for(run.operator, item, value, names)


def split_names(spec: ModelSpec, names: tuple[str, ...]) -> tuple[tuple[str, ...], list[FieldSpec]]:
    """The names of columns of the table, and the fields whose values stand elsewhere."""
    further = [item for item in spec.further_fields if item.name in names]
    return (names, []) if not further else (tuple(name for name in names if name in spec.data_names), further)


def store_updates(run: Run, spec: ModelSpec, planned: list[tuple[Update, dict[str, Any], dict[str, Any]]]) -> None:
    by_fields: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    history: list[tuple[Any, ...]] = []
    indexed = {item.name for item in search.indexed_fields(spec)}
    elsewhere: dict[FieldSpec, list[tuple[int, Any]]] = {}
    for step, row, changed in planned:
        run.turn(spec, {"id": step.key, **row}, {"id": step.key, **row, **changed}, step.place)
        names = tuple(sorted(changed))
        own, further = split_names(spec, names)
        stored = (spec.field(name).column_field.db_value(changed[name]) for name in own)
        by_fields.setdefault(own, []).append((*stored, run.moment, step.key))
        for item in further:
            elsewhere.setdefault(item, []).append((step.key, changed[item.name]))
        owner_entity, owner_id = owner_of(spec, step.key, row)
        title = spec.title_of({**row, **changed})[:160]
        for name in names if not run.rehearsal else ():
            item = spec.field(name)
            old, new = json_of(item, row[name]), json_of(item, changed[name])
            history.append(
                (
                    run.change_set,
                    spec.name,
                    step.key,
                    owner_entity,
                    owner_id,
                    title,
                    "update",
                    name,
                    str(item.label)[:120],
                    old,
                    new,
                    step.origins.get(name, step.source) or None,
                )
            )
        run.note(spec, step.key, row, {**row, **changed})
        if indexed & set(changed):
            run.touch(spec, step.key, owner_id if spec.owner is not None else None)
    param = database.param
    for names, rows in by_fields.items():
        columns = "".join(f'"{spec.field(name).column}" = {param}, ' for name in names)
        execute_many(
            f'UPDATE "{spec.name}" SET {columns}version = version + 1, updated_at = {param} WHERE id = {param}', rows
        )
    for item, values in elsewhere.items():
        write_values(item, values, run.moment)
    insert_changes(history)
    run.updated += len(planned) if spec.owner is None or run.kind != "form" else 0
    if spec.owner is not None and run.kind == "form" and planned:
        run.updated = max(run.updated, 1)

"""New records: defaults, numbers, rules, keys that are never given twice, and one snapshot each in the history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask_appadmin.arrangements import checked, presets_of, required_names
from flask_appadmin.changes.elsewhere import write_values
from flask_appadmin.changes.following import take_over
from flask_appadmin.changes.running import (
    CHUNK,
    KNOWN_SPECS,
    NewRecord,
    Run,
    depth,
    insert_changes,
    owner_of,
    refuse,
    require,
    snapshot,
    visible_keys,
)
from flask_appadmin.changes.unique import check_unique
from flask_appadmin.database import database, engine, execute_many
from flask_appadmin.errors import FieldError, NotFound
from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.history import COPIED
from flask_appadmin.rights import may_edit
from flask_appadmin.specs import ModelSpec


def write_creates(run: Run, records: list[NewRecord]) -> None:
    by_spec: dict[str, list[NewRecord]] = {}
    for record in records:
        by_spec.setdefault(record.spec.name, []).append(record)
    patches: list[tuple[ModelSpec, NewRecord, str, NewRecord]] = []
    written: list[NewRecord] = []
    for group in sorted(by_spec.values(), key=lambda group: depth(group[0].spec)):
        for start in range(0, len(group), CHUNK * 4):
            part = group[start : start + CHUNK * 4]
            if _insert_part(run, part, patches):
                written += part
            run.advance(len(part))
    for spec, record, name, target in patches:
        if target.key is None or record.key is None:
            continue
        column = spec.field(name).column
        database.execute_sql(
            f'UPDATE "{spec.name}" SET "{column}" = {database.param} WHERE id = {database.param}',
            (target.key, record.key),
        )
        record.values[name] = target.key
    rows = []
    for record in written if not run.rehearsal else ():
        assert record.key is not None
        owner_entity, owner_id = owner_of(record.spec, record.key, record.values)
        rows.append(
            (
                run.change_set,
                record.spec.name,
                record.key,
                owner_entity,
                owner_id,
                record.spec.title_of(record.values)[:160],
                "create",
                None,
                None,
                None,
                snapshot(record.spec, record.values),
                record.source or None,
            )
        )
        run.touch(record.spec, record.key, owner_id if record.spec.owner is not None else None)
    for record in written:
        assert record.key is not None
        run.note(record.spec, record.key, None, record.values)
    insert_changes(rows)
    run.created += sum(1 for record in written if record.spec.owner is None) or len(written)


def note_copies(run: Run, copied: Iterable[tuple[ModelSpec, int, str, NewRecord]]) -> None:
    """Tells the histories of the sources what was made of them; a field of theirs did not change."""
    insert_changes(
        [
            (
                run.change_set,
                spec.name,
                key,
                spec.name,
                key,
                title[:160],
                COPIED,
                None,
                None,
                None,
                json_text({"id": record.key, "title": spec.title_of(record.values)[:160]}),
                None,
            )
            for spec, key, title, record in copied
        ]
    )


def _insert_part(run: Run, records: list[NewRecord], patches: list[Any]) -> bool:
    spec = records[0].spec
    KNOWN_SPECS.setdefault(spec.name, spec)
    require(run, spec, "create" if spec.owner is None else "edit")
    if spec.owner is not None:
        _check_owners(run, spec, records)
    defaulted = [item for item in spec.own_fields if item.default is not None]
    # Presets are for who fills a form; files say themselves what they mean.
    presets = spec.model.starting_values(run.operator) if run.kind in ("form", "import") else {}
    presets |= presets_of(run.operator, spec) if run.kind == "form" else {}
    presets = {name: value for name, value in presets.items() if may_edit(run.operator, spec.field(name))}
    for record in records:
        values = record.values
        for name, value in presets.items():
            values.setdefault(name, value)
        for name, value in list(values.items()):
            if isinstance(value, NewRecord):
                if value.key is None:
                    patches.append((spec, record, name, value))
                values[name] = value.key
    spec.model.propose_many([record.values for record in records], run)
    for record in records:
        values = record.values
        for item in defaulted:
            if item.name not in values:
                values[item.name] = item.default_value()
    before = len(run.faults)
    if spec.model.mirrors:
        take_over(spec, [record.values for record in records])
    spec.model.prepare_many([record.values for record in records], run)
    unresolved = {(id(record), name) for _spec, record, name, _target in patches}
    for record in records:
        _check_new(run, record, unresolved)
    if len(run.faults) == before:
        check_unique(run, spec, [(None, record.values, record.place, record.source) for record in records])
    if run.faults:
        return False  # nothing will be written any more; what follows is still checked, so that all faults are told
    filled = {name for record in records for name, value in record.values.items() if value is not None}
    names = [item for item in spec.own_fields if item.name in filled]
    keys = next_keys(spec, len(records))
    columns = ["id", "version", "created_at", "updated_at", *(item.column for item in names)]
    marks = ", ".join([database.param] * len(columns))
    quoted = ", ".join(f'"{column}"' for column in columns)
    rows = []
    # Most values stand in the database as they are; asking Peewee for each of hundreds of cells took longest.
    converted = spec.converted_fields
    writers = [(item.name, item.column_field.db_value if item.name in converted else None) for item in names]
    for key, record in zip(keys, records, strict=True):
        record.key = key
        get = record.values.get
        stored = (write(get(name)) if write and get(name) is not None else get(name) for name, write in writers)
        rows.append((key, 1, run.moment, run.moment, *stored))
    execute_many(f'INSERT INTO "{spec.name}" ({quoted}) VALUES ({marks})', rows)
    for item in spec.further_fields:
        if item.name in filled:
            given = [(key, record.values.get(item.name)) for key, record in zip(keys, records, strict=True)]
            write_values(item, [pair for pair in given if pair[1] is not None], run.moment)
    return True


def next_keys(spec: ModelSpec, count: int) -> Sequence[int]:
    """Keys for new records of a table, in the running transaction; none is ever given twice."""
    if engine() == "sqlite":
        row = database.execute_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (spec.name,)).fetchone()
        first = (row[0] if row else 0) + 1
        return range(first, first + count)
    rows = database.execute_sql(
        "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", (f'"{spec.name}"', count)
    ).fetchall()
    return [row[0] for row in rows]


def _check_owners(run: Run, spec: ModelSpec, records: list[NewRecord]) -> None:
    """Children may only be added below records that the operator sees."""
    owner = spec.owner
    assert owner is not None
    keys = {record.values[owner.name] for record in records if isinstance(record.values.get(owner.name), int)}
    if not keys:
        return
    found = visible_keys(run.operator, owner.references, keys)
    for missing in sorted(keys - found)[:1]:
        raise NotFound(owner.references, missing)


def _check_new(run: Run, record: NewRecord, unresolved: set[tuple[int, str]]) -> None:
    spec, values = record.spec, record.values
    item_defaults = spec.constant_defaults
    mandatory = required_names(run.operator, spec)
    for name in (*(item.name for item in spec.required_fields), *mandatory):
        values.setdefault(name, None)
    for name, value in list(values.items()):
        item: Any = spec.by_name.get(name)
        if value is item_defaults.get(name, unresolved) or (
            value is None and item is not None and not item.required and name not in mandatory
        ):
            continue  # a default is right by declaration; nothing may stand where nothing is asked for
        if item is None or (id(record), name) in unresolved:
            continue
        try:
            if item.right and value is not None and not may_edit(run.operator, item) and value != item.default_value():
                run.operator.require(f"{item.right}.edit")
            values[name] = checked(run.operator, item, value)
        except FieldError as fault:
            refuse(run, fault, record.place, record.source)
    for broken in spec.model.validate(values, run):
        refuse(run, broken, record.place, record.source)

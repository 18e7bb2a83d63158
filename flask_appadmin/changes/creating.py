"""New records: defaults, numbers, rules, keys that are never given twice, and one snapshot each in the history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask_appadmin.arrangements import presets_of
from flask_appadmin.changes.columnwise import Columns
from flask_appadmin.changes.elsewhere import write_values
from flask_appadmin.changes.following import take_over
from flask_appadmin.changes.proving import proven_fields
from flask_appadmin.changes.running import (
    CHUNK,
    KNOWN_SPECS,
    NewRecord,
    Run,
    depth,
    insert_changes,
    insert_creations,
    refuse,
    require,
    visible_keys,
)
from flask_appadmin.changes.unique import check_unique
from flask_appadmin.database import Record, database, engine
from flask_appadmin.errors import NotFound
from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.history import COPIED
from flask_appadmin.rights import may_edit
from flask_appadmin.specs import ModelSpec


def write_creates(run: Run, records: list[NewRecord]) -> None:
    by_spec: dict[str, list[NewRecord]] = {}
    for record in records:
        by_spec.setdefault(record.spec.name, []).append(record)
    patches: list[tuple[ModelSpec, NewRecord, str, NewRecord]] = []
    #: Parts whose references wait for records of this set that come later.
    waiting: list[list[NewRecord]] = []
    for group in sorted(by_spec.values(), key=lambda group: depth(group[0].spec)):
        for start in range(0, len(group), CHUNK * 4):
            part = group[start : start + CHUNK * 4]
            known = len(patches)
            columns = _insert_part(run, part, patches)
            if columns is not None and len(patches) == known:
                _note(run, part, columns)
            elif columns is not None:
                waiting.append(part)
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
    for part in waiting:
        _note(run, part, Columns(part[0].spec, [record.values for record in part]))
    written = [record for record in records if record.key is not None]
    for item in proven_fields({record.spec.name: record.spec for record in written}.values()):
        if any(record.values.get(item.name) for record in written if record.spec.name == item.model_name):
            run.ask_proof(item.label)
    run.created += sum(1 for record in written if record.spec.owner is None) or len(written)


def _note(run: Run, records: list[NewRecord], columns: Columns) -> None:
    """Notes the stored records in the history, and for whatever follows from them."""
    spec, owner = records[0].spec, records[0].spec.owner
    for record in records if spec.watched_fields else ():
        assert record.key is not None
        run.note(spec, record.key, None, record.values)
    if run.rehearsal:
        return
    holder = spec.name if owner is None else owner.references.name
    rows = []
    for record, content in zip(records, columns.snapshots(), strict=True):
        key, values = record.key, record.values
        owner_id = key if owner is None else values.get(owner.name) or 0
        rows.append((key, owner_id, spec.title_of(values)[:160], content, record.source or None))
        assert key is not None
        run.touch(spec, key, owner_id if owner is not None else None)
    insert_creations(run.change_set, spec.name, holder, rows)


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


def _insert_part(run: Run, records: list[NewRecord], patches: list[Any]) -> Columns | None:
    """Stores new records of one table; None where something was refused, so that nothing will be stored any more."""
    spec, rows = records[0].spec, [record.values for record in records]
    KNOWN_SPECS.setdefault(spec.name, spec)
    require(run, spec, "create" if spec.owner is None else "edit")
    if spec.owner is not None:
        _check_owners(run, spec, records)
    # Presets are for who fills a form; files say themselves what they mean.
    presets = spec.model.starting_values(run.operator) if run.kind in ("form", "import") else {}
    presets |= presets_of(run.operator, spec) if run.kind == "form" else {}
    presets = {name: value for name, value in presets.items() if may_edit(run.operator, spec.field(name))}
    unresolved: set[tuple[int, str]] = set()
    for place, record in enumerate(records):
        values = record.values
        for name, value in presets.items():
            values.setdefault(name, value)
        for name, value in list(values.items()):
            if value.__class__ is NewRecord:
                if value.key is None:
                    patches.append((spec, record, name, value))
                    unresolved.add((place, name))
                values[name] = value.key
    spec.model.propose_many(rows, run)
    _fill_defaults(spec, rows)
    before = len(run.faults)
    if spec.model.mirrors:
        take_over(spec, rows)
    spec.model.prepare_many(rows, run)
    columns = Columns(spec, rows)
    refused = columns.check(run.operator, unresolved)
    has_rules = spec.model.validate.__func__ is not Record.validate.__func__  # type: ignore[attr-defined]
    for place, record in enumerate(records) if has_rules or refused else ():
        for broken in (*refused.get(place, ()), *spec.model.validate(record.values, run)):
            refuse(run, broken, record.place, record.source)
    if len(run.faults) == before:
        check_unique(run, spec, [(None, record.values, record.place, record.source) for record in records])
    if run.faults:
        return None  # nothing will be written any more; what follows is still checked, so that all faults are told
    keys = next_keys(spec, len(records))
    for key, record in zip(keys, records, strict=True):
        record.key = key
    columns.insert(keys, run.moment)
    filled = columns.filled() if spec.further_fields else ()
    for item in spec.further_fields:
        if item.name in filled:
            given = [(key, values.get(item.name)) for key, values in zip(keys, rows, strict=True)]
            write_values(item, [pair for pair in given if pair[1] is not None], run.moment)
    return columns


def _fill_defaults(spec: ModelSpec, rows: list[dict[str, Any]]) -> None:
    """Gives the fields that a row does not name their defaults."""
    named: set[str] = set().union(*rows)
    constants = spec.constant_defaults
    nowhere = {name: value for name, value in constants.items() if name not in named}
    somewhere = [(name, value) for name, value in constants.items() if name in named]
    made = [item for item in spec.own_fields if callable(item.default)]
    for values in rows:
        for name, value in somewhere:
            values.setdefault(name, value)
        values.update(nowhere)
        for item in made:
            if item.name not in values:
                values[item.name] = item.default_value()


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

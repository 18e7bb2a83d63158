"""The change gateway: plans, applies and takes back changes. The only file that writes business records.

Shape: a ChangeSet is one operation with steps. *Record steps* (create, update, delete) carry values; a *set step* (assign)
carries a selection and one value per field and is written by the database itself, never row by row; *undo* is the inverse
of a whole set, found by joining its history with the records. `apply` runs everything in one transaction: records,
children, history, search index, or nothing at all.
Order inside a set: removals, new records (owners before children), changes; a removal that others still point to waits
until the changes are written.
Units: values are Python values as FieldSpec.check answers them; references are keys, or a NewRecord of the same set.
Errors: FaultList with a FieldError for each refused value, ConflictError where somebody else was faster, PlanChanged where
the rows are no longer those that were shown, NotAllowed from the gate. After an error nothing is written.
Source: design.md section 3.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee

from flask_appadmin import search
from flask_appadmin.database import database, engine, in_transaction, key_condition, utcnow
from flask_appadmin.errors import AppAdminError, ConflictError, FaultList, FieldError, NotFound, PlanChanged
from flask_appadmin.fieldtypes import ReferenceCache, json_text
from flask_appadmin.history import KINDS, SECRET, ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import gettext, ngettext
from flask_appadmin.rights import Operator, may_edit, visible
from flask_appadmin.specs import FieldSpec, ModelSpec, shown, spec_of

#: Kinds of operation that may fill fields people cannot type into (numbers, marks of the system).
_SYSTEM_KINDS = ("load", "setup", "undo", "copy", "full_copy")

_CHUNK = 500


class StillUsed(AppAdminError):
    """A record that others refer to and that therefore stays."""

    status = 409

    def __init__(self, title: str, users: Sequence[str]) -> None:
        super().__init__(title, users)
        self.title = title
        self.users = list(users)

    def sentence(self) -> str:
        return gettext(
            "%(title)s wird noch verwendet (%(users)s) und wurde nicht gelöscht.",
            title=self.title,
            users=", ".join(self.users[:5]),
        )


class NewRecord:
    """A record that the set will make; stands for its key in other steps of the same set."""

    def __init__(self, spec: ModelSpec, values: dict[str, Any], source: str, place: tuple[str, str] | None) -> None:
        self.spec = spec
        self.values = values
        self.source = source
        #: Where in a form it stands: (child table, row key).
        self.place = place
        #: The database key, known once the set is applied.
        self.key: int | None = None


@dataclass
class _Update:
    spec: ModelSpec
    key: int
    values: dict[str, Any]
    #: What the values were when the operator saw them; without it the record as it is now counts.
    base: dict[str, Any] | None
    source: str
    place: tuple[str, str] | None


@dataclass
class _Delete:
    spec: ModelSpec
    key: int
    source: str


@dataclass
class _Assign:
    selection: Any
    values: dict[str, Any]
    expected: str
    without: frozenset[int]


@dataclass(frozen=True)
class Applied:
    """What came of a set: its key in the history (None when nothing had to be written) and counts."""

    change_set: int | None
    created: int = 0
    updated: int = 0
    deleted: int = 0
    #: What was left alone, with the reason (undo of values that were changed again).
    skipped: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return self.created + self.updated + self.deleted


@dataclass(frozen=True)
class ValueGroup:
    """How many of the selected records have this value now."""

    count: int
    old: str
    new: str
    #: The value stays as it is.
    same: bool


@dataclass(frozen=True)
class AssignPlan:
    """What a set step would do: per field the old values with counts, and the records that refuse."""

    count: int
    changed: int
    groups: dict[str, list[ValueGroup]]
    #: (key, title, reason) of records whose rules refuse the new values.
    refused: list[tuple[int, str, str]]
    #: Names the very rows and versions this plan was made of; `apply` stops when they differ.
    state: str


@dataclass(frozen=True)
class UndoConflict:
    """A value that was changed again since; it stays."""

    title: str
    label: str
    #: What it would have been set back to, and what stands there now.
    wanted: str
    current: str
    who: str = ""
    reason: str = ""


@dataclass(frozen=True)
class UndoPlan:
    change_set: int
    updated: int
    removed: int
    restored: int
    conflicts: list[UndoConflict]
    conflict_count: int

    @property
    def count(self) -> int:
        return self.updated + self.removed + self.restored


@dataclass
class _Run:
    """One apply in progress: the context that `prepare` and `validate` of the models see, and what to finish at the end."""

    kind: str
    operator: Operator
    source: str
    moment: Any
    change_set: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    faults: list[AppAdminError] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    #: Model name -> keys of records whose search text may have changed.
    touched: dict[str, set[int]] = field(default_factory=dict)
    forgotten: dict[str, set[int]] = field(default_factory=dict)
    #: Free for the models' rules: what one step finds out and the next one needs.
    memory: dict[str, Any] = field(default_factory=dict)

    def touch(self, spec: ModelSpec, key: int, owner_key: int | None) -> None:
        if spec.owner is not None and owner_key is not None:
            self.touched.setdefault(spec.owner.references.name, set()).add(owner_key)
        elif search.has_index(spec):
            self.touched.setdefault(spec.name, set()).add(key)


class ChangeSet:
    """One operation: collect its steps, then `apply(operator)`.

    kind: key of `history.KINDS`. reason: the operator's own words. source: through what (file name). title: what the list
    of operations shows; made from the counts when empty.
    """

    def __init__(self, kind: str, *, reason: str = "", source: str = "", title: str = "", details: Any = None) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown kind of operation: {kind}")
        self.kind = kind
        self.reason = reason.strip()[:255]
        self.source = source.strip()[:255]
        self.title = title
        self.details = details
        self._creates: list[NewRecord] = []
        self._updates: list[_Update] = []
        self._deletes: list[_Delete] = []
        self._assigns: list[_Assign] = []
        self._undo_of: int | None = None
        self._main: ModelSpec | None = None

    # --- collecting steps -----------------------------------------------------------------------------------------------

    def create(
        self, model: Any, values: dict[str, Any], *, source: str = "", place: tuple[str, str] | None = None
    ) -> NewRecord:
        """Plans a new record; the answer stands for its key in further steps."""
        record = NewRecord(self._spec(model), dict(values), source, place)
        self._creates.append(record)
        return record

    def update(
        self,
        model: Any,
        key: int,
        values: dict[str, Any],
        *,
        base: dict[str, Any] | None = None,
        source: str = "",
        place: tuple[str, str] | None = None,
    ) -> None:
        """Plans new values for a record. `base` is what the operator saw: a value that differs from it now is a conflict."""
        if values:
            self._updates.append(_Update(self._spec(model), int(key), dict(values), base, source, place))

    def delete(self, model: Any, key: int, *, source: str = "") -> None:
        """Plans the removal of a record with its children."""
        self._deletes.append(_Delete(self._spec(model), int(key), source))

    def assign(
        self, selection: Any, values: dict[str, Any], *, expected: str = "", without: Iterable[int] = ()
    ) -> None:
        """Plans one value per field for all selected records. `expected` is the `state` of the plan that was shown."""
        self._main = self._main or selection.spec
        self._assigns.append(_Assign(selection, dict(values), expected, frozenset(without)))

    @classmethod
    def undo(cls, change_set: int, *, reason: str = "") -> ChangeSet:
        """The set that takes back another one, as far as nobody changed the same values since."""
        original = ChangeSetRecord.get_or_none(ChangeSetRecord.id == change_set)
        if original is None:
            raise NotFound()
        title = gettext("Zurückgenommen: %(title)s", title=original.title)[:255]
        made = cls("undo", reason=reason, title=title)
        made._undo_of = change_set
        return made

    def _spec(self, model: Any) -> ModelSpec:
        spec = model if isinstance(model, ModelSpec) else spec_of(model)
        self._main = self._main or spec
        return spec

    @property
    def is_empty(self) -> bool:
        return not (self._creates or self._updates or self._deletes or self._assigns or self._undo_of)

    # --- applying -------------------------------------------------------------------------------------------------------

    def apply(self, operator: Operator) -> Applied:
        """Writes everything in one transaction, or nothing; raises FaultList with all that was refused."""
        if self.is_empty:
            return Applied(None)
        try:
            return in_transaction(lambda: self._write(operator))
        except _NothingToWrite as nothing:
            return Applied(None, skipped=tuple(nothing.skipped))
        except peewee.IntegrityError as fault:
            # What the checks could not foresee (another process was faster): the engine's own words stay inside.
            raise FaultList([_integrity_fault(fault)]) from fault

    def rehearse(self, operator: Operator) -> Applied:
        """Runs everything and takes it back at once: the same faults and counts as `apply`, nothing written."""

        def work() -> Applied:
            raise _Rehearsed(self._write(operator))

        try:
            return in_transaction(work)
        except _Rehearsed as rehearsed:
            for record in self._creates:
                record.key = None
            return rehearsed.applied
        except _NothingToWrite as nothing:
            return Applied(None, skipped=tuple(nothing.skipped))
        except peewee.IntegrityError as fault:
            raise FaultList([_integrity_fault(fault)]) from fault

    def _write(self, operator: Operator) -> Applied:
        run = _Run(self.kind, operator, self.source, utcnow())
        main = self._main
        if self._undo_of is not None:
            original = ChangeSetRecord.get_by_id(self._undo_of)
            entity = original.entity
        else:
            assert main is not None
            entity = main.name
        run.change_set = ChangeSetRecord.insert(
            user=operator.user_id,
            user_name=operator.name[:80],
            kind=self.kind,
            changed_at=run.moment,
            reason=self.reason or None,
            source=self.source or None,
            entity=entity,
            title=self.title[:255] or "…",
            undo_of=self._undo_of,
            details=self.details,
        ).execute()
        if self._undo_of is not None:
            _write_undo(run, self._undo_of)
        waiting = _write_deletes(run, self._deletes, may_wait=True)
        _write_creates(run, self._creates)
        _write_updates(run, self._updates)
        for assign in self._assigns:
            _write_assign(run, assign)
        _write_deletes(run, waiting, may_wait=False)
        if run.faults:
            raise FaultList(run.faults)
        if not (run.created or run.updated or run.deleted):
            raise _NothingToWrite(run.skipped)
        _refresh_search(run)
        title = self.title or _operation_title(self.kind, main, run, self._creates, self._updates, self._deletes)
        ChangeSetRecord.update(
            title=title[:255], created_count=run.created, updated_count=run.updated, deleted_count=run.deleted
        ).where(ChangeSetRecord.id == run.change_set).execute()
        return Applied(run.change_set, run.created, run.updated, run.deleted, tuple(run.skipped))


class _NothingToWrite(Exception):
    """Leaves the transaction without a trace when every value is there already."""

    def __init__(self, skipped: list[str]) -> None:
        super().__init__()
        self.skipped = skipped


class _Rehearsed(Exception):
    def __init__(self, applied: Applied) -> None:
        super().__init__()
        self.applied = applied


def _integrity_fault(fault: Exception) -> AppAdminError:
    text = str(fault).lower()
    if "foreign" in text:
        return AppAdminError(
            gettext(
                "Ein Datensatz wird noch von anderen verwendet oder ist inzwischen gelöscht. Es wurde nichts gespeichert."
            )
        )
    return AppAdminError(
        gettext("Ein Wert, der nur einmal vorkommen darf, ist inzwischen vergeben. Es wurde nichts gespeichert.")
    )


def _operation_title(
    kind: str,
    main: ModelSpec | None,
    run: _Run,
    creates: list[NewRecord],
    updates: list[_Update],
    deletes: list[_Delete],
) -> str:
    assert main is not None
    single = [record for record in creates if record.spec is main]
    keys = {step.key for step in updates if step.spec is main} | {step.key for step in deletes if step.spec is main}
    if kind in ("form", "copy", "full_copy", "delete") and len(single) + len(keys) == 1:
        row = (
            ChangeRecord.select(ChangeRecord.record_title)
            .where(ChangeRecord.change_set == run.change_set, ChangeRecord.entity == main.name)
            .order_by(ChangeRecord.id.desc())
            .first()
        )
        if row is not None:
            return f"{main.label} {row.record_title}"
    count = run.created + run.updated + run.deleted
    return ngettext(
        "%(count)s Datensatz in „%(plural)s“", "%(count)s Datensätze in „%(plural)s“", count, plural=str(main.plural)
    )


def _refresh_search(run: _Run) -> None:
    for name, keys in run.touched.items():
        gone = run.forgotten.get(name, set())
        spec = _known_specs[name]
        search.refresh(spec, sorted(keys - gone))
    for name, keys in run.forgotten.items():
        search.forget(_known_specs[name], sorted(keys))


#: Table -> spec of every model that a set has met or that the registry declared; histories name tables.
_known_specs: dict[str, ModelSpec] = {}


def know(specs: Iterable[ModelSpec]) -> None:
    """Tells the gateway all models, so that undo and histories find them by their table's name."""
    _known_specs.update({spec.name: spec for spec in specs})


def known_specs() -> dict[str, ModelSpec]:
    return _known_specs


# --- history rows -------------------------------------------------------------------------------------------------------

_CHANGE_COLUMNS = (
    "change_set_id",
    "entity",
    "record_id",
    "owner_entity",
    "owner_id",
    "record_title",
    "action",
    "field",
    "field_label",
    "old_value",
    "new_value",
    "source",
)


def _insert_changes(rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    marks = ", ".join([database.param] * len(_CHANGE_COLUMNS))
    database.cursor().executemany(f'INSERT INTO "change" ({", ".join(_CHANGE_COLUMNS)}) VALUES ({marks})', rows)


def _owner_of(spec: ModelSpec, key: int, values: dict[str, Any]) -> tuple[str, int]:
    if spec.owner is None:
        return spec.name, key
    return spec.owner.references.name, values.get(spec.owner.name) or 0


def _json_of(spec: FieldSpec, value: Any) -> str:
    if value is not None and spec.secret:
        return SECRET
    return json_text(spec.type.to_json(value, spec))


def _snapshot(spec: ModelSpec, values: dict[str, Any]) -> str:
    """All filled values of a record as one JSON object; secrets only as "changed"."""
    content = {}
    for name, value in values.items():
        item = spec.by_name.get(name)
        if value is not None and item is not None and not item.is_system:
            content[name] = "••••" if item.secret else item.type.to_json(value, item)
    return json_text(content)


# --- new records --------------------------------------------------------------------------------------------------------


def _depth(spec: ModelSpec) -> int:
    return 0 if spec.owner is None or spec.owner.target is spec.model else 1 + _depth(spec.owner.references)


def _write_creates(run: _Run, records: list[NewRecord]) -> None:
    by_spec: dict[str, list[NewRecord]] = {}
    for record in records:
        by_spec.setdefault(record.spec.name, []).append(record)
    patches: list[tuple[ModelSpec, NewRecord, str, NewRecord]] = []
    written: list[NewRecord] = []
    for group in sorted(by_spec.values(), key=lambda group: _depth(group[0].spec)):
        for start in range(0, len(group), _CHUNK * 4):
            part = group[start : start + _CHUNK * 4]
            if _insert_part(run, part, patches):
                written += part
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
    for record in written:
        assert record.key is not None
        owner_entity, owner_id = _owner_of(record.spec, record.key, record.values)
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
                _snapshot(record.spec, record.values),
                record.source or None,
            )
        )
        run.touch(record.spec, record.key, owner_id if record.spec.owner is not None else None)
    _insert_changes(rows)
    run.created += sum(1 for record in written if record.spec.owner is None) or len(written)


def _insert_part(run: _Run, records: list[NewRecord], patches: list[Any]) -> bool:
    spec = records[0].spec
    _known_specs.setdefault(spec.name, spec)
    _require(run, spec, "create" if spec.owner is None else "edit")
    if spec.owner is not None:
        _check_owners(run, spec, records)
    defaulted = [item for item in spec.data_fields if item.default is not None]
    for record in records:
        values = record.values
        for item in defaulted:
            if item.name not in values:
                values[item.name] = item.default_value()
        for name, value in list(values.items()):
            if isinstance(value, NewRecord):
                if value.key is None:
                    patches.append((spec, record, name, value))
                values[name] = value.key
    before = len(run.faults)
    spec.model.prepare_many([record.values for record in records], run)
    unresolved = {(id(record), name) for _spec, record, name, _target in patches}
    for record in records:
        _check_new(run, record, unresolved)
    if len(run.faults) == before:
        _check_unique(run, spec, [(None, record.values, record.place, record.source) for record in records])
    if len(run.faults) > before:
        return False
    filled = {name for record in records for name, value in record.values.items() if value is not None}
    names = [item for item in spec.data_fields if item.name in filled]
    keys = next_keys(spec, len(records))
    columns = ["id", "version", "created_at", "updated_at", *(item.column for item in names)]
    marks = ", ".join([database.param] * len(columns))
    quoted = ", ".join(f'"{column}"' for column in columns)
    rows = []
    writers = [(item.name, item.column_field.db_value) for item in names]
    for key, record in zip(keys, records, strict=True):
        record.key = key
        get = record.values.get
        stored = (write(get(name)) for name, write in writers)
        rows.append((key, 1, run.moment, run.moment, *stored))
    database.cursor().executemany(f'INSERT INTO "{spec.name}" ({quoted}) VALUES ({marks})', rows)
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


def _require(run: _Run, spec: ModelSpec, verb: str) -> None:
    run.operator.require(f"{spec.right}.{verb}")


def _check_owners(run: _Run, spec: ModelSpec, records: list[NewRecord]) -> None:
    """Children may only be added below records that the operator sees."""
    owner = spec.owner
    assert owner is not None
    keys = {record.values[owner.name] for record in records if isinstance(record.values.get(owner.name), int)}
    if not keys:
        return
    found = _visible_keys(run.operator, owner.references, keys)
    for missing in sorted(keys - found)[:1]:
        raise NotFound(owner.references, missing)


def _visible_keys(operator: Operator, spec: ModelSpec, keys: Iterable[int]) -> set[int]:
    key_field = spec.model._meta.primary_key
    query = spec.model.select(key_field).where(key_condition(key_field, sorted(keys)))
    condition = visible(operator, spec)
    return {row[0] for row in (query if condition is None else query.where(condition)).tuples()}


def _check_new(run: _Run, record: NewRecord, unresolved: set[tuple[int, str]]) -> None:
    spec, values = record.spec, record.values
    item_defaults = spec.constant_defaults
    for item in spec.required_fields:
        values.setdefault(item.name, None)
    for name, value in list(values.items()):
        item = spec.by_name.get(name)
        if value is item_defaults.get(name, unresolved) or (value is None and item is not None and not item.required):
            continue  # a default is right by declaration; nothing may stand where nothing is asked for
        if item is None or (id(record), name) in unresolved:
            continue
        try:
            if item.right and value is not None and not may_edit(run.operator, item) and value != item.default_value():
                run.operator.require(f"{item.right}.edit")
            values[name] = item.check(value)
        except FieldError as fault:
            _refuse(run, fault, record.place, record.source)
    for fault in spec.model.validate(values, run):
        _refuse(run, fault, record.place, record.source)


def _refuse(run: _Run, fault: Any, place: tuple[str, str] | None, source: str) -> None:
    fault.place = place or getattr(fault, "place", None)
    fault.source = source
    run.faults.append(fault)


def _check_unique(run: _Run, spec: ModelSpec, rows: list[tuple[int | None, dict[str, Any], Any, str]]) -> None:
    """Values that may occur once: against the table and among the rows themselves. rows: (own key, values, place, source)."""
    for names in unique_sets(spec):
        items = [spec.field(name) for name in names]
        wanted: dict[tuple[Any, ...], list[tuple[int | None, Any, str]]] = {}
        for key, values, place, source in rows:
            if not all(name in values for name in names):
                continue
            value = tuple(values[name] for name in names)
            if any(part is None or isinstance(part, NewRecord) for part in value):
                continue
            wanted.setdefault(value, []).append((key, place, source))
        if not wanted:
            continue
        taken = _taken(spec, items, wanted)
        for value, places in wanted.items():
            for position, (key, place, source) in enumerate(places):
                others = taken.get(value, set()) - {key}
                if others or position:
                    _refuse(run, _unique_fault(spec, items, value), place, source)


def unique_sets(spec: ModelSpec) -> list[tuple[str, ...]]:
    """The groups of fields whose values may occur only once together."""
    found = [(item.name,) for item in spec.data_fields if item.unique]
    for item in spec.data_fields:
        if item.unique_with:
            found.append((*item.unique_with, item.name))
    return found


def _taken(
    spec: ModelSpec, items: list[FieldSpec], wanted: dict[tuple[Any, ...], Any]
) -> dict[tuple[Any, ...], set[int]]:
    key_field = spec.model._meta.primary_key
    taken: dict[tuple[Any, ...], set[int]] = {}
    first = items[0]
    values = sorted({value[0] for value in wanted}, key=str)
    for start in range(0, len(values), _CHUNK):
        query = spec.model.select(key_field, *(item.column_field for item in items))
        for row in query.where(first.column_field.in_(values[start : start + _CHUNK])).tuples():
            if tuple(row[1:]) in wanted:
                taken.setdefault(tuple(row[1:]), set()).add(row[0])
    return taken


def _unique_fault(spec: ModelSpec, items: list[FieldSpec], value: tuple[Any, ...]) -> FieldError:
    item = items[-1]
    own_words = spec.model.unique_messages.get(item.name)
    if own_words is not None:
        return FieldError(item, None, str(own_words))
    return FieldError(item, item.format(value[-1]), gettext("ist bereits vorhanden"))


# --- changed records ----------------------------------------------------------------------------------------------------


def _write_updates(run: _Run, steps: list[_Update]) -> None:
    by_spec: dict[str, list[_Update]] = {}
    for step in steps:
        by_spec.setdefault(step.spec.name, []).append(step)
    for group in by_spec.values():
        for start in range(0, len(group), _CHUNK):
            _update_part(run, group[start].spec, group[start : start + _CHUNK])


def _update_part(run: _Run, spec: ModelSpec, steps: list[_Update]) -> None:
    _known_specs.setdefault(spec.name, spec)
    _require(run, spec, "edit")
    touched = {name for step in steps for name in step.values}
    rules = set(spec.model.rule_fields) if touched & set(spec.model.rule_fields) else set()
    uniques = {name for names in unique_sets(spec) if touched & set(names) for name in names}
    names = touched | rules | uniques | {item.name for item in spec.title_specs}
    if spec.owner is not None:
        names.add(spec.owner.name)
    items = [item for item in spec.data_fields if item.name in names]
    current = _current_rows(run, spec, items, [step.key for step in steps])
    before = len(run.faults)
    planned: list[tuple[_Update, dict[str, Any], dict[str, Any]]] = []
    for step in steps:
        row = current.get(step.key)
        if row is None:
            raise NotFound(spec, step.key)
        changed = _changed_values(run, step, row)
        if changed:
            merged = {**row, **changed}
            if rules & set(changed):
                for fault in spec.model.validate({"id": step.key, **merged}, run):
                    _refuse(run, fault, step.place, step.source)
            planned.append((step, row, changed))
    if uniques and len(run.faults) == before:
        rows = [(step.key, {**row, **changed}, step.place, step.source) for step, row, changed in planned]
        _check_unique(
            run, spec, [entry for entry, (_s, _r, changed) in zip(rows, planned, strict=True) if uniques & set(changed)]
        )
    if len(run.faults) > before:
        return
    _store_updates(run, spec, planned)


def _current_rows(run: _Run, spec: ModelSpec, items: list[FieldSpec], keys: list[int]) -> dict[int, dict[str, Any]]:
    key_field = spec.model._meta.primary_key
    query = spec.model.select(key_field, *(item.column_field for item in items)).where(key_condition(key_field, keys))
    condition = visible(run.operator, spec)
    if condition is not None:
        query = query.where(condition)
    if engine() == "postgresql":
        query = query.order_by(key_field).for_update("FOR UPDATE")
    names = [item.name for item in items]
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in query.tuples()}


def _changed_values(run: _Run, step: _Update, row: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name, value in step.values.items():
        item = step.spec.field(name)
        if isinstance(value, NewRecord):
            value = value.key
        try:
            value = item.check(value)
        except FieldError as fault:
            _refuse(run, fault, step.place, step.source)
            continue
        old = row[name]
        if (value == old and type(value) is type(old)) or (item.secret and value is None):
            continue
        if not may_edit(run.operator, item):
            run.operator.require(f"{item.right}.edit")
        if (fault := _read_only_fault(run, item, old, value)) is not None:
            _refuse(run, fault, step.place, step.source)
            continue
        if step.base is not None and name in step.base and step.base[name] != old:
            _refuse(run, _conflict(step, item, value, old, row), step.place, step.source)
            continue
        changed[name] = value
    return changed


def _read_only_fault(run: _Run, item: FieldSpec, old: Any, value: Any) -> FieldError | None:
    if not item.read_only or run.kind in _SYSTEM_KINDS:
        return None
    if item.read_only == "once_filled" and old is None:
        return None
    reason = (
        gettext("kann nicht mehr geändert werden")
        if item.read_only is not True
        else gettext("kann nicht geändert werden")
    )
    return FieldError(item, item.format(value), reason, gettext("Es bleibt bei „%(old)s“.", old=item.format(old)))


def _conflict(step: _Update, item: FieldSpec, ours: Any, theirs: Any, row: dict[str, Any]) -> ConflictError:
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
        shown(item, theirs, names),
        shown(item, base, names),
        who=last.change_set.user_name if last is not None else "",
        when=last.change_set.changed_at if last is not None else "",
    )
    return fault


def _store_updates(run: _Run, spec: ModelSpec, planned: list[tuple[_Update, dict[str, Any], dict[str, Any]]]) -> None:
    by_fields: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    history: list[tuple[Any, ...]] = []
    indexed = {item.name for item in search.indexed_fields(spec)}
    for step, row, changed in planned:
        names = tuple(sorted(changed))
        stored = (spec.field(name).column_field.db_value(changed[name]) for name in names)
        by_fields.setdefault(names, []).append((*stored, run.moment, step.key))
        owner_entity, owner_id = _owner_of(spec, step.key, row)
        title = spec.title_of({**row, **changed})[:160]
        for name in names:
            item = spec.field(name)
            old, new = _json_of(item, row[name]), _json_of(item, changed[name])
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
                    step.source or None,
                )
            )
        if indexed & set(changed):
            run.touch(spec, step.key, owner_id if spec.owner is not None else None)
    param = database.param
    for names, rows in by_fields.items():
        columns = ", ".join(f'"{spec.field(name).column}" = {param}' for name in names)
        database.cursor().executemany(
            f'UPDATE "{spec.name}" SET {columns}, version = version + 1, updated_at = {param} WHERE id = {param}', rows
        )
    _insert_changes(history)
    run.updated += len(planned) if spec.owner is None or run.kind != "form" else 0
    if spec.owner is not None and run.kind == "form" and planned:
        run.updated = max(run.updated, 1)


# --- removed records ----------------------------------------------------------------------------------------------------


def _write_deletes(run: _Run, steps: list[_Delete], *, may_wait: bool) -> list[_Delete]:
    """Removes records with their children; answers those that others still point to, to be tried again at the end."""
    waiting = []
    for step in steps:
        spec = step.spec
        _known_specs.setdefault(spec.name, spec)
        _require(run, spec, "delete" if spec.owner is None else "edit")
        if not _visible_keys(run.operator, spec, [step.key]):
            raise NotFound(spec, step.key)
        users = users_of(spec, step.key)
        if users:
            if may_wait:
                waiting.append(step)
                continue
            run.faults.append(StillUsed(_title_of_key(spec, step.key), users))
            continue
        _remove(run, spec, [step.key], step.source)
        run.deleted += 1
    return waiting


def _title_of_key(spec: ModelSpec, key: int) -> str:
    return f"{spec.label} {ReferenceCache().titles(spec, {key})[key]}"


def _remove(run: _Run, spec: ModelSpec, keys: list[int], source: str) -> None:
    for child in reversed(spec.children):
        assert child.owner is not None
        key_field = child.model._meta.primary_key
        query = child.model.select(key_field).where(child.owner.column_field.in_(keys))
        found = [row[0] for row in query.tuples()]
        if found:
            _remove(run, child, found, source)
    key_field = spec.model._meta.primary_key
    rows = []
    for values in spec.model.select().where(key_field.in_(keys)).dicts():
        key = values["id"]
        owner_entity, owner_id = _owner_of(spec, key, values)
        title = spec.title_of(values)[:160]
        rows.append(
            (
                run.change_set,
                spec.name,
                key,
                owner_entity,
                owner_id,
                title,
                "delete",
                None,
                None,
                _snapshot(spec, values),
                None,
                source or None,
            )
        )
        if spec.owner is not None:
            run.touch(spec, key, owner_id)
        elif search.has_index(spec):
            run.forgotten.setdefault(spec.name, set()).add(key)
    _insert_changes(rows)
    spec.model.delete().where(key_field.in_(keys)).execute()


def users_of(spec: ModelSpec, key: int, *, limit: int = 5) -> list[str]:
    """Titles of records (other than its own children) that refer to this one, as reasons why it stays."""
    users: list[str] = []
    for reference, model in spec.model._meta.backrefs.items():
        other = spec_of(model)
        if getattr(getattr(reference, "described_as", None), "owner", False):
            continue
        if reference.on_delete and reference.on_delete.upper() in ("CASCADE", "SET NULL"):
            continue
        query = model.select(model._meta.primary_key).where(reference == key).limit(limit)
        found = [row[0] for row in query.tuples()]
        if other.name == spec.name:
            found = [other_key for other_key in found if other_key != key]
        if found and _is_below(other, spec):
            # A pointer from the record's own children (contact -> address) does not hold the record itself.
            found = [child_key for child_key in found if not _belongs_to(other, child_key, spec, key)]
        if found:
            titles = ReferenceCache().titles(other, set(found))
            users += [f"{other.label} {titles[found_key]}" for found_key in found]
    return users[:limit]


def _is_below(child: ModelSpec, owner: ModelSpec) -> bool:
    return child.owner is not None and child.owner.target is owner.model


def _belongs_to(child: ModelSpec, child_key: int, owner: ModelSpec, key: int) -> bool:
    assert child.owner is not None
    return (
        child.model.select().where(child.model._meta.primary_key == child_key, child.owner.column_field == key).exists()
    )


# --- set steps ----------------------------------------------------------------------------------------------------------


def plan_assign(
    selection: Any, values: dict[str, Any], operator: Operator, *, without: Iterable[int] = ()
) -> AssignPlan:
    """What `assign` would do, found by GROUP BY; nothing is written. Raises FaultList for values no record takes."""
    spec = selection.spec
    items = _checked_assignments(spec, values, operator)
    condition = _without(selection, without)
    base = spec.model.select(spec.model._meta.primary_key)
    base = base if condition is None else base.where(condition)
    state = _state_of(spec, condition)
    count = json.loads(state)[0]
    names = ReferenceCache()
    groups: dict[str, list[ValueGroup]] = {}
    for item in items:
        column = item.column_field
        query = spec.model.select(column, peewee.fn.COUNT(peewee.SQL("1"))).group_by(column)
        query = query if condition is None else query.where(condition)
        found = sorted(query.tuples(), key=lambda row: -row[1])
        new = shown(item, values[item.name], names) or gettext("leer")
        groups[item.name] = [
            ValueGroup(number, shown(item, old, names) or gettext("leer"), new, old == values[item.name])
            for old, number in found
        ]
    changed = _count_changed(spec, items, values, condition)
    return AssignPlan(count, changed, groups, _refused(spec, items, values, condition, operator), state)


def _without(selection: Any, without: Iterable[int]) -> Any:
    condition = selection.where()
    left_out = sorted(without)
    if left_out:
        excluded = ~key_condition(selection.spec.model._meta.primary_key, left_out)
        condition = excluded if condition is None else condition & excluded
    return condition


def _checked_assignments(spec: ModelSpec, values: dict[str, Any], operator: Operator) -> list[FieldSpec]:
    faults: list[AppAdminError] = []
    items = []
    operator.require(f"{spec.right}.edit")
    for name in values:
        item = spec.by_name.get(name)
        if item is None or not item.bulk:
            faults.append(
                FieldError(item or name, None, gettext("Dieses Feld lässt sich nicht für viele Datensätze ändern."))
            )
            continue
        if not may_edit(operator, item):
            operator.require(f"{item.right}.edit")
        try:
            values[name] = item.check(values[name])
            if values[name] is None and not item.nullable:
                raise FieldError(item, None, gettext("Dieses Feld kann nicht leer sein."))
        except FieldError as fault:
            faults.append(fault)
        items.append(item)
    if faults:
        raise FaultList(faults)
    return items


def _state_of(spec: ModelSpec, condition: Any) -> str:
    """Names the very rows: their number, the sum of their keys and of their versions (versions only grow)."""
    key, version = spec.model._meta.primary_key, spec.model.version
    total = peewee.fn.COALESCE(peewee.fn.SUM(key), 0)
    versions = peewee.fn.COALESCE(peewee.fn.SUM(version), 0)
    query = spec.model.select(peewee.fn.COUNT(key), total, versions)
    row = (query if condition is None else query.where(condition)).tuples().get()
    return json.dumps([int(part) for part in row])


def _differs(item: FieldSpec, value: Any) -> Any:
    column = item.column_field
    if value is None:
        return column.is_null(False)
    return column.is_null() | (column != value)


def _count_changed(spec: ModelSpec, items: list[FieldSpec], values: dict[str, Any], condition: Any) -> int:
    if not items:
        return 0
    different = _differs(items[0], values[items[0].name])
    for item in items[1:]:
        different |= _differs(item, values[item.name])
    query = spec.model.select(peewee.fn.COUNT(peewee.SQL("1"))).where(different)
    return (query if condition is None else query.where(condition)).scalar()


def _refused(
    spec: ModelSpec, items: list[FieldSpec], values: dict[str, Any], condition: Any, operator: Operator
) -> list[tuple[int, str, str]]:
    """The records whose rules refuse the new values: (key, title, sentence)."""
    rules = spec.model.rule_fields
    if not {item.name for item in items} & set(rules):
        return []
    run = _Run("bulk", operator, "", utcnow())
    key_field = spec.model._meta.primary_key
    fields = [item for item in spec.data_fields if item.name in rules or item in spec.title_specs]
    query = spec.model.select(key_field, *(item.column_field for item in fields))
    query = query if condition is None else query.where(condition)
    names = [item.name for item in fields]
    refused = []
    for row in query.tuples().iterator():
        old = dict(zip(names, row[1:], strict=True))
        merged = {"id": row[0], **old, **values}
        faults = list(spec.model.validate(merged, run))
        if faults:
            # A record that broke the rule before is not made worse by this change only if nothing of the rule changes.
            if all(old.get(name) == values[name] for name in values if name in old):
                continue
            refused.append((row[0], spec.title_of(old), " ".join(str(fault) for fault in faults)))
    return refused


def _write_assign(run: _Run, step: _Assign) -> None:
    selection, values = step.selection, step.values
    spec: ModelSpec = selection.spec
    _known_specs.setdefault(spec.name, spec)
    items = _checked_assignments(spec, values, run.operator)
    condition = _without(selection, step.without)
    if step.expected:
        found = _state_of(spec, condition)
        if found != step.expected:
            raise PlanChanged(json.loads(step.expected)[0], json.loads(found)[0])
    refused = _refused(spec, items, values, condition, run.operator)
    if refused:
        for _key, title, sentence in refused[:50]:
            run.faults.append(AppAdminError(f"{title}: {sentence}"))
        return
    with _picked(spec, condition):
        for item in items:
            _record_assignment(run, spec, item, values[item.name])
        different = " OR ".join(f'"{item.column}" IS DISTINCT FROM {database.param}' for item in items)
        stored = [item.column_field.db_value(values[item.name]) for item in items]
        columns = ", ".join(f'"{item.column}" = {database.param}' for item in items)
        cursor = database.execute_sql(
            f'UPDATE "{spec.name}" SET {columns}, version = version + 1, updated_at = {database.param} '
            f"WHERE id IN (SELECT id FROM picked) AND ({different})",
            [*stored, run.moment, *stored],
        )
        changed = database.rows_affected(cursor)
        if {item.name for item in items} & {item.name for item in search.indexed_fields(spec)}:
            for (key,) in database.execute_sql("SELECT id FROM picked").fetchall():
                run.touch(spec, key, None)
    run.updated += changed


class _picked:
    """The keys of the chosen rows in a temporary table: picked once, locked in order, the same for every statement."""

    def __init__(self, spec: ModelSpec, condition: Any) -> None:
        self._spec = spec
        self._condition = condition

    def __enter__(self) -> None:
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

    def __exit__(self, *_fault: Any) -> None:
        if _fault[0] is None:
            database.execute_sql("DROP TABLE IF EXISTS picked")


def _title_sql(spec: ModelSpec) -> str:
    parts = [f"coalesce(cast(t.\"{item.column}\" as text), '')" for item in spec.title_specs if item.target is None]
    return f"substr(trim({' || chr_blank || '.join(parts)}), 1, 160)".replace("chr_blank", "' '") if parts else "''"


def _owner_sql(spec: ModelSpec) -> tuple[str, str]:
    if spec.owner is None:
        return f"'{spec.name}'", "t.id"
    return f"'{spec.owner.references.name}'", f't."{spec.owner.column}"'


def _record_assignment(run: _Run, spec: ModelSpec, item: FieldSpec, value: Any) -> None:
    param = database.param
    owner_entity, owner_id = _owner_sql(spec)
    old = item.type.sql_to_json(f't."{item.column}"', item, engine())
    database.execute_sql(
        f'INSERT INTO "change" ({", ".join(_CHANGE_COLUMNS)}) '
        f"SELECT {param}, '{spec.name}', t.id, {owner_entity}, {owner_id}, {_title_sql(spec)}, 'update', {param}, {param}, "
        f'{old}, {param}, NULL FROM picked p JOIN "{spec.name}" t ON t.id = p.id '
        f'WHERE t."{item.column}" IS DISTINCT FROM {param}',
        (
            run.change_set,
            item.name,
            str(item.label)[:120],
            _json_of(item, value),
            item.column_field.db_value(value),
        ),
    )


# --- undo ---------------------------------------------------------------------------------------------------------------


def plan_undo(change_set: int, *, listed: int = 50) -> UndoPlan:
    """What taking back a set would restore, and what was changed again since and therefore stays."""
    fields = _changed_fields(change_set)
    conflicts: list[UndoConflict] = []
    conflict_count = 0
    for spec, item in fields:
        number, found = _field_conflicts(change_set, spec, item, listed - len(conflicts))
        conflict_count += number
        conflicts += found
    restorable = _restorable_records(change_set, fields)
    removed, kept = _removable(change_set)
    restored, lost = _recreatable(change_set)
    conflicts += kept + lost
    return UndoPlan(
        change_set, restorable, len(removed), len(restored), conflicts, conflict_count + len(kept) + len(lost)
    )


def _changed_fields(change_set: int) -> list[tuple[ModelSpec, FieldSpec]]:
    rows = (
        ChangeRecord.select(ChangeRecord.entity, ChangeRecord.field)
        .where(ChangeRecord.change_set == change_set, ChangeRecord.action == "update")
        .distinct()
        .tuples()
    )
    found = []
    for entity, name in rows:
        spec = _known_specs.get(entity)
        item = spec.by_name.get(name) if spec is not None else None
        if spec is not None and item is not None and not item.secret:
            found.append((spec, item))
    return sorted(found, key=lambda pair: (pair[0].name, pair[1].name))


def _undo_join(spec: ModelSpec, item: FieldSpec) -> str:
    """FROM and WHERE over the rows of one field of a set (parameters: set, field)."""
    param = database.param
    return (
        f'FROM "change" c JOIN "{spec.name}" t ON t.id = c.record_id '
        f"WHERE c.change_set_id = {param} AND c.entity = '{spec.name}' AND c.field = {param}"
    )


def _is_current(item: FieldSpec, column: str) -> str:
    current = item.type.sql_from_json(f"c.{column}", item, engine())
    return f't."{item.column}" IS NOT DISTINCT FROM {current}'


def _field_conflicts(change_set: int, spec: ModelSpec, item: FieldSpec, listed: int) -> tuple[int, list[UndoConflict]]:
    join = _undo_join(spec, item)
    where = f"AND NOT ({_is_current(item, 'new_value')}) AND NOT ({_is_current(item, 'old_value')})"
    count = database.execute_sql(f"SELECT count(*) {join} {where}", (change_set, item.name)).fetchone()[0]
    found = []
    if count and listed > 0:
        current = item.type.sql_to_json(f't."{item.column}"', item, engine())
        rows = database.execute_sql(
            f"SELECT c.record_title, c.old_value, {current}, c.record_id {join} {where} ORDER BY c.id LIMIT {int(listed)}",
            (change_set, item.name),
        ).fetchall()
        names = ReferenceCache()
        for title, old, now, key in rows:
            found.append(
                UndoConflict(
                    title,
                    str(item.label),
                    shown(item, item.type.from_json(json.loads(old), item), names) or gettext("leer"),
                    shown(item, item.type.from_json(json.loads(now), item), names) or gettext("leer"),
                    _last_person(spec, key, item),
                )
            )
    return count, found


def _last_person(spec: ModelSpec, key: int, item: FieldSpec) -> str:
    row = (
        ChangeSetRecord.select(ChangeSetRecord.user_name)
        .join(ChangeRecord)
        .where(ChangeRecord.entity == spec.name, ChangeRecord.record_id == key, ChangeRecord.field == item.name)
        .order_by(ChangeRecord.id.desc())
        .first()
    )
    return row.user_name if row is not None else ""


def _restorable_records(change_set: int, fields: list[tuple[ModelSpec, FieldSpec]]) -> int:
    """How many records get at least one value back."""
    if not fields:
        return 0
    parts, params = [], []
    for spec, item in fields:
        parts.append(
            f"SELECT '{spec.name}' AS entity, t.id {_undo_join(spec, item)} AND {_is_current(item, 'new_value')}"
        )
        params += [change_set, item.name]
    sql = f"SELECT count(*) FROM ({' UNION '.join(parts)}) AS restorable"
    return database.execute_sql(sql, params).fetchone()[0]


def _removable(change_set: int) -> tuple[list[tuple[ModelSpec, int]], list[UndoConflict]]:
    """Records the set made, children last, without those that were changed since by another set."""
    rows = list(
        ChangeRecord.select(ChangeRecord.entity, ChangeRecord.record_id, ChangeRecord.record_title)
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
        spec = _known_specs.get(entity)
        if spec is None:
            continue
        titles = dict(found)
        for start in range(0, len(found), _CHUNK):
            keys = [key for key, _title in found[start : start + _CHUNK]]
            later = _changed_later(change_set, spec, keys, made)
            key_field = spec.model._meta.primary_key
            present = {row[0] for row in spec.model.select(key_field).where(key_field.in_(keys)).tuples()}
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
    rows = list(
        ChangeSetRecord.select(ChangeSetRecord.id, ChangeSetRecord.undo_of)
        .where(ChangeSetRecord.undo_of > change_set)
        .tuples()
    )
    return [key for pair in rows for key in pair] or [0]


def _recreatable(change_set: int) -> tuple[list[tuple[ModelSpec, int, dict[str, Any]]], list[UndoConflict]]:
    """Records the set removed, owners first, without those whose place is taken."""
    rows = list(
        ChangeRecord.select(
            ChangeRecord.entity, ChangeRecord.record_id, ChangeRecord.record_title, ChangeRecord.old_value
        )
        .where(ChangeRecord.change_set == change_set, ChangeRecord.action == "delete")
        .order_by(ChangeRecord.id.desc())
        .tuples()
    )
    found: list[tuple[ModelSpec, int, dict[str, Any]]] = []
    lost: list[UndoConflict] = []
    for entity, key, title, snapshot in rows:
        spec = _known_specs.get(entity)
        if spec is None or not snapshot:
            continue
        stored = json.loads(snapshot)
        values = {
            name: spec.field(name).type.from_json(value, spec.field(name))
            for name, value in stored.items()
            if name in spec.by_name and not spec.field(name).secret
        }
        reason = _cannot_return(spec, key, values)
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


def _write_undo(run: _Run, change_set: int) -> None:
    original = ChangeSetRecord.get_by_id(change_set)
    own = original.user_id is not None and original.user_id == run.operator.user_id
    if not run.operator.may("undo.all"):
        run.operator.require("undo.own" if own else "undo.all")
    fields = _changed_fields(change_set)
    for spec in {spec.name: spec for spec, _item in fields}.values():
        run.operator.require(f"{spec.right}.edit")
        visible(run.operator, spec)
    for spec, item in fields:
        _restore_field(run, change_set, spec, item)
    _bump_versions(run)
    run.updated += _count_updated(run)
    removable, kept = _removable(change_set)
    _remove_made(run, removable)
    restored, lost = _recreatable(change_set)
    _recreate(run, restored)
    for conflict in (*kept, *lost):
        run.skipped.append(f"{conflict.title}: {conflict.reason}")
    for spec, item in fields:
        number, found = _field_conflicts(change_set, spec, item, 20)
        run.skipped += [f"{entry.title}: {entry.label} → {entry.current}" for entry in found]
        run.skipped += [gettext("und %(count)s weitere", count=number - len(found))] if number > len(found) else []


def _restore_field(run: _Run, change_set: int, spec: ModelSpec, item: FieldSpec) -> None:
    param = database.param
    columns = ", ".join(_CHANGE_COLUMNS)
    database.execute_sql(
        f'INSERT INTO "change" ({columns}) SELECT {param}, c.entity, c.record_id, c.owner_entity, c.owner_id, '
        f"c.record_title, 'update', c.field, c.field_label, c.new_value, c.old_value, NULL "
        f"{_undo_join(spec, item)} AND {_is_current(item, 'new_value')}",
        (run.change_set, change_set, item.name),
    )
    old = item.type.sql_from_json("c.new_value", item, engine())
    database.execute_sql(
        f'UPDATE "{spec.name}" SET "{item.column}" = {old} FROM "change" c '
        f"WHERE c.change_set_id = {param} AND c.entity = '{spec.name}' AND c.field = {param} "
        f'AND c.record_id = "{spec.name}".id',
        (run.change_set, item.name),
    )
    indexed = {other.name for other in search.indexed_fields(spec)}
    if item.name in indexed:
        rows = ChangeRecord.select(ChangeRecord.record_id, ChangeRecord.owner_id).where(
            ChangeRecord.change_set == run.change_set, ChangeRecord.entity == spec.name, ChangeRecord.field == item.name
        )
        for key, owner_id in rows.tuples():
            run.touch(spec, key, owner_id if spec.owner is not None else None)


def _bump_versions(run: _Run) -> None:
    param = database.param
    entities = ChangeRecord.select(ChangeRecord.entity).where(ChangeRecord.change_set == run.change_set).distinct()
    for (entity,) in list(entities.tuples()):
        database.execute_sql(
            f'UPDATE "{entity}" SET version = version + 1, updated_at = {param} WHERE id IN '
            f'(SELECT record_id FROM "change" WHERE change_set_id = {param} AND entity = {param})',
            (run.moment, run.change_set, entity),
        )


def _count_updated(run: _Run) -> int:
    query = (
        ChangeRecord.select(ChangeRecord.entity, ChangeRecord.record_id)
        .where(ChangeRecord.change_set == run.change_set, ChangeRecord.action == "update")
        .distinct()
    )
    return query.count()


def _remove_made(run: _Run, removable: list[tuple[ModelSpec, int]]) -> None:
    """Removes the records a set made, the latest first; one that another of them still uses is tried again after it."""
    waiting = sorted(removable, key=lambda pair: -_depth(pair[0]))
    while waiting:
        still_used = []
        for spec, key in waiting:
            if users_of(spec, key):
                still_used.append((spec, key))
                continue
            run.operator.require(f"{spec.right}.{'delete' if spec.owner is None else 'edit'}")
            _clear_own_pointers(spec, key)
            _remove(run, spec, [key], "")
            run.deleted += 1 if spec.owner is None else 0
        if len(still_used) == len(waiting):
            run.skipped += [str(StillUsed(_title_of_key(spec, key), users_of(spec, key))) for spec, key in waiting]
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


def _recreate(run: _Run, restored: list[tuple[ModelSpec, int, dict[str, Any]]]) -> None:
    later: list[tuple[ModelSpec, int, str, Any]] = []
    written = []
    for spec, key, values in sorted(restored, key=lambda entry: _depth(entry[0])):
        run.operator.require(f"{spec.right}.{'create' if spec.owner is None else 'edit'}")
        row = dict(values)
        for item in spec.data_fields:
            if item.target is not None and row.get(item.name) is not None and item is not spec.owner:
                # A pointer to a sibling that is not back yet is set when all are.
                later.append((spec, key, item.column, row[item.name]))
                if item.nullable:
                    row[item.name] = None
            if item.name not in row and not item.nullable:
                row[item.name] = item.default_value() if item.default is not None else ""
        names = [item for item in spec.data_fields if row.get(item.name) is not None]
        columns = ["id", "version", "created_at", "updated_at", *(item.column for item in names)]
        marks = ", ".join([database.param] * len(columns))
        quoted = ", ".join(f'"{column}"' for column in columns)
        stored = [item.column_field.db_value(row[item.name]) for item in names]
        database.execute_sql(
            f'INSERT INTO "{spec.name}" ({quoted}) VALUES ({marks})', (key, 1, run.moment, run.moment, *stored)
        )
        written.append((spec, key, values))
    for spec, key, column, target in later:
        database.execute_sql(
            f'UPDATE "{spec.name}" SET "{column}" = {database.param} WHERE id = {database.param}', (target, key)
        )
    rows = []
    for spec, key, values in written:
        owner_entity, owner_id = _owner_of(spec, key, values)
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
                _snapshot(spec, values),
                None,
            )
        )
        run.touch(spec, key, owner_id if spec.owner is not None else None)
    _insert_changes(rows)
    run.created += sum(1 for spec, _key, _values in written if spec.owner is None) or len(written)


# --- loading ------------------------------------------------------------------------------------------------------------


def load_rows(
    model: Any, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, progress: Callable[[int], None] | None = None
) -> int:
    """The fast way in for set-up and demo data: stores Python values by field name, inside a `loading` block.

    `columns` are field names; "id" may be among them. No rule is asked: whoever loads answers for the values.
    """
    spec = model if isinstance(model, ModelSpec) else spec_of(model)
    items = [spec.field(name) for name in columns]
    system = [name for name in ("version", "created_at", "updated_at") if name not in columns]
    moment = utcnow()
    fixed = {"version": 1, "created_at": moment, "updated_at": moment}
    names = [*(item.column for item in items), *system]
    marks = ", ".join([database.param] * len(names))
    quoted = ", ".join(f'"{name}"' for name in names)
    sql = f'INSERT INTO "{spec.name}" ({quoted}) VALUES ({marks})'
    tail = tuple(fixed[name] for name in system)
    scaled = [(position, item) for position, item in enumerate(items) if item.type.name in ("decimal", "json")]
    count = 0
    for part in _parts(rows, 5_000):
        if scaled:
            prepared = []
            for row in part:
                values = list(row)
                for position, item in scaled:
                    values[position] = item.column_field.db_value(values[position])
                prepared.append((*values, *tail))
        else:
            prepared = [(*row, *tail) for row in part]
        database.cursor().executemany(sql, prepared)
        count += len(part)
        if progress is not None:
            progress(count)
    if engine() == "postgresql" and "id" in columns:
        database.execute_sql(
            f"SELECT setval(pg_get_serial_sequence('\"{spec.name}\"', 'id'), (SELECT max(id) FROM \"{spec.name}\"))"
        )
    return count


def _parts(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    part: list[Any] = []
    for row in rows:
        part.append(row)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def record_loading(operator: Operator, spec: ModelSpec, count: int, title: str, *, kind: str = "load") -> int:
    """Notes in the history that rows were loaded; answers the key of the set. It has no single changes to take back."""
    return ChangeSetRecord.insert(
        user=operator.user_id,
        user_name=operator.name[:80],
        kind=kind,
        changed_at=utcnow(),
        entity=spec.name,
        title=title[:255],
        created_count=count,
    ).execute()

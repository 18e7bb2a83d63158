"""ChangeSet: collects the steps of one operation and writes all of them in one transaction, or nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import peewee

from flask_appadmin import search
from flask_appadmin.changes.anonymising import Anonymise, refuse_sealed, write_anonymised
from flask_appadmin.changes.assigning import write_assign
from flask_appadmin.changes.assignment import heading_of
from flask_appadmin.changes.creating import note_copies, write_creates
from flask_appadmin.changes.following import mirrored
from flask_appadmin.changes.merging import Merge, write_merge
from flask_appadmin.changes.proving import names_proof
from flask_appadmin.changes.removing import write_deletes
from flask_appadmin.changes.running import (
    KNOWN_SPECS,
    Applied,
    Assign,
    Delete,
    NewRecord,
    Progress,
    Run,
    Update,
    Written,
)
from flask_appadmin.changes.transforms import Transform
from flask_appadmin.changes.undoing.part import WHOLE, UndoPart
from flask_appadmin.changes.undoing.restoring import write_undo
from flask_appadmin.changes.updating import write_updates
from flask_appadmin.database import (
    WriterBusy,
    WriterNote,
    engine,
    in_transaction,
    is_told,
    key_condition,
    utcnow,
    writing,
)
from flask_appadmin.errors import AppAdminError, FaultList, MissingProof, MissingReason, NotFound
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.history import KINDS, ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import format_number, gettext, ngettext
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.specs import ModelSpec, shown, spec_of

#: A change of more records says who is writing, for those who wait for the one write lock of SQLite.
_TOLD_FROM = 1_000

#: So many times something may follow from what followed.
_MOST_ROUNDS = 6


class ChangeSet:
    """One operation: collect its steps, then `apply(operator)`.

    kind: key of `history.KINDS`. reason: the operator's own words. source: through what (file name). title: what the
    list of operations shows; made from the counts when empty. once: names the effect, which then happens only once.
    joins: the key of an operation that this set goes on with: several transactions, one line in the list of operations.
    """

    def __init__(
        self,
        kind: str,
        *,
        reason: str = "",
        source: str = "",
        title: str = "",
        details: Any = None,
        once: str = "",
        joins: int | None = None,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown kind of operation: {kind}")
        self.kind = kind
        self.reason = reason.replace("\x00", "").strip()[:255]
        self.source = source.strip()[:255]
        self.title = title
        self.details = details
        self.once = once
        self.joins = joins
        self._creates: list[NewRecord] = []
        self._updates: list[Update] = []
        self._deletes: list[Delete] = []
        self._assigns: list[Assign] = []
        #: (table, key, title) of the record that a new one is a copy of, with that new one.
        self._copied: list[tuple[ModelSpec, int, str, NewRecord]] = []
        self._merges: list[Merge] = []
        self._anonymised: list[Anonymise] = []
        self._undo_of: int | None = None
        self._undo_part = WHOLE
        self._main: ModelSpec | None = None

    # --- collecting steps ---------------------------------------------------------------------------------------------

    def create(
        self, model: Any, values: dict[str, Any], *, source: str = "", place: tuple[str, str] | None = None
    ) -> NewRecord:
        """Plans a new record; the answer stands for its key in further steps."""
        record = NewRecord(self._spec(model), dict(values), source, place)
        self._creates.append(record)
        return record

    def add(self, records: list[NewRecord]) -> NewRecord:
        """Takes up new records that were planned elsewhere; answers the first, to which the others belong."""
        for record in records:
            self._main = self._main or record.spec
            self._creates.append(record)
        return records[0]

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
        """Plans new values for a record. `base` is what the operator saw: a value that differs from it now is a
        conflict."""
        if values:
            self._updates.append(Update(self._spec(model), int(key), dict(values), base, source, place))

    def delete(
        self,
        model: Any,
        key: int,
        *,
        source: str = "",
        version: int | None = None,
        place: tuple[str, str] | None = None,
    ) -> None:
        """Plans the removal of a record with its children. `version` is the one the operator saw: a newer one stays."""
        self._deletes.append(Delete(self._spec(model), int(key), source, version, place))

    def anonymise(self, model: Any, key: int) -> None:
        """Plans to take the person out of a record, its children, its history and whatever else keeps it."""
        self._anonymised.append(Anonymise(self._spec(model), int(key)))

    def assign(
        self, selection: Any, values: dict[str, Any], *, expected: str = "", without: Iterable[int] = ()
    ) -> None:
        """Plans one value per field for all selected records. `expected` is the `state` of the plan that was shown."""
        self._main = self._main or selection.spec
        self._assigns.append(Assign(selection, dict(values), expected, frozenset(without)))

    def copied_from(self, spec: ModelSpec, key: int, title: str, record: NewRecord) -> None:
        """Lets the history of a stored record say that this new one is its copy."""
        self._copied.append((spec, key, title, record))

    def merge(self, step: Merge) -> None:
        """Plans that several records become one (`flask_appadmin.merging` makes the plan)."""
        self._main = self._main or step.spec
        self._merges.append(step)

    @classmethod
    def undo(cls, change_set: int, *, part: UndoPart = WHOLE, reason: str = "") -> ChangeSet:
        """The set that takes back another one or a part of it, as far as nobody changed the same values since."""
        original = ChangeSetRecord.get_or_none(ChangeSetRecord.id == change_set)
        if original is None:
            raise NotFound()
        title = gettext("Zurückgenommen: %(title)s", title=original.title)
        if not part.is_whole:
            title = gettext("Zum Teil zurückgenommen: %(title)s", title=original.title)
        made = cls("undo", reason=reason, title=title[:255])
        made._undo_of, made._undo_part = change_set, part
        return made

    def _spec(self, model: Any) -> ModelSpec:
        spec = model if isinstance(model, ModelSpec) else spec_of(model)
        self._main = self._main or spec
        return spec

    @property
    def is_empty(self) -> bool:
        return not (
            self._creates
            or self._updates
            or self._deletes
            or self._assigns
            or self._merges
            or self._anonymised
            or self._undo_of
        )

    # --- applying -----------------------------------------------------------------------------------------------------

    def apply(self, operator: Operator, *, progress: Progress | None = None) -> Applied:
        """Writes everything in one transaction, or nothing; raises FaultList with all that was refused.

        `progress` is told (done, total) in records; what it raises takes everything back.
        """
        if self.is_empty:
            return Applied(None)
        try:
            return in_transaction(lambda: self._write_told(operator, progress))
        except WriterBusy as busy:
            raise FaultList([busy]) from busy
        except _NothingToWrite as nothing:
            return Applied(None, skipped=tuple(nothing.skipped))
        except peewee.IntegrityError as fault:
            if self.once and (earlier := ChangeSetRecord.get_or_none(ChangeSetRecord.once == self.once)) is not None:
                counts = (earlier.created_count, earlier.updated_count, earlier.deleted_count)
                return Applied(earlier.id, *counts, repeated=True)
            # What the checks could not foresee (another process was faster): the engine's own words stay inside.
            raise FaultList([_integrity_fault(fault)]) from fault

    def _write_told(self, operator: Operator, progress: Progress | None) -> Applied:
        """Writes, and tells those who wait who writes and how far it is; of a job's work the job does so already."""
        note: WriterNote | None = None
        with contextlib.ExitStack() as stack:

            def tell(done: int, total: int) -> None:
                nonlocal note
                if note is None and total >= _TOLD_FROM and not is_told():
                    note = stack.enter_context(writing(operator.name, self.title or str(KINDS[self.kind])))
                if note is not None:
                    note.tell(done, total)
                if progress is not None:
                    progress(done, total)

            return self._write(operator, progress=tell)

    def rehearse(self, operator: Operator) -> Applied:
        """Runs everything and takes it back at once: the same faults and counts as `apply`, nothing written."""

        def work() -> Applied:
            raise _Rehearsed(self._write(operator, rehearsal=True))

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

    def _write(self, operator: Operator, *, rehearsal: bool = False, progress: Progress | None = None) -> Applied:
        run = Run(self.kind, operator, self.source, utcnow(), rehearsal=rehearsal, progress=progress)
        main = self._main
        if self._undo_of is not None:
            original = ChangeSetRecord.get_by_id(self._undo_of)
            entity = original.entity
        else:
            assert main is not None
            entity = main.name
        run.change_set = (
            self.joins
            or ChangeSetRecord.insert(
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
                once=None if rehearsal else self.once or None,
            ).execute()
        )
        if self._undo_of is not None:
            write_undo(run, self._undo_of, self._undo_part)
        for merge in self._merges:
            write_merge(run, merge)
        run.expect(len(self._creates) + len(self._updates))
        waiting = write_deletes(run, self._deletes, may_wait=True)
        write_creates(run, self._creates)
        write_updates(run, self._updates)
        for assign in self._assigns:
            run.concern(assign.selection.spec)
            write_assign(run, assign)
        write_deletes(run, waiting, may_wait=False)
        write_anonymised(run, self._anonymised)
        # Before the rules: what follows from a document may still be booked for somebody who is anonymised.
        refuse_sealed(run)
        # What is only tried shows its values; the reason is asked for when it is done.
        if run.unreasoned and not self.reason and not rehearsal:
            run.faults.append(MissingReason(list(run.unreasoned)))
        if run.unproven and not rehearsal and not names_proof(self.reason or ""):
            run.faults.append(MissingProof(list(run.unproven)))
        _write_what_follows(run)
        if not run.faults:
            for model, turns in run.turns.items():
                run.faults.extend(model.settle(turns, run))
        if run.faults:
            raise FaultList(run.faults)
        if not (run.created or run.updated or run.deleted):
            raise _NothingToWrite(run.skipped)
        if not rehearsal:
            note_copies(run, self._copied)
            _refresh_search(run)
        title = self.title or _assigned_title(main, run, self._assigns)
        title = title or _operation_title(self.kind, main, run, self._creates, self._updates, self._deletes)
        counts = (run.created, run.updated, run.deleted)
        self._store_counts(run.change_set, title, counts)
        return Applied(run.change_set, *counts, tuple(run.skipped), tuple(run.anonymised_places.items()))

    def _store_counts(self, change_set: int, title: str, counts: tuple[int, int, int]) -> None:
        fields = (ChangeSetRecord.created_count, ChangeSetRecord.updated_count, ChangeSetRecord.deleted_count)
        if self.joins:
            values: dict[Any, Any] = {field: field + count for field, count in zip(fields, counts, strict=True)}
        else:
            values = {ChangeSetRecord.title: title[:255], **dict(zip(fields, counts, strict=True))}
        ChangeSetRecord.update(values).where(ChangeSetRecord.id == change_set).execute()


def _write_what_follows(run: Run) -> None:
    """Writes what the models say follows from the records written so far, and what follows from that."""
    for _round in range(_MOST_ROUNDS):
        if run.faults or not run.written:
            return
        written, run.written = run.written, []
        by_spec: dict[str, list[tuple[ModelSpec, Written]]] = {}
        for entry in written:
            by_spec.setdefault(entry[0].name, []).append(entry)
        steps: list[Any] = []
        for group in by_spec.values():
            spec, records = group[0][0], [record for _spec, record in group]
            steps += [*spec.model.follow(records, run), *mirrored(spec, records)]
        # With every right: nobody typed this, and the rule holds for whoever set it off.
        ruled = replace(run, operator=system_operator(run.operator.name), by_rule=True, progress=None)
        write_creates(ruled, [step for step in steps if isinstance(step, NewRecord)])
        write_updates(ruled, [step for step in steps if isinstance(step, Update)])
        run.written = ruled.written
    if run.written:
        raise RuntimeError(f"rules follow from one another without end: {run.written[0][0].name}")


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
                "Ein Datensatz wird noch von anderen verwendet oder ist inzwischen gelöscht. Es wurde nichts "
                "gespeichert."
            )
        )
    return AppAdminError(
        gettext("Ein Wert, der nur einmal vorkommen darf, ist inzwischen vergeben. Es wurde nichts gespeichert.")
    )


def _assigned_title(main: ModelSpec | None, run: Run, assigns: list[Assign]) -> str:
    """„4.312 Bücher: Preis → 7“. Whoever sees the operation reads it: of protected fields it tells the names only."""
    if main is None or not assigns:
        return ""
    names = ReferenceCache()
    words = []
    for assign in assigns:
        for name, value in assign.values.items():
            if name not in main.by_name or isinstance(value, Transform):
                words.append(heading_of(main, name, value))
                continue
            item = main.field(name)
            is_open = not (item.secret or item.masked or item.right)
            told = f" → {shown(item, value, names) or gettext('leer')}" if is_open else ""
            words.append(f"{item.label}{told}")
    label = main.label if run.updated == 1 else main.plural
    return f"{format_number(run.updated)} {label}: {', '.join(words)}"


def _operation_title(
    kind: str,
    main: ModelSpec | None,
    run: Run,
    creates: list[NewRecord],
    updates: list[Update],
    deletes: list[Delete],
) -> str:
    assert main is not None
    single = [record for record in creates if record.spec is main]
    keys = {step.key for step in updates if step.spec is main} | {step.key for step in deletes if step.spec is main}
    keys |= run.anonymised.get(main.name, set())
    if kind in ("form", "list", "copy", "full_copy", "delete", "anonymise") and len(single) + len(keys) == 1:
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


def _hold(spec: ModelSpec, keys: list[int]) -> None:
    """Lets nobody else write the search text of these records until this set is written.

    Two who save different children of one record at once would both write its text on PostgreSQL, the second one
    without what the first one changed: he waits here, and reads after that. SQLite has one writer.
    """
    if engine() != "postgresql" or not keys or not search.has_index(spec):
        return
    key_field = spec.model._meta.primary_key
    held = spec.model.select(key_field).where(key_condition(key_field, keys)).order_by(key_field)
    list(held.for_update("FOR NO KEY UPDATE").tuples())


def _refresh_search(run: Run) -> None:
    for name, keys in run.touched.items():
        gone = run.forgotten.get(name, set())
        spec = KNOWN_SPECS[name]
        _hold(spec, sorted(keys - gone))
        search.refresh(spec, sorted(keys - gone))
    for name, keys in run.forgotten.items():
        search.forget(KNOWN_SPECS[name], sorted(keys))

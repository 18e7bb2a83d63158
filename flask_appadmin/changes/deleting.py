"""Carries out what was planned for records that go: each in a transaction of its own, together one operation.

Shape: `carry_out` takes the Departures that were shown and answers what came of every single record; the same for
buttons, files and the command line. What was deleted is one operation, which can be taken back; what was anonymised is
another one, which cannot. `details["deletion"]` of the first of them keeps the result for its page: keys and sentences,
no names. Whoever is stopped half-way (`progress` raises) leaves what is done, and a result that names the rest; a job
that was interrupted goes on with `Deletion.begun_by`.
Errors: none for single records, they are refused with their reasons; NotAllowed where the right is missing.
Source: docs/decisions/deletion.md; SC-32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask_appadmin.changes.anonymising import forget_for_good
from flask_appadmin.changes.departing import ANONYMISE, DELETE, Departure, MustStay
from flask_appadmin.changes.gateway import ChangeSet
from flask_appadmin.errors import AppAdminError, FaultList
from flask_appadmin.history import ERASED, ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.rights import Operator
from flask_appadmin.specs import ModelSpec


@dataclass
class Deletion:
    """What came of the records: every planned key stands in exactly one of the three."""

    #: The operation that removed records, and the one that anonymised some.
    change_set: int | None = None
    final_set: int | None = None
    deleted: list[int] = field(default_factory=list)
    anonymised: list[int] = field(default_factory=list)
    refused: dict[int, list[str]] = field(default_factory=dict)
    #: Where words of the anonymised were found -> in how many rows.
    places: dict[str, int] = field(default_factory=dict)
    #: What was not begun when it was stopped.
    left: list[int] = field(default_factory=list)
    #: The job that does it, 0 for none: its operations are found by this.
    job: int = 0

    @property
    def count(self) -> int:
        return len(self.deleted) + len(self.anonymised) + len(self.refused) + len(self.left)

    def parts(self) -> dict[str, Any]:
        """The result as the operation keeps it."""
        return {
            "deleted": self.deleted,
            "anonymised": self.anonymised,
            "refused": [[key, reasons] for key, reasons in self.refused.items()],
            "places": sorted(self.places.items()),
            "left": self.left,
        }

    @classmethod
    def of(cls, operation: ChangeSetRecord) -> Deletion | None:
        """The result that an operation keeps, None where it was something else."""
        kept = operation.details.get("deletion") if isinstance(operation.details, dict) else None
        if kept is None:
            return None
        refused = {key: list(reasons) for key, reasons in kept["refused"]}
        return cls(
            operation.id if kept["deleted"] else None,
            None if kept["deleted"] else operation.id,
            kept["deleted"],
            kept["anonymised"],
            refused,
            dict(kept["places"]),
            kept.get("left", []),
        )

    @classmethod
    def begun_by(cls, job: int, operator: Operator, since: int) -> Deletion:
        """What a job has done already, by the operations after `since`: nothing, unless it was interrupted."""
        result = cls(job=job)
        query = ChangeSetRecord.select().where(ChangeSetRecord.id > since, ChangeSetRecord.user == operator.user_id)
        for operation in query.where(ChangeSetRecord.kind.in_(("delete", "anonymise"))):
            if not isinstance(operation.details, dict) or operation.details.get("job") != job:
                continue
            goes = operation.kind == "delete"
            action = "delete" if goes else ERASED
            rows = ChangeRecord.select(ChangeRecord.record_id).where(
                ChangeRecord.change_set == operation.id,
                ChangeRecord.action == action,
                ChangeRecord.entity == operation.entity,
            )
            keys = sorted({row[0] for row in rows.tuples()})
            if goes:
                result.change_set, result.deleted = operation.id, keys
            else:
                result.final_set, result.anonymised = operation.id, keys
        return result

    @property
    def kept_in(self) -> int | None:
        """The operation that keeps the result."""
        return self.change_set or self.final_set

    def sentence(self) -> str:
        """„2 gelöscht, 1 anonymisiert, 1 abgelehnt“."""
        parts = (
            (len(self.deleted), gettext("gelöscht")),
            (len(self.anonymised), gettext("anonymisiert")),
            (len(self.refused), gettext("abgelehnt")),
            (len(self.left), gettext("nicht begonnen")),
        )
        return ", ".join(f"{format_number(count)} {word}" for count, word in parts if count)


def carry_out(
    spec: ModelSpec,
    departures: dict[int, Departure],
    operator: Operator,
    *,
    reason: str = "",
    progress: Callable[[int], None] = lambda done: None,
) -> Deletion:
    """Deletes, anonymises or leaves each of these records, as planned; the rules are asked again for each."""
    result = Deletion()
    try:
        carry_on(spec, departures, operator, result, reason=reason, progress=progress)
    finally:
        end_deletion(spec, result)
    return result


def carry_on(
    spec: ModelSpec,
    departures: dict[int, Departure],
    operator: Operator,
    result: Deletion,
    *,
    reason: str = "",
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """A part of it: adds to the result what comes of these records, also where `progress` stops it. `end_deletion` has
    to follow the last part."""
    operator.require(f"{spec.right}.delete")
    details = {"job": result.job} if result.job else None
    for done, (key, departure) in enumerate(departures.items()):
        progress(done)
        if departure.outcome not in (DELETE, ANONYMISE):
            result.refused[key] = list(departure.reasons)
            continue
        goes = departure.outcome == DELETE
        if goes:
            change = ChangeSet("delete", reason=reason, joins=result.change_set, details=details)
            change.delete(spec, key)
        else:
            change = ChangeSet("anonymise", reason=reason, joins=result.final_set, details=details)
            change.anonymise(spec, key)
        try:
            applied = change.apply(operator)
        except AppAdminError as fault:
            result.refused[key] = _reasons(fault)
            continue
        if goes:
            result.change_set = applied.change_set
        else:
            result.final_set = applied.change_set
        (result.deleted if goes else result.anonymised).append(key)
        for place, count in applied.places:
            result.places[place] = result.places.get(place, 0) + count


def end_deletion(spec: ModelSpec, result: Deletion) -> None:
    """Keeps the result for its page, and clears away what was overwritten."""
    _keep(spec, result)
    if result.anonymised:
        forget_for_good(spec)


def _reasons(fault: AppAdminError) -> list[str]:
    faults = list(fault.faults) if isinstance(fault, FaultList) else [fault]
    return [reason for each in faults for reason in (each.reasons if isinstance(each, MustStay) else [str(each)])]


def _keep(spec: ModelSpec, result: Deletion) -> None:
    for operation, keys, word in (
        (result.change_set, result.deleted, gettext("gelöscht")),
        (result.final_set, result.anonymised, gettext("anonymisiert")),
    ):
        values: dict[Any, Any] = {}
        if operation is not None and operation == result.kept_in:
            job = {"job": result.job} if result.job else {}
            values[ChangeSetRecord.details] = {"deletion": result.parts(), **job}
        if len(keys) > 1:
            values[ChangeSetRecord.title] = f"{spec.plural}: {format_number(len(keys))} {word}"
        if values:
            ChangeSetRecord.update(values).where(ChangeSetRecord.id == operation).execute()

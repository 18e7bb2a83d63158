"""From a plan to records: the change set of everything that was chosen, its application, and what becomes of a run.

Shape: `build_change` turns the ImportRows of a run into one ChangeSet; `apply_run` writes it in one transaction
together with the mark that the run is done, so that a second click does nothing. Decisions: of a conflict nothing is
taken unless the operator chose "mine"; of a change everything unless he chose "theirs"; a new row is left out by
"skip".
Errors: AppAdminError for a run that is done; FaultList from the gateway, after which nothing is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask_appadmin.changes import Applied, ChangeSet, Deletion, Departure, NewRecord, carry_out, departures_of
from flask_appadmin.database import in_transaction
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.sheets.damage.damages import repairs_text
from flask_appadmin.sheets.forgetting import let_go
from flask_appadmin.sheets.planned import batches
from flask_appadmin.sheets.sessions import ImportRow, ImportRun
from flask_appadmin.specs import ModelSpec

#: States of rows that write values.
WRITTEN = ("new", "changed", "conflict")

#: The decision about a whole row stands under this name.
WHOLE_ROW = "*"


class RunEnded(AppAdminError):
    """The run was applied or discarded before."""

    status = 409

    def sentence(self) -> str:
        return gettext("Dieser Import ist schon abgeschlossen.")


def source_of(row: Any) -> str:
    """Where in the file: the words that stand in the history."""
    return gettext("%(sheet)s Zeile %(row)s", sheet=row.sheet, row=row.row_number).strip()[:80]


def rows_of_sources(run: ImportRun, sources: Iterable[str]) -> dict[str, list[ImportRow]]:
    """The rows that these words of the history mean, without what they plan."""
    wanted = {source: int(number.group()) for source in sources if (number := re.search(r"(\d{1,9})$", source))}
    found: dict[str, list[ImportRow]] = {}
    for numbers in batches(sorted(set(wanted.values())), 500):
        query = ImportRow.select(ImportRow.id, ImportRow.sheet, ImportRow.row_number, ImportRow.findings)
        query = query.where(ImportRow.run == run.id, ImportRow.row_number.in_(numbers)).order_by(ImportRow.id)
        for row in query:
            found.setdefault(source_of(row), []).append(row)
    return {source: found[source] for source in wanted if source in found}


def is_conflict(cell: list[Any]) -> bool:
    """Whether a planned cell [base, now, new, …] was changed on both sides."""
    return len(cell) > 3


def is_taken(cell: list[Any], decision: str | None) -> bool:
    """Whether a planned cell is written: a conflict when file or export was chosen, a change unless the record was."""
    return decision in ("mine", "base") if is_conflict(cell) else decision != "theirs"


def is_left_out(row: Any) -> bool:
    return bool(row.decisions.get(WHOLE_ROW) == "skip")


def build_change(run: ImportRun, spec: ModelSpec, reason: str = "", *, everything: bool = False) -> ChangeSet:
    """The change set of what was chosen; with `everything` also of what may still be chosen."""
    title = gettext("Import „%(file)s“", file=run.file_name)[:250]
    words = repairs_text(run.detection, run.options.get("repairs") or {})
    change = ChangeSet(
        "import", source=run.file_name, title=title, reason=reason, details={"words": [words]} if words else None
    )
    specs = {spec.name: spec, **{child.name: child for child in spec.children}}
    query = ImportRow.select(
        ImportRow.entity,
        ImportRow.sheet,
        ImportRow.row_number,
        ImportRow.state,
        ImportRow.record_id,
        ImportRow.plan,
        ImportRow.children,
        ImportRow.decisions,
    ).where(ImportRow.run == run.id, ImportRow.state.in_((*WRITTEN, "delete")))
    made: dict[int, NewRecord] = {}
    # The records before their children, whatever the order of the sheets.
    order = (ImportRow.entity != spec.name, ImportRow.id)
    for row in query.order_by(*order).namedtuples().iterator():
        entity = specs[row.entity]
        source = source_of(row)
        if row.state == "delete" and entity is spec:
            continue  # they go afterwards, each by itself
        if row.state == "delete":
            if everything or not is_left_out(row):
                change.delete(entity, row.record_id, source=source)
            continue
        if row.state != "new":
            values, base = chosen_values(entity, row, everything=everything)
            change.update(entity, row.record_id, values, base=base, source=source)
            continue
        if is_left_out(row) and not everything:
            continue
        values = entity.from_json(row.plan)
        owner = entity.owner
        if owner is not None and isinstance(row.plan.get(owner.name), list):
            found = made.get(row.plan[owner.name][0])
            if found is None:
                continue  # its owner is left out
            values[owner.name] = found
        record = change.create(entity, values, source=source)
        if entity is spec:
            made[row.row_number] = record
        for name, child_values in row.children:
            child = specs[name]
            assert child.owner is not None
            change.create(child, {**child.from_json(child_values), child.owner.name: record}, source=source)
    return change


def chosen_values(entity: ModelSpec, row: Any, *, everything: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """The new values of a row that are to be written, and what they replace."""
    values: dict[str, Any] = {}
    base: dict[str, Any] = {}
    if is_left_out(row) and not everything:
        return values, base
    for name, cell in row.plan.items():
        if everything or is_taken(cell, row.decisions.get(name)):
            item = entity.field(name)
            chosen = cell[0] if row.decisions.get(name) == "base" and not everything else cell[2]
            values[name] = item.type.from_json(chosen, item)
            base[name] = item.type.from_json(cell[1], item)
    return values, base


def count_chosen(run: ImportRun) -> dict[str, int]:
    """What would be written: {"new": records, "changed": records, "cells": cells of known records, "delete": rows}."""
    query = ImportRow.select(ImportRow.state, ImportRow.plan, ImportRow.decisions).where(
        ImportRow.run == run.id, ImportRow.state.in_((*WRITTEN, "delete"))
    )
    counts = {"new": 0, "changed": 0, "cells": 0, "delete": 0}
    for row in query.iterator():
        if is_left_out(row):
            continue
        if row.state in ("new", "delete"):
            counts[row.state] += 1
            continue
        cells = sum(is_taken(cell, row.decisions.get(name)) for name, cell in row.plan.items())
        counts["changed"] += bool(cells)
        counts["cells"] += cells
    return counts


def apply_run(
    run: ImportRun,
    spec: ModelSpec,
    operator: Operator,
    reason: str = "",
    *,
    instance: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Applied:
    """Writes the plan in one transaction together with the marks that it is done and that `hand_on` is to follow;
    RunEnded the second time.

    instance: the folder whose files forget who is anonymised, and in which files for others are laid down; None where
    there is none. progress: is told (done, total)
    in records; what it raises takes everything back.
    """

    def work() -> tuple[Applied, dict[int, Departure]]:
        # Whoever comes second waits here for the first one, and then finds nothing to take.
        taken = ImportRun.update(state="done", owes_files=instance is not None).where(
            ImportRun.id == run.id, ImportRun.state.in_(("preview", "applying"))
        )
        if not taken.execute():
            raise RunEnded()
        leaving = departures_of(spec, leaving_records(run, spec))
        applied = build_change(run, spec, reason).apply(operator, progress=progress)
        _keep_result(run, applied.change_set, applied.count)
        return applied, leaving

    applied, leaving = in_transaction(work)
    if not leaving:
        return applied
    words = reason or gettext("Import „%(file)s“", file=run.file_name)
    if instance is None:
        deletion = carry_out(spec, leaving, operator, reason=words)
    else:
        deletion = let_go(instance, spec, leaving, operator, reason=words)
    return _noted(run, spec, applied, deletion)


def leaving_records(run: ImportRun, spec: ModelSpec) -> list[int]:
    """The records themselves that go."""
    query = ImportRow.select().where(
        ImportRow.run == run.id, ImportRow.entity == spec.name, ImportRow.state == "delete"
    )
    return [row.record_id for row in query.order_by(ImportRow.id) if not is_left_out(row)]


def _noted(run: ImportRun, spec: ModelSpec, applied: Applied, result: Deletion) -> Applied:
    """Both results together; what must stay is noted at its row."""
    for key, reasons in result.refused.items():
        own = (ImportRow.run == run.id) & (ImportRow.entity == spec.name) & (ImportRow.record_id == key)
        for row in ImportRow.select().where(own, ImportRow.state == "delete"):
            finding = [gettext("Löschen Nummer"), "*", " ".join(reasons), "bad"]
            ImportRow.update(state="error", findings=[*row.findings, finding]).where(ImportRow.id == row.id).execute()
    gone = len(result.deleted) + len(result.anonymised)
    change_set = applied.change_set or result.change_set or result.final_set
    _keep_result(run, change_set, applied.count + gone)
    return replace(applied, change_set=change_set, deleted=applied.deleted + gone)


def _keep_result(run: ImportRun, change_set: int | None, count: int) -> None:
    counts = {**ImportRun.get_by_id(run.id).counts, "applied": count}
    ImportRun.update(change_set=change_set, counts=counts).where(ImportRun.id == run.id).execute()

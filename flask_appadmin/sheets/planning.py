"""What a file would change: its rows are matched with records and compared cell by cell, before anything is written.

Shape: the plan of an ImportRun is one ImportRow per row of the file that would change something or has a finding (rows
that agree with the records are only counted). In a file of our own a row is found by its row key, and each cell is
compared three ways: what it was at export (rebuilt from the history), what it is now, what the file says. In a foreign
file rows are found by a chosen key field, and a blank cell means "no change" unless the operator switches. `<leer>`
always clears. Rows with errors are left out and listed. At the end everything is rehearsed by the gateway, so that
every rule has spoken before it is shown.
Findings: [heading, value, sentence, weight]; weight is "bad" (the row is left out), "warn" or "note".
Row numbers are those of the spreadsheet. Errors: SheetError for the file, findings for everything about a row.
Source: design.md section 6; goals I4 to I13.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from flask_appadmin.changes import Applied, known_specs
from flask_appadmin.errors import FaultList
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.sheets.applying import apply_run, build_change
from flask_appadmin.sheets.child_columns import plan_children
from flask_appadmin.sheets.comparing import Comparison
from flask_appadmin.sheets.damage.damages import Damages
from flask_appadmin.sheets.deleting import plan_deletions
from flask_appadmin.sheets.import_modes import read_defaults, take_defaults
from flask_appadmin.sheets.inbox import digest_of
from flask_appadmin.sheets.mapping import importable_fields
from flask_appadmin.sheets.matching import Matcher
from flask_appadmin.sheets.plan_rows import (
    STATES,
    count_rows,
    decide_again,
    decisions_of,
    forget_rows,
    note_faults,
    store_rows,
)
from flask_appadmin.sheets.planned import CHUNK, Planned, batches
from flask_appadmin.sheets.reading import Spool, open_sheets
from flask_appadmin.sheets.row_reader import RowReader
from flask_appadmin.sheets.sessions import ImportRow, ImportRun, SheetExport
from flask_appadmin.sheets.surveying import ImportOptions, Survey, SurveyedSheet
from flask_appadmin.sheets.unknown_values import UnknownValues
from flask_appadmin.specs import ModelSpec, ReferenceCache

#: So many times refused rows are left out before the rest is tried for good.
_ROUNDS = 3


class Planner:
    """Plans one run: reads the file with the chosen mapping and writes its ImportRows."""

    def __init__(
        self,
        run: ImportRun,
        path: Path,
        spec: ModelSpec,
        operator: Operator,
        options: ImportOptions,
        progress: Callable[[int, int], None] | None = None,
        spool: Spool | None = None,
    ) -> None:
        self.run = run
        self.path = path
        self.spec = spec
        self.operator = operator
        self.options = options
        self.progress = progress
        #: What the survey of the same file kept.
        self.spool = spool
        self.kind = ""
        self.names = ReferenceCache()
        self.deletes = options.mode == "delete"
        self.defaults = read_defaults(options, spec, self.names)
        self.exports: dict[str, SheetExport | None] = {}
        self._importable: dict[str, set[str]] = {}
        #: Digest -> rows of that content that an earlier import of this file took over.
        self.taken: dict[str, int] = {}
        #: What a spreadsheet program did to the file.
        self.damages = Damages()
        #: Words of the file that nobody knows.
        self.unknown = UnknownValues()
        self.matcher = Matcher(self)
        self.comparison = Comparison(operator, self.names)
        self._counts = dict.fromkeys(STATES, 0)
        self._done = 0
        self._total = 0
        #: Whether the rules have spoken about the whole plan.
        self.is_rehearsed = False

    def importable(self, entity: ModelSpec) -> set[str]:
        """Names of the fields that the file may set."""
        if entity.name not in self._importable:
            self._importable[entity.name] = {item.name for item in importable_fields(entity, self.operator)}
        return self._importable[entity.name]

    def plan(self, survey: Survey, *, at_once: bool = False) -> dict[str, int]:
        """Writes the rows of the run anew and answers the counts; in case of a fault the run has no rows.

        at_once: nobody looks at the plan before it is applied. Where nothing in it waits for an answer, `apply` finds
        out what the rules refuse; then it is not rehearsed.
        """
        self.kind = survey.kind
        self.taken = dict(survey.taken)
        self._total = survey.row_count
        decisions = decisions_of(self.run)
        forget_rows(self.run)
        try:
            self._plan_sheets(survey)
            self.is_rehearsed = not at_once or self._has_questions()
            if self.is_rehearsed:
                self._rehearse()
        except BaseException:
            forget_rows(self.run)
            raise
        decide_again(self.run, decisions)
        counts = self.counts()
        export = next((found for found in self.exports.values() if found is not None), None)
        detection: Any = {**self.run.detection, "damages": self.damages.to_json(), "unknown": self.unknown.to_json()}
        # What is applied later is the plan of this very file.
        detection["file"] = digest_of(self.path)
        self.run.detection = detection
        ImportRun.update(counts=counts, plan=secrets.token_hex(8), export=export, detection=detection).where(
            ImportRun.id == self.run.id
        ).execute()
        return counts

    def _plan_sheets(self, survey: Survey) -> None:
        wanted = [sheet for sheet in survey.sheets if sheet.detection.row_count]
        main = next((sheet for sheet in wanted if sheet.entity == self.spec.name), None)
        # One pass does, unless children stand before the records they belong to.
        for _pass in range(2):
            with contextlib.closing(self._sheets()) as sheets:
                for name, found in sheets:
                    sheet = next((entry for entry in wanted if entry.name == name), None)
                    if sheet is None or (main in wanted and sheet is not main):
                        continue
                    self._plan_sheet(sheet, found)
                    wanted.remove(sheet)
                    if not wanted:
                        return

    def _sheets(self) -> Generator[tuple[str, Any], None, None]:
        options = self.options
        with open_sheets(
            self.path, self.run.file_name, encoding=options.encoding, separator=options.separator, spool=self.spool
        ) as reader:
            for found in reader:
                if found.visible:
                    yield found.name, found

    def _plan_sheet(self, sheet: SurveyedSheet, found: Any) -> None:
        entity = self.spec if sheet.entity == self.spec.name else known_specs()[sheet.entity]
        targets = sheet.own if sheet.own is not None else self.options.targets
        reader = RowReader(self, sheet, entity, targets)
        header_row, faults = sheet.detection.header_row, found.data.cell_faults
        numbered = (entry for entry in enumerate(found, start=1) if entry[0] > header_row and entry[1])
        filled = (reader.read(number, row, faults) for number, row in numbered)
        for planned in batches((row for row in filled if row is not None), CHUNK):
            self.matcher.match(planned, entity, sheet, reader.doctor)
            if self.deletes:
                plan_deletions(self, planned)
            else:
                self.matcher.find_named(planned, entity)
                if sheet.own is None:
                    take_defaults(self, planned, reader.asked)
                self.comparison.compare(planned, entity, reader)
                if sheet.own is None:
                    plan_children(self, planned, reader)
            self._store(planned, entity, sheet)
            self._done += len(planned)
            if self.progress is not None:
                self.progress(self._done, self._total)
        reader.doctor.finish(found.data.hidden_rows, [item.name for item in entity.natural_key])

    # --- storing and rehearsing --------------------------------------------------------------------------------------

    def _store(self, planned: list[Planned], entity: ModelSpec, sheet: SurveyedSheet) -> None:
        rows = []
        for row in planned:
            state = row.state or "unchanged"
            if state == "unchanged" and not row.parts:
                self._counts["unchanged"] += 1
            if state != "unchanged" or row.findings:
                rows.append(self._stored(row, entity, sheet))
            if state != "error":
                rows += [self._stored(part, child, sheet) for child, part in row.parts]
        store_rows(rows)

    def _stored(self, row: Planned, entity: ModelSpec, sheet: SurveyedSheet) -> dict[str, Any]:
        children = {child.name: child for child in entity.children}
        state = row.state or "unchanged"
        new = [
            [name, children[name].to_json({key: value for key, value in values.items() if value is not None})]
            for name, values in row.children
            if state == "new"
        ]
        return {
            "run": self.run.id,
            "entity": entity.name,
            "sheet": sheet.name[:60],
            "row_number": row.number,
            "state": state,
            "record_id": row.key,
            "title": row.title[:160],
            "plan": row.plan if state != "error" else {},
            "children": new,
            "findings": row.findings,
            "is_duplicate": row.duplicate and state == "new",
            "cleared": row.cleared if state != "error" else 0,
        }

    def counts(self) -> dict[str, int]:
        """The rows of the plan by state."""
        counts = count_rows(self.run)
        # Those without a finding have no row.
        counts["unchanged"] = self._counts["unchanged"]
        return counts

    def _rehearse(self) -> None:
        """Runs the whole change and takes it back, so that every rule of the models has spoken before it is shown."""
        for _round in range(_ROUNDS):
            self._refuse_orphans()
            change = build_change(self.run, self.spec, everything=True)
            if change.is_empty:
                return
            try:
                change.rehearse(self.operator)
                return
            except FaultList as refused:
                if not note_faults(self.run, refused.faults):
                    raise

    def apply(self, reason: str = "", *, instance: Path | None = None) -> Applied | None:
        """Applies a plan that was not rehearsed; None where nothing is left to write.

        What the rules refuse is noted at its row and left out, as a rehearsal does it: writing is the rehearsal.
        """
        for _round in range(_ROUNDS):
            self._refuse_orphans()
            counts = self.counts()
            ImportRun.update(counts=counts).where(ImportRun.id == self.run.id).execute()
            if not (counts["new"] or counts["changed"]):
                return None
            try:
                return apply_run(self.run, self.spec, self.operator, reason, instance=instance)
            except FaultList as refused:
                if not note_faults(self.run, refused.faults):
                    raise
        return apply_run(self.run, self.spec, self.operator, reason, instance=instance)

    def _has_questions(self) -> bool:
        """Whether something would be left out or asked back: conflicts, and records that are to go."""
        counts = self.counts()
        return bool(counts["conflict"] or counts["delete"])

    def _refuse_orphans(self) -> None:
        """New children of a new record that is left out go with it."""
        if not self.matcher.new_owners:
            return
        run = ImportRow.run == self.run.id
        main = ImportRow.entity == self.spec.name
        new = ImportRow.state == "new"
        kept = {row[0] for row in ImportRow.select(ImportRow.row_number).where(run, main, new).tuples()}
        for row in ImportRow.select().where(run, ~main, new).iterator():
            owner = known_specs()[row.entity].owner
            number = row.plan.get(owner.name) if owner is not None else None
            if isinstance(number, list) and number[0] not in kept:
                words = gettext("gehört zu Zeile %(row)s, die nicht übernommen wird.", row=number[0])
                ImportRow.update(state="error", findings=[*row.findings, ["", "", words, "bad"]]).where(
                    ImportRow.id == row.id
                ).execute()

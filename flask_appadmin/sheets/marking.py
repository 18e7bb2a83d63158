"""The operator's own file comes back: every problem at its cell, a state behind each row, a list of problems in front.

Shape: `write_marked` writes an xlsx (an xlsm loses its macros). Of a workbook everything else stays as it was
(annotating/); of another kind of file, and of a workbook that is written in an unusual way, the values are copied
first. Mended and brought in again, the rows that were taken over are known (taken_rows.py).
Errors: SheetError where the file cannot be read any more or written. Source: goals I11, M3.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from flask_appadmin.changes import known_specs
from flask_appadmin.errors import SheetError
from flask_appadmin.history import taken_back
from flask_appadmin.i18n import format_number, gettext, ngettext
from flask_appadmin.sheets.annotating.comments import MAX_COMMENTS
from flask_appadmin.sheets.annotating.notes import Facts, Line, SheetMarks, Summary
from flask_appadmin.sheets.annotating.workbook import annotate
from flask_appadmin.sheets.annotating.xmlparts import NotAnnotatable
from flask_appadmin.sheets.applying import WRITTEN, is_conflict, is_left_out, is_taken
from flask_appadmin.sheets.exporting import cells_of
from flask_appadmin.sheets.planned import as_text
from flask_appadmin.sheets.reading import open_sheets
from flask_appadmin.sheets.sessions import ImportRow, ImportRun, with_findings
from flask_appadmin.sheets.surveying import ImportOptions, Survey, SurveyedSheet
from flask_appadmin.sheets.taken_rows import (
    FACTS_NAME,
    FINDING,
    PROBLEM_HEADINGS,
    TakenRows,
    facts_of,
    heading_of,
    is_list_of_problems,
)
from flask_appadmin.sheets.writing.workbook import WorkbookWriter
from flask_appadmin.specs import FieldSpec, ModelSpec

#: So many problems stand in the list in front.
_LISTED = 20_000
#: So often in rows it is told how far the reading is.
_TOLD = 1_000
#: Where headings of a list of problems are looked for.
_HEAD = 12
_WORKBOOKS = ("xlsx", "xlsm")


def finding_sentences(run: ImportRun, limit: int | None = None) -> Iterator[str]:
    """One sentence per finding: „Zeile 14, Spalte „IBAN“: …“; those of children begin with their sheet's name."""
    query = ImportRow.select(ImportRow.entity, ImportRow.sheet, ImportRow.row_number, ImportRow.findings)
    query = query.where(with_findings(run)).order_by(ImportRow.id).namedtuples()
    for row in (query.limit(limit) if limit else query).iterator():
        for finding in row.findings:
            sentence = finding_sentence(row, finding)
            yield sentence if row.entity == run.entity else f"{row.sheet} {sentence}".strip()


def finding_sentence(row: Any, finding: list[str]) -> str:
    """Where, and what was found."""
    heading, value, sentence = finding[:3]
    place = gettext("Zeile %(row)s", row=row.row_number)
    if heading:
        place += gettext(", Spalte „%(heading)s“", heading=heading)
    return f"{place}: {_with_value(value, sentence)}"


def _with_value(value: str, sentence: str) -> str:
    return f"„{value}“ {sentence}" if value and f"„{value}“" not in sentence else sentence


def write_marked(
    target: Path,
    run: ImportRun,
    source: Path,
    survey: Survey,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes the file with the findings of the run. progress: is told (done, total) in rows; reading the file is taken
    for half of the work, and what it raises ends it."""
    marking = _Marking(run, survey, progress)
    marking.look(source)
    sheets = [marking.marks_of(sheet) for sheet in survey.sheets if sheet.name in marking.widths]
    summary, facts = marking.summary(), marking.facts()
    if survey.kind in _WORKBOOKS:
        try:
            annotate(source, target, sheets, summary, facts)
        except NotAnnotatable:
            target.unlink(missing_ok=True)
        else:
            return
    handle, name = tempfile.mkstemp(prefix=".", suffix=".xlsx", dir=target.parent)
    os.close(handle)
    plain = Path(name)
    try:
        names = marking.copy_values(source, plain)
        for sheet in sheets:
            sheet.name = names[sheet.name]
        for line in summary.lines:
            line.sheet = names[line.sheet]
        # Of the two sheets of an earlier marking the values copied are those of the visible one.
        summary.replaces = names[summary.replaces] if summary.replaces else ""
        facts.replaces = ""
        annotate(plain, target, sheets, summary, facts)
    except NotAnnotatable as error:
        raise SheetError(gettext("Die Datei mit Markierungen kann nicht geschrieben werden.")) from error
    finally:
        plain.unlink(missing_ok=True)


@dataclass
class _Places:
    """Where things stand in one sheet: headings and labels of fields -> column, field -> column."""

    by_words: dict[str, int] = field(default_factory=dict)
    by_target: dict[str, int] = field(default_factory=dict)


class _Marking:
    """What is to be said about one run."""

    def __init__(self, run: ImportRun, survey: Survey, progress: Callable[[int, int], None] | None = None) -> None:
        self.run, self.survey, self._progress = run, survey, progress
        self._read = 0
        self.options = ImportOptions.from_json(run.options)
        self.spec = known_specs()[run.entity]
        self.is_done = run.state == "done" and not (run.change_set_id and taken_back([run.change_set_id]))
        #: Sheet -> how many columns are filled.
        self.widths: dict[str, int] = {}
        self.names: list[str] = []
        self.lines: list[Line] = []
        self.rows = self.problems = self.more = 0
        self._digests: dict[str, dict[int, str]] = {}
        #: What an earlier marking has added.
        self._earlier: list[Any] = []
        self._old_list = self._old_facts = self._old_heading = ""

    # --- looking at the file ------------------------------------------------------------------------------------------

    def look(self, source: Path) -> None:
        """Finds out how wide the sheets are, and the digests of the rows that are to be known again."""
        wanted = {sheet.name: sheet for sheet in self.survey.sheets}
        with self._opened(source) as reader:
            for found in reader:
                self.names.append(found.name)
                if found.name.startswith(FACTS_NAME) and not found.visible:
                    self._old_facts = found.name
                    self._earlier = list(found)
                    self._old_heading = heading_of(self._earlier)
                    continue
                sheet = wanted.get(found.name) if found.visible else None
                head: list[Any] = []
                width = 0
                rows = self._rows_to_know(sheet) if sheet is not None else set()
                digest = TakenRows(self._targets(sheet)) if sheet is not None else None
                digests: dict[int, str] = {}
                for number, row in enumerate(found, start=1):
                    if len(head) < _HEAD:
                        head.append(row)
                    width = max(width, len(row))
                    if sheet is not None and not number % _TOLD:
                        self._tell(_TOLD)
                    if digest is not None and number in rows and (text := digest.of(row)):
                        digests[number] = text
                if sheet is not None:
                    self.widths[sheet.name], self._digests[sheet.name] = width, digests
                elif is_list_of_problems(head):
                    self._old_list = found.name

    def _tell(self, rows: int = 0) -> None:
        """Says how far it is, and asks whether to go on."""
        self._read += rows
        if self._progress is not None:
            self._progress(self._read, 2 * self.survey.row_count)

    def _opened(self, source: Path) -> Any:
        return open_sheets(source, self.run.file_name, encoding=self.options.encoding, separator=self.options.separator)

    def _rows_to_know(self, sheet: SurveyedSheet) -> set[int]:
        query = ImportRow.select(ImportRow.row_number).where(
            ImportRow.run == self.run.id, ImportRow.sheet == sheet.name[:60], ImportRow.state.in_(WRITTEN)
        )
        return {row[0] for row in query.tuples()}

    def _targets(self, sheet: SurveyedSheet) -> list[str]:
        return sheet.own if sheet.own is not None else self.options.targets

    def copy_values(self, source: Path, target: Path) -> dict[str, str]:
        """A workbook with the values of the file at their places; answers what its sheets are called now."""
        names: dict[str, str] = {}
        with WorkbookWriter(target, title=self.run.file_name) as book, self._opened(source) as reader:
            for found in reader:
                if not found.visible:
                    continue
                table = book.add_plain(found.name or gettext("Tabelle"))
                names[found.name] = table.name
                for row in found:
                    table.write_row(row)
        return names

    @property
    def heading(self) -> str:
        """Heading of the column of states: one that no column of the operator has."""
        if self._old_heading:
            return self._old_heading
        taken = {heading for sheet in self.survey.sheets for heading in sheet.detection.headings}
        return _free(str(FINDING), taken)

    # --- what is said -------------------------------------------------------------------------------------------------

    def marks_of(self, sheet: SurveyedSheet) -> SheetMarks:
        """The marks of one sheet."""
        headings = sheet.detection.headings
        heading = self.heading
        if self._old_heading in headings:
            column = headings.index(self._old_heading)
        else:
            column = max(self.widths[sheet.name], len(headings))
        marks = SheetMarks(sheet.name, sheet.detection.header_row, column, heading, gettext("unverändert"))
        places = self._places(sheet)
        query = (
            ImportRow.select()
            .where(ImportRow.run == self.run.id, ImportRow.sheet == sheet.name[:60])
            .order_by(ImportRow.row_number, ImportRow.id)
        )
        for number, rows in groupby(query.iterator(), key=lambda row: row.row_number):
            self._mark_row(marks, number, list(rows), places, sheet)
            if not number % _TOLD:
                self._tell()
        return marks

    def _places(self, sheet: SurveyedSheet) -> _Places:
        places = _Places()
        for index, heading in enumerate(sheet.detection.headings):
            places.by_words.setdefault(heading, index)
        main = known_specs()[sheet.entity]
        for index, target in enumerate(self._targets(sheet)):
            if not target or target.startswith("#"):
                continue
            places.by_target.setdefault(target, index)
            table, _dot, name = target.rpartition(".")
            entity = known_specs().get(table) if table else main
            item = entity.by_name.get(name) if entity is not None else None
            if item is not None:
                places.by_words.setdefault(str(item.label), index)
        return places

    def _mark_row(
        self, marks: SheetMarks, number: int, rows: list[ImportRow], places: _Places, sheet: SurveyedSheet
    ) -> None:
        """The state of a row in words, and its problems at their cells."""
        words: list[str] = []
        has_problem = False
        for row in rows:
            said = []
            for heading, value, sentence, weight in self._findings(row, sheet):
                text = _with_value(value, sentence)
                said.append(f"{heading}: {text}" if heading else text)
                column = places.by_words.get(heading, marks.status_column) if heading else marks.status_column
                place = number, column
                marks.comments[place] = f"{marks.comments[place]}\n{text}" if place in marks.comments else text
                if weight == "note":
                    continue
                has_problem = True
                if marks.colours.get(place) != "bad":
                    marks.colours[place] = "bad" if weight == "bad" else "warn"
                self._list(sheet.name, number, column, weight, heading, value, sentence)
            state = self._state(row)
            words.append(f"{state}: {' | '.join(said)}" if said else state)
        self.rows += has_problem
        marks.states[number] = " | ".join(dict.fromkeys(words))

    def _list(self, sheet: str, row: int, column: int, weight: str, heading: str, value: str, sentence: str) -> None:
        self.problems += 1
        if len(self.lines) >= _LISTED:
            self.more += 1
            return
        kinds = {"bad": gettext("Fehler"), "conflict": gettext("Konflikt")}
        kind = kinds.get(weight, gettext("Hinweis"))
        self.lines.append(Line(sheet, row, column, [sheet, kind, heading, value, sentence]))

    def _findings(self, row: ImportRow, sheet: SurveyedSheet) -> Iterable[tuple[str, str, str, str]]:
        """(heading, value, sentence, weight) of each finding, and of each conflict that is not decided."""
        for heading, value, sentence, *weight in row.findings:
            yield heading, value, sentence, (*weight, "bad")[0]
        if row.state != "conflict" or is_left_out(row):
            return
        entity = known_specs()[row.entity]
        headings = self._headings(entity, sheet)
        for name, cell in row.plan.items():
            if is_conflict(cell) and not is_taken(cell, row.decisions.get(name)):
                item = entity.field(name)
                base, now, mine = (_shown(item, part) for part in cell[:3])
                words = gettext("wurde seit dem Export geändert: von „%(base)s“ auf „%(now)s“.", base=base, now=now)
                yield headings.get(name, str(item.label)), mine, words, "conflict"

    def _headings(self, entity: ModelSpec, sheet: SurveyedSheet) -> dict[str, str]:
        prefix = "" if entity.name == sheet.entity else f"{entity.name}."
        return {
            target.removeprefix(prefix): heading
            for heading, target in zip(sheet.detection.headings, self._targets(sheet), strict=False)
            if target.startswith(prefix)
        }

    def _state(self, row: ImportRow) -> str:
        if row.state == "error":
            return gettext("Fehler")
        if row.state == "skipped":
            return gettext("übergangen")
        if row.state == "unchanged":
            return gettext("unverändert")
        if is_left_out(row):
            return gettext("ausgelassen")
        if row.state == "conflict" and any(
            is_conflict(cell) and name not in row.decisions for name, cell in row.plan.items()
        ):
            return gettext("Konflikt")
        if self.is_done:
            return gettext("übernommen")
        return {"new": gettext("neu"), "delete": gettext("löschen")}.get(row.state, gettext("geändert"))

    # --- the two sheets -----------------------------------------------------------------------------------------------

    def summary(self) -> Summary:
        """The list of problems."""
        found = ngettext("%(count)s Befund", "%(count)s Befunde", self.problems)
        rows = ngettext("%(count)s Zeile", "%(count)s Zeilen", self.rows)
        sentences = [
            gettext("%(found)s in %(rows)s.", found=found, rows=rows) if self.problems else gettext("Kein Befund."),
            gettext(
                "Bitte berichtigen Sie die gefärbten Zellen (der Grund steht im Kommentar), speichern Sie die Datei "
                "und laden Sie sie wieder hoch. Was schon übernommen ist, wird dabei erkannt."
            ),
        ]
        if self.more or len(self.lines) > MAX_COMMENTS:
            sentences.append(
                gettext(
                    "Aufgeführt sind die ersten %(count)s Befunde, mit Kommentar die ersten %(comments)s je Blatt; in "
                    "der Spalte „%(heading)s“ stehen alle.",
                    count=format_number(len(self.lines)),
                    comments=format_number(MAX_COMMENTS),
                    heading=self.heading,
                )
            )
        return Summary(
            name=self._free_name(gettext("Befunde"), self._old_list),
            title=gettext("Befunde zu „%(file)s“", file=self.run.file_name),
            sentences=sentences,
            headings=[str(heading) for heading in PROBLEM_HEADINGS],
            lines=self.lines,
            widths=[9, 20, 10, 24, 32, 90],
            replaces=self._old_list,
        )

    def facts(self) -> Facts:
        """What is needed to know rows again."""
        name = self._free_name(FACTS_NAME, self._old_facts)
        return Facts(name, facts_of(self.run, self.heading, self._digests, self._earlier), self._old_facts)

    def _free_name(self, wanted: str, old: str) -> str:
        return _free(wanted, {name.casefold() for name in self.names if name != old})


def _free(wanted: str, taken: set[str]) -> str:
    """The name, or the first one with a number behind it that nobody has."""
    name, number = wanted, 1
    while name in taken or name.casefold() in taken:
        number += 1
        name = f"{wanted} {number}"
    return name


def _shown(item: FieldSpec, stored: Any) -> str:
    """A value of a plan as its cell shows it."""
    value = item.type.from_json(stored, item)
    return "" if value is None else as_text(cells_of([item], [(value,)])[0][0])

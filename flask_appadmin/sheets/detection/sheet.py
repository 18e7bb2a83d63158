"""One sheet as a whole: its heading row, its columns and its rows, found while the rows arrive."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from flask_appadmin.sheets.detection.columns import ColumnCounts, ColumnHint, example_of, suggest_date_order
from flask_appadmin.sheets.detection.evidence import Evidence
from flask_appadmin.sheets.detection.headings import find_header, heading_evidence
from flask_appadmin.sheets.detection.remarks import sheet_evidence, text_evidence
from flask_appadmin.sheets.limits import column_letters
from flask_appadmin.sheets.reading import Row, SheetData, Workbook

#: Rows that are looked at for the headings.
_HEAD_ROWS = 60
#: Rows below the headings that are surveyed for hints.
_SURVEYED_ROWS = 20_000
_BATCH_ROWS = 1_000


@dataclass
class Detection:
    """What was found in one sheet."""

    sheet: str
    #: The row of the headings, 0 for none.
    header_row: int
    headings: list[str]
    columns: list[ColumnHint]
    #: Filled rows below the headings, and the numbers of the first and the last of them (0 for none).
    row_count: int
    first_row: int
    last_row: int
    empty_rows: int
    evidence: list[Evidence]

    @property
    def questions(self) -> list[Evidence]:
        """What must be answered before values are read, of the file and of its columns."""
        found = [evidence for evidence in self.evidence if evidence.weight == "question"]
        for column in self.columns:
            found.extend(column.questions)
        return found

    def to_json(self) -> dict[str, Any]:
        """The detection as JSON values, for a stored import session; `detection_from_json` reads them."""
        return asdict(self)


def detection_from_json(stored: dict[str, Any]) -> Detection:
    columns = [
        ColumnHint(**{**column, "evidence": [Evidence(**found) for found in column["evidence"]]})
        for column in stored["columns"]
    ]
    evidence = [Evidence(**found) for found in stored["evidence"]]
    return Detection(**{**stored, "columns": columns, "evidence": evidence})


class SheetSurvey:
    """Looks at rows as they arrive: `add` each, then `finish`. Keeps some rows at a time, never all."""

    def __init__(self, header_row: int | None = None, known_headings: Collection[str] = ()) -> None:
        self._given = header_row
        self._known = known_headings
        self._head: list[Row] = []
        self._is_open = True
        self._header: tuple[int, Evidence] = (0, Evidence("header_none", {"row": 1}))
        self._headings: list[Any] = []
        self._number = 0
        self._counts: list[ColumnCounts] = []
        self.row_count = self.first_row = self.last_row = 0
        self._surveyed = 0
        self._batch: list[Row] = []

    @property
    def header_row(self) -> int:
        """The heading row, once the first rows have arrived; 0 for none."""
        return self._header[0]

    def add(self, row: Row) -> None:
        if self._is_open:
            self._head.append(row)
            if len(self._head) >= max(_HEAD_ROWS, self._given or 0):
                self._settle()
            return
        self._count(row)

    def _settle(self) -> None:
        self._is_open = False
        if self._given is None:
            self._header = find_header(self._head[:_HEAD_ROWS], self._known)
        elif self._given == 0:
            self._header = (0, Evidence("header_given_none"))
        else:
            self._header = (self._given, Evidence("header_given", {"row": self._given}))
        row_number = self._header[0]
        if 0 < row_number <= len(self._head):
            self._headings = list(self._head[row_number - 1])
        self._number = row_number
        for row in self._head[row_number:]:
            self._count(row)
        self._head = []

    def _count(self, row: Row) -> None:
        self._number += 1
        if not row:
            return
        self.row_count += 1
        self.first_row = self.first_row or self._number
        self.last_row = self._number
        if self._surveyed >= _SURVEYED_ROWS:
            return
        self._surveyed += 1
        self._batch.append(row)
        if len(self._batch) >= _BATCH_ROWS:
            self._survey_batch()

    def _survey_batch(self) -> None:
        for column, cells in enumerate(itertools.zip_longest(*self._batch)):
            if column >= len(self._counts):
                self._counts.append(ColumnCounts())
            self._counts[column].add(cells)
        self._batch = []

    def finish(self, sheet: str = "", remarks: Iterable[Evidence] = ()) -> Detection:
        if self._is_open:
            self._settle()
        self._survey_batch()
        header_row, header_evidence = self._header
        width = max(len(self._headings), len(self._counts))
        headings = []
        for index in range(width):
            cell = self._headings[index] if index < len(self._headings) else None
            text = "" if cell is None else " ".join(_shown_heading(cell).split())
            headings.append(text if header_row else column_letters(index))
        columns = []
        for index, heading in enumerate(headings):
            counts = self._counts[index] if index < len(self._counts) else ColumnCounts()
            columns.append(counts.hint(index, heading))
        evidence = [*remarks, header_evidence]
        evidence.extend(heading_evidence(columns))
        suggest_date_order(columns)
        empty_rows = self.last_row - self.first_row + 1 - self.row_count if self.row_count else 0
        if empty_rows:
            evidence.append(Evidence("empty_rows", {"count": empty_rows}))
        if not self.row_count:
            evidence.append(Evidence("no_rows", {}, "warning"))
        return Detection(
            sheet, header_row, headings, columns, self.row_count, self.first_row, self.last_row, empty_rows, evidence
        )


def _shown_heading(cell: Any) -> str:
    return cell if isinstance(cell, str) else example_of(cell)


def detect(
    workbook: Workbook,
    sheet: SheetData | None = None,
    *,
    header_row: int | None = None,
    known_headings: Collection[str] = (),
) -> Detection:
    """What a sheet of a workbook is. `header_row` overrules the guess (0: there are no headings).

    Encoding and separator are overruled where the file is read (`read_workbook`).
    """
    sheet = sheet or workbook.main_sheet
    survey = SheetSurvey(header_row, known_headings)
    for row in sheet.rows:
        survey.add(row)
    return survey.finish(sheet.name, [*text_evidence(workbook), *sheet_evidence(sheet)])

"""The operator's own file comes back: every row as it was, the cells with a finding coloured and commented.

Shape: an xlsx with the sheets that were read, headings and rows in their order, and a last column with the findings in
words; it can be corrected and brought in again. Errors: SheetError where the file cannot be read any more or written.
Source: goal I11.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask_appadmin.i18n import _, gettext
from flask_appadmin.sheets.exporting import ROW_KEY
from flask_appadmin.sheets.reading import open_sheets
from flask_appadmin.sheets.sessions import ImportRow, ImportRun, with_findings
from flask_appadmin.sheets.surveying import ImportOptions, Survey, SurveyedSheet
from flask_appadmin.sheets.writing import SheetColumn, WorkbookWriter

#: Heading of the added column; it leads nowhere when the file comes back.
FINDING = _("Befund")

_CHUNK = 2_000


def finding_sentences(run: ImportRun, limit: int | None = None) -> Iterator[str]:
    """One sentence per finding: „Zeile 14, Spalte „IBAN“: …“; those of children begin with their sheet's name."""
    query = ImportRow.select().where(with_findings(run)).order_by(ImportRow.id)
    for row in (query.limit(limit) if limit else query).iterator():
        for finding in row.findings:
            sentence = finding_sentence(row, finding)
            yield sentence if row.entity == run.entity else f"{row.sheet} {sentence}".strip()


def finding_sentence(row: ImportRow, finding: list[str]) -> str:
    """Where, and what was found."""
    heading, value, sentence = finding[:3]
    place = gettext("Zeile %(row)s", row=row.row_number)
    if heading:
        place += gettext(", Spalte „%(heading)s“", heading=heading)
    if value and f"„{value}“" not in sentence:
        sentence = f"„{value}“ {sentence}"
    return f"{place}: {sentence}"


def write_marked(target: Path, run: ImportRun, source: Path, survey: Survey) -> None:
    """Writes the file with the findings of the run."""
    options = ImportOptions.from_json(run.options)
    wanted = {sheet.name: sheet for sheet in survey.sheets}
    with (
        WorkbookWriter(target, title=run.file_name) as book,
        open_sheets(source, run.file_name, encoding=options.encoding, separator=options.separator) as reader,
    ):
        for found in reader:
            sheet = wanted.get(found.name)
            if sheet is not None and found.visible:
                _write_sheet(book, run, sheet, found)


def _write_sheet(book: WorkbookWriter, run: ImportRun, sheet: SurveyedSheet, found: Any) -> None:
    headings = sheet.detection.headings
    hidden = str(ROW_KEY) if sheet.own is not None else None
    columns = [
        SheetColumn(f"c{index}", heading, kind="any", hidden=heading == hidden)
        for index, heading in enumerate(headings)
    ]
    columns.append(SheetColumn("finding", str(FINDING), kind="any", width=60))
    table = book.add_table(sheet.name or gettext("Tabelle"), columns)
    places = {heading: index for index, heading in reversed(list(enumerate(headings)))}
    findings = _findings_of(run, sheet)
    row_number, noted = next(findings, (0, []))
    for number, row in enumerate(found, start=1):
        if number <= sheet.detection.header_row or not row:
            continue
        while row_number and row_number < number:
            row_number, noted = next(findings, (0, []))
        cells = [*row[: len(headings)], *([None] * (len(headings) - len(row)))]
        if row_number != number:
            table.write_row(cells)
            continue
        faults: dict[int, str] = {}
        for heading, _value, sentence, *_weight in noted:
            index = places.get(heading, len(headings))
            faults[index] = f"{faults[index]}\n{sentence}" if index in faults else sentence
        words = "\n".join(f"{heading}: {sentence}" if heading else sentence for heading, _v, sentence, *_w in noted)
        faults.setdefault(len(headings), "")
        table.write_row(
            [*cells, words], {index: text for index, text in faults.items() if index < len(headings) or text}
        )


def _findings_of(run: ImportRun, sheet: SurveyedSheet) -> Iterator[tuple[int, list[list[str]]]]:
    query = (
        ImportRow.select(ImportRow.row_number, ImportRow.findings)
        .where(with_findings(run), ImportRow.entity == sheet.entity)
        .order_by(ImportRow.row_number)
        .tuples()
    )
    yield from query.iterator()

"""What a file as a whole tells: how its text is written, and what its rows alone do not show."""

from __future__ import annotations

from typing import Any

from flask_appadmin.i18n import ngettext
from flask_appadmin.sheets.detection.evidence import Evidence
from flask_appadmin.sheets.limits import column_letters
from flask_appadmin.sheets.reading import SheetData, Workbook

#: Rows of so many different lengths are told each by itself.
_UNEVEN_TOLD = 4


def text_evidence(workbook: Workbook) -> list[Evidence]:
    """What speaks for the encoding and the separator of a text file; empty for the other kinds."""
    found = workbook.text
    if found is None:
        return []
    evidence = []
    encoding: dict[str, Any] = {"encoding": found.encoding}
    if found.encoding_reason in ("valid", "letters", "unsure"):
        encoding |= {"count": found.special_characters, "example": found.example, "line": found.example_line}
    if found.encoding_reason == "mixed":
        encoding |= {"count": len(found.mixed_lines), "lines": found.mixed_lines[:5]}
    weight = "warning" if found.encoding_reason in ("unsure", "mixed") else "info"
    evidence.append(Evidence(f"encoding_{found.encoding_reason}", encoding, weight))
    if found.lost_characters:
        lost = {"count": found.lost_characters, "line": found.lost_line}
        evidence.append(Evidence("lost_characters", lost, "warning"))
    separator = {
        "separator": found.separator,
        "columns": found.usual_columns,
        "rows": found.sample_rows,
        "fitting": found.sample_fitting,
    }
    weight = "warning" if found.separator_reason in ("best", "none") else "info"
    evidence.append(Evidence(f"separator_{found.separator_reason}", separator, weight))
    if found.end_mark:
        evidence.append(Evidence("end_mark"))
    evidence += _uneven_rows(workbook.row_lengths)
    if workbook.quote_suspects:
        parts = {"count": len(workbook.quote_suspects), "row": workbook.quote_suspects[0]}
        evidence.append(Evidence("quote_suspects", parts, "warning"))
    return evidence


def _uneven_rows(lengths: list[tuple[int, int, int]]) -> list[Evidence]:
    """Rows with more or fewer columns than most of them, by (columns, how many rows, the first of them)."""
    usual = max(lengths, key=lambda entry: entry[1], default=(0, 0, 0))[0]
    uneven = [entry for entry in lengths if entry[0] != usual]
    evidence = []
    if len(uneven) >= _UNEVEN_TOLD:
        # What is shorter lacks values at its end: one sentence does. What is longer has something in no column.
        short = [entry for entry in uneven if entry[0] < usual]
        if short:
            parts = {"count": sum(entry[1] for entry in short), "usual": usual, "row": min(entry[2] for entry in short)}
            evidence.append(Evidence("short_rows", parts, "warning"))
        uneven = [entry for entry in uneven if entry[0] > usual][:_UNEVEN_TOLD]
    for length, count, first in uneven:
        parts = {"count": count, "found": length, "usual": usual, "row": first}
        # Lines of explanation stand in front and are no rows of the table.
        evidence.append(Evidence("uneven_rows", parts, "warning" if first > 1 < usual else "info"))
    return evidence


def sheet_evidence(sheet: SheetData) -> list[Evidence]:
    """What an operator should know before the rows of a sheet are used: error values, formulas, hidden rows."""
    sentences = []
    errors = [place for place, text in sheet.cell_faults.items() if text != "="]
    formulas = [place for place, text in sheet.cell_faults.items() if text == "="]
    if errors:
        row, column = min(errors)
        sentences.append(
            ngettext(
                "%(count)s Zelle enthält einen Fehlerwert (%(cell)s: %(text)s).",
                "%(count)s Zellen enthalten einen Fehlerwert (zum Beispiel %(cell)s: %(text)s).",
                len(errors),
                cell=f"{column_letters(column)}{row}",
                text=sheet.cell_faults[row, column],
            )
        )
    if formulas:
        row, column = min(formulas)
        sentences.append(
            ngettext(
                "%(count)s Formel hat kein gespeichertes Ergebnis (%(cell)s).",
                "%(count)s Formeln haben kein gespeichertes Ergebnis (zum Beispiel %(cell)s).",
                len(formulas),
                cell=f"{column_letters(column)}{row}",
            )
        )
    if sheet.merged_ranges:
        sentences.append(
            ngettext(
                "%(count)s Bereich ist verbunden; sein Wert steht nur in der ersten Zelle.",
                "%(count)s Bereiche sind verbunden; ihr Wert steht jeweils nur in der ersten Zelle.",
                sheet.merged_ranges,
            )
        )
    if sheet.hidden_rows:
        sentences.append(
            ngettext(
                "%(count)s Zeile ist ausgeblendet und wird mitgelesen.",
                "%(count)s Zeilen sind ausgeblendet und werden mitgelesen.",
                sheet.hidden_rows,
            )
        )
    return [Evidence("sheet_remark", {"text": text}, "warning") for text in sentences]

"""What a file as a whole tells: how its text is written, and what its rows alone do not show."""

from __future__ import annotations

from typing import Any

from flask_appadmin.i18n import ngettext
from flask_appadmin.sheets.detection.evidence import Evidence
from flask_appadmin.sheets.limits import column_letters
from flask_appadmin.sheets.reading import SheetData, Workbook


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
    if workbook.row_lengths:
        usual = max(workbook.row_lengths, key=lambda entry: entry[1])
        for length, count, first in workbook.row_lengths:
            # Only what is longer can hold something; shorter rows lack values at their end.
            if length != usual[0] and len(workbook.row_lengths) <= 4:
                parts = {"count": count, "found": length, "usual": usual[0], "row": first}
                evidence.append(
                    Evidence("uneven_rows", parts, "warning" if length > usual[0] > 1 and first > 1 else "info")
                )
    if workbook.quote_suspects:
        parts = {"count": len(workbook.quote_suspects), "row": workbook.quote_suspects[0]}
        evidence.append(Evidence("quote_suspects", parts, "warning"))
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

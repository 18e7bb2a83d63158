"""The row of the headings: which it is, and what is odd about what stands in it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask_appadmin.sheets.detection.columns import ColumnHint
from flask_appadmin.sheets.detection.evidence import Evidence
from flask_appadmin.sheets.detection.notation import is_datalike
from flask_appadmin.sheets.reading import Row


def normal_heading(text: Any) -> str:
    """A heading as it is compared: "E-Mail *" and "e-mail" are the same."""
    return " ".join(str(text).replace("\u00a0", " ").strip(" *:\t\r\n").lower().split())


def find_header(rows: list[Row], known_headings: Collection[str] = ()) -> tuple[int, Evidence]:
    """The number of the heading row among the first rows (0 for none) and what speaks for it.

    `known_headings` are normalised headings that the caller has fields for; a row with several of them is it.
    """
    filled = [sum(1 for cell in row if cell is not None) for row in rows]
    widest = max(filled, default=0)
    first_filled = next((number for number, count in enumerate(filled, start=1) if count), 0)
    if not widest:
        return 0, Evidence("header_none", {"row": 1}, "warning")
    if known_headings:
        best = (False, 0, 0)
        for number, row in enumerate(rows, start=1):
            known = sum(1 for cell in row if isinstance(cell, str) and normal_heading(cell) in known_headings)
            # The only row of a short list may say "department" below "Department": what heads nothing is no heading.
            best = max(best, (known > 0 and any(filled[number:]), known, -number))
        known, number = best[1], -best[2]
        if known >= 2 or (known == 1 and filled[number - 1] == 1):
            return number, Evidence("header_known", {"row": number, "known": known})
    scores: list[float] = []
    for row, count in zip(rows, filled, strict=True):
        values = sum(1 for cell in row if is_datalike(cell))
        textual = 1 - values / count if count else 0
        coverage = count / widest
        if coverage >= 0.6 and textual < 0.7 and not any(score >= 0.4 for score in scores):
            # A row of values before anything like headings.
            return 0, Evidence("header_none", {"row": len(scores) + 1}, "warning")
        scores.append(coverage * textual if textual >= 0.7 else 0)
    best_score = max(scores)
    if best_score <= 0:
        return 0, Evidence("header_none", {"row": first_filled}, "warning")
    number = next(number for number, score in enumerate(scores, start=1) if score >= 0.6 * best_score)
    headings = rows[number - 1]
    below = rows[number : number + 30]
    differs = any(
        is_datalike(row[column])
        for row in below
        for column in range(min(len(row), len(headings)))
        if headings[column] is not None
    )
    texts = [normal_heading(cell) for cell in headings if cell is not None]
    if below and (not differs or len(set(texts)) < len(texts) * 0.7):
        repeated = {normal_heading(cell) for row in below for cell in row if cell is not None} & set(texts)
        # A table of texts only: headings do not turn up again below, values often do.
        if repeated or len(set(texts)) < len(texts) * 0.7:
            return number, Evidence("header_unsure", {"row": number}, "warning")
    above = sum(1 for count in filled[: number - 1] if count)
    if above:
        return number, Evidence("header_below", {"row": number, "count": number - 1})
    return number, Evidence("header_first", {"row": number})


def heading_evidence(columns: list[ColumnHint]) -> list[Evidence]:
    found = []
    by_heading: dict[str, list[ColumnHint]] = {}
    for column in columns:
        if column.heading:
            by_heading.setdefault(normal_heading(column.heading), []).append(column)
    for same in by_heading.values():
        if len(same) > 1:
            parts = {"heading": same[0].heading, "columns": [column.letters for column in same]}
            found.append(Evidence("headings_twice", parts, "warning"))
    unnamed = [column.letters for column in columns if not column.heading and column.filled]
    if unnamed:
        found.append(Evidence("headings_missing", {"count": len(unnamed), "columns": unnamed[:10]}, "warning"))
    return found

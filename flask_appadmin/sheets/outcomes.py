"""What became of the rows of a file: each of them one thing, so that the counts add up to the rows.

Shape: `count_outcome` answers {"rows", "taken", "unchanged", "errors", "open", "left"}. A row of the file may have
become several rows of the plan (a record and its children); it is counted once, by the worst of them. "open" are
conflicts that nobody decided, "left" is what the operator or the mode left out. Shown as one sentence, and by the word
„fertig“ or „fertig mit Fehlern“. Source: goal S6 (count shown = rows changed).
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask_appadmin.i18n import format_number, gettext, ngettext
from flask_appadmin.sheets.applying import is_conflict, is_left_out, is_taken
from flask_appadmin.sheets.sessions import ImportRow, ImportRun

#: What may become of a row, the worst first; of all others nothing was planned.
_KINDS = ("errors", "open", "left", "taken")


def count_outcome(run: ImportRun) -> dict[str, int]:
    """Counts the rows of an applied run."""
    detection: Any = run.detection
    counts = dict.fromkeys(("rows", "taken", "unchanged", "errors", "open", "left"), 0)
    counts["rows"] = sum(sheet["detection"]["row_count"] for sheet in detection.get("sheets", ()))
    query = ImportRow.select(
        ImportRow.sheet, ImportRow.row_number, ImportRow.state, ImportRow.plan, ImportRow.decisions
    ).where(ImportRow.run == run.id)
    query = query.order_by(ImportRow.sheet, ImportRow.row_number)
    for _place, rows in groupby(query.iterator(), key=lambda row: (row.sheet, row.row_number)):
        found = {_kind_of(row) for row in rows}
        kind = next((kind for kind in _KINDS if kind in found), "unchanged")
        counts[kind] += kind != "unchanged"
    counts["unchanged"] = counts["rows"] - sum(counts[kind] for kind in _KINDS)
    return counts


def _kind_of(row: ImportRow) -> str:
    if row.state == "error":
        return "errors"
    if row.state == "unchanged":
        return ""
    if row.state == "skipped" or is_left_out(row):
        return "left"
    if row.state in ("new", "delete"):
        return "taken"
    if any(is_conflict(cell) and name not in row.decisions for name, cell in row.plan.items()):
        return "open"
    return "taken" if any(is_taken(cell, row.decisions.get(name)) for name, cell in row.plan.items()) else "left"


def outcome_of(run: ImportRun) -> dict[str, int]:
    """The counts of a run that is done, kept with it when they are asked for the first time; empty for others."""
    if run.state != "done":
        return {}
    counts: Any = run.counts
    if "outcome" not in counts:
        counts = {**counts, "outcome": count_outcome(run)}
        run.counts = counts
        ImportRun.update(counts=counts).where(ImportRun.id == run.id).execute()
    found: dict[str, int] = counts["outcome"]
    return found


def has_faults(run: ImportRun) -> bool:
    """Whether rows were left because of errors or open questions."""
    outcome = outcome_of(run)
    return bool(outcome.get("errors") or outcome.get("open"))


def outcome_words(run: ImportRun) -> str:
    """„300 Zeilen: 275 übernommen, 15 unverändert, 8 fehlerhaft, 2 im Konflikt.“, "" where nothing is known."""
    outcome = outcome_of(run)
    if not outcome:
        return ""
    words = {
        "taken": gettext("übernommen"),
        "unchanged": gettext("unverändert"),
        "errors": gettext("fehlerhaft"),
        "open": gettext("im Konflikt"),
        "left": gettext("ausgelassen"),
    }
    parts = ", ".join(f"{format_number(outcome[kind])} {text}" for kind, text in words.items() if outcome[kind])
    rows = ngettext("%(count)s Zeile", "%(count)s Zeilen", outcome["rows"])
    return gettext("%(rows)s: %(parts)s.", rows=rows, parts=parts)

"""What became of the rows of a file: each of them one thing, so that the counts add up to the rows.

Shape: `count_outcome` answers {"rows", "new", "changed", "deleted", "unchanged", "errors", "open", "partly", "left"}. A
row of the file may have become several rows of the plan (a record and its children); it is counted once, by the worst
of them. "open" are conflicts that nobody decided, "partly" rows of which something was written while something else has
an error or a conflict, "left" is what the operator or the mode left out. Shown as tiles, as one sentence, and by the
word „fertig“ or „fertig mit Fehlern“. Source: goal S6 (count shown = rows changed).
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask_appadmin.i18n import format_number, gettext, ngettext
from flask_appadmin.sheets.applying import is_conflict, is_left_out, is_taken
from flask_appadmin.sheets.sessions import ImportRow, ImportRun

#: What may become of a row, the worst first; of all others nothing was planned.
_KINDS = ("partly", "errors", "open", "left", "new", "changed", "deleted")
#: What was written of it.
_TAKEN = ("new", "changed", "deleted")


def count_outcome(run: ImportRun) -> dict[str, int]:
    """Counts the rows of an applied run."""
    detection: Any = run.detection
    counts = dict.fromkeys(("rows", *_KINDS, "unchanged"), 0)
    sheets = detection.get("sheets", ())
    counts["rows"] = sum(sheet["detection"]["row_count"] for sheet in sheets)
    tables = {sheet["name"][:60]: sheet["entity"] for sheet in sheets}
    query = ImportRow.select(
        ImportRow.entity, ImportRow.sheet, ImportRow.row_number, ImportRow.state, ImportRow.plan, ImportRow.decisions
    ).where(ImportRow.run == run.id)
    query = query.order_by(ImportRow.sheet, ImportRow.row_number)
    for (sheet, _number), rows in groupby(query.iterator(), key=lambda row: (row.sheet, row.row_number)):
        found = {_kind_of(row, tables.get(sheet, run.entity)) for row in rows}
        if found & {"errors", "open"} and found.intersection(_TAKEN):
            found = {"partly"}
        kind = next((kind for kind in _KINDS if kind in found), "unchanged")
        counts[kind] += kind != "unchanged"
    counts["unchanged"] = counts["rows"] - sum(counts[kind] for kind in _KINDS)
    return counts


def _kind_of(row: ImportRow, table: str) -> str:
    """What became of a row of the plan, of a sheet that is about this table; "" for nothing."""
    if row.state == "error":
        return "errors"
    if row.state == "unchanged":
        return ""
    if row.state == "skipped" or is_left_out(row):
        return "left"
    if row.state == "delete":
        return "deleted"
    if row.state == "new":
        # A record that was there and got a child has changed.
        return "new" if row.entity == table else "changed"
    taken = any(is_taken(cell, row.decisions.get(name)) for name, cell in row.plan.items())
    if any(is_conflict(cell) and name not in row.decisions for name, cell in row.plan.items()):
        return "partly" if taken else "open"
    return "changed" if taken else "left"


def outcome_of(run: ImportRun) -> dict[str, int]:
    """The counts of a run that is done, kept with it when they are asked for the first time; empty for others.

    After the operation was taken back they still say what had been done.
    """
    if run.state != "done":
        return {}
    counts: Any = run.counts
    if "partly" not in counts.get("outcome", ()):  # earlier ones did not tell new from changed
        counts = {**counts, "outcome": count_outcome(run)}
        run.counts = counts
        ImportRun.update(counts=counts).where(ImportRun.id == run.id).execute()
    found: dict[str, int] = counts["outcome"]
    return found


def has_faults(run: ImportRun) -> bool:
    """Whether rows were left because of errors or open questions."""
    outcome = outcome_of(run)
    return any(outcome.get(kind) for kind in ("errors", "open", "partly"))


def outcome_words(run: ImportRun) -> str:
    """„300 Zeilen: 275 übernommen, 15 unverändert, 8 fehlerhaft, 2 im Konflikt.“, "" where nothing is known."""
    outcome = outcome_of(run)
    if not outcome:
        return ""
    told = {**outcome, "taken": sum(outcome[kind] for kind in _TAKEN)}
    words = {
        "taken": gettext("übernommen"),
        "partly": gettext("zum Teil übernommen"),
        "unchanged": gettext("unverändert"),
        "errors": gettext("fehlerhaft"),
        "open": gettext("im Konflikt"),
        "left": gettext("ausgelassen"),
    }
    parts = ", ".join(f"{format_number(told[kind])} {text}" for kind, text in words.items() if told[kind])
    rows = ngettext("%(count)s Zeile", "%(count)s Zeilen", outcome["rows"])
    return gettext("%(rows)s: %(parts)s.", rows=rows, parts=parts)


def outcome_tiles(run: ImportRun) -> list[tuple[int, str, str]]:
    """(count, words, look) of what was done, adding up to the rows of the file; what there may always be, and more only
    where it is."""
    outcome = outcome_of(run)
    tiles = [
        ("new", gettext("neu"), "good"),
        ("changed", gettext("geändert"), "good"),
        ("partly", gettext("zum Teil übernommen"), "warn"),
        ("deleted", gettext("gelöscht"), "good"),
        ("unchanged", gettext("unverändert"), ""),
        ("left", gettext("ausgelassen"), ""),
        ("open", gettext("im Konflikt"), "warn"),
        ("errors", gettext("fehlerhaft"), "bad"),
    ]
    usual = ("unchanged", "errors", *(("deleted",) if run.options.get("mode") == "delete" else ("new", "changed")))
    return [(outcome[kind], words, look) for kind, words, look in tiles if outcome and (outcome[kind] or kind in usual)]

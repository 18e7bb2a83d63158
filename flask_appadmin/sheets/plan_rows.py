"""The rows of a plan where they are kept: stored, counted, forgotten, and what the rules said of them noted.

Source: design.md section 6.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import peewee

from flask_appadmin.database import database, transaction
from flask_appadmin.errors import AppAdminError, FieldError
from flask_appadmin.sheets.applying import rows_of_sources
from flask_appadmin.sheets.planned import batches
from flask_appadmin.sheets.sessions import ImportRow, ImportRun

#: Row states that stand in the plan's counts.
STATES = ("new", "changed", "unchanged", "conflict", "error", "skipped", "delete")


def note_faults(run: ImportRun, faults: Iterable[AppAdminError]) -> bool:
    """Notes at its row what the rules refused; answers whether any row could be named."""
    by_source: dict[str, list[AppAdminError]] = {}
    for fault in faults:
        by_source.setdefault(getattr(fault, "source", ""), []).append(fault)
    refused: list[tuple[Any, int]] = []
    surplus: list[int] = []
    for source, rows in rows_of_sources(run, by_source).items():
        row, *others = rows
        # The row is said once, and left out as a whole.
        surplus += [other.id for other in others]
        findings = list(row.findings)
        for fault in by_source[source]:
            if isinstance(fault, FieldError):
                value = "" if fault.value is None else str(fault.value)[:120]
                findings.append([fault.label, value, fault.found(), "bad"])
            else:
                findings.append(["", "", str(fault), "bad"])
        refused.append((ImportRow.findings.db_value(findings), row.id))
    if refused:
        mark = database.param
        with transaction():
            for some in batches(surplus, 500):
                ImportRow.delete().where(ImportRow.id.in_(some)).execute()
            database.cursor().executemany(
                "UPDATE import_row SET state = 'error', is_duplicate = FALSE, cleared = 0, "
                f"findings = {mark} WHERE id = {mark}",
                refused,
            )
    return bool(refused)


def forget_rows(run: ImportRun) -> None:
    """Removes the rows of a plan."""
    database.connect(reuse_if_open=True)
    ImportRow.delete().where(ImportRow.run == run.id).execute()


def decisions_of(run: ImportRun) -> list[tuple[tuple[Any, ...], dict[str, str]]]:
    """What was decided about the rows of a plan, by their places in the file and the records they mean."""
    none = peewee.Value("{}", converter=False)
    query = ImportRow.select().where(ImportRow.run == run.id, ImportRow.decisions != none)
    return [((row.entity, row.sheet, row.row_number, row.record_id), row.decisions) for row in query]


def decide_again(run: ImportRun, decisions: Iterable[tuple[tuple[Any, ...], dict[str, str]]]) -> None:
    """Puts decisions on the rows of a new plan that are still the same."""
    with transaction():
        for (entity, sheet, number, record), chosen in decisions:
            same = ImportRow.record_id.is_null() if record is None else ImportRow.record_id == record
            ImportRow.update(decisions=chosen).where(
                ImportRow.run == run.id,
                ImportRow.entity == entity,
                ImportRow.sheet == sheet,
                ImportRow.row_number == number,
                same,
            ).execute()


def count_rows(run: ImportRun) -> dict[str, int]:
    """The stored rows of a plan by state, with those that may be duplicates and the values that would be cleared."""
    total = peewee.fn.COUNT(ImportRow.id)
    query = ImportRow.select(ImportRow.state, total, peewee.fn.SUM(ImportRow.cleared)).where(ImportRow.run == run.id)
    counts = dict.fromkeys((*STATES, "cleared"), 0)
    for state, count, cleared in query.group_by(ImportRow.state).tuples():
        counts[state] = count
        counts["cleared"] += int(cleared or 0) if state in ("changed", "conflict") else 0
    counts["duplicates"] = (
        ImportRow.select().where(ImportRow.run == run.id, ImportRow.is_duplicate == True).count()  # noqa: E712
    )
    return counts


def store_rows(rows: list[dict[str, Any]]) -> None:
    """Writes planned rows; JSON columns as the model spells them."""
    if not rows:
        return
    fields = [ImportRow._meta.fields[name] for name in rows[0]]
    columns = ", ".join(item.column_name for item in fields)
    marks = ", ".join([database.param] * len(fields))
    values = [[item.db_value(row[item.name]) for item in fields] for row in rows]
    sql = f"INSERT INTO import_row ({columns}, decisions) VALUES ({marks}, '{{}}')"
    with transaction():
        database.cursor().executemany(sql, values)

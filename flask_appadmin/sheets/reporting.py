"""What an import has to say, as a table for people: findings as csv, and how much of which kind goes.

Shape: a finding is row, sheet, record, field, value, reason. Units: none. Errors: none.
Source: ME-21, ME-132.
"""

from __future__ import annotations

import io

from flask_appadmin.changes import known_specs
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.sheets.applying import is_left_out
from flask_appadmin.sheets.delete_targets import DELETE_TARGET, delete_targets
from flask_appadmin.sheets.sessions import ImportRow, ImportRun, with_findings
from flask_appadmin.sheets.writing.columns import SheetColumn
from flask_appadmin.sheets.writing.csv_file import CsvWriter
from flask_appadmin.specs import ModelSpec


def findings_csv(run: ImportRun) -> bytes:
    """All findings of a run, one per line; UTF-8 with BOM and semicolons, as spreadsheet programs here expect it."""
    weights = {"bad": gettext("Fehler"), "warn": gettext("Warnung"), "note": gettext("Hinweis")}
    headings = (
        gettext("Zeile"), gettext("Blatt"), gettext("Datensatz"), gettext("Feld"), gettext("Wert"), gettext("Grund"),
        gettext("Art"),
    )  # fmt: skip
    file = io.BytesIO()
    with CsvWriter(
        file, [SheetColumn(str(index), heading, kind="any") for index, heading in enumerate(headings)]
    ) as out:
        query = ImportRow.select().where(with_findings(run)).order_by(ImportRow.row_number, ImportRow.id)
        for row in query.iterator():
            for heading, value, sentence, weight in row.findings:
                out.write_row(
                    [row.row_number, row.sheet, row.title, heading, value, sentence, weights.get(weight, weight)]
                )
    return file.getvalue()


def deletions_of(run: ImportRun, spec: ModelSpec) -> list[tuple[ModelSpec, int]]:
    """How many rows of which table go, those that none goes of included; what is left out does not count."""
    query = ImportRow.select(ImportRow.entity, ImportRow.decisions).where(
        ImportRow.run == run.id, ImportRow.state == "delete"
    )
    counts: dict[str, int] = {}
    for row in query.iterator():
        counts[row.entity] = counts.get(row.entity, 0) + (not is_left_out(row))
    names = [target.removeprefix(DELETE_TARGET) for target, _label in delete_targets(spec)]
    return [(spec if name == spec.name else known_specs()[name], counts.get(name, 0)) for name in names]


def deletion_words(run: ImportRun, spec: ModelSpec) -> str:
    """„2 Kontakte, 0 Anschriften“: how much of which kind goes."""
    return ", ".join(f"{format_number(count)} {entity.plural}" for entity, count in deletions_of(run, spec))


__all__ = ["deletion_words", "deletions_of", "findings_csv"]

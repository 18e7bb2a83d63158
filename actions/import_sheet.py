"""„Importieren“ on the command line: the same engine as the pages, from a file to a report.

Shape: `run_import` answers an ImportReport with the counts that `--json` prints and one sentence per finding. A
rehearsal (`dry_run`) plans and writes nothing but the session, which is discarded. Errors: SheetError for what is no
table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.sheets.planning import (
    ImportOptions,
    Planner,
    apply_run,
    count_states,
    find_target,
    propose_options,
    survey_file,
    use_schema,
)
from flask_appadmin.sheets.sessions import ImportRow, ImportRun
from flask_appadmin.specs import ModelSpec


@dataclass
class ImportReport:
    """What a file did, or would do."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    conflicts: int = 0
    errors: int = 0
    skipped: int = 0
    duplicates: int = 0
    change_set: int | None = None
    findings: list[str] = field(default_factory=list)
    run: int | None = None

    @property
    def exit_code(self) -> int:
        """0 applied, 1 with findings that people should look at."""
        return 1 if self.errors or self.conflicts else 0


def run_import(
    path: Path,
    spec: ModelSpec,
    operator: Operator,
    *,
    schema: str = "",
    mode: str = "both",
    key: str = "",
    insert_missing: bool = False,
    constants: dict[str, str] | None = None,
    blank: str = "keep",
    dry_run: bool = False,
) -> ImportReport:
    """Brings a file in. `mode` is "both", "new" or "replace"; `key` the field by which rows find their record."""
    for name in {"both": ("import.new", "import.replace"), "new": ("import.new",), "replace": ("import.replace",)}[
        mode
    ]:
        operator.require(name)
    options = ImportOptions(mode=mode, key=key, blank=blank, insert_missing=insert_missing, constants=constants or {})
    for name in (*options.constants, *([key] if key else [])):
        if find_target(name, spec) is None:
            raise AppAdminError(gettext("Das Feld „%(name)s“ gibt es nicht.", name=name))
    survey = survey_file(path, path.name, spec, operator, options)
    if schema:
        options = use_schema(schema, survey.main.detection.headings, options)
    options = propose_options(survey, spec, options)
    if key and not survey.is_own and key not in options.targets:
        raise AppAdminError(gettext("Keine Spalte der Datei ist dem Schlüssel „%(name)s“ zugeordnet.", name=key))
    run = ImportRun.create(
        user=operator.user_id,
        user_name=operator.name[:80],
        entity=spec.name,
        file_name=path.name[:255],
        state="preview",
        options=options.to_json(),
    )
    Planner(run, path, spec, operator, options).plan(survey)
    report = _report(run)
    if dry_run:
        ImportRow.delete().where(ImportRow.run == run.id).execute()
        run.delete_instance()
        report.run = None
        return report
    if report.new or report.changed:
        report.change_set = apply_run(run, spec, operator).change_set
    return report


def _report(run: ImportRun) -> ImportReport:
    counts = count_states(run)
    report = ImportReport(
        counts["new"], counts["changed"], counts["unchanged"], counts["conflict"], counts["error"], counts["skipped"]
    )
    report.run = run.id
    query = ImportRow.select(ImportRow.row_number, ImportRow.sheet, ImportRow.findings).where(ImportRow.run == run.id)
    for row in query.order_by(ImportRow.id).iterator():
        for heading, _value, sentence in row.findings:
            place = gettext("Zeile %(row)s", row=row.row_number)
            column = gettext(", Spalte „%(heading)s“", heading=heading) if heading else ""
            report.findings.append(f"{place}{column}: {sentence}")
    return report

"""„Importieren“ on the command line: the same engine as the pages, from a file to a report.

Shape: `run_import` answers an ImportReport with the counts that `--json` prints and one sentence per finding. A
rehearsal (`dry_run`) plans and writes nothing but the session, which is discarded. `report` is where the operator's own
file goes with its findings marked in their cells. Errors: SheetError for what is no table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from flask_appadmin.errors import AppAdminError, FaultList, FieldError
from flask_appadmin.i18n import gettext, ngettext
from flask_appadmin.rights import Operator
from flask_appadmin.sheets.applying import apply_run
from flask_appadmin.sheets.damage.damages import damages_of
from flask_appadmin.sheets.handing_on import hand_on
from flask_appadmin.sheets.import_modes import faults_of_mode, item_of
from flask_appadmin.sheets.mapping import find_target, importable_fields
from flask_appadmin.sheets.marking import finding_sentences, write_marked
from flask_appadmin.sheets.planning import Planner
from flask_appadmin.sheets.reading import Spool
from flask_appadmin.sheets.reporting import deletion_words, findings_csv
from flask_appadmin.sheets.schemas import use_schema
from flask_appadmin.sheets.sessions import ImportRow, ImportRun, forget_run, with_findings
from flask_appadmin.sheets.surveying import (
    ImportOptions,
    Survey,
    child_keys,
    propose_options,
    require_mode,
    survey_file,
)
from flask_appadmin.specs import ModelSpec

#: Findings of so many rows are told one by one; a file of all is made on demand.
TOLD = 10_000
#: What was found in a text file about its rows.
_OF_ROWS = ("uneven_rows", "short_rows", "quote_suspects")


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
    #: Children and records that go.
    deleted: int = 0
    change_set: int | None = None
    findings: list[str] = field(default_factory=list)
    run: int | None = None

    @property
    def exit_code(self) -> int:
        """0 when every row found its place, 1 when some were refused or wait for an answer."""
        return 1 if self.errors or self.conflicts else 0


def run_import(
    path: Path,
    spec: ModelSpec,
    operator: Operator,
    *,
    schema: str = "",
    mode: str = "",
    key: str = "",
    insert_missing: bool = False,
    constants: dict[str, str] | None = None,
    defaults: dict[str, str] | None = None,
    confirmed: int | None = None,
    blank: str = "",
    dry_run: bool = False,
    report: Path | None = None,
    reason: str = "",
    instance: Path | None = None,
) -> ImportReport:
    """Brings a file in. `mode` is "both", "new", "replace" or "delete"; `key` the field by which rows find their
    record; `defaults` what new records get where the file says nothing valid; `confirmed` how many rows may go;
    `instance` the folder whose files forget who is anonymised.

    What is given here wins over the saved mapping.
    """
    with Spool() as spool:
        options = ImportOptions(mode=mode or spec.model.import_mode or "both")
        survey = survey_file(path, path.name, spec, operator, options, spool)
        if schema:
            options = use_schema(schema, spec, survey.main.detection.headings, options)
        options.mode = mode or options.mode
        options.blank = blank or options.blank
        options.insert_missing = insert_missing or options.insert_missing
        if key:
            options.key = _field_name(spec, key, operator)
        options.constants = _constants(spec, constants or {}, operator)
        options = propose_options(survey, spec, options)
        options.defaults |= _defaults(spec, defaults or {})
        require_mode(operator, spec, options.mode)
        if not survey.is_own and not any(options.targets):
            raise AppAdminError(
                gettext(
                    "Keine Überschrift von „%(file)s“ gehört zu einem Feld von %(plural)s; es wurde nichts eingelesen. "
                    "Bitte ordnen Sie die Spalten auf der Seite „Importieren“ zu und sichern Sie das als Importschema.",
                    file=path.name,
                    plural=str(spec.plural),
                )
            )
        if key and not survey.is_own and options.key not in options.targets:
            raise AppAdminError(gettext("Keine Spalte der Datei ist dem Schlüssel „%(name)s“ zugeordnet.", name=key))
        if not survey.is_own and (faults := faults_of_mode(options, spec)):
            raise FaultList(faults)
        run = ImportRun.create(
            user=operator.user_id,
            user_name=operator.name[:80],
            entity=spec.name,
            file_name=path.name[:255],
            state="preview",
            options=options.to_json(),
            detection=survey.to_json(),
        )
        planner, applied = Planner(run, path, spec, operator, options, spool=spool), None
        try:
            # A marked file shows the plan as it stood before.
            counts = planner.plan(survey, at_once=not dry_run and report is None)
            if not planner.is_rehearsed:
                applied = planner.apply(reason, instance=instance)
                counts = planner.counts()
            found = _report(run, counts)
            told = ("formula", "error_value")  # at each of their cells
            found.findings += [damage.sentence() for damage in damages_of(run.detection) if damage.cause not in told]
            found.findings[:0] = _column_findings(survey, options)
            if report is not None:
                _write_report(report, run, path, survey)
            if found.deleted and not dry_run and confirmed != found.deleted:
                words = gettext(
                    "Gelöscht würden: %(kinds)s. Es wurde nichts gelöscht; zum Löschen geben Sie bitte die Zahl "
                    "%(count)s mit --confirm an.",
                    kinds=deletion_words(run, spec),
                    count=found.deleted,
                )
                raise AppAdminError(words)
            applies = not dry_run and bool(found.new or found.changed or found.deleted)
            if applies:
                applied = applied or apply_run(run, spec, operator, reason, instance=instance)
                found.change_set = applied.change_set
        except BaseException:
            if applied is None:
                forget_run(run)
            raise
        if dry_run:
            forget_run(run)
            found.run = None
        elif applies:
            # The import is stored: whatever happens now, the run stays and knows what it owes.
            found.findings += hand_on(run, spec, operator, instance)
        return found


def _field_name(spec: ModelSpec, name: str, operator: Operator) -> str:
    """The field that people call so: by its name, or by one of its headings."""
    if find_target(name, spec) is not None:
        return name
    wanted = name.strip().casefold()
    for item in importable_fields(spec, operator):
        if wanted in (heading.casefold() for heading in item.headings()):
            return item.name
    for target, item in child_keys(spec).items():
        if wanted in (heading.casefold() for heading in item.headings()):
            return target
    raise AppAdminError(gettext("Das Feld „%(name)s“ gibt es nicht.", name=name))


def _constants(spec: ModelSpec, given: dict[str, str], operator: Operator) -> dict[str, str]:
    """Values for every row, by field; a value that no row could take is refused at once."""
    allowed = {item.name for item in importable_fields(spec, operator)}
    faults: list[AppAdminError] = []
    found = {}
    for label, text in given.items():
        name = _field_name(spec, label, operator)
        if name not in allowed:
            reason = gettext("kann nicht aus einer Datei gesetzt werden")
            faults.append(FieldError(spec.field(name) if name in spec.by_name else label, None, reason))
            continue
        try:
            spec.field(name).parse(text)
        except FieldError as fault:
            faults.append(fault)
        found[name] = text
    if faults:
        raise FaultList(faults)
    return found


def _defaults(spec: ModelSpec, given: dict[str, str]) -> dict[str, str]:
    """Target -> text of what new records get, by what people call the field."""
    known: dict[str, str] = {}
    for target in spec.model.import_defaults:
        item = item_of(target, spec)
        known |= dict.fromkeys((target, *(heading.casefold() for heading in item.headings())), target)
    found = {}
    for name, text in given.items():
        if name.strip().casefold() not in known:
            labels = ", ".join(str(item_of(target, spec).label) for target in spec.model.import_defaults)
            words = gettext("„%(name)s“ gehört nicht zu den Vorgaben für neue: %(labels)s.", name=name, labels=labels)
            raise AppAdminError(words)
        found[known[name.strip().casefold()]] = text
    return found


def _write_report(report: Path, run: ImportRun, path: Path, survey: Survey) -> None:
    if report.suffix.casefold() == ".csv":
        report.write_bytes(findings_csv(run))
    else:
        write_marked(report, run, path, survey)


def _column_findings(survey: Survey, options: ImportOptions) -> list[str]:
    """Rows that are shorter or longer than the others; columns that are left out although their heading is known."""
    main = survey.main
    uneven = [
        found.sentence() for found in main.detection.evidence if found.code in _OF_ROWS and found.weight != "info"
    ]
    columns = zip(main.detection.headings, main.guesses, options.targets, strict=False)
    return uneven + [
        gettext("Spalte „%(heading)s“ wird nicht übernommen: %(reason)s", heading=heading, reason=reason)
        for heading, (_target, reason, look), target in columns
        if not target and look == "warn"
    ]


def _findings(run: ImportRun) -> list[str]:
    """One sentence per finding; where there are very many, how many rows more have one."""
    found = list(finding_sentences(run, TOLD))
    more = ImportRow.select().where(with_findings(run)).count() - TOLD if len(found) >= TOLD else 0
    if more > 0:
        found.append(
            ngettext(
                "%(count)s weitere Zeile hat Befunde; alle stehen in der Datei, die --report schreibt.",
                "%(count)s weitere Zeilen haben Befunde; alle stehen in der Datei, die --report schreibt.",
                more,
            )
        )
    return found


def _report(run: ImportRun, counts: dict[str, int]) -> ImportReport:
    return ImportReport(
        new=counts["new"],
        changed=counts["changed"],
        unchanged=counts["unchanged"],
        conflicts=counts["conflict"],
        errors=counts["error"],
        skipped=counts["skipped"],
        deleted=counts["delete"],
        duplicates=counts["duplicates"],
        findings=_findings(run),
        run=run.id,
    )

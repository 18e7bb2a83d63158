"""The page on which columns become fields. Context: templates/appadmin/import_mapping.html.

Errors: all that is wrong with a mapping is said at once, and nothing of it is lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_admin import expose

from flask_appadmin.digits import is_number
from flask_appadmin.errors import AppAdminError, FaultList, SheetError
from flask_appadmin.i18n import format_number, gettext, ngettext
from flask_appadmin.rights import Operator
from flask_appadmin.sheets import storage
from flask_appadmin.sheets.delete_targets import delete_targets
from flask_appadmin.sheets.detection.columns import ColumnHint
from flask_appadmin.sheets.detection.evidence import SEPARATOR_NAMES, Evidence, encoding_name
from flask_appadmin.sheets.import_modes import faults_of_mode
from flask_appadmin.sheets.mapping import TURNED, find_target
from flask_appadmin.sheets.schemas import save_schema
from flask_appadmin.sheets.sessions import ImportRun
from flask_appadmin.sheets.surveying import (
    ImportOptions,
    Survey,
    child_keys,
    key_fields,
    require_mode,
    survey_file,
    target_label,
)
from flask_appadmin.specs import ModelSpec
from flask_appadmin.views.imports.mapping_fields import (
    blank_field,
    default_fields,
    mode_field,
    schema_names,
    select_field,
    take_defaults,
)
from flask_appadmin.views.imports.running import surveyed
from flask_appadmin.views.imports.session import ImportPages
from flask_appadmin.views.imports.standing import imports_back, rows_text, store_run
from flask_appadmin.views.imports.targets import is_open, target_groups
from flask_appadmin.views.jobs_page import instance_folder

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry


class MappingPages(ImportPages):
    """The page of the mapping."""

    @expose("/mapping", methods=("GET", "POST"))
    def mapping_view(self) -> Any:
        run = self._run()
        if run.state not in ("mapping", "preview"):
            return redirect(url_for("imports.run_view", id=run.id))
        survey = Survey.from_json(run.detection)
        if survey.is_own:
            return redirect(url_for("imports.preview_view", id=run.id))
        spec = self._spec(run.entity)
        options = ImportOptions.from_json(run.options)
        errors: list[str] = [run.message] if run.message and run.state == "mapping" else []
        if request.method == "POST":
            try:
                answer = self._mapped(run, survey, spec, options)
            except (SheetError, FaultList) as fault:
                errors = fault.sentence().split("\n")
            else:
                return answer
        context = mapping_context(run, survey, options, spec, g.operator, self.registry)
        page = render_template("appadmin/import_mapping.html", errors=errors, **context)
        return page, 422 if errors and request.method == "POST" else 200

    def _mapped(self, run: ImportRun, survey: Survey, spec: ModelSpec, options: ImportOptions) -> Any:
        """Takes what was posted: reads the file again, or plans with this mapping."""
        posted, operator = request.form, g.operator
        path = storage.uploads(instance_folder()).path(run.storage_name)
        again = _detection_posted(survey, options)
        schema = posted.get("schema", "")
        modes = (options.mode, posted.get("mode", options.mode))
        _take_mode(options, spec)
        if "delete" in modes and modes[0] != modes[1]:
            again = True  # other columns count
        if posted.get("_do") == "again" or again or schema:
            survey = survey_file(path, run.file_name, spec, operator, options)
            surveyed(run, survey, spec, operator, options, schema)
            return redirect(url_for("imports.mapping_view", id=run.id))
        options.targets = [posted.get(f"col-{index}", "") for index in range(len(survey.main.detection.headings))]
        options.key = posted.get("key", "")
        options.blank = "clear" if posted.get("blank") == "clear" else "keep"
        _check_mapping(survey, spec, options, operator)
        name = posted.get("schema_name", "").strip()
        if name:
            save_schema(name[:60], spec, options, survey.main.detection.headings, operator)
        store_run(run, options=options.to_json(), state="mapping", message=None)
        self._plan(run, survey, operator)
        return redirect(url_for("imports.run_view", id=run.id))


def _detection_posted(survey: Survey, options: ImportOptions) -> bool:
    """Takes over how the file is to be read; answers whether that differs from how it was."""
    posted = request.form
    before = (options.sheet or survey.main.name, survey.encoding, survey.separator, survey.main.detection.header_row)
    if posted.get("sheet") in (survey.main.name, *survey.others):
        options.sheet = posted["sheet"]
    if survey.kind == "csv":
        options.encoding = posted.get("encoding", survey.encoding)[:20]
        separator = posted.get("separator", survey.separator)
        options.separator = "\t" if separator == "tab" else separator[:1]
    row = posted.get("header_row", "")
    number = int(row) if is_number(row, 3) else before[3]
    if number != before[3]:
        options.header_row = number
    if survey.kind != "csv":
        return (options.sheet or survey.main.name, number) != (before[0], before[3])
    return (options.sheet or survey.main.name, options.encoding, options.separator, number) != before


def _take_mode(options: ImportOptions, spec: ModelSpec) -> None:
    """Takes over what was posted about new records: mode, insertion, what they get where the file says nothing."""
    posted = request.form
    options.mode = posted.get("mode", options.mode)
    if "mode" in posted:
        options.insert_missing = options.mode == "replace" and posted.get("insert_missing") == "1"
    take_defaults(posted, options.defaults, spec)


def _check_mapping(survey: Survey, spec: ModelSpec, options: ImportOptions, operator: Operator) -> None:
    """Says all at once what is wrong with a mapping."""
    faults: list[AppAdminError] = []
    marks = {target for target, _label in delete_targets(spec)} if options.mode == "delete" else set()
    options.targets = [
        target if target in marks or is_open(target, spec, operator) else "" for target in options.targets
    ]
    headings = survey.main.detection.headings
    for target in dict.fromkeys(target.replace(TURNED, "") for target in options.targets if target):
        found = find_target(target, spec)
        columns = [
            headings[index] for index, chosen in enumerate(options.targets) if chosen.replace(TURNED, "") == target
        ]
        if len(columns) > 1 and (found is None or found[1].type.name not in ("text", "multiline")):
            words = gettext(
                "„%(field)s“ ist mehreren Spalten zugeordnet (%(columns)s); möglich ist eine.",
                field=target_label(target, spec),
                columns=", ".join(columns),
            )
            faults.append(AppAdminError(words))
    if not any(options.targets):
        faults.append(AppAdminError(gettext("Bitte ordnen Sie mindestens eine Spalte einem Feld zu.")))
    if options.key and options.key not in options.targets:
        words = gettext(
            "Der Schlüssel „%(field)s“ ist keiner Spalte zugeordnet.", field=target_label(options.key, spec)
        )
        faults.append(AppAdminError(words))
    faults += faults_of_mode(options, spec)
    if faults:
        raise FaultList(faults)
    require_mode(operator, spec, options.mode)


def mapping_context(
    run: ImportRun, survey: Survey, options: ImportOptions, spec: ModelSpec, operator: Operator, registry: Registry
) -> dict[str, Any]:
    """The page on which columns become fields."""
    detection = survey.main.detection
    return {
        "page_title": run.file_name,
        "back": imports_back(),
        "subtitle": rows_text(survey),
        "action": url_for("imports.mapping_view", id=run.id),
        "discard_url": url_for("imports.discard_view", id=run.id),
        "hidden": [],
        "detection": _detection_fields(survey, options, spec),
        "key": _key_field(survey, options, spec),
        "mode": mode_field(options.mode, spec, operator),
        "inserts": options.insert_missing,
        "defaults": default_fields(options.defaults, spec, registry),
        "blank": blank_field(options.blank),
        "columns": [_column_row(index, hint, survey, options, spec) for index, hint in enumerate(detection.columns)],
        "targets": [
            group for group in target_groups(spec, operator, registry, marks=options.mode == "delete") if group[1]
        ],
        "save_as": {"value": ""} if operator.may("import_schema.create") else None,
        "remarks": [found.sentence() for found in detection.evidence if found.weight != "info"],
        "next_label": gettext(
            "Vorschau: %(rows)s prüfen", rows=ngettext("%(count)s Zeile", "%(count)s Zeilen", survey.row_count)
        ),
    }


def _evidence(found: Iterable[Evidence], *starts: str) -> str:
    return " ".join(each.sentence() for each in found if each.code.startswith(starts) and each.weight == "info")


def _detection_fields(survey: Survey, options: ImportOptions, spec: ModelSpec) -> list[dict[str, Any]]:
    detection = survey.main.detection
    fields = []
    if survey.others:
        names = [survey.main.name, *survey.others]
        fields.append(select_field("sheet", gettext("Blatt"), survey.main.name, [(name, name) for name in names]))
    if survey.kind == "csv":
        codes = dict.fromkeys([survey.encoding, "utf-8", "cp1252", "iso-8859-1", "utf-16", "cp850", "mac_roman"])
        choices = [(code, encoding_name(code)) for code in codes if code]
        hint = _evidence(detection.evidence, "encoding_")
        fields.append(select_field("encoding", gettext("Zeichensatz"), survey.encoding, choices, hint))
        separators = [(_separator_code(mark), str(words)) for mark, words in SEPARATOR_NAMES.items()]
        hint = _evidence(detection.evidence, "separator_")
        chosen = _separator_code(survey.separator)
        fields.append(select_field("separator", gettext("Trennzeichen"), chosen, separators, hint))
    rows = [("0", gettext("keine"))]
    rows += [(str(number), str(number)) for number in range(1, max(21, detection.header_row + 6))]
    hint = _evidence(detection.evidence, "header_")
    fields.append(select_field("header_row", gettext("Zeile der Überschriften"), str(detection.header_row), rows, hint))
    schemas = [(name, name) for name in schema_names(spec)]
    if schemas:
        choices = [("", gettext("keines")), *schemas]
        hint = gettext("wird mit „Neu lesen“ angewendet")
        fields.append(select_field("schema", gettext("Importschema"), "", choices, hint))
    return fields


def _separator_code(mark: str) -> str:
    return "tab" if mark == "\t" else mark


def _key_field(survey: Survey, options: ImportOptions, spec: ModelSpec) -> dict[str, Any]:
    choices = [("", gettext("kein Schlüssel: jede Zeile ist neu"))]
    choices += [(item.name, str(item.label)) for item in key_fields(spec)]
    choices += [(target, target_label(target, spec)) for target in child_keys(spec) if target in options.targets]
    known = survey.known.get(options.key)
    hint = ""
    if known is not None and known[1]:
        hint = gettext(
            "%(found)s der ersten %(tried)s Werte sind im Bestand.",
            found=format_number(known[0]),
            tried=format_number(known[1]),
        )
    label = gettext("Zeilen finden ihren Datensatz durch")
    return select_field("key", label, options.key, choices, hint)


def _column_row(
    index: int, hint: ColumnHint, survey: Survey, options: ImportOptions, spec: ModelSpec
) -> dict[str, Any]:
    guesses = survey.main.guesses
    target, reason, look = guesses[index] if index < len(guesses) else ("", "", "")
    chosen = options.targets[index] if index < len(options.targets) else target
    if chosen != target:
        reason, look = "", ""
    questions = [found.sentence() for found in hint.evidence if found.weight != "info"]
    if chosen and questions:
        reason, look = questions[0], "warn"
    return {
        "name": f"col-{index}",
        "header": hint.heading or gettext("Spalte %(letters)s", letters=hint.letters),
        "samples": hint.examples,
        "target": chosen,
        "label": target_label(chosen, spec) if chosen else "",
        "reason": reason,
        "look": look,
    }

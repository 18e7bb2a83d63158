"""Import on the web: bring a file, map its columns, look at every cell that would change, apply, and take back.

Shape: a run walks through its states (`ImportRun.state`), and `/admin/imports/run?id=…` leads to the page of the state
it is in. Small files are read and planned in the request, larger ones as jobs; the browser may be closed meanwhile. A
run belongs to whoever began it; for everybody else it does not exist.
Errors: a file that is no table comes back to the upload page with its sentence, and nothing is kept of it.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import abort, g, redirect, render_template, request, session, url_for
from flask_admin import expose
from werkzeug.datastructures import FileStorage

from flask_appadmin import jobs
from flask_appadmin.changes import known_specs
from flask_appadmin.database import in_transaction
from flask_appadmin.digits import is_number
from flask_appadmin.errors import (
    AppAdminError,
    FaultList,
    FieldError,
    MissingReason,
    NotAllowed,
    NotFound,
    SheetError,
)
from flask_appadmin.history import ChangeRecord
from flask_appadmin.i18n import format_datetime, format_number, gettext, ngettext
from flask_appadmin.jobs import Job, RunningJob
from flask_appadmin.rights import RIGHTS, Operator
from flask_appadmin.selections import Selection
from flask_appadmin.sheets import corrections, storage
from flask_appadmin.sheets.applying import WHOLE_ROW, RunEnded, apply_run, count_chosen, is_conflict
from flask_appadmin.sheets.damage.damages import damages_of
from flask_appadmin.sheets.delete_targets import delete_targets
from flask_appadmin.sheets.handing_on import hand_on
from flask_appadmin.sheets.import_modes import faults_of_mode
from flask_appadmin.sheets.inbox import digest_of, open_waiting, refuse_again, waiting_files
from flask_appadmin.sheets.mapping import TURNED, find_target, importable_fields, read_cell
from flask_appadmin.sheets.outcomes import has_faults
from flask_appadmin.sheets.plan_rows import forget_rows, note_faults
from flask_appadmin.sheets.planning import Planner
from flask_appadmin.sheets.reading import open_sheets
from flask_appadmin.sheets.row_reader import CLEAR_WORDS
from flask_appadmin.sheets.schemas import remember_values, save_schema, use_schema
from flask_appadmin.sheets.sessions import ImportRow, ImportRun, ImportSchema
from flask_appadmin.sheets.surveying import (
    ImportOptions,
    Survey,
    modes_of,
    propose_options,
    require_mode,
    survey_file,
    target_label,
)
from flask_appadmin.sheets.unreadable import display_name
from flask_appadmin.shell import accepts_uploads
from flask_appadmin.specs import ModelSpec, ReferenceCache, spec_of
from flask_appadmin.views import import_pages as pages
from flask_appadmin.views.form_page import posted_reason
from flask_appadmin.views.import_downloads import send_findings, send_marked
from flask_appadmin.views.jobs_page import instance_folder, job_rows
from flask_appadmin.views.signed_in import SignedInView

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

#: Plans with more rows than this become jobs.
ROWS_AT_ONCE = 1_000
#: Files that take longer to read become jobs: bytes of text, bytes of a packed workbook.
_TEXT_AT_ONCE, _BOOK_AT_ONCE = 4_000_000, 1_000_000
_LISTED = 20
_ACCEPTED = ".xlsx,.xlsm,.xls,.ods,.csv,.txt,.tsv"


class ImportsView(SignedInView):
    """All pages of imports."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        super().__init__(name=gettext("Importe"), endpoint="imports", url="/admin/imports")

    def is_accessible(self) -> bool:
        found: Operator | None = getattr(g, "operator", None)
        return found is not None and any(found.may(f"import.{mode}") for mode in ("new", "replace", "delete"))

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        if getattr(g, "operator", None) is None:
            abort(401)
        raise NotAllowed("import.new", RIGHTS["import.new"])

    # --- bringing a file ---------------------------------------------------------------------------------------------

    @expose("/")
    def index_view(self) -> Any:
        return self._upload_page(self._spec(request.args.get("model", "")))

    @expose("/upload", methods=("POST",))
    @accepts_uploads
    def upload_view(self) -> Any:
        spec = self._spec(request.form.get("model", ""))
        require_any_mode(g.operator, spec)
        try:
            run = self._take(spec)
        except SheetError as fault:
            return self._upload_page(spec, [fault.sentence()]), 422
        return redirect(url_for("imports.run_view", id=run.id))

    def _spec(self, name: str) -> ModelSpec:
        found = self.registry.specs_by_name.get(name) if name else self.registry.search_spec
        if found is None and not name:
            found = next((spec for spec in self.registry.specs if spec.owner is None), None)
        if found is None:
            raise NotFound()
        return found

    def _upload_page(self, spec: ModelSpec, errors: list[str] | None = None) -> str:
        operator: Operator = g.operator
        require_any_mode(operator, spec)
        view = self.registry.views[spec.name]
        runs = (
            ImportRun.select()
            .where(ImportRun.user == operator.user_id, ImportRun.entity == spec.name)
            .order_by(ImportRun.id.desc())
            .limit(_LISTED)
        )
        return render_template(
            "appadmin/import_upload.html",
            page_title=gettext("%(plural)s importieren", plural=str(spec.plural)),
            back=(str(spec.plural), view.list_url()),
            action=url_for("imports.upload_view"),
            hidden=[("model", spec.name)],
            accept=_ACCEPTED,
            limits=gettext("xlsx, xls, ods oder csv, höchstens 50 MB"),
            schemas=[(name, name) for name in pages.schema_names(spec)],
            schema=request.args.get("schema", ""),
            schemas_url=self._schemas_url(operator),
            errors=errors or [],
            waiting=[
                (each["name"], format_datetime(each["when"]), format_number(-(-each["size"] // 1024)))
                for each in waiting_files(instance_folder())
            ],
            imports=[_listed(run) for run in runs],
        )

    def _schemas_url(self, operator: Operator) -> str:
        view = self.registry.views.get(spec_of(ImportSchema).name)
        return view.list_url() if view is not None and operator.may(f"{view.spec.right}.read") else ""

    def _take(self, spec: ModelSpec) -> ImportRun:
        """Stores what was brought and looks at it; nothing stays of a file that is no table."""
        operator: Operator = g.operator
        options = ImportOptions(mode=modes_of(operator, spec)[0])
        given: FileStorage | None = request.files.get("file")
        pasted = request.form.get("pasted", "")
        waiting = request.form.get("waiting", "")
        source: Any
        if waiting:
            name, source = display_name(waiting), open_waiting(instance_folder(), waiting)
        elif given is not None and given.filename:
            name, source = display_name(given.filename), given.stream
        elif pasted.strip():
            name, source = gettext("Zwischenablage"), io.BytesIO(pasted.encode("utf-8", "replace"))
            options.encoding, options.separator = "utf-8", "\t" if "\t" in pasted else ""
        else:
            raise SheetError(gettext("Bitte wählen Sie eine Datei aus oder fügen Sie Zellen ein."))
        store = storage.uploads(instance_folder())
        stored = store.save(source)
        source.close()
        try:
            if waiting:
                options.digest = digest_of(store.path(stored))
                refuse_again(options.digest, spec.name)
            return self._begin(spec, operator, store, stored, name, options)
        except BaseException:
            store.remove(stored)
            raise

    def _begin(
        self,
        spec: ModelSpec,
        operator: Operator,
        store: storage.FileStore,
        stored: str,
        name: str,
        options: ImportOptions,
    ) -> ImportRun:
        path = store.path(stored)
        schema = request.form.get("schema", "")
        with open_sheets(path, name, encoding=options.encoding, separator=options.separator) as reader:
            is_small = path.stat().st_size <= (_TEXT_AT_ONCE if reader.kind == "csv" else _BOOK_AT_ONCE)
        survey = survey_file(path, name, spec, operator, options) if is_small else None
        run = ImportRun.create(
            user=operator.user_id,
            user_name=operator.name[:80],
            entity=spec.name,
            file_name=name[:255],
            storage_name=stored,
            state="reading",
            options=options.to_json(),
        )
        try:
            if survey is None:
                _start_job(run, "import_read", operator, schema=schema)
            else:
                surveyed(run, survey, spec, operator, options, schema)
                if survey.is_own:
                    self._plan(run, survey, operator)
        except BaseException:
            ImportRow.delete().where(ImportRow.run == run.id).execute()
            run.delete_instance()
            raise
        return run

    # --- one run -----------------------------------------------------------------------------------------------------

    def _run(self) -> ImportRun:
        """The run of ?id=…, for whoever began it."""
        text = request.args.get("id", "")
        if not is_number(text):
            raise NotFound()
        run = ImportRun.get_or_none(ImportRun.id == int(text))
        if run is None or run.user_id != g.operator.user_id or run.entity not in self.registry.specs_by_name:
            raise NotFound()
        g.operator.require(f"{self._spec(run.entity).right}.read")
        return settle(run)

    @expose("/run")
    def run_view(self) -> Any:
        """Leads to the page of the state the run is in."""
        run = self._run()
        if run.state in ("reading", "planning", "applying"):
            return self._progress_page(run)
        endpoint = {"mapping": "mapping_view", "preview": "preview_view"}.get(run.state, "result_view")
        return redirect(url_for(f"imports.{endpoint}", id=run.id))

    def _progress_page(self, run: ImportRun) -> str:
        job = Job.get_or_none(Job.id == run.job)
        words, look = pages.state_words(run)
        return render_template(
            "appadmin/import_result.html",
            page_title=run.file_name,
            back=pages.imports_back(),
            subtitle="",
            headline=(
                gettext("Die Datei %(state)s. Sie können diese Seite verlassen und wiederkommen.", state=words),
                look if look != "info" else "",
            ),
            tiles=[],
            links=[],
            undo=None,
            job=job_rows([job])[0] if job is not None else None,
            jobs_url=url_for("jobs.index_view", id=job.id) if job is not None else "",
            findings=[],
            findings_more=0,
        )

    # --- mapping -----------------------------------------------------------------------------------------------------

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
        context = pages.mapping_context(run, survey, options, spec, g.operator, self.registry)
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
        _store(run, options=options.to_json(), state="mapping", message=None)
        self._plan(run, survey, operator)
        return redirect(url_for("imports.run_view", id=run.id))

    def _plan(self, run: ImportRun, survey: Survey, operator: Operator) -> None:
        """Plans in this request, or as a job."""
        if survey.row_count > ROWS_AT_ONCE:
            _start_job(run, "import_plan", operator)
            return
        path = storage.uploads(instance_folder()).path(run.storage_name)
        spec = self._spec(run.entity)
        Planner(run, path, spec, operator, ImportOptions.from_json(run.options)).plan(survey)
        _store(run, state="preview", message=None)

    # --- preview -----------------------------------------------------------------------------------------------------

    @expose("/preview")
    def preview_view(self) -> Any:
        run = self._run()
        if run.state != "preview":
            return redirect(url_for("imports.run_view", id=run.id))
        show = request.args.get("show", "")
        show = show if show in pages.DOORS else pages.first_door(run.counts)
        survey = Survey.from_json(run.detection)
        page = request.args.get("page", "1")
        number = int(page) if is_number(page, 8) else 1
        context = pages.preview_context(run, survey, self._spec(run.entity), g.operator, self.registry, show, number)
        return render_template("appadmin/import_preview.html", **context)

    @expose("/choose", methods=("POST",))
    def choose_view(self) -> Any:
        """A decision about one cell or row (`choose`) or about all conflicts (`choose_all`), and mended cells
        (`fix-<row>-<column>`, beside `was-…` what stood there). What changes the plan is planned anew."""
        run = self._run()
        if run.state != "preview":
            return redirect(url_for("imports.run_view", id=run.id))
        options = ImportOptions.from_json(run.options)
        survey = Survey.from_json(run.detection)
        chosen = request.form.get("choose", "")
        plans = False
        if "choose_all" in request.form:
            self._choose_all(run, request.form["choose_all"])
        elif chosen:
            plans = self._choose(run, chosen, options)
        mended = self._mend(run, survey, options)
        _store(run, plan=secrets.token_hex(8), options=options.to_json())
        if not mended and not plans:
            return redirect(url_for("imports.preview_view", **_place(run)))
        before = run.counts.get("error", 0)
        self._plan(run, survey, g.operator)
        if run.state != "preview":
            return redirect(url_for("imports.run_view", id=run.id))
        if mended:
            left = ImportRun.get_by_id(run.id).counts.get("error", 0)
            words = ngettext("%(count)s Wert korrigiert.", "%(count)s Werte korrigiert.", mended)
            if before:
                words += " " + ngettext("%(count)s Fehler bleibt.", "%(count)s Fehler bleiben.", left)
            session["toast"] = {"text": words, "undo_url": ""}
        return redirect(url_for("imports.preview_view", **_place(run)))

    def _mend(self, run: ImportRun, survey: Survey, options: ImportOptions) -> int:
        """Keeps what was typed in place of cells; answers how many."""
        spec = self._spec(run.entity)
        mended = 0
        for name, text in request.form.items():
            kind, _dash, rest = name.partition("-")
            number, _dash, place = rest.partition("-")
            if kind != "fix" or text == request.form.get(f"was-{rest}", "") or not (is_number(number, 18)):
                continue
            row = ImportRow.get_or_none(ImportRow.id == int(number), ImportRow.run == run.id)
            sheet = next((each for each in survey.sheets if row and each.name[:60] == row.sheet), None)
            if row is None or sheet is None or not is_number(place, 5):
                raise NotFound()
            targets = sheet.own if sheet.own is not None else options.targets
            table = known_specs()[sheet.entity] if sheet.own is not None else spec
            if int(place) >= len(targets) or not _is_open(targets[int(place)], table, g.operator):
                raise NotFound()
            if len(options.corrections) >= corrections.MOST:
                words = gettext(
                    "Hier lassen sich höchstens %(count)s Werte korrigieren; bitte berichtigen Sie die Datei.",
                    count=format_number(corrections.MOST),
                )
                _store(run, message=words)
                break
            cell = corrections.place_of(row.sheet, row.row_number, int(place))
            options.corrections[cell] = text.replace("\x00", "")[:10_000]
            mended += 1
        return mended

    def _choose(self, run: ImportRun, text: str, options: ImportOptions) -> bool:
        """Notes a decision; answers whether the file has to be planned anew."""
        number, _bar, rest = text.partition("|")
        name, _bar, value = rest.partition("|")
        row = ImportRow.get_or_none(ImportRow.id == int(number), ImportRow.run == run.id) if is_number(number) else None
        if row is None:
            raise NotFound()
        place = f"{row.sheet}|{row.row_number}"
        if name == pages.AS_RECORD and value == "new" and options.matches.pop(place, None) is not None:
            return True
        if name == WHOLE_ROW and row.state == "new" and row.is_duplicate and is_number(value):
            if int(value) not in pages.candidates([row], self._spec(run.entity), g.operator).get(row.id, {}):
                raise NotFound()
            options.matches[place] = int(value)
            return True
        if name == WHOLE_ROW and value in ("take", "skip"):
            decisions = {**row.decisions, WHOLE_ROW: value}
        elif name in row.plan and row.state != "new" and value in _choices(row.plan[name]):
            decisions = {**row.decisions, name: value}
        else:
            raise NotFound()
        ImportRow.update(decisions=decisions).where(ImportRow.id == row.id).execute()
        return False

    @staticmethod
    def _choose_all(run: ImportRun, value: str) -> None:
        if value not in ("mine", "theirs", "base"):
            raise NotFound()

        def work() -> None:
            query = ImportRow.select().where(ImportRow.run == run.id, ImportRow.state == "conflict")
            for row in list(query):
                chosen = {name: value for name, cell in row.plan.items() if is_conflict(cell)}
                ImportRow.update(decisions={**row.decisions, **chosen}).where(ImportRow.id == row.id).execute()

        in_transaction(work)

    @expose("/values", methods=("POST",))
    def values_view(self) -> Any:
        """What words of the file mean (`value-<n>` of the n-th unknown one, `map` = "<n>|<value>" for one of them at
        once, `forget` = "<target>|<word>"): kept with the run and its schema, and planned anew."""
        run = self._run()
        survey = Survey.from_json(run.detection)
        if run.state != "preview" or survey.is_own:
            return redirect(url_for("imports.run_view", id=run.id))
        options = ImportOptions.from_json(run.options)
        meant = self._meant(run, options)
        if meant:
            kept = remember_values(options, meant, g.operator)
            _store(run, options=options.to_json())
            self._plan(run, survey, g.operator)
            if run.state != "preview":
                return redirect(url_for("imports.run_view", id=run.id))
            words = gettext("Im Importschema „%(name)s“ gemerkt.", name=options.schema) if kept else ""
            session["toast"] = {"text": words or gettext("Für diese Datei übernommen."), "undo_url": ""}
        return redirect(url_for("imports.preview_view", **_place(run)))

    def _meant(self, run: ImportRun, options: ImportOptions) -> dict[str, dict[str, str]]:
        """Target -> word -> value, as posted; what the field does not understand is left out with a sentence."""
        posted, spec = request.form, self._spec(run.entity)
        if "forget" in posted:
            target, _bar, text = posted["forget"].partition("|")
            return {target: {text: ""}} if text in options.values.get(target, {}) else {}
        at, _bar, at_once = posted.get("map", "").partition("|")
        meant: dict[str, dict[str, str]] = {}
        names = ReferenceCache()
        for number, entry in enumerate(run.detection.get("unknown", ())):
            value = at_once if at == str(number) else "" if at else pages.posted_value(posted, number, entry, spec)
            found = find_target(entry["target"], spec)
            if not value or found is None or posted.get("plan") != run.plan:
                continue
            try:
                if value.casefold() not in CLEAR_WORDS:
                    read_cell(value, found[1], names, is_own=True)
            except FieldError as fault:
                _store(run, message=fault.sentence())
                continue
            meant.setdefault(entry["target"], {})[entry["text"]] = value
        return meant

    @expose("/blank", methods=("POST",))
    def blank_view(self) -> Any:
        """Switches what blank cells of a foreign file mean, and plans anew."""
        run = self._run()
        survey = Survey.from_json(run.detection)
        if run.state == "preview" and not survey.is_own:
            options = ImportOptions.from_json(run.options)
            options.blank = "clear" if request.form.get("blank") == "clear" else "keep"
            _store(run, options=options.to_json())
            self._plan(run, survey, g.operator)
            return redirect(url_for("imports.run_view", id=run.id))
        return redirect(url_for("imports.preview_view", **_place(run)))

    @expose("/repair", methods=("POST",))
    def repair_view(self) -> Any:
        """Takes what was chosen about one damage (`repair` = its key and "repair", "keep" or ""), and plans anew."""
        run = self._run()
        if run.state == "preview":
            key, _bar, choice = request.form.get("repair", "").rpartition("|")
            if choice not in ("repair", "keep", "") or key not in {damage.key for damage in damages_of(run.detection)}:
                raise NotFound()
            options = ImportOptions.from_json(run.options)
            options.repairs[key] = choice
            _store(run, options=options.to_json())
            self._plan(run, Survey.from_json(run.detection), g.operator)
            return redirect(url_for("imports.run_view", id=run.id))
        return redirect(url_for("imports.preview_view", **_place(run)))

    @expose("/report")
    def report_view(self) -> Any:
        """All findings as a csv file."""
        return send_findings(self._run())

    @expose("/marked")
    def marked_view(self) -> Any:
        """The operator's own file with its findings in their cells."""
        return send_marked(self._run(), g.operator)

    # --- applying ----------------------------------------------------------------------------------------------------

    @expose("/apply", methods=("POST",))
    def apply_view(self) -> Any:
        run = self._run()
        if run.state != "preview":
            return redirect(url_for("imports.run_view", id=run.id))
        if request.form.get("plan", "") != run.plan:
            _store(
                run, message=gettext("Die Vorschau hat sich inzwischen geändert. Bitte sehen Sie sie noch einmal an.")
            )
            return redirect(url_for("imports.preview_view", id=run.id))
        spec, operator = self._spec(run.entity), g.operator
        chosen = count_chosen(run)
        if chosen["delete"] and request.form.get("count", "").strip() != str(chosen["delete"]):
            words = gettext(
                "Es wurde nichts gelöscht: Bitte tippen Sie die Zahl %(count)s ein, um das Löschen zu bestätigen.",
                count=chosen["delete"],
            )
            _store(run, message=words)
            return redirect(url_for("imports.preview_view", id=run.id))
        if chosen["new"] + chosen["changed"] + chosen["delete"] > ROWS_AT_ONCE:
            _start_job(run, "import_apply", operator, reason=posted_reason())
            return redirect(url_for("imports.run_view", id=run.id))
        try:
            applied = apply_run(run, spec, operator, posted_reason(), instance=instance_folder())
        except RunEnded:
            return redirect(url_for("imports.run_view", id=run.id))
        except FaultList as fault:
            _store(run, message=note_refused(run, fault))
            why = any(isinstance(each, MissingReason) for each in fault.faults)
            return redirect(url_for("imports.preview_view", id=run.id, show=None if why else "error"))
        hand_on(run, spec, operator, instance_folder())
        text = ngettext("%(count)s Datensatz übernommen.", "%(count)s Datensätze übernommen.", applied.count)
        undo = self.registry.undo_url(applied.change_set) if applied.change_set else ""
        session["toast"] = {"text": text, "undo_url": undo}
        return redirect(url_for("imports.result_view", id=run.id))

    @expose("/result")
    def result_view(self) -> Any:
        run = self._run()
        if run.state not in ("done", "discarded", "failed"):
            return redirect(url_for("imports.run_view", id=run.id))
        survey = Survey.from_json(run.detection) if run.detection else None
        context = pages.result_context(run, survey, self._spec(run.entity), self.registry)
        if run.state != "done":
            words = {"failed": (run.message or "", "bad"), "discarded": (gettext("Dieser Import wurde verworfen."), "")}
            context |= {"headline": words[run.state], "tiles": [], "links": [], "undo": None, "findings": []}
        return render_template("appadmin/import_result.html", **context)

    @expose("/created")
    def created_view(self) -> Any:
        """The list with the new records marked."""
        run = self._run()
        spec = self._spec(run.entity)
        query = ChangeRecord.select(ChangeRecord.record_id).where(
            ChangeRecord.change_set == run.change_set_id,
            ChangeRecord.entity == spec.name,
            ChangeRecord.action == "create",
        )
        chosen = Selection.of_keys(spec, g.operator, [row[0] for row in query.tuples()]).store()
        return redirect(self.registry.views[spec.name].list_url(selection=chosen.token, only="marked"))

    @expose("/discard", methods=("POST",))
    def discard_view(self) -> Any:
        run = self._run()
        if run.state in ("mapping", "preview", "failed"):
            storage.uploads(instance_folder()).remove(run.storage_name)
            forget_rows(run)
            _store(run, state="discarded", storage_name="", message=None)
        return redirect(url_for("imports.index_view", model=run.entity))


def require_any_mode(operator: Operator, spec: ModelSpec) -> None:
    """Raises NotAllowed for whoever may not import into this table in any way."""
    if not modes_of(operator, spec):
        require_mode(operator, spec, "replace" if operator.may("import.replace") else "new")


def _choices(cell: list[Any]) -> tuple[str, ...]:
    """What may be decided about a planned cell."""
    return ("mine", "theirs", "base") if is_conflict(cell) else ("mine", "theirs")


def _place(run: ImportRun) -> dict[str, Any]:
    place: dict[str, Any] = {"id": run.id}
    for name in ("show", "page"):
        if request.args.get(name):
            place[name] = request.args[name][:20]
    return place


def _store(run: ImportRun, **values: Any) -> None:
    ImportRun.update(**values).where(ImportRun.id == run.id).execute()
    for name, value in values.items():
        setattr(run, name, value)


def _listed(run: ImportRun) -> dict[str, Any]:
    counts = run.counts
    result = ""
    if run.state == "done":
        result = ngettext("%(count)s Datensatz übernommen", "%(count)s Datensätze übernommen", counts.get("applied", 0))
    elif run.message:
        result = run.message
    total = sum(
        counts.get(name, 0) for name in ("new", "changed", "unchanged", "conflict", "error", "skipped", "delete")
    )
    return {
        "url": url_for("imports.run_view", id=run.id),
        "name": run.file_name,
        "when": format_datetime(run.started_at),
        "who": run.user_name,
        "rows": format_number(total) if counts else "",
        "state": pages.state_words(run),
        "result": result,
    }


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
    pages.take_defaults(posted, options.defaults, spec)


def _check_mapping(survey: Survey, spec: ModelSpec, options: ImportOptions, operator: Operator) -> None:
    """Says all at once what is wrong with a mapping."""
    faults: list[AppAdminError] = []
    marks = {target for target, _label in delete_targets(spec)} if options.mode == "delete" else set()
    options.targets = [
        target if target in marks or _is_open(target, spec, operator) else "" for target in options.targets
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


def _is_open(target: str, spec: ModelSpec, operator: Operator) -> bool:
    found = find_target(target, spec) if target else None
    return found is not None and found[1].name in {item.name for item in importable_fields(found[0], operator)}


def surveyed(
    run: ImportRun, survey: Survey, spec: ModelSpec, operator: Operator, options: ImportOptions, schema: str
) -> None:
    """Keeps what was found in the file, with a proposal for its mapping."""
    options.targets, options.key, options.schema = [], "", ""
    if schema and not survey.is_own:
        options = use_schema(schema, spec, survey.main.detection.headings, options)
        if options.mode not in modes_of(operator, spec):
            options.mode = modes_of(operator, spec)[0]
    options = propose_options(survey, spec, options)
    state = "planning" if survey.is_own else "mapping"
    _store(run, detection=survey.to_json(), options=options.to_json(), state=state, message=None)


def note_refused(run: ImportRun, fault: FaultList) -> str:
    """Notes at their rows what the gateway refused; answers the sentence for the head of the preview."""
    if not note_faults(run, fault.faults):
        return fault.sentence()
    counts = {**run.counts}
    query = ImportRow.select().where(ImportRow.run == run.id, ImportRow.state == "error")
    counts["error"] = query.count()
    for name in ("new", "changed", "conflict", "delete"):
        counts[name] = ImportRow.select().where(ImportRow.run == run.id, ImportRow.state == name).count()
    _store(run, counts=counts, plan=secrets.token_hex(8))
    return gettext(
        "Es wurde noch nichts gespeichert: Seit der Vorschau hat sich etwas geändert. Die Zeilen stehen jetzt unter "
        "„Fehler“; die übrigen können Sie übernehmen."
    )


# --- jobs -----------------------------------------------------------------------------------------------------------


def _start_job(run: ImportRun, kind: str, operator: Operator, **more: Any) -> None:
    state = {"import_read": "reading", "import_plan": "planning", "import_apply": "applying"}[kind]
    titles = {
        "import_read": gettext("Import lesen: %(file)s", file=run.file_name),
        "import_plan": gettext("Import prüfen: %(file)s", file=run.file_name),
        "import_apply": gettext("Import übernehmen: %(file)s", file=run.file_name),
    }
    page = url_for("imports.run_view", id=run.id)
    parameters = {"run": run.id, "folder": str(instance_folder()), "page": page, **more}
    # The same plan is applied once; one that was refused for want of a reason is another one with it.
    key = f"{kind}-{run.id}-{run.plan}-{more.get('reason', '')}"[:64] if kind == "import_apply" else ""
    job = jobs.start(kind, titles[kind], parameters, operator, key=key)
    _store(run, state=state, job=job.id, message=None)


def settle(run: ImportRun) -> ImportRun:
    """The run in the state it really is in: one whose job ended without success goes back to where it came from."""
    if run.state not in ("reading", "planning", "applying") or run.job is None:
        return run
    job = Job.get_or_none(Job.id == run.job)
    if job is not None and (not job.is_ended or job.state == "done"):
        return ImportRun.get_by_id(run.id)
    foreign = bool(run.detection) and not Survey.from_json(run.detection).is_own
    state = {"reading": "failed", "planning": "mapping" if foreign else "failed", "applying": "preview"}[run.state]
    _store(run, state=state, message=job.message if job is not None else "")
    return run


def _of_job(job: RunningJob) -> tuple[ImportRun, ModelSpec, Path]:
    run = ImportRun.get_or_none(ImportRun.id == job.parameters["run"])
    if run is None or run.state == "discarded":
        raise RunEnded()
    path = storage.uploads(Path(job.parameters["folder"])).path(run.storage_name)
    return run, known_specs()[run.entity], path


def _finish_plan(job: RunningJob, run: ImportRun, spec: ModelSpec, path: Path, survey: Survey) -> Any:
    options = ImportOptions.from_json(run.options)
    Planner(run, path, spec, job.operator, options, progress=job.progress).plan(survey)
    return job.finish(_marking(job, run, "preview"))


def _marking(job: RunningJob, run: ImportRun, state: str) -> Callable[[], Any]:
    def work() -> Any:
        _store(run, state=state, message=None)
        return {"url": job.parameters["page"]}

    return work


def run_reading(job: RunningJob) -> Any:
    """The job that surveys a large file, and plans it where it is one of ours."""
    run, spec, path = _of_job(job)
    options = ImportOptions.from_json(run.options)
    survey = survey_file(path, run.file_name, spec, job.operator, options)
    surveyed(run, survey, spec, job.operator, options, job.parameters.get("schema", ""))
    if survey.is_own:
        return _finish_plan(job, run, spec, path, survey)
    return job.finish(_marking(job, run, "mapping"))


def run_planning(job: RunningJob) -> Any:
    """The job that plans many rows."""
    run, spec, path = _of_job(job)
    return _finish_plan(job, run, spec, path, Survey.from_json(run.detection))


def run_applying(job: RunningJob) -> Any:
    """The job that writes many rows: the effect and its "done" in one transaction."""
    run, spec, _path = _of_job(job)

    def work() -> Any:
        reason, folder = job.parameters.get("reason", ""), Path(job.parameters["folder"])
        apply_run(run, spec, job.operator, reason, instance=folder, progress=job.progress)
        return {"url": job.parameters["page"], "faults": has_faults(ImportRun.get_by_id(run.id))}

    try:
        done = job.finish(work)
    except FaultList as fault:
        raise AppAdminError(note_refused(run, fault)) from fault
    # The job is done: what follows changes nothing of it, and what it cannot do it says on the page of the import.
    hand_on(run, spec, job.operator, Path(job.parameters["folder"]))
    return done


jobs.register_job("import_read", run_reading)
jobs.register_job("import_plan", run_planning)
jobs.register_job("import_apply", run_applying, rolls_back=True)

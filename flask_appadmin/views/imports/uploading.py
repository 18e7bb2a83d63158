"""Bringing a file: chosen, dropped, pasted or waiting in the inbox; and the imports so far.

Errors: a file that is no table comes back to this page with its sentence, and nothing is kept of it.
"""

from __future__ import annotations

import io
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask_admin import expose
from werkzeug.datastructures import FileStorage

from flask_appadmin.errors import SheetError
from flask_appadmin.i18n import format_datetime, format_number, gettext, ngettext
from flask_appadmin.rights import Operator
from flask_appadmin.sheets import storage
from flask_appadmin.sheets.inbox import digest_of, open_waiting, refuse_again, waiting_files
from flask_appadmin.sheets.reading import open_sheets
from flask_appadmin.sheets.sessions import ImportRow, ImportRun, ImportSchema
from flask_appadmin.sheets.surveying import ImportOptions, modes_of, require_mode, survey_file
from flask_appadmin.sheets.unreadable import display_name
from flask_appadmin.shell import accepts_uploads
from flask_appadmin.specs import ModelSpec, spec_of
from flask_appadmin.views.imports.mapping_fields import schema_names
from flask_appadmin.views.imports.running import start_job, surveyed
from flask_appadmin.views.imports.session import ImportPages
from flask_appadmin.views.imports.standing import state_words
from flask_appadmin.views.jobs_page import instance_folder

#: Files that take longer to read become jobs: bytes of text, bytes of a packed workbook.
_TEXT_AT_ONCE, _BOOK_AT_ONCE = 4_000_000, 1_000_000
_LISTED = 20
_ACCEPTED = ".xlsx,.xlsm,.xls,.ods,.csv,.txt,.tsv"


class UploadPages(ImportPages):
    """The page on which a file is brought."""

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
            schemas=[(name, name) for name in schema_names(spec)],
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
                start_job(run, "import_read", operator, schema=schema)
            else:
                surveyed(run, survey, spec, operator, options, schema)
                if survey.is_own:
                    self._plan(run, survey, operator)
        except BaseException:
            ImportRow.delete().where(ImportRow.run == run.id).execute()
            run.delete_instance()
            raise
        return run


def require_any_mode(operator: Operator, spec: ModelSpec) -> None:
    """Raises NotAllowed for whoever may not import into this table in any way."""
    if not modes_of(operator, spec):
        require_mode(operator, spec, "replace" if operator.may("import.replace") else "new")


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
        "state": state_words(run),
        "result": result,
    }

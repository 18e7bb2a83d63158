"""How far an import is, its application, and what it has done. Context: templates/appadmin/import_result.html."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, session, url_for
from flask_admin import expose

from flask_appadmin.changes import known_specs
from flask_appadmin.errors import FaultList, MissingReason, SheetError
from flask_appadmin.history import ChangeRecord, ChangeSetRecord, TakenBack, taken_back
from flask_appadmin.i18n import format_datetime, gettext, ngettext
from flask_appadmin.jobs import Job
from flask_appadmin.selections import Selection
from flask_appadmin.sheets import storage
from flask_appadmin.sheets.applying import RunEnded, apply_run, count_chosen, is_taken
from flask_appadmin.sheets.handing_on import hand_on
from flask_appadmin.sheets.outcomes import has_faults, outcome_tiles, outcome_words
from flask_appadmin.sheets.plan_rows import forget_rows
from flask_appadmin.sheets.sessions import ImportRow, ImportRun
from flask_appadmin.sheets.surveying import Survey
from flask_appadmin.specs import ModelSpec
from flask_appadmin.views.form_page import posted_reason
from flask_appadmin.views.imports.downloads import send_findings, send_marked
from flask_appadmin.views.imports.running import is_many, kept_file, note_refused, start_job
from flask_appadmin.views.imports.session import ImportPages
from flask_appadmin.views.imports.standing import imports_back, rows_text, state_words, store_run
from flask_appadmin.views.jobs_page import instance_folder, job_rows

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

_LISTED_FINDINGS = 50


class ResultPages(ImportPages):
    """From the application to the result."""

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
        words, look = state_words(run)
        return render_template(
            "appadmin/import_result.html",
            page_title=run.file_name,
            back=imports_back(),
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

    @expose("/report")
    def report_view(self) -> Any:
        """All findings as a csv file."""
        return send_findings(self._run())

    @expose("/marked")
    def marked_view(self) -> Any:
        """The operator's own file with its findings in their cells."""
        return send_marked(self._run(), g.operator)

    @expose("/apply", methods=("POST",))
    def apply_view(self) -> Any:
        run = self._run()
        if run.state != "preview":
            return redirect(url_for("imports.run_view", id=run.id))
        if request.form.get("plan", "") != run.plan:
            store_run(
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
            store_run(run, message=words)
            return redirect(url_for("imports.preview_view", id=run.id))
        try:
            kept_file(run, instance_folder())
        except SheetError as fault:
            store_run(run, message=fault.sentence())
            return redirect(url_for("imports.preview_view", id=run.id))
        if is_many(chosen["new"] + chosen["changed"] + chosen["delete"]):
            start_job(run, "import_apply", operator, reason=posted_reason())
            return redirect(url_for("imports.run_view", id=run.id))
        try:
            applied = apply_run(run, spec, operator, posted_reason(), instance=instance_folder())
        except RunEnded:
            return redirect(url_for("imports.run_view", id=run.id))
        except FaultList as fault:
            store_run(run, message=note_refused(run, fault))
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
        context = result_context(run, survey, self._spec(run.entity), self.registry)
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
            store_run(run, state="discarded", storage_name="", message=None)
        return redirect(url_for("imports.index_view", model=run.entity))


def result_context(run: ImportRun, survey: Survey | None, spec: ModelSpec, registry: Registry) -> dict[str, Any]:
    """What an import has done."""
    counts = run.counts
    applied = counts.get("applied", 0)
    done = ChangeSetRecord.get_or_none(ChangeSetRecord.id == run.change_set_id) if run.change_set_id else None
    back = taken_back([done.id]).get(done.id) if done is not None else None
    undone = back is not None and back.is_whole
    if back is not None and back.is_whole:
        headline = (_taken_back_words(back), "warn")
    elif done is not None:
        words = ngettext("%(count)s Datensatz übernommen.", "%(count)s Datensätze übernommen.", applied)
        if has_faults(run):
            headline = (gettext("Fertig mit Fehlern: %(words)s", words=words), "warn")
        else:
            headline = (gettext("Fertig: %(words)s", words=words), "good")
        if back is not None:
            headline = (f"{headline[0]} {gettext('Ein Teil davon wurde zurückgenommen.')}", "warn")
    else:
        headline = (gettext("Es war nichts zu übernehmen."), "")
    links: list[tuple[str, str, bool]] = []
    if done is not None and done.created_count and not undone:
        links.append((gettext("Neue in der Liste zeigen"), url_for("imports.created_view", id=run.id), True))
    if done is not None:
        links.append((gettext("Vorgang ansehen"), registry.operation_url(done.id), False))
    if back is not None:
        links.append((gettext("Rücknahme ansehen"), registry.operation_url(back.by), False))
    if run.storage_name and (counts.get("error") or counts.get("conflict") or counts.get("duplicates")):
        links.append((gettext("Meine Datei mit Markierungen"), url_for("imports.marked_view", id=run.id), False))
    if counts.get("error") or counts.get("skipped"):
        links.append((gettext("Befunde als CSV"), url_for("imports.report_view", id=run.id), False))
    undo = None
    if done is not None and not undone and registry.undo_url(done.id):
        undo = {"url": registry.undo_url(done.id), "label": gettext("Import zurücknehmen")}
    listed, more = _result_findings(run)
    return {
        "page_title": run.file_name,
        "back": imports_back(),
        "subtitle": outcome_words(run) or (rows_text(survey) if survey is not None else ""),
        "headline": headline,
        "tiles": [(count, label, "", False, look) for count, label, look in outcome_tiles(run)],
        "links": links,
        "undo": undo,
        "job": None,
        "jobs_url": "",
        "findings": listed,
        "findings_more": more,
        "laid_down": _laid_down(run),
    }


def _taken_back_words(back: TakenBack) -> str:
    undo = ChangeSetRecord.get_by_id(back.by)
    return gettext(
        "Dieser Import wurde am %(when)s von %(who)s zurückgenommen. Die Zahlen sagen, was er getan hatte.",
        when=format_datetime(undo.changed_at),
        who=undo.user_name,
    )


def _laid_down(run: ImportRun) -> list[tuple[str, str]]:
    """(sentence, look) about the files for other systems."""
    count = run.counts.get("laid_down", 0)
    words = ngettext("%(count)s Datei liegt im Ausgangsordner.", "%(count)s Dateien liegen im Ausgangsordner.", count)
    told = [(words, "info")] if count else []
    return [*told, (run.message, "warn")] if run.message and run.state == "done" else told


def _result_findings(run: ImportRun) -> tuple[list[tuple[int, str, str, str]], int]:
    looked = ImportRow.state.in_(("error", "conflict", "skipped")) | (ImportRow.is_duplicate == True)  # noqa: E712
    query = ImportRow.select().where(ImportRow.run == run.id, looked).order_by(ImportRow.id)
    total = query.count()
    listed = []
    for row in query.limit(_LISTED_FINDINGS):
        for heading, value, sentence, weight in row.findings:
            words = sentence if not value or f"„{value}“" in sentence else f"„{value}“ {sentence}"
            text = f"{heading}: {words}" if heading else words
            listed.append((row.row_number, row.title, text, "" if weight == "note" else weight))
        if row.state == "conflict":
            names = [name for name, cell in row.plan.items() if not is_taken(cell, row.decisions.get(name))]
            labels = ", ".join(str(known_specs()[row.entity].field(name).label) for name in names)
            if labels:
                words = gettext("nicht übernommen, weil inzwischen geändert: %(fields)s", fields=labels)
                listed.append((row.row_number, row.title, words, "warn"))
    return listed, max(0, total - _LISTED_FINDINGS)

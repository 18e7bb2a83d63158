"""Running work: how far it is, stopping it, and the files it made. Contexts: templates/appadmin/jobs.html,
jobs_table.html.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import current_app, g, redirect, render_template, request, send_file, url_for
from flask_admin import expose

from flask_appadmin import jobs
from flask_appadmin.digits import is_number
from flask_appadmin.errors import NotFound
from flask_appadmin.i18n import format_datetime, gettext
from flask_appadmin.jobs import Job
from flask_appadmin.rights import Operator
from flask_appadmin.sheets import storage
from flask_appadmin.shell import safe_path
from flask_appadmin.views.signed_in import SignedInView

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

_LOOKS = {"running": "info", "done": "good", "failed": "bad", "cancelled": "warn"}


def instance_folder() -> Path:
    """The folder of the application's own files."""
    return Path(current_app.config.get("INSTANCE") or current_app.instance_path)


def job_rows(found: Iterable[Job]) -> list[dict[str, Any]]:
    """Jobs as jobs_table.html draws them."""
    return [_job_row(job.with_note()) for job in found]


def _job_row(job: Job) -> dict[str, Any]:
    result = _result_of(job)
    result_url, result_label = "", ""
    if result.get("url"):
        # One that worked in steps has a result also where it was stopped.
        result_url, result_label = safe_path(result["url"]), gettext("Ergebnis")
    elif job.state == "done" and result.get("file") and _file_is_there(job, result["file"]):
        result_url, result_label = url_for("jobs.file_view", id=job.id), gettext("Datei laden")
    elif job.state == "done" and result.get("change_set"):
        # The page of the operation says what was done, and takes it back.
        result_url = url_for("operations.show_view", id=result["change_set"])
        result_label = gettext("Vorgang ansehen, rückgängig machen")
    return {
        "name": job.title,
        "url": _page_of(job),
        "who": job.user_name,
        "started": format_datetime(job.started_at or job.created_at),
        "percent": job.percent,
        "text": job.progress_text(),
        "state": (job.state_label, _LOOKS.get(job.state, "")),
        "running": not job.is_ended,
        "cancel_url": "" if job.is_ended else url_for("jobs.cancel_view", id=job.id),
        "result_url": result_url,
        "result_label": result_label,
    }


def _page_of(job: Job) -> str:
    """The page that shows this work, "" for none."""
    parameters: Any = job.parameters
    return safe_path(str(parameters.get("page", ""))) if isinstance(parameters, dict) else ""


def _result_of(job: Job) -> dict[str, Any]:
    found: Any = job.result
    return found if isinstance(found, dict) else {}


def _file_is_there(job: Job, name: str) -> bool:
    return job.user_id == g.operator.user_id and storage.exports(instance_folder()).has(name)


class JobsView(SignedInView):
    """The operator's own work, that of all for whoever may see it."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        super().__init__(name=gettext("Laufende Arbeiten"), endpoint="jobs", url="/admin/jobs")

    @expose("/")
    def index_view(self) -> Any:
        """All latest jobs, or the one of ?id=…; a fragment for the scripts that look again."""
        operator: Operator = g.operator
        everyone = request.args.get("scope") == "all"
        url = url_for("jobs.index_view")
        if "id" in request.args:
            found = [self._job()]
            jobs_url = url_for("jobs.index_view", id=found[0].id)
        else:
            found = jobs.jobs_of(operator, everyone=everyone)
            jobs_url = url_for("jobs.index_view", scope="all") if everyone else url
        context = {"jobs": job_rows(found), "jobs_url": jobs_url}
        if request.headers.get("X-Fragment") == "jobs":
            return render_template("appadmin/jobs_table.html", **context)
        scopes = [(gettext("meine"), url, not everyone)]
        if operator.may("job.admin"):
            scopes.append((gettext("alle"), url_for("jobs.index_view", scope="all"), everyone))
        title = gettext("Laufende Arbeiten")
        return render_template("appadmin/jobs.html", page_title=title, scopes=scopes, **context)

    @expose("/cancel", methods=("POST",))
    def cancel_view(self) -> Any:
        job = self._job()
        jobs.cancel(job.id, g.operator)
        return redirect(_page_of(job) or url_for("jobs.index_view"))

    @expose("/file")
    def file_view(self) -> Any:
        """The file a job made, for its starter alone."""
        job = self._job()
        result = _result_of(job)
        if job.user_id != g.operator.user_id or job.state != "done" or not result.get("file"):
            raise NotFound()
        path = storage.exports(instance_folder()).path(result["file"])
        return send_file(path, mimetype=result["media_type"], as_attachment=True, download_name=result["name"])

    @staticmethod
    def _job() -> Job:
        text = request.args.get("id", "")
        if not is_number(text):
            raise NotFound()
        return jobs.job_of(int(text), g.operator)

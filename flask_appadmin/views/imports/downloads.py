"""What an import gives back as a file: its findings as csv, the operator's own workbook with marks.

Shape: small files are made for the answer. The marks of a large one are written by a job; until the plan changes, the
same link leads to that job and then to its file, which waits a day for whoever began the import.
Errors: NotFound where the upload has expired; SheetError where it cannot be written.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from flask import redirect, send_file, session, url_for

from flask_appadmin import jobs
from flask_appadmin.bulk import MEDIA_TYPES, Document
from flask_appadmin.history import taken_back
from flask_appadmin.i18n import gettext
from flask_appadmin.jobs import Job, RunningJob
from flask_appadmin.rights import Operator
from flask_appadmin.sheets import storage
from flask_appadmin.sheets.applying import RunEnded
from flask_appadmin.sheets.marking import write_marked
from flask_appadmin.sheets.reporting import findings_csv
from flask_appadmin.sheets.sessions import ImportRun
from flask_appadmin.sheets.surveying import Survey
from flask_appadmin.views.downloads import send_made
from flask_appadmin.views.jobs_page import instance_folder

#: The marks of a file with more rows than this are written by a job.
MARKED_AT_ONCE = 5_000


def send_findings(run: ImportRun) -> Any:
    """All findings of a run as a csv file."""
    title = gettext("%(name)s Befunde", name=Path(run.file_name).stem)
    content = io.BytesIO(findings_csv(run))
    return send_file(content, mimetype="text/csv", as_attachment=True, download_name=f"{title}.csv")


def send_marked(run: ImportRun, operator: Operator) -> Any:
    """The operator's own file with the findings of the run in their cells, or the page of the job that writes it."""
    source = storage.uploads(instance_folder()).path(run.storage_name)
    survey = Survey.from_json(run.detection)
    if survey.row_count > MARKED_AT_ONCE:
        return _written_by_job(run, operator)

    def make(folder: Path) -> Document:
        path = folder / "marked.xlsx"
        write_marked(path, run, source, survey)
        return Document(path, _marked_name(run), MEDIA_TYPES["xlsx"])

    return send_made(make)


def _marked_name(run: ImportRun) -> str:
    return gettext("%(name)s mit Markierungen", name=Path(run.file_name).stem) + ".xlsx"


def _written_by_job(run: ImportRun, operator: Operator) -> Any:
    undone = bool(run.change_set_id) and bool(taken_back([run.change_set_id]))
    key = f"import_marked-{run.id}-{run.plan}-{run.state}-{undone:d}"
    done = Job.get_or_none(Job.effect_key == key, Job.state == "done")
    if done is not None and storage.exports(instance_folder()).has(done.result["file"]):
        return redirect(url_for("jobs.file_view", id=done.id))
    if done is not None:  # its file has expired
        jobs.release(done)
    parameters = {"run": run.id, "folder": str(instance_folder()), "page": url_for("imports.run_view", id=run.id)}
    title = gettext("Markierungen: %(file)s", file=run.file_name)
    jobs.start("import_marked", title, parameters, operator, key=key)
    words = gettext("Die Markierungen werden geschrieben; die Datei wartet dann hier auf Sie.")
    session["toast"] = {"text": words, "undo_url": ""}
    return redirect(url_for("jobs.index_view"))


def run_marking(job: RunningJob) -> Any:
    """The job: writes the marked file into the folder of exports."""
    run = ImportRun.get_or_none(ImportRun.id == job.parameters["run"])
    if run is None or run.state not in ("preview", "done"):
        raise RunEnded()
    folder = Path(job.parameters["folder"])
    source = storage.uploads(folder).path(run.storage_name)
    store = storage.exports(folder)
    name, path = store.new()
    try:
        write_marked(path, run, source, Survey.from_json(run.detection), progress=job.progress)
    except BaseException:
        store.remove(name)
        raise
    return {"file": name, "name": _marked_name(run), "media_type": MEDIA_TYPES["xlsx"]}


jobs.register_job("import_marked", run_marking)


__all__ = ["send_findings", "send_marked"]

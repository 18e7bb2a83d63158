"""Reading, planning and applying an import, in the request or as jobs.

Shape: what has more rows than ROWS_AT_ONCE becomes a job; a run whose job came to nothing goes back to where it was.
Errors: RunEnded for a run that is over; what the gateway refuses is noted at the rows (`note_refused`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import url_for

from flask_appadmin import jobs
from flask_appadmin.changes import known_specs
from flask_appadmin.errors import AppAdminError, FaultList, SheetError
from flask_appadmin.i18n import gettext
from flask_appadmin.jobs import Job, RunningJob
from flask_appadmin.rights import Operator
from flask_appadmin.sheets import storage
from flask_appadmin.sheets.applying import RunEnded, apply_run
from flask_appadmin.sheets.handing_on import hand_on
from flask_appadmin.sheets.inbox import digest_of
from flask_appadmin.sheets.outcomes import has_faults
from flask_appadmin.sheets.plan_rows import note_faults
from flask_appadmin.sheets.planning import Planner
from flask_appadmin.sheets.schemas import use_schema
from flask_appadmin.sheets.sessions import ImportRow, ImportRun
from flask_appadmin.sheets.surveying import ImportOptions, Survey, modes_of, propose_options, survey_file
from flask_appadmin.specs import ModelSpec
from flask_appadmin.views.imports.standing import store_run
from flask_appadmin.views.jobs_page import instance_folder

#: Plans with more rows than this become jobs.
ROWS_AT_ONCE = 1_000


def is_many(rows: int) -> bool:
    """Whether so many rows are work for a job."""
    return rows > ROWS_AT_ONCE


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
    store_run(run, detection=survey.to_json(), options=options.to_json(), state=state, message=None)


def note_refused(run: ImportRun, fault: FaultList) -> str:
    """Notes at their rows what the gateway refused; answers the sentence for the head of the preview."""
    if not note_faults(run, fault.faults):
        return fault.sentence()
    counts = {**run.counts}
    query = ImportRow.select().where(ImportRow.run == run.id, ImportRow.state == "error")
    counts["error"] = query.count()
    for name in ("new", "changed", "conflict", "delete"):
        counts[name] = ImportRow.select().where(ImportRow.run == run.id, ImportRow.state == name).count()
    store_run(run, counts=counts, plan=secrets.token_hex(8))
    return gettext(
        "Es wurde noch nichts gespeichert: Seit der Vorschau hat sich etwas geändert. Die Zeilen stehen jetzt unter "
        "„Fehler“; die übrigen können Sie übernehmen."
    )


def start_job(run: ImportRun, kind: str, operator: Operator, **more: Any) -> None:
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
    store_run(run, state=state, job=job.id, message=None)


def settle(run: ImportRun) -> ImportRun:
    """The run in the state it really is in: one whose job ended without success goes back to where it came from."""
    if run.state not in ("reading", "planning", "applying") or run.job is None:
        return run
    job = Job.get_or_none(Job.id == run.job)
    if job is not None and (not job.is_ended or job.state == "done"):
        return ImportRun.get_by_id(run.id)
    foreign = bool(run.detection) and not Survey.from_json(run.detection).is_own
    state = {"reading": "failed", "planning": "mapping" if foreign else "failed", "applying": "preview"}[run.state]
    store_run(run, state=state, message=job.message if job is not None else "")
    return run


def _of_job(job: RunningJob) -> tuple[ImportRun, ModelSpec, Path]:
    run = ImportRun.get_or_none(ImportRun.id == job.parameters["run"])
    if run is None or run.state == "discarded":
        raise RunEnded()
    return run, known_specs()[run.entity], kept_file(run, Path(job.parameters["folder"]))


def kept_file(run: ImportRun, folder: Path) -> Path:
    """The uploaded file; SheetError where it is gone, or another one than the plan was made of."""
    store, planned = storage.uploads(folder), run.detection.get("file") if run.plan else None
    if store.has(run.storage_name):
        path = store.path(run.storage_name)
        if planned is None or run.state == "planning" or digest_of(path) == planned:
            return path
    raise SheetError(
        gettext(
            "„%(file)s“ liegt nicht mehr auf dem Server oder wurde dort seit der Vorschau verändert. Es wurde nichts "
            "übernommen; bitte laden Sie die Datei noch einmal hoch.",
            file=run.file_name,
        )
    )


def _finish_plan(job: RunningJob, run: ImportRun, spec: ModelSpec, path: Path, survey: Survey) -> Any:
    options = ImportOptions.from_json(run.options)
    Planner(run, path, spec, job.operator, options, progress=job.progress).plan(survey)
    return job.finish(_marking(job, run, "preview"))


def _marking(job: RunningJob, run: ImportRun, state: str) -> Callable[[], Any]:
    def work() -> Any:
        store_run(run, state=state, message=None)
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

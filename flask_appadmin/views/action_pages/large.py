"""Actions on so many records that they run as a job: a change of settings, its undo, labels.

What the operator looked at is what is done: the job's parameters name the rows by their `state`, and the job fails with
the sentence of PlanChanged when these are no longer the same. Everything is one transaction with the job's "done", so
that a job which was stopped or killed leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from flask import redirect, session, url_for

from flask_appadmin import jobs
from flask_appadmin.bulk import Action, ChangeSettings, PrintLabels
from flask_appadmin.changes import Applied, ChangeSet, UndoPart, known_specs, values_from_json, values_to_json
from flask_appadmin.errors import AppAdminError
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.jobs import RunningJob
from flask_appadmin.labels import LabelFormat
from flask_appadmin.rights import Operator
from flask_appadmin.selections import Selection, counted
from flask_appadmin.sheets import storage
from flask_appadmin.views import places
from flask_appadmin.views.action_pages.request import ActionPages, different_rows
from flask_appadmin.views.jobs_page import instance_folder

_Kind = TypeVar("_Kind", bound=Action)

#: More records than this are changed, or set back, by a job.
AT_ONCE = 5_000

#: More labels than this are made by a job.
LABELS_AT_ONCE = 10_000


def runs_as_job(count: int) -> str:
    """What the page says before: "" for what is done at once."""
    if count <= AT_ONCE:
        return ""
    return gettext("Läuft als Auftrag: Sie können weiterarbeiten, zusehen und abbrechen. Abgebrochen ändert er nichts.")


# --- starting ---------------------------------------------------------------------------------------------------------


def start_change(
    pages: ActionPages, values: dict[str, Any], *, expected: str, without_refused: bool, reason: str
) -> Any:
    """Puts the plan that was looked at in the line; answers the way to the running jobs."""
    kept = replace(pages.selection, token="").store()
    parameters = {
        "action": _name_of(pages.action),
        "entity": pages.spec.name,
        "selection": kept.token,
        "values": values_to_json(pages.spec, values),
        "expected": expected,
        "without_refused": without_refused,
        "reason": reason,
    }
    title = f"{pages.action.label}: {counted(pages.spec, pages.count)}"
    # A double click, or the same page sent twice, starts it once.
    key = f"change:{pages.operator.user_id}:{pages.selection.token}:{expected}"[:80]
    jobs.start("change", title, parameters, pages.operator, key=key)
    # What was marked was marked for this. The token keeps it for a moment, so that a double click finds the job.
    places.forget_selection(pages.spec)
    return to_jobs(gettext("Die Änderung läuft als Auftrag. Hier sehen Sie, wie weit er ist."))


def start_undo(row: ChangeSetRecord, operator: Operator, *, reason: str, over: Iterable[int] = ()) -> Any:
    """Puts the undo of a large operation in the line; answers the way to the running jobs."""
    title = gettext("Zurücknehmen: %(title)s", title=row.title)
    parameters = {"change_set": row.id, "reason": reason, "over": sorted(over)}
    last = ChangeSetRecord.select(ChangeSetRecord.id).order_by(ChangeSetRecord.id.desc()).limit(1).scalar()
    jobs.start("undo", title, parameters, operator, key=f"undo:{row.id}:{last}")
    return to_jobs(gettext("Das Zurücknehmen läuft als Auftrag. Hier sehen Sie, wie weit er ist."))


def start_labels(pages: ActionPages, values: dict[str, Any]) -> Any:
    """Puts the printing of many labels in the line; the file waits a day for whoever started it."""
    kept = replace(pages.selection, token="").store()
    parameters = {
        "action": _name_of(pages.action),
        "entity": pages.spec.name,
        "selection": kept.token,
        "state": pages.state,
        "values": {**values, "format": values["format"].id},
        "folder": str(instance_folder()),
    }
    title = gettext("Etiketten: %(what)s", what=counted(pages.spec, pages.count))
    jobs.start("labels", title, parameters, pages.operator)
    return to_jobs(gettext("Die Etiketten werden gedruckt; die Datei wartet dann hier auf Sie."))


def to_jobs(text: str) -> Any:
    """The page of the running work, with a word on what was begun."""
    session["toast"] = {"text": text, "undo_url": ""}
    return redirect(url_for("jobs.index_view"))


# --- running ----------------------------------------------------------------------------------------------------------


def run_change(job: RunningJob) -> Any:
    """The job: makes the plan once more, finds that it is the one that was shown, and applies it."""
    given = job.parameters
    spec = known_specs()[given["entity"]]
    action = _action(ChangeSettings, given["action"])
    selection = Selection.load(spec, job.operator, given["selection"]).require_reach()
    values = values_from_json(spec, given["values"])
    refused = action.preview(selection, dict(values)).refused if given["without_refused"] else []
    change = action.plan(
        selection,
        values,
        expected=given["expected"],
        without=[key for key, _title, _reason in refused],
        reason=given["reason"],
        refused=refused,
    )

    def work() -> dict[str, Any]:
        applied = change.apply(job.operator, progress=job.progress)
        job.message = gettext("%(what)s geändert.", what=counted(spec, applied.updated))
        return _result(applied)

    return job.finish(work)


def run_undo(job: RunningJob) -> Any:
    """The job: takes back an operation."""
    part = UndoPart(over=frozenset(job.parameters.get("over", ())))
    change = ChangeSet.undo(job.parameters["change_set"], part=part, reason=job.parameters["reason"])

    def work() -> dict[str, Any]:
        applied = change.apply(job.operator, progress=job.progress)
        count = format_number(applied.count)
        job.message = gettext("%(count)s zurückgenommen.", count=count)
        if applied.skipped:
            # Each says its record; the page of the operation has them all.
            job.message = f"{job.message} {'; '.join(applied.skipped[:3])}"[:500]
        return _result(applied)

    return job.finish(work)


def run_labels(job: RunningJob) -> Any:
    """The job: lays out the labels and keeps the file."""
    given = job.parameters
    spec = known_specs()[given["entity"]]
    action = _action(PrintLabels, given["action"])
    selection = Selection.load(spec, job.operator, given["selection"]).require_reach()
    state = selection.state()
    if given["state"] not in ("", state):
        raise AppAdminError(different_rows(spec, given["state"], state))
    values = {**given["values"], "format": LabelFormat.get_by_id(given["values"]["format"])}
    store = storage.exports(Path(given["folder"]))
    name, path = store.new()
    total = selection.count() * values["copies"]
    try:
        document = action.write(path, selection, values, lambda done: job.progress(done, total))
    except BaseException:
        store.remove(name)
        raise
    job.message = " ".join(document.remarks)[:500]
    return {"file": name, "name": document.file_name, "media_type": document.media_type}


def _result(applied: Applied) -> dict[str, Any]:
    return {"change_set": applied.change_set, "count": applied.count, "skipped": len(applied.skipped)}


# --- what a job's parameters say --------------------------------------------------------------------------------------


def _name_of(action: Action) -> str:
    return f"{type(action).__module__}:{type(action).__qualname__}"


def _action(kind: type[_Kind], name: str) -> _Kind:
    """The action of this class; the application that started the job has it, and so has the one that runs it."""
    for found in _kinds(kind):
        if f"{found.__module__}:{found.__qualname__}" == name:
            return found()
    raise AppAdminError(gettext("Diese Funktion gibt es nicht mehr; es wurde nichts geändert."))


def _kinds(kind: type[_Kind]) -> Iterator[type[_Kind]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


jobs.register_job("change", run_change)
jobs.register_job("undo", run_undo)
jobs.register_job("labels", run_labels)

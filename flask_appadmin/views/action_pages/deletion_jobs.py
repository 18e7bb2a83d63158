"""A deletion as it was shown, and so many records that it runs as a job.

Each record is a transaction of its own, so a job that is stopped leaves what it has done, and says what it has not
begun; one that was interrupted goes on where it was. Parameters name the records by key, and what becomes of each.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask_appadmin import jobs
from flask_appadmin.changes import ANONYMISE, DELETE, REFUSE, Deletion, Departure, departures_of, known_specs
from flask_appadmin.changes.merging import state_of
from flask_appadmin.errors import AppAdminError
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.i18n import gettext
from flask_appadmin.jobs import RunningJob
from flask_appadmin.selections import Selection, counted
from flask_appadmin.sheets.forgetting import let_go
from flask_appadmin.specs import ModelSpec
from flask_appadmin.views import places
from flask_appadmin.views.action_pages.large import to_jobs
from flask_appadmin.views.action_pages.request import ActionPages, different_rows
from flask_appadmin.views.jobs_page import instance_folder

#: What is done at once, in units of one deletion: about two seconds of work.
AT_ONCE = 30
#: Anonymising looks through everything that keeps words, and takes about so many times as long.
_ANONYMISING = 3


class DeletionPlan:
    """What a deletion would do, by outcome."""

    def __init__(self, spec: ModelSpec, departures: dict[int, Departure]) -> None:
        self.spec = spec
        self.departures = departures
        #: Names the records with their children as they are now.
        self.seen = state_of(spec, departures)
        self.keys = list(departures)
        self.deleted = self._with(DELETE)
        self.anonymised = self._with(ANONYMISE)
        self.refused = self._with(REFUSE)
        self.going = [key for key in self.keys if departures[key].outcome != REFUSE]

    def _with(self, outcome: str) -> list[int]:
        return [key for key, departure in self.departures.items() if departure.outcome == outcome]

    @property
    def state(self) -> str:
        """Names the very rows that would go, how, and as what they were seen."""
        return f"{len(self.going)}.{sum(self.going)}.{sum(self.anonymised)}.{zlib.crc32(self.seen.encode())}"

    @property
    def runs_as_job(self) -> bool:
        return len(self.deleted) + _ANONYMISING * len(self.anonymised) > AT_ONCE

    def refusal(self, shown_state: str) -> str:
        """Why the plan that was shown is not carried out; "" where this is the same."""
        if shown_state == self.state:
            return ""
        if shown_state.rpartition(".")[0] != self.state.rpartition(".")[0]:
            return different_rows(self.spec, shown_state, self.state)
        return gettext(
            "Seit diese Seite gezeigt wurde, hat jemand etwas daran geändert. Es wurde nichts getan. Bitte prüfen Sie "
            "und bestätigen Sie noch einmal."
        )


def start_deletion(pages: ActionPages, plan: DeletionPlan, reason: str) -> Any:
    """Puts the deletion that was looked at in the line; answers the way to the running jobs."""
    last = ChangeSetRecord.select(ChangeSetRecord.id).order_by(ChangeSetRecord.id.desc()).limit(1).scalar()
    parameters = {
        "entity": pages.spec.name,
        "delete": plan.deleted,
        "anonymise": plan.anonymised,
        "refuse": plan.refused,
        "state": plan.state,
        "since": last or 0,
        "reason": reason,
        "url": pages.url,
        "folder": str(instance_folder()),
    }
    title = gettext("%(what)s löschen", what=counted(pages.spec, len(plan.going)))
    # A double click, or the same page sent twice, starts it once.
    key = f"delete:{pages.operator.user_id}:{pages.selection.token}:{plan.state}"[:80]
    jobs.start("delete", title, parameters, pages.operator, key=key)
    places.forget_selection(pages.spec)
    return to_jobs(gettext("Das Löschen läuft als Auftrag. Hier sehen Sie, wie weit er ist."))


def run_deletion(job: RunningJob) -> Any:
    """The job: carries out what was shown, from where an earlier attempt came to."""
    given = job.parameters
    spec = known_specs()[given["entity"]]
    result = Deletion.begun_by(job.id, job.operator, given["since"])
    begun = {*result.deleted, *result.anonymised}
    keys = [key for name in ("delete", "anonymise", "refuse") for key in given[name] if key not in begun]
    found = departures_of(spec, Selection.of_keys(spec, job.operator, keys).key_list())
    if not begun and (warning := DeletionPlan(spec, found).refusal(given["state"])):
        raise AppAdminError(warning)
    departures = {key: _as_shown(departure, key in given["anonymise"]) for key, departure in found.items()}
    total = len(begun) + sum(departure.outcome != REFUSE for departure in departures.values())

    def told() -> dict[str, Any] | None:
        job.message = result.sentence()
        url = f"{given['url']}?{urlencode({'result': result.kept_in})}"
        return {"url": url, "change_set": result.change_set} if result.kept_in else None

    try:
        let_go(
            Path(given["folder"]),
            spec,
            departures,
            job.operator,
            reason=given["reason"],
            progress=lambda done: job.progress(len(begun) + done, total),
            result=result,
        )
    except BaseException:
        job.so_far = told()
        raise
    job.done = job.total = total
    return told()


def _as_shown(departure: Departure, anonymises: bool) -> Departure:
    """What becomes of a record now; it stays where that is not what was shown."""
    if departure.outcome in (REFUSE, ANONYMISE if anonymises else DELETE):
        return departure
    return Departure(REFUSE, (gettext("Der Eintrag wurde geändert, nachdem Sie ihn geprüft haben."),))


jobs.register_job("delete", run_deletion, in_steps=True)

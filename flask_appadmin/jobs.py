"""Long work outside the request: a table of jobs, and threads that take them one by one.

Shape: `register_job(kind, function)` once per kind, at import; `start(kind, title, parameters, operator)` makes a row;
a JobRunner in any process takes it. The function gets a RunningJob and answers a result that JSON can hold. It must be
safe to run twice: whoever wants effect and "done" in one transaction ends with `return run.finish(work)`.
Units: seconds, UTC. A job that shows no sign of life for 60 seconds is taken over by another process, at most twice.
Errors: AppAdminError in a job becomes its message; any other exception becomes a sentence with a number, and the log
has type and place under that number. JobCancelled from `progress` ends the job with nothing written; one that works
in steps, each of which is stored for itself, says in `so_far` what was done before it ended.
Source: docs/decisions/jobs.md; trust.md section 5 (graceful stop, jobs).
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import math
import os
import secrets
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import peewee

from flask_appadmin.arrangements import arranged
from flask_appadmin.database import (
    WriterNote,
    ask_writer_to_stop,
    current_writer,
    database,
    engine,
    in_transaction,
    utcnow,
    waiting,
    writing,
)
from flask_appadmin.errors import AppAdminError, JobCancelled, NotFound
from flask_appadmin.fieldtypes.columns import JSONField
from flask_appadmin.i18n import _, format_number, gettext, use_locale
from flask_appadmin.rights import Operator, Role, User, operator_of, system_operator

log = logging.getLogger("appadmin.jobs")

STATES = {
    "waiting": _("wartet"),
    "running": _("läuft"),
    "done": _("fertig"),
    "failed": _("fehlgeschlagen"),
    "cancelled": _("abgebrochen"),
}
_ENDED = ("done", "failed", "cancelled")

#: Without a sign of life for this long a job belongs to nobody any more.
TAKE_OVER_SECONDS = 60
_ATTEMPTS = 3
#: So many jobs of one operator may wait.
_WAITING_PER_OPERATOR = 10
_KEEP_DAYS = 30
_BEAT_SECONDS = 2.0
_POLL_SECONDS = 1.0


class Job(peewee.Model):
    """One piece of long work: what, for whom, how far, what came of it."""

    kind = peewee.CharField(max_length=40)
    title = peewee.CharField(max_length=255)
    parameters = JSONField()
    state = peewee.CharField(max_length=10, default="waiting")
    user = peewee.ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
    user_name = peewee.CharField(max_length=80)
    #: Names the effect: the same key starts no second job (double click, repeated request).
    effect_key = peewee.CharField(max_length=80, null=True, unique=True)
    progress_done = peewee.BigIntegerField(default=0)
    progress_total = peewee.BigIntegerField(default=0)
    message = peewee.CharField(max_length=500, default="")
    result = JSONField(null=True)
    #: Which process works on it, and when that last gave a sign of life.
    lease_owner = peewee.CharField(max_length=80, null=True)
    heartbeat_at = peewee.DateTimeField(null=True)
    attempt = peewee.IntegerField(default=0)
    cancel_requested = peewee.BooleanField(default=False)
    created_at = peewee.DateTimeField()
    started_at = peewee.DateTimeField(null=True)
    ended_at = peewee.DateTimeField(null=True)

    class Meta:
        table_name = "job"
        database = database
        indexes = ((("state", "id"), False), (("user", "id"), False))

    @property
    def is_ended(self) -> bool:
        return self.state in _ENDED

    @property
    def state_label(self) -> str:
        result: Any = self.result
        if self.state == "done" and isinstance(result, dict) and result.get("faults"):
            return gettext("fertig mit Fehlern")
        if self.state == "failed" and self.kind in _rolling_back:
            return gettext("zurückgerollt")
        return str(STATES.get(self.state, self.state))

    @property
    def percent(self) -> int | None:
        """How far it is, None while nobody knows."""
        if self.state == "done":
            return 100
        return min(99, self.progress_done * 100 // self.progress_total) if self.progress_total else None

    def progress_text(self) -> str:
        """„12.400 von 48.211, noch etwa 20 s“, or the message of a job that ended."""
        if self.is_ended or not self.progress_total:
            return self.message
        text = gettext(
            "%(done)s von %(total)s",
            done=format_number(self.progress_done),
            total=format_number(self.progress_total),
        )
        if self.progress_done >= self.progress_total:
            # What follows is not counted: the commit, files for others.
            return gettext("%(text)s, gleich fertig", text=text)
        left = self.seconds_left
        return text if left is None else gettext("%(text)s, noch etwa %(left)s", text=text, left=duration(left))

    @property
    def seconds_left(self) -> int | None:
        """How long it still takes at the pace so far, None while nobody knows."""
        if self.state != "running" or self.started_at is None or not 0 < self.progress_done <= self.progress_total:
            return None
        spent = (utcnow() - self.started_at).total_seconds()
        return math.ceil(spent * (self.progress_total - self.progress_done) / self.progress_done) if spent else None

    def with_note(self) -> Job:
        """The job with its progress out of the note that a writer of SQLite keeps beside the database."""
        writer = current_writer() if self.state == "running" else None
        if writer is not None and writer.job == self.id:
            self.progress_done, self.progress_total = writer.done, writer.total
        return self


def duration(seconds: int) -> str:
    """„20 s“, „3 min“."""
    if seconds < 90:
        return gettext("%(seconds)s s", seconds=seconds)
    return gettext("%(minutes)s min", minutes=math.ceil(seconds / 60))


class _Stopping(Exception):
    """The process ends: the job goes back to those that wait."""


class _LeaseLost(Exception):
    """Another process took the job over; this one must not write its effect."""


_functions: dict[str, Callable[[RunningJob], Any]] = {}
#: Kinds of jobs that write everything or nothing.
_rolling_back: set[str] = set()
#: Kinds of jobs of which parts stay done when they end half-way.
_in_steps: set[str] = set()
_wake = threading.Event()
#: The jobs that this process works on now, by key.
_running: dict[int, RunningJob] = {}


def register_job(
    kind: str, function: Callable[[RunningJob], Any], *, rolls_back: bool = False, in_steps: bool = False
) -> None:
    """Says what a kind of job does; once per kind. One that `rolls_back` has written nothing when it fails; one
    `in_steps` goes on where it was interrupted, and says itself what is done when it is stopped."""
    if _functions.setdefault(kind, function) is not function:
        raise ValueError(f"two functions for jobs of kind {kind}")
    if rolls_back:
        _rolling_back.add(kind)
    if in_steps:
        _in_steps.add(kind)


def start(kind: str, title: str, parameters: dict[str, Any], operator: Operator, *, key: str = "") -> Job:
    """Puts a job in the line and answers it; with a `key` that is there already, the job of that key, unless it came to
    nothing."""
    if kind not in _functions:
        raise ValueError(f"no function for jobs of kind {kind}")

    def work() -> Job:
        found = Job.get_or_none(Job.effect_key == key) if key else None
        if found is not None and found.state in ("failed", "cancelled"):
            Job.update(effect_key=None).where(Job.id == found.id).execute()
        elif found is not None:
            return found
        waiting = Job.select().where(Job.state == "waiting", Job.user == operator.user_id).count()
        if operator.user_id is not None and waiting >= _WAITING_PER_OPERATOR:
            raise AppAdminError(
                gettext(
                    "Es warten schon %(count)s Ihrer Aufträge. Bitte warten Sie, bis einer fertig ist.", count=waiting
                )
            )
        number = Job.insert(
            kind=kind,
            title=title[:255],
            parameters=parameters,
            user=operator.user_id,
            user_name=operator.name[:80],
            effect_key=key or None,
            created_at=utcnow(),
        ).execute()
        return Job.get_by_id(number)

    job: Job = in_transaction(work)
    _wake.set()
    return job


def release(job: Job) -> None:
    """Lets a job be started anew under the key of one that is done: what that one made is gone."""
    Job.update(effect_key=None).where(Job.id == job.id, Job.state.in_(_ENDED)).execute()


def job_of(key: int, operator: Operator) -> Job:
    """A job the operator may see: his own, or any with the right; NotFound otherwise."""
    job = Job.get_or_none(Job.id == key)
    if job is None or not (job.user_id == operator.user_id or operator.may("job.admin")):
        raise NotFound()
    return job


def jobs_of(operator: Operator, *, everyone: bool = False, running: bool = False, limit: int = 50) -> list[Job]:
    """The latest jobs of the operator, or of all with the right; only those not ended with `running`."""
    query = Job.select().order_by(Job.id.desc()).limit(limit)
    if everyone:
        operator.require("job.admin")
    else:
        query = query.where(Job.user == operator.user_id)
    return list(query.where(Job.state.in_(("waiting", "running"))) if running else query)


def cancel(key: int, operator: Operator) -> None:
    """Asks a job to stop: one that waits ends at once, one that runs at its next safe point."""
    job_of(key, operator)
    own = _running.get(key)
    if own is not None:
        own.cancelled = True
        return
    if ask_writer_to_stop(key):
        return

    def work() -> None:
        Job.update(cancel_requested=True).where(Job.id == key, Job.state == "running").execute()
        Job.update(
            state="cancelled", cancel_requested=True, ended_at=utcnow(), message=JobCancelled().sentence()[:500]
        ).where(Job.id == key, Job.state == "waiting").execute()

    in_transaction(work)


class RunningJob:
    """What the function of a job gets: its parameters, the operator it works for, and where to tell how far it is."""

    def __init__(self, job: Job, operator: Operator, owner: str) -> None:
        self.id = job.id
        self.parameters: dict[str, Any] = job.parameters or {}
        self.operator = operator
        self.attempt = job.attempt
        self.cancelled = bool(job.cancel_requested)
        self.stopping = False
        self.done = 0
        self.total = 0
        self.message = ""
        #: What a job that works in steps has done already: its result when it ends half-way, `message` tells it.
        self.so_far: Any = None
        self._owner = owner
        self._told = time.monotonic()
        self.finished = False
        self._title = job.title
        self._note: WriterNote | None = None

    def progress(self, done: int, total: int = 0, message: str = "") -> None:
        """Tells how far the job is; raises JobCancelled when the operator wants it to stop. Cheap to call often."""
        self.done, self.total = done, total or self.total
        self.message = message or self.message
        # Inside its own transaction nobody would see it in the database: the note beside it (SQLite) or the runner's
        # heartbeat (PostgreSQL) tells.
        if self._note is not None:
            self._note.tell(self.done, self.total)
            self.cancelled = self.cancelled or self._note.stop_wanted
        elif time.monotonic() - self._told >= 0.5 and not database.in_transaction():
            with contextlib.suppress(peewee.OperationalError), waiting(0):
                self.tell()
        if self.cancelled:
            raise JobCancelled()
        if self.stopping:
            raise _Stopping()

    def tell(self) -> None:
        """Writes sign of life and progress, and reads whether to stop."""
        self._told = time.monotonic()
        told = (
            Job.update(
                heartbeat_at=utcnow(), progress_done=self.done, progress_total=self.total, message=self.message[:500]
            )
            .where(Job.id == self.id, Job.lease_owner == self._owner, Job.state == "running")
            .execute()
        )
        if not told:
            self.stopping = True
            return
        wanted = Job.select(Job.cancel_requested).where(Job.id == self.id).scalar()
        self.cancelled = self.cancelled or bool(wanted)

    def finish(self, work: Callable[[], Any]) -> Any:
        """Runs the effect and marks the job as done in one transaction: never one without the other.

        `work` answers the result (what JSON can hold, or None). After this nothing may follow in the job's function.
        """

        def all_at_once() -> Any:
            self._require_lease()
            with writing(self.operator.name, self._title, job=self.id) as self._note:
                result = work()
            self._mark_done(result)
            return result

        try:
            result = in_transaction(all_at_once)
        finally:
            self._note = None
        self.finished = True
        return result

    def _require_lease(self) -> None:
        query = Job.select(Job.id, Job.cancel_requested).where(
            Job.id == self.id, Job.lease_owner == self._owner, Job.state == "running"
        )
        # Not locked: until the end others must be able to write here that it lives and that it shall stop. Whoever
        # took the job over meanwhile is found when it is marked as done.
        row = query.first()
        if row is None:
            raise _LeaseLost()
        if row.cancel_requested or self.cancelled:
            raise JobCancelled()

    def _mark_done(self, result: Any) -> None:
        ended = {"state": "done", "result": result, "ended_at": utcnow(), "lease_owner": None}
        ended |= {"progress_done": self.done, "progress_total": self.total, "message": self.message[:500]}
        marked = Job.update(**ended).where(Job.id == self.id, Job.lease_owner == self._owner).execute()
        if not marked:
            raise _LeaseLost()


# --- taking and running -----------------------------------------------------------------------------------------------


def _claim(owner: str) -> Job | None:
    """The next job for this process: one that waits, or one whose process has gone."""
    dead = utcnow() - datetime.timedelta(seconds=TAKE_OVER_SECONDS)
    free = (Job.state == "waiting") | ((Job.state == "running") & (Job.heartbeat_at < dead))
    free &= Job.kind.in_(list(_functions))
    # While somebody keeps the one lock of SQLite, a job waits better in the line than at the lock.
    if current_writer() is not None:
        return None
    # A look without the write lock: most of the time there is nothing.
    if not _functions or Job.select(Job.id).where(free).limit(1).first() is None:
        return None

    def work() -> Job | None:
        query = Job.select().where(free).order_by(Job.id).limit(1)
        job = (query.for_update("FOR UPDATE SKIP LOCKED") if engine() == "postgresql" else query).first()
        if job is None:
            return None
        ended: dict[str, Any] = {}
        if job.cancel_requested and job.kind not in _in_steps:
            ended = {"state": "cancelled", "message": JobCancelled().sentence()}
        elif job.attempt >= _ATTEMPTS:
            message = gettext("Der Vorgang ist %(count)s-mal mittendrin abgebrochen.", count=job.attempt)
            ended = {"state": "failed", "message": message}
        if ended:
            Job.update(ended_at=utcnow(), lease_owner=None, **ended).where(Job.id == job.id).execute()
            return None
        now = utcnow()
        Job.update(
            state="running", lease_owner=owner, attempt=job.attempt + 1, started_at=now, heartbeat_at=now, message=""
        ).where(Job.id == job.id).execute()
        return Job.get_by_id(job.id)

    found: Job | None = in_transaction(work)
    return found


def _operator_of(job: Job) -> tuple[Operator, str]:
    """The starter with the rights he has now, and his language; a person who may not work any more gets NotAllowed."""
    if job.user_id is None:
        return system_operator(job.user_name), "de"
    user = User.select(User, Role).join(Role).where(User.id == job.user_id).first()
    if user is None or not user.active:
        raise AppAdminError(
            gettext("Wer diesen Vorgang begonnen hat, darf nicht mehr arbeiten; es wurde nichts geändert.")
        )
    return operator_of(user), user.locale


def _run(job: Job, owner: str) -> None:
    run: RunningJob | None = None
    ended: dict[str, Any]
    locale = "de"
    try:
        operator, locale = _operator_of(job)
        run = _running[job.id] = RunningJob(job, operator, owner)
        with use_locale(locale), arranged(operator):
            result = _functions[job.kind](run)
        if run.finished:
            return
        run.finish(lambda: result)
        return
    except _LeaseLost:
        log.warning("job %s was taken over by another process", job.id)
        return
    except _Stopping:
        ended = {"state": "waiting", "attempt": job.attempt - 1}
    except JobCancelled as fault:
        ended = {"state": "cancelled", "message": fault.sentence(), "ended_at": utcnow()}
    except AppAdminError as fault:
        with use_locale(locale):
            ended = {"state": "failed", "message": fault.sentence(), "ended_at": utcnow()}
    except Exception as fault:
        number = secrets.token_hex(3).upper()
        frames = reversed(traceback.extract_tb(fault.__traceback__)[-6:])
        places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
        log.error("fault %s job=%s kind=%s %s at %s", number, job.id, job.kind, type(fault).__name__, places)
        with use_locale(locale):
            message = gettext(
                "Das hat nicht geklappt; es wurde nichts geändert. Bitte nennen Sie der Technik die Nummer %(number)s.",
                number=number,
            )
            if run is not None and run.so_far is not None:
                told = gettext("Danach ging es nicht weiter; die Technik findet es unter %(number)s.", number=number)
                run.message = f"{run.message} {told}"
        ended = {"state": "failed", "message": message, "ended_at": utcnow()}
    finally:
        _running.pop(job.id, None)
    if "message" in ended:
        ended["message"] = ended["message"][:500]
    if run is not None:
        ended |= {"progress_done": run.done, "progress_total": run.total}
        if run.so_far is not None and ended["state"] != "waiting":
            ended |= {"result": run.so_far, "message": run.message[:500]}
    query = Job.update(lease_owner=None, **ended).where(Job.id == job.id, Job.lease_owner == owner)
    in_transaction(query.execute)


def _owner_name() -> str:
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


def run_waiting(*, once: bool = False) -> int:
    """Runs what waits, in this thread: everything, or one job with `once`; answers how many were run."""
    owner = _owner_name()
    count = 0
    while (job := _claim(owner)) is not None:
        with waiting(math.inf):
            _run(job, owner)
        count += 1
        if once:
            break
    return count


def forget_old_jobs() -> int:
    """Removes jobs that ended a month ago."""
    limit = utcnow() - datetime.timedelta(days=_KEEP_DAYS)
    return int(Job.delete().where(Job.state.in_(_ENDED), Job.ended_at < limit).execute())


class JobRunner:
    """Threads of this process that take jobs until `stop`; beside them one that keeps telling they are alive."""

    def __init__(self, threads: int = 1) -> None:
        self._owner = _owner_name()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"jobs-{number}", daemon=True) for number in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._beat, name="jobs-heartbeat", daemon=True))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 20.0) -> None:
        """Takes no new job, stops running ones at their next safe point, and waits for them that long."""
        self._ended.set()
        for run in list(_running.values()):
            run.stopping = True
        _wake.set()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while not self._ended.is_set():
            with _own_connection("A job could not be taken."):
                while not self._ended.is_set() and (job := _claim(self._owner)) is not None:
                    with waiting(math.inf):
                        _run(job, self._owner)
            _wake.wait(_POLL_SECONDS)
            _wake.clear()

    def _beat(self) -> None:
        cleaned = time.monotonic()
        while not self._ended.wait(_BEAT_SECONDS):
            for run in list(_running.values()):
                with _own_connection(""), waiting(0):
                    run.tell()
            if time.monotonic() - cleaned > 3600:
                cleaned = time.monotonic()
                with _own_connection("Old jobs could not be removed."):
                    forget_old_jobs()


@contextlib.contextmanager
def _own_connection(complaint: str) -> Iterator[None]:
    """A connection for one round of a thread. A database that is away for a moment must not end the thread."""
    try:
        database.connect(reuse_if_open=True)
        yield
    except (peewee.PeeweeException, AppAdminError) as fault:
        # Silent where the next round simply tries again (a writer holds the lock of SQLite).
        if complaint:
            log.warning("%s (%s)", complaint, type(fault).__name__)
    finally:
        if engine() == "postgresql" and not database.is_closed():
            database.close()


#: Tables of this room, in the order of their creation.
MODELS = (Job,)

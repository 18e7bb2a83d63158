"""Long work: progress, stopping, taking over from a process that is gone, and never an effect without its "done"."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flask_appadmin import jobs
from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import database, fixed_clock, utcnow
from flask_appadmin.errors import AppAdminError, FaultList, NotFound
from flask_appadmin.jobs import Job, JobRunner, RunningJob, cancel, job_of, jobs_of, register_job, run_waiting, start
from flask_appadmin.rights import Operator, OperatorSession, Role, User, operator_of
from flask_appadmin.security import end_sessions
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Author

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Kinds of job of this test alone."""
    known: dict[str, Any] = {}
    monkeypatch.setattr(jobs, "_functions", known)
    return known


@pytest.fixture
def clerk(librarian: Operator) -> Operator:
    """A person with a record, who may write authors."""
    change = ChangeSet("setup")
    role = change.create(Role, {"name": "Ausleihe", "permissions": ["library.read", "library.create"]})
    change.create(
        User,
        {
            "username": "berger",
            "full_name": "Herr Berger",
            "password": "Wird nie gebraucht",
            "role": role,
            "fs_uniquifier": "1",
        },
    )
    change.apply(librarian)
    return operator_of(User.get(User.username == "berger"))


def add_author(run: RunningJob) -> Any:
    change = ChangeSet("import")
    change.create(Author, {"name": run.parameters["name"]})
    return run.finish(lambda: {"change_set": change.apply(run.operator).change_set})


def test_a_job_runs_in_the_name_of_its_starter_and_keeps_its_result(clerk: Operator) -> None:
    # Trust case 87: whoever started it is signed out in the middle; it ends all the same, and its result is listed.
    def signed_out(run: RunningJob) -> Any:
        assert end_sessions(clerk.user_id) == 1
        return add_author(run)

    OperatorSession.insert(token_hash="0", user=clerk.user_id, started_at=utcnow(), seen_at=utcnow()).execute()
    register_job("add", signed_out)
    job = start("add", "Autor anlegen", {"name": "Ilse Aichinger"}, clerk)
    assert (job.state, job.user_name, job_of(job.id, clerk).id) == ("waiting", "Herr Berger", job.id)
    assert run_waiting() == 1
    done = Job.get_by_id(job.id)
    assert (done.state, done.percent, done.result, done.lease_owner) == ("done", 100, {"change_set": 2}, None)
    assert [author.name for author in Author.select()] == ["Ilse Aichinger"]
    again = operator_of(User.get(User.username == "berger"))
    assert [(row.id, row.state, row.result) for row in jobs_of(again)] == [(job.id, "done", {"change_set": 2})]
    assert run_waiting() == 0


def test_a_job_asks_for_the_rights_its_starter_has_when_it_runs(clerk: Operator, librarian: Operator) -> None:
    register_job("add", add_author)
    job = start("add", "Autor anlegen", {"name": "Ilse Aichinger"}, clerk)
    change = ChangeSet("form")
    change.update(Role, Role.get().id, {"permissions": ["library.read"]})
    change.apply(librarian)
    run_waiting()
    failed = Job.get_by_id(job.id)
    assert failed.state == "failed"
    assert failed.message.startswith("Ihnen fehlt das Recht")
    assert Author.select().count() == 0


def test_a_job_of_somebody_who_left_is_not_run(clerk: Operator, librarian: Operator) -> None:
    register_job("add", add_author)
    job = start("add", "Autor anlegen", {"name": "Ilse Aichinger"}, clerk)
    change = ChangeSet("form")
    change.update(User, clerk.user_id or 0, {"active": False})
    change.apply(librarian)
    run_waiting()
    assert Job.get_by_id(job.id).state == "failed"
    assert Author.select().count() == 0


def test_the_same_effect_is_started_once(clerk: Operator) -> None:
    register_job("add", add_author)
    first = start("add", "Autor anlegen", {"name": "Ilse Aichinger"}, clerk, key="import:7")
    second = start("add", "Autor anlegen", {"name": "Ilse Aichinger"}, clerk, key="import:7")
    assert first.id == second.id
    assert run_waiting() == 1


def test_progress_is_told_and_a_running_job_can_be_stopped(clerk: Operator) -> None:
    seen: list[Any] = []

    def count(run: RunningJob) -> None:
        for number in range(1, 1_001):
            run.progress(number, 1_000, "zählt")
            if number == 400:
                run.tell()
                row = Job.get_by_id(run.id)
                seen.append((row.percent, row.progress_text()))
                cancel(run.id, clerk)

    register_job("count", count)
    job = start("count", "Zählen", {}, clerk)
    with fixed_clock(utcnow()):
        run_waiting()
    ended = Job.get_by_id(job.id)
    assert seen == [(40, "400 von 1.000")]
    assert (ended.state, ended.message) == ("cancelled", "Der Vorgang wurde abgebrochen; es wurde nichts geändert.")
    assert ended.progress_done == 401
    whole = Job(state="running", started_at=utcnow(), progress_done=1_000, progress_total=1_000)
    assert whole.progress_text() == "1.000 von 1.000, gleich fertig"


def test_a_waiting_job_is_stopped_at_once(clerk: Operator) -> None:
    register_job("add", add_author)
    job = start("add", "Autor anlegen", {"name": "Ilse Aichinger"}, clerk)
    cancel(job.id, clerk)
    assert run_waiting() == 0
    assert Job.get_by_id(job.id).state == "cancelled"


def test_faults_are_told_in_words_and_others_by_a_number(clerk: Operator, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(run: RunningJob) -> None:
        raise FaultList([AppAdminError("Zeile 14 geht nicht."), AppAdminError("Zeile 15 geht nicht.")])

    def break_down(run: RunningJob) -> None:
        raise ZeroDivisionError("secret value 4711")

    register_job("refuse", refuse)
    register_job("break", break_down)
    refused, broken = start("refuse", "A", {}, clerk), start("break", "B", {}, clerk)
    run_waiting()
    assert Job.get_by_id(refused.id).message == "Zeile 14 geht nicht.\nZeile 15 geht nicht."
    message = Job.get_by_id(broken.id).message
    number = message.rsplit(" ", 1)[1].rstrip(".")
    assert number in caplog.text
    assert "4711" not in caplog.text + message


def test_a_job_without_sign_of_life_is_taken_over_and_gives_up_after_three_times(clerk: Operator) -> None:
    register_job("add", add_author)
    job = start("add", "Autor anlegen", {"name": "Ilse Aichinger"}, clerk)
    with fixed_clock(utcnow()):
        lost = jobs._claim("a process that is killed now")
        assert lost is not None
        assert run_waiting() == 0
    with fixed_clock(utcnow() + datetime.timedelta(seconds=61)):
        assert run_waiting() == 1
    taken = Job.get_by_id(job.id)
    assert (taken.state, taken.attempt) == ("done", 2)
    Job.update(state="running", attempt=3, lease_owner="gone", heartbeat_at=utcnow()).execute()
    with fixed_clock(utcnow() + datetime.timedelta(minutes=5)):
        assert run_waiting() == 0
    assert Job.get_by_id(job.id).state == "failed"


def test_a_process_that_lost_its_job_writes_nothing(clerk: Operator) -> None:
    def slow(run: RunningJob) -> Any:
        # Another process believed this one dead.
        Job.update(lease_owner="another process").where(Job.id == run.id).execute()
        return add_author(run)

    register_job("slow", slow)
    job = start("slow", "Autor anlegen", {"name": "Ilse Aichinger"}, clerk)
    run_waiting()
    assert Author.select().count() == 0
    assert (Job.get_by_id(job.id).state, Job.get_by_id(job.id).lease_owner) == ("running", "another process")


def test_an_effect_that_fails_leaves_no_done(clerk: Operator) -> None:
    def half(run: RunningJob) -> Any:
        def work() -> None:
            change = ChangeSet("import")
            change.create(Author, {"name": "Ilse Aichinger"})
            change.apply(run.operator)
            raise AppAdminError("Mittendrin.")

        return run.finish(work)

    register_job("half", half)
    job = start("half", "Autor anlegen", {}, clerk)
    run_waiting()
    assert (Job.get_by_id(job.id).state, Author.select().count()) == ("failed", 0)


def test_others_see_a_job_only_with_the_right(clerk: Operator, librarian: Operator) -> None:
    register_job("add", add_author)
    job = start("add", "Autor anlegen", {"name": "Ilse Aichinger"}, clerk)
    stranger = Operator(None, "Frau Fremd", frozenset({"library.read"}))
    with pytest.raises(NotFound):
        cancel(job.id, stranger)
    assert [row.id for row in jobs_of(clerk, running=True)] == [job.id]
    assert [row.id for row in jobs_of(librarian, everyone=True)] == [job.id]


def test_too_many_waiting_jobs_of_one_person_are_refused(clerk: Operator) -> None:
    register_job("add", add_author)
    for number in range(10):
        start("add", "Autor anlegen", {"name": str(number)}, clerk)
    with pytest.raises(AppAdminError, match="Es warten schon 10"):
        start("add", "Autor anlegen", {"name": "zu viel"}, clerk)


def wait_for(condition: Any, seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def runner() -> Iterator[JobRunner]:
    running = JobRunner(threads=2)
    running.start()
    yield running
    running.stop()


def test_threads_take_jobs_by_themselves(clerk: Operator, runner: JobRunner) -> None:
    register_job("add", add_author)
    keys = [start("add", "Autor anlegen", {"name": f"Autor {number}"}, clerk).id for number in range(6)]
    wait_for(lambda: Job.select().where(Job.state == "done").count() == 6)
    assert Author.select().count() == 6
    assert {row.attempt for row in Job.select().where(Job.id.in_(keys))} == {1}


def test_the_end_of_a_process_puts_its_job_back_in_the_line(clerk: Operator) -> None:
    begun = threading.Event()

    def long(run: RunningJob) -> Any:
        number = 0
        begun.set()
        while True:
            number += 1
            run.progress(number, 1_000_000)
            time.sleep(0.01)

    register_job("long", long)
    job = start("long", "Dauert", {}, clerk)
    first = JobRunner()
    first.start()
    assert begun.wait(15)
    first.stop()
    row = Job.get_by_id(job.id)
    assert (row.state, row.lease_owner, row.attempt) == ("waiting", None, 0)


_KILLED = """
import sys, time
from flask_appadmin import jobs
from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import connect_database
from flask_appadmin.schema import declare_models
from tests.appadmin.library import MODELS, Author

def add(run):
    def work():
        change = ChangeSet("import")
        for number in range(50):
            change.create(Author, {"name": f"Autor {number}"})
        change.apply(run.operator)
        print("half", flush=True)
        time.sleep(60)
    return run.finish(work)

connect_database(sys.argv[1])
declare_models(MODELS)
jobs.register_job("add", add)
jobs.run_waiting()
"""


def test_a_killed_process_leaves_nothing_half_and_its_job_to_others(library: str, clerk: Operator) -> None:
    register_job("add", lambda run: run.finish(lambda: None))
    job = start("add", "Autoren anlegen", {}, clerk)
    database.close()
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED, library], cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.send_signal(signal.SIGKILL)
    assert Author.select().count() == 0
    assert Job.get_by_id(job.id).state == "running"
    with fixed_clock(utcnow() + datetime.timedelta(seconds=61)):
        assert run_waiting() == 1
    assert Job.get_by_id(job.id).state == "done"
    assert spec_of(Author).model.select().count() == 0

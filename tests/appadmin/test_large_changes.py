"""Changes of so many records that they run as a job: what is said before, seen meanwhile, and others can do."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import peewee
import pytest
from flask.testing import FlaskClient

from flask_appadmin import jobs
from flask_appadmin.changes import ChangeSet, assigning, load_rows, values_to_json
from flask_appadmin.database import current_writer, database, engine, fixed_clock, transaction, utcnow, writing
from flask_appadmin.errors import FaultList
from flask_appadmin.filters import Filter
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.jobs import Job, JobRunner, RunningJob, run_waiting
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.selections import Selection
from flask_appadmin.specs import spec_of
from flask_appadmin.views.action_pages import large
from tests.appadmin.library import Book
from tests.appadmin.test_pages import edit_page, save
from tests.appadmin.webapp import library_client
from tests.reader import Page, get, read

_BOOKS = 5_200


@pytest.fixture
def client(library: str) -> FlaskClient:
    return library_client()


@pytest.fixture
def books(library: str) -> int:
    """So many books that a change of all of them is a job."""
    with transaction():
        load_rows(Book, ("isbn", "title", "pages"), [(f"978-{n}", f"Band {n}", n % 7 + 1) for n in range(_BOOKS)])
    return _BOOKS


def all_books(operator: Operator, text: str = "") -> Selection:
    return Selection.of_filter(Filter.from_text(spec_of(Book), text, operator), operator)


def start_change(client: FlaskClient, **values: str) -> tuple[Page, Any]:
    """Goes through the page of the bulk change with all books: (the preview, the answer to „Ändern“)."""
    token = all_books(system_operator("Frau Weber")).store().token
    page = get(client, f"/admin/book/action/change_settings?selection={token}")
    form = page.one("form", id="bulk")
    fields = form.fields(change=list(values), **values)
    preview = read(client.post(form["action"], data=fields, headers={"X-Fragment": "bulk_preview"}))
    fields.setlist("plan", [preview.one("input", name="plan")["value"]])
    fields.setlist("_do", ["apply"])
    fields.setlist("_reason", ["Jahresinventur"])
    client.post(form["action"], data=fields)
    # A double click starts it once.
    return preview, client.post(form["action"], data=fields)


def pages_now() -> dict[int, int]:
    return dict(Book.select(Book.id, Book.pages).tuples())


@pytest.mark.req("SC-37", partly=True)
def test_a_large_change_is_a_job_that_leads_to_its_operation_and_its_undo(client: FlaskClient, books: int) -> None:
    before = pages_now()
    preview, answer = start_change(client, pages="100")
    assert "Läuft als Auftrag" in preview.text
    assert answer.location.endswith("/admin/jobs/")
    assert pages_now() == before, "nothing happens in the request"
    assert run_waiting() == 1
    assert set(pages_now().values()) == {100}
    change_set = ChangeSetRecord.get(ChangeSetRecord.kind == "bulk")
    assert (change_set.updated_count, change_set.reason, change_set.user_name) == (
        books,
        "Jahresinventur",
        "Frau Weber",
    )
    assert ChangeRecord.select().where(ChangeRecord.change_set == change_set.id).count() == books
    assert Book.select().where(Book.version == 2).count() == books
    listed = get(client, "/admin/jobs/")
    assert "5.200 Bücher geändert." in listed.text
    operation = get(client, listed.link("Vorgang ansehen, rückgängig machen"))
    asked = get(client, operation.link("Rückgängig machen"))
    assert "Läuft als Auftrag" in asked.text
    form = next(form for form in asked.all("form") if "undo" in form.get("action"))
    assert client.post(form["action"], data=form.fields()).location.endswith("/admin/jobs/")
    assert run_waiting() == 1
    assert pages_now() == before
    assert ChangeSetRecord.get(ChangeSetRecord.kind == "undo").updated_count == books
    assert [job.message for job in Job.select().order_by(Job.id)] == [
        "5.200 Bücher geändert.",
        "5.200 zurückgenommen.",
    ]


def test_a_job_changes_what_was_shown_or_nothing_and_a_stop_leaves_nothing(
    client: FlaskClient, books: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pages_now()
    start_change(client, pages="100")
    # Somebody changes one of the books before the job is taken.
    change = ChangeSet("form")
    change.update(Book, next(iter(before)), {"title": "Inzwischen anders"})
    change.apply(system_operator("Herr Berger"))
    run_waiting()
    job = Job.get()
    assert job.state == "failed" and "Es wurde nichts geändert." in job.message, job.message
    assert pages_now() == before

    # Stopped by somebody whose request came to another process, while the change is half written.
    start_change(client, pages="100")
    monkeypatch.setattr(assigning, "STRETCH", 1_000)
    tell, seen = RunningJob.progress, []

    def progress(run: RunningJob, done: int, total: int = 0, message: str = "") -> None:
        # What the heartbeat does every two seconds.
        elsewhere(run.tell)
        seen.append((done, total, elsewhere(lambda: get(library_client(), "/admin/jobs/").text)))
        if done == 3_000:
            elsewhere(lambda: stop_from_another_process(run.id))
            elsewhere(run.tell)
        tell(run, done, total, message)

    monkeypatch.setattr(RunningJob, "progress", progress)
    with fixed_clock(utcnow()):
        run_waiting()
    job = Job.select().order_by(Job.id.desc()).first()
    assert (job.state, job.message) == ("cancelled", "Der Vorgang wurde abgebrochen; es wurde nichts geändert.")
    assert [entry[:2] for entry in seen] == [(done, books) for done in (0, 1_000, 2_000, 3_000)]
    assert pages_now() == before
    assert not ChangeSetRecord.select().where(ChangeSetRecord.kind == "bulk").exists()
    assert current_writer() is None


def elsewhere(work: Any) -> Any:
    """Runs work in a thread with a connection of its own; on SQLite it does not wait for the lock of this one."""
    found: list[Any] = []

    def run() -> None:
        with jobs.waiting(0):
            try:
                found.append(work())
            except Exception as fault:
                found.append(fault)
            finally:
                database.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def stop_from_another_process(key: int) -> None:
    here = dict(jobs._running)
    jobs._running.clear()
    try:
        jobs.cancel(key, system_operator("Frau Weber"))
    finally:
        jobs._running.update(here)


@pytest.fixture
def large_writer(books: int) -> Iterator[None]:
    """Somebody whose change of half of the books is going on, and takes 100 s more."""
    begun, ended = threading.Event(), threading.Event()

    def write() -> None:
        with transaction(), writing("Frau Kern", "Einstellungen ändern: 2.600 Bücher") as note:
            database.execute_sql("UPDATE book SET pages = 50 WHERE id > 2600")
            note._writer = replace(note._writer, began=time.time() - 100, told=0)
            note.tell(1_300, 2_600)
            begun.set()
            ended.wait(60)
        database.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(10)
    yield
    ended.set()
    thread.join()


def test_others_go_on_working_or_read_what_runs_and_how_long(client: FlaskClient, large_writer: None) -> None:
    other = Book.select(peewee.fn.MIN(Book.id)).scalar()
    page = edit_page(client, other)
    assert get(client, "/admin/book/").rows, "reading goes on"
    answer = save(client, page, title="Von Weber")
    if engine() == "postgresql":
        assert answer.status == 302 or Book.get_by_id(other).title == "Von Weber"
        return
    assert answer.status in (422, 503)
    assert "Sammeländerung läuft (Frau Kern: Einstellungen ändern: 2.600 Bücher), noch ca. " in answer.text
    assert answer.one("input", name="title")["value"] == "Von Weber", "what was typed is still there"
    assert client.post("/admin/book/selection", json={"all": True}).status_code in (200, 503)
    change = ChangeSet("form")
    change.update(Book, other, {"title": "Von Berger"})
    with pytest.raises(FaultList, match=r"noch ca\."):
        change.apply(system_operator("Herr Berger"))


@pytest.mark.engines("sqlite")  # on PostgreSQL nobody waits for the others
def test_a_change_of_many_says_who_is_writing_also_without_a_job(books: int) -> None:
    """As the command line makes them: set steps and single records."""
    kern, one = system_operator("Frau Kern"), Book.select(peewee.fn.MIN(Book.id)).scalar()
    several = ChangeSet("bulk")
    several.assign(all_books(kern), {"pages": 77})
    single = ChangeSet("import", title="Import „bücher.xlsx“")
    for number in range(2_500):
        single.create(Book, {"isbn": f"979-{number}", "title": f"Neues Buch {number}"})
    for change, what in ((several, "Einstellungen geändert"), (single, "Import „bücher.xlsx“")):
        told: list[tuple[Any, ...]] = []

        def look(done: int, total: int, told: list[tuple[Any, ...]] = told) -> None:
            writer = current_writer()
            assert writer is not None
            told.append((writer.who, writer.what, done, total))

        count = change.apply(kern, progress=look).count
        assert count >= 2_500
        assert told[0] == ("Frau Kern", what, 0, count)
        assert told[-1] == ("Frau Kern", what, count, count)
        assert current_writer() is None
    few = ChangeSet("form")
    few.update(Book, one, {"pages": 78})
    few.apply(kern, progress=lambda _done, _total: told.append(current_writer()))
    assert told[-1] is None, "a change of one needs no note"
    database.close()
    with transaction():
        change = ChangeSet("form")
        change.update(Book, one, {"pages": 79})
        fault = elsewhere(lambda: change.apply(kern))
    assert isinstance(fault, FaultList)
    assert "Ein anderer Vorgang schreibt gerade. Es wurde nichts gespeichert." in str(fault)


def overlapping(count: int, rounds: int) -> None:
    """So many jobs at a time over overlapping thirds of the books: all are done, and the history knows every change."""
    operator = system_operator("Frau Weber")
    dice = random.Random(5)
    runner = JobRunner(threads=min(count, 8))
    runner.start()
    try:
        for turn in range(rounds):
            for number in range(count):
                first = dice.randrange(1, _BOOKS // 2)
                chosen = range(first, first + _BOOKS // 3)
                kept = Selection.of_keys(spec_of(Book), operator, chosen).store()
                parameters = {
                    "action": "flask_appadmin.bulk:ChangeSettings",
                    "entity": "book",
                    "selection": kept.token,
                    "values": values_to_json(spec_of(Book), {"pages": turn * count + number + 10}),
                    "expected": "",
                    "without_refused": False,
                    "reason": "",
                }
                jobs.start("change", f"{turn}.{number}", parameters, operator)
            until = time.monotonic() + 120
            while Job.select().where(Job.state.in_(("waiting", "running"))).exists():
                assert time.monotonic() < until, "they did not end"
                time.sleep(0.05)
    finally:
        runner.stop()
    states = {row.state: row.message for row in Job.select()}
    assert set(states) == {"done"}, states
    changed = ChangeRecord.select().where(ChangeRecord.action == "update").count()
    assert changed == sum(version - 1 for (version,) in Book.select(Book.version).tuples())
    assert changed == sum(count for (count,) in ChangeSetRecord.select(ChangeSetRecord.updated_count).tuples())


def test_overlapping_jobs_come_one_after_the_other(books: int) -> None:
    overlapping(6, 1)


@pytest.mark.soak
def test_many_overlapping_jobs_never_end_in_a_deadlock(books: int) -> None:
    overlapping(16, 100)


def test_the_jobs_of_large_actions_are_known_to_every_process() -> None:
    assert {"change", "undo", "labels"} <= set(jobs._functions)
    assert large.runs_as_job(5_000) == "" != large.runs_as_job(5_001)

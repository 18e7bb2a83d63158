"""Processes that are killed in the middle of a change leave all of it or nothing, with a complete history.

Trust A1 and A2. In `make test` some kills of each kind; `make soak` has a thousand on SQLite and three hundred on
PostgreSQL, and kills of the whole server.
"""

from __future__ import annotations

import datetime
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flask_appadmin.database import fixed_clock, utcnow
from flask_appadmin.sheets.storage import uploads
from tests.crashes import OPERATIONS, Forks, Photograph, everyone, findings, kill_child, opened, photograph
from tests.crashes import filled_columns as columns_of
from tests.engines import PostgresqlEngine, SqliteEngine
from tests.spreadsheets import write_csv

_CUSTOMERS = 1_600
#: After so many pieces of work a fresh database, so that histories stay short.
_ON_ONE_DATABASE = 30


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    made = Forks()
    yield made
    made.close()


@pytest.fixture
def stock(database_engine: SqliteEngine | PostgresqlEngine) -> Callable[[], str]:
    """Makes databases with some thousand customers."""
    database_engine.prepare("customers to kill", _fill)
    return lambda: database_engine.copy("customers to kill")


def _fill(url: str) -> None:
    import admin_app
    from benchmarks import sparse
    from flask_appadmin.database import disconnect_database

    admin_app.upgrade(url)
    with opened(url):
        sparse.fill(_CUSTOMERS)
    disconnect_database()


class Series:
    """Kills one after another, with a look at what is there after each of them."""

    def __init__(self, forks: Forks, stock: Callable[[], str], drop: Callable[[str], None], seed: int) -> None:
        self._forks, self._stock, self._drop = forks, stock, drop
        self._dice = random.Random(seed)
        self._url, self._columns, self._before = "", {}, Photograph()
        self._number = 0
        self.kills = self.in_flight = self.whole = 0
        self.found: list[str] = []

    def run(
        self,
        name: str,
        kills: int,
        *,
        stop_at_findings: bool = False,
        kill: Callable[[int], None] = kill_child,
    ) -> Series:
        """So many kills of this work; `kill` that leaves the child alive lets it fail."""
        for turn in range(kills):
            if not self._url or (turn and not turn % _ON_ONE_DATABASE):
                self._begin_database()
            if not turn % _ON_ONE_DATABASE:
                # How long it takes when nobody kills it.
                usual = self._work(name)
            self._kill(name, self._dice.uniform(0, 1.15) * usual, kill)
            if stop_at_findings and self.found:
                break
        return self

    def close(self) -> None:
        if self._url:
            self._drop(self._url)
        self._url = ""

    def _begin_database(self) -> None:
        self.close()
        self._url = self._stock()
        with opened(self._url):
            self._columns = columns_of()
        # Something to take back.
        self._work("bulk")

    def _work(self, name: str) -> float:
        self._number += 1
        ended = self._forks.run(self._url, name, self._number)
        assert not ended.failed, ended.failed
        with opened(self._url):
            self._before = photograph(self._columns)
        return ended.seconds

    def _kill(self, name: str, after: float, kill: Callable[[int], None]) -> None:
        self._number += 1
        ended = self._forks.run(self._url, name, self._number, kill=kill, after=after)
        assert not ended.failed or kill is not kill_child, ended.failed
        with opened(self._url):
            now = photograph(self._columns)
            self.found += [f"{name} {self._number}: {sentence}" for sentence in findings(self._before, now)]
        self.kills += 1
        self.in_flight += ended.in_flight or bool(ended.failed)
        self.whole += now.last_set > self._before.last_set
        self._before = now


@pytest.fixture
def series(forks: Forks, stock: Any, database_engine: SqliteEngine | PostgresqlEngine) -> Iterator[Series]:
    made = Series(forks, stock, database_engine.drop, seed=7)
    yield made
    made.close()


def test_a_killed_process_leaves_all_or_nothing(series: Series, engine: str) -> None:
    for name in OPERATIONS:
        series.run(name, 4 if engine == "sqlite" else 1)
    assert series.found == []
    assert series.in_flight >= 0.3 * series.kills, "these kills prove nothing"


@pytest.mark.engines("sqlite", later="postgresql")
def test_the_look_finds_what_a_gateway_leaves_half(series: Series) -> None:
    series.run("bulk_in_pieces", 30, stop_at_findings=True)
    assert series.found, "a gateway that commits every 500 rows was not noticed"


def killed_workers(forks: Forks, url: str, kills: int) -> None:
    """Each job whose worker is killed is done once by the next one, a minute later; none runs without a worker."""
    import views  # noqa: F401  # its actions are the jobs' functions
    from flask_appadmin import jobs
    from flask_appadmin.changes import known_specs, values_to_json
    from flask_appadmin.history import ChangeSetRecord
    from flask_appadmin.rights import system_operator
    from models import Customer

    dice, usual, in_flight = random.Random(3), 0.0, 0
    for number in range(kills + 1):
        words = f"Lauf {number}"
        with opened(url):
            spec = known_specs()["customer"]
            parameters = {
                "action": "flask_appadmin.bulk:ChangeSettings",
                "entity": "customer",
                "selection": everyone().store().token,
                "values": values_to_json(spec, {"hint": words}),
                "expected": "",
                "without_refused": False,
                "reason": words,
            }
            key = jobs.start("change", words, parameters, system_operator("Frau Weber")).id
        ended = forks.run(url, "job", number, kill=kill_child if number else None, after=dice.uniform(0, usual))
        usual, in_flight = usual or ended.seconds, in_flight + ended.in_flight
        with opened(url):
            left = jobs.Job.get_by_id(key)
            assert left.state in ("waiting", "running", "done"), left.message
            with fixed_clock(utcnow() + datetime.timedelta(seconds=jobs.TAKE_OVER_SECONDS + 1)):
                jobs.run_waiting()
            assert jobs.Job.get_by_id(key).state == "done"
            assert ChangeSetRecord.select().where(ChangeSetRecord.reason == words).count() == 1, "done once"
            others = Customer.hint.is_null() | (Customer.hint != words)
            assert not Customer.select().where(others, Customer.status != "anonymised").exists()
            assert not jobs.Job.select().where(jobs.Job.state == "running").exists()
    print(f"{kills} killed workers, {in_flight} in flight")
    assert in_flight >= 0.3 * kills


def test_a_killed_worker_leaves_its_job_to_the_next(forks: Forks, stock: Any) -> None:
    killed_workers(forks, stock(), 2)


@pytest.mark.req("ME-18", partly=True)
def test_what_an_import_owes_other_systems_is_laid_down_after_a_kill(forks: Forks, stock: Any, tmp_path: Path) -> None:
    """Of an import that is stored every changed customer leaves as a file, whoever died in between, and none twice."""
    import views  # noqa: F401
    from domain.settings import Setting
    from flask_appadmin import jobs
    from flask_appadmin.changes import known_specs
    from flask_appadmin.rights import system_operator
    from flask_appadmin.sheets.applying import apply_run
    from flask_appadmin.sheets.handing_on import settle_debts
    from flask_appadmin.sheets.outbox import outbox
    from flask_appadmin.sheets.planning import Planner
    from flask_appadmin.sheets.sessions import ImportRun, SheetExport
    from flask_appadmin.sheets.surveying import ImportOptions, propose_options, survey_file
    from models import Customer

    operator, url = system_operator("Frau Weber"), stock()
    folder = outbox(tmp_path) / "erp"
    folder.mkdir()

    def planned(hint: str) -> Any:
        """A file that gives customers this hint, looked at and ready to be applied."""
        spec, options = known_specs()["customer"], ImportOptions(mode="replace")
        living = Customer.select(Customer.customer_number).where(Customer.status.not_in(("deleted", "anonymised")))
        numbers = [row[0] for row in living.order_by(Customer.id).limit(300).tuples()]
        path = write_csv(tmp_path / f"{hint}.csv", [["Kunden-Nr.", "Hinweis"], *([number, hint] for number in numbers)])
        with path.open("rb") as content:
            stored = uploads(tmp_path).save(content)
        survey = survey_file(path, path.name, spec, operator, options)
        options = propose_options(survey, spec, options)
        run = ImportRun.create(
            user_name=operator.name, entity="customer", file_name=path.name, storage_name=stored, state="preview",
            options=options.to_json(), detection=survey.to_json(),
        )  # fmt: skip
        Planner(run, path, spec, operator, options).plan(survey)
        return ImportRun.get_by_id(run.id)

    def restarted() -> int:
        """What a server does when it starts; answers how many files lie there then."""
        settle_debts(tmp_path)
        jobs.run_waiting()
        assert not ImportRun.select().where(ImportRun.owes_files == True).exists()  # noqa: E712
        logged = SheetExport.select().count()
        settle_debts(tmp_path)
        assert jobs.run_waiting() == 0 and SheetExport.select().count() == logged, "a debt is paid once"
        return len(list(folder.glob("kunde_*.xml")))

    def kill(pid: int) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and not any(folder.glob("kunde_*.xml")):
            time.sleep(0.001)
        kill_child(pid)

    with opened(url):
        if not Setting.update(customer_export_directory="erp").execute():
            Setting.insert(customer_export_directory="erp").execute()
        run = planned("erster")
        parameters = {"run": run.id, "folder": str(tmp_path), "page": "/"}
        jobs.start("import_apply", "Import", parameters, operator)
    # Killed while the files are written: the import and its job are done, files are missing.
    ended = forks.run(url, "job", 1, kill=kill)
    assert not ended.failed, ended.failed
    with opened(url):
        run = ImportRun.get_by_id(run.id)
        assert (run.state, run.owes_files) == ("done", True) and len(list(folder.iterdir())) < 300
        assert restarted() == 300 and ImportRun.get_by_id(run.id).counts["laid_down"] == 300
        assert all("erster" in path.read_text() for path in folder.glob("kunde_*.xml"))
        for path in folder.iterdir():
            path.unlink()
        # Gone between the commit and the first file.
        run = planned("zweiter")
        apply_run(run, known_specs()["customer"], operator, instance=tmp_path)
        assert list(folder.iterdir()) == []
        assert restarted() == 300


@pytest.mark.soak
def test_two_hundred_killed_workers_leave_their_jobs_to_the_next(forks: Forks, stock: Any) -> None:
    killed_workers(forks, stock(), 200)


@pytest.mark.soak
def test_a_thousand_kills_leave_all_or_nothing(series: Series, engine: str) -> None:
    for name in OPERATIONS:
        series.run(name, -(-(1_000 if engine == "sqlite" else 300) // len(OPERATIONS)))
    print(f"{engine}: {series.kills} kills, {series.in_flight} in flight, {series.whole} done before, {series.found}")
    assert series.found == []
    assert series.in_flight >= 0.3 * series.kills


@pytest.mark.soak
@pytest.mark.engines("postgresql")
def test_a_killed_server_leaves_all_or_nothing(engine: str, forks: Forks) -> None:
    own = PostgresqlEngine()
    if own.server is None:
        own.close()
        pytest.skip("a server that others use is not killed")
    server = own.server
    try:
        own.prepare("customers to kill", _fill)
        series = Series(forks, lambda: own.copy("customers to kill"), lambda _url: None, seed=7)
        for name in OPERATIONS:
            series.run(name, 25, kill=lambda _pid: server.crash())
            own.reconnect()
        print(f"{series.kills} kills, {series.in_flight} in flight, {series.whole} done before, {series.found}")
        assert series.found == []
        assert series.in_flight >= 0.3 * series.kills
    finally:
        server.stop()

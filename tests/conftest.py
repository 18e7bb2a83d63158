"""What all tests share: real databases on both engines, the application, an operator, a clock that stands still.

A test that names `engine` (or anything built on it: `fresh_url`, `engine_url`, `db`, `app`, `client`, `operator`)
runs once per engine. `fresh_url` leads to an empty database, for the tests of the layer, which bring their own models;
`engine_url` to one with all tables of Kontor and filled value tables. Both are the test's own and vanish after it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines import ENGINES, PostgresqlEngine, SqliteEngine, chosen_engines


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run per engine, or on those which the mark `engines` names."""
    if "engine" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("engines")
    wanted = mark.args if mark else ENGINES
    unknown = set(wanted) - set(ENGINES)
    if unknown:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: no such engine: {', '.join(sorted(unknown))}")
    names = [name for name in chosen_engines() if name in wanted]
    metafunc.parametrize("engine", names, scope="session")


@pytest.fixture(scope="session")
def sqlite_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteEngine]:
    engine = SqliteEngine(tmp_path_factory.mktemp("sqlite"))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def postgresql_engine() -> Iterator[PostgresqlEngine]:
    engine = PostgresqlEngine()
    yield engine
    engine.close()


@pytest.fixture
def database_engine(engine: str, request: pytest.FixtureRequest) -> SqliteEngine | PostgresqlEngine:
    """The engine object behind the name; the PostgreSQL server starts when the first test asks for it."""
    found: SqliteEngine | PostgresqlEngine = request.getfixturevalue(f"{engine}_engine")
    return found


@pytest.fixture
def fresh_url(database_engine: SqliteEngine | PostgresqlEngine) -> Iterator[str]:
    """The URL of an empty database."""
    url = database_engine.fresh()
    yield url
    database_engine.drop(url)


@pytest.fixture
def engine_url(database_engine: SqliteEngine | PostgresqlEngine) -> Iterator[str]:
    """The URL of a database as `admin_app.py upgrade` leaves it: all tables, value tables filled, no customer."""
    database_engine.prepare(_upgrade)
    url = database_engine.copy()
    yield url
    database_engine.drop(url)


def _upgrade(url: str) -> None:
    from domain.value_data import fill_value_tables
    from flask_appadmin.database import connect_database, disconnect_database
    from migrations import upgrade_schema

    connect_database(url)
    upgrade_schema()
    fill_value_tables()
    disconnect_database()


@pytest.fixture
def db(engine_url: str) -> Iterator[Any]:
    """The database of `engine_url`, connected, with Kontor's models bound to it."""
    from flask_appadmin.database import connect_database, database, disconnect_database
    from flask_appadmin.schema import declare_models
    from models import MODELS

    connect_database(engine_url)
    declare_models(MODELS)
    database.connect(reuse_if_open=True)
    yield database
    disconnect_database()


#: The day on which the clock stands still: a Monday, in summer time, in the middle of a month and of a quarter.
TODAY = datetime.date(2026, 5, 18)


@pytest.fixture
def fixed_today() -> Iterator[datetime.date]:
    """Holds the clock of the application at half past ten on TODAY (Berlin), and answers the day."""
    from flask_appadmin.database import fixed_clock

    with fixed_clock(datetime.datetime.combine(TODAY, datetime.time(8, 30))):
        yield TODAY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real customer lists beside the repository; its tests are skipped where it is not."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder of real customer lists is not there")
    return folder

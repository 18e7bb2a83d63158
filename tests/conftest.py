"""What all tests share: real databases on both engines, the application, an operator, a clock that stands still.

A test that names `engine` (or anything built on it: `fresh_url`, `engine_url`, `db`, `app`, `client`, `operator`)
runs once per engine. `fresh_url` leads to an empty database, for the tests of the layer, which bring their own models;
`engine_url` to one with all tables of Kontor and filled value tables. Both are the test's own and vanish after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real customer lists beside the repository; its tests are skipped where it is not."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder of real customer lists is not there")
    return folder

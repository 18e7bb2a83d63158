"""What all tests share: real databases on both engines, the application, an operator, a clock that stands still.

A test that names `engine` (or anything built on it: `fresh_url`, `engine_url`, `db`, `app`, `client`, `operator`)
runs once per engine. `fresh_url` leads to an empty database, for the tests of the layer, which bring their own models;
`engine_url` to one with all tables of Kontor and filled value tables. Both are the test's own and vanish after it.
"""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient

from tests.engines import ENGINES, PostgresqlEngine, SqliteEngine, chosen_engines
from tests.office import NO_OFFICE, Office, find_office

if TYPE_CHECKING:
    from flask import Flask

#: The password of every operator in the tests. It is long enough for the rules and means nothing elsewhere.
PASSWORD = "Rotes-Fahrrad-am-Hafen-7"


class SignedInClient(FlaskClient):
    """A client that sends the token of its sign-in with every request, as the pages' own forms and scripts do."""

    _token = ""

    def sign_in(self, name: str, password: str) -> None:
        """Goes through the sign-in page like a browser."""
        self._take_token("/login")
        answer = self.post("/login", data={"username": name, "password": password})
        assert answer.status_code == 302, answer.get_data(as_text=True)
        self._take_token("/admin/")

    def _take_token(self, url: str) -> None:
        page = self.get(url).get_data(as_text=True)
        found = re.search(r'name="csrf[_-]token"[^>]*(?:value|content)="([^"]+)"', page)
        assert found, f"{url} has no token:\n{page[:2000]}"
        self._token = found.group(1)

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if self._token and args and isinstance(args[0], str):
            kwargs["headers"] = {"X-CSRFToken": self._token, **dict(kwargs.get("headers") or {})}
        return super().open(*args, **kwargs)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run per engine, or on those which the mark `engines` names; the one named `later` waits for `make soak`."""
    if "engine" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("engines")
    wanted = mark.args if mark else ENGINES
    unknown = set(wanted) - set(ENGINES)
    if unknown:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: no such engine: {', '.join(sorted(unknown))}")
    names: list[Any] = [name for name in chosen_engines() if name in wanted]
    later = mark.kwargs.get("later") if mark else None
    if later in chosen_engines():
        names.append(pytest.param(later, marks=pytest.mark.soak))
    metafunc.parametrize("engine", names, scope="session")


@pytest.fixture(scope="session", autouse=True)
def _own_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps the tests away from the settings, the database and the secrets of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("KONTOR_") and not name.startswith("KONTOR_TEST_")]:
            if name not in ("KONTOR_CHROMIUM", "KONTOR_SCREENS"):
                patch.delenv(name)
        patch.delenv("DATABASE_URL", raising=False)
        patch.setenv("SECRET_KEY", "for the tests only, and long enough for the checks")
        patch.setenv("KONTOR_INSTANCE", str(tmp_path_factory.mktemp("instance")))
        yield


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
    database_engine.prepare("kontor", upgrade)
    url = database_engine.copy("kontor")
    yield url
    database_engine.drop(url)


def upgrade(url: str) -> None:
    """Makes an empty database one as `admin_app.py upgrade` leaves it."""
    import admin_app
    from flask_appadmin.database import disconnect_database

    admin_app.upgrade(url)
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


@pytest.fixture(scope="session")
def _application() -> list[Flask]:
    """The application of this run, once it was made: it takes a second, and holds no data of a database."""
    return []


@pytest.fixture
def app(db: Any, engine_url: str, tmp_path: Path, _application: list[Flask]) -> Flask:
    """Kontor as a web application on the database of `db`."""
    import admin_app

    settings = {"TESTING": True, "DATABASE_URL": engine_url, "INSTANCE": tmp_path}
    if not _application:
        _application.append(admin_app.create_app(settings))
    _application[0].config.update(settings)
    return _application[0]


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a screen that nobody has signed in with."""
    return app.test_client()


@pytest.fixture
def sign_in_as(app: Flask) -> Callable[..., FlaskClient]:
    """`sign_in_as("Sachbearbeitung")` makes an operator of that role and answers a client he is signed in with."""
    from flask_appadmin.rights import system_operator
    from flask_appadmin.security import add_user

    def do(role: str, name: str = "weber", full_name: str = "Frau Weber") -> FlaskClient:
        add_user(name, PASSWORD, role, system_operator("Test"), full_name=full_name)
        signed_in = SignedInClient(app, app.response_class, use_cookies=True)
        signed_in.sign_in(name, PASSWORD)
        return signed_in

    return do


@pytest.fixture
def operator(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    """A client that Frau Weber is signed in with; as an administrator she has every right."""
    return sign_in_as("Administrator")


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


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A spreadsheet program without a screen; its tests are skipped, by name, where there is none."""
    program = find_office()
    if not program:
        pytest.skip(NO_OFFICE)
    return Office(program, tmp_path / "office")

"""The databases of the tests: real, empty or prepared, and each test's own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.engines import PostgresqlEngine, SqliteEngine, chosen_engines

ROOT = Path(__file__).resolve().parents[1]


def _query(url: str, statement: str) -> list[tuple[object, ...]]:
    if url.startswith("sqlite:///"):
        import apsw

        connection = apsw.Connection(url.removeprefix("sqlite:///"))
        try:
            return list(connection.execute(statement))
        finally:
            connection.close()
    with psycopg.connect(url) as server:
        cursor = server.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_a_copy_has_what_was_prepared_and_keeps_its_changes_to_itself(engine: str, tmp_path: Path) -> None:
    own = SqliteEngine(tmp_path) if engine == "sqlite" else PostgresqlEngine()
    try:
        own.prepare("book", lambda url: _query(url, "CREATE TABLE book (title text)"))
        first, second = own.copy("book"), own.copy("book")
        _query(first, "INSERT INTO book VALUES ('Momo')")
        assert _query(first, "SELECT title FROM book") == [("Momo",)]
        assert _query(second, "SELECT title FROM book") == []
    finally:
        own.close()


def test_a_copy_that_was_given_back_is_like_new(engine: str, tmp_path: Path) -> None:
    def fill(url: str) -> None:
        key = {"sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT", "postgresql": "serial PRIMARY KEY"}[engine]
        _query(url, f"CREATE TABLE book (id {key}, title text)")
        _query(url, f"CREATE TABLE loan (id {key}, book integer REFERENCES book (id))")
        _query(url, "INSERT INTO book (title) VALUES ('Momo'), ('Krabat')")

    used = (
        "INSERT INTO loan (book) VALUES (1)",
        "UPDATE book SET title = 'Jim Knopf' WHERE id = 2",
        "DELETE FROM book WHERE id = 2",
        "DELETE FROM book WHERE id = 2; INSERT INTO book (title) VALUES ('Ronja')",
        "ALTER TABLE book ADD COLUMN year integer",
    )
    own = SqliteEngine(tmp_path) if engine == "sqlite" else PostgresqlEngine()
    try:
        own.prepare("book", fill)
        for statement in used:
            url = own.copy("book")
            _query(url, statement)
            own.drop(url)
            again = own.copy("book")
            assert _query(again, "SELECT * FROM book ORDER BY id") == [(1, "Momo"), (2, "Krabat")], statement
            assert _query(again, "SELECT * FROM loan") == [], statement
            _query(again, "INSERT INTO book (title) VALUES ('Das kleine Gespenst')")
            assert _query(again, "SELECT max(id) FROM book") == [(3,)], statement
            own.drop(again)
    finally:
        own.close()


def test_a_fresh_database_is_empty(engine: str, fresh_url: str) -> None:
    tables = {
        "sqlite": "SELECT count(*) FROM sqlite_master",
        "postgresql": "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
    }
    assert _query(fresh_url, tables[engine]) == [(0,)]


@pytest.mark.engines("postgresql")
def test_the_server_speaks_utf8_and_has_trigrams(fresh_url: str) -> None:
    _query(fresh_url, "CREATE EXTENSION pg_trgm")
    assert _query(fresh_url, "SELECT lower('ÄÖÜ'), similarity('müller', 'müllerin') > 0.5") == [("äöü", True)]
    assert _query(fresh_url, "SHOW server_encoding") == [("UTF8",)]


@pytest.mark.engines("postgresql")
def test_the_server_ends_with_a_killed_test_run(engine: str) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells a process that its parent has died")
    script = (
        "import os, signal; from tests.engines import PostgresqlEngine; engine = PostgresqlEngine();"
        "print(engine._server._process.pid, engine._server._folder, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "KONTOR_TEST_POSTGRES"}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment)
    pid, folder = run.stdout.split()
    until = time.monotonic() + 20
    while _is_running(int(pid), folder) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _is_running(int(pid), folder)


def _is_running(pid: int, folder: str) -> bool:
    """Whether the process is that server still, and not a successor with its number."""
    try:
        return folder in Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_an_unknown_engine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KONTOR_TEST_ENGINES", "sqlite,mysql")
    with pytest.raises(ValueError, match="names mysql; known are sqlite, postgresql"):
        chosen_engines()
    monkeypatch.setenv("KONTOR_TEST_ENGINES", "sqlite")
    assert chosen_engines() == ("sqlite",)

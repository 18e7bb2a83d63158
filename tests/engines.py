"""Gives the tests real databases: SQLite files and a PostgreSQL server of their own.

Shape: an engine hands out URLs. `fresh()` is an empty database; `prepare(name, fill)` fills one once, and `copy(name)`
then hands out a database that has all of that already (a copied file; `CREATE DATABASE … TEMPLATE`), so a fresh one
per test is cheap. `drop(url)` takes it away again.

The PostgreSQL server is started once per run, in a temporary folder, on the loopback address, without fsync; it ends
with the run, also after Ctrl-C or a killed test process (the kernel tells it). Where its programs come from, in this
order: the PATH, `pg_config --bindir`, Debian's folder, a PyPI wheel that carries them, and, for root on Debian, the
package `postgresql`. Without any of these the tests fail with a sentence that says what to do; they are never skipped
silently.

Environment: KONTOR_TEST_POSTGRES=URL takes a server that is running already (a role that may create databases);
KONTOR_TEST_ENGINES=sqlite (or postgresql, or both with a comma) leaves the other out.
`python -m tests.engines` says what was found and installs what may be installed.
"""

from __future__ import annotations

import contextlib
import ctypes
import glob
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ENGINES = ("sqlite", "postgresql")

#: What someone reads who has no PostgreSQL and may not install it.
NO_POSTGRESQL = (
    "The tests need the programs of a PostgreSQL server (initdb and postgres), and none were found. Please do one of:\n"
    "  - install them: apt-get install postgresql (Debian, Ubuntu), brew install postgresql (macOS)\n"
    "  - name a running server: KONTOR_TEST_POSTGRES=postgresql://user:password@host/postgres\n"
    "  - leave PostgreSQL out of this run: KONTOR_TEST_ENGINES=sqlite"
)

_START_SECONDS = 60


class NoPostgreSQL(RuntimeError):
    """There is no PostgreSQL to test against; the message says what to do."""


def chosen_engines() -> tuple[str, ...]:
    """The engines of this run, all of them unless KONTOR_TEST_ENGINES says otherwise."""
    named = [name.strip() for name in os.environ.get("KONTOR_TEST_ENGINES", "").split(",") if name.strip()]
    unknown = [name for name in named if name not in ENGINES]
    if unknown:
        raise ValueError(f"KONTOR_TEST_ENGINES names {', '.join(unknown)}; known are {', '.join(ENGINES)}.")
    return tuple(name for name in ENGINES if name in named) or ENGINES


# --------------------------------------------------------------------------------------------------------------- SQLite


class SqliteEngine:
    """Databases as files in one folder."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[str, Path] = {}

    def fresh(self) -> str:
        return _sqlite_url(self._new_path())

    def prepare(self, name: str, fill: Callable[[str], object]) -> None:
        """Fills the template of this name, unless that was done before."""
        if name not in self._templates:
            path = self._folder / f"template_{name}.db"
            fill(_sqlite_url(path))
            # What stands in the write-ahead log would not be copied with the file.
            leftover = path.with_name(path.name + "-wal")
            if leftover.exists() and leftover.stat().st_size:
                _checkpoint(path)
            self._templates[name] = path

    def copy(self, name: str) -> str:
        """The URL of a database like the template of this name."""
        path = self._new_path()
        shutil.copyfile(self._templates[name], path)
        return _sqlite_url(path)

    def drop(self, url: str) -> None:
        path = Path(url.removeprefix("sqlite:///"))
        for name in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
            name.unlink(missing_ok=True)

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _new_path(self) -> Path:
        return self._folder / f"kontor_{secrets.token_hex(6)}.db"


def _sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def _checkpoint(path: Path) -> None:
    import apsw

    connection = apsw.Connection(str(path))
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    connection.close()


# ----------------------------------------------------------------------------------------------------------- PostgreSQL


class PostgresqlEngine:
    """Databases on one server: the test run's own, or the one KONTOR_TEST_POSTGRES names."""

    name = "postgresql"

    def __init__(self) -> None:
        given = os.environ.get("KONTOR_TEST_POSTGRES", "")
        self._server = None if given else PostgresqlServer(find_programs())
        self._url = given or self._server.url  # type: ignore[union-attr]
        # Several runs may share a given server.
        self._prefix = f"kontor_test_{os.getpid()}_{secrets.token_hex(3)}"
        self._count = 0
        self._templates: dict[str, _Template] = {}
        #: Database -> the name of its template, and the databases of each template that nobody uses any more.
        self._made_from: dict[str, str] = {}
        self._idle: dict[str, list[str]] = {}
        self._admin = psycopg.connect(self._url, autocommit=True)

    def fresh(self) -> str:
        return self._create("template0")

    def prepare(self, name: str, fill: Callable[[str], object]) -> None:
        """Fills the template of this name, unless that was done before."""
        if name not in self._templates:
            url = self.fresh()
            fill(url)
            self._disconnect_others(_database_of(url))
            self._templates[name] = _Template(url)

    def copy(self, name: str) -> str:
        """The URL of a database like the template of this name: one that was given back and set back, or a new one."""
        template, idle = self._templates[name], self._idle.setdefault(name, [])
        while idle:
            url = idle.pop()
            if template.restore(url):
                return url
            self._drop(url)
        url = self._create(_database_of(template.url))
        self._made_from[url] = name
        return url

    def drop(self, url: str) -> None:
        """Takes a database back: a copy waits for the next one who asks for such a copy, any other one goes."""
        name = self._made_from.get(url)
        if name is None:
            self._drop(url)
        else:
            self._disconnect_others(_database_of(url))
            self._idle[name].append(url)

    def _drop(self, url: str) -> None:
        self._made_from.pop(url, None)
        self._admin.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_database_of(url)))
        )

    @property
    def server(self) -> PostgresqlServer | None:
        """The server of this run, None where KONTOR_TEST_POSTGRES names one."""
        return self._server

    def reconnect(self) -> None:
        """Goes on after the server was away."""
        self._admin.close()
        self._admin = psycopg.connect(self._url, autocommit=True)

    def close(self) -> None:
        if self._server is None:
            rows = self._admin.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [self._prefix + "%"])
            for (name,) in rows.fetchall():
                self._admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self._admin.close()
        if self._server is not None:
            self._server.stop()

    def _create(self, template: str) -> str:
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        if template == "template0":
            statement += sql.SQL(" ENCODING 'UTF8'")
        elif self._admin.info.server_version >= 150000:
            # Copying the files is several times faster than logging each page, and nothing here must survive a crash.
            statement += sql.SQL(" STRATEGY FILE_COPY")
        self._admin.execute(statement)
        return urlunsplit(urlsplit(self._url)._replace(path="/" + name))

    def _disconnect_others(self, name: str) -> None:
        self._admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


def _database_of(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


#: What a test may have changed of the tables themselves; a database in which this differs is not used again.
_SHAPE = """
    SELECT (SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind <> 't'),
           (SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
             WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0),
           (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_proc),
           (SELECT count(*) FROM pg_extension), (SELECT count(*) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%')
"""
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"


class _Template:
    """A filled database, and how to make one like it again of a copy that a test has used.

    To copy the files of hundreds of tables takes ten times as long as to empty the few that a test has written to.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        with psycopg.connect(url, autocommit=True) as connection:
            self._shape = connection.execute(_SHAPE).fetchone()
            self._sequences = dict(connection.execute(_SEQUENCES).fetchall())
            tables = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            self._counts = {
                name: _one(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)))
                for (name,) in tables
            }
            # Whatever a test writes into a copy comes after this; of one that was set back, after that.
            self._moment = int(_one(connection, "SELECT txid_current()"))
        self._set_back: dict[str, int] = {}

    def restore(self, url: str) -> bool:
        """Makes a used copy like the template; False where it cannot be, then nobody may use it again."""
        with psycopg.connect(url, autocommit=True) as connection:
            if connection.execute(_SHAPE).fetchone() != self._shape:
                return False
            connection.execute("SET session_replication_role = replica")  # no foreign key looks at half a job
            written = [name for (name,) in connection.execute(self._written_to(url)).fetchall()]
            for name in written:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
            filled = [name for name in written if self._counts[name]]
            if filled:
                self._fill_again(connection, filled)
            moved = [
                sql.SQL("setval({}, {}, {})").format(
                    sql.Literal(f'public."{name}"'),
                    sql.Literal(self._sequences[name] or 1),
                    sql.Literal(self._sequences[name] is not None),
                )
                for name, last in connection.execute(_SEQUENCES).fetchall()
                if last != self._sequences[name]
            ]
            if moved:
                connection.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(moved)))
            self._set_back[url] = int(_one(connection, "SELECT txid_current()"))
        return True

    def _written_to(self, url: str) -> sql.Composed:
        """The query for the tables that are no longer as in the template."""
        parts, moment = [], self._set_back.get(url, self._moment)
        for name, count in self._counts.items():
            table = sql.Identifier(name)
            if not count:
                changed = sql.SQL("EXISTS (SELECT 1 FROM {})").format(table)
            else:
                changed = sql.SQL("(SELECT count(*) <> {} OR max(xmin::text::bigint) > {} FROM {})").format(
                    sql.Literal(count), sql.Literal(moment), table
                )
            parts.append(sql.SQL("SELECT {} WHERE {}").format(sql.Literal(name), changed))
        return sql.SQL(" UNION ALL ").join(parts)

    def _fill_again(self, connection: psycopg.Connection[Any], names: list[str]) -> None:
        with psycopg.connect(self.url, autocommit=True) as template:
            for name in names:
                table = sql.Identifier(name)
                with (
                    template.cursor().copy(sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(table)) as source,
                    connection.cursor().copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(table)) as target,
                ):
                    for block in source:
                        target.write(block)


def _one(connection: psycopg.Connection[Any], query: Any) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


class PostgresqlServer:
    """A server in a temporary folder; `url` leads to its database postgres as a superuser of the test run."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._user = _unprivileged_user()
        self._folder = Path(tempfile.mkdtemp(prefix="kontor-postgresql-", dir=_short_temporary_folder()))
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._give_away(self._folder)
            self._initdb()
            self._start()
        except BaseException:
            self.stop()
            raise

    def _initdb(self) -> None:
        password_file = self._folder / "password"
        self._password = secrets.token_hex(12)
        password_file.write_text(self._password)
        self._give_away(password_file)
        # C.UTF-8 sorts by code point and still knows that Ä is the capital of ä.
        command = [
            str(self._programs / "initdb"),
            "--pgdata",
            str(self._folder / "data"),
            "--username=kontor",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-sync",
        ]
        run = self._run([*command, "--locale=C.UTF-8"])
        if run.returncode:
            shutil.rmtree(self._folder / "data", ignore_errors=True)
            run = self._run([*command, "--no-locale"])
        if run.returncode:
            raise NoPostgreSQL(f"initdb failed:\n{run.stdout.decode(errors='replace')}")

    def crash(self) -> None:
        """Kills the server with all its processes, and starts it again on what they left, at the same address."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._start(urlsplit(self.url).port)

    def _start(self, known_port: int | None = None) -> None:
        # After a crash the old one's processes may take some seconds to notice that it has gone.
        for attempt in range(3 if known_port is None else 60):
            time.sleep(0.5 if known_port is not None and attempt else 0)
            port = known_port or _free_port()
            settings = {
                "listen_addresses": "127.0.0.1",
                "port": port,
                "unix_socket_directories": self._folder,
                "max_connections": 100,
                "fsync": "off",
                "synchronous_commit": "off",
                "full_page_writes": "off",
                "shared_buffers": "128MB",
                "max_wal_size": "4GB",
                "checkpoint_timeout": "1h",
                "jit": "off",
                "timezone": "UTC",
                "log_min_messages": "warning",
            }
            command = [str(self._programs / "postgres"), "-D", str(self._folder / "data")]
            for name, value in settings.items():
                command += ["-c", f"{name}={value}"]
            with open(self._folder / "server.log", "ab") as log:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._folder,
                    start_new_session=True,  # Ctrl-C is for the tests; they stop the server
                    preexec_fn=_end_with_parent,
                    **self._as_user(),
                )
            self.url = f"postgresql://kontor:{self._password}@127.0.0.1:{port}/postgres"
            if self._answers():
                return
        raise NoPostgreSQL(f"The PostgreSQL server did not start:\n{self._log()}")

    def _answers(self) -> bool:
        assert self._process is not None
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url, connect_timeout=2).close()
                return True
            time.sleep(0.05)
        return False

    def stop(self) -> None:
        """End the server at once; its data are not needed any more."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _log(self) -> str:
        path = self._folder / "server.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            **self._as_user(),
        )

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _give_away(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)


def _unprivileged_user() -> pwd.struct_passwd | None:
    """The user the server runs as when the tests run as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoPostgreSQL("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as.")


def _short_temporary_folder() -> str | None:
    """A folder every user may enter; the path of a Unix socket must stay below 108 characters."""
    folder = tempfile.gettempdir()
    private = os.geteuid() == 0 and not os.stat(folder).st_mode & 0o001
    return "/tmp" if private or len(folder) > 60 else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_with_parent() -> None:
    """Ask the kernel (Linux only) to stop the server when the test process dies without saying so."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGQUIT)


# ------------------------------------------------------------------------------------------------------- the programs


def find_programs(*, install: bool = True) -> Path:
    """The folder with `initdb` and `postgres`; as root on Debian they are installed when there are none."""
    found = _search_programs()
    if found is None and install and os.geteuid() == 0 and shutil.which("apt-get"):
        install_debian_packages("postgresql")
        found = _search_programs()
    if found is None:
        raise NoPostgreSQL(NO_POSTGRESQL)
    return found


def _search_programs() -> Path | None:
    candidates: list[Path] = []
    on_path = shutil.which("initdb")
    if on_path:
        # Not resolved: a link farm may hold initdb and postgres side by side.
        candidates.append(Path(on_path).parent)
    if shutil.which("pg_config"):
        said = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True)
        if said.returncode == 0:
            candidates.append(Path(said.stdout.strip()))
    debian = [Path(folder) for folder in glob.glob("/usr/lib/postgresql/*/bin")]
    candidates += sorted(debian, key=_version_of, reverse=True)
    candidates += [Path(folder) for folder in glob.glob(f"{sysconfig.get_path('purelib')}/*/pginstall/bin")]
    for folder in candidates:
        if all(os.access(folder / program, os.X_OK) for program in ("initdb", "postgres")):
            return folder
    return None


def _version_of(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


def install_debian_packages(*packages: str) -> None:
    """Install packages with apt-get, without a question; a failure shows what apt-get said."""
    print(f"Installing {', '.join(packages)} (Debian packages) for the tests.", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        run = subprocess.run(
            ["apt-get", "-qq", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        if run.returncode:
            print(run.stdout.decode(errors="replace")[-3000:], file=sys.stderr)


def main() -> int:
    """Say whether the engines of this run are there, and install what may be installed."""
    if "postgresql" in chosen_engines() and not os.environ.get("KONTOR_TEST_POSTGRES"):
        try:
            find_programs()
        except NoPostgreSQL as missing:
            print(missing, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

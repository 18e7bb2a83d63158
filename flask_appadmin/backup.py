"""A consistent copy of the database while others work, and the way back.

Shape: one file per backup. SQLite: a compact database, `VACUUM INTO`; PostgreSQL: the custom format of `pg_dump`. A
file appears under its name only when it is complete and was looked at; restoring is one transaction.
Units: sizes in bytes. Errors: BackupError with a sentence; the database is then as it was.
Source: trust.md section 5 (never copy the file of a running SQLite).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import apsw

from flask_appadmin.database import database, engine
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext

#: A database of ours has this table; anything else is not restored.
_MARK = "schema_migration"


class BackupError(AppAdminError):
    """A backup that could not be written or brought back."""


def write_backup(url: str, path: Path) -> int:
    """Copies the connected database into the file; answers its size. An existing file is not overwritten."""
    if path.exists():
        raise BackupError(gettext("%(file)s gibt es schon. Bitte einen anderen Namen wählen.", file=path.name))
    if not path.resolve().parent.is_dir():
        raise BackupError(gettext("Den Ordner von %(file)s gibt es nicht.", file=str(path)))
    partial = path.with_name(path.name + ".part")
    partial.unlink(missing_ok=True)
    try:
        partial.touch(mode=0o600)
        if engine() == "sqlite":
            database.execute_sql("VACUUM INTO ?", (str(partial),))
            _require_sound_sqlite(partial)
        else:
            _run(["pg_dump", "--format=custom", "--no-owner", f"--file={partial}"], url)
            _run(["pg_restore", "--list", str(partial)], url)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.rename(path)
    except apsw.Error as fault:
        raise BackupError(gettext("Die Sicherung ließ sich nicht schreiben; es ist keine entstanden.")) from fault
    finally:
        partial.unlink(missing_ok=True)
    return path.stat().st_size


def restore_backup(url: str, path: Path, *, force: bool = False) -> None:
    """Puts the content of a backup in the place of the connected database; `force` where that is not empty."""
    if not path.is_file():
        raise BackupError(gettext("Die Datei %(file)s gibt es nicht.", file=str(path)))
    database.connect(reuse_if_open=True)
    if database.get_tables() and not force:
        raise BackupError(
            gettext(
                "Die Datenbank ist nicht leer. Was in ihr steht, wird durch die Sicherung ersetzt, wenn Sie --force "
                "dazuschreiben. Es wurde nichts geändert."
            )
        )
    with path.open("rb") as file:
        start = file.read(16)
    if engine() == "sqlite":
        if not start.startswith(b"SQLite format 3"):
            raise BackupError(_no_backup(path))
        _restore_sqlite(path)
    else:
        if not start.startswith(b"PGDMP"):
            raise BackupError(_no_backup(path))
        _restore_postgresql(url, path)


def _no_backup(path: Path) -> str:
    return gettext("%(file)s ist keine Sicherung für diese Art von Datenbank.", file=path.name)


def _require_sound_sqlite(path: Path) -> None:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        sound = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")] == ["ok"]
        ours = list(connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_MARK,)))
    except apsw.Error:
        sound, ours = False, []
    finally:
        connection.close()
    if not (sound and ours):
        raise BackupError(
            gettext("%(file)s ist keine unversehrte Sicherung. Es wurde nichts geändert.", file=path.name)
        )


def _restore_sqlite(path: Path) -> None:
    """SQLite's own backup writes page by page in one transaction: other connections see all of it or nothing."""
    _require_sound_sqlite(path)
    source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    target: Any = database.connection()
    try:
        with target.backup("main", source, "main") as copying:
            copying.step(-1)
    except apsw.Error as fault:
        raise BackupError(
            gettext(
                "Die Datenbank wird gerade benutzt. Bitte beenden Sie das Programm und versuchen Sie es noch einmal."
            )
        ) from fault
    finally:
        source.close()
    database.close()
    database.connect()


def _restore_postgresql(url: str, path: Path) -> None:
    """The dump as SQL, behind the removal of what is there, in one transaction of `psql`."""
    script = _run(["pg_restore", "--no-owner", "--file=-", str(path)], url)
    before = b"SET client_min_messages = warning;\nDROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n"
    # The dump makes the schema itself in newer versions, and complains where it is there.
    text = script.replace(b"\nCREATE SCHEMA public;\n", b"\n")
    database.close()
    database.close_all()
    _run(["psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"], url, before + text)
    database.connect()


def _run(command: list[str], url: str, given: bytes = b"") -> bytes:
    program = shutil.which(command[0]) or _debian_program(command[0])
    if program is None:
        raise BackupError(
            gettext(
                "Dafür braucht es das Programm %(program)s von PostgreSQL (Debian: apt-get install postgresql-client).",
                program=command[0],
            )
        )
    run = subprocess.run([program, *command[1:]], input=given, capture_output=True, env=_environment(url))
    if run.returncode:
        # The programs name tables and values in their complaints: only the last line's beginning, for whoever is root.
        last = run.stderr.decode(errors="replace").strip().splitlines()
        raise BackupError(
            gettext(
                "%(program)s ist gescheitert: %(reason)s", program=command[0], reason=last[-1][:200] if last else "?"
            )
        )
    return run.stdout


def _debian_program(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else None


def _environment(url: str) -> dict[str, str]:
    """PostgreSQL's programs read the address from the environment; a password on the command line could be seen."""
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    named = {
        "PGHOST": options.get("host") or parts.hostname or "",
        "PGPORT": options.get("port") or (str(parts.port) if parts.port else ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
        "PGSSLMODE": options.get("sslmode", ""),
    }
    return {**os.environ, **{name: value for name, value in named.items() if value}}

"""A consistent copy of the database and the documents while others work, and the way back.

Shape: one file per backup, a plain tar: `database` (SQLite: a compact database, `VACUUM INTO`; PostgreSQL: the custom
format of `pg_dump`), `documents/<32 hexadecimal digits>` and, last, `manifest.json` (SHA-256 by member). The database
alone, as older versions wrote it, is brought back too. A file appears under its name only when it is complete.
The database is copied first: a document is stored before its record and stays when that goes, so none can be missing.
Restoring the database is one transaction; the documents stand there before it, and what it does not know goes after it.
Units: sizes in bytes. Errors: BackupError with a sentence; database and documents are then as they were.
Source: trust.md section 5 (never copy the file of a running SQLite; documents by content hash, a manifest), H1.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

import apsw

from flask_appadmin.database import database, engine
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext

#: A database of ours has this table; anything else is not restored.
_MARK = "schema_migration"

#: What a backup calls its parts.
_MANIFEST, _DATABASE = "manifest.json", "database"
_DOCUMENT = re.compile(r"documents/([0-9a-f]{32})")

#: The head of a tar is so long; what makes it one stands near its end.
_TAR_HEAD, _TAR_MARK = 512, slice(257, 262)


class BackupError(AppAdminError):
    """A backup that could not be written or brought back."""


def write_backup(url: str, path: Path, documents: Path) -> int:
    """Copies the connected database and the folder of documents into the file; answers its size.

    An existing file is not overwritten.
    """
    if path.exists():
        raise BackupError(gettext("%(file)s gibt es schon. Bitte einen anderen Namen wählen.", file=path.name))
    if not path.resolve().parent.is_dir():
        raise BackupError(gettext("Den Ordner von %(file)s gibt es nicht.", file=str(path)))
    dump, partial = path.with_name(path.name + ".database.part"), path.with_name(path.name + ".part")
    try:
        for new in (dump, partial):
            new.unlink(missing_ok=True)
            new.touch(mode=0o600)
        _write_database(url, dump)
        found = sorted(documents.iterdir()) if documents.is_dir() else []
        members = {_DATABASE: dump} | {f"documents/{file.name}": file for file in found}
        _write_tar(partial, {name: file for name, file in members.items() if name == _DATABASE or _is_document(name)})
        partial.rename(path)
    except (apsw.Error, OSError) as fault:
        raise BackupError(gettext("Die Sicherung ließ sich nicht schreiben; es ist keine entstanden.")) from fault
    finally:
        dump.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)
    return path.stat().st_size


def _write_database(url: str, path: Path) -> None:
    if engine() == "sqlite":
        database.execute_sql("VACUUM INTO ?", (str(path),))
        _require_sound_sqlite(path)
    else:
        _run(["pg_dump", "--format=custom", "--no-owner", f"--file={path}"], url)
        _run(["pg_restore", "--list", str(path)], url)


def _is_document(name: str) -> bool:
    return _DOCUMENT.fullmatch(name) is not None


class _Digesting:
    """Reads a file for the tar and adds up what was read: a document may still grow, and counts as it was copied."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.sum = hashlib.sha256()

    def read(self, size: int) -> bytes:
        block = self._source.read(size)
        self.sum.update(block)
        return block


def _write_tar(path: Path, members: dict[str, Path]) -> None:
    """The files and their manifest, on the disk when this returns."""
    digests = {}
    with path.open("wb") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            for name, member in members.items():
                try:
                    source = member.open("rb")
                except FileNotFoundError:
                    # An upload that was refused in this moment.
                    continue
                with source:
                    reader = _Digesting(source)
                    tar.addfile(_head(name, os.fstat(source.fileno()).st_size), reader)  # type: ignore[arg-type]
                digests[name] = reader.sum.hexdigest()
            manifest = json.dumps({"sha256": digests}).encode()
            tar.addfile(_head(_MANIFEST, len(manifest)), io.BytesIO(manifest))
        file.flush()
        os.fsync(file.fileno())


def _head(name: str, size: int) -> tarfile.TarInfo:
    head = tarfile.TarInfo(name)
    head.size, head.mode = size, 0o600
    return head


def restore_backup(url: str, path: Path, documents: Path, *, force: bool = False) -> None:
    """Puts the content of a backup in the place of the connected database and its documents.

    `force` where the database is not empty. A backup of a database alone leaves the documents as they are.
    """
    if not path.is_file():
        raise BackupError(gettext("Die Datei %(file)s gibt es nicht.", file=str(path)))
    database.connect(reuse_if_open=True)
    was_empty = not database.get_tables()
    if not was_empty and not force:
        raise BackupError(
            gettext(
                "Die Datenbank ist nicht leer. Was in ihr steht, wird durch die Sicherung ersetzt, wenn Sie --force "
                "dazuschreiben. Es wurde nichts geändert."
            )
        )
    with path.open("rb") as file:
        start = file.read(_TAR_HEAD)
    if start[_TAR_MARK] != b"ustar":
        _restore_database(url, path, path)
        return
    documents.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Beside the documents, so that a file gets to its place by its name alone.
    with tempfile.TemporaryDirectory(prefix="restore-", dir=documents.parent) as unpacked:
        stored = _unpack(path, Path(unpacked))
        added = [name for name in stored if not (documents / name).exists()]
        for name in added:
            (Path(unpacked) / name).rename(documents / name)
        try:
            _restore_database(url, Path(unpacked) / _DATABASE, path)
        except BaseException:
            for name in added:
                (documents / name).unlink(missing_ok=True)
            raise
    for file_name in [] if was_empty else sorted(documents.iterdir()):
        if _is_document(f"documents/{file_name.name}") and file_name.name not in stored:
            file_name.unlink()


def _restore_database(url: str, path: Path, backup: Path) -> None:
    """`path` holds the database of the backup."""
    with path.open("rb") as file:
        start = file.read(16)
    if engine() == "sqlite":
        if not start.startswith(b"SQLite format 3"):
            raise BackupError(_no_backup(backup))
        _restore_sqlite(path, backup)
    else:
        if not start.startswith(b"PGDMP"):
            raise BackupError(_no_backup(backup))
        _restore_postgresql(url, path)


def _unpack(path: Path, folder: Path) -> set[str]:
    """Writes the parts of a backup into the folder, compares them with the manifest; answers the documents' names."""
    digests: dict[str, str] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            told = tar.extractfile(_MANIFEST)
            manifest: dict[str, str] = json.load(told)["sha256"] if told is not None else {}
            for member in tar:
                document = _DOCUMENT.fullmatch(member.name)
                if not member.isfile() or (document is None and member.name != _DATABASE):
                    continue
                target = folder / (document[1] if document else _DATABASE)
                with target.open("wb") as file:
                    target.chmod(0o600)
                    source = tar.extractfile(member)
                    assert source is not None, "isfile"
                    shutil.copyfileobj(source, file, 1 << 20)
                with target.open("rb") as file:
                    digests[member.name] = hashlib.file_digest(file, "sha256").hexdigest()
    except (tarfile.TarError, KeyError, ValueError, TypeError, EOFError) as fault:
        raise BackupError(_not_sound(path)) from fault
    if _DATABASE not in digests or digests != manifest:
        raise BackupError(_not_sound(path))
    return {name.removeprefix("documents/") for name in digests if name != _DATABASE}


def _not_sound(path: Path) -> str:
    return gettext("%(file)s ist keine unversehrte Sicherung. Es wurde nichts geändert.", file=path.name)


def _no_backup(path: Path) -> str:
    return gettext("%(file)s ist keine Sicherung für diese Art von Datenbank.", file=path.name)


def _require_sound_sqlite(path: Path, named: Path | None = None) -> None:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        sound = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")] == ["ok"]
        ours = list(connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_MARK,)))
    except apsw.Error:
        sound, ours = False, []
    finally:
        connection.close()
    if not (sound and ours):
        raise BackupError(_not_sound(named or path))


def _restore_sqlite(path: Path, backup: Path) -> None:
    """SQLite's own backup writes page by page in one transaction: other connections see all of it or nothing."""
    _require_sound_sqlite(path, backup)
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

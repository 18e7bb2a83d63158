"""The inbox: a folder of the instance in which other systems lay down files that somebody takes in by hand.

Shape: `waiting_files` lists what lies there, `open_waiting` opens one by its name. Only files directly in the folder
count: no path, no link, nothing hidden. A file stays where it is; what was taken in is known by its content.
Errors: SheetError for a name that is not there, AlreadyTaken for content that was taken over before.
Source: SC-20; trust case 120.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from flask_appadmin.errors import SheetError
from flask_appadmin.i18n import format_datetime, gettext
from flask_appadmin.sheets.sessions import ImportRun

_LISTED = 100


def inbox(instance: Path) -> Path:
    """The folder; made where it is missing."""
    folder = instance / "inbox"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def waiting_files(instance: Path) -> list[dict[str, Any]]:
    """[{"name", "size" in bytes, "when" UTC}], by name."""
    found = []
    for path in sorted(inbox(instance).iterdir()):
        if _is_ours(path):
            status = path.stat()
            when = datetime.fromtimestamp(status.st_mtime, UTC).replace(tzinfo=None)
            found.append({"name": path.name, "size": status.st_size, "when": when})
    return found[:_LISTED]


def _is_ours(path: Path) -> bool:
    return not path.name.startswith(".") and not path.is_symlink() and path.is_file()


def open_waiting(instance: Path, name: str) -> BinaryIO:
    """One of the files that wait; SheetError for everything else."""
    # Compared with what lies there: a name with a path in it is none of these.
    path = next((path for path in inbox(instance).iterdir() if path.name == name and _is_ours(path)), None)
    if path is None:
        raise SheetError(gettext("Die Datei „%(name)s“ liegt nicht im Eingangsordner.", name=name[:120]))
    return path.open("rb")


def digest_of(path: Path) -> str:
    """What tells the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_again(digest: str, entity: str) -> None:
    """Refuses content that was taken over before, by whomever."""
    query = (
        ImportRun.select().where(ImportRun.entity == entity, ImportRun.state == "done").order_by(ImportRun.id.desc())
    )
    for run in query.iterator():
        if run.options.get("digest") == digest:
            words = gettext(
                "Diese Datei wurde schon am %(when)s von %(who)s übernommen; es wurde nichts noch einmal getan.",
                when=format_datetime(run.started_at),
                who=run.user_name,
            )
            raise SheetError(words)


__all__ = ["digest_of", "inbox", "open_waiting", "refuse_again", "waiting_files"]

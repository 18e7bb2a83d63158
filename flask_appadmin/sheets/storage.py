"""Files on their way in and out, and those that belong to records: under random names in a folder of the instance.

Shape: a name is 32 hexadecimal digits; whatever the file was called stands in the database only. Nothing here is ever
served under its own name or executed; the folder and its files belong to the program's account alone. Imports and
exports are gone after a time; what belongs to a record stays, also after the record went: undo may bring it back.
Units: days. Errors: NotFound for a file that is gone or was never there.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from pathlib import Path
from typing import BinaryIO

from flask_appadmin.errors import NotFound

#: Uploads are kept so long, for coming back tomorrow; exports wait a day for their starter.
UPLOAD_DAYS = 7
EXPORT_DAYS = 1


class FileStore:
    """One folder of files."""

    def __init__(self, folder: Path, days: int | None) -> None:
        """`days`: files are kept so long; None for ever."""
        self.folder = folder
        self.days = days

    def new(self) -> tuple[str, Path]:
        """A name that is free, and the path to write to. Files that are too old go on this occasion."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.remove_old()
        name = secrets.token_hex(16)
        return name, self.folder / name

    def save(self, source: BinaryIO) -> str:
        """Keeps what can be read from `source`; answers its name."""
        name, path = self.new()
        with path.open("wb") as file:
            path.chmod(0o600)
            shutil.copyfileobj(source, file, 1 << 20)
        return name

    def path(self, name: str) -> Path:
        """Where a file lies; NotFound when it is gone."""
        path = self.folder / name
        if not re.fullmatch(r"[0-9a-f]{32}", name) or not path.is_file():
            raise NotFound()
        return path

    def has(self, name: str) -> bool:
        return bool(re.fullmatch(r"[0-9a-f]{32}", name)) and (self.folder / name).is_file()

    def remove(self, name: str) -> None:
        if re.fullmatch(r"[0-9a-f]{32}", name):
            (self.folder / name).unlink(missing_ok=True)

    def remove_old(self) -> None:
        if self.days is None:
            return
        until = time.time() - self.days * 86_400
        for path in self.folder.iterdir():
            if re.fullmatch(r"[0-9a-f]{32}", path.name) and path.stat().st_mtime < until:
                path.unlink(missing_ok=True)


def uploads(instance: Path) -> FileStore:
    return FileStore(instance / "uploads", UPLOAD_DAYS)


def exports(instance: Path) -> FileStore:
    return FileStore(instance / "exports", EXPORT_DAYS)


def documents(instance: Path) -> FileStore:
    return FileStore(instance / "documents", None)

"""The outbox: a folder of the instance in which files for other systems are laid down; they fetch them from there.

Shape: `folder_below` answers a folder of the outbox, `lay_down` writes one file of it. Whoever fetches a file finds it
whole or not at all: it is written under a hidden name and then gets its own; one of the same name is replaced.
Errors: OutboxFault with a sentence for a folder that is missing or lies elsewhere, a full disk, a missing right.
Source: ME-18, NE-02, PX-119.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext


class OutboxFault(AppAdminError):
    """A file that cannot be laid down."""

    status = 409


def outbox(instance: Path) -> Path:
    """The folder below which everything is laid down; made where it is missing."""
    folder = instance / "outbox"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def folder_below(base: Path, name: str, *, make: bool = False) -> Path:
    """The folder with this name or path in the outbox; `make`: it is made where it is missing.

    A path that leads elsewhere, be it by "..", by a link or because it begins at the root, is refused.
    """
    try:
        folder = (base / name.strip()).resolve()
        inside = folder.is_relative_to(base.resolve())
        folder.is_dir()
    except (OSError, ValueError, RuntimeError):  # too long, a character that no path has, links in a circle
        inside = False
    if not inside:
        words = gettext(
            "Der Ordner „%(folder)s“ liegt nicht im Ausgangsordner (outbox) der Instanz.", folder=name[:120]
        )
        raise OutboxFault(words)
    if make:
        with contextlib.suppress(OSError):  # what is wrong is told below
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not folder.is_dir():
        words = gettext(
            "Den Ordner „%(folder)s“ gibt es im Ausgangsordner (outbox) der Instanz nicht. Bitte legen Sie ihn an.",
            folder=name[:120],
        )
        raise OutboxFault(words)
    return folder


def lay_down(folder: Path, name: str, content: Iterable[bytes]) -> Path:
    """Writes a file part by part and puts it in its place in one step; where that does not go, nothing is left."""
    path, draft = folder / name, folder / f".{secrets.token_hex(8)}.part"
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as fault:
        raise OutboxFault(_reason(fault, name)) from fault
    finally:
        draft.unlink(missing_ok=True)
    return path


def _reason(fault: OSError, name: str) -> str:
    if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return gettext("Die Datei „%(name)s“ lässt sich nicht ablegen: Der Datenträger ist voll.", name=name)
    if fault.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return gettext("Die Datei „%(name)s“ lässt sich nicht ablegen: Der Ordner ist schreibgeschützt.", name=name)
    if fault.errno == errno.ENOENT:
        return gettext("Die Datei „%(name)s“ lässt sich nicht ablegen: Den Ordner gibt es nicht mehr.", name=name)
    return gettext("Die Datei „%(name)s“ lässt sich nicht ablegen.", name=name)


def laid_down(instance: Path) -> Iterator[Path]:
    """All files that wait in the outbox."""
    base = instance / "outbox"
    if base.is_dir():
        yield from (path for path in sorted(base.rglob("*")) if path.is_file() and not path.is_symlink())


__all__ = ["OutboxFault", "folder_below", "laid_down", "lay_down", "outbox"]

"""The schema steps: numbered scripts that bring an existing database to this version, and back.

Shape: each file `NNNN_name.py` has `up(migrator, db)` and `down(migrator, db)`; the table `schema_migration` names the
steps that were taken. An empty database gets all tables as the models stand today, and every step counts as taken; one
that exists takes the steps it lacks, each in a transaction of its own. Two processes never take the same step: the
second waits.
Errors: a database that took steps this version does not know is newer than the program: `NewerDatabase`.
Source: docs/decisions, spec/base.md (playhouse.migrations keeps child tables on a rebuild; the other tools did not).
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playhouse.migrations import Runner

from flask_appadmin.database import database, engine, transaction
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext

FOLDER = Path(__file__).parent

#: The step that makes everything; later ones alter what is there.
FIRST = "0001_everything"

#: Any number that no other program uses on the same PostgreSQL database.
_LOCK = 4_711_202_611


class NewerDatabase(AppAdminError):
    """The database was upgraded by a newer version of the program."""

    def sentence(self) -> str:
        return gettext(
            "Die Datenbank gehört zu einer neueren Fassung des Programms (Schritt %(step)s). "
            "Bitte installieren Sie diese Fassung; es wurde nichts geändert.",
            step=self.args[0],
        )


def _runner() -> Any:
    logging.getLogger("peewee.migrations").setLevel(logging.WARNING)
    database.connect(reuse_if_open=True)
    return Runner(database.obj, str(FOLDER))


def pending_steps() -> list[str]:
    """The steps this database still lacks, in order."""
    return [step.name for step in _runner().status() if step.path is not None and not step.applied]


def unknown_steps() -> list[str]:
    """Steps this database took that are not part of this version."""
    return [step.name for step in _runner().status() if step.path is None]


def upgrade_schema() -> list[str]:
    """Takes the steps that are missing; answers their names (the first one alone for an empty database)."""
    with _alone():
        runner = _runner()
        unknown = unknown_steps()
        if unknown:
            raise NewerDatabase(unknown[-1])
        if not runner.applied():
            # All or nothing: a half-made database would look as if it only lacked its later steps.
            with transaction():
                if not runner.applied():
                    runner.up(FIRST)
                    runner.fake()
            return [FIRST]
        return list(runner.up())


def downgrade_schema(target: str | None = None) -> list[str]:
    """Takes back the last step, or all steps down to and including `target`; answers their names."""
    with _alone():
        return list(_runner().down(target))


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Lets one process at a time change the schema. SQLite's write lock does it by itself for a single step."""
    if engine() == "sqlite":
        yield
        return
    database.connect(reuse_if_open=True)
    database.execute_sql("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        yield
    finally:
        database.execute_sql("SELECT pg_advisory_unlock(%s)", (_LOCK,))

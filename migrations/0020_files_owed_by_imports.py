"""Imports remember that files for other systems are still to be laid down."""

from __future__ import annotations

from typing import Any

from peewee import BooleanField

from flask_appadmin.database import database


def up(migrator: Any, db: Any) -> None:
    # A database that was made with this column, or went down a step, has it already.
    if "owes_files" not in {column.name for column in database.get_columns("import_run")}:
        migrator.migrate(migrator.add_column("import_run", "owes_files", BooleanField(default=False)))


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.drop_column("import_run", "owes_files"))

"""The settings remember how many years customers with documents are kept."""

from __future__ import annotations

from typing import Any

from peewee import IntegerField

from flask_appadmin.database import database


def up(migrator: Any, db: Any) -> None:
    # A database that was made with this column, or went down a step, has it already.
    if "retention_years" not in {column.name for column in database.get_columns("setting")}:
        migrator.migrate(migrator.add_column("setting", "retention_years", IntegerField(null=True, default=0)))


def down(migrator: Any, db: Any) -> None:
    """The column stays: the earlier program passes over it."""

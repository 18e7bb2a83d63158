"""Selections keep ticked rows beside "all that match": the exceptions move into a column of their own."""

from __future__ import annotations

from typing import Any

from peewee import TextField


def up(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.add_column("selection", "without", TextField(default="[]")))
    db.execute_sql('UPDATE "selection" SET "without" = "keys", "keys" = \'[]\' WHERE everything')


def down(migrator: Any, db: Any) -> None:
    db.execute_sql('UPDATE "selection" SET "keys" = "without" WHERE everything')
    migrator.migrate(migrator.drop_column("selection", "without"))

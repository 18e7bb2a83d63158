"""A saved query belongs to a table; its name is unique for operator and table."""

from __future__ import annotations

from typing import Any

import peewee


def up(migrator: Any, db: Any) -> None:
    # Nothing wrote queries before: the default only satisfies the engines.
    column = peewee.CharField(max_length=60, default="customer")
    migrator.migrate(
        migrator.drop_index("saved_query", "saved_query_user_id_name"),
        migrator.add_column("saved_query", "entity", column),
        migrator.add_index("saved_query", ("user_id", "entity", "name"), unique=True),
    )


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(
        migrator.drop_index("saved_query", "saved_query_user_id_entity_name"),
        migrator.drop_column("saved_query", "entity"),
        migrator.add_index("saved_query", ("user_id", "name"), unique=True),
    )

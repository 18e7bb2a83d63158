"""An employee may be one of the operators: new customers of this operator begin with him as their clerk."""

from __future__ import annotations

from typing import Any

from domain.links import Reference
from flask_appadmin.database import database
from flask_appadmin.rights import User


def up(migrator: Any, db: Any) -> None:
    # A database that was made with this column, or went down a step, has it already.
    if "user_id" not in {column.name for column in database.get_columns("employee")}:
        column = Reference(User, field=User.id, null=True, unique=True)
        migrator.migrate(migrator.add_column("employee", "user_id", column))


def down(migrator: Any, db: Any) -> None:
    """The column stays: the earlier program passes over it, and SQLite drops none that refers to another table."""

"""Saved mappings keep what new records get, and what files call values."""

from __future__ import annotations

from typing import Any

from flask_appadmin.database import database
from flask_appadmin.fieldtypes.columns import JSONField

_COLUMNS = ("default_values", "value_map")


def up(migrator: Any, db: Any) -> None:
    # A database that was made with these columns has them already.
    known = {column.name for column in database.get_columns("import_schema")}
    for name in _COLUMNS:
        if name not in known:
            migrator.migrate(migrator.add_column("import_schema", name, JSONField(null=True)))


def down(migrator: Any, db: Any) -> None:
    for name in _COLUMNS:
        migrator.migrate(migrator.drop_column("import_schema", name))

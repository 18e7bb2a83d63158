"""An export remembers its format, its columns and its sheets, for the list of exports."""

from __future__ import annotations

from typing import Any

from flask_appadmin.database import database
from flask_appadmin.fieldtypes.columns import JSONField


def up(migrator: Any, db: Any) -> None:
    # A database that was made with this column, or went down a step, has it already.
    if "details" not in {column.name for column in database.get_columns("sheet_export")}:
        migrator.migrate(migrator.add_column("sheet_export", "details", JSONField(null=True)))


def down(migrator: Any, db: Any) -> None:
    """The column stays: the earlier program passes over it."""

"""Of which customers somebody said that they are two."""

from __future__ import annotations

from typing import Any

from flask_appadmin.database import database
from flask_appadmin.duplicates import NoDuplicate


def up(migrator: Any, db: Any) -> None:
    database.create_tables([NoDuplicate], safe=True)


def down(migrator: Any, db: Any) -> None:
    database.drop_tables([NoDuplicate], safe=True)

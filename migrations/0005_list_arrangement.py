"""What each operator made of a list without saving it."""

from __future__ import annotations

from typing import Any

from flask_appadmin.database import database
from flask_appadmin.listviews import ListArrangement


def up(migrator: Any, db: Any) -> None:
    database.create_tables([ListArrangement], safe=True)


def down(migrator: Any, db: Any) -> None:
    database.drop_tables([ListArrangement], safe=True)

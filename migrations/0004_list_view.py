"""Views of lists under a name."""

from __future__ import annotations

from typing import Any

from flask_appadmin.database import database
from flask_appadmin.listviews import ListView


def up(migrator: Any, db: Any) -> None:
    database.create_tables([ListView], safe=True)


def down(migrator: Any, db: Any) -> None:
    database.drop_tables([ListView], safe=True)

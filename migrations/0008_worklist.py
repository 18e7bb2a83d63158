"""Merklisten: sets of records under a name."""

from __future__ import annotations

from typing import Any

from flask_appadmin.database import database
from flask_appadmin.worklists import Worklist


def up(migrator: Any, db: Any) -> None:
    database.create_tables([Worklist], safe=True)


def down(migrator: Any, db: Any) -> None:
    database.drop_tables([Worklist], safe=True)

"""The records on each Merkliste."""

from __future__ import annotations

from typing import Any

from flask_appadmin.database import database
from flask_appadmin.worklists import WorklistEntry


def up(migrator: Any, db: Any) -> None:
    database.create_tables([WorklistEntry], safe=True)


def down(migrator: Any, db: Any) -> None:
    database.drop_tables([WorklistEntry], safe=True)

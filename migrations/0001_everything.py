"""All tables, indexes and search indexes, as the models stand."""

from __future__ import annotations

from typing import Any

from flask_appadmin.schema import create_tables, drop_tables
from models import MODELS


def up(migrator: Any, db: Any) -> None:
    create_tables(MODELS)


def down(migrator: Any, db: Any) -> None:
    drop_tables(MODELS)

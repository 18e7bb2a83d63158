"""The search index by words instead of by three letters each; it is filled anew."""

from __future__ import annotations

from typing import Any

from flask_appadmin import search
from flask_appadmin.schema import declare_models
from models import MODELS


def up(migrator: Any, db: Any) -> None:
    specs = [spec for spec in declare_models(MODELS) if search.has_index(spec)]
    for spec in specs:
        db.execute_sql(f'DROP TABLE IF EXISTS "{search.index_name(spec)}"')
    for spec in specs:
        search.create_index(spec)
        search.rebuild(spec)


def down(migrator: Any, db: Any) -> None:
    """Leaves the index by words where it is: no record is lost, but the index by three letters does not come back.

    A program older than this step cannot read what it finds here. Who goes back to it for good restores a backup of its
    time; who goes up again gets this index filled anew from the records.
    """

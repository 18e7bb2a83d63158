"""Customers are found by their reference numbers at others, too: their search index is filled anew."""

from __future__ import annotations

from typing import Any

from flask_appadmin import search
from flask_appadmin.schema import declare_models
from flask_appadmin.specs import spec_of
from models import MODELS, Customer


def up(migrator: Any, db: Any) -> None:
    declare_models(MODELS)
    spec = spec_of(Customer)
    search.create_index(spec)
    search.rebuild(spec)


def down(migrator: Any, db: Any) -> None:
    """The index stays: the earlier program reads it, and a customer it saves loses the additional words again."""

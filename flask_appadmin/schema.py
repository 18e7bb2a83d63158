"""All tables together: those of the layer and those of the application, with the search indexes that belong to them.

Shape: `create_tables(models)` makes what is missing, in an order that foreign keys allow; migrations of an application
call it in their first step. Errors: those of the engine, since nobody but an engineer sees them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_appadmin import (
    arrangements,
    changes,
    customfields,
    drafts,
    duplicates,
    history,
    jobs,
    labels,
    listviews,
    presence,
    queries,
    rights,
    search,
    selections,
    worklists,
)
from flask_appadmin.database import Record, database, engine
from flask_appadmin.sheets import sessions
from flask_appadmin.specs import ModelSpec, declare

#: The tables of the layer, in the order of their creation.
LAYER_MODELS: tuple[Any, ...] = (
    *rights.MODELS,
    *history.MODELS,
    *selections.MODELS,
    *worklists.MODELS,
    *jobs.MODELS,
    labels.LabelFormat,
    *sessions.MODELS,
    *queries.MODELS,
    *customfields.MODELS,
    *arrangements.MODELS,
    *drafts.MODELS,
    *presence.MODELS,
    *listviews.MODELS,
    *duplicates.MODELS,
)


def declare_models(models: Iterable[Any]) -> tuple[ModelSpec, ...]:
    """Reads the declarations of the application and of the layer and makes them known to gateway and gate."""
    specs = declare((*models, *(model for model in LAYER_MODELS if issubclass(model, Record))))
    changes.know(specs)
    rights.register_model_rights(specs)
    return specs


def create_tables(models: Iterable[Any]) -> None:
    """Makes all tables, indexes and search indexes that are not there yet."""
    specs = declare_models(models)
    database.create_tables(
        [*LAYER_MODELS, *(spec.model for spec in specs if spec.model not in LAYER_MODELS)], safe=True
    )
    _create_late_references(specs)
    for spec in specs:
        search.create_index(spec)


def _create_late_references(specs: Iterable[ModelSpec]) -> None:
    """Foreign keys of tables that refer to each other stand in SQLite's table text; PostgreSQL gets them afterwards."""
    if engine() == "sqlite":
        return
    known = {row[0] for row in database.execute_sql("SELECT conname FROM pg_constraint WHERE contype = 'f'").fetchall()}
    for spec in specs:
        for reference in spec.model._meta.refs:
            name = f"fk_{spec.name}_{reference.column_name}_refs_{reference.rel_model._meta.table_name}"
            if getattr(reference, "deferred", None) and name not in known:
                spec.model._schema.create_foreign_key(reference)


def drop_tables(models: Iterable[Any]) -> None:
    """Removes all tables and search indexes again."""
    specs = declare_models(models)
    for spec in specs:
        if search.has_index(spec):
            search.drop_index(spec)
    database.drop_tables(
        [*LAYER_MODELS, *(spec.model for spec in specs if spec.model not in LAYER_MODELS)],
        safe=True,
        cascade=engine() == "postgresql",
    )

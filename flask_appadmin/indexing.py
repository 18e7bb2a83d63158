"""Indexes that administrators add, so that a list sorts and filters by one more column at once.

Shape: such an index is called `own_<table>_<column>`; the database itself remembers it, no table does. It holds the
column and what orders equal values in the list, so that paging walks along it. Making one reads the whole table; on
PostgreSQL others go on writing meanwhile, on SQLite they wait.
Rights: `layout.edit`. Errors: FieldError for a column that lists do not sort by.
"""

from __future__ import annotations

from flask_appadmin.database import database, engine
from flask_appadmin.errors import FieldError
from flask_appadmin.i18n import gettext
from flask_appadmin.lists import Order, sortable, tie_breaker
from flask_appadmin.rights import Operator
from flask_appadmin.specs import FieldSpec, ModelSpec

#: Who may arrange lists for others may also make them faster.
RIGHT = "layout.edit"

#: PostgreSQL cuts longer names.
_LONGEST_NAME = 60


def index_name(item: FieldSpec) -> str:
    return f"own_{item.model_name}_{item.column}"[:_LONGEST_NAME]


def indexed_columns(spec: ModelSpec) -> dict[str, bool]:
    """Column -> whether an administrator added its index, for all columns that an index begins with."""
    found: dict[str, bool] = {}
    for index in database.get_indexes(spec.name):
        if index.columns:
            column = index.columns[0]
            found[column] = found.get(column, True) and index.name.startswith("own_")
    return found


def add_index(spec: ModelSpec, operator: Operator, name: str) -> FieldSpec:
    """Makes the index of a field; nothing where it has one."""
    item = _checked(spec, operator, name)
    if item.column not in indexed_columns(spec):
        tie = tie_breaker(spec, Order(item))
        behind = tie.column if tie is not None else spec.model._meta.primary_key.column_name
        # Waiting for others is no matter here, stopping them is.
        how = "CONCURRENTLY " if engine() == "postgresql" and not database.in_transaction() else ""
        database.execute_sql(
            f'CREATE INDEX {how}IF NOT EXISTS "{index_name(item)}" ON "{spec.name}" ("{item.column}", "{behind}")'
        )
    return item


def remove_index(spec: ModelSpec, operator: Operator, name: str) -> FieldSpec:
    """Takes away an index that was added here; those of the program stay."""
    item = _checked(spec, operator, name)
    database.execute_sql(f'DROP INDEX IF EXISTS "{index_name(item)}"')
    return item


def _checked(spec: ModelSpec, operator: Operator, name: str) -> FieldSpec:
    operator.require(RIGHT)
    item = spec.by_name.get(name)
    if item is None or not sortable(item) or item.name == "id":
        raise FieldError(name[:60], None, gettext("ist keine Spalte, nach der sich sortieren lässt."))
    return item

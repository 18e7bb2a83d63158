"""Values of fields that operators defined: written, and removed, beside the records they belong to.

Shape: one row per field and record; a row without a value means the same as no row. The record's own row, its version
and its history are the business of the step that writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask_appadmin.changes.running import CHUNK
from flask_appadmin.customfields import CustomField, CustomFieldValue
from flask_appadmin.database import database, engine, execute_many
from flask_appadmin.specs import FieldSpec, ModelSpec

_INSERT = "INSERT INTO custom_field_value (custom_field_id, record_id, value, version, created_at, updated_at)"
_REPLACE = (
    "ON CONFLICT (custom_field_id, record_id) DO UPDATE SET value = excluded.value, "
    "version = custom_field_value.version + 1, updated_at = excluded.updated_at"
)


def write_values(item: FieldSpec, values: Iterable[tuple[int, Any]], moment: Any) -> None:
    """Stores Python values of one field: (key of the record, value)."""
    column, mark = item.column_field, database.param
    rows = [(column.custom_field, key, column.stored(value), moment, moment) for key, value in values]
    execute_many(f"{_INSERT} VALUES ({mark}, {mark}, {mark}, 1, {mark}, {mark}) {_REPLACE}", rows)


def write_told(item: FieldSpec, source: str, params: Iterable[Any], moment: Any) -> None:
    """Stores what lines of the history say: a query for (id: key of the record, value: JSON text)."""
    column = item.column_field
    value = column.stored_sql(item.type.sql_from_json("j.value", item, engine()))
    mark = f"cast({database.param} AS timestamp)" if engine() == "postgresql" else database.param
    # Without a condition SQLite would read ON CONFLICT as the beginning of a join.
    database.execute_sql(
        f"{_INSERT} SELECT {column.custom_field:d}, j.id, {value}, 1, {mark}, {mark} FROM ({source}) j WHERE 1 = 1 "
        f"{_REPLACE}",
        [moment, moment, *params],
    )


def forget_values(spec: ModelSpec, keys: Sequence[int]) -> None:
    """Removes all values of records that go."""
    if not spec.takes_fields:
        return
    of_table = CustomField.select(CustomField.id).where(CustomField.entity == spec.name)
    for start in range(0, len(keys), CHUNK):
        part = list(keys[start : start + CHUNK])
        CustomFieldValue.delete().where(
            CustomFieldValue.custom_field.in_(of_table), CustomFieldValue.record_id.in_(part)
        ).execute()

"""Indexes that serve the lists' filters and orders at once; those on a single column make way for them."""

from __future__ import annotations

from typing import Any

from models import Customer

_OLD = ("search_name", "name_1", "postal_code", "city", "updated_at")


def up(migrator: Any, db: Any) -> None:
    Customer._schema.create_indexes(safe=True)
    for name in (*_OLD, "country_id_customer_number"):
        db.execute_sql(f'DROP INDEX IF EXISTS "customer_{name}"')


def down(migrator: Any, db: Any) -> None:
    for name in _OLD:
        db.execute_sql(f'CREATE INDEX IF NOT EXISTS "customer_{name}" ON "customer" ("{name}")')
    columns = '"country_id", "customer_number"'
    db.execute_sql(f'CREATE INDEX IF NOT EXISTS "customer_country_id_customer_number" ON "customer" ({columns})')
    for name in (
        "country_id_customer_number_status", "postal_code_customer_number_status", "city_customer_number_status",
        "portal_type_customer_number_status", "name_1_customer_number", "search_name_customer_number",
        "credit_limit_customer_number", "updated_at_customer_number",
    ):  # fmt: skip
        db.execute_sql(f'DROP INDEX IF EXISTS "customer_{name}"')

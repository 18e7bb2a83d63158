"""An index for finding a VAT id a second time while it is typed."""

from __future__ import annotations

from typing import Any

from models import Customer


def up(migrator: Any, db: Any) -> None:
    Customer._schema.create_indexes(safe=True)


def down(migrator: Any, db: Any) -> None:
    db.execute_sql('DROP INDEX IF EXISTS "customer_vat_id_code"')

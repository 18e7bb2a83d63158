"""First fillings: rows that nobody typed, stored by the thousand and noted as one operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from flask_appadmin.database import database, engine, utcnow
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.rights import Operator
from flask_appadmin.specs import ModelSpec, spec_of


def load_rows(
    model: Any, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, progress: Callable[[int], None] | None = None
) -> int:
    """The fast way in for set-up and demo data: stores Python values by field name, inside a `loading` block.

    `columns` are field names; "id" may be among them. No rule is asked: whoever loads answers for the values.
    """
    spec = model if isinstance(model, ModelSpec) else spec_of(model)
    items = [spec.field(name) for name in columns]
    system = [name for name in ("version", "created_at", "updated_at") if name not in columns]
    moment = utcnow()
    fixed = {"version": 1, "created_at": moment, "updated_at": moment}
    names = [*(item.column for item in items), *system]
    marks = ", ".join([database.param] * len(names))
    quoted = ", ".join(f'"{name}"' for name in names)
    sql = f'INSERT INTO "{spec.name}" ({quoted}) VALUES ({marks})'
    tail = tuple(fixed[name] for name in system)
    scaled = [(position, item) for position, item in enumerate(items) if item.type.name in ("decimal", "json")]
    count = 0
    for part in _parts(rows, 5_000):
        if scaled:
            prepared = []
            for row in part:
                values = list(row)
                for position, item in scaled:
                    values[position] = item.column_field.db_value(values[position])
                prepared.append((*values, *tail))
        else:
            prepared = [(*row, *tail) for row in part]
        database.cursor().executemany(sql, prepared)
        count += len(part)
        if progress is not None:
            progress(count)
    if engine() == "postgresql" and "id" in columns:
        database.execute_sql(
            f"SELECT setval(pg_get_serial_sequence('\"{spec.name}\"', 'id'), (SELECT max(id) FROM \"{spec.name}\"))"
        )
    return count


def _parts(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    part: list[Any] = []
    for row in rows:
        part.append(row)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def record_loading(operator: Operator, spec: ModelSpec, count: int, title: str, *, kind: str = "load") -> int:
    """Notes in the history that rows were loaded; answers the key of the set. It has no single changes to take back."""
    return ChangeSetRecord.insert(
        user=operator.user_id,
        user_name=operator.name[:80],
        kind=kind,
        changed_at=utcnow(),
        entity=spec.name,
        title=title[:255],
        created_count=count,
    ).execute()

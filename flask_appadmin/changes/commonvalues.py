"""What the selected records have in their fields today: one value for all, or how many different ones.

Shape: `common_values` asks for many fields in one pass over the rows whether they differ at all, and counts by GROUP BY
only where they do. Units: seconds; fields that there was no time for are left out, and can be asked for again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from flask_appadmin.specs import FieldSpec

#: So many cells are looked at before the clock is looked at again.
_CELLS = 800_000
_TOLD = 4


@dataclass(frozen=True)
class CommonValue:
    """The values of one field among the selected records."""

    #: How many different ones there are, the empty one included.
    number: int
    #: (value, records), the most frequent first.
    most: tuple[tuple[Any, int], ...]


def common_values(selection: Any, items: Sequence[FieldSpec], count: int, *, seconds: float) -> dict[str, CommonValue]:
    """Field -> its values among the selected records, as far as the time goes."""
    until = time.monotonic() + seconds
    found: dict[str, CommonValue] = {}
    size = max(1, min(60, _CELLS // max(count, 1)))
    for start in range(0, len(items), size):
        if start and time.monotonic() > until:
            break
        part = items[start : start + size]
        for item in part if not count else _differing(selection, part, found):
            if time.monotonic() > until:
                break
            found[item.name] = _counted(selection, item)
    return found


def _differing(selection: Any, items: Sequence[FieldSpec], found: dict[str, CommonValue]) -> Iterable[FieldSpec]:
    """Puts those with one value for all into `found`; answers the others."""
    columns: list[Any] = [peewee.fn.COUNT(peewee.SQL("*"))]
    for item in items:
        column = item.column_field
        # PostgreSQL knows no smallest truth value.
        compared = peewee.Cast(column, "integer") if item.type.name == "bool" else column
        columns += [peewee.fn.MIN(compared), peewee.fn.MAX(compared), peewee.fn.COUNT(column)]
    row = selection.query(*columns).tuples().get()
    total = row[0]
    for position, item in enumerate(items):
        low, high, filled = row[1 + position * 3 : 4 + position * 3]
        if filled in (0, total) and low == high:
            value = bool(low) if item.type.name == "bool" and low is not None else low
            found[item.name] = CommonValue(1, ((value, total),))
        else:
            yield item


def _counted(selection: Any, item: FieldSpec) -> CommonValue:
    column, number = item.column_field, peewee.fn.COUNT(peewee.SQL("*"))
    groups = peewee.SQL("COUNT(*) OVER ()")
    query = selection.query(column, number, groups).group_by(column).order_by(number.desc()).limit(_TOLD)
    rows = list(query.tuples())
    return CommonValue(rows[0][2] if rows else 0, tuple((row[0], row[1]) for row in rows))

"""The key that each exported row carries: which record it is, of which export, and whether anybody touched the row.

Shape: `<export>.<record>.<version>.<content>.<signature>`. The content is a digest of the row's cells as they left, in
one normal form for xlsx and csv, so that a row that comes back untouched need not be read at all: whoever exports
10,000 rows and changes 100 has 100 rows compared. A digest that does not match means no more than that the row is
compared cell by cell. The signature binds all parts to the export and the table, so that a row copied from another
sheet or a changed number is noticed.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_appadmin.digits import is_number
from flask_appadmin.sheets.sessions import SheetExport
from flask_appadmin.sheets.writing.texts import german_date, german_datetime

_CONTENT_BYTES = 6
_SIGNATURE_DIGITS = 12


@dataclass(frozen=True)
class RowKey:
    """What a valid key says."""

    export: SheetExport
    record: int
    version: int
    content: str


class RowDigest:
    """Digests of rows whose columns are (name, kind), in the order of the sheet. `kind` is that of a SheetColumn."""

    def __init__(self, columns: Iterable[tuple[str, str]]) -> None:
        columns = list(columns)
        #: What stands before each cell, its kind, and whether a text stands as it is.
        self._columns = [(f"{index}\x1f", kind, kind not in _NUMBERS) for index, (_name, kind) in enumerate(columns)]
        # Headings that were exchanged must not pass for an untouched row.
        self._start = hashlib.blake2b("\x1f".join(name for name, _kind in columns).encode(), digest_size=_CONTENT_BYTES)

    def of(self, cells: Sequence[Any]) -> str:
        """The digest of one row; missing cells at its end are blank ones."""
        parts = []
        # The inner loop of exports and of imports that change little; most cells are blank.
        for (start, kind, is_plain), cell in zip(self._columns, cells, strict=False):
            if type(cell) is str:
                if cell:
                    parts.append(start + (cell if is_plain else _text(cell, kind)))
            elif cell is not None:
                parts.append(start + _text(cell, kind))
        digest = self._start.copy()
        digest.update("\x1e".join(parts).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


_NUMBERS = ("integer", "decimal")


def _text(cell: Any, kind: str) -> str:
    """A cell that is no plain text in the one form that a database value, an xlsx cell and a csv cell share."""
    found = type(cell)
    if found is str:
        if kind == "decimal" and "," in cell:
            whole, _comma, places = cell.rpartition(",")
            places = places.rstrip("0")
            return f"{whole}.{places}" if places else str(whole)
        return str(cell)
    if found is Decimal:
        return f"{cell.normalize():f}"
    if found is float:
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if found is datetime.datetime:
        return german_datetime(cell)
    if found is datetime.date:
        # A reader answers midnight as a day.
        return german_date(cell) if kind == "date" else f"{german_date(cell)} 00:00:00"
    return str(cell)


def sign_row(export: SheetExport, entity: str, record: int, version: int, content: str) -> str:
    """The key of a row."""
    parts = f"{export.key}.{record}.{version}.{content}"
    return f"{parts}.{_signature(export, entity, parts)}"


def _signature(export: SheetExport, entity: str, parts: str) -> str:
    text = f"{entity}|{parts}".encode()
    return hmac.digest(export.secret.encode(), text, "sha256").hex()[:_SIGNATURE_DIGITS]


def check_row_key(text: str, entity: str, exports: dict[str, SheetExport | None]) -> RowKey | None:
    """What stands behind a row key, None when it is not one of ours for this table. `exports` is a cache."""
    parts = text.strip().split(".")
    if len(parts) != 5 or not is_number(parts[1]) or not is_number(parts[2], 9):
        return None
    if parts[0] not in exports:
        exports[parts[0]] = SheetExport.get_or_none(SheetExport.key == parts[0][:16])
    export = exports[parts[0]]
    if export is None or not text.isascii():
        return None
    if not hmac.compare_digest(_signature(export, entity, ".".join(parts[:4])), parts[4]):
        return None
    return RowKey(export, int(parts[1]), int(parts[2]), parts[3])

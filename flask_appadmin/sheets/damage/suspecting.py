"""What the form of a cell says by itself, beside the rest of its column."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any

from flask_appadmin.sheets.damage.damages import LOST, Suspicion
from flask_appadmin.sheets.damage.misreadings import look_for_misreading
from flask_appadmin.sheets.damage.traces import (
    EPOCH,
    FORMULA,
    HARD_BLANKS,
    INVISIBLE,
    MONTH_TEXT,
    POINT_ZERO,
    SCIENTIFIC,
    is_cut_iban,
    serial_day,
    visible_text,
    without_apostrophes,
)
from flask_appadmin.sheets.detection.columns import ColumnHint
from flask_appadmin.specs import FieldSpec

_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_HOME = frozenset(("", "d", "de", "deu", "deutschland", "germany", "brd", "276"))
#: Texts of which doubtful letters say nothing.
_LETTERLESS = ("url", "email", "iban", "bic", "vat_id", "gln", "password", "token", "phone", "fax")


def look(cell: Any, item: FieldSpec, hint: ColumnHint) -> Suspicion | None:
    """What the form of a cell says by itself, beside the rest of its column; None for nothing."""
    name = item.type.name
    if item.target is not None or item.secret or type(cell) is bool:
        return None
    if name in ("text", "multiline"):
        if isinstance(cell, datetime.date):
            # A column of dates may well go to a field of text; a few dates among texts were something else.
            return ("became_date", LOST, "ask") if hint.dates * 2 < hint.filled else None
        if isinstance(cell, int | float):
            return _look_at_number(cell, item, hint)
        return _look_at_text(cell, item, hint)
    if name == "date":
        if isinstance(cell, str) and (bare := without_apostrophes(cell)) != cell:
            return "apostrophe", bare, "ask"
        number = serial_day(cell)
        return ("serial", EPOCH + datetime.timedelta(days=number), "ask") if number else None
    if name in ("integer", "decimal"):
        return look_at_amount(cell, item)
    return None


def _look_at_number(cell: float, item: FieldSpec, hint: ColumnHint) -> Suspicion | None:
    if abs(cell) >= 1e15 or item.kind == "iban":
        return "long_number", LOST, "ask"
    if isinstance(cell, float) and not cell.is_integer():
        return None
    digits = str(int(cell))
    if item.kind in ("phone", "fax"):
        return _phone_of(digits)
    if item.kind == "postal_code":
        return ("zeros", digits.zfill(5), "ask") if len(digits) == 4 and hint.zero_length == 5 else None
    if hint.leading_zeros and hint.zero_length > len(digits):
        return "zeros", digits.zfill(hint.zero_length), "ask"
    return None


def _phone_of(digits: str) -> Suspicion | None:
    if len(digits) < 6:
        return None
    if len(digits) >= 10 and digits[:2] in ("49", "43", "41"):
        return "plus", f"+{digits}", "ask"
    return "zeros", f"0{digits}", "ask"


def _look_at_text(cell: str, item: FieldSpec, hint: ColumnHint) -> Suspicion | None:
    kind = item.kind
    if INVISIBLE.search(cell):
        return "invisible", visible_text(cell), "ask"
    if HARD_BLANKS.search(cell):
        # A field keeps common blanks instead.
        return "invisible", visible_text(cell), "note"
    if (bare := without_apostrophes(cell)) != cell:
        return "apostrophe", bare, "ask"
    first = cell[:1]
    if first == "=" and FORMULA.match(cell):
        return "formula", LOST, "ask"
    if cell.isascii() and (first.isdigit() or first in "+-"):
        if SCIENTIFIC.fullmatch(cell):
            return "scientific", LOST, "ask"
        if item.natural_key or item.unique or kind in ("gln", "postal_code"):
            found = POINT_ZERO.fullmatch(cell)
            if found is not None:
                return "point_zero", found[1], "ask"
        if kind == "postal_code" and len(cell) == 4 and cell.isdigit() and first != "0":
            # As texts the zeros would stand somewhere, had they not been lost.
            if hint.zero_length == 5 and not hint.leading_zeros:
                return "zeros", cell.zfill(5), "ask"
    if kind == "iban" and is_cut_iban(cell):
        return "long_number", LOST, "ask"
    if item.type.name == "text" and MONTH_TEXT.fullmatch(cell):
        return "became_date", LOST, "ask"
    if kind not in _LETTERLESS:
        return look_for_misreading(cell)
    return None


def look_at_amount(cell: Any, item: FieldSpec) -> Suspicion | None:
    places = item.places if item.type.name == "decimal" else 0
    if isinstance(cell, datetime.date):
        return "became_date", f"{cell.day},{cell.month}" if places else LOST, "ask"
    if isinstance(cell, str):
        if FORMULA.match(cell):
            return "formula", LOST, "ask"
        if (bare := without_apostrophes(cell)) != cell:
            return "apostrophe", bare, "ask"
        if places < 3 and _GROUPED.fullmatch(cell):
            # German groups are read as such; in the English way they are one mark apart from a fraction.
            return ("separators", cell.replace(",", ""), "ask") if "," in cell else None
        found = POINT_ZERO.fullmatch(cell)
        if found is not None and not places:
            return "point_zero", found[1], "ask"
        return None
    if isinstance(cell, float) and places < 3:
        # As it is written: 153.95 times a hundred is no whole number to a computer.
        exact = Decimal(format(cell, ".15g"))
        has_more_places = (exact * 10**places) % 1 != 0
        if has_more_places and (exact * 1000) % 1 == 0 and 1 <= exact < 1000:
            return "separators", int(exact * 1000), "ask"
    return None


def is_home(cell: Any) -> bool:
    """Whether the country beside a postal code leaves it to be a German one."""
    return str(cell or "").strip().casefold() in _HOME

"""What a cell says beside the value it had: at export, or as it stands now."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any

from flask_appadmin.sheets.damage.misreadings import is_misread_of
from flask_appadmin.sheets.damage.suspecting import look_at_amount
from flask_appadmin.sheets.damage.traces import (
    EPOCH,
    FORMULA,
    HARD_BLANKS,
    INVISIBLE,
    MONTH_TEXT,
    POINT_ZERO,
    SCIENTIFIC,
    SERIALS,
    is_cut_iban,
    serial_day,
    visible_text,
    without_apostrophes,
)
from flask_appadmin.specs import FieldSpec

_EPOCH_1904_DAYS = 1462
_FULL_DIGITS = 15


def compare(cell: Any, value: Any, base: Any, item: FieldSpec) -> str:
    """The cause that makes this cell out of the value it had, "" for none: then somebody meant it.

    `value` is the cell as it was read, None where it cannot be.
    """
    name = item.type.name
    if base is None or item.target is not None:
        return ""
    if name in ("text", "multiline"):
        return _compare_texts(cell, str(base), item)
    if name == "date":
        return _compare_days(cell, value, base)
    if name in ("integer", "decimal"):
        if isinstance(cell, datetime.date):
            return "became_date" if _makes_day(str(base), cell.day, cell.month, cell.year) else ""
        if isinstance(cell, str) and FORMULA.match(cell):
            return "formula"
        if value is None:
            found = POINT_ZERO.fullmatch(cell) if isinstance(cell, str) else None
            if found is not None and found[1] == str(base):
                return "point_zero"
            if isinstance(cell, int | float) and _power_between(Decimal(format(cell, ".15g")), Decimal(base)):
                return "separators"
            value = look_at_amount(cell, item)
            return value[0] if value is not None else ""
        return "separators" if _power_between(Decimal(value), Decimal(base)) else ""
    return ""


def _power_between(value: Decimal, base: Decimal) -> bool:
    """Whether the same digits stand two or three places further."""
    if not value or not base or value == base:
        return False
    digits = base.normalize().as_tuple().digits
    return len(digits) >= 2 and any(
        value * power == base or base * power == value for power in (Decimal(100), Decimal(1000))
    )


def _compare_days(cell: Any, value: Any, base: datetime.date) -> str:
    number = int(cell) if isinstance(cell, int | float) and 0 < cell < SERIALS.stop else serial_day(cell)
    if number:
        day = EPOCH + datetime.timedelta(days=number)
        return "serial" if (base - day).days in (0, _EPOCH_1904_DAYS, -_EPOCH_1904_DAYS) else ""
    if not isinstance(value, datetime.date):
        return ""
    if abs((value - base).days) == _EPOCH_1904_DAYS:
        return "epoch_1904"
    if abs(value.year - base.year) == 100 and (value.month, value.day) == (base.month, base.day):
        return "century"
    if value.year == base.year and (value.day, value.month) == (base.month, base.day):
        return "day_month"
    return ""


def _makes_day(base: str, day: int, month: int, year: int) -> bool:
    """Whether a program that looks for dates finds this one in a text: „1-2“, „3/4“, „2.10“, „10/26“."""
    numbers = [int(part) for part in re.findall(r"\d{1,4}", base)]
    if len(numbers) == 3:
        return {day, month} == set(numbers[:2]) or {day, month} == set(numbers[1:])
    if len(numbers) != 2:
        return False
    first, second = numbers
    return {day, month} == {first, second} or (day == 1 and month in numbers and year % 100 in (first, second))


def _compare_texts(cell: Any, base: str, item: FieldSpec) -> str:
    digits = re.sub(r"\D", "", base)
    if isinstance(cell, datetime.date):
        return "became_date" if _makes_day(base, cell.day, cell.month, cell.year) else ""
    if isinstance(cell, int | float):
        return _compare_with_number(cell, base, digits)
    text = str(cell)
    if len(text) > len(base) and without_apostrophes(text) in (base, without_apostrophes(base)):
        return "apostrophe"
    if visible_text(text) == visible_text(base):
        return "invisible" if INVISIBLE.search(text) or HARD_BLANKS.search(text) else "blanks"
    if FORMULA.match(text) and not base.startswith("="):
        return "formula"
    if SCIENTIFIC.fullmatch(text):
        return "scientific" if digits else ""
    if POINT_ZERO.fullmatch(text) and re.split("[.,]", text)[0] == base:
        return "point_zero"
    if base == f"+{text}":
        return "plus"
    if text.isdigit() and digits:
        if text.lstrip("0") == digits.lstrip("0"):
            return _lost_signs(base)
        if len(digits) > _FULL_DIGITS and text[: _FULL_DIGITS - 1] == digits[: _FULL_DIGITS - 1]:
            return "long_number"
    if re.fullmatch(r"\d{1,2}\.\d{1,2}\.(?:\d{2}|\d{4})", text):
        day, month, year = (int(part) for part in text.split("."))
        return "became_date" if base != text and _makes_day(base, day, month, year) else ""
    if MONTH_TEXT.fullmatch(text) and digits:
        return "became_date"
    if item.kind == "iban" and is_cut_iban(text) and text[:8] == base[:8]:
        return "long_number"
    return "encoding" if is_misread_of(text, base) else ""


def _compare_with_number(cell: float, base: str, digits: str) -> str:
    if isinstance(cell, float) and not cell.is_integer():
        return "separators" if re.sub(r"\D", "", format(cell, ".15g")) == digits and len(digits) > 2 else ""
    text = str(int(cell))
    if text == digits.lstrip("0"):
        return _lost_signs(base)
    day = EPOCH + datetime.timedelta(days=serial_day(cell))
    if day != EPOCH and _makes_day(base, day.day, day.month, day.year):
        return "became_date"
    if len(digits) > _FULL_DIGITS and text[: _FULL_DIGITS - 1] == digits.lstrip("0")[: _FULL_DIGITS - 1]:
        return "long_number"
    try:
        # „1E5“ is a number, too.
        return "scientific" if re.search("[eE]", base) and float(base) == cell else ""
    except ValueError:
        return ""


def _lost_signs(base: str) -> str:
    if base[:1] == "0" or (base[:1] in "(/" and "0" in base[:2]):
        return "zeros"
    if base[:1] == "+":
        return "plus"
    return "as_number" if not base.isdigit() else ""

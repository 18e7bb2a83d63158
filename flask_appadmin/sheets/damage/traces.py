"""How a value looks that a spreadsheet program changed: exponents, serial days, month names, invisible characters."""

from __future__ import annotations

import datetime
import re
from typing import Any

#: The day from which spreadsheets count, and the numbers that are taken for days: 1927 to 2119.
EPOCH = datetime.date(1899, 12, 30)
SERIALS = range(10_000, 80_000)
SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,]\d+[eE]\+?|[eE]\+)\d{1,3}")
FORMULA = re.compile(r"=[A-Za-zÄÖÜ(+\-\d$\"']")
POINT_ZERO = re.compile(r"(\d+)[.,]0{1,2}")
_MONTHS = "Jan|Feb|Mrz|Mär|Mar|Apr|Mai|May|Jun|Jul|Aug|Sep|Okt|Oct|Nov|Dez|Dec"
MONTH_TEXT = re.compile(rf"\d{{1,2}}\.?[ -]?(?:{_MONTHS})\.?|(?:{_MONTHS})\.?[ -]\d{{2}}(?:\d\d)?", re.IGNORECASE)
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
#: What hides a formula or keeps a number a text, once or several times, and as word processors turn it.
_APOSTROPHES = re.compile(r"['‘’´`]+(?=[+=\-@\d])")
HARD_BLANKS = re.compile("[\u00a0\u2007\u202f]")


def is_cut_iban(cell: str) -> bool:
    """Whether this was an IBAN before a spreadsheet program kept 15 digits of it."""
    from stdnum import iban

    text = re.sub(r"[\s.-]", "", cell).upper()
    if text.isdigit():
        return len(text) >= 12
    if not (text.endswith("0000") or (text[:2] in ("DE", "AT") and len(text) < 20)):
        return False
    return re.fullmatch(r"[A-Z]{2}\d\d[A-Z0-9]{8,}", text) is not None and not iban.is_valid(text)


def serial_day(cell: Any) -> int:
    """The day that a number in a column of dates counts to, 0 for none."""
    if isinstance(cell, str):
        cell = int(cell) if cell.isascii() and cell.isdigit() and len(cell) == 5 else 0
    if isinstance(cell, datetime.date) or not isinstance(cell, int | float):
        return 0
    return int(cell) if int(cell) in SERIALS else 0


def visible_text(text: str) -> str:
    """A text without what cannot be seen, and with one blank where there are several."""
    return " ".join(HARD_BLANKS.sub(" ", INVISIBLE.sub("", text)).split())


def without_apostrophes(text: str) -> str:
    """A text without the apostrophes before what a spreadsheet program would calculate.

    >>> without_apostrophes("''+43 1 2345"), without_apostrophes("'s Wirtshaus")
    ('+43 1 2345', "'s Wirtshaus")
    """
    found = _APOSTROPHES.match(text)
    return text[found.end() :] if found is not None else text

"""How one text is written: as a number, a date, a code, yes or no. Nothing is read as a value here."""

from __future__ import annotations

import re
from typing import Any

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+")
_DECIMAL_POINT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)\.\d+")
_THOUSANDS_POINT = re.compile(r"[+-]?\d{1,3}(?:\.\d{3}){2,}")
_THOUSANDS_COMMA = re.compile(r"[+-]?\d{1,3}(?:,\d{3}){2,}")
_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{2}|\d{4})(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")
_CURRENCY = re.compile(r"\s*(?:€|EUR|%|CHF)\s*$|^\s*(?:€|EUR|CHF)\s*")
_CURRENCY_STARTS = frozenset("€EC")
_CURRENCY_ENDS = frozenset("€%RF")
_NUMBER_STARTS = frozenset("0123456789+-")
_CONTACT = re.compile(r"\S+@\S+\.\S+|https?://\S+|www\.\S+")
_BOOLEANS = frozenset(("ja", "nein", "yes", "no", "true", "false", "wahr", "falsch"))


def is_datalike(cell: Any) -> bool:
    """Whether a cell looks like a value rather than a heading."""
    if cell is None:
        return False
    if not isinstance(cell, str):
        return True
    text = _CURRENCY.sub("", cell).strip()
    return bool(
        _INTEGER.fullmatch(text)
        or _DECIMAL_COMMA.fullmatch(text)
        or _DECIMAL_POINT.fullmatch(text)
        or _DATE.fullmatch(text)
        or _CONTACT.fullmatch(text)
    )


def kind_of_text(text: str) -> str:
    """One letter for how a text is written.

    t text, b yes or no, i whole number, z with leading zero, "," and "." decimals of that sign, ? either, D day first,
    M month first, S either, Y year first.
    """
    text = text.strip()
    if text[:1] in _CURRENCY_STARTS or text[-1:] in _CURRENCY_ENDS:
        text = _CURRENCY.sub("", text)
    first = text[:1]
    if first not in _NUMBER_STARTS or not first:
        return "b" if len(text) <= 6 and text.lower() in _BOOLEANS else "t"
    if _INTEGER.fullmatch(text):
        return "z" if len(text) > 1 and first == "0" else "i"
    found = _DATE.fullmatch(text)
    if found is not None:
        first_part, separator, second, third = int(found[1]), found[2], int(found[3]), found[4]
        if len(found[1]) == 4:
            return "Y" if 1 <= second <= 12 and 1 <= int(third) <= 31 and len(third) == 2 else "t"
        if len(found[1]) == 3 or not (first_part and second):
            return "t"
        if first_part > 12:
            return "D" if first_part <= 31 and second <= 12 else "t"
        if second > 12:
            return "M" if second <= 31 else "t"
        # With points the day comes first, wherever points are written.
        return "D" if separator == "." else "S"
    if _DECIMAL_COMMA.fullmatch(text):
        return "?" if re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text) else ","
    if _DECIMAL_POINT.fullmatch(text):
        return "?" if re.fullmatch(r"[+-]?[1-9]\d{0,2}\.\d{3}", text) else "."
    if _THOUSANDS_POINT.fullmatch(text):
        return ","
    if _THOUSANDS_COMMA.fullmatch(text):
        return "."
    return "t"

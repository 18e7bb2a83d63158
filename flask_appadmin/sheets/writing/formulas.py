"""Texts of a csv file that a spreadsheet program would take for formulas: protected when written, restored later."""

from __future__ import annotations

import re

#: What begins a formula in one spreadsheet program or another; the last four are the full width forms.
_FORMULA_STARTS = frozenset("=@\t\r\n＝＠")
_SIGNS = frozenset("+-＋－")
_NUMBER = re.compile(r"-[ ]?\d+(?:[.,]\d+)*\s?(?:%|€)?|\+[ ]?[\d(][\d\s()/.,\-]*")


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet program might take a csv cell for a formula. Numbers and telephone numbers are none.

    >>> is_formula_like("=1+1"), is_formula_like("+49 89 1"), is_formula_like("-5"), is_formula_like("- Bonn -")
    (True, False, False, True)
    """
    first = text[:1]
    if first in _FORMULA_STARTS and first:
        return True
    return first in _SIGNS and first != "" and _NUMBER.fullmatch(text) is None


def protect_csv_text(text: str) -> str:
    """A text for a csv cell: an apostrophe in front of what looks like a formula, and of what begins like our own mark.

    >>> protect_csv_text("=1+1"), protect_csv_text("+49 89 1"), protect_csv_text("'=1")
    ("'=1+1", '+49 89 1', "''=1")
    """
    first = text[:1]
    if first in _FORMULA_STARTS or first in _SIGNS or first == "'":
        if text and is_formula_like(text.lstrip("'")):
            return "'" + text
    return text


def restore_csv_text(text: str) -> str:
    """The text that `protect_csv_text` was given; for files that we wrote.

    >>> restore_csv_text("'=1+1"), restore_csv_text("'s Wirtshaus"), restore_csv_text("''=1")
    ('=1+1', "'s Wirtshaus", "'=1")
    """
    if text[:1] == "'" and is_formula_like(text.lstrip("'")):
        return text[1:]
    return text

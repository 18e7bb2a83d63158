"""Whole numbers in addresses, forms and files: what strangers send is looked at before it is taken for a number."""

from __future__ import annotations


def is_number(text: str, digits: int = 18) -> bool:
    """Whether the text is nothing but up to so many of the digits 0-9; 18 are sure to fit a key of either engine."""
    return text.isascii() and text.isdigit() and len(text) <= digits


def number_or_none(text: str) -> int | None:
    """The key that the text names, None where it names none."""
    return int(text) if is_number(text) else None

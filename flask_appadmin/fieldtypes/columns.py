"""Columns that Peewee has no exact class for: decimals as whole numbers, JSON in one spelling."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import peewee

if TYPE_CHECKING:
    pass


class DecimalField(peewee.BigIntegerField):
    """An exact decimal number: `digits` in all, `places` of them behind the point; stored as a whole number.

    SQLite would keep a decimal as a binary float; 19.99 euro are stored as 1999.
    """

    def __init__(self, digits: int, places: int, **options: Any) -> None:
        super().__init__(**options)
        self.digits = digits
        self.places = places

    def clone(self) -> DecimalField:
        copy = super().clone()
        copy.digits, copy.places = self.digits, self.places
        return copy

    def db_value(self, value: Any) -> int | None:
        if value is None or isinstance(value, peewee.Node):
            return value
        return int(Decimal(str(value)).scaleb(self.places).to_integral_value())

    def python_value(self, value: Any) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-self.places)

    adapt = None


class JSONField(peewee.TextField):
    """A JSON document as text, written the same way on both engines so that equal documents compare equal."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else json_text(value)

    def python_value(self, value: Any) -> Any:
        return None if value is None else json.loads(value)


def json_text(value: Any) -> str:
    """The one spelling of a JSON value: no blanks, keys in order, umlauts as they are."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

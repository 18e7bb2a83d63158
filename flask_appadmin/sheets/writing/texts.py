"""Values as the texts a German operator reads in a cell and an import understands; and what no text may hold."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from flask_appadmin.errors import SheetError
from flask_appadmin.i18n import _, gettext

YES = _("Ja")
NO = _("Nein")


def german_date(value: datetime.date) -> str:
    return f"{value.day:02}.{value.month:02}.{value.year:04}"


def german_datetime(value: datetime.datetime) -> str:
    return f"{german_date(value)} {value.hour:02}:{value.minute:02}:{value.second:02}"


def plain_text(value: Any) -> str:
    """A value as the text a German operator reads and an import understands."""
    if isinstance(value, bool):
        return str(YES if value else NO)
    if isinstance(value, datetime.datetime):
        return german_datetime(value)
    if isinstance(value, datetime.date):
        return german_date(value)
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", ",")
    if isinstance(value, float):
        return repr(value).replace(".", ",")
    return str(value)


def no_such_character(place: str) -> SheetError:
    """The fault of half a surrogate pair or a NUL in a text; no file can hold them."""
    return SheetError(
        gettext("%(place)s: Der Text enthält ein Zeichen, das es nicht gibt. Bitte geben Sie ihn neu ein.", place=place)
    )

"""Words for operators: gettext with the German text as message id, and German or English formats for numbers and dates.

Shape: `_("Text")` is lazy and may stand at module level; `gettext` and `ngettext` answer at once. Placeholders are
named: `gettext("%(count)s Zeilen", count=3)`. Catalogues are `.po` files read once, when a language other than German
is first asked for; a message that is missing there is shown in German. The locale belongs to the running request, job
or command (`use_locale`); without one it is German.
Units: dates are shown in the zone `Europe/Berlin`, stored ones are UTC.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
from collections.abc import Iterator
from contextvars import ContextVar
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.pofile import read_po
from babel.support import LazyProxy

#: The languages of the screens; the first is the one the message ids are written in.
LOCALES = ("de", "en")

_locale: ContextVar[str] = ContextVar("locale", default="de")
_catalogue_folders: list[Path] = [Path(__file__).parent / "translations"]


def add_catalogue_folder(folder: Path) -> None:
    """Lets the application put its own `<locale>.po` beside those of this layer; its words win."""
    if folder not in _catalogue_folders:
        _catalogue_folders.append(folder)
        _messages.cache_clear()


def current_locale() -> str:
    """The language of whoever is served now: "de" or "en"."""
    return _locale.get()


def set_locale(locale: str) -> None:
    """Sets the language for the rest of this request, job or command; an unknown one becomes German."""
    _locale.set(locale if locale in LOCALES else LOCALES[0])


@contextlib.contextmanager
def use_locale(locale: str) -> Iterator[None]:
    token = _locale.set(locale if locale in LOCALES else LOCALES[0])
    try:
        yield
    finally:
        _locale.reset(token)


@functools.cache
def _messages(locale: str) -> dict[str, str | tuple[str, ...]]:
    messages: dict[str, str | tuple[str, ...]] = {}
    for folder in _catalogue_folders:
        path = folder / f"{locale}.po"
        if not path.exists():
            continue
        with path.open("rb") as file:
            for message in read_po(file, locale=locale):
                if not message.id or not message.string:
                    continue
                if isinstance(message.id, tuple | list):
                    if all(message.string):
                        messages[message.id[0]] = tuple(message.string)
                else:
                    messages[message.id] = message.string  # type: ignore[assignment]
    return messages


def gettext(message: str, /, **parts: Any) -> str:
    """The message in the current language, its placeholders filled from `parts`."""
    if _locale.get() != LOCALES[0]:
        found = _messages(_locale.get()).get(message, message)
        message = found if isinstance(found, str) else found[0]
    return message % parts if parts else message


def ngettext(singular: str, plural: str, count: int, /, **parts: Any) -> str:
    """The form for `count`; `%(count)s` is filled with the formatted count unless `parts` gives one."""
    message = singular if count == 1 else plural
    if _locale.get() != LOCALES[0]:
        found = _messages(_locale.get()).get(singular, message)
        message = found if isinstance(found, str) else found[0 if count == 1 else 1]
    parts.setdefault("count", format_number(count))
    return message % parts


def _(message: str, /) -> Any:
    """The message as a lazy text: looked up each time it is shown, so that it may stand in a declaration."""
    return LazyProxy(gettext, message, enable_cache=False)


def many(singular: str, plural: str, /) -> Any:
    """The plural as a lazy text, for words whose German says the same for one and for many."""
    return LazyProxy(ngettext, singular, plural, 2, enable_cache=False)


def message_id(text: Any) -> str:
    """The German text behind a lazy message; a plain text is its own id. Histories and files are keyed by it."""
    return message_id(text._args[0]) if isinstance(text, LazyProxy) else str(text)


def format_number(value: int) -> str:
    """48211 -> "48.211" in German, "48,211" in English."""
    return f"{value:,}" if _locale.get() == "en" else f"{value:,}".replace(",", ".")


def format_decimal(value: Decimal, places: int | None = None, *, grouping: bool = True) -> str:
    """Decimal("12400.5") with 2 places -> "12.400,50"; without `places` as many as the value has."""
    text = f"{value:,.{places}f}" if places is not None else f"{value:,f}"
    if not grouping:
        text = text.replace(",", "")
    return text if _locale.get() == "en" else text.translate(str.maketrans(",.", ".,"))


def format_date(value: datetime.date) -> str:
    """31.12.2026 in German, 2026-12-31 in English."""
    return f"{value:%Y-%m-%d}" if _locale.get() == "en" else f"{value:%d.%m.%Y}"


@functools.cache
def _zone() -> ZoneInfo:
    return ZoneInfo("Europe/Berlin")


def to_local(value: datetime.datetime) -> datetime.datetime:
    """A stored time (UTC, without zone) as local time without zone."""
    return value.replace(tzinfo=datetime.UTC).astimezone(_zone()).replace(tzinfo=None)


def to_utc(value: datetime.datetime) -> datetime.datetime:
    """A local time without zone as stored time (UTC, without zone)."""
    return value.replace(tzinfo=_zone()).astimezone(datetime.UTC).replace(tzinfo=None)


def format_datetime(value: datetime.datetime, *, seconds: bool = False) -> str:
    """A stored time (UTC) as local date and time: "31.12.2026 14:02"."""
    local = to_local(value)
    clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    return f"{format_date(local)} {clock}"


def format_age(value: datetime.datetime, now: datetime.datetime) -> str:
    """How long ago a stored time is, as people say it: "vor 5 Min.", "gestern", "18.11.2026"."""
    minutes = int((now - value).total_seconds() // 60)
    if minutes > 3_000:
        return format_date(to_local(value))
    local, local_now = to_local(value), to_local(now)
    if 0 <= minutes < 1:
        return gettext("gerade eben")
    if 0 <= minutes < 60:
        return gettext("vor %(count)s Min.", count=minutes)
    if local.date() == local_now.date() and minutes >= 0:
        return gettext("vor %(count)s Std.", count=minutes // 60)
    if local.date() == local_now.date() - datetime.timedelta(days=1):
        return gettext("gestern")
    return format_date(local)

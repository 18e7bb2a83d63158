"""The rows of a grid differ in names and values only: each kind of field, and the frame of a row, is drawn once.

Shape: `Patterns()(field, macro)` answers what `macro(field)` would, for the macros of fields.html. A field that says
something of its own (a fault, a choice between two versions, a link) is drawn by its macro. `StoredRows()(grid, row,
macro)` does the same for `child_row` of child_grid.html and rows that stand there as they are stored; others are drawn
by the macro. Both live for one request.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from flask_appadmin.i18n import current_locale

#: What stands for a changing part while a pattern is drawn: characters that no value may have.
_MARKS = {
    "\x01": "%(name)s",
    "\x02": "%(value)s",
    "\x03": "%(display)s",
    "\x04": "%(open)s",
    "\x05": "%(reveal)s",
}
_NAME, _VALUE, _DISPLAY, _OPEN, _REVEAL = _MARKS

_SPECIAL = re.compile("[&<>'\"]").search

_FILLED = frozenset(("text", "number", "date", "datetime", "phone", "email", "url", "lookup", "textarea", "masked"))


class Patterns:
    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], str] = {}

    def __call__(self, field: Any, macro: Any) -> Markup:
        return Markup(self.html(field, macro))

    def html(self, field: Any, macro: Any) -> str:
        """The same as a plain text."""
        kind, value = field.kind, field.value
        said = field.errors or field.conflict or field.changed or field.link
        if said or field.note or field.hint or field.when or field.spec.within:
            return str(macro(field))
        is_chosen = kind == "select"
        if kind in _FILLED:
            value = "" if value is None else value
            sample: Any = _VALUE
            if kind == "textarea" and value.startswith("\n"):
                return str(macro(field))
        elif kind == "check":
            sample = value
        elif is_chosen:
            # Only whether there is a value says which options there are.
            sample = _VALUE if value else ""
        else:
            return str(macro(field))
        opened, reveal = field.open_url, field.reveal_url
        place = (
            field.short_name, macro.name, kind, field.readonly, field.required, field.placeholder, sample,
            opened != "", reveal != "",
        )  # fmt: skip
        pattern = self._known.get(place)
        if pattern is None:
            pattern = self._known[place] = _pattern(field, sample, macro, place)
        text = _escaped(value) if value and value is not True else ""
        html = pattern % {
            "name": field.name,
            "value": text,
            "display": _escaped(field.display),
            "open": _escaped(opened),
            "reveal": _escaped(reveal),
        }
        if is_chosen and value:
            html = html.replace(f'<option value="{text}">', f'<option value="{text}" selected>', 1)
        return html


def _escaped(text: Any) -> str:
    if not text:
        return ""
    return str(escape(text)) if _SPECIAL(text) else text


#: What a field looks like -> its pattern, for all requests: the fields of two operators differ in a few titles at most.
_kept: dict[tuple[Any, ...], str] = {}
_MOST_KEPT = 4_000


def _pattern(field: Any, value: Any, macro: Any, place: tuple[Any, ...]) -> str:
    look = (
        place, field.spec, current_locale(), field.label, field.help, field.unit, field.maxlength, field.unticked,
        field.wide, field.lookup_url, field.browsed, field.begin, tuple(map(tuple, field.choices)),
    )  # fmt: skip
    found = _kept.get(look)
    if found is None:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        found = _kept[look] = _drawn(field, value, macro)
    return found


def _drawn(field: Any, value: Any, macro: Any) -> str:
    drawn = copy.copy(field)
    drawn.name, drawn.value, drawn.display = _NAME, value, _DISPLAY
    drawn.open_url, drawn.reveal_url = field.open_url and _OPEN, field.reveal_url and _REVEAL
    return _filled_in(str(macro(drawn)), _MARKS)


def _filled_in(html: str, marks: dict[str, str]) -> str:
    html = html.replace("%", "%%")
    for mark, words in marks.items():
        html = html.replace(mark, words)
    return html


#: The parts of the frame of a row; \x05 stands around the name of a field or the number of a text.
_ROW_MARKS = {"\x01": "%(key)s", "\x02": "%(version)s", "\x03": "%(label)s", "\x04": "%(url)s"}
KEY, VERSION, LABEL, URL = _ROW_MARKS
_SLOT = re.compile("\x05([a-z0-9_]+)\x05")


def text_mark(number: int) -> str:
    """What stands for the text of a cell in the frame of a row with a window."""
    return f"\x05text_{number}\x05"


@dataclass(frozen=True)
class StoredRow:
    """A row of a grid as it is stored."""

    key: str
    version: str
    label: str
    url: str
    values: dict[str, Any]


class StoredRows:
    def __init__(self, draw: Patterns, frame: Callable[[], Any], show: Callable[[StoredRow], list[Any]]) -> None:
        """`frame` makes the row that the frame is drawn of; `show` fills the fields with the values of a row and
        answers the texts of its cells."""
        self._draw = draw
        self._make_frame = frame
        self._show = show
        self._frame = ""
        #: name -> (field, macro that draws it)
        self._slots: dict[str, tuple[Any, Any]] = {}

    def __call__(self, grid: dict[str, Any], row: Any, macro: Any) -> Markup:
        if not isinstance(row, StoredRow):
            return Markup(macro(grid, row))
        if not self._frame:
            html = str(macro({**grid, "draw": self._slot}, self._make_frame()))
            self._frame = _SLOT.sub(r"%(\1)s", _filled_in(html, _ROW_MARKS))
        parts: dict[str, Any] = {f"text_{number}": _escaped(text) for number, text in enumerate(self._show(row))}
        for name, (field, drawn_by) in self._slots.items():
            parts[name] = self._draw.html(field, drawn_by)
        parts |= {"key": row.key, "version": row.version, "label": _escaped(row.label), "url": _escaped(row.url)}
        return Markup(self._frame % parts)

    def _slot(self, field: Any, macro: Any) -> Markup:
        name = f"field_{field.short_name}"
        self._slots[name] = (field, macro)
        return Markup(f"\x05{name}\x05")

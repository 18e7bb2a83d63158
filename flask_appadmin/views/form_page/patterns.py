"""Fields, and the rows of a grid, differ in names and values only: each is drawn once, and filled in from then on.

Shape: `drawn(field, macro)` answers what `macro(field)` would, for the macros of fields.html. A field that says
something of its own (a fault, a choice between two versions, a link) is drawn by its macro. `Rows()(grid, row, macro)`
does the same for `child_row` of child_grid.html and rows about which there is nothing to say but their values; others
are drawn by the macro. Patterns of fields are kept with the arranged field (forms.py), frames of rows beside them:
as long as nobody arranges anything or changes rights. What is filled in is escaped here, value by value.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup, escape

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


def drawn(field: Any, macro: Any) -> Markup:
    return Markup(html_of(field, macro))


def html_of(field: Any, macro: Any) -> str:
    """The same as a plain text."""
    kind, value = field.kind, field.value
    said = field.errors or field.conflict or field.changed or field.link or field.note or field.hint or field.when
    if said or field.begin or field.spec.within:
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
        macro.name, kind, field.readonly, field.required, field.placeholder, sample, opened != "", reveal != ""
    )  # fmt: skip
    pattern = field.patterns.get(place)
    if pattern is None:
        pattern = field.patterns[place] = _pattern(field, sample, macro)
    text = _escaped(value) if value and value is not True else ""
    html: str = pattern % {
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


def _pattern(field: Any, value: Any, macro: Any) -> str:
    sample = copy.copy(field)
    sample.name, sample.value, sample.display = _NAME, value, _DISPLAY
    sample.open_url, sample.reveal_url = field.open_url and _OPEN, field.reveal_url and _REVEAL
    return _filled_in(str(macro(sample)), _MARKS)


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


#: So many new rows are kept as they are drawn, for all tables together.
_MOST_NEW_ROWS = 200


@dataclass(frozen=True)
class PlainRow:
    """A row of a grid as it is stored, or as a new one begins (`values` is None)."""

    key: str
    version: str
    label: str
    url: str
    values: dict[str, Any] | None


@dataclass(frozen=True)
class _Frame:
    """A row without what changes: `%(…)s` stands for that. Slots: (part, name of the field, macro that draws it)."""

    html: str
    slots: tuple[tuple[str, str, Any], ...]


class Rows:
    """Draws the rows of one grid."""

    def __init__(
        self,
        kept: dict[Any, Any],
        place: tuple[Any, ...],
        sample: Callable[[bool], Any],
        show: Callable[[PlainRow], tuple[Any, list[str]]],
        begins: Callable[[], Any],
    ) -> None:
        """`kept`, `place`: where the frames stay. `sample` makes the row that a frame is drawn of, for a stored or for
        a new row; `show` answers the fields filled with the values of a row, and the texts of its cells. `begins` names
        all that a new row shows; None where that follows from the record, too."""
        self._kept = kept
        self._place = place
        self._sample = sample
        self._show = show
        self._begins = begins

    def __call__(self, grid: Any, row: Any, macro: Any) -> Markup:
        if not isinstance(row, PlainRow):
            return Markup(macro(grid, row))
        if row.values is not None:
            return Markup(self._filled(grid, row, macro))
        shown = self._begins()
        if shown is None:
            return Markup(self._filled(grid, row, macro))
        known = self._kept.setdefault("new rows", {})
        place = (*self._place, row, shown)
        html: Markup | None = known.get(place)
        if html is None:
            html = Markup(self._filled(grid, row, macro))
            if len(known) >= _MOST_NEW_ROWS:
                known.clear()
            known[place] = html
        return html

    def _filled(self, grid: Any, row: PlainRow, macro: Any) -> str:
        is_new = row.values is None
        place = (*self._place, is_new)
        frame: _Frame | None = self._kept.get(place)
        if frame is None:
            frame = self._kept[place] = self._drawn(grid, is_new, macro)
        form, texts = self._show(row)
        parts = {"key": row.key, "version": row.version, "label": _escaped(row.label), "url": _escaped(row.url)}
        for number, text in enumerate(texts):
            parts[f"text_{number}"] = _escaped(text)
        for part, name, drawn_by in frame.slots:
            parts[part] = html_of(form[name], drawn_by)
        return frame.html % parts

    def _drawn(self, grid: Any, is_new: bool, macro: Any) -> _Frame:
        slots: dict[str, tuple[str, str, Any]] = {}

        def slot(field: Any, drawn_by: Any) -> Markup:
            part = f"field_{field.spec.name}"
            slots[part] = (part, field.spec.name, drawn_by)
            return Markup(f"\x05{part}\x05")

        html = str(macro(SimpleNamespace(**{**vars(grid), "draw": slot}), self._sample(is_new)))
        html = _SLOT.sub(r"%(\1)s", _filled_in(html, _ROW_MARKS))
        return _Frame(html, tuple(slots.values()))

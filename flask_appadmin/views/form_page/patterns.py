"""The rows of a grid differ in names and values only: each kind of field is drawn once and filled in for every row.

Shape: `Patterns()(field, macro)` answers what `macro(field)` would, for the macros of fields.html. A field that says
something of its own (a fault, a choice between two versions, a link) is drawn by its macro. Lives for one request.
"""

from __future__ import annotations

import copy
from typing import Any

from markupsafe import Markup, escape

#: What stands for the name, the value and the title while a pattern is drawn: characters that no value may have.
_MARKS = {"\x01": "%(name)s", "\x02": "%(value)s", "\x03": "%(display)s"}
_NAME, _VALUE, _DISPLAY = _MARKS

_FILLED = frozenset(("text", "number", "date", "datetime", "phone", "email", "url", "lookup", "textarea"))
_CHOSEN = frozenset(("select", "check"))


class Patterns:
    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], str] = {}

    def __call__(self, field: Any, macro: Any) -> Markup:
        kind, value = field.kind, field.value
        said = field.errors or field.conflict or field.changed or field.link or field.open_url or field.reveal_url
        if said or field.note or field.hint or field.when or field.spec.within:
            return Markup(macro(field))
        if kind in _FILLED:
            value = "" if value is None else value
            sample: Any = _VALUE
            if kind == "textarea" and value.startswith("\n"):
                return Markup(macro(field))
        elif kind in _CHOSEN:
            sample = value
        else:
            return Markup(macro(field))
        place = (field.short_name, macro.name, kind, field.readonly, field.required, field.placeholder, sample)
        pattern = self._known.get(place)
        if pattern is None:
            pattern = self._known[place] = _pattern(field, sample, macro)
        display = field.display
        fills = {
            "name": field.name,
            "value": escape(value) if value else "",
            "display": escape(display) if display else "",
        }
        return Markup(pattern % fills)


def _pattern(field: Any, value: Any, macro: Any) -> str:
    drawn = copy.copy(field)
    drawn.name, drawn.value, drawn.display = _NAME, value, _DISPLAY
    text = str(macro(drawn)).replace("%", "%%")
    for mark, words in _MARKS.items():
        text = text.replace(mark, words)
    return text

"""Sentences for rules over several fields, as `validate` of the models yields them.

Shape: each function answers FieldErrors that stand at one field. Errors: none are raised here.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask_appadmin.errors import FieldError, MissingValue
from flask_appadmin.i18n import gettext
from flask_appadmin.specs import spec_of


def fault(model: Any, name: str, reason: str, value: Any = None, advice: str = "") -> FieldError:
    """A fault at the field `name`; `value` is shown in quotation marks when it helps to find it."""
    item = spec_of(model).field(name)
    # A day is told as people write it.
    return FieldError(item, item.format(value) if isinstance(value, datetime.date) else value, reason, advice)


def missing(model: Any, name: str, reason: str) -> FieldError:
    """A field that has to be filled, and why."""
    return MissingValue(spec_of(model).field(name), None, reason, gettext("Bitte ausfüllen."))


def ends_before_start(model: Any, values: Mapping[str, Any], start: str, end: str) -> Iterator[FieldError]:
    """Complains about a period (or range) whose end lies before its start."""
    first, last = values.get(start), values.get(end)
    if first is not None and last is not None and last < first:
        spec = spec_of(model)
        yield FieldError(
            spec.field(end),
            spec.field(end).format(last),
            gettext(
                "liegt vor „%(start)s“ (%(first)s)",
                start=str(spec.field(start).label),
                first=spec.field(start).format(first),
            ),
        )


def more_than_one(model: Any, values: Mapping[str, Any], names: Iterable[str]) -> Iterator[FieldError]:
    """Complains when more than one of several marks is set, at the last of them."""
    chosen = [name for name in names if values.get(name)]
    if len(chosen) > 1:
        spec = spec_of(model)
        yield fault(
            model,
            chosen[-1],
            gettext(
                "Von „%(marks)s“ kann höchstens eines gelten.",
                marks="“, „".join(str(spec.field(name).label) for name in names),
            ),
        )

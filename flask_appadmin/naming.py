"""Records by the names people give them: a pasted or scanned list of numbers becomes keys.

Shape: `read_names` takes a text apart: one entry per line, tab, comma or semicolon. `find_named` looks each entry up in
the model's natural key, and in the other fields of its title where there is none; an entry that is nobody's name is
taken apart at its blanks and looked up again, so that "10001 10002" are two records and "Band zwei" is one book.
Limits: 10,000 entries by default. Errors: TooManyNames; what is not found or not unique comes back as a result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_appadmin.errors import AppAdminError, FieldError
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.rights import Operator, may_read_full, visible
from flask_appadmin.specs import FieldSpec, ModelSpec

#: So many values per question; engines limit the placeholders of a statement.
_AT_ONCE = 900

_LONGEST = 200


class TooManyNames(AppAdminError):
    """More entries than are looked up at once."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def sentence(self) -> str:
        return gettext("Das sind zu viele auf einmal; möglich sind %(count)s.", count=format_number(self.limit))


@dataclass
class Named:
    """What a list of names led to."""

    #: In the order of the list, each once.
    keys: list[int] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    #: Names of several records: none of them is taken.
    ambiguous: list[str] = field(default_factory=list)


def read_names(text: str, limit: int = 10_000) -> list[str]:
    """The entries of a pasted text, each once.

    >>> read_names("10001; 10002\\n10003\\t10001,\\n")
    ['10001', '10002', '10003']
    """
    entries = (entry.replace("\x00", "").strip(" \u00a0\ufeff\"'") for entry in re.split(r"[\r\n\t;,]+", text))
    names = list(dict.fromkeys(entry[:_LONGEST] for entry in entries if entry))
    if len(names) > limit:
        raise TooManyNames(limit)
    return names


def find_named(spec: ModelSpec, operator: Operator, names: Sequence[str], limit: int = 10_000) -> Named:
    """The records that the names mean, as far as the operator may see them."""
    fields = [item for item in spec.natural_key if item.target is None]
    fields = fields or [item for item in spec.naming_fields if item.target is None]
    fields = [item for item in fields if may_read_full(operator, item) and not item.secret]
    known = _keys_of(spec, operator, fields, names)
    pieces = {name: name.split() for name in names if name not in known and " " in name}
    parts = dict.fromkeys(piece for each in pieces.values() for piece in each)
    if len(parts) > limit:
        raise TooManyNames(limit)
    known |= _keys_of(spec, operator, fields, parts)
    found = Named()
    keys: dict[int, None] = {}
    for name in names:
        for piece in (
            [name] if name in known or not any(part in known for part in pieces.get(name, ())) else pieces[name]
        ):
            meant = known.get(piece, ())
            if not meant:
                found.missing.append(piece)
            elif len(meant) > 1:
                found.ambiguous.append(piece)
            else:
                keys[next(iter(meant))] = None
    found.keys = list(keys)
    return found


def _keys_of(
    spec: ModelSpec, operator: Operator, fields: Sequence[FieldSpec], names: Iterable[str]
) -> dict[str, set[int]]:
    """Name -> keys of the records that it is a name of, in one of these fields."""
    known: dict[str, set[int]] = {}
    key_field = spec.model._meta.primary_key
    condition = visible(operator, spec)
    for item in fields:
        wanted: dict[Any, list[str]] = {}
        for name in names:
            value = _value(item, name)
            if value is not None:
                wanted.setdefault(value, []).append(name)
        values = list(wanted)
        for start in range(0, len(values), _AT_ONCE):
            query = spec.model.select(key_field, item.column_field)
            query = query.where(item.column_field.in_(values[start : start + _AT_ONCE]))
            for key, value in (query if condition is None else query.where(condition)).tuples():
                for name in wanted.get(value, ()):
                    known.setdefault(name, set()).add(key)
    return known


def _value(item: FieldSpec, name: str) -> Any:
    """The name as a value of the field, None where it cannot be one."""
    if item.type.name in ("text", "multiline"):
        return name
    try:
        value = item.parse(name)
    except FieldError:
        return None
    if isinstance(value, int) and abs(value) > 2**63 - 1:
        return None
    return value

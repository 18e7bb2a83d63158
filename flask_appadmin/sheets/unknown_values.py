"""Words of a file that no table and no list of codes knows: collected while planning, explained once by the operator.

Shape: an `UnknownValues` counts them by target; they are kept with the run as [{target, heading, text, count, row}, …].
`possible_values` are what a field takes, as (text that it understands, words), `similar` the nearest of them. What the
operator says is kept in `ImportOptions.values`, and with the mapping the file was read with (schemas.py).
Errors: none. Source: goal I3; trust case 115.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, visible
from flask_appadmin.search import fold
from flask_appadmin.specs import FieldSpec

#: So many different words are kept with a run.
_KEPT = 500
#: Tables up to this length are offered as a whole; longer ones are searched.
LISTED = 300
#: How like a word has to be to be proposed (difflib's ratio).
_LIKE = 0.6


class UnknownValues:
    """Counts what cannot be read because nobody knows the word."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], dict[str, Any]] = {}

    def note(self, target: str, heading: str, text: str, row: int) -> None:
        entry = self._found.get((target, text.casefold()))
        if entry is not None:
            entry["count"] += 1
        elif len(self._found) < _KEPT:
            place = {"target": target, "heading": heading, "text": text[:200], "count": 1, "row": row}
            self._found[target, text.casefold()] = place

    def to_json(self) -> list[dict[str, Any]]:
        return list(self._found.values())


def is_closed(item: FieldSpec) -> bool:
    """Whether a field takes the values of a list only."""
    return not item.within and (item.target is not None or bool(item.choices) or item.type.name == "bool")


def possible_values(item: FieldSpec, operator: Operator) -> list[tuple[str, str]] | None:
    """(text that the field understands, words) of everything it takes; None for a table that is too long."""
    if item.type.name == "bool":
        return [("1", gettext("Ja")), ("0", gettext("Nein"))]
    if item.target is None:
        return [(str(code), f"{label}") for code, label in item.choices]
    table = item.references
    key = table.model._meta.primary_key
    naming = table.naming_fields[0]
    query = table.model.select(key, naming.column_field).order_by(naming.column_field).limit(LISTED + 1)
    condition = visible(operator, table)
    rows = list((query if condition is None else query.where(condition)).tuples())
    if len(rows) > LISTED:
        return None
    titles = ReferenceCache().titles(table, {row[0] for row in rows})
    return [(naming.format(row[1]), titles[row[0]]) for row in rows if row[1] is not None]


def similar(text: str, values: Sequence[tuple[str, str]]) -> list[str]:
    """The values whose words are most like the text, the nearest first; at most three."""
    known: dict[str, str] = {}
    for value, words in values:
        for word in (value, words, *words.split()):
            if len(word) > 1 or word == value:
                known.setdefault(fold(word), value)
    found = difflib.get_close_matches(fold(text), list(known), n=6, cutoff=_LIKE)
    found += [word for word in known if len(fold(text)) > 2 and word.startswith(fold(text))]
    return list(dict.fromkeys(known[word] for word in found))[:3]


__all__ = ["LISTED", "UnknownValues", "is_closed", "possible_values", "similar"]

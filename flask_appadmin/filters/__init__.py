"""Conditions on records: condition <-> URL <-> query <-> sentence.

Shape: a Filter is a model's search text and a tuple of Parts that all hold: comparisons of a field, questions to
children, references and the history, and groups of those. In a URL (and behind `--query`) it reads
`search=müller&country=DE&city__begins=Wien&address.country=AT&any=tour%3D1%26tour%3D2`; a name that comes twice means
one of its values. References are named by their natural key. Names of the list page itself (`sort`, `size` …) are left
to it; `reading.py` says all forms.
Errors: what cannot be understood raises FilterError with its name, and what the operator may not see FilterNotAllowed.
Nothing is dropped silently, since a filter that vanishes would let "all that match" mean everything.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask_appadmin.filters.comparing import Condition, Operation, Today, operations_for, read_condition, unlimited
from flask_appadmin.filters.parts import FilterNotAllowed, Group, Part
from flask_appadmin.filters.past import PAST_OPERATIONS, Changed
from flask_appadmin.filters.reading import GROUPS, RESERVED, Reader, field_at, register_part
from flask_appadmin.filters.related import Related
from flask_appadmin.filters.typed import TypedCondition
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.search import checked_question, matches
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache


@dataclass(frozen=True)
class Filter:
    """What a list is limited to: a search text and parts that all hold."""

    spec: ModelSpec
    search: str = ""
    conditions: tuple[Part, ...] = ()

    @classmethod
    def from_text(cls, spec: ModelSpec, text: str, operator: Operator) -> Filter:
        """Reads the text of a URL's query or of `--query`; raises FilterError."""
        return cls.from_pairs(spec, parse_qsl(text.lstrip("?"), keep_blank_values=True), operator)

    @classmethod
    def from_pairs(cls, spec: ModelSpec, pairs: Iterable[tuple[str, str]], operator: Operator) -> Filter:
        """Reads (name, value) pairs; the same name again adds a value; raises FilterError."""
        pairs = list(pairs)
        searched = next((text for name, text in pairs if name == "search"), "")
        search = checked_question(searched)
        return cls(spec, search, Reader(spec, operator).read(pairs))

    @property
    def is_empty(self) -> bool:
        return not self.search and not self.conditions

    def where(self, operator: Operator) -> Any:
        """The filter as a query expression, or None when it matches everything."""
        parts = [condition.expression(operator) for condition in self.conditions]
        if self.search:
            parts.append(matches(self.spec, self.search, operator))
        return functools.reduce(lambda first, second: first & second, parts) if parts else None

    @property
    def named(self) -> set[FieldSpec]:
        """The model's own fields that are asked about, in groups too."""
        return set().union(*(part.named for part in self.conditions))

    def sentences(self) -> list[str]:
        names = ReferenceCache()
        return [condition.sentence(names) for condition in self.conditions]

    def describe(self) -> str:
        """The whole filter in one sentence, for confirmations and histories."""
        parts = self.sentences()
        if self.search:
            parts.insert(0, gettext("Suche „%(text)s“", text=self.search))
        return ", ".join(parts) or gettext("alle")

    def pairs(self) -> list[tuple[str, str]]:
        names = ReferenceCache()
        pairs = [("search", self.search)] if self.search else []
        for condition in self.conditions:
            pairs += condition.url_pairs(names)
        return pairs

    def to_text(self) -> str:
        """The filter as the text of a URL's query."""
        return urlencode(self.pairs())

    def without(self, condition: Part) -> Filter:
        return Filter(self.spec, self.search, tuple(other for other in self.conditions if other != condition))


__all__ = [
    "GROUPS",
    "PAST_OPERATIONS",
    "RESERVED",
    "Changed",
    "Condition",
    "Filter",
    "FilterNotAllowed",
    "Group",
    "Operation",
    "Part",
    "Related",
    "Today",
    "TypedCondition",
    "field_at",
    "operations_for",
    "read_condition",
    "register_part",
    "unlimited",
]

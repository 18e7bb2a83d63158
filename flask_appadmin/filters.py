"""Conditions on records: condition <-> URL <-> query <-> sentence.

Shape: `Filter` is a model's search text and a tuple of Conditions that all hold. In a URL (and behind `--query`) it
reads `search=müller&country=DE&status=active&city__begins=Wien`; a name that comes twice means one of its values.
References are named by their natural key. Names of the list page itself (`sort`, `page` …) are left to it.
Errors: whatever cannot be understood raises FilterError with its name; nothing is dropped silently, since a filter that
vanishes would let "all that match" mean everything.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask_appadmin.errors import FieldError, FilterError
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import Operator, may_read_full
from flask_appadmin.search import matches
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache, shown

#: Names in a list's URL that are not fields.
RESERVED = frozenset(
    {
        "search",
        "sort",
        "after",
        "before",
        "at",
        "size",
        "view",
        "columns",
        "selection",
        "count",
        "page",
        "tab",
        "url",
        "only",
    }
)


@dataclass(frozen=True)
class Operation:
    """A way to compare: its key in URLs, its words, how many values it takes, the kinds of field it suits."""

    key: str
    label: Any
    values: int
    #: Sentence with %(field)s and %(value)s.
    sentence: Any


_ALL = {
    operation.key: operation
    for operation in (
        Operation("", _("ist"), -1, _("%(field)s ist %(value)s")),
        Operation("not", _("ist nicht"), -1, _("%(field)s ist nicht %(value)s")),
        Operation("contains", _("enthält"), 1, _("%(field)s enthält „%(value)s“")),
        Operation("begins", _("beginnt mit"), 1, _("%(field)s beginnt mit „%(value)s“")),
        Operation("empty", _("ist leer"), 0, _("%(field)s ist leer")),
        Operation("filled", _("ist ausgefüllt"), 0, _("%(field)s ist ausgefüllt")),
        Operation("from", _("ab"), 1, _("%(field)s ab %(value)s")),
        Operation("to", _("bis"), 1, _("%(field)s bis %(value)s")),
        Operation("between", _("zwischen"), 2, _("%(field)s zwischen %(value)s")),
    )
}

_BY_KIND: dict[str, tuple[str, ...]] = {
    "text": ("contains", "begins", "", "not", "empty", "filled"),
    "multiline": ("contains", "empty", "filled"),
    "choice": ("", "not", "empty", "filled"),
    "reference": ("", "not", "empty", "filled"),
    "bool": ("",),
    "integer": ("", "not", "from", "to", "between", "empty", "filled"),
    "decimal": ("", "not", "from", "to", "between", "empty", "filled"),
    "date": ("", "from", "to", "between", "empty", "filled"),
    "datetime": ("from", "to", "between", "empty", "filled"),
    "json": ("empty", "filled"),
}


def operations_for(spec: FieldSpec) -> tuple[Operation, ...]:
    """The ways to compare that suit a field, the most useful first."""
    if spec.masked or spec.secret:
        return ()
    return tuple(_ALL[key] for key in _BY_KIND[spec.type.name])


class Part:
    """One part of a filter, whatever it asks: a query expression, a sentence, and its text in a URL."""

    #: The field it compares, None where it asks for something else.
    spec: FieldSpec | None

    def expression(self, operator: Operator) -> Any:
        """The part as a query expression on the model's own table."""
        raise NotImplementedError

    def sentence(self, names: ReferenceCache | None = None) -> str:
        """What operators read."""
        raise NotImplementedError

    def url_pairs(self, names: ReferenceCache | None = None) -> list[tuple[str, str]]:
        """The part as it stands in a URL."""
        raise NotImplementedError


@dataclass(frozen=True)
class Condition(Part):
    """One comparison: a field, how, and the Python values it is compared with."""

    spec: FieldSpec
    operation: Operation
    values: tuple[Any, ...]

    def expression(self, operator: Operator) -> Any:
        """The condition as a query expression on the model's own table."""
        column, key = self.spec.column_field, self.operation.key
        if key == "empty":
            return column.is_null()
        if key == "filled":
            return column.is_null(False)
        if key == "":
            return column == self.values[0] if len(self.values) == 1 else column.in_(self.values)
        if key == "not":
            # A field that is not filled is not "DE" either.
            return column.is_null() | column.not_in(self.values)
        if key == "contains":
            return column.contains(self.values[0])
        if key == "begins":
            return column.startswith(self.values[0])
        if key == "from":
            return column >= self.values[0]
        if key == "to":
            return column <= self.values[0]
        return column.between(self.values[0], self.values[1])

    def sentence(self, names: ReferenceCache | None = None) -> str:
        """„Land ist Deutschland oder Österreich“."""
        words = [shown(self.spec, value, names) for value in self.values]
        if self.operation.key == "between":
            value = gettext("%(low)s und %(high)s", low=words[0], high=words[1])
        elif len(words) > 1:
            value = gettext("%(list)s oder %(last)s", list=", ".join(words[:-1]), last=words[-1])
        else:
            value = words[0] if words else ""
        return str(self.operation.sentence) % {"field": self.spec.label, "value": value}

    def url_pairs(self, names: ReferenceCache | None = None) -> list[tuple[str, str]]:
        """The condition as it stands in a URL: references by natural key, choices by code."""
        name = f"{self.spec.name}__{self.operation.key}" if self.operation.key else self.spec.name
        if self.operation.values == 0:
            return [(name, "1")]
        return [(name, self._url_text(value, names)) for value in self.values]

    def _url_text(self, value: Any, names: ReferenceCache | None) -> str:
        if self.spec.target is not None:
            return (names or ReferenceCache()).codes(self.spec.references, {value})[value]
        if self.spec.type.name == "choice":
            return str(value)
        if self.spec.type.name == "bool":
            return "1" if value else "0"
        stored = self.spec.type.to_json(value, self.spec)
        return str(stored)


@dataclass(frozen=True)
class Filter:
    """What a list is limited to: a search text and conditions that all hold."""

    spec: ModelSpec
    search: str = ""
    conditions: tuple[Condition, ...] = ()

    @classmethod
    def from_text(cls, spec: ModelSpec, text: str, operator: Operator) -> Filter:
        """Reads the text of a URL's query or of `--query`; raises FilterError."""
        return cls.from_pairs(spec, parse_qsl(text.lstrip("?"), keep_blank_values=True), operator)

    @classmethod
    def from_pairs(cls, spec: ModelSpec, pairs: Iterable[tuple[str, str]], operator: Operator) -> Filter:
        """Reads (name, value) pairs; the same name again adds a value; raises FilterError."""
        search = ""
        found: dict[str, list[str]] = {}
        for name, text in pairs:
            if name == "search":
                search = text.replace("\x00", "").strip()[:200]
            elif name not in RESERVED:
                found.setdefault(name, []).append(text)
        names = ReferenceCache()
        conditions = tuple(
            condition
            for name, texts in found.items()
            if (condition := _condition(spec, name, texts, operator, names)) is not None
        )
        return cls(spec, search, conditions)

    @property
    def is_empty(self) -> bool:
        return not self.search and not self.conditions

    def where(self, operator: Operator) -> Any:
        """The filter as a query expression, or None when it matches everything."""
        parts = [condition.expression(operator) for condition in self.conditions]
        if self.search:
            parts.append(matches(self.spec, self.search, operator))
        return functools.reduce(lambda first, second: first & second, parts) if parts else None

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

    def without(self, condition: Condition) -> Filter:
        return Filter(self.spec, self.search, tuple(other for other in self.conditions if other != condition))


def _condition(
    spec: ModelSpec, name: str, texts: list[str], operator: Operator, names: ReferenceCache
) -> Condition | None:
    field_name, _gap, key = name.partition("__")
    item = spec.by_name.get(field_name)
    if item is None or not may_read_full(operator, item):
        raise FilterError(name)
    operation = next((other for other in operations_for(item) if other.key == key), None)
    if operation is None:
        raise FilterError(name, gettext("Dieser Vergleich passt nicht zum Feld „%(field)s“.", field=str(item.label)))
    if operation.values == 0:
        return Condition(item, operation, ())
    texts = [text for text in texts if text.strip() != ""]
    if not texts:
        # An empty box of the filter bar means "all".
        return None
    try:
        values = tuple(_value(item, text, key, names) for text in texts)
    except FieldError as fault:
        raise FilterError(name, fault.found()) from fault
    if operation.values > 0 and len(values) != operation.values:
        raise FilterError(name, gettext("Hier werden %(count)s Werte gebraucht.", count=operation.values))
    return Condition(item, operation, values)


def _value(item: FieldSpec, text: str, key: str, names: ReferenceCache) -> Any:
    if "\x00" in text or len(text) > 500:
        raise FieldError(item, text[:20].replace("\x00", "?"), gettext("ist kein gültiger Wert"))
    if item.type.name in ("text", "multiline"):
        return text.strip()
    if item.type.name == "reference":
        return names.find(text, item)
    if item.type.name == "decimal":
        # The URL carries 5000.00 whatever the language; people type 5.000,00.
        if re.fullmatch(r"-?\d+(\.\d+)?", text):
            return Decimal(text)
    value = item.type.parse(text, item)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**63 - 1:
        raise FieldError(item, text, gettext("ist zu groß"))
    return value

"""What all parts of a filter have in common, and groups of them.

A Group joins parts: "any" holds where one of them does, "all" where each does, "none" where none does.
"""

from __future__ import annotations

import functools
import operator as operators
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import peewee

from flask_appadmin.errors import NotAllowed
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import RIGHTS, Operator, may_read_full
from flask_appadmin.specs import FieldSpec, ReferenceCache


class Part:
    """One part of a filter, whatever it asks: a query expression, a sentence, and its text in a URL."""

    #: The field it compares; a part that asks for something else says None.
    spec: FieldSpec | None

    def expression(self, operator: Operator) -> Any:
        """The part as a query expression on the model's own table."""
        raise NotImplementedError

    @property
    def named(self) -> set[FieldSpec]:
        """The model's own fields that are asked about."""
        return set() if self.spec is None else {self.spec}

    @property
    def seekable(self) -> set[FieldSpec]:
        """The fields, of whatever table, whose index could answer the part without reading all rows."""
        return set()

    def sentence(self, names: ReferenceCache | None = None) -> str:
        """What operators read."""
        raise NotImplementedError

    def url_pairs(self, names: ReferenceCache | None = None) -> list[tuple[str, str]]:
        """The part as it stands in a URL."""
        raise NotImplementedError


class FilterNotAllowed(NotAllowed):
    """A filter on something the operator may not see. It is named, and the list is not shown without it."""

    def __init__(self, name: str, right: str) -> None:
        super().__init__(right, RIGHTS.get(right, right))
        self.name = name

    def sentence(self) -> str:
        return gettext(
            "Filter „%(name)s“: %(reason)s Die Liste wird nicht ungefiltert gezeigt.",
            name=self.name,
            reason=super().sentence(),
        )


def require_field(item: FieldSpec, operator: Operator) -> None:
    """Raises FilterNotAllowed unless the operator may read the field whole: a filter tells what a field holds."""
    if not may_read_full(operator, item):
        verb = "read_full" if item.masked else "read"
        raise FilterNotAllowed(str(item.label), f"{item.right}.{verb}")


_WORDS = {"any": operators.or_, "none": operators.or_, "all": operators.and_}


@dataclass(frozen=True)
class Group(Part):
    """Several parts joined by "any", "all" or "none"."""

    how: str
    parts: tuple[Part, ...]
    spec = None

    def expression(self, operator: Operator) -> Any:
        joined = functools.reduce(_WORDS[self.how], (part.expression(operator) for part in self.parts))
        # What cannot be said of an empty field does not hold either, so that "none" is the rest of "any".
        return peewee.Expression(joined, "IS NOT", peewee.SQL("TRUE")) if self.how == "none" else joined

    @property
    def named(self) -> set[FieldSpec]:
        return set().union(*(part.named for part in self.parts))

    @property
    def seekable(self) -> set[FieldSpec]:
        return set().union(*(part.seekable for part in self.parts)) if self.how != "none" else set()

    def sentence(self, names: ReferenceCache | None = None) -> str:
        """„Ort ist Wien oder Land ist Deutschland“; groups within groups stand in brackets."""
        words = [self._inner(part, names) for part in self.parts]
        if self.how == "all":
            return joined_and(words)
        either = joined_or(words)
        if self.how == "any":
            return either
        return gettext("nicht: %(sentence)s", sentence=either)

    def _inner(self, part: Part, names: ReferenceCache | None) -> str:
        sentence = part.sentence(names)
        return f"({sentence})" if isinstance(part, Group) and len(self.parts) > 1 else sentence

    def url_pairs(self, names: ReferenceCache | None = None) -> list[tuple[str, str]]:
        pairs = [pair for part in self.parts for pair in part.url_pairs(names)]
        return [(self.how, urlencode(pairs))]


def joined_or(words: Sequence[str]) -> str:
    """„A, B oder C“."""
    if len(words) < 2:
        return "".join(words)
    return gettext("%(list)s oder %(last)s", list=", ".join(words[:-1]), last=words[-1])


def joined_and(words: Sequence[str]) -> str:
    """„A, B und C“."""
    if len(words) < 2:
        return "".join(words)
    return gettext("%(low)s und %(high)s", low=", ".join(words[:-1]), high=words[-1])

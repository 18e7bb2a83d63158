"""Questions to what hangs on a record: its children ("has a delivery address in Austria") and what it refers to.

All conditions of one Related hold for the same child. `no` turns the question round: no child for which they hold.
"""

from __future__ import annotations

import functools
import operator as operators
from dataclasses import dataclass
from typing import Any

from flask_appadmin.filters.parts import Part
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, visible
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache


@dataclass(frozen=True)
class Related(Part):
    """Children of a model, or the record a reference leads to, for which all parts hold."""

    #: The model that is asked about.
    other: ModelSpec
    #: The reference between the two: of the child to its owner, or of the model itself to the other one.
    link: FieldSpec
    parts: tuple[Part, ...]
    no: bool = False
    spec = None

    @property
    def _is_child(self) -> bool:
        return self.link.model_name == self.other.name and self.link.owner

    @property
    def name(self) -> str:
        return self.other.name if self._is_child else self.link.name

    def expression(self, operator: Operator) -> Any:
        other_key = self.other.model._meta.primary_key
        conditions = [part.expression(operator) for part in self.parts]
        scope = visible(operator, self.other)
        if scope is not None:
            conditions.append(scope)
        if self._is_child:
            asked, column = self.link.column_field, self.link.target._meta.primary_key
        else:
            asked, column = other_key, self.link.column_field
        inner = self.other.model.select(asked)
        if conditions:
            inner = inner.where(functools.reduce(operators.and_, conditions))
        found = column.in_(inner)
        if not self.no:
            return found
        return ~found if self._is_child else (column.is_null() | ~found)

    @property
    def seekable(self) -> set[FieldSpec]:
        return set().union(*(part.seekable for part in self.parts))

    def sentence(self, names: ReferenceCache | None = None) -> str:
        """„hat Anschriften mit: Land ist Österreich, Lieferanschrift ist Ja“."""
        words = ", ".join(part.sentence(names) for part in self.parts)
        label = str(self.other.plural if self._is_child else self.link.label)
        if not self._is_child:
            if self.no:
                return gettext("%(label)s nicht mit: %(words)s", label=label, words=words)
            return gettext("%(label)s mit: %(words)s", label=label, words=words)
        if not words:
            if self.no:
                return gettext("hat keine %(plural)s", plural=label)
            return gettext("hat %(plural)s", plural=label)
        if self.no:
            return gettext("hat keine %(plural)s mit: %(words)s", plural=label, words=words)
        return gettext("hat %(plural)s mit: %(words)s", plural=label, words=words)

    def url_pairs(self, names: ReferenceCache | None = None) -> list[tuple[str, str]]:
        if not self.parts:
            return [(f"{self.name}__{'empty' if self.no else 'filled'}", "1")]
        start = f"no.{self.name}" if self.no else self.name
        return [(f"{start}.{name}", text) for part in self.parts for name, text in part.url_pairs(names)]

"""„Abfragebedingung“ as a part of a filter: typed into the address, or saved under a name.

Names: `where=<condition>` for whoever may type one, `query=<key>` for whoever may run the saved one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask_appadmin.conditions import translate
from flask_appadmin.filters.parts import Part
from flask_appadmin.i18n import gettext
from flask_appadmin.queries import WRITE, find_query, translated
from flask_appadmin.rights import Operator
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: The names in a URL that hold a condition.
TYPED = ("where", "query")


@dataclass(frozen=True)
class TypedCondition(Part):
    """A condition typed by hand, or one that was saved under a name."""

    spec = None

    model: ModelSpec
    text: str
    #: Key and name of the saved query it stands in; 0 and "" for one that is typed into the address.
    key: int = 0
    name: str = ""
    fields: frozenset[FieldSpec] = field(default=frozenset(), compare=False)

    @property
    def named(self) -> set[FieldSpec]:
        return set(self.fields)

    @property
    def seekable(self) -> set[FieldSpec]:
        # What it compares how, only the engine knows.
        return set(self.fields)

    def expression(self, operator: Operator) -> Any:
        """The condition under the rights of this operator."""
        return translate(self.model, self.text, operator).expression

    def sentence(self, names: ReferenceCache | None = None) -> str:
        """„Bedingung: city = 'Wien'“."""
        text = " ".join(self.text.split())
        if self.key:
            return gettext("Abfrage „%(name)s“: %(text)s", name=self.name, text=text)
        return gettext("Bedingung: %(text)s", text=text)

    def url_pairs(self, names: ReferenceCache | None = None) -> list[tuple[str, str]]:
        return [("query", str(self.key))] if self.key else [("where", self.text)]


def read_typed(spec: ModelSpec, name: str, text: str, operator: Operator) -> TypedCondition:
    """The condition that one pair of a URL means; ConditionError, NotAllowed or NotFound where it is not to be had."""
    if name == "query":
        query = find_query(spec, operator, text)
        return TypedCondition(spec, query.query, query.id, query.name, translated(query, spec, operator).fields)
    operator.require(WRITE)
    return TypedCondition(spec, text, fields=translate(spec, text, operator).fields)

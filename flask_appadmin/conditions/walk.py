"""What every rule of a condition stands on: the walk through the tree, the table that names belong to, and refusing.

Shape: the rules are methods of one class, in layers of a file each: `calculating` and `functions` make operands of
operands, `sides` reads them from the tree, `comparing` makes comparisons, `tables` questions to other tables, and
`translating` the whole condition. Two methods lead up again: `operand`, since a calculation holds operands, and
`condition`, since a question to another table holds a condition.
Errors: ConditionError with the place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import peewee
from sqlglot import exp

from flask_appadmin.conditions.operands import Constant, Operand, Place
from flask_appadmin.conditions.reading import at
from flask_appadmin.conditions.vocabulary import FUNCTIONS
from flask_appadmin.errors import ConditionError
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: Levels of a calculation, or of brackets.
MOST_LEVELS = 30

TRUE, FALSE = peewee.SQL("(1 = 1)"), peewee.SQL("(1 = 0)")


@dataclass(frozen=True)
class Scope:
    """The table that names belong to at a place, and the one around it."""

    spec: ModelSpec
    alias: str = ""
    outer: Scope | None = None
    #: The field by which the table points to the outer one.
    link: FieldSpec | None = None

    def is_called(self, word: str) -> bool:
        return word.casefold() in {self.alias.casefold() or self.spec.name.casefold(), str(self.spec.plural).casefold()}

    @property
    def depth(self) -> int:
        return 0 if self.outer is None else 1 + self.outer.depth


@dataclass
class Walk:
    """One walk through one tree: the text, the operator, and what was named on the way."""

    text: str
    operator: Operator
    names: ReferenceCache = field(default_factory=ReferenceCache)
    #: Table -> the fields that were named.
    named: dict[str, set[FieldSpec]] = field(default_factory=dict)

    def condition(self, node: Any, scope: Scope, holds: bool, level: int) -> Any:
        """The expression that is true where the node is (or, with `holds` False, where it is false)."""
        raise NotImplementedError

    def operand(self, node: Any, scope: Scope, level: int) -> Operand | Constant:
        """A side of a comparison: a field, a value, or what is calculated from them."""
        raise NotImplementedError

    def only(self, node: Any, *known: str) -> None:
        """Refuses a node with a part that no rule looks at: nothing typed is left out in silence."""
        for name, part in node.args.items():
            if part and name not in known:
                inner = part[0] if isinstance(part, list) else part
                word = type(inner).__name__.upper() if isinstance(inner, exp.Expression) else name.strip("_").upper()
                raise self.refused(node, gettext("„%(word)s“ gibt es in einer Bedingung nicht.", word=word))

    def unknown(self, node: Any) -> str:
        """What is wrong with a node that has no rule."""
        if isinstance(node, exp.Column) and node.args.get("db"):
            return gettext("Ein Name hat höchstens einen Punkt.")
        if isinstance(node, exp.Func | exp.Anonymous):
            names = ", ".join(name for name, _typed, _meaning in FUNCTIONS)
            return gettext(
                "Die Funktion „%(name)s“ gibt es hier nicht. Möglich sind: %(names)s.",
                name=function_name(node)[:40],
                names=names,
            )
        if isinstance(node, exp.Literal | exp.Null | exp.Column | exp.CurrentDate):
            return gettext("Hier fehlt ein Vergleich, zum Beispiel = oder IS NULL.")
        if isinstance(node, exp.Subquery | exp.Select):
            return gettext("SELECT geht nur in EXISTS (…) und in IN (…).")
        return gettext("„%(word)s“ gibt es in einer Bedingung nicht.", word=type(node).__name__.upper())

    def refused(self, node: Any, reason: str) -> ConditionError:
        """The fault, with the place where the node begins."""
        return ConditionError(reason, self.place(node))

    def place(self, node: Any) -> Place:
        """Where a node begins: the first of its names and values that knows its place."""
        starts = [part.meta["start"] for part in node.walk() if part._meta and "start" in part.meta]
        return at(self.text, min(starts)) if starts else None


def function_name(node: Any) -> str:
    """The function as it is typed, in small letters."""
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower()
    try:
        return str(node.sql_name()).lower()
    except Exception:  # some nodes count as functions and have no name
        return type(node).__name__.lower()

"""The functions of a condition: lower, upper, trim, length, substr, coalesce, abs, round."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import peewee
from sqlglot import exp

from flask_appadmin.conditions.operands import (
    Constant,
    Operand,
    constant_as,
    day_sql,
    joined,
    lowered,
    parameter,
    raised,
    to_scale,
    wide,
)
from flask_appadmin.conditions.walk import Scope, Walk, function_name
from flask_appadmin.database import engine
from flask_appadmin.i18n import gettext


class Functions(Walk):
    """Makes an operand of what stands in the brackets of a function."""

    def _argument(self, node: Any, argument: Any, scope: Scope, level: int, *kinds: str) -> Operand:
        found = self.operand(argument, scope, level + 1)
        if isinstance(found, Constant) or found.kind not in kinds:
            words = {"text": gettext("ein Textfeld"), "number": gettext("ein Zahlenfeld")}
            raise self.refused(
                node,
                gettext("„%(name)s“ braucht in der Klammer %(kind)s.", name=function_name(node), kind=words[kinds[0]]),
            )
        return found

    def _text_function(self, node: Any, scope: Scope, level: int) -> Operand:
        self.only(node, "this")
        found = self._argument(node, node.this, scope, level, "text", "choice")
        make: Callable[[Any], Any] = {exp.Lower: lowered, exp.Upper: raised, exp.Trim: peewee.fn.trim}[type(node)]
        return Operand("text", make(found.sql), None, 0, found.path, place=found.place)

    def _length(self, node: Any, scope: Scope, level: int) -> Operand:
        self.only(node, "this")
        found = self._argument(node, node.this, scope, level, "text", "choice")
        return Operand("number", peewee.fn.length(found.sql), None, 0, found.path, place=found.place)

    def _substring(self, node: Any, scope: Scope, level: int) -> Operand:
        self.only(node, "this", "start", "length")
        found = self._argument(node, node.this, scope, level, "text", "choice")
        numbers = []
        for name, least in (("start", 1), ("length", 0)):
            argument = node.args.get(name)
            if argument is None:
                continue
            given = self.operand(argument, scope, level + 1)
            if not (isinstance(given, Constant) and given.kind == "number" and least <= given.value <= 10_000):
                raise self.refused(node, gettext("So geht es: substr(Feld, 1, 3), mit Zahlen ab 1."))
            if given.value != int(given.value):
                raise self.refused(node, gettext("So geht es: substr(Feld, 1, 3), mit Zahlen ab 1."))
            numbers.append(peewee.Cast(parameter(int(given.value)), "integer"))
        if not numbers:
            raise self.refused(node, gettext("So geht es: substr(Feld, 1, 3), mit Zahlen ab 1."))
        return Operand("text", peewee.fn.substr(found.sql, *numbers), None, 0, found.path, place=found.place)

    def _coalesce(self, node: Any, scope: Scope, level: int) -> Operand:
        self.only(node, "this", "expressions")
        given = [self.operand(part, scope, level + 1) for part in (node.this, *node.expressions)]
        first = next((part for part in given if isinstance(part, Operand)), None)
        if first is None or len(given) < 2 or first.kind not in ("text", "number", "date", "choice"):
            raise self.refused(node, gettext("So geht es: coalesce(Feld, Ersatzwert), beide von einer Art."))
        if any(part.path is not None for part in given if isinstance(part, Operand)):
            # Behind an empty reference stands no row that could be asked for its replacement.
            raise self.refused(node, gettext("„coalesce“ geht nur mit Feldern der Tabelle selbst."))
        kind = "text" if first.kind == "choice" else first.kind
        like = Operand(kind, None, first.spec if first.kind != "choice" else None)
        sides = [constant_as(part, like, self.names) if isinstance(part, Constant) else part for part in given]
        if any(side.kind not in (kind, first.kind) for side in sides):
            raise self.refused(node, gettext("So geht es: coalesce(Feld, Ersatzwert), beide von einer Art."))
        scale = max(side.scale for side in sides)
        parts: Iterable[Any] = (side.sql for side in sides)
        if kind == "number":
            parts = (wide(to_scale(side, scale)) for side in sides)
        elif kind == "date":
            parts = (day_sql(side.sql) for side in sides)
        return Operand(kind, peewee.fn.coalesce(*parts), None, scale)

    def _absolute(self, node: Any, scope: Scope, level: int) -> Operand:
        self.only(node, "this")
        found = self._argument(node, node.this, scope, level, "number")
        return Operand("number", peewee.fn.abs(wide(found.sql)), None, found.scale, found.path, place=found.place)

    def _round(self, node: Any, scope: Scope, level: int) -> Operand:
        self.only(node, "this", "decimals")
        found = self._argument(node, node.this, scope, level, "number")
        places = 0
        if node.args.get("decimals") is not None:
            given = self.operand(node.args["decimals"], scope, level + 1)
            if not (isinstance(given, Constant) and given.kind == "number" and given.value in (0, 1, 2, 3, 4)):
                raise self.refused(node, gettext("So geht es: round(Feld, 2), mit 0 bis 4 Stellen."))
            places = int(given.value)
        if places >= found.scale:
            return Operand("number", found.sql, None, found.scale, found.path, place=found.place)
        unit = 10 ** (found.scale - places)
        if engine() == "sqlite":
            # Whole numbers stay whole, so that nothing is lost to a binary fraction; half goes away from zero.
            half = parameter(unit // 2)
            away = joined("CASE WHEN", found.sql, "< 0 THEN", found.sql, "-", half, "ELSE", found.sql, "+", half, "END")
            sql = joined(away, "/", parameter(unit))
        else:
            sql = peewee.fn.round(joined(wide(found.sql), "/", parameter(unit)))
        return Operand("number", sql, None, places, found.path, place=found.place)

    FUNCTIONS: ClassVar[dict[Any, Any]] = {
        exp.Lower: _text_function,
        exp.Upper: _text_function,
        exp.Trim: _text_function,
        exp.Length: _length,
        exp.Substring: _substring,
        exp.Coalesce: _coalesce,
        exp.Abs: _absolute,
        exp.Round: _round,
    }

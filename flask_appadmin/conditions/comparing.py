"""Comparisons of a condition, with SQL's logic of NULL.

A field behind a reference is asked by `IN (SELECT …)`: one list of keys instead of a question per row.
"""

from __future__ import annotations

from typing import Any

from flask_appadmin.conditions.operands import (
    Constant,
    Operand,
    as_moment,
    constant_as,
    in_code_order,
    joined,
    parameter,
    to_scale,
)
from flask_appadmin.conditions.sides import Sides
from flask_appadmin.conditions.walk import FALSE, TRUE, Scope
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import visible
from flask_appadmin.specs import FieldSpec, ModelSpec

_MIRRORED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


class Comparing(Sides):
    """Makes an expression of two sides and a sign."""

    def _compared(self, node: Any, scope: Scope, sign: str, level: int) -> Any:
        left, right = self.operand(node.this, scope, level), self.operand(node.expression, scope, level)
        return self._comparison(node, left, sign, right)

    def _comparison(self, node: Any, left: Operand | Constant, sign: str, right: Operand | Constant) -> Any:
        if isinstance(left, Constant):
            if isinstance(right, Constant):
                return self._constants(node, left, sign, right)
            left, sign, right = right, _MIRRORED[sign], left
        if left.kind == "other":
            raise self.refused(node, gettext("Dieses Feld lässt sich nur auf IS NULL prüfen."))
        if isinstance(right, Constant):
            return self._with_constant(node, left, sign, right)
        if left.path is not right.path:
            raise self.refused(node, gettext("Ein Vergleich kann nicht Felder zweier Tabellen nebeneinander stellen."))
        return self._placed(left.path, self._pair(node, left, sign, right))

    def _with_constant(self, node: Any, left: Operand, sign: str, constant: Constant) -> Any:
        if constant.kind == "text" and not constant.shown.strip() and sign in ("=", "<>"):
            # An empty field is NULL here; whoever types '' means it.
            empty = self._empty(left, sign == "=")
            if left.kind != "text":
                return empty
            nothing = self._placed(left.path, joined(left.sql, sign, parameter("")))
            return joined(empty, "OR" if sign == "=" else "AND", nothing)
        if left.kind == "datetime" and constant.kind != "null":
            first, last = as_moment(constant)
            sql = {
                "=": joined(left.sql, "BETWEEN", parameter(first), "AND", parameter(last)),
                "<>": joined(left.sql, "NOT BETWEEN", parameter(first), "AND", parameter(last)),
                "<": joined(left.sql, "<", parameter(first)),
                "<=": joined(left.sql, "<=", parameter(last)),
                ">": joined(left.sql, ">", parameter(last)),
                ">=": joined(left.sql, ">=", parameter(first)),
            }[sign]
            return self._placed(left.path, sql)
        return self._placed(left.path, self._pair(node, left, sign, constant_as(constant, left, self.names)))

    def _empty(self, found: Operand, holds: bool) -> Any:
        """Whether nothing stands there; behind a reference that is empty nothing stands either."""
        own = joined(found.sql, "IS NULL" if holds else "IS NOT NULL")
        if found.path is None:
            return own
        placed = self._placed(found.path, own)
        return joined(found.path.column_field, "IS NULL OR", placed) if holds else placed

    def _pair(self, node: Any, left: Operand, sign: str, right: Operand) -> Any:
        kinds = {left.kind, right.kind}
        if kinds == {"number"}:
            scale = max(left.scale, right.scale)
            return joined(to_scale(left, scale), sign, to_scale(right, scale))
        if kinds <= {"text", "choice"}:
            if sign in ("=", "<>"):
                return joined(left.sql, sign, right.sql)
            if kinds != {"text"}:
                raise self.refused(node, gettext("Dieses Feld hat feste Werte; bitte = , <> oder IN nehmen."))
            return joined(in_code_order(left.sql), sign, right.sql)
        if len(kinds) == 1 and left.kind in ("date", "datetime"):
            return joined(left.sql, sign, right.sql)
        if len(kinds) == 1 and left.kind in ("bool", "reference"):
            if sign not in ("=", "<>"):
                raise self.refused(node, gettext("Größer und kleiner gibt es hier nicht; bitte = , <> oder IN nehmen."))
            if left.kind == "reference" and left.keys_of is not right.keys_of:
                raise self.refused(node, gettext("Diese beiden Felder verweisen auf verschiedene Tabellen."))
            return joined(left.sql, sign, right.sql)
        raise self.refused(
            node, gettext("Das lässt sich nicht miteinander vergleichen: verschiedene Arten von Werten.")
        )

    def _constants(self, node: Any, left: Constant, sign: str, right: Constant) -> Any:
        """`1 = 1`: the answer is known without the database."""
        if left.kind != right.kind or left.kind == "null":
            raise self.refused(node, gettext("In diesem Vergleich steht kein Feld."))
        first, second = left.value, right.value
        answer = {
            "=": first == second,
            "<>": first != second,
            "<": first < second,
            "<=": first <= second,
            ">": first > second,
            ">=": first >= second,
        }[sign]
        return TRUE if answer else FALSE

    def _placed(self, path: FieldSpec | None, expression: Any) -> Any:
        """A comparison of a field behind a reference, as a question about the reference itself."""
        if path is None:
            return expression
        target = path.references
        assert target is not None
        return path.column_field.in_(self._keys(target, target.model._meta.primary_key, expression))

    def _keys(self, spec: ModelSpec, column: Any, expression: Any) -> Any:
        """The values of a column among the rows that the operator may see."""
        query = spec.model.select(column).where(expression)
        limit = visible(self.operator, spec)
        return query if limit is None else query.where(limit)

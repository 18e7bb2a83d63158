"""The sides of a comparison as they are typed: fields, also behind a reference, values, and what is made of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlglot import exp

from flask_appadmin.conditions.calculating import Calculating
from flask_appadmin.conditions.functions import Functions
from flask_appadmin.conditions.operands import Constant, Operand, Place, as_day, field_operand
from flask_appadmin.conditions.vocabulary import find_field, find_table
from flask_appadmin.conditions.walk import MOST_LEVELS, Scope
from flask_appadmin.database import utcnow
from flask_appadmin.errors import ConditionError
from flask_appadmin.i18n import gettext, to_local
from flask_appadmin.specs import FieldSpec, ModelSpec


class Sides(Calculating, Functions):
    """Reads operands from the tree."""

    def operand(self, node: Any, scope: Scope, level: int) -> Operand | Constant:
        if level > MOST_LEVELS:
            raise self.refused(node, gettext("Die Bedingung ist zu tief verschachtelt."))
        if isinstance(node, exp.Paren):
            self.only(node, "this")
            return self.operand(node.this, scope, level + 1)
        if isinstance(node, exp.Column):
            return self._column(node, scope)
        if isinstance(node, exp.Literal):
            return self._literal(node)
        if isinstance(node, exp.Boolean):
            return Constant("bool", bool(node.this), "TRUE" if node.this else "FALSE", self.place(node))
        if isinstance(node, exp.Null):
            return Constant("null", None, "NULL", self.place(node))
        if isinstance(node, exp.CurrentDate | exp.CurrentTimestamp):
            self.only(node)
            now = utcnow()
            if isinstance(node, exp.CurrentTimestamp):
                return Constant("datetime", now, "current_timestamp")
            return Constant("date", to_local(now).date(), "current_date")
        if isinstance(node, exp.Cast):
            return self._date_literal(node)
        if isinstance(node, exp.Neg):
            self.only(node, "this")
            return self._negative(node, scope, level)
        if isinstance(node, exp.Add | exp.Sub | exp.Mul):
            self.only(node, "this", "expression")
            return self._calculated(node, scope, level)
        function = self.FUNCTIONS.get(type(node))
        if function is None:
            raise self.refused(node, self.unknown(node))
        return function(self, node, scope, level)

    def _column(self, node: Any, scope: Scope) -> Operand:
        word, qualifier, place = self._names_of(node, scope)
        if not qualifier:
            return self._field(scope.spec, word, place)
        if scope.outer is not None and scope.outer.is_called(qualifier) and not scope.is_called(qualifier):
            raise ConditionError(
                gettext("Felder der äußeren Tabelle lassen sich in der Klammer nicht vergleichen."), place
            )
        try:
            reference = find_field(scope.spec, qualifier, self.operator, place)
        except ConditionError:
            self._is_child(scope, qualifier, place)
            raise
        self.named.setdefault(scope.spec.name, set()).add(reference)
        target = reference.references
        if target is None:
            raise ConditionError(
                gettext("„%(field)s“ ist kein Verweis; ein Punkt geht hier nicht.", field=str(reference.label)), place
            )
        if not self.operator.may(f"{target.right}.read"):
            raise ConditionError(
                gettext("„%(table)s“ dürfen Sie nicht abfragen; Ihnen fehlt das Recht dazu.", table=str(target.plural)),
                place,
            )
        return self._field(target, word, place, reference)

    def _is_child(self, scope: Scope, word: str, place: Place) -> None:
        """A table in front of the point, where people of SQL expect a join: says how to ask it."""
        try:
            links = find_table(scope.spec, word, self.operator, place)
        except ConditionError:
            return
        raise ConditionError(
            gettext(
                "„%(table)s“ hat viele Zeilen je Datensatz. Bitte so fragen: EXISTS (SELECT 1 FROM %(name)s WHERE …).",
                table=str(links[0].spec.plural),
                name=links[0].spec.name,
            ),
            place,
        )

    def _names_of(self, node: Any, scope: Scope) -> tuple[str, str, Place]:
        """(field, what stands before the point, place); the table's own name before the point is nothing new."""
        if node.args.get("db"):
            raise self.refused(node, self.unknown(node))
        self.only(node, "this", "table")
        place = self.place(node)
        if not isinstance(node.this, exp.Identifier):
            raise self.refused(node, self.unknown(node))
        for part in (node.this, node.args.get("table")):
            if part is not None:
                self.only(part, "this", "quoted")
        qualifier = node.table
        return node.name, "" if qualifier and scope.is_called(qualifier) else qualifier, place

    def _field(self, spec: ModelSpec, word: str, place: Place, path: FieldSpec | None = None) -> Operand:
        item = find_field(spec, word, self.operator, place)
        if path is None:
            self.named.setdefault(spec.name, set()).add(item)
        by_key = item.target is not None and word.casefold() == item.column.casefold() != item.name.casefold()
        return field_operand(item, spec, by_key, path, place)

    def _literal(self, node: Any) -> Constant:
        place, text = self.place(node), str(node.this)
        if node.is_string:
            return Constant("text", text, text, place)
        whole, _point, rest = text.partition(".")
        if not (whole.isascii() and whole.isdigit() and (not rest or (rest.isascii() and rest.isdigit()))):
            raise ConditionError(
                gettext("„%(value)s“ ist keine Zahl, wie sie hier geschrieben wird: 1234.50", value=text[:40]), place
            )
        if len(whole) > 18 or len(rest) > 6:
            raise ConditionError(gettext("„%(value)s“ ist zu groß.", value=text[:40]), place)
        return Constant("number", Decimal(text), text, place)

    def _date_literal(self, node: Any) -> Constant:
        """DATE '2026-12-31'."""
        self.only(node, "this", "to")
        literal, kind = node.this, node.args["to"]
        if isinstance(literal, exp.Literal) and literal.is_string and kind.this == exp.DataType.Type.DATE:
            day = as_day(literal.this)
            if day is not None:
                return Constant("date", day, literal.this, self.place(literal))
            raise self.refused(literal, gettext("„%(value)s“ ist kein Datum.", value=literal.this[:40]))
        raise self.refused(node, gettext("„%(word)s“ gibt es in einer Bedingung nicht.", word="CAST"))

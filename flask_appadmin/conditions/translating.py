"""sqlglot's tree becomes a query expression: a rule for each kind of node, and a refusal for every other.

Shape: `translate(spec, text, operator)` walks the tree once. NOT is carried down to the comparisons („NOT a = 1“ is
„a <> 1“), which keeps SQL's logic of NULL and lets a field of another table be asked by `IN (SELECT …)`: one list of
keys instead of a question per row, and the same answer on both engines. Questions to other tables pass the gate
(`visible`). Errors: ConditionError with the place.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

import peewee
from sqlglot import exp

from flask_appadmin.conditions.operands import (
    Constant,
    Operand,
    Place,
    as_day,
    as_moment,
    constant_as,
    day_sql,
    days_between,
    days_later,
    field_operand,
    in_code_order,
    joined,
    lowered,
    parameter,
    raised,
    to_scale,
    wide,
)
from flask_appadmin.conditions.reading import at, read_condition
from flask_appadmin.conditions.vocabulary import FUNCTIONS, Link, find_field, find_table
from flask_appadmin.database import engine, utcnow
from flask_appadmin.digits import is_number
from flask_appadmin.errors import ConditionError
from flask_appadmin.i18n import gettext, to_local
from flask_appadmin.rights import Operator, visible
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: Comparisons, and what each becomes under NOT.
_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}

#: Levels of a calculation, wildcards of a pattern, tables asked within tables.
_MOST_LEVELS, _MOST_WILDCARDS, _MOST_TABLES = 30, 10, 3
#: Days that may be added to a day: the calendar of both engines is long enough for them.
_MOST_DAYS = 400_000

#: Places behind the point that a calculation may come to.
_MOST_PLACES = 12

_TRUE, _FALSE = peewee.SQL("(1 = 1)"), peewee.SQL("(1 = 0)")


@dataclass(frozen=True)
class Translated:
    """A condition: its expression on the model's own table, and the fields of that table which it names."""

    expression: Any
    fields: frozenset[FieldSpec]


@dataclass(frozen=True)
class _Scope:
    """The table that names belong to at a place, and the one around it."""

    spec: ModelSpec
    alias: str = ""
    outer: _Scope | None = None
    #: The field by which the table points to the outer one.
    link: FieldSpec | None = None

    def is_called(self, word: str) -> bool:
        return word.casefold() in {self.alias.casefold() or self.spec.name.casefold(), str(self.spec.plural).casefold()}

    @property
    def depth(self) -> int:
        return 0 if self.outer is None else 1 + self.outer.depth


def translate(spec: ModelSpec, text: str, operator: Operator) -> Translated:
    """The typed condition as an expression on the model's table; raises ConditionError, whatever is typed."""
    tree, plain = read_condition(text)
    work = _Translation(plain, operator)
    try:
        expression = work.condition(tree, _Scope(spec), True, 0)
    except RecursionError:
        raise ConditionError(gettext("Die Bedingung ist zu tief verschachtelt.")) from None
    return Translated(expression, frozenset(work.named.get(spec.name, ())))


@dataclass
class _Translation:
    """One walk through one tree."""

    text: str
    operator: Operator
    names: ReferenceCache = field(default_factory=ReferenceCache)
    #: Table -> the fields that were named.
    named: dict[str, set[FieldSpec]] = field(default_factory=dict)

    # --- conditions ---------------------------------------------------------------------------------------------------

    def condition(self, node: Any, scope: _Scope, holds: bool, level: int) -> Any:
        """The expression that is true where the node is (or, with `holds` False, where it is false)."""
        if level > _MOST_LEVELS:
            raise self._refused(node, gettext("Die Bedingung ist zu tief verschachtelt."))
        if isinstance(node, exp.Paren):
            self._only(node, "this")
            return self.condition(node.this, scope, holds, level + 1)
        if isinstance(node, exp.Not):
            self._only(node, "this")
            return self.condition(node.this, scope, not holds, level + 1)
        if isinstance(node, exp.And | exp.Or):
            return self._joined(node, scope, holds, level)
        # Some comparisons carry their NOT themselves.
        holds = holds != bool(node.args.get("negate"))
        if type(node) in _COMPARISONS:
            self._only(node, "this", "expression")
            if holds and self._link_itself(node, scope):
                return _TRUE
            sign = _COMPARISONS[type(node)]
            return self._compared(node, scope, sign if holds else _OPPOSITE[sign], level)
        rule = self._RULES.get(type(node))
        if rule is None:
            raise self._refused(node, self._unknown(node))
        return rule(self, node, scope, holds, level)

    def _joined(self, node: Any, scope: _Scope, holds: bool, level: int) -> Any:
        kind, parts, rest = type(node), [], [node]
        while rest:  # a long row of ANDs is a tree as deep as it is long
            part = rest.pop()
            if type(part) is kind:
                self._only(part, "this", "expression")
                rest += [part.expression, part.this]
            else:
                parts.append(self.condition(part, scope, holds, level + 1))
        both = (kind is exp.And) == holds
        while len(parts) > 1:  # in pairs, so that the expression stays shallow
            pairs = [parts[at : at + 2] for at in range(0, len(parts), 2)]
            parts = [joined(p[0], "AND" if both else "OR", p[1]) if len(p) == 2 else p[0] for p in pairs]
        return parts[0]

    def _truth(self, node: Any, scope: _Scope, holds: bool, level: int) -> Any:
        return _TRUE if bool(node.this) == holds else _FALSE

    def _bare(self, node: Any, scope: _Scope, holds: bool, level: int) -> Any:
        """A field that is itself a condition: `active`."""
        found = self._operand(node, scope, level)
        if not isinstance(found, Operand) or found.kind != "bool":
            raise self._refused(node, gettext("Hier fehlt ein Vergleich, zum Beispiel = oder IS NULL."))
        return self._placed(found.path, joined(found.sql, "=", parameter(holds)))

    def _is(self, node: Any, scope: _Scope, holds: bool, level: int) -> Any:
        self._only(node, "this", "expression", "negate")
        found, asked = self._operand(node.this, scope, level), node.expression
        if isinstance(found, Constant):
            raise self._refused(node, gettext("Links von IS steht ein Feld."))
        if isinstance(asked, exp.Null):
            return self._empty(found, holds)
        if isinstance(asked, exp.Boolean) and found.kind == "bool":
            same = joined(found.sql, "=", parameter(bool(asked.this) == holds))
            if holds:
                return self._placed(found.path, same)
            return joined(self._placed(found.path, same), "OR", self._empty(found, True))
        raise self._refused(node, gettext("Nach IS steht NULL, bei Ja/Nein-Feldern auch TRUE oder FALSE."))

    def _empty(self, found: Operand, holds: bool) -> Any:
        """Whether nothing stands there; behind a reference that is empty nothing stands either."""
        own = joined(found.sql, "IS NULL" if holds else "IS NOT NULL")
        if found.path is None:
            return own
        placed = self._placed(found.path, own)
        return joined(found.path.column_field, "IS NULL OR", placed) if holds else placed

    def _like(self, node: Any, scope: _Scope, holds: bool, level: int) -> Any:
        self._only(node, "this", "expression", "negate")
        found, pattern = self._operand(node.this, scope, level), self._operand(node.expression, scope, level)
        if not isinstance(pattern, Constant) or pattern.kind != "text":
            raise self._refused(node, gettext("Nach LIKE steht ein Text, zum Beispiel %(example)s.", example="'A%'"))
        if isinstance(found, Constant):
            raise self._refused(node, gettext("Links von LIKE steht ein Feld."))
        if found.kind == "reference" and found.spec is not None:
            raise self._refused(
                node,
                gettext("LIKE vergleicht Texte. Bitte ein Feld dahinter nennen: %(name)s.…", name=found.spec.name),
            )
        if found.kind == "choice" and found.spec is not None:
            raise self._refused(
                node,
                gettext("„%(field)s“ hat feste Werte; bitte = oder IN nehmen.", field=str(found.spec.label)),
            )
        sql = found.sql
        if found.kind == "number" and not found.scale:
            sql = peewee.Cast(sql, "text")
        elif found.kind not in ("text", "choice"):
            raise self._refused(node, gettext("LIKE vergleicht Texte; dieses Feld ist keiner."))
        if pattern.shown.count("%") > _MOST_WILDCARDS:
            raise self._refused(node, gettext("Ein Muster hat höchstens %(most)s Platzhalter.", most=_MOST_WILDCARDS))
        return self._placed(found.path, _like_sql(sql, pattern.shown, holds))

    def _between(self, node: Any, scope: _Scope, holds: bool, level: int) -> Any:
        self._only(node, "this", "low", "high", "negate")
        found = self._operand(node.this, scope, level)
        low, high = self._operand(node.args["low"], scope, level), self._operand(node.args["high"], scope, level)
        self._in_order(node, found, low, high)
        first = self._comparison(node, found, ">=" if holds else "<", low)
        last = self._comparison(node, found, "<=" if holds else ">", high)
        return joined(first, "AND" if holds else "OR", last)

    def _in_order(
        self, node: Any, found: Operand | Constant, low: Operand | Constant, high: Operand | Constant
    ) -> None:
        """Two limits the wrong way round match nothing; that is a slip, not a wish."""
        if not (isinstance(found, Operand) and isinstance(low, Constant) and isinstance(high, Constant)):
            return
        if found.kind == "datetime":
            wrong = as_moment(low)[0] > as_moment(high)[1]
        elif found.kind in ("number", "date"):
            limits = [constant_as(limit, found, self.names) for limit in (low, high)]
            scale = max(limit.scale for limit in limits)
            first, last = (limit.sql.value for limit in limits)
            if found.kind == "number":
                first, last = (limit.sql.value * 10 ** (scale - limit.scale) for limit in limits)
            wrong = first > last
        else:
            return
        if wrong:
            raise self._refused(node, gettext("Nach BETWEEN steht zuerst der kleinere Wert."))

    def _in(self, node: Any, scope: _Scope, holds: bool, level: int) -> Any:
        self._only(node, "this", "expressions", "query", "negate")
        found = self._operand(node.this, scope, level)
        if node.args.get("query") is not None:
            return self._in_query(node, found, scope, holds, level)
        entries = [self._operand(entry, scope, level) for entry in node.expressions]
        if not entries:
            raise self._refused(node, gettext("In der Klammer nach IN fehlen die Werte."))
        if not isinstance(found, Operand) or not all(isinstance(entry, Constant) for entry in entries):
            raise self._refused(node, gettext("Links von IN steht ein Feld, in der Klammer stehen Werte."))
        plain = [entry for entry in entries if isinstance(entry, Constant) and entry.shown.strip()]
        if found.kind not in ("datetime", "other") and len(plain) == len(entries) > 1:
            values = [constant_as(entry, found, self.names) for entry in plain]
            if all(value.scale == found.scale for value in values):
                listed = peewee.EnclosedNodeList(tuple(value.sql for value in values))
                return self._placed(found.path, joined(found.sql, "IN" if holds else "NOT IN", listed))
        parts = [self._comparison(node, found, "=" if holds else "<>", entry) for entry in entries]
        result = parts[0]
        while len(parts) > 1:
            pairs = [parts[at : at + 2] for at in range(0, len(parts), 2)]
            parts = [joined(p[0], "OR" if holds else "AND", p[1]) if len(p) == 2 else p[0] for p in pairs]
            result = parts[0]
        return result

    # --- comparisons --------------------------------------------------------------------------------------------------

    def _compared(self, node: Any, scope: _Scope, sign: str, level: int) -> Any:
        left, right = self._operand(node.this, scope, level), self._operand(node.expression, scope, level)
        return self._comparison(node, left, sign, right)

    def _comparison(self, node: Any, left: Operand | Constant, sign: str, right: Operand | Constant) -> Any:
        if isinstance(left, Constant):
            if isinstance(right, Constant):
                return self._constants(node, left, sign, right)
            left, sign, right = right, _MIRRORED[sign], left
        if left.kind == "other":
            raise self._refused(node, gettext("Dieses Feld lässt sich nur auf IS NULL prüfen."))
        if isinstance(right, Constant):
            return self._with_constant(node, left, sign, right)
        if left.path is not right.path:
            raise self._refused(node, gettext("Ein Vergleich kann nicht Felder zweier Tabellen nebeneinander stellen."))
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

    def _pair(self, node: Any, left: Operand, sign: str, right: Operand) -> Any:
        kinds = {left.kind, right.kind}
        if kinds == {"number"}:
            scale = max(left.scale, right.scale)
            return joined(to_scale(left, scale), sign, to_scale(right, scale))
        if kinds <= {"text", "choice"}:
            if sign in ("=", "<>"):
                return joined(left.sql, sign, right.sql)
            if kinds != {"text"}:
                raise self._refused(node, gettext("Dieses Feld hat feste Werte; bitte = , <> oder IN nehmen."))
            return joined(in_code_order(left.sql), sign, right.sql)
        if len(kinds) == 1 and left.kind in ("date", "datetime"):
            return joined(left.sql, sign, right.sql)
        if len(kinds) == 1 and left.kind in ("bool", "reference"):
            if sign not in ("=", "<>"):
                raise self._refused(
                    node, gettext("Größer und kleiner gibt es hier nicht; bitte = , <> oder IN nehmen.")
                )
            if left.kind == "reference" and left.keys_of is not right.keys_of:
                raise self._refused(node, gettext("Diese beiden Felder verweisen auf verschiedene Tabellen."))
            return joined(left.sql, sign, right.sql)
        raise self._refused(
            node, gettext("Das lässt sich nicht miteinander vergleichen: verschiedene Arten von Werten.")
        )

    def _constants(self, node: Any, left: Constant, sign: str, right: Constant) -> Any:
        """`1 = 1`: the answer is known without the database."""
        if left.kind != right.kind or left.kind == "null":
            raise self._refused(node, gettext("In diesem Vergleich steht kein Feld."))
        first, second = left.value, right.value
        answer = {
            "=": first == second,
            "<>": first != second,
            "<": first < second,
            "<=": first <= second,
            ">": first > second,
            ">=": first >= second,
        }[sign]
        return _TRUE if answer else _FALSE

    # --- other tables -------------------------------------------------------------------------------------------------

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

    def _exists(self, node: Any, scope: _Scope, holds: bool, level: int) -> Any:
        self._only(node, "this")
        select, _columns, links, inner = self._select(node.this, scope)
        if len(links) > 1 and not links[0].field.owner:
            names = ", ".join(link.field.column for link in links)
            raise self._refused(
                node.this,
                gettext(
                    "„%(table)s“ verweist mehrfach hierher. Bitte so schreiben: id IN (SELECT %(names)s FROM …).",
                    table=str(links[0].spec.plural),
                    names=names,
                ),
            )
        link = links[0]
        expression = self._where(select, _Scope(link.spec, inner, scope, link.field), level)
        return self._linked(scope.spec.model._meta.primary_key, link.spec, link.field, expression, holds)

    def _linked(self, column: Any, spec: ModelSpec, link: FieldSpec, expression: Any, holds: bool) -> Any:
        if link.nullable:
            expression = joined(expression, "AND", link.column_field, "IS NOT NULL")
        keys = self._keys(spec, link.column_field, expression)
        return column.in_(keys) if holds else column.not_in(keys)

    def _in_query(self, node: Any, found: Operand | Constant, scope: _Scope, holds: bool, level: int) -> Any:
        subquery = node.args["query"]
        if not isinstance(subquery, exp.Subquery) or not isinstance(found, Operand) or found.path is not None:
            raise self._refused(node, gettext("Links von IN (SELECT …) steht id oder ein Verweis."))
        self._only(subquery, "this")
        if found.keys_of is None or not found.is_exact:
            raise self._refused(node.this, gettext("Links von IN (SELECT …) steht id oder ein Verweis."))
        own = found.keys_of is scope.spec
        outer = scope if own else _Scope(found.keys_of, outer=scope)
        select, columns, links, inner = self._select(subquery.this, outer)
        if len(columns) != 1 or not isinstance(columns[0], exp.Column):
            raise self._refused(subquery.this, gettext("Nach SELECT steht hier genau ein Feld."))
        word, _qualifier, place = self._names_of(columns[0], _Scope(links[0].spec, inner))
        item = find_field(links[0].spec, word, self.operator, place)
        link = next((link for link in links if link.field is item), None)
        if link is None:
            names = ", ".join(link.field.column for link in links)
            raise ConditionError(
                gettext("Dieses Feld verweist nicht hierher. Möglich ist: %(names)s.", names=names), place
            )
        expression = self._where(select, _Scope(link.spec, inner, outer, link.field), level)
        return self._linked(found.sql, link.spec, link.field, expression, holds)

    def _select(self, select: Any, scope: _Scope) -> tuple[Any, list[Any], tuple[Link, ...], str]:
        """(select, its columns, the links of its table, the table's short name) of a SELECT in brackets."""
        if not isinstance(select, exp.Select):
            raise self._refused(select, gettext("In der Klammer steht SELECT … FROM … WHERE …"))
        self._only(select, "expressions", "from_", "where")
        if scope.depth >= _MOST_TABLES:
            raise self._refused(select, gettext("Die Bedingung ist zu tief verschachtelt."))
        source = select.args.get("from_")
        table = source.this if source is not None else None
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
            raise self._refused(select, gettext("In der Klammer steht SELECT … FROM … WHERE …"))
        self._only(table, "this", "alias")
        alias = table.args.get("alias")
        if alias is not None:
            self._only(alias, "this")
        links = find_table(scope.spec, table.this.name, self.operator, self._place(table.this))
        columns = list(select.expressions)
        for column in columns:
            if not isinstance(column, exp.Column | exp.Literal | exp.Star) or any(
                column.args.get(name) for name in ("except_", "replace", "rename")
            ):
                raise self._refused(column, self._unknown(column))
        return select, columns, links, alias.name if alias is not None else ""

    def _where(self, select: Any, scope: _Scope, level: int) -> Any:
        where = select.args.get("where")
        if where is None:
            return _TRUE
        self._only(where, "this")
        return self.condition(where.this, scope, True, level + 1)

    def _link_itself(self, node: Any, scope: _Scope) -> bool:
        """Whether a comparison only says what goes without saying: that the rows belong together."""
        if not isinstance(node, exp.EQ) or scope.outer is None or scope.link is None:
            return False
        sides = []
        for side in (node.this, node.expression):
            if not isinstance(side, exp.Column) or not isinstance(side.this, exp.Identifier):
                return False
            sides.append((side.table, side.name.casefold()))
        words = {scope.link.name.casefold(), scope.link.column.casefold()}
        for (first_table, first), (second_table, second) in (sides, sides[::-1]):
            mine = first in words and (not first_table or scope.is_called(first_table))
            theirs = second == "id" and bool(second_table) and scope.outer.is_called(second_table)
            if mine and theirs and not scope.is_called(second_table):
                return True
        return False

    # --- operands -----------------------------------------------------------------------------------------------------

    def _operand(self, node: Any, scope: _Scope, level: int) -> Operand | Constant:
        if level > _MOST_LEVELS:
            raise self._refused(node, gettext("Die Bedingung ist zu tief verschachtelt."))
        if isinstance(node, exp.Paren):
            self._only(node, "this")
            return self._operand(node.this, scope, level + 1)
        if isinstance(node, exp.Column):
            return self._column(node, scope)
        if isinstance(node, exp.Literal):
            return self._literal(node)
        if isinstance(node, exp.Boolean):
            return Constant("bool", bool(node.this), "TRUE" if node.this else "FALSE", self._place(node))
        if isinstance(node, exp.Null):
            return Constant("null", None, "NULL", self._place(node))
        if isinstance(node, exp.CurrentDate | exp.CurrentTimestamp):
            self._only(node)
            now = utcnow()
            if isinstance(node, exp.CurrentTimestamp):
                return Constant("datetime", now, "current_timestamp")
            return Constant("date", to_local(now).date(), "current_date")
        if isinstance(node, exp.Cast):
            return self._date_literal(node)
        if isinstance(node, exp.Neg):
            self._only(node, "this")
            return self._negative(node, scope, level)
        if isinstance(node, exp.Add | exp.Sub | exp.Mul):
            self._only(node, "this", "expression")
            return self._calculated(node, scope, level)
        function = self._FUNCTIONS.get(type(node))
        if function is None:
            raise self._refused(node, self._unknown(node))
        return function(self, node, scope, level)

    def _column(self, node: Any, scope: _Scope) -> Operand:
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

    def _is_child(self, scope: _Scope, word: str, place: Place) -> None:
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

    def _names_of(self, node: Any, scope: _Scope) -> tuple[str, str, Place]:
        """(field, what stands before the point, place); the table's own name before the point is nothing new."""
        if node.args.get("db"):
            raise self._refused(node, self._unknown(node))
        self._only(node, "this", "table")
        place = self._place(node)
        if not isinstance(node.this, exp.Identifier):
            raise self._refused(node, self._unknown(node))
        for part in (node.this, node.args.get("table")):
            if part is not None:
                self._only(part, "this", "quoted")
        qualifier = node.table
        return node.name, "" if qualifier and scope.is_called(qualifier) else qualifier, place

    def _field(self, spec: ModelSpec, word: str, place: Place, path: FieldSpec | None = None) -> Operand:
        item = find_field(spec, word, self.operator, place)
        if path is None:
            self.named.setdefault(spec.name, set()).add(item)
        by_key = item.target is not None and word.casefold() == item.column.casefold() != item.name.casefold()
        return field_operand(item, spec, by_key, path, place)

    def _literal(self, node: Any) -> Constant:
        place, text = self._place(node), str(node.this)
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
        self._only(node, "this", "to")
        literal, kind = node.this, node.args["to"]
        if isinstance(literal, exp.Literal) and literal.is_string and kind.this == exp.DataType.Type.DATE:
            day = as_day(literal.this)
            if day is not None:
                return Constant("date", day, literal.this, self._place(literal))
            raise self._refused(literal, gettext("„%(value)s“ ist kein Datum.", value=literal.this[:40]))
        raise self._refused(node, gettext("„%(word)s“ gibt es in einer Bedingung nicht.", word="CAST"))

    # --- calculating --------------------------------------------------------------------------------------------------

    def _negative(self, node: Any, scope: _Scope, level: int) -> Operand | Constant:
        found = self._operand(node.this, scope, level + 1)
        if found.kind != "number":
            raise self._refused(node, gettext("Ein Minus steht nur vor einer Zahl."))
        if isinstance(found, Constant):
            return Constant("number", -found.value, f"-{found.shown}", found.place)
        return Operand("number", joined("-", wide(found.sql)), None, found.scale, found.path, place=found.place)

    def _calculated(self, node: Any, scope: _Scope, level: int) -> Operand | Constant:
        sign = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}[type(node)]
        for mine, other in ((node.expression, node.this), (node.this, node.expression)):
            if isinstance(mine, exp.Interval) and sign != "*" and (mine is node.expression or sign == "+"):
                return self._interval(node, self._operand(other, scope, level + 1), mine, -1 if sign == "-" else 1)
        left = self._operand(node.this, scope, level + 1)
        right = self._operand(node.expression, scope, level + 1)
        path = self._same_path(node, left, right)
        kinds = (left.kind, right.kind)
        if isinstance(left, Constant) and isinstance(right, Constant):
            return self._folded(node, left, sign, right)
        if kinds == ("number", "number"):
            return self._numbers(left, sign, right, path)
        days = {("date", "number"): right, ("number", "date"): left}.get(kinds)
        if isinstance(days, Constant) and sign in "+-" and (sign == "+" or days is right):
            day = left if days is right else right
            assert isinstance(day, Operand)
            moved = days_later(day.sql, self._days(node, days) * (-1 if sign == "-" else 1))
            return Operand("date", moved, None, 0, path, place=day.place)
        if sign == "-":
            left, right = self._as_dates(left, right)
            if (left.kind, right.kind) == ("date", "date"):
                first, second = (
                    side.sql if isinstance(side, Operand) else day_sql(parameter(side.value)) for side in (left, right)
                )
                return Operand("number", days_between(first, second), None, 0, path)
        raise self._refused(
            node, gettext("Rechnen lässt sich mit Zahlen, und mit Datum minus Datum oder plus und minus Tagen.")
        )

    @staticmethod
    def _as_dates(left: Operand | Constant, right: Operand | Constant) -> tuple[Operand | Constant, Operand | Constant]:
        """A text beside a date is a date."""
        sides = [left, right]
        for mine, other in ((0, 1), (1, 0)):
            side = sides[mine]
            if isinstance(side, Constant) and side.kind == "text" and sides[other].kind == "date":
                day = as_day(side.shown)
                if day is not None:
                    sides[mine] = Constant("date", day, side.shown, side.place)
        return sides[0], sides[1]

    def _same_path(self, node: Any, *sides: Operand | Constant) -> FieldSpec | None:
        paths = [side.path for side in sides if isinstance(side, Operand)]
        if any(path is not paths[0] for path in paths):
            raise self._refused(node, gettext("Ein Vergleich kann nicht Felder zweier Tabellen nebeneinander stellen."))
        return paths[0] if paths else None

    def _numbers(self, left: Operand | Constant, sign: str, right: Operand | Constant, path: Any) -> Operand:
        like = Operand("number", None)
        first, second = (
            constant_as(side, like, self.names) if isinstance(side, Constant) else side for side in (left, right)
        )
        scale = max(first.scale, second.scale)
        if first.scale + second.scale > _MOST_PLACES:
            raise ConditionError(gettext("Diese Rechnung hat zu viele Stellen hinter dem Komma."))
        if sign == "*":
            return Operand("number", joined(wide(first.sql), "*", second.sql), None, first.scale + second.scale, path)
        sql = joined(wide(to_scale(first, scale)), sign, to_scale(second, scale))
        return Operand("number", sql, None, scale, path)

    def _folded(self, node: Any, left: Constant, sign: str, right: Constant) -> Constant:
        """A calculation of typed values alone."""
        shown, kinds = f"{left.shown} {sign} {right.shown}", (left.kind, right.kind)
        if kinds == ("number", "number"):
            first, second = left.value, right.value
            value = first + second if sign == "+" else first - second if sign == "-" else first * second
            if abs(value) >= Decimal(10) ** 18 or -int(value.as_tuple().exponent) > 6:
                raise self._refused(node, gettext("„%(value)s“ ist zu groß.", value=shown[:40]))
            return Constant("number", value, shown, left.place)
        if kinds == ("date", "date") and sign == "-":
            return Constant("number", Decimal((left.value - right.value).days), shown, left.place)
        if kinds == ("date", "number") and sign in "+-":
            return self._day_after(node, left, self._days(node, right) * (-1 if sign == "-" else 1))
        if kinds == ("number", "date") and sign == "+":
            return self._day_after(node, right, self._days(node, left))
        raise self._refused(
            node, gettext("Rechnen lässt sich mit Zahlen, und mit Datum minus Datum oder plus und minus Tagen.")
        )

    def _days(self, node: Any, constant: Constant) -> int:
        value = constant.value
        if value != int(value) or abs(value) > _MOST_DAYS:
            raise self._refused(node, gettext("Hier steht eine Zahl von Tagen, höchstens %(most)s.", most=_MOST_DAYS))
        return int(value)

    def _day_after(self, node: Any, day: Constant, days: int) -> Constant:
        try:
            return Constant("date", day.value + datetime.timedelta(days=days), day.shown, day.place)
        except OverflowError:
            raise self._refused(node, gettext("Dieses Datum gibt es nicht.")) from None

    def _interval(self, node: Any, base: Operand | Constant, interval: Any, factor: int) -> Operand | Constant:
        """A day and INTERVAL '3' MONTH; months and years only from a day that is known, since months differ."""
        self._only(interval, "this", "unit")
        unit, amount = interval.args.get("unit"), interval.this
        name = str(unit.this).upper().removesuffix("S") if isinstance(unit, exp.Var) else ""
        text = str(amount.this) if isinstance(amount, exp.Literal) else ""
        if not is_number(text, 6) or name not in ("DAY", "WEEK", "MONTH", "YEAR"):
            raise self._refused(node, gettext("So geht es: INTERVAL '3' MONTH (DAY, WEEK, MONTH oder YEAR)."))
        if base.kind != "date":
            raise self._refused(node, gettext("INTERVAL steht neben einem Datum, zum Beispiel current_date."))
        count = int(text) * factor
        if name in ("DAY", "WEEK"):
            days = count * (7 if name == "WEEK" else 1)
            if abs(days) > _MOST_DAYS:
                raise self._refused(node, gettext("Dieses Datum gibt es nicht."))
            if isinstance(base, Constant):
                return self._day_after(node, base, days)
            return Operand("date", days_later(base.sql, days), None, 0, base.path, place=base.place)
        if isinstance(base, Operand):
            raise self._refused(
                node, gettext("Monate und Jahre lassen sich nur zu einem festen Datum zählen, etwa current_date.")
            )
        months = base.value.year * 12 + base.value.month - 1 + count * (12 if name == "YEAR" else 1)
        year, month = months // 12, months % 12 + 1
        if not 1 <= year <= 9998:
            raise self._refused(node, gettext("Dieses Datum gibt es nicht."))
        following = datetime.date(year + month // 12, month % 12 + 1, 1)
        last = (following - datetime.timedelta(days=1)).day
        return Constant("date", datetime.date(year, month, min(base.value.day, last)), base.shown, base.place)

    # --- functions ----------------------------------------------------------------------------------------------------

    def _argument(self, node: Any, argument: Any, scope: _Scope, level: int, *kinds: str) -> Operand:
        found = self._operand(argument, scope, level + 1)
        if isinstance(found, Constant) or found.kind not in kinds:
            words = {"text": gettext("ein Textfeld"), "number": gettext("ein Zahlenfeld")}
            raise self._refused(
                node,
                gettext("„%(name)s“ braucht in der Klammer %(kind)s.", name=_function_name(node), kind=words[kinds[0]]),
            )
        return found

    def _text_function(self, node: Any, scope: _Scope, level: int) -> Operand:
        self._only(node, "this")
        found = self._argument(node, node.this, scope, level, "text", "choice")
        make: Callable[[Any], Any] = {exp.Lower: lowered, exp.Upper: raised, exp.Trim: peewee.fn.trim}[type(node)]
        return Operand("text", make(found.sql), None, 0, found.path, place=found.place)

    def _length(self, node: Any, scope: _Scope, level: int) -> Operand:
        self._only(node, "this")
        found = self._argument(node, node.this, scope, level, "text", "choice")
        return Operand("number", peewee.fn.length(found.sql), None, 0, found.path, place=found.place)

    def _substring(self, node: Any, scope: _Scope, level: int) -> Operand:
        self._only(node, "this", "start", "length")
        found = self._argument(node, node.this, scope, level, "text", "choice")
        numbers = []
        for name, least in (("start", 1), ("length", 0)):
            argument = node.args.get(name)
            if argument is None:
                continue
            given = self._operand(argument, scope, level + 1)
            if not (isinstance(given, Constant) and given.kind == "number" and least <= given.value <= 10_000):
                raise self._refused(node, gettext("So geht es: substr(Feld, 1, 3), mit Zahlen ab 1."))
            if given.value != int(given.value):
                raise self._refused(node, gettext("So geht es: substr(Feld, 1, 3), mit Zahlen ab 1."))
            numbers.append(peewee.Cast(parameter(int(given.value)), "integer"))
        if not numbers:
            raise self._refused(node, gettext("So geht es: substr(Feld, 1, 3), mit Zahlen ab 1."))
        return Operand("text", peewee.fn.substr(found.sql, *numbers), None, 0, found.path, place=found.place)

    def _coalesce(self, node: Any, scope: _Scope, level: int) -> Operand:
        self._only(node, "this", "expressions")
        given = [self._operand(part, scope, level + 1) for part in (node.this, *node.expressions)]
        first = next((part for part in given if isinstance(part, Operand)), None)
        if first is None or len(given) < 2 or first.kind not in ("text", "number", "date", "choice"):
            raise self._refused(node, gettext("So geht es: coalesce(Feld, Ersatzwert), beide von einer Art."))
        if any(part.path is not None for part in given if isinstance(part, Operand)):
            # Behind an empty reference stands no row that could be asked for its replacement.
            raise self._refused(node, gettext("„coalesce“ geht nur mit Feldern der Tabelle selbst."))
        kind = "text" if first.kind == "choice" else first.kind
        like = Operand(kind, None, first.spec if first.kind != "choice" else None)
        sides = [constant_as(part, like, self.names) if isinstance(part, Constant) else part for part in given]
        if any(side.kind not in (kind, first.kind) for side in sides):
            raise self._refused(node, gettext("So geht es: coalesce(Feld, Ersatzwert), beide von einer Art."))
        scale = max(side.scale for side in sides)
        parts: Iterable[Any] = (side.sql for side in sides)
        if kind == "number":
            parts = (wide(to_scale(side, scale)) for side in sides)
        elif kind == "date":
            parts = (day_sql(side.sql) for side in sides)
        return Operand(kind, peewee.fn.coalesce(*parts), None, scale)

    def _absolute(self, node: Any, scope: _Scope, level: int) -> Operand:
        self._only(node, "this")
        found = self._argument(node, node.this, scope, level, "number")
        return Operand("number", peewee.fn.abs(wide(found.sql)), None, found.scale, found.path, place=found.place)

    def _round(self, node: Any, scope: _Scope, level: int) -> Operand:
        self._only(node, "this", "decimals")
        found = self._argument(node, node.this, scope, level, "number")
        places = 0
        if node.args.get("decimals") is not None:
            given = self._operand(node.args["decimals"], scope, level + 1)
            if not (isinstance(given, Constant) and given.kind == "number" and given.value in (0, 1, 2, 3, 4)):
                raise self._refused(node, gettext("So geht es: round(Feld, 2), mit 0 bis 4 Stellen."))
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

    # --- refusing -----------------------------------------------------------------------------------------------------

    def _only(self, node: Any, *known: str) -> None:
        """Refuses a node with a part that no rule looks at: nothing typed is left out in silence."""
        for name, part in node.args.items():
            if part and name not in known:
                inner = part[0] if isinstance(part, list) else part
                word = type(inner).__name__.upper() if isinstance(inner, exp.Expression) else name.strip("_").upper()
                raise self._refused(node, gettext("„%(word)s“ gibt es in einer Bedingung nicht.", word=word))

    def _unknown(self, node: Any) -> str:
        if isinstance(node, exp.Column) and node.args.get("db"):
            return gettext("Ein Name hat höchstens einen Punkt.")
        if isinstance(node, exp.Func | exp.Anonymous):
            names = ", ".join(name for name, _typed, _meaning in FUNCTIONS)
            return gettext(
                "Die Funktion „%(name)s“ gibt es hier nicht. Möglich sind: %(names)s.",
                name=_function_name(node)[:40],
                names=names,
            )
        if isinstance(node, exp.Literal | exp.Null | exp.Column | exp.CurrentDate):
            return gettext("Hier fehlt ein Vergleich, zum Beispiel = oder IS NULL.")
        if isinstance(node, exp.Subquery | exp.Select):
            return gettext("SELECT geht nur in EXISTS (…) und in IN (…).")
        return gettext("„%(word)s“ gibt es in einer Bedingung nicht.", word=type(node).__name__.upper())

    def _refused(self, node: Any, reason: str) -> ConditionError:
        return ConditionError(reason, self._place(node))

    def _place(self, node: Any) -> Place:
        """Where a node begins: the first of its names and values that knows its place."""
        starts = [part.meta["start"] for part in node.walk() if part._meta and "start" in part.meta]
        return at(self.text, min(starts)) if starts else None

    _RULES: ClassVar[dict[Any, Any]] = {
        exp.Boolean: _truth,
        exp.Column: _bare,
        exp.Is: _is,
        exp.Like: _like,
        exp.ILike: _like,
        exp.Between: _between,
        exp.In: _in,
        exp.Exists: _exists,
    }
    _FUNCTIONS: ClassVar[dict[Any, Any]] = {
        exp.Lower: _text_function,
        exp.Upper: _text_function,
        exp.Trim: _text_function,
        exp.Length: _length,
        exp.Substring: _substring,
        exp.Coalesce: _coalesce,
        exp.Abs: _absolute,
        exp.Round: _round,
    }


def _function_name(node: Any) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower()
    try:
        return str(node.sql_name()).lower()
    except Exception:  # some nodes count as functions and have no name
        return type(node).__name__.lower()


def _like_sql(sql: Any, pattern: str, holds: bool) -> Any:
    """LIKE that knows no case on either engine, and no character that hides a wildcard."""
    if engine() != "sqlite":
        return joined(sql, "ILIKE" if holds else "NOT ILIKE", parameter(pattern), "ESCAPE ''")
    word = "LIKE" if holds else "NOT LIKE"
    if pattern.isascii():
        return joined(sql, word, parameter(pattern))
    return joined(lowered(sql), word, lowered(parameter(pattern)))

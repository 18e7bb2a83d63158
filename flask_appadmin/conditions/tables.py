"""Questions of a condition to other tables: EXISTS (SELECT …) and IN (SELECT …)."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from flask_appadmin.conditions.comparing import Comparing
from flask_appadmin.conditions.operands import Constant, Operand, joined
from flask_appadmin.conditions.vocabulary import Link, find_field, find_table
from flask_appadmin.conditions.walk import TRUE, Scope
from flask_appadmin.errors import ConditionError
from flask_appadmin.i18n import gettext
from flask_appadmin.specs import FieldSpec, ModelSpec

#: Tables asked within tables.
_MOST_TABLES = 3


class Tables(Comparing):
    """Makes a list of keys of a SELECT in brackets; only rows that the operator may see are asked."""

    def _exists(self, node: Any, scope: Scope, holds: bool, level: int) -> Any:
        self.only(node, "this")
        select, _columns, links, inner = self._select(node.this, scope)
        if len(links) > 1 and not links[0].field.owner:
            names = ", ".join(link.field.column for link in links)
            raise self.refused(
                node.this,
                gettext(
                    "„%(table)s“ verweist mehrfach hierher. Bitte so schreiben: id IN (SELECT %(names)s FROM …).",
                    table=str(links[0].spec.plural),
                    names=names,
                ),
            )
        link = links[0]
        expression = self._where(select, Scope(link.spec, inner, scope, link.field), level)
        return self._linked(scope.spec.model._meta.primary_key, link.spec, link.field, expression, holds)

    def _linked(self, column: Any, spec: ModelSpec, link: FieldSpec, expression: Any, holds: bool) -> Any:
        if link.nullable:
            expression = joined(expression, "AND", link.column_field, "IS NOT NULL")
        keys = self._keys(spec, link.column_field, expression)
        return column.in_(keys) if holds else column.not_in(keys)

    def _in_query(self, node: Any, found: Operand | Constant, scope: Scope, holds: bool, level: int) -> Any:
        subquery = node.args["query"]
        if not isinstance(subquery, exp.Subquery) or not isinstance(found, Operand) or found.path is not None:
            raise self.refused(node, gettext("Links von IN (SELECT …) steht id oder ein Verweis."))
        self.only(subquery, "this")
        if found.keys_of is None or not found.is_exact:
            raise self.refused(node.this, gettext("Links von IN (SELECT …) steht id oder ein Verweis."))
        own = found.keys_of is scope.spec
        outer = scope if own else Scope(found.keys_of, outer=scope)
        select, columns, links, inner = self._select(subquery.this, outer)
        if len(columns) != 1 or not isinstance(columns[0], exp.Column):
            raise self.refused(subquery.this, gettext("Nach SELECT steht hier genau ein Feld."))
        word, _qualifier, place = self._names_of(columns[0], Scope(links[0].spec, inner))
        item = find_field(links[0].spec, word, self.operator, place)
        link = next((link for link in links if link.field is item), None)
        if link is None:
            names = ", ".join(link.field.column for link in links)
            raise ConditionError(
                gettext("Dieses Feld verweist nicht hierher. Möglich ist: %(names)s.", names=names), place
            )
        expression = self._where(select, Scope(link.spec, inner, outer, link.field), level)
        return self._linked(found.sql, link.spec, link.field, expression, holds)

    def _select(self, select: Any, scope: Scope) -> tuple[Any, list[Any], tuple[Link, ...], str]:
        """(select, its columns, the links of its table, the table's short name) of a SELECT in brackets."""
        if not isinstance(select, exp.Select):
            raise self.refused(select, gettext("In der Klammer steht SELECT … FROM … WHERE …"))
        self.only(select, "expressions", "from_", "where")
        if scope.depth >= _MOST_TABLES:
            raise self.refused(select, gettext("Die Bedingung ist zu tief verschachtelt."))
        source = select.args.get("from_")
        table = source.this if source is not None else None
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
            raise self.refused(select, gettext("In der Klammer steht SELECT … FROM … WHERE …"))
        self.only(table, "this", "alias")
        alias = table.args.get("alias")
        if alias is not None:
            self.only(alias, "this")
        links = find_table(scope.spec, table.this.name, self.operator, self.place(table.this))
        columns = list(select.expressions)
        for column in columns:
            if not isinstance(column, exp.Column | exp.Literal | exp.Star) or any(
                column.args.get(name) for name in ("except_", "replace", "rename")
            ):
                raise self.refused(column, self.unknown(column))
        return select, columns, links, alias.name if alias is not None else ""

    def _where(self, select: Any, scope: Scope, level: int) -> Any:
        where = select.args.get("where")
        if where is None:
            return TRUE
        self.only(where, "this")
        return self.condition(where.this, scope, True, level + 1)

    def _link_itself(self, node: Any, scope: Scope) -> bool:
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

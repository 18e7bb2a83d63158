"""sqlglot's tree becomes a query expression: a rule for each kind of node, and a refusal for every other.

Shape: `translate(spec, text, operator)` walks the tree once. NOT is carried down to the comparisons („NOT a = 1“ is
„a <> 1“), which keeps SQL's logic of NULL and lets a field of another table be asked by `IN (SELECT …)`: one list of
keys instead of a question per row, and the same answer on both engines. Questions to other tables pass the gate
(`visible`). Errors: ConditionError with the place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import peewee
from sqlglot import exp

from flask_appadmin.conditions.operands import Constant, Operand, as_moment, constant_as, joined, lowered, parameter
from flask_appadmin.conditions.reading import read_condition
from flask_appadmin.conditions.tables import Tables
from flask_appadmin.conditions.walk import FALSE, MOST_LEVELS, TRUE, Scope
from flask_appadmin.database import engine
from flask_appadmin.errors import ConditionError
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.specs import FieldSpec, ModelSpec

#: Comparisons, and what each becomes under NOT.
_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
#: Wildcards of a pattern.
_MOST_WILDCARDS = 10


@dataclass(frozen=True)
class Translated:
    """A condition: its expression on the model's own table, and the fields of that table which it names."""

    expression: Any
    fields: frozenset[FieldSpec]


def translate(spec: ModelSpec, text: str, operator: Operator) -> Translated:
    """The typed condition as an expression on the model's table; raises ConditionError, whatever is typed."""
    tree, plain = read_condition(text)
    work = _Translation(plain, operator)
    try:
        expression = work.condition(tree, Scope(spec), True, 0)
    except RecursionError:
        raise ConditionError(gettext("Die Bedingung ist zu tief verschachtelt.")) from None
    return Translated(expression, frozenset(work.named.get(spec.name, ())))


class _Translation(Tables):
    """Makes an expression of a whole condition."""

    def condition(self, node: Any, scope: Scope, holds: bool, level: int) -> Any:
        """The expression that is true where the node is (or, with `holds` False, where it is false)."""
        if level > MOST_LEVELS:
            raise self.refused(node, gettext("Die Bedingung ist zu tief verschachtelt."))
        if isinstance(node, exp.Paren):
            self.only(node, "this")
            return self.condition(node.this, scope, holds, level + 1)
        if isinstance(node, exp.Not):
            self.only(node, "this")
            return self.condition(node.this, scope, not holds, level + 1)
        if isinstance(node, exp.And | exp.Or):
            return self._joined(node, scope, holds, level)
        # Some comparisons carry their NOT themselves.
        holds = holds != bool(node.args.get("negate"))
        if type(node) in _COMPARISONS:
            self.only(node, "this", "expression")
            if holds and self._link_itself(node, scope):
                return TRUE
            sign = _COMPARISONS[type(node)]
            return self._compared(node, scope, sign if holds else _OPPOSITE[sign], level)
        rule = self._RULES.get(type(node))
        if rule is None:
            raise self.refused(node, self.unknown(node))
        return rule(self, node, scope, holds, level)

    def _joined(self, node: Any, scope: Scope, holds: bool, level: int) -> Any:
        kind, parts, rest = type(node), [], [node]
        while rest:  # a long row of ANDs is a tree as deep as it is long
            part = rest.pop()
            if type(part) is kind:
                self.only(part, "this", "expression")
                rest += [part.expression, part.this]
            else:
                parts.append(self.condition(part, scope, holds, level + 1))
        both = (kind is exp.And) == holds
        return _in_pairs(parts, "AND" if both else "OR")

    def _truth(self, node: Any, scope: Scope, holds: bool, level: int) -> Any:
        return TRUE if bool(node.this) == holds else FALSE

    def _bare(self, node: Any, scope: Scope, holds: bool, level: int) -> Any:
        """A field that is itself a condition: `active`."""
        found = self.operand(node, scope, level)
        if not isinstance(found, Operand) or found.kind != "bool":
            raise self.refused(node, gettext("Hier fehlt ein Vergleich, zum Beispiel = oder IS NULL."))
        return self._placed(found.path, joined(found.sql, "=", parameter(holds)))

    def _is(self, node: Any, scope: Scope, holds: bool, level: int) -> Any:
        self.only(node, "this", "expression", "negate")
        found, asked = self.operand(node.this, scope, level), node.expression
        if isinstance(found, Constant):
            raise self.refused(node, gettext("Links von IS steht ein Feld."))
        if isinstance(asked, exp.Null):
            return self._empty(found, holds)
        if isinstance(asked, exp.Boolean) and found.kind == "bool":
            same = joined(found.sql, "=", parameter(bool(asked.this) == holds))
            if holds:
                return self._placed(found.path, same)
            return joined(self._placed(found.path, same), "OR", self._empty(found, True))
        raise self.refused(node, gettext("Nach IS steht NULL, bei Ja/Nein-Feldern auch TRUE oder FALSE."))

    def _like(self, node: Any, scope: Scope, holds: bool, level: int) -> Any:
        self.only(node, "this", "expression", "negate")
        found, pattern = self.operand(node.this, scope, level), self.operand(node.expression, scope, level)
        if not isinstance(pattern, Constant) or pattern.kind != "text":
            raise self.refused(node, gettext("Nach LIKE steht ein Text, zum Beispiel %(example)s.", example="'A%'"))
        if isinstance(found, Constant):
            raise self.refused(node, gettext("Links von LIKE steht ein Feld."))
        if found.kind == "reference" and found.spec is not None:
            raise self.refused(
                node,
                gettext("LIKE vergleicht Texte. Bitte ein Feld dahinter nennen: %(name)s.…", name=found.spec.name),
            )
        if found.kind == "choice" and found.spec is not None:
            raise self.refused(
                node,
                gettext("„%(field)s“ hat feste Werte; bitte = oder IN nehmen.", field=str(found.spec.label)),
            )
        sql = found.sql
        if found.kind == "number" and not found.scale:
            sql = peewee.Cast(sql, "text")
        elif found.kind not in ("text", "choice"):
            raise self.refused(node, gettext("LIKE vergleicht Texte; dieses Feld ist keiner."))
        if pattern.shown.count("%") > _MOST_WILDCARDS:
            raise self.refused(node, gettext("Ein Muster hat höchstens %(most)s Platzhalter.", most=_MOST_WILDCARDS))
        return self._placed(found.path, _like_sql(sql, pattern.shown, holds))

    def _between(self, node: Any, scope: Scope, holds: bool, level: int) -> Any:
        self.only(node, "this", "low", "high", "negate")
        found = self.operand(node.this, scope, level)
        low, high = self.operand(node.args["low"], scope, level), self.operand(node.args["high"], scope, level)
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
            raise self.refused(node, gettext("Nach BETWEEN steht zuerst der kleinere Wert."))

    def _in(self, node: Any, scope: Scope, holds: bool, level: int) -> Any:
        self.only(node, "this", "expressions", "query", "negate")
        found = self.operand(node.this, scope, level)
        if node.args.get("query") is not None:
            return self._in_query(node, found, scope, holds, level)
        entries = [self.operand(entry, scope, level) for entry in node.expressions]
        if not entries:
            raise self.refused(node, gettext("In der Klammer nach IN fehlen die Werte."))
        if not isinstance(found, Operand) or not all(isinstance(entry, Constant) for entry in entries):
            raise self.refused(node, gettext("Links von IN steht ein Feld, in der Klammer stehen Werte."))
        plain = [entry for entry in entries if isinstance(entry, Constant) and entry.shown.strip()]
        if found.kind not in ("datetime", "other") and len(plain) == len(entries) > 1:
            values = [constant_as(entry, found, self.names) for entry in plain]
            if all(value.scale == found.scale for value in values):
                listed = peewee.EnclosedNodeList(tuple(value.sql for value in values))
                return self._placed(found.path, joined(found.sql, "IN" if holds else "NOT IN", listed))
        parts = [self._comparison(node, found, "=" if holds else "<>", entry) for entry in entries]
        return _in_pairs(parts, "OR" if holds else "AND")

    _RULES: ClassVar[dict[Any, Any]] = {
        exp.Boolean: _truth,
        exp.Column: _bare,
        exp.Is: _is,
        exp.Like: _like,
        exp.ILike: _like,
        exp.Between: _between,
        exp.In: _in,
        exp.Exists: Tables._exists,
    }


def _in_pairs(parts: list[Any], word: str) -> Any:
    """The parts joined by AND or OR, two and two, so that the expression stays shallow."""
    while len(parts) > 1:
        pairs = [parts[at : at + 2] for at in range(0, len(parts), 2)]
        parts = [joined(pair[0], word, pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]
    return parts[0]


def _like_sql(sql: Any, pattern: str, holds: bool) -> Any:
    """LIKE that knows no case on either engine, and no character that hides a wildcard."""
    if engine() != "sqlite":
        return joined(sql, "ILIKE" if holds else "NOT ILIKE", parameter(pattern), "ESCAPE ''")
    word = "LIKE" if holds else "NOT LIKE"
    if pattern.isascii():
        return joined(sql, word, parameter(pattern))
    return joined(lowered(sql), word, lowered(parameter(pattern)))

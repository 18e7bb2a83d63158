"""Calculations in a condition: numbers, days, intervals.

Units: decimals are whole numbers of their smallest unit; days are whole days.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from sqlglot import exp

from flask_appadmin.conditions.operands import (
    Constant,
    Operand,
    as_day,
    constant_as,
    day_sql,
    days_between,
    days_later,
    joined,
    parameter,
    to_scale,
    wide,
)
from flask_appadmin.conditions.walk import Scope, Walk
from flask_appadmin.digits import is_number
from flask_appadmin.errors import ConditionError
from flask_appadmin.i18n import gettext
from flask_appadmin.specs import FieldSpec

#: Days that may be added to a day: the calendar of both engines is long enough for them.
_MOST_DAYS = 400_000
#: Places behind the point that a calculation may come to.
_MOST_PLACES = 12


class Calculating(Walk):
    """Makes an operand of two others, or of one."""

    def _negative(self, node: Any, scope: Scope, level: int) -> Operand | Constant:
        found = self.operand(node.this, scope, level + 1)
        if found.kind != "number":
            raise self.refused(node, gettext("Ein Minus steht nur vor einer Zahl."))
        if isinstance(found, Constant):
            return Constant("number", -found.value, f"-{found.shown}", found.place)
        return Operand("number", joined("-", wide(found.sql)), None, found.scale, found.path, place=found.place)

    def _calculated(self, node: Any, scope: Scope, level: int) -> Operand | Constant:
        sign = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}[type(node)]
        for mine, other in ((node.expression, node.this), (node.this, node.expression)):
            if isinstance(mine, exp.Interval) and sign != "*" and (mine is node.expression or sign == "+"):
                return self._interval(node, self.operand(other, scope, level + 1), mine, -1 if sign == "-" else 1)
        left = self.operand(node.this, scope, level + 1)
        right = self.operand(node.expression, scope, level + 1)
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
        raise self.refused(
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
            raise self.refused(node, gettext("Ein Vergleich kann nicht Felder zweier Tabellen nebeneinander stellen."))
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
                raise self.refused(node, gettext("„%(value)s“ ist zu groß.", value=shown[:40]))
            return Constant("number", value, shown, left.place)
        if kinds == ("date", "date") and sign == "-":
            return Constant("number", Decimal((left.value - right.value).days), shown, left.place)
        if kinds == ("date", "number") and sign in "+-":
            return self._day_after(node, left, self._days(node, right) * (-1 if sign == "-" else 1))
        if kinds == ("number", "date") and sign == "+":
            return self._day_after(node, right, self._days(node, left))
        raise self.refused(
            node, gettext("Rechnen lässt sich mit Zahlen, und mit Datum minus Datum oder plus und minus Tagen.")
        )

    def _days(self, node: Any, constant: Constant) -> int:
        value = constant.value
        if value != int(value) or abs(value) > _MOST_DAYS:
            raise self.refused(node, gettext("Hier steht eine Zahl von Tagen, höchstens %(most)s.", most=_MOST_DAYS))
        return int(value)

    def _day_after(self, node: Any, day: Constant, days: int) -> Constant:
        try:
            return Constant("date", day.value + datetime.timedelta(days=days), day.shown, day.place)
        except OverflowError:
            raise self.refused(node, gettext("Dieses Datum gibt es nicht.")) from None

    def _interval(self, node: Any, base: Operand | Constant, interval: Any, factor: int) -> Operand | Constant:
        """A day and INTERVAL '3' MONTH; months and years only from a day that is known, since months differ."""
        self.only(interval, "this", "unit")
        unit, amount = interval.args.get("unit"), interval.this
        name = str(unit.this).upper().removesuffix("S") if isinstance(unit, exp.Var) else ""
        text = str(amount.this) if isinstance(amount, exp.Literal) else ""
        if not is_number(text, 6) or name not in ("DAY", "WEEK", "MONTH", "YEAR"):
            raise self.refused(node, gettext("So geht es: INTERVAL '3' MONTH (DAY, WEEK, MONTH oder YEAR)."))
        if base.kind != "date":
            raise self.refused(node, gettext("INTERVAL steht neben einem Datum, zum Beispiel current_date."))
        count = int(text) * factor
        if name in ("DAY", "WEEK"):
            days = count * (7 if name == "WEEK" else 1)
            if abs(days) > _MOST_DAYS:
                raise self.refused(node, gettext("Dieses Datum gibt es nicht."))
            if isinstance(base, Constant):
                return self._day_after(node, base, days)
            return Operand("date", days_later(base.sql, days), None, 0, base.path, place=base.place)
        if isinstance(base, Operand):
            raise self.refused(
                node, gettext("Monate und Jahre lassen sich nur zu einem festen Datum zählen, etwa current_date.")
            )
        months = base.value.year * 12 + base.value.month - 1 + count * (12 if name == "YEAR" else 1)
        year, month = months // 12, months % 12 + 1
        if not 1 <= year <= 9998:
            raise self.refused(node, gettext("Dieses Datum gibt es nicht."))
        following = datetime.date(year + month // 12, month % 12 + 1, 1)
        last = (following - datetime.timedelta(days=1)).day
        return Constant("date", datetime.date(year, month, min(base.value.day, last)), base.shown, base.place)

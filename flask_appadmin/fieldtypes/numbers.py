"""Whole and decimal numbers, and how people write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.base import FieldType
from flask_appadmin.i18n import current_locale, format_decimal, format_number, gettext

if TYPE_CHECKING:
    from flask_appadmin.specs import FieldSpec

#: PostgreSQL's integer columns end here.
_LARGEST_INTEGER = 2_147_483_647


class IntegerType(FieldType):
    """A whole number."""

    name = "integer"
    sheet_kind = "integer"
    is_number = True

    def parse(self, text: str, spec: FieldSpec) -> int | None:
        text = text.strip().replace("\u00a0", "").replace(" ", "")
        if not text:
            return None
        if re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+", text):
            text = text.replace(".", "")
        if not re.fullmatch(r"[+-]?\d{1,18}", text):
            raise FieldError(
                spec, text, gettext("ist keine ganze Zahl"), gettext("Bitte nur Ziffern eingeben, zum Beispiel 30.")
            )
        return self.check(int(text), spec)

    def check(self, value: Any, spec: FieldSpec) -> int | None:
        if value is None:
            return None
        _check_limits(value, spec, str)
        if not -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
            raise FieldError(
                spec,
                str(value),
                gettext("ist zu groß"),
                gettext("Erlaubt ist höchstens %(high)s.", high=str(_LARGEST_INTEGER)),
            )
        return int(value)

    def from_cell(self, cell: Any, spec: FieldSpec) -> int | None:
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            if not float(cell).is_integer():
                raise FieldError(spec, _number_text(cell), gettext("ist keine ganze Zahl"))
            return self.check(int(cell), spec)
        return super().from_cell(cell, spec)

    def format(self, value: Any, spec: FieldSpec) -> str:
        # Numbers that name something (an account, a form) are never grouped; amounts have a unit or a limit.
        if value is None:
            return ""
        return format_number(value) if spec.unit else str(value)

    def sql_from_json(self, json_sql: str, spec: FieldSpec, engine: str) -> str:
        text = super().sql_from_json(json_sql, spec, engine)
        return text if engine == "sqlite" else f"{text}::bigint"


class DecimalType(FieldType):
    """An exact decimal number with the places of its column."""

    name = "decimal"
    sheet_kind = "decimal"
    is_number = True

    def parse(self, text: str, spec: FieldSpec) -> Decimal | None:
        shown = text.strip()
        text = re.sub(r"[\s\u00a0\u202f€%]|EUR", "", shown)
        if not text:
            return None
        number = parse_decimal(text)
        if number is None:
            raise FieldError(
                spec,
                shown,
                gettext("ist keine Zahl"),
                gettext("Bitte so eingeben: %(example)s.", example=format_decimal(Decimal("1234.5"), 2)),
            )
        return self.check(number, spec)

    def check(self, value: Any, spec: FieldSpec) -> Decimal | None:
        if value is None:
            return None
        number = value if isinstance(value, Decimal) else Decimal(str(value))
        if not number.is_finite() or number.adjusted() >= spec.digits - spec.places:
            raise FieldError(spec, _number_text(number), gettext("ist zu groß"))
        rounded = round(number, spec.places)
        if rounded != number:
            raise FieldError(
                spec,
                _number_text(number),
                gettext("hat zu viele Stellen hinter dem Komma"),
                gettext("Erlaubt sind %(places)s.", places=spec.places),
            )
        _check_limits(rounded, spec, lambda limit: format_decimal(Decimal(str(limit))))
        return rounded

    def from_cell(self, cell: Any, spec: FieldSpec) -> Decimal | None:
        if isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
            # A float cell holds the nearest binary number; 15 significant digits are what spreadsheets promise.
            number = Decimal(format(cell, ".15g")) if isinstance(cell, float) else Decimal(cell)
            return self.check(number, spec)
        return super().from_cell(cell, spec)

    def format(self, value: Any, spec: FieldSpec) -> str:
        return "" if value is None else format_decimal(value, spec.places)

    def to_json(self, value: Any, spec: FieldSpec) -> str | None:
        return None if value is None else f"{value:.{spec.places}f}"

    def from_json(self, value: Any, spec: FieldSpec) -> Decimal | None:
        return None if value is None else Decimal(value)

    def sql_to_json(self, column: str, spec: FieldSpec, engine: str) -> str:
        unit, places = 10**spec.places, spec.places
        if engine == "sqlite":
            sign = f"case when {column} < 0 then '-' else '' end"
            text = f"printf('\"%s%d.%0{places}d\"', {sign}, abs({column}) / {unit}, abs({column}) % {unit})"
            return f"case when {column} is null then 'null' else {text} end"
        return f"coalesce('\"' || ({column}::numeric / {unit})::numeric(30, {places})::text || '\"', 'null')"

    def sql_from_json(self, json_sql: str, spec: FieldSpec, engine: str) -> str:
        text = f"replace({super().sql_from_json(json_sql, spec, engine)}, '.', '')"
        return f"cast({text} as {'integer' if engine == 'sqlite' else 'bigint'})"


def _number_text(value: Any) -> str:
    return format_decimal(Decimal(str(value)), grouping=False)


def parse_decimal(text: str) -> Decimal | None:
    """German "1.234,50", English "1,234.50" and plain "1234.5"; "1.234" is grouped in German, a fraction in English."""
    comma, point = (".", ",") if current_locale() == "en" else (",", ".")
    for decimal_mark, group_mark in ((comma, point), (point, comma)):
        grouped = rf"[+-]?\d{{1,3}}(?:\{group_mark}\d{{3}})*(?:\{decimal_mark}\d+)?"
        simple = rf"[+-]?\d*(?:\{decimal_mark}\d+)?"
        if re.fullmatch(grouped, text) or re.fullmatch(simple, text):
            try:
                return Decimal(text.replace(group_mark, "").replace(decimal_mark, "."))
            except InvalidOperation:
                return None
    return None


def _check_limits(value: Any, spec: FieldSpec, shown: Callable[[Any], str]) -> None:
    low, high = spec.minimum, spec.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        if low is not None and high is not None:
            right = gettext("Erlaubt ist %(low)s bis %(high)s.", low=shown(low), high=shown(high))
        elif low is not None:
            right = gettext("Erlaubt ist mindestens %(low)s.", low=shown(low))
        else:
            right = gettext("Erlaubt ist höchstens %(high)s.", high=shown(high))
        reason = gettext("ist zu klein") if low is not None and value < low else gettext("ist zu groß")
        raise FieldError(spec, _number_text(value), reason, right)

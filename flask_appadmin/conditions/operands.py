"""What stands on either side of a comparison: fields, values, and what is calculated from them.

Shape: an Operand is a kind of value, the SQL for it and, for decimals, how many places its whole number has. A Constant
is a value as typed; it becomes an operand of a kind when it is known what it is compared with, by the field's own way
to read it. Every value goes to the database as a parameter, in the form in which it is stored there.
Units: decimals are whole numbers of their smallest unit; a difference of two days is a number of days.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import peewee

from flask_appadmin.database import engine
from flask_appadmin.errors import ConditionError, FieldError
from flask_appadmin.fieldtypes.type_of import type_of
from flask_appadmin.i18n import gettext, to_utc
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

Place = tuple[int, int] | None

#: Kind of a field's type in comparisons; all others can only be asked whether they are empty.
_KINDS = {
    "text": "text",
    "multiline": "text",
    "choice": "choice",
    "integer": "number",
    "decimal": "number",
    "bool": "bool",
    "date": "date",
    "datetime": "datetime",
    "reference": "reference",
}

#: The largest whole number that reaches the database; both engines count in 64 bits.
_LARGEST = 2**62


@dataclass(frozen=True)
class Constant:
    """A value as it was typed."""

    #: "text", "number", "bool", "null", "date" or "datetime".
    kind: str
    #: str, Decimal, bool, None, date or datetime.
    value: Any
    #: As it stands in the condition, for sentences.
    shown: str
    place: Place = None


@dataclass(frozen=True)
class Operand:
    """A field, or what was calculated from fields."""

    kind: str
    sql: Any
    #: The field that says how values are read; None for what was calculated.
    spec: FieldSpec | None = None
    #: Places behind the point that the whole number holds.
    scale: int = 0
    #: The reference whose record this belongs to; None for the table itself.
    path: FieldSpec | None = None
    #: For "reference": the model whose keys these are.
    keys_of: ModelSpec | None = None
    place: Place = None

    @property
    def is_exact(self) -> bool:
        """Whether it is the plain column."""
        return self.spec is not None


def parameter(value: Any) -> Any:
    """A value in the form it is stored in, untouched by what stands around it."""
    return peewee.Value(value, converter=False)


def joined(*parts: Any) -> Any:
    """SQL of parts with brackets around it; words are the layer's own, never typed ones."""
    return peewee.NodeList(tuple(peewee.SQL(part) if isinstance(part, str) else part for part in parts), parens=True)


def field_operand(item: FieldSpec, owner: ModelSpec, by_key: bool, path: FieldSpec | None, place: Place) -> Operand:
    """The operand of a field; `by_key` for a reference that is named by its column, so that keys are typed."""
    kind = _KINDS.get(item.type.name, "other")
    scale = item.places if item.type.name == "decimal" else 0
    keys_of = None
    if kind == "reference":
        keys_of = item.references
        if by_key:
            return Operand("number", item.column_field, item, 0, path, keys_of, place)
    elif item.column_field.primary_key:
        keys_of = owner
    return Operand(kind, item.column_field, item, scale, path, keys_of, place)


def constant_as(constant: Constant, other: Operand, names: ReferenceCache) -> Operand:
    """The typed value as an operand of the other side's kind; ConditionError where it does not fit."""
    if constant.kind == "null":
        raise ConditionError(
            gettext("Ein Vergleich mit NULL trifft nie zu. Bitte IS NULL oder IS NOT NULL schreiben."), constant.place
        )
    try:
        value, scale = _value(constant, other, names)
    except FieldError as fault:
        raise ConditionError(f"{_about(other)}{fault.found()}", constant.place) from None
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ConditionError(gettext("„%(value)s“ ist zu groß.", value=constant.shown[:40]), constant.place)
    return Operand(other.kind, parameter(value), None, scale, other.path, other.keys_of, constant.place)


def _about(other: Operand) -> str:
    return f"{other.spec.label}: " if other.spec is not None else ""


def _unfit(constant: Constant, sentence: str) -> ConditionError:
    return ConditionError(sentence, constant.place)


def _value(constant: Constant, other: Operand, names: ReferenceCache) -> tuple[Any, int]:
    """The stored form of a typed value beside `other`, and its scale."""
    kind, value = other.kind, constant.value
    spec = _without_limits(other.spec) if other.spec is not None else None
    if kind == "number":
        number = _number(constant, spec)
        # With the places of the field itself, so that the column is compared as it stands and its index can serve.
        scale = max(-int(number.as_tuple().exponent), other.scale)
        return int(number.scaleb(scale)), scale
    if kind == "bool":
        if constant.kind == "bool":
            return value, 0
        if spec is not None and constant.kind in ("text", "number"):
            found = spec.parse(constant.shown)
            if found is not None:
                return bool(found), 0
        raise _unfit(constant, gettext("Hier passt nur TRUE oder FALSE, nicht „%(value)s“.", value=constant.shown[:40]))
    if constant.kind == "bool":
        raise _unfit(constant, gettext("TRUE und FALSE passen nur zu Feldern mit Ja oder Nein."))
    if kind == "date":
        return _day(constant), 0
    if constant.kind in ("date", "datetime"):
        raise _unfit(constant, gettext("Ein Datum passt hier nicht."))
    if kind == "reference":
        assert other.spec is not None
        return names.find(constant.shown, other.spec), 0
    if kind == "choice" and spec is not None:
        return spec.parse(constant.shown), 0
    return _text(constant, spec), 0


def _without_limits(spec: FieldSpec) -> FieldSpec:
    """A comparison may name values that the field itself does not take: `discount < 101`."""
    return replace(spec, minimum=None, maximum=None, max_length=None, required=False)


def _number(constant: Constant, spec: FieldSpec | None) -> Decimal:
    if constant.kind == "number":
        found: Decimal = constant.value
        return found
    if constant.kind == "text" and spec is not None and spec.type.name in ("integer", "decimal"):
        parsed = spec.parse(constant.shown)
        if parsed is not None:
            return Decimal(parsed)
    elif constant.kind == "text" and re.fullmatch(r"-?\d{1,15}([.,]\d{1,6})?", constant.shown.strip()):
        return Decimal(constant.shown.strip().replace(",", "."))
    raise ConditionError(gettext("„%(value)s“ ist keine Zahl.", value=constant.shown[:40]), constant.place)


def _day(constant: Constant) -> datetime.date:
    if constant.kind == "date":
        found: datetime.date = constant.value
        return found
    if constant.kind == "text":
        parsed = as_day(constant.shown)
        if parsed is not None:
            return parsed
    raise ConditionError(
        gettext(
            "„%(value)s“ ist kein Datum. Bitte so schreiben: '31.12.2026' oder '2026-12-31'.", value=constant.shown[:40]
        ),
        constant.place,
    )


#: A day as a field of that kind reads it.
_DATE = type_of(peewee.DateField())
_DATETIME = type_of(peewee.DateTimeField())


class _Nameless:
    """Stands for a field where a value is read that belongs to none."""

    label = ""
    name = ""


def as_day(text: str) -> datetime.date | None:
    """The day a text names, German or ISO; None for none."""
    try:
        found: datetime.date | None = _DATE.parse(text, _Nameless())  # type: ignore[arg-type]
        return found
    except FieldError:
        return None


def as_moment(constant: Constant) -> tuple[datetime.datetime, datetime.datetime]:
    """First and last second that a typed day or moment means, in UTC."""
    day = constant.value if constant.kind == "date" else None
    if constant.kind == "datetime":
        return constant.value, constant.value
    if constant.kind == "text":
        day = as_day(constant.shown)
        if day is None:
            try:
                moment = _DATETIME.parse(constant.shown, _Nameless())  # type: ignore[arg-type]
            except (FieldError, OverflowError):
                moment = None
            if moment is not None and 1800 <= moment.year <= 2999:
                return moment, moment
    if day is None:
        raise ConditionError(
            gettext(
                "„%(value)s“ ist kein Zeitpunkt. Bitte so schreiben: '31.12.2026' oder '2026-12-31 14:30'.",
                value=constant.shown[:40],
            ),
            constant.place,
        )
    if not 1800 <= day.year <= 2999:
        raise ConditionError(
            gettext("„%(value)s“ liegt außerhalb der Jahre 1800 bis 2999.", value=constant.shown[:40]), constant.place
        )
    first = to_utc(datetime.datetime.combine(day, datetime.time()))
    after = to_utc(datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time()))
    return first, after - datetime.timedelta(seconds=1)


def _text(constant: Constant, spec: FieldSpec | None) -> str:
    """The text as the field would store it; what it would refuse (half an e-mail address) is compared as typed."""
    if spec is not None and spec.kind:
        try:
            return str(spec.parse(constant.shown) or "")
        except FieldError:
            pass
    import unicodedata

    return unicodedata.normalize("NFC", constant.shown)


# --- calculating ------------------------------------------------------------------------------------------------------


def to_scale(operand: Operand, scale: int) -> Any:
    """The whole number of an operand with so many places."""
    if operand.scale == scale:
        return operand.sql
    return joined(wide(operand.sql), "*", parameter(10 ** (scale - operand.scale)))


def wide(sql: Any) -> Any:
    """A number that may grow when it is calculated with: PostgreSQL would stop at 64 bits with an error."""
    return sql if engine() == "sqlite" else peewee.Cast(sql, "numeric")


def lowered(sql: Any) -> Any:
    """Small letters, umlauts too: SQLite's own lower() knows ASCII only."""
    return peewee.fn.appadmin_lower(sql) if engine() == "sqlite" else peewee.fn.lower(sql)


def raised(sql: Any) -> Any:
    """Capital letters, umlauts too."""
    return peewee.fn.appadmin_upper(sql) if engine() == "sqlite" else peewee.fn.upper(sql)


def day_sql(sql: Any) -> Any:
    """A day in a calculation; PostgreSQL has to be told the kind of a parameter."""
    return sql if engine() == "sqlite" else peewee.Cast(sql, "date")


def days_between(first: Any, second: Any) -> Any:
    """Days from the second day to the first one."""
    if engine() == "sqlite":
        return peewee.Cast(joined(peewee.fn.julianday(first), "-", peewee.fn.julianday(second)), "integer")
    return joined(day_sql(first), "-", day_sql(second))


def days_later(sql: Any, days: int) -> Any:
    """The day so many days after another one, or before it."""
    if engine() == "sqlite":
        return peewee.fn.date(sql, parameter(f"{days:+d} days"))
    return joined(day_sql(sql), "+", peewee.Cast(parameter(days), "integer"))


def in_code_order(sql: Any) -> Any:
    """A text that is compared letter by letter in the order of Unicode, as SQLite does."""
    return sql if engine() == "sqlite" else joined(sql, 'COLLATE "C"')

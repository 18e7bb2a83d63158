"""Comparisons of one field: which ways to compare suit a kind of value, and what they mean.

Days may be said relative to today (`today-30`), so that a kept filter moves on with the calendar. In fields with a
time of day a day means its whole length, here and not in Greenwich. Texts are compared without regard to case where a
part of them is asked for, and exactly where the whole is.
"""

from __future__ import annotations

import datetime
import functools
import itertools
import operator as operators
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from flask_appadmin.database import engine, utcnow
from flask_appadmin.errors import FieldError, FilterError
from flask_appadmin.filters.parts import Part, joined_or
from flask_appadmin.i18n import _, format_date, format_number, gettext, to_local, to_utc
from flask_appadmin.rights import Operator
from flask_appadmin.specs import FieldSpec, ReferenceCache, shown

#: So many values one comparison may name.
MOST_VALUES = 500

_LONGEST_VALUE = 500


@dataclass(frozen=True)
class Operation:
    """A way to compare: its key in URLs, its words, how many values it takes (-1: one or more)."""

    key: str
    label: Any
    values: int
    #: Sentence with %(field)s and %(value)s.
    sentence: Any


OPERATIONS = {
    operation.key: operation
    for operation in (
        Operation("", _("ist"), -1, _("%(field)s ist %(value)s")),
        Operation("not", _("ist nicht"), -1, _("%(field)s ist nicht %(value)s")),
        Operation("contains", _("enthält"), 1, _("%(field)s enthält „%(value)s“")),
        Operation("lacks", _("enthält nicht"), 1, _("%(field)s enthält nicht „%(value)s“")),
        Operation("begins", _("beginnt mit"), 1, _("%(field)s beginnt mit „%(value)s“")),
        Operation("ends", _("endet mit"), 1, _("%(field)s endet mit „%(value)s“")),
        Operation("empty", _("ist leer"), 0, _("%(field)s ist leer")),
        Operation("filled", _("ist ausgefüllt"), 0, _("%(field)s ist ausgefüllt")),
        Operation("from", _("ab"), 1, _("%(field)s ab %(value)s")),
        Operation("to", _("bis"), 1, _("%(field)s bis %(value)s")),
        Operation("between", _("zwischen"), 2, _("%(field)s zwischen %(value)s")),
        Operation("last", _("in den letzten … Tagen"), 1, _("%(field)s in den letzten %(value)s Tagen")),
        Operation("next", _("in den nächsten … Tagen"), 1, _("%(field)s in den nächsten %(value)s Tagen")),
    )
}

_ORDERED = ("", "not", "from", "to", "between", "empty", "filled")

_BY_KIND: dict[str, tuple[str, ...]] = {
    "text": ("contains", "begins", "ends", "", "not", "lacks", "empty", "filled"),
    "multiline": ("contains", "lacks", "empty", "filled"),
    "choice": ("", "not", "empty", "filled"),
    "reference": ("", "not", "empty", "filled"),
    "bool": ("",),
    "integer": _ORDERED,
    "decimal": _ORDERED,
    "date": ("from", "to", "between", "", "last", "next", "empty", "filled"),
    "datetime": ("from", "to", "between", "", "last", "empty", "filled"),
    "json": ("empty", "filled"),
}


def operations_for(spec: FieldSpec) -> tuple[Operation, ...]:
    """The ways to compare that suit a field, the most useful first."""
    if spec.secret:
        return ()
    return tuple(OPERATIONS[key] for key in _BY_KIND[spec.type.name])


@dataclass(frozen=True)
class Today:
    """A day counted from the present one."""

    days: int

    @property
    def date(self) -> datetime.date:
        return to_local(utcnow()).date() + datetime.timedelta(days=self.days)

    @property
    def url_text(self) -> str:
        return f"today{self.days:+d}" if self.days else "today"

    def __str__(self) -> str:
        if not self.days:
            return gettext("heute")
        sign = "+" if self.days > 0 else "\N{MINUS SIGN}"
        return gettext("heute %(sign)s %(days)s Tage", sign=sign, days=format_number(abs(self.days)))


_TODAY = re.compile(r"(?:heute|today)(?:\s*([+\-\N{MINUS SIGN}])\s*(\d{1,5}))?(?:\s*(?:tage?|days?))?", re.IGNORECASE)


def read_today(text: str) -> Today | None:
    """„heute“, „heute-30“, "today+7" -> Today; None for anything else.

    >>> read_today("heute - 30"), read_today("morgen")
    (Today(days=-30), None)
    """
    found = _TODAY.fullmatch(text.strip())
    if found is None:
        return None
    days = int(found[2] or 0)
    return Today(days if found[1] == "+" else -days)


def _day(value: Any) -> Any:
    return value.date if isinstance(value, Today) else value


@dataclass(frozen=True)
class Condition(Part):
    """One comparison: a field, how, and the Python values it is compared with."""

    spec: FieldSpec
    operation: Operation
    values: tuple[Any, ...]

    def expression(self, operator: Operator) -> Any:
        return comparison(self.spec.column_field, self.spec.type.name, self.operation.key, self.values)

    @property
    def seekable(self) -> set[FieldSpec]:
        key = self.operation.key
        if self.spec.elsewhere is not None:
            return set()
        # Letters are compared without regard to case, which no index does.
        digits = key == "begins" and str(self.values[0]).isascii() and str(self.values[0]).isdigit()
        return {self.spec} if key in ("", "empty", "from", "to", "between", "last", "next") or digits else set()

    def sentence(self, names: ReferenceCache | None = None) -> str:
        """„Land ist Deutschland oder Österreich“."""
        return str(self.operation.sentence) % {"field": self.spec.label, "value": self.value_words(names)}

    def value_words(self, names: ReferenceCache | None = None) -> str:
        words = [_shown(self.spec, value, names) for value in self.values]
        if self.operation.key == "between":
            return gettext("%(low)s und %(high)s", low=words[0], high=words[1])
        return joined_or(words)

    def url_pairs(self, names: ReferenceCache | None = None) -> list[tuple[str, str]]:
        """The condition as it stands in a URL: references by natural key, choices by code."""
        name = f"{self.spec.name}__{self.operation.key}" if self.operation.key else self.spec.name
        if self.operation.values == 0:
            return [(name, "1")]
        return [(name, _url_text(self.spec, value, names)) for value in self.values]


def _shown(spec: FieldSpec, value: Any, names: ReferenceCache | None) -> str:
    if isinstance(value, Today):
        return str(value)
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return format_date(value)
    if isinstance(value, int) and spec.type.name in ("date", "datetime"):
        return format_number(value)
    return shown(spec, value, names)


def _url_text(spec: FieldSpec, value: Any, names: ReferenceCache | None) -> str:
    if isinstance(value, Today):
        return value.url_text
    if spec.target is not None:
        return (names or ReferenceCache()).codes(spec.references, {value})[value]
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime.datetime):
        return to_local(value).isoformat()
    return str(value)


def comparison(column: Any, kind: str, key: str, values: Sequence[Any]) -> Any:
    """The comparison as a query expression; `kind` is the kind of value the column holds."""
    if key == "empty":
        return column.is_null()
    if key == "filled":
        return column.is_null(False)
    if kind == "datetime":
        return _moments(column, key, values)
    values = [_day(value) for value in values]
    if key == "":
        return column == values[0] if len(values) == 1 else column.in_(values)
    if key == "not":
        # A field that is not filled is not "DE" either; one that is always filled need not be asked.
        different = column.not_in(values)
        return (column.is_null() | different) if getattr(column, "null", True) else different
    if key in ("contains", "ends"):
        return _like(column, key, values[0])
    if key == "lacks":
        return column.is_null() | ~_like(column, "contains", values[0])
    if key == "begins":
        return _begins(column, values[0])
    if key == "from":
        return column >= values[0]
    if key == "to":
        return column <= values[0]
    if key in ("last", "next"):
        return (
            column.between(Today(-values[0]).date, Today(0).date)
            if key == "last"
            else column.between(Today(0).date, Today(values[0]).date)
        )
    return column.between(values[0], values[1])


def _start(value: Any) -> datetime.datetime:
    """The moment at which a day begins here; a moment is itself."""
    value = _day(value)
    if isinstance(value, datetime.datetime):
        return value
    return to_utc(datetime.datetime.combine(value, datetime.time()))


def _moments(column: Any, key: str, values: Sequence[Any]) -> Any:
    if key == "last":
        return column >= _start(Today(-values[0]))
    if key == "from":
        return column >= _start(values[0])
    last = values[-1]
    if isinstance(_day(last), datetime.datetime):
        before_end = column <= last
    else:
        before_end = column < _start(_day(last) + datetime.timedelta(days=1))
    return before_end if key == "to" else (column >= _start(values[0])) & before_end


def _spellings(text: str) -> list[str]:
    """The text with each letter beyond ASCII in both cases: engines fold only the case of ASCII letters."""
    letters = [(letter.lower(), letter.upper()) for letter in text if not letter.isascii()]
    both = [(low, high) for low, high in letters if low != high and len(low) == len(high) == 1][:4]
    kept = {letter for pair in both for letter in pair}
    choices = [(letter.lower(), letter.upper()) if letter in kept else (letter,) for letter in text]
    return ["".join(letters) for letters in itertools.islice(itertools.product(*choices), 16)]


def _like(column: Any, key: str, text: str) -> Any:
    ask = column.contains if key == "contains" else column.endswith if key == "ends" else column.startswith
    return functools.reduce(operators.or_, (ask(spelling) for spelling in _spellings(text)))


def _begins(column: Any, text: str) -> Any:
    found = _like(column, "begins", text)
    # Without letters (a postcode) the index answers: LIKE alone reads the whole table.
    if text.isascii() and text.isdigit():
        following = str(int(text) + 1).zfill(len(text))
        # Between nines and what follows them nothing stands in the way: every language sorts digits as they count.
        return (
            (column >= text) & (column < following) & found if len(following) == len(text) else (column >= text) & found
        )
    if engine() == "sqlite" and text.lower() == text.upper():
        return (column >= text) & (column < text + "\U0010ffff") & found
    return found


# --- reading ----------------------------------------------------------------------------------------------------------


def read_condition(item: FieldSpec, name: str, key: str, texts: Sequence[str], names: ReferenceCache) -> Condition:
    """The condition that texts of a URL (or typed ones) mean; raises FilterError with what is wrong."""
    operation = next((other for other in operations_for(item) if other.key == key), None)
    if operation is None:
        raise FilterError(name, gettext("Dieser Vergleich passt nicht zum Feld „%(field)s“.", field=str(item.label)))
    if operation.values == 0:
        return Condition(item, operation, ())
    given = [text for text in dict.fromkeys(texts) if text.strip()]
    if not given:
        if key in ("", "not"):
            return Condition(item, OPERATIONS["empty" if key == "" else "filled"], ())
        raise FilterError(str(item.label), gettext("Bitte einen Wert angeben."))
    if len(given) > MOST_VALUES:
        raise FilterError(str(item.label), gettext("Höchstens %(most)s Werte auf einmal.", most=MOST_VALUES))
    if operation.values > 0 and len(given) != operation.values and not (operation.values == 2 and len(texts) == 2):
        raise FilterError(str(item.label), gettext("Hier werden %(count)s Werte gebraucht.", count=operation.values))
    try:
        values = tuple(_value(item, key, text, names) for text in (given if operation.values < 0 else texts))
    except FieldError as fault:
        raise FilterError(str(item.label), fault.found()) from fault
    if key == "between" and _sortable(values[0]) > _sortable(values[1]):
        raise FilterError(
            str(item.label),
            gettext(
                "%(low)s liegt hinter %(high)s; bitte erst den kleineren Wert.",
                low=_shown(item, values[0], names),
                high=_shown(item, values[1], names),
            ),
        )
    return Condition(item, operation, values)


def _sortable(value: Any) -> Any:
    value = _day(value)
    return _start(value) if isinstance(value, datetime.date) else value


def _value(item: FieldSpec, key: str, text: str, names: ReferenceCache) -> Any:
    if "\x00" in text or len(text) > _LONGEST_VALUE:
        raise FieldError(item, text[:20].replace("\x00", "?"), gettext("ist kein gültiger Wert"))
    kind = item.type.name
    if kind in ("text", "multiline"):
        return text.strip()
    if kind == "reference":
        return names.find(text, item)
    if kind in ("date", "datetime"):
        return _days(item, text) if key in ("last", "next") else _date(item, text)
    if kind == "decimal" and re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", text):
        # The URL carries 5000.00 whatever the language; people type 5.000,00.
        return Decimal(text)
    value = item.type.parse(text, unlimited(item))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**63 - 1:
        raise FieldError(item, text, gettext("ist zu groß"))
    return value


def unlimited(item: FieldSpec) -> FieldSpec:
    """The field without its limits: people may ask for more than a field takes."""
    return item if item.minimum is None and item.maximum is None else replace(item, minimum=None, maximum=None)


def _days(item: FieldSpec, text: str) -> int:
    if not re.fullmatch(r"\s*\d{1,5}\s*", text) or not int(text):
        raise FieldError(item, text, gettext("ist keine Zahl von Tagen"), gettext("Möglich sind 1 bis 99.999."))
    return int(text)


def _date(item: FieldSpec, text: str) -> Any:
    relative = read_today(text)
    if relative is not None:
        return relative
    if item.type.name == "date":
        return item.type.parse(text, item)
    moment = item.type.parse(text, item)
    if not 1800 <= moment.year <= 2999:
        raise FieldError(item, text, gettext("liegt außerhalb der Jahre 1800 bis 2999"))
    # A day without a clock means the whole day.
    return moment if ":" in text else to_local(moment).date()

"""What becomes of a field where many records change: not one value for all, but each its own made of what it has.

Shape: a Transform says it three times, and a test compares all three on odd values: `changed` in Python for rules,
preview and samples, `sql` for both engines, `words` for people. `to_json`/`from_json` keep it in a job or a history.
An empty field stays empty, except where another field is copied into it. Texts come out without blanks at their ends,
empty ones as NULL, as the field itself would store them; whatever else the field asks (length, range, codes) is checked
afterwards by `FieldSpec.check`, never here.
Units: percent with at most two places; decimals are `Decimal`, stored as whole numbers of the smallest unit and rounded
half away from zero (DIN 1333). Errors: FieldError for an argument that cannot be, with the field.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from math import gcd
from typing import Any, ClassVar

from flask_appadmin.database import LETTERS, database, engine
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.numbers import parse_decimal
from flask_appadmin.i18n import _, format_decimal, gettext
from flask_appadmin.specs import FieldSpec, ModelSpec

#: Name of a field -> its column in the statement that is being written.
Column = Callable[[str], str]
Sql = tuple[str, tuple[Any, ...]]

_TEXTS = ("text", "multiline")
_NUMBERS = ("integer", "decimal")

#: What counts as blank at the ends of a text: all that Python's own `strip` takes away.
_BLANKS = "".join(letter for letter in map(chr, range(0x3001)) if letter.isspace())

_MOST_DAYS = 36_500
_MOST_PERCENT = 1_000
#: Beyond so many digits a percentage could leave the numbers that SQLite counts exactly.
_MOST_DIGITS = 13


class Transform:
    """One way to make a new value of an old one; its arguments are plain texts, as they were typed."""

    #: Key in forms and in JSON.
    kind: ClassVar[str] = ""
    #: What the choice of ways calls it.
    label: ClassVar[Any] = ""
    #: Names of its arguments, and what stands before their inputs.
    arguments: ClassVar[tuple[tuple[str, Any], ...]] = ()
    #: The kinds of value it is for.
    types: ClassVar[tuple[str, ...]] = _TEXTS

    def __init__(self, item: FieldSpec, *given: str) -> None:
        self.item = item
        self.given = tuple(_plain(text) for text in given)
        self.read()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Transform) and (self.item, self.to_json()) == (other.item, other.to_json())

    def __hash__(self) -> int:
        return hash((self.kind, self.item.name, self.given))

    def read(self) -> None:
        """Reads the arguments; raises FieldError."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The fields it reads."""
        return (self.item.name,)

    def changed(self, values: dict[str, Any]) -> Any:
        """The new value of a record with these values, before the field has checked it."""
        old = values[self.item.name]
        return None if old is None else self._changed(old)

    def _changed(self, old: Any) -> Any:
        raise NotImplementedError

    def sql(self, column: Column) -> Sql:
        """The same as an expression over the columns of a row."""
        raise NotImplementedError

    def words(self) -> str:
        """What it does, as it follows the name of the field: „Wien“ durch „Graz“ ersetzen."""
        return str(self.label)

    def to_json(self) -> dict[str, Any]:
        return {"transform": self.kind, "given": list(self.given)}

    def refuse(self, reason: str, advice: str = "") -> FieldError:
        return FieldError(self.item, self.given[0] if self.given else None, reason, advice)


class _Text(Transform):
    def _trimmed(self, inner: str, *params: Any) -> Sql:
        trim = "trim" if engine() == "sqlite" else "btrim"
        return f"nullif({trim}({inner}, {database.param}), '')", (*params, _BLANKS)


class Replace(_Text):
    kind = "replace"
    label = _("ersetzen")
    arguments = (("find", _("Text")), ("with", _("durch")))

    def read(self) -> None:
        if not self.given or not self.given[0]:
            raise FieldError(self.item, None, gettext("Bitte angeben, was ersetzt werden soll."))

    @property
    def _pair(self) -> tuple[str, str]:
        return self.given[0], self.given[1] if len(self.given) > 1 else ""

    def _changed(self, old: Any) -> Any:
        return _text(str(old).replace(*self._pair))

    def sql(self, column: Column) -> Sql:
        mark = database.param
        return self._trimmed(f"replace({column(self.item.name)}, {mark}, {mark})", *self._pair)

    def words(self) -> str:
        find, by = self._pair
        if not by:
            return gettext("„%(find)s“ entfernen", find=find)
        return gettext("„%(find)s“ durch „%(by)s“ ersetzen", find=find, by=by)


class Before(_Text):
    kind = "before"
    label = _("davor setzen")
    arguments = (("text", _("Text")),)

    def read(self) -> None:
        if not self.given or not self.given[0].strip():
            raise FieldError(self.item, None, gettext("Bitte einen Text angeben."))

    def _changed(self, old: Any) -> Any:
        return _text(self.given[0] + str(old))

    def sql(self, column: Column) -> Sql:
        return self._trimmed(f"({_as_text(database.param)} || {column(self.item.name)})", self.given[0])

    def words(self) -> str:
        return gettext("„%(text)s“ davor setzen", text=self.given[0])


class After(Before):
    kind = "after"
    label = _("dahinter setzen")

    def _changed(self, old: Any) -> Any:
        return _text(str(old) + self.given[0])

    def sql(self, column: Column) -> Sql:
        return self._trimmed(f"({column(self.item.name)} || {_as_text(database.param)})", self.given[0])

    def words(self) -> str:
        return gettext("„%(text)s“ dahinter setzen", text=self.given[0])


class Trim(_Text):
    """Without blanks at the ends, and with one where several stood; line breaks stay."""

    kind = "trim"
    label = _("Leerzeichen bereinigen")

    def _changed(self, old: Any) -> Any:
        return _text(re.sub(" +", " ", str(old)))

    def sql(self, column: Column) -> Sql:
        # Each blank becomes a pair of marks, neighbouring pairs fall together, what is left is one blank each.
        mark = database.param
        inner = f"replace({column(self.item.name)}, ' ', {mark})"
        return self._trimmed(f"replace(replace({inner}, {mark}, ''), {mark}, ' ')", "\x01\x02", "\x02\x01", "\x01\x02")


class Upper(_Text):
    kind = "upper"
    label = _("in Großbuchstaben")
    letters = "upper"

    def _changed(self, old: Any) -> Any:
        return _text(LETTERS[f"appadmin_{self.letters}"](str(old)))

    def sql(self, column: Column) -> Sql:
        function = f"appadmin_{self.letters}" if engine() == "sqlite" else self.letters
        return self._trimmed(f"{function}({column(self.item.name)})")


class Lower(Upper):
    kind = "lower"
    label = _("in Kleinbuchstaben")
    letters = "lower"


class Percent(Transform):
    kind = "percent"
    label = _("um Prozent ändern")
    arguments = (("percent", _("Prozent (minus: senken)")),)
    types = _NUMBERS

    def read(self) -> None:
        number = self.percent = _number(self, places=2)
        if abs(number) > _MOST_PERCENT:
            raise self.refuse(gettext("ist zu groß"), gettext("Erlaubt ist höchstens %(high)s.", high=_MOST_PERCENT))
        numerator, denominator = int((100 + number) * 100), 10_000
        common = gcd(numerator, denominator)
        self._factor = numerator // common, denominator // common

    def _changed(self, old: Any) -> Any:
        numerator, denominator = self._factor
        places = _places(self.item)
        exact = Decimal(old).scaleb(places) * numerator
        scaled = int((exact / denominator).to_integral_value(ROUND_HALF_UP))
        return scaled if self.item.type.name == "integer" else Decimal(scaled).scaleb(-places)

    def sql(self, column: Column) -> Sql:
        numerator, denominator = self._factor
        name = column(self.item.name)
        # In PostgreSQL the product may be longer than a bigint.
        exact = f"({name} * {numerator})" if engine() == "sqlite" else f"({name}::numeric * {numerator})"
        if engine() == "sqlite":
            half = f"((abs({exact}) * 2 + {denominator}) / {2 * denominator})"
            return f"(case when {exact} < 0 then -{half} else {half} end)", ()
        return f"round({exact} / {denominator})::bigint", ()

    def words(self) -> str:
        amount = format_decimal(abs(self.percent), 0 if self.percent == int(self.percent) else 2)
        if self.percent < 0:
            return gettext("um %(amount)s Prozent senken", amount=amount)
        return gettext("um %(amount)s Prozent erhöhen", amount=amount)


class Plus(Transform):
    kind = "plus"
    label = _("um Betrag ändern")
    arguments = (("amount", _("Betrag (minus: senken)")),)
    types = _NUMBERS

    def read(self) -> None:
        self.amount = _number(self, places=_places(self.item))
        if abs(self.amount) >= 10**12:
            raise self.refuse(gettext("ist zu groß"))

    def _changed(self, old: Any) -> Any:
        return old + (int(self.amount) if self.item.type.name == "integer" else self.amount)

    def sql(self, column: Column) -> Sql:
        scaled = int(self.amount.scaleb(_places(self.item)))
        name = column(self.item.name)
        return f"({name if engine() == 'sqlite' else name + '::bigint'} + ({scaled}))", ()

    def words(self) -> str:
        amount = format_decimal(abs(self.amount), _places(self.item))
        if self.amount < 0:
            return gettext("um %(amount)s senken", amount=amount)
        return gettext("um %(amount)s erhöhen", amount=amount)


class Days(Transform):
    kind = "days"
    label = _("um Tage verschieben")
    arguments = (("days", _("Tage (minus: früher)")),)
    types = ("date",)

    def read(self) -> None:
        number = _number(self, places=0)
        if abs(number) > _MOST_DAYS:
            raise self.refuse(gettext("ist zu groß"), gettext("Erlaubt ist höchstens %(high)s.", high=_MOST_DAYS))
        self.days = int(number)

    def _changed(self, old: Any) -> Any:
        return old + datetime.timedelta(days=self.days)

    def sql(self, column: Column) -> Sql:
        name = column(self.item.name)
        if engine() == "sqlite":
            return f"date({name}, '{self.days:+d} days')", ()
        return f"({name} + ({self.days}))", ()

    def words(self) -> str:
        if self.days < 0:
            return gettext("um %(days)s Tage früher", days=-self.days)
        return gettext("um %(days)s Tage später", days=self.days)


class CopyFrom(Transform):
    """The value of another field of the same kind; a text of several lines does not fit into one of one line."""

    kind = "copy"
    label = _("Wert übernehmen von")
    arguments = (("field", _("Feld")),)
    types = (*_TEXTS, *_NUMBERS, "date", "bool", "reference")

    def __init__(self, item: FieldSpec, *given: str, spec: ModelSpec | None = None) -> None:
        self._spec = spec
        super().__init__(item, *given)

    def read(self) -> None:
        name = self.given[0] if self.given else ""
        found = self._spec.by_name.get(name) if self._spec is not None else None
        if found is None or not copyable(found, self.item):
            raise self.refuse(gettext("ist kein Feld, dessen Wert hier passt"))
        self.source: FieldSpec = found

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source.name,)

    def changed(self, values: dict[str, Any]) -> Any:
        return values[self.source.name]

    def sql(self, column: Column) -> Sql:
        return column(self.source.name), ()

    def words(self) -> str:
        return gettext("Wert von „%(field)s“ übernehmen", field=str(self.source.label))


TRANSFORMS: tuple[type[Transform], ...] = (Replace, Before, After, Trim, Upper, Lower, Percent, Plus, Days, CopyFrom)
_BY_KIND = {each.kind: each for each in TRANSFORMS}


def transforms_for(item: FieldSpec) -> tuple[type[Transform], ...]:
    """The ways in which values of this field may be changed; a code or a word of a list only by another one."""
    if item.secret:
        return ()
    big = item.type.name == "decimal" and item.digits > _MOST_DIGITS
    return tuple(each for each in TRANSFORMS if item.type.name in each.types and not (big and each is Percent))


def make_transform(spec: ModelSpec, item: FieldSpec, kind: str, given: Sequence[str]) -> Transform:
    """The transform of this kind with its arguments; FieldError where it is not for this field."""
    found = _BY_KIND.get(kind)
    if found is None or found not in transforms_for(item):
        raise FieldError(item, None, gettext("Das geht bei diesem Feld nicht."))
    given = list(given)[: len(found.arguments)]
    return CopyFrom(item, *given, spec=spec) if found is CopyFrom else found(item, *given)


def transform_from_json(spec: ModelSpec, item: FieldSpec, content: dict[str, Any]) -> Transform:
    return make_transform(spec, item, str(content["transform"]), [str(text) for text in content["given"]])


def copyable(source: FieldSpec, item: FieldSpec) -> bool:
    """Whether the value of one field may stand in the other, as it is stored."""
    if source.name == item.name or source.secret or source.is_system or source.owner:
        return False
    kinds = {source.type.name, item.type.name}
    if len(kinds) > 1:
        return kinds == set(_TEXTS)
    if item.type.name not in CopyFrom.types:
        return False
    return source.places == item.places and source.target is item.target


def _places(item: FieldSpec) -> int:
    return item.places if item.type.name == "decimal" else 0


def _plain(text: str) -> str:
    """An argument without control characters; blanks at its ends belong to it."""
    return "".join(letter for letter in str(text) if letter.isprintable() and not "\ud800" <= letter <= "\udfff")


def _text(text: str) -> str | None:
    return text.strip(_BLANKS) or None


def _as_text(mark: str) -> str:
    return mark if engine() == "sqlite" else f"{mark}::text"


def _number(transform: Transform, *, places: int) -> Decimal:
    text = re.sub(r"[\s\u00a0\u202f€%]|EUR", "", transform.given[0] if transform.given else "").replace("−", "-")
    number = parse_decimal(text) if text else None
    if number is None:
        if not text:
            raise FieldError(transform.item, None, gettext("Bitte einen Wert angeben."))
        raise transform.refuse(gettext("ist keine Zahl"))
    if number != round(number, places):
        raise transform.refuse(
            gettext("hat zu viele Stellen hinter dem Komma"), gettext("Erlaubt sind %(places)s.", places=places)
        )
    return number


__all__ = [
    "TRANSFORMS",
    "Transform",
    "copyable",
    "make_transform",
    "transform_from_json",
    "transforms_for",
]

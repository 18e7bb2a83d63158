"""Kinds of value: what operators type or files hold becomes a Python value and back. No forms, no HTML.

Shape: one object per kind with the same verbs. `parse` takes text as typed (German or English by locale), `from_cell` a
cell of a spreadsheet (text, number, date, bool), both answer a Python value or raise FieldError; blank is None.
`format` makes the text people read, `to_cell` the value a spreadsheet takes. `to_json`/`from_json` keep exact values in
the history; `sql_to_json`/`sql_from_json` do the same for a whole column inside the database, so that a change of a
million rows is recorded without passing through Python. Every number of a field (limits, lengths) comes from its
FieldSpec.
Units: decimals are `Decimal`, stored as whole numbers of the smallest unit (cents); times are UTC without zone.
Errors: FieldError with the field, what was found, what is wrong, what is right.
Source: DIN 5008 for German numbers and dates; ISO 8601; check digits by python-stdnum and phonenumbers.
"""

from __future__ import annotations

import datetime
import functools
import json
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import peewee

from flask_appadmin.digits import is_number
from flask_appadmin.errors import FieldError
from flask_appadmin.i18n import (
    current_locale,
    format_date,
    format_datetime,
    format_decimal,
    format_number,
    gettext,
    message_id,
    to_utc,
    use_locale,
)
from flask_appadmin.passwords import hash_secret, is_hash, password_faults, username_of

if TYPE_CHECKING:
    from flask_appadmin.specs import FieldSpec


# --- columns that Peewee has no exact class for -----------------------------------------------------------------------


class DecimalField(peewee.BigIntegerField):
    """An exact decimal number: `digits` in all, `places` of them behind the point; stored as a whole number.

    SQLite would keep a decimal as a binary float; 19.99 euro are stored as 1999.
    """

    def __init__(self, digits: int, places: int, **options: Any) -> None:
        super().__init__(**options)
        self.digits = digits
        self.places = places

    def clone(self) -> DecimalField:
        copy = super().clone()
        copy.digits, copy.places = self.digits, self.places
        return copy

    def db_value(self, value: Any) -> int | None:
        if value is None or isinstance(value, peewee.Node):
            return value
        return int(Decimal(str(value)).scaleb(self.places).to_integral_value())

    def python_value(self, value: Any) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-self.places)

    adapt = None


class JSONField(peewee.TextField):
    """A JSON document as text, written the same way on both engines so that equal documents compare equal."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else json_text(value)

    def python_value(self, value: Any) -> Any:
        return None if value is None else json.loads(value)


def json_text(value: Any) -> str:
    """The one spelling of a JSON value: no blanks, keys in order, umlauts as they are."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


# --- kinds of value ---------------------------------------------------------------------------------------------------


class FieldType:
    """What all kinds share: blank is None, text is trimmed, JSON is the value itself."""

    #: Key of the kind, used by forms and filters to choose an input and the operators.
    name = "text"
    #: The column kind of a spreadsheet: text, code, integer, decimal, date, datetime, bool or choice.
    sheet_kind = "text"
    #: Whether numbers, so that lists put it to the right.
    is_number = False

    def cleared(self, spec: FieldSpec) -> Any:
        """What a stored value becomes when a file clears it."""
        return None

    def parse(self, text: str, spec: FieldSpec) -> Any:
        raise NotImplementedError

    def format(self, value: Any, spec: FieldSpec) -> str:
        return "" if value is None else str(value)

    def link(self, value: Any, spec: FieldSpec) -> str:
        """The address that a value is good for (call, write, look at), "" for most."""
        return ""

    def warning(self, value: Any, spec: FieldSpec) -> str:
        """What is odd about a value that is taken all the same, as a sentence; "" for most."""
        return ""

    def to_cell(self, value: Any, spec: FieldSpec) -> Any:
        return value

    def from_cell(self, cell: Any, spec: FieldSpec) -> Any:
        return None if cell is None else self.parse(cell if isinstance(cell, str) else str(cell), spec)

    def to_json(self, value: Any, spec: FieldSpec) -> Any:
        return value

    def from_json(self, value: Any, spec: FieldSpec) -> Any:
        return value

    def check(self, value: Any, spec: FieldSpec) -> Any:
        """The value as it is stored, after the limits of the field; raises FieldError."""
        return value

    def sql_to_json(self, column: str, spec: FieldSpec, engine: str) -> str:
        """SQL for the JSON text of a column, equal to `json_text(to_json(value))`."""
        if engine == "sqlite":
            return f"json_quote({column})"
        return f"coalesce(to_json({column})::text, 'null')"

    def sql_from_json(self, json_sql: str, spec: FieldSpec, engine: str) -> str:
        """SQL for the stored value behind a JSON text."""
        if engine == "sqlite":
            return f"json_extract({json_sql}, '$')"
        return f"(({json_sql})::jsonb #>> '{{}}')"


class TextType(FieldType):
    """A line of text: trimmed, at most as long as the field allows, in Unicode normal form C."""

    def parse(self, text: str, spec: FieldSpec) -> str | None:
        return self.check(text, spec)

    def check(self, value: Any, spec: FieldSpec) -> str | None:
        if value is None:
            return None
        # A password is taken as it is, blanks included.
        text = str(value) if spec.secret else _clean_line(str(value))
        if not text:
            return None
        _check_characters(text, spec)
        if text.isascii() is False:
            import unicodedata

            text = unicodedata.normalize("NFC", text)
        validate = _KINDS.get(spec.kind)
        if validate and spec.kind in _COMPACT_KINDS:
            # Stored without the blanks it is typed with: those do not count.
            text, validate = validate(text, spec), None
        if spec.max_length and len(text) > spec.max_length:
            raise FieldError(
                spec,
                value,
                gettext("ist zu lang (%(found)s Zeichen)", found=len(text)),
                gettext("Höchstens %(most)s Zeichen passen hinein.", most=spec.max_length),
            )
        if spec.secret and spec.kind != "token":
            return _checked_secret(text, spec)
        return validate(text, spec) if validate else text

    def link(self, value: Any, spec: FieldSpec) -> str:
        make = _LINKS.get(spec.kind)
        return make(str(value)) if make and value else ""

    def warning(self, value: Any, spec: FieldSpec) -> str:
        warn = _WARNINGS.get(spec.kind)
        return warn(str(value)) if warn and value else ""

    def from_cell(self, cell: Any, spec: FieldSpec) -> str | None:
        if cell is None:
            return None
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        if isinstance(cell, bool):
            cell = gettext("Ja") if cell else gettext("Nein")
        elif isinstance(cell, datetime.datetime):
            cell = format_date(cell) if cell.time() == datetime.time() else cell.isoformat(" ")
        elif isinstance(cell, datetime.date):
            cell = format_date(cell)
        return self.check(cell if isinstance(cell, str) else str(cell), spec)


class LongTextType(TextType):
    """Text of several lines; line breaks are kept as \\n."""

    name = "multiline"

    def check(self, value: Any, spec: FieldSpec) -> str | None:
        if value is None:
            return None
        text = str(value).replace("\r\n", "\n").replace("\r", "\n").strip()
        if not text.isprintable():
            text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", "", text).strip()
            _check_characters(text, spec)
        if spec.max_length and len(text) > spec.max_length:
            raise FieldError(spec, text[:40] + "…", gettext("ist zu lang (%(found)s Zeichen)", found=len(text)))
        return text or None


class ChoiceType(FieldType):
    """One of a few codes. Operators read and type the word; the code is stored."""

    name = "choice"
    sheet_kind = "choice"

    def parse(self, text: str, spec: FieldSpec) -> str | None:
        text = text.strip()
        if not text:
            return None
        code = spec.choice_codes.get(text) or spec.choice_codes.get(text.casefold())
        if code is None:
            words = ", ".join(str(label) for _code, label in spec.choices[:8])
            raise FieldError(
                spec,
                text,
                gettext("gibt es hier nicht"),
                gettext("Möglich sind: %(words)s%(more)s.", words=words, more=" …" if len(spec.choices) > 8 else ""),
            )
        return code

    def check(self, value: Any, spec: FieldSpec) -> str | None:
        return None if value is None else self.parse(str(value), spec)

    def from_cell(self, cell: Any, spec: FieldSpec) -> str | None:
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        return super().from_cell(cell, spec)

    def format(self, value: Any, spec: FieldSpec) -> str:
        return "" if value is None else str(spec.choice_labels.get(value, value))

    def to_cell(self, value: Any, spec: FieldSpec) -> Any:
        return None if value is None else self.format(value, spec)


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


class BooleanType(FieldType):
    """Yes or no; a field that allows NULL has the third state "keine Angabe"."""

    name = "bool"
    sheet_kind = "bool"

    _WORDS = {
        **dict.fromkeys(("ja", "j", "yes", "y", "1", "wahr", "true", "x", "an", "on", "✓"), True),
        **dict.fromkeys(("nein", "n", "no", "0", "falsch", "false", "aus", "off", "-"), False),
    }

    def parse(self, text: str, spec: FieldSpec) -> bool | None:
        text = text.strip().casefold()
        if not text:
            return None
        if spec.unticked and text == str(spec.unticked).casefold():
            return False
        if text not in self._WORDS:
            raise FieldError(spec, text, gettext("ist weder Ja noch Nein"), gettext("Bitte Ja oder Nein eingeben."))
        return self._WORDS[text]

    def cleared(self, spec: FieldSpec) -> bool | None:
        return None if spec.nullable else spec.is_turned

    def check(self, value: Any, spec: FieldSpec) -> bool | None:
        return None if value is None else bool(value)

    def from_cell(self, cell: Any, spec: FieldSpec) -> bool | None:
        if isinstance(cell, bool):
            return cell
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        return super().from_cell(cell, spec)

    def format(self, value: Any, spec: FieldSpec) -> str:
        return "" if value is None else gettext("Ja") if value else gettext("Nein")

    def to_cell(self, value: Any, spec: FieldSpec) -> Any:
        return None if value is None else self.format(value, spec)

    def sql_to_json(self, column: str, spec: FieldSpec, engine: str) -> str:
        return f"case when {column} is null then 'null' when {column} then 'true' else 'false' end"

    def sql_from_json(self, json_sql: str, spec: FieldSpec, engine: str) -> str:
        text = super().sql_from_json(json_sql, spec, engine)
        return text if engine == "sqlite" else f"{text}::boolean"


class DateType(FieldType):
    """A calendar day."""

    name = "date"
    sheet_kind = "date"

    def parse(self, text: str, spec: FieldSpec) -> datetime.date | None:
        text = text.strip()
        if not text:
            return None
        day = _plain_date(text)
        if day is None:
            raise FieldError(
                spec,
                text,
                gettext("ist kein Datum"),
                gettext("Bitte so eingeben: TT.MM.JJJJ, zum Beispiel 31.12.2026."),
            )
        return self.check(day, spec)

    def check(self, value: Any, spec: FieldSpec) -> datetime.date | None:
        if isinstance(value, datetime.datetime):
            value = value.date()
        if value is not None and not 1800 <= value.year <= 2999:
            raise FieldError(spec, format_date(value), gettext("liegt außerhalb der Jahre 1800 bis 2999"))
        return value

    def from_cell(self, cell: Any, spec: FieldSpec) -> datetime.date | None:
        if isinstance(cell, datetime.date):
            return self.check(cell, spec)
        return super().from_cell(cell, spec)

    def format(self, value: Any, spec: FieldSpec) -> str:
        return "" if value is None else format_date(value)

    def to_json(self, value: Any, spec: FieldSpec) -> str | None:
        return None if value is None else value.isoformat()

    def from_json(self, value: Any, spec: FieldSpec) -> datetime.date | None:
        return None if value is None else datetime.date.fromisoformat(value)

    def sql_to_json(self, column: str, spec: FieldSpec, engine: str) -> str:
        return super().sql_to_json(column if engine == "sqlite" else f"{column}::text", spec, engine)

    def sql_from_json(self, json_sql: str, spec: FieldSpec, engine: str) -> str:
        text = super().sql_from_json(json_sql, spec, engine)
        return text if engine == "sqlite" else f"{text}::date"


class DateTimeType(FieldType):
    """A moment, in whole seconds. Typed and shown in local time, stored in UTC."""

    name = "datetime"
    sheet_kind = "datetime"

    def parse(self, text: str, spec: FieldSpec) -> datetime.datetime | None:
        text = text.strip()
        if not text:
            return None
        day_text, _gap, clock_text = text.replace("T", " ").partition(" ")
        day = _plain_date(day_text)
        clock = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", clock_text.strip() or "0:00")
        try:
            if day is None or clock is None:
                raise ValueError
            hour, minute, second = (int(part or 0) for part in clock.groups())
            time = datetime.time(hour, minute, second)
        except ValueError:
            raise FieldError(
                spec, text, gettext("ist kein Zeitpunkt"), gettext("Bitte so eingeben: 31.12.2026 14:30.")
            ) from None
        return to_utc(datetime.datetime.combine(day, time))

    def check(self, value: Any, spec: FieldSpec) -> datetime.datetime | None:
        return None if value is None else value.replace(microsecond=0)

    def from_cell(self, cell: Any, spec: FieldSpec) -> datetime.datetime | None:
        if isinstance(cell, datetime.datetime):
            return to_utc(cell.replace(microsecond=0))
        if isinstance(cell, datetime.date):
            return to_utc(datetime.datetime.combine(cell, datetime.time()))
        return super().from_cell(cell, spec)

    def to_cell(self, value: Any, spec: FieldSpec) -> Any:
        from flask_appadmin.i18n import to_local

        return None if value is None else to_local(value)

    def format(self, value: Any, spec: FieldSpec) -> str:
        return "" if value is None else format_datetime(value)

    def to_json(self, value: Any, spec: FieldSpec) -> str | None:
        return None if value is None else value.isoformat(" ", "seconds")

    def from_json(self, value: Any, spec: FieldSpec) -> datetime.datetime | None:
        return None if value is None else datetime.datetime.fromisoformat(value)

    def sql_to_json(self, column: str, spec: FieldSpec, engine: str) -> str:
        if engine == "sqlite":
            return super().sql_to_json(f"substr({column}, 1, 19)", spec, engine)
        return super().sql_to_json(f"to_char({column}, 'YYYY-MM-DD HH24:MI:SS')", spec, engine)

    def sql_from_json(self, json_sql: str, spec: FieldSpec, engine: str) -> str:
        text = super().sql_from_json(json_sql, spec, engine)
        return text if engine == "sqlite" else f"{text}::timestamp"


class ReferenceType(FieldType):
    """Another record, stored by its key, named by its natural key (code or number) or its title.

    `parse` asks the database once per value; whoever parses many hands over a cache (`ReferenceCache`).
    """

    name = "reference"
    sheet_kind = "code"

    def parse(self, text: str, spec: FieldSpec) -> int | None:
        return ReferenceCache().find(text, spec)

    def check(self, value: Any, spec: FieldSpec) -> int | None:
        return value.get_id() if isinstance(value, peewee.Model) else value

    def from_cell(self, cell: Any, spec: FieldSpec) -> int | None:
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        return super().from_cell(cell, spec)

    def sql_from_json(self, json_sql: str, spec: FieldSpec, engine: str) -> str:
        text = super().sql_from_json(json_sql, spec, engine)
        return text if engine == "sqlite" else f"{text}::bigint"


class ReferenceCache:
    """Finds records by what people call them and names records by key, asking the database once for each.

    One cache serves one request or one file; it must not outlive it, since titles change.
    """

    #: Tables up to this size are read whole at the first question.
    SMALL = 2_000

    def __init__(self) -> None:
        self._keys: dict[str, dict[str, int | None]] = {}
        self._titles: dict[str, dict[int, str]] = {}
        self._codes: dict[str, dict[int, str]] = {}
        self._whole: set[str] = set()

    def find(self, text: str, spec: FieldSpec) -> int | None:
        """The key of the record that `text` names; blank is None; an unknown or ambiguous name raises FieldError."""
        name = _clean_line(text)
        if not name:
            return None
        target = spec.references
        keys = self._keys.setdefault(target.name, {})
        folded = name.casefold()
        if folded not in keys:
            self._load(target)
            if folded not in keys:
                self._ask(target, name, folded, keys)
        key = keys[folded]
        if key is None:
            raise FieldError(
                spec,
                name,
                gettext("ist unter „%(plural)s“ nicht vorhanden", plural=str(target.plural)),
                gettext("Bitte erst dort anlegen oder die Schreibweise prüfen."),
            )
        return key

    def _ask(self, target: Any, name: str, folded: str, keys: dict[str, int | None]) -> None:
        model = target.model
        keys[folded] = None
        for spec in target.naming_fields:
            if spec.type.name == "integer":
                if not is_number(name):
                    continue
                condition = spec.column_field == int(name)
            else:
                condition = spec.column_field == name
            found = [row[0] for row in model.select(model._meta.primary_key).where(condition).limit(2).tuples()]
            if len(found) == 1:
                keys[folded] = found[0]
                return
        keys[folded] = model.find_by_words(name) if hasattr(model, "find_by_words") else None

    def _load(self, target: Any) -> None:
        if target.name in self._whole:
            return
        self._whole.add(target.name)
        model, fields = target.model, target.naming_fields
        columns = [model._meta.primary_key, *(spec.column_field for spec in fields)]
        rows = list(model.select(*columns).limit(self.SMALL + 1).tuples())
        if len(rows) > self.SMALL:
            return
        keys = self._keys.setdefault(target.name, {})
        for position in range(len(fields), 0, -1):  # the first naming field wins over the later ones
            seen: dict[str, int | None] = {}
            for row in rows:
                if row[position] is not None:
                    folded = _clean_line(str(row[position])).casefold()
                    seen[folded] = row[0] if folded not in seen else None
            keys.update({name: key for name, key in seen.items() if key is not None})
        for row in rows:
            title = " ".join(str(row[1 + i]) for i, spec in enumerate(fields) if row[1 + i] is not None)
            keys.setdefault(title.casefold(), row[0])

    def titles(self, target: Any, keys: set[int]) -> dict[int, str]:
        """Key -> title for the keys asked for, with one query for those not known yet."""
        return self._named(target, keys, self._titles, target.title_specs)

    def codes(self, target: Any, keys: set[int]) -> dict[int, str]:
        """Key -> natural key as text, as it stands in files and on the command line."""
        return self._named(target, keys, self._codes, (target.naming_fields or target.title_specs)[:1])

    @staticmethod
    def _named(target: Any, keys: set[int], known: dict[str, dict[int, str]], fields: Any) -> dict[int, str]:
        names = known.setdefault(target.name, {})
        missing = sorted(key for key in keys if key is not None and key not in names)
        model = target.model
        for start in range(0, len(missing), 500):
            part = missing[start : start + 500]
            columns = [model._meta.primary_key, *(spec.column_field for spec in fields)]
            for row in model.select(*columns).where(model._meta.primary_key << part).tuples():
                shown = (spec.format(value) for spec, value in zip(fields, row[1:], strict=True))
                names[row[0]] = " ".join(text for text in shown if text)
            for key in part:
                names.setdefault(key, f"#{key}")
        return names


class JSONType(FieldType):
    """A JSON document; operators see it as text."""

    name = "json"

    def parse(self, text: str, spec: FieldSpec) -> Any:
        if not text.strip():
            return None
        try:
            return json.loads(text)
        except ValueError:
            raise FieldError(spec, text[:40], gettext("ist kein gültiges JSON")) from None

    def format(self, value: Any, spec: FieldSpec) -> str:
        return "" if value is None else json_text(value)

    def to_cell(self, value: Any, spec: FieldSpec) -> Any:
        return None if value is None else json_text(value)

    def sql_to_json(self, column: str, spec: FieldSpec, engine: str) -> str:
        return f"coalesce({column}, 'null')"

    def sql_from_json(self, json_sql: str, spec: FieldSpec, engine: str) -> str:
        return f"nullif({json_sql}, 'null')"


class ChoicesType(JSONType):
    """Several of a few codes, as a JSON list. Operators read and type the words, with commas between them."""

    def parse(self, text: str, spec: FieldSpec) -> Any:
        words = [word for word in map(str.strip, re.split(r"[,;\n]", text)) if word]
        codes = {_CHOICE.parse(word, spec) for word in words}
        return [code for code, _label in spec.choices if code in codes]

    def format(self, value: Any, spec: FieldSpec) -> str:
        return ", ".join(str(spec.choice_labels.get(code, code)) for code in value or ())

    def to_cell(self, value: Any, spec: FieldSpec) -> Any:
        return self.format(value, spec) or None


class PeopleType(JSONType):
    """People as others name them: a JSON list of objects with what is known of "name", "email", "phone", "function".

    Operators read and type a line for each, parts between semicolons: „Eva Berger; eva@firma.example; +43 1; Einkauf“.
    What has an @ is the address, what is a number the phone, the first of the rest the name, the next the function.
    """

    def parse(self, text: str, spec: FieldSpec) -> Any:
        if text.lstrip().startswith("["):
            return self.check(super().parse(text, spec), spec)
        found = [_person(line, spec) for line in re.split(r"[\r\n|]+", text) if line.strip(" ;\t")]
        return found or None

    def format(self, value: Any, spec: FieldSpec) -> str:
        return "\n".join("; ".join(person[name] for name in _PERSON if person.get(name)) for person in value or ())

    def to_cell(self, value: Any, spec: FieldSpec) -> Any:
        return self.format(value, spec) or None

    def check(self, value: Any, spec: FieldSpec) -> Any:
        for person in value if isinstance(value, list) else [value]:
            parts = person.items() if isinstance(person, dict) else [("", None)]
            if not all(name in _PERSON and isinstance(part, str) for name, part in parts):
                raise FieldError(spec, json_text(person)[:60], gettext("nennt niemanden"), _person_advice())
        return value


_PERSON = ("name", "email", "phone", "function")


def _person(line: str, spec: FieldSpec) -> dict[str, str]:
    """The parts of one line.

    Each part stands once: a fifth one, or a second address, is refused rather than lost.
    """
    found: dict[str, str] = {}
    for part in filter(None, map(_clean_line, re.split(r"[;\t]", line))):
        if "@" in part:
            name, part = "email", _email(part, spec)
        elif re.fullmatch(r"\+?[\d\s()/.-]{3,}", part):
            name = "phone"
        else:
            name = "function" if "name" in found else "name"
        if name in found:
            raise FieldError(spec, _clean_line(line), gettext("hat zu viele Angaben"), _person_advice())
        found[name] = part
    return found


def _person_advice() -> str:
    return gettext("Bitte je Zeile: Name; E-Mail; Telefon; Funktion.")


# --- reading numbers and dates as people write them -------------------------------------------------------------------


def _clean_line(text: str) -> str:
    """One line without control characters, no-break and repeated blanks; what is inside stays as typed."""
    if not text.isprintable():
        text = re.sub(r"[\x00-\x1f\x7f-\x9f\u00a0\u202f]+", " ", text)
    return text.strip()


def _check_characters(text: str, spec: FieldSpec) -> None:
    """Halves of a character, as broken programs send them, can be neither stored nor exported."""
    if not text.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise FieldError(spec, None, gettext("enthält ein unerlaubtes Zeichen"))


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


def _plain_date(text: str) -> datetime.date | None:
    match = re.fullmatch(r"(\d{1,2})[.](\d{1,2})[.](\d{2}|\d{4})", text)
    try:
        if match:
            day, month, year = (int(part) for part in match.groups())
            if len(match.group(3)) == 2:
                year += 2000 if year < 70 else 1900
            return datetime.date(year, month, day)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.date.fromisoformat(text)
    except ValueError:
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


# --- secrets ---------------------------------------------------------------------------------------------------------


def _checked_secret(text: str, spec: FieldSpec) -> str:
    """A secret is stored as its hash only. What is a hash already comes from a form that was checked before."""
    if is_hash(text):
        return text
    faults = password_faults(text) if spec.kind == "password" else []
    if faults:
        raise FieldError(spec, None, faults[0])
    return hash_secret(text)


# --- text with rules --------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=20_000)
def _normal_email(text: str) -> str | None:
    """The address as it is stored, None when it is none; remembered, since files and plans ask several times."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False, allow_smtputf8=True).normalized
    except EmailNotValidError:
        return None


def _email(text: str, spec: FieldSpec) -> str:
    found = _normal_email(text)
    if found is None:
        reasons = {0: gettext("ist keine E-Mail-Adresse (das @ fehlt)"), 1: gettext("ist keine E-Mail-Adresse")}
        reason = reasons.get(text.count("@"), gettext("ist keine E-Mail-Adresse (mehr als ein @)"))
        raise FieldError(spec, text, reason, gettext("Bitte so eingeben: name@firma.de."))
    return found


def _phone(text: str, spec: FieldSpec) -> str:
    """Kept as typed; only what cannot be a number is refused (letters other than an extension note)."""
    if not re.search(r"\d", text):
        raise FieldError(spec, text, gettext("enthält keine Ziffer"), gettext("Bitte so eingeben: +49 208 4711-0."))
    return text


def _url(text: str, spec: FieldSpec) -> str:
    scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", text)
    reason, advice = "", gettext("Erlaubt sind http und https.")
    if scheme and scheme.group(1).lower() not in ("http", "https") and not re.match(r"[\w.-]+:\d", text):
        reason = gettext("ist keine Internet-Adresse")
    elif re.match(r"\s*[/\\]", text):
        reason, advice = gettext("ist keine Internet-Adresse"), gettext("Bitte so eingeben: www.firma.de.")
    elif re.match(r"https?://[^/?#]*@", text, re.IGNORECASE):
        reason, advice = (
            gettext("enthält einen Benutzernamen"),
            gettext("Bitte ohne das eingeben, was vor dem @ steht."),
        )
    if reason:
        raise FieldError(spec, text, reason, advice)
    return text


def _iban(text: str, spec: FieldSpec) -> str:
    """Doctest of the rule (ISO 13616): DE02120300000000202051 is valid, DE02120300000000202052 is not."""
    from stdnum import iban
    from stdnum.exceptions import ValidationError

    compact = iban.compact(text).upper()
    try:
        return iban.validate(compact, check_country=False)
    except ValidationError:
        reason = _iban_fault(compact)
    raise FieldError(spec, text, reason, gettext("Bitte prüfen."))


def _iban_fault(compact: str) -> str:
    """What is wrong with an IBAN, the first thing that people can see for themselves."""
    odd = re.search(r"[^A-Z0-9]", compact)
    if odd:
        return gettext(
            "ist keine gültige IBAN („%(found)s“ an Stelle %(place)s)", found=odd.group(), place=odd.start() + 1
        )
    length = _iban_length(compact[:2])
    if not length:
        return gettext("ist keine gültige IBAN („%(country)s“ ist kein Land mit IBAN)", country=compact[:2])
    if len(compact) != length:
        return gettext(
            "ist keine gültige IBAN (sie hat %(found)s Zeichen, mit %(country)s sind es %(length)s)",
            found=len(compact),
            country=compact[:2],
            length=length,
        )
    return gettext("ist keine gültige IBAN (die Prüfziffern passen nicht)")


@functools.cache
def _iban_length(country: str) -> int:
    """How long the IBANs of a country are, 0 for a country without."""
    from stdnum.numdb import get

    structure = get("iban").info(country)[0][1].get("bban", "")
    return sum(int(count) for count in re.findall(r"(\d+)!", structure)) + 4 if structure else 0


def _bic(text: str, spec: FieldSpec) -> str:
    from stdnum import bic
    from stdnum.exceptions import ValidationError

    try:
        return bic.validate(text)
    except ValidationError:
        length = len(bic.compact(text))
        reason = gettext("ist kein gültiger BIC")
        if length not in (8, 11):
            reason = gettext("ist kein gültiger BIC (er hat %(found)s Zeichen)", found=length)
        raise FieldError(spec, text, reason, gettext("Ein BIC hat 8 oder 11 Zeichen, zum Beispiel COBADEFF.")) from None


def _vat_id(text: str, spec: FieldSpec) -> str:
    from stdnum.eu import vat
    from stdnum.exceptions import ValidationError

    compact = re.sub(r"[\s.\-/]", "", text).upper()
    if not vat.MEMBER_STATES.__contains__(compact[:2].lower().replace("el", "gr")):
        return compact
    try:
        return vat.validate(compact)
    except ValidationError:
        raise FieldError(
            spec, text, gettext("ist keine gültige USt-IdNr."), gettext("Bitte Länderteil und Ziffern prüfen.")
        ) from None


def _gln(text: str, spec: FieldSpec) -> str:
    from stdnum import ean
    from stdnum.exceptions import ValidationError

    compact = re.sub(r"[\s-]", "", text)
    reason = gettext("ist keine gültige GLN")
    try:
        if len(compact) == 13:
            return ean.validate(compact)
        reason = gettext("ist keine gültige GLN (%(found)s Zeichen)", found=len(compact))
    except ValidationError:
        if compact.isdigit():
            digit = ean.calc_check_digit(compact[:-1])
            reason = gettext("ist keine gültige GLN (die Prüfziffer müsste %(digit)s sein)", digit=digit)
    raise FieldError(spec, text, reason, gettext("Eine GLN hat 13 Ziffern; die letzte ist die Prüfziffer."))


def _country_letters(text: str, spec: FieldSpec) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise FieldError(
            spec, text, gettext("ist kein Länderkürzel"), gettext("Bitte zwei Buchstaben, zum Beispiel DE.")
        )
    return text.upper()


def _username(text: str, spec: FieldSpec) -> str:
    """A name to sign in with. A Cyrillic "а" looks like a Latin one: one alphabet, so that none passes for another."""
    name = username_of(text)
    for letter in name:
        latin = letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN")
        if not (latin or letter.isdecimal() or letter in "._-@"):
            raise FieldError(
                spec,
                text,
                gettext("enthält ein Zeichen, das hier nicht geht"),
                gettext("Möglich sind Buchstaben, Ziffern, . _ - @."),
            )
    if len(name) < 2:
        raise FieldError(spec, text, gettext("ist zu kurz"))
    return name


_KINDS: dict[str, Callable[[str, Any], str]] = {
    "email": _email,
    "phone": _phone,
    "fax": _phone,
    "url": _url,
    "iban": _iban,
    "bic": _bic,
    "vat_id": _vat_id,
    "gln": _gln,
    "country_letters": _country_letters,
    "username": _username,
}


#: Stored without the blanks and dashes that people type for reading.
_COMPACT_KINDS = frozenset(("iban", "bic", "vat_id", "gln"))


def _no_country_prefix(text: str) -> str:
    """A number without its country cannot be dialled from everywhere.

    >>> [bool(_no_country_prefix(text)) for text in ("+43 1 234", "0043 1 234", "01 234")]
    [False, False, True]
    """
    if text.lstrip().startswith(("+", "00")):
        return ""
    return gettext("Ohne Ländervorwahl lässt sich die Nummer nicht überall wählen. Üblich: +49 208 4711-0.")


#: Kind of text -> what is said about a value that is taken all the same.
_WARNINGS: dict[str, Callable[[str], str]] = {"phone": _no_country_prefix, "fax": _no_country_prefix}


def _call(text: str) -> str:
    """RFC 3966 knows digits and a plus; what stands before an extension's slash or dash is dialled with it.

    >>> _call("+49 (0)208 / 4711-0")
    'tel:+4920847110'
    """
    number = re.sub(r"[^\d+]", "", text.replace("(0)", ""))
    return f"tel:{number}" if re.fullmatch(r"\+?\d{2,20}", number) else ""


def _write(text: str) -> str:
    return f"mailto:{quote(text, safe='@+._-')}" if "@" in text else ""


def _look_at(text: str) -> str:
    """Only http and https are opened, whatever an import may have brought.

    >>> [_look_at(text) for text in ("www.kontor.example", "https://a.example/x", "javascript:alert(1)")]
    ['https://www.kontor.example', 'https://a.example/x', '']
    """
    address = text if re.match(r"https?://", text, re.IGNORECASE) else f"https://{text}"
    return address if re.fullmatch(r"https?://[\w.-]+(:\d{1,5})?([/?#]\S*)?", address, re.IGNORECASE) else ""


#: Kind of text -> the address behind a value.
_LINKS: dict[str, Callable[[str], str]] = {"phone": _call, "email": _write, "url": _look_at}
LINKED_KINDS = frozenset(_LINKS)

#: The kinds that `described(kind=…)` takes; "" is plain text.
TEXT_KINDS = ("", "postal_code", "multiline", "password", "token", "people", *_KINDS)


def choice_words(choices: Any) -> dict[str, str]:
    """Every way to name a code: the code itself, and its words in German and English, also in lower case."""
    words: dict[str, str] = {}
    for code, label in choices:
        for locale in ("de", "en"):
            with use_locale(locale):
                words.setdefault(str(label).casefold(), code)
        words.setdefault(message_id(label), code)
    for code, _label in choices:
        words[str(code)] = code
        words[str(code).casefold()] = code
    return words


_TEXT, _LONG, _CHOICE, _INTEGER = TextType(), LongTextType(), ChoiceType(), IntegerType()
_DECIMAL, _BOOLEAN, _DATE, _DATETIME = DecimalType(), BooleanType(), DateType(), DateTimeType()
_REFERENCE, _JSON, _CHOICES, _PEOPLE = ReferenceType(), JSONType(), ChoicesType(), PeopleType()

#: All kinds of value, for the battery of tests that every kind passes.
ALL_TYPES = (_TEXT, _LONG, _CHOICE, _INTEGER, _DECIMAL, _BOOLEAN, _DATE, _DATETIME, _REFERENCE, _JSON)


def type_of(field: peewee.Field, kind: str = "") -> FieldType:
    """The kind of value of a Peewee field; raises TypeError for a field class that nobody described yet."""
    if field.choices:
        return _CHOICES if isinstance(field, JSONField) else _CHOICE
    for classes, found in (
        (peewee.ForeignKeyField, _REFERENCE),
        (DecimalField, _DECIMAL),
        (JSONField, _PEOPLE if kind == "people" else _JSON),
        (peewee.BooleanField, _BOOLEAN),
        (peewee.DateTimeField, _DATETIME),
        (peewee.DateField, _DATE),
        (peewee.IntegerField, _INTEGER),
        (peewee.TextField, _LONG),
        (peewee.CharField, _LONG if kind == "multiline" else _TEXT),
    ):
        if isinstance(field, classes):
            return found
    raise TypeError(f"no kind of value for {type(field).__name__} {field.model.__name__}.{field.name}")

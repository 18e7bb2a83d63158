"""Calendar days and moments, and how people write them."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.base import FieldType
from flask_appadmin.i18n import format_date, format_datetime, gettext, to_local, to_utc

if TYPE_CHECKING:
    from flask_appadmin.specs import FieldSpec


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

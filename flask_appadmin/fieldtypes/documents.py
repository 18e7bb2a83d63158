"""JSON documents, and people as a document names them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.base import FieldType
from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.fieldtypes.text import clean_line
from flask_appadmin.fieldtypes.text_rules import checked_email
from flask_appadmin.i18n import gettext

if TYPE_CHECKING:
    from flask_appadmin.specs import FieldSpec


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
    for part in filter(None, map(clean_line, re.split(r"[;\t]", line))):
        if "@" in part:
            name, part = "email", checked_email(part, spec)
        elif re.fullmatch(r"\+?[\d\s()/.-]{3,}", part):
            name = "phone"
        else:
            name = "function" if "name" in found else "name"
        if name in found:
            raise FieldError(spec, clean_line(line), gettext("hat zu viele Angaben"), _person_advice())
        found[name] = part
    return found


def _person_advice() -> str:
    return gettext("Bitte je Zeile: Name; E-Mail; Telefon; Funktion.")

"""One or several of a few words: codes that are chosen, yes and no."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.base import FieldType
from flask_appadmin.fieldtypes.documents import JSONType
from flask_appadmin.i18n import gettext, message_id, use_locale

if TYPE_CHECKING:
    from flask_appadmin.specs import FieldSpec


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

    def format(self, value: Any, spec: FieldSpec) -> str:
        return "" if value is None else str(spec.choice_labels.get(value, value))

    def to_cell(self, value: Any, spec: FieldSpec) -> Any:
        return None if value is None else self.format(value, spec)


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
        return cell if isinstance(cell, bool) else super().from_cell(cell, spec)

    def format(self, value: Any, spec: FieldSpec) -> str:
        return "" if value is None else gettext("Ja") if value else gettext("Nein")

    def to_cell(self, value: Any, spec: FieldSpec) -> Any:
        return None if value is None else self.format(value, spec)

    def sql_to_json(self, column: str, spec: FieldSpec, engine: str) -> str:
        return f"case when {column} is null then 'null' when {column} then 'true' else 'false' end"

    def sql_from_json(self, json_sql: str, spec: FieldSpec, engine: str) -> str:
        text = super().sql_from_json(json_sql, spec, engine)
        return text if engine == "sqlite" else f"{text}::boolean"


#: Reads each word of several.
_ONE = ChoiceType()


class ChoicesType(JSONType):
    """Several of a few codes, as a JSON list. Operators read and type the words, with commas between them."""

    def parse(self, text: str, spec: FieldSpec) -> Any:
        words = [word for word in map(str.strip, re.split(r"[,;\n]", text)) if word]
        codes = {_ONE.parse(word, spec) for word in words}
        return [code for code, _label in spec.choices if code in codes]

    def format(self, value: Any, spec: FieldSpec) -> str:
        return ", ".join(str(spec.choice_labels.get(code, code)) for code in value or ())

    def to_cell(self, value: Any, spec: FieldSpec) -> Any:
        return self.format(value, spec) or None


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

"""Lines and paragraphs of text, passwords among them."""

from __future__ import annotations

import datetime
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.base import FieldType
from flask_appadmin.fieldtypes.text_rules import COMPACT_KINDS, LINKS, RULES, WARNINGS
from flask_appadmin.i18n import format_date, gettext
from flask_appadmin.passwords import hash_secret, is_hash, password_faults

if TYPE_CHECKING:
    from flask_appadmin.specs import FieldSpec


class TextType(FieldType):
    """A line of text: trimmed, at most as long as the field allows, in Unicode normal form C."""

    def parse(self, text: str, spec: FieldSpec) -> str | None:
        return self.check(text, spec)

    def check(self, value: Any, spec: FieldSpec) -> str | None:
        if value is None:
            return None
        # A password is taken as it is, blanks included.
        text = str(value) if spec.secret else clean_line(str(value))
        if not text:
            return None
        _check_characters(text, spec)
        if text.isascii() is False:
            text = unicodedata.normalize("NFC", text)
        validate = RULES.get(spec.kind)
        if validate and spec.kind in COMPACT_KINDS:
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
        make = LINKS.get(spec.kind)
        return make(str(value)) if make and value else ""

    def warning(self, value: Any, spec: FieldSpec) -> str:
        warn = WARNINGS.get(spec.kind)
        return warn(str(value)) if warn and value else ""

    def from_cell(self, cell: Any, spec: FieldSpec) -> str | None:
        if isinstance(cell, bool):
            cell = gettext("Ja") if cell else gettext("Nein")
        elif isinstance(cell, datetime.datetime):
            cell = format_date(cell) if cell.time() == datetime.time() else cell.isoformat(" ")
        elif isinstance(cell, datetime.date):
            cell = format_date(cell)
        return super().from_cell(cell, spec)


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


def clean_line(text: str) -> str:
    """One line without control characters, no-break and repeated blanks; what is inside stays as typed."""
    if not text.isprintable():
        text = re.sub(r"[\x00-\x1f\x7f-\x9f\u00a0\u202f]+", " ", text)
    return text.strip()


def _check_characters(text: str, spec: FieldSpec) -> None:
    """Halves of a character, as broken programs send them, can be neither stored nor exported."""
    if not text.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise FieldError(spec, None, gettext("enthält ein unerlaubtes Zeichen"))


def _checked_secret(text: str, spec: FieldSpec) -> str:
    """A secret is stored as its hash only. What is a hash already comes from a form that was checked before."""
    if is_hash(text):
        return text
    faults = password_faults(text) if spec.kind == "password" else []
    if faults:
        raise FieldError(spec, None, faults[0])
    return hash_secret(text)

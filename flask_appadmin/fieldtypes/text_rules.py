"""Text with rules: what an e-mail address, an IBAN, a telephone number has to be, and where it leads.

Shape: a rule takes the text and the FieldSpec and answers the text as it is stored; `RULES` names them by the `kind` of
the field, `WARNINGS` what is odd about a value that is taken all the same, `LINKS` the address behind a value.
Errors: FieldError. Source: check digits and lengths by python-stdnum and email-validator; RFC 3966 for telephones.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask_appadmin.errors import FieldError
from flask_appadmin.i18n import gettext
from flask_appadmin.passwords import username_of

if TYPE_CHECKING:
    from flask_appadmin.specs import FieldSpec


#: Addresses that are stored as they are typed: small letters and digits of ASCII, no special names. Most are such, and
#: the whole grammar takes a quarter of a millisecond for each.
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9]+(?:[._+-][a-z0-9]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+"
    r"(?!(?:arpa|invalid|local|localhost|onion|test)$)[a-z]{2,20}"
)
_PLAIN_EMAIL_LENGTH = 60


def _normal_email(text: str) -> str | None:
    """The address as it is stored, None when it is none.

    >>> _normal_email("eva@firma.example"), _normal_email("Eva@Firma.Example"), _normal_email("eva@firma")
    ('eva@firma.example', 'Eva@firma.example', None)
    """
    if len(text) <= _PLAIN_EMAIL_LENGTH and _PLAIN_EMAIL.fullmatch(text):
        return text
    return _examined_email(text)


@functools.lru_cache(maxsize=20_000)
def _examined_email(text: str) -> str | None:
    """The same by all rules; remembered, since files and plans ask several times."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False, allow_smtputf8=True).normalized
    except EmailNotValidError:
        return None


def checked_email(text: str, spec: FieldSpec) -> str:
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
    if is_plain_iban(text):
        return text
    from stdnum import iban
    from stdnum.exceptions import ValidationError

    compact = iban.compact(text).upper()
    try:
        return iban.validate(compact, check_country=False)
    except ValidationError:
        reason = _iban_fault(compact)
    raise FieldError(spec, text, reason, gettext("Bitte prüfen."))


#: Country -> how long its IBANs are, and how its letters count in the check digits: countries that know digits only.
_DIGITS_ONLY = {"DE": (22, "1314"), "AT": (20, "1029")}


def is_plain_iban(text: str) -> bool:
    """Whether it is a valid IBAN, written as it is stored, of a country whose IBANs have digits only.

    Most are such, and the registry of all countries takes a quarter of a millisecond for each.

    >>> is_plain_iban("DE02120300000000202051"), is_plain_iban("DE02120300000000202052")
    (True, False)
    """
    length, letters = _DIGITS_ONLY.get(text[:2], (0, ""))
    digits = text[2:]
    if len(text) != length or not (digits.isascii() and digits.isdigit()):
        return False
    return int(f"{digits[2:]}{letters}{digits[:2]}") % 97 == 1


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


RULES: dict[str, Callable[[str, Any], str]] = {
    "email": checked_email,
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
COMPACT_KINDS = frozenset(("iban", "bic", "vat_id", "gln"))


def _no_country_prefix(text: str) -> str:
    """A number without its country cannot be dialled from everywhere.

    >>> [bool(_no_country_prefix(text)) for text in ("+43 1 234", "0043 1 234", "01 234")]
    [False, False, True]
    """
    if text.lstrip().startswith(("+", "00")):
        return ""
    return gettext("Ohne Ländervorwahl lässt sich die Nummer nicht überall wählen. Üblich: +49 208 4711-0.")


#: Kind of text -> what is said about a value that is taken all the same.
WARNINGS: dict[str, Callable[[str], str]] = {"phone": _no_country_prefix, "fax": _no_country_prefix}


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
LINKS: dict[str, Callable[[str], str]] = {"phone": _call, "email": _write, "url": _look_at}
LINKED_KINDS = frozenset(LINKS)
#: The kinds that `described(kind=…)` takes; "" is plain text.
TEXT_KINDS = ("", "postal_code", "multiline", "password", "token", "people", *RULES)

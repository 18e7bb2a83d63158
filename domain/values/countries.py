"""Countries, their postal codes, languages and currencies; and sales territories."""

from __future__ import annotations

import functools
from decimal import Decimal

from babel import Locale
from peewee import BooleanField, CharField

from domain.links import Reference
from domain.values.declaring import natural_key
from flask_appadmin.database import Record
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, described

#: Short forms that no language table has.
_SHORT_COUNTRY_NAMES = {
    "usa": "US",
    "uk": "GB",
    "england": "GB",
    "great britain": "GB",
    "großbritannien": "GB",
    "holland": "NL",
    "brd": "DE",
    "d": "DE",
    "a": "AT",
    "ch": "CH",
    "i": "IT",
    "f": "FR",
}


@functools.cache
def _country_words() -> dict[str, str]:
    """Names of countries in German and English, folded -> ISO 3166-1 code."""
    words = {}
    for language in ("en", "de"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                words[name.casefold()] = code
    return words | _SHORT_COUNTRY_NAMES


class Country(Record):
    """A country, with the mark that drives the VAT rule."""

    description = Description(label=_("Land"), plural=_("Länder"), title=("code", "name"), order=("code",))

    code = natural_key(
        CharField(max_length=3, unique=True, verbose_name=_("Länderkürzel")), aliases=("Länderkennzeichen",)
    )
    name = described(CharField(max_length=60, verbose_name=_("Ländername")), aliases=("Land",), listed=True)
    is_eu = described(
        BooleanField(
            default=False, verbose_name=_("EU-Land"), help_text=_("Steuert die Umsatzsteuerpflicht neuer Kunden.")
        ),
        listed=True,
    )
    dialling_code = described(CharField(max_length=10, null=True, verbose_name=_("Ländervorwahl")), listed=True)

    @classmethod
    def find_by_words(cls, words: str) -> int | None:
        """Lists name countries in English or by usual short forms: "Germany", "USA", "UK"."""
        code = _country_words().get(words.strip().casefold())
        row = cls.select(cls.id).where(cls.code == code).tuples().first() if code else None
        return row[0] if row else None

    class Meta:
        table_name = "country"


class Currency(Record):
    """A currency and its rate to the own one."""

    description = Description(label=_("Währung"), plural=_("Währungen"), title=("code", "name"), order=("code",))

    code = natural_key(
        CharField(max_length=3, unique=True, verbose_name=_("Fremdwährungskürzel")), aliases=("Kürzel (Währung)",)
    )
    name = described(CharField(max_length=40, verbose_name=_("Währung")), listed=True)
    exchange_rate = described(
        DecimalField(
            14,
            6,
            null=True,
            default=Decimal(1),
            verbose_name=_("Kurs"),
            help_text=_("So viele Einheiten dieser Währung ergeben eine der eigenen."),
        ),
        minimum=Decimal("0.000001"),
        listed=True,
    )

    class Meta:
        table_name = "currency"


class Language(Record):
    """A language of documents."""

    description = Description(label=_("Sprache"), plural=_("Sprachen"), title=("code", "name"), order=("code",))

    code = natural_key(
        CharField(max_length=5, unique=True, verbose_name=_("Fremdsprachenkürzel")), aliases=("Kürzel (Sprache)",)
    )
    name = described(CharField(max_length=40, verbose_name=_("Sprache")), listed=True)

    class Meta:
        table_name = "language"


class Territory(Record):
    """A sales territory, free to define."""

    description = Description(label=_("Gebiet"), plural=_("Gebiete"), title=("code", "name"), order=("code",))

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Gebiet)")))
    name = described(CharField(max_length=60, verbose_name=_("Gebiet")), listed=True)

    class Meta:
        table_name = "territory"


class PostalCode(Record):
    """A place behind a postal code; several places may share one."""

    description = Description(
        label=_("Postleitzahl"),
        plural=_("Postleitzahlen"),
        title=("postal_code", "city"),
        order=("postal_code", "city"),
    )

    country = described(Reference(Country, verbose_name=_("Land")), listed=True)
    postal_code = described(
        CharField(max_length=10, index=True, verbose_name=_("Postleitzahl")), searchable=True, listed=True
    )
    city = described(
        CharField(max_length=60, verbose_name=_("Ort")),
        searchable=True,
        listed=True,
        unique_with=("country", "postal_code"),
    )
    dialling_code = described(CharField(max_length=20, null=True, verbose_name=_("Telefonvorwahl")), listed=True)

    class Meta:
        table_name = "postal_code"
        indexes = ((("country", "postal_code", "city"), True),)

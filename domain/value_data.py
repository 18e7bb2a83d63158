"""What value tables hold on the first day: what is common knowledge, so that nobody has to type it.

Shape: `fill_value_tables()` fills each table that is still empty and leaves the others alone; calling it again does
nothing. Rows are tuples in the order of the named columns. Names are German, as the screens are.
Source: countries ISO 3166-1 and their names from CLDR (Babel), with Kosovo under its usual code XK; members of the EU
as of 2026; dialling codes ITU E.164 (phonenumbers); currencies ISO 4217 as far as they are legal tender today;
languages ISO 639-1; delivery terms Incoterms 2020; tax rates § 12 UStG and § 10 UStG (Austria); accounts of the chart
SKR03.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from domain.catalog import Warehouse
from domain.dates import today
from domain.numbers import NumberRange
from domain.settings import Setting
from domain.values.company import Branch, Employee
from domain.values.contacts import ContactFunction, Salutation
from domain.values.countries import Country, Currency, Language
from domain.values.delivery import DeliveryTerm, ShippingMethod
from domain.values.documents import DocumentType, PrintProfile
from domain.values.groups import CardType, Category
from domain.values.taxes import RevenueCode, TaxKey, TaxRate
from domain.values.terms import PaymentTerm, PriceType
from domain.values.traits import CompanyType
from flask_appadmin import search
from flask_appadmin.changes import load_rows, record_loading
from flask_appadmin.database import transaction
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import system_operator
from flask_appadmin.specs import spec_of

#: Members of the European Union as of 2026.
EU_MEMBERS = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"}
    | {"IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
)

#: Codes that CLDR has for other things than countries: the union, groups, outlying parts, tests, unknown.
_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})

#: The country, language and currency an installation starts with; settings change them.
_OWN = ("DE", "de", "EUR")

_LANGUAGES = (
    "de en fr it es pt nl da sv no fi is et lv lt pl cs sk sl hr sr bs mk sq hu ro bg el tr ru uk be ka hy az kk "
    "ar he fa ur hi bn ta th vi id ms zh ja ko sw am ga mt lb ca eu gl"
)

_SALUTATIONS = (
    "Herr",
    "Frau",
    "Firma",
    "Familie",
    "Eheleute",
    "Herr Dr.",
    "Frau Dr.",
    "Herr Prof.",
    "Frau Prof.",
    "Herr Prof. Dr.",
    "Frau Prof. Dr.",
    "Herr Dipl.-Ing.",
    "Frau Dipl.-Ing.",
    "Herr Mag.",
    "Frau Mag.",
    "An die",
)

_COMPANY_TYPES = (
    "Privatperson",
    "Einzelunternehmen",
    "e. K.",
    "e. U.",
    "GbR",
    "OHG",
    "OG",
    "KG",
    "GmbH",
    "GesmbH",
    "GmbH & Co. KG",
    "UG (haftungsbeschränkt)",
    "AG",
    "SE",
    "KGaA",
    "eG",
    "PartG mbB",
    "e. V.",
    "Stiftung",
    "gGmbH",
    "Körperschaft des öffentlichen Rechts",
    "Anstalt des öffentlichen Rechts",
    "Behörde",
    "Schule",
    "Ltd.",
    "S.à r.l.",
    "B.V.",
    "S.p.A.",
)

_CONTACT_FUNCTIONS = (
    "Geschäftsführung",
    "Inhaber",
    "Einkauf",
    "Verkauf",
    "Buchhaltung",
    "Technik",
    "Lager",
    "Marketing",
    "Personal",
    "EDV",
    "Sekretariat",
    "Empfang",
    "Schulleitung",
)

_SHIPPING_METHODS = (
    "Abholung",
    "Paketdienst",
    "Brief",
    "Spedition",
    "Eigener Fuhrpark",
    "Express",
    "Kurier",
    "Streckengeschäft",
)

#: (name, days, cash): what is paid before or on delivery is a cash term.
_PAYMENT_TERMS = (
    ("sofort netto", 0, False),
    ("7 Tage netto", 7, False),
    ("14 Tage netto", 14, False),
    ("30 Tage netto", 30, False),
    ("60 Tage netto", 60, False),
    ("14 Tage 2 % Skonto, 30 Tage netto", 30, False),
    ("8 Tage 3 % Skonto, 30 Tage netto", 30, False),
    ("Lastschrift", 0, False),
    ("Vorkasse", 0, True),
    ("Nachnahme", 0, True),
    ("Barzahlung", 0, True),
)

_DELIVERY_TERMS = (
    ("FH", "frei Haus"),
    ("UF", "unfrei"),
    ("EXW", "EXW ab Werk"),
    ("FCA", "FCA frei Frachtführer"),
    ("FAS", "FAS frei längsseits Schiff"),
    ("FOB", "FOB frei an Bord"),
    ("CFR", "CFR Kosten und Fracht"),
    ("CIF", "CIF Kosten, Versicherung und Fracht"),
    ("CPT", "CPT frachtfrei"),
    ("CIP", "CIP frachtfrei versichert"),
    ("DAP", "DAP geliefert benannter Ort"),
    ("DPU", "DPU geliefert benannter Ort entladen"),
    ("DDP", "DDP geliefert verzollt"),
)

_DOCUMENT_TYPES = (
    ("offer", "Angebot"),
    ("order", "Auftrag"),
    ("order_confirmation", "Auftragsbestätigung"),
    ("delivery_note", "Lieferschein"),
    ("partial_invoice", "Teilrechnung"),
    ("invoice", "Rechnung"),
    ("collective_invoice", "Sammelrechnung"),
    ("proforma_invoice", "Proforma-Rechnung"),
    ("credit_note", "Gutschrift"),
    ("reminder", "Mahnung"),
    ("statement", "Kontoauszug"),
    ("repair_order", "Reparaturauftrag"),
)


def fill_value_tables() -> int:
    """Fills the value tables that are empty, in one transaction; answers how many rows were stored."""
    count = 0
    with transaction():
        for model, columns, rows in _contents():
            if model.select(model.id).limit(1).exists():
                continue
            count += load_rows(model, columns, rows)
            search.rebuild(spec_of(model))
        if not Setting.select(Setting.id).exists():
            count += load_rows(Setting, *_first_setting())
        if count:
            title = gettext("Wertetabellen eingerichtet")
            record_loading(system_operator("Kontor"), spec_of(Country), count, title, kind="setup")
    return count


def _contents() -> Iterator[tuple[Any, tuple[str, ...], list[tuple[Any, ...]]]]:
    """Model, columns and rows of each table, in the order of their keys."""
    yield Country, ("code", "name", "is_eu", "dialling_code"), _countries()
    yield Currency, ("code", "name", "exchange_rate"), _currencies()
    yield Language, ("code", "name"), _languages()
    yield Salutation, ("number", "name"), list(enumerate(_SALUTATIONS, 1))
    yield CompanyType, ("name",), [(name,) for name in _COMPANY_TYPES]
    yield ContactFunction, ("name",), [(name,) for name in _CONTACT_FUNCTIONS]
    yield ShippingMethod, ("number", "name"), list(enumerate(_SHIPPING_METHODS, 1))
    yield (
        PaymentTerm,
        ("number", "name", "net_days", "is_cash"),
        [(number, *term) for number, term in enumerate(_PAYMENT_TERMS, 1)],
    )
    yield DeliveryTerm, ("code", "name"), list(_DELIVERY_TERMS)
    yield DocumentType, ("code", "name"), list(_DOCUMENT_TYPES)
    yield PrintProfile, ("name", "price_display"), [("Default", "breakdown")]
    yield TaxRate, ("number", "percent"), [(1, Decimal(19)), (2, Decimal(7))]
    yield TaxKey, ("code", "percent"), _tax_keys()
    yield RevenueCode, ("code", "account"), [("E19", "8400"), ("E7", "8300"), ("E0", "8120")]
    yield PriceType, ("code", "name"), [("VK", "Verkaufspreis")]
    yield CardType, ("name", "is_wincard"), [("Kundenkarte", False), ("WINCARD", True)]
    yield Category, ("name",), [("Allgemein",)]
    yield Employee, ("number", "name"), [("1", "Innendienst")]
    yield Branch, ("number", "name"), [("1", "Zentrale")]
    yield Warehouse, ("number", "name", "consignment"), [("1", "Hauptlager", False)]
    # FIBU numbers are mostly given by the accounting: the range is there, switched off.
    yield (
        NumberRange,
        ("kind", "first_number", "last_number", "next_number", "active"),
        [
            ("customer_number", 10_001, 999_999_999, 10_001, True),
            ("debtor_account", 200_001, 999_999_999, 200_001, False),
        ],
    )


def _countries() -> list[tuple[Any, ...]]:
    import phonenumbers
    from babel import Locale

    names: dict[str, str] = dict(Locale("de").territories)
    codes = sorted(code for code in names if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES)
    rows: list[tuple[Any, ...]] = []
    for code in codes:
        dialling = phonenumbers.country_code_for_region(code)
        rows.append((code, names[code][:60], code in EU_MEMBERS, f"+{dialling}" if dialling else None))
    return rows


def _currencies() -> list[tuple[Any, ...]]:
    from babel import Locale
    from babel.numbers import get_territory_currencies

    locale, day = Locale("de"), today()
    codes = {
        code
        for country in map(str, locale.territories)
        if len(country) == 2 and country not in _NO_COUNTRIES
        for code in get_territory_currencies(country, start_date=day, end_date=day)
    }
    # The own currency first, then by code.
    ordered = sorted(codes, key=lambda code: (code != _OWN[2], code))
    return [(code, locale.currencies.get(code, code)[:40], Decimal(1)) for code in ordered]


def _languages() -> list[tuple[Any, ...]]:
    from babel import Locale

    names = Locale("de").languages
    return [(code, names[code][:40]) for code in _LANGUAGES.split() if code in names]


def _tax_keys() -> list[tuple[str, Decimal]]:
    german = [("0", 0), ("2", 7), ("3", 19)]
    austrian = [("AT10", 10), ("AT13", 13), ("AT20", 20)]
    return [(code, Decimal(percent)) for code, percent in german + austrian]


def _first_setting() -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """One row with the factory's values, at home in Germany."""
    defaults = {item.name: item.default_value() for item in spec_of(Setting).data_fields if item.default is not None}
    country, language, currency = _OWN
    own = {
        "own_country": Country.get(Country.code == country).id,
        "own_language": Language.get(Language.code == language).id,
        "own_currency": Currency.get(Currency.code == currency).id,
    }
    values = {**defaults, **own}
    return tuple(values), [tuple(values.values())]

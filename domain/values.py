"""Value tables: the short lists that operators choose from, and the staff.

Shape: a row has a code or a number that people and files name it by (its natural key), and a name. None of these tables
knows a customer. Their content where it is common knowledge stands in `value_data.py`.
Units: percentages 0 to 100, money in euro, rates as units of the own currency for one unit.
Source: fields.tsv; ISO 3166-1 for countries, ISO 4217 for currencies, ISO 639-1 for languages.
"""

from __future__ import annotations

import functools
from decimal import Decimal

from babel import Locale
from peewee import BooleanField, CharField, IntegerField, TextField

from domain.links import Reference
from flask_appadmin.database import Record
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _, many
from flask_appadmin.rights import Operator, User
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

    description = Description(
        label=_("Land"), plural=_("Länder"), title=("code", "name"), menu="values", right="value", order=("code",)
    )

    code = described(
        CharField(max_length=3, unique=True, verbose_name=_("Länderkürzel")),
        copy="clear",
        aliases=("Länderkennzeichen",),
        listed=True,
        natural_key=True,
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

    description = Description(
        label=_("Währung"), plural=_("Währungen"), title=("code", "name"), menu="values", right="value", order=("code",)
    )

    code = described(
        CharField(max_length=3, unique=True, verbose_name=_("Fremdwährungskürzel")),
        copy="clear",
        aliases=("Kürzel (Währung)",),
        listed=True,
        natural_key=True,
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

    description = Description(
        label=_("Sprache"), plural=_("Sprachen"), title=("code", "name"), menu="values", right="value", order=("code",)
    )

    code = described(
        CharField(max_length=5, unique=True, verbose_name=_("Fremdsprachenkürzel")),
        copy="clear",
        aliases=("Kürzel (Sprache)",),
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=40, verbose_name=_("Sprache")), listed=True)

    class Meta:
        table_name = "language"


class Salutation(Record):
    """How a person or company is addressed."""

    description = Description(
        label=_("Anrede/Titel"),
        plural=_("Anreden/Titel"),
        title=("name",),
        menu="values",
        right="value",
        order=("number",),
    )

    number = described(
        IntegerField(unique=True, verbose_name=_("Nummer (Anrede/Titel)")), copy="clear", listed=True, natural_key=True
    )
    name = described(CharField(max_length=40, verbose_name=_("Anrede/Titel")), listed=True)

    class Meta:
        table_name = "salutation"


class Category(Record):
    """A category; a customer may be in several, in an order of their own."""

    description = Description(
        label=_("Kundenkategorie"),
        plural=_("Kundenkategorien"),
        title=("name",),
        menu="values",
        right="value",
        order=("name",),
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Kategorie")),
        copy="clear",
        aliases=("Kundenkategorie",),
        listed=True,
        natural_key=True,
    )

    class Meta:
        table_name = "category"


class CustomerKind1(Record):
    """First free criterion for queries and serial letters."""

    description = Description(
        label=_("Kundenart1"),
        plural=_("Kundenarten 1"),
        title=("code", "name"),
        menu="values",
        right="value",
        order=("code",),
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Kundenart1)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Kundenart1")), listed=True)

    class Meta:
        table_name = "customer_kind_1"


class CustomerKind2(Record):
    """Second free criterion for queries and serial letters."""

    description = Description(
        label=_("Kundenart2"),
        plural=_("Kundenarten 2"),
        title=("code", "name"),
        menu="values",
        right="value",
        order=("code",),
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Kundenart2)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Kundenart2")), listed=True)

    class Meta:
        table_name = "customer_kind_2"


class CustomerKind3(Record):
    """Third free criterion for queries and serial letters."""

    description = Description(
        label=_("Kundenart3"),
        plural=_("Kundenarten 3"),
        title=("code", "name"),
        menu="values",
        right="value",
        order=("code",),
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Kundenart3)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Kundenart3")), listed=True)

    class Meta:
        table_name = "customer_kind_3"


class CustomerTrait(Record):
    """A trait that can be given to customers."""

    description = Description(
        label=_("Kundenmerkmal"),
        plural=_("Kundenmerkmale"),
        title=("name",),
        menu="values",
        right="value",
        order=("name",),
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Kundenmerkmal")),
        copy="clear",
        listed=True,
        natural_key=True,
    )

    class Meta:
        table_name = "customer_trait"


class Orientation(Record):
    """Value of the tab Merkmale: what a company is oriented to."""

    description = Description(
        label=_("Ausrichtung"),
        plural=_("Ausrichtungen"),
        title=("name",),
        menu="values",
        right="value",
        order=("name",),
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Ausrichtung")),
        copy="clear",
        listed=True,
        natural_key=True,
    )

    class Meta:
        table_name = "orientation"


class Authorization(Record):
    """Value of the tab Merkmale: what a company is authorised for."""

    description = Description(
        label=_("Autorisierung"),
        plural=_("Autorisierungen"),
        title=("name",),
        menu="values",
        right="value",
        order=("name",),
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Autorisierung")),
        copy="clear",
        listed=True,
        natural_key=True,
    )

    class Meta:
        table_name = "authorization"


class Organization(Record):
    """Value of the tab Merkmale: how a company is organised. Not `OrganizationUnit`, which is one of our own."""

    description = Description(
        label=_("Organisation"),
        plural=_("Organisationen"),
        title=("name",),
        menu="values",
        right="value",
        order=("name",),
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Organisation")),
        copy="clear",
        listed=True,
        natural_key=True,
    )

    class Meta:
        table_name = "organization"


class Specialization(Record):
    """Value of the tab Merkmale: what a company is specialised in."""

    description = Description(
        label=_("Spezialisierung"),
        plural=_("Spezialisierungen"),
        title=("name",),
        menu="values",
        right="value",
        order=("name",),
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Spezialisierung")),
        copy="clear",
        listed=True,
        natural_key=True,
    )

    class Meta:
        table_name = "specialization"


class Structure(Record):
    """Value of the tab Merkmale: how a company is structured."""

    description = Description(
        label=_("Struktur"), plural=_("Strukturen"), title=("name",), menu="values", right="value", order=("name",)
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Struktur")), copy="clear", listed=True, natural_key=True
    )

    class Meta:
        table_name = "structure"


class CompanyType(Record):
    """Value of the tab Merkmale: legal form or type of a company."""

    description = Description(
        label=_("Typ"), plural=_("Typen"), title=("name",), menu="values", right="value", order=("name",)
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Typ")), copy="clear", listed=True, natural_key=True
    )

    class Meta:
        table_name = "company_type"


class ContactFunction(Record):
    """What a contact does in the company."""

    description = Description(
        label=_("Funktion der Ansprechpartner"),
        plural=_("Funktionen der Ansprechpartner"),
        title=("name",),
        menu="values",
        right="value",
        order=("name",),
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Funktion")), copy="clear", listed=True, natural_key=True
    )

    class Meta:
        table_name = "contact_function"


class ContactSpecialization(Record):
    """What a contact is specialised in."""

    description = Description(
        label=_("Spezialisierung der Ansprechpartner"),
        plural=_("Spezialisierungen der Ansprechpartner"),
        title=("name",),
        menu="values",
        right="value",
        order=("name",),
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Spezialisierung")),
        copy="clear",
        listed=True,
        natural_key=True,
    )

    class Meta:
        table_name = "contact_specialization"


class ShippingMethod(Record):
    """How goods are sent."""

    description = Description(
        label=_("Versandart"),
        plural=_("Versandarten"),
        title=("name",),
        menu="values",
        right="value",
        order=("number",),
    )

    number = described(
        IntegerField(unique=True, verbose_name=_("Nummer (Versandart)")), copy="clear", listed=True, natural_key=True
    )
    name = described(CharField(max_length=60, verbose_name=_("Versandart")), listed=True)

    class Meta:
        table_name = "shipping_method"


class PaymentTerm(Record):
    """When an invoice is due; a cash term is demanded where the credit rating says so."""

    description = Description(
        label=_("Zahlungsbedingung"),
        plural=_("Zahlungsbedingungen"),
        title=("name",),
        menu="values",
        right="value",
        order=("number",),
    )

    number = described(
        IntegerField(unique=True, verbose_name=_("Nummer (Zahlungsbedingung)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Zahlungsbedingung")), listed=True)
    net_days = described(
        IntegerField(null=True, default=0, verbose_name=_("Zahlungsziel in Tagen")),
        unit=_("Tage"),
        minimum=0,
        listed=True,
    )
    is_cash = described(
        BooleanField(
            default=False,
            verbose_name=_("Barkondition"),
            help_text=_("Wird bei Bonitätsstufe 3 vor dem Lieferschein verlangt."),
        ),
        listed=True,
    )

    class Meta:
        table_name = "payment_term"


class DeliveryTerm(Record):
    """Who bears which cost of a delivery."""

    description = Description(
        label=_("Lieferkondition"),
        plural=_("Lieferkonditionen"),
        title=("code", "name"),
        menu="values",
        right="value",
        order=("code",),
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Lieferkondition)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Lieferkondition")), listed=True)

    class Meta:
        table_name = "delivery_term"


class Territory(Record):
    """A sales territory, free to define."""

    description = Description(
        label=_("Gebiet"), plural=_("Gebiete"), title=("code", "name"), menu="values", right="value", order=("code",)
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Gebiet)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Gebiet")), listed=True)

    class Meta:
        table_name = "territory"


class BusinessUnit(Record):
    """A business unit of our own."""

    description = Description(
        label=_("Geschäftsbereich"),
        plural=_("Geschäftsbereiche"),
        title=("number", "name"),
        menu="values",
        right="value",
        order=("number",),
    )

    number = described(
        IntegerField(unique=True, verbose_name=_("Nummer (Geschäftsbereich)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Geschäftsbereich")), listed=True)

    class Meta:
        table_name = "business_unit"


class OrganizationUnit(Record):
    """An organisational unit of our own. Not `Organization`, which describes a customer."""

    description = Description(
        label=_("Organisatorische Einheit"),
        plural=_("Organisatorische Einheiten"),
        title=("code", "name"),
        menu="values",
        right="value",
        order=("code",),
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Organisation)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Organisation")), listed=True)

    class Meta:
        table_name = "organization_unit"


class Tenant(Record):
    """A tenant of the accounting or of a shared warehouse."""

    description = Description(
        label=_("Mandant"),
        plural=_("Mandanten"),
        title=("number", "name"),
        menu="values",
        right="value",
        order=("number",),
    )

    number = described(
        IntegerField(unique=True, verbose_name=_("Mandanten-Nr.")), copy="clear", listed=True, natural_key=True
    )
    name = described(CharField(max_length=60, verbose_name=_("Mandant")), listed=True)

    class Meta:
        table_name = "tenant"


class DiscountType(Record):
    """A discount on whole documents."""

    description = Description(
        label=_("Rabattart"),
        plural=_("Rabattarten"),
        title=("code", "name"),
        menu="values",
        right="value",
        order=("code",),
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Rabattart)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Rabattart")), listed=True)
    percent = described(
        DecimalField(5, 2, verbose_name=_("Prozentsatz")), unit="%", minimum=0, maximum=100, listed=True
    )

    class Meta:
        table_name = "discount_type"


class EmailText(Record):
    """A text that goes with documents sent by e-mail."""

    description = Description(
        label=_("E-Mail-Text"),
        plural=_("E-Mail-Texte"),
        title=("marker",),
        menu="values",
        right="value",
        order=("marker",),
    )

    marker = described(
        CharField(max_length=20, unique=True, verbose_name=_("Kennzeichen E-Mail Text")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    text = described(TextField(null=True, verbose_name=_("E-Mail-Text")))

    class Meta:
        table_name = "email_text"


class Cooperation(Record):
    """A cooperation in which customers are members for a time."""

    description = Description(
        label=_("Kooperation"),
        plural=_("Kooperationen"),
        title=("code", "name"),
        menu="values",
        right="value",
        order=("code",),
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Kooperation)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Kooperation")), listed=True)

    class Meta:
        table_name = "cooperation"


class PriceType(Record):
    """A kind of sales price; an article has one price per type."""

    description = Description(
        label=_("Preis-Kennzeichen"),
        plural=many("Preis-Kennzeichen", "Preis-Kennzeichen"),
        title=("code", "name"),
        menu="values",
        right="value",
        order=("code",),
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Kürzel 'Verkaufspreis'")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Verkaufspreis")), listed=True)

    class Meta:
        table_name = "price_type"


class Project(Record):
    """A project that documents are assigned to."""

    description = Description(
        label=_("Projekt"), plural=_("Projekte"), title=("code", "name"), menu="values", right="value", order=("code",)
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Projekt)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Projekt")), listed=True)

    class Meta:
        table_name = "project"


class CollectivePriority(Record):
    """A priority of collective orders."""

    description = Description(
        label=_("Sammelpriorität"),
        plural=_("Sammelprioritäten"),
        title=("number", "name"),
        menu="values",
        right="value",
        order=("number",),
    )

    number = described(
        IntegerField(unique=True, verbose_name=_("Nummer (Sammelpriorität)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Sammelpriorität")), listed=True)

    class Meta:
        table_name = "collective_priority"


class Intermediary(Record):
    """Who brought a customer and receives the commission."""

    description = Description(
        label=_("Vermittler"),
        plural=many("Vermittler", "Vermittler"),
        title=("number", "name"),
        menu="values",
        right="value",
        order=("number",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Vermittler-Nr.")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Vermittlername")), listed=True)

    class Meta:
        table_name = "intermediary"


class Tour(Record):
    """A delivery tour."""

    description = Description(
        label=_("Tour"), plural=_("Touren"), title=("code", "name"), menu="values", right="value", order=("code",)
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Tour)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Tour")), listed=True)

    class Meta:
        table_name = "tour"


class DeliveryZone(Record):
    """A zone with a flat rate of shipping costs."""

    description = Description(
        label=_("Lieferzone"), plural=_("Lieferzonen"), title=("code",), menu="values", right="value", order=("code",)
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Lieferzone")), copy="clear", listed=True, natural_key=True
    )
    shipping_cost = described(
        DecimalField(12, 2, null=True, verbose_name=_("Versandkostenpauschale")), unit="€", minimum=0, listed=True
    )

    class Meta:
        table_name = "delivery_zone"


class OwnBank(Record):
    """A bank account of our own, printed on payment slips."""

    description = Description(
        label=_("Eigene Bankverbindung"),
        plural=_("Eigene Bankverbindungen"),
        title=("name",),
        menu="values",
        right="value",
        order=("name",),
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("eigene Bankverbindung")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    iban = described(CharField(max_length=34, null=True, verbose_name=_("IBAN")), kind="iban", listed=True)
    bic = described(CharField(max_length=11, null=True, verbose_name=_("BIC")), kind="bic", listed=True)

    class Meta:
        table_name = "own_bank"


class Branch(Record):
    """A branch with tills."""

    description = Description(
        label=_("Filiale"),
        plural=_("Filialen"),
        title=("number", "name"),
        menu="values",
        right="value",
        order=("number",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Filialnummer")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Filiale")), listed=True)
    dummy_debtor_account = described(
        IntegerField(null=True, verbose_name=_("Debitorendummykonto"), help_text=_("Für Kunden ohne Debitorenkonto.")),
        listed=True,
    )

    class Meta:
        table_name = "branch"


class CardType(Record):
    """A kind of customer card."""

    description = Description(
        label=_("Kundenkartentyp"),
        plural=_("Kundenkartentypen"),
        title=("name",),
        menu="values",
        right="value",
        order=("name",),
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Kundenkartentyp")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    is_wincard = described(BooleanField(default=False, verbose_name=_("WINCARD")), listed=True)

    class Meta:
        table_name = "card_type"


class DocumentType(Record):
    """A kind of document that print profiles distinguish."""

    description = Description(
        label=_("Dokumentenart"),
        plural=_("Dokumentenarten"),
        title=("name",),
        menu="values",
        right="value",
        order=("code",),
    )

    code = described(
        CharField(max_length=40, unique=True, verbose_name=_("Kürzel (Dokumentenart)")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Dokumentenart")), listed=True)

    class Meta:
        table_name = "document_type"


class TaxKey(Record):
    """A tax key of the accounting with its rate."""

    description = Description(
        label=_("Steuerschlüssel"),
        plural=many("Steuerschlüssel", "Steuerschlüssel"),
        title=("code",),
        menu="values",
        right="value",
        order=("code",),
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Steuerschlüssel")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    percent = described(DecimalField(5, 2, verbose_name=_("Steuersatz")), unit="%", minimum=0, maximum=100, listed=True)

    class Meta:
        table_name = "tax_key"


class TaxRate(Record):
    """A numbered tax rate: 1 is the general one, 2 the reduced one."""

    description = Description(
        label=_("Steuersatz"),
        plural=_("Steuersätze"),
        title=("number",),
        menu="values",
        right="value",
        order=("number",),
    )

    number = described(
        IntegerField(
            unique=True,
            verbose_name=_("Steuersatz [n]"),
            help_text=_("1 ist der allgemeine, 2 der ermäßigte Steuersatz."),
        ),
        minimum=1,
        copy="clear",
        listed=True,
        natural_key=True,
    )
    percent = described(
        DecimalField(5, 2, verbose_name=_("Prozentsatz")), unit="%", minimum=0, maximum=100, listed=True
    )

    class Meta:
        table_name = "tax_rate"


class RevenueCode(Record):
    """Which revenue account an article is posted to, by kind of customer."""

    description = Description(
        label=_("Erlöscode"), plural=_("Erlöscodes"), title=("code",), menu="values", right="value", order=("code",)
    )

    code = described(
        CharField(max_length=20, unique=True, verbose_name=_("Erlöscode")), copy="clear", listed=True, natural_key=True
    )
    account = described(CharField(max_length=20, verbose_name=_("Erlöskonto")), listed=True)
    group_taxable_account = described(
        CharField(max_length=20, null=True, verbose_name=_("Kto. Konzern steuerbar AR")), listed=True
    )
    group_non_taxable_account = described(
        CharField(max_length=20, null=True, verbose_name=_("Kto. Konzern nicht steuerbar AR")), listed=True
    )
    group_free_account = described(
        CharField(max_length=20, null=True, verbose_name=_("Kto. Konzern frei AR")), listed=True
    )

    class Meta:
        table_name = "revenue_code"


class PostalCode(Record):
    """A place behind a postal code; several places may share one."""

    description = Description(
        label=_("Postleitzahl"),
        plural=_("Postleitzahlen"),
        title=("postal_code", "city"),
        menu="values",
        right="value",
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


class Employee(Record):
    """A person on our own staff: clerk, sales representative, technician."""

    description = Description(
        label=_("Bearbeiter"),
        plural=many("Bearbeiter", "Bearbeiter"),
        title=("name",),
        menu="values",
        right="value",
        order=("number",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Bearbeiter-Nr.")),
        copy="clear",
        aliases=("Nummer",),
        searchable=True,
        listed=True,
        natural_key=True,
    )
    name = described(
        CharField(
            max_length=60,
            verbose_name=_("Name"),
            help_text=_("Kunden, die dieser Mitarbeiter sind, folgen Name und Anschrift."),
        ),
        searchable=True,
        listed=True,
    )
    street = described(CharField(max_length=60, null=True, verbose_name=_("Straße und Hausnummer")))
    postal_code = described(CharField(max_length=10, null=True, verbose_name=_("PLZ")), kind="postal_code", listed=True)
    city = described(CharField(max_length=60, null=True, verbose_name=_("Ort")), searchable=True, listed=True)
    country = described(Reference(Country, null=True, verbose_name=_("Land")))
    user = described(
        Reference(
            User,
            null=True,
            unique=True,
            verbose_name=_("Benutzer"),
            help_text=_("Neue Kunden dieses Benutzers beginnen mit diesem Bearbeiter."),
        ),
        copy="clear",
    )

    class Meta:
        table_name = "employee"

    @classmethod
    def of(cls, operator: Operator) -> int | None:
        """The employee that an operator is; None for who is none."""
        if operator.user_id is None:
            return None
        found: int | None = cls.select(cls.id).where(cls.user == operator.user_id).tuples().scalar()
        return found


class PrintProfile(Record):
    """How prices are shown on documents."""

    description = Description(
        label=_("Druckprofil"), plural=_("Druckprofile"), title=("name",), menu="values", right="value", order=("name",)
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Druckprofil")),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    price_display = described(
        CharField(
            max_length=20,
            choices=[("breakdown", _("Listenpreis, Rabatt, Nettopreis")), ("net_only", _("nur Nettopreis"))],
            null=True,
            default="breakdown",
            verbose_name=_("Preisaufgliederung"),
        ),
        listed=True,
    )

    class Meta:
        table_name = "print_profile"

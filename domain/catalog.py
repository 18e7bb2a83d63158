"""What is sold and where it comes from: suppliers, articles with their prices, catalogues, price lists, warehouses.

Shape: an article has nine designations and one price per price type and quantity; a catalogue lists articles. What
belongs to one customer alone (special prices, own article numbers, carts) stands in `models.py`.
Units: prices are net, in euro with 4 places; quantities have 3 places.
Source: fields.tsv, the neighbouring modules of domain.md section 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from peewee import BooleanField, CharField, DateField, ForeignKeyField

from domain.links import Reference
from domain.rules import ends_before_start, fault, missing, more_than_one
from domain.values.countries import Country, Currency
from domain.values.taxes import RevenueCode, TaxKey, TaxRate
from domain.values.terms import PriceType
from flask_appadmin.database import Record
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _, gettext, many
from flask_appadmin.specs import Description, described


class Supplier(Record):
    """A company we buy from; customers that are suppliers or colleagues follow its name and address."""

    description = Description(
        label=_("Lieferant"),
        plural=_("Lieferanten"),
        title=("number", "name_1"),
        menu="catalog",
        right="catalog",
        order=("number",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Lieferanten-Nr. (Lieferantenstamm)")),
        copy="clear",
        searchable=True,
        listed=True,
        natural_key=True,
    )
    supplier_type = described(
        CharField(
            max_length=20,
            choices=[("supplier", _("Lieferant")), ("colleague", _("Kollege"))],
            default="supplier",
            verbose_name=_("Lieferantentyp"),
        ),
        listed=True,
        required=True,
    )
    name_1 = described(CharField(max_length=60, verbose_name=_("Name")), searchable=True, listed=True)
    street = described(CharField(max_length=60, null=True, verbose_name=_("Straße und Hausnummer")))
    po_box = described(CharField(max_length=40, null=True, verbose_name=_("Postfach")))
    postal_code = described(
        CharField(max_length=10, null=True, verbose_name=_("PLZ")), kind="postal_code", searchable=True, listed=True
    )
    city = described(CharField(max_length=60, null=True, verbose_name=_("Ort")), searchable=True, listed=True)
    country = described(Reference(Country, null=True, verbose_name=_("Land")), listed=True)
    group_taxable = described(BooleanField(default=False, verbose_name=_("Konzern steuerbar")))
    group_non_taxable = described(BooleanField(default=False, verbose_name=_("Konzern nicht steuerbar")))
    free_revenue_account = described(BooleanField(default=False, verbose_name=_("Erlöskonto frei AR")))
    tax_key = described(Reference(TaxKey, null=True, verbose_name=_("Steuerschlüssel AR")))

    class Meta:
        table_name = "supplier"

    rule_fields = ("group_taxable", "group_non_taxable", "free_revenue_account")

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        yield from more_than_one(cls, values, cls.rule_fields)


class Article(Record):
    """Something we sell."""

    description = Description(
        label=_("Artikel"),
        plural=many("Artikel", "Artikel"),
        title=("number", "designation_1"),
        menu="catalog",
        right="catalog",
        order=("number",),
    )

    number = described(
        CharField(max_length=40, unique=True, verbose_name=_("Artikel-Nr.")),
        copy="clear",
        aliases=("Artikel - Nummer",),
        searchable=True,
        listed=True,
        natural_key=True,
    )
    designation_1 = described(
        CharField(max_length=80, verbose_name=_("Artikelbezeichnung 1")),
        aliases=("Artikelbezeichnung",),
        searchable=True,
        listed=True,
    )
    designation_2 = described(
        CharField(max_length=80, null=True, verbose_name=_("Artikelbezeichnung 2")), searchable=True
    )
    designation_3 = described(CharField(max_length=80, null=True, verbose_name=_("Artikelbezeichnung 3")))
    designation_4 = described(CharField(max_length=80, null=True, verbose_name=_("Artikelbezeichnung 4")))
    designation_5 = described(CharField(max_length=80, null=True, verbose_name=_("Artikelbezeichnung 5")))
    designation_6 = described(CharField(max_length=80, null=True, verbose_name=_("Artikelbezeichnung 6")))
    designation_7 = described(CharField(max_length=80, null=True, verbose_name=_("Artikelbezeichnung 7")))
    designation_8 = described(CharField(max_length=80, null=True, verbose_name=_("Artikelbezeichnung 8")))
    designation_9 = described(CharField(max_length=80, null=True, verbose_name=_("Artikelbezeichnung 9")))
    list_price = described(
        DecimalField(14, 4, null=True, verbose_name=_("Listenpreis")),
        unit="€",
        minimum=0,
        aliases=("Verkaufspreis (VK)",),
        listed=True,
    )
    purchase_price = described(
        DecimalField(14, 4, null=True, verbose_name=_("Einkaufspreis (EK)")), unit="€", minimum=0, listed=True
    )
    tax_rate = described(Reference(TaxRate, null=True, verbose_name=_("Steuersatz")), listed=True)
    revenue_code = described(Reference(RevenueCode, null=True, verbose_name=_("Erlöscode")))
    supplier = described(Reference(Supplier, index=True, null=True, verbose_name=_("Lieferant")), listed=True)
    manufacturer_number = described(
        CharField(max_length=40, null=True, verbose_name=_("Hersteller-Nr.")), searchable=True
    )
    follow_up_article = described(Reference("self", index=True, null=True, verbose_name=_("Folgeartikel")))
    is_empties = described(BooleanField(default=False, verbose_name=_("Leergut")))
    free_per_quantity = described(
        DecimalField(
            12, 3, null=True, verbose_name=_("Gratisartikel: je Menge"), help_text=_("10 bei „1 gratis je 10“.")
        ),
        minimum=Decimal("0.001"),
    )
    free_quantity = described(
        DecimalField(
            12, 3, null=True, verbose_name=_("Gratisartikel: Gratismenge"), help_text=_("1 bei „1 gratis je 10“.")
        ),
        minimum=Decimal("0.001"),
    )

    class Meta:
        table_name = "article"

    rule_fields = ("id", "follow_up_article", "free_per_quantity", "free_quantity")

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        if values.get("follow_up_article") is not None and values["follow_up_article"] == values.get("id"):
            yield fault(cls, "follow_up_article", gettext("Ein Artikel kann nicht sein eigener Folgeartikel sein."))
        if values.get("free_per_quantity") is not None and values.get("free_quantity") is None:
            yield missing(cls, "free_quantity", gettext("Zu „Gratisartikel: je Menge“ gehört die Gratismenge."))


class ArticlePrice(Record):
    """The price of an article for a price type, from a quantity on."""

    description = Description(
        label=_("Artikelpreis"),
        plural=_("Artikelpreise"),
        title=("article", "price_type", "min_quantity"),
        menu="",
        right="catalog",
        order=("article", "min_quantity"),
    )

    article = described(
        ForeignKeyField(Article, backref="prices", on_delete="CASCADE", index=False, verbose_name=_("Artikel")),
        owner=True,
        listed=True,
    )
    price_type = described(Reference(PriceType, verbose_name=_("Preis-Kennzeichen")), listed=True)
    min_quantity = described(
        DecimalField(
            12, 3, default=Decimal(1), verbose_name=_("ab Menge"), help_text=_("Zeilen über 1 sind Staffelpreise.")
        ),
        minimum=Decimal("0.001"),
        copy="clear",
        listed=True,
        unique_with=("article", "price_type"),
        required=True,
    )
    price = described(DecimalField(14, 4, verbose_name=_("Preis")), unit="€", minimum=0, listed=True)

    class Meta:
        table_name = "article_price"
        indexes = ((("article", "price_type", "min_quantity"), True),)


class Catalog(Record):
    """A set of articles that is offered to partners, or publicly."""

    description = Description(
        label=_("Katalog"), plural=_("Kataloge"), title=("name",), menu="catalog", right="catalog", order=("name",)
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Katalog")),
        copy="clear",
        searchable=True,
        listed=True,
        natural_key=True,
    )
    public = described(
        BooleanField(
            default=False,
            verbose_name=_("öffentlicher Katalog"),
            help_text=_("Auch Firmen ohne Verbindung dürfen daraus bestellen."),
        ),
        listed=True,
    )
    valid_from = described(DateField(null=True, verbose_name=_("gültig ab")), listed=True)
    valid_until = described(DateField(null=True, verbose_name=_("gültig bis")), listed=True)

    class Meta:
        table_name = "catalog"

    rule_fields = ("valid_from", "valid_until")

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        yield from ends_before_start(cls, values, "valid_from", "valid_until")


class CatalogArticle(Record):
    """An article in a catalogue."""

    description = Description(
        label=_("Katalogartikel"),
        plural=many("Katalogartikel", "Katalogartikel"),
        title=("catalog", "article"),
        menu="",
        right="catalog",
        order=("article",),
    )

    catalog = described(
        ForeignKeyField(Catalog, backref="articles", on_delete="CASCADE", index=False, verbose_name=_("Katalog")),
        owner=True,
        listed=True,
    )
    article = described(
        Reference(Article, index=True, verbose_name=_("Artikel")), copy="clear", listed=True, unique_with=("catalog",)
    )

    class Meta:
        table_name = "catalog_article"
        indexes = ((("catalog", "article"), True),)


class PriceList(Record):
    """A price list that can be assigned to customers."""

    description = Description(
        label=_("Preisliste"),
        plural=_("Preislisten"),
        title=("name",),
        menu="catalog",
        right="catalog",
        order=("name",),
    )

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Preisliste")),
        copy="clear",
        searchable=True,
        listed=True,
        natural_key=True,
    )
    currency = described(
        Reference(Currency, null=True, verbose_name=_("Währung"), help_text=_("Leer bedeutet eigene Währung.")),
        listed=True,
    )

    class Meta:
        table_name = "price_list"


class Warehouse(Record):
    """A warehouse; one with the consignment mark stands at a customer."""

    description = Description(
        label=_("Lager"),
        plural=many("Lager", "Lager"),
        title=("number", "name"),
        menu="catalog",
        right="catalog",
        order=("number",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Lagernummer")),
        copy="clear",
        searchable=True,
        listed=True,
        natural_key=True,
    )
    name = described(CharField(max_length=60, verbose_name=_("Lager")), searchable=True, listed=True)
    consignment = described(
        BooleanField(
            default=False,
            verbose_name=_("Konsignationslager (Eigenschaft)"),
            help_text=_("Nur solche Lager können bei Anschriften gewählt werden."),
        ),
        listed=True,
    )

    class Meta:
        table_name = "warehouse"

"""Invoices of suppliers."""

from __future__ import annotations

from peewee import CharField, DateField, ForeignKeyField

from domain.catalog import Article, Supplier
from domain.dates import today
from domain.links import Reference
from domain.trade.invoices import Invoice
from flask_appadmin.database import Record
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, described


class PurchaseInvoice(Record):
    """An invoice of a supplier."""

    description = Description(
        label=_("Eingangsrechnung"),
        plural=_("Eingangsrechnungen"),
        title=("number",),
        menu="trade",
        right="trade",
        order=("-invoiced_on",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Eingangsrechnung")),
        copy="clear",
        searchable=True,
        listed=True,
        natural_key=True,
    )
    supplier = described(Reference(Supplier, index=True, verbose_name=_("Lieferant")), copy="clear", listed=True)
    invoice = described(
        Reference(Invoice, index=True, null=True, verbose_name=_("Ausgangsrechnung")), copy="clear", listed=True
    )
    invoiced_on = described(
        DateField(default=today, verbose_name=_("Rechnungsdatum")), copy="clear", listed=True, required=True
    )

    class Meta:
        table_name = "purchase_invoice"


class PurchaseInvoiceItem(Record):
    """A line of a supplier invoice."""

    description = Description(
        label=_("Eingangsrechnungsposition"),
        plural=_("Eingangsrechnungspositionen"),
        title=("article", "quantity"),
        menu="",
        right="trade",
        order=("id",),
    )

    purchase_invoice = described(
        ForeignKeyField(PurchaseInvoice, backref="items", on_delete="CASCADE", verbose_name=_("Eingangsrechnung")),
        owner=True,
        copy="clear",
        listed=True,
    )
    article = described(Reference(Article, index=True, verbose_name=_("Artikel")), copy="clear", listed=True)
    quantity = described(DecimalField(12, 3, verbose_name=_("Menge")), copy="clear", listed=True)
    unit_price = described(
        DecimalField(14, 4, null=True, verbose_name=_("Einkaufspreis")), unit="€", copy="clear", listed=True
    )

    class Meta:
        table_name = "purchase_invoice_item"

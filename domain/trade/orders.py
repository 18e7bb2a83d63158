"""Orders of customers, from offer to collective order, with their lines."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from peewee import BooleanField, CharField, DateField, ForeignKeyField, IntegerField, TextField

from domain.catalog import Article, Catalog, Warehouse
from domain.codes import PAYMENT_KINDS, PROGRESS
from domain.connections import Connection
from domain.dates import today
from domain.links import LaterForeignKey, Reference
from domain.rules import missing
from domain.trade.heads import DocumentHead
from domain.trade.pricing import conditions_of, fill, propose_line
from domain.trade.proposals import consignment_warehouse, header_of, propose_charges
from domain.values.company import Employee
from domain.values.countries import Currency, Language
from domain.values.delivery import DeliveryTerm, ShippingMethod
from domain.values.documents import Project
from domain.values.terms import DiscountType, Intermediary, PaymentTerm
from flask_appadmin.database import Record
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _, gettext
from flask_appadmin.specs import Description, described


class SalesOrder(DocumentHead, Record):
    """An order of a customer, from offer to collective order."""

    description = Description(
        label=_("Auftrag"), plural=_("Aufträge"), title=("number",), menu="trade", right="trade", order=("-ordered_on",)
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Auftrag")),
        copy="clear",
        aliases=("Auftragsnummer",),
        searchable=True,
        listed=True,
        natural_key=True,
        required=False,
    )
    customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Kunde")), copy="clear", listed=True
    )
    kind = described(
        CharField(
            max_length=20,
            choices=[
                ("offer", _("Angebot")),
                ("order", _("Auftrag")),
                ("consignment", _("Konsignationsauftrag")),
                ("collective", _("Sammelauftrag")),
            ],
            default="order",
            verbose_name=_("Auftragsart"),
        ),
        copy="clear",
        listed=True,
        required=True,
    )
    source = described(
        CharField(
            max_length=20,
            choices=[
                ("own", _("eigene Erfassung")),
                ("assigned_catalog", _("zugewiesener Katalog")),
                ("public_catalog", _("öffentlicher Katalog")),
            ],
            default="own",
            verbose_name=_("Herkunft"),
        ),
        copy="clear",
        listed=True,
        required=True,
    )
    connection = described(Reference(Connection, index=True, null=True, verbose_name=_("Partner")), copy="clear")
    company_name = described(
        CharField(max_length=60, null=True, verbose_name=_("Firmenname (Besteller)")),
        copy="clear",
        searchable=True,
        listed=True,
    )
    ordered_on = described(
        DateField(index=True, default=today, verbose_name=_("Auftragsdatum")), copy="clear", listed=True, required=True
    )
    status = described(
        CharField(max_length=20, choices=PROGRESS, index=True, default="open", verbose_name=_("Status")),
        copy="clear",
        listed=True,
        required=True,
    )
    delivery_address = described(
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Lieferadresse")),
        within="customer",
        copy="clear",
    )
    delivery_customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Lieferempfänger (Kunde)")), copy="clear"
    )
    invoice_address = described(
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Rechnungsadresse")),
        within="customer",
        copy="clear",
    )
    invoice_customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Rechnungsempfänger (Kunde)")), copy="clear"
    )
    order_confirmation_address = described(
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Auftragsbestätigung (Anschrift)")),
        within="customer",
        copy="clear",
    )
    address_text = described(TextField(null=True, verbose_name=_("Anschrift (gedruckt)")), copy="clear", read_only=True)
    parent_customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Haupt-Kunden-Nr.")), copy="clear"
    )
    association = described(LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Verband")), copy="clear")
    attention_to = described(CharField(max_length=60, null=True, verbose_name=_("zu Hd.")), copy="clear")
    contact = described(
        LaterForeignKey("Contact", index=True, null=True, verbose_name=_("Ansprechpartner")),
        within="customer",
        copy="clear",
    )
    final_discount_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Rabatt (Dokumentenkopf)")), unit="%", copy="clear"
    )
    document_discount_1 = described(Reference(DiscountType, null=True, verbose_name=_("Belegrabatt 1")), copy="clear")
    document_discount_2 = described(Reference(DiscountType, null=True, verbose_name=_("Belegrabatt 2")), copy="clear")
    gross_prices = described(BooleanField(default=False, verbose_name=_("Bruttopreise")), copy="clear")
    clerk = described(Reference(Employee, null=True, verbose_name=_("Sachbearbeiter")), copy="clear", listed=True)
    sales_representative = described(Reference(Employee, null=True, verbose_name=_("Vertreter")), copy="clear")
    intermediary = described(Reference(Intermediary, null=True, verbose_name=_("Vermittler")), copy="clear")
    shipping_method = described(Reference(ShippingMethod, null=True, verbose_name=_("Versandart")), copy="clear")
    delivery_term = described(Reference(DeliveryTerm, null=True, verbose_name=_("Lieferkondition")), copy="clear")
    payment_term = described(Reference(PaymentTerm, null=True, verbose_name=_("Zahlungsbedingung")), copy="clear")
    payment_kind = described(
        CharField(max_length=20, choices=PAYMENT_KINDS, null=True, verbose_name=_("Zahlart")), copy="clear"
    )
    customer_order_number = described(
        CharField(max_length=40, null=True, verbose_name=_("Kunden-Bestell-Nr.")), copy="clear", searchable=True
    )
    project = described(Reference(Project, null=True, verbose_name=_("Projekt")), copy="clear")
    follow_up_on = described(DateField(null=True, verbose_name=_("Wiedervorlage")), copy="clear", listed=True)
    shipping_cost = described(
        DecimalField(12, 2, null=True, default=Decimal(0), verbose_name=_("Versandkosten")), copy="clear"
    )
    toll_charge = described(DecimalField(12, 2, null=True, verbose_name=_("Mautgebühr")), copy="clear")
    environment_charge = described(DecimalField(12, 2, null=True, verbose_name=_("Umweltpauschale")), copy="clear")
    svs_rvs = described(DecimalField(12, 2, null=True, verbose_name=_("SVS/RVS")), copy="clear")
    language = described(Reference(Language, null=True, verbose_name=_("Fremdsprachenkürzel")), copy="clear")
    currency = described(Reference(Currency, null=True, verbose_name=_("Fremdwährungskürzel")), copy="clear")
    invoice_discount_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Rechnungsrabatt in Prozent")), unit="%", copy="clear"
    )
    position_discount_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Positionsrabatt in Prozent")), unit="%", copy="clear"
    )
    position_surcharge_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("(Positions) Zuschlag in Prozent")), unit="%", copy="clear"
    )
    cash_discount_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Skontosatz in Prozent")), unit="%", copy="clear"
    )
    value_days = described(IntegerField(null=True, verbose_name=_("Valuta in Tagen")), unit=_("Tage"), copy="clear")
    catalog = described(
        Reference(Catalog, index=True, null=True, verbose_name=_("Katalog (Bestellung)")),
        copy="clear",
        aliases=("öffentlicher Katalog",),
    )
    transmitted_customer_number = described(
        CharField(max_length=30, null=True, verbose_name=_("übermittelte Kundennummer")), copy="clear"
    )

    class Meta:
        table_name = "sales_order"

    number_prefix = "A"
    offered_here = ("contact", "delivery_address", "invoice_address", "order_confirmation_address")
    rule_fields = ("customer", "source", "company_name", "catalog", *offered_here)
    follow_fields = ("customer", "order_confirmation_address", "attention_to")

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        super().propose_many(rows, operation)
        propose_charges(rows, cls, operation)

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        if values.get("customer") is None:
            if values.get("source") != "public_catalog":
                yield missing(
                    cls, "customer", gettext("Nur Bestellungen aus öffentlichen Katalogen kommen ohne Kunden aus.")
                )
            elif values.get("company_name") is None:
                yield missing(cls, "company_name", gettext("Ohne Kunden ist der Firmenname des Bestellers nötig."))
        if values.get("source") not in (None, "own") and values.get("catalog") is None:
            yield missing(cls, "catalog", gettext("Bestellungen aus einem Katalog nennen ihn."))
        yield from super().validate(values, operation)


class SalesOrderItem(Record):
    """A line of an order."""

    description = Description(
        label=_("Auftragsposition"),
        plural=_("Auftragspositionen"),
        title=("article", "quantity"),
        menu="",
        right="trade",
        order=("id",),
    )

    sales_order = described(
        ForeignKeyField(SalesOrder, backref="items", on_delete="CASCADE", verbose_name=_("Auftrag")),
        owner=True,
        copy="clear",
        listed=True,
    )
    article = described(Reference(Article, index=True, verbose_name=_("Artikel")), copy="clear", listed=True)
    designation = described(TextField(null=True, verbose_name=_("Bezeichnung")), copy="clear")
    quantity = described(DecimalField(12, 3, verbose_name=_("Menge")), copy="clear", listed=True)
    unit_price = described(DecimalField(14, 4, verbose_name=_("Einzelpreis")), copy="clear", listed=True)
    discount_percent = described(
        DecimalField(5, 2, null=True, default=Decimal(0), verbose_name=_("Rabatt in Prozent")),
        unit="%",
        minimum=0,
        maximum=100,
        copy="clear",
        listed=True,
    )
    is_free = described(BooleanField(default=False, verbose_name=_("Gratisartikel")), copy="clear", listed=True)
    tax_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Steuersatz")),
        unit="%",
        minimum=0,
        maximum=100,
        copy="clear",
        listed=True,
    )
    warehouse = described(
        Reference(Warehouse, index=True, null=True, verbose_name=_("Lager")), copy="clear", listed=True
    )

    class Meta:
        table_name = "sales_order_item"

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        for row in rows:
            header = header_of(SalesOrder, row.get("sales_order"))
            if header is not None and header["customer"] is not None:
                customers = SalesOrder.customer.rel_model
                propose_line(customers, row, conditions_of(customers, header))
                fill(row, "warehouse", consignment_warehouse(customers, header))

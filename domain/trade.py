"""Documents between us and a customer or supplier: orders, delivery notes, invoices, credit notes, dunning, repairs.

Shape: documents have lines (`…Item`); a delivery note line knows its order line, an invoice line its delivery note
line. The columns copied from the customer (attention, discounts, addresses) are proposals of the day it was
made. References to customer, address and contact are resolved when `models.py` is read.
Units: unit prices have 4 places, totals 2, in the currency of the document. Source: domain.md section 1, neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from peewee import BooleanField, CharField, DateField, DateTimeField, ForeignKeyField, IntegerField, TextField

from domain.catalog import Article, Catalog, Supplier, Warehouse
from domain.codes import DUNNING_DELIVERIES, PAYMENT_KINDS, PROGRESS, TRANSPORTS
from domain.connections import Connection
from domain.dates import today
from domain.links import LaterForeignKey, Reference
from domain.rules import missing
from domain.till import TillReceipt
from domain.values import (
    Branch,
    Currency,
    DeliveryTerm,
    DiscountType,
    DocumentType,
    Employee,
    Intermediary,
    Language,
    PaymentTerm,
    Project,
    RevenueCode,
    ShippingMethod,
)
from flask_appadmin.database import Record, utcnow
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes import DecimalField
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import User
from flask_appadmin.specs import Description, described


class SalesOrder(Record):
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
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Lieferadresse")), copy="clear"
    )
    delivery_customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Lieferempfänger (Kunde)")), copy="clear"
    )
    invoice_address = described(
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Rechnungsadresse")), copy="clear"
    )
    invoice_customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Rechnungsempfänger (Kunde)")), copy="clear"
    )
    order_confirmation_address = described(
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Auftragsbestätigung (Anschrift)")),
        copy="clear",
    )
    address_text = described(TextField(null=True, verbose_name=_("Anschrift (gedruckt)")), copy="clear", read_only=True)
    parent_customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Haupt-Kunden-Nr.")), copy="clear"
    )
    association = described(LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Verband")), copy="clear")
    attention_to = described(CharField(max_length=60, null=True, verbose_name=_("zu Hd.")), copy="clear")
    contact = described(
        LaterForeignKey("Contact", index=True, null=True, verbose_name=_("Ansprechpartner")), copy="clear"
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

    rule_fields = ("customer", "source", "company_name", "catalog")

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


class DeliveryNote(Record):
    """What was delivered to a customer; open until every line is invoiced or it is marked done."""

    description = Description(
        label=_("Lieferschein"),
        plural=_("Lieferscheine"),
        title=("number",),
        menu="trade",
        right="trade",
        order=("-delivered_on",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Lieferschein")),
        copy="clear",
        aliases=("Lieferscheinnummer",),
        searchable=True,
        listed=True,
        natural_key=True,
    )
    customer = described(LaterForeignKey("Customer", index=True, verbose_name=_("Kunde")), copy="clear", listed=True)
    kind = described(
        CharField(
            max_length=20,
            choices=[("normal", _("Lieferschein")), ("consignment", _("Konsignationslieferschein"))],
            default="normal",
            verbose_name=_("Lieferscheinart"),
        ),
        copy="clear",
        listed=True,
        required=True,
    )
    delivered_on = described(
        DateField(default=today, verbose_name=_("Lieferscheindatum")), copy="clear", listed=True, required=True
    )
    status = described(
        CharField(max_length=20, choices=PROGRESS, index=True, default="open", verbose_name=_("Status")),
        copy="clear",
        listed=True,
        required=True,
    )
    delivery_address = described(
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Lieferadresse")), copy="clear", listed=True
    )
    address_text = described(TextField(null=True, verbose_name=_("Anschrift (gedruckt)")), copy="clear", read_only=True)
    attention_to = described(CharField(max_length=60, null=True, verbose_name=_("zu Hd.")), copy="clear")
    contact = described(
        LaterForeignKey("Contact", index=True, null=True, verbose_name=_("Ansprechpartner")), copy="clear"
    )
    package_count = described(
        IntegerField(null=True, default=1, verbose_name=_("Anzahl Packstücke")), minimum=1, copy="clear"
    )
    customer_credit_note_number = described(
        CharField(
            max_length=30,
            null=True,
            verbose_name=_("Gutschrift-Nr. des Kunden"),
            help_text=_("Schließt den Lieferschein ab; nur bei Abrechnung im Gutschriftsverfahren."),
        ),
        copy="clear",
    )
    association = described(LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Verband")), copy="clear")
    payment_term = described(Reference(PaymentTerm, null=True, verbose_name=_("Barkondition")), copy="clear")

    class Meta:
        table_name = "delivery_note"


class DeliveryNoteItem(Record):
    """A line of a delivery note; it knows the order line it serves."""

    description = Description(
        label=_("Lieferscheinposition"),
        plural=_("Lieferscheinpositionen"),
        title=("article", "quantity"),
        menu="",
        right="trade",
        order=("id",),
    )

    delivery_note = described(
        ForeignKeyField(DeliveryNote, backref="items", on_delete="CASCADE", verbose_name=_("Lieferschein")),
        owner=True,
        copy="clear",
        listed=True,
    )
    sales_order_item = described(
        Reference(SalesOrderItem, index=True, null=True, verbose_name=_("Auftragsposition")), copy="clear", listed=True
    )
    article = described(Reference(Article, index=True, verbose_name=_("Artikel")), copy="clear", listed=True)
    designation = described(TextField(null=True, verbose_name=_("Bezeichnung")), copy="clear")
    quantity = described(DecimalField(12, 3, verbose_name=_("Menge")), copy="clear", listed=True)
    warehouse = described(
        Reference(Warehouse, index=True, null=True, verbose_name=_("Lager")), copy="clear", listed=True
    )
    serial_numbers = described(
        TextField(null=True, verbose_name=_("Seriennummern"), help_text=_("Eine je Zeile.")), copy="clear"
    )

    class Meta:
        table_name = "delivery_note_item"


class InvoiceRun(Record):
    """A run that turned open delivery notes into collective invoices."""

    description = Description(
        label=_("Rechnungslauf"),
        plural=_("Rechnungsläufe"),
        title=("run_at",),
        menu="trade",
        right="trade",
        order=("-run_at",),
    )

    run_at = described(
        DateTimeField(default=utcnow, verbose_name=_("Zeitpunkt")), copy="clear", listed=True, required=True
    )
    up_to = described(
        DateField(default=today, verbose_name=_("Lieferscheine bis")), copy="clear", listed=True, required=True
    )
    customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Kunde"), help_text=_("Leer: alle Kunden.")),
        copy="clear",
        listed=True,
    )
    user = described(Reference(User, verbose_name=_("Benutzer")), copy="clear", listed=True)
    storage_name = described(
        CharField(max_length=255, null=True, verbose_name=_("Druckdatei")), copy="clear", read_only=True
    )

    class Meta:
        table_name = "invoice_run"


class Invoice(Record):
    """An invoice, open until it is paid or settled."""

    description = Description(
        label=_("Rechnung"),
        plural=_("Rechnungen"),
        title=("number",),
        menu="trade",
        right="trade",
        order=("-invoiced_on",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Rechnung")),
        copy="clear",
        aliases=("Rechnungsnummer",),
        searchable=True,
        listed=True,
        natural_key=True,
    )
    customer = described(LaterForeignKey("Customer", index=True, verbose_name=_("Kunde")), copy="clear", listed=True)
    kind = described(
        CharField(
            max_length=20,
            choices=[("invoice", _("Rechnung")), ("partial", _("Teilrechnung")), ("collective", _("Sammelrechnung"))],
            default="invoice",
            verbose_name=_("Rechnungsart"),
        ),
        copy="clear",
        listed=True,
        required=True,
    )
    parent_customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Haupt-Kunden-Nr.")), copy="clear"
    )
    attention_to = described(CharField(max_length=60, null=True, verbose_name=_("zu Hd.")), copy="clear")
    contact = described(
        LaterForeignKey("Contact", index=True, null=True, verbose_name=_("Ansprechpartner")), copy="clear"
    )
    invoice_customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Rechnungsempfänger (Kunde)")), copy="clear"
    )
    invoice_address = described(
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Rechnungsadresse")), copy="clear"
    )
    delivery_address = described(
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Lieferadresse")), copy="clear"
    )
    address_text = described(TextField(null=True, verbose_name=_("Anschrift (gedruckt)")), copy="clear", read_only=True)
    branch = described(Reference(Branch, null=True, verbose_name=_("Filiale")), copy="clear")
    till_receipt = described(Reference(TillReceipt, null=True, unique=True, verbose_name=_("Bon")), copy="clear")
    invoice_run = described(Reference(InvoiceRun, index=True, null=True, verbose_name=_("Rechnungslauf")), copy="clear")
    invoiced_on = described(
        DateField(index=True, default=today, verbose_name=_("Rechnungsdatum")), copy="clear", listed=True, required=True
    )
    due_on = described(DateField(index=True, null=True, verbose_name=_("fällig am")), copy="clear", listed=True)
    payment_term = described(Reference(PaymentTerm, null=True, verbose_name=_("Zahlungsbedingung")), copy="clear")
    payment_kind = described(
        CharField(max_length=20, choices=PAYMENT_KINDS, null=True, verbose_name=_("Zahlart")), copy="clear"
    )
    value_days = described(IntegerField(null=True, verbose_name=_("Valuta in Tagen")), unit=_("Tage"), copy="clear")
    cash_discount_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Skontosatz in Prozent")), unit="%", copy="clear"
    )
    final_discount_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Rabatt (Dokumentenkopf)")), unit="%", copy="clear"
    )
    document_discount_1 = described(Reference(DiscountType, null=True, verbose_name=_("Belegrabatt 1")), copy="clear")
    document_discount_2 = described(Reference(DiscountType, null=True, verbose_name=_("Belegrabatt 2")), copy="clear")
    gross_prices = described(BooleanField(default=False, verbose_name=_("Bruttopreise")), copy="clear")
    currency = described(Reference(Currency, null=True, verbose_name=_("Währung")), copy="clear")
    language = described(Reference(Language, null=True, verbose_name=_("Sprache")), copy="clear")
    net_amount = described(DecimalField(14, 2, verbose_name=_("Nettobetrag")), copy="clear")
    tax_amount = described(
        DecimalField(14, 2, default=Decimal(0), verbose_name=_("Steuerbetrag")), copy="clear", required=True
    )
    total_amount = described(DecimalField(14, 2, verbose_name=_("Rechnungsbetrag")), copy="clear", listed=True)
    paid_amount = described(
        DecimalField(14, 2, default=Decimal(0), verbose_name=_("bezahlt")), copy="clear", read_only=True, listed=True
    )
    settled = described(BooleanField(default=False, verbose_name=_("erledigt")), copy="clear", listed=True)
    storage_name = described(
        CharField(max_length=255, null=True, verbose_name=_("Dokument")), copy="clear", read_only=True
    )
    association = described(LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Verband")), copy="clear")
    transferred_on = described(
        DateField(null=True, verbose_name=_("Überleitung FIBU")), copy="clear", read_only=True, listed=True
    )
    edifact_exported_at = described(
        DateTimeField(null=True, verbose_name=_("EDIFACT exportiert am")), copy="clear", read_only=True
    )

    class Meta:
        table_name = "invoice"


class InvoiceItem(Record):
    """A line of an invoice; it knows the delivery note line it bills."""

    description = Description(
        label=_("Rechnungsposition"),
        plural=_("Rechnungspositionen"),
        title=("article", "quantity"),
        menu="",
        right="trade",
        order=("id",),
    )

    invoice = described(
        ForeignKeyField(Invoice, backref="items", on_delete="CASCADE", verbose_name=_("Rechnung")),
        owner=True,
        copy="clear",
        listed=True,
    )
    delivery_note_item = described(
        Reference(DeliveryNoteItem, null=True, unique=True, verbose_name=_("Lieferscheinposition")),
        copy="clear",
        listed=True,
    )
    sales_order_item = described(
        Reference(SalesOrderItem, index=True, null=True, verbose_name=_("Auftragsposition")), copy="clear", listed=True
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
    tax_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Steuersatz")),
        unit="%",
        minimum=0,
        maximum=100,
        copy="clear",
        listed=True,
    )
    revenue_code = described(Reference(RevenueCode, null=True, verbose_name=_("Erlöscode")), copy="clear")

    class Meta:
        table_name = "invoice_item"


class Payment(Record):
    """A payment on an invoice."""

    description = Description(
        label=_("Zahlung"),
        plural=_("Zahlungen"),
        title=("paid_on", "amount"),
        menu="",
        right="trade",
        order=("paid_on",),
    )

    invoice = described(
        ForeignKeyField(Invoice, backref="payments", on_delete="CASCADE", verbose_name=_("Rechnung")),
        owner=True,
        copy="clear",
        listed=True,
    )
    paid_on = described(
        DateField(default=today, verbose_name=_("Zahlungsdatum")), copy="clear", listed=True, required=True
    )
    amount = described(DecimalField(14, 2, verbose_name=_("Betrag")), unit="€", copy="clear", listed=True)

    class Meta:
        table_name = "payment"


class CreditNote(Record):
    """A credit note, mostly for an invoice."""

    description = Description(
        label=_("Gutschrift"),
        plural=_("Gutschriften"),
        title=("number",),
        menu="trade",
        right="trade",
        order=("-credited_on",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Gutschrift")),
        copy="clear",
        aliases=("Gutschriftsnummer",),
        searchable=True,
        listed=True,
        natural_key=True,
    )
    customer = described(LaterForeignKey("Customer", index=True, verbose_name=_("Kunde")), copy="clear", listed=True)
    invoice = described(
        Reference(Invoice, index=True, null=True, verbose_name=_("Rechnung")), copy="clear", listed=True
    )
    credited_on = described(
        DateField(default=today, verbose_name=_("Gutschriftsdatum")), copy="clear", listed=True, required=True
    )
    address_text = described(TextField(null=True, verbose_name=_("Anschrift (gedruckt)")), copy="clear", read_only=True)
    total_amount = described(DecimalField(14, 2, verbose_name=_("Gutschriftsbetrag")), copy="clear", listed=True)
    storage_name = described(
        CharField(max_length=255, null=True, verbose_name=_("Dokument")), copy="clear", read_only=True
    )

    class Meta:
        table_name = "credit_note"


class CreditNoteItem(Record):
    """A line of a credit note."""

    description = Description(
        label=_("Gutschriftsposition"),
        plural=_("Gutschriftspositionen"),
        title=("article", "quantity"),
        menu="",
        right="trade",
        order=("id",),
    )

    credit_note = described(
        ForeignKeyField(CreditNote, backref="items", on_delete="CASCADE", verbose_name=_("Gutschrift")),
        owner=True,
        copy="clear",
        listed=True,
    )
    invoice_item = described(
        Reference(InvoiceItem, index=True, null=True, verbose_name=_("Rechnungsposition")), copy="clear", listed=True
    )
    article = described(Reference(Article, index=True, verbose_name=_("Artikel")), copy="clear", listed=True)
    quantity = described(DecimalField(12, 3, verbose_name=_("Menge")), copy="clear", listed=True)
    amount = described(DecimalField(14, 2, verbose_name=_("Betrag")), copy="clear", listed=True)

    class Meta:
        table_name = "credit_note_item"


class DunningRun(Record):
    """A run that looked for overdue invoices."""

    description = Description(
        label=_("Mahnlauf"), plural=_("Mahnläufe"), title=("run_on",), menu="trade", right="trade", order=("-run_on",)
    )

    run_on = described(DateField(default=today, verbose_name=_("Datum")), copy="clear", listed=True, required=True)
    user = described(Reference(User, verbose_name=_("Benutzer")), copy="clear", listed=True)

    class Meta:
        table_name = "dunning_run"


class Reminder(Record):
    """What a dunning run decided about an overdue invoice."""

    description = Description(
        label=_("Mahnung"), plural=_("Mahnungen"), title=("customer", "invoice"), menu="", right="trade", order=("id",)
    )

    dunning_run = described(
        ForeignKeyField(DunningRun, backref="reminders", on_delete="CASCADE", verbose_name=_("Mahnlauf")),
        owner=True,
        copy="clear",
        listed=True,
    )
    customer = described(LaterForeignKey("Customer", index=True, verbose_name=_("Kunde")), copy="clear", listed=True)
    invoice = described(Reference(Invoice, index=True, verbose_name=_("Rechnung")), copy="clear", listed=True)
    kind = described(
        CharField(
            max_length=20,
            choices=[("reminder", _("Mahnung")), ("statement", _("Kontoauszug")), ("skipped", _("ausgelassen"))],
            default="reminder",
            verbose_name=_("Ergebnis"),
        ),
        copy="clear",
        listed=True,
        required=True,
    )
    delivery = described(
        CharField(max_length=20, choices=DUNNING_DELIVERIES, null=True, default="0", verbose_name=_("Zustellung")),
        copy="clear",
        listed=True,
    )
    recipient = described(CharField(max_length=254, null=True, verbose_name=_("Empfänger")), copy="clear", listed=True)

    class Meta:
        table_name = "reminder"


class GoodsRequest(Record):
    """Goods that were requested for a customer."""

    description = Description(
        label=_("Warenanforderung"),
        plural=_("Warenanforderungen"),
        title=("number",),
        menu="trade",
        right="trade",
        order=("-number",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Warenanforderung")),
        copy="clear",
        searchable=True,
        listed=True,
        natural_key=True,
    )
    customer = described(LaterForeignKey("Customer", index=True, verbose_name=_("Kunde")), copy="clear", listed=True)
    status = described(
        CharField(max_length=20, choices=PROGRESS, default="open", verbose_name=_("Status")),
        copy="clear",
        listed=True,
        required=True,
    )

    class Meta:
        table_name = "goods_request"


class CustomerReturn(Record):
    """Goods that a customer brought back."""

    description = Description(
        label=_("Retoure"),
        plural=_("Retouren"),
        title=("number",),
        menu="trade",
        right="trade",
        order=("-returned_on",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Retoure")),
        copy="clear",
        searchable=True,
        listed=True,
        natural_key=True,
    )
    customer = described(LaterForeignKey("Customer", index=True, verbose_name=_("Kunde")), copy="clear", listed=True)
    returned_on = described(DateField(default=today, verbose_name=_("Datum")), copy="clear", listed=True, required=True)

    class Meta:
        table_name = "customer_return"


class CustomerReturnItem(Record):
    """A line of a return."""

    description = Description(
        label=_("Retourenposition"),
        plural=_("Retourenpositionen"),
        title=("article", "quantity"),
        menu="",
        right="trade",
        order=("id",),
    )

    customer_return = described(
        ForeignKeyField(CustomerReturn, backref="items", on_delete="CASCADE", verbose_name=_("Retoure")),
        owner=True,
        copy="clear",
        listed=True,
    )
    article = described(Reference(Article, index=True, verbose_name=_("Artikel")), copy="clear", listed=True)
    quantity = described(
        DecimalField(12, 3, verbose_name=_("Menge")), minimum=Decimal("0.001"), copy="clear", listed=True
    )
    value = described(DecimalField(14, 2, verbose_name=_("Wert (€)")), unit="€", copy="clear", listed=True)

    class Meta:
        table_name = "customer_return_item"


class RepairOrder(Record):
    """An order to the workshop."""

    description = Description(
        label=_("Reparaturauftrag"),
        plural=_("Reparaturaufträge"),
        title=("number",),
        menu="trade",
        right="trade",
        order=("-ordered_on",),
    )

    number = described(
        CharField(max_length=20, unique=True, verbose_name=_("Reparaturauftrag")),
        copy="clear",
        aliases=("Werkstattauftrag",),
        searchable=True,
        listed=True,
        natural_key=True,
    )
    customer = described(LaterForeignKey("Customer", index=True, verbose_name=_("Kunde")), copy="clear", listed=True)
    ordered_on = described(
        DateField(default=today, verbose_name=_("Auftragsdatum")), copy="clear", listed=True, required=True
    )
    status = described(
        CharField(max_length=20, choices=PROGRESS, default="open", verbose_name=_("Status")),
        copy="clear",
        listed=True,
        required=True,
    )
    service_address = described(
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Serviceanschrift")), copy="clear", listed=True
    )
    total_amount = described(
        DecimalField(14, 2, null=True, default=Decimal(0), verbose_name=_("Auftragswert")),
        unit="€",
        copy="clear",
        listed=True,
    )

    class Meta:
        table_name = "repair_order"


class RepairOrderItem(Record):
    """A line of a repair order, with what was agreed for the article."""

    description = Description(
        label=_("Reparaturposition"),
        plural=_("Reparaturpositionen"),
        title=("article",),
        menu="",
        right="trade",
        order=("id",),
    )

    repair_order = described(
        ForeignKeyField(RepairOrder, backref="items", on_delete="CASCADE", verbose_name=_("Reparaturauftrag")),
        owner=True,
        copy="clear",
        listed=True,
    )
    article = described(Reference(Article, index=True, verbose_name=_("Artikel")), copy="clear", listed=True)
    maintenance_kind = described(
        CharField(max_length=60, null=True, verbose_name=_("Art der Wartungsvereinbarung")), copy="clear", listed=True
    )
    priority_handling = described(
        CharField(max_length=60, null=True, verbose_name=_("Prioritätsbehandlung")), copy="clear", listed=True
    )
    scrapping_procedure = described(
        CharField(max_length=120, null=True, verbose_name=_("Vorgangsweise beim Verwurf")), copy="clear", listed=True
    )

    class Meta:
        table_name = "repair_order_item"


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


class StockMovement(Record):
    """A booking on the warehouse that stands at a customer."""

    description = Description(
        label=_("Lagerbuchung"),
        plural=_("Lagerbuchungen"),
        title=("warehouse", "article", "quantity"),
        menu="trade",
        right="trade",
        order=("-moved_on",),
    )

    warehouse = described(Reference(Warehouse, index=True, verbose_name=_("Kundenlager")), copy="clear", listed=True)
    customer = described(LaterForeignKey("Customer", index=True, verbose_name=_("Kunde")), copy="clear", listed=True)
    article = described(Reference(Article, index=True, verbose_name=_("Artikel")), copy="clear", listed=True)
    moved_on = described(
        DateField(default=today, verbose_name=_("Buchungsdatum")), copy="clear", listed=True, required=True
    )
    quantity = described(DecimalField(12, 3, verbose_name=_("Menge")), copy="clear", listed=True)

    class Meta:
        table_name = "stock_movement"


class Outbox(Record):
    """A document that was or will be sent; the one place instead of a mail server."""

    description = Description(
        label=_("Postausgang"),
        plural=_("Postausgang"),
        title=("recipient", "subject"),
        menu="trade",
        right="trade",
        order=("-id",),
    )

    customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Kunde")), copy="clear", listed=True
    )
    document_type = described(
        Reference(DocumentType, null=True, verbose_name=_("Dokumentenart")), copy="clear", listed=True
    )
    document_number = described(
        CharField(max_length=30, null=True, verbose_name=_("Belegnummer")), copy="clear", listed=True
    )
    transport = described(
        CharField(max_length=20, choices=TRANSPORTS, verbose_name=_("Transportweg")), copy="clear", listed=True
    )
    recipient = described(
        CharField(max_length=255, verbose_name=_("Empfänger")),
        copy="clear",
        aliases=("Dateiname",),
        searchable=True,
        listed=True,
    )
    subject = described(
        CharField(max_length=255, null=True, verbose_name=_("Betreff")), copy="clear", searchable=True, listed=True
    )
    text = described(TextField(null=True, verbose_name=_("Text")), copy="clear")
    storage_name = described(CharField(max_length=255, null=True, verbose_name=_("Anhang")), copy="clear")
    is_copy = described(BooleanField(default=False, verbose_name=_("Kopie")), copy="clear")
    status = described(
        CharField(
            max_length=20,
            choices=[("queued", _("wartet")), ("sent", _("gesendet")), ("failed", _("Fehler"))],
            index=True,
            default="queued",
            verbose_name=_("Status"),
        ),
        copy="clear",
        listed=True,
        required=True,
    )
    sent_at = described(
        DateTimeField(null=True, verbose_name=_("gesendet am")), copy="clear", read_only=True, listed=True
    )

    class Meta:
        table_name = "outbox"

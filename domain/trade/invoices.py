"""Invoices with lines and payments, the run that makes collective ones, and credit notes."""

from __future__ import annotations

from decimal import Decimal

from peewee import BooleanField, CharField, DateField, DateTimeField, ForeignKeyField, IntegerField, TextField

from domain.catalog import Article
from domain.codes import PAYMENT_KINDS
from domain.dates import today
from domain.links import LaterForeignKey, Reference
from domain.till import TillReceipt
from domain.trade.deliveries import DeliveryNoteItem
from domain.trade.orders import SalesOrderItem
from domain.values import Branch, Currency, DiscountType, Language, PaymentTerm, RevenueCode
from flask_appadmin.database import Record, utcnow
from flask_appadmin.fieldtypes import DecimalField
from flask_appadmin.i18n import _
from flask_appadmin.rights import User
from flask_appadmin.specs import Description, described


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

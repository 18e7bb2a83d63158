"""Invoices with lines and payments, the run that makes collective ones, and credit notes."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from peewee import BooleanField, CharField, DateField, DateTimeField, ForeignKeyField, IntegerField, TextField

from domain.catalog import Article
from domain.codes import PAYMENT_KINDS
from domain.dates import today
from domain.links import LaterForeignKey, Reference
from domain.till import TillReceipt
from domain.trade.deliveries import DeliveryNoteItem
from domain.trade.heads import ActingRun, DocumentHead
from domain.trade.making import collective_invoices, counted_revenue, credited_lines, summed, summed_invoices
from domain.trade.orders import SalesOrderItem
from domain.trade.pricing import conditions_of, fill, propose_line
from domain.trade.proposals import header_of
from domain.values.company import Branch
from domain.values.countries import Currency, Language
from domain.values.taxes import RevenueCode
from domain.values.terms import DiscountType, PaymentTerm
from flask_appadmin.changes import Written
from flask_appadmin.database import Record, utcnow
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _
from flask_appadmin.rights import User
from flask_appadmin.specs import Description, described


class InvoiceRun(ActingRun, Record):
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

    follow_fields = ("up_to",)

    @classmethod
    def act(cls, run: Written, operation: Any) -> Iterable[Any]:
        """The collective invoices of all open delivery notes up to its day."""
        return collective_invoices(run, Invoice, InvoiceItem)


class Invoice(DocumentHead, Record):
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
        required=False,
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
        LaterForeignKey("Contact", index=True, null=True, verbose_name=_("Ansprechpartner")),
        within="customer",
        copy="clear",
    )
    invoice_customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Rechnungsempfänger (Kunde)")), copy="clear"
    )
    invoice_address = described(
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Rechnungsadresse")),
        within="customer",
        copy="clear",
    )
    delivery_address = described(
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Lieferadresse")),
        within="customer",
        copy="clear",
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

    number_prefix = "R"
    offered_here = ("contact", "invoice_address", "delivery_address")
    rule_fields = ("customer", *offered_here)
    follow_fields = (
        "customer", "invoice_customer", "invoice_address", "attention_to", "number", "association", "invoiced_on",
        "net_amount", "currency", "document_discount_1", "document_discount_2", "final_discount_percent",
        "gross_prices",
    )  # fmt: skip

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        super().propose_many(rows, operation)
        for row in rows:
            # Its lines make the sums; nobody has to type them beforehand.
            row.setdefault("net_amount", Decimal(0))
            row.setdefault("total_amount", Decimal(0))

    @classmethod
    def prepare_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        super().prepare_many(rows, operation)
        for row in rows:
            if row.get("due_on") is None and isinstance(row.get("invoiced_on"), datetime.date):
                row["due_on"] = _due_on(row)

    @classmethod
    def follow(cls, written: Sequence[Written], operation: Any) -> Iterable[Any]:
        """The printed address, the sums after another discount, and what statistics count (PX-104)."""
        yield from super().follow(written, operation)
        yield from summed(cls, InvoiceItem, [record for record in written if record.old is not None])
        yield from counted_revenue(cls, written)


def _due_on(row: dict[str, Any]) -> datetime.date:
    query = PaymentTerm.select(PaymentTerm.net_days).where(PaymentTerm.id == row.get("payment_term"))
    days = (query.tuples().scalar() or 0) if row.get("payment_term") is not None else 0
    start: datetime.date = row["invoiced_on"]
    return start + datetime.timedelta(days=days + (row.get("value_days") or 0))


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

    follow_fields = ("quantity", "unit_price", "discount_percent", "tax_percent")

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        codes = dict(Article.select(Article.id, Article.revenue_code).tuples()) if rows else {}
        for row in rows:
            fill(row, "revenue_code", codes.get(row.get("article")))
            header = header_of(Invoice, row.get("invoice"))
            if header is not None:
                customers = Invoice.customer.rel_model
                propose_line(customers, row, conditions_of(customers, header))

    @classmethod
    def follow(cls, written: Sequence[Written], operation: Any) -> Iterable[Any]:
        """The sums of the invoices these lines belong to."""
        query = cls.select(cls.invoice).where(cls.id.in_([record.key for record in written])).distinct()
        return summed_invoices(Invoice, cls, [row[0] for row in query.tuples()])


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


class CreditNote(DocumentHead, Record):
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
        required=False,
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

    number_prefix = "G"
    offered_here = ()
    follow_fields = ("customer", "invoice")

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        """An invoice that is credited gives its customer and its whole amount."""
        for row in rows:
            invoice = Invoice.get_or_none(Invoice.id == row.get("invoice"))
            if invoice is not None:
                row.setdefault("customer", invoice.customer_id)
                row.setdefault("total_amount", invoice.total_amount)

    @classmethod
    def prepare_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        """Number and printed address: that of the credited invoice, else where invoices of the customer go."""
        super().prepare_many(rows, operation)
        for row in rows:
            invoice = Invoice.get_or_none(Invoice.id == row.get("invoice"))
            if invoice is not None:
                row["address_text"] = invoice.address_text

    @classmethod
    def follow(cls, written: Sequence[Written], operation: Any) -> Iterable[Any]:
        """An invoice that is credited without a word about lines is credited line by line (NE-70)."""
        for record in written:
            if record.old is None and record.new.get("invoice") is not None:
                if not CreditNoteItem.select().where(CreditNoteItem.credit_note == record.key).exists():
                    yield from credited_lines(CreditNoteItem, InvoiceItem, record)
            elif record.old is not None and record.new.get("invoice") is None:
                yield from super().follow([record], operation)


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

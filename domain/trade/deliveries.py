"""Delivery notes; a line knows the order line it serves."""

from __future__ import annotations

from typing import Any

from peewee import CharField, DateField, ForeignKeyField, IntegerField, TextField

from domain.catalog import Article, Warehouse
from domain.codes import PROGRESS
from domain.dates import today
from domain.links import LaterForeignKey, Reference
from domain.trade.heads import DocumentHead
from domain.trade.orders import SalesOrderItem
from domain.trade.pricing import fill
from domain.trade.proposals import consignment_warehouse, header_of
from domain.values.terms import PaymentTerm
from flask_appadmin.database import Record
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, described


class DeliveryNote(DocumentHead, Record):
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
        required=False,
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
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Lieferadresse")),
        within="customer",
        copy="clear",
        listed=True,
    )
    address_text = described(TextField(null=True, verbose_name=_("Anschrift (gedruckt)")), copy="clear", read_only=True)
    attention_to = described(CharField(max_length=60, null=True, verbose_name=_("zu Hd.")), copy="clear")
    contact = described(
        LaterForeignKey("Contact", index=True, null=True, verbose_name=_("Ansprechpartner")),
        within="customer",
        copy="clear",
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

    number_prefix = "L"
    offered_here = ("contact", "delivery_address")
    rule_fields = ("customer", *offered_here)
    follow_fields = ("customer", "delivery_address", "attention_to")


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

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        articles = dict(
            Article.select(Article.id, Article.designation_1).where(Article.id.in_(_articles(rows))).tuples()
        )
        for row in rows:
            fill(row, "designation", articles.get(row.get("article")))
            header = header_of(DeliveryNote, row.get("delivery_note"))
            if header is not None:
                fill(row, "warehouse", consignment_warehouse(DeliveryNote.customer.rel_model, header))


def _articles(rows: list[dict[str, Any]]) -> list[int]:
    return [row["article"] for row in rows if isinstance(row.get("article"), int)]

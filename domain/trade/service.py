"""Goods that customers ask for, bring back or have repaired, and what stands in stock at them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from peewee import CharField, DateField, ForeignKeyField

from domain.catalog import Article, Warehouse
from domain.codes import PROGRESS
from domain.dates import today
from domain.links import LaterForeignKey, Reference
from domain.trade.proposals import propose_header
from flask_appadmin.database import Record
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, described


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
        LaterForeignKey("Address", index=True, null=True, verbose_name=_("Serviceanschrift")),
        within="customer",
        copy="clear",
        listed=True,
    )
    total_amount = described(
        DecimalField(14, 2, null=True, default=Decimal(0), verbose_name=_("Auftragswert")),
        unit="€",
        copy="clear",
        listed=True,
    )

    class Meta:
        table_name = "repair_order"

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        propose_header(cls, rows, operation)


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

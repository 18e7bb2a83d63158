"""Documents out of documents: delivery notes and invoices of orders, collective invoices, credit notes, and the sums.

Shape: the functions answer steps of a change set (`NewRecord`, `Update`); whoever calls them puts them into one. Models
that would be imported in a circle come as parameters. Units: amounts in the currency of the document; what statistics
count is in our own.
Source: PX-104, PX-146, PX-198, PX-214, PX-224, NE-70, NE-95; fields.tsv ("default sales_order.…").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from domain.dates import today
from domain.money import converted, line_value, rounded
from domain.trade.deliveries import DeliveryNote, DeliveryNoteItem
from domain.trade.orders import SalesOrder, SalesOrderItem
from domain.trade.pricing import sums_of
from domain.trade.revenue import RevenueFact
from flask_appadmin.changes import NewRecord, Update, Written
from flask_appadmin.specs import spec_of

#: What an invoice takes over from the order it bills.
_OF_ORDER = (
    "parent_customer", "association", "attention_to", "contact", "invoice_customer", "invoice_address",
    "delivery_address", "payment_term", "payment_kind", "value_days", "cash_discount_percent",
    "final_discount_percent", "document_discount_1", "document_discount_2", "gross_prices", "currency", "language",
)  # fmt: skip
#: What a delivery note takes over from the order it serves.
_DELIVERED = ("association", "attention_to", "contact", "delivery_address")
#: What an invoice line takes over from the order line.
_OF_LINE = ("article", "designation", "quantity", "unit_price", "discount_percent", "tax_percent")


def _row(model: Any, key: int | None) -> dict[str, Any]:
    return model.select().where(model.id == key).dicts().first() or {} if key is not None else {}


def delivery_of(order: int) -> list[NewRecord]:
    """A delivery note with all lines of an order; a consignment order makes a consignment note."""
    header = _row(SalesOrder, order)
    values = {name: header[name] for name in _DELIVERED if header[name] is not None}
    kind = "consignment" if header["kind"] == "consignment" else "normal"
    note = NewRecord(spec_of(DeliveryNote), {"customer": header["customer"], "kind": kind, **values})
    made = [note]
    for line in SalesOrderItem.select().where(SalesOrderItem.sales_order == order).order_by(SalesOrderItem.id).dicts():
        content = {name: line[name] for name in ("article", "designation", "quantity", "warehouse")}
        made.append(
            NewRecord(spec_of(DeliveryNoteItem), {"delivery_note": note, "sales_order_item": line["id"], **content})
        )
    return made


def invoice_of(order: int, invoices: Any, items: Any) -> list[NewRecord]:
    """An invoice with all lines of an order."""
    header = _row(SalesOrder, order)
    values = {name: header[name] for name in _OF_ORDER}
    invoice = NewRecord(spec_of(invoices), {"customer": header["customer"], **values})
    made = [invoice]
    for line in SalesOrderItem.select().where(SalesOrderItem.sales_order == order).order_by(SalesOrderItem.id).dicts():
        content = {name: line[name] for name in _OF_LINE}
        made.append(NewRecord(spec_of(items), {"invoice": invoice, "sales_order_item": line["id"], **content}))
    return made


def collective_invoices(run: Written, invoices: Any, items: Any) -> Iterator[Any]:
    """The invoices of a run: one per customer who wants collective ones, one per delivery note for all others.

    Customers who stay out of the invoice batch stay out; a delivery note whose lines are billed is done.
    """
    customers = DeliveryNote.customer.rel_model
    columns = (customers.collective_invoice, customers.separate_invoice_per_address)
    query = (
        DeliveryNote.select(DeliveryNote.id, DeliveryNote.customer, DeliveryNote.delivery_address, *columns)
        .join(customers, on=(DeliveryNote.customer == customers.id))
        .where(DeliveryNote.status == "open", DeliveryNote.delivered_on <= run.new["up_to"])
        .where(~customers.no_invoice_batch)
        .order_by(DeliveryNote.id)
    )
    if run.new.get("customer") is not None:
        query = query.where(DeliveryNote.customer == run.new["customer"])
    made: dict[tuple[int, ...], NewRecord] = {}
    for note, customer, address, collective, separate in query.tuples():
        lines = list(_unbilled(note, items))
        if not lines:
            continue
        place = (customer, address or 0 if separate else 0) if collective else (customer, 0, note)
        invoice = made.get(place)
        if invoice is None:
            values = _billed_header(lines[0]["sales_order_item"])
            kind = "collective" if collective else "invoice"
            values |= {"customer": customer, "kind": kind, "invoice_run": run.key, "invoiced_on": today()}
            if address is not None:
                values["delivery_address"] = address
            invoice = made[place] = NewRecord(spec_of(invoices), values)
            yield invoice
        for line in lines:
            yield NewRecord(spec_of(items), {"invoice": invoice, **_billed_line(line)})
        yield Update(spec_of(DeliveryNote), note, {"status": "done"})


def _unbilled(note: int, items: Any) -> Iterable[dict[str, Any]]:
    billed = items.select(items.delivery_note_item).where(items.delivery_note_item.is_null(False))
    query = DeliveryNoteItem.select().where(DeliveryNoteItem.delivery_note == note, DeliveryNoteItem.id.not_in(billed))
    found: Iterable[dict[str, Any]] = query.order_by(DeliveryNoteItem.id).dicts()
    return found


def _billed_header(line: int | None) -> dict[str, Any]:
    """What the order behind a delivered line says; nothing for goods that nobody ordered in writing."""
    order = _row(SalesOrder, _row(SalesOrderItem, line).get("sales_order"))
    return {name: order[name] for name in _OF_ORDER if order}


def _billed_line(line: dict[str, Any]) -> dict[str, Any]:
    ordered = _row(SalesOrderItem, line["sales_order_item"])
    values = {name: ordered[name] for name in ("unit_price", "discount_percent", "tax_percent") if ordered}
    values |= {name: line[name] for name in ("article", "designation", "quantity", "sales_order_item")}
    return {**values, "delivery_note_item": line["id"]}


def credited_lines(credits: Any, items: Any, note: Written) -> Iterator[NewRecord]:
    """All lines of the invoice that a new credit note is for."""
    for line in items.select().where(items.invoice == note.new["invoice"]).order_by(items.id).dicts():
        values = {"credit_note": note.key, "invoice_item": line["id"], "article": line["article"]}
        amount = line_value(line["quantity"], line["unit_price"], line["discount_percent"])
        yield NewRecord(spec_of(credits), {**values, "quantity": line["quantity"], "amount": amount})


# --- sums and statistics ----------------------------------------------------------------------------------------------

_DISCOUNTS = ("document_discount_1", "document_discount_2", "final_discount_percent", "gross_prices")


def summed(invoices: Any, items: Any, written: Sequence[Written]) -> Iterator[Update]:
    """New sums for invoices whose discounts were changed."""
    return summed_invoices(invoices, items, [record.key for record in written if record.changed(*_DISCOUNTS)])


def summed_invoices(invoices: Any, items: Any, keys: Iterable[int]) -> Iterator[Update]:
    """Net, tax and total of these invoices as their lines make them; one without lines keeps what was typed."""
    for key in keys:
        lines = list(items.select().where(items.invoice == key).dicts())
        if lines:
            sums = sums_of(lines, _row(invoices, key))
            values = {"net_amount": sums.net, "tax_amount": sums.tax, "total_amount": sums.total}
            yield Update(spec_of(invoices), key, values)


def counted_revenue(invoices: Any, written: Sequence[Written]) -> Iterator[Any]:
    """The line that statistics count for each invoice: of its customer, with the association of the day (PX-104)."""
    for record in written:
        row = _row(invoices, record.key)
        amount = rounded(converted(row["net_amount"] or Decimal(0), row["currency"], None))
        values = {
            "document_number": row["number"],
            "customer": row["customer"],
            "association": row["association"],
            "amount": amount,
            "fact_on": row["invoiced_on"],
        }
        known = record.new["number"] if record.old is None else record.old["number"]
        fact = RevenueFact.get_or_none(RevenueFact.document_kind == "invoice", RevenueFact.document_number == known)
        if fact is None:
            yield NewRecord(spec_of(RevenueFact), {"document_kind": "invoice", **values})
        else:
            yield Update(spec_of(RevenueFact), fact.id, values)

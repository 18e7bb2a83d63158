"""Documents between us and a customer or supplier: orders, delivery notes, invoices, credit notes, dunning, repairs.

Shape: documents have lines (`…Item`); a delivery note line knows its order line, an invoice line its delivery note
line. The columns copied from the customer (attention, discounts, addresses) are proposals of the day it was
made. References to customer, address and contact are resolved when `models.py` is read.
Units: unit prices have 4 places, totals 2, in the currency of the document. Source: domain.md section 1, neighbours.
"""

from __future__ import annotations

from domain.trade.deliveries import DeliveryNote, DeliveryNoteItem
from domain.trade.dunning import DunningRun, Reminder
from domain.trade.invoices import CreditNote, CreditNoteItem, Invoice, InvoiceItem, InvoiceRun, Payment
from domain.trade.orders import SalesOrder, SalesOrderItem
from domain.trade.outbox import Outbox
from domain.trade.purchasing import PurchaseInvoice, PurchaseInvoiceItem
from domain.trade.revenue import RevenueFact
from domain.trade.service import (
    CustomerReturn,
    CustomerReturnItem,
    GoodsRequest,
    RepairOrder,
    RepairOrderItem,
    StockMovement,
)

__all__ = [
    "CreditNote",
    "CreditNoteItem",
    "CustomerReturn",
    "CustomerReturnItem",
    "DeliveryNote",
    "DeliveryNoteItem",
    "DunningRun",
    "GoodsRequest",
    "Invoice",
    "InvoiceItem",
    "InvoiceRun",
    "Outbox",
    "Payment",
    "PurchaseInvoice",
    "PurchaseInvoiceItem",
    "Reminder",
    "RepairOrder",
    "RepairOrderItem",
    "RevenueFact",
    "SalesOrder",
    "SalesOrderItem",
    "StockMovement",
]

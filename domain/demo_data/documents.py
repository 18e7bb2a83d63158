"""Makes orders with their lines, and invoices for most of them, open ones and paid ones.

Units: cents; prices of lines in 1/10,000 euro, quantities in thousandths, percent with 2 places.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.demo_data.picking import BATCH_SIZE, LAST_DAY, Rows

#: Orders and invoices in a batch of `BATCH_SIZE` customers at most.
ORDERS_PER_BATCH, INVOICES_PER_BATCH = 60, 40
#: VAT of our lines by country; others are exports.
_TAX_PERCENT = {"DE": 19, "AT": 20}


@dataclass(frozen=True)
class DocumentMaker:
    """Makes orders and invoices for customers of a batch; tables of 256 places hold what is picked from."""

    #: Table -> the first free key.
    first_keys: dict[str, int]
    payment_terms: Sequence[int | None]
    shipping_methods: Sequence[int | None]
    employees: Sequence[int]
    #: Key, designation and list price in 1/10,000 euro.
    articles: Sequence[tuple[int, str, int]]

    def batch(self, rows: Rows, keys: range, ordinal: int) -> dict[str, list[tuple[Any, ...]]]:
        """Orders with lines, and invoices for most of them; open ones and paid ones."""
        rng = rows.rng
        order_key = self.first_keys["sales_order"] + ordinal * ORDERS_PER_BATCH // BATCH_SIZE
        invoice_key = self.first_keys["invoice"] + ordinal * INVOICES_PER_BATCH // BATCH_SIZE
        orders, order_items, invoices, invoice_items = [], [], [], []
        order_count = rows.count * ORDERS_PER_BATCH // BATCH_SIZE
        invoice_count = rows.count * INVOICES_PER_BATCH // BATCH_SIZE
        for place in range(order_count):
            index = rng.randrange(rows.count)
            day = LAST_DAY - datetime.timedelta(days=rng.randrange(400))
            term = self.payment_terms[rng.randrange(256)]
            billed = place < invoice_count
            orders.append(
                (
                    order_key + place,
                    f"A{order_key + place:07d}",
                    keys[index],
                    day.isoformat(),
                    "done" if billed else "open",
                    self.employees[rng.randrange(256)],
                    term,
                    self.shipping_methods[rng.randrange(256)],
                    f"B-{rng.randrange(1_000, 99_999)}" if place % 3 == 0 else None,
                )
            )
            net = 0
            percent = _TAX_PERCENT.get(rows.places[index].country, 0)
            for _line in range(rng.randrange(1, 5)):
                article, designation, price = self.articles[rng.randrange(256)]
                quantity = rng.choice((1, 1, 2, 5, 10, 20, 100))
                line = (article, designation, quantity * 1_000, price, percent * 100)
                order_items.append((order_key + place, *line))
                if billed:
                    invoice_items.append((invoice_key + place, *line))
                net += quantity * price // 100
            if billed:
                tax = net * percent // 100
                paid = place % 4 != 0
                invoices.append(
                    (
                        invoice_key + place,
                        f"R{invoice_key + place:07d}",
                        keys[index],
                        (day + datetime.timedelta(days=3)).isoformat(),
                        (day + datetime.timedelta(days=33)).isoformat(),
                        term,
                        net,
                        tax,
                        net + tax,
                        net + tax if paid else 0,
                        paid,
                    )
                )
        return {
            "sales_order": orders,
            "sales_order_item": order_items,
            "invoice": invoices,
            "invoice_item": invoice_items,
        }

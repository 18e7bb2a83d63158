"""The transmission of customers to the tills: a file of all that are active or locked, and a record of each time.

Shape: kunden-<day>-<time>.xml in the folder of the tills in the outbox, an element per customer by number, with number,
name, address, status, discounts, texts for the till, credit data and cards. It always holds all of them, so only the
newest file is kept: who was deactivated or anonymised since is in none.
Errors: OutboxFault where the file cannot be written; then there is no record of a transmission either.
Source: NE-02, NE-28; drafts and customers who are inactive, anonymised or deleted are not transmitted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from peewee import fn

from domain.credit import LIMIT_FIELDS
from domain.customer_xml import customer_elements
from domain.till import TillCustomerFeed, TillReceipt
from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import in_transaction, utcnow
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_read_full, system_operator, visible
from flask_appadmin.sheets.outbox import folder_below, lay_down
from flask_appadmin.specs import spec_of

#: The folder of the outbox from which the tills fetch.
FOLDER = "kasse"

#: What tills get of a customer, beside his cards.
FIELDS = (
    "customer_number", "customer_type", "name_1", "name_2", "name_3", "attention_to", "street", "po_box",
    "postal_code", "city", "country", "phone", "status", "home_branch", "is_blank", "discount_percent",
    "personal_discount_percent", "bonus_lock", "warning_text", "pos_text", "credit_sale", *LIMIT_FIELDS,
    "credit_warn_percent", "price_basis", "invoice_discount_percent", "position_discount_percent",
    "position_surcharge_percent", "cash_discount_percent", "value_days",
)  # fmt: skip
_CHILDREN = ("customer_card",)

STATES = ("active", "locked")


def fed_customers() -> Any:
    """The keys of the customers that tills know, by number, as a query."""
    customers = TillReceipt.customer.rel_model
    known = customers.status.in_(STATES) & customers.active
    return customers.select(customers.id).where(known).order_by(customers.customer_number)


def count_by_status() -> dict[str, int]:
    """How many active and how many locked customers would be transmitted now."""
    customers = TillReceipt.customer.rel_model
    query = customers.select(customers.status, fn.COUNT(customers.id)).where(
        customers.status.in_(STATES), customers.active
    )
    return dict.fromkeys(STATES, 0) | dict(query.group_by(customers.status).tuples())


def transmit(operator: Operator, outbox: Path) -> Any:
    """Lays down the file for the tills; answers its record."""
    operator.require(f"{spec_of(TillCustomerFeed).right}.create")
    folder = folder_below(outbox, FOLDER, make=True)

    def work() -> Any:
        now = utcnow()
        name = f"kunden-{now:%Y%m%d-%H%M%S}.xml"
        keys = [row[0] for row in fed_customers().tuples()]
        change = ChangeSet("transmit", title=gettext("Kunden an die Kassen übertragen"))
        values = {"fed_at": now, "file_name": name, "record_count": len(keys)}
        record = change.create(TillCustomerFeed, values)
        change.apply(operator)
        # The file is the last step: without it there was no transmission.
        lay_down(folder, name, _content(keys, now.isoformat(timespec="seconds")))
        return TillCustomerFeed.get_by_id(record.key)

    feed = in_transaction(work)
    for path in folder.glob("kunden-*.xml"):
        if path.name != feed.file_name:
            path.unlink(missing_ok=True)
    return feed


def _content(keys: Sequence[int], made_at: str) -> Iterator[bytes]:
    """The file, customer by customer: memory stays flat."""
    spec = spec_of(TillReceipt.customer.rel_model)
    yield f"<?xml version='1.0' encoding='utf-8'?>\n<customers made_at=\"{made_at}Z\">\n".encode()
    # Tills get the same whoever starts the transmission; who may fetch the file here is asked in `may_fetch`.
    reader = system_operator(gettext("Kassenübertragung"))
    for _number, element in customer_elements(spec, keys, reader, fields=FIELDS, children=_CHILDREN):
        yield f"{ElementTree.tostring(element, encoding='unicode')}\n".encode()
    yield b"</customers>\n"


def may_fetch(operator: Operator) -> bool:
    """Whether the operator may see everything that such a file says about everybody."""
    spec = spec_of(TillReceipt.customer.rel_model)
    rights = ("export.run", "export.large", f"{spec.right}.read")
    return (
        all(operator.may(right) for right in rights)
        and visible(operator, spec) is None
        and all(may_read_full(operator, spec.field(name)) for name in FIELDS)
    )


__all__ = ["FIELDS", "FOLDER", "count_by_status", "fed_customers", "may_fetch", "transmit"]

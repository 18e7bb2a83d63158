"""To whom a document goes: the lines of its postal address, as they are kept with it on the day it is made.

Shape: lines from receiver to country, made by `postal_lines` alone, so that a PO box reads the same everywhere.
A deviating customer comes before an address of the customer's own, and that before the main address (PX-213, ME-40).
Source: PX-100, NE-70, ME-40.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from domain.postal_address import ADDRESS_KEYS, postal_lines
from domain.settings import current_setting
from domain.values.countries import Country
from flask_appadmin.changes import Update, Written
from flask_appadmin.specs import spec_of

_NAMES = ("name_1", "name_2", "name_3")

#: Document -> (its deviating customer, its address), as far as it has them; these make the printed address.
RECEIVERS = {
    "sales_order": ("", "order_confirmation_address"),
    "delivery_note": ("", "delivery_address"),
    "invoice": ("invoice_customer", "invoice_address"),
    "credit_note": ("", ""),
}


def address_lines(
    customers: Any, customer: int | None, address: int | None = None, attention_to: str | None = None
) -> list[str]:
    """The postal lines of a customer, or of one of its further addresses; [] for no customer.

    An address without names has those of its customer. `attention_to` stands below them; None: that of the customer.
    """
    if customer is None:
        return []
    main = _read(customers, customer, ADDRESS_KEYS)
    lines = main
    if address is not None:
        names = tuple(name for name in ADDRESS_KEYS if name != "attention_to")
        lines = _read(customers.delivery_address.rel_model, address, names)
        if not any(lines.get(name) for name in _NAMES):
            lines |= {name: main.get(name) for name in _NAMES}
        lines["attention_to"] = main.get("attention_to")
    if attention_to is not None:
        lines["attention_to"] = attention_to
    own = _code(current_setting().own_country_id) or "DE"
    return postal_lines({**lines, "country": _code(lines.get("country"))}, own)


def _read(model: Any, key: int, names: tuple[str, ...]) -> dict[str, Any]:
    row = model.select(*(getattr(model, name) for name in names)).where(model.id == key).tuples().first()
    return dict(zip(names, row, strict=True)) if row is not None else {}


def _code(key: int | None) -> str:
    return Country.select(Country.code).where(Country.id == key).tuples().scalar() or "" if key is not None else ""


def printed_address(model: Any, values: dict[str, Any]) -> str | None:
    """The address as it is printed on a document with these values; None without a customer."""
    deviating, address = RECEIVERS[spec_of(model).name]
    customers = model.customer.rel_model
    attention = values.get("attention_to") or ""
    if deviating and values.get(deviating) is not None:
        lines = address_lines(customers, values[deviating], None, attention)
    elif spec_of(model).name == "delivery_note" and values.get(address) is None:
        lines = address_lines(customers, _delivery_customer(customers, values.get("customer")), None, attention)
    elif spec_of(model).name == "credit_note":
        lines = _as_invoiced(customers, values.get("customer"))
    else:
        lines = address_lines(customers, values.get("customer"), values.get(address), attention)
    return "\n".join(lines) or None


def _delivery_customer(customers: Any, customer: int | None) -> int | None:
    other = customers.select(customers.delivery_customer).where(customers.id == customer).tuples().scalar()
    return other or customer


def _as_invoiced(customers: Any, customer: int | None) -> list[str]:
    """Where invoices of the customer go today."""
    row = (
        customers.select(customers.invoice_customer, customers.invoice_address)
        .where(customers.id == customer)
        .tuples()
        .first()
    )
    if row is None:
        return []
    return address_lines(customers, row[0]) if row[0] is not None else address_lines(customers, customer, row[1])


def receiver_fields(model: Any) -> tuple[str, ...]:
    """The fields of a document that decide about its printed address."""
    named = ("customer", "attention_to", *RECEIVERS[spec_of(model).name])
    return tuple(name for name in named if name in spec_of(model).by_name)


def readdressed(model: Any, written: Sequence[Written]) -> Iterator[Update]:
    """New printed addresses for documents whose receiver was changed after they were made."""
    names = receiver_fields(model)
    for document in written:
        if document.old is not None and document.changed(*names):
            yield Update(spec_of(model), document.key, {"address_text": printed_address(model, document.new)})

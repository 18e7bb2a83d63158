"""What a new document takes over from its customer: the header, as a proposal that may be changed on the document.

Shape: `propose_header(model, rows, operation)` fills what the rows of new documents do not name; the customer is never
changed. `number_documents` gives numbers, `offered_faults` refuses contacts and addresses that are not offered.
Units: charges in the currency of the document. Source: domain.md section 4, PX-87 to PX-146, PX-191, PX-213, ME-40.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from domain.dates import today
from domain.rules import fault
from domain.settings import Setting, absent_fields, current_setting
from domain.values.company import Employee
from domain.values.delivery import DeliveryZone
from flask_appadmin.changes import next_keys
from flask_appadmin.errors import FieldError
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import visible
from flask_appadmin.specs import spec_of

#: What stands at the customer under the same name; a document takes those it has.
_HEADER = (
    "attention_to", "parent_customer", "association", "clerk", "sales_representative", "intermediary",
    "shipping_method", "delivery_term", "payment_kind", "project", "svs_rvs", "language", "currency",
    "final_discount_percent", "document_discount_1", "document_discount_2", "gross_prices",
    "invoice_discount_percent", "position_discount_percent", "position_surcharge_percent", "cash_discount_percent",
    "value_days", "invoice_customer", "delivery_customer",
)  # fmt: skip
#: Addresses of the customer itself; one that is no longer active is not proposed.
_ADDRESSES = ("delivery_address", "invoice_address", "order_confirmation_address", "service_address")
#: Documents whose payment term is the customer's first one; that of a delivery note is a cash term.
_WITH_TERM = ("sales_order", "invoice")
_FURTHER = (
    "payment_term_1", "charge_shipping", "delivery_zone", "no_toll_charges", "no_environment_charge",
    "decision_time_days",
)  # fmt: skip


def propose_header(model: Any, rows: list[dict[str, Any]], operation: Any) -> None:
    """Fills in what the customers of these new documents say; fields that a row names stay as they are."""
    names = spec_of(model).by_name
    absent = absent_fields()
    header = [name for name in _HEADER if name in names and name not in absent]
    addresses = [name for name in _ADDRESSES if name in names]
    known = read_customers(model, rows, (*header, *addresses, *_FURTHER), operation)
    inactive = _inactive(model, known, addresses)
    if "clerk" in header and operation.kind == "form":
        # A customer that is in nobody's charge is attended to by whoever writes (PX-55).
        own = Employee.of(operation.operator)
        for found in known.values():
            found["clerk"] = found["clerk"] or own
    for row in rows:
        customer = known.get(row.get("customer") or 0)
        if customer is None:
            continue
        for name in header:
            row.setdefault(name, customer[name])
        for name in addresses:
            row.setdefault(name, None if customer[name] in inactive else customer[name])
        if spec_of(model).name in _WITH_TERM:
            row.setdefault("payment_term", customer["payment_term_1"])


def propose_charges(rows: list[dict[str, Any]], model: Any, operation: Any) -> None:
    """Shipping costs by delivery zone, flat rates, and when to ask again about an offer."""
    setting = current_setting()
    zones = dict(DeliveryZone.select(DeliveryZone.id, DeliveryZone.shipping_cost).tuples())
    known = read_customers(model, rows, _FURTHER, operation)
    for row in rows:
        customer = known.get(row.get("customer") or 0)
        if customer is None:
            continue
        cost = _shipping_cost(customer, setting, zones)
        if cost is not None:
            row.setdefault("shipping_cost", cost)
        row.setdefault("toll_charge", None if customer["no_toll_charges"] else setting.toll_charge or None)
        row.setdefault(
            "environment_charge", None if customer["no_environment_charge"] else setting.environment_charge or None
        )
        if row.get("kind") == "offer" and customer["decision_time_days"]:
            start = row.get("ordered_on") or today()
            row.setdefault("follow_up_on", start + datetime.timedelta(days=customer["decision_time_days"]))


def _shipping_cost(customer: dict[str, Any], setting: Setting, zones: dict[int, Any]) -> Any:
    """The flat rate of the customer's zone, where both the house and the customer have them charged (PX-146)."""
    if setting.auto_shipping_cost_by_zone and customer["charge_shipping"]:
        return zones.get(customer["delivery_zone"])
    return None


def read_customers(
    model: Any, rows: list[dict[str, Any]], names: tuple[str, ...], operation: Any
) -> dict[int, dict[str, Any]]:
    """Key -> these fields of the customers that the rows name, as far as the operator sees them."""
    customers = model.customer.rel_model
    keys = {row["customer"] for row in rows if isinstance(row.get("customer"), int)}
    if not keys or not operation.operator.may(f"{spec_of(customers).right}.read"):
        return {}
    columns = [getattr(customers, name) for name in names]
    found = {}
    for part in _parts(sorted(keys)):
        query = customers.select(customers.id, *columns).where(customers.id.in_(part))
        condition = visible(operation.operator, spec_of(customers))
        query = query if condition is None else query.where(condition)
        for row in query.tuples():
            found[row[0]] = dict(zip(names, row[1:], strict=True))
    return found


def _parts(keys: list[int], size: int = 500) -> Iterator[list[int]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def _inactive(model: Any, customers: dict[int, dict[str, Any]], names: list[str]) -> set[int]:
    """The addresses among those that the customers name which are not active any more."""
    keys = {customer[name] for customer in customers.values() for name in names if customer[name] is not None}
    if not keys:
        return set()
    addresses = model._meta.fields[names[0]].rel_model
    query = addresses.select(addresses.id).where(addresses.id.in_(sorted(keys)), ~addresses.active)
    return {row[0] for row in query.tuples()}


def header_of(model: Any, key: Any) -> dict[str, Any] | None:
    """The stored header of a document; None for none."""
    if not isinstance(key, int):
        return None
    row: dict[str, Any] | None = model.select().where(model.id == key).dicts().first()
    return row


def consignment_warehouse(customers: Any, header: dict[str, Any]) -> int | None:
    """Where the goods of a consignment document lie: the warehouse of its deviating address (PX-224)."""
    if header.get("kind") != "consignment":
        return None
    addresses = customers.delivery_address.rel_model
    for name in ("delivery_address", "invoice_address"):
        if header.get(name) is not None:
            query = addresses.select(addresses.consignment_warehouse).where(addresses.id == header[name])
            warehouse: int | None = query.tuples().scalar()
            if warehouse is not None:
                return warehouse
    return None


def offered_faults(model: Any, values: dict[str, Any], names: tuple[str, ...]) -> Iterator[FieldError]:
    """Refuses contacts and addresses of other customers, and those that are not active (ME-100, ME-109).

    A document keeps the ones it has: somebody who leaves stays on what was written to him.
    """
    for name in names:
        key = values.get(name)
        if key is None:
            continue
        field = model._meta.fields[name]
        row = field.rel_model.select(field.rel_model.customer, field.rel_model.active).where(field.rel_model.id == key)
        owner, active = row.tuples().first() or (None, True)
        if owner != values.get("customer"):
            yield fault(model, name, gettext("gehört nicht zu diesem Kunden"))
        elif not active and not _stands_there(model, values.get("id"), field, key):
            yield fault(model, name, gettext("ist nicht mehr aktiv"), None, gettext("Bitte eine andere Angabe wählen."))


def _stands_there(model: Any, document: int | None, field: Any, key: int) -> bool:
    return document is not None and model.select().where(model.id == document, field == key).exists()


def number_documents(model: Any, prefix: str, rows: list[dict[str, Any]]) -> None:
    """Numbers for new documents that have none: the prefix and seven digits that the database gives only once."""
    unnumbered = [row for row in rows if not row.get("number")]
    if not unnumbered:
        return
    keys = next_keys(spec_of(model), len(unnumbered))
    numbers = [f"{prefix}{key:07d}" for key in keys]
    taken = {row[0] for row in model.select(model.number).where(model.number.in_(numbers)).tuples()}
    taken |= {row["number"] for row in rows if row.get("number")}
    for row, number in zip(unnumbered, numbers, strict=True):
        # Somebody typed that number before its turn came.
        while number in taken or model.select().where(model.number == number).exists():
            number += "A"
        row["number"] = number
        taken.add(number)

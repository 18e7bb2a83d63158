"""„Alle Statistikdaten umbuchen“: a customer who was recorded twice goes on under one number.

Shape: `plan_rebooking` answers the plan of a merge (`flask_appadmin.merging`) of one customer into another: either what
stands on the account only (movements, receipts, settlements, revenues), or everything, where what the old number has
filled wins. The old number ends as deleted and leads to the new one; it is never given again.
Errors: MergeRefused where transactions are open, which are named, or where the customers are no Endkunden.
Source: NE-135 to NE-141.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from peewee import fn

from domain.account import AccountEntry
from domain.credit import is_unpaid
from domain.trade import DeliveryNote, GoodsRequest, Invoice, RepairOrder, SalesOrder
from flask_appadmin.i18n import gettext
from flask_appadmin.merging import MergePlan, MergeRefused, plan_merge
from flask_appadmin.rights import Operator
from flask_appadmin.specs import spec_of

#: The tables of the account: what is moved in any case.
STATISTICS = frozenset({"account_entry", "bonus_settlement_item", "revenue_fact", "till_receipt"})
_MOST_NAMED = 10


@dataclass(frozen=True)
class Balance:
    """What stands on the account of a customer: movements, their value, points, credit that is not redeemed yet."""

    entries: int
    value: Decimal
    points: Decimal
    credit: Decimal


def balance_of(customer: int) -> Balance:
    """Sums over all movements of a customer."""
    columns = ("value", "bonus", "credit_determined", "credit_redeemed", "credit_correction")
    fields = [getattr(AccountEntry, name) for name in columns]
    query = AccountEntry.select(fn.COUNT(AccountEntry.id), *(fn.COALESCE(fn.SUM(item), 0) for item in fields))
    count, *sums = query.where(AccountEntry.customer == customer).tuples().get()
    # A sum of scaled numbers comes as it is stored.
    value, points, found, redeemed, corrected = (
        item.python_value(int(total)) for item, total in zip(fields, sums, strict=True)
    )
    return Balance(count, value, points, found - redeemed + corrected)


def open_transactions(customer: int) -> list[str]:
    """The titles of what has to be closed before a customer can be deleted (NE-139)."""
    return list(_open(customer))


def _open(customer: int) -> Iterator[str]:
    for model, condition in (
        (Invoice, is_unpaid()),
        (SalesOrder, SalesOrder.status == "open"),
        (DeliveryNote, DeliveryNote.status == "open"),
        (GoodsRequest, GoodsRequest.status == "open"),
        (RepairOrder, RepairOrder.status == "open"),
    ):
        query = model.select(model.number).where(model.customer == customer, condition).order_by(model.id)
        for (number,) in query.limit(_MOST_NAMED).tuples():
            yield f"{spec_of(model).label} {number}"


def may_move_everything(customer: Any) -> bool:
    """NE-141: all data of a customer are moved for Endkunden only."""
    return bool(customer.customer_type == "end_customer")


def plan_rebooking(source: int, target: int, operator: Operator, *, everything: bool = False) -> MergePlan:
    """What moving the statistics (or everything) of one customer to another number would do."""
    customers = AccountEntry.customer.rel_model
    spec = spec_of(customers)
    plan = plan_merge(
        spec, [source, target], target, operator, only=None if everything else STATISTICS, overwrite=everything
    )
    still_open = open_transactions(source)
    if still_open:
        raise MergeRefused(
            gettext(
                "%(title)s hat offene Vorgänge: %(open)s. Bitte schließen Sie diese zuerst ab. Es wurde nichts "
                "umgebucht.",
                title=plan.titles[source],
                open=", ".join(still_open[:_MOST_NAMED]),
            )
        )
    if everything:
        both = customers.select(customers.id, customers.customer_type).where(customers.id << [source, target])
        for customer in both:
            if not may_move_everything(customer):
                raise MergeRefused(
                    gettext(
                        "Alle Kundendaten lassen sich nur bei Endkunden umbuchen; %(title)s ist keiner. Es wurde "
                        "nichts umgebucht.",
                        title=plan.titles[customer.id],
                    )
                )
    return plan

"""How much of their credit limit customers have used: unpaid invoices against the limit that holds today.

Units: euro as Decimal; the threshold in percent of the limit. A level is "good" (below the threshold), "warn" (at or
above it) or "bad" (the limit is reached). Source: NE-78 to NE-83; ME-68, ME-69; domain.md section 5.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from peewee import fn

from domain.trade import Invoice
from flask_appadmin.rights import Operator, visible
from flask_appadmin.specs import spec_of

#: What `limit_in_force` looks at.
LIMIT_FIELDS = (
    "credit_limit", "credit_limit_from", "credit_limit_until",
    "internal_limit", "internal_limit_from", "internal_limit_until",
)  # fmt: skip


def limit_in_force(values: Mapping[str, Any], day: datetime.date) -> Decimal | None:
    """The limit of a customer on a day, None for no limit. An internal limit wins in its period; a limit outside its
    own period counts as nothing."""
    internal: Decimal | None = values.get("internal_limit")
    if internal is not None and _covers(values, "internal_limit", day):
        return internal
    limit: Decimal | None = values.get("credit_limit")
    return limit if limit is None or _covers(values, "credit_limit", day) else Decimal(0)


def _covers(values: Mapping[str, Any], name: str, day: datetime.date) -> bool:
    start, end = values.get(f"{name}_from"), values.get(f"{name}_until")
    return (start is None or start <= day) and (end is None or day <= end)


def level_of(unpaid: Decimal, limit: Decimal, warn_percent: Decimal | None) -> str:
    """How far a limit is used; without a threshold nothing warns before the limit.

    >>> [level_of(Decimal(unpaid), Decimal(500), Decimal(80)) for unpaid in ("399.99", "400", "499.99", "500")]
    ['good', 'warn', 'warn', 'bad']
    """
    if unpaid >= limit:
        return "bad"
    if warn_percent is not None and unpaid * 100 >= limit * warn_percent:
        return "warn"
    return "good"


def is_unpaid() -> Any:
    """The condition of an open item: an invoice that is neither paid nor settled."""
    return ~Invoice.settled & (Invoice.paid_amount < Invoice.total_amount)


def unpaid_sums(customers: Sequence[int], operator: Operator) -> dict[int, Decimal]:
    """What these customers still owe on invoices that are neither paid nor settled; in one query, under the rights."""
    query = Invoice.select(Invoice.customer, fn.SUM(Invoice.total_amount), fn.SUM(Invoice.paid_amount)).where(
        Invoice.customer.in_(list(customers)) & is_unpaid()
    )
    condition = visible(operator, spec_of(Invoice))
    query = query if condition is None else query.where(condition)
    # A sum of scaled numbers comes as it is stored.
    euro = Invoice.total_amount.python_value
    return {key: euro(total) - euro(paid) for key, total, paid in query.group_by(Invoice.customer).tuples()}

"""The sales conditions of customers whose currency changes: prices and amounts are converted, percentages are not.

Units: amounts in the currency of the customer; a rate is how many units of a currency one of our own is worth.
Source: PX-134.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from domain.money import converted
from domain.settings import current_setting
from flask_appadmin.changes import Update, Written
from flask_appadmin.specs import spec_of

_AMOUNTS = ("special_price", "discount_amount")


def converted_conditions(conditions: Any, written: Sequence[Written]) -> Iterator[Update]:
    """The steps that convert the conditions of those of these customers whose currency is another than before.

    `conditions` is the model of the sales conditions. Nothing follows while „Mehrstufige Verkaufskonditionen
    verwenden“ is off.
    """
    changed = {record.key: record for record in written if record.old is not None and record.changed("currency")}
    if not changed or not current_setting().multi_level_sales_conditions:
        return
    for row in conditions.select().where(conditions.customer.in_(sorted(changed))):
        record = changed[row.customer_id]
        assert record.old is not None
        amounts = {name: getattr(row, name) for name in _AMOUNTS if getattr(row, name) is not None}
        new = {
            name: converted(amount, record.old["currency"], record.new["currency"]) for name, amount in amounts.items()
        }
        yield Update(spec_of(conditions), row.id, new)

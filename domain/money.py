"""Amounts of money: rounding, other currencies, the value of a line.

Units: amounts with 2 places unless said; a rate is how many units of a currency one unit of our own is worth.
Source: PX-131, PX-134; EN 16931 (rounding half up).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from domain.values.countries import Currency

_CENT = Decimal("0.01")
_HUNDRED = Decimal(100)


def rounded(amount: Decimal, step: Decimal = _CENT) -> Decimal:
    """Half up, as merchants round.

    >>> rounded(Decimal("2.345"))
    Decimal('2.35')
    """
    return amount.quantize(step, ROUND_HALF_UP)


def rate_of(currency: int | None) -> Decimal:
    """How many units of a currency one unit of our own is worth; 1 for our own."""
    if currency is None:
        return Decimal(1)
    rate = Currency.select(Currency.exchange_rate).where(Currency.id == currency).tuples().scalar()
    return rate or Decimal(1)


def converted(amount: Decimal, source: int | None, target: int | None, step: Decimal = _CENT) -> Decimal:
    """An amount in another currency; None is our own."""
    if source == target:
        return amount
    return rounded(amount / rate_of(source) * rate_of(target), step)


def line_value(quantity: Decimal, unit_price: Decimal, discount_percent: Decimal | None) -> Decimal:
    """The value of a line after its discount.

    >>> line_value(Decimal(1), Decimal("50.00"), Decimal(10))
    Decimal('45.00')
    """
    return rounded(quantity * unit_price * (_HUNDRED - (discount_percent or 0)) / _HUNDRED)

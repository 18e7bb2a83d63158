"""What a line of a document costs: price, discount and tax by the customer's conditions; and the sums of an invoice.

Shape: a line's proposal is the special price of the customer, or of its condition carrier, for the article; else the
list price. Sums are those of the lines less the discounts of the header, rounded half up.
Units: unit prices have 4 places, sums 2, both in the currency of the document; tax and discounts in percent.
Source: PX-120, PX-131, PX-214, PX-224, ME-42, ME-112; domain.md section 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.catalog import Article
from domain.money import converted, line_value, rounded
from domain.values.taxes import TaxRate
from domain.values.terms import DiscountType

_UNIT = Decimal("0.0001")
_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Conditions:
    """What the price of a document's lines depends on."""

    customer: int
    currency: int | None
    #: Without VAT, because of the address or the customer (ME-112).
    untaxed: bool


def conditions_of(customers: Any, header: dict[str, Any]) -> Conditions:
    """Of a document with this customer, currency and addresses."""
    row = customers.select(customers.condition_carrier, customers.vat_mode).where(customers.id == header["customer"])
    carrier, mode = row.tuples().first() or (None, None)
    addresses = customers.delivery_address.rel_model
    for name in ("delivery_address", "invoice_address"):
        if header.get(name) is not None:
            query = addresses.select(addresses.vat_mode).where(addresses.id == header[name])
            mode = query.tuples().scalar() or mode
            break
    return Conditions(carrier or header["customer"], header.get("currency"), (mode or "0") != "0")


def propose_line(customers: Any, row: dict[str, Any], found: Conditions) -> None:
    """Price, discount, tax and designation of a new line, where the line does not name them."""
    article = Article.get_or_none(Article.id == row.get("article"))
    if article is None:
        return
    terms = customers.sales_conditions.rel_model
    special = terms.get_or_none(terms.customer == found.customer, terms.article == article.id)
    bearer = customers.select(customers.currency).where(customers.id == found.customer).tuples().scalar()
    price = converted(article.list_price or Decimal(0), None, found.currency, _UNIT)
    if special is not None:
        if special.special_price is not None:
            price = converted(special.special_price, bearer, found.currency, _UNIT)
        if special.discount_amount is not None:
            price -= converted(special.discount_amount, bearer, found.currency, _UNIT)
        if special.discount_percent is not None:
            fill(row, "discount_percent", special.discount_percent)
    fill(row, "unit_price", max(price, Decimal(0)))
    fill(row, "designation", article.designation_1)
    fill(row, "tax_percent", Decimal(0) if found.untaxed else _tax_percent(article))


def fill(row: dict[str, Any], name: str, value: Any) -> None:
    """A cell of a line that stands empty is filled: in a table of lines nobody leaves a price out on purpose."""
    if row.get(name) is None or (name == "discount_percent" and not row[name]):
        row[name] = value


def _tax_percent(article: Article) -> Decimal | None:
    query = TaxRate.select(TaxRate.percent).where(TaxRate.id == article.tax_rate_id)
    percent: Decimal | None = query.tuples().scalar() if article.tax_rate_id is not None else None
    return percent


@dataclass(frozen=True)
class Sums:
    net: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.net + self.tax


def sums_of(lines: Iterable[dict[str, Any]], header: dict[str, Any]) -> Sums:
    """Net and tax of a document; with gross prices the tax is inside the prices."""
    share = Decimal(1)
    for name in ("document_discount_1", "document_discount_2"):
        if header.get(name) is not None:
            query = DiscountType.select(DiscountType.percent).where(DiscountType.id == header[name])
            share *= (_HUNDRED - (query.tuples().scalar() or 0)) / _HUNDRED
    share *= (_HUNDRED - (header.get("final_discount_percent") or 0)) / _HUNDRED
    by_tax: dict[Decimal, Decimal] = {}
    for line in lines:
        value = line_value(line["quantity"], line["unit_price"], line["discount_percent"])
        percent = line["tax_percent"] or Decimal(0)
        by_tax[percent] = by_tax.get(percent, Decimal(0)) + value
    net = tax = Decimal(0)
    for percent, value in by_tax.items():
        value = rounded(value * share)
        if header.get("gross_prices"):
            inside = rounded(value * percent / (_HUNDRED + percent))
            net, tax = net + value - inside, tax + inside
        else:
            net, tax = net + value, tax + rounded(value * percent / _HUNDRED)
    return Sums(net, tax)

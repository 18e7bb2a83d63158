"""What stands on a printed order, delivery note, invoice or credit note.

Shape: `printout` answers a Printout: postal address, facts beside it, texts, a table of lines and sums, all as text.
The address is the one kept with the document; „an Hauptkunde“ puts that of the main customer right below it. What is
empty at the customer leaves no caption behind. The input hint is never printed.
Units: amounts in the currency of the document. Source: PX-100, PX-107 to PX-109, PX-116, PX-144, NE-70, ME-88, ME-90.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.money import line_value, rounded
from domain.settings import current_setting
from domain.trade.pricing import sums_of
from domain.trade.receivers import address_lines
from domain.values.countries import Currency
from flask_appadmin.i18n import format_date, format_decimal, gettext
from flask_appadmin.specs import spec_of

#: Document -> (its day, its texts of the customer, whether the own supplier number stands on it).
_KINDS = {
    "sales_order": ("ordered_on", ("external_text",), True),
    "delivery_note": ("delivered_on", ("delivery_text", "shipping_hint"), True),
    "invoice": ("invoiced_on", ("external_text",), True),
    "credit_note": ("credited_on", ("external_text",), False),
}
#: Document -> the tick of the customer that has its contact printed (ME-88); an order has one for each of its kinds.
_CONTACT_TICKS = {
    "sales_order": {"offer": "quote", "collective": "collective_order"},
    "delivery_note": {},
    "invoice": {},
    "credit_note": {},
}
_USUAL_TICK = {"sales_order": "order_confirmation"}
#: Charges of an order, added to what its lines make.
_CHARGES = ("shipping_cost", "toll_charge", "environment_charge", "svs_rvs")


@dataclass(frozen=True)
class Printout:
    """One printed document; `lines` are rows below `columns`, whose figures are aligned to the right."""

    title: str
    address: list[str]
    facts: list[tuple[str, str]]
    texts: list[str]
    #: (heading, whether figures stand below it)
    columns: list[tuple[str, bool]]
    lines: list[list[str]]
    sums: list[tuple[str, str]]


def may_go_to_parent(document: Any) -> bool:
    """Whether „an Hauptkunde“ can be chosen: the kind of document has a main customer, and this one names it."""
    return getattr(document, "parent_customer_id", None) is not None


def printout(document: Any, *, to_parent: bool = False) -> Printout:
    """What is printed of a stored document; `to_parent` adds the address of its main customer, if it has one."""
    name = spec_of(type(document)).name
    _day, texts, _supplier = _KINDS[name]
    customers = type(document).customer.rel_model
    address = (document.address_text or "").split("\n") if document.address_text else []
    if to_parent and may_go_to_parent(document):
        address += address_lines(customers, document.parent_customer_id)
    customer = document.customer
    found = [getattr(customer, text) for text in texts] if customer is not None else []
    columns, lines = _delivered(document) if name == "delivery_note" else _priced(document)
    return Printout(
        _title(document),
        address,
        _facts(document, customer),
        [text for text in found if text],
        columns,
        lines,
        [] if name == "delivery_note" else _sums(document),
    )


def _title(document: Any) -> str:
    spec = spec_of(type(document))
    kind = spec.by_name.get("kind")
    words = kind.format(document.kind) if kind is not None else str(spec.label)
    return f"{words} {document.number}"


def _facts(document: Any, customer: Any) -> list[tuple[str, str]]:
    spec = spec_of(type(document))
    day, _texts, with_supplier = _KINDS[spec.name]
    facts = [(gettext("Datum"), format_date(getattr(document, day)))]
    if customer is not None:
        facts.append((gettext("Kundennummer"), str(customer.customer_number)))
    for name in ("customer_order_number", "clerk", "shipping_method", "payment_term", "due_on"):
        item = spec.by_name.get(name)
        value = getattr(document, name) if item is not None else None
        if item is not None and value is not None:
            facts.append((str(item.label), value.name if item.target is not None else item.format(value)))
    contact = _contact(document)
    if customer is not None and contact is not None and _prints_contact(document, customer):
        facts.append((gettext("Ansprechpartner"), " ".join(filter(None, (contact.name_1, contact.name_2)))))
    if customer is not None and with_supplier and customer.own_supplier_number:
        facts.append((gettext("Lieferanten-Nr."), customer.own_supplier_number))
    if customer is not None and spec.name == "invoice" and customer.tax_number:
        facts.append((gettext("Steuer-Nr."), customer.tax_number))
    return facts


def _contact(document: Any) -> Any:
    """The contact a document names; a credit note has that of its invoice."""
    if spec_of(type(document)).name == "credit_note":
        return document.invoice.contact if document.invoice is not None else None
    return document.contact


def _prints_contact(document: Any, customer: Any) -> bool:
    """What the customer says about this kind of document, where it deviates; else the setting (ME-88)."""
    name = spec_of(type(document)).name
    tick = _CONTACT_TICKS[name].get(getattr(document, "kind", "")) or _USUAL_TICK.get(name, name)
    if customer.contact_print_deviates:
        return bool(getattr(customer, f"contact_print_{tick}"))
    return tick in (current_setting().contact_print_defaults or ())


def _delivered(document: Any) -> tuple[list[tuple[str, bool]], list[list[str]]]:
    columns = [(gettext("Artikel"), False), (gettext("Bezeichnung"), False), (gettext("Menge"), True)]
    items = document.items.order_by(type(document).items.rel_model.id)
    return columns, [[item.article.number, item.designation or "", _quantity(item.quantity)] for item in items]


def _priced(document: Any) -> tuple[list[tuple[str, bool]], list[list[str]]]:
    columns, lines = _delivered_columns(), []
    for item in document.items.order_by(type(document).items.rel_model.id):
        if spec_of(type(document)).name == "credit_note":
            texts = [item.article.number, item.article.designation_1, _quantity(item.quantity), "", "", item.amount]
        else:
            value = line_value(item.quantity, item.unit_price, item.discount_percent)
            discount = f"{format_decimal(item.discount_percent, 2)} %" if item.discount_percent else ""
            price = format_decimal(item.unit_price, 2)
            name = item.designation or item.article.designation_1
            texts = [item.article.number, name, _quantity(item.quantity), price, discount, value]
        lines.append([*texts[:-1], format_decimal(texts[-1], 2)])
    return columns, lines


def _delivered_columns() -> list[tuple[str, bool]]:
    return [
        (gettext("Artikel"), False), (gettext("Bezeichnung"), False), (gettext("Menge"), True),
        (gettext("Einzelpreis"), True), (gettext("Rabatt"), True), (gettext("Wert"), True),
    ]  # fmt: skip


def _quantity(value: Decimal) -> str:
    return format_decimal(value.normalize() if value % 1 else value.quantize(Decimal(1)))


def _sums(document: Any) -> list[tuple[str, str]]:
    name = spec_of(type(document)).name
    currency = getattr(document, "currency_id", None) or current_setting().own_currency_id
    code = Currency.select(Currency.code).where(Currency.id == currency).tuples().scalar() or ""

    def amount(value: Decimal) -> str:
        return f"{format_decimal(value, 2)} {code}".rstrip()

    if name == "credit_note":
        return [(gettext("Gutschriftsbetrag"), amount(document.total_amount))]
    rows: list[tuple[str, str]] = []
    if document.final_discount_percent:
        rows.append((gettext("Rabatt"), f"{format_decimal(document.final_discount_percent, 2)} %"))
    if name == "invoice":
        net, tax = document.net_amount, document.tax_amount
    else:
        net, tax = _order_sums(document, rows, amount)
    rows += [(gettext("Nettobetrag"), amount(net)), (gettext("Steuerbetrag"), amount(tax))]
    return [*rows, (gettext("Gesamtbetrag"), amount(net + tax))]


def _order_sums(document: Any, rows: list[tuple[str, str]], amount: Any) -> tuple[Decimal, Decimal]:
    """Net and tax of an order with its charges, which are taxed as what they go with."""
    header = type(document).select().where(type(document).id == document.id).dicts().get()
    sums = sums_of(document.items.dicts(), header)
    net, tax = sums.net, sums.tax
    for charge in _CHARGES:
        value = header[charge]
        if value:
            rows.append((str(spec_of(type(document)).field(charge).label), amount(value)))
            tax += rounded(value * sums.tax / sums.net) if sums.net else Decimal(0)
            net += value
    return net, tax

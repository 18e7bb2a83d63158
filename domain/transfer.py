"""The transfer of invoices to the financial accounting: which ones, to which accounts, with which dunning address.

Shape: a new transfer makes one posting per invoice and revenue account; confirming it stamps the invoices, each once.
Units: amounts in our own currency. Errors: a customer without an account, or a line without a revenue code, is told by
number and stops the transfer: nothing is handed over.
Source: PX-112, PX-149, PX-152, PX-153, ME-46, NE-50.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from domain.dates import today
from domain.money import converted, line_value, rounded
from domain.settings import Setting, current_setting
from domain.trade import Invoice, InvoiceItem
from domain.trade.receivers import address_lines
from domain.values.taxes import RevenueCode
from flask_appadmin.changes import NewRecord, Update, Written
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext
from flask_appadmin.specs import spec_of


def postings(transfer: Written, model: Any, operation: Any) -> Iterator[NewRecord]:
    """The postings of a new transfer: the invoices of its tenant's customers that nobody has handed over yet.

    A transfer without a tenant takes the customers without one.
    """
    customers = Invoice.customer.rel_model
    transfers = model.accounting_transfer.rel_model
    setting = current_setting()
    tenant = transfer.new.get("tenant")
    mine = customers.accounting_tenant.is_null() if tenant is None else customers.accounting_tenant == tenant
    handed_over = model.select(model.invoice).join(transfers).where(transfers.status != "discarded")
    query = (
        Invoice.select(Invoice, customers)
        .join(customers, on=(Invoice.customer == customers.id))
        .where(mine, customers.transfer_to_accounting, Invoice.transferred_on.is_null())
        .where(Invoice.id.not_in(handed_over))
        .order_by(Invoice.id)
    )
    for invoice in query:
        account = debtor_account(invoice)
        shares = _shares(invoice, setting)
        missing = list(_missing(invoice, account, shares))
        operation.faults.extend(AppAdminError(sentence) for sentence in missing)
        values = {
            "accounting_transfer": transfer.key,
            "invoice": invoice.id,
            "debtor_account": account,
            "dunning_address": dunning_address(invoice, setting),
            "factoring": invoice.customer.factoring,
        }
        for revenue_account, net, tax in [] if missing else shares:
            amounts = {"revenue_account": revenue_account, "net_amount": net, "tax_amount": tax}
            yield NewRecord(spec_of(model), {**values, **amounts})


def _missing(invoice: Any, account: str, shares: list[tuple[str, Decimal, Decimal]]) -> Iterator[str]:
    title = gettext("Rechnung %(number)s", number=invoice.number)
    if not account:
        number = invoice.customer.customer_number
        yield gettext("%(what)s: Kunde %(number)s hat kein Debitorenkonto.", what=title, number=number)
    if any(not revenue_account for revenue_account, _net, _tax in shares):
        yield gettext("%(what)s: Eine Position hat keinen Erlöscode.", what=title)


def debtor_account(invoice: Any) -> str:
    """The account an invoice is posted to: the collective one, the customer's own, or that of the branch (ME-46)."""
    customer = invoice.customer
    branch = invoice.branch.dummy_debtor_account if invoice.branch_id is not None else None
    return str(customer.collective_debtor or customer.debtor_account or branch or "")


def dunning_address(invoice: Any, setting: Setting) -> str:
    """Of a sundry customer the address of the invoice, if the interface is set so; else that of the master data."""
    if invoice.customer.one_time_customer and setting.invoice_address_as_dunning_address and invoice.address_text:
        return str(invoice.address_text)
    return "\n".join(address_lines(Invoice.customer.rel_model, invoice.customer_id))


def _shares(invoice: Any, setting: Setting) -> list[tuple[str, Decimal, Decimal]]:
    """(revenue account, net, tax) in our own currency; the last share takes what rounding left."""
    values: dict[str, Decimal] = {}
    for item in InvoiceItem.select().where(InvoiceItem.invoice == invoice.id).order_by(InvoiceItem.id):
        code = item.revenue_code_id or item.article.revenue_code_id
        account = _revenue_account(code, invoice.customer, setting)
        value = line_value(item.quantity, item.unit_price, item.discount_percent)
        values[account] = values.get(account, Decimal(0)) + value
    net = converted(invoice.net_amount, invoice.currency_id, None)
    tax = converted(invoice.tax_amount, invoice.currency_id, None)
    whole = sum(values.values())
    if not whole:
        # An invoice that was entered without lines goes to the account of the first revenue code.
        first = RevenueCode.select().order_by(RevenueCode.id).first()
        return [(_revenue_account(first.id if first else None, invoice.customer, setting), net, tax)]
    shares = []
    last = list(values)[-1]
    left_net, left_tax = net, tax
    for account, value in values.items():
        part_net = left_net if account == last else rounded(net * value / whole)
        part_tax = left_tax if account == last else rounded(tax * value / whole)
        left_net, left_tax = left_net - part_net, left_tax - part_tax
        shares.append((account, part_net, part_tax))
    return shares


def _revenue_account(code: int | None, customer: Any, setting: Setting) -> str:
    found = RevenueCode.get_or_none(RevenueCode.id == code) if code is not None else None
    if found is None:
        return ""
    account = None
    if setting.use_group_account_numbers:
        if customer.group_taxable:
            account = found.group_taxable_account
        elif customer.group_non_taxable:
            account = found.group_non_taxable_account
        elif customer.free_revenue_account:
            account = found.group_free_account
    return str(account or found.account)


def stamped(transfer: Written, model: Any) -> Iterator[Update]:
    """A confirmed transfer marks its invoices as handed over."""
    query = model.select(model.invoice).where(model.accounting_transfer == transfer.key).distinct()
    for (invoice,) in query.tuples():
        yield Update(spec_of(Invoice), invoice, {"transferred_on": today()})

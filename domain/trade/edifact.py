"""„EDIFACT Ausgangsrechnungen“: invoices to customers marked „EDIFACT Export“, as INVOIC messages of directory D.96A.

Shape: one interchange with one message per invoice, syntax version 3, character set UNOC (ISO 8859-1). A segment is a
list of elements, an element a text or a tuple of components; what means something to EDIFACT gets the release
character. An invoice that was exported has its time in `edifact_exported_at`; taking that back lists it again.
Units: amounts in the currency of the invoice, percentages 0 to 100, prices and quantities with a decimal point.
Errors: EdifactFault for an invoice that lacks what every message needs; OutboxFault where no file can be written.
Source: PX-119; UN/EDIFACT D.96A INVOIC, ISO 9735 version 3; docs/decisions/edifact.md.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from peewee import prefetch

from domain.money import line_value, rounded
from domain.settings import current_setting
from domain.trade import Invoice, InvoiceItem
from domain.values.countries import Currency
from domain.values.terms import DiscountType
from domain.vat_ids import whole_vat_id
from flask_appadmin.changes import Applied, ChangeSet
from flask_appadmin.database import in_transaction, key_condition, utcnow
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext, ngettext
from flask_appadmin.rights import Operator, visible
from flask_appadmin.sheets.outbox import folder_below, lay_down
from flask_appadmin.specs import spec_of

#: The folder of the outbox in which the files lie.
FOLDER = "edifact"

Segment = Sequence[str | tuple[str, ...]]

_HUNDRED = Decimal(100)
#: What Latin 1 lacks and people use all the same.
_INSTEAD = str.maketrans({"€": "EUR", "„": '"', "“": '"', "”": '"', "‚": "'", "‘": "'", "’": "'", "–": "-", "—": "-",
                          "…": "...", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "™": "TM",
                          "\u202f": " "})  # fmt: skip


class EdifactFault(AppAdminError):
    """An invoice that cannot become a message."""

    status = 409


# --- which ------------------------------------------------------------------------------------------------------------


def open_invoices(operator: Operator) -> Any:
    """The invoices to marked customers that nobody has exported yet, the oldest first, as a query."""
    customers = Invoice.customer.rel_model
    query = (
        Invoice.select(Invoice, customers)
        .join(customers, on=(Invoice.customer == customers.id))
        .where(customers.edifact_export, Invoice.edifact_exported_at.is_null())
    )
    for condition in (visible(operator, spec_of(Invoice)), visible(operator, spec_of(customers))):
        query = query if condition is None else query.where(condition)
    return query.order_by(Invoice.invoiced_on, Invoice.id)


def export_invoices(keys: Sequence[int] | None, operator: Operator, outbox: Path) -> tuple[list[str], Applied | None]:
    """Writes a file for each of these open invoices (None: for all) and marks them, all or none; answers their names.

    The files get their place in the last step of the transaction: when that fails, the marks are taken back.
    """
    operator.require("export.run")

    def work() -> tuple[list[str], Applied | None]:
        query = open_invoices(operator)
        if keys is not None:
            query = query.where(key_condition(Invoice.id, list(keys)))
        found = list(prefetch(query, InvoiceItem.select().order_by(InvoiceItem.id)))
        if not found:
            return [], None
        now = utcnow()
        contents = [(file_name(invoice), encoded(interchange(invoice, now))) for invoice in found]
        title = ngettext("EDIFACT-Export: %(count)s Rechnung", "EDIFACT-Export: %(count)s Rechnungen", len(found))
        change = ChangeSet("transmit", title=title)
        for invoice in found:
            change.update(Invoice, invoice.id, {"edifact_exported_at": now}, base={"edifact_exported_at": None})
        applied = change.apply(operator)
        folder = folder_below(outbox, FOLDER, make=True)
        written: list[Path] = []
        try:
            for name, content in contents:
                written.append(lay_down(folder, name, [content]))
        except AppAdminError:
            for path in written:
                path.unlink(missing_ok=True)
            raise
        return [path.name for path in written], applied

    names, applied = in_transaction(work)
    return names, applied


def file_name(invoice: Any) -> str:
    """What the file of an invoice is called; the key tells numbers apart that differ in other characters only."""
    return f"INVOIC_{re.sub(r'[^A-Za-z0-9-]+', '-', invoice.number).strip('-')}_{invoice.id}.edi"


# --- what stands in a message -----------------------------------------------------------------------------------------


def interchange(invoice: Any, now: datetime.datetime) -> list[Segment]:
    """All segments of the file of one invoice, with their envelope."""
    sender = (current_setting().own_vat_id or "").replace(" ", "")
    if not sender:
        words = gettext(
            "In den Globalen Einstellungen fehlt die eigene Umsatzsteuer-ID: Sie steht als Absender in jeder "
            "EDIFACT-Datei. Es wurde nichts exportiert."
        )
        raise EdifactFault(words)
    customer = invoice.customer
    partner = customer.edifact_partner or customer.gln or _vat_id(customer) or str(customer.customer_number)
    reference = str(invoice.id)
    message = _message(invoice, sender, partner)
    return [
        (
            "UNB",
            ("UNOC", "3"),
            sender,
            (partner[:35], "14" if partner == customer.gln else ""),
            (f"{now:%y%m%d}", f"{now:%H%M}"),
            reference,
        ),
        ("UNH", reference, ("INVOIC", "D", "96A", "UN")),
        *message,
        ("UNT", str(len(message) + 2), reference),
        ("UNZ", "1", reference),
    ]


def _message(invoice: Any, sender: str, partner: str) -> list[Segment]:
    customer = invoice.customer
    items = list(invoice.items)
    nets = [_net(item, invoice) for item in items]
    segments: list[Segment] = [
        ("BGM", "380", invoice.number, "9"),
        ("DTM", ("137", f"{invoice.invoiced_on:%Y%m%d}", "102")),
        ("NAD", "SU", (sender, "", "92")),
        ("RFF", ("VA", sender)),
        _buyer(customer, partner),
    ]
    if _vat_id(customer):
        segments.append(("RFF", ("VA", _vat_id(customer))))
    if customer.own_supplier_number:
        segments.append(("RFF", ("IT", customer.own_supplier_number)))
    receiver = invoice.invoice_customer or customer
    lines = [line[:35] for line in (invoice.address_text or "").split("\n") if line][:5]
    segments.append(("NAD", "IV", (str(receiver.customer_number), "", "92"), tuple(lines)))
    segments.append(("CUX", ("2", _currency(invoice), "4")))
    if invoice.due_on:
        segments += [("PAT", "1"), ("DTM", ("13", f"{invoice.due_on:%Y%m%d}", "102"))]
    difference = sum(nets, Decimal(0)) - invoice.net_amount if items else Decimal(0)
    if difference:
        # What the discounts of the header take off all lines together.
        kind, amount = ("A", "204") if difference > 0 else ("C", "23")
        segments += [("ALC", kind), ("MOA", (amount, _amount(abs(difference))))]
    for number, (item, net) in enumerate(zip(items, nets, strict=True), start=1):
        segments += _line(number, item, net, invoice)
    segments += [("UNS", "S"), ("CNT", ("2", str(len(items))))]
    segments += [("MOA", ("77", _amount(invoice.total_amount))), ("MOA", ("79", _amount(sum(nets, Decimal(0)))))]
    segments += [("MOA", ("125", _amount(invoice.net_amount))), ("MOA", ("124", _amount(invoice.tax_amount)))]
    return segments + _taxes(invoice, items)


def _vat_id(customer: Any) -> str:
    return whole_vat_id(customer.vat_id_country, customer.vat_id_code)


def _buyer(customer: Any, partner: str) -> Segment:
    names = [text for text in (customer.name_1, customer.name_2, customer.name_3) if text]
    country = customer.country.code if customer.country_id is not None else ""
    name = tuple(part for text in names for part in _parts(text, 35))[:5]
    street = tuple(_parts(customer.street or customer.po_box or "", 35))[:4]
    place = ((customer.city or "")[:35], "", (customer.postal_code or "")[:9], country)
    code = "9" if partner == customer.gln else "92"
    return ("NAD", "BY", (partner[:35], "", code), "", name, street, *place)


def _line(number: int, item: Any, net: Decimal, invoice: Any) -> list[Segment]:
    article = item.article
    name = item.designation or article.designation_1 or ""
    segments: list[Segment] = [("LIN", str(number), "", (article.number[:35], "SA"))]
    for part in _parts(" ".join(name.split()), 70)[:5]:
        segments.append(("IMD", "F", "", ("", "", "", part[:35], part[35:])))
    segments.append(("QTY", ("47", _plain(item.quantity))))
    segments.append(("MOA", ("203", _amount(net))))
    price = item.unit_price
    if invoice.gross_prices:
        price = (price * _HUNDRED / (_HUNDRED + (item.tax_percent or 0))).quantize(Decimal("0.0001"))
    segments.append(("PRI", ("AAB" if item.discount_percent else "AAA", _plain(price))))
    if item.delivery_note_item_id is not None:
        segments.append(("RFF", ("DQ", item.delivery_note_item.delivery_note.number)))
    if item.tax_percent is not None:
        segments.append(("TAX", "7", "VAT", "", "", ("", "", "", _plain(item.tax_percent))))
    if item.discount_percent:
        segments += [("ALC", "A"), ("PCD", ("3", _plain(item.discount_percent)))]
    return segments


def _net(item: Any, invoice: Any) -> Decimal:
    value = line_value(item.quantity, item.unit_price, item.discount_percent)
    if invoice.gross_prices:
        percent = item.tax_percent or Decimal(0)
        value -= rounded(value * percent / (_HUNDRED + percent))
    return value


def _taxes(invoice: Any, items: Sequence[Any]) -> list[Segment]:
    """The tax of each rate, where rates make what the invoice says; somebody may have entered its sums by hand."""
    share = (_HUNDRED - (invoice.final_discount_percent or 0)) / _HUNDRED
    for key in (invoice.document_discount_1_id, invoice.document_discount_2_id):
        if key is not None:
            share *= (_HUNDRED - (DiscountType.get_by_id(key).percent or 0)) / _HUNDRED
    values: dict[Decimal, Decimal] = {}
    for item in items:
        percent = item.tax_percent or Decimal(0)
        value = line_value(item.quantity, item.unit_price, item.discount_percent)
        values[percent] = values.get(percent, Decimal(0)) + value
    rates: list[tuple[Decimal, Decimal, Decimal]] = []
    for percent, value in values.items():
        value = rounded(value * share)
        inside = rounded(value * percent / (_HUNDRED + percent)) if invoice.gross_prices else Decimal(0)
        tax = inside if invoice.gross_prices else rounded(value * percent / _HUNDRED)
        rates.append((percent, value - inside, tax))
    sums = (sum((rate[1] for rate in rates), Decimal(0)), sum((rate[2] for rate in rates), Decimal(0)))
    if sums != (invoice.net_amount, invoice.tax_amount):
        return []
    found: list[Segment] = []
    for percent, net, tax in rates:
        found.append(("TAX", "7", "VAT", "", "", ("", "", "", _plain(percent))))
        found += [("MOA", ("125", _amount(net))), ("MOA", ("124", _amount(tax)))]
    return found


def _currency(invoice: Any) -> str:
    key = invoice.currency_id or current_setting().own_currency_id
    return str(Currency.select(Currency.code).where(Currency.id == key).tuples().scalar() or "EUR")


def _amount(value: Decimal) -> str:
    return f"{value:.2f}"


def _plain(value: Decimal) -> str:
    """A number without zeros behind that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _parts(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(0, len(text), length)]


# --- how it is written ------------------------------------------------------------------------------------------------


def encoded(segments: Iterable[Segment]) -> bytes:
    """The segments as a file: separators announced by UNA, texts with the release character, in Latin 1.

    >>> encoded([("BGM", "380", "R'1+2?", "9"), ("NAD", "IV", ("A:1", "", "92"), "")])
    b"UNA:+.? 'BGM+380+R?'1?+2??+9'NAD+IV+A?:1::92'"
    """
    text = "".join(f"{_segment(segment)}'" for segment in segments)
    return f"UNA:+.? '{text}".encode("latin-1")


def _segment(segment: Segment) -> str:
    elements = [
        _escaped(element) if isinstance(element, str) else ":".join(_filled([_escaped(part) for part in element]))
        for element in segment
    ]
    return "+".join(_filled(elements))


def _filled(parts: list[str]) -> list[str]:
    """Without the empty ones at the end: a message leaves them out."""
    while parts and not parts[-1]:
        parts.pop()
    return parts


def _escaped(text: str) -> str:
    return re.sub(r"([?+:'])", r"?\1", _latin(text))


def _latin(text: str) -> str:
    """The text in Latin 1: letters without their foreign accents, a blank for what has no letter there.

    >>> _latin("Škoda & Żółć – 5 €, Süß")
    'Skoda & Zólc - 5 EUR, Süß'
    """
    found = []
    for letter in unicodedata.normalize("NFC", text).translate(_INSTEAD):
        if not letter.isprintable():
            letter = " "
        elif ord(letter) > 255:
            bare = unicodedata.normalize("NFKD", letter).encode("latin-1", "ignore").decode("latin-1")
            letter = bare or " "
        found.append(letter)
    return "".join(found)


__all__ = ["FOLDER", "EdifactFault", "encoded", "export_invoices", "file_name", "interchange", "open_invoices"]

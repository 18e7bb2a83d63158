"""What becomes of customers that somebody deletes: drafts go, others are anonymised, some must stay.

Shape: `departures(Customer, keys)` answers changes.Departure for every customer that does not simply go; a handful of
questions for any number of them. Documents count whoever of the customers on them is meant, so that nobody is lost who
still gets goods or an invoice. Where the settings name a period of retention, whoever has an invoice, credit note or
delivery note of that period stays; the period begins with the end of the year of the newest one.
Source: domain.md section 4 (On deleting); PX-67 to PX-72, NE-08, NE-09, NE-11; trust.md case 90; § 147 AO, § 132 BAO.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from peewee import fn

from domain.credit import is_unpaid
from domain.dates import today
from domain.settings import current_setting
from domain.trade import CreditNote, DeliveryNote, Invoice, SalesOrder, StockMovement
from flask_appadmin.changes import ANONYMISE, REFUSE, Departure, led_to
from flask_appadmin.database import key_condition
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.i18n import _, format_date, format_number, gettext
from flask_appadmin.specs import is_owner, spec_of

#: How other customers use one -> in words; who is merely somebody's successor can go.
_USES = (
    ("invoice_customer", _("abweichender Rechnungskunde von %(who)s")),
    ("delivery_customer", _("abweichender Lieferkunde von %(who)s")),
    ("condition_carrier", _("Konditionsträger von %(who)s")),
    ("association", _("Verband von %(who)s")),
    ("parent_customer", _("Haupt-Kunde (Zentrale) von %(who)s")),
)


def departures(customers: Any, keys: Sequence[int]) -> dict[int, Departure]:
    """The customers among these that do not simply go, with what happens to them instead."""
    rows = customers.select(customers.id, customers.status, customers.customer_type)
    known = {row[0]: row[1:] for row in rows.where(key_condition(customers.id, keys)).tuples()}
    holding: dict[int, list[str]] = {}
    for key, words in (*_open_business(list(known)), *_used_by_customers(customers, list(known))):
        holding.setdefault(key, []).append(words)
    drafts = [key for key, (status, _kind) in known.items() if status == "draft"]
    recorded = _with_records(customers, drafts)
    kept = _under_retention(list(known))
    found = {}
    for key, (status, kind) in known.items():
        reasons = []
        if status == "anonymised":
            reasons.append(gettext("Der Kunde ist schon anonymisiert."))
        if kind != "end_customer":
            reasons.append(gettext("Bitte ändern Sie zuerst den Kundentyp auf Endkunde."))
        if key in holding:
            reasons.append(gettext("Kunde kann nicht gelöscht werden: %(reasons)s", reasons=", ".join(holding[key])))
        if key in kept:
            newest, until = kept[key]
            reasons.append(
                gettext(
                    "Der jüngste Beleg ist vom %(day)s, der Kunde ist bis %(until)s aufzubewahren; bis dahin lässt er "
                    "sich sperren.",
                    day=format_date(newest),
                    until=format_date(until),
                )
            )
        if reasons:
            found[key] = Departure(REFUSE, tuple(reasons))
        elif status != "draft" or key in recorded:
            found[key] = Departure(ANONYMISE)
    return found


def _open_business(keys: Sequence[int]) -> Iterator[tuple[int, str]]:
    """(customer, in words) of orders, delivery notes and invoices that are not done, and of stock at the customer."""
    open_ones = (
        (
            SalesOrder,
            (SalesOrder.customer, SalesOrder.invoice_customer, SalesOrder.delivery_customer),
            SalesOrder.status == "open",
            gettext("offene Aufträge"),
        ),
        (DeliveryNote, (DeliveryNote.customer,), DeliveryNote.status == "open", gettext("offene Lieferscheine")),
        (Invoice, (Invoice.customer, Invoice.invoice_customer), is_unpaid(), gettext("nicht bezahlte Rechnungen")),
        (StockMovement, (StockMovement.customer,), None, gettext("Buchungen auf Kundenlager")),
    )
    used = led_to([reference for _model, references, _condition, _words in open_ones for reference in references], keys)
    for model, references, condition, words in open_ones:
        concerned: set[int] = set()
        for reference in references:
            if reference not in used:
                continue
            among = key_condition(reference, used[reference])
            query = model.select(reference).where(among if condition is None else among & condition).distinct()
            concerned.update(row[0] for row in query.tuples())
        yield from ((key, words) for key in sorted(concerned))


def _under_retention(keys: Sequence[int]) -> dict[int, tuple[datetime.date, datetime.date]]:
    """Customer -> (day of the newest document, last day on which it has to be kept), of those whose day is not over."""
    years = current_setting().retention_years
    if not years:
        return {}
    newest: dict[int, datetime.date] = {}
    for reference, day in (
        (Invoice.customer, Invoice.invoiced_on),
        (Invoice.invoice_customer, Invoice.invoiced_on),
        (CreditNote.customer, CreditNote.credited_on),
        (DeliveryNote.customer, DeliveryNote.delivered_on),
    ):
        query = reference.model.select(reference, fn.MAX(day)).where(key_condition(reference, keys))
        for key, latest in query.group_by(reference).tuples():
            newest[key] = max(newest.get(key, latest), latest)
    until = {key: datetime.date(min(day.year + years, datetime.MAXYEAR), 12, 31) for key, day in newest.items()}
    return {key: (day, until[key]) for key, day in newest.items() if until[key] >= today()}


def _used_by_customers(customers: Any, keys: Sequence[int]) -> Iterator[tuple[int, str]]:
    """(customer, in words) of those that other customers need, naming the first of them."""
    found = []
    used = led_to([customers._meta.fields[name] for name, _words in _USES], keys)
    for name, words in _USES:
        reference = customers._meta.fields[name]
        if reference not in used:
            continue
        query = customers.select(reference, fn.MIN(customers.id), fn.COUNT(customers.id))
        query = query.where(key_condition(reference, used[reference]) & (customers.id != reference)).group_by(reference)
        found += [(words, *row) for row in query.tuples()]
    titles = ReferenceCache().titles(spec_of(customers), {first for _words, _key, first, _count in found})
    for words, key, first, count in found:
        who = gettext("Kunde %(title)s", title=titles[first])
        if count > 1:
            who += " " + gettext("und %(count)s weitere", count=format_number(count - 1))
        yield key, str(words) % {"who": who}


def _with_records(customers: Any, keys: Sequence[int]) -> set[int]:
    """Drafts that documents or statistics name already: those stay, so the customer cannot simply go."""
    holding = (
        reference
        for reference, model in customers._meta.backrefs.items()
        if model is not customers and not is_owner(reference) and (reference.on_delete or "") == "RESTRICT"
    )
    return {key for found in led_to(holding, keys).values() for key in found}

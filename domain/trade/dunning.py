"""Runs that look for overdue invoices, and what they decided. Source: NE-96, ME-71, ME-101."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from peewee import CharField, DateField, ForeignKeyField, fn

from domain.codes import DUNNING_DELIVERIES
from domain.dates import today
from domain.links import LaterForeignKey, Reference
from domain.trade.heads import ActingRun
from domain.trade.invoices import Invoice
from flask_appadmin.changes import NewRecord, Written
from flask_appadmin.database import Record
from flask_appadmin.i18n import _
from flask_appadmin.rights import User
from flask_appadmin.specs import Description, described, spec_of


class DunningRun(ActingRun, Record):
    """A run that looked for overdue invoices."""

    description = Description(
        label=_("Mahnlauf"), plural=_("Mahnläufe"), title=("run_on",), menu="trade", right="trade", order=("-run_on",)
    )

    run_on = described(DateField(default=today, verbose_name=_("Datum")), copy="clear", listed=True, required=True)
    user = described(Reference(User, verbose_name=_("Benutzer")), copy="clear", listed=True)

    class Meta:
        table_name = "dunning_run"

    follow_fields = ("run_on",)

    @classmethod
    def act(cls, run: Written, operation: Any) -> Iterable[Any]:
        """What it decides about every invoice that is overdue on its day."""
        return _reminders(run)


class Reminder(Record):
    """What a dunning run decided about an overdue invoice."""

    description = Description(
        label=_("Mahnung"), plural=_("Mahnungen"), title=("customer", "invoice"), menu="", right="trade", order=("id",)
    )

    dunning_run = described(
        ForeignKeyField(DunningRun, backref="reminders", on_delete="CASCADE", verbose_name=_("Mahnlauf")),
        owner=True,
        copy="clear",
        listed=True,
    )
    customer = described(LaterForeignKey("Customer", index=True, verbose_name=_("Kunde")), copy="clear", listed=True)
    invoice = described(Reference(Invoice, index=True, verbose_name=_("Rechnung")), copy="clear", listed=True)
    kind = described(
        CharField(
            max_length=20,
            choices=[("reminder", _("Mahnung")), ("statement", _("Kontoauszug")), ("skipped", _("ausgelassen"))],
            default="reminder",
            verbose_name=_("Ergebnis"),
        ),
        copy="clear",
        listed=True,
        required=True,
    )
    delivery = described(
        CharField(max_length=20, choices=DUNNING_DELIVERIES, null=True, default="0", verbose_name=_("Zustellung")),
        copy="clear",
        listed=True,
    )
    recipient = described(
        CharField(max_length=254, null=True, verbose_name=_("Empfänger")), copy="clear", listed=True, personal="wipe"
    )

    class Meta:
        table_name = "reminder"


#: Mahnung of the customer -> what comes of an overdue invoice; all others are reminded.
_OUTCOMES = {"2": "statement", "3": "skipped", "4": "skipped", "6": "skipped"}


def _reminders(run: Written) -> Iterator[NewRecord]:
    customers = Invoice.customer.rel_model
    query = (
        Invoice.select(Invoice.id, Invoice.customer, customers.dunning_lock, customers.dunning_mode)
        .join(customers, on=(Invoice.customer == customers.id))
        .where(Invoice.due_on < run.new["run_on"], ~Invoice.settled, Invoice.paid_amount < Invoice.total_amount)
        .order_by(Invoice.customer, Invoice.id)
    )
    receivers: dict[int, tuple[str, str | None]] = {}
    for invoice, customer, locked, mode in query.tuples():
        if customer not in receivers:
            receivers[customer] = reminder_receiver(customer)
        delivery, recipient = receivers[customer]
        kind = "skipped" if locked else _OUTCOMES.get(mode, "reminder")
        values = {"dunning_run": run.key, "customer": customer, "invoice": invoice, "kind": kind}
        yield NewRecord(spec_of(Reminder), {**values, "delivery": delivery, "recipient": recipient})


def reminder_receiver(customer: int) -> tuple[str, str | None]:
    """How and to whom reminders of a customer go: what its first active contact for them wants (ME-101).

    Without such a contact they are printed. A contact that wants mail or fax and has no address for it is passed over.
    """
    contacts = Invoice.contact.rel_model
    query = (
        contacts.select()
        .where(contacts.customer == customer, contacts.active, contacts.dunning_delivery.in_(("1", "2", "3", "4")))
        .order_by(fn.COALESCE(contacts.sort_order, 999_999), contacts.sequence_number)
    )
    for contact in query:
        name = " ".join(part for part in (contact.name_1, contact.name_2) if part)
        address = {"2": contact.email, "3": contact.fax}.get(contact.dunning_delivery, name)
        if address:
            return contact.dunning_delivery, address
    return "1", None

"""Runs that look for overdue invoices, and what they decided."""

from __future__ import annotations

from peewee import CharField, DateField, ForeignKeyField

from domain.codes import DUNNING_DELIVERIES
from domain.dates import today
from domain.links import LaterForeignKey, Reference
from domain.trade.invoices import Invoice
from flask_appadmin.database import Record
from flask_appadmin.i18n import _
from flask_appadmin.rights import User
from flask_appadmin.specs import Description, described


class DunningRun(Record):
    """A run that looked for overdue invoices."""

    description = Description(
        label=_("Mahnlauf"), plural=_("Mahnläufe"), title=("run_on",), menu="trade", right="trade", order=("-run_on",)
    )

    run_on = described(DateField(default=today, verbose_name=_("Datum")), copy="clear", listed=True, required=True)
    user = described(Reference(User, verbose_name=_("Benutzer")), copy="clear", listed=True)

    class Meta:
        table_name = "dunning_run"


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
    recipient = described(CharField(max_length=254, null=True, verbose_name=_("Empfänger")), copy="clear", listed=True)

    class Meta:
        table_name = "reminder"

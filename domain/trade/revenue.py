"""The turnover of documents, as statistics count it. Units: amounts in our own currency, without tax."""

from __future__ import annotations

from peewee import CharField, DateField

from domain.links import LaterForeignKey
from flask_appadmin.database import Record
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, described


class RevenueFact(Record):
    """The turnover of one document, as statistics count it."""

    description = Description(
        label=_("Umsatzbeleg"),
        plural=_("Umsatzbelege"),
        title=("document_kind", "document_number"),
        menu="account",
        right="account",
        order=("-fact_on",),
    )

    document_kind = described(
        CharField(
            max_length=20,
            choices=[("invoice", _("Rechnung")), ("credit_note", _("Gutschrift")), ("till_receipt", _("Bon"))],
            verbose_name=_("Belegart"),
        ),
        copy="clear",
        listed=True,
    )
    document_number = described(
        CharField(max_length=20, verbose_name=_("Belegnummer")), copy="clear", searchable=True, listed=True
    )
    customer = described(LaterForeignKey("Customer", index=True, verbose_name=_("Kunde")), copy="clear", listed=True)
    association = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Verband")), copy="clear", listed=True
    )
    amount = described(DecimalField(14, 2, verbose_name=_("Betrag")), unit="€", copy="clear", listed=True)
    fact_on = described(DateField(index=True, verbose_name=_("Datum")), copy="clear", listed=True)

    class Meta:
        table_name = "revenue_fact"

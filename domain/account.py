"""Money and turnover after the documents: the customer's account, the transfer to the accounting, business years.

Shape: an account entry is never changed nor deleted; corrections are entries of their own.
A posting is what was handed over.
Units: money in euro, points with 2 places. Source: NE-97 to NE-147, PX-104 to PX-116.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from peewee import BooleanField, CharField, DateField, DateTimeField, ForeignKeyField, IntegerField, TextField

from domain.catalog import Article
from domain.links import LaterForeignKey, Reference
from domain.rules import ends_before_start, missing
from domain.till import Promotion
from domain.trade import Invoice
from domain.trade.heads import ActingRun
from domain.transfer import postings, stamped
from domain.values.company import Branch, Employee, Tenant
from flask_appadmin.changes import Written
from flask_appadmin.database import Record, utcnow
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import User
from flask_appadmin.specs import Description, described


class AccountEntry(Record):
    """A movement on the account of a customer: sale, exchange, return, correction, settlement."""

    description = Description(
        label=_("Kontobewegung"),
        plural=_("Kundenkonto"),
        title=("turnover_kind", "receipt_number"),
        menu="account",
        right="account",
        order=("-booked_at",),
    )

    customer = described(LaterForeignKey("Customer", index=True, verbose_name=_("Kunde")), copy="clear", listed=True)
    booked_at = described(DateTimeField(index=True, verbose_name=_("Zeitpunkt")), copy="clear", listed=True)
    seller = described(Reference(Employee, null=True, verbose_name=_("Verkäufer")), copy="clear")
    user = described(Reference(User, null=True, verbose_name=_("Benutzer")), copy="clear")
    branch = described(Reference(Branch, null=True, verbose_name=_("Filiale")), copy="clear", listed=True)
    receipt_number = described(
        CharField(max_length=30, index=True, null=True, verbose_name=_("Belegnummer")),
        copy="clear",
        searchable=True,
        listed=True,
    )
    article = described(Reference(Article, index=True, null=True, verbose_name=_("Artikel")), copy="clear", listed=True)
    turnover_kind = described(
        CharField(
            max_length=20,
            choices=[
                ("cash_sale", _("Barverkauf")),
                ("shipping_order", _("Versandauftrag")),
                ("credit_sale", _("Kreditverkauf")),
                ("return", _("Retoure")),
                ("exchange", _("Umtausch")),
                ("bonus_settlement", _("Bonusabrechnung")),
                ("points_correction", _("Punkte Korrektur")),
                ("turnover_booking", _("Umsatz Buchung")),
            ],
            verbose_name=_("Art des Umsatz"),
        ),
        copy="clear",
        listed=True,
    )
    quantity = described(DecimalField(12, 3, null=True, verbose_name=_("Menge")), copy="clear", listed=True)
    value = described(
        DecimalField(14, 2, null=True, default=Decimal(0), verbose_name=_("Wert (€)")),
        unit="€",
        copy="clear",
        listed=True,
    )
    discount_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("gewährter Rabatt %")), unit="%", copy="clear"
    )
    payment_method = described(
        CharField(
            max_length=30, null=True, verbose_name=_("Zahlart"), help_text=_("Bei mehreren Zahlarten nur die erste.")
        ),
        copy="clear",
        listed=True,
    )
    bonus_percent = described(
        DecimalField(5, 2, null=True, default=Decimal(100), verbose_name=_("Prozentsatz Bonifizierung")),
        unit="%",
        minimum=0,
        copy="clear",
    )
    bonus = described(
        DecimalField(12, 2, null=True, default=Decimal(0), verbose_name=_("Bonus")), copy="clear", listed=True
    )
    credit_determined = described(
        DecimalField(
            14, 2, null=True, default=Decimal(0), verbose_name=_("ermittelter Gutschriftswert aus Bonusabrechnung")
        ),
        unit="€",
        copy="clear",
    )
    credit_redeemed = described(
        DecimalField(
            14, 2, null=True, default=Decimal(0), verbose_name=_("eingelöster Gutschriftswert aus Bonusabrechnung")
        ),
        unit="€",
        copy="clear",
    )
    credit_correction = described(
        DecimalField(
            14, 2, null=True, default=Decimal(0), verbose_name=_("Korrektur Saldo Gutschriftswert aus Bonusabrechnung")
        ),
        unit="€",
        copy="clear",
    )
    bonus_settled_on = described(DateField(null=True, verbose_name=_("Bonus abgerechnet")), copy="clear")
    promotion = described(
        Reference(Promotion, index=True, null=True, verbose_name=_("Umsatz durch Aktion")), copy="clear"
    )
    correction_reason = described(
        CharField(
            max_length=255,
            null=True,
            verbose_name=_("Grund der Korrekturbuchung"),
            help_text=_("Nötig bei Punkte- und Saldokorrekturen."),
        ),
        copy="clear",
    )

    class Meta:
        table_name = "account_entry"

    rule_fields = ("turnover_kind", "credit_correction", "correction_reason")

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        corrected = values.get("turnover_kind") == "points_correction" or values.get("credit_correction")
        if corrected and values.get("correction_reason") is None:
            yield missing(cls, "correction_reason", gettext("Eine Korrektur braucht einen Grund."))


class AccountingTransfer(ActingRun, Record):
    """A run that handed invoices over to the financial accounting."""

    description = Description(
        label=_("Überleitung FIBU"),
        plural=_("Überleitungen FIBU"),
        title=("run_at",),
        menu="account",
        right="account",
        order=("-run_at",),
    )

    tenant = described(Reference(Tenant, null=True, verbose_name=_("Mandant (FIBU)")), copy="clear", listed=True)
    run_at = described(
        DateTimeField(default=utcnow, verbose_name=_("Zeitpunkt")), copy="clear", listed=True, required=True
    )
    user = described(Reference(User, verbose_name=_("Benutzer")), copy="clear", listed=True)
    status = described(
        CharField(
            max_length=20,
            choices=[("open", _("offen")), ("confirmed", _("Ja")), ("discarded", _("Nein"))],
            default="open",
            verbose_name=_("Ausdruck in Ordnung"),
        ),
        copy="clear",
        listed=True,
        required=True,
    )
    confirmed_at = described(
        DateTimeField(null=True, verbose_name=_("bestätigt am")), copy="clear", read_only=True, listed=True
    )

    class Meta:
        table_name = "accounting_transfer"

    follow_fields = ("status",)

    @classmethod
    def act(cls, run: Written, operation: Any) -> Iterable[Any]:
        """A new transfer gets its postings (PX-112)."""
        return postings(run, AccountingPosting, operation)

    @classmethod
    def follow(cls, written: Sequence[Written], operation: Any) -> Iterable[Any]:
        """A confirmed one stamps its invoices (PX-149)."""
        yield from super().follow(written, operation)
        for record in written:
            if record.old is not None and record.new.get("status") == "confirmed":
                yield from stamped(record, AccountingPosting)


class AccountingPosting(Record):
    """An invoice as it was handed over to the financial accounting."""

    description = Description(
        label=_("FIBU-Buchung"), plural=_("FIBU-Buchungen"), title=("invoice",), menu="", right="account", order=("id",)
    )

    accounting_transfer = described(
        ForeignKeyField(
            AccountingTransfer, backref="postings", on_delete="CASCADE", verbose_name=_("Überleitung FIBU")
        ),
        owner=True,
        copy="clear",
        listed=True,
    )
    invoice = described(Reference(Invoice, index=True, verbose_name=_("Rechnung")), copy="clear", listed=True)
    debtor_account = described(CharField(max_length=20, verbose_name=_("Debitorenkonto")), copy="clear", listed=True)
    revenue_account = described(CharField(max_length=20, verbose_name=_("Erlöskonto")), copy="clear", listed=True)
    net_amount = described(DecimalField(14, 2, verbose_name=_("Nettobetrag")), unit="€", copy="clear", listed=True)
    tax_amount = described(DecimalField(14, 2, verbose_name=_("Steuerbetrag")), unit="€", copy="clear", listed=True)
    dunning_address = described(TextField(null=True, verbose_name=_("Mahnadresse")), copy="clear")
    factoring = described(BooleanField(default=False, verbose_name=_("Factoring")), copy="clear", listed=True)

    class Meta:
        table_name = "accounting_posting"


class BusinessYear(Record):
    """A business year and the day its customers were closed."""

    description = Description(
        label=_("Geschäftsjahr"),
        plural=_("Geschäftsjahre"),
        title=("year",),
        menu="account",
        right="account",
        order=("-year",),
    )

    year = described(
        IntegerField(unique=True, verbose_name=_("Geschäftsjahr")), copy="clear", listed=True, natural_key=True
    )
    starts_on = described(DateField(verbose_name=_("Beginn")), listed=True)
    ends_on = described(DateField(verbose_name=_("Ende")), listed=True)
    customers_closed_on = described(
        DateField(null=True, verbose_name=_("Jahresabschluss Kunden am")), copy="clear", read_only=True, listed=True
    )

    class Meta:
        table_name = "business_year"

    rule_fields = ("starts_on", "ends_on")

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        yield from ends_before_start(cls, values, "starts_on", "ends_on")

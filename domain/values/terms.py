"""What is agreed on prices and payment: payment terms, discounts, kinds of price, commission."""

from __future__ import annotations

from peewee import BooleanField, CharField, IntegerField

from domain.values.declaring import natural_key
from flask_appadmin.database import Record
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _, many
from flask_appadmin.specs import Description, described


class PaymentTerm(Record):
    """When an invoice is due; a cash term is demanded where the credit rating says so."""

    description = Description(
        label=_("Zahlungsbedingung"), plural=_("Zahlungsbedingungen"), title=("name",), order=("number",)
    )

    number = natural_key(IntegerField(unique=True, verbose_name=_("Nummer (Zahlungsbedingung)")))
    name = described(CharField(max_length=60, verbose_name=_("Zahlungsbedingung")), listed=True)
    net_days = described(
        IntegerField(null=True, default=0, verbose_name=_("Zahlungsziel in Tagen")),
        unit=_("Tage"),
        minimum=0,
        listed=True,
    )
    is_cash = described(
        BooleanField(
            default=False,
            verbose_name=_("Barkondition"),
            help_text=_("Wird bei Bonitätsstufe 3 vor dem Lieferschein verlangt."),
        ),
        listed=True,
    )

    class Meta:
        table_name = "payment_term"


class DiscountType(Record):
    """A discount on whole documents."""

    description = Description(label=_("Rabattart"), plural=_("Rabattarten"), title=("code", "name"), order=("code",))

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Rabattart)")))
    name = described(CharField(max_length=60, verbose_name=_("Rabattart")), listed=True)
    percent = described(
        DecimalField(5, 2, verbose_name=_("Prozentsatz")), unit="%", minimum=0, maximum=100, listed=True
    )

    class Meta:
        table_name = "discount_type"


class PriceType(Record):
    """A kind of sales price; an article has one price per type."""

    description = Description(
        label=_("Preis-Kennzeichen"),
        plural=many("Preis-Kennzeichen", "Preis-Kennzeichen"),
        title=("code", "name"),
        order=("code",),
    )

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Kürzel 'Verkaufspreis'")))
    name = described(CharField(max_length=60, verbose_name=_("Verkaufspreis")), listed=True)

    class Meta:
        table_name = "price_type"


class Intermediary(Record):
    """Who brought a customer and receives the commission."""

    description = Description(
        label=_("Vermittler"), plural=many("Vermittler", "Vermittler"), title=("number", "name"), order=("number",)
    )

    number = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Vermittler-Nr.")))
    name = described(CharField(max_length=60, verbose_name=_("Vermittlername")), listed=True)

    class Meta:
        table_name = "intermediary"

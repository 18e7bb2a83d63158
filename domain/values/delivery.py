"""How and when goods are sent: shipping methods, delivery terms, tours, zones, priorities."""

from __future__ import annotations

from peewee import CharField, IntegerField

from domain.values.declaring import natural_key
from flask_appadmin.database import Record
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, described


class ShippingMethod(Record):
    """How goods are sent."""

    description = Description(label=_("Versandart"), plural=_("Versandarten"), title=("name",), order=("number",))

    number = natural_key(IntegerField(unique=True, verbose_name=_("Nummer (Versandart)")))
    name = described(CharField(max_length=60, verbose_name=_("Versandart")), listed=True)

    class Meta:
        table_name = "shipping_method"


class DeliveryTerm(Record):
    """Who bears which cost of a delivery."""

    description = Description(
        label=_("Lieferkondition"), plural=_("Lieferkonditionen"), title=("code", "name"), order=("code",)
    )

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Lieferkondition)")))
    name = described(CharField(max_length=60, verbose_name=_("Lieferkondition")), listed=True)

    class Meta:
        table_name = "delivery_term"


class CollectivePriority(Record):
    """A priority of collective orders."""

    description = Description(
        label=_("Sammelpriorität"), plural=_("Sammelprioritäten"), title=("number", "name"), order=("number",)
    )

    number = natural_key(IntegerField(unique=True, verbose_name=_("Nummer (Sammelpriorität)")))
    name = described(CharField(max_length=60, verbose_name=_("Sammelpriorität")), listed=True)

    class Meta:
        table_name = "collective_priority"


class Tour(Record):
    """A delivery tour."""

    description = Description(label=_("Tour"), plural=_("Touren"), title=("code", "name"), order=("code",))

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Tour)")))
    name = described(CharField(max_length=60, verbose_name=_("Tour")), listed=True)

    class Meta:
        table_name = "tour"


class DeliveryZone(Record):
    """A zone with a flat rate of shipping costs."""

    description = Description(label=_("Lieferzone"), plural=_("Lieferzonen"), title=("code",), order=("code",))

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Lieferzone")))
    shipping_cost = described(
        DecimalField(12, 2, null=True, verbose_name=_("Versandkostenpauschale")), unit="€", minimum=0, listed=True
    )

    class Meta:
        table_name = "delivery_zone"

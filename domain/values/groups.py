"""What customers are grouped by: categories, kinds, traits, cooperations, cards."""

from __future__ import annotations

from peewee import BooleanField, CharField

from domain.values.declaring import natural_key
from flask_appadmin.database import Record
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, described


class Category(Record):
    """A category; a customer may be in several, in an order of their own."""

    description = Description(
        label=_("Kundenkategorie"), plural=_("Kundenkategorien"), title=("name",), order=("name",)
    )

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("Kategorie")), aliases=("Kundenkategorie",))

    class Meta:
        table_name = "category"


class CustomerKind1(Record):
    """First free criterion for queries and serial letters."""

    description = Description(label=_("Kundenart1"), plural=_("Kundenarten 1"), title=("code", "name"), order=("code",))

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Kundenart1)")))
    name = described(CharField(max_length=60, verbose_name=_("Kundenart1")), listed=True)

    class Meta:
        table_name = "customer_kind_1"


class CustomerKind2(Record):
    """Second free criterion for queries and serial letters."""

    description = Description(label=_("Kundenart2"), plural=_("Kundenarten 2"), title=("code", "name"), order=("code",))

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Kundenart2)")))
    name = described(CharField(max_length=60, verbose_name=_("Kundenart2")), listed=True)

    class Meta:
        table_name = "customer_kind_2"


class CustomerKind3(Record):
    """Third free criterion for queries and serial letters."""

    description = Description(label=_("Kundenart3"), plural=_("Kundenarten 3"), title=("code", "name"), order=("code",))

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Kundenart3)")))
    name = described(CharField(max_length=60, verbose_name=_("Kundenart3")), listed=True)

    class Meta:
        table_name = "customer_kind_3"


class CustomerTrait(Record):
    """A trait that can be given to customers."""

    description = Description(label=_("Kundenmerkmal"), plural=_("Kundenmerkmale"), title=("name",), order=("name",))

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("Kundenmerkmal")))

    class Meta:
        table_name = "customer_trait"


class Cooperation(Record):
    """A cooperation in which customers are members for a time."""

    description = Description(
        label=_("Kooperation"), plural=_("Kooperationen"), title=("code", "name"), order=("code",)
    )

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Kooperation)")))
    name = described(CharField(max_length=60, verbose_name=_("Kooperation")), listed=True)

    class Meta:
        table_name = "cooperation"


class CardType(Record):
    """A kind of customer card."""

    description = Description(
        label=_("Kundenkartentyp"), plural=_("Kundenkartentypen"), title=("name",), order=("name",)
    )

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("Kundenkartentyp")))
    is_wincard = described(BooleanField(default=False, verbose_name=_("WINCARD")), listed=True)

    class Meta:
        table_name = "card_type"

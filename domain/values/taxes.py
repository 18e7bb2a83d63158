"""Taxes and the accounts that revenue is posted to."""

from __future__ import annotations

from peewee import CharField, IntegerField

from domain.values.declaring import natural_key
from flask_appadmin.database import Record
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _, many
from flask_appadmin.specs import Description, described


class TaxKey(Record):
    """A tax key of the accounting with its rate."""

    description = Description(
        label=_("Steuerschlüssel"), plural=many("Steuerschlüssel", "Steuerschlüssel"), title=("code",), order=("code",)
    )

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Steuerschlüssel")))
    percent = described(DecimalField(5, 2, verbose_name=_("Steuersatz")), unit="%", minimum=0, maximum=100, listed=True)

    class Meta:
        table_name = "tax_key"


class TaxRate(Record):
    """A numbered tax rate: 1 is the general one, 2 the reduced one."""

    description = Description(label=_("Steuersatz"), plural=_("Steuersätze"), title=("number",), order=("number",))

    number = natural_key(
        IntegerField(
            unique=True,
            verbose_name=_("Steuersatz [n]"),
            help_text=_("1 ist der allgemeine, 2 der ermäßigte Steuersatz."),
        ),
        minimum=1,
    )
    percent = described(
        DecimalField(5, 2, verbose_name=_("Prozentsatz")), unit="%", minimum=0, maximum=100, listed=True
    )

    class Meta:
        table_name = "tax_rate"


class RevenueCode(Record):
    """Which revenue account an article is posted to, by kind of customer."""

    description = Description(label=_("Erlöscode"), plural=_("Erlöscodes"), title=("code",), order=("code",))

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Erlöscode")))
    account = described(CharField(max_length=20, verbose_name=_("Erlöskonto")), listed=True)
    group_taxable_account = described(
        CharField(max_length=20, null=True, verbose_name=_("Kto. Konzern steuerbar AR")), listed=True
    )
    group_non_taxable_account = described(
        CharField(max_length=20, null=True, verbose_name=_("Kto. Konzern nicht steuerbar AR")), listed=True
    )
    group_free_account = described(
        CharField(max_length=20, null=True, verbose_name=_("Kto. Konzern frei AR")), listed=True
    )

    class Meta:
        table_name = "revenue_code"

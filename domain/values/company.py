"""Our own company: its staff, branches, units and bank accounts."""

from __future__ import annotations

from peewee import CharField, IntegerField

from domain.links import Reference
from domain.values.countries import Country
from domain.values.declaring import natural_key
from flask_appadmin.database import Record
from flask_appadmin.i18n import _, many
from flask_appadmin.rights import Operator, User
from flask_appadmin.specs import Description, described


class BusinessUnit(Record):
    """A business unit of our own."""

    description = Description(
        label=_("Geschäftsbereich"), plural=_("Geschäftsbereiche"), title=("number", "name"), order=("number",)
    )

    number = natural_key(IntegerField(unique=True, verbose_name=_("Nummer (Geschäftsbereich)")))
    name = described(CharField(max_length=60, verbose_name=_("Geschäftsbereich")), listed=True)

    class Meta:
        table_name = "business_unit"


class OrganizationUnit(Record):
    """An organisational unit of our own. Not `Organization`, which describes a customer."""

    description = Description(
        label=_("Organisatorische Einheit"),
        plural=_("Organisatorische Einheiten"),
        title=("code", "name"),
        order=("code",),
    )

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Organisation)")))
    name = described(CharField(max_length=60, verbose_name=_("Organisation")), listed=True)

    class Meta:
        table_name = "organization_unit"


class Tenant(Record):
    """A tenant of the accounting or of a shared warehouse."""

    description = Description(label=_("Mandant"), plural=_("Mandanten"), title=("number", "name"), order=("number",))

    number = natural_key(IntegerField(unique=True, verbose_name=_("Mandanten-Nr.")))
    name = described(CharField(max_length=60, verbose_name=_("Mandant")), listed=True)

    class Meta:
        table_name = "tenant"


class OwnBank(Record):
    """A bank account of our own, printed on payment slips."""

    description = Description(
        label=_("Eigene Bankverbindung"), plural=_("Eigene Bankverbindungen"), title=("name",), order=("name",)
    )

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("eigene Bankverbindung")))
    iban = described(CharField(max_length=34, null=True, verbose_name=_("IBAN")), kind="iban", listed=True)
    bic = described(CharField(max_length=11, null=True, verbose_name=_("BIC")), kind="bic", listed=True)

    class Meta:
        table_name = "own_bank"


class Branch(Record):
    """A branch with tills."""

    description = Description(label=_("Filiale"), plural=_("Filialen"), title=("number", "name"), order=("number",))

    number = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Filialnummer")))
    name = described(CharField(max_length=60, verbose_name=_("Filiale")), listed=True)
    dummy_debtor_account = described(
        IntegerField(null=True, verbose_name=_("Debitorendummykonto"), help_text=_("Für Kunden ohne Debitorenkonto.")),
        listed=True,
    )

    class Meta:
        table_name = "branch"


class Employee(Record):
    """A person on our own staff: clerk, sales representative, technician."""

    description = Description(
        label=_("Bearbeiter"), plural=many("Bearbeiter", "Bearbeiter"), title=("name",), order=("number",)
    )

    number = natural_key(
        CharField(max_length=20, unique=True, verbose_name=_("Bearbeiter-Nr.")), aliases=("Nummer",), searchable=True
    )
    name = described(
        CharField(
            max_length=60,
            verbose_name=_("Name"),
            help_text=_("Kunden, die dieser Mitarbeiter sind, folgen Name und Anschrift."),
        ),
        searchable=True,
        listed=True,
    )
    street = described(CharField(max_length=60, null=True, verbose_name=_("Straße und Hausnummer")))
    postal_code = described(CharField(max_length=10, null=True, verbose_name=_("PLZ")), kind="postal_code", listed=True)
    city = described(CharField(max_length=60, null=True, verbose_name=_("Ort")), searchable=True, listed=True)
    country = described(Reference(Country, null=True, verbose_name=_("Land")))
    user = described(
        Reference(
            User,
            null=True,
            unique=True,
            verbose_name=_("Benutzer"),
            help_text=_("Neue Kunden dieses Benutzers beginnen mit diesem Bearbeiter."),
        ),
        copy="clear",
    )

    class Meta:
        table_name = "employee"

    @classmethod
    def of(cls, operator: Operator) -> int | None:
        """The employee that an operator is; None for who is none."""
        if operator.user_id is None:
            return None
        found: int | None = cls.select(cls.id).where(cls.user == operator.user_id).tuples().scalar()
        return found

"""Companies that are connected with us on the platform: their request, what was decided, and the customer they became.

Shape: status requested, deferred, accepted or rejected; the profile is what the platform sent. `contacts` is a JSON
list of objects with name, email, phone, function. Units: times are UTC. Source: SI-01 to SI-30, domain.md section 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from peewee import CharField, DateField, DateTimeField

from domain.links import LaterForeignKey, Reference
from domain.rules import fault, missing
from domain.values.countries import Country, Currency
from flask_appadmin.database import Record, utcnow
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.columns import JSONField
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import User
from flask_appadmin.specs import Description, described


class Connection(Record):
    """A company on the platform that wants to buy from us: request, decision and the customer it became."""

    description = Description(
        label=_("Verbindung"),
        plural=_("Verbindungen"),
        title=("company_name",),
        menu="customers",
        right="customer",
        order=("-requested_at",),
    )

    customer = described(
        LaterForeignKey("Customer", null=True, unique=True, verbose_name=_("Partnerkunde")), copy="clear", listed=True
    )
    status = described(
        CharField(
            max_length=20,
            choices=[
                ("requested", _("Anfragend")),
                ("deferred", _("Zurückgestellt")),
                ("accepted", _("Partnerkunde")),
                ("rejected", _("Abgelehnt")),
            ],
            index=True,
            default="requested",
            verbose_name=_("Status der Anfrage"),
        ),
        copy="clear",
        listed=True,
        required=True,
    )
    resubmission_on = described(
        DateField(null=True, verbose_name=_("Wiedervorlagedatum"), help_text=_("Nur bei zurückgestellten Anfragen.")),
        copy="clear",
        listed=True,
    )
    requested_at = described(
        DateTimeField(default=utcnow, verbose_name=_("angefragt am")), copy="clear", listed=True, required=True
    )
    decided_at = described(DateTimeField(null=True, verbose_name=_("entschieden am")), copy="clear", read_only=True)
    decided_by = described(Reference(User, null=True, verbose_name=_("entschieden von")), copy="clear", read_only=True)
    decision_reason = described(
        CharField(max_length=255, null=True, verbose_name=_("Grund")), copy="clear", personal="wipe"
    )
    company_name = described(
        CharField(max_length=60, verbose_name=_("Firmenname")),
        copy="clear",
        searchable=True,
        listed=True,
        personal="name",
    )
    street = described(
        CharField(max_length=60, null=True, verbose_name=_("Adresse (Straße und Hausnummer)")),
        copy="clear",
        personal="wipe",
    )
    postal_code = described(
        CharField(max_length=10, null=True, verbose_name=_("Adresse (PLZ)")),
        copy="clear",
        kind="postal_code",
        personal="quasi",
    )
    city = described(
        CharField(max_length=60, null=True, verbose_name=_("Adresse (Ort)")),
        copy="clear",
        searchable=True,
        listed=True,
        personal="quasi",
    )
    country = described(Reference(Country, null=True, verbose_name=_("Adresse (Land)")), copy="clear", listed=True)
    vat_id = described(
        CharField(max_length=20, null=True, verbose_name=_("Umsatzsteuer-ID")),
        copy="clear",
        kind="vat_id",
        personal="wipe",
    )
    simple_system_id = described(
        CharField(max_length=30, null=True, unique=True, verbose_name=_("simple system ID")),
        copy="clear",
        searchable=True,
        personal="wipe",
    )
    currency = described(Reference(Currency, null=True, verbose_name=_("Währung")), copy="clear")
    contacts = described(
        JSONField(
            null=True,
            verbose_name=_("Ansprechpartner"),
            help_text=_("Eine Zeile je Person: Name; E-Mail; Telefon; Funktion."),
        ),
        copy="clear",
        kind="people",
        personal="wipe",
    )
    individual_customer_number = described(
        CharField(
            max_length=30,
            null=True,
            verbose_name=_("Kundennummer (individuell)"),
            help_text=_("Wird mit den Bestellungen des Partners übermittelt."),
        ),
        copy="clear",
        searchable=True,
        listed=True,
    )

    class Meta:
        table_name = "connection"

    #: A file brings requests (SI-04): one for a company that has a connection already is refused, not taken over.
    import_mode = "new"
    unique_messages: ClassVar[dict[str, Any]] = {
        "simple_system_id": _("hat schon eine Verbindung; eine zweite Anfrage ist nicht möglich")
    }
    rule_fields = ("customer", "status", "resubmission_on", "decision_reason")

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        status = values.get("status")
        if status == "accepted" and values.get("customer") is None:
            yield missing(cls, "customer", gettext("Zu einer angenommenen Anfrage gehört der Kunde."))
        if values.get("resubmission_on") is not None and status != "deferred":
            yield fault(cls, "resubmission_on", gettext("Ein Wiedervorlagedatum haben nur zurückgestellte Anfragen."))
        if values.get("decision_reason") is not None and status != "rejected":
            yield fault(cls, "decision_reason", gettext("Einen Grund haben nur abgelehnte Anfragen."))

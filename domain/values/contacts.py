"""What is said of contacts: salutation, function, specialisation."""

from __future__ import annotations

from peewee import CharField, IntegerField

from domain.values.declaring import natural_key
from flask_appadmin.database import Record
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, described


class Salutation(Record):
    """How a person or company is addressed."""

    description = Description(label=_("Anrede/Titel"), plural=_("Anreden/Titel"), title=("name",), order=("number",))

    number = natural_key(IntegerField(unique=True, verbose_name=_("Nummer (Anrede/Titel)")))
    name = described(CharField(max_length=40, verbose_name=_("Anrede/Titel")), listed=True)

    class Meta:
        table_name = "salutation"


class ContactFunction(Record):
    """What a contact does in the company."""

    description = Description(
        label=_("Funktion der Ansprechpartner"),
        plural=_("Funktionen der Ansprechpartner"),
        title=("name",),
        order=("name",),
    )

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("Funktion")))

    class Meta:
        table_name = "contact_function"


class ContactSpecialization(Record):
    """What a contact is specialised in."""

    description = Description(
        label=_("Spezialisierung der Ansprechpartner"),
        plural=_("Spezialisierungen der Ansprechpartner"),
        title=("name",),
        order=("name",),
    )

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("Spezialisierung")))

    class Meta:
        table_name = "contact_specialization"

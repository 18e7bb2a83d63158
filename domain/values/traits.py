"""What the tab Merkmale says of a company: orientation, organisation, structure, legal form."""

from __future__ import annotations

from peewee import CharField

from domain.values.declaring import natural_key
from flask_appadmin.database import Record
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description


class Orientation(Record):
    """Value of the tab Merkmale: what a company is oriented to."""

    description = Description(label=_("Ausrichtung"), plural=_("Ausrichtungen"), title=("name",), order=("name",))

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("Ausrichtung")))

    class Meta:
        table_name = "orientation"


class Authorization(Record):
    """Value of the tab Merkmale: what a company is authorised for."""

    description = Description(label=_("Autorisierung"), plural=_("Autorisierungen"), title=("name",), order=("name",))

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("Autorisierung")))

    class Meta:
        table_name = "authorization"


class Organization(Record):
    """Value of the tab Merkmale: how a company is organised. Not `OrganizationUnit`, which is one of our own."""

    description = Description(label=_("Organisation"), plural=_("Organisationen"), title=("name",), order=("name",))

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("Organisation")))

    class Meta:
        table_name = "organization"


class Specialization(Record):
    """Value of the tab Merkmale: what a company is specialised in."""

    description = Description(
        label=_("Spezialisierung"), plural=_("Spezialisierungen"), title=("name",), order=("name",)
    )

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("Spezialisierung")))

    class Meta:
        table_name = "specialization"


class Structure(Record):
    """Value of the tab Merkmale: how a company is structured."""

    description = Description(label=_("Struktur"), plural=_("Strukturen"), title=("name",), order=("name",))

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("Struktur")))

    class Meta:
        table_name = "structure"


class CompanyType(Record):
    """Value of the tab Merkmale: legal form or type of a company."""

    description = Description(label=_("Typ"), plural=_("Typen"), title=("name",), order=("name",))

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("Typ")))

    class Meta:
        table_name = "company_type"

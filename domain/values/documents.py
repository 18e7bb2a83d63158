"""What documents are told apart by and carry with them."""

from __future__ import annotations

from peewee import CharField, TextField

from domain.values.declaring import natural_key
from flask_appadmin.database import Record
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, described


class EmailText(Record):
    """A text that goes with documents sent by e-mail."""

    description = Description(label=_("E-Mail-Text"), plural=_("E-Mail-Texte"), title=("marker",), order=("marker",))

    marker = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Kennzeichen E-Mail Text")))
    text = described(TextField(null=True, verbose_name=_("E-Mail-Text")))

    class Meta:
        table_name = "email_text"


class Project(Record):
    """A project that documents are assigned to."""

    description = Description(label=_("Projekt"), plural=_("Projekte"), title=("code", "name"), order=("code",))

    code = natural_key(CharField(max_length=20, unique=True, verbose_name=_("Kürzel (Projekt)")))
    name = described(CharField(max_length=60, verbose_name=_("Projekt")), listed=True)

    class Meta:
        table_name = "project"


class DocumentType(Record):
    """A kind of document that print profiles distinguish."""

    description = Description(label=_("Dokumentenart"), plural=_("Dokumentenarten"), title=("name",), order=("code",))

    code = natural_key(CharField(max_length=40, unique=True, verbose_name=_("Kürzel (Dokumentenart)")))
    name = described(CharField(max_length=60, verbose_name=_("Dokumentenart")), listed=True)

    class Meta:
        table_name = "document_type"


class PrintProfile(Record):
    """How prices are shown on documents."""

    description = Description(label=_("Druckprofil"), plural=_("Druckprofile"), title=("name",), order=("name",))

    name = natural_key(CharField(max_length=60, unique=True, verbose_name=_("Druckprofil")))
    price_display = described(
        CharField(
            max_length=20,
            choices=[("breakdown", _("Listenpreis, Rabatt, Nettopreis")), ("net_only", _("nur Nettopreis"))],
            null=True,
            default="breakdown",
            verbose_name=_("Preisaufgliederung"),
        ),
        listed=True,
    )

    class Meta:
        table_name = "print_profile"

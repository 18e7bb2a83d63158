"""The toy library: three models and nothing else, the proof that the layer knows no business of its own."""

from __future__ import annotations

from peewee import BooleanField, CharField, DateField, ForeignKeyField, IntegerField, TextField

from flask_appadmin.database import Record
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, described


class Author(Record):
    description = Description(label=_("Autor"), plural=_("Autoren"), title=("name",), menu="values", right="library")
    name = described(CharField(max_length=40, verbose_name=_("Name")), natural_key=True, searchable=True, listed=True)
    born_on = described(DateField(null=True, verbose_name=_("geboren am")), bulk=True)
    active = described(BooleanField(default=True, verbose_name=_("Aktiv")), bulk=True, listed=True)


class Book(Record):
    description = Description(
        label=_("Buch"), plural=_("Bücher"), title=("isbn", "title"), menu="main", right="library"
    )
    isbn = described(
        CharField(max_length=17, unique=True, verbose_name=_("ISBN")),
        natural_key=True,
        copy="clear",
        searchable=True,
        listed=True,
        required=True,
    )
    title = described(CharField(max_length=60, verbose_name=_("Titel")), searchable=True, listed=True)
    author = described(ForeignKeyField(Author, null=True, verbose_name=_("Autor")), bulk=True, listed=True)
    price = described(
        DecimalField(8, 2, null=True, verbose_name=_("Preis")),
        unit="EUR",
        minimum=0,
        maximum=500,
        bulk=True,
        listed=True,
    )
    pages = described(IntegerField(null=True, verbose_name=_("Seiten")), unit="Seiten", minimum=1, bulk=True)
    genre = described(
        CharField(
            max_length=10, null=True, choices=[("novel", _("Roman")), ("poem", _("Gedicht"))], verbose_name=_("Gattung")
        ),
        bulk=True,
        listed=True,
    )
    printed_on = described(DateField(null=True, verbose_name=_("gedruckt am")), bulk=True)
    sold_until = described(DateField(null=True, verbose_name=_("verkauft bis")), bulk=True)
    note = described(TextField(null=True, verbose_name=_("Notiz")), bulk=True)

    takes_fields = True
    rule_fields = ("printed_on", "sold_until")

    @classmethod
    def validate(cls, values, operation):
        if values.get("printed_on") and values.get("sold_until") and values["sold_until"] < values["printed_on"]:
            yield FieldError(_("verkauft bis"), values["sold_until"], _("liegt vor dem Druck"))


class Loan(Record):
    description = Description(label=_("Ausleihe"), plural=_("Ausleihen"), title=("reader",))
    book = described(ForeignKeyField(Book, backref="loans", on_delete="CASCADE", verbose_name=_("Buch")), owner=True)
    reader = described(CharField(max_length=40, verbose_name=_("Leser")), searchable=True, listed=True)
    lent_on = described(DateField(null=True, verbose_name=_("ausgeliehen am")), listed=True)
    returned = described(BooleanField(default=False, verbose_name=_("zurück")), listed=True)

    takes_fields = True


MODELS = (Author, Book, Loan)

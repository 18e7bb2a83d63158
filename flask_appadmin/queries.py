"""Conditions kept under a name, private or for all.

Shape: a SavedQuery has the text of a condition and the operator who wrote it. The table stands from the first migration
on; lists begin to offer it when a condition can be typed, checked and run within its limits (requirements PX-14,
PX-15).
"""

from __future__ import annotations

import peewee

from flask_appadmin.database import Record
from flask_appadmin.i18n import _
from flask_appadmin.rights import User
from flask_appadmin.specs import Description, described


class SavedQuery(Record):
    """One condition."""

    description = Description(
        label=_("Abfrage"), plural=_("Abfragen"), title=("name",), menu="none", right="saved_query"
    )
    name = described(
        peewee.CharField(max_length=60, verbose_name=_("Abfragename")), unique_with=("user",), copy="clear"
    )
    query = described(peewee.TextField(verbose_name=_("Abfragebedingung")))
    user = described(peewee.ForeignKeyField(User, on_delete="CASCADE", index=False, verbose_name=_("Benutzer")))
    shared = described(peewee.BooleanField(default=False, verbose_name=_("für alle")))

    class Meta:
        table_name = "saved_query"
        indexes = ((("user", "name"), True),)


#: Tables of this room, in the order of their creation.
MODELS = (SavedQuery,)

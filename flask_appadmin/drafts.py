"""Unsaved input of an operator, offered again after a crash or a lost session.

Shape: one FormDraft per operator and record (none for a new one). The table stands from the first migration on; forms
begin to write it when they can offer it again (F5 in the goals). Passwords are never part of a draft.
"""

from __future__ import annotations

import peewee

from flask_appadmin.database import database, utcnow
from flask_appadmin.fieldtypes import JSONField
from flask_appadmin.rights import User


class FormDraft(peewee.Model):
    """What somebody typed and has not saved yet."""

    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    entity = peewee.CharField(max_length=60)
    #: Empty for a new record.
    record_id = peewee.BigIntegerField(null=True)
    values = JSONField(default=dict)
    saved_at = peewee.DateTimeField(default=utcnow)

    class Meta:
        table_name = "form_draft"
        database = database
        indexes = ((("user", "entity", "record_id"), True),)


#: Tables of this room, in the order of their creation.
MODELS = (FormDraft,)

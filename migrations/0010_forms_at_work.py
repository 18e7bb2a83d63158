"""Drafts per opened form, who has a record open, and what names an effect that happens once."""

from __future__ import annotations

from typing import Any

import peewee

from flask_appadmin.database import database
from flask_appadmin.drafts import FormDraft
from flask_appadmin.fieldtypes.columns import JSONField
from flask_appadmin.presence import FormPresence


class _OldDraft(peewee.Model):
    """The table as it stood before anything wrote it."""

    user_id = peewee.IntegerField()
    entity = peewee.CharField(max_length=60)
    record_id = peewee.BigIntegerField(null=True)
    values = JSONField(default=dict)
    saved_at = peewee.DateTimeField()

    class Meta:
        table_name = "form_draft"
        database = database
        indexes = ((("user_id", "entity", "record_id"), True),)


def up(migrator: Any, db: Any) -> None:
    # Nothing wrote drafts before: the table is made anew.
    database.drop_tables([_OldDraft], safe=True)
    database.create_tables([FormDraft, FormPresence], safe=True)
    migrator.migrate(
        migrator.add_column("change_set", "once", peewee.CharField(max_length=64, null=True)),
        migrator.add_index("change_set", ("once",), unique=True),
    )


def down(migrator: Any, db: Any) -> None:
    # A database that began with all tables names the index after the model, one that took this step after the table.
    name = next(index.name for index in database.get_indexes("change_set") if index.columns == ["once"])
    migrator.migrate(migrator.drop_index("change_set", name), migrator.drop_column("change_set", "once"))
    database.drop_tables([FormPresence, FormDraft], safe=True)
    database.create_tables([_OldDraft], safe=True)

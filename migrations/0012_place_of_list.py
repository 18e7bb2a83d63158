"""Long addresses of lists are kept for their operator; rights that came later reach earlier work groups."""

from __future__ import annotations

import json
from typing import Any

import peewee

from domain.roles import ADMINISTRATOR, ROLES
from flask_appadmin.database import database
from flask_appadmin.fieldtypes.columns import json_text

#: Rights that the first installations did not know, so that nobody can have taken them from a work group.
_NEW = ("query.write", "query.share", "view.share")


def up(migrator: Any, db: Any) -> None:
    # A database that was older than the table got it with this column.
    if "place" not in {column.name for column in database.get_columns("list_arrangement")}:
        migrator.migrate(migrator.add_column("list_arrangement", "place", peewee.TextField(default="")))
    for key, name, version, text in db.execute_sql('SELECT id, name, version, permissions FROM "role"').fetchall():
        rights = json.loads(text) if isinstance(text, str) else list(text or ())
        # A work group that an administration has changed is left as it is; administrators get what is new.
        granted = _NEW if name == ADMINISTRATOR else ROLES.get(name, ()) if version == 1 else ()
        missing = [right for right in _NEW if right in granted and right not in rights]
        if missing and "*" not in rights:
            sql = f'UPDATE "role" SET permissions = {database.param} WHERE id = {database.param}'
            db.execute_sql(sql, (json_text([*rights, *missing]), key))


def down(migrator: Any, db: Any) -> None:
    """The rights stay: the earlier program passes over those it does not know."""
    migrator.migrate(migrator.drop_column("list_arrangement", "place"))

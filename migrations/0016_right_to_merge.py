"""The right to merge records reaches the work groups of earlier installations that have it from the start."""

from __future__ import annotations

import json
from typing import Any

from domain.roles import ADMINISTRATOR, ROLES
from flask_appadmin.database import database
from flask_appadmin.fieldtypes.columns import json_text

#: Earlier installations did not know it, so nobody can have taken it from a work group.
_NEW = "merge.run"


def up(migrator: Any, db: Any) -> None:
    for key, name, version, text in db.execute_sql('SELECT id, name, version, permissions FROM "role"').fetchall():
        rights = json.loads(text) if isinstance(text, str) else list(text or ())
        # A work group that an administration has changed is left as it is; administrators get what is new.
        is_granted = name == ADMINISTRATOR or (version == 1 and _NEW in ROLES.get(name, ()))
        if is_granted and _NEW not in rights and "*" not in rights:
            sql = f'UPDATE "role" SET permissions = {database.param} WHERE id = {database.param}'
            db.execute_sql(sql, (json_text([*rights, _NEW]), key))


def down(migrator: Any, db: Any) -> None:
    """The right stays: the earlier program passes over those it does not know."""

"""Who has a record open just now: a hint, never a lock.

Shape: one FormPresence per opened form (its token); the page reports itself every POLL_SECONDS, and a row that was not
renewed for STALE_SECONDS counts no more. No business data, no history.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import peewee

from flask_appadmin.database import Prepared, database, utcnow
from flask_appadmin.rights import Operator, User
from flask_appadmin.specs import ModelSpec

POLL_SECONDS = 20
STALE_SECONDS = 60


class FormPresence(peewee.Model):
    """An operator with a record open in one window."""

    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    user_name = peewee.CharField(max_length=80)
    entity = peewee.CharField(max_length=60)
    record_id = peewee.BigIntegerField()
    #: The form that was opened.
    token = peewee.CharField(max_length=64)
    opened_at = peewee.DateTimeField()
    seen_at = peewee.DateTimeField(index=True)

    class Meta:
        table_name = "form_presence"
        database = database
        indexes = ((("user", "token"), True), (("entity", "record_id"), False))


def report(spec: ModelSpec, key: int, operator: Operator, token: str) -> None:
    """The form is open (still)."""
    if operator.user_id is None or not token or len(token) > 64:
        return
    now = utcnow()
    own = (FormPresence.user == operator.user_id) & (FormPresence.token == token)
    if FormPresence.update(seen_at=now).where(own).execute():
        return
    FormPresence.delete().where(FormPresence.seen_at < _stale()).execute()
    FormPresence.insert(
        user=operator.user_id,
        user_name=operator.name[:80],
        entity=spec.name,
        record_id=key,
        token=token,
        opened_at=now,
        seen_at=now,
    ).on_conflict_ignore().execute()


def leave(operator: Operator, token: str) -> None:
    """The form was closed."""
    FormPresence.delete().where(FormPresence.user == operator.user_id, FormPresence.token == token).execute()


def others(spec: ModelSpec, key: int, operator: Operator) -> list[tuple[str, datetime.datetime]]:
    """The other operators who have the record open: (name, since when), the longest first."""
    rows = _others.stored(spec.name, key, _stale(), operator.user_id or 0)
    return [(name, FormPresence.opened_at.python_value(since)) for name, since in rows]


#: Who else has a record open; every form asks it when it is drawn.
_others = Prepared(
    lambda entity, key, since, own: (
        FormPresence.select(FormPresence.user_name, peewee.fn.MIN(FormPresence.opened_at))
        .where(
            FormPresence.entity == entity,
            FormPresence.record_id == key,
            FormPresence.seen_at >= since,
            FormPresence.user != own,
        )
        .group_by(FormPresence.user, FormPresence.user_name)
        .order_by(peewee.fn.MIN(FormPresence.opened_at))
    ),
    blanks=4,
)


def _stale() -> datetime.datetime:
    return utcnow() - datetime.timedelta(seconds=STALE_SECONDS)


#: Tables of this room, in the order of their creation.
MODELS: Sequence[Any] = (FormPresence,)

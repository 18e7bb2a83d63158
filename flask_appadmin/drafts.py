"""Unsaved input of an operator, offered again after a crash, a lost session or a closed window.

Shape: one FormDraft per opened form (its token); what was typed is kept as the form would be sent, without secrets, so
that it can be read like a form that was sent. Saving or discarding closes a draft: its input goes at once, the token
stays until it expires, so that what was still on its way is not kept once more.
Units: drafts expire after `days`. Operators see their own only; drafts are no business data, so they have no history.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

import peewee

from flask_appadmin.changes.anonymising import Person, hide_in_texts, register_store
from flask_appadmin.database import Prepared, database, utcnow
from flask_appadmin.fieldtypes.columns import JSONField
from flask_appadmin.i18n import _
from flask_appadmin.rights import Operator, User
from flask_appadmin.specs import ModelSpec

#: A draft may have so many characters; a form with all fields and hundreds of rows has a tenth of it.
LONGEST = 2_000_000

#: Of so many days drafts are kept unless the application says otherwise.
DAYS = 14


class FormDraft(peewee.Model):
    """What somebody typed and has not saved yet."""

    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    entity = peewee.CharField(max_length=60)
    #: Empty for a new record.
    record_id = peewee.BigIntegerField(null=True)
    #: The form that was opened: every page that is drawn has its own.
    token = peewee.CharField(max_length=64)
    #: [[name, value], …] as the form would be sent.
    fields = JSONField(default=list)
    #: Saved or discarded: nothing is offered any more.
    closed = peewee.BooleanField(default=False)
    saved_at = peewee.DateTimeField(default=utcnow)

    class Meta:
        table_name = "form_draft"
        database = database
        indexes = ((("user", "token"), True), (("user", "entity", "record_id"), False))


def keep(spec: ModelSpec, key: int | None, operator: Operator, token: str, fields: Iterable[tuple[str, str]]) -> bool:
    """Keeps what was typed into a form so far; False where there is nobody to keep it for, or the form was saved."""
    pairs = [[name, value] for name, value in fields]
    if operator.user_id is None or not token or len(token) > 64 or sum(len(value) for _n, value in pairs) > LONGEST:
        return False
    own = (FormDraft.user == operator.user_id) & (FormDraft.token == token)
    now = utcnow()
    if FormDraft.update(fields=pairs, saved_at=now).where(own, ~FormDraft.closed).execute():
        return True
    if FormDraft.select().where(own).exists():
        return False
    values = {"entity": spec.name, "record_id": key, "token": token, "fields": pairs, "saved_at": now}
    FormDraft.insert(user=operator.user_id, **values).on_conflict_ignore().execute()
    return True


def close(spec: ModelSpec, key: int | None, operator: Operator, token: str) -> None:
    """Forgets the input of a form that was saved or discarded."""
    if operator.user_id is None or not token or len(token) > 64:
        return
    own = (FormDraft.user == operator.user_id) & (FormDraft.token == token)
    now = utcnow()
    if not FormDraft.update(fields=[], closed=True, saved_at=now).where(own).execute():
        values = {"entity": spec.name, "record_id": key, "token": token, "closed": True, "saved_at": now}
        FormDraft.insert(user=operator.user_id, **values).on_conflict_ignore().execute()


def latest(spec: ModelSpec, key: int | None, operator: Operator, days: float = DAYS) -> Any:
    """The operator's newest draft of a record (None: of a new one) that can be taken up again, or None."""
    if operator.user_id is None:
        return None
    since = utcnow() - datetime.timedelta(days=days)
    own = (operator.user_id, spec.name, since)
    row = next(iter(_latest_new(*own) if key is None else _latest(*own, key)), None)
    return FormDraft.get_or_none(FormDraft.id == row[0]) if row is not None else None


def _newest(user: Any, entity: Any, since: Any, *key: Any) -> Any:
    query = FormDraft.select(FormDraft.id).where(
        FormDraft.user == user,
        FormDraft.entity == entity,
        FormDraft.record_id == key[0] if key else FormDraft.record_id.is_null(),
        ~FormDraft.closed,
        FormDraft.saved_at > since,
    )
    return query.order_by(FormDraft.saved_at.desc(), FormDraft.id.desc()).limit(1)


#: Every form asks it when it is drawn, and there is hardly ever one.
_latest, _latest_new = Prepared(_newest, blanks=4), Prepared(_newest, blanks=3)


def find(spec: ModelSpec, key: int | None, operator: Operator, token: str, days: float = DAYS) -> Any:
    """This draft, if it is the operator's own, of this record, and neither closed nor expired; or None."""
    if operator.user_id is None:
        return None
    found = FormDraft.get_or_none(FormDraft.user == operator.user_id, FormDraft.token == token, ~FormDraft.closed)
    if found is None or found.entity != spec.name or found.record_id != key:
        return None
    return found if found.saved_at > utcnow() - datetime.timedelta(days=days) else None


def forget_expired(operator: Operator, days: float = DAYS) -> int:
    """Removes what the operator's drafts have kept too long; answers their number."""
    old = FormDraft.saved_at < utcnow() - datetime.timedelta(days=days)
    return int(FormDraft.delete().where(FormDraft.user == operator.user_id, old).execute())


def _forget(person: Person) -> int:
    """Drafts of the record go; in others its words do not stand any more."""
    own = (FormDraft.entity == person.spec.name) & (FormDraft.record_id == person.key)
    return int(FormDraft.delete().where(own).execute()) + hide_in_texts(person, FormDraft, "fields")


register_store("drafts", _("Entwürfe von Eingaben"), _forget)

#: Tables of this room, in the order of their creation.
MODELS: Sequence[Any] = (FormDraft,)

"""Conditions kept under a name, private or for all.

Shape: a SavedQuery has the text of a condition, the table it asks and the operator who wrote it; its name is unique for
both. It is resolved under the rights of whoever runs it: what he may not ask is refused, whoever wrote it. Like a
bookmark, it has no history. Errors: NotFound for one that does not exist or is private to somebody else; FieldError for
a name that does not fit; NameTaken with the one that is there.
Source: PX-15, PX-16; trust.md case 143.
"""

from __future__ import annotations

from typing import Any

import peewee

from flask_appadmin.conditions import Translated, translate
from flask_appadmin.database import Prepared, Record, utcnow
from flask_appadmin.digits import is_number
from flask_appadmin.errors import AppAdminError, ConditionError, FieldError, FilterError, NotFound
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import Operator, User
from flask_appadmin.specs import Description, ModelSpec, described, spec_of

#: What an operator needs to type a condition; running a saved one needs only the right to read.
WRITE, SHARE = "query.write", "query.share"


class SavedQuery(Record):
    """One condition."""

    description = Description(
        label=_("Abfrage"), plural=_("Abfragen"), title=("name",), menu="none", right="saved_query"
    )
    name = described(
        peewee.CharField(max_length=60, verbose_name=_("Abfragename")), unique_with=("user", "entity"), copy="clear"
    )
    #: The table it asks.
    entity = described(peewee.CharField(max_length=60, verbose_name=_("Tabelle")), read_only=True, required=False)
    query = described(peewee.TextField(verbose_name=_("Abfragebedingung")))
    user = described(peewee.ForeignKeyField(User, on_delete="CASCADE", index=False, verbose_name=_("Benutzer")))
    shared = described(peewee.BooleanField(default=False, verbose_name=_("für alle")))

    class Meta:
        table_name = "saved_query"
        indexes = ((("user", "entity", "name"), True),)


class NameTaken(AppAdminError):
    """There is a query of this name already; it was not replaced."""

    status = 409

    def __init__(self, query: SavedQuery) -> None:
        super().__init__(query)
        self.query = query

    def sentence(self) -> str:
        return gettext("Eine Abfrage „%(name)s“ haben Sie schon. Es wurde nichts ersetzt.", name=self.query.name)


def queries_of(spec: ModelSpec, operator: Operator) -> list[tuple[SavedQuery, str]]:
    """The operator's own queries and those shared with all, by name, with who shared each ("" for one's own)."""
    found = []
    for username, full_name, *values in _queries_of(spec.name, operator.user_id):
        query = SavedQuery(**dict(zip((item.name for item in SavedQuery._meta.sorted_fields), values, strict=True)))
        found.append((query, "" if query.user_id == operator.user_id else str(full_name or username)))
    return found


_queries_of = Prepared(
    lambda entity, user: (
        SavedQuery.select(User.username, User.full_name, SavedQuery)
        .join(User)
        .where((SavedQuery.entity == entity) & ((SavedQuery.user == user) | SavedQuery.shared))
        .order_by(peewee.fn.lower(SavedQuery.name), SavedQuery.id)
    ),
    blanks=2,
)


def find_query(spec: ModelSpec, operator: Operator, text: str) -> SavedQuery:
    """The query of this key, if the operator may run it; NotFound for any other."""
    query = None
    if is_number(text, 17):
        query = SavedQuery.get_or_none((SavedQuery.id == int(text)) & (SavedQuery.entity == spec.name))
    if query is None or not (query.shared or _is_own(query, operator)):
        raise NotFound(spec_of(SavedQuery), text)
    return query


def _is_own(query: SavedQuery, operator: Operator) -> bool:
    return operator.user_id is not None and query.user_id == operator.user_id


def _own(spec: ModelSpec, operator: Operator, text: str) -> SavedQuery:
    query = find_query(spec, operator, text)
    if not _is_own(query, operator):
        raise NotFound(spec_of(SavedQuery), text)
    return query


def save_query(
    spec: ModelSpec, operator: Operator, name: str, text: str, *, shared: bool = False, replace: bool = False
) -> SavedQuery:
    """Keeps a condition that was checked under a name; NameTaken unless `replace` says that the old one may go."""
    operator.require(WRITE)
    if shared:
        operator.require(SHARE)
    if operator.user_id is None:
        raise AppAdminError(gettext("Abfragen speichern können nur angemeldete Benutzer."))
    translate(spec, text, operator)
    name = _checked_name(name)
    old = SavedQuery.get_or_none(
        (SavedQuery.user == operator.user_id) & (SavedQuery.entity == spec.name) & (SavedQuery.name == name)
    )
    if old is None:
        values: dict[str, Any] = {"user": operator.user_id, "entity": spec.name, "name": name}
        return SavedQuery.create(query=text, shared=shared, **values)
    if not replace and (old.query != text or old.shared != shared):
        raise NameTaken(old)
    SavedQuery.update(query=text, shared=shared, updated_at=utcnow()).where(SavedQuery.id == old.id).execute()
    return SavedQuery.get_by_id(old.id)


def _checked_name(name: str) -> str:
    item = spec_of(SavedQuery).field("name")
    found = item.parse(name)
    if not found:
        raise FieldError(item, None, gettext("Bitte geben Sie einen Namen ein."))
    return str(found)


def rename_query(spec: ModelSpec, operator: Operator, text: str, name: str) -> SavedQuery:
    """Another name for one's own query; NameTaken where another one has it."""
    query, name = _own(spec, operator, text), _checked_name(name)
    other = SavedQuery.get_or_none(
        (SavedQuery.user == operator.user_id)
        & (SavedQuery.entity == spec.name)
        & (SavedQuery.name == name)
        & (SavedQuery.id != query.id)
    )
    if other is not None:
        raise NameTaken(other)
    SavedQuery.update(name=name, updated_at=utcnow()).where(SavedQuery.id == query.id).execute()
    return query


def share_query(spec: ModelSpec, operator: Operator, text: str, shared: bool) -> SavedQuery:
    """Shares one's own query with all, or ends that."""
    if shared:
        operator.require(SHARE)
    query = _own(spec, operator, text)
    SavedQuery.update(shared=shared, updated_at=utcnow()).where(SavedQuery.id == query.id).execute()
    return query


def delete_query(spec: ModelSpec, operator: Operator, text: str) -> SavedQuery:
    """Removes one's own query."""
    query = _own(spec, operator, text)
    SavedQuery.delete().where(SavedQuery.id == query.id).execute()
    return query


def translated(query: SavedQuery, spec: ModelSpec, operator: Operator) -> Translated:
    """The query's condition under the operator's rights; ConditionError that names the query."""
    try:
        return translate(spec, query.query, operator)
    except FilterError as fault:
        place = getattr(fault, "place", None)
        raise ConditionError(fault.reason, place, gettext("Abfrage „%(name)s“", name=query.name)) from None


#: Tables of this room, in the order of their creation.
MODELS = (SavedQuery,)

"""Merklisten: sets of records that operators keep under a name, share, and tick off.

Shape: a Worklist belongs to one operator and one table; its rows are WorklistEntry (list, key of the record, who is
done with it and when). A shared list is seen by all, who may fill it and tick it off; only its owner renames, shares or
deletes it. In a filter it reads `worklist=5` (`worklist__open=5`, `worklist__done=5`), or with its name: so it works in
lists, actions, exports and behind `--query`. Only rows that the operator may see count and show.
Errors: WorklistFault with a sentence; FilterError for a list that is not there for this operator.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from flask_appadmin.changes.anonymising import hide_in_texts, register_store
from flask_appadmin.database import database, transaction, utcnow
from flask_appadmin.digits import is_number
from flask_appadmin.errors import AppAdminError, FieldError, FilterError
from flask_appadmin.filters import Part, register_part
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import Operator, User, visible
from flask_appadmin.selections import Selection
from flask_appadmin.specs import ModelSpec, ReferenceCache

_LONGEST = 60


class WorklistFault(AppAdminError):
    """Something about a list that cannot be done."""


class Worklist(peewee.Model):
    """A set of records under a name."""

    name = peewee.CharField(max_length=_LONGEST)
    entity = peewee.CharField(max_length=60)
    #: Empty for the command line, whose lists everybody sees.
    user = peewee.ForeignKeyField(User, null=True, on_delete="CASCADE")
    shared = peewee.BooleanField(default=False)
    made_at = peewee.DateTimeField(default=utcnow)

    class Meta:
        table_name = "worklist"
        database = database
        indexes = ((("entity", "user", "name"), True),)


class WorklistEntry(peewee.Model):
    """One record on a list."""

    worklist = peewee.ForeignKeyField(Worklist, on_delete="CASCADE", index=False)
    record_id = peewee.BigIntegerField()
    added_at = peewee.DateTimeField(default=utcnow)
    done_at = peewee.DateTimeField(null=True)
    done_by = peewee.CharField(max_length=80, null=True)

    class Meta:
        table_name = "worklist_entry"
        database = database
        primary_key = peewee.CompositeKey("worklist", "record_id")


@dataclass(frozen=True)
class Contents:
    """How many records of a list the operator sees, and how many of them are done."""

    rows: int = 0
    done: int = 0


def _open_to(operator: Operator) -> Any:
    """The lists an operator may use: his own and those that are shared; the command line uses all."""
    if operator.user_id is None and operator.may("*"):
        return None
    return Worklist.shared | Worklist.user.is_null() | (Worklist.user == operator.user_id)


def worklists_of(operator: Operator, spec: ModelSpec | None = None) -> list[Worklist]:
    """The lists of one table, or of all, by name; NotAllowed where the operator may not read the table."""
    query = Worklist.select(Worklist, User).join(User, peewee.JOIN.LEFT_OUTER).order_by(Worklist.name, Worklist.id)
    if spec is not None:
        operator.require(f"{spec.right}.read")
        query = query.where(Worklist.entity == spec.name)
    condition = _open_to(operator)
    return list(query if condition is None else query.where(condition))


def find_worklist(spec: ModelSpec, operator: Operator, text: str) -> Worklist:
    """The list of this number or name; WorklistFault for one that is not there for this operator."""
    text = text.replace("\x00", "").strip()
    numbered = is_number(text, 9)
    lists = worklists_of(operator, spec)
    fitting = [each for each in lists if numbered and each.id == int(text)] or [
        each for each in lists if each.name == text
    ]
    if not fitting:
        raise WorklistFault(gettext("Diese Merkliste gibt es nicht, oder sie ist nicht für Sie freigegeben."))
    return min(fitting, key=lambda each: each.user_id != operator.user_id)


def is_owner(worklist: Worklist, operator: Operator) -> bool:
    return bool(worklist.user_id == operator.user_id)


def make_worklist(spec: ModelSpec, operator: Operator, name: str) -> Worklist:
    """A new list of this operator."""
    operator.require(f"{spec.right}.read")
    name = _checked_name(spec.name, operator, name)
    return Worklist.get_by_id(Worklist.insert(name=name, entity=spec.name, user=operator.user_id).execute())


def _checked_name(entity: str, operator: Operator, name: str) -> str:
    name = " ".join(name.replace("\x00", "").split())
    if not name:
        raise FieldError(_("Name"), None, gettext("Bitte ausfüllen."))
    if len(name) > _LONGEST:
        raise FieldError(_("Name"), name, gettext("ist zu lang; möglich sind %(limit)s Zeichen", limit=_LONGEST))
    same = Worklist.select().where(Worklist.entity == entity, Worklist.name == name)
    owner = Worklist.user.is_null() if operator.user_id is None else Worklist.user == operator.user_id
    if same.where(owner).exists():
        raise FieldError(_("Name"), name, gettext("heißt schon eine Ihrer Merklisten"))
    return name


def rename_worklist(worklist: Worklist, operator: Operator, name: str) -> None:
    _require_owner(worklist, operator)
    if " ".join(name.split()) != worklist.name:
        name = _checked_name(worklist.entity, operator, name)
        Worklist.update(name=name).where(Worklist.id == worklist.id).execute()


def share_worklist(worklist: Worklist, operator: Operator, shared: bool) -> None:
    _require_owner(worklist, operator)
    Worklist.update(shared=shared).where(Worklist.id == worklist.id).execute()


def delete_worklist(worklist: Worklist, operator: Operator) -> None:
    _require_owner(worklist, operator)
    Worklist.delete().where(Worklist.id == worklist.id).execute()


def _require_owner(worklist: Worklist, operator: Operator) -> None:
    if not is_owner(worklist, operator):
        raise WorklistFault(gettext("Das darf nur, wem die Merkliste gehört."))


def add_to_worklist(worklist: Worklist, selection: Selection) -> int:
    """Puts the selected records on the list in one statement; answers how many were not on it yet."""
    chosen = selection.query(
        peewee.Value(worklist.id), selection.spec.model._meta.primary_key, peewee.Value(utcnow(), converter=False)
    )
    fields = [WorklistEntry.worklist, WorklistEntry.record_id, WorklistEntry.added_at]
    with transaction():
        before = _size(worklist)
        WorklistEntry.insert_from(chosen, fields).on_conflict_ignore().execute()
        return _size(worklist) - before


def take_from_worklist(worklist: Worklist, selection: Selection) -> int:
    """Takes the selected records off the list; answers how many were on it."""
    with transaction():
        before = _size(worklist)
        WorklistEntry.delete().where(_chosen(worklist, selection)).execute()
        return before - _size(worklist)


def tick_off(worklist: Worklist, selection: Selection, done: bool) -> int:
    """Marks the selected records of the list as done by this operator, or as open again; answers how many changed."""
    values = {
        "done_at": utcnow() if done else None,
        "done_by": selection.operator.name[:80] if done else None,
    }
    wanted = WorklistEntry.done_at.is_null(done)
    with transaction():
        changed = WorklistEntry.select().where(_chosen(worklist, selection), wanted).count()
        WorklistEntry.update(**values).where(_chosen(worklist, selection), wanted).execute()
        return int(changed)


def _size(worklist: Worklist) -> int:
    return int(WorklistEntry.select().where(WorklistEntry.worklist == worklist.id).count())


def _chosen(worklist: Worklist, selection: Selection) -> Any:
    return (WorklistEntry.worklist == worklist.id) & WorklistEntry.record_id.in_(selection.query())


def contents_of(spec: ModelSpec, operator: Operator, worklists: Iterable[Worklist]) -> dict[int, Contents]:
    """What stands on these lists of one table, as far as the operator sees it."""
    keys = [worklist.id for worklist in worklists]
    key_field = spec.model._meta.primary_key
    query = (
        WorklistEntry.select(
            WorklistEntry.worklist, peewee.fn.COUNT(WorklistEntry.record_id), peewee.fn.COUNT(WorklistEntry.done_at)
        )
        .join(spec.model, on=(key_field == WorklistEntry.record_id))
        .where(WorklistEntry.worklist.in_(keys))
        .group_by(WorklistEntry.worklist)
    )
    condition = visible(operator, spec)
    rows = (query if condition is None else query.where(condition)).tuples()
    return {key: Contents(number, done) for key, number, done in rows}


@dataclass(frozen=True)
class OnWorklist(Part):
    """The records that stand on a list: all, those that are done, or those that are still open."""

    model_spec: ModelSpec
    worklist: int
    name: str
    state: str = ""

    spec = None

    def expression(self, operator: Operator) -> Any:
        keys = WorklistEntry.select(WorklistEntry.record_id).where(WorklistEntry.worklist == self.worklist)
        if self.state:
            keys = keys.where(WorklistEntry.done_at.is_null(self.state == "open"))
        return self.model_spec.model._meta.primary_key.in_(keys)

    def sentence(self, names: ReferenceCache | None = None) -> str:
        if self.state == "open":
            return gettext("Merkliste „%(name)s“, noch offen", name=self.name)
        if self.state == "done":
            return gettext("Merkliste „%(name)s“, erledigt", name=self.name)
        return gettext("Merkliste „%(name)s“", name=self.name)

    def url_pairs(self, names: ReferenceCache | None = None) -> list[tuple[str, str]]:
        return [(f"worklist__{self.state}" if self.state else "worklist", str(self.worklist))]


def _read_part(spec: ModelSpec, operator: Operator, name: str, key: str, texts: Sequence[str]) -> Part:
    if key not in ("", "open", "done") or len(texts) != 1:
        raise FilterError(name)
    try:
        found = find_worklist(spec, operator, texts[0])
    except WorklistFault as fault:
        raise FilterError(name, str(fault)) from fault
    return OnWorklist(spec, found.id, found.name, key)


register_part("worklist", _read_part)

register_store("worklists", _("Merklisten"), lambda person: hide_in_texts(person, Worklist, "name"))

#: Tables of this room, in the order of their creation.
MODELS = (Worklist, WorklistEntry)

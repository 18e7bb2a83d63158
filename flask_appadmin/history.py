"""The tables behind change sets, and questions to them: who changed what, when, through what.

Shape: a ChangeSetRecord is one operation (a form saved, a bulk change, an import); its ChangeRecords are one row per
record and field, or one row with a whole snapshot for a record that was made or removed. Old and new are JSON texts
with exact types; titles, labels and names stand beside the keys as text, so that everything reads well after deletions.
Children name their owner, so that an owner's history shows them.
Units: times are UTC. Secrets are recorded as "changed", never by value. Only the room `changes` writes here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from flask_appadmin.database import database
from flask_appadmin.fieldtypes.columns import JSONField
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import Operator, User, visible, words_for
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: How an operation came about; the words operators read.
KINDS = {
    "form": _("Bearbeitet"),
    "list": _("In der Liste bearbeitet"),
    "bulk": _("Einstellungen geändert"),
    "import": _("Importiert"),
    "copy": _("Kopiert"),
    "full_copy": _("Vollständig kopiert"),
    "delete": _("Gelöscht"),
    "merge": _("Zusammengeführt"),
    "anonymise": _("Anonymisiert"),
    "undo": _("Zurückgenommen"),
    "transmit": _("Übertragen"),
    "load": _("Daten geladen"),
    "setup": _("Eingerichtet"),
    "command": _("Kommandozeile"),
}

#: Kinds of operation after which nothing of their records comes back: what they wiped is gone for good.
FINAL_KINDS = ("anonymise",)

#: The action of an entry at the source of a copy: no value of it changed, and it stands in no one's way.
COPIED = "copied"
#: Kinds of operation that come back as a whole or not at all: half of it would be neither one nor several records.
WHOLE_KINDS = ("merge",)

#: The action of an entry at the survivor of a merge, one for each record that goes on in it.
MERGED = "merged"

#: The action of everything about a record that is anonymised: who, when and which field stay, values do not.
ERASED = "erased"

#: What stands in the history in place of a secret.
SECRET = '"••••"'


class ChangeSetRecord(peewee.Model):
    """One operation."""

    user = peewee.ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
    user_name = peewee.CharField(max_length=80)
    kind = peewee.CharField(max_length=20)
    changed_at = peewee.DateTimeField(index=True)
    reason = peewee.CharField(max_length=255, null=True)
    #: Through what: a file name, "Kommandozeile", the title of the copied record.
    source = peewee.CharField(max_length=255, null=True)
    #: The main table of the operation.
    entity = peewee.CharField(max_length=60)
    #: What operators read in the list of operations.
    title = peewee.CharField(max_length=255)
    created_count = peewee.IntegerField(default=0)
    updated_count = peewee.IntegerField(default=0)
    deleted_count = peewee.IntegerField(default=0)
    #: The operation that this one takes back.
    undo_of = peewee.ForeignKeyField("self", null=True, on_delete="SET NULL")
    #: Further facts (filter, counts of the plan) as JSON.
    details = JSONField(null=True)
    #: Names the effect: what is sent twice (double click, retry) has it once.
    once = peewee.CharField(max_length=64, null=True, unique=True)

    class Meta:
        table_name = "change_set"
        database = database
        indexes = ((("user", "id"), False),)

    @property
    def record_count(self) -> int:
        return self.created_count + self.updated_count + self.deleted_count

    @property
    def kind_label(self) -> str:
        return str(KINDS.get(self.kind, self.kind))


class ChangeRecord(peewee.Model):
    """One field of one record, or one record made or removed."""

    id = peewee.BigAutoField()
    change_set = peewee.ForeignKeyField(ChangeSetRecord, on_delete="CASCADE", index=False)
    entity = peewee.CharField(max_length=60)
    record_id = peewee.BigIntegerField()
    #: The record under which this one is shown: itself, or the owner of a child.
    owner_entity = peewee.CharField(max_length=60)
    owner_id = peewee.BigIntegerField()
    record_title = peewee.CharField(max_length=160)
    #: "create", "update", "delete"; COPIED or MERGED (new_value: key and title of the other); ERASED: that somebody is
    #: anonymised, and everything that was written about him before.
    action = peewee.CharField(max_length=6)
    field = peewee.CharField(max_length=60, null=True)
    field_label = peewee.CharField(max_length=120, null=True)
    old_value = peewee.TextField(null=True)
    new_value = peewee.TextField(null=True)
    #: Where in the source: "Zeile 214".
    source = peewee.CharField(max_length=80, null=True)

    class Meta:
        table_name = "change"
        database = database
        indexes = (
            (("change_set", "entity", "field"), False),
            (("owner_entity", "owner_id", "id"), False),
            (("entity", "record_id"), False),
        )


@dataclass(frozen=True)
class ChangeLine:
    """One line of a history as operators read it."""

    change_id: int
    change_set_id: int
    entity: str
    record_id: int
    title: str
    action: str
    field: str
    label: str
    old: str
    new: str
    source: str
    who: str = ""
    when: Any = None
    kind: str = ""
    reason: str = ""
    #: Through what the operation came: a file name.
    through: str = ""
    #: The operation itself, where it was asked for.
    change_set: Any = None
    owner_entity: str = ""
    owner_id: int = 0
    #: Whether undo could bring the old value back.
    may_return: bool = True


@dataclass(frozen=True)
class ChangeGroup:
    """What an operation did alike to several records."""

    count: int
    entity: str
    action: str
    label: str
    old: str
    new: str


def operations(
    *, user_id: int | None = None, before: int | None = None, limit: int = 50, where: Sequence[Any] = ()
) -> list[ChangeSetRecord]:
    """The latest operations, newest first: of one user, or of all; `before` continues after that key."""
    query = ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).limit(limit)
    if where:
        query = query.where(*where)
    if user_id is not None:
        query = query.where(ChangeSetRecord.user == user_id)
    if before is not None:
        query = query.where(ChangeSetRecord.id < before)
    return list(query)


def readable(operator: Operator, specs: dict[str, ModelSpec]) -> Any:
    """The condition on lines of the history that the operator may see: rights on tables and rows hold here, too."""
    whole, parts = [], []
    for name, spec in specs.items():
        if not operator.may(f"{spec.right}.read"):
            continue
        condition = visible(operator, spec)
        if condition is None:
            whole.append(name)
            continue
        seen = spec.model.select(spec.model._meta.primary_key).where(condition)
        parts.append((ChangeRecord.entity == name) & ChangeRecord.record_id.in_(seen))
    found = ChangeRecord.entity.in_(whole)
    for part in parts:
        found |= part
    return found


def lines(
    operator: Operator,
    specs: dict[str, ModelSpec],
    *,
    where: Sequence[Any] = (),
    before: int | None = None,
    limit: int | None = 100,
) -> Iterator[ChangeLine]:
    """Lines of all operations, newest first, each with its operation; a stream where there is no limit."""
    query = (
        ChangeRecord.select(ChangeRecord, ChangeSetRecord)
        .join(ChangeSetRecord)
        .where(readable(operator, specs), *where)
        .order_by(ChangeRecord.id.desc())
    )
    if before is not None:
        query = query.where(ChangeRecord.id < before)
    if limit is not None:
        query = query.limit(limit)
    return _lines(query.iterator(), operator, specs, with_set=True)


def groups_of_set(
    change_set_id: int, operator: Operator, specs: dict[str, ModelSpec], *, limit: int = 30
) -> tuple[list[ChangeGroup], int]:
    """What one operation did, alike changes counted together, most frequent first; and how many groups there are."""
    # Snapshots of records that were made or removed are all different; without parameters, for the sake of GROUP BY.
    is_update = ChangeRecord.action == peewee.SQL("'update'")
    old = peewee.Case(None, [(is_update, ChangeRecord.old_value)])
    new = peewee.Case(None, [(is_update, ChangeRecord.new_value)])
    columns = (ChangeRecord.entity, ChangeRecord.action, ChangeRecord.field, old, new)
    count = peewee.fn.COUNT(ChangeRecord.id)
    query = (
        ChangeRecord.select(*columns, count)
        .where(ChangeRecord.change_set == change_set_id, readable(operator, specs))
        .group_by(*columns)
    )
    found = []
    names = ReferenceCache()
    for entity, action, field, before, after, number in (
        query.order_by(count.desc(), ChangeRecord.field).limit(limit).tuples()
    ):
        spec = specs.get(entity)
        item = spec.by_name.get(field) if spec is not None and field else None
        label = str(item.label) if item is not None else field or ""
        found.append(
            ChangeGroup(
                number,
                entity,
                action,
                label,
                _words(item, before, operator, names) if action == "update" else "",
                _words(item, after, operator, names) if action == "update" else "",
            )
        )
    return found, query.count() if len(found) == limit else len(found)


@dataclass(frozen=True)
class TakenBack:
    """That an operation was taken back: by which one, and whether wholly."""

    by: int
    is_whole: bool


def taken_back(keys: Iterable[int]) -> dict[int, TakenBack]:
    """Operation -> what took it back and still stands; an undo that was taken back itself does not count."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    undos = list(
        ChangeSetRecord.select(ChangeSetRecord.undo_of, ChangeSetRecord.id, ChangeSetRecord.details)
        .where(ChangeSetRecord.undo_of.in_(wanted))
        .order_by(ChangeSetRecord.id)
        .tuples()
    )
    undone = taken_back(key for _of, key, _details in undos)
    found: dict[int, TakenBack] = {}
    for of, key, details in undos:
        if (again := undone.get(key)) is not None and again.is_whole:
            continue
        is_whole = again is None and not (details or {}).get("part")
        if of not in found or is_whole:
            found[of] = TakenBack(key, is_whole)
    return found


def has_final() -> bool:
    return ChangeSetRecord.select().where(ChangeSetRecord.kind.in_(FINAL_KINDS)).exists()


def is_final(owner_entity: str, owner_id: int) -> bool:
    """Whether nothing of a record comes back any more."""
    return (
        ChangeRecord.select()
        .join(ChangeSetRecord)
        .where(
            ChangeRecord.owner_entity == owner_entity,
            ChangeRecord.owner_id == owner_id,
            ChangeSetRecord.kind.in_(FINAL_KINDS),
        )
        .exists()
    )


def lines_of_set(
    change_set_id: int, operator: Operator, specs: dict[str, ModelSpec], **limits: Any
) -> list[ChangeLine]:
    """What one operation changed, in the order of writing."""
    query = (
        ChangeRecord.select()
        .where(ChangeRecord.change_set == change_set_id, readable(operator, specs))
        .order_by(ChangeRecord.id)
    )
    return list(_lines(query.limit(limits.get("limit", 200)).offset(limits.get("offset", 0)), operator, specs))


def lines_of_record(
    spec: ModelSpec,
    key: int,
    operator: Operator,
    specs: dict[str, ModelSpec],
    *,
    limit: int = 200,
    before: int | None = None,
) -> list[ChangeLine]:
    """The history of a record with its children, newest first, each line with person, time and operation."""
    query = (
        ChangeRecord.select(ChangeRecord, ChangeSetRecord)
        .join(ChangeSetRecord)
        .where(ChangeRecord.owner_entity == spec.name, ChangeRecord.owner_id == key, readable(operator, specs))
        .order_by(ChangeRecord.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(ChangeRecord.id < before)
    return list(_lines(query, operator, specs, with_set=True))


def lines_since(
    last: int, entities: Sequence[str], operator: Operator, specs: dict[str, ModelSpec], *, limit: int
) -> list[ChangeLine]:
    """What was changed in these tables after the line `last`, in the order of writing."""
    query = (
        ChangeRecord.select(ChangeRecord, ChangeSetRecord)
        .join(ChangeSetRecord)
        .where(ChangeRecord.id > last, ChangeRecord.entity.in_(list(entities)))
        .order_by(ChangeRecord.id)
        .limit(limit)
    )
    return list(_lines(query, operator, specs, with_set=True))


def _lines(
    query: Any, operator: Operator, specs: dict[str, ModelSpec], *, with_set: bool = False
) -> Iterator[ChangeLine]:
    names = ReferenceCache()
    for row in query:
        spec = specs.get(row.entity)
        item = spec.by_name.get(row.field) if spec is not None and row.field else None
        change_set = row.change_set if with_set else None
        yield ChangeLine(
            change_id=row.id,
            change_set_id=row.change_set_id,
            entity=row.entity,
            record_id=row.record_id,
            title=row.record_title,
            action=row.action,
            field=row.field or "",
            label=str(item.label) if item is not None else (row.field_label or ""),
            old=_words(item, row.old_value, operator, names) if row.action == "update" else _gone(row, row.old_value),
            new=_new_words(row, item, operator, names),
            source=row.source or "",
            who=change_set.user_name if change_set else "",
            when=change_set.changed_at if change_set else None,
            kind=change_set.kind_label if change_set else "",
            reason=(change_set.reason or "") if change_set else "",
            through=(change_set.source or "") if change_set else "",
            change_set=change_set,
            owner_entity=row.owner_entity,
            owner_id=row.owner_id,
            may_return=spec is not None
            and row.action not in (COPIED, MERGED)
            and (not row.field or (item is not None and not item.secret)),
        )


def _new_words(row: ChangeRecord, item: FieldSpec | None, operator: Operator, names: ReferenceCache) -> str:
    if row.action in (COPIED, MERGED):
        return str(json.loads(row.new_value or "{}").get("title", ""))
    return _words(item, row.new_value, operator, names) if row.action == "update" else _gone(row, row.new_value)


def _gone(row: ChangeRecord, text: str | None) -> str:
    """What stands for a value of somebody who is anonymised; nothing for records made or removed."""
    return str(json.loads(text)) if text is not None and row.action == ERASED else ""


def _words(spec: FieldSpec | None, text: str | None, operator: Operator, names: ReferenceCache) -> str:
    """A JSON text of the history as operators read it, under the same rights as the field itself."""
    if text is None or text == "null":
        return ""
    if spec is None:
        value = json.loads(text)
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if text == SECRET or spec.secret:
        return gettext("geändert")
    return words_for(operator, spec, spec.type.from_json(json.loads(text), spec), names)


#: Tables of this room, in the order of their creation.
MODELS = (ChangeSetRecord, ChangeRecord)

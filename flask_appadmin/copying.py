"""Copy and full copy: one record becomes a ChangeSet of new records, by the copy marks of their fields.

Shape: `keep` takes the value, `clear` starts empty or with the default, `renew` gets a value of its own: from
`prepare` of the model (next number), today for a date, the copied sibling for a reference inside the copy, " (Kopie)"
behind a text. A full copy takes the children whose owner is marked `renew`; children without it
(transactions, cards) stay behind. Secrets are never copied, nor what the operator may not set.
A LeftOut names what the operator unticked. What he left out last stands in the details of his last copy; nothing else
remembers it. The copy remembers its source in the history of both.
Source: spec, column `copy`; requirements SC-21 to SC-24; goals C2 to C4.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask_appadmin.changes import ChangeSet, NewRecord
from flask_appadmin.customfields import complete
from flask_appadmin.database import database, utcnow
from flask_appadmin.errors import NotFound
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import gettext, to_local
from flask_appadmin.rights import Operator, mask, may_edit, may_read, may_read_full, visible
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache, shown

#: Of a child table with more rows than this the dialog offers all or none.
LISTED_ROWS = 12


@dataclass(frozen=True)
class LeftOut:
    """What is not taken along though the kind of copy would: groups of fields, child tables, single rows of them."""

    groups: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    #: Child table -> keys of rows.
    rows: dict[str, frozenset[int]] = field(default_factory=dict)

    def stored(self) -> dict[str, list[str]]:
        """As it stands in the details of the operation; rows are those of one record, nobody leaves them out again."""
        return {"groups": sorted(self.groups), "children": sorted(self.children)}


NOTHING = LeftOut()


def last_left_out(spec: ModelSpec, operator: Operator, *, full: bool) -> LeftOut:
    """What this operator left out of his last copy of this kind."""
    if operator.user_id is None:
        return NOTHING
    row = (
        ChangeSetRecord.select(ChangeSetRecord.details)
        .where(
            ChangeSetRecord.user == operator.user_id,
            ChangeSetRecord.kind == _kind(full),
            ChangeSetRecord.entity == spec.name,
        )
        .order_by(ChangeSetRecord.id.desc())
        .first()
    )
    left = (row.details or {}).get("not_copied") if row is not None else None
    return LeftOut(frozenset(left["groups"]), frozenset(left["children"])) if left else NOTHING


def _kind(full: bool) -> str:
    return "full_copy" if full else "copy"


def plan_copy(
    spec: ModelSpec,
    key: int,
    operator: Operator,
    *,
    full: bool = False,
    values: dict[str, Any] | None = None,
    without: LeftOut = NOTHING,
) -> tuple[ChangeSet, NewRecord]:
    """The set that makes a copy of one record; `values` overrides fields (a number typed in the dialog)."""
    operator.require("copy.full" if full else "copy.run")
    source = read_source(spec, key, operator)
    title = spec.title_of(source)
    change = ChangeSet(
        _kind(full),
        source=f"{spec.label} {title}"[:255],
        details={"source": {"entity": spec.name, "id": key}, "not_copied": without.stored()},
    )
    work = _Copying(change, operator, full, without)
    copied = work.copy(spec, source, None)
    copied.values.update(values or {})
    copied.source = gettext("Kopie von %(title)s", title=title)[:80]
    if full:
        work.copy_children(spec, key, copied)
    work.point_to_siblings()
    change.copied_from(spec, key, title, copied)
    return change, copied


def read_source(spec: ModelSpec, key: int, operator: Operator) -> dict[str, Any]:
    """The record to be copied, all columns; NotFound for one that the operator does not see."""
    key_field = spec.model._meta.primary_key
    query = spec.model.select(key_field).where(key_field == key)
    condition = visible(operator, spec)
    seen = (query if condition is None else query.where(condition)).tuples().first()
    row = next(_rows(spec, "id", key), None) if seen is not None else None
    if row is None:
        raise NotFound(spec, key)
    return row


@dataclass(frozen=True)
class CopyDifferences:
    """What differs now between a copy and its source, as this operator may see it."""

    source: int
    copy: int
    #: (field, what the source has, what the copy has).
    fields: list[tuple[FieldSpec, str, str]]
    #: (child table, rows of the source, rows of the copy) where the numbers differ.
    children: list[tuple[ModelSpec, int, int]]


def differences_to_source(change_set: ChangeSetRecord, spec: ModelSpec, operator: Operator) -> CopyDifferences:
    """Compares the two records of a copy as they stand today; NotFound when one of them is gone or was no copy."""
    details: dict[str, Any] = change_set.details or {}
    told = details.get("source") if change_set.kind in (_kind(False), _kind(True)) else None
    made = (
        ChangeRecord.select(ChangeRecord.record_id)
        .where(
            ChangeRecord.change_set == change_set.id, ChangeRecord.entity == spec.name, ChangeRecord.action == "create"
        )
        .order_by(ChangeRecord.id)
        .first()
    )
    if told is None or made is None:
        raise NotFound(spec)
    source, copied = (read_source(spec, key, operator) for key in (told["id"], made.record_id))
    names = ReferenceCache()
    fields = []
    for item in spec.data_fields:
        if source[item.name] != copied[item.name] and may_read(operator, item):
            words = [shown(item, row[item.name], names) for row in (source, copied)]
            old, new = words if may_read_full(operator, item) else map(mask, words)
            fields.append((item, old, new))
    children = []
    for child in spec.children:
        assert child.owner is not None
        owner = child.owner.column_field
        numbers = [child.model.select().where(owner == row["id"]).count() for row in (source, copied)]
        if numbers[0] != numbers[1]:
            children.append((child, numbers[0], numbers[1]))
    return CopyDifferences(source["id"], copied["id"], fields, children)


class _Copying:
    """One copy while it is planned."""

    def __init__(self, change: ChangeSet, operator: Operator, full: bool, without: LeftOut) -> None:
        self.change = change
        self.operator = operator
        self.full = full
        self.without = without
        #: (table, key of the source) -> its copy.
        self.siblings: dict[tuple[str, int], NewRecord] = {}
        self.pointers: list[tuple[NewRecord, FieldSpec, int]] = []

    def copy(self, spec: ModelSpec, source: dict[str, Any], owner: NewRecord | None) -> NewRecord:
        values: dict[str, Any] = {}
        later: list[tuple[FieldSpec, int]] = []
        for item in spec.data_fields:
            value = source[item.name]
            if item.owner and owner is not None:
                values[item.name] = owner
            elif value is None or self._leaves(item, owner):
                continue
            elif item.copy == "keep":
                values[item.name] = value
            else:
                renewed = _renewed(item, value)
                if renewed is not None:
                    values[item.name] = renewed
                elif item.target is not None:
                    later.append((item, value))
        record = self.change.create(spec, values)
        self.siblings[spec.name, source["id"]] = record
        self.pointers += [(record, item, target) for item, target in later]
        return record

    def _leaves(self, item: FieldSpec, owner: NewRecord | None) -> bool:
        unticked = owner is None and item.group in self.without.groups
        return not is_taken(item, self.operator, self.full) or (unticked and is_optional(item))

    def copy_children(self, spec: ModelSpec, key: int, copied: NewRecord) -> None:
        for child in copied_children(spec):
            if child.name in self.without.children:
                continue
            left = self.without.rows.get(child.name, ())
            for row in child_rows(child, key):
                if row["id"] not in left:
                    record = self.copy(child, row, copied)
                    if child.children:
                        self.copy_children(child, row["id"], record)

    def point_to_siblings(self) -> None:
        """References inside the copy lead to the copied records; what led to one that stays behind stays empty."""
        for record, item, target in self.pointers:
            sibling = self.siblings.get((item.references.name, target))
            if sibling is not None:
                record.values[item.name] = sibling


def is_taken(item: FieldSpec, operator: Operator, full: bool) -> bool:
    """Whether a copy by this operator gets something for a filled field, its own value or a new one."""
    if item.secret or item.copy == "clear" or not may_edit(operator, item):
        return False
    return item.copy == "keep" or item.target is None or full


def is_optional(item: FieldSpec) -> bool:
    """Whether the copy can do without the value; what is renewed it gets in any case."""
    return item.copy == "keep" and (not item.required or item.default is not None)


def child_rows(child: ModelSpec, owner_key: int) -> Iterator[dict[str, Any]]:
    """The rows of a child table of one record, all columns, in the order in which they were made."""
    assert child.owner is not None
    return _rows(child, child.owner.column, owner_key)


def _rows(spec: ModelSpec, column: str, key: int) -> Iterator[dict[str, Any]]:
    """Rows with all columns, by name. Putting the same words together for two dozen tables took most of a copy."""
    names, columns, readers = _reading(spec)
    sql = f'SELECT {columns} FROM "{spec.name}" WHERE "{column}" = {database.param} ORDER BY id'
    rows = (
        dict(
            zip(
                names,
                (None if value is None else read(value) for read, value in zip(readers, row, strict=True)),
                strict=True,
            )
        )
        for row in database.execute_sql(sql, (key,)).fetchall()
    )
    yield from complete(spec, rows)


@functools.lru_cache(maxsize=256)
def _reading(spec: ModelSpec) -> tuple[tuple[str, ...], str, tuple[Callable[[Any], Any], ...]]:
    """The names of the columns, the columns in SQL, and what makes Python values of theirs."""
    return (
        tuple(item.name for item in spec.fields),
        ", ".join(f'"{item.column}"' for item in spec.fields),
        tuple(item.column_field.python_value for item in spec.fields),
    )


def _renewed(item: FieldSpec, value: Any) -> Any:
    """A value of the copy's own where the kind of value tells it; None leaves it to the model's `prepare`."""
    if item.type.name == "date":
        return to_local(utcnow()).date()
    if item.type.name == "datetime":
        return utcnow()
    if item.type.name == "text" and not item.unique:
        suffix = gettext(" (Kopie)")
        return f"{str(value)[: (item.max_length or 250) - len(suffix)]}{suffix}"
    return None


def copied_children(spec: ModelSpec) -> tuple[ModelSpec, ...]:
    """The child tables that a full copy takes along."""
    return tuple(
        child
        for child in spec.children
        if child.owner is not None and (child.owner.copy == "renew" or not _says_more(child))
    )


def _says_more(child: ModelSpec) -> bool:
    """Whether the child says anything about copying at all; one that does not is taken along."""
    return any(item.copy != "keep" for item in child.data_fields)

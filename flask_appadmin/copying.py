"""Copy and full copy: records become a ChangeSet of new records, by the copy marks of their fields.

Shape: `keep` takes the value, `clear` starts empty or with the default, `renew` gets a value of its own: from
`prepare` of the model (next number), today for a date, the copied sibling for a reference inside the copy, " (Kopie)"
behind a text. A full copy takes the children whose owner is marked `renew`; children without it (transactions, cards)
stay behind. The copy remembers its source in the history of both.
Source: spec, column `copy`; requirements SC-21 to SC-24.
"""

from __future__ import annotations

from typing import Any

from flask_appadmin.changes import ChangeSet, NewRecord
from flask_appadmin.database import utcnow
from flask_appadmin.errors import NotFound
from flask_appadmin.i18n import gettext, to_local
from flask_appadmin.rights import Operator, visible
from flask_appadmin.specs import FieldSpec, ModelSpec


def plan_copy(
    spec: ModelSpec, key: int, operator: Operator, *, full: bool = False, values: dict[str, Any] | None = None
) -> tuple[ChangeSet, NewRecord]:
    """The set that makes a copy of one record; `values` overrides fields (a number typed in the dialog)."""
    operator.require("copy.full" if full else "copy.run")
    source = _read(spec, key, operator)
    kind = "full_copy" if full else "copy"
    title = spec.title_of(source)
    change = ChangeSet(kind, source=f"{spec.label} {title}"[:255], details={"source": {"entity": spec.name, "id": key}})
    siblings: dict[tuple[str, int], NewRecord] = {}
    pointers: list[tuple[NewRecord, FieldSpec, int]] = []
    copied = _copy(spec, source, change, None, siblings, pointers, full)
    copied.values.update(values or {})
    siblings[(spec.name, key)] = copied
    if full:
        _copy_children(spec, key, change, copied, siblings, pointers)
    for record, item, target in pointers:
        sibling = siblings.get((item.references.name, target)) if item.references is not None else None
        if sibling is not None:
            record.values[item.name] = sibling
    return change, copied


def _read(spec: ModelSpec, key: int, operator: Operator) -> dict[str, Any]:
    key_field = spec.model._meta.primary_key
    query = spec.model.select().where(key_field == key)
    condition = visible(operator, spec)
    row = (query if condition is None else query.where(condition)).dicts().first()
    if row is None:
        raise NotFound(spec, key)
    return row


def _copy(
    spec: ModelSpec,
    source: dict[str, Any],
    change: ChangeSet,
    owner: NewRecord | None,
    siblings: dict[tuple[str, int], NewRecord],
    pointers: list[tuple[NewRecord, FieldSpec, int]],
    full: bool,
) -> NewRecord:
    values: dict[str, Any] = {}
    later: list[tuple[FieldSpec, int]] = []
    for item in spec.data_fields:
        value = source.get(item.name)
        if item.owner and owner is not None:
            values[item.name] = owner
        elif item.secret or value is None:
            continue
        elif item.copy == "keep":
            values[item.name] = value
        elif item.copy == "renew":
            renewed = _renewed(item, value)
            if renewed is not None:
                values[item.name] = renewed
            elif item.target is not None and full:
                later.append((item, value))
    record = change.create(spec, values)
    siblings[(spec.name, source["id"])] = record
    pointers += [(record, item, target) for item, target in later]
    return record


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


def _copy_children(
    spec: ModelSpec,
    key: int,
    change: ChangeSet,
    copied: NewRecord,
    siblings: dict[tuple[str, int], NewRecord],
    pointers: list[tuple[NewRecord, FieldSpec, int]],
) -> None:
    for child in copied_children(spec):
        assert child.owner is not None
        query = child.model.select().where(child.owner.column_field == key)
        for row in query.order_by(child.model._meta.primary_key).dicts():
            record = _copy(child, row, change, copied, siblings, pointers, True)
            _copy_children(child, row["id"], change, record, siblings, pointers)


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

"""Rows of another table that are about the record and are made elsewhere: read on a tab, never edited there.

Context of templates/appadmin/related_panel.html. Only the newest rows are read; the list of the table has them all.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask_appadmin.database import Prepared
from flask_appadmin.layouts import Related
from flask_appadmin.rights import may_read, may_read_full, visible
from flask_appadmin.specs import FieldSpec, ModelSpec, shown
from flask_appadmin.views.form_page.record import FormRecord

#: So many rows stand on a tab.
_ROWS = 50


def may_see(record: FormRecord, related: Related) -> bool:
    """Whether the operator may read the table at all."""
    other = record.view.registry.specs_by_name[related.table]
    return record.operator.may(f"{other.right}.read")


def related_context(record: FormRecord, related: Related) -> dict[str, Any]:
    """What related_panel.html draws for the record."""
    other = record.view.registry.specs_by_name[related.table]
    record.operator.require(f"{other.right}.read")
    view = record.view.registry.views.get(other.name)
    items = [other.field(name) for name in related.columns]
    items = [
        item
        for item in items
        if may_read(record.operator, item) and (not item.masked or may_read_full(record.operator, item))
    ]
    rows = _newest(record, related, other, tuple(items)) if record.key is not None else []
    names = record.maker.names
    for position, item in enumerate(items, start=1):
        if item.target is not None:
            names.titles(item.references, {row[position] for row in rows if row[position] is not None})
    return {
        "label": str(related.label or other.plural),
        "columns": [(str(item.label), "num" if item.type.is_number else "") for item in items],
        "rows": [
            (
                view.record_url(row[0]) if view is not None else "",
                [shown(item, value, names) for item, value in zip(items, row[1:], strict=True)],
            )
            for row in rows[:_ROWS]
        ],
        "more_url": f"{view.list_url()}?{urlencode([(related.by, _code(record))])}"
        if view and len(rows) > _ROWS
        else "",
        "empty": str(related.empty),
    }


#: (related rows, columns) -> the question for those of one record.
_questions: dict[tuple[Any, ...], Prepared] = {}


def _newest(
    record: FormRecord, related: Related, other: ModelSpec, items: tuple[FieldSpec, ...]
) -> list[tuple[Any, ...]]:
    """Key and columns of the rows that are shown, and one more where there are more."""
    key_field = other.model._meta.primary_key
    conditions = [visible(record.operator, other), related.only() if related.only is not None else None]
    conditions = [condition for condition in conditions if condition is not None]

    def make(key: Any) -> Any:
        query = other.model.select(key_field, *(item.column_field for item in items))
        query = query.where(other.field(related.by).column_field == key, *conditions)
        order = [other.field(name.lstrip("-")).column_field for name in other.description.order if name != "-id"]
        return query.order_by(*(column.desc() for column in order), key_field.desc()).limit(_ROWS + 1)

    if conditions:
        return list(make(record.key).tuples())
    place = (other.model, related.by, *items)
    if place not in _questions:
        _questions[place] = Prepared(make, 1)
    return _questions[place](record.key)


def _code(record: FormRecord) -> str:
    """The record as the list's address names it."""
    assert record.key is not None
    return str(record.maker.names.codes(record.spec, {record.key})[record.key])

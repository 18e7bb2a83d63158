"""What the form says while one types: proposals for fields, texts to choose from, notes, and lines as printed.

Shape: one small request carries the watched fields as they stand on the page (POST JSON {"values", "proposed",
"changed"}); the answer is {"values", "cells", "choices", "fixed", "notes", "previews"}, see
static/appadmin/js/proposals.js. A field is filled only while it is free: empty, or holding what was proposed before.
What is proposed comes from the same functions that complete the record when it is saved; nothing is written here, and a
field that cannot be read counts as empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import jsonify, request
from werkzeug.datastructures import MultiDict

from flask_appadmin.errors import NotFound
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.forms import Proposals, Typed
from flask_appadmin.layouts import LinesPreview
from flask_appadmin.rights import may_edit, may_read, visible
from flask_appadmin.specs import FieldSpec, shown, spec_of
from flask_appadmin.views.form_page.record import FormRecord

#: A field that sends more is not one that is typed.
_LONGEST = 400


def watched_fields(record: FormRecord) -> tuple[str, ...]:
    """The fields whose change is worth a request; "<child>.<field>" in child tables."""
    view, model = record.view, record.spec.model
    previews = (name for preview in previews_of(record) for name in preview.fields)
    warned = (item.name for item in record.spec.data_fields if item.kind in ("phone", "fax"))
    names = (*view.proposal_fields, *model.mirrors, *(name for _field, (name, _v) in model.shown_when.items()))
    return tuple(dict.fromkeys((*names, *previews, *warned)))


def previews_of(record: FormRecord) -> list[LinesPreview]:
    return [group.preview for tab in record.view.form_layout.tabs for group in tab.groups if group.preview is not None]


def answer_proposals(record: FormRecord) -> Any:
    """The answer to one request."""
    if not record.may_save:
        record.operator.require(f"{record.spec.right}.edit")
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise NotFound()
    typed = _typed(record, _texts(sent.get("values")), _texts(sent.get("proposed")), sent.get("changed"))
    found = record.view.propose(typed) if record.view.propose is not None else Proposals()
    names = ReferenceCache()
    notes: dict[str, list[dict[str, Any]]] = {}
    for name in watched_fields(record):
        item = record.spec.by_name.get(name)
        if item is not None and name in typed.texts and may_read(record.operator, item):
            warning = item.warning(typed.values.get(name))
            if warning:
                notes.setdefault(name, []).append({"text": warning, "links": []})
    for name, sentence, keys in found.notes:
        links = [
            {"text": title, "url": record.view.record_url(key)}
            for key, title in names.titles(record.spec, set(keys)).items()
        ]
        notes.setdefault(name, []).append({"text": sentence, "links": links})
    fixed = _fixed(record, typed)
    for name, (value, _title) in fixed.items():
        typed.values[name] = value
    for name, value in found.values.items():
        if name not in fixed:
            typed.values[name] = value
    return jsonify(
        {
            "values": {
                name: _text(record.spec.field(name), value)
                for name, value in found.values.items()
                if name not in fixed and may_read(record.operator, record.spec.field(name))
            },
            "cells": {name: text for name, text in found.cells.items() if _may_fill(record, name)},
            "choices": found.choices,
            "fixed": {
                name: {
                    "value": _text(record.spec.field(name), value),
                    "text": shown(record.spec.field(name), value, names),
                    "title": title,
                }
                for name, (value, title) in fixed.items()
                if may_read(record.operator, record.spec.field(name))
            },
            "notes": notes,
            "previews": {preview.name: preview.lines(typed.values) for preview in previews_of(record)},
        }
    )


def _may_fill(record: FormRecord, name: str) -> bool:
    """Whether the operator may see and set a field of a child table ("<child>.<field>")."""
    child, _point, column = name.partition(".")
    item = next(found for found in record.spec.children if found.name == child).field(column)
    return may_read(record.operator, item) and may_edit(record.operator, item) and not item.masked


def _texts(sent: Any) -> dict[str, str]:
    """Names and texts of what was sent, as far as it can have been typed."""
    if not isinstance(sent, dict):
        return {}
    pairs = ((name, value) for name, value in list(sent.items())[:200] if isinstance(value, str))
    return {str(name): value.replace("\x00", "")[:_LONGEST] for name, value in pairs}


def _typed(record: FormRecord, texts: dict[str, str], proposed: dict[str, str], changed: Any) -> Typed:
    items = [record.spec.field(name) for name in watched_fields(record) if name in record.spec.by_name]
    stored = record.values(items)
    form = record.maker.make(tuple(items), is_new=record.key is None)
    record.maker.show(form, stored, record.spec, record.key)
    form.read(MultiDict(texts), {name for name in texts if name in form}, record.maker.names)
    values = dict(stored)
    for field in form:
        if field.was_posted:
            values[field.spec.name] = None if field.errors else field.parsed
    for name in texts:
        # Of a child table one row is typed at a time.
        child, _point, column = name.partition(".")
        spec = next((found for found in record.spec.children if found.name == child and column in found.by_name), None)
        if spec is not None and may_read(record.operator, spec.field(column)):
            values[name] = texts[name]
    free = {name for name, text in texts.items() if not text.strip() or text == proposed.get(name)}
    named = [name for name in changed if isinstance(name, str)] if isinstance(changed, list) else []
    return Typed(record.key, values, stored, frozenset(free), frozenset(named), texts, record.operator)


def _fixed(record: FormRecord, typed: Typed) -> dict[str, tuple[Any, str]]:
    """The fields that follow another record, with its values and its title."""
    found: dict[str, tuple[Any, str]] = {}
    for reference, fields in record.spec.model.mirrors.items():
        item = record.spec.field(reference)
        key = typed.values.get(reference)
        deciding, values = record.spec.model.shown_when.get(reference, ("", ()))
        if (
            key is None
            or not may_read(record.operator, item)
            or (deciding and typed.values.get(deciding) not in values)
        ):
            continue
        target = spec_of(item.target)
        columns = [target.field(name).column_field for name in fields.values()]
        query = target.model.select(*columns).where(target.model._meta.primary_key == key)
        condition = visible(record.operator, target)
        row = (query if condition is None else query.where(condition)).tuples().first()
        title = f"{item.label} {shown(item, key)}"
        found.update({name: (value, title) for name, value in zip(fields, row or (), strict=False)})
    return found


def pinned_fields(record: FormRecord, values: dict[str, Any]) -> Iterable[str]:
    """The fields of a stored record that follow another one and are changed there."""
    for reference, fields in record.spec.model.mirrors.items():
        if values.get(reference) is not None:
            yield from fields


def _text(item: FieldSpec, value: Any) -> str:
    if value is None:
        return ""
    return str(value) if item.target is not None else value if isinstance(value, str) else item.format(value)

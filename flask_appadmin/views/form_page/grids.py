"""The child tables of a record as grids in its form: as stored, as posted, as drawn (child_grid.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask_appadmin.changes import NewRecord
from flask_appadmin.database import database
from flask_appadmin.i18n import gettext
from flask_appadmin.layouts import form_fields
from flask_appadmin.rights import may_read, visible
from flask_appadmin.specs import FieldSpec, ModelSpec
from flask_appadmin.views.form_page.conflicts import base_value
from flask_appadmin.views.form_page.record import FormRecord

#: So many child rows stand in a grid; longer ones say so.
_GRID_LIMIT = 200


class GridRow:
    """One row of a child grid: stored (key is the record's), or new (n1, n2 …)."""

    def __init__(self, key: str, form: Any, values: dict[str, Any] | None) -> None:
        self.key = key
        self.form = form
        #: The stored values, None for a new row.
        self.values = values
        self.version = "" if values is None else str(values.get("version", ""))
        #: The version that the page showed, where it said one.
        self.shown_version: int | None = None
        self.deleted = False
        self.errors: list[str] = []
        self.record: NewRecord | None = None


class Grid:
    def __init__(self, spec: ModelSpec, rows: list[GridRow]) -> None:
        self.spec = spec
        self.rows = rows
        self.errors: list[str] = []


def child_counts(children: Iterable[ModelSpec], key: int) -> dict[str, int]:
    """The number of rows that a record has in each of these child tables."""
    owned = [(child, child.owner.column) for child in children if child.owner is not None]
    if not owned:
        return {}
    # One question for all tables: asked one by one they cost more than the rest of the page.
    parts = (f'(SELECT count(*) FROM "{child.name}" WHERE "{column}" = {key:d})' for child, column in owned)
    row = database.execute_sql(f"SELECT {', '.join(parts)}").fetchone()
    return {child.name: number for (child, _column), number in zip(owned, row, strict=True)}


def _child_rows(record: FormRecord, child: ModelSpec) -> list[dict[str, Any]]:
    if record.key is None:
        return []
    assert child.owner is not None
    key_field = child.model._meta.primary_key
    query = child.model.select().where(child.owner.column_field == record.key)
    condition = visible(record.operator, child)
    query = query if condition is None else query.where(condition)
    return list(query.order_by(key_field).limit(_GRID_LIMIT).dicts())


def stored_grid(record: FormRecord, child: ModelSpec, base: dict[str, Any]) -> Grid:
    rows = []
    for values in _child_rows(record, child):
        row = GridRow(str(values["id"]), _row_form(record, child, str(values["id"])), values)
        record.maker.show(row.form, values, child, values["id"])
        base[f"{child.name}-{row.key}"] = base_of(row.form, values)
        rows.append(row)
    return Grid(child, rows)


def base_of(form: Any, values: dict[str, Any]) -> dict[str, Any]:
    """What the page shows, for finding out later what was changed on it; without secrets, masked values as marks."""
    return {
        field.spec.name: base_value(field.spec, values.get(field.spec.name))
        for field in form
        if field.kind != "secret" and not field.readonly
    }


def show_stored_row(record: FormRecord, grid: Grid, row: GridRow, base: dict[str, Any]) -> None:
    """Lets a row stand on the page as it is stored now, no longer to be deleted."""
    assert row.values is not None
    row.form = _row_form(record, grid.spec, row.key)
    record.maker.show(row.form, row.values, grid.spec, row.values["id"])
    row.version, row.deleted = str(row.values["version"]), False
    base[f"{grid.spec.name}-{row.key}"] = base_of(row.form, row.values)


def _row_form(record: FormRecord, child: ModelSpec, row_key: str) -> Any:
    fields = form_fields(child)
    return record.maker.make(
        fields, prefix=f"{child.name}-{row_key}", is_new=not row_key.isdigit(), read_only=not record.may_save
    )


def posted_grid(record: FormRecord, child: ModelSpec, posted: Any, shown: set[str], base: dict[str, Any]) -> Grid:
    stored = {str(values["id"]): values for values in _child_rows(record, child)}
    grid = Grid(child, [])
    seen = set()
    for start in posted.getlist("_rows"):
        name, _gap, key = start.rpartition("-")
        if name != child.name or key in seen or not re.fullmatch(r"n?[0-9]{1,18}", key):
            continue
        seen.add(key)
        values = stored.get(key)
        row = GridRow(key, _row_form(record, child, key), values)
        record.maker.show(row.form, values or _new_values(record, child), child, int(key) if values else None)
        row.form.read(posted, shown, record.maker.names)
        row.deleted = posted.get(f"{start}-delete") == "1"
        shown_version = posted.get(f"{start}-version", "")
        if values is not None and shown_version.isascii() and shown_version.isdigit() and len(shown_version) < 10:
            # After a refused save the page still says which version the operator has seen.
            row.version, row.shown_version = shown_version, int(shown_version)
        if values is None and (row.deleted or _is_blank(row, child)):
            continue
        if values is None and key.isdecimal():
            if not differing(row.form, base.get(start, {})):
                continue
            grid.errors.append(_offer_again(child, row))
        grid.rows.append(row)
    return grid


def _new_values(record: FormRecord, child: ModelSpec) -> dict[str, Any]:
    """What a new row of the grid starts with: the defaults, below this record."""
    assert child.owner is not None
    return {**_defaults(child), child.owner.name: record.key}


def _offer_again(child: ModelSpec, row: GridRow) -> str:
    """A row that was changed here and removed by somebody else stands on the page as a new one."""
    row.key = f"n{row.key}"
    for field in row.form:
        field.name = field.id = f"{child.name}-{row.key}-{field.short_name}"
    return gettext(
        "Eine Zeile, die Sie geändert haben, wurde inzwischen gelöscht. Sie steht hier noch einmal als neue Zeile: "
        "„Speichern“ legt sie wieder an, „✕“ verwirft sie."
    )


def grid_context(record: FormRecord, grid: Grid) -> dict[str, Any]:
    child = grid.spec
    columns = record.view.grid_fields(child)
    blank = None
    if record.may_save:
        row = GridRow("__key__", _row_form(record, child, "__key__"), None)
        record.maker.show(row.form, _new_values(record, child), child)
        blank = _row_context(row, columns)
    seen = tuple(item for item in columns if item.secret or may_read(record.operator, item))
    return {
        "name": child.name,
        "label": str(child.plural),
        "columns": [
            (heading, _column_css(item), hint) for item in seen for heading, hint in [record.view.heading(item)]
        ],
        "rows": [_row_context(row, columns) for row in grid.rows],
        "blank": blank,
        "can_delete": record.may_save,
        "empty": gettext("Noch keine Einträge. „Neu“ oder die Taste Einfg legt eine Zeile an."),
        "errors": grid.errors,
    }


def _row_context(row: GridRow, columns: tuple[FieldSpec, ...]) -> dict[str, Any]:
    by_name = {field.spec.name: field for field in row.form}
    names = [item.name for item in columns]
    return {
        "key": row.key,
        "version": row.version,
        "cells": [by_name[name] for name in names if name in by_name],
        "more": [field for name, field in by_name.items() if name not in names],
        "deleted": row.deleted,
        "errors": row.errors,
    }


def _defaults(child: ModelSpec) -> dict[str, Any]:
    return {item.name: item.default_value() for item in form_fields(child)}


def _is_blank(row: GridRow, child: ModelSpec) -> bool:
    """A new row in which nobody filled anything."""
    defaults = _defaults(child)
    for field in row.form:
        if field.errors:
            return False
        if field.was_posted and field.parsed != defaults.get(field.spec.name) and field.parsed not in (None, ""):
            return False
    return True


def _column_css(item: FieldSpec) -> str:
    if item.type.name == "bool":
        return "tick"
    if item.type.is_number:
        return "num s"
    if item.kind == "iban":
        return "l"
    if item.type.name == "date" or (item.max_length or 99) <= 12:
        return "s"
    return "l" if (item.max_length or 0) >= 60 else "m"


def differing(form: Any, known: dict[str, Any]) -> dict[str, Any]:
    """The values that were posted and are not what the page had shown."""
    return {
        field.spec.name: field.parsed
        for field in form
        if field.was_posted
        and not field.errors
        and (
            field.spec.name not in known or field.spec.type.to_json(field.parsed, field.spec) != known[field.spec.name]
        )
    }

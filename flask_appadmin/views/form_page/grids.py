"""The child tables of a record as grids in its form: as stored, as posted, as drawn (child_grid.html)."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from flask import url_for

from flask_appadmin.arrangements import presets_of, starting_values
from flask_appadmin.changes import NewRecord
from flask_appadmin.customfields import complete, tab_of
from flask_appadmin.database import Prepared, database
from flask_appadmin.digits import is_number
from flask_appadmin.errors import NotFound
from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.forms import is_as_shown
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.layouts import ChildTable, form_fields
from flask_appadmin.rights import may_read, may_set_secret, visible
from flask_appadmin.specs import FieldSpec, ModelSpec
from flask_appadmin.views.form_page.conflicts import base_value, has_deleted
from flask_appadmin.views.form_page.patterns import KEY, LABEL, URL, VERSION, PlainRow, Rows, drawn, text_mark
from flask_appadmin.views.form_page.record import FormRecord

#: So many child rows stand in a grid at first; as many more come each time they are asked for.
ROWS_AT_ONCE = 50

#: So many new and changed rows of one grid are saved at once.
MOST_ROWS = 500

#: So many keys one question names.
_BLOCK = 500

#: So many of them a question that is kept names.
_SIZES = (1, 5, 15, ROWS_AT_ONCE)


class GridRow:
    """One row of a child grid: stored (key is the record's), or new (n1, n2 …)."""

    def __init__(
        self, key: str, make: Callable[[], Any], values: dict[str, Any] | None, *, is_whole: bool = True
    ) -> None:
        self.key = key
        self._make = make
        self._form: Any = None
        #: The stored values, None for a new row.
        self.values = values
        #: Whether all its fields are on the page; a row with a window of its own shows a few as text until it opens.
        self.is_whole = is_whole
        self.version = "" if values is None else str(values.get("version", ""))
        #: The version that the page showed, where it said one.
        self.shown_version: int | None = None
        self.deleted = False
        self.errors: list[str] = []
        self.record: NewRecord | None = None

    @property
    def form(self) -> Any:
        """Its fields. Made when they are asked for: most rows that are sent are as they were."""
        if self._form is None:
            self._form = self._make()
        return self._form

    @form.setter
    def form(self, form: Any) -> None:
        self._form = form

    @property
    def used_fields(self) -> Any:
        """The fields that something was read into or said about; none of a row that was sent as it stood there."""
        return self._form or ()


class Grid:
    def __init__(self, spec: ModelSpec, rows: list[GridRow]) -> None:
        self.spec = spec
        self.rows = rows
        self.errors: list[str] = []
        #: More rows were changed than one save takes.
        self.is_too_long = False
        #: So many stored rows come before these, and so many after them.
        self.before = 0
        self.rest = 0
        #: The fields in which rows are drawn that stand there as they are stored, one row after the other.
        self.pattern: Any = None


def child_counts(children: Iterable[ModelSpec], key: int) -> dict[str, int]:
    """The number of rows that a record has in each of these child tables."""
    owned = [(child, child.owner.column) for child in children if child.owner is not None]
    if not owned:
        return {}
    # One question for all tables: asked one by one they cost more than the rest of the page.
    mark = database.param
    parts = (f'(SELECT count(*) FROM "{child.name}" WHERE "{column}" = {mark})' for child, column in owned)
    row = database.execute_sql(f"SELECT {', '.join(parts)}", (key,) * len(owned)).fetchone()
    return {child.name: number for (child, _column), number in zip(owned, row, strict=True)}


def _child_query(record: FormRecord, child: ModelSpec) -> Any:
    assert child.owner is not None
    query = child.model.select().where(child.owner.column_field == record.key)
    condition = visible(record.operator, child)
    return query if condition is None else query.where(condition)


def _in_order(child: ModelSpec, query: Any) -> Any:
    """The rows as the model orders them; those without a value for it come last, the order of entry decides."""
    order = []
    for name in child.description.order:
        item = child.by_name.get(name.lstrip("-"))
        if item is not None and item.target is None and not item.is_system:
            column = item.column_field
            order.append(column.desc(nulls="last") if name.startswith("-") else column.asc(nulls="last"))
    return query.order_by(*order, child.model._meta.primary_key)


#: (table, what is asked) -> the question for rows of one record: making the SQL of so many columns takes long.
_questions: dict[tuple[Any, ...], Prepared] = {}


def _asked(child: ModelSpec, name: Any, make: Callable[..., Any], values: Sequence[int]) -> list[dict[str, Any]]:
    """The rows that a question finds, as values by field. `name` tells the questions of a table apart."""
    place = (child.model, name)
    if place not in _questions:
        _questions[place] = Prepared(make, len(values))
    names = child.model._meta.sorted_field_names
    return [dict(zip(names, row, strict=True)) for row in _questions[place](*values)]


def _first_rows(record: FormRecord, child: ModelSpec) -> list[dict[str, Any]]:
    """The rows of a record that a grid shows at first, and one more where there are more."""
    assert child.owner is not None and record.key is not None
    if visible(record.operator, child) is not None:
        return list(_in_order(child, _child_query(record, child)).limit(ROWS_AT_ONCE + 1).dicts())
    owner = child.owner.column_field

    def make(key: Any) -> Any:
        return _in_order(child, child.model.select().where(owner == key)).limit(ROWS_AT_ONCE + 1)

    return _asked(child, "first", make, [record.key])


def _whole_rows(record: FormRecord, child: ModelSpec, keys: list[int]) -> dict[str, dict[str, Any]]:
    """Stored rows of the record by their key as text."""
    found: dict[str, dict[str, Any]] = {}
    if record.key is not None and 0 < len(keys) <= ROWS_AT_ONCE and visible(record.operator, child) is None:
        assert child.owner is not None
        owner, key_field = child.owner.column_field, child.model._meta.primary_key
        # A few sizes only, each of which is prepared once: the last key fills up the rest.
        size = next(size for size in _SIZES if size >= len(keys))

        def make(owner_key: Any, *wanted: Any) -> Any:
            return child.model.select().where(owner == owner_key, key_field << wanted)

        filled = [*keys, *[keys[-1]] * (size - len(keys))]
        rows = _asked(child, size, make, [record.key, *filled])
        return {str(values["id"]): values for values in complete(child, rows)}
    for start in range(0, len(keys) if record.key is not None else 0, _BLOCK):
        query = _child_query(record, child).where(child.model._meta.primary_key << keys[start : start + _BLOCK])
        found.update((str(values["id"]), values) for values in complete(child, query.dicts()))
    return found


def stored_grid(
    record: FormRecord, child: ModelSpec, base: dict[str, Any], *, skip: int = 0, whole: bool = False
) -> Grid:
    """The rows as they are stored, from the `skip`th on; all of them where `whole` is asked for."""
    grid = Grid(child, [])
    grid.before = skip
    if record.key is None or child.name in record.childless:
        return grid
    if skip or whole:
        query = _in_order(child, _child_query(record, child))
        stored = list((query if whole else query.limit(ROWS_AT_ONCE + 1).offset(skip)).dicts())
    else:
        stored = _first_rows(record, child)
    stored = complete(child, stored)
    if not whole and len(stored) > ROWS_AT_ONCE:
        del stored[ROWS_AT_ONCE:]
        grid.rest = _child_query(record, child).count() - skip - ROWS_AT_ONCE
    has_window = bool(record.view.child_table(child).window)
    for values in stored:
        row = _stored_row(record, child, values, is_whole=not has_window)
        if row.is_whole:
            grid.pattern = grid.pattern or _row_form(record, child, "0")
            base[f"{child.name}-{row.key}"] = _base_of_stored(grid.pattern, values)
        grid.rows.append(row)
    return grid


def _stored_row(record: FormRecord, child: ModelSpec, values: dict[str, Any], *, is_whole: bool) -> GridRow:
    key = str(values["id"])
    make = functools.partial(_shown_form, record, child, key, values, is_whole=is_whole)
    return GridRow(key, make, values, is_whole=is_whole)


def _shown_form(
    record: FormRecord, child: ModelSpec, key: str, values: dict[str, Any] | None, *, is_whole: bool = True
) -> Any:
    form = _row_form(record, child, key, is_whole=is_whole)
    starts = defaults_of(record, child) if values is None else values
    record.maker.show(form, starts, child, None if values is None else int(key))
    return form


def opened_row(record: FormRecord, child: ModelSpec, key: int, base: dict[str, Any]) -> GridRow:
    """One stored row with all its fields, for its window."""
    values = _whole_rows(record, child, [key]).get(str(key))
    if values is None:
        raise NotFound(child, key)
    row = _stored_row(record, child, values, is_whole=True)
    base[f"{child.name}-{row.key}"] = base_of(row.form, values)
    return row


def base_of(form: Any, values: dict[str, Any]) -> dict[str, Any]:
    """What the page shows, for finding out later what was changed on it; without secrets, masked values as marks."""
    return {
        field.spec.name: base_value(field.spec, values.get(field.spec.name))
        for field in form
        if field.kind != "secret" and not (field.readonly and field.kind == "masked")
    }


def _base_of_stored(form: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The same for a row whose values were not put into the fields yet."""
    return {
        name: base_value(field.spec, values.get(name))
        for name, field in form._fields.items()
        if field.kind != "secret" and not (field.readonly and field.spec.masked and values.get(name) is not None)
    }


def show_stored_row(record: FormRecord, grid: Grid, row: GridRow, base: dict[str, Any]) -> None:
    """Lets a row stand on the page as it is stored now, no longer to be deleted."""
    model = grid.spec.model
    # Read again: whoever changed it may have done so after this request looked.
    found = model.select().where(model._meta.primary_key == int(row.key)).dicts()
    row.values = next(iter(complete(grid.spec, found)), None) or row.values
    assert row.values is not None
    row.form = _shown_form(record, grid.spec, row.key, row.values, is_whole=row.is_whole)
    row.version, row.deleted = str(row.values["version"]), False
    if row.is_whole:
        base[f"{grid.spec.name}-{row.key}"] = base_of(row.form, row.values)


def _row_form(record: FormRecord, child: ModelSpec, row_key: str, *, is_whole: bool = True) -> Any:
    """The fields of a row; of one that is not whole only those that the table shows."""
    fields = form_fields(child) if is_whole else record.view.grid_fields(child)
    form = record.maker.make(
        fields, prefix=f"{child.name}-{row_key}", is_new=not is_number(row_key), read_only=not record.may_save
    )
    for name in record.view.child_table(child).given:
        if name in form:
            form[name].readonly = True
            form[name].placeholder = gettext("neu")
    return form


def by_child_table(posted: Any) -> dict[str, dict[str, str]]:
    """What was posted for the rows of child tables: table -> name -> value."""
    found: dict[str, dict[str, str]] = {}
    for name, value in posted.items():
        table, dash, _rest = name.partition("-")
        if dash:
            found.setdefault(table, {})[name] = value
    return found


def posted_grid(
    record: FormRecord,
    child: ModelSpec,
    posted: Any,
    by_table: dict[str, dict[str, str]],
    shown: set[str],
    base: dict[str, Any],
) -> Grid:
    starts = [start for start in posted.getlist("_rows") if start.rpartition("-")[0] == child.name]
    keys = [key for key in (start.rpartition("-")[2] for start in starts) if re.fullmatch(r"n?[0-9]{1,18}", key)]
    stored = _whole_rows(record, child, [int(key) for key in keys if key.isdecimal()])
    # What was on the page: rows whose window was never opened sent nothing but their key.
    own = by_table.get(child.name, {})
    prefix = f"{child.name}-"
    sent = {name.rpartition("-")[0] for name in own if not name.endswith(("-version", "-delete"))}
    sent |= {name.rpartition("-")[0] for name in shown if name.startswith(prefix)}
    grid = Grid(child, [])
    if len(keys) > len(set(keys)) or _is_mixed(posted, own, starts):
        grid.errors.append(_sent_twice(child))
    patterns: dict[bool, Any] = {}
    for key in dict.fromkeys(keys):
        start = f"{child.name}-{key}"
        values = stored.get(key)
        is_whole = values is None or start in sent
        make = functools.partial(_shown_form, record, child, key, values, is_whole=is_whole)
        row = GridRow(key, make, values, is_whole=is_whole)
        row.deleted = own.get(f"{start}-delete") == "1"
        shown_version = own.get(f"{start}-version", "")
        if values is not None and is_number(shown_version, 9):
            # After a refused save the page still says which version the operator has seen.
            row.version, row.shown_version = shown_version, int(shown_version)
        if values is not None and row.shown_version == values.get("version"):
            if is_whole not in patterns:
                patterns[is_whole] = _row_form(record, child, "0", is_whole=is_whole)
            if all(
                is_as_shown(field, f"{start}-{name}", values.get(name), own, shown)
                for name, field in patterns[is_whole]._fields.items()
            ):
                grid.rows.append(row)
                continue
        row.form.read(posted, shown, record.maker.names, base.get(start))
        if values is None and (row.deleted or _is_blank(record, row, child)):
            continue
        if values is None and key.isdecimal():
            if not differing(row.form, base.get(start, {})):
                continue
            grid.errors.append(_offer_again(record, child, row))
        grid.rows.append(row)
    touched = sum(1 for row in grid.rows if row.deleted or row.used_fields)
    if touched > MOST_ROWS:
        grid.is_too_long = True
        grid.errors.insert(0, _too_many(touched))
    if record.key is not None and len(stored) >= ROWS_AT_ONCE:
        grid.rest = max(_child_query(record, child).count() - len(stored), 0)
    return grid


def _is_mixed(posted: Any, names: Iterable[str], starts: list[str]) -> bool:
    """Whether a field of a row was sent with two values, so that nobody knows which of them is meant."""
    repeated = [name for name in names if len(posted.getlist(name)) > 1]
    return any(name.rpartition("-")[0] in starts for name in repeated)


def _sent_twice(child: ModelSpec) -> str:
    return gettext(
        "%(rows)s: Eine Zeile kam zweimal an. Gespeichert wurde nichts; bitte prüfen Sie die Zeilen und speichern Sie "
        "noch einmal.",
        rows=str(child.plural),
    )


def _too_many(count: int) -> str:
    return gettext(
        "Hier sind %(count)s Zeilen neu oder geändert; auf einmal können höchstens %(most)s gespeichert werden. Es "
        "wurde nichts gespeichert, Ihre Eingaben stehen noch da. Für viele Zeilen gibt es den Import.",
        count=format_number(count),
        most=MOST_ROWS,
    )


def _offer_again(record: FormRecord, child: ModelSpec, row: GridRow) -> str:
    """A row that was changed here and removed, or moved, by somebody else stands on the page as a new one."""
    was_deleted = has_deleted(record, child, int(row.key))
    row.key = f"n{row.key}"
    for field in row.form:
        field.name = field.id = f"{child.name}-{row.key}-{field.short_name}"
    if not was_deleted:
        # Whether there is such a row elsewhere is not told.
        return gettext(
            "Eine Zeile, die Sie geändert haben, gehört nicht zu diesem Datensatz. Gespeichert wurde nichts; Ihre "
            "Angaben stehen hier als neue Zeile: „Speichern“ legt sie hier an, „✕“ verwirft sie."
        )
    return gettext(
        "Eine Zeile, die Sie geändert haben, wurde inzwischen gelöscht. Sie steht hier noch einmal als neue Zeile: "
        "„Speichern“ legt sie wieder an, „✕“ verwirft sie."
    )


def grid_context(record: FormRecord, grid: Grid) -> SimpleNamespace:
    """What child_grid.html draws. No dict: templates find attributes in a third of the time."""
    child = grid.spec
    view = record.view
    table = view.child_table(child)
    columns = view.grid_fields(child)
    may_add = record.may_save and not table.begins
    drawn_rows: list[Any] = [
        _plain_row(record, row.key, row, table, at)
        if _is_as_stored(record, child, row, table)
        else _row_context(record, child, row, columns, table, at)
        for at, row in enumerate(grid.rows, start=grid.before + 1)
    ]
    taken = {row.key for row in grid.rows}
    spare = (key for key in (f"n{number}" for number in itertools.count(1)) if key not in taken)
    while may_add and not grid.before and len(drawn_rows) < table.least:
        drawn_rows.append(_plain_row(record, next(spare), None, table, len(drawn_rows) + 1))
    begins = bool(table.begins) and record.may_save and record.key is not None
    filled = sum(1 for row in grid.rows if not row.deleted)
    address = {"tab": view.form_layout.tab_of(child.name)}
    own_url = view.record_url(record.key, **address) if record.key is not None else ""
    return SimpleNamespace(
        name=child.name,
        label=str(child.plural),
        single=str(child.label),
        columns=[
            (heading, _column_css(item), hint)
            for item in _seen(record, columns)
            for heading, hint in [view.heading(item)]
        ],
        rows=drawn_rows,
        count=filled + grid.rest,
        blank=_plain_row(record, "__key__", None, table, "{n}") if may_add else None,
        begin_url=url_for(f"{view.endpoint}.{table.begins}", id=record.key) if begins else "",
        can_delete=record.may_save,
        window=str(table.window),
        asks=table.asks,
        row_label=str(table.row_label) % {"number": "{n}"} if table.row_label else "",
        row_url=own_url,
        rest=grid.rest,
        more=min(grid.rest, ROWS_AT_ONCE),
        all_url=f"{own_url}&all=1" if grid.rest else "",
        empty=gettext("Noch keine Einträge. „Neu“ oder die Taste Einfg legt eine Zeile an.")
        if begins or not table.begins
        else gettext("Noch keine Einträge."),
        errors=grid.errors,
        draw=drawn,
        draw_row=_plain_rows(record, grid, columns),
    )


def _is_as_stored(record: FormRecord, child: ModelSpec, row: GridRow, table: ChildTable) -> bool:
    """Whether there is nothing to say about a row but its values."""
    return (
        row.values is not None
        and not (row.used_fields or row.deleted or row.errors)
        and not (table.window and row.is_whole)
        and not _remarks(record, child, row)
    )


def _plain_row(record: FormRecord, key: str, row: GridRow | None, table: ChildTable, number: int | str) -> PlainRow:
    label = str(table.row_label) % {"number": number} if table.row_label else ""
    if row is None:
        return PlainRow(key, "", label, "", None)
    url = url_for(f"{record.view.endpoint}.{table.opens}", id=key) if table.opens else ""
    return PlainRow(key, row.version, label, url, row.values)


def _plain_rows(record: FormRecord, grid: Grid, columns: tuple[FieldSpec, ...]) -> Rows:
    """What draws the rows about which there is nothing to say, all stored ones in the same fields."""
    child = grid.spec
    table = record.view.child_table(child)
    begun: list[tuple[Any, str, bool]] = []

    def sample(is_new: bool) -> dict[str, Any]:
        is_whole = is_new or not table.window
        form = _row_form(record, child, "n0" if is_new else "0", is_whole=is_whole)
        for field in form:
            field.name = f"{child.name}-{KEY}-{field.short_name}"
        row = GridRow(KEY, lambda: form, None, is_whole=is_whole)
        row.form, row.version = form, "" if is_new else VERSION
        context = _row_context(record, child, row, columns, table, 0)
        texts = [text_mark(number) for number in range(len(context["texts"]))]
        return context | {
            "label": LABEL if table.row_label else "",
            "texts": texts,
            "open_url": URL if table.opens and not is_new else "",
        }

    def show(row: PlainRow) -> tuple[Any, list[str]]:
        if row.values is None:
            form = _shown_form(record, child, row.key, None)
        else:
            form = grid.pattern = grid.pattern or _row_form(record, child, "0", is_whole=not table.window)
            if not begun:
                begun.extend((field, field.kind, field.readonly) for field in form)
            for field, kind, readonly in begun:
                field.kind, field.readonly = kind, readonly
                field.value = field.display = field.open_url = field.reveal_url = ""
                field.name = f"{child.name}-{row.key}-{field.short_name}"
            record.maker.show(form, row.values, child, int(row.key))
        return form, [_cell_text(form[item.name]) for item in columns if item.name in form] if table.window else []

    def begins() -> Any:
        fields = record.maker.arranged(form_fields(child), is_new=True, read_only=not record.may_save)
        starts = [(field, starting.get(field.spec.name)) for field in fields]
        if any(field.spec.within or (field.spec.target and value is not None) for field, value in starts):
            return None  # what they offer, or are called, stands in records
        return tuple((field, repr(value)) for field, value in starts)

    starting = defaults_of(record, child) if record.may_save else {}
    place = (record.view, child.name, record.may_save)
    return Rows(record.maker.kept, place, sample, show, begins)


def _seen(record: FormRecord, columns: tuple[FieldSpec, ...]) -> tuple[FieldSpec, ...]:
    return tuple(item for item in columns if may_set_secret(record.operator, item) or may_read(record.operator, item))


def _row_context(
    record: FormRecord, child: ModelSpec, row: GridRow, columns: tuple[FieldSpec, ...], table: ChildTable, number: int
) -> dict[str, Any]:
    by_name = {field.spec.name: field for field in row.form}
    names = [item.name for item in columns]
    cells = [by_name[name] for name in names if name in by_name]
    more = [] if table.window else [field for name, field in by_name.items() if name not in names]
    cards = _cards(row, table) if table.window and row.is_whole else []
    told = [field for card in cards for field in card["fields"]] if table.window else cells
    return {
        "key": row.key,
        "version": row.version,
        "label": str(table.row_label) % {"number": number or "{n}"} if table.row_label else "",
        "cells": cells,
        "looks": [_cell_css(field) for field in cells],
        "texts": [_cell_text(field) for field in cells] if table.window else [],
        "more": more,
        "cards": cards,
        "remarks": _remarks(record, child, row),
        "faulty": [field for field in told if field.errors],
        "disputed": [field for field in told if field.conflict],
        "more_faulty": [field for field in more if field.errors or field.conflict],
        "open_url": url_for(f"{record.view.endpoint}.{table.opens}", id=row.key)
        if table.opens and row.values is not None
        else "",
        "deleted": row.deleted,
        "errors": row.errors,
    }


def _remarks(record: FormRecord, child: ModelSpec, row: GridRow) -> list[str]:
    """What is odd about a row as it stands there; not to whoever may not see what it is about."""
    model = child.model
    if not model.remark_fields or row.deleted or (row.values is None and not row.used_fields):
        return []
    typed = {field.spec.name: field.parsed for field in row.used_fields if field.was_posted and not field.errors}
    told = model.remarks(dict.fromkeys(model.remark_fields) | (row.values or {}) | typed)
    return [
        f"{child.field(name).label}: {sentence}"
        for name, sentence in told
        if all(may_read(record.operator, child.field(each)) for each in (name, *model.remark_fields))
    ]


def window_context(record: FormRecord, child: ModelSpec, row: GridRow, base: dict[str, Any]) -> dict[str, Any]:
    """What the window of one stored row needs (child_window.html)."""
    return {"cards": _cards(row, record.view.child_table(child)), "base": json_text(base), "draw": drawn}


def _cards(row: GridRow, table: ChildTable) -> list[dict[str, Any]]:
    """The groups of fields in the window of a row."""
    by_name = {field.spec.name: field for field in row.form}
    cards = []
    for group in table.groups:
        fields = [by_name.pop(name) for name in group.fields if name in by_name]
        if fields:
            cards.append({"title": str(group.title), "fields": fields})
    rest = [field for field in by_name.values() if not tab_of(field.spec)]
    if rest:
        cards.append({"title": gettext("Weitere Angaben") if cards else "", "fields": rest})
    for tab in dict.fromkeys(filter(None, (tab_of(field.spec) for field in by_name.values()))):
        cards.append({"title": tab, "fields": [field for field in by_name.values() if tab_of(field.spec) == tab]})
    return cards


def _cell_text(field: Any) -> str:
    """A field as a text in the table, as it stands on the page."""
    if field.kind == "check":
        return "✓" if field.value else ""
    if field.kind == "select":
        return field.display or next((str(text) for value, text in field.choices if value == field.value), "")
    if field.kind == "lookup":
        return str(field.display or "")
    return "" if field.value in (None, False) or field.kind == "secret" else str(field.value)


def defaults_of(record: FormRecord, child: ModelSpec) -> dict[str, Any]:
    """What a new row starts with."""
    known = record.row_defaults
    if child.name not in known:
        assert child.owner is not None
        values: dict[str, Any] = {child.owner.name: record.key}
        child.model.propose_many([values], None)
        del values[child.owner.name]
        known[child.name] = starting_values(record.operator, child, form_fields(child)) | values
        known[child.name] |= presets_of(record.operator, child)
    return known[child.name]


def _is_blank(record: FormRecord, row: GridRow, child: ModelSpec) -> bool:
    """A new row in which nobody filled anything."""
    defaults = defaults_of(record, child)
    for field in row.form:
        if field.errors:
            return False
        if field.was_posted and field.parsed != defaults.get(field.spec.name) and field.parsed not in (None, ""):
            return False
    return True


def _cell_css(field: Any) -> str:
    marks = {
        "tick": field.kind == "check",
        "num": field.spec.type.is_number,
        "bad": field.errors,
        "changed": field.changed,
        "req": field.required,
        field.spec.kind: field.spec.kind in ("iban", "bic"),
    }
    return " ".join(word for word, holds in marks.items() if holds)


def _column_css(item: FieldSpec) -> str:
    if item.type.name == "bool":
        return "tick"
    if item.type.is_number:
        return "num s"
    if item.kind in ("iban", "bic"):
        return "l" if item.kind == "iban" else "m"
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

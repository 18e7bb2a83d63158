"""A tab of the form: its fields and its grids; as stored, as posted, as drawn (form_panels.html)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from flask import current_app, g, request, url_for

from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.history import lines_of_record
from flask_appadmin.i18n import gettext
from flask_appadmin.layouts import Group, Tab
from flask_appadmin.specs import FieldSpec
from flask_appadmin.views.form_page.grids import (
    Grid,
    base_of,
    defaults_of,
    grid_context,
    posted_grid,
    stored_grid,
)
from flask_appadmin.views.form_page.patterns import drawn
from flask_appadmin.views.form_page.proposals import pinned_fields
from flask_appadmin.views.form_page.record import FormRecord
from flask_appadmin.views.form_page.related import related_context
from flask_appadmin.views.record_links import link_of, map_link

_HISTORY_LIMIT = 100


class Panel:
    """A tab as it is on the page: the form of its fields and its grids."""

    def __init__(self, tab: Tab, form: Any) -> None:
        self.tab = tab
        self.form = form
        self.grids: list[Grid] = []
        #: What the page shows or showed: {"": {field: JSON value}, "<child>-<row key>": {…}}.
        self.base: dict[str, Any] = {}
        #: What is stored now.
        self.values: dict[str, Any] = {}
        #: Values that a new record shows and gets anew when it is saved: (field, text).
        self.provisional: list[tuple[str, str]] = []

    @property
    def forms(self) -> Iterator[tuple[str, Any]]:
        """All forms of the tab that hold input, with the name under which `base` knows them."""
        yield "", self.form
        for grid in self.grids:
            for row in grid.rows:
                yield f"{grid.spec.name}-{row.key}", row.used_fields


def tab_of(record: FormRecord, key: str) -> Tab:
    if key == "history" and record.key is not None:
        return Tab("history", gettext("Historie"))
    return record.view.form_layout.tab(key)


def tab_fields(record: FormRecord, tab: Tab) -> tuple[FieldSpec, ...]:
    names = tab.field_names
    if record.spec.owner is not None and tab.key == record.view.form_layout.tabs[0].key:
        names = (record.spec.owner.name, *names)
    return tuple(record.spec.field(name) for name in names if name not in record.absent)


def _empty_panel(record: FormRecord, tab: Tab) -> Panel:
    form = record.maker.make(tab_fields(record, tab), is_new=record.key is None, read_only=not record.may_save)
    return Panel(tab, form)


def stored_panel(record: FormRecord, key: str) -> Panel:
    tab = tab_of(record, key)
    panel = _empty_panel(record, tab)
    values = panel.values = record.values(_read_fields(record, tab))
    record.maker.show(panel.form, values, record.spec, record.key)
    _mark_mandatory(record, panel)
    _show_provisional(record, panel)
    panel.base[""] = base_of(panel.form, values)
    for name in tab.children:
        child = next(found for found in record.spec.children if found.name == name)
        panel.grids.append(stored_grid(record, child, panel.base, whole="all" in request.args))
    _show_rules(record, panel)
    return panel


def read_ahead(record: FormRecord, keys: Iterable[str]) -> None:
    """Reads the record once for all of these tabs."""
    record.read_ahead(item for key in keys for item in _read_fields(record, tab_of(record, key)))


def _read_fields(record: FormRecord, tab: Tab) -> tuple[FieldSpec, ...]:
    """The fields of the tab, and those elsewhere that decide what it looks like."""
    items = tab_fields(record, tab)
    previews = (name for group in tab.groups if group.preview is not None for name in group.preview.fields)
    model = record.spec.model
    deciding = (name for name, _values in model.shown_when.values())
    names = {item.name for item in items}
    return (*items, *(record.spec.field(name) for name in sorted({*previews, *model.mirrors, *deciding} - names)))


def _show_provisional(record: FormRecord, panel: Panel, posted: Any = None) -> None:
    """A new record shows the numbers it will get. Who leaves them alone gets the next ones free when it is saved."""
    if record.key is not None:
        return
    for name, (value, sentence) in record.spec.model.provisional().items():
        field = panel.form[name] if name in panel.form else None  # noqa: SIM401 - a form has no get
        if field is None or field.readonly:
            continue
        if posted is None or posted.get(name) == posted.get(f"_provisional-{name}"):
            field.was_posted = False
            field.show(value)
        field.hint = sentence
        panel.provisional.append((name, "" if value is None else str(value)))


def _show_rules(record: FormRecord, panel: Panel) -> None:
    """Fields that follow another record cannot be typed into; some exist only beside certain values of another one."""
    model = record.spec.model
    pinned = set(pinned_fields(record, panel.values))
    for field in panel.form:
        name = field.spec.name
        field.readonly = field.readonly or name in pinned
        if name in pinned and field.kind == "select":
            field.display = dict(field.choices).get(str(field.value), "")
        deciding, values = model.shown_when.get(name, ("", ()))
        if deciding and deciding in panel.form:
            field.when = f"{deciding}:{','.join(str(value) for value in values)}"
            field.hidden = panel.form[deciding].parsed not in values
        if not field.errors:
            field.note = field.spec.warning(field.parsed)


def posted_panel(
    record: FormRecord,
    tab: Tab,
    posted: Any,
    by_table: dict[str, dict[str, str]],
    shown: set[str],
    base: dict[str, Any],
) -> Panel:
    panel = _empty_panel(record, tab)
    values = panel.values = record.values(_read_fields(record, tab))
    record.maker.show(panel.form, values, record.spec, record.key)
    panel.form.read(posted, shown, record.maker.names, base.get(""))
    _mark_mandatory(record, panel)
    _show_provisional(record, panel, posted)
    panel.base[""] = {name: value for name, value in base.get("", {}).items() if name in panel.form}
    for name in tab.children:
        child = next(found for found in record.spec.children if found.name == name)
        grid = posted_grid(record, child, posted, by_table, shown, base)
        for row in grid.rows:
            prefix = f"{child.name}-{row.key}"
            if prefix in base:
                panel.base[prefix] = base[prefix]
        panel.grids.append(grid)
    _show_rules(record, panel)
    return panel


def _mark_mandatory(record: FormRecord, panel: Panel) -> None:
    """A field that has to be filled unless another one is shows its mark while the other is empty."""
    for name, other in record.view.mandatory_unless.items():
        if name in panel.form and other in panel.form and not panel.form[other].value:
            panel.form[name].required = True


def fault_count(panel: Panel) -> int:
    count = sum(1 for field in panel.form if field.errors or field.conflict)
    for grid in panel.grids:
        count += len(grid.errors)
        for row in grid.rows:
            faulty = () if row.deleted else (field for field in row.used_fields if field.errors or field.conflict)
            count += len(row.errors) + sum(1 for _field in faulty)
    return count


def mark_changes(record: FormRecord, panels: list[Panel]) -> int:
    """After a refused save the changed fields stay yellow; answers their number."""
    count = 0
    children = {child.name: child for child in record.spec.children}
    for panel in panels:
        for key, form in panel.forms:
            known = panel.base.get(key)
            child = children.get(key.rpartition("-")[0])
            starts = defaults_of(record, child) if child is not None and known is None else {}
            for field in form:
                if not field.was_posted:
                    continue
                item = field.spec
                # What a row that is not stored yet started with stands on no page: its defaults.
                shown = starts.get(item.name) if known is None else known.get(item.name)
                stored = item.type.to_json(shown, item) if known is None else shown
                if field.errors or item.type.to_json(field.parsed, item) != stored:
                    field.changed = True
                    count += 1
    return count


def panel_context(record: FormRecord, panel: Panel, active: bool) -> SimpleNamespace:
    """What form_panels.html draws."""
    if panel.tab.key == "history":
        return _history_context(record, active)
    by_name = {field.spec.name: field for field in panel.form}
    _add_links(record, panel, by_name)
    groups = []
    placed: set[str] = set()
    for group in panel.tab.groups:
        fields = [by_name[name] for name in group.fields if name in by_name]
        placed.update(group.fields)
        if fields:
            title = str(group.title) if group.title else ""
            groups.append({"title": title, "fields": fields, "aside": "", "preview": _preview(panel, group)})
    rest = [field for name, field in by_name.items() if name not in placed]
    if rest:
        groups.insert(0, {"title": "", "fields": rest, "aside": ""})
    return SimpleNamespace(
        key=panel.tab.key,
        groups=groups,
        grids=[grid_context(record, grid) for grid in panel.grids],
        related=[related_context(record, related) for related in panel.tab.related],
        base=json_text(panel.base),
        provisional=panel.provisional,
        html="",
        include="",
        active=active,
        draw=drawn,
        empty="" if groups or panel.grids or panel.tab.related else gettext("Hier gibt es für Sie nichts zu sehen."),
    )


def _preview(panel: Panel, group: Group) -> dict[str, Any] | None:
    if group.preview is None:
        return None
    values = panel.values | {field.spec.name: field.parsed for field in panel.form if not field.errors}
    return {"name": group.preview.name, "label": str(group.preview.label), "lines": group.preview.lines(values)}


def _add_links(record: FormRecord, panel: Panel, by_name: dict[str, Any]) -> None:
    """What is stored can be called, written to, or looked at on the map."""
    for name, field in by_name.items():
        if field.kind != "masked":
            field.link = link_of(field.spec, panel.values.get(name))
    if record.key is not None:
        for name, link in record.view.field_links(record.key, record.operator, panel.values).items():
            if name in by_name:
                by_name[name].link = link
    if record.key is None:
        for name in record.view.begins_with:
            if name in by_name:
                by_name[name].begin = _beginning(record, by_name[name])
    place = record.view.places_on_map.get(record.spec.name, ())
    if place and place[0] in by_name and record.key is not None:
        by_name[place[0]].link = map_link(record.spec, place, panel.values, record.maker.names)


def _beginning(record: FormRecord, field: Any) -> tuple[str, str] | None:
    """The window in which the record for an empty reference begins."""
    item = field.spec
    if (
        field.readonly
        or field.value
        or item.target is None
        or not record.operator.may(f"{item.references.right}.create")
    ):
        return None
    view = record.view.registry.views.get(item.references.name)
    window = next((each for each in view.entry_windows if each.fills_references), None) if view is not None else None
    if view is None or window is None:
        return None
    return url_for(f"{view.endpoint}.begin_view", window_name=window.name), str(window.label)


def _history_context(record: FormRecord, active: bool) -> SimpleNamespace:
    record.operator.require("history.read")
    assert record.key is not None
    record.values([])
    lines = lines_of_record(
        record.spec, record.key, record.operator, record.view.registry.specs_by_name, limit=_HISTORY_LIMIT
    )
    name = f"{record.spec.name}-{record.key}"
    g.record_history = record.view.registry.record_history(lines, (record.spec.name, record.key)) | {
        "filter_url": url_for("operations.lines_view", record=name) if "operations" in current_app.blueprints else "",
        "is_cut": len(lines) == _HISTORY_LIMIT,
    }
    return SimpleNamespace(
        key="history",
        groups=[],
        grids=[],
        base="{}",
        html="",
        include="appadmin/history_panel.html",
        active=active,
        empty="",
    )

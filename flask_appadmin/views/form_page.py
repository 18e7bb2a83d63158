"""A record as a form: tabs, fields, child grids, one save. Contexts: templates/appadmin/form.html, form_panel.html.

Only the open tab is built; the others are asked for one by one and stand in the same form. What is saved is the
difference to what the page showed (`_base`), so a field that nobody touched is never written, and a value that somebody
else changed meanwhile is noticed. Parent and all children are one change set.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, session, url_for
from werkzeug.datastructures import MultiDict

from flask_appadmin.changes import ChangeSet, NewRecord
from flask_appadmin.database import database
from flask_appadmin.errors import AppAdminError, ConflictError, FaultList, FieldError, NotFound
from flask_appadmin.fieldtypes import json_text
from flask_appadmin.forms import FormMaker
from flask_appadmin.history import lines_of_record
from flask_appadmin.i18n import format_datetime, gettext
from flask_appadmin.layouts import Tab, form_fields
from flask_appadmin.rights import Operator, may_read, visible
from flask_appadmin.specs import FieldSpec, ModelSpec
from flask_appadmin.views import places
from flask_appadmin.views.record_links import link_of, map_link
from flask_appadmin.views.stepping import steps_of

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: So many child rows stand in a grid; longer ones say so.
_GRID_LIMIT = 200
_HISTORY_LIMIT = 100


def child_counts(children: Iterable[ModelSpec], key: int) -> dict[str, int]:
    """The number of rows that a record has in each of these child tables."""
    owned = [(child, child.owner.column) for child in children if child.owner is not None]
    if not owned:
        return {}
    # One question for all tables: asked one by one they cost more than the rest of the page.
    parts = (f'(SELECT count(*) FROM "{child.name}" WHERE "{column}" = {key:d})' for child, column in owned)
    row = database.execute_sql(f"SELECT {', '.join(parts)}").fetchone()
    return {child.name: number for (child, _column), number in zip(owned, row, strict=True)}


class _Row:
    """One row of a child grid: stored (key is the record's), or new (n1, n2 …)."""

    def __init__(self, key: str, form: Any, values: dict[str, Any] | None) -> None:
        self.key = key
        self.form = form
        #: The stored values, None for a new row.
        self.values = values
        self.version = "" if values is None else str(values.get("version", ""))
        self.deleted = False
        self.errors: list[str] = []
        self.record: NewRecord | None = None


class _Grid:
    def __init__(self, spec: ModelSpec, rows: list[_Row]) -> None:
        self.spec = spec
        self.rows = rows
        self.errors: list[str] = []


class _Panel:
    """A tab as it is on the page: the form of its fields and its grids."""

    def __init__(self, tab: Tab, form: Any) -> None:
        self.tab = tab
        self.form = form
        self.grids: list[_Grid] = []
        #: What the page shows or showed: {"": {field: JSON value}, "<child>-<row key>": {…}}.
        self.base: dict[str, Any] = {}
        #: What is stored now.
        self.values: dict[str, Any] = {}

    @property
    def forms(self) -> Iterator[tuple[str, Any]]:
        """All forms of the tab with the name under which `base` knows them."""
        yield "", self.form
        for grid in self.grids:
            for row in grid.rows:
                yield f"{grid.spec.name}-{row.key}", row.form


class FormPage:
    """One request for one record (`key`), or for a new one (None)."""

    def __init__(self, view: AppModelView, operator: Operator, key: int | None) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        self.key = key
        right = "edit" if key is not None or self.spec.owner is not None else "create"
        self.may_save = operator.may(f"{self.spec.right}.{right}")
        self.maker = FormMaker(
            operator,
            lambda item: view.registry.lookup_url(item.references),
            view.registry.record_url,
            view.registry.reveal_url,
        )

    def answer(self) -> Any:
        if request.method == "POST":
            return self._save()
        key = request.args.get("tab", "")
        if request.headers.get("X-Fragment") == "panel":
            panel = self._stored_panel(key)
            context = self._panel_context(panel, True)
            return render_template("appadmin/form_panel.html", panel=context, record_history=g.get("record_history"))
        return self._draw([self._stored_panel(key)], key)

    # --- reading the record -------------------------------------------------------------------------------------------

    def _values(self, items: Iterable[FieldSpec]) -> dict[str, Any]:
        """The stored values of these fields, or the defaults of a new record."""
        if self.key is None:
            values = {item.name: item.default_value() for item in items}
            owner = self.spec.owner
            if owner is not None and request.args.get(owner.name, "").isdigit():
                values[owner.name] = int(request.args[owner.name])
            return values
        key_field = self.spec.model._meta.primary_key
        wanted = {item.name: item for item in items} | {item.name: item for item in self.spec.title_specs}
        columns = [self.spec.field(name).column_field for name in wanted]
        query = self.spec.model.select(key_field, self.spec.model.version, *columns).where(key_field == self.key)
        condition = visible(self.operator, self.spec)
        row = (query if condition is None else query.where(condition)).tuples().first()
        if row is None:
            raise NotFound(self.spec, self.key)
        return {"id": row[0], "version": row[1], **dict(zip(wanted, row[2:], strict=True))}

    def _tab(self, key: str) -> Tab:
        if key == "history" and self.key is not None:
            return Tab("history", gettext("Historie"))
        return self.view.form_layout.tab(key)

    def _tab_fields(self, tab: Tab) -> tuple[FieldSpec, ...]:
        names = tab.field_names
        if self.spec.owner is not None and tab.key == self.view.form_layout.tabs[0].key:
            names = (self.spec.owner.name, *names)
        return tuple(self.spec.field(name) for name in names)

    def _empty_panel(self, tab: Tab) -> _Panel:
        form = self.maker.make(self._tab_fields(tab), is_new=self.key is None, read_only=not self.may_save)
        return _Panel(tab, form)

    def _stored_panel(self, key: str) -> _Panel:
        tab = self._tab(key)
        panel = self._empty_panel(tab)
        values = panel.values = self._values(self._tab_fields(tab))
        self.maker.show(panel.form, values, self.spec, self.key)
        panel.base[""] = self._base_of(panel.form, values)
        for name in tab.children:
            child = next(found for found in self.spec.children if found.name == name)
            panel.grids.append(self._stored_grid(child, panel))
        return panel

    def _base_of(self, form: Any, values: dict[str, Any]) -> dict[str, Any]:
        """What the page shows, for finding out later what was changed on it; without secrets and masked values."""
        return {
            field.spec.name: field.spec.type.to_json(values.get(field.spec.name), field.spec)
            for field in form
            if field.kind not in ("secret", "masked") and not field.readonly
        }

    def _child_rows(self, child: ModelSpec) -> list[dict[str, Any]]:
        if self.key is None:
            return []
        assert child.owner is not None
        key_field = child.model._meta.primary_key
        query = child.model.select().where(child.owner.column_field == self.key)
        condition = visible(self.operator, child)
        query = query if condition is None else query.where(condition)
        return list(query.order_by(key_field).limit(_GRID_LIMIT).dicts())

    def _stored_grid(self, child: ModelSpec, panel: _Panel) -> _Grid:
        rows = []
        for values in self._child_rows(child):
            row = _Row(str(values["id"]), self._row_form(child, str(values["id"])), values)
            self.maker.show(row.form, values, child, values["id"])
            panel.base[f"{child.name}-{row.key}"] = self._base_of(row.form, values)
            rows.append(row)
        return _Grid(child, rows)

    def _row_form(self, child: ModelSpec, row_key: str) -> Any:
        fields = form_fields(child)
        return self.maker.make(
            fields, prefix=f"{child.name}-{row_key}", is_new=not row_key.isdigit(), read_only=not self.may_save
        )

    # --- saving -------------------------------------------------------------------------------------------------------

    def _save(self) -> Any:
        self.operator.require(f"{self.spec.right}.{'edit' if self.key is not None or self.spec.owner else 'create'}")
        posted: MultiDict[str, str] = request.form
        base = _read_base(posted.getlist("_base"))
        # What the operator left to somebody else in a conflict counts as not posted: the stored value stays.
        theirs = {name[6:] for name, value in posted.items() if name.startswith("_keep-") and value == "theirs"}
        if theirs:
            posted = MultiDict((name, value) for name, value in posted.items(multi=True) if name not in theirs)
        shown = set(posted.getlist("_shown")) - theirs
        panels = [self._posted_panel(self._tab(key), posted, shown, base) for key in self._panel_keys(posted)]
        change = ChangeSet("form", reason=posted_reason())
        target: Any = self.key
        values = self._changed_values(panels, base)
        if self.key is None:
            target = change.create(self.spec, values)
        elif values:
            change.update(self.spec, self.key, values, base=_typed_base(base.get("", {}), self.spec))
        for panel in panels:
            for grid in panel.grids:
                self._plan_rows(change, grid, target, base)
        faults: list[AppAdminError] = []
        if any(_fault_count(panel) for panel in panels):
            # The values that could be read are checked, too, so that everything is told in one pass.
            faults = self._rehearsed_faults(change)
        else:
            try:
                applied = change.apply(self.operator)
                key = target.key if isinstance(target, NewRecord) else self.key
                return self._saved(key, applied)
            except FaultList as refused:
                faults = refused.faults
            except NotFound as fault:
                faults = [fault]
        return self._refused(panels, faults)

    def _panel_keys(self, posted: Any) -> list[str]:
        """The tabs that were on the page; the first one where the page named none."""
        known = [tab.key for tab in self.view.form_layout.tabs]
        named = [key for key in dict.fromkeys(posted.getlist("_panel")) if key in known]
        return named or known[:1]

    def _rehearsed_faults(self, change: ChangeSet) -> list[AppAdminError]:
        if change.is_empty:
            return []
        try:
            change.rehearse(self.operator)
        except FaultList as refused:
            return refused.faults
        except NotFound as fault:
            return [fault]
        return []

    def _posted_panel(self, tab: Tab, posted: Any, shown: set[str], base: dict[str, Any]) -> _Panel:
        panel = self._empty_panel(tab)
        values = panel.values = self._values(self._tab_fields(tab))
        self.maker.show(panel.form, values, self.spec, self.key)
        panel.form.read(posted, shown, self.maker.names)
        panel.base[""] = {name: value for name, value in base.get("", {}).items() if name in panel.form}
        for name in tab.children:
            child = next(found for found in self.spec.children if found.name == name)
            grid = self._posted_grid(child, posted, shown, base)
            for row in grid.rows:
                prefix = f"{child.name}-{row.key}"
                if prefix in base:
                    panel.base[prefix] = base[prefix]
            panel.grids.append(grid)
        return panel

    def _posted_grid(self, child: ModelSpec, posted: Any, shown: set[str], base: dict[str, Any]) -> _Grid:
        stored = {str(values["id"]): values for values in self._child_rows(child)}
        grid = _Grid(child, [])
        seen = set()
        for start in posted.getlist("_rows"):
            name, _gap, key = start.rpartition("-")
            if name != child.name or key in seen or not re.fullmatch(r"n?[0-9]{1,18}", key):
                continue
            seen.add(key)
            values = stored.get(key)
            row = _Row(key, self._row_form(child, key), values)
            self.maker.show(row.form, values or _defaults(child), child, int(key) if values else None)
            row.form.read(posted, shown, self.maker.names)
            row.deleted = posted.get(f"{start}-delete") == "1"
            if values is None and (row.deleted or _is_blank(row, child)):
                continue
            if values is None and key.isdecimal():
                if not _differing(row.form, base.get(start, {})):
                    continue
                grid.errors.append(self._offer_again(child, row))
            grid.rows.append(row)
        return grid

    @staticmethod
    def _offer_again(child: ModelSpec, row: _Row) -> str:
        """A row that was changed here and removed by somebody else stands on the page as a new one."""
        row.key = f"n{row.key}"
        for field in row.form:
            field.name = field.id = f"{child.name}-{row.key}-{field.short_name}"
        return gettext(
            "Eine Zeile, die Sie geändert haben, wurde inzwischen gelöscht. Sie steht hier noch einmal als neue Zeile: "
            "„Speichern“ legt sie wieder an, „✕“ verwirft sie."
        )

    def _changed_values(self, panels: list[_Panel], base: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for panel in panels:
            known = {} if self.key is None else base.get("", {})
            values.update(_differing(panel.form, known))
        return values

    def _plan_rows(self, change: ChangeSet, grid: _Grid, target: Any, base: dict[str, Any]) -> None:
        child = grid.spec
        assert child.owner is not None
        for row in grid.rows:
            place = (child.name, row.key)
            if row.values is None:
                values = {**row.form.posted_values(), child.owner.name: target}
                row.record = change.create(child, values, place=place)
            elif row.deleted:
                change.delete(child, int(row.key))
            else:
                known = base.get(f"{child.name}-{row.key}", {})
                values = _differing(row.form, known)
                change.update(child, int(row.key), values, base=_typed_base(known, child), place=place)

    def _saved(self, key: int | None, applied: Any) -> Any:
        if applied.change_set is None:
            text = gettext("Es war nichts zu ändern.")
            undo_url = ""
        else:
            text = gettext("Gespeichert.")
            self.view.registry.forget_total(self.spec)
            undo_url = self.view.registry.undo_url(applied.change_set)
        session["toast"] = {"text": text, "undo_url": undo_url}
        then = request.form.get("_then", "")
        if then == "close":
            return redirect(places.remembered_list(self.spec) or self.view.list_url())
        if then == "new":
            return redirect(url_for(f"{self.view.endpoint}.create_view"))
        return redirect(self.view.record_url(key or 0, tab=request.form.get("_tab", "")))

    def _refused(self, panels: list[_Panel], faults: list[AppAdminError]) -> Any:
        errors: list[tuple[str, str]] = []
        conflicts: list[tuple[str, str, str, str, str, str]] = []
        fields = {field.spec.name: (panel, field) for panel in panels for field in panel.form}
        rows = {
            (grid.spec.name, row.key): (panel, grid, row)
            for panel in panels
            for grid in panel.grids
            for row in grid.rows
        }
        for panel in panels:
            for _name, form in panel.forms:
                errors += [(f"{field.label}: {sentence}", field.name) for field in form for sentence in field.errors]
            errors += [(sentence, "") for grid in panel.grids for sentence in grid.errors]
        for fault in faults:
            place = rows.get(getattr(fault, "place", None) or ("", ""))
            row: _Row | None = None
            field: Any = None
            name = getattr(fault, "field", "")
            name = name if isinstance(name, str) else getattr(name, "name", "")
            if place is not None:
                panel, grid, row = place
                field = {each.spec.name: each for each in row.form}.get(name)
                title = f"{grid.spec.label} {grid.spec.title_of(row.values or {})}: "
                if isinstance(fault, ConflictError) and field is not None:
                    conflicts.append(_conflict_row(fault, field, title))
                    _rebase(panel, f"{grid.spec.name}-{row.key}", field, row.values or {})
                    continue
            else:
                own = fields.get(name)
                field = own[1] if own is not None else None
                if isinstance(fault, ConflictError) and own is not None:
                    conflicts.append(_conflict_row(fault, field))
                    _rebase(own[0], "", field, own[0].values)
                    continue
            if field is not None and field.errors:
                continue  # that it is missing follows from what is wrong with it
            errors.append((fault.sentence(), field.name if field is not None else ""))
            if field is not None:
                field.errors = [fault.found() if isinstance(fault, FieldError) else fault.sentence()]
            elif row is not None:
                row.errors.append(fault.sentence())
        return self._draw(panels, request.form.get("_tab", ""), errors=errors, conflicts=conflicts)

    # --- drawing ------------------------------------------------------------------------------------------------------

    def _draw(
        self,
        panels: list[_Panel],
        tab_key: str,
        *,
        errors: list[tuple[str, str]] | None = None,
        conflicts: list[tuple[str, str, str, str, str, str]] | None = None,
    ) -> Any:
        refused = errors is not None or bool(conflicts)
        errors = errors or []
        keys = [panel.tab.key for panel in panels]
        active = tab_key if tab_key in keys else (keys[0] if keys else "")
        with_faults = next((panel.tab.key for panel in panels if _fault_count(panel)), "")
        if refused and with_faults and not _fault_count(next(p for p in panels if p.tab.key == active)):
            active = with_faults
        head = self._head_values()
        title = self.spec.title_of(head) if self.key is not None else str(self.view.new_label or self._new_title())
        changed = self._mark_changes(panels) if refused else 0
        own_url = (
            self.view.record_url(self.key) if self.key is not None else url_for(f"{self.view.endpoint}.create_view")
        )
        context = {
            "page_title": title,
            "title_error": bool(errors),
            "back": (str(self.spec.plural), places.remembered_list(self.spec) or self.view.list_url()),
            "tags": self._tags(head),
            "step": steps_of(self.view, self.key, active) if self.key is not None else None,
            "buttons": [],
            "menus": self._menus(),
            "save": self._save_context(),
            "presence": "",
            "changed_count": changed,
            "discard_url": own_url,
            "action": own_url,
            "hidden": [("id", str(self.key))] if self.key is not None else [],
            "fields_url": url_for(f"{self.view.endpoint}.fields_view"),
            "tab_url": f"{own_url}{'&' if '?' in own_url else '?'}tab=",
            "tabs": self._tabs(panels, active),
            "panels": [self._panel_context(panel, panel.tab.key == active) for panel in panels],
            "errors": errors,
            "conflict": {
                "text": gettext("Diese Felder hat inzwischen jemand anderes geändert. Bitte wählen Sie."),
                "rows": conflicts,
            }
            if conflicts
            else None,
            "reason": {"value": request.form.get("_reason", ""), "show": True},
        }
        answer = render_template("appadmin/form.html", record_history=g.get("record_history"), **context)
        return answer, 422 if refused else 200

    def _tags(self, head: dict[str, Any]) -> list[tuple[str, str]]:
        if self.view.head_tags is None or self.key is None:
            return []
        make: Any = self.view.head_tags
        tags: list[tuple[str, str]] = make(head)
        return tags

    def _new_title(self) -> str:
        return gettext("Neu: %(label)s", label=str(self.spec.label))

    def _head_values(self) -> dict[str, Any]:
        if self.key is None:
            return {}
        names = (*self.view.head_fields, *(item.name for item in self.spec.title_specs))
        return self._values([self.spec.field(name) for name in dict.fromkeys(names)])

    def _save_context(self) -> dict[str, Any] | None:
        if not self.may_save:
            return None
        more = [("close", gettext("Speichern und schließen"), gettext("Strg ↵"))]
        if self.operator.may(f"{self.spec.right}.create"):
            more.append(("new", gettext("Speichern und neu"), ""))
        return {"label": gettext("Speichern"), "more": more}

    def _menus(self) -> list[tuple[str, list[tuple[str, str, str]]]]:
        """The actions of the list, for this one record."""
        if self.key is None:
            return []
        grouped: dict[str, list[tuple[str, str, str]]] = {}
        for action in self.view.allowed_actions():
            if action.page in ("change", "open"):
                continue
            url = url_for(f"{self.view.endpoint}.run_action", action_name=action.name, id=self.key)
            group = str(action.group) or gettext("Sonderfunktionen")
            grouped.setdefault(group, []).append((str(action.label), url, "get"))
        return list(grouped.items())

    def _tabs(self, panels: list[_Panel], active: str) -> list[dict[str, Any]]:
        faults = {panel.tab.key: _fault_count(panel) for panel in panels}
        tabs = []
        counts = self._child_counts()
        for tab in self.view.form_layout.tabs:
            count = sum(counts.get(name, 0) for name in tab.children) if tab.children and not tab.groups else None
            tabs.append(
                {
                    "key": tab.key,
                    "label": str(tab.label),
                    "count": count,
                    "active": tab.key == active,
                    "errors": faults.get(tab.key, 0),
                }
            )
        if self.key is not None and self.operator.may("history.read"):
            tabs.append(
                {
                    "key": "history",
                    "label": gettext("Historie"),
                    "count": None,
                    "active": active == "history",
                    "errors": 0,
                }
            )
        return tabs

    def _child_counts(self) -> dict[str, int]:
        if self.key is None:
            return {}
        names = {name for tab in self.view.form_layout.tabs if not tab.groups for name in tab.children}
        return child_counts([child for child in self.spec.children if child.name in names], self.key)

    def _mark_changes(self, panels: list[_Panel]) -> int:
        """After a refused save the changed fields stay yellow; answers their number."""
        count = 0
        for panel in panels:
            for key, form in panel.forms:
                known = panel.base.get(key)
                for field in form:
                    if not field.was_posted:
                        continue
                    item = field.spec
                    # What a row that is not stored yet started with stands on no page: its defaults.
                    shown = item.default_value() if known is None else known.get(item.name)
                    stored = item.type.to_json(shown, item) if known is None else shown
                    if field.errors or item.type.to_json(field.parsed, item) != stored:
                        field.changed = True
                        count += 1
        return count

    def _add_links(self, panel: _Panel, by_name: dict[str, Any]) -> None:
        """What is stored can be called, written to, or looked at on the map."""
        for name, field in by_name.items():
            if field.kind != "masked":
                field.link = link_of(field.spec, panel.values.get(name))
        place = self.view.places_on_map.get(self.spec.name, ())
        if place and place[0] in by_name and self.key is not None:
            by_name[place[0]].link = map_link(self.spec, place, panel.values, self.maker.names)

    def _panel_context(self, panel: _Panel, active: bool) -> dict[str, Any]:
        if panel.tab.key == "history":
            return self._history_context(active)
        by_name = {field.spec.name: field for field in panel.form}
        self._add_links(panel, by_name)
        groups = []
        placed: set[str] = set()
        for group in panel.tab.groups:
            fields = [by_name[name] for name in group.fields if name in by_name]
            placed.update(group.fields)
            if fields:
                groups.append({"title": str(group.title) if group.title else "", "fields": fields, "aside": ""})
        rest = [field for name, field in by_name.items() if name not in placed]
        if rest:
            groups.insert(0, {"title": "", "fields": rest, "aside": ""})
        return {
            "key": panel.tab.key,
            "groups": groups,
            "grids": [self._grid_context(grid) for grid in panel.grids],
            "base": json_text(panel.base),
            "html": "",
            "include": "",
            "active": active,
            "empty": "" if groups or panel.grids else gettext("Hier gibt es für Sie nichts zu sehen."),
        }

    def _grid_context(self, grid: _Grid) -> dict[str, Any]:
        child = grid.spec
        columns = self.view.grid_fields(child)
        blank = None
        if self.may_save:
            row = _Row("__key__", self._row_form(child, "__key__"), None)
            self.maker.show(row.form, _defaults(child), child)
            blank = self._row_context(row, columns)
        seen = tuple(item for item in columns if item.secret or may_read(self.operator, item))
        return {
            "name": child.name,
            "label": str(child.plural),
            "columns": [
                (heading, _column_css(item), hint) for item in seen for heading, hint in [self.view.heading(item)]
            ],
            "rows": [self._row_context(row, columns) for row in grid.rows],
            "blank": blank,
            "can_delete": self.may_save,
            "empty": gettext("Noch keine Einträge. „Neu“ oder die Taste Einfg legt eine Zeile an."),
            "errors": grid.errors,
        }

    def _row_context(self, row: _Row, columns: tuple[FieldSpec, ...]) -> dict[str, Any]:
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

    def _history_context(self, active: bool) -> dict[str, Any]:
        self.operator.require("history.read")
        assert self.key is not None
        self._values([])
        lines = lines_of_record(
            self.spec, self.key, self.operator, self.view.registry.specs_by_name, limit=_HISTORY_LIMIT
        )
        g.record_history = self.view.registry.record_history(lines)
        return {
            "key": "history",
            "groups": [],
            "grids": [],
            "base": "{}",
            "html": "",
            "include": "appadmin/history_panel.html",
            "active": active,
            "empty": "",
        }


def _fault_count(panel: _Panel) -> int:
    count = sum(1 for field in panel.form if field.errors)
    for grid in panel.grids:
        count += len(grid.errors) + sum(
            len(row.errors) + sum(1 for field in row.form if field.errors) for row in grid.rows if not row.deleted
        )
    return count


def _defaults(child: ModelSpec) -> dict[str, Any]:
    return {item.name: item.default_value() for item in form_fields(child)}


def _is_blank(row: _Row, child: ModelSpec) -> bool:
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


def posted_reason() -> str:
    """The reason for the history as it was typed."""
    return request.form.get("_reason", "").replace("\x00", "")


def _differing(form: Any, known: dict[str, Any]) -> dict[str, Any]:
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


def _typed_base(known: dict[str, Any], spec: ModelSpec) -> dict[str, Any]:
    """What the page showed, as Python values."""
    typed = {}
    for name, value in known.items():
        item = spec.by_name.get(name)
        if item is None:
            continue
        try:
            typed[name] = item.type.from_json(value, item)
        except (ValueError, TypeError, ArithmeticError, AttributeError):
            continue
    return typed


def _conflict_row(fault: ConflictError, field: Any, title: str = "") -> tuple[str, str, str, str, str, str]:
    who = f"{fault.who}, {format_datetime(fault.when)}" if fault.when else fault.who
    return f"{title}{field.label}", fault.original, fault.ours, fault.theirs, who, field.name


def _rebase(panel: _Panel, key: str, field: Any, stored: dict[str, Any]) -> None:
    """After a conflict the page shows what is stored now: the next save decides about that, and nothing older."""
    item = field.spec
    panel.base.setdefault(key, {})[item.name] = item.type.to_json(stored.get(item.name), item)


def _read_base(texts: list[str]) -> dict[str, Any]:
    """What the panels on the page showed: {"": {field: JSON value}, "<child>-<key>": {…}}."""
    base: dict[str, Any] = {}
    for text in texts:
        try:
            content = json.loads(text)
        except ValueError:
            continue
        if isinstance(content, dict):
            for key, values in content.items():
                if isinstance(values, dict):
                    base.setdefault(key, {}).update(values)
    return base

"""„Layouts“: titles, hidden and mandatory fields and presets of a window, for everybody or one work group.

Shape: GET shows one tab of a window (?window=<table>&role=<key>&tab=<key>); POST stores that tab. Only what differs
from the declaration is stored, for a work group what differs from the lines for everybody; one set in the history.
Errors: all faults at once, at their fields, with status 422; what was typed stays.
Context: templates/appadmin/layouts.html.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, session, url_for
from flask_admin import expose

from flask_appadmin import arrangements
from flask_appadmin.arrangements import LayoutField, LayoutWindow, Line, line_of
from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import FaultList, FieldError, NotFound
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import gettext
from flask_appadmin.layouts import Layout
from flask_appadmin.rights import Operator, Role
from flask_appadmin.specs import FieldSpec, ModelSpec, spec_of
from flask_appadmin.views.signed_in import SignedInView

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

#: Who may arrange windows.
RIGHT = "layout.edit"

_MARKS = ("neutral", "on", "off")


class LayoutsView(SignedInView):
    """The page of all windows."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        super().__init__(name=gettext("Layouts"), endpoint="layouts", url="/admin/layouts")

    @expose("/", methods=("GET", "POST"))
    def index_view(self) -> Any:
        g.operator.require(RIGHT)
        return LayoutPage(self.registry, g.operator).answer()


class LayoutPage:
    """One request for one tab of one window."""

    def __init__(self, registry: Registry, operator: Operator) -> None:
        self.registry = registry
        self.operator = operator
        wanted = request.values.get("window", "")
        first = registry.search_spec or next(iter(registry.views.values())).spec
        known = {spec.name: spec for spec in registry.specs if spec.name in registry.views}
        if wanted and wanted not in known:
            raise NotFound()
        self.windows = known
        self.spec: ModelSpec = known[wanted] if wanted else first
        self.roles = {str(role.id): str(role.name) for role in Role.select().order_by(Role.name)}
        self.role = request.values.get("role", "")
        if self.role and self.role not in self.roles:
            raise NotFound(spec_of(Role), self.role)
        self.layout: Layout = registry.views[self.spec.name].declared_layout
        self.tab = self.layout.tab(request.values.get("tab", ""))
        if not self.tab.field_names:
            self.tab = next(tab for tab in self.layout.tabs if tab.field_names)
        self.items = tuple(self.spec.field(name) for name in self.tab.field_names)
        self.stored = self._stored()
        self.general = {name: line for (role, name), (_key, line) in self.stored.items() if not role}
        maker = FormMaker(replace(operator, rights=frozenset({"*"})), lambda item: registry.lookup_url(item.references))
        free = tuple(item for item in self.items if arrangements.may_have_preset(item) and item.type.name != "bool")
        # What is hidden here has to stand here, so that it can be shown again.
        with arrangements.as_declared():
            self.form = maker.make(free, prefix="preset", is_new=True)
        for field in self.form:
            field.required = False
        self.maker = maker

    def _stored(self) -> dict[tuple[str, str], tuple[int, Line]]:
        """(role key or "", field) -> (key, line) of everything stored for this window."""
        query = LayoutField.select().join(LayoutWindow).where(LayoutWindow.internal_name == self.spec.name)
        return {(str(row.role_id or ""), row.field): (row.id, line_of(row)) for row in query}

    def line(self, name: str) -> Line:
        """What holds for the chosen work group now."""
        found = self.stored.get((self.role, name))
        return found[1] if found is not None else self.general.get(name, Line())

    def answer(self) -> Any:
        lines = {item.name: self.line(item.name) for item in self.items}
        self._show(lines)
        if request.method != "POST":
            return self._draw(lines)
        self.form.read(request.form, set(request.form.getlist("_shown")), self.maker.names)
        lines = {item.name: self._posted(item, lines[item.name]) for item in self.items}
        faults = self._faults(lines)
        if not faults:
            try:
                return self._stored_now(lines)
            except FaultList as refused:
                faults = {"": [fault.sentence() for fault in refused.faults]}
        return self._draw(lines, faults), 422

    def _show(self, lines: dict[str, Line]) -> None:
        values = {}
        for item in self.items:
            line = lines[item.name]
            if item.type.name != "bool" and line.default_value and arrangements.may_have_preset(item):
                try:
                    values[item.name] = arrangements.preset_value(item, line)
                except (ValueError, TypeError, ArithmeticError, AttributeError, FieldError):
                    continue
        self.maker.show(self.form, values, self.spec)

    def _posted(self, item: FieldSpec, before: Line) -> Line:
        """What was sent about a field; what the page does not offer stays as it is."""
        posted = request.form
        if item.name not in posted.getlist("_line"):
            return before
        mark = posted.get(f"mark-{item.name}", "neutral")
        preset = {field.spec.name: field for field in self.form}.get(item.name)
        text = before.default_value
        if preset is not None and preset.was_posted and not preset.errors:
            text = arrangements.preset_text(item, preset.parsed)
        title = posted.get(f"title-{item.name}", "").replace("\x00", "").strip()
        return Line(
            title="" if title == str(item.own_label) else title,
            visible=not arrangements.may_be_hidden(item) or f"visible-{item.name}" in posted,
            required=arrangements.may_be_required(item) and f"required-{item.name}" in posted,
            default_value=text if preset is not None else "",
            checkbox_default=mark if mark in _MARKS and self._has_mark(item) else "neutral",
        )

    @staticmethod
    def _has_mark(item: FieldSpec) -> bool:
        return item.type.name == "bool" and arrangements.may_have_preset(item)

    def _faults(self, lines: dict[str, Line]) -> dict[str, list[str]]:
        """Field -> what is wrong with its line."""
        faults = {field.spec.name: list(field.errors) for field in self.form if field.errors}
        spec = spec_of(LayoutField)
        for name, line in lines.items():
            for part, value in (("title", line.title), ("default_value", line.default_value)):
                try:
                    spec.field(part).check(value or None)
                except FieldError as fault:
                    faults.setdefault(name, []).append(fault.sentence())
            if line.required and not line.visible:
                faults.setdefault(name, []).append(
                    gettext("Ein verborgenes Feld kann kein Pflichtfeld sein: niemand könnte es ausfüllen.")
                )
        return faults

    def _stored_now(self, lines: dict[str, Line]) -> Any:
        change = ChangeSet("form", title=gettext("Layout „%(window)s“", window=str(self.spec.plural)))
        window: Any = LayoutWindow.select(LayoutWindow.id).where(LayoutWindow.internal_name == self.spec.name).first()
        target = window.id if window is not None else None
        for name, line in lines.items():
            key, before = self.stored.get((self.role, name), (None, None))
            inherited = self.general.get(name, Line()) if self.role else Line()
            if line == (before or inherited):
                continue
            if line == inherited:
                change.delete(LayoutField, key or 0)
                continue
            values = {
                "title": line.title or None,
                "visible": line.visible,
                "required": line.required,
                "default_value": line.default_value or None,
                "checkbox_default": line.checkbox_default,
            }
            if key is not None:
                change.update(LayoutField, key, values)
                continue
            if target is None:
                target = change.create(
                    LayoutWindow,
                    {"internal_name": self.spec.name, "category": self.spec.menu or "child", "title": self._title()},
                )
            owner = {"layout_window": target, "field": name, "role": int(self.role) if self.role else None}
            change.create(LayoutField, {**owner, **values})
        # Whoever may arrange windows may make their rows, too.
        rights = self.operator.rights | {f"layout.{verb}" for verb in ("read", "create", "delete")}
        applied = change.apply(replace(self.operator, rights=rights))
        undo_url = self.registry.undo_url(applied.change_set) if applied.change_set is not None else ""
        words = gettext("Gespeichert.") if applied.change_set is not None else gettext("Es war nichts zu ändern.")
        session["toast"] = {"text": words, "undo_url": undo_url}
        return redirect(self._url())

    def _title(self) -> str:
        return str(self.spec.plural)[:80]

    def _url(self, **changed: str) -> str:
        places: dict[str, Any] = {"window": self.spec.name, "role": self.role, "tab": self.tab.key} | changed
        return url_for("layouts.index_view", **{name: value for name, value in places.items() if value})

    # --- drawing ------------------------------------------------------------------------------------------------------

    def _draw(self, lines: dict[str, Line], faults: dict[str, list[str]] | None = None) -> Any:
        faults = faults or {}
        presets = {field.spec.name: field for field in self.form}
        arranged = {name for (role, name) in self.stored if role in ("", self.role)}
        tabs = [tab for tab in self.layout.tabs if tab.field_names]
        return render_template(
            "appadmin/layouts.html",
            page_title=gettext("Layouts"),
            title_error=bool(faults),
            windows=sorted(
                ((name, str(spec.plural)) for name, spec in self.windows.items()), key=lambda pair: pair[1].casefold()
            ),
            window=self.spec.name,
            roles=list(self.roles.items()),
            role=self.role,
            url=url_for("layouts.index_view"),
            tab=self.tab.key,
            tabs=[
                (str(tab.label), self._url(tab=tab.key), tab.key == self.tab.key, len(arranged & set(tab.field_names)))
                for tab in tabs
            ],
            errors=faults.get("", []),
            groups=[
                (str(group.title), [self._row(name, lines[name], presets.get(name), faults) for name in group.fields])
                for group in self.tab.groups
            ],
        )

    def _row(self, name: str, line: Line, preset: Any, faults: dict[str, list[str]]) -> dict[str, Any]:
        item = self.spec.field(name)
        if preset is not None:
            preset.errors = []
        return {
            "name": name,
            "label": str(item.own_label),
            "help": str(item.help),
            "title": line.title,
            "visible": line.visible,
            "may_hide": arrangements.may_be_hidden(item),
            "required": line.required or item.required,
            "may_require": arrangements.may_be_required(item),
            "mark": line.checkbox_default if self._has_mark(item) else None,
            "preset": preset,
            "never": not item.preset,
            "errors": faults.get(name, []),
            "is_arranged": line != Line(),
        }

"""Exposes every model: one view each, a menu by groups, and the addresses that pages need of one another.

Shape: `Registry(app, models, views)` makes an AppModelView for each model that is nobody's child; an entry of `views`
(subclasses with a `model`) wins over the automatic one. The menu is data: (heading, model names). Nothing is found by
scanning: what is registered stands in the tuples an application hands over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, abort, g, render_template, request, session, url_for
from flask_admin import Admin, AdminIndexView, expose
from flask_admin.theme import Bootstrap4Theme

from flask_appadmin import arrangements, i18n
from flask_appadmin.bulk import (
    Action,
    ChangeSettings,
    CopyRecord,
    DeleteRecords,
    EditRecord,
    ExportSheet,
    FullCopyRecord,
    KeepOnWorklist,
    MergeRecords,
    PrintLabels,
)
from flask_appadmin.history import COPIED, MERGED, ChangeLine
from flask_appadmin.i18n import _, format_datetime
from flask_appadmin.lists import count_rows
from flask_appadmin.rights import Operator
from flask_appadmin.schema import declare_models
from flask_appadmin.shell import fixed_url
from flask_appadmin.specs import FieldSpec, ModelSpec
from flask_appadmin.views import AppModelView
from flask_appadmin.views.exports_page import ExportsView
from flask_appadmin.views.form_page import locking
from flask_appadmin.views.imports.view import ImportsView
from flask_appadmin.views.jobs_page import JobsView
from flask_appadmin.views.layouts_page import LayoutsView
from flask_appadmin.views.looking_back import may_undo_part, undo_url
from flask_appadmin.views.operations import OperationsView
from flask_appadmin.views.schema_page import ImportSchemaView
from flask_appadmin.views.signed_in import SignedInView
from flask_appadmin.views.worklists_page import WorklistsView

#: What every model can do with marked records; an application may put its own in their place.
GENERIC_ACTIONS: tuple[Action, ...] = (
    EditRecord(),
    ChangeSettings(),
    ExportSheet(),
    PrintLabels(),
    KeepOnWorklist(),
    CopyRecord(),
    FullCopyRecord(),
    MergeRecords(),
    DeleteRecords(),
)

#: Pages that are no model's: name in the menu -> (label, right).
_PAGES: dict[str, tuple[Any, str]] = {
    "operations": (_("Meine Vorgänge"), ""),
    "imports": (_("Importe"), "import.new"),
    "exports": (_("Exporte"), "export.run"),
    "jobs": (_("Laufende Arbeiten"), ""),
    "worklists": (_("Merklisten"), ""),
    "layouts": (_("Layouts"), "layout.edit"),
    "tables": (_("alle Tabellen …"), ""),
}

#: The number of a long table beside its menu entry may be this old.
_COUNT_SECONDS = 30.0


class HomeView(AdminIndexView):
    """The start page; an application says what stands on it by `context` and a template of its own."""

    template = "appadmin/home.html"

    #: Set when the registry takes the page in.
    registry: Any = None

    def __init__(self) -> None:
        super().__init__(name="Start", url="/admin")

    def context(self) -> dict[str, Any]:
        """What the template gets."""
        return {"page_title": i18n.gettext("Start")}

    def is_accessible(self) -> bool:
        return getattr(g, "operator", None) is not None

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        abort(401)

    @expose("/")
    def index(self) -> Any:
        return render_template(self.template, **self.context())


class TablesView(SignedInView):
    """All tables by group: the way to those that the menu does not name."""

    def __init__(self, registry: Any, groups: Sequence[tuple[str, Any]]) -> None:
        self.registry = registry
        self.groups = groups
        super().__init__(name="Tabellen", endpoint="tables", url="/admin/tables")

    @expose("/")
    def index_view(self) -> Any:
        specs = [
            spec for spec in self.registry.specs if spec.name in self.registry.views and _may(f"{spec.right}.read")
        ]
        named = [
            (str(label), [spec for spec in specs if spec.menu == key and spec.owner is None])
            for key, label in self.groups
        ]
        children = [spec for spec in specs if spec.owner is not None or spec.menu not in dict(self.groups)]
        named.append((i18n.gettext("Unterdaten"), children))
        groups = [
            (
                heading,
                sorted((str(spec.plural), self.registry.views[spec.name].list_url()) for spec in members),
            )
            for heading, members in named
            if members
        ]
        return render_template("appadmin/tables.html", page_title=i18n.gettext("Alle Tabellen"), groups=groups)


#: What the search box of the head needs.
_SEARCHING = ("search_url", "suggest_url", "search_hint", "search_value")


class _Shell(dict[str, Any]):
    """What stands around a page, made when the page draws it: a part of a page has no menu, and takes no message."""

    def __init__(self, makers: dict[str, Callable[[], Any]]) -> None:
        super().__init__()
        self._makers = makers

    def __missing__(self, name: str) -> Any:
        value = self[name] = self._makers[name]()
        return value


class Registry:
    """All models of an application with their views; the pages ask it for addresses."""

    def __init__(
        self,
        app: Flask,
        models: Sequence[Any],
        views: Iterable[type[AppModelView]] = (),
        *,
        menu: Sequence[tuple[Any, Sequence[str]]] = (),
        actions: Sequence[Action] | None = None,
        brand: str = "",
        search_model: Any = None,
        home: type[HomeView] = HomeView,
        table_groups: Sequence[tuple[str, Any]] = (),
        locks_on_new: Callable[[], bool] | None = None,
        absent: Sequence[arrangements.Absent] = (),
    ) -> None:
        self.app = app
        #: Asked whether a new record locks the other windows of its operator (views/form_page/locking.py).
        self.locks_on_new = locks_on_new
        index_view = home()
        index_view.registry = self
        self.admin = Admin(
            app,
            name=brand or app.name,
            index_view=index_view,
            theme=Bootstrap4Theme(base_template="appadmin/base.html"),
        )
        self.brand = brand or app.name
        self.generic_actions = tuple(actions if actions is not None else GENERIC_ACTIONS)
        self.specs = declare_models(models)
        self.specs_by_name: dict[str, ModelSpec] = {spec.name: spec for spec in self.specs}
        self.search_spec = self.specs_by_name.get(search_model._meta.table_name) if search_model is not None else None
        self.views: dict[str, AppModelView] = {}
        self._menu = menu
        self._counts: dict[str, tuple[float, int]] = {}
        #: (Table, operator) -> until when its usual list counts as longer than the cap.
        self._long_lists: dict[tuple[str, int | None], float] = {}
        given: list[type[AppModelView]] = [ImportSchemaView, *views]
        own = {view.model._meta.table_name: view for view in given if getattr(view, "model", None) is not None}
        for spec in self.specs:
            if spec.menu == "none":
                continue  # a table that nothing works with yet has no page
            view_class = own.get(spec.name, AppModelView)
            view = view_class(spec.model, self)
            self.views[spec.name] = view
            self.admin.add_view(view)
        for page in (OperationsView, ImportsView, ExportsView, JobsView, WorklistsView, LayoutsView):
            self.admin.add_view(page(self))
        self.admin.add_view(TablesView(self, table_groups))
        if "appadmin" not in app.blueprints:  # the shell brings it, with an address that changes with its content
            app.register_blueprint(_assets())
        fixed = tuple(absent)
        app.before_request(lambda: arrangements.begin(lambda: getattr(g, "operator", None), fixed))
        app.teardown_request(_end_arrangements)
        app.context_processor(self._page_context)
        app.before_request(locking.keep)
        app.jinja_env.globals.update(_=_page_text, ngettext=i18n.ngettext, current_locale=i18n.current_locale)
        app.jinja_env.filters["number"] = i18n.format_number
        app.jinja_env.filters["moment"] = format_datetime
        app.extensions["appadmin"] = self

    # --- addresses ----------------------------------------------------------------------------------------------------

    def record_url(self, spec: ModelSpec, key: int, **arguments: Any) -> str:
        """The form of a record, "" for a model without a page or without the right."""
        view = self.views.get(spec.name)
        if view is None or not _may(f"{spec.right}.read"):
            return ""
        return view.record_url(key, **arguments)

    def lookup_url(self, spec: ModelSpec) -> str:
        view = self.views.get(spec.name)
        return fixed_url(f"{view.endpoint}.lookup_view") if view is not None else ""

    def choice_url(self, item: FieldSpec) -> str:
        """Where the records come from that a reference may lead to."""
        url = self.lookup_url(item.references)
        return f"{url}?for={item.model_name}.{item.name}" if url and item.among else url

    def suggest_url(self, spec: ModelSpec) -> str:
        """Where the first hits of a search that is being typed come from."""
        return fixed_url(f"{self.views[spec.name].endpoint}.suggest_view")

    def reveal_url(self, spec: ModelSpec, key: int, item: FieldSpec) -> str:
        """Where the whole value of a masked field is asked for."""
        view = self.views.get(spec.name)
        return f"{fixed_url(f'{view.endpoint}.reveal_view')}?id={key}&field={item.name}" if view is not None else ""

    def undo_url(self, change_set: int) -> str:
        return url_for("operations.undo_view", id=change_set) if "operations" in self.app.blueprints else ""

    def operation_url(self, change_set: int) -> str:
        return url_for("operations.show_view", id=change_set) if "operations" in self.app.blueprints else ""

    def import_url(self, spec: ModelSpec) -> str:
        return url_for("imports.index_view", model=spec.name) if "imports" in self.app.blueprints else ""

    def record_history(self, lines: Iterable[ChangeLine], of: tuple[str, int] | None = None) -> dict[str, Any]:
        """History lines of a record (`of`), grouped by operation, as history_panel.html draws them."""
        rows: list[dict[str, Any]] = []
        last: int | None = None
        for line in lines:
            undoable = line.may_return and may_undo_part(line.change_set, g.operator)
            if line.change_set_id != last:
                last = line.change_set_id
                rows.append(
                    {
                        "when": format_datetime(line.when),
                        "who": line.who,
                        "what": ", ".join(
                            part
                            for part in (line.kind, line.through, line.source if line.action != "create" else "")
                            if part
                        ),
                        "reason": line.reason,
                        "url": self.operation_url(line.change_set_id),
                        "undo_url": undo_url(line.change_set_id, record=of) if undoable and of is not None else "",
                        "changes": [],
                        "undo_urls": [],
                    }
                )
            rows[-1]["changes"].append(self._change_words(line))
            rows[-1]["undo_urls"].append(undo_url(line.change_set_id, line=line.change_id) if undoable else "")
        return {"rows": rows, "more_url": ""}

    def _change_words(self, line: ChangeLine) -> tuple[str, str, str]:
        spec = self.specs_by_name.get(line.entity)
        name = str(spec.label) if spec is not None else line.entity
        if line.action == "create":
            made = i18n.gettext("angelegt")
            return f"{name} {line.title}", "", f"{made}: {line.source}" if line.source else made
        if line.action == COPIED:
            return f"{name} {line.title}", "", i18n.gettext("kopiert nach %(title)s", title=line.new)
        if line.action == MERGED:
            return line.label, "", line.new
        if line.action == "delete":
            return f"{name} {line.title}", i18n.gettext("gelöscht"), ""
        is_child = spec is not None and spec.owner is not None
        return (f"{name} {line.title}: {line.label}" if is_child else line.label), line.old, line.new

    # --- what stands on every page ------------------------------------------------------------------------------------

    def _page_context(self) -> dict[str, Any]:
        operator: Operator | None = getattr(g, "operator", None)
        if operator is None:
            return {"shell": {"brand": self.brand, "menu": [], "home_url": "/", "search_url": "", "toast": None}}
        search = self.search_spec if self.search_spec is not None and _may(f"{self.search_spec.right}.read") else None
        if search is None:
            searching: dict[str, Callable[[], Any]] = dict.fromkeys(_SEARCHING, lambda: "")
        else:
            view = self.views[search.name]
            searching = {
                "search_url": view.list_url,
                "suggest_url": lambda: self.suggest_url(search),
                "search_hint": lambda: str(view.search_label or _("Suchen")),
                "search_value": lambda: request.args.get("search", ""),
            }
        return {
            "shell": _Shell(
                searching
                | {
                    "brand": lambda: self.brand,
                    "home_url": lambda: fixed_url("admin.index"),
                    "find_url": lambda: self._find_url(search),
                    "operator": lambda: operator.name,
                    "role": lambda: operator.role,
                    "account_url": lambda: "",
                    "logout_url": lambda: fixed_url("security.logout") if "security" in self.app.blueprints else "",
                    "menu": lambda: self._menu_entries(operator),
                    "lock": locking.current,
                    "toast": lambda: session.pop("toast", None),
                }
            )
        }

    def _find_url(self, search: ModelSpec | None) -> str:
        """The search window of the table that the page is about, else of the one that the head searches."""
        view = self.views.get(request.blueprint or "")
        spec = view.spec if view is not None and _may(f"{view.spec.right}.read") else search
        return fixed_url(f"{self.views[spec.name].endpoint}.find_view") if spec is not None else ""

    def _menu_entries(self, operator: Operator) -> list[tuple[str, list[tuple[str, str, bool, int | None]]]]:
        active = request.blueprint or ""
        kept = arrangements.worked_out(operator)
        place = ("menu", self, request.script_root)
        if place not in kept:
            kept[place] = [
                (str(heading), [self._menu_link(name) for name in names if self._is_open(name, operator)])
                for heading, names in self._menu
            ]
        entries: list[tuple[str, list[tuple[str, str, bool, int | None]]]] = [
            ("", [(str(_("Start")), fixed_url("admin.index"), active == "admin", None)])
        ]
        for heading, links in kept[place]:
            told = [(label, url, self._is_active(name, active), self._menu_count(name)) for name, label, url in links]
            if told:
                entries.append((heading, told))
        return entries

    def _is_open(self, name: str, operator: Operator) -> bool:
        if name in _PAGES:
            right = _PAGES[name][1]
            return name in self.app.blueprints and (not right or operator.may(right))
        name = name.partition("/")[0]
        return name in self.views and operator.may(f"{self.specs_by_name[name].right}.read")

    def _menu_link(self, name: str) -> tuple[str, str, str]:
        """(name, label, address) of an entry."""
        if name in _PAGES:
            return name, str(_PAGES[name][0]), fixed_url(f"{name}.index_view")
        table, _gap, page = name.partition("/")
        view = self.views[table]
        if page:
            label = view.choosing.label if page == "choose" else view.pages[page]
            return name, str(label), fixed_url(f"{table}.{page}_view")
        return name, str(self.specs_by_name[table].plural), view.list_url()

    def _is_active(self, name: str, active: str) -> bool:
        table, _gap, page = name.partition("/")
        if table != active or name in _PAGES:
            return table == active
        if page:
            return request.endpoint == f"{table}.{page}_view"
        return all(request.endpoint != f"{table}.{other}_view" for other in ("choose", *self.views[table].pages))

    def _menu_count(self, name: str) -> int | None:
        found = self.search_spec
        return self.total(found) if found is not None and found.name == name else None

    def forget_total(self, spec: ModelSpec) -> None:
        """Somebody here has just made or removed rows of the table: the next page counts again."""
        self._counts.pop(spec.name, None)
        self._long_lists = {key: until for key, until in self._long_lists.items() if key[0] != spec.name}

    def usual_total(self, spec: ModelSpec, operator: Operator, parts: Callable[[], list[Any]]) -> int:
        """How many rows the list has for an operator who filters nothing; `parts` answers its conditions.

        Beyond the cap the size of the table is near enough, and known without counting; that it is beyond the cap holds
        for half a minute.
        """
        key, now = (spec.name, operator.user_id), time.monotonic()
        if now >= self._long_lists.get(key, 0.0):
            count, capped = count_rows(spec, parts())
            if not capped:
                return count
            self._long_lists[key] = now + _COUNT_SECONDS
        return self.total(spec)

    def total(self, spec: ModelSpec) -> int:
        """The number of rows of a table; of a long one it may be half a minute old, since counting it takes time."""
        now = time.monotonic()
        until, known = self._counts.get(spec.name, (0.0, 0))
        if now < until:
            return known
        count, capped = count_rows(spec, [])
        if not capped:
            return count
        count = spec.model.select().count()
        # What takes a tenth of a second is asked every hundred seconds only.
        spent = time.monotonic() - now
        self._counts[spec.name] = (now + max(_COUNT_SECONDS, 1_000 * spent), count)
        return count


def _end_arrangements(fault: BaseException | None) -> None:
    arrangements.end()


def _page_text(message: str, **parts: Any) -> str:
    return i18n.gettext(message, **parts)


def _may(right: str) -> bool:
    operator: Operator | None = getattr(g, "operator", None)
    return operator is not None and operator.may(right)


def _assets() -> Blueprint:
    """Templates and static files of the layer."""
    folder = Path(__file__).parent
    return Blueprint(
        "appadmin",
        __name__,
        template_folder=str(folder / "templates"),
        static_folder=str(folder / "static" / "appadmin"),
        static_url_path="/static/appadmin",
    )

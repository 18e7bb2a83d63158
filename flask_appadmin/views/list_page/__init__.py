"""The list of a model as a page: filter bar, strip of marked records, table, paging; a file for each.

Context: templates/appadmin/list.html.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from flask_appadmin import lists
from flask_appadmin.database import TooSlow, limited
from flask_appadmin.digits import is_number
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import gettext
from flask_appadmin.listviews import NO_VIEW
from flask_appadmin.rights import Operator, visible
from flask_appadmin.selections import Selection
from flask_appadmin.views import places, preview
from flask_appadmin.views.condition_page import typed_tools
from flask_appadmin.views.list_page.arranging import PANELS, Arranging
from flask_appadmin.views.list_page.editing import CellEditing
from flask_appadmin.views.list_page.filter_bar import FilterBar
from flask_appadmin.views.list_page.filter_panel import FilterPanel
from flask_appadmin.views.list_page.marks import Marks
from flask_appadmin.views.list_page.paging import pager, range_text
from flask_appadmin.views.list_page.slowness import ListTooSlow
from flask_appadmin.views.list_page.table import ListTable, drawn

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: Parameters that stay when filters or order change.
_KEPT = ("columns", "size")

#: Parameters of the filter panel, which are no part of a filter.
_PANEL = ("add_filter", "tree", "edit", "arrange")


class ListPage:
    """Reads the request's filter, order and place, and draws the list."""

    def __init__(self, view: AppModelView, operator: Operator, args: MultiDict[str, str] | None = None) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        #: Filter -> what of it stands in an address; a page names its own in twenty links.
        self._kept: dict[tuple[int, bool], tuple[Filter, list[tuple[str, str]]]] = {}
        #: The address of the list; a form that stood on it brings its own.
        self.args: MultiDict[str, str] = request.args if args is None else args
        self.arranging = Arranging(view, operator, list(self.args.items(multi=True)))

    def answer(self) -> Any:
        start = self.arranging.views.start() if not self.args else None
        if start is not None:
            return redirect(self.view.list_url(view=start.id))
        try:
            with limited():
                return self._answer()
        except TooSlow as fault:
            raise ListTooSlow.of(self, fault) from None

    def _answer(self) -> Any:
        if request.headers.get("X-Fragment") == "filter_panel":
            return render_template("appadmin/list/filter_panel.html", filter_panel=FilterPanel(self).context())
        if request.headers.get("X-Fragment") == "list_panel":
            return render_template("appadmin/list_panel.html", list_panel=self._arrange_panel())
        return self.draw()

    def filter(self) -> Filter:
        # An empty box of the filter bar means "all"; elsewhere an empty value asks for what is not filled.
        boxes = self.view.quick_filters
        asked = [pair for pair in self.arranging.pairs if pair[0] not in _PANEL]
        return self.arranging.filter([pair for pair in asked if pair[1].strip() or pair[0] not in boxes])

    @functools.cached_property
    def marks(self) -> Marks:
        return Marks(self)

    def selection(self) -> Selection:
        """What is marked as this list shows it."""
        return self.marks.selection

    def read(self, found: Filter, **place: Any) -> lists.Page:
        """One page of the list in the order, the size and among the rows that the address asks for."""
        if self.only_marked():
            place.setdefault("only", self.selection().where())
        columns = self.arranging.fields
        needed = [*self.view.instead_columns.values()]
        needed += [name for item in columns if item.name in self.view.signs for name in self.view.signs[item.name].also]
        also = [self.spec.field(name) for name in dict.fromkeys(needed)]
        return lists.read_page(
            self.spec,
            self.operator,
            found,
            columns,
            self.arranging.order(),
            size=self.size(),
            also=also,
            by_code=self.view.code_columns,
            ranked=not self.args.get("sort"),
            **place,
        )

    def only_marked(self) -> bool:
        return self.args.get("only") == "marked"

    def is_editing(self) -> bool:
        """Whether cells can be typed into; without the right the address means the list as it is."""
        return self.args.get("edit") == "1" and self.operator.may(f"{self.spec.right}.edit")

    def _arrange_panel(self) -> dict[str, Any] | None:
        """The panel of the menu of views that the address asks for."""
        name = self.args.get("arrange", "")
        if name not in PANELS:
            return None
        close_url = (
            f"{self.view.list_url()}?{self.arranging.query()}" if self.arranging.query() else self.view.list_url()
        )
        return self.arranging.panel(name, close_url)

    def _read_addressed(self, found: Filter) -> lists.Page:
        """The page of the list that the address names; an empty one where the view's filter cannot be asked."""
        if self.arranging.is_closed:
            return lists.Page(self.arranging.fields, [], self.arranging.order(), self.size(), 0, False)
        return self.read(
            found,
            after=self.args.get("after", ""),
            before=self.args.get("before", ""),
            at=_number(self.args.get("at", "")),
            exact=self.args.get("count") == "exact",
        )

    def draw(
        self,
        found: Filter | None = None,
        panel: dict[str, Any] | None = None,
        arrange_panel: dict[str, Any] | None = None,
    ) -> Any:
        found = self.filter() if found is None else found
        selection = self.selection()
        page = self._read_addressed(found)
        if panel is None and arrange_panel is None:
            places.remember_list(self.spec)
            if self.marks.dropped is not None:
                places.carry_selection(self.spec, self.view.list_url(), selection.token)
            self.remember_rows(page)
        bar, table = FilterBar(self), ListTable(self)
        rows = table.rows(page, found, selection)
        editing = CellEditing(self.view, self.operator, page) if self.is_editing() else None
        context = {
            "page_title": str(self.spec.plural),
            "counts": {
                "found": page.found,
                "total": self._total(page, found),
                "capped": page.capped,
                "exact_url": self.url(found, count="exact"),
            },
            "buttons": [*self._edit_button(page, found), *(() if editing else self.buttons())],
            "menus": [],
            "beginnings": () if editing else self.beginnings(),
            "views": self.arranging.menu(self, found, page.order, page.size),
            "notices": self.arranging.notices,
            "list_panel": arrange_panel or self._arrange_panel(),
            "quick": bar.quick(found),
            "keep": self.kept_pairs(found, without=("search", *self.view.quick_filters)),
            "typed": typed_tools(self.view, self.operator, found, self.kept_pairs(Filter(self.spec))),
            "list_url": self.view.list_url(),
            "switches": bar.switches(found),
            "chips": bar.chips(found),
            "clear_url": self.url(Filter(self.spec), only="")
            if self.view.url_pairs(found) and not found.is_empty
            else "",
            "add_filter_url": self.url(found, add_filter="1"),
            "filter_panel": panel or (FilterPanel(self).context() if self.args.get("add_filter") else None),
            "selection": None if editing else self.marks.context(page, found),
            "actions": self._actions(),
            "columns": table.columns(page, found),
            "look": table.look(),
            "body": drawn(editing.plain(rows) if editing else rows, marks=not editing),
            "cells": editing.context() | {"marked": self.marks.words(page, found)} if editing and page.rows else None,
            "first_row": page.first_row,
            "range_text": range_text(page),
            "pager": pager(self, page, found),
            "sizes": [(str(other), self.url(found, size=str(other)), other == page.size) for other in lists.PAGE_SIZES],
            "find_url": url_for(f"{self.view.endpoint}.find_view"),
            "preview": preview.pane(self.view, self.operator),
            "similar": bool(page.similar),
            "empty": self._empty(page, found) if not page.rows else None,
        }
        return render_template("appadmin/list.html", **context)

    def remember_rows(self, page: lists.Page) -> None:
        """Keeps the rows of this page, so that the form can step through them."""
        keys = tuple(row[0] for row in page.rows)
        places.remember_rows(self.spec, places.Walk(keys, page.first_row, page.found, page.capped))

    def _total(self, page: lists.Page, found: Filter) -> int:
        """How many rows the list has without the filters that the operator set."""
        if page.capped or (not self.view.url_pairs(found) and not self.only_marked()):
            return page.found
        count = self.view.registry.usual_total(self.spec, self.operator, self._usual_parts)
        return max(count, page.found)

    def _usual_parts(self) -> list[Any]:
        """What the list shows to this operator while nothing is filtered."""
        usual = self.view.filter_of([], self.operator)
        return [part for part in (visible(self.operator, self.spec), usual.where(self.operator)) if part is not None]

    def size(self) -> int:
        """Rows per page."""
        size = _number(self.arranging.meant("size")) or 50
        return size if size in lists.PAGE_SIZES else 50

    def url(self, found: Filter, **changed: str) -> str:
        """The list with this filter and the present order and size; `changed` overrides single parameters."""
        pairs = [(name, text) for name, text in self.kept_pairs(found) if name not in changed]
        pairs += [(name, text) for name, text in changed.items() if text]
        return f"{self.view.list_url()}?{urlencode(pairs)}" if pairs else self.view.list_url()

    def buttons(self) -> list[tuple[str, str, str, bool]]:
        buttons = []
        if self.spec.owner is None and self.operator.may("import.new") and self.operator.may(f"{self.spec.right}.edit"):
            buttons.append((gettext("Importieren"), self.view.registry.import_url(self.spec), "", False))
        if self.operator.may(f"{self.spec.right}.create"):
            label = self.view.new_label or gettext("Neu: %(label)s", label=str(self.spec.label))
            buttons.append((str(label), url_for(f"{self.view.endpoint}.create_view"), "N", True))
        return [button for button in buttons if button[1]]

    def beginnings(self) -> list[tuple[str, str, str]]:
        """(label, address, key) of the windows in which a record begins."""
        if not self.operator.may(f"{self.spec.right}.create"):
            return []
        return [
            (str(window.label), url_for(f"{self.view.endpoint}.begin_view", window_name=window.name), window.key)
            for window in self.view.entry_windows
            if window.listed
        ]

    def _edit_button(self, page: lists.Page, found: Filter) -> list[tuple[str, str, str, bool]]:
        """Begins or ends editing, at the same place of the list."""
        place = {name: self.args[name] for name in ("after", "before", "at") if self.args.get(name)}
        if self.is_editing():
            return [(gettext("Bearbeiten beenden"), self.url(found, edit="", **place), "E", False)]
        if not page.rows or not self.operator.may(f"{self.spec.right}.edit"):
            return []
        return [(gettext("In der Liste bearbeiten"), self.url(found, edit="1", **place), "E", False)]

    def kept_pairs(self, found: Filter, without: tuple[str, ...] = ()) -> list[tuple[str, str]]:
        place = id(found), bool(without)
        known = self._kept.get(place)
        if known is None:
            known = self._kept[place] = (found, self.arranging.kept(found, whole=bool(without)))
        pairs = [(name, text) for name, text in known[1] if name not in without]
        pairs += [(name, self.args[name]) for name in ("sort", *_KEPT) if self.args.get(name)]
        pairs += [("only", "marked")] if self.only_marked() else []
        # A link to another filter carries what is marked; that page says what becomes of it.
        pairs += [("selection", self.selection().token)] if self.selection().token else []
        return [*pairs, ("edit", "1")] if self.is_editing() else pairs

    def _actions(self) -> list[dict[str, Any]]:
        url = url_for(f"{self.view.endpoint}.start_action")
        return [
            {
                "name": action.name,
                "label": str(action.label),
                "url": url,
                "group": str(action.group),
                "keys": action.keys,
                "hint": str(action.hint),
            }
            for action in self.view.allowed_actions()
        ]

    def _empty(self, page: lists.Page, found: Filter) -> dict[str, Any]:
        plural = str(self.spec.plural)
        if self.arranging.is_closed:
            names = "„, „".join(self.arranging.hidden_filters)
            return {
                "title": gettext("Diese Ansicht lässt sich für Sie nicht öffnen"),
                "text": gettext(
                    "Sie filtert nach etwas, das Sie nicht sehen dürfen oder das es nicht mehr gibt: „%(names)s“. "
                    "Die Liste wird nicht ungefiltert gezeigt.",
                    names=names,
                ),
                "filters": [],
                "links": [(gettext("Liste ohne Ansicht öffnen"), self.view.list_url(view=NO_VIEW), True)],
            }
        if not self.view.url_pairs(found) and not self.only_marked():
            links = [(label, url, main) for label, url, _key, main in self.buttons()]
            text = gettext("Legen Sie den ersten Eintrag an oder holen Sie eine Liste herein.")
            if not links:
                text = gettext("Anlegen dürfen Sie hier nichts; bitte wenden Sie sich dafür an Ihre Administration.")
            title = gettext("Noch keine Einträge in „%(plural)s“", plural=plural)
            return {"title": title, "text": text, "filters": [], "links": links}
        return {
            "title": gettext("Nichts gefunden"),
            "text": gettext("Kein Eintrag passt zu: %(filter)s.", filter=found.describe()),
            "filters": FilterBar(self).removable(found),
            "links": [(gettext("Alle Filter aufheben"), self.url(Filter(self.spec), only=""), True)],
        }


def _number(text: str) -> int:
    return int(text) if is_number(text, 9) else 0

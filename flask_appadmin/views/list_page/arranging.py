"""How a list is arranged: the view it is opened with, what differs from it, its columns; menu and panels for that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import url_for

from flask_appadmin import lists, listviews
from flask_appadmin.errors import FilterError
from flask_appadmin.filters import Filter, FilterNotAllowed, field_at
from flask_appadmin.i18n import gettext
from flask_appadmin.indexing import RIGHT as INDEX_RIGHT
from flask_appadmin.listviews import NO_VIEW, OWN_FILTER, Column, ListView, Views
from flask_appadmin.rights import Operator, may_read
from flask_appadmin.specs import FieldSpec

if TYPE_CHECKING:
    from flask_appadmin.views.list_page import ListPage
    from flask_appadmin.views.model_view import AppModelView

Pairs = Sequence[tuple[str, str]]

#: The panels of the menu, as the address names them.
PANELS = ("columns", "save", "rename", "delete")


class Arranging:
    """What an address of the list means for this operator, apart from the rows: view, columns, height of rows."""

    def __init__(self, view: AppModelView, operator: Operator, asked: Pairs) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        self.asked = list(asked)
        self.views = Views(self.spec, operator)
        number = listviews.view_number(self.asked)
        self.chosen: ListView | None = self.views.find(number) if number is not None else None
        self.pairs = listviews.expanded(self.chosen, self.asked) if self.chosen is not None else self.asked
        #: What the operator is told about columns and filters that are missing.
        self.notices: list[str] = []
        #: Names of filters of the view that this operator may not ask or that are gone: they close the list.
        self.hidden_filters: list[str] = []
        made = self.views.made.get(number)
        self.density = (made.density if made is not None else "") or (
            self.chosen.density if self.chosen is not None else "normal"
        )
        self.columns = self._columns(made.columns if made is not None else [])

    # --- columns ------------------------------------------------------------------------------------------------------

    def own_columns(self) -> list[Column]:
        """The columns the list has when nobody arranged it."""
        return [Column(item) for item in self.view.list_fields if may_read(self.operator, item)]

    def view_columns(self) -> list[Column]:
        """The columns of the view as it was saved."""
        stored: list[Any] = self.chosen.columns if self.chosen is not None else []
        return listviews.read_columns(self.spec, self.operator, stored)[0] or self.own_columns()

    def _columns(self, made: list[Any]) -> list[Column]:
        stored = made or (self.chosen.columns if self.chosen is not None else [])
        columns, missing = listviews.read_columns(self.spec, self.operator, stored)
        if self.are_named:
            known = {column.spec.name: column for column in columns}
            named = listviews.named_columns(self.spec, self.operator, self.argument("columns").split(","))
            return [known.get(column.spec.name, column) for column in named] or self.own_columns()
        if missing:
            names = "„, „".join(missing)
            self.notices.append(
                gettext("Diese Spalten gibt es nicht mehr, oder Sie dürfen sie nicht sehen: „%(names)s“.", names=names)
                if len(missing) > 1
                else gettext("Die Spalte „%(name)s“ gibt es nicht mehr, oder Sie dürfen sie nicht sehen.", name=names)
            )
        return columns or self.own_columns()

    @property
    def are_named(self) -> bool:
        """Whether the address itself names the columns."""
        return bool(self.argument("columns").strip(", "))

    @property
    def fields(self) -> tuple[FieldSpec, ...]:
        return tuple(column.spec for column in self.columns)

    # --- filter, order, size ------------------------------------------------------------------------------------------

    def argument(self, name: str) -> str:
        """What the address itself says, without its view."""
        return next((text for key, text in self.asked if key == name and text), "")

    def meant(self, name: str) -> str:
        """What the address says together with its view."""
        return next((text for key, text in self.pairs if key == name and text), "")

    def order(self) -> lists.Order:
        """The order of the list; one that the view names and that is gone is told, not refused."""
        if self.argument("sort") or self.chosen is None:
            return lists.read_order(self.spec, self.argument("sort"), self.operator)
        return self._view_order(tell=True)

    def _view_order(self, *, tell: bool = False) -> lists.Order:
        try:
            return lists.read_order(self.spec, self.chosen.sort if self.chosen is not None else "", self.operator)
        except FilterError as fault:
            if tell:
                self.notices.append(str(fault.reason))
            return lists.read_order(self.spec, "", self.operator)

    def filter(self, pairs: Pairs) -> Filter:
        """The filter of an address that is expanded already; an empty one, and the list closed, if the view hides some.

        The filter's own fault for what the address itself asks and nobody can answer.
        """
        try:
            return self.view.filter_of(pairs, self.operator)
        except (FilterError, FilterNotAllowed):
            self.hidden_filters = self._hidden()
            if not self.hidden_filters:
                raise
        return Filter(self.spec)

    def _hidden(self) -> list[str]:
        """The filters of the view that cannot be asked under these rights, by their label."""
        if self.chosen is None:
            return []
        hidden = []
        stored = listviews.stored_pairs(self.chosen)
        for name in dict.fromkeys(name for name, _text in stored):
            pairs = [pair for pair in stored if pair[0] == name]
            if not all(pair in self.pairs for pair in pairs):
                continue  # the address itself says otherwise
            try:
                self.view.filter_of(pairs, self.operator)
            except FilterNotAllowed as fault:
                hidden.append(fault.name)
            except FilterError:
                item = field_at(self.spec, name.partition("__")[0])
                hidden.append(str(item.label) if item is not None else name)
        return list(dict.fromkeys(hidden))

    @property
    def is_closed(self) -> bool:
        return bool(self.hidden_filters)

    def kept(self, found: Filter, *, whole: bool = False) -> list[tuple[str, str]]:
        """View and filter as they stand in an address: the view alone while the filter is the view's own.

        `whole` writes the filter out in any case, for a form that sends a part of it itself.
        """
        own = self.view.url_pairs(found)
        if self.chosen is None:
            return [("view", NO_VIEW), *own] if ("view", NO_VIEW) in self.asked else own
        named = ("view", str(self.chosen.id))
        if self.is_closed or (not whole and self._is_stored(own)):
            return [named]
        return [named, ("view", OWN_FILTER), *own] if self.chosen.query else [named, *own]

    def _is_stored(self, own: Pairs) -> bool:
        """Whether these are the pairs of the view's own filter."""
        if self.chosen is None:
            return False
        stored = listviews.stored_pairs(self.chosen)
        if sorted(own) == sorted(stored):
            return True
        try:
            return sorted(own) == sorted(self.view.url_pairs(self.view.filter_of(stored, self.operator)))
        except (FilterError, FilterNotAllowed):
            return False

    # --- what differs from the view -----------------------------------------------------------------------------------

    def is_changed(self, found: Filter, order: lists.Order, size: int) -> bool:
        """Whether the list shows something else than the view it was opened with. Widths are everybody's own."""
        if self.chosen is None or self.is_closed:
            return False
        look = [(column.spec, column.pinned) for column in self.columns]
        return (
            not self._is_stored(self.view.url_pairs(found))
            or order != self._view_order()
            or size != self.chosen.page_size
            or look != [(column.spec, column.pinned) for column in self.view_columns()]
            or self.density != self.chosen.density
        )

    def values(self, found: Filter, order: lists.Order, size: int) -> dict[str, Any]:
        """What a view keeps of the list as it stands."""
        return {
            "query": urlencode(self.view.url_pairs(found)),
            "columns": [column.stored() for column in self.columns],
            "sort": order.text if self.meant("sort") else "",
            "page_size": size,
            "density": self.density,
        }

    # --- what the page draws ------------------------------------------------------------------------------------------

    def menu(self, page: ListPage, found: Filter, order: lists.Order, size: int) -> dict[str, Any]:
        """The context of list/views.html."""
        chosen, views = self.chosen, self.views
        may_change = chosen is not None and views.may_change(chosen)
        mine = [view for view in views.all if views.is_mine(view)]
        others = [view for view in views.all if not views.is_mine(view)]
        without = NO_VIEW if views.start() is not None else None
        groups = [("", [(gettext("ohne Ansicht"), self.view.list_url(view=without), chosen is None, "")])]
        groups += [
            (heading, [self._entry(view) for view in members])
            for heading, members in ((gettext("Meine Ansichten"), mine), (gettext("Freigegebene Ansichten"), others))
            if members
        ]
        return {
            "name": chosen.name if chosen is not None else gettext("Standard"),
            "changed": self.is_changed(found, order, size),
            "groups": groups,
            "url": self.url(),
            "query": self.query(),
            "is_view": chosen is not None,
            "may_change": may_change,
            "may_share": may_change and chosen is not None and chosen.shared != "mine",
            "starts": chosen is not None and views.starts_mine(chosen),
            "starts_all": chosen is not None and chosen.is_default,
            "for_whom": self._for_whom(chosen) if chosen is not None else "",
            "densities": [(key, str(label), key == self.density) for key, label in listviews.DENSITIES.items()],
            "panels": {name: page.url(found, arrange=name) for name in PANELS},
            "can_save": not self.is_closed,
            "indexes_url": url_for(f"{self.view.endpoint}.indexes_view") if self.operator.may(INDEX_RIGHT) else "",
        }

    def _entry(self, view: ListView) -> tuple[str, str, bool, str]:
        notes = []
        if view.shared != "mine":
            notes.append(self._for_whom(view))
        if self.views.starts_mine(view):
            notes.append(gettext("meine Vorgabe"))
        elif view.is_default:
            notes.append(gettext("Vorgabe"))
        is_chosen = self.chosen is not None and view.id == self.chosen.id
        return view.name, self.view.list_url(view=view.id), is_chosen, ", ".join(notes)

    @staticmethod
    def _for_whom(view: ListView) -> str:
        if view.shared == "role":
            return str(view.role.name)
        return gettext("alle") if view.shared == "all" else gettext("nur ich")

    def url(self) -> str:
        """Where forms of the menu and of the panels go."""
        return self.view.arrange_url()

    def query(self) -> str:
        """The list's address, for the way back."""
        return urlencode([pair for pair in self.asked if pair[0] != "arrange"])

    def panel(self, name: str, close_url: str, error: str = "", typed: dict[str, str] | None = None) -> dict[str, Any]:
        """The context of list_panel.html."""
        typed = typed or {}
        context: dict[str, Any] = {
            "kind": name,
            "url": self.url(),
            "query": self.query(),
            "close_url": close_url,
            "error": error,
            "view_name": self.chosen.name if self.chosen is not None else "",
        }
        if name == "columns":
            return context | {
                "columns": [
                    (column.spec.name, str(column.spec.label), column.width, column.pinned) for column in self.columns
                ],
                "groups": self._choosable(),
                "limits": listviews.WIDTHS,
            }
        shares = []
        if self.operator.may("view.share"):
            shares = [("mine", gettext("nur für mich")), ("all", gettext("für alle"))]
            shares += [
                (value, gettext("für die Arbeitsgruppe „%(name)s“", name=role))
                for value, role in listviews.roles_to_share_with()
            ]
        now = "mine"
        if self.chosen is not None and name == "rename":
            now = f"role:{self.chosen.role_id}" if self.chosen.shared == "role" else self.chosen.shared
        return context | {
            "name": typed.get("name", self.chosen.name if self.chosen is not None and name == "rename" else ""),
            "shares": [(value, label, value == typed.get("shared", now)) for value, label in shares],
            "for_whom": self._for_whom(self.chosen) if self.chosen is not None else "",
        }

    def _choosable(self) -> list[tuple[str, list[tuple[str, str, str, bool]]]]:
        """All fields that can be columns, by the tab of the form they stand on: (name, label, help, shown)."""
        layout = self.view.form_layout
        labels = {tab.key: str(tab.label) for tab in layout.tabs}
        groups: dict[str, list[tuple[str, str, str, bool]]] = {label: [] for label in labels.values()}
        shown = set(self.fields)
        for item in listviews.readable_columns(self.spec, self.operator):
            heading = labels.get(layout.tab_of(item.name), gettext("Weitere Angaben"))
            groups.setdefault(heading, []).append((item.name, str(item.label), str(item.help), item in shown))
        return [(heading, members) for heading, members in groups.items() if members]

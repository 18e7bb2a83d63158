"""What becomes of the forms of the menu of views, of its panels, and of the borders that were dragged.

Shape: every form brings `query`, the address of the list it stood on, and `action`; the answer leads back to that list.
A drag sends JSON {"query", "widths": {name: pixels}} and gets {} back. A fault is told on the list, in the open panel.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from flask import jsonify, redirect, request, session
from werkzeug.datastructures import MultiDict

from flask_appadmin import listviews
from flask_appadmin.errors import AppAdminError, NotAllowed
from flask_appadmin.i18n import gettext
from flask_appadmin.listviews import Column, ListView
from flask_appadmin.rights import Operator
from flask_appadmin.views.list_page import ListPage

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: The panel in which the fault of an action is told.
_PANEL_OF = {"columns": "columns", "create": "save", "rename": "rename"}

#: Parts of an address that a changed arrangement makes void.
_VOID = ("columns", "arrange")


def answer_arranging(view: AppModelView, operator: Operator) -> Any:
    posted = request.get_json(silent=True) if request.is_json else request.form
    if not isinstance(posted, dict):
        raise AppAdminError(gettext("Die Anfrage war nicht zu verstehen."))
    query = str(posted.get("query") or "")[:8_000].lstrip("?").replace("\x00", "")
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != "arrange"]
    page = ListPage(view, operator, MultiDict(pairs))
    if request.is_json:
        return _keep_widths(page, posted.get("widths"))
    action = request.form.get("action") or ("density" if "density" in request.form else "")
    try:
        return redirect(_Answers(page, pairs).run(action))
    except AppAdminError as fault:
        if isinstance(fault, NotAllowed) or fault.status == 404 or action not in _PANEL_OF:
            raise
        typed = {name: request.form.get(name, "")[:80] for name in ("name", "shared")}
        panel = page.arranging.panel(_PANEL_OF[action], _address(view, pairs), str(fault), typed)
        return page.draw(arrange_panel=panel), 422


def _keep_widths(page: ListPage, widths: Any) -> Any:
    if not isinstance(widths, dict):
        raise AppAdminError(gettext("Die Anfrage war nicht zu verstehen."))
    arranging = page.arranging
    columns = [
        replace(column, width=listviews.read_width(widths.get(column.spec.name, column.width)))
        for column in arranging.columns
    ]
    if not arranging.are_named:  # columns that only an address names are nobody's arrangement
        arranging.views.arrange(arranging.chosen, columns=[column.stored() for column in columns])
    return jsonify({})


def _address(view: AppModelView, pairs: list[tuple[str, str]]) -> str:
    return f"{view.list_url()}?{urlencode(pairs)}" if pairs else view.list_url()


class _Answers:
    """One action each; they answer where to go."""

    def __init__(self, page: ListPage, pairs: list[tuple[str, str]]) -> None:
        self.page = page
        self.view = page.view
        self.arranging = page.arranging
        self.views = page.arranging.views
        self.pairs = pairs

    def run(self, action: str) -> str:
        """Does what a button says."""
        actions = {
            "columns": self.columns,
            "own_columns": self.own_columns,
            "density": self.density,
            "reset": self.reset,
            "save": self.save,
            "create": self.create,
            "rename": self.rename,
            "delete": self.delete,
            "start": lambda: self.start(wanted=True),
            "no_start": lambda: self.start(wanted=False),
            "start_all": lambda: self.start_all(wanted=True),
            "no_start_all": lambda: self.start_all(wanted=False),
        }
        if action not in actions:
            raise AppAdminError(gettext("Die Anfrage war nicht zu verstehen."))
        return actions[action]()

    # --- columns and rows ---------------------------------------------------------------------------------------------

    def columns(self) -> str:
        posted = request.form
        chosen = listviews.named_columns(self.view.spec, self.page.operator, posted.getlist("column"))
        if not chosen:
            raise AppAdminError(gettext("Bitte wählen Sie mindestens eine Spalte."))
        pinned = set(posted.getlist("pin"))
        columns = [
            Column(
                column.spec,
                listviews.read_width(posted.get(f"width-{column.spec.name}", "")),
                column.spec.name in pinned,
            )
            for column in chosen
        ]
        self.views.arrange(self.arranging.chosen, columns=[column.stored() for column in columns])
        return self._back()

    def own_columns(self) -> str:
        self.views.arrange(self.arranging.chosen, columns=[])
        return self._back()

    def density(self) -> str:
        wanted = request.form.get("density", "")
        if wanted not in listviews.DENSITIES:
            raise AppAdminError(gettext("Die Anfrage war nicht zu verstehen."))
        self.views.arrange(self.arranging.chosen, density=wanted)
        return _address(self.view, self.pairs)

    def reset(self) -> str:
        self.views.reset(self.arranging.chosen)
        return self._open(self.arranging.chosen)

    def _back(self) -> str:
        return _address(self.view, [pair for pair in self.pairs if pair[0] not in _VOID])

    def _open(self, view: ListView | None) -> str:
        """The list with a view as it was saved; what is marked stays marked."""
        pairs = [pair for pair in self.pairs if pair[0] == "selection"]
        if view is not None:
            pairs.insert(0, ("view", str(view.id)))
        elif self.views.start() is not None:
            pairs.insert(0, ("view", listviews.NO_VIEW))
        return _address(self.view, pairs)

    # --- views --------------------------------------------------------------------------------------------------------

    def _chosen(self) -> ListView:
        if self.arranging.chosen is None:
            raise listviews.NoSuchView()
        return self.arranging.chosen

    def _values(self) -> dict[str, Any]:
        found = self.page.filter()
        if self.arranging.is_closed:
            raise AppAdminError(
                gettext("Eine Ansicht, deren Filter Sie nicht sehen dürfen, lässt sich nicht speichern.")
            )
        return self.arranging.values(found, self.arranging.order(), self.page.size())

    def save(self) -> str:
        view = self._chosen()
        self.views.update(view, self._values())
        self._say(gettext("Ansicht „%(name)s“ gespeichert.", name=view.name))
        return self._open(view)

    def create(self) -> str:
        posted = request.form
        values = self._values()
        made = self.views.create(posted.get("name", ""), posted.get("shared", ""), values)
        if posted.get("start"):
            self.views.start_with(made)
        if self.arranging.chosen is not None:
            # What was changed has its own name now; the view it came from is again what it was.
            self.views.reset(self.arranging.chosen)
        self._say(gettext("Ansicht „%(name)s“ gespeichert.", name=made.name))
        return self._open(made)

    def rename(self) -> str:
        posted = request.form
        self.views.rename(self._chosen(), posted.get("name", ""), posted.get("shared", ""))
        return self._back()

    def delete(self) -> str:
        view = self._chosen()
        self.views.delete(view)
        self._say(gettext("Ansicht „%(name)s“ gelöscht.", name=view.name))
        return self.view.list_url()

    def start(self, *, wanted: bool) -> str:
        view = self._chosen()
        self.views.start_with(view if wanted else None)
        if wanted:
            self._say(gettext("Diese Liste öffnet sich für Sie jetzt mit „%(name)s“.", name=view.name))
        return _address(self.view, self.pairs)

    def start_all(self, *, wanted: bool) -> str:
        self.views.start_all_with(self._chosen(), wanted)
        return _address(self.view, self.pairs)

    @staticmethod
    def _say(text: str) -> None:
        session["toast"] = {"text": text, "undo_url": ""}

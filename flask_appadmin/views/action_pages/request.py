"""One request for one action on one selection: what all of its pages need.

A page never carries ids: it has the token of the selection, and for a plan the `state` that names the very rows it was
made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import jsonify, redirect, request, session, url_for

from flask_appadmin.bulk import (
    Action,
    CopyRecord,
    DeleteRecords,
    DocumentAction,
)
from flask_appadmin.digits import is_number
from flask_appadmin.errors import AppAdminError
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.rights import Operator
from flask_appadmin.selections import CAP, Selection, counted
from flask_appadmin.specs import ModelSpec, ReferenceCache
from flask_appadmin.views import places
from flask_appadmin.views.downloads import send_made

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: Pages that are drawn before more than CAP records are counted, and whose script asks for the number then.
_COUNT_LATER = ("export", "labels", "worklist")


class ActionPages:
    """One request for one action on one selection."""

    def __init__(self, view: AppModelView, operator: Operator, action: Action) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        self.action = action
        self.selection = self._selection()
        #: Names the very rows this page speaks of; the next request brings it back.
        self.state = ""
        #: There are more than `count`: the page is there at once, and counts exactly while it is read.
        self.capped = False
        if action.page == "change" and request.method == "GET":
            self.count, self.capped = self.selection.tally()
        else:
            # One that takes a few only has refused more than CAP before the number matters.
            counts_later = action.page in _COUNT_LATER or isinstance(action, DeleteRecords | CopyRecord)
            counts_later = counts_later and request.method == "GET" and not self.is_counting
            self.state = self.selection.state(CAP if counts_later else None)
            self.capped = not self.state
            self.count = int(self.state.partition(".")[0]) if self.state else CAP

    def count_answer(self) -> Any:
        """What the script of a page asks for that had not counted."""
        return jsonify({"state": self.state, "what": self.what, "text": self.subtitle})

    def _selection(self) -> Selection:
        token = request.values.get("token") or request.values.get("selection") or ""
        if token:
            return Selection.load(self.spec, self.operator, token).require_reach()
        key = request.args.get("id", "")
        if is_number(key):
            return Selection.of_record(self.spec, self.operator, int(key)).store()
        if "query" in request.args:
            found = Filter.from_text(self.spec, request.args["query"], self.operator)
            return Selection.of_filter(found, self.operator).store()
        raise AppAdminError(self.nothing())

    def nothing(self) -> str:
        return str(self.action.nothing_marked or self.view.nothing_marked)

    # --- what all pages need ------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return url_for(f"{self.view.endpoint}.run_action", action_name=self.action.name)

    @property
    def list_url(self) -> str:
        """The list as the operator left it; a selection made elsewhere comes with a list that shows it."""
        kept = places.remembered_list(self.spec)
        if kept and ("selection", self.selection.token) in places.remembered_pairs(self.spec):
            return kept
        if request.args.get("id") and kept:
            return kept
        pairs = [("selection", self.selection.token)]
        if self.selection.filter is not None:
            pairs = [*self.view.url_pairs(self.selection.filter), *pairs]
        return f"{self.view.list_url()}?{urlencode(pairs)}"

    @property
    def is_counting(self) -> bool:
        """Whether the script of a page asks that had not counted: {"state", "what", "text"}, see countlater.js."""
        return request.method == "GET" and request.headers.get("X-Fragment") == "count"

    @property
    def count_url(self) -> str:
        """Where the page asks for the very number, "" where it has it."""
        if not self.capped or self.action.page not in _COUNT_LATER:
            return ""
        arguments = {name: request.args[name] for name in ("shown",) if name in request.args}
        return f"{self.url}?{urlencode({'selection': self.selection.token, **arguments})}"

    @property
    def what(self) -> str:
        """„38 Bücher“, or „mehr als 10.000 Bücher“ while nobody has counted."""
        what = counted(self.spec, self.count)
        return gettext("mehr als %(what)s", what=what) if self.capped else what

    @property
    def back(self) -> tuple[str, str]:
        return str(self.spec.plural), self.list_url

    @property
    def subtitle(self) -> str:
        what = self.selection.describe(self.count)
        what = gettext("mehr als %(what)s", what=what) if self.capped else what
        parts = [what, self.selection.lost(), self._difference_to_the_list()]
        return " · ".join(part for part in parts if part)

    def _difference_to_the_list(self) -> str:
        """The list said how many are marked; since then rows may have come or gone."""
        shown_count = request.args.get("shown", "")
        if not is_number(shown_count, 9):
            return ""
        if int(shown_count) == self.count or self.capped:
            return ""
        return gettext("in der Liste standen noch %(count)s", count=format_number(int(shown_count)))

    def hidden(self) -> list[tuple[str, str]]:
        kept = [("_state", self.state)] if self.state or self.count_url else []
        return [("token", self.selection.token), *kept]

    def difference(self) -> str:
        """What to say when the rows are no longer those the page showed; "" when they are."""
        shown_state = request.form.get("_state", self.state)
        if shown_state == self.state:
            return ""
        if not shown_state:
            return gettext(
                "Gezählt sind jetzt %(what)s. Es wurde nichts getan. Bitte prüfen Sie und bestätigen Sie noch einmal.",
                what=counted(self.spec, self.count),
            )
        return different_rows(self.spec, shown_state, self.state)

    def done(self, text: str, change_set: int | None, url: str = "") -> Any:
        """Back to where the operator came from, with the word on what was done and the way back."""
        undo = self.view.registry.undo_url(change_set) if change_set is not None else ""
        session["toast"] = {"text": text, "undo_url": undo}
        self.view.registry.forget_total(self.spec)
        # What was marked was marked for this; the list stays where it was and shows the result.
        Selection(self.spec, self.operator, token=self.selection.token).store()
        places.forget_selection(self.spec)
        return redirect(url or places.remembered_list(self.spec) or self.view.list_url())

    def titles(self, keys: list[int]) -> dict[int, str]:
        return ReferenceCache().titles(self.spec, set(keys))

    def send(self, action: DocumentAction, values: dict[str, Any]) -> Any:
        """Makes the document and sends it as a download; the file is gone afterwards."""
        return send_made(lambda folder: action.render(self.selection, values, folder))


def different_rows(spec: ModelSpec, shown_state: str, state: str) -> str:
    """The difference between the rows a page showed and those there are now, as a sentence."""
    before, now = (int(part) if part.isascii() and part.isdigit() else 0 for part in _counts(shown_state, state))
    nothing_done = gettext("Es wurde nichts getan. Bitte prüfen Sie und bestätigen Sie noch einmal.")
    if before == now:
        return gettext(
            "Es sind noch %(what)s, aber nicht mehr dieselben. %(nothing)s",
            what=counted(spec, now),
            nothing=nothing_done,
        )
    return gettext(
        "Angezeigt waren %(before)s, jetzt sind es %(now)s. %(nothing)s",
        before=counted(spec, before),
        now=format_number(now),
        nothing=nothing_done,
    )


def _counts(*states: str) -> list[str]:
    return [state.partition(".")[0][:12] for state in states]

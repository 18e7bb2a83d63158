"""What is marked in a list, as its page shows it, and what becomes of it when the filter changes.

The rule: ticked rows stay ticked whatever the list shows. "All that match" holds for the filter it was said for;
another filter drops it, the page says so and offers the way back. What was dropped stays stored under its own token, so
that the way back, the browser's own "back" and other windows find it as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import url_for

from flask_appadmin import lists
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.selections import TICKS, Selection, SelectionGone

if TYPE_CHECKING:
    from flask_appadmin.views.list_page import ListPage


class Marks:
    """The marked records of one request for a list."""

    def __init__(self, page: ListPage) -> None:
        self.list = page
        self.view = page.view
        self.spec = page.spec
        self.operator = page.operator
        #: "All that match" of another filter, which this one dropped.
        self.dropped: Selection | None = None
        #: The address names a selection that is there no more.
        self.gone = False
        self.selection = self._read()

    def _read(self) -> Selection:
        nothing = Selection(self.spec, self.operator)
        token = self.list.args.get("selection", "")
        if not token:
            return nothing
        try:
            found = Selection.load(self.spec, self.operator, token)
        except SelectionGone:
            self.gone = True
            return nothing
        if not found.is_everything or self.list.only_marked() or found.asks_for(self.list.filter()):
            return found
        self.dropped = found
        return Selection.of_keys(self.spec, self.operator, found.keys).store() if found.keys else nothing

    def context(self, page: lists.Page, found: Filter) -> dict[str, Any]:
        """The strip and the boxes of list.html."""
        count, capped = self._count(page, found)
        outside = 0 if self.list.only_marked() else self.selection.outside(found)
        return {
            "token": self.selection.token,
            "count": count,
            "capped": capped,
            "all": self.selection.is_everything,
            "hidden": max(count - sum(self.selection.holds(row[0]) for row in page.rows), 0),
            "outside": outside,
            "note": self._note(),
            "url": url_for(f"{self.view.endpoint}.change_selection"),
            "numbers_url": url_for(f"{self.view.endpoint}.mark_numbers_view"),
            "numbers_label": self._numbers_label(),
            "limit": TICKS,
            "only": self.list.only_marked(),
            "show_url": self.show_url(),
            "nothing": str(self.view.nothing_marked),
        }

    def words(self, page: lists.Page, found: Filter) -> str:
        """„38 markiert“ for a page without the strip, "" where nothing is."""
        count, capped = self._count(page, found)
        if not count:
            return ""
        text = format_number(count)
        return (
            gettext("mehr als %(count)s markiert", count=text) if capped else gettext("%(count)s markiert", count=text)
        )

    def _count(self, page: lists.Page, found: Filter) -> tuple[int, bool]:
        plain = not self.selection.keys and not self.selection.without and not self.list.only_marked()
        if plain and self.selection.asks_for(found):
            return page.found, page.capped
        return self.selection.tally()

    def show_url(self) -> str:
        """The list of what is marked, and of nothing else."""
        return self.list.url(Filter(self.spec), only="marked", selection=self.selection.token)

    def list_url(self, found: Filter) -> str:
        """The way back from the list of marked rows: to the list that "all that match" was said in, if it was."""
        back = self.view.filter_of([], self.operator) if found.is_empty else found
        return self.list.url(self.selection.filter or back, only="")

    def _numbers_label(self) -> str:
        names = [str(item.label) for item in self.spec.naming_fields if item.target is None]
        return gettext(" oder ").join(names[:1] if self.spec.natural_key else names)

    def _note(self) -> dict[str, str] | None:
        """What the operator has to know about marks that are no longer there."""
        if self.gone:
            return {"text": SelectionGone().sentence(), "url": ""}
        if self.dropped is None or self.dropped.filter is None:
            return None
        text = gettext(
            "Die Markierung aller Treffer galt für: %(filter)s; sie wurde aufgehoben.",
            filter=self.dropped.filter.describe(),
        )
        return {"text": text, "url": self.list.url(self.dropped.filter, selection=self.dropped.token)}

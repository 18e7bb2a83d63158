"""From record to record in the order of the list, without asking the database for what the list has just shown.

The form knows its neighbours from the rows that the list drew last (`places.Walk`). Only beyond the ends of that page
the list is read again, with the filter, the order and the marked rows of its remembered address; that page is then the
new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, url_for

from flask_appadmin import lists
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.rights import Operator
from flask_appadmin.selections import Selection
from flask_appadmin.views import places

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView


def steps_of(view: AppModelView, key: int, tab: str) -> dict[str, str] | None:
    """Where the form may lead on from a record, as form.html draws it; None for one that was not on the list's page."""
    walk = places.remembered_rows(view.spec)
    if walk is None or key not in walk.keys or walk.found < 2:
        return None
    at = walk.keys.index(key)
    number = walk.first_row + at if walk.first_row else 0
    is_first = number == 1
    is_last = number == walk.found and not walk.capped
    total = format_number(walk.found)
    total = gettext("mehr als %(count)s", count=total) if walk.capped else total

    def url(to: str) -> str:
        return url_for(f"{view.endpoint}.step_view", id=key, to=to, tab=tab or None)

    return {
        "text": gettext("%(number)s von %(total)s", number=format_number(number), total=total) if number else "",
        "first": "" if is_first else url("first"),
        "previous": "" if is_first else url("previous"),
        "next": "" if is_last else url("next"),
        "last": "" if is_last else url("last"),
    }


def step(view: AppModelView, operator: Operator, key: int, to: str, tab: str) -> Any:
    """Leads to the first, previous, next or last record of the list; at its ends the record itself stays."""
    walk = places.remembered_rows(view.spec)
    target = key
    if walk is not None and key in walk.keys:
        at = walk.keys.index(key)
        neighbour = {"next": at + 1, "previous": at - 1}.get(to, -1)
        inside = 0 <= neighbour < len(walk.keys)
        target = walk.keys[neighbour] if inside else _beyond(view, operator, key, to, walk)
    return redirect(view.record_url(target, tab=tab or None))


def _beyond(view: AppModelView, operator: Operator, key: int, to: str, walk: places.Walk) -> int:
    """The record beyond the page that is known; that page is read and remembered."""
    pairs = dict(view.expanded(places.remembered_pairs(view.spec), operator))
    found = view.filter_of(places.remembered_pairs(view.spec), operator)
    order = lists.read_order(view.spec, pairs.get("sort", ""), operator)
    only = None
    if pairs.get("only") == "marked" and pairs.get("selection"):
        only = Selection.load(view.spec, operator, pairs["selection"]).where()
    size = int(pairs["size"]) if pairs.get("size", "").isdecimal() and int(pairs["size"]) in lists.PAGE_SIZES else 50
    place: dict[str, Any] = {}
    if to == "last":
        place = {"before": "end"}
    elif to in ("next", "previous"):
        here = lists.key_place(key) if found.search else lists.place_of(view.spec, operator, key, order)
        if not here:
            return key
        at = walk.first_row + len(walk.keys) if to == "next" else walk.first_row - size
        place = {"after": here, "at": at if walk.first_row else 0}
        if to == "previous":
            place = {"before": here, "at": max(at, 1) if walk.first_row else 0}
    page = lists.read_page(
        view.spec, operator, found, (), order, size=size, only=only, ranked=not pairs.get("sort"), **place
    )
    if not page.rows:
        return key
    keys = tuple(row[0] for row in page.rows)
    places.remember_rows(view.spec, places.Walk(keys, page.first_row, page.found, page.capped))
    return keys[0] if to in ("first", "next") else keys[-1]

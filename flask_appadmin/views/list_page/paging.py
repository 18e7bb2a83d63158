"""Where a list stands: "1–50 von 317", and the ways to its other pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_appadmin import lists
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import format_number, gettext

if TYPE_CHECKING:
    from flask_appadmin.views.list_page import ListPage


def range_text(page: lists.Page) -> str:
    if not page.rows:
        return ""
    count = gettext("mehr als %(count)s", count=format_number(page.found)) if page.capped else format_number(page.found)
    if page.first_row:
        return gettext(
            "%(first)s–%(last)s von %(count)s",
            first=format_number(page.first_row),
            last=format_number(page.last_row),
            count=count,
        )
    return gettext("%(shown)s von %(count)s", shown=format_number(len(page.rows)), count=count)


def pager(listing: ListPage, page: lists.Page, found: Filter) -> dict[str, str]:
    step = {"count": "exact"} if listing.args.get("count") == "exact" else {}
    next_at = str(page.last_row + 1) if page.first_row else ""
    previous_at = str(max(page.first_row - page.size, 1)) if page.first_row > 1 else ""
    return {
        "first": listing.url(found, **step) if page.previous else "",
        "previous": listing.url(found, before=page.previous, at=previous_at, **step) if page.previous else "",
        "next": listing.url(found, after=page.next, at=next_at, **step) if page.next else "",
        "last": listing.url(found, before="end", **step) if page.next else "",
    }

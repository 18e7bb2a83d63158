"""The requests behind a list's boxes: ticks, "all that match", pasted numbers. JSON in, JSON out (see list.html).

A request that names a row which is not there for this operator is refused as a whole: nothing of it is marked.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import jsonify, request
from werkzeug.datastructures import MultiDict

from flask_appadmin.digits import is_number
from flask_appadmin.errors import AppAdminError, NotFound
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import gettext
from flask_appadmin.naming import find_named, read_names
from flask_appadmin.rights import Operator
from flask_appadmin.selections import TICKS, Selection, TooManyTicks
from flask_appadmin.views import places
from flask_appadmin.views.list_page import ListPage

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

log = logging.getLogger("appadmin")


def change_marks(view: AppModelView, me: Operator) -> Any:
    """{"token", "add", "remove"}, {"token", "all": true} or {"token", "clear": true}, each with the list's "query"."""
    posted = _posted()
    selection, found = _asked(view, me, posted)
    if posted.get("clear"):
        selection = Selection(view.spec, me, token=selection.token)
    elif posted.get("all"):
        if ("only", "marked") in _pairs(posted):
            raise AppAdminError(gettext("Diese Liste zeigt nur, was schon markiert ist."))
        selection = selection.with_all(found)
    else:
        add, remove = _keys(posted.get("add")), _keys(posted.get("remove"))
        if set(add) & set(remove):
            raise _unreadable()
        _require_visible(view, me, add)
        selection = selection.ticked(add, remove)
    return jsonify(_kept(view, selection, found))


def mark_numbers(view: AppModelView, me: Operator) -> Any:
    """{"token", "text", "query"}: ticks what the text names; answers what was found, and the names that were not."""
    posted = _posted()
    selection, found = _asked(view, me, posted)
    names = read_names(str(posted.get("text") or ""), TICKS)
    if not names:
        raise AppAdminError(gettext("Bitte fügen Sie mindestens eine Nummer ein."))
    named = find_named(view.spec, me, names)
    selection = selection.ticked(named.keys)
    answer = _kept(view, selection, found)
    return jsonify(
        {
            **answer,
            "found": len(named.keys),
            "keys": [str(key) for key in named.keys],
            "missing": named.missing,
            "ambiguous": named.ambiguous,
        }
    )


def _posted() -> dict[str, Any]:
    posted = request.get_json(silent=True)
    if not isinstance(posted, dict):
        raise _unreadable()
    return posted


def _pairs(posted: dict[str, Any]) -> list[tuple[str, str]]:
    return parse_qsl(str(posted.get("query") or "").lstrip("?"), keep_blank_values=True)


def _asked(view: AppModelView, me: Operator, posted: dict[str, Any]) -> tuple[Selection, Filter]:
    token = str(posted.get("token") or "")
    selection = Selection.load(view.spec, me, token) if token else Selection(view.spec, me)
    pairs = _pairs(posted)
    page = ListPage(view, me, MultiDict(pairs))
    found = page.filter()
    if page.arranging.is_closed:
        raise AppAdminError(
            gettext("Diese Liste ist geschlossen: ein Filter ihrer Ansicht lässt sich hier nicht fragen.")
        )
    elsewhere = "query" in posted and ("only", "marked") not in pairs and not selection.asks_for(found)
    if selection.is_everything and elsewhere:
        # The page shows other rows than those "all" was said for: it has dropped them, and so does this.
        selection = Selection(view.spec, me, selection.keys)
    return selection, found


def _kept(view: AppModelView, selection: Selection, found: Filter) -> dict[str, Any]:
    selection = selection.store()
    places.carry_selection(view.spec, view.list_url(), selection.token)
    count, capped = selection.tally()
    return {
        "token": selection.token,
        "count": count,
        "capped": capped,
        "all": selection.is_everything,
        "outside": selection.outside(found),
    }


def _require_visible(view: AppModelView, me: Operator, keys: list[int]) -> None:
    """Every row is there for this operator, or the whole request is refused."""
    there = set(Selection.of_keys(view.spec, me, keys).key_list()) if keys else set()
    missing = [key for key in keys if key not in there]
    if missing:
        log.warning("authz_fail user=%s selection of %s row(s) not visible", me.user_id, len(missing))
        words = NotFound(view.spec, missing[0]).sentence()
        raise AppAdminError(
            gettext("%(reason)s Es wurde nichts markiert. Bitte laden Sie die Seite neu.", reason=words)
        )


def _keys(posted: Any) -> list[int]:
    if posted is None:
        return []
    if not isinstance(posted, list):
        raise _unreadable()
    if len(posted) > TICKS:
        raise TooManyTicks()
    texts = [str(entry) for entry in posted]
    if len(set(texts)) < len(texts) or not all(is_number(text) for text in texts):
        raise _unreadable()
    return [int(text) for text in texts]


def _unreadable() -> AppAdminError:
    return AppAdminError(gettext("Die Markierung war nicht lesbar."))

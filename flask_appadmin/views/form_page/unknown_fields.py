"""Names in a form that the page did not offer: nothing becomes of them, and the log tells who sent them.

An operator's browser sends what stands on the page, so other names are written by hand, or by a page of an older
version. They are ignored, and one line goes to the log: names only, never values. With `STRICT_FORMS` in the settings,
as in tests, they are refused with 400.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from flask import current_app, request

from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext
from flask_appadmin.layouts import form_fields
from flask_appadmin.views.form_page.panels import Panel
from flask_appadmin.views.form_page.record import FormRecord

log = logging.getLogger(__name__)

#: What pages say about themselves beside the names that begin with "_".
_OF_PAGES = frozenset(("csrf_token", "id", "from"))

#: So many of the names stand in the log, so many characters of each.
_MOST_NAMES, _MOST_CHARACTERS = 10, 60


def ignore_unknown(record: FormRecord, posted: Any, panels: Iterable[Panel]) -> None:
    """Logs the names that stand on none of the tabs that were sent; AppAdminError where the settings are strict."""
    names = list(_unknown(record, posted, list(panels)))
    if not names:
        return
    listed = " ".join(repr(name[:_MOST_CHARACTERS]) for name in names[:_MOST_NAMES])
    log.warning(
        "input_field_unknown user=%s endpoint=%s count=%s names=%s",
        record.operator.user_id,
        request.endpoint,
        len(names),
        listed,
    )
    if current_app.config.get("STRICT_FORMS"):
        raise AppAdminError(
            gettext("Das Formular hat Felder mitgeschickt, die es hier nicht gibt: %(names)s", names=listed)
        )


def _unknown(record: FormRecord, posted: Any, panels: list[Panel]) -> Iterator[str]:
    known = {field.name for panel in panels for field in panel.form}
    rows = set(posted.getlist("_rows"))
    columns: dict[str, set[str]] = {}
    children = {grid.spec.name: grid.spec for panel in panels for grid in panel.grids}
    for name in posted:
        if name.startswith("_") or name in _OF_PAGES or _plain(name) in known or name in known:
            continue
        start, _dash, column = name.rpartition("-")
        child = start.rpartition("-")[0]
        if start in rows and child in children:
            if child not in columns:
                offered = record.maker.arranged(form_fields(children[child]), is_new=True, read_only=False)
                columns[child] = {"version", "delete", *(field.short_name for field in offered)}
            if column in columns[child] or _plain(column) in columns[child]:
                continue
        yield name


def _plain(name: str) -> str:
    """The field's own name: references send their words beside the key, masked values a new one beside the old."""
    return name.removesuffix("_text").removesuffix("_new")

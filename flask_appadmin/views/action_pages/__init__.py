"""The pages of actions on marked records: bulk change with its preview, confirmations, labels; one file per page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask

from flask_appadmin.bulk import Action, AddToEach, CopyRecord, DeleteRecords, DocumentAction
from flask_appadmin.errors import AppAdminError, NotFound
from flask_appadmin.filters import Filter
from flask_appadmin.rights import Operator
from flask_appadmin.views import places
from flask_appadmin.views.action_pages.bulk_change import ChangePage
from flask_appadmin.views.action_pages.confirming import AddPage, DocumentPage
from flask_appadmin.views.action_pages.copying import CopyPage
from flask_appadmin.views.action_pages.deleting import DeletePage
from flask_appadmin.views.action_pages.deletion_result import DeletionResult
from flask_appadmin.views.action_pages.labels import LabelsPage
from flask_appadmin.views.action_pages.merging import MergePage
from flask_appadmin.views.action_pages.request import ActionPages
from flask_appadmin.views.export_page import ExportPage
from flask_appadmin.views.list_page import ListPage
from flask_appadmin.views.windows import for_window
from flask_appadmin.views.worklists_page import WorklistPage

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: What an action names in `page` -> what answers.
_PAGES: dict[str, Any] = {
    "change": ChangePage,
    "labels": LabelsPage,
    "worklist": WorklistPage,
    "export": ExportPage,
    "merge": MergePage,
}
#: Whose page is a question -> which one it is.
_QUESTIONS: tuple[tuple[type[Action], Any], ...] = (
    (CopyRecord, CopyPage),
    (DeleteRecords, DeletePage),
    (AddToEach, AddPage),
    (DocumentAction, DocumentPage),
)


def answer_action(view: AppModelView, operator: Operator, action: Action) -> Any:
    """The answer to one request for an action: its page, or what came of it."""
    if isinstance(action, DeleteRecords) and "result" in flask.request.args:
        return DeletionResult(view, operator, action).answer()
    pages = ActionPages(view, operator, action)
    return for_window(pages.count_answer() if pages.is_counting else _answer(pages))


def _answer(pages: ActionPages) -> Any:
    if not pages.count:
        raise AppAdminError(pages.nothing())
    if pages.action.page == "open":
        return _open(pages)
    if pages.action.page in _PAGES:
        return _PAGES[pages.action.page](pages).answer()
    for kind, question in _QUESTIONS:
        if isinstance(pages.action, kind):
            return question(pages).answer()
    raise NotFound()


def _open(pages: ActionPages) -> Any:
    """The first marked record; the others are the next ones."""
    listing = ListPage(pages.view, pages.operator)
    page = listing.read(Filter(pages.spec), only=pages.selection.where())
    if not page.rows:
        raise AppAdminError(pages.nothing())
    pairs = [("only", "marked"), ("selection", pages.selection.token)]
    places.remember_place(pages.spec, pages.view.list_url(), pairs)
    listing.remember_rows(page)
    return flask.redirect(pages.view.record_url(page.rows[0][0]))


__all__ = ["answer_action"]

"""A question with what is concerned, and its answer: what a document or a new row for each record needs.

Context: templates/appadmin/confirm.html.
"""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from flask_appadmin.bulk import (
    MOST_ADDED,
    AddToEach,
    DocumentAction,
    check_size,
)
from flask_appadmin.errors import AppAdminError, FaultList
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.selections import counted
from flask_appadmin.views.action_pages.request import ActionPages
from flask_appadmin.views.windows import in_window

#: So many records are named one by one.
LISTED = 20


class ConfirmPage:
    """One question before something is done."""

    def __init__(self, pages: ActionPages) -> None:
        self.pages = pages
        self.spec = pages.spec

    def common(self) -> dict[str, Any]:
        return {
            "in_window": in_window(),
            "back": self.pages.back,
            "action": self.pages.url,
            "hidden": self.pages.hidden(),
            "cancel_url": self.pages.list_url,
            "counts": [],
            "items": [],
            "items_more": 0,
            "problems": None,
            "warning": "",
            "fields": [],
            "typed": None,
            "reason": False,
            "danger": False,
            "possible": True,
            "text": "",
            "cancel_label": "",
            "instead": [],
        }

    def child_counts(self, keys: list[int]) -> list[tuple[int, str]]:
        counts = []
        for child in self.spec.children:
            assert child.owner is not None
            number = child.model.select().where(child.owner.column_field.in_(keys)).count()
            if number:
                counts.append((number, str(child.plural)))
        return counts


class AddPage(ConfirmPage):
    """One row for each marked record, after a look at those that get none."""

    def answer(self) -> Any:
        action = self.pages.action
        assert isinstance(action, AddToEach)
        selection, pages = self.pages.selection, self.pages
        check_size(selection, "bulk.large")
        if pages.count > MOST_ADDED:
            most = format_number(MOST_ADDED)
            raise AppAdminError(gettext("Das geht für höchstens %(most)s auf einmal.", most=most))
        keys = selection.key_list()
        refused = dict(action.refusals(selection, keys))
        number = len(keys) - len(refused)
        maker = FormMaker(pages.operator)
        form = maker.make(action.fields(self.spec), is_new=True)
        for field in form:
            field.show(field.spec.default_value())
        problems: list[str] = []
        # The page has shown how many it will be; when that is no longer so, it is shown again.
        agreed = request.form.get("_do") == "add" and request.form.get("_count") == str(number)
        if request.method == "POST" and request.form.get("_do") == "add":
            form.read(request.form, set(request.form.getlist("_shown")), maker.names)
            if agreed and number and not form.has_errors:
                try:
                    applied = action.plan(selection, form.posted_values(), without=list(refused)).apply(pages.operator)
                except FaultList as fault:
                    for each in dict.fromkeys(map(str, fault.faults)):
                        problems.append(each)
                else:
                    return pages.done(gettext("%(count)s angelegt.", count=format_number(number)), applied.change_set)
        titles = pages.titles(list(refused)[:LISTED])
        context = self.common() | {
            "page_title": str(action.label),
            "text": str(action.hint),
            "warning": " ".join(problems[:3]),
            "counts": [(number, str(self.spec.label if number == 1 else self.spec.plural))],
            "fields": list(form),
            "problems": {
                "text": gettext("bleiben außen vor"),
                "rows": [
                    (titles[key], pages.view.record_url(key), reason) for key, reason in list(refused.items())[:LISTED]
                ],
                "count": len(refused),
            }
            if refused
            else None,
            "hidden": [*pages.hidden(), ("_do", "add"), ("_count", str(number))],
            "possible": number > 0,
            "confirm_label": gettext("Für %(what)s anlegen", what=counted(self.spec, number)),
        }
        return render_template("appadmin/confirm.html", **context), 422 if problems or form.has_errors else 200


class DocumentPage(ConfirmPage):
    """A file, with the number of records it is made of."""

    def answer(self) -> Any:
        action = self.pages.action
        assert isinstance(action, DocumentAction)
        if request.method == "POST" and request.form.get("_do") == "write":
            return self.pages.send(action, {})
        context = self.common() | {
            "page_title": str(action.label),
            "text": str(action.hint),
            "counts": [(self.pages.count, str(self.spec.label if self.pages.count == 1 else self.spec.plural))],
            "hidden": [*self.pages.hidden(), ("_do", "write")],
            "confirm_label": gettext("Datei herunterladen"),
        }
        return render_template("appadmin/confirm.html", **context)

"""The question before a deletion, with everything that would go, and what must stay.

Context: templates/appadmin/confirm.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import render_template, request

from flask_appadmin.bulk import (
    LARGE,
    DeleteRecords,
    check_size,
)
from flask_appadmin.database import transaction
from flask_appadmin.errors import AppAdminError, FaultList
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.selections import Selection, counted
from flask_appadmin.views.action_pages.confirming import LISTED, ConfirmPage
from flask_appadmin.views.action_pages.request import different_rows
from flask_appadmin.views.form_page import posted_reason


class DeletePage(ConfirmPage):
    """Names what would go, and lets it go."""

    def answer(self) -> Any:
        action = self.pages.action
        assert isinstance(action, DeleteRecords)
        selection = self.pages.selection
        if request.method == "POST" and request.form.get("_do") == "delete":
            # The last look and the deletion see the same rows: nobody writes in between (SQLite), or it is refused.
            with transaction():
                plan = _DeletePlan.of(action, selection)
                answer = self._delete_now(action, plan)
            if not isinstance(answer, str):
                return answer
            return self._ask_for_deletion(action, _DeletePlan.of(action, selection), answer), 409
        return self._ask_for_deletion(action, _DeletePlan.of(action, selection))

    def _delete_now(self, action: DeleteRecords, plan: _DeletePlan) -> Any:
        """The answer after deletion, or the sentence that says why nothing was deleted."""
        shown_state = request.form.get("_count", "")
        if shown_state != plan.state:
            return different_rows(self.spec, shown_state, plan.state)
        if not plan.possible:
            return gettext("Es gibt nichts zu löschen.")
        chosen = Selection.of_keys(self.spec, self.pages.operator, plan.possible)
        try:
            applied = action.plan(chosen, {"reason": posted_reason()}).apply(self.pages.operator)
        except FaultList as fault:
            return str(fault)
        text = gettext("%(what)s gelöscht.", what=counted(self.spec, applied.deleted))
        if plan.refused:
            text = gettext(
                "%(what)s gelöscht, %(count)s nicht.",
                what=counted(self.spec, applied.deleted),
                count=len(plan.refused),
            )
        return self.pages.done(text, applied.change_set)

    def _named(self, keys: list[int], titles: dict[int, str]) -> list[tuple[str, str, str]]:
        """(what operators call it, address, title) of records; the title alone where they have no other word for it."""
        url = self.pages.view.record_url
        name = self.pages.view.named_by
        if not name:
            return [(titles[key], url(key), "") for key in keys]
        other = self.pages.view.instead_columns.get(name, name)
        items = [self.spec.field(name), self.spec.field(other)]
        rows = Selection.of_keys(self.spec, self.pages.operator, keys).rows(items)
        words = {row[0]: items[0].format(row[1]) or items[1].format(row[2]) for row in rows}
        return [(words.get(key) or titles[key], url(key), titles[key]) for key in keys]

    def _ask_for_deletion(self, action: DeleteRecords, plan: _DeletePlan, warning: str = "") -> str:
        keys, possible, refused = plan.keys, plan.possible, plan.refused
        titles = self.pages.titles(keys)
        url = self.pages.view.record_url
        context = self.common() | {
            "page_title": gettext("%(what)s löschen?", what=counted(self.spec, len(keys))),
            "text": " ".join(
                part
                for part in (
                    gettext("Über „Rückgängig“ und unter „Meine Vorgänge“ lässt sich das zurücknehmen."),
                    self.pages.selection.lost(),
                )
                if part
            ),
            "warning": warning,
            "counts": [
                (len(possible), str(self.spec.label if len(possible) == 1 else self.spec.plural)),
                *self.child_counts(possible),
            ],
            "items": self._named(possible[:LISTED], titles),
            "items_more": max(len(possible) - LISTED, 0),
            "problems": {
                "text": gettext("können nicht gelöscht werden"),
                "rows": [(titles[key], url(key), reason) for key, reason in list(refused.items())[:LISTED]],
                "count": len(refused),
            }
            if refused
            else None,
            "hidden": [*self.pages.hidden(), ("_do", "delete"), ("_count", plan.state)],
            "reason": True,
            "danger": True,
            "possible": bool(possible),
            "confirm_label": gettext("Nur die anderen löschen (%(count)s)", count=len(possible))
            if refused and possible
            else gettext("Ja, löschen"),
        }
        return render_template("appadmin/confirm.html", **context)


@dataclass(frozen=True)
class _DeletePlan:
    """What a deletion would do, row by row."""

    keys: list[int]
    #: Key -> why it must stay.
    refused: dict[int, str]

    @classmethod
    def of(cls, action: DeleteRecords, selection: Selection) -> _DeletePlan:
        check_size(selection, "bulk.large")
        keys = selection.key_list(LARGE + 1)
        if len(keys) > LARGE:
            raise AppAdminError(
                gettext(
                    "Auf einmal lassen sich höchstens %(limit)s löschen; markiert sind %(count)s.",
                    limit=format_number(LARGE),
                    count=counted(selection.spec, selection.count()),
                )
            )
        return cls(keys, dict(action.refusals(selection, keys)))

    @property
    def possible(self) -> list[int]:
        return [key for key in self.keys if key not in self.refused]

    @property
    def state(self) -> str:
        """Names the very rows that would go."""
        return f"{len(self.possible)}.{sum(self.possible)}"

"""The question before a deletion, with everything that would go.

Context: templates/appadmin/confirm.html.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import render_template, request

from flask_appadmin.bulk import DeleteRecords, Instead
from flask_appadmin.changes import ANONYMISE, DELETE, REFUSE
from flask_appadmin.errors import FaultList
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.selections import Selection, counted
from flask_appadmin.sheets.forgetting import let_go
from flask_appadmin.views.action_pages.confirming import LISTED, ConfirmPage
from flask_appadmin.views.action_pages.deletion_jobs import DeletionPlan, start_deletion
from flask_appadmin.views.action_pages.deletion_result import offer_of
from flask_appadmin.views.action_pages.request import ActionPages
from flask_appadmin.views.form_page import posted_reason
from flask_appadmin.views.jobs_page import instance_folder
from flask_appadmin.views.windows import in_window

#: What is typed where there is no way back; the same word in every language, so that it is not typed by habit.
TYPED = "ANONYMISIEREN"


class DeletePage(ConfirmPage):
    """Names what would go, and lets it go."""

    def answer(self) -> Any:
        action = self.pages.action
        assert isinstance(action, DeleteRecords)
        if request.method == "POST" and request.form.get("_instead") and action.instead is not None:
            return self._do_instead(action, action.instead, self.pages.selection)
        plan = self._plan(action)
        if request.method == "POST" and request.form.get("_for_refused") and action.for_refused is not None:
            selection = action.refused_to_change(self.spec, self.pages.operator, plan.refused)
            if selection is None:
                return self._ask(action, plan, gettext("Es gibt nichts zu ändern.")), 409
            return self._do_instead(action, action.for_refused, selection)
        if request.method == "POST" and request.form.get("_do") == "delete":
            warning = self._refusal(plan)
            if not warning:
                return self._carry_out(plan)
            return self._ask(action, plan, warning), 409
        return self._ask(action, plan)

    def _plan(self, action: DeleteRecords) -> DeletionPlan:
        return DeletionPlan(self.spec, action.plan(self.pages.selection))

    def _refusal(self, plan: DeletionPlan) -> str:
        """Why nothing is done at all; "" when it can begin."""
        if warning := plan.refusal(request.form.get("_count", "")):
            return warning
        if not plan.going:
            return gettext("Es gibt nichts zu löschen.")
        if plan.anonymised and request.form.get("_typed", "").strip().upper() != TYPED:
            return gettext(
                "Es wurde nichts getan: Bitte tippen Sie zur Bestätigung %(word)s, denn Anonymisieren lässt sich nicht "
                "zurücknehmen.",
                word=TYPED,
            )
        return ""

    def _carry_out(self, plan: DeletionPlan) -> Any:
        if plan.runs_as_job:
            return start_deletion(self.pages, plan, posted_reason())
        operator = self.pages.operator
        result = let_go(instance_folder(), self.spec, plan.departures, operator, reason=posted_reason())
        if not result.refused and not result.anonymised:
            text = gettext("%(what)s gelöscht.", what=counted(self.spec, len(result.deleted)))
            return self.pages.done(text, result.change_set)
        if result.kept_in is None:
            action = self.pages.action
            assert isinstance(action, DeleteRecords)
            return self._ask(action, self._plan(action), gettext("Es wurde nichts gelöscht.")), 409
        url = f"{self.pages.url}?{urlencode({'result': result.kept_in})}"
        return self.pages.done(result.sentence(), result.change_set, url)

    def _do_instead(self, action: DeleteRecords, instead: Instead, selection: Selection) -> Any:
        operator = self.pages.operator
        operator.require(f"{self.spec.right}.edit")
        try:
            applied = action.plan_instead(instead, selection, posted_reason()).apply(operator)
        except FaultList as fault:
            return self._ask(action, self._plan(action), str(fault)), 409
        text = f"{instead.label}: {counted(self.spec, applied.updated)}"
        return self.pages.done(text, applied.change_set)

    def _named(self, keys: list[int], titles: dict[int, str]) -> dict[int, str]:
        """What operators call these records; their title where they have no other word."""
        name = self.pages.view.named_by
        if not name:
            return titles
        return _words(self.pages, keys, [name, self.pages.view.instead_columns.get(name, name)], titles)

    def _ask(self, action: DeleteRecords, plan: DeletionPlan, warning: str = "") -> str:
        titles = self.pages.titles(plan.keys)
        names = self._named(plan.keys, titles)
        url = self.pages.view.record_url
        notes = {DELETE: gettext("wird gelöscht"), ANONYMISE: gettext("wird anonymisiert"), REFUSE: gettext("bleibt")}
        has_rules = bool(plan.anonymised) or action.instead is not None
        items = []
        for key in plan.keys if has_rules else plan.deleted:
            title = titles[key] if names[key] != titles[key] else ""
            note = notes[plan.departures[key].outcome] if has_rules else ""
            items.append((names[key], url(key), " · ".join(part for part in (title, note) if part)))
        page_title = gettext("%(what)s löschen?", what=counted(self.spec, len(plan.keys)))
        context = self.common() | {
            "page_title": f"{gettext('Meldung')}: {page_title}" if in_window() else page_title,
            "text": " ".join(part for part in (self._lead(plan), _as_job(plan), self.pages.selection.lost()) if part),
            "warning": warning or self._no_way_back(plan),
            "counts": self._counts(plan),
            "items": items,
            "problems": {
                "text": gettext("können nicht gelöscht werden"),
                "rows": [
                    (titles[key], url(key), " ".join(plan.departures[key].reasons)) for key in plan.refused[:LISTED]
                ],
                "count": len(plan.refused),
            }
            if plan.refused
            else None,
            "hidden": [*self.pages.hidden(), ("_do", "delete"), ("_count", plan.state)],
            "reason": True,
            "typed": {"label": gettext("Zur Bestätigung bitte %(word)s tippen:", word=TYPED), "name": "_typed"}
            if plan.anonymised
            else None,
            "danger": True,
            "possible": bool(plan.going),
            "confirm_label": _confirm_label(plan),
            "cancel_label": gettext("Nein"),
            "instead": self._offers(action, plan),
        }
        return render_template("appadmin/confirm.html", **context)

    def _counts(self, plan: DeletionPlan) -> list[tuple[int, str]]:
        number = len(plan.deleted)
        counts = [(number, str(self.spec.label if number == 1 else self.spec.plural))] if number else []
        if plan.anonymised:
            counts.append((len(plan.anonymised), gettext("anonymisiert statt gelöscht")))
        return counts + self.child_counts(plan.going)

    def _lead(self, plan: DeletionPlan) -> str:
        if not plan.deleted:
            return ""
        back = gettext("Über „Rückgängig“ und unter „Meine Vorgänge“ lässt sich das zurücknehmen.")
        if not plan.anonymised:
            return back
        return gettext("Was gelöscht wird, lässt sich unter „Meine Vorgänge“ zurücknehmen.")

    def _no_way_back(self, plan: DeletionPlan) -> str:
        if not plan.anonymised:
            return ""
        return gettext(
            "%(what)s kein Entwurf mehr: Statt zu löschen, werden Name, Anschrift, alle Unterdaten und die Werte der "
            "Historie unwiederbringlich entfernt. Nummer, Belege und Statistik bleiben. Das lässt sich nicht "
            "zurücknehmen.",
            what=gettext("%(count)s davon sind", count=format_number(len(plan.anonymised)))
            if len(plan.anonymised) > 1
            else gettext("1 davon ist"),
        )

    def _offers(self, action: DeleteRecords, plan: DeletionPlan) -> list[dict[str, Any]]:
        """What else there is: for all marked records, and for those that must stay."""
        offers = []
        if action.instead is not None and self.pages.operator.may(f"{self.spec.right}.edit"):
            offers.append(offer_of(action.instead, [*self.pages.hidden(), ("_instead", "1")]))
        selection = action.refused_to_change(self.spec, self.pages.operator, plan.refused)
        if selection is not None and action.for_refused is not None:
            hidden = [*self.pages.hidden(), ("_for_refused", "1")]
            offers.append(offer_of(action.for_refused, hidden, len(selection.keys)))
        return offers


def _as_job(plan: DeletionPlan) -> str:
    if not plan.runs_as_job:
        return ""
    return gettext(
        "Läuft als Auftrag: Sie können weiterarbeiten, zusehen und abbrechen. Was bis dahin getan ist, bleibt getan."
    )


def _confirm_label(plan: DeletionPlan) -> str:
    if plan.refused and plan.going:
        return gettext("Nur die anderen löschen (%(count)s)", count=len(plan.going))
    if not plan.anonymised:
        return gettext("Ja, löschen")
    return gettext("Ja, löschen und anonymisieren") if plan.deleted else gettext("Ja, anonymisieren")


def _words(pages: ActionPages, keys: list[int], names: list[str], titles: dict[int, str]) -> dict[int, str]:
    """The first filled one of these fields for each record, else its title."""
    items = [pages.spec.field(name) for name in names]
    rows = Selection.of_keys(pages.spec, pages.operator, keys).rows(items)
    found = {
        row[0]: next((text for item, value in zip(items, row[1:], strict=True) if (text := item.format(value))), "")
        for row in rows
    }
    return {key: found.get(key) or titles[key] for key in keys}

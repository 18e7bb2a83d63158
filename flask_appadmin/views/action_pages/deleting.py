"""The question before a deletion, with everything that would go, and the table of what came of it.

Contexts: templates/appadmin/confirm.html, deleted.html.
"""

from __future__ import annotations

import csv
import io
import json
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Response, redirect, render_template, request, session, url_for

from flask_appadmin.bulk import DeleteRecords, Instead
from flask_appadmin.changes import ANONYMISE, DELETE, REFUSE, Deletion, Departure
from flask_appadmin.changes.merging import state_of
from flask_appadmin.digits import is_number
from flask_appadmin.errors import FaultList, NotFound
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.rights import Operator
from flask_appadmin.selections import Selection, counted
from flask_appadmin.sheets.forgetting import let_go
from flask_appadmin.sheets.writing.formulas import protect_csv_text
from flask_appadmin.views import places
from flask_appadmin.views.action_pages.confirming import LISTED, ConfirmPage
from flask_appadmin.views.action_pages.request import ActionPages, different_rows
from flask_appadmin.views.form_page import posted_reason
from flask_appadmin.views.jobs_page import instance_folder
from flask_appadmin.views.windows import in_window

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

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

    def _plan(self, action: DeleteRecords) -> _Plan:
        departures = action.plan(self.pages.selection)
        return _Plan(departures, state_of(self.spec, departures))

    def _refusal(self, plan: _Plan) -> str:
        """Why nothing is done at all; "" when it can begin."""
        shown_state = request.form.get("_count", "")
        if shown_state != plan.state:
            if shown_state.rpartition(".")[0] == plan.state.rpartition(".")[0]:
                return self._changed_since()
            return different_rows(self.spec, shown_state, plan.state)
        if not plan.going:
            return gettext("Es gibt nichts zu löschen.")
        if plan.anonymised and request.form.get("_typed", "").strip().upper() != TYPED:
            return gettext(
                "Es wurde nichts getan: Bitte tippen Sie zur Bestätigung %(word)s, denn Anonymisieren lässt sich nicht "
                "zurücknehmen.",
                word=TYPED,
            )
        return ""

    def _changed_since(self) -> str:
        return gettext(
            "Seit diese Seite gezeigt wurde, hat jemand etwas daran geändert. Es wurde nichts getan. Bitte prüfen Sie "
            "und bestätigen Sie noch einmal."
        )

    def _carry_out(self, plan: _Plan) -> Any:
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

    def _ask(self, action: DeleteRecords, plan: _Plan, warning: str = "") -> str:
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
            "text": " ".join(part for part in (self._lead(plan), self.pages.selection.lost()) if part),
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

    def _counts(self, plan: _Plan) -> list[tuple[int, str]]:
        number = len(plan.deleted)
        counts = [(number, str(self.spec.label if number == 1 else self.spec.plural))] if number else []
        if plan.anonymised:
            counts.append((len(plan.anonymised), gettext("anonymisiert statt gelöscht")))
        return counts + self.child_counts(plan.going)

    def _lead(self, plan: _Plan) -> str:
        if not plan.deleted:
            return ""
        back = gettext("Über „Rückgängig“ und unter „Meine Vorgänge“ lässt sich das zurücknehmen.")
        if not plan.anonymised:
            return back
        return gettext("Was gelöscht wird, lässt sich unter „Meine Vorgänge“ zurücknehmen.")

    def _no_way_back(self, plan: _Plan) -> str:
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

    def _offers(self, action: DeleteRecords, plan: _Plan) -> list[dict[str, Any]]:
        """What else there is: for all marked records, and for those that must stay."""
        offers = []
        if action.instead is not None and self.pages.operator.may(f"{self.spec.right}.edit"):
            offers.append(_offer(action.instead, [*self.pages.hidden(), ("_instead", "1")]))
        selection = action.refused_to_change(self.spec, self.pages.operator, plan.refused)
        if selection is not None and action.for_refused is not None:
            hidden = [*self.pages.hidden(), ("_for_refused", "1")]
            offers.append(_offer(action.for_refused, hidden, len(selection.keys)))
        return offers


def _offer(instead: Instead, hidden: list[tuple[str, str]], count: int = 0) -> dict[str, Any]:
    label = f"{instead.label} ({format_number(count)})" if count else str(instead.label)
    return {"label": label, "text": str(instead.sentence), "hidden": hidden}


def _confirm_label(plan: _Plan) -> str:
    if plan.refused and plan.going:
        return gettext("Nur die anderen löschen (%(count)s)", count=len(plan.going))
    if not plan.anonymised:
        return gettext("Ja, löschen")
    return gettext("Ja, löschen und anonymisieren") if plan.deleted else gettext("Ja, anonymisieren")


class _Plan:
    """What a deletion would do, by outcome."""

    def __init__(self, departures: dict[int, Departure], seen: str) -> None:
        self.departures = departures
        #: Names the records with their children as they are now.
        self.seen = seen
        self.keys = list(departures)
        self.deleted = self._with(DELETE)
        self.anonymised = self._with(ANONYMISE)
        self.refused = self._with(REFUSE)
        self.going = [key for key in self.keys if departures[key].outcome != REFUSE]

    def _with(self, outcome: str) -> list[int]:
        return [key for key, departure in self.departures.items() if departure.outcome == outcome]

    @property
    def state(self) -> str:
        """Names the very rows that would go, how, and as what they were seen."""
        return f"{len(self.going)}.{sum(self.going)}.{sum(self.anonymised)}.{zlib.crc32(self.seen.encode())}"


def _words(pages: ActionPages, keys: list[int], names: list[str], titles: dict[int, str]) -> dict[int, str]:
    """The first filled one of these fields for each record, else its title."""
    items = [pages.spec.field(name) for name in names]
    rows = Selection.of_keys(pages.spec, pages.operator, keys).rows(items)
    found = {
        row[0]: next((text for item, value in zip(items, row[1:], strict=True) if (text := item.format(value))), "")
        for row in rows
    }
    return {key: found.get(key) or titles[key] for key in keys}


class DeletionResult:
    """The page of ?result=…: what came of every record, with counts that add up."""

    def __init__(self, view: AppModelView, operator: Operator, action: DeleteRecords) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        self.action = action
        operator.require(f"{self.spec.right}.read")
        self.url = url_for(f"{view.endpoint}.run_action", action_name=action.name)
        self.list_url = places.remembered_list(self.spec) or view.list_url()
        text = request.args["result"]
        operation = int(text) if is_number(text) else 0
        found = ChangeSetRecord.get_or_none(ChangeSetRecord.id == operation)
        own = found is not None and found.user_id == operator.user_id
        if found is None or found.entity != self.spec.name or not (own or operator.may("history.read_all")):
            raise NotFound()
        self.operation = found
        result = Deletion.of(found)
        if result is None:
            raise NotFound()
        self.result = result

    def answer(self) -> Any:
        if request.method == "POST":
            return self._change_refused()
        if request.args.get("format") == "csv":
            return self._csv()
        return self._page()

    def _change_refused(self) -> Any:
        """What is offered for those that stayed, done; back to the same page."""
        action, selection = self.action, self._to_change()
        own_url = f"{self.url}?{urlencode({'result': self.operation.id})}"
        if selection is None or action.for_refused is None:
            return redirect(own_url)
        try:
            applied = action.plan_instead(action.for_refused, selection, posted_reason()).apply(self.operator)
        except FaultList as fault:
            return self._page(str(fault)), 409
        text = f"{action.for_refused.label}: {counted(self.spec, applied.updated)}"
        undo = self.view.registry.undo_url(applied.change_set) if applied.change_set is not None else ""
        session["toast"] = {"text": text, "undo_url": undo}
        return redirect(own_url)

    def _to_change(self) -> Selection | None:
        return self.action.refused_to_change(self.spec, self.operator, self.result.refused)

    def _page(self, warning: str = "") -> str:
        result = self.result
        offered, what = self._to_change(), self.action.for_refused
        refused = Selection.of_keys(self.spec, self.operator, result.refused)
        marked = f"{self.view.list_url()}?{urlencode({'selection': refused.store().token})}" if result.refused else ""
        undo = self.view.registry.undo_url(self.operation.id) if result.deleted and not self._undone() else ""
        return render_template(
            "appadmin/deleted.html",
            page_title=gettext("Ergebnis des Löschens"),
            back=(str(self.spec.plural), self.list_url),
            headings=self._headings(),
            counts=[
                (result.count, gettext("markiert")),
                (len(result.deleted), gettext("gelöscht")),
                (len(result.anonymised), gettext("anonymisiert")),
                (len(result.refused), gettext("abgelehnt")),
            ],
            rows=self._rows(),
            places=sorted(result.places.items()) if result.anonymised else [],
            warning=warning,
            offer=_offer(what, [], len(offered.keys)) if offered is not None and what is not None else None,
            action=f"{self.url}?{urlencode({'result': self.operation.id})}",
            mark_url=marked,
            undo_url=undo,
            csv_url=f"{self.url}?{urlencode({'result': self.operation.id, 'format': 'csv'})}",
            list_url=self.list_url,
        )

    def _undone(self) -> bool:
        return ChangeSetRecord.select().where(ChangeSetRecord.undo_of == self.operation.id).exists()

    def _headings(self) -> list[str]:
        names = list(self.spec.natural_key[:1])
        named_by = self.view.named_by
        labels = [str(self.view.short_labels.get(item.name, item.label)) for item in names]
        if named_by:
            labels.append(str(self.view.short_labels.get(named_by, self.spec.field(named_by).label)))
        return labels or [str(self.spec.label)]

    def _rows(self) -> list[dict[str, Any]]:
        """One row for each record that was marked, refused ones first: they are why one reads on."""
        result = self.result
        known = self._known()
        rows = []
        for key, reasons in result.refused.items():
            rows.append((key, gettext("abgelehnt"), "bad", " ".join(reasons)))
        rows += [(key, gettext("gelöscht"), "good", "") for key in result.deleted]
        rows += [(key, gettext("anonymisiert"), "warn", "") for key in result.anonymised]
        present = {key for (key,) in Selection.of_keys(self.spec, self.operator, [row[0] for row in rows]).rows([])}
        return [
            {
                "words": known.get(key, [""] * len(self._headings())),
                "url": self.view.record_url(key) if key in present else "",
                "outcome": outcome,
                "look": look,
                "reason": reason,
            }
            for key, outcome, look, reason in rows
        ]

    def _known(self) -> dict[int, list[str]]:
        """Key -> number and name: of those that are there as they are now, of the others as they were."""
        named_by = self.view.named_by
        items = [*self.spec.natural_key[:1], *([self.spec.field(named_by)] if named_by else [])]
        items = items or list(self.spec.title_specs[:1])
        keys = [*self.result.refused, *self.result.anonymised, *self.result.deleted]
        rows = Selection.of_keys(self.spec, self.operator, keys).rows(items)
        found = {row[0]: [item.format(value) for item, value in zip(items, row[1:], strict=True)] for row in rows}
        snapshots = ChangeRecord.select(ChangeRecord.record_id, ChangeRecord.old_value).where(
            ChangeRecord.change_set == self.operation.id,
            ChangeRecord.entity == self.spec.name,
            ChangeRecord.action == "delete",
        )
        for key, text in snapshots.tuples():
            values = json.loads(text or "{}")
            words = [item.format(item.type.from_json(values.get(item.name), item)) for item in items]
            found.setdefault(key, words)
        return found

    def _csv(self) -> Response:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        writer.writerow([*self._headings(), gettext("Ergebnis"), gettext("Grund")])
        for row in self._rows():
            writer.writerow([protect_csv_text(word) for word in (*row["words"], row["outcome"], row["reason"])])
        name = gettext("Ergebnis des Löschens")
        answer = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
        answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.csv")
        return answer

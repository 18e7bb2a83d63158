"""What came of a deletion: the table of ?result=…, what is offered for those that stayed, and the same as a file.

Context: templates/appadmin/deleted.html.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Response, redirect, render_template, request, session, url_for

from flask_appadmin.bulk import DeleteRecords, Instead
from flask_appadmin.changes import Deletion
from flask_appadmin.digits import is_number
from flask_appadmin.errors import FaultList, NotFound
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.rights import Operator
from flask_appadmin.selections import Selection, counted
from flask_appadmin.sheets.writing.formulas import protect_csv_text
from flask_appadmin.views import places
from flask_appadmin.views.form_page import posted_reason

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView


def offer_of(instead: Instead, hidden: list[tuple[str, str]], count: int = 0) -> dict[str, Any]:
    """What templates draw of it: {"label", "text", "hidden"}."""
    label = f"{instead.label} ({format_number(count)})" if count else str(instead.label)
    return {"label": label, "text": str(instead.sentence), "hidden": hidden}


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
        rest = Selection.of_keys(self.spec, self.operator, result.left)
        left = f"{self.view.list_url()}?{urlencode({'selection': rest.store().token})}" if result.left else ""
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
                *([(len(result.left), gettext("nicht begonnen"))] if result.left else []),
            ],
            rows=self._rows(),
            places=sorted(result.places.items()) if result.anonymised else [],
            warning=warning,
            offer=offer_of(what, [], len(offered.keys)) if offered is not None and what is not None else None,
            action=f"{self.url}?{urlencode({'result': self.operation.id})}",
            mark_url=marked,
            left_url=left,
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
        stopped = gettext("Der Auftrag wurde vorher beendet.")
        rows += [(key, gettext("nicht begonnen"), "warn", stopped) for key in result.left]
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
        keys = [*self.result.refused, *self.result.left, *self.result.anonymised, *self.result.deleted]
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

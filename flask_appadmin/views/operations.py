"""Operations: what was done, by whom, and the way back.

Contexts: templates/appadmin/history.html, operation.html, confirm.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, session, url_for
from flask_admin import expose

from flask_appadmin.changes import ChangeSet, plan_undo
from flask_appadmin.errors import FaultList, NotAllowed, NotFound
from flask_appadmin.history import COPIED, ChangeLine, ChangeSetRecord, lines_of_set, operations
from flask_appadmin.i18n import format_datetime, format_number, gettext, ngettext
from flask_appadmin.rights import RIGHTS, Operator
from flask_appadmin.views import places
from flask_appadmin.views.action_pages.large import AT_ONCE, runs_as_job, start_undo
from flask_appadmin.views.form_page import posted_reason
from flask_appadmin.views.signed_in import SignedInView

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

_PAGE = 50
_LINES = 100


class OperationsView(SignedInView):
    """„Meine Vorgänge“, those of all for whoever may see them, one operation, and taking it back."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        super().__init__(name=gettext("Meine Vorgänge"), endpoint="operations", url="/admin/operations")

    @expose("/")
    def index_view(self) -> Any:
        operator: Operator = g.operator
        everybody = request.args.get("scope") == "all"
        if everybody:
            operator.require("history.read_all")
        before = _number(request.args.get("before", ""))
        found = operations(user_id=None if everybody else operator.user_id or -1, before=before, limit=_PAGE + 1)
        more = len(found) > _PAGE
        found = found[:_PAGE]
        scope: dict[str, Any] = {"scope": "all"} if everybody else {}
        url = url_for("operations.index_view")
        scopes = [(gettext("meine"), url, not everybody)]
        if operator.may("history.read_all"):
            scopes.append((gettext("alle"), url_for("operations.index_view", scope="all"), everybody))
        undone = self._undone([row.id for row in found])
        return render_template(
            "appadmin/history.html",
            page_title=gettext("Alle Vorgänge") if everybody else gettext("Meine Vorgänge"),
            scopes=scopes,
            quick=[],
            list_url=url,
            keep=[],
            operations=[self._operation_row(row, undone, operator) for row in found],
            range_text="",
            pager={
                "first": url_for("operations.index_view", **scope) if before else "",
                "previous": "",
                "next": url_for("operations.index_view", before=found[-1].id, **scope) if more else "",
                "last": "",
            },
            empty=gettext("Noch keine Vorgänge. Was Sie ändern, steht hier und lässt sich zurücknehmen."),
        )

    def _undone(self, keys: list[int]) -> dict[int, int]:
        """Operations that were taken back -> the operation that did it."""
        query = ChangeSetRecord.select(ChangeSetRecord.undo_of, ChangeSetRecord.id)
        return dict(query.where(ChangeSetRecord.undo_of.in_(keys or [0])).tuples())

    def _operation_row(self, row: ChangeSetRecord, undone: dict[int, int], operator: Operator) -> dict[str, Any]:
        state = None
        if row.id in undone:
            state = (gettext("zurückgenommen"), "")
        may_undo = row.kind != "load" and row.id not in undone and self._may_undo(row, operator)
        return {
            "url": url_for("operations.show_view", id=row.id),
            "when": format_datetime(row.changed_at),
            "who": row.user_name,
            "what": f"{row.kind_label}: {row.title}" if row.kind != "undo" else row.title,
            "count": format_number(row.record_count),
            "reason": row.reason or "",
            "state": state,
            "undo_url": url_for("operations.undo_view", id=row.id) if may_undo else "",
        }

    @staticmethod
    def _may_undo(row: ChangeSetRecord, operator: Operator) -> bool:
        own = row.user_id is not None and row.user_id == operator.user_id
        return operator.may("undo.all") or (own and operator.may("undo.own"))

    def _set(self) -> ChangeSetRecord:
        operator: Operator = g.operator
        key = _number(request.args.get("id", ""))
        row = ChangeSetRecord.get_or_none(ChangeSetRecord.id == key) if key else None
        if row is None:
            raise NotFound()
        if not (row.user_id is not None and row.user_id == operator.user_id):
            operator.require("history.read_all")
        spec = self.registry.specs_by_name.get(row.entity)
        if spec is not None:
            operator.require(f"{spec.right}.read")
        return row

    @expose("/show")
    def show_view(self) -> Any:
        row = self._set()
        operator: Operator = g.operator
        offset = _number(request.args.get("from", "")) or 0
        lines = lines_of_set(row.id, operator, self.registry.specs_by_name, limit=_LINES + 1, offset=offset)
        more = len(lines) > _LINES
        undone = self._undone([row.id])
        tags = [(gettext("zurückgenommen"), "warn")] if row.id in undone else []
        undo = None
        if row.kind != "load" and row.id not in undone and self._may_undo(row, operator):
            undo = {"url": url_for("operations.undo_view", id=row.id), "label": gettext("Rückgängig machen")}
        facts = [
            (gettext("wer"), row.user_name),
            (gettext("wann"), format_datetime(row.changed_at, seconds=True)),
            (gettext("was"), row.title),
            (gettext("angelegt"), format_number(row.created_count)),
            (gettext("geändert"), format_number(row.updated_count)),
            (gettext("gelöscht"), format_number(row.deleted_count)),
        ]
        if row.source:
            facts.append((gettext("Quelle"), row.source))
        if row.reason:
            facts.append((gettext("Grund"), row.reason))
        url = url_for("operations.show_view", id=row.id)
        return render_template(
            "appadmin/operation.html",
            page_title=row.kind_label,
            back=(gettext("Meine Vorgänge"), url_for("operations.index_view")),
            tags=tags,
            facts=facts,
            undo=undo,
            groups=[],
            conflicts=None,
            changes=[self._change_row(line) for line in lines[:_LINES]],
            range_text="",
            pager={
                "first": url if offset else "",
                "previous": f"{url}&from={max(offset - _LINES, 0)}" if offset else "",
                "next": f"{url}&from={offset + _LINES}" if more else "",
                "last": "",
            },
        )

    def _change_row(self, line: ChangeLine) -> tuple[str, str, str, str, str, str]:
        spec = self.registry.specs_by_name.get(line.entity)
        label = str(spec.label) if spec is not None else line.entity
        title = f"{label} {line.title}"
        url = ""
        if spec is not None and spec.owner is None and line.action != "delete":
            url = self.registry.record_url(spec, line.record_id)
        notes = {"create": gettext("angelegt"), "delete": gettext("gelöscht")}
        note = ", ".join(part for part in (notes.get(line.action, ""), line.source) if part)
        if line.action == COPIED:
            return title, url, "", "", "", gettext("kopiert nach %(title)s", title=line.new)
        return title, url, line.label, line.old, line.new, note

    @expose("/undo", methods=("GET", "POST"))
    def undo_view(self) -> Any:
        row = self._set()
        operator: Operator = g.operator
        if not self._may_undo(row, operator):
            right = "undo.own" if row.user_id == operator.user_id else "undo.all"
            raise NotAllowed(right, RIGHTS[right])
        if request.method == "POST":
            if row.record_count > AT_ONCE:
                return start_undo(row, operator, reason=posted_reason())
            try:
                applied = ChangeSet.undo(row.id, reason=posted_reason()).apply(operator)
            except FaultList as fault:
                return self._ask(row, str(fault))
            text = gettext("Zurückgenommen: %(title)s", title=row.title)
            if applied.change_set is None:
                text = gettext("Es war nichts mehr zurückzunehmen.")
            elif applied.skipped:
                rest = ngettext(
                    "%(count)s Wert blieb, wie er ist.", "%(count)s Werte blieben, wie sie sind.", len(applied.skipped)
                )
                text = f"{text}. {rest}"
            undo_url = self.registry.undo_url(applied.change_set) if applied.change_set else ""
            if row.entity in self.registry.specs_by_name:
                self.registry.forget_total(self.registry.specs_by_name[row.entity])
            session["toast"] = {"text": text, "undo_url": undo_url}
            return redirect(_back_to(row, self.registry))
        return self._ask(row)

    def _ask(self, row: ChangeSetRecord, problem: str = "") -> Any:
        plan = plan_undo(row.id)
        counts = [
            (number, label)
            for number, label in (
                (plan.updated, gettext("zurückgesetzt")),
                (plan.removed, gettext("entfernt")),
                (plan.restored, gettext("wiederhergestellt")),
            )
            if number
        ]
        rows = [
            (
                entry.title,
                "",
                entry.reason
                or gettext(
                    "%(field)s: bleibt „%(current)s“ (%(who)s), vorher „%(wanted)s“",
                    field=entry.label,
                    current=entry.current,
                    wanted=entry.wanted,
                    who=entry.who,
                ),
            )
            for entry in plan.conflicts
        ]
        if problem:
            rows.insert(0, ("", "", problem))
        return render_template(
            "appadmin/confirm.html",
            page_title=gettext("Vorgang zurücknehmen?"),
            back=(gettext("Meine Vorgänge"), url_for("operations.index_view")),
            text=f"{row.kind_label}: {row.title} · {row.user_name}, {format_datetime(row.changed_at)}",
            counts=counts,
            items=[],
            items_more=0,
            problems={"text": gettext("seither geändert, bleibt wie es ist"), "rows": rows} if rows else None,
            warning=runs_as_job(row.record_count),
            fields=[],
            typed=None,
            reason=True,
            action=url_for("operations.undo_view", id=row.id),
            hidden=[],
            confirm_label=gettext("Rückgängig machen"),
            danger=False,
            possible=plan.count > 0,
            cancel_url=url_for("operations.show_view", id=row.id),
        )


def _back_to(row: ChangeSetRecord, registry: Registry) -> str:
    spec = registry.specs_by_name.get(row.entity)
    if spec is not None and spec.name in registry.views:
        return places.remembered_list(spec) or registry.views[spec.name].list_url()
    return url_for("operations.index_view")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 19 else None

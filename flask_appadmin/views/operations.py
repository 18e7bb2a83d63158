"""Operations: what was done, by whom, and the way back.

Contexts: templates/appadmin/history.html, operation.html, undo.html.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, session, url_for
from flask_admin import expose

from flask_appadmin.changes import ChangeSet, UndoConflict, UndoPart, plan_undo, plan_undo_groups
from flask_appadmin.changes.undoing.part import OnlyWhole, require_returnable
from flask_appadmin.copying import differences_to_source
from flask_appadmin.digits import number_or_none
from flask_appadmin.errors import AppAdminError, FilterError, NotAllowed, NotFound
from flask_appadmin.filters.lookback import read_lookback
from flask_appadmin.history import (
    COPIED,
    ERASED,
    MERGED,
    ChangeGroup,
    ChangeLine,
    ChangeRecord,
    ChangeSetRecord,
    TakenBack,
    groups_of_set,
    lines_of_set,
    operations,
    taken_back,
)
from flask_appadmin.i18n import _, format_datetime, format_number, gettext, ngettext
from flask_appadmin.rights import RIGHTS, Operator
from flask_appadmin.specs import ReferenceCache
from flask_appadmin.views import places
from flask_appadmin.views.action_pages.large import AT_ONCE, runs_as_job, start_undo
from flask_appadmin.views.form_page import posted_reason
from flask_appadmin.views.history_lines import HistoryLines
from flask_appadmin.views.looking_back import (
    may_undo,
    may_undo_part,
    of_operations,
    operation_filters,
    scopes,
    undo_url,
    views_of,
)
from flask_appadmin.views.signed_in import SignedInView

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

_PAGE = 50
_LINES = 100
#: So many values that were changed since are told, each with its choice.
_LISTED = 100
#: So many records that a bulk change left out are named.
_LEFT_OUT = 50


class OperationsView(HistoryLines, SignedInView):
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
        before = number_or_none(request.args.get("before", ""))
        scope: dict[str, Any] = {"scope": "all"} if everybody else {}
        asked, problem, found = scope, "", []
        try:
            lookback = read_lookback(of_operations(request.args), operator, self.registry.specs_by_name)
            asked = {**scope, **lookback.asked}
            user_id = None if everybody else operator.user_id or -1
            found = operations(user_id=user_id, before=before, limit=_PAGE + 1, where=lookback.of_sets)
        except FilterError as fault:
            problem = str(fault)
        more = len(found) > _PAGE
        found = found[:_PAGE]
        url = url_for("operations.index_view")
        back = taken_back(row.id for row in found)
        return render_template(
            "appadmin/history.html",
            page_title=gettext("Alle Vorgänge") if everybody else gettext("Meine Vorgänge"),
            scopes=scopes(operator, "operations.index_view", everybody),
            tabs=views_of("operations", {name: value for name, value in asked.items() if name != "before"}),
            problem=problem,
            filters=operation_filters(everybody),
            list_url=url,
            keep=list(scope.items()),
            clear_url=url_for("operations.index_view", **scope) if asked != scope or problem else "",
            operations=[self._operation_row(row, back, operator) for row in found],
            range_text="",
            pager={
                "first": url_for("operations.index_view", **asked) if before else "",
                "previous": url_for("operations.index_view", **asked) if before else "",
                "next": url_for("operations.index_view", before=found[-1].id, **asked) if more else "",
                "last": "",
            },
            empty=gettext("Kein Vorgang passt zum Filter.")
            if asked != scope
            else gettext("Noch keine Vorgänge. Was Sie ändern, steht hier und lässt sich zurücknehmen."),
        )

    def _operation_row(self, row: ChangeSetRecord, back: dict[int, TakenBack], operator: Operator) -> dict[str, Any]:
        return {
            "url": url_for("operations.show_view", id=row.id),
            "when": format_datetime(row.changed_at),
            "who": row.user_name,
            "what": f"{row.kind_label}: {row.title}" if row.kind != "undo" else row.title,
            "count": format_number(row.record_count),
            "reason": row.reason or "",
            "state": (_state_words(back[row.id]), "") if row.id in back else None,
            "undo_url": url_for("operations.undo_view", id=row.id) if may_undo(row, operator, back) else "",
        }

    def _set(self) -> ChangeSetRecord:
        operator: Operator = g.operator
        key = number_or_none(request.args.get("id", ""))
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
        offset = number_or_none(request.args.get("from", "")) or 0
        specs = self.registry.specs_by_name
        lines = lines_of_set(row.id, operator, specs, limit=_LINES + 1, offset=offset)
        more = len(lines) > _LINES
        back = taken_back([row.id])
        undoable = may_undo(row, operator, back)
        groups, group_count = groups_of_set(row.id, operator, specs) if row.record_count > 1 else ([], 0)
        undo = None
        if undoable:
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
        facts += _told_by(row)
        url = url_for("operations.show_view", id=row.id)
        return render_template(
            "appadmin/operation.html",
            page_title=row.kind_label,
            back=(gettext("Meine Vorgänge"), url_for("operations.index_view")),
            tags=[(_state_words(back[row.id]), "warn")] if row.id in back else [],
            facts=facts,
            differences_url=url_for("operations.differences_view", id=row.id)
            if row.kind in ("copy", "full_copy") and row.entity in specs
            else "",
            undo=undo,
            export_url=url_for("operations.export_view", change_set=row.id) if operator.may("export.run") else "",
            groups=[self._group_row(group) for group in groups],
            groups_more=max(group_count - len(groups), 0),
            changes=self._change_rows(lines[:_LINES], may_undo_part(row, operator, back) and row.kind != "undo"),
            range_text="",
            pager={
                "first": url if offset else "",
                "previous": f"{url}&from={max(offset - _LINES, 0)}" if offset else "",
                "next": f"{url}&from={offset + _LINES}" if more else "",
                "last": "",
            },
        )

    @expose("/differences")
    def differences_view(self) -> Any:
        """What differs today between a copy and its source: ?id=<operation>."""
        row = self._set()
        spec = self.registry.specs_by_name.get(row.entity)
        if spec is None:
            raise NotFound()
        found = differences_to_source(row, spec, g.operator)
        titles = ReferenceCache().titles(spec, {found.source, found.copy})
        return render_template(
            "appadmin/copy_differences.html",
            page_title=gettext("Unterschiede zur Vorlage"),
            back=(row.kind_label, url_for("operations.show_view", id=row.id)),
            source=(titles[found.source], self.registry.record_url(spec, found.source)),
            copied=(titles[found.copy], self.registry.record_url(spec, found.copy)),
            fields=[(str(item.label), old, new) for item, old, new in found.fields],
            children=[(str(child.plural), old, new) for child, old, new in found.children],
        )

    def _group_row(self, group: ChangeGroup) -> tuple[int, str, str, str, str]:
        spec = self.registry.specs_by_name.get(group.entity)
        name = str(spec.plural) if spec is not None else group.entity
        label = f"{name}: {group.label}" if group.action == "update" else name
        return group.count, label, group.old, group.new, _NOTES.get(group.action, "")

    def _change_rows(self, lines: list[ChangeLine], undoable: bool) -> list[dict[str, Any]]:
        rows = []
        last = None
        for line in lines:
            spec = self.registry.specs_by_name.get(line.entity)
            url = ""
            if spec is not None and spec.owner is None and line.action != "delete":
                url = self.registry.record_url(spec, line.record_id)
            record = (line.entity, line.record_id)
            note = ", ".join(
                part for part in ("" if line.field else str(_NOTES.get(line.action, "")), line.source) if part
            )
            old, new = line.old, line.new
            if line.action == COPIED:
                note, new = gettext("kopiert nach %(title)s", title=new), ""
            change_set = line.change_set_id
            rows.append(
                {
                    "record": spec.named(line.title) if spec is not None else f"{line.entity} {line.title}",
                    "url": url,
                    "label": line.label,
                    "old": old,
                    "new": new,
                    "note": note,
                    "record_undo_url": undo_url(change_set, record=record)
                    if undoable and line.may_return and record != last
                    else "",
                    "undo_url": undo_url(change_set, line=line.change_id) if undoable and line.field else "",
                }
            )
            last = record
        return rows

    @expose("/undo", methods=("GET", "POST"))
    def undo_view(self) -> Any:
        row = self._set()
        operator: Operator = g.operator
        part = self._part(row)
        try:
            require_returnable(row, part)
        except OnlyWhole as fault:
            whole = gettext("Zusammenführung trennen") if row.kind == "merge" else gettext("Als Ganzes zurücknehmen")
            fault.links = [(f"{whole} …", url_for("operations.undo_view", id=row.id))]
            raise
        if not may_undo(row, operator):
            right = "undo.own" if row.user_id == operator.user_id else "undo.all"
            raise NotAllowed(right, RIGHTS[right])
        if request.method != "POST":
            if row.kind == "merge" and part.is_whole and row.entity in self.registry.views:
                return redirect(url_for(f"{row.entity}.split_view", id=row.id))
            return self._ask(row, part)
        ticked = request.form.getlist("over")
        conflicts = plan_undo(row.id, part=part, operator=operator, listed=_LISTED).conflicts if ticked else []
        over = {_token(entry): entry.line for entry in conflicts if entry.line}
        if not set(ticked) <= set(over):
            changed = gettext("Seit dieser Seite hat jemand wieder etwas geändert. Es wurde nichts getan.")
            return self._ask(row, part, changed), 409
        part = UndoPart(part.record, part.cell, frozenset(over[token] for token in ticked))
        if part.is_whole and row.record_count > AT_ONCE:
            return start_undo(row, operator, reason=posted_reason(), over=part.over)
        try:
            applied = ChangeSet.undo(row.id, part=part, reason=posted_reason()).apply(operator)
        except AppAdminError as fault:
            if fault.status == 403:
                raise
            return self._ask(row, part, str(fault)), fault.status
        text = gettext("Zurückgenommen: %(title)s", title=row.title)
        if applied.change_set is None:
            text = gettext("Es war nichts mehr zurückzunehmen.")
        elif applied.skipped:
            rest = ngettext(
                "%(count)s Wert blieb, wie er ist.", "%(count)s Werte blieben, wie sie sind.", len(applied.skipped)
            )
            text = f"{text}. {rest}"
        undo_again = self.registry.undo_url(applied.change_set) if applied.change_set else ""
        if row.entity in self.registry.specs_by_name:
            self.registry.forget_total(self.registry.specs_by_name[row.entity])
        session["toast"] = {"text": text, "undo_url": undo_again}
        return redirect(self._place_after(row, part))

    def _place_after(self, row: ChangeSetRecord, part: UndoPart) -> str:
        """The record that was set back where it is about one, else the list."""
        if part.is_whole:
            return _back_to(row, self.registry)
        entity, key = part.record or (part.cell or ("", 0))[:2]
        line = ChangeRecord.get_or_none(
            ChangeRecord.change_set == row.id, ChangeRecord.entity == entity, ChangeRecord.record_id == key
        )
        if line is not None:
            entity, key = line.owner_entity, line.owner_id
        spec = self.registry.specs_by_name.get(entity)
        if spec is None or not spec.model.select().where(spec.model._meta.primary_key == key).exists():
            return _back_to(row, self.registry)
        return self.registry.record_url(spec, key) or _back_to(row, self.registry)

    def _part(self, row: ChangeSetRecord) -> UndoPart:
        """What of the operation is meant: all of it, `record=table-key`, or `line=` a line of it."""
        if "line" in request.args:
            line = ChangeRecord.get_or_none(
                ChangeRecord.id == number_or_none(request.args["line"]), ChangeRecord.change_set == row.id
            )
            spec = self.registry.specs_by_name.get(line.entity) if line is not None else None
            if line is None or spec is None or (line.field and line.field not in spec.by_name):
                raise NotFound()
            if not line.field and spec.owner is None:
                return UndoPart(record=(line.entity, line.record_id))
            return UndoPart(cell=(line.entity, line.record_id, line.field))
        if "record" in request.args:
            entity, _dash, key = request.args["record"].rpartition("-")
            number = number_or_none(key)
            if entity not in self.registry.specs_by_name or number is None:
                raise NotFound()
            return UndoPart(record=(entity, number))
        return UndoPart()

    def _ask(self, row: ChangeSetRecord, part: UndoPart, problem: str = "") -> Any:
        operator: Operator = g.operator
        plan = plan_undo(row.id, part=part, operator=operator, listed=_LISTED)
        counts = [
            (number, label)
            for number, label in (
                (plan.updated, gettext("zurückgesetzt")),
                (plan.removed, gettext("entfernt")),
                (plan.restored, gettext("wiederhergestellt")),
            )
            if number
        ]
        where: dict[str, Any] = {name: request.args[name] for name in ("record", "line") if name in request.args}
        choices = [entry for entry in plan.conflicts if entry.line]
        return render_template(
            "appadmin/undo.html",
            page_title=gettext("Vorgang zurücknehmen?") if part.is_whole else gettext("Nur einen Teil zurücknehmen?"),
            back=(gettext("Vorgang"), url_for("operations.show_view", id=row.id)),
            text=f"{row.kind_label}: {row.title} · {row.user_name}, {format_datetime(row.changed_at)}",
            part=self._part_words(row, part),
            problem=problem,
            warning=runs_as_job(row.record_count) if part.is_whole else "",
            counts=counts,
            groups=plan_undo_groups(row.id, part=part, operator=operator) if plan.updated else [],
            records=[(title, gettext("wird entfernt")) for title in plan.removes]
            + [(title, gettext("kommt wieder")) for title in plan.restores],
            records_more=max(plan.removed - len(plan.removes), 0) + max(plan.restored - len(plan.restores), 0),
            choices=[
                (_token(entry), entry.title, entry.label, entry.wanted, entry.made, entry.current, entry.who)
                for entry in choices
            ],
            kept=[(entry.title, entry.reason, entry.who) for entry in plan.conflicts if not entry.line],
            conflict_count=plan.conflict_count,
            conflicts_more=max(plan.conflict_count - len(plan.conflicts), 0),
            action=url_for("operations.undo_view", id=row.id, **where),
            whole_url="" if part.is_whole else url_for("operations.undo_view", id=row.id),
            possible=plan.count > 0 or bool(choices),
            cancel_url=url_for("operations.show_view", id=row.id),
        )

    def _part_words(self, row: ChangeSetRecord, part: UndoPart) -> str:
        if part.is_whole:
            return ""
        entity, key = part.record or (part.cell or ("", 0))[:2]
        spec = self.registry.specs_by_name[entity]
        line = (
            ChangeRecord.select()
            .where(ChangeRecord.change_set == row.id, ChangeRecord.entity == entity, ChangeRecord.record_id == key)
            .first()
        )
        name = spec.named(line.record_title) if line is not None else str(spec.label)
        if part.cell is not None and part.cell[2] is not None:
            label = str(spec.field(part.cell[2]).label)
            return gettext("Nur „%(field)s“ bei: %(record)s", field=label, record=name)
        return gettext("Nur bei: %(record)s", record=name)


#: What becomes of a record beside changed values.
_NOTES = {
    "create": _("angelegt"),
    "delete": _("gelöscht"),
    COPIED: _("kopiert"),
    MERGED: _("zusammengeführt"),
    ERASED: _("anonymisiert"),
}


def _state_words(back: TakenBack) -> str:
    return gettext("zurückgenommen") if back.is_whole else gettext("zum Teil zurückgenommen")


def _token(entry: UndoConflict) -> str:
    """Names a conflict as it was shown: a value that changes again meanwhile has another one."""
    return f"{entry.line}.{zlib.crc32(entry.current.encode())}"


def _back_to(row: ChangeSetRecord, registry: Registry) -> str:
    spec = registry.specs_by_name.get(row.entity)
    if spec is not None and spec.name in registry.views:
        return places.remembered_list(spec) or registry.views[spec.name].list_url()
    return url_for("operations.index_view")


def _told_by(row: ChangeSetRecord) -> list[tuple[str, str]]:
    """What a bulk change kept of its plan: what was to become of which field, and who was left out, with the reason."""
    details: dict[str, Any] = row.details if isinstance(row.details, dict) else {}
    facts = [(gettext("genauer"), str(words)) for words in details.get("words", ())]
    left_out = details.get("left_out", ())
    facts += [
        (gettext("ausgelassen"), f"{title}: {reason}".removesuffix(": ")) for title, reason in left_out[:_LEFT_OUT]
    ]
    more = int(details.get("without", 0)) - len(left_out[:_LEFT_OUT])
    if left_out and more > 0:
        facts.append((gettext("ausgelassen"), gettext("und %(count)s weitere", count=format_number(more))))
    return facts

"""Every single change, filtered, page by page, and as a file. Context: templates/appadmin/history_lines.html."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, render_template, request, url_for
from flask_admin import expose

from flask_appadmin.bulk import MEDIA_TYPES
from flask_appadmin.digits import is_number
from flask_appadmin.errors import AppAdminError, FilterError, NotFound
from flask_appadmin.filters.lookback import Lookback, read_lookback
from flask_appadmin.history import COPIED, ERASED, MERGED, ChangeLine, ChangeRecord, ChangeSetRecord, lines, readable
from flask_appadmin.i18n import _, format_datetime, format_number, gettext, to_local
from flask_appadmin.rights import Operator, may_read
from flask_appadmin.sheets.writing.columns import SheetColumn
from flask_appadmin.specs import ModelSpec
from flask_appadmin.views.downloads import send_table
from flask_appadmin.views.looking_back import may_undo_part, operation_filters, scopes, undo_url, views_of

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

_PAGE = 100

#: More lines than this need the right to large exports.
_SMALL_EXPORT = 5_000
#: What fits on a sheet.
_SHEET_ROWS = 1_000_000

_COLUMNS = (
    SheetColumn("when", _("Wann"), "datetime"),
    SheetColumn("who", _("Wer")),
    SheetColumn("kind", _("Vorgang")),
    SheetColumn("through", _("Quelle")),
    SheetColumn("change_set", _("Vorgang Nr."), "integer"),
    SheetColumn("table", _("Tabelle")),
    SheetColumn("record", _("Datensatz")),
    SheetColumn("field", _("Feld")),
    SheetColumn("old", _("vorher")),
    SheetColumn("new", _("nachher")),
    SheetColumn("reason", _("Grund")),
)


class HistoryLines:
    """The part of the operations' pages that shows their single changes."""

    registry: Registry

    @expose("/lines")
    def lines_view(self) -> Any:
        operator: Operator = g.operator
        everybody = request.args.get("scope") == "all"
        scope: dict[str, Any] = {"scope": "all"} if everybody else {}
        before = request.args.get("before", "")
        asked, problem, title = dict(scope), "", ""
        found: list[ChangeLine] = []
        lookback = None
        try:
            lookback, where = self._asked(operator, everybody)
            asked |= lookback.asked
            title = lookback.title()
            start = int(before) if is_number(before) else None
            specs = self.registry.specs_by_name
            found = list(lines(operator, specs, where=where, before=start, limit=_PAGE + 1))
        except FilterError as fault:
            problem = str(fault)
        more = len(found) > _PAGE
        found = found[:_PAGE]
        kept = {name: asked[name] for name in ("scope", "record") if name in asked}
        answer = render_template(
            "appadmin/history_lines.html",
            page_title=gettext("Historie: %(record)s", record=title) if title else gettext("Änderungen"),
            back=self._back(lookback, title),
            scopes=[] if title else scopes(operator, "operations.lines_view", everybody),
            tabs=[] if title else views_of("lines", asked),
            problem=problem,
            filters=self._filters(operator, everybody, lookback),
            list_url=url_for("operations.lines_view"),
            keep=list(kept.items()),
            clear_url=url_for("operations.lines_view", **kept) if asked != kept or problem else "",
            today_url=url_for("operations.lines_view", **{**asked, "from": "heute"}),
            exports=[(name, url_for("operations.export_view", **{**asked, "format": name})) for name in ("xlsx", "csv")]
            if operator.may("export.run") and found
            else [],
            rows=self._rows(found, operator),
            range_text=gettext("%(count)s Zeilen", count=format_number(len(found))) if found else "",
            pager={
                "first": url_for("operations.lines_view", **asked) if before else "",
                "previous": url_for("operations.lines_view", **asked) if before else "",
                "next": url_for("operations.lines_view", before=found[-1].change_id, **asked) if more else "",
                "last": "",
            },
        )
        return (answer, 400) if problem else answer

    @expose("/export")
    def export_view(self) -> Any:
        operator: Operator = g.operator
        operator.require("export.run")
        file_format = request.args.get("format", "xlsx")
        if file_format not in MEDIA_TYPES:
            raise AppAdminError(gettext("Dieses Format gibt es hier nicht."))
        if "change_set" in request.args:
            where = self._of_one_operation(operator)
        else:
            _lookback, where = self._asked(operator, request.args.get("scope") == "all")
        specs = self.registry.specs_by_name
        asked = ChangeRecord.select().join(ChangeSetRecord).where(readable(operator, specs), *where)
        count = asked.count()
        if count > _SMALL_EXPORT:
            operator.require("export.large")
        if count > _SHEET_ROWS and file_format == "xlsx":
            raise AppAdminError(
                gettext(
                    "%(count)s Zeilen passen nicht auf ein Blatt. Bitte enger filtern oder als csv holen.",
                    count=format_number(count),
                )
            )
        found = (self._cells(line) for line in lines(operator, specs, where=where, limit=None))
        return send_table(gettext("Änderungen"), file_format, _COLUMNS, found)

    def _cells(self, line: ChangeLine) -> list[Any]:
        spec = self.registry.specs_by_name[line.entity]
        words = _notes().get(line.action)
        through = ", ".join(part for part in (line.through, line.source) if part)
        return [
            to_local(line.when),
            line.who,
            line.kind,
            through,
            line.change_set_id,
            str(spec.label),
            line.title,
            words or line.label,
            line.old,
            line.new,
            line.reason,
        ]

    # --- what is asked ------------------------------------------------------------------------------------------------

    def _asked(self, operator: Operator, everybody: bool) -> tuple[Lookback, list[Any]]:
        lookback = read_lookback(request.args, operator, self.registry.specs_by_name)
        where = list(lookback.of_lines)
        if lookback.record is not None:
            operator.require("history.read")
        elif everybody:
            operator.require("history.read_all")
        else:
            where.append(ChangeSetRecord.user == (operator.user_id or -1))
        return lookback, where

    def _of_one_operation(self, operator: Operator) -> list[Any]:
        text = request.args["change_set"]
        key = int(text) if is_number(text) else 0
        row = ChangeSetRecord.get_or_none(ChangeSetRecord.id == key)
        if row is None:
            raise NotFound()
        if row.user_id is None or row.user_id != operator.user_id:
            operator.require("history.read_all")
        return [ChangeRecord.change_set == key]

    def _back(self, lookback: Lookback | None, title: str) -> tuple[str, str] | None:
        if lookback is None or lookback.record is None:
            return None
        spec, key = lookback.record
        url = self.registry.record_url(spec, key)
        return (title, url) if url and spec.model.select().where(spec.model._meta.primary_key == key).exists() else None

    def _filters(self, operator: Operator, everybody: bool, lookback: Lookback | None) -> list[dict[str, Any]]:
        record = lookback.record if lookback is not None else None
        given = request.args
        fields = operation_filters(everybody or record is not None)
        specs = [spec for spec in self.registry.specs_by_name.values() if operator.may(f"{spec.right}.read")]
        table = record[0] if record is not None else self.registry.specs_by_name.get(given.get("entity", ""))
        if record is None:
            tables = sorted(((spec.name, str(spec.plural)) for spec in specs), key=lambda pair: pair[1].casefold())
            fields.append(_select("entity", gettext("Tabelle"), tables))
        if table is not None and table in specs:
            fields.append(_select("field", gettext("Feld"), _field_choices(table, operator, record is not None)))
        fields.append({"kind": "text", "name": "text", "label": gettext("Datensatz"), "value": given.get("text", "")})
        return fields

    def _rows(self, found: list[ChangeLine], operator: Operator) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        last = None
        notes = _notes()
        for line in found:
            spec = self.registry.specs_by_name[line.entity]
            url = ""
            if spec.owner is None and line.action != "delete":
                url = self.registry.record_url(spec, line.record_id)
            elif spec.owner is not None:
                url = self.registry.record_url(spec.owner.references, line.owner_id)
            undoable = line.may_return and may_undo_part(line.change_set, operator)
            rows.append(
                {
                    "is_new": line.change_set_id != last,
                    "when": format_datetime(line.when),
                    "who": line.who,
                    "what": ", ".join(part for part in (line.kind, line.through, line.source) if part),
                    "reason": line.reason,
                    "operation_url": url_for("operations.show_view", id=line.change_set_id),
                    "record": spec.named(line.title),
                    "url": url,
                    "label": line.label or notes.get(line.action, ""),
                    "old": line.old,
                    "new": line.new,
                    "undo_url": undo_url(line.change_set_id, line=line.change_id) if undoable else "",
                }
            )
            last = line.change_set_id
        return rows


def _notes() -> dict[str, str]:
    """What becomes of a record beside changed values."""
    return {
        "create": gettext("angelegt"),
        "delete": gettext("gelöscht"),
        COPIED: gettext("kopiert"),
        MERGED: gettext("zusammengeführt"),
        ERASED: gettext("anonymisiert"),
    }


def _select(name: str, label: str, choices: list[tuple[str, str]]) -> dict[str, Any]:
    return {"kind": "select", "name": name, "label": label, "choices": choices, "value": request.args.get(name, "")}


def _field_choices(spec: ModelSpec, operator: Operator, with_children: bool) -> list[tuple[str, str]]:
    """`table.field` of a table and, for the history of a record, of its children."""
    found = []
    for each in (spec, *spec.children) if with_children else (spec,):
        lead = "" if each is spec else f"{each.plural}: "
        own = [
            (f"{each.name}.{item.name}", f"{lead}{item.label}")
            for item in each.data_fields
            if not item.owner and may_read(operator, item)
        ]
        found += sorted(own, key=lambda pair: pair[1].casefold())
    return found

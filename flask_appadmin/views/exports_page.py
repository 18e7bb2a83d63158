"""„Exporte“: who took which records out, by which filter, with which columns, how many and when.

Shape: the newest first, a page at a time (`before` is the number of the last one shown); one's own, or everybody's for
whoever may see the operations of all. Context: templates/appadmin/exports.html.
Source: spec trust, section 3 („every export is logged with filter, columns, count“).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, render_template, request, url_for
from flask_admin import expose

from flask_appadmin.digits import is_number
from flask_appadmin.i18n import format_datetime, format_number, gettext
from flask_appadmin.rights import Operator
from flask_appadmin.sheets.sessions import SheetExport
from flask_appadmin.views.signed_in import SignedInView

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

_PAGE = 100
#: So many columns are named in the list; all of them stand in the title of the cell.
_NAMED = 8


class ExportsView(SignedInView):
    """The list of exports."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        super().__init__(name=gettext("Exporte"), endpoint="exports", url="/admin/exports")

    @expose("/")
    def index_view(self) -> Any:
        operator: Operator = g.operator
        everyone = request.args.get("scope") == "all" and operator.may("history.read_all")
        query = SheetExport.select().order_by(SheetExport.id.desc())
        if not everyone:
            query = query.where(SheetExport.user == operator.user_id)
        before = request.args.get("before", "")
        if is_number(before):
            query = query.where(SheetExport.id < int(before))
        found = list(query.limit(_PAGE + 1))
        scope: dict[str, Any] = {"scope": "all"} if everyone else {}
        scopes = [(gettext("meine"), url_for("exports.index_view"), not everyone)]
        if operator.may("history.read_all"):
            scopes.append((gettext("alle"), url_for("exports.index_view", scope="all"), everyone))
        more = url_for("exports.index_view", before=found[_PAGE - 1].id, **scope) if len(found) > _PAGE else ""
        return render_template(
            "appadmin/exports.html",
            page_title=gettext("Exporte"),
            scopes=scopes,
            rows=[self._row(export) for export in found[:_PAGE]],
            more=more,
            first=url_for("exports.index_view", **scope) if before else "",
        )

    def _row(self, export: Any) -> dict[str, Any]:
        spec = self.registry.specs_by_name.get(export.entity)
        details = export.details or {}
        columns = [str(label) for label in details.get("columns", ())]
        named = ", ".join(columns[:_NAMED])
        left = len(columns) - _NAMED
        return {
            "when": format_datetime(export.made_at),
            "who": export.user_name,
            "table": str(spec.plural) if spec is not None else export.entity,
            "what": export.description,
            "columns": gettext("%(named)s und %(count)s weitere", named=named, count=left) if left > 0 else named,
            "all_columns": ", ".join(columns),
            "sheets": ", ".join(str(label) for label in details.get("sheets", ())),
            "format": str(details.get("format", "")),
            "count": format_number(export.row_count),
        }

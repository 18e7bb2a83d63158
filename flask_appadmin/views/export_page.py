"""The page of an export: format, sheets, columns. Context: templates/appadmin/export.html.

Up to 5,000 records are sent at once; more become a job, whose file waits a day for whoever started it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, session, url_for

from flask_appadmin import jobs, listviews
from flask_appadmin.bulk import MEDIA_TYPES, ExportSheet, check_size
from flask_appadmin.changes import known_specs
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext
from flask_appadmin.jobs import RunningJob
from flask_appadmin.rights import is_hidden, may_read_full, visible
from flask_appadmin.selections import Selection, counted
from flask_appadmin.sheets import storage
from flask_appadmin.sheets.exporting import exportable_fields, file_name, headings, write_export
from flask_appadmin.specs import FieldSpec
from flask_appadmin.views import places
from flask_appadmin.views.action_pages.request import different_rows
from flask_appadmin.views.jobs_page import instance_folder
from flask_appadmin.views.list_page.arranging import Arranging

if TYPE_CHECKING:
    from flask_appadmin.views.action_pages.request import ActionPages

#: More records than this become a job.
AT_ONCE = 5_000


class ExportPage:
    """One request for the export of one selection."""

    def __init__(self, pages: ActionPages) -> None:
        assert isinstance(pages.action, ExportSheet)
        self.pages = pages
        self.action: ExportSheet = pages.action
        self.spec = pages.spec
        self.operator = pages.operator
        self.items = exportable_fields(self.spec, self.operator)

    def answer(self) -> Any:
        # The button of the list posts here too; only this page's own form names a format.
        if request.method != "POST" or "format" not in request.form:
            return self._draw({}, [])
        try:
            values = self._posted()
            check_size(self.pages.selection, "export.large")
            difference = self.pages.difference()
            if difference:
                return self._draw(values, [difference]), 409
            if self.pages.count > AT_ONCE:
                return self._start(values)
            return self.pages.send(self.action, values)
        except AppAdminError as fault:
            if fault.status == 403:
                raise
            return self._draw(self._chosen(), [str(fault)]), 422

    def _chosen(self) -> dict[str, Any]:
        posted = request.form
        return {
            "format": posted.get("format", "xlsx"),
            "columns": posted.getlist("column"),
            "layout": posted.get("layout", ""),
            "sheets": posted.getlist("sheet"),
        }

    def _posted(self) -> dict[str, Any]:
        posted = request.form
        values = self._chosen()
        known = {item.name for item in self.items}
        children = {child.name for child in self.spec.children}
        if values["format"] not in MEDIA_TYPES:
            raise AppAdminError(gettext("Dieses Format gibt es hier nicht."))
        layout = values.pop("layout")
        if layout:
            # A named set of columns stands in for the ticks.
            values["columns"] = self._columns_of_list(layout)
        values["columns"] = [name for name in values["columns"] if name in known]
        values["sheets"] = [name for name in values["sheets"] if name in children]
        if values["format"] == "csv" and "table" in posted:
            # A csv file holds one table.
            values["sheets"] = [posted["table"]] if posted["table"] in children else []
        if not values["columns"]:
            raise AppAdminError(gettext("Bitte wählen Sie mindestens eine Spalte."))
        # What people call a record by comes first and is always part of it: children and readers need it.
        first = [item.name for item in self.spec.natural_key if item.name in known]
        values["columns"] = [*first, *(name for name in values["columns"] if name not in first)]
        return values

    def _start(self, values: dict[str, Any]) -> Any:
        kept = replace(self.pages.selection, token="").store()
        parameters = {
            **values,
            "entity": self.spec.name,
            "selection": kept.token,
            "state": self.pages.state,
            "folder": str(instance_folder()),
        }
        title = gettext("Export: %(what)s", what=counted(self.spec, self.pages.count))
        jobs.start("export", title, parameters, self.operator)
        session["toast"] = {"text": gettext("Der Export läuft; die Datei wartet dann hier auf Sie."), "undo_url": ""}
        return redirect(url_for("jobs.index_view"))

    # --- the page ----------------------------------------------------------------------------------------------------

    def _draw(self, values: dict[str, Any], errors: list[str]) -> str:
        chosen_format = values.get("format", "xlsx")
        return render_template(
            "appadmin/export.html",
            page_title=str(self.action.label),
            back=self.pages.back,
            subtitle=self.pages.subtitle,
            action=self.pages.url,
            hidden=self.pages.hidden(),
            formats=[
                (
                    "xlsx",
                    gettext("Excel-Arbeitsmappe (xlsx)"),
                    gettext("ein Blatt je Tabelle, Auswahllisten, Postleitzahlen bleiben Text"),
                    chosen_format == "xlsx",
                ),
                (
                    "csv",
                    gettext("Textdatei (csv)"),
                    gettext("eine Tabelle, mit Semikolon getrennt, UTF-8"),
                    chosen_format == "csv",
                ),
            ],
            sheets=self._sheets(values.get("sheets")),
            layouts=self._layouts(values.get("layout", "")),
            columns=self._columns(values.get("columns")),
            table=self._table_field() if self.spec.children else None,
            submit_label=gettext("%(what)s exportieren", what=self.pages.what),
            count_url=self.pages.count_url,
            note=self._note(),
            errors=errors,
        )

    def _layouts(self, chosen: str) -> list[tuple[str, str, bool]]:
        """Sets of columns that have a name: the list as it was last seen, and its views."""
        found = [("", gettext("die angekreuzten Spalten")), ("list", gettext("Spalten der Liste"))]
        views = listviews.Views(self.spec, self.operator).all
        found += [(str(view.id), gettext("Ansicht „%(name)s“", name=view.name)) for view in views if view.columns]
        return [(value, label, value == chosen) for value, label in found]

    def _columns_of_list(self, layout: str) -> list[str]:
        pairs = [("view", layout)]
        if layout == "list":
            pairs = [pair for pair in places.remembered_pairs(self.spec) if pair[0] in ("view", "columns")]
        return [item.name for item in Arranging(self.pages.view, self.operator, pairs).fields]

    def _sheets(self, chosen: list[str] | None) -> list[tuple[str, str, int | None, bool]]:
        """The child tables with their rows; those that have none come last and are not ticked."""
        rows = []
        for child in self.spec.children:
            count = self._child_count(child) if self.pages.count <= AT_ONCE else None
            first = not self.action.first_sheets or child.name in self.action.first_sheets
            ticked = child.name in chosen if chosen is not None else first or bool(count)
            rows.append((child.name, str(child.plural), count, ticked))
        return sorted(rows, key=lambda row: (row[2] == 0 and not row[3], ""))

    def _table_field(self) -> dict[str, Any]:
        choices = [(self.spec.name, str(self.spec.plural))]
        choices += [(child.name, str(child.plural)) for child in self.spec.children]
        return {
            "name": "table",
            "label": gettext("Tabelle der csv-Datei"),
            "value": request.form.get("table", self.spec.name),
            "choices": choices,
            "hint": gettext("nur für csv; eine Arbeitsmappe hat ein Blatt je angekreuzter Tabelle"),
        }

    def _child_count(self, child: Any) -> int:
        query = child.model.select().where(child.owner.column_field.in_(self.pages.selection.query()))
        condition = visible(self.operator, child)
        return int((query if condition is None else query.where(condition)).count())

    def _columns(self, chosen: list[str] | None) -> list[tuple[str, list[tuple[str, str, bool, str]]]]:
        layout = self.pages.view.form_layout
        labels = {tab.key: str(tab.label) for tab in layout.tabs}
        groups: dict[str, list[tuple[str, str, bool, str]]] = {}
        for item, heading in zip(self.items, headings(self.items), strict=True):
            tab = labels.get(layout.tab_of(item.name), gettext("Weitere Angaben"))
            ticked = chosen is None or item.name in chosen
            groups.setdefault(tab, []).append((item.name, heading, ticked, self._hint(item)))
        order = list(labels.values())
        return sorted(groups.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))

    @staticmethod
    def _hint(item: FieldSpec) -> str:
        return gettext("nur zur Ansicht; wird beim Import nicht übernommen") if item.read_only is True else ""

    def _note(self) -> str:
        parts = []
        if any(item.secret for item in self.spec.data_fields):
            parts.append(gettext("Kennwörter werden nie exportiert."))
        closed = [
            item
            for item in self.spec.data_fields
            if not (item.secret or is_hidden(self.operator, item) or may_read_full(self.operator, item))
        ]
        closed += [
            item
            for child in self.spec.children
            for item in child.data_fields
            if not (item.secret or is_hidden(self.operator, item) or may_read_full(self.operator, item))
        ]
        if closed:
            names = ", ".join(dict.fromkeys(str(item.label) for item in closed[:4]))
            words = gettext("Was Sie nicht ungekürzt sehen dürfen, bleibt weg: %(fields)s.", fields=names)
            parts.append(words)
        return " ".join(parts)


def run_export(job: RunningJob) -> Any:
    """The job: writes the file into the folder of exports."""
    given = job.parameters
    spec = known_specs()[given["entity"]]
    selection = Selection.load(spec, job.operator, given["selection"]).require_reach()
    check_size(selection, "export.large")
    state = selection.state()
    if given.get("state", state) != state:
        raise AppAdminError(different_rows(spec, given["state"], state))
    total = selection.count()
    file_format = given["format"]
    store = storage.exports(Path(given["folder"]))
    name, path = store.new()
    try:
        write_export(
            path,
            selection,
            fields=[spec.field(column) for column in given["columns"]],
            children=[child for child in spec.children if child.name in given["sheets"]],
            file_format=file_format,
            sheet=next(iter(given["sheets"]), "") if file_format == "csv" else "",
            progress=lambda done: job.progress(done, total),
        )
    except BaseException:
        store.remove(name)
        raise
    return {"file": name, "name": file_name(spec, file_format), "media_type": MEDIA_TYPES[file_format]}


jobs.register_job("export", run_export)

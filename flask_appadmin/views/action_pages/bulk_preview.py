"""The preview of a bulk change: what stands beside the settings, made of the very plan that is applied.

Contexts: templates/appadmin/bulk_preview.html.
"""

from __future__ import annotations

from typing import Any

from flask_appadmin.bulk import ChangeSettings
from flask_appadmin.changes import AssignPlan, ValueGroup
from flask_appadmin.changes.assign_plan import SAMPLES
from flask_appadmin.errors import ChangedRow
from flask_appadmin.i18n import format_number, gettext, ngettext
from flask_appadmin.selections import Selection, counted
from flask_appadmin.sheets.writing.columns import SheetColumn
from flask_appadmin.specs import ModelSpec
from flask_appadmin.views.action_pages.large import runs_as_job
from flask_appadmin.views.action_pages.request import ActionPages
from flask_appadmin.views.downloads import send_table

_LISTED = 20
_SHOWN_GROUPS = 5

_EMPTY: dict[str, Any] = {
    "checked": "",
    "job": "",
    "groups": [],
    "refused": [],
    "refused_count": 0,
    "mark_refused_url": "",
    "may_export": False,
    "changed": 0,
    "plan": "",
    "samples": [],
    "effects": [],
    "children": [],
    "meanwhile": [],
}


class Preview:
    """Plans a bulk change and says what would happen."""

    def __init__(self, pages: ActionPages, values: dict[str, Any], *, without_refused: bool) -> None:
        assert isinstance(pages.action, ChangeSettings)
        self.pages = pages
        self.spec: ModelSpec = pages.spec
        self.action: ChangeSettings = pages.action
        self.values = values
        self.without_refused = without_refused
        self.refused: list[tuple[int, str, str]] = []

    def plan(self) -> AssignPlan:
        """The plan as it would be applied: with what refuses, or without it. FaultList for values no record takes."""
        plan = self.action.preview(self.pages.selection, self.values, samples=SAMPLES)
        self.refused = plan.refused
        if self.without_refused and plan.refused:
            left_out = [key for key, _title, _reason in plan.refused]
            plan = self.action.preview(self.pages.selection, self.values, left_out, samples=SAMPLES)
        return plan

    def context(self) -> dict[str, Any]:
        plan = self.plan()
        refused = self.refused
        possible = plan.changed if self.without_refused or not refused else 0
        url = self.pages.view.record_url
        return {
            **_EMPTY,
            "state": "ready",
            "text": self._sentence(plan),
            "checked": gettext("gerade geprüft"),
            "job": runs_as_job(self.pages.count),
            "groups": self._groups(plan),
            "refused": [(title, url(key), reason) for key, title, reason in refused[:_LISTED]],
            "refused_count": len(refused),
            "mark_refused_url": self._mark_url() if refused else "",
            "may_export": self.pages.operator.may("export.run"),
            "without_refused": self.without_refused,
            "changed": possible,
            "plan": plan.state,
            "confirm_label": self.change_label(possible) if possible else gettext("Ändern"),
            "samples": [(sample.title, url(sample.key), sample.lines) for sample in plan.samples],
            "effects": plan.effects,
            "children": plan.children,
        }

    def change_label(self, count: int) -> str:
        return gettext("%(what)s ändern", what=counted(self.spec, count))

    def _sentence(self, plan: AssignPlan) -> str:
        refused = len(self.refused)
        total = plan.count + (refused if self.without_refused else 0)
        if not plan.changed and not refused:
            if total == 1:
                return gettext("Die Werte sind schon so.")
            return gettext("Alle %(count)s haben diese Werte schon.", count=format_number(total))
        what = counted(self.spec, plan.changed)
        parts = [ngettext("%(what)s wird geändert", "%(what)s werden geändert", plan.changed, what=what)]
        if plan.same > 0:
            parts.append(ngettext("%(count)s hat die Werte schon", "%(count)s haben die Werte schon", plan.same))
        if refused:
            parts.append(gettext("%(count)s nicht", count=format_number(refused)))
        return ", ".join(parts) + "."

    def _groups(self, plan: AssignPlan) -> list[tuple[int, str, str, str, str, str]]:
        """(count, label, old, new, note, fault) …"""
        rows = []
        for name, groups in plan.groups.items():
            label = self._label(name)
            rows += [self._group_row(label, group) for group in groups[:_SHOWN_GROUPS]]
            more, records = plan.rest.get(name, (0, 0))
            more += len(groups[_SHOWN_GROUPS:])
            if more:
                records += sum(group.count for group in groups[_SHOWN_GROUPS:])
                note = ngettext("und %(count)s weiterer Wert", "und %(count)s weitere Werte", more)
                rows.append((records, label, "", "", note, ""))
        return rows

    def _label(self, name: str) -> str:
        item = self.spec.by_name.get(name)
        if item is not None:
            return str(item.label)
        return next((str(child.plural) for child in self.spec.children if name.startswith(f"{child.name}.")), name)

    @staticmethod
    def _group_row(label: str, group: ValueGroup) -> tuple[int, str, str, str, str, str]:
        if group.fault:
            return group.count, label, group.old, "", "", group.fault
        if group.same:
            return group.count, label, "", "", gettext("hat den Wert schon: %(value)s", value=group.new), ""
        if not group.old:
            return group.count, label, "", "", gettext("kommt dazu: %(value)s", value=group.new), ""
        if not group.new:
            return group.count, label, "", "", gettext("fällt weg: %(value)s", value=group.old), ""
        return group.count, label, group.old, group.new, "", ""

    def _mark_url(self) -> str:
        keys = [key for key, _title, _reason in self.refused]
        chosen = Selection.of_keys(self.spec, self.pages.operator, keys).store()
        return self.pages.view.list_url(selection=chosen.token, only="marked")

    def send_refused(self, file_format: str) -> Any:
        """The records that refuse, with the reason, as a file."""
        self.pages.operator.require("export.run")
        self.plan()
        rows = [(title, reason) for _key, title, reason in self.refused]
        columns = (
            SheetColumn("title", str(self.spec.label), width=40),
            SheetColumn("reason", gettext("Grund"), width=80),
        )
        return send_table(gettext("Nicht geändert"), file_format, columns, rows, self.pages.operator.name)


def nothing_yet(text: str, state: str = "empty") -> dict[str, Any]:
    """The preview while there is nothing to plan, or something typed is wrong."""
    return {**_EMPTY, "state": state, "text": text, "confirm_label": gettext("Ändern")}


def meanwhile(pages: ActionPages, rows: list[ChangedRow]) -> list[tuple[str, str, str, str, str, str]]:
    """(title, address, label, old, new, who and what) of rows that somebody else changed after they were shown."""
    return [
        (
            row.title,
            "" if row.note == gettext("gelöscht") else pages.view.record_url(row.key),
            row.label,
            row.old or gettext("leer"),
            row.new or gettext("leer"),
            ", ".join(part for part in (row.note, row.who) if part),
        )
        for row in rows
    ]

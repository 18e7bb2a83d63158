"""Bulk change: settings on the left, the preview of the very plan on the right.

Contexts: templates/appadmin/bulk_change.html, bulk_preview.html.
"""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from flask_appadmin.bulk import (
    ChangeSettings,
)
from flask_appadmin.changes import AssignPlan, ValueGroup
from flask_appadmin.errors import FaultList, FieldError, PlanChanged
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import format_number, gettext, ngettext
from flask_appadmin.selections import Selection, counted
from flask_appadmin.specs import shown
from flask_appadmin.views.action_pages.large import AT_ONCE, runs_as_job, start_change
from flask_appadmin.views.action_pages.request import ActionPages
from flask_appadmin.views.form_page import posted_reason

#: Up to this number the page shows what the marked records have today; beyond, the preview tells it.
_TODAY_LIMIT = 2_000
_LISTED = 20


class ChangePage:
    """Bulk change: settings on the left, the preview of the very plan on the right."""

    def __init__(self, pages: ActionPages) -> None:
        assert isinstance(pages.action, ChangeSettings)
        self.pages = pages
        self.action: ChangeSettings = pages.action
        self.spec = pages.spec
        self.items = self.action.fields(self.spec, pages.operator)
        self.maker = FormMaker(pages.operator, lambda item: pages.view.registry.lookup_url(item.references))
        self.form = self.maker.make(self.items)
        self.checked: set[str] = set()
        self.modes: dict[str, str] = {}
        self.faulty = False
        #: Ticked settings that have no value yet.
        self.blank: set[str] = set()
        for field in self.form:
            self._as_editor(field)

    def _as_editor(self, field: Any) -> None:
        """A field of the bulk page starts empty and is asked for only when its box is ticked."""
        field.readonly = False
        field.required = False
        if field.kind == "check":
            field.kind = "select"
            field.choices = [("1", gettext("Ja")), ("0", gettext("Nein"))]
        if field.kind == "textarea":
            field.wide = 1
        field.value = ""

    def answer(self) -> Any:
        if request.method == "POST" and (
            "change" in request.form or "_do" in request.form or "X-Fragment" in request.headers
        ):
            values = self._values()
            if request.headers.get("X-Fragment") == "bulk_preview":
                return render_template("appadmin/bulk_preview.html", preview=self._preview(values), fragment=True)
            # Without the plan that was looked at nothing is applied.
            if request.form.get("_do") == "apply" and not self.faulty and values and request.form.get("plan"):
                return self._start(values) if self.pages.count > AT_ONCE else self._apply(values)
            return self._draw(self._preview(values))
        return self._draw(self._preview({}))

    def _values(self) -> dict[str, Any]:
        """What is to be set, by field; faults stay in the form's fields."""
        posted = request.form
        self.checked = {name for name in posted.getlist("change") if name in self.form}
        values: dict[str, Any] = {}
        for field in self.form:
            name = field.spec.name
            self.modes[name] = posted.get(f"mode-{name}", "set")
            if name not in self.checked:
                continue
            if self.modes[name] == "clear":
                values[name] = None
                continue
            field.read(posted, set(), self.maker.names)
            if not field.errors and field.parsed in (None, ""):
                words = gettext("Bitte einen Wert angeben oder „leeren“ wählen.")
                field.errors = [words if field.spec.nullable else gettext("Bitte einen Wert angeben.")]
                self.blank.add(name)
            if field.errors:
                self.faulty = True
                continue
            try:
                values[name] = field.spec.check(field.parsed)
            except FieldError as fault:
                field.errors = [fault.found()]
                self.faulty = True
        return values

    def _preview(self, values: dict[str, Any]) -> dict[str, Any]:
        empty = {"checked": "", "groups": [], "refused": [], "refused_count": 0, "mark_refused_url": "", "changed": 0}
        confirm = gettext("Ändern")
        faults = [f"{field.label}: {sentence}" for field in self.form for sentence in field.errors]
        if faults:
            # Whoever has just ticked a box has done nothing wrong yet.
            waiting = all(field.spec.name in self.blank for field in self.form if field.errors)
            state = "empty" if waiting and "X-Fragment" in request.headers else "faulty"
            return {"state": state, "text": " ".join(faults), "plan": "", "confirm_label": confirm, **empty}
        if not values:
            text = gettext("Wählen Sie links, was geändert werden soll. Hier sehen Sie dann, was geschehen würde.")
            return {"state": "empty", "text": text, "plan": "", "confirm_label": confirm, **empty}
        without_refused = request.form.get("_without_refused") == "1"
        try:
            plan = self.action.preview(self.pages.selection, values)
            refused = plan.refused
            if without_refused and refused:
                kept = self.action.preview(self.pages.selection, values, [key for key, _t, _r in refused])
                plan = AssignPlan(kept.count, kept.changed, kept.groups, refused, kept.state)
        except FaultList as fault:
            return {"state": "faulty", "text": str(fault), "plan": "", "confirm_label": confirm, **empty}
        possible = plan.changed if without_refused or not refused else 0
        return {
            "state": "ready",
            "text": self._sentence(plan, len(refused), without_refused),
            "checked": gettext("gerade geprüft"),
            "job": runs_as_job(self.pages.count),
            "groups": self._groups(plan),
            "refused": [(title, self.pages.view.record_url(key), reason) for key, title, reason in refused[:_LISTED]],
            "refused_count": len(refused),
            "mark_refused_url": self._mark_url([key for key, _t, _r in refused]) if refused else "",
            "without_refused": without_refused,
            "changed": possible,
            "plan": plan.state,
            "confirm_label": self.change_label(possible) if possible else confirm,
        }

    def change_label(self, count: int) -> str:
        return gettext("%(what)s ändern", what=counted(self.spec, count))

    def _sentence(self, plan: AssignPlan, refused: int, without: bool) -> str:
        total = plan.count + (refused if without else 0)
        same = plan.count - plan.changed - (0 if without else refused)
        if not plan.changed:
            if total == 1:
                return gettext("Die Werte sind schon so.")
            return gettext("Alle %(count)s haben diese Werte schon.", count=format_number(total))
        changed = plan.changed if without else max(plan.changed - refused, 0)
        what = counted(self.spec, changed)
        parts = [ngettext("%(what)s wird geändert", "%(what)s werden geändert", changed, what=what)]
        if same > 0:
            parts.append(ngettext("%(count)s hat die Werte schon", "%(count)s haben die Werte schon", same))
        if refused:
            parts.append(gettext("%(count)s nicht", count=format_number(refused)))
        return ", ".join(parts) + "."

    def _groups(self, plan: AssignPlan) -> list[tuple[int, str, str, str, str]]:
        rows = []
        for name, groups in plan.groups.items():
            label = str(self.spec.field(name).label)
            shown_groups = groups[:5]
            for group in shown_groups:
                rows.append(self._group_row(label, group))
            rest = groups[5:]
            if rest:
                note = ngettext("und %(count)s weiterer Wert", "und %(count)s weitere Werte", len(rest))
                rows.append((sum(group.count for group in rest), label, "", "", note))
        return rows

    @staticmethod
    def _group_row(label: str, group: ValueGroup) -> tuple[int, str, str, str, str]:
        if group.same:
            return group.count, label, "", "", gettext("hat den Wert schon: %(value)s", value=group.new)
        return group.count, label, group.old, group.new, ""

    def _mark_url(self, keys: list[int]) -> str:
        chosen = Selection.of_keys(self.spec, self.pages.operator, keys).store()
        return self.pages.view.list_url(selection=chosen.token, only="marked")

    def _start(self, values: dict[str, Any]) -> Any:
        return start_change(
            self.pages,
            values,
            expected=request.form.get("plan", ""),
            without_refused=request.form.get("_without_refused") == "1",
            reason=posted_reason(),
        )

    def _apply(self, values: dict[str, Any]) -> Any:
        without: list[int] = []
        if request.form.get("_without_refused") == "1":
            plan = self.action.preview(self.pages.selection, dict(values))
            without = [key for key, _title, _reason in plan.refused]
        change = self.action.plan(
            self.pages.selection,
            values,
            expected=request.form.get("plan", ""),
            without=without,
            reason=posted_reason(),
        )
        try:
            applied = change.apply(self.pages.operator)
        except (PlanChanged, FaultList) as fault:
            preview = self._preview(values)
            preview["text"] = f"{fault} {preview['text']}"
            preview["state"] = "faulty"
            return self._draw(preview), 409
        parts = [gettext("%(what)s geändert", what=counted(self.spec, applied.updated))]
        same = self.pages.count - len(without) - applied.updated
        if same > 0:
            parts.append(ngettext("%(count)s hatte die Werte schon", "%(count)s hatten die Werte schon", same))
        if without:
            parts.append(gettext("%(count)s nicht", count=format_number(len(without))))
        return self.pages.done(", ".join(parts) + ".", applied.change_set)

    def _draw(self, preview: dict[str, Any]) -> str:
        layout = self.pages.view.form_layout
        today = self._today()
        sections: dict[str, list[dict[str, Any]]] = {}
        labels = {tab.key: str(tab.label) for tab in layout.tabs}
        for field in self.form:
            item = field.spec
            modes = [("set", gettext("setzen auf"))]
            if item.nullable:
                modes.append(("clear", gettext("leeren")))
            heading = labels.get(layout.tab_of(item.name), gettext("Weitere Angaben"))
            sections.setdefault(heading, []).append(
                {
                    "field": field,
                    "checked": item.name in self.checked,
                    "today": today.get(item.name, ""),
                    "modes": modes,
                    "mode": self.modes.get(item.name, "set"),
                }
            )
        return render_template(
            "appadmin/bulk_change.html",
            page_title=str(self.action.title),
            back=self.pages.back,
            subtitle=self.pages.subtitle,
            hint=str(self.action.notice),
            action=self.pages.url,
            preview_url=self.pages.url,
            hidden=self.pages.hidden(),
            sections=[{"title": heading, "rows": rows} for heading, rows in sections.items()],
            reason=posted_reason(),
            cancel_url=self.pages.list_url,
            preview=preview,
        )

    def _today(self) -> dict[str, str]:
        """What the marked records have now: the common value, or how many different ones."""
        if self.pages.count > _TODAY_LIMIT:
            return {}
        seen: list[set[Any]] = [set() for _item in self.items]
        for row in self.pages.selection.rows(self.items):
            for values, value in zip(seen, row[1:], strict=True):
                values.add(value)
        words = {}
        for item, values in zip(self.items, seen, strict=True):
            if len(values) == 1:
                text = shown(item, next(iter(values)), self.maker.names) or gettext("leer")
                words[item.name] = gettext("%(value)s (alle)", value=text) if self.pages.count > 1 else text
            else:
                words[item.name] = gettext("verschieden (%(count)s Werte)", count=len(values))
        return words

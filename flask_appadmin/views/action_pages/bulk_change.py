"""Bulk change: settings on the left, the preview of the very plan on the right.

Contexts: templates/appadmin/bulk_change.html, bulk_preview.html.
"""

from __future__ import annotations

from typing import Any

from flask import jsonify, render_template, request

from flask_appadmin.bulk import ChangeSettings
from flask_appadmin.changes.commonvalues import CommonValue, common_values
from flask_appadmin.errors import FaultList, NotAllowed, PlanChanged
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import format_number, gettext, ngettext
from flask_appadmin.selections import counted
from flask_appadmin.specs import FieldSpec, shown
from flask_appadmin.views.action_pages.bulk_preview import Preview, meanwhile, nothing_yet
from flask_appadmin.views.action_pages.bulk_settings import Assignments, Setting
from flask_appadmin.views.action_pages.large import AT_ONCE, start_change
from flask_appadmin.views.action_pages.request import ActionPages
from flask_appadmin.views.form_page import posted_reason

#: Up to this number the page itself says what the marked records have today; beyond, its script asks.
_TODAY_AT_ONCE = 500
_TODAY_SECONDS = 1.5


class ChangePage:
    """Bulk change: settings on the left, the preview of the very plan on the right."""

    def __init__(self, pages: ActionPages) -> None:
        assert isinstance(pages.action, ChangeSettings)
        self.pages = pages
        self.action: ChangeSettings = pages.action
        self.spec = pages.spec
        self.items = self.action.fields(self.spec, pages.operator)
        self.maker = FormMaker(pages.operator, lambda item: pages.view.registry.lookup_url(item.references))
        self.settings: dict[str, Any] = {
            field.spec.name: Setting(self.spec, field, pages.operator) for field in self.maker.make(self.items)
        }
        for child, item in self.action.children(self.spec, pages.operator):
            choices = self.maker.choices_of(item) if item.target is not None else None
            row = Assignments(child, item, choices)
            self.settings[row.name] = row

    def answer(self) -> Any:
        if request.headers.get("X-Fragment") == "bulk_today":
            return jsonify(self._today_answer())
        if request.method == "POST" and (
            "change" in request.form or "_do" in request.form or "X-Fragment" in request.headers
        ):
            values = self._values()
            if request.headers.get("X-Fragment") == "bulk_preview":
                return render_template("appadmin/bulk_preview.html", preview=self._preview(values), fragment=True)
            done = request.form.get("_do", "")
            if done in ("refused_xlsx", "refused_csv") and values and not self.is_faulty:
                return self._planned(values).send_refused(done.removeprefix("refused_"))
            # Without the plan that was looked at nothing is applied.
            if done == "apply" and not self.is_faulty and values and request.form.get("plan"):
                return self._start(values) if self.pages.count > AT_ONCE else self._apply(values)
            return self._draw(self._preview(values))
        return self._draw(self._preview({}))

    @property
    def is_faulty(self) -> bool:
        return any(row.errors for row in self.settings.values())

    def _values(self) -> dict[str, Any]:
        """What is to become of what; faults stay with the settings."""
        posted = request.form
        ticked = set(posted.getlist("change"))
        for name in sorted(ticked - set(self.settings)):
            self._refuse(name)
        values: dict[str, Any] = {}
        for name, row in self.settings.items():
            row.checked = name in ticked
            if not row.checked:
                row.keep(posted)
                continue
            found = row.read(posted, self.maker.names)
            if not row.errors:
                values[name] = found
        return values

    def _refuse(self, name: str) -> None:
        """A setting that is not on this page of this operator was sent by no page of ours."""
        item = self.spec.by_name.get(name)
        if item is not None and item.right:
            self.pages.operator.require(f"{item.right}.edit")
        label = str(item.label) if item is not None and not item.secret else gettext("unbekanntes Feld")
        raise NotAllowed("bulk.edit", gettext("%(field)s: für viele Datensätze ändern", field=label))

    def _planned(self, values: dict[str, Any]) -> Preview:
        return Preview(self.pages, values, without_refused=request.form.get("_without_refused") == "1")

    def _preview(self, values: dict[str, Any]) -> dict[str, Any]:
        rows = [row for row in self.settings.values() if row.errors]
        if rows:
            faults = [f"{row.label}: {sentence}" for row in rows for sentence in row.errors]
            # Whoever has just ticked a box has done nothing wrong yet.
            waiting = all(row.blank for row in rows) and "X-Fragment" in request.headers
            return nothing_yet(" ".join(faults), "empty" if waiting else "faulty")
        if not values:
            return nothing_yet(
                gettext("Wählen Sie links, was geändert werden soll. Hier sehen Sie dann, was geschehen würde.")
            )
        try:
            return self._planned(values).context()
        except FaultList as fault:
            return nothing_yet(str(fault), "faulty")

    def _start(self, values: dict[str, Any]) -> Any:
        return start_change(
            self.pages,
            values,
            expected=request.form.get("plan", ""),
            without_refused=request.form.get("_without_refused") == "1",
            reason=posted_reason(),
        )

    def _apply(self, values: dict[str, Any]) -> Any:
        planned = self._planned(dict(values))
        refused: list[tuple[int, str, str]] = []
        try:
            if planned.without_refused:
                planned.plan()
                refused = planned.refused
            change = self.action.plan(
                self.pages.selection,
                values,
                expected=request.form.get("plan", ""),
                without=[key for key, _title, _reason in refused],
                reason=posted_reason(),
                refused=refused,
            )
            applied = change.apply(self.pages.operator)
        except (PlanChanged, FaultList) as fault:
            preview = self._preview(values)
            preview["text"] = f"{fault} {preview['text']}"
            preview["state"] = "faulty"
            if isinstance(fault, PlanChanged):
                preview["meanwhile"] = meanwhile(self.pages, fault.rows)
            return self._draw(preview), 409
        parts = [gettext("%(what)s geändert", what=counted(self.spec, applied.updated))]
        same = self.pages.count - len(refused) - applied.updated
        if same > 0:
            parts.append(ngettext("%(count)s hatte die Werte schon", "%(count)s hatten die Werte schon", same))
        if refused:
            parts.append(gettext("%(count)s nicht", count=format_number(len(refused))))
        return self.pages.done(", ".join(parts) + ".", applied.change_set)

    # --- the page -----------------------------------------------------------------------------------------------------

    def _draw(self, preview: dict[str, Any]) -> str:
        layout = self.pages.view.form_layout
        at_once = not self.pages.capped and self.pages.count <= _TODAY_AT_ONCE
        today = self._today_words(self.items) if at_once else {}
        sections: dict[str, list[dict[str, Any]]] = {}
        labels = {tab.key: str(tab.label) for tab in layout.tabs}
        for name, row in self.settings.items():
            if row.is_relation:
                heading = gettext("Zuordnungen")
            else:
                heading = labels.get(layout.tab_of(name), gettext("Weitere Angaben"))
            words, counts = today.get(name, ("", ""))
            sections.setdefault(heading, []).append({"setting": row, "today": words, "counts": counts})
        lists = {
            row.copy_list: [str(item.label) for item in row.copy_sources()]
            for row in self.settings.values()
            if not row.is_relation
        }
        return render_template(
            "appadmin/bulk_change.html",
            page_title=str(self.action.title),
            back=self.pages.back,
            subtitle=self.pages.subtitle,
            hint=str(self.action.notice),
            action=self.pages.url,
            preview_url=self.pages.url,
            today_url="" if at_once else f"{self.pages.url}?selection={self.pages.selection.token}",
            hidden=self.pages.hidden(),
            sections=[
                {"key": f"s{number}", "title": heading, "rows": rows}
                for number, (heading, rows) in enumerate(sections.items(), 1)
            ],
            copy_lists={name: found for name, found in lists.items() if found},
            reason=posted_reason(),
            cancel_url=self.pages.list_url,
            preview=preview,
        )

    def _today_words(self, items: tuple[FieldSpec, ...] | list[FieldSpec]) -> dict[str, tuple[str, str]]:
        """Field -> (what the marked records have now, the most frequent values with their counts)."""
        found = common_values(self.pages.selection, items, self.pages.count, seconds=_TODAY_SECONDS)
        return {item.name: self._words_of(item, found[item.name]) for item in items if item.name in found}

    def _words_of(self, item: FieldSpec, common: CommonValue) -> tuple[str, str]:
        def text_of(value: Any) -> str:
            return shown(item, value, self.maker.names) or gettext("leer")

        if common.number == 1:
            value, records = common.most[0]
            return (gettext("%(value)s (alle)", value=text_of(value)) if records > 1 else text_of(value)), ""
        counts = [f"{format_number(records)} × {text_of(value)}" for value, records in common.most]
        if common.number > len(common.most):
            counts.append("…")
        words = gettext("verschieden (%(count)s Werte)", count=format_number(common.number))
        return words, ", ".join(counts)

    def _today_answer(self) -> dict[str, Any]:
        """What the script asks for: {"today": {field: [words, counts]}, "rest": fields there was no time for}."""
        wanted = set(request.args.get("names", "").split(",")[:500]) & {item.name for item in self.items}
        items = [item for item in self.items if item.name in wanted]
        found = self._today_words(items)
        return {"today": found, "rest": [item.name for item in items if item.name not in found]}

"""Labels: format, start on a used sheet, copies, and what the application lets choose.

Context: templates/appadmin/labels.html.
"""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from flask_appadmin.bulk import (
    PrintLabels,
)
from flask_appadmin.digits import is_number
from flask_appadmin.errors import AppAdminError, FieldError
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.labels import LabelFormat, find_format
from flask_appadmin.selections import CAP, Selection
from flask_appadmin.views.action_pages.large import LABELS_AT_ONCE, start_labels
from flask_appadmin.views.action_pages.request import ActionPages

#: The labels of so many records are looked at for a page that speaks of more than CAP.
_SAMPLE = 50
_LISTED = 20


class LabelsPage:
    """Labels: format, start on a used sheet, copies, and what the application lets choose."""

    def __init__(self, pages: ActionPages) -> None:
        assert isinstance(pages.action, PrintLabels)
        self.pages = pages
        self.action: PrintLabels = pages.action

    def answer(self) -> Any:
        errors: list[str] = []
        values: dict[str, Any] = self._defaults()
        if request.method == "POST" and "format" in request.form:
            try:
                values |= self._posted()
                if request.form.get("_do") != "preview":
                    difference = self.pages.difference()
                    if difference:
                        return self._draw(values, [difference]), 409
                    if self.pages.count * values["copies"] > LABELS_AT_ONCE:
                        return start_labels(self.pages, values)
                    return self.pages.send(self.action, values)
            except AppAdminError as fault:
                errors.append(str(fault))
        return self._draw(values, errors), 422 if errors else 200

    def _defaults(self) -> dict[str, Any]:
        formats = list(LabelFormat.select().order_by(LabelFormat.id).limit(1))
        if not formats:
            raise AppAdminError(gettext("Es gibt noch kein Etikettenformat. Bitte legen Sie eines an."))
        chosen = {name: choices[0][0] for name, _label, choices in self.action.choices()}
        return {"format": formats[0], "start": 1, "copies": formats[0].copies or 1, **chosen}

    def _posted(self) -> dict[str, Any]:
        posted = request.form
        values: dict[str, Any] = {"format": find_format(posted.get("format", ""))}
        values["start"] = _whole(
            posted.get("start", "1"), gettext("Erstes freies Etikett"), 1, values["format"].geometry().per_page
        )
        values["copies"] = _whole(posted.get("copies", "1"), gettext("Exemplare je Anschrift"), 1, 100)
        for name, label, choices in self.action.choices():
            text = posted.get(name, choices[0][0])
            if text not in dict(choices):
                raise FieldError(label, text, gettext("gibt es hier nicht"))
            values[name] = text
        return values

    def _draw(self, values: dict[str, Any], errors: list[str]) -> str:
        chosen = values["format"]
        pages = self.pages
        # To lay out a million labels takes minutes: their page shows a few of them, and tells that the rest will be.
        many = pages.capped or pages.count > CAP
        shown_ones = pages.selection
        if many:
            shown_ones = Selection.of_keys(pages.spec, pages.operator, pages.selection.key_list(_SAMPLE))
        found = self.action.labels(shown_ones, values)
        number = len(found.labels) * values["copies"]
        per_page = chosen.geometry().per_page
        sheets = -(-(number + values["start"] - 1) // per_page) if number else 0
        fields = [
            {
                "name": name,
                "kind": "select",
                "label": str(label),
                "value": values[name],
                "choices": [(value, str(text)) for value, text in choices],
                "required": True,
            }
            for name, label, choices in self.action.choices()
        ]
        total = gettext(
            "%(labels)s Etiketten auf %(sheets)s Bögen", labels=format_number(number), sheets=format_number(sheets)
        )
        if many:
            total = gettext("Etiketten für %(what)s", what=pages.what)
        return render_template(
            "appadmin/labels.html",
            page_title=str(self.action.label),
            back=self.pages.back,
            subtitle=self.pages.subtitle,
            action=self.pages.url,
            hidden=self.pages.hidden(),
            formats=[
                _format_context(each, each.id == chosen.id) for each in LabelFormat.select().order_by(LabelFormat.id)
            ],
            start=values["start"],
            copies=values["copies"],
            fields=fields,
            count="" if many else len(found.labels),
            count_url=pages.count_url,
            sample=found.labels[0] if found.labels else [],
            skipped=[
                (title, self.pages.view.record_url(key), reason) for key, title, reason in found.skipped[:_LISTED]
            ],
            skipped_count=0 if many else len(found.skipped),
            errors=errors,
            total_text=total,
        )


def _format_context(each: LabelFormat, chosen: bool) -> dict[str, Any]:
    geometry = each.geometry()
    return {
        "value": each.name,
        "label": each.name,
        "page": (geometry.page_width, geometry.page_height),
        "label_size": (geometry.label_width, geometry.label_height),
        "margin": (geometry.margin_left, geometry.margin_top),
        "pitch": (geometry.pitch_x, geometry.pitch_y),
        "columns": geometry.columns,
        "rows": geometry.rows,
        "chosen": chosen,
    }


def _whole(text: str, label: str, low: int, high: int) -> int:
    text = text.strip() or str(low)
    if not is_number(text, 6) or not low <= int(text) <= high:
        advice = gettext("Erlaubt ist %(low)s bis %(high)s.", low=low, high=high)
        raise FieldError(label, text, gettext("passt hier nicht"), advice)
    return int(text)

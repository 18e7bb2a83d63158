"""The dialog of a copy: the numbers it gets, and the way to it.

Context: templates/appadmin/confirm.html.
"""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from flask_appadmin.bulk import (
    CopyRecord,
)
from flask_appadmin.errors import FaultList
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import gettext
from flask_appadmin.views.action_pages.confirming import ConfirmPage


class CopyPage(ConfirmPage):
    """Asks for the numbers of the copy, makes it, and leads to it."""

    def answer(self) -> Any:
        action = self.pages.action
        assert isinstance(action, CopyRecord)
        key = action.key_of(self.pages.selection)
        items = action.fields(self.spec)
        maker = FormMaker(self.pages.operator)
        form = maker.make(items, is_new=True)
        proposed = action.proposals(self.spec)
        for field in form:
            field.readonly = False
            field.show(proposed.get(field.spec.name))
            field.hint = _copy_hint(field, proposed)
            field.required = field.required and field.spec.copy == "clear"
        problems: list[tuple[str, str, str]] = []
        if request.method == "POST" and request.form.get("_do") == "copy":
            form.read(request.form, set(), maker.names)
            values = {name: value for name, value in form.posted_values().items() if value is not None}
            if not form.has_errors:
                change = action.plan(self.pages.selection, values)
                try:
                    applied = change.apply(self.pages.operator)
                    made = change.made  # type: ignore[attr-defined]
                    title = self.pages.titles([made.key])[made.key]
                    text = gettext("Kopie angelegt: %(title)s", title=title)
                    return self.pages.done(text, applied.change_set, self.pages.view.record_url(made.key))
                except FaultList as refused:
                    for fault in refused.faults:
                        name = getattr(fault, "field", "")
                        if isinstance(name, str) and name in form:
                            form[name].errors = [fault.found()]  # type: ignore[attr-defined]
                        else:
                            problems.append(("", "", str(fault)))
        title = self.pages.titles([key])[key]
        words = gettext("Die Kopie ist danach geöffnet; das Original bleibt, wie es ist.")
        context = self.common() | {
            "page_title": gettext("%(label)s kopieren", label=str(self.spec.label))
            if not action.full
            else gettext("%(label)s vollständig kopieren", label=str(self.spec.label)),
            "text": gettext("Vorlage: %(title)s. %(words)s", title=title, words=words),
            "counts": self.child_counts([key]) if action.full else [],
            "fields": list(form),
            "hidden": [*self.pages.hidden(), ("_do", "copy")],
            "confirm_label": str(action.confirm_label or action.label),
            "problems": {"text": gettext("So geht es nicht"), "rows": problems} if problems else None,
        }
        return render_template("appadmin/confirm.html", **context), 422 if problems or form.has_errors else 200


def _copy_hint(field: Any, proposed: dict[str, Any]) -> str:
    if proposed.get(field.spec.name) is not None:
        return gettext("vorgeschlagen")
    given = not field.required and (field.spec.natural_key or not proposed)
    return gettext("leer: wird vergeben") if given else ""

"""The list's edit mode: which columns may be edited, what stands in their cells, and the inputs they turn into.

Shape: the page gets one blank input per column (as a child grid has it) and, for each row, what its cells hold: an
entry is [stored as JSON, as typed, title of a reference], cut where the rest follows from the first; None for a cell
that stays text. The input is put into a cell when somebody works there (static/appadmin/js/cells.js), so a page of 200
rows is drawn as fast as any other. What was typed is saved by `saving.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import url_for

from flask_appadmin import lists
from flask_appadmin.errors import NotAllowed
from flask_appadmin.forms import FormMaker, SpecField
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import RIGHTS, Operator, may_edit, may_read_full
from flask_appadmin.specs import FieldSpec, ReferenceCache

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView


def refusal(item: FieldSpec, operator: Operator) -> str:
    """Why the cells of a column stay text, "" where they may be edited."""
    if item.is_system or item.read_only is True:
        return gettext("Dieses Feld füllt das Programm selbst.")
    if item.read_only == "after_first_save":
        return gettext("Dieses Feld ist fest, sobald der Datensatz gespeichert ist.")
    if not may_edit(operator, item):
        right = f"{item.right}.edit"
        return NotAllowed(right, RIGHTS.get(right, right)).sentence()
    if item.secret or not may_read_full(operator, item):
        return gettext("Dieses Feld ist hier verdeckt und lässt sich nur im Formular neu setzen.")
    if item.type.name == "json":
        return gettext("Dieses Feld lässt sich nur im Formular ändern.")
    return ""


def maker_of(view: AppModelView, operator: Operator) -> FormMaker:
    return FormMaker(operator, lambda item: view.registry.lookup_url(item.references))


def entry(field: SpecField, value: Any, names: ReferenceCache) -> list[Any]:
    """What a cell holds; see above."""
    item = field.spec
    stored = item.type.to_json(value, item)
    if stored is None:
        return [None]
    if field.kind == "lookup":
        return [stored, str(stored), names.titles(item.references, {value})[value]]
    field.show(value)
    typed = field.value
    return [stored] if typed in (stored, str(stored)) else [stored, typed]


class CellEditing:
    """A page of the list in edit mode."""

    def __init__(self, view: AppModelView, operator: Operator, page: lists.Page) -> None:
        self.view = view
        self.operator = operator
        self.page = page
        self.reasons = [refusal(item, operator) for item in page.columns]
        items = tuple(item for item, reason in zip(page.columns, self.reasons, strict=True) if not reason)
        self.form = maker_of(view, operator).make(items)

    def context(self) -> dict[str, Any]:
        columns = []
        for item, reason in zip(self.page.columns, self.reasons, strict=True):
            kind = "" if reason else self.form[item.name].kind
            columns.append(
                {
                    "name": item.name,
                    "label": self.view.heading(item)[0],
                    "kind": kind,
                    "reference": item.target is not None,
                    "fixed": reason,
                }
            )
        content = {"columns": columns, "rows": self._entries()}
        self.form.show({})  # the inputs wait empty; each cell brings its own content
        return {
            "url": url_for(f"{self.view.endpoint}.save_cells"),
            "operator": self.operator.user_id or "",
            "fields": list(self.form),
            "content": content,
        }

    def _entries(self) -> dict[str, list[Any]]:
        fields = [
            None if reason else self.form[item.name]
            for item, reason in zip(self.page.columns, self.reasons, strict=True)
        ]
        names = self.page.names
        for position, field in enumerate(fields, 1):
            if field is not None and field.kind == "lookup":
                target = field.spec.references
                names.titles(target, {row[position] for row in self.page.rows if row[position] is not None})
        return {
            str(row[0]): [
                None if field is None or _is_fixed(field.spec, value) else entry(field, value, names)
                for field, value in zip(fields, row[1:], strict=False)
            ]
            for row in self.page.rows
        }

    def plain(self, rows: list[Any]) -> list[Any]:
        """The rows as they are drawn here: no links and no stand-ins where something can be typed."""
        plain = []
        for read, (key, url, checked, title, cells) in zip(self.page.rows, rows, strict=True):
            shown = [
                drawn if reason else (drawn[0], drawn[1] if value is not None else "", "")
                for drawn, reason, value in zip(cells, self.reasons, read[1:], strict=False)
            ]
            plain.append((key, url, checked, title, shown))
        return plain


def _is_fixed(item: FieldSpec, value: Any) -> bool:
    return item.read_only == "once_filled" and value is not None

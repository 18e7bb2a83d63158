"""Windows in which a record begins: few fields in a dialog, and what becomes of them as one change set.

Shape: a view declares `entry_windows`; each has a button beside that for a new record. GET is the window, or a page of
its own (windows.py). POST plans, applies and leads on to the record.
Errors: all faults at once stand at their fields, with status 422; the window stays and keeps what was typed. A password
is the exception: the server does not send it back, the script keeps it in its field.
Contexts: templates/appadmin/entry.html.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import redirect, render_template, request, session, url_for

from flask_appadmin.arrangements import starting_values
from flask_appadmin.changes import ChangeSet, NewRecord
from flask_appadmin.errors import AppAdminError, FaultList, FieldError, MissingValue, NotFound
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.specs import FieldSpec, spec_of
from flask_appadmin.views import places
from flask_appadmin.views.windows import for_window, in_window

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView


@dataclass(frozen=True)
class Asked:
    """A field of an entry window; the names of all fields of a window differ."""

    model: Any
    name: str
    #: Asked for here, though the model could do without.
    required: bool = False

    @functools.cached_property
    def item(self) -> FieldSpec:
        found = spec_of(self.model).field(self.name)
        return replace(found, required=True) if self.required else found


@dataclass(frozen=True)
class EntryWindow:
    """What a window asks for, and what is made of it."""

    #: In its address: /admin/<table>/begin/<name>.
    name: str
    label: Any
    fields: tuple[Asked, ...]
    #: Puts the steps into the set and answers the record that is opened afterwards; may raise FaultList.
    plan: Callable[[ChangeSet, dict[str, Any]], NewRecord]
    #: A sentence above the fields.
    lead: Any = ""
    #: What the button says; "" says „Anlegen“.
    button: Any = ""
    #: A letter that opens it from the list, or "".
    key: str = ""
    #: The history says this of it.
    reason: Any = ""
    #: Whether the list offers it; other pages link to it themselves.
    listed: bool = True
    #: Empty references of new records offer it; what begins there comes into the field (js/windows.js).
    fills_references: bool = False
    #: Where to go with the new record's key; None: to its form.
    lead_to: Callable[[int], str] | None = None


class EntryPage:
    """One request for an entry window."""

    def __init__(self, view: AppModelView, operator: Operator, name: str) -> None:
        operator.require(f"{view.spec.right}.create")
        found = next((window for window in view.entry_windows if window.name == name), None)
        if found is None:
            raise NotFound()
        self.view = view
        self.window = found
        self.operator = operator
        self.maker = FormMaker(operator, lambda item: view.registry.lookup_url(item.references))
        self.form = self.maker.make(tuple(asked.item for asked in found.fields), is_new=True)

    def answer(self) -> Any:
        return for_window(self._answer())

    def _answer(self) -> Any:
        values: dict[str, Any] = {}
        for asked in self.window.fields:
            values |= starting_values(self.operator, spec_of(asked.model), (asked.item,))
        self.maker.show(self.form, values, self.view.spec)
        if request.method != "POST":
            return self._draw([])
        self.form.read(request.form, set(request.form.getlist("_shown")), self.maker.names)
        for field in self.form:
            if field.required and not field.errors and field.parsed in (None, "", False):
                field.errors = [self._please(field)]
        change = ChangeSet("form", reason=str(self.window.reason))
        try:
            record = self.window.plan(change, self.form.posted_values())
            if not self.form.has_errors:
                change.apply(self.operator)
                return self._made(record.key or 0)
            change.rehearse(self.operator)
        except FaultList as refused:
            return self._draw(refused.faults)
        return self._draw([])

    def _please(self, field: Any) -> str:
        label, _help = self.view.heading(field.spec)
        return gettext("Bitte „%(label)s“ ausfüllen.", label=label)

    def _made(self, key: int) -> Any:
        view = self.view
        view.registry.forget_total(view.spec)
        url = self.window.lead_to(key) if self.window.lead_to is not None else view.record_url(key)
        session["toast"] = {"text": gettext("Angelegt."), "undo_url": ""}
        answer = redirect(url)
        if self.window.fills_references:
            # The title can have letters that no header takes.
            answer.headers["X-Record"] = f"{key} {quote(ReferenceCache().titles(view.spec, {key})[key])}"
        return answer

    def _draw(self, faults: list[AppAdminError]) -> Any:
        fields = {field.spec.name: field for field in self.form}
        others = []
        for fault in faults:
            field = fields.get(getattr(fault, "field", ""))
            if field is None:
                others.append(fault.sentence())
            elif not field.errors and isinstance(fault, FieldError):
                field.errors = [self._please(field) if isinstance(fault, MissingValue) else fault.found()]
        for field in self.form:
            field.label, field.help = self.view.heading(field.spec)
            if field.kind == "secret":
                field.kind, field.value = "password", ""
        context = {
            "page_title": str(self.window.label),
            "url": url_for(f"{self.view.endpoint}.begin_view", window_name=self.window.name),
            "list_url": places.remembered_list(self.view.spec) or self.view.list_url(),
            "lead": str(self.window.lead),
            "button": str(self.window.button or gettext("Anlegen")),
            "fields": list(self.form),
            "errors": others,
            "in_window": in_window(),
        }
        return render_template("appadmin/entry.html", **context), 200 if request.method != "POST" else 422

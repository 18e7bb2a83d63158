"""„Suchen“ (F10): a window with the fields by which people look for a record, and what becomes of the answer.

Shape: a GET with the fields under their names. `do=list` leads to the list with these filters; `do=show` marks all that
was found and opens the first record, from which one steps to the others. Without `do` it is the window itself: a page
of its own, or the part of it that a script puts into a dialog (header `X-Fragment: search_window`).
Errors: a value that cannot be read comes back in the window with its sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from flask import redirect, render_template, request, url_for

from flask_appadmin.errors import FilterError
from flask_appadmin.filters import Filter, operations_for
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_read_full
from flask_appadmin.search import indexed_fields
from flask_appadmin.selections import Selection
from flask_appadmin.specs import FieldSpec, ReferenceCache
from flask_appadmin.views import places
from flask_appadmin.views.choosing import as_in_url
from flask_appadmin.views.list_page import ListPage

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: A window that nobody declared has so many fields.
_MOST = 9


class SearchWindow:
    """One request for the search window of a table."""

    def __init__(self, view: AppModelView, operator: Operator) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        operator.require(f"{self.spec.right}.read")

    def answer(self) -> Any:
        if not request.args.get("do"):
            return self._draw()
        try:
            pairs = self._pairs()
            found = self.view.filter_of(pairs, self.operator)
        except FilterError as fault:
            return self._draw(fault.sentence()), 400
        if request.args["do"] == "show":
            return self._show(found)
        return redirect(self._list_url(self.view.url_pairs(found)))

    def _list_url(self, pairs: list[tuple[str, str]]) -> str:
        return f"{self.view.list_url()}?{urlencode(pairs)}" if pairs else self.view.list_url()

    def _show(self, found: Filter) -> Any:
        """Marks what was found and opens the first of it."""
        listing = ListPage(self.view, self.operator)
        page = listing.read(found)
        pairs = self.view.url_pairs(found)
        if not page.rows:
            return redirect(self._list_url(pairs))
        selection = Selection.of_filter(found, self.operator).store()
        places.remember_place(self.spec, self.view.list_url(), [*pairs, ("selection", selection.token)])
        listing.remember_rows(page)
        return redirect(self.view.record_url(page.rows[0][0]))

    def fields(self) -> tuple[FieldSpec, ...]:
        """The fields of the window; without a declaration what the record is called and found by."""
        named = tuple(self.spec.field(name) for name in self.view.search_window_fields)
        usual = dict.fromkeys((*self.spec.natural_key, *self.spec.title_specs, *self.spec.search_fields))
        return tuple(
            item
            for item in (named or tuple(usual)[:_MOST])
            if may_read_full(self.operator, item) and operations_for(item) and not item.masked
        )

    def _pairs(self) -> list[tuple[str, str]]:
        """What was typed as the list's address says it: texts by a part of them, a phone number by its digits."""
        pairs = []
        for item in self.fields():
            text = request.args.get(item.name, "").strip()
            if not text:
                continue
            if item.kind == "phone" and item in indexed_fields(self.spec):
                pairs.append(("search", text))
            else:
                if item.type.is_number or item.type.name == "date":
                    text = as_in_url(item, text)
                operation = operations_for(item)[0].key if item.type.name in ("text", "multiline") else ""
                pairs.append((f"{item.name}__{operation}" if operation else item.name, text))
        named = {name.partition("__")[0] for name, _text in pairs}
        for key, _label, query in self.view.exclusions:
            if key in request.args:
                pairs += [pair for pair in parse_qsl(query) if pair[0].partition("__")[0] not in named]
        return pairs

    def _draw(self, error: str = "") -> Any:
        maker = FormMaker(self.operator)
        names = ReferenceCache()
        context = {
            "page_title": gettext("%(plural)s suchen", plural=str(self.spec.plural)),
            "url": url_for(f"{self.view.endpoint}.find_view"),
            "list_url": places.remembered_list(self.spec) or self.view.list_url(),
            "fields": [self._field(item, maker, names) for item in self.fields()],
            "exclusions": [(key, str(label), key in request.args) for key, label, _query in self.view.exclusions],
            "error": error,
        }
        part = request.headers.get("X-Fragment") == "search_window"
        return render_template("appadmin/search_window.html" if part else "appadmin/find.html", **context)

    def _field(self, item: FieldSpec, maker: FormMaker, names: ReferenceCache) -> dict[str, Any]:
        choices: list[tuple[str, str]] = []
        if item.type.name == "choice":
            choices = [(code, str(label)) for code, label in item.choices]
        elif item.type.name == "bool":
            choices = [("1", gettext("Ja")), ("0", gettext("Nein"))]
        elif item.target is not None:
            options = maker.choices_of(item) or []
            codes = names.codes(item.references, {int(key) for key, _text in options})
            choices = [(codes[int(key)], text) for key, text in options]
        return {
            "name": item.name,
            "label": self.view.filter_label(item),
            "value": request.args.get(item.name, "").replace("\x00", "")[:200],
            "choices": choices,
            "numeric": item.type.is_number or item.kind == "phone",
        }

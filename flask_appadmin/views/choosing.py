"""Choosing many records by what they have in common: a page of questions whose answer is the list with these filters.

Shape: a GET with the fields under their paths (`city`, `address.country`; numbers and dates with `__from` and `__to`),
and `do=list` (show the list) or `do=mark` (mark everything that was found, too). What stands there is a filter like any
other: it can be read, changed and kept as a link. Errors: a value that cannot be read comes back with its sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from flask import redirect, render_template, request, url_for

from flask_appadmin.errors import FieldError, FilterError, NotFound
from flask_appadmin.filters import field_at
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_read_full, visible
from flask_appadmin.selections import Selection
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache, spec_of

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

_RANGES = ("integer", "decimal", "date", "datetime")

#: Proposals for a text come from so many of the newest rows.
_LOOKED_AT = 5_000
_PROPOSED = 60


@dataclass(frozen=True)
class Choosing:
    """What the page of a model asks."""

    label: Any
    #: Heading -> paths of fields.
    groups: tuple[tuple[Any, tuple[str, ...]], ...]
    #: Ready questions: (name, label, ((value, label, filter as text of a URL), …)).
    ways: tuple[tuple[str, Any, tuple[tuple[str, Any, str], ...]], ...] = ()
    #: A filter that always holds, and the sentence that says so.
    always: str = ""
    note: Any = ""


def as_in_url(item: FieldSpec, text: str) -> str:
    """A number or date as people type it („1.000“) as a filter's address has it ("1000"); raises FilterError."""
    try:
        return str(item.type.to_json(item.parse(text.replace("\x00", "?")), item))
    except FieldError as fault:
        raise FilterError(item.name, fault.found()) from fault


class ChoosePage:
    """One request for the page of a table."""

    def __init__(self, view: AppModelView, operator: Operator) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        operator.require(f"{self.spec.right}.read")
        if view.choosing is None:
            raise NotFound()
        self.choosing: Choosing = view.choosing

    def answer(self) -> Any:
        if not request.args.get("do"):
            return self._draw()
        try:
            found = self.view.filter_of(self._pairs(), self.operator)
        except FilterError as fault:
            return self._draw(fault.sentence()), 400
        pairs = self.view.url_pairs(found)
        if request.args["do"] == "mark":
            pairs.append(("selection", Selection.of_filter(found, self.operator).store().token))
        return redirect(f"{self.view.list_url()}?{urlencode(pairs)}")

    def _items(self, paths: tuple[str, ...]) -> Iterator[tuple[str, FieldSpec]]:
        for path in paths:
            item = field_at(self.spec, path)
            if item is not None and may_read_full(self.operator, item):
                yield path, item

    def _pairs(self) -> list[tuple[str, str]]:
        pairs = []
        for _heading, paths in self.choosing.groups:
            for path, item in self._items(paths):
                if item.type.name in _RANGES:
                    names = (f"{path}__from", f"{path}__to")
                    pairs += [
                        (name, as_in_url(item, text)) for name in names if (text := request.args.get(name, "").strip())
                    ]
                else:
                    pairs += [(path, text) for text in request.args.getlist(path) if text.strip()]
        for name, _label, choices in self.choosing.ways:
            for value, _words, query in choices:
                if request.args.get(name) == value:
                    pairs += parse_qsl(query)
        for key, _label, query in self.view.exclusions:
            if key in request.args:
                pairs += parse_qsl(query)
        always = parse_qsl(self.choosing.always)
        return list(dict.fromkeys([*pairs, *always]))

    def _draw(self, error: str = "") -> Any:
        maker, names = FormMaker(self.operator), ReferenceCache()
        groups = [
            (str(heading), [self._field(path, item, maker, names) for path, item in self._items(paths)])
            for heading, paths in self.choosing.groups
        ]
        # Where nothing can be chosen, nothing is asked: the table of values is empty.
        groups = [
            (heading, [field for field in fields if field["kind"] != "many" or field["choices"]])
            for heading, fields in groups
        ]
        ways = [
            (
                name,
                str(label),
                [(value, str(words), request.args.get(name) == value) for value, words, _query in choices],
            )
            for name, label, choices in self.choosing.ways
        ]
        return render_template(
            "appadmin/choose.html",
            page_title=str(self.choosing.label),
            url=url_for(f"{self.view.endpoint}.choose_view"),
            groups=[group for group in groups if group[1]],
            ways=ways,
            exclusions=[(key, str(label), key in request.args) for key, label, _query in self.view.exclusions],
            note=str(self.choosing.note),
            error=error,
        )

    def _field(self, path: str, item: FieldSpec, maker: FormMaker, names: ReferenceCache) -> dict[str, Any]:
        kind, choices, proposed = "text", [], []
        if item.type.name in _RANGES:
            kind = "range"
        elif item.type.name == "bool":
            kind, choices = "one", [("1", gettext("Ja")), ("0", gettext("Nein"))]
        elif item.type.name == "choice":
            kind, choices = "many", [(code, str(label)) for code, label in item.choices]
        elif item.target is not None:
            options = maker.choices_of(item)
            if options is not None:
                codes = names.codes(item.references, {int(key) for key, _text in options})
                kind, choices = "many", [(codes[int(key)], text) for key, text in options]
        elif item.type.name == "text":
            proposed = self._proposed(item)
        return {
            "name": path,
            "label": str(item.label),
            "kind": kind,
            "choices": choices,
            "proposed": proposed,
            "values": request.args.getlist(path),
            "from": request.args.get(f"{path}__from", ""),
            "to": request.args.get(f"{path}__to", ""),
            "date": item.type.name in ("date", "datetime"),
        }

    def _proposed(self, item: FieldSpec) -> list[str]:
        """Texts that the newest rows have: a long table is not read to its end for proposals."""
        model = item.column_field.model
        other: ModelSpec = spec_of(model)
        query = model.select(item.column_field).where(item.column_field.is_null(False))
        condition = visible(self.operator, other)
        query = query if condition is None else query.where(condition)
        rows = query.order_by(model._meta.primary_key.desc()).limit(_LOOKED_AT).tuples()
        return sorted({row[0] for row in rows})[:_PROPOSED]

"""A record in short, beside the list: what it is, what is filled, its first children, its last change.

Context of templates/appadmin/preview.html. Everything is read under the operator's rights, in a number of questions
that does not grow with the record: fields, counts of all children, the rows of a few, titles of references, history.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import render_template, request, url_for

from flask_appadmin.errors import NotFound
from flask_appadmin.history import lines_of_record
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, mask, may_read, may_read_full, visible
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache, shown
from flask_appadmin.views.form_page import child_counts
from flask_appadmin.views.list_page.table import with_sign
from flask_appadmin.views.record_links import linked, map_link, with_link

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: So many child tables show rows, and so many rows each; of all others the number stands there.
_TABLES = 4
_ROWS = 3

#: Longer texts are cut: the whole stands in the form.
_LONGEST = 160


class Preview:
    """The short form of one record."""

    def __init__(self, view: AppModelView, operator: Operator, key: int) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        self.key = key
        self.names = ReferenceCache()

    def answer(self) -> Any:
        groups = self._groups()
        signs = {
            name: sign for name, sign in self.view.signs.items() if any(name == item.name for item in groups[0][1])
        }
        wanted = [item for _title, items in groups for item in items]
        wanted += [*self.spec.title_specs, *(self.spec.field(name) for name in self.view.head_fields)]
        wanted += [self.spec.field(name) for name in self.view.places_on_map.get(self.spec.name, ())]
        wanted += [self.spec.field(name) for sign in signs.values() for name in sign.also]
        values = self._values({item.name: item for item in wanted if may_read(self.operator, item)})
        before = {name: sign.read(self.operator, {self.key: values}).get(self.key) for name, sign in signs.items()}
        drawn = []
        for title, items in groups:
            filled = [item for item in items if values.get(item.name) not in (None, "", False)]
            lines = [(self.view.heading(item)[0], self._drawn(item, values, before)) for item in filled]
            if lines:
                drawn.append((title, lines))
        make: Any = self.view.head_tags
        return render_template(
            "appadmin/preview.html",
            title=self.spec.title_of(values),
            url=self.view.record_url(self.key),
            tags=make(values, self.operator) if make is not None else [],
            groups=drawn,
            children=self._children(),
            last=self._last_change(),
        )

    def _groups(self) -> list[tuple[str, list[FieldSpec]]]:
        """The fields by heading: what the list shows, then the first page of the form."""
        said = {*self.spec.title_specs, *(self.spec.field(name) for name in self.view.head_fields)}
        tab = self.view.form_layout.tabs[0]
        named = {name for group in tab.groups for name in group.fields}
        first = [item for item in self.view.list_fields if not item.is_system and item.name not in named]
        first += [self.spec.field(name) for name in self.view.preview_fields]
        groups = [("", first)]
        groups += [
            (str(group.title), [self.spec.field(name) for name in group.fields if not self.spec.field(name).secret])
            for group in tab.groups
        ]
        return [(title, [item for item in items if item not in said]) for title, items in groups]

    def _values(self, items: dict[str, FieldSpec]) -> dict[str, Any]:
        model = self.spec.model
        query = model.select(*(item.column_field for item in items.values())).where(model._meta.primary_key == self.key)
        condition = visible(self.operator, self.spec)
        row = (query if condition is None else query.where(condition)).tuples().first()
        if row is None:
            raise NotFound(self.spec, self.key)
        return dict(zip(items, row, strict=True))

    def _words(self, item: FieldSpec, value: Any) -> Any:
        text = shown(item, value, self.names)
        if item.masked and not may_read_full(self.operator, item):
            return mask(text)
        if len(text) > _LONGEST:
            text = text[:_LONGEST].rstrip() + " …"
        return linked(item, value, text)

    def _drawn(self, item: FieldSpec, values: dict[str, Any], before: dict[str, tuple[str, str] | None]) -> Any:
        words = with_sign(before.get(item.name), self._words(item, values[item.name]))
        place = self.view.places_on_map.get(self.spec.name, ())
        if item.name not in place[:1]:
            return words
        return with_link(words, map_link(self.spec, place, values, self.names))

    def _children(self) -> list[dict[str, Any]]:
        """The child tables that have rows, in the order of the form; the first ones with their first rows."""
        order = [name for tab in self.view.form_layout.tabs for name in tab.children]
        by_name = {child.name: child for child in self.spec.children}
        tables = [
            by_name[name] for name in order if name in by_name and self.operator.may(f"{by_name[name].right}.read")
        ]
        counts = child_counts(tables, self.key)
        filled = [child for child in tables if counts[child.name]]
        return [
            {
                "label": str(child.plural),
                "count": counts[child.name],
                "url": self.view.record_url(self.key, tab=self.view.form_layout.tab_of(child.name)),
                "rows": self._rows(child) if at < _TABLES else [],
            }
            for at, child in enumerate(filled)
        ]

    def _rows(self, child: ModelSpec) -> list[list[Any]]:
        assert child.owner is not None
        items = [item for item in self.view.grid_fields(child) if may_read(self.operator, item) and _tells(item)]
        key = child.model._meta.primary_key
        query = child.model.select(*(item.column_field for item in items)).where(child.owner.column_field == self.key)
        condition = visible(self.operator, child)
        query = query if condition is None else query.where(condition)
        rows = list(query.order_by(key).limit(_ROWS).tuples()) if items else []
        for position, item in enumerate(items):
            if item.target is not None:
                self.names.titles(item.references, {row[position] for row in rows if row[position] is not None})
        return [list(self._row_words(items, row)) for row in rows]

    def _row_words(self, items: list[FieldSpec], row: tuple[Any, ...]) -> Iterable[Any]:
        for item, value in zip(items, row, strict=True):
            if value is True:
                yield self.view.heading(item)[0]
            elif value not in (None, "", False):
                yield self._words(item, value)

    def _last_change(self) -> dict[str, Any] | None:
        if not self.operator.may("history.read"):
            return None
        lines = lines_of_record(self.spec, self.key, self.operator, self.view.registry.specs_by_name, limit=4)
        rows = self.view.registry.record_history(lines)["rows"]
        return rows[0] if rows else None


def _tells(item: FieldSpec) -> bool:
    """Whether a column of a child table says something in one line: no running number, no mark that nearly all have."""
    if item.type.name in ("multiline", "json") or item.secret or item.name == "sequence_number":
        return False
    return item.type.name != "bool" or not item.default_value()


def pane(view: AppModelView, operator: Operator) -> dict[str, Any]:
    """What list.html needs to draw the pane. Whether it is open is remembered per operator, in a cookie."""
    cookie = f"appadmin_preview_{operator.user_id or 0}"
    return {
        "url": url_for(f"{view.endpoint}.preview_view"),
        "is_open": request.cookies.get(cookie) == "1",
        "state": cookie,
        "hint": gettext("Gehen Sie mit ↓ oder J zu einer Zeile; hier steht sie dann in Kürze."),
    }

"""The table of a list: heads with their order, rows, and how each kind of value is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from flask_appadmin import lists
from flask_appadmin.database import utcnow
from flask_appadmin.fieldtypes.text_rules import LINKED_KINDS
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import format_age, gettext
from flask_appadmin.rights import Operator
from flask_appadmin.selections import Selection
from flask_appadmin.specs import FieldSpec
from flask_appadmin.views.record_links import linked

if TYPE_CHECKING:
    from flask_appadmin.views.list_page import ListPage

_SIGN = Markup('<span class="sign {}" role="img" aria-label="{}" title="{}"></span>{}')


@dataclass(frozen=True)
class ColumnSign:
    """A sign before the values of a column that tells by more than the value itself: a limit that is reached."""

    #: Fields that are read for it besides the column.
    also: tuple[str, ...]
    #: (operator, {key: {field: value}} of all rows at once) -> {key: (look, words)}; look: "good", "warn" or "bad".
    read: Callable[[Operator, dict[int, dict[str, Any]]], dict[int, tuple[str, str]]]


def with_sign(sign: tuple[str, str] | None, content: Any) -> Any:
    """A value behind its sign."""
    return content if sign is None else _SIGN.format(sign[0], sign[1], sign[1], content)


#: Draws a value: (class of the cell, its content).
_Painter = Callable[[Any], tuple[str, Any]]


class ListTable:
    """The rows that were read, as list.html draws them."""

    def __init__(self, page: ListPage) -> None:
        self.list = page
        self.view = page.view
        self.spec = page.spec
        self.operator = page.operator

    def columns(self, page: lists.Page, found: Filter) -> list[tuple[str, str, str, str, str]]:
        columns = []
        for item in page.columns:
            sort = ""
            if page.order.spec is item:
                sort = "descending" if page.order.descending else "ascending"
            target = f"-{item.name}" if sort == "ascending" else item.name
            url = self.list.url(found, sort=target) if lists.sortable(item) else ""
            heading, hint = self.view.heading(item)
            columns.append((heading, _css(item), url, sort, hint))
        return columns

    def look(self) -> dict[str, Any]:
        """What a column has besides its words, and the height of the rows: see `look` in list.html."""
        arranging = self.list.arranging
        return {
            "url": arranging.url(),
            "query": arranging.query(),
            "density": arranging.density,
            # One width makes all of them count: the others get what their kind of value usually needs.
            "sized": any(column.width for column in arranging.columns),
            "columns": [
                (column.spec.name, column.width or _usual_width(column.spec), column.pinned)
                for column in arranging.columns
            ],
        }

    def rows(self, page: lists.Page, found: Filter, selection: Selection) -> list[Any]:
        links = self.view.link_columns or tuple(item.name for item in self.spec.title_specs)
        may_open = self.operator.may(f"{self.spec.right}.read")
        start = self.view.record_url(0)[:-1]
        titles = [position for position, item in enumerate(page.columns, 1) if item in self.spec.title_specs]
        painters = self._painters(page, found)
        marking = bool(selection.token)
        signs = self._signs(page)
        rows = []
        for row in page.rows:
            key = row[0]
            url = f"{start}{key}" if may_open else ""
            cells = []
            for position, name, paint, instead in painters:
                value = row[position]
                if value is None and instead is not None:
                    css, content = instead[1](row[instead[0]])
                else:
                    css, content = paint(value)
                if name in signs:
                    content = with_sign(signs[name].get(key), content)
                cells.append((css, content, url if name in links and content else ""))
            title = " ".join(str(row[position]) for position in titles if row[position] is not None) or str(key)
            rows.append((key, url, marking and selection.holds(key), title, cells))
        return rows

    def _signs(self, page: lists.Page) -> dict[str, dict[int, tuple[str, str]]]:
        """Column -> key -> sign; each column asks once for the whole page."""
        fields = [item.name for item in (*page.columns, *page.also)]
        shown = {item.name for item in page.columns} & self.view.signs.keys()
        if not shown:
            return {}
        values = {row[0]: dict(zip(fields, row[1:], strict=True)) for row in page.rows}
        return {name: self.view.signs[name].read(self.operator, values) for name in shown}

    def _painters(
        self, page: lists.Page, found: Filter
    ) -> list[tuple[int, str, _Painter, tuple[int, _Painter] | None]]:
        """Per column: its place in the row, its name, how its values are drawn, what stands in for an empty one."""
        pattern = lists.found_pattern(found.search, page.similar) if found.search else None
        positions = {item.name: position for position, item in enumerate((*page.columns, *page.also), 1)}
        painters: list[tuple[int, str, _Painter, tuple[int, _Painter] | None]] = []
        for position, item in enumerate(page.columns, 1):
            other = self.view.instead_columns.get(item.name, "")
            instead = None
            if other in positions:
                instead = (positions[other], self._painter(page, self.spec.field(other), pattern))
            painters.append((position, item.name, self._painter(page, item, pattern), instead))
        return painters

    def _painter(self, page: lists.Page, item: FieldSpec, pattern: Any) -> _Painter:
        css = _css(item)
        looks = self.view.tags.get(item.name)
        if looks is not None:
            tags = {
                code: Markup('<span class="tag {}">{}</span>').format(look, item.format(code))
                for code, look in looks.items()
            }
            plain = Markup('<span class="tag">{}</span>')
            return lambda value: ("", "" if value is None else tags.get(value) or plain.format(item.format(value)))
        if item.type.name == "datetime" and item.is_system:
            now = utcnow()
            return lambda value: ("sub", "" if value is None else format_age(value, now))
        if item.type.name == "bool":
            return lambda value: ("", "✓" if value else item.unticked)
        if item.type.name == "text" and not item.masked:
            if item.kind in LINKED_KINDS:
                return lambda value: ("", linked(item, value, lists.marked_text(value, pattern)) if value else "")
            if pattern is None:
                return lambda value: ("", value or "")
            return lambda value: ("", lists.marked_text(value, pattern) if value else "")
        if item.target is not None:
            words = lists.words_of_column(page, item)
            return lambda value: (css, words.get(value, ""))
        return lambda value: (css, lists.cell_text(page, item, value, self.operator))


def drawn(rows: list[Any], *, marks: bool) -> Markup:
    """The rows as they stand in the table's body. A template would spend a third of the page's time on their cells."""
    word = escape(gettext("markieren"))
    parts: list[str] = []
    for key, url, checked, title, cells in rows:
        address = f' data-url="{escape(url)}"' if url else ""
        on, box = (' class="on"', " checked") if checked else ("", "")
        parts.append(f'\n          <tr data-key-of="{key:d}"{address}{on}>')
        if marks:
            name = f"{escape(str(title))} {word}"
            parts.append(f'<td class="box"><input type="checkbox" value="{key:d}" aria-label="{name}"{box}></td>')
        parts.append("\n          ")
        for css, content, href in cells:
            text = escape(content) if type(content) is str else _as_html(content)
            start = f'<td class="{css}">' if css else "<td>"
            parts.append(f'{start}<a href="{escape(href)}">{text}</a></td>' if href else f"{start}{text}</td>")
        parts.append("</tr>")
    # Every piece above is escaped where it is put in.
    return Markup("".join(parts))


def _as_html(content: Any) -> str:
    """What a painter answered: marked up already, or anything else as text."""
    return str(content.__html__()) if hasattr(content, "__html__") else escape(str(content))


#: Pixels that a kind of value usually needs.
_WIDTHS = {"text": 170, "multiline": 240, "reference": 160, "choice": 120, "bool": 70, "json": 200}


def _usual_width(item: FieldSpec) -> int:
    return _WIDTHS.get(item.type.name, 110)


def _css(item: FieldSpec) -> str:
    return "num" if item.type.is_number else ""

"""The list of a model as a page: filter bar, strip of marked records, table, paging.

Context: templates/appadmin/list.html.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for
from markupsafe import Markup

from flask_appadmin import lists
from flask_appadmin.database import utcnow
from flask_appadmin.errors import FieldError, FilterError, NotFound
from flask_appadmin.filters import Condition, Filter, operations_for
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import format_age, format_number, gettext
from flask_appadmin.layouts import form_fields
from flask_appadmin.rights import Operator, may_read_full, visible
from flask_appadmin.selections import Selection
from flask_appadmin.specs import FieldSpec, ReferenceCache
from flask_appadmin.views import places

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: Parameters that stay when filters or order change.
_KEPT = ("size", "selection")

#: Parameters of the filter panel, which are no part of a filter.
_PANEL = ("add_filter", "add_field", "add_op", "add_value", "edit")

#: Draws a value: (class of the cell, its content).
_Painter = Callable[[Any], tuple[str, Any]]


class ListPage:
    """Reads the request's filter, order and place, and draws the list."""

    def __init__(self, view: AppModelView, operator: Operator) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator

    def answer(self) -> Any:
        if "add_field" in request.args:
            return self._add_filter()
        if request.headers.get("X-Fragment") == "filter_panel":
            return render_template("appadmin/filter_panel.html", filter_panel=self._filter_panel())
        return self._draw()

    # --- reading the request ------------------------------------------------------------------------------------------

    def _pairs(self) -> list[tuple[str, str]]:
        return list(request.args.items(multi=True))

    def _filter(self) -> Filter:
        return self.view.filter_of([pair for pair in self._pairs() if pair[0] not in _PANEL], self.operator)

    def _selection(self) -> Selection:
        token = request.args.get("selection", "")
        if token:
            try:
                return Selection.load(self.spec, self.operator, token)
            except NotFound:
                pass  # a stale link: nothing is marked, and the strip says so
        return Selection(self.spec, self.operator)

    def hidden(self, selection: Selection, found: Filter, count: int) -> int:
        """How many of the marked records the present filter does not show."""
        if not count or selection.is_everything or found.is_empty:
            return 0
        return count - selection.query().where(found.where(self.operator)).count()

    def read(self, found: Filter, **place: Any) -> lists.Page:
        """One page of the list in the order, the size and among the rows that the address asks for."""
        only = self._selection().where() if self._only_marked() else None
        also = [self.spec.field(name) for name in self.view.instead_columns.values()]
        return lists.read_page(
            self.spec,
            self.operator,
            found,
            self.view.list_fields,
            lists.read_order(self.spec, request.args.get("sort", ""), self.operator),
            size=self._size(),
            only=only,
            also=also,
            by_code=self.view.code_columns,
            **place,
        )

    @staticmethod
    def _only_marked() -> bool:
        return request.args.get("only") == "marked"

    # --- drawing ------------------------------------------------------------------------------------------------------

    def _draw(self, found: Filter | None = None, panel: dict[str, Any] | None = None) -> Any:
        found = self._filter() if found is None else found
        selection = self._selection()
        page = self.read(
            found,
            after=request.args.get("after", ""),
            before=request.args.get("before", ""),
            at=_number(request.args.get("at", "")),
            exact=request.args.get("count") == "exact",
        )
        if panel is None:
            places.remember_list(self.spec)
            self.remember_rows(page)
        marked = selection.count() if selection.token else 0
        context = {
            "page_title": str(self.spec.plural),
            "counts": {
                "found": page.found,
                "total": self._total(page, found),
                "capped": page.capped,
                "exact_url": self._url(found, count="exact"),
            },
            "buttons": self._buttons(),
            "menus": [],
            "quick": self._quick(found),
            "keep": self._kept_pairs(found, without=("search", *self.view.quick_filters)),
            "list_url": self.view.list_url(),
            "chips": self._chips(found),
            "clear_url": self._url(Filter(self.spec)) if self.view.url_pairs(found) and not found.is_empty else "",
            "add_filter_url": self._url(found, add_filter="1"),
            "filter_panel": panel or (self._filter_panel() if request.args.get("add_filter") else None),
            "selection": {
                "token": selection.token,
                "count": marked,
                "hidden": self.hidden(selection, found, marked),
                "url": url_for(f"{self.view.endpoint}.change_selection"),
                "show_url": self._url(Filter(self.spec), only="marked", selection=selection.token),
                "nothing": str(self.view.nothing_marked),
            },
            "actions": self._actions(),
            "columns": self._columns(page, found),
            "rows": self._rows(page, found, selection),
            "first_row": page.first_row,
            "range_text": self._range_text(page),
            "pager": self._pager(page, found),
            "sizes": [
                (str(other), self._url(found, size=str(other)), other == page.size) for other in lists.PAGE_SIZES
            ],
            "empty": self._empty(page, found) if not page.rows else None,
        }
        return render_template("appadmin/list.html", **context)

    def remember_rows(self, page: lists.Page) -> None:
        """Keeps the rows of this page, so that the form can step through them."""
        keys = tuple(row[0] for row in page.rows)
        places.remember_rows(self.spec, places.Walk(keys, page.first_row, page.found, page.capped))

    def _total(self, page: lists.Page, found: Filter) -> int:
        """How many rows the list has without the filters that the operator set."""
        if page.capped or (not self.view.url_pairs(found) and not self._only_marked()):
            return page.found
        usual = self.view.filter_of([], self.operator)
        parts = [part for part in (visible(self.operator, self.spec), usual.where(self.operator)) if part is not None]
        count, capped = lists.count_rows(self.spec, parts)
        # Beyond the cap the size of the table is near enough, and known without counting.
        return max(self.view.registry.total(self.spec) if capped else count, page.found)

    def _size(self) -> int:
        size = _number(request.args.get("size", "")) or 50
        return size if size in lists.PAGE_SIZES else 50

    def _url(self, found: Filter, **changed: str) -> str:
        """The list with this filter and the present order and size; `changed` overrides single parameters."""
        pairs = [(name, text) for name, text in self._kept_pairs(found) if name not in changed]
        pairs += [(name, text) for name, text in changed.items() if text]
        return f"{self.view.list_url()}?{urlencode(pairs)}" if pairs else self.view.list_url()

    def _buttons(self) -> list[tuple[str, str, str, bool]]:
        buttons = []
        if self.spec.owner is None and self.operator.may("import.new") and self.operator.may(f"{self.spec.right}.edit"):
            buttons.append((gettext("Importieren"), self.view.registry.import_url(self.spec), "", False))
        if self.operator.may(f"{self.spec.right}.create"):
            label = self.view.new_label or gettext("Neu: %(label)s", label=str(self.spec.label))
            buttons.append((str(label), url_for(f"{self.view.endpoint}.create_view"), "N", True))
        return [button for button in buttons if button[1]]

    def _quick(self, found: Filter) -> list[dict[str, Any]]:
        quick: list[dict[str, Any]] = [
            {
                "name": "search",
                "label": str(self.view.search_label or gettext("Suchen")),
                "kind": "text",
                "value": found.search,
                "width": "xl" if len(str(self.view.search_label or "")) > 24 else "l",
            }
        ]
        maker = FormMaker(self.operator)
        names = ReferenceCache()
        for name in self.view.quick_filters:
            item = self.spec.field(name)
            condition = next((c for c in found.conditions if c.spec is item and c.operation.key == ""), None)
            value = dict(condition.url_pairs(names)).get(name, "") if condition and len(condition.values) == 1 else ""
            entry: dict[str, Any] = {
                "name": name,
                "label": self.view.filter_label(item),
                "value": value,
                "width": "m",
                "kind": "text",
            }
            if item.type.name == "choice":
                entry |= {"kind": "select", "choices": [(code, str(label)) for code, label in item.choices]}
            elif item.type.name == "bool":
                entry |= {"kind": "select", "choices": [("1", gettext("Ja")), ("0", gettext("Nein"))]}
            elif item.target is not None:
                choices = maker.choices_of(item)
                if choices is not None:
                    codes = names.codes(item.references, {int(key) for key, _text in choices})
                    entry |= {"kind": "select", "choices": [(codes[int(key)], text) for key, text in choices]}
            quick.append(entry)
        return quick

    def _kept_pairs(self, found: Filter, without: tuple[str, ...] = ()) -> list[tuple[str, str]]:
        pairs = [(name, text) for name, text in self.view.url_pairs(found) if name not in without]
        return pairs + [(name, request.args[name]) for name in ("sort", *_KEPT) if request.args.get(name)]

    def _chips(self, found: Filter) -> list[tuple[str, str, str]]:
        names = ReferenceCache()
        chips = []
        for condition in found.conditions:
            single = condition.operation.key == "" and len(condition.values) == 1
            if single and condition.spec.name in self.view.quick_filters:
                continue
            chips.append((condition.sentence(names), self._url(found.without(condition)), ""))
        if self._only_marked():
            chips.insert(0, (gettext("nur markierte"), self._url(found), ""))
        return chips

    def _actions(self) -> list[dict[str, Any]]:
        url = url_for(f"{self.view.endpoint}.start_action")
        return [
            {
                "name": action.name,
                "label": str(action.label),
                "url": url,
                "group": str(action.group),
                "keys": action.keys,
                "hint": str(action.hint),
            }
            for action in self.view.allowed_actions()
        ]

    def _columns(self, page: lists.Page, found: Filter) -> list[tuple[str, str, str, str, str]]:
        columns = []
        for item in page.columns:
            sort = ""
            if page.order.spec is item:
                sort = "descending" if page.order.descending else "ascending"
            target = f"-{item.name}" if sort == "ascending" else item.name
            url = self._url(found, sort=target) if lists.sortable(item) else ""
            heading, hint = self.view.heading(item)
            columns.append((heading, _css(item), url, sort, hint))
        return columns

    def _rows(self, page: lists.Page, found: Filter, selection: Selection) -> list[Any]:
        links = self.view.link_columns or tuple(item.name for item in self.spec.title_specs)
        may_open = self.operator.may(f"{self.spec.right}.read")
        start = self.view.record_url(0)[:-1]
        titles = [position for position, item in enumerate(page.columns, 1) if item in self.spec.title_specs]
        painters = self._painters(page, found)
        marking = bool(selection.token)
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
                cells.append((css, content, url if name in links and content else ""))
            title = " ".join(str(row[position]) for position in titles if row[position] is not None) or str(key)
            rows.append((key, url, marking and selection.holds(key), title, cells))
        return rows

    def _painters(
        self, page: lists.Page, found: Filter
    ) -> list[tuple[int, str, _Painter, tuple[int, _Painter] | None]]:
        """Per column: its place in the row, its name, how its values are drawn, what stands in for an empty one."""
        pattern = lists.found_pattern(found.search) if found.search else None
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
            return lambda value: ("", "✓" if value else "")
        if item.type.name == "text" and not item.masked:
            if pattern is None:
                return lambda value: ("", value or "")
            return lambda value: ("", lists.marked_text(value, pattern) if value else "")
        return lambda value: (css, lists.cell_text(page, item, value, self.operator))

    def _range_text(self, page: lists.Page) -> str:
        if not page.rows:
            return ""
        count = (
            gettext("mehr als %(count)s", count=format_number(page.found)) if page.capped else format_number(page.found)
        )
        if page.first_row:
            return gettext(
                "%(first)s–%(last)s von %(count)s",
                first=format_number(page.first_row),
                last=format_number(page.last_row),
                count=count,
            )
        return gettext("%(shown)s von %(count)s", shown=format_number(len(page.rows)), count=count)

    def _pager(self, page: lists.Page, found: Filter) -> dict[str, str]:
        only = {"only": "marked"} if self._only_marked() else {}
        exact = {"count": "exact"} if request.args.get("count") == "exact" else {}
        step = only | exact
        next_at = str(page.last_row + 1) if page.first_row else ""
        previous_at = str(max(page.first_row - page.size, 1)) if page.first_row > 1 else ""
        return {
            "first": self._url(found, **step) if page.previous else "",
            "previous": self._url(found, before=page.previous, at=previous_at, **step) if page.previous else "",
            "next": self._url(found, after=page.next, at=next_at, **step) if page.next else "",
            "last": self._url(found, before="end", **step) if page.next else "",
        }

    def _empty(self, page: lists.Page, found: Filter) -> dict[str, Any]:
        plural = str(self.spec.plural)
        if not self.view.url_pairs(found) and not self._only_marked():
            links = [(label, url, main) for label, url, _key, main in self._buttons()]
            return {
                "title": gettext("Noch keine Einträge in „%(plural)s“", plural=plural),
                "text": gettext("Legen Sie den ersten Eintrag an oder holen Sie eine Liste herein."),
                "links": links,
            }
        return {
            "title": gettext("Nichts gefunden"),
            "text": gettext("Kein Eintrag passt zu: %(filter)s.", filter=found.describe()),
            "links": [(gettext("Alle Filter aufheben"), self._url(Filter(self.spec)), True)],
        }

    # --- one more filter ----------------------------------------------------------------------------------------------

    def _filter_panel(
        self, field: str = "", op: str = "", values: list[str] | None = None, error: str = ""
    ) -> dict[str, Any]:
        found = self._filter()
        names = ReferenceCache()
        maker = FormMaker(self.operator)
        groups: dict[str, list[tuple[str, str, str]]] = {}
        choices: dict[str, list[tuple[str, str]]] = {}
        lookups: dict[str, str] = {}
        kinds: dict[str, list[tuple[str, str, int]]] = {}
        layout = self.view.form_layout
        labels = {tab.key: str(tab.label) for tab in layout.tabs}
        for item in (*form_fields(self.spec), *(other for other in self.spec.fields if other.name.endswith("_at"))):
            operations = operations_for(item)
            if not operations or not may_read_full(self.operator, item):
                continue
            kind = "choice" if item.type.name == "reference" else item.type.name
            heading = labels.get(layout.tab_of(item.name), gettext("Weitere"))
            groups.setdefault(heading, []).append((item.name, str(item.label), kind))
            kinds.setdefault(kind, [(o.key, str(o.label), 1 if o.values < 0 else o.values) for o in operations])
            if item.type.name == "choice":
                choices[item.name] = [(code, str(label)) for code, label in item.choices]
            elif item.type.name == "bool":
                choices[item.name] = [("1", gettext("Ja")), ("0", gettext("Nein"))]
            elif item.target is not None:
                options = maker.choices_of(item)
                if options is None:
                    lookups[item.name] = self.view.registry.lookup_url(item.references)
                else:
                    codes = names.codes(item.references, {int(key) for key, _text in options})
                    choices[item.name] = [(codes[int(key)], text) for key, text in options]
        return {
            "url": self.view.list_url(),
            "keep": self._kept_pairs(found),
            "groups": list(groups.items()),
            "kinds": kinds,
            "choices": choices,
            "lookups": lookups,
            "field": field,
            "op": op,
            "values": values or [],
            "error": error,
            "close_url": self._url(found),
        }

    def _add_filter(self) -> Any:
        found = self._filter()
        name, op = request.args.get("add_field", ""), request.args.get("add_op", "")
        texts = request.args.getlist("add_value")
        item = self.spec.by_name.get(name)
        try:
            if item is None or not may_read_full(self.operator, item):
                raise FilterError(name)
            operation = next((other for other in operations_for(item) if other.key == op), None)
            if operation is None:
                raise FilterError(
                    name, gettext("Dieser Vergleich passt nicht zum Feld „%(field)s“.", field=str(item.label))
                )
            condition = Condition(item, operation, self._typed_values(item, operation.values, texts))
        except (FilterError, FieldError) as fault:
            panel = self._filter_panel(name, op, texts, fault.sentence())
            if request.headers.get("X-Fragment") == "filter_panel":
                return render_template("appadmin/filter_panel.html", filter_panel=panel), 400
            return self._draw(found, panel), 400
        same = [c for c in found.conditions if c.spec is item and c.operation is operation and operation.values == -1]
        others = tuple(c for c in found.conditions if c not in same)
        if same and op in ("", "not"):
            values = dict.fromkeys([*(value for c in same for value in c.values), *condition.values])
            condition = Condition(item, operation, tuple(values))
        return redirect(self._url(Filter(self.spec, found.search, (*others, condition))))

    def _typed_values(self, item: FieldSpec, wanted: int, texts: list[str]) -> tuple[Any, ...]:
        if wanted == 0:
            return ()
        texts = [text.strip() for text in texts if text.strip()][: abs(wanted)]
        if len(texts) < abs(wanted):
            raise FieldError(item, None, gettext("Bitte einen Wert angeben."))
        if item.target is not None:
            names = ReferenceCache()
            keys = []
            for text in texts:
                is_key = text.isdigit() and self.view.registry.lookup_is_used(item)
                keys.append(int(text) if is_key else names.find(text, item))
            return tuple(keys)
        if item.type.name in ("text", "multiline"):
            return tuple(texts)
        return tuple(item.parse(text) for text in texts)


def _css(item: FieldSpec) -> str:
    return "num" if item.type.is_number else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

"""FieldSpecs become a list page: listed columns only, keyset paging, capped counts, titles fetched together.

Shape: `read_page` answers a Page: rows as tuples (key, values of the columns), whether there is more on either side,
and counts that stop at CAP. The place in the list is a short text that names the last row seen (its sort value and
key), so the last page costs as much as the first. No HTML and no addresses here; `views/` draws.
Limits: a sort value that changes while one pages moves the row; a row is never shown twice on one page.
Source: design.md section 5; base.md (what OFFSET, COUNT and joins cost).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee
from markupsafe import Markup, escape

from flask_appadmin.database import engine
from flask_appadmin.errors import FilterError
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, mask, may_read, may_read_full, visible
from flask_appadmin.search import words_of
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: Counts are exact up to here; beyond it a list says "more than".
CAP = 10_000

PAGE_SIZES = (25, 50, 100, 200)

#: Sorting by these kinds makes sense and can use an index.
_SORTABLE = ("text", "integer", "decimal", "date", "datetime", "choice", "bool")


@dataclass(frozen=True)
class Order:
    """How a list is sorted: one field, then the key."""

    spec: FieldSpec | None
    descending: bool = False

    @property
    def text(self) -> str:
        if self.spec is None:
            return "-id" if self.descending else ""
        return f"-{self.spec.name}" if self.descending else self.spec.name


@dataclass
class Page:
    """One page of a list as it was read."""

    columns: tuple[FieldSpec, ...]
    rows: list[tuple[Any, ...]]
    order: Order
    size: int
    found: int
    capped: bool
    #: Places to continue from, "" where the list ends.
    next: str = ""
    previous: str = ""
    #: Number of the first row, 0 when it is not known.
    first_row: int = 0
    #: Fields whose values follow those of the columns in each row, for whoever draws.
    also: tuple[FieldSpec, ...] = ()
    #: Names of references that are shown by their short code instead of their title.
    by_code: frozenset[str] = frozenset()
    names: ReferenceCache = field(default_factory=ReferenceCache)

    @property
    def last_row(self) -> int:
        return self.first_row + len(self.rows) - 1 if self.first_row else 0


def sortable(spec: FieldSpec) -> bool:
    return spec.type.name in _SORTABLE and not spec.masked and not spec.secret


def read_order(spec: ModelSpec, text: str, operator: Operator) -> Order:
    """The order a URL asks for, else the model's own; FilterError for a field that cannot be sorted."""
    text = text.strip()
    if not text:
        for name in spec.description.order or tuple(item.name for item in spec.title_specs[:1]):
            item = spec.by_name.get(name.lstrip("-"))
            if item is not None and sortable(item):
                return Order(item, name.startswith("-"))
        return Order(None)
    item = spec.by_name.get(text.lstrip("-"))
    if item is None or not sortable(item) or not may_read_full(operator, item):
        raise FilterError("sort", gettext("Nach „%(name)s“ lässt sich hier nicht sortieren.", name=text[:40]))
    return Order(item if item.name != "id" else None, text.startswith("-"))


def read_page(
    spec: ModelSpec,
    operator: Operator,
    found: Filter,
    columns: Sequence[FieldSpec],
    order: Order,
    *,
    size: int = 50,
    after: str = "",
    before: str = "",
    at: int = 0,
    exact: bool = False,
    only: Any = None,
    also: Sequence[FieldSpec] = (),
    by_code: Iterable[str] = (),
) -> Page:
    """Reads one page. `after`/`before` continue from a place; before="end" is the last page. `only` limits it further.

    `also` are fields that are read without being columns; `by_code` names references shown by their short code.
    """
    model = spec.model
    key = model._meta.primary_key
    columns = tuple(item for item in columns if may_read(operator, item))
    also = tuple(item for item in also if item not in columns and may_read(operator, item))
    width = 1 + len(columns) + len(also)
    needed = [key, *(item.column_field for item in (*columns, *also))]
    if order.spec is not None and order.spec not in (*columns, *also):
        needed.append(order.spec.column_field)
    parts = [part for part in (visible(operator, spec), found.where(operator), only) if part is not None]
    backwards = bool(before)
    query = model.select(*needed)
    for part in parts:
        query = query.where(part)
    place = _read_place(after or (before if before != "end" else ""), order)
    if place is not None:
        query = query.where(_beyond(key, order, place, backwards))
    rows = list(query.order_by(*_ordering(key, order, backwards)).limit(size + 1).tuples())
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    count, capped = count_rows(spec, parts, exact=exact)
    # By identity: a Peewee field answers == with an expression, which is always true.
    position = next((at for at, item in enumerate(needed) if order.spec and item is order.spec.column_field), -1)
    page = Page(columns, [row[:width] for row in rows], order, size, count, capped, also=also)
    page.by_code = frozenset(by_code)
    if rows:
        has_next = more if not backwards else before != "end"
        has_previous = more if backwards else bool(after)
        page.next = _write_place(rows[-1], position, order) if has_next else ""
        page.previous = _write_place(rows[0], position, order) if has_previous else ""
    page.first_row = _first_row(at, after, before, size, count, capped, len(rows))
    _fetch_titles(page)
    return page


def _first_row(at: int, after: str, before: str, size: int, count: int, capped: bool, shown: int) -> int:
    if not after and not before:
        return 1 if shown else 0
    if before == "end":
        return 0 if capped else max(count - shown + 1, 1)
    return at if at > 0 else 0


def count_rows(spec: ModelSpec, parts: Sequence[Any], *, exact: bool = False) -> tuple[int, bool]:
    """(number of rows, whether it stopped at CAP)."""
    inner = spec.model.select(peewee.SQL("1"))
    for part in parts:
        inner = inner.where(part)
    if exact:
        return inner.count(clear_limit=True), False
    count = (
        peewee.Select([inner.limit(CAP + 1)], [peewee.fn.COUNT(peewee.SQL("*"))])
        .bind(spec.model._meta.database)
        .scalar()
    )
    return (CAP, True) if count > CAP else (count, False)


def _ordering(key: Any, order: Order, backwards: bool) -> list[Any]:
    descending = order.descending != backwards
    parts = [] if order.spec is None else [order.spec.column_field]
    return [part.desc() if descending else part.asc() for part in (*parts, key)]


def _write_place(row: tuple[Any, ...], position: int, order: Order) -> str:
    if order.spec is None:
        content: list[Any] = [row[0]]
    else:
        content = [row[0], order.spec.type.to_json(row[position], order.spec)]
    return base64.urlsafe_b64encode(json.dumps(content, ensure_ascii=False).encode()).decode().rstrip("=")


def _read_place(text: str, order: Order) -> tuple[int, Any] | None:
    if not text:
        return None
    try:
        content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        key = content[0]
        if not isinstance(key, int) or isinstance(key, bool) or abs(key) > 2**62:
            raise ValueError
        value = order.spec.type.from_json(content[1], order.spec) if order.spec is not None else None
        if isinstance(value, str) and "\x00" in value:
            raise ValueError
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, ArithmeticError):
        raise FilterError("after", gettext("Diese Stelle der Liste gibt es nicht mehr.")) from None
    return key, value


def _beyond(key: Any, order: Order, place: tuple[int, Any], backwards: bool) -> Any:
    """The rows behind a place. Ascending, NULLs stand first on SQLite, last on PostgreSQL; both walk their index."""
    last_key, value = place
    descending = order.descending != backwards
    behind_key = key < last_key if descending else key > last_key
    if order.spec is None:
        return behind_key
    column = order.spec.column_field
    nulls_first = (engine() == "sqlite") != descending
    if value is None:
        same = column.is_null() & behind_key
        return (same | column.is_null(False)) if nulls_first else same
    beyond = column < value if descending else column > value
    reachable = column <= value if descending else column >= value
    # Written as a range plus a test, so that the engine seeks in the index instead of merging two scans.
    ahead = reachable & (beyond | behind_key)
    return ahead if nulls_first else (ahead | column.is_null())


def _fetch_titles(page: Page) -> None:
    for position, item in enumerate(page.columns, start=1):
        if item.target is not None:
            _words(page, item, {row[position] for row in page.rows if row[position] is not None})


def _words(page: Page, item: FieldSpec, keys: set[int]) -> dict[int, str]:
    names = page.names.codes if item.name in page.by_code else page.names.titles
    return names(item.references, keys)


def place_of(spec: ModelSpec, operator: Operator, key: int, order: Order) -> str:
    """The place of one record in a list of this order, "" for a record that is not there."""
    model = spec.model
    key_field = model._meta.primary_key
    query = model.select(key_field, *([order.spec.column_field] if order.spec is not None else [])).where(
        key_field == key
    )
    condition = visible(operator, spec)
    row = (query if condition is None else query.where(condition)).tuples().first()
    return "" if row is None else _write_place(row, len(row) - 1, order)


def cell_text(page: Page, item: FieldSpec, value: Any, operator: Operator) -> str:
    """The text of one cell under the operator's rights; references by title."""
    if value is None:
        return ""
    if item.target is not None:
        return _words(page, item, {value}).get(value, "")
    text = item.format(value)
    if item.masked and not may_read_full(operator, item):
        return mask(text)
    return text


# --- what was found is shown where it was found -----------------------------------------------------------------------

_SPELLINGS = {
    "a": "(?:ae|ä|[aàáâãåā])",
    "o": "(?:oe|ö|[oòóôõøō])",
    "u": "(?:ue|ü|[uùúûū])",
    "e": "[eèéêëēę]",
    "i": "[iìíîïı]",
    "c": "[cçčć]",
    "n": "[nñń]",
    "s": "[sšś]",
    "z": "[zžźż]",
    "l": "[lł]",
    "y": "[yýÿ]",
}


def found_pattern(question: str) -> re.Pattern[str] | None:
    """A pattern for the words of a search in all their spellings, or None."""
    patterns = []
    for word in words_of(question):
        letters = [_SPELLINGS.get(letter, re.escape(letter)) for letter in word]
        patterns.append("".join(letters).replace("[sšś][sšś]", "(?:ß|[sšś][sšś])"))
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None


def marked_text(text: str, pattern: re.Pattern[str] | None) -> Any:
    """The text with what was searched for in <mark>, or the plain text."""
    if pattern is None or not text or not pattern.search(text):
        return text
    parts, last = [], 0
    for match in pattern.finditer(text):
        parts.append(Markup("{}<mark>{}</mark>").format(text[last : match.start()], match.group()))
        last = match.end()
    return Markup("").join([*parts, escape(text[last:])])

"""FieldSpecs become a list page: listed columns only, keyset paging, capped counts, titles fetched together.

Shape: `read_page` answers a Page: rows as tuples (key, values of the columns), whether there is more on either side,
and counts that stop at CAP. The place in the list is a short text that names the last row seen (its sort value and
key), so the last page costs as much as the first. No HTML and no addresses here; `views/` draws.
Limits: a sort value that changes while one pages moves the row; a row is never shown twice on one page.
Source: design.md section 5; base.md (what OFFSET, COUNT and joins cost).
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee
from markupsafe import Markup, escape

from flask_appadmin.database import TooSlow, key_condition, limited
from flask_appadmin.errors import FilterError
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, mask, may_read, may_read_full, visible
from flask_appadmin.search import Hits, has_index, look_up, ranks, words_of
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: Counts are exact up to here; beyond it a list says "more than".
CAP = 10_000

#: So many of the first hits of a search are looked at to see whether the other filters leave nearly all of them.
_SAMPLE = 500

#: Up to so many hits a search without a chosen order shows the best ones first.
RANKED = 1_000

#: So long the order is walked for hits that are frequent, before they are sorted instead.
_WALK_SECONDS = 0.15

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
    #: Words that stand for misspelt ones of the search, where nothing was found exactly.
    similar: tuple[str, ...] = ()

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
    ranked: bool = False,
) -> Page:
    """Reads one page. `after`/`before` continue from a place; before="end" is the last page. `only` limits it further.

    `also` are fields that are read without being columns; `by_code` names references shown by their short code;
    `ranked` puts what a search names exactly before the rest, where it is not too much.
    """
    model = spec.model
    key = model._meta.primary_key
    columns = tuple(item for item in columns if may_read(operator, item))
    also = tuple(item for item in also if item not in columns and may_read(operator, item))
    width = 1 + len(columns) + len(also)
    needed = [key, *(item.column_field for item in (*columns, *also))]
    if order.spec is not None and order.spec not in (*columns, *also):
        needed.append(order.spec.column_field)
    hits: Hits | None = None
    # More than CAP by a fifth: then a sample of them is enough to say that more than CAP are in the list.
    most = CAP * 6 // 5
    base = found
    if found.search and has_index(spec):
        hits = look_up(spec, found.search, operator, most)
        base = dataclasses.replace(found, search="")
    parts = [part for part in (visible(operator, spec), base.where(operator), only) if part is not None]
    tie = tie_breaker(spec, order)
    if tie is not None and tie not in (*columns, *also, order.spec):
        needed.append(tie.column_field)
    backwards = bool(before)
    query = model.select(*needed)
    for part in parts:
        query = query.where(part)
    # By identity: a Peewee field answers == with an expression, which is always true.
    positions = tuple(
        next(at for at, other in enumerate(needed) if other is column) for column in _sort_columns(spec, order)
    )
    if hits is not None and hits.count <= CAP:
        question = found.search if ranked and hits.count <= RANKED else ""
        sequence = _sequence(spec, order, parts, hits.keys(), question)
        page = _page_of(spec, sequence, query, width, size, after, before, (columns, also, order))
        page.by_code, page.similar = frozenset(by_code), hits.similar
        _fetch_titles(page)
        return page
    place = _read_place(after or (before if before != "end" else ""), spec, order)
    rows: list[tuple[Any, ...]] = []
    if hits is not None:
        # So many hits that walking the order meets them soon; where they all stand at its end, they are sorted.
        try:
            with limited(_WALK_SECONDS):
                rows = _read_along(spec, query.where(hits.along()), order, place, backwards, size)
        except TooSlow:
            query = query.where(hits.condition())
            hits_read = False
        else:
            hits_read = True
        parts.append(hits.condition())
    else:
        hits_read = False
    if not hits_read:
        rows = _read_along(spec, query, order, place, backwards, size)
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    if not (more or after or before):
        count, capped = len(rows), False
    elif hits is not None and not exact:
        sample = hits.keys(max(hits.count // _SAMPLE, 1))
        few, _capped = count_rows(spec, [*parts[:-1], key_condition(key, sample)])
        enough = hits.count == most and few >= len(sample) * 19 // 20
        count, capped = (CAP, True) if enough else count_rows(spec, parts)
    else:
        count, capped = count_rows(spec, parts, exact=exact)
    page = Page(columns, [row[:width] for row in rows], order, size, count, capped, also=also)
    page.by_code = frozenset(by_code)
    if rows:
        has_next = more if not backwards else before != "end"
        has_previous = more if backwards else bool(after)
        page.next = _write_place(rows[-1], positions, spec, order) if has_next else ""
        page.previous = _write_place(rows[0], positions, spec, order) if has_previous else ""
    page.first_row = _first_row(at, after, before, size, count, capped, len(rows))
    _fetch_titles(page)
    return page


def _read_along(
    spec: ModelSpec, query: Any, order: Order, place: tuple[Any, ...] | None, backwards: bool, size: int
) -> list[tuple[Any, ...]]:
    """The rows from a place on in the direction of reading, one more than a page has."""
    rows: list[tuple[Any, ...]] = []
    for stretch in _stretches(spec, order, place, backwards):
        part = query if stretch is None else query.where(stretch)
        part = part.order_by(*_ordering(spec, order, backwards)).limit(size + 1 - len(rows))
        rows.extend(part.tuples())
        if len(rows) > size:
            break
    return rows


def _sequence(spec: ModelSpec, order: Order, parts: Sequence[Any], keys: Sequence[int], question: str) -> list[int]:
    """The keys of a search that finds few, in the order of the list; with a question the best ones first."""
    if not keys:
        return []
    key = spec.model._meta.primary_key
    query = spec.model.select(key).where(key_condition(key, keys))
    for part in parts:
        query = query.where(part)
    columns = _sort_columns(spec, order)
    ordering = _ordering(spec, order, False)
    if order.spec is not None and len(columns) > 1 and order.spec.nullable:
        ordering.insert(0, peewee.Expression(columns[0], "IS", peewee.SQL("NULL")))
    sequence = [row[0] for row in query.order_by(*ordering).tuples()]
    if question:
        rank = ranks(spec, sequence, question)
        sequence.sort(key=lambda found: rank.get(found, 9))
    return sequence


def _page_of(
    spec: ModelSpec,
    sequence: list[int],
    query: Any,
    width: int,
    size: int,
    after: str,
    before: str,
    look: tuple[tuple[FieldSpec, ...], tuple[FieldSpec, ...], Order],
) -> Page:
    """The page of a sequence of keys that begins behind, or ends before, the place of a key."""
    start, end = 0, size
    if after:
        start = _position(sequence, after) + 1
        end = start + size
    elif before:
        end = len(sequence) if before == "end" else _position(sequence, before)
        start = max(end - size, 0)
    keys = sequence[start:end]
    key = spec.model._meta.primary_key
    rows = {row[0]: row[:width] for row in query.where(key_condition(key, keys)).tuples()} if keys else {}
    columns, also, order = look
    page = Page(columns, [rows[found] for found in keys if found in rows], order, size, len(sequence), False, also=also)
    if keys:
        page.next = key_place(keys[-1]) if end < len(sequence) else ""
        page.previous = key_place(keys[0]) if start else ""
        page.first_row = start + 1
    return page


def key_place(key: int) -> str:
    """The place of a record in the list of a search."""
    return base64.urlsafe_b64encode(json.dumps(["#", key]).encode()).decode().rstrip("=")


def _position(sequence: list[int], place: str) -> int:
    try:
        content = json.loads(base64.urlsafe_b64decode(place + "=" * (-len(place) % 4)))
        if content[0] == "#":
            return sequence.index(content[1])
    except (ValueError, TypeError, IndexError, KeyError):
        pass
    raise FilterError("after", gettext("Diese Stelle der Liste gibt es nicht mehr."))


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


# --- the order and the places in it -----------------------------------------------------------------------------------


def tie_breaker(spec: ModelSpec, order: Order) -> FieldSpec | None:
    """The field that orders records with the same sort value: the model's own order where that is a unique number or
    name that all records have; None for the key. So one index (city, number) serves both the order and the filter."""
    for name in spec.description.order[:1]:
        item = spec.by_name.get(name)
        if item is not None and item.unique and not item.nullable and sortable(item) and order.spec is not None:
            return item
    return None


def _sort_columns(spec: ModelSpec, order: Order) -> list[Any]:
    """The columns that a list is sorted by; together they are different for each record."""
    key, tie = spec.model._meta.primary_key, tie_breaker(spec, order)
    if order.spec is None:
        return [key]
    last = key if tie is None else tie.column_field
    return [last] if order.spec is tie else [order.spec.column_field, last]


def _ordering(spec: ModelSpec, order: Order, backwards: bool) -> list[Any]:
    descending = order.descending != backwards
    return [column.desc() if descending else column.asc() for column in _sort_columns(spec, order)]


def _stretches(spec: ModelSpec, order: Order, place: tuple[Any, ...] | None, backwards: bool) -> list[Any]:
    """The conditions on the stretches of the list from a place on, in the direction of reading: None for all rows.

    Records without a sort value stand last, whichever way it is sorted; they are a stretch of their own, so that each
    is read along its index on both engines.
    """
    columns = _sort_columns(spec, order)
    beyond = None if place is None else _beyond(columns, place, order.descending != backwards)
    if order.spec is None or len(columns) == 1 or not order.spec.nullable:
        return [beyond]
    filled, empty = columns[0].is_null(False), columns[0].is_null()
    if place is None:
        return [empty, filled] if backwards else [filled, empty]
    if place[0] is None:
        here = empty & _beyond(columns[1:], place[1:], order.descending != backwards)
        return [here, filled] if backwards else [here]
    return [beyond] if backwards else [beyond, empty]


def _beyond(columns: Sequence[Any], place: Sequence[Any], descending: bool) -> Any:
    """The rows behind a place, compared as a row of values: both engines seek such a comparison in an index."""
    values = [
        peewee.Value(column.db_value(value), converter=False) for column, value in zip(columns, place, strict=True)
    ]
    if len(columns) == 1:
        return peewee.Expression(columns[0], "<" if descending else ">", values[0])
    return peewee.Expression(peewee.Tuple(*columns), "<" if descending else ">", peewee.Tuple(*values))


def _write_place(row: tuple[Any, ...], positions: Sequence[int], spec: ModelSpec, order: Order) -> str:
    items = [spec.by_name[column.name] for column in _sort_columns(spec, order)]
    content = [item.type.to_json(row[position], item) for item, position in zip(items, positions, strict=True)]
    return base64.urlsafe_b64encode(json.dumps(content, ensure_ascii=False).encode()).decode().rstrip("=")


def _read_place(text: str, spec: ModelSpec, order: Order) -> tuple[Any, ...] | None:
    if not text:
        return None
    items = [spec.by_name[column.name] for column in _sort_columns(spec, order)]
    try:
        content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(content, list) or len(content) != len(items):
            raise ValueError
        values = tuple(item.type.from_json(value, item) for item, value in zip(items, content, strict=True))
        if values[-1] is None:
            raise ValueError
        for item, value in zip(items, values, strict=True):
            item.column_field.db_value(value)
            if isinstance(value, float | list | dict) or (isinstance(value, str) and "\x00" in value):
                raise ValueError
            if isinstance(value, int) and abs(value) > 2**62:
                raise ValueError
            if value is not None and item.type.name in ("integer", "reference", "bool") and not isinstance(value, int):
                raise ValueError
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, ArithmeticError):
        raise FilterError("after", gettext("Diese Stelle der Liste gibt es nicht mehr.")) from None
    return values


def _fetch_titles(page: Page) -> None:
    for position, item in enumerate(page.columns, start=1):
        if item.target is not None:
            _words(page, item, {row[position] for row in page.rows if row[position] is not None})


def _words(page: Page, item: FieldSpec, keys: set[int]) -> dict[int, str]:
    names = page.names.codes if item.name in page.by_code else page.names.titles
    return names(item.references, keys)


def words_of_column(page: Page, item: FieldSpec) -> dict[int, str]:
    """Key -> title (or short code) for the records that a column of the page refers to."""
    if item not in page.columns:
        position = 1 + len(page.columns) + page.also.index(item)
    else:
        position = 1 + page.columns.index(item)
    return _words(page, item, {row[position] for row in page.rows if row[position] is not None})


def place_of(spec: ModelSpec, operator: Operator, key: int, order: Order) -> str:
    """The place of one record in a list of this order, "" for a record that is not there."""
    model = spec.model
    columns = _sort_columns(spec, order)
    query = model.select(*columns).where(model._meta.primary_key == key)
    condition = visible(operator, spec)
    row = (query if condition is None else query.where(condition)).tuples().first()
    return "" if row is None else _write_place(row, range(len(columns)), spec, order)


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


def found_pattern(question: str, similar: Sequence[str] = ()) -> re.Pattern[str] | None:
    """A pattern for the words of a search in all their spellings, or None."""
    patterns = []
    for word in (*words_of(question), *similar):
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

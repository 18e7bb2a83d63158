"""The text of a URL becomes parts of a filter.

Names: `city`, `city__contains` (field and way to compare); `address.city` (a field of a child, or of the record that a
reference leads to; all questions to one child table are about the same child); `address__empty`; `history.city__from`;
`no.` before a path turns it round; `any`, `all` and `none` hold a group, written as a query of its own; `where` holds a
condition typed by hand, `query` the key of a saved one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import parse_qsl

from flask_appadmin.errors import FilterError
from flask_appadmin.filters.comparing import read_condition
from flask_appadmin.filters.parts import FilterNotAllowed, Group, Part, require_field
from flask_appadmin.filters.past import ANY_FIELD, PAST, Changed, read_past
from flask_appadmin.filters.related import Related
from flask_appadmin.filters.typed import TYPED, read_typed
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: Names in a list's URL that are not fields.
RESERVED = frozenset(
    {
        "search",
        "sort",
        "desc",
        "after",
        "before",
        "at",
        "size",
        "page",
        "page_size",
        "view",
        "columns",
        "selection",
        "count",
        "tab",
        "url",
        "only",
    }
)

#: Name -> what reads it: (model, operator, name, way to compare, texts) -> Part. Rooms above add their own.
PartReader = Callable[[ModelSpec, Operator, str, str, Sequence[str]], Part]
_OTHER_PARTS: dict[str, PartReader] = {}


def register_part(name: str, read: PartReader) -> None:
    """Adds a question that is about no field of the model."""
    _OTHER_PARTS[name] = read


GROUPS = ("any", "all", "none")

#: A filter has at most so many questions, and groups stand so deep in each other.
MOST_PARTS, MOST_DEPTH = 30, 5


def field_at(spec: ModelSpec, path: str) -> FieldSpec | None:
    """The field that a name without its way to compare means: `city`, `address.city`; None for none."""
    head, _gap, rest = path.partition(".")
    if not rest:
        return spec.by_name.get(head)
    child = next((other for other in spec.children if other.name == head), None)
    item = spec.by_name.get(head)
    other = child if child is not None else item.references if item is not None else None
    return field_at(other, rest) if other is not None else None


class Reader:
    """Reads the parts of one filter; keeps count of them over all its groups."""

    def __init__(self, spec: ModelSpec, operator: Operator) -> None:
        self.spec = spec
        self.operator = operator
        self.names = ReferenceCache()
        self._count = 0

    def read(self, pairs: Iterable[tuple[str, str]], depth: int = 0) -> tuple[Part, ...]:
        """The parts that these pairs mean, in their order; raises FilterError or FilterNotAllowed."""
        found: dict[str, list[tuple[str, str]]] = {}
        for name, text in pairs:
            if name == "search" and depth:
                raise FilterError(name, gettext("Eine Suche kann nicht in einer Gruppe stehen."))
            if name in RESERVED:
                continue
            # Each group stands for itself; questions to one child or one field belong together.
            first = f"{name}#{len(found)}" if name in (*GROUPS, *TYPED) else self._together(name)
            found.setdefault(first, []).append((name, text))
        return tuple(self._part(entries, depth) for entries in found.values())

    def _together(self, name: str) -> str:
        if "." not in name:
            return name
        path = name.partition("__")[0].split(".")
        start = 2 if path[0] == "no" else 1
        # All questions about the same change, or about the same child.
        return ".".join(path) if path[start - 1] == PAST else ".".join(path[:start])

    def _part(self, entries: list[tuple[str, str]], depth: int) -> Part:
        name = entries[0][0]
        if name in GROUPS:
            return self._group(name, entries[0][1], depth)
        self._count += 1
        if self._count > MOST_PARTS:
            raise FilterError(name, gettext("Höchstens %(most)s Filter auf einmal.", most=MOST_PARTS))
        if name in TYPED:
            return read_typed(self.spec, name, entries[0][1], self.operator)
        if "." in name:
            return self._path(entries, depth)
        field_name, _gap, key = name.partition("__")
        item = self.spec.by_name.get(field_name)
        if item is None and field_name in _OTHER_PARTS:
            texts = [text for _name, text in entries]
            return _OTHER_PARTS[field_name](self.spec, self.operator, name, key, texts)
        if item is None:
            return self._existence(name, field_name, key)
        return self._condition(item, name, key, [text for _name, text in entries])

    def _condition(self, item: FieldSpec, name: str, key: str, texts: list[str]) -> Part:
        if item.secret:
            raise FilterError(name)
        require_field(item, self.operator)
        return read_condition(item, name, key, texts, self.names)

    def _group(self, how: str, text: str, depth: int) -> Part:
        if depth >= MOST_DEPTH:
            raise FilterError(how, gettext("Gruppen stehen höchstens %(most)s Ebenen tief.", most=MOST_DEPTH))
        if len(text) > 8_000 or "\x00" in text:
            raise FilterError(how, gettext("Diese Gruppe ist nicht lesbar."))
        parts = self.read(parse_qsl(text, keep_blank_values=True), depth + 1)
        if not parts:
            raise FilterError(how, gettext("Diese Gruppe ist leer."))
        return Group(how, parts)

    def _existence(self, name: str, child_name: str, key: str) -> Part:
        child = self._child(child_name)
        if child is None or key not in ("empty", "filled"):
            raise FilterError(name)
        assert child.owner is not None
        return Related(child, child.owner, (), no=key == "empty")

    def _child(self, name: str) -> ModelSpec | None:
        child = next((other for other in self.spec.children if other.name == name), None)
        if child is not None and not self.operator.may(f"{child.right}.read"):
            raise FilterNotAllowed(str(child.plural), f"{child.right}.read")
        return child

    def _path(self, entries: list[tuple[str, str]], depth: int) -> Part:
        name = entries[0][0]
        path = name.partition("__")[0].split(".")
        no = path[0] == "no"
        path = path[1:] if no else path
        if path[0] == PAST:
            return self._changed(entries, path[1:], no)
        child = self._child(path[0])
        if child is not None:
            other, link = child, child.owner
            assert link is not None
        else:
            found = self.spec.by_name.get(path[0])
            if found is None or found.references is None or len(path) < 2:
                raise FilterError(name)
            require_field(found, self.operator)
            other, link = found.references, found
            if not self.operator.may(f"{other.right}.read"):
                raise FilterNotAllowed(str(link.label), f"{other.right}.read")
        if depth >= MOST_DEPTH:
            raise FilterError(name, gettext("Gruppen stehen höchstens %(most)s Ebenen tief.", most=MOST_DEPTH))
        start = len("no." if no else "") + len(path[0]) + 1
        inner = Reader(other, self.operator)
        inner.names, inner._count = self.names, self._count
        parts = inner.read([(asked[start:], text) for asked, text in entries], depth + 1)
        self._count = inner._count
        if not parts:
            raise FilterError(name)
        return Related(other, link, parts, no)

    def _changed(self, entries: list[tuple[str, str]], path: list[str], no: bool) -> Part:
        name = entries[0][0]
        if not self.operator.may("history.read"):
            raise FilterNotAllowed(gettext("Historie"), "history.read")
        entity = self.spec if len(path) == 1 else (self._child(path[0]) if len(path) == 2 else None)
        if entity is None:
            raise FilterError(name)
        item = None
        if path[-1] != ANY_FIELD:
            item = entity.by_name.get(path[-1])
            if item is None or item.secret:
                raise FilterError(name)
            require_field(item, self.operator)
        by_key: dict[str, list[str]] = {}
        for asked, text in entries:
            by_key.setdefault(asked.partition("__")[2], []).append(text)
        questions = tuple(read_past(name, key, texts, self.names) for key, texts in by_key.items())
        return Changed(self.spec, entity, item, questions, no)

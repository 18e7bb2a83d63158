"""Named arrangements of fields: which tabs a form has, which cards stand on them, which columns a list starts with.

Shape: a Layout is a tuple of Tabs, a Tab a tuple of Groups (cards) and the names of child tables. Without one of its
own a model gets `automatic_layout`: one tab per `group` of its fields, in the order in which they first occur, children
last.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask_appadmin.customfields import tab_key, tab_of
from flask_appadmin.i18n import _, message_id
from flask_appadmin.specs import FieldSpec, ModelSpec


@dataclass(frozen=True)
class LinesPreview:
    """What some fields come to when they are printed: lines beside them, which follow what is typed."""

    name: str
    label: Any
    #: The fields the lines are made of, wherever they stand.
    fields: tuple[str, ...]
    #: Values by field -> lines.
    lines: Callable[[dict[str, Any]], list[str]]


@dataclass(frozen=True)
class Group:
    """A card: a title (may be empty) and field names in reading order."""

    title: Any
    fields: tuple[str, ...]
    preview: LinesPreview | None = None


@dataclass(frozen=True)
class Related:
    """Rows of another table that are about the record, to be read on a tab."""

    #: The table, and its reference to the record.
    table: str
    by: str
    columns: tuple[str, ...]
    #: What stands there while there are none.
    empty: Any
    #: A heading other than the table's name.
    label: Any = ""
    #: Makes a condition that the rows meet besides (Peewee expression).
    only: Callable[[], Any] | None = None


@dataclass(frozen=True)
class Tab:
    """One page of a form. `children` are table names of child grids."""

    key: str
    label: Any
    groups: tuple[Group, ...] = ()
    children: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    #: Stands in the list of special functions, and is a window of its own.
    special: bool = False
    #: Says whether it is there at the moment; None means always.
    offered: Callable[[], bool] | None = None
    #: What its button for saving says; "" for the usual word.
    save_label: Any = ""

    def is_offered(self) -> bool:
        return self.offered is None or self.offered()

    @functools.cached_property
    def field_names(self) -> tuple[str, ...]:
        return tuple(name for group in self.groups for name in group.fields)


@dataclass(frozen=True)
class ChildTable:
    """How a child table stands in the form of its owner."""

    #: The fields that are columns, in this order; all others open below the row or in its window.
    columns: tuple[str, ...] = ()
    #: The title of the window in which a row is made and changed; without one, rows are edited in place.
    window: Any = ""
    #: The cards of that window; what no card names follows in a last one.
    groups: tuple[Group, ...] = ()
    #: Whether „Löschen“ asks before a row is struck through.
    asks: bool = False
    #: So many rows always stand there, empty ones ready to be filled.
    least: int = 0
    #: What stands before the rows: a text with %(number)s.
    row_label: Any = ""
    #: Fields that are given and never typed in this table.
    given: tuple[str, ...] = ()
    #: Route of the owner's view, with ?id=<owner>: the window in which a row begins, where typing alone makes none.
    begins: str = ""
    #: Route of the owner's view, with ?id=<row>: what stands behind a row, a file for example.
    opens: str = ""


@dataclass(frozen=True)
class Layout:
    tabs: tuple[Tab, ...]

    def tab(self, key: str) -> Tab:
        """The tab of this key, the first one for an unknown key."""
        return next((tab for tab in self.tabs if tab.key == key), self.tabs[0])

    def tab_of(self, name: str) -> str:
        """The key of the tab on which a field or a child table stands, "" for none."""
        return self._tab_keys.get(name, "")

    @functools.cached_property
    def _tab_keys(self) -> dict[str, str]:
        """Field or child table -> the key of the first tab on which it stands."""
        return {name: tab.key for tab in reversed(self.tabs) for name in (*tab.field_names, *tab.children)}


def form_fields(spec: ModelSpec) -> tuple[FieldSpec, ...]:
    """The fields people see in a form: business data without the reference to the owner."""
    return tuple(item for item in spec.data_fields if not item.owner)


def automatic_layout(
    spec: ModelSpec, labels: Mapping[str, Any] | None = None, *, cards: Mapping[str, Iterable[Group]] | None = None
) -> Layout:
    """One tab per group of fields and one for each child table that no tab names; `labels` names the groups."""
    labels = labels or {}
    cards = cards or {}
    by_group: dict[str, list[str]] = {key: [] for key in labels}
    for item in spec.own_fields:
        if not item.owner:
            by_group.setdefault(item.group or "main", []).append(item.name)
    tabs = []
    for key, names in by_group.items():
        if not names:
            continue
        groups = list(cards.get(key, ()))
        placed = {name for group in groups for name in group.fields}
        rest = tuple(name for name in names if name not in placed)
        if rest:
            groups.append(Group(_("Weitere Angaben") if groups else "", rest))
        tabs.append(Tab(key, labels.get(key) or (_("Angaben") if key == "main" else key), tuple(groups)))
    tabs = tabs or [Tab("main", _("Angaben"))]
    children = tuple(child.name for child in spec.children)
    if children and len(tabs) == 1 and len(children) <= 3:
        return Layout((Tab(tabs[0].key, tabs[0].label, tabs[0].groups, children),))
    tabs += [Tab(child.name, child.plural, (), (child.name,)) for child in spec.children]
    return Layout(tuple(tabs))


def list_columns(spec: ModelSpec) -> tuple[FieldSpec, ...]:
    """The columns a list starts with: those marked `listed`, else the first eight that are short."""
    marked = tuple(item for item in spec.fields if item.listed)
    if marked:
        return marked
    short = _short_fields(spec)
    owner = (spec.owner,) if spec.owner is not None else ()
    return (*owner, *short[: 8 - len(owner)])


def grid_columns(spec: ModelSpec) -> tuple[FieldSpec, ...]:
    """The columns of a child grid: those marked `listed`, else the first seven; the rest opens below the row."""
    marked = tuple(item for item in spec.own_fields if item.listed and not item.owner)
    if marked:
        return marked
    return tuple(_short_fields(spec)[:7])


def _short_fields(spec: ModelSpec) -> list[FieldSpec]:
    long = ("multiline", "json")
    return [item for item in spec.own_fields if not (item.owner or item.secret or item.type.name in long)]


def extended(layout: Layout, spec: ModelSpec) -> Layout:
    """The layout with the fields that operators defined: on the tab they named, or on a further one of that name."""
    names: dict[str, list[str]] = {}
    words: dict[str, str] = {}
    for item in spec.further_fields:
        words.setdefault(tab_of(item).casefold(), tab_of(item))
        names.setdefault(tab_of(item).casefold(), []).append(item.name)
    tabs = []
    for tab in layout.tabs:
        called = {str(message_id(tab.label)).casefold(), str(tab.label).casefold()}
        word = next((word for word in names if word in called and not tab.special), None)
        if word is not None:
            group = Group(_("Benutzerdefinierte Felder") if tab.groups else "", tuple(names.pop(word)))
            tab = replace(tab, groups=(*tab.groups, group))
        tabs.append(tab)
    later = [Tab(tab_key(word), words[word], (Group("", tuple(found)),)) for word, found in names.items()]
    return Layout((*tabs, *later)) if spec.further_fields else layout

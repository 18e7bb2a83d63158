"""What a list shows and how, kept on the server: views under a name, and each operator's own arrangement of columns.

Shape: a ListView is a filter (the text of a list's query), columns in their order with width and pin, an order, rows
per page and the height of rows; private, for one work group or for all. A ListArrangement is what one operator made of
a list or of one of its views without saving it: columns, widths, height. It stands in for the view's own until it is
saved into it or thrown away. Both tables are settings of operators: no history, no undo.
Whoever opens a view does so under rights of his own. A column he may not see, or that is gone, is left out and named;
a filter he may not ask closes the list, since without it the list would show more than the view means.
Units: widths in pixels. Errors: NoSuchView, ColumnError, and AppAdminError for a name that does not do.
Source: goals L2, L3; trust.md cases 32, 34; docs/decisions/list-views.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import peewee

from flask_appadmin.changes.anonymising import Person, hide_in_texts, register_store
from flask_appadmin.database import database, in_transaction, utcnow
from flask_appadmin.digits import is_number
from flask_appadmin.errors import AppAdminError, FilterError
from flask_appadmin.fieldtypes.columns import JSONField
from flask_appadmin.filters import GROUPS, RESERVED, Filter, Part
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import Operator, Role, User, may_read
from flask_appadmin.specs import FieldSpec, ModelSpec

#: Heights of rows, by the class they have on the page.
DENSITIES: dict[str, Any] = {"tight": _("eng"), "normal": _("normal"), "wide": _("weit")}

#: A column is at least so wide that its border can be taken hold of, and never wider than a screen.
WIDTHS = (40, 1200)

#: More columns than this nobody reads, and every one of them is fetched for every row.
MOST_COLUMNS = 60

#: Values of `view` in an address that name no view: without the usual filter; none; the filter is the address's own.
WITHOUT_USUAL, NO_VIEW, OWN_FILTER = "all", "none", "own"


class ListView(peewee.Model):
    """A list as somebody arranged and named it."""

    #: Empty for one whose maker is gone.
    user = peewee.ForeignKeyField(User, null=True, on_delete="SET NULL")
    entity = peewee.CharField(max_length=60, index=True)
    name = peewee.CharField(max_length=60)
    #: "mine", "role" (those of `role`) or "all".
    shared = peewee.CharField(max_length=4, default="mine")
    role = peewee.ForeignKeyField(Role, null=True, on_delete="CASCADE")
    #: Whether those it is shared with start with it.
    is_default = peewee.BooleanField(default=False)
    #: The filter as it stands in a list's address.
    query = peewee.TextField(default="")
    #: [{"name", "label", "width", "pinned"}, …]; none for the model's own columns. The label names one that is gone.
    columns = JSONField(default=list)
    sort = peewee.CharField(max_length=80, default="")
    page_size = peewee.IntegerField(default=50)
    density = peewee.CharField(max_length=8, default="normal")
    changed_at = peewee.DateTimeField(default=utcnow)

    class Meta:
        table_name = "list_view"
        database = database


class ListArrangement(peewee.Model):
    """What one operator made of a list, or of one of its views, without saving it."""

    user = peewee.ForeignKeyField(User, null=True, on_delete="CASCADE", index=False)
    entity = peewee.CharField(max_length=60)
    #: Empty for the list without a view.
    view = peewee.ForeignKeyField(ListView, null=True, on_delete="CASCADE")
    columns = JSONField(default=list)
    #: Empty for the view's own.
    density = peewee.CharField(max_length=8, default="")
    #: The view this operator's list opens with; only in the row without a view.
    start_view = peewee.ForeignKeyField(ListView, null=True, on_delete="SET NULL", backref="starts")
    #: The list's address as it was last seen, where it is too long for the session; only in the row without a view.
    place = peewee.TextField(default="")
    changed_at = peewee.DateTimeField(default=utcnow)

    class Meta:
        table_name = "list_arrangement"
        database = database
        indexes = ((("user", "entity"), False),)


class NoSuchView(AppAdminError):
    """A view that does not exist, or not for this operator."""

    status = 404

    def sentence(self) -> str:
        return gettext(
            "Diese Ansicht gibt es nicht, oder sie ist nicht mehr für Sie freigegeben. "
            "Öffnen Sie die Liste über das Menü links und wählen Sie dort eine andere Ansicht."
        )


class ColumnError(AppAdminError):
    """A column that an address asks for and that is not there for this operator."""

    def sentence(self) -> str:
        return gettext("Spalte „%(name)s“: Diese Spalte gibt es hier nicht.", name=str(self.args[0])[:60])


@dataclass(frozen=True)
class Column:
    """One column of a list: its field, its width (0: as its content needs), whether it stays at the left."""

    spec: FieldSpec
    width: int = 0
    pinned: bool = False

    def stored(self) -> dict[str, Any]:
        return {
            "name": self.spec.name,
            "label": str(self.spec.label),
            "width": self.width,
            "pinned": self.pinned,
        }


def readable_columns(spec: ModelSpec, operator: Operator) -> list[FieldSpec]:
    """The fields of a model that this operator's list can show."""
    return [item for item in (*spec.fields, *spec.further_fields) if may_read(operator, item)]


def read_columns(spec: ModelSpec, operator: Operator, stored: Iterable[Any]) -> tuple[list[Column], list[str]]:
    """Stored columns under these rights, pinned ones first; and the names of those that are missing."""
    columns: list[Column] = []
    missing: list[str] = []
    for entry in stored:
        if not isinstance(entry, dict):
            continue
        item = spec.by_name.get(str(entry.get("name")))
        if item is None or not may_read(operator, item):
            missing.append(str(item.label if item is not None else entry.get("label") or entry.get("name")))
        elif all(column.spec is not item for column in columns):
            columns.append(Column(item, read_width(entry.get("width")), entry.get("pinned") is True))
    return sorted(columns, key=lambda column: not column.pinned), missing


def named_columns(spec: ModelSpec, operator: Operator, names: Iterable[str]) -> list[Column]:
    """The columns an address or a form names; ColumnError for one that is not there."""
    columns = []
    for name in dict.fromkeys(name.strip() for name in names if name.strip()):
        item = spec.by_name.get(name)
        if item is None or not may_read(operator, item):
            raise ColumnError(name)
        columns.append(Column(item))
    if len(columns) > MOST_COLUMNS:
        raise AppAdminError(gettext("Eine Liste zeigt höchstens %(count)s Spalten.", count=MOST_COLUMNS))
    return columns


def read_width(value: Any) -> int:
    """A width within its limits; 0 for anything that is none."""
    text = str(value).strip()
    if not is_number(text, 5) or int(text) == 0:
        return 0
    return min(max(int(text), WIDTHS[0]), WIDTHS[1])


def _stored(model: Any, condition: str, values: list[Any]) -> list[Any]:
    """Rows by a condition in SQL: every page of a list asks twice, and building the queries would take most of it."""
    fields = model._meta.sorted_fields
    names = ", ".join(f'"{field.column_name}"' for field in fields)
    text = f'SELECT {names} FROM "{model._meta.table_name}" WHERE {condition}'.replace("?", database.param)
    return [
        model(**{field.name: field.python_value(value) for field, value in zip(fields, row, strict=True)})
        for row in database.execute_sql(text, values).fetchall()
    ]


# --- what one operator has for one list -------------------------------------------------------------------------------


class Views:
    """The views of a list that an operator may open, and what he made of them."""

    def __init__(self, spec: ModelSpec, operator: Operator) -> None:
        self.spec = spec
        self.operator = operator
        me = operator.user_id
        mine, whom = ('"user_id" IS NULL', []) if me is None else ('"user_id" = ?', [me])
        # The command line belongs to no group; it may name what is shared with any.
        groups, group = 'SELECT "id" FROM "role" WHERE "name" = ?', [operator.role]
        if me is None and operator.may("*"):
            groups, group = 'SELECT "id" FROM "role"', []
        shared = f"""{mine} OR "shared" = 'all' OR "shared" = 'role' AND "role_id" IN ({groups})"""
        found = _stored(ListView, f'"entity" = ? AND ({shared})', [spec.name, *whom, *group])
        self.all: list[ListView] = sorted(found, key=lambda view: view.name.casefold())
        rows = _stored(ListArrangement, f'{mine} AND "entity" = ? ORDER BY "id"', [*whom, spec.name])
        self.made: dict[int | None, ListArrangement] = {row.view_id: row for row in rows}

    def find(self, number: int) -> ListView:
        """A view by its number; NoSuchView."""
        found = next((view for view in self.all if view.id == number), None)
        if found is None:
            raise NoSuchView(number)
        return found

    def named(self, name: str) -> ListView:
        """A view by its name or number, the operator's own first; NoSuchView."""
        found = [view for view in self.all if view.name.casefold() == name.strip().casefold()]
        if found:
            return min(found, key=lambda view: not self.is_mine(view))
        return self.find(int(name) if is_number(name, 9) else 0)

    def is_mine(self, view: ListView) -> bool:
        return bool(view.user_id == self.operator.user_id)

    def may_change(self, view: ListView) -> bool:
        """Makers change what is theirs; what is shared needs the right to share."""
        if view.shared == "mine":
            return self.is_mine(view)
        return self.operator.may("view.share")

    def start(self) -> ListView | None:
        """The view this list opens with: the operator's own choice, else that of his work group, else that of all."""
        own = self.made.get(None)
        chosen = own.start_view_id if own is not None else None
        shared = sorted((view for view in self.all if view.is_default), key=lambda view: view.shared != "role")
        return next((view for view in self.all if view.id == chosen), shared[0] if shared else None)

    def starts_mine(self, view: ListView) -> bool:
        own = self.made.get(None)
        return own is not None and own.start_view_id == view.id

    # --- writing --------------------------------------------------------------------------------------------------

    def keep_name(self, name: str, but: ListView | None = None) -> str:
        """A name that does; AppAdminError for one that is empty or taken."""
        name = " ".join(name.replace("\x00", "").split())
        if not name:
            raise AppAdminError(gettext("Bitte geben Sie der Ansicht einen Namen."))
        if len(name) > 60:
            raise AppAdminError(gettext("Der Name einer Ansicht hat höchstens 60 Zeichen."))
        for view in self.all:
            same = but is None or view.id != but.id
            if same and self.is_mine(view) and view.name.casefold() == name.casefold():
                raise AppAdminError(gettext("Eine Ansicht „%(name)s“ haben Sie schon.", name=view.name))
        return name

    def require_change(self, view: ListView) -> None:
        """NotAllowed for a view that somebody else keeps."""
        if not self.may_change(view):
            self.operator.require("view.share")
            raise NoSuchView(view.id)

    def create(self, name: str, shared: str, values: dict[str, Any]) -> ListView:
        """A new view; `shared` is "mine", "all" or "role:<number>"."""
        values = values | {"name": self.keep_name(name), **self._shared(shared)}
        key = in_transaction(
            lambda: ListView.insert(user=self.operator.user_id, entity=self.spec.name, **values).execute()
        )
        return ListView.get_by_id(key)

    def update(self, view: ListView, values: dict[str, Any]) -> None:
        """Writes into a view what is arranged now; what the operator had made of it is part of it from then on."""
        self.require_change(view)
        values = values | {"changed_at": utcnow()}

        def write() -> None:
            ListView.update(**values).where(ListView.id == view.id).execute()
            self._forget(view.id)

        in_transaction(write)

    def rename(self, view: ListView, name: str, shared: str) -> None:
        """Another name, or others it is for."""
        self.require_change(view)
        values = {"name": self.keep_name(name, view), "changed_at": utcnow()}
        now = f"role:{view.role_id}" if view.shared == "role" else view.shared
        if shared and shared != now:
            values |= self._shared(shared) | {"is_default": False}
        in_transaction(lambda: ListView.update(**values).where(ListView.id == view.id).execute())

    def delete(self, view: ListView) -> None:
        self.require_change(view)
        in_transaction(lambda: ListView.delete().where(ListView.id == view.id).execute())

    def start_with(self, view: ListView | None) -> None:
        """The view this operator's list opens with from now on; None for the default of his group."""
        self._keep(None, start_view=view.id if view is not None else None)

    def start_all_with(self, view: ListView, wanted: bool) -> None:
        """Makes a shared view the one that those it is shared with start with, or takes that back."""
        self.operator.require("view.share")
        if view.shared == "mine":
            raise AppAdminError(gettext("Eine Ansicht, die nur Sie sehen, kann keine Vorgabe für andere sein."))
        same = (ListView.entity == self.spec.name) & (ListView.shared == view.shared)
        if view.shared == "role":
            same &= ListView.role == view.role_id

        def write() -> None:
            ListView.update(is_default=False).where(same).execute()
            ListView.update(is_default=wanted).where(ListView.id == view.id).execute()

        in_transaction(write)

    def arrange(self, view: ListView | None, **values: Any) -> None:
        """Keeps columns or height of rows for this operator, apart from what the view itself says."""
        self._keep(view.id if view is not None else None, **values)

    def keep_place(self, address: str) -> None:
        """Keeps an address of the list; nothing else that the operator arranged changes."""
        self._keep(None, place=address)

    def reset(self, view: ListView | None) -> None:
        """Throws away what this operator made of the list or view; which view he starts with stays."""
        if view is not None:
            in_transaction(lambda: self._forget(view.id))
        else:
            self._keep(None, columns=[], density="")

    def _keep(self, number: int | None, **values: Any) -> None:
        values["changed_at"] = utcnow()

        def write() -> None:
            if not ListArrangement.update(**values).where(self._made(number)).execute():
                keys = {"user": self.operator.user_id, "entity": self.spec.name, "view": number}
                ListArrangement.insert(**keys, **values).execute()

        in_transaction(write)

    def _forget(self, number: int) -> None:
        ListArrangement.delete().where(self._made(number)).execute()

    def _made(self, number: int | None) -> Any:
        """The condition on what this operator made of a view, or of the list without one."""
        user, view = ListArrangement.user, ListArrangement.view
        mine = user.is_null() if self.operator.user_id is None else user == self.operator.user_id
        same = view.is_null() if number is None else view == number
        return mine & (ListArrangement.entity == self.spec.name) & same

    def _shared(self, text: str) -> dict[str, Any]:
        if text in ("", "mine"):
            return {"shared": "mine", "role": None}
        self.operator.require("view.share")
        if text == "all":
            return {"shared": "all", "role": None}
        number = text.removeprefix("role:")
        role = None
        if text.startswith("role:") and is_number(number, 9):
            role = Role.get_or_none(Role.id == int(number))
        if role is None:
            raise AppAdminError(gettext("Diese Arbeitsgruppe gibt es nicht."))
        return {"shared": "role", "role": role.id}


def address(spec: ModelSpec, operator: Operator, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """An address of a list with all that the view it names says written out: filter, order, rows per page."""
    pairs = list(pairs)
    number = view_number(pairs)
    return pairs if number is None else expanded(Views(spec, operator).find(number), pairs)


def filter_of(
    spec: ModelSpec, operator: Operator, pairs: Iterable[tuple[str, str]], usual: Sequence[Part] | str = ()
) -> Filter:
    """The filter that an address of a list means; pages and the command line read it here.

    usual: what a list is limited to that is opened without a filter, read already or as text of a URL. It holds unless
    the address names its fields or says `view=all`; what a saved view (`view=7`) says holds unless the address names
    its fields or says `view=own`.
    """
    pairs = address(spec, operator, pairs)
    found = Filter.from_pairs(spec, pairs, operator)
    if not usual or ("view", WITHOUT_USUAL) in pairs:
        return found
    known = Filter.from_text(spec, usual, operator).conditions if isinstance(usual, str) else usual
    named = found.named
    return Filter(spec, found.search, (*found.conditions, *(part for part in known if part.spec not in named)))


def keep_place(spec: ModelSpec, operator: Operator, address: str) -> None:
    """Keeps the address of a list where this operator was last."""
    Views(spec, operator).keep_place(address)


def kept_place(spec: ModelSpec, operator: Operator) -> str:
    """The address that was kept, or ""."""
    made = Views(spec, operator).made.get(None)
    return made.place if made is not None else ""


def roles_to_share_with() -> list[tuple[str, str]]:
    """The work groups a view can be for: (value, name)."""
    return [(f"role:{role.id}", role.name) for role in Role.select().order_by(Role.name)]


# --- the filter of a view in an address -------------------------------------------------------------------------------


def view_number(pairs: Sequence[tuple[str, str]]) -> int | None:
    """The number of the view that an address names, None for none; FilterError for what names nothing."""
    number = None
    for name, text in pairs:
        if name != "view" or text in (WITHOUT_USUAL, NO_VIEW, OWN_FILTER, ""):
            continue
        if number is not None or not is_number(text, 9):
            raise FilterError("view", gettext("Diese Ansicht gibt es nicht."))
        number = int(text)
    return number


def expanded(view: ListView, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """An address that names this view, with all the view says written out; what the address says itself holds."""
    rest = [pair for pair in pairs if pair[0] != "view" or pair[1] in (WITHOUT_USUAL, NO_VIEW)]
    pairs = list(pairs)
    if ("view", OWN_FILTER) not in pairs:
        # Only questions to the model's own fields stand in for one another; groups and questions to children all hold.
        named = {
            _field_of(name)
            for name, _text in pairs
            if name == "search" or not (name in RESERVED or name in GROUPS or "." in name)
        }
        rest = [pair for pair in stored_pairs(view) if _field_of(pair[0]) not in named] + rest
    present = {name for name, text in rest if text}
    own = (("sort", view.sort), ("size", str(view.page_size)))
    return rest + [(name, text) for name, text in own if text and name not in present]


def stored_pairs(view: ListView) -> list[tuple[str, str]]:
    """The filter of a view as it stands in an address."""
    return parse_qsl(view.query, keep_blank_values=True)


def _field_of(name: str) -> str:
    return name.partition("__")[0]


def _forget(person: Person) -> int:
    return hide_in_texts(person, ListView, "query") + hide_in_texts(person, ListArrangement, "place")


register_store("views", _("Abfragen"), _forget)

#: Tables of this room, in the order of their creation.
MODELS = (ListView, ListArrangement)

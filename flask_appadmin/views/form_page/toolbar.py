"""The toolbar of a form: a symbol for each function, with its keys; what is not possible now is greyed out, not hidden.

Shape: a Tool is what form_toolbar.html draws. Its keys are those of the seed (PX-04 to PX-20); where browsers keep a
key to themselves, Alt with the same letter does the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import request

from flask_appadmin.bulk import Action, CopyRecord, DeleteRecords
from flask_appadmin.digits import is_number
from flask_appadmin.i18n import _, gettext
from flask_appadmin.layouts import Tab
from flask_appadmin.queries import WRITE
from flask_appadmin.shell import fixed_url
from flask_appadmin.views import places
from flask_appadmin.views.form_page.record import FormRecord
from flask_appadmin.views.stepping import steps_of

_KEY_WORDS = {"Ctrl": _("Strg"), "Insert": _("Einfg"), "Delete": _("Entf")}


def told(keys: str) -> str:
    """Keys as they stand on the keyboard: "Ctrl+Insert" is „Strg+Einf“ in German."""
    return "+".join(str(_KEY_WORDS.get(key, key)) for key in keys.split("+"))


@dataclass(frozen=True)
class Tool:
    """One function."""

    #: Names the symbol.
    name: str
    label: str
    #: Where it leads; "" where it is not possible now.
    url: str = ""
    #: The keys that call it, the first ones of which are told: ("Ctrl+N", "Alt+N").
    keys: tuple[str, ...] = ()
    #: Its keys work while somebody types, too.
    while_typing: bool = True
    #: Opens over the page, as a window of its own.
    is_window: bool = False
    #: Stands there in words, not as a symbol alone.
    is_worded: bool = False
    #: What the page's scripts know it by: an attribute after "data-".
    mark: str = ""

    @property
    def tip(self) -> str:
        return f"{self.label} ({', '.join(map(told, self.keys))})" if self.keys else self.label

    @property
    def combos(self) -> str:
        return " ".join(self.keys).lower()

    @property
    def told_keys(self) -> list[list[str]]:
        return [told(keys).split("+") for keys in self.keys]


@dataclass(frozen=True)
class Menu:
    """A function that opens a list of commands: (label, url, opens as a window); None draws a line."""

    name: str
    label: str
    entries: tuple[tuple[str, str, bool] | None, ...]
    keys: tuple[str, ...] = ()

    @property
    def tip(self) -> str:
        return f"{self.label} ({', '.join(map(told, self.keys))})" if self.keys else self.label

    @property
    def combos(self) -> str:
        return " ".join(self.keys).lower()

    @property
    def told_keys(self) -> list[list[str]]:
        return [told(keys).split("+") for keys in self.keys]


def toolbar(record: FormRecord, tab: Tab, active: str) -> dict[str, Any]:
    """What form_toolbar.html draws; `active` is the key of the open tab, which need not be one of the layout."""
    actions = record.view.allowed_actions()
    window = tab.special and record.key is not None
    edit = _row_tools(record, tab) if window else _record_tools(record, actions)
    return {
        "edit": list(edit),
        "look": list(_search_tools(record)),
        "step": _steps(record, active),
        "print": _print_menu(record, actions),
        "special": _special_menu(record, actions),
    }


def came_from(record: FormRecord) -> str:
    """The record on which „Neu“ was pressed, as text; "" for none."""
    key = request.values.get("from", "")
    return key if record.key is None and is_number(key) else ""


def _record_tools(record: FormRecord, actions: list[Action]) -> Iterator[Tool]:
    view, spec = record.view, record.spec
    if view.is_single:
        return
    if record.key is None:
        key = came_from(record)
        back = view.record_url(int(key)) if key else places.remembered_list(spec) or view.list_url()
        yield Tool("discard", gettext("Verwerfen"), back, is_worded=True, mark="discard-new")
    else:
        may_create = record.operator.may(f"{spec.right}.create")
        url = f"{fixed_url(f'{view.endpoint}.create_view')}?from={record.key}" if may_create else ""
        yield Tool("new", gettext("Neu"), url, ("Ctrl+N", "Alt+N"), is_worded=True)
    for name, label, kind, keys in (
        ("copy", gettext("Kopieren"), CopyRecord, "Ctrl+Insert"),
        ("delete", gettext("Löschen"), DeleteRecords, "Ctrl+Delete"),
    ):
        action = next((found for found in actions if isinstance(found, kind) and found.name == name), None)
        url = _action_url(record, action) if action is not None and record.key is not None else ""
        yield Tool(name, label, url, (keys,), while_typing=False, is_window=True)


def _row_tools(record: FormRecord, tab: Tab) -> Iterator[Tool]:
    """In the window of a child table „Neu“ and „Löschen“ are about its rows."""
    may = record.may_save and bool(tab.children)
    yield Tool("new", gettext("Neu"), "#new" if may else "", ("Ctrl+N", "Alt+N"), is_worded=True, mark="new-row")
    yield Tool("copy", gettext("Kopieren"), "", ("Ctrl+Insert",), while_typing=False)
    yield Tool(
        "delete", gettext("Löschen"), "#delete" if may else "", ("Ctrl+Delete",), while_typing=False, mark="delete-row"
    )


def _search_tools(record: FormRecord) -> Iterator[Tool]:
    endpoint = record.view.endpoint
    yield Tool("find", gettext("Suchen"), fixed_url(f"{endpoint}.find_view"), ("F10",), mark="open-find")
    may_write = record.operator.may(WRITE)
    yield Tool("condition", gettext("Abfragebedingung"), fixed_url(f"{endpoint}.condition_view") if may_write else "")


def _steps(record: FormRecord, active: str) -> dict[str, Any]:
    """The way through the list; without one, or at its ends, the symbols are greyed out."""
    steps = steps_of(record.view, record.key, active) if record.key is not None else None
    steps = steps or {"text": "", "first": "", "previous": "", "next": "", "last": ""}
    tools = [
        Tool(name, label, steps[name], (keys,), mark=f'step="{name}"')
        for name, label, keys in (
            ("first", gettext("Erster Datensatz"), "Ctrl+F"),
            ("previous", gettext("Vorheriger Datensatz"), "Ctrl+G"),
            ("next", gettext("Nächster Datensatz"), "Ctrl+H"),
            ("last", gettext("Letzter Datensatz"), "Ctrl+L"),
        )
    ]
    return {"text": steps["text"], "tools": tools}


def _print_menu(record: FormRecord, actions: list[Action]) -> Menu:
    found = [action for action in actions if action.prints] if record.key is not None else []
    entries = [(str(action.label), _action_url(record, action), False) for action in found]
    return Menu("print", gettext("Drucken"), (*_own_links(record, "print"), *entries), ("Ctrl+P",))


def _own_links(record: FormRecord, menu: str) -> list[tuple[str, str, bool]]:
    """The pages that the view itself has for one record."""
    if record.key is None:
        return []
    found = record.view.record_links(record.key, record.operator)
    return [(label, url, False) for place, label, url in found if place == menu]


def _special_menu(record: FormRecord, actions: list[Action]) -> Menu:
    """The windows of the record, its further pages, then what else can be done with it."""
    entries: list[tuple[str, str, bool] | None] = []
    if record.key is not None:
        entries += [
            (str(tab.label), record.view.record_url(record.key, tab=tab.key), False)
            for tab in record.view.form_layout.tabs
            if tab.special and tab.is_offered()
        ]
        pages = _own_links(record, "special")
        entries += [None, *pages] if entries and pages else pages
        more: list[tuple[str, str, bool] | None] = [
            (str(action.label), _action_url(record, action), isinstance(action, CopyRecord))
            for action in actions
            if action.page not in ("change", "open") and action.name not in ("copy", "delete") and not action.prints
        ]
        entries += [None, *more] if entries and more else more
    return Menu("special", gettext("Sonderfunktionen"), tuple(entries))


def _action_url(record: FormRecord, action: Action) -> str:
    url = fixed_url(f"{record.view.endpoint}.run_action", action_name=action.name)
    return f"{url}?id={record.key}"

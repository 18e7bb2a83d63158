"""„Abfragebedingung“: the window in which a condition is typed, tried, run and kept under a name.

It opens over the list (header X-Fragment: condition) and is a page of its own without scripts. What is refused comes
back in place with everything that was typed. Context: templates/appadmin/condition_form.html.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import jsonify, redirect, render_template, request, url_for

from flask_appadmin.conditions import (
    FUNCTIONS,
    MOST_CHARACTERS,
    Translated,
    field_word,
    searched_tables,
    translate,
)
from flask_appadmin.database import TooSlow, read_only
from flask_appadmin.errors import AppAdminError, ConditionError, FieldError, NotAllowed, NotFound
from flask_appadmin.filters import Filter, TypedCondition
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import gettext, ngettext
from flask_appadmin.indexing import without_index
from flask_appadmin.layouts import form_fields
from flask_appadmin.lists import count_rows
from flask_appadmin.queries import (
    SHARE,
    WRITE,
    NameTaken,
    delete_query,
    find_query,
    queries_of,
    rename_query,
    save_query,
    share_query,
)
from flask_appadmin.rights import Operator, may_read_full, visible
from flask_appadmin.specs import FieldSpec, ReferenceCache

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: A condition that takes longer when it is tried is not run.
_SECONDS = 5.0

#: Fields with more values than these show none to put in.
_MOST_VALUES = 40

#: What stays in the list's address when a condition is run.
_KEPT = ("sort", "columns", "size", "selection")


def typed_tools(view: AppModelView, operator: Operator, found: Filter, kept: list[tuple[str, str]]) -> dict[str, Any]:
    """The SQL symbol of a list and the menu of saved queries beside it."""
    typed = next((part for part in found.conditions if isinstance(part, TypedCondition)), None)
    kept = [pair for pair in kept if pair[0] in _KEPT]
    here = [*kept, *(typed.url_pairs() if typed is not None else [])]
    address = url_for(f"{view.endpoint}.condition_view")
    may_write = operator.may(WRITE)
    return {
        "url": _with(address, here) if may_write else "",
        "manage_url": _with(address, kept) if may_write else "",
        "is_on": typed is not None,
        "queries": [
            (
                query.name,
                _with(view.list_url(), [*kept, ("query", str(query.id))]),
                who,
                typed is not None and typed.key == query.id,
            )
            for query, who in queries_of(view.spec, operator)
        ],
    }


def _with(address: str, pairs: list[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(pairs)}" if pairs else address


class ConditionPage:
    """Answers the window's requests."""

    def __init__(self, view: AppModelView, operator: Operator) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        self.text = self.name = self.query = self.error = self.message = ""
        self.shared = False
        self.place: tuple[int, int] | None = None
        self.taken: dict[str, str] | None = None
        self.status = 200

    def answer(self) -> Any:
        self.operator.require(f"{self.spec.right}.read")
        self.operator.require(WRITE)
        if request.method == "GET":
            self._open()
            return self._draw()
        self.text = request.form.get("where", "").replace("\r\n", "\n")
        self.name, self.query = request.form.get("name", ""), request.form.get("query", "")
        self.shared = request.form.get("shared") == "1"
        verb, _gap, key = request.form.get("do", "run").partition(":")
        with self._told():
            if verb == "run":
                return self._run()
            if verb in ("save", "replace"):
                self._save(verb == "replace")
            elif verb in ("rename", "share", "unshare", "delete"):
                self._manage(verb, key)
            else:
                raise AppAdminError(gettext("Das war nicht verständlich."))
        return self._draw()

    def _open(self) -> None:
        self.text = request.args.get("where", "")[: MOST_CHARACTERS * 2]
        self.query = request.args.get("query", "")
        if self.query:
            try:
                query = find_query(self.spec, self.operator, self.query)
            except NotFound as fault:
                self.query, self.error = "", fault.sentence()
                return
            self.text, self.name, self.shared = query.query, query.name, query.shared

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong is said beside the condition, and nothing typed is lost."""
        try:
            yield
        except NameTaken as fault:
            self.status = fault.status
            self.taken = {"name": fault.query.name, "old": fault.query.query, "new": self.text}
        except NotAllowed:
            raise
        except ConditionError as fault:
            self.status, self.error, self.place = fault.status, fault.found(), fault.place
        except FieldError as fault:
            self.status, self.error = fault.status, fault.sentence()
        except AppAdminError as fault:
            self.status, self.error = fault.status, fault.sentence()

    # --- verbs --------------------------------------------------------------------------------------------------------

    def _run(self) -> Any:
        self._try(translate(self.spec, self.text, self.operator))
        pairs = [("where", self.text)]
        if self.query:
            with contextlib.suppress(NotFound):
                query = find_query(self.spec, self.operator, self.query)
                if query.query == self.text:
                    pairs = [("query", str(query.id))]
        url = _with(self.view.list_url(), [*self._kept(), *pairs])
        return jsonify({"url": url}) if self._is_window() else redirect(url)

    def _try(self, found: Translated) -> None:
        """Asks the condition once, where it can only read and is stopped when it takes too long."""
        try:
            with read_only(_SECONDS):
                parts = [part for part in (visible(self.operator, self.spec), found.expression) if part is not None]
                count_rows(self.spec, parts)
        except TooSlow as fault:
            raise AppAdminError(" ".join((fault.sentence(), *self._why_slow(found.fields)))) from None

    def _why_slow(self, fields: Iterable[FieldSpec]) -> Iterator[str]:
        """The columns that the condition names and that have no index."""
        named = [item for item in without_index(fields) if may_read_full(self.operator, item)]
        if named:
            names = ", ".join(sorted(f"„{item.label}“" for item in named))
            yield ngettext(
                "Ohne Index ist die Spalte %(names)s.",
                "Ohne Index sind die Spalten %(names)s.",
                len(named),
                names=names,
            )

    def _save(self, replace: bool) -> None:
        query = save_query(self.spec, self.operator, self.name, self.text, shared=self.shared, replace=replace)
        self.query, self.name = str(query.id), query.name
        self.message = gettext("„%(name)s“ ist gespeichert.", name=query.name)

    def _manage(self, verb: str, key: str) -> None:
        if verb == "rename":
            try:
                old = rename_query(self.spec, self.operator, key, self.name)
            except NameTaken as fault:
                raise AppAdminError(fault.sentence()) from None
            self.message = gettext("„%(old)s“ heißt jetzt „%(new)s“.", old=old.name, new=self.name.strip())
        elif verb == "delete":
            old = delete_query(self.spec, self.operator, key)
            self.query = "" if self.query == key else self.query
            # The text stays in the window: whoever slipped saves it again.
            self.text = self.text or old.query
            self.message = gettext("„%(name)s“ ist gelöscht.", name=old.name)
        else:
            query = share_query(self.spec, self.operator, key, verb == "share")
            self.message = (
                gettext("„%(name)s“ sehen jetzt alle.", name=query.name)
                if verb == "share"
                else gettext("„%(name)s“ sehen jetzt nur noch Sie.", name=query.name)
            )

    # --- drawing ------------------------------------------------------------------------------------------------------

    @staticmethod
    def _is_window() -> bool:
        return request.headers.get("X-Fragment") == "condition"

    def _kept(self) -> list[tuple[str, str]]:
        if request.method == "GET":
            return [(name, request.args[name]) for name in _KEPT if request.args.get(name)]
        pairs = [text.partition("=") for text in request.form.getlist("keep")[:5]]
        return [(name, value) for name, _gap, value in pairs if name in _KEPT and value]

    def _draw(self) -> Any:
        condition = self._context()
        if self._is_window():
            return render_template("appadmin/condition_form.html", condition=condition), self.status
        page = render_template(
            "appadmin/condition.html",
            page_title=gettext("Abfragebedingung"),
            back=(str(self.spec.plural), condition["close_url"]),
            condition=condition,
        )
        return page, self.status

    def _context(self) -> dict[str, Any]:
        url, kept = url_for(f"{self.view.endpoint}.condition_view"), self._kept()
        return {
            "url": url,
            "text": self.text,
            "name": self.name,
            "shared": self.shared,
            "query": self.query,
            "error": self.error,
            "place": list(self.place) if self.place else None,
            "message": self.message,
            "taken": self.taken,
            "keep": kept,
            "may_share": self.operator.may(SHARE),
            "most": MOST_CHARACTERS,
            "close_url": _with(self.view.list_url(), kept),
            "fields": self._fields(),
            "functions": FUNCTIONS,
            "tables": [
                (f"EXISTS (SELECT 1 FROM {link.spec.name} WHERE …)", str(link.spec.plural))
                for link in searched_tables(self.spec, self.operator)
            ],
            "queries": [
                {
                    "key": query.id,
                    "name": query.name,
                    "text": query.query,
                    "shared": query.shared,
                    "who": who,
                    "open_url": _with(url, [*kept, ("query", str(query.id))]),
                    "run_url": _with(self.view.list_url(), [*kept, ("query", str(query.id))]),
                }
                for query, who in queries_of(self.spec, self.operator)
            ],
        }

    def _fields(self) -> list[tuple[str, list[tuple[str, str, str, list[tuple[str, str]]]]]]:
        """The fields an operator may ask, by tab: word, label, kind and the values worth offering."""
        layout, maker, names = self.view.form_layout, FormMaker(self.operator), ReferenceCache()
        labels = {tab.key: str(tab.label) for tab in layout.tabs}
        groups: dict[str, list[tuple[str, str, str, list[tuple[str, str]]]]] = {}
        known = form_fields(self.spec)
        rest = tuple(item for item in self.spec.fields if item not in known)
        for item in (*known, *rest):
            if item.secret or not may_read_full(self.operator, item):
                continue
            heading = labels.get(layout.tab_of(item.name), gettext("Weitere")) if item in known else gettext("Weitere")
            values = self._values(item, maker, names)
            groups.setdefault(heading, []).append((field_word(item), str(item.label), item.type.name, values))
        return list(groups.items())

    @staticmethod
    def _values(item: FieldSpec, maker: FormMaker, names: ReferenceCache) -> list[tuple[str, str]]:
        if item.type.name == "bool":
            return [("TRUE", gettext("Ja")), ("FALSE", gettext("Nein"))]
        if item.type.name == "choice":
            choices = [(code, str(label)) for code, label in item.choices]
        elif item.target is not None:
            offered = maker.choices_of(item)
            if offered is None or len(offered) > _MOST_VALUES:
                return []
            codes = names.codes(item.references, {int(key) for key, _text in offered})
            choices = [(codes[int(key)], text) for key, text in offered]
        else:
            return []
        return [(f"'{_quoted(code)}'", text) for code, text in choices[:_MOST_VALUES]]


def _quoted(text: str) -> str:
    return str(text).replace("'", "''")


__all__ = ["ConditionPage", "typed_tools"]

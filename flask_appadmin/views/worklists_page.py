"""Merklisten: the page of all lists, and the page that puts marked records on one, takes them off or ticks them off.

Contexts: templates/appadmin/worklists.html, worklist.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, session, url_for
from flask_admin import expose

from flask_appadmin.digits import is_number
from flask_appadmin.errors import AppAdminError, NotFound
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.selections import Selection, counted
from flask_appadmin.views import places
from flask_appadmin.views.signed_in import SignedInView
from flask_appadmin.worklists import (
    Contents,
    Worklist,
    add_to_worklist,
    contents_of,
    delete_worklist,
    find_worklist,
    is_owner,
    make_worklist,
    rename_worklist,
    share_worklist,
    take_from_worklist,
    tick_off,
    worklists_of,
)

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry
    from flask_appadmin.views.action_pages.request import ActionPages


class WorklistsView(SignedInView):
    """The lists of an operator and those that are shared with him."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        super().__init__(name=gettext("Merklisten"), endpoint="worklists", url="/admin/worklists")

    @expose("/")
    def index_view(self) -> Any:
        operator: Operator = g.operator
        lists = [each for each in worklists_of(operator) if self._is_open(each, operator)]
        contents: dict[int, Contents] = {}
        for entity in {each.entity for each in lists}:
            spec = self.registry.specs_by_name[entity]
            contents |= contents_of(spec, operator, [each for each in lists if each.entity == entity])
        rows = [self._row(each, contents.get(each.id, Contents()), operator) for each in lists]
        return render_template(
            "appadmin/worklists.html",
            page_title=gettext("Merklisten"),
            lists=rows,
            change_url=url_for("worklists.change_view"),
        )

    def _is_open(self, worklist: Worklist, operator: Operator) -> bool:
        spec = self.registry.specs_by_name.get(worklist.entity)
        return spec is not None and spec.name in self.registry.views and operator.may(f"{spec.right}.read")

    def _row(self, worklist: Worklist, contents: Contents, operator: Operator) -> dict[str, Any]:
        view = self.registry.views[worklist.entity]
        owner = worklist.user if worklist.user_id is not None else None
        return {
            "id": worklist.id,
            "name": worklist.name,
            "plural": str(view.spec.plural),
            "rows": contents.rows,
            "done": contents.done,
            "url": view.list_url(worklist=worklist.id),
            "open_url": view.list_url(worklist__open=worklist.id),
            "done_url": view.list_url(worklist__done=worklist.id),
            "mark_url": url_for("worklists.mark_view", id=worklist.id),
            "owner": (owner.full_name or owner.username) if owner is not None else "",
            "shared": worklist.shared,
            "mine": is_owner(worklist, operator),
        }

    def _worklist(self) -> Worklist:
        text = request.values.get("id", "")
        number = int(text) if is_number(text, 9) else 0
        found = Worklist.get_or_none(Worklist.id == number)
        operator: Operator = g.operator
        if found is None or not self._is_open(found, operator):
            raise NotFound()
        return find_worklist(self.registry.specs_by_name[found.entity], operator, str(found.id))

    @expose("/mark")
    def mark_view(self) -> Any:
        """The list with all its records marked: ?id=…"""
        worklist = self._worklist()
        view = self.registry.views[worklist.entity]
        operator: Operator = g.operator
        # As the list itself will ask, with the conditions it usually has.
        found: Filter = view.filter_of([("worklist", str(worklist.id))], operator)
        token = Selection.of_filter(found, operator).store().token
        return redirect(view.list_url(worklist=worklist.id, selection=token))

    @expose("/change", methods=("POST",))
    def change_view(self) -> Any:
        """Renames, shares or deletes a list: id, do ("rename" with name, "share", "unshare", "delete")."""
        worklist = self._worklist()
        operator: Operator = g.operator
        what = request.form.get("do", "")
        if what == "rename":
            rename_worklist(worklist, operator, request.form.get("name", ""))
            text = gettext("Die Merkliste ist umbenannt.")
        elif what in ("share", "unshare"):
            share_worklist(worklist, operator, what == "share")
            text = (
                gettext("Alle sehen die Merkliste jetzt.") if what == "share" else gettext("Nur Sie sehen sie jetzt.")
            )
        elif what == "delete":
            delete_worklist(worklist, operator)
            text = gettext("Merkliste „%(name)s“ gelöscht; die Datensätze selbst bleiben.", name=worklist.name)
        else:
            raise AppAdminError(gettext("Die Anfrage war nicht zu verstehen."))
        session["toast"] = {"text": text, "undo_url": ""}
        return redirect(url_for("worklists.index_view"))


class WorklistPage:
    """What becomes of the marked records on a list: put there, taken off, ticked off, open again."""

    def __init__(self, pages: ActionPages) -> None:
        self.pages = pages
        self.spec = pages.spec
        self.operator = pages.operator

    def answer(self) -> Any:
        if request.method != "POST" or "_do" not in request.form:
            return self._draw("")
        difference = self.pages.difference()
        if difference:
            return self._draw(difference), 409
        try:
            return self._act(request.form["_do"])
        except AppAdminError as fault:
            if fault.status == 403:
                raise
            return self._draw(str(fault)), 422

    def _act(self, what: str) -> Any:
        if what not in ("add", "take", "done", "open"):
            raise AppAdminError(gettext("Die Anfrage war nicht zu verstehen."))
        selection = self.pages.selection
        chosen, name = request.form.get("worklist", ""), request.form.get("name", "").strip()
        if what == "add" and name:
            worklist = make_worklist(self.spec, self.operator, name)
        elif not chosen:
            raise AppAdminError(gettext("Bitte wählen Sie eine Merkliste, oder geben Sie einer neuen einen Namen."))
        else:
            worklist = find_worklist(self.spec, self.operator, chosen)
        if what == "add":
            number = add_to_worklist(worklist, selection)
            text = gettext("%(what)s auf „%(name)s“", what=counted(self.spec, number), name=worklist.name)
            rest = self.pages.count - number
            text += gettext(", %(count)s standen schon da.", count=rest) if rest else "."
        elif what == "take":
            number = take_from_worklist(worklist, selection)
            text = gettext("%(what)s von „%(name)s“ genommen.", what=counted(self.spec, number), name=worklist.name)
        else:
            number = tick_off(worklist, selection, what == "done")
            words = (
                gettext("%(what)s auf „%(name)s“ erledigt.", what=counted(self.spec, number), name=worklist.name)
                if what == "done"
                else gettext(
                    "%(what)s auf „%(name)s“ wieder offen.", what=counted(self.spec, number), name=worklist.name
                )
            )
            text = words
        # What is marked stays marked: collecting is seldom the last thing one does with it.
        session["toast"] = {"text": text, "undo_url": ""}
        return redirect(self.pages.list_url)

    def _draw(self, error: str) -> str:
        lists = worklists_of(self.operator, self.spec)
        contents = contents_of(self.spec, self.operator, lists)
        kept = dict(places.remembered_pairs(self.spec))
        shown = next((kept[name] for name in ("worklist", "worklist__open", "worklist__done") if name in kept), "")
        chosen = request.form.get("worklist", shown)
        return render_template(
            "appadmin/worklist.html",
            page_title=str(self.pages.action.label),
            back=self.pages.back,
            text=self.pages.subtitle,
            error=error,
            action=self.pages.url,
            hidden=self.pages.hidden(),
            lists=[
                (each.id, each.name, contents.get(each.id, Contents()), each.shared, str(each.id) == chosen)
                for each in lists
            ],
            name=request.form.get("name", ""),
            what=self.pages.what,
            count_url=self.pages.count_url,
            manage_url=url_for("worklists.index_view"),
            cancel_url=self.pages.list_url,
        )

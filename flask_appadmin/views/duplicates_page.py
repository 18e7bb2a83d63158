"""„Dubletten“: records that are perhaps one, group by group and side by side, and what was said about them.

Shape: GET shows what the last search found (`from` continues); POST with `_do=search` looks anew as a job,
`_do=different` remembers that the named records are two, `_do=merge` leads to the page that makes them one.
Context: templates/appadmin/duplicates.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, session, url_for

from flask_appadmin.database import key_condition
from flask_appadmin.digits import is_number
from flask_appadmin.duplicates import (
    Group,
    declare_different,
    found_groups,
    last_search,
    running_search,
    search_problem,
    start_search,
)
from flask_appadmin.errors import AppAdminError, NotFound
from flask_appadmin.i18n import format_datetime, format_number, gettext, ngettext
from flask_appadmin.rights import Operator, may_read, visible, words_for
from flask_appadmin.search import fold
from flask_appadmin.selections import Selection
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache
from flask_appadmin.views.jobs_page import job_rows

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: So many groups stand on a page.
_GROUPS = 20
#: From so many points on two are most likely one.
_SURE = 75


class DuplicatesPage:
    def __init__(self, view: AppModelView, operator: Operator) -> None:
        operator.require(f"{view.spec.right}.read")
        if view.spec.model.likeness is None:
            raise NotFound()
        self.view = view
        self.spec: ModelSpec = view.spec
        self.operator = operator
        self.url = url_for(f"{view.endpoint}.duplicates_view")
        self.may_merge = operator.may("merge.run") and operator.may(f"{view.spec.right}.edit")

    def answer(self) -> Any:
        if request.method == "POST":
            return self._do(request.form.get("_do", ""))
        return self._draw()

    def _do(self, what: str) -> Any:
        if what == "search":
            start_search(self.spec, self.operator, page=self.url)
            return redirect(self.url)
        keys = self._keys()
        if len(keys) < 2:
            raise AppAdminError(gettext("Bitte lassen Sie mindestens zwei angekreuzt."))
        if what == "merge":
            token = Selection.of_keys(self.spec, self.operator, keys).store().token
            return redirect(url_for(f"{self.view.endpoint}.run_action", action_name="merge", selection=token))
        if what == "different":
            declare_different(self.spec, keys, self.operator)
            session["toast"] = {
                "text": gettext("Gemerkt: kein Duplikat. Sie werden nicht mehr vorgeschlagen."),
                "undo_url": "",
            }
            start = request.form.get("from", "")
            return redirect(f"{self.url}?from={start}" if is_number(start, 6) else self.url)
        raise NotFound()

    def _keys(self) -> list[int]:
        named = [text for text in request.form.getlist("key") if is_number(text)]
        key_field = self.spec.model._meta.primary_key
        query = self.spec.model.select(key_field).where(key_condition(key_field, sorted(map(int, named[:20]))))
        condition = visible(self.operator, self.spec)
        return [row[0] for row in (query if condition is None else query.where(condition)).tuples()]

    # --- what is shown ------------------------------------------------------------------------------------------------

    def _draw(self) -> str:
        groups = found_groups(self.spec, self.operator)
        text = request.args.get("from", "")
        start = int(text) if is_number(text, 6) else 0
        start = min(start, max(len(groups) - 1, 0)) // _GROUPS * _GROUPS
        part = groups[start : start + _GROUPS]
        last, running = last_search(self.spec), running_search(self.spec)
        stored: dict[str, Any] = (last.result or {}) if last is not None else {}
        left_out = int(stored.get("count", 0)) - len(stored.get("pairs", ()))
        what = ngettext("%(count)s Gruppe", "%(count)s Gruppen", len(groups))
        subtitle = gettext("noch nicht gesucht")
        if last is not None:
            subtitle = gettext("%(what)s · gesucht am %(when)s", what=what, when=format_datetime(last.ended_at))
        return render_template(
            "appadmin/duplicates.html",
            page_title=gettext("Dubletten"),
            subtitle=subtitle,
            back=(str(self.spec.plural), self.view.list_url()),
            url=self.url,
            start=start,
            jobs=job_rows([running]) if running is not None else [],
            jobs_url=url_for("jobs.index_view", id=running.id) if running is not None else "",
            searched=last is not None,
            problem=search_problem(self.spec),
            groups=self._groups(part),
            may_merge=self.may_merge,
            may_decide=self.operator.may(f"{self.spec.right}.edit"),
            left_out=gettext("%(count)s weitere Paare zeigt die nächste Suche.", count=format_number(left_out))
            if left_out > 0
            else "",
            range_text=gettext(
                "%(first)s bis %(last)s von %(total)s",
                first=format_number(start + 1),
                last=format_number(start + len(part)),
                total=format_number(len(groups)),
            )
            if groups
            else "",
            previous=f"{self.url}?from={start - _GROUPS}" if start else "",
            following=f"{self.url}?from={start + _GROUPS}" if start + _GROUPS < len(groups) else "",
        )

    def _groups(self, groups: list[Group]) -> list[dict[str, Any]]:
        keys = sorted({key for group in groups for key in group.keys})
        names = ReferenceCache()
        titles = names.titles(self.spec, set(keys)) if keys else {}
        # Numbers differ always.
        own = {str(item.label) for item in self.spec.natural_key}
        rows = [(label, self._texts(item, child, keys, names)) for label, item, child in self._fields()]
        drawn = []
        for group in groups:
            lines = []
            for label, texts in rows:
                cells = [texts.get(key, "") for key in group.keys]
                if not any(cells):
                    continue
                # The first that is filled is what the others are compared with.
                first = fold(next(cell for cell in cells if cell))
                lines.append(
                    (label, [(cell, label not in own and bool(cell) and fold(cell) != first) for cell in cells])
                )
            drawn.append(
                {
                    "points": group.points,
                    "look": "bad" if group.points >= _SURE else "warn",
                    "reasons": ", ".join(group.reasons),
                    "records": [(key, titles[key], self.view.record_url(key)) for key in group.keys],
                    "rows": lines,
                }
            )
        return drawn

    def _fields(self) -> list[tuple[str, FieldSpec, ModelSpec | None]]:
        found: list[tuple[str, FieldSpec, ModelSpec | None]] = []
        for name in self.spec.model.likeness.shown:
            table, dot, field = name.rpartition(".")
            child = next((child for child in self.spec.children if child.name == table), None) if dot else None
            item = child.field(field) if child is not None else self.spec.field(field)
            if may_read(self.operator, item):
                is_named = child is not None and item.type.name == "text" and not item.kind
                found.append((str(child.plural if is_named and child is not None else item.label), item, child))
        return found

    def _texts(
        self, item: FieldSpec, child: ModelSpec | None, keys: list[int], names: ReferenceCache
    ) -> dict[int, str]:
        """Record -> its value as text; of a child table all values."""
        if not keys:
            return {}
        model = child.model if child is not None else self.spec.model
        owner = child.owner.column_field if child is not None and child.owner else model._meta.primary_key
        found: dict[int, list[str]] = {}
        query = model.select(owner, item.column_field).where(key_condition(owner, keys))
        for key, value in query.order_by(model._meta.primary_key).tuples():
            words = words_for(self.operator, item, value, names)
            if words and words not in found.setdefault(key, []):
                found[key].append(words)
        return {key: ", ".join(words[:4]) for key, words in found.items()}

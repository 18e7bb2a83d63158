"""A merge is taken back: who comes apart, and to whom goes what was changed since.

Shape: ?id=<operation>; POST carries `to-<field>=<key>` for what does not stay with the survivor.
Context: templates/appadmin/split.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, session, url_for

from flask_appadmin.changes import plan_undo
from flask_appadmin.digits import is_number
from flask_appadmin.errors import FaultList, NotFound
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.i18n import format_datetime, gettext
from flask_appadmin.rights import Operator
from flask_appadmin.specs import ReferenceCache
from flask_appadmin.splitting import later_edits, merge_of, split
from flask_appadmin.views.form_page import posted_reason

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView


def answer_split(view: AppModelView, operator: Operator) -> Any:
    operator.require(f"{view.spec.right}.edit")
    text = request.values.get("id", "")
    row, spec, keys = merge_of(int(text) if is_number(text) else 0)
    if spec is not view.spec:
        raise NotFound()
    own = row.user_id is not None and row.user_id == operator.user_id
    if not operator.may("undo.all"):
        operator.require("undo.own" if own else "undo.all")
    problem = ""
    if request.method == "POST":
        assigned = {}
        for name, value in request.form.items():
            if name.startswith("to-") and is_number(value):
                assigned[name.removeprefix("to-")] = int(value)
        try:
            applied = split(row.id, operator, assigned, reason=posted_reason()).apply(operator)
        except FaultList as fault:
            problem = str(fault)
        else:
            undo = view.registry.undo_url(applied.change_set) if applied.change_set is not None else ""
            session["toast"] = {"text": gettext("Wieder getrennt: %(title)s", title=row.title), "undo_url": undo}
            view.registry.forget_total(spec)
            return redirect(view.record_url(keys[0]))
    titles = ReferenceCache().titles(spec, set(keys))
    done = ChangeSetRecord.select().where(ChangeSetRecord.undo_of == row.id).exists()
    plan = plan_undo(row.id)
    page = render_template(
        "appadmin/split.html",
        page_title=gettext("Zusammenführung trennen"),
        back=(gettext("Meine Vorgänge"), url_for("operations.index_view")),
        subtitle=f"{row.title} · {row.user_name}, {format_datetime(row.changed_at)}",
        problem=problem or (gettext("Das ist schon getrennt.") if done else ""),
        action=url_for(f"{view.endpoint}.split_view", id=row.id),
        records=[(key, titles[key], view.record_url(key)) for key in keys],
        edits=[
            (edit, request.form.get(f"to-{edit.field}", ""), format_datetime(edit.when))
            for edit in later_edits(row.id, operator)
        ],
        reason=posted_reason(),
        possible=plan.count > 0 and not done,
        cancel_url=url_for("operations.show_view", id=row.id),
    )
    return page, 422 if problem else 200

"""„Schnelle Spalten“: which columns of a list are sorted and filtered at once, and one more or less of them.

Context: templates/appadmin/indexes.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, session, url_for

from flask_appadmin.database import engine
from flask_appadmin.i18n import gettext
from flask_appadmin.indexing import RIGHT, index_jobs, indexed_columns, may_index, remove_index, start_index
from flask_appadmin.rights import Operator, may_read_full
from flask_appadmin.shell import safe_path
from flask_appadmin.views.jobs_page import job_rows

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: So many works the page shows, the latest ones.
_SHOWN = 3


def answer_indexes(view: AppModelView, operator: Operator) -> Any:
    """GET shows the columns; POST of `field` and `do` ("add" or "remove") changes one.

    ?field=… is the column to begin with, ?back=… the list that the operator came from.
    """
    operator.require(RIGHT)
    back = safe_path(request.values.get("back"), view.list_url())
    here = url_for(f"{view.endpoint}.indexes_view", back=back if back != view.list_url() else None)
    if request.method == "POST":
        name = request.form.get("field", "")
        if request.form.get("do") == "remove":
            item = remove_index(view.spec, operator, name)
            words = gettext("„%(label)s“ ist wieder eine gewöhnliche Spalte.", label=str(item.label))
            session["toast"] = {"text": words, "undo_url": ""}
        else:
            start_index(view.spec, operator, name, here)
        return redirect(here)
    every = operator.may("job.admin")
    found = [job for job in index_jobs(view.spec) if every or job.user_id == operator.user_id][:_SHOWN]
    context = {"jobs": job_rows(found), "jobs_url": here}
    if request.headers.get("X-Fragment") == "jobs":
        return render_template("appadmin/jobs_table.html", **context)
    known = indexed_columns(view.spec)
    fields = sorted(
        (item for item in view.spec.fields if may_index(item) and may_read_full(operator, item)),
        key=lambda item: str(item.label).casefold(),
    )
    asked = request.args.get("field", "")
    return render_template(
        "appadmin/indexes.html",
        page_title=gettext("Schnelle Spalten: %(plural)s", plural=str(view.spec.plural)),
        back=(str(view.spec.plural), back),
        fast=[(item.name, str(item.label), known[item.column]) for item in fields if item.column in known],
        slow=[(item.name, str(item.label), item.name == asked) for item in fields if item.column not in known],
        saving_waits=engine() == "sqlite",
        change_url=here,
        **context,
    )

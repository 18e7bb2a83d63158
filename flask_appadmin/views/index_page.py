"""„Schnelle Spalten“: which columns of a list are sorted and filtered at once, and one more or less of them.

Context: templates/appadmin/indexes.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, session, url_for

from flask_appadmin.i18n import gettext
from flask_appadmin.indexing import RIGHT, add_index, indexed_columns, remove_index
from flask_appadmin.lists import sortable
from flask_appadmin.rights import Operator, may_read_full

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView


def answer_indexes(view: AppModelView, operator: Operator) -> Any:
    """GET shows the columns; POST of `field` and `do` ("add" or "remove") changes one."""
    operator.require(RIGHT)
    here = url_for(f"{view.endpoint}.indexes_view")
    if request.method == "POST":
        change = remove_index if request.form.get("do") == "remove" else add_index
        item = change(view.spec, operator, request.form.get("field", ""))
        words = (
            gettext("„%(label)s“ ist wieder eine gewöhnliche Spalte.", label=str(item.label))
            if change is remove_index
            else gettext("Nach „%(label)s“ sortiert und filtert die Liste jetzt schnell.", label=str(item.label))
        )
        session["toast"] = {"text": words, "undo_url": ""}
        return redirect(here)
    known = indexed_columns(view.spec)
    fields = [
        (item.name, str(item.label), item.column in known, known.get(item.column, False))
        for item in view.spec.fields
        if sortable(item) and item.name != "id" and may_read_full(operator, item)
    ]
    return render_template(
        "appadmin/indexes.html",
        page_title=gettext("Schnelle Spalten: %(plural)s", plural=str(view.spec.plural)),
        fields=sorted(fields, key=lambda field: (not field[2], field[1].casefold())),
        change_url=here,
        list_url=view.list_url(),
    )

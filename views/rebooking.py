"""„Alle Statistikdaten umbuchen“, a special function of the customer's form: asks for the new number, shows both.

Shape: ?id=… is the old number; POST with `number` and `_do=look` shows both accounts, `_do=move` moves what was shown
(`plan` names the state of both). Context: templates/rebooking.html. Source: NE-135 to NE-141.
"""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, session, url_for

from domain.rebooking import balance_of, may_move_everything, plan_rebooking
from flask_appadmin.changes import MergedMeanwhile
from flask_appadmin.digits import is_number
from flask_appadmin.errors import AppAdminError, FaultList, NotFound
from flask_appadmin.i18n import format_decimal, format_number, gettext
from flask_appadmin.merging import MergePlan
from flask_appadmin.rights import Operator, visible
from flask_appadmin.specs import spec_of
from flask_appadmin.views import AppModelView
from flask_appadmin.views.action_pages.merging import key_of_number
from models import Customer


def answer_rebooking(view: AppModelView, operator: Operator) -> Any:
    """One request for the page."""
    operator.require("merge.run")
    operator.require("customer.edit")
    source = _customer(operator, request.values.get("id", ""))
    number = request.form.get("number", "").replace("\x00", "").strip()[:20]
    everything = request.form.get("everything") == "1"
    problem, plan = "", None
    if request.method == "POST":
        try:
            if not number:
                raise AppAdminError(gettext("Bitte geben Sie die Kundennummer an, auf die umgebucht werden soll."))
            target = key_of_number(spec_of(Customer), operator, number)
            plan = plan_rebooking(source.id, target, operator, everything=everything)
            if request.form.get("_do") == "move" and request.form.get("plan"):
                if request.form["plan"] != _state(plan, everything):
                    raise MergedMeanwhile()
                return _move(view, operator, plan)
        except (FaultList, AppAdminError) as fault:
            problem = str(fault)
            plan = plan if isinstance(fault, MergedMeanwhile) else None
    spec = spec_of(Customer)
    page = render_template(
        "rebooking.html",
        page_title=gettext("Alle Statistikdaten umbuchen"),
        back=(str(spec.label), view.record_url(source.id)),
        action=url_for("customer.rebook_view"),
        key=source.id,
        source=_title(source),
        number=number,
        everything=everything,
        may_move_everything=may_move_everything(source),
        problem=problem,
        plan=_state(plan, everything) if plan is not None else "",
        sides=_sides(plan) if plan is not None else [],
        following=[(entry.count, str(entry.spec.plural)) for entry in plan.following] if plan is not None else [],
        clashes=plan.clashes if plan is not None else [],
        cancel_url=view.record_url(source.id),
    )
    return page, 409 if problem else 200


def _state(plan: MergePlan, everything: bool) -> str:
    """Names what was shown: the state of both, and how much moves."""
    return f"{plan.state}/{plan.survivor}/{int(everything)}"


def _move(view: AppModelView, operator: Operator, plan: MergePlan) -> Any:
    (source,) = plan.sources
    title = gettext(
        "Statistikdaten umgebucht: %(source)s → %(target)s",
        source=plan.titles[source],
        target=plan.titles[plan.survivor],
    )
    applied = plan.change_set(title=title, reason=gettext("Alle Statistikdaten umbuchen")).apply(operator)
    undo = view.registry.undo_url(applied.change_set) if applied.change_set is not None else ""
    session["toast"] = {"text": title, "undo_url": undo}
    view.registry.forget_total(view.spec)
    return redirect(view.record_url(plan.survivor))


def _customer(operator: Operator, text: str) -> Any:
    spec = spec_of(Customer)
    condition = visible(operator, spec)
    key = int(text) if is_number(text) else 0
    query = Customer.select().where(Customer.id == key)
    found = (query if condition is None else query.where(condition)).first()
    if found is None:
        raise NotFound(spec, text)
    return found


def _title(customer: Any) -> str:
    spec = spec_of(Customer)
    return spec.title_of({item.name: getattr(customer, item.name) for item in spec.title_specs})


def _sides(plan: MergePlan) -> list[dict[str, Any]]:
    """Old number, new number, and what the new one has afterwards."""
    (source,) = plan.sources
    old, new = balance_of(source), balance_of(plan.survivor)
    heads = (
        (gettext("alte Nummer"), plan.titles[source]),
        (gettext("neue Nummer"), plan.titles[plan.survivor]),
        (gettext("neue Nummer nach der Umbuchung"), plan.titles[plan.survivor]),
    )
    rows = (
        (old.entries, old.value, old.points, old.credit),
        (new.entries, new.value, new.points, new.credit),
        (old.entries + new.entries, old.value + new.value, old.points + new.points, old.credit + new.credit),
    )
    return [
        {
            "head": head,
            "title": title,
            "figures": [format_number(row[0]), f"{format_decimal(row[1], 2)} €", format_decimal(row[2], 2),
                        f"{format_decimal(row[3], 2)} €"],
        }
        for (head, title), row in zip(heads, rows, strict=True)
    ]  # fmt: skip

"""What the till shows of a customer: who it is, the Warnhinweis at once, the Textfeld behind an icon (NE-51 to NE-55).

Shape: ?number=… is a customer number or the number of a customer card; ?id=… the key. Reads only.
Context: templates/till.html.
"""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from domain.postal_address import postal_lines
from domain.settings import current_setting
from flask_appadmin.digits import is_number
from flask_appadmin.i18n import gettext
from flask_appadmin.merging import current_key
from flask_appadmin.rights import Operator, may_read, visible
from flask_appadmin.specs import spec_of
from models import Customer, CustomerCard

#: Fields that stand under the address, where they are filled.
_SHOWN = ("phone", "home_branch", "personal_discount_percent", "credit_sale")


def answer_till(operator: Operator) -> str:
    """The till with the customer that was asked for, or with the question only."""
    operator.require("customer.read")
    asked = " ".join(request.args.get("number", "").replace("\x00", "").split())[:40]
    found = _find(operator, asked)
    return render_template(
        "till.html",
        page_title=gettext("Kasse"),
        url=url_for("customer.till_view"),
        asked=asked,
        customer=_context(operator, found) if found is not None else None,
        missing=bool(asked or request.args.get("id")) and found is None,
        new_url=url_for("customer.begin_view", window_name="till") if operator.may("customer.create") else "",
    )


def _find(operator: Operator, asked: str) -> Any:
    query = Customer.select()
    condition = visible(operator, spec_of(Customer))
    query = query if condition is None else query.where(condition)
    key = request.args.get("id", "")
    if is_number(key, 17):
        return query.where(Customer.id == int(key)).first()
    if not asked:
        return None
    cards = CustomerCard.select(CustomerCard.customer).where(CustomerCard.card_number == asked)
    wanted = Customer.id.in_(cards)
    if is_number(asked, 9):
        # Somebody who types a number means the customer; a card of the same number is its own.
        meant = query.where(Customer.customer_number == int(asked)).first()
        further = current_key(spec_of(Customer), meant.id) if meant is not None else 0
        if meant is not None and further != meant.id:
            meant = query.where(Customer.id == further).first()
        return meant or query.where(wanted).first()
    return query.where(wanted).first()


def _context(operator: Operator, customer: Any) -> dict[str, Any]:
    spec = spec_of(Customer)
    seen = {item.name for item in spec.fields if may_read(operator, item)}
    own = current_setting().own_country
    values: dict[str, Any] = {
        name: getattr(customer, name)
        for name in ("name_1", "name_2", "attention_to", "street", "po_box", "postal_code", "city")
        if name in seen
    }
    country = customer.country.code if "country" in seen and customer.country is not None else None
    shown = []
    for name in _SHOWN:
        value = getattr(customer, name)
        if name not in seen or value in (None, "", False):
            continue
        item = spec.field(name)
        text = str(value.name) if item.target is not None else item.format(value)
        shown.append((str(item.label), f"{text} {item.unit}".strip()))
    looks = {"active": "good", "draft": "warn", "locked": "bad"}
    return {
        "title": spec.title_of({name: getattr(customer, name) for name in ("customer_number", "name_1", "name_2")}),
        "url": url_for("customer.edit_view", id=customer.id),
        "status": (spec.field("status").format(customer.status), looks.get(customer.status, "")),
        "lines": postal_lines({**values, "country": country}, own.code if own is not None else "DE"),
        "shown": shown,
        "warning": (customer.warning_text or "") if "warning_text" in seen else "",
        "note": (customer.pos_text or "") if "pos_text" in seen else "",
    }

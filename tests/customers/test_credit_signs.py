"""The icons of the column „Kreditlimit“, from unpaid invoices, limit and threshold."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from playhouse.test_utils import count_queries

from domain.credit import limit_in_force
from domain.trade import Invoice
from flask_appadmin.changes import ChangeSet
from flask_appadmin.rights import system_operator
from models import Customer
from tests.reader import Page, get

WEBER = system_operator("Frau Weber")
LIMIT = {"credit_sale": True, "credit_limit": Decimal(500), "credit_warn_percent": Decimal(80)}


def make(unpaid: str = "", **values: Any) -> int:
    """A customer who owes this on two invoices, beside one that is paid and one that is settled."""
    change = ChangeSet("import")
    customer = change.create(Customer, {"name_1": "Müller GmbH", "status": "active", **values})
    change.apply(WEBER)
    for number, (total, paid, settled) in enumerate(
        ((Decimal(unpaid) - 100, 0, False), (Decimal(300), Decimal(200), False), (50, 50, False), (70, 0, True))
        if unpaid
        else ()
    ):
        Invoice.create(
            number=f"R-{customer.key}-{number}",
            customer=customer.key,
            net_amount=total,
            total_amount=total,
            paid_amount=paid,
            settled=settled,
        )
    return customer.key or 0


def signs(page: Page) -> list[str]:
    """The words of each row's icon, "" for none."""
    column = page.columns.index("Kreditlimit")
    found = []
    for row in page.one("table", id="list").all("tr")[1:]:
        icons = row.all("td")[column + 1].all("span", "sign")
        found.append(" ".join(f"{icon['class'].split()[1]}: {icon['aria-label']}" for icon in icons))
    return found


@pytest.mark.req("NE-80", "NE-81", "NE-82", "NE-83")
@pytest.mark.parametrize(
    ("unpaid", "sign"),
    [
        ("399.99", "good: Kreditlimit nicht erreicht: 399,99 € von 500,00 € offen"),
        ("400.00", "warn: Warnschwelle des Kreditlimits erreicht: 400,00 € von 500,00 € offen"),
        ("499.99", "warn: Warnschwelle des Kreditlimits erreicht: 499,99 € von 500,00 € offen"),
        ("500.00", "bad: Kreditlimit erreicht: 500,00 € von 500,00 € offen"),
        ("", "good: Kreditlimit nicht erreicht: 0,00 € von 500,00 € offen"),
    ],
)
def test_the_icon_tells_how_far_the_limit_is_used(operator: FlaskClient, unpaid: str, sign: str) -> None:
    make(unpaid, **LIMIT)
    make(unpaid, **{**LIMIT, "credit_sale": False})
    make(unpaid, credit_sale=True)
    assert signs(get(operator, "/admin/customer/")) == [sign, "", ""]


def test_the_icons_of_a_page_cost_one_question(operator: FlaskClient) -> None:
    make("450", **LIMIT)
    get(operator, "/admin/customer/")
    with count_queries() as one:
        get(operator, "/admin/customer/")
    for _more in range(10):
        make("450", **LIMIT)
    with count_queries() as many:
        assert signs(get(operator, "/admin/customer/"))[-1].startswith("warn")
    assert many.count == one.count


def test_who_may_not_see_limits_or_invoices_sees_no_icon(sign_in_as: Callable[..., FlaskClient]) -> None:
    make("450", **LIMIT)
    page = get(sign_in_as("Lesen"), "/admin/customer/")
    assert "Kreditlimit" not in page.columns
    assert page.all("span", "sign") == []


DAY = datetime.date(2026, 11, 21)
PAST, COMING = datetime.date(2026, 1, 1), datetime.date(2026, 12, 31)


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        ({"credit_limit": Decimal(500)}, 500),
        ({"credit_limit": Decimal(500), "credit_limit_from": COMING}, 0),
        ({"credit_limit": Decimal(500), "credit_limit_until": PAST}, 0),
        ({"credit_limit": Decimal(500), "internal_limit": Decimal(300)}, 300),
        ({"credit_limit": Decimal(500), "internal_limit": Decimal(300), "internal_limit_until": PAST}, 500),
        ({"internal_limit": Decimal(300), "internal_limit_from": PAST, "internal_limit_until": COMING}, 300),
        ({"credit_limit": None}, None),
        ({"credit_limit": Decimal(0)}, 0),
    ],
)
def test_the_limit_in_force_follows_its_period_and_the_internal_one(values: dict[str, Any], limit: int | None) -> None:
    assert limit_in_force(values, DAY) == limit

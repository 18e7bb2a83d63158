"""„Alle Statistikdaten umbuchen“: the account goes to another number, the old one ends and leads there."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from actions.import_sheet import run_import
from domain.account import AccountEntry
from domain.rebooking import balance_of
from domain.trade import GoodsRequest, Invoice
from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import FaultList
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.rights import system_operator
from flask_appadmin.specs import spec_of
from models import Contact, Customer, Employee
from tests.reader import get, read

WEBER = system_operator("Frau Weber")


def customer(name: str, **values: Any) -> int:
    change = ChangeSet("form")
    made = change.create(Customer, {"name_1": name, "status": "active", **values})
    change.create(Contact, {"customer": made, "name_1": f"Frau {name}"})
    change.apply(WEBER)
    return made.key or 0


def book(key: int, *values: str, bonus: str = "0", credit: str = "0") -> None:
    for value in values:
        AccountEntry.insert(
            customer=key,
            booked_at=datetime.datetime(2026, 3, 4, 10),
            turnover_kind="cash_sale",
            value=Decimal(value),
            bonus=Decimal(bonus),
            credit_determined=Decimal(credit),
        ).execute()
        bonus = credit = "0"


def number_of(key: int) -> str:
    return str(Customer.get_by_id(key).customer_number)


def page(operator: FlaskClient, source: int, target: str, do: str = "look", **more: str) -> Any:
    """The answer to the page; `move` sends what the last look has shown."""
    address = f"/admin/customer/rebook?id={source}"
    sent = {"id": str(source), "number": target, **more}
    answer = read(operator.post(address, data={**sent, "_do": "look"}))
    if do == "look" or answer.status != 200:
        return answer
    plan = answer.one("input", name="plan")["value"]
    return operator.post(address, data={**sent, "_do": "move", "plan": plan})


@pytest.mark.req("NE-135", "NE-136", "NE-137", "NE-138", "NE-139", "NE-140", "NE-141")
def test_the_account_goes_to_the_new_number(operator: FlaskClient, tmp_path: Any) -> None:
    source, target = customer("Schmidt"), customer("Schmitt")
    old, new = number_of(source), number_of(target)
    book(source, "10", "10", "10", bonus="100", credit="5")
    book(target, "25", "25", bonus="7", credit="1")
    menu = operator.get(f"/admin/customer/edit/?id={source}").get_data(as_text=True)
    assert "Alle Statistikdaten umbuchen" in menu

    # Refused: open transactions, which are named; itself; nobody; nothing.
    invoice = Invoice.create(number="R-5", customer=source, net_amount=10, total_amount=10)
    wanted = GoodsRequest.create(number="W-9", customer=source)
    for number, sentence in (
        (new, "Rechnung R-5, Warenanforderung W-9"),
        (old, "nicht mit sich selbst"),
        ("999999", "ist nicht vorhanden"),
        ("", "Bitte geben Sie die Kundennummer an"),
        ("abc", "abc"),
    ):
        refused = page(operator, source, number)
        assert refused.status == 409
        assert sentence in refused.one("p", role="alert").text
    assert AccountEntry.select().where(AccountEntry.customer == source).count() == 3
    Invoice.update(paid_amount=10).where(Invoice.id == invoice.id).execute()
    GoodsRequest.update(status="done").where(GoodsRequest.id == wanted.id).execute()

    shown = page(operator, source, new)
    assert "80,00 €" in shown.text
    assert page(operator, source, new, "move").status_code == 302
    balance = balance_of(target)
    assert (balance.entries, balance.value, balance.points, balance.credit) == (5, 80, 107, 6)
    assert balance_of(source).entries == 0
    ended = Customer.get_by_id(source)
    assert (ended.status, ended.successor_customer_id, ended.name_1) == ("deleted", target, "Schmidt")
    assert Customer.get_by_id(target).name_1 == "Schmitt"
    assert Contact.select().where(Contact.customer == source).count() == 1
    change = ChangeSet("form")
    change.create(Customer, {"name_1": "Neu", "customer_number": int(old)})
    with pytest.raises(FaultList, match="Kundennummer bereits vorhanden"):
        change.apply(WEBER)

    # The old number is in no list, and leads to the new one wherever it is typed.
    assert get(operator, "/admin/customer/").keys == [target]
    assert operator.get(f"/admin/customer/open?number={old}").json["url"].endswith(f"id={target}")
    assert [entry["id"] for entry in operator.get(f"/admin/customer/suggest?query={old}").json] == [target]
    assert "Schmitt" in operator.get(f"/admin/customer/till?number={old}").get_data(as_text=True)
    sheet = tmp_path / "alt.csv"
    sheet.write_text(f"Kundennummer;Telefon\n{old};0208 4711\n", encoding="utf-8")
    run_import(sheet, spec_of(Customer), WEBER, mode="replace", key="customer_number")
    assert Customer.get_by_id(target).phone == "0208 4711"

    # Taken back, each has its own again, and the file means the old customer again.
    operation = ChangeSetRecord.get(ChangeSetRecord.kind == "merge")
    ChangeSet.undo(operation.id).apply(WEBER)
    assert (balance_of(source).value, balance_of(target).value) == (30, 50)
    sheet.write_text(f"Kundennummer;Telefon\n{old};0208 4712\n", encoding="utf-8")
    run_import(sheet, spec_of(Customer), WEBER, mode="replace", key="customer_number")
    assert (Customer.get_by_id(source).phone, Customer.get_by_id(target).phone) == ("0208 4712", "0208 4711")

    # With all data: what the old number has filled wins, its contacts join those of the new one.
    assert page(operator, source, new, "move", everything="1").status_code == 302
    survivor = Customer.get_by_id(target)
    assert (survivor.name_1, str(survivor.customer_number), survivor.phone) == ("Schmidt", new, "0208 4712")
    assert Contact.select().where(Contact.customer == target).count() == 2

    # Only for Endkunden: the box is locked, and a request that ticks it all the same is refused.
    clerk = ChangeSet("form")
    employee = clerk.create(Employee, {"number": "7", "name": "Wagner"})
    clerk.apply(WEBER)
    worker = customer("Wagner", customer_type="employee", employee=employee.key)
    box = read(operator.get(f"/admin/customer/rebook?id={worker}")).one("input", name="everything")
    assert "disabled" in box.attributes
    refused = page(operator, worker, new, everything="1")
    assert "nur bei Endkunden" in refused.one("p", role="alert").text

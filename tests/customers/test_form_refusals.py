"""What the form of a customer refuses, or offers, however its request was made: trust.md, cases 51 and 72."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.catalog import Supplier
from domain.settings import Setting
from flask_appadmin.changes import ChangeSet
from models import BankAccount, Contact, Customer
from tests.customers.test_customer_form import WEBER, customers, open_form, save, tools
from tests.customers.test_customer_proposals import asked
from tests.customers.test_layouts import labels
from tests.reader import get, read, send


def sent(client: FlaskClient, key: int, tab: str, **typed: Any) -> Any:
    form = open_form(client, key, tab=tab).one("form", id="form")
    fields = form.fields()
    for name, value in typed.items():
        fields[name] = value
    return send(client, form["action"], fields)


def test_what_cannot_be_changed_is_refused_with_a_sentence_and_too_much_is_too(operator: FlaskClient) -> None:
    (key,) = customers("Auer", street="Ring 1")
    stored = Customer.get_by_id(key)
    # Case 51: another value of a field that cannot be changed; the rest of the input stays on the page.
    refused = sent(operator, key, "", customer_number="777", name_2="Sohn")
    assert refused.status == 422
    assert refused.summary == [
        f"Kunden-Nr.: Dieser Wert kann hier nicht geändert werden; gespeichert ist „{stored.customer_number}“."
    ]
    assert refused.one("input", name="name_2")["value"] == "Sohn"
    assert refused.one("input", name="customer_number")["value"] == str(stored.customer_number)
    assert Customer.get_by_id(key).name_2 is None
    # The page that was refused can be sent once more.
    assert save(operator, refused).status == 200
    assert Customer.get_by_id(key).name_2 == "Sohn"
    # An older page shows what stood there then: sending it along unchanged is no attempt to change it.
    page = open_form(operator, key, tab="general")
    Customer.update(turnover_current=123, version=Customer.version + 1).where(Customer.id == key).execute()
    form = page.one("form", id="form")
    assert form.fields()["turnover_current"] != "123"
    assert send(operator, form["action"], form.fields(email="auer@example.org")).status == 200
    assert (Customer.get_by_id(key).email, Customer.get_by_id(key).turnover_current) == ("auer@example.org", 123)

    # Case 72: more rows than one save takes; nothing is stored, everything stands on the page.
    form = open_form(operator, key, tab="suppliers").one("form", id="form")
    fields = form.fields()
    supplier = Supplier.create(name_1="Lieferant", number="L1")
    child = "supplier_assignment"
    for number in range(1, 502):
        fields.add("_rows", f"{child}-n{number}")
        fields.add(f"{child}-n{number}-version", "")
        fields.add(f"{child}-n{number}-supplier", str(supplier.id))
    refused = send(operator, form["action"], fields)
    assert refused.status == 422 and len(refused.summary) == 1
    assert refused.summary[0].startswith("Hier sind 501 Zeilen neu oder geändert; auf einmal können höchstens 500 ")
    assert refused.all("input", name=f"{child}-n501-supplier") or refused.all("select", name=f"{child}-n501-supplier")

    # Rows that were sent as they stood there are left alone, and those changed beside them are written.
    change = ChangeSet("import")
    made = [change.create(Contact, {"customer": key, "name_1": f"Eva {number}"}) for number in range(3)]
    accounts = [
        change.create(BankAccount, {"customer": key, "iban": iban, "is_direct_debit": True})
        for iban in ("DE02120300000000202051", "DE02500105170137075030")
    ]
    change.apply(WEBER)
    form = open_form(operator, key, tab="banks").one("form", id="form")
    second = accounts[1].key
    assert (
        send(operator, form["action"], form.fields(**{f"bank_account-{second}-account_holder": "Otto"})).status == 200
    )
    found = {row.id: (row.account_holder, row.version) for row in BankAccount.select()}
    assert found == {accounts[0].key: (None, 1), second: ("Otto", 2)}
    assert Contact.select().where(Contact.version == 1).count() == len(made)


@pytest.mark.req("ME-115", "PX-129", "PX-132", partly=True)
def test_the_bank_of_an_iban_is_there_while_one_types_and_settings_have_no_second_row(operator: FlaskClient) -> None:
    (key,) = customers("Auer")
    url = f"/admin/customer/propose?id={key}"
    cells = asked(operator, {"bank_account.iban": "DE02 1203 0000 0000 2020 51"}, "bank_account.iban", url=url)["cells"]
    assert cells == {
        "bank_account.bank_name": "Deutsche Kreditbank Berlin",
        "bank_account.bic": "BYLADEM1001",
        "bank_account.bank_code": "12030000",
    }
    wrong = asked(operator, {"bank_account.iban": "DE99"}, "bank_account.iban", url=url)["cells"]
    assert set(wrong.values()) == {""}
    page = read(operator.get("/admin/setting/", follow_redirects=True))
    assert not [tip for tip in tools(page) if tip.startswith(("Neu", "Kopieren", "Löschen"))]
    assert "Speichern und neu" not in page.text
    # Fields of modules that are switched off stand nowhere: not in the bulk change, the export, the columns.
    everywhere = ("/admin/customer/action/change_settings?id=%s", "/admin/customer/action/export_sheet?id=%s")
    shown = [
        label
        for place in everywhere
        for label in ("Fremdsprache", "Fremdwährung")
        if label in get(operator, place % key).text
    ]
    assert len(shown) == 4
    Setting.update(language_module=False, currency_module=False, version=Setting.version + 1).execute()
    for place in everywhere:
        text = get(operator, place % key).text
        assert "Fremdsprache" not in text and "Fremdwährung" not in text, place
    assert "Fremdsprache" not in labels(open_form(operator, key, tab="general"))

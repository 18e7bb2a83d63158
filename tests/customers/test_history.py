"""The history of a customer, and the reason that a change of bank data asks for."""

from __future__ import annotations

import datetime

import pytest
from flask.testing import FlaskClient

from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import FaultList
from flask_appadmin.history import ChangeSetRecord, lines_of_record
from flask_appadmin.rights import Operator
from flask_appadmin.specs import spec_of
from models import BankAccount, Customer
from tests.customers.test_child_tables import WEBER, a_customer, save, store, tab

IBAN, OTHER_IBAN = "DE02120300000000202051", "DE02500105170137075030"


@pytest.mark.req("NE-162")
def test_the_tab_tells_who_changed_what_when_and_through_what(operator: FlaskClient) -> None:
    customer = a_customer(city="Graz")
    change = ChangeSet("form")
    change.update(Customer, customer, {"city": "Wien"})
    done = change.apply(Operator(None, "admin", WEBER.rights)).change_set
    moment = datetime.datetime(2026, 11, 21, 9, 0)
    ChangeSetRecord.update(changed_at=moment).where(ChangeSetRecord.id == done).execute()
    panel = tab(operator, customer, "history")
    cells = [cell.text for cell in panel.all("tbody", "entry")[0].all("td")]
    assert cells[:4] == ["21.11.2026 10:00", "admin", "Ort", "Graz → Wien"]
    assert not panel.one("div", id="panel-history").all("input", "entry"), "read-only"

    # Children, files and bulk changes stand there, too.
    account = store(BankAccount, {"customer": customer, "bank_name": "Sparkasse", "iban": IBAN})[0]
    rows = ChangeSet("import", source="banken.xlsx", reason="Kontowechsel")
    rows.update(BankAccount, account, {"bank_name": "Volksbank"}, source="Zeile 214")
    rows.apply(WEBER)
    told = tab(operator, customer, "history").all("tbody", "entry")[0].text
    for words in ("Bank", "Sparkasse → Volksbank", "Importiert, banken.xlsx, Zeile 214", "„Kontowechsel“"):
        assert words in told, words


def test_changed_bank_data_asks_for_a_reason_once_and_keeps_what_was_typed(operator: FlaskClient) -> None:
    customer = a_customer()
    account = store(BankAccount, {"customer": customer, "bank_name": "Sparkasse", "iban": IBAN})[0]
    name = f"bank_account-{account}-account_holder"
    # A first entry needs none; changing what is stored does.
    save(operator, tab(operator, customer, "banks"), {name: "Huber"})
    assert BankAccount.get_by_id(account).account_holder == "Huber"
    page = tab(operator, customer, "banks")
    box = page.one("input", id="f-_reason")
    assert "bank_account:iban" in box["data-needed-for"].split()
    refused = save(operator, page, {name: "Huber KG"})
    assert "Bitte einen Grund angeben, weil sich „Inhaber“ ändert" in refused.text
    assert BankAccount.get_by_id(account).account_holder == "Huber"
    assert refused.one("input", name=name)["value"] == "Huber KG"
    save(operator, refused, {"_reason": "Umfirmierung"})
    assert BankAccount.get_by_id(account).account_holder == "Huber KG"
    lines = lines_of_record(spec_of(Customer), customer, WEBER, {"bank_account": spec_of(BankAccount)}, limit=1)
    assert [(line.label, line.new, line.reason) for line in lines] == [("Inhaber", "Huber KG", "Umfirmierung")]

    # One place for all writers: files, lists and removals ask, what the system writes and undo do not.
    for kind in ("form", "list", "import"):
        change = ChangeSet(kind)
        change.update(BankAccount, account, {"iban": OTHER_IBAN})
        with pytest.raises(FaultList, match="IBAN"):
            change.apply(WEBER)
    gone = ChangeSet("form")
    gone.delete(BankAccount, account)
    with pytest.raises(FaultList, match="Bankverbindung"):
        gone.apply(WEBER)
    reasoned = ChangeSet("import", reason="Kontowechsel")
    reasoned.update(BankAccount, account, {"iban": OTHER_IBAN})
    applied = reasoned.apply(WEBER)
    ChangeSet.undo(applied.change_set or 0).apply(WEBER)
    assert BankAccount.get_by_id(account).iban == IBAN

"""Customers that begin with few words: the platform customer with its administrator, quick entry."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.values import Country
from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import FaultList
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.passwords import is_hash
from flask_appadmin.rights import system_operator
from models import Customer, CustomerUser
from tests.conftest import PASSWORD
from tests.reader import Page, get, read, send

PART = {"X-Fragment": "entry_window"}


def window(client: FlaskClient, label: str) -> Page:
    """The window behind the words in the menu of the list, as its script fetches it."""
    link = get(client, "/admin/customer/").link(label)
    return read(client.get(link, headers=PART))


def press(client: FlaskClient, page: Page, **typed: Any) -> Any:
    form = page.one("form", css="entry-form")
    return client.post(form["action"], data=form.fields(**typed), headers=PART)


@pytest.mark.req("SC-14", "SC-15", "SC-16", "SC-17")
def test_a_platform_customer_begins_with_its_administrator(operator: FlaskClient) -> None:
    label = "So.PROCURE Kunde Neu anlegen"
    page = window(operator, label)
    assert [field.text for field in page.all("label")] == ["Benutzername", "Passwort"]
    assert "Administrator" in page.one("p", css="lead").text
    assert (Customer.select().count(), CustomerUser.select().count()) == (0, 0), "SC-14, SC-17: only looked at so far"

    for username, password, sentences in (
        ("", PASSWORD, ["Bitte ausfüllen."]),
        ("  ", "", ["Bitte ausfüllen.", "Bitte ausfüllen."]),
        ("mmeier", "kurz", ["Das Passwort braucht 12 bis 128 Zeichen; es hat 4."]),
        ("fahrrad", PASSWORD, ["Das Passwort enthält den Benutzernamen. Bitte wählen Sie ein anderes."]),
    ):
        refused = press(operator, page, username=username, password_hash=password)
        again = read(refused)
        assert (refused.status_code, again.faults) == (422, sentences)
        assert again.one("input", name="username")["value"] == username.strip() or not username.strip()
        assert "value" not in again.one("input", name="password_hash").attributes
        assert (Customer.select().count(), CustomerUser.select().count()) == (0, 0)

    answer = press(operator, page, username="mmeier", password_hash=PASSWORD)
    form = get(operator, answer.get_json()["url"])
    customer = Customer.get()
    assert answer.get_json()["url"] == f"/admin/customer/edit/?id={customer.id}"
    assert (customer.portal_type, customer.status, customer.customer_number) == ("so_procure", "draft", 10001)
    chosen = [
        option for option in form.one("select", name="portal_type").all("option") if "selected" in option.attributes
    ]
    assert [option.text for option in chosen] == ["So.PROCURE"]
    user = CustomerUser.get()
    assert (user.customer_id, user.username, user.is_administrator) == (customer.id, "mmeier", True)
    assert is_hash(user.password_hash)
    told = [str(row) for row in ChangeRecord.select(ChangeRecord.new_value).tuples()]
    assert told and not any(PASSWORD in text for text in told)
    assert ChangeSetRecord.select().where(ChangeSetRecord.kind == "form").count() == 1, "both in one change set"

    edit = form.one("form", id="form")
    change = ChangeSet("form")
    change.update(Customer, customer.id, {"status": "active"})
    with pytest.raises(FaultList, match="Name 1 oder Name 2 muss gefüllt sein"):
        change.apply(system_operator("Frau Weber"))
    send(operator, edit["action"], edit.fields(name_1="Meier GmbH", city="Graz"))
    assert Customer.get().name_1 == "Meier GmbH"


@pytest.mark.req("PX-118")
def test_quick_entry_makes_an_active_customer_that_is_incomplete(operator: FlaskClient) -> None:
    page = window(operator, "Kundenschnellanlage")
    assert [field.text for field in page.all("label")] == ["Name 1", "Land", "PLZ", "Ort", "Straße", "Telefon"]
    refused = press(operator, page, city="Graz")
    assert (refused.status_code, read(refused).faults) == (422, ["Bitte ausfüllen."])
    assert read(refused).one("input", name="city")["value"] == "Graz"
    wrong = press(operator, page, name_1="Huber", phone="keine Nummer")
    assert wrong.status_code == 422 and len(read(wrong).faults) == 1, "the rules of the form hold here, too"
    austria = Country.get(Country.code == "AT").id
    answer = press(operator, page, name_1="Huber", city="Graz", postal_code="8010", country_text="Österreich")
    customer = Customer.get()
    assert answer.get_json() == {"url": f"/admin/customer/edit/?id={customer.id}"}
    assert (customer.search_name, customer.incomplete, customer.status) == ("Huber Graz", True, "active")
    assert (customer.postal_code, customer.country_id) == ("8010", austria)


def test_the_windows_work_as_pages_of_their_own(operator: FlaskClient) -> None:
    page = get(operator, "/admin/customer/begin/quick")
    form = page.one("form", css="entry-form")
    assert send(operator, form["action"], form.fields(name_1="Huber", city="Graz")).toast == "Angelegt."
    assert operator.get("/admin/customer/begin/nothing").status_code == 404

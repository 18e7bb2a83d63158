"""Customers that begin with few words: the platform customer with its administrator, quick entry."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient

from domain.settings import Setting
from domain.till import TillReceipt
from domain.values.company import Branch
from domain.values.countries import Country
from domain.values.groups import CardType
from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import utcnow
from flask_appadmin.errors import FaultList
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.layouts import form_fields
from flask_appadmin.passwords import is_hash
from flask_appadmin.rights import system_operator
from flask_appadmin.specs import spec_of
from models import Customer, CustomerCard, CustomerUser
from tests.conftest import PASSWORD
from tests.reader import Page, get, read, send

PART = {"X-Fragment": "window"}


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
        ("", PASSWORD, ["Bitte „Benutzername“ ausfüllen."]),
        ("  ", "", ["Bitte „Benutzername“ ausfüllen.", "Bitte „Passwort“ ausfüllen."]),
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
    form = get(operator, answer.headers["X-Location"])
    customer = Customer.get()
    assert answer.headers["X-Location"] == f"/admin/customer/edit/?id={customer.id}"
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
    assert (refused.status_code, read(refused).faults) == (422, ["Bitte „Name 1“ ausfüllen."])
    assert read(refused).one("input", name="city")["value"] == "Graz"
    wrong = press(operator, page, name_1="Huber", phone="keine Nummer")
    assert wrong.status_code == 422 and len(read(wrong).faults) == 1, "the rules of the form hold here, too"
    austria = Country.get(Country.code == "AT").id
    answer = press(operator, page, name_1="Huber", city="Graz", postal_code="8010", country_text="Österreich")
    customer = Customer.get()
    assert answer.headers["X-Location"] == f"/admin/customer/edit/?id={customer.id}"
    assert (customer.search_name, customer.incomplete, customer.status) == ("Huber Graz", True, "active")
    assert (customer.postal_code, customer.country_id) == ("8010", austria)

    order = get(operator, "/admin/sales_order/new/")
    link = order.one("a", **{"data-fills": "f-customer"})
    made = press(operator, read(operator.get(link["href"], headers=PART)), name_1="Müller & Söhne", city="Ulm")
    key, title = made.headers["X-Record"].split(" ")
    assert (Customer.get_by_id(key).incomplete, unquote(title)) == (True, "10002 Müller & Söhne")
    begun = get(operator, f"/admin/sales_order/new/?customer={key}")
    assert not begun.all("a", **{"data-fills": "f-customer"}), "only beside an empty field"


def test_the_windows_work_as_pages_of_their_own(operator: FlaskClient) -> None:
    page = get(operator, "/admin/customer/begin/quick")
    form = page.one("form", css="entry-form")
    assert send(operator, form["action"], form.fields(name_1="Huber", city="Graz")).toast == "Angelegt."
    assert operator.get("/admin/customer/begin/nothing").status_code == 404


@pytest.mark.req("NE-31", "NE-51", "NE-52", "NE-55")
def test_the_till_takes_customers_in_and_shows_what_to_know_of_them(operator: FlaskClient) -> None:
    till = get(operator, "/admin/customer/till")
    answer = press(
        operator, read(operator.get(till.link("Kunden aufnehmen"), headers=PART)), name_1="", street="Ring 1"
    )
    assert (answer.status_code, Customer.select().count()) == (422, 0)
    page = read(operator.get(till.link("Kunden aufnehmen"), headers=PART))
    answer = press(operator, page, name_1="Anna Schmidt", street="Ring 1")
    shown = get(operator, answer.headers["X-Location"])
    anna = Customer.get()
    assert (anna.customer_number, anna.status, anna.incomplete) == (10001, "active", True)
    assert (anna.name_1, anna.street) == ("Anna Schmidt", "Ring 1")
    assert shown.one("address").text == "Anna SchmidtRing 1"
    assert not shown.all("details", css="till-note") and not shown.all("div", css="till-warning")

    change = ChangeSet("form")
    change.update(Customer, anna.id, {"pos_text": "Duftprobe mitgeben", "warning_text": "Nur gegen Barzahlung"})
    kind = change.create(CardType, {"name": "Bonuskarte"})
    change.create(CustomerCard, {"customer": anna.id, "card_number": "K-77", "card_type": kind})
    change.apply(system_operator("Frau Weber"))
    for asked in ("10001", "K-77"):
        shown = get(operator, f"/admin/customer/till?number={asked}")
        assert shown.one("div", css="till-warning").text == "Nur gegen Barzahlung", "NE-55: at once"
        note = shown.one("details", css="till-note")
        assert "open" not in note.attributes, "NE-52: not before the click"
        assert note.one("summary")["aria-label"] == "Hinweis zu diesem Kunden"
        assert note.one("p").text == "Duftprobe mitgeben"
    for asked in ("10002", "' OR 1=1", "9" * 40):
        assert (
            "gehört zu keinem Kunden"
            in get(operator, f"/admin/customer/till?number={asked}").one("div", css="notice").text
        )


@pytest.mark.req("NE-30")
def test_blank_customers_who_bought_are_listed_until_they_have_their_data(operator: FlaskClient) -> None:
    weber = system_operator("Frau Weber")
    change = ChangeSet("setup")
    branch = Branch.select().first().id
    made = [
        change.create(Customer, {"name_1": name, "is_blank": blank, "status": status})
        for name, blank, status in (("Blanko", True, "locked"), ("Ohne", True, "locked"), ("Kunde", False, "active"))
    ]
    for number in (0, 2):
        receipt = {"number": f"B{number}", "customer": made[number], "branch": branch, "receipt_at": utcnow()}
        change.create(TillReceipt, receipt)
    change.apply(weber)
    listing = get(operator, "/admin/customer/")
    assert "Blanko mit Einkauf" in listing.text
    address = next(link["href"] for link in listing.all("a") if "till_purchase=1" in link.get("href"))
    page = get(operator, address)
    assert [row[0] for row in page.rows] == ["10001"]
    assert "hat an der Kasse gekauft" in page.chips
    form = get(operator, f"/admin/customer/edit/?id={made[0].key}").one("form", id="form")
    send(operator, form["action"], form.fields(name_1="Huber"))
    change = ChangeSet("form")
    change.update(Customer, made[0].key or 0, {"status": "active"})
    change.apply(weber)
    assert get(operator, address).rows == []


@pytest.mark.req("NE-03")
def test_the_global_settings_stand_on_one_page(operator: FlaskClient) -> None:
    weber = system_operator("Frau Weber")
    change = ChangeSet("import")
    before = change.create(Customer, {"name_1": "Alt", "status": "active", "credit_warn_percent": Decimal(70)})
    change.apply(weber)
    page = read(operator.get(get(operator, "/admin/").link("Globale Einstellungen"), follow_redirects=True))
    form = page.one("form", id="form")
    named = set(form.fields()) | {node["name"] for node in form.walk() if node.get("name")}
    assert page.heading == "Globale Einstellungen"
    missing = {item.name for item in form_fields(spec_of(Setting))} - named
    assert not missing, "every setting stands on the page"
    assert all(str(item.help) for item in form_fields(spec_of(Setting)) if item.name != "default_own_bank")
    refused = send(operator, form["action"], form.fields(default_credit_warn_percent="180"))
    assert refused.status == 422 and len(refused.faults) == 1
    assert send(operator, form["action"], form.fields(default_credit_warn_percent="80")).toast == "Gespeichert."
    fresh = get(operator, "/admin/customer/new/?tab=credit_sale")
    assert fresh.one("input", name="credit_warn_percent")["value"] == "80,00"
    for kind in ("form", "import"):
        change = ChangeSet(kind)
        made = change.create(Customer, {"name_1": "Neu"})
        change.apply(weber)
        assert Customer.get_by_id(made.key).credit_warn_percent == 80
    assert Customer.get_by_id(before.key).credit_warn_percent == 70
    assert "80" in get(operator, f"/admin/setting/edit/?id={Setting.get().id}&tab=history").html

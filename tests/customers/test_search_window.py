"""„Suchen“ (F10), „Inaktive ausschließen“, and what the list says when it is empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient

from flask_appadmin.changes import ChangeSet
from flask_appadmin.rights import system_operator
from models import Customer
from tests.reader import Page, get

WEBER = system_operator("Frau Weber")


def make(**customers: dict[str, Any]) -> list[int]:
    """Active customers by their search name; answers their keys."""
    change = ChangeSet("import")
    made = [
        change.create(Customer, {"search_name": name, "name_1": f"{name} GmbH", "status": "active", **values})
        for name, values in customers.items()
    ]
    change.apply(WEBER)
    return [record.key or 0 for record in made]


def in_vienna() -> list[int]:
    """Five in Wien, one in Graz between them."""
    cities = {"Auer": "Wien", "Beck": "Wien", "Cerny": "Graz", "Dorn": "Wien", "Egger": "Wien", "Fink": "Wien"}
    return make(**{name: {"city": city} for name, city in cities.items()})


def search(client: FlaskClient, **typed: str) -> Page:
    """Fills the window as a person does and follows where it leads."""
    form = get(client, "/admin/customer/find").one("form", css="find-form")
    answer = client.get(form["action"], query_string=form.fields(do="list", **typed) if "do" not in typed else typed)
    assert answer.status_code in (302, 400), answer.status
    if answer.status_code == 302:
        return get(client, answer.location)
    return Page(answer.get_data(as_text=True), 400)


def listed(page: Page) -> list[str]:
    return [row[page.columns.index("Synonym")] for row in page.rows]


@pytest.mark.req("PX-08", partly=True)
def test_the_window_has_the_fields_people_search_by(operator: FlaskClient) -> None:
    page = get(operator, "/admin/customer/find")
    form = page.one("form", css="find-form")
    assert [label.text for label in form.all("label")] == [
        "Kundennummer", "Synonym", "Name 1", "Name 2", "PLZ", "Ort", "Telefon", "E-Mail", "Status",
        "Inaktive ausschließen", "Blanko mit Einkauf",
    ]  # fmt: skip
    part = get(operator, "/admin/customer/find", **{"X-Fragment": "search_window"})
    assert (part.all("h1"), part.one("form", css="find-form")["action"]) == ([], "/admin/customer/find")
    assert get(operator, "/admin/customer/").one("body")["data-find-url"] == "/admin/customer/find"
    assert get(operator, "/admin/country/").one("body")["data-find-url"] == "/admin/country/find"
    assert get(operator, "/admin/").one("body")["data-find-url"] == "/admin/customer/find"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ({"city": "Wien"}, ["Auer", "Beck", "Dorn", "Egger", "Fink"]),
        ({"city": "ien", "name_1": "eck"}, ["Beck"]),
        ({"search_name": "Cer"}, ["Cerny"]),
        ({"customer_number": "10003"}, ["Cerny"]),
        ({"status": "locked"}, []),
    ],
)
def test_what_was_typed_is_what_the_list_is_filtered_by(
    operator: FlaskClient, typed: dict[str, str], found: list[str]
) -> None:
    in_vienna()
    assert listed(search(operator, **typed)) == found if found else search(operator, **typed).rows == []


def test_a_phone_number_is_found_however_it_is_typed(operator: FlaskClient) -> None:
    make(Auer={"phone": "+49 89 1234-0"}, Beck={"phone": "030 999"})
    assert listed(search(operator, phone="089/12340")) == ["Auer"]


def test_a_value_that_cannot_be_read_comes_back_with_its_sentence(operator: FlaskClient) -> None:
    page = search(operator, customer_number="zehn", city="Wien")
    assert page.status == 400
    assert "zehn" in page.one("p", "err").text
    assert page.one("input", id="find-city")["value"] == "Wien"


@pytest.mark.req("PX-12")
def test_all_that_was_found_is_marked_and_the_first_is_shown(operator: FlaskClient) -> None:
    auer, beck, _cerny, dorn, _egger, fink = in_vienna()
    answer = operator.get("/admin/customer/find?city=Wien&do=show")
    page = get(operator, answer.location)
    assert page.heading == "10001 Auer GmbH"
    assert [node.text for node in page.all("span", "nowrap")] == ["1 von 5"]
    walked = [auer]
    for _step in range(4):
        location = operator.get(page.one("a", data_step="next")["href"]).location
        walked.append(int(dict(parse_qsl(urlsplit(location).query))["id"]))
        page = get(operator, location)
    assert (walked[1], walked[2], walked[4]) == (beck, dorn, fink)
    back = get(operator, page.one("a", "back")["href"])
    assert listed(back) == ["Auer", "Beck", "Dorn", "Egger", "Fink"]
    assert back.one("form", id="marked")["data-count"] == "5"


def test_nothing_found_leads_to_the_list_that_says_so(operator: FlaskClient) -> None:
    in_vienna()
    page = get(operator, operator.get("/admin/customer/find?city=Linz&do=show").location)
    assert (page.heading, page.one("div", "empty").one("h2").text) == ("Kunden", "Nichts gefunden")


@pytest.mark.req("PX-74")
def test_inactive_customers_are_left_out_when_the_box_is_ticked(operator: FlaskClient) -> None:
    make(A={}, B={}, C={}, D={"active": False}, E={"active": False})
    page = get(operator, "/admin/customer/")
    box = page.all("label", "switch")[0]
    assert (len(page.rows), "checked" in box.one("input").attributes) == (5, False)
    without = get(operator, box.one("a")["href"])
    assert listed(without) == ["A", "B", "C"]
    assert without.chips == ["Aktiv ist Ja", "Status ist Aktiv"], "it is a filter like any other"
    box = without.all("label", "switch")[0]
    assert "checked" in box.one("input").attributes
    again = get(operator, box.one("a")["href"])
    assert (len(again.rows), again.chips) == (5, ["Status ist nicht Anonymisiert oder Gelöscht"])
    assert listed(search(operator, without_inactive="1")) == ["A", "B", "C"]
    assert len(search(operator).rows) == 5


@pytest.mark.req("PX-77", "PX-93")
def test_number_and_search_name_are_searched_and_sorted_by(operator: FlaskClient) -> None:
    make(
        **{"Huber Graz": {"customer_number": 2}, "Auer Linz": {"customer_number": 10}, "Moser": {"customer_number": 9}}
    )

    def numbers(address: str) -> list[str]:
        page = get(operator, f"/admin/customer/{address}")
        return [row[page.columns.index("Kunden-Nr.")] for row in page.rows]

    assert numbers("?sort=customer_number") == ["2", "9", "10"]
    assert numbers("?sort=search_name") == ["10", "2", "9"]
    assert numbers("?search=hub") == ["2"]
    assert numbers("?search=10") == ["10"]


@pytest.mark.req("NE-05")
def test_a_customer_is_found_in_the_master_data(operator: FlaskClient) -> None:
    make(Schmidt={"name_1": "Anna Schmidt"}, Auer={})
    assert listed(get(operator, "/admin/customer/?name_1__contains=schmidt")) == ["Schmidt"]


@pytest.mark.req("SC-26", "SC-27")
def test_synonym_and_name_open_the_customer(operator: FlaskClient) -> None:
    abc, meier = make(ABC={"name_1": "Müller GmbH"}, DEF={"name_1": None, "name_2": "Meier KG"})
    page = get(operator, "/admin/customer/")
    assert page.link("ABC") == page.link("Müller GmbH") == f"/admin/customer/edit/?id={abc}"
    assert page.link("Meier KG") == f"/admin/customer/edit/?id={meier}"
    assert "Müller GmbH" in get(operator, page.link("ABC")).heading


def test_who_may_not_see_customers_gets_no_window(sign_in_as: Callable[..., FlaskClient]) -> None:
    client = sign_in_as("Technik")
    assert client.get("/admin/customer/find").status_code == 403
    assert client.get("/admin/customer/find?city=Wien&do=show").status_code == 403


@pytest.mark.req("NE-06")
def test_the_buttons_need_a_marked_customer_but_for_the_new_one(operator: FlaskClient) -> None:
    auer, *_rest, fink = in_vienna()
    page = get(operator, "/admin/customer/")
    buttons = {button["value"]: button for button in page.one("form", id="marked").all("button", name="action")}
    assert {"edit", "copy", "delete"} < buttons.keys()
    assert {button["aria-disabled"] for button in buttons.values()} == {"true"}
    assert page.link("Neuer Kunde") == "/admin/customer/new/"
    for name in ("edit", "copy", "delete"):
        refused = get(operator, f"/admin/customer/action/{name}?selection=")
        assert refused.status == 400
        assert "markieren" in refused.text or "nur ein Kunde" in refused.text
    token = operator.post("/admin/customer/selection", json={"add": [fink]}).get_json()["token"]
    page = get(operator, f"/admin/customer/?selection={token}")
    buttons = {button["value"]: button for button in page.one("form", id="marked").all("button", name="action")}
    assert not any("aria-disabled" in button.attributes for button in buttons.values())
    for name in ("copy", "delete"):
        assert get(operator, f"/admin/customer/action/{name}?selection={token}").status == 200
    answer = operator.get(f"/admin/customer/action/edit?selection={token}")
    assert answer.location == f"/admin/customer/edit/?id={fink}"
    token = operator.post("/admin/customer/selection", json={"token": token, "add": [auer]}).get_json()["token"]
    page = get(operator, operator.get(f"/admin/customer/action/edit?selection={token}").location)
    assert (page.heading, [node.text for node in page.all("span", "nowrap")]) == ("10001 Auer GmbH", ["1 von 2"])


def test_an_empty_list_says_what_to_do(operator: FlaskClient, sign_in_as: Callable[..., FlaskClient]) -> None:
    nothing = get(operator, "/admin/customer/").one("div", "empty")
    assert nothing.one("h2").text == "Noch keine Einträge in „Kunden“"
    assert "Neuer Kunde" in [link.text for link in nothing.all("a")]
    in_vienna()
    page = get(operator, "/admin/customer/?search=auer&city=Linz")
    limits = page.one("div", "empty").all("li")
    assert [limit.text for limit in limits] == [
        "Suche „auer“ aufheben",
        "Ort ist Linz aufheben",
        "Status ist nicht Anonymisiert oder Gelöscht aufheben",
    ]
    assert listed(get(operator, limits[1].one("a")["href"])) == ["Auer"]
    refused = get(sign_in_as("Technik", "technik"), "/admin/customer/")
    assert (refused.status, "Bitte wenden Sie sich an Ihre Administration." in refused.text) == (403, True)
    reader = get(sign_in_as("Lesen", "leser"), "/admin/tour/")
    assert "bitte wenden Sie sich dafür an Ihre Administration." in reader.one("div", "empty").text

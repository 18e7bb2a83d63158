"""What the form of a customer says while one types, through the requests that its page sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.numbers import NumberRange
from domain.settings import Setting
from domain.values.groups import CustomerKind1
from flask_appadmin.rights import Role, User
from models import Address, BankAccount, Country, Customer, Employee, PostalCode, SalesOrder, Supplier
from tests.customers.test_customer_rules import change, enter
from tests.reader import Page, get

PROPOSE = "/admin/customer/propose"


def asked(client: FlaskClient, values: dict[str, str], *changed: str, url: str = PROPOSE, **proposed: str) -> Any:
    answer = client.post(url, json={"values": values, "changed": list(changed), "proposed": proposed})
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    return answer.json


def country(code: str) -> str:
    return str(Country.get(Country.code == code).id)


@pytest.mark.req("PX-60", "PX-61", "PX-62")
@pytest.mark.req("PX-92", "NE-39", "NE-40", "NE-43", "NE-44", partly=True)
def test_the_form_proposes_what_follows_from_what_was_typed(operator: FlaskClient) -> None:
    austria, germany = country("AT"), country("DE")
    for key, code, city, area in (
        (austria, "1010", "Wien", "+43 1"), (austria, "4600", "Wels", "+43 7242"), (austria, "4600", "Pernau", None),
        (germany, "01067", "Dresden", "+49 351"),
    ):  # fmt: skip
        PostalCode.create(country=int(key), postal_code=code, city=city, dialling_code=area)
    empty = {"name_1": "Huber", "name_2": "", "city": "", "search_name": "", "phone": "", "fax": "", "country_name": ""}
    vienna = {**empty, "country": austria, "postal_code": "1010"}
    found = asked(operator, vienna, "postal_code")
    assert found["values"] == {"city": "Wien", "phone": "+43 1 ", "fax": "+43 1 ", "search_name": "Huber Wien"}
    assert found["previews"] == {"address": ["Huber", "1010 Wien", "ÖSTERREICH"]}
    assert found["choices"] == {} == found["notes"]
    # The name of the country comes with its code, and stays where somebody wrote another.
    assert asked(operator, vienna, "country")["values"]["country_name"] == "Österreich"
    assert "country_name" not in asked(operator, {**vienna, "country_name": "Austria"}, "country")["values"]
    # What was typed stays; what was proposed before makes way.
    typed = {**vienna, "city": "Wieden", "phone": "0664 1", "search_name": "HUBER1"}
    assert asked(operator, typed, "postal_code")["values"] == {"fax": "+43 1 "}
    filled = {**empty, **found["values"], "country": germany, "postal_code": "01067"}
    assert asked(operator, filled, "postal_code", "country", **found["values"])["values"] == {
        "city": "Dresden", "phone": "+49 351 ", "fax": "+49 351 ", "search_name": "Huber Dresden",
        "country_name": "Deutschland",
    }  # fmt: skip
    # No entry: nothing, and no fault; several places: a choice, and the prefix when one is chosen.
    assert asked(operator, {**vienna, "postal_code": "9999"}, "postal_code")["values"] == {
        "city": "", "phone": "", "fax": "",
    }  # fmt: skip
    several = asked(operator, {**vienna, "postal_code": "4600"}, "postal_code")
    assert (several["choices"], several["values"]["city"], several["values"]["phone"]) == (
        {"city": ["Wels", "Pernau"]},
        "",
        "",
    )
    chosen = asked(operator, {**vienna, "postal_code": "4600", "city": "Wels"}, "city")
    assert (chosen["values"]["phone"], chosen["values"]["search_name"]) == ("+43 7242 ", "Huber Wels")
    long = {**vienna, "name_1": "Donaudampfschifffahrtsgesellschaft", "city": "Wien"}
    assert asked(operator, long, "city")["values"]["search_name"] == "Donaudampfschifffahrtsgesellsc"
    # PX-92: an existing customer's search name follows while it is the proposal.
    stored = enter(city="Graz", country="AT")
    url = f"{PROPOSE}?id={stored.id}"
    texts = {"name_1": "Huber", "city": "Wien", "search_name": "Huber Graz"}
    assert asked(operator, texts, "city", url=url)["values"]["search_name"] == "Huber Wien"
    assert "search_name" not in asked(operator, {**texts, "search_name": "HUBER1"}, "city", url=url)["values"]
    # Fields that follow a supplier or an employee.
    nord = enter(
        Supplier, number="S1", name_1="Parfümerie Nord", street="Hafen 3", city="Kiel", supplier_type="Kollege"
    )
    enter(Employee, number="7", name="Eva Kurz", street="Weg 9")
    texts = {"name_1": "", "customer_type": "colleague", "supplier": str(nord.id)}
    fixed = asked(operator, texts, "supplier")["fixed"]
    assert fixed["name_1"] == {
        "value": "Parfümerie Nord",
        "text": "Parfümerie Nord",
        "title": "Lieferant S1 Parfümerie Nord",
    }
    assert (fixed["street"]["value"], fixed["city"]["value"], fixed["postal_code"]["value"]) == ("Hafen 3", "Kiel", "")
    assert asked(operator, {**texts, "customer_type": "end_customer"}, "customer_type")["fixed"] == {}
    staff = asked(operator, {"customer_type": "employee", "employee": "", "employee_text": "7"}, "employee")["fixed"]
    assert (staff["name_1"]["value"], staff["street"]["value"]) == ("Eva Kurz", "Weg 9")
    # Odd questions are no faults.
    assert asked(operator, {"postal_code": "x" * 5000, "country": "QQ", "parent": "\x00"}, "nothing")["values"] == {}
    assert operator.post(PROPOSE, data="[]", content_type="application/json").status_code == 404
    assert operator.post(f"{PROPOSE}?id=99999", json={"values": {}}).status_code == 404


@pytest.mark.req("PX-94", "PX-95")
@pytest.mark.req("PX-137", partly=True)
def test_doubts_and_duplicates_stand_at_the_field_and_hold_nobody_up(
    operator: FlaskClient, sign_in_as: Callable[..., FlaskClient]
) -> None:
    germany = country("DE")
    first = enter(name_1="Müller & Söhne GmbH", postal_code="01067", country="DE", phone="+49 351 4711-0")
    enter(BankAccount, customer=str(first.customer_number), iban="DE02120300000000202051")
    change(first, vat_id_country="DE", vat_id_code="136695976")
    title = f"{first.customer_number} Müller & Söhne GmbH"
    for values, name, sentence in (
        ({"name_1": "Mueller + Soehne", "postal_code": "01067"}, "name_1", "Gleicher Name und PLZ:"),
        ({"phone": "0351/47110"}, "phone", "Gleiche Telefonnummer:"),
        ({"vat_id_country": "DE", "vat_id_code": "DE136695976"}, "vat_id_code", "Gleiche UID:"),
        ({"bank_account.iban": "de02 1203 0000 0000 2020 51"}, "bank_account.iban", "Gleiche IBAN:"),
    ):
        notes = asked(operator, values, name)["notes"][name]
        assert notes[-1]["text"] == sentence
        assert [link["text"] for link in notes[-1]["links"]] == [title]
        assert notes[-1]["links"][0]["url"].endswith(f"id={first.id}")
        # The customer itself is no duplicate, and another name or code is none.
        own = asked(operator, values, name, url=f"{PROPOSE}?id={first.id}")["notes"].get(name, [])
        assert all(not note["links"] for note in own)
    assert asked(operator, {"name_1": "Müller", "postal_code": "01067"}, "name_1")["notes"] == {}
    assert asked(operator, {"name_1": "Müller & Söhne", "postal_code": "1067"}, "name_1")["notes"] == {}
    # PX-94, PX-95: stored all the same, and the page goes on saying so.
    for name in ("phone", "fax"):
        assert "Ohne Ländervorwahl" in asked(operator, {name: "0316 99"}, name)["notes"][name][0]["text"]
    assert asked(operator, {"phone": "+43 1 234", "fax": "0043 1 2"}, "phone", "fax")["notes"] == {}
    answer = operator.post("/admin/customer/new/", data={"name_1": "Auer", "phone": "01 234", "fax": "0316 99"})
    assert answer.status_code == 302
    made = Customer.get(Customer.name_1 == "Auer")
    assert (made.phone, made.fax) == ("01 234", "0316 99")
    page = operator.get(answer.location).get_data(as_text=True)
    assert page.count("Ohne Ländervorwahl lässt sich die Nummer nicht überall wählen.") == 2
    doubt = asked(operator, {"vat_id_country": "DE", "vat_id_code": "123456789"}, "vat_id_code")["notes"]["vat_id_code"]
    assert doubt[0]["text"].startswith("„DE123456789“ ist so keine gültige UID")
    # Case 61: while it is typed, in the page afterwards, and not to whoever may not see it.
    account = {"bank_account.iban": "AT61 1904 3002 3457 3201", "bank_account.bic": "cobadeff"}
    odd = "Die Bank ist laut BIC in DE, das Konto laut IBAN in AT. Bitte beim Kunden nachfragen."
    assert asked(operator, account, "bank_account.bic")["notes"] == {"bank_account.bic": [{"text": odd, "links": []}]}
    assert asked(operator, account | {"bank_account.bic": "BKAUATWW"}, "bank_account.bic")["notes"] == {}
    enter(BankAccount, customer=str(made.customer_number), iban="AT611904300234573201", bic="COBADEFF")
    banks = get(operator, f"/admin/customer/edit/?id={made.id}&tab=banks").one("section", id="grid-bank_account")
    assert [line.text for line in banks.all("p", css="note")] == [f"BIC: {odd}"]
    # Who may not see bank accounts learns nothing of them; who may not write is not asked.
    Role.create(name="Ohne Bank", permissions=["customer.read", "customer.edit", "customer.create"])
    clerk = sign_in_as("Ohne Bank", name="auer")
    assert asked(clerk, {"bank_account.iban": "DE02120300000000202051"}, "bank_account.iban")["notes"] == {}
    assert asked(clerk, {"phone": "0351/47110"}, "phone")["notes"]["phone"][-1]["links"]
    Role.create(name="Leser", permissions=["customer.read"])
    assert sign_in_as("Leser", name="leser").post(PROPOSE, json={"values": {}}).status_code == 403
    assert User.select().count() == 3 and Address.select().count() == 0 and germany


@pytest.mark.req("PX-46", "PX-47", "PX-48", "PX-78", "PX-86", "PX-88", "PX-89", "PX-90", "ME-31", "NE-69")
@pytest.mark.req("PX-91", "NE-07", "NE-39", "NE-43", "NE-47", "PX-49", partly=True)
def test_the_page_shows_numbers_lines_and_the_fields_of_its_kind(operator: FlaskClient) -> None:
    new = "/admin/customer/new/"
    change(
        NumberRange.get(NumberRange.kind == "customer_number"),
        first_number="10000",
        last_number="19999",
        next_number="10012",
    )
    enter(customer_number="10012")

    def shown(url: str = new) -> tuple[str, Any]:
        text = operator.get(url).get_data(as_text=True)
        return text, Page(text)

    def field_of(text: str, name: str) -> str:
        start = text.index(f'id="f-{name}"')
        return text[start : text.index(">", start)]

    text, _page = shown()
    assert 'value="10013"' in field_of(text, "customer_number") and "Vorschlag aus dem Nummernkreis" in text
    assert 'value=""' in field_of(text, "debtor_account")
    change(NumberRange.get(NumberRange.kind == "debtor_account"), active="Ja", next_number="200050")
    assert 'value="200050"' in field_of(shown()[0], "debtor_account")

    def post(**values: str) -> Any:
        kept = {"_provisional-customer_number": "10013", "_provisional-debtor_account": "200050"}
        return operator.post(new, data={"name_1": "Auer", "customer_number": "10013", **kept, **values})

    # Two operators who leave the same proposal alone get consecutive numbers; a typed one is kept, or refused if taken.
    numbers = []
    for values in ({}, {}, {"customer_number": "10500"}, {}):
        assert post(**values).status_code == 302
        numbers.append(Customer.select().order_by(Customer.id.desc()).get())
    assert [made.customer_number for made in numbers] == [10013, 10014, 10500, 10015]
    assert {made.status for made in numbers} == {"draft"}
    refused = post(customer_number="10500", city="Graz")
    assert refused.status_code == 422
    page = refused.get_data(as_text=True)
    assert "Kundennummer bereits vorhanden" in page and 'value="Graz"' in field_of(page, "city")
    refused = operator.post(new, data={"name_1": "Auer", "customer_number": "10013"})
    assert refused.status_code == 422 and "Kundennummer bereits vorhanden" in refused.get_data(as_text=True)
    answer = operator.post(
        f"/admin/customer/edit/?id={numbers[0].id}", data={"id": numbers[0].id, "customer_number": "10002"}
    )
    assert answer.status_code in (302, 422)
    assert Customer.get_by_id(numbers[0].id).customer_number == 10013
    change(NumberRange.get(NumberRange.kind == "customer_number"), last_number="10015")
    text, _page = shown()
    assert 'value=""' in field_of(text, "customer_number") and "Der Nummernkreis hat keine freie Nummer mehr." in text
    # The address as it is printed: order, PO box, title, country.
    change(Setting.get(), own_country="AT")
    found = numbers[0]
    for values, lines in (
        ({"name_1": "Huber", "name_2": "Maschinenbau", "name_3": "Süd", "street": "Ring 1", "po_box": "123",
          "postal_code": "1010", "city": "Wien", "country": "AT"},
         ["Huber", "Maschinenbau", "Süd", "Ring 1", "1010 Wien"]),
        ({"street": ""}, ["Huber", "Maschinenbau", "Süd", "Postfach 123", "1010 Wien"]),
        ({"po_box": "PF 9", "name_3": "", "title": "1"}, ["Herr", "Huber", "Maschinenbau", "PF 9", "1010 Wien"]),
        ({"title": "", "country": "DE", "postal_code": "01067", "city": "Dresden"},
         ["Huber", "Maschinenbau", "PF 9", "01067 Dresden", "DEUTSCHLAND"]),
    ):  # fmt: skip
        found = change(found, **values)
        text, _page = shown(f"/admin/customer/edit/?id={found.id}")
        start = text.index('data-lines="address"')
        block = text[text.index(">", start) + 1 : text.index("</output>", start)]
        assert block.split("<br>") == lines

    # The fields of a kind of customer, and what follows a supplier cannot be typed into.
    def details() -> str:
        return operator.get(f"/admin/customer/edit/?id={found.id}&tab=details").get_data(as_text=True)

    assert details().count("hidden>") >= 2 and 'data-when="customer_type:colleague,supplier" hidden' in details()
    enter(Supplier, number="S3", name_1="Glas AG", city="Jena")
    found = change(found, customer_type="Lieferant", supplier="S3")
    text = details()
    assert (
        'data-when="customer_type:colleague,supplier">' in text and 'data-when="customer_type:employee" hidden' in text
    )
    text, _page = shown(f"/admin/customer/edit/?id={found.id}")
    assert "readonly" in field_of(text, "name_1") and "readonly" not in field_of(text, "name_2")
    url, texts = f"/admin/customer/edit/?id={found.id}", {"id": found.id, "name_2": "Zwei"}
    refused = operator.post(url, data={**texts, "name_1": "X"})
    assert refused.status_code == 422
    assert "Folgt „Lieferant S3 Glas AG“. Bitte dort ändern." in refused.get_data(as_text=True)
    assert operator.post(url, data={**texts, "name_1": "Glas AG"}).status_code == 302
    found = Customer.get_by_id(found.id)
    assert (found.name_1, found.name_2) == ("Glas AG", "Zwei")


@pytest.mark.req("PX-84", "PX-98", "PX-103", "PX-105", "PX-129", "PX-132", "PX-137", "PX-154", "PX-155", "ME-32")
@pytest.mark.req("PX-82", "PX-83", "NE-07", partly=True)
def test_the_form_shows_links_members_and_what_is_installed(operator: FlaskClient) -> None:
    first = enter(name_1="Zeta", status="Aktiv", vat_id_country="AT", vat_id_code="U52109800")
    second = enter(name_1="Alpha", status="Aktiv")
    draft = enter(name_1="Entwurf")
    enter(CustomerKind1, code="H", name="Handel")
    number = str(first.customer_number)
    second = change(
        second, parent_customer=number, association=number, successor_customer=number, customer_kind_1="Handel"
    )
    second = change(second, email="office@pollex-lc.com", website="www.example.com")

    def tab(record: Any, key: str) -> str:
        return operator.get(f"/admin/customer/edit/?id={record.id}&tab={key}").get_data(as_text=True)

    # PX-84: sorted by name.
    listed = operator.get("/admin/customer/?sort=name_1").get_data(as_text=True)
    assert listed.index("Alpha") < listed.index("Zeta")
    # PX-154, PX-155, ME-32, PX-105: links, and what was chosen.
    assert 'href="mailto:office@pollex-lc.com"' in tab(second, "general")
    master = tab(second, "master")
    assert 'href="https://www.example.com" class="open" rel="noreferrer" target="_blank"' in master
    assert f'href="/admin/customer/edit/?id={first.id}" class="open"' in master
    main = tab(second, "main")
    assert f'value="{number} Zeta"' in main and ">H Handel</option>" in main
    # PX-98, PX-103: both ways.
    members = tab(first, "members")
    assert members.count("Alpha") == 2 and "Untergeordnete Kunden" in members and "Mitglieder des Verbands" in members
    assert "Alpha" not in tab(draft, "members")
    # PX-137: one number where others read it.
    found = asked(operator, {"vat_id_country": "AT", "vat_id_code": "U52109800"}, "vat_id_code")
    assert found["notes"]["vat_id_code"][-1]["links"][0]["text"] == f"{number} Zeta"

    # PX-82, PX-83, NE-07: forms offer active customers, the list finds all.
    def offered(question: str) -> list[str]:
        url = f"/admin/customer/lookup?query={question}&offered=1"
        return [entry["text"].split(" ", 1)[1] for entry in operator.get(url).json]

    assert "/admin/customer/lookup?offered=1" in main
    assert (offered("Zeta"), offered("Entwurf")) == (["Zeta"], [])
    change(first, active="Nein")
    assert offered("Zeta") == []
    assert "Zeta" in operator.get("/admin/customer/?search=Zeta").get_data(as_text=True)
    assert operator.get("/admin/customer/lookup?query=Zeta").json
    # PX-129, PX-132: what belongs to a module that is not installed is not there, and no document takes it over.
    second = change(second, language="en", currency="USD")
    general, profile = tab(second, "general"), tab(second, "profile")
    assert 'id="f-language"' in general and 'id="f-currency"' in profile
    order = enter(SalesOrder, customer=str(second.customer_number))
    assert (order.language.code, order.currency.code) == ("en", "USD")
    change(Setting.get(), language_module="Nein", currency_module="Nein")
    assert 'id="f-language"' not in tab(second, "general") and 'id="f-currency"' not in tab(second, "profile")
    order = enter(SalesOrder, customer=str(second.customer_number))
    assert (order.language, order.currency) == (None, None)
    assert Customer.get_by_id(second.id).language.code == "en"

"""The customer's form: toolbar, windows of the special functions, tabs, head; by the requests an operator sends."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from domain.account import AccountEntry
from domain.catalog import Article
from domain.settings import Setting
from domain.till import Promotion
from domain.trade import Invoice
from domain.values.company import Employee
from domain.values.contacts import ContactFunction
from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import utcnow
from flask_appadmin.rights import Role, User, system_operator
from flask_appadmin.specs import spec_of
from models import Address, Contact, Customer, CustomerArticleNumber, PromotionParticipation
from tests.reader import Node, Page, get, read, send

WEBER = system_operator("Frau Weber")


def customers(*names: str, **values: Any) -> list[int]:
    change = ChangeSet("import")
    made = [change.create(Customer, {"name_1": name, "status": "active", **values}) for name in names]
    change.apply(WEBER)
    return [record.key or 0 for record in made]


def open_form(client: FlaskClient, key: int, **query: str) -> Page:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return get(client, f"/admin/customer/edit/?id={key}{more}")


def tools(page: Page) -> dict[str, Node]:
    """The functions of the toolbar by their tooltip."""
    bar = page.one("div", "toolbar")
    return {
        node["title"]: node
        for node in bar.walk()
        if node.get("title") and node.tag in ("a", "span", "button", "summary")
    }


def greyed(page: Page) -> set[str]:
    return {tip for tip, node in tools(page).items() if node.get("aria-disabled") == "true"}


def tab_names(page: Page) -> list[str]:
    return [re.sub(r"\d+$", "", tab.text) for tab in page.one("div", "tabs").all("a")]


def save(client: FlaskClient, page: Page, **typed: Any) -> Page:
    form = page.one("form", id="form")
    return send(client, form["action"], form.fields(**typed))


@pytest.mark.req("PX-02", "PX-03", "PX-41", "PX-42", "PX-45")
def test_the_toolbar_names_every_function_and_greys_out_what_is_not_possible(operator: FlaskClient) -> None:
    first, middle, last = customers("Auer", "Berger", "Czerny", street="Ring 1")
    change = ChangeSet("form")
    change.create(Contact, {"customer": middle, "name_1": "Eva"})
    change.create(Address, {"customer": middle, "street": "Hof 2", "is_delivery": True})
    change.apply(WEBER)
    assert greyed(open_form(operator, middle)) >= {"Erster Datensatz (Strg+F)", "Nächster Datensatz (Strg+H)"}
    listed = get(operator, "/admin/customer/")
    assert listed.one("form", id="marked")["data-nothing"] and "Neuer Kunde" in listed.text
    page = open_form(operator, middle)
    assert list(tools(page)) == [
        "Neu (Strg+N, Alt+N)",
        "Kopieren (Strg+Einfg)",
        "Löschen (Strg+Entf)",
        "Suchen (F10)",
        "Abfragebedingung",
        "Drucken (Strg+P)",
        "Erster Datensatz (Strg+F)",
        "Vorheriger Datensatz (Strg+G)",
        "Nächster Datensatz (Strg+H)",
        "Letzter Datensatz (Strg+L)",
        "Sonderfunktionen",
        "Speichern (Strg+S)",
        "weitere Arten zu speichern",
    ]
    assert greyed(page) == set()
    assert page.one("span", "place").text == "2 von 3"
    backward = {"Erster Datensatz (Strg+F)", "Vorheriger Datensatz (Strg+G)"}
    forward = {"Nächster Datensatz (Strg+H)", "Letzter Datensatz (Strg+L)"}
    assert (greyed(open_form(operator, first)), greyed(open_form(operator, last))) == (backward, forward)

    new = get(operator, tools(page)["Neu (Strg+N, Alt+N)"]["href"])
    assert new.heading == "Neuer Kunde"
    assert [tip for tip in tools(new) if tip.startswith(("Neu", "Verwerfen"))] == ["Verwerfen"]
    copied_or_printed = {"Kopieren (Strg+Einfg)", "Löschen (Strg+Entf)", "Drucken (Strg+P)", "Sonderfunktionen"}
    assert greyed(new) == copied_or_printed | backward | forward
    assert new.one("input", id="f-street")["value"] == ""
    for tab in ("contacts", "addresses", "banks"):
        empty = get(operator, f"/admin/customer/new/?tab={tab}").one("section", "grid")
        assert all(row.has_class("fresh") for row in empty.all("tbody")), tab
    assert get(operator, tools(new)["Verwerfen"]["href"]).heading == "10002 Berger"
    refused = save(operator, new)
    assert (refused.status, "Verwerfen" in tools(refused)) == (422, True)
    assert get(operator, tools(refused)["Verwerfen"]["href"]).heading == "10002 Berger", "known after a refusal, too"
    saved = save(operator, new, name_1="Dorn")
    assert ("Neu (Strg+N, Alt+N)" in tools(saved), "Verwerfen" in tools(saved)) == (True, False)
    assert Customer.get_by_id(middle).street == "Ring 1"


@pytest.mark.req("PX-10", "PX-11")
def test_the_copy_window_proposes_numbers_and_opens_the_copy(operator: FlaskClient) -> None:
    key, _other = customers("Auer", "Berger")
    url = tools(open_form(operator, key))["Kopieren (Strg+Einfg)"]["href"]
    window = read(operator.get(url, headers={"X-Fragment": "window"}))
    assert (window.one("h2", id="window-title").text, window.all("h1")) == ("Kunde kopieren", [])
    form = window.one("form")
    assert [
        (field["name"], field["value"])
        for field in form.all("input")
        if field["name"] in ("customer_number", "debtor_account")
    ] == [
        ("customer_number", "10003"),
        ("debtor_account", ""),
    ]
    assert [button.text for button in form.all("button")] == ["OK"]
    assert Customer.select().count() == 2, "looking at it copies nothing"
    taken = operator.post(form["action"], data=form.fields(customer_number="10002"), headers={"X-Fragment": "window"})
    again = read(taken)
    assert (taken.status_code, again.faults) == (422, ["Kundennummer bereits vorhanden."])
    assert again.one("input", name="customer_number")["value"] == "10002"
    form = again.one("form")
    fields = form.fields(customer_number="10003", debtor_account="200050")
    done = operator.post(form["action"], data=fields, headers={"X-Fragment": "window"})
    assert (done.status_code, Customer.select().count()) == (204, 3)
    shown = get(operator, done.headers["X-Location"])
    assert (shown.heading, shown.one("input", id="f-debtor_account")["value"]) == ("10003 Auer", "200050")
    assert shown.toast.startswith("Kopie angelegt")


@pytest.mark.req("PX-01", "PX-23", "PX-34", "NE-01", "NE-35")
def test_everything_about_a_customer_is_reached_from_its_form(operator: FlaskClient) -> None:
    key, other = customers("Auer", "Berger")
    change = ChangeSet("form")
    article = change.create(Article, {"number": "4711", "designation_1": "Schraube"})
    promotion = change.create(Promotion, {"number": "A-1", "name": "Herbstaktion"})
    for number, paid in (("R-1", Decimal(0)), ("R-2", Decimal(20))):
        values = {"number": number, "customer": key, "net_amount": Decimal(20), "total_amount": Decimal(20)}
        change.create(Invoice, {**values, "paid_amount": paid})
    change.create(Invoice, {"number": "R-9", "customer": other, "net_amount": Decimal(1), "total_amount": Decimal(1)})
    entry = {"customer": key, "booked_at": utcnow(), "turnover_kind": "cash_sale", "receipt_number": "B-77"}
    change.create(AccountEntry, {**entry, "article": article, "value": Decimal("12.50")})
    change.create(PromotionParticipation, {"customer": key, "promotion": promotion})
    change.create(CustomerArticleNumber, {"customer": key, "article": article, "customer_article_number": "K-99"})
    change.apply(WEBER)
    page = open_form(operator, key)
    names = tab_names(page)
    assert names[0] == "Hauptfenster"
    for name in (
        ("Allgemein", "Ansprechpartner", "Mailing-Merkmale", "Mailing-Aktivitäten", "Bonitätsinfo", "Banken"),
        ("Konditionen", "Auftragsinfo", "Adressen", "Details", "Aktionen", "Notizen", "Historie", "Parameter"),
        ("Kundenkarten", "Kreditverkauf", "Kundenkonto", "Offene Posten", "Dokumente", "Kommunikation"),
    ):
        assert set(name) <= set(names)
    links = {re.sub(r"\d+$", "", tab.text): tab["href"] for tab in page.one("div", "tabs").all("a")}
    for name, seen, not_seen in (
        ("Kundenkonto", ("Barverkauf", "B-77", "12,50"), ()),
        ("Offene Posten", ("R-1", "20,00"), ("R-2", "R-9")),
        ("Aktionen", ("Herbstaktion",), ()),
    ):
        part = read(operator.get(links[name], headers={"X-Fragment": "panel"}))
        assert all(text in part.html for text in seen), (name, part.text)
        assert not any(text in part.html for text in not_seen), name
    # Several tabs in one request are what each says by itself, once each and hidden until they are opened.
    own = [operator.get(url, headers={"X-Fragment": "panel"}).get_data(as_text=True) for url in links.values()]
    asked = "".join("&tab=" + url.rpartition("&tab=")[2] for url in (*links.values(), *links.values()))
    together = get(operator, f"/admin/customer/edit/?id={key}{asked}", **{"X-Fragment": "panel"})
    names = [url.rpartition("&tab=")[2] for url in links.values()]
    assert [panel["data-panel"] for panel in together.all("div", "panel")] == names
    assert together.html.replace(' role="tabpanel"', "").count(" hidden>") >= len(names)
    for url, alone in zip(names, own, strict=True):
        opened = alone.replace(f'aria-labelledby="tab-{url}">', f'aria-labelledby="tab-{url}" hidden>', 1)
        assert opened.strip() in together.html, url

    def special() -> dict[str, str]:
        menu = next(node for node in open_form(operator, key).all("details") if node.get("data-menu") == "special")
        return {link.text: link["href"] for link in menu.all("a")}

    commands = ["Sondervereinbarungen Reparaturkosten", "Kundenspezifische Artikelnummern", "Druckprofile"]
    assert list(special())[:3] == commands
    assert "Sonderkontierung" not in special()
    Setting.update(use_group_account_numbers=True).execute()
    assert list(special())[:4] == [*commands, "Sonderkontierung"]
    for name in (*commands, "Sonderkontierung"):
        window = get(operator, special()[name])
        assert (window.heading, window.one("a", "back").text) == (name, "‹ 10001 Auer")
        assert window.all("div", "tabs") == []
    numbers = get(operator, special()["Kundenspezifische Artikelnummern"])
    assert "K-99" in numbers.html
    saved = save(operator, get(operator, special()["Sonderkontierung"]), group_taxable="1")
    assert (saved.heading, saved.toast, Customer.get_by_id(key).group_taxable) == (
        "Sonderkontierung",
        "Gespeichert.",
        True,
    )


def test_the_head_tells_what_to_mind(operator: FlaskClient) -> None:
    change = ChangeSet("import")
    made = change.create(
        Customer,
        {
            "name_1": "Auer",
            "status": "active",
            "warning_text": "Nur gegen Barzahlung",
            "delivery_block": "2",
            "dunning_lock": True,
            "credit_sale": True,
            "credit_limit": Decimal(500),
            "credit_warn_percent": Decimal(80),
        },
    )
    change.create(
        Invoice, {"number": "R-1", "customer": made, "net_amount": Decimal(400), "total_amount": Decimal(400)}
    )
    change.apply(WEBER)
    by_hand = ChangeSet("form")
    draft = by_hand.create(Customer, {"name_1": "Berger"})
    by_hand.apply(WEBER)

    def head(key: int) -> list[str]:
        return [tag.text for tag in open_form(operator, key).one("div", "title-row").all("span", "tag")]

    assert head(made.key or 0) == [
        "Aktiv",
        "Liefersperre",
        "Mahnsperre",
        "Warnschwelle des Kreditlimits erreicht",
        "Warnhinweis: Nur gegen Barzahlung",
    ]
    assert head(draft.key or 0) == ["Entwurf"]


@pytest.mark.req("PX-55")
@pytest.mark.req("PX-57", "PX-58", "PX-59", partly=True)
def test_what_must_be_filled_is_marked_asked_for_and_never_saved_empty(operator: FlaskClient) -> None:
    def barred(page: Page) -> list[str]:
        return [field.one("label").text for field in page.all("div", "field") if field.has_class("req")]

    new = get(operator, "/admin/customer/new/")
    assert barred(new) == ["Name 1"]
    refused = save(operator, new, city="Graz")
    assert (refused.status, Customer.select().count()) == (422, 0)
    asked = refused.one("p", id="e-name_1")
    assert (asked.text, "data-passing" in asked.attributes) == ("Bitte eine Eingabe vornehmen.", True)
    assert refused.one("input", id="f-city")["value"] == "Graz"
    assert refused.summary == ["Name 1: Name 1 oder Name 2 muss gefüllt sein. Bitte ausfüllen."]
    saved = save(operator, refused, name_2="Zweitname")
    assert (saved.heading, barred(saved)) == ("10001 Zweitname", []), "Name 2 stands in for Name 1"
    key = Customer.get(Customer.customer_number == 10001).id
    details = open_form(operator, key, tab="details")
    assert set(barred(details)) >= {"Kundentyp", "Status"}
    refused = save(operator, details, customer_type="", warning_text="Nur bar")
    assert refused.one("p", id="e-customer_type").text == "Bitte eine Eingabe vornehmen."
    assert refused.one("textarea", id="f-warning_text").text == "Nur bar"
    stored = Customer.get_by_id(key)
    assert (stored.customer_type, stored.warning_text) == ("end_customer", None)
    assert stored.clerk_id is None, "this operator is no employee"

    change = ChangeSet("form")
    me = change.create(Employee, {"number": "7", "name": "Weber", "user": User.get().id})
    change.apply(WEBER)
    new = get(operator, "/admin/customer/new/?tab=master")
    assert new.one("form", id="form").fields()["clerk"] == str(me.key)
    refused = save(operator, new, _panel=["main", "master"], name_1="Huber", clerk="", clerk_text="")
    assert refused.summary == ["Bearbeiter: Neue Kunden brauchen einen Bearbeiter. Bitte ausfüllen."]
    assert save(operator, new, city="Graz").summary == [
        "Name 1: Name 1 oder Name 2 muss gefüllt sein. Bitte ausfüllen."
    ]
    assert save(operator, get(operator, "/admin/customer/new/"), name_1="Huber").heading == "10002 Huber"
    huber = Customer.get(Customer.customer_number == 10002)
    assert (huber.clerk_id, huber.status, huber.customer_type) == (me.key, "draft", "end_customer")
    order = get(operator, f"/admin/sales_order/new/?customer={key}")
    assert order.one("form", id="form").fields()["clerk"] == str(me.key), "nobody is in charge of this customer"


@pytest.mark.req("PX-159")
def test_who_is_no_company_is_a_private_customer_in_form_and_list(operator: FlaskClient) -> None:
    key, company = (*customers("Auer"), *customers("Berger", is_company=True))
    column = spec_of(Customer).field("is_company")
    listed = get(operator, "/admin/customer/?columns=name_1,is_company&sort=name_1")
    assert [row[-1] for row in listed.rows] == ["Privatkunde", "✓"]
    for each, ticked in ((key, False), (company, True)):
        page = open_form(operator, each, tab=column.group)
        box = page.one("input", id="f-is_company")
        # Beside a tick the words are not visible.
        assert ("checked" in box.attributes, page.one("span", "unticked").text) == (ticked, "Privatkunde")
    assert (column.parse("privatkunde"), column.parse("Ja")) == (False, True), "as it is copied out of the list"


@pytest.mark.req("SC-09")
def test_a_customer_is_named_by_synonym_or_number_before_it_is_deleted(operator: FlaskClient) -> None:
    change = ChangeSet("form")
    first = change.create(Customer, {"name_1": "Auer", "search_name": "ABC"})
    second = change.create(Customer, {"name_1": "Berger", "customer_number": 10005})
    change.apply(WEBER)
    Customer.update(search_name=None).where(Customer.id == second.key).execute()
    token = operator.post("/admin/customer/selection", json={"add": [first.key, second.key]}).get_json()["token"]
    page = get(operator, f"/admin/customer/action/delete?selection={token}")
    items = page.one("div", "limited").all("tr")
    assert [[cell.text for cell in row.all("td")] for row in items] == [
        ["ABC", "10001 Auer · wird gelöscht"],
        ["10005", "10005 Berger · wird gelöscht"],
    ]
    long = "S" * 31
    refused = save(operator, open_form(operator, first.key or 0), search_name=long)
    assert (refused.status, Customer.get_by_id(first.key).search_name) == (422, "ABC")
    assert save(operator, open_form(operator, second.key or 0), search_name="ABC").status == 200, "it may occur twice"


def test_another_customer_is_opened_by_its_number(operator: FlaskClient) -> None:
    key, *_rest = customers("Auer", "Berger")
    for number, status in (("10001", 200), ("777", 404), ("x1", 400), ("", 404)):
        answer = operator.get(f"/admin/customer/open?number={number}")
        found = answer.get_json()
        assert answer.status_code == status, number
        assert found == {"url": f"/admin/customer/edit/?id={key}"} if status == 200 else found["error"]


def test_what_forms_keep_shows_nothing_of_another_record_operator_or_list(
    operator: FlaskClient, sign_in_as: Callable[..., FlaskClient]
) -> None:
    """Fields and rows are drawn once and filled in from then on: each value is escaped and stands there at once."""
    odd = "<b>\"x'&amp;%(name)s %s {{7*7}}</b>"
    key, other = customers("Auer", "Ebner", street=odd, name_2=odd)
    change = ChangeSet("import")
    for owner, street in ((key, odd), (other, "Ring 1")):
        change.create(Address, {"customer": owner, "name_1": odd, "street": street})
    change.apply(WEBER)
    mine, theirs = (Address.get(Address.customer == owner) for owner in (key, other))
    reader = sign_in_as("Lesen", "leser")

    def part(client: FlaskClient, owner: int, tab: str) -> Page:
        return get(client, f"/admin/customer/edit/?id={owner}&tab={tab}", **{"X-Fragment": "panel"})

    for client in (operator, reader, operator, reader):
        form = open_form(client, key)
        assert form.one("input", name="street")["value"] == odd and '<b>"x' not in form.html
        assert ("readonly" in form.one("input", name="street").attributes) == (client is reader)
        for owner, row, street in ((key, mine, odd), (other, theirs, "Ring 1")):
            grid = part(client, owner, "addresses")
            stored = grid.one("input", name=f"address-{row.id}-street")
            assert (stored["value"], "readonly" in stored.attributes) == (street, client is reader)
            assert '<b>"x' not in grid.html and ("<template>" in grid.html) == (client is operator)

    # What a short table offers stands in stored and new rows at once.
    assert "Funktion %s" not in part(operator, key, "contacts").html
    function = ContactFunction.create(name=f"Funktion %s{odd}"[:60])
    told = str(escape(function.name))
    blank = re.search("<template>.*?</template>", part(operator, key, "contacts").html, re.DOTALL)
    assert blank is not None and f">{told}</option>" in blank.group()
    function.delete_instance()
    assert told not in part(operator, key, "contacts").html

    # Rights that a work group gets or loses, and the language of an operator, count for his next page.
    role = Role.get(Role.name == "Lesen")
    Role.update(permissions=[*role.permissions, "customer.edit", "trade.edit"]).where(Role.id == role.id).execute()
    assert "readonly" not in open_form(reader, key).one("input", name="street").attributes
    assert "<template>" in part(reader, key, "addresses").html
    Role.update(permissions=role.permissions).where(Role.id == role.id).execute()
    assert "readonly" in open_form(reader, key).one("input", name="street").attributes
    assert "Strasse" in part(reader, key, "addresses").text
    User.update(locale="en").where(User.username == "leser").execute()
    assert "Strasse" not in part(reader, key, "addresses").text and "Street" in part(reader, key, "addresses").text
    assert "Strasse" in part(operator, key, "addresses").text

"""The pages of customers, by the requests an operator sends."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playhouse.test_utils import count_queries

from domain.catalog import Supplier
from domain.values.countries import Country
from domain.values.delivery import Tour
from flask_appadmin.changes import ChangeSet, NewRecord
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.rights import system_operator
from flask_appadmin.selections import StoredSelection
from flask_appadmin.sheets.sessions import ImportSchema
from flask_appadmin.specs import spec_of
from models import MODELS, Address, BankAccount, Contact, CostCentre, Customer, CustomerUser, ImportSchedule
from tests.reader import Page, get, read, send

# Pages: what they write and ask is tested on both engines where it is done.
pytestmark = pytest.mark.engines("sqlite", later="postgresql")

WEBER = system_operator("Frau Weber")


def make(**customers: dict[str, Any]) -> list[int]:
    """Active customers by their search name; answers their keys."""
    change = ChangeSet("import")
    made = []
    for name, values in customers.items():
        made.append(
            change.create(Customer, {"search_name": name, "name_1": f"{name} GmbH", "status": "active", **values})
        )
    change.apply(WEBER)
    return [record.key or 0 for record in made]


def three() -> list[int]:
    return make(ABC={}, DEF={}, GHI={})


def photograph() -> dict[str, list[tuple[Any, ...]]]:
    """All business values of the customer and its children, without versions and times."""
    picture = {}
    for model in MODELS:
        spec = spec_of(model)
        if spec.name == "customer" or (spec.owner is not None and spec.owner.target is Customer):
            columns = [model.id, *(item.column_field for item in spec.data_fields)]
            picture[spec.name] = list(model.select(*columns).order_by(model.id).tuples())
    return picture


def marked(client: FlaskClient, *keys: int) -> str:
    return str(client.post("/admin/customer/selection", json={"add": list(keys)}).get_json()["token"])


def listed(page: Page) -> list[str]:
    """The search names of the rows."""
    return [row[page.columns.index("Synonym")] for row in page.rows]


def save(client: FlaskClient, page: Page, **typed: Any) -> Page:
    form = page.one("form", id="form")
    return send(client, form["action"], form.fields(**typed))


def change_page(client: FlaskClient, *keys: int) -> Page:
    return get(client, f"/admin/customer/action/change_settings?selection={marked(client, *keys)}")


def apply_change(client: FlaskClient, page: Page, **typed: Any) -> Page:
    """Ticks and fills settings as a person does: looks at the preview, then presses the button."""
    form = page.one("form", id="bulk")
    fields = form.fields(**typed)
    preview = read(client.post(form["action"], data=fields, headers={"X-Fragment": "bulk_preview"}))
    fields.setlist("plan", [node["value"] for node in preview.all("input", name="plan")])
    fields.setlist("_do", ["apply"])
    return send(client, form["action"], fields)


# --- list -------------------------------------------------------------------------------------------------------------


@pytest.mark.req("SC-01")
def test_the_menu_opens_the_list_of_all_customers_but_those_that_are_gone(operator: FlaskClient) -> None:
    make(ABC={}, DEF={"status": "draft"}, GHI={"status": "locked"}, WEG={})
    Customer.update(status="anonymised").where(Customer.search_name == "WEG").execute()
    menu = get(operator, "/admin/").one("nav", css="side")
    page = get(operator, next(link["href"] for link in menu.all("a") if link.text.startswith("Kunden")))
    assert (page.heading, page.one("span", id="counts").text, listed(page)) == ("Kunden", "3", ["ABC", "DEF", "GHI"])
    assert page.chips == ["Status ist nicht Anonymisiert oder Gelöscht"]
    assert listed(get(operator, "/admin/customer/?status=anonymised")) == ["WEG"]
    assert listed(get(operator, "/admin/customer/?search=weg")) == [], "a search does not bring them back"
    everybody = get(operator, page.one("span", "chip").one("a", "x")["href"])
    assert (listed(everybody), everybody.chips) == (["ABC", "DEF", "GHI", "WEG"], [])


def test_marking_all_takes_only_what_the_list_shows(operator: FlaskClient) -> None:
    make(ABC={}, WEG={})
    Customer.update(status="anonymised").where(Customer.search_name == "WEG").execute()
    answer = operator.post("/admin/customer/selection", json={"all": True, "query": ""}).get_json()
    assert answer["count"] == 1


def test_the_list_has_the_columns_operators_need(operator: FlaskClient) -> None:
    germany = Country.get(Country.code == "DE").id
    make(ABC={"postal_code": "01067", "city": "Dresden", "country": germany, "credit_limit": "12400"})
    page = get(operator, "/admin/customer/")
    assert page.columns == [
        "Kunden-Nr.",
        "Synonym",
        "Name 1",
        "PLZ",
        "Ort",
        "Land",
        "Status",
        "Kreditlimit",
        "Zahlungsbedingung",
        "Geändert",
    ]
    assert page.rows == [
        ["10001", "ABC", "ABC GmbH", "01067", "Dresden", "DE", "Aktiv", "12.400,00", "", "gerade eben"]
    ]
    assert [node.text for node in page.all("span", "tag") if node.has_class("good")] == ["Aktiv"]


@pytest.mark.req("SC-26", "SC-27")
def test_synonym_and_name_lead_to_the_customer(operator: FlaskClient) -> None:
    abc, only_second = make(ABC={}, DEF={"name_1": None, "name_2": "Meier KG"})
    page = get(operator, "/admin/customer/")
    assert get(operator, page.link("ABC")).heading == "10001 ABC GmbH"
    assert page.link("ABC GmbH") == f"/admin/customer/edit/?id={abc}"
    assert page.link("Meier KG") == f"/admin/customer/edit/?id={only_second}"
    Customer.update(search_name=None).where(Customer.id == only_second).execute()
    assert get(operator, "/admin/customer/").rows[1][:3] == ["10002", "10002", "Meier KG"]


@pytest.mark.req("SC-03")
def test_one_field_searches_number_synonym_and_name(operator: FlaskClient) -> None:
    make(MUELLERHH={"customer_number": 10077, "name_1": "Müller GmbH"}, ANDERER={"name_1": "Huber"})
    page = get(operator, "/admin/customer/")
    field = page.one("form", css="quick").all("input", name="search")[0]
    assert field["aria-label"] == "Kunde (Nr., Synonym oder Name 1)"
    for text in ("10077", "1007", "muellerh", "müller", "MÜLLER", "ller"):
        assert listed(get(operator, f"/admin/customer/?search={text}")) == ["MUELLERHH"], text
    assert listed(get(operator, "/admin/customer/?search=xyz")) == []


@pytest.mark.req("SC-04", "SC-05")
@pytest.mark.req("SC-02", partly=True)
def test_number_and_kind_are_filters_that_hold_together(operator: FlaskClient) -> None:
    make(
        A={"customer_number": 1007, "portal_type": "so_procure"},
        B={"customer_number": 10077, "portal_type": "so_procure"},
        C={"customer_number": 10001, "portal_type": "so_commerce"},
    )
    quick = get(operator, "/admin/customer/").one("form", css="quick")
    assert quick.one("strong").text == "Filtern nach"
    assert [node["aria-label"] for node in (*quick.all("input", type="search"), *quick.all("select"))] == [
        "Kunde (Nr., Synonym oder Name 1)",
        "Kundennummer",
        "Kundenart",
    ]
    assert [option.text for option in quick.one("select").all("option")] == [
        "Kundenart: alle",
        "So.PROCURE",
        "So.COMMERCE",
    ]

    def found(**typed: str) -> list[str]:
        return listed(read(operator.get(quick["action"], query_string=quick.fields(**typed))))

    assert found(customer_number="1007") == ["A"]
    assert found(portal_type="so_commerce") == ["C"]
    assert found(portal_type="") == ["A", "C", "B"]
    assert found(customer_number="10077", portal_type="so_procure") == ["B"]
    assert found(customer_number="10077", portal_type="so_commerce") == []


@pytest.mark.req("PX-77")
def test_numbers_sort_as_numbers(operator: FlaskClient) -> None:
    make(ZWEI={"customer_number": 2}, ZEHN={"customer_number": 10}, NEUN={"customer_number": 9})
    assert listed(get(operator, "/admin/customer/?sort=customer_number")) == ["ZWEI", "NEUN", "ZEHN"]


def test_a_list_of_many_asks_as_few_questions_as_a_list_of_few(operator: FlaskClient) -> None:
    germany = Country.get(Country.code == "DE").id
    three()
    get(operator, "/admin/customer/")
    with count_queries() as few:
        get(operator, "/admin/customer/?sort=city")
    make(**{f"K{number}": {"country": germany} for number in range(60)})
    with count_queries() as many:
        assert len(get(operator, "/admin/customer/?sort=city").keys) == 50
    assert many.count <= few.count + 2, "the number found, and the codes of all countries, are one question each"


# --- marks and actions ------------------------------------------------------------------------------------------------


@pytest.mark.req("SC-10", "SC-11", "SC-12")
def test_rows_are_marked_one_by_one_or_all_that_are_found(operator: FlaskClient) -> None:
    keys = make(**{f"K{number:02}": {"city": "Köln" if number < 45 else "Wien"} for number in range(50)})
    page = get(operator, "/admin/customer/?city=K%C3%B6ln&size=25")
    boxes = [box for box in page.one("table", id="list").all("input", type="checkbox") if box.get("value")]
    assert [int(box["value"]) for box in boxes] == keys[:25]
    one = operator.post("/admin/customer/selection", json={"add": [boxes[1]["value"]]}).get_json()
    confirmation = get(operator, f"/admin/customer/action/delete?selection={one['token']}")
    assert confirmation.heading == "1 Kunde löschen?"
    assert "K01" in confirmation.text
    assert page.one("button", data_mark_all="").text == "Alle 45 markieren"
    everybody = operator.post("/admin/customer/selection", json={"all": True, "query": "?city=Köln&size=25"}).get_json()
    assert everybody["count"] == 45
    shown = get(operator, f"/admin/customer/?city=K%C3%B6ln&selection={everybody['token']}")
    assert shown.one("span", "marked-text").text == "45 markiert"
    bulk = get(operator, f"/admin/customer/action/change_settings?selection={everybody['token']}")
    assert "45 Kunden: Ort ist Köln" in bulk.text
    done = apply_change(operator, bulk, change=["marker"], marker="X")
    assert done.toast == "45 Kunden geändert."
    assert Customer.select().where(Customer.marker == "X", Customer.city == "Köln").count() == 45
    assert Customer.select().where(Customer.marker == "X").count() == 45
    none = operator.post("/admin/customer/selection", json={"token": one["token"], "clear": True}).get_json()
    assert none["count"] == 0
    assert (
        "Bitte markieren Sie mindestens einen Kunden."
        in get(operator, f"/admin/customer/action/delete?selection={one['token']}").text
    )


@pytest.mark.req("PX-13")
def test_all_that_are_marked_open_with_the_first_number(operator: FlaskClient) -> None:
    make(EEE={}, DDD={}, CCC={}, BBB={}, AAA={})
    token = operator.post("/admin/customer/selection", json={"all": True, "query": ""}).get_json()["token"]
    form = read(operator.get(f"/admin/customer/action/edit?selection={token}", follow_redirects=True))
    assert form.heading.startswith("10001 EEE")
    assert "1 von 5" in form.text


@pytest.mark.req("SC-13", partly=True)
def test_actions_refuse_to_run_on_nothing(operator: FlaskClient) -> None:
    three()
    page = get(operator, "/admin/customer/")
    assert page.one("form", id="marked")["data-nothing"] == "Bitte markieren Sie mindestens einen Kunden."
    before = photograph()
    for button in page.one("span", "strip-actions").all("button"):
        if button["value"] in ("copy", "full_copy"):
            continue
        for fields in ({"token": ""}, {"token": marked(operator)}):
            answer = send(operator, button["formaction"], {"action": button["value"], **fields})
            assert (answer.status, "Bitte markieren Sie mindestens einen Kunden." in answer.text) == (400, True)
    assert photograph() == before


@pytest.mark.req("SC-25")
def test_only_one_customer_is_copied_at_a_time(operator: FlaskClient) -> None:
    abc, second, _third = three()
    for name in ("copy", "full_copy"):
        for keys in ((), (abc, second)):
            page = get(operator, f"/admin/customer/action/{name}?selection={marked(operator, *keys)}")
            assert (page.status, "Es kann immer nur ein Kunde gleichzeitig kopiert werden." in page.text) == (400, True)
    assert Customer.select().count() == 3
    page = get(operator, f"/admin/customer/action/copy?selection={marked(operator, abc)}")
    form = page.one("form", css="stack")
    assert send(operator, form["action"], form.fields()).heading == "10004 ABC GmbH"
    assert Customer.select().count() == 4


def customer_with_everything() -> int:
    change = ChangeSet("import")
    schema = change.create(ImportSchema, {"name": "Lieferliste", "entity": "customer"})
    values = {
        "search_name": "ABC",
        "name_1": "ABC GmbH",
        "status": "active",
        "discount_percent": "5",
        "csi_number": "77",
    }
    customer = change.create(Customer, values)

    def below(model: Any, count: int, values: Callable[[int], dict[str, Any]]) -> list[NewRecord]:
        return [change.create(model, {"customer": customer, **values(number)}) for number in range(count)]

    below(CustomerUser, 2, lambda number: {"username": f"user{number}"})
    below(CostCentre, 3, lambda number: {"number": str(100 + number)})
    below(ImportSchedule, 1, lambda number: {"import_schema": schema, "interval": "täglich"})
    below(Contact, 2, lambda number: {"name_1": f"Kontakt {number}"})
    below(Address, 2, lambda number: {"name_1": f"Lager {number}", "is_delivery": True})
    change.apply(WEBER)
    return customer.key or 0


@pytest.mark.req("SC-21", "SC-24")
@pytest.mark.req("SC-22", "SC-23", partly=True)
def test_a_copy_takes_the_settings_and_a_full_copy_everything(operator: FlaskClient) -> None:
    key = customer_with_everything()
    children = (CustomerUser, CostCentre, ImportSchedule, Contact, Address)
    original = photograph()
    for name, counts in (("copy", [0, 0, 0, 0, 0]), ("full_copy", [2, 3, 1, 2, 2])):
        form = get(operator, f"/admin/customer/action/{name}?id={key}").one("form", css="stack")
        done = send(operator, form["action"], form.fields())
        made = Customer.select().order_by(Customer.id.desc()).get()
        assert done.heading == f"{made.customer_number} ABC GmbH"
        assert [model.select().where(model.customer == made).count() for model in children] == counts
        assert (str(made.discount_percent), made.csi_number, made.status) == ("5.00", None, "draft")
    page = get(operator, "/admin/customer/")
    assert listed(page) == ["ABC", "ABC (Kopie)", "ABC (Kopie)"]
    assert [row[0] for row in page.rows] == ["10001", "10002", "10003"]
    now = photograph()
    assert all(set(rows) <= set(now[name]) for name, rows in original.items()), "the original is as it was"


@pytest.mark.req("PX-51", partly=True)
def test_a_number_that_is_taken_is_refused_when_copying(operator: FlaskClient) -> None:
    abc, *_rest = three()
    form = get(operator, f"/admin/customer/action/copy?id={abc}").one("form", css="stack")
    answer = send(operator, form["action"], form.fields(customer_number="10002"))
    assert (answer.status, answer.faults) == (422, ["Kundennummer bereits vorhanden."])
    assert Customer.select().count() == 3
    assert send(operator, form["action"], form.fields(customer_number="555")).heading == "555 ABC GmbH"


@pytest.mark.req("SC-28", "SC-31")
@pytest.mark.req("SC-30", partly=True)
def test_drafts_are_deleted_with_what_belongs_to_them_after_a_confirmation(operator: FlaskClient) -> None:
    keys = three()
    Customer.update(status="draft").where(Customer.id.in_(keys[:2])).execute()
    change = ChangeSet("form")
    change.create(Contact, {"customer": keys[0], "name_1": "Kontakt"})
    change.create(BankAccount, {"customer": keys[0], "iban": "DE02120300000000202051"})
    change.apply(WEBER)
    before = photograph()
    page = get(operator, f"/admin/customer/action/delete?selection={marked(operator, *keys[:2])}")
    assert page.heading == "2 Kunden löschen?"
    assert ("ABC GmbH" in page.text, "DEF GmbH" in page.text, "GHI" in page.text) == (True, True, False)
    assert page.one("div", "tiles").text == "2Kunden1Ansprechpartner1Bankverbindungen"
    assert photograph() == before
    left = get(operator, page.link("Nein"))
    assert left.one("span", "marked-text").text == "2 markiert"
    form = page.one("form", css="stack")
    done = send(operator, form["action"], form.fields())
    assert (done.status, done.toast, listed(done)) == (200, "2 Kunden gelöscht.", ["GHI"]), done.text
    assert (Contact.select().count(), BankAccount.select().count()) == (0, 0)


# --- changing the settings of many ------------------------------------------------------------------------------------


@pytest.mark.req("SC-33", "SC-37", "SC-39")
def test_the_page_of_settings_says_for_whom_and_warns(operator: FlaskClient) -> None:
    page = change_page(operator, *three())
    assert page.heading == "Änderung der Kundeneinstellungen"
    assert "3 Kunden markiert" in page.text
    assert "Beachten Sie die möglichen Wechselwirkungen mit anderen Kundeneinstellungen!" in page.text
    labels = {label.text for label in page.one("form", id="bulk").all("label")}
    assert {"Versandart", "Tour", "Mahnsperre"} <= labels
    assert (
        not {"Kunden-Nr.", "FIBU Nummer", "Name 1", "Straße", "Suchbezeichnung", "Umsatz aktuell", "Shop-Login"}
        & labels
    )


@pytest.mark.req("SC-34", partly=True)
@pytest.mark.req("SC-35")
def test_only_ticked_settings_of_marked_customers_are_changed(operator: FlaskClient) -> None:
    tours = ChangeSet("import")
    one, two = (tours.create(Tour, {"code": f"T{number}", "name": f"Tour {number}"}) for number in (1, 2))
    tours.apply(WEBER)
    keys = make(**{name: {"tour": one.key} for name in ("A", "B", "C", "D", "E")})
    page = change_page(operator, *keys[:3])
    assert "T1 Tour 1 (alle)" in page.text
    before = photograph()
    done = apply_change(operator, page, change=["dunning_lock"], dunning_lock="1", tour=str(two.key))
    assert done.toast == "3 Kunden geändert."
    rows = list(Customer.select(Customer.dunning_lock, Customer.tour).order_by(Customer.id).tuples())
    assert rows == [(True, one.key)] * 3 + [(False, one.key)] * 2
    last = ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).get()
    written = ChangeRecord.select(ChangeRecord.record_id, ChangeRecord.field).where(ChangeRecord.change_set == last)
    assert sorted(written.tuples()) == [(key, "dunning_lock") for key in keys[:3]]
    send(operator, done.one("div", "toast").one("form")["action"], {})
    assert photograph() == before


@pytest.mark.req("SC-36", partly=True)
def test_a_ticked_setting_is_emptied_unless_it_must_be_filled(operator: FlaskClient) -> None:
    tour = ChangeSet("import")
    made = tour.create(Tour, {"code": "T1", "name": "Tour 1"})
    tour.apply(WEBER)
    keys = make(**{name: {"tour": made.key} for name in ("A", "B", "C")})
    page = change_page(operator, *keys)
    done = apply_change(operator, page, change=["tour"], **{"mode-tour": "clear"})
    assert done.toast == "3 Kunden geändert."
    assert Customer.select().where(Customer.tour.is_null()).count() == 3
    before = photograph()
    refused = apply_change(operator, change_page(operator, *keys), change=["status"], status="")
    assert "Status: Bitte einen Wert angeben." in refused.faults
    assert photograph() == before


@pytest.mark.req("SC-38")
def test_rules_between_settings_hold_for_each_marked_customer(operator: FlaskClient) -> None:
    keys = make(A={}, B={"single_invoice_per_order": True})
    page = change_page(operator, *keys)
    before = photograph()
    answer = apply_change(operator, page, change=["collective_invoice"], collective_invoice="1")
    assert answer.heading == "Änderung der Kundeneinstellungen"
    refused = [cell.text for card in answer.all("section") if "können so nicht" in card.text for cell in card.all("td")]
    assert refused[0].startswith("10002")
    assert "„Einzelrechnung je AB und LS“ schließt die Sammelrechnung aus." in refused[1]
    assert photograph() == before


# --- form -------------------------------------------------------------------------------------------------------------


def test_the_form_has_the_tabs_of_the_specification(operator: FlaskClient) -> None:
    key = customer_with_everything()
    page = get(operator, f"/admin/customer/edit/?id={key}")
    tabs = [re.sub(r"\d+$", "", tab.text) for tab in page.one("div", "tabs").all("a")]
    assert tabs[:7] == [
        "Hauptfenster",
        "Ansprechpartner",
        "Adressen",
        "Banken",
        "Allgemein",
        "Stammdaten",
        "Bonitätsinfo",
    ]
    assert tabs[-1] == "Historie"
    assert [tab.text for tab in page.one("div", "tabs").all("a") if tab.all("span", "n")] == [
        "Ansprechpartner2",
        "Adressen2",
        "Benutzer5",
        "Importplanung1",
    ]


def test_every_tab_of_a_customer_opens_alone_and_as_a_part(operator: FlaskClient) -> None:
    key = customer_with_everything()
    page = get(operator, f"/admin/customer/edit/?id={key}")
    addresses = [tab["href"] for tab in page.one("div", "tabs").all("a")]
    assert len(addresses) > 20
    for address in addresses:
        part = read(operator.get(address, headers={"X-Fragment": "panel"}))
        assert (part.status, len(part.all("div", "panel"))) == (200, 1), address
        if "history" not in address:
            assert part.one("input", name="_panel")["value"] == address.rpartition("tab=")[2]


def test_grids_show_what_operators_look_for_first(operator: FlaskClient) -> None:
    key = customer_with_everything()
    page = get(operator, f"/admin/customer/edit/?id={key}&tab=contacts")
    grid = page.one("section", "grid")
    assert [cell.text for cell in grid.one("thead").all("th")][:9] == [
        "Lfd.Nr.",
        "Titel",
        "Name 1",
        "Name 2",
        "Funktion",
        "Telefon 1",
        "Mobiltelefon",
        "E-Mail",
        "Aktiv",
    ]


@pytest.mark.req("PX-48", "PX-51", partly=True)
@pytest.mark.req("PX-52")
def test_a_customer_is_made_in_the_form_with_a_drawn_or_a_typed_number(operator: FlaskClient) -> None:
    page = get(operator, "/admin/customer/new/")
    assert page.heading == "Neuer Kunde"
    drawn = save(operator, page, name_1="Müller GmbH", city="Köln")
    assert (drawn.heading, drawn.toast) == ("10001 Müller GmbH", "Gespeichert.")
    typed = save(operator, get(operator, "/admin/customer/new/"), name_1="Huber", customer_number="10500")
    assert typed.heading == "10500 Huber"
    assert drawn.one("input", id="f-customer_number").attributes.get("readonly") is not None
    taken = save(operator, get(operator, "/admin/customer/new/"), name_1="Zweiter", customer_number="10500")
    assert (taken.status, taken.summary) == (422, ["Kunden-Nr.: Kundennummer bereits vorhanden."])
    assert Customer.select().count() == 2
    assert save(operator, taken, customer_number="10013").heading == "10013 Zweiter"
    made = Customer.get(Customer.customer_number == 10001)
    assert (made.search_name, made.status) == ("Müller GmbH Köln", "draft")


@pytest.mark.req("PX-78", partly=True)
def test_the_number_of_a_saved_customer_stays(operator: FlaskClient) -> None:
    abc, *_rest = three()
    page = get(operator, f"/admin/customer/edit/?id={abc}")
    refused = save(operator, page, customer_number="777", name_1="Anders")
    assert (refused.status, refused.fields()["name_1"]) == (422, "Anders")
    assert [line for line in refused.summary if line.startswith("Kunden-Nr.")]
    kept = Customer.select(Customer.customer_number, Customer.name_1).where(Customer.id == abc).tuples()
    assert kept.get() == (10001, "ABC GmbH")


def test_a_failing_child_row_leaves_the_parent_untouched(operator: FlaskClient) -> None:
    abc, *_rest = three()
    before = photograph()
    page = get(operator, f"/admin/customer/edit/?id={abc}&tab=addresses")
    main = read(operator.get(f"/admin/customer/edit/?id={abc}&tab=main", headers={"X-Fragment": "panel"}))
    fields = page.one("form", id="form").fields()
    for name, value in main.fields().items(multi=True):
        fields.add(name, value)
    fields.setlist("name_1", ["Geändert GmbH"])
    rows = {
        "_rows": ["address-n1", "address-n2", "address-n3"],
        "address-n1-name_1": "Ohne Art",
        "address-n2-name_1": "Lager",
        "address-n2-is_delivery": "1",
        "address-n2-postal_code": "04179",
        "address-n3-is_delivery": "1",
        "address-n3-country": "",
        "address-n3-country_text": "Nirgendwo",
    }
    for name, value in rows.items():
        fields.setlist(name, value if isinstance(value, list) else [value])
    for key in ("n1", "n2", "n3"):
        for tick in ("is_delivery", "is_invoice", "is_order_confirmation", "is_residence"):
            fields.add("_shown", f"address-{key}-{tick}")
    answer = send(operator, page.one("form", id="form")["action"], fields)
    assert answer.status == 422
    assert [sentence.split(":")[0] for sentence in answer.summary] == ["Länderkennzeichen", "L (Lieferadresse)"]
    kept = answer.one("form", id="form").fields()
    assert (kept["name_1"], kept["address-n2-postal_code"], kept["address-n3-country_text"]) == (
        "Geändert GmbH",
        "04179",
        "Nirgendwo",
    )
    assert photograph() == before
    done = save(operator, answer, **{"address-n1-delete": "1", "address-n3-country_text": "DE"})
    assert done.toast == "Gespeichert."
    assert [(row.sequence_number, row.name_1, row.postal_code) for row in Address.select().order_by(Address.id)] == [
        (1, "Lager", "04179"),
        (2, None, None),
    ]
    assert Customer.get_by_id(abc).name_1 == "Geändert GmbH"


@pytest.mark.req("SC-07", partly=True)
def test_a_supplier_is_assigned_once(operator: FlaskClient) -> None:
    abc, *_rest = three()
    change = ChangeSet("import")
    supplier = change.create(Supplier, {"number": 1, "name_1": "Lieferant A"})
    change.apply(WEBER)
    page = get(operator, f"/admin/customer/edit/?id={abc}&tab=suppliers")
    typed = {"_rows": ["supplier_assignment-n1", "supplier_assignment-n2"]}
    one = {"supplier_assignment-n1-supplier": str(supplier.key), "supplier_assignment-n1-supplier_text": "1"}
    two = {"supplier_assignment-n2-supplier": str(supplier.key), "supplier_assignment-n2-supplier_text": "1"}
    twice = save(operator, page, **typed, **one, **two)
    assert twice.status == 422
    assert "ist bereits vorhanden" in twice.summary[0]
    assert save(operator, page, _rows=["supplier_assignment-n1"], **one).toast == "Gespeichert."


@pytest.mark.req("SC-08")
def test_the_kind_of_customer_is_stored_and_stands_alone(operator: FlaskClient) -> None:
    abc, *_rest = three()
    page = get(operator, f"/admin/customer/edit/?id={abc}")
    done = save(operator, page, portal_type="so_procure")
    chosen = [option.text for option in done.one("select", id="f-portal_type").all("option", selected="")]
    assert chosen == ["So.PROCURE"]
    assert Customer.get_by_id(abc).customer_kind_1 is None


def test_customers_are_typed_ahead_however_few_there_are(operator: FlaskClient) -> None:
    abc, *_rest = three()
    page = get(operator, f"/admin/customer/edit/?id={abc}")
    assert page.one("input", name="parent_customer_text")["role"] == "combobox"
    found = operator.get("/admin/customer/lookup?q=def").get_json()
    assert [entry["text"] for entry in found] == ["10002 DEF GmbH"]


def test_opening_a_customer_asks_few_questions(operator: FlaskClient) -> None:
    key = customer_with_everything()
    get(operator, f"/admin/customer/edit/?id={key}")
    with count_queries() as asked:
        get(operator, f"/admin/customer/edit/?id={key}")
    assert asked.count <= 15


# --- bank data --------------------------------------------------------------------------------------------------------


def customer_with_bank() -> tuple[int, int]:
    change = ChangeSet("import")
    customer = change.create(Customer, {"name_1": "ABC GmbH", "search_name": "ABC"})
    account = change.create(BankAccount, {"customer": customer, "iban": "DE02120300000000202051", "bank_name": "DKB"})
    change.apply(WEBER)
    return customer.key or 0, account.key or 0


def test_bank_numbers_are_masked_until_they_are_asked_for(operator: FlaskClient) -> None:
    customer, account = customer_with_bank()
    page = get(operator, f"/admin/customer/edit/?id={customer}&tab=banks")
    assert "DE02120300000000202051" not in page.html
    cell = page.all("span", "masked-value")[0]
    assert cell.one("output").text == "DE02 •••• •••• •••• •••• 51"
    answer = operator.post(cell.one("button")["data-reveal"])
    assert answer.get_json() == {"value": "DE02120300000000202051"}
    before = photograph()
    assert save(operator, page).toast == "Es war nichts zu ändern.", "what was hidden is not lost"
    assert photograph() == before
    typed = {f"bank_account-{account}-iban": "AT61 1904 3002 3457 3201", "_reason": "Kontowechsel"}
    done = save(operator, page, **typed)
    assert done.toast == "Gespeichert."
    assert BankAccount.get_by_id(account).iban == "AT611904300234573201"


def test_whoever_may_not_see_bank_numbers_may_still_set_them(sign_in_as: Callable[..., FlaskClient]) -> None:
    customer, account = customer_with_bank()
    clerk = sign_in_as("Sachbearbeitung")
    page = get(clerk, f"/admin/customer/edit/?id={customer}&tab=banks")
    assert page.all("button", data_reveal="") == []
    assert clerk.post(f"/admin/bank_account/reveal?id={account}&field=iban").status_code == 403
    assert save(clerk, page).toast == "Es war nichts zu ändern."
    wrong = save(clerk, page, **{f"bank_account-{account}-iban_new": "AT61 1904 3002 3457 3202"})
    assert wrong.status == 422
    typed = {f"bank_account-{account}-iban_new": "AT61 1904 3002 3457 3201", "_reason": "Kontowechsel"}
    done = save(clerk, page, **typed)
    assert done.toast == "Gespeichert."
    assert BankAccount.get_by_id(account).iban == "AT611904300234573201"
    history = clerk.get(f"/admin/customer/edit/?id={customer}&tab=history").get_data(as_text=True)
    assert "AT611904300234573201" not in history.replace(" ", "")
    reader = sign_in_as("Lesen", name="leser", full_name="Herr Leser")
    shown = get(reader, f"/admin/customer/edit/?id={customer}&tab=banks")
    assert [node["name"] for node in shown.all("input") if "iban" in node.get("name")] == []


# --- rights -----------------------------------------------------------------------------------------------------------


def test_a_reader_has_no_buttons_and_is_refused_at_every_address(sign_in_as: Callable[..., FlaskClient]) -> None:
    abc, second, _third = three()
    reader = sign_in_as("Lesen")
    token = marked(reader, abc, second)
    before = photograph()
    page = get(reader, "/admin/customer/")
    buttons = [button.text for button in page.one("span", "strip-actions").all("button")]
    assert buttons == ["Etiketten drucken", "Merkliste"]
    assert ("Neuer Kunde" in page.links(), "Importieren" in page.links()) == (False, False)
    form = get(reader, f"/admin/customer/edit/?id={abc}")
    assert form.one("input", id="f-name_1").attributes.get("readonly") is not None
    assert "Historie" not in [tab.text for tab in form.one("div", "tabs").all("a")]
    assert form.all("button", data_save="") == []
    for address, data in (
        ("/admin/customer/new/", {"name_1": "X", "_panel": "main"}),
        (f"/admin/customer/edit/?id={abc}", {"name_1": "X", "_panel": "main"}),
        ("/admin/customer/action/change_settings", {"token": token, "change": "active", "active": "0", "_do": "apply"}),
        ("/admin/customer/action/delete", {"token": token, "_do": "delete"}),
        ("/admin/customer/action/copy", {"token": marked(reader, abc), "_do": "copy"}),
        ("/admin/customer/action/full_copy", {"token": marked(reader, abc), "_do": "copy"}),
        ("/admin/operations/undo?id=1", {}),
        ("/admin/country/new/", {"code": "XX", "name": "X", "_panel": "main"}),
    ):
        assert reader.post(address, data=data).status_code == 403, address
    for address in (
        "/admin/customer/new/",
        f"/admin/customer/action/change_settings?selection={token}",
        f"/admin/customer/edit/?id={abc}&tab=history",
        "/admin/app_user/",
        "/admin/operations/?scope=all",
    ):
        assert reader.get(address).status_code == 403, address
    assert photograph() == before


def test_one_operators_marks_are_not_anothers(sign_in_as: Callable[..., FlaskClient]) -> None:
    abc, *_rest = three()
    weber, berger = sign_in_as("Administrator"), sign_in_as("Administrator", name="berger", full_name="Herr Berger")
    token = marked(weber, abc)
    assert berger.get(f"/admin/customer/action/change_settings?selection={token}").status_code == 400
    assert berger.post("/admin/customer/selection", json={"token": token, "clear": True}).status_code == 400
    assert StoredSelection.get(StoredSelection.token == token).keys == [abc]


# --- all tables -------------------------------------------------------------------------------------------------------


@pytest.mark.engines("sqlite", later="postgresql")
def test_every_table_has_a_list_and_a_form(app: Flask, operator: FlaskClient) -> None:
    registry = app.extensions["appadmin"]
    assert len(registry.views) > 100
    faults = []
    for spec in (view.spec for view in registry.views.values()):
        # The settings are one row: their list and their blank form lead to it.
        page = read(operator.get(f"/admin/{spec.name}/", follow_redirects=True))
        if (page.status, page.heading) != (200, str(spec.plural)):
            faults.append(f"{spec.name}: list {page.status} {page.heading}")
        blank = read(operator.get(f"/admin/{spec.name}/new/", follow_redirects=True))
        if blank.status != 200:
            faults.append(f"{spec.name}: form {blank.status}")
        odd = operator.post(f"/admin/{spec.name}/new/", data={})
        if odd.status_code not in (302, 422):
            faults.append(f"{spec.name}: empty form {odd.status_code}")
        if operator.get(f"/admin/{spec.name}/edit/?id=999999").status_code != 404:
            faults.append(f"{spec.name}: nobody is found")
    assert faults == []

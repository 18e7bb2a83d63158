"""Customers are found however their names, numbers and accounts are written, and by what belongs to them."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from importlib import import_module
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader

import admin_app
from domain.catalog import Supplier
from domain.values.countries import Country
from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import database, fixed_clock
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.rights import system_operator
from flask_appadmin.search import index_name
from flask_appadmin.specs import spec_of
from models import Address, BankAccount, Contact, Customer, SupplierAssignment
from tests.customers.test_customer_pages import WEBER, listed, make
from tests.customers.test_spreadsheets import apply, follow, form_values
from tests.reader import get, read


@pytest.fixture
def mueller(db: object) -> None:
    """One Müller with everything, and others who are somebody else in each respect."""
    wanted, other, third = make(
        MUELLER={
            "name_1": "Müller & Söhne",
            "name_2": "Baustoffe",
            "street": "Hauptstraße 7",
            "city": "Gänserndorf",
            "postal_code": "2230",
            "phone": "089 1234-0",
            "email": "buero@mueller.example",
        },
        HUBER={"name_1": "Huber Mühle", "city": "Graz", "phone": "089 9999", "postal_code": "8010"},
        MILLER={"name_1": "Miller", "city": "Wien", "postal_code": "1010"},
    )
    austria, germany = (Country.get(Country.code == code).id for code in ("AT", "DE"))
    change = ChangeSet("import")
    change.create(Contact, {"customer": wanted, "name_1": "Çelik", "name_2": "Ayşe", "sequence_number": 1})
    change.create(
        Address,
        {"customer": wanted, "city": "Łódź", "country": austria, "is_delivery": True, "sequence_number": 1},
    )
    change.create(Address, {"customer": wanted, "city": "Ulm", "country": germany, "sequence_number": 2})
    change.create(
        Address, {"customer": other, "city": "Linz", "country": austria, "is_delivery": False, "sequence_number": 1}
    )
    change.create(
        Address, {"customer": other, "city": "Hof", "country": germany, "is_delivery": True, "sequence_number": 2}
    )
    change.create(BankAccount, {"customer": wanted, "iban": "DE02120300000000202051", "sequence_number": 1})
    change.create(BankAccount, {"customer": third, "iban": "DE02500105170137075030", "sequence_number": 1})
    change.apply(WEBER)


def found(client: FlaskClient, **query: str) -> list[str]:
    return listed(get(client, f"/admin/customer/?{urlencode(query)}"))


SPELLINGS = (
    "Müller", "Mueller", "Muller", "MÜLLER", "Mülller", "Mulelr", "Hauptstraße", "Hauptstrasse", "HAUPTSTRASSE 7",
    "Straße müller", "söhne mül", "089 1234", "+49 89 1234", "0049-89/1234", "(089) 12340", "gänserndorf 2230",
    "celik", "Ayse Çelik", "Lodz", "łódź", "mueller.example", "baustoffe müller söhne",
)  # fmt: skip


@pytest.mark.req("NE-05")
def test_every_spelling_finds_the_same_customer(mueller: None, operator: FlaskClient) -> None:
    assert {text: found(operator, search=text) for text in SPELLINGS} == {text: ["MUELLER"] for text in SPELLINGS}


@pytest.mark.req("ME-47")
def test_customers_are_found_by_their_numbers_at_others(operator: FlaskClient) -> None:
    numbers = {
        "comda_number": "C-17", "reference_cs5": "CS5-18", "reference_easylog": "E-19", "reference_gls": "G-9",
        "central_settlement_number": "ZR-20",
    }  # fmt: skip
    make(GESUCHT=numbers, ANDERER={"reference_gls": "G-8"})
    assert {text: found(operator, search=text) for text in numbers.values()} == {
        text: ["GESUCHT"] for text in numbers.values()
    }
    up_again = import_module("migrations.0013_reference_numbers_searched")
    database.execute_sql(f'DELETE FROM "{index_name(spec_of(Customer))}"')
    assert found(operator, search="G-9") == []
    up_again.up(None, database)
    assert found(operator, search="G-9") == ["GESUCHT"], "an upgrade fills the index of what is stored"


def test_an_account_is_found_by_who_may_see_it(mueller: None, sign_in_as: Callable[..., FlaskClient]) -> None:
    accountant, reader = sign_in_as("Buchhaltung", "berger"), sign_in_as("Lesen", "lang")
    for text in ("DE02 1203 0000", "de0212030000", "DE02120300000000202051", "DE02-1203"):
        assert found(accountant, search=text) == ["MUELLER"], text
        assert found(reader, search=text) == [], "a part of an account number must not be guessable"
    assert sorted(found(accountant, search="DE02")) == ["MILLER", "MUELLER"]


def test_what_a_file_brings_is_found_and_what_is_taken_back_is_not(operator: FlaskClient) -> None:
    pasted = "Name 1\tPLZ\tOrt\nZwetschgenröster\t01307\tDresden"
    page, url = follow(operator, operator.post("/admin/imports/upload", data={"model": "customer", "pasted": pasted}))
    page, _url = follow(operator, operator.post(url, data={**form_values(page), "_do": "preview"}))
    apply(operator, page)
    assert len(get(operator, "/admin/customer/?search=wetschgenroster+dresden").keys) == 1
    operation = ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).get()
    ChangeSet.undo(operation.id).apply(WEBER)
    assert get(operator, "/admin/customer/?search=wetschgenroster").keys == []


@pytest.mark.req("SC-02", "SC-06")
def test_customers_of_a_supplier_are_a_filter_of_the_bar(operator: FlaskClient) -> None:
    first, _second, third = make(A={"portal_type": "so_procure"}, B={}, C={"portal_type": "so_commerce"})
    change = ChangeSet("import")
    supplier = change.create(Supplier, {"number": "L-7", "name_1": "Ziegel AG"})
    for key in (first, third):
        change.create(SupplierAssignment, {"customer": key, "supplier": supplier})
    change.apply(WEBER)
    quick = get(operator, "/admin/customer/").one("form", css="quick")
    assert quick.one("strong").text == "Filtern nach"
    fields = [node["aria-label"] for node in (*quick.all("input"), *quick.all("select")) if node.get("aria-label")]
    assert sorted(fields) == ["Kunde (Nr., Synonym oder Name 1)", "Kundenart", "Kundennummer", "Lieferant"]
    name = "supplier_assignment.supplier"

    def sent(**typed: str) -> list[str]:
        return listed(read(operator.get(quick["action"], query_string=quick.fields(**typed))))

    assert sent(**{name: "L-7"}) == ["A", "C"]
    assert sent(**{name: "L-7", "portal_type": "so_commerce"}) == ["C"]
    assert sent(**{name: ""}) == ["A", "B", "C"]
    assert get(operator, f"/admin/customer/?{name}=unbekannt").status == 400


def test_children_and_the_past_are_asked_in_one_sentence(mueller: None, operator: FlaskClient) -> None:
    page = get(operator, "/admin/customer/?address.is_delivery=1&address.country=AT")
    assert (listed(page), page.chips[0]) == (
        ["MUELLER"],
        "hat Anschriften mit: L (Lieferadresse) ist Ja, Länderkennzeichen ist AT Österreich",
    ), "a delivery address that is not the one in Austria does not count"
    with fixed_clock(datetime.datetime(2026, 10, 5, 9, 0)):
        change = ChangeSet("form")
        change.update(Customer, Customer.get(Customer.search_name == "HUBER").id, {"postal_code": "8020"})
        change.apply(WEBER)
    october = "history.postal_code__between=1.10.2026&history.postal_code__between=31.10.2026"
    page = get(operator, f"/admin/customer/?{october}")
    assert (listed(page), page.chips[0]) == (["HUBER"], "PLZ geändert zwischen 01.10.2026 und 31.10.2026")


def test_a_link_of_a_colleague_with_more_rights_names_what_is_hidden(
    mueller: None, sign_in_as: Callable[..., FlaskClient]
) -> None:
    link = "/admin/customer/?bank_account.iban__begins=DE02&city=Wien"
    assert listed(get(sign_in_as("Buchhaltung", "berger"), link)) == ["MILLER"]
    refused = get(sign_in_as("Lesen", "lang"), link)
    assert (refused.status, refused.keys) == (403, [])
    assert "Filter „IBAN“" in refused.text
    assert "nicht ungefiltert" in refused.text


def test_the_command_line_means_the_same_by_an_address_as_the_list(mueller: None) -> None:
    operator = system_operator("Kommandozeile")

    def asked(text: str) -> list[str]:
        query = admin_app._selection(spec_of(Customer), text, operator).query(Customer.search_name)
        return [row[0] for row in query.order_by(Customer.id).tuples()]

    assert asked(f"address.country=AT&any={quote('city=Graz&history.any__last=3')}") == ["HUBER"]
    Customer.update(status="deleted").where(Customer.search_name == "HUBER").execute()
    assert asked("") == ["MUELLER", "MILLER"], "what is deleted is changed by nobody who does not ask for it"
    assert asked("view=all") == ["MUELLER", "HUBER", "MILLER"]
    assert asked("status=deleted") == ["HUBER"]


@pytest.mark.req("NE-04")
def test_filters_of_columns_hold_together_and_are_still_set_after_a_customer(
    mueller: None, operator: FlaskClient
) -> None:
    address = "/admin/customer/?city__contains=G%C3%84N&customer_number__from=10001&updated_at__last=3"
    page = get(operator, address)
    assert listed(page) == ["MUELLER"]
    assert page.chips[:3] == ["Ort enthält „GÄN“", "Kunden-Nr. ab 10001", "Geändert in den letzten 3 Tagen"]
    form = get(operator, f"/admin/customer/edit/?id={page.keys[0]}")
    back = [
        link["href"] for link in form.all("a") if link.get("href", "").startswith("/admin/customer/?city__contains")
    ]
    assert back and listed(get(operator, back[0])) == ["MUELLER"]


@pytest.mark.req("NE-12")
def test_labels_are_printed_for_the_customers_that_were_filtered_and_marked(
    mueller: None, operator: FlaskClient
) -> None:
    keys = get(operator, "/admin/customer/?status=active").keys
    token = operator.post("/admin/customer/selection", json={"add": keys}).get_json()["token"]
    page = get(operator, f"/admin/customer/action/print_labels?selection={token}")
    form = next(form for form in page.all("form") if "print_labels" in form.get("action"))
    answer = operator.post(form["action"], data=form.fields())
    assert answer.mimetype == "application/pdf"
    text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(answer.data)).pages)
    assert [text.count(name) for name in ("Müller & Söhne", "Huber Mühle", "Miller")] == [1, 1, 1]

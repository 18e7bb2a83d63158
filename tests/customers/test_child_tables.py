"""The child tables of a customer in its form: rows, windows, numbers, rules; by the requests a browser sends."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.catalog import Supplier, Warehouse
from domain.settings import Setting
from domain.trade import SalesOrder
from domain.values.company import Employee, OwnBank
from domain.values.contacts import ContactFunction, ContactSpecialization, Salutation
from domain.values.countries import Language
from domain.values.groups import Category
from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import FaultList
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.passwords import is_hash
from flask_appadmin.rights import system_operator
from flask_appadmin.sheets.sessions import ImportSchema
from flask_appadmin.specs import spec_of
from models import (
    Address,
    BankAccount,
    Contact,
    CostCentre,
    Customer,
    CustomerCategory,
    CustomerUser,
    ImportSchedule,
    MailingActivity,
    MailingCriterion,
    SupplierAssignment,
)
from tests.reader import Node, Page, get, read, send

WEBER = system_operator("Frau Weber")


def store(model: Any, *rows: dict[str, Any], kind: str = "import") -> list[int]:
    """Makes records in one operation; answers their keys."""
    change = ChangeSet(kind)
    made = [change.create(model, values) for values in rows]
    change.apply(WEBER)
    return [record.key or 0 for record in made]


def a_customer(**values: Any) -> int:
    return store(Customer, {"name_1": "Huber", "search_name": "HUBER", "status": "active", **values})[0]


def tab(client: FlaskClient, customer: int, key: str) -> Page:
    return get(client, f"/admin/customer/edit/?id={customer}&tab={key}")


def save(client: FlaskClient, page: Page, typed: dict[str, Any]) -> Page:
    form = page.one("form", id="form")
    return send(client, form["action"], form.typed(typed))


def grid(page: Page, name: str) -> Node:
    return page.one("section", id=f"grid-{name}")


def rows(page: Page, name: str) -> list[Node]:
    return [body for body in grid(page, name).all("tbody") if body.get("data-row")]


def commands(page: Page, name: str) -> list[str]:
    """What can be done with the rows of a table: buttons above it, and its menu made of them."""
    return [button.text for button in grid(page, name).all("button") if button.get("data-command")]


def texts(row: Node) -> list[str]:
    return [cell.text for cell in row.all("span", "cell-text")]


def window(client: FlaskClient, customer: int, tab_key: str, row: str) -> Page:
    url = f"/admin/customer/edit/?id={customer}&tab={tab_key}&row={row}"
    return read(client.get(url, headers={"X-Fragment": "row"}))


def with_window(page: Page, part: Page, typed: dict[str, Any]) -> Any:
    """What the form sends once the window of a row was opened in it and something was typed there."""
    fields = page.one("form", id="form").fields()
    for name, value in part.fields().items(multi=True):
        fields.add(name, value)
    for name, value in typed.items():
        fields.setlist(name, [] if value is None else [value])
    return fields


@pytest.mark.req("PX-162", "PX-164", "PX-167")
@pytest.mark.req("PX-163", "PX-165", "PX-166", "PX-168", "ME-105", partly=True)
def test_contacts_are_listed_as_text_and_worked_on_in_a_window(operator: FlaskClient) -> None:
    customer = a_customer()
    store(Contact, *({"customer": customer, "name_1": f"Berger {number}"} for number in range(1, 26)))
    page = tab(operator, customer, "contacts")
    assert len(rows(page, "contact")) == 25, "all 25 can be reached"
    assert commands(page, "contact") == ["Neu", "Bearbeiten", "Löschen"]
    disabled = [button.text for button in grid(page, "contact").all("button") if "disabled" in button.attributes]
    assert disabled == ["Bearbeiten", "Löschen"], "nothing is marked yet"
    titles = {node.text for node in grid(page, "contact").all("h2") if node["id"].startswith("w-")}
    assert titles == {"Ansprechpartner"}
    first = rows(page, "contact")[0]
    key = first["data-row"]
    assert texts(first)[:3] == ["1", "", "Berger 1"]
    posted = page.one("form", id="form").fields()
    assert not [name for name in posted if name.startswith("contact-") and not name.endswith("-version")]

    part = window(operator, customer, "contacts", f"contact-{key}")
    assert part.one("input", name=f"contact-{key}-name_1")["value"] == "Berger 1"
    done = send(
        operator,
        page.one("form", id="form")["action"],
        with_window(
            page, part, {f"contact-{key}-phone_1": "+43 1 5555", f"contact-{key}-password": "Geheim-und-lang-7"}
        ),
    )
    assert done.toast == "Gespeichert."
    assert texts(rows(done, "contact")[0])[5] == "+43 1 5555"
    assert len(rows(done, "contact")) == 25
    changed = Contact.get_by_id(int(key))
    assert is_hash(changed.password)
    assert "password" not in {name.rpartition("-")[2] for name in done.one("form", id="form").fields()}
    assert changed.password not in window(operator, customer, "contacts", f"contact-{key}").html

    added = save(
        operator,
        done,
        {"_rows": [f"contact-{key}", "contact-n1"], "contact-n1-name_1": "Zuletzt", "contact-n1-free_1": "1"},
    )
    assert added.toast == "Gespeichert."
    assert texts(rows(added, "contact")[-1])[:3] == ["26", "", "Zuletzt"]
    assert (
        operator.get(
            f"/admin/customer/edit/?id={a_customer(name_1='Andere')}&row=contact-{key}", headers={"X-Fragment": "row"}
        ).status_code
        == 404
    ), "only through its own customer"


def test_a_fault_in_a_window_keeps_every_input_and_names_its_row(operator: FlaskClient) -> None:
    customer = a_customer()
    (key,) = store(Contact, {"customer": customer, "name_1": "Berger"})
    page = tab(operator, customer, "contacts")
    part = window(operator, customer, "contacts", f"contact-{key}")
    typed = {f"contact-{key}-birth_date": "31.02.1980", f"contact-{key}-phone_1": "01 23", f"contact-{key}-name_1": ""}
    answer = send(operator, page.one("form", id="form")["action"], with_window(page, part, typed))
    assert answer.status == 422
    assert len(answer.summary) == 2
    assert "31.02.1980" in grid(answer, "contact").all("tr", "row-errors")[0].text
    kept = answer.one("form", id="form").fields()
    assert {name: kept[name] for name in typed} == typed
    again = save(operator, answer, {f"contact-{key}-birth_date": "01.02.1980", f"contact-{key}-name_1": "Auer"})
    assert again.toast == "Gespeichert."
    stored = Contact.get_by_id(key)
    assert (stored.name_1, stored.birth_date, stored.phone_1) == ("Auer", datetime.date(1980, 2, 1), "01 23")


@pytest.mark.req("ME-99", "ME-100", "ME-101", "ME-102", "ME-104", partly=True)
@pytest.mark.req("ME-97", "ME-98", partly=True)
@pytest.mark.req("ME-103")
def test_the_window_has_all_fields_of_a_contact(operator: FlaskClient) -> None:
    customer = a_customer()
    (title,) = store(Salutation, {"number": 77, "name": "Frau Mag."})
    (clerk,) = store(Employee, {"number": 7, "name": "Kern"})
    (function,) = store(ContactFunction, {"name": "Einkauf A"})
    (specialization,) = store(ContactSpecialization, {"name": "Kabel A"})
    store(Address, {"customer": customer, "city": "Graz"}, {"customer": customer, "city": "Linz"})
    store(Address, {"customer": a_customer(name_1="Andere"), "city": "Fremd"})
    own = Address.get(Address.city == "Linz")
    values = {
        "customer": customer, "title": title, "name_1": "Berger", "name_2": "Eva", "name_3": "Dr.", "phone_1": "1",
        "phone_2": "2", "mobile": "3", "private_phone": "4", "fax": "5", "email": "e@example.com",
        "birth_date": datetime.date(1990, 5, 6), "remark": "Zeile 1\nZeile 2", "external_id": "F1", "user_id": "eva",
        "free_1": True, "free_2": True, "address": own.id, "clerk": clerk, "function": function,
        "specialization": specialization, "no_email_advertising": True, "no_fax_advertising": True,
        "no_post_advertising": True, "no_advertising": True, "active": False, "online": True, "contract_customer": True,
        "vip": True, "dunning_delivery": "2", "online_reports": "1", "sort_order": 2,
    }  # fmt: skip
    key, other = store(Contact, values, {"customer": customer, "name_1": "Zuerst", "sort_order": 1})
    page = tab(operator, customer, "contacts")
    assert [texts(row)[2] for row in rows(page, "contact")] == ["Zuerst", "Berger"], "Sortierung, then Lfd.Nr."
    part = window(operator, customer, "contacts", f"contact-{key}")
    shown = part.fields()
    start = f"contact-{key}-"
    spec = spec_of(Contact)
    for name, value in values.items():
        item = spec.field(name)
        if name == "customer":
            continue
        if item.target is not None or item.type.name == "choice":
            assert shown[start + name] == str(value), name
        elif value is True:
            assert shown[start + name] == "1", name
        elif value is False:
            assert start + name not in shown, name
        else:
            assert shown[start + name].replace("\r", "") == (
                str(value) if isinstance(value, (int, str)) else item.format(value)
            ), name
    choices = [option.text for option in part.one("select", name=f"{start}address").all("option")]
    assert choices == ["", "1 Graz", "2 Linz"], "only addresses of this customer, by their Lfd.Nr."
    foreign = Address.get(Address.city == "Fremd").id
    wrong = {
        "birth_date": ("01.01.2999", "liegt in der Zukunft"),
        "address": (str(foreign), "gehört nicht zu diesem Kunden"),
        "dunning_delivery": ("5", "gibt es hier nicht"),
        "online_reports": ("2", "gibt es hier nicht"),
        "function": ("999999", "ist nicht mehr vorhanden"),
    }
    for name, (typed, sentence) in wrong.items():
        answer = send(operator, page.one("form", id="form")["action"], with_window(page, part, {start + name: typed}))
        assert answer.status == 422, name
        assert sentence in answer.summary[0], name
    assert Contact.get_by_id(key).birth_date == datetime.date(1990, 5, 6)
    assert Contact.get_by_id(other).sequence_number == 2


#: Tab, table, commands, whether „Löschen“ asks, what makes a row, another value for one of its fields.
_TABLES: tuple[tuple[str, Any, list[str], bool, dict[str, str], tuple[str, str]], ...] = (
    ("mailing", MailingCriterion, ["Neu", "Löschen"], True, {"criterion": "Katalog"}, ("criterion", "Newsletter")),
    (
        "mailing_activities",
        MailingActivity,
        ["Neu", "Löschen"],
        True,
        {"kind": "call", "activity_on": "21.11.2026", "text": "Angerufen"},
        ("text", "Noch einmal angerufen"),
    ),
    ("addresses", Address, ["Neu", "Löschen"], True, {"street": "Ring 1", "is_delivery": "1"}, ("street", "Ring 2")),
    ("users", CostCentre, ["Neu", "Löschen"], False, {"number": "100", "name": "Lager"}, ("name", "Werk")),
    ("users", CustomerUser, ["Neu", "Löschen"], False, {"username": "mmeier"}, ("username", "mmayer")),
)  # fmt: skip


@pytest.mark.req("PX-169", "PX-170", "PX-173", "PX-174", "PX-177", "PX-216", partly=True)
@pytest.mark.req("PX-171", "PX-175", "PX-176", partly=True)
@pytest.mark.req("PX-172", "PX-217", "PX-218", "NE-67")
@pytest.mark.req("SC-18", "SC-19", partly=True)
def test_rows_are_added_changed_and_removed_in_their_table(operator: FlaskClient) -> None:
    customer = a_customer()
    for key, model, offered, asks, typed, (field, other) in _TABLES:
        name = spec_of(model).name
        page = tab(operator, customer, key)
        assert commands(page, name) == offered
        assert bool(grid(page, name).get("data-asks")) == asks, name
        assert rows(page, name) == []
        for number in ("n1", "n2"):
            new = {f"{name}-{number}-{each}": value for each, value in typed.items()}
            if number == "n2":
                new[f"{name}-n2-{next(iter(typed))}"] += "2" if name != "mailing_activity" else ""
            page = save(
                operator, page, {"_rows": [f"{name}-{number}"], **new, "_shown": [f"{name}-{number}-is_delivery"]}
            )
            assert page.toast == "Gespeichert.", (name, page.faults)
        stored = [row["data-row"] for row in rows(page, name)]
        assert len(stored) == 2, name
        done = save(operator, page, {f"{name}-{stored[0]}-{field}": other})
        assert (done.toast, getattr(model.get_by_id(int(stored[0])), field)) == ("Gespeichert.", other)
        assert len(rows(done, name)) == 2
        gone = save(operator, done, {f"{name}-{stored[1]}-delete": "1"})
        assert [row["data-row"] for row in rows(gone, name)] == stored[:1], name
        assert ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).get().kind == "form"
    page = tab(operator, customer, "mailing_activities")
    refused = save(operator, page, {"_rows": ["mailing_activity-n1"], "mailing_activity-n1-text": "ohne Datum"})
    assert (refused.status, sorted(refused.summary)) == (
        422,
        ["Datum: Bitte ausfüllen.", "Mailing-Aktivität: Bitte ausfüllen."],
    )


@pytest.mark.req("SC-07", "SC-19", "ME-93")
@pytest.mark.req("PX-169", partly=True)
def test_the_same_twice_is_refused_at_the_row(operator: FlaskClient) -> None:
    customer = a_customer()
    suppliers = store(Supplier, {"number": 1, "name_1": "A"}, {"number": 2, "name_1": "B"})
    categories = store(Category, {"name": "Eins"}, {"name": "Zwei"})
    cases: tuple[tuple[str, Any, str, list[Any]], ...] = (
        ("suppliers", SupplierAssignment, "supplier", suppliers),
        ("categories", CustomerCategory, "category", categories),
        ("users", CostCentre, "number", ["100", "200"]),
        ("users", CustomerUser, "username", ["mmeier", "huber"]),
        ("mailing", MailingCriterion, "criterion", ["Katalog", "Messe"]),
    )
    for key, model, field, (one, two) in cases:
        name = spec_of(model).name
        names = {"_rows": [f"{name}-n1", f"{name}-n2"]}
        page = tab(operator, customer, key)
        twice = save(operator, page, {**names, f"{name}-n1-{field}": str(one), f"{name}-n2-{field}": str(one)})
        assert twice.status == 422, name
        assert len(rows(twice, name)) == 2, "both stand there as they were typed"
        assert rows(twice, name)[1].all("tr", "row-errors"), "the fault stands at the second one"
        assert model.select().count() == 0
        done = save(operator, page, {**names, f"{name}-n1-{field}": str(one), f"{name}-n2-{field}": str(two)})
        assert done.toast == "Gespeichert.", (name, done.faults)
        again = save(operator, done, {"_rows": [f"{name}-n9"], f"{name}-n9-{field}": str(one)})
        assert again.status == 422, name
        assert model.select().count() == 2
    page = tab(operator, customer, "categories")
    order = [row.one("select").all("option", selected="")[0].text for row in rows(page, "customer_category")]
    assert order == ["Eins", "Zwei"]
    listed = get(operator, f"/admin/customer/?supplier_assignment.supplier={suppliers[0]}")
    assert listed.keys == [customer]
    other = a_customer(name_1="Andere")
    page = tab(operator, other, "users")
    done = save(operator, page, {"_rows": ["customer_user-n1"], "customer_user-n1-username": "mmeier"})
    assert done.toast == "Gespeichert.", "names of users are unique for each customer"


@pytest.mark.req("SC-18")
def test_the_last_administrator_of_a_platform_customer_stays(operator: FlaskClient) -> None:
    customer = a_customer(portal_type="so_procure")
    admin, plain = store(
        CustomerUser,
        {"customer": customer, "username": "mmeier", "is_administrator": True},
        {"customer": customer, "username": "huber"},
    )
    page = tab(operator, customer, "users")
    for typed in ({f"customer_user-{admin}-delete": "1"}, {f"customer_user-{admin}-is_administrator": None}):
        refused = save(operator, page, typed)
        assert refused.status == 422
        assert "ist der letzte Administrator dieses So.PROCURE Kunden" in refused.summary[0]
        assert rows(refused, "customer_user")[1].all("tr", "row-errors"), "the fault stands at the row"
        assert CustomerUser.select().where(CustomerUser.is_administrator).count() == 1
    done = save(operator, page, {f"customer_user-{admin}-delete": "1", f"customer_user-{plain}-is_administrator": "1"})
    assert done.toast == "Gespeichert."
    assert [user.username for user in CustomerUser.select()] == ["huber"]
    Customer.update(status="draft").where(Customer.id == customer).execute()
    change = ChangeSet("delete")
    change.delete(Customer, customer)
    change.apply(WEBER)
    assert CustomerUser.select().count() == 0, "with the customer all its users go"


@pytest.mark.req("PX-219", "PX-225", "PX-226", "ME-48", "NE-68")
@pytest.mark.req("ME-114", partly=True)
def test_addresses_have_types_presets_and_numbers_and_stay_while_they_are_used(operator: FlaskClient) -> None:
    customer = a_customer()

    def ticked(page: Page) -> set[str]:
        html = page.html[page.html.index("<template>") : page.html.index("</template>")]
        blank = Page(html.removeprefix("<template>"))
        return {
            node["name"].rpartition("-")[2]
            for node in blank.all("input", type="checkbox")
            if "checked" in node.attributes
        } - {"active"}

    page = tab(operator, customer, "addresses")
    assert ticked(page) == {"is_delivery", "is_invoice"}
    store(Address, {"customer": customer, "city": "Graz"}, {"customer": customer, "city": "Linz"})
    settings = get(operator, f"/admin/setting/edit/?id={Setting.get().id}")
    assert "Kundenstamm - Vorgabewerte für neue abweichende Adressen" in settings.text, "PX-226"
    save(operator, settings, {"new_address_is_invoice": None})
    english = Language.get(Language.code == "en").id
    change = ChangeSet("form")
    change.update(Customer, customer, {"direct_shipping_new_addresses": True, "direct_shipping_language": english})
    change.apply(WEBER)
    page = tab(operator, customer, "addresses")
    assert ticked(page) == {"is_delivery", "direct_shipping"}
    (third,) = store(Address, {"customer": customer, "city": "Wels"}, kind="import")
    found = Address.get_by_id(third)
    assert (found.is_delivery, found.is_invoice, found.direct_shipping) == (True, False, True), "files start so, too"
    assert all(row.is_invoice for row in Address.select().where(Address.city << ["Graz", "Linz"])), "others stay"

    graz, linz = (Address.get(Address.city == city).id for city in ("Graz", "Linz"))
    start = f"address-{graz}-"
    types = ("is_delivery", "is_invoice", "is_order_confirmation", "is_residence")
    page = tab(operator, customer, "addresses")
    refused = save(operator, page, {start + name: None for name in types})
    assert "mindestens eine Art" in refused.summary[0]
    done = save(operator, page, {start + "is_delivery": "1", start + "is_invoice": "1", start + "is_residence": "1"})
    assert done.toast == "Gespeichert."

    store(SalesOrder, {"number": "A1", "customer": customer, "delivery_address": graz})
    change = ChangeSet("form")
    change.update(Customer, customer, {"delivery_address": linz})
    change.apply(WEBER)
    page = tab(operator, customer, "addresses")
    for used in (graz, linz):
        refused = save(operator, page, {f"address-{used}-delete": "1"})
        assert refused.status == 422
        assert "wird noch verwendet" in refused.summary[0]
        row = next(row for row in rows(refused, "address") if row["data-row"] == str(used))
        assert "wird noch verwendet" in row.all("tr", "row-errors")[0].text
        assert not row.has_class("deleted"), "it stands there again"
        change = ChangeSet("import")
        change.delete(Address, used)
        with pytest.raises(FaultList, match="wird noch verwendet"):
            change.apply(WEBER)
    assert grid(page, "address").get("data-asks"), "„Ja“ comes before the row goes"
    done = save(operator, page, {f"address-{third}-delete": "1"})
    assert (done.toast, Address.select().count()) == ("Gespeichert.", 2)
    assert Customer.get_by_id(customer).direct_shipping_language.code == "en"
    new = save(
        operator,
        done,
        {
            "_rows": ["address-n1"],
            "address-n1-city": "Steyr",
            "address-n1-is_delivery": "1",
            "address-n1-sequence_number": "3",
        },
    )
    assert new.toast == "Gespeichert."
    assert Address.get(Address.city == "Steyr").sequence_number == 4, "3 was given before and is not given again"


@pytest.mark.req("PX-220", "PX-221", "PX-222", "PX-223")
def test_only_consignment_warehouses_are_offered_and_taken(operator: FlaskClient) -> None:
    customer = a_customer()
    store(
        Warehouse,
        {"number": "70", "name": "Zentrallager"},
        {"number": "71", "name": "Wien", "consignment": True},
        {"number": "72", "name": "Graz", "consignment": True},
    )
    before = Warehouse.select().count()
    page = tab(operator, customer, "addresses")
    assert "Konsignationslager" in [head.text for head in grid(page, "address").all("th")]
    template = Page(page.html[page.html.index("<template>") + 10 : page.html.index("</template>")])
    lookup = next(node for node in template.all("span", "lookup") if "warehouse" in node["data-lookup"])

    def offered(query: str) -> list[str]:
        found = operator.get(f"{lookup['data-lookup']}&query={query}").get_json()
        return [entry["text"] for entry in found]

    assert (offered(""), offered("gra")) == (["71 Wien", "72 Graz"], ["72 Graz"])
    typed = {"_rows": ["address-n1"], "address-n1-is_delivery": "1", "address-n1-city": "Graz"}
    refused = save(
        operator, page, {**typed, "address-n1-consignment_warehouse": "", "address-n1-consignment_warehouse_text": "70"}
    )
    assert "ist kein Konsignationslager" in refused.summary[0]
    done = save(
        operator, page, {**typed, "address-n1-consignment_warehouse": "", "address-n1-consignment_warehouse_text": "71"}
    )
    assert (done.toast, Address.get().consignment_warehouse.number) == ("Gespeichert.", "71")
    assert Warehouse.select().count() == before, "the customer makes none"
    new = get(operator, "/admin/warehouse/new/")
    made = save(operator, new, {"number": "73", "name": "Linz", "consignment": "1", "_shown": ["consignment"]})
    assert (made.toast, offered("linz")) == ("Gespeichert.", ["73 Linz"])


@pytest.mark.req("PX-188", "PX-189", "ME-117")
@pytest.mark.req("ME-115", "ME-116", "ME-118", "ME-119", "ME-120", partly=True)
def test_two_banks_stand_ready_and_the_iban_names_the_bank(operator: FlaskClient) -> None:
    customer = a_customer()
    bank_a, bank_b = store(
        OwnBank,
        {"name": "Bank A", "iban": "DE02120300000000202051"},
        {"name": "Bank B", "iban": "AT611904300234573201"},
    )
    page = tab(operator, customer, "banks")

    def labels(page: Page) -> list[str]:
        return [row.one("th").text for row in rows(page, "bank_account")]

    assert labels(page) == ["Bank 1", "Bank 2"]
    typed = {
        "own_bank": str(bank_b),
        "bank_account-n1-iban": "DE89 3704 0044 0532 0130 00",
        "bank_account-n1-account_holder": "Huber",
        "bank_account-n1-sequence_type": "2",
        "bank_account-n1-currency_text": "CHF",
        "bank_account-n2-iban": "AT61 1904 3002 3457 3201",
        "bank_account-n2-bank_name": "Hausbank",
        "bank_account-n2-direct_debit": "1",
    }
    wrong = {
        "bank_account-n1-iban": "DE88370400440532013000",
        "bank_account-n1-bic": "KURZ",
        "bank_account-n1-sequence_type": "6",
        "bank_account-n1-currency_text": "XXX",
    }
    refused = save(operator, page, {**typed, **wrong})
    assert sorted(sentence.split(":")[0] for sentence in refused.summary) == [
        "BIC", "IBAN", "Mandatsreferenz", "Mandatsreferenz-Datum", "Sequenztyp LS", "Währung",
    ]  # fmt: skip
    assert BankAccount.select().count() == 0
    mandate = {"bank_account-n2-mandate_reference": "M1", "bank_account-n2-mandate_date": "01.10.2026"}
    page = save(operator, page, {**typed, **mandate})
    assert page.toast == "Gespeichert."
    first, second = BankAccount.select().order_by(BankAccount.sequence_number)
    assert first.currency.code == "CHF"
    assert (first.iban, first.bic, first.bank_code, first.sequence_type) == (
        "DE89370400440532013000",
        "COBADEFFXXX",
        "37040044",
        "2",
    )
    assert first.bank_name.startswith("Commerzbank")
    assert (second.bank_name, second.mandate_date) == ("Hausbank", datetime.date(2026, 10, 1)), "what was typed stays"
    assert page.one("select", name="own_bank").all("option", selected="")[0].text.startswith("Bank B")
    assert Customer.get_by_id(customer).own_bank_id == bank_b
    page = save(operator, page, {"_rows": ["bank_account-n1"], "bank_account-n1-bank_name": "Dritte"})
    assert labels(page) == ["Bank 1", "Bank 2", "Bank 3"]
    assert [row.sequence_number for row in BankAccount.select().order_by(BankAccount.id)] == [1, 2, 3]
    typed = {f"bank_account-{first.id}-iban": "DE02 1203 0000 0000 2020 51", "_reason": "Kontowechsel"}
    page = save(operator, page, typed)
    changed = BankAccount.get_by_id(first.id)
    assert (page.toast, changed.bic, changed.bank_name) == ("Gespeichert.", "BYLADEM1001", "Deutsche Kreditbank Berlin")
    assert bank_a


def test_a_long_table_comes_in_parts_and_loses_nothing(operator: FlaskClient) -> None:
    customer = a_customer()
    keys = store(CostCentre, *({"customer": customer, "number": f"{number:03}"} for number in range(120)))
    page = tab(operator, customer, "users")
    shown = rows(page, "cost_centre")
    assert (len(shown), grid(page, "cost_centre").one("p", "rest").text) == (50, "50 weitere von noch 70 zeigen")
    assert grid(page, "cost_centre").one("span", "tag").text == "120"
    url = f"/admin/customer/edit/?id={customer}&tab=users&rows=cost_centre&skip="
    parts = [read(operator.get(f"{url}{skip}", headers={"X-Fragment": "rows"})) for skip in (50, 100)]
    assert [len(part.all("tbody")) for part in parts] == [50, 20]
    assert [part.one("table")["data-rest"] for part in parts] == ["20", "0"]
    fields = page.one("form", id="form").fields()
    for name, value in parts[1].fields().items(multi=True):
        fields.add(name, value)
    fields.setlist(f"cost_centre-{keys[119]}-name", ["ganz hinten"])
    fields.setlist(f"cost_centre-{keys[0]}-number", [""])
    refused = send(operator, page.one("form", id="form")["action"], fields)
    assert refused.status == 422
    assert len(rows(refused, "cost_centre")) == 70
    assert "von noch 50 zeigen" in grid(refused, "cost_centre").one("p", "rest").text
    done = save(operator, refused, {f"cost_centre-{keys[0]}-number": "A"})
    assert done.toast == "Gespeichert."
    assert CostCentre.get_by_id(keys[119]).name == "ganz hinten"
    assert CostCentre.select().count() == 120
    assert len(rows(get(operator, f"/admin/customer/edit/?id={customer}&tab=users&all=1"), "cost_centre")) == 120
    for broken in ("rows=nichts&skip=1", "rows=cost_centre&skip=x", f"rows=contact&skip={'9' * 30}"):
        answer = operator.get(f"/admin/customer/edit/?id={customer}&{broken}", headers={"X-Fragment": "rows"})
        assert answer.status_code in (200, 404)


@pytest.mark.req("SC-20")
def test_plans_of_imports_are_rows_of_the_customer(operator: FlaskClient) -> None:
    customer = a_customer()
    (schema,) = store(ImportSchema, {"name": "Wochenliste", "entity": "customer"}, kind="setup")
    page = tab(operator, customer, "imports")
    typed: dict[str, Any] = {"_rows": ["import_schedule-n1", "import_schedule-n2"]}
    for number, interval in ((1, "wöchentlich"), (2, "täglich")):
        typed |= {
            f"import_schedule-n{number}-import_schema": str(schema),
            f"import_schedule-n{number}-interval": interval,
        }
    assert save(operator, page, typed).toast == "Gespeichert."
    first, second = ImportSchedule.select().order_by(ImportSchedule.id)
    page = tab(operator, customer, "imports")
    shown = [f"import_schedule-{row.id}-interval" for row in (first, second)]
    values = page.one("form", id="form").fields()
    assert [values[name] for name in shown] == ["wöchentlich", "täglich"]
    assert save(operator, page, {shown[1]: "monatlich"}).toast == "Gespeichert."
    assert [row.interval for row in ImportSchedule.select().order_by(ImportSchedule.id)] == ["wöchentlich", "monatlich"]


#: A row of each table, and what makes it wrong.
_ROWS: tuple[tuple[str, dict[str, str], tuple[str, str]], ...] = (
    ("contact", {"name_1": "Berger", "phone_1": "1"}, ("birth_date", "31.02.2026")),
    ("address", {"is_delivery": "1", "city": "Graz", "country": "", "country_text": ""}, ("country_text", "Nirgendwo")),
    ("bank_account", {"bank_name": "Hausbank", "bic": "COBADEFF"}, ("iban", "DE88370400440532013000")),
    ("mailing_criterion", {"criterion": "Katalog"}, ("criterion", "x" * 70)),
    ("cost_centre", {"number": "100", "name": "Lager"}, ("number", "9" * 30)),
    ("customer_user", {"username": "mmeier"}, ("username", "x" * 70)),
)
_MODELS = {
    spec_of(model).name: model for model in (Contact, Address, BankAccount, MailingCriterion, CostCentre, CustomerUser)
}


@pytest.mark.engines("sqlite", later="postgresql")
def test_a_fault_at_any_child_leaves_the_database_and_keeps_the_form(operator: FlaskClient) -> None:
    """A5: for every table and every row, on making a customer and on changing one."""
    stored = a_customer()
    panels = ["main", "contacts", "addresses", "banks", "mailing", "users"]

    def typed_rows() -> dict[str, Any]:
        typed: dict[str, Any] = {"_rows": [], "_shown": []}
        for name, values, _wrong in _ROWS:
            for number in (1, 2, 3):
                start = f"{name}-n{number}"
                typed["_rows"].append(start)
                typed["_shown"] += [f"{start}-is_delivery", f"{start}-is_invoice"]
                for field, value in values.items():
                    typed[f"{start}-{field}"] = value + (
                        str(number) if field in ("criterion", "number", "username") else ""
                    )
                typed[f"{start}-remark"] = ""
        return typed

    def counts() -> dict[str, int]:
        found = {name: model.select().count() for name, model in _MODELS.items()}
        return found | {"customer": Customer.select().count(), "set": ChangeSetRecord.select().count()}

    before = counts()
    addresses = ("/admin/customer/new/", f"/admin/customer/edit/?id={stored}")
    for url in addresses:
        fields = get(operator, f"{url}{'&' if '?' in url else '?'}tab=main").one("form", id="form").fields()
        for name, typed in {**typed_rows(), "name_1": "Neuer Name", "_panel": panels}.items():
            fields.setlist(name, typed if isinstance(typed, list) else [typed])
        for name, _values, (field, wrong) in _ROWS:
            for number in (1, 2, 3):
                place = f"{name}-n{number}-{field}"
                right = fields.getlist(place)
                fields.setlist(place, [wrong])
                answer = send(operator, url, fields)
                fields.setlist(place, right) if right else fields.poplist(place)
                assert answer.status == 422, (url, place)
                assert len(answer.summary) == 1, (place, answer.summary)
                kept = answer.one("form", id="form").fields()
                assert kept["name_1"] == "Neuer Name"
                assert kept[place] == wrong
                for other, value in fields.items():
                    if other.startswith(tuple(_MODELS)) and other != place and not other.endswith("remark"):
                        assert kept.get(other) == value, (place, other)
                assert counts() == before, place
        assert Customer.get_by_id(stored).name_1 == "Huber"
        done = send(operator, url, fields)
        assert done.toast == "Gespeichert.", done.summary
        after = counts()
        assert after["set"] == before["set"] + 1, "customer and children are one operation"
        assert all(after[name] == before[name] + 3 for name in _MODELS)
        before = after


@pytest.mark.req("ME-107", "ME-108", "ME-109", "ME-110", "ME-113", "NE-68", partly=True)
@pytest.mark.req("ME-111")
def test_an_address_shows_all_its_fields_and_refuses_wrong_ones(operator: FlaskClient) -> None:
    customer = a_customer()
    (title,) = store(Salutation, {"number": 77, "name": "Firma"})
    (seller,) = store(Employee, {"number": 7, "name": "Kern"})
    values = {
        "customer": customer, "title": title, "name_1": "A", "name_2": "B", "name_3": "C", "street": "Ring 1",
        "postal_code": "8010", "city": "Graz", "country_name": "Österreich", "federal_state": "Stmk", "number": "12",
        "gln": "4012345000009", "external_id": "F1", "shipping_hint": "Tor 2", "vat_id": "ATU52109800",
        "sales_representative": seller, "direct_shipping": True, "send_email": True, "own": True, "active": False,
        "no_print": True, "format": "5", "routing_key": "04011000-1234512345-06", "transport": "4", "is_delivery": True,
        "is_invoice": True,
    }  # fmt: skip
    (key,) = store(Address, values)
    page = tab(operator, customer, "addresses")
    start = f"address-{key}-"
    shown = page.one("form", id="form").fields()
    for name, value in values.items():
        if name != "customer":
            assert shown.get(start + name) == {True: "1", False: None}.get(value, str(value)), name  # type: ignore[call-overload]
    assert page.one("select", name=f"{start}format").all("option", selected="")[0].text == "XRechnung"
    assert page.one("select", name=f"{start}transport").all("option", selected="")[0].text == "Datei"
    for name, typed, sentence in (
        ("format", "6", "gibt es hier nicht"),
        ("transport", "8", "gibt es hier nicht"),
        ("routing_key", "", "XRechnung braucht den Key"),
        ("gln", "4012345000008", "ILN"),
        ("country_text", "XX", "nicht vorhanden"),
    ):
        refused = save(
            operator, page, {start + name: typed, **({f"{start}country": ""} if name == "country_text" else {})}
        )
        assert (refused.status, len(refused.summary)) == (422, 1), name
        assert sentence in refused.summary[0], name
    done = save(operator, page, {start + "format": "0", start + "routing_key": ""})
    assert (done.toast, Address.get_by_id(key).format) == ("Gespeichert.", "0"), "0 is not empty"


@pytest.mark.req("ME-88", partly=True)
def test_page_two_has_a_tick_for_each_kind_of_document(operator: FlaskClient) -> None:
    customer = a_customer()
    page = tab(operator, customer, "page_2")
    ticks = [node["name"] for node in page.all("input", type="checkbox") if node["name"].startswith("contact_print_")]
    assert len(ticks) == 19
    labels = {node.text for node in page.all("label", "check")}
    assert {"Abweichend von Voreinstellungen", "Rechnung", "Lieferschein", "Werkstattmontage", "Voraustausch"} <= labels
    done = save(operator, page, {"contact_print_deviates": "1", "contact_print_invoice": "1"})
    stored = Customer.get_by_id(customer)
    assert (done.toast, stored.contact_print_deviates, stored.contact_print_invoice) == ("Gespeichert.", True, True)
    assert not stored.contact_print_delivery_note

"""Deleting customers: drafts go, others are anonymised, some must stay; one path for list, form and code."""

from __future__ import annotations

import datetime
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playhouse.test_utils import count_queries

from actions.import_sheet import run_import
from domain.catalog import Article, Warehouse
from domain.settings import Setting
from domain.trade import CreditNote, DeliveryNote, Invoice, Outbox, SalesOrder, StockMovement
from flask_appadmin import jobs
from flask_appadmin.changes import (
    ANONYMISE,
    DELETE,
    REFUSE,
    ChangeSet,
    Deletion,
    carry_on,
    carry_out,
    departures_of,
    plan_assign,
    plan_undo,
)
from flask_appadmin.changes.undoing.part import NotTakenBack
from flask_appadmin.customfields import CustomField, CustomFieldValue
from flask_appadmin.database import database, engine
from flask_appadmin.errors import FaultList
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import use_locale
from flask_appadmin.rights import User, operator_of, system_operator
from flask_appadmin.selections import Selection
from flask_appadmin.sheets import storage
from flask_appadmin.sheets.exporting import write_export
from flask_appadmin.specs import spec_of
from models import (
    Address,
    BankAccount,
    CardType,
    Communication,
    Contact,
    Customer,
    CustomerArticleNumber,
    CustomerCard,
    CustomerUser,
    Document,
    Employee,
    Note,
)
from tests.reader import Page, get, send

WEBER = system_operator("Frau Weber")
CUSTOMER = spec_of(Customer)


def make(**customers: dict[str, Any]) -> list[int]:
    """Active customers by their search name, drafts where the values say so; answers their keys."""
    change = ChangeSet("load")
    made = [
        change.create(Customer, {"search_name": name, "name_1": f"{name} GmbH", "status": "active", **values})
        for name, values in customers.items()
    ]
    change.apply(WEBER)
    return [record.key or 0 for record in made]


def build(model: Any, **values: Any) -> int:
    change = ChangeSet("form")
    made = change.create(model, values)
    change.apply(WEBER)
    return made.key or 0


def alter(model: Any, key: int, **values: Any) -> None:
    change = ChangeSet("form")
    change.update(model, key, values)
    change.apply(WEBER)


def reasons(key: int) -> str:
    return " ".join(departures_of(CUSTOMER, [key])[key].reasons)


def outcome(key: int) -> str:
    return departures_of(CUSTOMER, [key])[key].outcome


def question(client: FlaskClient, *keys: int) -> Page:
    token = client.post("/admin/customer/selection", json={"add": list(keys)}).get_json()["token"]
    return get(client, f"/admin/customer/action/delete?selection={token}")


def confirm(client: FlaskClient, page: Page, **typed: Any) -> Page:
    form = page.one("form", css="stack")
    return send(client, form["action"], form.fields(**typed))


def names(page: Page) -> list[str]:
    return [row.all("td")[0].text for row in page.one("div", "limited").all("tr")]


def results(page: Page) -> list[list[str]]:
    return [[cell.text for cell in row.all("td")] for row in page.one("table", id="deleted").all("tr")[1:]]


@pytest.mark.req("PX-67", "PX-68", "PX-70", "PX-71", "PX-72", "NE-11")
@pytest.mark.req("PX-69", partly=True)
def test_customers_in_use_are_refused_with_every_reason_until_it_is_gone(db: Any) -> None:
    draft = {"status": "draft"}
    keys = make(A=draft, B=draft, C=draft, D=draft, E=draft, F={}, G=draft)
    ordered, delivered, invoiced, stocked, used, other, worker = keys
    said = "Kunde kann nicht gelöscht werden: "
    # Orders, delivery notes, invoices: while they are open
    order = build(SalesOrder, customer=ordered, number="AB-1")
    assert (outcome(ordered), reasons(ordered)) == (REFUSE, f"{said}offene Aufträge")
    alter(SalesOrder, order, status="done")
    assert (outcome(ordered), reasons(ordered)) == (ANONYMISE, ""), "the order stays, so the draft does not simply go"
    note = build(DeliveryNote, customer=delivered, number="LS-1")
    assert reasons(delivered) == f"{said}offene Lieferscheine"
    alter(DeliveryNote, note, status="done")
    assert outcome(delivered) == ANONYMISE
    invoice = build(Invoice, customer=invoiced, number="R-1")
    Invoice.update(total_amount=Decimal(100), paid_amount=Decimal(40)).where(Invoice.id == invoice).execute()
    assert reasons(invoiced) == f"{said}nicht bezahlte Rechnungen"
    Invoice.update(paid_amount=Decimal(100)).where(Invoice.id == invoice).execute()
    assert outcome(invoiced) == ANONYMISE
    # A booking stays what it is, also with balance 0
    article = build(Article, number="A1", designation_1="Ware")
    house = build(Warehouse, number="71", name="Kundenlager")
    moved = build(StockMovement, warehouse=house, customer=stocked, article=article, quantity=Decimal(0))
    assert reasons(stocked) == f"{said}Buchungen auf Kundenlager"
    StockMovement.delete().where(StockMovement.id == moved).execute()
    assert outcome(stocked) == DELETE
    # Other customers
    title = "Kunde 10006 F GmbH"
    for field, words in (
        ("invoice_customer", "abweichender Rechnungskunde von"),
        ("delivery_customer", "abweichender Lieferkunde von"),
        ("condition_carrier", "Konditionsträger von"),
        ("association", "Verband von"),
        ("parent_customer", "Haupt-Kunde (Zentrale) von"),
    ):
        alter(Customer, other, **{field: used})
        assert (outcome(used), reasons(used)) == (REFUSE, f"{said}{words} {title}"), field
        change = ChangeSet("delete")
        change.delete(Customer, used)
        with pytest.raises(FaultList, match=title):
            change.apply(WEBER)
        alter(Customer, other, **{field: None})
        assert outcome(used) == DELETE, field
    # Kundentyp, for deleting and for anonymising
    employee = build(Employee, number="7", name="Herr Berger")
    Customer.update(customer_type="employee", employee=employee).where(Customer.id == worker).execute()
    sentence = "Bitte ändern Sie zuerst den Kundentyp auf Endkunde."
    assert (outcome(worker), reasons(worker)) == (REFUSE, sentence)
    Customer.update(status="active").where(Customer.id == worker).execute()
    assert reasons(worker) == sentence
    alter(Customer, worker, customer_type="end_customer", employee=None)
    assert outcome(worker) == ANONYMISE
    Customer.update(status="draft").where(Customer.id == worker).execute()
    result = carry_out(CUSTOMER, departures_of(CUSTOMER, [worker, ordered]), WEBER)
    assert (result.deleted, result.anonymised, result.count) == ([worker], [ordered], 2)
    assert Customer.get_or_none(Customer.id == worker) is None


@pytest.mark.engines("sqlite", later="postgresql")
@pytest.mark.req("SC-29", "SC-30", "SC-31", "SC-32", "PX-66", "PX-73", "PX-75", "NE-08")
def test_a_deletion_asks_names_and_tells_what_came_of_each(operator: FlaskClient) -> None:
    draft = {"status": "draft"}
    abc, other, third, active = make(ABC=draft, DEF=draft, GHI=draft, JKL={})
    for name in ("Kontakt", "Zweiter"):
        build(Contact, customer=abc, name_1=name)
    build(BankAccount, customer=abc, iban="DE02120300000000202051")
    for number in (1, 2):
        build(Address, customer=abc, name_1=f"Lager {number}", is_delivery=True)
    article = build(Article, number="A1", designation_1="Ware")
    build(CustomerArticleNumber, customer=abc, article=article, customer_article_number="X1")
    build(SalesOrder, customer=third, number="AB-1")
    page = question(operator, abc, other, third)
    assert (page.heading, names(page)) == ("3 Kunden löschen?", ["ABC", "DEF", "GHI"])
    assert page.one("div", "tiles").text.startswith("2Kunden2Ansprechpartner2")
    left = get(operator, page.link("Nein"))
    assert left.one("span", "marked-text").text == "3 markiert"
    assert Customer.select().count() == 4
    # As a window it is called „Meldung“
    token = page.one("form", css="stack").fields()["token"]
    window = operator.get(f"/admin/customer/action/delete?selection={token}", headers={"X-Fragment": "window"})
    assert "Meldung: 3 Kunden löschen?" in window.text
    # „Inaktiv setzen“ does that for all three, and is taken back like any change
    instead = send(operator, page.one("form", css="stack")["action"], {"token": token, "_instead": "1"})
    assert instead.toast == "Inaktiv setzen: 3 Kunden"
    assert list(Customer.select(Customer.active).order_by(Customer.id).tuples()) == [(False,)] * 3 + [(True,)]
    assert Contact.select().count() == 2
    send(operator, instead.one("div", "toast").one("form")["action"], {})
    assert Customer.select().where(Customer.active).count() == 4
    # What somebody changed since the page was shown is looked at again
    for late in (lambda: alter(Customer, abc, remark="Zahlt doch"), lambda: build(Note, customer=other, text="Neu")):
        page = question(operator, abc, other)
        late()
        again = confirm(operator, page)
        assert (again.status, Customer.select().count()) == (409, 4)
        assert "hat jemand etwas daran geändert" in again.text
    # Two go, one stays
    done = confirm(operator, question(operator, abc, other, third), _reason="Karteileichen")
    assert results(done) == [
        ["10003", "GHI", "abgelehnt", "Kunde kann nicht gelöscht werden: offene Aufträge"],
        ["10001", "ABC", "gelöscht", ""],
        ["10002", "DEF", "gelöscht", ""],
    ]
    assert done.one("div", "tiles").text == "3markiert2gelöscht0anonymisiert1abgelehnt"
    children = (Contact, Address, BankAccount, CustomerArticleNumber)
    assert [child.select().count() for child in children] == [0, 0, 0, 0]
    only = get(operator, done.link("Nur die abgelehnten markieren"))
    assert only.one("span", "marked-text").text == "1 markiert"
    file = operator.get(done.link("Als CSV speichern")).get_data(as_text=True)
    assert "10003;GHI;abgelehnt;Kunde kann nicht gelöscht werden: offene Aufträge\r\n" in file
    # The list has two; taking it back restores children and numbers
    undo = get(operator, done.link("Gelöschte wiederherstellen …"))
    confirm(operator, undo)
    restored = list(
        Customer.select(Customer.id, Customer.customer_number, Customer.search_name).order_by(Customer.id).tuples()
    )
    assert restored[:2] == [(abc, 10001, "ABC"), (other, 10002, "DEF")]
    assert [child.select().count() for child in children] == [2, 2, 1, 1]
    # An active customer stays as a row
    page = question(operator, active)
    refused = confirm(operator, page)
    assert "Bitte tippen Sie zur Bestätigung ANONYMISIEREN" in refused.text
    assert Customer.get_by_id(active).status == "active"
    gone = confirm(operator, refused, _typed="anonymisieren")
    assert results(gone) == [["10004", "Anonymisiert", "anonymisiert", ""]]
    assert (Customer.get_by_id(active).status, Customer.get_by_id(active).customer_number) == ("anonymised", 10004)


@pytest.mark.engines("sqlite", later="postgresql")
def test_customers_under_retention_stay_until_their_date_and_can_be_locked(
    operator: FlaskClient, fixed_today: datetime.date, tmp_path: Path
) -> None:
    """Trust case 90: refused with the date, from the list, the form, a file and the command line; offers to lock."""
    setting = Setting.get().id
    alter(Setting, setting, retention_years=8)
    draft = {"status": "draft"}
    keys = make(A={}, B={}, C={}, D=draft, E={}, F=draft, G={})
    invoiced, paying, credited, delivered, old = keys[:5]
    for customer, model, day, dated in (
        (invoiced, Invoice, "invoiced_on", (2019, 1, 31)),
        (invoiced, Invoice, "invoiced_on", (2024, 2, 29)),
        (credited, CreditNote, "credited_on", (2018, 1, 1)),
        (delivered, DeliveryNote, "delivered_on", (2020, 6, 1)),
        (old, Invoice, "invoiced_on", (2017, 12, 31)),
    ):
        amount = {"total_amount": Decimal(1)} if model is CreditNote else {}
        made = build(model, customer=customer, **{day: datetime.date(*dated)}, **amount)
        if model is DeliveryNote:
            alter(model, made, status="done")
    Invoice.update(invoice_customer=paying).where(Invoice.invoiced_on == datetime.date(2024, 2, 29)).execute()
    said = "Der jüngste Beleg ist vom {}, der Kunde ist bis {} aufzubewahren; bis dahin lässt er sich sperren."
    until = {
        invoiced: said.format("29.02.2024", "31.12.2032"),
        paying: said.format("29.02.2024", "31.12.2032"),
        credited: said.format("01.01.2018", "31.12.2026"),
        delivered: said.format("01.06.2020", "31.12.2028"),
    }
    assert {key: reasons(key) for key in keys} == {key: until.get(key, "") for key in keys}
    assert [outcome(key) for key in keys] == [REFUSE] * 4 + [ANONYMISE, DELETE, ANONYMISE]
    # Whoever passes by the page is refused as well
    for step in ("delete", "anonymise"):
        change = ChangeSet(step)
        getattr(change, step)(Customer, credited)
        with pytest.raises(FaultList, match=r"bis 31\.12\.2026 aufzubewahren"):
            change.apply(WEBER)
    file = tmp_path / "weg.csv"
    file.write_text("Nummer;Löschen Nummer\n10001;*\n10006;\n", "utf-8")
    report = run_import(file, CUSTOMER, WEBER, mode="delete", confirmed=0)
    assert report.deleted == 0 and until[invoiced] in " ".join(report.findings), report.findings
    # From the form there is one, and the question itself offers to lock it
    page = get(operator, f"/admin/customer/action/delete?id={invoiced}")
    assert until[invoiced] in page.text
    token = page.one("form", css="stack").fields()["token"]
    locked = send(operator, f"/admin/customer/action/delete?selection={token}", {"token": token, "_for_refused": "1"})
    assert (locked.toast, Customer.get_by_id(invoiced).status) == ("Sperren: 1 Kunde", "locked")
    page = get(operator, f"/admin/customer/action/delete?id={invoiced}")
    assert "Sperren" not in page.text
    asked = {**page.one("form", css="stack").fields(), "_for_refused": "1"}
    again = send(operator, "/admin/customer/action/delete", asked)
    assert (again.status, "Es gibt nichts zu ändern." in again.text) == (409, True)
    # Of several some go; the result offers it for those that stayed and are active, and it can be taken back
    done = confirm(operator, question(operator, *keys), _typed="anonymisieren")
    assert [row[2:] for row in results(done)[:4]] == [
        ["abgelehnt", until[key]] for key in (invoiced, paying, credited, delivered)
    ]
    assert done.one("form", "instead").one("button").text == "Sperren (2)"
    offer = done.one("form", "instead")
    locked = send(operator, offer["action"], offer.fields())
    assert locked.toast == "Sperren: 2 Kunden"
    states = [row.status for row in Customer.select().where(Customer.id << list(until)).order_by(Customer.id)]
    assert (states, locked.all("form", "instead")) == (["locked"] * 3 + ["draft"], [])
    assert ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).first().kind == "bulk"
    send(operator, locked.one("div", "toast").one("form")["action"], {})
    assert Customer.get_by_id(paying).status == "active"
    # Without a period, as from the factory, nothing of it counts
    for years in (0, None):
        alter(Setting, setting, retention_years=years)
        assert [outcome(key) for key in (paying, credited, delivered)] == [ANONYMISE] * 3
    for wrong in (-1, 100):
        with pytest.raises(FaultList, match="Aufbewahrungsfrist in Jahren"):
            alter(Setting, setting, retention_years=wrong)
    alter(Setting, setting, retention_years=8)
    with use_locale("en"):
        assert reasons(credited).endswith("kept until 2026-12-31; until then it can be locked.")


#: Markers in all kinds of places; each is found nowhere afterwards.
MARKERS = {
    "name_1": "Markierfirma Quastel",
    "name_2": "Zweitquastel",
    "search_name": "Synoquastel Ort",
    "street": "Quastelgasse 12",
    "email": "post@quastel-mail.de",
    "phone": "0171 998877661",
    "hint": "Der Quastelhinweis über die Person",
    "vat_id_code": "998877662",
    "contact": "Kontaktquastel",
    "bank": "Inhaberquastel",
    "note": "Notizquastel steht hier als freier Text",
    "old": "Altquastel",
    "draft": "Entwurfsquastel",
    "communication": "Themenquastel",
    "card": "KARTEQUASTEL7",
    "document": "Dokumentquastel im Anhang",
    "custom": "Quastelschuh 46",
    "outbox": "empfang@quastel-outbox.de",
}


def stored_bytes(app: Flask) -> dict[str, bytes]:
    """Everything that lies in the instance and in the database, by place."""
    folder = Path(app.config["INSTANCE"])
    found = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    if engine() == "sqlite":
        file = Path(database.obj.database)
        found.update({path.name: path.read_bytes() for path in file.parent.glob(f"{file.name}*") if path.is_file()})
        return found
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    for (table,) in database.execute_sql(tables).fetchall():
        rows = database.execute_sql(f'SELECT t::text FROM "{table}" t').fetchall()
        found[table] = "\n".join(row[0] for row in rows).encode()
    return found


def places_of(app: Flask, word: str) -> list[str]:
    folded = word.casefold()
    return [
        place
        for place, content in stored_bytes(app).items()
        if any(text.encode(encoding) in content for text in (word, folded) for encoding in ("utf-8", "utf-16-le"))
    ]


@pytest.mark.req("PX-69", "NE-09", "NE-10")
def test_after_anonymising_nothing_of_the_person_is_found(app: Flask, operator: FlaskClient) -> None:
    own = ("name_1", "name_2", "search_name", "street", "email", "phone", "hint")
    values = {name: MARKERS[name] for name in own}
    key, neighbour = make(
        X={**values, "name_1": MARKERS["old"], "vat_id_country": "DE", "vat_id_code": MARKERS["vat_id_code"]},
        Y={"hint": "Nachbarquastel"},
    )
    alter(Customer, key, name_1=MARKERS["name_1"])
    build(Contact, customer=key, name_1=MARKERS["contact"])
    build(Address, customer=key, name_1=MARKERS["name_1"], is_delivery=True)
    build(BankAccount, customer=key, iban="DE02120300000000202051", account_holder=MARKERS["bank"])
    build(Note, customer=key, text=MARKERS["note"])
    build(Communication, customer=key, channel="phone", topic=MARKERS["communication"])
    build(Outbox, customer=key, transport="3", recipient=MARKERS["outbox"], subject=MARKERS["name_1"])
    shoe = build(CustomField, entity="customer", tab="Zusatz", label="Schuhgröße")
    build(CustomFieldValue, custom_field=shoe, record_id=key, value=MARKERS["custom"])
    build(CustomFieldValue, custom_field=shoe, record_id=neighbour, value="Nachbarquastel 2")
    gone = build(Contact, customer=key, name_1=MARKERS["contact"])
    kept = storage.documents(Path(app.config["INSTANCE"]))
    stored = kept.save(io.BytesIO(MARKERS["document"].encode()))
    papers = {"file_name": "a.txt", "storage_name": stored, "size_bytes": 5}
    build(Document, customer=key, **papers)
    shared = kept.save(io.BytesIO(b"Geschirr"))
    for owner, name in ((key, shared), (neighbour, f"{shared}-2")):
        papers = {"file_name": "b.txt", "storage_name": name, "size_bytes": 8}
        copied = build(Document, customer=owner, **papers)
    removal = ChangeSet("form")
    removal.delete(Document, copied)
    deleted_copy = removal.apply(WEBER).change_set or 0
    removal = ChangeSet("form", reason=f"Anruf von {MARKERS['name_1']}")
    removal.delete(Contact, gone)
    removed = removal.apply(WEBER).change_set or 0
    # A draft, a saved query, an export, an import that waits
    page = get(operator, f"/admin/customer/edit/?id={key}")
    form = page.one("form", id="form")
    answer = operator.post("/admin/customer/draft", data=form.fields(id=str(key), remark=MARKERS["draft"]))
    assert answer.status_code < 300, answer.text

    store = storage.exports(Path(app.config["INSTANCE"]))
    exported = store.new()[1]
    write_export(exported, Selection.of_keys(CUSTOMER, WEBER, [key]), children=[spec_of(Contact)])
    uploaded = f"Kunden-Nr.;Name 1;Telefax\n10001;{MARKERS['name_1']};0171 5\n".encode("utf-8-sig")
    sent = {"file": (io.BytesIO(uploaded), f"{MARKERS['name_1']}.csv"), "model": "customer"}
    operator.post("/admin/imports/upload", data=sent, content_type="multipart/form-data")
    jobs.run_waiting()
    build(CustomerCard, customer=key, card_number=MARKERS["card"], card_type=build(CardType, code="K", name="Karte"))
    before = {name: places_of(app, word) for name, word in MARKERS.items()}
    assert [name for name, found in before.items() if not found] == [], "each marker is somewhere before"
    assert any("/uploads/" in place for place in before["name_1"])

    page = question(operator, key)
    done = confirm(operator, page, _typed="ANONYMISIEREN")
    assert results(done) == [["10001", "Anonymisiert", "anonymisiert", ""]], done.text
    assert not exported.exists()
    after = {name: found for name, word in MARKERS.items() if (found := places_of(app, word))}
    assert after == {}
    assert places_of(app, "Nachbarquastel"), "the neighbour's words are all still there"
    assert not kept.has(stored)
    assert kept.has(shared), "the copy beside the neighbour was deleted, and comes back with its file"
    ChangeSet.undo(deleted_copy).apply(WEBER)
    assert [row.storage_name for row in Document.select()] == [f"{shared}-2"]
    assert [row.record_id for row in CustomFieldValue.select()] == [neighbour]
    row = Customer.get_by_id(key)
    assert (row.customer_number, row.name_1, row.status, row.street) == (10001, "Anonymisiert", "anonymised", None)
    for model in (Contact, Address, BankAccount, Note, Communication):
        assert model.select().where(model.customer == key).count() == 0
    # Who, when and which field stay; taking back brings nothing
    lines = ChangeRecord.select().where(ChangeRecord.owner_entity == "customer", ChangeRecord.owner_id == key)
    assert {line.old_value for line in lines} | {line.new_value for line in lines} == {
        None,
        json.dumps("[gelöscht]", ensure_ascii=False),
    }
    assert "name_1" in {line.field for line in lines}
    assert plan_undo(removed).count == 0
    assert Contact.select().where(Contact.customer == key).count() == 0
    operation = ChangeSetRecord.get(ChangeSetRecord.kind == "anonymise")
    assert get(operator, f"/admin/operations/undo?id={operation.id}").status == 409
    with pytest.raises(NotTakenBack, match="lässt sich nicht zurücknehmen"):
        ChangeSet.undo(operation.id).apply(WEBER)
    with pytest.raises(FaultList, match="anonymisiert und wird nicht mehr geändert"):
        alter(Customer, key, name_1="Wieder da")
    with pytest.raises(FaultList, match="anonymisiert und wird nicht mehr geändert"):
        build(Contact, customer=key, name_1="Neu")
    marked = Selection.of_keys(spec_of(Customer), WEBER, [key])
    planned = plan_assign(marked, {"remark": "Wieder da"}, WEBER)
    assert (planned.changed, [entry[0] for entry in planned.refused]) == (0, [key])
    form_page = get(operator, f"/admin/customer/edit/?id={key}")
    assert "hier lässt sich nichts mehr ändern" in form_page.text


@pytest.mark.req("NE-09")
def test_paid_invoices_stay_as_they_were_printed_when_the_customer_is_anonymised(db: Any) -> None:
    (key,) = make(A={"street": "Hauptstraße 1", "tax_number": "12/345/678", "turnover_current": Decimal("99.50")})
    address = build(Address, customer=key, name_1="A Versand", street="Nebenweg 2", is_invoice=True)
    person = build(Contact, customer=key, name_1="Frau Person")
    login = build(
        CustomerUser, customer=key, username="a.person", password_hash="Sehr!Geheim-2026", is_administrator=True
    )
    invoice = build(Invoice, customer=key, number="R-1", invoice_address=address, contact=person)
    paid = {"total_amount": Decimal("119.00"), "paid_amount": Decimal("119.00")}
    Invoice.update(paid).where(Invoice.id == invoice).execute()
    printed = Invoice.get_by_id(invoice).address_text
    assert printed and "Nebenweg 2" in printed
    order = build(SalesOrder, customer=key, number="AB-1", status="done")
    (merged,) = make(FRUEHER={})
    Customer.update(status="deleted", successor_customer=key).where(Customer.id == merged).execute()
    result = carry_out(CUSTOMER, departures_of(CUSTOMER, [key]), WEBER)
    assert (result.anonymised, result.refused) == ([key], {})
    same = Customer.get_by_id(merged)
    assert (same.name_1, same.successor_customer_id) == ("Anonymisiert", key), "the same person under another number"
    row, kept = Customer.get_by_id(key), Invoice.get_by_id(invoice)
    assert (row.name_1, row.status, row.street, row.tax_number) == ("Anonymisiert", "anonymised", None, None)
    assert (kept.total_amount, kept.address_text, kept.customer_id) == (Decimal("119.00"), printed, key)
    assert (row.turnover_current, SalesOrder.get_by_id(order).customer_id) == (Decimal("99.50"), key)
    assert login and not CustomerUser.select().where(CustomerUser.customer == key).exists()
    assert [Contact.select().count(), Address.select().count()] == [0, 0]
    again = departures_of(CUSTOMER, [key])[key]
    assert (again.outcome, again.reasons) == (REFUSE, ("Der Kunde ist schon anonymisiert.",))


def test_many_customers_are_asked_about_in_as_few_questions_as_a_few(db: Any) -> None:
    few, many = make(A={"status": "draft"}), make(**{f"C{number}": {"status": "draft"} for number in range(60)})
    counts = []
    for keys in (few, many):
        with count_queries() as counter:
            departures_of(CUSTOMER, keys)
        counts.append(counter.count)
    assert counts[0] == counts[1], counts


@pytest.mark.engines("sqlite", later="postgresql")
def test_many_customers_go_as_a_job_that_can_be_stopped_and_goes_on_where_it_was(
    app: Flask, operator: FlaskClient
) -> None:
    """Trust case 87, domain.md section 4: each customer is one transaction, and the result tells what came of each."""
    keys = make(**{f"K{number:02}": {"status": "draft"} for number in range(54)})
    build(SalesOrder, customer=keys[-1], number="AB-1")
    page = question(operator, *keys)
    assert "Läuft als Auftrag" in page.text
    build(Note, customer=keys[7], text="Neu")
    assert "hat jemand etwas daran geändert" in confirm(operator, page).text
    page = question(operator, *keys)
    for _click in range(2):
        confirm(operator, page, _reason="Karteileichen")
    (job,) = jobs.Job.select()
    assert (job.title, job.state, Customer.select().count()) == ("53 Kunden löschen", "waiting", 54)
    # Stopped before it began, nothing is done; the same page may be sent again
    stop = get(operator, "/admin/jobs/")
    send(operator, f"/admin/jobs/cancel?id={job.id}", {})
    assert "es wurde nichts geändert" in get(operator, "/admin/jobs/").text and stop.status == 200
    confirm(operator, page, _reason="Karteileichen")
    job = jobs.Job.select().order_by(jobs.Job.id.desc()).get()

    def interrupted(most: int) -> None:
        """A process took the job, and died after some customers: nothing of it but these is stored."""
        begun = Deletion.begun_by(job.id, clerk, job.parameters["since"])
        rest = departures_of(CUSTOMER, [key for key in keys[:-1] if key not in begun.deleted][:most])
        carry_on(CUSTOMER, rest, clerk, begun, reason="Karteileichen")
        gone = {"state": "running", "attempt": 1, "heartbeat_at": datetime.datetime(2020, 1, 1), "lease_owner": "x"}
        jobs.Job.update(gone).where(jobs.Job.id == job.id).execute()

    clerk = operator_of(User.get(User.id == job.user_id))
    interrupted(3)
    jobs.Job.update(cancel_requested=True).where(jobs.Job.id == job.id).execute()
    assert jobs.run_waiting() == 1
    stopped = jobs.Job.get_by_id(job.id)
    assert (stopped.state, stopped.message) == ("cancelled", "3 gelöscht, 1 abgelehnt, 50 nicht begonnen")
    result = get(operator, get(operator, "/admin/jobs/").link("Ergebnis"))
    assert result.one("div", "tiles").text == "54markiert3gelöscht0anonymisiert1abgelehnt50nicht begonnen"
    assert results(result)[1] == ["10004", "K03", "nicht begonnen", "Der Auftrag wurde vorher beendet."]
    rest = get(operator, result.link("Die nicht begonnenen markieren"))
    assert rest.one("span", "marked-text").text == "50 markiert"
    undo = get(operator, result.link("Gelöschte wiederherstellen …"))
    confirm(operator, undo)
    assert Customer.select().count() == 54
    # Interrupted and taken over, it goes on to the end, and is one operation
    confirm(operator, question(operator, *keys), _reason="Karteileichen")
    job = jobs.Job.select().order_by(jobs.Job.id.desc()).get()
    interrupted(4)
    interrupted(2)
    assert jobs.run_waiting() == 1
    ended = jobs.Job.get_by_id(job.id)
    assert (ended.state, ended.message, ended.percent) == ("done", "53 gelöscht, 1 abgelehnt", 100)
    result = get(operator, ended.result["url"])
    assert result.one("div", "tiles").text == "54markiert53gelöscht0anonymisiert1abgelehnt"
    assert results(result)[0] == ["10054", "K53", "abgelehnt", "Kunde kann nicht gelöscht werden: offene Aufträge"]
    (operation,) = ChangeSetRecord.select().where(ChangeSetRecord.id > job.parameters["since"])
    assert (operation.title, operation.reason) == ("Kunden: 53 gelöscht", "Karteileichen")
    assert (operation.deleted_count, Customer.select().count()) == (53, 1)
    confirm(operator, get(operator, result.link("Gelöschte wiederherstellen …")))
    assert Customer.select().count() == 54

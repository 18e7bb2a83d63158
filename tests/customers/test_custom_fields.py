"""Fields that administrators define: on tabs of the form, in the window of a contact, in lists, files and copies."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from actions.import_sheet import run_import
from flask_appadmin.arrangements import arranged
from flask_appadmin.changes import ChangeSet
from flask_appadmin.customfields import CustomField, CustomFieldValue, complete
from flask_appadmin.merging import plan_merge
from flask_appadmin.specs import spec_of
from models import Contact, Customer
from tests.customers.test_child_tables import a_customer, save, store, tab, window, with_window
from tests.customers.test_import_modes import WEBER, Desk
from tests.customers.test_spreadsheets import exported
from tests.reader import Page, get, read, send
from tests.spreadsheets import edit_cells, rows_of

pytest_plugins = ("tests.customers.test_import_modes",)

SPEC, CONTACT = spec_of(Customer), spec_of(Contact)
NEW_FIELD = "/admin/custom_field/new/"


def define(client: FlaskClient, label: str, **values: str) -> tuple[str, Page]:
    """Defines a field on the page of the settings; answers its name and the page that follows."""
    page = get(client, NEW_FIELD)
    given = {"entity": "customer", "tab": "Vertrieb", "label": label, "field_type": "text", **values}
    done = save(client, page, given)
    row = CustomField.get_or_none(CustomField.label == label)
    return f"custom_{row.id}" if row is not None else "", done


def value_of(spec: Any, key: int, name: str) -> Any:
    """What is stored, read apart from the pages."""
    with everybody():
        return complete(spec, [{"id": key}])[0][name]


def everybody() -> Any:
    """What a request, a job or a command begins."""
    return arranged(WEBER)


def make_field(label: str, **values: str) -> str:
    change = ChangeSet("form")
    made = change.create(CustomField, {"entity": "customer", "tab": "Vertrieb", "label": label, **values})
    change.apply(WEBER)
    return f"custom_{made.key}"


def labels(page: Page) -> list[str]:
    return [node.text for node in page.all("label")]


@pytest.mark.req("ME-138", "ME-139")
def test_a_defined_field_stands_on_its_tab_and_in_the_window_of_a_contact(
    operator: FlaskClient, tmp_path: Path
) -> None:
    customer = a_customer()
    contact = store(Contact, {"customer": customer, "name_1": "Berger"})[0]
    assert "custom_field" in get(operator, "/admin/").html, "in the menu"
    fair, done = define(operator, "Messe", length="10")
    assert done.toast == "Gespeichert."
    for label, kind in (("Besucher", "integer"), ("Fläche", "decimal"), ("Zusage am", "date"), ("Stammgast", "bool")):
        define(operator, label, field_type=kind)
    define(operator, "Zusatz", tab="allgemein")
    hobby, _done = define(operator, "Hobby", entity="contact", tab="Ansprechpartner")
    names = [f"custom_{row.id}" for row in CustomField.select().order_by(CustomField.id)]
    _fair, visitors, area, promised, regular, *_rest = names

    # What cannot be is said at the field.
    _name, refused = define(operator, "Falsch", field_type="bool", length="5")
    assert refused.status == 422 and "gibt es bei diesem Feldtyp nicht" in refused.html
    _name, refused = define(operator, "Messe")
    assert refused.status == 422 and "bereits vorhanden" in refused.html

    # A tab of its own, or the one that has the name already.
    page = get(operator, f"/admin/customer/edit/?id={customer}")
    tabs = {node.text: node for node in page.all("", role="tab")}
    assert "Vertrieb" in tabs and [text for text in tabs if text.casefold() == "allgemein"] == ["Allgemein"]
    key = tabs["Vertrieb"]["data-tab"]
    page = tab(operator, customer, key)
    assert [label for label in labels(page) if label in ("Messe", "Besucher", "Fläche", "Zusage am", "Stammgast")] == [
        "Messe", "Besucher", "Fläche", "Zusage am", "Stammgast"
    ]  # fmt: skip
    assert "Zusatz" in labels(tab(operator, customer, "general"))
    typed = {fair: "Elf Zeichen", visitors: "viele", area: "12,5", promised: "19.3.2026", regular: "1"}
    refused = save(operator, page, typed)
    assert refused.status == 422 and not CustomFieldValue.select().exists()
    assert refused.faults == [
        "„Elf Zeichen“ ist zu lang (11 Zeichen). Höchstens 10 Zeichen passen hinein.",
        "„viele“ ist keine ganze Zahl. Bitte nur Ziffern eingeben, zum Beispiel 30.",
    ]
    done = save(operator, refused, {fair: "Leipzig", visitors: "1200"})
    assert done.toast == "Gespeichert."
    assert [value_of(SPEC, customer, name) for name in names[:5]] == [
        "Leipzig", 1200, Decimal("12.50"), datetime.date(2026, 3, 19), True
    ]  # fmt: skip
    again = tab(operator, customer, key).one("form", id="form").fields()
    assert [again.get(name) for name in names[:5]] == ["Leipzig", "1200", "12,50", "19.03.2026", "1"]

    # The history tells it, undo takes it back, and it comes again.
    history = tab(operator, customer, "history")
    assert "Messe" in history.text and "Leipzig" in history.text
    assert Customer.get_by_id(customer).version == 2

    # In the window of a contact.
    page = tab(operator, customer, "contacts")
    part = window(operator, customer, "contacts", f"contact-{contact}")
    assert "Hobby" in labels(part)
    sent = with_window(page, part, {f"contact-{contact}-{hobby}": "Segeln"})
    assert send(operator, page.one("form", id="form")["action"], sent).toast == "Gespeichert."
    assert value_of(CONTACT, contact, hobby) == "Segeln"
    part = window(operator, customer, "contacts", f"contact-{contact}")
    assert part.one("input", name=f"contact-{contact}-{hobby}")["value"] == "Segeln"
    added = save(
        operator,
        tab(operator, customer, "contacts"),
        {"_rows": [f"contact-{contact}", "contact-n1"], "contact-n1-name_1": "Neu", f"contact-n1-{hobby}": "Go"},
    )
    assert added.toast == "Gespeichert."
    assert value_of(CONTACT, Contact.get(Contact.name_1 == "Neu").id, hobby) == "Go"

    # New customers, lists, filters and bulk changes have it, too.
    page = get(operator, "/admin/customer/new/")
    part = read(operator.get(f"/admin/customer/new/?tab={key}", headers={"X-Fragment": "panel"}))
    typed = {"name_1": "Neue GmbH", "search_name": "NEU", "status": "active", fair: "Graz"}
    new = send(operator, page.one("form", id="form")["action"], with_window(page, part, typed))
    assert new.toast == "Gespeichert.", new.text[:3000]
    other = Customer.get(Customer.name_1 == "Neue GmbH").id
    assert value_of(SPEC, other, fair) == "Graz"
    listed = get(operator, f"/admin/customer/?columns=name_1,{fair},{regular}&sort=-{fair}")
    assert (listed.columns, listed.rows) == (
        ["Name 1", "Messe", "Stammgast"], [["Huber", "Leipzig", "✓"], ["Neue GmbH", "Graz", ""]]
    )  # fmt: skip
    assert get(operator, f"/admin/customer/?{visitors}__from=1000").keys == [customer]
    assert get(operator, f"/admin/customer/?contact.{hobby}=Segeln").keys == [customer]
    assert get(operator, "/admin/customer/?where=Messe+%3D+%27Graz%27").keys == [other]

    # Many at once.
    token = operator.post("/admin/customer/selection", json={"add": [customer, other]}).get_json()["token"]
    page = get(operator, f"/admin/customer/action/change_settings?selection={token}")
    assert {"Messe", "Stammgast"} <= set(labels(page))

    token = operator.post("/admin/customer/selection", json={"add": [customer]}).get_json()["token"]
    page = get(operator, f"/admin/customer/action/full_copy?selection={token}")
    assert "Benutzerdefinierte Felder / Vertrieb 5" in page.text, page.text[:3000]

    # The schema offers them by folder.
    page = get(operator, "/admin/import_schema/new/")
    offered = {
        group.one("summary").text.rpartition(" ")[0]: [button.text for button in group.all("button")]
        for group in page.all("details")
        if group.all("summary")
    }
    assert offered["Benutzerdefinierte Felder / Vertrieb"] == [
        "Messe", "Besucher", "Fläche", "Zusage am", "Stammgast"
    ]  # fmt: skip
    assert offered["Benutzerdefinierte Felder / allgemein"] == ["Zusatz"]
    assert offered["Benutzerdefinierte Felder - Seite Ansprechpartner"] == ["Ansprechpartner: Hobby"]

    # With values in it a definition stays; without, it goes.
    definitions = {row.label: row.id for row in CustomField.select()}
    for label, words in (("Messe", "wird verwendet: 2 Werte"), ("Zusatz", "")):
        token = operator.post("/admin/custom_field/selection", json={"add": [definitions[label]]}).get_json()["token"]
        page = get(operator, f"/admin/custom_field/action/delete?selection={token}")
        done = send(operator, page.one("form", css="stack")["action"], page.one("form", css="stack").fields())
        assert words in done.text or words in page.text, done.text[:2000]
        assert CustomField.select().where(CustomField.label == label).exists() == bool(words)
    assert "Zusatz" not in labels(tab(operator, customer, "general"))

    # What another process defines or renames is there with the next request.
    late = make_field("Nachtrag", tab="Allgemein")
    assert "Nachtrag" in labels(tab(operator, customer, "general"))
    change = ChangeSet("form")
    change.update(CustomField, int(late.partition("_")[2]), {"label": "Später", "tab": "Vertrieb"})
    change.apply(WEBER)
    assert "Nachtrag" not in labels(tab(operator, customer, "general"))
    assert "Später" in labels(tab(operator, customer, key))


@pytest.mark.engines("sqlite")
def test_defined_fields_are_merged_and_stay_with_contacts_that_move(db: Any) -> None:
    fair, number = make_field("Messe"), make_field("Stand", field_type="integer")
    hobby = make_field("Hobby", entity="contact", tab="Ansprechpartner")
    first, second = a_customer(), a_customer(name_1="Huber GmbH")
    with everybody():
        change = ChangeSet("form")
        change.update(Customer, first, {fair: "Graz"})
        change.update(Customer, second, {fair: "Wels", number: 7})
        for customer, words in ((first, "Segeln"), (second, "Go"), (second, "Segeln")):
            change.create(Contact, {"customer": customer, "name_1": "Berger", hobby: words})
        change.apply(WEBER)
        merged = plan_merge(SPEC, [first, second], first, WEBER, choices={fair: second}).change_set().apply(WEBER)
        assert [value_of(SPEC, first, name) for name in (fair, number)] == ["Wels", 7]
        kept = Contact.select().where(Contact.customer == first).order_by(Contact.id)
        assert [value_of(CONTACT, row.id, hobby) for row in kept] == ["Segeln", "Go"], "the equal one is linked"
        ChangeSet.undo(merged.change_set).apply(WEBER)
        assert [value_of(SPEC, first, name) for name in (fair, number)] == ["Graz", None]
        assert [value_of(SPEC, second, name) for name in (fair, number)] == ["Wels", 7]


@pytest.mark.req("ME-140", "ME-141")
@pytest.mark.engines("sqlite")
def test_files_bring_defined_fields_and_take_them_home(desk: Desk, operator: FlaskClient, tmp_path: Path) -> None:
    kinds = {"Messe": "text", "Besucher": "integer", "Fläche": "decimal", "Zusage": "date", "Stammgast": "bool"}
    names = {label: make_field(label, field_type=kind) for label, kind in kinds.items()}
    make_field("Hobby", entity="contact", tab="Ansprechpartner")
    CustomField.update(length=10, version=2).where(CustomField.label == "Messe").execute()
    keys = {number: a_customer(customer_number=number) for number in (10001, 10002, 10003)}

    def values(number: int) -> list[Any]:
        return [value_of(SPEC, keys[number], name) for name in names.values()]

    with everybody():
        report = desk.lines(
            ("Nummer", "Name 1", *names, "Ansprechpartner Name 1", "Ansprechpartner Hobby"),
            (10001, "Huber", "Leipzig", "1.200", "12,5", "19.3.2026", 1, "Berger", "Segeln"),
            (10002, "Huber", "Elf Zeichen", "abc", "12,3456", "31.2.2026", "ja", "", ""),
            (10003, "Huber", "", "", "", "", 1, "", ""),
            (10900, "Neu", "", 7, "", "", "", "", ""),
        )
    assert (report.changed, report.errors, report.new) == (2, 1, 2), report
    for label, words in {
        "Messe": "zu lang", "Besucher": "keine ganze Zahl", "Fläche": "zu viele Stellen", "Zusage": "kein Datum",
        "Stammgast": "weder 1 (ja) noch 0 (nein)",
    }.items():  # fmt: skip
        assert any(f"Zeile 3, Spalte „{label}“" in line and words in line for line in report.findings), "\n".join(
            report.findings
        )
    assert values(10001) == ["Leipzig", 1200, Decimal("12.50"), datetime.date(2026, 3, 19), True]
    assert values(10002) == [None, None, None, None, False]
    keys[10900] = Customer.get(Customer.customer_number == 10900).id
    assert values(10900) == [None, 7, None, None, False]
    hobby = CustomFieldValue.get(CustomFieldValue.value == "Segeln")
    assert hobby.record_id == Contact.get(Contact.name_1 == "Berger").id

    # A blank cell leaves the tick; 0, „<leer>“ and the switch take it away.
    with everybody():
        desk.lines(("Nummer", "Stammgast", "Messe"), (10001, "", "<leer>"), (10003, 0, "Wels"))
        assert (values(10001)[0], values(10001)[4], values(10003)[4]) == (None, True, False)
        desk.lines(("Nummer", "Stammgast"), (10001, "<leer>"), (10003, 1))
        assert (values(10001)[4], values(10003)[4]) == (False, True)
        desk.lines(("Nummer", "Stammgast"), (10003, ""), blank="clear")
        assert values(10003)[4] is False

    # They leave with the record, come home unchanged, and one cell that was edited is one change.
    path = exported(operator, [keys[10001], keys[10003]], tmp_path / "heim.xlsx")
    heading, first, *_rest = rows_of(path, "Kunden")
    row = dict(zip(heading, first, strict=True))
    assert [row[label] for label in names] == [None, 1200, 12.5, datetime.datetime(2026, 3, 19), "Nein"]
    assert dict(zip(*rows_of(path, "Ansprechpartner")[:2], strict=True))["Hobby"] == "Segeln"
    with everybody():
        assert run_import(path, SPEC, WEBER).unchanged == 3
        edit_cells(path, "Kunden", {(2, "Besucher"): 1300, (2, "Stammgast"): "Ja"})
        edit_cells(path, "Ansprechpartner", {(2, "Hobby"): "Go"})
        report = run_import(path, SPEC, WEBER)
    assert (report.changed, report.errors, report.conflicts) == (2, 0, 0), report
    assert (values(10001)[1], values(10001)[4]) == (1300, True)

    assert CustomFieldValue.get(CustomFieldValue.id == hobby.id).value == "Go"

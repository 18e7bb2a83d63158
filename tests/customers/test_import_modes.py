"""The modes of an import: Neu, Ersetzen with and without insertion, Löschen; each row does what it says or is named."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from actions.import_sheet import ImportReport, run_import
from domain.settings import current_setting
from domain.trade import SalesOrder
from domain.values.company import Employee
from domain.values.countries import Territory
from domain.values.groups import Category
from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import AppAdminError, FaultList, NotAllowed
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.sheets import storage
from flask_appadmin.sheets.inbox import inbox
from flask_appadmin.sheets.sessions import ImportRun, ImportSchema, ImportSchemaField
from flask_appadmin.specs import spec_of
from models import Address, Contact, Customer, CustomerCategory
from tests.customers.test_spreadsheets import apply, follow, run_of, upload
from tests.spreadsheets import form_values, tiles_of, words_of

WEBER = system_operator("Frau Weber")
SPEC = spec_of(Customer)
CATEGORY = {"Kategorie": "STANDARD"}


def store(model: Any, **values: Any) -> Any:
    change = ChangeSet("import")
    record = change.create(model, values)
    change.apply(WEBER)
    return model.get_by_id(record.key)


class Desk:
    """Writes small lists and takes them in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def lines(self, *rows: Sequence[Any], **options: Any) -> ImportReport:
        path = self.folder / "liste.csv"
        path.write_text("\n".join(";".join(map(str, row)) for row in rows) + "\n", "utf-8")
        return run_import(path, SPEC, options.pop("operator", WEBER), **options)


@pytest.fixture
def desk(db: Any, tmp_path: Path) -> Desk:
    for name in ("STANDARD", "HÄNDLER", "A", "B", "C"):
        store(Category, name=name)
    store(Employee, number="7", name="Kern")
    store(Territory, code="NORD", name="Nord")
    store(Territory, code="SUED", name="Süd")
    return Desk(tmp_path)


def of(number: int) -> Any:
    return Customer.get(Customer.customer_number == number)


def categories(number: int) -> list[str]:
    query = CustomerCategory.select().where(CustomerCategory.customer == of(number).id)
    return [row.category.name for row in query.order_by(CustomerCategory.sequence_number)]


@pytest.mark.req("ME-01", "ME-02", "ME-04", "ME-08", "ME-09", "ME-10", "ME-11", "ME-12", "ME-13", "ME-14", "ME-15")
@pytest.mark.req("ME-17", "ME-20", "ME-21", "ME-94", "ME-95", "ME-96")
@pytest.mark.req("ME-16", "ME-19", partly=True)
@pytest.mark.engines("sqlite")
def test_each_row_is_new_or_replaces_or_is_named_with_its_reason(desk: Desk, tmp_path: Path) -> None:
    store(Customer, customer_number=10001, name_1="Huber", city="Graz", remark="x")
    head = ("Nummer", "Name 2", "Ort")

    # Neu: only what is not there yet, and never without the category of the dialog.
    with pytest.raises(FaultList, match="Kategorie"):
        desk.lines(head, (10900, "Huber GmbH", "Wien"), mode="new")
    with pytest.raises(AppAdminError, match="XYZ"):
        desk.lines(head, (10900, "Huber GmbH", "Wien"), mode="new", defaults={"Kategorie": "XYZ"})
    assert not ImportRun.select().exists()
    report = desk.lines(head, (10001, "Neu", "Wien"), (10900, "Huber GmbH", "Wien"), mode="new", defaults=CATEGORY)
    assert (report.new, report.changed, report.errors) == (1, 0, 1)
    assert "Zeile 2" in report.findings[0] and "Kundennummer bereits vorhanden" in report.findings[0]
    assert (of(10001).name_2, of(10001).city) == (None, "Graz")
    assert (str(of(10900).name_2), categories(10900)) == ("Huber GmbH", ["STANDARD"])
    title = SPEC.title_of({"customer_number": 10900, "name_1": None, "name_2": of(10900).name_2})
    assert "Huber GmbH" in title

    # Ersetzen: with a key only, unknown ones only where they may be inserted.
    with pytest.raises(FaultList, match="Zum Ersetzen braucht es einen Schlüssel"):
        desk.lines(("Name 2", "Ort"), ("Huber", "Wien"), mode="replace")
    report = desk.lines(head, (10001, "Alt", "Linz"), (10901, "Neu", "Wien"), mode="replace")
    assert (report.new, report.changed, report.skipped) == (0, 1, 1)
    assert "Zeile 3" in report.findings[0] and "nicht vorhanden" in report.findings[0]
    assert (of(10001).city, of(10001).remark) == ("Linz", "x")
    with pytest.raises(FaultList, match="Kategorie"):
        desk.lines(head, (10901, "Neu", "Wien"), mode="replace", insert_missing=True)
    report = desk.lines(head, (10901, "Neu", "Wien"), mode="replace", insert_missing=True, defaults=CATEGORY)
    assert (report.new, categories(10901)) == (1, ["STANDARD"])

    # The category of the dialog stands in for what is missing or unknown in new records, and nowhere else.
    report = desk.lines(
        ("Nummer", "Name 2", "Kategorie"),
        (11001, "A", "HÄNDLER"), (11002, "B", ""), (11003, "C", "XYZ"), (10001, "Alt", "XYZ"), (10901, "Neu", ""),
        mode="replace", insert_missing=True, defaults=CATEGORY,
    )  # fmt: skip
    assert (report.new, report.errors, report.unchanged) == (3, 1, 1), report
    assert [categories(number) for number in (11001, 11002, 11003)] == [["HÄNDLER"], ["STANDARD"], ["STANDARD"]]
    assert any("Zeile 4" in line and "XYZ" in line and "STANDARD" in line for line in report.findings)
    assert any("Zeile 5" in line and "„XYZ“" in line for line in report.findings)
    assert (categories(10001), categories(10901)) == ([], ["STANDARD"])

    # Numbers, names, clerks and codes of tables.
    wrong = {
        "Nummer": ["1234567890", "12A"],
        "Name 2": ["", "X" * 61],
        "Bearbeiter": ["", "99"],
        "Gebiet": ["WEST"],
        "Frachtfrei": ["vielleicht"],
    }
    good = {"Nummer": "999999999", "Name 2": "Huber GmbH", "Bearbeiter": "7", "Gebiet": " nord ", "Frachtfrei": "1"}
    rows = [{**good, name: cell} for name, cells in wrong.items() for cell in cells]
    rows = [{**row, "Nummer": row["Nummer"] if "Nummer" in wrong and row["Nummer"] != good["Nummer"] else 12000 + at}
            for at, row in enumerate(rows)]  # fmt: skip
    more = [{**good, "Nummer": number} for number in (13001, 13002)]
    report = desk.lines(
        tuple(good), *(tuple(row.values()) for row in (*rows, good, *more)), mode="new", defaults=CATEGORY
    )
    assert (report.new, report.errors) == (3, 8), report
    labels = ["Nummer", "Nummer", "Name", "Name 2", "Bearbeiter", "Bearbeiter", "Gebiet", "Frachtfrei"]
    for number, label in enumerate(labels, 2):
        told = [line for line in report.findings if line.startswith(f"Zeile {number}, ")]
        assert len(told) == 1 and f"Spalte „{label}" in told[0], (number, label, report.findings)
    made = of(999999999)
    assert (made.clerk.number, made.territory.code, made.freight_free) == ("7", "NORD", True)

    # Frachtfrei: 0 takes the tick away, a blank cell changes nothing.
    assert desk.lines(("Nummer", "Frachtfrei"), (999999999, ""), mode="replace").unchanged == 1
    desk.lines(("Nummer", "Frachtfrei"), (999999999, 0), mode="replace")
    assert of(999999999).freight_free is False

    # Without automatic numbering a row needs its number.
    assert desk.lines(("Name 2",), ("Ohne Nummer",), mode="new", defaults=CATEGORY).new == 1
    setting = current_setting()
    change = ChangeSet("form")
    change.update(type(setting), setting.id, {"auto_customer_number": False})
    change.apply(WEBER)
    report = desk.lines(("Name 2",), ("Noch einer",), mode="new", defaults=CATEGORY)
    assert (report.new, report.errors) == (0, 1)
    assert "Kunden-Nr." in report.findings[0] and "nicht automatisch nummeriert" in report.findings[0]

    # Categories by their place.
    for number, name, expected in ((0, "C", "CB"), (1, "C", "AC"), (2, "C", "ABC"), (7, "C", "ABC"),
                                   ("", "B", "AB"), ("", "C", "ABC")):  # fmt: skip
        CustomerCategory.delete().where(CustomerCategory.customer == of(10001).id).execute()
        for each in "AB":
            store(CustomerCategory, customer=of(10001).id, category=Category.get(Category.name == each).id)
        cells = ("Nummer", "Kategorie", "Kategorie des Kunden Lfd.Nr."), (10001, name, number)
        rows = [row if number != "" else row[:2] for row in cells]
        report = desk.lines(*rows, mode="replace")
        assert (report.errors, "".join(categories(10001))) == (0, expected), (number, name, report)

    # Faulty rows stay away, the others come in, and the report lists them as a file.
    lines = [(20000 + at, f"Kunde {at}", "x" if at in (3, 50) else "") for at in range(100)]
    out = tmp_path / "bericht.csv"
    report = desk.lines(("Nummer", "Name 2", "E-Mail"), *lines, mode="new", defaults=CATEGORY, report=out)
    assert (report.new, report.errors) == (98, 2)
    told = list(csv.DictReader(io.StringIO(out.read_text("utf-8-sig")), delimiter=";"))
    assert [(row["Zeile"], row["Feld"], row["Wert"]) for row in told] == [("5", "E-Mail", "x"), ("52", "E-Mail", "x")]
    assert all("keine E-Mail-Adresse" in row["Grund"] for row in told)


@pytest.mark.req("ME-05", "ME-127", "ME-128", "ME-129", "ME-130", "ME-131")
@pytest.mark.engines("sqlite", later="postgresql")
def test_a_file_removes_what_its_marks_say_and_nothing_else(desk: Desk) -> None:
    for number in (10001, 10002):
        owner = store(Customer, customer_number=number, name_1="Huber")
        for at in range(3):
            store(Contact, customer=owner.id, name_1=f"C{at}")
            store(Address, customer=owner.id, street=f"Weg {at}", is_delivery=True)
        for name in "ABC":
            store(CustomerCategory, customer=owner.id, category=Category.get(Category.name == name).id)

    def left(number: int) -> tuple[list[str], int, str]:
        contacts = [
            row.name_1 for row in Contact.select().where(Contact.customer == of(number).id).order_by(Contact.id)
        ]
        addresses = Address.select().where(Address.customer == of(number).id).count()
        return contacts, addresses, "".join(categories(number))

    whole = (["C0", "C1", "C2"], 3, "ABC")
    contact = ("Nummer", "Ansprechpartner Lfd.Nr.", "Löschen Ansprechpartner Lfd.Nr.")
    address = ("Nummer", "Löschen Anschriften Lfd.Nr.")
    category = ("Nummer", "Kategorie", "Löschen Kategorie")
    refused = {
        contact: (
            ((10001, 9, "*"), "„9“ ist unter „Ansprechpartner“ dieses Datensatzes nicht vorhanden"),
            ((10001, 2, "x"), "„x“ ist keine Löschmarke"),
            ((10001, "", "*"), "„Lfd.Nr.“ derselben Zeile"),
            ((10009, 1, "*"), "„10009“ ist nicht vorhanden"),
            (("", 1, "*"), "Bitte angeben, wer gemeint ist"),
        ),
        category: (
            ((10001, "STANDARD", "*"), "„STANDARD“ ist unter „Kategorien“ dieses Datensatzes nicht vorhanden"),
            ((10001, "XYZ", "*"), "„XYZ“ ist unter „Kundenkategorien“ nicht vorhanden"),
        ),
    }
    for heading, cases in refused.items():
        report = desk.lines(heading, *(row for row, _sentence in cases), mode="delete")
        assert (report.deleted, report.errors) == (0, len(cases)), report
        for (row, sentence), told in zip(cases, report.findings, strict=True):
            assert sentence in told, (row, told)
    report = desk.lines(contact, (10001, 2, ""), mode="delete")
    assert (report.deleted, report.errors, report.unchanged, left(10001)) == (0, 0, 1, whole)

    # Nothing goes without the number of what goes.
    for confirmed in (None, 2):
        with pytest.raises(AppAdminError, match=r"1 Ansprechpartner, 0 Anschriften, 0 Kategorien"):
            desk.lines(contact, (10001, 2, "*"), mode="delete", confirmed=confirmed)
    dry = desk.lines(contact, (10001, 2, "*"), mode="delete", dry_run=True)
    assert (dry.deleted, left(10001)) == (1, whole)
    clerk = Operator(None, "Neu", frozenset({"customer.read", "customer.edit", "import.replace", "import.delete"}))
    with pytest.raises(NotAllowed):
        desk.lines(contact, (10001, 2, "*"), mode="delete", confirmed=1, operator=clerk)

    report = desk.lines(contact, (10001, 2, "*"), (10001, 2, "*"), mode="delete", confirmed=1)
    assert (report.deleted, report.errors, left(10001)) == (1, 1, (["C0", "C2"], 3, "ABC"))
    report = desk.lines(contact, (10001, 1, "*"), (10001, 3, "*"), mode="delete", confirmed=2)
    assert (report.deleted, left(10001)) == (2, ([], 3, "ABC"))
    report = desk.lines(address, (10001, "***"), mode="delete", confirmed=3)
    assert (report.deleted, left(10001), left(10002)) == (3, ([], 0, "ABC"), whole)
    report = desk.lines(category, (10001, "B", "*"), (10002, "", "***"), mode="delete", confirmed=4)
    assert (report.deleted, left(10001), left(10002)) == (4, ([], 0, "AC"), (*whole[:2], ""))
    change = ChangeSet.undo(report.change_set or 0).apply(WEBER)
    assert (change.count, left(10002)) == (4, whole)
    assert Customer.select().count() == 2

    # Whole customers go as from the list: drafts with everything, others are anonymised, some stay with their reason.
    draft = store(Customer, customer_number=10003, name_1="Entwurf")
    Customer.update(status="draft").where(Customer.id == draft.id).execute()
    busy = store(Customer, customer_number=10004, name_1="Beschäftigt")
    store(SalesOrder, customer=busy.id, number="A1", status="open")
    number = ("Nummer", "Löschen Nummer")
    rows = ((10003, "*"), (10004, "*"), (10002, "***"), (10001, "*"), (10002, ""))
    with pytest.raises(AppAdminError, match="2 Kunden"):
        desk.lines(number, *rows, mode="delete", confirmed=3)
    uploads = storage.uploads(desk.folder)
    naming, other = (
        uploads.save(io.BytesIO(text.encode())) for text in ("Nummer;Name\n1;Huber", "Nummer;Name\n1;Zirbel")
    )
    report = desk.lines(number, *rows, mode="delete", confirmed=2, instance=desk.folder)
    assert (report.deleted, report.errors) == (2, 2), report
    assert (uploads.has(naming), uploads.has(other)) == (False, True)
    told = " ".join(report.findings)
    assert "Zeile 3" in told and "offene Aufträge" in told and "Hier ist nur * möglich" in told, report.findings
    stored = dict(Customer.select(Customer.customer_number, Customer.status).tuples())
    assert stored == {10001: "anonymised", 10002: "active", 10004: "active"}
    assert (of(10001).name_1, of(10004).name_1) == ("Anonymisiert", "Beschäftigt")


def mapped(client: FlaskClient, page: str, url: str, **changed: str) -> tuple[str, str]:
    return follow(client, client.post(url, data={**form_values(page), "_do": "preview", **changed}))


@pytest.mark.req("ME-15", "ME-16", "ME-126", "ME-132")
@pytest.mark.engines("sqlite")
def test_the_pages_ask_for_the_category_and_for_the_number_of_what_goes(desk: Desk, operator: FlaskClient) -> None:
    """Trust case 116: nothing goes without the right, the rehearsal and the number typed in."""
    path = desk.folder / "liste.csv"
    path.write_text("Nummer;Name 2\n10001;Huber\n10002;Kern\n", "utf-8")
    page, url = follow(operator, upload(operator, path))
    assert 'data-lookup="/admin/category/lookup' in page and "Kategorie für Neue" in page and "data-browse" in page
    assert "nicht gefundene Nummern einfügen" in words_of(page)
    listed = operator.get("/admin/category/lookup?all=1&query=&limit=50").get_json()
    assert {"STANDARD", "HÄNDLER"} <= {entry["text"] for entry in listed}
    name = "default-customer_category.category_text"
    for typed, sentence in (("", "Bitte angeben: „Kategorie“"), ("XYZ", "„XYZ“ ist unter „Kundenkategorien“ nicht")):
        answer = operator.post(url, data={**form_values(page), "_do": "preview", "mode": "new", name: typed})
        assert answer.status_code == 422 and sentence in answer.get_data(as_text=True), typed
    shown, _url = mapped(operator, page, url, mode="new", **{name: "STANDARD"})
    assert tiles_of(shown)["neu"] == 2 and "Kategorie des Kunden: STANDARD" in words_of(shown), words_of(shown)
    apply(operator, shown)
    assert (categories(10001), categories(10002)) == (["STANDARD"], ["STANDARD"])
    again, url = follow(operator, upload(operator, path))
    shown, _url = mapped(operator, again, url, mode="replace")
    assert tiles_of(shown)["unverändert"] == 2

    for at in range(2):
        store(Contact, customer=of(10001).id, name_1=f"C{at}")
    marks = "Ansprechpartner Lfd.Nr.;Löschen Ansprechpartner Lfd.Nr.;Löschen Anschriften Lfd.Nr.;Kategorie"
    marks += ";Löschen Kategorie"
    path.write_text(f"Nummer;{marks}\n10001;1;*;;;\n10001;2;*;;STANDARD;*\n10002;7;*;;;\n10002;;x;;;\n", "utf-8")
    page, url = follow(operator, upload(operator, path))
    assert "Kennz. „Löschen“" not in page and "nur mit der Import-Art „Löschen“" in words_of(page)
    page, url = mapped(operator, page, url, mode="delete")
    assert "/mapping?" in url and "Kennz. „Löschen“" in page
    values = form_values(page)
    assert [values[f"col-{index}"] for index in range(6)] == [
        "customer_number", "contact.sequence_number", "#delete:contact", "#delete:address",
        "customer_category.category", "#delete:customer_category",
    ]  # fmt: skip
    page, url = mapped(operator, page, url, schema_name="Weg damit")
    tiles = tiles_of(page)
    counts = [tiles[name] for name in ("Anschriften", "Ansprechpartner", "Kategorien", "Kunden", "Fehler")]
    assert counts == [0, 2, 1, 0, 2] and "3 löschen" in page
    assert (Contact.select().count(), categories(10001)) == (2, ["STANDARD"])
    told = operator.get(f"/admin/imports/report?id={run_of(page)}").get_data(as_text=True)
    assert "keine Löschmarke" in told and ";Lfd.Nr.;7;ist unter „Ansprechpartner“" in told
    token = form_values(page)["plan"]
    for count in ("", "2", "drei"):
        answer = operator.post(f"/admin/imports/apply?id={run_of(page)}", data={"plan": token, "count": count})
        shown, _url = follow(operator, answer)
        assert "Es wurde nichts gelöscht" in words_of(shown) and Contact.select().count() == 2
    answer = operator.post(f"/admin/imports/apply?id={run_of(page)}", data={"plan": token, "count": "3"})
    done, _url = follow(operator, answer)
    assert "3 Datensätze übernommen." in words_of(done)
    assert (Contact.select().count(), categories(10001), categories(10002)) == (0, [], ["STANDARD"])

    # Such columns exist in schemas of this mode only.
    schema = ImportSchema.get(ImportSchema.name == "Weg damit")
    assert schema.import_mode == "delete"
    change = ChangeSet("form")
    change.update(ImportSchema, schema.id, {"import_mode": "replace"})
    with pytest.raises(FaultList, match="Löschspalten gehören zur Import-Art"):
        change.apply(WEBER)
    other = store(ImportSchema, name="Anders", entity="customer", import_mode="replace")
    with pytest.raises(FaultList, match="nur in einem Importschema mit der Import-Art"):
        store(ImportSchemaField, import_schema=other.id, source_column="x", target="#delete:contact")


@pytest.mark.engines("sqlite")
def test_a_file_in_the_inbox_is_taken_in_by_hand_and_once(desk: Desk, app: Flask, operator: FlaskClient) -> None:
    """Trust case 120: only what lies in the inbox, a missing file is a sentence, the same file has no second effect."""
    folder = inbox(Path(app.config["INSTANCE"]))
    (folder / "kunden.csv").write_text("Nummer;Name 2\n10001;Huber\n", "utf-8")
    secret = desk.folder / "geheim.csv"
    secret.write_text("Nummer;Name 2\n1;Geheim\n", "utf-8")
    (folder / "verweis.csv").symlink_to(secret)
    page = operator.get("/admin/imports/?model=customer").get_data(as_text=True)
    assert "Geplant" in words_of(page) and "kunden.csv" in page and "verweis.csv" not in page

    def take(name: str) -> Any:
        return operator.post("/admin/imports/upload", data={"model": "customer", "waiting": name})

    for name in (f"../{secret.name}", str(secret), "../../etc/passwd", "verweis.csv", "fehlt.csv", ".."):
        answer = take(name)
        assert answer.status_code == 422 and "liegt nicht im Eingangsordner" in answer.get_data(as_text=True), name
    assert not ImportRun.select().exists()
    page, url = follow(operator, take("kunden.csv"))
    page, url = mapped(operator, page, url)
    apply(operator, page)
    assert Customer.select().count() == 1
    again = take("kunden.csv")
    assert again.status_code == 422 and "wurde schon am" in words_of(again.get_data(as_text=True))
    assert (Customer.select().count(), ImportRun.select().count()) == (1, 1)

"""Lists come in and go out through the pages, as operators do it: real files, previews, decisions, and the way back."""

from __future__ import annotations

import datetime
import io
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient

import admin_app
from actions.import_sheet import run_import
from flask_appadmin import jobs
from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import fixed_clock, utcnow
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.jobs import Job
from flask_appadmin.rights import Operator, User, operator_of, system_operator
from flask_appadmin.selections import Selection
from flask_appadmin.sheets.sessions import ImportRow, ImportRun
from flask_appadmin.specs import spec_of
from flask_appadmin.views import export_page
from flask_appadmin.views.imports import downloads, running, uploading
from models import Contact, Customer
from tests.spreadsheets import edit_cells, form_values, photograph, rows_of, tiles_of, words_of, write_csv

# Pages: what they write and ask is tested on both engines where it is done.
pytestmark = pytest.mark.engines("sqlite", later="postgresql")

SPEC = spec_of(Customer)


def upload(client: FlaskClient, path: Path, name: str = "", **fields: str) -> Any:
    content = {"model": "customer", "file": (io.BytesIO(path.read_bytes()), name or path.name), **fields}
    return client.post("/admin/imports/upload", data=content, content_type="multipart/form-data")


def follow(client: FlaskClient, answer: Any) -> tuple[str, str]:
    """The page that an answer leads to, and its address."""
    url = ""
    while answer.status_code in (302, 303):
        url = answer.location
        answer = client.get(url)
    assert answer.status_code == 200, answer.get_data(as_text=True)[-2000:]
    return answer.get_data(as_text=True), url


def run_of(page: str) -> int:
    found = re.search(r"/admin/imports/\w+\?id=(\d+)", page)
    assert found is not None
    return int(found.group(1))


def apply(client: FlaskClient, page: str) -> Any:
    return client.post(f"/admin/imports/apply?id={run_of(page)}", data={"plan": form_values(page)["plan"]})


# --- real lists -----------------------------------------------------------------------------------------------------


@pytest.mark.engines("sqlite", later="postgresql")
def test_northwind_comes_in_through_the_pages(operator: FlaskClient, customers: Path) -> None:
    path = customers / "northwind" / "kunden.utf8bom-semikolon.csv"
    page, url = follow(operator, upload(operator, path))
    assert "/mapping?" in url
    values = form_values(page)
    assert [values[f"col-{index}"] for index in (0, 1, 2, 7)] == [
        "external_customer_id",
        "name_1",
        "contact.name_1",
        "postal_code",
    ]
    assert values["key"] == "external_customer_id"
    page, url = follow(operator, operator.post(url, data={**values, "_do": "preview"}))
    assert "/preview?" in url
    assert tiles_of(page)["neu"] == 91
    assert "91 Kunden anlegen" in page
    assert Customer.select().count() == 0
    done = apply(operator, page)
    again = apply(operator, page)
    assert ChangeSetRecord.select().where(ChangeSetRecord.kind == "import").count() == 1
    page, _url = follow(operator, again)
    assert "91 Datensätze übernommen." in words_of(page)
    assert (Customer.select().count(), Contact.select().count()) == (91, 91)
    first = Customer.get(Customer.external_customer_id == "ALFKI")
    assert (first.name_1, first.postal_code, first.city) == ("Alfreds Futterkiste", "12209", "Berlin")
    assert first.customer_number >= 10_000
    assert Customer.get(Customer.external_customer_id == "MORGK").postal_code == "04179"

    # The same list once more: nothing to do.
    page, url = follow(operator, upload(operator, path))
    assert "91 der ersten 91 Werte sind im Bestand." in words_of(page)
    page, url = follow(operator, operator.post(url, data={**form_values(page), "_do": "preview"}))
    counts = tiles_of(page)
    assert (counts["neu"], counts["geändert"], counts["unverändert"]) == (0, 0, 91)

    # And back: the import leaves no trace but its history.
    number = ChangeSetRecord.get(ChangeSetRecord.kind == "import").id
    assert operator.post(f"/admin/operations/undo?id={number}").status_code == 302
    assert (Customer.select().count(), Contact.select().count()) == (0, 0)
    assert done.status_code == 302


@pytest.mark.engines("sqlite")
def test_northwind_comes_in_in_all_its_wrappings(clerk: Operator, customers: Path) -> None:
    wrappings = sorted((customers / "northwind").glob("kunden.*"))
    assert wrappings
    for path in wrappings:
        report = run_import(path, SPEC, clerk)
        # In one of them the codes are numbers: those like "05021" lost their zeros, and wait for a word.
        lost = sum("führenden Nullen" in finding and "Zeile" in finding[:6] for finding in report.findings)
        assert report.errors == lost == (8 if "plz-als-zahl" in path.name else 0), (path.name, report.findings)
        # The second and every further one is known by its keys.
        assert report.new == (91 if path is wrappings[0] else 0), (path.name, report.findings[:3])
    assert Customer.select().count() == 91
    assert Customer.get(Customer.external_customer_id == "ALFKI").name_1 == "Alfreds Futterkiste"


def test_the_austrian_banks_come_in(clerk: Operator, customers: Path) -> None:
    (path,) = (customers / "banken_at").glob("*.csv")
    report = run_import(path, SPEC, clerk)
    assert (report.new, report.errors) == (874, 0)
    assert Customer.select().count() == 874
    names = {row.city for row in Customer.select(Customer.city)}
    assert {"Mayrhofen", "Zistersdorf", "Wien"} <= names
    assert any("ß" in (row.street or "") or "ö" in row.name_1 for row in Customer.select())
    assert not any("Ã" in (row.name_1 or "") for row in Customer.select(Customer.name_1))


@pytest.mark.soak
@pytest.mark.engines("sqlite")
def test_the_schools_of_nrw_come_in_as_a_job(app: Flask, operator: FlaskClient, customers: Path) -> None:
    (path,) = (customers / "schulen_nrw").glob("*.csv")
    page, url = follow(operator, upload(operator, path))
    page, url = follow(operator, operator.post(url, data={**form_values(page), "_do": "preview"}))
    assert "/run?" in url and "Sie können diese Seite verlassen" in page
    assert jobs.run_waiting() == 1
    page, url = follow(operator, operator.get(url))
    assert tiles_of(page)["neu"] == 5507
    page, url = follow(operator, apply(operator, page))
    assert jobs.run_waiting() == 1
    page, url = follow(operator, operator.get(url))
    assert "5.507 Datensätze übernommen." in words_of(page)
    assert Customer.select().count() == 5507
    row = Customer.get(Customer.city == "Unna")
    assert re.fullmatch(r"0\d+ \d+", row.phone)
    again = run_import(path, SPEC, system_operator("Kommandozeile"), dry_run=True)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 5507)


# --- a workbook that comes home -------------------------------------------------------------------------------------


@pytest.fixture
def three(clerk: Operator) -> list[int]:
    change = ChangeSet("form")
    made = [
        change.create(Customer, {"customer_number": number, "name_1": name, "postal_code": code, "city": city, **more})
        for number, name, code, city, more in (
            (10001, "Müller GmbH", "01307", "Dresden", {"phone": "0351 1", "fax": "0351 2"}),
            (10002, "Bäcker OG", "1010", "Wien", {"hint": "nur vormittags"}),
            (10003, "Café Süß", "8010", "Graz", {"street": "Ring 3"}),
        )
    ]
    for name in ("Ilse", "Otto"):
        change.create(Contact, {"customer": made[0], "name_1": name})
    change.apply(clerk)
    return [record.key or 0 for record in made]


def exported(client: FlaskClient, keys: list[int], target: Path, **fields: Any) -> Path:
    """Marks these customers and exports them through the page."""
    user = User.get(User.username == "weber")
    token = Selection.of_keys(SPEC, operator_of(user), keys).store().token
    page = client.get(f"/admin/customer/action/export_sheet?selection={token}").get_data(as_text=True)
    columns = re.findall(r'name="column" value="(\w+)" checked', page)
    sheets = re.findall(r'name="sheet" value="(\w+)" checked', page)
    posted = {"token": token, "format": "xlsx", "column": columns, "sheet": sheets, **fields}
    answer = client.post("/admin/customer/action/export_sheet", data=posted)
    assert answer.status_code == 200, words_of(answer.get_data(as_text=True))
    target.write_bytes(answer.data)
    answer.close()
    return target


@pytest.mark.req("SC-40", "SC-41")
def test_marked_customers_are_exported_with_their_children(
    three: list[int], operator: FlaskClient, tmp_path: Path
) -> None:
    path = exported(operator, three[:2], tmp_path / "kunden.xlsx")
    headings, *rows = rows_of(path, "Kunden")
    assert headings[0] == "Kunden-Nr."
    assert [row[0] for row in rows] == [10001, 10002]
    sheets = openpyxl.load_workbook(path).sheetnames
    assert sheets[0] == "Kunden"
    assert sorted(sheets[1:5]) == ["Anschriften", "Ansprechpartner", "Bankverbindungen", "Kategorien"]
    headings, *rows = rows_of(path, "Ansprechpartner")
    assert [dict(zip(headings, row, strict=True))["Name 1"] for row in rows] == ["Ilse", "Otto"]
    assert headings[:2] == ["Kunden-Nr.", "Lfd.Nr."]
    assert [row[:2] for row in rows] == [[10001, 1], [10001, 2]]

    path = exported(operator, three[:2], tmp_path / "kunden.csv", format="csv", table="customer")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("Kunden-Nr.;") and len(lines) == 3
    path = exported(operator, three[:2], tmp_path / "partner.csv", format="csv", table="contact")
    assert len(path.read_text(encoding="utf-8-sig").splitlines()) == 3


@pytest.mark.req("SC-13", partly=True)
def test_nothing_marked_exports_nothing(three: list[int], operator: FlaskClient) -> None:
    answer = operator.post("/admin/customer/action/export_sheet", data={"format": "xlsx", "column": "name_1"})
    assert answer.status_code == 400
    assert "Bitte markieren Sie mindestens einen Kunden." in answer.get_data(as_text=True)


def test_an_export_without_columns_or_in_an_unknown_format_is_refused(three: list[int], operator: FlaskClient) -> None:
    token = Selection.of_keys(SPEC, operator_of(User.get(User.username == "weber")), three).store().token
    for fields in ({"format": "xlsx"}, {"format": "exe", "column": "name_1"}):
        answer = operator.post("/admin/customer/action/export_sheet", data={"token": token, **fields})
        assert answer.status_code == 422
        assert "Es wurde nichts exportiert." in answer.get_data(as_text=True)


@pytest.fixture
def edited(three: list[int], operator: FlaskClient, tmp_path: Path) -> Path:
    """An exported workbook with five edits, three of them on values that somebody else changed meanwhile."""
    path = exported(operator, three, tmp_path / "kunden-oktober.xlsx")
    change = ChangeSet("form")
    change.update(Customer, three[0], {"city": "Pirna", "phone": "0351 99"})
    change.update(Customer, three[1], {"hint": "nur nachmittags"})
    change.apply(system_operator("Herr Berger"))
    edit_cells(
        path,
        "Kunden",
        {
            (2, "Ort"): "Radebeul",
            (2, "Telefon"): None,
            (2, "Telefax"): None,
            (3, "Hinweis"): "nie",
            (4, "Straße"): "Ring 4",
            (4, "E-Mail"): "quatsch",
            (5, "Name 1"): "Müller GmbH",
            (5, "PLZ"): "01307",
        },
    )
    return path


@pytest.mark.req("SC-42", partly=True)
def test_conflicts_are_decided_cell_by_cell(edited: Path, three: list[int], operator: FlaskClient) -> None:
    """trust.md case 114: what was edited here since the export is asked, cell by cell."""
    page, url = follow(operator, upload(operator, edited))
    assert "/preview?" in url
    assert tiles_of(page) == {
        "neu": 1, "geändert": 0, "Konflikte": 2, "Fehler": 1, "vielleicht doppelt": 1, "unverändert": 2,
    }  # fmt: skip
    words = words_of(page)
    assert "Ort Dresden Pirna Herr Berger" in words and "Radebeul" in words
    assert "(leer: Wert löschen)" in words
    assert "2 Werte werden geleert" in words
    assert "Export vom" in words and "von Frau Weber" in words
    run = run_of(page)
    row = ImportRow.get(ImportRow.run == run, ImportRow.row_number == 2)
    # Nothing of a conflict is taken unless it is chosen: the fax alone and the new customer.
    assert "2 Zeilen übernehmen" in words
    before = form_values(page)["plan"]
    choose = f"/admin/imports/choose?id={run}&show=conflict"
    page, _url = follow(operator, operator.post(choose, data={"choose": f"{row.id}|city|mine"}))
    new = ImportRow.get(ImportRow.run == run, ImportRow.state == "new")
    page, _url = follow(operator, operator.post(choose, data={"choose": f"{new.id}|*|skip"}))
    assert "1 Änderung übernehmen" in words_of(page)
    # A page that shows another plan than the one that stands cannot apply it.
    stale = operator.post(f"/admin/imports/apply?id={run}", data={"plan": before})
    assert "hat sich inzwischen geändert" in words_of(follow(operator, stale)[0])
    assert ImportRun.get_by_id(run).state == "preview"
    page, _url = follow(operator, operator.get(f"/admin/imports/preview?id={run}"))
    page, _url = follow(operator, apply(operator, page))
    assert "1 Datensatz übernommen." in words_of(page)
    # The counts say what was done, no longer what was planned, and add up to the rows of the file.
    assert tiles_of(page) == {
        "neu": 0, "geändert": 0, "zum Teil übernommen": 1, "unverändert": 2, "ausgelassen": 1, "im Konflikt": 1,
        "fehlerhaft": 1,
    }  # fmt: skip
    told = "6 Zeilen: 1 zum Teil übernommen, 2 unverändert, 1 fehlerhaft, 1 im Konflikt, 1 ausgelassen."
    assert told in words_of(page)
    first = Customer.get_by_id(three[0])
    assert (first.city, first.phone, first.fax) == ("Radebeul", "0351 99", None)
    assert Customer.get_by_id(three[1]).hint == "nur nachmittags"
    third = Customer.get_by_id(three[2])
    assert (third.street, third.email) == ("Ring 3", None)
    assert Customer.select().count() == 3
    assert "Zeile" in words_of(page) and "quatsch" in words_of(page)


def test_all_conflicts_are_decided_at_once(edited: Path, three: list[int], operator: FlaskClient) -> None:
    def brought(*choices: str) -> tuple[str, tuple[Any, ...]]:
        """Decides all conflicts so, or one („<field>|<choice>“), and applies; the result page and what is written."""
        page, _url = follow(operator, upload(operator, edited))
        run = run_of(page)
        assert tiles_of(page)["Konflikte"] == 2 and "Stand beim Export" in words_of(page)
        for choice in choices:
            field, _bar, value = choice.rpartition("|")
            row = next((row for row in ImportRow.select().where(ImportRow.run == run) if field in row.plan), None)
            decision = {"choose": f"{row.id}|{choice}"} if row is not None and field else {"choose_all": value}
            answer = operator.post(f"/admin/imports/choose?id={run}&show=conflict", data=decision)
            page, _url = follow(operator, answer)
        page, url = follow(operator, apply(operator, page))
        first = Customer.get_by_id(three[0])
        return url, (first.city, first.phone, Customer.get_by_id(three[1]).hint)

    def taken_back(url: str) -> str:
        operator.post(f"/admin/operations/undo?id={ImportRun.get_by_id(run_of(url)).change_set_id}")
        assert photograph(SPEC) == before
        return operator.get(url).get_data(as_text=True)

    before = photograph(SPEC)
    url, values = brought("mine", "theirs", "mine")
    assert values == ("Radebeul", None, "nie")
    done = {"neu": 1, "geändert": 2, "unverändert": 2, "fehlerhaft": 1}
    assert tiles_of(operator.get(url).get_data(as_text=True)) == done
    page = taken_back(url)
    words = words_of(page)
    assert re.search(r"wurde am [\d.]+,? [\d:]+ von Frau Weber zurückgenommen", words) and "Fertig" not in words, words
    assert tiles_of(page) == done and "Import zurücknehmen" not in words
    assert "zurückgenommen" in words_of(operator.get("/admin/imports/").get_data(as_text=True))

    # „Stand beim Export“: neither the file nor what somebody else wrote meanwhile, for all conflicts or for one.
    url, values = brought("base")
    assert values == ("Dresden", "0351 1", "nur vormittags")
    taken_back(url)
    url, values = brought("theirs", "city|base", "phone|mine")
    assert values == ("Dresden", None, "nur nachmittags")
    taken_back(url)


def test_doors_lead_to_their_rows(edited: Path, operator: FlaskClient) -> None:
    page, _url = follow(operator, upload(operator, edited))
    run = run_of(page)
    shown = {}
    for door in ("new", "changed", "conflict", "error", "duplicate", "unchanged", "cleared"):
        answer = operator.get(f"/admin/imports/preview?id={run}&show={door}")
        shown[door] = words_of(answer.get_data(as_text=True))
    assert "vielleicht schon da: 10001 Müller GmbH" in shown["new"]
    assert "vielleicht schon da" in shown["duplicate"]
    assert "quatsch" in shown["error"] and "ist keine E-Mail-Adresse" in shown["error"]
    assert "2 Zeilen stimmen mit dem Bestand überein" in shown["unchanged"]
    assert "Telefax" in shown["cleared"]
    assert operator.get(f"/admin/imports/preview?id={run}&show=nonsense&page=-7").status_code == 200


def test_what_changes_between_preview_and_apply_is_not_overwritten(
    app: Flask, edited: Path, three: list[int], operator: FlaskClient
) -> None:
    page, _url = follow(operator, upload(operator, edited))
    change = ChangeSet("form")
    change.update(Customer, three[0], {"fax": "0351 55"})
    change.apply(system_operator("Herr Berger"))
    page, url = follow(operator, apply(operator, page))
    assert "show=error" in url
    words = words_of(page)
    assert "Es wurde noch nichts gespeichert" in words and "Herr Berger" in words
    assert (Customer.get_by_id(three[0]).fax, Customer.select().count()) == ("0351 55", 3)
    # trust.md case 119: the file that was looked at is gone, or another one; nothing of its plan is taken.
    (file,) = stored_files(app)
    kept = file.read_bytes()
    for changed in (kept + b"x", None):
        file.unlink()
        if changed is not None:
            file.write_bytes(changed)
        page, url = follow(operator, apply(operator, page))
        assert "/preview?" in url and "seit der Vorschau verändert. Es wurde nichts übernommen" in words_of(page)
        assert Customer.select().count() == 3
    file.write_bytes(kept)
    page, _url = follow(operator, apply(operator, page))
    assert "1 Datensatz übernommen." in words_of(page)
    assert Customer.select().count() == 4


def test_the_own_file_comes_back_with_its_marks(
    app: Flask, edited: Path, operator: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, _url = follow(operator, upload(operator, edited))
    place = f"/admin/imports/marked?id={run_of(page)}"
    marked = tmp_path / "marked.xlsx"

    def fetched(url: str) -> None:
        answer = operator.get(url)
        assert "kunden-oktober mit Markierungen.xlsx" in answer.headers["Content-Disposition"]
        marked.write_bytes(answer.data)
        answer.close()
        table = openpyxl.load_workbook(marked)["Kunden"]
        headings = {cell.value: cell.column for cell in table[1]}
        assert "ist keine E-Mail-Adresse" in table.cell(4, headings["E-Mail"]).comment.text
        assert "E-Mail" in table.cell(4, headings["Befund"]).value

    fetched(place)
    # Of a large file they are written by a job, once for each plan; the same link then leads to its file.
    monkeypatch.setattr(downloads, "MARKED_AT_ONCE", 2)
    for _time in range(2):
        assert operator.get(place).location == "/admin/jobs/"
    assert jobs.run_waiting() == 1
    assert operator.get(place).location == f"/admin/jobs/file?id={Job.get().id}"
    assert "Markierungen: kunden-oktober.xlsx" in words_of(operator.get("/admin/jobs/").get_data(as_text=True))
    fetched(operator.get(place).location)
    (file,) = (Path(app.config["INSTANCE"]) / "exports").iterdir()
    file.unlink()
    assert operator.get(place).location == "/admin/jobs/" and jobs.run_waiting() == 1
    fetched(operator.get(place).location)
    operator.post(f"/admin/imports/choose?id={run_of(page)}", data={"choose_all": "mine"})
    assert operator.get(place).location == "/admin/jobs/" and jobs.run_waiting() == 1
    fetched(operator.get(place).location)

    # It can be corrected and brought in again.
    edit_cells(marked, "Kunden", {(4, "E-Mail"): "cafe@example.org"})
    page, _url = follow(operator, upload(operator, marked))
    assert tiles_of(page)["Fehler"] == 0
    assert tiles_of(page)["geändert"] == 1


# --- foreign files --------------------------------------------------------------------------------------------------


@pytest.mark.req("SC-42", partly=True)
def test_blank_cells_of_a_foreign_file_are_switched_at_the_preview(
    three: list[int], operator: FlaskClient, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "liste.csv", [["Kundennummer", "Telefon", "Ort"], [10001, "", "Dresden"]])
    page, url = follow(operator, upload(operator, path))
    page, url = follow(operator, operator.post(url, data={**form_values(page), "_do": "preview"}))
    assert tiles_of(page)["unverändert"] == 1
    run = run_of(page)
    page, url = follow(operator, operator.post(f"/admin/imports/blank?id={run}", data={"blank": "clear"}))
    assert tiles_of(page)["geändert"] == 1
    assert "1 Wert wird geleert" in words_of(page)
    page, url = follow(operator, operator.post(f"/admin/imports/blank?id={run}", data={"blank": "keep"}))
    assert tiles_of(page)["geändert"] == 0
    page, url = follow(operator, operator.post(f"/admin/imports/blank?id={run}", data={"blank": "clear"}))
    apply(operator, page)
    assert Customer.get_by_id(three[0]).phone is None


def test_a_file_can_be_read_again_in_another_way(operator: FlaskClient, tmp_path: Path) -> None:
    """trust.md cases 102 and 103: what was detected can be changed."""
    path = tmp_path / "liste.txt"
    path.write_bytes("Bericht\nName 1|Ort\nMüller|Köln\nÖz|Bonn\n".encode("cp1252"))
    page, url = follow(operator, upload(operator, path))
    values = form_values(page)
    page, url = follow(
        operator, operator.post(url, data={**values, "separator": ",", "header_row": "1", "_do": "again"})
    )
    assert form_values(page)["header_row"] == "1" and "Bericht" in words_of(page)
    again = {**form_values(page), "separator": "|", "header_row": "2", "encoding": "cp1252", "_do": "again"}
    page, url = follow(operator, operator.post(url, data=again))
    assert [form_values(page)[f"col-{index}"] for index in (0, 1)] == ["name_1", "city"]
    page, url = follow(operator, operator.post(url, data={**form_values(page), "_do": "preview"}))
    apply(operator, page)
    assert sorted(row.name_1 for row in Customer.select()) == ["Müller", "Öz"]


def test_pasted_cells_come_in(operator: FlaskClient) -> None:
    pasted = "Name 1\tPLZ\tOrt\nMüller\t01307\tDresden\nÖz\t50667\tKöln"
    answer = operator.post("/admin/imports/upload", data={"model": "customer", "pasted": pasted})
    page, url = follow(operator, answer)
    assert "Zwischenablage" in words_of(page)
    page, url = follow(operator, operator.post(url, data={**form_values(page), "_do": "preview"}))
    apply(operator, page)
    assert [(row.name_1, row.postal_code) for row in Customer.select().order_by(Customer.id)] == [
        ("Müller", "01307"),
        ("Öz", "50667"),
    ]


def test_a_mapping_is_kept_and_used_again(operator: FlaskClient, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [["Was", "Wo", "Nr"], ["Müller", "Köln", "A-1"], ["Öz", "Bonn", "A-2"]])
    page, url = follow(operator, upload(operator, path))
    chosen = {"col-0": "name_1", "col-1": "city", "col-2": "external_customer_id", "key": "external_customer_id"}
    values = {**form_values(page), **chosen, "schema_name": "Außendienst", "_do": "preview"}
    page, url = follow(operator, operator.post(url, data=values))
    assert tiles_of(page)["neu"] == 2
    page, url = follow(operator, upload(operator, path, schema="Außendienst"))
    values = form_values(page)
    assert {name: values[name] for name in chosen} == chosen


def test_a_mapping_that_cannot_be_is_refused_with_all_reasons(operator: FlaskClient, tmp_path: Path) -> None:
    """trust.md cases 108 and 117: one field for two columns, and a password."""
    path = write_csv(tmp_path / "a.csv", [["Was", "Wo"], ["Müller", "Köln"], ["Öz", "Bonn"]])
    page, url = follow(operator, upload(operator, path))
    values = {**form_values(page), "_do": "preview"}
    for change, sentence in (
        ({"col-0": "", "col-1": ""}, "mindestens eine Spalte"),
        ({"col-0": "country", "col-1": "country"}, "ist mehreren Spalten zugeordnet"),
        ({"col-0": "name_1", "key": "customer_number"}, "ist keiner Spalte zugeordnet"),
        ({"col-0": "name_1", "mode": "replace"}, "braucht es einen Schlüssel"),
        ({"col-0": "id", "col-1": "csi_password"}, "mindestens eine Spalte"),
    ):
        answer = operator.post(url, data={**values, **change})
        assert answer.status_code == 422
        assert sentence in words_of(answer.get_data(as_text=True))
    assert Customer.select().count() == 0


# --- bad input, rights, other people --------------------------------------------------------------------------------


def stored_files(app: Flask) -> list[Path]:
    folder = Path(app.config["INSTANCE"]) / "uploads"
    return sorted(folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("bild.xlsx", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "ist keine Tabelle (sondern ein Bild)"),
        ("leer.csv", b"", "ist leer"),
        ("kopf.csv", b"Name 1;Ort\r\n", "keine Tabelle mit Zeilen"),
        ("kaputt.xlsx", b"PK\x03\x04" + b"\0" * 40, "beschädigt"),
    ],
)
def test_what_is_no_table_comes_back_with_a_sentence(
    app: Flask, operator: FlaskClient, tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    """trust.md cases 100 and 101."""
    (tmp_path / name).write_bytes(content)
    answer = upload(operator, tmp_path / name)
    assert answer.status_code == 422
    assert sentence in words_of(answer.get_data(as_text=True))
    assert stored_files(app) == []
    assert ImportRun.select().count() == 0


def test_no_file_at_all_is_said(operator: FlaskClient) -> None:
    answer = operator.post("/admin/imports/upload", data={"model": "customer"})
    assert answer.status_code == 422
    assert "Bitte wählen Sie eine Datei aus" in answer.get_data(as_text=True)


def test_a_name_from_outside_names_no_file(app: Flask, operator: FlaskClient, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [["Name 1", "Ort"], ["Müller", "Köln"]])
    page, _url = follow(operator, upload(operator, path, name="../../<b>x</b>.csv"))
    (stored,) = stored_files(app)
    assert re.fullmatch(r"[0-9a-f]{32}", stored.name)
    assert stored.stat().st_mode & 0o077 == 0
    assert "<b>x</b>" not in page


def test_an_import_belongs_to_whoever_began_it(
    operator: FlaskClient, sign_in_as: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "a.csv", [["Name 1", "Ort"], ["Müller", "Köln"]])
    page, _url = follow(operator, upload(operator, path))
    run = run_of(page)
    other = sign_in_as("Administrator", "berger", "Herr Berger")
    for address in ("run", "mapping", "preview", "result", "marked", "created"):
        assert other.get(f"/admin/imports/{address}?id={run}").status_code == 404
    for address in ("apply", "choose", "blank", "discard", "mapping"):
        assert other.post(f"/admin/imports/{address}?id={run}").status_code == 404
    assert "a.csv" not in other.get("/admin/imports/").get_data(as_text=True)
    assert "a.csv" in operator.get("/admin/imports/").get_data(as_text=True)
    for broken in ("", "x", "0", "999999", "1%27"):
        assert operator.get(f"/admin/imports/preview?id={broken}").status_code == 404


def test_who_may_not_import_sees_no_page(sign_in_as: Callable[..., FlaskClient], tmp_path: Path) -> None:
    reader = sign_in_as("Lesen", "leser", "Herr Leser")
    path = write_csv(tmp_path / "a.csv", [["Name 1", "Ort"], ["Müller", "Köln"]])
    assert reader.get("/admin/imports/").status_code == 403
    assert upload(reader, path).status_code == 403
    assert reader.post("/admin/customer/action/export_sheet", data={"format": "xlsx"}).status_code in (403, 404, 400)


def test_an_import_can_be_discarded(app: Flask, operator: FlaskClient, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [["Name 1", "Ort"], ["Müller", "Köln"]])
    page, url = follow(operator, upload(operator, path))
    page, url = follow(operator, operator.post(url, data={**form_values(page), "_do": "preview"}))
    run = run_of(page)
    operator.post(f"/admin/imports/discard?id={run}")
    assert (stored_files(app), ImportRow.select().count(), ImportRun.get_by_id(run).state) == ([], 0, "discarded")
    page, _url = follow(operator, operator.get(f"/admin/imports/run?id={run}"))
    assert "Dieser Import wurde verworfen." in words_of(page)


def test_old_uploads_go(app: Flask, operator: FlaskClient, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [["Name 1", "Ort"], ["Müller", "Köln"]])
    page, url = follow(operator, upload(operator, path))
    (stored,) = stored_files(app)
    past = time.time() - 8 * 86_400
    os.utime(stored, (past, past))
    follow(operator, upload(operator, path))
    assert stored not in stored_files(app)
    answer = operator.post(url, data={**form_values(page), "_do": "preview"})
    assert answer.status_code in (404, 422)


# --- large ones -----------------------------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
def test_a_large_export_waits_for_its_starter(
    three: list[int],
    app: Flask,
    operator: FlaskClient,
    sign_in_as: Callable[..., FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(export_page, "AT_ONCE", 2)
    token = Selection.of_keys(SPEC, operator_of(User.get(User.username == "weber")), three).store().token
    posted = {"token": token, "format": "xlsx", "column": ["name_1", "city"], "sheet": ["contact"]}
    answer = operator.post("/admin/customer/action/export_sheet", data=posted)
    assert answer.location == "/admin/jobs/"
    job = Job.get()
    assert operator.get(f"/admin/jobs/file?id={job.id}").status_code == 404
    assert jobs.run_waiting() == 1
    page = operator.get("/admin/jobs/").get_data(as_text=True)
    assert "Export: 3 Kunden" in page and f"/admin/jobs/file?id={job.id}" in page
    answer = operator.get(f"/admin/jobs/file?id={job.id}")
    (tmp_path / "kunden.xlsx").write_bytes(answer.data)
    answer.close()
    assert [row[0] for row in rows_of(tmp_path / "kunden.xlsx", "Kunden")[1:]] == [10001, 10002, 10003]
    assert "Kunden" in answer.headers["Content-Disposition"]

    other = sign_in_as("Administrator", "berger", "Herr Berger")
    assert other.get(f"/admin/jobs/file?id={job.id}").status_code == 404
    folder = Path(app.config["INSTANCE"]) / "exports"
    (file,) = folder.iterdir()
    past = time.time() - 2 * 86_400
    os.utime(file, (past, past))
    operator.post("/admin/customer/action/export_sheet", data=posted)
    jobs.run_waiting()
    assert not file.exists()
    assert operator.get(f"/admin/jobs/file?id={job.id}").status_code == 404


@pytest.mark.engines("sqlite")
def test_a_large_import_runs_as_jobs_and_can_be_stopped(
    app: Flask, three: list[int], operator: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It ends as exactly one of abgebrochen, zurückgerollt, fertig mit Fehlern and fertig, and the rows add up."""
    monkeypatch.setattr(running, "ROWS_AT_ONCE", 1)
    monkeypatch.setattr(uploading, "_BOOK_AT_ONCE", 10)
    path = exported(operator, three, tmp_path / "kunden.xlsx")
    edit_cells(path, "Kunden", {(2, "Ort"): "Bonn", (3, "Ort"): "Linz", (4, "E-Mail"): "quatsch", (5, "Name 1"): "Neu"})
    before = photograph(SPEC)
    page, url = follow(operator, upload(operator, path))
    assert "data-reload-when-done" in page
    # The table of work is fetched again by a script, and has a button to stop.
    fragment = operator.get(f"/admin/jobs/?id={Job.get().id}", headers={"X-Fragment": "jobs"}).get_data(as_text=True)
    assert "data-running" in fragment and "<html" not in fragment
    operator.post(f"/admin/jobs/cancel?id={Job.get().id}")
    page, _url = follow(operator, operator.get(url))
    assert "abgebrochen" in words_of(page)

    page, url = follow(operator, upload(operator, path))
    assert jobs.run_waiting() == 1
    page, url = follow(operator, operator.get(url))
    assert (tiles_of(page)["geändert"], tiles_of(page)["neu"], tiles_of(page)["Fehler"]) == (2, 1, 1)

    place = f"/admin/imports/run?id={run_of(page)}"

    # Stopped in the middle of writing: nothing of it stays, and it can be applied again.
    tell = jobs.RunningJob.progress

    def stop(job: Any, *arguments: Any) -> None:
        jobs.cancel(job.id, operator_of(User.get(User.username == "weber")))
        tell(job, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(jobs.RunningJob, "progress", stop)
        apply(operator, page)
        assert jobs.run_waiting() == 1
    assert last_job(operator).startswith("abgebrochen") and photograph(SPEC) == before
    page, url = follow(operator, operator.get(place))
    assert "/preview?" in url and "abgebrochen" in words_of(page)

    # Its file is gone when the job begins (trust.md case 119).
    file = max(stored_files(app), key=lambda path: path.stat().st_mtime_ns)
    kept = file.read_bytes()
    apply(operator, page)
    file.unlink()
    assert jobs.run_waiting() == 1 and photograph(SPEC) == before
    file.write_bytes(kept)
    page, url = follow(operator, operator.get(place))
    assert "/preview?" in url and "liegt nicht mehr auf dem Server" in words_of(page)

    # Refused because somebody changed a row meanwhile: nothing is written, the row is named.
    change = ChangeSet("form")
    change.update(Customer, three[1], {"city": "Wels"})
    change.apply(system_operator("Herr Berger"))
    before = photograph(SPEC)
    apply(operator, page)
    assert jobs.run_waiting() == 1
    assert last_job(operator).startswith("zurückgerollt") and photograph(SPEC) == before
    page, url = follow(operator, operator.get(place))
    assert "Es wurde noch nichts gespeichert" in words_of(page)

    # Its worker dies in the middle: nothing is written, and a minute later another one does it, once.
    def die(_job: Any, *_arguments: Any) -> None:
        raise KeyboardInterrupt

    first, second = apply(operator, page), apply(operator, page)
    assert first.location == second.location
    with monkeypatch.context() as patch:
        patch.setattr(jobs.RunningJob, "progress", die)
        with pytest.raises(KeyboardInterrupt):
            jobs.run_waiting()
    assert last_job(operator) == "läuft" and photograph(SPEC) == before
    with fixed_clock(utcnow() + datetime.timedelta(seconds=jobs.TAKE_OVER_SECONDS + 1)):
        assert jobs.run_waiting() == 1
    assert last_job(operator).startswith("fertig mit Fehlern")
    assert ChangeSetRecord.select().where(ChangeSetRecord.kind == "import").count() == 1
    page, url = follow(operator, operator.get(first.location))
    words = words_of(page)
    assert "Fertig mit Fehlern: 2 Datensätze übernommen." in words
    assert "6 Zeilen: 2 übernommen, 2 unverändert, 2 fehlerhaft." in words
    assert [Customer.get_by_id(key).city for key in three] == ["Bonn", "Wels", "Graz"]
    assert "fertig mit Fehlern" in words_of(operator.get("/admin/imports/").get_data(as_text=True))

    # The rest of it mended: fertig.
    edit_cells(path, "Kunden", {(3, "Ort"): "Wels", (4, "E-Mail"): "c@example.org", (5, "Name 1"): None})
    page, url = follow(operator, upload(operator, path))
    jobs.run_waiting()
    page, url = follow(operator, operator.get(url))
    page, url = follow(operator, apply(operator, page))
    assert "5 Zeilen: 1 übernommen, 4 unverändert." in words_of(page)
    number = ImportRun.select().order_by(ImportRun.id.desc()).first().change_set_id
    operator.post(f"/admin/operations/undo?id={number}")
    assert "zurückgenommen" in words_of(operator.get("/admin/imports/").get_data(as_text=True))


def last_job(client: FlaskClient) -> str:
    """The state of the latest job, as its row on the page says it."""
    job = Job.select().order_by(Job.id.desc()).first()
    row = client.get(f"/admin/jobs/?id={job.id}", headers={"X-Fragment": "jobs"}).get_data(as_text=True)
    found = re.search(r"abgebrochen|zurückgerollt|fertig mit Fehlern|fertig|läuft|wartet|fehlgeschlagen", row)
    return found.group() if found else row


def test_a_file_that_turns_out_unreadable_in_its_job_says_so(
    operator: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(uploading, "_TEXT_AT_ONCE", 0)
    path = tmp_path / "kopf.csv"
    path.write_text("Name 1;Ort\r\n")
    page, url = follow(operator, upload(operator, path))
    jobs.run_waiting()
    page, url = follow(operator, operator.get(url))
    assert "keine Tabelle mit Zeilen" in words_of(page)
    assert "nicht gelesen" in words_of(operator.get("/admin/imports/").get_data(as_text=True))


def test_the_toolbar_of_the_list_leads_to_the_pages(three: list[int], operator: FlaskClient) -> None:
    page = operator.get("/admin/customer/").get_data(as_text=True)
    assert "Exportieren" in page
    assert "/admin/imports/?model=customer" in page


# --- the command line -----------------------------------------------------------------------------------------------


@pytest.fixture
def kontor(
    db: Any, engine_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, Any, str]]:
    """`kontor("import", …)` answers exit code, result and what was said beside it."""
    monkeypatch.setenv("KONTOR_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("DATABASE_URL", engine_url)

    def run(*arguments: str) -> tuple[int, Any, str]:
        capsys.readouterr()
        code = admin_app.main([*arguments, "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    return run


COUNTS = ("new", "changed", "unchanged", "conflicts", "errors", "skipped", "duplicates")


def test_a_list_is_brought_in_and_out_by_command(kontor: Callable[..., Any], tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "liste.csv",
        [["Debitor", "Name 1", "PLZ", "E-Mail"], ["A-1", "Müller", "01307", "x"], ["A-2", "Öz", "04179", "a@b.de"]],
    )
    report = tmp_path / "befunde.xlsx"
    given = ("import", str(path), "--set", "Länderkennzeichen=DE", "--report", str(report))
    code, found, said = kontor(*given, "--dry-run")
    assert (code, [found[name] for name in COUNTS], found["change_set"]) == (1, [1, 0, 0, 0, 1, 0, 0], None)
    assert Customer.select().count() == 0
    assert said.startswith("Zeile 2, Spalte „E-Mail“: „x“ ist keine E-Mail-Adresse (das @ fehlt).")
    edit_cells(report, "Tabelle", {(2, "E-Mail"): "m@example.org"})
    code, found, said = kontor("import", str(report), "--set", "Länderkennzeichen=DE")
    assert (code, [found[name] for name in COUNTS], said) == (0, [2, 0, 0, 0, 0, 0, 0], "")
    assert {row.country.code for row in Customer.select()} == {"DE"}
    assert found["change_set"] == ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).first().id

    out = tmp_path / "raus.xlsx"
    code, found, _said = kontor("export", str(out), "--query", "search=Müller")
    assert (code, found["count"], found["counts"]["customer"]) == (0, 1, 1)
    edit_cells(out, "Kunden", {(2, "Ort"): "Dresden"})
    code, found, _said = kontor("import", str(out))
    assert (code, found["changed"]) == (0, 1)
    assert kontor("undo", str(found["change_set"]))[0] == 0
    assert Customer.get(Customer.name_1 == "Müller").city is None


def test_a_key_and_a_mode_are_given_by_command(kontor: Callable[..., Any], tmp_path: Path) -> None:
    path = write_csv(tmp_path / "liste.csv", [["Kunden-Nr.", "Name 1"], [20001, "Müller"], [20002, "Öz"]])
    found = kontor("import", str(path))[1]
    assert [found[name] for name in COUNTS] == [2, 0, 0, 0, 0, 0, 0]
    changed = write_csv(tmp_path / "neu.csv", [["Kunden-Nr.", "Name 1"], [20001, "Müller AG"], [20009, "Neu"]])
    assert kontor("import", str(changed), "--mode", "replace", "--dry-run")[1]["skipped"] == 1
    kontor("import", str(write_csv(tmp_path / "art.csv", [["Kategorie"], ["Standard"]])), "--model", "category")
    given = ("--default", "Kategorie=Standard", "--key", "Kunden-Nr.")
    code, found, _said = kontor("import", str(changed), "--mode", "new", "--dry-run", *given)
    assert (code, found["new"], found["errors"]) == (1, 1, 1)
    found = kontor("import", str(changed), "--mode", "replace", "--insert-missing", *given)[1]
    assert (found["new"], found["changed"]) == (1, 1)


def test_what_a_command_cannot_do_is_said_with_code_two(kontor: Callable[..., Any], tmp_path: Path) -> None:
    path = write_csv(tmp_path / "liste.csv", [["Name 1", "Ort"], ["Müller", "Köln"]])
    broken = tmp_path / "kaputt.xlsx"
    broken.write_bytes(b"%PDF-1.4")
    for arguments in (
        ("import", str(broken)),
        ("import", str(tmp_path / "fehlt.csv")),
        ("import", str(path), "--key", "quatsch"),
        ("import", str(path), "--key", "customer_number"),
        ("import", str(path), "--schema", "quatsch"),
        ("import", str(path), "--set", "country=XX"),
        ("import", str(path), "--report", str(tmp_path / "nirgends" / "x.xlsx")),
        ("export", str(tmp_path / "nirgends" / "x.xlsx")),
        ("export", str(tmp_path / "x.csv"), "--model", "quatsch"),
    ):
        code, found, said = kontor(*arguments)
        assert (code, found) == (2, None), arguments
        assert said.strip(), arguments
    assert (Customer.select().count(), ImportRun.select().count()) == (0, 0)

"""A workbook goes out, is edited by people and by programs, and comes home: nothing is lost or taken twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient

from actions.import_sheet import run_import
from domain.demo_data import create_demo_data
from flask_appadmin.changes import ChangeSet
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.rights import system_operator
from flask_appadmin.sheets.applying import is_conflict
from flask_appadmin.sheets.sessions import ImportRow
from flask_appadmin.specs import spec_of
from models import Address, Contact, Customer
from tests.customers.test_spreadsheets import apply, exported, follow, run_of, upload
from tests.office import Office
from tests.spreadsheets import edit_cells, export, photograph, tiles_of, words_of

SPEC = spec_of(Customer)
WEBER = system_operator("Frau Weber")
BERGER = system_operator("Herr Berger")


#: What Kontor holds where it was changed meanwhile, and what the file says in a row; numbers, since phones need them.
KONTOR = "0511 99"


def filed(row: int) -> str:
    return f"0221 {row}"


def hundred_customers() -> tuple[list[int], list[int], list[int]]:
    """Keys of customers, and of the one contact and the one address that each of them has."""
    change = ChangeSet("form")
    made = []
    for number in range(100):
        values = {"customer_number": 10001 + number, "name_1": f"Kunde {number}", "phone": "0316 1", "fax": "0316 2"}
        customer = change.create(Customer, values)
        contact = change.create(Contact, {"customer": customer, "name_1": "Ilse", "phone_1": "0316 3", "fax": "0316 4"})
        address = change.create(Address, {"customer": customer, "name_1": "Lager", "city": "Graz"})
        made.append((customer, contact, address))
    change.apply(WEBER)
    return tuple([row[place].key for row in made] for place in range(3))  # type: ignore[return-value]


@pytest.mark.req("SC-42", partly=True)
def test_three_hundred_edits_meet_two_hundred_others(operator: FlaskClient, tmp_path: Path) -> None:
    """M2: of 300 cells edited in the workbook 25 were changed in Kontor too, beside 175 others."""
    customers, contacts, addresses = hundred_customers()
    path = exported(operator, customers, tmp_path / "kunden.xlsx")
    for sheet, heading in (("Kunden", "Telefon"), ("Ansprechpartner", "Telefon 1"), ("Anschriften", "Ort")):
        edit_cells(path, sheet, {(row, heading): filed(row) for row in range(2, 102)})
    meanwhile = ChangeSet("form")
    for place, key in enumerate(customers):
        meanwhile.update(Customer, key, {"fax": KONTOR} | ({"phone": KONTOR} if place < 10 else {}))
    for place, key in enumerate(contacts[:75]):
        meanwhile.update(Contact, key, {"fax": KONTOR} | ({"phone_1": KONTOR} if place < 10 else {}))
    for key in addresses[:5]:
        meanwhile.update(Address, key, {"city": KONTOR})
    meanwhile.apply(BERGER)
    before = photograph(SPEC)

    page, url = follow(operator, upload(operator, path))
    assert "/preview?" in url
    rows = list(ImportRow.select().where(ImportRow.run == run_of(page)))
    cells = [cell for row in rows for cell in row.plan.values()]
    assert (len(cells), sum(map(is_conflict, cells))) == (300, 25)
    assert "275 Änderungen übernehmen" in words_of(page)
    page, url = follow(operator, apply(operator, page))
    counts = tiles_of(page)
    assert (counts["geändert"], counts["im Konflikt"], counts["neu"], counts["fehlerhaft"]) == (275, 25, 0, 0)

    done = ChangeSetRecord.get(ChangeSetRecord.kind == "import")
    assert ChangeRecord.select().where(ChangeRecord.change_set == done.id).count() == 275
    for place, key in enumerate(customers):
        row = Customer.get_by_id(key)
        assert (row.phone, row.fax) == (KONTOR if place < 10 else filed(place + 2), KONTOR)
    for place, key in enumerate(contacts):
        contact = Contact.get_by_id(key)
        assert contact.phone_1 == (KONTOR if place < 10 else filed(place + 2))
        assert contact.fax == (KONTOR if place < 75 else "0316 4")
    for place, key in enumerate(addresses):
        assert Address.get_by_id(key).city == (KONTOR if place < 5 else filed(place + 2))

    operator.post(f"/admin/operations/undo?id={done.id}")
    assert photograph(SPEC) == before


def came_home_unchanged(rows: int, *paths: Path) -> None:
    """Each of these files of so many rows changes nothing, says nothing of an error and leaves no history."""
    history = ChangeRecord.select().count(), ChangeSetRecord.select().count()
    taken = photograph(SPEC)
    for path in paths:
        report = run_import(path, SPEC, WEBER)
        found = (report.new, report.changed, report.conflicts, report.errors, report.skipped, report.unchanged)
        assert found == (0, 0, 0, 0, 0, rows), (path.name, found, report.findings[:5])
    assert photograph(SPEC) == taken
    assert (ChangeRecord.select().count(), ChangeSetRecord.select().count()) == history


def test_what_nobody_touched_comes_home_as_it_left(db: Any, tmp_path: Path) -> None:
    create_demo_data(30, seed=6)
    path = tmp_path / "kunden.xlsx"
    came_home_unchanged(sum(export(SPEC, WEBER, path).counts.values()), path)


@pytest.mark.engines("sqlite")  # what a program saves does not depend on the database
def test_what_a_spreadsheet_program_saved_comes_home_as_it_left(db: Any, office: Office, tmp_path: Path) -> None:
    create_demo_data(30, seed=6)
    path = tmp_path / "kunden.xlsx"
    rows = sum(export(SPEC, WEBER, path).counts.values())
    wrong, marked, again = tmp_path / "falsch.xlsx", tmp_path / "markiert.xlsx", tmp_path / "nochmal.xlsx"
    wrong.write_bytes(path.read_bytes())
    edit_cells(wrong, "Kunden", {(2, "E-Mail"): "quatsch", (3, "E-Mail"): "unsinn"})
    assert run_import(wrong, SPEC, WEBER, report=marked).errors == 2
    saved, saved_marks = office.save_all([path, marked], "xlsx")
    came_home_unchanged(rows, saved, office.save_as(path, "ods"))

    # A marked file that the program saved: its notes are known again, and are not there twice.
    edit_cells(saved_marks, "Kunden", {(3, "E-Mail"): None})
    assert run_import(saved_marks, SPEC, WEBER, report=again).errors == 1
    book = openpyxl.load_workbook(again)
    notes = [cell.comment.text for row in book["Kunden"].iter_rows(min_row=2) for cell in row if cell.comment]
    assert len(notes) == 1 and notes[0].count("quatsch") == 1 and book.sheetnames.count("Befunde") == 1
    assert len(list(book["Kunden"].conditional_formatting)) == 1
    assert [cell.value for cell in book["Kunden"][1]].count("Befund") == 1


@pytest.mark.soak
def test_ten_thousand_customers_come_home_as_they_left(db: Any, office: Office, tmp_path: Path) -> None:
    create_demo_data(10_000, seed=6)
    path = tmp_path / "kunden.xlsx"
    rows = sum(export(SPEC, WEBER, path).counts.values())
    came_home_unchanged(rows, path, office.save_as(path, "xlsx"))

"""What a file would change: an exact round trip, edits found cell by cell, and what is wrong said at its cell."""

from __future__ import annotations

import datetime
import shutil
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from actions import import_sheet
from actions.import_sheet import ImportReport, run_import
from domain.values.groups import Category
from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import AppAdminError, NotAllowed, SheetError
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.sheets.sessions import ImportRow, ImportRun
from flask_appadmin.specs import spec_of
from models import Address, Contact, Country, Customer
from tests.spreadsheets import edit_cells, export, insert_filled, photograph, rows_of, turn_columns, write_csv

SPEC = spec_of(Customer)
#: Further sheets of the files that are edited; all of them would only take time.
FEW = [spec_of(Address), spec_of(Contact)]


@pytest.fixture
def clerk(db: Any) -> Operator:
    return system_operator("Frau Weber")


@pytest.fixture
def everything(clerk: Operator) -> dict[str, int]:
    """Customers and children with values in every field, and customers with next to nothing: rows per table."""
    first = insert_filled(SPEC, 0, customer_number=10001)
    insert_filled(SPEC, 5, customer_number=10002, external_customer_id=None)
    Customer.insert(customer_number=10003, name_2="Nur ein zweiter Name").execute()
    Customer.insert(customer_number=10004, name_1="Ömer & Söhne", postal_code="01307", active=False).execute()
    made = {"customer": 4}
    for child in SPEC.children:
        assert child.owner is not None
        if insert_filled(child, 3, **{child.owner.name: first}) is not None:
            made[child.name] = 1
    return made


def counts(report: ImportReport) -> dict[str, int]:
    names = ("new", "changed", "unchanged", "conflicts", "errors", "skipped")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


# --- the round trip -------------------------------------------------------------------------------------------------


def test_most_tables_take_part_in_the_round_trip(everything: dict[str, int]) -> None:
    assert len(everything) >= 15


@pytest.mark.req("SC-42", "SC-41", partly=True)
@pytest.mark.parametrize("turned", [False, True], ids=["untouched", "columns turned"])
def test_an_unchanged_workbook_changes_nothing(
    everything: dict[str, int], clerk: Operator, tmp_path: Path, turned: bool
) -> None:
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path)
    if turned:
        turn_columns(path)
    report = run_import(path, SPEC, clerk)
    assert report.findings == []
    assert counts(report) == {"unchanged": sum(everything.values())}
    assert not ChangeSetRecord.select().where(ChangeSetRecord.kind == "import").exists()


@pytest.mark.req("SC-42", partly=True)
@pytest.mark.engines("sqlite", later="postgresql")
def test_unchanged_csv_files_change_nothing(everything: dict[str, int], clerk: Operator, tmp_path: Path) -> None:
    for sheet, rows in everything.items():
        path = tmp_path / f"{sheet}.csv"
        export(SPEC, clerk, path, file_format="csv", sheet=sheet)
        report = run_import(path, SPEC, clerk)
        assert (sheet, report.findings, counts(report)) == (sheet, [], {"unchanged": rows})


def test_an_english_file_comes_home_to_a_german_desk(
    everything: dict[str, int], clerk: Operator, tmp_path: Path
) -> None:
    from flask_appadmin.i18n import use_locale

    path = tmp_path / "customers.xlsx"
    with use_locale("en"):
        export(SPEC, clerk, path)
    report = run_import(path, SPEC, clerk)
    assert (report.findings, counts(report)) == ([], {"unchanged": sum(everything.values())})


@pytest.mark.engines("sqlite", later="postgresql")
def test_a_file_that_passed_through_another_program_changes_nothing(
    everything: dict[str, int], clerk: Operator, tmp_path: Path
) -> None:
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("LibreOffice is not installed")
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path)
    command = [program, "--headless", "--convert-to", "ods", "--outdir", str(tmp_path), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    report = run_import(tmp_path / "kunden.ods", SPEC, clerk)
    assert counts(report) == {"unchanged": sum(everything.values())}


def test_a_workbook_keeps_its_types_for_other_programs(clerk: Operator, tmp_path: Path) -> None:
    Customer.insert(
        customer_number=10001,
        name_1="=1+1",
        postal_code="01307",
        phone="+43 1 234567",
        credit_limit_from=datetime.date(2026, 2, 1),
        credit_limit=Decimal("1234.50"),
        active=False,
    ).execute()
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path)
    heading, row = rows_of(path, "Kunden")
    cells = dict(zip(heading, row, strict=True))
    assert cells["Kunden-Nr."] == 10001
    assert (cells["Name 1"], cells["PLZ"], cells["Telefon"], cells["Aktiv"]) == (
        "=1+1",
        "01307",
        "+43 1 234567",
        "Nein",
    )
    assert cells["Kreditlimit"] == 1234.5
    assert openpyxl.load_workbook(path)["Kunden"]["A1"].value == "Kunden-Nr."


# --- edited files ---------------------------------------------------------------------------------------------------


@pytest.fixture
def three(clerk: Operator) -> list[int]:
    """Müller in Dresden with two contacts, Bäcker in Wien, Café in Graz."""
    change = ChangeSet("form")
    made = [
        change.create(Customer, {"customer_number": number, "name_1": name, "postal_code": code, "city": city, **more})
        for number, name, code, city, more in (
            (10001, "Müller GmbH", "01307", "Dresden", {"phone": "0351 1", "tour": None}),
            (10002, "Bäcker OG", "1010", "Wien", {"phone": "01 2", "hint": "nur vormittags"}),
            (10003, "Café Süß", "8010", "Graz", {"street": "Ring 3"}),
        )
    ]
    for name in ("Ilse", "Otto"):
        change.create(Contact, {"customer": made[0], "name_1": name})
    change.apply(clerk)
    return [record.key or 0 for record in made]


def stored(key: int, *names: str) -> tuple[Any, ...]:
    row = Customer.get_by_id(key)
    return tuple(getattr(row, name) for name in names)


@pytest.mark.req("SC-42", partly=True)
def test_exactly_the_edited_cells_are_changed_and_undone(three: list[int], clerk: Operator, tmp_path: Path) -> None:
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path, children=FEW)
    before = photograph(SPEC)
    edit_cells(path, "Kunden", {(2, "Ort"): "Radebeul", (3, "Hinweis"): None, (4, "PLZ"): "08010"})
    edit_cells(path, "Ansprechpartner", {(3, "Name 1"): "Otto Öz"})
    report = run_import(path, SPEC, clerk)
    assert counts(report) == {"changed": 4, "unchanged": 1}
    changes = ChangeRecord.select().where(ChangeRecord.change_set == report.change_set).order_by(ChangeRecord.id)
    assert [(row.record_title, row.field, row.old_value, row.new_value, row.source) for row in changes] == [
        ("10001 Müller GmbH", "city", '"Dresden"', '"Radebeul"', "Kunden Zeile 2"),
        ("10002 Bäcker OG", "hint", '"nur vormittags"', "null", "Kunden Zeile 3"),
        ("10003 Café Süß", "postal_code", '"8010"', '"08010"', "Kunden Zeile 4"),
        (changes[3].record_title, "name_1", '"Otto"', '"Otto Öz"', "Ansprechpartner Zeile 3"),
    ]
    assert run_import(path, SPEC, clerk, dry_run=True).unchanged == 5
    assert report.change_set is not None
    ChangeSet.undo(report.change_set).apply(clerk)
    assert photograph(SPEC) == before


def test_a_value_changed_on_both_sides_is_a_conflict_and_stays(
    three: list[int], clerk: Operator, tmp_path: Path
) -> None:
    """trust.md case 114."""
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path, children=FEW)
    change = ChangeSet("form")
    change.update(Customer, three[0], {"city": "Pirna", "phone": "0351 99", "street": "Neu 1"})
    change.apply(clerk)
    edit_cells(path, "Kunden", {(2, "Ort"): "Radebeul", (2, "Telefon"): "0351 99", (2, "Telefax"): "0351 7"})
    report = run_import(path, SPEC, clerk, dry_run=True)
    assert counts(report) == {"conflicts": 1, "unchanged": 4}
    report = run_import(path, SPEC, clerk)
    # The telephone became the same on both sides, the street only here: no question. The city waits for an answer.
    row = ImportRow.get(ImportRow.run == report.run)
    assert row.plan == {
        "city": ["Dresden", "Pirna", "Radebeul", "conflict"],
        "fax": [None, None, "0351 7"],
    }
    assert stored(three[0], "city", "phone", "street") == ("Pirna", "0351 99", "Neu 1")


def test_new_rows_and_new_children_of_new_rows_come_in_together(
    three: list[int], clerk: Operator, tmp_path: Path
) -> None:
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path, children=FEW)
    edit_cells(path, "Kunden", {(5, "Kunden-Nr."): 20001, (5, "Name 1"): "Neu & Co", (5, "PLZ"): "04179"})
    edit_cells(path, "Anschriften", {(2, "Kunden-Nr."): 20001, (2, "Name 1"): "Lager", (2, "Ort"): "Leipzig"})
    edit_cells(path, "Ansprechpartner", {(4, "Kunden-Nr."): 10002, (4, "Name 1"): "Resi"})
    report = run_import(path, SPEC, clerk)
    assert report.findings == []
    assert counts(report) == {"new": 3, "unchanged": 5}
    new = Customer.get(Customer.customer_number == 20001)
    assert (new.name_1, new.postal_code) == ("Neu & Co", "04179")
    assert [row.city for row in Address.select().where(Address.customer == new.id)] == ["Leipzig"]
    assert Contact.get(Contact.name_1 == "Resi").customer_id == three[1]


def test_a_child_of_a_new_row_that_is_refused_is_refused_with_it(
    three: list[int], clerk: Operator, tmp_path: Path
) -> None:
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path, children=FEW)
    edit_cells(path, "Kunden", {(5, "Kunden-Nr."): 20001, (5, "Name 1"): "Neu & Co", (5, "E-Mail"): "keine"})
    edit_cells(path, "Anschriften", {(2, "Kunden-Nr."): 20001, (2, "Name 1"): "Lager"})
    report = run_import(path, SPEC, clerk)
    assert counts(report) == {"errors": 2, "unchanged": 5}
    assert Customer.select().count() == 3
    assert any("Zeile 2" in text and "Zeile 5" in text for text in report.findings)


@pytest.mark.req("SC-42", "ME-03")
def test_a_blank_cell_means_what_the_file_and_the_operator_say(
    three: list[int], clerk: Operator, tmp_path: Path
) -> None:
    path = tmp_path / "eigene.xlsx"
    export(SPEC, clerk, path, children=FEW)
    # One that was filled and is blank now clears; one that was blank and still is changes nothing.
    edit_cells(path, "Kunden", {(2, "Telefon"): None})
    report = run_import(path, SPEC, clerk)
    assert counts(report) == {"changed": 1, "unchanged": 4}
    assert ImportRow.get(ImportRow.run == report.run).cleared == 1
    assert stored(three[0], "phone", "city") == (None, "Dresden")

    foreign = write_csv(tmp_path / "fremde.csv", [["Kundennummer", "Telefon", "Ort"], [10002, "", "Linz"]])
    assert counts(run_import(foreign, SPEC, clerk, dry_run=True)) == {"changed": 1}
    run_import(foreign, SPEC, clerk)
    assert stored(three[1], "phone", "city") == ("01 2", "Linz")
    run_import(foreign, SPEC, clerk, blank="clear")
    assert stored(three[1], "phone", "city") == (None, "Linz")

    cleared = write_csv(tmp_path / "leer.csv", [["Kundennummer", "Straße", "Ort"], [10003, "<leer>", ""]])
    run_import(cleared, SPEC, clerk)
    assert stored(three[2], "street", "city") == (None, "Graz")


@pytest.mark.req("SC-43")
def test_good_rows_are_stored_and_faulty_ones_named(
    three: list[int], clerk: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(
        tmp_path / "liste.csv",
        [["Kundennummer", "Ort", "Versandart"], [10001, "Bonn", ""], [10002, "Linz", ""], [10003, "Melk", "ZZ"]],
    )
    report = run_import(path, SPEC, clerk)
    assert counts(report) == {"changed": 2, "errors": 1}
    assert report.findings == [
        (
            "Zeile 4, Spalte „Versandart“: „ZZ“ ist unter „Versandarten“ nicht vorhanden. "
            "Bitte erst dort anlegen oder die Schreibweise prüfen."
        )
    ]
    assert [stored(key, "city")[0] for key in three] == ["Bonn", "Linz", "Graz"]
    # What the file does not name is left as it is.
    assert stored(three[0], "name_1", "postal_code", "phone") == ("Müller GmbH", "01307", "0351 1")

    # trust.md case 107: a short row lacks its last values, of a long one nobody knows what stands where.
    ragged = "Kundennummer;Ort;Telefon\n10001;Köln;0221 1\n10002;Wels\n10003;Linz;Donau;0732 1\n10003;Enns;;;\n"
    for text, words in ((ragged, "2 statt 3"), (ragged + "4;1;2;3;4;5\n5;1;2;3;4;5;6\n6\n", "weniger als 3")):
        path.write_text(text, "utf-8")
        report = run_import(path, SPEC, clerk, dry_run=True, blank="clear")
        assert any(words in found and "Zeile 3" in found for found in report.findings), report.findings
        told = "Zeile 4: „10003“ Die Zeile hat 4 statt 3 Spalten; vermutlich steht in einem Text ein Trennzeichen ohne "
        assert sum(found.startswith(told) for found in report.findings) == 1, report.findings
        assert (report.changed, report.errors) == (3, 1 + 3 * (text != ragged)), report.findings

    # trust.md case 108: a heading that stands there twice names the column that is not taken.
    path.write_text("Kundennummer;Ort ;ort\n10003;Linz;Enns\n", "utf-8")
    report = run_import(path, SPEC, clerk, dry_run=True)
    told = "Spalte „ort“ wird nicht übernommen: Diese Überschrift steht schon über einer anderen Spalte."
    assert (report.changed, report.findings) == (1, [told])

    # trust.md case 118: very many faults are told up to a limit, with how many there are; the file has all.
    path.write_text("Kundennummer;E-Mail\n" + "".join(f"{20000 + number};x\n" for number in range(300)), "utf-8")
    target = tmp_path / "befunde.csv"
    with monkeypatch.context() as patch:
        patch.setattr(import_sheet, "TOLD", 100)
        report = run_import(path, SPEC, clerk, report=target, dry_run=True)
    assert (report.errors, len({found.split(",")[0] for found in report.findings if found[:6] == "Zeile "})) == (
        300,
        100,
    )
    assert report.findings[-1].startswith("200 weitere Zeilen haben Befunde; alle stehen in der Datei")
    assert len({line.split(";")[0] for line in target.read_text("utf-8-sig").splitlines()}) == 301


@pytest.mark.req("SC-44")
def test_columns_for_information_are_exported_and_ignored(three: list[int], clerk: Operator, tmp_path: Path) -> None:
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path, children=FEW)
    headings = rows_of(path, "Kunden")[0]
    assert "Umsatz aktuell" in headings
    assert not [item for item in SPEC.data_fields if item.secret and str(item.label) in headings]
    before = stored(three[0], "turnover_current")
    edit_cells(path, "Kunden", {(2, "Umsatz aktuell"): 99999, (2, "Ort"): "Bonn"})
    report = run_import(path, SPEC, clerk)
    assert counts(report) == {"changed": 1, "unchanged": 4}
    assert report.findings == [
        (
            "Zeile 2, Spalte „Umsatz aktuell“: „99999“ Diese Spalte dient nur zur Ansicht; "
            "die Änderung wird nicht übernommen."
        )
    ]
    assert stored(three[0], "turnover_current", "city") == (*before, "Bonn")


def test_passwords_are_never_taken_from_a_file(three: list[int], clerk: Operator, tmp_path: Path) -> None:
    """trust.md case 117: passwords."""
    secret = next(item for item in SPEC.data_fields if item.secret)
    before = stored(three[0], secret.name)
    path = write_csv(tmp_path / "liste.csv", [["Kundennummer", "Ort", str(secret.label)], [10001, "Bonn", "geheim"]])
    run_import(path, SPEC, clerk)
    assert stored(three[0], "city", secret.name) == ("Bonn", *before)


# --- keys of rows ---------------------------------------------------------------------------------------------------


def edited_key(path: Path, change: Callable[[str], str], row: int = 2) -> None:
    """Alters the row key and the city of a row, the city so that there would be something to write."""
    book = openpyxl.load_workbook(path)
    table = book["Kunden"]
    columns = {cell.value: cell.column for cell in table[1]}
    cell = table.cell(row, columns["Zeilenschlüssel"])
    cell.value = change(str(cell.value))
    table.cell(row, columns["Ort"]).value = "Bonn"
    book.save(path)


@pytest.mark.engines("sqlite", later="postgresql")
def test_a_changed_or_foreign_row_key_is_a_finding_and_no_new_record(
    three: list[int], clerk: Operator, tmp_path: Path
) -> None:
    whole = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, whole, children=FEW, fields=[SPEC.field("customer_number"), SPEC.field("city")])
    others = rows_of(whole, "Ansprechpartner")
    for place, change in enumerate(
        (
            lambda key: key.replace(f".{three[0]}.", f".{three[1]}."),
            lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
            lambda key: "quatsch",
            lambda key: "0" * 12 + key[12:],
            lambda _key: str(others[1][others[0].index("Zeilenschlüssel")]),
        )
    ):
        path = tmp_path / f"{place}.xlsx"
        path.write_bytes(whole.read_bytes())
        edited_key(path, change)
        report = run_import(path, SPEC, clerk)
        assert counts(report) == {"errors": 1, "unchanged": 4}, place
        assert place == 4 or "Zeilenschlüssel" in report.findings[0]
    assert Customer.select().count() == 3
    assert stored(three[0], "city") == ("Dresden",)


def test_a_row_that_was_copied_is_refused(three: list[int], clerk: Operator, tmp_path: Path) -> None:
    """trust.md case 113: the same row key twice."""
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path, children=FEW)
    heading, first = rows_of(path, "Kunden")[:2]
    copied = {(5, name): value for name, value in zip(heading, first, strict=True) if value is not None}
    edit_cells(path, "Kunden", {**copied, (5, "Name 1"): "Kopie"})
    report = run_import(path, SPEC, clerk)
    assert counts(report) == {"errors": 1, "unchanged": 5}
    assert "steht schon in Zeile 2" in report.findings[0]


def test_a_record_that_was_deleted_meanwhile_is_named(three: list[int], clerk: Operator, tmp_path: Path) -> None:
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path, children=FEW)
    Customer.update(status="draft").where(Customer.id == three[2]).execute()
    change = ChangeSet("delete")
    change.delete(Customer, three[2])
    change.apply(clerk)
    report = run_import(path, SPEC, clerk)
    assert (counts(report), report.findings) == (
        {"errors": 1, "unchanged": 4},
        ["Zeile 4: Der Eintrag wurde inzwischen gelöscht."],
    )


def test_a_change_the_history_does_not_know_is_a_question(three: list[int], clerk: Operator, tmp_path: Path) -> None:
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path, children=FEW)
    Customer.update(city="Köln", version=Customer.version + 1).where(Customer.id == three[0]).execute()
    edit_cells(path, "Kunden", {(2, "Telefon"): "0351 2"})
    report = run_import(path, SPEC, clerk)
    assert counts(report) == {"conflicts": 1, "unchanged": 4}
    assert stored(three[0], "city", "phone") == ("Köln", "0351 1")


def test_the_word_for_a_formula_in_a_csv_of_ours_is_taken_off(clerk: Operator, tmp_path: Path) -> None:
    Customer.insert(customer_number=10001, name_1="=1+1", name_2="'=2", city="-Bonn-").execute()
    path = tmp_path / "kunden.csv"
    export(SPEC, clerk, path, file_format="csv")
    text = path.read_text(encoding="utf-8-sig")
    assert "'=1+1" in text
    # An edit elsewhere makes the row be compared cell by cell.
    path.write_text(text.replace("-Bonn-", "-Köln-"), encoding="utf-8-sig")
    report = run_import(path, SPEC, clerk)
    assert counts(report) == {"changed": 1}
    row = Customer.get()
    assert (row.name_1, row.name_2, row.city) == ("=1+1", "'=2", "-Köln-")


# --- faults of cells ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["#BEZUG!", "#REF!", "#NV", "#DIV/0!"])
def test_an_error_value_is_a_fault_of_its_cell(three: list[int], clerk: Operator, tmp_path: Path, cell: str) -> None:
    """trust.md case 111."""
    path = write_csv(tmp_path / "liste.csv", [["Kundennummer", "Ort"], [10001, cell], [10002, "Linz"]])
    report = run_import(path, SPEC, clerk, blank="clear")
    assert counts(report) == {"changed": 1, "errors": 1}
    assert report.findings == [
        f"Zeile 2, Spalte „Ort“: „{cell}“ ist ein Fehlerwert des Tabellenprogramms. Bitte die Formel berichtigen."
    ]
    assert stored(three[0], "city") == ("Dresden",)


def test_a_formula_without_a_result_is_a_fault_and_never_a_blank(
    three: list[int], clerk: Operator, tmp_path: Path
) -> None:
    """trust.md case 111."""
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path, children=FEW)
    edit_cells(path, "Kunden", {(2, "Ort"): '=UPPER("bonn")', (3, "Ort"): "Linz"})
    report = run_import(path, SPEC, clerk)
    assert counts(report) == {"changed": 1, "errors": 1, "unchanged": 3}
    assert "Formel" in report.findings[0]
    assert stored(three[0], "city") == ("Dresden",)


def test_a_value_older_than_its_rule_is_no_fault_where_it_is_untouched(
    three: list[int], clerk: Operator, tmp_path: Path
) -> None:
    Customer.update(email="keine adresse").where(Customer.id == three[0]).execute()
    path = tmp_path / "kunden.xlsx"
    export(SPEC, clerk, path, children=FEW)
    edit_cells(path, "Kunden", {(2, "Ort"): "Bonn"})
    assert counts(run_import(path, SPEC, clerk)) == {"changed": 1, "unchanged": 4}
    assert stored(three[0], "city", "email") == ("Bonn", "keine adresse")


# --- keys, modes, duplicates, constants -----------------------------------------------------------------------------


def test_an_ambiguous_key_is_said_before_anything_is_saved(three: list[int], clerk: Operator, tmp_path: Path) -> None:
    """trust.md case 113: a key that stands there twice names both rows."""
    Customer.update(external_customer_id="A1").where(Customer.id.in_(three[:2])).execute()
    path = write_csv(
        tmp_path / "liste.csv",
        [["Kunden-ID", "Name 1"], ["A1", "Eins"], ["B2", "Zwei"], ["B2", "Drei"]],
    )
    item = SPEC.external_key
    assert item is not None
    report = run_import(
        write_csv(path, [[str(item.label), "Name 1"], ["A1", "Eins"], ["B2", "Zwei"], ["B2", "Drei"]]),
        SPEC,
        clerk,
        key=item.name,
    )
    assert counts(report) == {"new": 1, "errors": 2}
    assert [text.split(":")[0].split(",")[0] for text in report.findings] == ["Zeile 2", "Zeile 4"]
    assert "„B2“ steht schon in Zeile 3." in report.findings[1]


def test_modes_let_in_what_they_say(three: list[int], clerk: Operator, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "liste.csv", [["Kundennummer", "Name 1"], [10001, "Alt"], [30001, "Neu"]])
    Category.insert(name="Standard").execute()
    given = {"Kategorie": "Standard"}
    assert counts(run_import(path, SPEC, clerk, mode="new", defaults=given, dry_run=True)) == {"new": 1, "errors": 1}
    assert counts(run_import(path, SPEC, clerk, mode="replace", dry_run=True)) == {"changed": 1, "skipped": 1}
    report = run_import(path, SPEC, clerk, mode="replace", insert_missing=True, defaults=given, dry_run=True)
    assert counts(report) == {"new": 1, "changed": 1}
    assert counts(run_import(path, SPEC, clerk, dry_run=True)) == {"new": 1, "changed": 1}
    assert Customer.select().count() == 3
    assert not ImportRun.select().exists()


def test_rows_that_look_like_known_customers_are_pointed_out(three: list[int], clerk: Operator, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "liste.csv",
        [["Name 1", "PLZ", "Ort"], ["Müller GmbH", "01307", "Dresden"], ["Eis", "1", "A"], ["Eis", "1", "B"]],
    )
    report = run_import(path, SPEC, clerk, dry_run=True)
    assert (report.new, report.duplicates, report.exit_code) == (3, 2, 0)
    assert [text.split(":")[0] for text in report.findings] == ["Zeile 2", "Zeile 4"]
    assert "10001 Müller GmbH" in report.findings[0]


def test_constants_hold_for_every_row_and_are_checked_first(three: list[int], clerk: Operator, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "liste.csv", [["Name 1", "Ort"], ["Eins", "Bonn"], ["Zwei", "Köln"]])
    report = run_import(path, SPEC, clerk, constants={"Länderkennzeichen": "AT", "active": "nein"})
    assert counts(report) == {"new": 2}
    new = list(Customer.select().where(Customer.name_1.in_(["Eins", "Zwei"])))
    assert {(row.country.code, row.active) for row in new} == {("AT", False)}
    with pytest.raises(AppAdminError, match="XX"):
        run_import(path, SPEC, clerk, constants={"country": "XX"})
    with pytest.raises(AppAdminError, match="Quatsch"):
        run_import(path, SPEC, clerk, constants={"Quatsch": "1"})


def test_children_of_a_foreign_row_come_with_their_new_record(clerk: Operator, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "liste.csv", [["Name 1", "Ansprechpartner"], ["Eins", "Ilse"], ["Zwei", ""]])
    assert counts(run_import(path, SPEC, clerk)) == {"new": 2}
    assert [(row.name_1, row.customer.name_1) for row in Contact.select()] == [("Ilse", "Eins")]


def test_a_rule_of_the_model_speaks_before_anything_is_saved(clerk: Operator, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "liste.csv", [["Ort", "Telefon"], ["Bonn", "0228 1"]])
    report = run_import(path, SPEC, clerk)
    assert counts(report) == {"errors": 1}
    assert Customer.select().count() == 0


def test_what_is_no_table_is_refused_and_leaves_nothing(clerk: Operator, tmp_path: Path) -> None:
    """trust.md cases 100 and 101."""
    for name, content in (("a.xlsx", b"%PDF-1.4"), ("b.csv", b""), ("c.csv", b"Kundennummer;Ort\r\n")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SheetError):
            run_import(tmp_path / name, SPEC, clerk)
    assert not ImportRun.select().exists()


def test_rights_of_the_mode_are_asked(three: list[int], tmp_path: Path) -> None:
    path = write_csv(tmp_path / "liste.csv", [["Kundennummer", "Ort"], [10001, "Bonn"]])
    only_new = Operator(None, "Neu", frozenset({"customer.read", "customer.create", "import.new", "value.read"}))
    with pytest.raises(NotAllowed):
        run_import(path, SPEC, only_new, mode="replace")
    Category.insert(name="Standard").execute()
    assert run_import(path, SPEC, only_new, mode="new", defaults={"Kategorie": "Standard"}).errors == 1
    no_bank = Operator(
        None,
        "Pflege",
        frozenset({"customer.read", "customer.edit", "customer.create", "import.new", "import.replace", "value.read"}),
    )
    limited = write_csv(tmp_path / "limit.csv", [["Kundennummer", "Kreditlimit", "Ort"], [10001, "5000,00", "Bonn"]])
    run_import(limited, SPEC, no_bank)
    assert stored(three[0], "credit_limit", "city") == (None, "Bonn")


def test_the_report_is_the_own_file_with_its_findings(three: list[int], clerk: Operator, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "liste.csv", [["Kundennummer", "Ort", "E-Mail"], [10001, "Bonn", "x"], [10002, "", "a@b.de"]]
    )
    target = tmp_path / "befunde.xlsx"
    run_import(path, SPEC, clerk, report=target, dry_run=True)
    book = openpyxl.load_workbook(target)
    table = book.worksheets[1]  # behind the list of problems
    assert [cell.value for cell in table[1]] == ["Kundennummer", "Ort", "E-Mail", "Befund"]
    assert table["C2"].comment is not None and "E-Mail" in table["D2"].value
    assert table["C3"].comment is None and table["D3"].value == "geändert"
    assert str(table["A2"].value) == "10001"


@pytest.mark.engines("sqlite")
def test_countries_are_found_under_many_names(clerk: Operator, tmp_path: Path) -> None:
    """trust.md case 115."""
    path = write_csv(
        tmp_path / "liste.csv",
        [["Name 1", "Land"], ["A", "DE"], ["B", "Österreich"], ["C", "Germany"], ["D", "Mordor"]],
    )
    report = run_import(path, SPEC, clerk)
    assert counts(report) == {"new": 3, "errors": 1}
    codes = {row.name_1: Country.get_by_id(row.country_id).code for row in Customer.select()}
    assert codes == {"A": "DE", "B": "AT", "C": "DE"}

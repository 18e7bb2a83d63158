"""Contacts, addresses and banks come in from workbooks that people wrote: each row finds its place or says why not."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from actions.import_sheet import ImportReport, run_import
from domain.values.company import Employee
from domain.values.contacts import ContactFunction, ContactSpecialization, Salutation
from flask_appadmin.changes import ChangeSet
from flask_appadmin.changes.running import snapshot
from flask_appadmin.history import ChangeRecord
from flask_appadmin.passwords import is_hash
from flask_appadmin.rights import system_operator
from flask_appadmin.sheets.mapping import guess_targets, importable_fields
from flask_appadmin.sheets.sessions import ImportRun
from flask_appadmin.specs import spec_of
from models import Address, BankAccount, Contact, Country, Customer

WEBER = system_operator("Frau Weber")
SPEC = spec_of(Customer)

#: Every field of a contact as files call it, and how it is stored.
CONTACT: dict[str, tuple[Any, str, Any]] = {
    "Titel": (77, "title", "Frau Mag."), "Name 1": ("Berger", "name_1", None), "Name 2": ("Eva", "name_2", None),
    "Name 3": ("Dr.", "name_3", None), "Telefon 1": ("+43 1 1", "phone_1", None),
    "Telefon 2": ("+43 1 2", "phone_2", None), "Mobiltelefon": ("+43 1 3", "mobile", None),
    "Privat": ("+43 1 4", "private_phone", None), "Fax-Nr.": ("+43 1 5", "fax", None),
    "E-Mail": ("e@example.com", "email", None),
    "Geburtsdatum": (datetime.date(1990, 5, 6), "birth_date", None), "Bemerkung": ("Zeile", "remark", None),
    "Fremd-ID-Nr.": ("F1", "external_id", None), "Benutzer-ID": ("eva", "user_id", None),
    "Frei 1": (1, "free_1", True), "Frei 2": (1, "free_2", True), "Funktion": ("Einkauf A", "function", None),
    "Spezialisierung": ("Kabel A", "specialization", None), "Online-Auswertungen": (1, "online_reports", "1"),
    "Mahnung/Kontoauszug": (2, "dunning_delivery", "2"), "VIP": (1, "vip", True), "Sortierung": (1, "sort_order", None),
}  # fmt: skip
ADDRESS: dict[str, tuple[Any, str, Any]] = {
    "Titel": (77, "title", "Frau Mag."), "Name 1": ("A", "name_1", None), "Name 2": ("B", "name_2", None),
    "Name 3": ("C", "name_3", None), "Strasse": ("Ring 1", "street", None), "PLZ": ("8010", "postal_code", None),
    "Ort": ("Graz", "city", None), "Land": ("Austria", "country_name", None),
    "Länderkennzeichen": ("AT", "country", "AT"),
    "Bundesstaat": ("Stmk", "federal_state", None), "Nummer": ("12", "number", None),
    "ILN": ("4012345000009", "gln", None), "Fremd-ID-Nr.": ("F1", "external_id", None),
    "Hinweis Versand": ("Tor 2", "shipping_hint", None), "Umsatzsteuer-ID": ("ATU52109800", "vat_id", None),
    "Verkäufer": (7, "sales_representative", "7"), "Format": (5, "format", "5"),
    "Key": ("04011000-1234512345-06", "routing_key", None), "Transportweg": (4, "transport", "4"),
}  # fmt: skip
BANK: dict[str, tuple[Any, str, Any]] = {
    "Bank": ("Hausbank", "bank_name", None), "BLZ": ("37040044", "bank_code", None),
    "Konto-Nr.": ("532013000", "account_number", None), "IBAN": ("DE89370400440532013000", "iban", None),
    "BIC": ("COBADEFFXXX", "bic", None), "Inhaber": ("Huber", "account_holder", None),
    "Ansprechp.": ("Kern", "contact_name", None), "Telefon": ("+43 1 7", "phone", None),
    "Fax-Nr.": ("+43 1 8", "fax", None), "Bemerkung": ("alt", "remark", None),
    "Lastschriften": (0, "direct_debit", False), "Überweisungen": (1, "transfers", True),
    "Sequenztyp LS": (2, "sequence_type", "2"), "Währung": ("CHF", "currency", "CHF"),
}  # fmt: skip
TABLES: dict[str, tuple[Any, dict[str, tuple[Any, str, Any]]]] = {
    "Ansprechpartner": (Contact, CONTACT),
    "Anschriften": (Address, ADDRESS),
    "Bankverbindungen": (BankAccount, BANK),
}


def store(model: Any, kind: str = "import", **values: Any) -> Any:
    change = ChangeSet(kind)
    record = change.create(model, values)
    change.apply(WEBER)
    return model.get_by_id(record.key)


def take_in(path: Path, **sheets: list[dict[str, Any]]) -> ImportReport:
    """Writes a workbook with these sheets, the rows as dictionaries by heading, and takes it in."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        table = book.create_sheet(name)
        headings = [*dict.fromkeys(heading for row in rows for heading in row), "Zeilenschlüssel"]
        table.append(headings)
        for row in rows:
            table.append([row.get(heading) for heading in headings])
    book.save(path)
    return run_import(path, SPEC, WEBER, reason="Kontowechsel")


def cell_of(record: Any, name: str) -> Any:
    """What is stored, references by what files call them."""
    value = getattr(record, name)
    for word in ("code", "name"):
        if hasattr(value, word) and not (name == "sales_representative" and word == "name"):
            return getattr(value, word)
    return value.number if name == "sales_representative" else value


@pytest.mark.req("ME-97", "ME-99", "ME-107", "ME-108", "ME-110", "ME-113", "ME-115", "ME-118", "ME-119")
@pytest.mark.req("ME-102", "ME-116", partly=True)
def test_children_come_in_with_all_their_fields_and_wrong_cells_are_named(db: Any, tmp_path: Path) -> None:
    store(Customer, customer_number=1, name_1="Huber")
    store(Salutation, number=77, name="Frau Mag.")
    store(Employee, number="7", name="Kern")
    store(ContactFunction, name="Einkauf A")
    store(ContactSpecialization, name="Kabel A")
    path = tmp_path / "kunden.xlsx"
    whole = {
        name: [{"Kunden-Nr.": 1, **{heading: cell for heading, (cell, _name, _stored) in fields.items()}}]
        for name, (_model, fields) in TABLES.items()
    }
    whole["Anschriften"][0]["Art"] = "VR"
    whole["Anschriften"].append({"Kunden-Nr.": 1, "Ort": "Linz", "Art": "V", "Format": 0})
    whole["Anschriften"].append({"Kunden-Nr.": 1, "Ort": "Wels", "Art": "a"})
    report = take_in(path, **whole)
    assert (report.new, report.errors) == (5, 0), report
    for model, fields in TABLES.values():
        record = model.select().order_by(model.sequence_number).first()
        for heading, (cell, name, stored) in fields.items():
            assert cell_of(record, name) == (cell if stored is None else stored), heading
    kinds = [
        (each.is_delivery, each.is_invoice, each.is_order_confirmation)
        for each in Address.select().order_by(Address.sequence_number)
    ]
    assert kinds == [(True, True, False), (True, False, False), (False, False, True)]
    assert Address.get(Address.city == "Linz").format == "0", "0 is not empty"

    wrong: dict[str, list[tuple[dict[str, Any], str]]] = {
        "Ansprechpartner": [
            ({"Geburtsdatum": datetime.date(2999, 1, 1)}, "liegt in der Zukunft"),
            ({"Funktion": "Unbekannt"}, "„Unbekannt“ ist unter „Funktionen"),
            ({"Spezialisierung": "Unbekannt"}, "„Unbekannt“ ist unter „Spezialisierung"),
            ({"Online-Auswertungen": 2}, "„2“ gibt es hier nicht"),
            ({"Lfd.Nr.": 9}, "„9“ ist unter „Ansprechpartner“ dieses Datensatzes nicht vorhanden"),
        ],
        "Anschriften": [
            ({"Art": "X"}, "„X“ ist hier nicht möglich; erlaubt sind die Buchstaben V, R, A"),
            ({"Länderkennzeichen": "XX"}, "„XX“ ist unter „Länder“ nicht vorhanden"),
            ({"Format": 6}, "„6“ gibt es hier nicht"),
            ({"Transportweg": 8}, "„8“ gibt es hier nicht"),
            ({"Lfd.Nr.": 9}, "„9“ ist unter „Anschriften“ dieses Datensatzes nicht vorhanden"),
        ],
        "Bankverbindungen": [
            ({"IBAN": "DE88370400440532013000"}, "„DE88370400440532013000“"),
            ({"BIC": "KURZ"}, "„KURZ“"),
            ({"Sequenztyp LS": 6}, "„6“ gibt es hier nicht"),
            ({"Währung": "XXX"}, "„XXX“ ist unter „Währungen“ nicht vorhanden"),
            ({"Lfd.Nr. Bank": 9}, "„9“ ist unter „Bankverbindungen“ dieses Datensatzes nicht vorhanden"),
        ],
    }
    before = [model.select().count() for model, _fields in TABLES.values()]
    first = {"Ansprechpartner": {"Name 1": "Auer"}, "Anschriften": {"Ort": "Wien"}, "Bankverbindungen": {"Bank": "B"}}
    sheets = {
        name: [{"Kunden-Nr.": 1, **first[name], **cells} for cells, _sentence in cases] for name, cases in wrong.items()
    }
    report = take_in(path, **sheets)
    assert (report.new, report.changed, report.errors) == (0, 0, 15), report
    for name, cases in wrong.items():
        for number, (cells, sentence) in enumerate(cases, 2):
            told = [line for line in report.findings if line.startswith(f"{name} Zeile {number}, ")]
            assert len(told) == 1, (name, number, report.findings)
            assert f"Spalte „{next(iter(cells))}“" in told[0] and sentence in told[0], told
    assert [model.select().count() for model, _fields in TABLES.values()] == before


@pytest.mark.req("ME-29", "ME-104", "ME-105", "ME-106", "ME-114", "ME-120")
def test_a_number_replaces_one_child_and_a_stored_address_is_copied(db: Any, tmp_path: Path) -> None:
    first, other = (store(Customer, customer_number=number, name_1="Huber") for number in (1, 2))
    for owner in (first, other):
        for number in (1, 2):
            store(Contact, "form", customer=owner.id, name_1=f"C{number}", phone_1="1", password="Geheim-und-lang-7")
            store(Address, customer=owner.id, street="Weg 1", city="Graz")
            store(BankAccount, customer=owner.id, remark="alt", iban="DE89370400440532013000")
    path = tmp_path / "kunden.xlsx"
    secrets = {row.id: row.password for row in Contact.select()}
    assert all(is_hash(text) for text in secrets.values())
    assert "password" not in {item.name for item in importable_fields(spec_of(Contact), WEBER)}
    guesses = guess_targets(SPEC, ["Name 1", "Ansprechpartner Kennwort"], [["Huber", "geheim"]], WEBER)
    assert [guess.target for guess in guesses] == ["name_1", ""]
    report = take_in(
        path,
        Ansprechpartner=[
            {"Kunden-Nr.": 1, "Lfd.Nr.": 2, "Name 1": None, "Telefon 1": "99", "Kennwort": "Ein-anderes-8"},
            {"Kunden-Nr.": 1, "Lfd.Nr.": None, "Name 1": "Neu", "Telefon 1": None, "Kennwort": "Ein-anderes-8"},
            {"Kunden-Nr.": 1, "Lfd.Nr.": 2, "Name 1": "Zweimal"},
            {"Kunden-Nr.": 1, "Lfd.Nr.": 9, "Name 1": "Niemand"},
        ],
        Anschriften=[
            {"Kunden-Nr.": 1, "Lfd.Nr.": 2, "Ort": "Linz"},
            {"Kunden-Nr.": 1, "Ort": "Wels"},
            {"Kunden-Nr.": 1, "Lfd.Nr.": 9, "Ort": "Bonn"},
        ],
        Bankverbindungen=[
            {"Kunden-Nr.": 1, "Lfd.Nr. Bank": 1, "IBAN": "DE02120300000000202051"},
            {"Kunden-Nr.": 1, "IBAN": "AT611904300234573201", "BIC": "COBADEFF"},
        ],
    )
    assert (report.new, report.changed, report.errors, report.conflicts) == (3, 3, 3, 0), report
    told = " ".join(report.findings)
    assert "Bankverbindungen Zeile 3, Spalte „BIC“" in told and "in DE, das Konto laut IBAN in AT" in told, "a warning"
    assert "Ansprechpartner Zeile 4, Spalte „Lfd.Nr.“" in told and "steht schon in Zeile 2" in told
    assert "Ansprechpartner Zeile 5, Spalte „Lfd.Nr.“" in told and "Anschriften Zeile 4, Spalte „Lfd.Nr.“" in told

    def children(model: Any, owner: Any, *names: str) -> list[tuple[Any, ...]]:
        columns = [getattr(model, name) for name in ("sequence_number", *names)]
        return list(model.select(*columns).where(model.customer == owner.id).order_by(model.id).tuples())

    assert children(Contact, first, "name_1", "phone_1") == [(1, "C1", "1"), (2, "C2", "99"), (3, "Neu", None)]
    assert children(Address, first, "street", "city") == [(1, "Weg 1", "Graz"), (2, "Weg 1", "Linz"), (3, None, "Wels")]
    assert children(BankAccount, first, "iban", "remark") == [
        (1, "DE02120300000000202051", "alt"), (2, "DE89370400440532013000", "alt"), (3, "AT611904300234573201", None),
    ]  # fmt: skip
    assert children(Contact, other, "name_1", "phone_1") == [(1, "C1", "1"), (2, "C2", "1")]
    assert children(Address, other, "city") == [(1, "Graz"), (2, "Graz")]
    assert {iban for _number, iban in children(BankAccount, other, "iban")} == {"DE89370400440532013000"}
    kept = {row.id: row.password for row in Contact.select() if row.password}
    assert kept == secrets, "no password comes from a file"

    store(Address, customer=other.id, name_1="Lager Huber", street="Hof 2", city="Wels")
    change = ChangeSet("form")
    change.update(Address, Address.get(Address.name_1 == "Lager Huber").id, {"address_number": 500})
    change.apply(WEBER)
    report = take_in(
        path,
        Kunden=[{"Kunden-Nr.": 3, "Name 1": "Auer", "Länderkennzeichen": "AT"}],
        Anschriften=[
            {"Kunden-Nr.": 1, "Adresse": 500, "Ort": "Graz"},
            {"Kunden-Nr.": 3, "Adresse": 500},
            {"Kunden-Nr.": 1, "Adresse": 501},
        ],
    )
    assert (report.new, report.errors) == (3, 1), report
    assert any("„501“ ist nicht vorhanden" in line and "Spalte „Adresse“" in line for line in report.findings)
    third = Customer.get(Customer.customer_number == 3)
    assert (third.country_id, third.country_name) == (Country.get(Country.code == "AT").id, None)
    assert children(Address, third, "name_1", "street", "city") == [(1, "Lager Huber", "Hof 2", "Wels")]
    assert children(Address, first, "name_1", "street", "city")[-1] == (4, "Lager Huber", "Hof 2", "Graz")


def test_what_is_written_at_once_is_what_a_rehearsal_announces(db: Any, tmp_path: Path) -> None:
    store(Customer, customer_number=1, name_1="Huber")
    path = tmp_path / "neu.xlsx"
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    table = book.create_sheet("Kunden")
    table.append(["Kunden-Nr.", "Name 1", "Ort", "Gründungsjahr", "Zeilenschlüssel"])
    # Only the rules of the whole record refuse 3 (no name) and 4 (founded in the future).
    for row in (
        (1, "Huber", None, None),
        (2, "Neu", "Linz", 1991),
        (3, None, "Wels", 1992),
        (4, "Zu früh", "", 2999),
    ):
        table.append(row)
    table = book.create_sheet("Ansprechpartner")
    table.append(["Kunden-Nr.", "Name 1", "Zeilenschlüssel"])
    for row in ((2, "Eva"), (4, "Kind eines Abgelehnten")):
        table.append([*row, None])
    book.save(path)
    announced = run_import(path, SPEC, WEBER, dry_run=True)
    assert announced.change_set is None and Customer.select().count() == 1
    done = run_import(path, SPEC, WEBER)
    assert (done.new, done.changed, done.errors) == (announced.new, announced.changed, announced.errors)
    assert done.findings == announced.findings
    assert (done.new, done.conflicts, done.errors) == (2, 0, 3)
    assert {row.customer_number for row in Customer.select()} == {1, 2}
    assert [row.name_1 for row in Contact.select()] == ["Eva"]
    run = ImportRun.get_by_id(done.run)
    assert run.state == "done" and run.change_set_id == done.change_set
    assert run.counts["error"] == done.errors and run.counts["applied"] == 1

    # Where all is refused, nothing is written and nothing is done.
    book.remove(book["Ansprechpartner"])
    book["Kunden"].delete_rows(2, 3)
    book.save(path)
    refused = run_import(path, SPEC, WEBER)
    assert (refused.new, refused.errors, refused.change_set) == (0, 1, None)
    assert ImportRun.get_by_id(refused.run).state == "preview"


def test_new_records_keep_what_they_share_and_what_they_do_not(db: Any) -> None:
    """Equal values of another type, and values that many rows share, are stored and noted as each row has them."""
    change = ChangeSet("import")
    rows = [
        {"name_1": f"Kunde {number}", "city": "Graz", "credit_limit": Decimal(amount), "vip": mark}
        for number, (amount, mark) in enumerate([("1", True), ("1.00", 1), ("2.5", False), ("1", None)], start=1)
    ]
    fields = SPEC.by_name
    rows = [{name: value for name, value in row.items() if name in fields} for row in rows]
    records = [change.create(Customer, {**row, "customer_number": n}) for n, row in enumerate(rows, start=1)]
    applied = change.apply(WEBER)
    assert applied.created == 4
    for record, row in zip(records, rows, strict=True):
        stored = Customer.get_by_id(record.key)
        assert (stored.name_1, stored.city, stored.credit_limit) == (row["name_1"], "Graz", row["credit_limit"])
        line = ChangeRecord.get(ChangeRecord.entity == "customer", ChangeRecord.record_id == record.key)
        assert line.new_value == snapshot(SPEC, {item.name: stored.__data__[item.name] for item in SPEC.own_fields})
    ChangeSet.undo(applied.change_set).apply(WEBER)
    assert Customer.select().count() == 0

"""What leaves the program: the right records and columns for whoever asks, as they are stored, and who took them."""

from __future__ import annotations

import csv
import re
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import openpyxl
import pytest
from flask.testing import FlaskClient

from actions.import_sheet import run_import
from domain.roles import ROLES
from flask_appadmin.errors import NotAllowed
from flask_appadmin.filters import Filter
from flask_appadmin.history import ChangeRecord
from flask_appadmin.rights import Operator, User, may_read_full, operator_of
from flask_appadmin.selections import Selection
from flask_appadmin.sheets.exporting import write_export
from flask_appadmin.sheets.sessions import SheetExport
from flask_appadmin.specs import spec_of
from models import BankAccount, Contact, Customer
from tests.customers.test_documents import clerk, customer, make
from tests.customers.test_spreadsheets import exported
from tests.reader import get
from tests.spreadsheets import rows_of

SPEC = spec_of(Customer)
#: Texts that a spreadsheet program would take for formulas, or that a csv file could break.
FORMULAS = ("=1+1", "+43 1 234", "-5", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", "'=1", 'a;"b"', '=HYPERLINK("x")')


def operator_with(role: str) -> Operator:
    return Operator(None, role, frozenset(ROLES[role]), role)


@pytest.mark.engines("sqlite")
@pytest.mark.req("ME-105", partly=True)
def test_each_role_takes_out_what_it_may_see_in_full(db: Any, tmp_path: Path) -> None:
    """Goals E4, E5: rights on fields hold in every sheet; a file carries no live formula and no value is altered."""
    one = customer(1, credit_limit=Decimal(900), name_2=FORMULAS[0], remark="; ".join(FORMULAS))
    make(Contact, customer=one.id, name_1="Eva", password="Geheim-0815-Wort", remark=FORMULAS[3])
    make(BankAccount, customer=one.id, iban="DE89370400440532013000", account_holder=FORMULAS[5])
    for number, text in enumerate(FORMULAS, start=2):
        customer(number, name_2=text.strip(), remark=text.strip())
    children = [spec_of(model) for model in (Contact, BankAccount)]
    closed: dict[str, set[str]] = {}
    for role in ROLES:
        reader = operator_with(role)
        path = tmp_path / f"{role}.xlsx"
        if not (reader.may("export.run") and reader.may("customer.read")):
            with pytest.raises(NotAllowed):
                write_export(path, Selection.of_keys(SPEC, reader, [one.id]), children=children)
            assert not path.exists()
            continue
        # Whoever asks for everything by name still gets what he may see.
        write_export(path, Selection.of_keys(SPEC, reader, [one.id]), fields=SPEC.data_fields, children=children)
        book = openpyxl.load_workbook(path)
        found = {item.name for item in SPEC.data_fields} & {
            item.name for item in SPEC.data_fields if str(item.label) in {cell.value for cell in book["Kunden"][1]}
        }
        banks = {cell.value for cell in book["Bankverbindungen"][1]}
        assert ("Kreditlimit" in {cell.value for cell in book["Kunden"][1]}) == may_read_full(
            reader, SPEC.field("credit_limit")
        ), role
        assert ("IBAN" in banks) == may_read_full(reader, spec_of(BankAccount).field("iban")), role
        closed[role] = {item.name for item in SPEC.data_fields if not may_read_full(reader, item)} & found
        texts = "".join(
            zipfile.ZipFile(path).read(name).decode("utf-8", "ignore") for name in zipfile.ZipFile(path).namelist()
        )
        assert "<f>" not in texts and "Geheim" not in texts and "$argon2" not in texts, role
        assert "Kennwort" not in {cell.value for cell in book["Ansprechpartner"][1]}, role
    assert len(closed) >= 6 and not any(closed.values()), closed
    assert operator_with("Sachbearbeitung").may("export.run") and not operator_with("Lesen").may("export.run")

    # All texts stand in both formats as they are stored, and come home as they were.
    everything = [row[0] for row in Customer.select(Customer.id).order_by(Customer.id).tuples()]
    stored = [row[0] for row in Customer.select(Customer.name_2).order_by(Customer.id).tuples()]
    fields = [SPEC.field(name) for name in ("customer_number", "name_2", "remark")]
    for name in ("alle.xlsx", "alle.csv"):
        path = tmp_path / name
        write_export(
            path, Selection.of_keys(SPEC, clerk(), everything), fields=fields, children=[], file_format=path.suffix[1:]
        )
        if path.suffix == ".xlsx":
            cells = list(openpyxl.load_workbook(path)["Kunden"].iter_rows(min_row=2, min_col=2, max_col=2))
            assert [cell.value for (cell,) in cells] == stored
            assert {cell.data_type for (cell,) in cells} == {"s"}
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                shown = [row[1] for row in csv.reader(file, delimiter=";")][1:]
            # A phone number and a plain number are none.
            plain = re.compile(r"[+-][\d ]+")
            assert not [text for text in shown if text[:1] in "=+-@\t" and not plain.fullmatch(text)], shown
        changes = ChangeRecord.select().count()
        report = run_import(path, SPEC, clerk())
        assert (report.new, report.changed, report.errors, report.findings) == (0, 0, 0, []), name
        assert ChangeRecord.select().count() == changes


@pytest.mark.engines("sqlite")
@pytest.mark.req("PX-106", partly=True)
def test_marked_filtered_or_all_with_the_columns_of_the_view_and_a_note_of_each(
    operator: FlaskClient, sign_in_as: Any, tmp_path: Path
) -> None:
    """Goal E1, and who took out what, by which filter, with which columns, how many."""
    keys = [
        customer(number, city="Graz" if number < 4 else "Linz", street=f"Ring {number}", postal_code="8010").id
        for number in range(1, 6)
    ]
    weber = operator_of(User.get(User.username == "weber"))

    def token(query: str | None, marked: list[int] | None = None) -> str:
        if marked is not None:
            return str(Selection.of_keys(SPEC, weber, marked).store().token)
        found = Filter.from_pairs(SPEC, parse_qsl(query or ""), weber)
        return str(Selection.of_filter(found, weber).store().token)

    def take(chosen: str, **fields: Any) -> list[list[Any]]:
        posted = {"token": chosen, "format": "xlsx", "column": ["city", "name_1"], **fields}
        answer = operator.post("/admin/customer/action/export_sheet", data=posted)
        assert answer.status_code == 200, answer.get_data(as_text=True)[-2000:]
        (tmp_path / "x.xlsx").write_bytes(answer.data)
        answer.close()
        return rows_of(tmp_path / "x.xlsx", "Kunden")

    for chosen, numbers in (
        (token(None, [keys[0], keys[4]]), [1, 5]),
        (token("city=Graz"), [1, 2, 3]),
        (token(""), [1, 2, 3, 4, 5]),
    ):
        rows = take(chosen)
        assert [row[0] for row in rows[1:]] == numbers
        # The number people know comes first, then the columns in the order that was asked for.
        assert rows[0][:3] == ["Kunden-Nr.", "Ort", "Name 1"]

    # Columns and their order come from the list as it was last seen.
    get(operator, "/admin/customer/?columns=customer_number,postal_code,name_1")
    rows = take(token("city=Linz"), column=[], layout="list")
    assert rows[0][:3] == ["Kunden-Nr.", "PLZ", "Name 1"] and [row[0] for row in rows[1:]] == [4, 5]
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    assert book["appadmin"].sheet_state in ("hidden", "veryHidden")
    export = SheetExport.select().order_by(SheetExport.id.desc()).first()
    assert export.key in {cell.value for row in book["appadmin"].iter_rows() for cell in row}

    # The letter file has a row per customer with the lines of the address.
    form = get(operator, f"/admin/customer/action/write_letters?selection={token('city=Graz')}").one(
        "form", css="narrow"
    )
    answer = operator.post(form["action"], data=form.fields())
    assert "attachment" in answer.headers["Content-Disposition"], answer.get_data(as_text=True)[:500]
    lines = answer.data.decode("utf-8-sig").splitlines()
    answer.close()
    assert len(lines) == 4 and "Zeile 1" in lines[0] and "Firma 1" in lines[1] and "8010 Graz" in lines[1]

    page = get(operator, "/admin/exports/")
    rows = [" | ".join(cell.text for cell in row.all("td")) for row in page.all("tr")][1:]
    assert len(rows) == 5
    assert "Serienbrief: 3 Kunden" in rows[0] and "Graz" in rows[0] and rows[0].endswith("csv | 3")
    assert "Frau Weber" in rows[1] and "2 Kunden" in rows[1] and "Linz" in rows[1]
    assert "Kunden-Nr., PLZ, Name 1" in rows[1] and rows[1].endswith("xlsx | 2")
    assert "2 Kunden markiert" in rows[4] and "Kunden-Nr., Ort, Name 1" in rows[4]

    # Others see their own; whoever may see the operations of all sees all exports.
    other = sign_in_as("Leitung", "leitung", "Herr Berger")
    assert [len(get(other, f"/admin/exports/{scope}").all("tr")) for scope in ("", "?scope=all")] == [0, 6]
    plain = sign_in_as("Sachbearbeitung", "plain", "Frau Klein")
    assert len(get(plain, "/admin/exports/?scope=all").all("tr")) == 0
    exported(operator, keys[:1], tmp_path / "kunden.csv", format="csv", table="contact")
    latest = SheetExport.select().order_by(SheetExport.id.desc()).first()
    assert (latest.row_count, latest.details["sheets"], latest.details["format"]) == (0, ["Ansprechpartner"], "csv")
    assert "Lfd.Nr." in latest.details["columns"]

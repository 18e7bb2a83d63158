"""Writing: what goes into a file comes out of it, and nothing in it is a formula."""

from __future__ import annotations

import csv
import datetime
import io
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_appadmin.errors import SheetError
from flask_appadmin.sheets.reading import read_workbook
from flask_appadmin.sheets.writing.cells import TableSheet
from flask_appadmin.sheets.writing.columns import KINDS, SheetColumn
from flask_appadmin.sheets.writing.csv_file import CsvWriter
from flask_appadmin.sheets.writing.formulas import is_formula_like, protect_csv_text, restore_csv_text
from flask_appadmin.sheets.writing.workbook import WorkbookWriter

COLUMNS = (
    SheetColumn("number", "Kundennummer", "code"),
    SheetColumn("name", "Firma"),
    SheetColumn("limit", "Kreditlimit", "decimal"),
    SheetColumn("days", "Zahlungsziel", "integer", note="Tage"),
    SheetColumn("since", "Kunde seit", "date"),
    SheetColumn("changed", "Geändert", "datetime", read_only=True),
    SheetColumn("active", "Aktiv", "bool"),
    SheetColumn("country", "Land", "choice", choices=("DE Deutschland", "AT Österreich")),
    SheetColumn("token", "Kennung", "code", hidden=True),
)
ROW = (
    "01307",
    "Müller & Söhne <GmbH>",
    Decimal("12400.50"),
    30,
    datetime.date(2026, 12, 31),
    datetime.datetime(2026, 12, 31, 14, 2, 5),
    True,
    "AT Österreich",
    "abc",
)
PAYLOADS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    "@SUM(A1)",
    "+1+1",
    "-1-1",
    "\t=2+2",
    "\r=2+2",
    "'=1+1",
    "''=1+1",
    '=HYPERLINK("http://x","y")',
    "＝1+1",
    "- Primarstufe -",
    "'s Wirtshaus",
    "'+431531200",
    "+49 711 2842222",
    "-5",
    "-12,50",
    "{=1}",
    "http://example.org",
    "mailto:a@example.org",
    "internal:Sheet2!A1",
    "<r>",
    "<r><t>x</t></r>",
    "<r></r>",
    "<r>&</r>",
    "_x0041_",
    "_xabc",
    " vorn und hinten ",
    "\nZeile\n",
    "a\r\nb",
    "]]>",
    "&amp;",
    '"',
    ";",
    "\x01\x0b",
    "🎉",
    "0",
    "1E5",
    "TRUE",
    "31.12.2026",
)


def _written(tmp_path: Path, columns: Any, rows: Any, **options: Any) -> Path:
    path = tmp_path / "kunden.xlsx"
    with WorkbookWriter(path) as writer:
        writer.add_table("Kunden", columns).write_rows(rows)
    return path


def test_every_kind_of_value_comes_back(tmp_path: Path) -> None:
    path = _written(tmp_path, COLUMNS, [ROW, (None,) * 9, ("", "", None, 0, None, None, False)])
    rows = read_workbook(path, "kunden.xlsx").sheets[0].rows
    assert rows == [
        tuple(column.heading for column in COLUMNS),
        ("01307", "Müller & Söhne <GmbH>", 12400.5, 30, ROW[4], ROW[5], "Ja", "AT Österreich", "abc"),
        (),
        (None, None, None, 0, None, None, "Nein"),
    ]
    assert list(tmp_path.iterdir()) == [path]


def test_formats_filters_lists_and_hidden_sheets(tmp_path: Path) -> None:
    path = tmp_path / "kunden.xlsx"
    with WorkbookWriter(path, title="Kunden") as writer:
        writer.add_instructions("Anleitung", "Kunden bearbeiten", ["Bitte lesen.", ("Firma", "Name der Firma")])
        writer.add_table("Kunden", COLUMNS).write_row(ROW)
        writer.add_table("Kunden", [SheetColumn("a", "A", "choice", choices=COLUMNS[7].choices)]).write_row(["x"])
        writer.add_hidden("_export", [["id", "7"], ["schema", "Kunde"]])
    book = openpyxl.load_workbook(path)
    assert [(sheet.title, sheet.sheet_state) for sheet in book] == [
        ("Anleitung", "visible"),
        ("Kunden", "visible"),
        ("Kunden 2", "visible"),
        ("_export", "veryHidden"),
        ("Listen", "hidden"),
    ]
    sheet = book["Kunden"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:I2"
    assert [sheet.cell(2, column).number_format for column in range(1, 9)] == [
        "@",
        "@",
        "#,##0.00",
        "0",
        "dd.mm.yyyy",
        "dd.mm.yyyy hh:mm:ss",
        "@",
        "@",
    ]
    # An empty cell of a code column must take what is typed as text, too.
    assert sheet.column_dimensions["A"].number_format == "@"
    assert sheet.column_dimensions["I"].hidden
    assert sheet["D1"].comment.text == "Tage"
    rules = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert rules == {"G2:G1048576": "'Listen'!$A$1:$A$2", "H2:H1048576": "'Listen'!$B$1:$B$2"}
    assert list(book["Listen"].values) == [("Ja", "DE Deutschland"), ("Nein", "AT Österreich")]
    # The same choices stand in the list once.
    other = book["Kunden 2"].data_validations.dataValidation[0]
    assert other.formula1 == "'Listen'!$B$1:$B$2"


@pytest.mark.req("SC-40", partly=True)
def test_no_payload_becomes_a_formula_or_changes(tmp_path: Path) -> None:
    columns = [SheetColumn("h", payload) for payload in PAYLOADS] + [SheetColumn("k", "k", kind) for kind in KINDS]
    rows = [[payload] * len(columns) for payload in PAYLOADS]
    path = _written(tmp_path, columns, rows)
    with zipfile.ZipFile(path) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in xml
        assert "<hyperlink" not in xml
        assert not any("externalLink" in name for name in archive.namelist())
    found = read_workbook(path, "kunden.xlsx").sheets[0].rows
    assert list(found[0][: len(PAYLOADS)]) == list(PAYLOADS)
    assert [list(row) for row in found[1:]] == rows
    sheet = openpyxl.load_workbook(path)["Kunden"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "inlineStr"}


@pytest.mark.req("SC-40", partly=True)
def test_csv_has_german_formats_and_no_formula_and_is_reversible(tmp_path: Path) -> None:
    path = tmp_path / "kunden.csv"
    with CsvWriter(path, COLUMNS) as writer:
        writer.write_row(ROW)
        writer.write_row((None, "=1+1", Decimal("-0.125"), -5, None, None, False, "", None))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert path.read_text("utf-8-sig").split("\n") == [
        "Kundennummer;Firma;Kreditlimit;Zahlungsziel;Kunde seit;Geändert;Aktiv;Land;Kennung",
        "01307;Müller & Söhne <GmbH>;12400,50;30;31.12.2026;31.12.2026 14:02:05;Ja;AT Österreich;abc",
        ";'=1+1;-0,125;-5;;;Nein;;",
        "",
    ]
    stream = io.BytesIO()
    with CsvWriter(stream, [SheetColumn("p", payload) for payload in PAYLOADS if "\r" not in payload]) as writer:
        writer.write_row([payload for payload in PAYLOADS if "\r" not in payload])
    read = list(csv.reader(io.StringIO(stream.getvalue().decode("utf-8-sig"), newline=""), delimiter=";"))
    for row in read:
        assert not any(is_formula_like(cell) for cell in row)
        assert [restore_csv_text(cell) for cell in row] == [payload for payload in PAYLOADS if "\r" not in payload]
    unharmed = {"+49 711 2842222", "-5", "-12,50", "'s Wirtshaus", "'+431531200"}
    assert {text for text in unharmed if protect_csv_text(text) != text} == set()


@given(st.text(alphabet="=@+-'\t\r\n 1a＝", max_size=8))
def test_protected_texts_are_no_formulas_and_come_back(text: str) -> None:
    assert restore_csv_text(protect_csv_text(text)) == text
    assert not is_formula_like(protect_csv_text(text))


_TEXTS = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\ufffe\uffff"), min_size=1, max_size=12
) | st.sampled_from(PAYLOADS)


@settings(max_examples=8, deadline=None)
@given(rows=st.lists(st.tuples(_TEXTS, _TEXTS, _TEXTS), min_size=1, max_size=30))
def test_any_text_comes_back_from_xlsx(tmp_path_factory: pytest.TempPathFactory, rows: Any) -> None:
    path = _written(tmp_path_factory.mktemp("any"), [SheetColumn(key, key) for key in "abc"], rows)
    found = read_workbook(path, "a.xlsx").sheets[0].rows[1:]
    assert found == [tuple(row) for row in rows]


def test_the_quick_cells_are_those_of_xlsxwriter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = (*COLUMNS, SheetColumn("any", "Irgendwas", "any"))
    rows = [(*ROW[:1], payload, *ROW[2:], index * 1.5) for index, payload in enumerate(PAYLOADS)]

    def sheet_xml() -> str:
        with zipfile.ZipFile(_written(tmp_path, columns, rows)) as archive:
            return archive.read("xl/worksheets/sheet1.xml").decode()

    quick = sheet_xml()
    monkeypatch.delattr(TableSheet, "_write_cell")
    assert quick == sheet_xml()


def test_numbers_that_a_spreadsheet_would_round_are_texts(tmp_path: Path) -> None:
    columns = [SheetColumn("d", "d", "decimal"), SheetColumn("i", "i", "integer")]
    rows = [
        (Decimal("123456789012.345"), 999_999_999_999_999),
        (Decimal("1234567890123.4567"), 1234567890123456789),
        (Decimal("0.1"), -3),
    ]
    found = read_workbook(_written(tmp_path, columns, rows), "a.xlsx").sheets[0].rows[1:]
    assert found == [
        (123456789012.345, 999_999_999_999_999),
        ("1234567890123,4567", "1234567890123456789"),
        (0.1, -3),
    ]


def test_days_before_the_calendar_of_spreadsheets_are_texts(tmp_path: Path) -> None:
    columns = [SheetColumn("d", "d", "date"), SheetColumn("t", "t", "datetime")]
    rows: list[tuple[Any, Any]] = [
        (datetime.date(1897, 5, 2), datetime.datetime(1900, 2, 28, 8)),
        (datetime.date(1900, 3, 1), datetime.datetime(1900, 3, 1, 0, 0, 1)),
        (datetime.date(9999, 12, 31), datetime.datetime(2026, 3, 29, 2, 30)),
        ("<leer>", "unbekannt"),
    ]
    found = read_workbook(_written(tmp_path, columns, rows), "a.xlsx").sheets[0].rows[1:]
    assert found == [("02.05.1897", "28.02.1900 08:00:00"), *rows[1:]]


def test_faulty_cells_are_marked_and_say_why(tmp_path: Path) -> None:
    path = tmp_path / "fehler.xlsx"
    columns = [SheetColumn("a", "Firma", "any"), SheetColumn("b", "PLZ", "any"), SheetColumn("c", "Seit", "any")]
    with WorkbookWriter(path) as writer:
        table = writer.add_table("Fehler", columns)
        table.write_row(["Müller", 1067, datetime.date(2026, 1, 2)], {1: "Die PLZ hat nur 4 Stellen.", 2: ""})
        table.write_row([None, "01067", None], {0: "Die Firma fehlt."})
    sheet = openpyxl.load_workbook(path)["Fehler"]
    assert (sheet["B2"].value, sheet["B2"].comment.text) == (1067, "Die PLZ hat nur 4 Stellen.")
    assert sheet["B2"].fill.fgColor.rgb == sheet["A3"].fill.fgColor.rgb == "FFFBD5D5"
    assert sheet["A2"].fill.fgColor.rgb != "FFFBD5D5"
    assert sheet["A3"].comment.text == "Die Firma fehlt."
    assert read_workbook(path, "f.xlsx").sheets[0].rows[1:] == [
        ("Müller", 1067, datetime.date(2026, 1, 2)),
        (None, "01067"),
    ]


def test_a_text_that_does_not_fit_is_named_and_leaves_no_file(tmp_path: Path) -> None:
    for text, sentence in (
        (
            "x" * 32_768,
            "Blatt „Kunden“, Zelle B3: Der Text ist länger als 32.767 Zeichen und passt nicht in eine Zelle.",
        ),
        (
            "🎉" * 16_384,
            "Blatt „Kunden“, Zelle B3: Der Text ist länger als 32.767 Zeichen und passt nicht in eine Zelle.",
        ),
        (
            "a\ud800b",
            "Blatt „Kunden“, Zelle B3: Der Text enthält ein Zeichen, das es nicht gibt. Bitte geben Sie ihn neu ein.",
        ),
    ):
        with pytest.raises(SheetError) as caught:
            _written(tmp_path, COLUMNS[:2], [("1", "a"), ("2", text)])
        assert str(caught.value) == sentence
        assert list(tmp_path.iterdir()) == []
    _written(tmp_path, COLUMNS[:2], [("1", "x" * 32_767)])


def test_more_rows_than_a_sheet_has_are_refused(tmp_path: Path) -> None:
    writer = WorkbookWriter(tmp_path / "a.xlsx")
    table = writer.add_table("Kunden", COLUMNS[:1])
    # The rows in between would take a minute and tell nothing.
    table._next = 1_048_575
    table.write_row(["1"])
    with pytest.raises(SheetError) as caught:
        table.write_row(["2"])
    writer.discard()
    assert str(caught.value) == (
        "Ein Blatt einer xlsx-Datei fasst 1.048.576 Zeilen; es sind mehr. Bitte wählen Sie weniger aus oder "
        "exportieren Sie als csv."
    )
    assert list(tmp_path.iterdir()) == []


def test_csv_names_the_character_that_does_not_exist(tmp_path: Path) -> None:
    for text in ("a\ud800", "a\0"):
        writer = CsvWriter(io.BytesIO(), COLUMNS[:2])
        with pytest.raises(SheetError) as caught:
            writer.write_row(["1", text])
        assert str(caught.value).startswith("Zeile 2, Spalte „Firma“: Der Text enthält ein Zeichen, das es nicht gibt.")


def test_odd_sheet_names_are_made_possible(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with WorkbookWriter(path) as writer:
        for name in ("a/b[c]:*?", "x" * 40, "X" * 40, "", "History", "'Kunden'"):
            writer.add_table(name, COLUMNS[:1]).write_row(["1"])
    assert openpyxl.load_workbook(path).sheetnames == [
        "a b c",
        "x" * 31,
        "X" * 29 + " 2",
        "Tabelle",
        "History 1",
        "Kunden",
    ]

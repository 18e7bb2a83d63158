"""Detection: what the rows are, and the sentences that say why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flask_appadmin.sheets.detection.headings import find_header
from flask_appadmin.sheets.detection.sheet import Detection, detect, detection_from_json
from flask_appadmin.sheets.reading import Workbook, read_workbook


def _detect(text: str, encoding: str = "utf-8", **options: object) -> Detection:
    return detect(read_workbook(text.encode(encoding), "liste.csv"), **options)  # type: ignore[arg-type]


def _sentences(found: Detection) -> list[str]:
    return [evidence.sentence() for evidence in found.evidence]


def test_a_list_of_banks_with_five_lines_before_its_headings(data_folder: Path) -> None:
    path = data_folder / "customers" / "banken_at" / "sepa-zv-vz_gesamt.csv"
    found = detect(read_workbook(path, "sepa-zv-vz_gesamt.csv"))
    assert (found.header_row, found.row_count, found.first_row, found.last_row) == (6, 874, 7, 880)
    assert found.headings[:4] == ["Kennzeichen", "Identnummer", "Bankleitzahl", "Institutsart"]
    assert _sentences(found) == [
        (
            "Zeichensatz Latin-1 (westeuropäisch): 1.216 Sonderzeichen lesen sich nur so als Wörter, zum Beispiel "
            "„österreichischen“ in Zeile 1."
        ),
        "Trennzeichen Semikolon: 595 von 599 Zeilen haben damit 22 Spalten.",
        "4 Zeilen haben 1 statt 22 Spalten (die erste ist Zeile 1).",
        "Die Überschriften stehen in Zeile 6; die 5 Zeilen darüber gehören nicht zur Tabelle.",
    ]
    founded = next(column for column in found.columns if column.heading == "Gründungsdatum")
    assert founded.date_order == "dmy"
    assert [evidence.sentence() for evidence in founded.evidence] == [
        "855 Werte sind nur als TT.MM. lesbar, zum Beispiel „02.05.1897“."
    ]


def test_a_list_of_schools_with_a_separator_line(data_folder: Path) -> None:
    found = detect(read_workbook(data_folder / "customers" / "schulen_nrw" / "schuldaten.csv", "schuldaten.csv"))
    assert (found.header_row, found.row_count, len(found.headings)) == (1, 5507, 23)
    assert "Trennzeichen Semikolon: Die erste Zeile der Datei sagt es („sep=“)." in _sentences(found)
    assert "1 Zeile hat 24 statt 23 Spalten (Zeile 1)." in _sentences(found)
    area_code = next(column for column in found.columns if column.heading == "Telefonvorwahl")
    assert area_code.leading_zeros == 5502


def test_a_column_of_dates_that_can_be_read_twice_is_a_question(data_folder: Path) -> None:
    found = detect(read_workbook(data_folder / "customers" / "krankenhaeuser" / "DE.csv", "DE.csv"))
    by_heading = {column.heading: column for column in found.columns}
    assert by_heading["pub_date"].date_order == "dmy"
    assert by_heading["ref_date"].date_order == "ambiguous"
    assert by_heading["ref_date"].date_suggestion == "dmy"
    assert [evidence.sentence() for evidence in by_heading["ref_date"].evidence] == [
        "Alle 2.809 Daten sind als TT/MM und als MM/TT lesbar, zum Beispiel „08/03/2020“. Was ist gemeint?",
        "Die Spalte „pub_date“ spricht für TT/MM.",
    ]
    assert found.questions == by_heading["ref_date"].questions
    assert by_heading["lat"].decimals == "point"


def test_postal_codes_that_became_numbers_are_noticed(data_folder: Path) -> None:
    """trust.md case 109."""
    path = data_folder / "customers" / "northwind" / "kunden.plz-als-zahl.xlsx"
    found = detect(read_workbook(path, "kunden.xlsx"))
    postal_code = next(column for column in found.columns if column.heading == "PLZ")
    assert [evidence.sentence() for evidence in postal_code.evidence] == [
        "66 Werte sind Zahlen, 24 sind Text; führende Nullen können beim Speichern verloren gegangen sein."
    ]


@pytest.mark.parametrize(
    ("values", "decimals", "sentence"),
    [
        (["12,50", "1.234,56"], "comma", "2 Zahlen sind mit Dezimalkomma geschrieben, zum Beispiel „12,50“."),
        (["12.50", "1,234.56"], "point", "2 Zahlen sind mit Dezimalpunkt geschrieben, zum Beispiel „12.50“."),
        (["12,50 €", "7"], "comma", "1 Zahl ist mit Dezimalkomma geschrieben, zum Beispiel „12,50 €“."),
        (["1.234.567"], "comma", "1 Zahl ist mit Dezimalkomma geschrieben, zum Beispiel „1.234.567“."),
        (
            ["1.234", "5.000"],
            "ambiguous",
            "2 Zahlen sind auf zwei Arten lesbar: „1.234“ kann Tausender oder Nachkommastellen haben. Was ist gemeint?",
        ),
        (["1.234", "0,5"], "comma", "1 Zahl ist mit Dezimalkomma geschrieben, zum Beispiel „0,5“."),
        (
            ["1,5", "1.5"],
            "mixed",
            "Zahlen stehen mit Dezimalkomma („1,5“) und mit Dezimalpunkt („1.5“). Was ist gemeint?",
        ),
        (["abc", "1.5", "def", "ghi"], "", None),
    ],
)
def test_decimals_are_judged_by_the_whole_column(values: list[str], decimals: str, sentence: str | None) -> None:
    """trust.md case 103: decimal comma and point."""
    found = _detect("Firma;Limit\n" + "".join(f"Firma {value};{value}\n" for value in values))
    assert found.columns[1].decimals == decimals
    assert [evidence.sentence() for evidence in found.columns[1].evidence] == ([sentence] if sentence else [])


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (["31.12.2026", "01.02.2026"], "dmy"),
        (["1.2.26"], "dmy"),
        (["2026-12-31"], "ymd"),
        (["12/31/2026", "01/02/2026"], "mdy"),
        (["01/02/2026", "03/04/2026"], "ambiguous"),
        (["31/12/2026", "12/31/2026"], "mixed"),
        (["45/45/2026"], ""),
        (["31.12.2026 10:30"], "dmy"),
    ],
)
def test_the_order_of_dates_is_judged_by_the_whole_column(values: list[str], order: str) -> None:
    """trust.md case 110: one reading for a column, or a question."""
    found = _detect("Firma;Seit\n" + "".join(f"Firma;{value}\n" for value in values))
    assert found.columns[1].date_order == order
    assert bool(found.questions) == (order in ("ambiguous", "mixed"))


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("cp1252", "iso-8859-1"),
        ("utf-8-sig", "utf-8"),
        ("mac_roman", "mac_roman"),
        ("cp850", "cp850"),
        ("utf-8", "utf-8"),
        ("utf-16", "utf-16-le"),
    ],
)
def test_the_encoding_is_found_by_how_its_words_read(encoding: str, codec: str) -> None:
    """trust.md case 102; a byte order mark is never part of the first heading."""
    text = "Firma;Ort\nMüller & Söhne;Köln\nGroßbäckerei Übelacker;München\nCafé Ähre;Gießen\n"
    workbook = read_workbook(text.encode(encoding), "liste.csv")
    assert workbook.text is not None
    assert workbook.text.encoding == codec
    assert workbook.main_sheet.rows[::2] == [("Firma", "Ort"), ("Großbäckerei Übelacker", "München")]


def test_characters_that_were_lost_before_are_told() -> None:
    found = _detect("Firma;Ort\nM\ufffdller;K\ufffdln\n")
    assert (
        "2 Zeichen der Datei sind schon früher verloren gegangen (\ufffd, zum Beispiel in Zeile 2). Bitte holen Sie "
        "die Liste noch einmal aus ihrem Ursprung."
    ) in _sentences(found)


def test_a_typographic_file_is_windows() -> None:
    workbook = read_workbook("Firma;Preis\n„Zur Post“ – Köln;5 €\n".encode("cp1252"), "liste.csv")
    assert workbook.text is not None
    assert workbook.text.encoding == "cp1252"
    assert workbook.main_sheet.rows[1] == ("„Zur Post“ – Köln", "5 €")


def test_a_mixed_file_is_told_line_by_line() -> None:
    """trust.md case 102: two encodings in one file."""
    raw = "Firma;Ort\nMüller;Köln\nGroß;München\n".encode() + "Jäger;Fürth\n".encode("cp1252") + "Öl;Düren\n".encode()
    found = detect(read_workbook(raw, "liste.csv"))
    assert _sentences(found)[0] == (
        "Die Datei ist in UTF-8 geschrieben, aber 1 Zeile nicht (Zeile 4); sie wurde als Windows-1252 gelesen."
    )
    assert found.evidence[0].weight == "warning"


@pytest.mark.parametrize(
    ("text", "separator", "rows"),
    [
        ("a;b\n1,5;2\n", ";", [("a", "b"), ("1,5", "2")]),
        ("a,b\n1,2\n", ",", [("a", "b"), ("1", "2")]),
        ("a\tb\n1, 2\t3;4\n", "\t", [("a", "b"), ("1, 2", "3;4")]),
        ("a|b\n1|2\n", "|", [("a", "b"), ("1", "2")]),
        ('sep=,\na,b\n"1,5",2\n', ",", [("a", "b"), ("1,5", "2")]),
        ("'a';'b'\n'1;5';'2'\n", ";", [("a", "b"), ("1;5", "2")]),
        ("a;b\r1;2\r", ";", [("a", "b"), ("1", "2")]),
        ("a;b\r\n1;2\n3;4\r5;6", ";", [("a", "b"), ("1", "2"), ("3", "4"), ("5", "6")]),
        ("a;b\n1;2\n\x1a", ";", [("a", "b"), ("1", "2")]),
        ("Firma Ort\nMüller Köln\n", "\t", [("Firma Ort",), ("Müller Köln",)]),
    ],
)
def test_separators_quotes_and_line_ends(text: str, separator: str, rows: list[tuple[str, ...]]) -> None:
    """trust.md cases 103 and 106: separators, decimal commas, line ends of every kind."""
    workbook = read_workbook(text.encode(), "liste.csv")
    assert workbook.text is not None
    assert (workbook.text.separator, workbook.main_sheet.rows) == (separator, rows)


def test_a_cell_that_swallowed_rows_is_noticed() -> None:
    """trust.md case 104: a quotation mark that is closed rows later."""
    text = 'Firma;Ort\n"Müller;Köln\nMaier;Bonn\nSchulze;Ulm\nWeber;Jena\nGroß";Trier\nEnde;Aachen\n'
    found = _detect(text)
    assert (
        "In Zeile 2 enthält eine Zelle mehrere Zeilen mit Trennzeichen; vermutlich fehlt dort ein Anführungszeichen."
        in _sentences(found)
    )


def test_headings_that_are_missing_or_doubled_are_told() -> None:
    """trust.md case 108."""
    found = _detect("Firma;Telefon;Telefon;E-Mail;;\nMüller;030 1;030 2;a@example.org;x;y\n")
    assert found.headings == ["Firma", "Telefon", "Telefon", "E-Mail", "", ""]
    assert _sentences(found)[-2:] == [
        "Die Überschrift „Telefon“ steht über mehreren Spalten (B, C).",
        "2 gefüllte Spalten haben keine Überschrift (E, F).",
    ]


def test_a_table_without_headings_is_recognised(data_folder: Path) -> None:
    found = detect(read_workbook(data_folder / "customers" / "adventureworks" / "Address.DE.tsv", "a.tsv"))
    assert (found.header_row, found.row_count, found.headings[:3]) == (0, 1821, ["A", "B", "C"])


def test_a_technical_line_before_the_headings_is_passed_over(data_folder: Path) -> None:
    found = detect(read_workbook(data_folder / "customers" / "datev" / "EXTF_Stammdaten.csv", "e.csv"))
    assert (found.header_row, found.headings[0], found.row_count) == (2, "Konto", 4)


def test_known_headings_decide() -> None:
    rows: list[tuple[object, ...]] = [("Liste", "vom", "Montag"), ("Firma", "Ort", "Tel"), ("a", "b", "c")]
    number, evidence = find_header(rows, {"firma", "ort"})  # type: ignore[arg-type]
    assert (number, evidence.sentence()) == (2, "Die Überschriften stehen in Zeile 2: 2 davon sind bekannt.")


def test_the_heading_row_can_be_overruled() -> None:
    text = "x;y\nFirma;Ort\nMüller;Köln\n"
    found = _detect(text, header_row=2)
    assert (found.headings, found.row_count) == (["Firma", "Ort"], 1)
    found = _detect(text, header_row=0)
    assert (found.headings, found.row_count) == (["A", "B"], 3)


def test_only_headings_and_gaps_are_told() -> None:
    """trust.md case 101: nothing below the headings."""
    assert "Unter den Überschriften steht keine Zeile." in _sentences(_detect("Kundennummer;Firma\n"))
    found = _detect("Firma;Ort\nMüller;Köln\n\n\nMaier;Bonn\n\n")
    assert (found.row_count, found.empty_rows, found.last_row) == (2, 2, 5)
    assert "2 leere Zeilen zwischen den Daten werden übergangen." in _sentences(found)


def test_a_detection_survives_storage() -> None:
    found = _detect("Firma;Seit;Limit\nMüller;01/02/2026;1.234\n")
    assert detection_from_json(json.loads(json.dumps(found.to_json()))) == found


def test_the_largest_visible_sheet_is_taken_first(data_folder: Path) -> None:
    """trust.md case 101: two sheets."""
    workbook: Workbook = read_workbook(
        data_folder / "customers" / "gemeinden_destatis" / "AuszugGV2QAktuell.xlsx", "AuszugGV2QAktuell.xlsx"
    )
    assert [sheet.name for sheet in workbook.sheets] == ["Inhalt", "Onlineprodukt_Gemeinden"]
    assert detect(workbook).sheet == "Onlineprodukt_Gemeinden"

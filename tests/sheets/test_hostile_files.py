"""Whatever a file is, it ends as rows or as a sentence; never as a dead process, and never beyond the limits."""

from __future__ import annotations

import itertools
import json
import os
import random
import resource
import stat
import struct
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flask_appadmin.errors import SheetError
from flask_appadmin.sheets.detection.sheet import detect
from flask_appadmin.sheets.limits import ReadLimits
from flask_appadmin.sheets.nursery import Nursery, Reader
from flask_appadmin.sheets.reading import read_workbook
from flask_appadmin.sheets.unreadable import UnreadableFile
from tests.sheets.mutations import good_files, hostile_files

#: What becomes of the files of other projects' test suites that are no plain tables.
REFUSED = {
    "ExcelDataReader/EmptyZipFile.xlsx": "not_a_table",
    "ExcelDataReader/Test_git_issue_242_xor_pwd_password.xls": "password",
    "ExcelDataReader/agile_AES256_SHA512_CBC_pwd_password.xlsx": "password",
    "ExcelDataReader/as3xls_BIFF2.xls": "not_a_table",
    "ExcelDataReader/protectedsheet-xxx.xls": "password",
    "PhpSpreadsheet/HTML__charset.ISO-8859-1.html": "not_a_table",
    "PhpSpreadsheet/XLSX__utf16be.bom.xlsx": "damaged",
    "PhpSpreadsheet/XLS__oleloop.xls": "damaged",
    "PhpSpreadsheet/XLS__pwtest.xls": "password",
    "PhpSpreadsheet/Xml__excel2003.iso8859-1.xml": "not_a_table",
    "SheetJS/ErrorTypes.slk": "not_a_table",
    "SheetJS/password_2002_40_xor.xls": "password",
    "calamine/pass_protected.ods": "password",
    "calamine/pass_protected.xlsx": "password",
    "csv-spectrum/json__comma_in_quotes.json": "not_a_table",
    "generated/anfuehrung_offen.csv": "open_quote",
    "generated/nullbytes.csv": "nul_bytes",
    "generated/zipbombe_30mb.xlsx": "bomb",
    "openpyxl/null_archive.xlsx": "not_a_table",
    "openpyxl/null_file.xlsx": "empty",
    "openspout/csv__csv_all_lines_empty.csv": "empty",
    "openspout/csv__csv_empty.csv": "empty",
    "openspout/ods__attack_billion_laughs.ods": "entities",
    "openspout/xlsx__attack_quadratic_blowup.xlsx": "entities",
    "openspout/xlsx__one_sheet_with_invalid_xml_characters.xlsx": "damaged_sheet",
    "poi/clusterfuzz-testcase-minimized-POIHSSFFuzzer-4819588401201152.xls": "damaged",
    "poi/clusterfuzz-testcase-minimized-XLSX2CSVFuzzer-5025401116950528.xlsx": "damaged",
    "poi/password.xls": "password",
    "poi/poc-xmlbomb.xlsx": "entities",
    "poi/protected_passtika.xlsx": "password",
    "poi/xlsx-corrupted.xlsx": "damaged",
    "roo/encrypted-letmein.ods": "password",
    "xlrd/biff4_no_format_no_window2.xls": "not_a_table",
}
#: Files without a single filled cell are empty; everything else is a table.
EMPTY = {
    "PhpSpreadsheet/XLSX__HiddenSheet.xlsx",
    "XlsxWriter/data_validation01.xlsx",
    "XlsxWriter/hide01.xlsx",
    "calamine/empty_sheet.xlsx",
    "calamine/vba.xlsm",
    "openpyxl/vba-test.xlsm",
    "openspout/xlsx__two_sheets_one_hidden_one_not.xlsx",
    "poi/sheetProtection_allLocked.xlsx",
}


def test_every_collected_file_ends_as_a_table_or_as_a_sentence(data_folder: Path) -> None:
    folder = data_folder / "spreadsheets"
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "README.md")
    assert len(files) > 180

    sentences: list[str] = []

    def outcome(path: Path) -> str:
        try:
            workbook = read_workbook(path, path.name)
        except UnreadableFile as fault:
            sentences.append(str(fault))
            return fault.code
        detect(workbook)
        return "table"

    with ThreadPoolExecutor(4) as pool:
        found = pool.map(outcome, files)
        outcomes = {str(path.relative_to(folder)): code for path, code in zip(files, found, strict=True)}
    assert [sentence for sentence in sentences if "„" not in sentence or not sentence.endswith(".")] == []
    refused = {name: code for name, code in outcomes.items() if code != "table" and not name.endswith(".json")}
    expected = {name: code for name, code in REFUSED.items() if not name.endswith(".json")}
    assert refused == {**expected, **dict.fromkeys(EMPTY, "empty")}
    assert outcomes["csv-spectrum/json__utf8.json"] == "not_a_table"


def test_a_sheet_that_claims_billions_of_cells_is_refused_before_it_is_parsed(xlsx_of: Callable[..., Path]) -> None:
    """trust.md case 96."""
    path = xlsx_of('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>')
    assert path.stat().st_size < 2_000
    with pytest.raises(UnreadableFile) as caught:
        read_workbook(path, "riesig.xlsx")
    assert str(caught.value) == (
        "„riesig.xlsx“, Blatt „Kunden“, Zelle XFD1048576: mehr als 400 Spalten können nicht gelesen werden. Bitte "
        "löschen Sie, was rechts von der Liste steht."
    )
    path = xlsx_of('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="AZ1048576"><v>2</v></c></row>')
    with pytest.raises(UnreadableFile) as caught:
        read_workbook(path, "weit.xlsx")
    assert caught.value.code == "spread"
    assert "Zelle AZ1048576" in str(caught.value)


def test_formatted_but_empty_cells_at_the_end_of_the_world_do_not_matter(xlsx_of: Callable[..., Path]) -> None:
    path = xlsx_of(
        '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" s="0"/></row><row r="1048576"><c r="B1048576" s="0"/></row>'
    )
    assert read_workbook(path, "kunden.xlsx").main_sheet.rows == [(1,)]


def test_a_parser_that_dies_becomes_a_sentence(xlsx_of: Callable[..., Path]) -> None:
    """trust.md cases 95 and 96: the process that asked lives on and stays small."""
    # Written so that the look before cannot see the cells: only the limit of memory is left.
    path = xlsx_of(
        "<row r='1'><c r='A1'><v>1</v></c></row><row r='1048576'><c r='XFD1048576'><v>2</v></c></row>",
    )
    started = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnreadableFile) as caught:
        read_workbook(path, "riesig.xlsx")
    assert caught.value.code == "memory"
    assert str(caught.value) == (
        "„riesig.xlsx“ braucht beim Lesen zu viel Speicher; die Datei ist zu groß oder beschädigt. Bitte teilen Sie "
        "die Liste auf oder speichern Sie sie als csv."
    )
    assert time.monotonic() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_nursery_that_is_gone_is_replaced_and_a_reader_nobody_wants_ends(xlsx_of: Callable[..., Path]) -> None:
    own = Nursery()

    def answer(reader: Reader) -> bytes:
        """All it says; the end of the pipe is the end of the process."""
        with open(reader.pipe, "rb", closefd=False) as pipe:
            return pipe.read()

    request = json.dumps({"limits": ReadLimits()._asdict(), "encoding": "", "separator": ""}).encode()
    endless = b"a;b\n" + b"1;2\n" * 2_000_000
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as long:
        file.write(b"Firma;Ort\nM\xc3\xbcller;Bonn\n")
        file.flush()
        long.write(endless)
        long.flush()
        for _life in range(2):
            readers = [own.reader(file, request)]
            assert b"M\\u00fcller" in answer(readers[0])
            assert readers[0].exit_code() == 0
            readers[0].close()
            assert own._process is not None
            own._process.kill()
            own._process.wait()
        given_up = own.reader(long, request)
        assert os.read(given_up.pipe, 10)
        copy = os.dup(given_up.pipe)
        given_up.close()
        with open(copy, "rb") as rest:
            assert b'"end"' not in rest.read()[-100:]
    own.close()


def test_time_is_limited(xlsx_of: Callable[..., Path]) -> None:
    raw = b"a;b\n" + b"1;2\n" * 3_000_000
    with pytest.raises(UnreadableFile) as caught:
        read_workbook(raw, "lang.csv", limits=ReadLimits(wall_seconds=0.2, rows=10_000_000))
    assert caught.value.code == "time"
    with pytest.raises(UnreadableFile) as caught:
        read_workbook(raw, "lang.csv", limits=ReadLimits(cpu_seconds=1, rows=10_000_000))
    assert caught.value.code in ("time", "too_many_cells")


def test_repeated_empty_cells_of_an_ods_cost_nothing(ods_of: Callable[..., Path]) -> None:
    """trust.md case 97: what is empty is cut."""
    path = ods_of(
        '<table:table table:name="A"><table:table-row><table:table-cell office:value-type="string"><text:p>Firma'
        '</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16383"/></table:table-row>'
        '<table:table-row table:number-rows-repeated="1048575"><table:table-cell'
        ' table:number-columns-repeated="16384"/></table:table-row></table:table>'
    )
    started = time.monotonic()
    assert read_workbook(path, "a.ods").main_sheet.rows == [("Firma",)]
    assert time.monotonic() - started < 2


def test_repeated_filled_cells_of_an_ods_are_counted_before_they_are_made(ods_of: Callable[..., Path]) -> None:
    """trust.md case 97: what is filled is refused."""
    path = ods_of(
        '<table:table table:name="A"><table:table-row table:number-rows-repeated="1048576"><table:table-cell'
        ' table:number-columns-repeated="300" office:value-type="float" office:value="1"/></table:table-row>'
        "</table:table>"
    )
    with pytest.raises(UnreadableFile) as caught:
        read_workbook(path, "a.ods")
    assert caught.value.code == "too_many_cells"


@pytest.mark.parametrize("declaration", ['<!DOCTYPE x [<!ENTITY a "b">]>', '<!DOCTYPE x SYSTEM "file:///etc/passwd">'])
def test_definitions_in_xml_are_refused(
    xlsx_of: Callable[..., Path], ods_of: Callable[..., Path], declaration: str
) -> None:
    """trust.md case 98: a file of entities, or one that names another."""
    for path in (ods_of("<table:table/>", head=declaration), xlsx_of("", {"xl/styles.xml": declaration + "<x/>"})):
        with pytest.raises(UnreadableFile) as caught:
            read_workbook(path, path.name)
        assert caught.value.code == "entities"


def _zip_of(tmp_path: Path, change: Callable[[bytearray], None], parts: int = 3) -> bytes:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(parts):
            archive.writestr(f"[Content_Types].xml{number or ''}", "<a/>")
    raw = bytearray(path.read_bytes())
    change(raw)
    return bytes(raw)


def test_odd_archives_are_refused(tmp_path: Path, xlsx_of: Callable[..., Path]) -> None:
    """trust.md case 99: too many parts, overlapping, encrypted, of another size, a link, names that lead outside."""

    def code(raw: bytes) -> str:
        with pytest.raises(UnreadableFile) as caught:
            read_workbook(raw, "a.xlsx")
        return caught.value.code

    assert code(_zip_of(tmp_path, lambda raw: None, parts=3_000)) == "too_many_parts"

    directory = b"PK\x01\x02"

    def overlap(raw: bytearray) -> None:
        second = raw.index(directory, raw.index(directory) + 4)
        raw[second + 42 : second + 46] = struct.pack("<I", 5)

    assert code(_zip_of(tmp_path, overlap)) in ("odd_archive", "damaged")

    def encrypted(raw: bytearray) -> None:
        raw[raw.index(directory) + 8] |= 1

    assert code(_zip_of(tmp_path, encrypted)) == "password"

    def wrong_size(raw: bytearray) -> None:
        first = raw.index(directory)
        raw[first + 24 : first + 28] = struct.pack("<I", 2)

    assert code(_zip_of(tmp_path, wrong_size)) == "damaged"

    def linked(raw: bytearray) -> None:
        first = raw.index(directory)
        raw[first + 38 : first + 42] = struct.pack("<I", (stat.S_IFLNK | 0o777) << 16)

    assert code(_zip_of(tmp_path, linked)) == "odd_archive"
    # trust.md case 101: a workbook without a sheet, or with an empty one.
    book = '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheets/>'
    assert code(xlsx_of("", {"xl/workbook.xml": f"{book}</workbook>"}).read_bytes()) in ("no_sheets", "damaged")
    assert code(xlsx_of("").read_bytes()) == "empty"
    for name in ("../xl/a.xml", "/etc/passwd"):
        assert code(xlsx_of("", {name: "x"}).read_bytes()) == "odd_archive"


def test_sizes_are_counted_not_believed(xlsx_of: Callable[..., Path]) -> None:
    """trust.md case 95: by how much a part grows, and how much all of them become."""
    path = xlsx_of("", {"xl/media/a.bin": b"\0" * 30_000_000})
    with pytest.raises(UnreadableFile) as caught:
        read_workbook(path, "a.xlsx")
    assert caught.value.code == "bomb"
    noise = random.Random(1).randbytes(3_000_000)
    path = xlsx_of("", {"xl/media/a.bin": noise})
    with pytest.raises(UnreadableFile) as caught:
        read_workbook(path, "a.xlsx", limits=ReadLimits(inflated_bytes=2_000_000))
    assert str(caught.value) == (
        "„a.xlsx“ ist ausgepackt größer als die erlaubten 2 MB und wird nicht gelesen. Bitte teilen Sie die Liste auf."
    )


@pytest.mark.parametrize(
    ("raw", "name", "sentence"),
    [
        (b"%PDF-1.7\n...", "liste.xlsx", "„liste.xlsx“ ist keine Tabelle (sondern ein PDF)."),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "liste.csv", "„liste.csv“ ist keine Tabelle (sondern ein Bild)."),
        (
            b"<html><table><tr><td>1</td></tr></table></html>",
            "liste.xls",
            "„liste.xls“ ist keine Tabelle (sondern eine Internetseite, HTML).",
        ),
        (b"\0" * 5_000, "liste.xlsx", "„liste.xlsx“ enthält nur Nullbytes;"),
        (b"   \r\n \r\n", "liste.csv", "„liste.csv“ ist leer."),
        (b"Firma;Ort\nM\0ller;Bonn\n", "liste.csv", "„liste.csv“, Zeile 2: Dort steht ein Nullbyte;"),
        (b"MZ\x90\x00" + b"\0" * 80, "liste.csv", "„liste.csv“ ist keine Tabelle (sondern ein Programm)."),
        (b'[{"a": 1}]', "liste.csv", "„liste.csv“ ist keine Tabelle (sondern eine JSON-Datei)."),
        (bytes(range(256)) * 20, "liste.csv", "„liste.csv“"),
        (b"PK\x03\x04" + b"x" * 200, "liste.xlsx", "„liste.xlsx“ ist beschädigt oder unvollständig"),
        (
            b'Firma;Ort\n"M\xfcller;Berlin\nMaier;Bonn\n',
            "liste.csv",
            "„liste.csv“: Das Anführungszeichen in Zeile 2 ist nicht geschlossen;",
        ),
        (
            b"Firma;Ort\n1;" + b"x" * 140_000 + b"\n",
            "liste.csv",
            "„liste.csv“, Zeile 2, Spalte B: der Text ist länger als 32.767 Zeichen.",
        ),
    ],
)
def test_what_is_no_table_is_named(raw: bytes, name: str, sentence: str) -> None:
    """trust.md cases 100, 101, 104, 105 and 106: by what is in the file, not by its name."""
    with pytest.raises(SheetError) as caught:
        read_workbook(raw, name)
    assert str(caught.value).startswith(sentence)


#: More than these on demand: KONTOR_TEST_MUTATIONS=50000 make test, or `make soak`.
MUTATIONS = int(os.environ.get("KONTOR_TEST_MUTATIONS", "2000"))


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _try_hostile_files(count: int, seed: int) -> Counter[str]:
    """What became of so many hostile files, read as uploads are, four at a time."""

    def outcome(given: tuple[str, bytes]) -> str:
        name, raw = given
        started = time.monotonic()
        try:
            detect(read_workbook(raw, name))
            found = "table"
        except UnreadableFile as fault:
            found = fault.code
            sentence = str(fault)
            assert "„" in sentence and sentence.endswith("."), sentence
        assert time.monotonic() - started < 15
        return found

    files = hostile_files(count, seed)
    found: Counter[str] = Counter()
    with ThreadPoolExecutor(4) as pool:
        while part := list(itertools.islice(files, 200)):
            found.update(pool.map(outcome, part))
    return found


def test_thousands_of_hostile_files_end_as_tables_or_sentences() -> None:
    for name, raw in good_files().items():
        if not name.endswith(".xml"):
            assert read_workbook(raw, name).main_sheet.rows
    _try_hostile_files(50, 1)
    before = _resident_bytes()
    found = _try_hostile_files(MUTATIONS, 20261122)
    assert found.total() == MUTATIONS
    # Neither all of them are refused at the door, nor does a fault of ours hide behind a general sentence.
    assert found["table"] > MUTATIONS / 10 and found["damaged"] > MUTATIONS / 10
    assert {"not_a_table", "entities", "open_quote", "damaged_sheet"} <= set(found)
    assert found["failed"] == 0, found
    assert _resident_bytes() - before < 50_000_000


@pytest.mark.soak
def test_many_thousands_of_hostile_files_end_as_tables_or_sentences() -> None:
    before = _resident_bytes()
    found = _try_hostile_files(20_000, random.randrange(1 << 30))
    assert found["failed"] == 0, found
    assert _resident_bytes() - before < 50_000_000

"""The operator's own workbook comes back with every problem at its cell, and is known again when it returns (M3)."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
from flask.testing import FlaskClient
from openpyxl.styles import PatternFill

from flask_appadmin.changes import ChangeSet
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.sheets.annotating.comments import AUTHOR
from flask_appadmin.sheets.sessions import ImportRun
from flask_appadmin.specs import spec_of
from models import Contact, Customer
from tests.customers.test_spreadsheets import apply, exported, follow, run_of, upload
from tests.customers.test_workbook_home import WEBER
from tests.spreadsheets import edit_cells, form_values, photograph, tiles_of, words_of, write_csv

SPEC = spec_of(Customer)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#: A sheet with a pivot table, as spreadsheet programs write it.
PIVOT = {
    "xl/pivotTables/pivotTable1.xml": f"""<pivotTableDefinition xmlns="{_MAIN}" name="P" cacheId="7"
        dataCaption="Werte"><location ref="D1:E4" firstHeaderRow="1" firstDataRow="1" firstDataCol="1"/>
        <pivotFields count="2">
        <pivotField axis="axisRow" showAll="0"><items count="3"><item x="0"/><item x="1"/><item t="default"/></items>
        </pivotField><pivotField dataField="1" showAll="0"/></pivotFields><rowFields count="1"><field x="0"/>
        </rowFields><rowItems count="3"><i><x/></i><i><x v="1"/></i><i t="grand"><x/></i></rowItems><colItems count="1">
        <i/></colItems>
        <dataFields count="1"><dataField name="Summe" fld="1" baseField="0" baseItem="0"/></dataFields>
        </pivotTableDefinition>""",
    "xl/pivotTables/_rels/pivotTable1.xml.rels": f"""<Relationships
        xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
        Type="{_RELATIONS}/pivotCacheDefinition" Target="../pivotCache/pivotCacheDefinition1.xml"/></Relationships>""",
    "xl/pivotCache/pivotCacheDefinition1.xml": f"""<pivotCacheDefinition xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"
        r:id="rId1" refreshedBy="Weber" createdVersion="3" refreshedVersion="3" recordCount="2"><cacheSource
        type="worksheet"><worksheetSource ref="A1:B3" sheet="Auswertung"/></cacheSource><cacheFields count="2">
        <cacheField name="Ort" numFmtId="0"><sharedItems count="2"><s v="Graz"/><s v="Wien"/></sharedItems></cacheField>
        <cacheField name="Anzahl" numFmtId="0"><sharedItems containsSemiMixedTypes="0" containsString="0"
        containsNumber="1" containsInteger="1" minValue="1" maxValue="2"/></cacheField></cacheFields>
        </pivotCacheDefinition>""",
    "xl/pivotCache/_rels/pivotCacheDefinition1.xml.rels": f"""<Relationships
        xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
        Type="{_RELATIONS}/pivotCacheRecords" Target="pivotCacheRecords1.xml"/></Relationships>""",
    "xl/pivotCache/pivotCacheRecords1.xml": f"""<pivotCacheRecords xmlns="{_MAIN}" count="2"><r><x v="0"/><n v="1"/></r>
        <r><x v="1"/><n v="2"/></r></pivotCacheRecords>""",
}
OWN_COLUMNS = ("Notiz", "Ampel", "Doppelt")


def sixty_customers() -> list[int]:
    change = ChangeSet("form")
    made = []
    for number in range(60):
        customer = change.create(Customer, {"customer_number": 10001 + number, "name_1": f"Kunde {number}"})
        change.create(Contact, {"customer": customer, "name_1": "Ilse", "email": "i@example.org"})
        made.append(customer)
    change.apply(WEBER)
    return [record.key or 0 for record in made]


def add_own_things(path: Path) -> None:
    """What an operator adds: three columns with colours and a formula, a filter, a width, a sheet with a pivot."""
    book = openpyxl.load_workbook(path)
    table = book["Kunden"]
    first = table.max_column + 1
    for row in range(1, table.max_row + 1):
        cells = [table.cell(row, first + place) for place in range(3)]
        cells[0].value, cells[1].value = (OWN_COLUMNS[0], OWN_COLUMNS[1]) if row == 1 else (f"Anruf {row}", "rot")
        cells[2].value = OWN_COLUMNS[2] if row == 1 else f"=2*{row}"
        cells[1].fill = PatternFill("solid", fgColor="FFC00000")
    table.column_dimensions["C"].width = 33
    table.auto_filter.ref = f"A1:C{table.max_row}"
    sheet = book.create_sheet("Auswertung")
    for row in (("Ort", "Anzahl", None, "Ort", "Summe"), ("Graz", 1, None, "Graz", 1), ("Wien", 2, None, "Wien", 2)):
        sheet.append(row)
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() if name.endswith(("xml", "rels")) else archive.read(name)
                 for name in archive.namelist()}  # fmt: skip
    number = book.sheetnames.index("Auswertung") + 1
    parts[f"xl/worksheets/_rels/sheet{number}.xml.rels"] = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{_RELATIONS}/pivotTable" Target="../pivotTables/pivotTable1.xml"/></Relationships>'
    )
    kinds = zip(list(PIVOT)[::2], ("pivotTable", "pivotCacheDefinition", "pivotCacheRecords"), strict=True)
    office = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    types = "".join(f'<Override PartName="/{name}" ContentType="{office}.{kind}+xml"/>' for name, kind in kinds)
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace("</Types>", f"{types}</Types>")
    relations = parts["xl/_rels/workbook.xml.rels"]
    parts["xl/_rels/workbook.xml.rels"] = relations.replace(
        "</Relationships>",
        f'<Relationship Id="rIdP" Type="{_RELATIONS}/pivotCacheDefinition" '
        'Target="pivotCache/pivotCacheDefinition1.xml"/></Relationships>',
    )
    caches = f'<pivotCaches><pivotCache cacheId="7" r:id="rIdP" xmlns:r="{_RELATIONS}"/></pivotCaches></workbook>'
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace("</workbook>", caches)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**parts, **PIVOT}.items():
            archive.writestr(name, content)


def parts_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def notes_of(book: Any) -> dict[tuple[str, str], str]:
    """(sheet, cell) -> the comment that we wrote there."""
    return {
        (table.title, cell.coordinate): cell.comment.text.removeprefix(f"{AUTHOR}:\n")
        for table in book.worksheets
        for row in table.iter_rows()
        for cell in row
        if cell.comment is not None and cell.comment.text.startswith(f"{AUTHOR}:")
    }


def links_of(book: Any) -> list[str]:
    """Where the links of the list of problems lead."""
    return [
        cell.hyperlink.location for row in book["Befunde"].iter_rows() for cell in row if cell.hyperlink is not None
    ]


def coloured(book: Any, sheet: str) -> set[str]:
    return {cell for found in book[sheet].conditional_formatting for cell in str(found.sqref).split()}


def download(client: FlaskClient, page: str, path: Path) -> Path:
    answer = client.get(f"/admin/imports/marked?id={run_of(page)}")
    assert answer.status_code == 200
    path.write_bytes(answer.data)
    return path


def test_the_own_workbook_comes_back_and_is_known_again(operator: FlaskClient, tmp_path: Path) -> None:
    """M3: 40 errors in 35 rows, 3 own columns and a pivot sheet; after mending 30 they are taken once, 10 reported."""
    chosen = {"column": ["customer_number", "name_1", "city", "phone", "email"], "sheet": ["contact"]}
    path = exported(operator, sixty_customers(), tmp_path / "kunden.xlsx", **chosen)
    # 30 rows with one error, 5 with two; 4 rows that are right, 2 of them new ones.
    wrong = {("Kunden", row, "E-Mail") for row in range(2, 27)} | {
        ("Ansprechpartner", row, "E-Mail") for row in range(2, 7)
    }
    twice = {("Kunden", row, heading) for row in range(27, 32) for heading in ("E-Mail", "Telefon")}
    for sheet in ("Kunden", "Ansprechpartner"):
        edit_cells(path, sheet, {(row, heading): "quatsch" for name, row, heading in wrong | twice if name == sheet})
    good = {(40, "Ort"): "Graz", (41, "Ort"): "Wien", (62, "Name 1"): "Neu eins", (63, "Name 1"): "Neu zwei"}
    edit_cells(path, "Kunden", good)
    add_own_things(path)
    before, columns = parts_of(path), openpyxl.load_workbook(path)
    letters = {
        (name, cell.value): cell.column_letter for name in ("Kunden", "Ansprechpartner") for cell in columns[name][1]
    }
    expected = {(sheet, f"{letters[sheet, heading]}{row}") for sheet, row, heading in wrong | twice}
    assert len(expected) == 40 and len({(sheet, row) for sheet, row, _heading in wrong | twice}) == 35

    page, _url = follow(operator, upload(operator, path))
    assert (tiles_of(page)["Fehler"], tiles_of(page)["neu"], tiles_of(page)["geändert"]) == (35, 2, 2)
    marked = download(operator, page, tmp_path / "markiert.xlsx")
    book = openpyxl.load_workbook(marked)
    assert set(notes_of(book)) == expected
    assert (
        "„quatsch“ ist keine E-Mail-Adresse (das @ fehlt). Bitte so eingeben: name@firma.de." in notes_of(book).values()
    )
    for sheet in ("Kunden", "Ansprechpartner"):
        assert coloured(book, sheet) == {cell for name, cell in expected if name == sheet}
    assert book.sheetnames[0] == "Befunde" and book.active.title == "Befunde"
    assert sorted(links_of(book)) == sorted(f"'{sheet}'!{cell}" for sheet, cell in expected)
    states = {cell.value: cell.column for cell in book["Kunden"][1]}["Befund"]
    said = [book["Kunden"].cell(row, states).value for row in (2, 27, 40, 50, 62)]
    assert said[0].startswith("Fehler: E-Mail: „quatsch“") and said[1].count("quatsch") == 2
    assert said[2:] == ["geändert", "unverändert", "neu"]

    # Everything else is as it was: whole parts, and in the sheets that were marked the cells, the widths, the rules.
    after = parts_of(marked)
    altered = {name for name in before if before[name] != after.get(name)}
    assert all(
        re.search(r"workbook\.xml|Content_Types|styles|/comments|/sheet\d+\.xml|vml|Drawing", name) for name in altered
    )
    assert altered >= {"xl/workbook.xml", "xl/styles.xml"} and not [name for name in altered if "pivot" in name]
    number = columns.sheetnames.index("Auswertung") + 1
    assert f"xl/worksheets/sheet{number}.xml" not in altered
    for name in altered:
        if re.search(r"/sheet\d+\.xml$", name):
            # Own columns, formulas and formats among them: nothing but cells with a state were put in.
            untouched = rb"<c r=\"[A-Z]+\d+\"[^>]*?(?:/>|>.*?</c>)|<autoFilter.*?>|<dataValidations.*</dataValidations>"
            kept = re.findall(untouched, before[name], re.DOTALL)
            found = re.findall(untouched, after[name], re.DOTALL)
            assert kept == [piece for piece in found if b"inlineStr" not in piece or piece in kept], name
            widths = re.findall(rb"<col [^>]*>", before[name])
            assert [width for width in re.findall(rb"<col [^>]*>", after[name]) if width in widths] == widths

    # The right rows are taken, thirty of the wrong ones mended in the file that was loaded before that.
    page, _url = follow(operator, apply(operator, page))
    assert "4 Datensätze übernommen." in words_of(page) and Customer.select().count() == 62
    for sheet in ("Kunden", "Ansprechpartner"):
        edit_cells(marked, sheet, {(row, heading): "gut@example.org" for name, row, heading in wrong if name == sheet})
    page, _url = follow(operator, upload(operator, marked, "markiert.xlsx"))
    counts = tiles_of(page)
    assert (counts["Fehler"], counts["neu"], counts["geändert"], counts["vielleicht doppelt"]) == (5, 0, 30, 0)
    again = download(operator, page, tmp_path / "markiert2.xlsx")
    names, book = book.sheetnames, openpyxl.load_workbook(again)
    left = {(sheet, f"{letters[sheet, heading]}{row}") for sheet, row, heading in twice}
    assert (set(notes_of(book)), len(links_of(book))) == (left, 10)
    assert coloured(book, "Kunden") == {cell for _sheet, cell in left} and coloured(book, "Ansprechpartner") == set()
    assert book.sheetnames == names
    page, _url = follow(operator, apply(operator, page))
    assert "30 Datensätze übernommen." in words_of(page)
    assert Customer.select().where(Customer.email == "gut@example.org").count() == 25
    assert Contact.select().where(Contact.email == "gut@example.org").count() == 5
    imports = ChangeSetRecord.select().where(ChangeSetRecord.kind == "import").count()
    assert (Customer.select().count(), imports) == (62, 2)

    # Once more: the ten stay, nothing is taken twice.
    taken, history = photograph(SPEC), ChangeRecord.select().count()
    page, _url = follow(operator, upload(operator, again, "markiert2.xlsx"))
    counts = tiles_of(page)
    assert (counts["Fehler"], counts["neu"], counts["geändert"], counts["Konflikte"]) == (5, 0, 0, 0)
    assert (photograph(SPEC), ChangeRecord.select().count()) == (taken, history)


def test_a_list_without_numbers_is_known_again(operator: FlaskClient, tmp_path: Path) -> None:
    """Its good rows are not taken a second time, also when the marked file was sorted meanwhile."""
    rows = [["Name 1", "Ort", "E-Mail"], ["Müller", "Graz", "a@b.de"], ["Öz", "Wien", "falsch"], ["Süß", "Linz", None]]
    path = write_csv(tmp_path / "liste.csv", rows)
    page, url = follow(operator, upload(operator, path))
    page, url = follow(operator, operator.post(url, data={**form_values(page), "_do": "preview"}))
    page, _url = follow(operator, apply(operator, page))
    assert "Meine Datei mit Markierungen" in words_of(page)
    marked = download(operator, page, tmp_path / "liste.xlsx")
    said = [row[3].value for row in openpyxl.load_workbook(marked)["Tabelle"].iter_rows()]
    assert said[:2] == ["Befund", "übernommen"] and said[2].startswith("Fehler") and said[3] == "übernommen"
    assert set(notes_of(openpyxl.load_workbook(marked))) == {("Tabelle", "C3")}
    edit_cells(marked, "Tabelle", {(3, "E-Mail"): "o@example.org"})
    book = openpyxl.load_workbook(marked)
    book["Tabelle"].move_range("A2:C2", rows=3)  # to the end, without its state
    book.save(marked)
    page, url = follow(operator, upload(operator, marked))
    page, url = follow(operator, operator.post(url, data={**form_values(page), "_do": "preview"}))
    counts = tiles_of(page)
    assert (counts["neu"], counts["unverändert"], counts["Fehler"]) == (1, 2, 0)
    apply(operator, page)
    assert sorted(row.name_1 for row in Customer.select()) == ["Müller", "Süß", "Öz"]

    # Who takes the import back may bring the file again.
    first = ImportRun.select().order_by(ImportRun.id).first()
    operator.post(f"/admin/operations/undo?id={first.change_set_id}")
    assert Customer.select().count() == 1
    page, url = follow(operator, upload(operator, marked))
    page, url = follow(operator, operator.post(url, data={**form_values(page), "_do": "preview"}))
    assert tiles_of(page)["neu"] == 3

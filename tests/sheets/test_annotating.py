"""Notes in workbooks that others made: whatever stood there stays, and an earlier set of notes goes before the next."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.comments import Comment

from flask_appadmin.sheets.annotating.comments import AUTHOR
from flask_appadmin.sheets.annotating.notes import Facts, Line, SheetMarks, Summary
from flask_appadmin.sheets.annotating.workbook import annotate
from flask_appadmin.sheets.annotating.xmlparts import NotAnnotatable
from flask_appadmin.sheets.limits import column_letters


def book_of(path: Path) -> Path:
    book = openpyxl.Workbook()
    table = book.active
    table.title = "Kunden"
    table.sheet_view.tabSelected = True
    for row in (["Name", "PLZ", None], ["Müller", "1307", "=1+1"], ["Öz & Söhne", "x", None]):
        table.append(row)
    table["B2"].comment = Comment("Bitte prüfen", "Weber")
    table.column_dimensions.group("C", "F", hidden=False)
    table.column_dimensions["C"].width = 40
    second = book.create_sheet("O'Neill <2>")
    second["A1"], second["A2"] = "Ort", "Graz"
    book.defined_names["Drucken"] = openpyxl.workbook.defined_name.DefinedName("Drucken", attr_text="Kunden!$A$1")
    second.print_area = "A1:B2"
    book.save(path)
    return path


def marks_of(words: str = "ist falsch") -> list[SheetMarks]:
    first = SheetMarks("Kunden", 1, 3, "Befund", "unverändert", {2: f"Fehler: {words}"})
    first.comments = {(2, 1): words, (2, 0): "<b>fett</b> & \x07klein"}
    first.colours = {(2, 1): "bad", (2, 0): "warn"}
    second = SheetMarks("O'Neill <2>", 1, 1, "Befund", "", {2: "neu"}, {(2, 0): words}, {(2, 0): "bad"})
    return [first, second]


def summary_of(replaces: str = "") -> Summary:
    lines = [Line("Kunden", 2, 1, ["Kunden", "PLZ"]), Line("O'Neill <2>", 2, 0, ["O'Neill <2>", "Ort"])]
    return Summary(replaces or "Befunde", "Titel", ["Satz"], ["Zelle", "Blatt", "Spalte"], lines, [9, 20, 20], replaces)


def rewritten(path: Path, target: Path, part: str, change: object) -> Path:
    """A copy of the workbook in which one part was changed."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, change(text.decode()) if name == part else text)  # type: ignore[operator]
    return target


def comments_of(path: Path) -> dict[str, str]:
    cells = (cell for row in openpyxl.load_workbook(path)["Kunden"].iter_rows() for cell in row)
    return {cell.coordinate: cell.comment.text for cell in cells if cell.comment is not None}


def test_notes_are_put_in_and_taken_out_again(tmp_path: Path) -> None:
    source, once, twice = book_of(tmp_path / "a.xlsx"), tmp_path / "b.xlsx", tmp_path / "c.xlsx"
    annotate(source, once, marks_of(), summary_of(), Facts("fakten", [("a", "b")]))
    book = openpyxl.load_workbook(once)
    assert book.sheetnames == ["Befunde", "Kunden", "O'Neill <2>", "fakten"]
    assert [sheet.sheet_state for sheet in book] == ["visible", "visible", "visible", "veryHidden"]
    assert [bool(sheet.sheet_view.tabSelected) for sheet in book] == [True, False, False, False]
    assert book.active.title == "Befunde"
    table = book["Kunden"]
    assert [cell.value for cell in table["D"]] == ["Befund", "Fehler: ist falsch", "unverändert"]
    assert [cell.value for cell in table["C"]] == [None, "=1+1", None]
    assert comments_of(once) == {
        "A2": f"{AUTHOR}:\n<b>fett</b> & klein",
        "B2": f"Bitte prüfen\n\n{AUTHOR}:\nist falsch",
    }
    # The range of widths that covered the new column is divided; the print area of the second sheet moves with it.
    assert table.column_dimensions["C"].width == 40 and table.column_dimensions["D"].width == 48
    assert book["O'Neill <2>"].print_area == "'O''Neill <2>'!$A$1:$B$2" and "Drucken" in book.defined_names
    links = [cell.hyperlink.location for cell in book["Befunde"]["A"] if cell.hyperlink]
    assert links == ["'Kunden'!B2", "'O''Neill <2>'!A2"]

    annotate(
        once, twice, [SheetMarks("Kunden", 1, 3, "Befund", "")], summary_of("Befunde"), Facts("fakten", [], "fakten")
    )
    book = openpyxl.load_workbook(twice)
    assert book.sheetnames == ["Befunde", "Kunden", "O'Neill <2>", "fakten"]
    assert comments_of(twice) == {"B2": "Bitte prüfen"}
    assert [cell.value for cell in book["Kunden"]["D"]] == ["Befund", None, None]
    assert not list(book["Kunden"].conditional_formatting)


def test_whoever_wrote_the_workbook_its_notes_are_put_in(tmp_path: Path) -> None:
    """Other prefixes, rows without numbers, no cell behind, many widths, an own selected sheet."""
    source, target = book_of(tmp_path / "a.xlsx"), tmp_path / "b.xlsx"
    sheet = "xl/worksheets/sheet1.xml"

    def prefixed(text: str) -> str:
        text = re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", text)
        return text.replace(' xmlns="', ' xmlns:x="')

    def unnumbered(text: str) -> str:
        return re.sub(r'<row r="\d+"', "<row", text)

    def bare(text: str) -> str:
        return re.sub(r"<cols>.*?</cols>|<dimension[^>]*/>|<sheetViews>.*?</sheetViews>", "", text)

    for change in (prefixed, unnumbered, bare):
        path = rewritten(source, tmp_path / "x.xlsx", sheet, change)
        annotate(path, target, marks_of(), summary_of(), Facts("fakten", []))
        table = openpyxl.load_workbook(target)["Kunden"]
        assert [cell.value for cell in table["D"]] == ["Befund", "Fehler: ist falsch", "unverändert"], change
        assert {str(found.sqref) for found in table.conditional_formatting} == {"A2", "B2"}, change
    # The selected sheet carries no note: it stays the one that opens, byte by byte.
    annotate(source, target, marks_of()[1:], summary_of(), Facts("fakten", []))
    assert openpyxl.load_workbook(target).active.title == "Kunden"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target) as new:
        assert old.read(sheet) == new.read(sheet)


def test_macros_stay_with_the_operator(tmp_path: Path) -> None:
    """trust.md case 100: what is handed back runs nothing, and its name fits what it is."""
    plain, source, target = book_of(tmp_path / "a.xlsx"), tmp_path / "a.xlsm", tmp_path / "b.xlsx"
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    macros = '<Override PartName="/xl/{}" ContentType="application/vnd.ms-office.{}"/>'
    kinds = "http://schemas.microsoft.com/office/2006/relationships/"
    relations = '<Relationship Id="rIdVba" Type="' + kinds + '{}" Target="{}"/>'
    new = {
        "[Content_Types].xml": lambda text: text.replace(
            main, "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
        ).replace(
            "</Types>",
            macros.format("vbaProject.bin", "vbaProject")
            + macros.format("vbaSign.bin", "vbaProjectSignature")
            + "</Types>",
        ),
        "xl/_rels/workbook.xml.rels": lambda text: text.replace(
            "</Relationships>", relations.format("vbaProject", "vbaProject.bin") + "</Relationships>"
        ),
    }
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(source, "w") as made:
        for name in old.namelist():
            text = old.read(name).decode()
            made.writestr(name, new[name](text) if name in new else text)
        made.writestr("xl/vbaProject.bin", b"macro")
        signed = relations.format("vbaProjectSignature", "vbaSign.bin")
        made.writestr("xl/_rels/vbaProject.bin.rels", f"<Relationships>{signed}</Relationships>")
        made.writestr("xl/vbaSign.bin", b"signature")
    annotate(source, target, marks_of(), summary_of(), Facts("fakten", []))
    with zipfile.ZipFile(target) as written:
        whole = b"".join(written.read(name) for name in written.namelist())
        assert not any("vba" in name.lower() for name in written.namelist())
    assert b"vba" not in whole.lower() and b"macroEnabled" not in whole and main.encode() in whole
    assert openpyxl.load_workbook(target).sheetnames == ["Befunde", "Kunden", "O'Neill <2>", "fakten"]
    sheet = tmp_path / "c.xlsm"
    with_sheet = relations.format("xlMacrosheet", "macrosheets/sheet1.xml") + "</Relationships>"
    rewritten(plain, sheet, "xl/_rels/workbook.xml.rels", lambda text: text.replace("</Relationships>", with_sheet))
    with pytest.raises(NotAnnotatable):
        annotate(sheet, target, marks_of(), summary_of(), Facts("fakten", []))


def test_what_cannot_be_annotated_is_said_and_left(tmp_path: Path) -> None:
    source, target = book_of(tmp_path / "a.xlsx"), tmp_path / "b.xlsx"
    sheet = "xl/worksheets/sheet1.xml"
    for part, change in (
        (sheet, lambda text: re.sub(r'<c r="[A-Z]+\d+"', "<c", text)),
        (sheet, lambda text: re.sub(r"<sheetData>.*</sheetData>", "<sheetData/>", text, flags=re.DOTALL)),
        (sheet, lambda text: text.replace("</sheetData>", "")),
        ("xl/workbook.xml", lambda text: text.replace("openxmlformats.org", "example.org")),
        ("xl/_rels/workbook.xml.rels", lambda text: text.replace("/styles", "/nothing")),
        ("xl/styles.xml", lambda text: "<styleSheet/>"),
    ):
        with pytest.raises(NotAnnotatable):
            annotate(
                rewritten(source, tmp_path / "x.xlsx", part, change), target, marks_of(), summary_of(), Facts("f", [])
            )


def test_thousands_of_comments_have_a_box_each(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in range(1, 1_503):
        book.active.append([row, "x"])
    book.active.title = "Kunden"
    book.save(tmp_path / "a.xlsx")
    marks = SheetMarks("Kunden", 1, 2, "Befund", "")
    marks.comments = {(row, column): "falsch" for row in range(2, 1_503) for column in (0, 1)}
    marks.colours = dict.fromkeys(marks.comments, "bad")
    annotate(tmp_path / "a.xlsx", tmp_path / "b.xlsx", [marks], summary_of(), Facts("f", []))
    assert len(comments_of(tmp_path / "b.xlsx")) == 3_002
    with zipfile.ZipFile(tmp_path / "b.xlsx") as archive:
        shapes = archive.read("xl/drawings/vmlDrawingMarks1.vml").decode()
    numbers = re.findall(r'id="_x0000_s(\d+)"', shapes)
    blocks = re.search(r'idmap v:ext="edit" data="([\d,]+)"', shapes)
    assert len(set(numbers)) == 3_002 and blocks is not None
    assert {int(number) // 1024 for number in numbers} == set(map(int, blocks[1].split(",")))
    rules = openpyxl.load_workbook(tmp_path / "b.xlsx")["Kunden"].conditional_formatting
    assert sum(len(str(rule.sqref).split()) for rule in rules) == 3_002
    assert {str(rule.sqref)[:1] for rule in rules} == {column_letters(0), column_letters(1)}

"""The workbook as a whole: which parts of the archive are altered, which are new, and how they name each other."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from flask_appadmin.sheets.annotating.comments import MAX_COMMENTS, NO_COMMENTS, NO_SHAPES, Comments, Shapes
from flask_appadmin.sheets.annotating.notes import Facts, SheetMarks, Summary
from flask_appadmin.sheets.annotating.worksheet import RowMarker, SheetFrame, colour_rules
from flask_appadmin.sheets.annotating.xmlparts import (
    LONGEST_FRAME,
    MAIN_NAMESPACE,
    RELATIONSHIPS,
    XML_HEAD,
    NotAnnotatable,
    XmlPart,
    cell_name,
    clean_text,
    row_xml,
)
from flask_appadmin.sheets.archive import Archive
from flask_appadmin.sheets.limits import ReadLimits, Refused, column_letters
from flask_appadmin.sheets.officexml import elements, relation_kind, relations_part, target_of, worksheet_parts

_NO_RELATIONS = f'{XML_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
#: What the workbook says of itself when it may bring macros along.
_WITH_MACROS = re.compile(
    r"application/vnd\.ms-excel\.(?:sheet|template|addin)\.macroEnabled\.main\+xml", re.IGNORECASE
)
#: Kinds of sheets whose cells are macros.
_MACRO_SHEETS = ("xlMacrosheet", "xlIntlMacrosheet")
#: The fills of the rules: an error, a question.
_FILLS = {"bad": "FFFBD5D5", "warn": "FFFFE8A3"}


def annotate(source: Path, target: Path, sheets: list[SheetMarks], summary: Summary, facts: Facts) -> None:
    """Writes the workbook with its notes to `target`; NotAnnotatable where that cannot be done."""
    with source.open("rb") as file:
        try:
            _Annotation(Archive(file, ReadLimits()), sheets, summary, facts).write(target)
        except (Refused, ValueError, LookupError, expat.ExpatError) as error:
            target.unlink(missing_ok=True)
            raise NotAnnotatable(str(error)) from error
        except NotAnnotatable:
            target.unlink(missing_ok=True)
            raise


class _Annotation:
    """The parts of one workbook, old and new, until they are written."""

    def __init__(self, archive: Archive, sheets: list[SheetMarks], summary: Summary, facts: Facts) -> None:
        self.archive = archive
        self.sheets, self.summary, self.facts = sheets, summary, facts
        #: Part -> its new content.
        self.texts: dict[str, str] = {}
        self.removed: set[str] = set()
        self.types = XmlPart(self._text("[Content_Types].xml"), "Types")
        parts = worksheet_parts(archive)
        self.part_of = {name: part for part, name in parts.items()}
        if len(self.part_of) != len(parts) or not parts:
            raise NotAnnotatable("sheets")
        relations = elements(archive.read("_rels/.rels"), "Relationship")
        relation = next((each for each in relations if relation_kind(each) == "officeDocument"), {})
        self.book_part = relation.get("Target", "xl/workbook.xml").lstrip("/")
        self.folder = posixpath.dirname(self.book_part)
        self.book = XmlPart(self._text(self.book_part), "workbook")
        if RELATIONSHIPS not in self.book.text:
            raise NotAnnotatable("strict")

    def write(self, target: Path) -> None:
        self._leave_out_macros()
        self._add_formats()
        streams = {self.part_of[sheet.name]: self._sheet_stream(sheet) for sheet in self.sheets}
        self._add_sheets(set(streams))
        self.texts[self.book_part] = self.book.text
        self.texts["[Content_Types].xml"] = self.types.text
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
            for name, entry in self.archive.parts.items():
                if name in self.removed or entry.is_dir():
                    continue
                if name in self.texts:
                    out.writestr(name, self.texts.pop(name).encode())
                    continue
                chunks = streams[name]() if name in streams else self.archive.chunks(name)
                with out.open(name, "w", force_zip64=entry.file_size > 1 << 30) as part:
                    for chunk in chunks:
                        part.write(chunk)
            for name, text in self.texts.items():
                out.writestr(name, text.encode())

    def _text(self, name: str) -> str:
        if name in self.texts:
            return self.texts[name]
        return self.archive.read(name, LONGEST_FRAME).decode("utf-8-sig")

    def _free_part(self, pattern: str) -> str:
        """A part's name that nobody has yet; {} is a number."""
        number = 1
        taken = {name.lower() for name in (*self.archive.parts, *self.texts)}
        while pattern.format(number).lower() in taken:
            number += 1
        return pattern.format(number)

    def _leave_out_macros(self) -> None:
        """Macros stay with the operator: nothing that is handed back runs (trust.md case 100)."""
        name = relations_part(self.book_part)
        relations = self._text(name)
        for each in elements(relations.encode(), "Relationship"):
            if relation_kind(each) in _MACRO_SHEETS:
                raise NotAnnotatable("macros")
            if relation_kind(each) == "vbaProject":
                number = re.escape(each.get("Id", ""))
                relations = re.sub(rf"<(?:\w+:)?Relationship\b[^>]*?\bId=[\"']{number}[\"'][^>]*?/>", "", relations)
                self._remove_whole(target_of(each, self.folder))
        if relations != self._text(name):
            self.texts[name] = relations
        self.types.text = _WITH_MACROS.sub(f"{_CONTENT}.sheet.main+xml", self.types.text)

    def _remove_whole(self, part: str) -> None:
        """A part with those that belong to it alone (signatures of macros)."""
        if part not in self.archive.parts or part in self.removed:
            return
        self.removed.add(part)
        named = re.escape(quoteattr(f"/{part}"))
        self.types.text = re.sub(rf"<(?:\w+:)?Override\b[^>]*?\bPartName={named}[^>]*?/>", "", self.types.text)
        relations = relations_part(part)
        if relations in self.archive.parts:
            self.removed.add(relations)
            for each in elements(self.archive.read(relations), "Relationship"):
                self._remove_whole(target_of(each, posixpath.dirname(part)))

    # --- formats ------------------------------------------------------------------------------------------------------

    def _add_formats(self) -> None:
        relations = elements(self.archive.read(relations_part(self.book_part)), "Relationship")
        found = next((each for each in relations if relation_kind(each) == "styles"), None)
        if found is None:
            raise NotAnnotatable("styles")
        part = target_of(found, self.folder)
        styles = XmlPart(self._text(part), "styleSheet")
        named = re.search(r'<(?:\w+:)?name val="([^"]*)"', styles.text)
        name = f'<name val="{named[1] if named else "Calibri"}"/></font>'
        fonts = tuple(
            f"<font>{look}{name}"
            for look in ('<b/><sz val="11"/>', '<u/><sz val="11"/><color rgb="FF1D4ED8"/>', '<b/><sz val="14"/>')
        )
        font = styles.add_to_list("fonts", "font", fonts)
        fill = styles.add_to_list(
            "fills", "fill", ('<fill><patternFill patternType="solid"><fgColor rgb="FFE7ECEF"/></patternFill></fill>',)
        )
        base = '<xf numFmtId="0" fontId="{}" fillId="{}" borderId="0" xfId="0" applyFont="1" applyFill="1"{}'
        top = ' applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>'
        formats = (base.format(font, fill, top), base.format(font + 1, 0, top), base.format(0, 0, top),
                   base.format(font + 2, 0, "/>"))  # fmt: skip
        first = styles.add_to_list("cellXfs", "xf", formats)
        self.head_format, self.link_format, self.wrapped_format, self.title_format = range(first, first + 4)
        fills = tuple(
            f'<dxf><fill><patternFill patternType="solid"><fgColor rgb="{colour}"/><bgColor rgb="{colour}"/>'
            "</patternFill></fill></dxf>"
            for colour in _FILLS.values()
        )
        first = styles.add_to_list("dxfs", "dxf", fills)
        self.fills = dict(zip(_FILLS, range(first, first + 2), strict=True))
        self.texts[part] = styles.text

    # --- sheets of our own --------------------------------------------------------------------------------------------

    def _add_sheets(self, altered: set[str]) -> None:
        book = self.book
        own = {self.part_of.get(each.replaces, "") for each in (self.summary, self.facts) if each.replaces}
        selected = [part for part in self.part_of.values() if part not in altered | own and self._is_selected(part)]
        # Two selected sheets are edited together. Where a sheet that stays as it is is selected, it stays in front.
        self.opens_first = not selected
        front = self._put_sheet(self.summary.name, self.summary.replaces, self._summary_xml(), first=True)
        self._put_sheet(self.facts.name, self.facts.replaces, self._facts_xml(), first=False, hidden=True)

        def moved(found: re.Match[str]) -> str:
            return f"{found[1]}{int(found[2]) + 1}{found[3]}"

        if front:
            book.text = re.sub(r'(<(?:\w+:)?definedName\b[^>]*?\blocalSheetId=")(\d+)(")', moved, book.text)
            book.text = re.sub(r'(<(?:\w+:)?workbookView\b[^>]*?\bfirstSheet=")(\d+)(")', r"\g<1>0\3", book.text)
        view = re.search(r"<(?:\w+:)?workbookView\b[^>]*>", book.text)
        if view is None:
            return
        old = re.search(r'\bactiveTab="(\d+)"', view[0])
        names = [each.get("name", "") for each in elements(book.text.encode(), "sheet")]
        front_name = self.summary.name if front else self.summary.replaces
        active = names.index(front_name) if self.opens_first else int(old[1] if old else 0) + front
        tag = re.sub(r'\s+activeTab="\d+"', "", view[0])
        tag = re.sub(r"(workbookView)\b", rf'\1 activeTab="{active}"', tag, count=1)
        book.text = book.text[: view.start()] + tag + book.text[view.end() :]

    def _put_sheet(self, name: str, replaces: str, xml: str, *, first: bool, hidden: bool = False) -> bool:
        """Adds a sheet, or writes an earlier one anew; answers whether there is one more."""
        if replaces and replaces in self.part_of:
            part = self.part_of[replaces]
            self.texts[part] = xml
            self.removed.add(relations_part(part))
            return False
        part = self._free_part(posixpath.join(self.folder, "worksheets/marks{}.xml"))
        self.texts[part] = xml
        self.types.append(f'<Override PartName="/{part}" ContentType="{_CONTENT}.worksheet+xml"/>')
        number = self._relate(self.book_part, "worksheet", part)
        numbers = [int(found) for found in re.findall(r'\bsheetId="(\d+)"', self.book.text)]
        book = self.book
        state = ' state="veryHidden"' if hidden else ""
        tag = (
            f'<{book.prefix}sheet name={quoteattr(name)} sheetId="{max(numbers) + 1}"{state} {book.relation(number)}/>'
        )
        book.put_into("sheets", tag, first=first)
        return first

    def _is_selected(self, part: str) -> bool:
        head = b""
        for chunk in self.archive.chunks(part):
            head += chunk
            if b"sheetData" in head or len(head) > LONGEST_FRAME:
                break
        head = head.partition(b"sheetData")[0]
        return re.search(rb'\btabSelected="(?:1|true)"', head) is not None

    def _summary_xml(self) -> str:
        summary = self.summary
        rows = [row_xml(1, [summary.title], [self.title_format])]
        rows += [row_xml(number, [text], [0]) for number, text in enumerate(summary.sentences, start=2)]
        head = len(summary.sentences) + 3
        width = len(summary.headings)
        rows.append(row_xml(head, summary.headings, [self.head_format] * width))
        links = []
        for number, line in enumerate(summary.lines, start=head + 1):
            place = f"{column_letters(line.column)}{line.row}"
            cells = [place, *line.cells]
            rows.append(row_xml(number, cells, [self.link_format] + [self.wrapped_format] * (width - 1)))
            where = "'" + line.sheet.replace("'", "''") + f"'!{place}"
            links.append(f'<hyperlink ref="A{number}" location={quoteattr(clean_text(where))} display="{place}"/>')
        columns = "".join(
            f'<col min="{index}" max="{index}" width="{width}" customWidth="1"/>'
            for index, width in enumerate(summary.widths, start=1)
        )
        selected = ' tabSelected="1"' if self.opens_first else ""
        last = column_letters(width - 1)
        return (
            f'{XML_HEAD}<worksheet xmlns="{MAIN_NAMESPACE}"><sheetPr><tabColor rgb="FFDC2626"/>'
            f'<pageSetUpPr fitToPage="1"/></sheetPr>'
            f'<sheetViews><sheetView{selected} showGridLines="0" workbookViewId="0">'
            f'<pane ySplit="{head}" topLeftCell="A{head + 1}" activePane="bottomLeft" state="frozen"/>'
            f"</sheetView></sheetViews><cols>{columns}</cols><sheetData>{''.join(rows)}</sheetData>"
            f'<autoFilter ref="A{head}:{last}{head + max(len(summary.lines), 1)}"/>'
            + (f"<hyperlinks>{''.join(links)}</hyperlinks>" if links else "")
            + '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
        )

    def _facts_xml(self) -> str:
        rows = (row_xml(number, row, [0, 0]) for number, row in enumerate(self.facts.rows, start=1))
        return f'{XML_HEAD}<worksheet xmlns="{MAIN_NAMESPACE}"><sheetData>{"".join(rows)}</sheetData></worksheet>'

    def _relate(self, part: str, kind: str, target: str) -> str:
        """Adds a relationship of a part and answers its number."""
        name = relations_part(part)
        there = name in self.archive.parts or name in self.texts
        relations = XmlPart(self._text(name) if there else _NO_RELATIONS, "Relationships")
        number = 1
        while f'Id="rIdMarks{number}"' in relations.text:
            number += 1
        relations.append(
            f'<Relationship Id="rIdMarks{number}" Type="{RELATIONSHIPS}/{kind}" Target="/{target}"/>',
        )
        self.texts[name] = relations.text
        return f"rIdMarks{number}"

    # --- sheets of the operator ---------------------------------------------------------------------------------------

    def _sheet_stream(self, sheet: SheetMarks) -> Callable[[], Iterator[bytes]]:
        """Prepares what belongs to a sheet (comments, shapes); answers what then writes the sheet itself."""
        part = self.part_of[sheet.name]
        frame = SheetFrame(self.archive, part)
        drawing = self._add_comments(sheet, part)
        rules = colour_rules(sheet, self.fills)
        prolog = frame.prolog(sheet.status_column)

        def write() -> Iterator[bytes]:
            yield prolog
            yield from RowMarker(frame, sheet).rows()
            yield frame.tail(rules, drawing)

        return write

    def _add_comments(self, sheet: SheetMarks, part: str) -> str:
        """Writes comments and their shapes; answers the relationship that the sheet has to name, "" for none."""
        name = relations_part(part)
        relations = elements(self._text(name).encode(), "Relationship") if name in self.archive.parts else []
        folder = posixpath.dirname(part)
        found = {relation_kind(each): target_of(each, folder) for each in relations}
        comments_part, shapes_part = found.get("comments", ""), found.get("vmlDrawing", "")
        if comments_part and comments_part not in self.archive.parts:
            raise NotAnnotatable("comments")
        if shapes_part and shapes_part not in self.archive.parts:
            raise NotAnnotatable("shapes")
        threads = found.get("threadedComment", "")
        told = set()  # a cell with a conversation keeps it alone
        if threads in self.archive.parts:
            told = {each.get("ref", "") for each in elements(self._text(threads).encode(), "threadedComment")}
        comments = Comments(self._text(comments_part) if comments_part else NO_COMMENTS)
        gone = comments.remove_own()
        wanted = {place: text for place, text in sheet.comments.items() if cell_name(place) not in told}
        fresh = comments.put(dict(list(wanted.items())[:MAX_COMMENTS]))
        if not comments.altered:
            return ""
        shapes = Shapes(self._text(shapes_part) if shapes_part else NO_SHAPES)
        if shapes.is_foreign:
            # Written with other prefixes than everybody's: all boxes are made anew, at their usual size.
            shapes, gone, fresh = Shapes(NO_SHAPES), set(), comments.places()
        shapes.remove(gone)
        shapes.add(fresh)
        related = ""
        if not comments_part:
            comments_part = self._free_part(posixpath.join(self.folder, "commentsMarks{}.xml"))
            self.types.append(f'<Override PartName="/{comments_part}" ContentType="{_CONTENT}.comments+xml"/>')
            self._relate(part, "comments", comments_part)
        if not shapes_part:
            shapes_part = self._free_part(posixpath.join(self.folder, "drawings/vmlDrawingMarks{}.vml"))
            self.types.append_default("vml", "application/vnd.openxmlformats-officedocument.vmlDrawing")
            related = self._relate(part, "vmlDrawing", shapes_part)
        self.texts[comments_part], self.texts[shapes_part] = comments.text, shapes.text
        return related

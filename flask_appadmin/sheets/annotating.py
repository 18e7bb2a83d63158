"""Notes are written into a workbook (xlsx, xlsm) that somebody else made, and everything else in it stays as it is.

Shape: `annotate` copies the archive part by part. Only what has to carry a note is altered, and there only by putting
something in: a cell with the state at the end of each row, a rule that colours cells while that cell says something,
comments with their shapes, two sheets, some formats at the end of the lists of formats. So cells, widths, filters,
drop-downs, formulas, pivot tables and macros keep their bytes. What an earlier call wrote is taken out first.
A colour is a rule and not a format: the cell keeps the operator's own, and the colour goes with the text of its row.
Units: rows from 1, columns from 0. Memory: the texts before and behind the rows of a sheet, and its comments.
Errors: `NotAnnotatable` for a workbook that is written in an unusual way; nothing is half done then.
Source: goal M3; ECMA-376 part 1, 18.3.1.99 (order of the elements of a worksheet).
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from flask_appadmin.i18n import _, use_locale
from flask_appadmin.sheets.archive import Archive
from flask_appadmin.sheets.limits import MAX_CELL_CHARACTERS, ReadLimits, Refused, column_index, column_letters
from flask_appadmin.sheets.officexml import elements, worksheet_parts

#: Whose comments they are. Every text begins with this name, by which it is known again: some programs forget authors.
AUTHOR = _("Importprüfung")
#: Stands in the rules that colour; by it they are known again.
_SIGN = "appadmin-marks"
#: So many comments are written on a sheet; a file with more of them opens in minutes.
MAX_COMMENTS = 10_000
#: Cells that one rule names.
_CELLS_OF_RULE = 400
#: What stands before or behind the rows of a sheet may be so long.
_LONGEST_FRAME = 16 << 20
_LONGEST_ROWS = 32 << 20
_CHUNK = 1 << 18
_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
#: The fills of the rules: an error, a question.
_FILLS = {"bad": "FFFBD5D5", "warn": "FFFFE8A3"}


class NotAnnotatable(Exception):
    """The workbook is written in a way that this module does not know."""


@dataclass
class SheetMarks:
    """What is written into one sheet."""

    name: str
    header_row: int
    #: The column of states, and its heading.
    status_column: int
    heading: str
    #: The state of rows that `states` does not name.
    usual: str = ""
    #: Row -> the state in words.
    states: dict[int, str] = field(default_factory=dict)
    #: (row, column) -> what is wrong there.
    comments: dict[tuple[int, int], str] = field(default_factory=dict)
    #: (row, column) -> "bad" or "warn".
    colours: dict[tuple[int, int], str] = field(default_factory=dict)


@dataclass
class Line:
    """One row of the list of problems: where its link leads, and its cells behind the link."""

    sheet: str
    row: int
    column: int
    cells: list[str]


@dataclass
class Summary:
    """The sheet in front: title, sentences, headings, one line per problem."""

    name: str
    title: str
    sentences: list[str]
    headings: list[str]
    lines: list[Line]
    widths: list[int]
    #: The sheet of this kind that an earlier call wrote, "" for none.
    replaces: str = ""


@dataclass
class Facts:
    """A sheet that the program does not even offer to show: pairs of name and value."""

    name: str
    rows: list[tuple[str, str]]
    replaces: str = ""


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
    def __init__(self, archive: Archive, sheets: list[SheetMarks], summary: Summary, facts: Facts) -> None:
        self.archive = archive
        self.sheets, self.summary, self.facts = sheets, summary, facts
        #: Part -> its new content.
        self.texts: dict[str, str] = {}
        self.removed: set[str] = set()
        self.types = _Part(self._text("[Content_Types].xml"), "Types")
        parts = worksheet_parts(archive)
        self.part_of = {name: part for part, name in parts.items()}
        if len(self.part_of) != len(parts) or not parts:
            raise NotAnnotatable("sheets")
        relation = next(
            (each for each in elements(archive.read("_rels/.rels"), "Relationship") if _kind(each) == "officeDocument"),
            {},
        )
        self.book_part = relation.get("Target", "xl/workbook.xml").lstrip("/")
        self.folder = posixpath.dirname(self.book_part)
        self.book = _Part(self._text(self.book_part), "workbook")
        if _RELATIONSHIPS not in self.book.text:
            raise NotAnnotatable("strict")

    def write(self, target: Path) -> None:
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
        return self.archive.read(name, _LONGEST_FRAME).decode("utf-8-sig")

    def _free_part(self, pattern: str) -> str:
        """A part's name that nobody has yet; {} is a number."""
        number = 1
        taken = {name.lower() for name in (*self.archive.parts, *self.texts)}
        while pattern.format(number).lower() in taken:
            number += 1
        return pattern.format(number)

    # --- formats ------------------------------------------------------------------------------------------------------

    def _add_formats(self) -> None:
        relations = elements(self.archive.read(_rels_of(self.book_part)), "Relationship")
        found = next((each for each in relations if _kind(each) == "styles"), None)
        if found is None:
            raise NotAnnotatable("styles")
        part = _target_of(found, self.folder)
        styles = _Part(self._text(part), "styleSheet")
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
            self.removed.add(_rels_of(part))
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
            if b"sheetData" in head or len(head) > _LONGEST_FRAME:
                break
        head = head.partition(b"sheetData")[0]
        return re.search(rb'\btabSelected="(?:1|true)"', head) is not None

    def _summary_xml(self) -> str:
        summary = self.summary
        rows = [_row(1, [summary.title], [self.title_format])]
        rows += [_row(number, [text], [0]) for number, text in enumerate(summary.sentences, start=2)]
        head = len(summary.sentences) + 3
        width = len(summary.headings)
        rows.append(_row(head, summary.headings, [self.head_format] * width))
        links = []
        for number, line in enumerate(summary.lines, start=head + 1):
            place = f"{column_letters(line.column)}{line.row}"
            cells = [place, *line.cells]
            rows.append(_row(number, cells, [self.link_format] + [self.wrapped_format] * (width - 1)))
            where = "'" + line.sheet.replace("'", "''") + f"'!{place}"
            links.append(f'<hyperlink ref="A{number}" location={quoteattr(_clean(where))} display="{place}"/>')
        columns = "".join(
            f'<col min="{index}" max="{index}" width="{width}" customWidth="1"/>'
            for index, width in enumerate(summary.widths, start=1)
        )
        selected = ' tabSelected="1"' if self.opens_first else ""
        last = column_letters(width - 1)
        return (
            f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetPr><tabColor rgb="FFDC2626"/><pageSetUpPr fitToPage="1"/>'
            f'</sheetPr><sheetViews><sheetView{selected} showGridLines="0" workbookViewId="0">'
            f'<pane ySplit="{head}" topLeftCell="A{head + 1}" activePane="bottomLeft" state="frozen"/>'
            f"</sheetView></sheetViews><cols>{columns}</cols><sheetData>{''.join(rows)}</sheetData>"
            f'<autoFilter ref="A{head}:{last}{head + max(len(summary.lines), 1)}"/>'
            + (f"<hyperlinks>{''.join(links)}</hyperlinks>" if links else "")
            + '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
        )

    def _facts_xml(self) -> str:
        rows = (_row(number, row, [0, 0]) for number, row in enumerate(self.facts.rows, start=1))
        return f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'

    def _relate(self, part: str, kind: str, target: str) -> str:
        """Adds a relationship of a part and answers its number."""
        name = _rels_of(part)
        there = name in self.archive.parts or name in self.texts
        relations = _Part(self._text(name) if there else _NO_RELATIONS, "Relationships")
        number = 1
        while f'Id="rIdMarks{number}"' in relations.text:
            number += 1
        relations.append(
            f'<Relationship Id="rIdMarks{number}" Type="{_RELATIONSHIPS}/{kind}" Target="/{target}"/>',
        )
        self.texts[name] = relations.text
        return f"rIdMarks{number}"

    # --- sheets of the operator ---------------------------------------------------------------------------------------

    def _sheet_stream(self, sheet: SheetMarks) -> Callable[[], Iterator[bytes]]:
        """Prepares what belongs to a sheet (comments, shapes); answers what then writes the sheet itself."""
        part = self.part_of[sheet.name]
        frame = _SheetFrame(self.archive, part)
        drawing = self._add_comments(sheet, part)
        rules = self._rules(sheet)
        prolog = frame.prolog(sheet.status_column, tab_selected=False)

        def write() -> Iterator[bytes]:
            yield prolog
            yield from _RowMarker(frame, sheet).rows()
            yield frame.tail(rules, drawing)

        return write

    def _rules(self, sheet: SheetMarks) -> str:
        """The rules that colour cells as long as the state of their row is there."""
        by_column: dict[tuple[str, int], list[int]] = {}
        for (row, column), look in sorted(sheet.colours.items()):
            by_column.setdefault((look, column), []).append(row)
        status = column_letters(sheet.status_column)
        rules = []
        for (look, column), rows in by_column.items():
            letters = column_letters(column)
            for start in range(0, len(rows), _CELLS_OF_RULE):
                part = rows[start : start + _CELLS_OF_RULE]
                cells = " ".join(f"{letters}{row}" for row in part)
                formula = f'AND(LEN(${status}{part[0]})&gt;0,"{_SIGN}"="{_SIGN}")'
                rules.append(
                    f'<conditionalFormatting sqref="{cells}"><cfRule type="expression" dxfId="{self.fills[look]}" '
                    f'priority="1"><formula>{formula}</formula></cfRule></conditionalFormatting>'
                )
        return "".join(rules)

    def _add_comments(self, sheet: SheetMarks, part: str) -> str:
        """Writes comments and their shapes; answers the relationship that the sheet has to name, "" for none."""
        name = _rels_of(part)
        relations = elements(self._text(name).encode(), "Relationship") if name in self.archive.parts else []
        folder = posixpath.dirname(part)
        found = {_kind(each): _target_of(each, folder) for each in relations}
        comments_part, shapes_part = found.get("comments", ""), found.get("vmlDrawing", "")
        if comments_part and comments_part not in self.archive.parts:
            raise NotAnnotatable("comments")
        if shapes_part and shapes_part not in self.archive.parts:
            raise NotAnnotatable("shapes")
        threads = found.get("threadedComment", "")
        told = set()  # a cell with a conversation keeps it alone
        if threads in self.archive.parts:
            told = {each.get("ref", "") for each in elements(self._text(threads).encode(), "threadedComment")}
        comments = _Comments(self._text(comments_part) if comments_part else _NO_COMMENTS)
        gone = comments.remove_own()
        wanted = {place: text for place, text in sheet.comments.items() if _ref(place) not in told}
        fresh = comments.put(dict(list(wanted.items())[:MAX_COMMENTS]))
        if not comments.altered:
            return ""
        shapes = _Shapes(self._text(shapes_part) if shapes_part else _NO_SHAPES)
        if shapes.is_foreign:
            # Written with other prefixes than everybody's: all boxes are made anew, at their usual size.
            shapes, gone, fresh = _Shapes(_NO_SHAPES), set(), comments.places()
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


_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_NO_RELATIONS = f'{_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
_NO_COMMENTS = f'{_HEAD}<comments xmlns="{_MAIN}"><authors/><commentList/></comments>'
_NO_SHAPES = (
    '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data=""/>'
    "</o:shapelayout></xml>"
)
_SHAPE_TYPE = (
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
#: Characters that XML cannot hold.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", text)[:MAX_CELL_CHARACTERS]


def _ref(place: tuple[int, int]) -> str:
    return f"{column_letters(place[1])}{place[0]}"


def _cell(ref: str, text: str, style: str = "") -> str:
    if not text:
        return f'<c r="{ref}"{style}/>' if style else ""
    return f'<c r="{ref}"{style} t="inlineStr"><is><t xml:space="preserve">{escape(_clean(text))}</t></is></c>'


def _row(number: int, cells: Any, formats: list[int]) -> str:
    written = (
        _cell(f"{column_letters(index)}{number}", text, f' s="{formats[index]}"' if formats[index] else "")
        for index, text in enumerate(cells)
    )
    return f'<row r="{number}">{"".join(written)}</row>'


def _kind(relation: dict[str, str]) -> str:
    return relation.get("Type", "").rpartition("/")[2]


def _target_of(relation: dict[str, str], folder: str) -> str:
    target = relation.get("Target", "").replace("\\", "/")
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _rels_of(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


class _Part:
    """The text of a small part with one root, into which elements are put."""

    def __init__(self, text: str, root: str) -> None:
        self.text = text
        opened = re.search(rf"<((?:\w+:)?){root}\b[^>]*>", text)
        if opened is None:
            raise NotAnnotatable(root)
        #: What stands before the names of its elements: "" or "x:".
        self.prefix = opened[1]
        self._root = root
        if opened[0].endswith("/>"):
            self.text = f"{text[: opened.end() - 2]}></{self.prefix}{root}>{text[opened.end() :]}"

    def _own(self, xml: str) -> str:
        """The elements with the prefix of this part."""
        return re.sub(r"<(/?)(?=[A-Za-z])", rf"<\1{self.prefix}", xml) if self.prefix else xml

    def append(self, xml: str) -> None:
        """Puts elements at the end of the root."""
        at = self.text.rindex(f"</{self.prefix}{self._root}>")
        self.text = self.text[:at] + self._own(xml) + self.text[at:]

    def append_default(self, extension: str, content_type: str) -> None:
        """Says what files of an extension are, unless that is said."""
        if not re.search(rf'<(?:\w+:)?Default\b[^>]*\bExtension="{extension}"', self.text, re.IGNORECASE):
            opened = re.search(rf"<{self.prefix}{self._root}\b[^>]*>", self.text)
            assert opened is not None
            tag = self._own(f'<Default Extension="{extension}" ContentType="{content_type}"/>')
            self.text = self.text[: opened.end()] + tag + self.text[opened.end() :]

    def put_into(self, name: str, xml: str, *, first: bool) -> None:
        """Puts an element at the beginning or the end of the list of this name."""
        pattern = rf"<{self.prefix}{name}\b[^>]*(?<!/)>" if first else rf"</{self.prefix}{name}>"
        found = re.search(pattern, self.text)
        if found is None:
            raise NotAnnotatable(name)
        at = found.end() if first else found.start()
        self.text = self.text[:at] + xml + self.text[at:]

    def add_to_list(self, name: str, child: str, items: tuple[str, ...]) -> int:
        """Appends to a counted list and answers the number of the first new one."""
        p = self.prefix
        whole = re.search(rf"<{p}{name}\b[^>]*?(?:/>|(?<!/)>(.*?)</{p}{name}>)", self.text, re.DOTALL)
        inside = (whole[1] or "") if whole is not None else ""
        count = len(re.findall(rf"<{p}{child}\b", inside))
        added = f'<{p}{name} count="{count + len(items)}">{inside}{self._own("".join(items))}</{p}{name}>'
        if whole is not None:
            self.text = self.text[: whole.start()] + added + self.text[whole.end() :]
            return count
        if name != "dxfs":
            raise NotAnnotatable(name)
        later = re.search(rf"<{p}(?:tableStyles|colors|extLst)\b|</{p}styleSheet>", self.text)
        if later is None:
            raise NotAnnotatable(name)
        self.text = self.text[: later.start()] + added + self.text[later.start() :]
        return count

    def relation(self, number: str) -> str:
        """The attribute that names a relationship."""
        found = re.search(rf'xmlns:(\w+)="{re.escape(_RELATIONSHIPS)}"', self.text)
        if found is None:
            raise NotAnnotatable("relationships")
        return f'{found[1]}:id="{number}"'


# --- comments ---------------------------------------------------------------------------------------------------------


def _authors() -> set[str]:
    """What we call ourselves, in every language."""
    found = set()
    for locale in ("de", "en"):
        with use_locale(locale):
            found.add(str(AUTHOR))
    return found


class _Comments:
    """The part with the comments of one sheet."""

    def __init__(self, text: str) -> None:
        part = _Part(text, "comments")
        self._p = p = part.prefix
        self.text = part.text
        for name in ("authors", "commentList"):
            self.text = re.sub(rf"<{p}{name}\s*/>", f"<{p}{name}></{p}{name}>", self.text)
        self._comment = re.compile(rf"<{p}comment\b([^>]*)>.*?</{p}comment>", re.DOTALL)
        self._authors = re.findall(rf"<{p}author\s*/>|<{p}author>(.*?)</{p}author>", self.text, re.DOTALL)
        self._text = re.compile(rf"<{p}t\b[^>]*>([^<]*)</{p}t>")
        names = "|".join(re.escape(escape(name)) for name in _authors())
        self._own = re.compile(rf"\s*(?:{names}):")
        self._addition = re.compile(rf"\n\n(?:{names}):[^<]*")
        self.altered = False

    def remove_own(self) -> set[str]:
        """Takes out what an earlier call wrote; the cells that have no comment now."""
        gone = set()

        def look(found: re.Match[str]) -> str:
            if self._own.match("".join(self._text.findall(found[0]))):
                gone.add(_attribute(found[1], "ref"))
                return ""
            return self._addition.sub("", found[0])

        before = self.text
        self.text = self._comment.sub(look, self.text)
        self.altered = self.text != before
        return gone

    def put(self, wanted: dict[tuple[int, int], str]) -> list[tuple[int, int]]:
        """Writes comments, behind the operator's own where there is one; answers those that need a box."""
        if not wanted:
            return []
        p, self.altered = self._p, True
        author = escape(str(AUTHOR))
        texts = {_ref(place): f"{author}:\n{escape(_clean(text))}" for place, text in wanted.items()}

        def add(found: re.Match[str]) -> str:
            text = texts.pop(_attribute(found[1], "ref"), "")
            addition = f'<{p}r><{p}t xml:space="preserve">\n\n{text}</{p}t></{p}r></{p}text>'
            return found[0].replace(f"</{p}text>", addition, 1) if text else found[0]

        self.text = self._comment.sub(add, self.text)
        if author not in self._authors:
            self._authors.append(author)
            self.text = self.text.replace(f"</{p}authors>", f"<{p}author>{author}</{p}author></{p}authors>", 1)
        number = self._authors.index(author)
        made = "".join(
            f'<{p}comment ref="{ref}" authorId="{number}"><{p}text><{p}r><{p}t xml:space="preserve">{text}</{p}t>'
            f"</{p}r></{p}text></{p}comment>"
            for ref, text in texts.items()
        )
        at = self.text.rindex(f"</{p}commentList>")
        self.text = self.text[:at] + made + self.text[at:]
        return [place for place in wanted if _ref(place) in texts]

    def places(self) -> list[tuple[int, int]]:
        """(row, column) of all comments."""
        refs = (
            re.fullmatch(r"([A-Z]{1,3})(\d+)", _attribute(each[1], "ref")) for each in self._comment.finditer(self.text)
        )
        return [(int(ref[2]), column_index(ref[1])) for ref in refs if ref is not None]


class _Shapes:
    """The part with the boxes in which comments are shown."""

    def __init__(self, text: str) -> None:
        self.text = text
        usual = (("v", "vml"), ("o", "office:office"), ("x", "office:excel"))
        self.is_foreign = "</xml>" not in text or any(
            f'xmlns:{prefix}="urn:schemas-microsoft-com:{name}"' not in text for prefix, name in usual
        )

    def remove(self, refs: set[str]) -> None:
        if not refs:
            return

        def look(found: re.Match[str]) -> str:
            row, column = re.search(r"<x:Row>\s*(\d+)", found[0]), re.search(r"<x:Column>\s*(\d+)", found[0])
            is_gone = row and column and _ref((int(row[1]) + 1, int(column[1]))) in refs
            return "" if is_gone else found[0]

        self.text = re.sub(r"<v:shape\b.*?</v:shape>", look, self.text, flags=re.DOTALL)

    def add(self, places: list[tuple[int, int]]) -> None:
        if not places:
            return
        shapes = [] if "_x0000_t202" in self.text else [_SHAPE_TYPE]
        # The numbers of shapes are given out in blocks of 1,024.
        block = 1 + max([0, *(int(found) // 1024 for found in re.findall(r'id="_x0000_s(\d+)"', self.text))])
        for index, (row, column) in enumerate(places):
            number = (block + index // 1000) * 1024 + 1 + index % 1000
            shapes.append(
                f'<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;margin-left:80pt;'
                f'margin-top:2pt;width:220pt;height:70pt;z-index:{index + 1};visibility:hidden" fillcolor="#ffffe1" '
                'o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow color="black" obscured="t"/>'
                '<v:path o:connecttype="none"/><v:textbox><div>'
                '</div></v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
                f"<x:Anchor>{column + 1}, 15, {max(row - 2, 0)}, 10, {column + 4}, 15, {row + 3}, 4</x:Anchor>"
                f"<x:AutoFill>False</x:AutoFill><x:Row>{row - 1}</x:Row><x:Column>{column}</x:Column></x:ClientData>"
                "</v:shape>"
            )
        used = ",".join(str(block + number) for number in range(-(-len(places) // 1000)))
        self.text = re.sub(
            r'(<o:idmap\b[^>]*\bdata=")([^"]*)(")',
            lambda found: f"{found[1]}{','.join(filter(None, (found[2], used)))}{found[3]}",
            self.text,
            count=1,
        )
        at = self.text.rindex("</xml>")
        self.text = self.text[:at] + "".join(shapes) + self.text[at:]


def _attribute(attributes: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', attributes)
    return found[1] if found else ""


# --- a worksheet ------------------------------------------------------------------------------------------------------

#: What stands behind the rules that colour, and behind the drawing of the comments.
_BEHIND_RULES = (
    "dataValidations", "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter", "rowBreaks",
    "colBreaks", "customProperties", "cellWatches", "ignoredErrors", "smartTags", "drawing", "legacyDrawing",
)  # fmt: skip
_BEHIND_DRAWING = (
    "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip


class _SheetFrame:
    """A worksheet part: what stands before its rows, the rows as a stream, and what stands behind them."""

    def __init__(self, archive: Archive, part: str) -> None:
        self._archive, self._part = archive, part
        head = b""
        for chunk in archive.chunks(part):
            head += chunk
            if len(head) > _LONGEST_FRAME:
                raise NotAnnotatable("frame")
            opened = re.search(rb"<((?:\w+:)?)sheetData\s*(/?)>", head)
            if opened is not None:
                break
        else:
            raise NotAnnotatable("rows")
        if opened[2] or b"<!--" in head[: opened.end()]:
            raise NotAnnotatable("rows")
        self.head = head[: opened.end()]
        self.p = opened[1]
        root = re.search(rb"<(?:\w+:)?worksheet\b[^>]*>", self.head)
        if root is None or not self.head.lstrip(b"\xef\xbb\xbf").startswith(b"<"):
            raise NotAnnotatable("worksheet")
        self._root = root
        self.foot = b""

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the rows."""
        end = b"</" + self.p + b"sheetData>"
        left, held, is_over = len(self.head), b"", False
        foot: list[bytes] = []
        for chunk in self._archive.chunks(self._part):
            if left:
                chunk, left = chunk[left:], max(0, left - len(chunk))
            if is_over:
                foot.append(chunk)
                continue
            held += chunk
            at = held.find(end)
            if at >= 0:
                yield held[:at]
                foot.append(held[at:])
                is_over = True
            elif len(held) > len(end):
                # What may be the beginning of the end tag waits for the next chunk.
                yield held[: -len(end)]
                held = held[-len(end) :]
        if not is_over:
            raise NotAnnotatable("rows")
        self.foot = b"".join(foot)

    def prolog(self, last_column: int, *, tab_selected: bool) -> bytes:
        """What stands before the rows, with room for one more column."""
        start = self._root.end()
        inside = self.head[start:].rpartition(b"<")[0]
        pieces, at = [self.head[:start]], 0
        p = self.p
        width = b'<%scol min="%d" max="%d" width="48" customWidth="1"/>' % (p, last_column + 1, last_column + 1)
        is_placed = False
        for name, begin, end in _children(inside):
            pieces.append(inside[at:begin])
            text = inside[begin:end]
            if name == "sheetViews" and not tab_selected:
                text = re.sub(rb'\s+tabSelected="(?:1|true)"', b"", text)
            elif name == "dimension":
                text = re.sub(rb'(ref="[A-Z]+\d+:)([A-Z]+)', lambda found: _wider(found, last_column), text)
            elif name == "cols":
                text, is_placed = _with_column(text, p, last_column + 1, width), True
            pieces.append(text)
            at = end
        pieces.append(inside[at:])
        if not is_placed:
            pieces.append(b"<%scols>%s</%scols>" % (p, width, p))
        pieces.append(self.head[start + len(inside) :])
        return b"".join(pieces)

    def tail(self, rules: str, drawing: str) -> bytes:
        """What stands behind the rows, which have been read, with the rules that colour and the comments' drawing."""
        foot = self.foot
        if len(foot) > _LONGEST_FRAME:
            raise NotAnnotatable("frame")
        start = foot.index(b">") + 1
        end = foot.rindex(b"<")
        inside = foot[start:end]
        children = _children(inside)
        drawn = b""
        if drawing:
            found = re.search(rb'xmlns:(\w+)="%s"' % re.escape(_RELATIONSHIPS.encode()), self._root[0])
            if found is None:
                named = f'xmlns:marks="{_RELATIONSHIPS}" marks:id="{drawing}"'.encode()
            else:
                named = found[1] + f':id="{drawing}"'.encode()
            drawn = b"<%slegacyDrawing %s/>" % (self.p, named)
        colours = re.sub(r"<(/?)(?=[A-Za-z])", rf"<\1{self.p.decode()}", rules).encode()
        pieces, at = [foot[:start]], 0
        for name, begin, finish in children:
            pieces.append(inside[at:begin])
            at = begin
            if name in _BEHIND_RULES or name in _BEHIND_DRAWING:
                pieces.append(colours)
                colours = b""
            if name in _BEHIND_DRAWING:
                pieces.append(drawn)
                drawn = b""
            if name == "conditionalFormatting" and _SIGN.encode() in inside[begin:finish]:
                pieces.append(self._without_own(inside[begin:finish]))
                at = finish
        return b"".join([*pieces, inside[at:], colours, drawn, foot[end:]])

    def _without_own(self, rule: bytes) -> bytes:
        p = re.escape(self.p)
        left = re.sub(
            rb"<%scfRule\b[^>]*>(?:(?!</%scfRule>).)*?%s.*?</%scfRule>" % (p, p, _SIGN.encode(), p), b"", rule,
            flags=re.DOTALL,
        )  # fmt: skip
        return left if b"cfRule" in left else b""


def _children(fragment: bytes) -> list[tuple[str, int, int]]:
    """The elements of a piece of XML: (name without prefix, begin, end) in bytes."""
    found: list[tuple[str, int, int]] = []
    depth, begin, before = 0, 0, len(b"<marks>")
    parser = expat.ParserCreate("utf-8")

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth, begin
        depth += 1
        if depth == 2:
            begin = parser.CurrentByteIndex - before

    def end(name: str) -> None:
        nonlocal depth
        if depth == 2:
            at = parser.CurrentByteIndex - before
            # Of an element without content the parser tells where it ends.
            finish = fragment.index(b">", at) + 1 if fragment.startswith(b"</", at) or at <= begin else at
            found.append((name.rpartition(":")[2], begin, finish))
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(b"<marks>" + fragment + b"</marks>", True)
    return found


def _wider(found: re.Match[bytes], last_column: int) -> bytes:
    letters = found[2].decode()
    return found[1] + (column_letters(last_column).encode() if column_index(letters) < last_column else found[2])


def _with_column(cols: bytes, p: bytes, number: int, width: bytes) -> bytes:
    """The widths of columns, with that of one column set; a range that covers it is divided."""
    pieces: list[tuple[int, bytes]] = []
    for found in re.finditer(rb"<%scol\b[^>]*/>" % re.escape(p), cols):
        low, high = (int(re.search(rb'\b%s="(\d+)"' % name, found[0])[1]) for name in (b"min", b"max"))  # type: ignore[index]
        if not low <= number <= high:
            pieces.append((low, found[0]))
            continue
        for first, last in ((low, number - 1), (number + 1, high)):
            if first <= last:
                text = re.sub(rb'\bmin="\d+"', b'min="%d"' % first, found[0])
                pieces.append((first, re.sub(rb'\bmax="\d+"', b'max="%d"' % last, text)))
    pieces.append((number, width))
    pieces.sort(key=lambda piece: piece[0])
    inside = b"".join(text for _first, text in pieces)
    return cols[: cols.index(b">") + 1] + inside + b"</%scols>" % p


class _RowMarker:
    """Writes the states into the rows of one sheet."""

    def __init__(self, frame: _SheetFrame, sheet: SheetMarks) -> None:
        self._frame, self._sheet = frame, sheet
        self._letters = column_letters(sheet.status_column)
        p = self._p = re.escape(frame.p)
        self._row = re.compile(rb"<%srow\b([^>]*?)(?:/>|(?<!/)>(.*?)</%srow>)" % (p, p), re.DOTALL)
        self._end = b"</" + frame.p + b"row>"
        self._cell = re.compile(rb"<%sc\b([^>]*?)(?:/>|(?<!/)>.*?</%sc>)" % (p, p), re.DOTALL)
        #: Ends a cell that holds something; others carry a format only.
        self._filled = b"</" + frame.p + b"c>"
        self._last = 0

    def rows(self) -> Iterator[bytes]:
        """The rows with their states, in pieces."""
        held = b""
        for chunk in self._frame.chunks():
            held += chunk
            cut = held.rfind(self._end)
            if cut >= 0:
                cut += len(self._end)
                yield self._row.sub(self._marked, held[:cut])
                held = held[cut:]
            elif len(held) > _LONGEST_ROWS:
                raise NotAnnotatable("rows")
        yield held

    def _marked(self, found: re.Match[bytes]) -> bytes:
        number = re.search(rb'\br="(\d+)"', found[1])
        self._last = row = int(number[1]) if number else self._last + 1
        if found[2] is None:
            return found[0]
        sheet = self._sheet
        is_head = row == sheet.header_row
        content = found[2]
        text = sheet.heading if is_head else sheet.states.get(row, "")
        if not text and row > sheet.header_row and self._filled in content:
            text = sheet.usual
        ref = f"{self._letters}{row}".encode()
        last = self._last_column(content)
        if last < sheet.status_column:
            if not text:
                return found[0]
            content += self._written(ref, text, self._style_of_last(content) if is_head else "")
        else:
            content = self._replaced(content, ref, text)
        attributes = re.sub(rb'\s+spans="[^"]*"', b"", found[1])
        name = self._frame.p + b"row"
        return b"<%s%s>%s</%s>" % (name, attributes, content, name)

    def _written(self, ref: bytes, text: str, style: str) -> bytes:
        cell = _cell(ref.decode(), text, style)
        p = self._frame.p.decode()
        return (re.sub(r"<(/?)(?=[a-z])", rf"<\1{p}", cell) if p else cell).encode()

    def _last_column(self, content: bytes) -> int:
        start = content.rfind(b"<" + self._frame.p + b"c ")
        if start < 0:
            if b"<" + self._frame.p + b"c>" in content:
                raise NotAnnotatable("cells")
            return -1
        found = re.compile(rb'[^>]*?\br="([A-Z]{1,3})\d+"').match(content, start)
        if found is None:
            raise NotAnnotatable("cells")
        return column_index(found[1].decode())

    def _style_of_last(self, content: bytes) -> str:
        start = content.rfind(b"<" + self._frame.p + b"c ")
        found = re.compile(rb'[^>]*?\bs="(\d+)"').match(content, start) if start >= 0 else None
        return f' s="{found[1].decode()}"' if found else ""

    def _replaced(self, content: bytes, ref: bytes, text: str) -> bytes:
        """The cells of a row that has some behind the column of states, or one in it."""
        for cell in self._cell.finditer(content):
            named = re.search(rb'\br="([A-Z]{1,3})\d+"', cell[1])
            if named is None:
                raise NotAnnotatable("cells")
            column = column_index(named[1].decode())
            if column < self._sheet.status_column:
                continue
            if column == self._sheet.status_column:
                style = re.search(rb'\bs="(\d+)"', cell[1])
                written = self._written(ref, text, f' s="{style[1].decode()}"' if style else "")
                return content[: cell.start()] + written + content[cell.end() :]
            return content[: cell.start()] + self._written(ref, text, "") + content[cell.start() :]
        return content


__all__ = ["AUTHOR", "MAX_COMMENTS", "Facts", "Line", "NotAnnotatable", "SheetMarks", "Summary", "annotate"]

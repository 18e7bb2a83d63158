"""Reads the sheets of an OpenDocument spreadsheet (ods) as a stream of rows.

Own, because python-calamine 0.9.1 refuses valid files whose XML is indented and reserves memory for every repeated
empty row (755 bytes cost 2 GB). Repeated empty cells and rows at the end of a sheet cost nothing here.
Shape: yields ("sheet", name, visible) and then ("row", repeat, cells, faults) in order; cells are str, int, float,
bool, date, datetime, time or None, `faults` maps a column index to the error value that stands there.
Errors: `Refused`. Source: OpenDocument 1.3 part 3, 9.1 and 19.385 (office:value-type); spec trust bad inputs 97, 98,
111.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from flask_appadmin.digits import is_number
from flask_appadmin.sheets.limits import MAX_ROWS, ReadLimits, Refused, column_letters

if TYPE_CHECKING:
    from flask_appadmin.sheets.archive import Archive

_TIME = re.compile(r"P(?:(\d{1,6})D)?T?(?:(\d{1,6})H)?(?:(\d{1,4})M)?(?:(\d{1,4})(?:[.,](\d{1,9}))?S)?$")
_WHITE_SPACE = re.compile(r"[ \t\r\n]+")
_ERROR = re.compile(r"#(REF!|N/A|DIV/0!|NAME\?|VALUE!|NUM!|NULL!)|(Err|Fehler):\d{3}")


def _time_value(text: str) -> Any:
    """PT10H30M00S as a time of day; a duration of a day or more as the text people see."""
    found = _TIME.match(text)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[:4])
    hours += days * 24
    fraction = int((found[5] or "").ljust(6, "0")[:6] or 0)
    if hours < 24 and minutes < 60 and seconds < 60:
        return datetime.time(hours, minutes, seconds, fraction)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _date_value(text: str) -> Any:
    try:
        if "T" in text:
            return datetime.datetime.fromisoformat(text).replace(tzinfo=None)
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _number_value(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


class _Content:
    """The expat handlers over content.xml; finished events wait in `events`."""

    def __init__(self, limits: ReadLimits) -> None:
        self.limits = limits
        self.events: list[tuple[Any, ...]] = []
        self.hidden_styles: set[str] = set()
        self.sheet = ""
        self.sheets = 0
        self.row_number = 0
        self.cells_seen = 0
        self._style = ""
        self._tables = 0
        self._row: list[Any] = []
        self._row_faults: dict[int, str] = {}
        self._row_repeat = 1
        self._cell: dict[str, str] | None = None
        self._text: list[str] | None = None
        self._paragraphs = 0
        self._in_paragraph = False
        self._skip = 0
        self._length = 0
        self.merged = 0
        self.hidden_rows = 0

    def doctype(self, *_: object) -> None:
        raise Refused("entities")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._skip:
            self._skip += 1
        elif name == "table:table-cell" or name == "table:covered-table-cell":
            if self._tables == 1:
                self._cell = attributes
                self._text = []
                self._paragraphs = 0
                self._length = 0
                if "table:number-columns-spanned" in attributes and name == "table:table-cell":
                    self.merged += 1
        elif self._cell is not None:
            if name == "text:p" or name == "text:h":
                if self._paragraphs:
                    self._add("\n")
                self._paragraphs += 1
                self._in_paragraph = True
            elif name == "text:s":
                self._add(" " * min(_repeat(attributes, "text:c"), self.limits.cell_characters + 1))
            elif name == "text:tab":
                self._add("\t")
            elif name == "text:line-break":
                self._add("\n")
            elif name in ("office:annotation", "table:detective", "draw:frame", "draw:custom-shape", "text:ruby-text"):
                self._skip = 1
        elif name == "table:table-row":
            self._row = []
            self._row_faults = {}
            self._row_repeat = _repeat(attributes, "table:number-rows-repeated")
            if attributes.get("table:visibility", "visible") != "visible":
                self.hidden_rows += 1
        elif name == "table:table":
            self._tables += 1
            if self._tables == 1:
                self.sheets += 1
                if self.sheets > self.limits.sheets:
                    raise Refused("too_many_sheets", limit=self.limits.sheets)
                self.sheet = attributes.get("table:name", "")
                self.row_number = 0
                self.merged = self.hidden_rows = 0
                visible = attributes.get("table:style-name", "") not in self.hidden_styles
                self.events.append(("sheet", self.sheet, visible))
        elif name == "style:style":
            self._style = attributes.get("style:name", "")
        elif name == "style:table-properties":
            if attributes.get("table:display", "true") == "false":
                self.hidden_styles.add(self._style)
        elif name == "manifest:encryption-data":
            raise Refused("password")

    def _add(self, text: str) -> None:
        self._length += len(text)
        if self._length > self.limits.cell_characters:
            raise Refused(
                "cell_too_long",
                sheet=self.sheet,
                cell=f"{column_letters(len(self._row))}{self.row_number + 1}",
                limit=self.limits.cell_characters,
            )
        if self._text is not None:
            self._text.append(text)

    def characters(self, text: str) -> None:
        if self._in_paragraph and not self._skip:
            # Blanks and line breaks of the XML are one blank; what was typed stands in elements of its own.
            self._add(_WHITE_SPACE.sub(" ", text))

    def end(self, name: str) -> None:
        if self._skip:
            self._skip -= 1
        elif name == "text:p" or name == "text:h":
            self._in_paragraph = False
        elif name == "table:table-cell" or name == "table:covered-table-cell":
            if self._cell is not None:
                self._end_cell(self._cell, covered=name == "table:covered-table-cell")
                self._cell = self._text = None
        elif name == "table:table-row":
            if self._tables == 1:
                self._end_row()
        elif name == "table:table":
            if self._tables == 1:
                self.events.append(("sheet_end", self.merged, self.hidden_rows))
            self._tables -= 1

    def _end_cell(self, attributes: dict[str, str], *, covered: bool) -> None:
        # What lies under a merged cell is not visible to anybody.
        text = "" if covered else "".join(self._text or ())
        kind = "" if covered else attributes.get("office:value-type", "")
        value: Any = None
        if kind in ("float", "percentage", "currency"):
            value = _number_value(attributes.get("office:value", ""))
        elif kind == "date":
            value = _date_value(attributes.get("office:date-value", ""))
        elif kind == "time":
            value = _time_value(attributes.get("office:time-value", ""))
        elif kind == "boolean":
            value = {"true": True, "1": True, "false": False, "0": False}.get(
                attributes.get("office:boolean-value", "")
            )
        elif kind == "string" and not self._paragraphs:
            value = attributes.get("office:string-value") or None
        if value is None:
            value = text or None
        repeat = _repeat(attributes, "table:number-columns-repeated")
        if value is not None and len(self._row) + repeat > self.limits.columns:
            cell = f"{column_letters(len(self._row) + repeat - 1)}{self.row_number + 1}"
            raise Refused("too_many_columns", sheet=self.sheet, cell=cell, limit=self.limits.columns)
        if "table:formula" in attributes and isinstance(value, str) and _ERROR.match(value) and kind != "date":
            for column in range(len(self._row), len(self._row) + repeat):
                self._row_faults[column] = value
        # Beyond the limit of columns only empty cells arrive here; one of them stands for all.
        self._row.extend([value] * min(repeat, self.limits.columns + 1 - min(len(self._row), self.limits.columns)))

    def _end_row(self) -> None:
        row = self._row
        while row and row[-1] is None:
            row.pop()
        repeat = self._row_repeat
        self.row_number += repeat
        if row:
            if self.row_number > self.limits.rows:
                raise Refused("too_many_rows", sheet=self.sheet, limit=self.limits.rows)
            self.cells_seen += len(row) * repeat
            if self.cells_seen > self.limits.cells:
                raise Refused("too_many_cells", limit=self.limits.cells)
        self.events.append(("row", min(repeat, MAX_ROWS), tuple(row), self._row_faults))


def _repeat(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(name, "1")
    return max(int(text), 1) if is_number(text, 9) else 1


def read_sheets(archive: Archive, limits: ReadLimits) -> Iterator[tuple[Any, ...]]:
    """The events of the sheets, see the module's docstring; ("sheet_end", merged ranges, hidden rows) closes each."""
    content = _Content(limits)
    if "META-INF/manifest.xml" in archive.parts:
        _parse(content, iter([archive.read("META-INF/manifest.xml")]))
    yield from _parse_stream(content, archive.chunks("content.xml"))
    if not content.sheets:
        raise Refused("no_sheets")


def _parser(content: _Content) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = content.start
    parser.EndElementHandler = content.end
    parser.CharacterDataHandler = content.characters
    parser.StartDoctypeDeclHandler = content.doctype
    return parser


def _parse(content: _Content, chunks: Iterator[bytes]) -> None:
    for _ in _parse_stream(content, chunks):
        pass


def _parse_stream(content: _Content, chunks: Iterator[bytes]) -> Iterator[tuple[Any, ...]]:
    parser = _parser(content)
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
            yield from content.events
            content.events.clear()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Refused("damaged") from error
    yield from content.events
    content.events.clear()

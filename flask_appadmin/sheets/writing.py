"""Writes tables as xlsx (XlsxWriter, constant memory) and as csv (German formats), both without live formulas.

In a workbook every text is written as text, so nothing has to be altered; in csv a text that a spreadsheet program
would take for a formula gets an apostrophe in front, and `restore_csv_text` takes it away again. Everything that
cannot be written exactly (too many rows, a text too long, a character that is none) raises; nothing is cut silently.
Shape: `WorkbookWriter` makes a file with any number of tables, an instructions sheet, a hidden sheet of lists for
drop-downs and hidden sheets of facts; a table has one row of headings, then rows of values in the order of its
`SheetColumn`s.
Units: widths in characters of the normal font; datetimes are naive local times; decimals are `Decimal`.
Errors: `SheetError`, naming the cell. Source: spec trust F4, F5; goals E2 to E6; 1,048,576 rows and 32,767 characters
per cell are limits of the format (Excel specification).
"""

from __future__ import annotations

import csv
import datetime
import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.worksheet import CellDatetimeTuple, CellNumberTuple, CellStringTuple, Worksheet

from flask_appadmin.errors import SheetError
from flask_appadmin.i18n import _, format_number, gettext
from flask_appadmin.sheets.limits import MAX_CELL_CHARACTERS, MAX_ROWS, column_letters

#: The kinds of a column. "any" writes each value by its own type; it is for files that are not ours.
KINDS = ("text", "code", "integer", "decimal", "date", "datetime", "bool", "choice", "any")

_WIDTHS = {"text": 24, "code": 14, "integer": 11, "decimal": 13, "date": 12, "datetime": 18, "bool": 9, "choice": 20}
#: Before this day the calendar of spreadsheets has a 29 February 1900 that never was; such dates are written as text.
_FIRST_DATE = datetime.date(1900, 3, 1)
_MAX_CHOICES = 10_000
#: How a column of kind "any" shows what is no text and no number.
_ANY_FORMATS: dict[type, dict[str, Any]] = {
    datetime.datetime: {"num_format": "dd.mm.yyyy hh:mm:ss"},
    datetime.date: {"num_format": "dd.mm.yyyy"},
    datetime.time: {"num_format": "hh:mm:ss"},
}

YES = _("Ja")
NO = _("Nein")


def require_room(count: int) -> None:
    """SheetError where so many rows, the headings among them, do not fit on a sheet."""
    if count > MAX_ROWS:
        raise SheetError(
            gettext(
                "Ein Blatt einer xlsx-Datei fasst %(limit)s Zeilen; es sind mehr. Bitte wählen Sie weniger aus "
                "oder exportieren Sie als csv.",
                limit=format_number(MAX_ROWS),
            )
        )


@dataclass(frozen=True)
class SheetColumn:
    """A column of a table.

    `kind` decides the type of the cells and their format: "code" is text that a spreadsheet program must not take for
    a number, "choice" and "bool" are texts with a drop-down. `note` is shown at the heading. `hidden` columns are for
    what we need back.
    """

    key: str
    heading: Any
    kind: str = "text"
    width: int = 0
    #: Texts to choose from; for "choice" and for any other column that wants a drop-down.
    choices: tuple[str, ...] = ()
    #: Decimal places of a "decimal".
    places: int = 2
    note: Any = ""
    hidden: bool = False
    #: The values are for information and are not read back; shown in grey.
    read_only: bool = False


def _place(sheet: str, row: int, column: int) -> str:
    return gettext("Blatt „%(sheet)s“, Zelle %(cell)s", sheet=sheet, cell=f"{column_letters(column)}{row + 1}")


def german_date(value: datetime.date) -> str:
    return f"{value.day:02}.{value.month:02}.{value.year:04}"


def german_datetime(value: datetime.datetime) -> str:
    return f"{german_date(value)} {value.hour:02}:{value.minute:02}:{value.second:02}"


class WorkbookWriter:
    """An xlsx file. Use as a context manager; the file appears under its path only when everything was written."""

    def __init__(self, path: str | os.PathLike[str], *, title: str = "", author: str = "") -> None:
        self.path = Path(path)
        # Everything unfinished lives in a folder of its own, beside the target, so that a move is enough at the end.
        self._folder = tempfile.mkdtemp(prefix=".", dir=self.path.parent)
        self._unfinished = Path(self._folder) / "workbook.xlsx"
        self.book = xlsxwriter.Workbook(
            str(self._unfinished),
            {
                "constant_memory": True,
                "tmpdir": self._folder,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self.book.use_zip64()
        self.book.set_properties({"title": title, "author": author, "comments": ""})
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._names: set[str] = set()
        self._tables: list[TableWriter] = []
        #: Choices of a drop-down -> column of the sheet of lists.
        self._lists: dict[tuple[str, ...], int] = {}
        self._list_name = self._sheet_name(gettext("Listen"))

    def __enter__(self) -> WorkbookWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def format(self, **properties: Any) -> Any:
        """A cell format; the same properties give the same object."""
        key = tuple(sorted(properties.items()))
        found = self._formats.get(key)
        if found is None:
            found = self._formats[key] = self.book.add_format({"valign": "top", **properties})
        return found

    def _sheet_name(self, wanted: str) -> str:
        """A name that the format allows and that is not taken yet."""
        name = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", wanted).strip(" '")[:31].strip() or gettext("Tabelle")
        if name.lower() == "history":
            name += " 1"
        unique = name
        number = 1
        while unique.lower() in self._names:
            number += 1
            suffix = f" {number}"
            unique = name[: 31 - len(suffix)] + suffix
        self._names.add(unique.lower())
        return unique

    def add_instructions(self, name: str, title: str, lines: Iterable[str | tuple[str, str]]) -> None:
        """A sheet to read: a title, then paragraphs, or pairs of a term and what it means."""
        name = self._sheet_name(name)
        sheet = self.book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, 1, 90)
        write = CellWriter(sheet, name)
        write.text(0, 0, title, self.format(bold=True, font_size=14))
        wrap = self.format(text_wrap=True)
        row = 2
        for line in lines:
            if isinstance(line, tuple):
                write.text(row, 0, line[0], self.format(text_wrap=True, bold=True))
                write.text(row, 1, line[1], wrap)
            elif line:
                sheet.merge_range(row, 0, row, 1, "", wrap)
                write.text(row, 0, line, wrap)
                sheet.set_row(row, 15 * (len(line) // 115 + 1 + line.count("\n")))
            row += 1

    def add_table(self, name: str, columns: Sequence[SheetColumn]) -> TableWriter:
        """A sheet with headings, frozen, with filters, formats and drop-downs by the columns; rows follow."""
        table = TableWriter(self, self._sheet_name(name), columns)
        self._tables.append(table)
        return table

    def add_plain(self, name: str) -> PlainWriter:
        """A sheet with rows as they come, without headings of ours."""
        table = PlainWriter(self, self._sheet_name(name), ())
        self._tables.append(table)
        return table

    def add_hidden(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        """A sheet that the program does not even offer to show, for what is needed when the file comes back."""
        name = self._sheet_name(name)
        sheet = self.book.add_worksheet(name)
        sheet.very_hidden()
        write = CellWriter(sheet, name)
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if value is not None and value != "":
                    write.text(number, column, str(value))

    def list_reference(self, choices: tuple[str, ...]) -> str:
        """The cells of the hidden sheet that hold these choices, as a formula; the same choices stand there once."""
        column = self._lists.setdefault(choices, len(self._lists))
        letters = column_letters(column)
        return f"='{self._list_name}'!${letters}$1:${letters}${len(choices)}"

    def _write_lists(self) -> None:
        if not self._lists:
            return
        sheet = self.book.add_worksheet(self._list_name)
        sheet.hide()
        write = CellWriter(sheet, self._list_name)
        for row in range(max(len(choices) for choices in self._lists)):
            for choices, column in self._lists.items():
                if row < len(choices) and choices[row] != "":
                    write.text(row, column, choices[row])

    def close(self) -> None:
        """Completes the file. Raises `SheetError`; then there is no file."""
        try:
            for table in self._tables:
                table.finish()
            self._write_lists()
            if not self._tables and not self.book.worksheets():
                self.book.add_worksheet(gettext("Tabelle"))
            self.book.close()
            os.replace(self._unfinished, self.path)
        except BaseException as error:
            self.discard()
            if not isinstance(error, OSError | XlsxWriterException):
                raise
            raise SheetError(
                gettext(
                    "Die Datei konnte nicht geschrieben werden. Bitte prüfen Sie, ob noch Platz auf dem Datenträger "
                    "ist."
                )
            ) from error
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def discard(self) -> None:
        """Forgets everything; there will be no file."""
        for sheet in self.book.worksheets():
            # XlsxWriter has no way to stop; it would complain that the book was not closed.
            if sheet.row_data_fh is not None and not sheet.row_data_fh.closed:
                sheet.row_data_fh.close()
        self.book.fileclosed = True
        shutil.rmtree(self._folder, ignore_errors=True)


class _TableSheet(Worksheet):
    """A worksheet whose ordinary cells are written without detours; everything else is left to XlsxWriter.

    In XlsxWriter 3.3.1 half of the time of an export goes into building and escaping lists of attributes per cell.
    Texts without any character that needs care, and numbers, take a third of it here. The tests compare both ways
    cell by cell.
    """

    def __init__(self) -> None:
        super().__init__()
        self._starts: dict[int, tuple[str, str]] = {}

    def _start(self, column: int) -> tuple[str, str]:
        """What stands before and behind the row number in the tag of a cell without a format of its own."""
        found = self.col_info.get(column)
        column_format = found.column_format if found is not None else None
        style = f' s="{column_format._get_xf_index()}"' if column_format is not None else ""
        self._starts[column] = start = (f'<c r="{column_letters(column)}', f'"{style}')
        return start

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        kind = cell.__class__
        if cell.format is None and row not in self.row_info:
            if kind is CellStringTuple:
                text = cell.string
                if _ORDINARY_TEXT(text) and text[0] != " " and text[-1] != " " and "_x" not in text:
                    before, behind = self._starts.get(col) or self._start(col)
                    self.fh.write(f'{before}{row + 1}{behind} t="inlineStr"><is><t>{text}</t></is></c>')
                    return
            elif kind is CellNumberTuple or kind is CellDatetimeTuple:
                before, behind = self._starts.get(col) or self._start(col)
                self.fh.write(f"{before}{row + 1}{behind}><v>{cell.number:.16G}</v></c>")
                return
        super()._write_cell(row, col, cell)


#: Matches a text that stands in XML as it is.
_ORDINARY_TEXT = re.compile(r'[^"&<>\x00-\x1f\ufffe\uffff]+').fullmatch


class CellWriter:
    """The one way into a worksheet: every cell goes through here, and what XlsxWriter answers is looked at."""

    def __init__(self, sheet: Any, name: str) -> None:
        self._name = name
        # In XlsxWriter 3.3.1 the public ones look for "A1" instead of numbers, and call these.
        self._write_string = sheet._write_string
        self._write_number = sheet._write_number
        self._write_datetime = sheet.write_datetime
        self._write_rich_string = sheet.write_rich_string
        self._write_blank = sheet.write_blank
        self._plain: Any = None

    def text(self, row: int, column: int, value: str, cell_format: Any = None) -> None:
        if not value:
            return
        if value.startswith("<r>") and value.endswith("</r>"):
            # XlsxWriter 3.3.1 takes such a text for its own markup in constant memory mode and writes it unescaped.
            # Three pieces of plain text, the least it accepts, are read as one.
            formats = [cell_format] if cell_format else []
            code = self._write_rich_string(row, column, value[:1], value[1:2], value[2:], *formats)
        else:
            code = self._write_string(row, column, value, cell_format)
        if code:
            self._refuse(code, row, column, value)

    def number(self, row: int, column: int, value: Any, cell_format: Any = None) -> None:
        try:
            code = self._write_number(row, column, value, cell_format)
        except TypeError:
            # Not a number at all: infinite or undefined.
            self.text(row, column, str(value), cell_format)
            return
        if code:
            self._refuse(code, row, column, value)

    def moment(self, row: int, column: int, value: Any, cell_format: Any = None) -> None:
        code = self._write_datetime(row, column, value, cell_format)
        if code:
            self._refuse(code, row, column, value)

    def blank(self, row: int, column: int, cell_format: Any) -> None:
        code = self._write_blank(row, column, None, cell_format)
        if code:
            self._refuse(code, row, column, None)

    def _refuse(self, code: int, row: int, column: int, value: Any) -> None:
        require_room(row + 1)
        place = _place(self._name, row, column)
        if code == -2 and isinstance(value, str) and len(value) > MAX_CELL_CHARACTERS // 2:
            raise SheetError(
                gettext(
                    "%(place)s: Der Text ist länger als %(limit)s Zeichen und passt nicht in eine Zelle.",
                    place=place,
                    limit=format_number(MAX_CELL_CHARACTERS),
                )
            )
        raise SheetError(gettext("%(place)s: Dieser Wert konnte nicht geschrieben werden.", place=place))


class TableWriter:
    """The rows of one sheet, in order. Made by `WorkbookWriter.add_table`."""

    def __init__(self, writer: WorkbookWriter, name: str, columns: Sequence[SheetColumn]) -> None:
        self.name = name
        self.columns = tuple(columns)
        self._writer = writer
        self._sheet = writer.book.add_worksheet(name, _TableSheet)
        self._cells = CellWriter(self._sheet, name)
        self._next = 1
        self._last_values: Sequence[Any] = ()
        self._is_finished = False
        self._put = [self._put_for(column) for column in self.columns]
        self._begin()

    @property
    def row_count(self) -> int:
        """Rows of values so far; the row of headings is not one."""
        return self._next - 1

    def _number_format(self, column: SheetColumn) -> dict[str, Any]:
        match column.kind:
            case "code" | "choice" | "bool" | "text":
                # "@" keeps what is typed later as it is typed; values that we write are texts anyhow.
                return {"num_format": "@"}
            case "integer":
                return {"num_format": "0"}
            case "decimal":
                return {"num_format": "#,##0." + "0" * column.places if column.places else "#,##0"}
            case "date":
                return {"num_format": "dd.mm.yyyy"}
            case "datetime":
                return {"num_format": "dd.mm.yyyy hh:mm:ss"}
        return {}

    def _begin(self) -> None:
        sheet, writer = self._sheet, self._writer
        head = writer.format(bold=True, bg_color="#E7ECEF", bottom=1, text_wrap=True)
        for index, column in enumerate(self.columns):
            properties = self._number_format(column)
            if column.read_only:
                properties["font_color"] = "#6B7280"
            heading = str(column.heading)
            longest_word = max((len(word) for word in heading.split()), default=0)
            width = column.width or max(_WIDTHS.get(column.kind, 16), min(longest_word + 4, 40))
            options = {"hidden": True} if column.hidden else {}
            sheet.set_column(index, index, width, writer.format(**properties), options)
            self._cells.text(0, index, heading, head)
            if column.note:
                sheet.write_comment(0, index, str(column.note), {"x_scale": 2, "y_scale": 1.2, "visible": False})
            self._add_choices(index, column)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)

    def _add_choices(self, index: int, column: SheetColumn) -> None:
        choices = column.choices or ((str(YES), str(NO)) if column.kind == "bool" else ())
        if not choices or len(choices) > _MAX_CHOICES:
            return
        self._sheet.data_validation(
            1,
            index,
            MAX_ROWS - 1,
            index,
            {
                "validate": "list",
                "source": self._writer.list_reference(choices),
                "error_title": str(column.heading)[:32],
                "error_message": gettext("Bitte wählen Sie einen Wert aus der Liste."),
                # A warning, not a stop: "<leer>" and new values must be possible, the import says what it thinks of
                # them.
                "error_type": "warning",
            },
        )

    def _put_for(self, column: SheetColumn) -> Callable[[int, int, Any, Any], None]:
        """The function that writes a value of this column."""
        cells = self._cells
        text = cells.text
        number = cells.number

        def put_text(row: int, index: int, value: Any, cell_format: Any = None) -> None:
            text(row, index, value if type(value) is str else _plain_text(value), cell_format)

        def put_number(row: int, index: int, value: Any, cell_format: Any = None) -> None:
            kind = type(value)
            if kind is str or kind is bool:
                put_text(row, index, value, cell_format)
            elif (kind is int and -1e15 < value < 1e15) or kind is float or (kind is Decimal and _is_short(value)):
                number(row, index, value, cell_format)
            else:
                # More than 15 digits would be rounded.
                text(row, index, _plain_text(value), cell_format)

        def put_moment(row: int, index: int, value: Any, cell_format: Any = None) -> None:
            if isinstance(value, datetime.datetime):
                day: Any = value.date()
            else:
                day = value
            if isinstance(day, datetime.date) and day >= _FIRST_DATE:
                cells.moment(row, index, value, cell_format)
            else:
                put_text(row, index, value, cell_format)

        def put_any(row: int, index: int, value: Any, cell_format: Any = None) -> None:
            if isinstance(value, str | bool):
                put_text(row, index, value, cell_format)
            elif isinstance(value, int | float | Decimal):
                put_number(row, index, value, cell_format)
            elif type(value) in _ANY_FORMATS:
                cell_format = cell_format or self._writer.format(**_ANY_FORMATS[type(value)])
                if isinstance(value, datetime.time):
                    cells.moment(row, index, value, cell_format)
                else:
                    put_moment(row, index, value, cell_format)
            else:
                put_text(row, index, value, cell_format)

        match column.kind:
            case "integer" | "decimal":
                return put_number
            case "date" | "datetime":
                return put_moment
            case "any":
                return put_any
        return put_text

    def write_row(self, values: Sequence[Any], faults: Mapping[int, str] | None = None) -> None:
        """The next row; None and "" stay empty cells. `faults` marks cells by their index and says what is wrong."""
        row = self._next
        put = self._put
        write_string = self._sheet._write_string
        try:
            for index, value in enumerate(values):
                if type(value) is str:
                    # The inner loop of every export: `CellWriter.text` without the calls in between.
                    if value[:3] == "<r>" or write_string(row, index, value):
                        self._cells.text(row, index, value)
                elif value is not None:
                    put[index](row, index, value, None)
        except UnicodeEncodeError as error:
            # The row before is brought to the file when this one begins.
            raise self._character_fault(row - 1) from error
        if faults:
            self._mark(row, values, faults)
        self._last_values = values
        self._next += 1

    def write_rows(self, rows: Iterable[Sequence[Any]]) -> None:
        for values in rows:
            self.write_row(values)

    def _mark(self, row: int, values: Sequence[Any], faults: Mapping[int, str]) -> None:
        for index, text in faults.items():
            value = values[index] if index < len(values) else None
            properties = self._number_format(self.columns[index]) or _ANY_FORMATS.get(type(value), {})
            marked = self._writer.format(bg_color="#FBD5D5", font_color="#9B1C1C", **properties)
            if value is None or value == "":
                self._cells.blank(row, index, marked)
            else:
                self._put[index](row, index, value, marked)
            if text:
                options = {"x_scale": 2.2, "y_scale": 1 + len(text) / 160}
                self._sheet.write_comment(row, index, text, options)

    def _character_fault(self, row: int) -> SheetError:
        for index, value in enumerate(self._last_values):
            try:
                str(value).encode()
            except UnicodeEncodeError:
                place = _place(self.name, row, index)
                return SheetError(
                    gettext(
                        "%(place)s: Der Text enthält ein Zeichen, das es nicht gibt. Bitte geben Sie ihn neu ein.",
                        place=place,
                    )
                )
        return SheetError(gettext("Blatt „%(sheet)s“ enthält ein Zeichen, das es nicht gibt.", sheet=self.name))

    def finish(self) -> None:
        """Adds what needs to know the last row; called by `WorkbookWriter.close`."""
        if self._is_finished:
            return
        self._is_finished = True
        if self.columns:
            self._sheet.autofilter(0, 0, max(self._next - 1, 1), len(self.columns) - 1)
        try:
            # The last row goes to the file now, while its values are known.
            self._sheet._write_single_row(self._next)
        except UnicodeEncodeError as error:
            raise self._character_fault(self._next - 1) from error


class PlainWriter(TableWriter):
    """Rows of any cells at their own places. Made by `WorkbookWriter.add_plain`."""

    def _begin(self) -> None:
        self._next = 0
        self._any = self._put_for(SheetColumn("", "", kind="any"))

    def write_row(self, values: Sequence[Any], faults: Mapping[int, str] | None = None) -> None:
        """The next row; an empty one stays free."""
        self._put += [self._any] * (len(values) - len(self._put))
        super().write_row(values, faults)


def _is_short(value: Decimal) -> bool:
    """Whether a number survives the 15 digits of a spreadsheet."""
    # The text is quicker than the tuple of digits, and is no shorter than they are.
    return value.is_finite() and (len(str(value)) <= 15 or len(value.as_tuple().digits) <= 15)


def _plain_text(value: Any) -> str:
    """A value as the text a German operator reads and an import understands."""
    if isinstance(value, bool):
        return str(YES if value else NO)
    if isinstance(value, datetime.datetime):
        return german_datetime(value)
    if isinstance(value, datetime.date):
        return german_date(value)
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", ",")
    if isinstance(value, float):
        return repr(value).replace(".", ",")
    return str(value)


#: What begins a formula in one spreadsheet program or another; the last four are the full width forms.
_FORMULA_STARTS = frozenset("=@\t\r\n＝＠")
_SIGNS = frozenset("+-＋－")
_NUMBER = re.compile(r"-[ ]?\d+(?:[.,]\d+)*\s?(?:%|€)?|\+[ ]?[\d(][\d\s()/.,\-]*")


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet program might take a csv cell for a formula. Numbers and telephone numbers are none.

    >>> is_formula_like("=1+1"), is_formula_like("+49 89 1"), is_formula_like("-5"), is_formula_like("- Bonn -")
    (True, False, False, True)
    """
    first = text[:1]
    if first in _FORMULA_STARTS and first:
        return True
    return first in _SIGNS and first != "" and _NUMBER.fullmatch(text) is None


def protect_csv_text(text: str) -> str:
    """A text for a csv cell: an apostrophe in front of what looks like a formula, and of what begins like our own mark.

    >>> protect_csv_text("=1+1"), protect_csv_text("+49 89 1"), protect_csv_text("'=1")
    ("'=1+1", '+49 89 1', "''=1")
    """
    first = text[:1]
    if first in _FORMULA_STARTS or first in _SIGNS or first == "'":
        if text and is_formula_like(text.lstrip("'")):
            return "'" + text
    return text


def restore_csv_text(text: str) -> str:
    """The text that `protect_csv_text` was given; for files that we wrote.

    >>> restore_csv_text("'=1+1"), restore_csv_text("'s Wirtshaus"), restore_csv_text("''=1")
    ('=1+1', "'s Wirtshaus", "'=1")
    """
    if text[:1] == "'" and is_formula_like(text.lstrip("'")):
        return text[1:]
    return text


class CsvWriter:
    """A csv file as German spreadsheet programs open it: UTF-8 with BOM, semicolons, decimal comma, Ja and Nein.

    Writes to a path or to a binary stream, which stays open.
    """

    def __init__(self, target: str | os.PathLike[str] | BinaryIO, columns: Sequence[SheetColumn]) -> None:
        self.columns = tuple(columns)
        self._owns = isinstance(target, str | os.PathLike)
        binary: BinaryIO = open(target, "wb") if isinstance(target, str | os.PathLike) else target  # noqa: SIM115
        self._text = io.TextIOWrapper(binary, encoding="utf-8", newline="", write_through=False)
        self._text.write("\ufeff")
        self._writer = csv.writer(self._text, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
        self._writer.writerow([protect_csv_text(str(column.heading)) for column in self.columns])
        self._kinds = [column.kind for column in self.columns]
        self._places = [column.places for column in self.columns]
        self.row_count = 0

    def __enter__(self) -> CsvWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def write_row(self, values: Sequence[Any]) -> None:
        self.row_count += 1
        try:
            self._writer.writerow(
                [
                    ""
                    if value is None
                    else protect_csv_text(value)
                    if type(value) is str
                    else _csv_text(value, self._kinds[index], self._places[index])
                    for index, value in enumerate(values)
                ]
            )
        except (UnicodeEncodeError, csv.Error) as error:
            raise self._character_fault(values) from error
        for index, value in enumerate(values):
            if type(value) is str and "\0" in value:
                raise self._character_fault(values[: index + 1])

    def write_rows(self, rows: Iterable[Sequence[Any]]) -> None:
        for values in rows:
            self.write_row(values)

    def _character_fault(self, values: Sequence[Any]) -> SheetError:
        place = gettext("Zeile %(row)s", row=format_number(self.row_count + 1))
        for index, value in enumerate(values):
            if isinstance(value, str) and ("\0" in value or value.encode("utf-8", "ignore").decode() != value):
                place = gettext(
                    "Zeile %(row)s, Spalte „%(heading)s“",
                    row=format_number(self.row_count + 1),
                    heading=str(self.columns[index].heading),
                )
                break
        return SheetError(
            gettext(
                "%(place)s: Der Text enthält ein Zeichen, das es nicht gibt. Bitte geben Sie ihn neu ein.", place=place
            )
        )

    def close(self) -> None:
        """Writes what is left; a stream that was given stays open."""
        if self._text.closed:
            return
        self._text.flush()
        if self._owns:
            self._text.close()
        else:
            self._text.detach()


def _csv_text(value: Any, kind: str, places: int) -> str:
    if isinstance(value, Decimal) and kind == "decimal":
        exponent = value.as_tuple().exponent
        # At least the places of the column, but never fewer than the value has.
        shown = max(places, -exponent) if isinstance(exponent, int) else places
        return f"{value:.{shown}f}".replace(".", ",")
    if kind == "datetime" and isinstance(value, datetime.datetime):
        return german_datetime(value)
    return protect_csv_text(_plain_text(value))

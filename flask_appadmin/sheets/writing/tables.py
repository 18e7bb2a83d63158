"""The rows of one sheet of a workbook, with headings, formats and drop-downs by their columns."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask_appadmin.errors import SheetError
from flask_appadmin.i18n import gettext
from flask_appadmin.sheets.limits import MAX_ROWS
from flask_appadmin.sheets.writing.cells import CellWriter, TableSheet, cell_place
from flask_appadmin.sheets.writing.columns import SheetColumn
from flask_appadmin.sheets.writing.texts import NO, YES, no_such_character, plain_text

if TYPE_CHECKING:
    from flask_appadmin.sheets.writing.workbook import WorkbookWriter

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


class TableWriter:
    """The rows of one sheet, in order. Made by `WorkbookWriter.add_table`."""

    def __init__(self, writer: WorkbookWriter, name: str, columns: Sequence[SheetColumn]) -> None:
        self.name = name
        self.columns = tuple(columns)
        self._writer = writer
        self._sheet = writer.book.add_worksheet(name, TableSheet)
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
            text(row, index, value if type(value) is str else plain_text(value), cell_format)

        def put_number(row: int, index: int, value: Any, cell_format: Any = None) -> None:
            kind = type(value)
            if kind is str or kind is bool:
                put_text(row, index, value, cell_format)
            elif (kind is int and -1e15 < value < 1e15) or kind is float or (kind is Decimal and _is_short(value)):
                number(row, index, value, cell_format)
            else:
                # More than 15 digits would be rounded.
                text(row, index, plain_text(value), cell_format)

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
                return no_such_character(cell_place(self.name, row, index))
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

"""The way into a worksheet, and the sentence for what does not fit into a cell or on a sheet."""

from __future__ import annotations

import re
from typing import Any

from xlsxwriter.worksheet import CellDatetimeTuple, CellNumberTuple, CellStringTuple, Worksheet

from flask_appadmin.errors import SheetError
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.sheets.limits import MAX_CELL_CHARACTERS, MAX_ROWS, column_letters


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


def cell_place(sheet: str, row: int, column: int) -> str:
    """Where a cell is, in words; row and column from 0."""
    return gettext("Blatt „%(sheet)s“, Zelle %(cell)s", sheet=sheet, cell=f"{column_letters(column)}{row + 1}")


class TableSheet(Worksheet):
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
        place = cell_place(self._name, row, column)
        if code == -2 and isinstance(value, str) and len(value) > MAX_CELL_CHARACTERS // 2:
            raise SheetError(
                gettext(
                    "%(place)s: Der Text ist länger als %(limit)s Zeichen und passt nicht in eine Zelle.",
                    place=place,
                    limit=format_number(MAX_CELL_CHARACTERS),
                )
            )
        raise SheetError(gettext("%(place)s: Dieser Wert konnte nicht geschrieben werden.", place=place))

"""An xlsx file: its tables, its instructions and its hidden sheets."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from flask_appadmin.errors import SheetError
from flask_appadmin.i18n import gettext
from flask_appadmin.sheets.limits import column_letters
from flask_appadmin.sheets.writing.cells import CellWriter
from flask_appadmin.sheets.writing.columns import SheetColumn
from flask_appadmin.sheets.writing.tables import PlainWriter, TableWriter


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

"""A csv file as German spreadsheet programs open it."""

from __future__ import annotations

import csv
import datetime
import io
import os
from collections.abc import Iterable, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, BinaryIO

from flask_appadmin.errors import SheetError
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.sheets.writing.columns import SheetColumn
from flask_appadmin.sheets.writing.formulas import protect_csv_text
from flask_appadmin.sheets.writing.texts import german_datetime, no_such_character, plain_text


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
        return no_such_character(place)

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
    return protect_csv_text(plain_text(value))

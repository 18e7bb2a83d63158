"""Reads a file of rows (xlsx, xlsm, xls, ods, csv, txt, pasted cells) in a child process with limits.

Parsers abort the whole process on hostile files, so nothing is parsed here: a process of its own reads the file and
sends rows back as JSON lines. `read_workbook` gathers them, `open_sheets` hands them on one by one, so that a million
rows need no memory here.
Shape: `Workbook.sheets` holds `SheetData`; a row is a tuple of str, int, float, bool, date, datetime, time or None
without empty cells at its end; row 1 is `rows[0]`. A date with a time of midnight comes as date. Texts stay texts
("01307").
Units: bytes, seconds. Errors: `SheetError` with a sentence for the operator; no exception of a library gets out.
Source: spec trust F1, F2 and bad inputs 95 to 106; spec goals I1.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import logging
import os
import select
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from flask_appadmin.sheets.delimited import TextFormat
from flask_appadmin.sheets.limits import ReadLimits
from flask_appadmin.sheets.nursery import Reader, nursery
from flask_appadmin.sheets.unreadable import UnreadableFile, display_name

Cell = str | int | float | bool | datetime.datetime | datetime.date | datetime.time | None
Row = tuple[Cell, ...]
_log = logging.getLogger(__name__)
#: A message of the child is never longer than a batch of the longest cells allowed.
_LONGEST_MESSAGE = 400 << 20


@dataclass
class SheetData:
    """One sheet: its rows from row 1 on, and what the rows alone do not show."""

    name: str
    visible: bool
    rows: list[Row]
    #: (row number, column index) -> the error value there ("#REF!"), or "=" for a formula without a stored result.
    cell_faults: dict[tuple[int, int], str] = field(default_factory=dict)
    merged_ranges: int = 0
    hidden_rows: int = 0


@dataclass
class Workbook:
    """A file that was read. `kind` is xlsx, xlsm, xls, ods or csv; `text` tells how a text file is written."""

    file_name: str
    kind: str
    sheets: list[SheetData]
    text: TextFormat | None = None
    #: (cells in a row, number of such rows, first of them) of a text file.
    row_lengths: list[tuple[int, int, int]] = field(default_factory=list)
    #: Rows with a cell that seems to have swallowed the rows behind it.
    quote_suspects: list[int] = field(default_factory=list)

    @property
    def main_sheet(self) -> SheetData:
        """The visible sheet with the most rows, else the first one: a guess where several hold rows."""
        visible = [sheet for sheet in self.sheets if sheet.visible]
        return max(visible or self.sheets, key=lambda sheet: len(sheet.rows))


class SheetStream:
    """One sheet whose rows are still to come: `for row in sheet`. What is known of it afterwards stands in `data`."""

    def __init__(self, reader: SheetReader, name: str, visible: bool) -> None:
        self._reader = reader
        self._is_read = False
        #: The sheet without its rows; faults and counts are complete when all rows were read.
        self.data = SheetData(name, visible, [])

    @property
    def name(self) -> str:
        return self.data.name

    @property
    def visible(self) -> bool:
        return self.data.visible

    def __iter__(self) -> Iterator[Row]:
        if self._is_read:
            return
        self._is_read = True
        number = 0
        for message in self._reader.messages():
            rows = message.get("rows")
            if rows is not None:
                for index, column, kind, text in message.get("special", ()):
                    row = rows[index]
                    if kind in "ef":
                        self.data.cell_faults[number + index + 1, column] = text
                        row[column] = text if kind == "e" else None
                    else:
                        row[column] = _SPECIAL[kind](text)
                number += len(rows)
                for row in rows:
                    yield tuple(row)
            elif "blank" in message:
                number += message["blank"]
                for _number in range(message["blank"]):
                    yield ()
            elif "sheet_end" in message:
                self.data.merged_ranges = message["sheet_end"]["merged"]
                self.data.hidden_rows = message["sheet_end"]["hidden_rows"]
                return


_SPECIAL: dict[str, Any] = {
    "d": datetime.date.fromisoformat,
    "m": datetime.datetime.fromisoformat,
    "t": datetime.time.fromisoformat,
}


class Spool:
    """What was read of a file, kept for a second look without the parser; a context manager.

    It belongs to one file read in one way. What is larger than the limit is not kept, and read again.
    """

    def __init__(self, limit: int = 64 << 20) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed on leaving)
        self._left = limit
        self.is_complete = False

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_fault: object) -> None:
        self._file.close()

    def keep(self, line: bytes) -> None:
        self._left -= len(line) + 1
        if self._left >= 0:
            self._file.write(line + b"\n")

    def finish(self) -> None:
        self.is_complete = self._left >= 0

    def lines(self) -> Iterator[bytes]:
        self._file.seek(0)
        return iter(self._file)


class SheetReader:
    """A file being read: `for sheet in reader: for row in sheet`. Made by `open_sheets`, used as a context manager."""

    def __init__(
        self,
        file: BinaryIO,
        file_name: str,
        limits: ReadLimits,
        encoding: str,
        separator: str,
        spool: Spool | None = None,
    ) -> None:
        self.file_name = file_name
        self._spool = spool
        self._kept: Iterator[bytes] | None = None
        self._child: Reader | None = None
        self.limits = limits
        self._waited = 0.0
        self._buffer = bytearray()
        self._is_complete = False
        self._current: SheetStream | None = None
        if spool is not None and spool.is_complete:
            self._kept = spool.lines()
        else:
            request = {"limits": limits._asdict(), "encoding": encoding, "separator": separator}
            try:
                self._child = nursery.reader(file, json.dumps(request).encode())
            except OSError as error:
                _log.exception("no process to read a file with")
                raise UnreadableFile(file_name, "busy") from error
            self._pipe = self._child.pipe
            os.set_blocking(self._pipe, False)
        try:
            message = self._message()
        except BaseException:
            self.close()
            raise
        found = message.get("workbook", {})
        self.kind: str = found.get("kind", "")
        #: How a text file is written; None for the other kinds.
        self.text: TextFormat | None = TextFormat(**found["text"]) if found.get("text") else None
        #: Facts that are known at the end of the file only.
        self.end: dict[str, Any] = {}

    def __enter__(self) -> SheetReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the child, whatever it is doing."""
        if self._child is not None:
            self._child.close()

    def __iter__(self) -> Iterator[SheetStream]:
        for message in self.messages():
            if "sheet" in message:
                sheet = SheetStream(self, message["sheet"]["name"], message["sheet"]["visible"])
                yield sheet
                # Rows that nobody asked for are passed over.
                for _row in sheet:
                    pass
            elif "end" in message:
                self.end = message["end"]
                return

    def messages(self) -> Iterator[dict[str, Any]]:
        while not self._is_complete:
            message = self._message()
            if "end" in message:
                self._is_complete = True
                if self._spool is not None and self._kept is None:
                    self._spool.finish()
            yield message

    def _message(self) -> dict[str, Any]:
        line = self._line()
        try:
            message = json.loads(line)
        except ValueError as error:
            raise UnreadableFile(self.file_name, "damaged") from error
        if not isinstance(message, dict):
            raise UnreadableFile(self.file_name, "damaged")
        if "refused" in message:
            self._is_complete = True
            if message["refused"] == "failed":
                _log.error("reading a %s file failed: %s", getattr(self, "kind", "new"), message.get("parts"))
            raise UnreadableFile(self.file_name, message["refused"], message.get("parts", {}))
        return message

    def _line(self) -> bytes:
        if self._kept is not None:
            return next(self._kept)
        searched = 0
        while (place := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > _LONGEST_MESSAGE:
                raise UnreadableFile(self.file_name, "damaged")
            self._wait()
            chunk = os.read(self._pipe, 1 << 20)
            if not chunk:
                self._is_complete = True
                raise self._fault_of_death()
            self._buffer += chunk
        line = bytes(self._buffer[:place])
        del self._buffer[: place + 1]
        if self._spool is not None:
            self._spool.keep(line)
        return line

    def _wait(self) -> None:
        """Waits until the child has written something; only this time counts against it."""
        started = time.monotonic()
        left = self.limits.wall_seconds - self._waited
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN | select.POLLHUP)
        ready = poll.poll(max(left, 0) * 1000)
        self._waited += time.monotonic() - started
        if not ready:
            raise UnreadableFile(self.file_name, "time")

    def _fault_of_death(self) -> UnreadableFile:
        code = self._child.exit_code() if self._child is not None else None
        if code == -signal.SIGXCPU:
            return UnreadableFile(self.file_name, "time")
        if code in (None, -signal.SIGABRT, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGBUS):
            return UnreadableFile(self.file_name, "memory")
        return UnreadableFile(self.file_name, "damaged")


@contextlib.contextmanager
def open_sheets(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    file_name: str,
    *,
    limits: ReadLimits | None = None,
    encoding: str = "",
    separator: str = "",
    spool: Spool | None = None,
) -> Iterator[SheetReader]:
    """A reader over the sheets of a file. `encoding` and `separator` overrule what would be guessed of a text file.
    A `spool` keeps what is read, or gives what it kept.

    Raises `SheetError`, also while the rows are read.
    """
    limits = limits or ReadLimits()
    with contextlib.ExitStack() as stack:
        file: BinaryIO
        if isinstance(source, bytes | bytearray):
            size = len(source)
            # Looked at before anything is written.
            if size > limits.file_bytes:
                raise UnreadableFile(file_name, "too_large", {"size": size, "limit": limits.file_bytes})
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(source)
            file.seek(0)
        elif isinstance(source, str | os.PathLike):
            try:
                file = stack.enter_context(open(source, "rb"))
            except OSError as error:
                raise UnreadableFile(file_name, "missing") from error
        else:
            file = _own_file(source, stack, file_name, limits)
        with SheetReader(file, file_name, limits, encoding, separator, spool) as reader:
            yield reader


def _own_file(source: BinaryIO, stack: contextlib.ExitStack, file_name: str, limits: ReadLimits) -> BinaryIO:
    """A file the child can read for an open file that may live in memory only."""
    try:
        source.fileno()
        source.seek(0)
    except (OSError, io.UnsupportedOperation, AttributeError):
        pass
    else:
        return source
    copy: BinaryIO = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
    size = 0
    while chunk := source.read(1 << 20):
        size += len(chunk)
        if size > limits.file_bytes:
            raise UnreadableFile(file_name, "too_large", {"size": size, "limit": limits.file_bytes})
        copy.write(chunk)
    copy.seek(0)
    return copy


def read_workbook(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    file_name: str,
    *,
    limits: ReadLimits | None = None,
    encoding: str = "",
    separator: str = "",
) -> Workbook:
    """The whole file with all its rows. For large files `open_sheets` is the frugal way. Raises `SheetError`."""
    sheets = []
    with open_sheets(source, file_name, limits=limits, encoding=encoding, separator=separator) as reader:
        for sheet in reader:
            sheet.data.rows = list(sheet)
            sheets.append(sheet.data)
        if reader.kind == "csv" and sheets and not sheets[0].name:
            sheets[0].name = Path(display_name(file_name)).stem
        if not any(sheet.rows for sheet in sheets):
            raise UnreadableFile(file_name, "empty")
        return Workbook(
            file_name,
            reader.kind,
            sheets,
            reader.text,
            [(length, count, first) for length, count, first in reader.end.get("row_lengths", ())],
            list(reader.end.get("quote_suspects", ())),
        )

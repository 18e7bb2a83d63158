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

from flask_appadmin.errors import SheetError
from flask_appadmin.i18n import _, format_number, gettext, ngettext
from flask_appadmin.sheets.delimited import TextFormat
from flask_appadmin.sheets.limits import ReadLimits, column_letters
from flask_appadmin.sheets.nursery import Reader, nursery

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


class UnreadableFile(SheetError):
    """A file that cannot be read as a table. `code` names the reason, `parts` what was found."""

    def __init__(self, file_name: str, code: str, parts: dict[str, Any] | None = None) -> None:
        super().__init__(file_name, code)
        self.file_name = file_name
        self.code = code
        self.parts = parts or {}

    def sentence(self) -> str:
        return _sentence(display_name(self.file_name), self.code, self.parts)


#: What a file turned out to be; stands in "ist keine Tabelle (sondern ...)".
_KINDS: dict[str, Any] = {
    "pdf": _("ein PDF"),
    "image": _("ein Bild"),
    "media": _("eine Ton- oder Videodatei"),
    "text_document": _("ein Textdokument"),
    "other_office": _("ein anderes Office-Dokument"),
    "html": _("eine Internetseite, HTML"),
    "xml": _("eine XML-Datei"),
    "json": _("eine JSON-Datei"),
    "vcard": _("eine Visitenkarten- oder Kalenderdatei"),
    "archive": _("ein Archiv mit anderen Dateien"),
    "program": _("ein Programm"),
    "database": _("eine Datenbankdatei"),
    "mail": _("eine E-Mail"),
    "damaged_compound": _("eine alte Office-Datei ohne Tabelle"),
    "unknown": _("eine Datei mit unbekanntem Inhalt"),
}

#: Tables that this reader does not know, but the operator's program can save in another format.
_FOREIGN_TABLES: dict[str, Any] = {
    "xlsb": _("eine binäre Excel-Mappe (xlsb)"),
    "xml_2003": _("eine XML-Kalkulationstabelle von 2003"),
    "flat_ods": _("eine unverpackte OpenDocument-Tabelle (fods)"),
    "sylk": _("eine SYLK-Tabelle (slk)"),
    "old_excel": _("eine Tabelle aus Excel 4 oder älter"),
    "numbers": _("eine Numbers-Tabelle"),
}


def display_name(file_name: str) -> str:
    """A file's name as it can stand in a sentence: without folders and control characters, at most 60 characters."""
    name = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(character for character in name if character.isprintable()).strip()
    if len(name) > 60:
        name = name[:40] + "…" + name[-15:]
    return name or gettext("Die Datei")


def _megabytes(size: Any) -> str:
    return format_number(round(int(size) / 1_000_000))


def _place(parts: dict[str, Any]) -> str:
    """Where something stands: sheet and cell, or row and column."""
    words = []
    if parts.get("sheet"):
        words.append(gettext("Blatt „%(sheet)s“", sheet=parts["sheet"]))
    if parts.get("cell"):
        words.append(gettext("Zelle %(cell)s", cell=parts["cell"]))
    elif parts.get("row"):
        words.append(gettext("Zeile %(row)s", row=format_number(parts["row"])))
        if "column" in parts:
            words.append(gettext("Spalte %(column)s", column=column_letters(parts["column"])))
    return ", ".join(words)


def _sentence(name: str, code: str, parts: dict[str, Any]) -> str:
    match code:
        case "not_a_table":
            kind = parts.get("kind", "unknown")
            if kind in _FOREIGN_TABLES:
                return gettext(
                    "„%(name)s“ ist %(kind)s; die kann hier nicht gelesen werden. Bitte öffnen Sie die Datei in "
                    "Ihrem Tabellenprogramm und speichern Sie sie als xlsx, ods oder csv.",
                    name=name,
                    kind=str(_FOREIGN_TABLES[kind]),
                )
            if kind == "html":
                return gettext(
                    "„%(name)s“ ist keine Tabelle (sondern %(kind)s). Bitte öffnen Sie die Datei in Ihrem "
                    "Tabellenprogramm und speichern Sie sie als xlsx, ods oder csv.",
                    name=name,
                    kind=str(_KINDS["html"]),
                )
            if kind == "nothing":
                return gettext(
                    "„%(name)s“ enthält nur Nullbytes; beim Speichern oder Kopieren ist etwas schiefgegangen. Bitte "
                    "holen Sie die Datei noch einmal.",
                    name=name,
                )
            return gettext(
                "„%(name)s“ ist keine Tabelle (sondern %(kind)s). Bitte speichern Sie die Liste als xlsx, ods oder "
                "csv.",
                name=name,
                kind=str(_KINDS.get(kind, _KINDS["unknown"])),
            )
        case "empty":
            return gettext("„%(name)s“ ist leer. Bitte wählen Sie eine Datei mit Überschriften und Zeilen.", name=name)
        case "empty_archive" | "damaged" | "no_sheets" | "odd_archive":
            return gettext(
                "„%(name)s“ ist beschädigt oder unvollständig und kann nicht gelesen werden. Bitte öffnen Sie die "
                "Datei in Ihrem Tabellenprogramm und speichern Sie sie neu als xlsx, ods oder csv.",
                name=name,
            )
        case "damaged_sheet":
            return gettext(
                "„%(name)s“: Das Blatt „%(sheet)s“ ist beschädigt und kann nicht gelesen werden. Bitte speichern "
                "Sie die Datei in Ihrem Tabellenprogramm neu.",
                name=name,
                sheet=parts.get("sheet", ""),
            )
        case "password":
            return gettext(
                "„%(name)s“ ist mit einem Kennwort geschützt. Bitte speichern Sie die Datei ohne Kennwort und laden "
                "Sie sie noch einmal hoch.",
                name=name,
            )
        case "entities":
            return gettext(
                "„%(name)s“ enthält eigene XML-Definitionen und wird aus Sicherheitsgründen nicht gelesen. Bitte "
                "speichern Sie die Liste neu als xlsx, ods oder csv.",
                name=name,
            )
        case "too_large":
            return gettext(
                "„%(name)s“ hat %(size)s MB; erlaubt sind %(limit)s MB. Bitte teilen Sie die Liste auf oder "
                "speichern Sie sie als csv.",
                name=name,
                size=_megabytes(parts["size"]),
                limit=_megabytes(parts["limit"]),
            )
        case "too_large_inflated":
            return gettext(
                "„%(name)s“ ist ausgepackt größer als die erlaubten %(limit)s MB und wird nicht gelesen. Bitte "
                "teilen Sie die Liste auf.",
                name=name,
                limit=_megabytes(parts["limit"]),
            )
        case "bomb":
            return gettext(
                "„%(name)s“ ist ungewöhnlich stark gepackt und wird aus Sicherheitsgründen nicht gelesen. Bitte "
                "speichern Sie die Liste als csv.",
                name=name,
            )
        case "too_many_parts":
            return gettext(
                "„%(name)s“ besteht aus %(count)s Teilen; erlaubt sind %(limit)s. Bitte speichern Sie nur die "
                "Liste, als xlsx, ods oder csv.",
                name=name,
                count=format_number(parts["count"]),
                limit=format_number(parts["limit"]),
            )
        case "too_many_sheets":
            return gettext(
                "„%(name)s“ hat mehr als %(limit)s Blätter. Bitte speichern Sie nur die Blätter, die gebraucht werden.",
                name=name,
                limit=format_number(parts["limit"]),
            )
        case "too_many_rows":
            return _with_place(
                name,
                parts,
                gettext(
                    "mehr als %(limit)s Zeilen können nicht gelesen werden. Bitte teilen Sie die Liste auf.",
                    limit=format_number(parts["limit"]),
                ),
            )
        case "too_many_columns":
            return _with_place(
                name,
                parts,
                gettext(
                    "mehr als %(limit)s Spalten können nicht gelesen werden. Bitte löschen Sie, was rechts von der "
                    "Liste steht.",
                    limit=format_number(parts["limit"]),
                ),
            )
        case "spread":
            return _with_place(
                name,
                parts,
                gettext(
                    "die letzte gefüllte Zelle steht so weit unten und rechts, dass die Tabelle mehr als %(limit)s "
                    "Zellen hätte. Bitte löschen Sie, was außerhalb der Liste steht.",
                    limit=format_number(parts["limit"]),
                ),
            )
        case "too_many_cells":
            return gettext(
                "„%(name)s“ hat mehr als %(limit)s Zellen. Bitte teilen Sie die Liste auf.",
                name=name,
                limit=format_number(parts["limit"]),
            )
        case "cell_too_long":
            return _with_place(
                name,
                parts,
                gettext("der Text ist länger als %(limit)s Zeichen.", limit=format_number(parts["limit"])),
            )
        case "too_many_cell_faults":
            return gettext(
                "„%(name)s“ enthält mehr als %(limit)s Fehlerwerte wie #BEZUG! oder #NV. Bitte berichtigen Sie die "
                "Formeln, bevor Sie die Datei hochladen.",
                name=name,
                limit=format_number(parts["limit"]),
            )
        case "nul_bytes":
            return gettext(
                "„%(name)s“, Zeile %(line)s: Dort steht ein Nullbyte; die Datei ist beschädigt oder keine "
                "Textdatei. Bitte speichern Sie die Liste neu als xlsx, ods oder csv.",
                name=name,
                line=format_number(parts["line"]),
            )
        case "open_quote":
            return gettext(
                "„%(name)s“: Das Anführungszeichen in Zeile %(line)s ist nicht geschlossen; alles danach wäre eine "
                "einzige Zelle. Bitte ergänzen Sie das Anführungszeichen.",
                name=name,
                line=format_number(parts["line"]),
            )
        case "damaged_row":
            return gettext(
                "„%(name)s“: Die Zeile %(line)s kann nicht in Spalten geteilt werden. Bitte prüfen Sie dort die "
                "Anführungszeichen.",
                name=name,
                line=format_number(parts["line"]),
            )
        case "wrong_encoding":
            return gettext(
                "„%(name)s“ ist nicht im Zeichensatz %(encoding)s geschrieben. Bitte wählen Sie einen anderen.",
                name=name,
                encoding=parts.get("encoding", ""),
            )
        case "memory":
            return gettext(
                "„%(name)s“ braucht beim Lesen zu viel Speicher; die Datei ist zu groß oder beschädigt. Bitte "
                "teilen Sie die Liste auf oder speichern Sie sie als csv.",
                name=name,
            )
        case "busy":
            return gettext(
                "„%(name)s“ kann gerade nicht gelesen werden, weil der Server ausgelastet ist. Bitte versuchen Sie es "
                "in einer Minute noch einmal.",
                name=name,
            )
        case "time":
            return gettext(
                "Das Lesen von „%(name)s“ hat zu lange gedauert und wurde abgebrochen. Bitte teilen Sie die Liste "
                "auf oder speichern Sie sie als csv.",
                name=name,
            )
    return gettext(
        "„%(name)s“ kann nicht gelesen werden. Bitte speichern Sie die Liste neu als xlsx, ods oder csv.", name=name
    )


def _with_place(name: str, parts: dict[str, Any], rest: str) -> str:
    place = _place(parts)
    return f"„{name}“, {place}: {rest}" if place else f"„{name}“: {rest}"


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


def read_pasted(text: str, *, limits: ReadLimits | None = None) -> Workbook:
    """Cells that were copied in a spreadsheet program and pasted as text: tabs between them. Raises `SheetError`."""
    separator = "\t" if "\t" in text else ""
    raw = text.encode("utf-8", "replace")
    return read_workbook(raw, gettext("Zwischenablage"), limits=limits, encoding="utf-8", separator=separator)


def describe_faults(sheet: SheetData) -> list[str]:
    """What an operator should know before the rows of a sheet are used."""
    sentences = []
    errors = [place for place, text in sheet.cell_faults.items() if text != "="]
    formulas = [place for place, text in sheet.cell_faults.items() if text == "="]
    if errors:
        row, column = min(errors)
        sentences.append(
            ngettext(
                "%(count)s Zelle enthält einen Fehlerwert (%(cell)s: %(text)s).",
                "%(count)s Zellen enthalten einen Fehlerwert (zum Beispiel %(cell)s: %(text)s).",
                len(errors),
                cell=f"{column_letters(column)}{row}",
                text=sheet.cell_faults[row, column],
            )
        )
    if formulas:
        row, column = min(formulas)
        sentences.append(
            ngettext(
                "%(count)s Formel hat kein gespeichertes Ergebnis (%(cell)s).",
                "%(count)s Formeln haben kein gespeichertes Ergebnis (zum Beispiel %(cell)s).",
                len(formulas),
                cell=f"{column_letters(column)}{row}",
            )
        )
    if sheet.merged_ranges:
        sentences.append(
            ngettext(
                "%(count)s Bereich ist verbunden; sein Wert steht nur in der ersten Zelle.",
                "%(count)s Bereiche sind verbunden; ihr Wert steht jeweils nur in der ersten Zelle.",
                sheet.merged_ranges,
            )
        )
    if sheet.hidden_rows:
        sentences.append(
            ngettext(
                "%(count)s Zeile ist ausgeblendet und wird mitgelesen.",
                "%(count)s Zeilen sind ausgeblendet und werden mitgelesen.",
                sheet.hidden_rows,
            )
        )
    return sentences

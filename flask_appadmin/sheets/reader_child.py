"""The process that parses one file: asked for by `reading`, fenced in by limits, gone afterwards.

It is a fork of the nursery, which runs without the packages around this one and carries neither Flask nor secrets. The
file is its standard input; it answers on standard output and opens nothing else.
Shape: one JSON object per line. {"workbook": {...}}, {"sheet": {...}}, {"blank": n}, {"rows": [[...]], "special":
[[row, column, kind, text]]}, {"sheet_end": {...}}, {"end": {...}} or {"refused": code, "parts": {...}}. Kinds in
"special": "d" date, "m" date with time, "t" time (ISO text each), "e" error value, "f" formula without a result; the
row is the index in this message.
Errors: whatever goes wrong is a "refused"; an abort of the parser ends the process, which `reading` sees.
"""

from __future__ import annotations

import codecs
import contextlib
import datetime
import importlib
import json
import os
import resource
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from flask_appadmin.sheets import file_kinds
from flask_appadmin.sheets.limits import ReadLimits, Refused, column_letters

if TYPE_CHECKING:
    from flask_appadmin.sheets.archive import Archive
    from flask_appadmin.sheets.officexml import SheetFacts, SheetScanner

#: Every encoding that is given, guessed or used for names; their tables are files, too.
_ENCODINGS = (
    "utf-8",
    "ascii",
    "cp1252",
    "iso-8859-1",
    "mac_roman",
    "cp850",
    "cp437",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32-le",
    "utf-32-be",
)
_BATCH_CELLS = 4_000
_BATCH_ROWS = 500


def fence(limits: ReadLimits) -> None:
    """Sets the limits of this process; there is no way back."""
    try:
        with open("/proc/self/statm") as file:
            base = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        # Elsewhere than on Linux: what the interpreter with its libraries needs at most.
        base = 256 << 20
    ceiling = base + limits.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # No further file and no socket: what is open is standard input, output and error.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


class Answer:
    """Writes messages; rows are gathered to batches, empty rows before the end of a sheet to counts."""

    def __init__(self, stream: TextIO, limits: ReadLimits) -> None:
        self._write = stream.write
        self._flush = stream.flush
        self._limits = limits
        self._rows: list[list[Any]] = []
        self._special: list[list[Any]] = []
        self._gathered = 0
        self._blank = 0
        self._cells = 0

    def say(self, **message: Any) -> None:
        self.flush_rows()
        self._write(json.dumps(message, ensure_ascii=True, separators=(",", ":")) + "\n")

    def begin_sheet(self, name: str, visible: bool) -> None:
        self.say(sheet={"name": name, "visible": visible})
        self._blank = 0

    def end_sheet(self, **facts: Any) -> None:
        self.say(sheet_end=facts)

    def flush_rows(self) -> None:
        if self._rows:
            message: dict[str, Any] = {"rows": self._rows}
            if self._special:
                message["special"] = self._special
            self._write(json.dumps(message, ensure_ascii=True, separators=(",", ":")) + "\n")
            self._rows = []
            self._special = []
            self._gathered = 0

    def row_gap(self, count: int) -> None:
        """Empty rows; they are told when a filled one follows."""
        self._blank += count

    def row(self, cells: list[Any], special: Iterable[tuple[int, str, str]] = ()) -> None:
        """A row without empty cells at its end; dates stand in `special`, with None in their place."""
        if not cells:
            self._blank += 1
            return
        if self._blank:
            if self._blank < 50:
                self._rows.extend([] for _ in range(self._blank))
            else:
                self.say(blank=self._blank)
            self._blank = 0
        for column, kind, text in special:
            self._special.append([len(self._rows), column, kind, text])
        self._rows.append(cells)
        self._gathered += len(cells)
        self._cells += len(cells)
        if self._cells > self._limits.cells:
            raise Refused("too_many_cells", limit=self._limits.cells)
        if self._gathered >= _BATCH_CELLS or len(self._rows) >= _BATCH_ROWS:
            self.flush_rows()


def _special_of(value: Any) -> tuple[str, str]:
    """The kind and text of a value that JSON does not know."""
    if isinstance(value, datetime.datetime):
        return "m", value.isoformat()
    if isinstance(value, datetime.date):
        return "d", value.isoformat()
    if isinstance(value, datetime.time):
        return "t", value.isoformat()
    if isinstance(value, datetime.timedelta):
        seconds = round(value.total_seconds())
        sign = "-" if seconds < 0 else ""
        hours, rest = divmod(abs(seconds), 3600)
        return "s", f"{sign}{hours}:{rest // 60:02}:{rest % 60:02}"
    return "s", str(value)


def _typed_row(
    row: Iterable[Any], limits: ReadLimits, sheet: str, number: int
) -> tuple[list[Any], list[tuple[int, str, str]]]:
    """A row as JSON knows it, and its special cells. Whole numbers become int as long as a float is exact."""
    cells: list[Any] = []
    special: list[tuple[int, str, str]] = []
    longest = limits.cell_characters
    for value in row:
        kind = type(value)
        if kind is str:
            if len(value) > longest:
                cell = f"{column_letters(len(cells))}{number}"
                raise Refused("cell_too_long", sheet=sheet, cell=cell, limit=longest)
            cells.append(value or None)
        elif kind is float:
            cells.append(int(value) if value.is_integer() and -1e15 < value < 1e15 else value)
        elif kind is int or kind is bool or value is None:
            cells.append(value)
        else:
            code, text = _special_of(value)
            if code == "s":
                cells.append(text)
            else:
                special.append((len(cells), code, text))
                cells.append(False)
    while cells and cells[-1] is None:
        cells.pop()
    if len(cells) > limits.columns:
        cell = f"{column_letters(len(cells) - 1)}{number}"
        raise Refused("too_many_columns", sheet=sheet, cell=cell, limit=limits.columns)
    for column, _, _ in special:
        cells[column] = None
    return cells, special


def _read_calamine(
    file: BinaryIO,
    kind: str,
    limits: ReadLimits,
    answer: Answer,
    facts: dict[str, SheetFacts],
    facts_in_order: list[SheetFacts] | None = None,
) -> None:
    import python_calamine as calamine

    from flask_appadmin.sheets.officexml import SheetFacts

    file.seek(0)
    try:
        workbook = calamine.load_workbook(file)
    except calamine.PasswordError as error:
        raise Refused("password") from error
    except calamine.CalamineError as error:
        raise Refused("damaged") from error
    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
    if not sheets:
        raise Refused("no_sheets")
    if len(sheets) > limits.sheets:
        raise Refused("too_many_sheets", limit=limits.sheets)
    answer.say(workbook={"kind": kind})
    if facts_in_order is not None and len(facts_in_order) == len(sheets):
        facts = {meta.name: found for meta, found in zip(sheets, facts_in_order, strict=True)}
    for meta in sheets:
        seen = facts.get(meta.name, SheetFacts())
        answer.begin_sheet(meta.name, meta.visible == calamine.SheetVisibleEnum.Visible)
        try:
            sheet = workbook.get_sheet_by_name(meta.name)
        except calamine.PasswordError as error:
            raise Refused("password") from error
        except calamine.CalamineError as error:
            raise Refused("damaged_sheet", sheet=meta.name) from error
        _send_sheet(sheet, meta.name, limits, answer, seen)
        merged = sheet.merged_cell_ranges or []
        answer.end_sheet(merged=len(merged), hidden_rows=seen.hidden_rows)


def _send_sheet(sheet: Any, name: str, limits: ReadLimits, answer: Answer, seen: SheetFacts) -> None:
    start, end = sheet.start, sheet.end
    faults_by_row: dict[int, list[tuple[int, str]]] = {}
    for (row_number, column), text in seen.cell_faults.items():
        faults_by_row.setdefault(row_number, []).append((column, text))
    number = 0
    if start is not None and end is not None:
        if end[0] + 1 > limits.rows:
            raise Refused("too_many_rows", sheet=name, limit=limits.rows)
        # The parser gives rows from the first of the sheet, but columns from the first filled one.
        left = [None] * start[1]
        for number, row in enumerate(sheet.iter_rows(), start=1):
            cells, special = _typed_row((*left, *row) if left else row, limits, name, number)
            if number in faults_by_row:
                _add_faults(cells, special, faults_by_row.pop(number))
            answer.row(cells, special)
    for row_number in sorted(faults_by_row):
        # Error values below the last filled row, where the parser sees nothing.
        for _ in range(row_number - number - 1):
            answer.row([])
        cells, special = [], []
        _add_faults(cells, special, faults_by_row[row_number])
        answer.row(cells, special)
        number = row_number


def _add_faults(cells: list[Any], special: list[tuple[int, str, str]], faults: list[tuple[int, str]]) -> None:
    for column, text in faults:
        if column < len(cells) and cells[column] is not None:
            continue
        cells.extend([None] * (column + 1 - len(cells)))
        special.append((column, "f" if text == "=" else "e", text))


def _read_office(file: BinaryIO, kind: str, limits: ReadLimits, answer: Answer, opened: Archive) -> None:
    from flask_appadmin.sheets.officexml import SheetScanner, worksheet_parts

    scanners: dict[str, SheetScanner] = {}
    parts = worksheet_parts(opened)

    def scanner_for(name: str) -> SheetScanner | None:
        if name in parts:
            scanners[name] = SheetScanner(limits)
        return scanners.get(name)

    opened.inspect(scanner_for)
    facts: dict[str, SheetFacts] = {}
    area = 0
    for name, scanner in scanners.items():
        seen = facts[parts[name]] = scanner.facts
        if seen.far_cell:
            raise Refused("too_many_columns", sheet=parts[name], cell=seen.far_cell, limit=limits.columns)
        if seen.last_row > limits.rows:
            raise Refused("too_many_rows", sheet=parts[name], limit=limits.rows)
        here = seen.last_row * (seen.last_column + 1)
        if here > limits.cells:
            cell = f"{column_letters(seen.last_column)}{seen.last_row}"
            raise Refused("spread", sheet=parts[name], cell=cell, limit=limits.cells)
        area += here
    if area > limits.cells:
        raise Refused("too_many_cells", limit=limits.cells)
    _read_calamine(file, kind, limits, answer, facts)


def _read_opendocument(limits: ReadLimits, answer: Answer, opened: Archive) -> None:
    from flask_appadmin.sheets import opendocument

    opened.inspect()
    answer.say(workbook={"kind": "ods"})
    name = ""
    number = 0
    for event in opendocument.read_sheets(opened, limits):
        if event[0] == "sheet":
            name = event[1]
            number = 0
            answer.begin_sheet(name, event[2])
        elif event[0] == "sheet_end":
            answer.end_sheet(merged=event[1], hidden_rows=event[2])
        else:
            _, repeat, row, faults = event
            cells, special = _typed_row(row, limits, name, number + 1)
            for column, text in faults.items():
                special.append((column, "e", text))
            for _ in range(repeat) if cells else ():
                answer.row(list(cells), special)
            if not cells:
                answer.row_gap(repeat)
            number += repeat


def _read_delimited(raw: bytes, limits: ReadLimits, answer: Answer, encoding: str, separator: str) -> dict[str, Any]:
    from flask_appadmin.sheets import delimited

    text_format, text = delimited.read_text(raw, limits, encoding, separator)
    answer.say(workbook={"kind": "csv", "text": delimited.facts(text_format)})
    answer.begin_sheet("", True)
    lengths: dict[int, int] = {}
    first_of_length: dict[int, int] = {}
    suspects: list[int] = []
    for number, row in enumerate(delimited.rows(text, text_format, limits), start=1):
        if row:
            lengths[len(row)] = lengths.get(len(row), 0) + 1
            first_of_length.setdefault(len(row), number)
        cells: list[Any] = [cell or None for cell in row]
        while cells and cells[-1] is None:
            cells.pop()
        if len(suspects) < 100:
            for cell in cells:
                if cell and "\n" in cell and delimited.is_quote_suspect(cell, text_format):
                    suspects.append(number)
        answer.row(cells)
    answer.end_sheet(merged=0, hidden_rows=0)
    # JSON has no numbers as keys.
    return {
        "row_lengths": [[length, count, first_of_length[length]] for length, count in sorted(lengths.items())],
        "quote_suspects": suspects,
    }


def read(file: BinaryIO, limits: ReadLimits, answer: Answer, *, encoding: str = "", separator: str = "") -> None:
    """Reads a file of any kind and answers with its sheets. Raises `Refused`."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size > limits.file_bytes:
        raise Refused("too_large", size=size, limit=limits.file_bytes)
    head = file.read(file_kinds.HEAD_BYTES)
    kind = file_kinds.kind_of(head)
    end: dict[str, Any] = {}
    if kind == "zip":
        from flask_appadmin.sheets.archive import Archive

        opened = Archive(file, limits)
        kind = file_kinds.kind_of_archive(opened)
        if kind == "ods":
            _read_opendocument(limits, answer, opened)
        elif kind in ("xlsx", "xlsm"):
            _read_office(file, kind, limits, answer, opened)
        else:
            raise Refused("not_a_table", kind=kind)
    elif kind == "ole":
        file.seek(0)
        raw = file.read()
        kind = file_kinds.kind_of_compound(raw)
        if kind == "password" or (kind == "xls" and file_kinds.is_encrypted_xls(raw)):
            raise Refused("password")
        if kind == "damaged_compound":
            raise Refused("damaged")
        if kind != "xls":
            raise Refused("not_a_table", kind=kind)
        from flask_appadmin.sheets import binarysheet

        _read_calamine(file, kind, limits, answer, {}, binarysheet.error_values(raw))
    elif kind == "text":
        file.seek(0)
        end = _read_delimited(file.read(), limits, answer, encoding, separator)
    elif kind == "empty":
        raise Refused("empty")
    else:
        raise Refused("not_a_table", kind=kind)
    answer.say(end=end)


#: The modules that read; behind the fence no further file can be opened.
_NEEDS = (
    "python_calamine",
    "flask_appadmin.sheets.archive",
    "flask_appadmin.sheets.binarysheet",
    "flask_appadmin.sheets.delimited",
    "flask_appadmin.sheets.officexml",
    "flask_appadmin.sheets.opendocument",
)


def _load() -> None:
    for module in _NEEDS:
        importlib.import_module(module)
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)


@contextlib.contextmanager
def _refusals(answer: Answer) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        answer.say(refused=refused.code, parts=refused.parts)
    except MemoryError:
        answer.say(refused="memory", parts={})
    except RecursionError:
        answer.say(refused="damaged", parts={})
    except BrokenPipeError:
        # Nobody listens any more.
        os._exit(0)
    except Exception as error:
        # A fault of ours. Its kind and place go to the log; what stood in the file does not.
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace is not None else ""
        answer.say(refused="failed", parts={"fault": type(error).__name__, "place": place})


def _read_one(request: dict[str, Any]) -> None:
    """Reads the file on standard input into standard output."""
    limits = ReadLimits(**request["limits"])
    with open(0, "rb", closefd=False) as file, open(1, "w", encoding="utf-8", closefd=False) as stream:
        answer = Answer(stream, limits)
        with _refusals(answer):
            fence(limits)
            read(file, limits, answer, encoding=request["encoding"], separator=request["separator"])


#: A nursery that nobody asks for so long ends.
_IDLE_SECONDS = 600


def serve() -> None:
    """The nursery: forks a reader for each request that comes over the socket on standard input (see nursery.py)."""
    import gc
    import select
    import signal
    import socket

    _load()
    # What is there stays, and readers share it; they end before cycles could matter.
    gc.collect()
    gc.freeze()
    gc.disable()
    woken, wakes = os.pipe()
    for end in (woken, wakes):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(woken, select.POLLIN)
    control = socket.socket(fileno=0)
    readers: dict[int, int] = {}
    while True:
        events = poll.poll(None if readers else _IDLE_SECONDS * 1000)
        if not events:
            return
        for place, _event in events:
            if place == woken:
                os.read(woken, 4096)
            elif place == 0:
                request, files, _flags, _address = socket.recv_fds(control, 1 << 16, 3)
                if not request or len(files) != 3:
                    # The server process has ended.
                    return
                pid = os.fork()
                if not pid:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    _become_reader(request, files)
                for file in files[:2]:
                    os.close(file)
                readers[pid] = files[2]
                with contextlib.suppress(OSError):
                    os.write(files[2], b"begun")
                poll.register(files[2], 0)
            else:
                # Nobody wants the answer any more.
                poll.unregister(place)
                for pid in [pid for pid, line in readers.items() if line == place]:
                    os.kill(pid, signal.SIGKILL)
        while readers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            line = readers.pop(pid)
            with contextlib.suppress(KeyError):
                poll.unregister(line)
            with contextlib.suppress(OSError):
                os.write(line, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(line)


def _become_reader(request: bytes, files: list[int]) -> None:
    """What a fork does; it never comes back."""
    try:
        os.dup2(files[0], 0)
        os.dup2(files[1], 1)
        os.closerange(3, 1024)
        _read_one(json.loads(request))
    except BaseException:
        os._exit(1)
    os._exit(0)

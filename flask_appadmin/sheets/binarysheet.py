"""Error values in the older binary workbooks (xls), which the parser gives as empty cells.

Found by the shape of their records in the bytes of the file, without following its allocation table: a record that is
torn between two sectors is missed. Sheets are told apart by the beginnings of their streams.
Shape: sheet index in the order of the file -> `SheetFacts`. Imported by the reading child: standard library only.
Source: [MS-XLS] 2.4.24 (BoolErr), 2.4.127 (Formula), 2.5.10 (error codes).
"""

from __future__ import annotations

import re

from flask_appadmin.sheets.limits import Refused
from flask_appadmin.sheets.officexml import MAX_CELL_FAULTS, SheetFacts

_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_SHEET_START = re.compile(rb"\x09\x08\x10\x00\x00\x06\x10\x00")
#: A cell that holds an error: row, column, format, code, and the mark that it is no truth value.
_ERROR_CELL = re.compile(rb"\x05\x02\x08\x00(..)(..)..([\x00\x07\x0f\x17\x1d\x24\x2a])\x01", re.DOTALL)
#: A formula whose last result is an error.
_ERROR_FORMULA = re.compile(
    rb"\x06\x00.[\x00-\x20](..)(..)..\x02\x00([\x00\x07\x0f\x17\x1d\x24\x2a])\x00\x00\x00\xff\xff", re.DOTALL
)


def error_values(raw: bytes) -> list[SheetFacts]:
    """The error values of each worksheet of an xls file, in the order of its sheets. Raises `Refused`."""
    starts = [found.start() for found in _SHEET_START.finditer(raw)]
    facts = [SheetFacts() for _ in starts]
    count = 0
    for pattern in (_ERROR_CELL, _ERROR_FORMULA):
        for found in pattern.finditer(raw):
            sheet = sum(1 for start in starts if start < found.start()) - 1
            if sheet < 0:
                continue
            row = int.from_bytes(found[1], "little") + 1
            column = int.from_bytes(found[2], "little")
            if column > 255:
                continue
            count += 1
            if count > MAX_CELL_FAULTS:
                raise Refused("too_many_cell_faults", limit=MAX_CELL_FAULTS)
            facts[sheet].cell_faults[row, column] = _ERRORS[found[3][0]]
    return facts

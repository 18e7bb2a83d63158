"""How large a file may be, and the fault a reader raises when it is not what it should be.

Imported by the reading child, so it needs little of the standard library (`dataclasses` alone would cost a sixth of its
start).
Units: bytes, rows, columns, characters, seconds. Source: spec trust F1, F2; 1,048,576 rows and 32,767 characters are
limits of the format itself (Excel specification).
"""

from __future__ import annotations

from typing import Any, NamedTuple

#: Rows of a worksheet, by the format.
MAX_ROWS = 1_048_576
#: Characters of a cell, by the format.
MAX_CELL_CHARACTERS = 32_767


class ReadLimits(NamedTuple):
    """What one file may cost. The sizes are counted while inflating; what a file says about itself is not trusted."""

    #: The file as it was uploaded.
    file_bytes: int = 50_000_000
    #: All its parts together, inflated.
    inflated_bytes: int = 512 * 1024 * 1024
    #: How often larger one part may become when inflated; small parts are free.
    ratio: int = 200
    #: Files inside the archive.
    parts: int = 2_000
    rows: int = MAX_ROWS
    columns: int = 400
    #: Filled and empty cells of the whole workbook, from A1 to the last filled one of each sheet.
    cells: int = 20_000_000
    cell_characters: int = MAX_CELL_CHARACTERS
    sheets: int = 200
    #: Address space of the child beyond what the bare interpreter needs.
    memory_bytes: int = 1024 * 1024 * 1024
    cpu_seconds: int = 60
    #: Waiting for the child; time the reader of the rows spends on them does not count.
    wall_seconds: float = 120.0


class Refused(Exception):
    """A file or something in it is refused. `code` names the reason, `parts` what the sentence needs (JSON values)."""

    def __init__(self, code: str, **parts: Any) -> None:
        super().__init__(code, parts)
        self.code = code
        self.parts = parts


def column_letters(index: int) -> str:
    """The letters over a column: 0 is A, 25 is Z, 26 is AA.

    >>> column_letters(0), column_letters(27), column_letters(16383)
    ('A', 'AB', 'XFD')
    """
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """The index of a column by its letters: A is 0.

    >>> column_index("A"), column_index("ab"), column_index("XFD")
    (0, 27, 16383)
    """
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1

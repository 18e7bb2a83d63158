"""What a column of a written table is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: The kinds of a column. "any" writes each value by its own type; it is for files that are not ours.
KINDS = ("text", "code", "integer", "decimal", "date", "datetime", "bool", "choice", "any")


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

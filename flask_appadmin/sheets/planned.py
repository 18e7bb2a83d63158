"""A row of a file on its way to becoming rows of a plan (`ImportRow`).

Shape: the values it names, what was found, and its parts: the children of a known record that it changes, or what it
removes. A row is taken over as a whole or not at all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask_appadmin.sheets.sessions import SheetExport
from flask_appadmin.specs import ModelSpec

#: So many rows are planned at a time.
CHUNK = 500


class Planned:
    """A row on its way to becoming an ImportRow."""

    __slots__ = (
        "blanks",
        "cells",
        "children",
        "cleared",
        "doubtful",
        "duplicate",
        "export",
        "findings",
        "information",
        "invalid",
        "key",
        "marks",
        "number",
        "owner",
        "parts",
        "plan",
        "state",
        "suspects",
        "title",
        "values",
        "version",
    )  # fmt: skip

    def __init__(self, number: int) -> None:
        self.number = number
        self.state = ""
        self.key: int | None = None
        self.title = ""
        self.values: dict[str, Any] = {}
        self.children: list[tuple[str, dict[str, Any]]] = []
        self.plan: dict[str, Any] = {}
        self.findings: list[list[str]] = []
        #: The export this row comes from and the record's version then, for the three-way comparison.
        self.export: SheetExport | None = None
        self.version = 0
        #: What stands in the column of the owner; for children of a new record the place of its row.
        self.owner: Any = None
        #: Cells that cannot be read, unless they stand there just as they left: field -> (heading, cell, sentence).
        self.doubtful: dict[str, tuple[str, Any, str]] = {}
        #: Cells that are for information: field -> (heading, cell).
        self.information: dict[str, tuple[str, Any]] = {}
        #: Cells that look damaged: field -> (column, cell, suspicion).
        self.suspects: dict[str, tuple[Any, Any, Any]] = {}
        self.cells: list[Any] = []
        #: Fields whose value stands for a blank cell; new records keep their default there.
        self.blanks: set[str] = set()
        self.duplicate = False
        self.cleared = 0
        #: Cells that the import has a default for, should the record be new: target -> (heading, cell, sentence).
        self.invalid: dict[str, tuple[str, Any, str]] = {}
        #: What is to go: (heading, cell, table).
        self.marks: list[tuple[str, Any, str]] = []
        #: What else becomes of this row: children of a known record, or what it removes.
        self.parts: list[tuple[ModelSpec, Planned]] = []

    def find(self, heading: str, value: Any, sentence: str, weight: str = "warn") -> None:
        self.findings.append([heading, "" if value is None else str(value)[:120], sentence, weight])

    def refuse(self, heading: str, value: Any, sentence: str) -> None:
        self.find(heading, value, sentence, "bad")
        self.state = "error"


@dataclass(frozen=True, slots=True)
class Named:
    """A cell that names a child of a record by the number it has there; which record that is, is found out later."""

    heading: str
    cell: Any


def batches(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    source = iter(rows)
    while part := list(itertools.islice(source, size)):
        yield part


def as_text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()

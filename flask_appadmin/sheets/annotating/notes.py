"""What is written into a workbook: states, comments and colours of its sheets, a list of problems, a sheet of facts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class SheetMarks:
    """What is written into one sheet."""

    name: str
    header_row: int
    #: The column of states, and its heading.
    status_column: int
    heading: str
    #: The state of rows that `states` does not name.
    usual: str = ""
    #: Row -> the state in words.
    states: dict[int, str] = field(default_factory=dict)
    #: (row, column) -> what is wrong there.
    comments: dict[tuple[int, int], str] = field(default_factory=dict)
    #: (row, column) -> "bad" or "warn".
    colours: dict[tuple[int, int], str] = field(default_factory=dict)


@dataclass
class Line:
    """One row of the list of problems: where its link leads, and its cells behind the link."""

    sheet: str
    row: int
    column: int
    cells: list[str]


@dataclass
class Summary:
    """The sheet in front: title, sentences, headings, one line per problem."""

    name: str
    title: str
    sentences: list[str]
    headings: list[str]
    lines: list[Line]
    widths: list[int]
    #: The sheet of this kind that an earlier call wrote, "" for none.
    replaces: str = ""


@dataclass
class Facts:
    """A sheet that the program does not even offer to show: pairs of name and value."""

    name: str
    rows: list[tuple[str, str]]
    replaces: str = ""

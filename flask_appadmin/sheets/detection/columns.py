"""How the values of a column are written: counted first, then told as a hint with its evidence."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flask_appadmin.sheets.detection.evidence import Evidence
from flask_appadmin.sheets.detection.notation import kind_of_text
from flask_appadmin.sheets.limits import column_letters

_EXAMPLES = 3


@dataclass
class ColumnHint:
    """How one column is written."""

    index: int
    heading: str
    filled: int = 0
    #: Cells by their type in the file.
    texts: int = 0
    numbers: int = 0
    dates: int = 0
    booleans: int = 0
    #: "dmy", "mdy", "ymd", "ambiguous", "mixed", or "" where texts are no dates.
    date_order: str = ""
    #: What another column of the file suggests where the order is ambiguous: "dmy", "mdy" or "".
    date_suggestion: str = ""
    #: "comma", "point", "ambiguous", "mixed", or "" where texts are no decimals.
    decimals: str = ""
    leading_zeros: int = 0
    #: How many digits the whole numbers of the column have where they are codes of one length, 0 for no such length.
    zero_length: int = 0
    longest: int = 0
    examples: list[str] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    @property
    def letters(self) -> str:
        return column_letters(self.index)

    @property
    def questions(self) -> list[Evidence]:
        return [evidence for evidence in self.evidence if evidence.weight == "question"]


class ColumnCounts:
    """Counts of one column; kinds of texts are the letters of `kind_of_text`."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.lengths: Counter[int] = Counter()
        self.zero_lengths: set[int] = set()
        self.examples: dict[str, str] = {}
        self.first_values: list[str] = []
        self.numbers = 0
        self.rounded = 0
        self.dates = 0
        self.booleans = 0
        self.longest = 0

    def add(self, cells: Iterable[Any]) -> None:
        """Takes the cells of many rows at once; most columns repeat their values, so each is looked at once."""
        for cell, count in Counter(cells).items():
            if cell is None:
                continue
            kind = type(cell)
            if kind is str:
                code = kind_of_text(cell)
                self.kinds[code] += count
                if code not in self.examples:
                    self.examples[code] = cell
                if code == "i":
                    self.lengths[len(cell)] += count
                elif code == "z":
                    self.zero_lengths.add(len(cell))
                if len(cell) > self.longest:
                    self.longest = len(cell)
            elif kind is bool:
                self.booleans += count
            elif kind is int or kind is float:
                self.numbers += count
                if 0 < cell < 1e15:
                    self.lengths[len(str(int(cell)))] += count
                if abs(cell) >= 1e15:
                    self.rounded += count
                    self.examples.setdefault("rounded", str(cell))
            else:
                self.dates += count
            if len(self.first_values) < _EXAMPLES:
                self.first_values.append(example_of(cell))

    def hint(self, index: int, heading: str) -> ColumnHint:
        kinds = self.kinds
        texts = kinds.total()
        hint = ColumnHint(
            index,
            heading,
            filled=texts + self.numbers + self.dates + self.booleans,
            texts=texts,
            numbers=self.numbers,
            dates=self.dates,
            booleans=self.booleans,
            leading_zeros=kinds["z"],
            zero_length=self._code_length(),
            longest=self.longest,
            examples=list(self.first_values),
        )
        self._date_hints(hint)
        self._decimal_hints(hint)
        if kinds["z"]:
            self._say(hint, "leading_zeros", "z")
        # Codes that a spreadsheet program took for numbers, beside those it could not.
        if self.numbers and texts * 50 >= self.numbers and (kinds["t"] + kinds["i"] + kinds["z"]) == texts:
            hint.evidence.append(Evidence("numbers_and_texts", {"numbers": self.numbers, "texts": texts}, "warning"))
        if self.rounded:
            parts = {"count": self.rounded, "example": self.examples["rounded"]}
            hint.evidence.append(Evidence("rounded_numbers", parts, "warning"))
        return hint

    def _code_length(self) -> int:
        if self.zero_lengths:
            return min(self.zero_lengths) if len(self.zero_lengths) == 1 else 0
        lengths = self.lengths
        # Codes of five digits that lost their zeros have four; a column of four digits only says nothing.
        return 5 if lengths[4] and lengths[5] * 10 >= lengths[4] and lengths[4] + lengths[5] == lengths.total() else 0

    def _say(self, hint: ColumnHint, code: str, kind: str, weight: str = "info") -> None:
        parts = {"count": self.kinds[kind], "example": example_of(self.examples.get(kind, ""))}
        hint.evidence.append(Evidence(code, parts, weight))

    def _date_hints(self, hint: ColumnHint) -> None:
        kinds = self.kinds
        if (kinds["D"] + kinds["M"] + kinds["S"] + kinds["Y"]) * 2 < hint.texts or not hint.texts:
            return
        if kinds["D"] and kinds["M"]:
            hint.date_order = "mixed"
            parts = {"example": self.examples["D"], "other": self.examples["M"]}
            hint.evidence.append(Evidence("date_mixed", parts, "question"))
        elif kinds["D"]:
            hint.date_order = "dmy"
            self._say(hint, "date_dmy", "D")
        elif kinds["M"]:
            hint.date_order = "mdy"
            self._say(hint, "date_mdy", "M")
        elif kinds["S"]:
            hint.date_order = "ambiguous"
            self._say(hint, "date_ambiguous", "S", "question")
        elif kinds["Y"]:
            hint.date_order = "ymd"
            self._say(hint, "date_ymd", "Y")

    def _decimal_hints(self, hint: ColumnHint) -> None:
        kinds = self.kinds
        decimals = kinds[","] + kinds["."] + kinds["?"]
        if not decimals or (decimals + kinds["i"]) * 2 < hint.texts:
            return
        if kinds[","] and kinds["."]:
            hint.decimals = "mixed"
            parts = {"example": self.examples[","], "other": self.examples["."]}
            hint.evidence.append(Evidence("decimal_mixed", parts, "question"))
        elif kinds[","]:
            hint.decimals = "comma"
            self._say(hint, "decimal_comma", ",")
        elif kinds["."]:
            hint.decimals = "point"
            self._say(hint, "decimal_point", ".")
        else:
            hint.decimals = "ambiguous"
            self._say(hint, "decimal_ambiguous", "?", "question")


def example_of(cell: Any) -> str:
    """A cell in one line of at most 40 characters, to be shown as an example."""
    if isinstance(cell, datetime.datetime):
        return f"{cell:%d.%m.%Y %H:%M}"
    if isinstance(cell, datetime.date):
        return f"{cell:%d.%m.%Y}"
    text = str(cell).replace("\n", " ")
    return text if len(text) <= 40 else text[:39] + "…"


def suggest_date_order(columns: list[ColumnHint]) -> None:
    """An ambiguous column is not decided by another one, but the operator is told what that one says."""
    decided = [column for column in columns if column.date_order in ("dmy", "mdy")]
    orders = {column.date_order for column in decided}
    if len(orders) != 1:
        return
    for column in columns:
        if column.date_order == "ambiguous":
            column.date_suggestion = decided[0].date_order
            parts = {"heading": decided[0].heading or decided[0].letters, "order": decided[0].date_order}
            column.evidence.append(Evidence("date_hint_elsewhere", parts))

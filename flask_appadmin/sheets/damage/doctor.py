"""The rows of one sheet while they are planned: their cells, and whether rows or columns came apart."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from flask_appadmin.errors import SheetError
from flask_appadmin.i18n import format_date, format_number, gettext
from flask_appadmin.sheets.damage.damages import LOST, Damage, Damages, Suspicion
from flask_appadmin.sheets.damage.suspecting import look
from flask_appadmin.sheets.damage.traces import HARD_BLANKS
from flask_appadmin.sheets.detection.columns import ColumnHint
from flask_appadmin.sheets.planned import as_text
from flask_appadmin.specs import FieldSpec

_REMEMBERED = 2_000
#: So many rows of a foreign sheet are compared with each other to find those that were pasted twice.
_COMPARED_ROWS = 200_000
#: So many moved cells of a column are looked at to find out whether it was sorted apart.
_MOVED_CELLS = 50_000


class DamagedSheet(SheetError):
    """A sheet of which no row can be trusted. `cause` is "half_sorted" or "swapped_keys"."""

    def __init__(self, cause: str, sheet: str, headings: list[str], rows: int) -> None:
        super().__init__(cause, sheet)
        self.cause, self.sheet, self.headings, self.rows = cause, sheet, headings, rows

    def sentence(self) -> str:
        parts = {"sheet": self.sheet, "rows": format_number(self.rows)}
        if self.cause == "swapped_keys":
            return gettext(
                "Im Blatt „%(sheet)s“ sind die Zeilenschlüssel vertauscht: In %(rows)s Zeilen stehen die Werte anderer "
                "Zeilen. Es wurde nichts übernommen. Bitte neu exportieren oder das Sortieren zurücknehmen.",
                **parts,
            )
        return gettext(
            "Das Blatt „%(sheet)s“ ist nur halb sortiert: In %(rows)s Zeilen gehören die Werte von %(columns)s zu "
            "anderen Zeilen. Es wurde nichts übernommen. Bitte das Sortieren zurücknehmen und immer alle Spalten "
            "zusammen sortieren.",
            columns=", ".join(f"„{heading}“" for heading in self.headings[:4])
            + (" …" if len(self.headings) > 4 else ""),
            **parts,
        )


class _Moved:
    """Whether the changed cells of a column are the values of other rows."""

    __slots__ = ("_by_base", "cells", "left", "pairs")

    def __init__(self) -> None:
        self.cells: Counter[int] = Counter()
        self.left: Counter[int] = Counter()
        self._by_base: dict[int, set[int]] = {}
        #: Row -> (value, base) as hashes.
        self.pairs: dict[int, tuple[int, int]] = {}

    def add(self, row: int, value: Any, base: Any) -> None:
        if len(self.pairs) < _MOVED_CELLS:
            pair = hash(str(value)), hash(str(base))
            self.cells[pair[0]] += 1
            self.left[pair[1]] += 1
            self.pairs[row] = pair

    @property
    def moved(self) -> int:
        """Cells whose value another changed row of the column had."""
        return (self.cells & self.left).total()

    def rows_that_had(self, value: int) -> set[int]:
        """The changed rows whose cell was this before."""
        if not self._by_base:
            for row, (_value, base) in self.pairs.items():
                self._by_base.setdefault(base, set()).add(row)
        return self._by_base.get(value, set())

    @property
    def kinds(self) -> int:
        return len(self.cells.keys() & self.left.keys())

    def is_sorted_apart(self) -> bool:
        return self.kinds >= 3 and self.moved >= 0.7 * len(self.pairs)


class SheetDoctor:
    """Looks at the rows of one sheet.

    `columns` are the reader's columns (index, heading, item), `repairs` what was chosen about damages by their keys.
    """

    def __init__(
        self, found: Damages, sheet: str, hints: Sequence[ColumnHint], headings: Sequence[str], repairs: dict[str, str]
    ) -> None:
        self.found = found
        self.sheet = sheet
        self.headings = headings
        self.repairs = repairs
        self._hints = {hint.index: hint for hint in hints}
        self._no_hint = ColumnHint(-1, "")
        self._known: dict[int, dict[tuple[Any, Any], Suspicion | None]] = {}
        self._moved: dict[str, _Moved] = {}
        self._names: dict[str, str] = {}
        self._rows: dict[int, int] = {}

    def choice(self, cause: str, index: int = -1) -> str:
        """ "repair", "keep" or "" for a damage about which nobody chose yet."""
        return self.repairs.get(f"{self.sheet}|{index}|{cause}", "")

    def look(self, index: int, cell: Any, item: FieldSpec) -> Suspicion | None:
        """The suspicion about a cell; asked once for each different cell of a column."""
        known = self._known.setdefault(index, {})
        place = (cell.__class__, cell)
        try:
            return known[place]
        except KeyError:
            pass
        if len(known) >= _REMEMBERED:
            known.clear()
        known[place] = answer = look(cell, item, self._hints.get(index, self._no_hint))
        return answer

    def note(
        self, cause: str, index: int, row: int, cell: Any, repaired: Any = LOST, weight: str = "ask", count: int = 1
    ) -> Damage:
        heading = self.headings[index] if 0 <= index < len(self.headings) else ""
        hint = self._hints.get(index)
        return self.found.add(
            cause, self.sheet, index, heading, row=row, found=cell, repaired=repaired, weight=weight, hint=hint,
            count=count,
        )  # fmt: skip

    def note_blanks(self, number: int, row: Sequence[Any], cells: Sequence[Any], indexes: Iterable[int]) -> None:
        """Notes blanks around values: nobody has to answer, since a field never keeps them."""
        width = min(len(row), len(cells))
        for index in indexes:
            if index < width and cells[index] is not row[index] and type(row[index]) is str:
                raw = row[index]
                text = raw.strip()
                if text != raw and text:
                    cause = "invisible" if HARD_BLANKS.search(raw) else "blanks"
                    self.note(cause, index, number, raw.replace("\u00a0", "␣").replace(" ", "␣"), text, "note")

    def is_pasted_twice(self, number: int, cells: Sequence[Any]) -> int:
        """The row that the same cells stand in before, 0 for none."""
        if len(self._rows) >= _COMPARED_ROWS or len(cells) - cells.count(None) - cells.count("") < 3:
            return 0
        first = self._rows.setdefault(hash(tuple(cells)), number)
        return 0 if first == number else first

    def note_moved(self, name: str, heading: str, row: int, value: Any, base: Any) -> None:
        """Notes a changed cell whose value before is known, to find columns that were sorted apart."""
        self._names[name] = heading
        self._moved.setdefault(name, _Moved()).add(row, value, base)

    def is_shifted(self, pairs: Sequence[tuple[Any, Any, bool]]) -> bool:
        """Whether the cells of a row are those of its neighbours.

        `pairs`: (cell, value it left as, whether values leave as they are), in the order of the columns.
        """
        texts = [(_text(cell), _text(base) if is_plain else "") for cell, base, is_plain in pairs]
        changed = [place for place, (cell, base) in enumerate(texts) if cell and cell != base and pairs[place][2]]
        for step in (1, -1):
            hits = sum(
                1 for place in changed if 0 <= place - step < len(texts) and texts[place][0] == texts[place - step][1]
            )
            if hits >= 3 and hits >= 0.6 * len(changed):
                return True
        return False

    def finish(self, hidden_rows: int, natural: Iterable[str]) -> None:
        """Closes the sheet; raises DamagedSheet where columns were sorted apart or keys exchanged."""
        if hidden_rows:
            self.found.add("hidden_rows", self.sheet, count=hidden_rows, weight="note")
        moved = {name: column for name, column in self._moved.items() if column.kinds >= 2}
        swapped = self._swapped_rows(moved, set(natural))
        if swapped:
            raise DamagedSheet("swapped_keys", self.sheet, [], swapped)
        apart = {name: column for name, column in moved.items() if column.is_sorted_apart()}
        if apart:
            rows = set().union(*(column.pairs for column in apart.values()))
            raise DamagedSheet("half_sorted", self.sheet, [self._names[name] for name in apart], len(rows))

    def _swapped_rows(self, moved: dict[str, _Moved], natural: set[str]) -> int:
        """How many rows hold the whole content of another row: their keys were exchanged."""
        own = [column for name, column in moved.items() if name in natural]
        rows: Counter[int] = Counter()
        changed: Counter[int] = Counter()
        for name, column in self._moved.items():
            for row, (value, _base) in column.pairs.items():
                changed[row] += 1
                rows[row] += name in moved and value in column.left
        whole = [row for row, count in rows.items() if count >= 3 and count >= 0.8 * changed[row]]
        if own:
            # The number that people know a record by stands in another one's row.
            numbers = {row for column in own for row, (value, _base) in column.pairs.items() if value in column.left}
            return len(numbers) if len(numbers) >= 2 else 0
        same = sum(_comes_from_one_row(moved, row) for row in whole)
        return same if same >= 2 else 0


def _comes_from_one_row(moved: dict[str, _Moved], row: int) -> bool:
    """Whether all moved cells of a row were those of one other row."""
    others: set[int] | None = None
    for column in moved.values():
        if row in column.pairs:
            found = column.rows_that_had(column.pairs[row][0])
            others = found if others is None else others & found
    return bool(others)


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return format_date(cell) if isinstance(cell, datetime.date) else as_text(cell)

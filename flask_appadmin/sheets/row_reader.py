"""The rows of one sheet become planned rows: their cells are read by the fields to which the columns lead.

Shape: a `RowReader` knows the columns of a sheet and answers for each row a `Planned` with values and findings; which
record it is, is found out by matching.py, what it changes by comparing.py. A cell of several columns for one field is
joined, one that is too long goes on in the field made for that, `<leer>` clears.
Errors: none; what cannot be read is a finding of its row. Source: design.md section 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_appadmin.changes import known_specs
from flask_appadmin.errors import FieldError
from flask_appadmin.i18n import gettext
from flask_appadmin.sheets.corrections import of_sheet
from flask_appadmin.sheets.damage.damages import LOST, Suspicion, shown_cell
from flask_appadmin.sheets.damage.doctor import SheetDoctor
from flask_appadmin.sheets.damage.suspecting import is_home
from flask_appadmin.sheets.deleting import identifying_targets, marked_columns
from flask_appadmin.sheets.exporting import OWNER_NAME
from flask_appadmin.sheets.import_modes import target_of
from flask_appadmin.sheets.mapping import KEY_TARGET, LETTERS_TARGET, OWNER_TARGET, TURNED, find_target, read_cell
from flask_appadmin.sheets.planned import Named, Planned, as_text
from flask_appadmin.sheets.rowkeys import RowDigest, RowKey, check_row_key
from flask_appadmin.sheets.surveying import SurveyedSheet
from flask_appadmin.sheets.taken_rows import TakenRows
from flask_appadmin.sheets.unknown_values import is_closed
from flask_appadmin.sheets.writing.formulas import restore_csv_text
from flask_appadmin.specs import FieldSpec, ModelSpec

if TYPE_CHECKING:
    from flask_appadmin.sheets.planning import Planner

#: Clears a field in every file.
CLEAR_WORDS = ("<leer>", "<empty>")

#: What spreadsheet programs leave behind of a formula that has no result, German and English.
_ERROR_VALUES = frozenset(
    (
        "#BEZUG!", "#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#NV", "#REF!", "#SPILL!", "#VALUE!", "#WERT!",
        "#ZAHL!", "#ÜBERLAUF!",
    )
)  # fmt: skip

#: So many different cells of a column are remembered with their values.
_REMEMBERED = 2_000
MISSING = object()
_PLAIN_TYPES = ("text", "multiline", "integer", "decimal", "date")


@dataclass(slots=True)
class Column:
    """One column that leads to a field."""

    index: int
    heading: str
    entity: ModelSpec
    item: FieldSpec
    #: Whether the file may set it; otherwise it is for information.
    allowed: bool
    #: Several columns lead to this field, or its text may go on in another one.
    joined: bool
    #: Several columns lead to this field: a cell is a part of its value.
    is_part: bool
    #: What the file calls values: folded text -> text that the field understands.
    words: dict[str, str] = field(default_factory=dict)
    #: (type of cell, cell) -> value or FieldError.
    known: dict[tuple[Any, Any], Any] = field(default_factory=dict)
    #: The same for cells about which there is nothing else to say.
    settled: dict[tuple[Any, Any], Any] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether its values leave as they are: no words for codes, no records."""
        return self.item.target is None and self.item.type.name in _PLAIN_TYPES


class RowReader:
    """Turns the rows of one sheet into planned rows."""

    def __init__(self, planner: Planner, sheet: SurveyedSheet, entity: ModelSpec, targets: Sequence[str]) -> None:
        self.planner = planner
        self.spec = planner.spec
        self.entity = entity
        self.names = planner.names
        self.own = sheet.own is not None
        self.restores = self.own and planner.kind == "csv"
        self.blanks = self.own or planner.options.blank == "clear"
        headings = sheet.detection.headings
        self.headings = headings
        self.key_index = targets.index(KEY_TARGET) if KEY_TARGET in targets else -1
        self.owner_index = targets.index(OWNER_TARGET) if OWNER_TARGET in targets else -1
        #: A row that names a child by its number changes what stands in it and nothing else.
        self.spares = entity is not self.spec and planner.options.blank != "clear"
        self.marks: list[tuple[int, str, str]] = []
        if planner.deletes:
            self.marks = [(index, headings[index], table) for index, table in marked_columns(targets, self.spec)]
            targets = identifying_targets(targets, self.spec, planner.options.key)
        self.columns = self._columns(targets)
        self.letters = self._letters(targets)
        self.digest, self.digest_indexes = self._digest(targets)
        self.taken = TakenRows(targets) if planner.taken else None
        hints = sheet.detection.columns
        self.doctor = SheetDoctor(planner.damages, sheet.name, hints, headings, planner.options.repairs)
        self.looked_at = [column.index for column in self.columns if column.allowed]
        self.country_index = next(
            (c.index for c in self.columns if c.item.name == "country" and c.entity is entity), -1
        )
        required = entity.model.import_required if entity is self.spec else ()
        #: Columns that a new record has to fill.
        self.asked = [(each.item, each.heading) for each in self.columns if each.item.name in required]
        self.width = self._width(sheet)
        self.mended = of_sheet(planner.options.corrections, sheet.name[:60])
        self.constants = self._constants() if entity is self.spec and not planner.deletes else []

    def _columns(self, targets: Sequence[str]) -> list[Column]:
        columns = []
        for index, target in enumerate(targets):
            found = find_target(target, self.entity) if target and not target.startswith("#") else None
            if found is None:
                continue
            model, item = found
            heading = self.headings[index] if index < len(self.headings) else str(index + 1)
            allowed = item.name in self.planner.importable(model)
            if not allowed and not self.own:
                continue
            is_part = targets.count(target) > 1
            joined = is_part or bool(item.overflow)
            said = {} if self.own else self.planner.options.values.get(target, {})
            words = {text.casefold(): value for text, value in said.items()}
            columns.append(Column(index, heading, model, item, allowed, joined, is_part, words))
        return columns

    def _width(self, sheet: SurveyedSheet) -> int:
        """How many columns a text file has where some of its rows have more; 0 where none has."""
        told = [found.parts for found in sheet.detection.evidence if found.code == "uneven_rows"]
        longer = [parts["usual"] for parts in told if parts["found"] > parts["usual"] > 1]
        last = max((index for index, heading in enumerate(self.headings, start=1) if heading), default=0)
        return max(longer[0], last, *(column.index + 1 for column in self.columns)) if longer else 0

    def _letters(self, targets: Sequence[str]) -> list[tuple[int, str, dict[str, str]]]:
        """Columns of letters: (index, heading, letter -> field)."""
        allowed = self.planner.importable(self.entity)
        found = []
        for index, target in enumerate(targets):
            if target.startswith(LETTERS_TARGET):
                heading = target.removeprefix(LETTERS_TARGET)
                items = [item for item in self.entity.data_fields if item.letter and item.name in allowed]
                letters = {item.letter[1]: item.name for item in items if item.letter[0] == heading}
                found.append((index, self.headings[index], letters))
        return found

    def _digest(self, targets: Sequence[str]) -> tuple[RowDigest | None, list[int]]:
        """How rows of our own are recognised as untouched: all cells that left, in the order in which they stand."""
        if not self.own or self.key_index < 0 or self.letters:
            return None, []
        indexes = [index for index, target in enumerate(targets) if target and target != KEY_TARGET]
        described = []
        for index in indexes:
            if targets[index] == OWNER_TARGET:
                assert self.entity.owner is not None and self.entity.owner.references is not None
                owner = self.entity.owner.references
                item = (owner.natural_key or owner.title_specs)[0]
                described.append((OWNER_NAME, item.type.sheet_kind))
            else:
                described.append((targets[index], self.entity.field(targets[index]).type.sheet_kind))
        return (RowDigest(described), indexes) if indexes else (None, [])

    def _constants(self) -> list[tuple[FieldSpec, str]]:
        options = self.planner.options
        return [
            (self.entity.field(name), text) for name, text in options.constants.items() if name in self.entity.by_name
        ]

    def clean(self, row: Sequence[Any]) -> list[Any]:
        """The cells without blanks around texts and, in a csv file of our own, without the mark before formulas."""
        if self.restores:
            return [
                (restore_csv_text(cell) if cell[:1] == "'" else cell).strip() if cell and type(cell) is str else cell
                for cell in row
            ]
        return [cell.strip() if cell and type(cell) is str else cell for cell in row]

    def read(self, number: int, row: Sequence[Any], faults: dict[tuple[int, int], str]) -> Planned | None:
        """The row with its values and findings, None for one without any cell."""
        planned = Planned(number)
        cells = planned.cells = self.clean(row)
        if number in self.mended:
            faults = self._mend(planned, cells, faults)
        elif self._has_surplus(planned, cells):
            return planned
        width = len(cells)
        if cells != list(row) and number not in self.mended:
            self.doctor.note_blanks(number, row, cells, self.looked_at)
        if self.key_index >= 0 and self._read_key(planned, cells):
            return planned
        if self.taken is not None and self._is_taken(planned, cells):
            return planned
        if 0 <= self.owner_index < width:
            planned.owner = cells[self.owner_index]
        children: dict[str, dict[str, Any]] = {}
        blanks, entity = self.blanks and (planned.key is not None or not self.spares), self.entity
        for column in self.columns:
            index = column.index
            cell = cells[index] if index < width else None
            values = planned.values if column.entity is entity else children.setdefault(column.entity.name, {})
            if faults and (number, index) in faults:
                self._refuse_fault(planned, column, faults[number, index])
            elif cell is None or cell == "":
                if blanks and column.allowed:
                    self._read_blank(planned, values, column)
            elif not column.allowed:
                planned.information[column.item.name] = (column.heading, cell)
            else:
                value = column.settled.get((cell.__class__, cell), MISSING)
                if value is MISSING:
                    self._read_cell(planned, values, column, cell)
                else:
                    values[column.item.name] = value
        for index, heading, letters in self.letters:
            if index < width and cells[index] not in (None, ""):
                self._read_letters(planned, heading, cells[index], letters)
        planned.marks = [(heading, cells[at], table) for at, heading, table in self.marks if at < width and cells[at]]
        for item, text in self.constants:
            if item.name not in planned.values:
                self._take(planned, planned.values, item, text, str(item.label), is_typed=True)
        planned.children = [(name, values) for name, values in children.items() if is_filled(values)]
        filled = is_filled({name: value for name, value in planned.values.items() if name not in planned.blanks})
        planned.title = entity.title_of(planned.values) if filled else ""
        if not (planned.title or planned.children or planned.marks or planned.state) and planned.key is None:
            if not any(cell not in (None, "") for cell in cells):
                return None
            planned.state = "skipped"
            planned.find("", "", gettext("In den zugeordneten Spalten steht nichts."), "note")
        if not self.own:
            self._look_at_row(planned, cells)
        return planned

    def _has_surplus(self, planned: Planned, cells: list[Any]) -> bool:
        """Refuses a row with more cells than columns: which of them stand at their place, nobody knows."""
        if not 0 < self.width < len(cells) or not any(cell not in (None, "") for cell in cells[self.width :]):
            return False
        words = gettext(
            "Die Zeile hat %(found)s statt %(usual)s Spalten; vermutlich steht in einem Text ein Trennzeichen ohne "
            "Anführungszeichen darum. Bitte berichtigen Sie die Zeile in der Datei.",
            found=len(cells),
            usual=self.width,
        )
        planned.refuse("", next(cell for cell in cells if cell not in (None, "")), words)
        return True

    def _mend(
        self, planned: Planned, cells: list[Any], faults: dict[tuple[int, int], str]
    ) -> dict[tuple[int, int], str]:
        """Puts what the operator typed in the place of cells; answers the faults of the others."""
        allowed = {column.index: column.heading for column in self.columns if column.allowed}
        mended = {at: text for at, text in self.mended[planned.number].items() if at in allowed}
        cells.extend([None] * (1 + max(mended, default=-1) - len(cells)))
        for at, text in mended.items():
            before = "" if cells[at] is None else shown_cell(cells[at])
            before = faults.get((planned.number, at), before)
            words = gettext("von Hand korrigiert; in der Datei steht „%(before)s“.", before=before)
            planned.find(allowed[at], text, words, "note")
            cells[at] = text.strip() or None
        return {place: fault for place, fault in faults.items() if place[0] != planned.number or place[1] not in mended}

    @staticmethod
    def _read_blank(planned: Planned, values: dict[str, Any], column: Column) -> None:
        item = column.item
        if not item.is_turned:
            values.setdefault(item.name, None)
        elif values is planned.values and item.name not in values:
            # Cleared, such a tick says something; that must not make a new record, nor a child of nothing else.
            values[item.name] = item.type.cleared(item)
            planned.blanks.add(item.name)

    def _look_at_row(self, planned: Planned, cells: list[Any]) -> None:
        """Rows of a foreign file that stand there twice, or whose cells stand one column beside their place."""
        first = self.doctor.is_pasted_twice(planned.number, cells)
        if first:
            self.doctor.note("twice", -1, planned.number, first, planned.title)
            choice = self.doctor.choice("twice")
            words = gettext("Die Zeile ist dieselbe wie Zeile %(row)s.", row=first)
            if choice == "repair":
                planned.find("", planned.title, words, "note")
                planned.state = "skipped"
            elif choice != "keep":
                planned.refuse("", planned.title, words)
        faults = {finding[0] for finding in planned.findings if finding[3] == "bad" and finding[0]}
        if len(faults | set(planned.doubtful)) >= 2 and any(self._fits(cells, step) for step in (1, -1)):
            self.doctor.note("shifted", -1, planned.number, planned.title or cells[0])

    def _fits(self, cells: list[Any], step: int) -> bool:
        """Whether the cells can be read when each is taken from the next column."""
        tried = 0
        for column in self.columns:
            index = column.index + step
            cell = cells[index] if 0 <= index < len(cells) else None
            if cell in (None, "") or column.item.within or column.joined:
                continue
            try:
                read_cell(cell, column.item, self.names, is_own=self.own)
            except FieldError:
                return False
            tried += column.item.type.name != "text" or column.item.kind != ""
        return tried >= 2

    def _read_letters(self, planned: Planned, heading: str, cell: Any, letters: dict[str, str]) -> None:
        """„VR“ ticks the fields of V and R and clears the others of the column."""
        text = str(cell).upper()
        if set(text) - set(letters) - set(" ,;"):
            words = gettext(
                "ist hier nicht möglich; erlaubt sind die Buchstaben %(letters)s", letters=", ".join(letters)
            )
            planned.refuse(heading, cell, FieldError(heading, cell, words).found())
            return
        planned.values.update((name, letter in text) for letter, name in letters.items())

    def _read_key(self, planned: Planned, cells: list[Any]) -> bool:
        """Finds out which record the row is; answers whether nobody touched it."""
        text = cells[self.key_index] if self.key_index < len(cells) else None
        if text in (None, ""):
            return False
        key: RowKey | None = check_row_key(str(text), self.entity.name, self.planner.exports)
        if key is None:
            planned.refuse(
                self.headings[self.key_index],
                text,
                gettext(
                    "Der Zeilenschlüssel ist nicht von hier oder wurde verändert. Bitte die Zeile neu exportieren oder "
                    "die Spalte „%(heading)s“ entfernen.",
                    heading=self.headings[self.key_index],
                ),
            )
            return False
        planned.export, planned.key, planned.version = key.export, key.record, key.version
        if self.digest is None:
            return False
        width, indexes = len(cells), self.digest_indexes
        if indexes[-1] == len(indexes) - 1:
            shown = cells[: len(indexes)]
        else:
            shown = [cells[index] if index < width else None for index in indexes]
        content = self.digest.of(shown)
        if content == key.content:
            planned.state = "unchanged"
            return True
        return False

    def _is_taken(self, planned: Planned, cells: list[Any]) -> bool:
        """Whether an earlier import of this file took this very row over; each is meant once."""
        assert self.taken is not None
        text, taken = self.taken.of(cells), self.planner.taken
        if not text or not taken.get(text):
            return False
        taken[text] -= 1
        planned.state, planned.key = "unchanged", None
        return True

    def _refuse_fault(self, planned: Planned, column: Column, fault: str) -> None:
        if not column.allowed:
            return
        self.doctor.note(
            "formula" if fault == "=" else "error_value", column.index, planned.number, fault, weight="note"
        )
        if fault == "=":
            sentence = gettext(
                "Die Formel hat kein gespeichertes Ergebnis. Bitte die Datei im Tabellenprogramm neu speichern."
            )
            planned.refuse(column.heading, "", sentence)
        else:
            planned.refuse(column.heading, fault, _error_value_sentence())

    def _read_cell(self, planned: Planned, values: dict[str, Any], column: Column, cell: Any) -> None:
        item = column.item
        meant = column.words.get(as_text(cell).casefold()) if column.words else None
        if meant is not None:
            cell = meant
        if type(cell) is str:
            if cell[:1] == "<" and cell.casefold() in CLEAR_WORDS:
                values[item.name] = item.type.cleared(item) if item.is_turned else None
                return
            if cell[:1] == "#" and cell.upper() in _ERROR_VALUES:
                self.doctor.note("error_value", column.index, planned.number, cell, weight="note")
                planned.refuse(column.heading, cell, _error_value_sentence())
                return
        suspicion = None if column.is_part else self.doctor.look(column.index, cell, item)
        if suspicion is not None:
            cell = self._suspect(planned, column, cell, suspicion)
        if column.joined:
            if isinstance(values.get(item.name), str) and item.type.name in ("text", "multiline"):
                cell = f"{values[item.name]} {as_text(cell)}"  # two columns for one field: area code and number
            self._take(planned, values, item, cell, column.heading)
            return
        if item.within:
            values[item.name] = Named(column.heading, cell)
            return
        known = column.known
        place = (cell.__class__ if meant is None else None, cell)
        value = known.get(place, MISSING)
        if value is MISSING:
            try:
                value = read_cell(cell, item, self.names, is_own=self.own or meant is not None)
            except FieldError as fault:
                value = fault
            if len(known) >= _REMEMBERED:
                known.clear()
            known[place] = value
        if value.__class__ is FieldError:
            self._doubt(planned, column, cell, value)
            return
        values[item.name] = value
        if suspicion is None and meant is None:
            if len(column.settled) >= _REMEMBERED:
                column.settled.clear()
            column.settled[place] = value

    def _suspect(self, planned: Planned, column: Column, cell: Any, suspicion: Suspicion) -> Any:
        """Keeps in mind that a cell looks damaged; answers the cell that is read: the repaired one if so chosen."""
        cause, repaired, weight = suspicion
        if weight == "note":
            self.doctor.note(cause, column.index, planned.number, cell, repaired, weight)
            return cell
        if cause == "zeros" and column.item.kind == "postal_code" and 0 <= self.country_index < len(planned.cells):
            if not is_home(planned.cells[self.country_index]):
                return cell
        planned.suspects[column.item.name] = (column, cell, suspicion)
        return repaired if repaired is not LOST and self.doctor.choice(cause, column.index) == "repair" else cell

    def _doubt(self, planned: Planned, column: Column, cell: Any, fault: FieldError) -> None:
        target = target_of(self.spec, column.item)
        if not self.own and is_closed(column.item):
            turned = f"{TURNED}{column.item.name}" if column.item.is_turned else column.item.name
            whole = turned if column.entity is self.spec else f"{column.entity.name}.{turned}"
            self.planner.unknown.note(whole, column.heading, as_text(cell), planned.number)
        known = planned.key is not None or column.item.name in planned.suspects
        if target in self.planner.options.defaults and not self.own:
            planned.invalid[target] = (column.heading, cell, fault.found())
        elif known and column.entity is self.entity:
            planned.doubtful[column.item.name] = (column.heading, cell, fault.found())
        else:
            planned.refuse(column.heading, cell, fault.found())

    def _take(
        self,
        planned: Planned,
        values: dict[str, Any],
        item: FieldSpec,
        cell: Any,
        heading: str,
        *,
        is_typed: bool = False,
    ) -> None:
        if item.overflow and isinstance(cell, str) and item.max_length and len(cell) > item.max_length:
            cell = self._spill(planned, values, item, cell, heading)
        if item.within:
            values[item.name] = Named(heading, cell)
            return
        try:
            values[item.name] = read_cell(cell, item, self.names, is_own=self.own or is_typed)
        except FieldError as fault:
            if (planned.key is not None or item.name in planned.suspects) and item.model_name == self.entity.name:
                planned.doubtful[item.name] = (heading, cell, fault.found())
            else:
                planned.refuse(heading, cell, fault.found())

    def _spill(self, planned: Planned, values: dict[str, Any], item: FieldSpec, text: str, heading: str) -> str:
        """A text that is too long goes on in a further field; the operator is told which part stands where."""
        entity = known_specs()[item.model_name]
        rest = entity.field(item.overflow.lstrip("<"))
        most = item.max_length or 0
        if values.get(rest.name) or rest.name not in self.planner.importable(entity):
            return text
        if item.overflow.startswith("<"):
            # „c/o Verwaltung, Hauptstraße 1“: what stands before the comma is no street.
            cut = text.rfind(", ")
            before, after = text[:cut], text[cut + 2 :]
            if cut <= 0 or len(after) > most:
                return text
            planned.find(heading, text, gettext("ist lang; der Anfang steht in „%(field)s“.", field=str(rest.label)))
            self._take(planned, values, rest, before, heading)
            return after
        cut = text.rfind(" ", 0, most + 1)
        if cut <= 0:
            return text
        planned.find(heading, text, gettext("ist lang und geht in „%(field)s“ weiter.", field=str(rest.label)))
        self._take(planned, values, rest, text[cut:].strip(), heading)
        return text[:cut]


def _error_value_sentence() -> str:
    return gettext("ist ein Fehlerwert des Tabellenprogramms. Bitte die Formel berichtigen.")


def is_filled(values: dict[str, Any]) -> bool:
    return any(value not in (None, "") for value in values.values())

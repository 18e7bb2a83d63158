"""What a file would change: its rows are matched with records and compared cell by cell, before anything is written.

Shape: the plan of an ImportRun is one ImportRow per row of the file that would change something or has a finding (rows
that agree with the records are only counted). In a file of our own a row is found by its row key, and each cell is
compared three ways: what it was at export (rebuilt from the history), what it is now, what the file says. In a foreign
file rows are found by a chosen key field, and a blank cell means "no change" unless the operator switches. `<leer>`
always clears. Rows with errors are left out and listed. At the end everything is rehearsed by the gateway, so that
every rule has spoken before it is shown.
Findings: [heading, value, sentence, weight]; weight is "bad" (the row is left out), "warn" or "note".
Row numbers are those of the spreadsheet. Errors: SheetError for the file, findings for everything about a row.
Source: design.md section 6; goals I4 to I13.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import secrets
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask_appadmin.changes import known_specs
from flask_appadmin.database import database, key_condition, transaction
from flask_appadmin.errors import AppAdminError, FaultList, FieldError
from flask_appadmin.history import ChangeRecord
from flask_appadmin.i18n import gettext
from flask_appadmin.merging import current_key, current_keys
from flask_appadmin.rights import Operator, visible
from flask_appadmin.sheets.applying import build_change, rows_of_source
from flask_appadmin.sheets.child_columns import plan_children
from flask_appadmin.sheets.damage import (
    LOST,
    Damages,
    SheetDoctor,
    Suspicion,
    cause_words,
    compare,
    is_home,
    shown_cell,
)
from flask_appadmin.sheets.deleting import identifying_targets, marked_columns, plan_deletions
from flask_appadmin.sheets.exporting import OWNER_NAME, cells_of
from flask_appadmin.sheets.import_modes import names_only_children, read_defaults, take_defaults, target_of
from flask_appadmin.sheets.mapping import (
    KEY_TARGET,
    LETTERS_TARGET,
    OWNER_TARGET,
    find_target,
    importable_fields,
    read_cell,
)
from flask_appadmin.sheets.planned import Named as _Named
from flask_appadmin.sheets.planned import Planned as _Planned
from flask_appadmin.sheets.reading import open_sheets
from flask_appadmin.sheets.rowkeys import RowDigest, RowKey, check_row_key
from flask_appadmin.sheets.sessions import ImportRow, ImportRun, SheetExport
from flask_appadmin.sheets.surveying import ImportOptions, Survey, SurveyedSheet
from flask_appadmin.sheets.writing import restore_csv_text
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: Clears a field in every file.
CLEAR_WORDS = ("<leer>", "<empty>")

#: What spreadsheet programs leave behind of a formula that has no result, German and English.
_ERROR_VALUES = frozenset(
    (
        "#BEZUG!", "#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#NV", "#REF!", "#SPILL!", "#VALUE!", "#WERT!",
        "#ZAHL!", "#ÜBERLAUF!",
    )
)  # fmt: skip

_CHUNK = 500
#: So many different cells of a column are remembered with their values.
_REMEMBERED = 2_000
_MISSING = object()
_PLAIN_TYPES = ("text", "multiline", "integer", "decimal", "date")

#: Row states that stand in the plan's counts.
STATES = ("new", "changed", "unchanged", "conflict", "error", "skipped", "delete")


@dataclass(slots=True)
class _Column:
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
    #: (type of cell, cell) -> value or FieldError.
    known: dict[tuple[Any, Any], Any] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether its values leave as they are: no words for codes, no records."""
        return self.item.target is None and self.item.type.name in _PLAIN_TYPES


class _Reader:
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
        hints = sheet.detection.columns
        self.doctor = SheetDoctor(planner.damages, sheet.name, hints, headings, planner.options.repairs)
        self.looked_at = [column.index for column in self.columns if column.allowed]
        self.country_index = next(
            (c.index for c in self.columns if c.item.name == "country" and c.entity is entity), -1
        )
        required = entity.model.import_required if entity is self.spec else ()
        #: Columns that a new record has to fill.
        self.asked = [(each.item, each.heading) for each in self.columns if each.item.name in required]
        self.constants = self._constants() if entity is self.spec and not planner.deletes else []

    def _columns(self, targets: Sequence[str]) -> list[_Column]:
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
            columns.append(_Column(index, heading, model, item, allowed, joined, is_part))
        return columns

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

    def read(self, number: int, row: Sequence[Any], faults: dict[tuple[int, int], str]) -> _Planned | None:
        """The row with its values and findings, None for one without any cell."""
        planned = _Planned(number)
        cells = planned.cells = self.clean(row)
        width = len(cells)
        if cells != row:
            self.doctor.note_blanks(number, row, cells, self.looked_at)
        if self.key_index >= 0 and self._read_key(planned, cells):
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
                    values.setdefault(column.item.name, None)
            elif not column.allowed:
                planned.information[column.item.name] = (column.heading, cell)
            else:
                self._read_cell(planned, values, column, cell)
        for index, heading, letters in self.letters:
            if index < width and cells[index] not in (None, ""):
                self._read_letters(planned, heading, cells[index], letters)
        planned.marks = [(heading, cells[at], table) for at, heading, table in self.marks if at < width and cells[at]]
        for item, text in self.constants:
            if item.name not in planned.values:
                self._take(planned, planned.values, item, text, str(item.label))
        planned.children = [(name, values) for name, values in children.items() if _is_filled(values)]
        planned.title = entity.title_of(planned.values) if _is_filled(planned.values) else ""
        if not (planned.title or planned.children or planned.marks or planned.state) and planned.key is None:
            if not any(cell not in (None, "") for cell in cells):
                return None
            planned.state = "skipped"
            planned.find("", "", gettext("In den zugeordneten Spalten steht nichts."), "note")
        if not self.own:
            self._look_at_row(planned, cells)
        return planned

    def _look_at_row(self, planned: _Planned, cells: list[Any]) -> None:
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
                read_cell(cell, column.item, self.names)
            except FieldError:
                return False
            tried += column.item.type.name != "text" or column.item.kind != ""
        return tried >= 2

    def _read_letters(self, planned: _Planned, heading: str, cell: Any, letters: dict[str, str]) -> None:
        """„VR“ ticks the fields of V and R and clears the others of the column."""
        text = str(cell).upper()
        if set(text) - set(letters) - set(" ,;"):
            words = gettext(
                "ist hier nicht möglich; erlaubt sind die Buchstaben %(letters)s", letters=", ".join(letters)
            )
            planned.refuse(heading, cell, FieldError(heading, cell, words).found())
            return
        planned.values.update((name, letter in text) for letter, name in letters.items())

    def _read_key(self, planned: _Planned, cells: list[Any]) -> bool:
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

    def _refuse_fault(self, planned: _Planned, column: _Column, fault: str) -> None:
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

    def _read_cell(self, planned: _Planned, values: dict[str, Any], column: _Column, cell: Any) -> None:
        item = column.item
        if type(cell) is str:
            if cell[:1] == "<" and cell.casefold() in CLEAR_WORDS:
                values[item.name] = None
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
                cell = f"{values[item.name]} {_as_text(cell)}"  # two columns for one field: area code and number
            self._take(planned, values, item, cell, column.heading)
            return
        if item.within:
            values[item.name] = _Named(column.heading, cell)
            return
        known = column.known
        place = (cell.__class__, cell)
        value = known.get(place, _MISSING)
        if value is _MISSING:
            try:
                value = read_cell(cell, item, self.names)
            except FieldError as fault:
                value = fault
            if len(known) >= _REMEMBERED:
                known.clear()
            known[place] = value
        if value.__class__ is FieldError:
            self._doubt(planned, column, cell, value)
        else:
            values[item.name] = value

    def _suspect(self, planned: _Planned, column: _Column, cell: Any, suspicion: Suspicion) -> Any:
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

    def _doubt(self, planned: _Planned, column: _Column, cell: Any, fault: FieldError) -> None:
        target = target_of(self.spec, column.item)
        known = planned.key is not None or column.item.name in planned.suspects
        if target in self.planner.options.defaults and not self.own:
            planned.invalid[target] = (column.heading, cell, fault.found())
        elif known and column.entity is self.entity:
            planned.doubtful[column.item.name] = (column.heading, cell, fault.found())
        else:
            planned.refuse(column.heading, cell, fault.found())

    def _take(self, planned: _Planned, values: dict[str, Any], item: FieldSpec, cell: Any, heading: str) -> None:
        if item.overflow and isinstance(cell, str) and item.max_length and len(cell) > item.max_length:
            cell = self._spill(planned, values, item, cell, heading)
        if item.within:
            values[item.name] = _Named(heading, cell)
            return
        try:
            values[item.name] = read_cell(cell, item, self.names)
        except FieldError as fault:
            if (planned.key is not None or item.name in planned.suspects) and item.model_name == self.entity.name:
                planned.doubtful[item.name] = (heading, cell, fault.found())
            else:
                planned.refuse(heading, cell, fault.found())

    def _spill(self, planned: _Planned, values: dict[str, Any], item: FieldSpec, text: str, heading: str) -> str:
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


class Planner:
    """Plans one run: reads the file with the chosen mapping and writes its ImportRows."""

    def __init__(
        self,
        run: ImportRun,
        path: Path,
        spec: ModelSpec,
        operator: Operator,
        options: ImportOptions,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.run = run
        self.path = path
        self.spec = spec
        self.operator = operator
        self.options = options
        self.progress = progress
        self.kind = ""
        self.names = ReferenceCache()
        self.deletes = options.mode == "delete"
        #: Several rows may name the same record where they only say something about its children.
        self.repeats = self.deletes or names_only_children(options, spec)
        self.defaults = read_defaults(options, spec, self.names)
        self.exports: dict[str, SheetExport | None] = {}
        self._importable: dict[str, set[str]] = {}
        #: What was met before -> the number of its row, to find rows that stand twice.
        self._seen: dict[tuple[str, str], dict[Any, int]] = {}
        #: Natural keys of new records as text -> the number of their row, for children of our own files.
        self._new_owners: dict[str, int] = {}
        #: (table, owner) -> its children by number and by title.
        self._named: dict[tuple[str, Any], dict[str, int]] = {}
        #: What a spreadsheet program did to the file.
        self.damages = Damages()
        self._counts = dict.fromkeys(STATES, 0)
        self._done = 0
        self._total = 0

    def importable(self, entity: ModelSpec) -> set[str]:
        """Names of the fields that the file may set."""
        if entity.name not in self._importable:
            self._importable[entity.name] = {item.name for item in importable_fields(entity, self.operator)}
        return self._importable[entity.name]

    def plan(self, survey: Survey) -> dict[str, int]:
        """Writes the rows of the run anew and answers the counts; in case of a fault the run has no rows."""
        self.kind = survey.kind
        self._total = survey.row_count
        forget_rows(self.run)
        try:
            self._plan_sheets(survey)
            self._rehearse()
        except BaseException:
            forget_rows(self.run)
            raise
        counts = self._final_counts()
        export = next((found for found in self.exports.values() if found is not None), None)
        detection: Any = {**self.run.detection, "damages": self.damages.to_json()}
        self.run.detection = detection
        ImportRun.update(counts=counts, plan=secrets.token_hex(8), export=export, detection=detection).where(
            ImportRun.id == self.run.id
        ).execute()
        return counts

    def _plan_sheets(self, survey: Survey) -> None:
        wanted = [sheet for sheet in survey.sheets if sheet.detection.row_count]
        main = next((sheet for sheet in wanted if sheet.entity == self.spec.name), None)
        # One pass does, unless children stand before the records they belong to.
        for _pass in range(2):
            with contextlib.closing(self._sheets()) as sheets:
                for name, found in sheets:
                    sheet = next((entry for entry in wanted if entry.name == name), None)
                    if sheet is None or (main in wanted and sheet is not main):
                        continue
                    self._plan_sheet(sheet, found)
                    wanted.remove(sheet)
                    if not wanted:
                        return

    def _sheets(self) -> Generator[tuple[str, Any], None, None]:
        options = self.options
        with open_sheets(
            self.path, self.run.file_name, encoding=options.encoding, separator=options.separator
        ) as reader:
            for found in reader:
                if found.visible:
                    yield found.name, found

    def _plan_sheet(self, sheet: SurveyedSheet, found: Any) -> None:
        entity = self.spec if sheet.entity == self.spec.name else known_specs()[sheet.entity]
        targets = sheet.own if sheet.own is not None else self.options.targets
        reader = _Reader(self, sheet, entity, targets)
        header_row, faults = sheet.detection.header_row, found.data.cell_faults
        numbered = (entry for entry in enumerate(found, start=1) if entry[0] > header_row and entry[1])
        filled = (reader.read(number, row, faults) for number, row in numbered)
        for planned in _batches((row for row in filled if row is not None), _CHUNK):
            self._match(planned, entity, sheet, reader.doctor)
            if self.deletes:
                plan_deletions(self, planned)
            else:
                self._find_named(planned, entity)
                if sheet.own is None:
                    take_defaults(self, planned, reader.asked)
                self.compare(planned, entity, reader)
                if sheet.own is None:
                    plan_children(self, planned, reader)
            self._store(planned, entity, sheet)
            self._done += len(planned)
            if self.progress is not None:
                self.progress(self._done, self._total)
        reader.doctor.finish(found.data.hidden_rows, [item.name for item in entity.natural_key])

    # --- finding the record ------------------------------------------------------------------------------------------

    def _match(self, planned: list[_Planned], entity: ModelSpec, sheet: SurveyedSheet, doctor: SheetDoctor) -> None:
        key_name = self.options.key if entity is self.spec else ""
        if sheet.own is not None:
            self._match_own(planned, entity, doctor)
            if entity is self.spec and entity.natural_key:
                key_name = entity.natural_key[0].name
        if key_name:
            without = [row for row in planned if row.key is None and row.state == ""]
            self._match_by_key(without, entity, entity.field(key_name))
        for row in planned:
            self._decide(row)
        if entity is self.spec:
            self._note_new_owners(planned, entity)
            self._find_duplicates([row for row in planned if row.state == "new"], entity)

    def _match_own(self, planned: list[_Planned], entity: ModelSpec, doctor: SheetDoctor) -> None:
        present = self._present(entity, [row.key for row in planned if row.key is not None])
        for row in planned:
            if row.key is None:
                continue
            if row.key not in present:
                row.refuse("", row.title, gettext("Der Eintrag wurde inzwischen gelöscht."))
            else:
                self.check_twice(row, entity, row.key, gettext("Zeilenschlüssel"), row.key, doctor=doctor)
        if entity.owner is not None:
            without = [row for row in planned if row.key is None and row.state == ""]
            self._match_owners(without, entity)
            self._match_numbers([row for row in without if row.state == "" and isinstance(row.owner, int)], entity)

    def _present(self, entity: ModelSpec, keys: list[int]) -> set[int]:
        key_field = entity.model._meta.primary_key
        query = entity.model.select(key_field).where(key_condition(key_field, keys))
        condition = visible(self.operator, entity)
        return {row[0] for row in (query if condition is None else query.where(condition)).tuples()}

    def check_twice(
        self,
        row: _Planned,
        entity: ModelSpec,
        key: Any,
        heading: str,
        value: Any,
        among: str = "",
        doctor: SheetDoctor | None = None,
    ) -> None:
        if row.state == "error":
            return
        first = self._seen.setdefault((entity.name, among or heading), {}).setdefault(key, row.number)
        if first != row.number:
            words = gettext("steht schon in Zeile %(row)s. Diese Zeile wird nicht übernommen.", row=first)
            if doctor is not None:
                doctor.note("twice", -1, row.number, first, row.title)
                if doctor.choice("twice") == "repair":
                    row.state = "skipped"
                    row.find(heading, value, words, "note")
                    return
            row.refuse(heading, value, words)

    def is_first(self, entity: ModelSpec, key: Any, number: int, among: str = "") -> bool:
        """Whether no row before has named this."""
        seen = self._seen.setdefault((entity.name, among or gettext("Zeilenschlüssel")), {})
        return bool(seen.setdefault(key, number) == number)

    def _match_by_key(self, rows: list[_Planned], entity: ModelSpec, item: FieldSpec) -> None:
        wanted = {row.values.get(item.name) for row in rows} - {None}
        known: dict[Any, list[int]] = {}
        key_field = entity.model._meta.primary_key
        condition = visible(self.operator, entity)
        for part in _batches(sorted(wanted, key=str), _CHUNK):
            query = entity.model.select(key_field, item.column_field).where(item.column_field.in_(part))
            for key, value in (query if condition is None else query.where(condition)).tuples():
                known.setdefault(value, []).append(key)
        for row in rows:
            value = row.values.get(item.name)
            if value is None:
                continue
            if not self.repeats:
                self.check_twice(row, entity, value, str(item.label), value)
            found = known.get(value, [])
            if len(found) > 1:
                words = gettext("gibt es im Bestand mehrfach; die Zeile ist nicht eindeutig.")
                row.refuse(str(item.label), value, words)
            elif found:
                row.key = found[0]
        self._lead_on([row for row in rows if row.key is not None], entity, item)

    def _lead_on(self, rows: list[_Planned], entity: ModelSpec, item: FieldSpec) -> None:
        """The number of a record that was merged with another one means that other one."""
        further = current_keys(entity, {row.key for row in rows if row.key is not None})
        if not further:
            return
        titles = self.names.titles(entity, set(further.values()))
        for row in rows:
            key = further.get(row.key or 0)
            if key is not None:
                row.key = key
                words = gettext("ist zusammengeführt: die Zeile ändert %(title)s.", title=titles[key])
                row.find(str(item.label), row.values.pop(item.name, ""), words, "note")
            if row.key in titles and not self.repeats:
                self.check_twice(row, entity, row.key, str(item.label), titles[row.key], gettext("Zeilenschlüssel"))

    def _match_owners(self, rows: list[_Planned], entity: ModelSpec) -> None:
        """New rows on a child sheet name their owner by its number; he may be new in the same file."""
        assert entity.owner is not None and entity.owner.references is not None
        owner = entity.owner.references
        item = (owner.natural_key or owner.title_specs)[0]
        for row in rows:
            label = str(item.label)
            if row.owner in (None, ""):
                row.refuse(label, "", gettext("Bitte angeben, wozu die neue Zeile gehört."))
                continue
            text = _as_text(row.owner)
            if text in self._new_owners:
                row.owner = [self._new_owners[text]]
                continue
            try:
                row.owner = current_key(owner, self.names.find(text, entity.owner) or 0)
            except FieldError as fault:
                row.refuse(label, row.owner, fault.found())

    def _match_numbers(self, rows: list[_Planned], entity: ModelSpec) -> None:
        """Rows that give the number which a child has at its owner are that child; an unknown one is a fault.

        A number that people choose themselves (a cost centre) may be new.
        """
        owner = entity.owner
        assert owner is not None
        item = next((found for found in entity.natural_key if found.unique_with == (owner.name,)), None)
        rows = [row for row in rows if item is not None and row.values.get(item.name) is not None]
        if item is None or not rows:
            return
        known: dict[tuple[int, Any], int] = {}
        condition = visible(self.operator, entity)
        for part in _batches(sorted({row.owner for row in rows}), _CHUNK):
            query = entity.model.select(entity.model._meta.primary_key, owner.column_field, item.column_field)
            query = query.where(owner.column_field.in_(part))
            for key, holder, number in (query if condition is None else query.where(condition)).tuples():
                known[holder, number] = key
        for row in rows:
            value = row.values[item.name]
            key = known.get((row.owner, value))
            if key is not None:
                self.check_twice(row, entity, key, str(item.label), value, gettext("Zeilenschlüssel"))
                row.key = key
            elif not item.required:
                words = gettext("ist unter „%(plural)s“ dieses Datensatzes nicht vorhanden", plural=str(entity.plural))
                row.refuse(str(item.label), value, FieldError(item, value, words).found())

    def _find_named(self, planned: list[_Planned], entity: ModelSpec) -> None:
        """Cells that name a child of the row's own record ("2" for its second address) become its key, or a fault."""
        named = [item for item in entity.data_fields if item.within]
        for row in planned:
            for item in named:
                if isinstance(row.values.get(item.name), _Named):
                    self._find_child(row, row.values, item, self._record_of(row, entity, item))
            for name, values in row.children:
                child = known_specs()[name]
                for item in child.data_fields:
                    if item.within and isinstance(values.get(item.name), _Named):
                        own = child.owner is not None and item.within == child.owner.name
                        self._find_child(row, values, item, row.key if own else values.get(item.within))

    def _record_of(self, row: _Planned, entity: ModelSpec, item: FieldSpec) -> Any:
        """The key of the record whose children a cell may name, None where it is not stored yet."""
        if item.within == "id":
            return row.key
        owner = entity.field(item.within)
        found = row.values.get(item.within, row.owner)
        if found is None and row.key is not None:
            query = entity.model.select(owner.column_field).where(entity.model._meta.primary_key == row.key)
            found = query.tuples().scalar()
        return found

    def _find_child(self, row: _Planned, values: dict[str, Any], item: FieldSpec, owner: Any) -> None:
        cell: _Named = values.pop(item.name)
        target = item.references
        wanted = _as_text(cell.cell).casefold()
        place = (target.name, owner)
        if place not in self._named:
            self._named[place] = self._children_by_name(target, owner) if isinstance(owner, int) else {}
        key = self._named[place].get(wanted)
        if key is None:
            sentence = gettext("ist unter „%(plural)s“ dieses Datensatzes nicht vorhanden", plural=str(target.plural))
            row.refuse(cell.heading, cell.cell, sentence)
        else:
            values[item.name] = key

    def _children_by_name(self, target: ModelSpec, owner: int) -> dict[str, int]:
        """Number and title of the children that one record has in a table -> key."""
        assert target.owner is not None
        fields = tuple(dict.fromkeys((*target.natural_key, *target.title_specs)))
        query = target.model.select(target.model._meta.primary_key, *(item.column_field for item in fields))
        found: dict[str, int] = {}
        for row in query.where(target.owner.column_field == owner).tuples():
            known = {item.name: value for item, value in zip(fields, row[1:], strict=True)}
            for text in (target.title_of(known), *(item.format(known[item.name]) for item in target.natural_key)):
                found[text.casefold()] = row[0]
        return found

    def _note_new_owners(self, planned: list[_Planned], entity: ModelSpec) -> None:
        naming = (entity.natural_key or entity.title_specs)[:1]
        for row in planned:
            value = row.values.get(naming[0].name) if naming and row.key is None else None
            if value is not None:
                self._new_owners[str(value)] = row.number

    def _decide(self, row: _Planned) -> None:
        """New or known, and whether the mode lets it in."""
        if row.state:
            return
        mode = self.options.mode
        if mode == "delete":
            return
        if row.key is not None and mode == "new" and row.export is None:
            item = self.spec.field(self.options.key) if self.options.key else None
            words = self.spec.model.unique_messages.get(item.name) if item is not None else None
            value = row.values.get(item.name) if item is not None else row.title
            row.refuse(str(item.label) if item is not None else "", value, str(words or gettext("ist schon vorhanden")))
        elif row.key is None and mode == "replace" and not self.options.insert_missing:
            row.find("", row.title, gettext("ist nicht vorhanden; übernommen werden nur bekannte."), "note")
            row.state = "skipped"
        elif row.key is None:
            row.state = "new"

    def _find_duplicates(self, rows: list[_Planned], entity: ModelSpec) -> None:
        """New rows that look like a record that is there, or like a row before: a hint, not a refusal."""
        names: tuple[str, ...] = getattr(entity.model, "duplicate_fields", ())
        items = [entity.field(name) for name in names]
        wanted: dict[tuple[Any, ...], list[_Planned]] = {}
        for row in rows:
            values = tuple(row.values.get(name) for name in names)
            if values and all(value is not None for value in values):
                wanted.setdefault(values, []).append(row)
        if not wanted:
            return
        known: dict[tuple[Any, ...], int] = {}
        key_field = entity.model._meta.primary_key
        query = entity.model.select(key_field, *(item.column_field for item in items))
        for position, item in enumerate(items):
            query = query.where(item.column_field.in_(sorted({values[position] for values in wanted}, key=str)))
        condition = visible(self.operator, entity)
        for found in (query if condition is None else query.where(condition)).tuples():
            known.setdefault(tuple(found[1:]), found[0])
        titles = self.names.titles(entity, {key for values, key in known.items() if values in wanted})
        seen = self._seen.setdefault((entity.name, "#duplicates"), {})
        labels = ", ".join(str(item.label) for item in items)
        for values, group in wanted.items():
            for row in group:
                first = seen.setdefault(values, row.number)
                if values in known:
                    words = gettext(
                        "vielleicht schon da: %(title)s hat dieselben Angaben (%(fields)s).",
                        title=titles[known[values]],
                        fields=labels,
                    )
                elif first != row.number:
                    words = gettext(
                        "vielleicht doppelt: Zeile %(row)s hat dieselben Angaben (%(fields)s).",
                        row=first,
                        fields=labels,
                    )
                else:
                    continue
                row.duplicate = True
                row.find("", row.title, words)

    # --- comparing ---------------------------------------------------------------------------------------------------

    def compare(self, planned: list[_Planned], entity: ModelSpec, reader: _Reader) -> None:
        known = [row for row in planned if row.key is not None and row.state == ""]
        for row in planned:
            if row.suspects and (row.key is None or row.state != ""):
                for name, (column, cell, (cause, repaired, _weight)) in row.suspects.items():
                    self._settle_damage(row, reader.doctor, column, name, cell, cause, repaired)
        if known:
            self._compare_known(known, entity, reader)
        for row in planned:
            if row.state == "new":
                row.plan = {
                    name: entity.field(name).type.to_json(value, entity.field(name))
                    for name, value in row.values.items()
                    if value is not None
                }
                if row.owner is not None and entity.owner is not None:
                    row.plan[entity.owner.name] = row.owner
                row.doubtful = {}

    def _compare_known(self, known: list[_Planned], entity: ModelSpec, reader: _Reader) -> None:
        own = reader.own
        names = {name for row in known for name in (*row.values, *row.doubtful, *row.information)}
        names |= {item.name for item in entity.title_specs}
        items = [item for item in entity.data_fields if item.name in names]
        current = self._current(entity, items, [row.key for row in known if row.key is not None])
        bases, traced = base_values(entity, known) if own else ({}, set())
        for row in known:
            assert row.key is not None
            found = current.get(row.key)
            if found is None:
                row.refuse("", row.title, gettext("Der Eintrag ist für Sie nicht sichtbar."))
                continue
            version, now = found
            row.title = entity.title_of({**now, **{k: v for k, v in row.values.items() if v is not None}})
            base = bases.get(row.key, {})
            # Changed since the export, and the history does not say what: then every difference is a question.
            # A child that is named by its number left no export to compare with.
            left = own and (row.export is not None or entity.owner is None)
            untraced = left and row.version != version and row.key not in traced
            self._find_damage(row, reader, {**now, **base})
            self._settle_doubts(row, entity, now, base)
            self._note_information(row, entity, now, base)
            if row.state == "":
                row.state = self._compare_row(row, entity, now, base, own, untraced)

    def _find_damage(self, row: _Planned, reader: _Reader, base: dict[str, Any]) -> None:
        """Compares the cells of a known record with the values that left, or that stand there now."""
        doctor, cells = reader.doctor, row.cells
        if not cells:
            return  # a child that stands in columns of its record's row
        columns = [column for column in reader.columns if column.entity is reader.entity and not column.item.within]
        pairs = [
            (cells[column.index] if column.index < len(cells) else None, base.get(column.item.name), column.is_plain)
            for column in columns
        ]
        if doctor.is_shifted(pairs):
            doctor.note("shifted", -1, row.number, row.title)
            if doctor.choice("shifted") != "keep":
                row.refuse("", row.title, gettext("Die Werte der Zeile stehen eine Spalte neben ihrem Platz."))
            return
        for column, (cell, before, is_plain) in zip(columns, pairs, strict=True):
            name = column.item.name
            if cell is None or cell == "" or (name not in row.values and name not in row.doubtful):
                continue
            if name in row.doubtful and _as_text(cell) == str(before):
                continue  # older than its rule, and untouched
            suspect = row.suspects.get(name)
            value = row.values.get(name)
            if name in row.values and value == before:
                if suspect is not None and doctor.choice(suspect[2][0], column.index) == "repair":
                    self._settle_damage(row, doctor, column, name, cell, suspect[2][0], suspect[2][1])
                continue
            cause = ""
            if is_plain and not column.is_part:
                if name in row.values:
                    doctor.note_moved(name, column.heading, row.number, value, before)
                read = value if name in row.values else None
                cause = compare(cell, read, before, column.item)
            if cause:
                self._settle_damage(row, doctor, column, name, cell, cause, before)
                if doctor.choice(cause, column.index) == "repair":
                    # What it was: nothing changes.
                    row.values.pop(name, None)
                    row.doubtful.pop(name, None)
            elif suspect is not None:
                self._settle_damage(row, doctor, column, name, cell, suspect[2][0], suspect[2][1])

    @staticmethod
    def _settle_damage(
        row: _Planned, doctor: SheetDoctor, column: _Column, name: str, cell: Any, cause: str, repaired: Any
    ) -> None:
        """Notes a damaged cell and does what was chosen about it; without a choice the row is an error."""
        doctor.note(cause, column.index, row.number, cell, repaired)
        choice = doctor.choice(cause, column.index)
        fault = row.doubtful.get(name)
        if choice == "repair" and repaired is not LOST:
            words = gettext("repariert: jetzt „%(repaired)s“.", repaired=shown_cell(repaired))
            row.find(column.heading, shown_cell(cell), words, "note")
        elif choice == "keep":
            if fault is not None and row.key is None:
                row.refuse(*fault)
        elif repaired is LOST:
            row.doubtful.pop(name, None)
            words = gettext("steht hier %(words)s; ein sicherer Weg zurück fehlt.", words=cause_words(cause))
            row.refuse(column.heading, shown_cell(cell), words)
        else:
            row.doubtful.pop(name, None)
            words = gettext(
                "steht hier %(words)s. Vorschlag: „%(repaired)s“; bitte in der Vorschau entscheiden.",
                words=cause_words(cause),
                repaired=shown_cell(repaired),
            )
            row.refuse(column.heading, shown_cell(cell), words)

    def _current(
        self, entity: ModelSpec, items: list[FieldSpec], keys: list[int]
    ) -> dict[int, tuple[int, dict[str, Any]]]:
        key_field = entity.model._meta.primary_key
        query = entity.model.select(key_field, entity.model.version, *(item.column_field for item in items))
        query = query.where(key_condition(key_field, keys))
        condition = visible(self.operator, entity)
        names = [item.name for item in items]
        rows = (query if condition is None else query.where(condition)).tuples()
        return {row[0]: (row[1], dict(zip(names, row[2:], strict=True))) for row in rows}

    def _settle_doubts(self, row: _Planned, entity: ModelSpec, now: dict[str, Any], base: dict[str, Any]) -> None:
        """A cell that cannot be read is no fault where it stands just as it left (a value older than its rule)."""
        for name, (heading, cell, sentence) in row.doubtful.items():
            item = entity.field(name)
            values = {base.get(name, now[name]), now[name]} - {None}
            if row.export is not None and _as_text(cell) in {_cell_text(item, value) for value in values}:
                continue
            row.refuse(heading, cell, sentence)

    def _note_information(self, row: _Planned, entity: ModelSpec, now: dict[str, Any], base: dict[str, Any]) -> None:
        """Says of cells that are for information only that what was changed there is not taken over."""
        for name, (heading, cell) in row.information.items():
            item = entity.field(name)
            try:
                value = read_cell(cell, item, self.names)
            except FieldError:
                value = _MISSING
            if value not in (now[name], base.get(name, now[name])):
                words = gettext("Diese Spalte dient nur zur Ansicht; die Änderung wird nicht übernommen.")
                row.find(heading, cell, words, "note")

    def _compare_row(
        self, row: _Planned, entity: ModelSpec, now: dict[str, Any], bases: dict[str, Any], own: bool, untraced: bool
    ) -> str:
        state = "unchanged"
        for name, value in row.values.items():
            current = now[name]
            if value == current:
                continue
            base = bases.get(name, current)
            if own and value == base:
                continue
            item = entity.field(name)
            if isinstance(value, datetime.datetime) and isinstance(current, datetime.datetime):
                # In the hour that the clock repeats a local time means two moments.
                if item.type.to_cell(value, item) == item.type.to_cell(current, item):
                    continue
            if value is None and not item.nullable:
                if item.default is not None:
                    continue
                row.refuse(str(item.label), "", gettext("Dieses Feld kann nicht leer sein."))
                return "error"
            if item.read_only == "once_filled" and current is not None:
                # What others keep their books by: a file that says otherwise is wrong about the whole record (ME-46).
                row.refuse(str(item.label), item.format(value), gettext("kann nicht mehr geändert werden"))
                return "error"
            if item.read_only == "after_first_save":
                row.find(
                    str(item.label),
                    item.format(value),
                    gettext("kann nicht mehr geändert werden; die Zelle wird übergangen."),
                    "note",
                )
                continue
            row.plan[name] = [item.type.to_json(part, item) for part in (base, current, value)]
            row.cleared += value is None
            if own and (base != current or untraced):
                row.plan[name].append("conflict")
                state = "conflict"
            elif state == "unchanged":
                state = "changed"
        return state

    # --- storing and rehearsing --------------------------------------------------------------------------------------

    def _store(self, planned: list[_Planned], entity: ModelSpec, sheet: SurveyedSheet) -> None:
        rows = []
        for row in planned:
            state = row.state or "unchanged"
            if state == "unchanged" and not row.parts:
                self._counts["unchanged"] += 1
            if state != "unchanged" or row.findings:
                rows.append(self._stored(row, entity, sheet))
            if state != "error":
                rows += [self._stored(part, child, sheet) for child, part in row.parts]
        store_rows(rows)

    def _stored(self, row: _Planned, entity: ModelSpec, sheet: SurveyedSheet) -> dict[str, Any]:
        children = {child.name: child for child in entity.children}
        state = row.state or "unchanged"
        new = [
            [
                name,
                {
                    key: children[name].field(key).type.to_json(value, children[name].field(key))
                    for key, value in values.items()
                    if value is not None
                },
            ]
            for name, values in row.children
            if state == "new"
        ]
        return {
            "run": self.run.id,
            "entity": entity.name,
            "sheet": sheet.name[:60],
            "row_number": row.number,
            "state": state,
            "record_id": row.key,
            "title": row.title[:160],
            "plan": row.plan if state != "error" else {},
            "children": new,
            "findings": row.findings,
            "is_duplicate": row.duplicate and state == "new",
            "cleared": row.cleared if state != "error" else 0,
        }

    def _final_counts(self) -> dict[str, int]:
        counts = count_rows(self.run)
        # Those without a finding have no row.
        counts["unchanged"] = self._counts["unchanged"]
        return counts

    def _rehearse(self) -> None:
        """Runs the whole change and takes it back, so that every rule of the models has spoken before it is shown."""
        for _round in range(3):
            self._refuse_orphans()
            change = build_change(self.run, self.spec, everything=True)
            if change.is_empty:
                return
            try:
                change.rehearse(self.operator)
                return
            except FaultList as refused:
                if not note_faults(self.run, refused.faults):
                    raise

    def _refuse_orphans(self) -> None:
        """New children of a new record that is left out go with it."""
        if not self._new_owners:
            return
        run = ImportRow.run == self.run.id
        main = ImportRow.entity == self.spec.name
        new = ImportRow.state == "new"
        kept = {row[0] for row in ImportRow.select(ImportRow.row_number).where(run, main, new).tuples()}
        for row in ImportRow.select().where(run, ~main, new).iterator():
            owner = known_specs()[row.entity].owner
            number = row.plan.get(owner.name) if owner is not None else None
            if isinstance(number, list) and number[0] not in kept:
                words = gettext("gehört zu Zeile %(row)s, die nicht übernommen wird.", row=number[0])
                ImportRow.update(state="error", findings=[*row.findings, ["", "", words, "bad"]]).where(
                    ImportRow.id == row.id
                ).execute()


def note_faults(run: ImportRun, faults: Iterable[AppAdminError]) -> bool:
    """Notes at its row what the rules refused; answers whether any row could be named."""
    by_source: dict[str, list[AppAdminError]] = {}
    for fault in faults:
        by_source.setdefault(getattr(fault, "source", ""), []).append(fault)
    noted = False
    for source, found in by_source.items():
        for position, row in enumerate(rows_of_source(run, source)):
            noted = True
            if position:  # the row is said once, and left out as a whole
                ImportRow.delete().where(ImportRow.id == row.id).execute()
                continue
            findings = list(row.findings)
            for fault in found:
                if isinstance(fault, FieldError):
                    value = "" if fault.value is None else str(fault.value)[:120]
                    findings.append([fault.label, value, fault.found(), "bad"])
                else:
                    findings.append(["", "", str(fault), "bad"])
            ImportRow.update(state="error", findings=findings, is_duplicate=False, cleared=0).where(
                ImportRow.id == row.id
            ).execute()
    return noted


def forget_rows(run: ImportRun) -> None:
    """Removes the rows of a plan."""
    database.connect(reuse_if_open=True)
    ImportRow.delete().where(ImportRow.run == run.id).execute()


def count_rows(run: ImportRun) -> dict[str, int]:
    """The stored rows of a plan by state, with those that may be duplicates and the values that would be cleared."""
    import peewee

    total = peewee.fn.COUNT(ImportRow.id)
    query = ImportRow.select(ImportRow.state, total, peewee.fn.SUM(ImportRow.cleared)).where(ImportRow.run == run.id)
    counts = dict.fromkeys((*STATES, "cleared"), 0)
    for state, count, cleared in query.group_by(ImportRow.state).tuples():
        counts[state] = count
        counts["cleared"] += int(cleared or 0) if state in ("changed", "conflict") else 0
    counts["duplicates"] = (
        ImportRow.select().where(ImportRow.run == run.id, ImportRow.is_duplicate == True).count()  # noqa: E712
    )
    return counts


def store_rows(rows: list[dict[str, Any]]) -> None:
    """Writes planned rows; JSON columns as the model spells them."""
    if not rows:
        return
    fields = [ImportRow._meta.fields[name] for name in rows[0]]
    columns = ", ".join(item.column_name for item in fields)
    marks = ", ".join([database.param] * len(fields))
    values = [[item.db_value(row[item.name]) for item in fields] for row in rows]
    sql = f"INSERT INTO import_row ({columns}, decisions) VALUES ({marks}, '{{}}')"
    with transaction():
        database.cursor().executemany(sql, values)


def _batches(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    source = iter(rows)
    while part := list(itertools.islice(source, size)):
        yield part


def _as_text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def _cell_text(item: FieldSpec, value: Any) -> str:
    return _as_text(cells_of([item], [(value,)])[0][0])


def _is_filled(values: dict[str, Any]) -> bool:
    return any(value not in (None, "") for value in values.values())


def base_values(entity: ModelSpec, rows: Sequence[Any]) -> tuple[dict[int, dict[str, Any]], set[int]]:
    """What changed fields were when the file was made: the old value of the first change after the export.

    Answers them by record, and the records of which the history knows a change since then at all.
    """
    bases: dict[int, dict[str, Any]] = {}
    traced: set[int] = set()
    by_export: dict[int, tuple[SheetExport, list[int]]] = {}
    for row in rows:
        if row.export is not None and row.key is not None:
            by_export.setdefault(row.export.id, (row.export, []))[1].append(row.key)
    for export, keys in by_export.values():
        query = (
            ChangeRecord.select(ChangeRecord.record_id, ChangeRecord.field, ChangeRecord.old_value)
            .where(
                ChangeRecord.id > export.last_change,
                ChangeRecord.entity == entity.name,
                ChangeRecord.action == "update",
                key_condition(ChangeRecord.record_id, keys),
            )
            .order_by(ChangeRecord.id)
            .tuples()
        )
        for key, name, old in query:
            traced.add(key)
            item = entity.by_name.get(name)
            values = bases.setdefault(key, {})
            if item is not None and not item.secret and name not in values:
                values[name] = item.type.from_json(json.loads(old), item)
    return bases, traced


__all__ = [
    "CLEAR_WORDS",
    "STATES",
    "Planner",
    "base_values",
    "count_rows",
    "forget_rows",
    "note_faults",
    "store_rows",
]

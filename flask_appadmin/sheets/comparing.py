"""What a row would change of its record: cell by cell, three ways where the file was ours.

Shape: `Comparison.compare` fills `plan` and `state` of planned rows. A cell is compared with what it was when the file
was made (rebuilt from the history by `base_values`), and with what it is now; what looks like the work of a spreadsheet
program is named by the doctor and done as the operator chose.
Errors: none; findings at the rows. Source: design.md section 6; goals I5, I6, I10.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

from flask_appadmin.database import key_condition
from flask_appadmin.errors import FieldError
from flask_appadmin.history import ChangeRecord
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, visible
from flask_appadmin.sheets.damage.damages import LOST, cause_words, shown_cell
from flask_appadmin.sheets.damage.doctor import SheetDoctor
from flask_appadmin.sheets.damage.known_values import compare
from flask_appadmin.sheets.exporting import cells_of
from flask_appadmin.sheets.mapping import read_cell
from flask_appadmin.sheets.planned import Planned, as_text
from flask_appadmin.sheets.row_reader import MISSING, Column, RowReader
from flask_appadmin.sheets.sessions import SheetExport
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache


class Comparison:
    """Compares the rows of one plan with the records as the operator sees them."""

    def __init__(self, operator: Operator, names: ReferenceCache) -> None:
        self.operator = operator
        self.names = names

    def compare(self, planned: list[Planned], entity: ModelSpec, reader: RowReader) -> None:
        """Says of each row what it would change; rows that are refused already stay as they are."""
        known = [row for row in planned if row.key is not None and row.state == ""]
        for row in planned:
            if row.suspects and (row.key is None or row.state != ""):
                for name, (column, cell, (cause, repaired, _weight)) in row.suspects.items():
                    self._settle_damage(row, reader.doctor, column, name, cell, cause, repaired)
        if known:
            self._compare_known(known, entity, reader)
        for row in planned:
            if row.state == "new":
                _add_remarks(row, entity, row.values)
                given = {name: value for name, value in row.values.items() if value is not None}
                for name in row.blanks & given.keys():
                    del given[name]
                row.plan = entity.to_json(given)
                if row.owner is not None and entity.owner is not None:
                    row.plan[entity.owner.name] = row.owner
                row.doubtful = {}

    def _compare_known(self, known: list[Planned], entity: ModelSpec, reader: RowReader) -> None:
        own = reader.own
        names = {name for row in known for name in (*row.values, *row.doubtful, *row.information)}
        names |= {*entity.model.remark_fields, *(item.name for item in entity.title_specs)}
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
                if row.state == "changed":
                    _add_remarks(row, entity, now | row.values)

    def _find_damage(self, row: Planned, reader: RowReader, base: dict[str, Any]) -> None:
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
            if name in row.doubtful and as_text(cell) == str(before):
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
        row: Planned, doctor: SheetDoctor, column: Column, name: str, cell: Any, cause: str, repaired: Any
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

    def _settle_doubts(self, row: Planned, entity: ModelSpec, now: dict[str, Any], base: dict[str, Any]) -> None:
        """A cell that cannot be read is no fault where it stands just as it left (a value older than its rule)."""
        for name, (heading, cell, sentence) in row.doubtful.items():
            item = entity.field(name)
            values = {base.get(name, now[name]), now[name]} - {None}
            if row.export is not None and as_text(cell) in {_cell_text(item, value) for value in values}:
                continue
            row.refuse(heading, cell, sentence)

    def _note_information(self, row: Planned, entity: ModelSpec, now: dict[str, Any], base: dict[str, Any]) -> None:
        """Says of cells that are for information only that what was changed there is not taken over."""
        for name, (heading, cell) in row.information.items():
            item = entity.field(name)
            try:
                value = read_cell(cell, item, self.names, is_own=True)
            except FieldError:
                value = MISSING
            if value not in (now[name], base.get(name, now[name])):
                words = gettext("Diese Spalte dient nur zur Ansicht; die Änderung wird nicht übernommen.")
                row.find(heading, cell, words, "note")

    def _compare_row(
        self, row: Planned, entity: ModelSpec, now: dict[str, Any], bases: dict[str, Any], own: bool, untraced: bool
    ) -> str:
        state = "unchanged"
        for name, value in row.values.items():
            current, item = now[name], entity.field(name)
            value = item.type.cleared(item) if value is None else value
            if value == current:
                continue
            base = bases.get(name, current)
            if own and value == base:
                continue
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


def _cell_text(item: FieldSpec, value: Any) -> str:
    return as_text(cells_of([item], [(value,)])[0][0])


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


def _add_remarks(row: Planned, entity: ModelSpec, values: dict[str, Any]) -> None:
    """Says what is odd about a row that is taken, where the row brings something of it."""
    wanted = entity.model.remark_fields
    if not any(row.values.get(name) for name in wanted):
        return
    for name, sentence in entity.model.remarks({**dict.fromkeys(wanted), **values}):
        item = entity.field(name)
        row.find(str(item.label), item.format(values.get(name)), sentence, "warn")

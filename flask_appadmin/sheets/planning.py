"""What a file would change: its rows are matched with records and compared cell by cell, then shown, then applied.

Shape: an ImportRun walks through survey (what is in the file), mapping, plan (one ImportRow per row: new, changed,
unchanged, conflict, error, skipped), apply (one ChangeSet). In a file of our own a row is found by its row key and each
cell is compared three ways: what it was at export (rebuilt from the history), what it is now, what the file says. In
a foreign file rows are found by a chosen key field, and a blank cell means "no change" unless the operator switches.
`<leer>` always clears. Rows with errors are left out and listed; all others are written in one transaction.
Row numbers are those of the spreadsheet. Errors: SheetError for the file, findings for everything about a row.
Source: design.md section 6; goals I4 to I13.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flask_appadmin.changes import Applied, ChangeSet, NewRecord, known_specs
from flask_appadmin.database import database, in_transaction, key_condition, transaction
from flask_appadmin.errors import AppAdminError, FaultList, FieldError, SheetError
from flask_appadmin.history import ChangeRecord
from flask_appadmin.i18n import gettext, use_locale
from flask_appadmin.rights import Operator, visible
from flask_appadmin.sheets.detection import Detection, SheetSurvey
from flask_appadmin.sheets.exporting import check_row_key
from flask_appadmin.sheets.mapping import (
    KEY_TARGET,
    OWNER_TARGET,
    find_target,
    guess_targets,
    importable_fields,
    own_targets,
    read_cell,
)
from flask_appadmin.sheets.reading import open_sheets
from flask_appadmin.sheets.sessions import ImportRow, ImportRun, ImportSchema, ImportSchemaField, SheetExport
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: Clears a field in every file.
CLEAR_WORDS = ("<leer>", "<empty>")

_SAMPLES = 200
_CHUNK = 500


@dataclass
class ImportOptions:
    """How a file is to be understood; kept with the session."""

    sheet: str = ""
    header_row: int | None = None
    encoding: str = ""
    separator: str = ""
    #: "both", "new" or "replace".
    mode: str = "both"
    insert_missing: bool = False
    #: Field by which rows find their record, "" for none.
    key: str = ""
    #: "keep" or "clear".
    blank: str = "keep"
    #: Target of each column, by its index.
    targets: list[str] = field(default_factory=list)
    #: Values for every row: field -> text.
    constants: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> ImportOptions:
        return cls(**{name: value for name, value in stored.items() if name in cls.__dataclass_fields__})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class SurveyedSheet:
    """One sheet of the file: what it is, and the targets of its columns."""

    name: str
    entity: str
    detection: Detection
    samples: list[list[Any]]
    #: Targets when the sheet is one of ours, else None.
    own: list[str] | None
    guesses: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class Survey:
    """What is in the file: the sheet that is meant, and in a file of ours those of the children."""

    kind: str
    text: Any
    sheets: list[SurveyedSheet]
    others: list[str]

    @property
    def main(self) -> SurveyedSheet:
        return self.sheets[0]

    @property
    def is_own(self) -> bool:
        return self.main.own is not None


# --- what is in the file ------------------------------------------------------------------------------------------------


def survey_file(path: Path, file_name: str, spec: ModelSpec, operator: Operator, options: ImportOptions) -> Survey:
    """Reads the file once and says what its sheets are; raises SheetError for what is no table."""
    found: list[SurveyedSheet] = []
    names: list[str] = []
    with open_sheets(path, file_name, encoding=options.encoding, separator=options.separator) as reader:
        for sheet in reader:
            if not sheet.visible:
                continue
            names.append(sheet.name)
            survey = SheetSurvey(options.header_row)
            head: list[list[Any]] = []
            for row in sheet:
                survey.add(row)
                if len(head) < _SAMPLES + 60:
                    head.append(list(row))
            detection = survey.finish(sheet.name)
            samples = [row for row in head[detection.header_row :] if row][:_SAMPLES]
            found.append(SurveyedSheet(sheet.name, spec.name, detection, samples, None))
        kind, text = reader.kind, reader.text
    found = [sheet for sheet in found if sheet.detection.row_count or sheet.detection.header_row]
    if not found:
        raise SheetError(gettext("In „%(file)s“ steht keine Tabelle mit Zeilen.", file=file_name))
    return _arranged(found, names, spec, operator, options, kind, text)


def _arranged(
    found: list[SurveyedSheet],
    names: list[str],
    spec: ModelSpec,
    operator: Operator,
    options: ImportOptions,
    kind: str,
    text: Any,
) -> Survey:
    own: list[SurveyedSheet] = []
    for sheet in found:
        for candidate in (spec, *spec.children):
            targets = own_targets(candidate, sheet.detection.headings, operator)
            if targets is not None and _is_sheet_of(sheet, candidate, targets, len(found)):
                sheet.own, sheet.entity = targets, candidate.name
                own.append(sheet)
                break
    if own:
        own.sort(key=lambda sheet: sheet.entity != spec.name)
        return Survey(kind, text, own, [name for name in names if name not in {sheet.name for sheet in own}])
    chosen = next((sheet for sheet in found if sheet.name == options.sheet), None)
    chosen = chosen or max(found, key=lambda sheet: sheet.detection.row_count)
    guesses = guess_targets(spec, chosen.detection.headings, chosen.samples, operator)
    chosen.guesses = [(guess.target, guess.reason, guess.look) for guess in guesses]
    return Survey(kind, text, [chosen], [name for name in names if name != chosen.name])


def _is_sheet_of(sheet: SurveyedSheet, candidate: ModelSpec, targets: list[str], count: int) -> bool:
    """Whether a sheet with row keys is the one of this model: by its name, or by its columns where it stands alone."""
    for locale in ("de", "en"):
        with use_locale(locale):
            if sheet.name == str(candidate.plural)[:31]:
                return True
    is_child = candidate.owner is not None
    filled = sum(1 for target in targets if target)
    return count == 1 and filled >= len(targets) - 1 and (OWNER_TARGET in targets) == is_child


def propose_options(survey: Survey, spec: ModelSpec, options: ImportOptions) -> ImportOptions:
    """Fills mapping and key where the operator said nothing yet."""
    main = survey.main
    if main.own is not None:
        options.targets = main.own
        return options
    if len(options.targets) != len(main.detection.headings):
        options.targets = [target for target, _reason, _look in main.guesses]
    if not options.key:
        names = set(options.targets)
        candidates = [
            *(item.name for item in spec.natural_key),
            *(item.name for item in spec.data_fields if item.unique),
        ]
        if spec.external_key is not None:
            candidates.append(spec.external_key.name)
        options.key = next((name for name in candidates if name in names), "")
    return options


# --- the plan -----------------------------------------------------------------------------------------------------------


@dataclass
class _Planned:
    """A row on its way to becoming an ImportRow."""

    number: int
    state: str = ""
    key: int | None = None
    title: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    children: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    plan: dict[str, Any] = field(default_factory=dict)
    findings: list[list[str]] = field(default_factory=list)
    #: The export this row comes from, for the three-way comparison.
    export: SheetExport | None = None
    owner: Any = None

    def find(self, heading: str, value: Any, sentence: str) -> None:
        self.findings.append([heading, "" if value is None else str(value)[:120], sentence])


class Planner:
    """Plans one run: reads the file again with the chosen mapping and writes its ImportRows."""

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
        self.names = ReferenceCache()
        self.exports: dict[str, SheetExport | None] = {}
        self._importable: dict[str, set[str]] = {}
        #: Owner's natural key as text -> key, for children of our own files; new owners are noted by their row.
        self._seen_keys: dict[Any, int] = {}

    def plan(self, survey: Survey) -> dict[str, int]:
        """Writes the rows of the run anew and answers the counts by state."""
        with use_rows_of(self.run):
            for sheet in survey.sheets:
                entity = self.spec if sheet.entity == self.spec.name else known_specs()[sheet.entity]
                targets = sheet.own if sheet.own is not None else self.options.targets
                self._plan_sheet(sheet, entity, targets)
            self._rehearse()
        return count_states(self.run)

    def _plan_sheet(self, sheet: SurveyedSheet, entity: ModelSpec, targets: Sequence[str]) -> None:
        done = 0
        total = sheet.detection.row_count
        for rows in _batches(self._rows_of(sheet), _CHUNK):
            planned = [self._read_row(number, row, sheet, entity, targets) for number, row in rows]
            self._match(planned, entity, sheet)
            self._compare(planned, entity, sheet.own is not None)
            self._store(planned, entity, sheet)
            done += len(rows)
            if self.progress is not None:
                self.progress(done, total)

    def _rows_of(self, sheet: SurveyedSheet) -> Iterator[tuple[int, Sequence[Any]]]:
        options = self.options
        with open_sheets(
            self.path, self.run.file_name, encoding=options.encoding, separator=options.separator
        ) as reader:
            for found in reader:
                if found.name != sheet.name or not found.visible:
                    continue
                for number, row in enumerate(found, start=1):
                    if number > sheet.detection.header_row and any(cell not in (None, "") for cell in row):
                        yield number, row
                return

    # --- reading a row ----------------------------------------------------------------------------------------------

    def _read_row(
        self, number: int, row: Sequence[Any], sheet: SurveyedSheet, entity: ModelSpec, targets: Sequence[str]
    ) -> _Planned:
        planned = _Planned(number)
        own = sheet.own is not None
        headings = sheet.detection.headings
        allowed = self._allowed(entity)
        children: dict[str, dict[str, Any]] = {}
        for index, target in enumerate(targets):
            cell = row[index] if index < len(row) else None
            if isinstance(cell, str):
                cell = cell.strip()
            heading = headings[index] if index < len(headings) else str(index + 1)
            if not target:
                continue
            if target == KEY_TARGET:
                self._read_key(planned, cell, entity, heading)
            elif target == OWNER_TARGET:
                planned.owner = cell
            else:
                self._read_value(planned, cell, entity, target, heading, own, allowed, children)
        for name, text in self.options.constants.items():
            item = entity.by_name.get(name)
            if item is not None and entity is self.spec and name not in planned.values:
                self._take(planned, planned.values, item, text, str(item.label))
        planned.children = [(name, values) for name, values in children.items() if _is_filled(values)]
        planned.title = _row_title(entity, planned.values)
        return planned

    def _allowed(self, entity: ModelSpec) -> set[str]:
        if entity.name not in self._importable:
            self._importable[entity.name] = {item.name for item in importable_fields(entity, self.operator)}
        return self._importable[entity.name]

    def _read_key(self, planned: _Planned, cell: Any, entity: ModelSpec, heading: str) -> None:
        if cell in (None, ""):
            return
        found = check_row_key(str(cell), entity.name, self.exports)
        if found is None:
            planned.find(heading, cell, gettext("Der Zeilenschlüssel ist nicht von hier oder wurde verändert."))
            return
        planned.export, planned.key, _version = found

    def _read_value(
        self,
        planned: _Planned,
        cell: Any,
        entity: ModelSpec,
        target: str,
        heading: str,
        own: bool,
        allowed: set[str],
        children: dict[str, dict[str, Any]],
    ) -> None:
        found = find_target(target, entity)
        if found is None:
            return
        model, item = found
        if model is entity and item.name not in allowed:
            return  # shown in the file for information; what stands there now does not count
        values = planned.values if model is entity else children.setdefault(model.name, {})
        if cell in (None, ""):
            if own or self.options.blank == "clear":
                values.setdefault(item.name, None)
            return
        if isinstance(cell, str) and cell.casefold() in CLEAR_WORDS:
            values[item.name] = None
            return
        if isinstance(values.get(item.name), str) and item.type.name in ("text", "multiline"):
            cell = f"{values[item.name]} {_as_text(cell)}"  # two columns for one field: area code and number
        self._take(planned, values, item, cell, heading)

    def _take(self, planned: _Planned, values: dict[str, Any], item: FieldSpec, cell: Any, heading: str) -> None:
        if item.overflow and isinstance(cell, str) and item.max_length and len(cell) > item.max_length:
            cell = self._spill(planned, values, item, cell, heading)
        try:
            values[item.name] = read_cell(cell, item, self.names)
        except FieldError as fault:
            planned.find(heading, cell, fault.found())
            planned.state = "error"

    def _spill(self, planned: _Planned, values: dict[str, Any], item: FieldSpec, text: str, heading: str) -> str:
        """A text that is too long goes on in a further field; the operator is told which part stands where."""
        entity = known_specs()[item.model_name]
        rest = entity.field(item.overflow.lstrip("<"))
        most = item.max_length or 0
        if values.get(rest.name):
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

    # --- finding the record ------------------------------------------------------------------------------------------

    def _match(self, planned: list[_Planned], entity: ModelSpec, sheet: SurveyedSheet) -> None:
        if sheet.own is not None:
            keys = [row.key for row in planned if row.key is not None]
            present = self._present(entity, keys)
            for row in planned:
                if row.key is not None and row.key not in present:
                    row.find("", row.title, gettext("Der Eintrag wurde inzwischen gelöscht."))
                    row.state = "error"
                    row.key = None
                self._check_twice(row, row.key, gettext("Zeilenschlüssel"))
            if entity.owner is not None:
                self._match_owners(planned, entity)
        key_name = self.options.key if entity is self.spec else ""
        if sheet.own is not None and entity is self.spec and entity.natural_key:
            key_name = entity.natural_key[0].name
        if key_name:
            self._match_by_key([row for row in planned if row.key is None], entity, entity.field(key_name))
        for row in planned:
            self._decide(row)

    def _present(self, entity: ModelSpec, keys: list[int]) -> set[int]:
        key_field = entity.model._meta.primary_key
        query = entity.model.select(key_field).where(key_condition(key_field, keys))
        condition = visible(self.operator, entity)
        return {row[0] for row in (query if condition is None else query.where(condition)).tuples()}

    def _check_twice(self, row: _Planned, key: Any, heading: str) -> None:
        if key is None or row.state == "error":
            return
        first = self._seen_keys.setdefault((heading, key), row.number)
        if first != row.number:
            row.find(
                heading, key, gettext("steht schon in Zeile %(row)s. Diese Zeile wird nicht übernommen.", row=first)
            )
            row.state = "error"

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
            self._check_twice(row, value, str(item.label))
            found = known.get(value, [])
            if len(found) > 1:
                row.find(str(item.label), value, gettext("gibt es im Bestand mehrfach; die Zeile ist nicht eindeutig."))
                row.state = "error"
            elif found:
                row.key = found[0]

    def _match_owners(self, planned: list[_Planned], entity: ModelSpec) -> None:
        """New rows on a child sheet name their owner by its number."""
        assert entity.owner is not None and entity.owner.references is not None
        owner = entity.owner.references
        item = (owner.natural_key or owner.title_specs)[0]
        for row in planned:
            if row.key is not None:
                continue
            label = str(item.label)
            if row.owner in (None, ""):
                row.find(label, "", gettext("Bitte angeben, wozu die neue Zeile gehört."))
                row.state = "error"
                continue
            try:
                row.owner = self.names.find(_as_text(row.owner), entity.owner)
            except FieldError as fault:
                row.find(label, row.owner, fault.found())
                row.state = "error"

    def _decide(self, row: _Planned) -> None:
        """New or known, and whether the mode lets it in."""
        if row.state == "error":
            return
        mode = self.options.mode
        if row.key is not None and mode == "new" and row.export is None:
            row.find("", row.title, gettext("ist schon vorhanden; übernommen werden nur neue."))
            row.state = "skipped"
        elif row.key is None and mode == "replace" and not self.options.insert_missing:
            row.find("", row.title, gettext("ist nicht vorhanden; übernommen werden nur bekannte."))
            row.state = "skipped"
        elif row.key is None:
            row.state = "new"

    # --- comparing ---------------------------------------------------------------------------------------------------

    def _compare(self, planned: list[_Planned], entity: ModelSpec, own: bool) -> None:
        known = [row for row in planned if row.key is not None and row.state == ""]
        names = {name for row in known for name in row.values}
        items = [item for item in entity.data_fields if item.name in names or item in entity.title_specs]
        current = self._current(entity, items, [row.key for row in known if row.key is not None])
        bases = _base_values(entity, known) if own else {}
        for row in known:
            assert row.key is not None
            now = current.get(row.key)
            if now is None:
                row.state = "error"
                row.find("", row.title, gettext("Der Eintrag ist für Sie nicht sichtbar."))
                continue
            row.title = entity.title_of({**now, **{k: v for k, v in row.values.items() if v is not None}})
            row.state = self._compare_row(row, entity, now, bases.get(row.key, {}), own)
        for row in planned:
            if row.state == "new":
                row.plan = {
                    name: entity.field(name).type.to_json(value, entity.field(name))
                    for name, value in row.values.items()
                    if value is not None
                }
                if row.owner is not None and entity.owner is not None:
                    row.plan[entity.owner.name] = row.owner

    def _current(self, entity: ModelSpec, items: list[FieldSpec], keys: list[int]) -> dict[int, dict[str, Any]]:
        key_field = entity.model._meta.primary_key
        query = entity.model.select(key_field, *(item.column_field for item in items))
        query = query.where(key_condition(key_field, keys))
        condition = visible(self.operator, entity)
        names = [item.name for item in items]
        rows = (query if condition is None else query.where(condition)).tuples()
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}

    def _compare_row(
        self, row: _Planned, entity: ModelSpec, now: dict[str, Any], bases: dict[str, Any], own: bool
    ) -> str:
        state = "unchanged"
        for name, value in row.values.items():
            item = entity.field(name)
            current = now[name]
            base = bases.get(name, current)
            if value == current or (own and value == base):
                continue
            if value is None and not item.nullable:
                if item.default is not None:
                    continue
                row.find(str(item.label), "", gettext("Dieses Feld kann nicht leer sein."))
                return "error"
            if item.read_only == "after_first_save" or (item.read_only == "once_filled" and current is not None):
                row.find(
                    str(item.label),
                    item.format(value),
                    gettext("kann nicht mehr geändert werden; die Zelle wird übergangen."),
                )
                continue
            row.plan[name] = [item.type.to_json(part, item) for part in (base, current, value)]
            if own and base != current:
                state = "conflict"
            elif state == "unchanged":
                state = "changed"
        return state

    # --- storing and rehearsing --------------------------------------------------------------------------------------

    def _store(self, planned: list[_Planned], entity: ModelSpec, sheet: SurveyedSheet) -> None:
        children = {child.name: child for child in entity.children}
        rows = [
            {
                "run": self.run.id,
                "entity": entity.name,
                "sheet": sheet.name[:60],
                "row_number": row.number,
                "state": row.state or "unchanged",
                "record_id": row.key,
                "title": row.title[:160],
                "plan": row.plan,
                "children": [
                    [
                        name,
                        {
                            key: children[name].field(key).type.to_json(value, children[name].field(key))
                            for key, value in values.items()
                            if value is not None
                        },
                    ]
                    for name, values in row.children
                ]
                if row.state == "new"
                else [],
                "findings": row.findings,
            }
            for row in planned
        ]
        store_rows(rows)

    def _rehearse(self) -> None:
        """Runs the whole change and takes it back, so that every rule of the models has spoken before it is shown."""
        for _round in range(3):
            change = build_change(self.run, self.spec)
            if change.is_empty:
                return
            try:
                change.rehearse(self.operator)
                return
            except FaultList as refused:
                if not self._note_faults(refused.faults):
                    raise

    def _note_faults(self, faults: Iterable[AppAdminError]) -> bool:
        """Notes what the rules refused at its row; answers whether any row could be named."""
        noted = False
        by_row: dict[str, list[AppAdminError]] = {}
        for fault in faults:
            by_row.setdefault(getattr(fault, "source", ""), []).append(fault)
        for source, found in by_row.items():
            row = _row_of_source(self.run, source)
            if row is None:
                continue
            noted = True
            findings = list(row.findings)
            for fault in found:
                label = fault.label if isinstance(fault, FieldError) else ""
                value = fault.value if isinstance(fault, FieldError) else ""
                sentence = fault.found() if isinstance(fault, FieldError) else str(fault)
                findings.append([label, "" if value is None else str(value)[:120], sentence])
            ImportRow.update(state="error", findings=findings).where(ImportRow.id == row.id).execute()
        return noted


class use_rows_of:
    """Forgets the rows of an earlier plan, and keeps the new ones only when the planning came to its end."""

    def __init__(self, run: ImportRun) -> None:
        self.run = run

    def __enter__(self) -> None:
        database.connect(reuse_if_open=True)
        ImportRow.delete().where(ImportRow.run == self.run.id).execute()

    def __exit__(self, kind: Any, _fault: Any, _trace: Any) -> None:
        if kind is not None:
            ImportRow.delete().where(ImportRow.run == self.run.id).execute()


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


def _is_filled(values: dict[str, Any]) -> bool:
    return any(value not in (None, "") for value in values.values())


def _row_title(entity: ModelSpec, values: dict[str, Any]) -> str:
    return entity.title_of(values) if _is_filled(values) else ""


def _base_values(entity: ModelSpec, rows: list[_Planned]) -> dict[int, dict[str, Any]]:
    """What changed fields were when the file was made: the old value of the first change after the export."""
    bases: dict[int, dict[str, Any]] = {}
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
            item = entity.by_name.get(name)
            values = bases.setdefault(key, {})
            if item is not None and not item.secret and name not in values:
                values[name] = item.type.from_json(json.loads(old), item)
    return bases


# --- the change set -----------------------------------------------------------------------------------------------------


def source_of(row: ImportRow) -> str:
    """Where in the file: the words that stand in the history."""
    return gettext("%(sheet)s Zeile %(row)s", sheet=row.sheet, row=row.row_number).strip()[:80]


def _row_of_source(run: ImportRun, source: str) -> ImportRow | None:
    number = source.rsplit(" ", 1)[-1]
    if not number.isdigit():
        return None
    rows = ImportRow.select().where(ImportRow.run == run.id, ImportRow.row_number == int(number))
    return next((row for row in rows if source_of(row) == source), None)


def build_change(run: ImportRun, spec: ModelSpec, reason: str = "") -> ChangeSet:
    """The change set of everything in the plan that may be applied."""
    title = gettext("Import „%(file)s“", file=run.file_name)[:250]
    change = ChangeSet("import", source=run.file_name, title=title, reason=reason)
    specs = {spec.name: spec, **{child.name: child for child in spec.children}}
    query = ImportRow.select().where(ImportRow.run == run.id, ImportRow.state.in_(("new", "changed", "conflict")))
    for row in query.order_by(ImportRow.id).iterator():
        entity = specs[row.entity]
        source = source_of(row)
        if row.state == "new":
            record = change.create(entity, _typed(entity, row.plan), source=source)
            for name, values in row.children:
                _add_child(change, specs[name], values, record, source)
            continue
        values, base = _chosen(entity, row)
        change.update(entity, row.record_id, values, base=base, source=source)
    return change


def _add_child(change: ChangeSet, child: ModelSpec, values: dict[str, Any], owner: NewRecord, source: str) -> None:
    assert child.owner is not None
    change.create(child, {**_typed(child, values), child.owner.name: owner}, source=source)


def _typed(entity: ModelSpec, values: dict[str, Any]) -> dict[str, Any]:
    return {name: entity.field(name).type.from_json(value, entity.field(name)) for name, value in values.items()}


def _chosen(entity: ModelSpec, row: ImportRow) -> tuple[dict[str, Any], dict[str, Any]]:
    """The new values of a row, without conflicts that were not decided for the file; and what they replace."""
    values, base = {}, {}
    for name, (was, now, new) in row.plan.items():
        item = entity.field(name)
        if was != now and row.decisions.get(name) != "mine":
            continue
        values[name] = item.type.from_json(new, item)
        base[name] = item.type.from_json(now, item)
    return values, base


def count_states(run: ImportRun) -> dict[str, int]:
    """Rows of the run by state."""
    import peewee

    query = ImportRow.select(ImportRow.state, peewee.fn.COUNT(ImportRow.id)).where(ImportRow.run == run.id)
    counts = dict.fromkeys(("new", "changed", "unchanged", "conflict", "error", "skipped"), 0)
    counts.update(dict(query.group_by(ImportRow.state).tuples()))
    return counts


def cells_to_write(run: ImportRun) -> int:
    """How many cells of known records would change."""
    rows = ImportRow.select(ImportRow.plan, ImportRow.decisions, ImportRow.state).where(
        ImportRow.run == run.id, ImportRow.state.in_(("changed", "conflict"))
    )
    count = 0
    for row in rows.iterator():
        count += sum(
            1 for name, (was, now, _new) in row.plan.items() if was == now or row.decisions.get(name) == "mine"
        )
    return count


def apply_run(run: ImportRun, spec: ModelSpec, operator: Operator, reason: str = "") -> Applied:
    """Writes the plan in one transaction together with the mark that it is done; twice does nothing."""

    def work() -> Applied:
        taken = ImportRun.update(state="applying").where(
            ImportRun.id == run.id, ImportRun.state.in_(("preview", "applying"))
        )
        if not taken.execute():
            raise AppAdminError(gettext("Dieser Import ist schon abgeschlossen."))
        applied = build_change(run, spec, reason).apply(operator)
        counts = {**count_states(run), "applied": applied.count}
        ImportRun.update(state="done", change_set=applied.change_set, counts=counts).where(
            ImportRun.id == run.id
        ).execute()
        return applied

    result: Applied = in_transaction(work)
    return result


# --- saved mappings -----------------------------------------------------------------------------------------------------


def save_schema(name: str, spec: ModelSpec, options: ImportOptions, found: Sequence[str], operator: Operator) -> None:
    """Keeps the mapping under a name; the same name replaces what was kept."""
    change = ChangeSet("form", title=gettext("Importschema %(name)s", name=name))
    old = ImportSchema.get_or_none(ImportSchema.name == name)
    values = {
        "name": name,
        "entity": spec.name,
        "import_mode": options.mode,
        "key_field": options.key or None,
        "insert_missing": options.insert_missing,
        "blank_clears": options.blank == "clear",
    }
    record: Any
    if old is None:
        record = change.create(ImportSchema, values)
    else:
        record = old.id
        change.update(ImportSchema, old.id, values)
        for entry in ImportSchemaField.select().where(ImportSchemaField.import_schema == old.id):
            change.delete(ImportSchemaField, entry.id)
    for heading, target in zip(found, options.targets, strict=False):
        if target and heading:
            values = {"import_schema": record, "source_column": heading[:120], "target": target}
            change.create(ImportSchemaField, values)
    change.apply(operator)


def use_schema(name: str, found: Sequence[str], options: ImportOptions) -> ImportOptions:
    """The options with a saved mapping put on these headings; AppAdminError for an unknown name."""
    schema = ImportSchema.get_or_none(ImportSchema.name == name)
    if schema is None:
        raise AppAdminError(gettext("Das Importschema „%(name)s“ gibt es nicht.", name=name))
    query = ImportSchemaField.select().where(ImportSchemaField.import_schema == schema.id)
    targets = {entry.source_column: entry.target for entry in query}
    options.targets = [targets.get(heading[:120], "") for heading in found]
    options.mode = schema.import_mode
    options.key = schema.key_field or ""
    options.insert_missing = schema.insert_missing
    options.blank = "clear" if schema.blank_clears else "keep"
    return options

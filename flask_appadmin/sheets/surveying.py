"""What is in a file before anything is compared: which sheets are meant, what their columns are, how it was read.

Shape: `survey_file` answers a Survey: in a file of our own one sheet per table that came home, otherwise the one sheet
that is meant with a guess per column. A Survey is stored with its import (`to_json`), so that the file is surveyed
once. `ImportOptions` is what the operator says about the file. Row numbers are those of the spreadsheet.
Errors: SheetError for what is no table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flask_appadmin.errors import FieldError, SheetError
from flask_appadmin.i18n import gettext, use_locale
from flask_appadmin.rights import Operator, visible
from flask_appadmin.sheets.delete_targets import delete_targets, guess_marks
from flask_appadmin.sheets.detection.headings import normal_heading
from flask_appadmin.sheets.detection.remarks import sheet_evidence, text_evidence
from flask_appadmin.sheets.detection.sheet import Detection, SheetSurvey, detection_from_json
from flask_appadmin.sheets.exporting import ROW_KEY
from flask_appadmin.sheets.mapping import KEY_TARGET, find_target, guess_targets, own_targets, read_cell
from flask_appadmin.sheets.reading import Spool, Workbook, open_sheets
from flask_appadmin.sheets.rowkeys import check_row_key
from flask_appadmin.sheets.sessions import SheetExport
from flask_appadmin.sheets.taken_rows import FACTS_NAME, is_list_of_problems, taken_digests
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

_SAMPLES = 200
#: Rows in which the headings of a file of our own are looked for.
_HEAD = 260
#: Rows in which the headings of a list of problems that we wrote are looked for.
_HEAD_OF_PROBLEMS = 12


@dataclass
class ImportOptions:
    """How a file is to be understood; kept with the session."""

    sheet: str = ""
    header_row: int | None = None
    encoding: str = ""
    separator: str = ""
    #: "both", "new", "replace" or "delete".
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
    #: What was chosen about damages, by their keys: "repair" or "keep".
    repairs: dict[str, str] = field(default_factory=dict)
    #: What new records get where the file says nothing or nothing valid: target -> text.
    defaults: dict[str, str] = field(default_factory=dict)
    #: What the file calls values: target -> text in the file -> text that the field understands.
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    #: What the operator typed in place of a cell: "<sheet>|<row>|<column index>" -> text.
    corrections: dict[str, str] = field(default_factory=dict)
    #: New rows that are a record which is there: "<sheet>|<row>" -> its key.
    matches: dict[str, int] = field(default_factory=dict)
    #: Name of the saved mapping it was read with, "" for none.
    schema: str = ""
    #: Tells the content of a file from the inbox, so that it is not taken over twice; "" for others.
    digest: str = ""

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
    #: Targets when the sheet is one of ours, else None.
    own: list[str] | None = None
    #: (target, reason, look) for each column of a foreign sheet.
    guesses: list[tuple[str, str, str]] = field(default_factory=list)
    #: The first rows below the headings; not kept with the session.
    samples: list[list[Any]] = field(default_factory=list)


@dataclass
class Survey:
    """What is in the file: the sheet that is meant, and in a file of ours those of the children."""

    kind: str
    encoding: str
    separator: str
    sheets: list[SurveyedSheet]
    #: Names of the other sheets.
    others: list[str] = field(default_factory=list)
    #: Key field -> how many of the first rows are known by it, of how many.
    known: dict[str, tuple[int, int]] = field(default_factory=dict)
    #: Digest -> rows of that content that an earlier import of this file took over (taken_rows.py).
    taken: dict[str, int] = field(default_factory=dict)

    @property
    def main(self) -> SurveyedSheet:
        return self.sheets[0]

    @property
    def is_own(self) -> bool:
        return self.main.own is not None

    @property
    def row_count(self) -> int:
        return sum(sheet.detection.row_count for sheet in self.sheets)

    def to_json(self) -> dict[str, Any]:
        sheets = [
            {
                "name": sheet.name,
                "entity": sheet.entity,
                "detection": sheet.detection.to_json(),
                "own": sheet.own,
                "guesses": [list(guess) for guess in sheet.guesses],
            }
            for sheet in self.sheets
        ]
        known = {name: list(pair) for name, pair in self.known.items()}
        return {
            "kind": self.kind,
            "encoding": self.encoding,
            "separator": self.separator,
            "sheets": sheets,
            "others": self.others,
            "known": known,
            "taken": self.taken,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Survey:
        sheets = [
            SurveyedSheet(
                sheet["name"],
                sheet["entity"],
                detection_from_json(sheet["detection"]),
                sheet["own"],
                [(target, reason, look) for target, reason, look in sheet["guesses"]],
            )
            for sheet in stored["sheets"]
        ]
        known = {name: (found, tried) for name, (found, tried) in stored["known"].items()}
        taken = stored.get("taken", {})
        return cls(stored["kind"], stored["encoding"], stored["separator"], sheets, stored["others"], known, taken)


def survey_file(
    path: Path,
    file_name: str,
    spec: ModelSpec,
    operator: Operator,
    options: ImportOptions,
    spool: Spool | None = None,
) -> Survey:
    """Reads the file once and says what its sheets are; raises SheetError for what is no table.

    A `spool` keeps what was read for the planner.
    """
    found: list[SurveyedSheet] = []
    names: list[str] = []
    known = _known_headings(spec)
    row_keys = _row_key_headings()
    facts: list[Any] = []
    with open_sheets(path, file_name, encoding=options.encoding, separator=options.separator, spool=spool) as reader:
        for sheet in reader:
            if not sheet.visible:
                if sheet.name.startswith(FACTS_NAME):
                    facts = list(sheet)
                continue
            names.append(sheet.name)
            survey = SheetSurvey(options.header_row, known)
            head: list[list[Any]] = []
            more, is_own = 0, False
            for row in sheet:
                if len(head) < _HEAD:
                    head.append(list(row))
                    is_own = is_own or any(cell in row_keys for cell in row)
                elif is_own:
                    # How our own columns are written we know.
                    more += bool(row)
                    continue
                survey.add(row)
            detection = survey.finish(sheet.name, sheet_evidence(sheet.data))
            detection.row_count += more
            if is_list_of_problems(head[:_HEAD_OF_PROBLEMS]):
                names.remove(sheet.name)
                continue
            samples = [row for row in head[detection.header_row :] if row][:_SAMPLES]
            found.append(SurveyedSheet(sheet.name, spec.name, detection, samples=samples))
        kind, text = reader.kind, reader.text
        lengths = [(length, count, first) for length, count, first in reader.end.get("row_lengths", ())]
        suspects = list(reader.end.get("quote_suspects", ()))
    found = [sheet for sheet in found if sheet.detection.row_count or sheet.detection.header_row]
    if not any(sheet.detection.row_count for sheet in found):
        raise SheetError(gettext("In „%(file)s“ steht keine Tabelle mit Zeilen.", file=file_name))
    result = _arranged(found, names, spec, operator, options, kind)
    if text is not None:
        result.encoding, result.separator = text.encoding, text.separator
        evidence = text_evidence(Workbook(file_name, kind, [], text, lengths, suspects))
        result.main.detection.evidence[:0] = evidence
    result.taken = taken_digests(facts, spec.name)
    if not result.is_own:
        result.known = _count_known(result, spec, operator)
    return result


def _known_headings(spec: ModelSpec) -> set[str]:
    """The headings we have fields for, so that the heading row is found among lines of explanation."""
    found = {normal_heading(heading) for item in spec.data_fields for heading in item.headings()}
    found |= {normal_heading(str(item.opposite)) for item in spec.data_fields if item.opposite}
    for child in spec.children:
        found |= {normal_heading(heading) for item in child.data_fields for heading in item.headings()}
    return found | {normal_heading(heading) for heading in _row_key_headings()}


def _row_key_headings() -> set[str]:
    found = set()
    for locale in ("de", "en"):
        with use_locale(locale):
            found.add(str(ROW_KEY))
    return found


def _arranged(
    found: list[SurveyedSheet],
    names: list[str],
    spec: ModelSpec,
    operator: Operator,
    options: ImportOptions,
    kind: str,
) -> Survey:
    own: list[SurveyedSheet] = []
    exports: dict[str, SheetExport | None] = {}
    for sheet in found if options.mode != "delete" else ():
        candidate = _own_table(sheet, spec, operator, exports)
        if candidate is not None:
            sheet.own, sheet.entity = own_targets(candidate, sheet.detection.headings, operator), candidate.name
            own.append(sheet)
    if own:
        own.sort(key=lambda sheet: sheet.entity != spec.name)
        taken = {sheet.name for sheet in own}
        return Survey(kind, "", "", own, [name for name in names if name not in taken])
    chosen = next((sheet for sheet in found if sheet.name == options.sheet), None)
    chosen = chosen or max(found, key=lambda sheet: sheet.detection.row_count)
    guesses = guess_targets(spec, chosen.detection.headings, chosen.samples, operator)
    chosen.guesses = [(guess.target, guess.reason, guess.look) for guess in guesses]
    guess_marks(chosen.guesses, chosen.detection.headings, spec, options.mode)
    return Survey(kind, "", "", [chosen], [name for name in names if name != chosen.name])


def _own_table(
    sheet: SurveyedSheet, spec: ModelSpec, operator: Operator, exports: dict[str, SheetExport | None]
) -> ModelSpec | None:
    """The table a sheet with row keys belongs to: the keys say it, or where none is left its name."""
    named = None
    # The name of the sheet is where to look first.
    for candidate in sorted((spec, *spec.children), key=lambda each: not _is_named_like(sheet, each)):
        targets = own_targets(candidate, sheet.detection.headings, operator)
        if targets is None:
            return None
        index = targets.index(KEY_TARGET)
        for row in sheet.samples:
            if index < len(row) and row[index] and check_row_key(str(row[index]), candidate.name, exports):
                return candidate
        named = named or (candidate if _is_named_like(sheet, candidate) else None)
    return named


def _is_named_like(sheet: SurveyedSheet, candidate: ModelSpec) -> bool:
    for locale in ("de", "en"):
        with use_locale(locale):
            if sheet.name == str(candidate.plural)[:31]:
                return True
    return False


# --- rights ---------------------------------------------------------------------------------------------------------

#: Mode -> what it asks for: rights on imports, and verbs on the model.
_MODES = {
    "both": (("import.new", "import.replace"), ("create", "edit")),
    "new": (("import.new",), ("create",)),
    "replace": (("import.replace",), ("edit",)),
    "delete": (("import.delete",), ("edit", "delete")),
}


def rights_of_mode(spec: ModelSpec, mode: str) -> tuple[str, ...]:
    """The rights that a mode needs for this model."""
    rights, verbs = _MODES[mode]
    return (*rights, *(f"{spec.right}.{verb}" for verb in verbs))


def modes_of(operator: Operator, spec: ModelSpec) -> list[str]:
    """The modes that are open to an operator: the usual one of the table, then the widest first."""
    found = [mode for mode in _MODES if all(operator.may(right) for right in rights_of_mode(spec, mode))]
    return sorted(found, key=lambda mode: mode != spec.model.import_mode)


def require_mode(operator: Operator, spec: ModelSpec, mode: str) -> None:
    """Raises NotAllowed for a mode that is not open to the operator."""
    for right in rights_of_mode(spec, mode):
        operator.require(right)


# --- mapping and key ------------------------------------------------------------------------------------------------


def key_fields(spec: ModelSpec) -> tuple[FieldSpec, ...]:
    """The fields by which rows may find their record: what people call it by, what occurs once, foreign numbers."""
    found = [*spec.natural_key, *(item for item in spec.data_fields if item.unique)]
    if spec.external_key is not None:
        found.append(spec.external_key)
    found += [
        item
        for item in spec.data_fields
        if item.column_field.index and item.type.name in ("text", "integer") and item.target is None
    ]
    return tuple(item for item in dict.fromkeys(found) if not item.secret)


def child_keys(spec: ModelSpec) -> dict[str, FieldSpec]:
    """Target -> what a child has that occurs once in its table (the number of a card): it names the owner, too."""
    return {
        f"{child.name}.{item.name}": item
        for child in spec.children
        for item in child.data_fields
        if item.unique and not item.secret and item.target is None
    }


def propose_options(survey: Survey, spec: ModelSpec, options: ImportOptions) -> ImportOptions:
    """Fills mapping and key where the operator said nothing yet."""
    main = survey.main
    if main.own is not None:
        options.targets = main.own
        return options
    if len(options.targets) != len(main.detection.headings):
        options.targets = [target for target, _reason, _look in main.guesses]
    if not options.key:
        certain = [*spec.natural_key, *(item for item in spec.data_fields if item.unique and item.target is None)]
        if spec.external_key is not None:
            certain.append(spec.external_key)
        names = [*(item.name for item in certain), *child_keys(spec)]
        options.key = next((name for name in names if name in options.targets), "")
    return options


def _count_known(survey: Survey, spec: ModelSpec, operator: Operator) -> dict[str, tuple[int, int]]:
    """How many of the first rows would be found by each key that a column is guessed to be."""
    targets = [target for target, _reason, _look in survey.main.guesses]
    names = ReferenceCache()
    condition = visible(operator, spec)
    counts: dict[str, tuple[int, int]] = {}
    for item in key_fields(spec):
        if item.name not in targets:
            continue
        index = targets.index(item.name)
        values = {
            value for value in _readable((row[index : index + 1] for row in survey.main.samples), item, names) if value
        }
        query = spec.model.select(item.column_field).where(item.column_field.in_(sorted(values, key=str)))
        query = query if condition is None else query.where(condition)
        counts[item.name] = (len({row[0] for row in query.tuples()}) if values else 0, len(values))
    return counts


def _readable(cells: Iterable[Sequence[Any]], item: FieldSpec, names: ReferenceCache) -> Iterable[Any]:
    for cell in cells:
        if cell and cell[0] not in (None, ""):
            try:
                yield read_cell(cell[0], item, names)
            except FieldError:
                continue


def target_label(target: str, spec: ModelSpec) -> str:
    """A target as operators read it: the field's label, behind that of its child table."""
    found = find_target(target, spec)
    if found is None:
        return dict(delete_targets(spec)).get(target, target)
    entity, item = found
    return str(item.label) if entity is spec else f"{entity.label}: {item.label}"

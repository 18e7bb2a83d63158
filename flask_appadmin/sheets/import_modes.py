"""What a mode of import asks for before a row is read, and what new records get where the file says nothing.

Shape: modes are "both", "new", "replace" (with insertion of those that are not found) and "delete". `faults_of_mode`
answers everything that is missing, for page and command line alike.
Source: ME-02 to ME-05, ME-11 to ME-17, ME-126.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask_appadmin.errors import AppAdminError, FieldError
from flask_appadmin.i18n import gettext
from flask_appadmin.sheets.delete_targets import DELETE_TARGET, delete_targets, marked_columns
from flask_appadmin.sheets.mapping import find_target, read_cell
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

if TYPE_CHECKING:
    from flask_appadmin.sheets.planned import Planned
    from flask_appadmin.sheets.planning import Planner
    from flask_appadmin.sheets.surveying import ImportOptions

MODES = ("both", "new", "replace", "delete")


def inserts_only_asked(options: ImportOptions) -> bool:
    """Whether new records come in because somebody chose so: mode „Neu“, or „Ersetzen“ with insertion."""
    return options.mode == "new" or (options.mode == "replace" and options.insert_missing)


def faults_of_mode(options: ImportOptions, spec: ModelSpec) -> list[AppAdminError]:
    """Everything that keeps an import in this mode from beginning."""
    faults: list[AppAdminError] = []
    if options.mode not in MODES:
        return [AppAdminError(gettext("Diese Import-Art gibt es nicht."))]
    naming = (spec.natural_key or spec.title_specs)[0]
    if options.mode == "replace" and not options.key:
        words = gettext(
            "Zum Ersetzen braucht es einen Schlüssel: Bitte ordnen Sie „%(field)s“ eine Spalte zu. Es wurde noch keine "
            "Zeile gelesen.",
            field=str(naming.label),
        )
        faults.append(AppAdminError(words))
    marks = marked_columns(options.targets, spec)
    if options.mode == "delete":
        if not options.key or "." in options.key:
            words = gettext("Zum Löschen braucht es eine Spalte mit „%(field)s“.", field=str(naming.label))
            faults.append(AppAdminError(words))
        if not marks:
            labels = "“, „".join(label for _target, label in delete_targets(spec))
            words = gettext("Zum Löschen braucht es mindestens eine der Spalten „%(labels)s“.", labels=labels)
            faults.append(AppAdminError(words))
    elif any(target.startswith(DELETE_TARGET) for target in options.targets):
        words = gettext("Spalten mit Löschmarken gibt es nur mit der Import-Art „Löschen“.")
        faults.append(AppAdminError(words))
    if options.mode != "delete":
        faults += _faults_of_defaults(options, spec)
    return faults


def _faults_of_defaults(options: ImportOptions, spec: ModelSpec) -> list[AppAdminError]:
    faults: list[AppAdminError] = []
    names = ReferenceCache()
    for target in spec.model.import_defaults:
        item = item_of(target, spec)
        text = options.defaults.get(target, "").strip()
        if text:
            try:
                read_cell(text, item, names)
            except FieldError as fault:
                faults.append(fault)
        elif inserts_only_asked(options):
            words = gettext(
                "Bitte angeben: „%(field)s“ für neue Datensätze, in deren Zeile nichts Gültiges steht.",
                field=str(item.label),
            )
            faults.append(AppAdminError(words))
    return faults


def item_of(target: str, spec: ModelSpec) -> FieldSpec:
    """The field behind a target of which it is known that there is one."""
    found = find_target(target, spec)
    assert found is not None
    return found[1]


def target_of(spec: ModelSpec, item: FieldSpec) -> str:
    """The target that leads to a field."""
    return item.name if item.model_name == spec.name else f"{item.model_name}.{item.name}"


def names_only_children(options: ImportOptions, spec: ModelSpec) -> bool:
    """Whether the columns say nothing about the records themselves but which they are."""
    others = [target for target in options.targets if target and target != options.key]
    return bool(options.key and others) and all("." in target for target in others)


def read_defaults(options: ImportOptions, spec: ModelSpec, names: ReferenceCache) -> dict[str, Any]:
    """Target -> value of what new records get; FieldError for a value that cannot be."""
    return {
        target: read_cell(text.strip(), item_of(target, spec), names)
        for target, text in options.defaults.items()
        if text.strip() and target in spec.model.import_defaults
    }


def take_defaults(planner: Planner, rows: Sequence[Planned], asked: Sequence[tuple[FieldSpec, str]]) -> None:
    """Gives new records what the file does not say; says at known ones what was not valid (ME-12, ME-17)."""
    spec = planner.spec
    for row in rows:
        if row.state != "new":
            for heading, cell, sentence in row.invalid.values():
                if row.state in ("", "changed"):
                    row.refuse(heading, cell, sentence)
            continue
        for item, heading in asked if inserts_only_asked(planner.options) else ():
            if row.values.get(item.name) is None:
                row.refuse(heading, "", gettext("Bei neuen Datensätzen ist diese Angabe nötig."))
        for target, value in planner.defaults.items():
            _take_default(planner, row, spec, target, value)


def _take_default(planner: Planner, row: Planned, spec: ModelSpec, target: str, value: Any) -> None:
    item = item_of(target, spec)
    if item.model_name == spec.name:
        values = row.values
    else:
        found = next((values for name, values in row.children if name == item.model_name), None)
        values = found if found is not None else {}
        if found is None:
            row.children.append((item.model_name, values))
    if values.get(item.name) is not None:
        return
    values[item.name] = value
    if target in row.invalid:
        heading, cell, sentence = row.invalid[target]
        words = gettext(
            "%(fault)s – genommen wird „%(value)s“.", fault=sentence, value=planner.options.defaults[target]
        )
        row.find(heading, cell, words)


__all__ = [
    "MODES",
    "faults_of_mode",
    "inserts_only_asked",
    "item_of",
    "names_only_children",
    "read_defaults",
    "take_defaults",
    "target_of",
]

"""The columns that say what a file removes: „Löschen Anschriften Lfd.Nr.“, „Löschen Kategorie“, „Löschen Nummer“.

Shape: a target is "#delete:" and the table: children whose model says by which field a file names them
(`Record.deleted_by`), and the record itself. They exist in the mode "delete" only.
Source: ME-126 to ME-131.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask_appadmin.i18n import gettext
from flask_appadmin.search import fold
from flask_appadmin.sheets.sessions import DELETE_TARGET
from flask_appadmin.specs import ModelSpec

#: Marks of a cell: one value, all of the record's.
ONE, ALL = "*", "***"


def delete_targets(spec: ModelSpec) -> list[tuple[str, str]]:
    """(target, label) of everything a file may remove."""
    found = []
    for child in spec.children:
        if not child.model.deleted_by:
            continue
        item = child.field(child.model.deleted_by)
        if item.type.name == "integer":
            label = gettext("Löschen %(plural)s %(field)s", plural=str(child.plural), field=str(item.label))
        else:
            label = gettext("Löschen %(field)s", field=str(item.label))
        found.append((f"{DELETE_TARGET}{child.name}", label))
    found.append((f"{DELETE_TARGET}{spec.name}", gettext("Löschen Nummer")))
    return found


def marked_columns(targets: Sequence[str], spec: ModelSpec) -> list[tuple[int, str]]:
    """(index, table) of the columns with marks."""
    known = {target for target, _label in delete_targets(spec)}
    return [(index, target.removeprefix(DELETE_TARGET)) for index, target in enumerate(targets) if target in known]


def identifying_targets(targets: Sequence[str], spec: ModelSpec, key: str) -> list[str]:
    """The targets without those that a removal does not read: what stays is how records and children are named."""
    kept = {key, *(f"{child.name}.{child.model.deleted_by}" for child in spec.children if child.model.deleted_by)}
    return [target if target in kept else "" for target in targets]


def guess_marks(guesses: list[tuple[str, str, str]], headings: Sequence[str], spec: ModelSpec, mode: str) -> None:
    """Finds the columns with marks by their headings; in other modes they are left out, with the reason."""
    known = {fold(label): target for target, label in delete_targets(spec)}
    found = {known[fold(heading)] for heading in headings if fold(heading) in known}
    named = {}
    for child in spec.children:
        if f"{DELETE_TARGET}{child.name}" in found:
            item = child.field(child.model.deleted_by)
            words = (*item.headings(), str(item.label))
            named.update({fold(word): f"{child.name}.{item.name}" for word in words})
            named.update({fold(f"{child.label} {word}"): f"{child.name}.{item.name}" for word in words})
    for index, heading in enumerate(headings):
        folded = fold(heading)
        if folded in known and mode == "delete":
            guesses[index] = (known[folded], gettext("wie die Überschrift"), "good")
        elif folded in known:
            guesses[index] = ("", gettext("nur mit der Import-Art „Löschen“"), "warn")
        elif folded in named and mode == "delete":
            guesses[index] = (named[folded], gettext("wie die Überschrift"), "good")


__all__ = [
    "ALL",
    "DELETE_TARGET",
    "ONE",
    "delete_targets",
    "guess_marks",
    "identifying_targets",
    "marked_columns",
]

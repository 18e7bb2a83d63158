"""Which column of a file is which field: guessed from headings and tried on values, so that a wrong guess shows early.

Shape: a target is the text "field" or "child.field", "" for a column that is not taken over; "!field" is the opposite
of a tick („Nicht Aktiv“). Two columns may lead to the same text field: their cells are joined with a blank (area code
and number). A guess that most values of the column refuse is not made, and says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_appadmin.errors import FieldError
from flask_appadmin.i18n import gettext, use_locale
from flask_appadmin.rights import Operator, may_edit
from flask_appadmin.search import fold
from flask_appadmin.sheets.exporting import ROW_KEY, exportable_fields, headings
from flask_appadmin.sheets.unknown_values import is_closed
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: The target of the column that carries the row keys of our own files, and of the owner's number on child sheets.
KEY_TARGET = "#key"
OWNER_TARGET = "#owner"
#: Stands before the name of a tick whose opposite a column brings.
TURNED = "!"
#: Begins the target of a column whose letters tick several fields: "#letters:" and its heading.
LETTERS_TARGET = "#letters:"

#: A guess stands when at most this share of the values tried refuses.
_TOLERATED = 0.2
#: Words that say too little at the end of a longer heading: an e-mail address is no street.
_TOO_GENERAL = frozenset(("adresse", "address"))
#: Below this number of values, or of words for codes, a heading of ours counts more than what stands below it.
_FEW = 20


@dataclass(frozen=True)
class Guess:
    """A proposal for one column: the target, why, and how sure ("good", "warn", "")."""

    target: str
    reason: str
    look: str = ""


def importable_fields(spec: ModelSpec, operator: Operator) -> tuple[FieldSpec, ...]:
    """The fields a file may set: what is exportable and neither read-only nor protected from this operator."""
    return tuple(
        item for item in exportable_fields(spec, operator) if item.read_only is not True and may_edit(operator, item)
    )


def find_target(target: str, spec: ModelSpec) -> tuple[ModelSpec, FieldSpec] | None:
    """The model and field behind a target, None for an unknown one."""
    name, _dot, field_name = target.rpartition(".")
    owner = spec if not name else next((child for child in spec.children if child.name == name), None)
    item = owner.by_name.get(field_name.removeprefix(TURNED)) if owner is not None else None
    if item is not None and field_name.startswith(TURNED):
        item = item.turned
    return (owner, item) if owner is not None and item is not None else None


def own_targets(spec: ModelSpec, found: Sequence[str], operator: Operator) -> list[str] | None:
    """The targets of a sheet of our own, found by its exact headings in either language; None for others."""
    for locale in ("de", "en"):
        with use_locale(locale):
            if str(ROW_KEY) not in found:
                continue
            items = exportable_fields(spec, operator)
            names = dict(zip(headings(items), (item.name for item in items), strict=True))
            for item in items:  # a sheet from before a field got its title by layout
                names.setdefault(str(item.own_label), item.name)
                for alias in item.aliases:
                    names.setdefault(alias, item.name)
            for item in items:
                if item.letter:
                    names.setdefault(item.letter[0], f"{LETTERS_TARGET}{item.letter[0]}")
            names[str(ROW_KEY)] = KEY_TARGET
            if spec.owner is not None and spec.owner.references is not None:
                owner = spec.owner.references
                names[str((owner.natural_key or owner.title_specs)[0].label)] = OWNER_TARGET
            return [names.get(heading, "") for heading in found]
    return None


def guess_targets(
    spec: ModelSpec, found: Sequence[str], samples: Sequence[Sequence[Any]], operator: Operator
) -> list[Guess]:
    """A proposal for each column of a foreign file. `samples` are the first rows below the headings."""
    exact, loose = _known_headings(spec, operator)
    closed = _closed_headings(spec, exact, operator)
    names = ReferenceCache()
    guesses: dict[int, Guess] = {}
    taken: dict[str, int] = {}
    # A heading that only resembles ours takes nothing from one that is ours: "PLZ Postfach" before "Postfach".
    ours = [index for index, heading in enumerate(found) if _exact_targets(heading, exact)]
    for index in dict.fromkeys((*ours, *range(len(found)))):
        heading = found[index]
        values = [row[index] for row in samples if index < len(row) and row[index] not in (None, "")]
        if fold(heading) in closed:
            guesses[index] = Guess("", closed[fold(heading)], "warn")
            continue
        guess = _guess(spec, heading, values, exact, loose, taken, names)
        if guess.target:
            taken[guess.target] = index
        elif any(fold(found[taken[name]]) == fold(heading) for name in _exact_targets(heading, exact) if name in taken):
            guess = Guess("", gettext("Diese Überschrift steht schon über einer anderen Spalte."), "warn")
        guesses[index] = guess
    return [guesses[index] for index in range(len(found))]


def _exact_targets(heading: str, exact: dict[str, list[str]]) -> list[str]:
    """The targets that go by this very heading, with blanks or without: "Postal code" is "PostalCode"."""
    folded = fold(heading)
    return list(dict.fromkeys((*exact.get(folded, ()), *exact.get(_squeezed(folded), ()))))


def _squeezed(folded: str) -> str:
    return folded.replace(" ", "")


def _closed_headings(spec: ModelSpec, open_headings: dict[str, list[str]], operator: Operator) -> dict[str, str]:
    """Headings of fields that no file may set, with the reason."""
    closed = {}
    open_names = {name for names in open_headings.values() for name in names}
    for item in spec.data_fields:
        if item.name in open_names:
            continue
        if item.secret:
            reason = gettext("wird nie aus einer Datei übernommen")
        elif item.read_only is True:
            reason = gettext("nur zur Ansicht")
        elif not may_edit(operator, item):
            reason = gettext("dafür fehlt Ihnen das Recht")
        else:
            continue
        closed.update({fold(heading): reason for heading in item.headings() if fold(heading) not in open_headings})
    return closed


def _known_headings(spec: ModelSpec, operator: Operator) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    exact: dict[str, list[str]] = {}
    loose: list[tuple[str, str]] = []
    for item in importable_fields(spec, operator):
        for heading in item.turned.headings() if item.turned is not None else ():
            exact.setdefault(fold(heading), []).append(f"{TURNED}{item.name}")
        for heading in dict.fromkeys((*item.headings(), str(item.label))):
            folded = fold(heading)
            exact.setdefault(folded, []).append(item.name)
            # Our own number is never guessed from a heading that only sounds like it, nor is one of several names.
            own_words = not item.natural_key and not folded[-1:].isdigit() and folded not in _TOO_GENERAL
            if len(folded) >= 4 and own_words:
                loose.append((folded, item.name))
    for child in spec.children:
        titles = [item for item in child.title_specs if item.type.name == "text"]
        if titles:
            exact.setdefault(fold(str(child.label)), []).append(f"{child.name}.{titles[0].name}")
        for item in importable_fields(child, operator):
            for heading in item.turned.headings() if item.turned is not None else ():
                named = exact.setdefault(f"{fold(str(child.label))} {fold(heading)}", [])
                named.append(f"{child.name}.{TURNED}{item.name}")
            for heading in dict.fromkeys((*item.headings(), str(item.label))):
                known = exact.setdefault(f"{fold(str(child.label))} {fold(heading)}", [])
                known.append(f"{child.name}.{item.name}")
                if item.unique:  # the number of a card is one thing, whatever stands before it
                    exact.setdefault(fold(heading), []).append(f"{child.name}.{item.name}")
    for target in spec.model.import_defaults:
        # What new records are asked for goes by its own name, whatever the table is called that it stands in.
        found = find_target(target, spec)
        for heading in found[1].headings() if found is not None and found[0] is not spec else ():
            exact.setdefault(fold(heading), []).append(target)
    exact.pop("", None)  # a field that somebody called „***“ is not meant by columns without a heading
    for folded in list(exact):
        exact.setdefault(_squeezed(folded), []).extend(exact[folded] if " " in folded else ())
    # The longest known heading wins: "Telefax" before "Tel".
    loose.sort(key=lambda pair: -len(pair[0]))
    return exact, loose


def _guess(
    spec: ModelSpec,
    heading: str,
    values: list[Any],
    exact: dict[str, list[str]],
    loose: list[tuple[str, str]],
    taken: dict[str, int],
    names: ReferenceCache,
) -> Guess:
    folded = fold(heading)
    if not folded:
        return Guess("", "")
    if not values:
        # Blank cells may mean something too, where the heading leaves no doubt.
        found = [target for target in _exact_targets(heading, exact) if target not in taken]
        return Guess(found[0] if found else "", gettext("leere Spalte"))
    candidates: list[tuple[str, str, str]] = []
    for target in _exact_targets(heading, exact):
        candidates.append((target, gettext("wie die Überschrift"), "good"))
    external = spec.external_key
    if external is not None and _is_foreign_key(folded, values, candidates, taken, spec):
        candidates.append((external.name, gettext("Nummer eines anderen Systems"), "warn"))
    for known, target in loose:
        if known != folded and (folded.endswith(known) or folded.startswith(f"{known} ")):
            candidates.append((target, gettext("ähnlich wie „%(heading)s“", heading=_label(spec, target)), "warn"))
            break
    refused = ""
    for target, reason, look in candidates:
        # Area code and number make one; a second telephone that only sounds like it does not.
        if target in taken and not (look == "good" and _may_join(spec, target)):
            continue
        fault = _refusal(spec, target, values, names)
        if not fault:
            return Guess(target, reason, look)
        is_short = len(values) < _FEW or _can_be_explained(spec, target, values)
        if look == "good" and is_short and not _is_natural(spec, target):
            # A heading of ours with few words below it: its faults are named row by row, or the words are asked for.
            return Guess(target, fault, "warn")
        refused = refused or fault
    return Guess("", refused, "warn" if refused else "")


def _is_foreign_key(
    folded: str, values: list[Any], candidates: list[tuple[str, str, str]], taken: dict[str, int], spec: ModelSpec
) -> bool:
    """A column of different, short values whose heading says number or key, where our own number does not fit."""
    if spec.external_key is None or spec.external_key.name in taken:
        return False
    words = ("nummer", "nr", "id", "key", "kennung", "code")
    named = any(folded.endswith(word) for word in words) or bool(candidates)
    own = {item.name for item in spec.natural_key}
    texts = [str(value) for value in values]
    fits = len(set(texts)) == len(texts) and all(len(text) <= 40 for text in texts)
    first = not any(target in own for target in taken)
    is_own = any(target in own for target, _reason, _look in candidates)
    return named and fits and first and (is_own or not candidates)


def _can_be_explained(spec: ModelSpec, target: str, values: list[Any]) -> bool:
    """Whether a column leads to a list of codes by so few words that somebody may say what each of them means."""
    found = find_target(target, spec)
    return found is not None and is_closed(found[1]) and len({fold(str(value)) for value in values}) < _FEW


def _is_natural(spec: ModelSpec, target: str) -> bool:
    return any(item.name == target for item in spec.natural_key)


def _label(spec: ModelSpec, target: str) -> str:
    found = find_target(target, spec)
    return str(found[1].label) if found is not None else target


def _may_join(spec: ModelSpec, target: str) -> bool:
    found = find_target(target, spec)
    return found is not None and found[1].kind == "phone"


def _refusal(spec: ModelSpec, target: str, values: list[Any], names: ReferenceCache) -> str:
    """Why most values of the column do not fit the field, "" when they do."""
    found = find_target(target, spec)
    if found is None:
        return ""
    faults = []
    tried = values[:100]
    if found[1].within:
        return ""  # what a cell names is known only beside its record
    for value in tried:
        try:
            read_cell(value, found[1], names, is_own=True)
        except FieldError as fault:
            faults.append(fault)
    if len(faults) <= len(tried) * _TOLERATED:
        return ""
    return gettext("nicht „%(field)s“: %(fault)s", field=str(found[1].label), fault=faults[0].found())


def read_cell(cell: Any, item: FieldSpec, names: ReferenceCache, *, is_own: bool = False) -> Any:
    """A cell of a file as the value of a field; raises FieldError.

    is_own: in files of our own, and where people type, a tick is also set by its words.
    """
    if item.import_codes and item.type.name == "bool" and (item.is_turned or not is_own):
        return _read_tick(cell, item)
    if item.import_codes and not isinstance(cell, float):
        wanted = str(cell).strip().casefold()
        for text, value in item.import_codes:
            if str(text).casefold() == wanted:
                return value
    if item.target is not None:
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        return None if cell is None else names.find(str(cell), item)
    return item.type.from_cell(cell, item)


def _read_tick(cell: Any, item: FieldSpec) -> Any:
    """A tick that files set by 1 and clear by 0 (ME-19)."""
    if isinstance(cell, bool) or (isinstance(cell, float) and cell.is_integer()):
        cell = int(cell)
    values = dict(item.import_codes)
    if str(cell).strip() not in values:
        reason = gettext("ist weder 1 (ja) noch 0 (nein)")
        raise FieldError(item, cell, reason, gettext("Bitte 1 oder 0 eingeben."))
    return values[str(cell).strip()]

"""What a file removes: its marks become the children and records that go, row by row, before anything is done.

Shape: „*“ removes what the row names, „***“ all of that kind which its record has; a blank cell removes nothing. Each
removed row is a part of its line. Errors: findings; a line with one removes nothing.
Source: ME-05, ME-126 to ME-132; trust case 116.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask_appadmin.changes import ANONYMISE, REFUSE, departures_of, known_specs
from flask_appadmin.database import key_condition
from flask_appadmin.i18n import gettext
from flask_appadmin.sheets.delete_targets import ALL, ONE, identifying_targets, marked_columns
from flask_appadmin.sheets.planned import Planned
from flask_appadmin.specs import FieldSpec, ModelSpec

if TYPE_CHECKING:
    from flask_appadmin.sheets.planning import Planner


def plan_deletions(planner: Planner, rows: Sequence[Planned]) -> None:
    """Finds what the marks of these rows mean."""
    spec = planner.spec
    item = spec.field(planner.options.key)
    known = [row for row in rows if row.key is not None and not row.state]
    titles = planner.names.titles(spec, {row.key for row in known if row.key is not None})
    children = {
        table: _children_of(known_specs()[table], [row.key for row in known if row.key is not None])
        for table in {table for row in known for _heading, _cell, table in row.marks if table != spec.name}
    }
    for row in rows:
        if row.state:
            continue
        marks = _checked_marks(row)
        if row.key is None and marks and not row.state:
            value = row.values.get(item.name)
            words = gettext("ist nicht vorhanden") if value is not None else gettext("Bitte angeben, wer gemeint ist.")
            row.refuse(str(item.label), value, words)
        if row.key is None or row.state:
            continue
        row.title = titles[row.key]
        for heading, mark, table in sorted(marks, key=lambda each: each[2] != spec.name):
            if table == spec.name:
                _remove_record(planner, row, heading, mark)
                if row.parts:
                    break  # its children go with it
            else:
                _remove_children(planner, row, heading, mark, known_specs()[table], children[table].get(row.key, []))
    _say_what_becomes(spec, rows)


def _checked_marks(row: Planned) -> list[tuple[str, str, str]]:
    """(heading, mark, table) of the marks; a word that is none of them is a finding."""
    found = []
    for heading, cell, table in row.marks:
        text = str(cell).strip()
        if text in (ONE, ALL):
            found.append((heading, text, table))
        elif text:
            words = gettext("ist keine Löschmarke; möglich sind * (ein Wert) und *** (alle)")
            row.refuse(heading, text, words)
    return found


def _children_of(child: ModelSpec, owners: Sequence[int]) -> dict[int, list[tuple[int, Any, str]]]:
    """Owner -> (key, what files name it by, title) of its children."""
    assert child.owner is not None
    item = child.field(child.model.deleted_by)
    items = tuple(dict.fromkeys((item, *child.title_specs)))
    query = child.model.select(
        child.model._meta.primary_key, child.owner.column_field, *(each.column_field for each in items)
    ).where(key_condition(child.owner.column_field, sorted(set(owners))))
    found: dict[int, list[tuple[int, Any, str]]] = {}
    for key, owner, *values in query.order_by(child.model._meta.primary_key).tuples():
        title = child.title_of(dict(zip((each.name for each in items), values, strict=True)))
        found.setdefault(owner, []).append((key, values[0], title))
    return found


def _remove_children(
    planner: Planner,
    row: Planned,
    heading: str,
    mark: str,
    child: ModelSpec,
    present: list[tuple[int, Any, str]],
) -> None:
    item = child.field(child.model.deleted_by)
    if mark == ONE:
        wanted = next((values.get(item.name) for name, values in row.children if name == child.name), None)
        if wanted is None:
            words = gettext("Zur Löschmarke * gehört „%(field)s“ derselben Zeile.", field=str(item.label))
            row.refuse(heading, mark, words)
            return
        present = [entry for entry in present if entry[1] == wanted]
        if not present:
            words = gettext("ist unter „%(plural)s“ dieses Datensatzes nicht vorhanden", plural=str(child.plural))
            row.refuse(str(item.label), _shown(planner, item, wanted), words)
            return
    titles = planner.names.titles(item.references, {entry[1] for entry in present}) if item.target else {}
    for key, value, title in present:
        part = Planned(row.number)
        if mark == ONE:
            planner.matcher.check_twice(row, child, key, heading, mark, gettext("Zeilenschlüssel"))
        elif not planner.matcher.is_first(child, key, row.number):
            continue
        part.key, part.state = key, "delete"
        part.title = f"{row.title}: {titles.get(value, title)}"
        row.parts.append((child, part))


def _remove_record(planner: Planner, row: Planned, heading: str, mark: str) -> None:
    if mark == ALL:
        row.refuse(heading, mark, gettext("Hier ist nur * möglich; ganze Datensätze werden einzeln genannt."))
        return
    planner.matcher.check_twice(row, planner.spec, row.key, heading, mark, gettext("Zeilenschlüssel"))
    if row.state:
        return
    part = Planned(row.number)
    part.key, part.state, part.title = row.key, "delete", row.title
    row.parts.append((planner.spec, part))


def _say_what_becomes(spec: ModelSpec, rows: Sequence[Planned]) -> None:
    """Records go by the rules of their model, the same as from the list: some are anonymised, some must stay."""
    leaving = {part.key: row for row in rows for entity, part in row.parts if entity is spec and part.key is not None}
    for key, departure in departures_of(spec, list(leaving)).items():
        row = leaving[key]
        if departure.outcome == REFUSE:
            row.parts.clear()
            row.refuse(gettext("Löschen Nummer"), ONE, " ".join(departure.reasons))
        elif departure.outcome == ANONYMISE:
            row.find(gettext("Löschen Nummer"), ONE, gettext("wird anonymisiert; das lässt sich nicht zurücknehmen."))


def _shown(planner: Planner, item: FieldSpec, value: Any) -> Any:
    return planner.names.titles(item.references, {value})[value] if item.target is not None else value


__all__ = ["identifying_targets", "marked_columns", "plan_deletions"]

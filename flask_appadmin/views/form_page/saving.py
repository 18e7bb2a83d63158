"""What was posted becomes one change set: the difference to what the page showed (`_base`).

Faults of the gateway come back to the fields and rows that they are about.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from flask_appadmin.changes import Applied, ChangeSet, NewRecord
from flask_appadmin.errors import AppAdminError, ConflictError, FaultList, FieldError, NotFound
from flask_appadmin.i18n import format_datetime
from flask_appadmin.specs import ModelSpec
from flask_appadmin.views.form_page.grids import Grid, GridRow, differing
from flask_appadmin.views.form_page.panels import Panel, fault_count, posted_panel, tab_of
from flask_appadmin.views.form_page.record import FormRecord


@dataclass
class Outcome:
    """What became of a save: written (`applied`, under `key`), or refused with faults and the page as it was posted."""

    panels: list[Panel]
    key: int | None
    applied: Applied | None = None
    faults: list[AppAdminError] = dataclasses.field(default_factory=list)


def save(record: FormRecord) -> Outcome:
    """Plans what was posted and writes it, or nothing of it."""
    record.operator.require(
        f"{record.spec.right}.{'edit' if record.key is not None or record.spec.owner else 'create'}"
    )
    posted: MultiDict[str, str] = request.form
    base = _read_base(posted.getlist("_base"))
    # What the operator left to somebody else in a conflict counts as not posted: the stored value stays.
    theirs = {name[6:] for name, value in posted.items() if name.startswith("_keep-") and value == "theirs"}
    if theirs:
        posted = MultiDict((name, value) for name, value in posted.items(multi=True) if name not in theirs)
    shown = set(posted.getlist("_shown")) - theirs
    panels = [posted_panel(record, tab_of(record, key), posted, shown, base) for key in _panel_keys(record, posted)]
    change = ChangeSet("form", reason=posted_reason())
    target: Any = record.key
    values = _changed_values(record, panels, base)
    if record.key is None:
        target = change.create(record.spec, values)
    elif values:
        change.update(record.spec, record.key, values, base=_typed_base(base.get("", {}), record.spec))
    for panel in panels:
        for grid in panel.grids:
            _plan_rows(change, grid, target, base)
    if any(fault_count(panel) for panel in panels):
        # The values that could be read are checked, too, so that everything is told in one pass.
        return Outcome(panels, record.key, faults=_rehearsed_faults(record, change))
    try:
        applied = change.apply(record.operator)
    except FaultList as refused:
        return Outcome(panels, record.key, faults=refused.faults)
    except NotFound as fault:
        return Outcome(panels, record.key, faults=[fault])
    return Outcome(panels, target.key if isinstance(target, NewRecord) else record.key, applied)


def _panel_keys(record: FormRecord, posted: Any) -> list[str]:
    """The tabs that were on the page; the first one where the page named none."""
    known = [tab.key for tab in record.view.form_layout.tabs]
    named = [key for key in dict.fromkeys(posted.getlist("_panel")) if key in known]
    return named or known[:1]


def _rehearsed_faults(record: FormRecord, change: ChangeSet) -> list[AppAdminError]:
    if change.is_empty:
        return []
    try:
        change.rehearse(record.operator)
    except FaultList as refused:
        return refused.faults
    except NotFound as fault:
        return [fault]
    return []


def _changed_values(record: FormRecord, panels: list[Panel], base: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for panel in panels:
        known = {} if record.key is None else base.get("", {})
        values.update(differing(panel.form, known))
    return values


def _plan_rows(change: ChangeSet, grid: Grid, target: Any, base: dict[str, Any]) -> None:
    child = grid.spec
    assert child.owner is not None
    for row in grid.rows:
        place = (child.name, row.key)
        if row.values is None:
            values = {**row.form.posted_values(), child.owner.name: target}
            row.record = change.create(child, values, place=place)
        elif row.deleted:
            change.delete(child, int(row.key))
        else:
            known = base.get(f"{child.name}-{row.key}", {})
            values = differing(row.form, known)
            change.update(child, int(row.key), values, base=_typed_base(known, child), place=place)


def place_faults(panels: list[Panel], faults: list[AppAdminError]) -> tuple[list[Any], list[Any]]:
    """Puts the faults at their fields and rows; (errors, conflicts) as the page lists them (form.html)."""
    errors: list[tuple[str, str]] = []
    conflicts: list[tuple[str, str, str, str, str, str]] = []
    fields = {field.spec.name: (panel, field) for panel in panels for field in panel.form}
    rows = {
        (grid.spec.name, row.key): (panel, grid, row) for panel in panels for grid in panel.grids for row in grid.rows
    }
    for panel in panels:
        for _name, form in panel.forms:
            errors += [(f"{field.label}: {sentence}", field.name) for field in form for sentence in field.errors]
        errors += [(sentence, "") for grid in panel.grids for sentence in grid.errors]
    for fault in faults:
        place = rows.get(getattr(fault, "place", None) or ("", ""))
        row: GridRow | None = None
        field: Any = None
        name = getattr(fault, "field", "")
        name = name if isinstance(name, str) else getattr(name, "name", "")
        if place is not None:
            panel, grid, row = place
            field = {each.spec.name: each for each in row.form}.get(name)
            title = f"{grid.spec.label} {grid.spec.title_of(row.values or {})}: "
            if isinstance(fault, ConflictError) and field is not None:
                conflicts.append(_conflict_row(fault, field, title))
                _rebase(panel, f"{grid.spec.name}-{row.key}", field, row.values or {})
                continue
        else:
            own = fields.get(name)
            field = own[1] if own is not None else None
            if isinstance(fault, ConflictError) and own is not None:
                conflicts.append(_conflict_row(fault, field))
                _rebase(own[0], "", field, own[0].values)
                continue
        if field is not None and field.errors:
            continue  # that it is missing follows from what is wrong with it
        errors.append((fault.sentence(), field.name if field is not None else ""))
        if field is not None:
            field.errors = [fault.found() if isinstance(fault, FieldError) else fault.sentence()]
        elif row is not None:
            row.errors.append(fault.sentence())
    return errors, conflicts


def _conflict_row(fault: ConflictError, field: Any, title: str = "") -> tuple[str, str, str, str, str, str]:
    who = f"{fault.who}, {format_datetime(fault.when)}" if fault.when else fault.who
    return f"{title}{field.label}", fault.original, fault.ours, fault.theirs, who, field.name


def _rebase(panel: Panel, key: str, field: Any, stored: dict[str, Any]) -> None:
    """After a conflict the page shows what is stored now: the next save decides about that, and nothing older."""
    item = field.spec
    panel.base.setdefault(key, {})[item.name] = item.type.to_json(stored.get(item.name), item)


def posted_reason() -> str:
    """The reason for the history as it was typed."""
    return request.form.get("_reason", "").replace("\x00", "")


def _typed_base(known: dict[str, Any], spec: ModelSpec) -> dict[str, Any]:
    """What the page showed, as Python values."""
    typed = {}
    for name, value in known.items():
        item = spec.by_name.get(name)
        if item is None:
            continue
        try:
            typed[name] = item.type.from_json(value, item)
        except (ValueError, TypeError, ArithmeticError, AttributeError):
            continue
    return typed


def _read_base(texts: list[str]) -> dict[str, Any]:
    """What the panels on the page showed: {"": {field: JSON value}, "<child>-<key>": {…}}."""
    base: dict[str, Any] = {}
    for text in texts:
        try:
            content = json.loads(text)
        except ValueError:
            continue
        if isinstance(content, dict):
            for key, values in content.items():
                if isinstance(values, dict):
                    base.setdefault(key, {}).update(values)
    return base

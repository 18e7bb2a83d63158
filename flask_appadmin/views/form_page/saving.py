"""What was posted becomes one change set: the difference to what the page showed (`_base`).

Faults of the gateway come back to the fields and rows that they are about.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from flask_appadmin.changes import Applied, ChangedMeanwhile, ChangeSet, NewRecord
from flask_appadmin.errors import (
    AppAdminError,
    ConflictError,
    FaultList,
    FieldError,
    MissingReason,
    MissingValue,
    NotFound,
)
from flask_appadmin.history import ChangeRecord
from flask_appadmin.i18n import gettext
from flask_appadmin.views.form_page.conflicts import choice_of, decide, typed_base
from flask_appadmin.views.form_page.grids import Grid, GridRow, by_child_table, differing, show_stored_row
from flask_appadmin.views.form_page.panels import Panel, fault_count, posted_panel, read_ahead, tab_of
from flask_appadmin.views.form_page.record import FormRecord
from flask_appadmin.views.form_page.unknown_fields import ignore_unknown


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
    base = read_base(posted)
    panels = posted_panels(record, posted, base)
    ignore_unknown(record, posted, panels)
    if any(grid.is_too_long for panel in panels for grid in panel.grids):
        return Outcome(panels, record.key)
    change, target = planned(record, panels, base, once=_effect(posted))
    stranger = _other_operator(record, posted)
    if stranger is not None or any(fault_count(panel) for panel in panels):
        # The values that could be read are checked, too, so that everything is told in one pass.
        faults = rehearsed_faults(record, change)
        return Outcome(panels, record.key, faults=[stranger, *faults] if stranger is not None else faults)
    try:
        applied = change.apply(record.operator)
    except FaultList as refused:
        return Outcome(panels, record.key, faults=refused.faults)
    except NotFound as fault:
        return Outcome(panels, record.key, faults=[fault])
    if applied.repeated:
        return Outcome(panels, _made_by(record, applied.change_set), applied)
    return Outcome(panels, target.key if isinstance(target, NewRecord) else record.key, applied)


def posted_panels(record: FormRecord, posted: MultiDict[str, str], base: dict[str, Any]) -> list[Panel]:
    """The tabs as they were sent; `base` takes up what was decided about fields in conflict."""
    posted, theirs = decide(posted, base)
    shown = set(posted.getlist("_shown")) - theirs
    keys = _panel_keys(record, posted)
    if len(keys) > 1:
        read_ahead(record, keys)
    by_table = by_child_table(posted)
    return [posted_panel(record, tab_of(record, key), posted, by_table, shown, base) for key in keys]


def planned(
    record: FormRecord, panels: list[Panel], base: dict[str, Any], *, once: str = ""
) -> tuple[ChangeSet, NewRecord | int | None]:
    """The change set of what was sent, and the record it is about."""
    change = ChangeSet("form", reason=posted_reason(), once=once)
    target: Any = record.key
    values = _changed_values(record, panels, base)
    if record.key is None:
        target = change.create(record.spec, values)
    elif values:
        stored = {name: value for panel in panels for name, value in panel.values.items()}
        change.update(record.spec, record.key, values, base=typed_base(base.get("", {}), record.spec, stored))
    for panel in panels:
        for grid in panel.grids:
            _plan_rows(change, grid, target, base)
    return change, target


def _effect(posted: MultiDict[str, str]) -> str:
    """The name of what this form does: the same page sent twice with the same content does it once."""
    token = posted.get("_token", "")
    if not token:
        return ""
    # How it was sent (which button, which tab) is not what is sent.
    aside = ("csrf_token", "_tab", "_then", "_next")
    pairs = [(name, value) for name, value in posted.items(multi=True) if name not in aside]
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def _made_by(record: FormRecord, change_set: int | None) -> int | None:
    """The record that an earlier sending of the same form made."""
    if record.key is not None:
        return record.key
    row = ChangeRecord.get_or_none(
        ChangeRecord.change_set == change_set,
        ChangeRecord.entity == record.spec.name,
        ChangeRecord.action == "create",
    )
    return row.record_id if row is not None else None


def _other_operator(record: FormRecord, posted: MultiDict[str, str]) -> AppAdminError | None:
    """The fault of a page that somebody else filled in before he signed out."""
    if posted.get("_by", str(record.operator.user_id)) == str(record.operator.user_id):
        return None
    return AppAdminError(
        gettext(
            "Diese Seite wurde mit einer anderen Anmeldung ausgefüllt. Es wurde nichts gespeichert; wenn Sie die "
            "Eingaben in Ihrem Namen übernehmen wollen, prüfen Sie sie und speichern Sie noch einmal."
        )
    )


def _panel_keys(record: FormRecord, posted: Any) -> list[str]:
    """The tabs that were on the page; the first one where the page named none."""
    known = [tab.key for tab in record.view.form_layout.tabs]
    named = [key for key in dict.fromkeys(posted.getlist("_panel")) if key in known]
    return named or known[:1]


def rehearsed_faults(record: FormRecord, change: ChangeSet) -> list[AppAdminError]:
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
            change.delete(child, int(row.key), version=row.shown_version, place=place)
        else:
            known = base.get(f"{child.name}-{row.key}", {})
            values = differing(row.used_fields, known)
            if values:
                change.update(child, int(row.key), values, base=typed_base(known, child, row.values), place=place)


def place_faults(record: FormRecord, panels: list[Panel], faults: list[AppAdminError]) -> list[tuple[str, str]]:
    """Puts the faults at their fields and rows; answers the list for the top of the page (form.html)."""
    errors: list[tuple[str, str]] = []
    fields = {field.spec.name: (panel, field) for panel in panels for field in panel.form}
    rows = {
        (grid.spec.name, row.key): (panel, grid, row) for panel in panels for grid in panel.grids for row in grid.rows
    }
    too_long = [grid for panel in panels for grid in panel.grids if grid.is_too_long]
    if too_long:
        return [(grid.errors[0], "") for grid in too_long]  # what is wrong with hundreds of rows, nobody reads
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
        elif name in fields:
            panel, field = fields[name]
        if isinstance(fault, ConflictError) and field is not None:
            field.conflict = choice_of(fault, field.spec)
            continue
        if isinstance(fault, ChangedMeanwhile) and row is not None:
            show_stored_row(record, grid, row, panel.base)
        if isinstance(fault, MissingReason):
            errors.append((fault.sentence(), "_reason"))
            continue
        if field is not None and field.errors:
            continue  # that it is missing follows from what is wrong with it
        if row is not None and row.deleted:
            # It cannot go: it stands there again, with the reason below it.
            row.deleted = False
            field = None
        target = field.name if field is not None else ""
        if row is not None and (field is None or not row.is_whole):
            target = f"{grid.spec.name}-{row.key}"
        errors.append((fault.sentence(), target))
        if field is not None and isinstance(fault, MissingValue):
            field.errors, field.missing = [gettext("Bitte eine Eingabe vornehmen.")], True
        elif field is not None:
            field.errors = [fault.found() if isinstance(fault, FieldError) else fault.sentence()]
        elif row is not None:
            row.errors.append(fault.sentence())
    return errors


def conflict_list(panels: list[Panel]) -> list[tuple[str, str, str]]:
    """The fields that wait for a choice: (label with its row, name of the field, who)."""
    found = [(str(field.label), field) for panel in panels for field in panel.form]
    for panel in panels:
        for grid in panel.grids:
            for row in grid.rows:
                title = f"{grid.spec.label} {grid.spec.title_of(row.values or {})}"
                found += [(f"{title}: {field.label}", field) for field in row.used_fields]
    return [(label, field.name, field.conflict.who) for label, field in found if field.conflict is not None]


def posted_reason() -> str:
    """The reason for the history as it was typed."""
    return request.form.get("_reason", "").replace("\x00", "")


def read_base(posted: MultiDict[str, str]) -> dict[str, Any]:
    """What the panels on the page showed: {"": {field: JSON value}, "<child>-<key>": {…}}."""
    base: dict[str, Any] = {}
    for text in posted.getlist("_base"):
        try:
            content = json.loads(text)
        except ValueError:
            continue
        if isinstance(content, dict):
            for key, values in content.items():
                if isinstance(values, dict):
                    base.setdefault(key, {}).update(values)
    return base

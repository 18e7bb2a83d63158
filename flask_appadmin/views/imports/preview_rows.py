"""The rows of the preview, one for each cell.

Shape: line, record, field, what it was at export, what it is now, what the file says, what was found, what may be
chosen (import_preview.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask_appadmin.changes import known_specs
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import format_datetime, gettext
from flask_appadmin.rights import Operator, visible
from flask_appadmin.sheets.applying import WHOLE_ROW, is_conflict, is_left_out, is_taken
from flask_appadmin.sheets.corrections import column_of
from flask_appadmin.sheets.sessions import ImportRow, ImportRun
from flask_appadmin.sheets.surveying import ImportOptions, Survey
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache, shown

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

#: What a new record shows of itself.
_SHOWN_VALUES = 6
#: What takes back that a new row is a record which is there stands under this name.
AS_RECORD = "="


class CellPlaces:
    """Where in the file the cells of a plan stand, so that they can be mended on the page."""

    def __init__(self, run: ImportRun, survey: Survey, spec: ModelSpec, options: ImportOptions) -> None:
        self.spec, self.options, self.deletes = spec, options, options.mode == "delete"
        self.sheets = {sheet.name[:60]: sheet for sheet in survey.sheets} if run.storage_name else {}

    def of(self, row: ImportRow, heading: str, name: str = "") -> str:
        """The name of the input for a cell, "" where none can be mended."""
        sheet = self.sheets.get(row.sheet)
        if sheet is None or self.deletes:
            return ""
        found = column_of(sheet, self.options, self.spec, known_specs()[row.entity], heading, name)
        return f"{row.id}-{found}" if found is not None else ""

    def is_matched(self, row: ImportRow) -> bool:
        return f"{row.sheet}|{row.row_number}" in self.options.matches


def candidates(rows: Sequence[ImportRow], spec: ModelSpec, operator: Operator) -> dict[int, dict[int, str]]:
    """Row -> the records it looks like: key -> title."""
    names: tuple[str, ...] = getattr(spec.model, "duplicate_fields", ())
    found: dict[int, dict[int, str]] = {}
    titles = ReferenceCache()
    condition = visible(operator, spec)
    key = spec.model._meta.primary_key
    for row in rows:
        if not (row.is_duplicate and row.state == "new" and row.entity == spec.name and names):
            continue
        values = _typed(spec, {name: row.plan[name] for name in names if name in row.plan})
        query = spec.model.select(key)
        for name, value in values.items():
            query = query.where(spec.field(name).column_field == value)
        keys = {each[0] for each in (query if condition is None else query.where(condition)).limit(3).tuples()}
        if len(values) == len(names) and keys:
            found[row.id] = titles.titles(spec, keys)
    return found


def preview_rows(
    found: list[ImportRow], registry: Registry, operator: Operator, own: bool, places: CellPlaces
) -> list[dict[str, Any]]:
    names = ReferenceCache()
    likely = candidates(found, places.spec, operator) if places.options.mode != "new" else {}
    last = _last_changes(found) if own else {}
    specs = known_specs()
    rows: list[dict[str, Any]] = []
    more: dict[str, Any]
    for row in found:
        entity = specs[row.entity]
        start = {
            "line": row.row_number,
            "number": row.title if entity.owner is None else f"{entity.label}: {row.title}",
            "title": "",
            "url": registry.record_url(entity, row.record_id) if row.record_id else "",
            "id": f"{row.id}|",
            "base": "",
            "now": "",
            "now_by": "",
            "yours": "",
            "yours_look": "",
            "finding": None,
            "choices": [],
            "wide": False,
            "fix": "",
            "shows_fix": False,
        }
        findings = list(row.findings)
        if row.state in ("changed", "conflict"):
            for name, cell in row.plan.items():
                finding = _take_finding(findings, str(entity.field(name).label))
                more = {"fix": places.of(row, "", name)}
                cells = _cell_row(start, row, entity.field(name), cell, names, last, finding, registry)
                rows.append({**cells, **more})
            if row.plan:
                first = rows[-len(row.plan)]
                first["whole"] = _row_choices(row, places, len(row.plan) > 1)
        elif row.state == "delete":
            out = is_left_out(row)
            choices = [("take", gettext("löschen"), not out, False), ("skip", gettext("behalten"), out, False)]
            more = {"id": f"{row.id}|{WHOLE_ROW}", "now": row.title, "choices": choices, "field": str(entity.label)}
            rows.append({**start, **more, "yours": gettext("wird gelöscht"), "yours_look": "sub" if out else "bad"})
        elif row.state == "new":
            fresh = _new_row(start, row, entity, names, specs, findings)
            fresh["choices"] += [
                (str(key), gettext("%(title)s ändern", title=title), False, False)
                for key, title in likely.get(row.id, {}).items()
            ]
            if findings:
                fresh |= {"fix": places.of(row, findings[0][0]), "value": findings[0][1]}
            rows.append(fresh)
            findings = [] if len(findings) == 1 else findings[1:]
        for heading, value, sentence, weight in findings:
            look = "" if weight == "note" else weight
            yours_look = "bad" if weight == "bad" else ""
            # The value stands in its own place.
            sentence = sentence.removeprefix(f"„{value}“ ")
            more = {"field": heading, "yours": value, "yours_look": yours_look, "finding": (sentence, look)}
            more |= {"fix": places.of(row, heading), "shows_fix": weight == "bad"}
            rows.append({**start, **more})
        if row.state == "error" and row.findings and places.is_matched(row):
            rows[-len(findings)]["whole"] = _row_choices(row, places, False)
    return rows


def _row_choices(row: ImportRow, places: CellPlaces, has_several: bool) -> list[tuple[str, str, bool]]:
    """What may be decided about a known record as a whole: (decision, label, whether it stands)."""
    out = is_left_out(row)
    choices = []
    if has_several or out:
        choices.append((f"{row.id}|{WHOLE_ROW}|{'take' if out else 'skip'}", gettext("Zeile auslassen"), out))
    if places.is_matched(row):
        choices.append((f"{row.id}|{AS_RECORD}|new", gettext("doch neu anlegen"), False))
    return choices


def _take_finding(findings: list[list[str]], label: str) -> tuple[str, str] | None:
    for finding in findings:
        if finding[0] == label:
            findings.remove(finding)
            return finding[2], "" if finding[3] == "note" else finding[3]
    return None


def _cell_row(
    start: dict[str, Any],
    row: ImportRow,
    item: FieldSpec,
    cell: list[Any],
    names: ReferenceCache,
    last: dict[tuple[str, int, str], str],
    finding: tuple[str, str] | None,
    registry: Registry,
) -> dict[str, Any]:
    base, now, new = (shown(item, item.type.from_json(part, item), names) for part in cell[:3])
    clears = cell[2] is None
    taken = is_taken(cell, row.decisions.get(item.name)) and not is_left_out(row)
    mine = gettext("leeren") if clears else gettext("meine")
    decision = row.decisions.get(item.name)
    export = taken and decision == "base"
    choices = [("mine", mine, taken and not export, False), ("theirs", registry.brand, not taken, False)]
    if is_conflict(cell) and cell[0] not in (cell[1], cell[2]):
        choices.append(("base", gettext("Export"), export, False))
    return {
        **start,
        "id": f"{row.id}|{item.name}",
        "field": str(item.label),
        "base": base,
        "now": now,
        "now_by": last.get((row.entity, row.record_id, item.name), "") if is_conflict(cell) else "",
        "yours": gettext("(leer: Wert löschen)") if clears else new,
        "yours_look": "sub" if clears else "new",
        "finding": finding,
        "value": "" if clears else item.format(item.type.from_json(cell[2], item)) if item.target is None else new,
        "choices": choices,
    }


def _new_row(
    start: dict[str, Any],
    row: ImportRow,
    entity: ModelSpec,
    names: ReferenceCache,
    specs: dict[str, ModelSpec],
    findings: list[list[str]],
) -> dict[str, Any]:
    parts = []
    titles = {item.name for item in entity.title_specs}
    for item in entity.data_fields:
        if item.name in row.plan and not item.owner and item.name not in titles:
            parts.append(f"{item.label}: {shown(item, item.type.from_json(row.plan[item.name], item), names)}")
    for child_name, values in row.children:
        child = specs[child_name]
        typed = _typed(child, values)
        words = [str(shown(item, typed[item.name], names)) for item in child.title_specs if item.name in typed]
        parts.append(f"{child.label}: {' '.join(words) or child.title_of(typed)}")
    more = len(parts) - _SHOWN_VALUES
    text = " · ".join(parts[:_SHOWN_VALUES]) + (f" · +{more}" if more > 0 else "")
    first = findings[0] if findings else None
    out = is_left_out(row)
    return {
        **start,
        "id": f"{row.id}|{WHOLE_ROW}",
        "field": gettext("neu"),
        "yours": text,
        "yours_look": "sub" if out else "",
        "finding": (first[2], "" if first[3] == "note" else first[3]) if first else None,
        "choices": [("take", gettext("anlegen"), not out, False), ("skip", gettext("auslassen"), out, False)],
        "wide": True,
    }


def _typed(entity: ModelSpec, values: dict[str, Any]) -> dict[str, Any]:
    return {name: entity.field(name).type.from_json(value, entity.field(name)) for name, value in values.items()}


def _last_changes(found: list[ImportRow]) -> dict[tuple[str, int, str], str]:
    """Who changed the values of the conflicts last, and when."""
    wanted = {row.record_id for row in found if row.state == "conflict"}
    if not wanted:
        return {}
    query = (
        ChangeRecord.select(
            ChangeRecord.entity,
            ChangeRecord.record_id,
            ChangeRecord.field,
            ChangeSetRecord.user_name,
            ChangeSetRecord.changed_at,
        )
        .join(ChangeSetRecord)
        .where(ChangeRecord.record_id.in_(sorted(wanted)), ChangeRecord.action == "update")
        .order_by(ChangeRecord.id)
        .tuples()
    )
    return {(entity, key, name): f"{who}, {format_datetime(when)}" for entity, key, name, who, when in query}

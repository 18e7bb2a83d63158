"""What the pages of an import show: mapping, preview, result. Contexts: templates/appadmin/import_*.html.

Shape: each function answers the context of one page for one run. A row of the preview is one cell: line, record, field,
what it was at export, what it is now, what the file says, what was found, what may be chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import url_for

from flask_appadmin.changes import known_specs
from flask_appadmin.digits import is_number
from flask_appadmin.history import ChangeRecord, ChangeSetRecord, TakenBack, taken_back
from flask_appadmin.i18n import format_datetime, format_number, gettext, ngettext
from flask_appadmin.rights import Operator, visible
from flask_appadmin.selections import counted
from flask_appadmin.sheets.applying import WHOLE_ROW, count_chosen, is_conflict, is_left_out, is_taken
from flask_appadmin.sheets.corrections import column_of
from flask_appadmin.sheets.damage.damages import Damage, damages_of
from flask_appadmin.sheets.detection.columns import ColumnHint
from flask_appadmin.sheets.detection.evidence import SEPARATOR_NAMES, Evidence, encoding_name
from flask_appadmin.sheets.import_modes import item_of
from flask_appadmin.sheets.mapping import find_target
from flask_appadmin.sheets.outcomes import has_faults, outcome_tiles, outcome_words
from flask_appadmin.sheets.reporting import deletions_of
from flask_appadmin.sheets.sessions import ImportRow, ImportRun, ImportSchema, SheetExport
from flask_appadmin.sheets.surveying import ImportOptions, Survey, child_keys, key_fields, modes_of, target_label
from flask_appadmin.sheets.unknown_values import possible_values, similar
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache, shown
from flask_appadmin.views.import_targets import target_groups

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

#: Rows of the file on one page of the preview.
PAGE = 50
_LISTED_FINDINGS = 50
#: What a new record shows of itself.
_SHOWN_VALUES = 6


def state_words(run: ImportRun) -> tuple[str, str]:
    """The state of a run and its look."""
    words = {
        "reading": gettext("wird gelesen"),
        "mapping": gettext("Zuordnung offen"),
        "planning": gettext("wird geprüft"),
        "preview": gettext("geprüft, nicht übernommen"),
        "applying": gettext("wird übernommen"),
        "done": _done_word(run),
        "discarded": gettext("verworfen"),
        "failed": gettext("nicht gelesen"),
    }
    looks = {"reading": "info", "planning": "info", "applying": "info", "failed": "bad"}
    looks["done"] = "warn" if has_faults(run) else "good"
    look = looks.get(run.state, "warn" if run.state in ("mapping", "preview") else "")
    return words.get(run.state, run.state), look


def _done_word(run: ImportRun) -> str:
    back = taken_back([run.change_set_id]).get(run.change_set_id) if run.change_set_id else None
    if back is not None:
        return gettext("zurückgenommen") if back.is_whole else gettext("zum Teil zurückgenommen")
    return gettext("fertig mit Fehlern") if has_faults(run) else gettext("fertig")


def imports_back() -> tuple[str, str]:
    return gettext("Importe"), url_for("imports.index_view")


def rows_text(survey: Survey) -> str:
    """„2.000 Zeilen, 4 Blätter“."""
    text = ngettext("%(count)s Zeile", "%(count)s Zeilen", survey.row_count)
    sheets = [sheet for sheet in survey.sheets if sheet.detection.row_count]
    if len(sheets) > 1:
        text += ", " + ngettext("%(count)s Blatt", "%(count)s Blätter", len(sheets))
    return text


# --- mapping --------------------------------------------------------------------------------------------------------


def mapping_context(
    run: ImportRun, survey: Survey, options: ImportOptions, spec: ModelSpec, operator: Operator, registry: Registry
) -> dict[str, Any]:
    """The page on which columns become fields."""
    detection = survey.main.detection
    return {
        "page_title": run.file_name,
        "back": imports_back(),
        "subtitle": rows_text(survey),
        "action": url_for("imports.mapping_view", id=run.id),
        "discard_url": url_for("imports.discard_view", id=run.id),
        "hidden": [],
        "detection": _detection_fields(survey, options, spec),
        "key": _key_field(survey, options, spec),
        "mode": mode_field(options.mode, spec, operator),
        "inserts": options.insert_missing,
        "defaults": default_fields(options.defaults, spec, registry),
        "blank": blank_field(options.blank),
        "columns": [_column_row(index, hint, survey, options, spec) for index, hint in enumerate(detection.columns)],
        "targets": [
            group for group in target_groups(spec, operator, registry, marks=options.mode == "delete") if group[1]
        ],
        "save_as": {"value": ""} if operator.may("import_schema.create") else None,
        "remarks": [found.sentence() for found in detection.evidence if found.weight != "info"],
        "next_label": gettext(
            "Vorschau: %(rows)s prüfen", rows=ngettext("%(count)s Zeile", "%(count)s Zeilen", survey.row_count)
        ),
    }


def _evidence(found: Iterable[Evidence], *starts: str) -> str:
    return " ".join(each.sentence() for each in found if each.code.startswith(starts) and each.weight == "info")


def _detection_fields(survey: Survey, options: ImportOptions, spec: ModelSpec) -> list[dict[str, Any]]:
    detection = survey.main.detection
    fields = []
    if survey.others:
        names = [survey.main.name, *survey.others]
        fields.append(select_field("sheet", gettext("Blatt"), survey.main.name, [(name, name) for name in names]))
    if survey.kind == "csv":
        codes = dict.fromkeys([survey.encoding, "utf-8", "cp1252", "iso-8859-1", "utf-16", "cp850", "mac_roman"])
        choices = [(code, encoding_name(code)) for code in codes if code]
        hint = _evidence(detection.evidence, "encoding_")
        fields.append(select_field("encoding", gettext("Zeichensatz"), survey.encoding, choices, hint))
        separators = [(_separator_code(mark), str(words)) for mark, words in SEPARATOR_NAMES.items()]
        hint = _evidence(detection.evidence, "separator_")
        chosen = _separator_code(survey.separator)
        fields.append(select_field("separator", gettext("Trennzeichen"), chosen, separators, hint))
    rows = [("0", gettext("keine"))]
    rows += [(str(number), str(number)) for number in range(1, max(21, detection.header_row + 6))]
    hint = _evidence(detection.evidence, "header_")
    fields.append(select_field("header_row", gettext("Zeile der Überschriften"), str(detection.header_row), rows, hint))
    schemas = [(name, name) for name in schema_names(spec)]
    if schemas:
        choices = [("", gettext("keines")), *schemas]
        hint = gettext("wird mit „Neu lesen“ angewendet")
        fields.append(select_field("schema", gettext("Importschema"), "", choices, hint))
    return fields


def _separator_code(mark: str) -> str:
    return "tab" if mark == "\t" else mark


def schema_names(spec: ModelSpec) -> list[str]:
    """The saved mappings of a table."""
    query = ImportSchema.select(ImportSchema.name).where(ImportSchema.entity == spec.name).order_by(ImportSchema.name)
    return [row[0] for row in query.tuples()]


def select_field(
    name: str, label: str, value: str, choices: Sequence[tuple[str, str]], hint: str = ""
) -> dict[str, Any]:
    return {"name": name, "label": label, "value": value, "choices": choices, "hint": hint}


def _key_field(survey: Survey, options: ImportOptions, spec: ModelSpec) -> dict[str, Any]:
    choices = [("", gettext("kein Schlüssel: jede Zeile ist neu"))]
    choices += [(item.name, str(item.label)) for item in key_fields(spec)]
    choices += [(target, target_label(target, spec)) for target in child_keys(spec) if target in options.targets]
    known = survey.known.get(options.key)
    hint = ""
    if known is not None and known[1]:
        hint = gettext(
            "%(found)s der ersten %(tried)s Werte sind im Bestand.",
            found=format_number(known[0]),
            tried=format_number(known[1]),
        )
    label = gettext("Zeilen finden ihren Datensatz durch")
    return select_field("key", label, options.key, choices, hint)


def mode_field(chosen: str, spec: ModelSpec, operator: Operator) -> dict[str, Any]:
    words = {
        "both": gettext("Neue anlegen und vorhandene ändern"),
        "new": gettext("nur Neue anlegen (Neu)"),
        "replace": gettext("nur vorhandene ändern (Ersetzen)"),
        "delete": gettext("Löschen, was markiert ist"),
    }
    choices = [(mode, words[mode]) for mode in words if mode in (*modes_of(operator, spec), chosen)]
    return select_field("mode", gettext("Import-Art"), chosen, choices)


def default_name(target: str) -> str:
    """The name of the input for what new records get."""
    return f"default-{target}"


def default_fields(defaults: dict[str, str], spec: ModelSpec, registry: Registry) -> list[dict[str, Any]]:
    """What an import of new records is asked for (fields.html)."""
    fields = []
    for target in spec.model.import_defaults:
        item = item_of(target, spec)
        text = defaults.get(target, "")
        field: dict[str, Any] = {
            "name": default_name(target),
            "label": gettext("%(field)s für Neue", field=str(item.label)),
            "kind": "text",
            "value": text,
            "help": gettext("wird genommen, wo in der Zeile eines neuen Datensatzes nichts Gültiges steht"),
        }
        if item.target is not None:
            url = f"{registry.lookup_url(item.references)}?all=1"
            field |= {"kind": "lookup", "value": "", "display": text, "lookup_url": url, "browsed": True}
        fields.append(field)
    return fields


def take_defaults(posted: Mapping[str, str], defaults: dict[str, str], spec: ModelSpec) -> None:
    """Takes over what was typed into `default_fields`; what was not on the page stays."""
    for target in spec.model.import_defaults:
        name = default_name(target)
        if name not in posted and f"{name}_text" not in posted:
            continue
        defaults.pop(target, None)
        text = posted.get(f"{name}_text", "").strip()
        key = posted.get(name, "")
        if is_number(key):
            item = item_of(target, spec)
            text = ReferenceCache().titles(item.references, {int(key)}).get(int(key), text) if item.target else key
        if text:
            defaults[target] = text[:200]


def blank_field(chosen: str) -> dict[str, Any]:
    choices = [("keep", gettext("ändern nichts")), ("clear", gettext("leeren das Feld"))]
    return select_field("blank", gettext("Leere Zellen"), chosen, choices, gettext("„<leer>“ leert das Feld immer."))


def _column_row(
    index: int, hint: ColumnHint, survey: Survey, options: ImportOptions, spec: ModelSpec
) -> dict[str, Any]:
    guesses = survey.main.guesses
    target, reason, look = guesses[index] if index < len(guesses) else ("", "", "")
    chosen = options.targets[index] if index < len(options.targets) else target
    if chosen != target:
        reason, look = "", ""
    questions = [found.sentence() for found in hint.evidence if found.weight != "info"]
    if chosen and questions:
        reason, look = questions[0], "warn"
    return {
        "name": f"col-{index}",
        "header": hint.heading or gettext("Spalte %(letters)s", letters=hint.letters),
        "samples": hint.examples,
        "target": chosen,
        "label": target_label(chosen, spec) if chosen else "",
        "reason": reason,
        "look": look,
    }


# --- preview --------------------------------------------------------------------------------------------------------

#: What takes back that a new row is a record which is there stands under this name.
AS_RECORD = "="
#: So many unknown words stand on the page at once.
_UNKNOWN = 30

#: Doors of the preview: name -> condition on the rows.
DOORS: dict[str, Any] = {
    "new": ImportRow.state == "new",
    "changed": ImportRow.state == "changed",
    "conflict": ImportRow.state == "conflict",
    "error": ImportRow.state == "error",
    "duplicate": ImportRow.is_duplicate == True,  # noqa: E712 - an expression
    "unchanged": ImportRow.state == "unchanged",
    "skipped": ImportRow.state == "skipped",
    "delete": ImportRow.state == "delete",
    "cleared": (ImportRow.cleared > 0) & ImportRow.state.in_(("changed", "conflict")),
    "all": ImportRow.state.in_(("new", "changed", "conflict", "error", "delete")),
}


def first_door(counts: dict[str, int]) -> str:
    """What the preview shows first: questions before changes before news."""
    names = {"conflict": "conflict", "error": "error", "changed": "changed", "new": "new", "delete": "delete"}
    return next((door for name, door in names.items() if counts.get(name)), "unchanged")


def tiles(run: ImportRun, active: str) -> list[tuple[int, str, str, bool, str]]:
    """The counts of a plan; each leads to its rows."""
    counts = run.counts
    if ImportOptions.from_json(run.options).mode == "delete":
        return _deletion_tiles(run, active)
    rows = [
        ("new", gettext("neu"), "good"),
        ("changed", gettext("geändert"), ""),
        ("conflict", ngettext("Konflikt", "Konflikte", counts.get("conflict", 0)), "warn"),
        ("error", gettext("Fehler"), "bad"),
        ("duplicate", gettext("vielleicht doppelt"), "warn"),
        ("unchanged", gettext("unverändert"), ""),
    ]
    if counts.get("skipped"):
        rows.append(("skipped", gettext("übergangen"), ""))
    return [
        (
            counts.get("duplicates" if name == "duplicate" else name, 0),
            label,
            url_for("imports.preview_view", id=run.id, show=name),
            name == active,
            look,
        )
        for name, label, look in rows
    ]


def _deletion_tiles(run: ImportRun, active: str) -> list[tuple[int, str, str, bool, str]]:
    """How many of which kind go."""
    url = url_for("imports.preview_view", id=run.id, show="delete")
    found = [
        (count, str(entity.plural), url, active == "delete", "bad")
        for entity, count in deletions_of(run, known_specs()[run.entity])
    ]
    errors = url_for("imports.preview_view", id=run.id, show="error")
    return [*found, (run.counts.get("error", 0), gettext("Fehler"), errors, active == "error", "bad")]


def preview_context(
    run: ImportRun, survey: Survey, spec: ModelSpec, operator: Operator, registry: Registry, show: str, page: int
) -> dict[str, Any]:
    """The page of all cells that would change."""
    options = ImportOptions.from_json(run.options)
    own = survey.is_own
    condition = DOORS[show]
    total = ImportRow.select().where(ImportRow.run == run.id, condition).count()
    pages = max(1, -(-total // PAGE))
    page = min(max(page, 1), pages)
    query = ImportRow.select().where(ImportRow.run == run.id, condition).order_by(ImportRow.id)
    found = list(query.offset((page - 1) * PAGE).limit(PAGE))
    chosen = count_chosen(run)
    count = chosen["new"] + chosen["changed"] + chosen["delete"]
    place = {"id": run.id, "show": show, "page": page}
    conflicts = run.counts.get("conflict", 0)
    rules = None
    places = _Places(run, survey, spec, options)
    if show == "conflict" and conflicts:
        rules = {
            "label": gettext("Alle Konflikte:"),
            "url": url_for("imports.choose_view", **place),
            "choices": [("mine", gettext("meine")), ("theirs", gettext("aus %(brand)s", brand=registry.brand))]
            + ([("base", gettext("Stand beim Export"))] if own else []),
        }
    return {
        "page_title": run.file_name,
        "back": imports_back(),
        "subtitle": _origin(run, survey),
        "links": _links(run, own),
        "discard_url": url_for("imports.discard_view", id=run.id),
        "apply": {
            "url": url_for("imports.apply_view", id=run.id),
            "label": _apply_label(spec, chosen, run),
            "count": count,
            "plan": run.plan,
            "confirm": gettext("Anzahl eintippen") if chosen["delete"] else "",
        },
        "tiles": tiles(run, show),
        "rules": rules,
        "blank": None if own else {**blank_field(options.blank), "url": url_for("imports.blank_view", **place)},
        "note": _cleared_note(run),
        "record_label": str(spec.label),
        "only_new": show in ("new", "duplicate"),
        "three_way": own and show in ("conflict", "changed", "cleared", "all"),
        "choose_url": url_for("imports.choose_view", **place),
        "rows": _cells(found, registry, operator, own, places),
        "unknown": _unknown(run, options, spec, operator, registry),
        "values_url": url_for("imports.values_view", **place),
        "range_text": _range(total, page, len(found)),
        "pager": {
            "previous": url_for("imports.preview_view", id=run.id, show=show, page=page - 1) if page > 1 else "",
            "next": url_for("imports.preview_view", id=run.id, show=show, page=page + 1) if page < pages else "",
        },
        "empty": _empty(run, show),
        "headline": _headline(run, survey, options),
        "damages": [_damage_row(damage, options.repairs, own) for damage in damages_of(run.detection)],
        "repair_url": url_for("imports.repair_view", id=run.id),
    }


def _damage_row(damage: Damage, repairs: dict[str, str], own: bool) -> dict[str, Any]:
    """One damage with what may be chosen about it; a choice that stands is taken back by its button."""
    chosen = repairs.get(damage.key, "")
    choices = []
    if damage.weight == "ask":
        if damage.repairable:
            choices.append(("repair", gettext("reparieren")))
        if not (own and damage.cause == "twice"):
            choices.append(("keep", gettext("so lassen")))
    return {
        "sentence": damage.sentence(),
        "look": "" if chosen or not choices else "warn",
        "choices": [
            (f"{damage.key}|{'' if chosen == value else value}", label, chosen == value) for value, label in choices
        ],
    }


def _origin(run: ImportRun, survey: Survey) -> str:
    text = rows_text(survey)
    export = SheetExport.get_or_none(SheetExport.id == run.export_id) if run.export_id else None
    if export is None:
        return text
    made = gettext("Export vom %(when)s von %(who)s", when=format_datetime(export.made_at), who=export.user_name)
    return f"{made} · {text}"


def _links(run: ImportRun, own: bool) -> list[tuple[str, str]]:
    links = []
    if run.storage_name:
        if not own:
            links.append((gettext("Zuordnung"), url_for("imports.mapping_view", id=run.id)))
        links.append((gettext("Meine Datei mit Markierungen"), url_for("imports.marked_view", id=run.id)))
    if run.counts.get("error") or run.counts.get("skipped"):
        links.append((gettext("Befunde als CSV"), url_for("imports.report_view", id=run.id)))
    return links


def _apply_label(spec: ModelSpec, chosen: dict[str, int], run: ImportRun) -> str:
    new, changed = chosen["new"], chosen["changed"]
    if chosen["delete"]:
        return gettext("%(count)s löschen", count=format_number(chosen["delete"]))
    if new and not changed:
        children = ImportRow.select().where(
            ImportRow.run == run.id, ImportRow.state == "new", ImportRow.entity != spec.name
        )
        if children.first() is None:
            return gettext("%(what)s anlegen", what=counted(spec, new))
        return ngettext("%(count)s Zeile anlegen", "%(count)s Zeilen anlegen", new)
    if new:
        return ngettext("%(count)s Zeile übernehmen", "%(count)s Zeilen übernehmen", new + changed)
    if changed:
        return ngettext("%(count)s Änderung übernehmen", "%(count)s Änderungen übernehmen", changed)
    return gettext("Nichts zu übernehmen")


def _cleared_note(run: ImportRun) -> tuple[str, str] | None:
    count = run.counts.get("cleared", 0)
    if not count:
        return None
    words = ngettext("%(count)s Wert wird geleert", "%(count)s Werte werden geleert", count)
    return words, url_for("imports.preview_view", id=run.id, show="cleared")


def _headline(run: ImportRun, survey: Survey, options: ImportOptions) -> str:
    """What matters above all: a message, or columns that are left out although their heading is known."""
    if run.message:
        return str(run.message)
    secret = gettext("wird nie aus einer Datei übernommen")
    found = zip(survey.main.detection.headings, survey.main.guesses, options.targets, strict=False)
    left_out = [
        (f"„{heading}“", reason) for heading, (_target, reason, look), target in found if look == "warn" and not target
    ]
    closed = [heading for heading, reason in left_out if reason == secret]
    others = [heading for heading, reason in left_out if reason != secret]
    sentences = []
    if closed:
        sentences.append(
            ngettext(
                "Die Spalte %(columns)s wird nie aus einer Datei übernommen.",
                "Die Spalten %(columns)s werden nie aus einer Datei übernommen.",
                len(closed),
                columns=", ".join(closed),
            )
        )
    if others:
        sentences.append(
            ngettext(
                "Die Spalte %(columns)s wird nicht übernommen; warum, steht unter „Zuordnung“.",
                "Die Spalten %(columns)s werden nicht übernommen; warum, steht unter „Zuordnung“.",
                len(others),
                columns=", ".join(others),
            )
        )
    return " ".join(sentences)


def _range(total: int, page: int, shown_rows: int) -> str:
    if not total:
        return ""
    first = (page - 1) * PAGE + 1
    return gettext(
        "Zeilen %(first)s–%(last)s von %(total)s",
        first=format_number(first),
        last=format_number(first + shown_rows - 1),
        total=format_number(total),
    )


def _empty(run: ImportRun, show: str) -> str:
    if show == "unchanged" and run.counts.get("unchanged"):
        return ngettext(
            "%(count)s Zeile stimmt mit dem Bestand überein und wird nicht angefasst.",
            "%(count)s Zeilen stimmen mit dem Bestand überein und werden nicht angefasst.",
            run.counts["unchanged"],
        )
    return gettext("Hier gibt es keine Zeilen.")


class _Places:
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


# --- unknown words --------------------------------------------------------------------------------------------------


def _unknown(
    run: ImportRun, options: ImportOptions, spec: ModelSpec, operator: Operator, registry: Registry
) -> dict[str, Any] | None:
    """The words of the file that nobody knows, with proposals; and those that were explained."""
    entries = list(enumerate(run.detection.get("unknown", ())))
    known = [(target, text, value) for target, words in options.values.items() for text, value in words.items()]
    if not entries and not known:
        return None
    lists: dict[str, list[tuple[str, str]] | None] = {}
    rows = []
    for number, entry in entries[:_UNKNOWN]:
        found = find_target(entry["target"], spec)
        if found is None:
            continue
        item = found[1]
        if entry["target"] not in lists:
            lists[entry["target"]] = possible_values(item, operator)
        values = lists[entry["target"]]
        titles = dict(values or ())
        rows.append(
            {
                "name": f"value-{number}",
                "heading": entry["heading"],
                "text": entry["text"],
                "where": ngettext(
                    "in Zeile %(row)s", "in %(count)s Zeilen, zuerst in Zeile %(row)s", entry["count"],
                    row=format_number(entry["row"]),
                ),
                "values": values,
                "proposals": [
                    (f"{number}|{value}", titles[value]) for value in similar(entry["text"], values or ())
                ],
                "field": {
                    "name": f"value-{number}", "kind": "lookup", "label": entry["text"], "value": "", "display": "",
                    "lookup_url": registry.lookup_url(item.references) if item.target is not None else "",
                },
            }
        )  # fmt: skip
    if options.schema and operator.may("import_schema.edit"):
        note = gettext("wird im Importschema „%(name)s“ gemerkt", name=options.schema)
    else:
        note = gettext("gilt für diese Datei; mit „merken als“ unter „Zuordnung“ auch für die nächsten")
    return {
        "rows": rows,
        "more": max(0, len(entries) - _UNKNOWN),
        "known": [(f"{target}|{text}", target_label(target, spec), text, value) for target, text, value in known],
        "note": note,
        "plan": run.plan,
    }


def posted_value(posted: Mapping[str, str], number: int, entry: dict[str, Any], spec: ModelSpec) -> str:
    """What was chosen for the n-th unknown word, as text that its field understands."""
    value = posted.get(f"value-{number}", "").strip()
    found = find_target(entry["target"], spec)
    typed = posted.get(f"value-{number}_text", "").strip()
    if found is not None and found[1].target is not None and f"value-{number}_text" in posted:
        codes = ReferenceCache().codes(found[1].references, {int(value)}) if is_number(value) else {}
        return codes.get(int(value), typed) if value and is_number(value) else typed
    return value


def _cells(
    found: list[ImportRow], registry: Registry, operator: Operator, own: bool, places: _Places
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


def _row_choices(row: ImportRow, places: _Places, has_several: bool) -> list[tuple[str, str, bool]]:
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


# --- result ---------------------------------------------------------------------------------------------------------


def result_context(run: ImportRun, survey: Survey | None, spec: ModelSpec, registry: Registry) -> dict[str, Any]:
    """What an import has done."""
    counts = run.counts
    applied = counts.get("applied", 0)
    done = ChangeSetRecord.get_or_none(ChangeSetRecord.id == run.change_set_id) if run.change_set_id else None
    back = taken_back([done.id]).get(done.id) if done is not None else None
    undone = back is not None and back.is_whole
    if back is not None and back.is_whole:
        headline = (_taken_back_words(back), "warn")
    elif done is not None:
        words = ngettext("%(count)s Datensatz übernommen.", "%(count)s Datensätze übernommen.", applied)
        if has_faults(run):
            headline = (gettext("Fertig mit Fehlern: %(words)s", words=words), "warn")
        else:
            headline = (gettext("Fertig: %(words)s", words=words), "good")
        if back is not None:
            headline = (f"{headline[0]} {gettext('Ein Teil davon wurde zurückgenommen.')}", "warn")
    else:
        headline = (gettext("Es war nichts zu übernehmen."), "")
    links: list[tuple[str, str, bool]] = []
    if done is not None and done.created_count and not undone:
        links.append((gettext("Neue in der Liste zeigen"), url_for("imports.created_view", id=run.id), True))
    if done is not None:
        links.append((gettext("Vorgang ansehen"), registry.operation_url(done.id), False))
    if back is not None:
        links.append((gettext("Rücknahme ansehen"), registry.operation_url(back.by), False))
    if run.storage_name and (counts.get("error") or counts.get("conflict") or counts.get("duplicates")):
        links.append((gettext("Meine Datei mit Markierungen"), url_for("imports.marked_view", id=run.id), False))
    if counts.get("error") or counts.get("skipped"):
        links.append((gettext("Befunde als CSV"), url_for("imports.report_view", id=run.id), False))
    undo = None
    if done is not None and not undone and registry.undo_url(done.id):
        undo = {"url": registry.undo_url(done.id), "label": gettext("Import zurücknehmen")}
    listed, more = _result_findings(run)
    return {
        "page_title": run.file_name,
        "back": imports_back(),
        "subtitle": outcome_words(run) or (rows_text(survey) if survey is not None else ""),
        "headline": headline,
        "tiles": [(count, label, "", False, look) for count, label, look in outcome_tiles(run)],
        "links": links,
        "undo": undo,
        "job": None,
        "jobs_url": "",
        "findings": listed,
        "findings_more": more,
        "laid_down": _laid_down(run),
    }


def _taken_back_words(back: TakenBack) -> str:
    undo = ChangeSetRecord.get_by_id(back.by)
    return gettext(
        "Dieser Import wurde am %(when)s von %(who)s zurückgenommen. Die Zahlen sagen, was er getan hatte.",
        when=format_datetime(undo.changed_at),
        who=undo.user_name,
    )


def _laid_down(run: ImportRun) -> list[tuple[str, str]]:
    """(sentence, look) about the files for other systems."""
    count = run.counts.get("laid_down", 0)
    words = ngettext("%(count)s Datei liegt im Ausgangsordner.", "%(count)s Dateien liegen im Ausgangsordner.", count)
    told = [(words, "info")] if count else []
    return [*told, (run.message, "warn")] if run.message and run.state == "done" else told


def _result_findings(run: ImportRun) -> tuple[list[tuple[int, str, str, str]], int]:
    looked = ImportRow.state.in_(("error", "conflict", "skipped")) | (ImportRow.is_duplicate == True)  # noqa: E712
    query = ImportRow.select().where(ImportRow.run == run.id, looked).order_by(ImportRow.id)
    total = query.count()
    listed = []
    for row in query.limit(_LISTED_FINDINGS):
        for heading, value, sentence, weight in row.findings:
            words = sentence if not value or f"„{value}“" in sentence else f"„{value}“ {sentence}"
            text = f"{heading}: {words}" if heading else words
            listed.append((row.row_number, row.title, text, "" if weight == "note" else weight))
        if row.state == "conflict":
            names = [name for name, cell in row.plan.items() if not is_taken(cell, row.decisions.get(name))]
            labels = ", ".join(str(known_specs()[row.entity].field(name).label) for name in names)
            if labels:
                words = gettext("nicht übernommen, weil inzwischen geändert: %(fields)s", fields=labels)
                listed.append((row.row_number, row.title, words, "warn"))
    return listed, max(0, total - _LISTED_FINDINGS)


__all__ = [
    "AS_RECORD",
    "DOORS",
    "blank_field",
    "candidates",
    "default_fields",
    "default_name",
    "first_door",
    "mapping_context",
    "mode_field",
    "posted_value",
    "preview_context",
    "result_context",
    "schema_names",
    "select_field",
    "state_words",
    "take_defaults",
]

"""The page of all cells that would change. Context: templates/appadmin/import_preview.html."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_admin import expose

from flask_appadmin.changes import known_specs
from flask_appadmin.digits import is_number
from flask_appadmin.i18n import format_datetime, format_number, gettext, ngettext
from flask_appadmin.rights import Operator
from flask_appadmin.selections import counted
from flask_appadmin.sheets.applying import count_chosen
from flask_appadmin.sheets.damage.damages import Damage, damages_of
from flask_appadmin.sheets.reporting import deletions_of
from flask_appadmin.sheets.sessions import ImportRow, ImportRun, SheetExport
from flask_appadmin.sheets.surveying import ImportOptions, Survey
from flask_appadmin.specs import ModelSpec
from flask_appadmin.views.imports.mapping_fields import blank_field
from flask_appadmin.views.imports.preview_rows import CellPlaces, preview_rows
from flask_appadmin.views.imports.session import ImportPages
from flask_appadmin.views.imports.standing import imports_back, rows_text
from flask_appadmin.views.imports.value_words import unknown_words

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

#: Rows of the file on one page of the preview.
PAGE = 50
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


class PreviewPages(ImportPages):
    """The page of the preview."""

    @expose("/preview")
    def preview_view(self) -> Any:
        run = self._run()
        if run.state != "preview":
            return redirect(url_for("imports.run_view", id=run.id))
        show = request.args.get("show", "")
        show = show if show in DOORS else first_door(run.counts)
        survey = Survey.from_json(run.detection)
        page = request.args.get("page", "1")
        number = int(page) if is_number(page, 8) else 1
        context = preview_context(run, survey, self._spec(run.entity), g.operator, self.registry, show, number)
        return render_template("appadmin/import_preview.html", **context)


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
    places = CellPlaces(run, survey, spec, options)
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
        "rows": preview_rows(found, registry, operator, own, places),
        "unknown": unknown_words(run, options, spec, operator, registry),
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

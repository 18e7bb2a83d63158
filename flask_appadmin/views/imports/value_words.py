"""Words of the file that nobody knows: asked for above the preview, explained once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import g, redirect, request, session, url_for
from flask_admin import expose

from flask_appadmin.digits import is_number
from flask_appadmin.errors import FieldError
from flask_appadmin.i18n import format_number, gettext, ngettext
from flask_appadmin.rights import Operator
from flask_appadmin.sheets.mapping import find_target, read_cell
from flask_appadmin.sheets.row_reader import CLEAR_WORDS
from flask_appadmin.sheets.schemas import remember_values
from flask_appadmin.sheets.sessions import ImportRun
from flask_appadmin.sheets.surveying import ImportOptions, Survey, target_label
from flask_appadmin.sheets.unknown_values import possible_values, similar
from flask_appadmin.specs import ModelSpec, ReferenceCache
from flask_appadmin.views.imports.session import ImportPages, place_of
from flask_appadmin.views.imports.standing import store_run

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

#: So many unknown words stand on the page at once.
_UNKNOWN = 30


class ValuePages(ImportPages):
    """What words of the file mean."""

    @expose("/values", methods=("POST",))
    def values_view(self) -> Any:
        """What words of the file mean (`value-<n>` of the n-th unknown one, `map` = "<n>|<value>" for one of them at
        once, `forget` = "<target>|<word>"): kept with the run and its schema, and planned anew."""
        run = self._run()
        survey = Survey.from_json(run.detection)
        if run.state != "preview" or survey.is_own:
            return redirect(url_for("imports.run_view", id=run.id))
        options = ImportOptions.from_json(run.options)
        meant = self._meant(run, options)
        if meant:
            kept = remember_values(options, meant, g.operator)
            store_run(run, options=options.to_json())
            self._plan(run, survey, g.operator)
            if run.state != "preview":
                return redirect(url_for("imports.run_view", id=run.id))
            words = gettext("Im Importschema „%(name)s“ gemerkt.", name=options.schema) if kept else ""
            session["toast"] = {"text": words or gettext("Für diese Datei übernommen."), "undo_url": ""}
        return redirect(url_for("imports.preview_view", **place_of(run)))

    def _meant(self, run: ImportRun, options: ImportOptions) -> dict[str, dict[str, str]]:
        """Target -> word -> value, as posted; what the field does not understand is left out with a sentence."""
        posted, spec = request.form, self._spec(run.entity)
        if "forget" in posted:
            target, _bar, text = posted["forget"].partition("|")
            return {target: {text: ""}} if text in options.values.get(target, {}) else {}
        at, _bar, at_once = posted.get("map", "").partition("|")
        meant: dict[str, dict[str, str]] = {}
        names = ReferenceCache()
        for number, entry in enumerate(run.detection.get("unknown", ())):
            value = at_once if at == str(number) else "" if at else posted_value(posted, number, entry, spec)
            found = find_target(entry["target"], spec)
            if not value or found is None or posted.get("plan") != run.plan:
                continue
            try:
                if value.casefold() not in CLEAR_WORDS:
                    read_cell(value, found[1], names, is_own=True)
            except FieldError as fault:
                store_run(run, message=fault.sentence())
                continue
            meant.setdefault(entry["target"], {})[entry["text"]] = value
        return meant


def unknown_words(
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

"""What an operator decides about the rows of a preview: conflicts, new records, mended cells, blanks, damages.

What changes the plan is planned anew. Errors: NotFound for what cannot be decided.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import g, redirect, request, session, url_for
from flask_admin import expose

from flask_appadmin.changes import known_specs
from flask_appadmin.database import in_transaction
from flask_appadmin.digits import is_number
from flask_appadmin.errors import NotFound
from flask_appadmin.i18n import format_number, gettext, ngettext
from flask_appadmin.sheets import corrections
from flask_appadmin.sheets.applying import WHOLE_ROW, is_conflict
from flask_appadmin.sheets.damage.damages import damages_of
from flask_appadmin.sheets.sessions import ImportRow, ImportRun
from flask_appadmin.sheets.surveying import ImportOptions, Survey
from flask_appadmin.views.imports.preview_rows import AS_RECORD, candidates
from flask_appadmin.views.imports.session import ImportPages, place_of
from flask_appadmin.views.imports.standing import store_run
from flask_appadmin.views.imports.targets import is_open


class DecisionPages(ImportPages):
    """Decisions about rows, cells, blanks and damages."""

    @expose("/choose", methods=("POST",))
    def choose_view(self) -> Any:
        """A decision about one cell or row (`choose`) or about all conflicts (`choose_all`), and mended cells
        (`fix-<row>-<column>`, beside `was-…` what stood there). What changes the plan is planned anew."""
        run = self._run()
        if run.state != "preview":
            return redirect(url_for("imports.run_view", id=run.id))
        options = ImportOptions.from_json(run.options)
        survey = Survey.from_json(run.detection)
        chosen = request.form.get("choose", "")
        plans = False
        if "choose_all" in request.form:
            self._choose_all(run, request.form["choose_all"])
        elif chosen:
            plans = self._choose(run, chosen, options)
        mended = self._mend(run, survey, options)
        store_run(run, plan=secrets.token_hex(8), options=options.to_json())
        if not mended and not plans:
            return redirect(url_for("imports.preview_view", **place_of(run)))
        before = run.counts.get("error", 0)
        self._plan(run, survey, g.operator)
        if run.state != "preview":
            return redirect(url_for("imports.run_view", id=run.id))
        if mended:
            left = ImportRun.get_by_id(run.id).counts.get("error", 0)
            words = ngettext("%(count)s Wert korrigiert.", "%(count)s Werte korrigiert.", mended)
            if before:
                words += " " + ngettext("%(count)s Fehler bleibt.", "%(count)s Fehler bleiben.", left)
            session["toast"] = {"text": words, "undo_url": ""}
        return redirect(url_for("imports.preview_view", **place_of(run)))

    def _mend(self, run: ImportRun, survey: Survey, options: ImportOptions) -> int:
        """Keeps what was typed in place of cells; answers how many."""
        spec = self._spec(run.entity)
        mended = 0
        for name, text in request.form.items():
            kind, _dash, rest = name.partition("-")
            number, _dash, place = rest.partition("-")
            if kind != "fix" or text == request.form.get(f"was-{rest}", "") or not (is_number(number, 18)):
                continue
            row = ImportRow.get_or_none(ImportRow.id == int(number), ImportRow.run == run.id)
            sheet = next((each for each in survey.sheets if row and each.name[:60] == row.sheet), None)
            if row is None or sheet is None or not is_number(place, 5):
                raise NotFound()
            targets = sheet.own if sheet.own is not None else options.targets
            table = known_specs()[sheet.entity] if sheet.own is not None else spec
            if int(place) >= len(targets) or not is_open(targets[int(place)], table, g.operator):
                raise NotFound()
            if len(options.corrections) >= corrections.MOST:
                words = gettext(
                    "Hier lassen sich höchstens %(count)s Werte korrigieren; bitte berichtigen Sie die Datei.",
                    count=format_number(corrections.MOST),
                )
                store_run(run, message=words)
                break
            cell = corrections.place_of(row.sheet, row.row_number, int(place))
            options.corrections[cell] = text.replace("\x00", "")[:10_000]
            mended += 1
        return mended

    def _choose(self, run: ImportRun, text: str, options: ImportOptions) -> bool:
        """Notes a decision; answers whether the file has to be planned anew."""
        number, _bar, rest = text.partition("|")
        name, _bar, value = rest.partition("|")
        row = ImportRow.get_or_none(ImportRow.id == int(number), ImportRow.run == run.id) if is_number(number) else None
        if row is None:
            raise NotFound()
        place = f"{row.sheet}|{row.row_number}"
        if name == AS_RECORD and value == "new" and options.matches.pop(place, None) is not None:
            return True
        if name == WHOLE_ROW and row.state == "new" and row.is_duplicate and is_number(value):
            if int(value) not in candidates([row], self._spec(run.entity), g.operator).get(row.id, {}):
                raise NotFound()
            options.matches[place] = int(value)
            return True
        if name == WHOLE_ROW and value in ("take", "skip"):
            decisions = {**row.decisions, WHOLE_ROW: value}
        elif name in row.plan and row.state != "new" and value in _choices(row.plan[name]):
            decisions = {**row.decisions, name: value}
        else:
            raise NotFound()
        ImportRow.update(decisions=decisions).where(ImportRow.id == row.id).execute()
        return False

    @staticmethod
    def _choose_all(run: ImportRun, value: str) -> None:
        if value not in ("mine", "theirs", "base"):
            raise NotFound()

        def work() -> None:
            query = ImportRow.select().where(ImportRow.run == run.id, ImportRow.state == "conflict")
            for row in list(query):
                chosen = {name: value for name, cell in row.plan.items() if is_conflict(cell)}
                ImportRow.update(decisions={**row.decisions, **chosen}).where(ImportRow.id == row.id).execute()

        in_transaction(work)

    @expose("/blank", methods=("POST",))
    def blank_view(self) -> Any:
        """Switches what blank cells of a foreign file mean, and plans anew."""
        run = self._run()
        survey = Survey.from_json(run.detection)
        if run.state == "preview" and not survey.is_own:
            options = ImportOptions.from_json(run.options)
            options.blank = "clear" if request.form.get("blank") == "clear" else "keep"
            store_run(run, options=options.to_json())
            self._plan(run, survey, g.operator)
            return redirect(url_for("imports.run_view", id=run.id))
        return redirect(url_for("imports.preview_view", **place_of(run)))

    @expose("/repair", methods=("POST",))
    def repair_view(self) -> Any:
        """Takes what was chosen about one damage (`repair` = its key and "repair", "keep" or ""), and plans anew."""
        run = self._run()
        if run.state == "preview":
            key, _bar, choice = request.form.get("repair", "").rpartition("|")
            if choice not in ("repair", "keep", "") or key not in {damage.key for damage in damages_of(run.detection)}:
                raise NotFound()
            options = ImportOptions.from_json(run.options)
            options.repairs[key] = choice
            store_run(run, options=options.to_json())
            self._plan(run, Survey.from_json(run.detection), g.operator)
            return redirect(url_for("imports.run_view", id=run.id))
        return redirect(url_for("imports.preview_view", **place_of(run)))


def _choices(cell: list[Any]) -> tuple[str, ...]:
    """What may be decided about a planned cell."""
    return ("mine", "theirs", "base") if is_conflict(cell) else ("mine", "theirs")

"""Where a run stands: its state in words, and the one place that writes it.

Shape: words come with the look of a tag. Errors: none.
"""

from __future__ import annotations

from typing import Any

from flask import url_for

from flask_appadmin.history import taken_back
from flask_appadmin.i18n import gettext, ngettext
from flask_appadmin.sheets.outcomes import has_faults
from flask_appadmin.sheets.sessions import ImportRun
from flask_appadmin.sheets.surveying import Survey


def store_run(run: ImportRun, **values: Any) -> None:
    ImportRun.update(**values).where(ImportRun.id == run.id).execute()
    for name, value in values.items():
        setattr(run, name, value)


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

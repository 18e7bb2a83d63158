"""What other systems get of an import: owed from the moment it is stored, and laid down when it is.

Shape: `apply_run` marks in its transaction that a run owes its files; `hand_on` lays them down and takes the mark away.
A run whose process died in between still owes them: `settle_debts` starts a job for it when a server or worker starts,
and after later imports. To lay a file down twice does no harm: it has the name of its record and says what that is now.
Errors: none; what could not be laid down is told on the page of the run and not tried again. Source: ME-18.
"""

from __future__ import annotations

import contextlib
import datetime
from pathlib import Path
from typing import Any

from flask_appadmin import jobs
from flask_appadmin.changes import known_specs
from flask_appadmin.database import in_transaction, utcnow
from flask_appadmin.errors import AppAdminError
from flask_appadmin.history import ChangeRecord, has_final, is_final
from flask_appadmin.i18n import gettext
from flask_appadmin.jobs import RunningJob
from flask_appadmin.rights import Operator, User, operator_of, system_operator
from flask_appadmin.sheets.outbox import outbox
from flask_appadmin.sheets.sessions import ImportRun
from flask_appadmin.specs import ModelSpec

#: Whoever has applied an import lays its files down himself, unless they are missing for longer than this.
_PATIENCE = datetime.timedelta(seconds=jobs.TAKE_OVER_SECONDS)


def hand_on(run: ImportRun, spec: ModelSpec, operator: Operator, instance: Path | None) -> list[str]:
    """Lays down what other systems get of the records that were written; to be called when all of it is stored.

    Answers the sentences about what did not work, which the run keeps for its page; the import stays as it is.
    """
    if instance is None:
        return []
    faults = _lay_down(ImportRun.get_by_id(run.id), spec, operator, instance)
    settle_debts(instance, older_than=_PATIENCE)
    return faults


def _lay_down(run: ImportRun, spec: ModelSpec, operator: Operator, instance: Path) -> list[str]:
    count, faults = 0, []
    if run.change_set_id is not None:
        written = (ChangeRecord.change_set == run.change_set_id) & (ChangeRecord.owner_entity == spec.name)
        keys = [row[0] for row in ChangeRecord.select(ChangeRecord.owner_id).where(written).distinct().tuples()]
        if has_final():
            # Of whoever was anonymised since, nothing leaves.
            keys = [key for key in keys if not is_final(spec.name, key)]
        try:
            count, faults = spec.model.hand_on(sorted(keys), operator, outbox(instance))
        except (AppAdminError, OSError) as fault:
            told = fault.sentence() if isinstance(fault, AppAdminError) else gettext("Der Ausgangsordner fehlt.")
            faults = [told]

    def settled() -> None:
        values: dict[str, Any] = {"owes_files": False}
        if count or faults:
            counts: Any = {**ImportRun.get_by_id(run.id).counts, "laid_down": count}
            values |= {"counts": counts, "message": " ".join(faults) or None}
        ImportRun.update(**values).where(ImportRun.id == run.id).execute()

    in_transaction(settled)
    return faults


def settle_debts(instance: Path, *, older_than: datetime.timedelta = datetime.timedelta(0)) -> int:
    """Starts a job for each run that still owes its files, of those applied so long ago; answers how many owe."""
    owing = ImportRun.select().where(ImportRun.owes_files == True, ImportRun.state == "done")  # noqa: E712
    count = 0
    for run in owing.order_by(ImportRun.id):
        done = run.change_set
        if done is not None and done.changed_at > utcnow() - older_than:
            continue
        count += 1
        user = User.get_or_none(User.id == run.user_id) if run.user_id else None
        operator = operator_of(user) if user is not None else system_operator(run.user_name)
        title = gettext("Dateien nach dem Import: %(file)s", file=run.file_name)
        with contextlib.suppress(AppAdminError):  # too many jobs wait already; the debt stays
            parameters = {"run": run.id, "folder": str(instance)}
            jobs.start("import_hand_on", title, parameters, operator, key=f"import_hand_on-{run.id}")
    return count


def run_handing_on(job: RunningJob) -> Any:
    """The job that lays down what a process that died has left."""
    run = ImportRun.get_or_none(ImportRun.id == job.parameters["run"])
    if run is None or not run.owes_files:
        return None
    spec = known_specs()[run.entity]
    return {"faults": bool(_lay_down(run, spec, job.operator, Path(job.parameters["folder"])))}


jobs.register_job("import_hand_on", run_handing_on)


__all__ = ["hand_on", "settle_debts"]

"""What all pages of an import share: whose they are, and the run that they are about.

Errors: NotFound for a run of somebody else, NotAllowed for whoever may not import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import abort, g, request

from flask_appadmin.digits import is_number
from flask_appadmin.errors import NotAllowed, NotFound
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import RIGHTS, Operator
from flask_appadmin.sheets import storage
from flask_appadmin.sheets.planning import Planner
from flask_appadmin.sheets.sessions import ImportRun
from flask_appadmin.sheets.surveying import ImportOptions, Survey
from flask_appadmin.specs import ModelSpec
from flask_appadmin.views.imports.running import is_many, settle, start_job
from flask_appadmin.views.imports.standing import store_run
from flask_appadmin.views.jobs_page import instance_folder
from flask_appadmin.views.signed_in import SignedInView

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry


class ImportPages(SignedInView):
    """Whose pages these are, and what they are about."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        super().__init__(name=gettext("Importe"), endpoint="imports", url="/admin/imports")

    def is_accessible(self) -> bool:
        found: Operator | None = getattr(g, "operator", None)
        return found is not None and any(found.may(f"import.{mode}") for mode in ("new", "replace", "delete"))

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        if getattr(g, "operator", None) is None:
            abort(401)
        raise NotAllowed("import.new", RIGHTS["import.new"])

    def _spec(self, name: str) -> ModelSpec:
        found = self.registry.specs_by_name.get(name) if name else self.registry.search_spec
        if found is None and not name:
            found = next((spec for spec in self.registry.specs if spec.owner is None), None)
        if found is None:
            raise NotFound()
        return found

    def _run(self) -> ImportRun:
        """The run of ?id=…, for whoever began it."""
        text = request.args.get("id", "")
        if not is_number(text):
            raise NotFound()
        run = ImportRun.get_or_none(ImportRun.id == int(text))
        if run is None or run.user_id != g.operator.user_id or run.entity not in self.registry.specs_by_name:
            raise NotFound()
        g.operator.require(f"{self._spec(run.entity).right}.read")
        return settle(run)

    def _plan(self, run: ImportRun, survey: Survey, operator: Operator) -> None:
        """Plans in this request, or as a job."""
        if is_many(survey.row_count):
            start_job(run, "import_plan", operator)
            return
        path = storage.uploads(instance_folder()).path(run.storage_name)
        spec = self._spec(run.entity)
        Planner(run, path, spec, operator, ImportOptions.from_json(run.options)).plan(survey)
        store_run(run, state="preview", message=None)


def place_of(run: ImportRun) -> dict[str, Any]:
    place: dict[str, Any] = {"id": run.id}
    for name in ("show", "page"):
        if request.args.get(name):
            place[name] = request.args[name][:20]
    return place

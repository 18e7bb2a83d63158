"""„Importschema ändern“: columns of a file („Von“) are assigned to the fields of a table („Nach“), and kept by name.

Shape: GET shows a mapping, or an empty one for the table of ?entity=…; POST stores it (`_do` = "save") or reads the
headings of a sample file into it (`_do` = "read"). Columns are posted as the lists `source`, `target` and `example` of
equal length, values as `value_target`, `value_from` and `value_to`.
Errors: everything that is wrong at once, with status 422; what was done stays on the page. Context:
templates/appadmin/import_schema.html. Source: ME-06, ME-07.
"""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, session, url_for
from flask_admin import expose
from werkzeug.datastructures import FileStorage

from flask_appadmin.errors import AppAdminError, FaultList, FieldError, NotFound, SheetError
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import Operator
from flask_appadmin.sheets import storage
from flask_appadmin.sheets.delete_targets import DELETE_TARGET, delete_targets
from flask_appadmin.sheets.import_modes import MODES, item_of
from flask_appadmin.sheets.mapping import TURNED, find_target, read_cell
from flask_appadmin.sheets.row_reader import CLEAR_WORDS
from flask_appadmin.sheets.schemas import CONTINUED, SchemaDraft, draft_of, store_draft
from flask_appadmin.sheets.sessions import ImportSchema
from flask_appadmin.sheets.surveying import ImportOptions, key_fields, survey_file, target_label
from flask_appadmin.sheets.unreadable import display_name
from flask_appadmin.shell import accepts_uploads
from flask_appadmin.specs import ModelSpec, ReferenceCache, spec_of
from flask_appadmin.views.imports.mapping_fields import (
    blank_field,
    default_fields,
    mode_field,
    select_field,
    take_defaults,
)
from flask_appadmin.views.imports.targets import MARKS, target_groups
from flask_appadmin.views.jobs_page import instance_folder
from flask_appadmin.views.model_view import AppModelView, operator

#: A sample needs no more: bytes.
_SAMPLE = 1_000_000
#: So many columns and values a mapping may have.
_MOST = 1_000


class ImportSchemaView(AppModelView):
    """Saved mappings; each opens in its own editor."""

    model = ImportSchema
    columns = ("name", "import_mode", "insert_missing", "blank_clears")
    new_label = _("Neues Importschema")

    @expose("/new/", methods=("GET", "POST"))
    @accepts_uploads
    def create_view(self) -> Any:
        operator().require(f"{self.spec.right}.create")
        return SchemaPage(self, operator(), None).answer()

    @expose("/edit/", methods=("GET", "POST"))
    @accepts_uploads
    def edit_view(self) -> Any:
        operator().require(f"{self.spec.right}.{'edit' if request.method == 'POST' else 'read'}")
        return SchemaPage(self, operator(), self._key()).answer()


class SchemaPage:
    """One request for one mapping."""

    def __init__(self, view: ImportSchemaView, who: Operator, key: int | None) -> None:
        self.view, self.registry, self.operator, self.key = view, view.registry, who, key
        record = ImportSchema.get_or_none(ImportSchema.id == key) if key is not None else None
        if key is not None and record is None:
            raise NotFound(view.spec, key)
        self.draft = draft_of(record) if record is not None else SchemaDraft(entity=self._wanted_table())
        #: What the mapping knows already stays possible, also for whoever may not set it.
        self.stored = {target for _source, target in self.draft.columns}
        spec = self.registry.specs_by_name.get(self.draft.entity)
        if spec is None or spec.name not in self.registry.views:
            raise NotFound(view.spec, key)
        self.spec: ModelSpec = spec
        who.require(f"{spec.right}.read")
        self.examples: dict[str, str] = {}
        self.groups = target_groups(spec, who, self.registry, marks=True)

    def _wanted_table(self) -> str:
        wanted = request.values.get("entity", "")
        first = self.registry.search_spec or next(spec for spec in self.registry.specs if spec.owner is None)
        return wanted if wanted in self.registry.views else str(first.name)

    def answer(self) -> Any:
        if request.method != "POST":
            return self._draw()
        self._read_form()
        if request.form.get("_do") == "read":
            try:
                self._read_sample()
            except SheetError as fault:
                return self._draw([fault.sentence()]), 422
            return self._draw()
        faults = self._faults()
        if not faults:
            try:
                key, done = store_draft(self.draft, self.operator, self.key)
            except FaultList as refused:
                faults = list(refused.faults)
            else:
                words = gettext("Gespeichert.") if done is not None else gettext("Es war nichts zu ändern.")
                session["toast"] = {"text": words, "undo_url": self.registry.undo_url(done) if done else ""}
                return redirect(self.view.record_url(key))
        return self._draw([fault.sentence() for fault in faults]), 422

    # --- what was posted ---------------------------------------------------------------------------------------------

    def _read_form(self) -> None:
        posted, draft = request.form, self.draft
        draft.name = posted.get("name", "").replace("\x00", "").strip()
        draft.mode = posted.get("mode", draft.mode)
        draft.key = posted.get("key", "")
        draft.blank = "clear" if posted.get("blank") == "clear" else "keep"
        draft.insert_missing = draft.mode == "replace" and posted.get("insert_missing") == "1"
        take_defaults(posted, draft.defaults, self.spec)
        sources = [source.strip()[:120] for source in posted.getlist("source")[:_MOST]]
        targets = posted.getlist("target")[: len(sources)]
        draft.columns = [(source, target) for source, target in zip(sources, targets, strict=False) if source]
        self.examples = dict(zip(sources, posted.getlist("example"), strict=False))
        draft.values = {}
        lists = (posted.getlist(name)[:_MOST] for name in ("value_target", "value_from", "value_to"))
        for target, text, value in zip(*lists, strict=False):
            if target and text.strip() and value.strip():
                draft.values.setdefault(target, {})[text.strip()[:200]] = value.strip()[:200]

    def _read_sample(self) -> None:
        """Adds the headings of a file, with proposals for those that the mapping does not know."""
        given: FileStorage | None = request.files.get("sample")
        if given is None or not given.filename:
            raise SheetError(gettext("Bitte wählen Sie eine Datei aus."))
        store = storage.uploads(instance_folder())
        source: Any = given.stream
        stored = store.save(source)
        source.close()
        try:
            path = store.path(stored)
            if path.stat().st_size > _SAMPLE:
                raise SheetError(gettext("Für die Spalten genügt ein Muster: bitte eine Datei mit höchstens 1 MB."))
            options = ImportOptions(mode=self.draft.mode if self.draft.mode in MODES else "both")
            survey = survey_file(path, display_name(given.filename), self.spec, self.operator, options)
        finally:
            store.remove(stored)
        known = dict(self.draft.columns)
        taken = {target for target in known.values() if target}
        main = survey.main
        for index, hint in enumerate(main.detection.columns):
            heading = hint.heading[:120]
            if not heading:
                continue
            self.examples[heading] = " · ".join(hint.examples[:3])
            if heading in known:
                continue
            target = main.guesses[index][0] if index < len(main.guesses) else ""
            target = "" if target in taken else target
            taken.add(target)
            known[heading] = target
            self.draft.columns.append((heading, target))
        if not self.draft.key:
            certain = [item.name for item in key_fields(self.spec) if item.unique or item in self.spec.natural_key]
            self.draft.key = next((name for name in certain if name in taken), "")

    # --- what is wrong -----------------------------------------------------------------------------------------------

    def _faults(self) -> list[AppAdminError]:
        draft = self.draft
        faults: list[AppAdminError] = []
        spec = spec_of(ImportSchema)
        try:
            spec.field("name").check(draft.name or None)
        except FieldError as fault:
            faults.append(fault)
        if draft.mode not in MODES:
            draft.mode = "both"
            faults.append(AppAdminError(gettext("Diese Import-Art gibt es nicht.")))
        faults += self._faults_of_columns()
        if draft.key and draft.key not in {target for _source, target in draft.columns}:
            item = self.spec.by_name.get(draft.key)
            label = str(item.label) if item is not None else draft.key
            words = gettext("Der Schlüssel „%(field)s“ ist keiner Spalte zugeordnet.", field=label)
            faults.append(AppAdminError(words))
        names = ReferenceCache()
        for target, text in draft.defaults.items():
            try:
                read_cell(text, item_of(target, self.spec), names, is_own=True)
            except FieldError as fault:
                faults.append(fault)
        return faults + self._faults_of_values(names)

    def _faults_of_columns(self) -> list[AppAdminError]:
        draft = self.draft
        faults: list[AppAdminError] = []
        offered = {target for _caption, choices in self.groups for target, _label in choices} | self.stored
        assigned: dict[str, str] = {}
        marks = {target for target, _label in delete_targets(self.spec)}
        for source, target in draft.columns:
            if not target:
                continue
            if target not in offered:
                words = gettext("Spalte „%(source)s“: Dieses Feld kann keine Datei setzen.", source=source)
                faults.append(AppAdminError(words))
                continue
            if target in marks and draft.mode != "delete":
                words = gettext(
                    "„%(field)s“ gibt es nur mit der Import-Art „Löschen“.", field=target_label(target, self.spec)
                )
                faults.append(AppAdminError(words))
            one = target.replace(TURNED, "")
            if one in assigned:
                words = gettext(
                    "„%(field)s“ ist schon der Spalte „%(first)s“ zugeordnet; für „%(source)s“ bleibt es frei.",
                    field=target_label(target, self.spec), first=assigned[one], source=source,
                )  # fmt: skip
                faults.append(AppAdminError(words))
            assigned.setdefault(one, source)
        if not assigned and not faults:
            faults.append(AppAdminError(gettext("Bitte ordnen Sie mindestens eine Spalte einem Feld zu.")))
        return faults

    def _faults_of_values(self, names: ReferenceCache) -> list[AppAdminError]:
        faults: list[AppAdminError] = []
        for target, words in self.draft.values.items():
            found = find_target(target, self.spec)
            for text, value in words.items():
                if found is None:
                    faults.append(AppAdminError(gettext("„%(text)s“ gehört zu keinem Feld.", text=text)))
                elif value.casefold() not in CLEAR_WORDS and not found[1].within:
                    try:
                        read_cell(value, found[1], names, is_own=True)
                    except FieldError as fault:
                        faults.append(fault)
        return faults

    # --- drawing ------------------------------------------------------------------------------------------------------

    def _draw(self, errors: list[str] | None = None) -> str:
        draft = self.draft
        may_save = self.operator.may(f"{self.view.spec.right}.{'create' if self.key is None else 'edit'}")
        keys = [("", gettext("kein Schlüssel: jede Zeile ist neu"))]
        keys += [(item.name, str(item.label)) for item in key_fields(self.spec)]
        assigned = {target: source for source, target in draft.columns if target}
        labels = {target: self._label(target) for target in assigned}
        tables = [spec for spec in self.registry.specs if spec.owner is None and spec.name in self.registry.views]
        return render_template(
            "appadmin/import_schema.html",
            page_title=gettext("Importschema ändern") if self.key is not None else gettext("Neues Importschema"),
            subtitle="",
            back=(str(self.view.spec.plural), self.view.list_url()),
            action=self.view.record_url(self.key) if self.key is not None else request.path,
            errors=errors or [],
            may_save=may_save,
            name=draft.name,
            table=select_field(
                "entity", gettext("Import-Typ"), self.spec.name,
                sorted(((spec.name, str(spec.plural)) for spec in tables), key=lambda pair: pair[1].casefold())
                if self.key is None else [(self.spec.name, str(self.spec.plural))],
            ),
            is_new=self.key is None,
            mode=mode_field(draft.mode, self.spec, self.operator),
            key=select_field("key", gettext("Zeilen finden ihren Datensatz durch"), draft.key, keys),
            blank=blank_field(draft.blank),
            inserts=draft.insert_missing,
            defaults=default_fields(draft.defaults, self.spec, self.registry),
            columns=[
                {
                    "source": source,
                    "target": target,
                    "label": labels.get(target, ""),
                    "example": self.examples.get(source, ""),
                }
                for source, target in draft.columns
            ],
            groups=[
                {
                    "caption": caption,
                    "choices": [(target, label, assigned.get(target, "")) for target, label in choices],
                    "only_delete": bool(choices) and choices[0][0].startswith(MARKS),
                }
                for caption, choices in self.groups
            ],
            values=[
                (target, text, value) for target, words in draft.values.items() for text, value in words.items()
            ],
            value_targets=self._value_targets(labels),
            use_url=url_for("imports.index_view", model=self.spec.name, schema=draft.name) if self.key else "",
        )  # fmt: skip

    def _value_targets(self, labels: dict[str, str]) -> list[tuple[str, str]]:
        """The fields whose values a file may call otherwise: those assigned, and those that have values already."""
        known = [target for target in labels if not target.startswith(DELETE_TARGET)]
        known += [target for target in self.draft.values if target not in labels]
        return [(target, self._label(target)) for target in known]

    def _label(self, target: str) -> str:
        label = target_label(target.rstrip(CONTINUED), self.spec)
        return gettext("%(field)s (Fortsetzung)", field=label) if target.endswith(CONTINUED) else label


__all__ = ["ImportSchemaView"]

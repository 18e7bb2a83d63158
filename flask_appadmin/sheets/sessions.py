"""The tables behind files that leave and come home: exports, imports with their rows, saved mappings.

Shape: a SheetExport remembers what an exported file was made of (the last change at that moment), so that its values
can be rebuilt from the history when it comes back. An ImportRun is a stored session: file, detection, mapping, plan,
result; its ImportRows hold one row of the file each, with what would change and what was found. An ImportSchema is a
mapping under a name. Units: times are UTC; files expire.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import peewee

from flask_appadmin.changes.anonymising import Person, hide_in_texts, register_store, rows_with
from flask_appadmin.database import Record, database, utcnow
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.columns import JSONField
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import User
from flask_appadmin.specs import Description, described, spec_of

#: Begins the target of a column whose marks remove something; behind it stands the table.
DELETE_TARGET = "#delete:"


class SheetExport(peewee.Model):
    """One exported file."""

    key = peewee.CharField(max_length=16, unique=True)
    #: Signs the rows of this file.
    secret = peewee.CharField(max_length=64)
    user = peewee.ForeignKeyField(User, null=True, on_delete="SET NULL")
    user_name = peewee.CharField(max_length=80)
    entity = peewee.CharField(max_length=60)
    made_at = peewee.DateTimeField(default=utcnow)
    #: The last change of the history when the file was made.
    last_change = peewee.BigIntegerField(default=0)
    row_count = peewee.IntegerField(default=0)
    #: What was exported, in words.
    description = peewee.CharField(max_length=255, default="")
    #: {"format": "xlsx", "columns": [label, …], "sheets": [further table, …]}
    details = JSONField(null=True)

    class Meta:
        table_name = "sheet_export"
        database = database


class ImportSchema(Record):
    """A mapping of columns to fields under a name."""

    description = Description(
        label=_("Importschema"), plural=_("Importschemas"), title=("name",), menu="system", right="import_schema"
    )
    name = described(
        peewee.CharField(max_length=60, unique=True, verbose_name=_("Importschema")),
        copy="clear",
        natural_key=True,
        listed=True,
    )
    entity = described(peewee.CharField(max_length=60, verbose_name=_("Tabelle")), listed=True)
    import_mode = described(
        peewee.CharField(
            max_length=10,
            default="both",
            choices=[
                ("both", _("Neu und Ersetzen")),
                ("new", _("Neu")),
                ("replace", _("Ersetzen")),
                ("delete", _("Löschen")),
            ],
            verbose_name=_("Import-Art"),
        ),
        listed=True,
    )
    key_field = described(peewee.CharField(max_length=60, null=True, verbose_name=_("Schlüssel")))
    insert_missing = described(
        peewee.BooleanField(default=False, verbose_name=_("nicht gefundene Nummern einfügen")), listed=True
    )
    blank_clears = described(peewee.BooleanField(default=False, verbose_name=_("Leere Zellen leeren das Feld")))
    #: Target -> text that new records get.
    default_values = described(JSONField(null=True, verbose_name=_("Vorgaben für Neue")))
    #: Target -> text in the file -> text that the field understands.
    value_map = described(JSONField(null=True, verbose_name=_("Werte der Datei")))

    class Meta:
        table_name = "import_schema"

    rule_fields = ("import_mode",)

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        """Columns with marks belong to the mode „Löschen“ (ME-126)."""
        if values.get("id") is None or values.get("import_mode") == "delete":
            return
        marks = ImportSchemaField.target.startswith(DELETE_TARGET)
        if ImportSchemaField.select().where(ImportSchemaField.import_schema == values["id"], marks).exists():
            reason = gettext(
                "Die Löschspalten gehören zur Import-Art „Löschen“; bitte nehmen Sie zuerst ihre Zuordnungen weg."
            )
            yield FieldError(spec_of(cls).field("import_mode"), None, reason)


class ImportSchemaField(Record):
    """One column of a saved mapping."""

    description = Description(label=_("Zuordnung"), plural=_("Zuordnungen"), title=("source_column",), menu="")
    import_schema = described(
        peewee.ForeignKeyField(ImportSchema, backref="fields", on_delete="CASCADE", verbose_name=_("Importschema")),
        owner=True,
        copy="renew",
    )
    source_column = described(peewee.CharField(max_length=120, verbose_name=_("Von")), listed=True)
    target = described(
        peewee.CharField(max_length=120, verbose_name=_("Nach"), help_text=_("Feld, oder Tabelle.Feld")),
        listed=True,
        unique_with=("import_schema",),
    )

    class Meta:
        table_name = "import_schema_field"

    rule_fields = ("import_schema", "target")
    unique_messages = {"target": _("Dieses Feld ist in diesem Importschema schon einer Spalte zugeordnet.")}

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        """Columns with marks belong to the mode „Löschen“ (ME-126)."""
        if not str(values.get("target") or "").startswith(DELETE_TARGET):
            return
        schema = ImportSchema.get_or_none(ImportSchema.id == values.get("import_schema"))
        if schema is not None and schema.import_mode != "delete":
            reason = gettext("Diese Zuordnung gibt es nur in einem Importschema mit der Import-Art „Löschen“.")
            yield FieldError(spec_of(cls).field("target"), None, reason)


class ImportRun(peewee.Model):
    """One file on its way in."""

    user = peewee.ForeignKeyField(User, null=True, on_delete="CASCADE")
    user_name = peewee.CharField(max_length=80)
    entity = peewee.CharField(max_length=60)
    file_name = peewee.CharField(max_length=255)
    #: Name of the stored upload, "" once it expired.
    storage_name = peewee.CharField(max_length=80, default="")
    #: "reading", "mapping", "planning", "preview", "applying", "done", "discarded", "failed".
    state = peewee.CharField(max_length=12, default="mapping")
    started_at = peewee.DateTimeField(default=utcnow)
    #: ImportOptions as JSON.
    options = JSONField(default=dict)
    #: What was found in the file (sheets, headings, samples).
    detection = JSONField(default=dict)
    #: Rows by state; after applying also how many records were written.
    counts = JSONField(default=dict)
    #: Changes with every plan and every decision: what is applied is what was shown.
    plan = peewee.CharField(max_length=16, default="")
    #: The sentence for the operator when something went wrong.
    message = peewee.TextField(null=True)
    #: The export that a file of our own comes from.
    export = peewee.ForeignKeyField(SheetExport, null=True, on_delete="SET NULL", index=False)
    job = peewee.IntegerField(null=True)
    change_set = peewee.ForeignKeyField(ChangeSetRecord, null=True, on_delete="SET NULL")
    #: It was applied, and what other systems get of it is not laid down yet.
    owes_files = peewee.BooleanField(default=False)

    class Meta:
        table_name = "import_run"
        database = database
        indexes = ((("user", "id"), False),)


class ImportRow(peewee.Model):
    """One row of the file that would change something or has a finding; rows that agree are only counted."""

    run = peewee.ForeignKeyField(ImportRun, on_delete="CASCADE", index=False)
    entity = peewee.CharField(max_length=60)
    sheet = peewee.CharField(max_length=60, default="")
    row_number = peewee.IntegerField()
    #: "new", "changed", "unchanged", "conflict", "error", "skipped", "delete".
    state = peewee.CharField(max_length=10)
    record_id = peewee.BigIntegerField(null=True)
    title = peewee.CharField(max_length=160, default="")
    #: New record: {field: JSON value}, [row number] for an owner of the same file. Change: {field: [base, now, new]},
    #: with "conflict" behind it where both sides changed the value.
    plan = JSONField(default=dict)
    #: New children of a new record: [[entity, {field: JSON value}], …].
    children = JSONField(default=list)
    #: [[heading, value, sentence, "bad" | "warn" | "note"], …]
    findings = JSONField(default=list)
    #: Decisions: {field: "mine" | "theirs"}, {"*": "skip"} for a row that is left out.
    decisions = JSONField(default=dict)
    #: A new row that looks like a record that is there.
    is_duplicate = peewee.BooleanField(default=False)
    #: How many values it would clear.
    cleared = peewee.IntegerField(default=0)

    class Meta:
        table_name = "import_row"
        database = database
        indexes = ((("run", "state", "id"), False),)


def with_findings(run: ImportRun) -> Any:
    """The condition on the rows of a run that have something to say."""
    return (ImportRow.run == run.id) & (ImportRow.findings != peewee.Value("[]", converter=False))


def forget_run(run: ImportRun) -> None:
    """Removes a run with its rows, as if it had never been."""
    ImportRow.delete().where(ImportRow.run == run.id).execute()
    ImportRun.delete().where(ImportRun.id == run.id).execute()


def _forget(person: Person) -> int:
    """Rows of the record go, and those that name it; an import that waits for its operator is discarded then."""
    keys = set(rows_with(person, ImportRow, "title", "plan", "children", "findings"))
    for entity, records in person.rows.items():
        own = (ImportRow.entity == entity) & ImportRow.record_id.in_(sorted(records))
        keys.update(row[0] for row in ImportRow.select(ImportRow.id).where(own).tuples())
    runs = {row[0] for row in ImportRow.select(ImportRow.run).where(ImportRow.id.in_(sorted(keys))).tuples()}
    ImportRow.delete().where(ImportRow.id.in_(sorted(keys))).execute()
    open_ones = ImportRun.id.in_(sorted(runs)) & ImportRun.state.in_(("mapping", "preview", "failed"))
    told = gettext("Die Datei nannte jemanden, der inzwischen anonymisiert ist. Bitte laden Sie sie neu hoch.")
    ImportRun.update(state="discarded", message=told).where(open_ones).execute()
    hidden = hide_in_texts(person, ImportRun, "file_name", "options", "detection", "message")
    return len(keys) + hidden + hide_in_texts(person, SheetExport, "description")


register_store("imports", _("Importe und Exporte"), _forget)

#: Tables of this room, in the order of their creation.
MODELS = (SheetExport, ImportSchema, ImportSchemaField, ImportRun, ImportRow)

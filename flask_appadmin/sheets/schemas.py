"""Saved mappings: which column „Von“ leads to which field „Nach“, with mode, key, defaults, blank rule and values.

Shape: a `SchemaDraft` is an ImportSchema with its columns as people edit it; `store_draft` writes it as one operation,
`use_schema` puts it on the headings of a file. A target occurs once in a schema; further columns that are joined to the
same field end in "+" (area code and number). What a file calls a value is kept by target: {target: {text in the file:
text that the field understands}}.
Errors: FaultList with everything that is wrong with a draft; AppAdminError for an unknown name.
Source: ME-06, ME-07; goals I2, I3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import in_transaction
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.search import fold
from flask_appadmin.sheets.sessions import ImportSchema, ImportSchemaField
from flask_appadmin.specs import ModelSpec

if TYPE_CHECKING:
    from flask_appadmin.sheets.surveying import ImportOptions

#: Ends the target of a column whose cells are joined to those of the column before.
CONTINUED = "+"


@dataclass
class SchemaDraft:
    """A mapping as people edit it."""

    name: str = ""
    entity: str = ""
    mode: str = "both"
    #: Field by which rows find their record, "" for none.
    key: str = ""
    insert_missing: bool = False
    #: "keep" or "clear".
    blank: str = "keep"
    #: (column of the file, target or "") in the order of the file.
    columns: list[tuple[str, str]] = field(default_factory=list)
    #: Target -> text that new records get.
    defaults: dict[str, str] = field(default_factory=dict)
    #: Target -> text in the file -> text that the field understands, or "<leer>".
    values: dict[str, dict[str, str]] = field(default_factory=dict)


def draft_of(schema: Any) -> SchemaDraft:
    """What is stored of a mapping."""
    query = ImportSchemaField.select().where(ImportSchemaField.import_schema == schema.id)
    return SchemaDraft(
        name=schema.name,
        entity=schema.entity,
        mode=schema.import_mode,
        key=schema.key_field or "",
        insert_missing=schema.insert_missing,
        blank="clear" if schema.blank_clears else "keep",
        columns=[(entry.source_column, entry.target) for entry in query.order_by(ImportSchemaField.id)],
        defaults=schema.default_values or {},
        values=schema.value_map or {},
    )


def store_draft(draft: SchemaDraft, operator: Operator, key: int | None = None) -> tuple[int, int | None]:
    """Writes a mapping, the one with this key or a new one; answers its key and the operation, None for no change."""
    title = gettext("Importschema %(name)s", name=draft.name)
    values = {
        "name": draft.name,
        "entity": draft.entity,
        "import_mode": draft.mode,
        "key_field": draft.key or None,
        "insert_missing": draft.insert_missing,
        "blank_clears": draft.blank == "clear",
        "default_values": draft.defaults or None,
        "value_map": {target: words for target, words in draft.values.items() if words} or None,
    }
    wanted = [(source[:120], target) for source, target in draft.columns if source and target]

    def work() -> tuple[int, int | None]:
        old = ImportSchema.get_or_none(ImportSchema.id == key) if key is not None else None
        stored = {}
        if old is not None:
            for row in ImportSchemaField.select().where(ImportSchemaField.import_schema == old.id):
                stored[row.source_column, row.target] = row.id
        gone = [row for pair, row in stored.items() if pair not in wanted]
        done = None
        change = ChangeSet("form", title=title)
        record: Any = key
        if old is None:
            record = change.create(ImportSchema, values)
        else:
            for row in gone:
                change.delete(ImportSchemaField, row)
            change.update(ImportSchema, old.id, values)
            if gone or old.import_mode != draft.mode:
                # Which columns it may have depends on the mode, and a field that is free again may be assigned anew.
                done = change.apply(operator).change_set
                change = ChangeSet("form", title=title)
        for source, target in wanted:
            if (source, target) not in stored:
                change.create(ImportSchemaField, {"import_schema": record, "source_column": source, "target": target})
        applied = change.apply(operator).change_set
        return (record if isinstance(record, int) else int(record.key)), applied or done

    return in_transaction(work)


def save_schema(name: str, spec: ModelSpec, options: ImportOptions, found: Sequence[str], operator: Operator) -> None:
    """Keeps the mapping of an import under a name; the same name replaces what was kept."""
    old = ImportSchema.get_or_none(ImportSchema.name == name)
    columns: list[tuple[str, str]] = []
    taken: set[str] = set()
    for heading, target in zip(found, options.targets, strict=False):
        if not (target and heading):
            continue
        while target in taken:
            target += CONTINUED
        taken.add(target)
        columns.append((heading, target))
    draft = SchemaDraft(
        name=name,
        entity=spec.name,
        mode=options.mode,
        key=options.key,
        insert_missing=options.insert_missing,
        blank=options.blank,
        columns=columns,
        defaults=options.defaults,
        values=options.values,
    )
    store_draft(draft, operator, old.id if old is not None else None)


def use_schema(name: str, spec: ModelSpec, found: Sequence[str], options: ImportOptions) -> ImportOptions:
    """The options with a saved mapping put on these headings; AppAdminError for an unknown name."""
    schema = ImportSchema.get_or_none(ImportSchema.name == name, ImportSchema.entity == spec.name)
    if schema is None:
        raise AppAdminError(gettext("Das Importschema „%(name)s“ gibt es nicht.", name=name))
    draft = draft_of(schema)
    targets: dict[str, list[str]] = {}
    for source, target in draft.columns:
        targets.setdefault(fold(source), []).append(target.rstrip(CONTINUED))
    # A heading that stands in the file twice means the columns of the mapping in their order.
    options.targets = []
    for heading in found:
        known = targets.get(fold(heading[:120]), [])
        options.targets.append(known.pop(0) if known else "")
    options.schema = name
    options.mode, options.key, options.blank = draft.mode, draft.key, draft.blank
    options.insert_missing = draft.insert_missing
    options.defaults = {**draft.defaults}
    options.values = {target: {**words} for target, words in draft.values.items()}
    return options


def remember_values(options: ImportOptions, meant: dict[str, dict[str, str]], operator: Operator) -> bool:
    """Notes what a file means by texts ("" forgets one: {target: {text: value}}), and keeps it in the mapping the file
    was read with; answers whether it is kept there."""
    _note(options.values, meant)
    schema = ImportSchema.get_or_none(ImportSchema.name == options.schema) if options.schema else None
    if schema is None or not operator.may("import_schema.edit"):
        return False
    draft = draft_of(schema)
    draft.values = {target: {**words} for target, words in draft.values.items()}
    _note(draft.values, meant)
    store_draft(draft, operator, schema.id)
    return True


def _note(values: dict[str, dict[str, str]], meant: dict[str, dict[str, str]]) -> None:
    for target, words in meant.items():
        folded = {text.casefold() for text in words}
        kept = {text: value for text, value in values.get(target, {}).items() if text.casefold() not in folded}
        values[target] = kept | {text: value for text, value in words.items() if value}


__all__ = ["CONTINUED", "SchemaDraft", "draft_of", "remember_values", "save_schema", "store_draft", "use_schema"]

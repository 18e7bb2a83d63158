"""Records become a file: one sheet per entity, typed cells, drop-downs, and what is needed when the file comes home.

Shape: the main sheet has the chosen fields of the selected records, each further sheet a child table, keyed by the
owner's natural key. The last column of every sheet is the row's key (`rowkeys`). It is hidden in a workbook and travels
with its row, whatever is sorted or filtered. References stand as the code or number people use. Secrets are never
exported, masked fields only whole and only with the right; references to children (an address of the same record) stay
out. Reading is a stream, so memory stays flat.
Errors: SheetError; NotAllowed from the gate. Source: design.md section 6.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peewee

from flask_appadmin.database import utcnow
from flask_appadmin.history import ChangeRecord
from flask_appadmin.i18n import _, format_datetime, gettext, to_local
from flask_appadmin.rights import Operator, may_read_full, visible
from flask_appadmin.selections import Selection
from flask_appadmin.sheets.rowkeys import RowDigest, sign_row
from flask_appadmin.sheets.sessions import SheetExport
from flask_appadmin.sheets.writing.cells import require_room
from flask_appadmin.sheets.writing.columns import SheetColumn
from flask_appadmin.sheets.writing.csv_file import CsvWriter
from flask_appadmin.sheets.writing.workbook import WorkbookWriter
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: Heading of the column that carries the key of its row.
ROW_KEY = _("Zeilenschlüssel")
#: What the column with the owner's number on a child sheet is called among the fields.
OWNER_NAME = "#owner"

#: Drop-downs for referenced tables up to this size.
_LISTED_REFERENCES = 500
_CHUNK = 1_000
#: From so many records on the rows of all sheets are counted before a workbook is begun.
_COUNTED_FROM = 100_000


@dataclass(frozen=True)
class Exported:
    """What was written: rows per table."""

    path: Path
    counts: dict[str, int]

    @property
    def count(self) -> int:
        return next(iter(self.counts.values()), 0)


def exportable_fields(spec: ModelSpec, operator: Operator) -> tuple[FieldSpec, ...]:
    """The fields of a model that may stand in a file for this operator, without the reference to the owner."""
    return tuple(
        item
        for item in spec.data_fields
        if not item.secret
        and not item.owner
        and may_read_full(operator, item)
        and (item.references is None or item.references.owner is None or item.within)
    )


def headings(items: Sequence[FieldSpec]) -> list[str]:
    """One heading per field; two fields of the same label get their further name behind it."""
    labels = [str(item.label) for item in items]
    found = []
    for item, label in zip(items, labels, strict=True):
        if labels.count(label) > 1:
            label = f"{label} ({item.aliases[0] if item.aliases else item.name})"
        found.append(label)
    return found


def sheet_columns(items: Sequence[FieldSpec], operator: Operator) -> list[SheetColumn]:
    """The columns of a sheet: heading, type, drop-down of each field."""
    columns = []
    for item, heading in zip(items, headings(items), strict=True):
        choices: tuple[str, ...] = ()
        if item.type.name == "choice":
            choices = tuple(str(label) for _code, label in item.choices)
        elif item.references is not None:
            choices = _codes_of(item.references)
        columns.append(
            SheetColumn(
                key=item.name,
                heading=heading,
                kind=item.type.sheet_kind,
                choices=choices,
                places=item.places,
                note=str(item.help),
                read_only=item.read_only is True,
            )
        )
    return columns


def _codes_of(target: ModelSpec) -> tuple[str, ...]:
    naming = target.naming_fields[:1]
    if not naming or target.owner is not None:
        return ()
    column = naming[0].column_field
    rows = target.model.select(column).order_by(column).limit(_LISTED_REFERENCES + 1).tuples()
    codes = tuple(str(row[0]) for row in rows if row[0] is not None)
    return codes if len(codes) <= _LISTED_REFERENCES else ()


def file_name(spec: ModelSpec, file_format: str) -> str:
    """What the file is called: the table and the day, „Bücher 2026-11-21.xlsx“."""
    return f"{spec.plural} {to_local(utcnow()):%Y-%m-%d}.{file_format}"


def write_export(
    path: Path,
    selection: Selection,
    *,
    fields: Sequence[FieldSpec] | None = None,
    children: Sequence[ModelSpec] | None = None,
    file_format: str = "xlsx",
    sheet: str = "",
    progress: Callable[[int], None] | None = None,
) -> Exported:
    """Writes the selected records. `children` are the tables of the further sheets (None: all that may be seen).

    A csv file holds one table: the records, or the child table named by `sheet`.
    """
    spec, operator = selection.spec, selection.operator
    operator.require("export.run")
    items = tuple(fields if fields is not None else exportable_fields(spec, operator))
    allowed = set(exportable_fields(spec, operator))
    items = tuple(item for item in items if item in allowed)
    chosen = tuple(children if children is not None else spec.children)
    written = [child for child in spec.children if child.name == sheet] if file_format == "csv" else chosen
    of_child = exportable_fields(written[0], operator) if file_format == "csv" and written else ()
    export = note_export(
        spec,
        operator,
        selection.describe(),
        file_format,
        columns=headings(of_child or items),
        sheets=[str(child.plural) for child in written],
    )
    if file_format == "csv":
        counts = _write_csv(path, selection, export, items, sheet, progress)
    else:
        counts = _write_workbook(path, selection, export, items, chosen, progress)
    SheetExport.update(row_count=next(iter(counts.values()), 0)).where(SheetExport.id == export.id).execute()
    return Exported(path, counts)


def note_export(
    spec: ModelSpec,
    operator: Operator,
    description: str,
    file_format: str,
    *,
    columns: Sequence[str] = (),
    sheets: Sequence[str] = (),
    count: int = 0,
) -> SheetExport:
    """Notes who takes what out: which records (in words), which columns and tables, in what format, how many rows."""
    export: SheetExport = SheetExport.create(
        key=secrets.token_hex(6),
        secret=secrets.token_hex(24),
        user=operator.user_id,
        user_name=operator.name[:80],
        entity=spec.name,
        last_change=ChangeRecord.select(peewee.fn.MAX(ChangeRecord.id)).scalar() or 0,
        row_count=count,
        description=description[:250],
        details={"format": file_format, "columns": [str(each) for each in columns], "sheets": list(sheets)},
    )
    return export


def _key_column() -> SheetColumn:
    note = gettext("Bitte nicht ändern: daran erkennt das Programm die Zeile wieder.")
    return SheetColumn(key="row_key", heading=str(ROW_KEY), kind="code", hidden=True, note=note)


def _write_workbook(
    path: Path,
    selection: Selection,
    export: SheetExport,
    items: Sequence[FieldSpec],
    children: Sequence[ModelSpec],
    progress: Callable[[int], None] | None,
) -> dict[str, int]:
    spec, operator = selection.spec, selection.operator
    counts: dict[str, int] = {}
    if selection.count() > _COUNTED_FROM:
        # Better said now than after a quarter of an hour of writing.
        for query in (selection.query(), *(_children_of(selection, child) for child in children)):
            require_room(query.count() + 1)
    with WorkbookWriter(path, title=str(spec.plural), author=operator.name) as book:
        table = book.add_table(str(spec.plural), [*sheet_columns(items, operator), _key_column()])
        for values in _record_rows(selection, export, items, progress):
            table.write_row(values)
        counts[spec.name] = table.row_count
        for child in children:
            child_items = exportable_fields(child, operator)
            columns = [*_owner_columns(child), *sheet_columns(child_items, operator), _key_column()]
            table = book.add_table(str(child.plural), columns)
            for values in _child_rows(selection, child, export, child_items):
                table.write_row(values)
            counts[child.name] = table.row_count
        book.add_instructions(gettext("Anleitung"), gettext("So kommt die Datei zurück"), _instructions(export, spec))
        book.add_hidden("appadmin", [("export", export.key), ("entity", spec.name), ("made_at", str(export.made_at))])
    return counts


def _instructions(export: SheetExport, spec: ModelSpec) -> list[str | tuple[str, str]]:
    return [
        gettext(
            "Exportiert am %(when)s von %(who)s: %(what)s.",
            when=format_datetime(export.made_at),
            who=export.user_name,
            what=export.description,
        ),
        "",
        gettext(
            "Ändern Sie die Zellen und speichern Sie die Datei als xlsx oder ods. Holen Sie sie über „Importieren“ "
            "zurück."
        ),
        gettext("Vor dem Speichern sehen Sie jede geänderte Zelle. Nichts wird ohne Ihre Bestätigung geändert."),
        "",
        (gettext("Neue Zeile"), gettext("Eine Zeile ohne Zeilenschlüssel legt einen neuen Eintrag an.")),
        (gettext("Leere Zelle"), gettext("War sie beim Export gefüllt, wird der Wert geleert.")),
        (gettext("<leer>"), gettext("Dieser Text leert das Feld in jedem Fall.")),
        (gettext("Gelöschte Zeile"), gettext("Fehlende Zeilen ändern nichts; gelöscht wird nur im Programm.")),
        (gettext("Graue Spalten"), gettext("Nur zur Ansicht; Änderungen darin werden nicht übernommen.")),
    ]


def _write_csv(
    path: Path,
    selection: Selection,
    export: SheetExport,
    items: Sequence[FieldSpec],
    sheet: str,
    progress: Callable[[int], None] | None,
) -> dict[str, int]:
    spec, operator = selection.spec, selection.operator
    child = next((found for found in spec.children if found.name == sheet), None)
    if child is None:
        columns = [*sheet_columns(items, operator), _key_column()]
        with CsvWriter(path, columns) as writer:
            writer.write_rows(_record_rows(selection, export, items, progress))
            return {spec.name: writer.row_count}
    child_items = exportable_fields(child, operator)
    columns = [*_owner_columns(child), *sheet_columns(child_items, operator), _key_column()]
    with CsvWriter(path, columns) as writer:
        writer.write_rows(_child_rows(selection, child, export, child_items))
        return {child.name: writer.row_count}


def _record_rows(
    selection: Selection, export: SheetExport, items: Sequence[FieldSpec], progress: Callable[[int], None] | None
) -> Iterator[list[Any]]:
    spec = selection.spec
    order = [
        spec.field(name.lstrip("-")).column_field for name in spec.description.order if name.lstrip("-") in spec.by_name
    ]
    order = order or [item.column_field for item in spec.natural_key] or [spec.model._meta.primary_key]
    digest = RowDigest((item.name, item.type.sheet_kind) for item in items)
    count = 0
    for part in _chunks(selection.rows([spec.field("version"), *items], order=order), _CHUNK):
        converted = cells_of(items, [row[2:] for row in part])
        for row, values in zip(part, converted, strict=True):
            values.append(sign_row(export, spec.name, row[0], row[1], digest.of(values)))
            yield values
        count += len(part)
        if progress is not None:
            progress(count)


def _owner_columns(child: ModelSpec) -> list[SheetColumn]:
    assert child.owner is not None and child.owner.references is not None
    owner = child.owner.references
    item = (owner.natural_key or owner.title_specs)[0]
    return [SheetColumn(key=child.owner.name, heading=str(item.label), kind=item.type.sheet_kind)]


def _children_of(selection: Selection, child: ModelSpec, *columns: Any) -> Any:
    """A select of these columns over the children of the selected records that the operator may see."""
    assert child.owner is not None
    query = child.model.select(*columns).where(child.owner.column_field.in_(selection.query()))
    condition = visible(selection.operator, child)
    return query if condition is None else query.where(condition)


def _child_rows(
    selection: Selection, child: ModelSpec, export: SheetExport, items: Sequence[FieldSpec]
) -> Iterator[list[Any]]:
    assert child.owner is not None and child.owner.references is not None
    model, owner = child.model, child.owner.references
    key = model._meta.primary_key
    naming = (owner.natural_key or owner.title_specs)[0].column_field
    query = _children_of(selection, child, key, model.version, naming, *(item.column_field for item in items))
    query = query.join(owner.model, on=(child.owner.column_field == owner.model._meta.primary_key))
    query = query.order_by(naming, key)
    kind = _owner_columns(child)[0].kind
    digest = RowDigest([(OWNER_NAME, kind), *((item.name, item.type.sheet_kind) for item in items)])
    for part in _chunks(query.tuples().iterator(), _CHUNK):
        converted = cells_of(items, [row[3:] for row in part])
        for row, values in zip(part, converted, strict=True):
            cells = [row[2], *values]
            yield [*cells, sign_row(export, child.name, row[0], row[1], digest.of(cells))]


def cells_of(items: Sequence[FieldSpec], rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Values as cells, the codes of references fetched together for all rows."""
    names = ReferenceCache()
    # Most values leave as they are.
    converters: list[tuple[int, Callable[[Any], Any]]] = []
    for position, item in enumerate(items):
        if item.references is not None:
            codes = names.codes(item.references, {row[position] for row in rows if row[position] is not None})
            # A record without a code must not come back as a blank cell.
            converters.append((position, {key: code or f"#{key}" for key, code in codes.items()}.get))
        elif item.type.name in ("text", "multiline", "integer", "decimal", "date"):
            continue
        elif item.type.name == "choice":
            words = {code: str(label) for code, label in item.choices}
            converters.append((position, lambda value, words=words: words.get(value, value)))  # type: ignore[misc]
        elif item.type.name == "bool":
            converters.append((position, {True: gettext("Ja"), False: gettext("Nein")}.get))
        else:
            converters.append((position, lambda value, item=item: item.type.to_cell(value, item)))  # type: ignore[misc]
    cells = [list(row) for row in rows]
    for row_cells in cells:
        for position, convert in converters:
            row_cells[position] = convert(row_cells[position])
    return cells


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    source = iter(rows)
    while part := list(itertools.islice(source, size)):
        yield part

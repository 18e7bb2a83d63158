"""What tests of spreadsheets share: records with every kind of value, edited files, pages that are read."""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl

from flask_appadmin.database import transaction
from flask_appadmin.rights import Operator
from flask_appadmin.selections import Selection
from flask_appadmin.sheets.exporting import Exported, write_export
from flask_appadmin.sheets.writing.columns import SheetColumn
from flask_appadmin.sheets.writing.csv_file import CsvWriter
from flask_appadmin.specs import FieldSpec, ModelSpec

#: Texts that spreadsheet programs like to change.
TEXTS = (
    "Süß & Söhne – Żółć",
    "=1+1",
    "+43 1 234567",
    "-5 Grad",
    "@SUM(A1)",
    "'=1",
    "0123",
    "1E5",
    "1.2.2026",
    "WAHR",
    'a;b"c',
    "<b>fett</b>",
    "#REFERENZ",
)
LONG = "Erste Zeile\nzweite Zeile; mit „Anführung“\n" + "lang " * 120 + "Ende"


def value_for(item: FieldSpec, number: int) -> Any:
    """Some value of the kind of a field, another for each number; None where there is none."""
    if item.target is not None:
        return _some_key(item)
    if item.choices:
        return item.choices[number % len(item.choices)][0]
    match item.type.name:
        case "bool":
            return number % 2 == 0
        case "integer":
            return _limited(number % 90 + 1, item)
        case "decimal":
            return _limited(Decimal(number % 90) + Decimal("0.5"), item) if item.places else Decimal(number % 9 + 1)
        case "date":
            return datetime.date(1899 if number % 7 == 0 else 2026, 1 + number % 12, 1 + number % 28)
        case "datetime":
            return datetime.datetime(2026, 1 + number % 12, 1 + number % 28, 12, number % 60, 7)
        case "multiline":
            return LONG[: item.max_length or None].strip()
        case "text":
            return _text_for(item, number)
    return None


def _limited(value: Any, item: FieldSpec) -> Any:
    low, high = item.minimum, item.maximum
    value = low if low is not None and value < low else value
    return high if high is not None and value > high else value


def _text_for(item: FieldSpec, number: int) -> str:
    kinds = {
        "email": f"büro{number}@müller.example",
        "phone": "0208/4711-0",
        "url": "https://example.org/a?b=c",
        "iban": "DE02120300000000202051",
        "bic": "COBADEFFXXX",
        "vat_id": "DE136695976",
        "gln": "4000001000005",
        "postal_code": "01307",
        "country_letters": "AT",
    }
    text = kinds.get(item.kind) or TEXTS[number % len(TEXTS)]
    return text[: item.max_length or None].strip()


def _some_key(item: FieldSpec) -> int | None:
    model = item.references.model
    row = model.select(model._meta.primary_key).order_by(model._meta.primary_key.desc()).tuples().first()
    return row[0] if row is not None else None


def insert_filled(spec: ModelSpec, number: int, **given: Any) -> int | None:
    """A record with a value in every field that can have one; None where a reference it needs leads nowhere."""
    values: dict[str, Any] = {}
    for place, item in enumerate(spec.data_fields):
        if item.secret or item.owner or (item.unique and number and item.nullable):
            continue
        own = item.references is not None and item.references.owner is not None
        value = None if own or item.target is spec.model else value_for(item, number + place)
        if value is None and not item.nullable and item.default is None:
            return None
        if value is not None:
            values[item.name] = value
    with transaction():
        return int(spec.model.insert({**values, **given}).execute())


def export(
    spec: ModelSpec, operator: Operator, path: Path, keys: Iterable[int] | None = None, **options: Any
) -> Exported:
    """A file of all records, or of those with these keys."""
    every = [row[0] for row in spec.model.select(spec.model._meta.primary_key).tuples()] if keys is None else keys
    return write_export(path, Selection.of_keys(spec, operator, every), **options)


def edit_cells(path: Path, sheet: str, cells: Mapping[tuple[int, str], Any]) -> None:
    """Puts values into cells of a workbook, named by row number and heading, as a person would."""
    book = openpyxl.load_workbook(path)
    table = book[sheet]
    columns = {cell.value: cell.column for cell in table[1]}
    for (row, heading), value in cells.items():
        table.cell(row, columns[heading]).value = value
    book.save(path)


def rows_of(path: Path, sheet: str) -> list[list[Any]]:
    """All rows of a sheet, as another program reads them."""
    return [list(row) for row in openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True)]


def turn_columns(path: Path) -> None:
    """Puts the columns of every sheet in the opposite order, as a person may."""
    book = openpyxl.load_workbook(path)
    for table in book.worksheets:
        if table.sheet_state != "visible" or not table.max_row or table["A1"].value is None:
            continue
        rows = [[(cell.value, cell.number_format) for cell in row] for row in table.iter_rows()]
        if len(rows[0]) < 3:
            continue
        for number, row in enumerate(rows, start=1):
            for column, (value, number_format) in enumerate(reversed(row), start=1):
                cell = table.cell(number, column)
                cell.value, cell.number_format = value, number_format
                if isinstance(value, str):
                    cell.data_type = "s"  # or "=1+1" would become a formula
    book.save(path)


def write_csv(path: Path, rows: list[list[Any]]) -> Path:
    """A foreign csv file: headings first."""
    with CsvWriter(
        path, [SheetColumn(str(index), heading, kind="any") for index, heading in enumerate(rows[0])]
    ) as file:
        file.write_rows(rows[1:])
    return path


# --- pages ----------------------------------------------------------------------------------------------------------


def words_of(page: str) -> str:
    """What people read on the page itself, without head and menu."""
    start = page.find("<main")
    text = re.sub(r"<(script|style|select)\b.*?</\1>", " ", page[start:], flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text))).strip()


def form_values(page: str) -> dict[str, str]:
    """What the selects and hidden inputs of a page would post, untouched."""
    values = {}
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(
            r'<option value="([^"]*)"', options
        )
        values[name] = html.unescape(chosen.group(1)) if chosen else ""
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page):
        values.setdefault(name, html.unescape(value))
    return values


def tiles_of(page: str) -> dict[str, int]:
    """The counts of a preview or a result: {"neu": 91, …}."""
    found = re.findall(r"<b(?: class=\"\w+\")?>([\d.]+)</b>([^<]+)<", page)
    return {label.strip(): int(count.replace(".", "")) for count, label in found}


def photograph(*specs: ModelSpec) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of these tables and their children, without what every change moves on (version, time)."""
    taken: dict[str, list[tuple[Any, ...]]] = {}
    for spec in specs:
        for each in (spec, *spec.children):
            items = [each.field("id"), *each.data_fields]
            rows = each.model.select(*(item.column_field for item in items)).order_by(each.model.id)
            taken[each.name] = list(rows.tuples())
    return taken

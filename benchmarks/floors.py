"""The floors: each does the bare work of a figure and nothing else.

Shape: plain SQL on the tables of Kontor, pages by string formatting, files by one library alone. No rights, no rules,
no history beyond what the figure names, no search index, no templates. Statements are the same on both engines as far
as the engines allow. Nothing here is good advice.
"""

from __future__ import annotations

import datetime
import html
import itertools
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from flask_appadmin.database import database, engine, transaction

_PAGE = 50
_CAP = 10_001


def _rows(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The answer to a question with `?` for each value."""
    found: list[tuple[Any, ...]] = database.execute_sql(_marked(sql), params).fetchall()
    return found


def _run(sql: str, params: Sequence[Any] = ()) -> None:
    database.execute_sql(_marked(sql), params)


def _run_many(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    database.cursor().executemany(_marked(sql), rows)


def _marked(sql: str) -> str:
    return sql if engine() == "sqlite" else sql.replace("%", "%%").replace("?", "%s")


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat(" ")


def _is_key(count: int) -> str:
    """A condition on `id` for so many keys, given as one value (see `_keys`)."""
    if engine() == "sqlite":
        return "id IN (SELECT value FROM json_each(?))"
    return "id = ANY(?)"


def _keys(keys: Sequence[int]) -> Any:
    return json.dumps(list(keys)) if engine() == "sqlite" else list(keys)


# --- pages ------------------------------------------------------------------------------------------------------------

_LIST_SQL = (
    "SELECT c.id, c.customer_number, c.search_name, c.name_1, c.postal_code, c.city, k.code, c.status, c.credit_limit,"
    " p.name, c.updated_at FROM customer c LEFT JOIN country k ON k.id = c.country_id"
    " LEFT JOIN payment_term p ON p.id = c.payment_term_1_id"
)


def list_page(where: str, params: Sequence[Any], order: str, *, capped: bool = True) -> bytes:
    """One page of the list with its count, which stops at 10,000 unless it has to be exact."""
    limit = f" LIMIT {_CAP}" if capped else ""
    rows = _rows(f"{_LIST_SQL} WHERE {where} ORDER BY {order} LIMIT {_PAGE}", params)
    counted = _rows(f"SELECT count(*) FROM (SELECT 1 FROM customer c WHERE {where}{limit}) AS found", params)
    body = "".join(f"<tr id={row[0]}>{''.join(f'<td>{_text(value)}</td>' for value in row[1:])}</tr>" for row in rows)
    return f"<!doctype html><title>Kunden</title><h1>{counted[0][0]}</h1><table>{body}</table>".encode()


def search_page(word: str) -> bytes:
    """The same for customers with a part of a word in one of eight columns: a scan of the table that counts."""
    names = ("search_name", "name_1", "name_2", "street", "postal_code", "city", "phone", "email")
    like = "LIKE" if engine() == "sqlite" else "ILIKE"
    where = " OR ".join(f"c.{name} {like} ?" for name in names)
    return list_page(f"({where})", [f"%{word}%"] * len(names), "c.customer_number", capped=False)


def record_page(key: int, children: Sequence[tuple[str, str]]) -> bytes:
    """All columns of a customer and all rows of its children (table, column of the owner), each value in an input."""
    parts = ["<!doctype html><title>Kunde</title><form>"]
    tables = [("customer", "id"), *children]
    for table, column in tables:
        cursor = database.execute_sql(_marked(f'SELECT * FROM "{table}" WHERE "{column}" = ?'), (key,))
        names: list[str] = []
        for row in cursor:
            names = names or [entry[0] for entry in cursor.description]
            fields = "".join(
                f'<label>{name}<input name="{name}" value="{_text(value)}"></label>'
                for name, value in zip(names, row, strict=True)
            )
            parts.append(f"<fieldset>{fields}</fieldset>")
    parts.append("</form>")
    return "".join(parts).encode()


def _text(value: Any) -> str:
    return "" if value is None else html.escape(str(value))


# --- changes ----------------------------------------------------------------------------------------------------------

_CHANGE = (
    'INSERT INTO "change" (change_set_id, entity, record_id, owner_entity, owner_id, record_title, action, field,'
    " field_label, old_value, new_value)"
)


def _change_set(kind: str) -> int:
    columns = "user_name, kind, changed_at, entity, title, created_count, updated_count, deleted_count"
    found = _rows(
        f"INSERT INTO change_set ({columns}) VALUES ('Boden', ?, ?, 'customer', 'Boden', 0, 1, 0) RETURNING id",
        (kind, _now()),
    )
    return int(found[0][0])


def save(key: int, phone: str) -> None:
    """One changed value with its history."""
    with transaction():
        number = _change_set("form")
        old, title = _rows("SELECT phone, name_1 FROM customer WHERE id = ?", (key,))[0]
        moment = _now()
        _run("UPDATE customer SET phone = ?, version = version + 1, updated_at = ? WHERE id = ?", (phone, moment, key))
        _run(
            f"{_CHANGE} VALUES (?, 'customer', ?, 'customer', ?, ?, 'update', 'phone', 'Telefon', ?, ?)",
            (number, key, key, title, json.dumps(old), json.dumps(phone)),
        )


def _json_of(column: str) -> str:
    return f"json_quote({column})" if engine() == "sqlite" else f"to_json({column})::text"


def assign(keys: Sequence[int] | None, text: str) -> None:
    """One text for many customers (None: for all), with a line of history for each."""
    chosen = "1 = 1" if keys is None else _is_key(len(keys))
    params: list[Any] = [] if keys is None else [_keys(keys)]
    with transaction():
        number = _change_set("bulk")
        _run(
            f"{_CHANGE} SELECT ?, 'customer', id, 'customer', id, name_1, 'update', 'marker', 'Kennzeichen',"
            f" {_json_of('marker')}, ? FROM customer WHERE {chosen} AND marker IS DISTINCT FROM ?",
            (number, json.dumps(text), *params, text),
        )
        _run(
            f"UPDATE customer SET marker = ?, version = version + 1, updated_at = ?"
            f" WHERE {chosen} AND marker IS DISTINCT FROM ?",
            (text, _now(), *params, text),
        )


def preview_assign(keys: Sequence[int] | None, column: str = "marker") -> list[tuple[Any, ...]]:
    """How many of the chosen customers have which text now."""
    chosen = "1 = 1" if keys is None else _is_key(len(keys))
    params = [] if keys is None else [_keys(keys)]
    return _rows(f"SELECT {column}, count(*) FROM customer WHERE {chosen} GROUP BY {column}", params)


def undo_assign(change_set: int) -> None:
    """The old texts again, with their history."""
    old = "json_extract(h.old_value, '$')" if engine() == "sqlite" else "(h.old_value::json #>> '{}')"
    with transaction():
        number = _change_set("undo")
        _run(
            f"{_CHANGE} SELECT ?, entity, record_id, owner_entity, owner_id, record_title, action, field, field_label,"
            ' new_value, old_value FROM "change" WHERE change_set_id = ?',
            (number, change_set),
        )
        _run(
            f"UPDATE customer SET marker = {old}, version = customer.version + 1, updated_at = ?"
            ' FROM "change" h WHERE h.change_set_id = ? AND h.record_id = customer.id',
            (_now(), change_set),
        )


class Copy:
    """A customer and its children stored once more, by INSERT … SELECT with all columns that are not unique."""

    def __init__(self, spec: Any, children: Sequence[Any]) -> None:
        own = [item.column for item in spec.data_fields if item.copy == "keep"]
        needed = [item.column for item in spec.data_fields if item.copy != "keep" and not item.nullable]
        columns = ", ".join(f'"{name}"' for name in [*own, *needed] if name != "customer_number")
        self._customer = (
            f"INSERT INTO customer (customer_number, version, created_at, updated_at, {columns})"
            f" SELECT ?, 1, ?, ?, {columns} FROM customer WHERE id = ? RETURNING id"
        )
        self._children = []
        for child in children:
            names = [item.column for item in child.data_fields if not item.owner and not item.unique]
            listed = ", ".join(f'"{name}"' for name in names)
            self._children.append(
                f'INSERT INTO "{child.name}" ("{child.owner.column}", version, created_at, updated_at, {listed})'
                f' SELECT ?, 1, ?, ?, {listed} FROM "{child.name}" WHERE "{child.owner.column}" = ?'
            )

    def __call__(self, key: int, number: int) -> None:
        moment = _now()
        with transaction():
            made = _rows(self._customer, (number, moment, moment, key))[0][0]
            for statement in self._children:
                _run(statement, (made, moment, moment, key))
            change_set = _change_set("full_copy")
            _run(
                f"{_CHANGE} VALUES (?, 'customer', ?, 'customer', ?, 'Kopie', 'create', NULL, NULL, NULL, ?)",
                (change_set, made, made, json.dumps({"copied": key})),
            )


# --- files ------------------------------------------------------------------------------------------------------------


def export(path: Path, columns: Sequence[str], keys: Sequence[int]) -> None:
    """Customers as a workbook: XlsxWriter in constant memory, typed writes, values as they are stored."""
    import xlsxwriter

    listed = ", ".join(f'"{name}"' for name in columns)
    cursor = database.execute_sql(
        _marked(f"SELECT {listed} FROM customer WHERE {_is_key(len(keys))} ORDER BY customer_number"), (_keys(keys),)
    )
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("Kunden")
    text, number = sheet.write_string, sheet.write_number
    for place, name in enumerate(columns):
        text(0, place, name)
    for line, row in enumerate(cursor, start=1):
        for place, value in enumerate(row):
            if value is None:
                continue
            if value.__class__ is str:
                text(line, place, value)
            elif isinstance(value, int | float):
                number(line, place, value)
            else:
                text(line, place, str(value))
    book.close()


def read_sheet(path: Path) -> list[list[Any]]:
    """The first sheet by calamine alone."""
    from python_calamine import CalamineWorkbook

    rows: list[list[Any]] = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    return rows


def import_changes(path: Path, known: Sequence[Sequence[Any]], column: str, place: int, keys: Sequence[int]) -> int:
    """Reads the file, compares each cell with what is known, and stores what differs in one column."""
    rows = read_sheet(path)
    _rows(f"SELECT * FROM customer WHERE {_is_key(len(keys))}", (_keys(keys),))
    changed = []
    for key, row, old in zip(keys, rows[1:], known[1:], strict=True):
        if any(cell != before for cell, before in zip(row, old, strict=True)):
            changed.append((row[place], _now(), key))
    with transaction():
        _run_many(f'UPDATE customer SET "{column}" = ?, version = version + 1, updated_at = ? WHERE id = ?', changed)
    return len(changed)


def import_new(path: Path, tables: Sequence[tuple[str, dict[str, int]]], first_number: int) -> int:
    """Reads the file and stores each row as a customer and one row of each child table (column -> place in the file).

    `first_number` is a customer number from which on all are free; keys are counted on from the largest one.
    """
    rows = read_sheet(path)[1:]
    moment = _now()
    with transaction():
        first_key = _rows("SELECT coalesce(max(id), 0) + 1 FROM customer")[0][0] if rows else 0
        for table, columns in tables:
            is_child = table != "customer"
            names = ["customer_id" if is_child else "id", *([] if is_child else ["customer_number"])]
            fixed = {"sequence_number": "1"} if is_child else {}
            fixed |= _needed(table, {*columns, *names, *fixed})
            listed = ", ".join(f'"{name}"' for name in (*names, *columns, *fixed))
            values = ", ".join(["?"] * (len(names) + len(columns)) + list(fixed.values()))
            places = list(columns.values())
            made = [
                (
                    first_key + number,
                    *(() if is_child else (first_number + number,)),
                    *(row[place] if row[place] != "" else None for place in places),
                )
                for number, row in enumerate(rows)
            ]
            _run_many(f'INSERT INTO "{table}" ({listed}) VALUES ({values})'.replace("'now'", f"'{moment}'"), made)
    if engine() == "postgresql" and rows:
        _run("SELECT setval(pg_get_serial_sequence('customer', 'id'), (SELECT max(id) FROM customer))")
    return len(rows)


def _needed(table: str, given: Iterable[str]) -> dict[str, str]:
    """Column -> SQL literal for what must be filled besides; 'now' stands for the moment."""
    from flask_appadmin.changes import known_specs
    from flask_appadmin.loading import _constants

    spec = known_specs()[table]
    names = {item.name for item in spec.fields if item.column in set(given)}
    return _constants(spec, {*names, "id"})


class Labels:
    """Addresses on sheets of 2 x 7 labels by reportlab alone, in the font that Kontor embeds."""

    def __init__(self) -> None:
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont

        from flask_appadmin.labels import fitting

        pdfmetrics.registerFont(TTFont("Floor", str(fitting.FONT_FILE)))

    def __call__(self, path: Path, keys: Sequence[int]) -> None:
        from reportlab.pdfgen.canvas import Canvas

        canvas = Canvas(str(path), pagesize=(595.3, 841.9), pageCompression=1)
        rows = _rows(
            "SELECT c.name_1, c.name_2, c.street, c.postal_code, c.city, k.name FROM customer c"
            f" JOIN country k ON k.id = c.country_id WHERE c.{_is_key(len(keys))} ORDER BY c.customer_number",
            (_keys(keys),),
        )
        for first in range(0, len(rows), 14):
            text = canvas.beginText()
            text.setFont("Floor", 10, 12)
            for place, row in enumerate(rows[first : first + 14]):
                text.setTextOrigin(30 + place % 2 * 280, 800 - place // 2 * 110)
                for line in (row[0], row[1], row[2], f"{row[3]} {row[4]}", row[5]):
                    if line:
                        text.textLine(line)
            canvas.drawText(text)
            canvas.showPage()
        canvas.save()


# --- first filling ----------------------------------------------------------------------------------------------------


def demo_rows(customers: int) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of so many demo customers, ready to be stored in the connected database."""
    from domain import demo_data
    from domain.demo_data.customers import CustomerMaker
    from domain.demo_data.picking import BATCH_SIZE
    from flask_appadmin.changes import known_specs

    with transaction():
        keys = demo_data._value_keys(known_specs())
    maker = CustomerMaker(1, keys, {"customer": 1, "sales_order": 1, "invoice": 1})
    made: dict[str, list[tuple[Any, ...]]] = {}
    for first in range(0, customers, BATCH_SIZE):
        numbers = range(10_001 + first, 10_001 + min(first + BATCH_SIZE, customers))
        for table, rows in maker.batch(first, numbers).items():
            made.setdefault(table, []).extend(rows)
    return made


def load(made: dict[str, list[tuple[Any, ...]]]) -> float:
    """Stores the rows table by table, without the indexes that only speed up reading; answers the seconds."""
    from domain.demo_data.columns import COLUMNS
    from flask_appadmin.changes import known_specs

    for table in made:
        for index in database.get_indexes(table):
            if not index.unique and index.sql:
                _run(f'DROP INDEX "{index.name}"')
    statements = {}
    for table in made:
        spec = known_specs()[table]
        columns = [spec.field(name).column for name in COLUMNS[table]]
        fixed = _needed(table, columns)
        listed = ", ".join(f'"{name}"' for name in (*columns, *fixed))
        values = ", ".join(["?"] * len(columns) + list(fixed.values()))
        statements[table] = f'INSERT INTO "{table}" ({listed}) VALUES ({values})'
    start = time.perf_counter()
    with transaction():
        for table, rows in made.items():
            for part in _parts(rows, 10_000):
                _run_many(statements[table], part)
    return time.perf_counter() - start


def _parts(rows: Sequence[Any], size: int) -> Iterator[list[Any]]:
    source = iter(rows)
    while part := list(itertools.islice(source, size)):
        yield part

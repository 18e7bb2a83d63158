"""Workbooks: export, import of a file that came home, import of new customers with children; time and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import floors
from benchmarks.measuring import Figure, Plan, Target, compare, in_child
from benchmarks.stock import Stock

#: Fields that stand in a file besides those that demo data fill; together they are 63.
_FURTHER = ("marker", "hint", "telex", "external_text", "delivery_text", "tax_number", "pos_text")

#: The cell that is changed in one row of a hundred.
_CHANGED = "remark"

#: The saved mapping of the file with new customers.
_SCHEMA = "Neue Kunden"
_TICKS = {"Ja": "1", "Nein": "0"}

#: Child tables of new customers: field -> column of the table.
_CHILDREN = {
    "contact": ("name_1", "email", "phone_1"),
    "address": ("name_1", "street", "postal_code", "city"),
    "bank_account": ("iban", "bic", "bank_name", "account_holder"),
}


def customer_spec() -> Any:
    from flask_appadmin.changes import known_specs

    return known_specs()["customer"]


def fields() -> list[str]:
    """The 63 fields of the workbooks."""
    from domain.demo_data.columns import COLUMNS

    return [name for name in COLUMNS["customer"] if name not in ("id", "created_at", "updated_at")] + [*_FURTHER]


def columns() -> list[str]:
    """The columns of the same fields."""
    spec = customer_spec()
    return [spec.field(name).column for name in fields()]


def first_keys(count: int) -> list[int]:
    from flask_appadmin.database import database

    sql = f"SELECT id FROM customer ORDER BY customer_number LIMIT {count}"
    return [row[0] for row in database.execute_sql(sql).fetchall()]


def export(operator: Any, keys: Sequence[int], folder: Path) -> Path:
    """The action's own way from marked customers to a file."""
    from actions.export_sheet import ExportCustomers
    from flask_appadmin.selections import Selection

    selection = Selection.of_keys(customer_spec(), operator, keys)
    document = ExportCustomers().render(selection, {"format": "xlsx", "columns": fields(), "sheets": ()}, folder)
    return document.path


def exports(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """Time in this process, memory in processes of their own."""
    sizes = [plan.rows] + ([100_000] if plan.long and stock.customers >= 100_000 else [])
    for count in sizes:
        keys = first_keys(count)
        yield compare(
            f"export to xlsx, {len(fields())} columns: {count:,}",
            lambda _n, keys=keys: lambda: floors.export(stock.folder / "floor.xlsx", columns(), keys),
            lambda _n, keys=keys: lambda: export(stock.operator, keys, stock.folder),
            plan.times(3 if count <= 10_000 else 1),
            Target(ratio=1.2),
        )
        given = {"url": stock.url, "rows": count, "path": str(stock.folder / "child.xlsx")}
        yield Figure(
            f"export to xlsx, peak of memory: {count:,}",
            in_child("export", **given)["peak"],
            in_child("export_floor", **given)["peak"],
            Target(at_most=200),
            "MB",
        )


# --- a file that comes home -------------------------------------------------------------------------------------------


def imports(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """Our own export with one cell changed in one row of a hundred: preview, apply, memory."""
    from flask_appadmin.database import database

    keys = first_keys(plan.rows)
    known = floors.read_sheet(export(stock.operator, keys, stock.folder))
    column = customer_spec().field(_CHANGED).column
    place = fields().index(_CHANGED)
    changed = keys[::100]
    marks = ", ".join(map(str, changed))
    before = database.execute_sql(f'SELECT "{column}", version, id FROM customer WHERE id IN ({marks})').fetchall()
    path = stock.folder / "geaendert.xlsx"
    _write(path, _with_changes(known, place))

    def restore() -> None:
        param = database.param
        sql = f'UPDATE customer SET "{column}" = {param}, version = {param} WHERE id = {param}'
        database.cursor().executemany(sql, before)

    def floor(_number: int) -> Callable[[], Any]:
        restore()
        return lambda: floors.import_changes(path, known, column, place, keys)

    def kontor(_number: int, dry_run: bool = False) -> Callable[[], Any]:
        restore()
        return lambda: _bring_in(stock, path, {"changed": len(changed)}, dry_run=dry_run)

    name = f"import {plan.rows:,} rows, 1 % changed"
    yield compare(f"{name}: preview alone", floor, lambda n: kontor(n, True), plan.times(2))
    yield compare(f"{name}: preview and apply", floor, kontor, plan.times(3), Target(ratio=3))
    restore()
    yield Figure(
        f"{name}: peak of memory",
        in_child("plan_import", url=stock.url, path=str(path))["peak"],
        in_child("read_floor", url=stock.url, path=str(path))["peak"],
        Target(at_most=500),
        "MB",
    )


def _with_changes(known: Sequence[Sequence[Any]], place: int) -> Iterator[Sequence[Any]]:
    yield known[0]
    for number, row in enumerate(known[1:]):
        if number % 100:
            yield row
        else:
            changed = list(row)
            changed[place] = f"Geändert in Zeile {number}"
            yield changed


def _write(path: Path, rows: Any) -> None:
    """A workbook as another program saves it: one sheet of plain cells."""
    import datetime

    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "default_date_format": "dd.mm.yyyy"})
    sheet = book.add_worksheet(str(customer_spec().plural))
    for line, row in enumerate(rows):
        for place, value in enumerate(row):
            if value in ("", None):
                continue
            if isinstance(value, str):
                sheet.write_string(line, place, value)
            elif isinstance(value, datetime.date):
                sheet.write_datetime(line, place, value)
            else:
                sheet.write_number(line, place, value)
    book.close()


def _bring_in(stock: Stock, path: Path, expected: dict[str, int], **options: Any) -> None:
    """Brings a file in as the command line does, and makes sure that it did what is measured."""
    from actions.import_sheet import run_import

    report = run_import(path, stock.spec, stock.operator, reason="Messung, 01.01.2026", **options)
    found = {"new": report.new, "changed": report.changed, "errors": report.errors, "conflicts": report.conflicts}
    if found != {**dict.fromkeys(found, 0), **expected}:
        raise RuntimeError(f"{path.name}: {found} instead of {expected}; {report.findings[:3]}")


# --- new customers ----------------------------------------------------------------------------------------------------


def imports_of_new(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """A foreign file whose rows are a customer with a contact, an address and a bank account each."""
    names = [name for name in fields() if name not in _not_for_new()]
    known = floors.read_sheet(export(stock.operator, first_keys(plan.rows), stock.folder))
    places = [fields().index(name) for name in names]
    children = [f"{table}.{name}" for table, own in _CHILDREN.items() for name in own]
    targets = ["external_customer_id", *names, *children]
    spec = stock.spec
    tables: list[tuple[str, dict[str, int]]] = [("customer", {"external_customer_id": 0})]
    for place, name in enumerate(names, start=1):
        item = spec.field(name)
        # What must be looked up or translated is no bare work.
        if item.target is None and item.type.name == "text":
            tables[0][1][item.column] = place
    for table, own in _CHILDREN.items():
        tables.append((table, {name: targets.index(f"{table}.{name}") for name in own}))

    _keep_schema(stock, targets)
    # Other programs' files set a tick by 1; ours says Ja.
    ticks = {place for place, name in zip(places, names, strict=True) if spec.field(name).type.name == "bool"}

    def cell(row: Sequence[Any], place: int) -> Any:
        return _TICKS.get(row[place], row[place]) if place in ticks else row[place]

    def made(prefix: str, number: int) -> Path:
        path = stock.folder / f"neu-{prefix}{number}.xlsx"
        rows = (
            [f"{prefix}{number}-{line}", *(cell(row, place) for place in places), *_child_cells(line)]
            for line, row in enumerate(known[1:])
        )
        _write(path, [[_heading(target) for target in targets], *rows])
        return path

    def floor(number: int) -> Callable[[], Any]:
        path = made("B", number)
        return lambda: floors.import_new(path, tables, 800_000_001 + number * 100_000)

    def kontor(number: int) -> Callable[[], Any]:
        path = made("K", number)
        return lambda: _bring_in(stock, path, {"new": plan.rows}, schema=_SCHEMA)

    yield compare(
        f"import {plan.rows:,} new rows with {len(_CHILDREN)} children each", floor, kontor, plan.times(2), Target(4)
    )


def _heading(target: str) -> str:
    """What stands above a column: the field's label, behind that of its table for children."""
    from flask_appadmin.changes import known_specs
    from flask_appadmin.sheets.exporting import headings

    table, _dot, name = target.rpartition(".")
    spec = known_specs()[table or "customer"]
    found = dict(zip((item.name for item in spec.data_fields), headings(spec.data_fields), strict=True))[name]
    return f"{spec.label} {found}" if table else found


def _keep_schema(stock: Stock, targets: Sequence[str]) -> None:
    """The saved mapping by which the file's headings are understood."""
    from flask_appadmin.changes import ChangeSet
    from flask_appadmin.sheets.sessions import ImportSchema, ImportSchemaField

    change = ChangeSet("form")
    about = {"name": _SCHEMA, "entity": stock.spec.name, "import_mode": "both", "key_field": targets[0]}
    schema = change.create(ImportSchema, about)
    for target in targets:
        values = {"import_schema": schema, "source_column": _heading(target), "target": target}
        change.create(ImportSchemaField, values)
    change.apply(stock.operator)


def _not_for_new() -> set[str]:
    spec = customer_spec()
    given = {"customer_number", "debtor_account", "external_customer_id", "vat_id_country", "vat_id_code"}
    return given | {item.name for item in spec.data_fields if item.read_only is True or item.unique}


def _child_cells(line: int) -> list[str]:
    from domain.check_digits import iban

    account = f"{line + 1:010d}"
    return [
        f"Anna Neumann {line}",
        f"anna.{line}@firma-{line}.example",
        f"+49 30 {500_000 + line}",
        f"Lager {line}",
        f"Hafenstraße {line % 99 + 1}",
        "01067",
        "Dresden",
        iban("DE", "37040044", account),
        "COBADEFFXXX",
        "Commerzbank",
        f"Neumann {line}",
    ]

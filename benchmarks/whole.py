"""Everything in one file: all customers to a workbook, and a file home that has a row for each of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Figure, Plan, Target, in_child
from benchmarks.sheets import customer_spec, fields
from benchmarks.stock import Stock

#: The column that is changed in one row of a hundred: one that is searched, so that the index is written, too.
_CHANGED = "city"


def whole(stock: Stock, _plan: Plan) -> Iterator[Figure]:
    """Each once, in a process of its own, as a job runs it."""
    made = in_child("export_all", url=stock.url, path=str(stock.folder / "alle.xlsx"))
    name = f"export to xlsx, {len(fields())} columns: all {made['rows']:,}"
    yield Figure(name, made["seconds"])
    yield Figure(f"{name}, peak of memory", made["peak"], target=Target(at_most=200), unit="MB")

    path = stock.folder / "alle.csv"
    rows, changed = _write(path)
    name = f"import {rows:,} rows, 1 % changed"
    done = in_child("import_all", url=stock.url, path=str(path), changed=changed)
    yield Figure(f"{name}: preview and apply", done["seconds"])
    yield Figure(f"{name}: peak of memory", done["peak"], target=Target(at_most=500), unit="MB")


def _write(path: Path) -> tuple[int, int]:
    """A csv file with number, city, postcode and phone of every customer; answers its rows and how many are changed."""
    from flask_appadmin.database import database

    names = ("customer_number", _CHANGED, "postal_code", "phone")
    items = [customer_spec().field(name) for name in names]
    columns = ", ".join(f'"{item.column}"' for item in items)
    found = database.execute_sql(
        f"SELECT {columns} FROM customer WHERE status NOT IN ('anonymised', 'deleted') ORDER BY customer_number"
    )
    changed = number = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow([str(item.label) for item in items])
        for number, row in enumerate(found, start=1):
            cells = ["" if cell is None else cell for cell in row]
            if number % 100 == 0:
                cells[1] = f"{cells[1]} Süd"
                changed += 1
            writer.writerow(cells)
    return number, changed

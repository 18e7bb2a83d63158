"""What runs in a process of its own, to be timed or weighed alone: `python -m benchmarks.child NAME`.

Reads its settings from stdin as one JSON object. Prints another one: what the function answers, and `peak`, the most
memory the process had, in megabytes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measuring import peak_megabytes


def _open(url: str) -> None:
    from flask_appadmin.database import connect_database, database
    from flask_appadmin.schema import declare_models
    from models import MODELS

    connect_database(url)
    declare_models(MODELS)
    database.connect(reuse_if_open=True)


def fill(url: str, customers: int) -> dict[str, Any]:
    """Makes a database with demo customers; answers the seconds the customers took."""
    import admin_app
    from domain.demo_data import create_demo_data
    from flask_appadmin.database import disconnect_database

    admin_app.upgrade(url)
    start = time.perf_counter()
    create_demo_data(customers)
    seconds = time.perf_counter() - start
    disconnect_database()
    return {"seconds": seconds}


def fill_sparse(url: str, customers: int) -> dict[str, Any]:
    """Makes a database with the lean stock; answers the seconds that took."""
    import admin_app
    from benchmarks import sparse
    from flask_appadmin.database import disconnect_database

    admin_app.upgrade(url)
    start = time.perf_counter()
    sparse.fill(customers)
    seconds = time.perf_counter() - start
    disconnect_database()
    return {"seconds": seconds}


def fill_floor(url: str, customers: int) -> dict[str, Any]:
    """Stores the very same rows, made beforehand, by `executemany`: no search index, no further index, no history."""
    import admin_app
    from benchmarks import floors
    from flask_appadmin.database import disconnect_database

    admin_app.upgrade(url)
    seconds = floors.load(floors.demo_rows(customers))
    disconnect_database()
    return {"seconds": seconds}


def export(url: str, rows: int, path: str) -> dict[str, Any]:
    """Exports customers to xlsx as the action does."""
    from benchmarks import sheets
    from flask_appadmin.rights import system_operator

    _open(url)
    start = time.perf_counter()
    sheets.export(system_operator("Messung"), sheets.first_keys(rows), Path(path).parent)
    return {"seconds": time.perf_counter() - start}


def export_floor(url: str, rows: int, path: str) -> dict[str, Any]:
    """The same cells by XlsxWriter alone."""
    from benchmarks import floors, sheets

    _open(url)
    start = time.perf_counter()
    floors.export(Path(path), sheets.columns(), sheets.first_keys(rows))
    return {"seconds": time.perf_counter() - start}


def export_all(url: str, path: str) -> dict[str, Any]:
    """Exports all customers that are not gone, without their children, as the action does."""
    from actions.export_sheet import ExportCustomers
    from benchmarks import sheets
    from flask_appadmin.filters import Filter
    from flask_appadmin.rights import system_operator
    from flask_appadmin.selections import Selection

    _open(url)
    spec, operator = sheets.customer_spec(), system_operator("Messung")
    found = Filter.from_text(spec, "status__not=anonymised", operator)
    start = time.perf_counter()
    given = {"format": "xlsx", "columns": sheets.fields(), "sheets": ()}
    selection = Selection.of_filter(found, operator)
    document = ExportCustomers().render(selection, given, Path(path).parent)
    size = document.path.stat().st_size
    return {"seconds": time.perf_counter() - start, "rows": selection.count(), "bytes": size}


def assign(url: str, text: str) -> dict[str, Any]:
    """One text for all customers that can be changed, with its history."""
    from actions.change_settings import ChangeCustomerSettings
    from flask_appadmin.changes import known_specs
    from flask_appadmin.filters import Filter
    from flask_appadmin.rights import system_operator
    from flask_appadmin.selections import Selection

    _open(url)
    spec, operator = known_specs()["customer"], system_operator("Messung")
    some = Filter.from_text(spec, "status__not=anonymised", operator)
    selection = Selection.of_filter(some, operator)
    start = time.perf_counter()
    change = ChangeCustomerSettings().plan(selection, {"marker": text})
    change.apply(operator, progress=lambda _done, _total: None)
    return {"seconds": time.perf_counter() - start}


def assign_half(url: str, text: str, below: int, rounds: int) -> dict[str, Any]:
    """One text after the other for the customers below a number; says "begun" before the first."""
    from actions.change_settings import ChangeCustomerSettings
    from flask_appadmin.changes import known_specs
    from flask_appadmin.database import WriterBusy
    from flask_appadmin.filters import Filter
    from flask_appadmin.rights import system_operator
    from flask_appadmin.selections import Selection

    _open(url)
    spec, operator = known_specs()["customer"], system_operator("Messung")
    some = Filter.from_text(spec, f"customer_number__to={below - 1}&status__not=anonymised", operator)
    print("begun", flush=True)
    for _round in range(rounds):
        values = {"marker": f"{text} {time.time() % 10_000:.1f}"}
        change = ChangeCustomerSettings().plan(Selection.of_filter(some, operator), values)
        while True:
            try:
                change.apply(operator, progress=lambda _done, _total: None)
                break
            except WriterBusy:  # told to try again, which an operator would do
                continue
    return {"rounds": rounds}


def plan_import(url: str, path: str) -> dict[str, Any]:
    """The preview of a file, which is not applied."""
    from actions.import_sheet import run_import
    from benchmarks import sheets
    from flask_appadmin.rights import system_operator

    _open(url)
    start = time.perf_counter()
    run_import(Path(path), sheets.customer_spec(), system_operator("Messung"), dry_run=True)
    return {"seconds": time.perf_counter() - start}


def import_all(url: str, path: str, changed: int) -> dict[str, Any]:
    """Previews a file and applies it; it must change so many customers and nothing else."""
    from actions.import_sheet import run_import
    from benchmarks import sheets
    from flask_appadmin.rights import system_operator

    _open(url)
    start = time.perf_counter()
    report = run_import(Path(path), sheets.customer_spec(), system_operator("Messung"), key="customer_number")
    found = (report.new, report.changed, report.errors, report.conflicts)
    if found != (0, changed, 0, 0):
        raise RuntimeError(f"{found} instead of {changed} changed; {report.findings[:3]}")
    return {"seconds": time.perf_counter() - start}


def read_floor(url: str, path: str) -> dict[str, Any]:
    """calamine alone."""
    from benchmarks import floors

    start = time.perf_counter()
    floors.read_sheet(Path(path))
    return {"seconds": time.perf_counter() - start}


WORK: dict[str, Callable[..., dict[str, Any]]] = {
    function.__name__: function
    for function in (
        fill,
        fill_sparse,
        fill_floor,
        assign,
        assign_half,
        export,
        export_all,
        export_floor,
        plan_import,
        import_all,
        read_floor,
    )
}


def main() -> None:
    found = WORK[sys.argv[1]](**json.load(sys.stdin))
    print(json.dumps({**found, "peak": peak_megabytes()}))


if __name__ == "__main__":
    main()

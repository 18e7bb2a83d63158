"""`python -m benchmarks [--customers N] [--engine NAME] [--only NAME …] [--long] [--sparse] [--write PATH]`"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import beside, bulk, form, pages, printing, records, sheets, starting, whole
from benchmarks.measuring import Figure, Plan, Table, document, machine_facts
from benchmarks.stock import Stock, open_stock, own_settings

#: Name for `--only` -> work, in the order of the table. What makes many records comes last.
GROUPS: dict[str, Callable[[Stock, Plan], Iterator[Figure]]] = {
    "list": pages.lists,
    "search": pages.search,
    "confirm": pages.confirmations,
    "open": pages.open_customer,
    "form": form.form,
    "save": records.save,
    "copy": records.copy,
    "bulk": bulk.bulk,
    "beside": beside.beside,
    "export": sheets.exports,
    "import": sheets.imports,
    "import-new": sheets.imports_of_new,
    "whole": whole.whole,
    "labels": printing.labels,
    "demo-data": starting.demo_data,
    "start": starting.start,
}
_ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000, help="how many demo customers (default 100,000)")
    parser.add_argument("--sparse", action="store_true", help="the lean stock: for 1,000,000 customers")
    parser.add_argument("--engine", choices=(*_ENGINES, "both"), default="sqlite")
    parser.add_argument("--only", nargs="+", choices=tuple(GROUPS), metavar="NAME", help=", ".join(GROUPS))
    parser.add_argument("--long", action="store_true", help="also what takes minutes (export of 100,000)")
    parser.add_argument("--quick", action="store_true", help="one repetition of everything, to see that it runs")
    parser.add_argument("--write", type=Path, help="also write the page to this file")
    return parser.parse_args(given)


def _measure(engine: str, plan: Plan, names: Sequence[str]) -> Table:
    table = Table(_ENGINES[engine], plan.customers)
    with open_stock(engine, plan.customers, sparse=plan.sparse) as stock:
        for name in names:
            for figure in GROUPS[name](stock, plan):
                table.figures.append(figure)
                print("  ".join(figure.cells()), file=sys.stderr, flush=True)
    return table


def main(given: Sequence[str] | None = None) -> int:
    """Takes all figures, prints the tables, and answers 0 whatever they are."""
    arguments = _arguments(given)
    plan = Plan(arguments.customers, arguments.quick, arguments.long, arguments.sparse)
    names = [name for name in GROUPS if not arguments.only or name in arguments.only]
    engines = list(_ENGINES) if arguments.engine == "both" else [arguments.engine]
    facts, began = machine_facts(), time.perf_counter()
    with own_settings():
        tables = [_measure(engine, plan, names) for engine in engines]
    text = document(tables, facts, (time.perf_counter() - began) / 60)
    print(text)
    if arguments.write is not None:
        arguments.write.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

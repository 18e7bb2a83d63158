"""Ten thousand address labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import floors
from benchmarks.measuring import Figure, Plan, Target, compare
from benchmarks.sheets import first_keys
from benchmarks.stock import Stock


def labels(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """Main addresses on A4 sheets."""
    from actions.print_labels import PrintCustomerLabels
    from flask_appadmin.labels import A4_SHEET, find_format
    from flask_appadmin.selections import Selection

    keys = first_keys(plan.rows)
    selection = Selection.of_keys(stock.spec, stock.operator, keys)
    values = {"format": find_format(A4_SHEET), "address": "main", "sort": "number"}
    action, bare = PrintCustomerLabels(), floors.Labels()

    def floor(_number: int) -> Callable[[], Any]:
        return lambda: bare(stock.folder / "floor.pdf", keys)

    def kontor(_number: int) -> Callable[[], Any]:
        return lambda: action.render(selection, values, stock.folder)

    yield compare(f"{plan.rows:,} address labels", floor, kontor, plan.times(3), Target(ratio=1.3))

"""One value for very many customers: preview, change with history, undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks import floors
from benchmarks.measuring import Figure, Plan, Target, compare
from benchmarks.stock import Stock


def bulk(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """Ten thousand that are marked, then all."""
    from flask_appadmin.filters import Filter
    from flask_appadmin.selections import Selection

    keys = stock.keys(plan.rows)
    marked = Selection.of_keys(stock.spec, stock.operator, keys).store()
    yield from _three(f"{len(keys):,} marked", stock, plan, lambda: _loaded(stock, marked.token), keys, 5)
    whole = Filter.from_text(stock.spec, "", stock.operator)
    yield from _three(
        f"all {stock.customers:,}", stock, plan, lambda: Selection.of_filter(whole, stock.operator), None, 3
    )


def _loaded(stock: Stock, token: str) -> Any:
    from flask_appadmin.selections import Selection

    return Selection.load(stock.spec, stock.operator, token)


def _three(
    name: str, stock: Stock, plan: Plan, selection: Callable[[], Any], keys: Sequence[int] | None, times: int
) -> Iterator[Figure]:
    from actions.change_settings import ChangeCustomerSettings
    from flask_appadmin.changes import ChangeSet
    from flask_appadmin.database import database

    action = ChangeCustomerSettings()
    mark = "m" if keys is not None else "a"
    times = plan.times(times)

    def preview(_number: int) -> Callable[[], Any]:
        return lambda: action.preview(selection(), {"marker": "vorher"})

    def change(number: int) -> Callable[[], Any]:
        state = action.preview(selection(), {"marker": f"K{mark}{number}"}).state

        def apply() -> None:
            values = {"marker": f"K{mark}{number}"}
            action.plan(selection(), values, expected=state).apply(stock.operator)

        return apply

    def last_change(kind: str, user_name: str = "") -> int:
        also = f" AND user_name = '{user_name}'" if user_name else ""
        sql = f"SELECT max(id) FROM change_set WHERE kind = '{kind}'{also}"
        return int(database.execute_sql(sql).fetchone()[0])

    def undo(number: int) -> Callable[[], Any]:
        change(1_000 + number)()
        made = last_change("bulk")
        return lambda: ChangeSet.undo(made).apply(stock.operator)

    def floor_undo(number: int) -> Callable[[], Any]:
        floors.assign(keys, f"V{mark}{number}")
        made = last_change("bulk", "Boden")
        return lambda: floors.undo_assign(made)

    yield compare(f"bulk change, preview: {name}", lambda _n: lambda: floors.preview_assign(keys), preview, times)
    whole = Target(1.5, 60 if stock.customers >= 1_000_000 else None)
    yield compare(
        f"bulk change with history: {name}", lambda n: lambda: floors.assign(keys, f"B{mark}{n}"), change, times, whole
    )
    yield compare(f"undo of a bulk change: {name}", floor_undo, undo, times)

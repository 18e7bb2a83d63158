"""One value for very many customers: preview, change with history, undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks import floors
from benchmarks.measuring import Figure, Plan, Target, compare, in_child
from benchmarks.stock import Stock


def bulk(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """Ten thousand that are marked, then all."""
    from flask_appadmin.filters import Filter
    from flask_appadmin.selections import Selection

    keys = stock.keys(plan.rows)
    marked = Selection.of_keys(stock.spec, stock.operator, keys).store()
    yield from _three(f"{len(keys):,} marked", stock, plan, lambda: _loaded(stock, marked.token), keys, 5)
    whole = Filter.from_text(stock.spec, "status__not=anonymised", stock.operator)
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

    def preview_three(_number: int) -> Callable[[], Any]:
        values = {"marker": "vorher", "hint": "vorher", "remark": "vorher"}
        return lambda: action.preview(selection(), dict(values))

    def change(number: int) -> Callable[[], Any]:
        state = action.preview(selection(), {"marker": f"K{mark}{number}"}).state

        def apply() -> None:
            values = {"marker": f"K{mark}{number}"}
            # As a job does it, which hears how far it is and may be stopped.
            action.plan(selection(), values, expected=state).apply(stock.operator, progress=lambda _done, _total: None)

        return apply

    def last_change(kind: str, user_name: str = "") -> int:
        also = f" AND user_name = '{user_name}'" if user_name else ""
        sql = f"SELECT max(id) FROM change_set WHERE kind = '{kind}'{also}"
        return int(database.execute_sql(sql).fetchone()[0])

    def undo(number: int) -> Callable[[], Any]:
        change(1_000 + number)()
        made = last_change("bulk")
        return lambda: ChangeSet.undo(made).apply(stock.operator, progress=lambda _done, _total: None)

    def floor_undo(number: int) -> Callable[[], Any]:
        floors.assign(keys, f"V{mark}{number}")
        made = last_change("bulk", "Boden")
        return lambda: floors.undo_assign(made)

    yield compare(f"bulk change, preview: {name}", lambda _n: lambda: floors.preview_assign(keys), preview, times)
    if keys is None:
        yield compare(
            f"bulk change, preview of 3 fields: {name}",
            lambda _n: lambda: [floors.preview_assign(keys, column) for column in ("marker", "hint", "remark")],
            preview_three,
            times,
            Target(at_most=3 if stock.customers <= 100_000 else None),
        )
    whole = Target(1.5, 60 if stock.customers >= 1_000_000 else None)
    changed = compare(
        f"bulk change with history: {name}", lambda n: lambda: floors.assign(keys, f"B{mark}{n}"), change, times, whole
    )
    yield changed
    # It should take no more than twice as long as the change itself.
    undone = Target(at_most=2 * changed.kontor)
    yield compare(f"undo of a bulk change: {name}", floor_undo, undo, times, undone)
    if keys is None:
        peak = in_child("assign", url=stock.url, text="im Speicher")["peak"]
        yield Figure(f"bulk change with history, peak of memory: {name}", peak, target=Target(at_most=200), unit="MB")

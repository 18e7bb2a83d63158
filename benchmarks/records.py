"""Saving one change with its history, and a full copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import floors
from benchmarks.measuring import Figure, Plan, Target, compare
from benchmarks.pages import richest_customer
from benchmarks.stock import Stock


def save(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """One telephone number: the whole request of the form, and the gateway alone."""
    from tests.reader import read

    keys = stock.keys(min(200, stock.customers))
    target = Target(ratio=50, at_most=0.010)

    def floor(number: int) -> Callable[[], Any]:
        return lambda: floors.save(keys[number], f"+49 30 {100_000 + number}")

    def posted(number: int) -> Callable[[], Any]:
        url = f"/admin/customer/edit/?id={keys[number]}"
        form = read(stock.client.get(url)).one("form", id="form")
        fields = form.typed({"phone": f"+49 30 {200_000 + number}"})

        def send() -> None:
            answer = stock.client.post(url, data=fields)
            if answer.status_code != 302:
                raise RuntimeError(f"the form was refused: {answer.status_code}")

        return send

    def by_gateway(number: int) -> Callable[[], Any]:
        from flask_appadmin.changes import ChangeSet

        def apply() -> None:
            change = ChangeSet("form")
            change.update(stock.spec, keys[number], {"phone": f"+49 30 {300_000 + number}"})
            change.apply(stock.operator)

        return apply

    times = plan.times(min(20, len(keys) - 1))
    yield compare("save one change with history: the form's request", floor, posted, times, target, warm=True)
    yield compare("save one change with history: the gateway alone", floor, by_gateway, times, target, warm=True)


def copy(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """The customer with the most children, copied fully."""
    from actions.copy_records import FullCopyCustomer
    from flask_appadmin.copying import copied_children
    from flask_appadmin.selections import Selection

    key = richest_customer(stock)
    selection = Selection.of_keys(stock.spec, stock.operator, [key])
    bare = floors.Copy(stock.spec, copied_children(stock.spec))
    action = FullCopyCustomer()

    def floor(number: int) -> Callable[[], Any]:
        return lambda: bare(key, 900_000_001 + number)

    def kontor(_number: int) -> Callable[[], Any]:
        return lambda: action.plan(selection, {}).apply(stock.operator)

    yield compare("full copy of one customer", floor, kontor, plan.times(10), Target(10, 0.008), warm=True)

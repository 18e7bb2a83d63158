"""A customer with ten contacts, ten addresses and ten bank accounts: opened with the tabs they stand on, and saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import floors
from benchmarks.measuring import Figure, Plan, Target, always, compare
from benchmarks.pages import reading, several
from benchmarks.stock import Stock

_ROWS = 10
_TABS = ("contacts", "addresses", "banks")
_TABLES = ("contact", "address", "bank_account")
#: Whoever changes or removes bank data has to say why.
_REASON = "Messung"


def form(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """The page with three grids of ten rows, and a save that changes the customer and a row of two of them."""
    from tests.reader import read

    key = stock.keys(3)[1]
    _fill(stock, key)
    url = f"/admin/customer/edit/?id={key}"
    part = {"X-Fragment": "panel"}
    page = reading(stock, url)
    panels = [reading(stock, f"{url}&tab={tab}", **part) for tab in _TABS]

    def opened() -> None:
        page()
        for panel in panels:
            panel()

    grids = several(stock, url, _TABS)

    def together() -> None:
        page()
        grids()

    tables = [(child.name, child.owner.column) for child in stock.spec.children if child.owner is not None]
    target = Target(ratio=20, at_most=0.036)
    bare = always(lambda: floors.record_page(key, tables))
    yield compare("form: the page, 3 grids of 10 rows", bare, always(page), plan.times(20), target, warm=True)
    for name, work in (("a request each", opened), ("in two requests", together)):
        yield compare(
            f"form: the page and the tabs of the 3 grids, {name}", bare, always(work), plan.times(10), target, warm=True
        )

    def posted(number: int) -> Callable[[], Any]:
        typed = {"phone": f"+49 30 {400_000 + number}", "_reason": _REASON}
        sent = read(stock.client.get(url)).one("form", id="form").typed(typed)
        for tab in _TABS:
            panel = read(stock.client.get(f"{url}&tab={tab}", headers=part)).one("div", "panel")
            for name, value in panel.fields().items(multi=True):
                changed = name.endswith(("-street", "-account_holder")) and value.startswith("Reihe 1 ")
                sent.add(name, f"Reihe 1 {number}" if changed else value)

        def send() -> None:
            answer = stock.client.post(url, data=sent)
            if answer.status_code != 302:
                raise RuntimeError(f"the form was refused: {answer.status_code}")

        return send

    yield compare(
        "form: save it, 3 changed values and 30 rows sent",
        lambda number: lambda: floors.save(key, f"+49 30 {500_000 + number}"),
        posted,
        plan.times(10),
        Target(ratio=50, at_most=0.010),
        warm=True,
    )


def _fill(stock: Stock, key: int) -> None:
    """Gives a customer ten rows of each table in place of those it has."""
    from domain.check_digits import iban
    from flask_appadmin.changes import ChangeSet, known_specs

    change = ChangeSet("import", reason=_REASON)
    contact, address, bank_account = specs = [known_specs()[table] for table in _TABLES]
    for spec in specs:
        for row in spec.model.select(spec.model.id).where(spec.model.customer == key).tuples():
            change.delete(spec, row[0])
    change.apply(stock.operator)
    change = ChangeSet("import", reason=_REASON)
    for number in range(1, _ROWS + 1):
        named = f"Reihe {number} a"
        change.create(contact, {"customer": key, "name_1": named, "phone_1": "+49 30 1234"})
        change.create(address, {"customer": key, "name_1": "Lager", "street": named, "is_delivery": True})
        account = {"iban": iban("DE", "37040044", f"{number:010d}"), "account_holder": named}
        change.create(bank_account, {"customer": key, **account})
    change.apply(stock.operator)

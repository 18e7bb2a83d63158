"""Lists, search, and a customer with everything that belongs to it, as pages of a signed-in operator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import floors
from benchmarks.measuring import Figure, Plan, Target, always, compare, peak_megabytes
from benchmarks.stock import Stock

_LIST = "/admin/customer/"
_LIST_TARGET = Target(ratio=8, at_most=0.012)

#: At a million, where the design's machine scans the table in 346 ms; a slower one may take longer in proportion.
_SEARCH_TARGET = Target(ratio=round(20 / 346, 3), at_most=0.020)

#: What the list leaves out unless it is asked for (views/customer.py).
_USUAL = "c.status NOT IN ('anonymised', 'deleted')"


def reading(stock: Stock, url: str, **headers: str) -> Callable[[], Any]:
    """A request of a browser that must be answered with a page."""

    def request() -> None:
        answer = stock.client.get(url, headers={"Accept-Encoding": "gzip", **headers})
        if answer.status_code != 200:
            raise RuntimeError(f"{url} answered {answer.status_code}")

    return request


def several(stock: Stock, url: str, tabs: Sequence[str]) -> Callable[[], Any]:
    """The request in which a form gets several of its tabs."""
    return reading(stock, url + "".join(f"&tab={tab}" for tab in tabs), **{"X-Fragment": "panel"})


def lists(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """The list: first and last page, sorted, filtered."""
    country = stock.client.get("/admin/country/").status_code and _country_key("AT")
    kinds = (
        ("first page", "", _USUAL, [], "c.customer_number"),
        ("last page", "?before=end", _USUAL, [], "c.customer_number DESC"),
        ("sorted by name", "?sort=name_1", _USUAL, [], "c.name_1, c.id"),
        ("sorted by date, descending", "?sort=-updated_at", _USUAL, [], "c.updated_at DESC, c.id DESC"),
        ("sorted by town", "?sort=city", f"{_USUAL} AND c.city IS NOT NULL", [], "c.city, c.customer_number"),
        (
            "sorted by postcode, descending",
            "?sort=-postal_code",
            f"{_USUAL} AND c.postal_code IS NOT NULL",
            [],
            "c.postal_code DESC, c.customer_number DESC",
        ),
        (
            "sorted by synonym",
            "?sort=search_name",
            f"{_USUAL} AND c.search_name IS NOT NULL",
            [],
            "c.search_name, c.customer_number",
        ),
        ("filtered by country", "?country=AT", f"{_USUAL} AND c.country_id = ?", [country], "c.customer_number"),
        ("filtered by status", "?status=locked", "c.status = 'locked'", [], "c.customer_number"),
        ("filtered by town", "?city=Wien", f"{_USUAL} AND c.city = 'Wien'", [], "c.customer_number"),
        (
            "filtered by beginning of postcode",
            "?postal_code__begins=80",
            f"{_USUAL} AND c.postal_code >= '80' AND c.postal_code < '81'",
            [],
            "c.customer_number",
        ),
        (
            "filtered by portal",
            "?portal_type=so_commerce",
            f"{_USUAL} AND c.portal_type = 'so_commerce'",
            [],
            "c.customer_number",
        ),
    )
    for name, query, where, params, order in kinds:
        yield compare(
            f"list: {name}",
            always(lambda where=where, params=params, order=order: floors.list_page(where, params, order)),
            always(reading(stock, _LIST + query)),
            plan.times(30),
            _LIST_TARGET,
            warm=True,
        )


def confirmations(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """What one sees before an action on "all that match": the list marks them by a token, the page asks.

    The floor counts them, which the pages leave for later when they are many.
    """
    from flask_appadmin.database import database

    actions = (
        ("change settings", "change_settings"),
        ("export", "export_sheet"),
        ("labels", "print_labels"),
        ("Merkliste", "worklist"),
    )
    for words, query in (("all customers", ""), ("all that „gmbh“ finds", "search%3Dgmbh")):
        for name, action in actions:
            yield compare(
                f"confirm: {name}, {words}",
                always(lambda: database.execute_sql(f"SELECT count(*) FROM customer c WHERE {_USUAL}").fetchone()),
                always(reading(stock, f"{_LIST}action/{action}?query={query}")),
                plan.times(3),
                Target(at_most=1.0),
                warm=True,
                apart=True,
            )


def _country_key(code: str) -> int:
    from flask_appadmin.database import database

    return int(database.execute_sql(f"SELECT id FROM country WHERE code = '{code}'").fetchone()[0])


def search(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """A part of a word, one that many have and one that few have."""
    kinds = (
        ("a part of a word, many", "echan"),
        ("a part of a word, few", "gruber wien"),
        ("a common name", "Müller"),
        ("a rare name", "Hirschkofler"),
        ("a word that a third have", "gmbh"),
        ("two common words", "gmbh graz"),
        ("a rare and a common word", "Hirschkofler Wien"),
        ("nothing", "xyzzy"),
        ("one letter wrong", "Hirschkoffler"),
        ("a number", "500000"),
        ("a phone number", "089 1234"),
    )
    for name, word in kinds:
        yield compare(
            f"search: {name} ({word})",
            always(lambda word=word: floors.search_page(word.split()[0])),
            always(reading(stock, f"{_LIST}?search={word.replace(' ', '+')}")),
            # The floor reads the whole table: seconds at a million.
            plan.times(3 if plan.customers > 200_000 else 20),
            _SEARCH_TARGET if plan.customers >= 1_000_000 else Target(at_most=0.020),
            warm=True,
            apart=True,
        )
    yield Figure(
        "memory of the worker after lists and searches", _resident_megabytes(), target=Target(at_most=250), unit="MB"
    )


def _resident_megabytes() -> float:
    try:
        return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) * 1_024 / 1_000_000
    except (OSError, IndexError):
        return peak_megabytes()


def richest_customer(stock: Stock) -> int:
    """The customer with the most contacts, addresses and bank accounts."""
    from flask_appadmin.database import database

    parts = (
        f"SELECT customer_id FROM {table}" for table in ("contact", "address", "bank_account", "customer_category")
    )
    sql = f"SELECT customer_id FROM ({' UNION ALL '.join(parts)}) AS found GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    return int(database.execute_sql(sql).fetchone()[0])


def open_customer(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """The page as it opens, and all its tabs: one after the other, and as the browser gets the rest of them ahead."""
    from views.customer import CustomerView

    key = richest_customer(stock)
    url = f"{_LIST}edit/?id={key}"
    layout = CustomerView.layout
    assert layout is not None
    children = [(child.name, child.owner.column) for child in stock.spec.children if child.owner is not None]
    page = reading(stock, url)
    tabs = [reading(stock, f"{url}&tab={tab.key}", **{"X-Fragment": "panel"}) for tab in layout.tabs[1:]]

    rest = several(stock, url, [tab.key for tab in layout.tabs[1:]])

    def everything() -> None:
        page()
        for tab in tabs:
            tab()

    def together() -> None:
        page()
        rest()

    yield compare(
        "open a customer: the page as it opens",
        always(lambda: floors.record_page(key, children)),
        always(page),
        plan.times(20),
        Target(ratio=20, at_most=0.036),
        warm=True,
    )
    first = layout.tabs[1].key
    yield compare(
        f"open a customer: one further tab ({first})",
        always(lambda: floors.record_page(key, children)),
        always(tabs[0]),
        plan.times(20),
        warm=True,
    )
    whole = f"all {len(layout.tabs)} tabs, {len(stock.spec.data_fields)} columns, all children"
    for name, work, times in ((f"{whole}, a request each", everything, 5), (f"{whole}, in two requests", together, 15)):
        yield compare(
            f"open a customer: {name}",
            always(lambda: floors.record_page(key, children)),
            always(work),
            plan.times(times),
            Target(ratio=20, at_most=0.036),
            warm=True,
        )

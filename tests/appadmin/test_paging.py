"""Paging: from both ends, by every order, no record is missing and none comes twice."""

from __future__ import annotations

import datetime
import random
from decimal import Decimal
from typing import Any

import pytest

from flask_appadmin import lists
from flask_appadmin.changes import ChangeSet
from flask_appadmin.filters import Filter
from flask_appadmin.rights import system_operator
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Author, Book

ANNA = system_operator("Anna")


@pytest.fixture
def library(library: str) -> Any:
    """The books of the library."""
    return spec_of(Book)


def books(count: int) -> None:
    """Books whose sort values are often the same and often missing."""
    chance = random.Random(7)
    change = ChangeSet("import")
    author = change.create(Author, {"name": "Kafka"})
    for number in range(count):
        change.create(
            Book,
            {
                "isbn": f"I{number:03d}",
                "title": chance.choice(["Äpfel", "apfel", "Birne", "birne", "Zimt"]),
                "author": author,
                "note": None,
                "price": chance.choice([None, None, Decimal("1.50"), Decimal("2.00"), Decimal("10.00")]),
                "printed_on": chance.choice([None, datetime.date(1999, 12, 31), datetime.date(2000, 1, 1)]),
            },
        )
    change.apply(ANNA)


def walk(spec: Any, sort: str, size: int, *, forwards: bool) -> list[int]:
    """The keys as one meets them page by page from one end to the other, in the order of the list."""
    order = lists.read_order(spec, sort, ANNA)
    whole = Filter(spec)
    keys: list[int] = []
    place = {} if forwards else {"before": "end"}
    for _page in range(100):
        page = lists.read_page(spec, ANNA, whole, (), order, size=size, **place)
        found = [row[0] for row in page.rows]
        keys = keys + found if forwards else found + keys
        way = page.next if forwards else page.previous
        if not way:
            return keys
        place = {"after" if forwards else "before": way}
    raise AssertionError("the list has no end")


@pytest.mark.parametrize("sort", ["title", "-title", "price", "-price", "printed_on", "-printed_on", "isbn", "-id", ""])
def test_paging_meets_every_record_once_in_both_directions(library: Any, sort: str) -> None:
    books(57)
    keys = sorted(row[0] for row in Book.select(Book.id).tuples())
    for size in (4, 7, 57):
        there = walk(library, sort, size, forwards=True)
        back = walk(library, sort, size, forwards=False)
        assert sorted(there) == keys, f"{sort or 'usual order'}, {size} rows: forwards"
        assert there == back, f"{sort or 'usual order'}, {size} rows: backwards"


@pytest.mark.parametrize("sort", ["price", "-price"])
def test_records_without_a_value_stand_last_whichever_way_the_list_is_sorted(library: Any, sort: str) -> None:
    books(30)
    values = dict(Book.select(Book.id, Book.price).tuples())
    prices = [values[key] for key in walk(library, sort, 8, forwards=True)]
    filled = [price for price in prices if price is not None]
    assert prices == filled + [None] * (30 - len(filled))
    assert filled == sorted(filled, reverse=sort.startswith("-"))


def test_what_fits_on_one_page_is_counted_by_its_rows(library: Any) -> None:
    books(5)
    order = lists.read_order(library, "", ANNA)
    assert lists.read_page(library, ANNA, Filter(library), (), order, size=50).found == 5
    page = lists.read_page(library, ANNA, Filter(library), (), order, size=2)
    assert (page.found, page.first_row, page.last_row) == (5, 1, 2)


@pytest.mark.parametrize("place", ["", "x", "W10", "WzFd", "WyJhIiwgMV0", "W251bGwsIG51bGxd", "W1sxXSwgMl0"])
def test_a_place_that_makes_no_sense_is_refused(library: Any, place: str) -> None:
    from flask_appadmin.errors import FilterError

    books(3)
    order = lists.read_order(library, "price", ANNA)
    if place:
        with pytest.raises(FilterError):
            lists.read_page(library, ANNA, Filter(library), (), order, after=place)

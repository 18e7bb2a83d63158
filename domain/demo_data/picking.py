"""Random picks for many rows at once: tables of 256 or 1,024 places, and random bytes that choose among them."""

from __future__ import annotations

import datetime
import random
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain.demo_data.places import Place

#: Customers in one batch; documents are counted per batch, so that their keys are known beforehand.
BATCH_SIZE = 1_000
#: The day up to which demo data reach. Fixed, so that the same seed gives the same rows on every day.
LAST_DAY = datetime.date(2026, 6, 30)


def spread(entries: Sequence[Any], size: int = 256, *, falling: float = 0.0) -> list[Any]:
    """A table of `size` places for the entries, each at least once, the first ones more often when `falling` > 0."""
    weights = [1 / (place + 4) ** falling for place in range(len(entries))]
    free = size - len(entries)
    share = free / sum(weights)
    table: list[Any] = []
    carried = 0.0
    for entry, weight in zip(entries, weights, strict=True):
        carried += weight * share
        times = int(carried)
        carried -= times
        table += [entry] * (1 + times)
    return table + [entries[0]] * (size - len(table))


def share(value: Any, percent: float, other: Any = None) -> list[Any]:
    """A table of 256 places that has `value` in so many of a hundred."""
    count = round(percent * 2.56)
    return [value] * count + [other] * (256 - count)


class Rows:
    """Random picks for one batch, and what its customers pass on to their children."""

    places: list[Place]
    surnames: list[tuple[str, str]]
    companies: list[bool]
    names: list[str]
    domains: list[str]
    phones: list[str]
    created: list[str]

    def __init__(self, rng: random.Random, count: int) -> None:
        self.rng = rng
        self.count = count

    def narrow(self, table: list[Any], count: int | None = None) -> list[Any]:
        """One pick from a table of 256 places for each row."""
        return list(map(table.__getitem__, self.rng.randbytes(self.count if count is None else count)))

    def wide(self, table: list[Any], count: int | None = None) -> list[Any]:
        """One pick from a table of 1,024 places for each row."""
        return [table[number >> 22] for number in self.longs(count)]

    def longs(self, count: int | None = None) -> list[int]:
        """A number of 32 bits for each row."""
        size = self.count if count is None else count
        return list(struct.unpack(f"<{size}I", self.rng.randbytes(4 * size)))

    def bools(self, percent: float, count: int | None = None) -> list[bool]:
        limit = round(percent * 2.56)
        return [byte < limit for byte in self.rng.randbytes(self.count if count is None else count)]

    def some(self, share: float) -> list[int]:
        """A random choice of rows, about this share of them."""
        return self.rng.sample(range(self.count), int(self.count * share + self.rng.random()))

    def sparse(self, share: float, make: Callable[[int], Any], other: Any = None) -> list[Any]:
        """A column that is filled for a share of the rows only."""
        column = [other] * self.count
        for index in self.some(share):
            column[index] = make(index)
        return column


def expanded(counts: Sequence[int]) -> tuple[list[int], list[int]]:
    """For so many children per row: the row of each child, and its place among its siblings from 1."""
    who, places = [], []
    for index, count in enumerate(counts):
        if count == 1:
            who.append(index)
            places.append(1)
        elif count:
            who += [index] * count
            places += _PLACES[count]
    return who, places


_PLACES = [list(range(1, count + 1)) for count in range(6)]

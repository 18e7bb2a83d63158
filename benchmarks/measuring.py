"""Times a piece of work beside its floor, reads the peak of memory of a process, and draws the table of figures.

Shape: a piece of work is a function that takes the number of the repetition, prepares what is not to be measured, and
answers the function that is. `compare` runs floor and Kontor in turn, so that a busy moment hits both, and keeps the
best time of each. A `Figure` is one line of the table; what it should reach is a `Target`.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

#: Takes the number of the repetition, prepares, and answers what is to be timed.
Work = Callable[[int], Callable[[], Any]]


@dataclass(frozen=True)
class Target:
    """What a figure should reach; without any bound the figure is only told."""

    #: Kontor may take so many times the floor.
    ratio: float | None = None
    #: Kontor may take so much, in the figure's unit. Where a ratio is named too, the ratio decides.
    at_most: float | None = None
    #: Kontor must manage so much (customers a second).
    at_least: float | None = None


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    work: str
    kontor: float
    floor: float | None = None
    target: Target = Target()
    #: "s", "MB" or "/s".
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        """How many times as much as the floor Kontor takes."""
        if not self.floor or not self.kontor:
            return None
        return self.floor / self.kontor if self.unit == "/s" else self.kontor / self.floor

    @property
    def verdict(self) -> str:
        """ "yes", "no", or what else there is to say about the target."""
        target, within = self.target, None
        if target.at_most is not None:
            within = self.kontor <= target.at_most
        if target.at_least is not None:
            within = self.kontor >= target.at_least
        if target.ratio is not None and self.ratio is not None:
            if self.ratio <= target.ratio:
                return "yes"
            return "time only" if within else "no"
        return "–" if within is None else ("yes" if within else "no")

    def cells(self) -> tuple[str, ...]:
        """What stands in the table: work, floor, Kontor, ratio, target, reached."""
        target = []
        if self.target.ratio is not None:
            target.append(f"≤ {self.target.ratio:g} ×")
        if self.target.at_most is not None:
            bound = f"≤ {_amount(self.target.at_most, self.unit)}"
            target.append(f"({bound})" if target else bound)
        if self.target.at_least is not None:
            target.append(f"≥ {_amount(self.target.at_least, self.unit)}")
        return (
            self.work,
            "–" if self.floor is None else _amount(self.floor, self.unit),
            _amount(self.kontor, self.unit),
            "–" if self.ratio is None else f"{self.ratio:.{1 if self.ratio >= 0.95 else 3}f} ×",
            " ".join(target) or "–",
            self.verdict,
        )


def _amount(value: float, unit: str) -> str:
    if unit == "s":
        return f"{value:,.2f} s" if value >= 0.5 else f"{value * 1_000:.3g} ms"
    return f"{value:,.0f} {unit}".replace(" /s", "/s")


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    customers: int
    #: One repetition of everything, as the smoke test wants it.
    quick: bool = False
    #: The exports and imports that take minutes, too.
    long: bool = False
    #: The lean stock (benchmarks/sparse.py) instead of demo data.
    sparse: bool = False

    @property
    def rows(self) -> int:
        """Customers in a file, on labels, or marked."""
        return min(10_000, self.customers)

    def times(self, usual: int) -> int:
        return 1 if self.quick else usual


def always(work: Callable[[], Any]) -> Work:
    """Work that needs no preparation."""
    return lambda _number: work


def compare(
    name: str,
    floor: Work,
    kontor: Work,
    times: int,
    target: Target = Target(),
    *,
    warm: bool = False,
    apart: bool = False,
) -> Figure:
    """Times floor and Kontor in turn. `warm`: each runs once unmeasured before (pages, whose first one is cold).

    `apart`: first all runs of the floor, then those of Kontor, for floors that read so much that nothing of Kontor's
    pages is left in the cache behind them.
    """
    if warm:
        floor(-1)()
    if apart:
        floor_seconds = min(_timed(floor, number, not warm) for number in range(times))
        kontor(-1)()
        return Figure(name, min(_timed(kontor, number, not warm) for number in range(times * 5)), floor_seconds, target)
    if warm:
        kontor(-1)()
    pairs = [(_timed(floor, number, not warm), _timed(kontor, number, not warm)) for number in range(times)]
    return Figure(name, min(pair[1] for pair in pairs), min(pair[0] for pair in pairs), target)


def _timed(work: Work, number: int, clean: bool) -> float:
    ready = work(number)
    if clean:
        # So that nobody pays for what the other one left behind.
        gc.collect()
    start = time.perf_counter()
    ready()
    return time.perf_counter() - start


# --- processes of their own -------------------------------------------------------------------------------------------


def in_child(work: str, **given: Any) -> dict[str, Any]:
    """Runs a function of `benchmarks/child.py` in a process of its own; answers what it answers, and `peak` in MB."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.child", work],
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=dict(os.environ),
        check=True,
    )
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def peak_megabytes() -> float:
    """The most memory this process, or one that it started, had at a time."""
    # What the kernel counts for a process begins with the size of the one that started it; its status does not.
    try:
        status = Path("/proc/self/status").read_text()
        own = int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError, ValueError):
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024 / 1_000_000


# --- the table --------------------------------------------------------------------------------------------------------

HEADINGS = ("Work", "Floor", "Kontor", "Ratio", "Target", "Reached")


@dataclass
class Table:
    """The figures of one engine."""

    engine: str
    customers: int
    figures: list[Figure] = field(default_factory=list)

    def markdown(self) -> str:
        lines = [f"### {self.engine}, {self.customers:,} customers", ""]
        rows = [HEADINGS, *(figure.cells() for figure in self.figures)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(HEADINGS))]
        for number, row in enumerate(rows):
            lines.append("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
            if not number:
                lines.append("|" + "|".join("-" * (width + 2) for width in widths) + "|")
        counts = {word: sum(figure.verdict == word for figure in self.figures) for word in ("yes", "time only", "no")}
        told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        return "\n".join([*lines, "", f"Reached: {told or 'nothing to reach'}."])


def machine_facts() -> list[tuple[str, str]]:
    """What the figures depend on."""
    import apsw
    import flask
    import peewee

    load = " ".join(f"{number:.1f}" for number in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    return [
        ("processor", f"{_processor()}, {len(os.sched_getaffinity(0))} cores"),
        ("memory", f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"),
        ("system", f"{platform.system()} {platform.release()}"),
        ("Python", platform.python_version()),
        ("SQLite", apsw.sqlite_lib_version()),
        ("Peewee, Flask", f"{peewee.__version__}, {_version(flask)}"),
        ("load when the run began", load),
    ]


def _version(package: Any) -> str:
    from importlib.metadata import version

    return version(package.__name__)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


_ABOUT = """\
Written by `make bench`; the figures to reach stand in the design. Each line is measured beside its floor in the same
run: the floor does the bare work and nothing else (bare SQL and a page by string formatting; one UPDATE with one
INSERT … SELECT for its history; XlsxWriter, calamine with `executemany`, reportlab alone). Both are run in turn, and
the best of some repetitions counts. Pages are measured through the WSGI application by a signed-in client: session,
rights, templates, compression. What decides is the ratio, where one is named; “time only” means that the ratio is
missed and the time is kept."""


def document(tables: Sequence[Table], facts: Iterable[tuple[str, str]], minutes: float) -> str:
    """The page docs/figures.md."""
    parts = [
        "# Figures",
        "",
        _ABOUT,
        "",
        *(f"- {name}: {value}" for name, value in facts),
        f"- the run took {minutes:.0f} minutes" if minutes >= 1.5 else f"- the run took {minutes * 60:.0f} seconds",
        "",
    ]
    for table in tables:
        parts += [table.markdown(), ""]
    if any(table.engine == "PostgreSQL" for table in tables):
        parts += ["PostgreSQL runs without waiting for the disk (`fsync=off`), for floor and Kontor alike.", ""]
    return "\n".join(parts)

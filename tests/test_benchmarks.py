"""The benchmarks run, and print a line for every piece of work. How fast anything is, no test says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import GROUPS
from benchmarks.measuring import Figure, Table, Target

ROOT = Path(__file__).resolve().parents[1]

#: How the lines begin, in their order.
LINES = (
    "list: first page",
    "list: last page",
    "list: sorted by name",
    "list: sorted by date",
    *["list: sorted by"] * 3,
    *["list: filtered by"] * 5,
    "search: a part of a word, many",
    "search: a part of a word, few",
    *["search: "] * 9,
    "memory of the worker",
    *["confirm: "] * 8,
    "open a customer: the page as it opens",
    "open a customer: one further tab",
    *["open a customer: all"] * 2,
    *["form: "] * 4,
    "save one change with history: the form's request",
    "save one change with history: the gateway alone",
    "full copy of one customer",
    "bulk change, preview: 200 marked",
    "bulk change with history: 200 marked",
    "undo of a bulk change: 200 marked",
    "bulk change, preview: all 200",
    "bulk change, preview of 3 fields: all 200",
    "bulk change with history: all 200",
    "undo of a bulk change: all 200",
    "bulk change with history, peak of memory: all 200",
    *["16 operators save in the other half beside a change of 100: "] * 4,
    "export to xlsx, 63 columns: 200",
    "export to xlsx, peak of memory: 200",
    "import 200 rows, 1 % changed: preview alone",
    "import 200 rows, 1 % changed: preview and apply",
    "import 200 rows, 1 % changed: peak of memory",
    "import 200 new rows with 3 children each",
    *["export to xlsx, 63 columns: all "] * 2,
    *["import "] * 2,
    "200 address labels",
    "demo data: 200 customers with everything",
    "demo data: peak of memory",
    "start to first page: empty folder",
    "start to first page: 200 customers",
)


def test_every_line_of_the_table_is_printed_and_written(tmp_path: Path) -> None:
    page = tmp_path / "figures.md"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--customers", "200", "--quick", "--write", str(page)],
        cwd=ROOT,
        env={**os.environ, "KONTOR_BENCH": str(tmp_path / "kept")},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in run.stdout.splitlines() if line[:1] == "|"]
    assert cells[0] == ["Work", "Floor", "Kontor", "Ratio", "Target", "Reached"]
    found = cells[2:]
    assert len(found) == len(LINES)
    assert [row[0] for row, begin in zip(found, LINES, strict=True) if not row[0].startswith(begin)] == []
    assert all(row[2] != "–" and row[5] for row in found)
    assert page.read_text(encoding="utf-8") == run.stdout.removesuffix("\n")
    assert "processor" in run.stdout


def test_a_database_is_kept_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import stock

    monkeypatch.setenv("KONTOR_BENCH", str(tmp_path))
    made = []
    monkeypatch.setattr(stock, "in_child", lambda _work, url, customers: made.append(url) or Path(url[10:]).touch())
    assert stock._kept_sqlite(30) == stock._kept_sqlite(30)
    assert len(made) == 1


def test_the_ratio_decides_where_one_is_named() -> None:
    def verdict(kontor: float, **target: float) -> str:
        return Figure("x", kontor, 0.001, Target(**target)).verdict

    assert verdict(0.008, ratio=8, at_most=0.005) == "yes"
    assert verdict(0.009, ratio=8, at_most=0.012) == "time only"
    assert verdict(0.013, ratio=8, at_most=0.012) == "no"
    assert verdict(0.013, at_most=0.02) == "yes"
    assert verdict(0.013) == "–"
    rate = Figure("x", 5_000, 20_000, Target(at_least=10_000), "/s")
    assert (rate.ratio, rate.verdict) == (4, "no")
    assert "| x " in Table("SQLite", 5, [rate]).markdown()


def test_groups_can_be_chosen_by_the_words_of_the_design() -> None:
    assert {"list", "search", "open", "save", "copy", "bulk", "export", "import", "labels"} < set(GROUPS)

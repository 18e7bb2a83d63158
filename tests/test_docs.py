"""The pages tell the truth: what they link to is there, what they name exists, what exists is named."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import PurePosixPath

import pytest

from tests.house import ROOT, files, product_files

PAGES = [file for file in files(".md") if not file.place.startswith("tests/")]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):.*##", MAKEFILE, re.M))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.place)
def test_links_lead_to_something(page) -> None:  # type: ignore[no-untyped-def]
    folder = PurePosixPath(page.place).parent
    broken = [
        target
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.text)
        if "://" not in target and not (ROOT / folder / target).exists()
    ]
    assert broken == []


def test_every_make_target_that_a_page_names_exists() -> None:
    named = {
        (page.place, target)
        for page in PAGES
        for target in re.findall(r"`make ([a-z]+)", page.text) + re.findall(r"^    make ([a-z]+)", page.text, re.M)
    }
    assert {name for name in named if name[1] not in TARGETS} == set()


def test_every_make_target_is_explained_to_engineers() -> None:
    page = (ROOT / "docs" / "engineers" / "README.md").read_text(encoding="utf-8")
    assert {target for target in TARGETS - {"help"} if f"`make {target}`" not in page} == set()


def test_every_setting_is_explained() -> None:
    read = {
        name
        for file in product_files(".py")
        for name in re.findall(r"[\"'](KONTOR_[A-Z_]+|DATABASE_URL|SECRET_KEY)[\"']", file.text)
    }
    pages = "\n".join(page.text for page in PAGES)
    assert {name for name in read if name not in pages} == set()


def test_every_command_and_switch_of_the_command_line_is_real() -> None:
    said = _help()
    commands = set(re.findall(r"^    ([a-z-]+) ", said, re.M))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (`[a-z].*?`(?:, `[a-z].*?`)*) \| ", readme, re.M)
    rows = [row for cell in table for row in re.findall(r"`([^`]+)`", cell)]
    assert {row.split()[0] for row in rows if row.split()[0].islower()} == commands
    wrong = [
        f"{row.split()[0]} {switch}"
        for row in rows
        for switch in re.findall(r"--[a-z-]+", row)
        if switch not in _help(*re.match(r"(?:user add|[a-z-]+)", row).group().split())  # type: ignore[union-attr]
    ]
    assert wrong == []


@cache
def _help(*command: str) -> str:
    run = subprocess.run(
        [sys.executable, "admin_app.py", *command, "--help"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return run.stdout

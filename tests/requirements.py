"""Which of the requirements are proven, read from the tests.

A test says `@pytest.mark.req("SC-01", "PX-17")` when it proves them, and `@pytest.mark.req("SC-01", partly=True)` when
it proves a part. The mark stands on a test, a class, a parameter (`pytest.param(…, marks=…)`) or a module
(`pytestmark`). `tests/requirements.tsv` holds all ids with their area and first words. A requirement is proven when a
test says so without `partly`, partly when only such tests name it, and open otherwise. The marks are read from the
source, so nothing is run; that the tests pass is the suite's business.

`python -m tests.requirements` writes docs/requirements.md.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "requirements.md"

SYSTEMS = {"SC": "So.CONNECT", "PX": "POLLEX-LC", "SI": "simple system", "ME": "mention", "NE": "NEO-WWS"}
STATES = ("proven", "partly", "open")


@dataclass(frozen=True)
class Requirement:
    """One row of requirements.tsv."""

    id: str
    area: str
    wording: str

    @property
    def system(self) -> str:
        return self.id.partition("-")[0]


@dataclass(frozen=True)
class Mark:
    """One requirement named by one test."""

    id: str
    partly: bool
    #: where a reader finds it: "customers/test_list.py::test_the_name"
    test: str


class MarkError(ValueError):
    """A mark that cannot be read; the message says where it stands."""


def all_requirements() -> list[Requirement]:
    """Every requirement, in the order of the specification."""
    lines = (TESTS / "requirements.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [Requirement(*line.split("\t")) for line in lines]


def marks_in(folder: Path = TESTS) -> list[Mark]:
    """Every mark in the test files below `folder`, in the order of files and lines."""
    found: list[Mark] = []
    for path in sorted(folder.rglob("test_*.py")):
        place = path.relative_to(folder).as_posix()
        found += marks_of(path.read_text(encoding="utf-8"), place)
    return found


def marks_of(source: str, place: str) -> list[Mark]:
    """The marks in one file's text; `place` is its name."""
    tree = ast.parse(source)
    calls = list(_owned_calls(tree))
    called = {id(call.func) for call, _owner in calls}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in _NAMES and id(node) not in called:
            raise MarkError(
                f"{place}:{node.lineno}: the mark req is written out where it stands, not under another name."
            )
    return [mark for call, owner in calls for mark in _read(call, place, owner)]


_NAMES = ("pytest.mark.req", "mark.req")


def _owned_calls(node: ast.AST, owner: str = "") -> Iterator[tuple[ast.Call, str]]:
    """Every `pytest.mark.req(…)` with the name of the test or class it stands on."""
    for child in ast.iter_child_nodes(node):
        inside = owner
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = f"{owner}::{child.name}"
        if isinstance(child, ast.Call) and ast.unparse(child.func) in _NAMES:
            yield child, owner
        yield from _owned_calls(child, inside)


def _read(call: ast.Call, place: str, owner: str) -> list[Mark]:
    where = f"{place}:{call.lineno}"
    ids: list[str] = []
    for argument in call.args:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            raise MarkError(f"{where}: the mark req takes ids as plain texts, not {ast.unparse(argument)}.")
        ids.append(argument.value)
    partly = False
    for keyword in call.keywords:
        if keyword.arg != "partly" or not isinstance(keyword.value, ast.Constant):
            raise MarkError(f"{where}: besides ids the mark req takes only partly=True.")
        partly = bool(keyword.value.value)
    if not ids:
        raise MarkError(f"{where}: the mark req names no requirement.")
    return [Mark(id=id, partly=partly, test=place + owner) for id in ids]


def state_of(marks: list[Mark]) -> str:
    """proven, partly or open, for the marks of one requirement."""
    if not marks:
        return "open"
    return "partly" if all(mark.partly for mark in marks) else "proven"


def page(requirements: list[Requirement], marks: list[Mark]) -> str:
    """The text of docs/requirements.md."""
    by_id: dict[str, list[Mark]] = {requirement.id: [] for requirement in requirements}
    for mark in marks:
        by_id[mark.id].append(mark)
    states = {id: state_of(named) for id, named in by_id.items()}
    lines = [
        "# Requirements and their proofs",
        "",
        "Written by `make requirements` from the marks `@pytest.mark.req(…)` of the tests; not to be edited by hand.",
        "**proven**: a test shows the whole of it. **partly**: tests show some of it. **open**: no test says so yet.",
        "",
        "| System | proven | partly | open | all |",
        "|---|---:|---:|---:|---:|",
    ]
    for system, name in SYSTEMS.items():
        count = Counter(states[requirement.id] for requirement in requirements if requirement.system == system)
        lines.append(
            f"| {system} {name} | " + " | ".join(str(count[state]) for state in STATES) + f" | {count.total()} |"
        )
    count = Counter(states.values())
    lines.append("| **all** | " + " | ".join(f"**{count[state]}**" for state in STATES) + f" | **{count.total()}** |")
    for system, name in SYSTEMS.items():
        lines += ["", f"## {name}", "", "| Id | Area | Requirement | State | Tests |", "|---|---|---|---|---|"]
        for requirement in requirements:
            if requirement.system == system:
                tests = sorted({mark.test for mark in by_id[requirement.id]})
                lines.append(
                    f"| {requirement.id} | {requirement.area} | {requirement.wording} | {states[requirement.id]} | "
                    + "<br>".join(f"`{test}`" for test in tests)
                    + " |"
                )
    return "\n".join(lines) + "\n"


def unknown_marks(requirements: list[Requirement], marks: list[Mark]) -> list[str]:
    """A sentence for every mark that names no requirement of ours."""
    known = {requirement.id for requirement in requirements}
    return [f"{mark.test} names {mark.id}, which is no requirement." for mark in marks if mark.id not in known]


def main() -> int:
    """Write docs/requirements.md."""
    requirements, marks = all_requirements(), marks_in()
    unknown = unknown_marks(requirements, marks)
    if unknown:
        print("\n".join(unknown), file=sys.stderr)
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(requirements, marks), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

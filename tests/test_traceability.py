"""docs/requirements.md tells the truth: every id there, every mark known, the page as the tests have it."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.requirements import (
    PAGE,
    SYSTEMS,
    MarkError,
    Requirement,
    all_requirements,
    marks_in,
    marks_of,
    page,
    unknown_marks,
)


def test_all_616_requirements_of_the_five_systems_are_listed() -> None:
    requirements = all_requirements()
    assert len({requirement.id for requirement in requirements}) == len(requirements) == 616
    assert Counter(requirement.system for requirement in requirements) == {
        "SC": 53,
        "PX": 228,
        "SI": 32,
        "ME": 141,
        "NE": 162,
    }
    assert set(SYSTEMS) == {requirement.system for requirement in requirements}


def test_every_mark_names_a_requirement() -> None:
    assert unknown_marks(all_requirements(), marks_in()) == []


def test_the_page_is_what_the_tests_say() -> None:
    written = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    assert written == page(all_requirements(), marks_in()), "docs/requirements.md is stale: make requirements"


SOURCE = """
import pytest
pytestmark = pytest.mark.req("SC-01", partly=True)

@pytest.mark.req("SC-02", "SC-03")
def test_one(): ...

class TestTwo:
    @pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.req("SC-01"))])
    def test_three(self, n): ...
"""


def test_marks_are_found_on_tests_parameters_and_modules() -> None:
    assert [(mark.id, mark.partly, mark.test) for mark in marks_of(SOURCE, "test_x.py")] == [
        ("SC-01", True, "test_x.py"),
        ("SC-02", False, "test_x.py::test_one"),
        ("SC-03", False, "test_x.py::test_one"),
        ("SC-01", False, "test_x.py::TestTwo::test_three"),
    ]


def test_the_page_counts_proven_partly_and_open() -> None:
    requirements = [Requirement(f"SC-0{n}", "list", f"Wording {n}.") for n in (1, 2, 3)]
    marks = marks_of(
        '@pytest.mark.req("SC-01")\n@pytest.mark.req("SC-02", partly=True)\ndef test_a(): ...', "test_a.py"
    )
    lines = page(requirements, marks).splitlines()
    assert "| SC So.CONNECT | 1 | 1 | 1 | 3 |" in lines
    assert "| **all** | **1** | **1** | **1** | **3** |" in lines
    assert "| SC-01 | list | Wording 1. | proven | `test_a.py::test_a` |" in lines
    assert "| SC-02 | list | Wording 2. | partly | `test_a.py::test_a` |" in lines
    assert "| SC-03 | list | Wording 3. | open |  |" in lines


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [
        ("pytest.mark.req()", "names no requirement"),
        ("pytest.mark.req(SOME)", "plain texts"),
        ('pytest.mark.req("SC-01", half=True)', "only partly=True"),
    ],
)
def test_an_unreadable_mark_is_an_error(mark: str, sentence: str) -> None:
    with pytest.raises(MarkError, match=sentence):
        marks_of(f"@{mark}\ndef test_a(): ...", "test_a.py")


def test_a_mark_under_another_name_is_an_error() -> None:
    with pytest.raises(MarkError, match="written out"):
        marks_of("proves = pytest.mark.req\n@proves('SC-01')\ndef test_a(): ...", "test_a.py")


def test_a_mark_on_an_unknown_id_is_named() -> None:
    marks = marks_of('@pytest.mark.req("XX-99")\ndef test_a(): ...', "test_a.py")
    assert unknown_marks(all_requirements(), marks) == ["test_a.py::test_a names XX-99, which is no requirement."]

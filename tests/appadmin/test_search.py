"""The search box on the toy library: spellings, parts, misspelt words, the order of hits, and what it refuses."""

from __future__ import annotations

import random
from typing import Any

import pytest

from flask_appadmin import lists, search
from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import TooSlow, database, engine, limited
from flask_appadmin.errors import FilterError
from flask_appadmin.filters import Filter
from flask_appadmin.rights import system_operator
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Author, Book

ANNA = system_operator("Anna")


@pytest.fixture
def library(library: str) -> Any:
    """The books of the library."""
    return spec_of(Book)


def make(*titles: str, prefix: str = "I") -> list[int]:
    change = ChangeSet("import")
    author = change.create(Author, {"name": "Kafka"})
    made = [
        change.create(Book, {"isbn": f"{prefix}{number}", "title": title, "author": author})
        for number, title in enumerate(titles)
    ]
    change.apply(ANNA)
    return [row[0] for row in Book.select(Book.id).order_by(Book.id.desc()).limit(len(made)).tuples()][::-1]


def found(spec: Any, question: str) -> list[int]:
    """Keys in the order of the list's pages, which agree with the plain condition."""
    whole = Filter.from_pairs(spec, [("search", question)], ANNA)
    order = lists.read_order(spec, "", ANNA)
    keys: list[int] = []
    after = ""
    while True:
        page = lists.read_page(spec, ANNA, whole, (), order, size=2, after=after, ranked=True)
        keys += [row[0] for row in page.rows]
        after = page.next
        if not after:
            break
    matching = {row[0] for row in Book.select(Book.id).where(search.matches(spec, question, ANNA)).tuples()}
    assert set(keys) == matching
    assert len(keys) == page.found == len(matching)
    return keys


@pytest.mark.parametrize(
    "question",
    [
        "Müller", "Mueller", "MULLER", "mu\u0308ller", "Mül\u00adler", "Mül\u200bler", "\u202eMüller\u202c", "ülle",
        "Mülller", "Mülelr", "Müler", "Nüller", "straße müller", "Müller, Strasse!", "mu str", "12a müller", "１２a",
    ],
)  # fmt: skip
def test_every_spelling_finds_the_same(library: Any, question: str) -> None:
    wanted, *_others = make("Die Müller in der Straße 12a", "Schmidt am Berg 7", "Meier-Strebel 14 m")
    assert found(library, question) == [wanted]


@pytest.mark.parametrize(
    "question", ["%", "_", "\\", "'", '"', "^M", "=M", "(M+)+$", "*", "M* OR x", "xyz", "Müller xyz", "-- M"]
)
def test_signs_mean_nothing_but_themselves(library: Any, question: str) -> None:
    make("Nix", "100 %", "O'Brien")
    assert found(library, question) in ([], [1], [2], [3])


def test_what_is_named_exactly_comes_first(library: Any) -> None:
    others = make("Band 420 zu Goethe", "Goethe", "4200 Tage", prefix="A")
    number = make("Faust", prefix="42")[0]
    begins = make("Egmont", prefix="4200")[0]
    assert found(library, "420") == [number, begins, others[0], others[2]]


def test_words_follow_every_change_and_vanish_with_it(library: Any) -> None:
    key = make("Zwetschgenröster")[0]
    assert found(library, "wetschge") == [key]
    change = ChangeSet("form")
    change.update(library, key, {"title": "Pflaumenmus"})
    changed = change.apply(ANNA)
    assert (found(library, "wetschge"), found(library, "laumen")) == ([], [key])
    parts = {row[0] for row in database.execute_sql("SELECT word FROM search_part WHERE entity = 'book'").fetchall()}
    assert parts == {"pflaumenmus"}, "a word that nobody has any more is not kept"
    ChangeSet.undo(changed.change_set).apply(ANNA)
    assert found(library, "wetschge") == [key]
    change = ChangeSet("form")
    change.delete(library, key)
    change.apply(ANNA)
    assert database.execute_sql("SELECT count(*) FROM search_part WHERE entity = 'book'").fetchone() == (0,)


def test_many_hits_are_walked_in_every_order(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "CAP", 10)
    chance = random.Random(3)
    keys = make(*(f"Roman {chance.choice('abc')}" for _number in range(30)), "Gedicht")[:30]
    whole = Filter.from_pairs(library, [("search", "oma")], ANNA)
    for sort in ("title", "-title", "price", "isbn"):
        order = lists.read_order(library, sort, ANNA)
        there: list[int] = []
        place: dict[str, Any] = {}
        while True:
            page = lists.read_page(library, ANNA, whole, (), order, size=7, **place)
            there += [row[0] for row in page.rows]
            if not page.next:
                break
            place = {"after": page.next}
        assert sorted(there) == sorted(keys)
        assert page.capped


@pytest.mark.parametrize("question", ["a\x00b", " ".join("abcdefghijklmnopqrstu"), "x" * 1_000_000])
def test_a_question_beyond_all_bounds_is_refused(library: Any, question: str) -> None:
    with pytest.raises(FilterError):
        Filter.from_pairs(library, [("search", question)], ANNA)


def test_phones_are_found_in_any_grouping() -> None:
    assert search.phone_words("+49 208 4711-0") == ["020847110", "47110"]
    for question in ("0208 47110", "+49 208 47110", "0049-208/47110", "(0208) 4711-0", "+49 (0)208 47 110"):
        assert search.words_of(question) == ["020847110"], question


def test_a_question_that_takes_too_long_is_broken_off(library: Any) -> None:
    slow = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000000) SELECT count(*) FROM n"
        if engine() == "sqlite"
        else "SELECT pg_sleep(60)"
    )
    with pytest.raises(TooSlow) as broken, limited(0.2):
        database.execute_sql(slow).fetchall()
    assert "dauerte länger als 0,2 Sekunden" in broken.value.sentence()
    assert broken.value.status == 400
    # What comes after it is asked without a limit.
    assert database.execute_sql("SELECT 1").fetchone() == (1,)

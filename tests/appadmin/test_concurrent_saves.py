"""Saves at the same time, and saves that the database breaks off: nothing is lost, doubled or half written.

`make test` runs some pairs on each engine, `make soak` the five hundred of the promise (trust.md B2, B3).
"""

from __future__ import annotations

import datetime
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import database, engine
from flask_appadmin.rights import system_operator
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Book, Loan
from tests.appadmin.test_changes import photograph
from tests.appadmin.test_pages import edit_page, save, three_books
from tests.appadmin.webapp import create_library
from tests.reader import Page, get, read, send

#: Field -> values that somebody may type.
_TYPED: dict[str, list[str]] = {
    "title": ["Eins", "Zwei", "Drei", "Vier"],
    "price": ["1,00", "2,50", "30,00", ""],
    "pages": ["10", "20", "", "40"],
    "genre": ["novel", "poem", ""],
    "printed_on": ["01.02.2020", "03.04.2021", ""],
    "note": ["kurz", "lang", ""],
}


def stored(key: int, names: list[str]) -> dict[str, Any]:
    """The fields of a book and of its loans, named and written as in its form."""
    book = Book.get_by_id(key)
    found = {}
    for name in names:
        place = name.split("-")
        record = book if len(place) == 1 else Loan.get_by_id(int(place[1]))
        item = spec_of(type(record)).field(place[-1])
        found[name] = item.type.to_json(getattr(record, item.column_field.name), item)
    return found


def as_json(name: str, text: str) -> Any:
    item = spec_of(Loan if "-" in name else Book).field(name.rpartition("-")[2])
    return item.type.to_json(item.parse(text), item)


def run_pairs(client: FlaskClient, count: int, seed: int) -> dict[str, int]:
    """So many times two operators change the same book from the same page at once; answers what came of it."""
    first, *_rest = three_books()
    loans = [f"loan-{loan.id}-reader" for loan in Loan.select().where(Loan.book == first)]
    typed_values = {**_TYPED, **{name: ["Ada", "Bea", "Cem", "Dora"] for name in loans}}
    names = list(typed_values)
    chance = random.Random(seed)
    seen = {"merged": 0, "asked": 0, "fields": 0}

    def post(form: Any, typed: dict[str, str]) -> Page:
        try:
            return read(client.application.test_client().post(form["action"], data=form.fields(**typed)))
        finally:
            if engine() == "postgresql":
                database.close()

    with ThreadPoolExecutor(2) as operators:
        for _pair in range(count):
            before = stored(first, names)
            form = edit_page(client, first).one("form", id="form")
            both = [
                {name: chance.choice(typed_values[name]) for name in chance.sample(names, chance.randint(1, 4))}
                for _operator in range(2)
            ]
            answers = list(operators.map(post, [form, form], both))
            wanted = [{name: as_json(name, text) for name, text in typed.items()} for typed in both]
            changes = [{name: value for name, value in one.items() if value != before[name]} for one in wanted]
            disputed = {name for name in changes[0].keys() & changes[1].keys() if changes[0][name] != changes[1][name]}
            now = stored(first, names)
            statuses = sorted(answer.status for answer in answers)
            if not disputed:
                assert statuses == [302, 302], (
                    both,
                    [answer.text[-900:] for answer in answers if answer.status == 422],
                )
                assert now == before | changes[0] | changes[1], "disjoint fields are merged"
                seen["merged"] += 1
                continue
            assert statuses == [302, 422], (both, statuses)
            loser = next(number for number, answer in enumerate(answers) if answer.status == 422)
            winner = changes[1 - loser]
            assert now == before | winner, "the second one has written nothing, and overwritten nothing"
            page = answers[loser]
            assert {box["data-choice"] for box in page.all("fieldset", "dispute")} == disputed
            fields = page.one("form", id="form").fields()
            assert {name: fields[name] for name in both[loser]} == both[loser], "all input is kept"
            kept = {name: chance.choice(["mine", "theirs"]) for name in disputed}
            decided = {f"_keep-{name}": choice for name, choice in kept.items()}
            assert save(client, page, **decided).status == 200
            mine = {name: value for name, value in changes[loser].items() if kept.get(name) != "theirs"}
            assert stored(first, names) == before | winner | mine
            seen["asked"] += 1
            seen["fields"] += len(disputed)
        if engine() == "sqlite":
            list(operators.map(lambda _number: database.close(), range(2)))
    return seen


@pytest.fixture
def client(library: str) -> FlaskClient:
    return create_library().test_client()


@pytest.mark.req("PX-65")
def test_no_pair_of_saves_overwrites_anything(client: FlaskClient) -> None:
    seen = run_pairs(client, 40, seed=4)
    assert seen["merged"] > 5 and seen["asked"] > 5, seen


@pytest.mark.soak
def test_five_hundred_pairs_of_saves_overwrite_nothing(client: FlaskClient) -> None:
    seed = datetime.date.today().toordinal()
    seen = run_pairs(client, 500, seed=seed)
    assert seen["merged"] > 100 and seen["asked"] > 100, (seed, seen)


def break_off_at(row: int) -> None:
    """The database refuses the loan that would be the book's `row`-th one."""
    limit = f'(SELECT count(*) FROM "loan" WHERE book_id = NEW.book_id) >= {row - 1:d}'
    if engine() == "sqlite":
        database.execute_sql("DROP TRIGGER IF EXISTS broken")
        database.execute_sql(
            f"CREATE TRIGGER broken BEFORE INSERT ON \"loan\" WHEN {limit} BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
        return
    database.execute_sql(
        f"CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {limit} THEN "
        "RAISE EXCEPTION 'broken' USING ERRCODE = '23514'; END IF; RETURN NEW; END $$"
    )
    database.execute_sql(
        'CREATE OR REPLACE TRIGGER broken BEFORE INSERT ON "loan" FOR EACH ROW EXECUTE FUNCTION broken()'
    )


def test_a_fault_at_any_row_leaves_everything_as_it_was(client: FlaskClient) -> None:
    """Trust A5: the fault is the database's own, in the middle of writing."""
    first, *_rest = three_books()
    change = ChangeSet("form")
    for loan in Loan.select().where(Loan.book == first):
        change.delete(Loan, loan.id)
    change.apply(system_operator("Frau Weber"))
    rows = {f"loan-n{number}-reader": f"Leser {number}" for number in range(1, 6)}
    typed = {**rows, "_rows": [f"loan-n{number}" for number in range(1, 6)], "title": "Getippt", "note": "auch das"}
    before = photograph()
    for row in range(1, 6):
        break_off_at(row)
        for page in (edit_page(client, first), get(client, "/admin/book/new/")):
            form = page.one("form", id="form")
            answer = send(client, form["action"], form.fields(**{"isbn": "Z9", **typed}))
            assert answer.status == 422, (row, form["action"])
            fields = answer.one("form", id="form").fields()
            assert {name: fields[name] for name in typed if name != "_rows"} == {
                name: value for name, value in typed.items() if name != "_rows"
            }
            assert photograph() == before, (row, form["action"])
    break_off_at(6)
    assert save(client, edit_page(client, first), **typed).toast == "Gespeichert."
    assert Loan.select().where(Loan.book == first).count() == 5

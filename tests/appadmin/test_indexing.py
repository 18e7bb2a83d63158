"""„Schnelle Spalten“: an administrator makes lists fast by one more column, and takes that back."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from flask_appadmin.database import database, engine, set_read_limit
from flask_appadmin.errors import FieldError, JobCancelled, NotAllowed
from flask_appadmin.indexing import add_index, indexed_columns, remove_index, start_index
from flask_appadmin.jobs import run_waiting
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Book
from tests.appadmin.test_pages import client_of, many_books
from tests.appadmin.webapp import library_client
from tests.reader import get, read, send

SPEC = spec_of(Book)
ADMIN = system_operator("Administration")


@pytest.fixture
def client(library: str) -> FlaskClient:
    return library_client()


def names() -> set[str]:
    return {index.name for index in database.get_indexes("book")}


def test_an_index_is_made_once_and_taken_away_again(library: str) -> None:
    before = names()
    assert "pages" not in indexed_columns(SPEC)
    for _again in range(2):
        add_index(SPEC, ADMIN, "pages")
    assert names() - before == {"own_book_pages"}
    assert indexed_columns(SPEC)["pages"]
    made = next(index for index in database.get_indexes("book") if index.name == "own_book_pages")
    assert made.columns[0] == "pages", "what sorts the list comes first, what orders equal values behind it"
    assert len(made.columns) == 2
    remove_index(SPEC, ADMIN, "pages")
    assert names() == before


def test_only_columns_that_lists_sort_by_get_one(library: str) -> None:
    before = names()
    for name in ("id", "note", "author", "nonsense", 'pages" ON book(id); DROP TABLE book; --', ""):
        for change in (add_index, remove_index, start_index):
            with pytest.raises(FieldError):
                change(SPEC, ADMIN, name)
    assert names() == before
    assert indexed_columns(SPEC)["isbn"] is False
    remove_index(SPEC, ADMIN, "isbn")
    assert names() == before, "those of the program stay"


def test_the_page_starts_the_work_and_shows_it(client: FlaskClient) -> None:
    page = get(client, "/admin/book/indexes?field=pages&back=/admin/book/%3Fsort%3Dpages")
    assert page.heading == "Schnelle Spalten: Bücher"
    form = next(form for form in page.all("form") if form.all("select"))
    assert form.fields()["field"] == "pages", "the column that was asked for stands there already"
    before = names()
    for _double_click in range(2):
        waiting = send(client, form["action"], form.fields(do="add"))
    assert names() == before, "the page does not wait for the index"
    rows = waiting.one("table", "jobs").all("tr")[1:]
    assert [(row.all("td")[0].text, row.all("td")[4].text) for row in rows] == [
        ("Schnelle Spalte „Seiten“ (Bücher)", "wartet")
    ]
    assert "Seiten" in waiting.one("select").text
    assert waiting.one("a", "back")["href"] == "/admin/book/?sort=pages"

    assert run_waiting() == 1
    assert "own_book_pages" in names()
    done = get(client, form["action"])
    assert "Nach „Seiten“ sortiert und filtert die Liste jetzt schnell." in done.one("table", "jobs").text
    assert "Seiten" not in done.one("select").text
    assert get(client, "/admin/jobs/").one("table", "jobs").all("a")[0]["href"] == form["action"]
    form = next(form for form in done.all("form") if form.fields().get("field") == "pages")
    gone = send(client, form["action"], form.fields(do="remove"))
    assert gone.toast == "„Seiten“ ist wieder eine gewöhnliche Spalte."
    assert names() == before


def test_one_that_is_stopped_leaves_nothing(library: str) -> None:
    many_books(30_000)
    before = names()

    def stop(_done: int, _total: int) -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        add_index(SPEC, ADMIN, "pages", stop)
    assert names() == before and not database.in_transaction()
    if engine() == "postgresql":
        # What a killed process leaves behind is no index, and the next attempt begins anew.
        database.execute_sql('CREATE INDEX "own_book_pages" ON book (pages)')
        database.execute_sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'own_book_pages'::regclass")
        assert "pages" not in indexed_columns(SPEC)
    told: list[tuple[int, int]] = []
    add_index(SPEC, ADMIN, "pages", lambda done, total: told.append((done, total)))
    assert told and indexed_columns(SPEC)["pages"]
    if engine() == "postgresql":
        assert len(next(index for index in database.get_indexes("book") if index.name == "own_book_pages").columns) == 2


def test_a_list_that_was_broken_off_names_the_column_and_offers_to_make_it_fast(library: str) -> None:
    many_books(30_000)
    chief = library_client()
    clerk = client_of("library.read")
    lists = {
        "pages=3&sort=-price": ("Ohne Index sind die Spalten „Seiten“, „Preis“.", ["pages", "price"]),
        "sort=pages": ("Ohne Index ist die Spalte „Seiten“.", ["pages"]),
        "title__contains=9999999": ("Für den Filter auf „Titel“ muss jede Zeile gelesen werden.", []),
        "where=pages+%3D+7": ("Ohne Index ist die Spalte „Seiten“.", ["pages"]),
        "no.loan.lent_on=01.02.2024&any=pages%3D3%26printed_on%3D01.02.2024": ("„Seiten“", ["lent_on"]),
    }
    set_read_limit(0.0001)
    try:
        for address, (words, fields) in lists.items():
            broken = read(chief.get(f"/admin/book/?{address}"))
            assert (broken.status, broken.heading) == (400, "Das dauerte zu lange"), address
            assert words in broken.text, address
            offered = [link["href"] for link in broken.all("a") if "schnell machen" in link.text]
            assert [urlsplit(url).path.split("/")[2] for url in offered[:1]] == (
                ["loan"] if "loan" in address else ["book"] * bool(fields)
            )
            asked = [parse_qs(urlsplit(url).query) for url in offered]
            assert [given["field"][0] for given in asked][: len(fields)] == fields
            assert all(urlsplit(given["back"][0]).path == "/admin/book/" for given in asked)
            if offered:
                assert "autofocus" in next(link for link in broken.all("a") if "schnell" in link.text).attributes
            for_others = read(clerk.get(f"/admin/book/?{address}")) if "where" not in address else None
            if for_others is not None:
                assert "schnell machen" not in for_others.text
                assert ("Ihre Administration kann das ändern" in for_others.text) == bool(fields)
    finally:
        set_read_limit(5.0)
    link = read(chief.get(offered[0]))
    assert link.one("option", selected="").text == "ausgeliehen am"
    assert get(chief, "/admin/book/?sort=pages").status == 200


def test_who_may_not_arrange_layouts_gets_no_page(library: str) -> None:
    client: Any = client_of("library.read")
    assert client.get("/admin/book/indexes").status_code == 403
    assert "Schnelle Spalten" not in client.get("/admin/book/").get_data(as_text=True)
    with pytest.raises(NotAllowed):
        add_index(SPEC, Operator(None, "Leser", frozenset({"library.read"})), "pages")

"""„Schnelle Spalten“: an administrator makes lists fast by one more column, and takes that back."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_appadmin.database import database
from flask_appadmin.errors import FieldError, NotAllowed
from flask_appadmin.indexing import add_index, indexed_columns, remove_index
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Book
from tests.appadmin.test_pages import client_of
from tests.appadmin.webapp import create_library
from tests.reader import get, send

SPEC = spec_of(Book)
ADMIN = system_operator("Administration")


@pytest.fixture
def client(library: str) -> FlaskClient:
    return create_library().test_client()


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


@pytest.mark.parametrize("name", ["id", "note", "author", "nonsense", 'pages" ON book(id); DROP TABLE book; --', ""])
def test_only_columns_that_lists_sort_by_get_one(library: str, name: str) -> None:
    before = names()
    for change in (add_index, remove_index):
        with pytest.raises(FieldError):
            change(SPEC, ADMIN, name)
    assert names() == before


def test_the_indexes_of_the_program_stay(library: str) -> None:
    before = names()
    assert indexed_columns(SPEC)["isbn"] is False
    remove_index(SPEC, ADMIN, "isbn")
    assert names() == before


def test_the_page_shows_and_changes_them(client: FlaskClient) -> None:
    page = get(client, "/admin/book/indexes")
    assert page.heading == "Schnelle Spalten: Bücher"
    form = next(form for form in page.all("form") if form.fields().get("field") == "pages")
    done = send(client, form["action"], form.fields(do="add"))
    assert done.toast == "Nach „Seiten“ sortiert und filtert die Liste jetzt schnell."
    assert "own_book_pages" in names()
    form = next(form for form in done.all("form") if form.fields().get("field") == "pages")
    assert send(client, form["action"], form.fields(do="remove")).status == 200
    assert "own_book_pages" not in names()


def test_who_may_not_arrange_layouts_gets_no_page(library: str) -> None:
    client: Any = client_of("library.read")
    assert client.get("/admin/book/indexes").status_code == 403
    assert "Schnelle Spalten" not in client.get("/admin/book/").get_data(as_text=True)
    with pytest.raises(NotAllowed):
        add_index(SPEC, Operator(None, "Leser", frozenset({"library.read"})), "pages")

"""The pane beside the list: a record in short, under the rights of who looks."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from playhouse.test_utils import count_queries

from flask_appadmin import rights
from flask_appadmin.changes import ChangeSet
from flask_appadmin.rights import Operator, register_scope, system_operator
from tests.appadmin.library import Author, Book, Loan
from tests.appadmin.webapp import library_client
from tests.reader import Page, get

WEBER = system_operator("Frau Weber")


@pytest.fixture
def client(library: str) -> FlaskClient:
    return library_client()


@pytest.fixture
def book() -> int:
    """A book with five loans, whose price was changed afterwards."""
    change = ChangeSet("import")
    author = change.create(Author, {"name": "Ilse Aichinger"})
    made = change.create(Book, {"isbn": "A1", "title": "Die größere Hoffnung", "author": author, "genre": "novel"})
    for number in range(1, 6):
        change.create(Loan, {"book": made, "reader": f"Leser {number}", "returned": number == 1})
    change.apply(WEBER)
    later = ChangeSet("form")
    later.update(Book, made.key or 0, {"price": Decimal("19.99"), "printed_on": datetime.date(2026, 5, 1)})
    later.apply(WEBER)
    return made.key or 0


def preview(client: FlaskClient, key: int | str) -> Page:
    return get(client, f"/admin/book/preview?id={key}", **{"X-Fragment": "preview"})


def test_the_pane_shows_what_is_filled_the_first_children_and_the_last_change(client: FlaskClient, book: int) -> None:
    page = preview(client, book)
    assert page.one("h2").text == "A1 Die größere Hoffnung"
    lines = [(node.one("dt").text, node.one("dd").text) for node in page.all("div")]
    assert lines == [
        ("Autor", "Ilse Aichinger"),
        ("Preis", "19,99"),
        ("Gattung", "Roman"),
        ("gedruckt am", "01.05.2026"),
    ]
    assert [node.text for node in page.all("li")] == ["Leser 1 · zurück", "Leser 2", "Leser 3", "2 weitere"]
    last = page.one("section", "last").text
    assert "Frau Weber: Bearbeitet" in last
    assert "Preis: 19,99" in last
    assert "gedruckt am: 01.05.2026" in last
    assert get(client, page.one("h2").one("a")["href"]).heading == "A1 Die größere Hoffnung"


def test_the_pane_asks_few_questions_however_many_children(client: FlaskClient, book: int) -> None:
    preview(client, book)
    with count_queries() as few:
        preview(client, book)
    change = ChangeSet("import")
    for number in range(50):
        change.create(Loan, {"book": book, "reader": f"Leserin {number}"})
    change.apply(WEBER)
    with count_queries() as many:
        preview(client, book)
    assert many.count == few.count <= 7


@pytest.mark.parametrize("key", ["999", "", "x", "9" * 30, "-1"])
def test_a_record_that_is_not_there_is_not_found(client: FlaskClient, key: str) -> None:
    assert preview(client, key).status == 404


def test_the_pane_shows_only_what_its_operator_may_see(
    client: FlaskClient, book: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = library_client(Operator(None, "Herr Berger", frozenset({"library.read"})))
    assert reader.get(f"/admin/book/preview?id={book}").status_code == 200
    assert preview(reader, book).all("section", "last") == [], "the history is a right of its own"
    stranger = library_client(Operator(None, "Herr Berger", frozenset({"history.read"})))
    assert preview(stranger, book).status == 403
    monkeypatch.setattr(rights, "_scopes", {})
    register_scope(Book, lambda _operator: Book.isbn != "A1")
    assert preview(client, book).status == 404


def test_the_pane_stays_open_for_its_operator_only(client: FlaskClient, book: int) -> None:
    pane = get(client, "/admin/book/").one("aside", id="preview")
    assert "hidden" in pane.attributes
    client.set_cookie(pane["data-state"], "1")
    assert "hidden" not in get(client, "/admin/book/").one("aside", id="preview").attributes
    other = library_client(Operator(7, "Herr Berger", frozenset({"library.read"})))
    other.set_cookie(pane["data-state"], "1")
    assert "hidden" in get(other, "/admin/book/").one("aside", id="preview").attributes

"""What is found while one types: lookups of references and the first hits of a search."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from flask_appadmin import rights
from flask_appadmin.changes import ChangeSet
from flask_appadmin.rights import Operator, register_scope, system_operator
from tests.appadmin.library import Author, Book
from tests.appadmin.webapp import library_client
from tests.reader import get

# Pages: what they write and ask is tested on both engines where it is done.
pytestmark = pytest.mark.engines("sqlite", later="postgresql")

WEBER = system_operator("Frau Weber")


@pytest.fixture
def client(library: str) -> FlaskClient:
    return library_client()


@pytest.fixture
def aichinger() -> int:
    """The key of the one author."""
    change = ChangeSet("import")
    author = change.create(Author, {"name": "Ilse Aichinger"})
    change.create(Book, {"isbn": "A1", "title": "Die größere Hoffnung", "author": author})
    change.apply(WEBER)
    return author.key or 0


@pytest.fixture
def only_poems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "_scopes", {})
    register_scope(Book, lambda _operator: Book.genre == "poem")


def sixty_books() -> None:
    change = ChangeSet("import")
    for number in range(60):
        change.create(Book, {"isbn": f"B{number:02}", "title": "Hoffnung", "genre": "poem" if number == 7 else None})
    change.apply(WEBER)


def test_typing_ahead_finds_by_part_and_spelling(client: FlaskClient, aichinger: int) -> None:
    for question in ("aich", "ILSE", "Ilse Aichinger", "  il "):
        found = client.get("/admin/author/lookup", query_string={"query": question}).get_json()
        assert found == [{"id": aichinger, "text": "Ilse Aichinger", "code": "Ilse Aichinger"}]
    assert client.get("/admin/author/lookup?query=%00%25'").get_json() == []
    fields = get(client, "/admin/book/edit/?id=1").one("form", id="form")
    assert fields.one("span", "lookup")["data-lookup"] == "/admin/author/lookup"


@pytest.mark.parametrize("address", ["", "?query=", "?query=i", "?query=%20i%20", "?query=%00", "?q=i", "?limit=50"])
@pytest.mark.parametrize("page", ["lookup", "suggest"])
def test_no_question_and_one_letter_find_nothing(client: FlaskClient, aichinger: int, page: str, address: str) -> None:
    """Trust, cases 145 and 147: the whole table is no answer."""
    answer = client.get(f"/admin/author/{page}{address}")
    assert (answer.status_code, answer.get_json()) == (200, [])


@pytest.mark.parametrize("limit", ["-1", "10000000", "0", "x", "51", "9" * 40])
def test_no_limit_brings_more_than_fifty(client: FlaskClient, limit: str) -> None:
    """Trust, case 146."""
    sixty_books()
    found = client.get(f"/admin/book/lookup?query=hoffnung&offset=-5&limit={limit}").get_json()
    assert 20 <= len(found) <= 50


def test_a_search_offers_eight_hits_with_their_addresses(client: FlaskClient) -> None:
    sixty_books()
    found = client.get("/admin/book/suggest?query=hoffnung").get_json()
    assert [entry["text"] for entry in found] == [f"B0{number} Hoffnung" for number in range(8)]
    assert get(client, found[0]["url"]).heading == "B00 Hoffnung"
    page = get(client, "/admin/book/")
    assert [box["data-suggest"] for box in page.all("input", name="search")] == ["/admin/book/suggest"] * 2


def test_what_the_operator_may_not_see_is_not_offered(client: FlaskClient, only_poems: None) -> None:
    sixty_books()
    for page in ("lookup", "suggest"):
        found = client.get(f"/admin/book/{page}?query=hoffnung").get_json()
        assert [entry["text"] for entry in found] == ["B07 Hoffnung"]
    stranger = library_client(Operator(None, "Herr Berger", frozenset({"export.run"})))
    assert stranger.get("/admin/book/suggest?query=hoffnung").status_code == 403
    assert stranger.get("/admin/book/lookup?query=x").status_code == 403


@pytest.mark.parametrize("address", ["/admin/nothing/lookup", "/admin/book/lookup/author", "/admin/book/ajax/lookup/"])
def test_a_lookup_that_does_not_exist_is_not_found(client: FlaskClient, address: str) -> None:
    """Trust, case 148; the last is the lookup that Flask-Admin brings, which knows no rights."""
    assert client.get(f"{address}?name=author&query=ilse").status_code == 404

"""The window „Abfragebedingung“ and saved queries, by the requests an operator sends to the toy library."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask.testing import FlaskClient
from playhouse.test_utils import count_queries

from flask_appadmin.database import TooSlow, database, engine, read_only
from flask_appadmin.queries import SavedQuery
from flask_appadmin.rights import Operator, Role, User
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Book
from tests.appadmin.test_changes import photograph
from tests.appadmin.test_conditions import ALL, WEBER, shelf
from tests.appadmin.webapp import library_client
from tests.reader import Page, get, read

# Pages: what they write and ask is tested on both engines where it is done.
pytestmark = pytest.mark.engines("sqlite", later="postgresql")

__all__ = ["shelf"]

CONDITION = "/admin/book/condition"
READ = ("library.read", "query.write", "query.share")


@pytest.fixture
def desk(shelf: None) -> Callable[..., FlaskClient]:
    """`desk("weber", "library.read", …)` is the browser of an operator with these rights."""
    role = Role.create(name="Bücherei", permissions=[])
    people: dict[str, User] = {}

    def of(name: str, *rights: str) -> FlaskClient:
        if name not in people:
            people[name] = User.create(
                username=name, full_name=f"Frau {name.title()}", password="-", role=role, fs_uniquifier=name
            )
        return library_client(Operator(people[name].id, people[name].full_name, frozenset(rights)))

    return of


@pytest.fixture
def client(desk: Callable[..., FlaskClient]) -> FlaskClient:
    return desk("weber", *READ)


def press(client: FlaskClient, do: str, where: str = "", **fields: str) -> Page:
    answer = client.post(CONDITION, data={"do": do, "where": where, **fields})
    return read(answer)


def listed(client: FlaskClient, query: str) -> str:
    return " ".join(row[0] for row in get(client, f"/admin/book/?{query}").rows)


def fault(page: Page) -> str:
    return page.one("p", id="condition-error").text


@pytest.mark.req("PX-14", partly=True)
def test_running_a_condition_leads_to_the_list_of_what_it_finds(client: FlaskClient) -> None:
    answer = client.post(
        f"{CONDITION}", data={"do": "run", "where": "price > 1 AND genre = 'Roman'", "keep": "size=25"}
    )
    assert answer.status_code == 302
    parts = urlsplit(answer.headers["Location"])
    assert (parts.path, parse_qs(parts.query)) == (
        "/admin/book/",
        {"size": ["25"], "where": ["price > 1 AND genre = 'Roman'"]},
    )
    page = get(client, answer.headers["Location"])
    assert [row[0] for row in page.rows] == ["A1"]
    assert "Bedingung: price > 1 AND genre = 'Roman'" in page.text


@pytest.mark.req("PX-14", partly=True)
def test_what_is_no_condition_is_refused_in_place_and_no_row_is_lost(client: FlaskClient) -> None:
    before = photograph()
    page = press(client, "run", "1=1; DELETE FROM book", name="Alles", shared="1")
    assert (page.status, fault(page)) == (
        400,
        "Zeichen 4: Hier steht ein Strichpunkt. Möglich ist nur eine einzige Bedingung; es wurde nichts ausgeführt.",
    )
    assert page.one("textarea").text == "1=1; DELETE FROM book"
    assert page.one("input", id="condition-name")["value"] == "Alles"
    assert "checked" in page.one("input", name="shared").attributes
    assert photograph() == before


def test_a_list_with_a_condition_it_cannot_read_is_not_shown_unfiltered(client: FlaskClient) -> None:
    for text in ("1=1; DELETE FROM book", "nowhere = 1", "(" * 900, "\x00", "a" * 5000):
        page = get(client, f"/admin/book/?where={quote(text)}")
        assert page.status == 400
        assert "Die Liste wird nicht ungefiltert gezeigt" in page.text
        assert not page.all("table")


@pytest.mark.req("PX-15")
def test_a_condition_is_kept_under_a_name_and_offered_again(client: FlaskClient) -> None:
    page = press(client, "save", "price > 1", name="  Teure Bücher ")
    assert (page.status, fault(page)) == (200, "")
    assert "„Teure Bücher“ ist gespeichert." in page.text
    key = SavedQuery.get().id
    again = get(client, f"{CONDITION}?query={key}")
    assert again.one("textarea").text == "price > 1"
    assert again.one("input", id="condition-name")["value"] == "Teure Bücher"

    # The same name asks first, and shows both.
    asked = press(client, "save", "price > 2", name="Teure Bücher")
    assert asked.status == 409
    assert "„Teure Bücher“ gibt es schon. Ersetzen?" in asked.text
    assert [code.text for code in asked.one("section", css="taken").all("code")] == ["price > 1", "price > 2"]
    assert SavedQuery.get().query == "price > 1"
    press(client, "replace", "price > 2", name="Teure Bücher")
    assert [(row.id, row.query) for row in SavedQuery.select()] == [(key, "price > 2")]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_name_that_does_not_fit_is_refused_with_everything_typed_kept(client: FlaskClient, name: str) -> None:
    page = press(client, "save", "price > 1", name=name)
    assert page.status == 400
    assert fault(page).startswith("Abfragename:")
    assert page.one("textarea").text == "price > 1"
    assert not SavedQuery.select().count()


def test_a_condition_that_is_refused_is_not_saved(client: FlaskClient) -> None:
    page = press(client, "save", "nowhere = 1", name="Unsinn")
    assert (page.status, SavedQuery.select().count()) == (400, 0)
    assert fault(page).startswith("Zeichen 1: Das Feld „nowhere“")


@pytest.mark.req("PX-16")
def test_a_saved_query_is_run_from_the_list_without_opening_the_window(desk: Callable[..., FlaskClient]) -> None:
    client = desk("weber", *READ)
    press(client, "save", "genre = 'poem'", name="Gedichte", shared="1")
    press(client, "save", "genre = 'novel'", name="Romane")
    menu = get(client, "/admin/book/").one("span", css="typed-tools")
    assert menu.one("a", css="sql")["title"] == "Abfragebedingung"
    assert [link.text for link in menu.one("div", css="drop-box").all("a")] == [
        "Gedichte",
        "Romane",
        "Abfragen schreiben und verwalten …",
    ]
    href = menu.one("div", css="drop-box").all("a")[0]["href"]
    assert [row[0] for row in get(client, href).rows] == ["A2"]

    # Somebody who may not write conditions sees and runs what is shared, and nothing else.
    reader = desk("berger", "library.read")
    menu = get(reader, "/admin/book/").one("span", css="typed-tools")
    assert [link.text for link in menu.all("a")] == ["Gedichte von Frau Weber"]
    page = get(reader, menu.all("a")[0]["href"])
    assert [row[0] for row in page.rows] == ["A2"]
    assert "Abfrage „Gedichte“: genre = 'poem'" in page.text
    private = SavedQuery.get(SavedQuery.name == "Romane").id
    assert reader.get(f"/admin/book/?query={private}").status_code == 404
    assert reader.get("/admin/book/?where=1%3D1").status_code == 403
    assert reader.get(CONDITION).status_code == 403
    assert reader.post(CONDITION, data={"do": "run", "where": "1=1"}).status_code == 403


@pytest.mark.parametrize("key", ["999999", "x", "-1", "1 OR 1=1", "", "9" * 30, "１"])
def test_a_query_that_is_not_there_is_said(client: FlaskClient, key: str) -> None:
    assert client.get(f"/admin/book/?query={quote(key)}").status_code == 404
    if key:
        page = get(client, f"{CONDITION}?query={quote(key)}")
        assert "ist nicht vorhanden, gelöscht oder für Sie nicht sichtbar" in fault(page)


def test_a_query_of_another_table_is_not_found(client: FlaskClient) -> None:
    press(client, "save", "genre = 'poem'", name="Gedichte")
    assert client.get(f"/admin/author/?query={SavedQuery.get().id}").status_code == 404


def test_a_shared_query_runs_under_the_rights_of_whoever_runs_it(
    desk: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = desk("weber", *READ)
    press(writer, "save", "price > 1", name="Teuer", shared="1")
    key = SavedQuery.get().id
    item = spec_of(Book).field("price")
    monkeypatch.setitem(item.__dict__, "right", "prices")
    page = get(desk("berger", "library.read"), f"/admin/book/?query={key}")
    assert page.status == 400
    assert "Abfrage „Teuer“: Zeichen 1: Das Feld „Preis“ dürfen Sie nicht abfragen" in page.text
    assert listed(desk("kern", "library.read", "prices.read"), f"query={key}") == "A1 A2"


def test_own_queries_are_renamed_shared_and_deleted_those_of_others_are_not(desk: Callable[..., FlaskClient]) -> None:
    client, other = desk("weber", *READ), desk("berger", *READ)
    press(client, "save", "genre = 'poem'", name="Gedichte")
    press(client, "save", "genre = 'novel'", name="Romane")
    key = SavedQuery.get(SavedQuery.name == "Gedichte").id
    for verb in ("rename", "share", "delete"):
        page = press(other, f"{verb}:{key}", name="Meins")
        assert (page.status, "nicht vorhanden" in fault(page)) == (404, True)
    assert "heißt jetzt „Lyrik“" in press(client, f"rename:{key}", name="Lyrik").text
    taken = press(client, f"rename:{key}", name="Romane")
    assert (taken.status, fault(taken)) == (400, "Eine Abfrage „Romane“ haben Sie schon. Es wurde nichts ersetzt.")
    press(client, f"share:{key}")
    assert SavedQuery.get_by_id(key).shared
    assert press(other, f"delete:{key}").status == 404
    press(client, f"unshare:{key}")
    assert not SavedQuery.get_by_id(key).shared
    press(client, f"delete:{key}")
    assert [row.name for row in SavedQuery.select()] == ["Romane"]


def test_sharing_needs_its_own_right(desk: Callable[..., FlaskClient]) -> None:
    client = desk("weber", "library.read", "query.write")
    assert press(client, "save", "price > 1", name="Teuer", shared="1").status == 403
    assert not SavedQuery.select().count()
    assert not get(client, CONDITION).all("input", name="shared")


def test_two_operators_and_two_tables_may_use_the_same_name(desk: Callable[..., FlaskClient]) -> None:
    press(desk("weber", *READ), "save", "price > 1", name="Alle")
    press(desk("berger", *READ), "save", "price > 2", name="Alle")
    desk("weber", *READ).post("/admin/author/condition", data={"do": "save", "where": "active", "name": "Alle"})
    assert SavedQuery.select().count() == 3


def test_the_window_offers_fields_values_children_and_functions(client: FlaskClient) -> None:
    words = [entry["data-word"] for entry in get(client, CONDITION).all("button") if "data-word" in entry.attributes]
    for word in ("title", "genre = 'novel'", "author", "lower(…)", "current_date"):
        assert word in words
    assert "EXISTS (SELECT 1 FROM loan WHERE …)" in words


def test_the_window_comes_alone_and_answers_with_an_address(client: FlaskClient) -> None:
    alone = {"X-Fragment": "condition"}
    fragment = client.get(CONDITION, headers=alone).get_data(as_text=True)
    assert "<form" in fragment
    assert "<html" not in fragment
    answer = client.post(CONDITION, data={"do": "run", "where": "price > 1"}, headers=alone)
    assert answer.get_json() == {"url": "/admin/book/?where=price+%3E+1"}
    refused = client.post(CONDITION, data={"do": "run", "where": "price >"}, headers=alone)
    assert (refused.status_code, "<html" in refused.get_data(as_text=True)) == (400, False)


def test_everything_that_matches_a_condition_can_be_marked_and_acted_on(client: FlaskClient) -> None:
    marked = client.post("/admin/book/selection", json={"all": True, "query": "?where=price+%3E+1"}).get_json()
    assert marked["count"] == 2
    page = get(client, f"/admin/book/?where=price+%3E+1&selection={marked['token']}")
    assert "2 markiert" in page.text


def test_a_condition_asks_the_database_no_more_often_than_any_filter(client: FlaskClient) -> None:
    with count_queries() as plain:
        listed(client, "price__from=1")
    with count_queries() as typed:
        listed(client, "where=price+%3E%3D+1")
    assert typed.count <= plain.count


def test_what_is_tried_can_only_read_and_is_stopped_in_time(shelf: None) -> None:
    before = photograph()
    with pytest.raises(Exception, match=r"(?i)read.?only"), read_only(5):
        Book.update(title="weg").execute()
    endless = (
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
        if engine() == "sqlite"
        else "SELECT pg_sleep(60)"
    )
    with pytest.raises(TooSlow, match=r"0,2 Sekunden"), read_only(0.2):
        database.execute_sql(endless)
    assert photograph() == before
    Book.update(title="Neu").where(Book.isbn == "A4").execute()
    assert Book.get(Book.isbn == "A4").title == "Neu"


def test_whoever_is_not_signed_in_by_name_can_run_but_not_save(shelf: None) -> None:
    client = library_client(WEBER)
    assert listed(client, "where=1%3D1") == ALL
    page = press(client, "save", "1=1", name="Alle")
    assert (page.status, fault(page)) == (400, "Abfragen speichern können nur angemeldete Benutzer.")

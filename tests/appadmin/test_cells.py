"""Editing in the list: what its page offers, and what is saved, refused or merged when cells are sent."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from playhouse.test_utils import count_queries

from flask_appadmin import rights
from flask_appadmin.changes import ChangeSet
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.rights import register_scope, system_operator
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Author, Book
from tests.appadmin.test_changes import photograph
from tests.appadmin.test_pages import change_behind, client_of, make, three_books
from tests.appadmin.webapp import create_library, library_client
from tests.reader import Page, get, send


@pytest.fixture
def client(library: str) -> FlaskClient:
    return library_client()


def cell(key: int, field: str, value: Any, base: Any, **more: Any) -> dict[str, Any]:
    return {"key": key, "field": field, "value": value, "base": base, **more}


def save(client: FlaskClient, *cells: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Sends edited cells as the page's script does: the status and the answer."""
    answer = client.post("/admin/book/cells", json={"changes": list(cells)}, headers={"Accept": "application/json"})
    found: dict[str, Any] = answer.get_json()
    return answer.status_code, found


def content(page: Page) -> dict[str, Any]:
    """What the script of the page knows about columns and cells."""
    start = page.html.index("<template data-content>") + len("<template data-content>")
    found: dict[str, Any] = json.loads(page.html[start : page.html.index("</template>", start)])
    return found


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_edit_mode_stands_in_the_address_and_stays_while_paging(client: FlaskClient) -> None:
    make(**{f"B{number:02}": {"genre": "poem"} for number in range(60)})
    plain = get(client, "/admin/book/?genre=poem&size=25")
    page = get(client, plain.link("In der Liste bearbeiten"))
    assert page.all("div", "edit-bar")
    assert not page.all("form", "strip"), "the strip makes room: rows are not marked while cells are edited"
    second = get(client, page.pager("next"))
    assert second.all("div", "edit-bar")
    assert len(content(second)["rows"]) == 25
    assert second.one("input", type="hidden", name="edit")["value"] == "1", "the filter bar keeps it"
    left = get(client, second.link("Bearbeiten beenden"))
    assert not left.all("div", "edit-bar")
    assert left.rows == second.rows, "at the same place"


def test_every_column_says_whether_and_how_it_is_edited(client: FlaskClient) -> None:
    first, *_rest = three_books()
    found = content(get(client, "/admin/book/?edit=1"))
    assert [(column["name"], column["kind"], column["fixed"]) for column in found["columns"]] == [
        ("isbn", "text", ""),
        ("title", "text", ""),
        ("author", found["columns"][2]["kind"], ""),
        ("price", "number", ""),
        ("genre", "select", ""),
    ]
    assert found["rows"][str(first)][3] == ["19.99", "19,99"], "as stored, and as people type it"
    assert get(client, "/admin/book/?edit=1").all("input", id="f-isbn") == [], "inputs wait in their templates"


def test_a_page_in_edit_mode_asks_no_more_questions_for_more_rows(client: FlaskClient) -> None:
    make(**{f"B{number:02}": {"price": Decimal(number)} for number in range(30)})
    get(client, "/admin/book/?edit=1")
    with count_queries() as few:
        get(client, "/admin/book/?edit=1&search=B01")
    with count_queries() as many:
        get(client, "/admin/book/?edit=1&search=B")
    assert many.count == few.count


def test_whoever_may_not_edit_gets_the_plain_list(library: str) -> None:
    three_books()
    page = get(client_of("library.read"), "/admin/book/?edit=1")
    assert page.status == 200
    assert not page.all("div", "edit-bar")
    assert "In der Liste bearbeiten" not in page.links()


# --- saving -----------------------------------------------------------------------------------------------------------


def test_cells_of_several_rows_are_one_operation_that_can_be_taken_back(client: FlaskClient) -> None:
    first, second, third = three_books()
    before = photograph()
    answer = save(
        client,
        cell(first, "price", "21,5", "19.99"),
        cell(first, "title", "Spiegelgeschichte", "Die größere Hoffnung"),
        cell(second, "author", "", None, text="ilse aichinger"),
        cell(third, "genre", "", "novel"),
    )
    assert answer == (200, {"saved": 4})
    books = {book.id: book for book in Book.select()}
    assert (books[first].price, books[first].title) == (Decimal("21.50"), "Spiegelgeschichte")
    assert books[second].author.name == "Ilse Aichinger"
    assert books[third].genre is None
    operation = ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).get()
    assert (operation.kind_label, operation.updated_count) == ("In der Liste bearbeitet", 3)
    page = get(client, "/admin/book/?edit=1")
    assert page.toast == "4 Änderungen gespeichert."
    undone = send(client, page.one("div", "toast").one("form")["action"], {})
    assert undone.toast.startswith("Zurückgenommen: ")
    assert photograph() == before


def test_a_wrong_cell_is_told_beside_all_others_and_nothing_is_saved(client: FlaskClient) -> None:
    first, second, third = three_books()
    before = photograph()
    status, answer = save(
        client,
        cell(first, "price", "viel", "19.99"),
        cell(first, "title", "Neu", "Die größere Hoffnung"),
        cell(second, "title", "", "Band zwei"),
        cell(third, "isbn", "A1", "A3"),
        cell(third, "author", "", None, text="Niemand"),
    )
    assert status == 422
    assert answer["error"] == "Es wurde nichts gespeichert: 4 Angaben sind zu prüfen."
    told = {(found["key"], found["field"]): found["sentence"] for found in answer["cells"]}
    assert told[first, "price"] == "„viel“ ist keine Zahl. Bitte so eingeben: 1.234,50."
    assert told[second, "title"] == "Dieses Feld kann nicht leer sein."
    assert "vorhanden" in told[third, "author"]
    assert (third, "isbn") in told
    assert photograph() == before


def test_a_rule_over_several_fields_is_told_at_its_row(client: FlaskClient) -> None:
    first, second, _third = three_books()
    change_behind(Book, first, printed_on=datetime.date(2026, 5, 1))
    status, answer = save(
        client, cell(first, "sold_until", "1.4.2026", None), cell(second, "title", "Neu", "Band zwei")
    )
    assert status == 422
    assert [(row["key"], row["sentence"]) for row in answer["rows"]] == [
        (first, "verkauft bis: „2026-04-01“ liegt vor dem Druck.")
    ]
    assert Book.get_by_id(second).title == "Band zwei"


def test_boxes_and_pasted_words_say_yes_and_no(client: FlaskClient) -> None:
    change = ChangeSet("import")
    keys = [change.create(Author, {"name": name}) for name in ("Aichinger", "Bachmann")]
    change.apply(system_operator("Frau Weber"))
    first, second = (record.key for record in keys)
    changes = [cell(first or 0, "active", False, True), cell(second or 0, "active", "nein", True)]
    assert client.post("/admin/author/cells", json={"changes": changes}).get_json() == {"saved": 2}
    assert [author.active for author in Author.select()] == [False, False]
    wrong = client.post("/admin/author/cells", json={"changes": [cell(first or 0, "active", "vielleicht", False)]})
    assert wrong.get_json()["cells"][0]["sentence"].startswith("„vielleicht“ ist weder Ja noch Nein.")


def test_what_is_typed_as_it_was_is_no_change(client: FlaskClient) -> None:
    first, *_rest = three_books()
    before = ChangeRecord.select().count()
    assert save(client, cell(first, "price", "19,990", "19.99")) == (200, {"saved": 0})
    assert ChangeRecord.select().count() == before


# --- two operators ----------------------------------------------------------------------------------------------------


def test_an_old_version_is_answered_with_what_is_stored_now(client: FlaskClient) -> None:
    first, second, _third = three_books()
    change_behind(Book, first, price=Decimal("30"), note="nur er")
    status, answer = save(
        client,
        cell(first, "price", "40", "19.99"),
        cell(first, "title", "Von Weber", "Die größere Hoffnung"),
        cell(second, "title", "Auch von Weber", "Band zwei"),
    )
    assert status == 409
    conflict = answer["conflicts"][0]
    assert (conflict["key"], conflict["field"], conflict["mine"], conflict["theirs"]) == (
        first, "price", "40,00", "30,00",
    )  # fmt: skip
    assert "Herr Berger" in conflict["sentence"]
    assert conflict["entry"] == ["30.00", "30,00"]
    assert Book.get_by_id(second).title == "Band zwei", "nothing was saved"
    mine = save(client, cell(first, "price", "40", conflict["entry"][0]))
    assert mine == (200, {"saved": 1})


def test_different_fields_of_one_row_go_together(client: FlaskClient) -> None:
    first, *_rest = three_books()
    change_behind(Book, first, price=Decimal("30"))
    assert save(client, cell(first, "title", "Von Weber", "Die größere Hoffnung")) == (200, {"saved": 1})
    book = Book.get_by_id(first)
    assert (book.title, book.price) == ("Von Weber", Decimal("30"))


def test_the_same_value_from_both_is_no_conflict(client: FlaskClient) -> None:
    first, *_rest = three_books()
    change_behind(Book, first, price=Decimal("30"))
    assert save(client, cell(first, "price", "30", "19.99")) == (200, {"saved": 0})


def test_a_row_that_was_deleted_meanwhile_is_named_and_nothing_is_saved(client: FlaskClient) -> None:
    first, second, _third = three_books()
    change = ChangeSet("delete")
    change.delete(Book, second)
    change.apply(system_operator("Herr Berger"))
    before = photograph()
    status, answer = save(
        client, cell(first, "title", "Neu", "Die größere Hoffnung"), cell(second, "title", "Neu", "Band zwei")
    )
    assert (status, answer["gone"]) == (404, [second])
    assert photograph() == before


# --- what must not be possible ----------------------------------------------------------------------------------------


def test_without_the_right_nothing_is_saved(library: str) -> None:
    first, *_rest = three_books()
    before = photograph()
    status, answer = save(client_of("library.read"), cell(first, "price", "1", "19.99"))
    assert status == 403
    assert "Ihnen fehlt das Recht" in answer["error"]
    assert photograph() == before


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The price is under rights of its own, and the date of printing can be filled once."""
    price, printed_on = spec_of(Book).field("price"), spec_of(Book).field("printed_on")
    monkeypatch.setitem(rights.RIGHTS, "money.edit", "Preise ändern")
    object.__setattr__(price, "right", "money")
    object.__setattr__(printed_on, "read_only", "once_filled")
    yield
    object.__setattr__(price, "right", "")
    object.__setattr__(printed_on, "read_only", False)


def test_a_field_with_a_right_of_its_own_is_refused_by_name(library: str, apart: None) -> None:
    first, *_rest = three_books()
    before = photograph()
    client = client_of("library.read", "library.edit", "money.read")
    found = content(get(client, "/admin/book/?edit=1"))
    assert "„Preise ändern“" in next(column["fixed"] for column in found["columns"] if column["name"] == "price")
    assert {entries[3] for entries in found["rows"].values()} == {None}
    status, answer = save(
        client, cell(first, "price", "1", "19.99"), cell(first, "title", "Neu", "Die größere Hoffnung")
    )
    assert (status, answer["fields"]) == (403, ["price"])
    assert photograph() == before


def test_a_field_that_is_filled_once_stays_filled(client: FlaskClient, apart: None) -> None:
    first, *_rest = three_books()
    assert save(client, cell(first, "printed_on", "1.5.2026", None)) == (200, {"saved": 1})
    status, answer = save(client, cell(first, "printed_on", "2.5.2026", "2026-05-01"))
    assert status == 422
    assert "kann nicht mehr geändert werden" in answer["cells"][0]["sentence"]


def test_a_row_outside_the_scope_is_not_there(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    _first, second, _third = three_books()
    monkeypatch.setattr(rights, "_scopes", {})
    register_scope(Book, lambda _operator: (Book.genre != "poem") | Book.genre.is_null())
    before = photograph()
    status, answer = save(client, cell(second, "title", "Neu", "Band zwei"))
    assert status == 404
    assert "Band zwei" not in json.dumps(answer)
    assert photograph() == before


def test_without_the_token_of_the_page_nothing_is_saved(library: str) -> None:
    first, *_rest = three_books()
    app = create_library()
    app.config["WTF_CSRF_ENABLED"] = True
    before = photograph()
    status, answer = save(app.test_client(), cell(first, "title", "Neu", "Die größere Hoffnung"))
    assert status == 400
    assert answer["error"]
    assert photograph() == before


NOT_FROM_A_PAGE: list[Any] = [
    [],
    {},
    {"changes": []},
    {"changes": {}},
    {"changes": ["A1"]},
    {"changes": [{"key": 1, "field": "title", "value": "Neu"}]},
    {"changes": [cell(1, "title", "Neu", "Die größere Hoffnung"), cell(1, "title", "Auch", "Die größere Hoffnung")]},
    {"changes": [cell(1, "nonsense", "Neu", None)]},
    {"changes": [cell(1, "id", "7", 1)]},
    {"changes": [cell(1, "version", "7", 1)]},
    {"changes": [cell(1, "title", None, "A")]},
    {"changes": [cell(1, "title", 5, "A")]},
    {"changes": [cell(1, "title", True, "A")]},
    {"changes": [cell(1, "title", "\ud800", "A")]},
    {"changes": [cell(1, "author", "", None, text=["x"])]},
    {"changes": [cell(1, "title", "Neu", ["A"])]},
    {"changes": [cell(1, "price", "5", "NaN")]},
    {"changes": [cell(1, "price", "5", "1e99999")]},
    {"changes": [cell(1, "price", "5", "drei")]},
    {"changes": [cell(1, "author", "1", 2**80)]},
    {"changes": [cell(True, "title", "Neu", "A")]},
    {"changes": [cell(0, "title", "Neu", "A")]},
    {"changes": [cell(2**70, "title", "Neu", "A")]},
    {"changes": [cell("1", "title", "Neu", "A")]},  # type: ignore[arg-type]
    {"changes": [cell(1, ["title"], "Neu", "A")]},  # type: ignore[arg-type]
    {"changes": [cell(key, "title", "Neu", "A") for key in range(1, 202)]},
]


@pytest.mark.parametrize("posted", NOT_FROM_A_PAGE)
def test_what_no_page_sends_is_refused_in_words(client: FlaskClient, posted: Any) -> None:
    three_books()
    before = photograph()
    answer = client.post("/admin/book/cells", json=posted, headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.get_json()["error"].endswith("Es wurde nichts gespeichert.")
    assert photograph() == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"changes": NaN}'])
def test_what_is_no_json_is_refused_in_words(client: FlaskClient, body: bytes) -> None:
    headers = {"Accept": "application/json"}
    answer = client.post("/admin/book/cells", data=body, content_type="application/json", headers=headers)
    assert answer.status_code == 400
    assert answer.get_json()["error"]


@pytest.mark.parametrize(
    ("field", "value", "base"),
    [("title", "a\x00b", "Die größere Hoffnung"), ("author", "999999999999", 1), ("genre", "drama", None)],
)
def test_odd_values_are_told_at_the_cell(client: FlaskClient, field: str, value: str, base: Any) -> None:
    first, *_rest = three_books()
    status, answer = save(client, cell(first, field, value, base))
    assert status == 422
    assert [(found["key"], found["field"]) for found in answer["cells"]] == [(first, field)]


def test_too_much_at_once_is_refused(client: FlaskClient) -> None:
    first, *_rest = three_books()
    status, answer = save(client, cell(first, "note", "x" * 3_000_000, None))
    assert status == 413
    assert "2 MB" in answer["error"]

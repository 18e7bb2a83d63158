"""The pages that the toy library gets from its models alone, by the requests an operator sends."""

from __future__ import annotations

import datetime
import inspect
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from playhouse.test_utils import assert_query_count, count_queries

from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import database, execute_many, utcnow
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.selections import StoredSelection
from tests.appadmin.library import Author, Book, Loan
from tests.appadmin.test_changes import photograph
from tests.appadmin.webapp import create_library, library_client
from tests.reader import Node, Page, get, read, send

WEBER = system_operator("Frau Weber")


@pytest.fixture
def client(library: str) -> FlaskClient:
    return library_client()


def client_of(*rights: str) -> FlaskClient:
    return library_client(Operator(None, "Herr Berger", frozenset(rights)))


def make(**books: dict[str, Any]) -> dict[str, int]:
    """Books by their ISBN, each with the values named; answers their keys."""
    change = ChangeSet("import")
    made = {
        isbn: change.create(Book, {"isbn": isbn, "title": f"Band {isbn}", **values}) for isbn, values in books.items()
    }
    change.apply(WEBER)
    return {isbn: record.key or 0 for isbn, record in made.items()}


def many_books(number: int) -> None:
    """So many books N0, N1 … with 0 to 6 pages, written past the gateway: enough for a look at all of them to take a
    moment."""
    now = utcnow()
    rows = [(1, now, now, f"N{count}", f"Band {count}", count % 7) for count in range(number)]
    marks = ", ".join([database.param] * 6)
    with database.atomic():
        execute_many(
            f"INSERT INTO book (version, created_at, updated_at, isbn, title, pages) VALUES ({marks})",
            rows,
        )


def three_books() -> list[int]:
    """A1 by Aichinger with two loans, A2 and A3 without anybody."""
    change = ChangeSet("import")
    author = change.create(Author, {"name": "Ilse Aichinger"})
    books = [
        change.create(
            Book, {"isbn": "A1", "title": "Die größere Hoffnung", "author": author, "price": Decimal("19.99")}
        ),
        change.create(Book, {"isbn": "A2", "title": "Band zwei", "price": Decimal("5"), "genre": "poem"}),
        change.create(Book, {"isbn": "A3", "title": "Band drei", "price": Decimal("5"), "genre": "novel"}),
    ]
    change.create(Loan, {"book": books[0], "reader": "Jürgen Groß", "lent_on": datetime.date(2026, 5, 1)})
    change.create(Loan, {"book": books[0], "reader": "Ada Kern", "returned": True})
    change.apply(WEBER)
    return [book.key or 0 for book in books]


def change_behind(model: Any, key: int, who: str = "Herr Berger", **values: Any) -> None:
    """Somebody else was faster."""
    change = ChangeSet("form")
    change.update(model, key, values)
    change.apply(system_operator(who))


def edit_page(client: FlaskClient, key: int) -> Page:
    return get(client, f"/admin/book/edit/?id={key}")


def save(client: FlaskClient, page: Page, **typed: Any) -> Page:
    """Types over the form of a page and saves it."""
    form = page.one("form", id="form")
    return send(client, form["action"], form.fields(**typed))


def mark(client: FlaskClient, **wanted: Any) -> dict[str, Any]:
    answer = client.post("/admin/book/selection", json=wanted)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def marked(client: FlaskClient, *keys: int) -> str:
    """The token of a selection of these books."""
    return str(mark(client, add=list(keys))["token"])


def section(page: Page, title: str) -> Node:
    """The card with this heading."""
    return next(card for card in page.all("section") if any(head.text == title for head in card.all("h2")))


# --- the proof --------------------------------------------------------------------------------------------------------


def test_three_models_and_fifteen_lines_make_the_application() -> None:
    lines = [line for line in inspect.getsource(create_library).splitlines()[1:] if line.strip()]
    assert len(lines) <= 15


def test_the_pages_of_a_model_are_in_the_menu_and_in_german(client: FlaskClient) -> None:
    three_books()
    page = get(client, "/admin/book/")
    assert (page.status, page.heading, page.one("span", id="counts").text) == (200, "Bücher", "3")
    assert [link.text for link in page.one("nav", css="side").all("a")] == ["Start", "Bücher3", "Autoren"]
    assert page.columns == ["ISBN", "Titel", "Autor", "Preis", "Gattung"]
    assert page.rows == [
        ["A1", "Die größere Hoffnung", "Ilse Aichinger", "19,99", ""],
        ["A2", "Band zwei", "", "5,00", "Gedicht"],
        ["A3", "Band drei", "", "5,00", "Roman"],
    ]
    assert page.one("title").text == "Bücher · Bücherei"


# --- list -------------------------------------------------------------------------------------------------------------


def test_search_finds_spellings_and_shows_where(client: FlaskClient) -> None:
    first, *_rest = three_books()
    page = get(client, "/admin/book/?search=groessere")
    assert page.keys == [first]
    assert page.one("span", id="counts").text == "1 von 3"
    assert [mark.text for mark in page.all("mark")] == ["größere"]
    assert get(client, "/admin/book/?search=j%C3%BCrgen").keys == [first], "readers belong to the book"
    nothing = get(client, "/admin/book/?search=gibtesnicht")
    assert nothing.rows == []
    assert nothing.one("div", "empty").one("p").text == "Kein Eintrag passt zu: Suche „gibtesnicht“."


SORTS = ("", "title", "-title", "price", "-price", "genre", "-genre", "printed_on", "-printed_on", "-isbn")


@pytest.mark.parametrize("sort", SORTS)
def test_paging_shows_every_row_once_in_order_and_back(client: FlaskClient, sort: str) -> None:
    """Every third book lacks price, genre and date: NULLs stand together, first or last as the engine has it."""
    books = {
        f"B{number:02}": {
            "title": f"Titel {number % 7}",
            "price": Decimal(number % 5) if number % 3 else None,
            "genre": ("novel", "poem")[number % 2] if number % 3 else None,
            "printed_on": datetime.date(2020, 1, 1 + number % 4) if number % 3 else None,
        }
        for number in range(1, 58)
    }
    make(**books)
    name = sort.lstrip("-") or "isbn"
    pages = [get(client, f"/admin/book/?size=25&sort={sort}")]
    while pages[-1].pager("next"):
        pages.append(get(client, pages[-1].pager("next")))
    keys = [key for page in pages for key in page.keys]
    assert [len(page.keys) for page in pages] == [25, 25, 7]
    assert sorted(keys) == sorted(row.id for row in Book.select(Book.id))
    values = [getattr(Book.get_by_id(key), name) for key in keys]
    filled = [value for value in values if value is not None]
    assert filled == sorted(filled, reverse=sort.startswith("-"))
    empty = len(values) - len(filled)
    assert values[:empty] == [None] * empty or values[len(filled) :] == [None] * empty
    assert [page.one("div", "foot").all("span")[0].text for page in pages] == [
        "1–25 von 57",
        "26–50 von 57",
        "51–57 von 57",
    ]
    back = get(client, pages[2].pager("previous"))
    assert back.keys == pages[1].keys
    assert get(client, back.pager("previous")).keys == pages[0].keys
    last = get(client, pages[0].pager("last"))
    assert last.keys == keys[-25:]
    assert (last.pager("next"), last.one("div", "foot").all("span")[0].text) == ("", "33–57 von 57")
    assert get(client, last.pager("previous")).keys == keys[7:32]


def test_conditions_of_all_kinds_hold_together_and_read_as_sentences(client: FlaskClient) -> None:
    first, second, third = three_books()
    change_behind(Book, third, printed_on=datetime.date(2024, 2, 29), pages=120)
    for query, keys, chips in (
        ("genre=novel", [third], ["Gattung ist Roman"]),
        ("genre=novel&genre=poem", [second, third], ["Gattung ist Roman oder Gedicht"]),
        ("genre__not=novel", [first, second], ["Gattung ist nicht Roman"]),
        ("genre__empty=1", [first], ["Gattung ist leer"]),
        ("author=Ilse+Aichinger", [first], ["Autor ist Ilse Aichinger"]),
        ("price__from=5.00&price__to=6", [second, third], ["Preis ab 5,00", "Preis bis 6,00"]),
        ("price__between=4&price__between=5,5", [second, third], ["Preis zwischen 4,00 und 5,50"]),
        ("printed_on=2024-02-29", [third], ["gedruckt am ist 29.02.2024"]),
        ("title__begins=Band&pages__filled=1", [third], ["Titel beginnt mit „Band“", "Seiten ist ausgefüllt"]),
        ("title__contains=100%25", [], ["Titel enthält „100%“"]),
        ("genre=", [first], ["Gattung ist leer"]),
    ):
        page = get(client, f"/admin/book/?{query}")
        assert (page.status, page.keys, page.chips) == (200, keys, chips), query
    assert get(client, get(client, "/admin/book/?genre=novel").one("span", "chip").one("a", "x")["href"]).keys == [
        first,
        second,
        third,
    ]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("nonsense=1", "Filter „nonsense“: Diesen Filter gibt es hier nicht."),
        ("title__from=A", "Filter „title__from“: Dieser Vergleich passt nicht zum Feld „Titel“."),
        ("price=viel", "Filter „Preis“: „viel“ ist keine Zahl. Bitte so eingeben: 1.234,50."),
        ("genre=drama", "Filter „Gattung“: „drama“ gibt es hier nicht. Möglich sind: Roman, Gedicht."),
        ("author=Niemand", "Filter „Autor“: „Niemand“ ist unter „Autoren“ nicht vorhanden."),
        ("price__between=1", "Filter „Preis“: Hier werden 2 Werte gebraucht."),
        ("pages=9" * 40, "Filter „Seiten“"),
        ("sort=author", "Filter „sort“: Nach „author“ lässt sich hier nicht sortieren."),
        ("sort=password", "Filter „sort“: Nach „password“ lässt sich hier nicht sortieren."),
        ("after=kaputt", "Filter „after“: Diese Stelle der Liste gibt es nicht mehr."),
        ("title=a%00b", "Filter „Titel“"),
        ("search=%00", "Filter „search“: Die Suche enthält ein Zeichen, das es in Texten nicht gibt."),
        ("search=" + "m" * 10_000, "Filter „search“: Bitte suchen Sie nach höchstens 20 Wörtern."),
        ("search=" + "+".join("abcdefghijklmnopqrstu"), "Filter „search“: Bitte suchen Sie nach höchstens 20 Wörtern."),
        ("title=" + "x" * 10_000, "Filter „Titel“"),
    ],
)
def test_a_filter_that_cannot_be_understood_shows_no_list(client: FlaskClient, query: str, sentence: str) -> None:
    three_books()
    page = get(client, f"/admin/book/?{query}")
    assert page.status == 400
    assert sentence in page.text
    assert page.all("table") == []
    assert "A1" not in page.text


@pytest.mark.parametrize(
    "query", ["search=%EF%BB%BF", "search=" + "%27" * 40, "search=(a%2B)%2B%24", "size=-1", "at=x&size=0"]
)
def test_odd_questions_are_answered_with_a_list(client: FlaskClient, query: str) -> None:
    three_books()
    assert get(client, f"/admin/book/?{query}").status == 200


def test_a_list_asks_the_same_number_of_questions_for_any_number_of_rows(client: FlaskClient) -> None:
    three_books()
    get(client, "/admin/book/")
    with count_queries() as few:
        get(client, "/admin/book/?sort=title")
    change = ChangeSet("import")
    for number in range(60):
        author = change.create(Author, {"name": f"Autor {number}"})
        change.create(Book, {"isbn": f"C{number}", "title": f"Buch {number}", "author": author})
    change.apply(WEBER)
    with assert_query_count(few.count + 1):  # what fits on one page need not be counted
        page = get(client, "/admin/book/?sort=title")
    assert len(page.keys) == 50
    assert few.count <= 7, (
        "layouts; rows, names of authors, number in the menu; views, what was made of them; saved queries"
    )


# --- selection --------------------------------------------------------------------------------------------------------


def test_marks_are_kept_over_pages_filters_and_the_way_back(client: FlaskClient) -> None:
    first, second, third = three_books()
    page = get(client, "/admin/book/?genre=poem&sort=-isbn")
    answer = mark(client, token="", add=[str(second)], query="?genre=poem&sort=-isbn")
    assert (answer["count"], answer["outside"]) == (1, 0)
    token = answer["token"]
    more = mark(client, token=token, add=[first, third], query="?genre=poem")
    assert more == {"token": token, "count": 3, "capped": False, "all": False, "outside": 2}
    assert mark(client, token=token, remove=[third])["count"] == 2
    page = get(client, f"/admin/book/?genre=poem&selection={token}")
    assert page.one("form", id="marked").one("span", "marked-text").text == "2 markiert, 1 nicht sichtbar"
    assert [row["data-key-of"] for row in page.all("tr", "on")] == [str(second)]
    shown = get(client, page.one("form", id="marked").one("a")["href"])
    assert (shown.keys, shown.chips) == ([first, second], ["nur markierte"])
    get(client, "/admin/book/?genre=poem&sort=-isbn")
    mark(client, token=token, add=[third])
    assert edit_page(client, first).link("‹ Bücher") == f"/admin/book/?genre=poem&sort=-isbn&selection={token}"


def test_everything_that_matches_is_marked_as_a_question_not_as_keys(client: FlaskClient) -> None:
    _first, second, third = three_books()
    answer = mark(client, all=True, query="?title__contains=Band")
    assert answer["count"] == 2
    row = StoredSelection.get()
    assert (row.everything, row.query, row.keys) == (True, "title__contains=Band", [])
    make(D1={"title": "Band vier"})
    assert mark(client, token=answer["token"], remove=[second], query="?title__contains=Band")["count"] == 2
    page = get(client, f"/admin/book/?title__contains=Band&selection={answer['token']}")
    assert [key for key, row in zip(page.keys, page.all("tr")[1:], strict=True) if row.has_class("on")] == [
        third,
        third + 1,
    ]
    assert mark(client, token=answer["token"], clear=True)["count"] == 0


def test_a_selection_belongs_to_one_operator_and_one_list(client: FlaskClient) -> None:
    first, *_rest = three_books()
    token = marked(client, first)
    StoredSelection.update(entity="author").execute()
    for address in (f"/admin/book/action/change_settings?selection={token}", "/admin/book/action/delete?selection=%00"):
        assert client.get(address).status_code == 400
    assert client.post("/admin/book/selection", json={"token": token, "add": [first]}).status_code == 400
    assert client.post("/admin/book/selection", json={"token": "fremd", "all": True}).status_code == 400
    page = get(client, f"/admin/book/?selection={token}")
    assert page.one("span", "marked-text").text == "nichts markiert"
    assert page.one("p", "strip-note").text == "Diese Markierung gibt es nicht mehr. Bitte markieren Sie noch einmal."


@pytest.mark.parametrize(
    "posted", [[1], "x", {"add": ["a"]}, {"add": ["1" * 30]}, {"add": {"1": 2}}, {"query": "unsinn=1"}]
)
def test_marks_that_cannot_be_read_are_refused(client: FlaskClient, posted: Any) -> None:
    answer = client.post("/admin/book/selection", json=posted, headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.get_json()["error"]


# --- bulk change ------------------------------------------------------------------------------------------------------


def bulk_page(client: FlaskClient, token: str) -> Page:
    return get(client, f"/admin/book/action/change_settings?selection={token}")


def test_bulk_change_shows_what_would_happen_and_does_just_that(client: FlaskClient) -> None:
    first, second, third = three_books()
    get(client, "/admin/book/?sort=-isbn")
    token = marked(client, first, second, third)
    started = client.post("/admin/book/action/", data={"action": "change_settings", "token": token})
    page = get(client, started.location)
    assert page.text.count("3 Bücher markiert") == 1
    form = page.one("form", id="bulk")
    typed = form.fields(
        change=["price", "note"], price="5", **{"mode-price": "set", "mode-note": "set"}, note="Inventur"
    )
    preview = read(
        client.post(page.one("form", id="bulk")["data-preview"], data=typed, headers={"X-Fragment": "bulk_preview"})
    )
    assert preview.one("div", css="pad").text == "3 Bücher werden geändert."
    assert [[cell.text for cell in row.all("td")] for row in preview.one("table", "groups").all("tr")[1:]] == [
        ["2 ×", "Preis", "hat den Wert schon: 5,00"],
        ["1 ×", "Preis", "19,99 → 5,00"],
        ["3 ×", "Notiz", "leer → Inventur"],
    ]
    assert ChangeSetRecord.select().count() == 1, "looking changes nothing"
    plan = preview.one("input", name="plan")["value"]
    assert preview.one("button").text == "3 Bücher ändern"
    typed.setlist("plan", [plan])
    typed.setlist("_do", ["apply"])
    typed.setlist("_reason", ["Jahresinventur"])
    done = send(client, form["action"], typed)
    assert (done.url, done.toast) == ("/admin/book/", "3 Bücher geändert.")
    assert done.keys == [third, second, first], "the list is where it was"
    assert done.one("span", "marked-text").text == "nichts markiert"
    assert [(book.price, book.note) for book in Book.select()] == [(Decimal("5.00"), "Inventur")] * 3
    last = ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).get()
    assert (last.title, last.reason, last.updated_count) == ("Preis, Notiz: 3 Bücher markiert", "Jahresinventur", 3)
    assert ChangeRecord.select().where(ChangeRecord.change_set == last).count() == 4


def apply_bulk(client: FlaskClient, token: str, *, plan: str | None = None, **typed: Any) -> Page:
    form = bulk_page(client, token).one("form", id="bulk")
    fields = form.fields(**typed)
    if plan is None:
        preview = read(client.post(form["action"], data=fields, headers={"X-Fragment": "bulk_preview"}))
        plan = preview.one("input", name="plan")["value"]
    fields.setlist("plan", [plan])
    fields.setlist("_do", ["apply"])
    return send(client, form["action"], fields)


def test_one_marked_record_is_told_in_the_singular(client: FlaskClient) -> None:
    first, *_rest = three_books()
    token = marked(client, first)
    assert "1 Buch markiert" in bulk_page(client, token).text
    assert apply_bulk(client, token, change=["pages"], pages="7").toast == "1 Buch geändert."


def test_bulk_change_stops_when_the_rows_are_no_longer_those_that_were_shown(client: FlaskClient) -> None:
    first, second, _third = three_books()
    token = marked(client, first, second)
    form = bulk_page(client, token).one("form", id="bulk")
    fields = form.fields(change=["pages"], pages="100")
    preview = read(client.post(form["action"], data=fields, headers={"X-Fragment": "bulk_preview"}))
    plan = preview.one("input", name="plan")["value"]
    change_behind(Book, second, title="Inzwischen anders")
    before = photograph()
    answer = apply_bulk(client, token, plan=plan, change=["pages"], pages="100")
    assert answer.status == 409
    assert "Es wurde nichts geändert. Bitte sehen Sie die Vorschau noch einmal an." in answer.faults[0]
    assert photograph() == before
    assert answer.one("form", id="bulk").fields()["pages"] == "100", "what was typed is still there"


def test_bulk_change_names_the_records_that_refuse_and_goes_on_without_them(client: FlaskClient) -> None:
    first, second, third = three_books()
    change_behind(Book, second, printed_on=datetime.date(2026, 5, 1))
    token = marked(client, first, second, third)
    form = bulk_page(client, token).one("form", id="bulk")
    fields = form.fields(change=["sold_until"], sold_until="01.04.2026")
    preview = read(client.post(form["action"], data=fields, headers={"X-Fragment": "bulk_preview"}))
    assert preview.one("div", css="pad").text == "2 Bücher werden geändert, 1 nicht."
    refused = preview.one("section", "refused")
    assert refused.one("h2").text == "1 können so nicht geändert werden"
    assert [cell.text for cell in refused.all("td")] == [
        "A2 Band zwei",
        "verkauft bis: „2026-04-01“ liegt vor dem Druck.",
    ]
    assert "disabled" in preview.one("button", "main-button").attributes
    assert get(client, preview.link("nur diese markieren")).keys == [second]
    fields.setlist("_without_refused", ["1"])
    without = read(client.post(form["action"], data=fields, headers={"X-Fragment": "bulk_preview"}))
    assert without.one("button", "main-button").text == "2 Bücher ändern"
    done = apply_bulk(client, token, change=["sold_until"], sold_until="01.04.2026", _without_refused="1")
    assert done.toast == "2 Bücher geändert, 1 nicht."
    assert [book.sold_until for book in Book.select().order_by(Book.id)] == [
        datetime.date(2026, 4, 1),
        None,
        datetime.date(2026, 4, 1),
    ]


def test_bulk_change_refuses_values_that_no_record_takes(client: FlaskClient) -> None:
    first, second, _third = three_books()
    token = marked(client, first, second)
    before = photograph()
    for typed, sentence in (
        ({"change": ["price"], "price": "abc"}, "Preis: „abc“ ist keine Zahl. Bitte so eingeben: 1.234,50."),
        ({"change": ["price"], "price": "501"}, "Preis: „501,00“ ist zu groß. Erlaubt ist 0 bis 500."),
        ({"change": ["price"], "price": ""}, "Preis: Bitte einen Wert angeben oder „leeren“ wählen."),
        ({"change": ["note"], "note": "a\x00b"}, "Notiz: „ab“ enthält ein unerlaubtes Zeichen."),
    ):
        form = bulk_page(client, token).one("form", id="bulk")
        answer = send(client, form["action"], form.fields(**typed, _do="apply"))
        assert sentence in " ".join(answer.faults)
        assert photograph() == before
    form = bulk_page(client, token).one("form", id="bulk")
    assert client.post(form["action"], data=form.fields(change=["title"], title="Alle gleich")).status_code == 403
    assert photograph() == before


def test_bulk_change_asks_the_same_number_of_questions_for_any_number_of_rows(client: FlaskClient) -> None:
    keys = list(make(**{f"E{number}": {} for number in range(60)}).values())
    few, many = marked(client, *keys[:2]), marked(client, *keys[2:])
    counts = []
    for token in (few, many):
        form = bulk_page(client, token).one("form", id="bulk")
        fields = form.fields(change=["pages"], pages="100")
        preview = read(client.post(form["action"], data=fields, headers={"X-Fragment": "bulk_preview"}))
        fields.setlist("plan", [preview.one("input", name="plan")["value"]])
        fields.setlist("_do", ["apply"])
        with count_queries() as asked:
            assert client.post(form["action"], data=fields).status_code == 302
        counts.append(asked.count)
    assert counts[0] == counts[1]
    assert Book.select().where(Book.pages == 100).count() == 60


def test_an_action_on_nothing_says_what_to_do(client: FlaskClient) -> None:
    for name in ("change_settings", "delete", "print_labels"):
        for address in (f"/admin/book/action/{name}", f"/admin/book/action/{name}?selection={marked(client)}"):
            page = get(client, address)
            assert page.status == 400
            assert "Bitte markieren Sie mindestens eine Zeile." in page.text
    assert client.get("/admin/book/action/gibtesnicht").status_code == 404


# --- copy, delete, undo -----------------------------------------------------------------------------------------------


def test_copy_takes_the_record_and_full_copy_its_children(client: FlaskClient) -> None:
    first, *_rest = three_books()
    for name, isbn, loans in (("copy", "K1", []), ("full_copy", "K2", ["Jürgen Groß", "Ada Kern"])):
        page = get(client, f"/admin/book/action/{name}?id={first}")
        form = page.one("form", css="stack")
        empty = send(client, form["action"], form.fields(isbn=""))
        assert (empty.status, empty.faults) == (422, ["Bitte ausfüllen."])
        taken = send(client, form["action"], form.fields(isbn="A2"))
        assert (taken.status, taken.faults) == (422, ["„A2“ ist bereits vorhanden."])
        done = send(client, form["action"], form.fields(isbn=isbn))
        assert (done.heading, done.toast) == (
            f"{isbn} Die größere Hoffnung",
            f"Kopie angelegt: {isbn} Die größere Hoffnung",
        )
        made = Book.get(Book.isbn == isbn)
        assert (made.price, made.author.name) == (Decimal("19.99"), "Ilse Aichinger")
        assert [loan.reader for loan in Loan.select().where(Loan.book == made).order_by(Loan.id)] == loans
    page = get(client, f"/admin/book/action/copy?selection={marked(client, first, first + 1)}")
    assert "Bitte markieren Sie genau einen Datensatz" in page.text


def test_delete_asks_first_and_takes_the_children_along(client: FlaskClient) -> None:
    first, second, _third = three_books()
    before = photograph()
    page = get(client, f"/admin/book/action/delete?selection={marked(client, first, second)}")
    assert page.heading == "2 Bücher löschen?"
    assert page.one("div", "tiles").text == "2Bücher2Ausleihen"
    assert [row.text for row in page.one("div", "limited").all("tr")] == ["A1 Die größere Hoffnung", "A2 Band zwei"]
    assert photograph() == before, "asking deletes nothing"
    form = page.one("form", css="stack")
    done = send(client, form["action"], form.fields(_reason="makuliert"))
    assert (done.toast, done.rows) == ("2 Bücher gelöscht.", [["A3", "Band drei", "", "5,00", "Roman"]])
    assert Loan.select().count() == 0
    assert get(client, f"/admin/book/edit/?id={first}").status == 404


def test_a_record_that_others_use_is_not_deleted_and_they_are_named(client: FlaskClient) -> None:
    three_books()
    before = photograph()
    author = Author.get()
    page = get(client, f"/admin/author/action/delete?id={author.id}")
    assert [cell.text for cell in page.all("section")[0].all("td")] == [
        "Ilse Aichinger",
        "wird verwendet: Buch A1 Die größere Hoffnung",
    ]
    form = page.one("form", css="stack")
    assert "disabled" in form.all("button")[-1].attributes
    send(client, form["action"], form.fields())
    assert photograph() == before


def test_the_others_are_deleted_when_some_must_stay(client: FlaskClient) -> None:
    three_books()
    change = ChangeSet("import")
    free = [change.create(Author, {"name": name}) for name in ("Anna Seghers", "Nelly Sachs")]
    change.apply(WEBER)
    keys = [Author.get(Author.name == "Ilse Aichinger").id, *(author.key or 0 for author in free)]
    token = client.post("/admin/author/selection", json={"add": keys}).get_json()["token"]
    page = get(client, f"/admin/author/action/delete?selection={token}")
    form = page.one("form", css="stack")
    assert form.all("button")[-1].text == "Nur die anderen löschen (2)"
    assert page.one("div", "tiles").text == "2Autoren"
    stale = send(client, form["action"], form.fields(_count="3"))
    assert (stale.heading, Author.select().count()) == ("3 Autoren löschen?", 3)
    done = send(client, form["action"], form.fields())
    table = [[cell.text for cell in row.all("td")] for row in done.one("table", id="deleted").all("tr")[1:]]
    assert (done.toast, [row[:2] for row in table]) == (
        "2 gelöscht, 1 abgelehnt",
        [["Ilse Aichinger", "abgelehnt"], ["Anna Seghers", "gelöscht"], ["Nelly Sachs", "gelöscht"]],
    )
    assert [author.name for author in Author.select()] == ["Ilse Aichinger"]


def test_undo_asks_with_counts_and_restores_the_tables(client: FlaskClient) -> None:
    first, second, _third = three_books()
    before = photograph()
    done = apply_bulk(client, marked(client, first, second), change=["pages"], pages="300")
    address = done.one("div", "toast").one("form")["action"]
    change_behind(Book, second, pages=250)
    page = get(client, address)
    assert (page.heading, page.one("div", "tiles").text) == ("Vorgang zurücknehmen?", "1zurückgesetzt")
    assert [cell.text for cell in page.all("section")[0].all("td")] == [
        "A2 Band zwei", "Seiten", "leer", "300", "250", "Herr Berger", "auf „leer“",
    ]  # fmt: skip
    undone = send(client, address, page.one("form", css="stack").fields(_reason="Versehen"))
    assert undone.toast == "Zurückgenommen: Seiten: 2 Bücher markiert. 1 Wert blieb, wie er ist."
    change_behind(Book, second, pages=None)
    assert photograph() == before


def test_a_deletion_is_taken_back_with_children_and_keys(client: FlaskClient) -> None:
    first, second, _third = three_books()
    before = photograph()
    page = get(client, f"/admin/book/action/delete?selection={marked(client, first, second)}")
    form = page.one("form", css="stack")
    done = send(client, form["action"], form.fields())
    send(client, done.one("div", "toast").one("form")["action"], {})
    assert photograph() == before
    assert get(client, "/admin/book/?search=j%C3%BCrgen").keys == [first], "the search knows it again"


def test_the_operation_and_the_record_tell_their_history(client: FlaskClient) -> None:
    first, *_rest = three_books()
    save(client, edit_page(client, first), title="Spiegelgeschichte", price="21,5", _reason="Neuauflage")
    history = read(client.get(f"/admin/book/edit/?id={first}&tab=history", headers={"X-Fragment": "panel"}))
    entry = history.all("tbody", "entry")[0]
    assert [[cell.text for cell in row.all("td")][-4:] for row in entry.all("tr")] == [
        [
            "Titel", "Die größere Hoffnung → Spiegelgeschichte zurücknehmen", "Bearbeitet „Neuauflage“",
            "Rückgängig machen",
        ],
        ["Preis", "19,99 → 21,50 zurücknehmen"],
    ]  # fmt: skip
    operation = get(client, next(a["href"] for a in entry.all("a") if "/show" in a["href"]))
    assert [[cell.text for cell in row.all("td")] for row in section(operation, "Änderungen").all("tr")[1:]] == [
        ["Buch A1 Spiegelgeschichte nur diesen zurücknehmen", "Preis", "19,99", "21,50", "", "zurücknehmen"],
        ["Buch A1 Spiegelgeschichte", "Titel", "Die größere Hoffnung", "Spiegelgeschichte", "", "zurücknehmen"],
    ]


# --- form -------------------------------------------------------------------------------------------------------------


def test_a_new_record_is_saved_with_its_children_in_one_operation(client: FlaskClient) -> None:
    three_books()
    page = get(client, "/admin/book/new/")
    assert page.heading == "Neu: Buch"
    done = save(
        client,
        page,
        isbn="N1",
        title=" Ein Titel ",
        author_text="ilse aichinger",
        price="123,5",
        pages="90",
        genre="novel",
        printed_on="1.2.26",
        note="Zeile 1\r\nZeile 2",
        _rows=["loan-n1", "loan-n2", "loan-n3"],
        **{
            "loan-n1-reader": "Neu eins",
            "loan-n1-lent_on": "03.02.2026",
            "_shown": ["loan-n1-returned", "loan-n2-returned", "loan-n3-returned"],
            "loan-n2-reader": "Neu zwei",
            "loan-n2-returned": "1",
            "loan-n3-reader": "",
        },
    )
    assert (done.toast, done.heading) == ("Gespeichert.", "N1 Ein Titel")
    book = Book.get(Book.isbn == "N1")
    assert (book.price, book.pages, book.genre, book.printed_on, book.note, book.author.name) == (
        Decimal("123.50"),
        90,
        "novel",
        datetime.date(2026, 2, 1),
        "Zeile 1\nZeile 2",
        "Ilse Aichinger",
    )
    assert [(loan.reader, loan.lent_on, loan.returned) for loan in book.loans.order_by(Loan.id)] == [
        ("Neu eins", datetime.date(2026, 2, 3), False),
        ("Neu zwei", None, True),
    ]
    last = ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).get()
    assert (last.kind, last.title, last.created_count) == ("form", "Buch N1 Ein Titel", 1)


def test_saving_writes_only_what_was_changed_and_only_once(client: FlaskClient) -> None:
    first, *_rest = three_books()
    loans = [loan.id for loan in Loan.select().order_by(Loan.id)]
    page = edit_page(client, first)
    done = save(
        client,
        page,
        price="20",
        **{
            f"loan-{loans[0]}-returned": "1",
            f"loan-{loans[1]}-delete": "1",
            "_rows": [f"loan-{loans[0]}", f"loan-{loans[1]}", "loan-n1"],
            "loan-n1-reader": "Dritter",
            "_shown": [f"loan-{loans[0]}-returned", f"loan-{loans[1]}-returned", "loan-n1-returned"],
        },
    )
    assert (done.status, done.toast) == (200, "Gespeichert.")
    last = ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).get()
    rows = ChangeRecord.select().where(ChangeRecord.change_set == last).order_by(ChangeRecord.id)
    assert [(row.entity, row.action, row.field) for row in rows] == [
        ("loan", "delete", None),
        ("loan", "create", None),
        ("book", "update", "price"),
        ("loan", "update", "returned"),
    ]
    again = save(client, edit_page(client, first))
    assert again.toast == "Es war nichts zu ändern."
    assert ChangeSetRecord.select().count() == 2


def test_a_wrong_cell_keeps_every_input_and_saves_nothing(client: FlaskClient) -> None:
    first, *_rest = three_books()
    loans = [loan.id for loan in Loan.select().order_by(Loan.id)]
    before = photograph()
    typed = {
        "title": "Geänderter Titel",
        "price": "teuer",
        "author_text": "Unbekannt",
        "author": "",
        "_rows": [f"loan-{loans[0]}", f"loan-{loans[1]}", "loan-n1"],
        f"loan-{loans[0]}-reader": "Anders",
        f"loan-{loans[1]}-lent_on": "31.02.2026",
        f"loan-{loans[1]}-delete": None,
        "loan-n1-reader": "",
        "loan-n1-lent_on": "01.05.2026",
    }
    answer = save(client, edit_page(client, first), **typed)
    assert answer.status == 422
    assert answer.one("title").text.startswith("Fehler:")
    assert sorted(answer.summary) == [
        "Autor: „Unbekannt“ ist unter „Autoren“ nicht vorhanden. Bitte erst dort anlegen oder die Schreibweise prüfen.",
        "Leser: Bitte ausfüllen.",
        "Preis: „teuer“ ist keine Zahl. Bitte so eingeben: 1.234,50.",
        "ausgeliehen am: „31.02.2026“ ist kein Datum. Bitte so eingeben: TT.MM.JJJJ, zum Beispiel 31.12.2026.",
    ]
    fields = answer.one("form", id="form").fields()
    for name, value in typed.items():
        if value is not None and name != "_rows":
            assert fields[name] == value, name
    assert photograph() == before
    assert ChangeSetRecord.select().count() == 1
    corrected = save(
        client,
        answer,
        price="30",
        author_text="Ilse Aichinger",
        **{f"loan-{loans[1]}-lent_on": "28.02.2026", "loan-n1-reader": "Neu"},
    )
    assert (corrected.status, corrected.toast) == (200, "Gespeichert.")
    assert [(loan.reader, loan.lent_on) for loan in Loan.select().where(Loan.book == first).order_by(Loan.id)] == [
        ("Anders", datetime.date(2026, 5, 1)),
        ("Ada Kern", datetime.date(2026, 2, 28)),
        ("Neu", datetime.date(2026, 5, 1)),
    ]


@pytest.mark.parametrize(
    ("typed", "summary"),
    [
        ({}, ["ISBN: Bitte ausfüllen.", "Titel: Bitte ausfüllen."]),
        ({"isbn": "A1", "title": "Doppelt"}, ["ISBN: „A1“ ist bereits vorhanden."]),
        (
            {"isbn": "9" * 18, "title": "x"},
            ["ISBN: „999999999999999999“ ist zu lang (18 Zeichen). Höchstens 17 Zeichen passen hinein."],
        ),
        ({"isbn": "B", "title": "x" * 10_000}, ["Titel"]),
        ({"isbn": "B\x00", "title": "x"}, ["ISBN: „B“ enthält ein unerlaubtes Zeichen."]),
        ({"isbn": "B", "title": "x", "pages": "9" * 10_000}, ["Seiten"]),
        ({"isbn": "B", "title": "x", "pages": "0"}, ["Seiten: „0“ ist zu klein. Erlaubt ist mindestens 1."]),
        ({"isbn": "B", "title": "x", "price": "9" * 400}, ["Preis"]),
        ({"isbn": "B", "title": "x", "price": "NaN"}, ["Preis"]),
        ({"isbn": "B", "title": "x", "genre": "drama"}, ["Gattung"]),
        ({"isbn": "B", "title": "x", "author": "999"}, ["Autor: „999“ ist nicht mehr vorhanden."]),
        ({"isbn": "B", "title": "x", "author": "1; DROP"}, ["Autor: „1; DROP“ ist hier nicht vorhanden."]),
        ({"isbn": "B", "title": "x", "printed_on": "01.01.0001"}, ["gedruckt am"]),
        (
            {"isbn": "B", "title": "x", "printed_on": "2.1.2026", "sold_until": "1.1.2026"},
            ["verkauft bis: „2026-01-01“ liegt vor dem Druck."],
        ),
    ],
)
def test_what_a_field_does_not_take_is_said_at_the_field(
    client: FlaskClient, typed: dict[str, str], summary: list[str]
) -> None:
    three_books()
    before = photograph()
    page = get(client, "/admin/book/new/")
    if "author" in typed:
        typed = {**typed, "author_text": typed["author"]}
    answer = save(client, page, **typed)
    assert answer.status == 422
    assert len(answer.summary) == len(summary)
    for found, expected in zip(answer.summary, summary, strict=True):
        assert found.startswith(expected)
    assert photograph() == before


def test_a_form_without_any_field_is_refused_as_one_that_is_empty(client: FlaskClient) -> None:
    answer = read(client.post("/admin/book/new/", data={}))
    assert (answer.status, answer.summary) == (422, ["ISBN: Bitte ausfüllen.", "Titel: Bitte ausfüllen."])
    three_books()
    before = photograph()
    odd = {
        "_base": ["kein json", "[]", '{"": 1, "loan-1": {"lent_on": 5}}'],
        "_panel": "nirgends",
        "_rows": "loan-__key__",
    }
    assert client.post("/admin/book/edit/?id=1", data=odd).status_code == 302
    assert photograph() == before


def test_a_row_that_was_deleted_meanwhile_is_offered_again_or_left_out(client: FlaskClient) -> None:
    first, *_rest = three_books()
    loans = [loan.id for loan in Loan.select().order_by(Loan.id)]
    page = edit_page(client, first)
    change = ChangeSet("form")
    for key in loans:
        change.delete(Loan, key)
    change.apply(system_operator("Herr Berger"))
    answer = save(client, page, title="Neu", **{f"loan-{loans[0]}-reader": "Geändert"})
    assert answer.status == 422
    assert answer.summary == [
        (
            "Eine Zeile, die Sie geändert haben, wurde inzwischen gelöscht. Sie steht hier noch einmal als neue Zeile: "
            "„Speichern“ legt sie wieder an, „✕“ verwirft sie."
        )
    ]
    assert (Book.get_by_id(first).title, Loan.select().count()) == ("Die größere Hoffnung", 0)
    done = save(client, answer)
    assert done.toast == "Gespeichert."
    assert [(loan.reader, loan.lent_on) for loan in Loan.select()] == [("Geändert", datetime.date(2026, 5, 1))]


@pytest.mark.parametrize(
    "key", ["abc", "-1", "0", "99999999999999999999", "999999999999999999", "", "1%00", "%D9%A1", "1.0"]
)
@pytest.mark.parametrize("address", ["edit/?id={}", "delete/?id={}", "action/copy?id={}", "step?id={}&to=next"])
def test_a_broken_id_leads_to_a_page_that_says_so(client: FlaskClient, key: str, address: str) -> None:
    three_books()
    page = get(client, f"/admin/book/{address.format(key)}")
    assert page.status in ((404,) if "edit" in address else (404, 400, 302))
    assert "Traceback" not in page.text
    if "edit" in address:
        assert "ist nicht vorhanden, gelöscht oder für Sie nicht sichtbar." in page.text


def test_the_form_steps_through_the_list_it_was_opened_from(client: FlaskClient) -> None:
    make(**{f"S{number:02}": {} for number in range(1, 31)})
    listed = get(client, "/admin/book/?size=25&sort=-isbn")
    last = listed.keys[-1]

    def step(page: Page, to: str) -> Page:
        answer = client.get(page.one("a", data_step=to)["href"])
        assert answer.status_code == 302
        return get(client, answer.location)

    page = edit_page(client, listed.keys[0])
    assert [node.text for node in page.all("span", "nowrap")] == ["1 von 30"]
    assert [node["data-step"] for node in page.all("a") if "data-step" in node.attributes] == ["next", "last"]
    assert step(page, "next").heading == "S29 Band S29"
    over = step(edit_page(client, last), "next")
    assert (over.heading, over.all("span", "nowrap")[0].text) == ("S05 Band S05", "26 von 30")
    back = step(over, "previous")
    assert (back.heading, back.all("span", "nowrap")[0].text) == ("S06 Band S06", "25 von 30")
    end = step(back, "last")
    assert (end.heading, end.all("span", "nowrap")[0].text) == ("S01 Band S01", "30 von 30")
    assert step(end, "first").heading == "S30 Band S30"
    get(client, "/admin/author/")
    assert edit_page(client, last).all("a", data_step="next") == [], "another list was opened since"


def test_saving_and_closing_leads_back_to_the_same_place(client: FlaskClient) -> None:
    first, *_rest = three_books()
    get(client, "/admin/book/?genre__empty=1&sort=-title")
    form = edit_page(client, first).one("form", id="form")
    closed = client.post(form["action"], data=form.fields(pages="12", _then="close"))
    assert closed.location == "/admin/book/?genre__empty=1&sort=-title"
    again = edit_page(client, first).one("form", id="form")
    assert client.post(form["action"], data=again.fields(pages="13", _then="new")).location == "/admin/book/new/"


# --- rights -----------------------------------------------------------------------------------------------------------


def test_a_reader_sees_no_buttons_and_is_refused_at_every_address(library: str) -> None:
    first, *_rest = three_books()
    token = marked(library_client(), first)
    reader = client_of("library.read")
    before = photograph()
    page = get(reader, "/admin/book/")
    assert page.keys != []
    assert [button.text for button in page.one("span", "strip-actions").all("button")] == ["Merkliste"]
    assert "Neu: Buch" not in page.links()
    form = get(reader, f"/admin/book/edit/?id={first}")
    assert form.all("button", data_save="") == []
    assert form.one("input", name="title").attributes.get("readonly") is not None
    for method, address, data in (
        ("get", "/admin/book/new/", {}),
        ("post", "/admin/book/new/", {"isbn": "X", "title": "Y", "_panel": "main"}),
        ("post", f"/admin/book/edit/?id={first}", {"title": "Y", "_panel": "main"}),
        ("get", f"/admin/book/action/change_settings?selection={token}", {}),
        (
            "post",
            "/admin/book/action/change_settings",
            {"token": token, "change": "pages", "pages": "1", "_do": "apply"},
        ),
        ("post", "/admin/book/action/delete", {"token": token, "_do": "delete"}),
        ("post", "/admin/book/action/copy", {"token": token, "_do": "copy", "isbn": "X"}),
        ("get", f"/admin/book/edit/?id={first}&tab=history", {}),
        ("post", "/admin/operations/undo?id=1", {}),
    ):
        answer = getattr(reader, method)(address, data=data) if method == "post" else reader.get(address)
        assert answer.status_code == 403, address
        assert "Ihnen fehlt das Recht" in answer.get_data(as_text=True)
    assert photograph() == before


def test_whoever_may_not_read_sees_neither_pages_nor_names(library: str) -> None:
    three_books()
    stranger = client_of("value.read")
    for address in ("", "edit/?id=1", "lookup?q=a", "new/", "step?id=1&to=next", "fields", "action/copy?id=1"):
        answer = stranger.get(f"/admin/book/{address}")
        assert answer.status_code == 403, address
        assert "Hoffnung" not in answer.get_data(as_text=True)
    page = get(stranger, "/admin/")
    assert "Bücher" not in [link.text for link in page.one("nav", css="side").all("a")]

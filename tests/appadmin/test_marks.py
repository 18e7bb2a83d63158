"""What is marked in a list: by tick, as "all that match", by pasted numbers; and what becomes of it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_appadmin.database import fixed_clock, utcnow
from flask_appadmin.errors import NotAllowed
from flask_appadmin.filters import Filter
from flask_appadmin.labels import LabelFormat, factory_formats
from flask_appadmin.naming import find_named, read_names
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.selections import Selection, StoredSelection, TooManyTicks
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Author, Book
from tests.appadmin.test_changes import photograph
from tests.appadmin.test_pages import make, many_books, mark, marked, three_books
from tests.appadmin.webapp import library_client
from tests.reader import Page, get, send

WEBER = system_operator("Frau Weber")


@pytest.fixture
def client(library: str) -> FlaskClient:
    return library_client()


def strip_of(page: Page) -> str:
    return page.one("span", "marked-text").text


def refused(client: FlaskClient, status: int, **posted: Any) -> str:
    """The sentence with which a request for marks is refused."""
    answer = client.post("/admin/book/selection", json=posted, headers={"Accept": "application/json"})
    assert answer.status_code == status, answer.get_data(as_text=True)
    return str(answer.get_json()["error"])


# --- all that match ---------------------------------------------------------------------------------------------------


@pytest.mark.req("SC-11", partly=True)
def test_another_filter_drops_all_that_match_and_says_so(client: FlaskClient) -> None:
    three_books()
    token = mark(client, all=True, query="?genre=poem")["token"]
    shown = get(client, f"/admin/book/?genre=poem&selection={token}")
    assert (strip_of(shown), shown.all("p", "strip-note")) == ("1 markiert", [])
    other = get(client, f"/admin/book/?genre=novel&selection={token}")
    assert strip_of(other) == "nichts markiert"
    note = other.one("p", "strip-note")
    assert (
        note.text
        == "Die Markierung aller Treffer galt für: Gattung ist Gedicht; sie wurde aufgehoben. wieder herstellen"
    )
    assert "selection" not in other.link("Titel")
    back = get(client, note.one("a")["href"])
    assert (strip_of(back), back.all("p", "strip-note")) == ("1 markiert", [])


def test_sorting_and_paging_keep_all_that_match(client: FlaskClient) -> None:
    make(**{f"B{number:02}": {"genre": "novel"} for number in range(30)})
    token = mark(client, all=True, query="?genre=novel&size=25")["token"]
    page = get(client, f"/admin/book/?genre=novel&size=25&selection={token}")
    assert strip_of(page) == "30 markiert, 5 nicht sichtbar"
    for address in (page.link("weiter ›"), page.link("Ende »"), page.link("Titel")):
        there = get(client, address)
        assert strip_of(there).startswith("30 markiert")
        assert all(row.has_class("on") for row in there.all("tr")[1:])
        assert there.all("p", "strip-note") == []


def test_ticks_outlive_the_filter_and_all_that_match(client: FlaskClient) -> None:
    first, second, third = three_books()
    token = marked(client, first, second)
    answer = mark(client, token=token, all=True, query="?genre=poem")
    assert (answer["count"], answer["outside"]) == (2, 1)
    row = StoredSelection.get()
    assert (row.everything, row.keys, row.without) == (True, [first], [])
    page = get(client, f"/admin/book/?genre=novel&selection={token}")
    assert strip_of(page) == "1 markiert, 1 nicht sichtbar"
    other = page.one("input", name="token")["value"]
    assert other != token, "what was dropped is still there for the way back"
    assert mark(client, token=other, add=[third], query="?genre=novel")["count"] == 2
    assert strip_of(get(client, f"/admin/book/?genre=poem&selection={token}")) == "2 markiert, 1 nicht sichtbar"


def test_a_page_that_shows_another_filter_ticks_without_all_that_match(client: FlaskClient) -> None:
    """Two windows: in one everything was marked, in the other one ticks a row of another filter."""
    _first, second, third = three_books()
    token = mark(client, all=True, query="?genre=poem")["token"]
    other = mark(client, token=token, add=[third], query="?genre=novel")
    assert (other["count"], other["all"], other["outside"]) == (1, False, 0)
    rows = {row.token: (row.everything, row.keys) for row in StoredSelection.select()}
    assert rows == {token: (True, []), other["token"]: (False, [third])}, "what the first window marked stays there"
    assert second not in rows[other["token"]][1]


def test_the_list_of_marked_rows_keeps_all_that_match_while_one_sorts_it(client: FlaskClient) -> None:
    _first, second, _third = three_books()
    token = mark(client, all=True, query="?genre=poem")["token"]
    page = get(client, f"/admin/book/?genre=poem&selection={token}")
    shown = get(client, page.link("anzeigen"))
    assert (shown.keys, shown.chips) == ([second], ["nur markierte"])
    again = get(client, shown.link("Titel"))
    assert (again.keys, again.chips, again.all("p", "strip-note")) == ([second], ["nur markierte"], [])
    back = get(client, again.one("span", "chip").one("a", "x")["href"])
    assert (back.keys, strip_of(back)) == ([second], "1 markiert")
    # While cells are edited the strip makes room, and what is marked is told all the same.
    assert (
        get(client, page.link("In der Liste bearbeiten")).one("div", "edit-bar").one("span", "tag").text == "1 markiert"
    )
    assert not get(client, "/admin/book/?edit=1").one("div", "edit-bar").all("span", "tag")
    query = f"?only=marked&view=all&selection={token}"
    assert refused(client, 400, token=token, all=True, query=query) == "Diese Liste zeigt nur, was schon markiert ist."


def test_a_long_address_is_the_way_back_too(client: FlaskClient) -> None:
    """Five hundred characters are no limit: what does not fit into the session is kept in the database."""
    first, _second, _third = three_books()
    pages = "&".join(f"pages__not={number}" for number in range(1, 120))
    long, longer = f"/admin/book/?{pages}&sort=-title", f"/admin/book/?{pages}&pages__not=777&sort=title"
    assert len(long) > 1_500
    for address in (long, longer, "/admin/book/?sort=title", long):
        get(client, address)
        form = get(client, f"/admin/book/edit/?id={first}")
        assert form.one("a", "back")["href"] == address
    other = library_client()
    get(other, longer)
    assert get(other, f"/admin/book/edit/?id={first}").one("a", "back")["href"] == longer
    back = get(client, f"/admin/book/edit/?id={first}").one("a", "back")["href"]
    assert back == "/admin/book/", "another browser of the same operator has been elsewhere: no wrong place"
    assert len(client.get_cookie("session").value) < 1_000


def test_a_tally_stops_at_its_cap(library: str) -> None:
    three_books()
    selection = Selection.of_filter(Filter(spec_of(Book)), WEBER)
    assert (selection.tally(2), selection.tally(3), selection.count()) == ((2, True), (3, False), 3)


# --- requests that are refused ----------------------------------------------------------------------------------------


def test_rows_out_of_reach_are_refused_as_a_whole(client: FlaskClient) -> None:
    """Trust 80 and 83: an id that is not there, of another table, twice, or no number."""
    first, second, _third = three_books()
    token = marked(client, second)
    sentence = refused(client, 400, token=token, add=[first, 999_999])
    assert sentence.startswith("Buch „999999“ ist nicht vorhanden, gelöscht oder für Sie nicht sichtbar.")
    assert "Es wurde nichts markiert." in sentence
    for keys in ([first, first], ["abc"], [f"{first} "], [str(first), first]):
        assert refused(client, 400, token=token, add=keys) == "Die Markierung war nicht lesbar."
    assert refused(client, 400, token=token, add=[first], remove=[first]) == "Die Markierung war nicht lesbar."
    assert StoredSelection.get().keys == [second]


def test_more_keys_than_a_selection_takes_are_too_large(client: FlaskClient) -> None:
    """Trust 81: whoever wants so many marks all that match."""
    three_books()
    assert refused(client, 413, add=list(range(1, 10_002))).startswith(
        "Einzeln lassen sich höchstens 10.000 Zeilen markieren."
    )
    body = client.post("/admin/book/selection", json={"add": list(range(1_000_000))})
    assert body.status_code == 413
    selection = Selection.of_keys(spec_of(Book), WEBER, range(10_000))
    with pytest.raises(TooManyTicks):
        selection.ticked(add=[10_001])


@pytest.mark.parametrize("token", ["fremd", "%00", "x" * 500])
def test_a_forged_token_is_refused_everywhere(client: FlaskClient, token: str) -> None:
    """Trust 82."""
    three_books()
    for action in ("change_settings", "export_sheet", "print_labels", "copy", "delete"):
        assert client.get(f"/admin/book/action/{action}?selection={token}").status_code == 400
        assert client.post(f"/admin/book/action/{action}", data={"token": token}).status_code == 400
    assert "gibt es nicht mehr" in refused(client, 400, token=token, add=[1])


def test_old_selections_are_forgotten(client: FlaskClient) -> None:
    first, *_rest = three_books()
    with fixed_clock(utcnow() - datetime.timedelta(days=31)):
        old = marked(client, first)
    recent = marked(client, first)
    assert [row.token for row in StoredSelection.select()] == [recent]
    assert refused(client, 400, token=old, add=[first]).startswith("Diese Markierung gibt es nicht mehr.")


# --- every action says how many, and looks again ----------------------------------------------------------------------


@pytest.mark.parametrize("action", ["change_settings", "export_sheet", "print_labels", "delete", "copy", "full_copy"])
def test_every_action_refuses_when_nothing_is_marked(client: FlaskClient, action: str) -> None:
    three_books()
    before = photograph()
    for data in ({"action": action, "token": ""}, {"action": action, "token": mark(client, clear=True)["token"]}):
        page = send(client, "/admin/book/action/", data)
        assert "Bitte markieren Sie mindestens eine Zeile." in page.text
    assert photograph() == before


def test_an_action_says_when_more_match_than_the_list_showed(client: FlaskClient) -> None:
    three_books()
    token = mark(client, all=True, query="?price=5")["token"]
    make(D1={"price": "5"})
    page = send(client, "/admin/book/action/", {"action": "change_settings", "token": token, "shown": "2"})
    assert "3 Bücher: Preis ist 5,00 · in der Liste standen noch 2" in page.text


def test_a_deletion_of_rows_that_changed_meanwhile_stops(client: FlaskClient) -> None:
    """Trust 79: one row left the filter, another one came; their number is the same."""
    _first, second, third = three_books()
    token = mark(client, all=True, query="?genre=poem")["token"]
    form = get(client, f"/admin/book/action/delete?selection={token}").one("form", css="stack")
    Book.update(genre=None).where(Book.id == second).execute()
    Book.update(genre="poem").where(Book.id == third).execute()
    stopped = send(client, form["action"], form.fields())
    assert "Es sind noch 1 Buch, aber nicht mehr dieselben." in stopped.text
    assert Book.select().count() == 3
    make(D1={"genre": "poem"})
    again = send(client, form["action"], stopped.one("form", css="stack").fields())
    assert "Angezeigt waren 1 Buch, jetzt sind es 2. Es wurde nichts getan." in again.text
    done = send(client, form["action"], again.one("form", css="stack").fields())
    assert (done.toast, [book.isbn for book in Book.select()]) == ("2 Bücher gelöscht.", ["A1", "A2"])


def test_more_than_a_thousand_are_not_deleted_in_part(client: FlaskClient) -> None:
    make(**{f"N{number:04}": {} for number in range(1_001)})
    token = mark(client, all=True, query="")["token"]
    page = client.get(f"/admin/book/action/delete?selection={token}")
    assert page.status_code == 400
    assert "Auf einmal lassen sich höchstens 1.000 löschen; markiert sind 1.001 Bücher." in page.get_data(as_text=True)


@pytest.mark.parametrize("action", ["export_sheet", "print_labels"])
def test_a_document_of_other_rows_than_shown_is_not_made(client: FlaskClient, action: str) -> None:
    three_books()
    token = mark(client, all=True, query="?genre=poem")["token"]
    if action == "print_labels":
        LabelFormat.insert(factory_formats()[1]).execute()
    page = get(client, f"/admin/book/action/{action}?selection={token}")
    form = next(form for form in page.all("form") if form.get("action", "").endswith(action))
    make(D1={"genre": "poem"})
    answer = client.post(form["action"], data=form.fields())
    assert answer.status_code == 409
    assert "Angezeigt waren 1 Buch, jetzt sind es 2." in answer.get_data(as_text=True)


def test_a_page_about_very_many_is_there_before_they_are_counted(client: FlaskClient) -> None:
    """It says "more than", asks for the number while it is read, and acts only on rows it has named."""
    many_books(10_050)
    LabelFormat.insert(factory_formats()[1]).execute()
    asked = {"X-Fragment": "count"}
    for action, words, done in (
        ("export_sheet", "mehr als 10.000 Bücher exportieren", 302),
        ("print_labels", "Etiketten für mehr als 10.000 Bücher", 200),
        ("worklist", "mehr als 10.000 Bücher aufnehmen", 302),
    ):
        page = get(client, f"/admin/book/action/{action}?query=title__contains=Band")
        assert words in page.text and "mehr als 10.000 Bücher: Titel enthält „Band“" in page.text
        form = next(form for form in page.all("form", method="post") if "_state" in form.fields())
        typed: dict[str, Any] = {"name": "Alle"} if action == "worklist" else {}
        send_it = {"_do": "add" if action == "worklist" else "print", **typed}
        assert form.fields()["_state"] == ""
        early = send(client, form["action"], form.fields(**send_it))
        assert early.status == 409, action
        assert "Gezählt sind jetzt 10.050 Bücher. Es wurde nichts getan." in early.text
        (script,) = [each for each in page.all("script") if each.get("data-count-url")]
        counted = client.get(script["data-count-url"], headers=asked).get_json()
        assert counted["what"] == "10.050 Bücher" and counted["text"] == "10.050 Bücher: Titel enthält „Band“"
        in_place = [place.get("data-counted") for place in page.walk() if place.get("data-counted")]
        assert any("{what}" in text for text in in_place) and "{text}" in in_place
        again = next(form for form in early.all("form", method="post") if "_state" in form.fields())
        assert again.fields()["_state"] == counted["state"]
        if action != "print_labels":
            answer = client.post(form["action"], data=form.fields(**send_it, _state=counted["state"]))
            assert answer.status_code == done, action
    few = get(client, "/admin/book/action/export_sheet?query=pages=3")
    assert not [each for each in few.all("script") if each.get("data-count-url")]
    assert any(form.fields().get("_state", "").startswith("1436.") for form in few.all("form"))
    for action in ("delete", "copy"):
        refused_page = client.get(f"/admin/book/action/{action}?query=title__contains=Band")
        assert refused_page.status_code == 400


def test_nothing_is_changed_without_the_plan_that_was_shown(client: FlaskClient) -> None:
    first, *_rest = three_books()
    before = photograph()
    data = {"token": marked(client, first), "_do": "apply", "change": ["pages"], "pages": "300"}
    page = send(client, "/admin/book/action/change_settings", data)
    assert "1 Buch wird geändert." in page.text
    assert photograph() == before


def test_planned_is_changed_plus_unchanged_plus_refused(client: FlaskClient) -> None:
    first, second, third = three_books()
    Book.update(pages=300).where(Book.id == second).execute()
    page = get(client, f"/admin/book/action/change_settings?selection={marked(client, first, second, third)}")
    form = page.one("form", id="bulk")
    fields = form.fields(change=["pages"], pages="300")
    preview = send(client, form["action"], fields)
    fields = preview.one("form", id="bulk").fields(change=["pages"], pages="300", _do="apply")
    assert send(client, form["action"], fields).toast == "2 Bücher geändert, 1 hatte die Werte schon."


def test_marked_rows_that_vanished_are_named_before_an_action(client: FlaskClient) -> None:
    first, second, _third = three_books()
    token = marked(client, first, second)
    Book.delete().where(Book.id == second).execute()
    page = get(client, f"/admin/book/action/change_settings?selection={token}")
    assert "1 markierte Zeile ist inzwischen gelöscht oder für Sie nicht mehr sichtbar." in page.text


# --- pasted numbers ---------------------------------------------------------------------------------------------------


def test_pasted_numbers_mark_their_records_and_name_the_rest(client: FlaskClient) -> None:
    first, second, third = three_books()
    token = marked(client, first)
    answer = client.post(
        "/admin/book/selection/numbers",
        json={"token": token, "query": "?genre=poem", "text": "A2; A3\nX9\tA2, \r\n A1 Z7"},
    ).get_json()
    assert answer == {
        "token": token,
        "count": 3,
        "capped": False,
        "all": False,
        "outside": 2,
        "found": 3,
        "keys": [str(second), str(third), str(first)],
        "missing": ["X9", "Z7"],
        "ambiguous": [],
    }


def test_pasted_nothing_and_too_much_are_refused(client: FlaskClient) -> None:
    three_books()
    for text, sentence in (
        (" ;\n", "Bitte fügen Sie mindestens eine Nummer ein."),
        ("\n".join(map(str, range(10_001))), "Das sind zu viele auf einmal; möglich sind 10.000."),
    ):
        answer = client.post(
            "/admin/book/selection/numbers", json={"text": text}, headers={"Accept": "application/json"}
        )
        assert (answer.status_code, answer.get_json()["error"]) == (400, sentence)


def test_names_with_blanks_are_whole_before_they_are_parts(library: str) -> None:
    for name in ("Anna Seghers", "Heine", "Nelly Sachs"):
        Author.create(name=name)
    named = find_named(spec_of(Author), WEBER, read_names("Anna Seghers\nHeine Sachs"))
    assert ([Author.get_by_id(key).name for key in named.keys], named.missing) == (["Anna Seghers", "Heine"], ["Sachs"])


def test_numbers_are_found_only_among_visible_rows(library: str) -> None:
    three_books()
    with pytest.raises(NotAllowed):
        find_named(spec_of(Book), Operator(None, "Gast", frozenset()), ["A1"])

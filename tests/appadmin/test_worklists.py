"""Merklisten: records kept under a name, shared, ticked off; in lists, actions and `--query` like any other filter."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from playhouse.test_utils import count_queries

from flask_appadmin.errors import FieldError, FilterError
from flask_appadmin.filters import Filter
from flask_appadmin.rights import Operator, Role, User, system_operator
from flask_appadmin.selections import Selection
from flask_appadmin.specs import spec_of
from flask_appadmin.worklists import (
    Contents,
    Worklist,
    WorklistEntry,
    WorklistFault,
    add_to_worklist,
    contents_of,
    find_worklist,
    make_worklist,
    rename_worklist,
    share_worklist,
    take_from_worklist,
    tick_off,
    worklists_of,
)
from tests.appadmin.library import Book
from tests.appadmin.test_pages import make, mark, marked, three_books
from tests.appadmin.webapp import library_client
from tests.reader import Page, get, read, send

WEBER = system_operator("Frau Weber")


@pytest.fixture
def client(library: str) -> FlaskClient:
    return library_client()


def keep(client: FlaskClient, token: str, what: str, **values: str) -> Page:
    page = get(client, f"/admin/book/action/worklist?selection={token}")
    form = page.one("form", id="worklist")
    return send(client, form["action"], form.fields(_do=what, **values))


def reader(name: str) -> Operator:
    role, _made = Role.get_or_create(name="Lesen", defaults={"permissions": ["library.read"]})
    user = User.create(username=name, password="x", role=role, fs_uniquifier=name)
    return Operator(user.id, name, frozenset({"library.read"}))


# --- the journey ------------------------------------------------------------------------------------------------------


def test_marked_rows_are_collected_under_a_name(client: FlaskClient) -> None:
    first, second, third = three_books()
    get(client, "/admin/book/?sort=isbn")
    token = marked(client, first, second)
    done = keep(client, token, "add", name="Tour  Süd")
    assert done.toast == "2 Bücher auf „Tour Süd“."
    assert done.one("span", "marked-text").text == "2 markiert", "collecting keeps the marks"
    worklist = Worklist.get()
    shown = get(client, f"/admin/book/?worklist={worklist.id}")
    assert (shown.keys, shown.chips) == ([first, second], ["Merkliste „Tour Süd“"])
    again = keep(client, marked(client, second, third), "add", worklist=str(worklist.id))
    assert again.toast == "1 Buch auf „Tour Süd“, 1 standen schon da."
    ticked_off = keep(client, marked(client, first), "done", worklist=str(worklist.id))
    assert ticked_off.toast == "1 Buch auf „Tour Süd“ erledigt."
    assert get(client, f"/admin/book/?worklist__open={worklist.id}").keys == [second, third]
    ticked = get(client, f"/admin/book/?worklist__done={worklist.id}")
    assert (ticked.keys, ticked.chips) == ([first], ["Merkliste „Tour Süd“, erledigt"])
    entry = WorklistEntry.get(WorklistEntry.record_id == first)
    assert (entry.done_by, entry.done_at is not None) == ("Frau Weber", True)
    keep(client, marked(client, first), "open", worklist=str(worklist.id))
    assert get(client, f"/admin/book/?worklist__done={worklist.id}").keys == []
    gone = keep(client, marked(client, first, third), "take", worklist=str(worklist.id))
    assert gone.toast == "2 Bücher von „Tour Süd“ genommen."
    assert get(client, f"/admin/book/?worklist={worklist.id}").keys == [second]


def test_all_lists_stand_on_one_page_with_their_counts(client: FlaskClient) -> None:
    first, second, _third = three_books()
    assert "Noch keine Merkliste" in get(client, "/admin/worklists/").text
    keep(client, marked(client, first, second), "add", name="Tour Süd")
    worklist = Worklist.get()
    keep(client, marked(client, first), "done", worklist=str(worklist.id))
    page = get(client, "/admin/worklists/")
    assert [cell.text for cell in page.one("table").all("td")][:5] == ["Tour Süd", "Bücher", "2", "1", "1"]
    everything = read(client.get(page.link("alle markieren"), follow_redirects=True))
    assert (everything.keys, everything.one("span", "marked-text").text) == ([first, second], "2 markiert")
    send(client, "/admin/worklists/change", {"id": str(worklist.id), "do": "rename", "name": "Tour Nord"})
    send(client, "/admin/worklists/change", {"id": str(worklist.id), "do": "share"})
    assert get(client, "/admin/worklists/").one("table").all("td")[0].text == "Tour Nord für alle"
    send(client, "/admin/worklists/change", {"id": str(worklist.id), "do": "delete"})
    assert (Worklist.select().count(), WorklistEntry.select().count(), Book.select().count()) == (0, 0, 3)


def test_a_list_can_be_acted_on_like_any_filter(client: FlaskClient) -> None:
    first, second, _third = three_books()
    keep(client, marked(client, first, second), "add", name="Tour Süd")
    query = f"worklist={Worklist.get().id}"
    token = mark(client, all=True, query=f"?{query}")["token"]
    page = get(client, f"/admin/book/action/change_settings?selection={token}")
    assert "2 Bücher: Merkliste „Tour Süd“" in page.text
    by_name = Filter.from_text(spec_of(Book), "worklist=Tour Süd", WEBER)
    assert Selection.of_filter(by_name, WEBER).key_list() == [first, second]


def test_what_cannot_be_done_is_said(client: FlaskClient) -> None:
    first, *_rest = three_books()
    token = marked(client, first)
    keep(client, token, "add", name="Tour Süd")
    for values, sentence in (
        ({"_do": "add"}, "Bitte wählen Sie eine Merkliste, oder geben Sie einer neuen einen Namen."),
        ({"_do": "add", "name": "Tour Süd"}, "Name: „Tour Süd“ heißt schon eine Ihrer Merklisten."),
        ({"_do": "take", "worklist": "99"}, "Diese Merkliste gibt es nicht, oder sie ist nicht für Sie freigegeben."),
        ({"_do": "fly", "worklist": "1"}, "Die Anfrage war nicht zu verstehen."),
    ):
        answer = client.post("/admin/book/action/worklist", data={"token": token, **values})
        assert (answer.status_code, sentence in answer.get_data(as_text=True)) == (422, True), values
    for query in ("worklist=99", "worklist=", "worklist__rot=1", "worklist=1&worklist=2", "worklist=%00"):
        assert client.get(f"/admin/book/?{query}").status_code == 400, query
    for data in ({"id": "99", "do": "delete"}, {"id": "x"}):
        assert client.post("/admin/worklists/change", data=data).status_code == 404
    assert client.post("/admin/worklists/change", data={"id": "1", "do": "fly"}).status_code == 400


# --- whose lists ------------------------------------------------------------------------------------------------------


def test_lists_are_private_until_they_are_shared(library: str) -> None:
    first, second, _third = three_books()
    spec = spec_of(Book)
    weber, berger = reader("weber"), reader("berger")
    worklist = make_worklist(spec, weber, "Tour Süd")
    add_to_worklist(worklist, Selection.of_keys(spec, weber, [first, second]))
    assert [each.name for each in worklists_of(weber, spec)] == ["Tour Süd"]
    assert worklists_of(berger, spec) == []
    with pytest.raises(FilterError):
        Filter.from_text(spec, f"worklist={worklist.id}", berger)
    with pytest.raises(WorklistFault):
        find_worklist(spec, berger, "Tour Süd")
    make_worklist(spec, berger, "Tour Süd")
    share_worklist(worklist, weber, True)
    shared = find_worklist(spec, berger, str(worklist.id))
    assert tick_off(shared, Selection.of_keys(spec, berger, [first]), True) == 1
    assert WorklistEntry.get(WorklistEntry.record_id == first).done_by == "berger"
    for change in (lambda: rename_worklist(shared, berger, "Meine"), lambda: share_worklist(shared, berger, False)):
        with pytest.raises(WorklistFault):
            change()
    with pytest.raises(FieldError):
        make_worklist(spec, weber, "x" * 61)


def test_deleted_records_no_longer_count(library: str) -> None:
    first, second, _third = three_books()
    spec = spec_of(Book)
    worklist = make_worklist(spec, WEBER, "Tour")
    add_to_worklist(worklist, Selection.of_keys(spec, WEBER, [first, second]))
    tick_off(worklist, Selection.of_keys(spec, WEBER, [second]), True)
    assert contents_of(spec, WEBER, [worklist]) == {worklist.id: Contents(2, 1)}
    Book.delete().where(Book.id == second).execute()
    assert contents_of(spec, WEBER, [worklist]) == {worklist.id: Contents(1, 0)}


def test_all_that_match_go_on_a_list_in_one_statement(library: str) -> None:
    make(**{f"N{number:03}": {"genre": "novel"} for number in range(300)})
    spec = spec_of(Book)
    worklist = make_worklist(spec, WEBER, "alle")
    everything = Selection.of_filter(Filter.from_text(spec, "genre=novel", WEBER), WEBER)
    with count_queries() as asked:
        assert add_to_worklist(worklist, everything) == 300
    assert asked.count <= 5, "begin, count, insert … select, count, commit"
    assert take_from_worklist(worklist, everything) == 300

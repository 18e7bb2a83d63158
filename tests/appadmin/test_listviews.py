"""Saved views and columns of a list: what is kept, for whom, and what a view shows to those who may see less."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from flask_appadmin.changes import ChangeSet
from flask_appadmin.listviews import ListArrangement, ListView
from flask_appadmin.rights import Operator, Role, User, operator_of, register_scope, system_operator
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Book
from tests.appadmin.test_pages import three_books
from tests.appadmin.webapp import library_client
from tests.conftest import PASSWORD
from tests.reader import Page, get, read, send

#: What everybody in this library may do.
READER = ("library.read", "library.edit", "export.run")


@pytest.fixture(autouse=True)
def books(library: str) -> list[int]:
    return three_books()


def make_operator(name: str, group: str, *rights: str) -> Operator:
    """An operator with an account, in a work group of its own or in one that is there."""
    change = ChangeSet("setup")
    role = Role.get_or_none(Role.name == group)
    made = role.id if role is not None else change.create(Role, {"name": group, "permissions": [*READER, *rights]})
    user = change.create(User, {"username": name, "full_name": name, "password": PASSWORD, "role": made})
    change.apply(system_operator("Test"))
    return operator_of(User.get_by_id(user.key))


def sign_in(operator: Operator) -> FlaskClient:
    return library_client(operator)


@pytest.fixture
def weber() -> Operator:
    return make_operator("Weber", "Leitung", "view.share", "library.create")


@pytest.fixture
def berger() -> Operator:
    return make_operator("Berger", "Ausleihe")


@pytest.fixture
def client(weber: Operator) -> FlaskClient:
    return sign_in(weber)


def arrange(client: FlaskClient, action: str, query: str = "", **fields: Any) -> Page:
    """Sends one form of the menu or of a panel, from the list with this query, and follows."""
    answer = client.post("/admin/book/arrange", data={"action": action, "query": query, **fields})
    if answer.status_code == 302:
        return get(client, answer.location)
    return read(answer)


def save(client: FlaskClient, name: str, query: str = "", **fields: Any) -> ListView:
    """„Speichern unter“; answers the view that came of it."""
    page = arrange(client, "create", query, name=name, **fields)
    assert page.status == 200, page.text
    return ListView.select().where(ListView.name == name).order_by(ListView.id.desc()).get()


def url(view: ListView, **more: str) -> str:
    return f"/admin/book/?{urlencode({'view': view.id, **more})}"


def menu(page: Page) -> list[str]:
    """What the menu of views offers."""
    box = page.one("details", css="view-menu")
    return [node.text for node in box.walk() if node.tag in ("a", "button")]


def is_changed(page: Page) -> bool:
    form = page.one("form", css="view-bar")
    return any(tag.text == "geändert" for tag in form.all("span", css="tag"))


def view_name(page: Page) -> str:
    return page.one("details", css="view-menu").one("summary").text


def notices(page: Page) -> list[str]:
    return [box.text for box in page.all("div", css="notice")]


def panel_columns(page: Page) -> list[str]:
    """The columns in the order of the panel."""
    return [row["data-column"] for row in page.all("li") if "data-column" in row.attributes]


# --- a view is filter, columns, order, rows per page and height -------------------------------------------------------


def test_a_view_brings_back_filter_columns_order_and_heights(client: FlaskClient) -> None:
    arrange(client, "columns", column=["title", "pages", "isbn"], **{"width-title": "220"}, pin=["isbn"])
    arrange(client, "density", density="tight")
    view = save(client, "Preiswerte", "price__to=10&sort=-title&size=25")
    arrange(client, "reset")

    plain = get(client, "/admin/book/")
    assert (plain.columns, len(plain.rows)) == (["ISBN", "Titel", "Autor", "Preis", "Gattung"], 3)

    page = get(client, url(view))
    assert page.columns == ["ISBN", "Titel", "Seiten"], "pinned columns stand first"
    assert page.rows == [["A2", "Band zwei", ""], ["A3", "Band drei", ""]]
    assert page.chips == ["Preis bis 10,00"]
    assert page.one("table", id="list").has_class("tight")
    assert [head.get("class") for head in page.all("th") if head.get("data-name") == "isbn"] == ["pin"]
    assert [column.get("width") for column in page.all("col")] == ["38", "170", "220", "110"]
    assert (view_name(page), is_changed(page)) == ("Ansicht: Preiswerte", False)


def test_the_address_says_more_than_the_view(client: FlaskClient) -> None:
    view = save(client, "Gedichte", "genre=poem")
    assert get(client, url(view)).keys == get(client, "/admin/book/?genre=poem").keys

    page = get(client, url(view, genre="novel"))
    assert [row[0] for row in page.rows] == ["A3"], "the same field: the address holds"
    page = get(client, url(view, price__from="10"))
    assert page.rows == [], "another field: both hold"
    assert is_changed(page)
    assert page.chips == ["Gattung ist Gedicht", "Preis ab 10,00"]
    assert is_changed(get(client, url(view, sort="title")))
    assert is_changed(get(client, url(view, size="25")))
    assert not is_changed(get(client, url(view, size="50", genre="poem")))


def test_a_filter_of_the_view_can_be_taken_off(client: FlaskClient) -> None:
    view = save(client, "Gedichte", "genre=poem")
    page = get(client, url(view))
    chip = next(c for c in page.all("span", css="chip") if "Gattung" in c.text)
    page = get(client, chip.one("a", css="x")["href"])
    assert len(page.rows) == 3
    assert (is_changed(page), view_name(page)) == (True, "Ansicht: Gedichte")
    assert len(get(client, page.one("th", data_name="title").one("a")["href"]).rows) == 3, "links keep it off"


def test_the_filter_bar_sends_the_whole_filter(client: FlaskClient) -> None:
    view = save(client, "Band zwei", "search=zwei")
    form = get(client, url(view)).one("form", css="quick")
    pairs = form.fields(search=None)  # the browser leaves empty boxes out
    assert len(get(client, f"/admin/book/?{urlencode(list(pairs.items(multi=True)))}").rows) == 3


def test_saving_writes_what_is_seen_and_discarding_forgets_it(client: FlaskClient) -> None:
    view = save(client, "Gedichte", "genre=poem")
    query = f"view={view.id}&genre=novel&sort=-isbn"
    arrange(client, "columns", query, column=["isbn", "note"])
    page = get(client, f"/admin/book/?{query}")
    assert (page.columns, is_changed(page)) == (["ISBN", "Notiz"], True)

    page = arrange(client, "reset", query)
    assert (len(page.columns), is_changed(page), page.rows[0][0]) == (5, False, "A2")

    arrange(client, "columns", query, column=["isbn", "note"])
    page = arrange(client, "save", query)
    assert (page.columns, is_changed(page), page.rows) == (["ISBN", "Notiz"], False, [["A3", ""]])
    assert page.toast == "Ansicht „Gedichte“ gespeichert."
    assert (ListView.get().sort, ListArrangement.select().where(ListArrangement.view == view).count()) == ("-isbn", 0)


def test_marked_rows_and_stepping_follow_the_view(client: FlaskClient, books: list[int]) -> None:
    view = save(client, "Billig", "price__to=10&sort=-isbn")
    get(client, url(view))
    answer = client.post("/admin/book/selection", json={"all": True, "query": f"?view={view.id}"})
    assert answer.get_json()["count"] == 2
    form = get(client, f"/admin/book/edit/?id={books[2]}")
    assert "1 von 2" in form.text, "A3 stands before A2"
    assert form.one("a", css="back")["href"].startswith(f"/admin/book/?view={view.id}")


@pytest.mark.req("NE-04", partly=True)
def test_coming_back_from_a_record_the_filters_are_still_set(client: FlaskClient, books: list[int]) -> None:
    get(client, "/admin/book/?title__contains=band&genre=novel&sort=-title&columns=isbn,title")
    form = get(client, f"/admin/book/edit/?id={books[2]}")
    page = get(client, form.one("a", css="back")["href"])
    assert (page.columns, page.rows) == (["ISBN", "Titel"], [["A3", "Band drei"]])
    get(client, "/admin/author/")
    again = get(client, get(client, f"/admin/book/edit/?id={books[2]}").one("a", css="back")["href"])
    assert again.chips == page.chips == ["Titel enthält „band“", "Gattung ist Roman"]


@pytest.mark.parametrize(
    "query", ["view=999999", "view=99999999999999999999", "view=-1", "view=x", "view=1&view=2", "view=%00", "view="]
)
def test_a_view_that_is_not_there_is_said(client: FlaskClient, query: str) -> None:
    assert get(client, f"/admin/book/?{query}").status in (200, 400, 404)
    page = get(client, "/admin/book/?view=999999")
    assert (page.status, "Diese Ansicht gibt es nicht" in page.text) == (404, True)


# --- columns ----------------------------------------------------------------------------------------------------------


def test_an_address_names_columns_and_only_these_are_read(client: FlaskClient) -> None:
    page = get(client, "/admin/book/?columns=title,author,updated_at")
    assert page.columns == ["Titel", "Autor", "Geändert"]
    assert page.rows[0][:2] == ["Die größere Hoffnung", "Ilse Aichinger"]
    assert "columns=title%2Cauthor" in page.one("th", data_name="title").one("a")["href"]
    refused = get(client, "/admin/book/?columns=title,turnover")
    assert (refused.status, "„turnover“" in refused.text) == (400, True)


def test_the_last_arrangement_of_a_list_is_kept_and_can_be_reset(client: FlaskClient, weber: Operator) -> None:
    page = arrange(client, "columns", column=["note", "isbn"], **{"width-note": "9999", "width-isbn": "7"})
    assert page.columns == ["Notiz", "ISBN"]
    again = sign_in(weber)
    assert get(again, "/admin/book/").columns == ["Notiz", "ISBN"]
    assert [column.get("width") for column in get(again, "/admin/book/").all("col")] == ["38", "1200", "40"]
    assert arrange(again, "reset").columns == ["ISBN", "Titel", "Autor", "Preis", "Gattung"]


def test_widths_are_kept_for_each_operator_and_view(client: FlaskClient, berger: Operator) -> None:
    view = save(client, "Für alle", "", shared="all")
    sent = {"query": f"view={view.id}", "widths": {"title": 333, "isbn": "no", "nonsense": 5}}
    assert client.post("/admin/book/arrange", json=sent).status_code == 200
    page = get(client, url(view))
    assert [column.get("width") for column in page.all("col")][2] == "333"
    assert not is_changed(page), "how wide a column is, is everybody's own"
    assert not get(client, "/admin/book/").one("table", id="list").has_class("sized")
    assert not get(sign_in(berger), url(view)).one("table", id="list").has_class("sized")


def test_the_panel_offers_every_field_that_may_be_read(client: FlaskClient) -> None:
    answer = client.get("/admin/book/?arrange=columns", headers={"X-Fragment": "list_panel"})
    panel = read(answer)
    assert panel_columns(panel) == ["isbn", "title", "author", "price", "genre"]
    offered = {box["value"] for box in panel.all("input") if "data-field" in box.attributes}
    assert offered == {item.name for item in spec_of(Book).fields}
    page = get(client, "/admin/book/?arrange=columns")
    assert panel_columns(page) == panel_columns(panel), "without scripts the panel stands on the page"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"column": []}, "Bitte wählen Sie mindestens eine Spalte."),
        ({"column": ["isbn", "turnover"]}, "Spalte „turnover“: Diese Spalte gibt es hier nicht."),
    ],
)
def test_a_choice_of_columns_that_does_not_do_is_said_in_the_panel(
    client: FlaskClient, fields: dict[str, Any], sentence: str
) -> None:
    page = arrange(client, "columns", **fields)
    assert (page.status, page.faults) == (422, [sentence])
    assert get(client, "/admin/book/").columns == ["ISBN", "Titel", "Autor", "Preis", "Gattung"]


@pytest.mark.parametrize(
    "sent", [{"widths": []}, {"widths": {"isbn": {}}}, [], {"query": "view=77", "widths": {}}, {"query": 7}]
)
def test_nonsense_about_widths_is_refused(client: FlaskClient, sent: Any) -> None:
    assert client.post("/admin/book/arrange", json=sent).status_code in (200, 400, 404)
    assert client.post("/admin/book/arrange", data={"action": "explode"}).status_code == 400
    assert client.post("/admin/book/arrange", data={"density": "huge"}).status_code == 400


# --- for whom ---------------------------------------------------------------------------------------------------------


def test_views_are_private_for_a_group_or_for_all(client: FlaskClient, weber: Operator, berger: Operator) -> None:
    group = Role.get(Role.name == "Ausleihe").id
    private = save(client, "Meine", "genre=poem")
    shared = save(client, "Gruppe", "genre=novel", shared=f"role:{group}")
    open_to_all = save(client, "Alle", "price__to=10", shared="all")
    other = sign_in(berger)
    third = sign_in(make_operator("Kern", "Revision"))

    assert get(other, url(private)).status == 404
    assert get(other, url(shared)).rows == get(client, url(shared)).rows
    assert get(third, url(shared)).status == 404
    offered = menu(get(third, "/admin/book/"))
    assert ("Alle alle" in offered, any("Gruppe" in entry for entry in offered)) == (True, False)

    for action in ("save", "rename", "delete", "start_all"):
        refused = arrange(other, action, f"view={open_to_all.id}", name="Gekapert")
        assert refused.status == 403, action
    assert arrange(other, "delete", f"view={private.id}").status == 404
    assert arrange(other, "create", name="Für alle", shared="all").status == 403
    assert "Ansicht speichern" not in menu(get(other, url(open_to_all)))
    assert sorted(view.name for view in ListView.select()) == ["Alle", "Gruppe", "Meine"]


def test_a_list_opens_with_the_default_of_the_operator_or_of_the_group(client: FlaskClient, berger: Operator) -> None:
    group = Role.get(Role.name == "Ausleihe").id
    for_all = save(client, "Alle", "price__to=10", shared="all")
    for_group = save(client, "Gruppe", "genre=novel", shared=f"role:{group}")
    other = sign_in(berger)
    assert len(get(other, "/admin/book/").rows) == 3

    arrange(client, "start_all", f"view={for_all.id}")
    assert other.get("/admin/book/").location == f"/admin/book/?view={for_all.id}"
    arrange(client, "start_all", f"view={for_group.id}")
    assert other.get("/admin/book/").status_code in (302,)
    assert other.get("/admin/book/").location == f"/admin/book/?view={for_group.id}"
    own = save(other, "Eigene", "genre=poem", start="1")
    assert other.get("/admin/book/").location == f"/admin/book/?view={own.id}"

    # A question of its own is not narrowed by a default, and the list without a view stays within reach.
    assert len(get(other, "/admin/book/?search=band").rows) == 2
    page = get(other, "/admin/book/?view=none")
    assert len(page.rows) == 3
    sorted_page = get(other, page.one("th", data_name="title").one("a")["href"])
    assert (len(sorted_page.rows), view_name(sorted_page)) == (3, "Ansicht: Standard")

    arrange(other, "no_start", f"view={own.id}")
    assert other.get("/admin/book/").location == f"/admin/book/?view={for_group.id}"
    arrange(client, "no_start_all", f"view={for_group.id}")
    arrange(client, "delete", f"view={for_all.id}")
    assert other.get("/admin/book/").status_code == 200


def test_renaming_and_sharing(client: FlaskClient, berger: Operator) -> None:
    view = save(client, "Billig", "price__to=10")
    page = arrange(client, "rename", f"view={view.id}", name="  Sehr   billig ", shared="all")
    assert view_name(page) == "Ansicht: Sehr billig"
    assert len(get(sign_in(berger), url(view)).rows) == 2
    save(client, "Teuer")
    for name in ("", "   ", "teuer", "x" * 61):
        refused = arrange(client, "rename", f"view={view.id}", name=name, shared="all")
        assert (refused.status, len(refused.faults)) == (422, 1), name
    refused = arrange(client, "create", name="Neu", shared="role:999999")
    assert refused.faults == ["Diese Arbeitsgruppe gibt es nicht."]
    assert arrange(client, "start_all", f"view={ListView.get(name='Teuer').id}").status == 400


def test_a_shared_view_outlives_its_maker(client: FlaskClient, weber: Operator, berger: Operator) -> None:
    view = save(client, "Alle", "price__to=10", shared="all")
    User.delete().where(User.id == weber.user_id).execute()
    assert len(get(sign_in(berger), url(view)).rows) == 2


# --- what a view shows to those who may see less ----------------------------------------------------------------------


@pytest.fixture
def protected_price(monkeypatch: pytest.MonkeyPatch) -> None:
    """The price belongs to a group of fields with rights of its own."""
    spec = spec_of(Book)
    closed = dataclasses.replace(spec.field("price"), right="credit")
    fields = tuple(closed if item.name == "price" else item for item in spec.fields)
    for name, value in (("fields", fields), ("by_name", {item.name: item for item in fields})):
        monkeypatch.setitem(spec.__dict__, name, value)


def test_a_missing_column_is_named_and_the_rest_is_shown(client: FlaskClient) -> None:
    view = save(client, "Alte Spalten", "genre=novel")
    gone = [{"name": "shelf", "label": "Regal"}, {"name": "isbn"}, {"name": "title", "width": "x"}, 7]
    ListView.update(columns=gone, sort="shelf").where(ListView.id == view.id).execute()
    page = get(client, url(view))
    assert (page.status, page.columns, page.rows) == (200, ["ISBN", "Titel"], [["A3", "Band drei"]])
    assert notices(page)[0] == "Die Spalte „Regal“ gibt es nicht mehr, oder Sie dürfen sie nicht sehen."
    assert "„shelf“" in notices(page)[1]


def test_a_filter_that_is_gone_closes_the_list(client: FlaskClient) -> None:
    view = save(client, "Altes Regal", "genre=novel")
    ListView.update(query="genre=novel&shelf=7").where(ListView.id == view.id).execute()
    page = get(client, url(view))
    assert (page.status, page.rows) == (200, [])
    assert "„shelf“" in page.text
    assert "nicht ungefiltert" in page.text
    assert get(client, page.link("Liste ohne Ansicht öffnen")).rows
    for link in page.all("a"):
        if link["href"].startswith("/admin/book/?") and f"view={view.id}" in link["href"]:
            assert get(client, link["href"]).rows == [], link["href"]
    for wanted in ({"all": True}, {"add": [1]}):
        answer = client.post("/admin/book/selection", json={**wanted, "query": f"view={view.id}"})
        assert answer.status_code == 400


def test_the_view_of_a_colleague_obeys_ones_own_rights(
    client: FlaskClient, berger: Operator, protected_price: None
) -> None:
    expert = sign_in(make_operator("Kern", "Kredit", "credit.read", "view.share"))
    columns = save(expert, "Preise", "genre=novel&columns=isbn,price&sort=price", shared="all")
    hidden = save(expert, "Teure", "price__from=10&genre=novel", shared="all")
    assert get(expert, url(columns)).rows == [["A3", "5,00"]]

    other = sign_in(berger)
    page = get(other, url(columns))
    assert (page.columns, page.rows) == (["ISBN"], [["A3"]])
    assert "„Preis“" in " ".join(notices(page))
    page = get(other, url(hidden))
    assert (page.status, page.rows, "„Preis“" in page.text) == (200, [], True)
    assert get(other, "/admin/book/?columns=price").status == 400
    assert "price" not in panel_columns(get(other, "/admin/book/?arrange=columns"))


def test_rows_out_of_sight_stay_out_of_sight(client: FlaskClient, berger: Operator, books: list[int]) -> None:
    view = save(client, "Alle", "price__to=10", shared="all")
    register_scope(Book, lambda operator: None if operator.may("view.share") else Book.id == books[1])
    try:
        assert get(sign_in(berger), url(view)).keys == [books[1]]
        assert len(get(client, url(view)).keys) == 2
    finally:
        register_scope(Book, lambda _operator: None)


def test_views_of_one_list_are_none_of_another(client: FlaskClient) -> None:
    view = save(client, "Bücher")
    assert get(client, f"/admin/author/?view={view.id}").status == 404


def test_what_is_typed_is_kept_as_text(client: FlaskClient) -> None:
    name = '<script>alert("x")</script>'
    view = save(client, name)
    page = get(client, url(view))
    assert view_name(page) == f"Ansicht: {name}"
    assert send(client, "/admin/book/arrange", {"action": "delete", "query": f"view={view.id}"}).status == 200


# --- the same view shapes the export ----------------------------------------------------------------------------------


def test_an_export_takes_the_columns_of_a_view_or_of_the_list(client: FlaskClient, books: list[int]) -> None:
    view = save(client, "Seiten", "columns=pages,isbn")
    get(client, "/admin/book/?columns=title,isbn")
    token = client.post("/admin/book/selection", json={"add": books}).get_json()["token"]
    address = "/admin/book/action/export_sheet"
    page = get(client, f"{address}?selection={token}")
    assert page.status == 200, page.text
    offered = [option.text for option in page.one("select", name="layout").all("option")]
    assert offered == ["die angekreuzten Spalten", "Spalten der Liste", "Ansicht „Seiten“"]

    def headings(layout: str) -> list[str]:
        fields = {"token": token, "format": "csv", "layout": layout, "column": ["price"]}
        answer = client.post(address, data=fields)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        heads = answer.get_data().decode("utf-8-sig").splitlines()[0].split(";")
        answer.close()
        return [head.strip('"') for head in heads if "Zeilen" not in head]

    assert headings(str(view.id))[:2] == ["ISBN", "Seiten"]
    assert headings("list")[:2] == ["ISBN", "Titel"]
    assert headings("")[:2] == ["ISBN", "Preis"]
    assert client.post(address, data={"token": token, "format": "csv", "layout": "999"}).status_code in (404, 422)

"""The window in which filters are put together: what it draws, and what it makes of what comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.appadmin.test_pages import three_books
from tests.appadmin.webapp import library_client
from tests.reader import Node, get, read


@pytest.fixture
def client(library: str) -> FlaskClient:
    return library_client()


def node(field: str, op: str = "", *values: str) -> dict[str, Any]:
    return {"field": field, "op": op, "values": list(values)}


def everything(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"how": "all", "nodes": list(nodes)}


def build(client: FlaskClient, tree: dict[str, Any], **keep: str) -> Any:
    return client.get("/admin/book/filter-build", query_string={**keep, "tree": json.dumps(tree)})


TREES: list[tuple[dict[str, Any], str]] = [
    (everything(), ""),
    (everything(node("")), ""),
    (everything(node("price", "from", "1.234,50")), "price__from=1234.50"),
    (everything(node("price", "from", "1.234")), "price__from=1234.00"),
    (everything(node("genre", "", "novel", "Gedicht")), "genre=novel&genre=poem"),
    (everything(node("pages", "empty")), "pages__empty=1"),
    (everything(node("printed_on", "from", "heute − 30 Tage")), "printed_on__from=today-30"),
    (everything(node("updated_at", "", "31.12.2026")), "updated_at=2026-12-31"),
    (
        everything(node("title", "contains", "a"), node("title", "contains", "b")),
        "title__contains=a&all=title__contains%3Db",
    ),
    (
        everything(
            node("genre", "", "poem"), {"how": "any", "nodes": [node("pages", "", "3"), node("title", "", "X")]}
        ),
        "genre=poem&any=pages%3D3%26title%3DX",
    ),
    ({"how": "none", "nodes": [node("pages", "", "3")]}, "none=pages%3D3"),
    (everything({"how": "any", "nodes": []}, {"how": "none", "nodes": [node("")]}), ""),
    (everything({"child": "loan", "no": False, "nodes": []}), "loan__filled=1"),
    (everything({"child": "loan", "no": True, "nodes": []}), "loan__empty=1"),
    (
        everything(
            {"child": "loan", "no": True, "nodes": [node("loan.reader", "", "A"), node("loan.returned", "", "1")]}
        ),
        "no.loan.reader=A&no.loan.returned=1",
    ),
    (
        everything(*({"child": "loan", "no": False, "nodes": [node("loan.reader", "", who)]} for who in "AB")),
        "loan.reader=A&all=loan.reader%3DB",
    ),
    (everything(node("title", "history:from", "01.10.2026")), "history.title__from=2026-10-01"),
    (everything(node("any", "history:no.last", "30")), "no.history.any__last=30"),
    (everything(node("title", "history:by", "Frau Weber")), "history.title__by=Frau+Weber"),
    (everything({"kept": [["author.active", "0"]]}), "author.active=0"),
]


def test_a_tree_becomes_a_link_and_the_link_the_same_tree(client: FlaskClient) -> None:
    three_books()
    for tree, query in TREES:
        answer = build(client, tree, sort="-isbn")
        assert (answer.status_code, answer.location) == (302, f"/admin/book/?{query}{'&' if query else ''}sort=-isbn")
        assert get(client, answer.location).status == 200
        panel = read(client.get(answer.location, headers={"X-Fragment": "filter_panel"}))
        # Opened again, the window shows the same rows: sent back unchanged it leads to the same list.
        assert build(client, tree_of(panel.all("fieldset")[0]), sort="-isbn").location == answer.location


def tree_of(place: Node) -> dict[str, Any]:
    """What the page's script reads from a node of the window as it was drawn."""
    kind = place["data-node"]
    if kind == "kept":
        return {"kept": json.loads(place["data-pairs"])}
    if kind in ("group", "child"):
        holder = next(other for other in place.all("div") if "data-nodes" in other.attributes)
        nodes = [tree_of(other) for other in holder.children if isinstance(other, Node) and other.get("data-node")]
        if kind == "child":
            return {"child": place["data-child"], "no": chosen(place, "data-no") == "1", "nodes": nodes}
        return {"how": chosen(place, "data-how"), "nodes": nodes}
    boxes = marked(place, "input", "data-value")
    values = [box["value"] for box in boxes if box.get("type") != "checkbox" or "checked" in box.attributes]
    if marked(place, "select", "data-value"):
        values.append(chosen(place, "data-value"))
    return node(marked(place, "input", "data-field")[0]["value"], chosen(place, "data-op"), *filter(None, values))


def marked(place: Node, tag: str, name: str) -> list[Node]:
    return [other for other in place.all(tag) if name in other.attributes]


def chosen(place: Node, name: str) -> str:
    """The value of a node's select; that of the node itself comes before those of the nodes inside it."""
    selects = marked(place, "select", name)
    if not selects:
        return ""
    options = selects[0].all("option")
    return next((option["value"] for option in options if "selected" in option.attributes), options[0]["value"])


def test_what_is_wrong_stands_at_its_row_with_everything_typed(client: FlaskClient) -> None:
    three_books()
    tree = everything(
        node("title", "contains", "Band"),
        {"how": "any", "nodes": [node("price", "from", "viel"), node("printed_on", "", "31.02.2026")]},
        node("pages", "from", ""),
    )
    page = read(build(client, tree, sort="-isbn"))
    assert page.status == 400
    rows = page.all("div", "bad")
    assert [row.one("p", "err").text for row in rows] == [
        "„viel“ ist keine Zahl. Bitte so eingeben: 1.234,50.",
        "„31.02.2026“ ist kein Datum. Bitte so eingeben: TT.MM.JJJJ, zum Beispiel 31.12.2026.",
        "Bitte einen Wert angeben.",
    ]
    assert [box["value"] for row in rows for box in marked(row, "input", "data-value")] == [
        "viel",
        "31.02.2026",
        "",
    ]


def test_fields_are_found_by_their_words(client: FlaskClient) -> None:
    def names(**question: str) -> list[str]:
        return [entry["id"] for entry in client.get("/admin/book/filter-fields", query_string=question).json]

    assert names(query="preis") == ["price"]
    assert names(query="ausl les") == ["loan.reader"]
    assert names(query="lese", within="loan.") == ["loan.reader"]
    assert "loan." in names(query="ausleihen")
    assert names(query="irgendein") == ["any"]
    assert {"isbn", "title", "updated_at", "loan.returned"} <= set(names())
    assert client.get("/admin/book/filter-fields?within=nonsense.").status_code == 404


def test_rows_are_drawn_for_what_exists(client: FlaskClient) -> None:
    for query, status in (
        ("field=price", 200),
        ("field=loan.reader", 200),
        ("field=loan.reader&within=loan.", 200),
        ("field=loan.", 200),
        ("field=any&op=history:last&value=3", 200),
        ("field=price&op=nonsense", 200),
        ("field=", 200),
        ("field=nonsense", 404),
        ("field=loan.nonsense", 404),
    ):
        assert (query, client.get(f"/admin/book/filter-row?{query}").status_code) == (query, status)


SPOILT = (
    ["", "x", "[]", "7", "null", '"x"', "{}", '{"nodes": 3}', '{"how": "all", "nodes": [[]]}', "[" * 5000, "x" * 30_000]
    + [json.dumps(everything(node(field, op, "1"))) for field in ("id", "foo", "loan.foo", "a.b.c") for op in ("", "x")]
    + [json.dumps(everything({"child": name, "nodes": []})) for name in ("foo", "author", "")]
    + [json.dumps(everything({"kept": kept})) for kept in ([["foo", "1"]], [["a"]], [[1, 2]], 5, [["search", "x"]])]
)


def test_a_spoilt_tree_is_refused_or_read(client: FlaskClient) -> None:
    for tree in SPOILT:
        answer = client.get("/admin/book/filter-build", query_string={"tree": tree})
        assert answer.status_code in (302, 400, 403, 404), tree[:80]

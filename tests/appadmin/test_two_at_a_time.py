"""Two operators with the same record open: what is merged, what is asked, what is kept; and who else is there."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_appadmin import drafts, presence
from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import utcnow
from flask_appadmin.drafts import FormDraft
from flask_appadmin.presence import FormPresence
from flask_appadmin.rights import Operator, Role, User, system_operator
from tests.appadmin.library import Book, Loan
from tests.appadmin.test_changes import photograph
from tests.appadmin.test_pages import change_behind, edit_page, save, three_books
from tests.appadmin.webapp import library_client
from tests.reader import Node, Page, get, send


@pytest.fixture
def client(library: str) -> FlaskClient:
    return library_client()


def choices(page: Page) -> dict[str, list[str]]:
    """Field -> [who, mine, theirs, before] of every choice on a page."""
    found = {}
    for box in page.all("fieldset", "dispute"):
        mine, theirs = (label.one("b").text for label in box.all("label"))
        found[box["data-choice"]] = [box.one("legend").text, mine, theirs, box.one("p").text]
    return found


def test_two_operators_decide_field_by_field(client: FlaskClient) -> None:
    first, *_rest = three_books()
    page = edit_page(client, first)
    change_behind(Book, first, title="Von Berger", price=Decimal("30"), note="nur er")
    answer = save(client, page, title="Von Weber", price="40", pages="99")
    assert answer.status == 422
    found = choices(answer)
    assert [words[1:] for words in found.values()] == [
        ["Von Weber", "Von Berger", "vorher: Die größere Hoffnung"],
        ["40,00", "30,00", "vorher: 19,99"],
    ]
    assert all(
        re.fullmatch(r"Inzwischen geändert: Herr Berger, \d\d\.\d\d\.\d{4}.* \d\d:\d\d", w[0]) for w in found.values()
    )
    listed = [entry.one("a")["href"] for entry in answer.one("section", "conflict").all("li")]
    assert listed == ["#keep-title", "#keep-price"]
    assert Book.get_by_id(first).pages is None, "nothing of it was saved"
    assert not [box for box in answer.all("input") if box.get("type") == "radio" and "checked" in box.attributes]

    unchosen = save(client, answer)
    assert unchosen.status == 422 and list(choices(unchosen)) == ["title", "price"], "nobody is overwritten by a click"
    change_behind(Book, first, title="Noch einmal Berger")
    once_more = save(client, unchosen, **{"_keep-title": "mine", "_keep-price": "theirs"})
    assert once_more.status == 422, "what was decided was decided about another value"
    assert next(iter(choices(once_more).values()))[2] == "Noch einmal Berger"
    done = save(client, once_more, **{"_keep-title": "mine"})
    assert done.toast == "Gespeichert."
    book = Book.get_by_id(first)
    assert (book.title, book.price, book.pages, book.note) == ("Von Weber", Decimal("30"), 99, "nur er")
    assert "Inzwischen außerdem geändert: Herr Berger" in done.text and "Notiz, Preis." in done.text


def test_a_conflict_in_a_row_is_decided_like_any_other(client: FlaskClient) -> None:
    first, *_rest = three_books()
    loan = Loan.select().order_by(Loan.id).get().id
    page = edit_page(client, first)
    change_behind(Loan, loan, reader="Berger")
    answer = save(client, page, **{f"loan-{loan}-reader": "Weber"})
    assert choices(answer)[f"loan-{loan}-reader"][1:] == ["Weber", "Berger", "vorher: Jürgen Groß"]
    assert "Ausleihe Berger: Leser" in answer.one("section", "conflict").text
    theirs = save(client, answer, **{f"_keep-loan-{loan}-reader": "theirs"})
    assert (theirs.toast, Loan.get_by_id(loan).reader) == ("Es war nichts zu ändern.", "Berger")
    mine = save(client, answer, **{f"_keep-loan-{loan}-reader": "mine"})
    assert (mine.toast, Loan.get_by_id(loan).reader) == ("Gespeichert.", "Weber")


def test_what_others_did_to_the_rows_is_merged_or_asked(client: FlaskClient) -> None:
    first, *_rest = three_books()
    loans = [loan.id for loan in Loan.select().order_by(Loan.id)]
    page = edit_page(client, first)
    change = ChangeSet("form")
    change.create(Loan, {"book": first, "reader": "Von Berger"})
    change.update(Loan, loans[0], {"returned": True})
    change.apply(system_operator("Herr Berger"))
    merged = save(client, page, **{f"loan-{loans[0]}-reader": "Weber", f"loan-{loans[1]}-returned": ""})
    assert merged.toast == "Gespeichert."
    assert "Ausleihe Von Berger (neu), Ausleihe Jürgen Groß: zurück" in merged.text
    rows = [(loan.reader, loan.returned) for loan in Loan.select().order_by(Loan.id)]
    assert rows[0] == ("Weber", True) and len(rows) == 3

    page = edit_page(client, first)
    change_behind(Loan, loans[0], reader="Noch einmal Berger")
    before = photograph()
    refused = save(client, page, **{f"loan-{loans[0]}-delete": "1", "title": "Neu"})
    assert refused.status == 422 and photograph() == before
    assert "Herr Berger" in refused.summary[0] and "hat hier inzwischen „Leser“ geändert" in refused.summary[0]
    fields = refused.one("form", id="form").fields()
    assert (fields[f"loan-{loans[0]}-reader"], fields["title"]) == ("Noch einmal Berger", "Neu")
    assert f"loan-{loans[0]}-delete" not in fields
    again = save(client, refused, **{f"loan-{loans[0]}-delete": "1"})
    assert again.toast == "Gespeichert."
    assert Loan.get_or_none(Loan.id == loans[0]) is None


def test_a_record_that_was_deleted_meanwhile_keeps_what_was_typed(client: FlaskClient) -> None:
    first, *_rest = three_books()
    loan = Loan.select().order_by(Loan.id).get().id
    page = edit_page(client, first)
    change = ChangeSet("delete")
    change.delete(Book, first)
    change.apply(system_operator("Herr Berger"))
    answer = save(client, page, title="Von Weber", **{f"loan-{loan}-reader": "Anders"})
    assert answer.status == 422
    assert answer.summary[0].startswith("Herr Berger hat diesen Datensatz am") and "gelöscht" in answer.summary[0]
    fields = answer.one("form", id="form").fields()
    assert (fields["title"], fields["isbn"], fields[f"loan-n{loan}-reader"]) == ("Von Weber", "A1", "Anders")
    assert Book.get_or_none(Book.id == first) is None
    done = save(client, answer)
    assert done.toast == "Gespeichert."
    assert [found.reader for found in Book.get(Book.isbn == "A1").loans] == ["Anders", "Ada Kern"]
    assert client.post("/admin/book/edit/?id=987654", data={"title": "x"}).status_code == 404


def test_the_same_form_sent_twice_has_one_effect(client: FlaskClient) -> None:
    three_books()
    page = get(client, "/admin/book/new/")
    typed = {"isbn": "B1", "title": "Einmal", "_rows": "loan-n1", "loan-n1-reader": "Ada"}
    first, second = save(client, page, **typed), save(client, page, **typed)
    assert (first.status, second.status) == (200, 200) and first.heading == second.heading == "B1 Einmal"
    assert (Book.select().where(Book.isbn == "B1").count(), Loan.select().where(Loan.reader == "Ada").count()) == (1, 1)
    opened = edit_page(client, Book.get(Book.isbn == "B1").id)
    for _time in range(2):
        assert save(client, opened, _rows="loan-n1", **{"loan-n1-reader": "Zwei"}).status == 200
    assert Loan.select().where(Loan.reader == "Zwei").count() == 1
    save(client, opened, pages="7")
    assert Book.get(Book.isbn == "B1").pages == 7, "another content of the same page is another effect"


# --- drafts and presence ----------------------------------------------------------------------------------------------


class Colleagues:
    """Operators of the library, each with a browser of his own."""

    def __init__(self, *names: str) -> None:
        role = Role.insert(name="Bücherei", permissions=["*"]).execute()
        self.clients: list[FlaskClient] = []
        self.operators: list[Operator] = []
        for name in names:
            values = {"username": name, "full_name": name, "password": "-", "role": role, "fs_uniquifier": name}
            key = User.insert(**values).execute()
            self.operators.append(Operator(key, name, frozenset({"*"})))
            self.clients.append(library_client(self.operators[-1]))


@pytest.fixture
def colleagues(library: str) -> Colleagues:
    return Colleagues("Frau Weber", "Herr Berger")


def keep(client: FlaskClient, page: Page, **typed: Any) -> bool:
    """Types into a form and waits until the page has kept it."""
    form = page.one("form", id="form")
    answer = client.post(form["data-draft-url"], data=form.fields(**typed))
    assert answer.status_code == 200
    return bool(answer.json["kept"])


def offered(page: Page) -> Node | None:
    found = page.all("div", "offer")
    return found[0] if found else None


def test_what_was_typed_is_offered_again_until_it_is_saved_or_discarded(colleagues: Colleagues) -> None:
    first, second, *_rest = three_books()
    weber, berger = colleagues.clients
    loan = Loan.select().order_by(Loan.id).get().id
    page = edit_page(weber, first)
    assert offered(page) is None
    typed = {"title": "Angefangen", "price": "viel", "_rows": [f"loan-{loan}", "loan-n1"], "loan-n1-reader": "Neu"}
    assert keep(weber, page, title="Ang")
    assert keep(weber, page, **typed)
    assert (FormDraft.select().count(), Book.get_by_id(first).title) == (1, "Die größere Hoffnung")

    # The window is gone; a new one offers it, for this record and this operator only.
    assert offered(edit_page(berger, first)) is None and offered(edit_page(weber, second)) is None
    offer = offered(edit_page(weber, first))
    assert offer is not None and re.search(r"ungespeicherte Eingaben vom \d\d\.\d\d\.\d{4}", offer.text)
    again = get(weber, offer.one("a")["href"])
    fields = again.one("form", id="form").fields()
    for name, value in typed.items():
        assert name == "_rows" or fields[name] == value, name
    assert (again.status, offered(again)) == (200, None)
    assert "Ihre Eingaben sind wieder da." in again.text and "„viel“ ist keine Zahl" in again.text
    stranger = get(berger, offer.one("a")["href"])
    assert stranger.one("form", id="form").fields()["title"] == "Die größere Hoffnung"

    saved = save(weber, again, price="5")
    assert (saved.toast, Book.get_by_id(first).title) == ("Gespeichert.", "Angefangen")
    assert not keep(weber, again, title="noch unterwegs"), "what was still on its way is not kept once more"
    assert offered(edit_page(weber, first)) is None
    assert [draft.fields for draft in FormDraft.select()] == [[]]

    # A new record: several windows, each with its own input; „Verwerfen“ forgets the one that is offered.
    assert keep(weber, get(weber, "/admin/book/new/"), title="Eins")
    assert keep(weber, get(weber, "/admin/book/new/"), title="Zwei")
    offer = offered(get(weber, "/admin/book/new/"))
    assert offer is not None and get(weber, offer.one("a")["href"]).one("form", id="form").fields()["title"] == "Zwei"
    send(weber, offer.one("form")["action"], offer.one("form").fields())
    offer = offered(get(weber, "/admin/book/new/"))
    assert offer is not None and get(weber, offer.one("a")["href"]).one("form", id="form").fields()["title"] == "Eins"
    FormDraft.update(saved_at=utcnow() - datetime.timedelta(days=15)).where(~FormDraft.closed).execute()
    assert offered(get(weber, "/admin/book/new/")) is None, "it has expired"
    drafts.forget_expired(colleagues.operators[0])
    assert FormDraft.select().where(~FormDraft.closed).count() == 0


def test_a_draft_of_a_record_that_changed_since_is_asked_about(colleagues: Colleagues) -> None:
    first, *_rest = three_books()
    weber, _berger = colleagues.clients
    keep(weber, edit_page(weber, first), title="Von Weber", pages="99")
    change_behind(Book, first, title="Von Berger", note="nur er")
    offer = offered(edit_page(weber, first))
    assert offer is not None
    again = get(weber, offer.one("a")["href"])
    assert choices(again)["title"][1:] == ["Von Weber", "Von Berger", "vorher: Die größere Hoffnung"]
    assert save(weber, again).status == 422
    done = save(weber, again, **{"_keep-title": "theirs"})
    book = Book.get_by_id(first)
    assert (done.toast, book.title, book.pages, book.note) == ("Gespeichert.", "Von Berger", 99, "nur er")


def test_secrets_are_no_part_of_a_draft(colleagues: Colleagues) -> None:
    weber, _berger = colleagues.clients
    page = get(weber, "/admin/app_user/new/")
    assert keep(weber, page, username="neu", password="Rotes-Fahrrad-am-Hafen-7")
    stored = FormDraft.get().fields
    assert ["username", "neu"] in stored and "Fahrrad" not in str(stored)


def test_the_head_names_who_else_has_the_record_open(colleagues: Colleagues) -> None:
    first, second, *_rest = three_books()
    weber, berger = colleagues.clients

    def report(client: FlaskClient, page: Page, **more: Any) -> str:
        form = page.one("form", id="form")
        told = {"token": form.fields()["_token"], "seen": form.fields()["_seen"], **more}
        return client.post(form["data-presence-url"], json=told).json["text"]

    mine, his = edit_page(weber, first), edit_page(berger, first)
    assert report(weber, mine) == "", "nobody is told about himself"
    assert report(weber, edit_page(weber, first)) == "", "nor about his other window"
    assert re.fullmatch(r"auch geöffnet: Frau Weber \(seit \d\d:\d\d\)", report(berger, his))
    assert "auch geöffnet: Frau Weber" in edit_page(berger, first).text
    assert report(berger, edit_page(berger, second)) == ""
    save(berger, his, note="von ihm")
    line = report(weber, mine)
    assert re.fullmatch(
        r"inzwischen gespeichert: Herr Berger \(\d\d:\d\d\) · auch geöffnet: Herr Berger \(seit \d\d:\d\d\)", line
    )
    report(berger, his, gone=True)
    assert "geöffnet" not in report(weber, mine)
    report(berger, his)
    FormPresence.update(seen_at=utcnow() - datetime.timedelta(seconds=presence.STALE_SECONDS + 1)).execute()
    assert "geöffnet" not in report(weber, mine), "who crashed is gone after a minute"
    assert save(weber, mine, title="Nichts ist gesperrt").toast == "Gespeichert."


def test_a_form_of_another_operator_is_refused_with_its_input(colleagues: Colleagues) -> None:
    first, *_rest = three_books()
    weber, berger = colleagues.clients
    page = edit_page(weber, first)
    before = photograph()
    answer = save(berger, page, title="Von Weber getippt")
    assert answer.status == 422 and photograph() == before
    assert answer.summary[0].startswith("Diese Seite wurde mit einer anderen Anmeldung ausgefüllt.")
    assert answer.one("form", id="form").fields()["title"] == "Von Weber getippt"
    assert save(berger, answer).toast == "Gespeichert."

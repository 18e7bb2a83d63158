"""The pages of the history on the toy library: every change, filtered and as a file; and the way back in parts."""

from __future__ import annotations

import io
import re
from decimal import Decimal
from html import unescape
from typing import Any

import openpyxl

from flask_appadmin.changes import ChangeSet
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.rights import Operator, Role, User
from tests.appadmin.library import Book, Loan
from tests.appadmin.test_changes import three_books
from tests.appadmin.test_undo import BERGER, assigned, changed
from tests.appadmin.webapp import library_client


def text_of(answer: Any) -> str:
    """What people read, one blank between words."""
    html = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def rows_of(answer: Any) -> list[list[str]]:
    body = answer.text.partition('id="list"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, flags=re.S) for row in body.split("<tr")[1:]]
    return [[" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in row] for row in cells]


def test_every_change_is_found_by_who_what_when_and_how(librarian: Operator) -> None:
    first, second, third = three_books(librarian)
    role = Role.create(name="Leser", rights=["library.read", "history.read"])
    user = User.create(username="clara", full_name="Clara", password="x", fs_uniquifier="x", role=role)
    bulk = assigned(BERGER, [first, second, third], pages=300, genre="poem")
    told = ChangeSet("import", source="buecher.xlsx", reason="Preisliste")
    told.update(Book, second, {"price": Decimal("7.50")}, source="Zeile 214")
    loan = Loan.get(Loan.book == second)
    told.update(Loan, loan.id, {"reader": "Berger"}, source="Zeile 215")
    told.apply(Operator(user.id, "Clara", librarian.rights))
    page = library_client()

    def found(query: str) -> list[list[str]]:
        return rows_of(page.get(f"/admin/operations/lines?scope=all&{query}"))

    # The columns: when, who, record, field, before, after, operation (with its source and reason), the way back.
    through = "Importiert, buecher.xlsx, Zeile 21{} „Preisliste“"
    assert [row[1:7] for row in found("kind=import&who=clara")] == [
        ["Clara", "Ausleihe Berger", "Leser", "Jürgen Groß", "Berger", through.format(5)],
        ["", "Buch 978-2 Band 2", "Preis", "19,99", "7,50", through.format(4)],
    ]
    for query, count in (
        ("kind=bulk", 6),
        ("kind=bulk&entity=book&field=book.pages", 3),
        ("field=book.price&entity=book", 1),
        ("text=Band 3&kind=bulk", 2),
        ("who=berger&from=heute&to=heute", 6),
        ("from=heute%2B1", 0),
        ("to=01.01.2020", 0),
        (f"record=book-{second}&kind=import&field=loan.reader", 1),
        (f"record=book-{second}", 6),
    ):
        assert len(found(query)) == count, query
    for query, words in (
        ("kind=nonsense", "Art von Vorgang"),
        ("from=bald", "„bald“"),
        ("entity=nothing", "Tabelle"),
        ("field=book.nothing", "Feld"),
        ("record=book-x", "Datensatz"),
    ):
        refused = page.get(f"/admin/operations/lines?{query}")
        assert (refused.status_code, rows_of(refused)) == (400, []), query
        assert words in text_of(refused)
        assert page.get(f"/admin/operations/export?{query}").status_code == 400

    # Page by page, without a line twice, and the filter stays in the links.
    many = ChangeSet("form")
    for number in range(150):
        many.create(Loan, {"book": third, "reader": f"Leser {number}"})
    many.apply(librarian)
    top = page.get("/admin/operations/lines?scope=all&kind=form")
    older = unescape(re.findall(r'href="([^"]*before=[^"]*)"', top.text)[0])
    assert "kind=form" in older
    assert len(rows_of(top)) == 100
    assert len({row[2] for row in [*rows_of(top), *rows_of(page.get(older))]}) == 150

    # As a file, with the same filter.
    with page.get("/admin/operations/export?scope=all&kind=import&from=heute&format=xlsx") as book:
        sheet = openpyxl.load_workbook(io.BytesIO(book.data)).active
    assert sheet is not None
    cells = list(sheet.iter_rows(values_only=True))
    assert cells[0][:3] == ("Wann", "Wer", "Vorgang")
    assert [row[6:11] for row in cells[1:3]] == [
        ("Berger", "Leser", "Jürgen Groß", "Berger", "Preisliste"),
        ("978-2 Band 2", "Preis", "19,99", "7,50", "Preisliste"),
    ]
    with page.get(f"/admin/operations/export?change_set={bulk}&format=csv") as sent:
        csv = sent.data.decode("utf-8-sig").splitlines()
    assert len(csv) == 7
    assert "Gattung;;Gedicht" in "\n".join(csv)

    # Rights: without "all" only the own ones; without the right to the table nothing.
    clara = library_client(Operator(user.id, "Clara", frozenset({"library.read", "history.read"})))
    assert len(rows_of(clara.get("/admin/operations/lines"))) == 2
    assert clara.get("/admin/operations/lines?scope=all").status_code == 403
    assert clara.get(f"/admin/operations/export?change_set={bulk}").status_code == 403
    stranger = library_client(Operator(user.id, "Clara", frozenset({"history.read", "history.read_all"})))
    assert rows_of(stranger.get("/admin/operations/lines?scope=all")) == []
    assert stranger.get(f"/admin/operations/lines?record=book-{second}").status_code in (400, 403)


def test_one_operation_groups_its_rows_and_goes_back_in_parts(librarian: Operator) -> None:
    first, second, third = three_books(librarian)
    bulk = assigned(BERGER, [first, second, third], pages=300, genre="poem")
    page = library_client()
    assert "3 Bücher: Seiten → 300, Gattung → Gedicht" in text_of(page.get("/admin/operations/?scope=all"))
    shown = page.get(f"/admin/operations/show?id={bulk}")
    assert "3 × Bücher: Seiten leer → 300" in text_of(shown)
    assert "3 × Bücher: Gattung leer → Gedicht" in text_of(shown)
    assert f"/admin/operations/undo?id={bulk}&amp;record=book-{second}" in shown.text

    # One value, asked by a link of its line, goes back alone.
    line = ChangeRecord.get(
        ChangeRecord.change_set == bulk, ChangeRecord.record_id == first, ChangeRecord.field == "pages"
    )
    question = page.get(f"/admin/operations/undo?id={bulk}&line={line.id}")
    assert "Nur „Seiten“ bei: Buch 978-1 Band 1" in text_of(question)
    assert "1 × Seiten 300 → leer" in text_of(question)
    page.post(f"/admin/operations/undo?id={bulk}&line={line.id}", data={"_reason": "Tippfehler"})
    assert [(book.pages, book.genre) for book in Book.select().order_by(Book.id)] == [
        (None, "poem"), (300, "poem"), (300, "poem"),
    ]  # fmt: skip
    undone = ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).get()
    assert (undone.kind, undone.reason, undone.undo_of_id) == ("undo", "Tippfehler", bulk)
    assert "zum Teil zurückgenommen" in text_of(page.get("/admin/operations/?scope=all"))

    # One record: what somebody changed since is told with all values, and stays unless it is ticked.
    changed(BERGER, second, pages=301)
    address = f"/admin/operations/undo?id={bulk}&record=book-{second}"
    question = page.get(address)
    assert "978-2 Band 2 Seiten leer 300 301 Herr Berger auf „leer“" in text_of(question)
    token = re.findall(r'name="over" value="([^"]+)"', question.text)[0]
    changed(BERGER, second, pages=302)
    refused = page.post(address, data={"over": token})
    assert refused.status_code == 409
    assert "hat jemand wieder etwas geändert" in text_of(refused)
    assert Book.get_by_id(second).pages == 302
    token = re.findall(r'name="over" value="([^"]+)"', refused.text)[0]
    page.post(address, data={"over": token})
    assert (Book.get_by_id(second).pages, Book.get_by_id(second).genre) == (None, None)

    # The rest, without a tick: nothing is overwritten.
    changed(BERGER, third, genre="novel")
    page.post(f"/admin/operations/undo?id={bulk}")
    assert [(book.pages, book.genre) for book in Book.select().order_by(Book.id)] == [
        (None, None), (None, None), (None, "novel"),
    ]  # fmt: skip
    for wrong in (f"line={line.id + 99999}", "record=nothing-1", "record=book-x", "line=x"):
        assert page.get(f"/admin/operations/undo?id={bulk}&{wrong}").status_code == 404, wrong
    tab = page.get(f"/admin/book/edit/?id={first}&tab=history")
    assert f"/admin/operations/lines?record=book-{first}" in tab.text
    assert "Zum Teil" not in text_of(tab)

"""The toy library's books go out and come home, with its three model classes and nothing else."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import NotFound
from flask_appadmin.rights import Operator, register_scope, visible
from flask_appadmin.sheets.applying import RunEnded, apply_run
from flask_appadmin.sheets.exporting import sheet_columns
from flask_appadmin.sheets.mapping import guess_targets
from flask_appadmin.sheets.planning import Planner
from flask_appadmin.sheets.rowkeys import RowDigest, check_row_key, sign_row
from flask_appadmin.sheets.sessions import ImportRun, SheetExport
from flask_appadmin.sheets.storage import FileStore
from flask_appadmin.sheets.surveying import ImportOptions, Survey, propose_options, survey_file
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Author, Book, Loan
from tests.appadmin.webapp import create_library
from tests.spreadsheets import edit_cells, export, form_values, photograph, rows_of, tiles_of, words_of, write_csv

SPEC = spec_of(Book)


@pytest.fixture
def books(librarian: Operator) -> list[int]:
    """Two books by one author, the first one lent twice."""
    change = ChangeSet("form")
    author = change.create(Author, {"name": "Ilse Aichinger", "born_on": datetime.date(1921, 11, 1)})
    made = [
        change.create(
            Book,
            {
                "isbn": isbn,
                "title": title,
                "author": author,
                "price": Decimal("12.50"),
                "pages": 120,
                "genre": "novel",
                "printed_on": datetime.date(1948, 5, 1),
                "note": "erste Zeile\nzweite; Zeile",
            },
        )
        for isbn, title in (("978-3-16", "Die größere Hoffnung"), ("978-3-17", "=Kleist"))
    ]
    for reader in ("Öz", "Müller"):
        change.create(Loan, {"book": made[0], "reader": reader, "lent_on": datetime.date(2026, 5, 18)})
    change.create(Book, {"isbn": "000-1", "title": "Nur ein Titel"})
    change.apply(librarian)
    return [record.key or 0 for record in made]


def plan(path: Path, operator: Operator, **options: Any) -> tuple[ImportRun, dict[str, int]]:
    chosen = ImportOptions(**options)
    survey = survey_file(path, path.name, SPEC, operator, chosen)
    chosen = propose_options(survey, SPEC, chosen)
    run = ImportRun.create(
        user_name="x", entity="book", file_name=path.name, state="preview", options=chosen.to_json(),
        detection=survey.to_json(),
    )  # fmt: skip
    counts = Planner(run, path, SPEC, operator, chosen).plan(Survey.from_json(survey.to_json()))
    return ImportRun.get_by_id(run.id), {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize("file_format", ["xlsx", "csv"])
def test_books_come_home_unchanged(books: list[int], librarian: Operator, tmp_path: Path, file_format: str) -> None:
    path = tmp_path / f"bücher.{file_format}"
    written = export(SPEC, librarian, path, file_format=file_format)
    _run, counts = plan(path, librarian)
    assert counts == {"unchanged": sum(written.counts.values())}


def test_an_edited_workbook_changes_its_cells_once_and_can_be_undone(
    books: list[int], librarian: Operator, tmp_path: Path
) -> None:
    path = tmp_path / "bücher.xlsx"
    export(SPEC, librarian, path)
    before = photograph(SPEC, spec_of(Author))
    numbers = [row[0] for row in rows_of(path, "Bücher")]
    place = numbers.index("978-3-16") + 1
    edit_cells(path, "Bücher", {(place, "Preis"): 13.9, (place, "Gattung"): "Gedicht", (place, "Notiz"): None})
    edit_cells(path, "Ausleihen", {(2, "zurück"): "Ja", (4, "ISBN"): "978-3-17", (4, "Leser"): "Neu"})
    run, counts = plan(path, librarian)
    assert counts == {"new": 1, "changed": 2, "unchanged": 3, "cleared": 1}
    applied = apply_run(run, SPEC, librarian)
    with pytest.raises(RunEnded):
        apply_run(run, SPEC, librarian)
    book = Book.get_by_id(books[0])
    assert (book.price, book.genre, book.note) == (Decimal("13.90"), "poem", None)
    assert sorted((row.reader, row.returned) for row in Loan.select()) == [
        ("Müller", False), ("Neu", False), ("Öz", True),
    ]  # fmt: skip
    assert applied.change_set is not None
    ChangeSet.undo(applied.change_set).apply(librarian)
    assert photograph(SPEC, spec_of(Author)) == before


def test_rows_of_others_are_neither_exported_nor_changed(
    books: list[int], librarian: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flask_appadmin import rights

    path = tmp_path / "alle.xlsx"
    export(SPEC, librarian, path)
    numbers = [row[0] for row in rows_of(path, "Bücher")]
    edit_cells(path, "Bücher", {(numbers.index("978-3-17") + 1, "Titel"): "geändert"})
    monkeypatch.setattr(rights, "_scopes", {})
    register_scope(Book, lambda _operator: Book.isbn != "978-3-17")
    assert visible(librarian, SPEC) is not None
    own = tmp_path / "eigene.xlsx"
    export(SPEC, librarian, own)
    assert [row[0] for row in rows_of(own, "Bücher")[1:]] == ["000-1", "978-3-16"]
    _run, counts = plan(path, librarian)
    assert counts == {"unchanged": 4, "error": 1}
    foreign = write_csv(tmp_path / "fremde.csv", [["ISBN", "Titel"], ["978-3-17", "geändert"]])
    _run, counts = plan(foreign, librarian)
    # The number is taken, and nothing more is said of the book that stands behind it.
    assert counts == {"error": 1}


def test_headings_lead_to_fields_and_wrong_ones_say_why(books: list[int], librarian: Operator) -> None:
    guesses = guess_targets(
        SPEC,
        ["ISBN", "title", "Preis", "Verfasser", "Leser"],
        [["1", "A", "teuer", "Ilse", "x"]] * 30,
        librarian,
    )
    assert [guess.target for guess in guesses] == ["isbn", "title", "", "", ""]
    assert "keine Zahl" in guesses[2].reason


def test_the_key_of_a_row_holds_for_its_table_alone(library: str) -> None:
    export = SheetExport.create(key="0123456789ab", secret="s", user_name="x", entity="book")
    digest = RowDigest([("title", "text"), ("price", "decimal"), ("printed_on", "date")])
    content = digest.of(["A", Decimal("12.50"), datetime.date(2026, 5, 1)])
    # The same row as a workbook and a csv file bring it back.
    assert content == digest.of(["A", 12.5, datetime.date(2026, 5, 1)]) == digest.of(["A", "12,50", "01.05.2026"])
    assert content != digest.of(["A", "12,51", "01.05.2026"])
    assert content != digest.of(["A", None, "01.05.2026"])
    key = sign_row(export, "book", 7, 2, content)
    found = check_row_key(key, "book", {})
    assert found is not None and (found.record, found.version, found.content) == (7, 2, content)
    for wrong in (key.replace(".7.", ".8."), key[:-1], "", "....", key.replace("0123", "0124"), "é.1.1.a.b"):
        assert check_row_key(wrong, "book", {}) is None
    assert check_row_key(key, "loan", {}) is None


def test_choices_and_references_become_lists_to_choose_from(books: list[int], librarian: Operator) -> None:
    columns = {column.key: column for column in sheet_columns(SPEC.data_fields, librarian)}
    assert columns["genre"].choices == ("Roman", "Gedicht")
    assert columns["author"].choices == ("Ilse Aichinger",)
    assert columns["isbn"].kind == "text"


def test_a_store_gives_back_only_what_it_keeps(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files", days=1)
    name = store.save(io.BytesIO(b"x"))
    assert store.path(name).read_bytes() == b"x"
    for other in ("", "../secret", "0" * 32, name + "x"):
        with pytest.raises(NotFound):
            store.path(other)
        store.remove(other)
    store.remove(name)
    assert not store.has(name)


# --- the pages ------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(library: str, tmp_path: Path) -> FlaskClient:
    app = create_library()
    app.config["INSTANCE"] = tmp_path
    return app.test_client()


def test_the_library_has_the_pages_without_a_line_of_its_own(
    books: list[int], client: FlaskClient, tmp_path: Path
) -> None:
    page = client.get("/admin/book/action/export_sheet?query=").get_data(as_text=True)
    assert "3 Bücher exportieren" in page
    token = form_values(page)["token"]
    columns = [item.name for item in SPEC.data_fields]
    posted = {"token": token, "format": "xlsx", "column": columns, "sheet": ["loan"]}
    answer = client.post("/admin/book/action/export_sheet", data=posted)
    path = tmp_path / "bücher.xlsx"
    path.write_bytes(answer.data)
    answer.close()
    edit_cells(path, "Bücher", {(2, "Titel"): "Anders", (5, "ISBN"): "978-9", (5, "Titel"): "Neu"})

    assert "Bücher importieren" in client.get("/admin/imports/?model=book").get_data(as_text=True)
    upload = {"model": "book", "file": (io.BytesIO(path.read_bytes()), "bücher.xlsx")}
    answer = client.post("/admin/imports/upload", data=upload, content_type="multipart/form-data")
    while answer.status_code == 302:
        answer = client.get(answer.location)
    page = answer.get_data(as_text=True)
    counts = tiles_of(page)
    assert (counts["neu"], counts["geändert"], counts["unverändert"]) == (1, 1, 4)
    run = ImportRun.get()
    answer = client.post(f"/admin/imports/apply?id={run.id}", data={"plan": form_values(page)["plan"]})
    page = client.get(answer.location).get_data(as_text=True)
    assert "2 Datensätze übernommen." in words_of(page)
    assert {row.title for row in Book.select()} >= {"Anders", "Neu"}
    assert client.get("/admin/jobs/").status_code == 200

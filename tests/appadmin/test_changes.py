"""The change gateway on the toy library: whole sets, or nothing; and everything can be taken back."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from flask_appadmin.changes import ChangeSet, assigning, plan_assign, plan_undo
from flask_appadmin.changes.undoing import restoring
from flask_appadmin.database import database
from flask_appadmin.errors import AppAdminError, ConflictError, FaultList, JobCancelled, PlanChanged
from flask_appadmin.filters import Filter
from flask_appadmin.history import ChangeRecord, ChangeSetRecord, lines_of_record
from flask_appadmin.rights import Operator
from flask_appadmin.selections import Selection
from flask_appadmin.specs import spec_of
from tests.appadmin.library import MODELS, Author, Book, Loan


def photograph() -> dict[str, list[tuple[Any, ...]]]:
    """All business values of the library, without versions and times."""
    picture = {}
    for model in MODELS:
        spec = spec_of(model)
        columns = [model.id, *(item.column_field for item in spec.data_fields)]
        picture[spec.name] = list(model.select(*columns).order_by(model.id).tuples())
    return picture


def three_books(librarian: Operator) -> list[int]:
    made = ChangeSet("import")
    author = made.create(Author, {"name": "Ilse Aichinger"})
    books = [
        made.create(
            Book, {"isbn": f"978-{number}", "title": f"Band {number}", "author": author, "price": Decimal("19.99")}
        )
        for number in (1, 2, 3)
    ]
    for book in books:
        made.create(Loan, {"book": book, "reader": "Jürgen Groß"})
    made.apply(librarian)
    return [book.key or 0 for book in books]


def test_parent_and_children_are_written_together_with_their_history(librarian: Operator) -> None:
    keys = three_books(librarian)
    assert [book.price for book in Book.select()] == [Decimal("19.99")] * 3
    assert Loan.select().where(Loan.book == keys[0]).count() == 1
    assert ChangeRecord.select().where(ChangeRecord.action == "create").count() == 7
    assert ChangeSetRecord.get().created_count == 4


def test_a_refused_child_leaves_the_parent_untouched(librarian: Operator) -> None:
    keys = three_books(librarian)
    before = photograph()
    change = ChangeSet("form")
    change.update(Book, keys[0], {"title": "Anders"})
    change.create(Loan, {"book": keys[0], "reader": "", "lent_on": datetime.date(2026, 1, 2)}, place=("loan", "n1"))
    with pytest.raises(FaultList) as refused:
        change.apply(librarian)
    assert [(fault.field, fault.place, str(fault)) for fault in refused.value.faults] == [
        ("reader", ("loan", "n1"), "Leser: Bitte ausfüllen.")
    ]
    assert photograph() == before
    assert ChangeSetRecord.select().count() == 1


def test_all_faults_are_told_at_once(librarian: Operator) -> None:
    change = ChangeSet("form")
    change.create(Book, {"isbn": "", "title": "x" * 61, "price": Decimal("501"), "genre": "drama"})
    with pytest.raises(FaultList) as refused:
        change.apply(librarian)
    assert [fault.field for fault in refused.value.faults] == ["isbn", "title", "price", "genre"]


def test_a_value_that_is_taken_is_refused(librarian: Operator) -> None:
    three_books(librarian)
    change = ChangeSet("form")
    change.create(Book, {"isbn": "978-2", "title": "Doppelt"})
    with pytest.raises(FaultList, match="ISBN: „978-2“ ist bereits vorhanden"):
        change.apply(librarian)


def test_two_new_records_with_the_same_unique_value_are_refused(librarian: Operator) -> None:
    change = ChangeSet("import")
    change.create(Book, {"isbn": "978-7", "title": "Eins"}, source="Zeile 2")
    change.create(Book, {"isbn": "978-7", "title": "Zwei"}, source="Zeile 3")
    with pytest.raises(FaultList) as refused:
        change.apply(librarian)
    assert [fault.source for fault in refused.value.faults] == ["Zeile 3"]


def test_saving_what_is_there_already_leaves_no_history(librarian: Operator) -> None:
    keys = three_books(librarian)
    change = ChangeSet("form")
    change.update(Book, keys[0], {"title": "Band 1", "price": Decimal("19.99")})
    assert change.apply(librarian).change_set is None
    assert ChangeSetRecord.select().count() == 1


def test_disjoint_changes_merge_and_equal_fields_conflict(librarian: Operator) -> None:
    keys = three_books(librarian)
    first = ChangeSet("form")
    first.update(Book, keys[0], {"title": "Von Weber"}, base={"title": "Band 1"})
    first.apply(librarian)
    second = ChangeSet("form")
    second.update(Book, keys[0], {"pages": 120}, base={"pages": None})
    second.apply(librarian)
    third = ChangeSet("form")
    third.update(Book, keys[0], {"title": "Von Berger"}, base={"title": "Band 1"})
    with pytest.raises(FaultList) as refused:
        third.apply(librarian)
    conflict = refused.value.faults[0]
    assert isinstance(conflict, ConflictError)
    assert (conflict.original, conflict.theirs, conflict.ours, conflict.who) == (
        "Band 1",
        "Von Weber",
        "Von Berger",
        "Frau Weber",
    )
    assert (Book.get_by_id(keys[0]).title, Book.get_by_id(keys[0]).pages) == ("Von Weber", 120)


def test_rules_over_several_fields_hold_for_single_and_bulk_changes(librarian: Operator) -> None:
    keys = three_books(librarian)
    change = ChangeSet("form")
    change.update(Book, keys[0], {"printed_on": datetime.date(2026, 5, 1)})
    change.apply(librarian)
    selection = Selection.of_keys(spec_of(Book), librarian, keys)
    plan = plan_assign(selection, {"sold_until": datetime.date(2026, 4, 1)}, librarian)
    assert [(key, reason) for key, _title, reason in plan.refused] == [
        (keys[0], "verkauft bis: „2026-04-01“ liegt vor dem Druck.")
    ]
    bulk = ChangeSet("bulk")
    bulk.assign(selection, {"sold_until": datetime.date(2026, 4, 1)})
    with pytest.raises(FaultList):
        bulk.apply(librarian)
    without = ChangeSet("bulk")
    without.assign(selection, {"sold_until": datetime.date(2026, 4, 1)}, without=[keys[0]])
    assert without.apply(librarian).updated == 2


def test_bulk_change_counts_by_old_value_and_writes_just_the_difference(librarian: Operator) -> None:
    keys = three_books(librarian)
    single = ChangeSet("form")
    single.update(Book, keys[2], {"price": Decimal("5.00")})
    single.apply(librarian)
    found = Filter.from_text(spec_of(Book), "title__contains=Band", librarian)
    selection = Selection.of_filter(found, librarian)
    plan = plan_assign(selection, {"price": Decimal("5"), "genre": "novel"}, librarian)
    assert [(group.count, group.old, group.new, group.same) for group in plan.groups["price"]] == [
        (2, "19,99", "5,00", False),
        (1, "5,00", "5,00", True),
    ]
    assert (plan.count, plan.changed) == (3, 3)
    bulk = ChangeSet("bulk")
    bulk.assign(selection, {"price": Decimal("5"), "genre": "novel"}, expected=plan.state)
    applied = bulk.apply(librarian)
    assert applied.updated == 3
    rows = ChangeRecord.select().where(ChangeRecord.change_set == applied.change_set).order_by(ChangeRecord.id)
    assert [(row.field, row.old_value, row.new_value) for row in rows] == [
        ("price", '"19.99"', '"5.00"'),
        ("price", '"19.99"', '"5.00"'),
        ("genre", "null", '"novel"'),
        ("genre", "null", '"novel"'),
        ("genre", "null", '"novel"'),
    ]


def test_bulk_change_stops_when_a_row_changed_since_the_preview(librarian: Operator) -> None:
    keys = three_books(librarian)
    selection = Selection.of_keys(spec_of(Book), librarian, keys)
    plan = plan_assign(selection, {"pages": 100}, librarian)
    meanwhile = ChangeSet("form")
    meanwhile.update(Book, keys[1], {"title": "Neu"})
    meanwhile.apply(librarian)
    before = photograph()
    bulk = ChangeSet("bulk")
    bulk.assign(selection, {"pages": 100}, expected=plan.state)
    with pytest.raises(PlanChanged):
        bulk.apply(librarian)
    assert photograph() == before


def test_undo_of_a_bulk_change_restores_every_table(librarian: Operator) -> None:
    keys = three_books(librarian)
    before = photograph()
    bulk = ChangeSet("bulk")
    values = {
        "price": Decimal("7.50"),
        "pages": 300,
        "genre": "poem",
        "printed_on": datetime.date(2026, 2, 1),
        "note": "Zeile 1\nZeile „2“",
        "author": None,
    }
    bulk.assign(Selection.of_keys(spec_of(Book), librarian, keys), values)
    applied = bulk.apply(librarian)
    assert photograph() != before
    undone = ChangeSet.undo(applied.change_set or 0).apply(librarian)
    assert undone.updated == 3
    assert photograph() == before
    again = ChangeSet.undo(undone.change_set or 0).apply(librarian)
    assert again.updated == 3
    assert Book.get_by_id(keys[0]).note == "Zeile 1\nZeile „2“"


def test_undo_leaves_what_was_changed_since_and_lists_it(librarian: Operator) -> None:
    keys = three_books(librarian)
    bulk = ChangeSet("bulk")
    bulk.assign(Selection.of_keys(spec_of(Book), librarian, keys), {"pages": 300, "price": Decimal("1")})
    applied = bulk.apply(librarian)
    later = ChangeSet("form")
    later.update(Book, keys[1], {"pages": 250})
    later.apply(librarian)
    plan = plan_undo(applied.change_set or 0)
    assert plan.count == 3
    assert [(entry.label, entry.wanted, entry.current, entry.who) for entry in plan.conflicts] == [
        ("Seiten", "leer", "250", "Frau Weber")
    ]
    ChangeSet.undo(applied.change_set or 0).apply(librarian)
    assert [book.pages for book in Book.select().order_by(Book.id)] == [None, 250, None]
    assert [book.price for book in Book.select().order_by(Book.id)] == [Decimal("19.99")] * 3


def test_undo_of_new_records_removes_them_with_their_children(librarian: Operator) -> None:
    before = photograph()
    three_books(librarian)
    undone = ChangeSet.undo(ChangeSetRecord.get().id).apply(librarian)
    assert undone.deleted == 4
    assert photograph() == before


def test_a_removed_record_comes_back_with_its_children_and_key(librarian: Operator) -> None:
    keys = three_books(librarian)
    before = photograph()
    removal = ChangeSet("delete")
    removal.delete(Book, keys[0])
    applied = removal.apply(librarian)
    assert Loan.select().count() == 2
    ChangeSet.undo(applied.change_set or 0).apply(librarian)
    assert photograph() == before


def test_a_key_is_never_given_twice(librarian: Operator) -> None:
    keys = three_books(librarian)
    removal = ChangeSet("delete")
    removal.delete(Book, keys[2])
    removal.apply(librarian)
    change = ChangeSet("form")
    made = change.create(Book, {"isbn": "978-9", "title": "Neu"})
    change.apply(librarian)
    assert made.key is not None and made.key > keys[2]


def test_a_record_that_others_use_stays(librarian: Operator) -> None:
    three_books(librarian)
    before = photograph()
    removal = ChangeSet("delete")
    removal.delete(Author, Author.get().id)
    with pytest.raises(AppAdminError, match="wird noch verwendet"):
        removal.apply(librarian)
    assert photograph() == before


def test_search_finds_spellings_children_and_follows_changes(librarian: Operator) -> None:
    keys = three_books(librarian)

    def found(text: str) -> list[int]:
        selection = Selection.of_filter(Filter.from_text(spec_of(Book), f"search={text}", librarian), librarian)
        return selection.key_list()

    assert found("juergen gross") == keys
    assert found("JÜRGEN") == keys
    assert found("978-2") == [keys[1]]
    assert found("gibtesnicht") == []
    change = ChangeSet("form")
    change.update(Book, keys[0], {"title": "Das Schloß"})
    change.update(Loan, Loan.get(Loan.book == keys[0]).id, {"reader": "Žofia Muller"})
    change.apply(librarian)
    assert found("schloss") == [keys[0]]
    assert found("müller zofia") == [keys[0]]
    assert found("juergen") == keys[1:]


def test_history_reads_in_words_and_shows_children_below_their_owner(librarian: Operator) -> None:
    keys = three_books(librarian)
    change = ChangeSet("form", reason="Preisliste 2027")
    change.update(Book, keys[0], {"price": Decimal("1234.5") / 10, "author": None})
    change.create(Loan, {"book": keys[0], "reader": "Berger"})
    change.apply(librarian)
    specs = {spec.name: spec for spec in map(spec_of, MODELS)}
    lines = lines_of_record(spec_of(Book), keys[0], librarian, specs, limit=3)
    assert [(line.label, line.old, line.new, line.action, line.reason) for line in lines] == [
        ("Preis", "19,99", "123,45", "update", "Preisliste 2027"),
        ("Autor", "Ilse Aichinger", "", "update", "Preisliste 2027"),
        ("", "", "", "create", "Preisliste 2027"),
    ]


def test_an_operator_without_the_right_changes_nothing(librarian: Operator) -> None:
    keys = three_books(librarian)
    reader = Operator(None, "Leser", frozenset({"library.read"}))
    before = photograph()
    for change in (ChangeSet("form"), ChangeSet("delete"), ChangeSet("bulk")):
        if change.kind == "form":
            change.update(Book, keys[0], {"title": "Fremd"})
        elif change.kind == "delete":
            change.delete(Book, keys[0])
        else:
            change.assign(Selection.of_keys(spec_of(Book), reader, keys), {"pages": 1})
        with pytest.raises(AppAdminError, match="fehlt das Recht"):
            change.apply(reader)
    assert photograph() == before


def test_rehearsal_finds_the_same_and_writes_nothing(librarian: Operator) -> None:
    before = photograph()
    change = ChangeSet("import")
    change.create(Book, {"isbn": "978-1", "title": "Probe"})
    assert change.rehearse(librarian).created == 1
    assert photograph() == before
    assert change.apply(librarian).created == 1
    assert database.is_closed() is False


def test_a_set_step_tells_how_far_it_is_and_a_stop_takes_all_of_it_back(
    librarian: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_books(librarian)
    monkeypatch.setattr(assigning, "STRETCH", 2)
    before = photograph()
    told: list[tuple[int, int]] = []

    def change() -> ChangeSet:
        made = ChangeSet("bulk")
        made.assign(
            Selection.of_filter(Filter.from_text(spec_of(Book), "", librarian), librarian),
            {"price": Decimal("7"), "pages": 12},
        )
        return made

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done == 2:
            raise JobCancelled()

    with pytest.raises(JobCancelled):
        change().apply(librarian, progress=stop)
    assert (told, photograph()) == ([(0, 3), (2, 3)], before)
    assert not ChangeSetRecord.select().where(ChangeSetRecord.kind == "bulk").exists()
    told.clear()
    applied = change().apply(librarian, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (2, 3), (3, 3)]
    assert applied.updated == 3
    assert {(book.price, book.pages, book.version) for book in Book.select()} == {(Decimal("7"), 12, 2)}
    assert ChangeRecord.select().where(ChangeRecord.change_set == applied.change_set).count() == 6

    # One of them got only one of the values, and the way back is told and stopped like the way there.
    other = ChangeSet("bulk")
    other.assign(Selection.of_keys(spec_of(Book), librarian, [1, 2, 3]), {"price": Decimal("8")}, without=[1])
    other.assign(Selection.of_keys(spec_of(Book), librarian, [1]), {"pages": 13})
    mixed = other.apply(librarian)
    monkeypatch.setattr(restoring, "PIECE", 1)
    before = photograph()
    told.clear()
    with pytest.raises(JobCancelled):
        ChangeSet.undo(mixed.change_set or 0).apply(librarian, progress=stop)
    assert (told, photograph()) == ([(0, 5), (1, 5), (2, 5)], before)
    told.clear()
    undone = ChangeSet.undo(mixed.change_set or 0).apply(librarian, progress=lambda *pair: told.append(pair))
    assert told == [(0, 5), (1, 5), (2, 5), (3, 5), (6, 6)]
    assert (undone.updated, undone.skipped) == (3, ())
    assert {(book.price, book.pages, book.version) for book in Book.select()} == {(Decimal("7"), 12, 4)}

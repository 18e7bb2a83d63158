"""Taking back: whole operations, one record, one value; never over newer work; and what was taken back comes again."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flask_appadmin.changes import ChangeSet, UndoPart, plan_undo
from flask_appadmin.database import database
from flask_appadmin.errors import NotAllowed
from flask_appadmin.history import ChangeRecord, ChangeSetRecord, taken_back
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.selections import Selection
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Author, Book, Loan
from tests.appadmin.test_changes import photograph, three_books

BERGER = system_operator("Herr Berger")


def changed(operator: Operator, key: int, **values: Any) -> int:
    change = ChangeSet("form")
    change.update(Book, key, values)
    return change.apply(operator).change_set or 0


def assigned(operator: Operator, keys: list[int], **values: Any) -> int:
    change = ChangeSet("bulk")
    change.assign(Selection.of_keys(spec_of(Book), operator, keys), values)
    return change.apply(operator).change_set or 0


def test_a_part_of_an_operation_goes_back_alone_and_comes_again(librarian: Operator) -> None:
    first, second, third = three_books(librarian)
    before = photograph()
    bulk = assigned(librarian, [first, second, third], pages=300, price=Decimal("1"))
    after = photograph()

    one_record = UndoPart(record=("book", second))
    assert plan_undo(bulk, part=one_record).count == 1
    undone = ChangeSet.undo(bulk, part=one_record).apply(librarian)
    assert [(book.pages, book.price) for book in Book.select().order_by(Book.id)] == [
        (300, Decimal("1")), (None, Decimal("19.99")), (300, Decimal("1")),
    ]  # fmt: skip
    one_value = UndoPart(cell=("book", third, "pages"))
    ChangeSet.undo(bulk, part=one_value).apply(librarian)
    assert (Book.get_by_id(third).pages, Book.get_by_id(third).price) == (None, Decimal("1"))
    assert [(state.is_whole, title.partition(":")[0]) for state, title in told(bulk)] == [
        (False, "Zum Teil zurückgenommen")
    ]

    # The rest follows; what is back already is no conflict.
    assert plan_undo(bulk).conflicts == []
    rest = ChangeSet.undo(bulk).apply(librarian)
    assert photograph() == before
    assert taken_back([bulk])[bulk].is_whole
    ChangeSet.undo(rest.change_set or 0).apply(librarian)
    assert not taken_back([bulk])[bulk].is_whole
    ChangeSet.undo(bulk, part=one_value).apply(librarian)
    ChangeSet.undo(undone.change_set or 0).apply(librarian)
    assert Book.get_by_id(second).pages == 300
    assert photograph() != after


def told(change_set: int) -> list[tuple[Any, str]]:
    state = taken_back([change_set])[change_set]
    return [(state, ChangeSetRecord.get_by_id(state.by).title)]


def test_a_newer_value_gives_way_only_where_it_is_ticked(librarian: Operator) -> None:
    first, second, _third = three_books(librarian)
    bulk = assigned(librarian, [first, second], pages=300, price=Decimal("1"))
    changed(BERGER, first, pages=301, title="Von Berger")
    changed(BERGER, second, pages=302)
    conflicts = plan_undo(bulk).conflicts
    assert [(each.label, each.wanted, each.made, each.current, each.who) for each in conflicts] == [
        ("Seiten", "leer", "300", "301", "Herr Berger"),
        ("Seiten", "leer", "300", "302", "Herr Berger"),
    ]
    part = UndoPart(over=frozenset({conflicts[1].line}))
    assert len(plan_undo(bulk, part=part).conflicts) == 1
    before = photograph()
    undone = ChangeSet.undo(bulk, part=part).apply(librarian)
    books = {book.id: book for book in Book.select()}
    assert (books[first].pages, books[first].title, books[first].price) == (301, "Von Berger", Decimal("19.99"))
    assert books[second].pages is None
    assert len(undone.skipped) == 1
    line = ChangeRecord.get(ChangeRecord.change_set == undone.change_set, ChangeRecord.record_id == second)
    assert (line.old_value, line.new_value) == ("302", "null")
    ChangeSet.undo(undone.change_set or 0).apply(librarian)
    assert photograph() == before


def test_what_one_set_wrote_twice_or_wrote_and_removed_comes_back_as_it_was(librarian: Operator) -> None:
    first, second, _third = three_books(librarian)
    before = photograph()
    change = ChangeSet("import")
    change.update(Book, first, {"pages": 1})
    change.update(Author, Author.get().id, {"active": False})
    for number in range(2, 5):
        change.update(Book, first, {"pages": number}, source=f"Zeile {number}")
    applied = change.apply(librarian)
    after = photograph()
    assert plan_undo(applied.change_set or 0).conflicts == []
    undone = ChangeSet.undo(applied.change_set or 0).apply(librarian)
    assert photograph() == before
    ChangeSet.undo(undone.change_set or 0).apply(librarian)
    assert photograph() == after
    loan = Loan.get(Loan.book == second)
    change = ChangeSet("form")
    change.update(Book, second, {"pages": 7})
    change.delete(Loan, loan.id)
    applied = change.apply(librarian)
    ChangeSet.undo(applied.change_set or 0, part=UndoPart(cell=("loan", loan.id, None))).apply(librarian)
    assert (Loan.get_by_id(loan.id).reader, Book.get_by_id(second).pages) == ("Jürgen Groß", 7)


def test_after_a_final_operation_nothing_of_its_records_comes_back(
    librarian: Operator,
) -> None:
    first, second, _third = three_books(librarian)
    bulk = assigned(librarian, [first, second], pages=300)
    wiped = changed(librarian, first, title="[gelöscht]")
    ChangeSetRecord.update(kind="anonymise").where(ChangeSetRecord.id == wiped).execute()
    ChangeSet.undo(bulk).apply(librarian)
    assert [book.pages for book in Book.select().order_by(Book.id)] == [300, None, None]
    with pytest.raises(Exception, match="lässt sich nicht zurücknehmen"):
        ChangeSet.undo(wiped).apply(librarian)


def test_undo_needs_the_right_to_edit(librarian: Operator) -> None:
    keys = three_books(librarian)
    bulk = assigned(librarian, keys, pages=300)
    reader = Operator(None, "Leser", frozenset({"library.read", "undo.all"}))
    before = photograph()
    with pytest.raises(NotAllowed):
        ChangeSet.undo(bulk).apply(reader)
    assert photograph() == before


_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "pages": st.one_of(st.none(), st.integers(1, 4)),
    "price": st.one_of(st.none(), st.sampled_from([Decimal("1"), Decimal("2.5"), Decimal("0")])),
    "genre": st.sampled_from([None, "novel", "poem"]),
    "printed_on": st.sampled_from([None, datetime.date(2026, 1, 2)]),
    "note": st.sampled_from([None, "Zeile 1\nZeile „2“", "ä\\u"]),
}
_VALUES = st.dictionaries(st.sampled_from(sorted(_FIELDS)), st.none(), min_size=1, max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: _FIELDS[name] for name in names})
)
#: (which books, new values) per operation; one book is a form, several are a bulk change.
_STEPS = st.lists(st.tuples(st.sets(st.integers(0, 2), min_size=1), _VALUES), min_size=2, max_size=6)


_CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=20, deadline=None, suppress_health_check=_CHECKS)
@given(steps=_STEPS, which=st.integers(0, 5))
def test_undo_reverts_exactly_what_nobody_touched_since(librarian: Operator, steps: Any, which: int) -> None:
    check_random_history(librarian, steps, which)


@pytest.mark.soak
@settings(max_examples=1000, deadline=None, suppress_health_check=_CHECKS)
@given(steps=_STEPS, which=st.integers(0, 5))
def test_a_thousand_random_histories(librarian: Operator, steps: Any, which: int) -> None:
    """trust.md B6."""
    check_random_history(librarian, steps, which)


def check_random_history(librarian: Operator, steps: list[tuple[set[int], dict[str, Any]]], which: int) -> None:
    with database.atomic():
        for table in (ChangeRecord, ChangeSetRecord, Loan, Book, Author):
            table.delete().execute()
    keys = three_books(librarian)
    made: list[tuple[int, dict[tuple[int, str], tuple[Any, Any]]]] = []
    for chosen, values in steps:
        before = _cells(keys)
        picked = [keys[number] for number in sorted(chosen)]
        if len(picked) == 1:
            done = changed(librarian, picked[0], **values)
        else:
            done = assigned(BERGER, picked, **values)
        after = _cells(keys)
        if done:
            made.append((done, {cell: (before[cell], after[cell]) for cell in before if before[cell] != after[cell]}))
    if not made:
        return
    target, effect = made[which % len(made)]
    now = _cells(keys)
    untouched = {cell for cell, (_old, new) in effect.items() if now[cell] == new}
    newer = {cell for cell, (old, new) in effect.items() if now[cell] not in (old, new)}
    plan = plan_undo(target)
    assert {(each.record_id, each.label) for each in plan.conflicts} == {
        (key, str(spec_of(Book).field(name).label)) for key, name in newer
    }
    sets = ChangeSetRecord.select().count()
    undone = ChangeSet.undo(target).apply(librarian)
    assert _cells(keys) == {**now, **{cell: effect[cell][0] for cell in untouched}}
    assert len(undone.skipped) == len(newer)
    assert ChangeSetRecord.select().count() == sets + (1 if untouched else 0)
    if undone.change_set is not None:
        ChangeSet.undo(undone.change_set).apply(BERGER)
        assert _cells(keys) == now


def _cells(keys: list[int]) -> dict[tuple[int, str], Any]:
    return {(book.id, name): getattr(book, name) for book in Book.select() for name in _FIELDS}


@pytest.mark.engines("sqlite")
def test_an_import_of_five_thousand_rows_is_taken_back_but_for_newer_work(librarian: Operator) -> None:
    """goals.md M1, with its figures."""
    base = ChangeSet("load")
    author = base.create(Author, {"name": "Ilse Aichinger"})
    old = [
        base.create(Book, {"isbn": f"alt-{number}", "title": f"Band {number}", "author": author, "price": Decimal("9")})
        for number in range(4_000)
    ]
    base.apply(librarian)
    before = photograph()
    rows = ChangeSet("import", source="buecher.xlsx")
    for number, book in enumerate(old):
        rows.update(Book, book.key or 0, {"price": Decimal("12.50")}, source=f"Zeile {number + 2}")
    for number in range(1_000):
        new = rows.create(Book, {"isbn": f"neu-{number}", "title": "Neu", "author": author})
        rows.create(Loan, {"book": new, "reader": "Jürgen Groß"})
    imported = rows.apply(librarian).change_set or 0

    colleague = ChangeSet("list")
    touched, others = old[:20], old[100:117]
    for book in touched:
        colleague.update(Book, book.key or 0, {"price": Decimal("13")})
    for book in others:
        colleague.update(Book, book.key or 0, {"note": "angerufen"})
    colleague.apply(BERGER)
    worked_on = photograph()

    plan = plan_undo(imported, operator=librarian, listed=100)
    assert (plan.updated, plan.conflict_count) == (3_980, 20)
    assert {(each.wanted, each.made, each.current, each.who) for each in plan.conflicts} == {
        ("9,00", "12,50", "13,00", "Herr Berger")
    }
    assert sorted(each.record_id for each in plan.conflicts) == sorted(book.key or 0 for book in touched)
    undone = ChangeSet.undo(imported).apply(librarian)
    assert (undone.updated, undone.deleted, len(undone.skipped)) == (3_980, 1_000, 20)

    after = photograph()
    assert (after["author"], after["loan"]) == (before["author"], before["loan"])
    differing = [row[0] for row, was in zip(after["book"], before["book"], strict=True) if row != was]
    assert differing == [book.key for book in (*touched, *others)]
    assert {book.price for book in Book.select().where(Book.id.in_([book.key for book in touched]))} == {Decimal("13")}
    assert Book.select().where(Book.note == "angerufen", Book.price == Decimal("9")).count() == 17
    ChangeSet.undo(undone.change_set or 0).apply(librarian)
    assert photograph() == worked_on

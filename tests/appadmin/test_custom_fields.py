"""Fields that operators define, at the gateway: written, compared, told, taken back and removed like declared ones."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from flask_appadmin.arrangements import arranged
from flask_appadmin.changes import ChangeSet, known_specs, make_transform, plan_assign, plan_undo
from flask_appadmin.copying import plan_copy
from flask_appadmin.customfields import CustomField, CustomFieldValue, complete
from flask_appadmin.errors import ConflictError, FaultList
from flask_appadmin.history import lines_of_record, lines_of_set
from flask_appadmin.rights import Operator
from flask_appadmin.selections import Selection
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Book, Loan

BOOK, LOAN = spec_of(Book), spec_of(Loan)


def define(operator: Operator, label: str, **values: Any) -> str:
    """Defines a field; answers the name it goes by."""
    change = ChangeSet("form")
    made = change.create(CustomField, {"entity": "book", "tab": "Vertrieb", "label": label, **values})
    change.apply(operator)
    return f"custom_{made.key}"


def book_values(*names: str) -> list[tuple[Any, ...]]:
    return list(Book.select(*(BOOK.field(name).column_field for name in names)).order_by(Book.id).tuples())


def faults(change: ChangeSet, operator: Operator) -> list[str]:
    with pytest.raises(FaultList) as refused:
        change.apply(operator)
    return [fault.sentence() for fault in refused.value.faults]


def test_values_of_defined_fields_go_the_way_of_all_values(librarian: Operator) -> None:
    with arranged(librarian):
        fair = define(librarian, "Messe", length=10)
        stock = define(librarian, "Bestand", field_type="integer", length=4)
        weight = define(librarian, "Gewicht", field_type="decimal")
        seen = define(librarian, "Gesehen", field_type="date")
        signed = define(librarian, "Signiert", field_type="bool")
        mood = define(librarian, "Laune", entity="loan")
    names = (fair, stock, weight, seen, signed)
    filled = ("Leipzig", 12, Decimal("1.50"), datetime.date(2026, 3, 19), True)

    # What was defined counts from the next request on, in every process; outside of one nobody knows of it.
    assert BOOK.further_fields == ()
    with arranged(librarian):
        assert [str(item.label) for item in BOOK.data_fields[-5:]] == [
            "Messe", "Bestand", "Gewicht", "Gesehen", "Signiert"
        ]  # fmt: skip
        change = ChangeSet("form")
        full = change.create(Book, {"isbn": "1", "title": "Eins", **dict(zip(names, filled, strict=True))})
        change.create(Book, {"isbn": "2", "title": "Zwei"})
        loan = change.create(Loan, {"book": full, "reader": "Anna", mood: "heiter"})
        made = change.apply(librarian)
        assert book_values(*names) == [filled, (None, None, None, None, False)]
        assert complete(LOAN, [{"id": loan.key}]) == [{"id": loan.key, mood: "heiter"}]

        # Changed: only what differs, under the name the operator gave it, at the record's own version.
        key, other = full.key, Book.get(Book.isbn == "2").id
        change = ChangeSet("form")
        change.update(Book, key, {fair: "Frankfurt", stock: 12, weight: Decimal("2"), signed: False})
        change.update(Book, other, {"title": "Zwo", seen: datetime.date(2026, 1, 2), signed: False})
        changed = change.apply(librarian)
        assert (changed.updated, Book.get_by_id(key).version, Book.get_by_id(other).version) == (2, 2, 2)
        assert book_values(*names) == [
            ("Frankfurt", 12, Decimal("2.00"), datetime.date(2026, 3, 19), False),
            (None, None, None, datetime.date(2026, 1, 2), False),
        ]
        told = lines_of_set(changed.change_set, librarian, known_specs())
        assert [(line.record_id, line.label, line.old, line.new) for line in told] == [
            (key, "Messe", "Leipzig", "Frankfurt"),
            (key, "Gewicht", "1,50", "2,00"),
            (key, "Signiert", "Ja", "Nein"),
            (other, "Gesehen", "", "02.01.2026"),
            (other, "Titel", "Zwei", "Zwo"),
        ]
        assert {line.label for line in lines_of_record(BOOK, key, librarian, known_specs())} >= {"Messe", "Gewicht"}

        # Somebody else was faster.
        late = ChangeSet("form")
        late.update(Book, key, {fair: "Basel"}, base={fair: "Leipzig"})
        with pytest.raises(FaultList) as refused:
            late.apply(librarian)
        [conflict] = refused.value.faults
        assert isinstance(conflict, ConflictError) and conflict.stored == "Frankfurt"

        # Length and type hold (ME-140).
        wrong = ChangeSet("form")
        wrong.update(Book, key, {fair: "Elf Zeichen", stock: 10_000, weight: Decimal("1.234")})
        assert faults(wrong, librarian) == [
            "Messe: „Elf Zeichen“ ist zu lang (11 Zeichen). Höchstens 10 Zeichen passen hinein.",
            "Bestand: „10000“ ist zu groß. Erlaubt ist -9999 bis 9999.",
            "Gewicht: „1,234“ hat zu viele Stellen hinter dem Komma. Erlaubt sind 2.",
        ]

        # Taken back, except what was changed since; and taken back again.
        since = ChangeSet("form")
        since.update(Book, key, {weight: Decimal("3")})
        since.apply(librarian)
        plan = plan_undo(changed.change_set, operator=librarian)
        assert [(entry.label, entry.wanted, entry.current) for entry in plan.conflicts] == [("Gewicht", "1,50", "3,00")]
        undone = ChangeSet.undo(changed.change_set).apply(librarian)
        state = [
            ("Leipzig", 12, Decimal("3.00"), datetime.date(2026, 3, 19), True),
            (None, None, None, None, False),
        ]
        assert book_values(*names) == state
        ChangeSet.undo(undone.change_set).apply(librarian)
        assert [row[0] for row in book_values(fair)] == ["Frankfurt", None]
        only = ChangeSet("form")
        only.update(Book, key, {fair: "Leipzig", signed: True})
        only_set = only.apply(librarian).change_set
        assert Book.get_by_id(other).version == 4
        assert ChangeSet.undo(only_set).apply(librarian).updated == 1
        ChangeSet.undo(only_set + 1).apply(librarian)

        # A copy takes them along, a removal takes them away, and taking it back brings them again.
        copy, copied = plan_copy(BOOK, key, librarian, full=True)
        copied.values["isbn"] = "3"
        copy.apply(librarian)
        assert book_values(*names)[-1] == book_values(*names)[0]
        assert CustomFieldValue.select().where(CustomFieldValue.value == "heiter").count() == 2
        gone = ChangeSet("delete")
        gone.delete(Book, key)
        gone_set = gone.apply(librarian).change_set
        assert {row.record_id for row in CustomFieldValue.select()} & {key, loan.key} == ({loan.key} & {copied.key})
        ChangeSet.undo(gone_set).apply(librarian)
        assert book_values(*names)[0] == ("Leipzig", 12, Decimal("3.00"), datetime.date(2026, 3, 19), True)
        assert complete(LOAN, [{"id": loan.key}])[0][mood] == "heiter"

        # Many at once, by the database: what differs, told and taken back.
        both = Selection.of_keys(BOOK, librarian, [key, other])
        new = {fair: "Wien", signed: True, weight: None, "pages": 7}
        assert plan_assign(both, dict(new), librarian).changed == 2
        many = ChangeSet("bulk")
        many.assign(both, dict(new))
        done = many.apply(librarian)
        assert done.updated == 2
        rows = [("Wien", True, None, 7), ("Wien", True, None, 7)]
        before = [("Leipzig", True, Decimal("3.00"), None), (None, False, None, None)]
        assert book_values(fair, signed, weight, "pages")[:2] == rows
        assert len(lines_of_set(done.change_set, librarian, known_specs())) == 6
        ChangeSet.undo(done.change_set).apply(librarian)
        assert book_values(fair, signed, weight, "pages")[:2] == before
        # Made of what is there, also where that changes at the same time.
        noted = ChangeSet("form")
        noted.update(Book, key, {"note": "Eins"})
        noted.apply(librarian)
        made_of = {
            fair: make_transform(BOOK, BOOK.field(fair), "copy", ["note"]),
            weight: make_transform(BOOK, BOOK.field(weight), "percent", ["100"]),
            "note": make_transform(BOOK, BOOK.field("note"), "copy", [fair]),
        }
        many = ChangeSet("bulk")
        many.assign(Selection.of_keys(BOOK, librarian, [key]), dict(made_of))
        done = many.apply(librarian)
        assert book_values(fair, weight, "note")[0] == ("Eins", Decimal("6.00"), "Leipzig")
        ChangeSet.undo(done.change_set).apply(librarian)
        assert book_values(fair, weight, "note")[0] == ("Leipzig", Decimal("3.00"), "Eins")

        # Values are found and sorted by like columns.
        column = BOOK.field(weight).column_field
        assert [row.id for row in Book.select().where(column >= Decimal("3")).order_by(column, Book.id)] == [
            key, copied.key
        ]  # fmt: skip
        assert Book.select().where(BOOK.field(signed).column_field == False).count() == 1  # noqa: E712

        # A definition with values stays, so does their making; without them it goes.
        definition = int(fair.partition("_")[2])
        for change in (ChangeSet("delete"), ChangeSet.undo(made.change_set - 6)):
            if change.kind == "delete":
                change.delete(CustomField, definition)
                assert faults(change, librarian) == [
                    "Zusatzfeld Messe wird noch verwendet (2 Werte) und wurde nicht gelöscht."
                ]
            else:
                assert change.apply(librarian).change_set is None
        assert CustomField.select().where(CustomField.id == definition).exists()

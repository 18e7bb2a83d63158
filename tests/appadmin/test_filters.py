"""Filters: what a URL means, which records it finds, how it reads, and that it survives its own writing."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import fixed_clock
from flask_appadmin.errors import FilterError
from flask_appadmin.filters import Filter, FilterNotAllowed
from flask_appadmin.i18n import use_locale
from flask_appadmin.rights import Operator
from flask_appadmin.specs import spec_of
from tests.appadmin.library import Author, Book, Loan

DAY = datetime.date
NOW = datetime.datetime(2026, 11, 21, 11, 0)
SPEC = spec_of(Book)


@pytest.fixture
def books(librarian: Operator) -> Iterator[Operator]:
    """A to F: four with loans, one changed last week, one changed in spring."""
    with fixed_clock(datetime.datetime(2026, 1, 5, 9, 0)):
        change = ChangeSet("form")
        kafka = change.create(Author, {"name": "Kafka"})
        droste = change.create(Author, {"name": "Droste", "active": False})
        rows = {
            "A": {"title": "Das Schloß", "author": kafka, "price": Decimal("9.90"), "genre": "novel", "pages": 300},
            "B": {"title": "ÄPFEL 100%", "price": Decimal("20"), "genre": "novel", "printed_on": DAY(2026, 11, 20)},
            "C": {"title": "Gedichte", "author": droste, "genre": "poem", "printed_on": DAY(2026, 11, 21)},
            "D": {"title": "äpfel_und O'Birnen", "author": kafka, "pages": 30, "printed_on": DAY(2026, 12, 1)},
            "E": {"title": "12345", "note": "Größe: groß", "printed_on": DAY(2020, 2, 29)},
            "F": {"title": "Ende", "genre": "novel", "note": "leer"},
        }
        keys = {isbn: change.create(Book, {"isbn": isbn, **row}) for isbn, row in rows.items()}
        change.create(Loan, {"book": keys["A"], "reader": "Anna", "returned": True, "lent_on": DAY(2026, 1, 1)})
        change.create(Loan, {"book": keys["A"], "reader": "Bert", "returned": False, "lent_on": DAY(2026, 3, 1)})
        change.create(Loan, {"book": keys["B"], "reader": "Anna", "returned": False, "lent_on": DAY(2026, 3, 1)})
        loan = change.create(Loan, {"book": keys["C"], "reader": "Carl", "returned": True})
        change.apply(librarian)
    for moment, isbn, who in (
        (datetime.datetime(2026, 4, 1, 22, 30), "A", librarian),
        (datetime.datetime(2026, 11, 15, 8, 0), "B", Operator(None, "Herr Meier", librarian.rights)),
    ):
        with fixed_clock(moment):
            change = ChangeSet("form")
            change.update(Book, Book.get(Book.isbn == isbn).id, {"title": Book.get(Book.isbn == isbn).title + "!"})
            change.apply(who)
    with fixed_clock(datetime.datetime(2026, 11, 20, 8, 0)):
        change = ChangeSet("form")
        change.update(Loan, Loan.get(Loan.reader == "Carl").id, {"reader": "Karl"})
        change.apply(librarian)
    assert loan is not None
    with fixed_clock(NOW):
        yield librarian


def found(text: str, operator: Operator) -> str:
    condition = Filter.from_text(SPEC, text, operator).where(operator)
    query = Book.select(Book.isbn).order_by(Book.isbn)
    return "".join(row[0] for row in (query if condition is None else query.where(condition)).tuples())


CASES = [
    # text
    ("title__contains=pfel", "BD", "Titel enthält „pfel“"),
    ("title__contains=Äpfel", "BD", "Titel enthält „Äpfel“"),
    ("title__contains=SCHLOSS", "", "Titel enthält „SCHLOSS“"),
    ("title__contains=schloß", "A", "Titel enthält „schloß“"),
    ("title__contains=%25", "B", "Titel enthält „%“"),
    ("title__contains=_", "D", "Titel enthält „_“"),
    ("title__contains=%5C", "", "Titel enthält „\\“"),
    ("title__contains=O'B", "D", "Titel enthält „O'B“"),
    ("title__lacks=e", "AE", "Titel enthält nicht „e“"),
    ("title__begins=ä", "BD", "Titel beginnt mit „ä“"),
    ("title__begins=123", "E", "Titel beginnt mit „123“"),
    ("title__begins=12", "E", None),
    ("title__begins=9", "", None),
    ("title__begins=99", "", None),
    ("title__begins=-", "", None),
    ("title__ends=E", "CF", "Titel endet mit „E“"),
    ("title=Gedichte", "C", "Titel ist Gedichte"),
    ("title=Gedichte&title=Ende", "CF", "Titel ist Gedichte oder Ende"),
    ("note__contains=GRÖSSE", "", "Notiz enthält „GRÖSSE“"),
    ("note__contains=GRÖ", "E", "Notiz enthält „GRÖ“"),
    ("note__lacks=leer", "ABCDE", "Notiz enthält nicht „leer“"),
    # nothing there
    ("author__empty=1", "BEF", "Autor ist leer"),
    ("author=", "BEF", "Autor ist leer"),
    ("author__filled=1", "ACD", "Autor ist ausgefüllt"),
    ("genre__not=novel", "CDE", "Gattung ist nicht Roman"),
    ("genre__not=novel&genre__not=poem", "DE", "Gattung ist nicht Roman oder Gedicht"),
    # choices and references, by code and by word
    ("genre=poem", "C", "Gattung ist Gedicht"),
    ("genre=Gedicht", "C", "Gattung ist Gedicht"),
    ("author=Kafka", "AD", "Autor ist Kafka"),
    ("author=Kafka&author=Droste", "ACD", "Autor ist Kafka oder Droste"),
    # numbers
    ("price__from=9.90", "AB", "Preis ab 9,90"),
    ("price__from=9,91", "B", "Preis ab 9,91"),
    ("price__between=5&price__between=10", "A", "Preis zwischen 5,00 und 10,00"),
    ("pages__to=30", "D", "Seiten bis 30"),
    ("pages=３０", "D", "Seiten ist 30"),
    # days
    ("printed_on=today", "C", "gedruckt am ist heute"),
    ("printed_on__from=heute-1", "BCD", "gedruckt am ab heute − 1 Tage"),
    ("printed_on__last=1", "BC", "gedruckt am in den letzten 1 Tagen"),
    ("printed_on__next=30", "CD", "gedruckt am in den nächsten 30 Tagen"),
    ("printed_on__to=31.12.2020", "E", "gedruckt am bis 31.12.2020"),
    ("printed_on__between=2026-11-20&printed_on__between=today", "BC", "gedruckt am zwischen 20.11.2026 und heute"),
    ("updated_at__from=2026-04-01", "AB", "Geändert ab 01.04.2026"),
    # the change of 1 April, 22:30 in Greenwich, was on 2 April here
    ("updated_at=2026-04-02", "A", "Geändert ist 02.04.2026"),
    ("updated_at__to=2026-04-01", "CDEF", "Geändert bis 01.04.2026"),
    ("updated_at__last=7", "B", "Geändert in den letzten 7 Tagen"),
    # children: all questions to one table are about the same child
    ("loan.reader=Anna", "AB", "hat Ausleihen mit: Leser ist Anna"),
    ("loan.reader=Anna&loan.returned=0", "B", "hat Ausleihen mit: Leser ist Anna, zurück ist Nein"),
    ("no.loan.reader=Anna", "CDEF", "hat keine Ausleihen mit: Leser ist Anna"),
    ("loan__empty=1", "DEF", "hat keine Ausleihen"),
    ("loan__filled=1", "ABC", "hat Ausleihen"),
    ("loan.lent_on__empty=1", "C", "hat Ausleihen mit: ausgeliehen am ist leer"),
    ("all=loan.reader%3DAnna&all=loan.returned%3D0", "AB", None),
    # what a reference leads to
    ("author.active=0", "C", "Autor mit: Aktiv ist Nein"),
    ("no.author.active=0", "ABDEF", "Autor nicht mit: Aktiv ist Nein"),
    # groups
    ("any=genre%3Dpoem%26pages%3D30", "CD", "Gattung ist Gedicht oder Seiten ist 30"),
    ("none=genre%3Dpoem%26pages%3D30", "ABEF", "nicht: Gattung ist Gedicht oder Seiten ist 30"),
    (
        "genre=novel&any=" + "price__from%3D15%26all%3D" + "pages__from%253D100%2526author%253DKafka",
        "AB",
        "Gattung ist Roman, Preis ab 15,00 oder (Seiten ab 100 und Autor ist Kafka)",
    ),
    # the past
    ("history.title__from=2026-11-01", "B", "Titel geändert seit 01.11.2026"),
    ("history.title__last=365", "AB", "Titel geändert in den letzten 365 Tagen"),
    ("history.title=2026-04-02", "A", "Titel geändert am 02.04.2026"),
    ("no.history.title__last=30", "ACDEF", "Titel nicht geändert in den letzten 30 Tagen"),
    ("history.title__last=365&history.title__by=meier", "B", None),
    ("history.any__last=3650", "AB", "Irgendein Feld geändert in den letzten 3.650 Tagen"),
    ("history.loan.reader__from=today-1", "C", "Leser (Ausleihen) geändert seit heute − 1 Tage"),
    # together
    ("genre=novel&price__from=1", "AB", "Gattung ist Roman, Preis ab 1,00"),
    ("", "ABCDEF", "alle"),
]


@pytest.mark.req("NE-04", partly=True)
def test_a_filter_finds_what_its_sentence_says_and_survives_being_a_link(books: Operator) -> None:
    for text, isbns, sentence in CASES:
        read = Filter.from_text(SPEC, text, books)
        assert (text, found(text, books)) == (text, isbns)
        assert sentence is None or read.describe() == sentence
        again = Filter.from_text(SPEC, read.to_text(), books)
        assert (again.to_text(), again.describe()) == (read.to_text(), read.describe())
        assert (text, found(read.to_text(), books)) == (text, isbns)


def test_the_words_between_the_labels_are_english_in_english(books: Operator) -> None:
    with use_locale("en"):
        text = "no.history.title__last=30&loan.reader=Anna&any=genre%3Dpoem%26pages%3D30"
        sentence = Filter.from_text(SPEC, text, books).describe()
    # The labels of the library are German; some of its words stand in other catalogues.
    assert re.fullmatch(r".+ not changed in the last 30 days, has .+ with: .+ is Anna, .+ is .+ or .+ is 30", sentence)


REFUSED = [
    ("foo=1", "Diesen Filter gibt es hier nicht"),
    ("flt0_0=1", "Diesen Filter gibt es hier nicht"),
    ("loan.foo=1", "Diesen Filter gibt es hier nicht"),
    ("foo.bar=1", "Diesen Filter gibt es hier nicht"),
    ("title.bar=1", "Diesen Filter gibt es hier nicht"),
    ("no.loan=1", "Diesen Filter gibt es hier nicht"),
    ("no.title=1", "Diesen Filter gibt es hier nicht"),
    ("history=1", "Diesen Filter gibt es hier nicht"),
    ("history.foo__from=today", "Diesen Filter gibt es hier nicht"),
    ("history.title__contains=1", "passt nicht"),
    ("history.title__from=gestern", "ist kein Zeitpunkt"),
    ("loan__from=1", "Diesen Filter gibt es hier nicht"),
    ("title__from=1", "passt nicht zum Feld „Titel“"),
    ("pages__contains=1", "passt nicht zum Feld „Seiten“"),
    ("pages=999999999999999999999999999999", "ist keine ganze Zahl"),
    ("pages=1e5", "ist keine ganze Zahl"),
    ("pages=0x10", "ist keine ganze Zahl"),
    ("pages=1_000", "ist keine ganze Zahl"),
    ("price=NaN", "ist keine Zahl"),
    ("price=Infinity", "ist keine Zahl"),
    ("price__from=", "Bitte einen Wert angeben"),
    ("title__contains=%20", "Bitte einen Wert angeben"),
    ("printed_on=31.02.2026", "ist kein Datum"),
    ("printed_on=0000-00-00", "ist kein Datum"),
    ("printed_on=9999-12-31", "außerhalb der Jahre"),
    ("history.title=", "Bitte einen Wert angeben"),
    ("history.title=9999-12-31", "außerhalb der Jahre"),
    ("printed_on__last=0", "ist keine Zahl von Tagen"),
    ("printed_on__last=-1", "ist keine Zahl von Tagen"),
    ("printed_on__from=today-999999", "ist kein Datum"),
    ("pages__between=5", "Hier werden 2 Werte gebraucht"),
    ("pages__between=5&pages__between=3", "5 liegt hinter 3"),
    ("printed_on__between=today&printed_on__between=today-3", "liegt hinter"),
    ("genre=krimi", "gibt es hier nicht"),
    ("author=Niemand", "ist unter „Autoren“ nicht vorhanden"),
    ("title=%00", "ist kein gültiger Wert"),
    ("title=" + "x" * 501, "ist kein gültiger Wert"),
    (urlencode([("title", str(number)) for number in range(501)]), "Höchstens 500 Werte"),
    ("any=", "Diese Gruppe ist leer"),
    ("any=search%3Dx", "kann nicht in einer Gruppe stehen"),
    ("any=foo%3D1", "Diesen Filter gibt es hier nicht"),
]


def test_what_cannot_be_understood_is_named_and_nothing_is_shown_instead(books: Operator) -> None:
    for text, words in REFUSED:
        with pytest.raises(FilterError) as refused:
            Filter.from_text(SPEC, text, books)
        assert words in refused.value.sentence(), text
        assert "nicht ungefiltert" in refused.value.sentence()


def test_a_filter_has_at_most_thirty_questions_and_five_levels(books: Operator) -> None:
    thirty = [("any", "pages=1&price=2")] * 15
    assert found(urlencode(thirty), books) == ""
    with pytest.raises(FilterError) as refused:
        Filter.from_pairs(SPEC, [*thirty, ("genre", "poem")], books)
    assert "Höchstens 30 Filter" in refused.value.sentence()
    deep = "pages=1"
    for _level in range(6):
        deep = urlencode([("all", deep)])
    with pytest.raises(FilterError) as refused:
        Filter.from_text(SPEC, deep, books)
    assert "höchstens 5 Ebenen" in refused.value.sentence()


def test_who_may_not_look_back_may_not_filter_by_the_past(books: Operator) -> None:
    reader = Operator(None, "Lesend", frozenset({"library.read"}))
    with pytest.raises(FilterNotAllowed) as refused:
        Filter.from_text(SPEC, "history.title__last=3", reader)
    assert "Historie sehen" in refused.value.sentence()
    assert found("loan.reader=Anna", reader) == "AB"

"""Columns become fields: ticks and their opposites, saved mappings and their editor, unknown values, corrections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from flask_appadmin.sheets.mapping import guess_targets
from models import Contact, Customer
from tests.customers.test_import_modes import SPEC, WEBER, Desk, of, store

pytest_plugins = ("tests.customers.test_import_modes",)


@pytest.mark.req("ME-19", "ME-33")
@pytest.mark.engines("sqlite")
def test_a_tick_is_set_by_1_and_its_opposite_turned_round(desk: Desk) -> None:
    for number, values in {
        10001: {},
        10002: {"status": "locked", "active": False},
        10003: {"freight_free": True},
        10004: {"freight_free": True},
        10005: {"freight_free": True},
    }.items():
        store(Customer, customer_number=number, name_1="A", **values)

    def states(field: str, *numbers: int) -> list[Any]:
        return [getattr(of(number), field) for number in numbers]

    # 1 sets, 0 clears, everything else is named; blank cells follow the switch, „<leer>“ does not.
    cells = {10001: 1, 10002: "ja", 10003: "0", 10004: "", 10005: "<leer>", 10900: "", 10901: 1}
    rows: list[Sequence[Any]] = [(number, "A", cell) for number, cell in cells.items()]
    report = desk.lines(("Nummer", "Name 1", "Frachtfrei"), *rows)
    assert (report.changed, report.errors, report.unchanged, report.new) == (3, 1, 1, 2), report
    assert "Zeile 3, Spalte „Frachtfrei“: „ja“ ist weder 1 (ja) noch 0 (nein)" in report.findings[0]
    assert states("freight_free", 10001, 10002, 10003, 10004, 10005) == [True, False, False, True, False]
    assert states("freight_free", 10900, 10901) == [False, True]
    desk.lines(("Nummer", "Frachtfrei"), (10001, ""), (10004, ""), blank="clear")
    assert states("freight_free", 10001, 10004) == [False, False]

    # „Nicht Aktiv“ is the column „Aktiv“ turned round; the status stays.
    found = guess_targets(SPEC, ["Nicht Aktiv", "keine Sammelrechnung", "Aktiv"], [["1", "1", "Ja"]], WEBER)
    assert [guess.target for guess in found] == ["!active", "!collective_invoice", "active"]
    words = "Nummer;Name 1;Nicht Aktiv;keine Sammelrechnung;Ansprechpartner Name 1;Ansprechpartner Nicht Aktiv"
    rows = [
        (10001, "A", 1, 1, "Kern", 1), (10002, "A", 0, 0, "Kern", 0), (10003, "A", "", "", "", ""),
        (10004, "A", "nein", 0, "", ""), (10902, "A", "", "", "", ""), (10903, "A", 1, 0, "", ""),
    ]  # fmt: skip
    report = desk.lines(words.split(";"), *rows, blank="clear")
    assert (report.changed, report.errors, report.new) == (3, 1, 4), report
    assert "Spalte „Nicht Aktiv“: „nein“" in report.findings[0]
    assert states("active", 10001, 10002, 10003, 10902, 10903) == [False, True, True, True, False]
    assert states("status", 10001, 10002) == ["active", "locked"]
    assert states("collective_invoice", 10001, 10002, 10003, 10902, 10903) == [False, True, True, False, True]
    assert [row.active for row in Contact.select().order_by(Contact.id)] == [False, True]

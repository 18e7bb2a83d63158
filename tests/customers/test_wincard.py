"""Wincard customers come in from the head office's file: found by their card, made where the card is unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from actions.import_sheet import run_import
from domain.values.groups import CardType
from domain.wincard import SCHEMA, make_schema
from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import FaultList, NotAllowed
from flask_appadmin.rights import Operator
from flask_appadmin.sheets.sessions import ImportRow, ImportSchema
from flask_appadmin.specs import spec_of
from models import Customer, CustomerCard
from tests.customers.test_documents import clerk, customer, make
from tests.customers.test_spreadsheets import apply, follow, run_of, upload
from tests.spreadsheets import form_values, tiles_of, words_of, write_csv

SPEC = spec_of(Customer)
HEAD = [
    "Kartennummer", "Name 1", "Ort", "Werbung Post", "Werbung E-Mail", "Werbung Telefon", "Werbung SMS", "Werbung Fax",
]  # fmt: skip
FLAGS = ("consent_post", "consent_email", "consent_phone", "consent_sms", "consent_fax")


def by_card(number: str) -> Any:
    return CustomerCard.get(CustomerCard.card_number == number).customer


def flags(number: str) -> list[bool]:
    return [getattr(by_card(number), name) for name in FLAGS]


@pytest.mark.req("NE-65", "NE-66")
def test_cards_find_their_customers_and_unknown_ones_make_new(operator: FlaskClient, tmp_path: Path) -> None:
    plain = CardType.get(~CardType.is_wincard)
    one = customer(1, consent_email=True, consent_phone=True)
    make(CustomerCard, customer=one.id, card_number="556", card_type=plain.id)
    make(CustomerCard, customer=one.id, card_number="557", card_type=plain.id)
    rows = [
        ["555", "Neu", "Graz", "yes", "no", "no", "yes", "no"],
        ["556", "Eins", "Linz", "Ja", "Nein", "Nein", "1", "0"],
    ]
    path = write_csv(tmp_path / "wincard.csv", [HEAD, *rows])
    page, url = follow(operator, upload(operator, path, schema=SCHEMA))
    values = form_values(page)
    assert values["key"] == "customer_card.card_number" and "Kundenkarte: Kundenkarten-Nr." in page
    page, _url = follow(operator, operator.post(url, data={**values, "_do": "preview"}))
    counts = tiles_of(page)
    assert (counts["neu"], counts["geändert"], counts["Fehler"]) == (1, 1, 0), words_of(page)
    # Consents come with source and date (trust.md case 117).
    page, _url = follow(operator, apply(operator, page))
    assert "Bitte als Grund Quelle und Datum angeben" in words_of(page) and Customer.select().count() == 1
    proof = {"plan": form_values(page)["plan"], "_reason": "LWS-Zentrale, Stand 01.10.2024"}
    follow(operator, operator.post(f"/admin/imports/apply?id={run_of(page)}", data=proof))
    assert (by_card("555").name_1, by_card("555").city) == ("Neu", "Graz")
    assert CustomerCard.get(CustomerCard.card_number == "555").card_type.is_wincard
    assert (by_card("556").id, by_card("556").name_1, by_card("556").city) == (one.id, "Eins", "Linz")
    assert flags("555") == flags("556") == [True, False, False, True, False]
    assert (Customer.select().count(), CustomerCard.select().count()) == (2, 3)
    assert CustomerCard.get(CustomerCard.card_number == "556").card_type_id == plain.id

    # The same file again changes nothing, by command and without the schema as well; wrong rows are named.
    for options in ({"schema": SCHEMA}, {"key": "Kundenkarten-Nr."}, {"key": "customer_card.card_number"}):
        head = HEAD if "schema" in options else ["Kundenkarten-Nr.", "Name 1", "Ort"]
        again = write_csv(tmp_path / "again.csv", [head, *(row[: len(head)] for row in rows)])
        report = run_import(again, SPEC, clerk(), **options)
        assert (report.new, report.changed, report.unchanged, report.errors) == (0, 0, 2, 0), report.findings
    wrong = [
        ["556", "A", "", "", "", "", "", ""],
        ["557", "B", "", "", "", "", "", ""],
        ["556", "C", "", "", "", "", "", ""],
        ["558", "D", "", "vielleicht", "", "", "", ""],
    ]
    report = run_import(write_csv(tmp_path / "wrong.csv", [HEAD, *wrong]), SPEC, clerk(), schema=SCHEMA, dry_run=True)
    assert (report.new, report.changed, report.errors) == (0, 1, 3), report.findings
    told = " ".join(report.findings)
    assert "Zeile 3" in told and "Zeile 4" in told and "weder Ja noch Nein" in told, told

    # The mode says what may happen with known and unknown cards; nothing is deleted by a card.
    for mode, outcome in (("new", (1, 0, 1)), ("replace", (0, 1, 0))):
        rows = [["556", "Zwei"], ["559", "Neun"]]
        path = write_csv(tmp_path / "mode.csv", [["Kundenkarten-Nr.", "Name 1"], *rows])
        report = run_import(
            path, SPEC, clerk(), mode=mode, key="Kundenkarten-Nr.", defaults={"Kategorie": "Allgemein"}, dry_run=True
        )
        assert (report.new, report.changed, report.errors) == outcome, (mode, report.findings)
    path = write_csv(tmp_path / "weg.csv", [["Kundenkarten-Nr.", "Löschen Nummer"], ["556", "*"]])
    with pytest.raises(FaultList, match="Zum Löschen braucht es eine Spalte"):
        run_import(path, SPEC, clerk(), mode="delete", key="Kundenkarten-Nr.", confirmed=1)
    assert not ImportRow.select().where(ImportRow.state == "delete").exists()

    # Who may not see customers finds none by a card; the mapping that somebody deleted stays away.
    few = Operator(None, "Neu", frozenset({"import.new", "import.replace"}))
    with pytest.raises(NotAllowed):
        run_import(again, SPEC, few, key="customer_card.card_number")
    change = ChangeSet("form")
    change.delete(ImportSchema, ImportSchema.get(ImportSchema.name == SCHEMA).id)
    change.apply(clerk())
    assert make_schema() == 0

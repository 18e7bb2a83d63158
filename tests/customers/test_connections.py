"""Requests of companies on the platform come in by form and by file, each company once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from actions.import_sheet import run_import
from domain.connections import Connection
from flask_appadmin.specs import spec_of
from tests.customers.test_documents import change, clerk, customer
from tests.reader import get, send
from tests.spreadsheets import export, write_csv

SPEC = spec_of(Connection)


def requesting(client: FlaskClient) -> list[str]:
    """The companies under „Anfragende Kunden“."""
    answer = client.get("/admin/connection/requesting")
    return [row[0] for row in get(client, answer.location).rows]


@pytest.mark.req("SI-04")
def test_a_company_requests_once_by_form_or_by_file(operator: FlaskClient, tmp_path: Path) -> None:
    page = get(operator, "/admin/connection/new/")
    assert page.heading == "Neue Anfrage" and "Eine Zeile je Person" in page.html
    form = page.one("form", id="form")
    people = "Eva Berger; eva@firma.example; +43 1 234; Einkauf\nMax Auer"
    values = {
        "company_name": "Firma GmbH", "street": "Ring 1", "postal_code": "1010", "city": "Wien", "country_text": "AT",
        "vat_id": "ATU52109800", "simple_system_id": "S-100", "currency_text": "EUR", "contacts": people,
    }  # fmt: skip
    saved = send(operator, form["action"], form.fields(**values))
    assert saved.toast.startswith("Gespeichert."), (saved.summary, saved.faults)
    stored: Any = Connection.get()
    assert (stored.status, stored.country.code, stored.currency.code, stored.vat_id) == (
        "requested", "AT", "EUR", "ATU52109800",
    )  # fmt: skip
    assert stored.contacts == [
        {"name": "Eva Berger", "email": "eva@firma.example", "phone": "+43 1 234", "function": "Einkauf"},
        {"name": "Max Auer"},
    ]
    assert people.split("\n")[0] in get(operator, f"/admin/connection/edit/?id={stored.id}").html
    assert requesting(operator) == ["Firma GmbH"]

    # The same company again is refused at its field, and what was typed stays.
    for typed, where, sentence in (
        ({"simple_system_id": "S-100"}, "S-100", "hat schon eine Verbindung; eine zweite Anfrage ist nicht möglich"),
        ({"simple_system_id": "S-101", "contacts": "a; b; c"}, "a; b; c", "hat zu viele Angaben"),
        ({"simple_system_id": "S-101", "contacts": "x@"}, "x@", "ist keine E-Mail-Adresse"),
        ({"simple_system_id": "S-101", "contacts": '[{"salary": "1"}]'}, "salary", "nennt niemanden"),
    ):
        form = get(operator, "/admin/connection/new/").one("form", id="form")
        again = send(operator, form["action"], form.fields(**{**values, **typed}))
        told = " ".join([*again.faults, *again.summary])
        assert again.status == 422 and sentence.lower() in told.lower() and where in again.html, (typed, told)
    assert Connection.select().count() == 1

    # A file brings several at once; those with a connection are refused, whatever became of it, and nothing else.
    decided = customer(1)
    change(stored, status="accepted", customer=decided.id)
    assert requesting(operator) == []
    head = ["Firmenname", "Adresse (Ort)", "Umsatzsteuer-ID", "simple system ID", "Währung", "Ansprechpartner"]
    rows = [
        ["Firma neu", "Linz", "", "S-100", "EUR", ""],
        ["Zweite", "Graz", "DE136695976", "S-200", "EUR", "Auer; +43 1 1 | b@c.example"],
        ["Dritte", "Graz", "", "S-300", "XYZ", ""],
        ["Vierte", "Graz", "", "S-200", "EUR", ""],
    ]
    report = run_import(write_csv(tmp_path / "anfragen.csv", [head, *rows]), SPEC, clerk())
    assert (report.new, report.changed, report.errors) == (1, 0, 3), report.findings
    told = " ".join(report.findings)
    assert "hat schon eine Verbindung" in told and "„XYZ“" in told and "steht schon in Zeile 3" in told, told
    assert (Connection.get_by_id(stored.id).company_name, requesting(operator)) == ("Firma GmbH", ["Zweite"])
    second = Connection.get(Connection.simple_system_id == "S-200")
    assert second.contacts == [{"name": "Auer", "phone": "+43 1 1"}, {"email": "b@c.example"}]

    # An export of ours comes home without a change; postponed ones stay among those who wait.
    out = tmp_path / "raus.xlsx"
    export(SPEC, clerk(), out)
    report = run_import(out, SPEC, clerk())
    assert (report.new, report.changed, report.errors, report.unchanged) == (0, 0, 0, 2), report.findings
    change(second, status="deferred")
    assert requesting(operator) == ["Zweite"]

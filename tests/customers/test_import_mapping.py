"""Columns become fields: ticks and their opposites, saved mappings and their editor, unknown values, corrections."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.values import Category
from flask_appadmin.sheets.mapping import guess_targets
from flask_appadmin.sheets.schemas import draft_of
from flask_appadmin.sheets.sessions import ImportSchema
from models import Contact, Customer
from tests.customers.test_import_modes import SPEC, WEBER, Desk, desk, of, store
from tests.customers.test_spreadsheets import apply, follow, upload
from tests.spreadsheets import form_values, tiles_of, words_of

__all__ = ["desk"]


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


def columns_of(*pairs: tuple[str, str], **fields: str) -> dict[str, Any]:
    """What the editor posts."""
    return {
        "_do": "save", "mode": "both", "blank": "keep", "source": [source for source, _target in pairs],
        "target": [target for _source, target in pairs], "example": [""] * len(pairs), **fields,
    }  # fmt: skip


#: The groups of the area „Nach“, in the order of the manual.
GROUPS = (
    "Stammdaten", "Weitere Daten", "Seite 2", "Merkmale", "Kategorien", "Ansprechpartner", "Anschriften", "Banken",
    "Kunden-Geräte", "Konten für Export", "Kennz. „Löschen“", "Druckoptionen", "Benutzerdefinierte Felder",
)  # fmt: skip


@pytest.mark.req("ME-06", "ME-07")
@pytest.mark.engines("sqlite")
def test_a_mapping_is_edited_kept_by_name_and_used_by_the_next_import(operator: FlaskClient, tmp_path: Path) -> None:
    for number, name in ((10001, "Huber"), (10002, "Kern")):
        store(Customer, customer_number=number, name_1=name, freight_free=True)
    new = "/admin/import_schema/new/"

    # The fields stand in the groups of the manual, each of them also in the edit mask.
    page = operator.get(new).get_data(as_text=True)
    captions = [html.unescape(text) for text in re.findall(r"<summary>(.*?) <span", page)]
    assert tuple(captions[: len(GROUPS)]) == GROUPS
    offered = re.findall(r'data-target="([^"]+)"', page)
    assert len(offered) == len(set(offered)) > 300
    tabs = {name for tab in operator.application.extensions["appadmin"].views["customer"].form_layout.tabs
            for name in (*tab.field_names, *tab.children)}  # fmt: skip
    assert {target.split(".")[0].lstrip("!") for target in offered if target[0] != "#"} <= tabs

    # A field is assigned once; what is wrong is said at once, and what was done stays.
    pairs = (("KdNr", "customer_number"), ("Bez", "name_1"), ("Bez 2", "name_1"), ("weg", "#delete:customer"))
    answer = operator.post(new, data=columns_of(*pairs, name="", key="customer_number"))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for words in (
        "„Name 1“ ist schon der Spalte „Bez“ zugeordnet; für „Bez 2“ bleibt es frei.",
        "„Löschen Nummer“ gibt es nur mit der Import-Art „Löschen“.",
        "Bitte ausfüllen",
    ):
        assert words in words_of(page), words_of(page)[:1500]
    assert 'value="Bez 2"' in page and not ImportSchema.select().exists()
    for wrong in ({"key": "iln"}, {"source": ["x"], "target": ["geheim"], "example": [""]}):
        assert operator.post(new, data={**columns_of(("a", "name_1"), name="A"), **wrong}).status_code == 422

    # Columns are read from a sample file, with proposals.
    sample = (io.BytesIO(b"KdNr;Bezeichnung;Ort\n10001;A;Graz\n"), "muster.csv")
    read = {**columns_of(("KdNr", "customer_number"), name="Bank"), "_do": "read", "sample": sample}
    page = operator.post(new, data=read, content_type="multipart/form-data").get_data(as_text=True)
    assert re.findall(r'name="source" value="([^"]*)"', page)[:3] == ["KdNr", "Bezeichnung", "Ort"]
    assert re.findall(r'name="target" value="([^"]*)"', page)[:3] == ["customer_number", "name_1", "city"]
    assert "10001" in page and "Graz" in page

    # Saved, opened again: everything stands there.
    pairs = (("KdNr", "customer_number"), ("Frei?", "freight_free"), ("Stadt", "city"))
    kept = columns_of(
        *pairs, name="Wochenliste", mode="replace", key="customer_number", insert_missing="1", blank="clear",
        value_target=["freight_free", "", "city"], value_from=["oui", "", "Vindobona"], value_to=["1", "", "Wien"],
    )  # fmt: skip
    answer = operator.post(new, data=kept)
    assert answer.status_code == 302, words_of(answer.get_data(as_text=True))
    page = operator.get(answer.location).get_data(as_text=True)
    schema = ImportSchema.get(ImportSchema.name == "Wochenliste")
    values = form_values(page)
    assert (values["mode"], values["key"], values["blank"]) == ("replace", "customer_number", "clear")
    assert re.search(r'name="insert_missing" value="1" checked', page)
    assert re.findall(r'name="source" value="([^"]*)"', page)[:3] == ["KdNr", "Frei?", "Stadt"]
    assert "Kunden-Nr." in page and 'value="Vindobona"' in page
    assert schema.entity == "customer" and schema.value_map["freight_free"] == {"oui": "1"}
    again = operator.post(new, data=columns_of(("KdNr", "customer_number"), name="Wochenliste"))
    assert again.status_code == 422 and "bereits vorhanden" in words_of(again.get_data(as_text=True))

    # Changed: fields change places, as one operation that can be taken back.
    swapped = {**kept, "source": ["KdNr", "Stadt", "Frei?"], "target": ["customer_number", "freight_free", "city"]}
    assert operator.post(f"/admin/import_schema/edit/?id={schema.id}", data=swapped).status_code == 302
    assert dict(draft_of(schema).columns) == {"KdNr": "customer_number", "Stadt": "freight_free", "Frei?": "city"}
    assert operator.post(f"/admin/import_schema/edit/?id={schema.id}", data=kept).status_code == 302

    # The next import uses it: targets, mode, key, blank rule and values.
    path = tmp_path / "liste.csv"
    path.write_text("kdnr;frei?;stadt;Rest\n10001;OUI;Vindobona;x\n10002;;Linz;x\n", "utf-8")
    page, url = follow(operator, upload(operator, path, schema="Wochenliste"))
    values = form_values(page)
    assert [values[f"col-{index}"] for index in range(4)] == ["customer_number", "freight_free", "city", ""]
    assert (values["mode"], values["blank"]) == ("replace", "clear")
    values["default-customer_category.category_text"] = str(store(Category, name="STANDARD").name)
    page, url = follow(operator, operator.post(url, data={**values, "insert_missing": "1", "_do": "preview"}))
    assert "/preview?" in url and tiles_of(page)["geändert"] == 2, words_of(page)
    apply(operator, page)
    assert [(of(number).city, of(number).freight_free) for number in (10001, 10002)] == [
        ("Wien", True),
        ("Linz", False),
    ]

    # Columns that are joined in an import stay so: the second one is the continuation of the first.
    path.write_text("Nr;Vorwahl;Rufnummer\n10001;0316;4711\n", "utf-8")
    page, url = follow(operator, upload(operator, path))
    values = {**form_values(page), "col-0": "customer_number", "col-1": "phone", "col-2": "phone"}
    values |= {"key": "customer_number", "schema_name": "Telefon", "_do": "preview"}
    page, url = follow(operator, operator.post(url, data=values))
    assert tiles_of(page)["geändert"] == 1, words_of(page)
    page = operator.get(f"/admin/import_schema/edit/?id={ImportSchema.get(ImportSchema.name == 'Telefon').id}")
    assert "Telefon (Fortsetzung)" in words_of(page.get_data(as_text=True))

"""Columns become fields: ticks and their opposites, saved mappings and their editor, unknown values, corrections."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient
from openpyxl.comments import Comment

from actions.import_sheet import run_import
from domain.values.groups import Category
from flask_appadmin.errors import FaultList
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.sheets.mapping import guess_targets
from flask_appadmin.sheets.schemas import draft_of
from flask_appadmin.sheets.sessions import ImportRow, ImportRun, ImportSchema
from models import Contact, Customer
from tests.customers.test_import_modes import SPEC, WEBER, Desk, desk, of, store
from tests.customers.test_spreadsheets import apply, follow, run_of, upload
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
    known = ImportSchema.select().count()

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
    assert 'value="Bez 2"' in page and ImportSchema.select().count() == known
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


def preview(client: FlaskClient, path: Path, content: str, **fields: str) -> tuple[str, int]:
    """Takes a list in up to its preview."""
    path.write_text(content, "utf-8")
    page, url = follow(client, upload(client, path, **fields))
    page, url = follow(client, client.post(url, data={**form_values(page), "_do": "preview"}))
    assert "/preview?" in url, words_of(page)
    return page, run_of(page)


def buttons_of(page: str, name: str) -> dict[str, str]:
    """The buttons of a page with this name: what they say -> what they post."""
    found = re.findall(rf'<button[^>]*name="{name}" value="([^"]*)"[^>]*>(.*?)</button>', page)
    return {html.unescape(words).strip(): html.unescape(value) for value, words in found}


@pytest.mark.engines("sqlite")
def test_unknown_words_are_explained_once_and_remembered_with_the_mapping(
    operator: FlaskClient, desk: Desk, tmp_path: Path
) -> None:
    """Goal I3; trust case 115: nothing is taken silently, what is said once holds for the next file."""
    store(Customer, customer_number=10001, name_1="Huber", city="Graz")
    pairs = (("Nr", "customer_number"), ("Name", "name_1"), ("Land", "country"), ("frei", "freight_free"))
    made = columns_of(*pairs, name="Fremd", key="customer_number")
    assert operator.post("/admin/import_schema/new/", data=made).status_code == 302
    path = tmp_path / "liste.csv"
    content = "Nr;Name;Land;frei\n10001;Huber;Oesterrreich;ja\n10900;A;OESTERRREICH;1\n10901;B;Teutonia;\n10902;C;DE;\n"
    page, run = preview(operator, path, content, schema="Fremd")
    assert (tiles_of(page)["Fehler"], tiles_of(page)["neu"]) == (3, 1)
    words = words_of(page)
    assert "Land : „Oesterrreich“ in 2 Zeilen, zuerst in Zeile 2" in words, words
    assert "frei : „ja“ in Zeile 2" in words
    assert "wird im Importschema „Fremd“ gemerkt" in words

    # The nearest value stands there as a proposal; nothing is taken before it is said.
    proposals = buttons_of(page, "map")
    assert "→ AT Österreich" in proposals or any("Österreich" in words for words in proposals), proposals
    chosen = next(value for words, value in proposals.items() if "Österreich" in words)
    place = f"/admin/imports/values?id={run}"
    page, _url = follow(operator, operator.post(place, data={"map": chosen, "plan": form_values(page)["plan"]}))
    assert "„Oesterrreich“ → AT" in words_of(page) and tiles_of(page)["Fehler"] == 2
    unknown = ImportRun.get_by_id(run).detection["unknown"]
    assert [(entry["text"], entry["count"]) for entry in unknown] == [("ja", 1), ("Teutonia", 1)]

    # Wrong ones are named; a stale page changes nothing; the rest is said together.
    for data in ({"value-1": "XX"}, {"value-1": "DE", "plan": "alt"}):
        posted = {"plan": ImportRun.get_by_id(run).plan, **data}
        page, _url = follow(operator, operator.post(place, data=posted))
        assert tiles_of(page)["Fehler"] == 2
    posted = {"value-0": "1", "value-1": "<leer>", "plan": ImportRun.get_by_id(run).plan}
    page, _url = follow(operator, operator.post(place, data=posted))
    assert (tiles_of(page)["Fehler"], tiles_of(page)["geändert"], tiles_of(page)["neu"]) == (0, 1, 3)
    apply(operator, page)
    assert [of(number).country_id and of(number).country.code for number in (10001, 10900, 10901, 10902)] == [
        "AT", "AT", None, "DE",
    ]  # fmt: skip
    assert of(10001).freight_free

    # The next file with the same mapping needs no word; also on the command line.
    assert draft_of(ImportSchema.get(ImportSchema.name == "Fremd")).values == {
        "country": {"Oesterrreich": "AT", "Teutonia": "<leer>"}, "freight_free": {"ja": "1"},
    }  # fmt: skip
    content = "Nr;Name;Land;frei\n10903;D;oesterrreich;JA\n"
    page, run = preview(operator, path, content, schema="Fremd")
    assert (tiles_of(page)["Fehler"], tiles_of(page)["neu"]) == (0, 1)
    report = desk.lines(("Nr", "Name", "Land", "frei"), (10904, "E", "teutonia", "ja"), schema="Fremd")
    assert (report.new, report.errors) == (1, 0) and of(10904).freight_free

    # Forgotten, it is asked again; without the schema it never was known.
    forget = {"forget": "country|Oesterrreich"}
    page, _url = follow(operator, operator.post(f"/admin/imports/values?id={run}", data=forget))
    assert tiles_of(page)["Fehler"] == 1 and draft_of(ImportSchema.get(ImportSchema.name == "Fremd")).values[
        "country"
    ] == {"Teutonia": "<leer>"}
    page, _run = preview(operator, path, content.replace("Nr;", "Kundennummer;").replace("frei", "Frachtfrei"))
    assert tiles_of(page)["Fehler"] == 1 and "gilt für diese Datei" in words_of(page)

    # A list of codes of which nothing fits is asked for by its words, however long the file is; a column whose heading
    # only sounds like one is left out and named.
    for rows in (3, 30):
        lines = [f"{20000 + number};N {number};Narnia;fern" for number in range(rows)]
        content = "\n".join(("Kundennummer;Name;Länderkennzeichen;Kd. Status", *lines))
        page, run = preview(operator, path, content)
        assert (tiles_of(page)["Fehler"], tiles_of(page)["neu"]) == (rows, 0)
        assert f"Länderkennzeichen : „Narnia“ in {rows} Zeilen, zuerst in Zeile 2" in words_of(page), words_of(page)
        assert "Die Spalte „Kd. Status“ wird nicht übernommen; warum, steht unter „Zuordnung“." in words_of(page)


@pytest.mark.engines("sqlite")
def test_cells_are_mended_and_rows_decided_on_the_page_of_the_preview(operator: FlaskClient, tmp_path: Path) -> None:
    """Goals I5, I8, I10, I11: a mended row is planned by the same rules, kept with the run and counted anew."""
    for number, name in ((10001, "Huber"), (10002, "Kern"), (10003, "Moser")):
        store(Customer, customer_number=number, name_1=name, postal_code="8010", city="Graz")
    rows = [
        "Kundennummer;Name 1;PLZ;Ort;Kreditlimit", "10001;Huber;8010;Linz;viel", "10002;Kern;8020;Wels;100",
        "10003;Moser;8010;Graz;", ";Huber;8010;Graz;5", "10900;Neu;8010;Graz;auch", "10901;Gut;8010;Graz;5", "12A;X;;;",
    ]  # fmt: skip
    path = tmp_path / "liste.csv"
    page, run = preview(operator, path, "\n".join(rows) + "\n")

    def tiles() -> dict[str, int]:
        """The counts, each of them as many rows as stand behind its door; together they are the rows of the file."""
        found = tiles_of(operator.get(f"/admin/imports/preview?id={run}").get_data(as_text=True))
        doors = {"neu": "new", "geändert": "changed", "Fehler": "error", "vielleicht doppelt": "duplicate"}
        for label, door in doors.items():
            shown = operator.get(f"/admin/imports/preview?id={run}&show={door}").get_data(as_text=True)
            lines = set(re.findall(r'<tr><td class="num">(\d+)</td>', shown))
            assert len(lines) == found[label], (door, lines, found)
        assert sum(count for label, count in found.items() if label != "vielleicht doppelt") == len(rows) - 1
        return found

    counts = tiles()
    assert (counts["neu"], counts["geändert"], counts["Fehler"], counts["unverändert"]) == (2, 1, 3, 1)
    assert counts["vielleicht doppelt"] == 1
    choose = f"/admin/imports/choose?id={run}&show="

    # Three errors, each with its cell to be mended; a wrong value is an error again.
    page = operator.get(f"/admin/imports/preview?id={run}&show=error").get_data(as_text=True)
    fixes = dict(re.findall(r'name="(fix-\d+-\d+)" value="([^"]*)"', page))
    assert sorted(fixes.values()) == ["12A", "auch", "viel"]
    before = {name.replace("fix-", "was-"): value for name, value in fixes.items()}
    typed = {"viel": "2500", "auch": "noch mehr", "12A": "12A"}
    answer = operator.post(choose + "error", data={**before, **{name: typed[text] for name, text in fixes.items()}})
    page, url = follow(operator, answer)
    assert "show=error" in url and tiles()["Fehler"] == 2 and tiles()["geändert"] == 2
    assert "„auch“" in words_of(page) and "noch mehr" in page
    assert len(ImportRun.get_by_id(run).options["corrections"]) == 2

    # Decisions survive that other rows are planned anew; what is not of this page is refused.
    skipped = ImportRow.get(ImportRow.run == run, ImportRow.row_number == 3)
    assert operator.post(choose + "changed", data={"choose": f"{skipped.id}|*|skip"}).status_code == 302
    page = operator.get(f"/admin/imports/preview?id={run}&show=error").get_data(as_text=True)
    fixes = dict(re.findall(r'name="(fix-\d+-\d+)" value="([^"]*)"', page))
    name = next(name for name, value in fixes.items() if value == "noch mehr")
    for wrong in ({"fix-1-99": "x"}, {f"{name}9999": "x"}, {"fix-99999999-0": "x"}, {"choose": f"{skipped.id}|*|7"}):
        assert operator.post(choose + "error", data=wrong).status_code == 404, wrong
    follow(operator, operator.post(choose + "error", data={name: "7", name.replace("fix-", "was-"): "noch mehr"}))
    kept = ImportRow.get(ImportRow.run == run, ImportRow.row_number == 3)
    assert kept.decisions == {"*": "skip"} and (tiles()["Fehler"], tiles()["neu"]) == (1, 3)

    # A value that is no error can be mended, too.
    page = operator.get(f"/admin/imports/preview?id={run}&show=changed").get_data(as_text=True)
    fixes = dict(re.findall(r'name="(fix-\d+-\d+)" value="([^"]*)"', page))
    name = next(name for name, value in fixes.items() if value == "Linz")
    follow(operator, operator.post(choose + "changed", data={name: "Enns", name.replace("fix-", "was-"): "Linz"}))

    # What looks like a record that is there may be that record: then only what differs is written.
    page = operator.get(f"/admin/imports/preview?id={run}&show=duplicate").get_data(as_text=True)
    chosen = next(value for words, value in buttons_of(page, "choose").items() if words.endswith("ändern"))
    page, _url = follow(operator, operator.post(choose + "duplicate", data={"choose": chosen}))
    counts = tiles()
    assert (counts["neu"], counts["vielleicht doppelt"], counts["Fehler"]) == (2, 0, 2)
    # Row 2 and row 5 are the same record now; one of them is refused, until it is new again.
    page = operator.get(f"/admin/imports/preview?id={run}&show=error").get_data(as_text=True)
    assert "steht schon in Zeile 2" in words_of(page)
    again = buttons_of(page, "choose")["doch neu anlegen"]
    page, _url = follow(operator, operator.post(choose + "error", data={"choose": again}))
    assert (tiles()["neu"], tiles()["Fehler"]) == (3, 1)

    # Mended cells stand in the own file, with what was there before.
    page, _url = follow(operator, operator.post(f"/admin/imports/blank?id={run}", data={"blank": "keep"}))
    book = openpyxl.load_workbook(io.BytesIO(operator.get(f"/admin/imports/marked?id={run}").data))
    texts = [cell.comment.text for sheet in book for row in sheet.iter_rows() for cell in row if cell.comment]
    for typed_text, in_file in (("2500", "viel"), ("7", "auch"), ("Enns", "Linz")):
        assert any(f"„{typed_text}“" in text and f"in der Datei steht „{in_file}“" in text for text in texts), texts

    # Applied: the good rows, as they were mended; the one that was left out and the wrong one stay behind.
    follow(operator, apply(operator, page))
    assert (of(10001).city, of(10001).credit_limit, of(10002).city) == ("Enns", 2500, "Graz")
    assert of(10900).credit_limit == 7 and Customer.select().count() == 6
    fields = {row.field for row in ChangeRecord.select().where(ChangeRecord.record_id == of(10001).id,
              ChangeRecord.action == "update")}  # fmt: skip
    assert fields == {"city", "credit_limit"}


@pytest.mark.engines("sqlite")
def test_passwords_never_come_in_and_what_a_sheet_hides_is_counted(desk: Desk, tmp_path: Path) -> None:
    """Trust case 117: no passwords, consents with source and date only. Case 112: hidden rows are told, comments and
    joined cells do no harm."""
    store(Customer, customer_number=10001, name_1="Huber", city="Graz")
    head = ("Nummer", "Name 1", "CSI-Passwort", "Shop-Passwort", "csi_password", "shop_password", "Kennwort")
    report = desk.lines(head, (10001, "Huber GmbH", *["Rotes-Fahrrad-77"] * 5))
    assert (report.changed, report.errors) == (1, 0), report
    assert of(10001).name_1 == "Huber GmbH" and of(10001).csi_password is None and of(10001).shop_password is None
    told = [words for words in report.findings if "wird nie aus einer Datei übernommen" in words]
    assert any("csi_password" in words for words in told) and any("shop_password" in words for words in told), report

    # A consent that a file ticks, in a new row or a known one, asks for source and date; taking one back does not.
    head = ("Nummer", "Name 1", "Werbekennzeichen: Email", "Werbekennzeichen: Telefon")
    given = ((10001, "Huber GmbH", "", "Ja"), (10800, "Neu", "Ja", ""))
    for reason in ("", "Messe Wels", "12.03.2024", "Messe Wels 31.02.2024", "Messe Wels 01.01.2999"):
        with pytest.raises(FaultList, match="Quelle und Datum angeben") as refused:
            desk.lines(head, *given, reason=reason)
        assert "„Werbekennzeichen: Email“, „Werbekennzeichen: Telefon“" in str(refused.value)
        assert not of(10001).consent_phone and Customer.select().count() == 1
    assert desk.lines(head, *given, dry_run=True).errors == 0
    report = desk.lines(head, *given, reason="Messe Wels, 12.03.2024")
    assert (report.new, report.changed, of(10800).consent_email, of(10001).consent_phone) == (1, 1, True, True)
    kept = ChangeSetRecord.get_by_id(report.change_set)
    assert kept.reason == "Messe Wels, 12.03.2024"
    assert desk.lines(head, (10001, "Huber GmbH", "Nein", "Nein")).changed == 1 and not of(10001).consent_phone
    assert desk.lines(head, (10800, "Neuer", "Ja", "")).changed == 1

    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (("Nummer", "Name 1", "Ort"), (10001, "Huber", "Wien"), (10900, "A", "Linz"), (10901, "B", "Wels")):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    sheet["C2"].comment = Comment("bitte prüfen", "Weber")
    sheet.merge_cells("C3:C4")
    path = tmp_path / "liste.xlsx"
    book.save(path)
    report = run_import(path, SPEC, WEBER)
    assert (report.new, report.changed) == (2, 1), report
    assert any("ausgeblendet" in words for words in report.findings), report.findings
    assert (of(10900).city, of(10901).city) == ("Linz", None)

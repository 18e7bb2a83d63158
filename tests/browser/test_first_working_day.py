"""An operator's first working day, from an imported list to printed labels, in one browser and on one database."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.browser.server import KontorServer

_HEADINGS = ("Kundennummer", "Firma", "Ansprechpartner", "Straße", "Ort", "PLZ", "Land", "Telefon")
_ROWS = (
    ("ALFKI", "Alfreds Futterkiste", "Maria Anders", "Obere Str. 57", "Berlin", "12209", "Germany", "030-0074321"),
    ("MORGK", "Morgenstern Gesundkost", "Alexander Feuer", "Heerstr. 22", "Leipzig", "04179", "Germany", "0342-023176"),
    ("ERNSH", "Ernst Handel", "Roland Mendel", "Kirchgasse 6", "Graz", "8010", "Austria", "7675-3425"),
)


@pytest.fixture
def customer_list(tmp_path: Path) -> Path:
    """Three rows of the list that every ERP course knows, as a spreadsheet program saves them in Germany."""
    path = tmp_path / "kunden.csv"
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(_HEADINGS)
        writer.writerows(_ROWS)
    return path


@pytest.mark.engines("sqlite", later="postgresql")
def test_the_first_working_day(
    page: Page,
    server: KontorServer,
    sign_in: Callable[..., None],
    screen: Callable[[Page, str], None],
    customer_list: Path,
    tmp_path: Path,
) -> None:
    sign_in(page)
    _take_a_list_in(page, server, customer_list, screen)
    server.kontor("demo-data", "--customers", "600", "--seed", "7")
    _find_and_edit(page, server, screen)
    _change_five_hundred_and_take_it_back(page, server, screen)
    _copy_and_copy_fully(page, server)
    _to_the_spreadsheet_and_back(page, server, tmp_path, screen)
    _print_labels(page, server, tmp_path, screen)


def _take_a_list_in(page: Page, server: KontorServer, path: Path, screen: Callable[[Page, str], None]) -> None:
    page.goto(server.url + "/admin/imports/")
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name=re.compile("Datei lesen|Weiter|Hochladen")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("kunden.csv")
    screen(page, "import-mapping")
    page.get_by_role("button", name=re.compile("Vorschau")).click()
    expect(page.locator(".counts, .tiles").first).to_contain_text(re.compile(r"3\s*neu"))
    screen(page, "import-preview")
    page.get_by_role("button", name=re.compile("übernehmen|anlegen")).first.click()
    expect(page.get_by_role("main")).to_contain_text(re.compile("übernommen|angelegt"))
    page.goto(server.url + "/admin/customer/?search=MORGK")
    row = page.locator("#list tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Morgenstern Gesundkost")
    expect(row).to_contain_text("04179")


def _find_and_edit(page: Page, server: KontorServer, screen: Callable[[Page, str], None]) -> None:
    page.goto(server.url + "/admin/customer/")
    page.keyboard.press("/")
    page.keyboard.type("alfreds futter")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=re.compile("Alfreds")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Alfreds Futterkiste")
    page.get_by_label("Straße", exact=True).fill("Obere Straße 58")
    page.get_by_role("tab", name=re.compile("Banken")).click()
    page.locator("#grid-bank_account tbody.fresh").first.get_by_label("IBAN").fill("DE02 1203 0000 0000 2020 52")
    page.get_by_role("tab", name=re.compile("Ansprechpartner")).click()
    page.locator("#grid-contact").get_by_role("button", name=re.compile("Neu")).click()
    window = page.get_by_role("dialog", name="Ansprechpartner")
    window.get_by_label("Name 1").fill("Žofia Müller")
    page.keyboard.press("Enter")
    expect(page.locator("#grid-contact tbody.fresh")).to_contain_text("Žofia Müller")
    page.keyboard.press("Control+s")
    summary = page.locator(".summary")
    expect(summary).to_contain_text("die Prüfziffern passen nicht")
    expect(page.locator("#grid-contact tbody.fresh")).to_contain_text("Žofia Müller")
    screen(page, "form-refused")
    page.get_by_role("tab", name=re.compile("Banken")).click()
    page.locator("#grid-bank_account tbody.fresh").first.get_by_label("IBAN").fill("DE02 1203 0000 0000 2020 51")
    page.keyboard.press("Control+s")
    expect(page.locator(".toast")).to_contain_text("Gespeichert")
    page.get_by_role("tab", name="Historie").click()
    history = page.locator("#panel-history")
    expect(history).to_contain_text("Obere Str. 57")
    expect(history).to_contain_text("Obere Straße 58")
    expect(history).to_contain_text("Žofia Müller")
    screen(page, "form-history")


def _change_five_hundred_and_take_it_back(
    page: Page, server: KontorServer, screen: Callable[[Page, str], None]
) -> None:
    page.goto(server.url + "/admin/customer/?customer_number__from=10004&customer_number__to=10503")
    page.locator("[data-mark-all]").click()
    expect(page.locator("#marked")).to_contain_text("500 markiert")
    page.get_by_role("button", name="Einstellungen ändern").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Änderung der Kundeneinstellungen")
    expect(page.get_by_role("main")).to_contain_text(
        "Beachten Sie die möglichen Wechselwirkungen mit anderen Kundeneinstellungen!"
    )
    page.get_by_label("Kennzeichen ändern", exact=True).check()
    page.locator("#f-marker").fill("Messe")
    button = page.get_by_role("button", name=re.compile("500 Kunden ändern"))
    expect(button).to_be_enabled()
    screen(page, "bulk-change")
    button.click()
    expect(page.locator(".toast")).to_contain_text("500 Kunden geändert")
    page.goto(server.url + "/admin/customer/?marker=Messe")
    expect(page.locator("#counts")).to_contain_text("500")
    page.goto(server.url + "/admin/operations/")
    screen(page, "operations")
    page.locator("table a", has_text="Kennzeichen").first.click()
    page.get_by_role("link", name="Rückgängig machen").click()
    page.get_by_role("button", name="Rückgängig machen").click()
    expect(page.locator(".toast")).to_contain_text("Zurückgenommen")
    page.goto(server.url + "/admin/customer/?marker=Messe")
    expect(page.get_by_role("main")).to_contain_text("Nichts gefunden")


def _copy_and_copy_fully(page: Page, server: KontorServer) -> None:
    for menu_entry, children in (("So.PROCURE Kunde kopieren", 0), ("So.PROCURE Kunde vollständig kopieren", 2)):
        page.goto(server.url + "/admin/customer/?search=ALFKI")
        page.locator("#list tbody input[type=checkbox]").first.check()
        expect(page.locator("#marked")).to_contain_text("1 markiert")
        page.locator(".strip-actions summary", has_text="Kopieren").click()
        page.get_by_role("button", name=menu_entry, exact=True).click()
        page.get_by_role("button", name="OK").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Alfreds Futterkiste")
        expect(page.locator(".tag", has_text="Entwurf").first).to_be_visible()
        expect(page.get_by_label("Suchbezeichnung", exact=True)).to_have_value(re.compile(r" \(Kopie\)$"))
        page.get_by_role("tab", name=re.compile("Ansprechpartner")).click()
        expect(page.locator("#grid-contact tbody[data-row]")).to_have_count(children)


def _to_the_spreadsheet_and_back(
    page: Page, server: KontorServer, folder: Path, screen: Callable[[Page, str], None]
) -> None:
    page.goto(server.url + "/admin/customer/?customer_number__from=10001&customer_number__to=10020")
    page.locator("[data-mark-all]").click()
    expect(page.locator("#marked")).to_contain_text("20 markiert")
    page.get_by_role("button", name="Exportieren").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Exportieren")
    screen(page, "export")
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("exportieren", re.I)).last.click()
    path = folder / "kunden.xlsx"
    download.value.save_as(path)
    book = openpyxl.load_workbook(path)
    sheet = book["Kunden"]
    headings = [cell.value for cell in sheet[1]]
    remark, city = headings.index("Bemerkung") + 1, headings.index("Ort") + 1
    sheet.cell(2, remark).value = "Aus der Tabelle"
    before = sheet.cell(3, city).value
    sheet.cell(3, city).value = "Neustadt an der Weinstraße"
    book.save(path)
    page.goto(server.url + "/admin/imports/")
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name=re.compile("Datei lesen|Weiter|Hochladen")).click()
    main = page.get_by_role("main")
    expect(main).to_contain_text("Aus der Tabelle")
    expect(main).to_contain_text("Neustadt an der Weinstraße")
    expect(main).to_contain_text(before)
    screen(page, "import-own-file")
    page.get_by_role("button", name=re.compile("2 .*übernehmen")).click()
    expect(main).to_contain_text(re.compile("übernommen"))
    page.goto(server.url + "/admin/customer/?city=Neustadt%20an%20der%20Weinstra%C3%9Fe&customer_number__to=10020")
    expect(page.locator("#list tbody tr")).to_have_count(1)


def _print_labels(page: Page, server: KontorServer, folder: Path, screen: Callable[[Page, str], None]) -> None:
    page.goto(server.url + "/admin/customer/?customer_number__from=10001&customer_number__to=10003")
    page.locator("[data-mark-all]").click()
    expect(page.locator("#marked")).to_contain_text("3 markiert")
    print_labels = page.get_by_role("button", name="Etiketten drucken")
    if not print_labels.is_visible():
        page.locator(".strip-actions summary", has_text="Mehr").click()
    print_labels.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Etiketten drucken")
    screen(page, "labels")
    with page.expect_download() as download:
        page.get_by_role("button", name="PDF erzeugen").click()
    path = folder / "etiketten.pdf"
    download.value.save_as(path)
    text = "\n".join(sheet.extract_text() for sheet in PdfReader(path).pages)
    assert "Ernst Handel" in text
    assert "8010 Graz" in text
    assert "ÖSTERREICH" in text

"""A list goes out to a spreadsheet program and comes home: what both changed is asked, what is wrong is mended."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer
from tests.office import Office
from tests.spreadsheets import edit_cells


@pytest.mark.engines("sqlite")  # the pages are the same on both
@pytest.mark.demo(20, 7)
def test_a_workbook_is_edited_by_a_spreadsheet_program_and_comes_home(
    page: Page,
    server: KontorServer,
    sign_in: Callable[..., None],
    screen: Callable[[Page, str], None],
    office: Office,
    tmp_path: Path,
) -> None:
    sign_in(page)
    path = _export(page, server, tmp_path / "kunden.xlsx")
    table = openpyxl.load_workbook(path)["Kunden"]
    letters = {cell.value: cell.column_letter for cell in table[1]}
    numbers = [table[f"{letters['Kunden-Nr.']}{row}"].value for row in (2, 3, 4, 5)]
    typed = {("Kunden", f"{letters['Ort']}2"): "Radebeul", ("Kunden", f"{letters['Ort']}3"): "Pirna"}
    wrong = {("Kunden", f"{letters['E-Mail']}{row}"): "quatsch" for row in (4, 5)}
    edited = office.edit(path, {**typed, **wrong})
    meanwhile = tmp_path / "kollege.csv"
    meanwhile.write_text(f"Kunden-Nr.;Ort\n{numbers[0]};Meissen\n", "utf-8")
    server.kontor("import", str(meanwhile), "--mode", "replace", "--key", "Kunden-Nr.")

    _upload(page, server, edited)
    tiles = page.get_by_role("navigation", name="Befunde")
    expect(tiles).to_contain_text("1Konflikt")
    expect(tiles).to_contain_text("2Fehler")
    tiles.get_by_role("link", name="Konflikt").click()
    conflict = page.get_by_role("row").filter(has_text="Radebeul")
    expect(conflict).to_contain_text("Meissen")
    screen(page, "import-conflict")
    conflict.get_by_role("button", name="meine").click()
    expect(conflict.get_by_role("button", name="meine")).to_have_attribute("aria-pressed", "true")
    # What is wrong is mended in its place, or comes back in the own file and is mended there.
    tiles.get_by_role("link", name="Fehler").click()
    page.get_by_label("Zeile 5, E-Mail").fill("lager@example.org")
    page.keyboard.press("Enter")
    expect(tiles).to_contain_text("1Fehler")
    with page.expect_download() as download:
        page.get_by_role("link", name="Meine Datei mit Markierungen").click()
    marked = tmp_path / "markiert.xlsx"
    download.value.save_as(marked)
    assert download.value.suggested_filename == "kunden-bearbeitet mit Markierungen.xlsx"
    page.get_by_role("button", name="3 Änderungen übernehmen").click()
    expect(page.get_by_role("main")).to_contain_text("Fertig mit Fehlern: 3 Datensätze übernommen.")
    screen(page, "import-result")
    edit_cells(marked, "Kunden", {(4, "E-Mail"): "post@example.org"})

    _upload(page, server, marked)
    expect(tiles).to_contain_text("0Fehler")
    expect(tiles).to_contain_text("0Konflikt")
    page.get_by_role("button", name="1 Änderung übernehmen").click()
    expect(page.get_by_role("main")).to_contain_text("Fertig: 1 Datensatz übernommen.")
    _holds(page, server, numbers[2], "email=post@example.org")
    _holds(page, server, numbers[3], "email=lager@example.org")
    _holds(page, server, numbers[0], "city=Radebeul")

    # And back.
    page.goto(server.url + "/admin/imports/?model=customer")
    page.get_by_role("link", name="kunden-bearbeitet.xlsx").click()
    page.get_by_role("link", name="Import zurücknehmen").click()
    page.get_by_role("button", name=re.compile("Rückgängig machen|Zurücknehmen")).click()
    expect(page.locator(".toast")).to_contain_text("Zurückgenommen")
    _holds(page, server, numbers[0], "city=Meissen")
    _holds(page, server, numbers[2], "email=post@example.org")


def _export(page: Page, server: KontorServer, path: Path) -> Path:
    """All customers with what stands in their list, and their contacts."""
    page.goto(server.url + "/admin/customer/?customer_number__from=10001&customer_number__to=10010")
    page.locator("[data-mark-all]").click()
    expect(page.locator("#marked")).to_contain_text("10 markiert")
    page.get_by_role("button", name="Exportieren").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Exportieren")
    with page.expect_download() as download:
        page.get_by_role("button", name="Kunden exportieren").last.click()
    download.value.save_as(path)
    return path


def _upload(page: Page, server: KontorServer, path: Path) -> None:
    page.goto(server.url + "/admin/imports/?model=customer")
    page.locator("#file").set_input_files(path)
    page.get_by_role("button", name="Datei lesen").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(path.stem)


def _holds(page: Page, server: KontorServer, number: int, value: str) -> None:
    """The list of this customer with this value has one row."""
    page.goto(f"{server.url}/admin/customer/?customer_number__from={number}&customer_number__to={number}&{value}")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    expect(page.locator("#list tbody")).to_contain_text(str(number))

"""A list of another program comes in: its columns are assigned once, its words explained once, its errors mended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer

_LIST = (
    "KdNr;Bez;Ort;Land;Kreditlimit\n10900;Huber GmbH;Graz;AT;500\n10901;Kern KG;Wien;Oesterrreich;100\n"
    "10902;Moser OG;Linz;Oesterrreich;viel\n10903;Ort & Co;Wels;Oesterrreich;wenig\n"
)


@pytest.mark.req("ME-06", "ME-07")
@pytest.mark.engines("sqlite")
def test_a_foreign_list_is_mapped_explained_and_mended(
    page: Page, server: KontorServer, sign_in: Callable[..., None], screen: Callable[[Page, str], None], tmp_path: Path
) -> None:
    sign_in(page)
    sample = tmp_path / "fremd.csv"
    sample.write_text(_LIST, "utf-8")
    _edit_mapping(page, server, sample, screen)
    _explain_and_mend(page, sample, screen)


def _edit_mapping(page: Page, server: KontorServer, sample: Path, screen: Callable[[Page, str], None]) -> None:
    """Without the mouse: a field is searched and assigned by Enter, the next column waits then."""
    page.goto(server.url + "/admin/import_schema/new/")
    page.get_by_label("Spalten aus einer Datei lesen").set_input_files(sample)
    columns = page.locator("[data-column]")
    expect(columns).to_have_count(5)
    expect(page.locator("form.schema[data-ready]")).to_be_visible()
    expect(columns.nth(2)).to_contain_text("Graz · Wien · Linz")
    # Proposed as the number of another system; here it is our own.
    expect(columns.nth(0)).to_contain_text("Fremd-ID-Nr.Kunde")
    columns.nth(0).get_by_role("button", name="Zuordnung lösen").focus()
    page.keyboard.press("Enter")
    expect(columns.nth(0)).to_contain_text("nicht zugeordnet")
    expect(columns.nth(0).get_by_role("button", name="KdNr")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Feld suchen").fill("kunden-nr")
    page.keyboard.press("Enter")
    expect(columns.nth(0)).to_contain_text("Kunden-Nr.")
    expect(page.locator('[data-target="customer_number"]')).to_be_disabled()
    expect(columns.nth(1).get_by_role("button", name="Bez")).to_have_attribute("aria-pressed", "true")
    screen(page, "import-schema")
    page.get_by_label("Name", exact=True).fill("Nachbarfirma")
    page.get_by_label("Zeilen finden ihren Datensatz durch").select_option("customer_number")
    page.get_by_label("Feld suchen").fill("name 1")
    page.keyboard.press("Enter")
    expect(columns.nth(1)).to_contain_text("Name 1")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("heading", level=1)).to_have_text("Importschema ändern")
    expect(page.get_by_role("link", name="Datei damit einlesen")).to_be_visible()


def _explain_and_mend(page: Page, sample: Path, screen: Callable[[Page, str], None]) -> None:
    """The word for a country is explained once, two amounts are mended where they stand; nothing else is asked."""
    page.get_by_role("link", name="Datei damit einlesen").click()
    expect(page.get_by_label("Importschema").first).to_have_value("Nachbarfirma")
    page.locator("input[type=file]").set_input_files(sample)
    page.get_by_role("button", name="Datei lesen").click()
    page.get_by_role("button", name="Vorschau").click()
    tiles = page.locator(".tiles")
    expect(tiles).to_contain_text("3Fehler")
    screen(page, "import-unknown-values")
    expect(page.get_by_text("in 3 Zeilen, zuerst in Zeile 3")).to_be_visible()
    page.get_by_role("button", name="→ AT Österreich").click()
    expect(page.get_by_role("status").filter(has_text="Im Importschema „Nachbarfirma“ gemerkt.")).to_be_visible()
    expect(tiles).to_contain_text("2Fehler")
    first = page.get_by_label("Zeile 4, Kreditlimit")
    expect(first).to_have_value("viel")
    first.fill("2500")
    page.get_by_label("Zeile 5, Kreditlimit").fill("50")
    page.keyboard.press("Enter")
    expect(tiles).to_contain_text("0Fehler")
    expect(page.get_by_role("status").filter(has_text="2 Werte korrigiert.")).to_be_visible()
    page.get_by_role("link", name="neu").click()
    expect(page.get_by_role("table")).to_contain_text("von Hand korrigiert; in der Datei steht „viel“.")
    screen(page, "import-mended")
    page.get_by_role("button", name="4 Kunden anlegen").click()
    expect(page.get_by_role("main")).to_contain_text("4 Datensätze übernommen.")

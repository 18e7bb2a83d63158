"""A list of another program comes in: its columns are assigned once, its words explained once, its errors mended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer

_LIST = "KdNr;Bez;Ort;Land\n10900;Huber GmbH;Graz;AT\n10901;Kern KG;Wien;Autriche\n"


@pytest.mark.req("ME-06", "ME-07")
@pytest.mark.engines("sqlite")
def test_a_foreign_list_is_mapped_explained_and_mended(
    page: Page, server: KontorServer, sign_in: Callable[..., None], screen: Callable[[Page, str], None], tmp_path: Path
) -> None:
    sign_in(page)
    sample = tmp_path / "fremd.csv"
    sample.write_text(_LIST, "utf-8")
    _edit_mapping(page, server, sample, screen)


def _edit_mapping(page: Page, server: KontorServer, sample: Path, screen: Callable[[Page, str], None]) -> None:
    """Without the mouse: a field is searched and assigned by Enter, the next column waits then."""
    page.goto(server.url + "/admin/import_schema/new/")
    page.get_by_label("Spalten aus einer Datei lesen").set_input_files(sample)
    columns = page.locator("[data-column]")
    expect(columns).to_have_count(4)
    expect(page.locator("form.schema[data-ready]")).to_be_visible()
    expect(columns.nth(2)).to_contain_text("Graz · Wien")
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

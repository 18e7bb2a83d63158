"""Looking back and taking back by keyboard: the toast's key, the tab of the record, one value, the filtered changes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer

Screen = Callable[[Page, str], None]


@pytest.mark.engines("sqlite")
def test_a_change_is_taken_back_by_key_and_a_value_alone(
    page: Page, server: KontorServer, sign_in: Callable[..., None], db: object, screen: Screen
) -> None:
    from tests.customers.test_deletion import make

    make(**{f"K{number}": {"name_2": f"Werk {number}"} for number in range(5)})
    sign_in(page)
    page.goto(server.url + "/admin/customer/?customer_number=10005")
    page.locator("#list tbody tr td a").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("10005")
    name = page.get_by_label("Name 2", exact=True)
    before = name.input_value()
    toast = page.locator(".toast")

    # Saved, and taken back at once by the key that the toast names, from within a field.
    name.fill("Zentrale")
    page.keyboard.press("Control+s")
    expect(toast).to_contain_text("Rückgängig")
    expect(toast.get_by_role("button", name="Rückgängig")).to_have_attribute("title", re.compile(r"Alt\+Z"))
    screen(page, "toast")
    name.focus()
    page.keyboard.press("Alt+z")
    expect(toast).to_contain_text("Zurückgenommen")
    page.goto(server.url + "/admin/customer/?customer_number=10005")
    page.locator("#list tbody tr td a").first.focus()
    page.keyboard.press("Enter")
    expect(name).to_have_value(before)

    # Two values at once; the tab of the history takes one of them back.
    name.fill("Zentrale")
    third = page.get_by_label("zu Hd.", exact=True)
    third.fill("Tor 4")
    page.keyboard.press("Control+s")
    expect(toast).to_contain_text("Rückgängig")
    page.get_by_role("tab", name="Historie").focus()
    page.keyboard.press("Enter")
    entry = page.locator("tbody.entry").first
    expect(entry).to_contain_text("Tor 4")
    screen(page, "history-tab")
    entry.get_by_role("link", name="„Name 2“ zurücknehmen").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("Nur „Name 2“ bei: Kunde 10005")
    screen(page, "undo-part")
    page.get_by_role("button", name="Rückgängig machen").focus()
    page.keyboard.press("Enter")
    expect(toast).to_contain_text("Zurückgenommen")
    expect(name).to_have_value(before)
    expect(third).to_have_value("Tor 4")

    page.get_by_role("tab", name="Historie").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="filtern, exportieren").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Historie: Kunde 10005")
    page.get_by_label("Art", exact=True).select_option("undo")
    expect(page.locator("#list tbody tr")).to_have_count(2)
    screen(page, "history-lines")

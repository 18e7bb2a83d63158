"""A bulk change by keyboard alone: mark, open, type, look, apply, take back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer


@pytest.mark.engines("sqlite")
@pytest.mark.req("SC-34")
def test_a_bulk_change_by_keyboard(
    page: Page, server: KontorServer, sign_in: Callable[..., None], screen: Callable[[Page, str], None]
) -> None:
    server.kontor("demo-data", "--customers", "600", "--seed", "7")
    sign_in(page)
    page.goto(server.url + "/admin/customer/?customer_number__from=10004&customer_number__to=10103")
    page.locator("[data-mark-all]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#marked")).to_contain_text("100 markiert")
    page.get_by_role("button", name="Einstellungen ändern").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Änderung der Kundeneinstellungen")
    find = page.get_by_label("Einstellung suchen")
    expect(find).to_be_focused()
    # The box is not ticked, and the input takes the first key.
    row = page.locator('[data-setting="free_2"]')
    expect(page.locator('[data-setting="invoice_copies"] [data-now]')).not_to_be_empty()
    screen(page, "bulk-settings")
    page.keyboard.type("frei2")
    expect(page.locator("[data-setting]:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#f-free_2")).to_be_focused()
    expect(row.get_by_role("checkbox")).not_to_be_checked()
    expect(row.locator("[data-mode]")).to_have_value("")
    page.keyboard.type("messe  2026")
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(row.locator("[data-mode]")).to_have_value("set")
    button = page.locator('[data-part="confirm"] button')
    expect(button).to_contain_text("100 Kunden ändern")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("100 Kunden geändert")
    # A value made of what is there.
    page.locator("[data-mark-all]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#marked")).to_contain_text("100 markiert")
    page.get_by_role("button", name="Einstellungen ändern").press("Enter")
    expect(find).to_be_focused()
    page.keyboard.type("frei2")
    expect(page.locator("[data-setting]:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#f-free_2")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(row.locator("[data-mode]")).to_be_focused()
    row.locator("[data-mode]").select_option("replace")
    expect(row.get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("messe ")
    page.keyboard.press("Tab")
    page.keyboard.type("Ausstellung")
    expect(page.locator("table.groups")).to_contain_text("messe  2026 → Ausstellung 2026")
    expect(page.locator("section.samples")).to_contain_text("Ausstellung 2026")
    find.fill("")
    page.get_by_label("nur geänderte zeigen").check()
    screen(page, "bulk-transform")
    page.emulate_media(color_scheme="dark")
    screen(page, "bulk-transform-dark")
    expect(button).to_contain_text("100 Kunden ändern")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("100 Kunden geändert")
    page.locator(".toast").get_by_role("button", name="Rückgängig").press("Enter")
    expect(page.locator(".toast")).to_contain_text("Zurückgenommen")
    page.goto(server.url + "/admin/customer/?free_2=messe++2026")
    expect(page.locator("#counts")).to_contain_text("100")

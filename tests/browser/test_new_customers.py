"""New customers by keyboard: the platform customer with its administrator, quick entry."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import PASSWORD, KontorServer

Screen = Callable[[Page, str], None]


@pytest.mark.req("SC-14", "SC-16", "SC-17")
@pytest.mark.engines("sqlite")
@pytest.mark.demo(20, 7)
def test_customers_begin_in_windows_ruled_by_the_keyboard(
    page: Page, server: KontorServer, sign_in: Callable[..., None], screen: Screen
) -> None:
    sign_in(page)
    page.goto(server.url + "/admin/customer/")
    expect(page.locator("#list tbody tr").first).to_be_visible()
    menu = page.get_by_label("weitere Arten anzulegen")
    dialog = page.get_by_role("dialog")

    menu.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="So.PROCURE Kunde Neu anlegen")).to_be_focused()
    screen(page, "new-menu")
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Benutzername")).to_be_focused()
    screen(page, "new-administrator")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("#counts")).to_have_text("22")

    menu.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="So.PROCURE Kunde Neu anlegen")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Benutzername")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("Bitte „Benutzername“ ausfüllen.")).to_be_visible()
    expect(dialog.get_by_label("Benutzername")).to_be_focused()
    expect(dialog.get_by_label("Passwort")).to_have_value(PASSWORD)
    screen(page, "new-administrator-refused")
    page.keyboard.type("mmeier")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/customer/edit/\?id=\d+"))
    expect(page.get_by_label("Kundenart (So.PROCURE / So.COMMERCE)")).to_have_value("so_procure")
    screen(page, "new-platform-customer")

    page.goto(server.url + "/admin/customer/")
    expect(page.locator("#counts")).to_have_text("23")
    page.keyboard.press("u")
    expect(dialog.get_by_label("Name 1")).to_be_focused()
    page.keyboard.type("Huber")
    for _field in range(3):
        page.keyboard.press("Tab")
    page.keyboard.type("Graz")
    screen(page, "new-quick")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/customer/edit/\?id=\d+"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Huber")

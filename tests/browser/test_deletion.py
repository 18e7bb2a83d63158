"""Deleting by keyboard alone: mark, read the question, confirm, read the table, take back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer


@pytest.mark.engines("sqlite")
@pytest.mark.req("SC-29", "SC-32")
def test_customers_are_deleted_by_keyboard_and_the_result_is_a_table(
    page: Page, server: KontorServer, sign_in: Callable[..., None], screen: Callable[[Page, str], None]
) -> None:
    server.kontor("demo-data", "--customers", "60", "--seed", "7")
    sign_in(page)
    page.goto(server.url + "/admin/customer/?sort=-status&size=25")
    keys = page.keyboard
    keys.press("ArrowDown")
    keys.press("Space")
    for _step in range(11):
        keys.press("Shift+ArrowDown")
    expect(page.locator("#marked .marked-text")).to_have_text("12 markiert")
    keys.press("Control+Delete")
    expect(page.get_by_role("heading", level=1)).to_have_text("12 Kunden löschen?")
    expect(page.locator(".limited tr")).to_have_count(12)
    screen(page, "delete-question")
    typed = page.get_by_label("Zur Bestätigung bitte ANONYMISIEREN tippen:")
    typed.focus()
    keys.type("ja")
    keys.press("Enter")
    expect(page.locator(".message.bad")).to_contain_text("Es wurde nichts getan")
    typed.focus()
    keys.type("anonymisieren")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ergebnis des Löschens")
    expect(page.locator("#deleted tbody tr")).to_have_count(12)
    screen(page, "delete-result")
    back = page.get_by_role("link", name="Nur die abgelehnten markieren")
    back.focus()
    keys.press("Enter")
    expect(page.locator("#marked .marked-text")).to_have_text(re.compile("markiert"))
    page.goto(server.url + "/admin/customer/?status=anonymised")
    page.locator("#list tbody tr td a").first.focus()
    keys.press("Enter")
    expect(page.locator("[data-notices]")).to_contain_text("hier lässt sich nichts mehr ändern")
    screen(page, "delete-anonymised")

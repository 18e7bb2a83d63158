"""Deleting by keyboard alone: mark, read the question, confirm, read the table, mark what was refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer


@pytest.mark.engines("sqlite")
@pytest.mark.req("SC-29", "SC-32")
def test_customers_are_deleted_by_keyboard_and_the_result_is_a_table(
    page: Page, server: KontorServer, sign_in: Callable[..., None], db: object, screen: Callable[[Page, str], None]
) -> None:
    from domain.trade import SalesOrder
    from tests.customers.test_deletion import build, make

    draft = {"status": "draft"}
    keys = make(**{f"E{number}": draft for number in range(4)}, **{f"K{number}": {} for number in range(8)})
    build(SalesOrder, customer=keys[0], number="AB-1")
    sign_in(page)
    page.goto(server.url + "/admin/customer/?sort=customer_number&size=25")
    hand = page.keyboard
    hand.press("ArrowDown")
    hand.press("Space")
    expect(page.locator("#marked .marked-text")).to_have_text("1 markiert")
    for _step in range(11):
        hand.press("Shift+ArrowDown")
    expect(page.locator("#marked .marked-text")).to_have_text("12 markiert")
    hand.press("Control+Delete")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Kunden löschen?")
    expect(page.locator(".limited tr")).to_have_count(12)
    expect(page.get_by_role("main")).to_contain_text("offene Aufträge")
    screen(page, "delete-question")
    typed = page.get_by_label("Zur Bestätigung bitte ANONYMISIEREN tippen:")
    typed.focus()
    hand.type("ja")
    hand.press("Enter")
    expect(page.locator(".message.bad")).to_contain_text("Es wurde nichts getan")
    typed.focus()
    hand.type("anonymisieren")
    hand.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ergebnis des Löschens")
    expect(page.locator("#deleted tbody tr")).to_have_count(12)
    screen(page, "delete-result")
    page.get_by_role("link", name="Nur die abgelehnten markieren").focus()
    hand.press("Enter")
    expect(page.locator("#marked .marked-text")).to_have_text("1 markiert")
    page.goto(server.url + "/admin/customer/?status=anonymised")
    page.locator("#list tbody tr td a").first.focus()
    hand.press("Enter")
    expect(page.locator("[data-notices]")).to_contain_text("hier lässt sich nichts mehr ändern")
    screen(page, "delete-anonymised")

"""Duplicates are found, compared and made one by the keyboard; and the way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer


@pytest.mark.engines("sqlite")
def test_duplicates_become_one_by_the_keyboard(
    server: KontorServer, sign_in: Callable[..., None], page: Page, db: object, screen: Callable[[Page, str], None]
) -> None:
    from tests.customers.test_merging import four_customers

    four_customers()
    sign_in(page)
    page.goto(f"{server.url}/admin/customer/duplicates")
    page.get_by_role("button", name="Dubletten suchen").press("Enter")
    merge = page.get_by_role("button", name="Zusammenführen …")
    expect(merge.first).to_be_visible()
    screen(page, "duplicates")
    merge.first.press("Enter")
    expect(page.get_by_role("heading", name="zusammenführen")).to_be_visible()
    # Another number stays: the page proposes anew, with that one in front.
    front = page.locator(".side-by-side thead th").nth(1)
    expect(front).to_contain_text("10001")
    page.locator("input[name=survivor]:checked").press("ArrowRight")
    expect(front).not_to_contain_text("10001")
    screen(page, "merge")
    page.get_by_role("button", name="zusammenführen").press("Enter")
    toast = page.get_by_role("status").filter(has_text="zusammengeführt")
    expect(toast).to_be_visible()
    page.goto(f"{server.url}/admin/operations/")
    page.get_by_role("link", name="Zusammengeführt").first.press("Enter")
    page.get_by_role("link", name="Rückgängig machen").press("Enter")
    expect(page.get_by_role("heading", name="Zusammenführung trennen")).to_be_visible()
    screen(page, "split")
    page.get_by_role("button", name="Wieder trennen").press("Enter")
    expect(page.get_by_role("status").filter(has_text="Wieder getrennt")).to_be_visible()

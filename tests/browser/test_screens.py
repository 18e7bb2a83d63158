"""The pages an operator sees most, with invented customers on them; `make screens` takes their pictures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer


@pytest.mark.engines("sqlite")
@pytest.mark.demo(300, 7)
def test_the_main_pages_show_their_work(
    page: Page, server: KontorServer, sign_in: Callable[..., None], screen: Callable[[Page, str], None]
) -> None:
    """Pictures are the same on both engines; the work behind them is tested on both elsewhere."""
    sign_in(page)
    screen(page, "home")

    page.goto(server.url + "/admin/customer/")
    expect(page.locator("#list tbody tr").first).to_be_visible()
    for box in page.locator("#list tbody input[type=checkbox]").all()[2:6]:
        box.check()
    expect(page.locator("#marked")).to_contain_text("4 markiert")
    screen(page, "list")

    page.locator("#list tbody tr td a").first.click()
    expect(page.get_by_role("tab").first).to_be_visible()
    screen(page, "form")

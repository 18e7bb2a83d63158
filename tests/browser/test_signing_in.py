"""An operator gets in with the right password, is told so with a wrong one, and gets out again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import OPERATOR, PASSWORD, KontorServer


def test_an_operator_signs_in_and_out(page: Page, server: KontorServer, sign_in: Callable[..., None]) -> None:
    sign_in(page)
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto(server.url + "/admin/customer/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Kunden")


def test_a_wrong_password_is_refused_in_german(page: Page, server: KontorServer) -> None:
    page.goto(server.url + "/admin/")
    page.get_by_label("Benutzername").fill(OPERATOR)
    page.get_by_label(re.compile("Passwort|Kennwort")).fill(PASSWORD + "x")
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("alert")).to_contain_text("stimmen nicht. Bitte versuchen Sie es noch einmal.")


@pytest.mark.engines("sqlite", later="postgresql")
def test_the_server_ends_gently_and_comes_back_with_everything(
    page: Page, server: KontorServer, sign_in: Callable[..., None]
) -> None:
    assert server.stop(gently=True) == 0, server.log()
    assert "Traceback" not in server.log()
    server.kontor("user", "add", "meier", "--role", "Sachbearbeitung", "--password-stdin", given=PASSWORD + "\n")
    server.start()
    sign_in(page, "meier")

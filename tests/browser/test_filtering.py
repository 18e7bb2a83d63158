"""An operator narrows the list by keyboard: groups, children and the past, read back as sentences."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.server import KontorServer


@pytest.mark.engines("sqlite")
@pytest.mark.req("NE-04", partly=True)
@pytest.mark.demo(300, 7)
def test_a_filter_is_put_together_by_keyboard(
    page: Page, server: KontorServer, sign_in: Callable[..., None], screen: Callable[[Page, str], None]
) -> None:
    """What the window sends is read on the server, which the other tests ask on both engines."""
    sign_in(page)
    page.goto(server.url + "/admin/customer/")
    keys = page.keyboard
    total = page.locator("#counts").inner_text()

    keys.press("f")
    window = page.get_by_role("dialog", name="Filter bearbeiten")
    expect(window.get_by_role("combobox", name="Feld", exact=True)).to_be_focused()
    choose(page, "ort haupt", "Ort")
    keys.press("Tab")
    keys.type("e")
    # A second row, in a group of which one must hold.
    window.get_by_role("button", name="+ Gruppe").focus()
    keys.press("Enter")
    choose(page, "postleitzahl", "PLZ")
    choose_operator(page, "ist leer")
    window.get_by_role("button", name="+ Bedingung").first.focus()
    keys.press("Enter")
    choose(page, "name 1 haupt", "Name 1")
    choose_operator(page, "Historie")
    screen(page, "filter")
    keys.press("Escape")
    expect(window).to_be_hidden()
    assert page.locator("#counts").inner_text() == total

    # A child: customers with a contact whose name contains "er", and none without.
    keys.press("f")
    expect(window.get_by_role("combobox", name="Feld", exact=True).last).to_be_focused()
    choose(page, "ansprechpartner name 1", "Name 1")
    group = window.locator("[data-child=contact]")
    expect(group.locator("[data-no]")).to_be_focused()
    group.locator("[data-node=row] [data-value]").fill("er")
    keys.press("Enter")
    chip = page.locator(".chip").filter(has_text="hat Ansprechpartner mit: Name 1 enthält „er“")
    expect(chip).to_be_visible()
    expect(page.locator("#list tbody tr").first).to_be_visible()
    assert "contact.name_1__contains=er" in page.url

    # Wrong words stand at their row, and what was typed stays.
    keys.press("f")
    expect(window.get_by_role("combobox", name="Feld", exact=True).last).to_be_focused()
    choose(page, "letzter umsatz", "letzter Umsatz am")
    window.locator("[data-node=row]").last.locator("[data-value]").fill("31.02.2026")
    keys.press("Enter")
    expect(window.locator(".err")).to_contain_text("ist kein Datum")
    expect(window.locator(".row.bad [data-value]")).to_have_value("31.02.2026")
    screen(page, "filter-refused")
    window.locator(".row.bad [data-value]").fill("heute-3650")
    keys.press("Enter")
    expect(page.locator(".chip").filter(has_text=re.compile("ab heute − 3.650 Tage"))).to_be_visible()

    # A chip is taken away by its cross; the other one stays.
    page.locator(".chip").filter(has_text="hat Ansprechpartner").locator(".x").press("Enter")
    expect(page.locator(".chip").filter(has_text="hat Ansprechpartner")).to_have_count(0)
    expect(page.locator(".chip").filter(has_text="heute − 3.650")).to_be_visible()


@pytest.mark.engines("sqlite")
@pytest.mark.demo(20, 7)
def test_who_types_ahead_of_the_server_loses_nothing(
    page: Page, server: KontorServer, sign_in: Callable[..., None]
) -> None:
    sign_in(page)
    page.goto(server.url + "/admin/customer/")
    keys = page.keyboard
    keys.press("f")
    window = page.get_by_role("dialog", name="Filter bearbeiten")
    expect(window.get_by_role("combobox", name="Feld", exact=True)).to_be_focused()

    # The row that the field asks for is kept back until everything is typed.
    kept: list[Route] = []
    page.route("**/filter-row*", lambda route: kept.append(route))
    keys.type("ort haupt")
    keys.press("Enter")
    keys.press("Tab")
    keys.type("Elend e")
    for _round_trip in range(1000):
        page.evaluate("1")
        if kept:
            break
    kept[0].continue_()
    expect(window.locator("[data-node=row] [data-value]")).to_have_value("Elend e")

    # No letter is a command for the page behind the window.
    window.get_by_role("button", name="+ Gruppe").focus()
    keys.type("ejn")
    expect(window).to_be_visible()
    expect(window.locator("[data-node=row] [data-value]")).to_have_value("Elend e")


def choose(page: Page, words: str, label: str) -> None:
    """Types the words of a field into the box that has the focus and takes the first hit."""
    page.keyboard.type(words)
    option = page.locator(".listbox:visible [role=option]").first
    expect(option).to_contain_text(label)
    page.keyboard.press("Enter")
    expect(page.locator(".listbox:visible")).to_have_count(0)


def choose_operator(page: Page, words: str) -> None:
    operator = page.locator("[data-op]:focus")
    expect(operator).to_have_count(1)
    if words == "Historie":
        operator.select_option(label="geändert seit")
    else:
        operator.select_option(label=words)

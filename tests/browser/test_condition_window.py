"""„Abfragebedingung“ by keyboard alone: type, put words in, mend a fault, save, run, run again from the list symbol."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer


@pytest.mark.req("PX-14", "PX-15", "PX-16")
@pytest.mark.engines("sqlite")
@pytest.mark.demo(300, 7)
def test_a_condition_is_written_saved_and_run_by_keyboard(
    page: Page, server: KontorServer, sign_in: Callable[..., None], screen: Callable[[Page, str], None]
) -> None:
    """What the engines answer is tested elsewhere; this is about the window."""
    sign_in(page)
    page.goto(server.url + "/admin/customer/")
    expect(page.locator("#list tbody tr").first).to_be_visible()

    page.keyboard.press("q")
    window = page.get_by_role("dialog", name="Abfragebedingung")
    text = window.get_by_label("Bedingung: der Teil nach WHERE")
    expect(text).to_be_focused()

    # A fault is shown in place, and its word is marked.
    page.keyboard.type("citty = 'Wien'")
    page.keyboard.press("Control+Enter")
    expect(window.get_by_role("alert")).to_contain_text(
        "Das Feld „citty“ gibt es unter „Kunden“ nicht. Meinten Sie: city"
    )
    expect(text).to_have_value("citty = 'Wien'")
    expect(text).to_be_focused()
    assert text.evaluate("box => box.value.slice(box.selectionStart, box.selectionEnd)") == "citty"
    screen(page, "condition-refused")

    # Words are found by their German names and put in where the cursor stands.
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    find = window.get_by_label("Feld oder Wert suchen")
    find.focus()
    page.keyboard.type("city")
    page.keyboard.press("Enter")
    expect(text).to_be_focused()
    expect(text).to_have_value("city")
    page.keyboard.type(" LIKE 'b%'")
    screen(page, "condition")

    window.get_by_label("Speichern unter").focus()
    page.keyboard.type("Orte mit B")
    page.keyboard.press("Enter")
    expect(window.get_by_text("„Orte mit B“ ist gespeichert.")).to_be_visible()

    # The same name again asks before it replaces, and shows both.
    text.focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(" OR city LIKE 'm%'")
    window.get_by_label("Speichern unter").focus()
    page.keyboard.press("Enter")
    taken = window.get_by_role("region", name="„Orte mit B“ gibt es schon. Ersetzen?")
    expect(taken).to_contain_text("city LIKE 'b%' OR city LIKE 'm%'")
    expect(taken.get_by_role("button", name="Ersetzen")).to_be_focused()
    screen(page, "condition-replace")
    page.keyboard.press("Enter")
    expect(window.get_by_text("„Orte mit B“ ist gespeichert.")).to_be_visible()

    text.focus()
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"query=\d+"))
    expect(page.locator(".chip").first).to_contain_text("Abfrage „Orte mit B“")
    count = page.locator("#counts").inner_text()

    # The list symbol runs it without the window.
    page.goto(server.url + "/admin/customer/")
    menu = page.get_by_label("Gespeicherte Abfragen")
    menu.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Orte mit B")).to_be_focused()
    screen(page, "condition-menu")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"query=\d+"))
    assert page.locator("#counts").inner_text() == count

    # Esc closes the window and nothing has changed.
    page.keyboard.press("q")
    expect(text).to_have_value("city LIKE 'b%' OR city LIKE 'm%'")
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    assert page.locator("#counts").inner_text() == count


@pytest.mark.engines("sqlite")
def test_the_window_is_a_page_without_scripts(page: Page, server: KontorServer, sign_in: Callable[..., None]) -> None:
    sign_in(page)
    page.goto(server.url + "/admin/customer/condition?where=city+%3D+%27Wien%27")
    expect(page.get_by_role("heading", level=1)).to_have_text("Abfragebedingung")
    page.get_by_role("button", name="Ausführen").click()
    page.wait_for_url(re.compile(r"/admin/customer/\?where="))
    expect(page.locator(".chip").first).to_contain_text("Bedingung: city = 'Wien'")

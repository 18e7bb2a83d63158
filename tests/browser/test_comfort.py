"""The list by keyboard: hits while typing, preview, search window, toolbar, keys."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer

Screen = Callable[[Page, str], None]

pytestmark = pytest.mark.demo(300, 7)


@pytest.fixture
def customers(page: Page, server: KontorServer, sign_in: Callable[..., None]) -> str:
    """The list of three hundred customers, open; answers its address."""
    sign_in(page)
    page.goto(server.url + "/admin/customer/")
    expect(page.locator("#list tbody tr").first).to_be_visible()
    return server.url + "/admin/customer/"


@pytest.mark.engines("sqlite")
def test_hits_are_offered_while_typing_and_opened_by_enter(page: Page, customers: str, screen: Screen) -> None:
    page.keyboard.press("/")
    page.keyboard.type("gmbh")
    hits = page.locator(".listbox:not([hidden]) [role=option]")
    expect(hits).to_have_count(8)
    screen(page, "suggestions")
    page.keyboard.press("Escape")
    expect(hits).to_have_count(0)
    search = page.get_by_role("combobox", name="Suche über alles")
    expect(search).to_have_value("gmbh")
    expect(search).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(hits).to_have_count(8)
    page.keyboard.press("ArrowDown")
    chosen = page.locator('[role="option"][aria-selected="true"]')
    expect(chosen).to_have_count(1)
    title = (chosen.text_content() or "").split("GmbH")[0].split()[0]
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)

    page.keyboard.press("/")
    page.keyboard.type("gmbh")
    expect(hits).to_have_count(8)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("search=gmbh"))


@pytest.mark.engines("sqlite")
def test_the_preview_follows_the_cursor_and_asks_only_where_it_stops(
    page: Page, customers: str, screen: Screen
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/preview?" in request.url else None)
    pane = page.get_by_role("complementary", name="Vorschau")
    expect(pane).to_be_hidden()
    page.keyboard.press("p")
    expect(pane.get_by_role("heading", level=2)).to_contain_text("10001")
    area = page.locator(".list-area").bounding_box()
    for _step in range(12):
        page.keyboard.press("ArrowDown")
    expect(pane.get_by_role("heading", level=2)).to_contain_text("10012")
    assert len(asked) < 8, "who runs through the rows does not flood the server"
    assert page.locator(".list-area").bounding_box() == area
    screen(page, "preview")

    page.reload()
    expect(pane).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ ")
    expect(pane).to_be_hidden()
    expect(page.locator("#marked")).to_contain_text("nichts markiert")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("10001")


@pytest.mark.req("PX-08", "PX-12")
@pytest.mark.engines("sqlite")
def test_f10_opens_the_search_window_on_list_and_form(page: Page, customers: str, screen: Screen) -> None:
    page.keyboard.press("F10")
    window = page.get_by_role("dialog", name="Kunden suchen")
    expect(window.get_by_label("Kundennummer")).to_be_focused()
    screen(page, "search-window")
    window.get_by_label("Ort").focus()
    page.keyboard.type("Wien")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("city__contains=Wien"))
    found = page.locator("#list tbody tr").count()
    assert found > 1

    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab").first).to_be_visible()
    page.keyboard.press("F10")
    expect(window.get_by_label("Kundennummer")).to_be_focused()
    window.get_by_label("Ort").focus()
    page.keyboard.type("Wien")
    page.keyboard.press("Alt+Enter")
    expect(page.get_by_text(f"1 von {found}", exact=True)).to_be_visible()
    page.get_by_role("link", name="‹ Kunden").click()
    expect(page.locator("#marked")).to_contain_text(f"{found} markiert")


@pytest.mark.req("PX-74", partly=True)
@pytest.mark.engines("sqlite")
def test_the_overview_tells_every_key_of_the_page(page: Page, customers: str, screen: Screen) -> None:
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Tasten")
    for words in ("Suchfenster", "Vorschau der Zeile", "neu anlegen", "Löschen", "Zeile markieren"):
        expect(keys).to_contain_text(words)
    screen(page, "keys")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.get_by_label("Inaktive ausschließen").check()
    page.wait_for_url(re.compile("active=1"))
    expect(page.get_by_label("Inaktive ausschließen")).to_be_checked()


@pytest.mark.req("NE-06")
@pytest.mark.engines("sqlite")
def test_buttons_answer_with_a_sentence_while_nothing_is_marked(page: Page, customers: str) -> None:
    edit = page.locator("#marked").get_by_role("button", name="Bearbeiten")
    expect(edit).to_have_attribute("aria-disabled", "true")
    edit.click(force=True)
    expect(page.locator("#messages")).to_contain_text("Bitte markieren Sie mindestens einen Kunden.")
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(edit).to_have_attribute("aria-disabled", "false")
    edit.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("10001")


@pytest.mark.engines("sqlite")
def test_head_and_first_columns_stay_while_scrolling_both_ways(page: Page, customers: str, screen: Screen) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.keyboard.press("p")
    head, number = page.locator("#list thead th").nth(1), page.locator("#list tbody td").nth(1)
    before, cell = head.bounding_box(), number.bounding_box()
    page.locator(".sheet").evaluate("sheet => sheet.scrollTo(400, 900)")
    assert head.bounding_box() == before
    assert before and cell
    last = page.locator("#list tbody tr").nth(34).locator("td").nth(1)
    placed = last.bounding_box()
    assert placed and placed["x"] == cell["x"]
    on_top = page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('th')?.textContent", [before["x"] + 20, before["y"] + 10]
    )
    assert on_top and "Kunden-Nr." in on_top
    screen(page, "scrolled")


@pytest.mark.engines("sqlite")
def test_the_customer_selection_leads_to_the_list(page: Page, customers: str, screen: Screen) -> None:
    page.get_by_role("link", name="Kundenselektion").click()
    screen(page, "choose")
    page.get_by_label("Werbeweg erlaubt").select_option(label="E-Mail")
    page.get_by_role("button", name="Auswählen und markieren").click()
    expect(page.locator("#marked")).to_contain_text(re.compile(r"^\s*\d+ markiert"))
    expect(page.locator(".filters")).to_contain_text("Werbekennzeichen: Email ist Ja")
    screen(page, "chosen")

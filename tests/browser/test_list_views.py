"""Views and columns of the list as operators drive them: by keyboard alone, and with the mouse where a border moves."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer

Screen = Callable[[Page, str], None]

#: What is asked of the server here is proven on both engines by requests.
pytestmark = [pytest.mark.engines("sqlite"), pytest.mark.demo(120, 7)]


@pytest.fixture
def customers(page: Page, server: KontorServer, sign_in: Callable[..., None]) -> str:
    """A list of 120 customers, in front of an operator; answers its address."""
    sign_in(page)
    address = server.url + "/admin/customer/"
    page.goto(address)
    expect(page.locator("#list tbody tr").first).to_be_visible()
    return address


def heads(page: Page) -> list[str]:
    """The heads of the list, without box and arrows."""
    return [re.sub(r"\s*[↑↓]$", "", text.strip()) for text in page.locator("#list th[data-name]").all_inner_texts()]


def test_a_view_is_made_kept_and_reset_by_keyboard_alone(page: Page, customers: str, screen: Screen) -> None:
    before = heads(page)
    press = page.keyboard.press

    # choose a column
    press("s")
    expect(page.locator("[data-find-column]")).to_be_focused()
    page.keyboard.type("Telefax")
    press("ArrowDown")
    press("Space")
    expect(page.locator("[data-order] li")).to_have_count(len(before) + 1)
    screen(page, "list-columns")

    # move it up by two, and hold it at the left
    press("Tab")
    expect(page.locator("[data-order] li").first).to_be_focused()
    for _row in before:
        press("ArrowDown")
    press("Alt+ArrowUp")
    press("Alt+ArrowUp")
    expect(page.locator("[data-order] li").nth(len(before) - 2)).to_be_focused()
    press("Space")
    expect(page.locator("[data-order] li").first).to_have_class(re.compile("pinned"))
    expect(page.locator("[data-order] li").first).to_be_focused()
    press("Enter")
    expect(page.locator("#list th.pin")).to_have_count(1)
    pinned, rest = heads(page)[0], heads(page)[1:]
    assert (pinned.startswith(("Fax", "Telefax")), rest) == (True, before)

    # save it under a name
    press("a")
    expect(page.locator(".view-menu a").first).to_be_focused()
    screen(page, "list-view-menu")
    press("ArrowDown")
    press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("Faxliste")
    screen(page, "list-view-save")
    press("Enter")
    expect(page.locator(".view-menu summary")).to_have_text("Ansicht: Faxliste")
    saved = page.url

    # change it: the page says so, and takes it back
    page.locator("#list th[data-name] a").nth(3).focus()
    press("Enter")
    expect(page.locator(".view-bar .tag")).to_have_text("geändert")
    screen(page, "list-view-changed")
    page.get_by_role("button", name="Verwerfen").focus()
    press("Enter")
    expect(page.locator(".view-bar .tag")).to_have_count(0)

    # leave and come back by the menu
    page.goto(customers + "?view=none")
    press("a")
    expect(page.locator(".view-menu a").first).to_be_focused()
    press("ArrowDown")
    press("Enter")
    expect(page).to_have_url(re.compile(r"view=\d+"))
    assert page.url.split("?")[1] == saved.split("?")[1]
    assert heads(page)[0] == pinned

    # the list itself keeps what was arranged, until it is reset
    page.goto(customers)
    assert heads(page)[0] == pinned
    page.locator(".view-menu summary").focus()
    press("Enter")
    page.get_by_role("button", name="Zurücksetzen").focus()
    press("Enter")
    expect(page.locator("#list th.pin")).to_have_count(0)
    assert heads(page) == before

    # one more column becomes fast, in the background
    press("a")
    expect(page.locator(".view-menu a").first).to_be_focused()
    page.get_by_role("link", name="Schnelle Spalten").focus()
    press("Enter")
    expect(page.get_by_label("Spalte", exact=True)).to_be_focused()
    page.keyboard.type("Telefax")
    press("Tab")
    press("Enter")
    expect(page.locator("table.jobs .tag.good")).to_be_visible()
    expect(page.locator("table.plain tr", has_text="Index entfernen")).to_contain_text("Telefax")
    screen(page, "list-fast-columns")


@pytest.mark.engines("sqlite")
def test_borders_are_dragged_and_widths_stay(page: Page, customers: str, screen: Screen) -> None:
    head = page.locator('#list th[data-name="name_1"]')
    other = page.locator('#list th[data-name="city"]')
    widths = [box["width"] for box in (head.bounding_box(), other.bounding_box()) if box]
    grip = head.locator(".grip").bounding_box()
    assert grip
    with page.expect_response(re.compile("/arrange$")):
        page.mouse.move(grip["x"] + 5, grip["y"] + 10)
        page.mouse.down()
        page.mouse.move(grip["x"] + 85, grip["y"] + 10, steps=4)
        page.mouse.up()
    page.reload()
    now = [box["width"] for box in (head.bounding_box(), other.bounding_box()) if box]
    assert abs(now[0] - widths[0] - 80) <= 2, "the one that was dragged"
    assert abs(now[1] - widths[1]) <= 1, "all others stay as they were"
    head.locator("a").focus()
    with page.expect_response(re.compile("/arrange$")):
        for _step in range(3):
            page.keyboard.press("Shift+ArrowLeft")
    page.reload()
    smaller = head.bounding_box()
    assert smaller
    assert abs(now[0] - smaller["width"] - 30) <= 1

    # What is cut tells its whole; heads and the first columns stay where they are.
    page.set_viewport_size({"width": 900, "height": 600})
    first = page.locator("#list tbody tr").first.locator("td").nth(1)
    place = first.bounding_box()
    page.locator(".sheet").evaluate("sheet => sheet.scrollTo(300, 200)")
    assert first.bounding_box()["x"] == place["x"]  # type: ignore[index]
    screen(page, "list-narrow")


def test_back_from_a_record_everything_is_where_it_was(
    page: Page, server: KontorServer, customers: str, sign_in: Callable[..., None]
) -> None:
    page.goto(customers + "?sort=-city&size=100")
    row = page.locator("#list tbody tr").nth(60)
    row.locator("input").check()
    expect(page.locator("#marked")).to_contain_text("1 markiert")
    key = row.get_attribute("data-key-of")
    name = row.locator("a").first
    name.scroll_into_view_if_needed()
    at = page.locator(".sheet").evaluate("sheet => sheet.scrollTop")
    assert at > 300
    name.click()
    page.locator("a.back").click()
    _is_where_it_was(page, key, at)

    # The sign-in ran out on the form: after the next one the way back leads to the same place.
    page.locator(f'#list tr[data-key-of="{key}"] a').first.click()
    expect(page.locator("a.back")).to_be_visible()
    _end_all_sign_ins(server)
    page.reload()
    page.get_by_label(re.compile("Benutzer", re.I)).first.fill("weber")
    page.get_by_label(re.compile("^Passwort", re.I)).first.fill("Rotes-Fahrrad-am-Hafen-7")
    page.get_by_role("button", name=re.compile("Anmelden")).click()
    expect(page.locator("a.back")).to_be_visible()
    page.locator("a.back").click()
    _is_where_it_was(page, key, at)


def _is_where_it_was(page: Page, key: str | None, at: float) -> None:
    expect(page).to_have_url(re.compile(r"sort=-city&size=100&selection="))
    expect(page.locator("#marked")).to_contain_text("1 markiert")
    row = page.locator(f'#list tr[data-key-of="{key}"]')
    expect(row.locator("input")).to_be_checked()
    expect(row.locator("input")).to_be_focused()
    assert abs(page.locator(".sheet").evaluate("sheet => sheet.scrollTop") - at) <= 2


def _end_all_sign_ins(server: KontorServer) -> None:
    """What time does to a sign-in, at once."""
    from flask_appadmin.database import connect_database, disconnect_database
    from flask_appadmin.rights import OperatorSession

    connect_database(server.database_url)
    OperatorSession.delete().execute()
    disconnect_database()

"""Marking by keyboard alone: a row, a range, the page, all that match, over pages and filters, by pasted numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.server import KontorServer


@pytest.mark.engines("sqlite")
@pytest.mark.req("PX-09", "SC-12", "SC-13")
def test_marks_by_keyboard_alone(
    page: Page, server: KontorServer, sign_in: Callable[..., None], screen: Callable[[Page, str], None]
) -> None:
    server.kontor("demo-data", "--customers", "130", "--seed", "5")
    sign_in(page)
    page.goto(server.url + "/admin/customer/?sort=customer_number&size=25")
    strip = page.locator("#marked .marked-text")
    rows = page.locator("#list tbody tr")
    on = page.locator("#list tbody tr.on")
    keys = page.keyboard
    total = int(page.locator("#counts").inner_text().split()[0])

    # a row, and a range that grows and shrinks
    keys.press("ArrowDown")
    keys.press("Space")
    expect(strip).to_have_text("1 markiert")
    keys.press("ArrowDown")
    for _step in range(3):
        keys.press("Shift+ArrowDown")
    expect(strip).to_have_text("5 markiert")
    keys.press("Shift+ArrowUp")
    expect(strip).to_have_text("4 markiert")
    expect(on).to_have_count(4)

    # in a text field the keys are text
    keys.press("/")
    keys.type("abc")
    keys.press("Control+a")
    keys.press("Delete")
    keys.press("Escape")
    expect(strip).to_have_text("4 markiert")

    # once the page, twice all that match
    keys.press("Control+a")
    expect(on).to_have_count(25)
    expect(strip).to_have_text("Alle 25 der Seite markiert –")
    ask = page.locator("[data-mark-all]")
    expect(ask).to_have_text(f"alle {total} Treffer markieren?")
    screen(page, "marks-page")
    keys.press("Control+a")
    expect(strip).to_have_text(f"{total} markiert, {total - 25} nicht sichtbar")
    expect(ask).to_be_hidden()
    screen(page, "marks-all")

    # paging and sorting keep it
    keys.press("End")
    keys.press("PageDown")
    page.wait_for_url("**after=**")
    expect(on).to_have_count(25)
    expect(strip).to_have_text(f"{total} markiert, {total - 25} nicht sichtbar")

    # another filter drops it, and says so
    kept = "&".join(part for part in page.url.split("?")[1].split("&") if not part.startswith(("after=", "at=")))
    page.goto(page.url.split("?")[0] + "?city__filled=1&search=gmbh&" + kept)
    note = page.locator("[data-strip-note]")
    expect(note).to_contain_text("Die Markierung aller Treffer galt für:")
    expect(strip).to_have_text("nichts markiert")
    screen(page, "marks-dropped")
    _tab_to(page, note.get_by_role("link", name="wieder herstellen"))
    keys.press("Enter")
    expect(strip).to_have_text(f"{total} markiert, {total - 25} nicht sichtbar")
    _tab_to(page, page.locator("[data-mark-none]"))
    keys.press("Enter")
    expect(strip).to_have_text("nichts markiert")

    # the small menu beside the box: keine, Seite, alle
    _tab_to(page, page.locator("#list th .box-head summary"))
    keys.press("Enter")
    screen(page, "marks-menu")
    for _entry in ("none", "page"):
        keys.press("ArrowDown")
    keys.press("Enter")
    expect(on).to_have_count(25)
    _tab_to(page, page.locator("[data-mark-none]"))
    keys.press("Enter")
    expect(strip).to_have_text("nichts markiert")

    # pasted numbers
    numbers = [row.locator("td").nth(1).inner_text() for row in rows.all()[:3]]
    _tab_to(page, page.locator("[data-open-numbers]"))
    keys.press("Enter")
    expect(page.locator("#numbers textarea[name=text]")).to_be_focused()
    keys.insert_text("\n".join([*numbers, "99999999", "Unsinn"]))
    keys.press("Control+Enter")
    dialog = page.locator("#numbers")
    expect(dialog.locator("[data-result]")).to_have_text("3 gefunden und markiert.")
    expect(dialog.locator("[data-missing-list]")).to_have_value("99999999\nUnsinn")
    screen(page, "marks-numbers")
    keys.press("Escape")
    expect(strip).to_have_text("3 markiert")
    expect(on).to_have_count(3)

    # a Merkliste: collect, open, tick one off
    _press(page, "worklist")
    expect(page.get_by_label("Name einer neuen Merkliste")).to_be_focused()
    keys.type("Tour Süd")
    screen(page, "worklist-add")
    keys.press("Enter")
    expect(page.locator("#toast")).to_contain_text("3 Kunden auf „Tour Süd“.")
    expect(strip).to_have_text("3 markiert")
    page.goto(server.url + "/admin/worklists/")
    screen(page, "worklists")
    _tab_to(page, page.get_by_role("link", name="alle markieren"))
    keys.press("Enter")
    expect(page.locator(".chip").first).to_contain_text("Merkliste „Tour Süd“")
    expect(strip).to_have_text("3 markiert")
    screen(page, "worklist-list")

    # a button that has nothing to work on says so
    _tab_to(page, page.locator("[data-mark-none]"))
    keys.press("Enter")
    _press(page, "change_settings")
    expect(page.locator("#messages")).to_contain_text("Bitte markieren Sie mindestens einen Kunden.")


def _press(page: Page, action: str) -> None:
    """A button of the strip, which stands in its last menu where the strip is too narrow."""
    button = page.locator(f'#marked button[value="{action}"]')
    if button.is_visible():
        _tab_to(page, button)
    else:
        _tab_to(page, page.locator("#marked .strip-actions summary", has_text="Mehr"))
        page.keyboard.press("Enter")
        for _step in range(8):
            page.keyboard.press("ArrowDown")
            if button.evaluate("node => node === document.activeElement"):
                break
    page.keyboard.press("Enter")


#: Whether an element stands before the focus.
_IS_BEFORE = (
    """node => Boolean(document.activeElement.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_PRECEDING)"""
)


def _tab_to(page: Page, target: Locator) -> None:
    """Walks there with the Tab key, as somebody without a mouse does."""
    key = "Shift+Tab" if target.evaluate(_IS_BEFORE) else "Tab"
    for _step in range(90):
        if target.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"Tab does not lead to {target}")

"""The form by keyboard alone: every key of the seed, the way through a filtered list, what passes by itself."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer

Screen = Callable[[Page, str], None]

pytestmark = pytest.mark.demo(60, 7)


@pytest.fixture
def customers(page: Page, server: KontorServer, sign_in: Callable[..., None]) -> str:
    """Sixty customers to walk through; answers the list's address."""
    sign_in(page)
    return server.url + "/admin/customer/"


@pytest.mark.req("PX-04", "PX-05", "PX-06", "PX-07", "PX-85")
@pytest.mark.req("PX-02", "PX-03", "PX-08", "PX-11", "PX-41", "PX-42")
@pytest.mark.engines("sqlite")
def test_each_key_of_the_seed_does_its_function(page: Page, customers: str, screen: Screen) -> None:
    page.goto(customers + "?customer_number=10005")
    title = page.get_by_role("heading", level=1)
    page.locator("#list tbody tr td a").first.focus()
    page.keyboard.press("Enter")
    expect(title).to_contain_text("10005")
    first_tab = page.get_by_role("tab", name="Hauptfenster")
    expect(first_tab).to_have_attribute("tabindex", "0")
    expect(page.get_by_role("button", name="Speichern", exact=False).first).to_have_attribute(
        "title", "Speichern (Strg+S)"
    )

    # Speichern: in a field, and the reason beside it
    name = page.get_by_label("Name 2", exact=True)
    name.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Zentrale")
    reason = page.get_by_label("Grund der Änderung")
    expect(reason).to_be_visible()
    reason.focus()
    page.keyboard.type("Anruf")
    page.keyboard.press("Control+s")
    expect(page.locator(".toast")).to_contain_text("Gespeichert.")
    expect(title).to_contain_text("Zentrale")
    expect(first_tab).to_have_attribute("tabindex", "0")
    expect(reason).to_be_hidden()

    # Kopieren, Löschen: not while somebody types
    page.get_by_label("Name 2", exact=True).focus()
    for key in ("Control+Insert", "Control+Delete"):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog")).to_have_count(0)
    first_tab.focus()
    page.keyboard.press("Control+Delete")
    question = page.get_by_role("dialog", name="1 Kunde löschen?")
    expect(question).to_be_visible()
    screen(page, "form-delete")
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    first_tab.focus()
    page.keyboard.press("Control+Insert")
    copy = page.get_by_role("dialog", name="Kunde kopieren")
    expect(copy.get_by_label("Kunden-Nr.")).to_be_focused()
    screen(page, "form-copy")
    page.keyboard.type("10006")
    page.keyboard.press("Enter")
    expect(copy).to_contain_text("Kundennummer bereits vorhanden.")
    expect(copy.get_by_label("Kunden-Nr.")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("20500")
    page.keyboard.press("Enter")
    expect(title).to_contain_text("20500")
    expect(page.locator(".tag", has_text="Entwurf")).to_be_visible()
    expect(first_tab).to_have_attribute("tabindex", "0")

    # Auswahl nach Nummer in Name 1
    page.get_by_label("Name 1", exact=True).focus()
    page.keyboard.press("Control+r")
    number = page.get_by_role("dialog", name="Kunde über die Nummer öffnen")
    expect(number.get_by_role("combobox", name="Kunden-Nr.")).to_be_focused()
    page.keyboard.type("999999")
    page.keyboard.press("Enter")
    expect(number.get_by_role("alert")).to_contain_text("ist nicht vorhanden")
    page.keyboard.press("Control+A")
    page.keyboard.type("10005")
    page.keyboard.press("Enter")
    expect(title).to_contain_text("10005")
    expect(first_tab).to_have_attribute("tabindex", "0")

    # Suchen, alle Tasten, Neu und Verwerfen
    page.keyboard.press("F10")
    expect(page.get_by_role("dialog", name="Kunden suchen").get_by_label("Kundennummer")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    first_tab.focus()
    page.keyboard.press("?")
    overview = page.get_by_role("dialog", name="Tasten")
    for words in ("Neu", "Kopieren", "Löschen", "Drucken", "Erster Datensatz", "Letzter Datensatz", "in „Name 1“"):
        expect(overview).to_contain_text(words)
    screen(page, "form-keys")
    page.keyboard.press("Escape")
    expect(overview).to_be_hidden()
    for key in ("Alt+n", "Control+n"):
        page.locator("#f-name_2").focus()
        page.keyboard.press(key)
        expect(title).to_have_text("Neuer Kunde")
        expect(page.locator("#f-name_1")).to_have_value("")
        expect(first_tab).to_have_attribute("tabindex", "0")
        discard = page.get_by_role("link", name="Verwerfen")
        discard.focus()
        page.keyboard.press("Enter")
        expect(title).to_contain_text("10005")
        expect(first_tab).to_have_attribute("tabindex", "0")


@pytest.mark.req("PX-17", "PX-18", "PX-19", "PX-20", "PX-110")
@pytest.mark.engines("sqlite")
def test_the_way_through_a_filtered_list_keeps_the_tab(page: Page, customers: str, screen: Screen) -> None:
    page.goto(customers + "?customer_number__from=10001&customer_number__to=10005")
    page.locator("#list tbody tr", has_text="10003").locator("a").first.focus()
    page.keyboard.press("Enter")
    title = page.get_by_role("heading", level=1)
    expect(title).to_contain_text("10003")
    place = page.locator(".steps .place")
    expect(place).to_have_text("3 von 5")
    banks = page.get_by_role("tab", name=re.compile("^Banken"))
    expect(banks).to_have_attribute("tabindex", "-1")
    banks.focus()
    page.keyboard.press("Enter")
    expect(banks).to_have_attribute("aria-selected", "true")
    expect(page.locator("#grid-bank_account")).to_be_visible()
    # The other tabs came along in one request: the next one asks for nothing, and what was not opened is not sent.
    expect(page.locator("[data-tab-url]")).to_have_attribute("data-ahead", re.compile(r"^\d\d$"))
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if sent.headers.get("x-fragment") == "panel" else None)
    page.get_by_role("tab", name=re.compile("^Adressen")).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#grid-address")).to_be_visible()
    expect(page.locator("#form > [data-panel]")).to_have_count(3)
    banks.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#grid-bank_account")).to_be_visible()
    assert asked == []
    # The end swallows the key: the browser's find bar stays shut, and the record stays.
    for key, number, at in (
        ("Control+g", "10002", "2 von 5"),
        ("Control+g", "10001", "1 von 5"),
        ("Control+g", "10001", "1 von 5"),
        ("Control+f", "10001", "1 von 5"),
        ("Control+h", "10002", "2 von 5"),
        ("Control+l", "10005", "5 von 5"),
        ("Control+h", "10005", "5 von 5"),
        ("Control+f", "10001", "1 von 5"),
    ):
        page.keyboard.press(key)
        expect(title).to_contain_text(number)
        expect(place).to_have_text(at)
        expect(banks).to_have_attribute("aria-selected", "true")
        expect(banks).to_have_attribute("tabindex", "0")
        expect(page.locator("#grid-bank_account")).to_be_visible()
    previous = page.get_by_role("button", name="Vorheriger Datensatz")
    expect(previous).to_have_attribute("aria-disabled", "true")
    screen(page, "form-steps")


@pytest.mark.req("PX-57", "PX-58")
@pytest.mark.engines("sqlite")
def test_what_is_missing_is_asked_for_and_the_words_go_by_themselves(
    page: Page, server: KontorServer, sign_in: Callable[..., None], screen: Screen
) -> None:
    sign_in(page)
    page.goto(server.url + "/admin/layouts/?window=customer&tab=main")
    page.locator('input[name="required-city"]').check()
    page.locator("button[form=layout]").click()
    expect(page.locator(".toast")).to_contain_text("Gespeichert")
    page.clock.install()
    page.goto(server.url + "/admin/customer/new/")
    page.get_by_label("Straße", exact=True).fill("Ring 1")
    page.keyboard.press("Control+s")
    words = page.locator("#e-name_1, #e-city")
    expect(words).to_have_text(["Bitte eine Eingabe vornehmen."] * 2)
    screen(page, "form-missing")
    page.clock.run_for(5100)
    expect(words).to_have_count(0)
    bar = "element => [getComputedStyle(element).borderLeftWidth, getComputedStyle(element).borderLeftColor]"
    other_width, other_colour = page.get_by_label("Straße", exact=True).evaluate(bar)
    for label in ("Name 1", "Ort"):
        width, colour = page.get_by_label(label, exact=True).evaluate(bar)
        assert (width, other_width, colour != other_colour) == ("3px", "1px", True), label
    expect(page.locator(".summary")).to_contain_text("Name 1 oder Name 2 muss gefüllt sein.")
    expect(page.get_by_label("Straße", exact=True)).to_have_value("Ring 1")

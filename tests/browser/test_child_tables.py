"""The child tables of the form by keyboard and mouse: menus, windows, questions, and a new customer in one go."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.server import KontorServer

Screen = Callable[[Page, str], None]


def _type_into(page: Page, label: str, text: str) -> None:
    """Walks on with Tab until the field has the cursor, and types."""
    for _step in range(60):
        focused = page.evaluate("document.activeElement.labels?.[0]?.textContent ?? document.activeElement.ariaLabel")
        if focused and focused.strip() == label:
            page.keyboard.type(text)
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"„{label}“ was not reached")


def _field(page: Page, name: str) -> None:
    """Goes to a field of the form by its name."""
    page.keyboard.press("Control+k")
    search = page.get_by_placeholder("Feld suchen …")
    expect(search).to_be_focused()
    page.keyboard.type(name)
    expect(page.locator(".find-field li").first).to_contain_text(name)
    page.keyboard.press("Enter")
    expect(page.get_by_label(name, exact=True).first).to_be_focused()


@pytest.mark.engines("sqlite")
@pytest.mark.req("PX-165", "PX-217")
def test_a_new_customer_is_made_by_keyboard_alone(
    page: Page, server: KontorServer, sign_in: Callable[..., None], screen: Screen, tmp_path: Path
) -> None:
    places = tmp_path / "AT.txt"
    places.write_text("AT\t4600\tWels\t\t\t\t\t\t\t48.1\t14.0\t4\n", encoding="utf-8")
    server.kontor("postal-codes", str(places))
    sign_in(page)
    page.goto(server.url + "/admin/customer/new/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Neuer Kunde")
    _field(page, "Name 1")
    page.keyboard.type("Huber & Söhne")
    _type_into(page, "Länderkennzeichen", "Österreich")
    expect(page.locator("[role=listbox]:visible [role=option]").first).to_have_text("AT Österreich")
    page.keyboard.press("Enter")
    expect(page.locator("#f-country")).to_have_value("AT Österreich")
    _type_into(page, "PLZ", "4600")
    page.keyboard.press("Tab")
    expect(page.locator("#f-city")).to_have_value("Wels")

    page.keyboard.press("Alt+2")
    expect(page.locator("#grid-contact")).to_be_visible()
    page.keyboard.press("Insert")
    window = page.get_by_role("dialog", name="Ansprechpartner")
    expect(window.get_by_label("Name 1")).to_be_focused()
    page.keyboard.type("Berger")
    _type_into(page, "Bemerkung", "Zeile 1")
    page.keyboard.press("Enter")
    page.keyboard.type("Zeile 2")
    expect(window, "a text of several lines keeps Enter").to_be_visible()
    screen(page, "contact-window")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+Enter")
    expect(window).to_have_count(0)
    row = page.locator("#grid-contact tbody[data-row] > tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Berger")
    expect(row).to_be_focused()

    page.keyboard.press("Alt+3")
    expect(page.locator("#grid-address")).to_be_visible()
    for street, city in (("Ring 1", "Graz"), ("Hof 2", "Linz")):
        page.keyboard.press("Insert")
        fresh = page.locator("#grid-address tbody.fresh").last
        expect(fresh.get_by_label("L (Lieferadresse)")).to_be_focused()
        _type_into(page, "Strasse", street)
        _type_into(page, "Ort", city)
        expect(fresh.get_by_label("Ort", exact=True)).to_have_value(city)
    expect(page.locator("#grid-address tbody[data-row]")).to_have_count(2)

    page.keyboard.press("Alt+4")
    expect(page.locator("#grid-bank_account")).to_be_visible()
    page.keyboard.press("Insert")
    bank = page.locator("#grid-bank_account tbody.fresh").first
    expect(bank.get_by_label("IBAN")).to_be_focused()
    page.keyboard.type("DE02 1203 0000 0000 2020 51")
    page.keyboard.press("Control+s")
    expect(page.locator(".toast")).to_contain_text("Gespeichert")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Huber & Söhne")
    banks = page.locator("#grid-bank_account tbody[data-row]")
    expect(banks.first.get_by_label("BIC")).to_have_value("BYLADEM1001")
    expect(banks.first.get_by_label("Bank", exact=True)).to_have_value("Deutsche Kreditbank Berlin")
    screen(page, "banks")
    for tab, count in (("Ansprechpartner", "1"), ("Adressen", "2")):
        expect(page.get_by_role("tab", name=re.compile(tab))).to_contain_text(count)


def _menu(page: Page, at: Locator, *, key: str = "") -> list[str]:
    """Opens the menu of a table with the right mouse button, or with this key; answers what it offers."""
    if key:
        page.keyboard.press(key)
    else:
        at.click(button="right")
    menu = page.get_by_role("menu")
    expect(menu).to_be_visible()
    return menu.get_by_role("menuitem").all_text_contents()


def _choose(page: Page, command: str) -> None:
    page.get_by_role("menuitem", name=command).click()
    expect(page.get_by_role("menu")).to_have_count(0)


@pytest.mark.engines("sqlite")
@pytest.mark.req("PX-163", "PX-166", "PX-168", "PX-169", "PX-170", "PX-173", "PX-174", "PX-175", "PX-177", "PX-216")
@pytest.mark.req("PX-171", "PX-176")
def test_menus_windows_and_questions(
    page: Page, server: KontorServer, sign_in: Callable[..., None], screen: Screen
) -> None:
    sign_in(page)
    page.goto(server.url + "/admin/customer/new/")
    _field(page, "Name 1")
    page.keyboard.type("Huber")
    page.keyboard.press("Control+s")
    expect(page.locator(".toast")).to_contain_text("Gespeichert")

    # Contacts: three commands, two of them only with a marked row; a window for each row.
    page.keyboard.press("Alt+2")
    contacts = page.locator("#grid-contact")
    expect(contacts).to_be_visible()
    contacts.get_by_role("button", name="Neu").focus()
    assert _menu(page, contacts, key="ContextMenu") == ["Neu", "Bearbeiten", "Löschen"]
    off = page.locator('[role=menuitem][aria-disabled="true"]')
    assert off.all_text_contents() == ["Bearbeiten", "Löschen"]
    page.keyboard.press("Enter")
    window = page.get_by_role("dialog", name="Ansprechpartner")
    for name in ("Auer", "Berger"):
        expect(window.get_by_label("Name 1")).to_be_focused()
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(window).to_have_count(0)
        expect(contacts.locator("tbody[data-row]").last).to_contain_text(name)
        if name == "Auer":
            page.keyboard.press("Insert")
    page.keyboard.press("Insert")
    expect(window.get_by_label("Name 1")).to_be_focused()
    page.keyboard.type("Niemand")
    page.keyboard.press("Escape")
    expect(window).to_have_count(0)
    rows = contacts.locator("tbody[data-row]")
    expect(rows).to_have_count(2)
    page.keyboard.press("Control+s")
    expect(page.locator(".toast")).to_contain_text("Gespeichert")
    expect(page.locator("[data-discard]")).to_be_hidden()

    rows.last.locator("tr").first.focus()
    assert _menu(page, contacts, key="Shift+F10") == ["Neu", "Bearbeiten", "Löschen"]
    expect(off).to_have_count(0)
    screen(page, "contacts-menu")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Bearbeiten")).to_be_focused()
    page.keyboard.press("Enter")
    expect(window.get_by_label("Name 1")).to_have_value("Berger")
    window.get_by_label("Telefon 1").fill("0316 1")
    page.keyboard.press("Escape")
    expect(window).to_have_count(0)
    expect(page.locator("[data-discard]"), "nothing is changed").to_be_hidden()
    page.keyboard.press("Enter")
    expect(window.get_by_label("Telefon 1")).to_have_value("")
    window.get_by_label("Telefon 1").fill("0316 2")
    page.keyboard.press("Enter")
    expect(window).to_have_count(0)
    expect(rows.last).to_contain_text("0316 2")
    expect(rows).to_have_count(2)

    assert _menu(page, rows.first.locator("td").nth(2)) == ["Neu", "Bearbeiten", "Löschen"]
    for answer, left in (("Nein", 2), ("Ja", 1)):
        if answer == "Ja":
            _menu(page, rows.first.locator("td").nth(2))
        _choose(page, "Löschen")
        question = page.get_by_role("alertdialog")
        expect(question).to_contain_text("Auer")
        screen(page, "contacts-question")
        question.get_by_role("button", name=answer).click()
        expect(question).to_have_count(0)
        expect(contacts.locator("tbody[data-row]:not(.deleted)")).to_have_count(left)
    page.keyboard.press("Control+s")
    expect(page.locator(".toast")).to_contain_text("Gespeichert")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("0316 2")

    # Edited in their table: two commands, a question before a row goes.
    for tab, name, field, value in (
        ("Mailing-Merkmale", "mailing_criterion", "Mailing-Merkmal", "Katalog"),
        ("Mailing-Aktivitäten", "mailing_activity", "Datum", "21.11.2026"),
        ("Adressen", "address", "Strasse", "Ring 1"),
    ):
        page.get_by_role("tab", name=re.compile(f"^{tab}")).click()
        table = page.locator(f"#grid-{name}")
        expect(table).to_be_visible()
        assert _menu(page, table.locator("[data-empty]")) == ["Neu", "Löschen"]
        _choose(page, "Neu")
        first = table.locator("tbody[data-row]")
        expect(first).to_have_count(1)
        assert page.evaluate("!!document.activeElement.closest('tbody.fresh')"), "the cursor is in the new row"
        first.get_by_label(field).fill(value)
        if name == "mailing_activity":
            first.get_by_label("Mailing-Aktivität").select_option(label="Call")
        page.keyboard.press("Control+s")
        expect(page.locator(".toast")).to_contain_text("Gespeichert")
        expect(first.get_by_label(field)).to_have_value(value)
        # What was changed in the row: leaving asks about it, and the key stores it.
        changed = {"mailing_criterion": ("Mailing-Merkmal", "Messe"), "mailing_activity": ("Text", "Angerufen")}
        if name in changed:
            place, text = changed[name]
            first.get_by_label(place, exact=True).fill(text)
            page.locator("#crumbs a, .crumbs a, nav a").first.click()
            question = page.get_by_role("dialog", name="1 ungespeicherte Änderung")
            expect(question).to_be_visible()
            page.keyboard.press("Escape")
            expect(question).to_be_hidden()
            page.keyboard.press("Control+s")
            expect(page.locator("[data-discard]")).to_be_hidden()
            page.reload()
            expect(first.get_by_label(place, exact=True)).to_have_value(text)
        assert _menu(page, first.get_by_label(field)) == ["Neu", "Löschen"]
        _choose(page, "Löschen")
        page.get_by_role("alertdialog").get_by_role("button", name="Nein").click()
        expect(table.locator("tbody.deleted")).to_have_count(0)
        first.get_by_label(field).focus()
        _menu(page, first, key="ContextMenu")
        _choose(page, "Löschen")
        page.get_by_role("alertdialog").get_by_role("button", name="Ja").click()
        expect(table.locator("tbody.deleted")).to_have_count(1)
        page.keyboard.press("Control+s")
        expect(first).to_have_count(0)

"""Editing in the list as an operator does it: by keyboard alone, against somebody faster, and on the way out."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import connect_database, disconnect_database
from flask_appadmin.rights import Role, User, system_operator
from flask_appadmin.schema import declare_models
from models import MODELS
from tests.browser.server import OPERATOR, KontorServer

#: Columns of the customer list as they stand there.
NUMBER, SYNONYM, NAME, POSTAL_CODE, CITY, COUNTRY, STATUS, LIMIT = range(8)

#: What is asked of the server here is proven on both engines by requests.
pytestmark = [pytest.mark.engines("sqlite"), pytest.mark.demo(20, 7)]


@pytest.fixture
def customers(page: Page, server: KontorServer, sign_in: Callable[..., None]) -> Page:
    """The list of twenty customers, before anybody edits."""
    sign_in(page)
    page.goto(server.url + "/admin/customer/")
    expect(page.locator("#list tbody tr").first).to_be_visible()
    return page


def cell(page: Page, row: int, column: int) -> Locator:
    return page.locator("#list tbody tr[data-key-of]").nth(row).locator("td").nth(column)


def begin(page: Page) -> None:
    page.keyboard.press("e")
    expect(page.locator("#cells")).to_be_visible()
    expect(cell(page, 0, SYNONYM)).to_be_focused()


def saves(page: Page, text: str) -> None:
    expect(page.locator("#toast")).to_contain_text(text)
    expect(page.locator("#cells [data-save]")).to_be_disabled()


def test_three_cells_in_two_rows_by_keyboard_alone(customers: Page, screen: Callable[[Page, str], None]) -> None:
    page, keyboard = customers, customers.keyboard
    # Before the edit mode the first column holds the boxes.
    before = [cell(page, row, LIMIT + 1).inner_text() for row in (0, 1)]
    begin(page)

    # Typing replaces, Enter takes over and goes down, Tab to the next cell that can be edited.
    keyboard.type("Neuer Weg")
    keyboard.press("Enter")
    expect(cell(page, 1, SYNONYM)).to_be_focused()
    expect(cell(page, 0, SYNONYM)).to_have_class(re.compile("changed"))
    expect(cell(page, 0, SYNONYM)).to_have_attribute("title", re.compile("^vorher: "))
    for _step in range(LIMIT - SYNONYM):
        keyboard.press("ArrowRight")
    expect(cell(page, 1, LIMIT)).to_be_focused()
    keyboard.type("viel")
    keyboard.press("ArrowUp")
    expect(cell(page, 0, LIMIT)).to_be_focused()
    keyboard.press("F2")
    keyboard.press("Control+a")
    keyboard.type("7654")
    keyboard.press("Tab")
    expect(page.locator("#cells [data-state]")).to_have_text("3 Änderungen in 2 Zeilen")
    expect(page.get_by_role("button", name="3 Änderungen speichern")).to_be_enabled()

    # Esc takes a cell back, Strg Z the last entry.
    keyboard.press("ArrowDown")
    keyboard.press("ArrowLeft")
    keyboard.press("Escape")
    expect(page.locator("#cells [data-state]")).to_have_text("2 Änderungen in 1 Zeile")
    keyboard.press("Control+z")
    expect(page.locator("#cells [data-state]")).to_have_text("3 Änderungen in 2 Zeilen")

    # One wrong value: nothing is saved, it is told below its row, all input stays.
    keyboard.press("Control+s")
    expect(page.locator("#cells [data-state]")).to_have_text("Es wurde nichts gespeichert: eine Angabe ist zu prüfen.")
    fault = page.locator("tr.row-errors")
    expect(fault).to_have_count(1)
    expect(fault).to_contain_text("Kreditlimit: „viel“ ist keine Zahl.")
    expect(cell(page, 1, LIMIT)).to_be_focused()
    expect(cell(page, 0, SYNONYM)).to_have_text("Neuer Weg")
    screen(page, "list-edit")

    keyboard.type("2345")
    keyboard.press("Enter")
    expect(fault).to_have_count(0)
    keyboard.press("Control+s")
    saves(page, "3 Änderungen gespeichert.")
    expect(cell(page, 0, SYNONYM)).to_have_text("Neuer Weg")
    expect(cell(page, 0, LIMIT)).to_have_text("7.654,00")
    expect(cell(page, 1, LIMIT)).to_have_text("2.345,00")
    expect(cell(page, 2, LIMIT)).to_be_focused()

    # With nothing typed since, Strg Z takes back what was saved, as the toast offers it.
    keyboard.press("Control+z")
    expect(page.locator("#toast")).to_contain_text("Zurückgenommen")
    expect(page.locator("#cells")).to_have_count(0)
    expect(page.get_by_text("Neuer Weg")).to_have_count(0)
    assert [cell(page, row, LIMIT + 1).inner_text() for row in (0, 1)] == before


def test_choices_references_and_fixed_columns(customers: Page) -> None:
    page, keyboard = customers, customers.keyboard
    begin(page)
    expect(cell(page, 0, NUMBER)).to_have_class(re.compile("fixed"))
    keyboard.press("ArrowLeft")
    expect(cell(page, 0, NUMBER)).to_have_attribute("title", re.compile("fest|Programm"))
    keyboard.type("9")
    keyboard.press("F2")
    expect(page.locator(".cell-editor")).to_have_count(0)
    for _step in range(STATUS):
        keyboard.press("ArrowRight")
    keyboard.press("F2")
    expect(page.locator(".cell-editor select")).to_be_focused()
    keyboard.press("ArrowDown")
    keyboard.press("Tab")
    expect(cell(page, 0, STATUS)).to_have_class(re.compile("changed"))
    expect(cell(page, 0, LIMIT)).to_be_focused()
    keyboard.press("ArrowLeft")
    keyboard.press("ArrowLeft")
    expect(cell(page, 0, COUNTRY)).to_be_focused()
    # A long table is typed ahead; typing opens its list, Enter chooses and then goes on.
    keyboard.type("Schwei")
    expect(page.locator(".listbox li").first).to_contain_text("Schweiz")
    keyboard.press("Enter")
    keyboard.press("Enter")
    expect(cell(page, 0, COUNTRY)).to_have_text(re.compile("Schweiz"))
    keyboard.press("Control+s")
    saves(page, "2 Änderungen gespeichert.")
    expect(cell(page, 0, COUNTRY)).to_have_text("CH")


def test_somebody_faster_is_shown_at_the_cell(customers: Page, server: KontorServer) -> None:
    page, keyboard = customers, customers.keyboard
    number = cell(page, 0, NUMBER + 1).inner_text()
    begin(page)
    for _step in range(LIMIT - SYNONYM):
        keyboard.press("ArrowRight")
    keyboard.type("500")
    keyboard.press("Enter")
    keyboard.type("600")
    keyboard.press("Enter")
    server.kontor("change", "--query", f"customer_number={number}", "--set", "credit_limit=800", "--set", "remark=Eile")
    keyboard.press("Control+s")
    conflict = page.locator("tr.row-errors")
    expect(conflict).to_contain_text("inzwischen „800,00“ (Kommandozeile")
    # The focus is on the decision; Enter keeps one's own.
    expect(page.get_by_role("button", name="meine Angabe „500,00“ behalten")).to_be_focused()
    keyboard.press("Tab")
    expect(page.get_by_role("button", name="„800,00“ übernehmen")).to_be_focused()
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")
    expect(cell(page, 0, LIMIT)).to_be_focused()
    expect(cell(page, 0, LIMIT)).to_have_attribute("title", "vorher: 800,00")
    keyboard.press("Control+s")
    saves(page, "2 Änderungen gespeichert.")
    expect(cell(page, 0, LIMIT)).to_have_text("500,00")
    expect(cell(page, 1, LIMIT)).to_have_text("600,00")


def test_leaving_asks_and_a_cell_left_is_not_saved(customers: Page, server: KontorServer) -> None:
    page, keyboard = customers, customers.keyboard
    old = cell(page, 0, SYNONYM + 1).inner_text()
    begin(page)
    keyboard.type("Nur getippt")
    cell(page, 3, CITY).click()
    expect(cell(page, 0, SYNONYM)).to_have_text("Nur getippt")
    dialog = page.locator("#leave-cells")
    keyboard.press("Alt+e")
    expect(dialog).to_contain_text("1 Änderung ist noch nicht gespeichert.")
    keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(cell(page, 0, SYNONYM)).to_have_text("Nur getippt")
    page.locator("#list th a").first.click()
    dialog.get_by_role("button", name="Verwerfen").click()
    page.wait_for_url(re.compile("sort="))
    expect(page.locator("#cells")).to_be_visible()
    page.goto(server.url + "/admin/customer/?edit=1")
    expect(cell(page, 0, SYNONYM)).to_have_text(old)
    keyboard.type("Doch gespeichert")
    keyboard.press("Enter")
    page.on("dialog", lambda dialog: dialog.accept())  # the browser's own question
    page.reload()
    expect(cell(page, 0, SYNONYM)).to_have_text("Doch gespeichert")
    expect(page.locator("#cells [data-state]")).to_have_text("1 Änderung in 1 Zeile")
    keyboard.press("Alt+e")
    dialog.get_by_role("button", name="1 Änderung speichern").click()
    expect(page.locator("#cells")).to_have_count(0)
    expect(page.locator("#toast")).to_contain_text("1 Änderung gespeichert.")
    expect(cell(page, 0, SYNONYM + 1)).to_have_text("Doch gespeichert")


def test_without_the_right_the_stored_value_is_on_the_screen_again(customers: Page, server: KontorServer) -> None:
    page, keyboard = customers, customers.keyboard
    old = cell(page, 0, SYNONYM + 1).inner_text()
    begin(page)
    keyboard.type("Nicht mehr erlaubt")
    keyboard.press("Enter")
    give_role(server, "Lesen")
    keyboard.press("Control+s")
    expect(page.locator("#messages")).to_contain_text("Ihnen fehlt das Recht")
    expect(cell(page, 0, SYNONYM)).to_have_text(old)
    expect(cell(page, 0, SYNONYM)).not_to_have_class(re.compile("changed"))


def give_role(server: KontorServer, name: str) -> None:
    """The administration changes the operator's role while he works."""
    connect_database(server.database_url)
    declare_models(MODELS)
    change = ChangeSet("setup")
    change.update(User, User.get(User.username == OPERATOR).id, {"role": Role.get(Role.name == name).id})
    change.apply(system_operator("Test"))
    disconnect_database()


def test_a_block_from_a_spreadsheet_fills_cells(customers: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, keyboard = customers, customers.keyboard
    begin(page)
    page.evaluate("""navigator.clipboard.writeText('Erster\\tFirma Eins\\n"Zweiter\\tmit Tab"\\tFirma Zwei\\n')""")
    keyboard.press("Control+v")
    expect(page.locator("#cells [data-state]")).to_have_text("4 Änderungen in 2 Zeilen")
    expect(cell(page, 1, NAME)).to_have_text("Firma Zwei")
    keyboard.press("Control+z")
    expect(page.locator("#cells [data-state]")).to_have_text("")
    keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()") == cell(page, 0, SYNONYM).inner_text()

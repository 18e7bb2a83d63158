"""Two operators, a crash and a wrong key: by keyboard alone, and nothing of what was typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.server import KontorServer

Screen = Callable[[Page, str], None]


def change(server: KontorServer, who: str, *steps: tuple[int | None, dict[str, Any]]) -> list[int]:
    """Somebody else saves, from another machine: new customers (None) or changed ones; answers their keys."""
    from flask_appadmin.changes import ChangeSet
    from flask_appadmin.database import connect_database, disconnect_database
    from flask_appadmin.rights import system_operator
    from flask_appadmin.schema import declare_models
    from models import MODELS, Customer

    connect_database(server.database_url)
    declare_models(MODELS)
    planned = ChangeSet("form")
    made = []
    for key, values in steps:
        if key is None:
            made.append(planned.create(Customer, values))
        else:
            planned.update(Customer, key, values)
    planned.apply(system_operator(who))
    disconnect_database()
    return [record.key or 0 for record in made]


def tab_to(page: Page, selector: str) -> None:
    """Presses Tab until what the selector names has the focus."""
    expect(page.locator(selector)).to_be_visible()
    for _press in range(150):
        if page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {selector}")


@pytest.mark.engines("sqlite")
@pytest.mark.req("PX-21")
def test_conflict_crash_and_leaving_lose_nothing(
    page: Page, context: BrowserContext, server: KontorServer, sign_in: Callable[..., None], screen: Screen
) -> None:
    keys = change(server, "Herr Berger", *((None, {"name_1": f"Kunde {number}"}) for number in (1, 2, 3)))
    sign_in(page)
    page.goto(server.url + "/admin/customer/")
    expect(page.locator("#list tbody tr")).to_have_count(3)
    url = f"{server.url}/admin/customer/edit/?id={keys[1]}"
    page.goto(url)
    name, box = page.locator("#f-name_2"), page.locator("#f-po_box")

    # Herr Berger was faster with one field, and alone with another one.
    tab_to(page, "#f-name_2")
    page.keyboard.type("Von Weber")
    change(server, "Herr Berger", (keys[1], {"name_2": "Von Berger", "po_box": "4711"}))
    page.keyboard.press("Control+s")
    expect(page.locator("section.conflict")).to_contain_text("Herr Berger")
    expect(name).to_have_value("Von Weber")
    screen(page, "conflict")
    tab_to(page, "section.conflict a")
    page.keyboard.press("Enter")
    expect(page.locator("#keep-name_2")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#keep-name_2")).to_be_checked()
    page.keyboard.press("Control+s")
    expect(page.locator("#toast")).to_contain_text("Gespeichert.")
    expect(page.locator("#messages")).to_contain_text("Inzwischen außerdem geändert: Herr Berger")
    expect(name).to_have_value("Von Weber")
    expect(box).to_have_value("4711")

    # The window crashes; the next one brings back what was typed.
    tab_to(page, "#f-name_2")
    page.keyboard.press("Control+a")
    page.keyboard.type("Unfertig")
    expect(page.locator("form[data-kept]")).to_have_count(1)
    page.close()
    page = context.new_page()
    page.goto(url)
    expect(page.locator(".offer")).to_contain_text("Es gibt ungespeicherte Eingaben vom")
    screen(page, "draft")
    tab_to(page, "[data-resume]")
    page.keyboard.press("Enter")
    expect(page.locator("#f-name_2")).to_have_value("Unfertig")
    expect(page.locator("[data-state]")).to_have_text("1 ungespeicherte Änderung")

    # The next customer: asked first. Staying keeps everything, saving goes on, discarding forgets.
    question = page.get_by_role("dialog", name="1 ungespeicherte Änderung")
    page.keyboard.press("Control+h")
    expect(question).to_be_visible()
    screen(page, "leaving")
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(page.locator("#f-name_2")).to_have_value("Unfertig")
    page.keyboard.press("Control+h")
    expect(question).to_be_visible()
    tab_to(page, "#leave-form [data-answer=save]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"id={keys[2]}"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Kunde 3")

    page.goto(url)
    expect(page.locator("#f-name_2")).to_have_value("Unfertig")
    expect(page.locator(".offer")).to_have_count(0)
    tab_to(page, "#f-name_2")
    page.keyboard.type("!")
    expect(page.locator("form[data-kept]")).to_have_count(1)
    page.keyboard.press("Control+g")
    expect(page.get_by_role("dialog", name="1 ungespeicherte Änderung")).to_be_visible()
    tab_to(page, "#leave-form [data-answer=discard]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"id={keys[0]}"))
    page.goto(url)
    expect(page.locator("#f-name_2")).to_have_value("Unfertig")
    expect(page.locator(".offer")).to_have_count(0)

"""What the form does while one types: places, search name, address lines, duplicates, kinds of customers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer

_PLACES = (
    "AT\t1010\tWien, Innere Stadt\t\t\t\t\t\t\t48.2\t16.3\t4\n"
    "AT\t4600\tWels\t\t\t\t\t\t\t48.1\t14.0\t4\n"
    "AT\t4600\tPernau\t\t\t\t\t\t\t48.1\t14.0\t4\n"
)
_CUSTOMERS = "Name 1;PLZ;Ort\nHuber GmbH;1010;Wien\n"


@pytest.mark.engines("sqlite")
@pytest.mark.req("PX-60", "PX-61", "PX-62", "PX-92", "NE-39", "NE-43", "NE-47")
@pytest.mark.req("NE-40", partly=True)
def test_a_customer_is_typed_with_the_help_of_the_form(
    page: Page,
    server: KontorServer,
    sign_in: Callable[..., None],
    screen: Callable[[Page, str], None],
    tmp_path: Path,
) -> None:
    for name, content in (("AT.txt", _PLACES), ("kunden.csv", _CUSTOMERS)):
        (tmp_path / name).write_text(content, encoding="utf-8")
    suppliers = tmp_path / "lieferanten.csv"
    suppliers.write_text("Lieferanten-Nr. (Lieferantenstamm);Name;Ort\nS3;Glas AG;Jena\n", encoding="utf-8")
    server.kontor("postal-codes", str(tmp_path / "AT.txt"))
    server.kontor("import", str(tmp_path / "kunden.csv"))
    server.kontor("import", str(suppliers), "--model", "supplier", "--key", "number", "--insert-missing")
    sign_in(page)
    page.goto(server.url + "/admin/customer/new/")
    keyboard = page.keyboard

    def field(name: str):
        return page.locator(f"#f-{name}")

    expect(field("customer_number")).to_have_value("10002")
    field("name_1").focus()
    keyboard.type("Huber")
    field("country").focus()
    keyboard.type("Österreich")
    expect(page.locator("[role=listbox]:visible [role=option]").first).to_have_text("AT Österreich")
    keyboard.press("Enter")
    expect(field("country")).to_have_value("AT Österreich")
    field("postal_code").focus()
    keyboard.type("1010")
    keyboard.press("Tab")
    # One place: it stands there, with the prefix and the search name; the lines of the address follow.
    expect(field("city")).to_have_value("Wien")
    expect(field("phone")).to_have_value("+43 1 ")
    expect(field("search_name")).to_have_value("Huber Wien")
    lines = page.locator('[data-lines="address"]')
    expect(lines).to_contain_text("1010 Wien")
    expect(lines).to_contain_text("ÖSTERREICH")
    # Somebody of this name lives there already: said at the field, with a way to him, and nothing stands in the way.
    expect(page.locator(".field:has(#f-name_1) .note")).to_contain_text("Gleicher Name und PLZ: 10001 Huber GmbH")
    expect(page.locator("dialog[open]")).to_have_count(0)
    screen(page, "typing")
    # Another code with several places: they are offered, and what was proposed before is gone.
    field("postal_code").fill("4600")
    keyboard.press("Tab")
    expect(field("city")).to_have_value("")
    offered = page.locator("[role=listbox]:visible [role=option]")
    expect(field("city")).to_be_focused()
    expect(offered).to_have_text(["Wels", "Pernau"])
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(field("city")).to_have_value("Wels")
    expect(field("phone")).to_have_value("+43 7242 ")
    expect(field("search_name")).to_have_value("Huber Wels")
    expect(page.locator(".field:has(#f-name_1) .note")).to_have_count(0)
    # A city that was typed stays, whatever the code; so does a search name.
    field("city").fill("Thalheim")
    keyboard.press("Tab")
    expect(field("search_name")).to_have_value("Huber Thalheim")
    field("search_name").fill("HUBER1")
    field("postal_code").fill("1010")
    keyboard.press("Tab")
    expect(lines).to_contain_text("1010 Thalheim")
    expect(field("city")).to_have_value("Thalheim")
    expect(field("search_name")).to_have_value("HUBER1")
    # The kind of customer decides which fields there are; a supplier brings its name.
    page.get_by_role("tab", name="Details").click()
    expect(field("supplier")).to_be_hidden()
    field("customer_type").select_option(label="Mitarbeiter")
    expect(field("employee")).to_be_visible()
    expect(field("supplier")).to_be_hidden()
    for kind, shown in (("Kollege", True), ("Endkunde", False), ("Lieferant", True)):
        field("customer_type").select_option(label=kind)
        expect(field("employee")).to_be_hidden()
        expect(field("supplier")).to_be_visible(visible=shown)
    field("supplier").focus()
    keyboard.type("S3")
    expect(page.locator("[role=listbox]:visible [role=option]")).to_have_text(["S3 Glas AG"])
    keyboard.press("Enter")
    page.get_by_role("tab", name="Hauptfenster").click()
    expect(field("name_1")).to_have_value("Glas AG")
    expect(field("name_1")).not_to_be_editable()
    expect(field("city")).to_have_value("Jena")
    keyboard.press("Control+s")
    expect(page.locator("#toast")).to_contain_text("Gespeichert.")
    expect(field("name_1")).to_have_value("Glas AG")
    expect(page.get_by_role("heading", level=1)).to_have_text("10002 Glas AG")

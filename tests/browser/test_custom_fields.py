"""An administrator defines fields; the next page of a customer has them, the window of a contact, too."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer
from tests.customers.test_child_tables import a_customer, store


@pytest.mark.engines("sqlite")
@pytest.mark.req("ME-138", "ME-139", partly=True)
def test_a_field_is_defined_and_filled_without_a_restart(
    server: KontorServer, sign_in: Callable[..., None], page: Page, db: object, screen: Callable[[Page, str], None]
) -> None:
    from models import Contact

    customer = a_customer(customer_number=10001)
    store(Contact, {"customer": customer, "name_1": "Berger"})
    sign_in(page)
    page.get_by_role("link", name="Benutzerdefinierte Felder").click()
    page.get_by_role("link", name=re.compile("^Neu")).first.click()
    for label, kind, entity in (
        ("Messe", "Text", "Kunden"),
        ("Besucher", "Ganzzahl", "Kunden"),
        ("Standfläche", "Dezimalzahl", "Kunden"),
        ("Zugesagt am", "Datum", "Kunden"),
        ("Stammgast", "Ja/Nein", "Kunden"),
        ("Hobby", "Text", "Ansprechpartner"),
    ):
        expect(page.get_by_role("heading", level=1)).to_contain_text("Neu")
        page.get_by_label("Bereich", exact=True).select_option(label=entity)
        page.get_by_label("Bezeichnung der Registerkarte").fill("Vertrieb")
        page.get_by_label("Bezeichnung", exact=True).fill(label)
        page.get_by_label("Feldtyp").select_option(label=kind)
        if label == "Messe":
            screen(page, "custom-field-new")
        page.get_by_role("button", name=re.compile("^Speichern")).first.click()
        expect(page.get_by_text("Gespeichert.")).to_be_visible()
        page.goto(f"{server.url}/admin/custom_field/new/")
    page.goto(f"{server.url}/admin/custom_field/")
    expect(page.get_by_role("cell", name="Hobby", exact=True)).to_be_visible()
    screen(page, "custom-field-list")

    page.goto(f"{server.url}/admin/customer/edit/?id={customer}")
    page.get_by_role("tab", name="Vertrieb").click()
    page.get_by_label("Messe").fill("Leipzig")
    page.get_by_label("Besucher").fill("1200")
    page.get_by_label("Standfläche").fill("12,5")
    page.get_by_label("Stammgast").check()
    screen(page, "custom-field-tab")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Gespeichert.")).to_be_visible()
    expect(page.get_by_label("Messe")).to_have_value("Leipzig")
    expect(page.get_by_label("Standfläche")).to_have_value("12,50")
    screen(page, "custom-field-saved")

    page.get_by_role("tab", name="Ansprechpartner").click()
    page.get_by_role("cell", name="Berger").dblclick()
    hobby = page.get_by_role("dialog").get_by_label("Hobby")
    expect(hobby).to_be_visible()
    hobby.fill("Segeln")
    hobby.scroll_into_view_if_needed()
    screen(page, "custom-field-window")

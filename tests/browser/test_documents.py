"""From a customer to a printed order: the proposed header, what to mind, a line, and the sheet „an Hauptkunde“."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import KontorServer
from tests.customers.test_documents import customer, make


def _stock() -> None:
    """A buyer with a main customer, and an article."""
    from decimal import Decimal

    from domain.catalog import Article
    from models import Contact

    main = customer(1, name_2="Zentrale", street="Ring 1", postal_code="10115", city="Berlin")
    buyer = customer(
        2,
        parent_customer=main.id,
        attention_to="Frau Berger",
        po_box="123",
        postal_code="04109",
        city="Leipzig",
        input_hint="A C H T U N G - KEINE RÜCKSTÄNDE NACHLIEFERN",
        agreements="Anlieferung nur Dienstag",
        external_text="A C H T U N G - ZENTRALREGULIERUNG",
        own_supplier_number="L-555",
    )
    make(Contact, customer=buyer.id, name_1="Auer")
    make(Article, number="S-1", designation_1="Schraube M8 x 40, verzinkt", list_price=Decimal("12.50"))


@pytest.mark.engines("sqlite")
@pytest.mark.req("PX-118", "PX-100", "PX-108", partly=True)
def test_an_order_is_entered_for_a_customer_and_printed(
    server: KontorServer, sign_in: Callable[..., None], page: Page, db: object, screen: Callable[[Page, str], None]
) -> None:
    _stock()
    sign_in(page)
    page.goto(f"{server.url}/admin/customer/?search=Firma+2")
    page.get_by_role("link", name="2", exact=True).first.click()
    page.get_by_text("Sonderfunktionen", exact=True).click()
    page.get_by_role("link", name="Belege").click()
    expect(page.get_by_role("heading", name="Belege")).to_be_visible()
    expect(page.get_by_text("Anlieferung nur Dienstag")).to_be_visible()
    screen(page, "documents")

    # A file is put beside the customer by keyboard.
    page.goto(f"{server.url}/admin/customer/?search=Firma+2")
    page.get_by_role("link", name="2", exact=True).first.click()
    page.get_by_role("tab", name="Dokumente").click()
    new = page.locator("#grid-document a[data-command=new]")
    new.focus()
    page.keyboard.press("Insert")
    window = page.get_by_role("dialog", name="Dokument hochladen")
    window.get_by_label("Dateiname").set_input_files(
        {"name": "vertrag.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 Vertrag"}
    )
    window.get_by_label("Art des Dokuments").select_option("Vertrag")
    screen(page, "document-upload")
    window.get_by_role("button", name="Hochladen").click()
    expect(page.get_by_text("Dokument gespeichert.")).to_be_visible()
    expect(page.locator("#grid-document tbody.row")).to_have_count(1)
    screen(page, "documents-tab")
    with page.expect_download() as handed_out:
        page.locator("#grid-document a[data-open]").click()
    assert handed_out.value.suggested_filename == "vertrag.pdf"

    # Who is no customer yet becomes one beside the empty field; the order goes on with him and what was typed.
    page.goto(f"{server.url}/admin/sales_order/new/")
    page.get_by_label("Kunden-Bestell-Nr.").fill("B-76")
    page.get_by_role("link", name="Kunde: Kundenschnellanlage").press("Enter")
    window = page.get_by_role("dialog", name="Kundenschnellanlage")
    expect(window.get_by_label("Name 1")).to_be_focused()
    screen(page, "order-quick-entry")
    window.get_by_label("Name 1").fill("Neuhaus & Söhne")
    window.get_by_label("Ort").fill("Graz")
    page.keyboard.press("Enter")
    chosen = page.get_by_role("combobox", name="Kunde", exact=True)
    expect(chosen).to_have_value("10001 Neuhaus & Söhne")
    expect(page.get_by_role("link", name="Kunde: Kundenschnellanlage")).to_have_count(0)
    expect(page.get_by_label("Kunden-Bestell-Nr.")).to_have_value("B-76")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Gespeichert.")).to_be_visible()
    expect(chosen).to_have_value("10001 Neuhaus & Söhne")

    # The customer may also be chosen on an empty order: it is read anew with what he says.
    page.goto(f"{server.url}/admin/sales_order/new/")
    order_number = page.get_by_label("Kunden-Bestell-Nr.")
    order_number.fill("B-77")
    chosen.click()
    chosen.press_sequentially("Firma 2")
    page.get_by_role("option", name=re.compile("Firma 2")).click()
    expect(page.get_by_text("KEINE RÜCKSTÄNDE NACHLIEFERN")).to_be_visible()
    expect(page.get_by_label("zu Hd.")).to_have_value("Frau Berger")
    expect(page.get_by_label("Kunden-Bestell-Nr.")).to_have_value("B-77")
    screen(page, "order")
    page.get_by_label("zu Hd.").fill("Herr Klein")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Gespeichert.")).to_be_visible()
    expect(page.get_by_label("zu Hd.")).to_have_value("Herr Klein")

    page.get_by_role("button", name="Drucken").or_(page.locator("summary[aria-label='Drucken']")).first.click()
    page.get_by_role("link", name="Auftrag", exact=True).click()
    sheet = page.get_by_role("article")
    expect(sheet).to_contain_text("Postfach 123")
    expect(sheet).to_contain_text("ZENTRALREGULIERUNG")
    expect(sheet).not_to_contain_text("NACHLIEFERN")
    expect(sheet).not_to_contain_text("Zentrale")
    page.get_by_label("an Hauptkunde").check()
    expect(sheet).to_contain_text("Ring 1")
    expect(page.get_by_label("an Hauptkunde")).to_be_checked()
    screen(page, "order-print")
    page.emulate_media(media="print")
    expect(page.get_by_label("an Hauptkunde")).to_be_hidden()
    expect(sheet).to_be_visible()

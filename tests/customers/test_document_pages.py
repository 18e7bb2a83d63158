"""Documents on their pages: „Belege“ of a customer, the proposed header, what is offered, and what is printed."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.catalog import Article, Supplier
from domain.settings import Setting
from domain.trade import (
    CreditNote,
    DeliveryNote,
    DeliveryNoteItem,
    Invoice,
    InvoiceRun,
    RepairOrder,
    SalesOrder,
)
from domain.values.countries import Country
from models import Address, Contact, Customer
from tests.customers.test_documents import change, customer, make
from tests.reader import get, read, send

DAY = datetime.date(2026, 5, 18)


def paper(client: FlaskClient, document: Any, **choice: str) -> str:
    """What stands on the printed sheet."""
    query = "".join(f"&{name}={value}" for name, value in choice.items())
    page = get(client, f"/admin/{type(document)._meta.table_name}/print?id={document.id}{query}")
    return " ".join(sheet.text for sheet in page.all("article"))


@pytest.mark.req("PX-87", "PX-108", "PX-212", "ME-100", "ME-109")
def test_a_new_order_begins_at_the_customer_and_shows_what_is_proposed(operator: FlaskClient) -> None:
    main = customer(1)
    buyer = customer(
        2,
        parent_customer=main.id,
        attention_to="Frau Berger",
        input_hint="A C H T U N G - KEINE RÜCKSTÄNDE NACHLIEFERN",
        agreements="nur Dienstag",
        final_discount_percent=Decimal(3),
    )
    make(Contact, customer=buyer.id, name_1="Auer")
    make(Contact, customer=buyer.id, name_1="Klein", active=False)
    make(Contact, customer=main.id, name_1="Fremd")
    make(Address, customer=buyer.id, street="Hafen 2", city="Graz")
    make(Address, customer=buyer.id, street="Alt 1", city="Graz", active=False)
    article = make(Article, number="S-1", designation_1="Schraube", list_price=Decimal(10))

    page = get(operator, f"/admin/customer/edit/?id={buyer.id}")
    documents = get(operator, page.link("Belege"))
    assert "nur Dienstag" in documents.text
    page = get(operator, documents.link("Neuer Auftrag"))
    notices = next(node for node in page.all("div") if "data-notices" in node.attributes)
    assert "KEINE RÜCKSTÄNDE NACHLIEFERN" in notices.text
    assert "nur Dienstag" in notices.text
    form = page.one("form", id="form")
    fields = form.fields()
    assert (fields["attention_to"], fields["final_discount_percent"]) == ("Frau Berger", "3,00")
    assert fields["parent_customer_text"].startswith("1 Firma 1")

    # Only active contacts of this customer are offered; its form still lists the others.
    offered = page.one("select", name="contact").text
    assert "Auer" in offered
    assert not [name for name in ("Klein", "Fremd") if name in offered]
    assert "Klein" in get(operator, f"/admin/customer/edit/?id={buyer.id}&tab=contacts").html
    further = get(operator, f"{form['action']}&tab=further", **{"X-Fragment": "panel"})
    addresses = further.one("select", name="delivery_address").text
    assert ("Hafen 2" in addresses, "Alt 1" in addresses) == (True, False)
    assert "Alt 1" in get(operator, f"/admin/customer/edit/?id={buyer.id}&tab=addresses").html

    # What is changed on the order stands on the order; what nobody saw is proposed all the same.
    posted = form.fields(attention_to="Herr Klein", final_discount_percent="")
    posted.setlist("_rows", ["sales_order_item-n1"])
    posted["sales_order_item-n1-article"] = str(article.id)
    posted["sales_order_item-n1-quantity"] = "4"
    posted["sales_order_item-n1-unit_price"] = ""
    saved = send(operator, form["action"], posted)
    assert saved.toast.startswith("Gespeichert."), saved.summary
    order = SalesOrder.get()
    assert (order.attention_to, order.final_discount_percent, order.parent_customer_id) == ("Herr Klein", None, main.id)
    assert [(item.quantity, item.unit_price) for item in order.items] == [(Decimal(4), Decimal(10))]
    assert type(buyer).get_by_id(buyer.id).attention_to == "Frau Berger"

    # Out of the order come delivery note and invoice; the invoice is credited as a whole.
    for kind, model in (("delivery_note", DeliveryNote), ("invoice", Invoice)):
        made = send(operator, f"/admin/sales_order/make?id={order.id}&kind={kind}", {})
        assert made.toast.endswith("angelegt.  rückgängig") or "angelegt" in made.toast
        assert model.get().items.count() == 1
    page = get(operator, f"/admin/invoice/edit/?id={Invoice.get().id}")
    credit = get(operator, page.link("Gutschreiben")).one("form", id="form")
    send(operator, credit["action"], credit.fields())
    assert (CreditNote.get().total_amount, CreditNote.get().items.count()) == (Decimal(40), 1)
    listed = get(operator, f"/admin/customer/documents?id={buyer.id}")
    for document in (order, DeliveryNote.get(), Invoice.get(), CreditNote.get()):
        assert document.number in listed.text
    assert operator.get("/admin/customer/documents?id=9999").status_code == 404
    assert get(operator, "/admin/sales_order/new/?customer=9999&kind=x&ordered_on=gestern").status == 200


@pytest.mark.req("PX-100", "PX-107", "PX-108", "PX-109", "PX-116", "PX-144", "NE-70", "ME-88", "ME-90")
@pytest.mark.engines("sqlite", later="postgresql")
def test_printed_documents_carry_what_belongs_on_them_and_nothing_else(operator: FlaskClient) -> None:
    austria = Country.get(Country.code == "AT").id
    main = customer(1, street="Zentrale 1", postal_code="1010", city="Wien", country=austria)
    texts = {
        "external_text": "A C H T U N G - ZENTRALREGULIERUNG",
        "delivery_text": "A C H T U N G – HEBEBÜHNE ERFORDERLICH",
        "input_hint": "A C H T U N G - KEINE RÜCKSTÄNDE NACHLIEFERN",
        "tax_number": "12/345/67890",
        "own_supplier_number": "L-555",
        "shipping_hint": "Rampe",
        "workshop_hint": "Motor prüfen",
    }
    buyer = customer(
        2, parent_customer=main.id, po_box="123", postal_code="8010", city="Graz", country=austria, **texts
    )
    plain = customer(3, po_box="PF 123", city="Linz", country=austria)
    article = make(Article, number="S-1", designation_1="Schraube", list_price=Decimal(10))

    def documents(owner: Any) -> dict[str, Any]:
        made = {
            "offer": make(SalesOrder, customer=owner.id, kind="offer"),
            "order": make(SalesOrder, customer=owner.id),
            "delivery": make(DeliveryNote, customer=owner.id, delivered_on=DAY),
            "invoice": make(Invoice, customer=owner.id),
        }
        made["credited"] = make(CreditNote, invoice=made["invoice"].id)
        made["credit"] = make(CreditNote, customer=owner.id, total_amount=Decimal(5))
        make(DeliveryNoteItem, delivery_note=made["delivery"].id, article=article.id, quantity=Decimal(3))
        return made

    found = documents(buyer)
    printed = {name: paper(operator, document) for name, document in found.items()}
    everywhere = {"offer", "order", "invoice", "credited", "credit"}
    for text, wanted in (
        (texts["external_text"], everywhere),
        (texts["delivery_text"], {"delivery"}),
        (texts["input_hint"], set()),
        (texts["shipping_hint"], {"delivery"}),
        (texts["workshop_hint"], set()),
        (texts["tax_number"], {"invoice"}),
        (texts["own_supplier_number"], {"offer", "order", "delivery", "invoice"}),
        ("Postfach 123", everywhere | {"delivery"}),
        ("Zentrale 1", set()),
    ):
        assert {name for name, content in printed.items() if text in content} == wanted, text
    others = {name: paper(operator, document) for name, document in documents(plain).items()}
    for name, content in others.items():
        assert "PF 123" in content, name
        assert "Postfach PF" not in content, name
        assert not [word for word in ("Steuer-Nr.", "Lieferanten-Nr.") if word in content], "no empty captions"

    # ME-88: what the customer says about contacts, where he deviates; else the setting.
    contact = make(Contact, customer=buyer.id, name_1="Auer", name_2="Eva")
    named = {name: found[name] for name in ("offer", "order", "delivery", "invoice")}
    for document in named.values():
        change(document, contact=contact.id)
    named["credited"] = found["credited"]
    # The setting is read and typed in words.
    settings = f"/admin/setting/edit/?id={Setting.get().id}"
    form = get(operator, settings).one("form", id="form")
    assert form.one("textarea", name="contact_print_defaults").text == ""
    unknown = read(operator.post(settings, data=form.typed({"contact_print_defaults": "Angebot, Brief"})))
    assert unknown.one("p", id="e-contact_print_defaults").text.startswith("„Brief“ gibt es hier nicht.")
    operator.post(settings, data=form.typed({"contact_print_defaults": "lieferschein, Angebot"}))
    assert Setting.get().contact_print_defaults == ["quote", "delivery_note"]
    assert get(operator, settings).one("textarea", name="contact_print_defaults").text == "Angebot, Lieferschein"
    ticks = {"contact_print_deviates": True, "contact_print_invoice": True}
    for values, defaults, wanted in (
        ({}, [], set()),
        ({}, ["quote", "credit_note"], {"offer", "credited"}),
        (ticks, ["quote", "delivery_note"], {"invoice"}),
        ({"contact_print_invoice": False, "contact_print_order_confirmation": True}, ["invoice"], {"order"}),
    ):
        change(buyer, **values)
        Setting.update(contact_print_defaults=defaults).execute()
        shown = {name for name, each in named.items() if "Auer Eva" in paper(operator, each)}
        assert shown == wanted, (values, defaults)

    # ME-90: the workshop reads its hint in the repair order; who entered the customer stands there.
    for owner, told in ((buyer, True), (plain, False)):
        repair = make(RepairOrder, number=f"R{owner.customer_number}", customer=owner.id)
        for url in (f"edit/?id={repair.id}", f"new/?customer={owner.id}"):
            assert ("Motor prüfen" in get(operator, f"/admin/repair_order/{url}").html) is told, url
    assert type(buyer).get_by_id(buyer.id).entered_by == "Frau Weber"

    # The run that makes collective invoices prints all of them; the form of each shows the address, too.
    change(buyer, collective_invoice=True)
    run = make(InvoiceRun, up_to=DAY)
    assert paper(operator, run).count("Postfach 123") == 1
    assert "PF 123" in paper(operator, run)
    for name, tab in (("order", "further"), ("invoice", "further"), ("credit", "main"), ("credited", "main")):
        url = f"/admin/{type(found[name])._meta.table_name}/edit/?id={found[name].id}&tab={tab}"
        assert "Postfach 123" in get(operator, url).html, name

    # „an Hauptkunde“: both addresses, first the customer's own; without a main customer the box cannot be ticked.
    for name in ("offer", "order", "invoice"):
        both = paper(operator, found[name], to_parent="1")
        assert both.index("Postfach 123") < both.index("Firma 1") < both.index("Zentrale 1"), name
        url = f"/admin/{type(found[name])._meta.table_name}/print?id="
        box = get(operator, f"{url}{found[name].id}").one("input", name="to_parent")
        assert "disabled" not in box.attributes
    alone = make(SalesOrder, customer=plain.id)
    box = get(operator, f"/admin/sales_order/print?id={alone.id}&to_parent=1").one("input", name="to_parent")
    assert ("disabled" in box.attributes, "checked" in box.attributes) == (True, False)
    assert operator.get("/admin/sales_order/print?id=9999").status_code == 404


@pytest.mark.req("PX-82", "PX-83", "NE-07", "NE-46")
def test_documents_are_for_active_customers_only(operator: FlaskClient) -> None:
    form = get(operator, "/admin/customer/new/").one("form", id="form")
    send(operator, form["action"], form.fields(name_1="Neuling"))
    assert Customer.get(Customer.name_1 == "Neuling").status == "draft", "NE-07: nobody touched the status"
    ticked, locked, unticked = customer(1), customer(2), customer(3)
    change(locked, status="locked")
    change(unticked, active=False)

    def offered(url: str, field: str) -> list[str]:
        """What the search beside this field finds, as the page itself asks."""
        page = get(operator, url)
        hidden = page.one("input", name=field)
        lookup = next(
            node
            for node in page.all("span", "lookup")
            if any(each is hidden for each in node.walk()) and "customer" in node["data-lookup"]
        )
        sign = "&" if "?" in lookup["data-lookup"] else "?"
        found = []
        for text in ("Firma", "Neuling", "Glas"):
            found += operator.get(f"{lookup['data-lookup']}{sign}query={text}").get_json()
        return [entry["text"] for entry in found]

    places = (
        ("/admin/sales_order/new/", "customer"), ("/admin/delivery_note/new/", "customer"),
        ("/admin/invoice/new/", "customer"), ("/admin/customer/new/", "association"),
    )  # fmt: skip
    for url, field in places:
        assert offered(url, field) == ["1 Firma 1"], url
    listed = get(operator, "/admin/customer/?search=Firma").html
    assert all(f"Firma {number}" in listed for number in (1, 2, 3)), "the search of the customers finds all"
    change(ticked, active=False)
    assert [offered(url, field) for url, field in places] == [[]] * 4

    # NE-46: a supplier is sold to as soon as it is a customer.
    supplier = make(Supplier, number="S3", name_1="Glas AG")
    form = get(operator, "/admin/sales_order/new/").one("form", id="form")
    refused = send(operator, form["action"], form.fields(customer_text="Glas AG"))
    assert (refused.status, SalesOrder.select().count()) == (422, 0)
    buyer = make(Customer, customer_number=9, customer_type="supplier", supplier=supplier.id, status="active")
    assert offered("/admin/sales_order/new/", "customer") == ["9 Glas AG"]
    send(operator, form["action"], form.fields(customer=str(buyer.id), customer_text="9 Glas AG"))
    assert SalesOrder.get().customer_id == buyer.id


def test_who_may_not_see_documents_sees_none(sign_in_as: Any) -> None:
    buyer = customer(2)
    order = make(SalesOrder, customer=buyer.id)
    technician = sign_in_as("Technik")
    for url in (f"/admin/customer/documents?id={buyer.id}", f"/admin/sales_order/print?id={order.id}"):
        assert technician.get(url).status_code == 403, url
    assert technician.post(f"/admin/sales_order/make?id={order.id}&kind=invoice").status_code == 403
    assert sign_in_as("Lesen", "leser").post(f"/admin/sales_order/make?id={order.id}&kind=invoice").status_code == 403
    assert Invoice.select().count() == 0

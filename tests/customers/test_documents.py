"""What a customer's settings do to orders, delivery notes, invoices, credit notes, runs, accounting and till."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actions.import_sheet import ImportReport, run_import
from domain.catalog import Article, Warehouse
from domain.settings import Setting
from domain.till import TillPayment, TillReceipt, TillReceiptItem
from domain.trade import (
    CreditNote,
    CreditNoteItem,
    DeliveryNote,
    DeliveryNoteItem,
    DunningRun,
    Invoice,
    InvoiceItem,
    InvoiceRun,
    Reminder,
    RevenueFact,
    SalesOrder,
    SalesOrderItem,
)
from domain.trade.making import delivery_of, invoice_of
from domain.values.company import Branch, Employee, Tenant
from domain.values.countries import Currency, Language
from domain.values.delivery import DeliveryTerm, DeliveryZone, ShippingMethod
from domain.values.taxes import RevenueCode, TaxRate
from domain.values.terms import Intermediary, PaymentTerm
from flask_appadmin.changes import Applied, ChangeSet, NewRecord
from flask_appadmin.errors import FaultList
from flask_appadmin.rights import Operator, Role, User
from flask_appadmin.specs import spec_of
from models import (
    AccountEntry,
    AccountingPosting,
    AccountingTransfer,
    Address,
    Contact,
    Country,
    Customer,
    SalesCondition,
)
from tests.spreadsheets import edit_cells, export

DAY = datetime.date(2026, 5, 18)


def clerk() -> Operator:
    """An operator with every right who is a user, as runs want to know who made them."""
    role, _made = Role.get_or_create(name="Alle", defaults={"permissions": ["*"]})
    user, _made = User.get_or_create(
        username="innendienst",
        defaults={"password": "x", "role": role, "fs_uniquifier": "u"},
    )
    return Operator(user.id, "Frau Weber", frozenset({"*"}), "Alle")


def make(model: Any, **values: Any) -> Any:
    change = ChangeSet("form")
    record = change.create(model, values)
    change.apply(clerk())
    return model.get_by_id(record.key)


def change(record: Any, **values: Any) -> Applied:
    steps = ChangeSet("form")
    steps.update(type(record), record.id, values)
    return steps.apply(clerk())


def apply(records: list[NewRecord]) -> Any:
    """Writes documents that were made of others; answers the first."""
    steps = ChangeSet("form")
    head = steps.add(records)
    steps.apply(clerk())
    return head.spec.model.get_by_id(head.key)


def customer(number: int, **values: Any) -> Customer:
    return make(Customer, customer_number=number, name_1=f"Firma {number}", status="active", **values)


def refusal(work: Any) -> str:
    with pytest.raises(FaultList) as caught:
        work()
    return str(caught.value.faults[0])


def row_of(record: Any) -> dict[str, Any]:
    return type(record).select().where(type(record).id == record.id).dicts().get()


@pytest.mark.req("PX-87", "PX-99", "PX-120", "PX-126", "PX-127", "PX-128", "PX-131", "PX-135", "PX-143", "PX-191")
@pytest.mark.req("PX-213", "PX-215", "PX-224", "PX-146")
@pytest.mark.req("ME-40", "ME-100", "ME-109", partly=True)
def test_a_new_document_takes_its_header_from_the_customer_and_may_be_changed_alone(db: Any) -> None:
    main, other, association = customer(1), customer(3), customer(900)
    proposed = {
        "attention_to": "Frau Berger",
        "parent_customer": main.id,
        "clerk": make(Employee, number="7", name="Sieben").id,
        "sales_representative": make(Employee, number="9", name="Neun").id,
        "shipping_method": make(ShippingMethod, number=77, name="Spedition").id,
        "language": Language.get(Language.code == "en").id,
        "currency": Currency.get(Currency.code == "USD").id,
        "intermediary": make(Intermediary, number="N", name="Novak").id,
        "delivery_term": DeliveryTerm.select().first().id,
        "final_discount_percent": Decimal("3"),
        "invoice_customer": main.id,
        "delivery_customer": other.id,
    }
    term = make(PaymentTerm, number=30, name="30 Tage netto", net_days=30)
    second = customer(2, **proposed, payment_term_1=term.id)
    before = row_of(second)

    order = make(SalesOrder, customer=second.id)
    assert {name: row_of(order)[name] for name in proposed} == proposed
    assert order.payment_term.name == "30 Tage netto"
    assert re.fullmatch(r"A\d{7}", order.number), "a number of its own"
    invoice = make(Invoice, customer=second.id)
    shared = [name for name in proposed if name in Invoice._meta.fields]
    assert {name: row_of(invoice)[name] for name in shared} == {name: proposed[name] for name in shared}
    assert invoice.due_on == invoice.invoiced_on + datetime.timedelta(days=30)
    assert make(DeliveryNote, customer=second.id).attention_to == "Frau Berger"

    # Everything may be changed, on this document alone; what is emptied on purpose stays empty.
    different = {
        "attention_to": "Herr Klein", "parent_customer": other.id, "clerk": None, "currency": None,
        "final_discount_percent": Decimal("1.5"), "shipping_method": ShippingMethod.select().first().id,
    }  # fmt: skip
    change(order, **different)
    typed = make(SalesOrder, customer=second.id, **different)
    for document in (order, typed):
        assert {name: row_of(document)[name] for name in different} == different
    assert row_of(second) == before, "no document changes its customer"
    for percent in (Decimal("-1"), Decimal("100.5")):
        assert "Schlußrabatt" in refusal(lambda percent=percent: change(second, final_discount_percent=percent))

    # Addresses: those of the tab Auftragsinfo are proposed while they are active, and offered for their customer only.
    branch = make(Address, customer=second.id, street="Hafen 2", city="Graz")
    foreign = make(Address, customer=main.id, street="Fremd 1", city="Wien")
    change(second, delivery_address=branch.id, order_confirmation_address=branch.id, delivery_customer=None)
    assert make(DeliveryNote, customer=second.id).delivery_address_id == branch.id
    assert make(SalesOrder, customer=second.id).order_confirmation_address_id == branch.id
    assert "Gehört nicht zu diesem Kunden" in refusal(
        lambda: make(SalesOrder, customer=second.id, delivery_address=foreign.id)
    )
    contact = make(Contact, customer=second.id, name_1="Berger")
    kept = make(SalesOrder, customer=second.id, contact=contact.id)
    change(branch, active=False)
    change(contact, active=False)
    assert make(DeliveryNote, customer=second.id).delivery_address_id is None
    for field, record in (("contact", contact), ("delivery_address", branch)):
        chosen = {field: record.id}
        assert "Ist nicht mehr aktiv" in refusal(lambda chosen=chosen: make(SalesOrder, customer=second.id, **chosen))
    change(kept, customer=second.id, source="own", follow_up_on=DAY)
    change(kept, contact=contact.id)

    # An association is carrier and invoice address only where somebody says so.
    member = customer(4, association=association.id)
    assert (member.condition_carrier_id, member.invoice_customer_id) == (None, None)
    change(member, condition_carrier=association.id, invoice_customer=association.id)
    order = make(SalesOrder, customer=member.id)
    assert (order.invoice_customer_id, order.association_id) == (association.id, association.id)
    assert "auf sich selbst" in refusal(lambda: change(member, invoice_customer=member.id))
    assert "auf sich selbst" in refusal(lambda: change(member, condition_carrier=member.id))

    # Shipping costs by zone: only with the setting and the customer's own mark.
    zone = make(DeliveryZone, code="2", shipping_cost=Decimal("12.00"))
    far = customer(5, delivery_zone=zone.id, charge_shipping=True)
    assert make(SalesOrder, customer=far.id).shipping_cost == Decimal("0.00")
    change(Setting.get(), auto_shipping_cost_by_zone=True)
    assert make(SalesOrder, customer=far.id).shipping_cost == Decimal("12.00")
    change(far, charge_shipping=False)
    assert make(SalesOrder, customer=far.id).shipping_cost == Decimal("0.00")

    # Consignment: the warehouse of the address on the lines, of nothing else.
    store = make(Warehouse, number="71", name="Lager beim Kunden", consignment=True)
    depot = make(Address, customer=far.id, street="Depot 1", city="Linz", consignment_warehouse=store.id)
    article = make(Article, number="S-1", designation_1="Schraube", list_price=Decimal("1.50"))
    for header, line, owner, kind in (
        (SalesOrder, SalesOrderItem, "sales_order", "order"),
        (DeliveryNote, DeliveryNoteItem, "delivery_note", "normal"),
    ):
        for chosen, warehouse in (("consignment", store.id), (kind, None)):
            document = make(header, customer=far.id, kind=chosen, delivery_address=depot.id)
            item = make(line, **{owner: document.id}, article=article.id, quantity=Decimal(1))
            assert item.warehouse_id == warehouse, (header, chosen)


@pytest.mark.req("PX-104", "PX-134", "PX-214", "PX-149", "PX-152", "PX-153")
@pytest.mark.req("ME-112", "ME-46", partly=True)
def test_prices_taxes_turnover_and_the_accounting_follow_the_settings_of_the_customer(db: Any) -> None:
    dollar = Currency.get(Currency.code == "USD")
    change(dollar, exchange_rate=Decimal("1.10"))
    general = TaxRate.get(TaxRate.number == 1).id
    code = RevenueCode.get(RevenueCode.code == "E19").id
    article = make(
        Article, number="S-1", designation_1="Schraube", list_price=Decimal(120), tax_rate=general, revenue_code=code
    )
    association, later = customer(900), customer(901)
    first = customer(1, association=association.id, debtor_account=12345, vat_mode="0")

    # Conversion on a change of currency, one by one and for many, and back with undo; percentages stay.
    terms = make(
        SalesCondition,
        customer=first.id,
        article=article.id,
        special_price=Decimal(100),
        discount_amount=Decimal("2.50"),
        discount_percent=Decimal(5),
    )

    def conditions() -> tuple[Decimal, Decimal, Decimal]:
        found = SalesCondition.get_by_id(terms.id)
        return found.special_price, found.discount_amount, found.discount_percent

    change(first, currency=dollar.id)
    assert conditions() == (Decimal(100), Decimal("2.5"), Decimal(5)), "the setting is off"
    change(first, currency=None)
    change(Setting.get(), multi_level_sales_conditions=True)
    done = change(first, currency=dollar.id)
    assert conditions() == (Decimal(110), Decimal("2.75"), Decimal(5))
    ChangeSet.undo(done.change_set or 0).apply(clerk())
    assert conditions() == (Decimal(100), Decimal("2.5"), Decimal(5))
    change(terms, discount_amount=None, discount_percent=None)

    # The carrier's special price applies, at one level; the turnover stays with the customer and its association.
    make(SalesCondition, customer=association.id, article=article.id, special_price=Decimal(80))
    for carrier, price in ((None, Decimal(100)), (association.id, Decimal(80))):
        change(first, condition_carrier=carrier)
        order = make(SalesOrder, customer=first.id)
        line = make(SalesOrderItem, sales_order=order.id, article=article.id, quantity=Decimal(2))
        assert (line.unit_price, line.tax_percent, line.designation) == (price, Decimal(19), "Schraube")
    assert "keinen anderen haben" in refusal(lambda: change(association, condition_carrier=later.id))
    invoice = apply(invoice_of(order.id, Invoice, InvoiceItem))
    assert (invoice.net_amount, invoice.tax_amount, invoice.total_amount) == (160, Decimal("30.40"), Decimal("190.40"))
    change(first, association=later.id)
    fact = RevenueFact.get(RevenueFact.document_number == invoice.number)
    assert (invoice.association_id, fact.association_id) == (association.id, association.id)
    assert (fact.document_kind, fact.customer_id, fact.amount) == ("invoice", first.id, Decimal(160))
    note = apply(delivery_of(order.id))
    assert (note.association_id, DeliveryNoteItem.get().sales_order_item_id) == (association.id, line.id)
    change(invoice, final_discount_percent=Decimal(10))
    assert Invoice.get_by_id(invoice.id).total_amount == Decimal("171.36")
    assert RevenueFact.get_by_id(fact.id).amount == Decimal(144)

    # The tax of the address overrides that of the customer.
    abroad = make(Address, customer=first.id, city="Zürich", vat_mode="1")
    home = make(Address, customer=first.id, city="Graz")
    for address, tax in ((abroad.id, Decimal(0)), (home.id, Decimal("15.20")), (None, Decimal("15.20"))):
        made = make(Invoice, customer=first.id, delivery_address=address)
        make(InvoiceItem, invoice=made.id, article=article.id, quantity=Decimal(1))
        assert Invoice.get_by_id(made.id).tax_amount == tax, address
    assert "MwSt" in refusal(lambda: change(home, vat_mode="4"))

    # The transfer: by tenant, to the collective debtor, with the dunning address that is due.
    tenants = [make(Tenant, number=number, name=f"Mandant {number}") for number in (1, 2)]
    change(first, accounting_tenant=tenants[1].id, collective_debtor="10000")
    bar = make(Address, customer=first.id, name_1="Bar", street="Bar 5", city="Wien")
    change(first, street="Hauptplatz 1", city="Graz", invoice_address=bar.id)
    sundry = make(Invoice, customer=first.id)
    make(InvoiceItem, invoice=sundry.id, article=article.id, quantity=Decimal(1))

    def transferred(tenant: Tenant) -> dict[int, AccountingPosting]:
        run = make(AccountingTransfer, tenant=tenant.id)
        found = {posting.invoice_id: posting for posting in run.postings}
        change(run, status="discarded")
        return found

    assert transferred(tenants[0]) == {}
    for mark, setting, street in (
        (False, True, "Hauptplatz 1"),
        (True, True, "Bar 5"),
        (True, False, "Hauptplatz 1"),
    ):
        change(first, one_time_customer=mark)
        change(Setting.get(), invoice_address_as_dunning_address=setting)
        posting = transferred(tenants[1])[sundry.id]
        assert street in posting.dunning_address, (mark, setting)
        assert (posting.debtor_account, posting.revenue_account) == ("10000", "8400")
    change(first, collective_debtor=None)
    run = make(AccountingTransfer, tenant=tenants[1].id)
    assert {posting.debtor_account for posting in run.postings} == {"12345"}
    assert AccountingTransfer.get_by_id(run.id).user.username == "innendienst"
    change(run, status="confirmed")
    assert Invoice.get_by_id(sundry.id).transferred_on is not None
    assert list(make(AccountingTransfer, tenant=tenants[1].id).postings) == [], "each invoice is handed over once"
    poor = customer(6)
    make(Invoice, customer=poor.id, net_amount=Decimal(1), total_amount=Decimal(1))
    assert "Kunde 6 hat kein Debitorenkonto" in refusal(lambda: make(AccountingTransfer))


@pytest.mark.req("NE-42", "NE-53", "NE-57")
@pytest.mark.req("NE-70", "ME-101", partly=True)
def test_runs_credit_notes_and_the_till_follow_the_settings_of_the_customer(db: Any) -> None:
    austria = Country.get(Country.code == "AT").id
    article = make(Article, number="S-1", designation_1="Schraube", list_price=Decimal(10))
    boxed = customer(1, po_box="123", postal_code="8010", city="Graz", country=austria, collective_invoice=True)
    expected = ["Firma 1", "Postfach 123", "8010 Graz", "ÖSTERREICH"]

    # PO box: order, invoice, credit note, invoice run, crediting an invoice, making a credit note.
    def printed(document: Any) -> list[str]:
        return type(document).get_by_id(document.id).address_text.split("\n")

    order = make(SalesOrder, customer=boxed.id)
    invoice = make(Invoice, customer=boxed.id)
    make(InvoiceItem, invoice=invoice.id, article=article.id, quantity=Decimal(2))
    free = make(CreditNote, customer=boxed.id, total_amount=Decimal(5))
    credited = make(CreditNote, invoice=invoice.id)
    for _number in range(2):
        note = make(DeliveryNote, customer=boxed.id, delivered_on=DAY)
        make(DeliveryNoteItem, delivery_note=note.id, article=article.id, quantity=Decimal(3))
    run = make(InvoiceRun, up_to=DAY)
    (collective,) = Invoice.select().where(Invoice.invoice_run == run.id)
    for document in (order, invoice, free, credited, note, collective):
        assert printed(document) == expected, document
    assert (credited.customer_id, credited.total_amount) == (boxed.id, Invoice.get_by_id(invoice.id).total_amount)
    assert [item.amount for item in CreditNoteItem.select()] == [Decimal(20)]
    assert (collective.kind, collective.net_amount, collective.items.count()) == ("collective", Decimal(60), 2)
    assert [each.status for each in DeliveryNote.select()] == ["done", "done"]
    again = make(InvoiceRun, up_to=DAY)
    assert not Invoice.select().where(Invoice.invoice_run == again.id).exists(), "nothing is billed twice"
    change(boxed, po_box="PF 123")
    assert printed(make(SalesOrder, customer=boxed.id))[1] == "PF 123"
    assert printed(order) == expected, "a document keeps the address of its day"
    branch = make(Address, customer=boxed.id, street="Hafen 2", postal_code="1010", city="Wien", country=austria)
    change(order, order_confirmation_address=branch.id)
    assert printed(order) == ["Firma 1", "Hafen 2", "1010 Wien", "ÖSTERREICH"]

    # Reminders go to the contact that wants them, in its way.
    change(invoice, due_on=datetime.date(2020, 1, 1))
    make(Contact, customer=boxed.id, name_1="Niemand", dunning_delivery="0", email="nicht@example.org")
    buyer = make(Contact, customer=boxed.id, name_1="Berger", dunning_delivery="2", email="berger@example.org")
    make(DunningRun, run_on=datetime.date(2020, 2, 1))
    (reminder,) = Reminder.select()
    assert (reminder.kind, reminder.delivery, reminder.recipient) == ("reminder", "2", "berger@example.org")
    assert "Mahnung/Kontoauszug" in refusal(lambda: change(buyer, dunning_delivery="5"))
    change(buyer, active=False)
    change(boxed, dunning_lock=True)
    second = make(DunningRun, run_on=datetime.date(2020, 2, 2))
    (reminder,) = Reminder.select().where(Reminder.dunning_run == second.id)
    assert (reminder.kind, reminder.delivery, reminder.recipient) == ("skipped", "1", None)

    # The till: the personal discount on lines without their own.
    change(boxed, personal_discount_percent=Decimal(10))
    receipt = {
        "number": "B-1", "customer": boxed.id, "branch": Branch.get().id, "receipt_at": datetime.datetime(2026, 5, 18),
    }  # fmt: skip
    steps = ChangeSet("form")
    head = steps.create(TillReceipt, receipt)
    line = {"till_receipt": head, "article": article.id, "quantity": Decimal(1), "unit_price": Decimal("50.00")}
    steps.create(TillReceiptItem, line)
    steps.create(TillReceiptItem, {**line, "discount_percent": Decimal(0)})
    steps.create(TillReceiptItem, {**line, "kind": "exchange", "discount_percent": Decimal(4)})
    steps.create(TillPayment, {"till_receipt": head, "position": 1, "payment_method": "Bar", "amount": Decimal(47)})
    steps.apply(clerk())
    booked = [(entry.discount_percent, entry.value) for entry in AccountEntry.select().order_by(AccountEntry.id)]
    assert booked == [(Decimal(10), Decimal("45.00")), (Decimal(0), Decimal("50.00")), (Decimal(4), Decimal("-48.00"))]
    assert AccountEntry.select().first().payment_method == "Bar"
    assert "Persönlicher Rabattsatz" in refusal(lambda: change(boxed, personal_discount_percent=Decimal(101)))

    # A staff purchase is booked once the employee is a customer of that type (NE-42).
    seventh = make(Employee, number="7", name="Sieben")
    purchase = {**receipt, "number": "B-2", "staff_employee": seventh.id}
    told = refusal(lambda: make(TillReceipt, **purchase))
    assert "„Sieben“ ist kein Kunde vom Kundentyp „Mitarbeiter“" in told
    assert not TillReceipt.select().where(TillReceipt.number == "B-2").exists()
    make(Customer, customer_number=77, customer_type="employee", employee=seventh.id, status="active")
    assert make(TillReceipt, **purchase).staff_employee_id == seventh.id

    # Another home branch moves neither the account nor the revenue (NE-53).
    def figures() -> list[Any]:
        return [list(model.select().order_by(model.id).dicts()) for model in (AccountEntry, RevenueFact)]

    change(boxed, home_branch=Branch.get().id)
    before = figures()
    assert all(before)
    change(boxed, home_branch=make(Branch, number="2", name="Filiale Süd").id)
    assert figures() == before


@pytest.mark.req("ME-40", "ME-46", "ME-98", "ME-101", "ME-112")
@pytest.mark.engines("sqlite", later="postgresql")
def test_files_name_an_address_by_its_number_at_the_customer(db: Any, tmp_path: Path) -> None:
    """Two customers have an address 2 each; 9 is nobody's, and a code that does not exist is a fault of its row."""
    keys = {}
    for number in (1, 2):
        owner = customer(number, debtor_account=10_000 + number, collective_debtor="10000")
        keys[number] = [make(Address, customer=owner.id, city=f"Ort {place}").id for place in (1, 2)]

    def read(spec: Any, content: str) -> ImportReport:
        path = tmp_path / "liste.csv"
        path.write_text(content, encoding="utf-8-sig")
        return run_import(path, spec_of(spec), clerk())

    rows = "Kunden-Nr.;Versandanschrift;FIBU Nummer\n1;2;10001\n2;2;10002\n"
    report = read(Customer, rows)
    assert (report.changed, report.errors) == (2, 0), report
    found = [each.delivery_address_id for each in Customer.select().order_by(Customer.customer_number)]
    assert found == [keys[1][1], keys[2][1]]
    first = Customer.get(Customer.customer_number == 1)
    assert make(DeliveryNote, customer=first.id).delivery_address_id == keys[1][1]
    for content in ("Kunden-Nr.;Versandanschrift\n1;9\n", "Kunden-Nr.;Versandanschrift\n77;1\n"):
        report = read(Customer, content)
        assert (report.errors, report.changed, report.new) == (1, 0, 0), report
        assert "„Anschriften“" in report.findings[0]
    report = read(Customer, "Kunden-Nr.;FIBU Nummer\n1;20000\n")
    assert (report.changed, report.errors) == (0, 1), report
    assert Customer.get(Customer.customer_number == 1).debtor_account == 10_001
    assert "kann nicht mehr geändert werden" in report.findings[0]

    # Contacts and addresses come back in the workbook they went out in.
    make(Employee, number="7", name="Sieben")
    for number in (1, 2, 2, 2):
        owner = Customer.get(Customer.customer_number == number)
        make(Contact, customer=owner.id, name_1=f"Berger {number}", address=keys[number][0])
    path = tmp_path / "kunden.xlsx"
    export(spec_of(Customer), clerk(), path)
    edit_cells(
        path,
        "Ansprechpartner",
        {
            (2, "Anschrift"): 2, (2, "Bearbeiter"): "7", (2, "Mahnung/Kontoauszug"): "2",
            (3, "Anschrift"): 9, (4, "Bearbeiter"): "99", (5, "Mahnung/Kontoauszug"): "5",
        },
    )  # fmt: skip
    edit_cells(path, "Anschriften", {(2, "MwSt"): "1", (3, "MwSt"): "4"})
    report = run_import(path, spec_of(Customer), clerk())
    assert (report.changed, report.errors) == (2, 4), report
    told = " ".join(report.findings)
    assert all(word in told for word in ("Zeile 3, Spalte „Anschrift“: „9“", "„99“", "„5“", "„4“")), told
    first, *others = Contact.select().order_by(Contact.id)
    assert (first.address_id, first.clerk.number, first.dunning_delivery) == (keys[1][1], "7", "2")
    kept = {(each.address_id, each.clerk_id, each.dunning_delivery) for each in others}
    assert kept == {(keys[2][0], None, "0")}
    assert [each.vat_mode for each in Address.select().order_by(Address.id)][:2] == ["1", None]

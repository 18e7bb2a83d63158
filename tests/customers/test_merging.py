"""Several customers become one and go apart again: nothing is lost, and every value knows whose it was."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from domain.account import AccountEntry
from domain.trade import Invoice
from flask_appadmin.changes import ChangeSet, MergedMeanwhile, UndoPart, known_specs
from flask_appadmin.changes.undoing.part import OnlyWhole
from flask_appadmin.errors import AppAdminError
from flask_appadmin.history import ChangeRecord, ChangeSetRecord, lines_of_record
from flask_appadmin.merging import MergeRefused, current_key, plan_merge
from flask_appadmin.rights import User, operator_of, system_operator
from flask_appadmin.search import look_up
from flask_appadmin.selections import Selection
from flask_appadmin.specs import spec_of
from flask_appadmin.splitting import later_edits, split
from models import Address, BankAccount, Category, Contact, Customer, CustomerCategory
from tests.reader import get, read

WEBER = system_operator("Frau Weber")
SPEC = spec_of(Customer)
TABLES = (Customer, Contact, Address, BankAccount, CustomerCategory, AccountEntry, Invoice)

#: Check digits are right; nobody has these accounts.
IBANS = (
    "DE89370400440532013000",
    "DE02120300000000202051",
    "DE02500105170137075030",
    "DE02100500000054540402",
)


def photograph() -> dict[str, dict[int, dict[str, Any]]]:
    """All business values of the tables around customers, by key; without versions and times."""
    picture = {}
    for model in TABLES:
        spec = spec_of(model)
        columns = [item.column_field for item in spec.data_fields]
        names = [item.name for item in spec.data_fields]
        rows = model.select(model.id, *columns).tuples()
        picture[spec.name] = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
    return picture


def four_customers() -> list[int]:
    """4 customers with 11 contacts of which 3 are equal, 6 addresses, 5 accounts with 1 shared IBAN, 2 clashes of what
    may occur once (CSI number, login of the shop)."""
    change = ChangeSet("form")
    category = change.create(Category, {"code": "A1", "name": "Stammkunde"})
    made = []
    for number, (name, phone, csi) in enumerate(
        (
            ("Müller GmbH", None, "CSI-1"),
            ("Mueller GmbH", "0208 4711", "CSI-2"),
            ("Müller Gesellschaft", "0208 4712", None),
            ("Fa. Müller", None, None),
        )
    ):
        values = {"name_1": name, "phone": phone, "csi_number": csi, "status": "active"}
        values |= {"postal_code": "45468", "city": "Mülheim", "turnover_previous_year": Decimal(100 * (number + 1))}
        values["shop_login"] = f"shop-{number}" if number in (0, 3) else None
        made.append(change.create(Customer, values))
    for customer, names in zip(
        made,
        (("Anna", "Bernd", "Clara"), ("ANNA", "Dora", "Emil"), ("Anna", "Fritz", "Gerda"), ("Bernd", "Hans")),
        strict=True,
    ):
        for name in names:
            change.create(Contact, {"customer": customer, "name_1": name})
    streets = ("Ring 1", "Ring 2"), ("Ring 1a", "Hafen 3"), ("Hafen 4",), ("Hafen 5",)
    for customer, lines in zip(made, streets, strict=True):
        for street in lines:
            values = {"customer": customer, "name_1": "Lager", "street": street, "is_delivery": True, "city": "Essen"}
            change.create(Address, {**values, "postal_code": "45127"})
    for customer, iban in zip((made[0], made[1], made[1], made[2], made[3]), (*IBANS, IBANS[0]), strict=True):
        change.create(BankAccount, {"customer": customer, "iban": iban})
    for customer in made[:2]:
        change.create(CustomerCategory, {"customer": customer, "category": category})
    change.apply(WEBER)
    keys = [customer.key or 0 for customer in made]
    for customer in keys[1:3]:
        AccountEntry.insert(
            customer=customer, booked_at=datetime.datetime(2026, 1, 2), turnover_kind="cash_sale", value=Decimal(30)
        ).execute()
    Invoice.insert(number="R-5", customer=keys[3], net_amount=10, total_amount=10).execute()
    second = ChangeSet("form")
    address = Address.select().where(Address.customer == keys[1]).first()
    contact = Contact.select().where(Contact.customer == keys[1], Contact.name_1 == "Dora").first()
    second.update(Contact, contact.id, {"address": address.id})
    second.update(Customer, keys[1], {"delivery_address": address.id})
    second.apply(WEBER)
    return keys


def test_four_customers_become_one_and_go_apart_again(db: Any) -> None:
    keys = four_customers()
    survivor, *others = keys
    before = photograph()
    counts = {name: len(rows) for name, rows in before.items()}
    assert (counts["contact"], counts["address"], counts["bank_account"]) == (11, 6, 5)

    plan = plan_merge(SPEC, keys, survivor, WEBER, choices={"phone": others[0]})
    what = [(row.spec.name, row.what) for row in plan.rows]
    assert {entry: what.count(entry) for entry in set(what)} == {
        ("contact", "move"): 5,
        ("contact", "link"): 3,
        ("address", "move"): 4,
        ("bank_account", "move"): 3,
        ("bank_account", "link"): 1,
        ("customer_category", "link"): 1,
    }
    assert len(plan.clashes) == 2
    assert photograph() == before
    applied = plan.change_set(reason="doppelt erfasst").apply(WEBER)

    merged = photograph()
    assert {name: len(rows) for name, rows in merged.items()} == counts
    for key in others:
        assert (merged["customer"][key]["status"], merged["customer"][key]["successor_customer"]) == (
            "deleted",
            survivor,
        )
        assert current_key(SPEC, key) == survivor
    assert merged["customer"][survivor]["phone"] == "0208 4711"
    assert merged["customer"][survivor]["turnover_previous_year"] == Decimal(1000)
    names = [row["name_1"] for row in merged["contact"].values() if row["customer"] == survivor]
    assert sorted(names) == ["Anna", "Bernd", "Clara", "Dora", "Emil", "Fritz", "Gerda", "Hans"]
    assert {row["customer"] for row in merged["account_entry"].values()} == {survivor}
    assert {row["customer"] for row in merged["invoice"].values()} == {survivor}
    dora = next(row for row in merged["contact"].values() if row["name_1"] == "Dora")
    assert merged["address"][dora["address"]]["customer"] == survivor
    assert merged["customer"][survivor]["delivery_address"] == dora["address"]
    assert look_up(SPEC, "Gerda", WEBER, 5).keys() == [survivor]

    lines = lines_of_record(SPEC, survivor, WEBER, known_specs())
    titles = {SPEC.title_of(before["customer"][key]) for key in others}
    assert {line.new for line in lines if line.label == "Zusammengeführt mit"} == titles
    phone = next(line for line in lines if line.field == "phone")
    assert phone.source == f"von Kunde {SPEC.title_of(before['customer'][others[0]])}"[:80]

    # A new contact gets a number that no moved one has.
    edit = ChangeSet("form")
    edit.update(Customer, survivor, {"phone": "0208 9999", "email": "neu@example.com"})
    edit.create(Contact, {"customer": survivor, "name_1": "Ida"})
    edit.apply(WEBER)

    change_set = applied.change_set or 0
    listed = [(edit.label, edit.before, edit.words, edit.who) for edit in later_edits(change_set, WEBER)]
    assert listed == [
        ("E-Mail", "", "neu@example.com", "Frau Weber"),
        ("Telefon", "0208 4711", "0208 9999", "Frau Weber"),
        ("Ansprechpartner", "", "Ida", "Frau Weber"),
    ]
    # The new e-mail belongs to one of the others; the new phone number stays where it was entered.
    split(change_set, WEBER, {"email": others[0]}).apply(WEBER)
    after = photograph()
    ida = next(key for key, row in after["contact"].items() if row["name_1"] == "Ida")
    assert after["contact"].pop(ida)["customer"] == survivor
    assert after["customer"][survivor].pop("phone") == "0208 9999"
    assert after["customer"][others[0]].pop("email") == "neu@example.com"
    del before["customer"][survivor]["phone"], before["customer"][others[0]]["email"]
    assert after == before
    assert current_key(SPEC, others[0]) == others[0]
    assert look_up(SPEC, "Gerda", WEBER, 5).keys() == [others[1]]


def test_an_operation_counts_the_customers_that_changed(db: Any) -> None:
    """Of two that are alike, only the one that goes is another one afterwards."""
    change = ChangeSet("form")
    made = [change.create(Customer, {"name_1": "Müller GmbH", "status": "active"}) for _number in range(2)]
    change.apply(WEBER)
    keys = [row.key or 0 for row in made]
    plan_merge(SPEC, keys, keys[0], WEBER).change_set().apply(WEBER)
    done = ChangeSetRecord.get(ChangeSetRecord.kind == "merge")
    told = ChangeRecord.select(ChangeRecord.record_id).where(ChangeRecord.change_set == done.id)
    changed = told.where(ChangeRecord.action == "update").distinct()
    assert (done.updated_count, [row.record_id for row in changed]) == (1, [keys[1]])


def test_a_merge_that_cannot_be_is_refused(db: Any) -> None:
    keys = four_customers()
    first, second = keys[:2]
    with pytest.raises(MergeRefused, match="nicht mit sich selbst"):
        plan_merge(SPEC, [first], first, WEBER)
    there, back = plan_merge(SPEC, keys[:2], first, WEBER), plan_merge(SPEC, keys[:2], second, WEBER)
    there.change_set().apply(WEBER)
    with pytest.raises(MergedMeanwhile):
        back.change_set().apply(WEBER)
    with pytest.raises(AppAdminError, match="schon mit"):
        plan_merge(SPEC, keys[:2], second, WEBER)
    assert Customer.get_by_id(first).status == "active"


@pytest.mark.engines("sqlite", later="postgresql")
def test_the_page_shows_them_side_by_side_and_merges_what_it_has_shown(operator: FlaskClient) -> None:
    first, second, third, _fourth = four_customers()
    frau_weber = operator_of(User.get(User.username == "weber"))
    token = Selection.of_keys(SPEC, frau_weber, [first, second, third]).store().token
    address = "/admin/customer/action/merge"
    page = get(operator, f"{address}?selection={token}")
    assert page.heading == "3 Kunden zusammenführen"
    form = page.one("form", id="merge")
    assert "Telefon" in form.text and "Ansprechpartner" in form.text
    sent = list(form.fields().items(multi=True))
    # Another number that stays is another plan, and nothing is done yet.
    other = [(name, value) for name, value in sent if name not in ("survivor", "_do")]
    looked = read(operator.post(address, data=MultiDict([*other, ("survivor", str(second)), ("_do", "look")])))
    sent = [
        (name, value)
        for name, value in looked.one("form", id="merge").fields().items(multi=True)
        if name not in ("_do",)
    ]
    assert ("_survivor", str(second)) in sent
    chosen = [(name, str(third) if name == "field-phone" else value) for name, value in sent]
    edit = ChangeSet("form")
    edit.update(Customer, first, {"email": "eben@example.com"})
    edit.apply(WEBER)
    late = read(operator.post(address, data=MultiDict([*chosen, ("_do", "merge")])))
    assert late.status == 409 and "inzwischen geändert" in late.one("p", role="alert").text
    sent = [(name, value) for name, value in late.one("form", id="merge").fields().items(multi=True) if name != "_do"]
    assert ("field-phone", str(third)) in sent
    assert operator.post(address, data=MultiDict([*sent, ("_do", "merge")])).status_code == 302
    survivor = Customer.get_by_id(second)
    assert (survivor.phone, survivor.email, survivor.status) == ("0208 4712", "eben@example.com", "active")
    assert current_key(SPEC, first) == current_key(SPEC, third) == second
    # One alone asks for the other; a record that was merged is refused with where it went.
    assert get(operator, f"{address}?id={second}").one("input", name="with")
    again = operator.post(address, data={"token": Selection.of_keys(SPEC, frau_weber, [first, second]).store().token})
    assert again.status_code == 409

    # The way back leads over the question to whom goes what was changed since.
    operation = ChangeSetRecord.select().where(ChangeSetRecord.kind == "merge").get()
    change = ChangeSet("form")
    change.update(Customer, second, {"phone": "0208 1", "website": "https://mueller.example"})
    change.apply(WEBER)
    # Half of it comes back on no way: what would be neither one customer nor three.
    shown = get(operator, f"/admin/operations/show?id={operation.id}")
    assert "line=" not in str(shown.links) and "record=" not in str(shown.links)
    line = ChangeRecord.select().where(ChangeRecord.change_set == operation.id, ChangeRecord.field == "phone").get()
    for part in (f"line={line.id}", f"record=customer-{first}"):
        for answer in (operator.get, operator.post):
            refused = read(answer(f"/admin/operations/undo?id={operation.id}&{part}"))
            assert refused.status == 409
            assert "lässt sich nur als Ganzes zurücknehmen" in refused.text
            assert refused.link("Zusammenführung trennen …") == f"/admin/operations/undo?id={operation.id}"
    with pytest.raises(OnlyWhole):
        ChangeSet.undo(operation.id, part=UndoPart(record=("customer", first))).apply(WEBER)
    page = read(operator.get(f"/admin/operations/undo?id={operation.id}", follow_redirects=True))
    assert page.heading == "Zusammenführung trennen"
    names = [node.get("name") for node in page.all("select")]
    assert names == ["to-phone", "to-website"]
    sent = {"to-phone": str(third), "to-website": str(second)}
    parted = operator.post(f"/admin/customer/split?id={operation.id}", data=sent)
    assert parted.status_code == 302, read(parted).text
    rows = {key: Customer.get_by_id(key) for key in (first, second, third)}
    assert [row.phone for row in rows.values()] == [None, "0208 4711", "0208 1"]
    assert rows[second].website == "https://mueller.example"
    assert "schon getrennt" in get(operator, f"/admin/customer/split?id={operation.id}").text
    assert operator.get("/admin/customer/split?id=1").status_code == 404

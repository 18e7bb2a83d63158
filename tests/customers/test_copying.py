"""Copy and full copy: every field of every table against the list of fields, and what the dialog lets one leave out.

The list of fields stands beside the repository; without it the models' own copy marks are the measure (another test
compares the two).
"""

from __future__ import annotations

import csv
import datetime
import functools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_appadmin.changes import ChangeSet
from flask_appadmin.copying import copied_children
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.rights import User, system_operator
from flask_appadmin.selections import Selection
from flask_appadmin.specs import FieldSpec, ModelSpec, spec_of
from models import MODELS, Address, BankAccount, Contact, Customer, Note
from tests.customers.test_models_match_specification import LIST
from tests.reader import Page, get, send

WEBER = system_operator("Frau Weber")
CUSTOMER = spec_of(Customer)

#: Valid values of the kinds of text.
_TEXTS = {
    "email": "post{n}@example.de",
    "phone": "+49 30 1234{n}",
    "fax": "+49 30 9876{n}",
    "url": "https://example.de/{n}",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "vat_id": "DE136695976",
    "gln": "4012345000009",
    "country_letters": "D",
    "postal_code": "1011{n}",
}

#: Values that the rules over several fields ask for.
_RULED = {
    "customer": {
        "status": "active",
        "customer_type": "colleague",
        "vat_id_country": "DE",
        "vat_id_code": "136695976",
        "collective_invoice": False,
        "address_number": None,
        "is_blank": False,
        "employee": None,
        "portal_type": None,
        "founding_year": 1990,
        **dict.fromkeys(Customer.GROUP_MARKS[1:], False),
    },
    "address": {"format": "1"},
    "warehouse": {"consignment": True},
    "supplier": {"supplier_type": "colleague"},
    "export_account": {"tax": "0"},
}


class Filler:
    """Stores rows with a value in every field, past the rules: what stands in a source is nobody's business here."""

    def __init__(self) -> None:
        self.count = 0
        self.shared: dict[str, int] = {}
        self.user = User.insert(username="lager", full_name="Lager", password="", fs_uniquifier="x", role=1).execute()
        #: Another customer, for what needs one.
        self.stranger = 0

    def row(self, spec: ModelSpec, **given: Any) -> int:
        self.count += 1
        values: dict[str, Any] = {"version": 1, "created_at": _then(), "updated_at": _then()}
        if spec.name not in self.shared:
            self.shared[spec.name] = 0  # no circles
        # What is unique together differs from row to row.
        distinct = {name for item in spec.data_fields if item.unique_with for name in (item.name, *item.unique_with)}
        for item in spec.data_fields:
            if item.name in given:
                values[item.name] = given[item.name]
            elif item.name in _RULED.get(spec.name, {}):
                values[item.name] = _RULED[spec.name][item.name]
            elif item.name in distinct and item.target is not None and item.target is not Customer:
                values[item.name] = self.row(item.references)
            else:
                values[item.name] = self.value(item, distinct=item.name in distinct)
        return int(spec.model.insert(values).execute())

    def value(self, item: FieldSpec, *, distinct: bool = False) -> Any:
        number = self.count
        kind = item.type.name
        if item.target is not None:
            return self.other(item)
        if kind == "bool":
            return not item.default_value() if item.copy == "keep" else True
        if kind == "integer":
            low = int(item.minimum or 1)
            apart = distinct or item.unique or item.natural_key
            return min(low + number, int(item.maximum or 10**8)) if apart else low + 1
        if kind == "decimal":
            return Decimal(str(item.minimum or 0)) + 1
        if kind == "choice":
            codes = [code for code, _label in item.choices]
            others = [code for code in codes if code != item.default_value()]
            return (others or codes)[0]
        if kind == "date":
            return datetime.date(2020, 1, 15) + datetime.timedelta(days=number if distinct else 0)
        if kind == "datetime":
            return _then()
        if kind == "json":
            return {"n": number}
        text = _TEXTS.get(item.kind, "x{n}").format(n=number)
        return text[: item.max_length] if item.max_length else text

    def other(self, item: FieldSpec) -> Any:
        """A row of the table a reference leads to: one for all, where the reference is filled at all."""
        target = item.references
        if item.target is User:
            return self.user
        if target is CUSTOMER and not item.nullable:
            return self.stranger
        if item.unique and item.model_name != "customer":
            return None if item.nullable else self.row(target)
        if target is CUSTOMER or (target.owner is not None and target.owner.target is Customer):
            return None  # led by whoever fills it
        if target.name not in self.shared and target.name not in _RULED:
            stored = target.model.select(target.model.id).order_by(target.model.id.desc()).tuples().first()
            if stored is not None:
                self.shared[target.name] = stored[0]
        if not self.shared.get(target.name):
            if target.name in self.shared and item.nullable:
                return None
            self.shared[target.name] = self.row(target)
        return self.shared[target.name]


def _then() -> datetime.datetime:
    return datetime.datetime(2020, 1, 15, 8, 0)


def full_customer(filler: Filler) -> int:
    """A customer with a value in each field, two rows in each child table, and business in each table that names it."""
    other = filler.stranger = filler.row(CUSTOMER, customer_number=77, supplier=None, **_no_references(CUSTOMER))
    leads = {
        item.name: other
        for item in CUSTOMER.data_fields
        if item.target is Customer and item.name != "condition_carrier"
    }
    key = filler.row(CUSTOMER, customer_number=10234, **leads)
    addresses: list[int] = []
    ordered = sorted(CUSTOMER.children, key=lambda child: child.name != "address")
    for child in ordered:
        assert child.owner is not None
        single = child.owner.unique
        for number in range(1 if single else 2):
            given: dict[str, Any] = {child.owner.name: key}
            given |= {item.name: number + 1 for item in child.data_fields if item.name == "sequence_number"}
            given |= {item.name: addresses[1 - number] for item in child.data_fields if item.target is Address}
            if child.owner.name != "customer":
                continue
            made = filler.row(child, **given)
            if child.name == "address":
                addresses.append(made)
    own = {name: addresses[place % 2] for place, name in enumerate(Customer.OWN_ADDRESSES)}
    Customer.update(own).where(Customer.id == key).execute()
    for spec in map(spec_of, MODELS):
        for item in spec.data_fields:
            if item.target is Customer and spec is not CUSTOMER and not item.owner:
                filler.row(spec, **{item.name: key})
    return key


def _no_references(spec: ModelSpec) -> dict[str, Any]:
    return {item.name: None for item in spec.data_fields if item.target is not None and item.name != "supplier"}


def photograph() -> dict[str, dict[int, tuple[Any, ...]]]:
    """Every row of every table of Kontor by key."""
    picture = {}
    for spec in map(spec_of, MODELS):
        rows = spec.model.select(*(item.column_field for item in spec.fields)).tuples()
        picture[spec.name] = {row[0]: row for row in rows}
    return picture


@functools.cache
def copy_marks() -> dict[tuple[str, str], str]:
    if not LIST.is_file():
        return {(spec.name, item.name): item.copy for spec in map(spec_of, MODELS) for item in spec.data_fields}
    with LIST.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {(row["entity"], row["field"]): row["copy"] for row in rows}


def wrong_fields(
    spec: ModelSpec, source: dict[str, Any], copied: dict[str, Any], siblings: dict[Any, int]
) -> Iterator[str]:
    """What is not as the list of fields says: "table.field: source -> copy"."""
    marks = copy_marks()
    for item in spec.data_fields:
        mark, old, new = marks[spec.name, item.name], source[item.name], copied[item.name]
        if item.secret:
            right = new is None
        elif item.owner:
            right = new == siblings["customer", source["customer"]]
        elif mark == "keep":
            right = new == old
        elif mark == "clear":
            right = new in (None, item.default_value())
        elif item.target is not None:
            right = new == siblings.get((item.references.name, old)) and (new is not None or old is None)
        else:
            right = new != old and (new is not None or item.name == "debtor_account")  # its numbers begin when set up
        if not right:
            yield f"{spec.name}.{item.name} ({mark}): {old!r} -> {new!r}"


@pytest.mark.engines("sqlite", later="postgresql")
@pytest.mark.req("SC-21", "SC-22", "SC-23", "SC-24", "PX-124")
def test_every_field_of_every_table_is_copied_as_the_list_says(db: Any, fixed_today: datetime.date) -> None:
    key = full_customer(Filler())
    source = Customer.select().where(Customer.id == key).dicts().get()
    empty = [item.name for item in CUSTOMER.data_fields if source[item.name] is None]
    assert set(empty) <= {"condition_carrier", *(name for name, value in _RULED["customer"].items() if value is None)}
    before = photograph()
    from actions.copy_records import CopyCustomer, FullCopyCustomer

    taken = {child.name for child in copied_children(CUSTOMER)}
    for action in (CopyCustomer(), FullCopyCustomer()):
        change = action.plan(Selection.of_keys(CUSTOMER, WEBER, [key]), {})
        change.apply(WEBER)
        made = change.made.key  # type: ignore[attr-defined]
        copied = Customer.select().where(Customer.id == made).dicts().get()
        # Sources and copies of the children, in the order in which they were made.
        pairs: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
        siblings: dict[Any, int] = {("customer", key): made}
        for spec in map(spec_of, MODELS):
            for item in spec.data_fields:
                if item.target is not Customer or spec is CUSTOMER:
                    continue
                old, new = (
                    list(spec.model.select().where(item.column_field == owner).order_by(spec.model.id).dicts())
                    for owner in (key, made)
                )
                assert old or spec.name == "running_number", f"{spec.name}.{item.name}: the source has none"
                counted = spec.name == "running_number"  # the copy's own counter
                expected = len(old) if action.full and item.owner and spec.name in taken else 0
                assert counted or len(new) == expected, f"{spec.name}.{item.name}: {len(new)} rows of the copy"
                if new and not counted:
                    pairs[spec.name] = list(zip(old, new, strict=True))
                    siblings |= {(spec.name, one["id"]): two["id"] for one, two in pairs[spec.name]}
        wrong = list(wrong_fields(CUSTOMER, source, copied, siblings if action.full else {"customer": made}))
        if not action.full:
            # Pointers to own addresses stay empty: there are none.
            assert [copied[name] for name in Customer.OWN_ADDRESSES] == [None] * len(Customer.OWN_ADDRESSES)
            wrong = [words for words in wrong if words.split(" ")[0].split(".")[1] not in Customer.OWN_ADDRESSES]
        for name, rows in pairs.items():
            spec = next(child for child in CUSTOMER.children if child.name == name)
            for one, two in rows:
                wrong += wrong_fields(spec, one, two, siblings)
                # No reference of the copy leads to a child of the source.
                for item in spec.data_fields:
                    if item.target is not None and not item.owner and item.references.owner is not None:
                        assert (item.references.name, two[item.name]) not in siblings, f"{name}.{item.name}"
        assert wrong == []
        for one, two in pairs.get("document", []):
            assert two["storage_name"].startswith(one["storage_name"]), "the copied document leads to the same file"
        now = photograph()
        counters = ("number_range", "running_number")
        for name, rows in before.items():
            assert name in counters or rows.items() <= now[name].items(), f"{name}: the original is as it was"
        assert (copied["status"], copied["customer_type"], copied["search_name"]) == (
            "draft",
            "end_customer",
            f"{source['search_name']} (Kopie)",
        )
        assert copied["created_on"] == fixed_today
        assert copied["customer_number"] not in (10234, 77, None)
    # What the words of the requirement name, once more by name.
    assert {"customer_user", "cost_centre", "import_schedule", "contact", "address", "bank_account", "note"} <= taken
    assert {"customer_category", "customer_trait_assignment", "sales_condition", "document", "shopping_cart"} <= taken
    assert {"customer_article_number", "supplier_assignment", "catalog_assignment", "personal_assortment"} <= taken
    assert not taken & {"customer_card", "invoice", "sales_order", "delivery_note", "account_entry", "communication"}


def boxes(page: Page) -> dict[str, bool]:
    """What the dialog offers -> whether it is ticked."""
    return {box["value"]: "checked" in box.attributes for box in page.all("input", name="_take")}


def untick(page: Page, *names: str) -> list[str]:
    return [name for name, ticked in boxes(page).items() if ticked and name not in names]


def history(client: FlaskClient, key: int) -> str:
    return get(client, f"/admin/customer/edit/?id={key}&tab=history").text


@pytest.mark.engines("sqlite", later="postgresql")
@pytest.mark.req("SC-22", "SC-23", "SC-25", "PX-10", "PX-11")
def test_the_dialog_lets_one_leave_out_groups_tables_and_rows(operator: FlaskClient, sign_in_as: Any) -> None:
    change = ChangeSet("form")
    given = {"name_1": "Auer", "status": "active", "street": "Ring 1", "discount_percent": "5", "csi_number": "77"}
    customer = change.create(Customer, {**given, "credit_limit": Decimal(5000)})
    for name in ("Frau Groß", "Herr Klein"):
        change.create(Contact, {"customer": customer, "name_1": name})
    for number in range(13):
        change.create(Note, {"customer": customer, "text": f"Notiz {number}"})
    bank = {"iban": "DE02120300000000202051", "mandate_reference": "M-1", "mandate_date": datetime.date(2026, 1, 2)}
    change.create(BankAccount, {"customer": customer, **bank})
    other = change.create(Customer, {"name_1": "Berger", "discount_percent": "3", "street": "Ring 2"})
    change.create(Note, {"customer": other, "text": "Notiz"})
    change.apply(WEBER)
    key = customer.key or 0
    first, _second = (row.id for row in Contact.select().order_by(Contact.id))
    # What the kind of copy takes is ticked. Few rows can be chosen one by one, of many the whole table.
    plain = get(operator, f"/admin/customer/action/copy?id={key}")
    assert boxes(plain) and all(boxes(plain).values()) and all(name.startswith("group:") for name in boxes(plain))
    page = get(operator, f"/admin/customer/action/full_copy?id={key}")
    assert all(boxes(page).values())
    tables = {name for name in boxes(page) if name.startswith("table:")}
    assert tables == {"table:contact", "table:note", "table:bank_account"}
    rows = [name for name in boxes(page) if name.startswith("row:")]
    assert [name.rpartition(":")[0] for name in rows] == ["row:contact", "row:contact"]
    # Nothing delicate goes along unnamed, and what stays behind is named, too.
    assert "Mitgenommen werden auch: IBAN, Mandatsreferenz." in page.text
    assert "Nicht mitgenommen:" in page.text and "CSI-Nummer" in page.text.partition("Nicht mitgenommen:")[2]
    # A refusal keeps what was chosen.
    form = page.one("form", css="copy")
    group = CUSTOMER.field("discount_percent").group
    left = (f"group:{group}", "table:note", f"row:contact:{first}")
    refused = send(operator, form["action"], form.fields(_take=untick(page, *left), customer_number="10002"))
    assert (refused.status, refused.faults) == (422, ["Kundennummer bereits vorhanden."])
    assert {name for name, ticked in boxes(refused).items() if not ticked} == set(left)
    assert Customer.select().count() == 2
    form = refused.one("form", css="copy")
    done = send(operator, form["action"], form.fields(customer_number="10241", debtor_account="200050"))
    copied = Customer.get(Customer.customer_number == 10241)
    assert done.heading == "10241 Auer"
    assert (copied.discount_percent, copied.street, copied.csi_number) == (None, "Ring 1", None)
    assert copied.debtor_account == 200050
    assert [row.name_1 for row in Contact.select().where(Contact.customer == copied)] == ["Herr Klein"]
    assert Note.select().where(Note.customer == copied).count() == 0
    account = BankAccount.get(BankAccount.customer == copied)
    assert (account.iban, account.mandate_reference) == (bank["iban"], "M-1")
    # Both histories say it, and the source did not change.
    assert "Kopie von 10001 Auer" in history(operator, copied.id)
    assert "kopiert nach 10241 Auer" in history(operator, key)
    operation = ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).get()
    assert operation.details["not_copied"] == {"groups": [group], "children": ["note"]}
    shown = get(operator, f"/admin/operations/show?id={operation.id}").text
    assert "kopiert nach 10241 Auer" in shown and "Kopie von 10001 Auer" in shown
    # What differs is told on demand, masked where it must be.
    differences = get(
        operator, get(operator, f"/admin/operations/show?id={operation.id}").link("Unterschiede zur Vorlage")
    )
    cells = [[cell.text for cell in line.all("td")] for line in differences.all("tr")]
    assert (
        ["Rabatt", "5,00", "leer"] in cells
        and ["Notizen", "13", "0"] in cells
        and ["CSI-Nummer", "77", "leer"] in cells
    )
    assert not [line for line in cells if line[:1] == ["Straße"]]
    # The same is offered next time, but for rows: they were those of one customer. The other kind has its own choice.
    again = get(operator, f"/admin/customer/action/full_copy?id={other.key}")
    assert {name for name, ticked in boxes(again).items() if not ticked} == {f"group:{group}", "table:note"}
    assert all(boxes(get(operator, f"/admin/customer/action/copy?id={key}")).values())
    # Who may not set credit data copies without them, and reads so beforehand.
    clerk = sign_in_as("Sachbearbeitung", "klein", "Herr Klein")
    page = get(clerk, f"/admin/customer/action/copy?id={key}")
    assert "group:credit" not in boxes(page) and "Kreditlimit" in page.text.partition("Nicht mitgenommen:")[2]
    form = page.one("form", css="copy")
    send(clerk, form["action"], form.fields(customer_number="10300"))
    assert (Customer.get(Customer.customer_number == 10300).credit_limit, Customer.select().count()) == (None, 4)
    # Taken back as a whole; that the source was copied does not keep it from being taken back itself.
    copy_set = ChangeSetRecord.select().where(ChangeSetRecord.kind == "full_copy").get()
    ChangeSet.undo(copy_set.id).apply(WEBER)
    assert Customer.get_or_none(Customer.customer_number == 10241) is None

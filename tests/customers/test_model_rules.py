"""What the models refuse and what they give by themselves, through the change gateway, on both engines."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from playhouse.test_utils import count_queries

from domain.numbers import NumberRange, NumberReservation, propose_number
from domain.settings import Setting
from domain.value_data import EU_MEMBERS, fill_value_tables
from flask_appadmin.changes import Applied, ChangeSet
from flask_appadmin.copying import plan_copy
from flask_appadmin.errors import FaultList
from flask_appadmin.rights import Role, User, system_operator
from flask_appadmin.specs import spec_of
from models import (
    Address,
    BankAccount,
    Category,
    Contact,
    Country,
    Currency,
    Customer,
    CustomerCategory,
    ExportAccount,
    Language,
    Supplier,
)

OPERATOR = system_operator("Test")
DAY = datetime.date(2026, 5, 18)


def key_of(model: Any, **named: Any) -> int:
    ((name, value),) = named.items()
    return model.get(model._meta.fields[name] == value).id


def make(model: Any, values: dict[str, Any], kind: str = "form") -> Any:
    changes = ChangeSet(kind)
    record = changes.create(model, values)
    changes.apply(OPERATOR)
    return model.get_by_id(record.key)


def customer(kind: str = "form", **values: Any) -> Customer:
    return make(Customer, {"name_1": "Huber", **values}, kind)


def change(record: Any, **values: Any) -> Applied:
    changes = ChangeSet("form")
    changes.update(type(record), record.id, values)
    return changes.apply(OPERATOR)


def refusal(work: Any) -> str:
    """The first fault's field and sentence."""
    with pytest.raises(FaultList) as caught:
        work()
    first = caught.value.faults[0]
    return f"{getattr(first, 'field', '')}: {getattr(first, 'reason', first)}"


@pytest.mark.usefixtures("db")
class TestNumbers:
    @pytest.mark.req("NE-36")
    def test_customers_without_a_number_get_consecutive_ones(self) -> None:
        assert [customer().customer_number for _ in range(3)] == [10_001, 10_002, 10_003]

    @pytest.mark.req("PX-46", partly=True)
    def test_the_lowest_free_number_from_next_on_is_proposed_and_drawn(self) -> None:
        customer(customer_number=10_001)
        customer(customer_number=10_003)
        assert propose_number("customer_number") == 10_002
        assert [customer().customer_number, customer().customer_number] == [10_002, 10_004]

    @pytest.mark.req("PX-48", partly=True)
    def test_a_typed_number_is_kept_and_leaves_the_proposal_alone(self) -> None:
        assert customer(customer_number=10_500).customer_number == 10_500
        assert propose_number("customer_number") == 10_001

    @pytest.mark.req("PX-51", partly=True)
    def test_a_taken_number_is_refused_and_nothing_is_saved(self) -> None:
        taken = customer().customer_number
        assert refusal(lambda: customer(customer_number=taken)) == "customer_number: Kundennummer bereits vorhanden"
        assert Customer.select().count() == 1

    @pytest.mark.req("NE-25", partly=True)
    def test_numbers_of_an_open_reservation_are_passed_over(self) -> None:
        role = Role.create(name="Alle", permissions=["*"])
        user = User.create(username="m", password="x", role=role, fs_uniquifier="u")
        values = {"quantity": 5, "first_number": 10_001, "user": user.id}
        reservation = make(NumberReservation, values, "setup")
        assert customer().customer_number == 10_006
        change(reservation, confirmed=True)
        NumberRange.update(next_number=10_001).execute()
        assert customer().customer_number == 10_001

    def test_an_exhausted_range_says_so(self) -> None:
        change(NumberRange.get(NumberRange.kind == "customer_number"), last_number=10_001)
        customer()
        assert "keine freie Nummer" in refusal(customer)
        assert propose_number("customer_number") is None

    @pytest.mark.req("PX-47", partly=True)
    def test_the_range_of_debtor_accounts_can_be_switched_on(self) -> None:
        assert propose_number("debtor_account") is None
        assert customer().debtor_account is None
        change(NumberRange.get(NumberRange.kind == "debtor_account"), active=True)
        assert propose_number("debtor_account") == 200_001
        assert [customer().debtor_account, customer(debtor_account=7).debtor_account] == [200_001, 7]

    def test_an_import_without_automatic_numbers_needs_them(self) -> None:
        change(Setting.get(), auto_customer_number=False)
        assert refusal(lambda: customer("import")).startswith("customer_number:")
        assert customer("import", customer_number=7).customer_number == 7

    def test_thousands_of_customers_draw_their_numbers_with_few_questions(self) -> None:
        rows = [{"name_1": f"Firma {number}"} for number in range(2_000)]

        class Import:
            kind = "import"

        with count_queries() as counter:
            Customer.prepare_many(rows, Import())
        assert [rows[0]["customer_number"], rows[-1]["customer_number"]] == [10_001, 12_000]
        assert counter.count <= 8


@pytest.mark.usefixtures("db")
class TestRunningNumbers:
    @pytest.mark.req("ME-104", "ME-114", "ME-120", partly=True)
    def test_a_running_number_is_never_given_twice(self) -> None:
        owner = customer()
        names = ("Berger", "Auer")
        contacts = [make(Contact, {"customer": owner.id, "name_1": name}) for name in names]
        changes = ChangeSet("form")
        changes.delete(Contact, contacts[1].id)
        changes.apply(OPERATOR)
        again = make(Contact, {"customer": owner.id, "name_1": "Conrad"})
        assert [contacts[0].sequence_number, again.sequence_number] == [1, 3]

    def test_each_customer_and_each_kind_of_child_counts_for_itself(self) -> None:
        for owner in (customer(), customer()):
            assert make(Contact, {"customer": owner.id, "name_1": "A"}).sequence_number == 1
            assert make(Address, {"customer": owner.id}).sequence_number == 1
            assert make(BankAccount, {"customer": owner.id}).sequence_number == 1

    def test_a_number_from_a_file_is_kept_and_counts_as_given(self) -> None:
        owner = customer()
        make(Contact, {"customer": owner.id, "name_1": "A", "sequence_number": 7}, "import")
        assert make(Contact, {"customer": owner.id, "name_1": "B"}).sequence_number == 8

    def test_categories_are_appended_from_0(self) -> None:
        owner = customer()
        keys = [make(Category, {"name": name}).id for name in ("A", "B")]
        found = [make(CustomerCategory, {"customer": owner.id, "category": key}) for key in keys]
        assert [row.sequence_number for row in found] == [0, 1]


@pytest.mark.usefixtures("db")
class TestNewCustomers:
    @pytest.mark.req("PX-62", partly=True)
    def test_the_search_name_is_made_of_name_and_city(self) -> None:
        assert customer(city="Graz").search_name == "Huber Graz"
        assert customer(name_1=None, name_2="Auer", city="Linz").search_name == "Auer Linz"
        long = customer(name_1="Donaudampfschifffahrtsgesellschaft", city="Wien")
        assert long.search_name == "Donaudampfschifffahrtsgesellsc"
        assert customer(city="Graz", search_name="HUBER1").search_name == "HUBER1"

    @pytest.mark.req("NE-07", partly=True)
    def test_the_form_makes_drafts_and_an_import_active_customers(self) -> None:
        assert (customer().status, customer("import").status) == ("draft", "active")

    @pytest.mark.req("SC-24", partly=True)
    def test_a_copy_has_a_number_and_an_author_of_its_own(self) -> None:
        source = customer(status="active", search_name="ABC", entered_by="Frau Weber", city="Graz")
        changes, record = plan_copy(spec_of(Customer), source.id, OPERATOR)
        changes.apply(OPERATOR)
        copy = Customer.get_by_id(record.key)
        found = (copy.customer_number, copy.search_name, copy.status, copy.entered_by, copy.city)
        assert found == (source.customer_number + 1, "ABC (Kopie)", "draft", "Test", "Graz")

    @pytest.mark.req("PX-63", "PX-64", partly=True)
    def test_customers_in_the_union_without_vat_id_are_liable_to_vat(self) -> None:
        country = {code: key_of(Country, code=code) for code in ("DE", "AT", "CH")}
        assert customer(country=country["AT"]).vat_liable
        assert not customer(country=country["CH"]).vat_liable
        assert not customer(country=country["AT"], vat_id_country="AT", vat_id_code="U52109800").vat_liable
        change(Setting.get(), own_country=country["CH"])
        assert not customer(country=country["AT"]).vat_liable

    @pytest.mark.req("PX-137", partly=True)
    def test_a_vat_id_in_one_piece_is_split(self) -> None:
        found = customer("import", vat_id_code="ATU52109800")
        assert (found.vat_id_country, found.vat_id_code) == ("AT", "U52109800")


def refused_values() -> list[Any]:
    return [
        pytest.param({"name_1": None}, "name_1: Name 1 oder Name 2 muss gefüllt sein.", id="no name"),
        pytest.param(
            {"vat_id_country": "AT"}, "vat_id_code: Zur Umsatzsteuer-ID gehören Länderteil und Code.", id="half"
        ),
        pytest.param({"status": "deleted"}, "status: lässt sich hier nicht setzen", id="final status"),
        pytest.param(
            {"credit_limit_from": DAY, "credit_limit_until": DAY - datetime.timedelta(1)},
            "credit_limit_until: liegt vor „Limit von“ (18.05.2026)",
            id="period",
        ),
        pytest.param(
            {"group_taxable": True, "free_revenue_account": True},
            "free_revenue_account: Von „Konzern steuerbar“, „Konzern nicht steuerbar“, „Erlöskonto frei AR“ kann "
            "höchstens eines gelten.",
            id="group marks",
        ),
        pytest.param(
            {"single_invoice_per_order": True, "collective_invoice": True},
            "collective_invoice: „Einzelrechnung je AB und LS“ schließt die Sammelrechnung aus.",
            id="invoices",
        ),
        pytest.param(
            {"customer_type": "colleague"}, "supplier: Der Kundentyp „Kollege“ braucht diese Angabe.", id="colleague"
        ),
        pytest.param({"founding_year": 2999}, "founding_year: liegt in der Zukunft", id="founded later"),
    ]


@pytest.mark.usefixtures("db", "fixed_today")
class TestRules:
    @pytest.mark.parametrize(("values", "sentence"), refused_values())
    def test_a_customer_is_refused(self, values: dict[str, Any], sentence: str) -> None:
        assert refusal(lambda: customer(**values)) == sentence
        assert Customer.select().count() == 0

    @pytest.mark.req("PX-130", "PX-133", partly=True)
    def test_own_language_and_currency_are_refused(self) -> None:
        german, english = key_of(Language, code="de"), key_of(Language, code="en")
        euro, franc = key_of(Currency, code="EUR"), key_of(Currency, code="CHF")
        assert refusal(lambda: customer(language=german)).startswith("language:")
        assert refusal(lambda: customer(currency=euro)).startswith("currency:")
        assert customer(language=english, currency=franc).language_id == english

    @pytest.mark.parametrize(
        ("first", "second", "allowed"),
        [
            ("draft", "active", True),
            ("draft", "locked", True),
            ("active", "locked", True),
            ("locked", "active", True),
            ("active", "draft", False),
            ("locked", "draft", False),
            ("active", "anonymised", False),
            ("anonymised", "active", False),
            ("deleted", "locked", False),
        ],
    )
    def test_a_status_is_changed_by_hand_only_as_planned(self, first: str, second: str, allowed: bool) -> None:
        found = customer()
        Customer.update(status=first).execute()
        if allowed:
            change(found, status=second)
        else:
            sealed = f": Kunde {found.customer_number} {found.name_1} ist anonymisiert"
            said = refusal(lambda: change(found, status=second))
            assert said.startswith(sealed if first == "anonymised" else "status:")
        assert Customer.get().status == (second if allowed else first)

    def test_customers_do_not_refer_to_themselves_nor_in_circles(self) -> None:
        first, second, third = customer(), customer(), customer()
        change(first, parent_customer=second.id)
        change(second, parent_customer=third.id)
        assert "selbst" in refusal(lambda: change(first, association=first.id))
        assert "Kreis" in refusal(lambda: change(third, parent_customer=first.id))

    @pytest.mark.req("PX-214", partly=True)
    def test_a_condition_carrier_has_none_itself(self) -> None:
        first, second, third = customer(), customer(), customer()
        change(first, condition_carrier=second.id)
        assert refusal(lambda: change(second, condition_carrier=third.id)).startswith("condition_carrier:")
        assert refusal(lambda: change(third, condition_carrier=first.id)).startswith("condition_carrier:")

    def test_a_customer_points_to_its_own_addresses_only(self) -> None:
        first, second = customer(), customer()
        address = make(Address, {"customer": first.id})
        change(first, invoice_address=address.id)
        assert refusal(lambda: change(second, invoice_address=address.id)).startswith("invoice_address:")
        values = {"customer": second.id, "name_1": "A", "address": address.id}
        assert refusal(lambda: make(Contact, values)).startswith("address:")

    @pytest.mark.req("NE-38", partly=True)
    def test_a_colleague_is_a_supplier_of_the_type_colleague(self) -> None:
        keys = {
            kind: make(Supplier, {"number": kind, "name_1": kind, "supplier_type": kind}).id
            for kind in ("supplier", "colleague")
        }
        values = {"customer_type": "colleague", "supplier": keys["supplier"]}
        assert "vom Typ Kollege" in refusal(lambda: customer(**values))
        assert customer(customer_type="colleague", supplier=keys["colleague"]).supplier_id == keys["colleague"]
        assert refusal(lambda: customer(supplier=keys["supplier"])).startswith("supplier: Diese Angabe passt nicht")

    def test_an_address_needs_a_kind_and_xrechnung_its_key(self) -> None:
        owner = customer()
        none = {"customer": owner.id, "is_delivery": False, "is_invoice": False}
        assert "mindestens eine Art" in refusal(lambda: make(Address, none))
        assert refusal(lambda: make(Address, {"customer": owner.id, "format": "5"})).startswith("routing_key:")
        made = make(Address, {"customer": owner.id, "format": "5", "routing_key": "04011000-1234512345-06"})
        assert made.routing_key == "04011000-1234512345-06"

    @pytest.mark.req("ME-117", partly=True)
    def test_direct_debits_need_a_mandate(self) -> None:
        account = {"customer": customer().id, "direct_debit": True, "iban": "DE89370400440532013000"}
        assert refusal(lambda: make(BankAccount, account)).startswith("mandate_reference:")
        full = {**account, "mandate_reference": "M-1", "mandate_date": DAY}
        assert make(BankAccount, full).mandate_reference == "M-1"

    @pytest.mark.req("ME-124", "ME-125", partly=True)
    def test_tax_codes_of_export_accounts_follow_the_tax_rates(self) -> None:
        values = {"customer": customer().id, "valid_from": DAY, "account": "8400"}
        for code in ("-2", "-1", "0", "1", "2", "101", "102"):
            assert make(ExportAccount, {**values, "tax": code}).tax == code
        for code in ("3", "103", "112"):
            assert refusal(lambda code=code: make(ExportAccount, {**values, "tax": code})).startswith("tax:")

    def test_a_contact_needs_a_name_and_is_born_already(self) -> None:
        owner = customer()
        assert refusal(lambda: make(Contact, {"customer": owner.id})).startswith("name_1:")
        values = {"customer": owner.id, "name_1": "A", "birth_date": DAY + datetime.timedelta(1)}
        assert refusal(lambda: make(Contact, values)).startswith("birth_date:")


@pytest.mark.usefixtures("db")
def test_value_tables_come_filled_and_are_filled_once() -> None:
    found = {row.code: row for row in Country.select()}
    assert {code for code, row in found.items() if row.is_eu} == set(EU_MEMBERS)
    assert (found["AT"].name, found["AT"].dialling_code) == ("Österreich", "+43")
    setting = Setting.get()
    own = (setting.own_country.code, setting.own_language.code, setting.own_currency.code)
    assert own == ("DE", "de", "EUR")
    assert fill_value_tables() == 0


@pytest.mark.engines("postgresql")
def test_references_to_tables_made_later_are_declared_where_they_stand(db: Any) -> None:
    """Only PostgreSQL adds such constraints afterwards; the place of the column is the same on both."""
    names = [item.name for item in spec_of(Customer).data_fields]
    assert names.index("delivery_address") == names.index("invoice_address") + 1
    assert [fk.name for fk in Customer._meta.refs if fk.deferred] == list(Customer.OWN_ADDRESSES)

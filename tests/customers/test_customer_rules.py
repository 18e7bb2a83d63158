"""What the fields of a customer take and refuse, and in which words; what follows from what was entered.

Values go in as text, as in a form, a file or on the command line, and through the gateway; one database serves a whole
table of cases, since nothing of a refused case stays.
"""

from __future__ import annotations

import datetime
import doctest
from pathlib import Path
from typing import Any

import pytest

from actions.import_sheet import run_import
from domain import postal_codes, vat_ids
from domain.numbers import NumberRange, propose_number
from domain.values.company import Branch, BusinessUnit, OrganizationUnit
from domain.values.countries import Territory
from domain.values.delivery import Tour
from domain.values.groups import CustomerKind1, CustomerTrait
from domain.values.traits import Orientation
from flask_appadmin.changes import ChangeSet, plan_assign
from flask_appadmin.copying import plan_copy
from flask_appadmin.errors import FaultList, FieldError
from flask_appadmin.fieldtypes import text_rules
from flask_appadmin.filters import Filter
from flask_appadmin.history import ChangeRecord
from flask_appadmin.rights import Operator, system_operator, words_for
from flask_appadmin.selections import Selection
from flask_appadmin.specs import spec_of
from models import Address, BankAccount, Country, Customer, CustomerTraitAssignment, Employee, PostalCode, Supplier

OPERATOR = system_operator("Test")
SPEC = spec_of(Customer)


def refused(faults: list[Any]) -> str:
    return " / ".join(
        f"{fault.field}: {fault.found()}" if isinstance(fault, FieldError) else str(fault) for fault in faults
    )


def typed(model: Any, texts: dict[str, str]) -> dict[str, Any]:
    """The values of these texts; raises FaultList like a form."""
    faults: list[Any] = []
    values: dict[str, Any] = {}
    for name, text in texts.items():
        try:
            values[name] = spec_of(model).field(name).parse(text)
        except FieldError as fault:
            faults.append(fault)
    if faults:
        raise FaultList(faults)
    return values


def enter(model: Any = Customer, kind: str = "form", operator: Operator = OPERATOR, **texts: str) -> Any:
    """The stored record of these texts, or what is said about them."""
    try:
        values = typed(model, {"name_1": "Huber", **texts} if model is Customer else texts)
        changes = ChangeSet(kind)
        record = changes.create(model, values)
        changes.apply(operator)
    except FaultList as refusal:
        return refused(refusal.faults)
    return model.get_by_id(record.key)


def change(record: Any, operator: Operator = OPERATOR, **texts: str) -> Any:
    """The record after these changes, or what is said about them."""
    try:
        changes = ChangeSet("form")
        changes.update(type(record), record.id, typed(type(record), texts))
        changes.apply(operator)
    except FaultList as refusal:
        return refused(refusal.faults)
    return type(record).get_by_id(record.id)


#: (field, text, what is stored or None, sentence if it is refused)
VALUES: tuple[tuple[str, str, Any, str], ...] = (
    # PX-76, case 52
    ("customer_number", "12A", None, "„12A“ ist keine ganze Zahl. Bitte nur Ziffern eingeben, zum Beispiel 30."),
    ("customer_number", "0", None, "„0“ ist zu klein. Erlaubt ist 1 bis 999999999."),
    ("customer_number", "1234567890", None, "„1234567890“ ist zu groß. Erlaubt ist 1 bis 999999999."),
    ("customer_number", "999999999", 999999999, ""),
    ("customer_number", "007", 7, ""),
    # PX-79
    ("debtor_account", "ABC", None, "„ABC“ ist keine ganze Zahl. Bitte nur Ziffern eingeben, zum Beispiel 30."),
    ("debtor_account", "200001", 200001, ""),
    ("debtor_account", "99999999999", None, "„99999999999“ ist zu groß. Erlaubt ist höchstens 2147483647."),
    # PX-84, case 54: counted in characters as people see them stored
    ("name_1", "A" * 60, "A" * 60, ""),
    ("name_1", "A" * 61, None, f"„{'A' * 57}…“ ist zu lang (61 Zeichen). Höchstens 60 Zeichen passen hinein."),
    ("name_1", "🙂" * 60, "🙂" * 60, ""),
    ("name_1", "e\u0301" * 60, "é" * 60, ""),
    # Cases 55 and 56
    ("name_1", "A\x07B\x0bC", "A B C", ""),
    ("name_1", "A\ud800B", None, "Enthält ein unerlaubtes Zeichen."),
    ("remark", "A\x07B\nC", "AB\nC", ""),
    ("name_1", "<script>{{7*7}}${x}%s", "<script>{{7*7}}${x}%s", ""),
    ("name_1", "=1+1", "=1+1", ""),
    # PX-94, PX-95, case 59: kept as typed
    ("phone", "+49 (0)89 4711", "+49 (0)89 4711", ""),
    ("phone", "01 234", "01 234", ""),
    ("phone", "keines", None, "„keines“ enthält keine Ziffer. Bitte so eingeben: +49 208 4711-0."),
    ("fax", "0316 99", "0316 99", ""),
    # PX-136, PX-137
    ("vat_id_country", "A1", None, "„A1“ ist kein Länderkürzel. Bitte zwei Buchstaben, zum Beispiel DE."),
    # PX-138, case 64
    ("vat_id_checked_on", "01.11.2026", datetime.date(2026, 11, 1), ""),
    ("vat_id_checked_on", "31.02.2026", None, ("„31.02.2026“ ist kein Datum. Bitte so eingeben: TT.MM.JJJJ, zum "
     "Beispiel 31.12.2026.")),
    ("vat_id_checked_on", "29.02.2025", None, ("„29.02.2025“ ist kein Datum. Bitte so eingeben: TT.MM.JJJJ, zum "
     "Beispiel 31.12.2026.")),
    # PX-142, PX-116, PX-156
    ("first_contact", "Tageszeitung/Inserat 14.3.2000", "Tageszeitung/Inserat 14.3.2000", ""),
    ("tax_number", "12/345/67890", "12/345/67890", ""),
    ("railway_station", "Wien Hbf", "Wien Hbf", ""),
    # PX-154, case 58
    ("email", "office@pollex-lc.com", "office@pollex-lc.com", ""),
    ("email", "office@", None, "„office@“ ist keine E-Mail-Adresse. Bitte so eingeben: name@firma.de."),
    ("email", "office", None, "„office“ ist keine E-Mail-Adresse (das @ fehlt). Bitte so eingeben: name@firma.de."),
    ("email", "a@b@c.de", None, ("„a@b@c.de“ ist keine E-Mail-Adresse (mehr als ein @). Bitte so eingeben: "
     "name@firma.de.")),
    ("email", "a@b.de\r\nBcc: x@y.de", None, ("„a@b.de Bcc: x@y.de“ ist keine E-Mail-Adresse (mehr als ein @). Bitte "
     "so eingeben: name@firma.de.")),
    # PX-155, case 57
    ("website", "www.example.com", "www.example.com", ""),
    ("website", "https://example.com/a?b=1@2", "https://example.com/a?b=1@2", ""),
    ("website", "javascript:alert(1)", None, ("„javascript:alert(1)“ ist keine Internet-Adresse. Erlaubt sind http und "
     "https.")),
    ("website", "//evil.example", None, ("„//evil.example“ ist keine Internet-Adresse. Bitte so eingeben: "
     "www.firma.de.")),
    ("website", "http://user:pw@host.example", None, ("„http://user:pw@host.example“ enthält einen Benutzernamen. "
     "Bitte ohne das eingeben, was vor dem @ steht.")),
    # PX-180, PX-182
    ("free_1", "abc", None, "„abc“ ist keine Zahl. Bitte so eingeben: 1.234,50."),
    ("free_2", "x" * 61, None, f"„{'x' * 57}…“ ist zu lang (61 Zeichen). Höchstens 60 Zeichen passen hinein."),
    ("free_3", "x" * 500, "x" * 500, ""),
    ("credit_rating", "4", "4", ""),
    ("credit_rating", "5", None, "„5“ gibt es hier nicht."),
    ("credit_rating", "0", None, "„0“ gibt es hier nicht."),
    # ME-23
    ("gln", "4012345000009", "4012345000009", ""),
    ("gln", "40 12345 00000 9", "4012345000009", ""),
    ("gln", "4012345000001", None, ("„4012345000001“ ist keine gültige GLN (die Prüfziffer müsste 9 sein). Eine GLN "
     "hat 13 Ziffern; die letzte ist die Prüfziffer.")),
    ("gln", "401234500000", None, ("„401234500000“ ist keine gültige GLN (12 Zeichen). Eine GLN hat 13 Ziffern; die "
     "letzte ist die Prüfziffer.")),
    # ME-24
    ("latitude", "48,2082", 48.2082, ""),
    ("longitude", "16.3738", 16.3738, ""),
    ("latitude", "91", None, "„91,000000“ ist zu groß. Erlaubt ist -90 bis 90."),
    ("longitude", "-180,5", None, "„-180,500000“ ist zu klein. Erlaubt ist -180 bis 180."),
    # Case 63
    ("final_discount_percent", "100,01", None, "„100,01“ ist zu groß. Erlaubt ist 0 bis 100."),
    ("final_discount_percent", "-1", None, "„-1,00“ ist zu klein. Erlaubt ist 0 bis 100."),
    ("final_discount_percent", "1e2", None, "„1e2“ ist keine Zahl. Bitte so eingeben: 1.234,50."),
    ("final_discount_percent", "1,12345", None, "„1,12345“ hat zu viele Stellen hinter dem Komma. Erlaubt sind 2."),
    ("credit_limit", "-0,01", None, "„-0,01“ ist zu klein. Erlaubt ist mindestens 0."),
    ("credit_limit", "10000000000000", None, "„10000000000000“ ist zu groß."),
    # ME-27, ME-30, ME-31, ME-92, PX-105: what a table does not have cannot be stored
    ("technician", "99", None, ("„99“ ist unter „Bearbeiter“ nicht vorhanden. Bitte erst dort anlegen oder die "
     "Schreibweise prüfen.")),
    ("country", "XX", None, ("„XX“ ist unter „Länder“ nicht vorhanden. Bitte erst dort anlegen oder die Schreibweise "
     "prüfen.")),
    ("title", "99", None, ("„99“ ist unter „Anreden/Titel“ nicht vorhanden. Bitte erst dort anlegen oder die "
     "Schreibweise prüfen.")),
    ("orientation", "Unbekannt", None, ("„Unbekannt“ ist unter „Ausrichtungen“ nicht vorhanden. Bitte erst dort "
     "anlegen oder die Schreibweise prüfen.")),
    ("customer_kind_1", "Handel", None, ("„Handel“ ist unter „Kundenarten 1“ nicht vorhanden. Bitte erst dort anlegen "
     "oder die Schreibweise prüfen.")),
    # NE-37
    ("customer_type", "", None, "Bitte ausfüllen."),
    ("customer_type", "Partner", None, ("„Partner“ gibt es hier nicht. Möglich sind: Endkunde, Kollege, Mitarbeiter, "
     "Lieferant.")),
    # PX-98, ME-91, PX-103: unknown customers
    ("parent_customer", "99999", None, ("„99999“ ist unter „Kunden“ nicht vorhanden. Bitte erst dort anlegen oder die "
     "Schreibweise prüfen.")),
)  # fmt: skip

#: (IBAN, what is stored or None, what is wrong with it): case 60
IBANS = (
    ("DE02 1203 0000 0000 2020 51", "DE02120300000000202051", ""),
    ("de02120300000000202051", "DE02120300000000202051", ""),
    ("MT84 MALT 0110 0001 2345 MTLC AST0 01S", "MT84MALT011000012345MTLCAST001S", ""),
    ("DE02120300000000202052", None, "(die Prüfziffern passen nicht)"),
    ("DE0212030000000020205", None, "(sie hat 21 Zeichen, mit DE sind es 22)"),
    ("US02120300000000202051", None, "(„US“ ist kein Land mit IBAN)"),
    ("DE02_20300000000202051", None, "(„_“ an Stelle 5)"),
)
#: Case 61
BICS = (
    ("COBADEFFXXX", "COBADEFFXXX", ""),
    ("cobadeff", "COBADEFF", ""),
    ("COBADEFFX", None, ("„COBADEFFX“ ist kein gültiger BIC (er hat 9 Zeichen). Ein BIC hat 8 oder 11 Zeichen, zum "
     "Beispiel COBADEFF.")),
)  # fmt: skip


@pytest.mark.req("PX-76", "PX-79", "PX-138", "PX-142", "PX-156", "PX-180", "PX-182", "ME-24", "NE-37")
@pytest.mark.req("ME-23")
@pytest.mark.req("PX-84", "PX-116", "PX-154", "PX-155", "ME-31", partly=True)
def test_a_field_takes_what_is_right_and_says_what_is_wrong_with_the_rest(db: Any) -> None:
    for name, text, stored, sentence in VALUES:
        answer = enter(**{name: text})
        if sentence:
            found = answer if isinstance(answer, str) else f"stored {getattr(answer, name)!r}"
            assert found.startswith(f"{name}: {sentence}"), f"{name}={text!r}: {found}"
        else:
            assert not isinstance(answer, str), f"{name}={text!r}: {answer}"
            value = getattr(answer, name)
            assert value == stored or float(value) == stored, f"{name}={text!r} became {value!r}"
            Customer.delete().execute()
    assert Customer.select().count() == 0
    kept = {
        "remark": "Bemerkung", "hint": "Hinweis", "marker": "K", "federal_state": "Tirol", "website": "www.example.com",
        "gln": "4012345000009", "external_address_id": "FA", "external_customer_id": "FK",
    }  # fmt: skip
    owner = enter(**kept)
    assert {name: getattr(owner, name) for name in kept} == kept
    for column, cases in (("iban", IBANS), ("bic", BICS)):
        for text, stored, sentence in cases:
            answer = enter(BankAccount, customer=str(owner.customer_number), **{column: text})
            if stored is None:
                assert isinstance(answer, str) and sentence in answer, f"{text}: {answer}"
            else:
                assert getattr(answer, column) == stored
    both = {"customer": str(owner.customer_number), "iban": "AT611904300234573201"}
    # Case 61: another country is a warning, and taken.
    odd = enter(BankAccount, **both, bic="COBADEFF")
    assert list(BankAccount.remarks({"iban": odd.iban, "bic": odd.bic})) == [
        ("bic", "Die Bank ist laut BIC in DE, das Konto laut IBAN in AT. Bitte beim Kunden nachfragen.")
    ]
    assert enter(BankAccount, **both, bic="BKAUATWW").bic == "BKAUATWW"
    choices = [str(label) for _code, label in SPEC.field("customer_type").choices]
    assert choices == ["Endkunde", "Kollege", "Mitarbeiter", "Lieferant"]


@pytest.mark.req("PX-94", "PX-95", partly=True)
def test_a_phone_without_its_country_is_stored_with_a_warning() -> None:
    for name in ("phone", "fax"):
        item = SPEC.field(name)
        assert [bool(item.warning(text)) for text in ("+43 1 234", "0043 1 234", "", "01 234")] == [False] * 3 + [True]
        assert item.warning("0316 99").startswith("Ohne Ländervorwahl lässt sich die Nummer nicht überall wählen.")
    assert SPEC.field("phone").link("+43 1 234") == "tel:+431234"
    assert doctest.testmod(text_rules).failed + doctest.testmod(vat_ids).failed == 0


def test_a_bank_number_is_told_as_far_as_the_operator_may_see_it() -> None:
    iban = spec_of(BankAccount).field("iban")
    told = {
        verb: words_for(Operator(None, "Weber", frozenset({f"bank.{verb}"})), iban, "DE02120300000000202051")
        for verb in ("read_full", "read", "delete")
    }
    assert told == {
        "read_full": "DE02120300000000202051",
        "read": "DE02 •••• •••• •••• •••• 51",
        "delete": "••••",
    }


@pytest.mark.req("PX-49", "PX-50", "PX-51", "PX-81", "PX-101", "PX-124", "PX-136")
@pytest.mark.req(
    "PX-48", "PX-78", "PX-98", "PX-103", "PX-137", "PX-214", "PX-215", "ME-32", "ME-91", "ME-112", partly=True
)
def test_numbers_references_and_pairs_of_fields_keep_their_rules(db: Any, fixed_today: datetime.date) -> None:
    first, second = enter(customer_number="10500", debtor_account="200001"), enter(debtor_account="200001")
    # PX-48, PX-49, PX-51: taken in any state; a typed number leaves the proposal alone.
    assert (first.customer_number, second.customer_number, propose_number("customer_number")) == (10500, 10001, 10002)
    Customer.update(status="anonymised").where(Customer.id == first.id).execute()
    taken = "customer_number: Kundennummer bereits vorhanden."
    assert enter(customer_number="10500") == taken == enter(kind="import", customer_number="10500")
    Customer.update(status="draft").where(Customer.id == first.id).execute()
    # PX-78, PX-81, PX-124: fixed once they are there.
    assert change(second, customer_number="10002") == (
        "customer_number: „10002“ kann nicht mehr geändert werden. Es bleibt bei „10001“."
    )
    assert change(second, debtor_account="200002") == (
        "debtor_account: „200002“ kann nicht mehr geändert werden. Es bleibt bei „200001“."
    )
    third = enter()
    assert change(third, debtor_account="200001").debtor_account == 200001
    assert third.created_on == fixed_today
    assert "kann nicht geändert werden" in change(third, created_on="01.01.2020")
    copy, record = plan_copy(SPEC, first.id, OPERATOR)
    copy.apply(OPERATOR)
    assert Customer.get_by_id(record.key).created_on == fixed_today
    # PX-101: unique when filled.
    assert enter(address_provider_number="H1").address_provider_number == "H1"
    assert enter(address_provider_number="H1") == "address_provider_number: „H1“ ist bereits vorhanden."
    assert enter().address_provider_number is None
    # PX-98, PX-103, PX-214, PX-215, ME-32, ME-91, case 65: other customers, never oneself, no ring.
    itself = "Ein Kunde kann nicht auf sich selbst verweisen."
    for name in Customer.CUSTOMER_LINKS:
        assert change(first, **{name: "10500"}) == f"{name}: {itself}"
    ring = "Die Verweise der Kunden aufeinander ergäben einen Kreis."
    assert change(second, parent_customer="10500").parent_customer_id == first.id
    assert change(third, parent_customer="10001").parent_customer_id == second.id
    assert change(first, parent_customer=str(third.customer_number)) == f"parent_customer: {ring}"
    below = Filter.from_text(SPEC, "parent_customer=10500", OPERATOR).where(OPERATOR)
    assert [row.id for row in Customer.select().where(below)] == [second.id]
    member = change(second, association="10500")
    assert (member.association_id, member.condition_carrier_id, member.invoice_customer_id) == (first.id, None, None)
    both = change(second, condition_carrier="10500", invoice_customer="10500")
    assert (both.condition_carrier_id, both.invoice_customer_id) == (first.id, first.id)
    assert change(second, successor_customer="10500").customer_number == 10001
    # PX-136, PX-137, case 62: both parts or none; the country is one of the table; another id was not checked yet.
    assert (
        enter(vat_id_country="AT") == "vat_id_code: Zur Umsatzsteuer-ID gehören Länderteil und Code. Bitte ausfüllen."
    )
    assert enter(vat_id_country="QQ", vat_id_code="U1") == (
        "vat_id_country: „QQ“ ist kein Länderkürzel der Tabelle „Länder“. Bitte zwei Buchstaben, zum Beispiel DE."
    )
    known = enter(vat_id_country="at", vat_id_code="U52109800", vat_id_checked_on="01.11.2026")
    assert vat_ids.whole_vat_id(known.vat_id_country, known.vat_id_code) == "ATU52109800"
    assert vat_ids.doubt_of("AT", "U52109800") == "" and "„DE123456789“" in vat_ids.doubt_of("DE", "123456789")
    other = change(known, vat_id_country="", vat_id_code="DE 136695976")
    found = (other.vat_id_country, other.vat_id_code, other.vat_id_checked_on)
    assert found == ("DE", "136695976", None)
    # ME-112
    place = {"customer": "10500", "street": "Ring 1"}
    assert enter(Address, **place, vat_mode="1").vat_mode == "1"
    assert "vat_mode: „4“ gibt es hier nicht." in enter(Address, **place, vat_mode="4")


@pytest.mark.req("PX-62", "PX-92")
def test_the_search_name_follows_name_and_city_until_somebody_writes_one(db: Any) -> None:
    found = enter(city="Graz")
    assert (found.search_name, change(found, city="Wien").search_name) == ("Huber Graz", "Huber Wien")
    assert change(found, name_1="", name_2="Auer").search_name == "Auer Wien"
    assert change(found, search_name="HUBER1").search_name == "HUBER1"
    assert change(found, city="Linz").search_name == "HUBER1"
    assert change(found, search_name="").search_name is None
    assert change(found, city="Graz").search_name == "Auer Graz"
    assert change(found, city="Wels", search_name="AUER").search_name == "AUER"
    assert (
        enter(name_1="Donaudampfschifffahrtsgesellschaft", city="Wien").search_name == "Donaudampfschifffahrtsgesellsc"
    )


@pytest.mark.req("PX-130", "PX-133")
def test_own_language_and_currency_are_left_empty(db: Any) -> None:
    for name, own, sentence, others in (
        ("language", "de", "Die eigene Sprache wird hier nicht eingetragen.", ("en", "")),
        ("currency", "EUR", "Die eigene Währung wird hier nicht eingetragen.", ("USD", "")),
    ):
        assert enter(**{name: own}) == f"{name}: {sentence}" == enter(kind="import", **{name: own})
        found = enter()
        for other in others:
            found = change(found, **{name: other})
            assert bool(getattr(found, name)) == bool(other)
        assert change(found, **{name: own}) == f"{name}: {sentence}"
        # The same for many at once, and for the command line, which plans the same way.
        plan = plan_assign(Selection.of_keys(SPEC, OPERATOR, [found.id]), typed(Customer, {name: own}), OPERATOR)
        assert [reason for _key, _title, reason in plan.refused] == [f"{SPEC.field(name).label}: {sentence}"]
    for kind, missing in (("Lieferant", "Lieferant"), ("Mitarbeiter", "Mitarbeiter")):
        values = typed(Customer, {"customer_type": kind})
        plan = plan_assign(Selection.of_keys(SPEC, OPERATOR, [found.id]), values, OPERATOR)
        assert plan.refused[0][2].startswith(f"{missing}: Der Kundentyp „{kind}“ braucht diese Angabe.")


@pytest.mark.req("PX-63", "PX-64")
def test_vat_liability_is_switched_on_once_and_never_off(db: Any) -> None:
    from domain.settings import Setting

    def own(code: str) -> None:
        change(Setting.get(), own_country=code)

    own("AT")
    assert enter(country="DE").vat_liable
    assert not enter(country="DE", vat_id_country="DE", vat_id_code="123456789").vat_liable
    assert enter(country="DE", vat_id_country="DE", vat_id_code="123456789", vat_liable="Ja").vat_liable
    swiss = enter(country="CH")
    assert not swiss.vat_liable
    assert not change(swiss, country="DE").vat_liable
    assert enter(kind="import", country="DE").vat_liable
    own("CH")
    assert not enter(country="DE").vat_liable


@pytest.mark.req("NE-38", "NE-40", "NE-41", "NE-44", "NE-45", "NE-48")
@pytest.mark.req("NE-39", "NE-43", partly=True)
def test_a_customer_that_is_a_supplier_or_an_employee_follows_name_and_address(db: Any) -> None:
    from flask_appadmin.rights import Operator as Someone

    nord = enter(
        Supplier, number="S1", name_1="Parfümerie Nord", street="Hafen 3", city="Kiel", supplier_type="Kollege"
    )
    glas = enter(Supplier, number="S3", name_1="Glas AG", city="Jena", supplier_type="Lieferant")
    kurz = enter(Employee, number="7", name="Eva Kurz", street="Weg 9", city="Ulm")
    # NE-39, NE-43: the field is obligatory for its kind and belongs to no other; each supplier is one customer at most.
    assert "braucht diese Angabe" in enter(customer_type="Kollege")
    assert "braucht diese Angabe" in enter(customer_type="Mitarbeiter")
    assert "vom Typ Kollege" in enter(customer_type="Kollege", supplier="S3")
    found = enter(name_1="Vorher", city="Rom", customer_type="Kollege", supplier="S1")
    assert (found.name_1, found.street, found.city, found.search_name) == (
        "Parfümerie Nord", "Hafen 3", "Kiel", "Parfümerie Nord Kiel",
    )  # fmt: skip
    assert enter(customer_type="Lieferant", supplier="S1").startswith("supplier: ")
    # NE-40: not by hand; what the other record says may be sent along.
    assert change(found, name_1="Anders") == "name_1: Folgt „Lieferant S1 Parfümerie Nord“. Bitte dort ändern."
    assert change(found, name_1="Parfümerie Nord", remark="x").remark == "x"
    # NE-41: with a history entry at the customer, in the same set, and without a right to customers.
    buyer = Someone(None, "Herr Auer", frozenset({"catalog.read", "catalog.edit"}))
    change(nord, buyer, street="Hafen 4", city="Lübeck")
    found = Customer.get_by_id(found.id)
    assert (found.street, found.city, found.search_name) == ("Hafen 4", "Lübeck", "Parfümerie Nord Lübeck")
    line = ChangeRecord.get(entity="customer", record_id=found.id, field="street")
    told = (line.owner_entity, line.old_value, line.new_value, line.change_set.user_name)
    assert told == ("customer", '"Hafen 3"', '"Hafen 4"', "Herr Auer")
    ChangeSet.undo(line.change_set_id).apply(OPERATOR)
    assert (Customer.get_by_id(found.id).street, Supplier.get_by_id(nord.id).street) == ("Hafen 3", "Hafen 3")
    # NE-48, and an existing customer that becomes one.
    sold = change(enter(city="Rom"), customer_type="Lieferant", supplier="S3")
    assert (sold.name_1, sold.city, sold.search_name) == ("Glas AG", "Jena", "Glas AG Jena")
    change(glas, name_1="Glas SE")
    assert Customer.get_by_id(sold.id).name_1 == "Glas SE"
    # NE-44, NE-45
    staff = enter(kind="import", customer_type="Mitarbeiter", employee="7", status="Aktiv")
    assert (staff.name_1, staff.street) == ("Eva Kurz", "Weg 9")
    change(kurz, name="Eva Lang")
    assert Customer.get_by_id(staff.id).name_1 == "Eva Lang"
    # Back to Endkunde: the link goes, the name stays.
    ended = change(sold, customer_type="Endkunde")
    assert (ended.supplier_id, ended.name_1) == (None, "Glas SE")
    change(glas, name_1="Glas KG")
    assert Customer.get_by_id(sold.id).name_1 == "Glas SE"
    assert change(ended, name_1="Auer").name_1 == "Auer"


@pytest.mark.req("ME-49", "NE-62")
@pytest.mark.req("ME-22", "NE-64", "ME-28", partly=True)
def test_an_import_takes_over_a_stored_address_and_never_a_consent(db: Any) -> None:
    enter(address_number="500", street="Ring 1", city="Graz")
    assert enter(kind="import", name_1="", address_number="501").startswith("name_1: ")
    assert enter(kind="import", address_number="501") == "address_number: „501“ ist nicht vorhanden."
    taken = enter(kind="import", name_1="", address_number="500", city="Wien")
    assert (taken.name_1, taken.street, taken.city) == ("Huber", "Ring 1", "Wien")
    consents = [item for item in SPEC.data_fields if item.name.startswith("consent_")]
    assert len(consents) == 5
    assert all(not item.bulk and item.copy == "clear" and item.default is False for item in consents)
    willing = enter(consent_email="Ja")
    assert [getattr(willing, item.name) for item in consents] == [False, True, False, False, False]
    copy, record = plan_copy(SPEC, willing.id, OPERATOR)
    copy.apply(OPERATOR)
    assert not Customer.get_by_id(record.key).consent_email
    flagged = enter(kind="import", is_end_customer="1", no_email_advertising="0")
    assert (flagged.is_end_customer, flagged.customer_type, flagged.consent_email) == (True, "end_customer", False)


@pytest.mark.req("ME-22", "ME-25", "ME-26", "ME-27", "ME-30", "ME-91", "ME-92")
@pytest.mark.req("PX-102")
@pytest.mark.req("ME-31", "ME-23", "ME-112", "PX-81", partly=True)
def test_a_file_meets_the_same_rules_and_its_rows_say_so(db: Any, tmp_path: Path) -> None:
    enter(BusinessUnit, number="3", name="Technik")
    enter(Territory, code="NORD", name="Norden")
    enter(Orientation, name="Industrie")
    for number in ("7", "8"):
        enter(Employee, number=number, name=f"Person {number}")
    enter(customer_number="900", address_number="500", street="Ring 1")
    enter(customer_number="901", debtor_account="200001")
    heads = "Kundennummer;Name 1;Adress-Nr.;Geschäftsbereich;Bea;Techniker;Verkäufer;Länderkennzeichen;Ausrichtung;"
    heads += "Gebiet;ILN;Zentrale;Titel"
    rows = (
        ("1;;500;3;7;8;;AT;Industrie;NORD;4012345000009;900;1", ""),
        ("2;Auer;501;;;;;;;;;;", "„501“ ist nicht vorhanden"),
        ("3;Auer;;99;;;;;;;;;", "„99“ ist unter „Geschäftsbereiche“ nicht vorhanden"),
        ("4;Auer;;;7;8;9;;;;;;", "Spalte „Verkäufer“: „9“ ist unter „Bearbeiter“ nicht vorhanden"),
        ("5;Auer;;;;;;XX;;;;;", "„XX“ ist unter „Länder“ nicht vorhanden"),
        ("6;Auer;;;;;;;Unbekannt;;;;", "Spalte „Ausrichtung“: „Unbekannt“"),
        ("7;Auer;;;;;;;;;4012345000001;;", "Prüfziffer müsste 9 sein"),
        ("8;Auer;;;;;;;;;;99999;", "Spalte „Zentrale“: „99999“ ist unter „Kunden“ nicht vorhanden"),
        ("9;Auer;;;;;;;;;;;99", "Spalte „Titel“: „99“ ist unter „Anreden/Titel“ nicht vorhanden"),
        ("900;Huber;;;;;;;;;;900;", "Ein Kunde kann nicht auf sich selbst verweisen."),
    )
    path = tmp_path / "kunden.csv"
    path.write_text("\n".join([heads, *(row for row, _sentence in rows)]) + "\n", encoding="utf-8-sig")
    report = run_import(path, SPEC, OPERATOR, key="customer_number", insert_missing=True)
    for number, (_row, sentence) in enumerate(rows, 2):
        told = [
            finding for finding in report.findings if f"Zeile {number}," in finding or f"Zeile {number}:" in finding
        ]
        assert (any(sentence in finding for finding in told)) if sentence else not told, (number, report.findings)
    assert (report.new, report.errors) == (1, 9)
    made = Customer.get(Customer.customer_number == 1)
    assert (made.name_1, made.street, made.business_unit.number, made.territory.code) == (
        "Huber",
        "Ring 1",
        3,
        "NORD",
    )
    assert (made.clerk.number, made.technician.number, made.parent_customer.customer_number) == ("7", "8", 900)
    # PX-81: a debtor account that is there stays, and the file says so.
    path.write_text("Kundennummer;FIBU Nummer\n901;200002\n", encoding="utf-8-sig")
    report = run_import(path, SPEC, OPERATOR, key="customer_number")
    assert report.changed == 0 and "kann nicht mehr geändert werden" in report.findings[0]
    path.write_text("Kundennummer;MwSt\n901;4\n", encoding="utf-8-sig")
    report = run_import(path, SPEC, OPERATOR, key="customer_number")
    assert (report.changed, report.errors) == (0, 1) and "„4“ gibt es hier nicht" in report.findings[0]
    # PX-102: what a provider delivers again finds its customer by the Herold number; what is new becomes one.
    change(Customer.get(Customer.customer_number == 900), address_provider_number="H1")
    path.write_text("Herold-Nr.;Name 1;Ort\nH1;Huber KG;Graz\nH2;Auer;Linz\n", encoding="utf-8-sig")
    report = run_import(path, SPEC, OPERATOR, key="address_provider_number", insert_missing=True)
    assert (report.new, report.changed, report.errors) == (1, 1, 0), report
    for number, found in (("H1", (900, "Huber KG", "Graz")), ("H2", (10001, "Auer", "Linz"))):
        row = Customer.get(Customer.address_provider_number == number)
        assert (row.customer_number, row.name_1, row.city) == found
    assert run_import(path, SPEC, OPERATOR, key="address_provider_number", insert_missing=True).new == 0


@pytest.mark.req("NE-56", "PX-125", "PX-145", "PX-150", "PX-157", "PX-117")
@pytest.mark.req("PX-105", "ME-25", "NE-53", "PX-46", partly=True)
def test_value_tables_offer_what_they_hold(db: Any) -> None:
    enter(CustomerKind1, code="H", name="Handel")
    enter(Orientation, name="Handel")
    for name in ("VIP", "Presse"):
        enter(CustomerTrait, name=name)
    found = enter(customer_kind_1="Handel", orientation="Handel", home_branch="1")
    assert (found.customer_kind_1.name, found.orientation.name) == ("Handel", "Handel")
    number = str(found.customer_number)
    for name in ("VIP", "Presse"):
        enter(CustomerTraitAssignment, customer=number, customer_trait=name)
    traits = CustomerTraitAssignment.select().where(CustomerTraitAssignment.customer == found.id)
    assert sorted(row.customer_trait.name for row in traits) == ["Presse", "VIP"]
    enter(Branch, number="2", name="Filiale Süd")
    assert change(found, home_branch="2").home_branch.name == "Filiale Süd"
    # PX-117, PX-125, PX-145, PX-150, PX-157: what is filled can be filtered by.
    enter(Territory, code="NORD", name="Norden")
    enter(Tour, code="MO", name="Montag")
    enter(OrganizationUnit, code="EX", name="Export")
    filled = enter(territory="NORD", tour="MO", organization_unit="EX", is_maintenance_address="Ja", incomplete="Ja")
    assert (filled.territory.code, filled.tour.name) == ("NORD", "Montag")
    enter(incomplete="Ja")
    for question, expected in (
        ("territory=NORD", 1), ("tour=MO", 1), ("organization_unit=EX", 1), ("is_maintenance_address=0", 2),
        ("is_maintenance_address=1", 1), ("incomplete=1", 2),
    ):  # fmt: skip
        where = Filter.from_text(SPEC, question, OPERATOR).where(OPERATOR)
        assert Customer.select().where(where).count() == expected, question
    change(filled, incomplete="Nein")
    where = Filter.from_text(SPEC, "incomplete=1", OPERATOR).where(OPERATOR)
    assert filled not in list(Customer.select().where(where))
    # PX-46: nothing is proposed by a range without free numbers.
    change(NumberRange.get(NumberRange.kind == "customer_number"), last_number="10004")
    assert propose_number("customer_number") == 10004
    enter()
    assert propose_number("customer_number") is None


def test_the_places_of_a_postal_code(db: Any) -> None:
    assert doctest.testmod(postal_codes).failed == 0
    austria = Country.get(Country.code == "AT")
    for code, city, area in (("1010", "Wien", "+43 1"), ("4600", "Wels", "07242"), ("4600", "Pernau", None)):
        PostalCode.create(country=austria, postal_code=code, city=city, dialling_code=area)
    places_of, prefix_of = postal_codes.places_of, postal_codes.prefix_of
    assert [place.city for place in places_of(austria.id, "A-1010")] == ["Wien"]
    assert [(place.city, place.prefix) for place in places_of(austria.id, "4600")] == [
        ("Wels", "+43 7242"),
        ("Pernau", ""),
    ]
    assert places_of(austria.id, "9999") == [] == places_of(None, "1010")
    assert prefix_of(places_of(austria.id, "4600"), None) == ""
    assert prefix_of(places_of(austria.id, "4600"), "wels") == "+43 7242"
    # A prefix that nobody typed on is no phone.
    bare = enter(country="AT", postal_code="1010", phone="+43 1 ", fax="+43 1 99")
    assert (bare.phone, bare.fax) == (None, "+43 1 99")
    assert change(bare, fax="+43 1").fax is None

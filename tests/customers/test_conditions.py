"""„Abfragebedingung“ on the customer master: the examples of the requirements, and who may ask what."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from domain.roles import ROLES
from domain.values.countries import Country
from domain.values.delivery import Tour
from flask_appadmin.changes import ChangeSet
from flask_appadmin.conditions import translate
from flask_appadmin.errors import ConditionError
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.specs import spec_of
from models import Address, BankAccount, Customer
from tests.customers.test_customer_pages import listed, make, photograph
from tests.reader import get, read

WEBER = system_operator("Frau Weber")


def tours() -> tuple[int, int]:
    change = ChangeSet("import")
    made = [change.create(Tour, {"code": code, "name": f"Tour {code}"}) for code in ("1", "2")]
    change.apply(WEBER)
    return made[0].key or 0, made[1].key or 0


def found(text: str, operator: Operator = WEBER) -> list[str]:
    expression = translate(spec_of(Customer), text, operator).expression
    query = Customer.select(Customer.search_name).where(expression).order_by(Customer.search_name)
    return [name for (name,) in query.tuples()]


def of_role(name: str) -> Operator:
    return Operator(None, name, frozenset(ROLES[name]), name)


@pytest.mark.req("PX-14")
def test_exactly_the_customers_that_match_are_listed_and_a_second_statement_is_refused(operator: FlaskClient) -> None:
    first, second = tours()
    make(
        A={"city": "Wien", "tour": first},
        B={"city": "Wien", "tour": second},
        C={"city": "Linz", "tour": first},
        D={"city": "Wien"},
    )
    text = "city = 'Wien' AND tour = '1'"
    answer = operator.post("/admin/customer/condition", data={"do": "run", "where": text})
    assert answer.status_code == 302
    assert listed(get(operator, answer.headers["Location"])) == ["A"]

    before = photograph()
    refused = read(operator.post("/admin/customer/condition", data={"do": "run", "where": "1=1; DELETE FROM customer"}))
    assert refused.status == 400
    assert "Strichpunkt" in refused.one("p", id="condition-error").text
    assert operator.get("/admin/customer/?where=" + quote("1=1; DELETE FROM customer")).status_code == 400
    assert photograph() == before


def test_german_labels_references_and_children_of_customers(db: object) -> None:
    first, _second = tours()
    austria = Country.get(Country.code == "AT").id
    made = make(A={"city": "Wien", "tour": first, "country": austria}, B={"city": "Graz"}, C={})
    change = ChangeSet("form")
    change.create(Address, {"customer": made[1], "city": "Wien", "name_1": "Lager"})
    change.apply(WEBER)
    assert found("\"Ort\" = 'Wien'") == ["A"]
    assert found("country = 'AT'") == found("country.code = 'AT'") == found("country = 'Österreich'") == ["A"]
    assert found("tour.name LIKE 'tour%'") == ["A"]
    assert found("EXISTS (SELECT 1 FROM address WHERE city = 'Wien')") == ["B"]
    assert found("id IN (SELECT customer_id FROM address WHERE city = 'Wien')") == ["B"]
    assert found("city = '' AND NOT EXISTS (SELECT 1 FROM address)") == ["C"]


def test_the_usual_filter_of_the_list_gives_way_to_a_condition_on_its_field(operator: FlaskClient) -> None:
    _first, second = make(A={"city": "Wien"}, B={"city": "Wien"})
    Customer.update(status="deleted").where(Customer.id == second).execute()
    assert listed(get(operator, "/admin/customer/?where=" + quote("city = 'Wien'"))) == ["A"]
    assert listed(get(operator, "/admin/customer/?where=" + quote("status = 'deleted'"))) == ["B"]


def test_bank_numbers_are_asked_only_by_whoever_may_see_them_whole(db: object) -> None:
    made = make(A={}, B={})
    change = ChangeSet("form")
    change.create(BankAccount, {"customer": made[0], "iban": "DE02120300000000202051"})
    change.apply(WEBER)
    text = "EXISTS (SELECT 1 FROM bank_account WHERE iban LIKE 'DE02%')"
    assert found(text, of_role("Buchhaltung")) == ["A"]
    for role in ("Lesen", "Sachbearbeitung", "Marketing"):
        with pytest.raises(ConditionError, match=r"IBAN.*dürfen Sie nicht abfragen"):
            found(text, of_role(role))


@pytest.mark.parametrize("text", ["csi_password LIKE 'a%'", "shop_password IS NOT NULL", '"Passwort" = 1'])
def test_passwords_do_not_exist_in_conditions(db: object, text: str) -> None:
    with pytest.raises(ConditionError, match="gibt es unter"):
        found(text)


def test_the_roles_that_write_conditions(sign_in_as: Callable[..., FlaskClient]) -> None:
    writers = {name for name, rights in ROLES.items() if "query.write" in rights or "*" in rights}
    assert writers == {
        "Administrator", "Datenpflege", "Kredit", "Buchhaltung", "Marketing", "Leitung", "Revision",
    }  # fmt: skip
    clerk = sign_in_as("Sachbearbeitung", "berger", "Herr Berger")
    assert clerk.get("/admin/customer/condition").status_code == 403
    assert "Abfragebedingung schreiben" in clerk.get("/admin/customer/?where=1%3D1").get_data(as_text=True)
    assert not get(clerk, "/admin/customer/").all("a", css="sql")
    assert get(sign_in_as("Marketing", "kern", "Frau Kern"), "/admin/customer/").one("a", css="sql")

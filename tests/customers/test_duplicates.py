"""Customers that are perhaps one: who is found and why, what is remembered, and what a large table costs."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask.testing import FlaskClient

from flask_appadmin.changes import ChangeSet
from flask_appadmin.duplicates import compare_all, declare_different, different_from, found_groups, points_of
from flask_appadmin.jobs import run_waiting
from flask_appadmin.merging import plan_merge
from flask_appadmin.rights import system_operator
from flask_appadmin.specs import spec_of
from models import BankAccount, Customer
from tests.reader import get, read

WEBER = system_operator("Frau Weber")
SPEC = spec_of(Customer)
IBAN = "DE89370400440532013000"


def customers() -> dict[str, int]:
    change = ChangeSet("form")
    made = {}
    for mark, values in {
        "a": {"name_1": "Müller & Söhne GmbH", "street": "Ringstr. 1", "postal_code": "45468", "phone": "0208 4711-0"},
        "b": {"name_1": "Mueller Söhne", "street": "Hafenweg 9", "postal_code": "45468", "phone": "+49 208 47110"},
        "c": {"name_1": "Söhne Müller KG", "street": "Ringstr 1", "postal_code": "45468"},
        "d": {"name_1": "Autohaus Krüger", "postal_code": "10115", "email": "Info@krueger.example"},
        "e": {"name_1": "Autohaus Kruegers", "postal_code": "10117", "email": "info@krueger.example"},
        "f": {"name_1": "Blumen Ahrens", "postal_code": "20095"},
        "g": {"name_1": "Reisebüro Zeh", "postal_code": "80331"},
        "h": {"name_1": "Bäckerei Ott", "street": "Ringstr. 1", "postal_code": "45468"},
    }.items():
        made[mark] = change.create(Customer, {**values, "status": "active"})
    for mark in ("f", "g"):
        change.create(BankAccount, {"customer": made[mark], "iban": IBAN})
    change.apply(WEBER)
    return {mark: record.key or 0 for mark, record in made.items()}


def test_who_is_alike_is_found_told_and_remembered(
    operator: FlaskClient, sign_in_as: Callable[..., FlaskClient]
) -> None:
    keys = customers()
    marks = {key: mark for mark, key in keys.items()}
    found = {
        marks[pair.first] + marks[pair.second]: (points_of(Customer.likeness, pair.traits), pair.traits)
        for pair in compare_all(SPEC)
    }
    assert found == {
        "ab": (90, ("name", "phone", "postal_code")),
        "ac": (85, ("name", "postal_code", "street")),
        "bc": (55, ("name", "postal_code")),
        "de": (60, ("email", "~")),
        "fg": (50, ("iban",)),
    }

    assert "noch nicht gesucht" in get(operator, "/admin/customer/duplicates").text
    assert operator.post("/admin/customer/duplicates", data={"_do": "search"}).status_code == 302
    assert run_waiting() == 1
    page = get(operator, "/admin/customer/duplicates")
    heads = [node.text for node in page.one("div", css="duplicates").all("h2")]
    assert heads[:3] == [
        "gleicher Name, gleiche Telefonnummer, gleiche Straße und PLZ",
        "gleiche E-Mail, ähnlicher Name",
        "gleiche IBAN",
    ]
    differing = [node.text for node in page.all("td", css="differs")]
    assert "Hafenweg 9" in differing and "45468" not in differing

    # Who may not read bank data is not told that two have the same account.
    assert "gleiche IBAN" not in get(sign_in_as("Marketing", "mai", "Herr Mai"), "/admin/customer/duplicates").text

    # What was called no duplicate is not proposed again: by a new search, on the page, and while one types.
    two = {"_do": "different", "key": [str(keys["d"]), str(keys["e"])]}
    assert operator.post("/admin/customer/duplicates", data=two).status_code == 302
    declare_different(SPEC, [keys["e"], keys["d"]], WEBER)
    assert different_from(SPEC, keys["d"]) == {keys["e"]}
    operator.post("/admin/customer/duplicates", data={"_do": "search"})
    run_waiting()
    assert [{marks[key] for key in group.keys} for group in found_groups(SPEC, WEBER)] == [{*"abc"}, {*"fg"}]
    typed = {"changed": ["name_1"], "values": {"name_1": "Mueller Soehne", "postal_code": "45468"}}
    hints = operator.post(f"/admin/customer/edit/?id={keys['b']}", json=typed, headers={"X-Fragment": "proposals"})
    assert hints.status_code < 500

    # One alone is no pair; merging leads to the page of the action, and who was merged is proposed no more.
    assert (
        operator.post("/admin/customer/duplicates", data={"_do": "merge", "key": [str(keys["a"])]}).status_code == 400
    )
    answer = operator.post("/admin/customer/duplicates", data={"_do": "merge", "key": [str(keys["f"]), str(keys["g"])]})
    assert re.search(r"/admin/customer/action/merge\?selection=", answer.location)
    assert read(operator.get(answer.location)).heading == "2 Kunden zusammenführen"
    plan_merge(SPEC, [keys["f"], keys["g"]], keys["f"], WEBER).change_set().apply(WEBER)
    assert [{marks[key] for key in group.keys} for group in found_groups(SPEC, WEBER)] == [{*"abc"}]

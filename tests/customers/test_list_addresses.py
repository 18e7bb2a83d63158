"""Addresses of the list, as people mistype them, as links of colleagues and as attackers try them: never an error page.

Each is answered with a list, or with a sentence that says what was not understood: 200, 400, 403 or 404.
`make test` asks some hundreds on each engine, `make soak` ten thousand.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from flask_appadmin.changes import ChangeSet
from flask_appadmin.filters.comparing import OPERATIONS
from flask_appadmin.filters.past import PAST_OPERATIONS
from flask_appadmin.rights import system_operator
from flask_appadmin.specs import spec_of
from models import Address, BankAccount, Contact, Country, Customer

SPEC = spec_of(Customer)

WORDS = (
    "", " ", "Wien", "wien", "Müller", "mu\u0308ller", "Straße", "0", "1", "-1", "7", "10001", "1.234,50", "1,234.50",
    "1234.5", "1e5", "0x10", "1_000", "\uff11\uff12", "NaN", "Infinity", "-Infinity", "9" * 19, "9" * 60,
    "-" + "9" * 30,
    "31.02.2026", "0000-00-00", "9999-12-31", "1.4.26", "2026-05-18", "2026-05-18T25:61", "18.05.2026 12:30", "heute",
    "today-30", "heute + 99999 Tage", "ja", "nein", "true", "2", "AT", "DE", "Österreich", "active", "Aktiv", "%", "_",
    "\\", "'", '"', "''", "a'b", "%%", "\x00", "a\x00b", "\u200b", "\u202e", "\U0001f600",
    "(a+)+$", "^a", "=a", "{{7*7}}", "<script>", "../../etc", "'; DROP TABLE customer; --", "x" * 300, "x" * 5_000,
    "wort " * 30, "a" * 60_000, "null", "None", "[]", "{}", "1=1", "city = 'Wien'", "id", "*",
    "DE02120300000000202051", "+49 89 1234", "(0)", "a, b", "a;b", "a&b=c",
)  # fmt: skip

LISTED = (
    "search", "sort", "desc", "after", "before", "at", "size", "page", "page_size", "view", "columns", "selection",
    "count", "only", "edit", "add_filter", "tree", "where", "query", "worklist", "arrange", "any", "all", "none",
    "done", "tab", "url",
)  # fmt: skip

ROUTES = ("", "", "", "", "", "filter-fields", "filter-row", "filter-build", "lookup", "edit/", "step", "fields")


def addresses(seed: int, count: int) -> Iterator[str]:
    """So many addresses, the same ones for the same seed."""
    chance = random.Random(seed)
    for _number in range(count):
        pairs = [_pair(chance, 0) for _pair_number in range(chance.choice((0, 1, 1, 1, 2, 2, 3, 4, 40)))]
        yield f"/admin/customer/{chance.choice(ROUTES)}?{urlencode(pairs, errors='replace')}"


def _pair(chance: random.Random, depth: int) -> tuple[str, str]:
    name = chance.choice((_listed, _field, _field, _child, _past, _strange))(chance)
    if name in ("any", "all", "none") and depth < 7 and chance.random() < 0.8:
        return name, urlencode([_pair(chance, depth + 1) for _number in range(chance.randint(0, 3))], errors="replace")
    return name, _value(chance, name)


def _listed(chance: random.Random) -> str:
    return chance.choice(LISTED)


def _with_operation(chance: random.Random, name: str, operations: Any = OPERATIONS) -> str:
    key = chance.choice([*operations, "", "", "nonsense"])
    return f"{name}__{key}" if key else name


def _field(chance: random.Random) -> str:
    return _with_operation(chance, chance.choice(SPEC.fields).name)


def _child(chance: random.Random) -> str:
    child = chance.choice(SPEC.children)
    no = chance.choice(("", "", "no."))
    if chance.random() < 0.2:
        return _with_operation(chance, child.name)
    return no + _with_operation(chance, f"{child.name}.{chance.choice(child.fields).name}")


def _past(chance: random.Random) -> str:
    field = chance.choice([*(item.name for item in SPEC.fields), "any", "nonsense"])
    return chance.choice(("", "no.")) + _with_operation(chance, f"history.{field}", PAST_OPERATIONS)


def _strange(chance: random.Random) -> str:
    return chance.choice(
        ("", ".", "__", "no.", "history.", "a.b.c", "foo", "id", "country.code", "flt0_0", "__proto__")
    )


def _value(chance: random.Random, name: str) -> str:
    if name == "sort":
        return chance.choice(("", "-")) + chance.choice([item.name for item in SPEC.fields])
    if name == "columns":
        return ",".join(item.name for item in chance.choices(SPEC.fields, k=chance.randint(1, 30)))
    item = SPEC.by_name.get(name.partition("__")[0])
    if item is not None and item.choices and chance.random() < 0.5:
        return chance.choice(item.choices)[0]
    return chance.choice(WORDS)


@pytest.fixture
def customers(db: Any) -> None:
    """Some customers with children, so that what is asked finds something now and then."""
    change = ChangeSet("import")
    country = Country.get(Country.code == "AT").id
    for number in range(30):
        values = {"name_1": f"Müller {number}", "city": "Wien", "postal_code": "1010", "country": country}
        customer = change.create(Customer, values)
        change.create(Contact, {"customer": customer, "name_1": "Straße", "sequence_number": 1})
        change.create(Address, {"customer": customer, "city": "Graz", "country": country, "sequence_number": 1})
        change.create(BankAccount, {"customer": customer, "iban": "DE02120300000000202051", "sequence_number": 1})
    change.apply(system_operator("Test"))


def ask(client: FlaskClient, seed: int, count: int) -> None:
    answers: dict[int, int] = {}
    for address in addresses(seed, count):
        # One request line of a browser is not longer; servers refuse it before the application sees it.
        status = client.get(address[:60_000]).status_code
        if address.startswith("/admin/customer/step") and status == 302:
            continue
        assert status in (200, 302, 400, 403, 404), address[:2_000]
        assert status != 302 or "/filter-build" in address or "/edit/" in address or "?" in address, address[:2_000]
        answers[status] = answers.get(status, 0) + 1
    # Addresses that are always refused would prove nothing.
    assert answers.get(200, 0) > count / 10, answers


@pytest.mark.parametrize("role", ["Administrator", "Marketing"])
@pytest.mark.engines("sqlite", later="postgresql")
def test_any_address_of_the_list_is_answered(
    role: str, customers: None, sign_in_as: Callable[..., FlaskClient]
) -> None:
    ask(sign_in_as(role), seed=2026, count=300)


@pytest.mark.soak
def test_ten_thousand_addresses_of_the_list_are_answered(
    customers: None, sign_in_as: Callable[..., FlaskClient]
) -> None:
    ask(sign_in_as("Administrator"), seed=datetime.date.today().toordinal(), count=10_000)

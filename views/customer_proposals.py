"""What the form of a customer proposes while one types, whom it takes for the same, and how the address is printed.

Source: PX-60 to PX-62, PX-92; domain.md section 4. The proposals come from the functions that complete a customer
when it is saved. Duplicates are hints at the field: they hold nobody up, and name no customer that one may not see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from peewee import JOIN

from domain.postal_address import postal_lines
from domain.postal_codes import places_of, prefix_of
from domain.settings import Setting
from domain.values.contacts import Salutation
from domain.values.countries import Country
from domain.vat_ids import doubt_of, split_vat_id
from flask_appadmin import search
from flask_appadmin.database import Prepared
from flask_appadmin.duplicates import different_from
from flask_appadmin.forms import Proposals, Typed
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_read, visible
from flask_appadmin.specs import spec_of
from models import BankAccount, Customer, search_name_of

#: What the form asks about.
PROPOSAL_FIELDS = (
    "name_1", "name_2", "city", "search_name", "country", "country_name", "postal_code", "phone", "fax",
    "vat_id_country", "vat_id_code", "bank_account.iban", "bank_account.bic",
)  # fmt: skip
#: What the lines of the address are made of.
ADDRESS_FIELDS = (
    "title", "name_1", "name_2", "name_3", "attention_to", "street", "po_box", "country", "country_name", "postal_code",
    "city", "federal_state",
)  # fmt: skip

#: So many customers of one postal code are compared by name, and so many of the same are named.
_MOST_COMPARED = 3_000
_MOST_NAMED = 3
_SHORTEST_PHONE = 6
#: A company is the same with another legal form.
_LEGAL_FORM = re.compile(r"\b(gmbh|mbh|co|kg|ag|ohg|ug|se|ek|ev|eu|gbr|og|ges|haftungsbeschrankt)\b")


def propose(typed: Typed) -> Proposals:
    """City and dialling prefix for country and code, the search name for name and city, the bank of an IBAN; hints."""
    values, found = dict(typed.values), Proposals()
    places = places_of(values.get("country"), values.get("postal_code"))
    cities = list(dict.fromkeys(place.city for place in places))
    if typed.changed & {"country", "postal_code"} and "city" in typed.free:
        found.values["city"] = values["city"] = cities[0] if len(cities) == 1 else None
        if len(cities) > 1:
            found.choices["city"] = cities
    if typed.changed & {"country", "postal_code", "city"}:
        prefix = prefix_of(places, values.get("city"))
        for name in ("phone", "fax"):
            if name in typed.free:
                found.values[name] = f"{prefix} " if prefix else None
        if "country" in typed.changed and "country_name" in typed.free:
            country = Country.get_or_none(Country.id == values.get("country"))
            found.values["country_name"] = country.name if country is not None else None
    untouched = "search_name" in typed.free or (
        values.get("search_name") == typed.stored.get("search_name") == search_name_of(typed.stored)
    )
    if untouched and (found.values.get("city") or typed.changed & {"name_1", "name_2", "city"}):
        found.values["search_name"] = search_name_of(values)
    if "bank_account.iban" in typed.changed:
        bank = BankAccount.derive({}, {"iban": values.get("bank_account.iban")}, None)
        found.cells = {f"bank_account.{name}": bank.get(name) or "" for name in ("bank_name", "bic", "bank_code")}
    if "vat_id_code" in typed.texts and values.get("vat_id_code"):
        doubt = doubt_of(*split_vat_id(values.get("vat_id_country"), values["vat_id_code"]))
        if doubt:
            found.notes.append(("vat_id_code", doubt, ()))
    account = {
        name: re.sub(r"[\s.-]", "", found.cells.get(f"bank_account.{name}") or values.get(f"bank_account.{name}") or "")
        for name in BankAccount.remark_fields
    }
    found.notes.extend((f"bank_account.{name}", sentence, ()) for name, sentence in BankAccount.remarks(account))
    found.notes.extend(_duplicates(typed, values))
    return found


def _duplicates(typed: Typed, values: dict[str, Any]) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """(field, sentence, customers) for each thing that another customer has as well.

    What somebody called „kein Duplikat“ is not named again, and of merged customers only the one who goes on.
    """
    different = different_from(spec_of(Customer), typed.key) if typed.key is not None else set()
    for name, sentence, keys in (
        ("name_1", gettext("Gleicher Name und PLZ:"), _same_name(values)),
        ("phone", gettext("Gleiche Telefonnummer:"), _same_phone(values.get("phone"), typed.operator)),
        ("vat_id_code", gettext("Gleiche UID:"), _same_vat_id(values)),
        ("bank_account.iban", gettext("Gleiche IBAN:"), _same_iban(values.get("bank_account.iban"), typed.operator)),
    ):
        if name not in typed.texts or not keys:
            continue
        query = Customer.select(Customer.id).where(Customer.id << keys[:50], Customer.status != "deleted")
        condition = visible(typed.operator, spec_of(Customer))
        query = query if condition is None else query.where(condition)
        apart = different | {typed.key}
        rows = query.order_by(Customer.id).limit(_MOST_NAMED + len(apart)).tuples()
        others = [key for (key,) in rows if key not in apart]
        if others:
            yield name, sentence, tuple(others[:_MOST_NAMED])


def _same_name(values: dict[str, Any]) -> list[int]:
    code, name = values.get("postal_code"), _plain_name(values.get("name_1"), values.get("name_2"))
    if not code or not name:
        return []
    query = Customer.select(Customer.id, Customer.name_1, Customer.name_2).where(
        Customer.postal_code == code, Customer.status != "anonymised", Customer.status != "deleted"
    )
    rows = list(query.limit(_MOST_COMPARED).tuples())
    if not rows:
        return []
    # Folding all at once, and looking for the first word before comparing, is ten times faster than row by row.
    folded = search.fold_all([" ".join(one for one in names if one) for _key, *names in rows])
    word = name.split()[0]
    return [row[0] for row, line in zip(rows, folded, strict=True) if word in line and _without_form(line) == name]


def _plain_name(*names: str | None) -> str:
    """A name as it is compared: „Müller & Söhne GmbH“ and "Mueller Soehne" are one."""
    return _without_form(search.fold(" ".join(name for name in names if name)))


def _without_form(folded: str) -> str:
    return " ".join(_LEGAL_FORM.sub(" ", folded).split()) or folded


def _same_phone(text: str | None, operator: Operator) -> list[int]:
    digits = search.phone_digits(text or "")
    if len(digits) < _SHORTEST_PHONE:
        return []
    keys = search.look_up(spec_of(Customer), digits, operator, 50).keys()
    if not keys:
        return []
    query = Customer.select(Customer.id, Customer.phone, Customer.fax).where(Customer.id << keys)
    return [key for key, *numbers in query.tuples() if digits in {search.phone_digits(one or "") for one in numbers}]


def _same_vat_id(values: dict[str, Any]) -> list[int]:
    country, code = split_vat_id(values.get("vat_id_country"), values.get("vat_id_code"))
    if not country or not code:
        return []
    query = Customer.select(Customer.id).where(Customer.vat_id_code == code, Customer.vat_id_country == country)
    return [row[0] for row in query.limit(50).tuples()]


def _same_iban(text: str | None, operator: Operator) -> list[int]:
    iban = re.sub(r"[\s.-]", "", text or "").upper()
    if len(iban) < 15 or not may_read(operator, spec_of(BankAccount).field("iban")):
        return []
    query = BankAccount.select(BankAccount.customer).where(BankAccount.iban == iban)
    return [row[0] for row in query.limit(50).tuples()]


#: Our own country and that of an address in one question: every page of a customer asks it.
_countries = Prepared(
    lambda key: (
        Country.select(Country.id, Country.code, Country.name, Setting.id)
        .join(Setting, JOIN.LEFT_OUTER, on=(Setting.own_country == Country.id))
        .where((Country.id == key) | Setting.id.is_null(False))
    ),
    blanks=1,
)


def address_lines(values: dict[str, Any]) -> list[str]:
    """The lines of a customer's main address as they are printed; `values` has the `ADDRESS_FIELDS`."""
    key = values.get("country")
    rows = _countries(key or 0)
    own = next((row[1] for row in rows if row[3] is not None), "DE")
    code, name = next((row[1:3] for row in rows if row[0] == key), ("", ""))
    title = Salutation.get_or_none(Salutation.id == values.get("title")) if values.get("title") else None
    record = {
        **values,
        "title": title.name if title is not None else "",
        "country": code,
        "country_name": values.get("country_name") or name,
    }
    return postal_lines(record, own)

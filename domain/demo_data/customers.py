"""Makes customers with their children and documents, batch by batch, as rows ready to be stored.

Shape: `CustomerMaker.batch` answers table name -> rows; the columns are in columns.py. Values are those the database
stores: money and percentages as whole hundredths, dates as ISO text. A batch depends on the seed, its first number
and its size, on nothing else, so that any process may make it. Most columns stay empty, as in real stocks of
customers.
Units: cents, percent with 2 places. Errors: none. Nothing is written here.
Speed: columns are made whole, by tables of 256 or 1,024 entries and random bytes; about 20 µs per customer.
"""

from __future__ import annotations

import datetime
import random
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.check_digits import gln, iban
from domain.demo_data import words
from domain.demo_data.columns import COLUMNS
from domain.demo_data.documents import DocumentMaker
from domain.demo_data.picking import LAST_DAY, Rows, expanded, share, spread
from domain.demo_data.places import place_table


@dataclass(frozen=True)
class Keys:
    """The keys of the value tables that rows refer to, as they are in this database."""

    #: Code -> key.
    countries: dict[str, int]
    currencies: dict[str, int]
    #: "Herr", "Frau" -> key.
    titles: dict[str, int]
    employees: Sequence[int]
    territories: dict[str, int]
    customer_kinds: Sequence[int]
    payment_terms: Sequence[int]
    shipping_methods: Sequence[int]
    contact_functions: Sequence[int]
    categories: Sequence[int]
    #: Key, designation and list price in 1/10,000 euro.
    articles: Sequence[tuple[int, str, int]]
    #: Country -> bank code, BIC, name.
    banks: dict[str, Sequence[tuple[str, str, str]]]


_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ı": "i", "ł": "l", "&": " ", ".": " ", "'": "", "ø": "o"}
)


def slug(text: str) -> str:
    """A name as it stands in mail and web addresses: "Käßbohrer" becomes "kaessbohrer"."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFC", text).lower().translate(_LETTERS))
    return re.sub(r"[^a-z0-9]+", "-", "".join(c for c in plain if not unicodedata.combining(c))).strip("-")


class CustomerMaker:
    """Makes batches of customers for one seed and one database."""

    def __init__(self, seed: int, keys: Keys, first_keys: dict[str, int]) -> None:
        """`first_keys`: table -> the first free key, for customers, orders and invoices."""
        self.seed = seed
        self.keys = keys
        self.first_keys = first_keys
        self._places = place_table(keys.countries, keys.currencies, keys.territories)
        self._surnames = spread([(name, slug(name)) for name in words.SURNAMES], falling=0.5)
        people = [(name, slug(name), keys.titles.get("Frau")) for name in words.FEMALE_NAMES]
        people += [(name, slug(name), keys.titles.get("Herr")) for name in words.MALE_NAMES]
        self._first_names = spread(people)
        self._firms = spread(words.FIRMS)
        self._streets = spread(words.STREETS, falling=0.4)
        self._house_numbers = spread(
            [str(number) for number in range(1, 120)] + ["1a", "3b", "7a", "12-14", "15c", "22a", "128", "204/3/12"],
            falling=0.6,
        )
        days = [LAST_DAY - datetime.timedelta(days=17 * step) for step in range(256)]
        self._created_days = [day.isoformat() for day in days]
        self._recent_days = [(LAST_DAY - datetime.timedelta(days=step)).isoformat() for step in range(256)]
        birth_days = [f"{1950 + place % 55}-{place % 12 + 1:02d}-{place % 28 + 1:02d}" for place in range(30)]
        self._birth_days = [None] * 226 + birth_days
        self._turnovers = [0] * 70 + [round(1.04**step * 10_000) for step in range(186)]
        self._credit_limits = [None] * 190 + [
            amount * 100 for amount in spread([5_000, 10_000, 2_500, 20_000, 50_000, 1_000, 100_000, 250_000], 66)
        ]
        self._discounts = [None] * 216 + spread([300, 500, 200, 1000, 250, 750, 1250], 40)
        self._employees = spread(keys.employees, falling=0.3)
        self._representatives = [None] * 100 + spread(keys.employees, 156)
        self._kinds = [None] * 120 + spread(keys.customer_kinds, 136, falling=0.5)
        self._payment_terms = [None] * 26 + spread(keys.payment_terms, 230, falling=0.8)
        self._shipping_methods = [None] * 90 + spread(keys.shipping_methods, 166, falling=0.5)
        self._functions = [None] * 60 + spread(keys.contact_functions, 196)
        self._categories = spread(keys.categories, falling=0.3)
        self._articles = spread(keys.articles)
        self._statuses = ["active"] * 236 + ["locked"] * 12 + ["draft"] * 8
        self._documents = DocumentMaker(
            first_keys, self._payment_terms, self._shipping_methods, self._employees, self._articles
        )
        self._banks = {country: spread(list(banks)[:1_024], 1_024) for country, banks in keys.banks.items() if banks}

    def batch(self, ordinal: int, numbers: Sequence[int]) -> dict[str, list[tuple[Any, ...]]]:
        """The rows for customers with these numbers; `ordinal` is the place of the first one in the whole run."""
        rng = random.Random(f"{self.seed}/{numbers[0]}")
        count = len(numbers)
        rows = Rows(rng, count)
        customers = self._customers(rows, ordinal, numbers)
        keys = range(self.first_keys["customer"] + ordinal, self.first_keys["customer"] + ordinal + count)
        made: dict[str, list[tuple[Any, ...]]] = {"customer": customers}
        contacts = self._contacts(rows, keys)
        addresses = self._addresses(rows, keys)
        banks = self._bank_accounts(rows, keys, numbers)
        made["contact"], made["address"], made["bank_account"] = contacts[0], addresses[0], banks[0]
        made["running_number"] = [
            (key, entity, last)
            for entity, counts in (("contact", contacts[1]), ("address", addresses[1]), ("bank_account", banks[1]))
            for key, last in zip(keys, counts, strict=True)
            if last
        ]
        made["customer_category"] = self._customer_categories(rows, keys)
        return made | self._documents.batch(rows, keys, ordinal)

    def _customers(self, rows: Rows, ordinal: int, numbers: Sequence[int]) -> list[tuple[Any, ...]]:
        rng, count = rows.rng, rows.count
        places = rows.places = rows.wide(self._places)
        surnames, first_names = rows.narrow(self._surnames), rows.narrow(self._first_names)
        partners, firms = rows.narrow(self._surnames), rows.narrow(self._firms)
        companies = rows.companies = [byte < 185 for byte in rng.randbytes(count)]
        with_form, long_numbers = rng.randbytes(count), rows.longs()
        vat_kinds = rng.randbytes(count)
        names: list[str] = []
        more_names: list[str | None] = [None] * count
        domains = rows.domains = []
        mailboxes: list[str] = []
        titles: list[int | None] = []
        forms: list[str | None] = []
        industries: list[str | None] = []
        vat_countries: list[str | None] = []
        vat_codes: list[str | None] = []
        for index, (company, place, surname, first, partner, firm, byte, number, vat_kind) in enumerate(
            zip(
                companies,
                places,
                surnames,
                first_names,
                partners,
                firms,
                with_form,
                long_numbers,
                vat_kinds,
                strict=True,
            )
        ):
            if company:
                pattern, address, industry = firm
                form = place.legal_forms[byte % len(place.legal_forms)] if "{3}" in pattern else None
                name = pattern.format(surname[0], partner[0], place.short_city, form)
                if len(name) > 60:
                    cut = name.rfind(" ", 0, 60)
                    name, more_names[index] = name[:cut], name[cut + 1 :]
                names.append(name)
                domains.append(f"{address.format(surname[1], partner[1])}.example")
                mailboxes.append("info")
                titles.append(None)
                forms.append(form)
                industries.append(industry if byte < 60 else None)
                if place.vat_code is not None and vat_kind < 200:
                    vat_countries.append(place.country)
                    vat_codes.append(place.vat_code(number))
                    continue
            else:
                names.append(f"{first[0]} {surname[0]}")
                domains.append("post.example")
                mailboxes.append(f"{first[1]}.{surname[1]}")
                titles.append(first[2])
                forms.append(None)
                industries.append(None)
            vat_countries.append(None)
            vat_codes.append(None)
        rows.names = names
        rows.surnames = surnames
        cities = [place.city for place in places]
        streets = [
            f"{street} {house}"
            for street, house in zip(rows.narrow(self._streets), rows.narrow(self._house_numbers), strict=True)
        ]
        po_boxes: list[str | None] = [None] * count
        for index in rows.some(0.05):
            po_boxes[index] = str(rng.randrange(1_000, 99_999)) if index % 3 else f"PF {rng.randrange(100, 9_999)}"
            if index % 2:
                streets[index] = ""
        for index, place in enumerate(places):
            if place.country == "CH":
                streets[index] = streets[index].replace("ß", "ss")
        phone_numbers = rows.longs()
        rows.phones = [
            f"{place.phone_prefix}{10_000 + number % 9_000_000}"
            for place, number in zip(places, phone_numbers, strict=True)
        ]
        phones = [phone if byte < 200 else None for phone, byte in zip(rows.phones, rng.randbytes(count), strict=True)]
        emails = [
            f"{mailbox}@{domain}" if byte < 170 else None
            for mailbox, domain, byte in zip(mailboxes, domains, rng.randbytes(count), strict=True)
        ]
        created = rows.narrow(self._created_days)
        rows.created = created
        changed = [max(pair) for pair in zip(created, rows.narrow(self._recent_days), strict=True)]
        # About one in three was never touched since it was made.
        changed = [
            made if byte < 85 else last for made, last, byte in zip(created, changed, rng.randbytes(count), strict=True)
        ]
        turnovers = rows.narrow(self._turnovers)
        active_turnover = [day if amount else None for day, amount in zip(changed, turnovers, strict=True)]
        for index in rows.some(0.1):
            if companies[index] and more_names[index] is None:
                more_names[index] = words.DEPARTMENTS[index % len(words.DEPARTMENTS)]

        def person(index: int) -> str:
            return f"{first_names[index][0]} {partners[index][0]}"

        first_key = self.first_keys["customer"] + ordinal
        columns: dict[str, Any] = {
            "id": range(first_key, first_key + count),
            "created_at": [f"{day} 08:30:00" for day in created],
            "updated_at": [f"{day} 14:15:00" for day in changed],
            "customer_number": numbers,
            "debtor_account": [
                10_000 + number % 90_000_000 if byte < 150 else None
                for number, byte in zip(numbers, rng.randbytes(count), strict=True)
            ],
            "active": rows.narrow(share(True, 95, False)),
            "status": rows.narrow(self._statuses),
            "customer_kind_1": rows.narrow(self._kinds),
            "is_company": companies,
            "search_name": [f"{name} {city}"[:30].rstrip() for name, city in zip(names, cities, strict=True)],
            "name_1": names,
            "name_2": more_names,
            "name_3": rows.sparse(0.01, lambda index: words.DEPARTMENTS[index % len(words.DEPARTMENTS)]),
            "attention_to": rows.sparse(0.06, person),
            "street": [street or None for street in streets],
            "po_box": po_boxes,
            "country": [place.country_key for place in places],
            "postal_code": [place.postal_code for place in places],
            "city": cities,
            "phone": phones,
            "fax": rows.sparse(0.08, lambda index: f"{rows.phones[index]}-99"),
            "email": emails,
            "website": [
                f"https://www.{domain}" if company and byte < 60 else None
                for domain, company, byte in zip(domains, companies, rng.randbytes(count), strict=True)
            ],
            "title": titles,
            "gln": rows.sparse(0.03, lambda index: gln(400_000_000_000 + phone_numbers[index] % 10**11)),
            "external_customer_id": rows.sparse(0.1, lambda index: f"ALT-{numbers[index]:07d}"),
            "clerk": rows.narrow(self._employees),
            "sales_representative": rows.narrow(self._representatives),
            "territory": [place.territory for place in places],
            "currency": [place.currency for place in places],
            "vat_id_country": vat_countries,
            "vat_id_code": vat_codes,
            "vat_id_checked_on": [
                day if code and byte < 70 else None
                for day, code, byte in zip(changed, vat_codes, rng.randbytes(count), strict=True)
            ],
            "eu_customer": [place.country != "CH" for place in places],
            "vat_liable": [
                place.country == "DE" or (code is None and place.country != "CH")
                for place, code in zip(places, vat_codes, strict=True)
            ],
            "legal_form": forms,
            "industry": industries,
            "founding_year": rows.sparse(0.06, lambda index: 1880 + phone_numbers[index] % 140),
            "employee_count": rows.sparse(0.06, lambda index: 1 + phone_numbers[index] % 400),
            "managing_director": rows.sparse(0.05, person),
            "payment_term_1": rows.narrow(self._payment_terms),
            "payment_kind": rows.narrow(share("3", 25, None)),
            "shipping_method": rows.narrow(self._shipping_methods),
            "discount_percent": rows.narrow(self._discounts),
            "credit_limit": rows.narrow(self._credit_limits),
            "credit_rating": rows.sparse(0.04, lambda index: str(2 + index % 3), "1"),
            "credit_sale": rows.bools(12),
            "delivery_block": rows.sparse(0.01, lambda _index: "2"),
            "dunning_lock": rows.bools(2),
            "collective_invoice": rows.bools(8),
            "no_advertising": rows.bools(6),
            "consent_post": rows.bools(20),
            "consent_email": rows.bools(15),
            "turnover_current": turnovers,
            "turnover_previous_year": rows.narrow(self._turnovers),
            "last_turnover_on": active_turnover,
            "created_on": created,
            "remark": rows.sparse(0.04, lambda index: words.REMARKS[index % len(words.REMARKS)]),
            "delivery_instructions": rows.sparse(0.02, lambda index: words.REMARKS[index % 7 + 3]),
        }
        return list(zip(*(columns[name] for name in COLUMNS["customer"]), strict=True))

    def _contacts(self, rows: Rows, keys: range) -> tuple[list[tuple[Any, ...]], list[int]]:
        counts = [
            few if company else 0 for few, company in zip(rows.narrow(_CONTACT_COUNTS), rows.companies, strict=True)
        ]
        who, places = expanded(counts)
        total = len(who)
        people, surnames = rows.narrow(self._first_names, total), rows.narrow(self._surnames, total)
        phones, longs = rows.rng.randbytes(total), rows.longs(total)
        domains, main_phones = rows.domains, rows.phones
        return (
            [
                (
                    keys[index],
                    place,
                    person[2],
                    f"{person[0]} {surname[0]}",
                    function,
                    f"{person[1]}.{surname[1]}@{domains[index]}" if phone < 190 else None,
                    f"{main_phones[index]}-{10 + number % 90}" if phone & 3 else None,
                    f"+49 17{number % 10} {1_000_000 + number // 10 % 9_000_000}" if phone < 90 else None,
                    birth_day,
                    phone > 6,
                    phone == 5,
                )
                for index, place, person, surname, function, birth_day, phone, number in zip(
                    who,
                    places,
                    people,
                    surnames,
                    rows.narrow(self._functions, total),
                    rows.narrow(self._birth_days, total),
                    phones,
                    longs,
                    strict=True,
                )
            ],
            counts,
        )

    def _addresses(self, rows: Rows, keys: range) -> tuple[list[tuple[Any, ...]], list[int]]:
        counts = rows.narrow(_ADDRESS_COUNTS)
        who, sequence = expanded(counts)
        total = len(who)
        return (
            [
                (
                    keys[index],
                    number,
                    kind < 180,
                    kind >= 140,
                    rows.names[index] if kind & 7 == 0 else None,
                    words.DEPARTMENTS[kind % 10] if kind & 3 == 0 else None,
                    f"{street} {house}" if place.country != "CH" else f"{street} {house}".replace("ß", "ss"),
                    place.country_key,
                    place.postal_code,
                    place.city,
                )
                for index, number, kind, street, house, place in zip(
                    who,
                    sequence,
                    rows.rng.randbytes(total),
                    rows.narrow(self._streets, total),
                    rows.narrow(self._house_numbers, total),
                    rows.wide(self._places, total),
                    strict=True,
                )
            ],
            counts,
        )

    def _bank_accounts(
        self, rows: Rows, keys: range, numbers: Sequence[int]
    ) -> tuple[list[tuple[Any, ...]], list[int]]:
        counts = rows.narrow(_BANK_COUNTS)
        counts = [
            count if place.country in self._banks else 0 for count, place in zip(counts, rows.places, strict=True)
        ]
        who, sequence = expanded(counts)
        total = len(who)
        made = []
        for index, number, pick, long, kind in zip(
            who, sequence, rows.longs(total), rows.longs(total), rows.rng.randbytes(total), strict=True
        ):
            country = rows.places[index].country
            code, bic, name = self._banks[country][pick >> 22]
            account = f"{long:0{_ACCOUNT_DIGITS[country]}d}"
            debit = kind < 60
            made.append(
                (
                    keys[index],
                    number,
                    name,
                    bic,
                    code,
                    iban(country, code, account),
                    rows.names[index],
                    account.lstrip("0"),
                    debit,
                    f"M-{numbers[index]}-{number}" if debit else None,
                    rows.created[index] if debit else None,
                    "2" if debit else None,
                    not debit,
                )
            )
        return made, counts

    def _customer_categories(self, rows: Rows, keys: range) -> list[tuple[Any, ...]]:
        first, second = rows.narrow(self._categories), rows.narrow(self._categories)
        made = []
        for key, one, other, kind in zip(keys, first, second, rows.rng.randbytes(rows.count), strict=True):
            if kind > 100:
                made.append((key, 0, one))
                if kind > 235 and other != one:
                    made.append((key, 1, other))
        return made


# Most customers of a real stock have no contact, no further address, and one bank account at most.
_CONTACT_COUNTS = spread([0] * 20 + [1] * 10 + [2] * 3 + [3, 4, 5])
_ADDRESS_COUNTS = [0] * 205 + [1] * 36 + [2] * 12 + [3] * 3
_BANK_COUNTS = [0] * 150 + [1] * 92 + [2] * 14
#: Digits of an account number in the IBAN.
_ACCOUNT_DIGITS = {"DE": 10, "AT": 11, "CH": 12, "LU": 13}

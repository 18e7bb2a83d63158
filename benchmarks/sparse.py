"""A lean stock: very many customers with two contacts, two addresses and one bank account each, and nothing else.

Shape: `fill(1_000_000)` stores them through the loader, in the order of their numbers; always the same rows. Names are
made of common and of rare parts, so that some words are in every tenth text and others in one.
Units: cents. Twenty columns of the customer are filled, as in a stock that came from another system.
"""

from __future__ import annotations

import datetime
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from domain.check_digits import iban
from domain.demo_data import words
from domain.demo_data.customers import slug
from domain.demo_data.towns import TOWNS
from domain.demo_data.worker import batches_from_worker

_BATCH = 5_000
_LAST_DAY = datetime.date(2026, 6, 30)

_COLUMNS: dict[str, tuple[str, ...]] = {
    "customer": (
        "id", "customer_number", "active", "status", "portal_type", "search_name", "name_1", "name_2", "street",
        "country", "postal_code", "city", "phone", "email", "credit_limit", "payment_term_1", "created_on",
        "updated_at",
    ),
    "contact": ("customer", "sequence_number", "name_1", "email", "phone_1"),
    "address": (
        "customer", "sequence_number", "is_delivery", "is_invoice", "name_1", "street", "country", "postal_code",
        "city",
    ),
    "bank_account": ("customer", "sequence_number", "iban", "bic", "account_holder"),
}  # fmt: skip

_FIRST_PARTS = (
    "Acker", "Alten", "Berg", "Birn", "Brand", "Breit", "Buch", "Dorn", "Eber", "Eich", "Engel", "Falken", "Feld",
    "Fichten", "Gold", "Grün", "Hag", "Hasel", "Hirsch", "Holz", "Kalten", "Kirch", "Kranz", "Krumm", "Lang", "Linden",
    "Loh", "Moos", "Mühl", "Nieder", "Ober", "Ochsen", "Rauch", "Reit", "Ritter", "Rosen", "Roth", "Sauer", "Schön",
    "Schwarz", "Sommer", "Stein", "Straß", "Tannen", "Thal", "Unter", "Vogel", "Wald", "Weiden", "Wind", "Winter",
    "Wolfs", "Zell", "Ziegen",
)  # fmt: skip
_LAST_PARTS = (
    "acher", "auer", "bach", "bauer", "beck", "berger", "brunner", "burger", "dorfer", "eder", "egger", "felder",
    "fuchs", "garten", "graber", "gruber", "haus", "hofer", "huber", "kamp", "kofler", "lechner", "leitner", "maier",
    "mann", "meister", "mooser", "müller", "ner", "pichler", "reiter", "rieder", "rieger", "schmid", "seer", "stätter",
    "stein", "thaler", "wanger", "weger", "wieser", "winkler", "zinger",
)  # fmt: skip
_BANKS = {
    "DE": (("12030000", "BYLADEM1001"), ("37040044", "COBADEFFXXX"), ("50010517", "INGDDEFFXXX")),
    "AT": (("12000", "BKAUATWWXXX"), ("20111", "GIBAATWWXXX"), ("32000", "RLNWATWWXXX")),
}


class SparseMaker:
    """Makes batches of rows; holds keys of value tables and no models, so that it can be sent to another process."""

    def __init__(self, countries: dict[str, int], payment_terms: Sequence[int]) -> None:
        self._countries = countries
        self._terms = payment_terms
        rare = [first + last for first in _FIRST_PARTS for last in _LAST_PARTS]
        common = [name for place, name in enumerate(words.SURNAMES) for _time in range(60 // (place + 4) + 1)]
        self._surnames = [(name, slug(name)) for name in common * (2 * len(rare) // len(common)) + rare]
        self._people = [(name, slug(name)) for name in (*words.FEMALE_NAMES, *words.MALE_NAMES)]
        self._towns = [
            town for town in TOWNS if town.country in countries for _time in range(1 + 3 * (town.country == "DE"))
        ]

    def batch(self, ordinal: int, numbers: Sequence[int]) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of customers with these numbers; `ordinal` is the key of the first one."""
        draw = random.Random(f"sparse/{ordinal}").random
        made: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _COLUMNS}
        surnames, people, towns, streets, firms = self._surnames, self._people, self._towns, words.STREETS, words.FIRMS
        for key, number in enumerate(numbers, ordinal):
            surname, partner = surnames[int(draw() * len(surnames))], surnames[int(draw() * len(surnames))]
            person = people[int(draw() * len(people))]
            town = towns[int(draw() * len(towns))]
            chance, other = draw(), draw()
            digits = int(draw() * 10**10)
            country = town.country
            postal_code = town.postal_code if chance < 0.5 else f"{town.postal_code[:-2]}{digits % 100:02d}"
            if chance < 0.6:
                pattern, address, _industry = firms[int(other * len(firms))]
                form = words.LEGAL_FORMS[country][digits % len(words.LEGAL_FORMS[country])]
                name = pattern.format(surname[0], partner[0], town.city.split(" (")[0].split("/")[0], form)[
                    :60
                ].rstrip()
                domain, mailbox = f"{address.format(surname[1], partner[1])}{key % 97}.example", "info"
            else:
                name, domain, mailbox = f"{person[0]} {surname[0]}", "post.example", f"{person[1]}.{surname[1]}{key}"
            street = f"{streets[int(other * 7919) % len(streets)]} {1 + digits % 140}"
            phone = f"{'+49' if country == 'DE' else '+43'} {town.area_code} {10_000 + digits % 9_000_000}"
            day = (_LAST_DAY - datetime.timedelta(days=int(other * 4_000))).isoformat()
            made["customer"].append(
                (
                    key,
                    number,
                    chance > 0.04,
                    "active" if other < 0.93 else "locked" if other < 0.96 else "draft" if other < 0.98
                    else "anonymised" if other < 0.99 else "deleted",
                    "so_procure" if chance < 0.1 else "so_commerce" if chance < 0.25 else None,
                    f"{name} {town.city}"[:30].rstrip(),
                    name,
                    words.DEPARTMENTS[digits % len(words.DEPARTMENTS)] if other < 0.1 else None,
                    street,
                    self._countries[country],
                    postal_code,
                    town.city,
                    phone if chance < 0.8 else None,
                    f"{mailbox}@{domain}" if other < 0.7 else None,
                    digits % 50 * 100_000 if chance < 0.3 else None,
                    self._terms[digits % len(self._terms)] if self._terms and other > 0.2 else None,
                    day,
                    f"{day} {digits % 24:02d}:{digits % 60:02d}:{digits % 59:02d}",
                )
            )  # fmt: skip
            for place in (1, 2):
                first, last = people[int(draw() * len(people))], surnames[int(draw() * len(surnames))]
                made["contact"].append(
                    (
                        key,
                        place,
                        f"{first[0]} {last[0]}",
                        f"{first[1]}.{last[1]}@{domain}",
                        f"{phone}-{10 + digits % 80 + place}",
                    )
                )
                there = towns[int(draw() * len(towns))]
                made["address"].append(
                    (
                        key, place, place == 1, place == 2, name if place == 2 else None,
                        f"{streets[digits * place % len(streets)]} {1 + digits % 97}",
                        self._countries[there.country], there.postal_code, there.city,
                    )
                )  # fmt: skip
            code, bic = _BANKS[country][digits % 3]
            account = f"{digits:010d}" if country == "DE" else f"{digits:011d}"
            made["bank_account"].append((key, 1, iban(country, code, account), bic, name))
        return made


def fill(customers: int) -> dict[str, int]:
    """Fills the connected, still empty database; answers how many rows of each table were stored."""
    from flask_appadmin.changes import known_specs
    from flask_appadmin.database import engine, transaction
    from flask_appadmin.loading import Loader, TextMaker, first_filling

    specs = known_specs()
    main = specs["customer"]
    tables = {specs[name]: names for name, names in _COLUMNS.items()}
    countries = specs["country"].model
    keys = {code: countries.get(countries.code == code).id for code in ("DE", "AT")}
    terms = [row[0] for row in specs["payment_term"].model.select(specs["payment_term"].model.id).tuples()]
    maker, texts = SparseMaker(keys, terms), TextMaker(tables, main)
    jobs = [
        (first, range(10_000 + first, 10_000 + min(first + _BATCH, customers + 1)))
        for first in range(1, customers + 1, _BATCH)
    ]
    with tempfile.TemporaryDirectory(prefix="kontor-sparse-") as folder, first_filling(main), transaction():
        file = Path(folder) / "search.db" if engine() == "sqlite" else None
        with (
            batches_from_worker(maker, texts, jobs, index_file=file) as made,  # type: ignore[arg-type]
            Loader(tables, expected=customers, main=main) as loader,
        ):
            if file is not None:
                loader.index_from(made.index_file)
            for rows, found in made:
                for name in _COLUMNS:
                    loader.store(name, rows[name])
                loader.index(found)
        return loader.counts

"""Fills a database with invented customers for trying out, showing and measuring: as many as wanted, always the same.

Shape: `create_demo_data(100_000, seed=1)` makes customers with contacts, addresses, bank accounts, categories,
orders and invoices, and a history of some weeks. Same seed, same number, same database: same rows. On a database
that has customers already the next numbers of the number range are taken, and other people are invented; nothing
that is there is touched.
Errors: FieldError when the number range has not enough numbers left; then nothing was stored.
Parts: `customers.py` makes the rows, `worker.py` does so in a second process, `story.py` lives the history,
`words.py`, `towns.py` and domain/check_digits.py are the material.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from domain.demo_data import words
from domain.demo_data.columns import COLUMNS
from domain.demo_data.customers import CustomerMaker, Keys
from domain.demo_data.picking import BATCH_SIZE
from domain.demo_data.story import tell_story
from domain.demo_data.worker import Batch, batches_from_worker
from domain.numbers import draw_numbers
from flask_appadmin.changes import known_specs, load_rows, next_keys
from flask_appadmin.database import engine, transaction
from flask_appadmin.i18n import gettext, ngettext
from flask_appadmin.loading import Loader, TextMaker, first_filling
from flask_appadmin.rights import system_operator
from flask_appadmin.search import is_unused
from flask_appadmin.specs import ModelSpec

#: From so many customers on a second process makes the rows while this one stores them.
_WORTH_A_WORKER = 20_000


def create_demo_data(
    customers: int, seed: int = 1, progress: Callable[[int, int], None] | None = None
) -> dict[str, int]:
    """Makes so many customers with everything around them; answers how many rows of each table were stored.

    `progress` is called with (done, all). The number of change sets of the history stands under "change_set".
    """
    specs = known_specs()
    with first_filling(specs["customer"]), transaction():
        tables = {specs[name]: names for name, names in COLUMNS.items()}
        numbers = draw_numbers("customer_number", customers)
        first_keys = {name: next_keys(specs[name], 1)[0] for name in ("customer", "sales_order", "invoice")}
        maker = CustomerMaker(seed, _value_keys(specs), first_keys)
        texts = TextMaker(tables, specs["customer"])
        done = 0
        with (
            _batches(maker, texts, numbers) as (batches, index_file),
            Loader(tables, expected=customers, main=specs["customer"]) as loader,
        ):
            if index_file is not None:
                loader.index_from(index_file)
            for rows, found in batches:
                for name in COLUMNS:
                    loader.store(name, rows[name])
                loader.index(found)
                done += len(rows["customer"])
                if progress is not None:
                    progress(done, customers)
            title = ngettext("%(count)s erfundener Kunde", "%(count)s erfundene Kunden", customers)
            loader.record(system_operator(gettext("Vorführdaten")), title)
    # In a transaction of its own: savepoints are dear while a hundred thousand pages wait to be written.
    first = first_keys["customer"]
    with transaction():
        told = tell_story(seed, range(first, first + customers))
    return {**loader.counts, "change_set": told}


@contextlib.contextmanager
def _batches(
    maker: CustomerMaker, texts: TextMaker, numbers: Sequence[int]
) -> Iterator[tuple[Iterable[Batch], Callable[[], Path] | None]]:
    """Rows and search texts for all numbers, batch by batch; and who waits for a search index, where one is built."""
    jobs = [(first, numbers[first : first + BATCH_SIZE]) for first in range(0, len(numbers), BATCH_SIZE)]
    if len(numbers) < _WORTH_A_WORKER or _processors() < 2:
        yield (make_batch(maker, texts, job) for job in jobs), None
        return
    with tempfile.TemporaryDirectory(prefix="kontor-demo-") as folder:
        takes_file = engine() == "sqlite" and is_unused(known_specs()["customer"])
        index_file = Path(folder) / "search.db" if takes_file else None
        with batches_from_worker(maker, texts, jobs, index_file=index_file) as made:
            yield made, made.index_file if takes_file else None


def make_batch(maker: CustomerMaker, texts: TextMaker, job: tuple[int, Sequence[int]]) -> Batch:
    """The rows of one batch and the search texts of its customers."""
    rows = maker.batch(*job)
    return rows, texts.texts(rows)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _value_keys(specs: dict[str, ModelSpec]) -> Keys:
    """The keys of the value tables; what demo data need and nobody entered yet is added."""
    employees = _ensure(
        specs, "employee", ("number", "name"), [(str(101 + place), name) for place, name in enumerate(words.EMPLOYEES)]
    )
    articles = _ensure(
        specs,
        "article",
        ("number", "designation_1", "list_price", "is_empties"),
        [(number, text, price, False) for number, text, price in words.ARTICLES],
    )
    names = {number: (text, round(float(price) * 10_000)) for number, text, price in words.ARTICLES}
    return Keys(
        countries=_by(specs, "country", "code"),
        currencies=_by(specs, "currency", "code"),
        titles=_by(specs, "salutation", "name"),
        employees=tuple(employees.values()),
        territories=_ensure(specs, "territory", ("code", "name"), words.TERRITORIES),
        customer_kinds=tuple(_ensure(specs, "customer_kind_1", ("code", "name"), words.CUSTOMER_KINDS).values()),
        payment_terms=_some(specs, "payment_term", ("number", "name", "net_days"), words.PAYMENT_TERMS),
        shipping_methods=_some(specs, "shipping_method", ("number", "name"), words.SHIPPING_METHODS),
        contact_functions=tuple(
            _ensure(specs, "contact_function", ("name",), [(name,) for name in words.CONTACT_FUNCTIONS]).values()
        ),
        categories=tuple(_ensure(specs, "category", ("name",), [(name,) for name in words.CATEGORIES]).values()),
        articles=tuple((key, *names[number]) for number, key in articles.items()),
        banks={country: _banks(country) for country in ("DE", "AT", "CH", "LU")},
    )


def _by(specs: dict[str, ModelSpec], table: str, name: str) -> dict[Any, int]:
    """Value of a naming field -> key, for all rows of a value table."""
    spec = specs[table]
    key = spec.model._meta.primary_key
    return dict(spec.model.select(spec.field(name).column_field, key).order_by(key).tuples())


def _ensure(
    specs: dict[str, ModelSpec], table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> dict[Any, int]:
    """The keys of these rows by their first column; those that are missing are stored."""
    there = _by(specs, table, columns[0])
    missing = [row for row in rows if row[0] not in there]
    if missing:
        load_rows(specs[table], columns, missing)
        there = _by(specs, table, columns[0])
    return {row[0]: there[row[0]] for row in rows}


def _some(
    specs: dict[str, ModelSpec], table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> tuple[int, ...]:
    """The first keys of a table that an installation keeps itself; only an empty one gets our rows."""
    there = _by(specs, table, columns[0])
    return tuple(list(there.values())[:8] if there else _ensure(specs, table, columns, rows).values())


def _banks(country: str) -> tuple[tuple[str, str, str], ...]:
    """Bank code, BIC and name of the banks of a country, as the registry of schwifty has them today."""
    from schwifty.registry import get_banks_by_country

    found: dict[str, tuple[str, str, str]] = {}
    for bank in get_banks_by_country(country):
        if bank.primary and bank.bic and bank.bank_code.isdigit():
            found.setdefault(bank.bank_code, (bank.bank_code, bank.bic, bank.name[:60]))
    return tuple(found.values())

"""Demo data: the same for everybody, valid for outside judges and for our own rules, sparse, and complete."""

from __future__ import annotations

import csv
import datetime
import doctest
from collections import Counter
from pathlib import Path

import apsw
import pytest
import stdnum.ean
import stdnum.eu.vat
from schwifty import BIC, IBAN

from domain import check_digits, demo_data
from domain.demo_data import create_demo_data, story, words
from domain.demo_data.columns import COLUMNS
from domain.demo_data.customers import CustomerMaker, Keys, slug
from domain.demo_data.towns import TOWNS
from domain.demo_data.worker import batches_from_worker
from flask_appadmin import loading, search
from flask_appadmin.changes import ChangeSet, known_specs
from flask_appadmin.database import database, utcnow
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.loading import TextMaker
from flask_appadmin.rights import system_operator


@pytest.fixture(autouse=True)
def _short_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dozen operations of history instead of hundreds; they take longer than some hundred customers."""
    monkeypatch.setattr(story, "_EDITS", 12)


def keys_without_database() -> Keys:
    return Keys(
        countries={"DE": 1, "AT": 2, "CH": 3, "LU": 4},
        currencies={"EUR": 1, "CHF": 2},
        titles={"Herr": 1, "Frau": 2},
        employees=(1, 2, 3),
        territories={code: place for place, (code, _name) in enumerate(words.TERRITORIES, 1)},
        customer_kinds=(1, 2, 3, 4),
        payment_terms=(1, 2, 3),
        shipping_methods=(1, 2),
        contact_functions=(1, 2, 3),
        categories=(1, 2, 3),
        articles=tuple((place, text, 12_500) for place, (_number, text, _price) in enumerate(words.ARTICLES, 1)),
        banks={"DE": [("37040044", "COBADEFFXXX", "Commerzbank")], "AT": [("20111", "GIBAATWWXXX", "Erste")]},
    )


def maker(seed: int = 1) -> CustomerMaker:
    return CustomerMaker(seed, keys_without_database(), {"customer": 1, "sales_order": 1, "invoice": 1})


def column(rows: list[tuple], table: str, name: str) -> list:
    place = COLUMNS[table].index(name)
    return [row[place] for row in rows]


def stored(table: str) -> list[dict]:
    """All rows of a table, references as keys, without the times of storing."""
    spec = known_specs()[table]
    rows = list(spec.model.select().order_by(spec.model._meta.primary_key).dicts())
    return [{name: value for name, value in row.items() if name not in ("created_at", "updated_at")} for row in rows]


# --- rows, without a database -----------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    numbers = range(10_001, 10_301)
    assert maker(7).batch(0, numbers) == maker(7).batch(0, numbers)
    assert maker(7).batch(0, numbers)["customer"] != maker(8).batch(0, numbers)["customer"]


def test_a_second_process_makes_the_same_rows(db):
    jobs = [(0, range(10_001, 11_001)), (1_000, range(11_001, 11_101))]
    specs = known_specs()
    texts = TextMaker({specs[name]: names for name, names in COLUMNS.items()}, specs["customer"])
    expected = [(made := maker().batch(*job), texts.texts(made)) for job in jobs]
    with batches_from_worker(maker(), texts, jobs) as batches:
        assert list(batches) == expected


def test_a_worker_that_dies_ends_the_load(db):
    specs = known_specs()
    texts = TextMaker({specs[name]: names for name, names in COLUMNS.items()}, specs["customer"])
    wrong = maker()
    wrong.first_keys = {}
    with batches_from_worker(wrong, texts, [(0, range(10_001, 10_011))]) as batches, pytest.raises(EOFError):
        list(batches)


def test_columns_are_sparse_and_stocks_look_real():
    rows = maker().batch(0, range(10_001, 14_001))
    customers = rows["customer"]
    filled = {
        name: sum(value is not None for value in column(customers, "customer", name)) for name in COLUMNS["customer"]
    }
    share = {name: count / len(customers) for name, count in filled.items()}
    assert all(share[name] == 1 for name in ("customer_number", "name_1", "country", "postal_code", "city", "clerk"))
    assert 0.5 < share["email"] < 0.8
    assert 0.01 < share["gln"] < 0.1
    assert 0.05 < share["name_2"] < 0.3
    # Less than half of the named columns of a customer, and less than a sixth of all 290, are filled.
    assert sum(filled.values()) / len(customers) < 48
    countries = Counter(column(customers, "customer", "country"))
    assert countries[1] > countries[2] > countries[3] > countries[4] > 0
    per_customer = Counter(column(rows["contact"], "contact", "customer"))
    assert max(per_customer.values()) == 5
    assert len(per_customer) < len(customers) * 0.7
    assert max(Counter(column(rows["address"], "address", "customer")).values()) == 3
    assert max(Counter(column(rows["bank_account"], "bank_account", "customer")).values()) == 2


def test_names_have_umlauts_legal_forms_and_every_length_up_to_the_limit():
    customers = maker().batch(0, range(10_001, 14_001))["customer"]
    names = column(customers, "customer", "name_1")
    assert sum(any(letter in "äöüßÄÖÜ" for letter in name) for name in names) > len(names) * 0.2
    assert any(name.endswith("UG (haftungsbeschränkt)") for name in names)
    assert 55 <= max(map(len, names)) <= 60
    assert any(code.startswith("0") for code in column(customers, "customer", "postal_code"))
    assert len(set(names)) > len(names) * 0.6


def test_every_number_with_check_digits_is_valid():
    rows = maker().batch(0, range(10_001, 14_001))
    customers = rows["customer"]
    pairs = zip(
        column(customers, "customer", "vat_id_country"), column(customers, "customer", "vat_id_code"), strict=True
    )
    ids = [country + code for country, code in pairs if country]
    assert {vat_id[:2] for vat_id in ids} == {"DE", "AT", "LU"}
    assert [vat_id for vat_id in ids if not stdnum.eu.vat.is_valid(vat_id)] == []
    glns = [gln for gln in column(customers, "customer", "gln") if gln]
    assert [gln for gln in glns if len(gln) != 13 or not stdnum.ean.is_valid(gln)] == []
    for iban in column(rows["bank_account"], "bank_account", "iban"):
        assert IBAN(iban).is_valid


def test_mail_addresses_lead_nowhere():
    rows = maker().batch(0, range(10_001, 12_001))
    mails = column(rows["customer"], "customer", "email") + column(rows["contact"], "contact", "email")
    assert {mail.rsplit(".", 1)[1] for mail in mails if mail} == {"example"}
    assert slug("Käßbohrer & Söhne") == "kaessbohrer-soehne"


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(check_digits).failed == 0


def test_towns_and_postcodes_belong_together(shared_data: Path):
    known = set()
    for country in ("DE", "AT", "CH", "LU"):
        with (shared_data / "postal" / f"geonames_{country}.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                for name in (row["place"], row["community"], row["province"]):
                    # "Wien, Innere Stadt" is Wien; only the first word is written everywhere alike.
                    first = name.replace("Sankt ", "St. ").replace(",", " ").split(" ")[0]
                    known.add((country, row["zipcode"], first))
    assert [
        town
        for town in TOWNS
        if (town.country, town.postal_code, town.city.split(" ")[0]) not in known and town.country != "LU"
    ] == []
    assert len(TOWNS) > 300
    assert len({(town.country, town.postal_code) for town in TOWNS}) == len(TOWNS)


# --- in the database --------------------------------------------------------------------------------------------------


def test_demo_data_fill_all_tables_and_the_next_run_goes_on(db):
    made = create_demo_data(120, seed=3)
    assert made["customer"] == 120
    assert {
        table: known_specs()[table].model.select().count() >= made[table] > 0 for table in COLUMNS
    } == dict.fromkeys(COLUMNS, True)
    # Two copies of the history stand beside the customers made.
    before = stored("customer")
    assert len(before) == 122
    assert len({row["customer_number"] for row in before}) == 122
    create_demo_data(120, seed=3)
    after = stored("customer")
    assert len(after) == 244
    first, second = ({row["name_1"] for row in part} for part in (after[:120], after[122:242]))
    assert len(first & second) < 20
    assert len({row["customer_number"] for row in after}) == 244
    numbers = known_specs()["number_range"].model
    assert numbers.get(numbers.kind == "customer_number").next_number > max(row["customer_number"] for row in after)


def test_the_rules_of_the_models_accept_everything(db):
    create_demo_data(400, seed=5)
    faults = []
    for table in COLUMNS:
        spec = known_specs()[table]
        for row in spec.model.select().dicts():
            for item in spec.data_fields:
                if row[item.name] is not None and item.target is None and not item.read_only:
                    assert item.check(row[item.name]) == row[item.name], (table, item.name)
            faults += [fault.sentence() for fault in spec.model.validate(row, "load")]
    assert faults == []


def test_banks_are_known_to_the_registry(db):
    create_demo_data(200, seed=2)
    accounts = stored("bank_account")
    for account in accounts:
        iban = IBAN(account["iban"])
        assert iban.bank_code == account["bank_code"]
        assert str(BIC(account["bic"])) == account["bic"]
        assert iban.bank_name
    assert {account["iban"][:2] for account in accounts} >= {"DE", "AT"}


def test_customers_are_found_by_every_word_of_theirs(db):
    create_demo_data(300, seed=4)
    spec = known_specs()["customer"]
    operator = system_operator("Test")

    def found(question: str) -> set[int]:
        return {row.id for row in spec.model.select(spec.model.id).where(search.matches(spec, question, operator))}

    questions = ("müller", "Mueller", "wien", "01067", "gmbh", "sparkasse", "+49 30", "logistik")
    loaded = {question: found(question) for question in questions}
    search.rebuild(spec)
    assert {question: found(question) for question in questions} == loaded
    assert loaded["gmbh"]


def test_texts_are_folded_alike_one_by_one_and_together():
    texts = ["Müller & Söhne", "Käßbohrer–Bau", "", "Ærø\nŁódź", "aee_oe.ue", "Ελλάς", "İstanbul ﬁne", "Straße 12a"]
    assert [" ".join(text.split()) for text in search.fold_all(texts)] == [search.fold(text) for text in texts]


@pytest.mark.engines("sqlite", later="postgresql")
def test_a_load_with_a_worker_is_complete(db, monkeypatch):
    monkeypatch.setattr(demo_data, "_WORTH_A_WORKER", 100)
    monkeypatch.setattr(demo_data, "_processors", lambda: 2)
    told = []
    made = create_demo_data(1_100, seed=4, progress=lambda done, total: told.append((done, total)))
    assert told == [(1_000, 1_100), (1_100, 1_100)]
    spec = known_specs()["customer"]
    condition = search.matches(spec, "gmbh", system_operator("Test"))
    found = {row.id for row in spec.model.select(spec.model.id).where(condition)}
    search.rebuild(spec)
    assert {row.id for row in spec.model.select(spec.model.id).where(condition)} == found
    assert found
    assert made["customer"] == 1_100
    assert spec.model.select().count() == 1_102  # two copies of the history


@pytest.mark.engines("sqlite")
def test_an_index_built_by_the_worker_is_whole_and_can_be_changed(db, monkeypatch):
    """Only SQLite takes an index that was built beside the database."""
    monkeypatch.setattr(demo_data, "_WORTH_A_WORKER", 100)
    monkeypatch.setattr(demo_data, "_processors", lambda: 2)
    spec = known_specs()["customer"]

    def found(question: str) -> set[int]:
        condition = search.matches(spec, question, system_operator("Test"))
        return {row.id for row in spec.model.select(spec.model.id).where(condition)}

    def look() -> dict[str, set[int]]:
        name = search.index_name(spec)
        database.execute_sql(f'INSERT INTO "{name}"("{name}") VALUES (\'integrity-check\')')
        return {question: found(question) for question in ("müller", "wien", "gmbh", "sparkasse", "+49 30")}

    create_demo_data(150, seed=4)
    loaded = look()
    assert loaded["gmbh"]
    change = ChangeSet("form")
    change.update(spec, min(loaded["gmbh"]), {"name_1": "Zwetschgenröster"})
    change.apply(system_operator("Test"))
    assert found("zwetschgenroster") == {min(loaded["gmbh"])}
    # The next run finds an index that is in use, and adds to it.
    create_demo_data(150, seed=4)
    both = look()
    search.rebuild(spec)
    assert look() == both
    assert len(both["gmbh"]) > len(loaded["gmbh"])


@pytest.mark.engines("sqlite")
def test_the_first_filling_leaves_the_database_as_it_is_usually_set(db, engine_url):
    """The log and its syncing are SQLite's."""
    spec = known_specs()["customer"]

    def settings() -> tuple:
        return tuple(database.execute_sql(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous"))

    assert settings() == ("wal", 2)
    with loading.first_filling(spec):
        assert settings() == ("truncate", 0)
    assert settings() == ("wal", 2)
    other = apsw.Connection(engine_url.removeprefix("sqlite:///"))
    other.execute("SELECT count(*) FROM customer").fetchone()
    with loading.first_filling(spec):
        assert settings() == ("wal", 2)
    other.close()
    create_demo_data(20)
    with loading.first_filling(spec):
        assert settings() == ("wal", 2)


def test_a_large_load_makes_every_index_and_reference_again(db, engine, monkeypatch):
    monkeypatch.setattr(loading, "_MANY", 50)

    def schema() -> list[tuple]:
        tables = [*COLUMNS, "employee"]
        indexes = [(table, item.name, item.sql) for table in tables for item in database.get_indexes(table)]
        references = (
            database.execute_sql("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint").fetchall()
            if engine == "postgresql"
            else []
        )
        return sorted(map(str, indexes)) + sorted(map(str, references))

    before = schema()
    create_demo_data(60)
    assert schema() == before


def test_a_load_that_fails_leaves_nothing_behind(db, monkeypatch):
    monkeypatch.setattr(loading, "_MANY", 50)
    before = {table: stored(table) for table in (*COLUMNS, "employee", "number_range")}
    indexes = [item.name for item in database.get_indexes("customer")]
    real = CustomerMaker.batch

    def failing(self, ordinal, numbers):
        if ordinal:
            raise RuntimeError("power cut")
        return real(self, ordinal, numbers)

    monkeypatch.setattr(CustomerMaker, "batch", failing)
    with pytest.raises(RuntimeError, match="power cut"):
        create_demo_data(1_500)
    assert {table: stored(table) for table in before} == before
    assert [item.name for item in database.get_indexes("customer")] == indexes
    assert ChangeSetRecord.select().where(ChangeSetRecord.kind == "load").count() == 0


def test_the_history_tells_of_the_past_weeks(db, monkeypatch):
    monkeypatch.setattr(story, "_EDITS", 60)
    create_demo_data(150, seed=1)
    sets = [row for row in ChangeSetRecord.select().order_by(ChangeSetRecord.id) if row.user_name in story.OPERATORS]
    assert len(sets) > 45
    assert {row.user_name for row in sets} == set(story.OPERATORS)
    assert {"form", "bulk", "copy", "full_copy", "undo"} <= {row.kind for row in sets}
    moments = [row.changed_at for row in sets]
    assert moments == sorted(moments)
    assert utcnow() - datetime.timedelta(days=50) < moments[0] < moments[-1] < utcnow()
    assert all(moment.weekday() < 5 for moment in moments)


def test_progress_is_told_up_to_the_last_customer(db):
    told = []
    create_demo_data(1_200, progress=lambda done, total: told.append((done, total)))
    assert told == [(1_000, 1_200), (1_200, 1_200)]

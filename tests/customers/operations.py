"""Random work of a day by all who write: forms, cells, many at once, files, copies, deletions, and the way back.

Shape: `OPERATIONS` is a table of (name, weight, function); adding one is a line. A function gets a World, plans with
what it finds and applies; what the product refuses (AppAdminError) is an answer like any other. The same seed gives
the same work. Errors: anything else a function raises is a fault of the product.
"""

from __future__ import annotations

import csv
import datetime
import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from actions.change_settings import ChangeCustomerSettings
from actions.copy_records import CopyCustomer, FullCopyCustomer
from actions.delete_records import DeleteCustomers
from domain.values.delivery import Tour
from domain.values.groups import Category
from flask_appadmin.changes import DELETE, ChangeSet, NewRecord, UndoPart
from flask_appadmin.copying import LeftOut
from flask_appadmin.errors import AppAdminError
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.merging import plan_merge
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.selections import Selection
from flask_appadmin.sheets.applying import apply_run
from flask_appadmin.sheets.planning import Planner
from flask_appadmin.sheets.sessions import ImportRun
from flask_appadmin.sheets.surveying import ImportOptions, propose_options, survey_file
from flask_appadmin.specs import spec_of
from models import Address, BankAccount, Contact, Customer, CustomerCategory, CustomerUser, Note

CUSTOMER = spec_of(Customer)
CHILDREN = (Contact, Address, BankAccount, Note, CustomerUser)


class World:
    """The chance that decides, who works, and where files lie."""

    def __init__(self, seed: int, folder: Path, operator: Operator | None = None) -> None:
        self.chance = random.Random(seed)
        self.folder = folder
        self.operator = operator or system_operator("Frau Weber")
        self.count = 0
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.tours = [row[0] for row in Tour.select(Tour.id).tuples()]
        if not self.tours:
            change = ChangeSet("form")
            made = [change.create(Tour, {"code": f"T{number}", "name": f"Tour {number}"}) for number in range(3)]
            change.apply(self.operator)
            self.tours = [record.key for record in made]

    def step(self) -> None:
        names = [name for name, _weight, _work in OPERATIONS]
        chosen = self.chance.choices(range(len(names)), [weight for _name, weight, _work in OPERATIONS])[0]
        name, _weight, work = OPERATIONS[chosen]
        self.count += 1
        try:
            work(self)
            self.done[name] += 1
        except AppAdminError:
            self.refused[name] += 1

    def word(self) -> str:
        return self.chance.choice(("Auer", "Berger", "Müller", "Straße 7", "Zoë", "O’Neil", "AG & Co.")) + str(
            self.count
        )

    def customers(self, most: int) -> list[int]:
        keys = [row[0] for row in Customer.select(Customer.id).order_by(Customer.id).tuples()]
        return sorted(self.chance.sample(keys, min(len(keys), self.chance.randint(1, most))))

    def one(self) -> int:
        found = self.customers(1)
        if not found:
            raise AppAdminError("no customer")
        return found[0]

    def child_of(self, model: Any, key: int) -> Any:
        return self.chance.choice(list(model.select().where(model.customer == key)) or [None])

    def values(self, most: int = 4, *, empty: bool = True) -> dict[str, Any]:
        """New values of some fields of a customer, of every kind of value."""
        chance = self.chance
        made: dict[str, Callable[[], Any]] = {
            "name_2": self.word,
            "street": self.word,
            "city": self.word,
            "phone": lambda: f"+49 30 {chance.randint(100000, 999999)}",
            "discount_percent": lambda: Decimal(chance.randint(0, 9900)) / 100,
            "credit_limit": lambda: Decimal(chance.randint(0, 9000)),
            "credit_limit_until": lambda: datetime.date(2027, 1, 1) + datetime.timedelta(days=chance.randint(0, 300)),
            "dunning_lock": lambda: chance.random() < 0.5,
            "tour": lambda: chance.choice(self.tours),
            "shop_password": lambda: f"Rotes-Fahrrad-{self.count}",
        }
        names = chance.sample(sorted(made), chance.randint(1, most))
        unset = ("name_2", "street", "city", "phone", "discount_percent", "credit_limit_until", "tour")
        return {name: None if empty and name in unset and chance.random() < 0.2 else made[name]() for name in names}


def add_children(world: World, change: ChangeSet, owner: Any) -> None:
    chance = world.chance
    address: NewRecord | None = None
    if chance.random() < 0.6:
        address = change.create(Address, {"customer": owner, "name_1": world.word(), "is_delivery": True})
    for _number in range(chance.randint(0, 2)):
        values = {"customer": owner, "name_1": world.word(), "address": address}
        change.create(Contact, {name: value for name, value in values.items() if value is not None})
    if chance.random() < 0.3:
        change.create(BankAccount, {"customer": owner, "iban": "DE02120300000000202051"})
    if chance.random() < 0.3:
        change.create(CustomerUser, {"customer": owner, "username": f"user{world.count}"})
    if chance.random() < 0.5:
        change.create(Note, {"customer": owner, "text": world.word()})


# --- the writers ------------------------------------------------------------------------------------------------------


def create(world: World) -> None:
    change = ChangeSet("form")
    status = world.chance.choice(("draft", "draft", "active"))
    values = {**world.values(), "name_1": world.word(), "status": status}
    add_children(world, change, change.create(Customer, values))
    change.apply(world.operator)


def edit(world: World) -> None:
    """A form with its grids: fields, a new child, a changed one, one that is struck out, an address it points to."""
    key, change = world.one(), ChangeSet("form", reason="Anruf")
    values = world.values()
    stored = Customer.select().where(Customer.id == key).dicts().get()
    address = world.child_of(Address, key)
    if address is not None and world.chance.random() < 0.5:
        values[world.chance.choice(Customer.OWN_ADDRESSES)] = address.id
    change.update(Customer, key, values, base={name: stored[name] for name in values if name != "shop_password"})
    if world.chance.random() < 0.5:
        add_children(world, change, key)
    for model, name in ((Contact, "name_1"), (Address, "street"), (Note, "text")):
        row = world.child_of(model, key)
        if row is not None and world.chance.random() < 0.5:
            change.update(model, row.id, {name: world.word()})
    model = world.chance.choice(CHILDREN)
    row = world.child_of(model, key)
    if row is not None and world.chance.random() < 0.4:
        change.delete(model, row.id)
    change.apply(world.operator)


def edit_cells(world: World) -> None:
    change = ChangeSet("list")
    for key in world.customers(3):
        change.update(Customer, key, world.values(2))
    change.apply(world.operator)


def change_many(world: World) -> None:
    """One value for many marked, or an emptied field."""
    selection = Selection.of_keys(CUSTOMER, world.operator, world.customers(8))
    values: dict[str, Any] = world.chance.choice(
        (
            {"tour": world.chance.choice(world.tours)},
            {"tour": None},
            {"dunning_lock": world.chance.random() < 0.5},
            {"discount_percent": Decimal(world.chance.randint(0, 50))},
            {"discount_percent": None, "dunning_lock": True},
        )
    )
    action = ChangeCustomerSettings()
    plan = action.preview(selection, values)
    action.plan(selection, values, expected=plan.state).apply(world.operator)


def plan_file(world: World, rows: list[dict[str, str]], mode: str) -> ImportRun:
    """A file up to its preview."""
    path = world.folder / f"datei-{world.count}.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    options = ImportOptions()
    survey = survey_file(path, path.name, CUSTOMER, world.operator, options)
    options.mode = mode
    options = propose_options(survey, CUSTOMER, options)
    run = ImportRun.create(
        user=None,
        user_name=world.operator.name,
        entity=CUSTOMER.name,
        file_name=path.name,
        state="preview",
        options=options.to_json(),
        detection=survey.to_json(),
    )
    Planner(run, path, CUSTOMER, world.operator, options).plan(survey)
    return run


def import_new(world: World) -> None:
    first = 20_000 + world.count * 10
    rows = [
        {"Kundennummer": str(first + number), "Name 1": world.word(), "Straße": world.word(), "Ort": world.word()}
        for number in range(world.chance.randint(1, 4))
    ]
    apply_run(plan_file(world, rows, "new"), CUSTOMER, world.operator)


def import_replacing(world: World) -> None:
    keys = world.customers(4)
    numbers = [row[0] for row in Customer.select(Customer.customer_number).where(Customer.id << keys).tuples()]
    rows = [{"Kundennummer": str(number), "Straße": world.word(), "Ort": world.word()} for number in numbers]
    if rows:
        apply_run(plan_file(world, rows, "replace"), CUSTOMER, world.operator)


def copy(world: World) -> None:
    plan = CopyCustomer().plan(Selection.of_keys(CUSTOMER, world.operator, [world.one()]), {})
    plan.apply(world.operator)


def copy_fully(world: World) -> None:
    left = world.chance.choice((LeftOut(), LeftOut(children=frozenset(("address",)), groups=frozenset(("credit",)))))
    plan = FullCopyCustomer().plan(Selection.of_keys(CUSTOMER, world.operator, [world.one()]), {}, left)
    plan.apply(world.operator)


def merge(world: World) -> None:
    keys = world.customers(3)
    if len(keys) < 2:
        raise AppAdminError("one customer alone")
    plan_merge(CUSTOMER, keys, world.chance.choice(keys), world.operator).change_set().apply(world.operator)


def undo_in_part(world: World) -> None:
    """What one of the latest operations did to one record, or to one value of it."""
    rows = list(ChangeRecord.select().order_by(ChangeRecord.id.desc()).limit(60))
    row = world.chance.choice(rows)
    cell = (row.entity, row.record_id, row.field) if world.chance.random() < 0.5 else None
    part = UndoPart(cell=cell) if cell else UndoPart(record=(row.owner_entity, row.owner_id))
    ChangeSet.undo(row.change_set_id, part=part).apply(world.operator)


def delete(world: World) -> None:
    selection, action = Selection.of_keys(CUSTOMER, world.operator, world.customers(3)), DeleteCustomers()
    chosen = [key for key, departure in action.plan(selection).items() if departure.outcome == DELETE]
    if not chosen:
        raise AppAdminError("nothing to delete")
    change = ChangeSet("delete")
    for key in chosen:
        change.delete(CUSTOMER, key)
    change.apply(world.operator)


def undo(world: World) -> None:
    """One of the latest operations, an undo among them: then it is done again."""
    latest = ChangeSetRecord.select(ChangeSetRecord.id).where(ChangeSetRecord.kind.not_in(("setup", "load")))
    keys = [row[0] for row in latest.order_by(ChangeSetRecord.id.desc()).limit(12).tuples()]
    ChangeSet.undo(world.chance.choice(keys)).apply(world.operator)


def categorise(world: World) -> None:
    key = world.one()
    categories = [row[0] for row in Category.select(Category.id).tuples()]
    change = ChangeSet("form")
    if not categories:
        change.create(Category, {"name": world.word()})
    else:
        change.create(CustomerCategory, {"customer": key, "category": world.chance.choice(categories)})
    change.apply(world.operator)


#: (name, weight, work). Adding a writer is a line.
OPERATIONS: tuple[tuple[str, int, Callable[[World], None]], ...] = (
    ("create", 10, create),
    ("form", 22, edit),
    ("cells", 10, edit_cells),
    ("bulk", 12, change_many),
    ("import new", 4, import_new),
    ("import replace", 6, import_replacing),
    ("copy", 4, copy),
    ("full copy", 6, copy_fully),
    ("merge", 4, merge),
    ("delete", 5, delete),
    ("undo", 16, undo),
    ("undo in part", 6, undo_in_part),
    ("categories", 4, categorise),
)

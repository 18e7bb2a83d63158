"""Many operators who create customers at once: no number twice, no gap, no lock. `make soak` runs the full promise."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask.testing import FlaskClient

from actions.change_settings import ChangeCustomerSettings
from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import database
from flask_appadmin.errors import AppAdminError, FaultList
from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.layouts import form_fields
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.selections import Selection
from flask_appadmin.specs import FieldSpec, ModelSpec, spec_of
from models import Contact, Customer
from tests.reader import get, read


def create_at_once(operators: int, each: int) -> None:
    """So many operators create so many customers each at once, every tenth on purpose with a wrong child."""

    def work(operator: int) -> tuple[list[int], int, list[str]]:
        made, refused, unexpected = [], 0, []
        me = system_operator(f"Sachbearbeiter {operator}")
        with database.connection_context():
            for number in range(each):
                change = ChangeSet("form")
                customer = change.create(Customer, {"name_1": f"Kunde {operator}-{number}"})
                # The number is drawn by then: the fault comes with the last row that is written.
                wrong = (operator + number) % 10 == 0
                change.create(Contact, {"customer": customer, "name_1": "x" * 500 if wrong else "Muster"})
                try:
                    change.apply(me)
                    made.append(customer.key or 0)
                except FaultList as fault:
                    refused += 1
                    if not wrong:
                        unexpected.append(str(fault))
                except Exception as fault:
                    unexpected.append(f"{type(fault).__name__}: {fault}")
        return made, refused, unexpected

    if not database.is_closed():
        database.close()
    with ThreadPoolExecutor(operators) as pool:
        results = list(pool.map(work, range(operators)))
    database.connect(reuse_if_open=True)
    assert [sentence for _made, _refused, unexpected in results for sentence in unexpected] == []
    made = sum(len(keys) for keys, _refused, _unexpected in results)
    refused = sum(refused for _made, refused, _unexpected in results)
    assert made + refused == operators * each and refused >= operators * each // 11
    numbers = sorted(row[0] for row in Customer.select(Customer.customer_number).tuples())
    assert len(numbers) == made == len(set(numbers)), "no number twice, none lost"
    assert numbers == list(range(numbers[0], numbers[0] + made)), "a save that failed leaves no gap"
    assert Contact.select().count() == made


@pytest.mark.req("PX-49")
def test_operators_who_create_customers_at_once_share_no_number(db: Any, operator: FlaskClient) -> None:
    create_at_once(8, 6)
    # Two who hold the same proposal: the first one gets it, the second one is told, and nothing he typed is gone.
    pages = [get(operator, "/admin/customer/new/") for _operator in range(2)]
    answers = [
        read(operator.post(form["action"], data=form.fields(name_1=name, customer_number="10500")))
        for name, form in zip(("Erster", "Zweiter"), (page.one("form", id="form") for page in pages), strict=True)
    ]
    assert [answer.status for answer in answers] == [302, 422]
    assert answers[1].summary == ["Kunden-Nr.: Kundennummer bereits vorhanden."]
    assert answers[1].one("form", id="form").fields()["name_1"] == "Zweiter"


def test_of_two_who_change_the_same_customers_at_once_the_second_reads_who_was_first(db: Any) -> None:
    """Trust case 88: two connections, plans of the same moment; one is written, the other one refused by its name."""
    made = ChangeSet("load")
    keys = [made.create(Customer, {"name_1": f"Kunde {number}"}) for number in range(40)]
    made.apply(system_operator("Frau Weber"))
    spec, people = spec_of(Customer), [system_operator(name) for name in ("Frau Aigner", "Herr Berger")]
    chosen = [record.key or 0 for record in keys]
    action = ChangeCustomerSettings()
    if not database.is_closed():
        database.close()

    def work(me: Operator, marker: str, start: Barrier) -> str:
        with database.connection_context():
            selection = Selection.of_keys(spec, me, chosen)
            shown = action.preview(selection, {"marker": marker})
            change = action.plan(selection, {"marker": marker}, expected=shown.state)
            start.wait(30)
            try:
                return "" if change.apply(me).updated == len(chosen) else "only a part"
            except AppAdminError as fault:
                return str(fault)

    for turn in range(6):
        start = Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            told = list(pool.map(work, people, (f"A{turn}", f"B{turn}"), (start, start)))
        assert sorted(map(bool, told)) == [False, True], told
        first = told.index("")
        assert people[first].name in told[1 - first], told
        with database.connection_context():
            written = {row[0] for row in Customer.select(Customer.marker).tuples()}
        assert written == {f"{'AB'[first]}{turn}"}, "all of the one, nothing of the other"
    database.connect(reuse_if_open=True)


@pytest.mark.soak
def test_thirty_two_operators_create_fifty_customers_each(db: Any) -> None:
    create_at_once(32, 50)


def value_for(item: FieldSpec) -> str:
    """Something that may stand in a field, as it is typed."""
    if item.target is not None:
        model = item.references.model
        row = model.select(model._meta.primary_key).order_by(model._meta.primary_key).tuples().first()
        return str(row[0]) if row else ""
    if item.choices:
        return str(item.choices[0][0])
    kinds = {"integer": "1", "decimal": "1", "date": "01.02.2026", "datetime": "01.02.2026 10:00", "bool": "1"}
    if item.type.name in kinds:
        return kinds[item.type.name]
    return {"iban": "DE02120300000000202051", "email": "a@example.de", "phone": "+49 30 123456"}.get(
        item.kind, "Muster"
    )


def rows_of(child: ModelSpec, faulty: int) -> dict[str, Any]:
    """Three new rows of a child table, the `faulty`-th with a character that nothing may contain."""
    typed: dict[str, Any] = {"_rows": [f"{child.name}-n{number}" for number in (1, 2, 3)]}
    texts = [
        item
        for item in form_fields(child)
        if item.max_length and item.type.name == "text" and not item.read_only and not item.secret
    ]
    for number in (1, 2, 3):
        for item in form_fields(child):
            if item.required and not item.read_only and not item.secret:
                typed[f"{child.name}-n{number}-{item.name}"] = value_for(item)
        if texts:
            long = "y" * ((texts[0].max_length or 0) + 1)
            typed[f"{child.name}-n{number}-{texts[0].name}"] = long if number == faulty else f"Zeile {number}"
        else:
            strict = ("date", "datetime", "integer", "decimal", "choice")
            editable = [item for item in form_fields(child) if not item.read_only and item.type.name != "bool"]
            wrong = min(editable, key=lambda item: (item.type.name not in strict, item.target is None))
            unlimited = wrong.type.name not in strict and wrong.target is None
            fault = "Un\x00sinn" if unlimited else "Unsinn"
            typed[f"{child.name}-n{number}-{wrong.name}"] = fault if number == faulty else value_for(wrong)
    return typed


@pytest.mark.engines("sqlite")
def test_a_fault_in_any_row_of_any_child_saves_nothing_and_keeps_the_form(db: Any, operator: FlaskClient) -> None:
    """Trust A5 and case 69, for every child table of a customer; the engine's own fault in the middle of writing is
    tests/appadmin/test_concurrent_saves.py."""
    change = ChangeSet("form")
    customer = change.create(Customer, {"name_1": "Huber"})
    change.apply(system_operator("Test"))
    spec = spec_of(Customer)
    registry = operator.application.extensions["appadmin"]
    tabs = [tab for tab in registry.views[spec.name].form_layout.tabs if tab.children]
    tables = [spec.model, *(child.model for child in spec.children), ChangeSetRecord, ChangeRecord]

    def photograph() -> list[Any]:
        return [list(table.select().order_by(table.id).dicts()) for table in tables]

    before = photograph()
    asked = 0
    for tab in tabs:
        for name in tab.children:
            child = next(found for found in spec.children if found.name == name)
            for faulty in (1, 2, 3):
                typed = {"name_1": f"Getippt {faulty}", "_panel": ["main", tab.key], **rows_of(child, faulty)}
                for url in (f"/admin/customer/edit/?id={customer.key}", "/admin/customer/new/"):
                    base = json_text({"": {"name_1": "Huber"}})
                    answer = operator.post(url, data={**typed, "_base": base})
                    assert answer.status_code == 422, (child.name, faulty, url)
                    fields = read(answer).one("form", id="form").fields()
                    for field, text in typed.items():
                        # No browser sends nonsense for a drop-down, or a character that no keyboard has.
                        row = field.rpartition("-")[0]
                        if row and f"{row}-version" not in fields:
                            assert row != f"{child.name}-n{faulty}"  # it was blank: nothing but what a new row has
                        elif text and not field.startswith("_") and text.replace("\x00", "") != "Unsinn":
                            assert fields.get(field) == text or text == "1", (child.name, field, text)
                    asked += 1
            assert photograph() == before, child.name
    assert asked > 100, "all child tables were asked"

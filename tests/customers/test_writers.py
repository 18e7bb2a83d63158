"""Every writer against every other on one row: planned by the first, done by the second, applied by the first.

What comes of it is explained by the history, and no value is overwritten by somebody who did not see it: the first one
is refused, merged or asked (trust B4).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from actions.change_settings import ChangeCustomerSettings
from actions.copy_records import FullCopyCustomer
from actions.delete_records import DeleteCustomers
from flask_appadmin.changes import DELETE, ChangeSet
from flask_appadmin.errors import AppAdminError
from flask_appadmin.history import COPIED, ChangeRecord, ChangeSetRecord
from flask_appadmin.selections import Selection
from flask_appadmin.sheets.applying import apply_run
from models import Customer
from tests.customers.operations import CUSTOMER, World, plan_file
from tests.customers.replay import Replay
from tests.reader import get

#: The two fields that are written; the operations that the writer „undo“ takes back have set them to "zuvor".
FIELDS = {"remark": "Bemerkung", "marker": "Kennzeichen"}

Apply = Callable[[], Any]


class Row:
    """A draft with both fields filled, and whoever works on it."""

    def __init__(self, world: World, client: FlaskClient) -> None:
        self.world, self.client = world, client
        world.count += 1
        change = ChangeSet("form")
        values = {"name_1": world.word(), "status": "draft", **dict.fromkeys(FIELDS, "am Anfang")}
        made = change.create(Customer, values)
        change.apply(world.operator)
        self.key = made.key or 0
        self.number = Customer.get_by_id(self.key).customer_number
        self.earlier = {}
        for name in FIELDS:
            change = ChangeSet("form")
            change.update(Customer, self.key, {name: "zuvor"})
            self.earlier[name] = change.apply(world.operator).change_set or 0

    @property
    def selection(self) -> Selection:
        return Selection.of_keys(CUSTOMER, self.world.operator, [self.key])

    def stored(self) -> dict[str, Any] | None:
        fields = (Customer.id, Customer.version, Customer.remark, Customer.marker, Customer.name_1)
        found: dict[str, Any] | None = Customer.select(*fields).where(Customer.id == self.key).dicts().first()
        return found


# Each plans to write `value` into the field and answers what does it; refused is an AppAdminError or a status from 400.


def by_form(row: Row, name: str, value: str) -> Apply:
    form = get(row.client, f"/admin/customer/edit/?id={row.key}&tab=master").one("form", id="form")
    fields = form.fields(**{name: value})
    return lambda: row.client.post(form["action"], data=fields)


def by_cell(row: Row, name: str, value: str) -> Apply:
    change = {"key": row.key, "field": name, "value": value, "base": (row.stored() or {})[name]}
    return lambda: row.client.post("/admin/customer/cells", json={"changes": [change]})


def by_bulk_change(row: Row, name: str, value: str) -> Apply:
    action = ChangeCustomerSettings()
    state = action.preview(row.selection, {name: value}).state
    return lambda: action.plan(row.selection, {name: value}, expected=state).apply(row.world.operator)


def by_import(row: Row, name: str, value: str) -> Apply:
    run = plan_file(row.world, [{"Kundennummer": str(row.number), FIELDS[name]: value}], "replace")
    return lambda: apply_run(run, CUSTOMER, row.world.operator)


def by_copy(row: Row, _name: str, _value: str) -> Apply:
    change = FullCopyCustomer().plan(row.selection, {})
    return lambda: change.apply(row.world.operator)


def by_deletion(row: Row, _name: str, _value: str) -> Apply:
    assert DeleteCustomers().plan(row.selection)[row.key].outcome == DELETE
    change = ChangeSet("delete")
    change.delete(CUSTOMER, row.key)
    return lambda: change.apply(row.world.operator)


def by_undo(row: Row, name: str, _value: str) -> Apply:
    change = ChangeSet.undo(row.earlier[name])
    return lambda: change.apply(row.world.operator)


#: The sixth and the seventh share a place: a copy writes no field of its source, a deletion writes all.
WRITERS = (by_form, by_cell, by_bulk_change, by_import, by_copy, by_deletion, by_undo)


def did(apply: Apply) -> int | None:
    """The operation that came of it, None for a refusal and for nothing to do."""
    before = last_set()
    try:
        answer = apply()
        status = getattr(answer, "status_code", 200)
        assert status < 500, answer.get_data(as_text=True)[-2000:]
    except AppAdminError:
        pass
    after = last_set()
    return after if after != before else None


def last_set() -> int:
    row = ChangeSetRecord.select(ChangeSetRecord.id).order_by(ChangeSetRecord.id.desc()).first()
    return int(row.id)


def written(change_set: int | None, key: int) -> set[str | None]:
    """The fields of the row that an operation changed; None among them for the row itself."""
    query = ChangeRecord.select(ChangeRecord.field).where(
        ChangeRecord.change_set == change_set,
        ChangeRecord.entity == "customer",
        ChangeRecord.record_id == key,
        ChangeRecord.action != COPIED,
    )
    return {name for (name,) in query.tuples()}


def meet(first: Any, second: Any, same: bool, world: World, client: FlaskClient) -> str:
    """What becomes of the first one: "written" or "refused"; anything that is not explained fails."""
    row = Row(world, client)
    case = f"{first.__name__} around {second.__name__}, {'the same field' if same else 'another field'}"
    mine, theirs = "remark", "remark" if same else "marker"
    apply = first(row, mine, "von mir")
    other = did(second(row, theirs, "von den anderen"))
    assert other is not None, f"{case}: the second one was free to write"
    between = row.stored()
    own = did(apply)
    lost = written(own, row.key) & written(other, row.key)
    assert not lost, f"{case}: {lost} written over by somebody who did not see it"
    now = row.stored()
    if own is None:
        assert now == between, f"{case}: a refusal changes nothing"
    elif now is not None and between is not None:
        expected = "am Anfang" if first is by_undo else "zuvor" if first in (by_copy, by_deletion) else "von mir"
        if first is not by_copy:
            assert now["remark"] == expected, case
        for name in written(other, row.key):
            assert now[name] == between[name], case
    return "refused" if own is None else "written"


def meet_all(world: World, client: FlaskClient, *, both: bool) -> None:
    """All pairs about the same field, and about different ones: all pairs, or each with one other."""
    found: dict[tuple[str, str, bool], str] = {}
    replay = Replay()
    for first in WRITERS:
        for second in WRITERS:
            found[first.__name__, second.__name__, True] = meet(first, second, True, world, client)
            if second is by_cell or (both and second not in (by_copy, by_deletion)):
                found[first.__name__, second.__name__, False] = meet(first, second, False, world, client)
        assert replay.differences() == [], first.__name__
    for (first_name, second_name, same), came in found.items():
        case = f"{first_name} around {second_name}, {'the same field' if same else 'another field'}: {came}"
        if first_name == "by_copy":
            assert came == "written" or second_name == "by_deletion", case
        elif second_name == "by_copy":
            assert came == "written", case
        elif second_name == "by_deletion":
            assert came == "refused", case
        elif first_name == "by_bulk_change":
            assert came == "refused", case  # its preview no longer holds
        elif first_name != "by_deletion":
            # The same field is asked about, different ones are merged.
            assert came == ("refused" if same else "written"), case


@pytest.mark.engines("sqlite", later="postgresql")
def test_no_writer_overwrites_what_he_did_not_see(db: Any, operator: FlaskClient, tmp_path: Path) -> None:
    meet_all(World(1, tmp_path), operator, both=False)


@pytest.mark.soak
def test_no_writer_overwrites_in_10_rounds(db: Any, operator: FlaskClient, tmp_path: Path) -> None:
    world = World(1, tmp_path)
    for _round in range(10):
        meet_all(world, operator, both=True)

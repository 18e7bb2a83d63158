"""The history is complete and true: played again from the snapshots it gives the database, field by field."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from models import Customer
from tests.customers.operations import OPERATIONS, World
from tests.customers.replay import Replay


def work_and_compare(seed: int, steps: int, every: int, folder: Path) -> World:
    """So many random operations, with a comparison after every few of them."""
    world = World(seed, folder)
    replay = Replay()
    for step in range(1, steps + 1):
        world.step()
        if step % every == 0 or step == steps:
            found = replay.differences()
            assert found == [], f"seed {seed}, after step {step}:\n" + "\n".join(found[:20])
    return world


def test_the_history_gives_the_database_after_any_work(db: Any, tmp_path: Path) -> None:
    world = work_and_compare(41, 80, 40, tmp_path)
    assert set(world.done) == {name for name, _weight, _work in OPERATIONS}, world.refused
    # A write past the gateway is found.
    replay = Replay()
    key = Customer.select(Customer.id).order_by(Customer.id).tuples().scalar()
    Customer.update(phone="+49 89 1").where(Customer.id == key).execute()
    (found,) = replay.differences()
    assert found.startswith(f"('customer', {key}): {{'phone': (") and "'+49 89 1')" in found


@pytest.mark.soak
def test_the_history_gives_the_database_after_2000_operations(db: Any, tmp_path: Path) -> None:
    seed = int(os.environ.get("KONTOR_TEST_SEED", "7"))
    world = work_and_compare(seed, 2_000, 50, tmp_path)
    print(f"seed {seed}: done {dict(world.done)}, refused {dict(world.refused)}")

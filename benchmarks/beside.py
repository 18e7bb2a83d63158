"""Sixteen operators who save while a change of very many customers runs (trust A6)."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from benchmarks.measuring import ROOT, Figure, Plan, Target
from benchmarks.stock import Stock

_OPERATORS = 16
#: Seconds between two saves of one operator; nobody types faster.
_PAUSE = 0.2


def beside(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """One half of the customers gets a new text by a process of its own, again and again, while operators save."""
    from flask_appadmin.database import database

    middle = database.execute_sql(
        f"SELECT customer_number FROM customer ORDER BY customer_number LIMIT 1 OFFSET {stock.customers // 2}"
    ).fetchone()[0]
    for words, others in (("the other half", True), ("the same half", False))[: 1 if plan.quick else 2]:
        saves = _Saves(stock, middle, others)
        saves.run(rounds=1 if plan.quick or stock.customers > 200_000 else 3)
        name = f"16 operators save in {words} beside a change of {stock.customers // 2:,}"
        is_bound = stock.engine == "postgresql" and others
        yield Figure(f"{name}: 95 of 100", saves.slow(0.95), target=Target(at_most=1.0 if is_bound else None))
        yield Figure(f"{name}: that were told who changes what and how long", len(saves.told), unit="saves")
        yield Figure(f"{name}: all of them", len(saves.told) + len(saves.times), unit="saves")
        yield Figure(f"{name}: other faults", len(saves.faults), target=Target(at_most=0), unit="faults")
        for fault in sorted(set(saves.faults))[:3]:
            print(fault, file=sys.stderr)


class _Saves:
    """What sixteen threads saw."""

    def __init__(self, stock: Stock, middle: int, others: bool) -> None:
        self.times: list[float] = []
        self.told: list[str] = []
        self.faults: list[str] = []
        self._stock, self._middle = stock, middle
        self._keys = self._keys_of(">=" if others else "<")
        self._ended = threading.Event()

    def _keys_of(self, sign: str) -> list[int]:
        from flask_appadmin.database import database

        where = f"customer_number {sign} {self._middle} AND status <> 'anonymised'"
        sql = f"SELECT id FROM customer WHERE {where} ORDER BY id LIMIT 5000"
        return [row[0] for row in database.execute_sql(sql).fetchall()]

    def run(self, rounds: int) -> None:
        given = {"url": self._stock.url, "text": "daneben", "below": self._middle, "rounds": rounds}
        threads = [threading.Thread(target=self._save, args=(number,)) for number in range(_OPERATORS)]
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.child", "assign_half"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=dict(os.environ),
        ) as child:
            assert child.stdin is not None and child.stdout is not None
            child.stdin.write(json.dumps(given))
            child.stdin.close()
            child.stdout.readline()  # "begun"
            for thread in threads:
                thread.start()
            child.stdout.read()
            self._ended.set()
            for thread in threads:
                thread.join()
        if child.returncode:
            raise RuntimeError("the change of many failed")

    def slow(self, share: float) -> float:
        """So many of a hundred saves took no longer."""
        found = sorted(self.times)
        return found[min(int(len(found) * share), len(found) - 1)] if found else 0.0

    def _save(self, number: int) -> None:
        from flask_appadmin.changes import ChangeSet
        from flask_appadmin.database import database
        from flask_appadmin.errors import AppAdminError

        dice = random.Random(number)
        model, turn = self._stock.spec.model, 0
        database.connect(reuse_if_open=True)
        try:
            while not self._ended.is_set():
                turn += 1
                change = ChangeSet("form")
                change.update(model, dice.choice(self._keys), {"remark": f"{number}.{turn}"})
                start = time.perf_counter()
                try:
                    change.apply(self._stock.operator)
                    self.times.append(time.perf_counter() - start)
                except AppAdminError as fault:
                    is_told = "Sammeländerung läuft" in str(fault)
                    (self.told if is_told else self.faults).append(str(fault))
                except Exception as fault:
                    self.faults.append(f"{type(fault).__name__}: {fault}")
                self._ended.wait(_PAUSE)
        finally:
            database.close()

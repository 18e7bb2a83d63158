"""What comes before the first click: demo data into an empty database, and the server's start."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import ROOT, Figure, Plan, Target, in_child
from benchmarks.stock import Stock, fresh_url

#: So many rows are made beforehand for the floor; more would only take memory.
_FLOOR_CUSTOMERS = 20_000
_START_SECONDS = 60


def demo_data(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """Customers a second with children, documents, all indexes, search and history; and what it takes of memory."""
    count = min(plan.customers, 100_000)
    few = min(count, _FLOOR_CUSTOMERS)
    floor = few / in_child("fill_floor", url=fresh_url(stock, "demo_floor"), customers=few)["seconds"]
    made = in_child("fill", url=fresh_url(stock, "demo"), customers=count)
    target = Target(at_least=20_000)
    yield Figure(f"demo data: {count:,} customers with everything", count / made["seconds"], floor, target, "/s")
    yield Figure("demo data: peak of memory", made["peak"], unit="MB")


def start(stock: Stock, plan: Plan) -> Iterator[Figure]:
    """From the command to the first page in the browser."""
    target = Target(at_most=3)
    empty = min(_seconds_to_first_page(stock.folder / f"empty-{n}", "") for n in range(plan.times(2)))
    yield Figure("start to first page: empty folder (SQLite)", empty, target=target)
    if stock.engine == "sqlite":
        from flask_appadmin.database import database

        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        path = stock.folder / "existing.db"
        shutil.copyfile(stock.url.removeprefix("sqlite:///"), path)
        url = f"sqlite:///{path}"
    else:
        url = stock.url
    there = min(_seconds_to_first_page(stock.folder / f"existing-{n}", url) for n in range(plan.times(2)))
    yield Figure(f"start to first page: {stock.customers:,} customers", there, target=target)


def _seconds_to_first_page(instance: Path, url: str) -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "KONTOR_INSTANCE": str(instance)}
    environment.pop("DATABASE_URL", None)
    if url:
        environment["DATABASE_URL"] = url
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "admin_app.py", "serve", "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment,
        start_new_session=True,
    )
    try:
        while time.perf_counter() - began < _START_SECONDS and process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/", timeout=30) as answer:
                    if answer.status == 200:
                        answer.read()
                        return time.perf_counter() - began
            except (urllib.error.URLError, OSError):
                time.sleep(0.01)
    finally:
        # The server leads a session of its own, so its workers hear it too.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        told = process.stderr.read().decode(errors="replace") if process.stderr else ""
        process.wait()
    raise RuntimeError(f"the server did not answer:\n{told[-2000:]}")

"""Kills processes in the middle of their work, and looks at what they left behind.

Shape: `Forks` is a process that has imported everything and has no connection; for each piece of work it forks a child,
which prepares, says "begun", works and says "done". `photograph` reads what is there, `findings` compares two
photographs with the history between them: one sentence for each thing that is half done or not told, none when all is
well. `python -m tests.crashes` is the process that forks.

Work is named by OPERATIONS; a new one is one line there.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

#: Tables whose rows are compared value by value; of the others the number of rows and the sum of versions count.
_WATCHED = ("customer", "contact", "address", "bank_account")


# --- the work that is killed ------------------------------------------------------------------------------------------


def _operator() -> Any:
    from flask_appadmin.rights import system_operator

    return system_operator("Frau Weber")


def _spec() -> Any:
    from flask_appadmin.changes import known_specs

    return known_specs()["customer"]


def everyone() -> Any:
    """All customers as the list shows them: without those that are anonymised, which nobody changes any more."""
    from flask_appadmin.filters import Filter
    from flask_appadmin.selections import Selection

    return Selection.of_filter(Filter.from_text(_spec(), "status__not=anonymised", _operator()), _operator())


def _bulk_change(number: int) -> Any:
    from flask_appadmin.changes import ChangeSet

    change = ChangeSet("bulk", reason=f"Lauf {number}")
    change.assign(everyone(), {"marker": f"M{number}", "hint": f"Hinweis {number}"})
    return change


def bulk(number: int) -> Callable[[], Any]:
    """Two fields of all customers."""
    from flask_appadmin.changes import assigning

    change = _bulk_change(number)
    assigning.STRETCH = 500
    return lambda: change.apply(_operator(), progress=lambda _done, _total: None)


def bulk_in_pieces(number: int) -> Callable[[], Any]:
    """The same by a gateway that was tampered with: it commits every 500 rows."""
    from flask_appadmin.changes import assigning
    from flask_appadmin.database import database

    change = _bulk_change(number)
    assigning.STRETCH = 500

    def commit(_done: int, _total: int) -> None:
        database.execute_sql("COMMIT")
        database.execute_sql("BEGIN")

    return lambda: change.apply(_operator(), progress=commit)


def copy(_number: int) -> Callable[[], Any]:
    """A customer with all its children."""
    from actions.copy_records import FullCopyCustomer
    from flask_appadmin.selections import Selection

    change = FullCopyCustomer().plan(Selection.of_keys(_spec(), _operator(), [1]), {})
    return lambda: change.apply(_operator())


def merge(_number: int) -> Callable[[], Any]:
    """The two latest customers that still stand on their own become one, which takes the name of the other."""
    from flask_appadmin.merging import plan_merge
    from models import Customer

    query = Customer.select(Customer.id).where(Customer.status.not_in(("deleted", "anonymised")))
    kept, other = (row[0] for row in query.order_by(Customer.id.desc()).limit(2).tuples())
    change = plan_merge(_spec(), [kept, other], kept, _operator(), choices={"name_1": other}).change_set()
    return lambda: change.apply(_operator())


def undo(_number: int) -> Callable[[], Any]:
    """The latest operation, whatever it was."""
    from flask_appadmin.changes import ChangeSet
    from flask_appadmin.history import ChangeSetRecord

    last = ChangeSetRecord.select().where(ChangeSetRecord.kind != "load").order_by(ChangeSetRecord.id.desc()).first()
    change = ChangeSet.undo(last.id)
    return lambda: change.apply(_operator())


OPERATIONS: dict[str, Callable[[int], Callable[[], Any]]] = {
    "bulk": bulk,
    "copy": copy,
    "merge": merge,
    "undo": undo,
}


def job(_number: int) -> Callable[[], Any]:
    """The jobs that wait, as a server's process takes them."""
    from flask_appadmin import jobs

    return jobs.run_waiting


_ALL_WORK = {**OPERATIONS, "bulk_in_pieces": bulk_in_pieces, "job": job}


# --- the process that forks -------------------------------------------------------------------------------------------


def _connect(url: str) -> None:
    from flask_appadmin.database import connect_database, database
    from flask_appadmin.schema import declare_models
    from models import MODELS

    connect_database(url)
    declare_models(MODELS)
    database.connect(reuse_if_open=True)


def _say(**message: Any) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def _work(url: str, name: str, number: int) -> None:
    try:
        _connect(url)
        ready = _ALL_WORK[name](number)
        _say(event="begun")
        start = time.perf_counter()
        ready()
        _say(event="done", seconds=time.perf_counter() - start)
    except BaseException as fault:
        _say(event="failed", text=f"{type(fault).__name__}: {fault}")


def main() -> None:
    import admin_app  # noqa: F401
    import views  # noqa: F401
    from actions.copy_records import FullCopyCustomer  # noqa: F401
    from flask_appadmin.schema import declare_models
    from models import MODELS

    declare_models(MODELS)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _work(**json.loads(line))
            os._exit(0)
        _say(event="forked", pid=child)
        os.waitpid(child, 0)
        _say(event="ended")


@dataclass(frozen=True)
class Ended:
    """How a piece of work ended: killed in the middle of it, or by itself after so many seconds."""

    in_flight: bool
    seconds: float
    failed: str = ""


class Forks:
    """The process that forks; close it in the end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crashes"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._rest = b""

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def run(
        self, url: str, name: str, number: int, *, kill: Callable[[int], None] | None = None, after: float = 0
    ) -> Ended:
        """Runs a piece of work; with `kill` that is called with the child's pid so many seconds after its beginning."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"url": url, "name": name, "number": number}).encode() + b"\n")
        pid = self._next()["pid"]
        first = self._next()
        ended: dict[str, Any] | None = None if first["event"] == "begun" else first
        in_flight = False
        if kill is not None and ended is None:
            ended = self._next(after)
            in_flight = ended is None
            kill(pid)
        while (message := self._next())["event"] != "ended":
            # It was done, and had no time to say so before it was killed.
            ended, in_flight = ended or message, False
        return Ended(in_flight, (ended or {}).get("seconds", 0.0), (ended or {}).get("text", ""))

    def _next(self, seconds: float = 60.0) -> Any:
        """The next message, None when none comes in time."""
        assert self._process.stdout is not None
        until = time.monotonic() + seconds
        while b"\n" not in self._rest:
            if not select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))[0]:
                return None
            part = os.read(self._process.stdout.fileno(), 65_536)
            if not part:
                raise RuntimeError("the process that forks has ended")
            self._rest += part
        line, _newline, self._rest = self._rest.partition(b"\n")
        return json.loads(line)


def kill_child(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


# --- looking at what is there -----------------------------------------------------------------------------------------


@dataclass
class Photograph:
    """What is there: rows of the watched tables by key, (rows, versions) of the others, the last set and change."""

    rows: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    sums: dict[str, tuple[int, int]] = field(default_factory=dict)
    last_set: int = 0
    last_change: int = 0


def filled_columns() -> dict[str, list[str]]:
    """The fields of the watched tables in which rows differ, and those that OPERATIONS change."""
    from flask_appadmin.changes import known_specs
    from flask_appadmin.database import database

    found = {}
    for name in _WATCHED:
        spec = known_specs()[name]
        counts = ", ".join(f'count(DISTINCT "{item.column}")' for item in spec.data_fields)
        row = database.execute_sql(f'SELECT {counts} FROM "{name}"').fetchone()
        found[name] = [
            item.name
            for item, count in zip(spec.data_fields, row, strict=True)
            if not item.secret and (count > 1 or item.name in ("marker", "hint"))
        ]
    return found


@contextlib.contextmanager
def opened(url: str) -> Iterator[None]:
    """The database, opened as after a crash: nobody else has it open, and nothing was mended by hand."""
    from flask_appadmin.database import database, disconnect_database, engine

    _connect(url)
    if engine() == "postgresql":
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        until = time.monotonic() + 30
        while database.execute_sql(others).fetchone()[0]:
            assert time.monotonic() < until, "the killed process is still working on the server"
    try:
        yield
    finally:
        disconnect_database()


def photograph(columns: dict[str, list[str]]) -> Photograph:
    from flask_appadmin.changes import known_specs
    from flask_appadmin.database import database
    from models import MODELS

    taken = Photograph()
    # The layer also knows the models of other tests of this process.
    own = {model._meta.table_name for model in MODELS}
    for name, spec in known_specs().items():
        if name not in own:
            continue
        if name in columns:
            items = [spec.field(each) for each in columns[name]]
            listed = ", ".join(f'"{item.column}"' for item in items)
            rows = database.execute_sql(f'SELECT id, version, {listed} FROM "{name}"').fetchall()
            names = ("version", *columns[name])
            taken.rows[name] = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
        else:
            row = database.execute_sql(f'SELECT count(*), coalesce(sum(version), 0) FROM "{name}"').fetchone()
            taken.sums[name] = (row[0], int(row[1]))
    taken.last_set = database.execute_sql("SELECT coalesce(max(id), 0) FROM change_set").fetchone()[0]
    taken.last_change = database.execute_sql('SELECT coalesce(max(id), 0) FROM "change"').fetchone()[0]
    return taken


def findings(before: Photograph, after: Photograph) -> list[str]:
    """What is half done, or not told by the history, between two photographs with one piece of work between them."""
    from flask_appadmin.database import database, engine
    from flask_appadmin.history import ChangeRecord, ChangeSetRecord

    found = []
    if engine() == "sqlite":
        answer = [row[0] for row in database.execute_sql("PRAGMA integrity_check").fetchall()]
        found += [] if answer == ["ok"] else [f"the file is damaged: {answer[:3]}"]
    sets = list(ChangeSetRecord.select().where(ChangeSetRecord.id > before.last_set))
    written = ChangeRecord.action.in_(("create", "update", "delete"))
    changes = list(ChangeRecord.select().where(ChangeRecord.id > before.last_change, written).dicts())
    if not sets:
        found += [
            f"{name} changed without an operation" for name in before.rows if before.rows[name] != after.rows[name]
        ]
        found += [
            f"{name} changed without an operation" for name in before.sums if before.sums[name] != after.sums[name]
        ]
        found += ["changes without an operation"] if changes else []
        return found
    if len(sets) > 1 or {row["change_set"] for row in changes} != {sets[0].id}:
        found.append("changes of more than one operation")
    told = {(row["entity"], row["record_id"], row["action"], row["field"]) for row in changes}
    if len(told) != len(changes):
        found.append("a change is told twice")
    done, versions = _differences(before, after)
    told = {
        entry for entry in told if entry[0] in before.rows and (entry[3] is None or entry[3] in _fields(before, entry))
    }
    found += [f"told but not done: {entry}" for entry in sorted(told - done, key=str)[:3]]
    found += [f"done but not told: {entry}" for entry in sorted(done - told, key=str)[:3]]
    found += versions + _wrong_values(before, after, changes)
    operation = sets[0]
    counts = {"create": 0, "update": 0, "delete": 0}
    for _name, _key, action in {entry[:3] for entry in done if entry[0] == operation.entity}:
        counts[action] += 1
    if operation.kind == "undo":
        # What is taken back is counted with its children.
        counts["update"] = len({(row["entity"], row["record_id"]) for row in changes if row["action"] == "update"})
    if operation.title == "…" or [operation.updated_count, operation.created_count, operation.deleted_count] != [
        counts["update"] if not counts["create"] + counts["delete"] else operation.updated_count,
        counts["create"],
        counts["delete"],
    ]:
        found.append(f"the operation tells {operation.title} {operation.updated_count}, done is {counts}")
    return found + _wrong_texts(after)


def _fields(taken: Photograph, entry: tuple[Any, ...]) -> dict[str, Any]:
    return next(iter(taken.rows[entry[0]].values()), {})


def _differences(before: Photograph, after: Photograph) -> tuple[set[tuple[str, int, str, Any]], list[str]]:
    """(table, key, action, field) of all that is different, and versions that do not fit."""
    done: set[tuple[str, int, str, Any]] = set()
    wrong = []
    for name, rows in before.rows.items():
        now = after.rows[name]
        done |= {(name, key, "create", None) for key in now.keys() - rows.keys()}
        done |= {(name, key, "delete", None) for key in rows.keys() - now.keys()}
        for key in rows.keys() & now.keys():
            old, new = rows[key], now[key]
            if old == new:
                continue
            fields = {each for each in old if each != "version" and old[each] != new[each]}
            done |= {(name, key, "update", each) for each in fields}
            if new["version"] != old["version"] + bool(fields):
                wrong.append(f"{name} {key} went from version {old['version']} to {new['version']}")
    return done, wrong[:3]


def _wrong_values(before: Photograph, after: Photograph, changes: list[dict[str, Any]]) -> list[str]:
    from flask_appadmin.changes import known_specs

    wrong = []
    for row in changes:
        if row["action"] != "update" or row["field"] not in _fields(before, (row["entity"],)):
            continue
        item = known_specs()[row["entity"]].field(row["field"])
        for column, taken in (("old_value", before), ("new_value", after)):
            stored = taken.rows[row["entity"]].get(row["record_id"], {}).get(item.name)
            value = item.type.to_json(item.column_field.python_value(stored), item)
            if json.loads(row[column]) != value:
                wrong.append(f"{row['entity']} {row['record_id']} {item.name}: {row[column]} told, {value} is there")
    return wrong[:3]


def _wrong_texts(after: Photograph) -> list[str]:
    """Customers whose search text is not what is made of them now."""
    from flask_appadmin import search
    from flask_appadmin.database import database

    keys = list(after.rows["customer"])
    keys = [*keys[:20], *keys[-20:]]
    made, stored = (
        search._texts(_spec(), keys),
        {text[0]: text for text in search._stored(search.index_name(_spec()), keys)},
    )
    wrong = []
    for key in keys:
        # In which order the words stand depends on the way they came in.
        if search._words(made.get(key, (key, "", ""))) != search._words(stored.get(key, (key, "", ""))):
            wrong.append(f"customer {key} is found by other words than it has")
    count = database.execute_sql(f'SELECT count(*) FROM "{search.index_name(_spec())}"').fetchone()[0]
    if count != len(after.rows["customer"]):
        wrong.append(f"{count} texts for {len(after.rows['customer'])} customers")
    return wrong[:3]


if __name__ == "__main__":
    main()

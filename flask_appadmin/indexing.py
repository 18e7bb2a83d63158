"""Indexes that administrators add, so that a list sorts and filters by one more column at once.

Shape: such an index is called `own_<table>_<column>`; the database itself remembers it, no table does. It holds the
column and what orders equal values in the list, so that paging walks along it. Making one reads the whole table, which
takes seconds to minutes for a million rows: pages start it as a job (`start_index`). On PostgreSQL others go on writing
meanwhile, on SQLite they wait.
Rights: `layout.edit`. Errors: FieldError for a column that lists do not sort by. One that is stopped or fails leaves
nothing behind; where its process was killed, the next attempt takes away what PostgreSQL kept as invalid.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from flask_appadmin import jobs
from flask_appadmin.changes import known_specs
from flask_appadmin.database import database, engine, watched
from flask_appadmin.errors import FieldError
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import gettext
from flask_appadmin.jobs import Job, RunningJob
from flask_appadmin.lists import Order, sortable, tie_breaker
from flask_appadmin.rights import Operator, may_read_full
from flask_appadmin.specs import FieldSpec, ModelSpec

#: Who may arrange lists for others may also make them faster.
RIGHT = "layout.edit"

#: The kind of the job that makes one.
KIND = "index"

#: PostgreSQL cuts longer names.
_LONGEST_NAME = 60

#: So long between two looks at how far PostgreSQL is, in seconds.
_LOOK_SECONDS = 0.3

#: The parts of PostgreSQL's work that count something, and from which to which percent of the whole they go.
_PHASES = (
    ("building index: scanning table", 0, 40),
    ("building index: loading", 40, 70),
    ("index validation: scanning index", 70, 80),
    ("index validation: scanning table", 80, 99),
)

#: Told how many rows are done of how many, 0 of 0 where nobody knows; what it raises ends the work.
Watch = Callable[[int, int], None]


def _nobody(_done: int, _total: int) -> None:
    pass


def index_name(item: FieldSpec) -> str:
    return f"own_{item.model_name}_{item.column}"[:_LONGEST_NAME]


def may_index(item: FieldSpec) -> bool:
    """Whether an index helps the list of this column at all."""
    return sortable(item) and item.name != "id"


def indexed_columns(spec: ModelSpec) -> dict[str, bool]:
    """Column -> whether an administrator added its index, for all columns that an index begins with."""
    found: dict[str, bool] = {}
    invalid = _invalid()
    for index in database.get_indexes(spec.name):
        if index.columns and index.name not in invalid:
            column = index.columns[0]
            found[column] = found.get(column, True) and index.name.startswith("own_")
    return found


def _invalid() -> set[str]:
    """Indexes that PostgreSQL is still making or could not finish; nothing reads them."""
    if engine() == "sqlite":
        return set()
    asked = "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid"
    return {row[0] for row in database.execute_sql(asked).fetchall()}


def without_index(fields: Iterable[FieldSpec]) -> list[FieldSpec]:
    """Those of these fields whose lists an index could make faster and that have none, each once."""
    known: dict[str, dict[str, bool]] = {}
    missing = []
    for item in dict.fromkeys(fields):
        spec = known_specs().get(item.model_name)
        if spec is None or not may_index(item):
            continue
        if spec.name not in known:
            known[spec.name] = indexed_columns(spec)
        if item.column not in known[spec.name]:
            missing.append(item)
    return missing


def slow_fields(found: Filter, order: Order) -> tuple[list[FieldSpec], list[FieldSpec]]:
    """Why a list may be slow: the fields without an index that it is filtered and sorted by, and those whose
    comparison reads every row whatever the index („enthält“)."""
    asked = [item for part in found.conditions for item in sorted(part.seekable, key=lambda item: str(item.label))]
    if order.spec is not None:
        asked.append(order.spec)
    read = sorted(found.named - set(asked), key=lambda item: str(item.label))
    return without_index(asked), read


# --- making and removing ----------------------------------------------------------------------------------------------


def add_index(spec: ModelSpec, operator: Operator, name: str, watch: Watch = _nobody) -> FieldSpec:
    """Makes the index of a field; nothing where it has one. What `watch` raises stops it, and nothing is left."""
    item = _checked(spec, operator, name)
    if item.column in indexed_columns(spec):
        return item
    tie = tie_breaker(spec, Order(item))
    behind = tie.column if tie is not None else spec.model._meta.primary_key.column_name
    rest = f'IF NOT EXISTS "{index_name(item)}" ON "{spec.name}" ("{item.column}", "{behind}")'
    if engine() == "sqlite":
        with watched(lambda: watch(0, 0)):
            database.execute_sql(f"CREATE INDEX {rest}")
    elif database.in_transaction():
        database.execute_sql(f"CREATE INDEX {rest}")
    else:
        _drop(item)
        try:
            _create_beside(spec, f"CREATE INDEX CONCURRENTLY {rest}", watch)
        except BaseException:
            _drop(item)
            raise
    return item


def remove_index(spec: ModelSpec, operator: Operator, name: str) -> FieldSpec:
    """Takes away an index that was added here; those of the program stay."""
    item = _checked(spec, operator, name)
    _drop(item)
    return item


def _drop(item: FieldSpec) -> None:
    # Waiting for others is no matter here, stopping them is.
    how = "CONCURRENTLY " if engine() == "postgresql" and not database.in_transaction() else ""
    database.execute_sql(f'DROP INDEX {how}IF EXISTS "{index_name(item)}"')


def _create_beside(spec: ModelSpec, sql: str, watch: Watch) -> None:
    """Runs the statement on a connection of its own, so that this one can look how far it is, and stop it."""
    backend: list[int] = []
    faults: list[BaseException] = []

    def work() -> None:
        try:
            database.connect(reuse_if_open=True)
            backend.append(database.execute_sql("SELECT pg_backend_pid()").fetchone()[0])
            database.execute_sql(sql)
        except BaseException as fault:
            faults.append(fault)
        finally:
            database.close()

    rows = database.execute_sql("SELECT reltuples FROM pg_class WHERE relname = %s", (spec.name,)).fetchone()
    thread = threading.Thread(target=work, name=f"index-{spec.name}", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_LOOK_SECONDS)
            watch(*_progress(backend, max(int(rows[0]), 0) if rows else 0))
    except BaseException:
        while thread.is_alive():
            if backend:
                database.execute_sql("SELECT pg_cancel_backend(%s)", (backend[0],))
            thread.join(_LOOK_SECONDS)
        raise
    if faults:
        raise faults[0]


def _progress(backend: list[int], rows: int) -> tuple[int, int]:
    """How many of the rows are done, by the share of the work that is."""
    asked = (
        "SELECT phase, blocks_done, blocks_total, tuples_done, tuples_total FROM pg_stat_progress_create_index "
        "WHERE pid = %s"
    )
    found = database.execute_sql(asked, (backend[0],)).fetchone() if backend and rows else None
    if found is None:
        return 0, 0
    for phase, low, high in _PHASES:
        if found[0].startswith(phase):
            done, total = (found[1], found[2]) if found[2] else (found[3], found[4])
            return rows * (low + (high - low) * (done or 0) // max(total or 0, 1)) // 100, rows
    # It waits or sorts: as far as it was.
    return 0, 0


def _checked(spec: ModelSpec, operator: Operator, name: str) -> FieldSpec:
    operator.require(RIGHT)
    item = spec.by_name.get(name)
    if item is None or not may_index(item) or not may_read_full(operator, item):
        raise FieldError(name[:60], None, gettext("ist keine Spalte, nach der sich sortieren lässt."))
    return item


# --- in the background ------------------------------------------------------------------------------------------------


def start_index(spec: ModelSpec, operator: Operator, name: str, page: str = "") -> Job:
    """Puts the making of an index in the line of jobs; the one that is there already for one that is asked twice.

    page: the address of the page that shows the work.
    """
    item = _checked(spec, operator, name)
    for job in index_jobs(spec):
        if not job.is_ended and job.parameters.get("field") == item.name:
            return job
    title = gettext("Schnelle Spalte „%(label)s“ (%(plural)s)", label=str(item.label), plural=str(spec.plural))
    parameters = {"entity": spec.name, "field": item.name, "page": page}
    return jobs.start(KIND, title, parameters, operator)


def index_jobs(spec: ModelSpec) -> list[Job]:
    """The latest jobs that made or make an index of this table, whoever started them; the newest first."""
    found = Job.select().where(Job.kind == KIND).order_by(Job.id.desc()).limit(50)
    return [job for job in found if job.parameters.get("entity") == spec.name]


def run_index(run: RunningJob) -> None:
    """The job: makes the index, on SQLite together with the word that it is done."""
    spec = known_specs()[run.parameters["entity"]]
    name = str(run.parameters["field"])
    item = _checked(spec, run.operator, name)
    run.progress(0, 0, gettext("Alle Zeilen werden gelesen."))
    # On SQLite nothing can be told any more once the work has begun.
    run.tell()

    def watch(done: int, total: int) -> None:
        run.progress(max(done, run.done), total)

    if engine() == "postgresql":
        add_index(spec, run.operator, name, watch)
        run.message = _done(item)
        return

    def make() -> None:
        add_index(spec, run.operator, name, watch)
        run.message = _done(item)

    run.finish(make)


def _done(item: FieldSpec) -> str:
    return gettext("Nach „%(label)s“ sortiert und filtert die Liste jetzt schnell.", label=str(item.label))


jobs.register_job(KIND, run_index)

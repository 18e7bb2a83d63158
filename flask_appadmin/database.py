"""The connection: which engine, how a transaction is opened, and the columns every table has.

Shape: one `database` proxy for all models; `connect_database(url)` binds it. `Record` is the base of every model.
Units: times are UTC without zone. Errors: an unusable URL raises `DatabaseError` with a sentence.
Source: design.md section 3 (locking) and 11 (apsw, WAL, FULL, foreign keys, secure_delete); SQLite "How To Corrupt".
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import math
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import apsw
from peewee import (
    SQL,
    AutoField,
    Database,
    DatabaseProxy,
    DateTimeField,
    IntegerField,
    Model,
    NodeList,
    OperationalError,
    Value,
    __exception_wrapper__,
    fn,
)
from playhouse.apsw_ext import APSWDatabase

from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import _, format_decimal, gettext

#: The one database of this process; every model is bound to it.
database: Any = DatabaseProxy()

#: SQLite below this version can corrupt a WAL file that several processes write (sqlite.org/wal.html#walresetbug).
MINIMAL_SQLITE = (3, 51, 3)


#: So long may a question of a page run, in seconds; `set_read_limit` changes it.
_read_seconds = 5.0


class TooSlow(AppAdminError):
    """A question to the database took longer than it may; it was broken off, and nothing was changed."""

    title = _("Das dauerte zu lange")

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def sentence(self) -> str:
        return gettext(
            "Das Suchen, Filtern oder Sortieren dauerte länger als %(seconds)s Sekunden und wurde abgebrochen. "
            "Bitte grenzen Sie die Liste weiter ein oder sortieren Sie nach einer anderen Spalte.",
            seconds=format_decimal(Decimal(f"{self.seconds:g}")),
        )


class DatabaseError(AppAdminError):
    """The database cannot be opened or is not what it should be."""


class WriterBusy(AppAdminError):
    """Somebody holds the database of SQLite for longer than a request may wait; nothing was written.

    writer: whose large change it is, None where nobody said so.
    """

    status = 503
    title = _("Gerade wird viel geändert")

    def __init__(self, writer: Writer | None) -> None:
        super().__init__(writer)
        self.writer = writer

    def sentence(self) -> str:
        if self.writer is None:
            return gettext(
                "Ein anderer Vorgang schreibt gerade. Es wurde nichts gespeichert. "
                "Bitte speichern Sie gleich noch einmal."
            )
        left = self.writer.seconds_left
        text = gettext("Sammeländerung läuft (%(who)s: %(what)s)", who=self.writer.who, what=self.writer.what)
        if left is not None:
            text += gettext(", noch ca. %(seconds)s s", seconds=left)
        return text + gettext(". Es wurde nichts gespeichert. Bitte speichern Sie danach noch einmal.")


def _system_clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None, microsecond=0)


_now: Callable[[], datetime.datetime] = _system_clock


def utcnow() -> datetime.datetime:
    """The time now, UTC without zone, whole seconds. The one clock of the layer, so that tests can hold it still."""
    return _now()


@contextlib.contextmanager
def fixed_clock(moment: datetime.datetime) -> Iterator[None]:
    """Holds the clock still: for tests, and for demo data whose history lies in the past."""
    global _now
    before = _now
    _now = lambda: moment  # noqa: E731
    try:
        yield
    finally:
        _now = before


class KeyField(AutoField):
    """The database key. A number is never given twice, since histories name records by it after they are gone."""

    def ddl(self, context: Any) -> Any:
        node = super().ddl(context)
        is_sqlite = isinstance(database.obj, APSWDatabase)
        return NodeList((node, SQL("AUTOINCREMENT"))) if is_sqlite else node


class Record(Model):
    """A row of business data: every table has a key, a version that each change raises by one, and two times."""

    #: Fields that `validate` reads; a bulk change of other fields need not ask the rules.
    rule_fields: ClassVar[tuple[str, ...]] = ()

    #: The fields that `remarks` looks at.
    remark_fields: ClassVar[tuple[str, ...]] = ()
    #: Fields whose change makes other records change, too: see `follow`.
    follow_fields: ClassVar[tuple[str, ...]] = ()
    #: Field -> sentence where the usual one about a value that is taken already does not fit.
    unique_messages: ClassVar[dict[str, Any]] = {}
    #: Reference -> {own field: field of the record it leads to}. While the reference is filled, the own fields are
    #: those of the other record: taken over when it is set, changed with it afterwards, and not by hand.
    mirrors: ClassVar[dict[str, dict[str, str]]] = {}
    #: Field -> (deciding field, its values): it exists only while the other one has one of these values.
    shown_when: ClassVar[dict[str, tuple[str, tuple[Any, ...]]]] = {}
    #: Fields that `derive` reads; a change of others need not ask it. What it looks at is not set for many at once.
    derive_fields: ClassVar[tuple[str, ...]] = ()
    #: The field by which a row of a file names a child that is to go („Löschen Kategorie“); "" where files delete none.
    deleted_by: ClassVar[str] = ""
    #: A number that is a place in an order: a place behind the last one means one more child at the end.
    position_field: ClassVar[str] = ""
    #: Targets ("field" or "child.field") that an import of new records is asked for: what is answered is taken where
    #: the file has no value or no valid one.
    import_defaults: ClassVar[tuple[str, ...]] = ()
    #: Fields whose cell a new record from a file has to fill, where the file has a column for them.
    import_required: ClassVar[tuple[str, ...]] = ()
    #: The mode an import of this table begins with, where it is open to the operator; "" for the widest.
    import_mode: ClassVar[str] = ""
    #: How two of these records become one (`merging.Merging`), and by what one takes them for the same
    #: (`duplicates.Likeness`); None where they do not.
    merging: ClassVar[Any] = None
    likeness: ClassVar[Any] = None

    #: Operators may define further fields for it (`customfields`).
    takes_fields: ClassVar[bool] = False
    #: (field, value): records with this value are anonymised. Nobody changes them any more, and they have no children.
    sealed_when: ClassVar[tuple[str, Any] | None] = None

    id = KeyField()
    version = IntegerField(default=1)
    created_at = DateTimeField(default=utcnow)
    updated_at = DateTimeField(default=utcnow)

    class Meta:
        database = database
        legacy_table_names = False
        only_save_dirty = True

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterable[Exception]:
        """The rules over several fields: yields a FieldError for each that is broken.

        `values` has the fields named in `rule_fields` at least, foreign keys as keys; the rules of a single field
        (limits, codes, length) are checked before. `operation` is the running change set (kind, operator).
        """
        return ()

    @classmethod
    def remarks(cls, values: dict[str, Any]) -> Iterable[tuple[str, str]]:
        """What is odd about a record though it is taken: (field, sentence). `values` has the `remark_fields`."""
        return ()

    @classmethod
    def settle(cls, turns: list[Any], operation: Any) -> Iterable[Any]:
        """The rules over several rows, asked once everything of a change set is written: yields a fault for each that
        is broken, with the `place` of its row in the form. `turns` say what became of stored rows: `old` and `new`
        values (None for a row that went) and `place`."""
        return ()

    @classmethod
    def departures(cls, keys: Sequence[int]) -> dict[int, Any]:
        """What becomes of these records when somebody deletes them, and why some must stay: key -> a
        `changes.Departure`; those that are not named go with their children. Asked in sets."""
        return {}

    @classmethod
    def held_by(cls, keys: Sequence[int]) -> dict[int, str]:
        """Key -> what keeps a record from being removed beside the references to it, in words. Asked in sets."""
        return {}

    @classmethod
    def starting_values(cls, operator: Any) -> dict[str, Any]:
        """What new records start with beside the defaults of their fields, from settings or by who makes them; asked
        once for the records of a form or a file, and the preset of a layout comes before it (`propose_many` looks at
        each record and comes after both)."""
        return {}

    @classmethod
    def find_by_words(cls, words: str) -> int | None:
        """The key of the record that people also name so (a country in another language); asked when nothing else
        fits."""
        return None

    @classmethod
    def derive(cls, old: dict[str, Any], values: dict[str, Any], operation: Any) -> dict[str, Any]:
        """What else becomes of a record when some of its values change: further fields with their new values.

        `old` is the record as it is stored, `values` as it is going to be; both have `derive_fields` at least.
        """
        return {}

    @classmethod
    def absent_fields(cls) -> frozenset[str]:
        """Fields that this installation does without: no form shows them, what is stored in them stays."""
        return frozenset()

    @classmethod
    def offered(cls) -> Any:
        """A condition on the records that forms offer where others refer to them; None for all. Lists find all."""
        return None

    @classmethod
    def provisional(cls) -> dict[str, tuple[Any, str]]:
        """What an empty form shows in fields that `prepare_many` fills: field -> (value or None, a word about it)."""
        return {}

    @classmethod
    def prepare(cls, values: dict[str, Any], operation: Any) -> None:
        """Completes the values of a new record inside the saving transaction (numbers, texts made of others)."""

    @classmethod
    def prepare_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        """The same for many new records at once; override it where one question can serve them all."""
        for values in rows:
            cls.prepare(values, operation)

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        """Fills what new records take over from those they refer to, where a row does not name the field at all: for
        each record what depends on it, in every kind of operation (`starting_values` are the same for all of a form).

        It is asked before the defaults are filled in, and by an empty form or row of a form, which shows what it finds
        (without an operation; the owner of a row may be None); a field that somebody left empty on purpose is named and
        stays so.
        """

    @classmethod
    def hand_on(cls, keys: Sequence[int], operator: Any, outbox: Any) -> tuple[int, list[str]]:
        """What other systems get of records that a file has made or changed: called once all of them are stored.

        `outbox` is the folder for such files. Answers how many were laid down there, and a sentence for each one that
        could not be: nothing of it takes the import back.
        """
        return 0, []

    @classmethod
    def follow(cls, written: Sequence[Any], operation: Any) -> Iterable[Any]:
        """What else changes because these records were made or changed in `follow_fields`: steps of the same set.

        `written` are `changes.Written`; the answers are `changes.NewRecord` and `changes.Update`. They are written with
        the right of the rule, not of the operator, stand in the same history and are taken back with it.
        """
        return ()


#: A form with all its tabs asks some 130 questions; a statement that is not kept is compiled anew each time.
_KEPT_STATEMENTS = 400


class _SQLite(APSWDatabase):
    """apsw's SQLite with the settings that durability rests on."""

    def _connect(self) -> apsw.Connection:
        connection = super()._connect()
        connection.convert_binding = _bind
        for name, change in LETTERS.items():
            connection.create_scalar_function(name, change, 1, deterministic=True)
        connection.set_busy_handler(_Waiting(self.timeout))
        return connection

    def begin(self, lock_type: str | None = None, **kwargs: Any) -> None:
        # A deferred transaction that reads and then writes fails at once with "database is locked" when another
        # one wrote in between (measured: 621 of 800); taking the write lock first waits instead.
        super().begin(lock_type or "IMMEDIATE", **kwargs)


# --- one writer at a time: who it is, and how long others wait --------------------------------------------------------

#: So long a request waits for a large change, in seconds, before it says what runs.
_WAIT_FOR_LARGE = 10.0
#: A note that was not renewed for so long is of a process that has gone.
_NOTE_SECONDS = 60.0
#: The pauses of SQLite's own waiting, in seconds; the last one goes on.
_PAUSES = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.025, 0.025, 0.05, 0.05, 0.1)

_patience = threading.local()
#: The note of the large change that this thread is writing.
_written = threading.local()


@dataclass(frozen=True)
class Writer:
    """A large change that keeps the one write lock of SQLite: the job (0 for none), whose, what, how far, since when.

    `began` and `told` are seconds of the epoch. It stands in a file beside the database, since nobody can read of it in
    the database before it is done.
    """

    job: int
    who: str
    what: str
    began: float
    told: float
    done: int = 0
    total: int = 0
    host: str = ""
    pid: int = 0

    @property
    def seconds_left(self) -> int | None:
        """How long it still takes at the pace so far, None while nobody knows."""
        if not 0 < self.done <= self.total:
            return None
        return math.ceil((self.told - self.began) * (self.total - self.done) / self.done)

    @property
    def is_there(self) -> bool:
        """Whether the process that wrote the note can still be working."""
        if time.time() - self.told > _NOTE_SECONDS:
            return False
        if self.host != socket.gethostname():
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True


def _note_path(ending: str) -> Path | None:
    target = database.obj
    return Path(f"{target.database}-{ending}") if isinstance(target, APSWDatabase) else None


def current_writer() -> Writer | None:
    """The large change that keeps others from writing now; always None on PostgreSQL, where they need not wait."""
    path = _note_path("writer")
    if path is None:
        return None
    try:
        writer = Writer(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return writer if writer.is_there else None


def ask_writer_to_stop(job: int) -> bool:
    """Tells the process that writes for this job to stop; answers whether it is the one that writes now."""
    writer = current_writer()
    path = _note_path("stop")
    if writer is None or path is None or writer.job != job:
        return False
    path.write_text(str(job), encoding="utf-8")
    return True


class WriterNote:
    """The note of a large change in this process; see `writing`."""

    def __init__(self, who: str, what: str, job: int) -> None:
        now = time.time()
        self._writer = Writer(job, who, what, now, now, host=socket.gethostname(), pid=os.getpid())
        self._path, self._stop = _note_path("writer"), _note_path("stop")

    def tell(self, done: int, total: int) -> None:
        """Renews the note, at most some times a second."""
        if time.time() - self._writer.told >= 0.25:
            self._writer = replace(self._writer, told=time.time(), done=done, total=total)
            self._write()

    @property
    def stop_wanted(self) -> bool:
        """Whether somebody in another process asked this one to stop."""
        if self._stop is None:
            return False
        try:
            return self._stop.read_text(encoding="utf-8") == str(self._writer.job)
        except OSError:
            return False

    def _write(self) -> None:
        if self._path is not None:
            part = self._path.with_name(f"{self._path.name}.{os.getpid()}")
            part.write_text(json.dumps(self._writer.__dict__), encoding="utf-8")
            part.replace(self._path)

    def __enter__(self) -> WriterNote:
        self._write()
        _written.note = self
        return self

    def __exit__(self, *_fault: Any) -> None:
        _written.note = None
        for path in (self._path, self._stop):
            if path is not None:
                path.unlink(missing_ok=True)


def writing(who: str, what: str, *, job: int = 0) -> WriterNote:
    """Tells all who wait for the write lock who keeps it. Inside of a transaction, so that there is one at a time."""
    return WriterNote(who, what, job)


def is_told() -> bool:
    """Whether a note tells already what this thread writes."""
    return getattr(_written, "note", None) is not None


@contextlib.contextmanager
def waiting(seconds: float) -> Iterator[None]:
    """How this thread waits inside for SQLite's write lock: 0 gives up at once, `math.inf` stands in line behind large
    changes."""
    before = getattr(_patience, "seconds", None)
    _patience.seconds = seconds
    try:
        yield
    finally:
        _patience.seconds = before


class _Waiting:
    """Asked by SQLite whether to wait once more for the lock; False ends it with "database is locked".

    A request waits for an ordinary writer as long as the connection allows, and for a large change only if that is
    going to be done soon: the operator then reads what runs and how long. Work in the background stands in line.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since = 0.0

    def __call__(self, turn: int) -> bool:
        now = time.monotonic()
        if not turn:
            self._since = now
        longest = getattr(_patience, "seconds", None)
        waited = now - self._since
        if longest == 0:
            return False
        if longest is None and waited > 1.0 and not turn % 5:
            writer = current_writer()
            left = (writer.seconds_left or 0) if writer is not None else 0
            if writer is not None and (waited > _WAIT_FOR_LARGE or left > _WAIT_FOR_LARGE - waited):
                return False
        if waited >= self._seconds and not (longest == math.inf and current_writer() is not None):
            return False
        time.sleep(_PAUSES[min(turn, len(_PAUSES) - 1)])
        return True


def busy_fault(fault: BaseException) -> WriterBusy | None:
    """What to say of a lock that could not be had: who keeps it, as far as that is known; None for another fault."""
    wrapped = (fault, fault.__cause__, fault.__context__)
    if not any(isinstance(inner, apsw.BusyError) for inner in wrapped):
        return None
    return WriterBusy(current_writer())


def _letter_by_letter(change: Callable[[str], str]) -> Callable[[Any], Any]:
    """lower() and upper() for all letters, as PostgreSQL has them; SQLite's own know ASCII only. „ß“ stays „ß“."""

    def changed(value: Any) -> Any:
        if not isinstance(value, str) or value.isascii():
            return change(value) if isinstance(value, str) else value
        return "".join(other if len(other := change(letter)) == 1 else letter for letter in value)

    return changed


#: Functions that SQLite gets under these names.
LETTERS = {"appadmin_lower": _letter_by_letter(str.lower), "appadmin_upper": _letter_by_letter(str.upper)}


def _bind(cursor: Any, number: Any, value: Any) -> str:
    """SQLite keeps dates and times as text; apsw asks here for values it has no type for."""
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    raise TypeError(f"no SQLite value for {type(value).__name__}")


_SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "secure_delete": 1,
    # In memory, a large change inside another transaction would keep the old pages of all that it touches there.
    "temp_store": "file",
    "cache_size": -32_000,
    "mmap_size": 0,
}


def connect_database(url: str, *, timeout_seconds: float = 30.0) -> Database:
    """Binds `database` to the URL: `sqlite:///relative`, `sqlite:////absolute`, or `postgresql://user:pw@host/name`."""
    parts = urlsplit(url)
    target: Database
    if parts.scheme == "sqlite":
        path = unquote(url.split("sqlite:///", 1)[1]) if url.startswith("sqlite:///") else ""
        if not path:
            raise DatabaseError(gettext("Die Datenbank-Adresse ist unvollständig: nach sqlite:/// fehlt die Datei."))
        version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
        if version < MINIMAL_SQLITE:
            raise DatabaseError(
                gettext("SQLite %(version)s ist zu alt; nötig ist 3.51.3.", version=apsw.sqlite_lib_version())
            )
        target = _SQLite(path, timeout=timeout_seconds, pragmas=_SQLITE_PRAGMAS, statementcachesize=_KEPT_STATEMENTS)
    elif parts.scheme in ("postgresql", "postgres"):
        from playhouse.pool import PooledPostgresqlDatabase

        options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        target = PooledPostgresqlDatabase(
            unquote(parts.path.lstrip("/")),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            host=options.pop("host", parts.hostname),
            port=parts.port or options.pop("port", None),
            prefer_psycopg3=True,
            max_connections=32,
            stale_timeout=300,
            timeout=timeout_seconds,
            **options,
        )
    else:
        raise DatabaseError(
            gettext(
                "Die Datenbank-Adresse beginnt mit „%(scheme)s“; möglich sind sqlite und postgresql.",
                scheme=parts.scheme,
            )
        )
    disconnect_database()
    database.initialize(target)
    return target


def disconnect_database() -> None:
    """Closes this thread's connection and forgets the database; pooled connections of PostgreSQL are closed too."""
    if database.obj is None:
        return
    if not database.is_closed():
        database.close()
    if hasattr(database.obj, "close_all"):
        database.obj.close_all()
    database.initialize(None)


def engine() -> str:
    """ "sqlite" or "postgresql"."""
    return "sqlite" if isinstance(database.obj, APSWDatabase) else "postgresql"


def measure_table(name: str) -> None:
    """Before a join of many rows: has PostgreSQL count a table that was filled a moment ago and never counted yet.

    It takes a table with a hundred columns for one row then, and reads all of it for every row of the other
    one: 25 s instead of a twentieth to take back one field of 4,300 records. From the first count on it knows.
    """
    if engine() != "postgresql":
        return
    never = "SELECT relpages = 0 AND pg_relation_size(oid) > 0 FROM pg_class WHERE oid = to_regclass(%s)"
    row = database.execute_sql(never, (f'"{name}"',)).fetchone()
    if row is not None and row[0]:
        database.execute_sql(f'ANALYZE "{name}"')


#: How often a transaction that PostgreSQL refused for the sake of another one is tried again.
_RETRIES = 5


@contextlib.contextmanager
def transaction() -> Iterator[Any]:
    """Everything inside is written together or not at all. Inside another one it is a savepoint."""
    database.connect(reuse_if_open=True)
    with database.atomic() as context:
        yield context


def in_transaction(work: Callable[[], Any]) -> Any:
    """Runs `work` in a transaction of its own, again when the engine gave way to another one (40001, 40P01)."""
    for attempt in range(_RETRIES):
        try:
            with transaction():
                return work()
        except OperationalError as fault:
            busy = busy_fault(fault)
            if busy is not None:
                raise busy from fault
            state = getattr(getattr(fault, "__cause__", None), "sqlstate", None) or getattr(
                getattr(fault, "orig", None), "sqlstate", None
            )
            if state not in ("40001", "40P01") or attempt == _RETRIES - 1:
                raise
            time.sleep(random.uniform(0.01, 0.1) * (attempt + 1))
    raise AssertionError("unreachable")


def set_read_limit(seconds: float) -> None:
    """How long a question of a page may run."""
    global _read_seconds
    _read_seconds = seconds


@contextlib.contextmanager
def limited(seconds: float | None = None) -> Iterator[None]:
    """Breaks off questions that run longer, with TooSlow: on SQLite all inside together, on PostgreSQL each of them."""
    longest = _read_seconds if seconds is None else seconds
    database.connect(reuse_if_open=True)
    connection = database.connection()
    if engine() == "sqlite":
        until, mark = time.monotonic() + longest, object()
        connection.set_progress_handler(lambda: time.monotonic() > until, 20_000, id=mark)
        try:
            yield
        except (apsw.InterruptError, OperationalError) as fault:
            # Broken off while it is fetched it is apsw's own fault; at its start Peewee has wrapped it.
            wrapped = (fault, fault.__cause__, fault.__context__)
            if any(isinstance(inner, apsw.InterruptError) for inner in wrapped):
                raise TooSlow(longest) from None
            raise
        finally:
            connection.set_progress_handler(None, id=mark)
        return
    before = connection.execute("SHOW statement_timeout").fetchone()[0] if seconds is not None else "0"
    connection.execute(f"SET statement_timeout = {max(int(longest * 1000), 1)}")
    try:
        yield
    except OperationalError as fault:
        if getattr(fault.__cause__ or getattr(fault, "orig", None), "sqlstate", None) == "57014":
            raise TooSlow(longest) from None
        raise
    finally:
        # In a transaction that failed the setting goes with it.
        with contextlib.suppress(Exception):
            connection.execute(f"SET statement_timeout = '{before}'")


@contextlib.contextmanager
def watched(look: Callable[[], None]) -> Iterator[None]:
    """Calls `look` now and then while SQLite works; what it raises breaks the statement off and comes out here."""
    database.connect(reuse_if_open=True)
    connection, mark = database.connection(), object()
    raised: list[BaseException] = []

    def asked() -> bool:
        try:
            look()
        except BaseException as fault:
            raised.append(fault)
        return bool(raised)

    connection.set_progress_handler(asked, 20_000, id=mark)
    try:
        yield
    except (apsw.InterruptError, OperationalError):
        if raised:
            raise raised[0] from None
        raise
    finally:
        connection.set_progress_handler(None, id=mark)


@contextlib.contextmanager
def read_only(seconds: float) -> Iterator[None]:
    """Statements inside can only read, and are broken off with TooSlow when they run longer."""
    database.connect(reuse_if_open=True)
    if database.in_transaction():
        # What a transaction may do cannot be changed on its way; nobody asks with one open but set-up and tests.
        with limited(seconds):
            yield
    elif engine() == "sqlite":
        database.execute_sql("PRAGMA query_only = 1")
        try:
            with limited(seconds):
                yield
        finally:
            database.execute_sql("PRAGMA query_only = 0")
    else:
        with limited(seconds), database.atomic():
            database.execute_sql("SET TRANSACTION READ ONLY")
            yield


def execute_many(sql: str, rows: Iterable[Any]) -> None:
    """Runs a statement for each row. What the engine refuses comes as Peewee's own fault, as from its queries."""
    with __exception_wrapper__:
        database.cursor().executemany(sql, rows)


#: About so many values are stored by one statement; rows that have more than half of it are stored one by one.
_VALUES_AT_ONCE = 240


def insert_many(head: str, marks: str, rows: Iterable[Sequence[Any]]) -> None:
    """Stores rows of the same width by `INSERT … VALUES` and "(?, …)", several with each statement where they are
    narrow: most of the time is spent between the rows. Faults as of `execute_many`."""
    rows = list(rows)
    if not rows:
        return
    count = _VALUES_AT_ONCE // max(len(rows[0]), 1)
    whole = len(rows) - len(rows) % count if count > 2 and len(rows) > count else 0
    if whole:
        parts = (tuple(itertools.chain.from_iterable(rows[at : at + count])) for at in range(0, whole, count))
        execute_many(f"{head} {', '.join([marks] * count)}", parts)
    if whole < len(rows):
        execute_many(f"{head} {marks}", rows[whole:])


class Prepared:
    """A query whose SQL is made once for each engine, for what every page asks: making it costs more than running it.

    `make` answers the query; it is called with a blank for each value and puts the blanks where the values go. Calling
    a Prepared with the values answers the rows as tuples of Python values.
    """

    def __init__(self, make: Callable[..., Any], blanks: int) -> None:
        self._make = make
        self._blanks = [object() for _number in range(blanks)]
        self._made: dict[str, tuple[str, list[int | None], list[Any], list[Any]]] = {}

    def __call__(self, *values: Any) -> list[tuple[Any, ...]]:
        return self.read(self.stored(*values))

    def stored(self, *values: Any) -> list[tuple[Any, ...]]:
        """The rows as the engine answers them, good for finding out whether they are as before."""
        made = self._made.get(engine())
        if made is None:
            made = self._made[engine()] = self._prepare()
        sql, blanks, fixed, _fields = made
        filled = [value if at is None else values[at] for at, value in zip(blanks, fixed, strict=True)]
        rows: list[tuple[Any, ...]] = database.execute_sql(sql, filled).fetchall()
        return rows

    def read(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Rows that `stored` answered, as Python values."""
        makers = [field.python_value for field in self._made[engine()][3]] if rows else []
        return [
            tuple(None if value is None else make(value) for make, value in zip(makers, row, strict=True))
            for row in rows
        ]

    def _prepare(self) -> tuple[str, list[int | None], list[Any], list[Any]]:
        query = self._make(*(Value(blank, converter=False) for blank in self._blanks))
        sql, params = query.sql()
        blanks = [next((at for at, blank in enumerate(self._blanks) if blank is given), None) for given in params]
        return sql, blanks, list(params), list(query.selected_columns)


def key_condition(primary_key: Any, keys: Iterable[int]) -> Any:
    """`primary_key IN (…)` for any number of keys, written into the SQL as numbers (engines limit placeholders)."""
    numbers = [int(key) for key in keys]
    if len(numbers) <= 200:
        return primary_key.in_(numbers)
    return primary_key.in_(SQL(f"({key_list_sql(numbers)})"))


def key_list_sql(keys: Iterable[int]) -> str:
    """What stands in the brackets of `IN (…)` for any number of keys."""
    numbers = [int(key) for key in keys]
    listed = ",".join(map(str, numbers))
    if len(numbers) <= 200:
        return listed
    if engine() == "sqlite":
        return f"SELECT value FROM json_each('[{listed}]')"
    return f"SELECT unnest('{{{listed}}}'::bigint[])"


def value_condition(column: Any, values: Iterable[Any]) -> Any:
    """`column IN (…)` for many texts or whole numbers: a placeholder for each takes longer than finding the rows."""
    wanted = list(values)
    if len(wanted) <= 20 or len(kinds := set(map(type, wanted))) > 1 or not kinds <= {str, int}:
        return column.in_(wanted)
    if kinds == {int}:
        return key_condition(column, wanted)
    if engine() == "sqlite":
        return column.in_(SQL("(SELECT value FROM json_each(?))", (json.dumps(wanted),)))
    return column == fn.ANY(Value(wanted, converter=False, unpack=False))

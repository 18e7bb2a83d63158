"""Stores very many rows at once: for demo data and other first fillings, where no rule has to be asked.

Shape: a `Loader` is a context; inside it `store` takes rows of one table in the order of its declared columns and
`index` the search texts of new records. Values are those the database keeps (money as whole numbers, dates as ISO
text); columns that are not named get their defaults. All is one transaction: after an error nothing is there.
Whoever loads answers for the values; references and unique columns are still checked by the database.
Speed, why it is as it is: constants stand in the statement instead of being bound for each row, and a statement stores
several narrow rows; secondary indexes of large loads are made once at the end; PostgreSQL gets COPY, whose missing
columns take defaults that exist only within the transaction; the search index collects in memory before it writes, or
is built beside the database by another process.
Source: design.md section 12; figures in docs/decisions/loading.md.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

import peewee

from flask_appadmin import search
from flask_appadmin.changes import record_loading
from flask_appadmin.database import database, engine, execute_many, transaction, utcnow
from flask_appadmin.rights import Operator
from flask_appadmin.specs import FieldSpec, ModelSpec

#: From so many new records on the secondary indexes are dropped and made again.
_MANY = 5_000
#: Memory for pages (KiB) and for the collecting search index (bytes) while a load runs on SQLite.
_CACHE_KIB, _SEARCH_BYTES, _SEARCH_BYTES_BEFORE = 262_144, 67_108_864, 1_048_576
#: About so many values are stored by one statement; rows that have more than half of it are stored one by one.
_VALUES_AT_ONCE = 240


class Loader:
    """One load of several tables; `tables` names the columns (field names) of each by its spec."""

    def __init__(self, tables: Mapping[ModelSpec, Sequence[str]], *, expected: int, main: ModelSpec) -> None:
        """`expected`: about how many records of `main` come; it decides whether indexes are worth dropping."""
        self.main = main
        self.counts: dict[str, int] = {spec.name: 0 for spec in tables}
        self._tables = {spec.name: (spec, tuple(spec.field(name) for name in names)) for spec, names in tables.items()}
        self._statements: dict[str, str] = {}
        #: Table -> the statement for several rows at once, and how many.
        self._wide_statements: dict[str, tuple[str, int]] = {}
        self._index_file: Callable[[], Path] | None = None
        self._expected = expected
        self._dropped: list[str] = []
        #: Words of the texts that were indexed here.
        self._words: set[str] = set()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Loader:
        self._stack.enter_context(transaction())
        try:
            self._prepare()
        except BaseException as fault:
            self._stack.__exit__(type(fault), fault, fault.__traceback__)
            raise
        return self

    def __exit__(self, kind: Any, fault: Any, trace: Any) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as late:
            self._stack.__exit__(type(late), late, late.__traceback__)
            raise
        self._stack.__exit__(kind, fault, trace)
        if engine() == "sqlite":
            database.execute_sql(f"PRAGMA cache_size = {self._cache_size}")
            if kind is None:
                # So that the planner knows how large the tables are now.
                database.execute_sql("PRAGMA optimize")

    def _prepare(self) -> None:
        if engine() == "sqlite":
            self._cache_size = database.execute_sql("PRAGMA cache_size").fetchone()[0]
            database.execute_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")
        if self._expected >= _MANY and self._expected * 4 >= self.main.model.select().count():
            self._drop_indexes()
        for name, (spec, items) in self._tables.items():
            columns = ", ".join(f'"{item.column}"' for item in items)
            fixed = _constants(spec, {item.name for item in items})
            if engine() == "sqlite":
                more = "".join(f', "{column}"' for column in fixed)
                marks = ", ".join(["?"] * len(items) + list(fixed.values()))
                self._statements[name] = f'INSERT INTO "{name}" ({columns}{more}) VALUES ({marks})'
                count = _VALUES_AT_ONCE // len(items)
                if count > 2:
                    several = ", ".join([f"({marks})"] * count)
                    self._wide_statements[name] = (f'INSERT INTO "{name}" ({columns}{more}) VALUES {several}', count)
            else:
                self._statements[name] = f'COPY "{name}" ({columns}) FROM STDIN'
                if fixed:
                    steps = (f'ALTER "{column}" SET DEFAULT {value}' for column, value in fixed.items())
                    database.execute_sql(f'ALTER TABLE "{name}" {", ".join(steps)}')
            if engine() == "sqlite" and search.has_index(spec):
                _set_search_memory(spec, _SEARCH_BYTES)

    def _drop_indexes(self) -> None:
        """Drops the indexes that only speed up reading; unique ones stay, for they guard."""
        names = list(self._tables)
        if engine() == "postgresql" and search.has_index(self.main):
            names.append(search.index_name(self.main))
        for name in names:
            for found in database.get_indexes(name):
                if not found.unique and found.sql and not _stays_empty(found, self._tables.get(name)):
                    self._dropped.append(found.sql)
                    database.execute_sql(f'DROP INDEX "{found.name}"')
        if engine() == "postgresql":
            self._drop_references()

    def _drop_references(self) -> None:
        """Drops the references of the tables; made again at the end, they are checked by one join each.

        PostgreSQL queues a check per row and reference, even where the reference is empty: sixty for a wide row.
        """
        found = database.execute_sql(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])",
            ([f'"{name}"' for name in self._tables],),
        ).fetchall()
        for table, name, definition in found:
            self._dropped.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
            database.execute_sql(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')

    def store(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Stores rows of a table."""
        if not rows:
            return
        self.counts[table] += len(rows)
        if engine() == "sqlite":
            rest = rows
            if table in self._wide_statements:
                # Half the time of rows stored one by one: most of it is spent between the rows.
                statement, count = self._wide_statements[table]
                whole = len(rows) - len(rows) % count
                parts = (tuple(chain.from_iterable(rows[at : at + count])) for at in range(0, whole, count))
                database.cursor().executemany(statement, parts)
                rest = rows[whole:]
            database.cursor().executemany(self._statements[table], rest)
        else:
            _copy(self._statements[table], rows)

    def index(self, texts: Sequence[search.Text]) -> None:
        """Puts new records of the main table into its search index, by texts from `TextMaker`."""
        for text in texts:
            self._words.update(text[1].split(), text[2].split())
        if engine() == "sqlite":
            execute_many(f'INSERT INTO "{search.index_name(self.main)}"(rowid, title, other) VALUES (?, ?, ?)', texts)
        else:
            columns = "id, title, other, words"
            rows = [(*text, _tsvector(text)) for text in texts]
            _copy(f'COPY "{search.index_name(self.main)}" ({columns}) FROM STDIN', rows)

    def index_from(self, ready: Callable[[], Path]) -> None:
        """Takes the search index from an `IndexFile` instead; `ready` waits for it at the end and says where it is."""
        self._index_file = ready

    def _finish(self) -> None:
        if engine() == "postgresql":
            # Tables with references still to be checked cannot be altered.
            database.execute_sql("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in self._dropped:
            database.execute_sql(statement)
        if self._index_file is not None:
            search.adopt_index(self.main, self._index_file())
        search.add_words(self.main, self._words)
        for name, (spec, items) in self._tables.items():
            if engine() == "sqlite":
                if search.has_index(spec):
                    _set_search_memory(spec, _SEARCH_BYTES_BEFORE)
                continue
            fixed = _constants(spec, {item.name for item in items})
            if fixed:
                steps = (f'ALTER "{column}" DROP DEFAULT' for column in fixed)
                database.execute_sql(f'ALTER TABLE "{name}" {", ".join(steps)}')
            if self.counts[name] and any(item.name == "id" for item in items):
                database.execute_sql(
                    f"SELECT setval(pg_get_serial_sequence('\"{name}\"', 'id'), (SELECT max(id) FROM \"{name}\"))"
                )
            database.execute_sql(f'ANALYZE "{name}"')

    def record(self, operator: Operator, title: str) -> int:
        """Notes the load in the history; answers the key of its set."""
        return record_loading(operator, self.main, self.counts[self.main.name], title)


def _stays_empty(index: Any, table: tuple[ModelSpec, Sequence[FieldSpec]] | None) -> bool:
    """Whether a partial index leaves out all that is loaded; keeping it is cheaper than looking for its rows later."""
    if table is None or " WHERE " not in index.sql:
        return False
    return not {item.column for item in table[1]} & set(index.columns)


def _tsvector(text: search.Text) -> str:
    """The entries of a text as PostgreSQL reads them from a file; words have no quotes."""
    return " ".join(f"'{word}'" for word in search.lexemes(text))


def _copy(statement: str, rows: Sequence[Sequence[Any]]) -> None:
    with database.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


@contextlib.contextmanager
def first_filling(main: ModelSpec) -> Iterator[None]:
    """Around the transaction that first fills an empty table of an SQLite database which nobody else has open.

    Pages go straight into the file, once, instead of through the log, and the disk is waited for at the end only: a
    power cut before that can cost the database, which had no records of `main` yet. A fault or a killed process cannot.
    """
    database.connect(reuse_if_open=True)
    if engine() != "sqlite" or database.in_transaction() or main.model.select().exists():
        yield
        return
    try:
        database.execute_sql("PRAGMA journal_mode = truncate")
    except peewee.OperationalError:
        # Somebody else has it open: the usual way is only slower.
        yield
        return
    path = next(row[2] for row in database.execute_sql("PRAGMA database_list") if row[1] == "main")
    database.execute_sql("PRAGMA synchronous = off")
    try:
        yield
    finally:
        database.execute_sql("PRAGMA synchronous = full")
        handle = os.open(path, os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        # Where somebody opened it meanwhile, the next connection sets it.
        with contextlib.suppress(peewee.OperationalError):
            database.execute_sql("PRAGMA journal_mode = wal")


def _constants(spec: ModelSpec, given: set[str]) -> dict[str, str]:
    """Column -> SQL literal for the columns that must be filled and are not given."""
    moment = utcnow().isoformat(" ")
    system = {"version": "1", "created_at": f"'{moment}'", "updated_at": f"'{moment}'"}
    found: dict[str, str] = {}
    for item in spec.fields:
        if item.name in given or item.name == "id" or (item.nullable and item.name not in system):
            continue
        found[item.column] = system.get(item.name) or _literal(item)
    return found


def _literal(item: FieldSpec) -> str:
    value = item.column_field.db_value(item.default_value())
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if value is None:
        raise ValueError(f"{item.model_name}.{item.name} has no default and must be loaded")
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return "'" + text.replace("'", "''") + "'"


def _set_search_memory(spec: ModelSpec, size: int) -> None:
    name = search.index_name(spec)
    database.execute_sql(f'INSERT INTO "{name}"("{name}", rank) VALUES (\'hashsize\', {size})')


class TextMaker:
    """Makes the search texts of new records from the very rows that are stored, without reading them again.

    It holds positions and no models, so that it can be sent to another process.
    """

    def __init__(self, tables: Mapping[ModelSpec, Sequence[str]], main: ModelSpec) -> None:
        self._main = main.name
        self._key = list(tables[main]).index("id")
        self._own = _positions(main, tables[main])
        self._children = []
        for child, fields in search.searched_children(main):
            if child in tables:
                owner = child.owner
                assert owner is not None
                place = list(tables[child]).index(owner.name)
                self._children.append((child.name, place, _positions(child, tables[child], fields)))

    def texts(self, batch: Mapping[str, Sequence[Sequence[Any]]]) -> list[search.Text]:
        """The text of each new record of the main table in the batch, with its children's words."""
        titles: dict[int, list[str]] = {}
        others: dict[int, list[str]] = {}
        special: dict[int, list[str]] = {}
        key = itemgetter(self._key)
        for row in batch[self._main]:
            titles[key(row)], others[key(row)], special[key(row)] = [], [], []
        for name, place, positions in ((self._main, self._key, self._own), *self._children):
            owner = itemgetter(place)
            for row in batch.get(name, ()):
                for position in positions.title:
                    value = row[position]
                    if value is not None:
                        titles[owner(row)].append(value if value.__class__ is str else str(value))
                words = others[owner(row)]
                for position in positions.plain:
                    value = row[position]
                    if value is not None:
                        words.append(value if value.__class__ is str else str(value))
                for item, position in positions.special:
                    value = row[position]
                    if value is not None:
                        special[owner(row)] += item(value)
        named = search.fold_all([" ".join(words) for words in titles.values()])
        folded = search.fold_all([" ".join(words) for words in others.values()])
        return [
            search.text_of(number, title.split(), [*text.split(), *more])
            for (number, more), title, text in zip(special.items(), named, folded, strict=True)
        ]


@dataclass(frozen=True)
class _Positions:
    """Where the searchable values of a row stand: words of the title, other words, and values with rules of their own
    (each with what makes words of it)."""

    title: list[int]
    plain: list[int]
    special: list[tuple[Callable[[str], list[str]], int]]


def _positions(spec: ModelSpec, names: Sequence[str], fields: Iterable[FieldSpec] | None = None) -> _Positions:
    order = list(names)
    items = [item for item in (fields or search.indexed_fields(spec)) if item.name in order]
    plain = [item for item in items if item.kind != "phone" and not item.masked]
    titles = {item.name for item in spec.title_specs} if spec.owner is None else set()
    return _Positions(
        [order.index(item.name) for item in plain if item.name in titles],
        [order.index(item.name) for item in plain if item.name not in titles],
        [
            (search.masked_words if item.masked else search.phone_words, order.index(item.name))
            for item in items
            if item not in plain
        ],
    )

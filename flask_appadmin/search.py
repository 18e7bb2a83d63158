"""The search box: which records contain these words, however they are spelt.

Shape: for every model with searchable fields there is an index of one folded text per record, its own fields and those
of its children: FTS5 with trigrams on SQLite, a column with a pg_trgm index on PostgreSQL. `fold` makes Müller, Mueller
and MULLER the same, Straße and Strasse, and drops punctuation; phones are kept as digits, too. The change gateway calls
`refresh` in its own transaction, so the index is never older than the records.
Limits: parts of words need three characters; shorter words are looked up as the beginning of a title field. Masked
fields are not in the index: a part of a bank number must not be guessable by searching.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import apsw
import peewee

from flask_appadmin.database import database, engine, key_condition
from flask_appadmin.rights import Operator
from flask_appadmin.specs import FieldSpec, ModelSpec

_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_COMBINING = re.compile("[\u0300-\u036f]")
_NO_WORD = re.compile(r"[\W_]+")
_UMLAUT_PAIRS = re.compile("([aou])e")
_NO_DIGIT = re.compile(r"\D+")
_ONLY_DIGITS = {code: None for code in range(128) if not chr(code).isdigit()}

#: The index on SQLite, with its own copy of the text: a contentless one could not wipe the words of a removed record.
_FTS5 = "fts5(text, tokenize='trigram', columnsize=0)"


def fold(text: str) -> str:
    """„Müller & Söhne“ -> "muller sohne"; both spellings of an umlaut become its vowel, in index and question alike."""
    text = text.lower()
    if not text.isascii():
        text = _COMBINING.sub("", unicodedata.normalize("NFKD", text.translate(_LETTERS)))
    return _NO_WORD.sub(" ", _UMLAUT_PAIRS.sub(r"\1", text)).strip()


#: ASCII characters that are no letters or digits, but for the line's end.
_ASCII_GAPS = {code: " " for code in range(128) if not chr(code).isalnum() and chr(code) != "\n"}


def fold_all(texts: Sequence[str]) -> list[str]:
    """The texts as `fold` makes them, but for further blanks; faster, because all are folded at once."""
    whole = "\n".join(text.replace("\n", " ") for text in texts).lower()
    if not whole.isascii():
        # Looking for a letter in a long text is far cheaper than looking up every letter.
        for code, plain in _LETTERS.items():
            whole = whole.replace(chr(code), plain)
        whole = _COMBINING.sub("", unicodedata.normalize("NFKD", whole))
    for vowel in "aou":
        whole = whole.replace(f"{vowel}e", vowel)
    folded = whole.translate(_ASCII_GAPS).split("\n")
    return [line if line.isascii() else fold(text) for line, text in zip(folded, texts, strict=True)]


def phone_digits(text: str) -> str:
    """Digits of a phone number as people dial it at home: +49 208 4711-0 and 0208/47110 become 020847110."""
    text = text.replace("(0)", "")
    digits = text.translate(_ONLY_DIGITS) if text.isascii() else _NO_DIGIT.sub("", text)
    if text.lstrip().startswith("+") or digits.startswith("00"):
        digits = digits.removeprefix("00")
        for code in ("49", "43", "41"):
            if digits.startswith(code):
                return "0" + digits[len(code) :]
    return digits


def index_name(spec: ModelSpec) -> str:
    return f"search_{spec.name}"


def indexed_fields(spec: ModelSpec) -> tuple[FieldSpec, ...]:
    return tuple(item for item in spec.search_fields if not item.masked and not item.secret)


def searched_children(spec: ModelSpec) -> list[tuple[ModelSpec, tuple[FieldSpec, ...]]]:
    return [(child, indexed_fields(child)) for child in spec.children if indexed_fields(child)]


def has_index(spec: ModelSpec) -> bool:
    return bool(indexed_fields(spec)) and spec.owner is None


def create_index(spec: ModelSpec) -> None:
    """Makes the empty index of a model; a no-op where it exists."""
    if not has_index(spec):
        return
    name = index_name(spec)
    if engine() == "sqlite":
        database.execute_sql(f'CREATE VIRTUAL TABLE IF NOT EXISTS "{name}" USING {_FTS5}')
        database.execute_sql(f'INSERT INTO "{name}"("{name}", rank) VALUES (\'secure-delete\', 1)')
    else:
        database.execute_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        database.execute_sql(f'CREATE TABLE IF NOT EXISTS "{name}" (id bigint PRIMARY KEY, text text NOT NULL)')
        database.execute_sql(f'CREATE INDEX IF NOT EXISTS "{name}_text" ON "{name}" USING gin (text gin_trgm_ops)')


def drop_index(spec: ModelSpec) -> None:
    database.execute_sql(f'DROP TABLE IF EXISTS "{index_name(spec)}"')


def record_text(values: Iterable[tuple[FieldSpec, Any]]) -> str:
    """The folded text of one record from its searchable values."""
    words: list[str] = []
    for item, value in values:
        if value is None or value == "":
            continue
        text = str(value)
        if item.kind == "phone":
            words.append(phone_digits(text))
        else:
            words.append(fold(text))
    return " ".join(words)


def refresh(spec: ModelSpec, keys: Sequence[int]) -> None:
    """Writes the index anew for these records of a model, as they stand in the running transaction."""
    if not has_index(spec):
        return
    for start in range(0, len(keys), 1_000):
        part = list(keys[start : start + 1_000])
        texts = _texts(spec, part)
        write_texts(spec, [(key, texts.get(key, "")) for key in part], known=True)


def _texts(spec: ModelSpec, keys: list[int]) -> dict[int, str]:
    texts: dict[int, list[str]] = {}
    own = indexed_fields(spec)
    model = spec.model
    key_field = model._meta.primary_key
    query = model.select(key_field, *(item.column_field for item in own)).where(key_condition(key_field, keys))
    for row in query.tuples():
        texts[row[0]] = [record_text(zip(own, row[1:], strict=True))]
    for child, fields in searched_children(spec):
        owner = child.owner
        assert owner is not None
        query = child.model.select(owner.column_field, *(item.column_field for item in fields))
        for row in query.where(key_condition(owner.column_field, keys)).tuples():
            if row[0] in texts:
                texts[row[0]].append(record_text(zip(fields, row[1:], strict=True)))
    return {key: " ".join(part for part in parts if part) for key, parts in texts.items()}


def write_texts(spec: ModelSpec, rows: Sequence[tuple[int, str]], *, known: bool) -> None:
    """Stores folded texts; `known` says that some of the records may be in the index already."""
    name = index_name(spec)
    cursor = database.cursor()
    if engine() == "sqlite":
        if known:
            cursor.executemany(f'DELETE FROM "{name}" WHERE rowid = ?', [(key,) for key, _text in rows])
        cursor.executemany(f'INSERT INTO "{name}"(rowid, text) VALUES (?, ?)', [row for row in rows if row[1]])
    else:
        if known:
            cursor.execute(f'DELETE FROM "{name}" WHERE id = ANY(%s)', ([key for key, _text in rows],))
        cursor.executemany(f'INSERT INTO "{name}" (id, text) VALUES (%s, %s)', [row for row in rows if row[1]])


def forget(spec: ModelSpec, keys: Sequence[int]) -> None:
    """Takes records out of the index."""
    if has_index(spec):
        write_texts(spec, [(key, "") for key in keys], known=True)


def rebuild(spec: ModelSpec) -> int:
    """Empties and refills the index of a model; answers the number of records."""
    if not has_index(spec):
        return 0
    name = index_name(spec)
    if engine() == "sqlite":
        database.execute_sql(f'DELETE FROM "{name}"')
    else:
        database.execute_sql(f'TRUNCATE TABLE "{name}"')
    key_field = spec.model._meta.primary_key
    count, last = 0, 0
    while True:
        query = spec.model.select(key_field).where(key_field > last).order_by(key_field).limit(5_000)
        keys = [row[0] for row in query.tuples()]
        if not keys:
            return count
        texts = _texts(spec, keys)
        write_texts(spec, list(texts.items()), known=False)
        count, last = count + len(keys), keys[-1]


class IndexFile:
    """An index that is filled in a database file of its own, for example by another process (SQLite only).

    `adopt_index` puts it in the place of a model's empty index. The file is of no use when its making was interrupted.
    """

    def __init__(self, path: Path, *, memory_bytes: int) -> None:
        """`memory_bytes`: so much is collected before it is written."""
        self._connection = apsw.Connection(str(path))
        self._connection.pragma("journal_mode", "off")
        self._connection.pragma("synchronous", "off")
        self._connection.execute(f"CREATE VIRTUAL TABLE built USING {_FTS5}")
        self._connection.execute(f"INSERT INTO built(built, rank) VALUES ('hashsize', {memory_bytes:d})")
        self._connection.execute("BEGIN")

    def add(self, rows: Sequence[tuple[int, str]]) -> None:
        """Stores folded texts of records that are not in the index yet."""
        self._connection.executemany("INSERT INTO built(rowid, text) VALUES (?, ?)", [row for row in rows if row[1]])

    def close(self) -> None:
        self._connection.execute("COMMIT")
        self._connection.close()


def is_unused(spec: ModelSpec) -> bool:
    """Whether nothing is in the index of a model yet."""
    table = f"{index_name(spec)}_content" if engine() == "sqlite" else index_name(spec)
    return database.execute_sql(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone() is None


def adopt_index(spec: ModelSpec, path: Path) -> None:
    """Makes a finished IndexFile the index of a model that has an unused one (SQLite only).

    The tables behind the index are copied as they are (SQLite's own description: "FTS5 Data Structures").
    """
    name = index_name(spec)
    source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        for part, columns in (("data", "id, block"), ("idx", "segid, term, pgno"), ("content", "id, c0")):
            marks = ", ".join("?" * (columns.count(",") + 1))
            database.execute_sql(f'DELETE FROM "{name}_{part}"')
            database.cursor().executemany(
                f'INSERT INTO "{name}_{part}" ({columns}) VALUES ({marks})',
                source.execute(f"SELECT {columns} FROM built_{part}"),
            )
    finally:
        source.close()
    # An index that is open remembers how its words are arranged, and reads that anew after taking something back.
    for step in ("SAVEPOINT", "ROLLBACK TO", "RELEASE"):
        database.execute_sql(f"{step} adopted")


def words_of(question: str) -> list[str]:
    """The words that must all occur: folded, and a question that is a phone number as one run of digits."""
    if re.fullmatch(r"[+\d][\d\s()/.\-]{4,}", question.strip()) and re.search(r"[\s()/.\-+]", question.strip()):
        return [phone_digits(question)]
    return fold(question).split()


def matches(spec: ModelSpec, question: str, operator: Operator) -> Any:
    """The condition that a record contains every word of the question, or is named exactly by it."""
    key = spec.model._meta.primary_key
    words = words_of(question)
    alternatives = _exact(spec, question.strip())
    if has_index(spec):
        long = [word for word in words if len(word) >= 3]
        short = [word for word in words if len(word) < 3]
        parts: list[Any] = []
        if long:
            parts.append(key.in_(_indexed(spec, long)))
        parts += [_begins(spec, word) for word in short]
        if parts:
            condition = parts[0]
            for part in parts[1:]:
                condition &= part
            alternatives.append(condition)
    else:
        alternatives += _scanned(spec, question.strip())
    if not alternatives:
        return key.is_null()
    result = alternatives[0]
    for alternative in alternatives[1:]:
        result |= alternative
    return result


def _indexed(spec: ModelSpec, words: list[str]) -> Any:
    """The keys whose text contains all words. Words are letters and digits only (see `fold`), so they need no
    escaping."""
    name = index_name(spec)
    if engine() == "sqlite":
        question = " AND ".join(f'"{word}"' for word in words)
        return peewee.SQL(f'(SELECT rowid FROM "{name}" WHERE "{name}" MATCH \'{question}\')')
    conditions = " AND ".join(f"text LIKE '%%{word}%%'" for word in words)
    return peewee.SQL(f'(SELECT id FROM "{name}" WHERE {conditions})')


def _exact(spec: ModelSpec, question: str) -> list[Any]:
    found = []
    for item in spec.natural_key:
        if item.type.name == "integer":
            if re.fullmatch(r"\d{1,18}", question):
                found.append(item.column_field == int(question))
        elif item.target is None and question:
            found.append(item.column_field == question)
    return found


def _begins(spec: ModelSpec, word: str) -> Any:
    fields = [item for item in (*spec.title_specs, *indexed_fields(spec)) if item.type.name == "text"][:3]
    result: Any = None
    for item in fields:
        part = item.column_field.startswith(word)
        result = part if result is None else result | part
    return result if result is not None else spec.model._meta.primary_key.is_null()


def _scanned(spec: ModelSpec, question: str) -> list[Any]:
    """Small tables without an index are searched as they are."""
    texts = [item for item in spec.data_fields if item.type.name == "text" and not item.masked and not item.secret]
    return [item.column_field.contains(question) for item in texts] if question else []

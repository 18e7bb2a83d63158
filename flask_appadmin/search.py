"""The search box: which records contain these words, however they are spelt.

Shape: for every model with searchable fields there is an index of the folded words of each record, its own fields and
those of its children: FTS5 on SQLite, a tsvector with a GIN index on PostgreSQL; and a vocabulary, `search_part`, with
the endings of every word of letters, in which parts of words are looked up. `fold` makes Müller, Mueller and MULLER
the same, Straße and Strasse, and drops punctuation; phones are kept as digits, as they are dialled at home and without
their area code. The change gateway calls `refresh` in its own transaction, so the index is never older than the
records.
What is found: words of letters by any part from three characters on, words with digits and shorter ones by their
beginning; phones in any grouping; masked fields (IBAN) by their beginning and only for operators who may read them
whole, since guessing parts would reveal the rest. Where nothing is found exactly, words of four letters and more are
looked for with one letter wrong, missing, too many, or two exchanged (`Hits.similar`).
Errors: FilterError for more than 20 words and for characters that no text has.
Source: docs/decisions/search-index.md.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import peewee

from flask_appadmin.database import Prepared, database, engine, execute_many, key_condition
from flask_appadmin.errors import FilterError
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_read_full
from flask_appadmin.specs import FieldSpec, ModelSpec

#: Key of a record, folded words of its title, folded words of everything else.
Text = tuple[int, str, str]

_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_COMBINING = re.compile("[\u0300-\u036f]")
_NO_WORD = re.compile(r"[\W_]+")
_UMLAUT_PAIRS = re.compile("([aou])e")
_NO_DIGIT = re.compile(r"\D+")
_ONLY_DIGITS = {code: None for code in range(128) if not chr(code).isdigit()}

#: Characters that nobody sees: soft hyphens, marks of width and of the direction of writing. They part no words.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")

#: The index on SQLite, with its own copy of the text: a contentless one could not wipe the words of a removed record.
#: Words only, no places: questions never ask for two words in their order. Short beginnings have an index of their own.
_FTS5 = "fts5(title, other, tokenize='ascii', detail=none, columnsize=0, prefix='1 2 3')"

#: Stands before words that only operators with the right find; no question contains it.
_PROTECTED = "€"
#: Stands before the beginnings of words on PostgreSQL.
_BEGINNING = "<"
_BEGINNINGS = 3

_LETTERS_ONLY = re.compile(r"[^\W\d_]{3,40}")

#: More words are no search any more.
MOST_WORDS = 20
_LONGEST = 500
#: So many words of the vocabulary may contain what was typed; what is in more of them is looked for in the texts.
_MOST_SPELLINGS = 2_000
#: Alternatives of a question that PostgreSQL answers as one.
_FEW_WORDS = 5
#: Words that a misspelt one may stand for.
_MOST_SIMILAR = 12


def fold(text: str) -> str:
    """„Müller & Söhne“ -> "muller sohne"; both spellings of an umlaut become its vowel, in index and question alike."""
    text = text.lower()
    if not text.isascii():
        text = _COMBINING.sub("", unicodedata.normalize("NFKD", _UNSEEN.sub("", text).translate(_LETTERS)))
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
        whole = _COMBINING.sub("", unicodedata.normalize("NFKD", _UNSEEN.sub("", whole)))
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


def phone_words(text: str) -> list[str]:
    """The words under which a phone number is found: all its digits, and those behind country and area code."""
    digits = phone_digits(text)
    groups = re.findall(r"\d+", text.replace("(0)", ""))
    area = 2 if text.lstrip().startswith(("+", "00")) else 1
    local = "".join(groups[area:])
    return [digits, local] if len(local) >= 3 and local != digits else [digits]


def masked_words(text: str) -> list[str]:
    """The words under which a masked value is found: whole, an IBAN from its bank code and from its account on, too."""
    compact = _NO_WORD.sub("", unicodedata.normalize("NFKC", _UNSEEN.sub("", text))).lower()
    words = [compact]
    if re.fullmatch(r"[a-z]{2}\d{2}\w{11,30}", compact):
        words += [compact[4:], compact[-10:].lstrip("0")]
    return [_PROTECTED + word for word in dict.fromkeys(words) if word]


def index_name(spec: ModelSpec) -> str:
    return f"search_{spec.name}"


@functools.cache
def indexed_fields(spec: ModelSpec) -> tuple[FieldSpec, ...]:
    return tuple(item for item in spec.search_fields if not item.secret)


@functools.cache
def searched_children(spec: ModelSpec) -> list[tuple[ModelSpec, tuple[FieldSpec, ...]]]:
    return [(child, indexed_fields(child)) for child in spec.children if indexed_fields(child)]


def has_index(spec: ModelSpec) -> bool:
    return bool(indexed_fields(spec)) and spec.owner is None


# --- keeping it -------------------------------------------------------------------------------------------------------


def create_index(spec: ModelSpec) -> None:
    """Makes the empty index of a model; a no-op where it exists."""
    if not has_index(spec):
        return
    name = index_name(spec)
    if engine() == "sqlite":
        database.execute_sql(f'CREATE VIRTUAL TABLE IF NOT EXISTS "{name}" USING {_FTS5}')
        database.execute_sql(f'INSERT INTO "{name}"("{name}", rank) VALUES (\'secure-delete\', 1)')
        database.execute_sql(
            "CREATE TABLE IF NOT EXISTS search_part (entity TEXT NOT NULL, part TEXT NOT NULL, word TEXT NOT NULL,"
            " PRIMARY KEY (entity, part, word)) WITHOUT ROWID"
        )
    else:
        database.execute_sql(
            f'CREATE TABLE IF NOT EXISTS "{name}"'
            " (id bigint PRIMARY KEY, title text NOT NULL, other text NOT NULL, words tsvector NOT NULL)"
        )
        database.execute_sql(f'CREATE INDEX IF NOT EXISTS "{name}_words" ON "{name}" USING gin (words)')
        database.execute_sql(
            'CREATE TABLE IF NOT EXISTS search_part (entity text NOT NULL, part text COLLATE "C" NOT NULL,'
            ' word text COLLATE "C" NOT NULL, PRIMARY KEY (entity, part, word))'
        )


def drop_index(spec: ModelSpec) -> None:
    database.execute_sql(f'DROP TABLE IF EXISTS "{index_name(spec)}"')
    database.execute_sql("DROP TABLE IF EXISTS search_part")


def field_words(item: FieldSpec, value: Any) -> list[str]:
    """The words under which a value is found."""
    if value is None or value == "":
        return []
    if item.masked:
        return masked_words(str(value))
    return phone_words(str(value)) if item.kind == "phone" else fold(str(value)).split()


def refresh(spec: ModelSpec, keys: Sequence[int]) -> None:
    """Writes the index anew for these records of a model, as they stand in the running transaction."""
    if not has_index(spec):
        return
    for start in range(0, len(keys), 1_000):
        part = list(keys[start : start + 1_000])
        texts = _texts(spec, part)
        write_texts(spec, [texts.get(key, (key, "", "")) for key in part], known=True)


def _texts(spec: ModelSpec, keys: list[int]) -> dict[int, Text]:
    titles: dict[int, list[str]] = {}
    others: dict[int, list[str]] = {}
    own = indexed_fields(spec)
    named = {item.name for item in spec.title_specs}
    rows = list(_rows(spec.model, spec.model._meta.primary_key, own, keys))
    for row in rows:
        titles[row[0]], others[row[0]] = [], []
    for item, column in zip(own, _words_by_column(own, rows), strict=True):
        words = titles if item.name in named and not item.masked else others
        for row, text in zip(rows, column, strict=True):
            words[row[0]] += text.split()
    for child, fields in searched_children(spec):
        owner = child.owner
        assert owner is not None
        rows = [row for row in _rows(child.model, owner.column_field, fields, keys) if row[0] in others]
        columns = _words_by_column(fields, rows)
        for row, *texts in zip(rows, *columns, strict=True):
            for text in texts:
                others[row[0]] += text.split()
    return {key: text_of(key, words, others[key]) for key, words in titles.items()}


def _words_by_column(items: Sequence[FieldSpec], rows: Sequence[tuple[Any, ...]]) -> list[list[str]]:
    """The words of each field for each row, with blanks between; the values stand behind the first column, a key."""
    found = []
    for position, item in enumerate(items, start=1):
        values = [row[position] for row in rows]
        if item.masked or item.kind == "phone" or len(values) <= 1:
            found.append([" ".join(field_words(item, value)) for value in values])
        else:
            found.append(fold_all(["" if value is None else str(value) for value in values]))
    return found


#: (model, key column, columns) -> the question about one key: a save asks a dozen of them, each made once.
_prepared: dict[tuple[Any, ...], Prepared] = {}


def _rows(model: Any, key_column: Any, fields: Sequence[FieldSpec], keys: list[int]) -> Iterable[tuple[Any, ...]]:
    """The key and these fields of all rows whose `key_column` is among the keys."""
    columns = (key_column, *(item.column_field for item in fields))
    if len(keys) != 1:
        return model.select(*columns).where(key_condition(key_column, keys)).tuples()
    name = (model, *(column.name for column in columns))
    if name not in _prepared:
        _prepared[name] = Prepared(lambda key: model.select(*columns).where(key_column == key), 1)
    return _prepared[name](keys[0])


def text_of(key: int, title: Iterable[str], other: Iterable[str]) -> Text:
    """The text of a record as the index keeps it: each word once, those of the title first."""
    named = dict.fromkeys(title)
    return key, " ".join(named), " ".join(word for word in dict.fromkeys(other) if word not in named)


def _words(text: Text) -> set[str]:
    return {*text[1].split(), *text[2].split()}


def write_texts(spec: ModelSpec, texts: Sequence[Text], *, known: bool) -> None:
    """Stores folded texts; `known` says that some of the records may be in the index already."""
    name = index_name(spec)
    before: dict[int, Text] = {}
    if known:
        before = {text[0]: text for text in _stored(name, [text[0] for text in texts])}
        texts = [text for text in texts if before.get(text[0], (text[0], "", "")) != text]
        before = {text[0]: before[text[0]] for text in texts if text[0] in before}
    if not texts:
        return
    if before:
        keys = ",".join(str(int(key)) for key in before)
        database.execute_sql(f'DELETE FROM "{name}" WHERE {_key_name()} IN ({keys})')
    rows = [text for text in texts if text[1] or text[2]]
    if engine() == "sqlite":
        execute_many(f'INSERT INTO "{name}"(rowid, title, other) VALUES (?, ?, ?)', rows)
    else:
        execute_many(
            f'INSERT INTO "{name}" (id, title, other, words) VALUES (%s, %s, %s, array_to_tsvector(%s::text[]))',
            [(*text, lexemes(text)) for text in rows],
        )
    now: set[str] = set().union(*map(_words, texts))
    add_words(spec, now)
    _drop_words(spec, set().union(*map(_words, before.values())) - now)


def _key_name() -> str:
    return "rowid" if engine() == "sqlite" else "id"


def _stored(name: str, keys: Sequence[int]) -> list[Text]:
    table, key, columns = (f"{name}_content", "id", "c0, c1") if engine() == "sqlite" else (name, "id", "title, other")
    listed = ",".join(str(int(key)) for key in keys)
    found: list[Text] = database.execute_sql(
        f'SELECT {key}, {columns} FROM "{table}" WHERE {key} IN ({listed})'
    ).fetchall()
    return [(row[0], row[1] or "", row[2] or "") for row in found]


def lexemes(text: Text) -> list[str]:
    """The entries of a text in the index of PostgreSQL: words, and the short beginnings of words, each marked."""
    words = _words(text)
    short = {word[:length] for word in words for length in range(1, _BEGINNINGS + 1)}
    return [*words, *(_BEGINNING + part for part in short)]


def add_words(spec: ModelSpec, words: Iterable[str]) -> None:
    """Takes words into the vocabulary of a model; those it has cost a look only."""
    wanted = sorted(word for word in words if _LETTERS_ONLY.fullmatch(word))
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        mark = "?" if engine() == "sqlite" else "%s"
        listed = ", ".join([mark] * len(part))
        sql = f"SELECT part FROM search_part WHERE entity = {mark} AND part IN ({listed}) AND part = word"
        known = {row[0] for row in database.execute_sql(sql, [spec.name, *part]).fetchall()}
        rows = [(spec.name, word[at:], word) for word in part if word not in known for at in range(len(word) - 2)]
        if rows:
            execute_many(
                f"INSERT INTO search_part (entity, part, word) VALUES ({mark}, {mark}, {mark}) ON CONFLICT DO NOTHING",
                rows,
            )


def _drop_words(spec: ModelSpec, words: Iterable[str]) -> None:
    """Takes words out of the vocabulary that no record has any more: erased must mean gone."""
    mark = "?" if engine() == "sqlite" else "%s"
    for word in sorted(words):
        if _LETTERS_ONLY.fullmatch(word) and not _occurs(spec, word):
            rows = [(spec.name, word[at:], word) for at in range(len(word) - 2)]
            execute_many(f"DELETE FROM search_part WHERE entity = {mark} AND part = {mark} AND word = {mark}", rows)


def _occurs(spec: ModelSpec, word: str) -> bool:
    name = index_name(spec)
    if engine() == "sqlite":
        return _first(f'SELECT 1 FROM "{name}" WHERE "{name}" MATCH \'"{word}"\' LIMIT 1')
    # A word that many have is among the first rows; asking the index would collect all of them.
    near = f"SELECT 1 FROM (SELECT words FROM \"{name}\" LIMIT 2000) AS few WHERE words @@ '{word}'::tsquery LIMIT 1"
    return _first(near) or _first(f"SELECT 1 FROM \"{name}\" WHERE words @@ '{word}'::tsquery LIMIT 1")


def _first(sql: str) -> bool:
    return database.execute_sql(sql).fetchone() is not None


def forget(spec: ModelSpec, keys: Sequence[int]) -> None:
    """Takes records out of the index."""
    if has_index(spec):
        for start in range(0, len(keys), 1_000):
            write_texts(spec, [(key, "", "") for key in keys[start : start + 1_000]], known=True)


def rebuild(spec: ModelSpec) -> int:
    """Empties and refills the index of a model; answers the number of records."""
    if not has_index(spec):
        return 0
    name = index_name(spec)
    if engine() == "sqlite":
        database.execute_sql(f'DELETE FROM "{name}"')
    else:
        database.execute_sql(f'TRUNCATE TABLE "{name}"')
    database.execute_sql(f"DELETE FROM search_part WHERE entity = '{spec.name}'")
    key_field = spec.model._meta.primary_key
    count, last = 0, 0
    while True:
        query = spec.model.select(key_field).where(key_field > last).order_by(key_field).limit(5_000)
        keys = [row[0] for row in query.tuples()]
        if not keys:
            return count
        write_texts(spec, list(_texts(spec, keys).values()), known=False)
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
        self._connection.execute("CREATE TABLE word (word TEXT)")
        self._connection.execute("BEGIN")
        self._words: set[str] = set()

    def add(self, texts: Sequence[Text]) -> None:
        """Stores folded texts of records that are not in the index yet."""
        rows = [text for text in texts if text[1] or text[2]]
        self._connection.executemany("INSERT INTO built(rowid, title, other) VALUES (?, ?, ?)", rows)
        self._words.update(word for text in rows for word in _words(text) if word.isalpha())

    def close(self) -> None:
        self._connection.executemany("INSERT INTO word VALUES (?)", [(word,) for word in sorted(self._words)])
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
        for part, columns in (("data", "id, block"), ("idx", "segid, term, pgno"), ("content", "id, c0, c1")):
            marks = ", ".join("?" * (columns.count(",") + 1))
            database.execute_sql(f'DELETE FROM "{name}_{part}"')
            database.cursor().executemany(
                f'INSERT INTO "{name}_{part}" ({columns}) VALUES ({marks})',
                source.execute(f"SELECT {columns} FROM built_{part}"),
            )
        add_words(spec, (row[0] for row in source.execute("SELECT word FROM word")))
    finally:
        source.close()
    # An index that is open remembers how its words are arranged, and reads that anew after taking something back.
    for step in ("SAVEPOINT", "ROLLBACK TO", "RELEASE"):
        database.execute_sql(f"{step} adopted")


# --- asking it --------------------------------------------------------------------------------------------------------


def checked_question(text: str) -> str:
    """The question without blanks around it; FilterError for what no search can mean."""
    if "\x00" in text:
        raise FilterError("search", gettext("Die Suche enthält ein Zeichen, das es in Texten nicht gibt."))
    text = text.strip()
    if len(text) > _LONGEST or len(text.split()) > MOST_WORDS or len(words_of(text)) > MOST_WORDS:
        raise FilterError("search", gettext("Bitte suchen Sie nach höchstens %(count)s Wörtern.", count=MOST_WORDS))
    return text


def _is_phone(question: str) -> bool:
    question = question.strip()
    if re.fullmatch(r"[+(\d][\d\s()/.\-]{4,}", question) is None or len(phone_digits(question)) < 5:
        return False
    return re.search(r"[\s()/.\-+]", question) is not None


def words_of(question: str) -> list[str]:
    """The words that must all occur: folded, and a question that is a phone number as one run of digits."""
    question = unicodedata.normalize("NFKC", _UNSEEN.sub("", question))
    return [phone_digits(question)] if _is_phone(question) else fold(question).split()


def _protected_question(spec: ModelSpec, question: str, operator: Operator) -> str:
    """The question as the beginning of a masked value, "" where the operator may not ask that."""
    fields = [*indexed_fields(spec), *(item for _child, items in searched_children(spec) for item in items)]
    if not any(item.masked and may_read_full(operator, item) for item in fields):
        return ""
    compact = _NO_WORD.sub("", unicodedata.normalize("NFKC", _UNSEEN.sub("", question))).lower()
    return _PROTECTED + compact if len(compact) >= 4 and any(sign.isdigit() for sign in compact) else ""


@dataclass(frozen=True)
class Hits:
    """What a question finds: a question to the index, and whether it stands for words that are spelt similarly."""

    spec: ModelSpec
    #: For the index of the engine; "" where nothing is found.
    match: str
    #: The words as they are in the index, where none is spelt as it was asked for.
    similar: tuple[str, ...] = ()
    #: The same as patterns of a text: one of these, all of them, one of them.
    likes: tuple[tuple[tuple[str, ...], ...], ...] = ()
    #: The words of which one is enough, where that is the whole question.
    either: tuple[str, ...] = ()
    #: The first keys in no order of meaning, as many as were asked for, written with commas: thousands of numbers cost
    #: milliseconds as Python values, and where there are too many, few of them are needed.
    listed: str = ""

    def condition(self) -> Any:
        """The hits as a condition on the model's table."""
        key = self.spec.model._meta.primary_key
        return key.in_(peewee.SQL(f"({self._sql()})")) if self.match else peewee.SQL("1 = 0")

    def read(self, most: int) -> Hits:
        """The same with the first keys."""
        if not self.match:
            return self
        joined = "group_concat(rowid)" if engine() == "sqlite" else "string_agg(id::text, ',')"
        found = self._sql()
        if engine() == "postgresql" and len(self.either) > _FEW_WORDS:
            # Its index collects all hits of a question before the first one is read; asked word by word it stops at
            # enough. A record with two of the words counts twice, which only makes the answer more careful.
            name = index_name(self.spec)
            ask = f'SELECT id FROM "{name}" WHERE words @@ '
            found = (
                "SELECT id FROM (" + " UNION ALL ".join(f"{ask}'{word}'::tsquery" for word in self.either) + ") AS each"
            )
        sql = f"SELECT {joined} FROM ({found} LIMIT {most:d}) AS few"
        return dataclasses.replace(self, listed=database.execute_sql(sql).fetchone()[0] or "")

    @property
    def count(self) -> int:
        """The number of keys that were read."""
        return self.listed.count(",") + 1 if self.listed else 0

    def keys(self, step: int = 1) -> list[int]:
        """The keys that were read, or each `step`-th of them."""
        return [int(key) for key in self.listed.split(",")[::step]] if self.listed else []

    def _sql(self) -> str:
        name = index_name(self.spec)
        if engine() == "sqlite":
            return f'SELECT rowid FROM "{name}" WHERE "{name}" MATCH \'{self.match}\''
        # Of a question that PostgreSQL reads it would think that one of many words is frequent, and test every row;
        # what comes out of a question of its own it looks up in the index.
        return f'SELECT id FROM "{name}" WHERE words @@ (SELECT $q${self.match}$q$::tsquery)'

    def along(self) -> Any:
        """The condition as a test of one row after the other: for walking an order in which hits are frequent."""
        name, key = index_name(self.spec), self.spec.model._meta.primary_key
        if engine() == "sqlite":
            text = f"(SELECT ' ' || c0 || ' ' || c1 || ' ' AS text FROM \"{name}_content\" WHERE id = "
            test = " OR ".join(
                " AND ".join("(" + " OR ".join(f"text LIKE '{one}'" for one in likes) + ")" for likes in alternative)
                for alternative in self.likes
            )
            parts = (peewee.SQL(f"EXISTS (SELECT 1 FROM {text}"), key, peewee.SQL(f") AS known WHERE {test})"))
            return peewee.NodeList(parts, glue="")
        start = f'((SELECT words FROM "{name}" AS known WHERE known.id = '
        return peewee.NodeList((peewee.SQL(start), key, peewee.SQL(f") @@ $q${self.match}$q$::tsquery)")), glue="")


def look_up(spec: ModelSpec, question: str, operator: Operator, most: int = 1) -> Hits:
    """What a question finds in the index of a model, with the first keys: at most `most` of them."""
    words = words_of(question)
    exact = _terms(spec, words, similar=False)
    alternatives = [exact] if exact else []
    protected = _protected_question(spec, question, operator)
    if protected:
        alternatives.append([_Term((protected,), (f"% {protected}%",), beginning=True)])
    found = _hits(spec, alternatives).read(most)
    if found.listed:
        return found
    nearly = _terms(spec, words, similar=True)
    similar = tuple(word for term in nearly for word in term.similar)
    if similar:
        hits = _hits(spec, [nearly], similar).read(most)
        if hits.listed:
            return hits
    return Hits(spec, "")


@dataclass(frozen=True)
class _Term:
    """One word of a question: the words of the index that it may be, and the patterns that find them in a text."""

    words: tuple[str, ...]
    likes: tuple[str, ...]
    beginning: bool = False
    similar: tuple[str, ...] = ()


def _terms(spec: ModelSpec, words: Sequence[str], *, similar: bool) -> list[_Term]:
    """The words of a question, [] when one of them is nowhere."""
    terms = []
    for word in dict.fromkeys(words):
        if not _LETTERS_ONLY.fullmatch(word):
            terms.append(_Term((word,), (f"% {word}%",), beginning=True))
            continue
        known = _vocabulary(spec, word)
        near = [other for other in similar_words(spec, word) if other not in known] if similar and len(word) > 3 else []
        if not known and not near:
            return []
        likes = (f"%{word}%", *(f"% {other} %" for other in near))
        terms.append(_Term((*known, *near), likes, similar=tuple(near)))
    return terms


def _hits(spec: ModelSpec, alternatives: Sequence[Sequence[_Term]], similar: tuple[str, ...] = ()) -> Hits:
    both, one = (" AND ", " OR ") if engine() == "sqlite" else (" & ", " | ")
    # The engine walks the words in the order of the question: first the part that few words contain.
    ordered = [sorted(terms, key=lambda term: len(term.words)) for terms in alternatives]
    groups = [both.join(_any(term.words, beginning=term.beginning) for term in terms) for terms in ordered]
    match = one.join(f"({group})" for group in groups) if len(groups) > 1 else "".join(groups)
    either: tuple[str, ...] = ()
    if len(alternatives) == 1 and len(alternatives[0]) == 1 and not alternatives[0][0].beginning:
        either = alternatives[0][0].words
    return Hits(spec, match, similar, tuple(tuple(term.likes for term in terms) for terms in alternatives), either)


def _any(words: Sequence[str], *, beginning: bool) -> str:
    """One of these words, or a word that begins so. Words are letters, digits and marks, so nothing is escaped."""
    if engine() == "sqlite":
        return "(" + " OR ".join(f'"{word}" *' if beginning else f'"{word}"' for word in words) + ")"
    if beginning:
        marked = [f"'{_BEGINNING}{word}'" if len(word) <= _BEGINNINGS else f"'{word}':*" for word in words]
        return "(" + " | ".join(marked) + ")"
    return "(" + " | ".join(f"'{word}'" for word in words) + ")"


def _vocabulary(spec: ModelSpec, word: str) -> list[str]:
    """The words of a model that contain these letters."""
    mark = "?" if engine() == "sqlite" else "%s"
    sql = (
        f"SELECT DISTINCT word FROM search_part WHERE entity = {mark} AND part >= {mark} AND part < {mark}"
        f" LIMIT {_MOST_SPELLINGS}"
    )
    return [row[0] for row in database.execute_sql(sql, (spec.name, word, word + "\U0010ffff")).fetchall()]


def similar_words(spec: ModelSpec, word: str) -> list[str]:
    """The words of a model that differ by one letter: wrong, missing, too many, or two of them exchanged."""
    letters = sorted({*"abcdefghijklmnopqrstuvwxyz", *word})
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    near = {head + tail[1:] for head, tail in cuts if tail}
    near |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    near |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in letters}
    near |= {head + letter + tail for head, tail in cuts for letter in letters}
    near.discard(word)
    wanted = sorted(near)
    mark = "?" if engine() == "sqlite" else "%s"
    found: list[str] = []
    for start in range(0, len(wanted), 900):
        part = wanted[start : start + 900]
        listed = ", ".join([mark] * len(part))
        sql = f"SELECT part FROM search_part WHERE entity = {mark} AND part IN ({listed}) AND part = word"
        found += [row[0] for row in database.execute_sql(sql, [spec.name, *part]).fetchall()]
    return found[:_MOST_SIMILAR]


def matches(spec: ModelSpec, question: str, operator: Operator) -> Any:
    """The condition that a record contains every word of the question, or is named exactly by it."""
    if has_index(spec):
        condition = look_up(spec, question, operator).condition()
        for other in _exact(spec, question.strip()):
            condition = condition | other
        return condition
    alternatives = [*_exact(spec, question.strip()), *_scanned(spec, question.strip())]
    if not alternatives:
        return spec.model._meta.primary_key.is_null()
    return functools.reduce(lambda first, second: first | second, alternatives)


def _exact(spec: ModelSpec, question: str) -> list[Any]:
    """The natural key, where it is not among the words of the index."""
    found = []
    for item in spec.natural_key:
        if has_index(spec) and item in indexed_fields(spec):
            continue
        if item.type.name == "integer":
            if re.fullmatch(r"\d{1,18}", question, re.ASCII):
                found.append(item.column_field == int(question))
        elif item.target is None and question:
            found.append(item.column_field == question)
    return found


def ranks(spec: ModelSpec, keys: Sequence[int], question: str) -> dict[int, int]:
    """How well records fit: 0 for those named by the question, 1 where the number or name begins so, 2 where all words
    are in the title, 3 for the rest."""
    words = words_of(question)
    whole = " ".join(words)
    found = {}
    for start in range(0, len(keys), 500):
        for key, title, _other in _stored(index_name(spec), keys[start : start + 500]):
            first = title.split(" ", 1)[0]
            if first == whole:
                found[key] = 0
            elif title.startswith(whole):
                found[key] = 1
            else:
                found[key] = 2 if all(word in title for word in words) else 3
    return found


def _scanned(spec: ModelSpec, question: str) -> list[Any]:
    """Small tables without an index are searched as they are."""
    texts = [item for item in spec.own_fields if item.type.name == "text" and not item.masked and not item.secret]
    return [item.column_field.contains(question) for item in texts] if question else []

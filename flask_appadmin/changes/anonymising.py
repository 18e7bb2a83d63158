"""Anonymised records: the person goes, the number, the documents and the statistics stay. There is no way back.

Shape: every field of the model says by its mark `personal` what happens: "name" becomes „Anonymisiert“, "wipe" and
"quasi" are emptied, "keep" stays; secrets and references to what is removed are emptied, all children are removed, and
marked fields of records that refer to it (a request, a mail that was sent) are emptied, too. Its history keeps who,
when and which field, and loses what: action "erased", values `GONE`. Whatever else keeps words of records (drafts,
imports, saved queries) registers a store here and forgets the person in the same transaction.
What is looked for in those stores are whole values of "name" and "wipe" fields, now and in the history, of `_LEAST`
letters and more, remarks of `_LEAST_REMARK`: towns and short words say nothing about a person and would hit others.
Source: trust.md section 4.3; domain.md section 4; NE-08 to NE-10.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

import peewee

from flask_appadmin import search
from flask_appadmin.changes.departing import ANONYMISE, MustStay, led_to
from flask_appadmin.changes.running import KNOWN_SPECS, Run, insert_changes, refuse, require, visible_keys
from flask_appadmin.customfields import CustomFieldValue, values_of
from flask_appadmin.database import database, engine, key_condition
from flask_appadmin.errors import AppAdminError, NotFound
from flask_appadmin.fieldtypes.columns import JSONField, json_text
from flask_appadmin.history import ERASED, ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import gettext
from flask_appadmin.jobs import Job
from flask_appadmin.queries import SavedQuery
from flask_appadmin.specs import FieldSpec, ModelSpec, is_owner, spec_of

#: What stands in the place of a value that is gone, and of a name.
GONE, NOBODY = "[gelöscht]", "Anonymisiert"
#: Shorter values are not looked for elsewhere.
_LEAST = 5
_LEAST_REMARK = 20
#: So many words are looked for in one statement.
_AT_ONCE = 100
_WORDY = ("text", "multiline")
#: The field that leads to a stored file.
_FILE = "storage_name"


@dataclass(frozen=True)
class Anonymise:
    """The step of a set."""

    spec: ModelSpec
    key: int


@dataclass(frozen=True)
class Person:
    """Whom the stores forget: the record, the rows that were its own, and the words that name it."""

    spec: ModelSpec
    key: int
    #: Table -> keys of the record and its children, those that are gone already included.
    rows: dict[str, frozenset[int]]
    words: tuple[str, ...]
    #: Operations that concerned it.
    change_sets: frozenset[int]
    #: Names of stored files that lay beside it (fields called `_FILE`), now or once.
    files: frozenset[str]

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, sorted(self.words, key=len, reverse=True))) or r"(?!)")

    def hides(self, text: str) -> str:
        """The text without the person."""
        return self.pattern.sub(GONE, text)


@dataclass(frozen=True)
class Store:
    """Something that keeps words of records: its name for the certificate, and how it forgets a person; answers in
    how many places it did."""

    label: Any
    forget: Callable[[Person], int]


_stores: dict[str, Store] = {}


def register_store(name: str, label: Any, forget: Callable[[Person], int]) -> None:
    """Adds a place that has to forget the anonymised."""
    _stores[name] = Store(label, forget)


#: Tables -> what answers their rows that belong to a record without being its children: (table, key of the record).
_belongings: dict[str, tuple[ModelSpec, Callable[[ModelSpec, int], Iterable[dict[str, Any]]]]] = {}


def register_belongings(spec: ModelSpec, find: Callable[[ModelSpec, int], Iterable[dict[str, Any]]]) -> None:
    """Adds a table whose rows go with the person: `find` answers their values for a record of any table."""
    _belongings[spec.name] = (spec, find)


# What operators noted in fields of their own goes, too.
register_belongings(spec_of(CustomFieldValue), values_of)


def is_anonymisable(spec: ModelSpec) -> bool:
    return spec.model.sealed_when is not None and any(item.personal == "name" for item in spec.data_fields)


def person_of(spec: ModelSpec, key: int) -> Person:
    """Who is behind a record, with every word that names the person."""
    rows = {spec.name: {key}}
    words: set[str] = set()
    files: set[str] = set()
    own = spec.model.select().where(spec.model._meta.primary_key == key).dicts().first() or {}
    words.update(_words_of(spec, own))
    for child in _filled_children(spec, [key]):
        assert child.owner is not None
        for values in child.model.select().where(child.owner.column_field == key).dicts():
            rows.setdefault(child.name, set()).add(values["id"])
            words.update(_words_of(child, values))
            files.add(values.get(_FILE) or "")
    for other, _reference, values in _referring(spec, key):
        rows.setdefault(other.name, set()).add(values["id"])
        words.update(_words_of(other, values))
        files.add(values.get(_FILE) or "")
    for entity, own_keys in [(name, sorted(found)) for name, found in rows.items() if name in KNOWN_SPECS]:
        for other, find in _belongings.values():
            for values in (found for own_key in own_keys for found in find(KNOWN_SPECS[entity], own_key)):
                rows.setdefault(other.name, set()).add(values["id"])
                words.update(_words_of(other, values))
    change_sets = set()
    for row in ChangeRecord.select().where(_history_of(spec, key, rows)):
        change_sets.add(row.change_set_id)
        if row.owner_entity == spec.name:
            rows.setdefault(row.entity, set()).add(row.record_id)
        words.update(_words_of_change(spec, row))
        files.update(_files_of_change(row))
    long_enough = {word for word in words if len(word) >= _LEAST and word not in (NOBODY, GONE)}
    spellings = (way(word) for word in long_enough for way in (str, quote, quote_plus, _escaped))
    found = {name: frozenset(keys) for name, keys in rows.items()}
    return Person(spec, key, found, tuple(sorted(set(spellings))), frozenset(change_sets), frozenset(files - {""}))


def _filled_children(spec: ModelSpec, keys: Sequence[int]) -> list[ModelSpec]:
    """The child tables that have rows of these records, in their order."""
    filled = led_to([child.owner.column_field for child in spec.children if child.owner is not None], keys)
    return [child for child in spec.children if child.owner is not None and child.owner.column_field in filled]


def persons_of(spec: ModelSpec, keys: Iterable[int]) -> Iterator[Person]:
    """Who is behind these records, those that were merged into them included."""
    for key in keys:
        for each in (key, *_merged_into(spec, key)):
            yield person_of(spec, each)


def _escaped(word: str) -> str:
    return json.dumps(word, ensure_ascii=False)[1:-1]


def _is_naming(item: FieldSpec) -> bool:
    """Whether the values of a field lead to one person."""
    if item.personal:
        return item.personal in ("name", "wipe")
    return item.type.name in _WORDY and not item.secret and not item.choices and item.kind != "postal_code"


def _words_of(spec: ModelSpec, values: dict[str, Any]) -> Iterator[str]:
    for item in spec.data_fields:
        value = values.get(item.name)
        if isinstance(value, str) and _is_naming(item):
            # A remark as a whole: single lines of it („Vorkasse“) stand in many places.
            if item.type.name != "multiline" or len(value) >= _LEAST_REMARK:
                yield value.strip()
        elif isinstance(value, dict | list) and item.personal == "wipe":
            yield from (text.strip() for text in _strings(value))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def _words_of_change(spec: ModelSpec, row: ChangeRecord) -> Iterator[str]:
    of = KNOWN_SPECS.get(row.entity)
    if of is None:
        return
    if of is spec:
        yield row.record_title
    for text in (row.old_value, row.new_value):
        value = json.loads(text) if text else None
        if row.field is None:
            yield from _words_of(of, value if isinstance(value, dict) else {})
        elif row.field in of.by_name:
            yield from _words_of(of, {row.field: value})


def _files_of_change(row: ChangeRecord) -> Iterator[str]:
    for text in (row.old_value, row.new_value):
        if row.field is None and text and _FILE in text:
            value = json.loads(text)
            if isinstance(value, dict) and isinstance(value.get(_FILE), str):
                yield value[_FILE]


def _referring(spec: ModelSpec, key: int) -> Iterator[tuple[ModelSpec, Any, dict[str, Any]]]:
    """Records that refer to this one and have personal fields of their own: (spec, reference, values)."""
    personal = (
        reference
        for reference, model in spec.model._meta.backrefs.items()
        if not (is_owner(reference) or model is spec.model)
        and any(item.personal for item in spec_of(model).data_fields)
    )
    for reference in led_to(personal, [key]):
        model, other = reference.model, spec_of(reference.model)
        for values in model.select().where(reference == key).dicts():
            yield other, reference, values


def _history_of(spec: ModelSpec, key: int, rows: Mapping[str, Iterable[int]]) -> Any:
    condition = (ChangeRecord.owner_entity == spec.name) & (ChangeRecord.owner_id == key)
    for entity, keys in rows.items():
        condition |= (ChangeRecord.entity == entity) & key_condition(ChangeRecord.record_id, sorted(keys))
    return condition


# --- writing ----------------------------------------------------------------------------------------------------------


def write_anonymised(run: Run, steps: Sequence[Anonymise]) -> None:
    """Takes the person out of these records and everything that belongs to them."""
    for step in steps:
        spec, key = step.spec, step.key
        KNOWN_SPECS.setdefault(spec.name, spec)
        require(run, spec, "delete")
        if not is_anonymisable(spec):
            raise TypeError(f"{spec.name} cannot be anonymised")
        if not visible_keys(run.operator, spec, [key]):
            raise NotFound(spec, key)
        if engine() == "postgresql":
            key_field = spec.model._meta.primary_key
            list(spec.model.select(key_field).where(key_field == key).for_update().tuples())
        departure = spec.model.departures([key]).get(key)
        if departure is None or departure.outcome != ANONYMISE:
            reasons = departure.reasons if departure else ()
            title = f"{spec.label} {_title(spec, key)}"
            refuse(run, MustStay(title, reasons or (gettext("wird nicht anonymisiert, sondern gelöscht."),)), None, "")
            continue
        for other in (key, *_merged_into(spec, key)):
            _take_out(run, spec, other)


def _merged_into(spec: ModelSpec, key: int) -> list[int]:
    """The records that became this one: the same person under another number."""
    merging = spec.model.merging
    if merging is None:
        return []
    query = spec.model.select(spec.model._meta.primary_key).where(spec.field(merging.successor).column_field == key)
    for name, value in merging.ended.items():
        query = query.where(spec.field(name).column_field == value)
    found = [row[0] for row in query.tuples()]
    return [*found, *(other for each in found for other in _merged_into(spec, each))]


def _take_out(run: Run, spec: ModelSpec, key: int) -> None:
    person = person_of(spec, key)
    counts = {
        str(spec.plural): _empty_record(run, spec, key),
        **_remove_children(spec, key),
        **_empty_referring(spec, key),
        **_remove_belongings(person),
        gettext("Historie"): _empty_history(person),
        gettext("Texte von Vorgängen und Aufträgen"): hide_in_texts(
            person, ChangeSetRecord, "title", "reason", "source", "details"
        )
        + hide_in_texts(person, Job, "title", "message", "result", "parameters"),
        gettext("Abfragen"): hide_in_texts(person, SavedQuery, "name", "query"),
    }
    for store in _stores.values():
        counts[str(store.label)] = counts.get(str(store.label), 0) + store.forget(person)
    for place, count in counts.items():
        run.anonymised_places[place] = run.anonymised_places.get(place, 0) + count
    _note(run, spec, key)


def _title(spec: ModelSpec, key: int) -> str:
    items = spec.title_specs
    query = spec.model.select(*(item.column_field for item in items)).where(spec.model._meta.primary_key == key)
    row = query.tuples().first() or ()
    return spec.title_of(dict(zip((item.name for item in items), row, strict=False)))


def _empty_record(run: Run, spec: ModelSpec, key: int) -> int:
    assert spec.model.sealed_when is not None
    removed = {child.model for child in spec.children}
    seal, sealed = spec.model.sealed_when
    values: dict[Any, Any] = {spec.field(seal).column_field: sealed}
    for item in spec.data_fields:
        if item.personal == "name":
            values[item.column_field] = NOBODY[: item.max_length or None]
        elif item.personal in ("wipe", "quasi") or item.secret or item.target in removed:
            values[item.column_field] = _empty(item)
    key_field = spec.model._meta.primary_key
    values[spec.model.version] = spec.model.version + 1
    values[spec.model.updated_at] = run.moment
    return int(spec.model.update(values).where(key_field == key).execute())


def _empty(item: FieldSpec) -> Any:
    if item.nullable:
        return None
    return item.default_value() if item.default is not None else ("" if item.type.name in _WORDY else None)


def _remove_children(spec: ModelSpec, key: int) -> dict[str, int]:
    """Removes all children without a trace; documents that named one of them keep their printed address."""
    removed = {}
    for child in _filled_children(spec, [key]):
        assert child.owner is not None
        keys = [row[0] for row in child.model.select(child.model.id).where(child.owner.column_field == key).tuples()]
        if not keys:
            continue
        for reference, model in child.model._meta.backrefs.items():
            if not is_owner(reference) and reference.null:
                model.update({reference: None}).where(key_condition(reference, keys)).execute()
        removed[child] = keys
    for child, keys in reversed(removed.items()):
        _remove_grandchildren(child, keys)
        child.model.delete().where(key_condition(child.model.id, keys)).execute()
    return {str(child.plural): len(keys) for child, keys in removed.items()}


def _remove_grandchildren(spec: ModelSpec, keys: list[int]) -> None:
    for child in _filled_children(spec, keys):
        assert child.owner is not None
        found = [
            row[0]
            for row in child.model.select(child.model.id).where(key_condition(child.owner.column_field, keys)).tuples()
        ]
        if found:
            _remove_grandchildren(child, found)
            child.model.delete().where(key_condition(child.model.id, found)).execute()


def _empty_referring(spec: ModelSpec, key: int) -> dict[str, int]:
    counts: dict[str, int] = {}
    for other, _reference, values in list(_referring(spec, key)):
        emptied = {
            item.column_field: NOBODY if item.personal == "name" else _empty(item)
            for item in other.data_fields
            if item.personal in ("name", "wipe", "quasi")
        }
        other.model.update(emptied).where(other.model.id == values["id"]).execute()
        counts[str(other.plural)] = counts.get(str(other.plural), 0) + 1
    return counts


def _remove_belongings(person: Person) -> dict[str, int]:
    removed = {}
    for spec, _find in _belongings.values():
        if keys := sorted(person.rows.get(spec.name, ())):
            spec.model.delete().where(key_condition(spec.model.id, keys)).execute()
            removed[str(spec.plural)] = len(keys)
    return removed


def _empty_history(person: Person) -> int:
    """Old and new values, snapshots and titles go; who, when and which field stay."""
    gone = json_text(GONE)
    either = peewee.Case(None, [(ChangeRecord.old_value.is_null(), None)], gone)
    other = peewee.Case(None, [(ChangeRecord.new_value.is_null(), None)], gone)
    where = _history_of(person.spec, person.key, person.rows)
    count = (
        ChangeRecord.update(old_value=either, new_value=other, record_title=GONE, action=ERASED).where(where).execute()
    )
    return int(count)


def _note(run: Run, spec: ModelSpec, key: int) -> None:
    """What the history and the search say from now on."""
    title = _title(spec, key)[:160]
    own = (ChangeRecord.entity == spec.name) & (ChangeRecord.record_id == key)
    ChangeRecord.update(record_title=title).where(own).execute()
    row = (run.change_set, spec.name, key, spec.name, key, title, ERASED, None, None, None, None, None)
    insert_changes([row])
    run.anonymised.setdefault(spec.name, set()).add(key)
    run.updated += 1
    run.touch(spec, key, None)


# --- words in other places --------------------------------------------------------------------------------------------


def hide_in_texts(person: Person, model: Any, *names: str, also: Any = None) -> int:
    """Takes the person out of these text and JSON columns of a table; answers in how many rows. `also`: only there."""
    fields = [model._meta.fields[name] for name in names]
    hidden = 0
    for key, *texts in list(_rows_with(person, model, fields, also)):
        values = {item: _hidden(person, item, text) for item, text in zip(fields, texts, strict=True)}
        model.update(values).where(model._meta.primary_key == key).execute()
        hidden += 1
    return hidden


def rows_with(person: Person, model: Any, *names: str) -> list[int]:
    """The keys of rows that have a word of the person in one of these columns."""
    fields = [model._meta.fields[name] for name in names]
    return [row[0] for row in _rows_with(person, model, fields, None)]


def _rows_with(person: Person, model: Any, fields: list[Any], also: Any) -> Iterator[tuple[Any, ...]]:
    seen: set[int] = set()
    place = "instr" if engine() == "sqlite" else "strpos"
    for start in range(0, len(person.words), _AT_ONCE):
        words = person.words[start : start + _AT_ONCE]
        # As text: hundreds of conditions take longer to put together from nodes than to ask.
        one = [f'{place}(CAST("t1"."{item.column_name}" AS TEXT), {database.param}) > 0' for item in fields]
        condition = peewee.SQL(f"({' OR '.join(part for part in one for _word in words)})", words * len(one))
        query = model.select(model._meta.primary_key, *fields).where(condition if also is None else also & condition)
        for row in query.tuples():
            if row[0] not in seen:
                seen.add(row[0])
                yield row


def _hidden(person: Person, item: Any, value: Any) -> Any:
    if isinstance(item, JSONField):
        return _walked(person, value)
    if not isinstance(value, str):
        return value
    hidden = person.hides(value)
    return hidden[: item.max_length] if isinstance(item, peewee.CharField) else hidden


def _walked(person: Person, value: Any) -> Any:
    if isinstance(value, str):
        return person.hides(value)
    if isinstance(value, dict):
        return {name: _walked(person, part) for name, part in value.items()}
    return [_walked(person, part) for part in value] if isinstance(value, list) else value


def forget_for_good(spec: ModelSpec) -> None:
    """After the transaction: what was overwritten leaves the files of the engine as well."""
    if database.in_transaction():
        return
    if engine() == "sqlite":
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    tables = (spec.name, *(child.name for child in spec.children), "change", "change_set", "job", "import_row")
    searched = (search.index_name(spec), "search_part") if search.has_index(spec) else ()
    for table in (*tables, *searched):
        database.execute_sql(f'VACUUM "{table}"')


def refuse_sealed(run: Run) -> None:
    """Refuses a set that changed an anonymised record or a child of one; asked once all its steps are written."""
    if run.faults:
        return
    for name, spec in run.concerned.items():
        if spec.model.sealed_when is None:
            continue
        seal, sealed = spec.model.sealed_when
        # From the rows of the set to the records, in this order: a set of one record is asked with one look.
        cross = "CROSS JOIN" if engine() == "sqlite" else "JOIN"
        where = f"c.change_set_id = {database.param} AND c.owner_entity = {database.param} AND c.action <> 'erased'"
        sql = (
            f'SELECT DISTINCT c.owner_id FROM "change" c {cross} "{name}" t '
            f"{'ON t.id = c.owner_id' if cross == 'JOIN' else ''} WHERE {where} "
            f"{'AND t.id = c.owner_id' if cross != 'JOIN' else ''} "
            f'AND t."{spec.field(seal).column}" = {database.param} LIMIT 20'
        )
        for (key,) in database.execute_sql(sql, (run.change_set, name, sealed)).fetchall():
            run.faults.append(Sealed(f"{spec.label} {_title(spec, key)}"))


class Sealed(AppAdminError):
    """An anonymised record that somebody wanted to change."""

    status = 409

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title

    def sentence(self) -> str:
        return gettext(
            "%(title)s ist anonymisiert und wird nicht mehr geändert. Es wurde nichts gespeichert.", title=self.title
        )


__all__ = [
    "GONE",
    "NOBODY",
    "Anonymise",
    "Person",
    "Sealed",
    "forget_for_good",
    "hide_in_texts",
    "is_anonymisable",
    "person_of",
    "persons_of",
    "refuse_sealed",
    "register_belongings",
    "register_store",
    "rows_with",
    "write_anonymised",
]

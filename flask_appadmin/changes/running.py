"""One change set while it is being written: its context, its steps, and the rows of the history.

Shape: `Run` is what the models' `prepare` and `validate` see as `operation`; steps are plain values that `gateway.py`
collects and the files beside this one write. Nothing here opens a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_appadmin import search
from flask_appadmin.database import Record, database, execute_many, insert_many, key_condition
from flask_appadmin.errors import AppAdminError
from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.history import SECRET
from flask_appadmin.rights import Operator, visible
from flask_appadmin.specs import FieldSpec, ModelSpec

#: Kinds of operation that may fill fields people cannot type into (numbers, marks of the system).
SYSTEM_KINDS = ("load", "setup", "undo", "copy", "full_copy", "merge", "transmit")

#: Kinds of operation by which people set values of their own: they say why where a field asks for it.
REASONED_KINDS = ("form", "list", "bulk", "import")

#: So many rows are asked for at once.
CHUNK = 500

#: Takes (done, total) while a set is written; what it raises takes everything back.
Progress = Callable[[int, int], None]


class NewRecord:
    """A record that the set will make; stands for its key in other steps of the same set."""

    def __init__(
        self, spec: ModelSpec, values: dict[str, Any], source: str = "", place: tuple[str, str] | None = None
    ) -> None:
        self.spec = spec
        self.values = values
        self.source = source
        #: Where in a form it stands: (child table, row key).
        self.place = place
        #: The database key, known once the set is applied.
        self.key: int | None = None


@dataclass
class Update:
    spec: ModelSpec
    key: int
    values: dict[str, Any]
    #: What the values were when the operator saw them; without it the record as it is now counts.
    base: dict[str, Any] | None = None
    source: str = ""
    place: tuple[str, str] | None = None
    #: Field -> where its value came from, where that differs from `source`.
    origins: dict[str, str] = field(default_factory=dict)


@dataclass
class Delete:
    spec: ModelSpec
    key: int
    source: str
    #: The version that the operator saw; None where nobody looked at it.
    version: int | None = None
    place: tuple[str, str] | None = None


@dataclass
class Assign:
    selection: Any
    values: dict[str, Any]
    expected: str
    without: frozenset[int]


@dataclass(frozen=True)
class Written:
    """A record as a set has made or changed it, for the rules that follow from it (`Record.follow`)."""

    key: int
    #: The values before, None for a new record.
    old: dict[str, Any] | None
    #: The values now: all that were given to a new record; of a changed one those that were read, the changed included.
    new: dict[str, Any]

    def changed(self, *names: str) -> bool:
        """Whether one of these fields is another than before; True for a new record."""
        return self.old is None or any(self.old.get(name) != self.new.get(name) for name in names)


@dataclass(frozen=True)
class Turn:
    """What became of a stored row: its values before (with its key) and after, None when it went."""

    old: dict[str, Any]
    new: dict[str, Any] | None
    #: Where in a form it stands: (child table, row key).
    place: tuple[str, str] | None


@dataclass(frozen=True)
class Applied:
    """What came of a set: its key in the history (None when nothing had to be written) and counts."""

    change_set: int | None
    created: int = 0
    updated: int = 0
    deleted: int = 0
    #: What was left alone, with the reason (undo of values that were changed again).
    skipped: tuple[str, ...] = ()
    #: In how many rows of which place a person was found and taken out.
    places: tuple[tuple[str, int], ...] = ()
    #: The same was sent before; nothing was written again.
    repeated: bool = False

    @property
    def count(self) -> int:
        return self.created + self.updated + self.deleted


@dataclass
class Run:
    """One apply in progress: the context that `prepare` and `validate` of the models see, and what to finish at the
    end."""

    kind: str
    operator: Operator
    source: str
    moment: Any
    change_set: int = 0
    #: Everything is taken back at the end: what nobody could see of it (history, search index) is not written.
    rehearsal: bool = False
    created: int = 0
    updated: int = 0
    deleted: int = 0
    faults: list[AppAdminError] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    #: Model name -> keys of records whose search text may have changed.
    touched: dict[str, set[int]] = field(default_factory=dict)
    forgotten: dict[str, set[int]] = field(default_factory=dict)
    #: What became of rows whose model has rules over several of them (`settle`).
    turns: dict[type[Record], list[Turn]] = field(default_factory=dict)
    #: Models whose records, or whose records' children, this set writes.
    concerned: dict[str, ModelSpec] = field(default_factory=dict)
    #: Model name -> keys of records that this set anonymised, and in how many rows of which place it found them.
    anonymised: dict[str, set[int]] = field(default_factory=dict)
    anonymised_places: dict[str, int] = field(default_factory=dict)
    #: Free for the models' rules: what one step finds out and the next one needs.
    memory: dict[str, Any] = field(default_factory=dict)
    #: Records whose models have something to follow from them.
    written: list[tuple[ModelSpec, Written]] = field(default_factory=list)
    #: What is written now follows from a rule: nobody typed it, so it may stand in fields nobody can type into.
    by_rule: bool = False
    #: Labels of the fields whose change asks for a reason, in the order in which they were met.
    unreasoned: dict[str, None] = field(default_factory=dict)
    #: Labels of the fields that a file ticks and for which it has to bring a proof.
    unproven: dict[str, None] = field(default_factory=dict)
    #: Who wants to hear how far it is, and how far that is: records written of those that are going to be.
    progress: Progress | None = None
    expected: int = 0
    done: int = 0

    def expect(self, count: int) -> None:
        """So many records more are going to be written."""
        self.expected += count
        if count and self.progress is not None:
            self.progress(self.done, max(self.done, self.expected))

    def advance(self, count: int) -> None:
        """So many records more are written."""
        self.done += count
        if self.progress is not None:
            self.progress(self.done, max(self.done, self.expected))

    def concern(self, spec: ModelSpec) -> None:
        """Remembers what this set writes, for rules over whole records."""
        whole = spec if spec.owner is None else spec.owner.references
        self.concerned[whole.name] = whole

    def ask_why(self, label: Any) -> None:
        """Remembers that a reason has to be given for a change of this field."""
        if self.kind in REASONED_KINDS and not self.by_rule:
            self.unreasoned.setdefault(str(label))

    def ask_proof(self, label: Any) -> None:
        """Remembers that a file ticks a field that asks for source and date."""
        if self.kind == "import" and not self.by_rule:
            self.unproven.setdefault(str(label))

    def note(self, spec: ModelSpec, key: int, old: dict[str, Any] | None, new: dict[str, Any]) -> None:
        """Remembers a record if something follows from its change (`Record.follow`, `Record.mirrors`)."""
        names = spec.watched_fields
        if names and (old is None or any(old.get(name) != new.get(name) for name in names)):
            self.written.append((spec, Written(key, old, new)))

    def turn(
        self, spec: ModelSpec, old: dict[str, Any], new: dict[str, Any] | None, place: tuple[str, str] | None
    ) -> None:
        """Keeps in mind what became of a row, for models that look at all their rows in the end."""
        if spec.model.settle.__func__ is not Record.settle.__func__:  # type: ignore[attr-defined]
            self.turns.setdefault(spec.model, []).append(Turn(old, new, place))

    def touch(self, spec: ModelSpec, key: int, owner_key: int | None) -> None:
        if spec.owner is not None and owner_key is not None:
            self.touched.setdefault(spec.owner.references.name, set()).add(owner_key)
        elif search.has_index(spec):
            self.touched.setdefault(spec.name, set()).add(key)


#: Table -> spec of every model that a set has met or that the registry declared; histories name tables.
KNOWN_SPECS: dict[str, ModelSpec] = {}


def know(specs: Iterable[ModelSpec]) -> None:
    """Tells the gateway all models, so that undo and histories find them by their table's name."""
    KNOWN_SPECS.update({spec.name: spec for spec in specs})


def known_specs() -> dict[str, ModelSpec]:
    return KNOWN_SPECS


CHANGE_COLUMNS = (
    "change_set_id",
    "entity",
    "record_id",
    "owner_entity",
    "owner_id",
    "record_title",
    "action",
    "field",
    "field_label",
    "old_value",
    "new_value",
    "source",
)


def insert_changes(rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    marks = ", ".join([database.param] * len(CHANGE_COLUMNS))
    execute_many(f'INSERT INTO "change" ({", ".join(CHANGE_COLUMNS)}) VALUES ({marks})', rows)


def insert_creations(change_set: int, entity: str, owner_entity: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Notes new records of one table; rows: (key, key of the owner, title, snapshot, source)."""
    columns = "change_set_id, entity, owner_entity, action, record_id, owner_id, record_title, new_value, source"
    marks = ", ".join([database.param] * 5)
    insert_many(
        f'INSERT INTO "change" ({columns}) VALUES',
        f"({int(change_set)}, '{entity}', '{owner_entity}', 'create', {marks})",
        rows,
    )


def owner_of(spec: ModelSpec, key: int, values: dict[str, Any]) -> tuple[str, int]:
    if spec.owner is None:
        return spec.name, key
    return spec.owner.references.name, values.get(spec.owner.name) or 0


def json_of(spec: FieldSpec, value: Any) -> str:
    if value is not None and spec.secret:
        return SECRET
    return json_text(spec.type.to_json(value, spec))


def snapshot(spec: ModelSpec, values: dict[str, Any]) -> str:
    """All filled values of a record as one JSON object; secrets only as "changed"."""
    content = {}
    converted = spec.converted_fields
    further = {item.name: item for item in spec.further_fields}
    for name, value in values.items():
        if value is None or (name not in spec.data_names and name not in further):
            continue
        item = converted.get(name) or further.get(name)
        if item is None:
            content[name] = value
        else:
            content[name] = "••••" if item.secret else item.type.to_json(value, item)
    return json_text(content)


def depth(spec: ModelSpec) -> int:
    return 0 if spec.owner is None or spec.owner.target is spec.model else 1 + depth(spec.owner.references)


def require(run: Run, spec: ModelSpec, verb: str) -> None:
    run.concern(spec)
    run.operator.require(f"{spec.right}.{verb}")


def visible_keys(operator: Operator, spec: ModelSpec, keys: Iterable[int]) -> set[int]:
    key_field = spec.model._meta.primary_key
    query = spec.model.select(key_field).where(key_condition(key_field, sorted(keys)))
    condition = visible(operator, spec)
    return {row[0] for row in (query if condition is None else query.where(condition)).tuples()}


def refuse(run: Run, fault: Any, place: tuple[str, str] | None, source: str) -> None:
    fault.place = place or getattr(fault, "place", None)
    fault.source = source
    run.faults.append(fault)

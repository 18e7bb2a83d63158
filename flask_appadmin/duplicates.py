"""Duplicates: which records of a table are perhaps one, how sure that is and why, and which ones surely are not.

Shape: a model says by `likeness = Likeness(...)` what makes two records alike. `start_search` looks through the whole
table as a job; its result is a list of pairs with the traits they share, and `found_groups` answers them as groups, the
surest first, as far as this operator may see records and traits. What somebody said are two ("kein Duplikat") stays two
for ever: the table `no_duplicate`.
How: every record gives one value per trait, folded as the search folds; records with the same value are compared with
each other and with nobody else. A value that more than MOST_ALIKE records have says nothing and is left out, so the
work grows with the number of records, not with its square.
Units: points from 0 to 100. Errors: NotFound for a model without likeness.
Source: goals D1, D2.
"""

from __future__ import annotations

import contextlib
import difflib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from flask_appadmin import jobs, search
from flask_appadmin.changes import known_specs
from flask_appadmin.database import database, engine, execute_many, key_condition, transaction, utcnow
from flask_appadmin.errors import NotFound
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import gettext
from flask_appadmin.jobs import Job, RunningJob
from flask_appadmin.rights import Operator, User, may_read, system_operator, visible
from flask_appadmin.specs import FieldSpec, ModelSpec

#: A value that more records have says nothing about them.
MOST_ALIKE = 50
#: So many pairs are kept, the surest ones; so many records stand in one group.
MOST_PAIRS = 5_000
MOST_IN_GROUP = 10
_STRETCH = 5_000
#: Names that differ by less are similar.
_SIMILAR = 0.82

NAME, WORDS, PHONE, CODE = "name", "words", "phone", "code"


@dataclass(frozen=True)
class Trait:
    """Something that two records may share."""

    name: str
    #: As it is told: „gleiche IBAN“.
    label: Any
    #: Its fields; "<child>.<field>" for one of a child table, of which each row gives a value.
    fields: tuple[str, ...]
    points: int
    #: How values are compared: "name" (words in any order), "words", "phone" (digits) or "code" (letters and digits).
    kind: str = WORDS
    #: Shorter values say nothing.
    least: int = 3
    #: Counts where something else is shared already; too common to look for.
    beside: bool = False


@dataclass(frozen=True)
class Likeness:
    """What makes two records of a model alike."""

    traits: tuple[Trait, ...]
    #: The trait whose values may also be similar, how that is told, and what it counts then.
    similar: str
    similar_label: Any
    similar_points: int
    #: Words that are no part of a name: legal forms.
    fillers: str = ""
    #: From so many points on two are worth looking at.
    least: int = 50
    #: Which records are compared, as the text of a filter.
    among: str = ""
    #: What stands in the comparison.
    shown: tuple[str, ...] = ()


class NoDuplicate(peewee.Model):
    """Two records of which somebody said that they are two."""

    entity = peewee.CharField(max_length=60)
    #: The smaller key first.
    first_id = peewee.BigIntegerField()
    second_id = peewee.BigIntegerField()
    user = peewee.ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
    user_name = peewee.CharField(max_length=80)
    decided_at = peewee.DateTimeField()

    class Meta:
        table_name = "no_duplicate"
        database = database
        indexes = ((("entity", "first_id", "second_id"), True), (("entity", "second_id"), False))


@dataclass(frozen=True)
class Pair:
    first: int
    second: int
    #: Names of the traits that both share; "~" for a similar name.
    traits: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Records that are perhaps one."""

    keys: tuple[int, ...]
    points: int
    reasons: tuple[str, ...]


# --- comparing --------------------------------------------------------------------------------------------------------


def _likeness_of(spec: ModelSpec) -> Likeness:
    found: Likeness | None = spec.model.likeness
    if found is None:
        raise NotFound()
    return found


def _item(spec: ModelSpec, name: str) -> tuple[FieldSpec, ModelSpec]:
    table, dot, field = name.rpartition(".")
    if not dot:
        return spec.field(name), spec
    child = next(child for child in spec.children if child.name == table)
    return child.field(field), child


def _folded(likeness: Likeness, trait: Trait, texts: list[str]) -> list[str]:
    if not texts:
        return []
    if trait.kind == PHONE:
        return [search.phone_digits(text) for text in texts]
    if trait.kind == CODE:
        return [re.sub(r"[\W_]", "", text).lower() for text in texts]
    folded = [" ".join(text.split()) for text in search.fold_all(texts)]
    return [plain_name(likeness, text) for text in folded] if trait.kind == NAME else folded


def plain_name(likeness: Likeness, folded: str) -> str:
    """The words of a name in one order and without legal forms."""
    words = [word for word in folded.split() if not re.fullmatch(likeness.fillers or "-", word)]
    return " ".join(sorted(words or folded.split()))


def _rows(spec: ModelSpec, trait: Trait, condition: Any) -> Iterator[list[tuple[int, str]]]:
    """(record, text) of a trait, stretch by stretch in the order of the keys."""
    items = [_item(spec, name) for name in trait.fields]
    model = items[0][1].model
    key_field = model._meta.primary_key
    owner = items[0][1].owner
    holder = key_field if model is spec.model else owner.column_field if owner is not None else key_field
    columns = [item.column_field for item, _model in items]
    optional = trait.kind == NAME
    last = 0
    while True:
        query = model.select(key_field, holder, *columns).where(key_field > last).order_by(key_field).limit(_STRETCH)
        if condition is not None and model is spec.model:
            query = query.where(condition)
        rows = list(query.tuples())
        if not rows:
            return
        last = rows[-1][0]
        found = []
        for _key, record, *values in rows:
            if record is not None and (all(values) or (optional and any(values))):
                found.append((record, " ".join(str(value) for value in values if value)))
        yield found


def compare_all(spec: ModelSpec, tell: Callable[[int, int], None] | None = None) -> list[Pair]:
    """All pairs of a table that are alike enough, the surest first."""
    likeness = _likeness_of(spec)
    condition = None
    if likeness.among:
        condition = Filter.from_text(spec, likeness.among, system_operator("")).where(system_operator(""))
    searched = [trait for trait in likeness.traits if not trait.beside]
    shared: dict[tuple[int, int], set[str]] = {}
    database.connect(reuse_if_open=True)
    try:
        # A scratch pad of this connection: others go on reading and writing meanwhile.
        database.execute_sql("DROP TABLE IF EXISTS likeness")
        database.execute_sql(
            "CREATE TEMPORARY TABLE likeness (trait integer NOT NULL, value text NOT NULL, record bigint NOT NULL)"
        )
        for number, trait in enumerate(searched):
            _note(spec, likeness, trait, number, condition)
            if tell is not None:
                tell(number + 1, len(searched) + 1)
        for number, records in _blocks():
            for pair in itertools.combinations(records, 2):
                shared.setdefault(pair, set()).add(searched[number].name)
    finally:
        database.execute_sql("DROP TABLE IF EXISTS likeness")
    pairs = _weighed(spec, likeness, shared, condition)
    if tell is not None:
        tell(len(searched) + 1, len(searched) + 1)
    return pairs


def _note(spec: ModelSpec, likeness: Likeness, trait: Trait, number: int, condition: Any) -> None:
    """Writes down which record has which value of a trait."""
    param = database.param
    for rows in _rows(spec, trait, condition):
        texts = _folded(likeness, trait, [text for _record, text in rows])
        values = [
            (number, text, record)
            for (record, _text), text in zip(rows, texts, strict=True)
            if len(text) >= trait.least
        ]
        # PostgreSQL ends a transaction with each row where none is open; SQLite would take the lock of all writers.
        with transaction() if engine() == "postgresql" else contextlib.nullcontext():
            execute_many(f"INSERT INTO likeness (trait, value, record) VALUES ({param}, {param}, {param})", values)


def _blocks() -> Iterator[tuple[int, list[int]]]:
    """(number of the trait, records with one value of it), where several have it but not everybody."""
    database.execute_sql("CREATE INDEX likeness_value ON likeness (trait, value)")
    several = (
        "SELECT l.trait, l.value, l.record FROM likeness l JOIN (SELECT trait, value FROM likeness "
        f"GROUP BY trait, value HAVING count(*) BETWEEN 2 AND {MOST_ALIKE}) s "
        "ON s.trait = l.trait AND s.value = l.value ORDER BY l.trait, l.value, l.record"
    )
    found = database.execute_sql(several).fetchall()
    for (number, _value), members in itertools.groupby(found, key=lambda row: (row[0], row[1])):
        yield number, sorted({row[2] for row in members})


def _weighed(
    spec: ModelSpec, likeness: Likeness, shared: dict[tuple[int, int], set[str]], condition: Any
) -> list[Pair]:
    """Adds what counts beside, and leaves out pairs that are not alike enough or of records that are not compared."""
    beside = [trait for trait in likeness.traits if trait.beside]
    named = next(trait for trait in likeness.traits if trait.name == likeness.similar)
    keys = sorted({key for pair in shared for key in pair})
    values = {trait.name: _values(spec, likeness, trait, keys, condition) for trait in (named, *beside)}
    compared = _present(spec, keys, condition)
    found = []
    for (first, second), traits in shared.items():
        if first not in compared or second not in compared:
            continue
        for trait in beside:
            one, other = values[trait.name].get(first), values[trait.name].get(second)
            if one and one == other:
                traits.add(trait.name)
        if named.name not in traits and _similar(values[named.name].get(first, ""), values[named.name].get(second, "")):
            traits.add("~")
        if points_of(likeness, traits) >= likeness.least:
            found.append(Pair(first, second, tuple(sorted(traits))))
    found.sort(key=lambda pair: (-points_of(likeness, pair.traits), pair.first, pair.second))
    return found


def _values(spec: ModelSpec, likeness: Likeness, trait: Trait, keys: list[int], condition: Any) -> dict[int, str]:
    columns = [spec.field(name).column_field for name in trait.fields]
    key_field = spec.model._meta.primary_key
    found: dict[int, str] = {}
    for start in range(0, len(keys), _STRETCH):
        query = spec.model.select(key_field, *columns).where(key_condition(key_field, keys[start : start + _STRETCH]))
        rows = list((query if condition is None else query.where(condition)).tuples())
        texts = _folded(likeness, trait, [" ".join(str(value) for value in row[1:] if value) for row in rows])
        found.update((row[0], text) for row, text in zip(rows, texts, strict=True))
    return found


def _present(spec: ModelSpec, keys: list[int], condition: Any) -> set[int]:
    key_field = spec.model._meta.primary_key
    found: set[int] = set()
    for start in range(0, len(keys), _STRETCH):
        query = spec.model.select(key_field).where(key_condition(key_field, keys[start : start + _STRETCH]))
        found |= {row[0] for row in (query if condition is None else query.where(condition)).tuples()}
    return found


def _similar(one: str, other: str) -> bool:
    """Whether two names differ by a slip of the pen, or one has a word more."""
    if not one or not other:
        return False
    words, others = set(one.split()), set(other.split())
    if words <= others or others <= words:
        return True
    matcher = difflib.SequenceMatcher(None, one, other)
    return matcher.real_quick_ratio() >= _SIMILAR and matcher.ratio() >= _SIMILAR


def points_of(likeness: Likeness, traits: Iterable[str]) -> int:
    """How sure it is that two records which share this are one: 0 to 100."""
    known = {trait.name: trait.points for trait in likeness.traits} | {"~": likeness.similar_points}
    return min(sum(known[name] for name in set(traits) if name in known), 100)


# --- two that are two -------------------------------------------------------------------------------------------------


def declare_different(spec: ModelSpec, keys: Sequence[int], operator: Operator) -> None:
    """Remembers for ever that no two of these records are one."""
    operator.require(f"{spec.right}.edit")
    pairs = list(itertools.combinations(sorted(set(keys)), 2))
    with transaction():
        for first, second in pairs:
            known = NoDuplicate.select().where(
                NoDuplicate.entity == spec.name, NoDuplicate.first_id == first, NoDuplicate.second_id == second
            )
            if not known.exists():
                NoDuplicate.insert(
                    entity=spec.name,
                    first_id=first,
                    second_id=second,
                    user=operator.user_id,
                    user_name=operator.name[:80],
                    decided_at=utcnow(),
                ).execute()


def different_from(spec: ModelSpec, key: int) -> set[int]:
    """The records of which somebody said that they are not this one."""
    query = NoDuplicate.select(NoDuplicate.first_id, NoDuplicate.second_id).where(
        NoDuplicate.entity == spec.name, (NoDuplicate.first_id == key) | (NoDuplicate.second_id == key)
    )
    return {other for pair in query.tuples() for other in pair} - {key}


def _different(spec: ModelSpec) -> set[tuple[int, int]]:
    query = NoDuplicate.select(NoDuplicate.first_id, NoDuplicate.second_id).where(NoDuplicate.entity == spec.name)
    return set(query.tuples())


# --- the search as a job ----------------------------------------------------------------------------------------------

KIND = "duplicates"


def start_search(spec: ModelSpec, operator: Operator, *, page: str = "") -> Job:
    """Puts a search through the whole table in the line; one that runs already is that one."""
    _likeness_of(spec)
    operator.require(f"{spec.right}.read")
    running = running_search(spec)
    if running is not None:
        return running
    title = gettext("Dubletten suchen: %(plural)s", plural=str(spec.plural))
    return jobs.start(KIND, title, {"entity": spec.name, "page": page}, operator)


def _searches(spec: ModelSpec, *states: str) -> Iterator[Job]:
    """The latest searches of a table, newest first."""
    query = Job.select().where(Job.kind == KIND, Job.state.in_(states)).order_by(Job.id.desc()).limit(20)
    return (job for job in query if job.parameters.get("entity") == spec.name)


def running_search(spec: ModelSpec) -> Job | None:
    return next(_searches(spec, "waiting", "running"), None)


def search_problem(spec: ModelSpec) -> str:
    """Why the latest search came to nothing, "" where it did not."""
    latest = next(_searches(spec, "done", "failed", "cancelled"), None)
    return latest.message if latest is not None and latest.state != "done" else ""


def last_search(spec: ModelSpec) -> Job | None:
    return next(_searches(spec, "done"), None)


def _search(run: RunningJob) -> Any:
    spec = known_specs()[str(run.parameters["entity"])]
    run.operator.require(f"{spec.right}.read")
    # All records are compared; what an operator sees of it is asked when it is shown.
    pairs = compare_all(spec, run.progress)
    stored = [[pair.first, pair.second, list(pair.traits)] for pair in pairs[:MOST_PAIRS]]
    return {"pairs": stored, "count": len(pairs), "url": run.parameters.get("page", "")}


jobs.register_job(KIND, _search)


def found_groups(spec: ModelSpec, operator: Operator) -> list[Group]:
    """What the last search found, as groups, the surest first: without those that are two or were merged since."""
    likeness = _likeness_of(spec)
    job = last_search(spec)
    if job is None:
        return []
    condition = visible(operator, spec)
    if likeness.among:
        among = Filter.from_text(spec, likeness.among, system_operator("")).where(system_operator(""))
        condition = among if condition is None else condition & among
    stored: dict[str, Any] = job.result or {}
    pairs = [Pair(first, second, tuple(traits)) for first, second, traits in stored.get("pairs", ())]
    present = _present(spec, sorted({key for pair in pairs for key in (pair.first, pair.second)}), condition)
    different = _different(spec)
    readable = {trait.name: trait for trait in likeness.traits if _may_see(spec, trait, operator)}
    labels = {name: str(trait.label) for name, trait in readable.items()} | {"~": str(likeness.similar_label)}
    groups: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    told: dict[int, tuple[int, set[str]]] = {}
    for pair in pairs:
        traits = [name for name in pair.traits if name in labels]
        points = points_of(likeness, traits)
        hidden = pair.first not in present or pair.second not in present or (pair.first, pair.second) in different
        if hidden or points < likeness.least:
            continue
        one, other = groups.get(pair.first, pair.first), groups.get(pair.second, pair.second)
        joined = [*members.get(one, [one]), *(members.get(other, [other]) if other != one else [])]
        apart = any(tuple(sorted(two)) in different for two in itertools.combinations(joined, 2))
        if len(joined) > MOST_IN_GROUP or apart:
            continue
        members.pop(other, None)
        members[one] = joined
        groups.update(dict.fromkeys(joined, one))
        best, reasons = told.get(one, (0, set()))
        more = told.pop(other, (0, set())) if other != one else (0, set())
        told[one] = (max(best, more[0], points), reasons | more[1] | set(traits))
    order = [trait.name for trait in sorted(likeness.traits, key=lambda trait: -trait.points)]
    found = []
    for one, keys in members.items():
        points, reasons = told[one]
        # „gleiche PLZ“ says nothing beside „gleiche Straße und PLZ“.
        wider = [set(trait.fields) for trait in likeness.traits if trait.name in reasons and not trait.beside]
        said = {
            trait.name for trait in likeness.traits if trait.beside and any(set(trait.fields) <= one for one in wider)
        }
        said |= {"~"} if likeness.similar in reasons else set()
        names = [name for name in (*order, "~") if name in reasons - said]
        found.append(Group(tuple(sorted(keys)), points, tuple(labels[name] for name in names)))
    return sorted(found, key=lambda group: (-group.points, group.keys))


def _may_see(spec: ModelSpec, trait: Trait, operator: Operator) -> bool:
    return all(may_read(operator, _item(spec, name)[0]) for name in trait.fields)


#: Tables of this room, in the order of their creation.
MODELS = (NoDuplicate,)

__all__ = [
    "MODELS",
    "Group",
    "Likeness",
    "NoDuplicate",
    "Pair",
    "Trait",
    "compare_all",
    "declare_different",
    "different_from",
    "found_groups",
    "last_search",
    "points_of",
    "running_search",
    "search_problem",
    "start_search",
]

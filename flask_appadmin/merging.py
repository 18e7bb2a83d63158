"""Merging: what becomes of the fields, the child rows and the references of several records that become one.

Shape: a model says by `merging = Merging(...)` how its records merge. `plan_merge` reads and answers a MergePlan: per
field the values of all records and whose is taken, per child row whether it moves, stands there already ("link") or
stays, per table how many references follow, and what clashes. `MergePlan.change_set` is the one operation that does
exactly this. Nothing is deleted: the others stay as rows, ended, with a reference to the survivor, and
`current_key` leads from them to it.
The references are asked from the specs: every foreign key to the model or to one of its child rows.
Errors: MergeRefused with a sentence; NotFound for a record that the operator may not see.
Source: NE-135 to NE-141; goals D3, D4, M7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_appadmin import search
from flask_appadmin.changes import ChangeSet, Merge, Move, Repoint, number_field, state_of, unique_sets
from flask_appadmin.changes.merging import RIGHT
from flask_appadmin.customfields import complete
from flask_appadmin.database import key_condition
from flask_appadmin.errors import AppAdminError, NotFound
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_edit, may_read, visible
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache, shown, spec_of

MOVE, LINK, STAY = "move", "link", "stay"


class MergeRefused(AppAdminError):
    """These records cannot become one."""

    status = 409


@dataclass(frozen=True)
class Merging:
    """How records of a model become one."""

    #: The reference of a merged record to the one that goes on in its place, and its further values.
    successor: str
    ended: dict[str, Any]
    #: Fields that are taken from one record as a whole: the lines of an address, a number with its country.
    together: tuple[tuple[str, ...], ...] = ()
    #: Boxes that stay ticked when one of the records has them: bans.
    any_of: tuple[str, ...] = ()
    #: Sums that are added up and go from the merged records; days of which the latest stays.
    added: tuple[str, ...] = ()
    latest: tuple[str, ...] = ()
    #: Fields that every record keeps.
    own: tuple[str, ...] = ()
    #: Tables whose rows stay where they are: bookkeeping.
    stays: tuple[str, ...] = ()
    #: So many records at most become one at once.
    most: int = 10


@dataclass(frozen=True)
class FieldChoice:
    """One field: what each record has, and whose value the survivor gets."""

    item: FieldSpec
    values: dict[int, Any]
    #: The record whose value is taken.
    taken: int
    #: The value itself, where it is none of theirs (a sum, a reference to a merged record that falls away).
    value: Any
    #: What is done where nobody chooses.
    usual: int
    #: The operator may choose.
    is_open: bool
    #: A word on what is done where nothing can be chosen.
    note: str = ""

    @property
    def differs(self) -> bool:
        return len({repr(value) for value in self.values.values()}) > 1


@dataclass(frozen=True)
class RowChoice:
    """One child row of a merged record."""

    spec: ModelSpec
    key: int
    owner: int
    title: str
    words: str
    what: str
    #: What may be done with it.
    offered: tuple[str, ...]
    #: The row that stands there already, for "link".
    equal: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Following:
    """References of one field that lead to the survivor from now on."""

    spec: ModelSpec
    item: FieldSpec
    count: int


@dataclass
class MergePlan:
    spec: ModelSpec
    survivor: int
    #: The survivor first, then the others, the latest change first.
    keys: list[int]
    titles: dict[int, str]
    fields: list[FieldChoice] = field(default_factory=list)
    rows: list[RowChoice] = field(default_factory=list)
    following: list[Following] = field(default_factory=list)
    clashes: list[str] = field(default_factory=list)
    state: str = ""
    step: Merge | None = None

    @property
    def sources(self) -> list[int]:
        return self.keys[1:]

    def change_set(self, *, reason: str = "", title: str = "", once: str = "") -> ChangeSet:
        """The one operation that does what the plan says."""
        assert self.step is not None
        merged = ", ".join(self.titles[key] for key in self.sources)
        words = title or gettext("%(merged)s → %(survivor)s", merged=merged, survivor=self.titles[self.survivor])
        change = ChangeSet(
            "merge",
            reason=reason,
            source=f"{self.spec.label} {merged}",
            title=words[:250],
            details={"survivor": self.survivor, "merged": self.sources},
            once=once,
        )
        change.merge(self.step)
        return change


def is_merged(spec: ModelSpec, values: Mapping[str, Any]) -> bool:
    """Whether a record goes on as another one."""
    rule: Merging | None = spec.model.merging
    if rule is None or values.get(rule.successor) is None:
        return False
    return all(values.get(name) == value for name, value in rule.ended.items())


def current_key(spec: ModelSpec, key: int) -> int:
    """The record that goes on in the place of this one: itself, or the end of the chain of its successors."""
    rule: Merging | None = spec.model.merging
    if rule is None:
        return key
    names = (rule.successor, *rule.ended)
    columns = [spec.field(name).column_field for name in names]
    seen: set[int] = set()
    while key not in seen:
        seen.add(key)
        row = spec.model.select(*columns).where(spec.model._meta.primary_key == key).tuples().first()
        if row is None or not is_merged(spec, dict(zip(names, row, strict=True))):
            break
        key = row[0]
    return key


def current_keys(spec: ModelSpec, keys: Iterable[int]) -> dict[int, int]:
    """Of these records those that go on as another one -> which one that is."""
    rule: Merging | None = spec.model.merging
    wanted = sorted(set(keys))
    if rule is None or not wanted:
        return {}
    model = spec.model
    query = model.select(model._meta.primary_key).where(
        key_condition(model._meta.primary_key, wanted), spec.field(rule.successor).column_field.is_null(False)
    )
    for name, value in rule.ended.items():
        query = query.where(spec.field(name).column_field == value)
    return {row[0]: current_key(spec, row[0]) for row in query.tuples()}


def plan_merge(
    spec: ModelSpec,
    keys: Sequence[int],
    survivor: int,
    operator: Operator,
    *,
    choices: Mapping[str, int] | None = None,
    rows: Mapping[tuple[str, int], str] | None = None,
    only: frozenset[str] | None = None,
    overwrite: bool = False,
) -> MergePlan:
    """What merging these records into one of them would do.

    choices: field -> the record whose value is taken. rows: (child table, key) -> "move", "link" or "stay". only:
    nothing but the references of these tables follows, and the sums; the fields and child rows stay. overwrite: what
    the others have filled wins over what the survivor has.
    """
    return _Planner(spec, keys, survivor, operator, choices or {}, rows or {}, only, overwrite).plan()


class _Planner:
    def __init__(
        self,
        spec: ModelSpec,
        keys: Sequence[int],
        survivor: int,
        operator: Operator,
        choices: Mapping[str, int],
        row_choices: Mapping[tuple[str, int], str],
        only: frozenset[str] | None,
        overwrite: bool,
    ) -> None:
        if spec.model.merging is None:
            raise NotFound()
        operator.require(RIGHT)
        operator.require(f"{spec.right}.edit")
        self.spec = spec
        self.rule: Merging = spec.model.merging
        self.operator = operator
        self.choices = choices
        self.row_choices = row_choices
        self.only = only
        self.overwrite = overwrite
        self.survivor = survivor
        self.records = self._read(sorted({*keys, survivor}))
        self._refuse(keys)
        others = [key for key in self.records if key != survivor]
        others.sort(key=lambda key: (self.records[key]["updated_at"], key), reverse=True)
        self.keys = [survivor, *others]
        self.names = ReferenceCache()
        titles = {key: spec.title_of(self.records[key]) for key in self.keys}
        self.result = MergePlan(spec, survivor, self.keys, titles, state=state_of(spec, self.keys))
        self.step = Merge(spec, survivor, {key: titles[key][:120] for key in others}, self.result.state)
        self.result.step = self.step
        #: Rows of the merged records that stay behind, and where references to equal ones go.
        self.staying: dict[str, set[int]] = {}
        self.linked: dict[str, dict[int, tuple[int, int]]] = {}
        self.moved: dict[str, set[int]] = {}

    def _read(self, keys: list[int]) -> dict[int, dict[str, Any]]:
        key_field = self.spec.model._meta.primary_key
        query = self.spec.model.select().where(key_condition(key_field, keys))
        condition = visible(self.operator, self.spec)
        query = query if condition is None else query.where(condition)
        found = {row["id"]: row for row in complete(self.spec, query.dicts())}
        for key in keys:
            if key not in found:
                raise NotFound(self.spec, key)
        return found

    def _refuse(self, keys: Sequence[int]) -> None:
        if len(self.records) < 2:
            raise MergeRefused(gettext("Ein Datensatz lässt sich nicht mit sich selbst zusammenführen."))
        if len(self.records) > self.rule.most:
            raise MergeRefused(
                gettext(
                    "Auf einmal lassen sich höchstens %(most)s zusammenführen; markiert sind %(count)s.",
                    most=self.rule.most,
                    count=len(set(keys)),
                )
            )
        for values in self.records.values():
            if is_merged(self.spec, values):
                other = self.names_of(values[self.rule.successor])
                title = self.spec.title_of(values)
                raise MergeRefused(
                    gettext(
                        "%(title)s ist schon mit %(other)s zusammengeführt. Es wurde nichts geändert.",
                        title=title,
                        other=other,
                    )
                )
            for name, value in self.rule.ended.items():
                if values[name] == value:
                    word = shown(self.spec.field(name), value)
                    title = self.spec.title_of(values)
                    raise MergeRefused(gettext("%(title)s hat den Status „%(word)s“.", title=title, word=word))

    def names_of(self, key: int) -> str:
        return ReferenceCache().titles(self.spec, {key})[key]

    def plan(self) -> MergePlan:
        if self.only is None:
            for child in self.spec.children:
                if child.name not in self.rule.stays:
                    self._plan_children(child)
        self._plan_references()
        for key in self.keys[1:]:
            self.step.ended[key] = {self.rule.successor: self.survivor, **self.rule.ended}
        self._plan_fields()
        self._let_go()
        return self.result

    # --- fields -------------------------------------------------------------------------------------------------------

    def _plan_fields(self) -> None:
        rule, spec = self.rule, self.spec
        for name in (*rule.added, *rule.latest):
            self._plan_figure(spec.field(name))
        if self.only is not None:
            return
        skipped = {*rule.added, *rule.latest, *rule.own, rule.successor, *rule.ended}
        groups = {name: group for group in rule.together for name in group}
        chosen: dict[str, int] = {}
        items = []
        for item in spec.data_fields:
            if item.name in skipped or item.natural_key or item.secret or item.owner or item.read_only is True:
                continue
            items.append(item)
            usual = self._usual(item, groups.get(item.name, (item.name,)))
            wanted = self.choices.get(item.name)
            is_open = may_read(self.operator, item) and may_edit(self.operator, item)
            chosen[item.name] = wanted if is_open and wanted in self.records else usual
        values = {item.name: self._taken(item, chosen[item.name]) for item in items}
        self._obey(values, chosen)
        for item in items:
            name, taken = item.name, chosen[item.name]
            theirs = {key: self.records[key][name] for key in self.keys}
            usual = self._usual(item, groups.get(name, (name,)))
            is_open = may_read(self.operator, item) and may_edit(self.operator, item)
            choice = FieldChoice(item, theirs, taken, values[name], usual, is_open)
            if choice.differs:
                self.result.fields.append(choice)
            if values[name] == self.records[self.survivor][name]:
                self._note_unique(item, theirs)
                continue
            self.step.values[name] = values[name]
            if taken != self.survivor:
                self.step.origins[name] = taken
            if (item.unique or item.unique_with) and taken != self.survivor and item.nullable:
                self.step.ended[taken][name] = None
            self._note_unique(item, theirs)

    def _note_unique(self, item: FieldSpec, theirs: dict[int, Any]) -> None:
        if item.unique and len({value for value in theirs.values() if value is not None}) > 1:
            self.result.clashes.append(
                gettext(
                    "„%(field)s“ gibt es nur einmal: die Werte der anderen bleiben bei deren Nummern stehen.",
                    field=str(item.label),
                )
            )

    def _plan_figure(self, item: FieldSpec) -> None:
        values = {key: self.records[key][item.name] for key in self.keys}
        filled = [value for value in values.values() if value is not None]
        if not filled:
            return
        is_sum = item.name in self.rule.added
        result = sum(filled[1:], filled[0]) if is_sum else max(filled)
        note = gettext("wird zusammengezählt") if is_sum else gettext("der jüngste Tag bleibt")
        choice = FieldChoice(item, values, self.survivor, result, self.survivor, False, note)
        if choice.differs or result != values[self.survivor]:
            self.result.fields.append(choice)
        if result != values[self.survivor]:
            self.step.values[item.name] = result
        for key in self.keys[1:]:
            if is_sum and values[key]:
                self.step.ended[key][item.name] = type(values[key])(0)

    def _usual(self, item: FieldSpec, group: tuple[str, ...]) -> int:
        """Whose value is taken where nobody chooses: the survivor's, else the newest that is filled."""
        order = [*self.keys[1:], self.survivor] if self.overwrite else self.keys
        if item.name in self.rule.any_of:
            return next((key for key in self.keys if self.records[key][item.name]), self.survivor)
        if item.unique and not item.nullable:
            return self.survivor
        for key in order:
            if any(self.records[key][name] is not None for name in group):
                return key
        return self.survivor

    def _taken(self, item: FieldSpec, key: int) -> Any:
        value = self.records[key][item.name]
        if value is None or item.target is None:
            return value
        if item.target is self.spec.model and value in self.records:
            return None  # it would lead to itself
        target = item.references.name
        if item.within and key != self.survivor:
            # A row that stays with its owner is nothing the survivor may refer to.
            if value in self.linked.get(target, {}):
                return self.linked[target][value][0]
            return value if value in self.moved.get(target, set()) else None
        return value

    def _obey(self, values: dict[str, Any], chosen: dict[str, int]) -> None:
        """Fields that exist only beside certain values, or follow another record, are not filled against that."""
        model, own = self.spec.model, self.records[self.survivor]
        for name, (deciding, allowed) in model.shown_when.items():
            if name in values and values.get(deciding, own.get(deciding)) not in allowed:
                values[name], chosen[name] = None, self.survivor
        for reference, fields in model.mirrors.items():
            holder = chosen.get(reference, self.survivor)
            if values.get(reference) is not None:
                for name in fields:
                    if name in values and name not in self.choices:
                        values[name], chosen[name] = self.records[holder][name], holder

    def _let_go(self) -> None:
        """A merged record no longer refers to rows that moved away from it."""
        for item in self.spec.data_fields:
            if item.within != "id":
                continue
            for key in self.keys[1:]:
                if self.records[key][item.name] in self.moved.get(item.references.name, set()):
                    self.step.ended[key][item.name] = None

    # --- child rows ---------------------------------------------------------------------------------------------------

    def _plan_children(self, child: ModelSpec) -> None:
        owner = child.owner
        assert owner is not None
        key_field = child.model._meta.primary_key
        query = child.model.select().where(owner.column_field.in_(self.keys)).order_by(key_field)
        found = list(complete(child, query.dicts()))
        if not any(row[owner.name] != self.survivor for row in found):
            return
        number = number_field(child)
        compared = [
            item
            for item in child.data_fields
            if item is not owner and item is not number and not item.secret and not item.within
        ]
        uniques = [
            names for names in unique_sets(child) if owner.name in names and not (number and number.name in names)
        ]
        equal: dict[tuple[Any, ...], int] = {}
        taken: dict[tuple[Any, ...], dict[str, Any]] = {}

        def settle(row: dict[str, Any]) -> None:
            equal.setdefault(self._signature(compared, row), row["id"])
            for names in uniques:
                taken.setdefault((names, *(row[name] for name in names if name != owner.name)), row)

        for row in found:
            if row[owner.name] == self.survivor:
                settle(row)
        theirs = [row for row in found if row[owner.name] != self.survivor]
        theirs.sort(key=lambda row: (self.keys.index(row[owner.name]), row["id"]))
        used = self._used(child, [row["id"] for row in theirs])
        for row in theirs:
            self._plan_row(child, row, compared, uniques, equal, taken, row["id"] in used)
            if self.result.rows[-1].what == MOVE:
                settle(row)

    def _plan_row(
        self,
        child: ModelSpec,
        row: dict[str, Any],
        compared: list[FieldSpec],
        uniques: list[tuple[str, ...]],
        equal: dict[tuple[Any, ...], int],
        taken: dict[tuple[Any, ...], dict[str, Any]],
        is_used: bool,
    ) -> None:
        assert child.owner is not None
        owner = child.owner.name
        same = equal.get(self._signature(compared, row))
        clash = next(
            (
                names
                for names in uniques
                if (names, *(row[name] for name in names if name != owner)) in taken
                and not any(row[name] is None for name in names if name != owner)
            ),
            None,
        )
        offered = [MOVE] if clash is None else []
        offered += [LINK] if same is not None else []
        offered += [STAY] if not is_used or not offered else []
        wanted = self.row_choices.get((child.name, row["id"]), "")
        what = wanted if wanted in offered else LINK if same is not None else offered[0]
        title = child.title_of(row)
        note = ""
        if clash is not None and same is None:
            labels = ", ".join(str(child.field(name).label) for name in clash if name != owner)
            note = gettext("ist beim anderen mit derselben Angabe schon da: %(fields)s", fields=labels or child.label)
            self.result.clashes.append(
                gettext(
                    "%(label)s „%(row)s“ von %(title)s: %(note)s. Die Zeile bleibt, wo sie ist.",
                    label=str(child.label),
                    row=self._row_words(child, row) or title,
                    title=self.result.titles[row[owner]],
                    note=note,
                )
            )
        choice = RowChoice(
            child, row["id"], row[owner], title, self._row_words(child, row), what, tuple(offered),
            same if what == LINK else None, note,
        )  # fmt: skip
        self.result.rows.append(choice)
        if what == MOVE:
            self.step.moves.append(Move(child, row["id"], row[owner]))
            self.moved.setdefault(child.name, set()).add(row["id"])
            return
        self.staying.setdefault(child.name, set()).add(row["id"])
        if what == LINK and same is not None:
            self.linked.setdefault(child.name, {})[row["id"]] = (same, row[owner])

    def _row_words(self, child: ModelSpec, row: dict[str, Any]) -> str:
        items = [item for item in child.fields if item.listed and not item.owner and may_read(self.operator, item)]
        found = []
        for item in items[:7]:
            if item.type.name == "bool" or row[item.name] is None or item is number_field(child):
                continue
            found.append(shown(item, row[item.name], self.names))
        return ", ".join(text for text in found if text)

    @staticmethod
    def _signature(compared: list[FieldSpec], row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(_alike(item, row[item.name]) for item in compared)

    def _used(self, child: ModelSpec, keys: list[int]) -> set[int]:
        """Rows that others refer to: they go where those go."""
        used: set[int] = set()
        for reference, model in child.model._meta.backrefs.items():
            item = spec_of(model).by_name.get(reference.name)
            if item is None or item.owner or model is self.spec.model:
                continue
            query = model.select(reference).where(key_condition(reference, sorted(keys))).distinct()
            used |= {row[0] for row in query.tuples()}
        return used

    # --- references ---------------------------------------------------------------------------------------------------

    def _plan_references(self) -> None:
        for reference, model in self.spec.model._meta.backrefs.items():
            spec = spec_of(model)
            item = spec.by_name.get(reference.name)
            if item is None or item.owner or spec.name in self.rule.stays:
                continue
            if self.only is not None and spec.name not in self.only:
                continue
            if spec is self.spec and item.name == self.rule.successor:
                continue  # who leads to a merged record goes on from there
            self._follow(spec, item)
        for name, rows in self.linked.items():
            child = next(child for child in self.spec.children if child.name == name)
            for key, (same, owner) in rows.items():
                self._follow_row(child, key, same, owner)

    def _follow(self, spec: ModelSpec, item: FieldSpec) -> None:
        total = 0
        key_field = spec.model._meta.primary_key
        uniques = [names for names in unique_sets(spec) if item.name in names]
        taken: set[tuple[Any, ...]] = set()
        others = {name for names in uniques for name in names if name != item.name}
        columns = [spec.field(name).column_field for name in sorted(others)]
        if uniques:
            query = spec.model.select(*columns, item.column_field).where(item.column_field == self.survivor)
            taken |= {(names, *_part(names, row, others, item)) for row in query.tuples() for names in uniques}
        without = tuple(self.keys) if spec is self.spec else ()
        for source in self.keys[1:]:
            query = spec.model.select(key_field, *columns, item.column_field).where(item.column_field == source)
            if not uniques:
                query = query.where(key_field.not_in(list(without))) if without else query
                count = query.count()
                if count:
                    self.step.repoints.append(Repoint(item, spec, source, self.survivor, source, without=without))
                    total += count
                continue
            moving = []
            for key, *rest in query.tuples():
                marks = {(names, *_part(names, tuple(rest), others, item)) for names in uniques}
                marks = {mark for mark in marks if None not in mark}
                if marks & taken:
                    title = ReferenceCache().titles(spec, {key})[key]
                    self.result.clashes.append(
                        gettext(
                            "%(label)s „%(row)s“ bleibt bei %(title)s: dort darf es nur eine geben.",
                            label=str(spec.label),
                            row=title,
                            title=self.result.titles[source],
                        )
                    )
                    continue
                taken |= marks
                moving.append(key)
            if moving:
                self.step.repoints.append(Repoint(item, spec, source, self.survivor, source, tuple(moving)))
                total += len(moving)
        if total:
            self.result.following.append(Following(spec, item, total))

    def _follow_row(self, child: ModelSpec, key: int, same: int, owner: int) -> None:
        """References to a row that stands there already go to its equal."""
        for reference, model in child.model._meta.backrefs.items():
            spec = spec_of(model)
            item = spec.by_name.get(reference.name)
            if item is None or item.owner or spec is self.spec:
                continue  # the records' own references are values of theirs
            without = tuple(sorted(self.staying.get(spec.name, ())))
            query = model.select().where(reference == key)
            if without:
                query = query.where(model._meta.primary_key.not_in(list(without)))
            if query.exists():
                self.step.repoints.append(Repoint(item, spec, key, same, owner, without=without))


def _part(names: tuple[str, ...], row: tuple[Any, ...], others: set[str], item: FieldSpec) -> tuple[Any, ...]:
    """The values of a unique set but for the reference itself."""
    known = dict(zip([*sorted(others), item.name], row, strict=True))
    return tuple(known[name] for name in names if name != item.name)


def _alike(item: FieldSpec, value: Any) -> Any:
    """A value as it is compared: „Müller“ and "MUELLER" are one, and so are two spellings of a phone number."""
    if not isinstance(value, str):
        return value
    if item.kind in ("phone", "fax"):
        return search.phone_digits(value)
    if item.type.name in ("text", "multiline"):
        return search.fold(value)
    return value

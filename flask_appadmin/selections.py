"""A selection: ticked records, and everything that matches a filter minus exceptions. A query, never a list of ids.

Shape: in the browser it is a short token and a count. The token names a row of the table `selection`, which keeps the
ticked keys (and the filter's text with the exceptions) for one operator; it survives paging and sorting and is resolved
when it is used, under the rights of whoever uses it. Rows that nobody touched for KEPT_DAYS go when new ones come.
Limits: TICKS single rows; whoever needs more marks all that match.
Errors: SelectionGone for a token that does not exist or belongs to somebody else; OutOfReach for ticked rows that the
operator may not see (any more); TooManyTicks; FilterError from the filter.
"""

from __future__ import annotations

import datetime
import functools
import logging
import operator as operators
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import peewee

from flask_appadmin.changes.anonymising import hide_in_texts, register_store
from flask_appadmin.database import database, key_condition, utcnow
from flask_appadmin.errors import AppAdminError, NotFound
from flask_appadmin.fieldtypes.columns import JSONField
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import _, format_number, gettext, ngettext
from flask_appadmin.rights import Operator, User, visible
from flask_appadmin.specs import FieldSpec, ModelSpec

log = logging.getLogger("appadmin")

#: So many rows may be ticked one by one; all that match has no limit.
TICKS = 10_000

#: Selections that nobody changed for so long are forgotten.
KEPT_DAYS = 30

#: The strip of a list counts exactly up to here.
CAP = 10_000


class StoredSelection(peewee.Model):
    """What an operator has marked in one list."""

    token = peewee.CharField(max_length=32, unique=True)
    user = peewee.ForeignKeyField(User, null=True, on_delete="CASCADE")
    entity = peewee.CharField(max_length=60)
    #: Everything that matches `query`, minus `without`, is marked besides `keys`.
    everything = peewee.BooleanField(default=False)
    query = peewee.TextField(default="")
    keys = JSONField(default=list)
    without = JSONField(default=list)
    changed_at = peewee.DateTimeField(default=utcnow)

    class Meta:
        table_name = "selection"
        database = database


class SelectionGone(AppAdminError):
    """A token that names no selection of this operator in this list; forged and forgotten are not told apart."""

    def sentence(self) -> str:
        return gettext("Diese Markierung gibt es nicht mehr. Bitte markieren Sie noch einmal.")


class OutOfReach(AppAdminError):
    """Marked rows that are there, but not for this operator: nothing is done with any of the marked ones."""

    status = 403

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count

    def sentence(self) -> str:
        found = ngettext(
            "%(count)s markierte Zeile dürfen Sie nicht sehen.",
            "%(count)s markierte Zeilen dürfen Sie nicht sehen.",
            self.count,
        )
        advice = gettext("Es wurde nichts getan. Bitte heben Sie die Markierung auf und markieren Sie noch einmal.")
        return f"{found} {advice}"


class TooManyTicks(AppAdminError):
    """More single rows than a selection takes."""

    status = 413

    def sentence(self) -> str:
        return gettext(
            "Einzeln lassen sich höchstens %(count)s Zeilen markieren. Nehmen Sie „Alle markieren“ mit einem Filter, "
            "oder sammeln Sie auf einer Merkliste.",
            count=format_number(TICKS),
        )


def counted(spec: ModelSpec, number: int) -> str:
    """So many records in the model's own words: „1 Buch“, „4.312 Bücher“."""
    return f"{format_number(number)} {spec.label if number == 1 else spec.plural}"


@dataclass(frozen=True)
class Selection:
    """Records to act on: those ticked (`keys`), and with a `filter` all that match it but those of `without`."""

    spec: ModelSpec
    operator: Operator
    keys: frozenset[int] = field(default_factory=frozenset)
    filter: Filter | None = None
    token: str = ""
    without: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def of_keys(cls, spec: ModelSpec, operator: Operator, keys: Iterable[int]) -> Selection:
        return cls(spec, operator, frozenset(int(key) for key in keys))

    @classmethod
    def of_filter(cls, found: Filter, operator: Operator, without: Iterable[int] = ()) -> Selection:
        return cls(found.spec, operator, filter=found, without=frozenset(int(key) for key in without))

    @classmethod
    def of_record(cls, spec: ModelSpec, operator: Operator, key: int) -> Selection:
        """The one that a page names; NotFound when it is not there for this operator, for whatever reason."""
        found = cls.of_keys(spec, operator, [key])
        if not found.count():
            raise NotFound(spec, key)
        return found

    @property
    def is_everything(self) -> bool:
        return self.filter is not None

    def where(self) -> Any:
        """The condition on the rows, under the operator's rights; None for all rows of the table."""
        parts = [visible(self.operator, self.spec), self._marked()]
        parts = [part for part in parts if part is not None]
        return functools.reduce(operators.and_, parts) if parts else None

    def _marked(self) -> Any:
        key_field = self.spec.model._meta.primary_key
        if self.filter is None:
            return key_condition(key_field, sorted(self.keys))
        matching = self.filter.where(self.operator)
        if self.without:
            others = ~key_condition(key_field, sorted(self.without))
            matching = others if matching is None else matching & others
        if matching is None or not self.keys:
            return matching
        return key_condition(key_field, sorted(self.keys)) | matching

    def query(self, *columns: Any) -> Any:
        """A select of these columns over the selected rows."""
        selected = self.spec.model.select(*(columns or (self.spec.model._meta.primary_key,)))
        condition = self.where()
        return selected if condition is None else selected.where(condition)

    def count(self) -> int:
        return self.query().count()

    def tally(self, cap: int = CAP) -> tuple[int, bool]:
        """(number of rows, whether it stopped at `cap`): what a strip shows while nobody asks for the very number."""
        if not self.keys and self.filter is None:
            return 0, False
        some = self.query(peewee.SQL("1")).limit(cap + 1)
        number = peewee.Select([some], [peewee.fn.COUNT(peewee.SQL("*"))]).bind(self.spec.model._meta.database).scalar()
        return (cap, True) if number > cap else (number, False)

    def state(self, cap: int | None = None) -> str:
        """Names the very rows, by their number and the sum of their keys: a page keeps it until it is confirmed.

        With a `cap`, "" where there are more: a page need not wait until a million rows are counted.
        """
        key_field = self.spec.model._meta.primary_key
        if cap is None:
            total = peewee.fn.COALESCE(peewee.fn.SUM(key_field), 0)
            number, sum_of_keys = self.query(peewee.fn.COUNT(key_field), total).tuples().get()
        else:
            total = peewee.fn.COALESCE(peewee.fn.SUM(peewee.SQL(f'"{key_field.column_name}"')), 0)
            some = peewee.Select([self.query(key_field).limit(cap + 1)], [peewee.fn.COUNT(peewee.SQL("*")), total])
            number, sum_of_keys = some.bind(self.spec.model._meta.database).tuples().get()
            if number > cap:
                return ""
        return f"{int(number)}.{int(sum_of_keys)}"

    def outside(self, found: Filter) -> int:
        """How many of the ticked rows another filter does not show. All that match are never outside of their own."""
        if not self.keys or found.is_empty:
            return 0
        ticked = Selection.of_keys(self.spec, self.operator, self.keys)
        return ticked.count() - ticked.query().where(found.where(self.operator)).count()

    def asks_for(self, found: Filter) -> bool:
        """Whether "all that match" means the matches of this filter."""
        return self.filter is not None and sorted(self.filter.pairs()) == sorted(found.pairs())

    def key_list(self, limit: int | None = None) -> list[int]:
        """The keys in ascending order."""
        query = self.query().order_by(self.spec.model._meta.primary_key)
        return [row[0] for row in (query.limit(limit) if limit else query).tuples()]

    def rows(self, fields: Iterable[FieldSpec], *, order: Iterable[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Tuples (key, values of the fields …) of the selected rows, read as a stream."""
        key_field = self.spec.model._meta.primary_key
        query = self.query(key_field, *(item.column_field for item in fields))
        yield from query.order_by(*(order or (key_field,))).tuples().iterator()

    def describe(self, count: int | None = None) -> str:
        """„38 Bücher markiert“ or „317 Bücher: Gattung ist Roman“, for confirmations and histories."""
        what = counted(self.spec, self.count() if count is None else count)
        if self.filter is None:
            return gettext("%(what)s markiert", what=what)
        parts = [f"{what}: {self.filter.describe()}"]
        if self.keys:
            parts.append(gettext("%(count)s einzeln markiert", count=format_number(len(self.keys))))
        if self.without:
            parts.append(gettext("%(count)s abgewählt", count=format_number(len(self.without))))
        return ", ".join(parts)

    def lost(self) -> str:
        """What to say of ticked rows that are there no more, or not for this operator; "" when all are."""
        if not self.keys:
            return ""
        gone = len(self.keys) - Selection.of_keys(self.spec, self.operator, self.keys).count()
        if not gone:
            return ""
        return ngettext(
            "%(count)s markierte Zeile ist inzwischen gelöscht oder für Sie nicht mehr sichtbar.",
            "%(count)s markierte Zeilen sind inzwischen gelöscht oder für Sie nicht mehr sichtbar.",
            gone,
        )

    def require_reach(self) -> Selection:
        """The selection itself, for whoever is about to do something with all of it; OutOfReach where a ticked row is
        there but not for this operator. Rows that are gone are told by `lost`."""
        if self.keys and visible(self.operator, self.spec) is not None:
            ticked = key_condition(self.spec.model._meta.primary_key, sorted(self.keys))
            present = self.spec.model.select().where(ticked).count()
            hidden = present - Selection.of_keys(self.spec, self.operator, self.keys).count()
            if hidden > 0:
                log.warning("authz_fail user=%s action on %s row(s) not visible", self.operator.user_id, hidden)
                raise OutOfReach(hidden)
        return self

    # --- kept between requests ----------------------------------------------------------------------------------------

    @classmethod
    def load(cls, spec: ModelSpec, operator: Operator, token: str) -> Selection:
        """The selection behind a token of this operator; SelectionGone for any other token."""
        if not token.isascii() or not token.isprintable():
            raise SelectionGone()
        row = StoredSelection.get_or_none(StoredSelection.token == token[:32])
        if row is None or row.user_id != operator.user_id or row.entity != spec.name:
            raise SelectionGone()
        found = Filter.from_text(spec, row.query, operator) if row.everything else None
        return cls(spec, operator, frozenset(row.keys), found, row.token, frozenset(row.without))

    def store(self) -> Selection:
        """Keeps the selection and answers it with its token."""
        values = {
            "everything": self.filter is not None,
            "query": self.filter.to_text() if self.filter is not None else "",
            "keys": sorted(self.keys),
            "without": sorted(self.without),
            "changed_at": utcnow(),
        }
        if self.token:
            StoredSelection.update(**values).where(StoredSelection.token == self.token).execute()
            return self
        old = utcnow() - datetime.timedelta(days=KEPT_DAYS)
        StoredSelection.delete().where(StoredSelection.changed_at < old).execute()
        token = secrets.token_urlsafe(12)
        StoredSelection.insert(token=token, user=self.operator.user_id, entity=self.spec.name, **values).execute()
        return replace(self, token=token)

    def ticked(self, add: Iterable[int] = (), remove: Iterable[int] = ()) -> Selection:
        """The selection after ticking some rows and unticking others; TooManyTicks where they are too many."""
        added, removed = frozenset(map(int, add)), frozenset(map(int, remove))
        if self.filter is None:
            keys, without = (self.keys | added) - removed, self.without
        else:
            # A row that was taken out of all that match comes back to them; any other is a tick of its own.
            keys = (self.keys | (added - self.without)) - removed
            without = (self.without - added) | removed
        if max(len(keys), len(without)) > TICKS:
            raise TooManyTicks()
        return replace(self, keys=keys, without=without)

    def with_all(self, found: Filter) -> Selection:
        """Everything that matches the filter, besides those ticks that it does not show."""
        keys = self.keys
        if keys:
            ticked = Selection.of_keys(self.spec, self.operator, keys)
            condition = found.where(self.operator)
            inside = ticked.query() if condition is None else ticked.query().where(condition)
            keys = keys - {row[0] for row in inside.tuples()}
        return replace(self, keys=keys, filter=found, without=frozenset())

    def holds(self, key: int) -> bool:
        """Whether a row that matches the filter of the list is marked."""
        return key in self.keys or (self.is_everything and key not in self.without)


register_store("selections", _("Abfragen"), lambda person: hide_in_texts(person, StoredSelection, "query"))

#: Tables of this room, in the order of their creation.
MODELS = (StoredSelection,)

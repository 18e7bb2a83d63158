"""A selection: ticked records, or everything that matches a filter minus exceptions. A query, never a list of ids.

Shape: in the browser it is a short token and a count. The token names a row of the table `selection`, which keeps the
ticked keys (or the filter's text and the exceptions) for one operator; it survives paging and sorting and is resolved
when it is used, under the rights of whoever uses it.
Errors: NotFound for a token that does not exist or belongs to somebody else; FilterError from the filter.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import peewee

from flask_appadmin.database import database, key_condition, utcnow
from flask_appadmin.errors import NotFound
from flask_appadmin.fieldtypes import JSONField
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.rights import Operator, User, visible
from flask_appadmin.specs import FieldSpec, ModelSpec


class StoredSelection(peewee.Model):
    """What an operator has marked in one list."""

    token = peewee.CharField(max_length=32, unique=True)
    user = peewee.ForeignKeyField(User, null=True, on_delete="CASCADE")
    entity = peewee.CharField(max_length=60)
    #: Everything that matches `query`, minus `keys`; else just `keys`.
    everything = peewee.BooleanField(default=False)
    query = peewee.TextField(default="")
    keys = JSONField(default=list)
    changed_at = peewee.DateTimeField(default=utcnow)

    class Meta:
        table_name = "selection"
        database = database


def counted(spec: ModelSpec, number: int) -> str:
    """So many records in the model's own words: „1 Buch“, „4.312 Bücher“."""
    return f"{format_number(number)} {spec.label if number == 1 else spec.plural}"


@dataclass(frozen=True)
class Selection:
    """Records to act on. `keys` are the ticked ones, or the exceptions when `filter` says "everything that matches"."""

    spec: ModelSpec
    operator: Operator
    keys: frozenset[int] = field(default_factory=frozenset)
    filter: Filter | None = None
    token: str = ""

    @classmethod
    def of_keys(cls, spec: ModelSpec, operator: Operator, keys: Iterable[int]) -> Selection:
        return cls(spec, operator, frozenset(int(key) for key in keys))

    @classmethod
    def of_filter(cls, found: Filter, operator: Operator, without: Iterable[int] = ()) -> Selection:
        return cls(found.spec, operator, frozenset(int(key) for key in without), found)

    @property
    def is_everything(self) -> bool:
        return self.filter is not None

    def where(self) -> Any:
        """The condition on the rows, under the operator's rights; None for all rows of the table."""
        key_field = self.spec.model._meta.primary_key
        parts = [visible(self.operator, self.spec)]
        if self.filter is None:
            parts.append(key_condition(key_field, sorted(self.keys)))
        else:
            parts.append(self.filter.where(self.operator))
            if self.keys:
                parts.append(~key_condition(key_field, sorted(self.keys)))
        result: Any = None
        for part in parts:
            if part is not None:
                result = part if result is None else result & part
        return result

    def query(self, *columns: Any) -> Any:
        """A select of these columns over the selected rows."""
        selected = self.spec.model.select(*(columns or (self.spec.model._meta.primary_key,)))
        condition = self.where()
        return selected if condition is None else selected.where(condition)

    def count(self) -> int:
        return self.query().count()

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
        return f"{what}: {self.filter.describe()}"

    # --- kept between requests ----------------------------------------------------------------------------------------

    @classmethod
    def load(cls, spec: ModelSpec, operator: Operator, token: str) -> Selection:
        """The selection behind a token of this operator; NotFound for any other token."""
        if not token.isascii() or not token.isprintable():
            raise NotFound()
        row = StoredSelection.get_or_none(StoredSelection.token == token[:32])
        if row is None or row.user_id != operator.user_id or row.entity != spec.name:
            raise NotFound()
        found = Filter.from_text(spec, row.query, operator) if row.everything else None
        return cls(spec, operator, frozenset(row.keys), found, row.token)

    def store(self) -> Selection:
        """Keeps the selection and answers it with its token."""
        values = {
            "everything": self.filter is not None,
            "query": self.filter.to_text() if self.filter is not None else "",
            "keys": sorted(self.keys),
            "changed_at": utcnow(),
        }
        if self.token:
            StoredSelection.update(**values).where(StoredSelection.token == self.token).execute()
            return self
        token = secrets.token_urlsafe(12)
        StoredSelection.insert(token=token, user=self.operator.user_id, entity=self.spec.name, **values).execute()
        return replace(self, token=token)

    def ticked(self, add: Iterable[int] = (), remove: Iterable[int] = ()) -> Selection:
        """The selection after ticking some rows and unticking others."""
        added, removed = {int(key) for key in add}, {int(key) for key in remove}
        if self.filter is None:
            return replace(self, keys=(self.keys | added) - removed)
        return replace(self, keys=(self.keys | removed) - added)

    def holds(self, key: int) -> bool:
        """Whether a row that matches the filter of the list is ticked."""
        return (key in self.keys) != self.is_everything


#: Tables of this room, in the order of their creation.
MODELS = (StoredSelection,)

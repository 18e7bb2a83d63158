"""The record that a form is about, and what the operator may do with it; everything in this folder asks it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import request

from flask_appadmin.arrangements import starting_values
from flask_appadmin.changes.running import Run, visible_keys
from flask_appadmin.database import Prepared, utcnow
from flask_appadmin.digits import is_number
from flask_appadmin.errors import FieldError, NotFound
from flask_appadmin.forms import FormMaker
from flask_appadmin.rights import Operator, may_edit, visible
from flask_appadmin.specs import FieldSpec

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView


#: Model and fields -> the question for them by the record's key: making the SQL of a hundred columns takes long. A
#: field that operators defined is another one in each database, and after each change of its definition.
_questions: dict[tuple[Any, ...], Prepared] = {}


def _question(model: Any, items: tuple[FieldSpec, ...]) -> Prepared:
    place = (model, *items)
    if place not in _questions:
        key_field = model._meta.primary_key
        selected = (key_field, model.version, *(item.column_field for item in items))
        _questions[place] = Prepared(lambda key: model.select(*selected).where(key_field == key), 1)
    return _questions[place]


class FormRecord:
    """One record (`key`), or a new one (None), in one request."""

    def __init__(self, view: AppModelView, operator: Operator, key: int | None) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        self.key = key
        #: What `read_ahead` found.
        self._ahead: dict[str, Any] = {}
        self.maker = FormMaker(
            operator,
            self._lookup_url,
            view.registry.record_url,
            view.registry.reveal_url,
        )
        self.maker.owner = (self.spec, key)
        #: Child tables that are known to have no row of it.
        self.childless: frozenset[str] = frozenset()
        #: Child table -> what its new rows start with.
        self.row_defaults: dict[str, dict[str, Any]] = {}

    def _lookup_url(self, item: FieldSpec) -> str:
        url = self.view.registry.choice_url(item)
        return f"{url}?offered=1" if url and not item.among and item.references.model.offered() is not None else url

    @functools.cached_property
    def may_save(self) -> bool:
        """Whether the operator may write it. Asked only when needed: of a record that is gone nobody can tell."""
        right = "edit" if self.key is not None or self.spec.owner is not None else "create"
        return self.operator.may(f"{self.spec.right}.{right}") and not self.is_sealed

    @functools.cached_property
    def is_sealed(self) -> bool:
        """Whether the record is anonymised, so that nobody changes it any more."""
        seal = self.spec.model.sealed_when
        return self.key is not None and seal is not None and self._head[seal[0]] == seal[1]

    @functools.cached_property
    def absent(self) -> frozenset[str]:
        """The fields that this installation does without."""
        return self.spec.model.absent_fields()

    def read_ahead(self, items: Iterable[FieldSpec]) -> None:
        """Reads what several tabs will ask for with one question."""
        if self.key is not None:
            self._ahead = self.values(items)

    def values(self, items: Iterable[FieldSpec]) -> dict[str, Any]:
        """The stored values of these fields, or the defaults of a new record."""
        if self.key is None:
            wanted = _with_owners(items)
            values = starting_values(self.operator, self.spec, [self.spec.field(name) for name in wanted])
            return {**values, **{name: value for name, value in self.begun.items() if name in wanted}}
        key_field = self.spec.model._meta.primary_key
        wanted = _with_owners((*items, *self.spec.title_specs))
        if self._ahead and wanted.keys() <= self._ahead.keys():
            return {name: self._ahead[name] for name in ("id", "version", *wanted)}
        found = tuple(map(self.spec.field, wanted))
        condition = visible(self.operator, self.spec)
        if condition is None:
            row = next(iter(_question(self.spec.model, found)(self.key)), None)
        else:
            columns = [item.column_field for item in found]
            query = self.spec.model.select(key_field, self.spec.model.version, *columns).where(key_field == self.key)
            row = query.where(condition).tuples().first()
        if row is None:
            raise NotFound(self.spec, self.key)
        return {"id": row[0], "version": row[1], **dict(zip(wanted, row[2:], strict=True))}

    @functools.cached_property
    def begun(self) -> dict[str, Any]:
        """What the address of a new record says about it (?author=5&genre=poem), and what its model proposes for
        that; what cannot be read, or not be seen by the operator, is left out."""
        row: dict[str, Any] = {}
        for item in self.spec.data_fields:
            text = request.values.get(item.name, "")
            if text and not item.secret and item.read_only is not True and may_edit(self.operator, item):
                with contextlib.suppress(FieldError):
                    row[item.name] = self._typed(item, text)
        run = Run("form", self.operator, "", utcnow())
        self.spec.model.propose_many([row], run)
        return row

    def _typed(self, item: FieldSpec, text: str) -> Any:
        if item.target is None:
            return item.parse(text)
        key = int(text) if is_number(text) else 0
        if not visible_keys(self.operator, item.references, [key]):
            raise FieldError(item, text, "")
        return key

    @property
    def begun_arguments(self) -> dict[str, Any]:
        """The same as it stood in the address."""
        return {name: text for name, text in request.args.items() if name in self.spec.by_name and text}

    def head_values(self) -> dict[str, Any]:
        return self._head if self.key is not None else {}

    @functools.cached_property
    def _head(self) -> dict[str, Any]:
        """What the head of the page shows, and whether there is anything to save."""
        seal = self.spec.model.sealed_when
        names = (*self.view.head_fields, *(item.name for item in self.spec.title_specs), *(seal[:1] if seal else ()))
        return self.values([self.spec.field(name) for name in dict.fromkeys(names)])


def _with_owners(items: Iterable[FieldSpec]) -> dict[str, None]:
    """The names of these fields, each with the one on which its choices depend."""
    wanted: dict[str, None] = {}
    for item in items:
        wanted[item.name] = None
        if item.within not in ("", "id"):
            wanted[item.within] = None
    return wanted

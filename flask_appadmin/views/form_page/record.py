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


#: (model, columns) -> the question for a record by its key: making the SQL of a hundred columns takes long.
_questions: dict[tuple[Any, ...], Prepared] = {}


def _question(model: Any, columns: list[Any]) -> Prepared:
    # With the class: a defined field of the same number may be of another kind in another database.
    name = (model, *((column.name, type(column)) for column in columns))
    if name not in _questions:
        key_field = model._meta.primary_key
        selected = (key_field, model.version, *columns)
        _questions[name] = Prepared(lambda key: model.select(*selected).where(key_field == key), 1)
    return _questions[name]


class FormRecord:
    """One record (`key`), or a new one (None), in one request."""

    def __init__(self, view: AppModelView, operator: Operator, key: int | None) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        self.key = key
        right = "edit" if key is not None or self.spec.owner is not None else "create"
        self.may_save = operator.may(f"{self.spec.right}.{right}") and not self.is_sealed
        self.maker = FormMaker(
            operator,
            self._lookup_url,
            view.registry.record_url,
            view.registry.reveal_url,
        )
        self.maker.owner = (self.spec, key)
        #: Child table -> what its new rows start with.
        self.row_defaults: dict[str, dict[str, Any]] = {}

    def _lookup_url(self, item: FieldSpec) -> str:
        url = self.view.registry.choice_url(item)
        return f"{url}?offered=1" if url and not item.among and item.references.model.offered() is not None else url

    @functools.cached_property
    def is_sealed(self) -> bool:
        """Whether the record is anonymised, so that nobody changes it any more."""
        seal = self.spec.model.sealed_when
        return self.key is not None and seal is not None and self._head[seal[0]] == seal[1]

    @functools.cached_property
    def absent(self) -> frozenset[str]:
        """The fields that this installation does without."""
        return self.spec.model.absent_fields()

    def values(self, items: Iterable[FieldSpec]) -> dict[str, Any]:
        """The stored values of these fields, or the defaults of a new record."""
        if self.key is None:
            wanted = dict.fromkeys(name for item in items for name in (item.name, *_owners([item])))
            values = starting_values(self.operator, self.spec, [self.spec.field(name) for name in wanted])
            return {**values, **{name: value for name, value in self.begun.items() if name in wanted}}
        key_field = self.spec.model._meta.primary_key
        items = [*items, *self.spec.title_specs]
        wanted = dict.fromkeys(name for item in items for name in (item.name, *_owners([item])))
        columns = [self.spec.field(name).column_field for name in wanted]
        condition = visible(self.operator, self.spec)
        if condition is None:
            row = next(iter(_question(self.spec.model, columns)(self.key)), None)
        else:
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


def _owners(items: Iterable[FieldSpec]) -> list[str]:
    """The fields on which the choices of these fields depend."""
    return [item.within for item in items if item.within not in ("", "id")]

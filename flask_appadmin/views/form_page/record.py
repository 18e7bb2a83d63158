"""The record that a form is about, and what the operator may do with it; everything in this folder asks it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import request

from flask_appadmin.errors import NotFound
from flask_appadmin.forms import FormMaker
from flask_appadmin.rights import Operator, visible
from flask_appadmin.specs import FieldSpec

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView


class FormRecord:
    """One record (`key`), or a new one (None), in one request."""

    def __init__(self, view: AppModelView, operator: Operator, key: int | None) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        self.key = key
        right = "edit" if key is not None or self.spec.owner is not None else "create"
        self.may_save = operator.may(f"{self.spec.right}.{right}")
        self.maker = FormMaker(
            operator,
            view.registry.choice_url,
            view.registry.record_url,
            view.registry.reveal_url,
        )
        self.maker.owner = (self.spec, key)
        #: Child table -> what its new rows start with.
        self.row_defaults: dict[str, dict[str, Any]] = {}

    def values(self, items: Iterable[FieldSpec]) -> dict[str, Any]:
        """The stored values of these fields, or the defaults of a new record."""
        if self.key is None:
            values = {item.name: item.default_value() for item in items}
            owner = self.spec.owner
            if owner is not None and request.args.get(owner.name, "").isdigit():
                values[owner.name] = int(request.args[owner.name])
            return values
        key_field = self.spec.model._meta.primary_key
        wanted = {item.name: item for item in items} | {item.name: item for item in self.spec.title_specs}
        columns = [self.spec.field(name).column_field for name in wanted]
        query = self.spec.model.select(key_field, self.spec.model.version, *columns).where(key_field == self.key)
        condition = visible(self.operator, self.spec)
        row = (query if condition is None else query.where(condition)).tuples().first()
        if row is None:
            raise NotFound(self.spec, self.key)
        return {"id": row[0], "version": row[1], **dict(zip(wanted, row[2:], strict=True))}

    def head_values(self) -> dict[str, Any]:
        if self.key is None:
            return {}
        names = (*self.view.head_fields, *(item.name for item in self.spec.title_specs))
        return self.values([self.spec.field(name) for name in dict.fromkeys(names)])

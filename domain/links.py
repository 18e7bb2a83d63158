"""References between tables, and those to models that are declared further on: documents know their customer.

Shape: `Reference(Country, …)` is Peewee's foreign key with the words that nearly all of ours share.
`LaterForeignKey("Customer", …)` becomes such a reference, at the same place and with the same description, as soon as
the class `Customer` exists. Source: peewee 4.5.3, whose own `DeferredForeignKey` would move the column to the end of
the table, lose what `described` attached to it, and leave the constraint out of CREATE TABLE.
"""

from __future__ import annotations

from typing import Any

from peewee import DeferredForeignKey, ForeignKeyField

from flask_appadmin.database import database, engine


class Reference(ForeignKeyField):
    """A foreign key that protects what it points to: a record that is referred to cannot be deleted.

    It leaves no attribute on the other side, and has an index only where one is asked for: most columns of the wide
    table are never searched by, and each index costs time at every import.
    """

    def __init__(self, model: Any, **options: Any) -> None:
        options.setdefault("on_delete", "RESTRICT")
        options.setdefault("backref", "+")
        options.setdefault("index", False)
        super().__init__(model, **options)


class _ResolvedReference(Reference):
    """A reference that may point to a table created later.

    SQLite takes such a constraint inside CREATE TABLE. PostgreSQL does not: there it is added afterwards, by
    `create_foreign_key`, which schema steps do for every field that says `deferred`.
    """

    @property
    def deferred(self) -> bool:
        return bool(self._points_forward and database.obj is not None and engine() == "postgresql")

    @deferred.setter
    def deferred(self, points_forward: bool) -> None:
        self._points_forward = bool(points_forward)


class LaterForeignKey(DeferredForeignKey):
    """A reference to the model of this class name, which is declared later.

    `created_later=True` says that its table is created later, too (a circle of references).
    """

    def __init__(self, rel_model_name: str, *, created_later: bool = False, **options: Any) -> None:
        super().__init__(rel_model_name, **options)
        self.created_later = created_later

    def set_model(self, rel_model: Any) -> None:
        field = _ResolvedReference(rel_model, _deferred=self.created_later, **self.field_kwargs)
        field.described_as = getattr(self, "described_as", None)
        # The place of the declaration, not that of the resolution.
        field._order, field._sort_key = self._order, self._sort_key
        self.model._meta.add_field(self.name, field)

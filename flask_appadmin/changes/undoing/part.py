"""Which part of a set is taken back, and what comes back as a whole only or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_appadmin.changes.running import KNOWN_SPECS
from flask_appadmin.errors import AppAdminError
from flask_appadmin.history import FINAL_KINDS, WHOLE_KINDS, ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import gettext


@dataclass(frozen=True)
class UndoPart:
    """Which part of a set is taken back, and which newer values give way to it."""

    #: (table, key): only this record with its children.
    record: tuple[str, int] | None = None
    #: (table, key, field): only this value; without a field that the record was made or removed.
    cell: tuple[str, int, str | None] | None = None
    #: Keys of lines of the history whose old value comes back although somebody changed it since.
    over: frozenset[int] = frozenset()

    @property
    def is_whole(self) -> bool:
        return self.record is None and self.cell is None

    def condition(self, alias: str = "c") -> str:
        """SQL that keeps to the part; names are those of declared models and fields, keys are numbers."""
        found = []
        if self.record is not None:
            entity, key = KNOWN_SPECS[self.record[0]].name, int(self.record[1])
            own = f"{alias}.entity = '{entity}' AND {alias}.record_id = {key}"
            found.append(f"({alias}.owner_entity = '{entity}' AND {alias}.owner_id = {key} OR {own})")
        if self.cell is not None:
            spec, key = KNOWN_SPECS[self.cell[0]], int(self.cell[1])
            field = f"= '{spec.field(self.cell[2]).name}'" if self.cell[2] is not None else "IS NULL"
            found.append(f"{alias}.entity = '{spec.name}' AND {alias}.record_id = {key} AND {alias}.field {field}")
        return "".join(f" AND {condition}" for condition in found)

    def limit(self, query: Any) -> Any:
        """The same for a query over ChangeRecord."""
        if self.record is not None:
            entity, key = self.record
            query = query.where(
                ((ChangeRecord.owner_entity == entity) & (ChangeRecord.owner_id == key))
                | ((ChangeRecord.entity == entity) & (ChangeRecord.record_id == key))
            )
        if self.cell is not None:
            entity, key, field = self.cell
            query = query.where(ChangeRecord.entity == entity, ChangeRecord.record_id == key)
            query = query.where(ChangeRecord.field.is_null() if field is None else ChangeRecord.field == field)
        return query


#: Everything that a set changed.
WHOLE = UndoPart()


def require_returnable(operation: ChangeSetRecord, part: UndoPart) -> None:
    """NotTakenBack for what never comes back, OnlyWhole for a part of what comes back as a whole."""
    if operation.kind in FINAL_KINDS:
        raise NotTakenBack(operation.title)
    if not part.is_whole and is_whole(operation):
        raise OnlyWhole(operation.title)


def is_whole(operation: ChangeSetRecord) -> bool:
    """Whether single records and values of it stay as they are unless all of it is taken back; the same holds for
    what has taken it back."""
    if operation.kind in WHOLE_KINDS:
        return True
    return operation.undo_of_id is not None and is_whole(operation.undo_of)


class OnlyWhole(AppAdminError):
    """A part of an operation that comes back as a whole or not at all."""

    status = 409

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title

    def sentence(self) -> str:
        return gettext(
            "„%(title)s“ lässt sich nur als Ganzes zurücknehmen; einzelne Werte oder Datensätze davon nicht. Es wurde "
            "nichts geändert.",
            title=self.title,
        )


class NotTakenBack(AppAdminError):
    """An operation after which nothing comes back."""

    status = 409

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title

    def sentence(self) -> str:
        return gettext("„%(title)s“ lässt sich nicht zurücknehmen.", title=self.title)

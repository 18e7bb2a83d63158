"""What taking back a set would do. Nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass

from flask_appadmin.changes.removing import title_of_key
from flask_appadmin.changes.undoing.conflict import UndoConflict
from flask_appadmin.changes.undoing.part import WHOLE, UndoPart
from flask_appadmin.changes.undoing.records import recreatable_records, removable_records
from flask_appadmin.changes.undoing.values import (
    changed_fields,
    comes_back,
    field_conflicts,
    measure_tables,
    restorable_records,
    told_value,
    undo_join,
)
from flask_appadmin.database import database, engine
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.rights import Operator, system_operator

#: So many titles tell which records go or come back.
_SAMPLES = 10


@dataclass(frozen=True)
class UndoPlan:
    change_set: int
    updated: int
    removed: int
    restored: int
    conflicts: list[UndoConflict]
    conflict_count: int
    #: The first of the records that would go, and of those that would come back.
    removes: tuple[str, ...] = ()
    restores: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return self.updated + self.removed + self.restored


def plan_undo(
    change_set: int, *, part: UndoPart = WHOLE, operator: Operator | None = None, listed: int = 50
) -> UndoPlan:
    """What taking back a set would restore, and what was changed again since and therefore stays."""
    operator = operator or system_operator("")
    fields = changed_fields(change_set, part)
    measure_tables(fields)
    conflicts: list[UndoConflict] = []
    conflict_count = 0
    for spec, item in fields:
        number, found = field_conflicts(change_set, spec, item, listed - len(conflicts), part, operator)
        conflict_count += number
        conflicts += found
    restorable = restorable_records(change_set, fields, part, operator)
    removed, kept = removable_records(change_set, part, operator)
    restored, lost = recreatable_records(change_set, part)
    conflicts += kept + lost
    return UndoPlan(
        change_set,
        restorable,
        len(removed),
        len(restored),
        conflicts,
        conflict_count + len(kept) + len(lost),
        tuple(title_of_key(spec, key) for spec, key in removed[:_SAMPLES]),
        tuple(f"{spec.label} {spec.title_of(values)}" for spec, _key, values in restored[:_SAMPLES]),
    )


def plan_undo_groups(
    change_set: int, *, part: UndoPart = WHOLE, operator: Operator, limit: int = 20
) -> list[tuple[int, str, str, str]]:
    """What would be set back, alike values counted together: (count, field, value now, value then)."""
    found = []
    names = ReferenceCache()
    for spec, item in changed_fields(change_set, part):
        join, params = undo_join(change_set, spec, item, part, operator)
        current = "c.new_value"
        if part.over:
            current = item.type.sql_to_json(item.sql("t"), item, engine())
        rows = database.execute_sql(
            f"SELECT count(*), {current} AS now, c.old_value {join} AND {comes_back(item, part)} "
            f"GROUP BY 2, 3 ORDER BY 1 DESC LIMIT {int(limit)}",
            params,
        ).fetchall()
        label = str(item.label) if spec.owner is None else f"{spec.label}: {item.label}"
        for count, now, old in rows:
            found.append((count, label, told_value(operator, item, now, names), told_value(operator, item, old, names)))
    return sorted(found, key=lambda group: -group[0])[:limit]

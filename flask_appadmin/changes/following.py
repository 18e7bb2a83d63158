"""Fields that follow those of another record, and fields that exist only beside certain values of another one.

Shape: `mirrors` and `shown_when` of the models say what; see `database.Record`. A followed field is written when the
reference is set and, as what follows from a change does, whenever the other record changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask_appadmin.changes.running import CHUNK, Run, Update, Written, refuse
from flask_appadmin.database import key_condition
from flask_appadmin.errors import FieldError
from flask_appadmin.i18n import gettext
from flask_appadmin.specs import ModelSpec, shown, spec_of

#: Reference -> key of the other record -> {own field: value}.
Sources = dict[str, dict[int, dict[str, Any]]]


def dependent_fields(spec: ModelSpec, touched: set[str]) -> set[str]:
    """What has to be read of a record to know what else changes with these fields."""
    model = spec.model
    names: set[str] = set()
    for reference, fields in model.mirrors.items():
        if reference in touched or touched & set(fields):
            names |= {reference, *fields}
    # What follows changes what is derived.
    if (touched | names) & set(model.derive_fields):
        names |= set(model.derive_fields)
    for name, (deciding, _values) in model.shown_when.items():
        if deciding in touched:
            names |= {name, deciding}
    return names


def sources_of(spec: ModelSpec, rows: Iterable[dict[str, Any]]) -> Sources:
    """The values that these records follow, asked once for each table."""
    found: Sources = {}
    rows = list(rows) if spec.model.mirrors else []
    for reference, fields in spec.model.mirrors.items():
        keys = sorted({row[reference] for row in rows if isinstance(row.get(reference), int)})
        if keys:
            found[reference] = _values_of(spec.field(reference).references, fields, keys)
    return found


def _values_of(target: ModelSpec, fields: dict[str, str], keys: list[int]) -> dict[int, dict[str, Any]]:
    key_field = target.model._meta.primary_key
    columns = [target.field(name).column_field for name in fields.values()]
    found = {}
    for start in range(0, len(keys), CHUNK):
        query = target.model.select(key_field, *columns).where(key_condition(key_field, keys[start : start + CHUNK]))
        for row in query.tuples():
            found[row[0]] = dict(zip(fields, row[1:], strict=True))
    return found


def take_over(spec: ModelSpec, rows: list[dict[str, Any]]) -> None:
    """New records start with the values of what they follow."""
    sources = sources_of(spec, rows)
    for reference, found in sources.items():
        for values in rows:
            values.update(found.get(values.get(reference) or 0, {}))


def complete(run: Run, step: Update, row: dict[str, Any], changed: dict[str, Any], sources: Sources) -> None:
    """Adds to the new values of a record what follows from them; refuses what would contradict."""
    spec, model = step.spec, step.spec.model
    for name, (deciding, values) in model.shown_when.items():
        if deciding in changed and changed[deciding] not in values and row.get(name) is not None:
            changed.setdefault(name, None)
    for reference, found in sources.items():
        key = changed.get(reference, row.get(reference))
        for name, value in found.get(key or 0, {}).items():
            if reference in changed:
                changed.pop(name, None)
                if row[name] != value:
                    changed[name] = value
            elif name in changed and changed[name] != value and not run.by_rule:
                refuse(run, _followed(spec, name, reference, key), step.place, step.source)
    if set(changed) & set(model.derive_fields):
        for name, value in model.derive(row, {**row, **changed}, run).items():
            if value != row[name]:
                changed[name] = value
            else:
                changed.pop(name, None)


def _followed(spec: ModelSpec, name: str, reference: str, key: Any) -> FieldError:
    item = spec.field(reference)
    other = f"{item.label} {shown(item, key)}"
    return FieldError(spec.field(name), None, gettext("folgt „%(other)s“", other=other), gettext("Bitte dort ändern."))


def mirrored(spec: ModelSpec, written: Iterable[Written]) -> Iterator[Update]:
    """The changes of the records that mirror these."""
    rows = {record.key: record for record in written if record.old is not None}
    for reference, model, fields in spec.mirrored_by:
        keys = sorted(key for key, record in rows.items() if record.changed(*fields.values()))
        for start in range(0, len(keys), CHUNK):
            part = key_condition(reference, keys[start : start + CHUNK])
            for follower, key in model.select(model._meta.primary_key, reference).where(part).tuples():
                record = rows[key]
                values = {own: record.new[other] for own, other in fields.items() if record.changed(other)}
                yield Update(spec_of(model), follower, values)

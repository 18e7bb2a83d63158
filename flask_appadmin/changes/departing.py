"""What becomes of records that somebody deletes: gone with everything, anonymised, or refused with all reasons.

Shape: `departures_of` answers a Departure for every key, by the rules of the model (`Record.departures`) and by who
else refers to a record; it asks in sets, however many records there are. Pages show it, and the gateway asks again
inside the transaction that removes the record, so that nobody slips something in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from flask_appadmin.database import Record, database, key_condition, key_list_sql
from flask_appadmin.errors import AppAdminError
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.specs import ModelSpec, is_owner, spec_of

#: What may become of a record.
DELETE, ANONYMISE, REFUSE = "delete", "anonymise", "refuse"


@dataclass(frozen=True)
class Departure:
    """The outcome for one record; `reasons` are whole sentences that say why it must stay."""

    outcome: str
    reasons: tuple[str, ...] = ()


_GOES = Departure(DELETE)


class MustStay(AppAdminError):
    """A record that is not removed, with all reasons."""

    status = 409

    def __init__(self, title: str, reasons: Sequence[str]) -> None:
        super().__init__(title, reasons)
        self.title = title
        self.reasons = list(reasons)

    def sentence(self) -> str:
        return f"{self.title}: {' '.join(self.reasons)}"


def departures_of(spec: ModelSpec, keys: Sequence[int]) -> dict[int, Departure]:
    """What would become of these records, in their order."""
    ruled: dict[int, Departure] = spec.model.departures(list(keys)) if keys else {}
    found = {key: ruled.get(key, _GOES) for key in keys}
    going = [key for key, departure in found.items() if departure.outcome == DELETE]
    for key, users in used_by(spec, going).items():
        found[key] = Departure(REFUSE, (gettext("wird verwendet: %(users)s", users=", ".join(users[:3])),))
    return found


def has_rules(model: type[Record]) -> bool:
    """Whether a model says itself what becomes of its records."""
    return model.departures.__func__ is not Record.departures.__func__  # type: ignore[attr-defined]


def led_to(references: Iterable[Any], keys: Sequence[int]) -> dict[Any, list[int]]:
    """Reference -> those of the keys that rows of its table lead to; references without any are left out.

    One statement for all: a record has dozens of tables that may lead to it, nearly all of which have nothing."""
    asked = list(references)
    if not asked or not keys:
        return {}
    listed = key_list_sql(keys)
    parts = [
        f'SELECT {at} AS place, "{each.column_name}" AS led_to FROM "{each.model._meta.table_name}" '
        f'WHERE "{each.column_name}" IN ({listed})'
        for at, each in enumerate(asked)
    ]
    found: dict[Any, list[int]] = {}
    for at, key in database.execute_sql(f"{' UNION '.join(parts)} ORDER BY 1, 2").fetchall():
        found.setdefault(asked[at], []).append(key)
    return found


def used_by(spec: ModelSpec, keys: Sequence[int]) -> dict[int, list[str]]:
    """Key -> titles of records, other than its own children, without which it could go; one for each kind of use."""
    if not keys:
        return {}
    users: dict[int, list[str]] = {key: [words] for key, words in spec.model.held_by(keys).items()}
    for reference, among in led_to(holding_references(spec), keys).items():
        for key, words in _users_through(spec, reference, reference.model, among).items():
            users.setdefault(key, []).append(words)
    return users


def holding_references(spec: ModelSpec) -> list[Any]:
    """References of other tables, and of its own, that do not let a record go."""
    return [
        reference
        for reference in spec.model._meta.backrefs
        if not is_owner(reference) and (reference.on_delete or "").upper() not in ("CASCADE", "SET NULL")
    ]


def _users_through(spec: ModelSpec, reference: Any, model: Any, keys: Sequence[int]) -> dict[int, str]:
    other, key_field = spec_of(model), model._meta.primary_key
    query = model.select(reference, peewee.fn.MIN(key_field), peewee.fn.COUNT(key_field)).where(
        key_condition(reference, keys)
    )
    if model is spec.model:
        query = query.where(key_field != reference)
    elif other.owner is not None and other.owner.target is spec.model:
        # A pointer from the record's own children (contact -> address) does not hold the record itself.
        query = query.where(other.owner.column_field != reference)
    found = list(query.group_by(reference).tuples())
    titles = ReferenceCache().titles(other, {first for _key, first, _count in found}) if found else {}
    words = {}
    for key, first, count in found:
        words[key] = f"{other.label} {titles[first]}"
        if count > 1:
            words[key] += " " + gettext("und %(count)s weitere", count=format_number(count - 1))
    return words

"""Removed records: with their children, a snapshot each, and not while others point to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_appadmin import search
from flask_appadmin.changes.departing import DELETE, Departure, MustStay, has_rules, holding_references, led_to
from flask_appadmin.changes.elsewhere import forget_values
from flask_appadmin.changes.running import (
    KNOWN_SPECS,
    Delete,
    Run,
    insert_changes,
    owner_of,
    refuse,
    require,
    snapshot,
    visible_keys,
)
from flask_appadmin.customfields import complete
from flask_appadmin.database import engine
from flask_appadmin.errors import AppAdminError, NotFound
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.history import COPIED, ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import format_datetime, gettext
from flask_appadmin.specs import ModelSpec, spec_of


class StillUsed(AppAdminError):
    """A record that others refer to and that therefore stays."""

    status = 409

    def __init__(self, title: str, users: Sequence[str]) -> None:
        super().__init__(title, users)
        self.title = title
        self.users = list(users)

    def sentence(self) -> str:
        return gettext(
            "%(title)s wird noch verwendet (%(users)s) und wurde nicht gelöscht.",
            title=self.title,
            users=", ".join(self.users[:5]),
        )


class ChangedMeanwhile(AppAdminError):
    """A record that was to be removed and that somebody changed after it was shown."""

    status = 409

    def __init__(self, title: str, labels: Sequence[str], who: str, when: Any) -> None:
        super().__init__(title, labels, who, when)
        self.title = title
        self.labels = list(labels)
        self.who = who
        self.when = when
        #: Where in a form it stands: (child table, row key).
        self.place: tuple[str, str] | None = None

    def sentence(self) -> str:
        return gettext(
            "%(title)s: %(who)s hat hier inzwischen „%(labels)s“ geändert. Es wurde nichts gelöscht; wenn der Eintrag "
            "trotzdem weg soll, markieren Sie ihn bitte noch einmal.",
            title=self.title,
            who=f"{self.who} ({format_datetime(self.when)})" if self.when else gettext("jemand"),
            labels="“, „".join(self.labels),
        )


def write_deletes(run: Run, steps: list[Delete], *, may_wait: bool) -> list[Delete]:
    """Removes records with their children; answers those that others still point to, to be tried again at the end."""
    waiting = []
    staying = _staying(steps)
    for step in steps:
        spec = step.spec
        KNOWN_SPECS.setdefault(spec.name, spec)
        require(run, spec, "delete" if spec.owner is None else "edit")
        if not visible_keys(run.operator, spec, [step.key]):
            raise NotFound(spec, step.key)
        if (reasons := staying.get((spec.name, step.key))) is not None:
            refuse(run, MustStay(title_of_key(spec, step.key), reasons), step.place, step.source)
            continue
        if (changed := _changed_since(step)) is not None:
            refuse(run, changed, step.place, step.source)
            continue
        users = users_of(spec, step.key)
        if users:
            if may_wait:
                waiting.append(step)
                continue
            refuse(run, StillUsed(title_of_key(spec, step.key), users), step.place, step.source)
            continue
        _ask_why(run, spec, step.key)
        remove_records(run, spec, [step.key], step.source, step.place)
        run.deleted += 1
    return waiting


def _staying(steps: list[Delete]) -> dict[tuple[str, int], tuple[str, ...]]:
    """(table, key) -> why the model's own rules do not let it go; who else refers to a record is asked one by one."""
    by_spec: dict[str, list[Delete]] = {}
    for step in steps:
        if has_rules(step.spec.model):
            by_spec.setdefault(step.spec.name, []).append(step)
    staying = {}
    for group in by_spec.values():
        found: dict[int, Departure] = group[0].spec.model.departures([step.key for step in group])
        for key, departure in found.items():
            if departure.outcome != DELETE:
                reasons = departure.reasons or (gettext("Der Eintrag kann nur anonymisiert werden."),)
                staying[group[0].spec.name, key] = reasons
    return staying


def _ask_why(run: Run, spec: ModelSpec, key: int) -> None:
    """A child that holds values whose change asks for a reason does not go without one."""
    columns = [item.column_field for item in spec.data_fields if item.reason]
    if spec.owner is None or not columns:
        return
    row = spec.model.select(*columns).where(spec.model._meta.primary_key == key).tuples().first()
    if row is not None and any(value is not None for value in row):
        run.ask_why(spec.label)


def _changed_since(step: Delete) -> ChangedMeanwhile | None:
    """What speaks against removing a record that is no longer as it was shown."""
    if step.version is None:
        return None
    model = step.spec.model
    query = model.select(model.version).where(model._meta.primary_key == step.key)
    # The row is held, so that nobody changes it between this look and the removal.
    row = (query.for_update() if engine() == "postgresql" else query).tuples().first()
    if row is None or row[0] == step.version:
        return None
    rows = list(
        ChangeRecord.select(ChangeRecord, ChangeSetRecord)
        .join(ChangeSetRecord)
        .where(
            ChangeRecord.entity == step.spec.name,
            ChangeRecord.record_id == step.key,
            ChangeRecord.action != COPIED,
        )
        .order_by(ChangeRecord.id.desc())
        .limit(max(row[0] - step.version, 1))
    )
    title = title_of_key(step.spec, step.key)
    if not rows:
        return ChangedMeanwhile(title, [], "", "")
    last = rows[0].change_set
    labels = [found.field_label for found in rows if found.field_label and found.change_set_id == last.id]
    return ChangedMeanwhile(title, labels, last.user_name, last.changed_at)


def title_of_key(spec: ModelSpec, key: int) -> str:
    return f"{spec.label} {ReferenceCache().titles(spec, {key})[key]}"


def remove_records(
    run: Run, spec: ModelSpec, keys: list[int], source: str, place: tuple[str, str] | None = None
) -> None:
    filled = led_to([child.owner.column_field for child in spec.children if child.owner is not None], keys)
    for child in reversed(spec.children):
        assert child.owner is not None
        if child.owner.column_field not in filled:
            continue
        key_field = child.model._meta.primary_key
        query = child.model.select(key_field).where(child.owner.column_field.in_(keys))
        found = [row[0] for row in query.tuples()]
        if found:
            remove_records(run, child, found, source)
    key_field = spec.model._meta.primary_key
    rows = []
    for values in complete(spec, spec.model.select().where(key_field.in_(keys)).dicts()):
        key = values["id"]
        run.turn(spec, values, None, place)
        owner_entity, owner_id = owner_of(spec, key, values)
        title = spec.title_of(values)[:160]
        rows.append(
            (
                run.change_set,
                spec.name,
                key,
                owner_entity,
                owner_id,
                title,
                "delete",
                None,
                None,
                snapshot(spec, values),
                None,
                source or None,
            )
        )
        if spec.owner is not None:
            run.touch(spec, key, owner_id)
        elif search.has_index(spec):
            run.forgotten.setdefault(spec.name, set()).add(key)
    insert_changes(rows)
    forget_values(spec, keys)
    spec.model.delete().where(key_field.in_(keys)).execute()


def users_of(spec: ModelSpec, key: int, *, limit: int = 5) -> list[str]:
    """Titles of records (other than its own children) that refer to this one, as reasons why it stays."""
    users: list[str] = list(spec.model.held_by([key]).values())
    for reference in led_to(holding_references(spec), [key]):
        model, other = reference.model, spec_of(reference.model)
        query = model.select(model._meta.primary_key).where(reference == key).limit(limit)
        found = [row[0] for row in query.tuples()]
        if other.name == spec.name:
            found = [other_key for other_key in found if other_key != key]
        if found and _is_below(other, spec):
            # A pointer from the record's own children (contact -> address) does not hold the record itself.
            found = [child_key for child_key in found if not _belongs_to(other, child_key, spec, key)]
        if found:
            titles = ReferenceCache().titles(other, set(found))
            users += [f"{other.label} {titles[found_key]}" for found_key in found]
    return users[:limit]


def _is_below(child: ModelSpec, owner: ModelSpec) -> bool:
    return child.owner is not None and child.owner.target is owner.model


def _belongs_to(child: ModelSpec, child_key: int, owner: ModelSpec, key: int) -> bool:
    assert child.owner is not None
    return (
        child.model.select().where(child.model._meta.primary_key == child_key, child.owner.column_field == key).exists()
    )

"""Two at a time: what somebody else changed since the page was drawn.

Fields that only one of both changed are merged by the difference to `_base` (saving.py); this file knows the rest: the
choice at a field that both changed (`_keep-<name>` = "mine" | "theirs", with the value that stood there in
`_theirs-<name>`), the mark of a value that the page does not show whole, and the notice of what was merged. A field
without a choice stays a conflict, so that nobody overwrites anything by pressing „Speichern“ once more.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from flask import current_app
from werkzeug.datastructures import MultiDict

from flask_appadmin.database import database
from flask_appadmin.digits import is_number
from flask_appadmin.errors import ConflictError
from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.history import COPIED, ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import format_datetime, gettext
from flask_appadmin.rights import Operator, may_read
from flask_appadmin.specs import FieldSpec, ModelSpec
from flask_appadmin.views.form_page.record import FormRecord

#: The notice names so many changed fields; the history has all of them.
_NOTICE_LIMIT = 12


@dataclass(frozen=True)
class Choice:
    """A field that both changed, as it is drawn at the field (fields.html)."""

    original: str
    mine: str
    theirs: str
    #: "Herr Berger, 22.11.2026 01:02"
    who: str
    #: What stands in the database now, as JSON: the choice is about this value and no newer one.
    stored: str


def choice_of(fault: ConflictError, item: FieldSpec) -> Choice:
    name = fault.who or gettext("jemand")
    who = f"{name}, {format_datetime(fault.when)}" if fault.when else name
    return Choice(fault.original, fault.ours, fault.theirs, who, json_text(base_value(item, fault.stored)))


def base_value(item: FieldSpec, value: Any) -> Any:
    """A value as `_base` has it: as JSON, or for a masked one a mark that tells only whether it is still the same."""
    found = item.type.to_json(value, item)
    if not item.masked or value is None:
        return found
    text = f"{item.model_name}.{item.name}:{json_text(found)}"
    secret = current_app.secret_key or ""
    key = secret.encode() if isinstance(secret, str) else secret
    return {"mark": hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]}


def typed_base(known: dict[str, Any], spec: ModelSpec, stored: dict[str, Any]) -> dict[str, Any]:
    """What the page showed, as Python values; `stored` is what stands there now."""
    typed: dict[str, Any] = {}
    for name, value in known.items():
        item = spec.by_name.get(name)
        if item is None:
            continue
        if item.masked and isinstance(value, dict):
            # Another value than the one that was shown: no stored one is ever empty text.
            typed[name] = stored.get(name) if value == base_value(item, stored.get(name)) else ""
            continue
        try:
            typed[name] = item.type.from_json(value, item)
        except (ValueError, TypeError, ArithmeticError, AttributeError):
            continue
    return typed


def decide(posted: MultiDict[str, str], base: dict[str, Any]) -> tuple[MultiDict[str, str], set[str]]:
    """Applies what was chosen at fields in conflict: (what was posted without those left to others, their names).

    What was chosen was chosen about the value that stood beside it, so `base` gets that value: when it changed once
    more, it is a conflict once more.
    """
    theirs = set()
    rows = posted.getlist("_rows")
    for name, chosen in posted.items():
        field = name.removeprefix("_keep-")
        if field == name or chosen not in ("mine", "theirs"):
            continue
        if chosen == "theirs":
            theirs.add(field)
        try:
            seen = json.loads(posted.get(f"_theirs-{field}", ""))
        except ValueError:
            continue
        place = next((start for start in rows if field.startswith(f"{start}-")), "")
        base.setdefault(place, {})[field.removeprefix(f"{place}-") if place else field] = seen
    if theirs:
        left = theirs | {f"{name}_text" for name in theirs} | {f"{name}_new" for name in theirs}
        posted = MultiDict((name, value) for name, value in posted.items(multi=True) if name not in left)
    return posted, theirs


def last_change(spec: ModelSpec, key: int) -> int:
    """The latest entry in the history of a record and its children: what came later the page does not show."""
    sql = f'SELECT max(id) FROM "change" WHERE owner_entity = {database.param} AND owner_id = {database.param}'
    row = database.execute_sql(sql, (spec.name, key)).fetchone()
    return int(row[0] or 0)


def merged_notice(record: FormRecord, seen: str, own: int | None) -> str:
    """The sentence about what others changed since the page was drawn, "" if nothing."""
    if record.key is None or not is_number(seen):
        return ""
    mark = database.param
    foreign = (
        f'SELECT 1 FROM "change" WHERE owner_entity = {mark} AND owner_id = {mark} AND id > {mark} '
        f"AND change_set_id <> {mark} AND action <> '{COPIED}' LIMIT 1"
    )
    if database.execute_sql(foreign, (record.spec.name, record.key, int(seen), own or 0)).fetchone() is None:
        return ""  # as nearly always
    query = (
        ChangeRecord.select(ChangeRecord, ChangeSetRecord)
        .join(ChangeSetRecord)
        .where(
            ChangeRecord.owner_entity == record.spec.name,
            ChangeRecord.owner_id == record.key,
            ChangeRecord.id > int(seen),
            ChangeRecord.action != COPIED,
        )
        .order_by(ChangeRecord.id)
        .limit(200)
    )
    rows = list(query)
    decided = {(row.entity, row.record_id, row.field) for row in rows if row.change_set_id == own}
    others: dict[tuple[str, Any], list[str]] = {}
    for row in rows:
        if row.change_set_id == own or (row.entity, row.record_id, row.field) in decided:
            continue
        words = _words(record, row)
        if words:
            group = others.setdefault((row.change_set.user_name, row.change_set.changed_at), [])
            if words not in group:
                group.append(words)
    parts = [f"{who} ({format_datetime(when)}): {_listed(words)}" for (who, when), words in others.items()]
    return gettext("Inzwischen außerdem geändert: %(changes)s.", changes="; ".join(parts)) if parts else ""


def _listed(words: list[str]) -> str:
    more = len(words) - _NOTICE_LIMIT
    text = ", ".join(words[:_NOTICE_LIMIT])
    return gettext("%(words)s und %(count)s weitere", words=text, count=more) if more > 0 else text


def _words(record: FormRecord, row: ChangeRecord) -> str:
    """„Telefon“, or „Ansprechpartner Groß: Telefon“; nothing for a field that the operator may not see."""
    spec = record.view.registry.specs_by_name.get(row.entity)
    if spec is None:
        return ""
    item = spec.by_name.get(row.field) if row.field else None
    if item is not None and not may_read(record.operator, item):
        return ""
    start = "" if spec is record.spec else f"{spec.label} {row.record_title}"
    if row.action == "create":
        return gettext("%(title)s (neu)", title=start or row.record_title)
    if row.action == "delete":
        return gettext("%(title)s (gelöscht)", title=start or row.record_title)
    label = str(item.label) if item is not None else (row.field_label or "")
    return f"{start}: {label}" if start else label


def changed_since(spec: ModelSpec, key: int, operator: Operator, seen: str) -> tuple[str, Any] | None:
    """Who else has saved the record last, after the page was drawn: (name, when), or None."""
    if not is_number(seen):
        return None
    query = (
        ChangeRecord.select(ChangeRecord, ChangeSetRecord)
        .join(ChangeSetRecord)
        .where(
            ChangeRecord.owner_entity == spec.name,
            ChangeRecord.owner_id == key,
            ChangeRecord.id > int(seen),
            ChangeRecord.action != COPIED,
        )
        .order_by(ChangeRecord.id.desc())
        .limit(50)
    )
    for row in query:
        if row.change_set.user_id != operator.user_id:
            return row.change_set.user_name, row.change_set.changed_at
    return None


def has_deleted(record: FormRecord, child: ModelSpec, key: int) -> bool:
    """Whether this row of a child table was one of the record's when somebody removed it."""
    return (
        ChangeRecord.select()
        .where(
            ChangeRecord.entity == child.name,
            ChangeRecord.record_id == key,
            ChangeRecord.action == "delete",
            ChangeRecord.owner_entity == record.spec.name,
            ChangeRecord.owner_id == record.key,
        )
        .exists()
    )


def deletion_sentence(record: FormRecord) -> str:
    """Who removed the record and when, "" when it never was or is only hidden from this operator."""
    model = record.spec.model
    if record.key is None or model.select().where(model._meta.primary_key == record.key).exists():
        return ""
    row = (
        ChangeRecord.select(ChangeRecord, ChangeSetRecord)
        .join(ChangeSetRecord)
        .where(
            ChangeRecord.entity == record.spec.name,
            ChangeRecord.record_id == record.key,
            ChangeRecord.action == "delete",
        )
        .order_by(ChangeRecord.id.desc())
        .first()
    )
    if row is None:
        return ""
    who, when = row.change_set.user_name, format_datetime(row.change_set.changed_at)
    if not record.operator.may(f"{record.spec.right}.create"):
        return gettext(
            "%(who)s hat diesen Datensatz am %(when)s gelöscht; gespeichert wurde nichts. Ihre Eingaben stehen hier "
            "noch, damit Sie sie abschreiben oder kopieren können.",
            who=who,
            when=when,
        )
    return gettext(
        "%(who)s hat diesen Datensatz am %(when)s gelöscht; gespeichert wurde nichts. Ihre Eingaben stehen hier noch: "
        "„Speichern“ legt damit einen neuen Datensatz an.",
        who=who,
        when=when,
    )

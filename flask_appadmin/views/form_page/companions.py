"""What an open form tells the server beside saving: that it is open, and what was typed so far.

`presence`: JSON {"token", "seen"} -> {"text"}, every few seconds, see presence.py; with "gone" it says good-bye.
`draft`: the form as it would be sent -> {"kept"}; with `_discard` it is forgotten and the page starts anew.
Both are asked by static/appadmin/js/companions.js; without it nobody is shown and nothing is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, jsonify, redirect, request

from flask_appadmin import drafts, presence
from flask_appadmin.i18n import format_datetime, gettext
from flask_appadmin.rights import Operator
from flask_appadmin.specs import ModelSpec
from flask_appadmin.views.form_page import locking
from flask_appadmin.views.form_page.conflicts import changed_since

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: Names of a sent form that are no input.
_NOT_KEPT = ("csrf_token", "_discard", "_then", "_next", "_by", "_draft")


def draft_days() -> float:
    """So long drafts are kept, in days."""
    return float(current_app.config.get("DRAFT_DAYS") or drafts.DAYS)


def answer_presence(view: AppModelView, operator: Operator, key: int) -> Any:
    """The form of a record is open; answers who else has it open and who has saved it since."""
    sent = request.get_json(silent=True) or {}
    token = str(sent.get("token", ""))
    if sent.get("gone"):
        presence.leave(operator, token)
        return jsonify({"text": ""})
    presence.report(view.spec, key, operator, token)
    return jsonify({"text": presence_text(view.spec, key, operator, str(sent.get("seen", "")))})


def presence_text(spec: ModelSpec, key: int, operator: Operator, seen: str = "") -> str:
    """The quiet line in the head of a form, "" when nobody else is there."""
    parts = []
    saved = changed_since(spec, key, operator, seen) if seen else None
    if saved is not None:
        parts.append(gettext("inzwischen gespeichert: %(who)s (%(when)s)", who=saved[0], when=_time(saved[1])))
    parts += [
        gettext("auch geöffnet: %(who)s (seit %(when)s)", who=who, when=_time(since))
        for who, since in presence.others(spec, key, operator)[:3]
    ]
    return " · ".join(parts)


def _time(moment: Any) -> str:
    return format_datetime(moment).split()[-1]


def answer_draft(view: AppModelView, operator: Operator, key: int | None) -> Any:
    """Keeps what was typed so far, or forgets it."""
    token = request.form.get("_token", "")
    if "_discard" in request.form:
        drafts.close(view.spec, key, operator, token)
        if key is None:
            locking.end()
        return redirect(request.form.get("_discard") or view.list_url())
    secret = _secret_endings(view.spec)
    kept = drafts.keep(
        view.spec,
        key,
        operator,
        token,
        [
            pair
            for pair in request.form.items(multi=True)
            if pair[0] not in _NOT_KEPT and not _is_secret(pair[0], secret)
        ],
    )
    drafts.forget_expired(operator, draft_days())
    return jsonify({"kept": kept})


def _secret_endings(spec: ModelSpec) -> dict[str, set[str]]:
    """Names of secret fields: "" -> those of the record, child table -> those of its rows."""
    found = {child.name: {item.name for item in child.fields if item.secret} for child in spec.children}
    return {"": {item.name for item in spec.fields if item.secret}, **found}


def _is_secret(name: str, secret: dict[str, set[str]]) -> bool:
    if name in secret[""]:
        return True
    child, _gap, rest = name.partition("-")
    return rest.partition("-")[2] in secret.get(child, ())

"""What the pages of the history share: who may take back, where that is asked, and the fields they are filtered by."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from flask_appadmin.changes.undoing.part import is_whole
from flask_appadmin.history import FINAL_KINDS, KINDS, ChangeSetRecord, TakenBack
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator


def may_undo(row: ChangeSetRecord, operator: Operator, back: dict[int, TakenBack] | None = None) -> bool:
    """Whether the operator is offered to take it back: not what was loaded, not what is back already."""
    if row.kind == "load" or row.kind in FINAL_KINDS:
        return False
    if back is not None and row.id in back and back[row.id].is_whole:
        return False
    own = row.user_id is not None and row.user_id == operator.user_id
    return operator.may("undo.all") or (own and operator.may("undo.own"))


def may_undo_part(row: ChangeSetRecord, operator: Operator, back: dict[int, TakenBack] | None = None) -> bool:
    """Whether the operator is offered to take back single records and values of it."""
    return may_undo(row, operator, back) and not is_whole(row)


def undo_url(change_set: int, *, record: tuple[str, int] | None = None, line: int = 0) -> str:
    """The page that asks before a part of an operation is taken back."""
    if line:
        return url_for("operations.undo_view", id=change_set, line=line)
    assert record is not None
    return url_for("operations.undo_view", id=change_set, record=f"{record[0]}-{record[1]}")


def scopes(operator: Operator, endpoint: str, everybody: bool) -> list[tuple[str, str, bool]]:
    """Mine, and those of all for whoever may see them."""
    found = [(gettext("meine"), url_for(endpoint), not everybody)]
    if operator.may("history.read_all"):
        found.append((gettext("alle"), url_for(endpoint, scope="all"), everybody))
    return found


def views_of(active: str, asked: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """The two ways to look at it: by operation, or every single change; what was asked for goes along."""
    of_sets = {name: value for name, value in asked.items() if name in ("scope", *_OF_OPERATIONS)}
    return [
        (gettext("Vorgänge"), url_for("operations.index_view", **of_sets), active == "operations"),
        (gettext("einzelne Änderungen"), url_for("operations.lines_view", **asked), active == "lines"),
    ]


_OF_OPERATIONS = ("who", "kind", "from", "to")


def of_operations(given: Any) -> dict[str, str]:
    return {name: given[name] for name in _OF_OPERATIONS if name in given}


def operation_filters(everybody: bool) -> list[dict[str, Any]]:
    """The quick fields: kind, person, and from when to when."""
    kinds = [(key, str(label)) for key, label in KINDS.items()]
    given = request.args
    fields: list[dict[str, Any]] = [
        {"kind": "select", "name": "kind", "label": gettext("Art"), "choices": kinds, "value": given.get("kind", "")},
        {
            "kind": "text",
            "name": "from",
            "label": gettext("von (heute, 01.10.2026)"),
            "value": given.get("from", ""),
            "width": "date",
        },
        {"kind": "text", "name": "to", "label": gettext("bis"), "value": given.get("to", ""), "width": "s"},
    ]
    if everybody:
        fields.insert(1, {"kind": "text", "name": "who", "label": gettext("Wer"), "value": given.get("who", "")})
    return fields

"""Where an operator was: the list of each table as it was last seen, and the records of its page, to step through.

Shape: both stand in the session. `list:<table>` is the address of the list with filter, order, place and marked rows,
so that "back" and "save and close" lead to the same place. `seen_by` is whose places these are: after a sign-in they
stay for the same operator and are gone for any other. `walk` is the page of rows drawn last: (table, number of its
first row, number of rows found, whether more were found, keys as one text). A session is a cookie of some four
kilobytes: only the last few tables are remembered, and of an address that is too long it holds a mark only; the address
itself is kept in the database, for the operator and the table, and holds where the mark is that of the same address.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from flask import g, request, session

from flask_appadmin.listviews import keep_place, kept_place
from flask_appadmin.specs import ModelSpec

_TABLES = 6
#: Longer addresses do not stand in the session; beyond the second they are not remembered at all.
_LONGEST, _LONGEST_KEPT = 500, 8_000

#: No address begins so.
_MARK = "#"

#: Parts of a list's address that are a question of the moment, not a place.
_PASSING = ("add_filter", "arrange", "edit", "count")


@dataclass(frozen=True)
class Walk:
    """The rows of the list's page, in their order."""

    keys: tuple[int, ...]
    #: Number of the first of them, 0 when it is not known.
    first_row: int
    found: int
    capped: bool


def remember_list(spec: ModelSpec) -> None:
    """Keeps the address that was asked for as the place in this table's list."""
    pairs = [(name, text) for name, text in request.args.items(multi=True) if name not in _PASSING]
    _store(spec, request.path, pairs)


def remember_place(spec: ModelSpec, path: str, pairs: list[tuple[str, str]]) -> None:
    """Keeps an address that was not asked for itself: the list behind a record that was opened at once."""
    _store(spec, path, pairs)


def _store(spec: ModelSpec, path: str, pairs: list[tuple[str, str]]) -> None:
    address = f"{path}?{urlencode(pairs)}" if pairs else path
    name = f"list:{spec.name}"
    session["seen_by"] = g.operator.user_id
    known = session.pop(name, None)
    if len(address) <= _LONGEST:
        session[name] = address
    elif len(address) <= _LONGEST_KEPT:
        if known != _mark(address):
            keep_place(spec, g.operator, address)
        session[name] = _mark(address)
    # The order of a session is the order of writing: the oldest tables go first.
    for old in [key for key in session if key.startswith("list:")][:-_TABLES]:
        del session[old]


def remembered_list(spec: ModelSpec) -> str:
    """The address of the list as it was last seen, or "" for one that was not."""
    address: str = session.get(f"list:{spec.name}", "")
    if not address.startswith(_MARK):
        return address
    kept = kept_place(spec, g.operator)
    # Another browser of the same operator may have been elsewhere since.
    return kept if _mark(kept) == address else ""


def _mark(address: str) -> str:
    """Stands in the session for an address that is too long."""
    return _MARK + hashlib.sha256(address.encode()).hexdigest()[:20]


def remembered_pairs(spec: ModelSpec) -> list[tuple[str, str]]:
    """What stands in the query of the remembered address."""
    return parse_qsl(remembered_list(spec).partition("?")[2], keep_blank_values=True)


def carry_selection(spec: ModelSpec, path: str, token: str) -> None:
    """Names a selection in the remembered address: what is marked is no longer what stood there."""
    pairs = [pair for pair in remembered_pairs(spec) if pair[0] != "selection"]
    pairs += [("selection", token)] if token else []
    _store(spec, remembered_list(spec).partition("?")[0] or path, pairs)


def forget_selection(spec: ModelSpec) -> None:
    """Takes the marked rows out of the remembered address: what they were marked for is done."""
    address = remembered_list(spec)
    if address:
        pairs = [pair for pair in remembered_pairs(spec) if pair[0] not in ("selection", "only")]
        _store(spec, address.partition("?")[0], pairs)


def remember_rows(spec: ModelSpec, walk: Walk) -> None:
    """Keeps the rows of the page that is drawn."""
    keys = " ".join(map(str, walk.keys))
    session["walk"] = [spec.name, walk.first_row, walk.found, walk.capped, keys]


def remembered_rows(spec: ModelSpec) -> Walk | None:
    """The rows of the page last drawn, if it was one of this table."""
    kept = session.get("walk")
    if not isinstance(kept, list) or len(kept) != 5 or kept[0] != spec.name:
        return None
    return Walk(tuple(int(key) for key in kept[4].split()), kept[1], kept[2], kept[3])

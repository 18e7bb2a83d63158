"""Saves the cells that were edited in a list: all of them in one change set, or none.

Shape: JSON in: {"changes": [{"key", "field", "value", "text", "base"}, …]}; `value` is the text of the input (a check
box: true or false; a reference: its key), `text` what was typed into a reference, `base` what the page showed, as JSON.
JSON out: {"saved": number} and a toast for the next page, or {"error": sentence} and, where it is known, "cells"
[{"key", "field", "sentence"}], "rows" [{"key", "sentence"}], "conflicts" (as in `_conflict`), "gone" [key, …],
"fields" [name, …] that need a right. The check is per field: a value that differs from `base` now is a conflict, other
fields of the same record go together (as in the form).
Errors: 400 for what no page sends, 403 without the right, 404 for rows that are gone or out of sight, 409 for
conflicts, 422 for values that a field does not take. Nothing is written then. Limits: MAX_ROWS rows, a form's size.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import jsonify, request, session

from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import key_condition
from flask_appadmin.errors import AppAdminError, ConflictError, FaultList, FieldError, NotAllowed, NotFound
from flask_appadmin.history import ChangeRecord
from flask_appadmin.i18n import format_datetime, gettext, ngettext
from flask_appadmin.lists import PAGE_SIZES
from flask_appadmin.rights import Operator, may_edit, may_read_full, visible
from flask_appadmin.specs import FieldSpec
from flask_appadmin.views.list_page.editing import entry, maker_of

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

log = logging.getLogger("appadmin")

#: The longest page of a list.
MAX_ROWS = max(PAGE_SIZES)


@dataclass(frozen=True)
class _Cell:
    """One cell as it was posted."""

    item: FieldSpec
    value: str | bool
    text: str | None
    base: Any


class _Unreadable(AppAdminError):
    """No page sends this."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or gettext("Die Änderungen waren nicht lesbar."))

    def sentence(self) -> str:
        return f"{super().sentence()} {gettext('Es wurde nichts gespeichert.')}"


class CellSaving:
    """One request with edited cells."""

    def __init__(self, view: AppModelView, operator: Operator) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        self.maker = maker_of(view, operator)
        self.cells: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []
        self.conflicts: list[dict[str, Any]] = []
        #: Sentences that belong to no row.
        self.others: list[str] = []

    def answer(self) -> Any:
        self.operator.require(f"{self.spec.right}.edit")
        posted = self._read()
        refused = self._without_right(posted)
        if refused is not None:
            return refused
        items = tuple({cell.item.name: cell.item for cells in posted.values() for cell in cells}.values())
        stored = self._stored(posted, items)
        gone = [key for key in posted if key not in stored]
        if gone:
            return self._gone(gone)
        change = ChangeSet("list")
        for key, cells in posted.items():
            self._plan(change, key, cells, stored[key])
        try:
            if self.cells:
                # The values that could be read are checked, too, so that everything is told in one pass.
                if not change.is_empty:
                    change.rehearse(self.operator)
            else:
                return self._saved(change.apply(self.operator).change_set)
        except FaultList as refusal:
            self._sort(refusal.faults, items)
        except NotFound as fault:
            return self._gone([int(fault.key)])
        return self._refused()

    # --- reading ------------------------------------------------------------------------------------------------------

    def _read(self) -> dict[int, list[_Cell]]:
        try:
            content = json.loads(request.get_data())
        except (ValueError, RecursionError):
            raise _Unreadable() from None
        changes = content.get("changes") if isinstance(content, dict) else None
        if not isinstance(changes, list) or not changes:
            raise _Unreadable()
        posted: dict[int, list[_Cell]] = {}
        seen = set()
        for change in changes:
            if not isinstance(change, dict):
                raise _Unreadable()
            key, name = change.get("key"), change.get("field")
            if not isinstance(key, int) or isinstance(key, bool) or not 0 < key < 2**62 or not isinstance(name, str):
                raise _Unreadable()
            if (key, name) in seen:
                raise _Unreadable(gettext("Dieselbe Zelle kam zweimal an."))
            seen.add((key, name))
            posted.setdefault(key, []).append(self._cell(name, change))
        if len(posted) > MAX_ROWS:
            raise _Unreadable(gettext("Auf einmal lassen sich höchstens %(count)s Zeilen speichern.", count=MAX_ROWS))
        return posted

    def _cell(self, name: str, change: dict[str, Any]) -> _Cell:
        item = self.spec.by_name.get(name)
        if item is None or item.is_system or item.secret or item.type.name == "json":
            raise _Unreadable(gettext("Das Feld „%(name)s“ lässt sich hier nicht ändern.", name=_readable(name)[:40]))
        value, text = change.get("value"), change.get("text")
        if not isinstance(value, str | bool) or not isinstance(text, str | None) or "base" not in change:
            raise _Unreadable()
        if isinstance(value, bool) and item.type.name != "bool":
            raise _Unreadable()
        if _readable(value) != value or _readable(text) != text:
            raise _Unreadable()
        return _Cell(item, value, text, change["base"])

    def _without_right(self, posted: dict[int, list[_Cell]]) -> Any:
        """The answer for fields that the operator may not set, with their names; None where he may set all."""
        items = {cell.item.name: cell.item for cells in posted.values() for cell in cells}.values()
        missing = {item.name: f"{item.right}.edit" for item in items if not may_edit(self.operator, item)}
        for item in items:
            if item.name not in missing and not may_read_full(self.operator, item):
                missing[item.name] = f"{item.right}.read_full"
        if not missing:
            return None
        try:
            self.operator.require(next(iter(missing.values())))
        except NotAllowed as fault:
            log.warning("authz_fail user=%s endpoint=%s", self.operator.user_id, request.endpoint)
            return jsonify({"error": _with_outcome(fault.sentence()), "fields": list(missing)}), fault.status
        return None

    def _stored(self, posted: dict[int, Any], items: tuple[FieldSpec, ...]) -> dict[int, dict[str, Any]]:
        """Key -> the values that are stored now, of the rows that the operator may see."""
        key_field = self.spec.model._meta.primary_key
        query = self.spec.model.select(key_field, *(item.column_field for item in items))
        query = query.where(key_condition(key_field, sorted(posted)))
        condition = visible(self.operator, self.spec)
        rows = (query if condition is None else query.where(condition)).tuples()
        return {row[0]: dict(zip((item.name for item in items), row[1:], strict=True)) for row in rows}

    # --- planning -----------------------------------------------------------------------------------------------------

    def _plan(self, change: ChangeSet, key: int, cells: list[_Cell], stored: dict[str, Any]) -> None:
        form = self.maker.make(tuple(cell.item for cell in cells))
        form.show(stored)
        values: dict[str, Any] = {}
        base: dict[str, Any] = {}
        for field, cell in zip(form, cells, strict=True):
            item = cell.item
            base[item.name] = _base(cell, stored[item.name])
            try:
                parsed = self._parsed(field, cell)
            except FieldError as fault:
                self.cells.append({"key": key, "field": item.name, "sentence": fault.found()})
                continue
            if item.type.to_json(parsed, item) != cell.base:
                values[item.name] = parsed
        change.update(self.spec, key, values, base=base, place=(self.spec.name, str(key)))

    def _parsed(self, field: Any, cell: _Cell) -> Any:
        item = cell.item
        if field.readonly:
            raise FieldError(item, None, gettext("kann nicht geändert werden"))
        if isinstance(cell.value, bool):
            posted = {item.name: "1"} if cell.value else {}
        elif item.type.name == "bool":
            # Pasted words: Ja, Nein, x …
            value = item.parse(cell.value)
            return False if value is None and not item.nullable else value
        else:
            posted = {item.name: cell.value}
            if cell.text is not None:
                posted[f"{item.name}_text"] = cell.text
        field.read(posted, {item.name}, self.maker.names)
        if field.errors:
            raise _Said(field.errors[0])
        if field.parsed is None and not item.nullable:
            raise FieldError(item, None, gettext("Dieses Feld kann nicht leer sein."))
        return field.parsed

    # --- answering ----------------------------------------------------------------------------------------------------

    def _saved(self, change_set: int | None) -> Any:
        if change_set is None:
            session["toast"] = {"text": gettext("Es war nichts zu ändern."), "undo_url": ""}
            return jsonify({"saved": 0})
        count = ChangeRecord.select().where(ChangeRecord.change_set == change_set).count()
        text = ngettext("%(count)s Änderung gespeichert.", "%(count)s Änderungen gespeichert.", count, count=count)
        session["toast"] = {"text": text, "undo_url": self.view.registry.undo_url(change_set)}
        return jsonify({"saved": count})

    def _gone(self, keys: list[int]) -> Any:
        sentence = ngettext(
            "%(count)s Zeile ist nicht mehr vorhanden oder für Sie nicht sichtbar.",
            "%(count)s Zeilen sind nicht mehr vorhanden oder für Sie nicht sichtbar.",
            len(keys),
            count=len(keys),
        )
        return jsonify({"error": _with_outcome(sentence), "gone": keys}), 404

    def _sort(self, faults: list[AppAdminError], items: tuple[FieldSpec, ...]) -> None:
        """Puts each fault where it belongs: to a cell, to a row, or to the whole."""
        conflicts: list[tuple[int, FieldSpec, ConflictError]] = []
        names = {item.name for item in items}
        for fault in faults:
            place = getattr(fault, "place", None)
            if place is None:
                self.others.append(fault.sentence())
                continue
            key = int(place[1])
            if isinstance(fault, ConflictError):
                conflicts.append((key, fault.field, fault))
            elif isinstance(fault, FieldError) and fault.field in names:
                self.cells.append({"key": key, "field": fault.field, "sentence": fault.found()})
            else:
                self.rows.append({"key": key, "sentence": fault.sentence()})
        if conflicts:
            fields = {field.spec.name: field for field in self.maker.make(items)}
            stored = self._stored({key: None for key, _item, _fault in conflicts}, items)
            for key, item, fault in conflicts:
                if key in stored:
                    self.conflicts.append(self._conflict(key, fields[item.name], stored[key][item.name], fault))

    def _conflict(self, key: int, field: Any, value: Any, fault: ConflictError) -> dict[str, Any]:
        """A cell that somebody else was faster in: what is stored now, by whom, and both as words."""
        who = f"{fault.who}, {format_datetime(fault.when)}" if fault.when else fault.who or gettext("jemand")
        sentence = gettext(
            "inzwischen „%(theirs)s“ (%(who)s), vorher „%(original)s“",
            theirs=fault.theirs or gettext("leer"),
            who=who,
            original=fault.original or gettext("leer"),
        )
        return {
            "key": key,
            "field": field.spec.name,
            "sentence": sentence,
            "mine": fault.ours or gettext("leer"),
            "theirs": fault.theirs or gettext("leer"),
            "entry": entry(field, value, self.maker.names),
        }

    def _refused(self) -> Any:
        count = len(self.cells) + len(self.rows) + len(self.conflicts)
        sentences = list(self.others)
        if count:
            sentences.append(
                ngettext(
                    "Es wurde nichts gespeichert: eine Angabe ist zu prüfen.",
                    "Es wurde nichts gespeichert: %(count)s Angaben sind zu prüfen.",
                    count,
                    count=count,
                )
            )
        content = {
            "error": " ".join(sentences),
            "cells": self.cells,
            "rows": self.rows,
            "conflicts": self.conflicts,
        }
        return jsonify(content), 409 if self.conflicts and not (self.cells or self.rows) else 422


class _Said(FieldError):
    """A fault that the form has put into words already."""

    def found(self) -> str:
        return str(self.spec)


def _with_outcome(sentence: str) -> str:
    return f"{sentence} {gettext('Es wurde nichts gespeichert.')}"


def _readable(text: Any) -> Any:
    """JSON can name halves of characters that no database stores."""
    return text.encode("utf-8", "ignore").decode() if isinstance(text, str) else text


def _base(cell: _Cell, stored: Any) -> Any:
    """What the page showed, as a Python value."""
    item = cell.item
    if item.type.to_json(stored, item) == cell.base:
        return stored
    if not isinstance(cell.base, str | int | None) or (isinstance(cell.base, int) and abs(cell.base) >= 2**62):
        raise _Unreadable()
    try:
        value = item.type.check(item.type.from_json(cell.base, item), item)
        item.format(value)
    except (FieldError, ValueError, TypeError, ArithmeticError, AttributeError):
        raise _Unreadable() from None
    return value

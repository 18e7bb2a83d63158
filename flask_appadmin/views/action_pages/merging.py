"""Several records become one: side by side, whose value is taken, what moves, and what clashes.

Shape: GET shows the plan; POST with `_do=look` the plan for another choice, with `_do=merge` it does exactly what was
shown (`plan` names the state of the records). One record alone asks for the number of the other (`with`).
Context: templates/appadmin/merge.html.
"""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from flask_appadmin.changes import MergedMeanwhile
from flask_appadmin.digits import number_or_none
from flask_appadmin.errors import AppAdminError, FaultList, FieldError, NotFound
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.merging import LINK, MOVE, STAY, FieldChoice, MergePlan, RowChoice, plan_merge
from flask_appadmin.rights import may_read, visible, words_for
from flask_appadmin.selections import Selection, counted
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache
from flask_appadmin.views.action_pages.request import ActionPages
from flask_appadmin.views.form_page import posted_reason


def key_of_number(spec: ModelSpec, operator: Any, text: str) -> int:
    """The record of this number; a sentence where there is none."""
    item = spec.natural_key[0]
    try:
        number = item.parse(text)
    except FieldError as fault:
        raise AppAdminError(fault.sentence()) from None
    query = spec.model.select(spec.model._meta.primary_key).where(item.column_field == number)
    condition = visible(operator, spec)
    row = (query if condition is None else query.where(condition)).tuples().first()
    if number is None or row is None:
        raise NotFound(spec, text)
    found: int = row[0]
    return found


class MergePage:
    """The records side by side, and what would become of them."""

    def __init__(self, pages: ActionPages) -> None:
        self.pages = pages
        self.spec = pages.spec
        self.operator = pages.operator
        self.names = ReferenceCache()

    def answer(self) -> Any:
        if self.spec.model.merging is None:
            raise NotFound()
        keys = self.pages.selection.key_list(self.spec.model.merging.most + 2)
        problem = ""
        if len(keys) == 1:
            number = request.values.get("with", "").replace("\x00", "").strip()
            if not number:
                return self._ask_for_other(keys[0])
            try:
                keys.append(key_of_number(self.spec, self.operator, number))
            except AppAdminError as fault:
                return self._ask_for_other(keys[0], number, str(fault)), 404
            self.pages.selection = Selection.of_keys(self.spec, self.operator, keys).store()
        posted = request.form
        survivor = number_or_none(posted.get("survivor", ""))
        survivor = survivor if survivor in keys else keys[0]
        is_same = posted.get("_survivor", "") == str(survivor)
        try:
            plan = plan_merge(
                self.spec,
                keys,
                survivor,
                self.operator,
                choices=self._choices() if is_same else {},
                rows=self._rows() if is_same else {},
            )
            if posted.get("_do") == "merge" and is_same:
                if posted.get("plan") != plan.state:
                    raise MergedMeanwhile()
                return self._merge(plan)
        except (MergedMeanwhile, FaultList) as fault:
            problem = str(fault)
            plan = plan_merge(self.spec, keys, survivor, self.operator, choices=self._choices(), rows=self._rows())
        return self._draw(plan, problem), 409 if problem else 200

    def _choices(self) -> dict[str, int]:
        found = {}
        for name, text in request.form.items():
            key = number_or_none(text) if name.startswith("field-") else None
            if key is not None:
                found[name.removeprefix("field-")] = key
        return found

    def _rows(self) -> dict[tuple[str, int], str]:
        found = {}
        for name, what in request.form.items():
            table, _dash, key = name.removeprefix("row-").rpartition("-")
            if name.startswith("row-") and (number := number_or_none(key)) is not None and what in (MOVE, LINK, STAY):
                found[(table, number)] = what
        return found

    def _merge(self, plan: MergePlan) -> Any:
        applied = plan.change_set(reason=posted_reason()).apply(self.operator)
        text = gettext(
            "%(what)s zusammengeführt. Die anderen Nummern führen jetzt hierher.",
            what=counted(self.spec, len(plan.keys)),
        )
        return self.pages.done(text, applied.change_set, self.pages.view.record_url(plan.survivor))

    def _ask_for_other(self, key: int, number: str = "", problem: str = "") -> str:
        item = self.spec.natural_key[0] if self.spec.natural_key else None
        if item is None:
            raise AppAdminError(gettext("Bitte markieren Sie mindestens zwei, die einer werden sollen."))
        return render_template(
            "appadmin/merge_with.html",
            page_title=gettext("Zusammenführen"),
            back=self.pages.back,
            action=self.pages.url,
            hidden=self.pages.hidden(),
            text=gettext("Womit soll %(title)s zusammengeführt werden?", title=self.pages.titles([key])[key]),
            label=str(item.label),
            number=number,
            problem=problem,
            cancel_url=self.pages.view.record_url(key),
        )

    # --- what is shown ------------------------------------------------------------------------------------------------

    def _draw(self, plan: MergePlan, problem: str) -> str:
        url = self.pages.view.record_url
        differing = [self._field_row(plan, choice) for choice in plan.fields if may_read(self.operator, choice.item)]
        tables: dict[str, dict[str, Any]] = {}
        for row in plan.rows:
            table = tables.setdefault(row.spec.name, {"title": str(row.spec.plural), "rows": []})
            table["rows"].append(self._child_row(plan, row))
        what = counted(self.spec, len(plan.keys))
        return render_template(
            "appadmin/merge.html",
            page_title=gettext("%(what)s zusammenführen", what=what),
            back=self.pages.back,
            subtitle=gettext("Nichts wird gelöscht; unter „Meine Vorgänge“ lässt es sich wieder trennen."),
            action=self.pages.url,
            hidden=[*self.pages.hidden(), ("plan", plan.state), ("_survivor", str(plan.survivor))],
            problem=problem,
            records=[(key, plan.titles[key], url(key), key == plan.survivor) for key in plan.keys],
            fields=differing,
            tables=list(tables.values()),
            following=[(entry.count, self._words_of(entry.spec, entry.item)) for entry in plan.following],
            clashes=plan.clashes,
            reason=posted_reason(),
            cancel_url=self.pages.list_url,
            confirm_label=gettext(
                "%(count)s zu „%(title)s“ zusammenführen",
                count=format_number(len(plan.keys)),
                title=plan.titles[plan.survivor],
            ),
        )

    def _field_row(self, plan: MergePlan, choice: FieldChoice) -> dict[str, Any]:
        item = choice.item
        return {
            "name": f"field-{item.name}",
            "label": str(item.label),
            "cells": [(key, self._words(item, choice.values[key]), key == choice.taken) for key in plan.keys],
            "open": choice.is_open,
            "note": f"{choice.note}: {self._words(item, choice.value)}" if choice.note else "",
        }

    def _child_row(self, plan: MergePlan, row: RowChoice) -> dict[str, Any]:
        words = {
            MOVE: gettext("übernehmen"),
            LINK: gettext("gibt es schon"),
            STAY: gettext("bleibt bei der alten Nummer"),
        }
        return {
            "name": f"row-{row.spec.name}-{row.key}",
            "from": plan.titles[row.owner],
            "words": row.words or row.title,
            "note": row.note,
            "what": row.what,
            "offered": [(what, words[what]) for what in row.offered],
        }

    def _words(self, item: FieldSpec, value: Any) -> str:
        return words_for(self.operator, item, value, self.names)

    def _words_of(self, spec: ModelSpec, item: FieldSpec) -> str:
        owner = self.spec.label
        return str(spec.plural) if str(item.label) == str(owner) else f"{spec.plural}: {item.label}"

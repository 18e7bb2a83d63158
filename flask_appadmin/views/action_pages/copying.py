"""The dialog of a copy: the numbers it gets, what it takes along, and the way to it.

Everything that the kind of copy takes is ticked, but for what this operator left out last. Context: copy.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import render_template, request

from flask_appadmin.bulk import (
    CopyRecord,
)
from flask_appadmin.copying import (
    LISTED_ROWS,
    LeftOut,
    child_rows,
    copied_children,
    is_optional,
    is_taken,
    last_left_out,
    read_source,
)
from flask_appadmin.customfields import folder_of
from flask_appadmin.digits import is_number
from flask_appadmin.errors import FaultList
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import format_number, gettext
from flask_appadmin.rights import mask, may_edit, may_read
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache, shown
from flask_appadmin.views.action_pages.confirming import ConfirmPage

#: So many names of what stays behind are read; more is a number.
_NAMED = 14


@dataclass
class TakenGroup:
    """A group of fields that can be left out: its key, its name, how many are filled."""

    key: str
    label: str
    count: int
    ticked: bool


@dataclass
class TakenTable:
    """A child table that can be left out, whole or by rows."""

    key: str
    label: str
    count: int
    ticked: bool
    #: (key, title, ticked); none where there are too many to choose from one by one.
    rows: list[tuple[int, str, bool]]
    #: What is delicate about them: „IBAN, Mandatsreferenz“.
    note: str


class CopyPage(ConfirmPage):
    """Asks for the numbers of the copy and what it takes, makes it, and leads to it."""

    def answer(self) -> Any:
        action = self.pages.action
        assert isinstance(action, CopyRecord)
        operator = self.pages.operator
        key = action.key_of(self.pages.selection)
        items = action.fields(self.spec)
        maker = FormMaker(operator)
        form = maker.make(items, is_new=True)
        proposed = action.proposals(self.spec)
        for field in form:
            field.readonly = False
            field.show(proposed.get(field.spec.name))
            field.hint = _copy_hint(field, proposed)
            field.required = field.required and field.spec.copy == "clear"
        problems: list[tuple[str, str, str]] = []
        left = last_left_out(self.spec, operator, full=action.full)
        if request.method == "POST" and request.form.get("_do") == "copy":
            left = _posted()
            form.read(request.form, set(), maker.names)
            values = {name: value for name, value in form.posted_values().items() if value is not None}
            if not form.has_errors:
                change = action.plan(self.pages.selection, values, left)
                try:
                    applied = change.apply(operator)
                    made = change.made  # type: ignore[attr-defined]
                    title = self.pages.titles([made.key])[made.key]
                    text = gettext("Kopie angelegt: %(title)s", title=title)
                    return self.pages.done(text, applied.change_set, self.pages.view.record_url(made.key))
                except FaultList as refused:
                    for fault in refused.faults:
                        name = getattr(fault, "field", "")
                        if isinstance(name, str) and name in form:
                            form[name].errors = [fault.found()]  # type: ignore[attr-defined]
                        else:
                            problems.append(("", "", str(fault)))
        title = self.pages.titles([key])[key]
        words = gettext("Die Kopie ist danach geöffnet; das Original bleibt, wie es ist.")
        source = read_source(self.spec, key, operator)
        context = self.common() | {
            "page_title": gettext("%(label)s kopieren", label=str(self.spec.label))
            if not action.full
            else gettext("%(label)s vollständig kopieren", label=str(self.spec.label)),
            "text": gettext("Vorlage: %(title)s. %(words)s", title=title.rstrip("."), words=words),
            "fields": list(form),
            "groups": self._groups(source, left, action.full),
            "tables": self._tables(key, left) if action.full else [],
            "stays": self._stays(source, action.full),
            "hidden": [*self.pages.hidden(), ("_do", "copy")],
            "confirm_label": str(action.confirm_label or action.label),
            "problems": {"text": gettext("So geht es nicht"), "rows": problems} if problems else None,
        }
        return render_template("appadmin/copy.html", **context), 422 if problems or form.has_errors else 200

    # --- what is taken along ------------------------------------------------------------------------------------------

    def _groups(self, source: dict[str, Any], left: LeftOut, full: bool) -> list[TakenGroup]:
        labels = {tab.key: str(tab.label) for tab in self.pages.view.form_layout.tabs}
        labels |= {item.group: folder_of(item) for item in self.spec.further_fields}
        counts: dict[str, int] = {}
        for item in self.spec.data_fields:
            if is_optional(item) and _is_filled(item, source) and is_taken(item, self.pages.operator, full):
                counts[item.group] = counts.get(item.group, 0) + 1
        order = {key: place for place, key in enumerate(labels)}
        return [
            TakenGroup(key, labels.get(key) or str(self.spec.label), count, key not in left.groups)
            for key, count in sorted(counts.items(), key=lambda pair: order.get(pair[0], len(order)))
        ]

    def _tables(self, key: int, left: LeftOut) -> list[TakenTable]:
        found = []
        for child in copied_children(self.spec):
            rows = list(child_rows(child, key))
            if rows:
                found.append(self._table(child, rows, left))
        return found

    def _table(self, child: ModelSpec, rows: list[dict[str, Any]], left: LeftOut) -> TakenTable:
        operator = self.pages.operator
        listed: list[tuple[int, str, bool]] = []
        if 1 < len(rows) <= LISTED_ROWS:
            names = ReferenceCache()
            without = left.rows.get(child.name, frozenset())
            items = [item for item in _row_words(child) if may_read(operator, item)]
            for row in rows:
                words = [shown(item, row[item.name], names) for item in items if row[item.name] is not None]
                words += [
                    mask(item.format(row[item.name]))
                    for item in child.data_fields
                    if item.masked and item.kind and row[item.name] is not None and may_read(operator, item)
                ]
                listed.append((row["id"], " ".join(dict.fromkeys(filter(None, words))), row["id"] not in without))
        delicate = [
            item for item in child.data_fields if item.masked and any(row[item.name] is not None for row in rows)
        ]
        taken = [str(item.label) for item in delicate if may_edit(operator, item)]
        note = ""
        if taken:
            note = gettext("Mitgenommen werden auch: %(labels)s.", labels=", ".join(taken))
        elif delicate:
            labels = ", ".join(str(item.label) for item in delicate)
            note = gettext("Ohne %(labels)s: dafür fehlt Ihnen das Recht.", labels=labels)
        label = str(child.label if len(rows) == 1 else child.plural)
        return TakenTable(child.name, label, len(rows), child.name not in left.children, listed, note)

    def _stays(self, source: dict[str, Any], full: bool) -> str:
        """What of this record the copy does not get, as words."""
        key, operator = source["id"], self.pages.operator
        names = [
            str(item.label)
            for item in self.spec.data_fields
            if item.copy != "renew" and _is_filled(item, source) and not is_taken(item, operator, full)
        ]
        taken = copied_children(self.spec) if full else ()
        for child in self.spec.children:
            if child not in taken and child.owner is not None:
                number = child.model.select().where(child.owner.column_field == key).count()
                if number:
                    names.append(f"{format_number(number)} {child.label if number == 1 else child.plural}")
        names = list(dict.fromkeys(names))
        if len(names) > _NAMED:
            more = gettext("%(count)s weitere", count=len(names) - _NAMED)
            names = [*names[:_NAMED], more]
        return ", ".join(names)


def _posted() -> LeftOut:
    """What was offered and is not ticked: "group:main", "table:contact", "row:contact:7"."""
    taken = set(request.form.getlist("_take"))
    groups, children = set(), set()
    rows: dict[str, set[int]] = {}
    for name in request.form.getlist("_offered"):
        kind, _colon, rest = name.partition(":")
        if name in taken:
            continue
        if kind == "group":
            groups.add(rest)
        elif kind == "table":
            children.add(rest)
        elif kind == "row":
            table, _colon, key = rest.rpartition(":")
            if is_number(key):
                rows.setdefault(table, set()).add(int(key))
    return LeftOut(frozenset(groups), frozenset(children), {name: frozenset(keys) for name, keys in rows.items()})


def _is_filled(item: FieldSpec, source: dict[str, Any]) -> bool:
    value = source[item.name]
    return value is not None and value is not False and value != item.default_value()


def _row_words(child: ModelSpec) -> list[FieldSpec]:
    """The fields that name a row: its title, else its first listed ones."""
    items = [item for item in child.title_specs if not item.owner and not item.masked and not item.secret]
    more = [item for item in child.data_fields if item.listed and not item.owner and not item.masked]
    return items or more[:3]


def _copy_hint(field: Any, proposed: dict[str, Any]) -> str:
    if proposed.get(field.spec.name) is not None:
        return gettext("vorgeschlagen")
    given = not field.required and (field.spec.natural_key or not proposed)
    return gettext("leer: wird vergeben") if given else ""

"""The filter bar: quick fields, one chip for each further condition, and the panel that adds one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request

from flask_appadmin.errors import FieldError, FilterError
from flask_appadmin.filters import Condition, Filter, field_at, operations_for
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import gettext
from flask_appadmin.layouts import form_fields
from flask_appadmin.rights import may_read_full
from flask_appadmin.specs import FieldSpec, ReferenceCache

if TYPE_CHECKING:
    from flask_appadmin.views.list_page import ListPage


class FilterBar:
    """What a list is filtered by, as its page shows and asks it."""

    def __init__(self, page: ListPage) -> None:
        self.list = page
        self.view = page.view
        self.spec = page.spec
        self.operator = page.operator

    def quick(self, found: Filter) -> list[dict[str, Any]]:
        quick: list[dict[str, Any]] = [
            {
                "name": "search",
                "label": str(self.view.search_label or gettext("Suchen")),
                "kind": "text",
                "value": found.search,
                "suggest_url": self.view.registry.suggest_url(self.spec),
                "width": "xl" if len(str(self.view.search_label or "")) > 24 else "l",
            }
        ]
        maker = FormMaker(self.operator)
        names = ReferenceCache()
        for name in self.view.quick_filters:
            item = field_at(self.spec, name)
            assert item is not None, name
            asked = (part.url_pairs(names) for part in found.conditions)
            value = next((pairs[0][1] for pairs in asked if len(pairs) == 1 and pairs[0][0] == name), "")
            entry: dict[str, Any] = {
                "name": name,
                "label": self.view.filter_label(item, name),
                "value": value,
                "width": "m",
                "kind": "text",
            }
            if item.type.name == "choice":
                entry |= {"kind": "select", "choices": [(code, str(label)) for code, label in item.choices]}
            elif item.type.name == "bool":
                entry |= {"kind": "select", "choices": [("1", gettext("Ja")), ("0", gettext("Nein"))]}
            elif item.target is not None:
                choices = maker.choices_of(item)
                if choices is not None:
                    codes = names.codes(item.references, {int(key) for key, _text in choices})
                    entry |= {"kind": "select", "choices": [(codes[int(key)], text) for key, text in choices]}
            quick.append(entry)
        return quick

    def chips(self, found: Filter) -> list[tuple[str, str, str]]:
        names = ReferenceCache()
        chips = []
        for condition in found.conditions:
            pairs = condition.url_pairs(names)
            if len(pairs) == 1 and pairs[0][0] in self.view.quick_filters:
                continue
            chips.append((condition.sentence(names), self.list.url(found.without(condition)), ""))
        if self.list.only_marked():
            chips.insert(0, (gettext("nur markierte"), self.list.marks.list_url(found), ""))
        return chips

    def removable(self, found: Filter) -> list[tuple[str, str]]:
        """(sentence, the list without it) of everything that limits the list, the search and the quick fields too."""
        names = ReferenceCache()
        parts = []
        if found.search:
            without = Filter(self.spec, "", found.conditions)
            parts.append((gettext("Suche „%(text)s“", text=found.search), self.list.url(without)))
        if self.list.only_marked():
            parts.append((gettext("nur markierte"), self.list.url(found)))
        return parts + [(part.sentence(names), self.list.url(found.without(part))) for part in found.conditions]

    def switches(self, found: Filter) -> list[tuple[str, bool, str]]:
        """(label, whether it holds, the list with or without it) of the boxes that leave rows out."""
        switches = []
        for _key, label, query in self.view.exclusions:
            parts = Filter.from_text(self.spec, query, self.operator).conditions
            fields = Filter(self.spec, "", parts).named
            is_on = all(part in found.conditions for part in parts)
            others = tuple(part for part in found.conditions if part not in parts if is_on or not part.named & fields)
            if is_on:
                usual = self.view.filter_of(Filter(self.spec, "", others).pairs(), self.operator)
                target = Filter(self.spec, found.search, usual.conditions)
            else:
                target = Filter(self.spec, found.search, (*others, *parts))
            switches.append((str(label), is_on, self.list.url(target)))
        return switches

    def panel(self, field: str = "", op: str = "", values: list[str] | None = None, error: str = "") -> dict[str, Any]:
        found = self.list.filter()
        names = ReferenceCache()
        maker = FormMaker(self.operator)
        groups: dict[str, list[tuple[str, str, str]]] = {}
        choices: dict[str, list[tuple[str, str]]] = {}
        lookups: dict[str, str] = {}
        kinds: dict[str, list[tuple[str, str, int]]] = {}
        layout = self.view.form_layout
        labels = {tab.key: str(tab.label) for tab in layout.tabs}
        for item in (*form_fields(self.spec), *(other for other in self.spec.fields if other.name.endswith("_at"))):
            operations = operations_for(item)
            if not operations or not may_read_full(self.operator, item):
                continue
            kind = "choice" if item.type.name == "reference" else item.type.name
            heading = labels.get(layout.tab_of(item.name), gettext("Weitere"))
            groups.setdefault(heading, []).append((item.name, str(item.label), kind))
            kinds.setdefault(kind, [(o.key, str(o.label), 1 if o.values < 0 else o.values) for o in operations])
            if item.type.name == "choice":
                choices[item.name] = [(code, str(label)) for code, label in item.choices]
            elif item.type.name == "bool":
                choices[item.name] = [("1", gettext("Ja")), ("0", gettext("Nein"))]
            elif item.target is not None:
                options = maker.choices_of(item)
                if options is None:
                    lookups[item.name] = self.view.registry.lookup_url(item.references)
                else:
                    codes = names.codes(item.references, {int(key) for key, _text in options})
                    choices[item.name] = [(codes[int(key)], text) for key, text in options]
        return {
            "url": self.view.list_url(),
            "keep": self.list.kept_pairs(found),
            "groups": list(groups.items()),
            "kinds": kinds,
            "choices": choices,
            "lookups": lookups,
            "field": field,
            "op": op,
            "values": values or [],
            "error": error,
            "close_url": self.list.url(found),
        }

    def add(self) -> Any:
        found = self.list.filter()
        name, op = request.args.get("add_field", ""), request.args.get("add_op", "")
        texts = request.args.getlist("add_value")
        item = self.spec.by_name.get(name)
        try:
            if item is None or not may_read_full(self.operator, item):
                raise FilterError(name)
            operation = next((other for other in operations_for(item) if other.key == op), None)
            if operation is None:
                raise FilterError(
                    name, gettext("Dieser Vergleich passt nicht zum Feld „%(field)s“.", field=str(item.label))
                )
            condition = Condition(item, operation, self._typed_values(item, operation.values, texts))
        except (FilterError, FieldError) as fault:
            panel = self.panel(name, op, texts, fault.sentence())
            if request.headers.get("X-Fragment") == "filter_panel":
                return render_template("appadmin/filter_panel.html", filter_panel=panel), 400
            return self.list.draw(found, panel), 400
        same = [
            part
            for part in found.conditions
            if isinstance(part, Condition) and part.spec is item and part.operation is operation and part.values
        ]
        others = tuple(c for c in found.conditions if c not in same)
        if same and op in ("", "not"):
            values = dict.fromkeys([*(value for c in same for value in c.values), *condition.values])
            condition = Condition(item, operation, tuple(values))
        return redirect(self.list.url(Filter(self.spec, found.search, (*others, condition))))

    def _typed_values(self, item: FieldSpec, wanted: int, texts: list[str]) -> tuple[Any, ...]:
        if wanted == 0:
            return ()
        texts = [text.strip() for text in texts if text.strip()][: abs(wanted)]
        if len(texts) < abs(wanted):
            raise FieldError(item, None, gettext("Bitte einen Wert angeben."))
        if item.target is not None:
            names = ReferenceCache()
            keys = []
            for text in texts:
                is_key = text.isdigit() and self.view.registry.lookup_is_used(item)
                keys.append(int(text) if is_key else names.find(text, item))
            return tuple(keys)
        if item.type.name in ("text", "multiline"):
            return tuple(texts)
        return tuple(item.parse(text) for text in texts)

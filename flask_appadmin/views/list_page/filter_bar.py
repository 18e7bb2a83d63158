"""The filter bar: quick fields, one chip for each further condition, and the panel that adds one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_appadmin.filters import Filter, field_at
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import gettext
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
                if choices is None:
                    entry |= {"kind": "lookup", "lookup_url": self.view.registry.lookup_url(item.references)}
                    entry |= {"display": self._title(item, value, names)}
                else:
                    codes = names.codes(item.references, {int(key) for key, _text in choices})
                    entry |= {"kind": "select", "choices": [(codes[int(key)], text) for key, text in choices]}
            quick.append(entry)
        return quick

    def chips(self, found: Filter) -> list[tuple[str, str, str]]:
        names = ReferenceCache()
        usual = self.view.usual(self.operator)
        chips = []
        for condition in found.conditions:
            pairs = condition.url_pairs(names)
            if len(pairs) == 1 and pairs[0][0] in self.view.quick_filters:
                continue
            # What every list leaves out is no row of the window.
            edit_url = "" if condition in usual else self.list.url(found, add_filter="1")
            chips.append((condition.sentence(names), self.list.url(found.without(condition)), edit_url))
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

    @staticmethod
    def _title(item: FieldSpec, code: str, names: ReferenceCache) -> str:
        key = names.find(code, item) if code else None
        return names.titles(item.references, {key})[key] if key is not None else ""

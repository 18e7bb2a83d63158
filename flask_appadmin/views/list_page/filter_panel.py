"""The window in which a filter is put together: rows and groups, as they stand in filter_panel.html.

Shape: a filter becomes a tree of plain dicts for the template, and the tree that the page sends back becomes a filter.
A node is a row {"field", "op", "values"}, a group {"how", "nodes"}, children {"child", "no", "nodes"}, or something the
window only keeps {"kept": [[name, text], …]}. What is wrong stands at its row, with everything that was typed.
Fields are named by their path: "city", "address.city".
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from flask import redirect, render_template, request

from flask_appadmin.digits import is_number
from flask_appadmin.errors import AppAdminError, FieldError, FilterError, NotFound
from flask_appadmin.filters import (
    PAST_OPERATIONS,
    Changed,
    Condition,
    Filter,
    Group,
    Part,
    Related,
    Today,
    field_at,
    operations_for,
    unlimited,
)
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import format_date, gettext
from flask_appadmin.layouts import form_fields
from flask_appadmin.rights import may_read_full
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

if TYPE_CHECKING:
    from flask_appadmin.views.list_page import ListPage

#: A tree that is longer is no window's work.
_LONGEST, _DEEPEST = 20_000, 6

#: The way to compare by the past: in the window "history:from", and turned round "history:no.last".
_PAST = "history:"
_PAST_KEYS = ("from", "last", "between", "to", "", "by", "no.from", "no.last")

_ANY = "any"

#: What stands in the address beside the filter and stays.
_KEPT = ("sort", "size", "columns", "selection", "only", "edit")


class FilterPanel:
    """Draws and reads the window of one list."""

    def __init__(self, page: ListPage) -> None:
        self.list = page
        self.view = page.view
        self.spec = page.spec
        self.operator = page.operator
        self._names = ReferenceCache()
        self._maker = FormMaker(page.operator)

    # --- drawing ------------------------------------------------------------------------------------------------------

    def context(self, tree: dict[str, Any] | None = None) -> dict[str, Any]:
        """What filter_panel.html draws: the present filter and one more row to fill in, or a tree with its faults."""
        found = self.list.filter()
        if tree is None:
            nodes = [self._node(part, "") for part in self._own_parts(found)]
            tree = {"kind": "group", "how": "all", "prefix": "", "nodes": [*nodes, self.row("")]}
        return {
            "url": f"{self.view.list_url()}filter-build",
            "fields_url": f"{self.view.list_url()}filter-fields",
            "row_url": f"{self.view.list_url()}filter-row",
            "keep": self._kept_pairs(found),
            "tree": tree,
            "close_url": self.list.url(found),
        }

    def _own_parts(self, found: Filter) -> list[Part]:
        """The parts this window is about: not the usual ones, nor those with a box of their own in the bar."""
        usual = self.view.usual(self.operator)
        return [part for part in found.conditions if part not in usual and not self._has_box(part)]

    def _has_box(self, part: Part) -> bool:
        pairs = part.url_pairs(self._names)
        return len(pairs) == 1 and pairs[0][0] in self.view.quick_filters

    def _kept_pairs(self, found: Filter) -> list[tuple[str, str]]:
        """What of the address is none of this window's business: search, boxes of the bar, order, view, marks."""
        own = self._own_parts(found)
        usual = self.view.usual(self.operator)
        # What every list leaves out holds again as soon as no row of the window asks for it.
        given_way = [part for part in usual if part not in found.conditions and part.named & _named(own)]
        rest = [part for part in found.conditions if part not in own]
        pairs = self.view.url_pairs(Filter(self.spec, found.search, (*rest, *given_way)))
        asked = self.list.args.items(multi=True)
        kept = [(name, text) for name, text in asked if name in _KEPT or (name == "view" and is_number(text))]
        return [*pairs, *kept]

    def _node(self, part: Part, prefix: str) -> dict[str, Any]:
        if isinstance(part, Condition):
            return self.row(prefix + part.spec.name, part.operation.key, _typed(part, self._names))
        if isinstance(part, Group):
            if part.how == "all" and len(part.parts) == 1:
                return self._node(part.parts[0], prefix)
            nodes = [self._node(inner, prefix) for inner in part.parts]
            return {"kind": "group", "how": part.how, "prefix": prefix, "nodes": nodes}
        if isinstance(part, Related) and part.link.owner and not prefix:
            inside = f"{part.other.name}."
            nodes = [self._node(inner, inside) for inner in part.parts]
            return self.child(part.other, no=part.no, nodes=nodes)
        if isinstance(part, Changed) and len(part.conditions) == 1 and part.entity is part.owner:
            key, asked = part.conditions[0]
            values = [asked] if key == "by" else _typed(asked, self._names)
            name = part.field.name if part.field is not None else _ANY
            return self.row(prefix + name, f"{_PAST}{'no.' if part.no else ''}{key}", values)
        return {"kind": "kept", "pairs": part.url_pairs(self._names), "sentence": part.sentence(self._names)}

    def child(self, child: ModelSpec, *, no: bool = False, nodes: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        return {
            "kind": "child",
            "child": child.name,
            "label": str(child.plural),
            "no": no,
            "prefix": f"{child.name}.",
            "nodes": list(nodes),
        }

    def row(self, path: str, op: str | None = None, values: Sequence[str] = (), error: str = "") -> dict[str, Any]:
        """One row: the field, its ways to compare, and boxes for the values; a row without a field for ""."""
        prefix = path.rpartition(".")[0]
        node: dict[str, Any] = {
            "kind": "row", "field": path, "prefix": f"{prefix}." if prefix else "", "label": "", "op": op or "",
            "ops": [], "past_ops": [], "inputs": None, "error": error,
        }  # fmt: skip
        if not path:
            return node
        item = self._field(path)
        if item is None and path.rpartition(".")[2] != _ANY:
            raise NotFound()
        node["label"] = str(item.label) if item is not None else gettext("Irgendein Feld")
        operations = operations_for(item) if item is not None else ()
        node["ops"] = [(operation.key, str(operation.label)) for operation in operations]
        if self.operator.may("history.read") and not (item is not None and item.is_system):
            node["past_ops"] = [(f"{_PAST}{key}", _past_words(key)) for key in _PAST_KEYS]
        if op is None:
            node["op"] = node["ops"][0][0] if node["ops"] else node["past_ops"][0][0]
        node["inputs"] = self._inputs(item, node["op"], list(values))
        return node

    def _field(self, path: str) -> FieldSpec | None:
        item = field_at(self.spec, path)
        if item is None or item.secret or not may_read_full(self.operator, item):
            return None
        return item

    def _inputs(self, item: FieldSpec | None, op: str, values: list[str]) -> dict[str, Any]:
        past = op.startswith(_PAST)
        key = op.removeprefix(_PAST).removeprefix("no.") if past else op
        operations = PAST_OPERATIONS if past or item is None else {other.key: other for other in operations_for(item)}
        wanted = operations[key].values if key in operations else 1
        kind = "datetime" if past and key != "by" else "text" if past or item is None else item.type.name
        inputs: dict[str, Any] = {"count": abs(wanted), "several": wanted < 0, "values": values, "kind": kind}
        if wanted == 0:
            inputs["values"] = []
        elif key in ("last", "next"):
            inputs["kind"] = "days"
        elif not past and item is not None and (choices := self._choices(item)) is not None:
            inputs["choices"] = choices
        elif not past and item is not None and item.target is not None:
            inputs["lookup"] = self.view.registry.lookup_url(item.references)
            inputs["shown"] = self._titles(item, values)
        if "choices" not in inputs:
            missing = abs(wanted) - len(inputs["values"])
            inputs["values"] = [*inputs["values"], *[""] * missing]
        return inputs

    def _choices(self, item: FieldSpec) -> list[tuple[str, str]] | None:
        if item.type.name == "choice":
            return [(code, str(label)) for code, label in item.choices]
        if item.type.name == "bool":
            return [("1", gettext("Ja")), ("0", gettext("Nein"))]
        if item.target is None or (options := self._maker.choices_of(item)) is None:
            return None
        codes = self._names.codes(item.references, {int(key) for key, _text in options})
        return [(codes[int(key)], text) for key, text in options]

    def _titles(self, item: FieldSpec, values: Sequence[str]) -> list[str]:
        titles = []
        for text in values:
            try:
                key = self._names.find(text, item)
                titles.append(self._names.titles(item.references, {key})[key] if key is not None else "")
            except FieldError:
                titles.append(text)
        return titles

    # --- parts asked for while the window stands open -----------------------------------------------------------------

    def fields(self, question: str, prefix: str) -> list[dict[str, str]]:
        """Fields whose words contain the question, for choosing one: [{"id": path, "text", "more"}]."""
        words = question.casefold().split()
        found = []
        for path, label, place in self._all_fields(prefix):
            item = field_at(self.spec, path)
            others = " ".join(item.aliases) if item is not None else ""
            text = f"{label} {place} {others}".casefold()
            if all(word in text for word in words):
                starts = bool(words) and label.casefold().startswith(words[0])
                found.append((not starts, {"id": path, "text": label, "more": place}))
        found.sort(key=lambda entry: entry[0])
        return [entry for _later, entry in found[: 60 if words else 400]]

    def _all_fields(self, prefix: str) -> Iterator[tuple[str, str, str]]:
        if prefix:
            child = next((other for other in self.spec.children if f"{other.name}." == prefix), None)
            if child is None or not self.operator.may(f"{child.right}.read"):
                raise NotFound()
            yield from self._fields_of(child, prefix, str(child.plural))
            return
        layout = self.view.form_layout
        labels = {tab.key: str(tab.label) for tab in layout.tabs}
        more = gettext("Weitere")
        own = [*form_fields(self.spec), *(item for item in self.spec.fields if item.is_system and item.name != "id")]
        for item in own:
            if operations_for(item) and may_read_full(self.operator, item):
                yield item.name, str(item.label), labels.get(layout.tab_of(item.name), more)
        if self.operator.may("history.read"):
            yield _ANY, gettext("Irgendein Feld"), gettext("Historie")
        for child in self.spec.children:
            if self.operator.may(f"{child.right}.read"):
                yield f"{child.name}.", str(child.plural), gettext("vorhanden, fehlend oder mit Bedingungen")
                yield from self._fields_of(child, f"{child.name}.", str(child.plural))

    def _fields_of(self, child: ModelSpec, prefix: str, place: str) -> Iterator[tuple[str, str, str]]:
        for item in form_fields(child):
            if operations_for(item) and may_read_full(self.operator, item):
                yield prefix + item.name, str(item.label), place

    def fragment(self) -> str:
        """The row of a field that was chosen, or the children with a first row: ?field=…&op=…&value=…&within=…"""
        path, within = request.args.get("field", ""), request.args.get("within", "")
        child = next((other for other in self.spec.children if path.startswith(f"{other.name}.")), None)
        if child is not None and not self.operator.may(f"{child.right}.read"):
            raise NotFound()
        name = path.partition(".")[2]
        if child is not None and not name:
            node = self.child(child)
        else:
            node = self.row(path, request.args.get("op"), request.args.getlist("value"))
            if child is not None and not within:
                node = self.child(child, nodes=[node])
        return render_template("appadmin/list/filter_node.html", node=node)

    # --- what comes back ----------------------------------------------------------------------------------------------

    def build(self, sent: str) -> Any:
        """Leads to the list with the filter that was put together, or draws the window again with what is wrong."""
        if len(sent) > _LONGEST:
            raise FilterError(gettext("Filter"), gettext("Das ist zu viel auf einmal."))
        try:
            tree = json.loads(sent)
        except (ValueError, RecursionError):
            raise FilterError(gettext("Filter"), gettext("Der Filter war nicht lesbar.")) from None
        keep = list(self.list.args.items(multi=True))
        root = self._plain(tree)
        if "how" not in root:
            raise FilterError(gettext("Filter"), gettext("Der Filter war nicht lesbar."))
        faults: list[str] = []
        pairs = self._pairs(root, "", faults)
        if root["how"] == "all" and pairs:
            # What all holds needs no group of its own.
            pairs = parse_qsl(pairs[0][1], keep_blank_values=True)
        if not faults:
            try:
                return redirect(self.list.url(self.view.filter_of([*keep, *pairs], self.operator)))
            except AppAdminError as fault:
                faults.append(fault.sentence())
        drawn = self._drawn(root)
        said = "" if _has_errors(drawn) else faults[0]
        panel = self.context(drawn) | {"error": said, "keep": keep}
        return self.list.draw(self.view.filter_of(keep, self.operator), panel), 400

    def _plain(self, node: Any, depth: int = 0) -> dict[str, Any]:
        """A node of the page's tree with nothing in it but what belongs there."""
        if not isinstance(node, dict) or depth > _DEEPEST:
            raise FilterError(gettext("Filter"), gettext("Der Filter war nicht lesbar."))
        inner = [self._plain(other, depth + 1) for other in _listed(node.get("nodes"))]
        if "child" in node:
            return {"child": str(node["child"])[:60], "no": bool(node.get("no")), "nodes": inner}
        if "nodes" in node:
            how = node.get("how")
            return {"how": how if how in ("any", "none") else "all", "nodes": inner}
        if "kept" in node:
            return {"kept": [(str(pair[0]), str(pair[1])) for pair in _listed(node["kept"]) if len(_listed(pair)) == 2]}
        values = [str(value) for value in _listed(node.get("values"))]
        return {"field": str(node.get("field") or "")[:130], "op": str(node.get("op") or "")[:20], "values": values}

    def _pairs(self, node: dict[str, Any], prefix: str, faults: list[str]) -> list[tuple[str, str]]:
        """A node as pairs of a URL; what is wrong with a row is kept at it as "error"."""
        if "kept" in node:
            return list(node["kept"])
        if "nodes" not in node:
            return self._row_pairs(node, prefix, faults)
        inside = f"{node['child']}." if "child" in node else prefix
        parts = [pairs for other in node["nodes"] if (pairs := self._pairs(other, inside, faults))]
        if "child" in node:
            name = node["child"]
            if not parts:
                return [(f"{name}__{'empty' if node['no'] else 'filled'}", "1")]
            start = "no." if node["no"] else ""
            return [(f"{start}{name}.{asked}", text) for asked, text in _apart(parts)]
        pairs = _apart(parts)
        return [(node["how"], urlencode(pairs))] if pairs else []

    def _row_pairs(self, node: dict[str, Any], prefix: str, faults: list[str]) -> list[tuple[str, str]]:
        path, op, values = node["field"], node["op"], [text.strip() for text in node["values"] if text.strip()]
        if not path:
            return []
        try:
            item = self._field(path)
            if item is None and path.rpartition(".")[2] != _ANY:
                raise FilterError(path)
            name, key = path.removeprefix(prefix), op
            if op.startswith(_PAST):
                key = op.removeprefix(_PAST)
                name = f"no.history.{name}" if key.startswith("no.") else f"history.{name}"
                key = key.removeprefix("no.")
                no_values = False
            else:
                wanted = {other.key: other.values for other in operations_for(item)} if item is not None else {}
                no_values = wanted.get(key) == 0
                values = [_as_url(item, text) for text in values] if item is not None else values
            if not values and not no_values:
                raise FilterError(path, gettext("Bitte einen Wert angeben."))
            asked = f"{name}__{key}" if key else name
            pairs = [(asked, "1")] if no_values else [(asked, text) for text in values]
            spec = _owner_of(self.spec, prefix)
            found = Filter.from_pairs(spec, pairs, self.operator)
            return found.pairs()
        except (FilterError, FieldError) as fault:
            reason = str(fault.reason) if isinstance(fault, FilterError) else fault.found()
            node["error"] = reason or gettext("Diesen Filter gibt es hier nicht.")
            faults.append(fault.sentence())
            return []

    def _drawn(self, node: dict[str, Any], prefix: str = "") -> dict[str, Any]:
        """A plain node as the template draws it."""
        if "kept" in node:
            found = self.view.filter_of([*node["kept"], ("view", "all")], self.operator)
            return {"kind": "kept", "pairs": node["kept"], "sentence": found.describe()}
        if "nodes" not in node:
            try:
                return self.row(node["field"], node["op"], node["values"], node.get("error", ""))
            except NotFound:
                return self.row("")
        if "child" in node:
            child = next((other for other in self.spec.children if other.name == node["child"]), None)
            if child is None:
                raise NotFound()
            inside = f"{child.name}."
            return self.child(child, no=node["no"], nodes=[self._drawn(other, inside) for other in node["nodes"]])
        nodes = [self._drawn(other, prefix) for other in node["nodes"]]
        return {"kind": "group", "how": node["how"], "prefix": prefix, "nodes": nodes}


def _named(parts: Sequence[Part]) -> set[FieldSpec]:
    return set().union(*(part.named for part in parts))


def _has_errors(node: dict[str, Any]) -> bool:
    return bool(node.get("error")) or any(_has_errors(other) for other in node.get("nodes", ()))


def _owner_of(spec: ModelSpec, prefix: str) -> ModelSpec:
    """The model whose fields a prefix names: "" the list's own, "address." a child's."""
    found = next((other for other in spec.children if f"{other.name}." == prefix), None)
    if prefix and found is None:
        raise FilterError(prefix)
    return found or spec


def _as_url(item: FieldSpec, text: str) -> str:
    """A typed value as a URL says it: 1.234 is more than a thousand for those who write so."""
    return text if item.type.name != "decimal" else str(item.type.parse(text, unlimited(item)))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _apart(parts: Sequence[list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """The pairs of several nodes; what would flow together in a URL is kept apart by a group of its own."""
    seen: set[str] = set()
    pairs: list[tuple[str, str]] = []
    for part in parts:
        names = {_first_word(name) for name, _text in part if name not in ("any", "all", "none")}
        pairs += part if not names & seen else [("all", urlencode(part))]
        seen |= names
    return pairs


def _first_word(name: str) -> str:
    path = name.split(".")
    return name if len(path) == 1 or "history" in path[:2] else ".".join(path[: 2 if path[0] == "no" else 1])


def _past_words(key: str) -> str:
    words = str(PAST_OPERATIONS[key.removeprefix("no.")].label)
    return gettext("nicht %(words)s", words=words) if key.startswith("no.") else words


def _typed(part: Condition, names: ReferenceCache) -> list[str]:
    """The values of a condition as people type them; choices and references by their code."""
    texts = [text for _name, text in part.url_pairs(names)] if part.values else []
    return [_as_typed(part.spec, value, text) for value, text in zip(part.values, texts, strict=True)]


def _as_typed(item: FieldSpec, value: Any, text: str) -> str:
    if isinstance(value, Today):
        return str(value)
    if isinstance(value, Decimal | datetime.datetime):
        return item.format(value)
    return format_date(value) if isinstance(value, datetime.date) else text

"""Reads pages as a browser does: what stands on them, and what their forms send.

Shape: `read(answer)` gives a Page over the answer of a test client. A form's `fields()` are the pairs a browser would
post; a test changes some of them and sends the rest as it came, so that it sends what an operator sends.
What stands in <template> and <noscript> is not on the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from werkzeug.datastructures import MultiDict

_VOID = {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
_HIDDEN = ("template", "noscript")


class Node:
    """An element with its attributes and what is inside."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Node | str] = []

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)

    def has_class(self, name: str) -> bool:
        return name in self.get("class").split()

    def walk(self) -> Iterator[Node]:
        """All elements inside, in the order of the page."""
        for child in self.children:
            if isinstance(child, Node) and child.tag not in _HIDDEN:
                yield child
                yield from child.walk()

    def all(self, tag: str = "", css: str = "", **attributes: str) -> list[Node]:
        return [
            node
            for node in self.walk()
            if (not tag or node.tag == tag)
            and (not css or node.has_class(css))
            and all(
                node.attributes.get(name.rstrip("_").replace("_", "-")) == value for name, value in attributes.items()
            )
        ]

    def one(self, tag: str = "", css: str = "", **attributes: str) -> Node:
        found = self.all(tag, css, **attributes)
        assert len(found) == 1, f"{len(found)} of <{tag} class={css}> with {attributes}"
        return found[0]

    @property
    def text(self) -> str:
        """What is read, without the marks for keys."""
        return " ".join("".join(self._pieces()).split())

    def _pieces(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in (*_HIDDEN, "kbd"):
                yield from child._pieces()

    # --- as a form ----------------------------------------------------------------------------------------------------

    def fields(self, **changed: Any) -> MultiDict[str, str]:
        """What the browser sends: the form as it stands, with `changed` typed over it (None: not sent)."""
        pairs: list[tuple[str, str]] = []
        for node in self.walk():
            name = node.get("name")
            if name and "disabled" not in node.attributes:
                pairs += [(name, value) for value in _values(node)]
        for name, value in changed.items():
            kept = [pair for pair in pairs if pair[0] != name]
            more = value if isinstance(value, list) else [] if value is None else [value]
            pairs = [*kept, *((name, each) for each in more)]
        return MultiDict(pairs)

    def typed(self, changed: dict[str, Any]) -> MultiDict[str, str]:
        """The same, for names that are no words of Python."""
        return self.fields(**changed)


def _values(node: Node) -> list[str]:
    if node.tag == "input":
        if node.get("type") in ("checkbox", "radio"):
            return [node.get("value", "on")] if "checked" in node.attributes else []
        return [] if node.get("type") in ("submit", "button", "file") else [node.get("value")]
    if node.tag == "textarea":
        return ["".join(child for child in node.children if isinstance(child, str)).removeprefix("\n")]
    if node.tag == "select":
        options = node.all("option")
        chosen = [option for option in options if "selected" in option.attributes]
        if "multiple" not in node.attributes:
            chosen = chosen or options[:1]
        return [option.get("value", option.text) for option in chosen]
    return []


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in _VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if tag in (node.tag for node in self._open):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


class Page(Node):
    """A whole page, or a part of one."""

    def __init__(self, html: str, status: int = 200, url: str = "") -> None:
        builder = _Builder()
        builder.feed(html)
        super().__init__("", {})
        self.children = builder.root.children
        self.html = html
        self.status = status
        self.url = url

    @property
    def heading(self) -> str:
        return self.one("h1").text

    @property
    def rows(self) -> list[list[str]]:
        """The cells of the list, without the boxes."""
        return [[cell.text for cell in row.all("td") if not cell.has_class("box")] for row in self._rows()]

    @property
    def keys(self) -> list[int]:
        return [int(row["data-key-of"]) for row in self._rows()]

    def _rows(self) -> list[Node]:
        tables = self.all("table", id="list")
        return [row for row in tables[0].all("tr") if "data-key-of" in row.attributes] if tables else []

    @property
    def columns(self) -> list[str]:
        return [
            re.sub(r" [↑↓]$", "", cell.text)
            for cell in self.one("table", id="list").all("th")
            if not cell.has_class("box")
        ]

    @property
    def chips(self) -> list[str]:
        return [chip.text.removesuffix("✕").strip() for chip in self.all("span", "chip")]

    @property
    def faults(self) -> list[str]:
        """The sentences at fields, rows and grids."""
        return [node.text for node in self.all("p", "err")]

    @property
    def summary(self) -> list[str]:
        """The sentences above a refused form."""
        return [node.text for box in self.all("div", "summary") for node in box.all("li")]

    @property
    def toast(self) -> str:
        found = self.all("div", "toast")
        return found[0].all("span")[0].text if found else ""

    def link(self, text: str) -> str:
        """The address behind the words."""
        found = [node for node in self.all("a") if node.text == text]
        assert found, f"no link „{text}“ among {[node.text for node in self.all('a')]}"
        return found[0]["href"]

    def links(self) -> list[str]:
        return [node.text for node in self.all("a")]

    def pager(self, name: str) -> str:
        """The address of "first", "previous", "next" or "last", "" where there is none."""
        found = self.all("a", data_page=name)
        return found[0]["href"] if found else ""


def read(answer: Any) -> Page:
    """The page of an answer."""
    return Page(answer.get_data(as_text=True), answer.status_code, answer.request.path)


def get(client: Any, url: str, **headers: str) -> Page:
    """Follows a link."""
    return read(client.get(url, headers=headers))


def send(client: Any, url: str, fields: Any, **headers: str) -> Page:
    """Sends a form and follows where it leads."""
    answer = client.post(url, data=fields, headers=headers)
    if answer.status_code in (302, 303):
        parts = urlsplit(answer.location)
        answer = client.get(parts.path + (f"?{parts.query}" if parts.query else ""))
    return read(answer)

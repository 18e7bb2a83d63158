"""Every page that can be opened without a record is there, in German, and safe to show.

What a page of one record shows is told by the journeys in tests/browser; here nothing is missed because it is rare.
"""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.house import HouseFile, inline_code, outside_urls

#: Words of Flask-Admin, Flask-Security and WTForms that a missing translation leaves on a page.
ENGLISH = re.compile(
    # „Shop-Login“ is what the field is called in German, too.
    r"\b(Save|Cancel|Delete|Search|Create|Edit|Submit|(?<!Shop-)Login|Logout|Password|Username|With selected|Records?|"
    r"Home|List|Add|Remove|Filters|Apply|Reset|Actions?|Are you sure|No file|This field is required|Not a valid|"
    r"None|True|False|Undo|Copy|Print|Settings|Customers?|Yes|No)\b"
)


class _Words(HTMLParser):
    """What people read on a page, which headings it has, and its language."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: Counter[str] = Counter()
        self.language = ""
        self.unnamed: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags[tag] += 1
        if tag == "html":
            self.language = named.get("lang") or ""
        if tag in ("script", "style"):
            self._silent += 1
        # Names that operators chose, and the English of a language menu, are marked as such.
        for name in ("title", "aria-label", "placeholder", "alt"):
            if named.get(name):
                self.words.append(named[name] or "")
        if tag == "img" and named.get("alt") is None:
            self.unnamed.append(self.get_starttag_text() or tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent -= 1

    def handle_data(self, text: str) -> None:
        if not self._silent and text.strip():
            self.words.append(text.strip())


def _pages(app: Flask) -> list[str]:
    """The addresses that take a plain GET."""
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.arguments and "static" not in rule.endpoint
    )


@pytest.mark.engines("sqlite", later="postgresql")
def test_every_page_is_german_and_safe(app: Flask, operator: FlaskClient) -> None:
    found: list[str] = []
    for url in _pages(app):
        if url in ("/logout", "/login"):
            continue
        answer = operator.get(url)
        if answer.status_code >= 500:
            found.append(f"{url} answers {answer.status_code}")
        if answer.status_code >= 300 or not answer.content_type.startswith("text/html"):
            answer.close()
            continue
        read = _Words()
        page = answer.get_data(as_text=True)
        read.feed(page)
        if read.language != "de":
            found.append(f"{url} says it is written in „{read.language}“")
        if read.tags["h1"] != 1:
            found.append(f"{url} has {read.tags['h1']} main headings")
        found += [f"{url} shows English: {word}" for word in sorted({w for w in read.words if ENGLISH.search(w)})]
        found += [f"{url} has a picture without words: {tag}" for tag in read.unnamed]
        found += [f"{url}: {breach}" for breach in inline_code([HouseFile("page.html", page)])]
        found += [f"{url}: {breach}" for breach in outside_urls([HouseFile("page.html", page)])]
    assert not found, f"{len(found)} found:\n" + "\n".join(found[:60])


def test_nothing_is_shown_to_strangers(app: Flask, client: FlaskClient) -> None:
    open_pages = {url: client.get(url).status_code for url in _pages(app)}
    answered = {url for url, status in open_pages.items() if status == 200}
    assert answered == {"/login", "/health/live", "/health/ready"}


@pytest.mark.parametrize("url", ["/admin/customer/edit/?id=999999", "/admin/customer/?nonsense=1", "/admin/nowhere/"])
def test_what_is_not_there_is_said_in_german(operator: FlaskClient, url: str) -> None:
    answer = operator.get(url)
    page = answer.get_data(as_text=True)
    assert answer.status_code < 500
    assert 'lang="de"' in page
    assert not re.search(r"Traceback|Werkzeug|Not Found|Bad Request|Internal Server Error", page)

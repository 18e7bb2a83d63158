"""What the journeys need: a browser, a page that watches itself, a running server, an operator who is signed in.

A page fails its test on anything a careful operator's browser would complain about: an error in the console, a breach
of the content security policy, a script that stops, an answer of the server with 500 and above, a request to another
host. A test that provokes one of these on purpose asks for the fixture `watch` and says `watch.allow("…")`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, sync_playwright

from tests.browser.chromium import FLAGS, find_chromium
from tests.browser.server import OPERATOR, PASSWORD, KontorServer
from tests.conftest import upgrade
from tests.engines import PostgresqlEngine, SqliteEngine

#: Where pictures go that are only looked at, and those of the documentation.
OUT = Path(__file__).parent / ".out"
SCREENS = Path(__file__).resolve().parents[2] / "docs" / "screens"
SIZES = ((1440, 900), (1280, 720))

#: Playwright waits for what a test locates; longer than this nobody wants to wait for a page.
_WAIT_MILLISECONDS = 10_000


class Watch:
    """Collects what went wrong on a page while nobody looked."""

    def __init__(self, page: Page) -> None:
        self._faults: list[str] = []
        self._allowed: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._faults.append(f"script stopped: {error}"))
        page.on("request", lambda request: self._on_request(request.url))
        page.on("response", lambda response: self._on_response(response.url, response.status))

    def allow(self, pattern: str) -> None:
        """Expect faults that match this regular expression: the test provokes them."""
        self._allowed.append(pattern)

    def faults(self) -> list[str]:
        return [fault for fault in self._faults if not any(re.search(pattern, fault) for pattern in self._allowed)]

    def _on_console(self, message: ConsoleMessage) -> None:
        breach = "Content Security Policy" in message.text
        # A refused form (4xx) is an answer like any other; the browser's own red line about it is not a fault.
        refused = re.search(r"Failed to load resource.*status of 4\d\d", message.text)
        if breach or (message.type == "error" and not refused):
            self._faults.append(f"console: {message.text}")

    def _on_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in ("127.0.0.1", "localhost"):
            self._faults.append(f"request to another host: {url}")

    def _on_response(self, url: str, status: int) -> None:
        if status >= 500:
            self._faults.append(f"the server answered {status}: {url}")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    running = playwright.chromium.launch(executable_path=find_chromium(), headless=True, args=list(FLAGS))
    yield running
    running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile: German, 1440 x 900, no cookies."""
    fresh = browser.new_context(
        locale="de-DE",
        timezone_id="Europe/Berlin",
        viewport={"width": 1440, "height": 900},
        color_scheme="light",
        reduced_motion="reduce",
        accept_downloads=True,
    )
    fresh.set_default_timeout(_WAIT_MILLISECONDS)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page; it must be quiet until the end of the test (see the top of this file)."""
    return context.new_page()


@pytest.fixture(autouse=True)
def watch(page: Page) -> Iterator[Watch]:
    """What went wrong on `page` so far."""
    watching = Watch(page)
    yield watching
    assert not watching.faults(), "The page was not quiet:\n" + "\n".join(watching.faults())


@pytest.fixture
def engine_url(database_engine: SqliteEngine | PostgresqlEngine, request: pytest.FixtureRequest) -> Iterator[str]:
    """As for other tests; with the mark `demo` (customers, seed) it has that demo data, made once per run."""
    database_engine.prepare("kontor", upgrade)
    name, mark = "kontor", request.node.get_closest_marker("demo")
    if mark is not None:
        customers, seed = (str(number) for number in mark.args)
        name = f"demo_{customers}_{seed}"

        def fill(url: str) -> None:
            upgrade(url)
            maker = KontorServer(request.getfixturevalue("tmp_path") / "demo", url, database_engine.name)
            maker.add_operator()
            maker.kontor("demo-data", "--customers", customers, "--seed", seed)

        database_engine.prepare(name, fill)
    url = database_engine.copy(name)
    yield url
    database_engine.drop(url)


@pytest.fixture
def server(engine: str, engine_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KontorServer]:
    """Kontor, serving a fresh database of this engine, with one administrator (OPERATOR, PASSWORD)."""
    running = KontorServer(instance=tmp_path / "instance", database_url=engine_url, engine=engine)
    running.instance.mkdir()
    if request.node.get_closest_marker("demo") is None:
        running.add_operator()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def sign_in(server: KontorServer) -> Callable[..., None]:
    """`sign_in(page)` goes through the real sign-in page and ends on the home page."""

    def do(page: Page, name: str = OPERATOR, password: str = PASSWORD) -> None:
        page.goto(server.url + "/admin/")
        page.get_by_label(re.compile("Benutzer|Anmeldename|E-Mail", re.I)).first.fill(name)
        page.get_by_label(re.compile("^(Passwort|Kennwort)", re.I)).first.fill(password)
        page.get_by_role("button", name=re.compile("Anmelden", re.I)).click()
        page.wait_for_url(re.compile(r"/admin/?(\?.*)?$"))

    return do


@pytest.fixture
def screen() -> Callable[[Page, str], None]:
    """`screen(page, "list")` takes pictures in both sizes of the documentation.

    They are taken when KONTOR_SCREENS is set (`make screens`): those that the documentation shows, or has kept before,
    go to docs/screens, all others to a folder outside the repository's files. An ordinary run has no time for them.
    """
    if not os.environ.get("KONTOR_SCREENS"):
        return lambda _page, _name: None
    pages = [page.read_text(encoding="utf-8") for page in SCREENS.parent.rglob("*.md")]

    def take(page: Page, name: str) -> None:
        kept = (SCREENS / f"{name}-1440x900.png").exists() or any(
            f"screens/{name}-1440x900.png" in text for text in pages
        )
        folder = SCREENS if kept else OUT
        folder.mkdir(parents=True, exist_ok=True)
        before = page.viewport_size
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=folder / f"{name}-{width}x{height}.png", animations="disabled", caret="hide")
        if before:
            page.set_viewport_size(before)

    return take

"""The browser of the tests works, and its watch notices what it is there to notice."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watch

PAGES = {
    "/quiet": "<!doctype html><html lang=de><title>Ruhig</title><link rel=icon href=data:,><h1>Guten Tag</h1>",
    "/broken": "<!doctype html><title>x</title><link rel=icon href=data:,><script>does.not.exist</script>",
    "/inline": "<!doctype html><title>x</title><link rel=icon href=data:,><p style='color:red'>rot</p>",
    "/elsewhere": "<!doctype html><title>x</title><link rel=icon href=data:,><img src=http://kontor.invalid/a.png>",
}


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = PAGES.get(self.path)
        self.send_response(200 if body else 500)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if self.path == "/inline":
            self.send_header("Content-Security-Policy", "style-src 'self'")
        self.end_headers()
        self.wfile.write((body or "<!doctype html><title>x</title>").encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()


def test_a_quiet_page_is_read_in_german(page: Page, watch: Watch, pages: str) -> None:
    page.goto(pages + "/quiet")
    assert page.get_by_role("heading").inner_text() == "Guten Tag"
    assert page.evaluate("[navigator.language, innerWidth, innerHeight]") == ["de-DE", 1440, 900]
    assert watch.faults() == []


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/broken", "script stopped"),
        ("/inline", "Content Security Policy"),
        ("/elsewhere", "request to another host: http://kontor.invalid/a.png"),
        ("/missing", "the server answered 500"),
    ],
)
def test_the_watch_notices_faults(page: Page, watch: Watch, pages: str, path: str, fault: str) -> None:
    page.goto(pages + path)
    faults = watch.faults()
    assert any(fault in found for found in faults), faults
    watch.allow(".")

"""Finds the browser of the tests: the system's Chromium.

KONTOR_CHROMIUM names another one. As root on Debian the packages are installed when there is none; otherwise a sentence
says what to do. `python -m tests.browser.chromium` does that before the tests start.
"""

from __future__ import annotations

import os
import shutil
import sys

from tests.engines import install_debian_packages

#: Fonts belong to the browser: without any, every letter on the screenshots is a box.
PACKAGES = ("chromium", "fonts-dejavu-core", "fonts-liberation")

#: Root and small containers need the first two; the rest keep the browser from calling its maker.
FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-features=Translate,OptimizationHints,MediaRouter,AutofillServerCommunication",
    "--font-render-hinting=none",
)

NO_CHROMIUM = (
    "The browser tests need Chromium, and none was found. Please do one of:\n"
    "  - install it: apt-get install chromium (Debian), or Chrome or Chromium for your system\n"
    "  - name it: KONTOR_CHROMIUM=/path/to/chromium\n"
    "  - leave the browser tests out of this run: pytest --ignore=tests/browser"
)


class NoChromium(RuntimeError):
    """There is no browser to test with; the message says what to do."""


def find_chromium(*, install: bool = True) -> str:
    """The path of the browser's program."""
    named = os.environ.get("KONTOR_CHROMIUM", "")
    if named:
        if not os.access(named, os.X_OK):
            raise NoChromium(f"KONTOR_CHROMIUM names {named}, which is no program.")
        return named
    found = _search()
    if found is None and install and os.geteuid() == 0 and shutil.which("apt-get"):
        install_debian_packages(*PACKAGES)
        found = _search()
    if found is None:
        raise NoChromium(NO_CHROMIUM)
    return found


def _search() -> str | None:
    for name in ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"):
        found = shutil.which(name, path=f"/usr/bin:{os.environ.get('PATH', '')}")
        if found:
            return found
    return None


def main() -> int:
    """Say whether the browser is there, and install it if that is allowed."""
    try:
        find_chromium()
    except NoChromium as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

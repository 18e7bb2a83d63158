"""Five standard jobs without a mouse: each is a script of keystrokes, and may need no more of them than here."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.server import KontorServer


class Hands:
    """Presses keys and counts them; a letter of a typed word is one, a combination like Ctrl+S too."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._keys = page.keyboard
        self.count = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self._keys.press(key)
            self.count += 1

    def type(self, text: str) -> None:
        self._keys.type(text)
        self.count += len(text)

    def walk_to(self, target: Locator, key: str = "Tab") -> None:
        """Presses the key until the focus is there."""
        for _step in range(60):
            if target.evaluate("node => node === document.activeElement"):
                return
            self.press(key)
        raise AssertionError(f"{key} does not lead to {target}")

    def past_the_menu(self) -> None:
        """To the page itself, by the first link of every page."""
        self.press("Tab")
        expect(self._page.get_by_role("link", name="Zum Inhalt springen")).to_be_focused()
        self.press("Enter")


def correct_a_customer(page: Page, hands: Hands) -> None:
    """Somebody calls: find customer 10005 by his number, write down another telephone number, go on."""
    hands.press("/")
    hands.type("10005")
    expect(page.locator(".listbox:not([hidden]) [role=option]")).to_have_count(1)
    hands.press("ArrowDown", "Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("10005")
    _go_to_field(page, hands, "Telefon")
    hands.press("Control+a")
    hands.type("089 4711")
    hands.press("Control+Enter")
    expect(page.locator("#toast")).to_contain_text("Gespeichert")
    expect(page.locator("#list")).to_be_visible()


def create_a_customer(page: Page, hands: Hands) -> None:
    """A new customer, with a name and a town."""
    hands.press("n")
    page.wait_for_url(re.compile("/new/"))
    expect(page.locator("#f-name_1")).to_be_focused()
    hands.type("Nordlicht KG")
    _go_to_field(page, hands, "Ort")
    hands.type("Kiel")
    hands.press("Control+s")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nordlicht KG")
    expect(page.get_by_label("Ort", exact=True)).to_have_value("Kiel")


def change_a_setting_of_many(page: Page, hands: Hands) -> None:
    """All customers that a search finds get the same mark."""
    _mark_all_hits(page, hands)
    hands.walk_to(page.locator('#marked button[value="change_settings"]'), "ArrowRight")
    hands.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Änderung der Kundeneinstellungen")
    expect(page.get_by_label("Einstellung suchen")).to_be_focused()
    page.wait_for_load_state()
    hands.type("Kennz")
    expect(page.get_by_label("Kennzeichen ändern", exact=True)).to_be_visible()
    # Enter leads to the first one found; what is typed there ticks its box.
    hands.press("Enter")
    expect(page.locator("#f-marker")).to_be_focused()
    hands.type("Messe")
    expect(page.get_by_role("button", name=re.compile(r"\d+ Kunden ändern"))).to_be_enabled()
    hands.press("Control+Enter")
    expect(page.locator("#toast")).to_contain_text("Kunden geändert")


def take_the_last_change_back(page: Page, hands: Hands) -> None:
    """What was changed last is as before; the start page knows it."""
    hands.press("g", "s")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Frau")
    page.wait_for_load_state()
    undo = page.get_by_role("link", name="rückgängig", exact=True).first
    hands.walk_to(undo)
    hands.press("Enter")
    button = page.get_by_role("button", name="Rückgängig machen")
    expect(button).to_be_visible()
    page.wait_for_load_state()
    hands.past_the_menu()
    hands.walk_to(button)
    hands.press("Enter")
    expect(page.locator("#toast")).to_contain_text("Zurückgenommen")


def print_labels(page: Page, hands: Hands) -> None:
    """Labels for all customers that a search finds, as a PDF."""
    _mark_all_hits(page, hands)
    _open_action(page, hands, "print_labels")
    expect(page.get_by_label("Erstes freies Etikett")).to_be_focused()
    hands.walk_to(page.get_by_role("button", name="PDF erzeugen"))
    with page.expect_download() as download:
        hands.press("Enter")
    assert download.value.suggested_filename.endswith(".pdf")


def _go_to_field(page: Page, hands: Hands, label: str) -> None:
    """The window that finds a field by its name; the form's script has made it when it listens to keys."""
    expect(page.locator("dialog.find-field")).to_be_attached()
    page.wait_for_load_state()
    hands.press("Control+k")
    expect(page.locator("dialog.find-field input")).to_be_focused()
    hands.type(label)
    expect(page.locator("dialog.find-field li.on")).to_contain_text(label)
    hands.press("Enter")
    expect(page.get_by_label(label, exact=True)).to_be_focused()


def _mark_all_hits(page: Page, hands: Hands) -> None:
    """Marks what „gmbh“ finds, and goes to what can be done with it."""
    hands.press("/")
    hands.type("gmbh")
    hands.press("Enter")
    page.wait_for_url(re.compile("search=gmbh"))
    strip = page.locator("#marked .marked-text")
    expect(strip).to_have_text("nichts markiert")
    hands.press("Control+a")
    expect(strip).to_have_text(re.compile(r"\d+ markiert"))
    hands.press("m")
    expect(page.locator('#marked button[value="edit"]')).to_be_focused()


def _open_action(page: Page, hands: Hands, name: str) -> None:
    """A button of the strip, which stands in its last menu where the strip is too narrow."""
    button = page.locator(f'#marked button[value="{name}"]')
    if not button.is_visible():
        hands.walk_to(page.locator("#marked .strip-actions summary", has_text="Mehr"), "ArrowLeft")
        hands.press("Enter")
        hands.walk_to(button, "ArrowDown")
    else:
        hands.walk_to(button, "ArrowRight")
    hands.press("Enter")


#: Each job with the keystrokes it may take; whoever makes one longer has to say so here.
JOBS: tuple[tuple[Callable[[Page, Hands], None], int], ...] = (
    (correct_a_customer, 27),
    (create_a_customer, 23),
    (change_a_setting_of_many, 22),
    (take_the_last_change_back, 17),
    (print_labels, 18),
)


@pytest.mark.engines("sqlite")
@pytest.mark.demo(60, 7)
def test_five_standard_jobs_take_few_keys_and_no_mouse(
    page: Page, server: KontorServer, sign_in: Callable[..., None]
) -> None:
    sign_in(page)
    for job, most in JOBS:
        page.goto(server.url + "/admin/customer/")
        expect(page.locator("#list tbody tr").first).to_be_visible()
        hands = Hands(page)
        job(page, hands)
        assert hands.count <= most, f"{job.__name__} took {hands.count} keys, not {most}"

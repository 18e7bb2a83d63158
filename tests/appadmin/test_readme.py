"""The page that shows the layer tells the truth: its code runs as it stands, in order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from flask_appadmin.database import disconnect_database
from tests.house import LAYER, ROOT
from tests.reader import get, send

PAGE = (ROOT / LAYER / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the code of the page leaves behind."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "library"}
    exec(compile("\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.S)), "README.md", "exec"), names)
    assert (tmp_path / "library.db").exists()
    yield names
    disconnect_database()


def test_the_code_of_the_page_makes_an_application(shown: dict[str, Any]) -> None:
    app: Flask = shown["app"]
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    page = get(client, "/admin/book/")
    assert page.rows == [["978-1", "Die größere Hoffnung", "Ilse Aichinger", ""]]
    assert get(client, "/admin/book/?search=groessere").keys == page.keys
    form = get(client, f"/admin/book/edit/?id={page.keys[0]}").one("form", id="form")
    assert send(client, form["action"], form.fields(price="12,5")).toast == "Gespeichert."
    own = shown["second_app"]().test_client()
    own_page = get(own, "/admin/book/")
    assert (own_page.columns[-1], own_page.rows[0][3]) == ("Geändert", "12,50")
    assert "Neues Buch" in " ".join(own_page.links())


def test_every_file_that_the_page_names_is_there() -> None:
    table = PAGE.split("## Where things are")[1]
    named = re.findall(r"`([\w./]+)`", table)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / LAYER / name).exists()] == []

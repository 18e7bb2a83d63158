"""Every text an operator reads has its English words."""

from __future__ import annotations

from pathlib import Path

from tests.catalogue import faults, texts_of, translations, write
from tests.house import HouseFile


def test_the_english_catalogues_are_complete() -> None:
    found = faults()
    assert not found, f"{len(found)} found (python -m tests.catalogue adds the new ones):\n" + "\n".join(found[:40])


def test_texts_are_found_in_code_and_pages() -> None:
    code = HouseFile(
        "views/x.py", '_("Land")\nngettext("%(n)s Zeile", "%(n)s Zeilen", n)\n_("Post"\n  "leitzahl")\nprint("x")\n'
    )
    assert [message for message, _line in texts_of(code)] == [
        "Land",
        ("%(n)s Zeile", "%(n)s Zeilen"),
        "Postleitzahl",
    ]
    page = HouseFile(
        "templates/x.html", '<h1>{{ _("Länder") }}</h1>\n{{ ngettext("%(n)s Land", "%(n)s Länder", n, n=n) }}'
    )
    assert [message for message, _line in texts_of(page)] == ["Länder", ("%(n)s Land", "%(n)s Länder")]


def test_a_catalogue_comes_back_as_it_was_written(tmp_path: Path) -> None:
    words = {
        "Straße": "Street",
        "„a“\nb": "“a”\nb",
        ("%(n)s Zeile", "%(n)s Zeilen"): ("%(n)s row", "%(n)s rows"),
        "Neu": "",
    }
    write(tmp_path / "en.po", words)  # type: ignore[arg-type]
    assert translations(tmp_path / "en.po") == words

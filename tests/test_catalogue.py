"""Every text an operator reads has its English words."""

from __future__ import annotations

from pathlib import Path

from flask_appadmin.i18n import add_catalogue_folder, message_id, use_locale
from flask_appadmin.schema import LAYER_MODELS
from flask_appadmin.specs import spec_of
from models import MODELS, Contact
from tests.catalogue import CATALOGUES, faults, texts_of, translations, write
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


def test_one_and_many_have_words_of_their_own_in_english() -> None:
    """„Ansprechpartner“ says both in German; a heading "Contact" above a table of them reads wrong."""
    uncountable = {"Globale Einstellungen", "Postausgang", "Kommunikation"}
    add_catalogue_folder(CATALOGUES["kontor"].parent)
    same = []
    with use_locale("en"):
        for spec in map(spec_of, (*LAYER_MODELS, *MODELS)):
            # Tables that no page names have no words.
            is_named = not isinstance(spec.label, str) and message_id(spec.label) not in uncountable
            if is_named and str(spec.label) == str(spec.plural):
                same.append(f"{spec.name}: {spec.label}")
        assert str(spec_of(Contact).plural) == "Contacts" and str(spec_of(Contact).label) == "Contact"
    assert not same

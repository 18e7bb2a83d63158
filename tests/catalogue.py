"""Keeps the English catalogues beside the German texts in the code.

Shape: two files, `flask_appadmin/translations/en.po` for the layer and `translations/en.po` for Kontor; a text that
both use stands in the layer's. The German text is the message id; messages are sorted by it, without places in the
code, so that a file changes only where a text does. `python -m tests.catalogue` adds texts that are new, without a
translation, and drops texts that nobody uses any more; `tests/test_catalogue.py` fails on a text without English words.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract
from babel.messages.pofile import normalize, read_po

from tests.house import LAYER, PRODUCT, ROOT, HouseFile, files

#: A message id: one text, or singular and plural.
Message = str | tuple[str, str]

CATALOGUES = {
    LAYER: ROOT / LAYER / "translations" / "en.po",
    "kontor": ROOT / "translations" / "en.po",
}

_KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2), "many": (1, 2)}
_METHODS = {".py": "python", ".html": "jinja2", ".txt": "jinja2"}
_HEADER = r"""msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Language: en\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"
"""
_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%")


def texts_of(file: HouseFile) -> Iterator[tuple[Message, int]]:
    """The texts of one file that are to be translated, each with its line."""
    source = io.BytesIO(file.text.encode())
    if _METHODS[file.suffix] == "jinja2":
        from jinja2.ext import babel_extract

        for line, function, message, _comments in babel_extract(source, list(_KEYWORDS), [], {"silent": "false"}):
            texts = message if isinstance(message, tuple) else (message,)
            yield _message(function or "", texts), line
        return
    for line, message, _comments, _context in extract("python", source, _KEYWORDS, options={"encoding": "utf-8"}):
        yield (message if isinstance(message, str) else (str(message[0]), str(message[1]))), line


def _message(function: str, texts: tuple[str | None, ...]) -> Message:
    words = [text for text in texts if isinstance(text, str)]
    return (words[0], words[1]) if function == "ngettext" else words[0]


def used_texts() -> dict[str, dict[Message, str]]:
    """Catalogue -> message -> the first place that uses it."""
    found: dict[str, dict[Message, str]] = {LAYER: {}, "kontor": {}}
    for catalogue, below in ((LAYER, (f"{LAYER}/",)), ("kontor", PRODUCT)):
        for file in files(*_METHODS, below=below):
            for message, line in texts_of(file):
                if message not in found[LAYER]:
                    found[catalogue].setdefault(message, f"{file.place}:{line}")
    # A catalogue holds one entry for a text; where it also has a plural, that entry serves both.
    singulars = {message[0] for used in found.values() for message in used if not isinstance(message, str)}
    return {
        catalogue: {m: place for m, place in used.items() if m not in singulars} for catalogue, used in found.items()
    }


def translations(path: Path) -> dict[Message, Message]:
    """Message -> English words ("" where there are none yet)."""
    if not path.exists():
        return {}
    found: dict[Message, Message] = {}
    with path.open("rb") as file:
        for message in read_po(file, locale="en"):
            words = message.string or ""
            if isinstance(message.id, str):
                if message.id:
                    found[message.id] = str(words)
            else:
                found[message.id[0], message.id[1]] = ("", "") if isinstance(words, str) else (words[0], words[1])
    return found


def write(path: Path, known: dict[Message, Message]) -> None:
    """Writes a catalogue, sorted by message."""
    parts = [_HEADER]
    for message in sorted(known, key=lambda message: (message if isinstance(message, str) else message[0]).casefold()):
        words = known[message]
        if isinstance(message, str):
            parts.append(f"msgid {normalize(message)}\nmsgstr {normalize(str(words))}\n")
        else:
            one, many = words if isinstance(words, tuple) else ("", "")
            parts.append(
                f"msgid {normalize(message[0])}\nmsgid_plural {normalize(message[1])}\n"
                f"msgstr[0] {normalize(one)}\nmsgstr[1] {normalize(many)}\n"
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8")


def faults() -> list[str]:
    """A sentence for every text without English words, with other placeholders, or that nobody uses."""
    found = []
    for catalogue, used in used_texts().items():
        path = CATALOGUES[catalogue]
        known = translations(path)
        for message, place in used.items():
            words = known.get(message, "")
            shown = message if isinstance(message, str) else message[0]
            if not (words if isinstance(words, str) else all(words)):
                found.append(f"{place} says „{shown}“, which has no English words in {path.relative_to(ROOT)}.")
            elif _placeholders(message) != _placeholders(words):
                found.append(f"{path.relative_to(ROOT)}: „{shown}“ has other placeholders in English.")
        found += [
            f"{path.relative_to(ROOT)}: nobody says „{message}“ any more." for message in known if message not in used
        ]
    return found


def _placeholders(message: Message) -> set[str]:
    text = message if isinstance(message, str) else " ".join(message)
    return set(_PLACEHOLDER.findall(text))


def main() -> int:
    """Bring both catalogues up to date; says how many texts still need English words."""
    missing = 0
    for catalogue, used in used_texts().items():
        path = CATALOGUES[catalogue]
        known = translations(path)
        updated = {message: known.get(message, "" if isinstance(message, str) else ("", "")) for message in used}
        missing += sum(not (words if isinstance(words, str) else all(words)) for words in updated.values())
        write(path, updated)
    print(f"{missing} texts have no English words yet.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

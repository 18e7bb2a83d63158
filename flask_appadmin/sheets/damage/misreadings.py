"""Texts that were read in another character set than they were written in."""

from __future__ import annotations

import re

from flask_appadmin.sheets.damage.damages import LOST, Suspicion
from flask_appadmin.sheets.damage.traces import visible_text

_LOST_LETTER = re.compile(r"[A-Za-zÄÖÜäöüß]\?[a-zäöüß]")
#: How a text was written, and how it was read by mistake.
_MISREADINGS = (
    ("utf-8", "cp1252"),
    ("utf-8", "iso-8859-1"),
    ("utf-8", "mac_roman"),
    ("utf-8", "cp850"),
    ("mac_roman", "cp1252"),
    ("mac_roman", "iso-8859-1"),
    ("cp1252", "mac_roman"),
    ("cp850", "cp1252"),
    ("cp850", "iso-8859-1"),
    ("cp1252", "cp850"),
)
_EXPECTED = frozenset("äöüßÄÖÜéèêáàâôóòíìîúùûçñøåæëïÉÈÁÀÇÑØÅÆœŠšŽž–„“”’€°§²³½·«»´ ")
#: Letters that stand between others only where a text was read wrongly.
_ODD_INSIDE = re.compile(r"[^\W\d_][Ÿ§Š€…†‡Œ‹‰ˆ¸¨ŠšŽ÷³õ¢”„™¤ﬂ▀\x80-\x9f](?=[^\W\d_])")
_TWO_BYTES = re.compile("[ÃÂÅÄ├┬√][\u0080-\u00ff\u0152-\u0192\u2013-\u2122\u2502-\u2593\u222b-\u2265]|â€")


def look_for_misreading(cell: str) -> Suspicion | None:
    """Whether a text has letters that stand there only after a misreading; repaired where that makes usual ones."""
    if cell.isascii():
        return ("encoding", LOST, "ask") if "?" in cell and _LOST_LETTER.search(cell) else None
    if "\ufffd" in cell:
        return "encoding", LOST, "ask"
    if not (_TWO_BYTES.search(cell) or _ODD_INSIDE.search(cell)):
        return None
    for written, read in _MISREADINGS:
        try:
            text = cell.encode(read).decode(written)
        except UnicodeError:
            continue
        special = {letter for letter in text if not letter.isascii()}
        if text != cell and special and special <= _EXPECTED and not _ODD_INSIDE.search(text):
            if written == "utf-8" or len(text) == len(cell):
                again = look_for_misreading(text)
                return again if again is not None and again[1] is not LOST else ("encoding", text, "ask")
    return None


def is_misread_of(text: str, base: str) -> bool:
    """Whether a text is what is left of the one that was there, after one or two misreadings."""
    if base.isascii():
        return False
    if len(text) == len(base) and ("?" in text or "\ufffd" in text or "_" in text):
        pairs = list(zip(text, base, strict=True))
        return all(a == b or (a in "?\ufffd_" and not b.isascii()) for a, b in pairs)
    if "\ufffd" in text:
        return re.sub("\ufffd+", "", text) == re.sub(r"[^\x00-\x7f]+", "", base)
    for written, read in _MISREADINGS:
        content = base.encode(written, "replace")
        for _time in range(2):
            found = content.decode(read, "replace")
            if found == text or visible_text(found) == visible_text(text):
                return True
            content = found.encode(written, "replace")
    return False

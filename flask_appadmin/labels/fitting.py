"""Lines of text that fit into a label, in the embedded font.

Text never leaves its label: a line that is too long is set smaller, then broken at a blank if there is room, then cut
with an ellipsis; too many lines are set smaller and closer, then left out from the middle, because the last lines of an
address are the ones the post needs. Units: points, and mm of the sheet.
"""

from __future__ import annotations

import functools
import unicodedata
from pathlib import Path
from typing import NamedTuple

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from flask_appadmin.errors import LabelError
from flask_appadmin.i18n import gettext
from flask_appadmin.labels.geometry import SheetGeometry
from flask_appadmin.labels.printed import LabelWarning, PrintedLabels

#: Points (1/72 inch) in a millimetre.
POINTS_PER_MM = 72 / 25.4
#: Letters are this high where the label has room (points), and never smaller than the second.
PREFERRED_SIZE, MINIMUM_SIZE = 10.0, 6.0
#: Below this size a line is rather broken in two, if the label has room.
COMFORTABLE_SIZE = 7.5
#: Distance of base lines, as a multiple of the letters' size: as it should be, and as it may be.
LEADING, MINIMUM_LEADING = 1.2, 1.02
FONT_NAME = "AppAdminLabel"
FONT_FILE = Path(__file__).parent.parent / "static" / "fonts" / "DejaVuSansCondensed-subset.ttf"
#: How far letters reach above (capitals with accents) and below the base line, as a multiple of their size.
_ASCENT, _DESCENT = 0.93, 0.24
#: What stands for a character that the font does not have.
_UNKNOWN = "□"
_ELLIPSIS = "…"


@functools.cache
def _font() -> TTFont:
    """The embedded font, read and registered once per process."""
    font = TTFont(FONT_NAME, str(FONT_FILE))
    pdfmetrics.registerFont(font)
    return font


class _Widths(dict[str, float]):
    """Character -> width in units of the letters' size; a character that the font lacks has none."""

    def __missing__(self, character: str) -> float:
        face = _font().face
        code = ord(character)
        if code not in face.charToGlyph:
            raise KeyError(character)
        width = face.charWidths.get(code, face.defaultWidth) / 1000
        self[character] = width
        return width


_WIDTHS = _Widths()


def text_width(text: str, size: float) -> float:
    """Width in points of a text of known characters, in letters of `size` points."""
    return size * sum(map(_WIDTHS.__getitem__, text))


class Line(NamedTuple):
    text: str
    size: float


class Block(NamedTuple):
    """The lines of one label as they are printed; the first base line lies `first` points below the text area's top."""

    lines: list[Line]
    leading: float
    first: float


class TextArea:
    """Fits lines into the text area of a label."""

    def __init__(self, geometry: SheetGeometry) -> None:
        left, top, right, bottom = geometry.insets
        self.width = (geometry.label_width - left - right) * POINTS_PER_MM
        self.height = (geometry.label_height - top - bottom) * POINTS_PER_MM
        self._arrangements: dict[int, tuple[float, float, float]] = {}
        self.capacity = max(1, self._lines_at(MINIMUM_SIZE, MINIMUM_LEADING))
        self.comfortable_capacity = self._lines_at(COMFORTABLE_SIZE, LEADING)
        if self.width < MINIMUM_SIZE or self.height < (_ASCENT + _DESCENT) * MINIMUM_SIZE - 0.01:
            raise LabelError(gettext("Auf dem Etikett bleibt kein Platz für Text. Bitte Größe und Ränder prüfen."))

    def _lines_at(self, size: float, leading: float) -> int:
        return int((self.height / size - _ASCENT - _DESCENT) / leading + 1.001)

    def arrangement(self, count: int) -> tuple[float, float, float]:
        """Size, leading, first base line (points) for so many lines; the block stands in the middle of the height."""
        found = self._arrangements.get(count)
        if found is None:
            letters = _ASCENT + _DESCENT
            size = min(PREFERRED_SIZE, self.height / (letters + (count - 1) * LEADING))
            leading = LEADING * size
            if size < MINIMUM_SIZE:
                size = MINIMUM_SIZE
                leading = min(leading, (self.height - letters * size) / max(1, count - 1))
            block = letters * size + (count - 1) * leading
            found = size, leading, (self.height - block) / 2 + _ASCENT * size
            self._arrangements[count] = found
        return found

    def fit(self, number: int, lines: list[str], printed: PrintedLabels) -> Block | None:
        """The block for one label, or None if there is nothing to print."""
        texts, widths = [], []
        for line in lines:
            text = " ".join((line if line.isascii() else unicodedata.normalize("NFC", line)).split())
            if not text.isprintable():
                text = "".join(character for character in text if character.isprintable())
            if not text:
                continue
            try:
                width = sum(map(_WIDTHS.__getitem__, text))
            except KeyError:
                text = self._replace_unknown(number, text, printed)
                width = sum(map(_WIDTHS.__getitem__, text))
            texts.append(text)
            widths.append(width)
        if not texts:
            printed.warn(LabelWarning(number, "empty"))
            return None
        while len(texts) > self.capacity:
            # The first line names the receiver, the last two the place: what stands between gives way.
            place = max(1, len(texts) - 3)
            printed.warn(LabelWarning(number, "lines", texts[place]))
            del texts[place], widths[place]
        size, leading, first = self.arrangement(len(texts))
        if max(widths) * size <= self.width:
            return Block([Line(text, size) for text in texts], leading, first)
        return self._fit_long(number, texts, widths, printed)

    def _fit_long(self, number: int, texts: list[str], widths: list[float], printed: PrintedLabels) -> Block:
        place = 0
        while place < len(texts):
            if widths[place] * COMFORTABLE_SIZE > self.width and len(texts) < self.comfortable_capacity:
                parts = self._break(texts[place])
                if parts:
                    texts[place : place + 1] = parts
                    # Both halves of a broken line are set in the same size.
                    widths[place : place + 1] = [max(text_width(part, 1) for part in parts)] * 2
                    place += 1
            place += 1
        size, leading, first = self.arrangement(len(texts))
        lines = []
        for text, width in zip(texts, widths, strict=True):
            fitting = min(size, self.width / width)
            if fitting < MINIMUM_SIZE:
                printed.warn(LabelWarning(number, "cut", text))
                text, fitting = self._cut(text), MINIMUM_SIZE
            # Rounded down, so that the text never becomes wider than its label.
            lines.append(Line(text, size if fitting == size else int(fitting * 100) / 100))
        return Block(lines, leading, first)

    def _break(self, text: str) -> list[str]:
        """The text in two parts, the first as long as comfortable letters allow; none if there is no blank."""
        end = len(text)
        while (end := text.rfind(" ", 0, end)) > 0:
            if text_width(text[:end], COMFORTABLE_SIZE) <= self.width:
                return [text[:end], text[end + 1 :]]
        return []

    def _cut(self, text: str) -> str:
        room = self.width - text_width(_ELLIPSIS, MINIMUM_SIZE)
        end = len(text)
        while end > 1 and text_width(text[:end].rstrip(), MINIMUM_SIZE) > room:
            end -= 1
        return text[:end].rstrip() + _ELLIPSIS

    @staticmethod
    def _replace_unknown(number: int, text: str, printed: PrintedLabels) -> str:
        known = _font().face.charToGlyph
        unknown = "".join(dict.fromkeys(character for character in text if ord(character) not in known))
        printed.warn(LabelWarning(number, "characters", unknown))
        return "".join(character if ord(character) in known else _UNKNOWN for character in text)

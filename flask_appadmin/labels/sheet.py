"""Prints lines of text on label sheets: where each label stands, how its lines fit into it, and the PDF.

Shape: a label is a list of lines (plain text; nothing in it is read as markup). Positions on a sheet count from 1, row
by row from the top left. Units: mm for everything about the sheet, points for letters. Errors: a geometry, start or
number of copies that cannot be printed raises `LabelError`; a label that could not be printed as given comes back as
`LabelWarning`.
Text never leaves its label: a line that is too long is set smaller, then broken at a blank if there is room, then cut
with an ellipsis; too many lines are set smaller and closer, then left out from the middle, because the last lines of an
address are the ones the post needs.
Source: NE-12 to NE-17; decision on fonts in docs/decisions/label-font.md.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from flask_appadmin.errors import LabelError
from flask_appadmin.i18n import format_number, gettext, ngettext

#: Points (1/72 inch) in a millimetre.
POINTS_PER_MM = 72 / 25.4

# Streams need not be text: a tenth faster and smaller.
rl_config.useA85 = 0

#: Letters are this high where the label has room (points), and never smaller than the second.
PREFERRED_SIZE, MINIMUM_SIZE = 10.0, 6.0
#: Below this size a line is rather broken in two, if the label has room.
COMFORTABLE_SIZE = 7.5
#: Distance of base lines, as a multiple of the letters' size: as it should be, and as it may be.
LEADING, MINIMUM_LEADING = 1.2, 1.02
#: Most printers leave this much of the page's edge white (mm).
PRINTER_MARGIN = 4.5
#: Copies of one label (NE-17).
MAXIMUM_COPIES = 100
#: So many warnings are kept; more are only counted, so that memory stays flat.
KEPT_WARNINGS = 1000

_FONT_NAME = "AppAdminLabel"
_FONT_FILE = Path(__file__).parent.parent / "static" / "fonts" / "DejaVuSansCondensed-subset.ttf"
#: How far letters reach above (capitals with accents) and below the base line, as a multiple of their size.
_ASCENT, _DESCENT = 0.93, 0.24
#: What stands for a character that the font does not have.
_UNKNOWN = "□"
_ELLIPSIS = "…"
#: A sheet's measures are rounded; so much may the last label seem to stick out of the page (mm).
_TOLERANCE = 0.6


@dataclass(frozen=True)
class SheetGeometry:
    """Where the labels stand on a page. All lengths in mm, measured from the top left corner of the page."""

    page_width: float
    page_height: float
    columns: int
    rows: int
    label_width: float
    label_height: float
    margin_left: float = 0.0
    margin_top: float = 0.0
    #: Distance from one label's left (top) edge to the next; 0 means that the labels touch.
    pitch_x: float = 0.0
    pitch_y: float = 0.0
    #: White space inside a label, at least; where a label reaches the page's edge it becomes more.
    padding: float = 3.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "pitch_x", self.pitch_x or self.label_width)
        object.__setattr__(self, "pitch_y", self.pitch_y or self.label_height)
        for fault in self._faults():
            raise LabelError(fault)

    def _faults(self) -> Iterator[str]:
        if self.columns < 1 or self.rows < 1:
            yield gettext("Ein Etikettenbogen braucht mindestens eine Spalte und eine Zeile.")
        elif min(self.label_width, self.label_height) < 5 or max(self.page_width, self.page_height) > 5000:
            yield gettext("Ein Etikett muss mindestens 5 mm breit und hoch sein.")
        elif min(self.margin_left, self.margin_top, self.padding) < 0:
            yield gettext("Die Ränder dürfen nicht negativ sein.")
        elif self.pitch_x < self.label_width - 0.01 or self.pitch_y < self.label_height - 0.01:
            yield gettext("Die Etiketten überlappen sich: Bitte Abstand und Etikettengröße prüfen.")
        else:
            right = self.margin_left + (self.columns - 1) * self.pitch_x + self.label_width
            bottom = self.margin_top + (self.rows - 1) * self.pitch_y + self.label_height
            if right > self.page_width + _TOLERANCE or bottom > self.page_height + _TOLERANCE:
                yield gettext(
                    "Die Etiketten passen nicht auf die Seite: sie reichen bis %(right)s x %(bottom)s mm, "
                    "die Seite hat %(width)s x %(height)s mm.",
                    right=f"{right:.1f}".replace(".", ","),
                    bottom=f"{bottom:.1f}".replace(".", ","),
                    width=f"{self.page_width:g}".replace(".", ","),
                    height=f"{self.page_height:g}".replace(".", ","),
                )

    @classmethod
    def single(cls, width: float = 89.0, height: float = 36.0) -> SheetGeometry:
        """One label per page, as label printers want it."""
        return cls(page_width=width, page_height=height, columns=1, rows=1, label_width=width, label_height=height)

    @property
    def per_page(self) -> int:
        return self.columns * self.rows

    @property
    def is_single(self) -> bool:
        """The page is the label; a label printer prints it nearly to the edge."""
        return self.per_page == 1 and self.page_width - self.label_width < 1 and self.page_width < 150

    def corner(self, position: int) -> tuple[float, float]:
        """Left and top edge (mm) of the label at `position`, 1 being the first of the page."""
        row, column = divmod(position - 1, self.columns)
        return self.margin_left + column * self.pitch_x, self.margin_top + row * self.pitch_y

    @property
    def insets(self) -> tuple[float, float, float, float]:
        """White space (mm) left, top, right, bottom inside every label, so that all labels of a sheet look alike."""
        across = min(self.padding, 0.08 * self.label_width)
        down = min(self.padding, 0.08 * self.label_height)
        if self.is_single:
            return across, down, across, down
        edge_right = self.page_width - self.margin_left - (self.columns - 1) * self.pitch_x - self.label_width
        edge_bottom = self.page_height - self.margin_top - (self.rows - 1) * self.pitch_y - self.label_height
        return (
            max(across, PRINTER_MARGIN - self.margin_left),
            max(down, PRINTER_MARGIN - self.margin_top),
            max(across, PRINTER_MARGIN - edge_right),
            max(down, PRINTER_MARGIN - edge_bottom),
        )


@dataclass(frozen=True)
class LabelWarning:
    """Something about one label that the operator should look at."""

    #: Which label it is, counted from 1 in the order given (copies are not counted).
    label: int
    #: "cut", "lines", "characters" or "empty".
    kind: str
    #: The line, or the characters, concerned.
    text: str = ""

    def sentence(self) -> str:
        place = gettext("Etikett %(number)s", number=format_number(self.label))
        if self.kind == "cut":
            return gettext("%(place)s: „%(text)s“ ist zu lang und wurde gekürzt.", place=place, text=self.text)
        if self.kind == "lines":
            return gettext("%(place)s: „%(text)s“ hat keinen Platz und wurde weggelassen.", place=place, text=self.text)
        if self.kind == "characters":
            return gettext("%(place)s: Die Schrift hat keine Zeichen für „%(text)s“.", place=place, text=self.text)
        return gettext("%(place)s ist leer und wurde nicht gedruckt.", place=place)


@dataclass
class PrintedLabels:
    """What was printed."""

    labels: int = 0
    pages: int = 0
    warnings: list[LabelWarning] = field(default_factory=list)
    #: Warnings beyond those kept.
    further_warnings: int = 0

    def warn(self, warning: LabelWarning) -> None:
        if len(self.warnings) < KEPT_WARNINGS:
            self.warnings.append(warning)
        else:
            self.further_warnings += 1

    def sentence(self) -> str:
        labels = ngettext("%(count)s Etikett", "%(count)s Etiketten", self.labels)
        pages = ngettext("auf %(count)s Seite", "auf %(count)s Seiten", self.pages)
        return f"{labels} {pages}."


@functools.cache
def _font() -> TTFont:
    """The embedded font, read and registered once per process."""
    font = TTFont(_FONT_NAME, str(_FONT_FILE))
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


class _Block(NamedTuple):
    """The lines of one label as they are printed; the first base line lies `first` points below the text area's top."""

    lines: list[Line]
    leading: float
    first: float


class _TextArea:
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

    def fit(self, number: int, lines: list[str], printed: PrintedLabels) -> _Block | None:
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
            return _Block([Line(text, size) for text in texts], leading, first)
        return self._fit_long(number, texts, widths, printed)

    def _fit_long(self, number: int, texts: list[str], widths: list[float], printed: PrintedLabels) -> _Block:
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
        return _Block(lines, leading, first)

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


def _free_positions(geometry: SheetGeometry, start: int, skip: Collection[int]) -> list[int]:
    """The positions of the first page that may be printed on."""
    if not 1 <= start <= geometry.per_page:
        raise LabelError(
            gettext(
                "Die Startposition %(start)s gibt es nicht: ein Bogen hat die Positionen 1 bis %(last)s.",
                start=start,
                last=geometry.per_page,
            )
        )
    free = [position for position in range(start, geometry.per_page + 1) if position not in skip]
    if not free:
        raise LabelError(gettext("Auf dem ersten Bogen ist keine Position mehr frei."))
    return free


def _check_copies(copies: int) -> None:
    if not 1 <= copies <= MAXIMUM_COPIES:
        raise LabelError(
            gettext(
                "%(copies)s Etiketten je Datensatz sind nicht möglich; möglich sind 1 bis %(most)s.",
                copies=copies,
                most=MAXIMUM_COPIES,
            )
        )


def count_pages(
    labels: int, geometry: SheetGeometry, *, start: int = 1, copies: int = 1, skip: Collection[int] = ()
) -> int:
    """How many pages so many labels take, before anything is printed."""
    _check_copies(copies)
    first = len(_free_positions(geometry, start, skip))
    total = labels * copies
    return 0 if total == 0 else 1 + max(0, -(-(total - first) // geometry.per_page))


class LabelSheet:
    """A PDF of label sheets that is filled label by label; `save` writes it.

    `start` is the first position to use on the first sheet, `skip` further positions of that sheet that are used up.
    """

    def __init__(
        self,
        target: str | os.PathLike[str] | IO[bytes],
        geometry: SheetGeometry,
        *,
        start: int = 1,
        skip: Collection[int] = (),
        title: str = "",
    ) -> None:
        self.geometry = geometry
        self.printed = PrintedLabels()
        self._area = _TextArea(geometry)
        self._free = _free_positions(geometry, start, skip)
        self._all = list(range(1, geometry.per_page + 1))
        left, top, _right, _bottom = geometry.insets
        # Base lines are counted from the bottom of the page in a PDF.
        self._origins = {}
        for position in self._all:
            x, y = geometry.corner(position)
            self._origins[position] = (
                (x + left) * POINTS_PER_MM,
                (geometry.page_height - y - top) * POINTS_PER_MM,
            )
        self._next = 0
        self._number = 0
        self._text: Any = None
        self._canvas = Canvas(
            target if hasattr(target, "write") else os.fspath(target),
            pagesize=(geometry.page_width * POINTS_PER_MM, geometry.page_height * POINTS_PER_MM),
            pageCompression=1,
            lang="de-DE",
        )
        self._canvas.setTitle(title or gettext("Etiketten"))
        self._canvas.setCreator("flask_appadmin")
        # Labels must come out in their true size: no "fit to page" in the viewer's print dialog.
        self._canvas.setViewerPreference("PrintScaling", "None")

    def add(self, lines: list[str], copies: int = 1) -> None:
        """Prints one label, `copies` times side by side."""
        _check_copies(copies)
        self._number += 1
        block = self._area.fit(self._number, lines, self.printed)
        if block is None:
            return
        for _copy in range(copies):
            self._print(block)

    def _print(self, block: _Block) -> None:
        if self._text is None or self._next == len(self._free):
            self._start_page()
        x, y = self._origins[self._free[self._next]]
        self._next += 1
        self.printed.labels += 1
        text = self._text
        size = block.lines[0].size
        text.setFont(_FONT_NAME, size, block.leading)
        text.setTextOrigin(x, y - block.first)
        for line in block.lines:
            if line.size != size:
                size = line.size
                text.setFont(_FONT_NAME, size, block.leading)
            text.textLine(line.text)

    def _start_page(self) -> None:
        if self._text is not None:
            self._end_page()
            self._free = self._all
        self._next = 0
        self._text = self._canvas.beginText()
        self.printed.pages += 1

    def _end_page(self) -> None:
        self._canvas.drawText(self._text)
        self._canvas.showPage()
        self._text = None

    def save(self) -> PrintedLabels:
        if self._text is None:
            raise LabelError(
                gettext("Es gibt keine Etiketten zu drucken. Bitte zuerst Datensätze mit Anschrift markieren.")
            )
        self._end_page()
        self._canvas.save()
        return self.printed


def print_labels(
    target: str | os.PathLike[str] | IO[bytes],
    labels: Iterable[list[str]],
    geometry: SheetGeometry,
    *,
    start: int = 1,
    copies: int = 1,
    skip: Collection[int] = (),
    title: str = "",
) -> PrintedLabels:
    """Writes a PDF with the labels to a path or an open binary stream.

    A file appears complete or not at all: if printing fails, what stood at the path before stays there.
    """
    _check_copies(copies)
    if hasattr(target, "write"):
        return _print_all(LabelSheet(target, geometry, start=start, skip=skip, title=title), labels, copies)
    path = Path(target)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            printed = _print_all(LabelSheet(stream, geometry, start=start, skip=skip, title=title), labels, copies)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    return printed


def _print_all(sheet: LabelSheet, labels: Iterable[list[str]], copies: int) -> PrintedLabels:
    for lines in labels:
        sheet.add(lines, copies)
    return sheet.save()


def _umask() -> int:
    """The process's mask for new files (temporary files are made for their owner only)."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

"""Prints lines of text on label sheets: page after page of a PDF.

Shape: a label is a list of lines (plain text; nothing in it is read as markup). Positions on a sheet count from 1, row
by row from the top left. geometry.py says where each label stands, fitting.py how its lines fit into it, printed.py
what came of it. Units: mm for everything about the sheet, points for letters. Errors: a geometry, start or number of
copies that cannot be printed raises `LabelError`; a label that could not be printed as given comes back as
`LabelWarning`.
Source: NE-12 to NE-17; decision on fonts in docs/decisions/label-font.md.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import IO, Any

from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas

from flask_appadmin.errors import LabelError
from flask_appadmin.i18n import gettext
from flask_appadmin.labels.fitting import FONT_NAME, POINTS_PER_MM, Block, TextArea
from flask_appadmin.labels.geometry import SheetGeometry
from flask_appadmin.labels.printed import PrintedLabels

# Streams need not be text: a tenth faster and smaller.
rl_config.useA85 = 0
#: Copies of one label (NE-17).
MAXIMUM_COPIES = 100


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
        self._area = TextArea(geometry)
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

    def _print(self, block: Block) -> None:
        if self._text is None or self._next == len(self._free):
            self._start_page()
        x, y = self._origins[self._free[self._next]]
        self._next += 1
        self.printed.labels += 1
        text = self._text
        size = block.lines[0].size
        text.setFont(FONT_NAME, size, block.leading)
        text.setTextOrigin(x, y - block.first)
        for line in block.lines:
            if line.size != size:
                size = line.size
                text.setFont(FONT_NAME, size, block.leading)
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

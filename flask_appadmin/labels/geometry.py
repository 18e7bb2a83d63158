"""Where labels stand on a page, in mm. Errors: `LabelError` for a sheet that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask_appadmin.errors import LabelError
from flask_appadmin.i18n import gettext

#: Most printers leave this much of the page's edge white (mm).
PRINTER_MARGIN = 4.5
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

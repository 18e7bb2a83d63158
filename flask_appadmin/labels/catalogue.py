"""Label sheets that can be bought, as facts: article number, page, and where the labels stand on it.

Shape: one `Sheet` per article, in the order in which they are offered. Units: mm, measured from the top left corner of
the sheet in portrait; `pitch` is the distance from one label's left (top) edge to the next one's.
Source: the dimensions were compared in two independent collections, LibreOffice 7.4 (labels.xml) and gLabels 3.4; where
they differ by up to 0.6 mm, which is what printers differ by, the first is used. L7162 and L7169 are wrong in the first
(a slipped decimal point, another page); their rows come from its twin entry and from gLabels.
"""

from __future__ import annotations

from typing import NamedTuple

#: Width and height of the pages in mm.
PAGES = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}


class Sheet(NamedTuple):
    #: The maker's article number.
    code: str
    page: str
    columns: int
    rows: int
    label_width: float
    label_height: float
    margin_left: float
    margin_top: float
    pitch_x: float
    pitch_y: float

    @property
    def name(self) -> str:
        """What operators choose by: maker, article number, labels across and down."""
        brand = "Avery" if self.page == "Letter" else "Avery Zweckform"
        return f"{brand} {self.code} ({self.columns} x {self.rows})"


# fmt: off
SHEETS: tuple[Sheet, ...] = (
    Sheet("L7159", "A4", 3, 8, 64, 33.86, 6.46, 13.06, 66.54, 33.86),
    Sheet("L7160", "A4", 3, 7, 63.5, 38.1, 7.2, 15.15, 66.04, 38.1),
    Sheet("L7161", "A4", 3, 6, 63.5, 46.56, 7.21, 8.82, 66.04, 46.56),
    Sheet("L7162", "A4", 2, 8, 99.06, 33.87, 4.67, 13.02, 101.6, 33.87),
    Sheet("L7163", "A4", 2, 7, 99.06, 38.1, 4.67, 15.15, 101.6, 38.1),
    Sheet("L7164", "A4", 3, 4, 63.5, 71.97, 7.21, 4.57, 66.04, 71.97),
    Sheet("L7165", "A4", 2, 4, 99.06, 67.73, 4.67, 13.04, 101.6, 67.73),
    Sheet("L7166", "A4", 2, 3, 99.06, 93.13, 4.67, 8.81, 101.6, 93.13),
    Sheet("L7167", "A4", 1, 1, 199.6, 289.05, 5.2, 3.98, 199.6, 289.05),
    Sheet("L7168", "A4", 1, 2, 199.6, 143.53, 5.2, 4.97, 199.6, 143.53),
    Sheet("L7173", "A4", 2, 5, 99.06, 57, 4.67, 6, 101.6, 57),
    Sheet("L7651", "A4", 5, 13, 38.1, 21.17, 4.67, 10.9, 40.64, 21.17),
    Sheet("L7654", "A4", 4, 10, 45.72, 25.4, 9.75, 21.43, 48.26, 25.4),
    Sheet("L6009", "A4", 4, 12, 45.72, 21.17, 9.75, 21.41, 48.26, 21.17),
    Sheet("L6011", "A4", 3, 9, 63.5, 29.63, 7.21, 15.1, 66.04, 29.63),
    Sheet("3420", "A4", 3, 17, 70, 16.9, 0, 4.78, 70, 16.9),
    Sheet("3422", "A4", 3, 8, 70, 35, 0, 8.43, 70, 35),
    Sheet("3423", "A4", 2, 8, 105, 35, 0, 8.43, 105, 35),
    Sheet("3424", "A4", 2, 6, 105, 48, 0, 4.43, 105, 48),
    Sheet("3425", "A4", 2, 5, 105, 57, 0, 5.93, 105, 57),
    Sheet("3426", "A4", 2, 4, 105, 70, 0, 8.43, 105, 70),
    Sheet("3427", "A4", 2, 4, 105, 74.2, 0, 0, 105, 74.2),
    Sheet("3474", "A4", 3, 8, 70, 37.1, 0, 0, 70, 37.1),
    Sheet("3475", "A4", 3, 8, 70, 36, 0, 4.43, 70, 36),
    Sheet("3477", "A4", 2, 7, 105, 41, 0, 4.93, 105, 41),
    Sheet("3478", "A4", 1, 1, 210, 296.86, 0, 0, 210, 296.86),
    Sheet("3481", "A4", 3, 7, 70, 41, 0, 4.93, 70, 41),
    Sheet("3484", "A4", 2, 8, 105, 37.1, 0, 0, 105, 37.1),
    Sheet("3489", "A4", 3, 10, 70, 29.69, 0, 0, 70, 29.69),
    Sheet("3490", "A4", 3, 8, 70, 36, 0, 4.43, 70, 36),
    Sheet("3651", "A4", 4, 10, 52.5, 29.69, 0, 0, 52.5, 29.69),
    Sheet("3652", "A4", 3, 7, 70, 42.41, 0, 0, 70, 42.41),
    Sheet("3653", "A4", 2, 7, 105, 42.41, 0, 0, 105, 42.41),
    Sheet("3655", "A4", 1, 2, 210, 148.43, 0, 0, 210, 148.43),
    Sheet("3657", "A4", 4, 10, 48.5, 25.4, 8, 21.43, 48.5, 25.4),
    Sheet("3658", "A4", 3, 8, 64.6, 33.8, 8.1, 13.23, 64.6, 33.8),
    Sheet("3659", "A4", 2, 6, 97, 42.3, 8, 21.53, 97, 42.3),
    Sheet("3660", "A4", 2, 4, 97, 67.7, 8, 13.03, 97, 67.7),
    Sheet("3661", "A4", 3, 4, 70, 67.7, 0, 13.03, 70, 67.7),
    Sheet("3664", "A4", 3, 8, 70, 33.8, 0, 13.23, 70, 33.8),
    Sheet("3665", "A4", 2, 8, 105, 33.8, 0, 13.23, 105, 33.8),
    Sheet("3666", "A4", 5, 13, 38.1, 21.2, 9.75, 10.63, 38.1, 21.2),
    Sheet("3667", "A4", 4, 16, 48.5, 16.9, 8, 13.23, 48.5, 16.9),
    Sheet("3668", "A4", 4, 14, 52.5, 21.2, 0, 0, 52.5, 21.2),
    Sheet("3669", "A4", 3, 5, 70, 50.8, 0, 21.43, 70, 50.8),
    Sheet("4780", "A4", 4, 10, 48.5, 25.4, 8, 21.43, 48.5, 25.4),
    Sheet("4781", "A4", 2, 6, 97, 42.3, 8, 21.53, 97, 42.3),
    Sheet("5160", "Letter", 3, 10, 66.68, 25.4, 4.78, 12.7, 69.85, 25.4),
    Sheet("5161", "Letter", 2, 10, 101.6, 25.4, 3.96, 12.7, 106.36, 25.4),
    Sheet("5162", "Letter", 2, 7, 101.6, 33.87, 3.96, 21.17, 106.36, 33.87),
    Sheet("5163", "Letter", 2, 5, 101.6, 50.8, 3.96, 12.7, 106.36, 50.8),
    Sheet("5164", "Letter", 2, 3, 101.6, 84.67, 3.96, 12.7, 106.36, 84.67),
    Sheet("8160", "Letter", 3, 10, 66.68, 25.4, 4.78, 12.7, 69.85, 25.4),
    Sheet("L7169", "A4", 2, 2, 99.1, 138.99, 5.01, 7.06, 101.49, 138.99),
    Sheet("L4730", "A4", 10, 27, 17.8, 10, 6, 13, 20.3, 10),
    Sheet("6121", "A4", 5, 13, 38.07, 21.21, 9.5, 10.49, 38.07, 21.21),)
# fmt: on

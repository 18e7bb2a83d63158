"""Label sheets: geometry in mm, lines of text, pages, and the formats that operators choose from.

`sheet.py` prints, `geometry.py` says where a label stands, `fitting.py` how its lines fit into it, `printed.py` what
came of it; `catalogue.py` knows the sheets that can be bought, `formats.py` is the table of formats.
"""

from __future__ import annotations

from flask_appadmin.labels.formats import A4_SHEET, SINGLE_LABEL, LabelFormat, factory_formats, find_format
from flask_appadmin.labels.geometry import SheetGeometry
from flask_appadmin.labels.printed import LabelWarning, PrintedLabels
from flask_appadmin.labels.sheet import LabelSheet, count_pages, print_labels

__all__ = [
    "A4_SHEET",
    "SINGLE_LABEL",
    "LabelFormat",
    "LabelSheet",
    "LabelWarning",
    "PrintedLabels",
    "SheetGeometry",
    "count_pages",
    "factory_formats",
    "find_format",
    "print_labels",
]

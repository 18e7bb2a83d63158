"""Parts of a workbook as text: elements are put into them, cells and rows are written for them.

Shape: `XmlPart` is a part with one root; its elements may carry a prefix. Rows from 1, columns from 0.
Errors: `NotAnnotatable` where a part is not as expected.
"""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

from flask_appadmin.sheets.limits import MAX_CELL_CHARACTERS, column_letters

#: What stands before or behind the rows of a sheet may be so long.
LONGEST_FRAME = 16 << 20
XML_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#: Characters that XML cannot hold.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class NotAnnotatable(Exception):
    """The workbook is written in a way that this room does not know."""


def clean_text(text: str) -> str:
    """The text as a cell can hold it: without characters that XML does not know, no longer than a cell may be."""
    return _FORBIDDEN.sub("", text)[:MAX_CELL_CHARACTERS]


def cell_name(place: tuple[int, int]) -> str:
    """„B7“ for (7, 1)."""
    return f"{column_letters(place[1])}{place[0]}"


def cell_xml(ref: str, text: str, style: str = "") -> str:
    """A cell with a text, else with a format, else nothing; `style` is the attribute, with a space before it."""
    if not text:
        return f'<c r="{ref}"{style}/>' if style else ""
    return f'<c r="{ref}"{style} t="inlineStr"><is><t xml:space="preserve">{escape(clean_text(text))}</t></is></c>'


def row_xml(number: int, cells: Any, formats: list[int]) -> str:
    """A row of texts from column A on; a format of 0 is the usual one."""
    written = (
        cell_xml(f"{column_letters(index)}{number}", text, f' s="{formats[index]}"' if formats[index] else "")
        for index, text in enumerate(cells)
    )
    return f'<row r="{number}">{"".join(written)}</row>'


class XmlPart:
    """The text of a small part with one root, into which elements are put."""

    def __init__(self, text: str, root: str) -> None:
        self.text = text
        opened = re.search(rf"<((?:\w+:)?){root}\b[^>]*>", text)
        if opened is None:
            raise NotAnnotatable(root)
        #: What stands before the names of its elements: "" or "x:".
        self.prefix = opened[1]
        self._root = root
        if opened[0].endswith("/>"):
            self.text = f"{text[: opened.end() - 2]}></{self.prefix}{root}>{text[opened.end() :]}"

    def _own(self, xml: str) -> str:
        """The elements with the prefix of this part."""
        return re.sub(r"<(/?)(?=[A-Za-z])", rf"<\1{self.prefix}", xml) if self.prefix else xml

    def append(self, xml: str) -> None:
        """Puts elements at the end of the root."""
        at = self.text.rindex(f"</{self.prefix}{self._root}>")
        self.text = self.text[:at] + self._own(xml) + self.text[at:]

    def append_default(self, extension: str, content_type: str) -> None:
        """Says what files of an extension are, unless that is said."""
        if not re.search(rf'<(?:\w+:)?Default\b[^>]*\bExtension="{extension}"', self.text, re.IGNORECASE):
            opened = re.search(rf"<{self.prefix}{self._root}\b[^>]*>", self.text)
            assert opened is not None
            tag = self._own(f'<Default Extension="{extension}" ContentType="{content_type}"/>')
            self.text = self.text[: opened.end()] + tag + self.text[opened.end() :]

    def put_into(self, name: str, xml: str, *, first: bool) -> None:
        """Puts an element at the beginning or the end of the list of this name."""
        pattern = rf"<{self.prefix}{name}\b[^>]*(?<!/)>" if first else rf"</{self.prefix}{name}>"
        found = re.search(pattern, self.text)
        if found is None:
            raise NotAnnotatable(name)
        at = found.end() if first else found.start()
        self.text = self.text[:at] + xml + self.text[at:]

    def add_to_list(self, name: str, child: str, items: tuple[str, ...]) -> int:
        """Appends to a counted list and answers the number of the first new one."""
        p = self.prefix
        whole = re.search(rf"<{p}{name}\b[^>]*?(?:/>|(?<!/)>(.*?)</{p}{name}>)", self.text, re.DOTALL)
        inside = (whole[1] or "") if whole is not None else ""
        count = len(re.findall(rf"<{p}{child}\b", inside))
        added = f'<{p}{name} count="{count + len(items)}">{inside}{self._own("".join(items))}</{p}{name}>'
        if whole is not None:
            self.text = self.text[: whole.start()] + added + self.text[whole.end() :]
            return count
        if name != "dxfs":
            raise NotAnnotatable(name)
        later = re.search(rf"<{p}(?:tableStyles|colors|extLst)\b|</{p}styleSheet>", self.text)
        if later is None:
            raise NotAnnotatable(name)
        self.text = self.text[: later.start()] + added + self.text[later.start() :]
        return count

    def relation(self, number: str) -> str:
        """The attribute that names a relationship."""
        found = re.search(rf'xmlns:(\w+)="{re.escape(RELATIONSHIPS)}"', self.text)
        if found is None:
            raise NotAnnotatable("relationships")
        return f'{found[1]}:id="{number}"'

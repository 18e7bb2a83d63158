"""What the parser of xlsx does not tell: error values, formulas without a result, hidden rows, the last filled cell.

The parser turns `#REF!` into an empty cell, and an empty cell may mean "clear this value"; it reserves memory for
the whole area up to the last filled cell. So each worksheet's XML is looked through once, by plain searches in bytes,
while the archive is checked. A sheet that is written in an unusual way (name space prefixes) yields nothing here.
Shape: `SheetFacts` per sheet; cells are (row number from 1, column index from 0).
Errors: `Refused` for cells outside the limits. Source: spec trust bad inputs 96, 111, 112.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from flask_appadmin.sheets.limits import ReadLimits, Refused, column_index

if TYPE_CHECKING:
    from flask_appadmin.sheets.archive import Archive

_REFERENCE = re.compile(rb'<c [^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_ERROR_CELL = re.compile(
    rb'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]{1,3})(\d{1,7})"[^>]*>(?:(?!</c>).)*?<v>([^<]*)</v>', re.DOTALL
)
_EMPTY_FORMULA = re.compile(
    rb'<c\b[^>]*\br="([A-Z]{1,3})(\d{1,7})"[^>]*(?<!/)>\s*<f\b(?:[^>]*/>|[^>]*(?<!/)>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)
_HIDDEN_ROW = re.compile(rb'<row\b[^>]*\bhidden="(?:1|true)"')
#: A row longer than this is cut at a cell.
_LONGEST_ROW = 32 << 20
#: So many error values are told one by one; more is not a list but an accident.
MAX_CELL_FAULTS = 20_000


class SheetFacts:
    """What was seen in one worksheet's XML."""

    def __init__(self) -> None:
        #: (row number, column index) -> "#REF!" and its kind, or "=" for a formula whose result the file does not hold.
        self.cell_faults: dict[tuple[int, int], str] = {}
        self.hidden_rows = 0
        self.last_row = 0
        self.last_column = -1
        #: A filled cell beyond the limit of columns, "" for none.
        self.far_cell = ""


class SheetScanner:
    """Collects `SheetFacts` from the bytes of a worksheet part."""

    def __init__(self, limits: ReadLimits) -> None:
        self.facts = SheetFacts()
        self._limits = limits
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        block = self._rest + chunk
        cut = block.rfind(b"</row>", len(self._rest) - 6 if self._rest else 0)
        if cut < 0:
            if len(block) > _LONGEST_ROW:
                raise Refused("damaged")
            self._rest = block
            return
        self._rest = block[cut + 6 :]
        self._look(block[: cut + 6])

    def close(self) -> None:
        self._look(self._rest)
        self._rest = b""

    def _look(self, block: bytes) -> None:
        facts = self.facts
        start = 0
        while (end := block.find(b"</row>", start)) >= 0:
            # Only cells that are closed by a tag of their own hold something; the others carry a format.
            closing = block.rfind(b"</c>", start, end)
            if closing >= 0:
                found = _REFERENCE.match(block, block.rfind(b"<c ", start, closing))
                if found is not None:
                    column = column_index(found[1].decode())
                    row = int(found[2])
                    if column > facts.last_column:
                        facts.last_column = column
                        if column >= self._limits.columns and not facts.far_cell:
                            facts.far_cell = f"{found[1].decode()}{row}"
                    facts.last_row = max(facts.last_row, row)
            start = end + 6
        if b'"e"' in block:
            for found in _ERROR_CELL.finditer(block):
                self._fault(found, found[3].decode("utf-8", "replace"))
        if b"<f" in block:
            for found in _EMPTY_FORMULA.finditer(block):
                self._fault(found, "=")
        if b"hidden=" in block:
            facts.hidden_rows += len(_HIDDEN_ROW.findall(block))

    def _fault(self, found: re.Match[bytes], text: str) -> None:
        faults = self.facts.cell_faults
        if len(faults) >= MAX_CELL_FAULTS:
            raise Refused("too_many_cell_faults", limit=MAX_CELL_FAULTS)
        faults[int(found[2]), column_index(found[1].decode())] = text


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def elements(text: bytes, wanted: str) -> list[dict[str, str]]:
    """The attributes (without prefixes) of all elements of a name in a small XML part."""
    found: list[dict[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == wanted:
            found.append({_local(key): value for key, value in attributes.items()})

    def doctype(*_: object) -> None:
        raise Refused("entities")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise Refused("damaged") from error
    return found


def relation_kind(relation: dict[str, str]) -> str:
    """The last word of a relationship's type: "styles", "comments" …"""
    return relation.get("Type", "").rpartition("/")[2]


def target_of(relation: dict[str, str], folder: str) -> str:
    """The part a relationship leads to; what is no whole path counts from the folder of the part that names it."""
    target = relation.get("Target", "").replace("\\", "/")
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def relations_part(part: str) -> str:
    """The part that lists the relationships of a part."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def worksheet_parts(archive: Archive) -> dict[str, str]:
    """Part name -> sheet name, for the worksheets of the workbook."""
    root = "_rels/.rels"
    workbook = "xl/workbook.xml"
    if root in archive.parts:
        for relation in elements(archive.read(root), "Relationship"):
            if relation_kind(relation) == "officeDocument":
                workbook = relation.get("Target", workbook).lstrip("/")
    relations = relations_part(workbook)
    if workbook not in archive.parts or relations not in archive.parts:
        return {}
    folder = posixpath.dirname(workbook)
    targets = {
        relation.get("Id", ""): target_of(relation, folder)
        for relation in elements(archive.read(relations), "Relationship")
    }
    found: dict[str, str] = {}
    for sheet in elements(archive.read(workbook), "sheet"):
        # The identifier has lost its prefix beside the sheet's own number, which is called sheetId.
        part = targets.get(sheet.get("id", ""), "")
        if part in archive.parts:
            found[part] = sheet.get("name", "")
    return found

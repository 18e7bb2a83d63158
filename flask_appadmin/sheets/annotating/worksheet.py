"""One worksheet of the operator: room for a column of states, the states, and the rules that colour beside them.

Shape: `SheetFrame` is the part in three pieces (before, in and behind its rows), `RowMarker` writes into the rows as
they pass. Errors: `NotAnnotatable`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

from flask_appadmin.sheets.annotating.notes import SheetMarks
from flask_appadmin.sheets.annotating.xmlparts import LONGEST_FRAME, RELATIONSHIPS, NotAnnotatable, cell_xml
from flask_appadmin.sheets.archive import Archive
from flask_appadmin.sheets.limits import column_index, column_letters

#: Stands in the rules that colour; by it they are known again.
_SIGN = "appadmin-marks"
#: Cells that one rule names.
_CELLS_OF_RULE = 400
_LONGEST_ROWS = 32 << 20
#: What stands behind the rules that colour, and behind the drawing of the comments.
_BEHIND_RULES = (
    "dataValidations", "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter", "rowBreaks",
    "colBreaks", "customProperties", "cellWatches", "ignoredErrors", "smartTags", "drawing", "legacyDrawing",
)  # fmt: skip
_BEHIND_DRAWING = (
    "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip


class SheetFrame:
    """A worksheet part: what stands before its rows, the rows as a stream, and what stands behind them."""

    def __init__(self, archive: Archive, part: str) -> None:
        self._archive, self._part = archive, part
        head = b""
        for chunk in archive.chunks(part):
            head += chunk
            if len(head) > LONGEST_FRAME:
                raise NotAnnotatable("frame")
            opened = re.search(rb"<((?:\w+:)?)sheetData\s*(/?)>", head)
            if opened is not None:
                break
        else:
            raise NotAnnotatable("rows")
        if opened[2] or b"<!--" in head[: opened.end()]:
            raise NotAnnotatable("rows")
        self.head = head[: opened.end()]
        self.p = opened[1]
        root = re.search(rb"<(?:\w+:)?worksheet\b[^>]*>", self.head)
        if root is None or not self.head.lstrip(b"\xef\xbb\xbf").startswith(b"<"):
            raise NotAnnotatable("worksheet")
        self._root = root
        self.foot = b""

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the rows."""
        end = b"</" + self.p + b"sheetData>"
        left, held, is_over = len(self.head), b"", False
        foot: list[bytes] = []
        for chunk in self._archive.chunks(self._part):
            if left:
                chunk, left = chunk[left:], max(0, left - len(chunk))
            if is_over:
                foot.append(chunk)
                continue
            held += chunk
            at = held.find(end)
            if at >= 0:
                yield held[:at]
                foot.append(held[at:])
                is_over = True
            elif len(held) > len(end):
                # What may be the beginning of the end tag waits for the next chunk.
                yield held[: -len(end)]
                held = held[-len(end) :]
        if not is_over:
            raise NotAnnotatable("rows")
        self.foot = b"".join(foot)

    def prolog(self, last_column: int) -> bytes:
        """What stands before the rows, with room for one more column; the sheet is not selected any more."""
        start = self._root.end()
        inside = self.head[start:].rpartition(b"<")[0]
        pieces, at = [self.head[:start]], 0
        p = self.p
        width = b'<%scol min="%d" max="%d" width="48" customWidth="1"/>' % (p, last_column + 1, last_column + 1)
        is_placed = False
        for name, begin, end in _children(inside):
            pieces.append(inside[at:begin])
            text = inside[begin:end]
            if name == "sheetViews":
                text = re.sub(rb'\s+tabSelected="(?:1|true)"', b"", text)
            elif name == "dimension":
                text = re.sub(rb'(ref="[A-Z]+\d+:)([A-Z]+)', lambda found: _wider(found, last_column), text)
            elif name == "cols":
                text, is_placed = _with_column(text, p, last_column + 1, width), True
            pieces.append(text)
            at = end
        pieces.append(inside[at:])
        if not is_placed:
            pieces.append(b"<%scols>%s</%scols>" % (p, width, p))
        pieces.append(self.head[start + len(inside) :])
        return b"".join(pieces)

    def tail(self, rules: str, drawing: str) -> bytes:
        """What stands behind the rows, which have been read, with the rules that colour and the comments' drawing."""
        foot = self.foot
        if len(foot) > LONGEST_FRAME:
            raise NotAnnotatable("frame")
        start = foot.index(b">") + 1
        end = foot.rindex(b"<")
        inside = foot[start:end]
        children = _children(inside)
        drawn = b""
        if drawing:
            found = re.search(rb'xmlns:(\w+)="%s"' % re.escape(RELATIONSHIPS.encode()), self._root[0])
            if found is None:
                named = f'xmlns:marks="{RELATIONSHIPS}" marks:id="{drawing}"'.encode()
            else:
                named = found[1] + f':id="{drawing}"'.encode()
            drawn = b"<%slegacyDrawing %s/>" % (self.p, named)
        colours = re.sub(r"<(/?)(?=[A-Za-z])", rf"<\1{self.p.decode()}", rules).encode()
        pieces, at = [foot[:start]], 0
        for name, begin, finish in children:
            pieces.append(inside[at:begin])
            at = begin
            if name in _BEHIND_RULES or name in _BEHIND_DRAWING:
                pieces.append(colours)
                colours = b""
            if name in _BEHIND_DRAWING:
                pieces.append(drawn)
                drawn = b""
            if name == "conditionalFormatting" and _SIGN.encode() in inside[begin:finish]:
                pieces.append(self._without_own(inside[begin:finish]))
                at = finish
        return b"".join([*pieces, inside[at:], colours, drawn, foot[end:]])

    def _without_own(self, rule: bytes) -> bytes:
        p = re.escape(self.p)
        left = re.sub(
            rb"<%scfRule\b[^>]*>(?:(?!</%scfRule>).)*?%s.*?</%scfRule>" % (p, p, _SIGN.encode(), p), b"", rule,
            flags=re.DOTALL,
        )  # fmt: skip
        return left if b"cfRule" in left else b""


def _children(fragment: bytes) -> list[tuple[str, int, int]]:
    """The elements of a piece of XML: (name without prefix, begin, end) in bytes."""
    found: list[tuple[str, int, int]] = []
    depth, begin, before = 0, 0, len(b"<marks>")
    parser = expat.ParserCreate("utf-8")

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth, begin
        depth += 1
        if depth == 2:
            begin = parser.CurrentByteIndex - before

    def end(name: str) -> None:
        nonlocal depth
        if depth == 2:
            at = parser.CurrentByteIndex - before
            # Of an element without content the parser tells where it ends.
            finish = fragment.index(b">", at) + 1 if fragment.startswith(b"</", at) or at <= begin else at
            found.append((name.rpartition(":")[2], begin, finish))
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(b"<marks>" + fragment + b"</marks>", True)
    return found


def _wider(found: re.Match[bytes], last_column: int) -> bytes:
    letters = found[2].decode()
    return found[1] + (column_letters(last_column).encode() if column_index(letters) < last_column else found[2])


def _with_column(cols: bytes, p: bytes, number: int, width: bytes) -> bytes:
    """The widths of columns, with that of one column set; a range that covers it is divided."""
    pieces: list[tuple[int, bytes]] = []
    for found in re.finditer(rb"<%scol\b[^>]*/>" % re.escape(p), cols):
        low, high = (int(re.search(rb'\b%s="(\d+)"' % name, found[0])[1]) for name in (b"min", b"max"))  # type: ignore[index]
        if not low <= number <= high:
            pieces.append((low, found[0]))
            continue
        for first, last in ((low, number - 1), (number + 1, high)):
            if first <= last:
                text = re.sub(rb'\bmin="\d+"', b'min="%d"' % first, found[0])
                pieces.append((first, re.sub(rb'\bmax="\d+"', b'max="%d"' % last, text)))
    pieces.append((number, width))
    pieces.sort(key=lambda piece: piece[0])
    inside = b"".join(text for _first, text in pieces)
    return cols[: cols.index(b">") + 1] + inside + b"</%scols>" % p


def colour_rules(sheet: SheetMarks, fills: dict[str, int]) -> str:
    """The rules that colour cells as long as the state of their row is there; `fills` numbers their formats."""
    by_column: dict[tuple[str, int], list[int]] = {}
    for (row, column), look in sorted(sheet.colours.items()):
        by_column.setdefault((look, column), []).append(row)
    status = column_letters(sheet.status_column)
    rules = []
    for (look, column), rows in by_column.items():
        letters = column_letters(column)
        for start in range(0, len(rows), _CELLS_OF_RULE):
            part = rows[start : start + _CELLS_OF_RULE]
            cells = " ".join(f"{letters}{row}" for row in part)
            formula = f'AND(LEN(${status}{part[0]})&gt;0,"{_SIGN}"="{_SIGN}")'
            rules.append(
                f'<conditionalFormatting sqref="{cells}"><cfRule type="expression" dxfId="{fills[look]}" '
                f'priority="1"><formula>{formula}</formula></cfRule></conditionalFormatting>'
            )
    return "".join(rules)


class RowMarker:
    """Writes the states into the rows of one sheet."""

    def __init__(self, frame: SheetFrame, sheet: SheetMarks) -> None:
        self._frame, self._sheet = frame, sheet
        self._letters = column_letters(sheet.status_column)
        p = re.escape(frame.p)
        self._row = re.compile(rb"<%srow\b([^>]*?)(?:/>|(?<!/)>(.*?)</%srow>)" % (p, p), re.DOTALL)
        self._end = b"</" + frame.p + b"row>"
        self._cell = re.compile(rb"<%sc\b([^>]*?)(?:/>|(?<!/)>.*?</%sc>)" % (p, p), re.DOTALL)
        #: Ends a cell that holds something; others carry a format only.
        self._filled = b"</" + frame.p + b"c>"
        self._last = 0

    def rows(self) -> Iterator[bytes]:
        """The rows with their states, in pieces."""
        held = b""
        for chunk in self._frame.chunks():
            held += chunk
            cut = held.rfind(self._end)
            if cut >= 0:
                cut += len(self._end)
                yield self._row.sub(self._marked, held[:cut])
                held = held[cut:]
            elif len(held) > _LONGEST_ROWS:
                raise NotAnnotatable("rows")
        yield held

    def _marked(self, found: re.Match[bytes]) -> bytes:
        number = re.search(rb'\br="(\d+)"', found[1])
        self._last = row = int(number[1]) if number else self._last + 1
        if found[2] is None:
            return found[0]
        sheet = self._sheet
        is_head = row == sheet.header_row
        content = found[2]
        text = sheet.heading if is_head else sheet.states.get(row, "")
        if not text and row > sheet.header_row and self._filled in content:
            text = sheet.usual
        ref = f"{self._letters}{row}".encode()
        last = self._last_column(content)
        if last < sheet.status_column:
            if not text:
                return found[0]
            content += self._written(ref, text, self._style_of_last(content) if is_head else "")
        else:
            content = self._replaced(content, ref, text)
        attributes = re.sub(rb'\s+spans="[^"]*"', b"", found[1])
        name = self._frame.p + b"row"
        return b"<%s%s>%s</%s>" % (name, attributes, content, name)

    def _written(self, ref: bytes, text: str, style: str) -> bytes:
        cell = cell_xml(ref.decode(), text, style)
        p = self._frame.p.decode()
        return (re.sub(r"<(/?)(?=[a-z])", rf"<\1{p}", cell) if p else cell).encode()

    def _last_column(self, content: bytes) -> int:
        start = content.rfind(b"<" + self._frame.p + b"c ")
        if start < 0:
            if b"<" + self._frame.p + b"c>" in content:
                raise NotAnnotatable("cells")
            return -1
        found = re.compile(rb'[^>]*?\br="([A-Z]{1,3})\d+"').match(content, start)
        if found is None:
            raise NotAnnotatable("cells")
        return column_index(found[1].decode())

    def _style_of_last(self, content: bytes) -> str:
        start = content.rfind(b"<" + self._frame.p + b"c ")
        found = re.compile(rb'[^>]*?\bs="(\d+)"').match(content, start) if start >= 0 else None
        return f' s="{found[1].decode()}"' if found else ""

    def _replaced(self, content: bytes, ref: bytes, text: str) -> bytes:
        """The cells of a row that has some behind the column of states, or one in it."""
        for cell in self._cell.finditer(content):
            named = re.search(rb'\br="([A-Z]{1,3})\d+"', cell[1])
            if named is None:
                raise NotAnnotatable("cells")
            column = column_index(named[1].decode())
            if column < self._sheet.status_column:
                continue
            if column == self._sheet.status_column:
                style = re.search(rb'\bs="(\d+)"', cell[1])
                written = self._written(ref, text, f' s="{style[1].decode()}"' if style else "")
                return content[: cell.start()] + written + content[cell.end() :]
            return content[: cell.start()] + self._written(ref, text, "") + content[cell.start() :]
        return content

"""Comments of one sheet: their texts in one part, the boxes in which they are shown in another."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from flask_appadmin.i18n import _, use_locale
from flask_appadmin.sheets.annotating.xmlparts import MAIN_NAMESPACE, XML_HEAD, XmlPart, cell_name, clean_text
from flask_appadmin.sheets.limits import column_index

#: Whose comments they are. Every text begins with this name, by which it is known again: some programs forget authors.
AUTHOR = _("Importprüfung")
#: So many comments are written on a sheet; a file with more of them opens in minutes.
MAX_COMMENTS = 10_000
NO_COMMENTS = f'{XML_HEAD}<comments xmlns="{MAIN_NAMESPACE}"><authors/><commentList/></comments>'
NO_SHAPES = (
    '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data=""/>'
    "</o:shapelayout></xml>"
)
_SHAPE_TYPE = (
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)


def _authors() -> set[str]:
    """What we call ourselves, in every language."""
    found = set()
    for locale in ("de", "en"):
        with use_locale(locale):
            found.add(str(AUTHOR))
    return found


class Comments:
    """The part with the comments of one sheet."""

    def __init__(self, text: str) -> None:
        part = XmlPart(text, "comments")
        self._p = p = part.prefix
        self.text = part.text
        for name in ("authors", "commentList"):
            self.text = re.sub(rf"<{p}{name}\s*/>", f"<{p}{name}></{p}{name}>", self.text)
        self._comment = re.compile(rf"<{p}comment\b([^>]*)>.*?</{p}comment>", re.DOTALL)
        self._authors = re.findall(rf"<{p}author\s*/>|<{p}author>(.*?)</{p}author>", self.text, re.DOTALL)
        self._text = re.compile(rf"<{p}t\b[^>]*>([^<]*)</{p}t>")
        names = "|".join(re.escape(escape(name)) for name in _authors())
        self._own = re.compile(rf"\s*(?:{names}):")
        self._addition = re.compile(rf"\n\n(?:{names}):[^<]*")
        self.altered = False

    def remove_own(self) -> set[str]:
        """Takes out what an earlier call wrote; the cells that have no comment now."""
        gone = set()

        def look(found: re.Match[str]) -> str:
            if self._own.match("".join(self._text.findall(found[0]))):
                gone.add(_attribute(found[1], "ref"))
                return ""
            return self._addition.sub("", found[0])

        before = self.text
        self.text = self._comment.sub(look, self.text)
        self.altered = self.text != before
        return gone

    def put(self, wanted: dict[tuple[int, int], str]) -> list[tuple[int, int]]:
        """Writes comments, behind the operator's own where there is one; answers those that need a box."""
        if not wanted:
            return []
        p, self.altered = self._p, True
        author = escape(str(AUTHOR))
        texts = {cell_name(place): f"{author}:\n{escape(clean_text(text))}" for place, text in wanted.items()}

        def add(found: re.Match[str]) -> str:
            text = texts.pop(_attribute(found[1], "ref"), "")
            addition = f'<{p}r><{p}t xml:space="preserve">\n\n{text}</{p}t></{p}r></{p}text>'
            return found[0].replace(f"</{p}text>", addition, 1) if text else found[0]

        self.text = self._comment.sub(add, self.text)
        if author not in self._authors:
            self._authors.append(author)
            self.text = self.text.replace(f"</{p}authors>", f"<{p}author>{author}</{p}author></{p}authors>", 1)
        number = self._authors.index(author)
        made = "".join(
            f'<{p}comment ref="{ref}" authorId="{number}"><{p}text><{p}r><{p}t xml:space="preserve">{text}</{p}t>'
            f"</{p}r></{p}text></{p}comment>"
            for ref, text in texts.items()
        )
        at = self.text.rindex(f"</{p}commentList>")
        self.text = self.text[:at] + made + self.text[at:]
        return [place for place in wanted if cell_name(place) in texts]

    def places(self) -> list[tuple[int, int]]:
        """(row, column) of all comments."""
        refs = (
            re.fullmatch(r"([A-Z]{1,3})(\d+)", _attribute(each[1], "ref")) for each in self._comment.finditer(self.text)
        )
        return [(int(ref[2]), column_index(ref[1])) for ref in refs if ref is not None]


class Shapes:
    """The part with the boxes in which comments are shown."""

    def __init__(self, text: str) -> None:
        self.text = text
        usual = (("v", "vml"), ("o", "office:office"), ("x", "office:excel"))
        self.is_foreign = "</xml>" not in text or any(
            f'xmlns:{prefix}="urn:schemas-microsoft-com:{name}"' not in text for prefix, name in usual
        )

    def remove(self, refs: set[str]) -> None:
        if not refs:
            return

        def look(found: re.Match[str]) -> str:
            row, column = re.search(r"<x:Row>\s*(\d+)", found[0]), re.search(r"<x:Column>\s*(\d+)", found[0])
            is_gone = row and column and cell_name((int(row[1]) + 1, int(column[1]))) in refs
            return "" if is_gone else found[0]

        self.text = re.sub(r"<v:shape\b.*?</v:shape>", look, self.text, flags=re.DOTALL)

    def add(self, places: list[tuple[int, int]]) -> None:
        if not places:
            return
        shapes = [] if "_x0000_t202" in self.text else [_SHAPE_TYPE]
        # The numbers of shapes are given out in blocks of 1,024.
        block = 1 + max([0, *(int(found) // 1024 for found in re.findall(r'id="_x0000_s(\d+)"', self.text))])
        for index, (row, column) in enumerate(places):
            number = (block + index // 1000) * 1024 + 1 + index % 1000
            shapes.append(
                f'<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;margin-left:80pt;'
                f'margin-top:2pt;width:220pt;height:70pt;z-index:{index + 1};visibility:hidden" fillcolor="#ffffe1" '
                'o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow color="black" obscured="t"/>'
                '<v:path o:connecttype="none"/><v:textbox><div>'
                '</div></v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
                f"<x:Anchor>{column + 1}, 15, {max(row - 2, 0)}, 10, {column + 4}, 15, {row + 3}, 4</x:Anchor>"
                f"<x:AutoFill>False</x:AutoFill><x:Row>{row - 1}</x:Row><x:Column>{column}</x:Column></x:ClientData>"
                "</v:shape>"
            )
        used = ",".join(str(block + number) for number in range(-(-len(places) // 1000)))
        self.text = re.sub(
            r'(<o:idmap\b[^>]*\bdata=")([^"]*)(")',
            lambda found: f"{found[1]}{','.join(filter(None, (found[2], used)))}{found[3]}",
            self.text,
            count=1,
        )
        at = self.text.rindex("</xml>")
        self.text = self.text[:at] + "".join(shapes) + self.text[at:]


def _attribute(attributes: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', attributes)
    return found[1] if found else ""

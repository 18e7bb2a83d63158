"""Hostile files by the thousand: small good files of every kind, changed at random in ways that hurt parsers.

Shape: `hostile_files(count, seed)` yields (name, bytes); the same seed makes the same files. Of the archives some are
changed in their packed bytes, the others in the XML inside, which a reader sees only if the archive around it is whole.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterator

#: What stands where something else is expected.
_TOKENS: tuple[bytes, ...] = (
    b"", b"\0", b"-1", b"1048577", b"99999999999999999999", b"1e999", b"NaN", b"A1:XFD1048576", b"ZZZ999999999",
    b"XFD1", b"\r", b"\x1a",
    b"&#0;", b"&#xD800;", b"&unknown;", b"]]>", b"<![CDATA[", b"<!--", b"?>", b'"', b"'", b"<", b">", b"/>",
    b"\xff\xfe",
    b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc3\x28", b"\t" * 300, b";" * 600, b'""""', b"x" * 40_000,
    b'<!DOCTYPE a [<!ENTITY b "c">]>', b'<!DOCTYPE a SYSTEM "file:///etc/passwd">', b' r="XFD1048576"', b' t="s"',
    b' table:number-columns-repeated="2000000000"', b' table:number-rows-repeated="1048576"', b' office:value="1e400"',
    b'<row r="1048576"/>', b"<si><t/></si>", b"../../../etc/passwd", b"\xe2\x80\xae",
)  # fmt: skip

_TEXT = (
    "Kundennummer;Name;PLZ;Ort;Umsatz;Seit\r\n10001;Müller & Söhne;01307;Dresden;1.234,50;01.02.2024\r\n"
    '10002;"Bäcker ""Süß"" OG";1010;"Wien\r\nInnere Stadt";-7,5;\r\n10003;=1+1;08056;Zwickau;;31.12.1999\r\n'
)
_XML = (
    '<?xml version="1.0" encoding="UTF-8"?><?mso-application progid="Excel.Sheet"?>'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table><Row><Cell><Data>Firma</Data>'
    "</Cell></Row><Row><Cell><Data>Müller</Data></Cell></Row></Table></Worksheet></Workbook>"
)


def good_files() -> dict[str, bytes]:
    """One small file of each kind, as other programs write them."""
    import openpyxl

    book = openpyxl.Workbook()
    table = book.active
    assert table is not None
    for row in (["Kundennummer", "Name", "PLZ"], [10001, "Müller", "01307"], [10002, "Öz", None], [1.5, True, "#REF!"]):
        table.append(row)
    table.merge_cells("A6:B7")
    held = io.BytesIO()
    book.save(held)
    row = (
        '<table:table-row><table:table-cell office:value-type="string"><text:p>Müller</text:p></table:table-cell>'
        '<table:table-cell office:value-type="float" office:value="1307"/><table:table-cell'
        ' office:value-type="date" office:date-value="2024-02-01"/><table:table-cell'
        ' table:number-columns-repeated="3"/></table:table-row>'
    )
    content = (
        '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet><table:table'
        f' table:name="Kunden">{row * 3}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    parts = {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": content.encode()}
    return {
        "kunden.xlsx": held.getvalue(),
        "kunden.ods": _packed(parts),
        "kunden.csv": _TEXT.encode("cp1252"),
        "kunden.txt": _TEXT.replace(";", "\t").encode("utf-16"),
        "kunden.xml": _XML.encode(),
    }


def _packed(parts: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in parts.items():
            archive.writestr(name, raw)
    return held.getvalue()


def hostile_files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """So many files, of all kinds in turn."""
    chance = random.Random(seed)
    seeds = list(good_files().items())
    for number in range(count):
        name, raw = seeds[number % len(seeds)]
        if raw.startswith(b"PK") and chance.random() < 0.6:
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                parts = {part: archive.read(part) for part in archive.namelist()}
            for part in chance.sample(sorted(parts), chance.choice((1, 1, 2))):
                parts[part] = _changed(parts[part], chance)
            yield name, _packed(parts)
        else:
            yield name, _changed(raw, chance)


def _changed(raw: bytes, chance: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        if not changed:
            break
        chance.choice(_WAYS)(changed, chance.randrange(len(changed)), chance)
    return bytes(changed)


def _flip(raw: bytearray, place: int, chance: random.Random) -> None:
    raw[place] ^= 1 << chance.randrange(8)


def _overwrite(raw: bytearray, place: int, chance: random.Random) -> None:
    raw[place : place + 4] = chance.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x01\0\0\0"))


def _cut(raw: bytearray, place: int, chance: random.Random) -> None:
    del raw[place : place + chance.randrange(1, 200)]


def _cut_end(raw: bytearray, place: int, chance: random.Random) -> None:
    del raw[place:]


def _double(raw: bytearray, place: int, chance: random.Random) -> None:
    piece = raw[place : place + chance.randrange(1, 400)]
    raw[place:place] = piece * chance.choice((1, 2, 50))


def _insert(raw: bytearray, place: int, chance: random.Random) -> None:
    raw[place:place] = chance.choice(_TOKENS)


def _replace_value(raw: bytearray, place: int, chance: random.Random) -> None:
    """What stands in the next quotation marks, or between the next brackets, becomes something else."""
    opening, closing = chance.choice(((b'"', b'"'), (b">", b"<")))
    start = raw.find(opening, place) + 1
    end = raw.find(closing, start)
    if start and end > 0:
        raw[start:end] = chance.choice(_TOKENS)


_WAYS: tuple[Callable[[bytearray, int, random.Random], None], ...] = (
    _flip, _overwrite, _cut, _cut_end, _double, _insert, _insert, _replace_value, _replace_value,
)  # fmt: skip

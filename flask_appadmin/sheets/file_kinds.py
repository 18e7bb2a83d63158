"""What a file is, told by its contents; its name is not asked.

Shape: short keys, which `reading` names in German. "text" may be delimited text, "zip" and "ole" are containers to
look into.
Imported by the reading child: standard library only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask_appadmin.sheets.archive import Archive

#: So much of a file is looked at.
HEAD_BYTES = 1 << 16

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"%PDF", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"BM\x00", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"{\\rtf", "text_document"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"SQLite format 3", "database"),
    (b"PAR1", "database"),
    (b"\x00\x01\x00\x00Standard", "database"),
    (b"ID;P", "sylk"),
    (b"\x09\x00\x04\x00", "old_excel"),
    (b"\x09\x02\x06\x00", "old_excel"),
    (b"\x09\x04\x06\x00", "old_excel"),
    (b"\x09\x00\x06\x00", "old_excel"),
    (b"OggS", "media"),
    (b"ID3", "media"),
    (b"\x00\x00\x00\x18ftyp", "media"),
    (b"RIFF", "media"),
)


def kind_of(head: bytes) -> str:
    """The kind of a file by its first 64 kB."""
    if not head:
        return "empty"
    for magic, kind in _MAGIC:
        if head.startswith(magic) and (kind != "program" or b"\x00" in head):
            return kind
    if not head.strip(b"\0"):
        return "nothing"
    start = head.removeprefix(b"\xef\xbb\xbf")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or start[:64].count(0) > 8:
        # UTF-16: every second byte of the markup is 0.
        start = start.lstrip(b"\xff\xfe").replace(b"\0", b"")
    start = start.lstrip().lower()
    if start.startswith(b"<"):
        return _kind_of_markup(start)
    if re.match(rb'[\[{]\s*["{\[]|\{\s*\}|\[\s*\]', start) and not re.match(rb"[^\r\n]*;", start):
        return "json"
    if start.startswith((b"begin:vcard", b"begin:vcalendar")):
        return "vcard"
    return "text"


def _kind_of_markup(start: bytes) -> str:
    if b"urn:schemas-microsoft-com:office:spreadsheet" in start:
        return "xml_2003"
    if b"application/vnd.oasis.opendocument.spreadsheet" in start:
        return "flat_ods"
    if re.match(rb"<(!doctype html|html|head|body|table|meta|style|script|div|!--)", start) or b"<html" in start[:2000]:
        return "html"
    if start.startswith((b"<?xml", b"<!doctype")):
        return "xml"
    # A row of a text file may begin with an angle bracket.
    return "xml" if re.match(rb"<[a-z][^<>]*>\s*<", start) else "text"


def kind_of_archive(archive: Archive) -> str:
    """The kind of a zip file: "xlsx", "xlsm", "ods" can be read, the others are named to the operator."""
    names = archive.parts
    if "mimetype" in names and "content.xml" in names:
        mime = archive.read("mimetype", 4096).strip()
        if mime.startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
            return "ods"
        return "text_document" if b"opendocument.text" in mime else "other_office"
    lower = {name.lower() for name in names}
    if "xl/workbook.bin" in lower:
        return "xlsb"
    if any(name.startswith("word/") for name in lower):
        return "text_document"
    if any(name.startswith("ppt/") for name in lower):
        return "other_office"
    if any(name.endswith(".iwa") for name in lower):
        return "numbers"
    if "[content_types].xml" in lower:
        return "xlsm" if any(name.endswith("vbaproject.bin") for name in lower) else "xlsx"
    return "archive"


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-le")


def kind_of_compound(raw: bytes) -> str:
    """The kind of a compound file (the container of the older Office formats), by the names in its directory."""
    if _utf16("EncryptedPackage") in raw:
        return "password"
    if _utf16("WordDocument") in raw:
        return "text_document"
    if _utf16("PowerPoint Document") in raw:
        return "other_office"
    if _utf16("Workbook") in raw or _utf16("Book") in raw or _utf16("WORKBOOK") in raw:
        return "xls"
    if _utf16("__substg1.0_") in raw:
        return "mail"
    return "damaged_compound"


def is_encrypted_xls(raw: bytes) -> bool:
    """Whether the workbook stream of an xls file begins with a FILEPASS record.

    The parser tells a password only when it is given a file name that ends in xls; here it gets none.
    """
    for found in re.finditer(rb"\x09\x08[\x08\x10]\x00", raw):
        place = found.start()
        if place % 512:
            continue
        for _ in range(8):
            record = int.from_bytes(raw[place : place + 2], "little")
            if record == 0x2F:
                return True
            place += 4 + int.from_bytes(raw[place + 2 : place + 4], "little")
        return False
    return False

"""A look into a zip archive before any parser gets it: names, overlaps, and the true sizes of all parts.

Every part is inflated here once, counted, and given to whoever wants to look at its bytes; nothing is kept.
Errors: `Refused`. Source: spec trust F2, bad inputs 95, 98 and 99.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from flask_appadmin.sheets.limits import ReadLimits, Refused

_CHUNK = 1 << 18
#: A part below this size may be as repetitive as it likes.
_FREE_BYTES = 1 << 20
_XML_NAMES = (".xml", ".rels", ".vml")


class PartScanner(Protocol):
    """Sees the bytes of one part in order."""

    def feed(self, chunk: bytes) -> None: ...

    def close(self) -> None: ...


class Archive:
    """The directory of a zip file, checked on opening; `inspect` then checks the contents."""

    def __init__(self, file: BinaryIO, limits: ReadLimits) -> None:
        self._file = file
        self._limits = limits
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, EOFError, OSError) as error:
            raise Refused("damaged") from error
        #: Part name with "/" between folders -> its entry.
        self.parts: dict[str, zipfile.ZipInfo] = {}
        self._check_directory()

    def _check_directory(self) -> None:
        entries = self._zip.infolist()
        if len(entries) > self._limits.parts:
            raise Refused("too_many_parts", count=len(entries), limit=self._limits.parts)
        if not entries:
            raise Refused("empty_archive")
        for entry in entries:
            # Some writers on Windows put "\" between the folders.
            name = entry.filename.replace("\\", "/")
            if name in self.parts or ".." in name.split("/") or name.startswith("/") or "\x00" in entry.orig_filename:
                raise Refused("odd_archive")
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise Refused("odd_archive")
            if entry.flag_bits & 0x1:
                raise Refused("password")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Refused("odd_archive")
            self.parts[name] = entry
        end = 0
        for entry in sorted(entries, key=lambda entry: entry.header_offset):
            if entry.header_offset < end:
                raise Refused("odd_archive")
            end = entry.header_offset + 30 + entry.compress_size

    def _stored_chunks(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        """The bytes of a part as they stand in the file."""
        self._file.seek(entry.header_offset)
        header = self._file.read(30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise Refused("damaged")
        name_length, extra_length = struct.unpack("<HH", header[26:30])
        self._file.seek(entry.header_offset + 30 + name_length + extra_length)
        left = entry.compress_size
        while left:
            chunk = self._file.read(min(_CHUNK, left))
            if not chunk:
                raise Refused("damaged")
            left -= len(chunk)
            yield chunk

    def _inflated_chunks(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        if entry.compress_type == zipfile.ZIP_STORED:
            yield from self._stored_chunks(entry)
            return
        inflater = zlib.decompressobj(-15)
        try:
            for chunk in self._stored_chunks(entry):
                while chunk:
                    yield inflater.decompress(chunk, _CHUNK)
                    chunk = inflater.unconsumed_tail
            yield inflater.flush()
        except zlib.error as error:
            raise Refused("damaged") from error
        if not inflater.eof:
            raise Refused("damaged")

    def inspect(self, scanner_for: Callable[[str], PartScanner | None] = lambda name: None) -> None:
        """Inflates every part once; `scanner_for` may give a scanner for a part's name. Raises `Refused`."""
        total = 0
        for name, entry in self.parts.items():
            scanner = scanner_for(name)
            is_xml = name.lower().endswith(_XML_NAMES)
            size = 0
            checksum = 0
            before = b""
            for chunk in self._inflated_chunks(entry):
                size += len(chunk)
                total += len(chunk)
                if total > self._limits.inflated_bytes:
                    raise Refused("too_large_inflated", limit=self._limits.inflated_bytes)
                if size > _FREE_BYTES and size > self._limits.ratio * max(entry.compress_size, 1):
                    raise Refused("bomb")
                checksum = zlib.crc32(chunk, checksum)
                if is_xml:
                    seam = before + chunk
                    if (
                        b"<!DOCTYPE" in seam
                        or b"<!ENTITY" in seam
                        or b"<\x00!\x00D\x00O" in seam
                        or b"\x00<\x00!\x00D" in seam
                    ):
                        raise Refused("entities")
                    before = chunk[-16:]
                if scanner is not None:
                    scanner.feed(chunk)
            if size != entry.file_size or checksum != entry.CRC:
                raise Refused("damaged")
            if scanner is not None:
                scanner.close()

    def read(self, name: str, limit: int = 4 << 20) -> bytes:
        """A small part as a whole; raises `Refused` when it is missing or larger than `limit` bytes."""
        entry = self.parts.get(name)
        if entry is None:
            raise Refused("damaged")
        collected = io.BytesIO()
        for chunk in self._inflated_chunks(entry):
            collected.write(chunk)
            if collected.tell() > limit:
                raise Refused("too_large_inflated", limit=limit)
        return collected.getvalue()

    def chunks(self, name: str) -> Iterator[bytes]:
        """The inflated bytes of a part, in order."""
        entry = self.parts.get(name)
        if entry is None:
            raise Refused("damaged")
        return self._inflated_chunks(entry)

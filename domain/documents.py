"""Files that are put beside a customer: which kinds are taken, and as what they are handed out again.

Shape: the ending of the name and the first bytes have to agree; what a browser would run is not taken, and nothing is
handed out with a type that its sender chose. Units: bytes. Errors: UnsuitableFile with a sentence.
Source: NE-154, NE-156, PX-181; trust.md D8.
"""

from __future__ import annotations

from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext
from flask_appadmin.sheets.file_kinds import kind_of

#: NE-156.
MOST_BYTES = 20 * 1024 * 1024

#: Ending of the name -> (kinds of content that may stand behind it, type for handing out).
_TYPES: dict[str, tuple[tuple[str, ...], str]] = {
    "pdf": (("pdf",), "application/pdf"),
    "png": (("image",), "image/png"),
    "jpg": (("image",), "image/jpeg"),
    "jpeg": (("image",), "image/jpeg"),
    "gif": (("image",), "image/gif"),
    "tif": (("image",), "image/tiff"),
    "tiff": (("image",), "image/tiff"),
    "doc": (("ole",), "application/msword"),
    "xls": (("ole",), "application/vnd.ms-excel"),
    "msg": (("ole",), "application/vnd.ms-outlook"),
    "docx": (("zip",), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xlsx": (("zip",), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "odt": (("zip",), "application/vnd.oasis.opendocument.text"),
    "ods": (("zip",), "application/vnd.oasis.opendocument.spreadsheet"),
    "rtf": (("text_document",), "application/rtf"),
    "eml": (("text",), "message/rfc822"),
    "txt": (("text",), "text/plain"),
    "csv": (("text",), "text/csv"),
}

#: What the window for choosing a file offers first.
ACCEPTED = ",".join(f".{ending}" for ending in _TYPES)


class UnsuitableFile(AppAdminError):
    """A file that is not taken as a document."""


def check_file(name: str, head: bytes, size: int) -> None:
    """Raises UnsuitableFile for a file of this name, size and first 64 kB that is not taken."""
    if not size:
        raise UnsuitableFile(gettext("„%(name)s“ ist leer. Bitte eine andere Datei auswählen.", name=name))
    if size > MOST_BYTES:
        raise UnsuitableFile(
            gettext("„%(name)s“ ist größer als 20 MB. Bitte eine kleinere Datei auswählen.", name=name)
        )
    kinds, _type = _TYPES.get(_ending(name), ((), ""))
    if not kinds:
        raise UnsuitableFile(
            gettext(
                "„%(name)s“ wird nicht angenommen. Möglich sind PDF, Bilder, Word, Excel, OpenDocument, RTF, E-Mails "
                "und Text.",
                name=name,
            )
        )
    if kind_of(head) not in kinds:
        raise UnsuitableFile(
            gettext("„%(name)s“ enthält etwas anderes, als der Name sagt. Bitte die Datei prüfen.", name=name)
        )


def media_type(name: str) -> str:
    """As what a document of this name is handed out.

    >>> media_type("Vertrag.PDF"), media_type("x.html")
    ('application/pdf', 'application/octet-stream')
    """
    return _TYPES.get(_ending(name), ((), "application/octet-stream"))[1]


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()

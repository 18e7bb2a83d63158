"""Why a file cannot be read as a table, and the sentence for each reason: what was found, and what to do instead.

Shape: `UnreadableFile` carries a code and its parts; codes come from the process that reads (reader_child.py and the
`Refused` of limits.py) and from what becomes of that process. Units: bytes.
"""

from __future__ import annotations

from typing import Any

from flask_appadmin.errors import SheetError
from flask_appadmin.i18n import _, format_number, gettext
from flask_appadmin.sheets.limits import column_letters


class UnreadableFile(SheetError):
    """A file that cannot be read as a table. `code` names the reason, `parts` what was found."""

    def __init__(self, file_name: str, code: str, parts: dict[str, Any] | None = None) -> None:
        super().__init__(file_name, code)
        self.file_name = file_name
        self.code = code
        self.parts = parts or {}

    def sentence(self) -> str:
        return _sentence(display_name(self.file_name), self.code, self.parts)


#: What a file turned out to be; stands in "ist keine Tabelle (sondern ...)".
_KINDS: dict[str, Any] = {
    "pdf": _("ein PDF"),
    "image": _("ein Bild"),
    "media": _("eine Ton- oder Videodatei"),
    "text_document": _("ein Textdokument"),
    "other_office": _("ein anderes Office-Dokument"),
    "html": _("eine Internetseite, HTML"),
    "xml": _("eine XML-Datei"),
    "json": _("eine JSON-Datei"),
    "vcard": _("eine Visitenkarten- oder Kalenderdatei"),
    "archive": _("ein Archiv mit anderen Dateien"),
    "program": _("ein Programm"),
    "database": _("eine Datenbankdatei"),
    "mail": _("eine E-Mail"),
    "damaged_compound": _("eine alte Office-Datei ohne Tabelle"),
    "unknown": _("eine Datei mit unbekanntem Inhalt"),
}
#: Tables that this reader does not know, but the operator's program can save in another format.
_FOREIGN_TABLES: dict[str, Any] = {
    "xlsb": _("eine binäre Excel-Mappe (xlsb)"),
    "xml_2003": _("eine XML-Kalkulationstabelle von 2003"),
    "flat_ods": _("eine unverpackte OpenDocument-Tabelle (fods)"),
    "sylk": _("eine SYLK-Tabelle (slk)"),
    "old_excel": _("eine Tabelle aus Excel 4 oder älter"),
    "numbers": _("eine Numbers-Tabelle"),
}


def display_name(file_name: str) -> str:
    """A file's name as it can stand in a sentence: without folders and control characters, at most 60 characters."""
    name = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(character for character in name if character.isprintable()).strip()
    if len(name) > 60:
        name = name[:40] + "…" + name[-15:]
    return name or gettext("Die Datei")


def _megabytes(size: Any) -> str:
    return format_number(round(int(size) / 1_000_000))


def _place(parts: dict[str, Any]) -> str:
    """Where something stands: sheet and cell, or row and column."""
    words = []
    if parts.get("sheet"):
        words.append(gettext("Blatt „%(sheet)s“", sheet=parts["sheet"]))
    if parts.get("cell"):
        words.append(gettext("Zelle %(cell)s", cell=parts["cell"]))
    elif parts.get("row"):
        words.append(gettext("Zeile %(row)s", row=format_number(parts["row"])))
        if "column" in parts:
            words.append(gettext("Spalte %(column)s", column=column_letters(parts["column"])))
    return ", ".join(words)


def _sentence(name: str, code: str, parts: dict[str, Any]) -> str:
    match code:
        case "not_a_table":
            kind = parts.get("kind", "unknown")
            if kind in _FOREIGN_TABLES:
                return gettext(
                    "„%(name)s“ ist %(kind)s; die kann hier nicht gelesen werden. Bitte öffnen Sie die Datei in "
                    "Ihrem Tabellenprogramm und speichern Sie sie als xlsx, ods oder csv.",
                    name=name,
                    kind=str(_FOREIGN_TABLES[kind]),
                )
            if kind == "html":
                return gettext(
                    "„%(name)s“ ist keine Tabelle (sondern %(kind)s). Bitte öffnen Sie die Datei in Ihrem "
                    "Tabellenprogramm und speichern Sie sie als xlsx, ods oder csv.",
                    name=name,
                    kind=str(_KINDS["html"]),
                )
            if kind == "nothing":
                return gettext(
                    "„%(name)s“ enthält nur Nullbytes; beim Speichern oder Kopieren ist etwas schiefgegangen. Bitte "
                    "holen Sie die Datei noch einmal.",
                    name=name,
                )
            return gettext(
                "„%(name)s“ ist keine Tabelle (sondern %(kind)s). Bitte speichern Sie die Liste als xlsx, ods oder "
                "csv.",
                name=name,
                kind=str(_KINDS.get(kind, _KINDS["unknown"])),
            )
        case "empty":
            return gettext("„%(name)s“ ist leer. Bitte wählen Sie eine Datei mit Überschriften und Zeilen.", name=name)
        case "empty_archive" | "damaged" | "no_sheets" | "odd_archive":
            return gettext(
                "„%(name)s“ ist beschädigt oder unvollständig und kann nicht gelesen werden. Bitte öffnen Sie die "
                "Datei in Ihrem Tabellenprogramm und speichern Sie sie neu als xlsx, ods oder csv.",
                name=name,
            )
        case "damaged_sheet":
            return gettext(
                "„%(name)s“: Das Blatt „%(sheet)s“ ist beschädigt und kann nicht gelesen werden. Bitte speichern "
                "Sie die Datei in Ihrem Tabellenprogramm neu.",
                name=name,
                sheet=parts.get("sheet", ""),
            )
        case "password":
            return gettext(
                "„%(name)s“ ist mit einem Kennwort geschützt. Bitte speichern Sie die Datei ohne Kennwort und laden "
                "Sie sie noch einmal hoch.",
                name=name,
            )
        case "entities":
            return gettext(
                "„%(name)s“ enthält eigene XML-Definitionen und wird aus Sicherheitsgründen nicht gelesen. Bitte "
                "speichern Sie die Liste neu als xlsx, ods oder csv.",
                name=name,
            )
        case "too_large":
            return gettext(
                "„%(name)s“ hat %(size)s MB; erlaubt sind %(limit)s MB. Bitte teilen Sie die Liste auf oder "
                "speichern Sie sie als csv.",
                name=name,
                size=_megabytes(parts["size"]),
                limit=_megabytes(parts["limit"]),
            )
        case "too_large_inflated":
            return gettext(
                "„%(name)s“ ist ausgepackt größer als die erlaubten %(limit)s MB und wird nicht gelesen. Bitte "
                "teilen Sie die Liste auf.",
                name=name,
                limit=_megabytes(parts["limit"]),
            )
        case "bomb":
            return gettext(
                "„%(name)s“ ist ungewöhnlich stark gepackt und wird aus Sicherheitsgründen nicht gelesen. Bitte "
                "speichern Sie die Liste als csv.",
                name=name,
            )
        case "too_many_parts":
            return gettext(
                "„%(name)s“ besteht aus %(count)s Teilen; erlaubt sind %(limit)s. Bitte speichern Sie nur die "
                "Liste, als xlsx, ods oder csv.",
                name=name,
                count=format_number(parts["count"]),
                limit=format_number(parts["limit"]),
            )
        case "too_many_sheets":
            return gettext(
                "„%(name)s“ hat mehr als %(limit)s Blätter. Bitte speichern Sie nur die Blätter, die gebraucht werden.",
                name=name,
                limit=format_number(parts["limit"]),
            )
        case "too_many_rows":
            return _with_place(
                name,
                parts,
                gettext(
                    "mehr als %(limit)s Zeilen können nicht gelesen werden. Bitte teilen Sie die Liste auf.",
                    limit=format_number(parts["limit"]),
                ),
            )
        case "too_many_columns":
            return _with_place(
                name,
                parts,
                gettext(
                    "mehr als %(limit)s Spalten können nicht gelesen werden. Bitte löschen Sie, was rechts von der "
                    "Liste steht.",
                    limit=format_number(parts["limit"]),
                ),
            )
        case "spread":
            return _with_place(
                name,
                parts,
                gettext(
                    "die letzte gefüllte Zelle steht so weit unten und rechts, dass die Tabelle mehr als %(limit)s "
                    "Zellen hätte. Bitte löschen Sie, was außerhalb der Liste steht.",
                    limit=format_number(parts["limit"]),
                ),
            )
        case "too_many_cells":
            return gettext(
                "„%(name)s“ hat mehr als %(limit)s Zellen. Bitte teilen Sie die Liste auf.",
                name=name,
                limit=format_number(parts["limit"]),
            )
        case "cell_too_long":
            return _with_place(
                name,
                parts,
                gettext("der Text ist länger als %(limit)s Zeichen.", limit=format_number(parts["limit"])),
            )
        case "too_many_cell_faults":
            return gettext(
                "„%(name)s“ enthält mehr als %(limit)s Fehlerwerte wie #BEZUG! oder #NV. Bitte berichtigen Sie die "
                "Formeln, bevor Sie die Datei hochladen.",
                name=name,
                limit=format_number(parts["limit"]),
            )
        case "nul_bytes":
            return gettext(
                "„%(name)s“, Zeile %(line)s: Dort steht ein Nullbyte; die Datei ist beschädigt oder keine "
                "Textdatei. Bitte speichern Sie die Liste neu als xlsx, ods oder csv.",
                name=name,
                line=format_number(parts["line"]),
            )
        case "open_quote":
            return gettext(
                "„%(name)s“: Das Anführungszeichen in Zeile %(line)s ist nicht geschlossen; alles danach wäre eine "
                "einzige Zelle. Bitte ergänzen Sie das Anführungszeichen.",
                name=name,
                line=format_number(parts["line"]),
            )
        case "damaged_row":
            return gettext(
                "„%(name)s“: Die Zeile %(line)s kann nicht in Spalten geteilt werden. Bitte prüfen Sie dort die "
                "Anführungszeichen.",
                name=name,
                line=format_number(parts["line"]),
            )
        case "wrong_encoding":
            return gettext(
                "„%(name)s“ ist nicht im Zeichensatz %(encoding)s geschrieben. Bitte wählen Sie einen anderen.",
                name=name,
                encoding=parts.get("encoding", ""),
            )
        case "memory":
            return gettext(
                "„%(name)s“ braucht beim Lesen zu viel Speicher; die Datei ist zu groß oder beschädigt. Bitte "
                "teilen Sie die Liste auf oder speichern Sie sie als csv.",
                name=name,
            )
        case "busy":
            return gettext(
                "„%(name)s“ kann gerade nicht gelesen werden, weil der Server ausgelastet ist. Bitte versuchen Sie es "
                "in einer Minute noch einmal.",
                name=name,
            )
        case "time":
            return gettext(
                "Das Lesen von „%(name)s“ hat zu lange gedauert und wurde abgebrochen. Bitte teilen Sie die Liste "
                "auf oder speichern Sie sie als csv.",
                name=name,
            )
    return gettext(
        "„%(name)s“ kann nicht gelesen werden. Bitte speichern Sie die Liste neu als xlsx, ods oder csv.", name=name
    )


def _with_place(name: str, parts: dict[str, Any], rest: str) -> str:
    place = _place(parts)
    return f"„{name}“, {place}: {rest}" if place else f"„{name}“: {rest}"

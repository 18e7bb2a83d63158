"""What was noticed in a file, and the sentence for each of it in the language of whoever reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask_appadmin.i18n import _, format_number, gettext, ngettext

ENCODING_NAMES: dict[str, Any] = {
    "utf-8": _("UTF-8"),
    "utf-16": _("UTF-16 (Unicode-Text)"),
    "utf-16-le": _("UTF-16 (Unicode-Text)"),
    "utf-16-be": _("UTF-16 (Unicode-Text)"),
    "utf-32-le": _("UTF-32"),
    "utf-32-be": _("UTF-32"),
    "cp1252": _("Windows-1252 (westeuropäisch)"),
    "iso-8859-1": _("Latin-1 (westeuropäisch)"),
    "mac_roman": _("Mac Roman (altes Apple)"),
    "cp850": _("DOS (Codepage 850)"),
}
SEPARATOR_NAMES: dict[str, Any] = {
    ";": _("Semikolon"),
    ",": _("Komma"),
    "\t": _("Tabulator"),
    "|": _("senkrechter Strich"),
}


def encoding_name(encoding: str) -> str:
    return str(ENCODING_NAMES.get(encoding, encoding))


def separator_name(separator: str) -> str:
    return str(SEPARATOR_NAMES.get(separator, f"„{separator}“"))


@dataclass(frozen=True)
class Evidence:
    """One thing that was noticed. `weight` is "info", "warning" (look at it) or "question" (must be answered)."""

    code: str
    parts: dict[str, Any] = field(default_factory=dict)
    weight: str = "info"

    def sentence(self) -> str:
        return _sentence(self.code, self.parts)


def _sentence(code: str, parts: dict[str, Any]) -> str:
    count = int(parts.get("count", 0))
    match code:
        case "encoding_bom":
            return gettext(
                "Zeichensatz %(name)s: Die Datei sagt es in ihren ersten Bytes.", name=encoding_name(parts["encoding"])
            )
        case "encoding_valid":
            return ngettext(
                "Zeichensatz UTF-8: %(count)s Sonderzeichen ist gültig, zum Beispiel „%(example)s“ in Zeile %(line)s.",
                "Zeichensatz UTF-8: alle %(count)s Sonderzeichen sind gültig, zum Beispiel „%(example)s“ in Zeile "
                "%(line)s.",
                count,
                example=parts["example"],
                line=format_number(parts["line"]),
            )
        case "encoding_ascii":
            return gettext("Die Datei enthält keine Umlaute oder Sonderzeichen; jeder Zeichensatz passt.")
        case "encoding_shape":
            return gettext(
                "Zeichensatz %(name)s: Jedes Zeichen hat mehrere Bytes, eine Kennung am Anfang fehlt.",
                name=encoding_name(parts["encoding"]),
            )
        case "encoding_letters":
            return ngettext(
                "Zeichensatz %(name)s: %(count)s Sonderzeichen liest sich nur so als Wort, zum Beispiel "
                "„%(example)s“ in Zeile %(line)s.",
                "Zeichensatz %(name)s: %(count)s Sonderzeichen lesen sich nur so als Wörter, zum Beispiel "
                "„%(example)s“ in Zeile %(line)s.",
                count,
                name=encoding_name(parts["encoding"]),
                example=parts["example"],
                line=format_number(parts["line"]),
            )
        case "encoding_unsure":
            return gettext(
                "Der Zeichensatz ist nicht eindeutig; gelesen wurde als %(name)s, zum Beispiel „%(example)s“ in "
                "Zeile %(line)s. Bitte prüfen Sie die Umlaute.",
                name=encoding_name(parts["encoding"]),
                example=parts["example"],
                line=format_number(parts["line"]),
            )
        case "encoding_mixed":
            return ngettext(
                "Die Datei ist in UTF-8 geschrieben, aber %(count)s Zeile nicht (Zeile %(lines)s); sie wurde als "
                "Windows-1252 gelesen.",
                "Die Datei ist in UTF-8 geschrieben, aber %(count)s Zeilen nicht (zum Beispiel Zeile %(lines)s); "
                "sie wurden als Windows-1252 gelesen.",
                count,
                lines=", ".join(format_number(line) for line in parts["lines"]),
            )
        case "lost_characters":
            return ngettext(
                "%(count)s Zeichen der Datei ist schon früher verloren gegangen (�, Zeile %(line)s). Bitte holen "
                "Sie die Liste noch einmal aus ihrem Ursprung.",
                "%(count)s Zeichen der Datei sind schon früher verloren gegangen (�, zum Beispiel in Zeile "
                "%(line)s). Bitte holen Sie die Liste noch einmal aus ihrem Ursprung.",
                count,
                line=format_number(parts["line"]),
            )
        case "encoding_given":
            return gettext("Zeichensatz %(name)s: von Ihnen gewählt.", name=encoding_name(parts["encoding"]))
        case "separator_line":
            return gettext(
                "Trennzeichen %(name)s: Die erste Zeile der Datei sagt es („sep=“).",
                name=separator_name(parts["separator"]),
            )
        case "separator_consistent":
            return gettext(
                "Trennzeichen %(name)s: %(fitting)s von %(rows)s Zeilen haben damit %(columns)s Spalten.",
                name=separator_name(parts["separator"]),
                fitting=format_number(parts["fitting"]),
                rows=format_number(parts["rows"]),
                columns=format_number(parts["columns"]),
            )
        case "separator_best":
            return gettext(
                "Trennzeichen %(name)s passt am besten, aber nur %(fitting)s von %(rows)s Zeilen haben damit "
                "%(columns)s Spalten. Bitte prüfen Sie die Spalten.",
                name=separator_name(parts["separator"]),
                fitting=format_number(parts["fitting"]),
                rows=format_number(parts["rows"]),
                columns=format_number(parts["columns"]),
            )
        case "separator_none":
            return gettext(
                "Kein Trennzeichen gefunden; jede Zeile ist eine einzige Spalte. Bitte wählen Sie das Trennzeichen, "
                "wenn es mehrere sind."
            )
        case "separator_given":
            return gettext("Trennzeichen %(name)s: von Ihnen gewählt.", name=separator_name(parts["separator"]))
        case "end_mark":
            return gettext("Das alte Dateiende-Zeichen (1A) am Schluss wurde weggelassen.")
        case "uneven_rows":
            return ngettext(
                "%(count)s Zeile hat %(found)s statt %(usual)s Spalten (Zeile %(row)s).",
                "%(count)s Zeilen haben %(found)s statt %(usual)s Spalten (die erste ist Zeile %(row)s).",
                count,
                found=format_number(parts["found"]),
                usual=format_number(parts["usual"]),
                row=format_number(parts["row"]),
            )
        case "short_rows":
            return ngettext(
                "%(count)s Zeile hat weniger als %(usual)s Spalten (Zeile %(row)s).",
                "%(count)s Zeilen haben weniger als %(usual)s Spalten (die erste ist Zeile %(row)s).",
                count,
                usual=format_number(parts["usual"]),
                row=format_number(parts["row"]),
            )
        case "quote_suspects":
            return ngettext(
                "In Zeile %(row)s enthält eine Zelle mehrere Zeilen mit Trennzeichen; vermutlich fehlt dort ein "
                "Anführungszeichen.",
                "In %(count)s Zeilen enthält eine Zelle mehrere Zeilen mit Trennzeichen (die erste ist Zeile "
                "%(row)s); vermutlich fehlt dort ein Anführungszeichen.",
                count,
                row=format_number(parts["row"]),
            )
        case "header_first":
            return gettext("Die Überschriften stehen in Zeile %(row)s.", row=format_number(parts["row"]))
        case "header_below":
            return ngettext(
                "Die Überschriften stehen in Zeile %(row)s; die Zeile darüber ist keine Überschrift.",
                "Die Überschriften stehen in Zeile %(row)s; die %(count)s Zeilen darüber gehören nicht zur Tabelle.",
                count,
                row=format_number(parts["row"]),
            )
        case "header_known":
            return gettext(
                "Die Überschriften stehen in Zeile %(row)s: %(known)s davon sind bekannt.",
                row=format_number(parts["row"]),
                known=format_number(parts["known"]),
            )
        case "header_none":
            return gettext(
                "Die Datei hat keine Überschriften; Zeile %(row)s sieht schon wie Daten aus. Die Spalten heißen "
                "nach ihren Buchstaben.",
                row=format_number(parts["row"]),
            )
        case "header_unsure":
            return gettext(
                "Zeile %(row)s wird als Überschrift gelesen, könnte aber auch schon eine Datenzeile sein. Bitte "
                "prüfen Sie das.",
                row=format_number(parts["row"]),
            )
        case "header_given":
            return gettext(
                "Die Überschriften stehen in Zeile %(row)s: von Ihnen gewählt.", row=format_number(parts["row"])
            )
        case "header_given_none":
            return gettext("Die Datei hat keine Überschriften: von Ihnen gewählt.")
        case "headings_twice":
            return gettext(
                "Die Überschrift „%(heading)s“ steht über mehreren Spalten (%(columns)s).",
                heading=parts["heading"],
                columns=", ".join(parts["columns"]),
            )
        case "headings_missing":
            return ngettext(
                "%(count)s gefüllte Spalte hat keine Überschrift (%(columns)s).",
                "%(count)s gefüllte Spalten haben keine Überschrift (%(columns)s).",
                count,
                columns=", ".join(parts["columns"]),
            )
        case "empty_rows":
            return ngettext(
                "%(count)s leere Zeile zwischen den Daten wird übergangen.",
                "%(count)s leere Zeilen zwischen den Daten werden übergangen.",
                count,
            )
        case "no_rows":
            return gettext("Unter den Überschriften steht keine Zeile.")
        case "date_dmy":
            return ngettext(
                "%(count)s Wert ist nur als TT.MM. lesbar, zum Beispiel „%(example)s“.",
                "%(count)s Werte sind nur als TT.MM. lesbar, zum Beispiel „%(example)s“.",
                count,
                example=parts["example"],
            )
        case "date_mdy":
            return ngettext(
                "%(count)s Wert ist nur als MM/TT lesbar, zum Beispiel „%(example)s“.",
                "%(count)s Werte sind nur als MM/TT lesbar, zum Beispiel „%(example)s“.",
                count,
                example=parts["example"],
            )
        case "date_ymd":
            return ngettext(
                "%(count)s Datum ist in der Form JJJJ-MM-TT geschrieben.",
                "%(count)s Daten sind in der Form JJJJ-MM-TT geschrieben.",
                count,
            )
        case "date_ambiguous":
            return ngettext(
                "%(count)s Datum ist als TT/MM und als MM/TT lesbar, zum Beispiel „%(example)s“. Was ist gemeint?",
                "Alle %(count)s Daten sind als TT/MM und als MM/TT lesbar, zum Beispiel „%(example)s“. Was ist "
                "gemeint?",
                count,
                example=parts["example"],
            )
        case "date_mixed":
            return gettext(
                "Die Daten sind verschieden geschrieben: „%(example)s“ ist nur als TT.MM., „%(other)s“ nur als "
                "MM/TT lesbar.",
                example=parts["example"],
                other=parts["other"],
            )
        case "date_hint_elsewhere":
            return gettext(
                "Die Spalte „%(heading)s“ spricht für %(order)s.",
                heading=parts["heading"],
                order=gettext("TT/MM") if parts["order"] == "dmy" else gettext("MM/TT"),
            )
        case "decimal_comma":
            return ngettext(
                "%(count)s Zahl ist mit Dezimalkomma geschrieben, zum Beispiel „%(example)s“.",
                "%(count)s Zahlen sind mit Dezimalkomma geschrieben, zum Beispiel „%(example)s“.",
                count,
                example=parts["example"],
            )
        case "decimal_point":
            return ngettext(
                "%(count)s Zahl ist mit Dezimalpunkt geschrieben, zum Beispiel „%(example)s“.",
                "%(count)s Zahlen sind mit Dezimalpunkt geschrieben, zum Beispiel „%(example)s“.",
                count,
                example=parts["example"],
            )
        case "decimal_mixed":
            return gettext(
                "Zahlen stehen mit Dezimalkomma („%(example)s“) und mit Dezimalpunkt („%(other)s“). Was ist gemeint?",
                example=parts["example"],
                other=parts["other"],
            )
        case "decimal_ambiguous":
            return ngettext(
                "%(count)s Zahl ist auf zwei Arten lesbar: „%(example)s“ kann Tausender oder Nachkommastellen "
                "haben. Was ist gemeint?",
                "%(count)s Zahlen sind auf zwei Arten lesbar: „%(example)s“ kann Tausender oder Nachkommastellen "
                "haben. Was ist gemeint?",
                count,
                example=parts["example"],
            )
        case "leading_zeros":
            return ngettext(
                "%(count)s Wert beginnt mit einer Null, zum Beispiel „%(example)s“, und bleibt Text.",
                "%(count)s Werte beginnen mit einer Null, zum Beispiel „%(example)s“, und bleiben Text.",
                count,
                example=parts["example"],
            )
        case "numbers_and_texts":
            return gettext(
                "%(numbers)s Werte sind Zahlen, %(texts)s sind Text; führende Nullen können beim Speichern verloren "
                "gegangen sein.",
                numbers=format_number(parts["numbers"]),
                texts=format_number(parts["texts"]),
            )
        case "rounded_numbers":
            return ngettext(
                "%(count)s Zahl hat mehr als 15 Stellen und wurde vom Tabellenprogramm gerundet (%(example)s).",
                "%(count)s Zahlen haben mehr als 15 Stellen und wurden vom Tabellenprogramm gerundet (zum Beispiel "
                "%(example)s).",
                count,
                example=parts["example"],
            )
        case "sheet_remark":
            return str(parts["text"])
    return code

"""What the rows of a file are: the heading row, the range in use, and per column how dates and numbers are written.

Everything found carries its evidence, so that an operator can judge and overrule it; what can be read in two ways is
said to be so and never guessed. Nothing here changes a cell.
Shape: `detect(workbook)` gives a `Detection`; `SheetSurvey` does the same for rows that arrive one by one. Row
numbers count from 1, columns from 0. `Evidence.sentence()` is German (or the language of whoever reads).
Units: hints look at the first 20,000 rows below the headings. Errors: none. Source: spec goals I14; bad inputs 101 to
109.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from flask_appadmin.i18n import _, format_number, gettext, ngettext
from flask_appadmin.sheets.limits import column_letters
from flask_appadmin.sheets.reading import Row, SheetData, Workbook, describe_faults

#: Rows that are looked at for the headings.
_HEAD_ROWS = 60
#: Rows below the headings that are surveyed for hints.
_SURVEYED_ROWS = 20_000
_BATCH_ROWS = 1_000
_EXAMPLES = 3

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+")
_DECIMAL_POINT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)\.\d+")
_THOUSANDS_POINT = re.compile(r"[+-]?\d{1,3}(?:\.\d{3}){2,}")
_THOUSANDS_COMMA = re.compile(r"[+-]?\d{1,3}(?:,\d{3}){2,}")
_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{2}|\d{4})(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")
_CURRENCY = re.compile(r"\s*(?:€|EUR|%|CHF)\s*$|^\s*(?:€|EUR|CHF)\s*")
_CURRENCY_STARTS = frozenset("€EC")
_CURRENCY_ENDS = frozenset("€%RF")
_NUMBER_STARTS = frozenset("0123456789+-")
_CONTACT = re.compile(r"\S+@\S+\.\S+|https?://\S+|www\.\S+")
_BOOLEANS = frozenset(("ja", "nein", "yes", "no", "true", "false", "wahr", "falsch"))

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


@dataclass
class ColumnHint:
    """How one column is written."""

    index: int
    heading: str
    filled: int = 0
    #: Cells by their type in the file.
    texts: int = 0
    numbers: int = 0
    dates: int = 0
    booleans: int = 0
    #: "dmy", "mdy", "ymd", "ambiguous", "mixed", or "" where texts are no dates.
    date_order: str = ""
    #: What another column of the file suggests where the order is ambiguous: "dmy", "mdy" or "".
    date_suggestion: str = ""
    #: "comma", "point", "ambiguous", "mixed", or "" where texts are no decimals.
    decimals: str = ""
    leading_zeros: int = 0
    #: How many digits the whole numbers of the column have where they are codes of one length, 0 for no such length.
    zero_length: int = 0
    longest: int = 0
    examples: list[str] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    @property
    def letters(self) -> str:
        return column_letters(self.index)

    @property
    def questions(self) -> list[Evidence]:
        return [evidence for evidence in self.evidence if evidence.weight == "question"]


@dataclass
class Detection:
    """What was found in one sheet."""

    sheet: str
    #: The row of the headings, 0 for none.
    header_row: int
    headings: list[str]
    columns: list[ColumnHint]
    #: Filled rows below the headings, and the numbers of the first and the last of them (0 for none).
    row_count: int
    first_row: int
    last_row: int
    empty_rows: int
    evidence: list[Evidence]

    @property
    def questions(self) -> list[Evidence]:
        """What must be answered before values are read, of the file and of its columns."""
        found = [evidence for evidence in self.evidence if evidence.weight == "question"]
        for column in self.columns:
            found.extend(column.questions)
        return found

    def to_json(self) -> dict[str, Any]:
        """The detection as JSON values, for a stored import session; `detection_from_json` reads them."""
        return asdict(self)


def detection_from_json(stored: dict[str, Any]) -> Detection:
    columns = [
        ColumnHint(**{**column, "evidence": [Evidence(**found) for found in column["evidence"]]})
        for column in stored["columns"]
    ]
    evidence = [Evidence(**found) for found in stored["evidence"]]
    return Detection(**{**stored, "columns": columns, "evidence": evidence})


def is_datalike(cell: Any) -> bool:
    """Whether a cell looks like a value rather than a heading."""
    if cell is None:
        return False
    if not isinstance(cell, str):
        return True
    text = _CURRENCY.sub("", cell).strip()
    return bool(
        _INTEGER.fullmatch(text)
        or _DECIMAL_COMMA.fullmatch(text)
        or _DECIMAL_POINT.fullmatch(text)
        or _DATE.fullmatch(text)
        or _CONTACT.fullmatch(text)
    )


def normal_heading(text: Any) -> str:
    """A heading as it is compared: "E-Mail *" and "e-mail" are the same."""
    return " ".join(str(text).replace("\u00a0", " ").strip(" *:\t\r\n").lower().split())


def find_header(rows: list[Row], known_headings: Collection[str] = ()) -> tuple[int, Evidence]:
    """The number of the heading row among the first rows (0 for none) and what speaks for it.

    `known_headings` are normalised headings that the caller has fields for; a row with several of them is it.
    """
    filled = [sum(1 for cell in row if cell is not None) for row in rows]
    widest = max(filled, default=0)
    first_filled = next((number for number, count in enumerate(filled, start=1) if count), 0)
    if not widest:
        return 0, Evidence("header_none", {"row": 1}, "warning")
    if known_headings:
        best = (False, 0, 0)
        for number, row in enumerate(rows, start=1):
            known = sum(1 for cell in row if isinstance(cell, str) and normal_heading(cell) in known_headings)
            # The only row of a short list may say "department" below "Department": what heads nothing is no heading.
            best = max(best, (known > 0 and any(filled[number:]), known, -number))
        known, number = best[1], -best[2]
        if known >= 2 or (known == 1 and filled[number - 1] == 1):
            return number, Evidence("header_known", {"row": number, "known": known})
    scores: list[float] = []
    for row, count in zip(rows, filled, strict=True):
        values = sum(1 for cell in row if is_datalike(cell))
        textual = 1 - values / count if count else 0
        coverage = count / widest
        if coverage >= 0.6 and textual < 0.7 and not any(score >= 0.4 for score in scores):
            # A row of values before anything like headings.
            return 0, Evidence("header_none", {"row": len(scores) + 1}, "warning")
        scores.append(coverage * textual if textual >= 0.7 else 0)
    best_score = max(scores)
    if best_score <= 0:
        return 0, Evidence("header_none", {"row": first_filled}, "warning")
    number = next(number for number, score in enumerate(scores, start=1) if score >= 0.6 * best_score)
    headings = rows[number - 1]
    below = rows[number : number + 30]
    differs = any(
        is_datalike(row[column])
        for row in below
        for column in range(min(len(row), len(headings)))
        if headings[column] is not None
    )
    texts = [normal_heading(cell) for cell in headings if cell is not None]
    if below and (not differs or len(set(texts)) < len(texts) * 0.7):
        repeated = {normal_heading(cell) for row in below for cell in row if cell is not None} & set(texts)
        # A table of texts only: headings do not turn up again below, values often do.
        if repeated or len(set(texts)) < len(texts) * 0.7:
            return number, Evidence("header_unsure", {"row": number}, "warning")
    above = sum(1 for count in filled[: number - 1] if count)
    if above:
        return number, Evidence("header_below", {"row": number, "count": number - 1})
    return number, Evidence("header_first", {"row": number})


def _kind_of_text(text: str) -> str:
    """One letter for how a text is written, see `_ColumnCounts`."""
    text = text.strip()
    if text[:1] in _CURRENCY_STARTS or text[-1:] in _CURRENCY_ENDS:
        text = _CURRENCY.sub("", text)
    first = text[:1]
    if first not in _NUMBER_STARTS or not first:
        return "b" if len(text) <= 6 and text.lower() in _BOOLEANS else "t"
    if _INTEGER.fullmatch(text):
        return "z" if len(text) > 1 and first == "0" else "i"
    found = _DATE.fullmatch(text)
    if found is not None:
        first_part, separator, second, third = int(found[1]), found[2], int(found[3]), found[4]
        if len(found[1]) == 4:
            return "Y" if 1 <= second <= 12 and 1 <= int(third) <= 31 and len(third) == 2 else "t"
        if len(found[1]) == 3 or not (first_part and second):
            return "t"
        if first_part > 12:
            return "D" if first_part <= 31 and second <= 12 else "t"
        if second > 12:
            return "M" if second <= 31 else "t"
        # With points the day comes first, wherever points are written.
        return "D" if separator == "." else "S"
    if _DECIMAL_COMMA.fullmatch(text):
        return "?" if re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text) else ","
    if _DECIMAL_POINT.fullmatch(text):
        return "?" if re.fullmatch(r"[+-]?[1-9]\d{0,2}\.\d{3}", text) else "."
    if _THOUSANDS_POINT.fullmatch(text):
        return ","
    if _THOUSANDS_COMMA.fullmatch(text):
        return "."
    return "t"


class _ColumnCounts:
    """Counts of one column.

    Kinds of texts: t text, b yes or no, i whole number, z with leading zero, "," and "." decimals of that sign, ?
    either, D day first, M month first, S either, Y year first.
    """

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.lengths: Counter[int] = Counter()
        self.zero_lengths: set[int] = set()
        self.examples: dict[str, str] = {}
        self.first_values: list[str] = []
        self.numbers = 0
        self.rounded = 0
        self.dates = 0
        self.booleans = 0
        self.longest = 0

    def add(self, cells: Iterable[Any]) -> None:
        """Takes the cells of many rows at once; most columns repeat their values, so each is looked at once."""
        for cell, count in Counter(cells).items():
            if cell is None:
                continue
            kind = type(cell)
            if kind is str:
                code = _kind_of_text(cell)
                self.kinds[code] += count
                if code not in self.examples:
                    self.examples[code] = cell
                if code == "i":
                    self.lengths[len(cell)] += count
                elif code == "z":
                    self.zero_lengths.add(len(cell))
                if len(cell) > self.longest:
                    self.longest = len(cell)
            elif kind is bool:
                self.booleans += count
            elif kind is int or kind is float:
                self.numbers += count
                if 0 < cell < 1e15:
                    self.lengths[len(str(int(cell)))] += count
                if abs(cell) >= 1e15:
                    self.rounded += count
                    self.examples.setdefault("rounded", str(cell))
            else:
                self.dates += count
            if len(self.first_values) < _EXAMPLES:
                self.first_values.append(_shown(cell))

    def hint(self, index: int, heading: str) -> ColumnHint:
        kinds = self.kinds
        texts = kinds.total()
        hint = ColumnHint(
            index,
            heading,
            filled=texts + self.numbers + self.dates + self.booleans,
            texts=texts,
            numbers=self.numbers,
            dates=self.dates,
            booleans=self.booleans,
            leading_zeros=kinds["z"],
            zero_length=self._code_length(),
            longest=self.longest,
            examples=list(self.first_values),
        )
        self._date_hints(hint)
        self._decimal_hints(hint)
        if kinds["z"]:
            self._say(hint, "leading_zeros", "z")
        # Codes that a spreadsheet program took for numbers, beside those it could not.
        if self.numbers and texts * 50 >= self.numbers and (kinds["t"] + kinds["i"] + kinds["z"]) == texts:
            hint.evidence.append(Evidence("numbers_and_texts", {"numbers": self.numbers, "texts": texts}, "warning"))
        if self.rounded:
            parts = {"count": self.rounded, "example": self.examples["rounded"]}
            hint.evidence.append(Evidence("rounded_numbers", parts, "warning"))
        return hint

    def _code_length(self) -> int:
        if self.zero_lengths:
            return min(self.zero_lengths) if len(self.zero_lengths) == 1 else 0
        lengths = self.lengths
        # Codes of five digits that lost their zeros have four; a column of four digits only says nothing.
        return 5 if lengths[4] and lengths[5] * 10 >= lengths[4] and lengths[4] + lengths[5] == lengths.total() else 0

    def _say(self, hint: ColumnHint, code: str, kind: str, weight: str = "info") -> None:
        parts = {"count": self.kinds[kind], "example": _shown(self.examples.get(kind, ""))}
        hint.evidence.append(Evidence(code, parts, weight))

    def _date_hints(self, hint: ColumnHint) -> None:
        kinds = self.kinds
        if (kinds["D"] + kinds["M"] + kinds["S"] + kinds["Y"]) * 2 < hint.texts or not hint.texts:
            return
        if kinds["D"] and kinds["M"]:
            hint.date_order = "mixed"
            parts = {"example": self.examples["D"], "other": self.examples["M"]}
            hint.evidence.append(Evidence("date_mixed", parts, "question"))
        elif kinds["D"]:
            hint.date_order = "dmy"
            self._say(hint, "date_dmy", "D")
        elif kinds["M"]:
            hint.date_order = "mdy"
            self._say(hint, "date_mdy", "M")
        elif kinds["S"]:
            hint.date_order = "ambiguous"
            self._say(hint, "date_ambiguous", "S", "question")
        elif kinds["Y"]:
            hint.date_order = "ymd"
            self._say(hint, "date_ymd", "Y")

    def _decimal_hints(self, hint: ColumnHint) -> None:
        kinds = self.kinds
        decimals = kinds[","] + kinds["."] + kinds["?"]
        if not decimals or (decimals + kinds["i"]) * 2 < hint.texts:
            return
        if kinds[","] and kinds["."]:
            hint.decimals = "mixed"
            parts = {"example": self.examples[","], "other": self.examples["."]}
            hint.evidence.append(Evidence("decimal_mixed", parts, "question"))
        elif kinds[","]:
            hint.decimals = "comma"
            self._say(hint, "decimal_comma", ",")
        elif kinds["."]:
            hint.decimals = "point"
            self._say(hint, "decimal_point", ".")
        else:
            hint.decimals = "ambiguous"
            self._say(hint, "decimal_ambiguous", "?", "question")


def _shown(cell: Any) -> str:
    if isinstance(cell, datetime.datetime):
        return f"{cell:%d.%m.%Y %H:%M}"
    if isinstance(cell, datetime.date):
        return f"{cell:%d.%m.%Y}"
    text = str(cell).replace("\n", " ")
    return text if len(text) <= 40 else text[:39] + "…"


class SheetSurvey:
    """Looks at rows as they arrive: `add` each, then `finish`. Keeps some rows at a time, never all."""

    def __init__(self, header_row: int | None = None, known_headings: Collection[str] = ()) -> None:
        self._given = header_row
        self._known = known_headings
        self._head: list[Row] = []
        self._is_open = True
        self._header: tuple[int, Evidence] = (0, Evidence("header_none", {"row": 1}))
        self._headings: list[Any] = []
        self._number = 0
        self._counts: list[_ColumnCounts] = []
        self.row_count = self.first_row = self.last_row = 0
        self._surveyed = 0
        self._batch: list[Row] = []

    @property
    def header_row(self) -> int:
        """The heading row, once the first rows have arrived; 0 for none."""
        return self._header[0]

    def add(self, row: Row) -> None:
        if self._is_open:
            self._head.append(row)
            if len(self._head) >= max(_HEAD_ROWS, self._given or 0):
                self._settle()
            return
        self._count(row)

    def _settle(self) -> None:
        self._is_open = False
        if self._given is None:
            self._header = find_header(self._head[:_HEAD_ROWS], self._known)
        elif self._given == 0:
            self._header = (0, Evidence("header_given_none"))
        else:
            self._header = (self._given, Evidence("header_given", {"row": self._given}))
        row_number = self._header[0]
        if 0 < row_number <= len(self._head):
            self._headings = list(self._head[row_number - 1])
        self._number = row_number
        for row in self._head[row_number:]:
            self._count(row)
        self._head = []

    def _count(self, row: Row) -> None:
        self._number += 1
        if not row:
            return
        self.row_count += 1
        self.first_row = self.first_row or self._number
        self.last_row = self._number
        if self._surveyed >= _SURVEYED_ROWS:
            return
        self._surveyed += 1
        self._batch.append(row)
        if len(self._batch) >= _BATCH_ROWS:
            self._survey_batch()

    def _survey_batch(self) -> None:
        for column, cells in enumerate(itertools.zip_longest(*self._batch)):
            if column >= len(self._counts):
                self._counts.append(_ColumnCounts())
            self._counts[column].add(cells)
        self._batch = []

    def finish(self, sheet: str = "", remarks: Iterable[Evidence] = ()) -> Detection:
        if self._is_open:
            self._settle()
        self._survey_batch()
        header_row, header_evidence = self._header
        width = max(len(self._headings), len(self._counts))
        headings = []
        for index in range(width):
            cell = self._headings[index] if index < len(self._headings) else None
            text = "" if cell is None else " ".join(_shown_heading(cell).split())
            headings.append(text if header_row else column_letters(index))
        columns = []
        for index, heading in enumerate(headings):
            counts = self._counts[index] if index < len(self._counts) else _ColumnCounts()
            columns.append(counts.hint(index, heading))
        evidence = [*remarks, header_evidence]
        evidence.extend(_heading_evidence(columns))
        _suggest_date_order(columns)
        empty_rows = self.last_row - self.first_row + 1 - self.row_count if self.row_count else 0
        if empty_rows:
            evidence.append(Evidence("empty_rows", {"count": empty_rows}))
        if not self.row_count:
            evidence.append(Evidence("no_rows", {}, "warning"))
        return Detection(
            sheet, header_row, headings, columns, self.row_count, self.first_row, self.last_row, empty_rows, evidence
        )


def _shown_heading(cell: Any) -> str:
    return cell if isinstance(cell, str) else _shown(cell)


def _heading_evidence(columns: list[ColumnHint]) -> list[Evidence]:
    found = []
    by_heading: dict[str, list[ColumnHint]] = {}
    for column in columns:
        if column.heading:
            by_heading.setdefault(normal_heading(column.heading), []).append(column)
    for same in by_heading.values():
        if len(same) > 1:
            parts = {"heading": same[0].heading, "columns": [column.letters for column in same]}
            found.append(Evidence("headings_twice", parts, "warning"))
    unnamed = [column.letters for column in columns if not column.heading and column.filled]
    if unnamed:
        found.append(Evidence("headings_missing", {"count": len(unnamed), "columns": unnamed[:10]}, "warning"))
    return found


def _suggest_date_order(columns: list[ColumnHint]) -> None:
    """An ambiguous column is not decided by another one, but the operator is told what that one says."""
    decided = [column for column in columns if column.date_order in ("dmy", "mdy")]
    orders = {column.date_order for column in decided}
    if len(orders) != 1:
        return
    for column in columns:
        if column.date_order == "ambiguous":
            column.date_suggestion = decided[0].date_order
            parts = {"heading": decided[0].heading or decided[0].letters, "order": decided[0].date_order}
            column.evidence.append(Evidence("date_hint_elsewhere", parts))


def text_evidence(workbook: Workbook) -> list[Evidence]:
    """What speaks for the encoding and the separator of a text file; empty for the other kinds."""
    found = workbook.text
    if found is None:
        return []
    evidence = []
    encoding: dict[str, Any] = {"encoding": found.encoding}
    if found.encoding_reason in ("valid", "letters", "unsure"):
        encoding |= {"count": found.special_characters, "example": found.example, "line": found.example_line}
    if found.encoding_reason == "mixed":
        encoding |= {"count": len(found.mixed_lines), "lines": found.mixed_lines[:5]}
    weight = "warning" if found.encoding_reason in ("unsure", "mixed") else "info"
    evidence.append(Evidence(f"encoding_{found.encoding_reason}", encoding, weight))
    if found.lost_characters:
        lost = {"count": found.lost_characters, "line": found.lost_line}
        evidence.append(Evidence("lost_characters", lost, "warning"))
    separator = {
        "separator": found.separator,
        "columns": found.usual_columns,
        "rows": found.sample_rows,
        "fitting": found.sample_fitting,
    }
    weight = "warning" if found.separator_reason in ("best", "none") else "info"
    evidence.append(Evidence(f"separator_{found.separator_reason}", separator, weight))
    if found.end_mark:
        evidence.append(Evidence("end_mark"))
    if workbook.row_lengths:
        usual = max(workbook.row_lengths, key=lambda entry: entry[1])
        for length, count, first in workbook.row_lengths:
            # Only what is longer can hold something; shorter rows lack values at their end.
            if length != usual[0] and len(workbook.row_lengths) <= 4:
                parts = {"count": count, "found": length, "usual": usual[0], "row": first}
                evidence.append(
                    Evidence("uneven_rows", parts, "warning" if length > usual[0] > 1 and first > 1 else "info")
                )
    if workbook.quote_suspects:
        parts = {"count": len(workbook.quote_suspects), "row": workbook.quote_suspects[0]}
        evidence.append(Evidence("quote_suspects", parts, "warning"))
    return evidence


def detect(
    workbook: Workbook,
    sheet: SheetData | None = None,
    *,
    header_row: int | None = None,
    known_headings: Collection[str] = (),
) -> Detection:
    """What a sheet of a workbook is. `header_row` overrules the guess (0: there are no headings).

    Encoding and separator are overruled where the file is read (`read_workbook`).
    """
    sheet = sheet or workbook.main_sheet
    survey = SheetSurvey(header_row, known_headings)
    for row in sheet.rows:
        survey.add(row)
    remarks = text_evidence(workbook)
    remarks.extend(Evidence("sheet_remark", {"text": text}, "warning") for text in describe_faults(sheet))
    return survey.finish(sheet.name, remarks)

"""What a spreadsheet program did to the values of a file, named by its cause, with evidence and a way back.

Shape: a `SheetDoctor` looks at the cells of one sheet while its rows are planned. A cell whose value is known (at
export, or as it stands now) is compared with it: „1067“ was „01067“. Of any other cell its own form and that of its
column speak. What was found is gathered in `Damages`, one `Damage` per sheet, column and cause, stored with the run.
What people chose about a damage is kept in the options under its key: "repair" or "keep". Without a choice the row is
an error, so that nothing is repaired or written silently. A sheet in which columns were sorted apart, or keys were
exchanged, is refused as a whole (`DamagedSheet`), since no cell of it can be trusted.
Row numbers are those of the spreadsheet. A repair is a cell, read like any other, or the value it had.
Source: goals M4 and section 4; trust cases 109 to 113.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from flask_appadmin.errors import SheetError
from flask_appadmin.i18n import format_date, format_number, gettext, ngettext
from flask_appadmin.sheets.detection.columns import ColumnHint
from flask_appadmin.specs import FieldSpec

#: There is no safe way back.
LOST = None

_EXAMPLES = 5
_REMEMBERED = 2_000
#: So many rows of a foreign sheet are compared with each other to find those that were pasted twice.
_COMPARED_ROWS = 200_000
#: So many moved cells of a column are looked at to find out whether it was sorted apart.
_MOVED_CELLS = 50_000

_EPOCH = datetime.date(1899, 12, 30)
_EPOCH_1904_DAYS = 1462
_SERIALS = range(10_000, 80_000)
_FULL_DIGITS = 15

_SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,]\d+[eE]\+?|[eE]\+)\d{1,3}")
_APOSTROPHE = re.compile(r"'[+=\-@\d]")
_FORMULA = re.compile(r"=[A-Za-zÄÖÜ(+\-\d$\"']")
_POINT_ZERO = re.compile(r"(\d+)[.,]0{1,2}")
_MONTHS = "Jan|Feb|Mrz|Mär|Mar|Apr|Mai|May|Jun|Jul|Aug|Sep|Okt|Oct|Nov|Dez|Dec"
_MONTH_TEXT = re.compile(rf"\d{{1,2}}\.?[ -]?(?:{_MONTHS})\.?|(?:{_MONTHS})\.?[ -]\d{{2}}(?:\d\d)?", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_HARD_BLANKS = re.compile("[\u00a0\u2007\u202f]")
_LOST_LETTER = re.compile(r"[A-Za-zÄÖÜäöüß]\?[a-zäöüß]")
_HOME = frozenset(("", "d", "de", "deu", "deutschland", "germany", "brd", "276"))
#: Texts of which doubtful letters say nothing.
_LETTERLESS = ("url", "email", "iban", "bic", "vat_id", "gln", "password", "token", "phone", "fax")

#: How a text was written, and how it was read by mistake.
_MISREADINGS = (
    ("utf-8", "cp1252"),
    ("utf-8", "iso-8859-1"),
    ("utf-8", "mac_roman"),
    ("utf-8", "cp850"),
    ("mac_roman", "cp1252"),
    ("mac_roman", "iso-8859-1"),
    ("cp1252", "mac_roman"),
    ("cp850", "cp1252"),
    ("cp850", "iso-8859-1"),
    ("cp1252", "cp850"),
)
_EXPECTED = frozenset("äöüßÄÖÜéèêáàâôóòíìîúùûçñøåæëïÉÈÁÀÇÑØÅÆœŠšŽž–„“”’€°§²³½·«»´ ")
#: Letters that stand between others only where a text was read wrongly.
_ODD_INSIDE = re.compile(r"[^\W\d_][Ÿ§Š€…†‡Œ‹‰ˆ¸¨ŠšŽ÷³õ¢”„™¤ﬂ▀\x80-\x9f](?=[^\W\d_])")
_TWO_BYTES = re.compile("[ÃÂÅÄ├┬√][\u0080-\u00ff\u0152-\u0192\u2013-\u2122\u2502-\u2593\u222b-\u2265]|â€")


class DamagedSheet(SheetError):
    """A sheet of which no row can be trusted. `cause` is "half_sorted" or "swapped_keys"."""

    def __init__(self, cause: str, sheet: str, headings: list[str], rows: int) -> None:
        super().__init__(cause, sheet)
        self.cause, self.sheet, self.headings, self.rows = cause, sheet, headings, rows

    def sentence(self) -> str:
        parts = {"sheet": self.sheet, "rows": format_number(self.rows)}
        if self.cause == "swapped_keys":
            return gettext(
                "Im Blatt „%(sheet)s“ sind die Zeilenschlüssel vertauscht: In %(rows)s Zeilen stehen die Werte anderer "
                "Zeilen. Es wurde nichts übernommen. Bitte neu exportieren oder das Sortieren zurücknehmen.",
                **parts,
            )
        return gettext(
            "Das Blatt „%(sheet)s“ ist nur halb sortiert: In %(rows)s Zeilen gehören die Werte von %(columns)s zu "
            "anderen Zeilen. Es wurde nichts übernommen. Bitte das Sortieren zurücknehmen und immer alle Spalten "
            "zusammen sortieren.",
            columns=", ".join(f"„{heading}“" for heading in self.headings[:4])
            + (" …" if len(self.headings) > 4 else ""),
            **parts,
        )


# --- what was found ---------------------------------------------------------------------------------------------------


@dataclass
class Damage:
    """One cause in one column of one sheet, with its evidence."""

    cause: str
    sheet: str
    #: The column, -1 for whole rows or the whole sheet.
    index: int
    heading: str
    count: int = 0
    #: Filled cells of the column, as far as it was looked at; 0 for unknown.
    filled: int = 0
    #: The common number of digits where one is right, 0 for none.
    digits: int = 0
    #: [[row number, what stands there, what it would become or ""], …]
    examples: list[list[Any]] = field(default_factory=list)
    #: Cells with a way back.
    repairable: int = 0
    #: "ask" (rows wait for a choice) or "note" (nothing wrong would be written).
    weight: str = "ask"

    @property
    def key(self) -> str:
        """What a choice is kept under."""
        return f"{self.sheet}|{self.index}|{self.cause}"

    def sentence(self) -> str:
        """„Spalte „PLZ“: 317 von 400 Werten …“."""
        text = self._found()
        if self.heading:
            text = gettext("Spalte „%(heading)s“: %(text)s", heading=self.heading, text=text)
        return f"{text} {self.proposal()}".strip()

    def _found(self) -> str:
        if self.cause == "zeros" and self.digits > 0 and self.filled >= self.count:
            return gettext(
                "%(count)s von %(filled)s Werten haben weniger als %(digits)s Stellen: die führenden Nullen fehlen.",
                count=format_number(self.count),
                filled=format_number(self.filled),
                digits=self.digits,
            )
        words = cause_words(self.cause)
        if self.cause in ("twice", "shifted", "hidden_rows"):
            return ngettext("%(count)s Zeile %(words)s.", "%(count)s Zeilen %(words)s.", self.count, words=words)
        if self.cause == "charset":
            return words
        return ngettext("%(count)s Zelle %(words)s.", "%(count)s Zellen %(words)s.", self.count, words=words)

    def proposal(self) -> str:
        """„Reparieren: 1067 → 01067 (Zeile 7).“ or that there is no way back."""
        if self.cause in ("hidden_rows", "charset"):
            return ""
        shown = [example for example in self.examples if example[2]] or self.examples
        if not shown:
            return ""
        row, found, repaired = shown[0]
        place = gettext("Zeile %(row)s", row=row)
        if self.cause == "twice":
            return gettext("Reparieren: nur einmal übernehmen (%(place)s wie Zeile %(row)s).", place=place, row=found)
        if not self.repairable:
            return gettext("Kein sicherer Weg zurück („%(found)s“, %(place)s).", found=found, place=place)
        text = gettext("Reparieren: %(found)s → %(repaired)s (%(place)s).", found=found, repaired=repaired, place=place)
        if self.repairable < self.count:
            rest = self.count - self.repairable
            text += " " + ngettext(
                "Für %(count)s Zelle gibt es keinen sicheren Weg zurück.",
                "Für %(count)s Zellen gibt es keinen sicheren Weg zurück.",
                rest,
            )
        return text


def cause_words(cause: str) -> str:
    """What happened, as the end of „3 Zellen …“ or „Der Wert …“."""
    words: dict[str, Callable[[], str]] = {
        "zeros": lambda: gettext("ohne ihre führenden Nullen"),
        "plus": lambda: gettext("ohne Pluszeichen vor der Landesvorwahl"),
        "as_number": lambda: gettext("als Zahl gespeichert, ohne die Zeichen dazwischen"),
        "scientific": lambda: gettext("als Exponentialzahl geschrieben (wie 4,91E+10)"),
        "long_number": lambda: gettext("nach 15 Stellen abgeschnitten oder gerundet"),
        "became_date": lambda: gettext("in ein Datum verwandelt"),
        "separators": lambda: gettext("mit verwechseltem Dezimal- und Tausenderzeichen"),
        "blanks": lambda: gettext("mit überzähligen Leerzeichen"),
        "invisible": lambda: gettext("mit geschützten Leerzeichen oder unsichtbaren Zeichen"),
        "apostrophe": lambda: gettext("mit einem Apostroph davor"),
        "encoding": lambda: gettext("mit falsch gelesenen Umlauten oder Sonderzeichen"),
        "charset": lambda: gettext("Ein Tabellenprogramm hat die Datei in einem anderen Zeichensatz gespeichert."),
        "formula": lambda: gettext("mit einer Formel statt eines Wertes"),
        "error_value": lambda: gettext("mit einem Fehlerwert des Tabellenprogramms"),
        "point_zero": lambda: gettext("mit angehängtem „.0“"),
        "serial": lambda: gettext("mit einer laufenden Zahl statt eines Datums"),
        "century": lambda: gettext("mit einem Datum im falschen Jahrhundert"),
        "epoch_1904": lambda: gettext("mit einem Datum, das um vier Jahre verschoben ist (Datumswerte ab 1904)"),
        "day_month": lambda: gettext("mit vertauschtem Tag und Monat"),
        "twice": lambda: gettext("doppelt eingefügt"),
        "shifted": lambda: gettext("um eine Spalte verschoben"),
        "hidden_rows": lambda: gettext("ausgeblendet oder weggefiltert; auch sie werden gelesen"),
    }
    return words[cause]()


class Damages:
    """All damages of one file, by sheet, column and cause, in the order in which they were met."""

    def __init__(self) -> None:
        self._found: dict[str, Damage] = {}

    def __iter__(self) -> Iterator[Damage]:
        return iter(self._found.values())

    def add(
        self,
        cause: str,
        sheet: str,
        index: int = -1,
        heading: str = "",
        *,
        row: int = 0,
        found: Any = "",
        repaired: Any = LOST,
        count: int = 1,
        weight: str = "ask",
        hint: ColumnHint | None = None,
    ) -> Damage:
        """Notes one damaged cell; `repaired` is what is shown of its repair, LOST for none."""
        damage = Damage(cause, sheet, index, heading, weight=weight)
        damage = self._found.setdefault(damage.key, damage)
        damage.count += count
        damage.repairable += repaired is not LOST
        if hint is not None:
            damage.filled = hint.filled
            damage.digits = (
                hint.zero_length if len(shown_cell(repaired)) == hint.zero_length and damage.digits >= 0 else -1
            )
        if row and len(damage.examples) < _EXAMPLES:
            damage.examples.append([row, shown_cell(found), "" if repaired is LOST else shown_cell(repaired)])
        return damage

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(damage) for damage in self]


def damages_of(detection: dict[str, Any]) -> list[Damage]:
    """The damages that are stored with a run."""
    return [Damage(**stored) for stored in detection.get("damages", ())]


def repairs_text(detection: dict[str, Any], repairs: dict[str, str]) -> str:
    """What was chosen, for the history: „Repariert: PLZ (317 ohne ihre führenden Nullen)“; "" for nothing."""
    words = {"repair": gettext("Repariert"), "keep": gettext("Gelassen, wie es ist")}
    parts = []
    for choice, label in words.items():
        chosen = [damage for damage in damages_of(detection) if repairs.get(damage.key) == choice]
        if chosen:
            named = ", ".join(
                f"{damage.heading or damage.sheet} ({format_number(damage.count)} {cause_words(damage.cause)})"
                for damage in chosen
            )
            parts.append(f"{label}: {named}")
    return "; ".join(parts)


# --- the form of a cell -----------------------------------------------------------------------------------------------

#: (cause, repair, weight)
Suspicion = tuple[str, Any, str]


def look(cell: Any, item: FieldSpec, hint: ColumnHint) -> Suspicion | None:
    """What the form of a cell says by itself, beside the rest of its column; None for nothing."""
    name = item.type.name
    if item.target is not None or item.secret or type(cell) is bool:
        return None
    if name in ("text", "multiline"):
        if isinstance(cell, datetime.date):
            # A column of dates may well go to a field of text; a few dates among texts were something else.
            return ("became_date", LOST, "ask") if hint.dates * 2 < hint.filled else None
        if isinstance(cell, int | float):
            return _look_at_number(cell, item, hint)
        return _look_at_text(cell, item, hint)
    if name == "date":
        number = _serial(cell)
        return ("serial", _EPOCH + datetime.timedelta(days=number), "ask") if number else None
    if name in ("integer", "decimal"):
        return _look_at_amount(cell, item)
    return None


def _look_at_number(cell: float, item: FieldSpec, hint: ColumnHint) -> Suspicion | None:
    if abs(cell) >= 1e15 or item.kind == "iban":
        return "long_number", LOST, "ask"
    if isinstance(cell, float) and not cell.is_integer():
        return None
    digits = str(int(cell))
    if item.kind in ("phone", "fax"):
        return _phone_of(digits)
    if item.kind == "postal_code":
        return ("zeros", digits.zfill(5), "ask") if len(digits) == 4 and hint.zero_length == 5 else None
    if hint.leading_zeros and hint.zero_length > len(digits):
        return "zeros", digits.zfill(hint.zero_length), "ask"
    return None


def _phone_of(digits: str) -> Suspicion | None:
    if len(digits) < 6:
        return None
    if len(digits) >= 10 and digits[:2] in ("49", "43", "41"):
        return "plus", f"+{digits}", "ask"
    return "zeros", f"0{digits}", "ask"


def _look_at_text(cell: str, item: FieldSpec, hint: ColumnHint) -> Suspicion | None:
    kind = item.kind
    if _INVISIBLE.search(cell):
        return "invisible", _plain(cell), "ask"
    if _HARD_BLANKS.search(cell):
        # A field keeps common blanks instead.
        return "invisible", _plain(cell), "note"
    first = cell[:1]
    if first == "'" and _APOSTROPHE.match(cell):
        return "apostrophe", cell[1:], "ask"
    if first == "=" and _FORMULA.match(cell):
        return "formula", LOST, "ask"
    if cell.isascii() and (first.isdigit() or first in "+-"):
        if _SCIENTIFIC.fullmatch(cell):
            return "scientific", LOST, "ask"
        if item.natural_key or item.unique or kind in ("gln", "postal_code"):
            found = _POINT_ZERO.fullmatch(cell)
            if found is not None:
                return "point_zero", found[1], "ask"
        if kind == "postal_code" and len(cell) == 4 and cell.isdigit() and first != "0":
            # As texts the zeros would stand somewhere, had they not been lost.
            if hint.zero_length == 5 and not hint.leading_zeros:
                return "zeros", cell.zfill(5), "ask"
    if kind == "iban" and _is_cut_iban(cell):
        return "long_number", LOST, "ask"
    if item.type.name == "text" and _MONTH_TEXT.fullmatch(cell):
        return "became_date", LOST, "ask"
    if kind not in _LETTERLESS:
        return _misread(cell)
    return None


def _is_cut_iban(cell: str) -> bool:
    from stdnum import iban

    text = re.sub(r"[\s.-]", "", cell).upper()
    if text.isdigit():
        return len(text) >= 12
    if not re.fullmatch(r"[A-Z]{2}\d\d[A-Z0-9]{8,}", text) or iban.is_valid(text):
        return False
    return text.endswith("0000") or (text[:2] in ("DE", "AT") and len(text) < 20)


def _misread(cell: str) -> Suspicion | None:
    if cell.isascii():
        return ("encoding", LOST, "ask") if "?" in cell and _LOST_LETTER.search(cell) else None
    if "\ufffd" in cell:
        return "encoding", LOST, "ask"
    if not (_TWO_BYTES.search(cell) or _ODD_INSIDE.search(cell)):
        return None
    for written, read in _MISREADINGS:
        try:
            text = cell.encode(read).decode(written)
        except UnicodeError:
            continue
        special = {letter for letter in text if not letter.isascii()}
        if text != cell and special and special <= _EXPECTED and not _ODD_INSIDE.search(text):
            if written == "utf-8" or len(text) == len(cell):
                again = _misread(text)
                return again if again is not None and again[1] is not LOST else ("encoding", text, "ask")
    return None


def _look_at_amount(cell: Any, item: FieldSpec) -> Suspicion | None:
    places = item.places if item.type.name == "decimal" else 0
    if isinstance(cell, datetime.date):
        return "became_date", f"{cell.day},{cell.month}" if places else LOST, "ask"
    if isinstance(cell, str):
        if _FORMULA.match(cell):
            return "formula", LOST, "ask"
        if places < 3 and _GROUPED.fullmatch(cell):
            # German groups are read as such; in the English way they are one mark apart from a fraction.
            return ("separators", cell.replace(",", ""), "ask") if "," in cell else None
        found = _POINT_ZERO.fullmatch(cell)
        if found is not None and not places:
            return "point_zero", found[1], "ask"
        return None
    if isinstance(cell, float) and places < 3:
        # As it is written: 153.95 times a hundred is no whole number to a computer.
        exact = Decimal(format(cell, ".15g"))
        has_more_places = (exact * 10**places) % 1 != 0
        if has_more_places and (exact * 1000) % 1 == 0 and 1 <= exact < 1000:
            return "separators", int(exact * 1000), "ask"
    return None


def _serial(cell: Any) -> int:
    """The day that a number in a column of dates counts to, 0 for none."""
    if isinstance(cell, str):
        cell = int(cell) if cell.isascii() and cell.isdigit() and len(cell) == 5 else 0
    if isinstance(cell, datetime.date) or not isinstance(cell, int | float):
        return 0
    return int(cell) if int(cell) in _SERIALS else 0


def is_home(cell: Any) -> bool:
    """Whether the country beside a postal code leaves it to be a German one."""
    return str(cell or "").strip().casefold() in _HOME


def _plain(text: str) -> str:
    """A text without what cannot be seen, and with one blank where there are several."""
    return " ".join(_HARD_BLANKS.sub(" ", _INVISIBLE.sub("", text)).split())


# --- a cell beside the value it had -----------------------------------------------------------------------------------


def compare(cell: Any, value: Any, base: Any, item: FieldSpec) -> str:
    """The cause that makes this cell out of the value it had, "" for none: then somebody meant it.

    `value` is the cell as it was read, None where it cannot be.
    """
    name = item.type.name
    if base is None or item.target is not None:
        return ""
    if name in ("text", "multiline"):
        return _compare_texts(cell, str(base), item)
    if name == "date":
        return _compare_days(cell, value, base)
    if name in ("integer", "decimal"):
        if isinstance(cell, datetime.date):
            return "became_date" if _makes_day(str(base), cell.day, cell.month, cell.year) else ""
        if isinstance(cell, str) and _FORMULA.match(cell):
            return "formula"
        if value is None:
            found = _POINT_ZERO.fullmatch(cell) if isinstance(cell, str) else None
            if found is not None and found[1] == str(base):
                return "point_zero"
            if isinstance(cell, int | float) and _power_between(Decimal(format(cell, ".15g")), Decimal(base)):
                return "separators"
            value = _look_at_amount(cell, item)
            return value[0] if value is not None else ""
        return "separators" if _power_between(Decimal(value), Decimal(base)) else ""
    return ""


def _power_between(value: Decimal, base: Decimal) -> bool:
    """Whether the same digits stand two or three places further."""
    if not value or not base or value == base:
        return False
    digits = base.normalize().as_tuple().digits
    return len(digits) >= 2 and any(
        value * power == base or base * power == value for power in (Decimal(100), Decimal(1000))
    )


def _compare_days(cell: Any, value: Any, base: datetime.date) -> str:
    number = int(cell) if isinstance(cell, int | float) and 0 < cell < _SERIALS.stop else _serial(cell)
    if number:
        day = _EPOCH + datetime.timedelta(days=number)
        return "serial" if (base - day).days in (0, _EPOCH_1904_DAYS, -_EPOCH_1904_DAYS) else ""
    if not isinstance(value, datetime.date):
        return ""
    if abs((value - base).days) == _EPOCH_1904_DAYS:
        return "epoch_1904"
    if abs(value.year - base.year) == 100 and (value.month, value.day) == (base.month, base.day):
        return "century"
    if value.year == base.year and (value.day, value.month) == (base.month, base.day):
        return "day_month"
    return ""


def _makes_day(base: str, day: int, month: int, year: int) -> bool:
    """Whether a program that looks for dates finds this one in a text: „1-2“, „3/4“, „2.10“, „10/26“."""
    numbers = [int(part) for part in re.findall(r"\d{1,4}", base)]
    if len(numbers) == 3:
        return {day, month} == set(numbers[:2]) or {day, month} == set(numbers[1:])
    if len(numbers) != 2:
        return False
    first, second = numbers
    return {day, month} == {first, second} or (day == 1 and month in numbers and year % 100 in (first, second))


def _compare_texts(cell: Any, base: str, item: FieldSpec) -> str:
    digits = re.sub(r"\D", "", base)
    if isinstance(cell, datetime.date):
        return "became_date" if _makes_day(base, cell.day, cell.month, cell.year) else ""
    if isinstance(cell, int | float):
        return _compare_with_number(cell, base, digits)
    text = str(cell)
    if text == f"'{base}":
        return "apostrophe"
    if _plain(text) == _plain(base):
        return "invisible" if _INVISIBLE.search(text) or _HARD_BLANKS.search(text) else "blanks"
    if _FORMULA.match(text) and not base.startswith("="):
        return "formula"
    if _SCIENTIFIC.fullmatch(text):
        return "scientific" if digits else ""
    if _POINT_ZERO.fullmatch(text) and re.split("[.,]", text)[0] == base:
        return "point_zero"
    if base == f"+{text}":
        return "plus"
    if text.isdigit() and digits:
        if text.lstrip("0") == digits.lstrip("0"):
            return _lost_signs(base)
        if len(digits) > _FULL_DIGITS and text[: _FULL_DIGITS - 1] == digits[: _FULL_DIGITS - 1]:
            return "long_number"
    if re.fullmatch(r"\d{1,2}\.\d{1,2}\.(?:\d{2}|\d{4})", text):
        day, month, year = (int(part) for part in text.split("."))
        return "became_date" if base != text and _makes_day(base, day, month, year) else ""
    if _MONTH_TEXT.fullmatch(text) and digits:
        return "became_date"
    if item.kind == "iban" and _is_cut_iban(text) and text[:8] == base[:8]:
        return "long_number"
    return "encoding" if _is_misread_of(text, base) else ""


def _compare_with_number(cell: float, base: str, digits: str) -> str:
    if isinstance(cell, float) and not cell.is_integer():
        return "separators" if re.sub(r"\D", "", format(cell, ".15g")) == digits and len(digits) > 2 else ""
    text = str(int(cell))
    if text == digits.lstrip("0"):
        return _lost_signs(base)
    day = _EPOCH + datetime.timedelta(days=_serial(cell))
    if day != _EPOCH and _makes_day(base, day.day, day.month, day.year):
        return "became_date"
    if len(digits) > _FULL_DIGITS and text[: _FULL_DIGITS - 1] == digits.lstrip("0")[: _FULL_DIGITS - 1]:
        return "long_number"
    try:
        # „1E5“ is a number, too.
        return "scientific" if re.search("[eE]", base) and float(base) == cell else ""
    except ValueError:
        return ""


def _lost_signs(base: str) -> str:
    if base[:1] == "0" or (base[:1] in "(/" and "0" in base[:2]):
        return "zeros"
    if base[:1] == "+":
        return "plus"
    return "as_number" if not base.isdigit() else ""


def _is_misread_of(text: str, base: str) -> bool:
    if base.isascii():
        return False
    if len(text) == len(base) and ("?" in text or "\ufffd" in text or "_" in text):
        pairs = list(zip(text, base, strict=True))
        return all(a == b or (a in "?\ufffd_" and not b.isascii()) for a, b in pairs)
    if "\ufffd" in text:
        return re.sub("\ufffd+", "", text) == re.sub(r"[^\x00-\x7f]+", "", base)
    for written, read in _MISREADINGS:
        content = base.encode(written, "replace")
        for _time in range(2):
            found = content.decode(read, "replace")
            if found == text or _plain(found) == _plain(text):
                return True
            content = found.encode(written, "replace")
    return False


def shown_cell(cell: Any) -> str:
    """A cell as people read it, at most 60 characters of it."""
    if isinstance(cell, datetime.date):
        return format_date(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(cell, ".15G")
    return str(cell)[:60]


# --- one sheet --------------------------------------------------------------------------------------------------------


class _Moved:
    """Whether the changed cells of a column are the values of other rows."""

    __slots__ = ("_by_base", "cells", "left", "pairs")

    def __init__(self) -> None:
        self.cells: Counter[int] = Counter()
        self.left: Counter[int] = Counter()
        self._by_base: dict[int, set[int]] = {}
        #: Row -> (value, base) as hashes.
        self.pairs: dict[int, tuple[int, int]] = {}

    def add(self, row: int, value: Any, base: Any) -> None:
        if len(self.pairs) < _MOVED_CELLS:
            pair = hash(str(value)), hash(str(base))
            self.cells[pair[0]] += 1
            self.left[pair[1]] += 1
            self.pairs[row] = pair

    @property
    def moved(self) -> int:
        """Cells whose value another changed row of the column had."""
        return (self.cells & self.left).total()

    def rows_that_had(self, value: int) -> set[int]:
        """The changed rows whose cell was this before."""
        if not self._by_base:
            for row, (_value, base) in self.pairs.items():
                self._by_base.setdefault(base, set()).add(row)
        return self._by_base.get(value, set())

    @property
    def kinds(self) -> int:
        return len(self.cells.keys() & self.left.keys())

    def is_sorted_apart(self) -> bool:
        return self.kinds >= 3 and self.moved >= 0.7 * len(self.pairs)


class SheetDoctor:
    """Looks at the rows of one sheet.

    `columns` are the reader's columns (index, heading, item), `repairs` what was chosen about damages by their keys.
    """

    def __init__(
        self, found: Damages, sheet: str, hints: Sequence[ColumnHint], headings: Sequence[str], repairs: dict[str, str]
    ) -> None:
        self.found = found
        self.sheet = sheet
        self.headings = headings
        self.repairs = repairs
        self._hints = {hint.index: hint for hint in hints}
        self._no_hint = ColumnHint(-1, "")
        self._known: dict[int, dict[tuple[Any, Any], Suspicion | None]] = {}
        self._moved: dict[str, _Moved] = {}
        self._names: dict[str, str] = {}
        self._rows: dict[int, int] = {}

    def choice(self, cause: str, index: int = -1) -> str:
        """ "repair", "keep" or "" for a damage about which nobody chose yet."""
        return self.repairs.get(f"{self.sheet}|{index}|{cause}", "")

    def look(self, index: int, cell: Any, item: FieldSpec) -> Suspicion | None:
        """The suspicion about a cell; asked once for each different cell of a column."""
        known = self._known.setdefault(index, {})
        place = (cell.__class__, cell)
        try:
            return known[place]
        except KeyError:
            pass
        if len(known) >= _REMEMBERED:
            known.clear()
        known[place] = answer = look(cell, item, self._hints.get(index, self._no_hint))
        return answer

    def note(
        self, cause: str, index: int, row: int, cell: Any, repaired: Any = LOST, weight: str = "ask", count: int = 1
    ) -> Damage:
        heading = self.headings[index] if 0 <= index < len(self.headings) else ""
        hint = self._hints.get(index)
        return self.found.add(
            cause, self.sheet, index, heading, row=row, found=cell, repaired=repaired, weight=weight, hint=hint,
            count=count,
        )  # fmt: skip

    def note_blanks(self, number: int, row: Sequence[Any], cells: Sequence[Any], indexes: Iterable[int]) -> None:
        """Notes blanks around values: nobody has to answer, since a field never keeps them."""
        width = min(len(row), len(cells))
        for index in indexes:
            if index < width and cells[index] is not row[index] and type(row[index]) is str:
                raw = row[index]
                text = raw.strip()
                if text != raw and text:
                    cause = "invisible" if _HARD_BLANKS.search(raw) else "blanks"
                    self.note(cause, index, number, raw.replace("\u00a0", "␣").replace(" ", "␣"), text, "note")

    def is_pasted_twice(self, number: int, cells: Sequence[Any]) -> int:
        """The row that the same cells stand in before, 0 for none."""
        if len(self._rows) >= _COMPARED_ROWS or sum(cell not in (None, "") for cell in cells) < 3:
            return 0
        first = self._rows.setdefault(hash(tuple(cells)), number)
        return 0 if first == number else first

    def note_moved(self, name: str, heading: str, row: int, value: Any, base: Any) -> None:
        """Notes a changed cell whose value before is known, to find columns that were sorted apart."""
        self._names[name] = heading
        self._moved.setdefault(name, _Moved()).add(row, value, base)

    def is_shifted(self, pairs: Sequence[tuple[Any, Any, bool]]) -> bool:
        """Whether the cells of a row are those of its neighbours.

        `pairs`: (cell, value it left as, whether values leave as they are), in the order of the columns.
        """
        texts = [(_text(cell), _text(base) if is_plain else "") for cell, base, is_plain in pairs]
        changed = [place for place, (cell, base) in enumerate(texts) if cell and cell != base and pairs[place][2]]
        for step in (1, -1):
            hits = sum(
                1 for place in changed if 0 <= place - step < len(texts) and texts[place][0] == texts[place - step][1]
            )
            if hits >= 3 and hits >= 0.6 * len(changed):
                return True
        return False

    def finish(self, hidden_rows: int, natural: Iterable[str]) -> None:
        """Closes the sheet; raises DamagedSheet where columns were sorted apart or keys exchanged."""
        if hidden_rows:
            self.found.add("hidden_rows", self.sheet, count=hidden_rows, weight="note")
        moved = {name: column for name, column in self._moved.items() if column.kinds >= 2}
        swapped = self._swapped_rows(moved, set(natural))
        if swapped:
            raise DamagedSheet("swapped_keys", self.sheet, [], swapped)
        apart = {name: column for name, column in moved.items() if column.is_sorted_apart()}
        if apart:
            rows = set().union(*(column.pairs for column in apart.values()))
            raise DamagedSheet("half_sorted", self.sheet, [self._names[name] for name in apart], len(rows))

    def _swapped_rows(self, moved: dict[str, _Moved], natural: set[str]) -> int:
        """How many rows hold the whole content of another row: their keys were exchanged."""
        own = [column for name, column in moved.items() if name in natural]
        rows: Counter[int] = Counter()
        changed: Counter[int] = Counter()
        for name, column in self._moved.items():
            for row, (value, _base) in column.pairs.items():
                changed[row] += 1
                rows[row] += name in moved and value in column.left
        whole = [row for row, count in rows.items() if count >= 3 and count >= 0.8 * changed[row]]
        if own:
            # The number that people know a record by stands in another one's row.
            numbers = {row for column in own for row, (value, _base) in column.pairs.items() if value in column.left}
            return len(numbers) if len(numbers) >= 2 else 0
        same = sum(_comes_from_one_row(moved, row) for row in whole)
        return same if same >= 2 else 0


def _comes_from_one_row(moved: dict[str, _Moved], row: int) -> bool:
    """Whether all moved cells of a row were those of one other row."""
    others: set[int] | None = None
    for column in moved.values():
        if row in column.pairs:
            found = column.rows_that_had(column.pairs[row][0])
            others = found if others is None else others & found
    return bool(others)


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return format_date(cell) if isinstance(cell, datetime.date) else str(cell).strip()

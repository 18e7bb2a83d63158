"""What was found, by its cause, and the sentences for it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from flask_appadmin.i18n import format_date, format_number, gettext, ngettext
from flask_appadmin.sheets.detection.columns import ColumnHint

#: There is no safe way back.
LOST = None
#: (cause, repair, weight): what a cell is suspected of; see `Damage`.
Suspicion = tuple[str, Any, str]
_EXAMPLES = 5


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


def shown_cell(cell: Any) -> str:
    """A cell as people read it, at most 60 characters of it."""
    if isinstance(cell, datetime.date):
        return format_date(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(cell, ".15G")
    return str(cell)[:60]

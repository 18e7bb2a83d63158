"""What was printed, and what about it the operator should look at."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_appadmin.i18n import format_number, gettext, ngettext

#: So many warnings are kept; more are only counted, so that memory stays flat.
KEPT_WARNINGS = 1000


@dataclass(frozen=True)
class LabelWarning:
    """Something about one label that the operator should look at."""

    #: Which label it is, counted from 1 in the order given (copies are not counted).
    label: int
    #: "cut", "lines", "characters" or "empty".
    kind: str
    #: The line, or the characters, concerned.
    text: str = ""

    def sentence(self) -> str:
        place = gettext("Etikett %(number)s", number=format_number(self.label))
        if self.kind == "cut":
            return gettext("%(place)s: „%(text)s“ ist zu lang und wurde gekürzt.", place=place, text=self.text)
        if self.kind == "lines":
            return gettext("%(place)s: „%(text)s“ hat keinen Platz und wurde weggelassen.", place=place, text=self.text)
        if self.kind == "characters":
            return gettext("%(place)s: Die Schrift hat keine Zeichen für „%(text)s“.", place=place, text=self.text)
        return gettext("%(place)s ist leer und wurde nicht gedruckt.", place=place)


@dataclass
class PrintedLabels:
    """What was printed."""

    labels: int = 0
    pages: int = 0
    warnings: list[LabelWarning] = field(default_factory=list)
    #: Warnings beyond those kept.
    further_warnings: int = 0

    def warn(self, warning: LabelWarning) -> None:
        if len(self.warnings) < KEPT_WARNINGS:
            self.warnings.append(warning)
        else:
            self.further_warnings += 1

    def sentence(self) -> str:
        labels = ngettext("%(count)s Etikett", "%(count)s Etiketten", self.labels)
        pages = ngettext("auf %(count)s Seite", "auf %(count)s Seiten", self.pages)
        return f"{labels} {pages}."

"""Faults and the sentence for each: where, what was found, what is right, what happened to the work.

Inner code raises these with their parts; only the edge (page, file, command line) shows them, by `str(fault)`, in the
language of whoever reads. None of them carries text of a database, a path or another exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_appadmin.i18n import gettext, ngettext

if TYPE_CHECKING:
    from flask_appadmin.specs import FieldSpec, ModelSpec


class AppAdminError(Exception):
    """A fault that can be told to an operator. `sentence()` is what they read."""

    #: The HTTP status of a page that can only show this fault.
    status = 400
    #: The heading of that page; "" for the one that belongs to the status.
    title: Any = ""
    #: What the page offers besides the way home: (label, address).
    links: Sequence[tuple[str, str]] = ()

    def sentence(self) -> str:
        return " ".join(str(part) for part in self.args)

    def __str__(self) -> str:
        return self.sentence()


class FieldError(AppAdminError):
    """A value that a field does not take.

    `spec` is the field (or its label), `value` what was found, `reason` what is wrong with it, `advice` what is right.
    """

    def __init__(self, spec: FieldSpec | Any, value: Any = None, reason: Any = "", advice: Any = "") -> None:
        super().__init__(spec, value, reason, advice)
        self.spec = spec
        self.value = value
        self.reason = reason
        self.advice = advice
        #: Which child record it belongs to: (child table, row key), or None for the record itself.
        self.place: tuple[str, str] | None = None

    @property
    def field(self) -> str:
        return getattr(self.spec, "name", "")

    @property
    def label(self) -> str:
        return str(getattr(self.spec, "label", self.spec))

    def found(self) -> str:
        """The sentence without the label, as it stands beside the field itself."""
        value = "" if self.value is None else str(self.value)
        if len(value) > 60:
            value = value[:57] + "…"
        start = f"„{value}“ {self.reason}" if value else str(self.reason)
        start = start[:1].upper() + start[1:]
        end = start if start.endswith((".", "!", "?")) else start + "."
        return f"{end} {self.advice}".strip()

    def sentence(self) -> str:
        return f"{self.label}: {self.found()}"


class MissingValue(FieldError):
    """A field that has to be filled and is empty."""


class FaultList(AppAdminError):
    """Several faults found in one pass; nothing was written."""

    def __init__(self, faults: Sequence[AppAdminError]) -> None:
        super().__init__(*faults)
        self.faults = list(faults)

    def sentence(self) -> str:
        return "\n".join(fault.sentence() for fault in self.faults)


class NotAllowed(AppAdminError):
    """The operator lacks a right. `right` is its key, `label` its German name."""

    status = 403

    def __init__(self, right: str, label: Any = "") -> None:
        super().__init__(right, label)
        self.right = right
        self.label = label or right

    def sentence(self) -> str:
        return gettext(
            "Ihnen fehlt das Recht „%(right)s“. Bitte wenden Sie sich an Ihre Administration.", right=self.label
        )


class NotFound(AppAdminError):
    """A record that does not exist or that the operator may not see; the two are not told apart."""

    status = 404

    def __init__(self, spec: ModelSpec | None = None, key: Any = "") -> None:
        super().__init__(spec, key)
        self.spec = spec
        self.key = key

    def sentence(self) -> str:
        if self.spec is None:
            return gettext("Diese Seite gibt es nicht.")
        return gettext(
            "%(label)s „%(key)s“ ist nicht vorhanden, gelöscht oder für Sie nicht sichtbar.",
            label=str(self.spec.label),
            key=str(self.key)[:40],
        )


class MissingReason(AppAdminError):
    """A change that has to say why, and does not: the labels of the fields that ask for it."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(labels)
        self.labels = list(labels)

    def sentence(self) -> str:
        return gettext(
            "Bitte einen Grund angeben, weil sich „%(labels)s“ ändert. Er steht dann in der Historie.",
            labels="“, „".join(self.labels),
        )


class MissingProof(MissingReason):
    """A file gives a consent, and nobody said where it comes from and of when it is."""

    def sentence(self) -> str:
        return gettext(
            "Bitte als Grund Quelle und Datum angeben (zum Beispiel „Messe Wels, 12.03.2026“), weil die Datei "
            "„%(labels)s“ ankreuzt: ohne Nachweis gilt keine Einwilligung. Es wurde nichts übernommen.",
            labels="“, „".join(self.labels),
        )


class FilterError(AppAdminError):
    """A filter that cannot be understood; the list is not shown unfiltered in its place."""

    def __init__(self, name: str, reason: Any = "") -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def sentence(self) -> str:
        reason = str(self.reason) or gettext("Diesen Filter gibt es hier nicht.")
        return gettext(
            "Filter „%(name)s“: %(reason)s Die Liste wird nicht ungefiltert gezeigt.",
            name=self.name[:60],
            reason=reason,
        )


class ConditionError(FilterError):
    """A typed condition that is refused. `place` is (line, character) from 1 where it is known."""

    def __init__(self, reason: Any, place: tuple[int, int] | None = None, name: str = "") -> None:
        super().__init__(name or gettext("Abfragebedingung"), reason)
        self.place = place

    def found(self) -> str:
        """What is wrong and where, as it stands beside the condition itself."""
        if self.place is None:
            return str(self.reason)
        line, character = self.place
        start = (
            gettext("Zeichen %(character)s:", character=character)
            if line == 1
            else gettext("Zeile %(line)s, Zeichen %(character)s:", line=line, character=character)
        )
        return f"{start} {self.reason}"

    def sentence(self) -> str:
        return gettext(
            "%(name)s: %(reason)s Die Liste wird nicht ungefiltert gezeigt.", name=self.name[:80], reason=self.found()
        )


class SheetError(AppAdminError):
    """A file that cannot be read or written as a table."""


class LabelError(AppAdminError):
    """Labels that cannot be laid out."""


class JobCancelled(AppAdminError):
    """The operator stopped a running job; nothing of it was written."""

    def sentence(self) -> str:
        return gettext("Der Vorgang wurde abgebrochen; es wurde nichts geändert.")


class ConflictError(AppAdminError):
    """A value that somebody else changed in between. Nothing was overwritten."""

    status = 409

    def __init__(
        self,
        title: str,
        field: Any,
        ours: Any,
        theirs: Any,
        original: Any,
        who: str = "",
        when: Any = "",
        stored: Any = None,
    ) -> None:
        super().__init__(title, field, ours, theirs, original, who, when)
        self.title = title
        self.field = field
        self.ours = ours
        self.theirs = theirs
        self.original = original
        self.who = who
        self.when = when
        #: Their value as it is stored, while `theirs` are the words for it.
        self.stored = stored

    def sentence(self) -> str:
        return gettext(
            "%(title)s: „%(field)s“ hat %(who)s inzwischen auf „%(theirs)s“ geändert. Es wurde nichts überschrieben.",
            title=self.title,
            field=str(getattr(self.field, "label", self.field)),
            who=self.who or gettext("jemand"),
            theirs=self.theirs if self.theirs not in (None, "") else gettext("leer"),
        )


@dataclass(frozen=True)
class ChangedRow:
    """What somebody else did to a record after it was shown."""

    key: int
    title: str
    label: str
    old: str
    new: str
    who: str
    #: What became of the record as a whole: removed, new, no longer among them; "" for a changed field.
    note: str = ""

    def sentence(self) -> str:
        if self.label:
            old, new = self.old or gettext("leer"), self.new or gettext("leer")
            words = f"{self.title}: {self.label} {old} → {new}"
        else:
            words = self.title
        return f"{words} ({', '.join(part for part in (self.note, self.who) if part)})"


class PlanChanged(AppAdminError):
    """What was shown before no longer holds: rows or counts differ. Nothing was written."""

    status = 409

    def __init__(self, planned: int, found: int, rows: Sequence[ChangedRow] = ()) -> None:
        super().__init__(planned, found, rows)
        self.planned = planned
        self.found = found
        self.rows = list(rows)

    def sentence(self) -> str:
        parts = []
        if self.planned != self.found:
            parts.append(
                ngettext("Gezeigt wurde %(count)s Datensatz,", "Gezeigt wurden %(count)s Datensätze,", self.planned)
            )
            parts.append(gettext("jetzt sind es %(found)s.", found=self.found))
        else:
            parts.append(gettext("Seit der Vorschau hat sich etwas geändert."))
        parts += [f"{row.sentence()}." for row in self.rows[:3]]
        if len(self.rows) > 3:
            parts.append("…")
        parts.append(gettext("Es wurde nichts geändert. Bitte sehen Sie die Vorschau noch einmal an."))
        return " ".join(parts)

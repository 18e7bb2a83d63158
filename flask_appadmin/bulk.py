"""What an operator can do with a selection: the base classes of actions, and the generic ones every model has.

Shape: an Action is data: name, label, menu group, the rights it asks for, and which page it has (`page`). Its work is a
method that knows no web: `plan` answers a ChangeSet that is shown before it is applied, `render` writes a Document. A
file in an application's `actions/` subclasses one of them and says what differs.
Errors: NotAllowed where a right is missing; FaultList from plans; SheetError and LabelError from documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from flask_appadmin.changes import (
    Applied,
    AssignPlan,
    ChangeSet,
    Departure,
    departures_of,
    heading_of,
    is_protected,
    open_children,
    plan_assign,
    words_of,
)
from flask_appadmin.copying import NOTHING, LeftOut, plan_copy
from flask_appadmin.database import utcnow
from flask_appadmin.errors import AppAdminError, LabelError
from flask_appadmin.i18n import _, format_number, gettext, to_local
from flask_appadmin.labels import print_labels
from flask_appadmin.rights import Operator, may_edit, may_read
from flask_appadmin.selections import Selection, counted
from flask_appadmin.sheets.exporting import write_export
from flask_appadmin.specs import FieldSpec, ModelSpec

#: Beyond this number the right for large changes and exports is needed.
LARGE = 1_000


#: So many records that were left out are named in the history.
MOST_NAMED = 200

#: So many rows at most are added one by one.
MOST_ADDED = 20_000


class Action:
    """Something to do with marked records."""

    #: Key in addresses.
    name: ClassVar[str] = ""
    label: ClassVar[Any] = ""
    #: Actions of one group share a menu; "" is a button of its own.
    group: ClassVar[Any] = ""
    hint: ClassVar[Any] = ""
    #: Keys on the list, for example "Ctrl+Delete".
    keys: ClassVar[str] = ""
    #: Rights besides the one on the model itself.
    rights: ClassVar[tuple[str, ...]] = ()
    #: Which right on the model it needs: "read", "edit", "create", "delete".
    verb: ClassVar[str] = "read"
    #: Which page it has: "change", "confirm", "export", "labels" or "open" (the records themselves).
    page: ClassVar[str] = "confirm"
    #: Stands in the list of printouts on the form.
    prints: ClassVar[bool] = False
    #: Works on exactly one record.
    single: ClassVar[bool] = False
    #: What is said when nothing is marked; "" leaves it to the list.
    nothing_marked: ClassVar[Any] = ""

    def is_offered(self, spec: ModelSpec, operator: Operator) -> bool:
        """Whether the operator sees the action for this model at all."""
        return operator.may(f"{spec.right}.{self.verb}") and all(operator.may(right) for right in self.rights)


@dataclass
class Document:
    """A file an action made: where it lies, how it is called, what it is."""

    path: Path
    file_name: str
    media_type: str
    #: What to tell beside the file (names that had to be cut).
    remarks: tuple[str, ...] = ()


class ChangeAction(Action):
    """An action that changes records: `plan` first, then apply exactly that."""

    def plan(self, selection: Selection, values: dict[str, Any]) -> ChangeSet:
        raise NotImplementedError


class DocumentAction(Action):
    """An action that makes a file and changes nothing."""

    def render(self, selection: Selection, values: dict[str, Any], folder: Path) -> Document:
        raise NotImplementedError


class ChangeSettings(ChangeAction):
    """One value per field for all marked records."""

    name = "change_settings"
    label = _("Einstellungen ändern")
    hint = _("Werte für alle markierten Datensätze setzen")
    rights = ("bulk.edit",)
    verb = "edit"
    page = "change"
    #: Heading of the page, and the hint below it.
    title: ClassVar[Any] = _("Einstellungen ändern")
    notice: ClassVar[Any] = _("Nichts wird geändert, bevor Sie die Vorschau gesehen haben.")

    def is_offered(self, spec: ModelSpec, operator: Operator) -> bool:
        # Every list asks: the first field that is open is enough.
        return super().is_offered(spec, operator) and any(self._open_fields(spec, operator))

    def fields(self, spec: ModelSpec, operator: Operator) -> tuple[FieldSpec, ...]:
        """The fields that may be changed for many: marked `bulk`, and open to the operator."""
        return tuple(self._open_fields(spec, operator))

    @staticmethod
    def _open_fields(spec: ModelSpec, operator: Operator) -> Iterator[FieldSpec]:
        return (
            item for item in spec.data_fields if item.bulk and may_read(operator, item) and may_edit(operator, item)
        )

    def children(self, spec: ModelSpec, operator: Operator) -> tuple[tuple[ModelSpec, FieldSpec], ...]:
        """The child tables that are pure assignments, with the field that is assigned."""
        return open_children(spec, operator)

    def preview(
        self, selection: Selection, values: dict[str, Any], without: Iterable[int] = (), *, samples: int = 0
    ) -> AssignPlan:
        """What would happen; `samples` records are shown before and after."""
        check_size(selection, "bulk.large")
        return plan_assign(selection, values, selection.operator, without=without, samples=samples)

    def plan(
        self,
        selection: Selection,
        values: dict[str, Any],
        *,
        expected: str = "",
        without: Sequence[int] = (),
        reason: str = "",
        kind: str = "bulk",
        refused: Sequence[tuple[int, str, str]] = (),
    ) -> ChangeSet:
        """The change itself. `refused` are the (key, title, reason) of `without`, which the operation keeps."""
        check_size(selection, "bulk.large")
        spec = selection.spec
        what = selection.describe()
        words = [words_of(spec, name, value) for name, value in values.items()]
        details: dict[str, Any] = {
            "selection": what,
            "without": len(without),
            "words": [sentence for sentence in words if sentence],
        }
        if refused:
            # A reason names the value; where that is protected, the record alone is told.
            is_open = not any(is_protected(spec.by_name[name]) for name in values if name in spec.by_name)
            named = refused[:MOST_NAMED]
            details["left_out"] = [[title, sentence if is_open else ""] for _key, title, sentence in named]
        change = ChangeSet(kind, reason=reason, title="", details=details)
        labels = ", ".join(heading_of(spec, name, value) for name, value in values.items())
        change.title = gettext("%(fields)s: %(what)s", fields=shortened(labels, 150), what=what)[:250]
        change.assign(selection, values, expected=expected, without=without)
        return change


class EditRecord(Action):
    """The form of the marked record; of several the first one, from which one steps to the others."""

    name = "edit"
    label = _("Bearbeiten")
    hint = _("Den markierten Datensatz öffnen; bei mehreren den ersten, von dem aus Sie weiterblättern")
    verb = "edit"
    page = "open"


class AddToEach(ChangeAction):
    """One new row of a child table for each marked record, but for those that `refusals` names."""

    rights = ("bulk.edit",)
    verb = "edit"
    #: The child table.
    child: ClassVar[str] = ""

    def child_spec(self, spec: ModelSpec) -> ModelSpec:
        return next(child for child in spec.children if child.name == self.child)

    def fields(self, spec: ModelSpec) -> tuple[FieldSpec, ...]:
        """What the page asks for: everything but the record itself."""
        return tuple(item for item in self.child_spec(spec).data_fields if not item.owner)

    def refusals(self, selection: Selection, keys: Sequence[int]) -> list[tuple[int, str]]:
        """(key, reason) of the records that get none."""
        return []

    def plan(self, selection: Selection, values: dict[str, Any], *, without: Sequence[int] = ()) -> ChangeSet:
        check_size(selection, "bulk.large")
        child = self.child_spec(selection.spec)
        assert child.owner is not None
        change = ChangeSet("bulk", title=f"{self.label}: {selection.describe()}"[:250])
        left_out = set(without)
        for key in selection.key_list(MOST_ADDED + 1):
            if key not in left_out:
                change.create(child, {**values, child.owner.name: key})
        return change


class CopyRecord(ChangeAction):
    """A copy of one record, as the copy marks of its fields say."""

    name = "copy"
    label = _("Kopieren")
    group = _("Kopieren")
    keys = "Ctrl+Insert"
    rights = ("copy.run",)
    verb = "create"
    single = True
    full: ClassVar[bool] = False
    #: What its button says; "" for the name of the action.
    confirm_label: ClassVar[Any] = ""

    def fields(self, spec: ModelSpec) -> tuple[FieldSpec, ...]:
        """What the dialog asks for: the numbers the copy gets (empty: the next one), and what it cannot do without."""
        return tuple(
            item
            for item in spec.data_fields
            if (item.natural_key or item.required) and item.copy != "keep" and item.target is None and not item.secret
        )

    def proposals(self, spec: ModelSpec) -> dict[str, Any]:
        """What the dialog's fields show at first: numbers that the copy would get."""
        return {}

    def key_of(self, selection: Selection) -> int:
        """The key of the one marked record; a sentence for none or several."""
        return one_key(selection)

    def plan(self, selection: Selection, values: dict[str, Any], without: LeftOut = NOTHING) -> ChangeSet:
        key = self.key_of(selection)
        change, self_made = plan_copy(
            selection.spec, key, selection.operator, full=self.full, values=values, without=without
        )
        change.made = self_made  # type: ignore[attr-defined]  # the page leads to the copy
        return change


class FullCopyRecord(CopyRecord):
    """A copy of one record with its children."""

    name = "full_copy"
    label = _("Vollständig kopieren")
    keys = ""
    rights = ("copy.full",)
    full = True

    def is_offered(self, spec: ModelSpec, operator: Operator) -> bool:
        return super().is_offered(spec, operator) and bool(spec.children)


@dataclass(frozen=True)
class Instead:
    """What people do with records instead of deleting them: a bulk change like any other."""

    label: Any
    sentence: Any
    values: dict[str, Any]
    #: Offered for records that have these values; empty for all.
    among: dict[str, Any] = field(default_factory=dict)


class DeleteRecords(Action):
    """Removes records with their children, or anonymises them; those that must stay are named with their reasons.

    What becomes of which record is a rule of its model (`Record.departures`); each goes in a transaction of its own.
    """

    name = "delete"
    label = _("Löschen")
    keys = "Ctrl+Delete"
    verb = "delete"
    #: What is offered for the marked records, and for those that must stay; None for nothing.
    instead: ClassVar[Instead | None] = None
    for_refused: ClassVar[Instead | None] = None

    def plan(self, selection: Selection) -> dict[int, Departure]:
        """What would become of the marked records; AppAdminError for more than can go at once."""
        check_size(selection, "bulk.large")
        keys = selection.key_list(LARGE + 1)
        if len(keys) > LARGE:
            raise AppAdminError(
                gettext(
                    "Auf einmal lassen sich höchstens %(limit)s löschen; markiert sind %(count)s.",
                    limit=format_number(LARGE),
                    count=counted(selection.spec, selection.count()),
                )
            )
        return departures_of(selection.spec, keys)

    def plan_instead(self, instead: Instead, selection: Selection, reason: str) -> ChangeSet:
        """What is done with these records instead."""
        check_size(selection, "bulk.large")
        change = ChangeSet("bulk", reason=reason, title=f"{instead.label}: {selection.describe()}"[:250])
        change.assign(selection, instead.values)
        return change

    def refused_to_change(self, spec: ModelSpec, operator: Operator, refused: Iterable[int]) -> Selection | None:
        """Those of the records that must stay for which something else is offered; None where nothing is."""
        if self.for_refused is None or not operator.may(f"{spec.right}.edit"):
            return None
        items = [spec.field(name) for name in self.for_refused.among]
        wanted = tuple(self.for_refused.among.values())
        rows = Selection.of_keys(spec, operator, refused).rows(items)
        keys = [key for key, *values in rows if tuple(values) == wanted]
        return Selection.of_keys(spec, operator, keys) if keys else None


class MergeRecords(Action):
    """Several records become one: which one goes on, whose values it gets, and what moves to it."""

    name = "merge"
    label = _("Zusammenführen")
    hint = _("Doppelt erfasste zu einem machen; nichts geht verloren, und es lässt sich wieder trennen")
    rights = ("merge.run",)
    verb = "edit"
    page = "merge"

    def is_offered(self, spec: ModelSpec, operator: Operator) -> bool:
        return spec.model.merging is not None and super().is_offered(spec, operator)


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def one_key(selection: Selection) -> int:
    """The key of the one marked record; a sentence for none or several."""
    keys = selection.key_list(2)
    if len(keys) != 1:
        raise AppAdminError(
            gettext("Bitte markieren Sie genau einen Datensatz; kopiert wird immer nur einer auf einmal.")
        )
    return keys[0]


def check_size(selection: Selection, right: str) -> None:
    """Asks for the right for large operations where the selection is one."""
    if not selection.operator.may(right) and selection.count() > LARGE:
        selection.operator.require(right)


class KeepOnWorklist(Action):
    """Collects records under a name, and ticks them off there; own lists need no more than the right to read."""

    name = "worklist"
    label = _("Merkliste")
    hint = _("Auf eine Merkliste setzen, herunternehmen oder als erledigt abhaken")
    page = "worklist"


class ExportSheet(DocumentAction):
    """The marked records as a file that can come home again."""

    name = "export_sheet"
    label = _("Exportieren")
    hint = _("Als Excel- oder CSV-Datei, die sich bearbeitet wieder importieren lässt")
    rights = ("export.run",)
    page = "export"
    #: Child tables that are ticked from the start; none named means all.
    first_sheets: ClassVar[tuple[str, ...]] = ()

    def render(self, selection: Selection, values: dict[str, Any], folder: Path) -> Document:
        """`values`: format ("xlsx", "csv"), columns (field names; empty for all), sheets (child tables)."""
        check_size(selection, "export.large")
        spec = selection.spec
        file_format = values.get("format", "xlsx")
        names = values.get("columns") or ()
        fields = [spec.field(name) for name in names] if names else None
        chosen = values.get("sheets", ())
        children = [child for child in spec.children if child.name in chosen]
        path = folder / f"export.{file_format}"
        write_export(
            path,
            selection,
            fields=fields,
            children=children,
            file_format=file_format,
            sheet=next(iter(chosen), "") if file_format == "csv" else "",
        )
        day = to_local(utcnow()).strftime("%Y-%m-%d")
        return Document(path, f"{spec.plural} {day}.{file_format}", MEDIA_TYPES[file_format])


#: What the files are, for the browser.
MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


class PrintLabels(DocumentAction):
    """Labels of the marked records on a sheet; an application says which lines stand on them."""

    name = "print_labels"
    label = _("Etiketten drucken")
    rights = ("label.print",)
    page = "labels"
    prints = True

    def choices(self) -> tuple[tuple[str, Any, tuple[tuple[str, Any], ...]], ...]:
        """What may be chosen besides the format: (name, label, ((value, text), …)), the first being the usual one."""
        return ()

    def labels(self, selection: Selection, values: dict[str, Any]) -> LabelRun:
        """The lines of every label, and the records that have none."""
        spec = selection.spec
        items = [item for item in spec.title_specs if item.target is None]
        rows = selection.rows(items, order=[item.column_field for item in items])
        return LabelRun(
            [[text for item, value in zip(items, row[1:], strict=True) if (text := item.format(value))] for row in rows]
        )

    def render(self, selection: Selection, values: dict[str, Any], folder: Path) -> Document:
        return self.write(folder / "labels.pdf", selection, values)

    def write(
        self,
        path: Path,
        selection: Selection,
        values: dict[str, Any],
        progress: Callable[[int], None] = lambda _done: None,
    ) -> Document:
        """Writes the file; `progress` is told how many labels are laid out."""
        found = self.labels(selection, values)
        if not found.labels:
            raise LabelError(gettext("Keiner der markierten Datensätze hat eine vollständige Anschrift."))
        copies = values.get("copies", 1)

        def counted_labels() -> Iterator[list[str]]:
            for number, label in enumerate(found.labels):
                if not number % 100:
                    progress(number * copies)
                yield label

        printed = print_labels(
            path,
            counted_labels(),
            values["format"].geometry(),
            start=values.get("start", 1),
            copies=copies,
        )
        remarks = tuple(warning.sentence() for warning in printed.warnings[:20])
        name = gettext("Etiketten")
        return Document(path, f"{name}.pdf", "application/pdf", remarks)


@dataclass
class LabelRun:
    """What is to be printed, and (key, title, reason) of the records that are left out."""

    labels: list[list[str]]
    skipped: list[tuple[int, str, str]] = field(default_factory=list)


__all__ = [
    "LARGE",
    "MOST_ADDED",
    "Action",
    "AddToEach",
    "Applied",
    "ChangeAction",
    "ChangeSettings",
    "CopyRecord",
    "DeleteRecords",
    "Document",
    "DocumentAction",
    "EditRecord",
    "ExportSheet",
    "FullCopyRecord",
    "KeepOnWorklist",
    "LabelRun",
    "MergeRecords",
    "PrintLabels",
    "check_size",
    "one_key",
]

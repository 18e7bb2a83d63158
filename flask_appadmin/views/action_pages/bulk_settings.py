"""The settings of a bulk change as they stand on its page: what may become of each, and what was posted.

Shape: a Setting is one row of the page: a field of the record, or a child table that is a pure assignment. Its box
`change` says whether anything happens; `mode-<name>` what: "set", "clear", the kind of a transform, or what becomes of
assignments; `<name>` is the value, `arg1-<name>` and `arg2-<name>` are the arguments of a transform.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_appadmin.arrangements import is_required
from flask_appadmin.changes import (
    Relation,
    Transform,
    copyable,
    make_transform,
    relation_name,
    transforms_for,
)
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_read_full
from flask_appadmin.specs import FieldSpec, ModelSpec

_MOST_ASSIGNED = 50


class Setting:
    """One field of the record, for which something may be done."""

    is_relation = False

    def __init__(self, spec: ModelSpec, field: Any, operator: Operator) -> None:
        self.spec = spec
        self.field = field
        self.operator = operator
        self.item: FieldSpec = field.spec
        self.name: str = field.spec.name
        self.label = str(field.label)
        self.help = field.help
        self.checked = False
        self.mode = "set"
        self.arguments = ["", ""]
        #: Ticked, and nothing was typed yet.
        self.blank = False
        self._as_editor(field)
        self._must_be_filled = not self.item.nullable or is_required(operator, self.item)

    @property
    def errors(self) -> list[str]:
        """What is wrong with it, as sentences; the field's own list."""
        found: list[str] = self.field.errors
        return found

    @staticmethod
    def _as_editor(field: Any) -> None:
        """A field of the bulk page starts empty and is asked for only when its box is ticked."""
        field.readonly = False
        field.required = False
        if field.kind == "check":
            field.kind = "select"
            field.choices = [("1", gettext("Ja")), ("0", gettext("Nein"))]
        if field.kind == "textarea":
            field.wide = 1
        field.value = ""

    @property
    def modes(self) -> list[dict[str, Any]]:
        """What may become of it: value, label, whether it is closed and why, the labels of its arguments."""
        mandatory = gettext("Pflichtfeld") if self._must_be_filled else ""
        clear = gettext("leeren (%(reason)s)", reason=mandatory) if mandatory else gettext("leeren")
        found = [
            {"value": "set", "label": gettext("setzen auf"), "closed": False, "arguments": []},
            {"value": "clear", "label": clear, "closed": bool(mandatory), "arguments": []},
        ]
        for each in self._transforms():
            labels = [str(label) for _name, label in each.arguments]
            found.append({"value": each.kind, "label": str(each.label), "closed": False, "arguments": labels})
        return found

    def _transforms(self) -> Iterable[type[Transform]]:
        for each in transforms_for(self.item):
            if each.kind != "copy" or self.copy_sources():
                yield each

    def copy_sources(self) -> list[FieldSpec]:
        """The fields whose value may be taken over."""
        return [
            item for item in self.spec.data_fields if copyable(item, self.item) and may_read_full(self.operator, item)
        ]

    @property
    def copy_list(self) -> str:
        """Names the list of fields to copy from; fields of one kind share it."""
        kind = "text" if self.item.type.name == "multiline" else self.item.type.name
        target = self.item.references
        return "-".join(["copy", kind, str(self.item.places), target.name if target is not None else ""]).rstrip("-")

    def read(self, posted: Any, names: ReferenceCache) -> Any:
        """What is to become of it, None for emptying; faults are left in `errors`."""
        self.mode = posted.get(f"mode-{self.name}", "") or "set"
        self.arguments = [posted.get(f"arg{number}-{self.name}", "") for number in (1, 2)]
        if self.mode == "clear":
            if self._must_be_filled:
                self.errors.append(gettext("Dieses Feld kann nicht leer sein: es ist ein Pflichtfeld."))
            return None
        if self.mode != "set":
            return self._read_transform()
        self.field.read(posted, set(), names)
        if not self.errors and self.field.parsed in (None, ""):
            words = gettext("Bitte einen Wert angeben oder „leeren“ wählen.")
            self.errors.append(gettext("Bitte einen Wert angeben.") if self._must_be_filled else words)
            self.blank = True
        if self.errors:
            return None
        try:
            return self.item.check(self.field.parsed)
        except FieldError as fault:
            self.errors.append(fault.found())
            return None

    def keep(self, posted: Any) -> None:
        """Keeps what was typed into a setting that is not ticked."""
        self.mode = posted.get(f"mode-{self.name}", "") or "set"
        self.arguments = [posted.get(f"arg{number}-{self.name}", "") for number in (1, 2)]

    def _read_transform(self) -> Transform | None:
        given = list(self.arguments)
        if self.mode == "copy":
            given[0] = self._named(given[0])
        try:
            return make_transform(self.spec, self.item, self.mode, given)
        except FieldError as fault:
            self.errors.append(fault.found())
            self.blank = not self.arguments[0].strip()
            return None

    def _named(self, words: str) -> str:
        """The field that is meant: by its label, or as programs call it."""
        wanted = words.strip().casefold()
        for item in self.copy_sources():
            if wanted in (str(item.label).casefold(), item.name):
                return item.name
        return words.strip()


class Assignments:
    """One child table that is a pure assignment: what is added, removed or put in place of all others."""

    is_relation = True

    def __init__(self, child: ModelSpec, item: FieldSpec, choices: list[tuple[str, str]] | None) -> None:
        self.child = child
        self.item = item
        self.name = relation_name(child, item)
        self.label = str(child.plural)
        self.help = ""
        self.checked = False
        self.mode = "add"
        self.value = ""
        self.errors: list[str] = []
        self.blank = False
        self.choices = [text for _key, text in choices or ()]

    @property
    def modes(self) -> list[dict[str, Any]]:
        said = (
            ("add", gettext("hinzufügen")),
            ("remove", gettext("entfernen")),
            ("replace", gettext("ersetzen durch")),
        )
        found = [{"value": value, "label": label, "closed": False, "arguments": []} for value, label in said]
        return [*found, {"value": "clear", "label": gettext("alle entfernen"), "closed": False, "arguments": []}]

    def keep(self, posted: Any) -> None:
        self.mode = posted.get(f"mode-{self.name}", "") or "add"
        self.value = posted.get(self.name, "")

    def read(self, posted: Any, names: ReferenceCache) -> Relation | None:
        """What is to become of the assignments; several values are parted by semicolons."""
        self.keep(posted)
        if self.mode == "clear":
            return Relation("replace", ())
        texts = [text.strip() for text in self.value.replace("\n", ";").split(";") if text.strip()]
        if not texts:
            self.errors.append(gettext("Bitte einen Wert angeben."))
            self.blank = True
            return None
        if len(texts) > _MOST_ASSIGNED:
            self.errors.append(gettext("Höchstens %(most)s auf einmal.", most=_MOST_ASSIGNED))
            return None
        values = []
        for text in texts:
            try:
                text = text.replace("\x00", "")
                values.append(names.find(text, self.item) if self.item.target is not None else self.item.parse(text))
            except FieldError as fault:
                self.errors.append(fault.found())
        if self.errors or self.mode not in ("add", "remove", "replace"):
            return None
        return Relation(self.mode, tuple(values))

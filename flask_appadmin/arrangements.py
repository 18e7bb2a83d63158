"""What operators arranged about fields: own titles, hidden and further mandatory fields, presets of new records.

Shape: a LayoutWindow stands for a table, a LayoutField for one field in it, for everybody (role empty) or for one work
group, whose line then holds instead of that for everybody. `arrangement_of(operator)` is what all lines together mean;
a field is known by (table, name). Nothing is altered in the declarations: titles are looked up when a label is read,
hidden fields at the gate, mandatory ones and presets by forms and gateway.
When it counts: inside `arranged()`, which a request, a job or a command begins; elsewhere fields are as declared. What
was read is kept per process and read again as soon as a line changed, in whichever process: each request asks once for
the number, the newest key and the versions of the lines. The same question tells whether the fields that operators
define are still those that are known, and the same block makes them count (`customfields`).
Source: PX-53 to PX-56, PX-96, PX-97; docs/decisions/layouts.md.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import peewee

from flask_appadmin import customfields
from flask_appadmin.database import Record, database
from flask_appadmin.errors import FieldError, MissingValue
from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.i18n import _, current_locale, gettext, many
from flask_appadmin.rights import Operator, Role, hide_fields
from flask_appadmin.specs import Description, FieldSpec, ModelSpec, described, title_fields

#: (table, field)
Place = tuple[str, str]


class LayoutWindow(Record):
    """A window whose fields may be arranged."""

    description = Description(
        label=_("Fenster"), plural=many("Fenster", "Fenster"), title=("internal_name",), menu="none", right="layout"
    )
    category = described(peewee.CharField(max_length=60, verbose_name=_("Kategorie")))
    internal_name = described(
        peewee.CharField(max_length=80, unique=True, verbose_name=_("Interner Name")), copy="clear", natural_key=True
    )
    title = described(peewee.CharField(max_length=80, verbose_name=_("Fenstertitel")))

    class Meta:
        table_name = "layout_window"


class LayoutField(Record):
    """How one field stands in a window, for all or for one work group."""

    description = Description(
        label=_("Feld im Fenster"), plural=_("Felder im Fenster"), title=("field",), menu="none", right="layout"
    )
    layout_window = described(
        peewee.ForeignKeyField(LayoutWindow, on_delete="CASCADE", backref="fields", verbose_name=_("Fenster")),
        owner=True,
        copy="renew",
    )
    role = described(
        peewee.ForeignKeyField(Role, null=True, index=False, on_delete="CASCADE", verbose_name=_("Arbeitsgruppe"))
    )
    field = described(
        peewee.CharField(max_length=60, verbose_name=_("Feld")), unique_with=("layout_window", "role"), copy="clear"
    )
    title = described(peewee.CharField(max_length=80, null=True, verbose_name=_("Feldtitel")))
    visible = described(peewee.BooleanField(default=True, verbose_name=_("sichtbar")))
    required = described(peewee.BooleanField(default=False, verbose_name=_("Pflichteingabefeld")))
    default_value = described(peewee.CharField(max_length=255, null=True, verbose_name=_("Vorgabewert")))
    checkbox_default = described(
        peewee.CharField(
            max_length=20,
            default="neutral",
            choices=[("on", _("aktiviert")), ("off", _("deaktiviert")), ("neutral", _("neutral"))],
            verbose_name=_("Voreinstellung (Kontrollkästchen)"),
        )
    )

    class Meta:
        table_name = "layout_field"


#: Tables of this room, in the order of their creation.
MODELS = (LayoutWindow, LayoutField)


@dataclass(frozen=True)
class Line:
    """What is arranged about one field; as it stands, nothing."""

    title: str = ""
    visible: bool = True
    required: bool = False
    #: The preset as `preset_text` writes it, "" for none.
    default_value: str = ""
    #: "on", "off" or "neutral".
    checkbox_default: str = "neutral"


@dataclass(frozen=True)
class Arrangement:
    """What all lines mean for one work group."""

    titles: Mapping[Place, str] = field(default_factory=dict)
    hidden: frozenset[Place] = frozenset()
    #: Table -> names of its fields that layouts declare mandatory.
    required: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Table -> the line of each field that may have a preset.
    presets: Mapping[str, Mapping[str, Line]] = field(default_factory=dict)
    #: (rights, language) -> what pages have worked out about fields for operators who have both.
    worked_out: dict[Any, dict[Any, Any]] = field(default_factory=dict, compare=False, repr=False)


_NOTHING = Arrangement()

#: So many sets of rights and languages have something kept for them at a time.
_MOST_KINDS = 12

#: (database, work group, what is absent) -> (stamp of the lines, what they mean); kept for the whole process.
_kept: dict[Any, tuple[Any, Arrangement]] = {}


@dataclass(frozen=True)
class Absent:
    """Fields that an installation does without, as the rows of `model` say: hidden for everybody."""

    model: Any
    places: Callable[[], Iterable[Place]]


class _Frame:
    """One request, job or command: asks for the stamp once, and whom to arrange for when a label is read."""

    def __init__(self, operator: Callable[[], Operator | None], absent: tuple[Absent, ...]) -> None:
        self.operator = operator
        self.absent = absent
        self.by_role: dict[str, Arrangement] = {}

    @functools.cached_property
    def stamp(self) -> Any:
        return _stamp(self.absent)

    def of(self, role: str) -> Arrangement:
        found = self.by_role.get(role)
        if found is None:
            found = self.by_role[role] = _arrangement(role, self.stamp, self.absent)
        return found


_frame: ContextVar[_Frame | None] = ContextVar("arranged", default=None)


def begin(operator: Callable[[], Operator | None], absent: tuple[Absent, ...] = ()) -> None:
    """From here on arrangements count, for whomever the function answers; until `end`."""
    frame = _Frame(operator, absent)
    _frame.set(frame)
    title_fields(lambda table, name: _title(frame, table, name))
    customfields.begin(lambda: frame.stamp)


def end() -> None:
    _frame.set(None)
    title_fields(None)
    customfields.end()


@contextlib.contextmanager
def arranged(operator: Operator) -> Iterator[None]:
    """Arrangements count inside of it."""
    before = _frame.get()
    begin(lambda: operator)
    try:
        yield
    finally:
        end()
        if before is not None:
            begin(before.operator, before.absent)


@contextlib.contextmanager
def as_declared() -> Iterator[None]:
    """Inside of it fields are as declared: for the page that arranges them."""
    before = _frame.get()
    end()
    try:
        yield
    finally:
        if before is not None:
            begin(before.operator, before.absent)


def _title(frame: _Frame, table: str, name: str) -> str | None:
    operator = frame.operator()
    return frame.of(operator.role).titles.get((table, name)) if operator is not None else None


def arrangement_of(operator: Operator) -> Arrangement:
    """What is arranged for this operator; nothing outside of `arranged()`."""
    frame = _frame.get()
    return frame.of(operator.role) if frame is not None else _NOTHING


def worked_out(operator: Operator) -> dict[Any, Any]:
    """Where pages keep what follows from declarations, arrangement, rights and language alone, and from no record.

    All operators of a work group find the same until somebody arranges, or changes the rights of the group. Who is
    looked at from outside of his own request finds nothing.
    """
    frame = _frame.get()
    served = frame.operator() if frame is not None else None
    if frame is None or served is None or (served.role, served.rights) != (operator.role, operator.rights):
        return {}
    kept = frame.of(operator.role).worked_out
    place = (operator.rights, current_locale())
    found = kept.get(place)
    if found is None:
        if len(kept) >= _MOST_KINDS:
            kept.clear()
        found = kept[place] = {}
    return found


def _stamp(absent: tuple[Absent, ...]) -> Any:
    models = (LayoutField, customfields.CustomField)
    tables = [*(model._meta.table_name for model in models), *(each.model._meta.table_name for each in absent)]
    parts = (
        f'(SELECT count(*) FROM "{table}"), (SELECT coalesce(sum(version), 0) FROM "{table}"), '
        f'(SELECT coalesce(max(id), 0) FROM "{table}")'
        for table in tables
    )
    return tuple(database.execute_sql(f"SELECT {', '.join(parts)}").fetchone())


def _arrangement(role: str, stamp: Any, absent: tuple[Absent, ...]) -> Arrangement:
    # Two databases in one process (tests) may have the same stamp.
    place = (database.obj.database, role, absent)
    known = _kept.get(place)
    if known is None or known[0] != stamp:
        known = _kept[place] = (stamp, _read(role, absent))
    return known[1]


def _read(role: str, absent: tuple[Absent, ...]) -> Arrangement:
    lines: dict[Place, Line] = {}
    query = (
        LayoutField.select(LayoutField, LayoutWindow.internal_name, Role.name)
        .join(LayoutWindow)
        .switch(LayoutField)
        .join(Role, peewee.JOIN.LEFT_OUTER)
        .where(LayoutField.role.is_null() | (Role.name == role))
        .order_by(LayoutField.role.is_null(False))
    )
    for row in query:
        lines[row.layout_window.internal_name, row.field] = line_of(row)
    hidden = {place for place, line in lines.items() if not line.visible}
    for each in absent:
        hidden.update(each.places())
    required: dict[str, set[str]] = {}
    presets: dict[str, dict[str, Line]] = {}
    for (table, name), line in lines.items():
        if line.required:
            required.setdefault(table, set()).add(name)
        if line.default_value or line.checkbox_default != "neutral":
            presets.setdefault(table, {})[name] = line
    return Arrangement(
        {place: line.title for place, line in lines.items() if line.title},
        frozenset(hidden),
        {table: frozenset(names) for table, names in required.items()},
        presets,
    )


def line_of(row: LayoutField) -> Line:
    """What a stored row says."""
    return Line(
        row.title or "",
        bool(row.visible),
        bool(row.required),
        row.default_value or "",
        row.checkbox_default or "neutral",
    )


# --- what the lines mean ----------------------------------------------------------------------------------------------


def is_arranged_away(operator: Operator, item: FieldSpec) -> bool:
    return (item.model_name, item.name) in arrangement_of(operator).hidden


hide_fields(is_arranged_away)


def may_be_hidden(item: FieldSpec) -> bool:
    """What has to be filled, and what a record is called by, stays."""
    return not (item.required or item.natural_key or item.owner)


def may_be_required(item: FieldSpec) -> bool:
    """A box always has a value; what nobody types cannot be asked for."""
    return item.type.name != "bool" and not item.required and not item.owner and item.read_only is not True


def may_have_preset(item: FieldSpec) -> bool:
    """Single values that may be the same in many records, unless the declaration wants each to be set by itself."""
    several = item.unique or item.natural_key or item.unique_with or item.owner or item.secret or item.masked
    return item.preset and not several and item.read_only is not True and item.type.name != "json"


def required_names(operator: Operator, spec: ModelSpec) -> frozenset[str]:
    """The fields of a model that layouts declare mandatory."""
    return arrangement_of(operator).required.get(spec.name, frozenset())


def is_required(operator: Operator, item: FieldSpec) -> bool:
    """Whether a field has to be filled, by declaration or by layout."""
    return item.required or item.name in arrangement_of(operator).required.get(item.model_name, ())


def checked(operator: Operator, item: FieldSpec, value: Any) -> Any:
    """The value after the limits of the field and its obligation, that of a layout too; raises FieldError."""
    value = item.check(value)
    if value is None and item.name in arrangement_of(operator).required.get(item.model_name, ()):
        raise missing_by_layout(item)
    return value


def missing_by_layout(item: FieldSpec) -> MissingValue:
    """The fault of a record without a value that only a layout asks for."""
    return MissingValue(item, None, gettext("Bitte ausfüllen: ein Layout verlangt dieses Feld."))


def presets_of(operator: Operator, spec: ModelSpec) -> dict[str, Any]:
    """The values that layouts give to new records made by hand."""
    found = {}
    for name, line in arrangement_of(operator).presets.get(spec.name, {}).items():
        item = spec.by_name.get(name)
        if item is not None and may_have_preset(item):
            with contextlib.suppress(ValueError, TypeError, ArithmeticError, AttributeError, FieldError):
                found[name] = preset_value(item, line)
    return found


def starting_values(operator: Operator, spec: ModelSpec, items: Iterable[FieldSpec]) -> dict[str, Any]:
    """What a new record starts with: the preset of a layout, else what the model or the field says."""
    presets = {**spec.model.starting_values(operator), **presets_of(operator, spec)}
    return {item.name: presets[item.name] if item.name in presets else item.default_value() for item in items}


def preset_value(item: FieldSpec, line: Line) -> Any:
    if item.type.name == "bool":
        return item.default_value() if line.checkbox_default == "neutral" else line.checkbox_default == "on"
    if not line.default_value:
        return item.default_value()
    return item.check(item.type.from_json(json.loads(line.default_value), item))


def preset_text(item: FieldSpec, value: Any) -> str:
    """A preset as it is stored; at most 255 characters, longer ones are refused by the gateway."""
    return "" if value is None or value == "" else json_text(item.type.to_json(value, item))

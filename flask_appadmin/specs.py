"""What is known about models and fields, read once from their declarations: the one source for all rooms.

Shape: `spec_of(Model)` is a frozen ModelSpec with its FieldSpecs in the order of declaration. What Peewee has a word
for (verbose_name, help_text, choices, null, max_length, default) stands there; the rest stands in `described(...)`
around the field and in `description = Description(...)` on the model. Nothing is altered afterwards. Beside its own
fields a model may have further ones, which operators define (`customfields`): whoever asks for `data_fields`, or for a
field by its name, gets them, too, and cannot tell them apart. Who reads or writes columns of the table itself asks for
`fields` or `own_fields`.
Errors: a declaration that makes no sense is found by `checks.py`, all findings at once; here only TypeError for a field
class without a kind of value.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import peewee
from babel.support import LazyProxy

from flask_appadmin.errors import MissingValue
from flask_appadmin.fieldtypes.base import FieldType
from flask_appadmin.fieldtypes.choices import choice_words
from flask_appadmin.fieldtypes.references import ReferenceCache
from flask_appadmin.fieldtypes.type_of import type_of
from flask_appadmin.i18n import _, gettext, message_id, use_locale

#: Columns that every table has and nobody types.
SYSTEM_FIELDS = ("id", "version", "created_at", "updated_at")

#: `import_codes` of a tick that files set by 1 and clear by 0, and by nothing else.
ONE_IS_YES = {"1": True, "0": False}

COPY_MARKS = ("keep", "clear", "renew")

PERSONAL_MARKS = ("", "name", "wipe", "quasi", "keep")

_SYSTEM_LABELS = {
    "id": _("Schlüssel"),
    "version": _("Fassung"),
    "created_at": _("Angelegt"),
    "updated_at": _("Geändert"),
}


@dataclass(frozen=True, eq=False)
class FieldDescription:
    """What `described` adds to a Peewee field; see there for the meaning of each."""

    group: str = ""
    unit: str = ""
    minimum: Any = None
    maximum: Any = None
    bulk: bool = False
    copy: str = "keep"
    aliases: tuple[str, ...] = ()
    read_only: bool | str = False
    owner: bool = False
    secret: bool = False
    masked: bool = False
    right: str = ""
    kind: str = ""
    searchable: bool = False
    listed: bool = False
    natural_key: bool = False
    import_codes: tuple[tuple[str, Any], ...] = ()
    opposite: Any = ""
    unique_with: tuple[str, ...] = ()
    overflow: str = ""
    among: str = ""
    preset: bool = True
    required: bool | None = None
    within: str = ""
    letter: tuple[str, ...] = ()
    unticked: str = ""
    personal: str = ""
    reason: bool = False
    proof: bool = False
    internal: bool = False


def described(
    field: Any,
    *,
    group: str = "",
    unit: str = "",
    minimum: Any = None,
    maximum: Any = None,
    bulk: bool = False,
    copy: str = "keep",
    aliases: Iterable[str] = (),
    read_only: bool | str = False,
    owner: bool = False,
    secret: bool = False,
    masked: bool = False,
    right: str = "",
    kind: str = "",
    searchable: bool = False,
    listed: bool = False,
    natural_key: bool = False,
    import_codes: Any = None,
    opposite: Any = "",
    unique_with: Iterable[str] = (),
    overflow: str = "",
    among: str = "",
    preset: bool = True,
    required: bool | None = None,
    within: str = "",
    letter: tuple[str, ...] = (),
    unticked: str = "",
    personal: str = "",
    reason: bool = False,
    proof: bool = False,
    internal: bool = False,
) -> Any:
    """The same Peewee field, carrying what Peewee has no word for.

    group: key of the tab it stands on. unit: "days", "%", "EUR" …, shown behind the value. minimum, maximum: limits of
    numbers. bulk: offered when many records are changed. copy: what a copy does with it: keep, clear (empty or default)
    or renew (a value of its own). aliases: other headings files use for it. read_only: True, or "after_first_save", or
    "once_filled". owner: this reference makes the record a child of what it refers to. secret: can be set, never read;
    stored as a hash, unless kind is "token" (a mark of the system); kind "password" asks for one that is hard to guess.
    masked: shown with the middle hidden unless the operator has the right. right: name of a group of fields with rights
    of its own. kind: a text with rules (email, iban …). searchable: found by the search box. listed: a column of the
    list from the start. natural_key: what people call the record by. import_codes: pairs (text in files, value);
    a tick that has them takes nothing else from files of others. opposite: what files call the tick turned round.
    unique_with: unique together with these fields.
    overflow: the field that takes what of an imported text is too long for this one; "<field" takes its beginning up to
    a comma. among: a filter as text of a URL; only such records of the table a reference leads to are offered, in a
    window with a search. preset: whether layouts may give it a value in new records. required: overrides what null and
    default say. within: this reference leads to a child of the record that the field of this name refers to ("id": of
    the record itself); only those are offered, and files name them by the number they have there.
    letter: (heading, letter) of a column in which files tick several fields at once, one letter for each ("VR").
    unticked: what the record is without the tick of this box; form and list say so.
    personal: what becomes of it when the record is anonymised: "name" (says „Anonymisiert“), "wipe" (emptied, and
    looked for elsewhere, since it leads to the person), "quasi" (emptied: a town, a birthday), "keep" (stays).
    reason: whoever changes or clears a stored value of it, or removes its record alone, has to say why.
    proof: a file that ticks it has to come with a reason that names source and date (changes/proving.py).
    internal: the program's own value (where a file lies), which stands on no page and in no file.
    """
    field.described_as = FieldDescription(
        group=group,
        unit=unit,
        minimum=minimum,
        maximum=maximum,
        bulk=bulk,
        copy=copy,
        aliases=tuple(aliases),
        read_only=read_only,
        owner=owner,
        secret=secret,
        masked=masked,
        right=right,
        kind=kind,
        searchable=searchable,
        listed=listed,
        natural_key=natural_key,
        import_codes=tuple(import_codes.items() if isinstance(import_codes, dict) else import_codes or ()),
        opposite=opposite,
        unique_with=tuple(unique_with),
        overflow=overflow,
        among=among,
        preset=preset,
        required=required,
        within=within,
        letter=letter,
        unticked=unticked,
        personal=personal,
        reason=reason,
        proof=proof,
        internal=internal,
    )
    return field


@dataclass(frozen=True)
class Description:
    """What operators and pages need to know about a model.

    external_key: the field that holds the record's number in another system. label, plural: its name. title: the fields
    that make a record's title, joined by a blank. menu: key of the menu group ("none": no page at all), "" for none.
    right: prefix of its rights, "" for those of its owner or "value". order: default order of the list. offered: the
    yes-or-no field without which a record is no longer offered where others refer to it; who refers to it keeps it.
    assigns: of a child that says no more than that something belongs to its owner, the field that says what; such rows
    are added, removed and replaced for many owners at once.
    """

    label: Any
    plural: Any
    title: tuple[str, ...] = ()
    menu: str = "values"
    right: str = ""
    order: tuple[str, ...] = ()
    external_key: str = ""
    offered: str = ""
    assigns: str = ""


class Elsewhere:
    """A Peewee field whose values stand outside of the table of the records they belong to."""

    def read_sql(self, key: str) -> str:
        """SQL for the value of the record with this key (SQL), of the type that a column of the field would have."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, kw_only=True)
class FieldSpec(FieldDescription):
    """One field: everything a form, list, file, filter or history needs to know of it, with what `described` adds."""

    #: The model's name (table) and the field's name in Python.
    model_name: str
    name: str
    #: Name of the database column; `<name>_id` for references.
    column: str
    #: The title that a layout gives it for whoever is served now, else that of the declaration.
    label: Any
    own_label: Any
    help: Any
    type: FieldType
    #: The Peewee field, for building queries.
    column_field: Any
    required: bool
    unique: bool
    default: Any
    max_length: int | None
    choices: tuple[tuple[str, Any], ...]
    digits: int
    places: int
    nullable: bool
    #: The model a reference leads to, or None.
    target: Any = None
    #: Whether it is the opposite of a tick: files say yes where the record says no.
    is_turned: bool = False

    def __repr__(self) -> str:
        return f"<FieldSpec {self.model_name}.{self.name}>"

    @functools.cached_property
    def choice_labels(self) -> dict[str, Any]:
        return dict(self.choices)

    @functools.cached_property
    def choice_codes(self) -> dict[str, str]:
        words = choice_words(self.choices)
        words.update({text: value for text, value in self.import_codes if isinstance(value, str)})
        return words

    @functools.cached_property
    def turned(self) -> FieldSpec | None:
        """The same tick under its opposite name, as files may bring it („Nicht Aktiv“); None for most fields."""
        if not self.opposite:
            return None
        codes = tuple((text, not value) for text, value in ONE_IS_YES.items())
        names = {"label": self.opposite, "own_label": self.opposite, "aliases": (), "opposite": ""}
        return replace(self, **names, import_codes=codes, is_turned=True)

    @property
    def references(self) -> Any:
        """The spec of the model a reference leads to, None for other fields."""
        return spec_of(self.target) if self.target is not None else None

    @property
    def is_system(self) -> bool:
        return self.name in SYSTEM_FIELDS

    @property
    def elsewhere(self) -> Elsewhere | None:
        """Where its values stand, for a field that is no column of the record's table."""
        return self.column_field if isinstance(self.column_field, Elsewhere) else None

    def sql(self, alias: str) -> str:
        """SQL for the stored value in a row of the record's table that is called `alias`."""
        elsewhere = self.elsewhere
        return f'{alias}."{self.column}"' if elsewhere is None else elsewhere.read_sql(f"{alias}.id")

    def parse(self, text: str) -> Any:
        """Text as typed -> Python value; raises FieldError."""
        return self.type.parse(text, self)

    def format(self, value: Any) -> str:
        """Python value -> text as read. References show their key; lists and forms name them by `ReferenceCache`."""
        return self.type.format(value, self)

    def link(self, value: Any) -> str:
        """The address behind a value: `tel:`, `mailto:` or a page; "" for most fields."""
        return self.type.link(value, self)

    def warning(self, value: Any) -> str:
        """What is odd about a value that is taken all the same; "" for most."""
        return self.type.warning(value, self)

    def check(self, value: Any) -> Any:
        """A Python value after the limits of the field and its obligation; raises FieldError."""
        value = self.type.check(value, self)
        if value is None and self.required:
            raise MissingValue(self, None, gettext("Bitte ausfüllen."))
        return value

    @property
    def is_retitled(self) -> bool:
        """Whether a layout gives it another title for whoever is served now."""
        find = _titles.get()
        return find is not None and find(self.model_name, self.name) is not None

    def default_value(self) -> Any:
        """What a new record starts with."""
        value = self.default() if callable(self.default) else self.default
        return value

    def headings(self) -> tuple[str, ...]:
        """All headings under which a file may bring this field: German and English label, name, aliases."""
        with use_locale("en"):
            english = str(self.own_label)
        own_name = () if self.is_turned else (self.name,)
        return (message_id(self.own_label), *self.aliases, english, *own_name)


class _FieldTable(dict[str, FieldSpec]):
    """The declared fields of a model by name. Asked for one it does not have, it looks among those of the operators."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__((item.name, item) for item in spec.fields)
        self._spec = spec

    def __missing__(self, name: str) -> FieldSpec:
        for item in self._spec.further_fields:
            if item.name == name:
                return item
        raise KeyError(name)

    def get(self, name: Any, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name: object) -> bool:
        return self.get(name) is not None


@dataclass(frozen=True, eq=False)
class ModelSpec:
    """One model: its fields in order, its name for people, its children, its owner."""

    model: Any
    #: The table's name; also its address on the web and its name in histories and files.
    name: str
    description: Description
    #: The declared fields: the columns of the table.
    fields: tuple[FieldSpec, ...]

    def __repr__(self) -> str:
        return f"<ModelSpec {self.name}>"

    @property
    def label(self) -> Any:
        return self.description.label

    @property
    def plural(self) -> Any:
        return self.description.plural

    @property
    def menu(self) -> str:
        return self.description.menu

    @functools.cached_property
    def by_name(self) -> dict[str, FieldSpec]:
        return _FieldTable(self) if self.takes_fields else {spec.name: spec for spec in self.fields}

    @functools.cached_property
    def takes_fields(self) -> bool:
        """Whether operators may define fields for it."""
        return bool(getattr(self.model, "takes_fields", False))

    @property
    def further_fields(self) -> tuple[FieldSpec, ...]:
        """The fields that operators defined for this table, in their order."""
        if not self.takes_fields or (find := _further.get()) is None:
            return ()
        return find(self)

    @functools.cached_property
    def by_column(self) -> dict[str, FieldSpec]:
        return {spec.column: spec for spec in self.fields}

    def field(self, name: str) -> FieldSpec:
        """The field of this name; KeyError for one that does not exist."""
        return self.by_name[name]

    @property
    def data_fields(self) -> tuple[FieldSpec, ...]:
        """The fields that carry business data: all but key, version and times."""
        further = self.further_fields
        return (*self.own_fields, *further) if further else self.own_fields

    @functools.cached_property
    def own_fields(self) -> tuple[FieldSpec, ...]:
        """Those of them that are columns of the table."""
        return tuple(spec for spec in self.fields if not spec.is_system)

    @functools.cached_property
    def required_fields(self) -> tuple[FieldSpec, ...]:
        return tuple(spec for spec in self.own_fields if spec.required)

    @functools.cached_property
    def constant_defaults(self) -> dict[str, Any]:
        """The defaults that are values, not functions."""
        return {
            spec.name: spec.default
            for spec in self.own_fields
            if spec.default is not None and not callable(spec.default)
        }

    @functools.cached_property
    def data_names(self) -> frozenset[str]:
        """The names of its own fields with business data."""
        return frozenset(spec.name for spec in self.own_fields)

    @functools.cached_property
    def converted_fields(self) -> dict[str, FieldSpec]:
        """The fields whose values differ between Python, database and history; all others stand there as they are."""
        plain = ("text", "multiline", "choice", "integer", "bool", "reference")
        return {spec.name: spec for spec in self.own_fields if spec.secret or spec.type.name not in plain}

    def to_json(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values by field as JSON keeps them."""
        return self._turned(values, lambda item, value: item.type.to_json(value, item))

    def from_json(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values behind `to_json`."""
        return self._turned(values, lambda item, value: item.type.from_json(value, item))

    def _turned(self, values: Mapping[str, Any], turn: Callable[[FieldSpec, Any], Any]) -> dict[str, Any]:
        found = dict(values)
        for name in self.converted_fields.keys() & found.keys():
            found[name] = turn(self.converted_fields[name], found[name])
        for item in self.further_fields:
            if item.name in found:
                found[item.name] = turn(item, found[item.name])
        return found

    @functools.cached_property
    def owner(self) -> FieldSpec | None:
        """The reference that makes records of this model children of another one."""
        return next((spec for spec in self.fields if spec.owner), None)

    @functools.cached_property
    def children(self) -> tuple[ModelSpec, ...]:
        """The models whose owner this is, in the order of their declaration."""
        return tuple(spec_of(model) for fk, model in self.model._meta.backrefs.items() if is_owner(fk))

    @functools.cached_property
    def mirrored_by(self) -> tuple[tuple[Any, Any, dict[str, str]], ...]:
        """The models with fields that mirror fields of this one: (reference, model, {own field: field here})."""
        backrefs = self.model._meta.backrefs.items()
        found = ((reference, model, getattr(model, "mirrors", {}).get(reference.name)) for reference, model in backrefs)
        return tuple((reference, model, fields) for reference, model, fields in found if fields)

    @functools.cached_property
    def watched_fields(self) -> tuple[str, ...]:
        """The fields whose change makes other records change: those the model names, and those that others mirror."""
        names = (name for _reference, _model, fields in self.mirrored_by for name in fields.values())
        return tuple(dict.fromkeys((*self.model.follow_fields, *names)))

    @functools.cached_property
    def natural_key(self) -> tuple[FieldSpec, ...]:
        return tuple(spec for spec in self.fields if spec.natural_key)

    @functools.cached_property
    def external_key(self) -> FieldSpec | None:
        """The field for the record's number in another system."""
        return self.by_name.get(self.description.external_key)

    @functools.cached_property
    def naming_fields(self) -> tuple[FieldSpec, ...]:
        """The fields by which people name a record in files and filters: natural key first, then the title."""
        names = [*self.natural_key, *(spec for spec in self.title_specs if not spec.natural_key)]
        return tuple(names)

    @functools.cached_property
    def title_specs(self) -> tuple[FieldSpec, ...]:
        names = self.description.title
        if names:
            return tuple(self.by_name[name] for name in names if name in self.by_name)
        texts = [spec for spec in self.own_fields if spec.type.name == "text" and not spec.secret]
        return tuple([*self.natural_key, *texts][:2])

    @functools.cached_property
    def search_fields(self) -> tuple[FieldSpec, ...]:
        return tuple(spec for spec in self.fields if spec.searchable)

    @functools.cached_property
    def right(self) -> str:
        """Prefix of the rights that govern this model; children obey those of their owner."""
        if self.description.right:
            return self.description.right
        if self.owner is not None and self.owner.references is not None:
            return self.owner.references.right
        return "value"

    def title_of(self, values: dict[str, Any]) -> str:
        """The record's title from its values; histories keep it as text."""
        shown = (spec.format(values.get(spec.name)) for spec in self.title_specs if spec.target is None)
        return " ".join(text for text in shown if text) or str(self.label)

    def named(self, title: str) -> str:
        """What a record is, and which one: "Buch 978-1"; the label alone where the title has no words but that."""
        return title if title == str(self.label) else f"{self.label} {title}"


_specs: dict[Any, ModelSpec] = {}


def is_owner(fk: Any) -> bool:
    return getattr(getattr(fk, "described_as", None), "owner", False)


def spec_of(model: Any) -> ModelSpec:
    """The spec of a model; made at the first question, then kept."""
    found = _specs.get(model)
    if found is None:
        found = _specs[model] = _read(model)
    return found


def declare(models: Iterable[Any]) -> tuple[ModelSpec, ...]:
    """Reads all models in the given order, which is the order of their pages."""
    return tuple(spec_of(model) for model in models)


def _read(model: Any) -> ModelSpec:
    meta = model._meta
    # In Meta where a column is called "description".
    description = getattr(meta, "description", None) or getattr(model, "description", None)
    if not isinstance(description, Description):
        words = meta.name.replace("_", " ").title()
        description = Description(label=words, plural=words, menu="" if _has_owner(model) else "values")
    fields = tuple(read_field(meta.table_name, peewee_field, meta) for peewee_field in meta.sorted_fields)
    return ModelSpec(model=model, name=meta.table_name, description=description, fields=fields)


def _has_owner(model: Any) -> bool:
    return any(is_owner(field) for field in model._meta.sorted_fields)


def read_field(table: str, source: Any, meta: Any) -> FieldSpec:
    """What a Peewee field and its description say; `meta` is that of its model."""
    description = getattr(source, "described_as", None) or FieldDescription(
        read_only=source.name in SYSTEM_FIELDS, copy="clear" if source.name in SYSTEM_FIELDS else "keep"
    )
    kind = type_of(source, description.kind)
    limit = getattr(source, "max_length", None) if isinstance(source, peewee.CharField) else None
    required = description.required
    if required is None:
        required = not source.null and source.default is None and not source.primary_key
    label = source.verbose_name or _SYSTEM_LABELS.get(source.name) or source.name.replace("_", " ").capitalize()
    target = None
    if isinstance(source, peewee.ForeignKeyField):
        target = meta.model if source.rel_model == "self" else source.rel_model
    return FieldSpec(
        model_name=table,
        name=source.name,
        column=source.column_name,
        label=LazyProxy(_title, label, table, source.name, enable_cache=False),
        own_label=label,
        help=source.help_text or "",
        type=kind,
        column_field=source,
        required=bool(required),
        unique=bool(source.unique),
        default=source.default,
        max_length=limit,
        choices=tuple((str(code), words) for code, words in source.choices or ()),
        digits=getattr(source, "digits", 18),
        places=getattr(source, "places", 0),
        nullable=bool(source.null),
        target=target,
        **{name: value for name, value in vars(description).items() if name != "required"},
    )


#: (table, field) -> the title that operators gave it, None for that of the declaration.
_titles: ContextVar[Callable[[str, str], str | None] | None] = ContextVar("titles", default=None)


def title_fields(find: Callable[[str, str], str | None] | None) -> None:
    """Says where the titles come from that operators give to fields; None: from the declarations only."""
    _titles.set(find)


#: Table's spec -> the fields that operators defined for it; None where nobody asks.
_further: ContextVar[Callable[[ModelSpec], tuple[FieldSpec, ...]] | None] = ContextVar("further", default=None)


def extend_models(find: Callable[[ModelSpec], tuple[FieldSpec, ...]] | None) -> None:
    """Says where the fields come from that operators define; None: models have their declared fields only."""
    _further.set(find)


def _title(declared: Any, table: str, name: str) -> str:
    find = _titles.get()
    return (find(table, name) if find is not None else None) or str(declared)


def shown(spec: FieldSpec, value: Any, names: ReferenceCache | None = None) -> str:
    """The text people read for a value, references by their title."""
    if value is None or value == "":
        return ""
    if spec.target is not None:
        cache = names or ReferenceCache()
        return cache.titles(spec.references, {int(value)})[int(value)]
    return spec.format(value)


#: Types a Python value may have on its way through plans and histories.
Value = str | int | bool | Decimal | datetime.date | datetime.datetime | dict | list | None

__all__ = [
    "COPY_MARKS",
    "PERSONAL_MARKS",
    "SYSTEM_FIELDS",
    "Description",
    "FieldDescription",
    "FieldSpec",
    "ModelSpec",
    "ReferenceCache",
    "declare",
    "described",
    "shown",
    "spec_of",
]

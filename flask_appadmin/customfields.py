"""Fields that operators define: kept as rows, read as FieldSpecs like any other, their values in a table of their own.

Shape: a CustomField belongs to a table and a tab; a CustomFieldValue holds the value of one record as text, written as
the column of such a field would hold it (a decimal as its whole number, a day in ISO form, a tick as 1 or 0). The field
is called `custom_<key>`. Its `column_field` is a Peewee field that reads by a subquery about the record's key, so that
lists, exports, filters and comparisons name it like a column; `changes/elsewhere.py` stores what it says.
When it counts: inside what `arrangements.begin` begins, which is every request, job and command; elsewhere models have
their declared fields only. What was read is kept per process as long as the definitions stay what they are.
Which tables: those whose model says `takes_fields`.
Limits: 100 fields a table; texts of 255 characters; whole numbers of 9 digits; decimals of 12 digits, 2 of them behind
the comma. Source: ME-138 to ME-141; docs/decisions/custom-fields.md.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import peewee

from flask_appadmin.database import Record, database, engine, key_condition
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _, gettext, ngettext
from flask_appadmin.specs import (
    Description,
    Elsewhere,
    FieldSpec,
    ModelSpec,
    described,
    extend_models,
    read_field,
    spec_of,
)

#: So many fields may be defined for one table.
MOST_FIELDS = 100

#: Kind of field -> (least, most, where nothing is said) number of characters or digits.
_LENGTHS = {"text": (1, 255, 255), "integer": (1, 9, 9), "decimal": (3, 12, 12)}

_PLACES = 2


class _OpenTables:
    """The tables for which fields may be defined, as choices: known only once all models are."""

    @staticmethod
    def models() -> dict[str, Any]:
        found = [Record]
        for model in found:
            found += model.__subclasses__()
        return {model._meta.table_name: model for model in found if model.takes_fields}

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for name, model in self.models().items():
            words = getattr(model._meta, "description", None) or getattr(model, "description", None)
            yield name, words.plural if isinstance(words, Description) else name


class CustomField(Record):
    """A field defined by an administrator."""

    rule_fields = ("entity", "tab", "label", "field_type", "length")

    description = Description(
        label=_("Zusatzfeld"),
        plural=_("Benutzerdefinierte Felder"),
        title=("label",),
        menu="system",
        right="custom_field",
        order=("tab",),
    )
    entity = described(
        peewee.CharField(max_length=60, verbose_name=_("Bereich"), choices=_OpenTables()),
        read_only="after_first_save",
        listed=True,
    )
    tab = described(
        peewee.CharField(
            max_length=60,
            verbose_name=_("Bezeichnung der Registerkarte"),
            help_text=_("Gibt es schon eine mit diesem Namen, steht das Feld dort; sonst kommt eine neue dazu."),
        ),
        listed=True,
    )
    label = described(
        peewee.CharField(max_length=60, verbose_name=_("Bezeichnung")),
        unique_with=("entity", "tab"),
        copy="clear",
        listed=True,
    )
    field_type = described(
        peewee.CharField(
            max_length=20,
            default="text",
            choices=[
                ("text", _("Text")),
                ("integer", _("Ganzzahl")),
                ("decimal", _("Dezimalzahl")),
                ("date", _("Datum")),
                ("bool", _("Ja/Nein")),
            ],
            verbose_name=_("Feldtyp"),
            help_text=_("Lässt sich nach dem ersten Speichern nicht mehr ändern."),
        ),
        read_only="after_first_save",
        listed=True,
    )
    length = described(
        peewee.IntegerField(
            null=True,
            verbose_name=_("Feldlänge"),
            help_text=_("Höchstzahl der Zeichen oder Ziffern; leer: so lang wie möglich. Nicht bei Datum und Ja/Nein."),
        ),
        minimum=1,
        maximum=255,
        listed=True,
    )
    position = described(
        peewee.IntegerField(
            default=0,
            verbose_name=_("Reihenfolge"),
            help_text=_("Die kleinste Zahl steht auf der Registerkarte zuerst."),
        ),
        listed=True,
    )

    class Meta:
        table_name = "custom_field"
        indexes = ((("entity", "tab", "label"), True),)

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterable[Exception]:
        kind, length = values.get("field_type"), values.get("length")
        item = read_field(cls._meta.table_name, cls.length, cls._meta)
        if length is not None and kind in ("date", "bool"):
            yield FieldError(item, str(length), gettext("gibt es bei diesem Feldtyp nicht. Bitte leer lassen."))
        elif length is not None and kind in _LENGTHS:
            least, most, _usual = _LENGTHS[kind]
            if not least <= length <= most:
                words = gettext("passt nicht zum Feldtyp. Erlaubt ist %(least)s bis %(most)s.", least=least, most=most)
                yield FieldError(item, str(length), words)
            elif (key := values.get("id")) is not None and (longest := _longest(key, kind)) > length:
                words = gettext("ist zu kurz: Es gibt schon Werte mit %(longest)s Stellen.", longest=longest)
                yield FieldError(item, str(length), words)
        namesake = _namesake(values.get("entity"), values.get("label") or "")
        if namesake is not None:
            words = gettext(
                "heißt hier schon ein anderes Feld („%(other)s“); in Dateien wären beide nicht zu unterscheiden.",
                other=str(namesake.label),
            )
            label = read_field(cls._meta.table_name, cls.label, cls._meta)
            yield FieldError(label, values["label"], words, gettext("Bitte eine andere Bezeichnung wählen."))
        if values.get("id") is None and cls.select().where(cls.entity == values.get("entity")).count() >= MOST_FIELDS:
            words = gettext("Hier gibt es schon %(most)s Zusatzfelder; mehr sind nicht möglich.", most=MOST_FIELDS)
            yield FieldError(read_field(cls._meta.table_name, cls.entity, cls._meta), None, words)

    @classmethod
    def held_by(cls, keys: Sequence[int]) -> dict[int, str]:
        """Its values, which would go with it unseen; a box that is not ticked is none."""
        field, value = CustomFieldValue.custom_field, CustomFieldValue.value
        query = (
            CustomFieldValue.select(field, peewee.fn.COUNT(CustomFieldValue.id))
            .join(cls)
            .where(key_condition(field, keys), value.is_null(False), (cls.field_type != "bool") | (value == "1"))
            .group_by(field)
        )
        return {key: ngettext("%(count)s Wert", "%(count)s Werte", count) for key, count in query.tuples()}


class CustomFieldValue(Record):
    """The value of a custom field in one record."""

    description = Description(
        label=_("Wert eines Zusatzfelds"), plural=_("Werte von Zusatzfeldern"), menu="none", right="custom_field"
    )
    custom_field = described(
        peewee.ForeignKeyField(CustomField, on_delete="CASCADE", index=False, verbose_name=_("Zusatzfeld"))
    )
    record_id = described(peewee.BigIntegerField(verbose_name=_("Datensatz")), unique_with=("custom_field",))
    value = described(peewee.TextField(null=True, verbose_name=_("Wert")))

    class Meta:
        table_name = "custom_field_value"
        indexes = ((("custom_field", "record_id"), True),)


#: Tables of this room, in the order of their creation.
MODELS = (CustomField, CustomFieldValue)


def _namesake(entity: Any, label: str) -> FieldSpec | None:
    """The field of the declaration that a file may bring under this very heading."""
    model = _OpenTables.models().get(str(entity))
    wanted = label.strip().casefold()
    items = spec_of(model).fields if model is not None else ()
    return next((item for item in items if wanted in {heading.casefold() for heading in item.headings()}), None)


def _longest(key: int, kind: str) -> int:
    """So many characters or digits has the longest stored value of a field."""
    value = CustomFieldValue.value
    text = value if kind == "text" else peewee.fn.REPLACE(value, "-", "")
    query = CustomFieldValue.select(peewee.fn.MAX(peewee.fn.LENGTH(text))).where(CustomFieldValue.custom_field == key)
    return int(query.scalar() or 0)


# --- as columns -------------------------------------------------------------------------------------------------------


class CustomColumn(Elsewhere):
    """What the Peewee fields below have in common: they stand in a query like columns of the record's table."""

    #: Set where a field is read.
    custom_field: int
    #: The name of the tab on which it stands.
    tab: str
    model: Any
    #: How the stored text becomes a value of the column's type, by engine; {} is the text.
    casts: ClassVar[dict[str, str]] = {"sqlite": "{}", "postgresql": "{}"}
    #: What stands for a record without a value.
    missing: ClassVar[dict[str, str]] = {}

    def __sql__(self, ctx: Any) -> Any:
        before, after = self.read_sql("\0").split("\0")
        return ctx.literal(before).sql(self.model._meta.primary_key).literal(after)

    def read_sql(self, key: str) -> str:
        found = (
            f"(SELECT {self.casts[engine()].format('v.value')} FROM custom_field_value v "
            f"WHERE v.custom_field_id = {self.custom_field:d} AND v.record_id = {key})"
        )
        missing = self.missing.get(engine())
        return f"coalesce({found}, {missing})" if missing else found

    def stored(self, value: Any) -> str | None:
        """A Python value as its row holds it."""
        made = self.db_value(value)  # type: ignore[attr-defined]
        return None if made is None else str(made)

    def read(self, text: str | None) -> Any:
        """The Python value of a stored text."""
        return None if text is None else self.python_value(text)  # type: ignore[attr-defined]

    def stored_sql(self, value: str) -> str:
        """SQL for the text of a value of the column's type."""
        return f"cast({value} AS text)"


class _TextColumn(CustomColumn, peewee.CharField):
    pass


class _IntegerColumn(CustomColumn, peewee.IntegerField):
    casts: ClassVar[dict[str, str]] = {"sqlite": "cast({} AS integer)", "postgresql": "cast({} AS bigint)"}


class _DecimalColumn(CustomColumn, DecimalField):
    casts: ClassVar[dict[str, str]] = _IntegerColumn.casts


class _DateColumn(CustomColumn, peewee.DateField):
    casts: ClassVar[dict[str, str]] = {"sqlite": "{}", "postgresql": "cast({} AS date)"}


class _TickColumn(CustomColumn, peewee.BooleanField):
    casts: ClassVar[dict[str, str]] = {"sqlite": "cast({} AS integer)", "postgresql": "({} = '1')"}
    missing: ClassVar[dict[str, str]] = {"sqlite": "0", "postgresql": "false"}

    def stored(self, value: Any) -> str | None:
        return None if value is None else "1" if value else "0"

    def read(self, text: str | None) -> Any:
        return text == "1"

    def stored_sql(self, value: str) -> str:
        return f"CASE WHEN {value} THEN '1' ELSE '0' END"


def _column(row: CustomField) -> Any:
    words: dict[str, Any] = {"verbose_name": row.label, "null": True}
    _least, _most, usual = _LENGTHS.get(row.field_type, (0, 0, 0))
    length = row.length or usual
    if row.field_type == "integer":
        largest = 10**length - 1
        return described(_IntegerColumn(**words), minimum=-largest, maximum=largest, bulk=True)
    if row.field_type == "decimal":
        return described(_DecimalColumn(length, _PLACES, **words), bulk=True)
    if row.field_type == "date":
        return described(_DateColumn(**words), bulk=True)
    if row.field_type == "bool":
        words |= {"null": False, "default": False}
        return described(_TickColumn(**words), import_codes={"1": True, "0": False}, bulk=True)
    return described(_TextColumn(max_length=length, **words), bulk=True)


# --- which fields there are -------------------------------------------------------------------------------------------

#: (database, key, version of a definition) -> its field: one and the same object as long as the definition stays.
_known: dict[Any, FieldSpec] = {}

#: Database -> (stamp of the definitions, table -> rows of its definitions).
_kept: dict[Any, tuple[Any, dict[str, list[CustomField]]]] = {}


def begin(stamp: Callable[[], Any]) -> None:
    """From here on models have the fields that are defined for them. `stamp` is a function: its answer changes whenever
    a definition does."""
    found: dict[str, tuple[FieldSpec, ...]] = {}

    def find(spec: ModelSpec) -> tuple[FieldSpec, ...]:
        if spec.name not in found:
            found[spec.name] = _fields(spec, stamp())
        return found[spec.name]

    extend_models(find)


def end() -> None:
    extend_models(None)


def _fields(spec: ModelSpec, stamp: Any) -> tuple[FieldSpec, ...]:
    place = database.obj.database
    kept = _kept.get(place)
    if kept is None or kept[0] != stamp:
        rows: dict[str, list[CustomField]] = {}
        order = (CustomField.position, CustomField.id)
        for row in CustomField.select().order_by(*order):
            rows.setdefault(row.entity, []).append(row)
        kept = _kept[place] = (stamp, rows)
    return tuple(_field(place, spec, row) for row in kept[1].get(spec.name, ()))


def _field(place: Any, spec: ModelSpec, row: CustomField) -> FieldSpec:
    name = (place, row.id, row.version, row.updated_at)
    if name not in _known:
        source = _column(row)
        source.custom_field = row.id
        source.bind(spec.model, f"custom_{row.id}", set_attribute=False)
        source.tab = row.tab
        words = {"aliases": (f"{row.tab}: {row.label}",), "group": tab_key(row.tab)}
        source.described_as = replace(source.described_as, **words)
        _known.setdefault(name, read_field(spec.name, source, spec.model._meta))
    return _known[name]


def tab_key(tab: str) -> str:
    """The key of a tab that is there for such fields only."""
    return f"custom-{zlib.crc32(tab.casefold().encode()):08x}"


def tab_of(item: FieldSpec) -> str:
    """The name of the tab on which an operator wants a field; "" for fields of the declaration."""
    column = item.column_field
    return str(column.tab) if isinstance(column, CustomColumn) else ""


def folder_of(item: FieldSpec, page: Any = "") -> str:
    """Where imports offer a defined field: a folder per tab, one for all those of a child table (`page`: its name); ""
    for fields of the declaration."""
    tab = tab_of(item)
    if tab and page:
        return gettext("Benutzerdefinierte Felder - Seite %(page)s", page=str(page))
    return gettext("Benutzerdefinierte Felder / %(tab)s", tab=tab) if tab else ""


# --- values of whole rows ---------------------------------------------------------------------------------------------


def complete(spec: ModelSpec, rows: Iterable[dict[str, Any]]) -> Any:
    """The same rows of a table (values by field, "id" among them) with the values of the fields defined for it."""
    items = spec.further_fields
    if not items:
        return rows
    found = list(rows)
    by_key = {row["id"]: row for row in found}
    by_field = {item.column_field.custom_field: item for item in items}
    for row in found:
        row.update((item.name, item.column_field.read(None)) for item in items)
    keys = list(by_key)
    for start in range(0, len(keys), 500):
        query = CustomFieldValue.select(
            CustomFieldValue.custom_field, CustomFieldValue.record_id, CustomFieldValue.value
        ).where(
            CustomFieldValue.custom_field.in_(list(by_field)),
            key_condition(CustomFieldValue.record_id, keys[start : start + 500]),
        )
        for field, key, text in query.tuples():
            item = by_field[field]
            by_key[key][item.name] = item.column_field.read(text)
    return found


def values_of(spec: ModelSpec, key: int) -> Iterator[dict[str, Any]]:
    """The rows with the values that a record has in the fields of its table."""
    query = CustomFieldValue.select(CustomFieldValue, CustomField.entity).join(CustomField)
    yield from query.where(CustomField.entity == spec.name, CustomFieldValue.record_id == key).dicts()

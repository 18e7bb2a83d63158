"""Fields that operators define: kept as rows, to become FieldSpecs like any other.

Shape: a CustomField belongs to a table and a tab; a CustomFieldValue holds the value of one record as text. The tables
stand from the first migration on; no page offers them until they work everywhere a field works (W3 in the goals).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import peewee

from flask_appadmin.changes.anonymising import register_belongings
from flask_appadmin.database import Record
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, ModelSpec, described, spec_of


class CustomField(Record):
    """A field defined by an administrator."""

    description = Description(
        label=_("Zusatzfeld"), plural=_("Zusatzfelder"), title=("label",), menu="none", right="custom_field"
    )
    entity = described(peewee.CharField(max_length=60, verbose_name=_("Bereich")))
    tab = described(peewee.CharField(max_length=60, verbose_name=_("Bezeichnung der Registerkarte")))
    label = described(peewee.CharField(max_length=60, verbose_name=_("Bezeichnung")), unique_with=("entity", "tab"))
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
        )
    )
    length = described(peewee.IntegerField(null=True, verbose_name=_("Feldlänge")), minimum=1, maximum=255)
    position = described(peewee.IntegerField(default=0, verbose_name=_("Reihenfolge")))

    class Meta:
        table_name = "custom_field"
        indexes = ((("entity", "tab", "label"), True),)


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


def _values_of(spec: ModelSpec, key: int) -> Iterator[dict[str, Any]]:
    """The values that a record has in the fields of its table."""
    query = CustomFieldValue.select(CustomFieldValue, CustomField.entity).join(CustomField)
    yield from query.where(CustomField.entity == spec.name, CustomFieldValue.record_id == key).dicts()


register_belongings(spec_of(CustomFieldValue), _values_of)

#: Tables of this room, in the order of their creation.
MODELS = (CustomField, CustomFieldValue)

"""Which kind of value a Peewee field holds; each kind is one object."""

from __future__ import annotations

import peewee

from flask_appadmin.fieldtypes.base import FieldType
from flask_appadmin.fieldtypes.choices import BooleanType, ChoicesType, ChoiceType
from flask_appadmin.fieldtypes.columns import DecimalField, JSONField
from flask_appadmin.fieldtypes.dates import DateTimeType, DateType
from flask_appadmin.fieldtypes.documents import JSONType, PeopleType
from flask_appadmin.fieldtypes.numbers import DecimalType, IntegerType
from flask_appadmin.fieldtypes.references import ReferenceType
from flask_appadmin.fieldtypes.text import LongTextType, TextType

_TEXT, _LONG, _CHOICE, _INTEGER = TextType(), LongTextType(), ChoiceType(), IntegerType()
_DECIMAL, _BOOLEAN, _DATE, _DATETIME = DecimalType(), BooleanType(), DateType(), DateTimeType()
_REFERENCE, _JSON, _CHOICES, _PEOPLE = ReferenceType(), JSONType(), ChoicesType(), PeopleType()


def type_of(field: peewee.Field, kind: str = "") -> FieldType:
    """The kind of value of a Peewee field; raises TypeError for a field class that nobody described yet."""
    if field.choices:
        return _CHOICES if isinstance(field, JSONField) else _CHOICE
    for classes, found in (
        (peewee.ForeignKeyField, _REFERENCE),
        (DecimalField, _DECIMAL),
        (JSONField, _PEOPLE if kind == "people" else _JSON),
        (peewee.BooleanField, _BOOLEAN),
        (peewee.DateTimeField, _DATETIME),
        (peewee.DateField, _DATE),
        (peewee.IntegerField, _INTEGER),
        (peewee.TextField, _LONG),
        (peewee.CharField, _LONG if kind == "multiline" else _TEXT),
    ):
        if isinstance(field, classes):
            return found
    raise TypeError(f"no kind of value for {type(field).__name__} {field.model.__name__}.{field.name}")

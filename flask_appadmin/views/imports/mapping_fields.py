"""The fields by which an import is told what it is to do: of its mapping, and of the page of a saved one.

Shape: fields as choice_field.html and fields.html draw them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask_appadmin.digits import is_number
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.sheets.import_modes import item_of
from flask_appadmin.sheets.sessions import ImportSchema
from flask_appadmin.sheets.surveying import modes_of
from flask_appadmin.specs import ModelSpec, ReferenceCache

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry


def schema_names(spec: ModelSpec) -> list[str]:
    """The saved mappings of a table."""
    query = ImportSchema.select(ImportSchema.name).where(ImportSchema.entity == spec.name).order_by(ImportSchema.name)
    return [row[0] for row in query.tuples()]


def select_field(
    name: str, label: str, value: str, choices: Sequence[tuple[str, str]], hint: str = ""
) -> dict[str, Any]:
    return {"name": name, "label": label, "value": value, "choices": choices, "hint": hint}


def mode_field(chosen: str, spec: ModelSpec, operator: Operator) -> dict[str, Any]:
    words = {
        "both": gettext("Neue anlegen und vorhandene ändern"),
        "new": gettext("nur Neue anlegen (Neu)"),
        "replace": gettext("nur vorhandene ändern (Ersetzen)"),
        "delete": gettext("Löschen, was markiert ist"),
    }
    choices = [(mode, words[mode]) for mode in words if mode in (*modes_of(operator, spec), chosen)]
    return select_field("mode", gettext("Import-Art"), chosen, choices)


def default_name(target: str) -> str:
    """The name of the input for what new records get."""
    return f"default-{target}"


def default_fields(defaults: dict[str, str], spec: ModelSpec, registry: Registry) -> list[dict[str, Any]]:
    """What an import of new records is asked for (fields.html)."""
    fields = []
    for target in spec.model.import_defaults:
        item = item_of(target, spec)
        text = defaults.get(target, "")
        field: dict[str, Any] = {
            "name": default_name(target),
            "label": gettext("%(field)s für Neue", field=str(item.label)),
            "kind": "text",
            "value": text,
            "help": gettext("wird genommen, wo in der Zeile eines neuen Datensatzes nichts Gültiges steht"),
        }
        if item.target is not None:
            url = f"{registry.lookup_url(item.references)}?all=1"
            field |= {"kind": "lookup", "value": "", "display": text, "lookup_url": url, "browsed": True}
        fields.append(field)
    return fields


def take_defaults(posted: Mapping[str, str], defaults: dict[str, str], spec: ModelSpec) -> None:
    """Takes over what was typed into `default_fields`; what was not on the page stays."""
    for target in spec.model.import_defaults:
        name = default_name(target)
        if name not in posted and f"{name}_text" not in posted:
            continue
        defaults.pop(target, None)
        text = posted.get(f"{name}_text", "").strip()
        key = posted.get(name, "")
        if is_number(key):
            item = item_of(target, spec)
            text = ReferenceCache().titles(item.references, {int(key)}).get(int(key), text) if item.target else key
        if text:
            defaults[target] = text[:200]


def blank_field(chosen: str) -> dict[str, Any]:
    choices = [("keep", gettext("ändern nichts")), ("clear", gettext("leeren das Feld"))]
    return select_field("blank", gettext("Leere Zellen"), chosen, choices, gettext("„<leer>“ leert das Feld immer."))

"""The fields a file may set, in the groups in which people look for them: the area „Nach“ of a mapping.

Shape: `target_groups` answers (caption, [(target, label), …]) for the pages that map columns. A view may say in which
groups and order (`AppModelView.import_groups`); what it does not name follows by the tabs of the form. Fields that
operators define stand in the place of CUSTOM: a folder per tab, and one for each child table.
Source: ME-07, ME-138, ME-139.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flask_appadmin.customfields import folder_of
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.sheets.delete_targets import delete_targets
from flask_appadmin.sheets.exporting import headings
from flask_appadmin.sheets.mapping import TURNED, find_target, importable_fields
from flask_appadmin.specs import FieldSpec, ModelSpec

if TYPE_CHECKING:
    from flask_appadmin.registry import Registry

Choices = list[tuple[str, str]]

#: Names of groups beside tabs and child tables: the columns with marks, and the fields that operators define.
MARKS, CUSTOM = "#delete", "#custom"


def target_groups(
    spec: ModelSpec, operator: Operator, registry: Registry, *, marks: bool = False
) -> list[tuple[str, Choices]]:
    """All targets by group; `marks`: also the columns that say what is removed."""
    view = registry.views[spec.name]
    layout = view.form_layout
    parts: dict[str, Choices] = {}
    captions = {tab.key: str(tab.label) for tab in layout.tabs}
    folders: dict[str, Choices] = {}
    for item, choices in _fields(spec, operator):
        folder = folder_of(item)
        into = folders.setdefault(folder, []) if folder else parts.setdefault(layout.tab_of(item.name) or "#other", [])
        into.extend(choices)
    for child in spec.children:
        captions[child.name] = str(child.plural)
        for item, choices in _fields(child, operator):
            folder = folder_of(item, child.plural)
            into = folders.setdefault(folder, []) if folder else parts.setdefault(child.name, [])
            into.extend((f"{child.name}.{target}", f"{child.label}: {label}") for target, label in choices)
    if marks:
        parts[MARKS] = delete_targets(spec)
    captions |= {
        MARKS: gettext("Kennz. „Löschen“"),
        "#other": gettext("Weitere Angaben"),
    }
    groups: dict[str, Choices] = {}
    for caption, keys in view.import_groups:
        found = [choice for key in keys for choice in parts.pop(key, [])]
        if CUSTOM in keys and folders:
            groups |= folders
        elif found or CUSTOM in keys:
            groups[str(caption)] = found
    order = [*(tab.key for tab in layout.tabs), "#other", *(child.name for child in spec.children), MARKS]
    for key in order:
        if found := parts.pop(key, []):
            groups.setdefault(captions[key], []).extend(found)
    return list((groups | folders).items())


def _fields(spec: ModelSpec, operator: Operator) -> Iterator[tuple[FieldSpec, Choices]]:
    """Each field as a target, and its opposite where files bring that."""
    items = importable_fields(spec, operator)
    for item, heading in zip(items, headings(items), strict=True):
        turned = [(f"{TURNED}{item.name}", str(item.opposite))] if item.opposite else []
        yield item, [(item.name, heading), *turned]


def is_open(target: str, spec: ModelSpec, operator: Operator) -> bool:
    """Whether this operator's files may set what the target names."""
    found = find_target(target, spec) if target else None
    return found is not None and found[1].name in {item.name for item in importable_fields(found[0], operator)}


__all__ = ["CUSTOM", "MARKS", "is_open", "target_groups"]

"""Customers as XML for other systems: one file per imported customer, and what tills get of all of them.

Shape: an element per field, called as the field in the database; an empty element is an empty field. Texts stand as
they are stored, decimals with a point, dates in ISO form, ticks as true and false, choices by their code, references by
the code or number of the other record. Lists (contacts, addresses, …) are an element with one element per row.
What an operator may not read in full stands in no file of his; secrets stand in none.
Errors: OutboxFault for a folder that is not there. Source: ME-18, NE-02.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from flask_appadmin.database import key_condition
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, visible
from flask_appadmin.sheets.exporting import exportable_fields, note_export
from flask_appadmin.sheets.outbox import OutboxFault, folder_below, lay_down
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: Characters that no XML file may contain, not even escaped (XML 1.0, production 2).
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: So many customers are read at a time.
_CHUNK = 200


def write_customer_files(
    spec: ModelSpec, keys: Sequence[int], operator: Operator, outbox: Path, folder: str
) -> tuple[int, list[str]]:
    """One file kunde_<number>.xml per customer in a folder of the outbox; answers how many, and what went wrong.

    At the first file that cannot be written the rest is left: a disk that is full stays full.
    """
    try:
        target = folder_below(outbox, folder)
    except OutboxFault as fault:
        return 0, [gettext("Es entstanden keine XML-Dateien. %(reason)s", reason=fault.sentence())]
    note_export(
        spec,
        operator,
        gettext("XML-Dateien im Exportverzeichnis „%(folder)s“ nach einem Import", folder=folder),
        "xml",
        columns=[str(item.label) for item in exportable_fields(spec, operator)],
        sheets=[str(child.plural) for child in spec.children],
        count=len(keys),
    )
    count = 0
    for number, element in customer_elements(spec, keys, operator):
        try:
            lay_down(target, f"kunde_{number}.xml", [as_xml(element)])
        except OutboxFault as fault:
            words = gettext(
                "%(done)s von %(count)s XML-Dateien sind entstanden. %(reason)s Der Import selbst ist gespeichert.",
                done=count,
                count=len(keys),
                reason=fault.sentence(),
            )
            return count, [words]
        count += 1
    return count, []


def as_xml(element: ElementTree.Element) -> bytes:
    """A whole file."""
    ElementTree.indent(element)
    # As a text first: writing bytes goes through a codec for every tag, which takes twice as long.
    text = ElementTree.tostring(element, encoding="unicode")
    return f"<?xml version='1.0' encoding='utf-8'?>\n{text}\n".encode()


def customer_elements(
    spec: ModelSpec,
    keys: Sequence[int],
    operator: Operator,
    *,
    fields: Sequence[str] | None = None,
    children: Sequence[str] | None = None,
) -> Iterator[tuple[int, ElementTree.Element]]:
    """(customer number, its element) of those that the operator may see, by number; None: all fields, all lists."""
    allowed = exportable_fields(spec, operator)
    items = [item for item in allowed if fields is None or item.name in fields]
    tables = [child for child in spec.children if children is None or child.name in children]
    number = spec.model.customer_number
    condition = visible(operator, spec)
    for start in range(0, len(keys), _CHUNK):
        part = list(keys[start : start + _CHUNK])
        query = spec.model.select(spec.model.id, number, *(item.column_field for item in items))
        query = query.where(key_condition(spec.model.id, part))
        query = query if condition is None else query.where(condition)
        rows = list(query.order_by(number).tuples())
        names = ReferenceCache()
        texts = _texts(items, [row[2:] for row in rows], names)
        lists = [(child, _children(child, part, operator, names)) for child in tables]
        for row, values in zip(rows, texts, strict=True):
            element = _element(spec.name, items, values)
            for child, found in lists:
                group = ElementTree.SubElement(element, f"{child.name}_list")
                group.extend(found.get(row[0], ()))
            yield row[1], element


def _children(
    child: ModelSpec, owners: list[int], operator: Operator, names: ReferenceCache
) -> dict[int, list[ElementTree.Element]]:
    """Customer -> the elements of his rows in a table."""
    assert child.owner is not None
    items = exportable_fields(child, operator)
    owner = child.owner.column_field
    query = child.model.select(owner, *(item.column_field for item in items)).where(key_condition(owner, owners))
    condition = visible(operator, child)
    query = query if condition is None else query.where(condition)
    rows = list(query.order_by(child.model._meta.primary_key).tuples())
    found: dict[int, list[ElementTree.Element]] = {}
    for row, values in zip(rows, _texts(items, [row[1:] for row in rows], names), strict=True):
        found.setdefault(row[0], []).append(_element(child.name, items, values))
    return found


def _element(name: str, items: Sequence[FieldSpec], texts: Sequence[str]) -> ElementTree.Element:
    element = ElementTree.Element(name)
    for item, text in zip(items, texts, strict=True):
        ElementTree.SubElement(element, item.name).text = text or None
    return element


def _texts(items: Sequence[FieldSpec], rows: Sequence[Sequence[Any]], names: ReferenceCache) -> list[list[str]]:
    columns = [_column(item, [row[index] for row in rows], names) for index, item in enumerate(items)]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _row in rows]


def _column(item: FieldSpec, values: list[Any], names: ReferenceCache) -> list[str]:
    if item.references is not None:
        codes = names.codes(item.references, {value for value in values if value is not None})
        # A record without a code is named by its key, as in a workbook.
        return ["" if value is None else _clean(str(codes.get(value) or f"#{value}")) for value in values]
    return ["" if value is None else _text(item.type.to_json(value, item)) for value in values]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _clean(text: str) -> str:
    return _NO_CHARACTER.sub("", text)


__all__ = ["as_xml", "customer_elements", "write_customer_files"]

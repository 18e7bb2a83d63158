"""Cells that the operator mends on the page of the preview: they take the place of what the file says.

Shape: `ImportOptions.corrections` maps "<sheet>|<row>|<column index>" to the text that was typed, so that it is kept
with the run and every plan reads it by the same rules; `of_sheet` answers {row: {column index: text}}. `column_of` says
in which column a finding, or a planned value, can be mended.
Source: goals I10, I11.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_appadmin.changes import known_specs
from flask_appadmin.sheets.mapping import TURNED, find_target
from flask_appadmin.sheets.surveying import ImportOptions, SurveyedSheet
from flask_appadmin.specs import ModelSpec

#: So many cells may be mended on the page; whoever has more mends the file.
MOST = 5_000


def place_of(sheet: str, row: int, index: int) -> str:
    """The place of a cell in the file."""
    return f"{sheet}|{row}|{index}"


def of_sheet(corrections: Mapping[str, str], sheet: str) -> dict[int, dict[int, str]]:
    """Row -> column index -> what was typed."""
    found: dict[int, dict[int, str]] = {}
    for place, text in corrections.items():
        name, row, index = place.rsplit("|", 2)
        if name == sheet:
            found.setdefault(int(row), {})[int(index)] = text
    return found


def column_of(
    sheet: SurveyedSheet, options: ImportOptions, spec: ModelSpec, entity: ModelSpec, heading: str, name: str = ""
) -> int | None:
    """The column in which a finding with this heading, or the field of this name, stands; None where there is none."""
    targets = sheet.own if sheet.own is not None else options.targets
    table = known_specs()[sheet.entity]
    before = "" if entity.name == sheet.entity else f"{entity.name}."
    fields: list[int] = []
    for index, target in enumerate(targets):
        found = find_target(target, table) if target and not target.startswith("#") else None
        if found is None:
            continue
        if name:
            is_meant = target.replace(TURNED, "") == f"{before}{name}"
        else:
            is_meant = bool(heading) and heading in (sheet.detection.headings[index], str(found[1].label))
        if is_meant:
            fields.append(index)
    exact = [index for index in fields if sheet.detection.headings[index] == heading]
    fields = exact or fields
    # Cells that are joined to one value cannot be told apart here.
    return fields[0] if len(fields) == 1 and targets.count(targets[fields[0]]) == 1 else None


__all__ = ["MOST", "column_of", "of_sheet", "place_of"]

"""What all kinds of value share: their verbs, and what most of them do there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask_appadmin.specs import FieldSpec


class FieldType:
    """What all kinds share: blank is None, text is trimmed, JSON is the value itself."""

    #: Key of the kind, used by forms and filters to choose an input and the operators.
    name = "text"
    #: The column kind of a spreadsheet: text, code, integer, decimal, date, datetime, bool or choice.
    sheet_kind = "text"
    #: Whether numbers, so that lists put it to the right.
    is_number = False

    def cleared(self, spec: FieldSpec) -> Any:
        """What a stored value becomes when a file clears it."""
        return None

    def parse(self, text: str, spec: FieldSpec) -> Any:
        """The value of a text as people type it, None for a blank one; raises FieldError."""
        raise NotImplementedError

    def format(self, value: Any, spec: FieldSpec) -> str:
        """The text people read; `parse` understands it."""
        return "" if value is None else str(value)

    def link(self, value: Any, spec: FieldSpec) -> str:
        """The address that a value is good for (call, write, look at), "" for most."""
        return ""

    def warning(self, value: Any, spec: FieldSpec) -> str:
        """What is odd about a value that is taken all the same, as a sentence; "" for most."""
        return ""

    def to_cell(self, value: Any, spec: FieldSpec) -> Any:
        """What a spreadsheet takes for the value."""
        return value

    def from_cell(self, cell: Any, spec: FieldSpec) -> Any:
        """The value of a cell of whatever type a file gave it; raises FieldError."""
        if cell is None:
            return None
        if isinstance(cell, float) and cell.is_integer():
            # A file may know no other numbers; people see "7" there, not "7.0".
            cell = int(cell)
        return self.parse(cell if isinstance(cell, str) else str(cell), spec)

    def to_json(self, value: Any, spec: FieldSpec) -> Any:
        """The exact value as JSON knows values; `from_json` makes it again."""
        return value

    def from_json(self, value: Any, spec: FieldSpec) -> Any:
        return value

    def check(self, value: Any, spec: FieldSpec) -> Any:
        """The value as it is stored, after the limits of the field; raises FieldError."""
        return value

    def sql_to_json(self, column: str, spec: FieldSpec, engine: str) -> str:
        """SQL for the JSON text of a column, equal to `json_text(to_json(value))`."""
        if engine == "sqlite":
            return f"json_quote({column})"
        return f"coalesce(to_json({column})::text, 'null')"

    def sql_from_json(self, json_sql: str, spec: FieldSpec, engine: str) -> str:
        """SQL for the stored value behind a JSON text."""
        if engine == "sqlite":
            return f"json_extract({json_sql}, '$')"
        return f"(({json_sql})::jsonb #>> '{{}}')"

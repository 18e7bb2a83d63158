"""Other records: found by what people call them, stored by their key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import peewee

from flask_appadmin.digits import is_number
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.base import FieldType
from flask_appadmin.fieldtypes.text import clean_line
from flask_appadmin.i18n import gettext

if TYPE_CHECKING:
    from flask_appadmin.specs import FieldSpec


class ReferenceType(FieldType):
    """Another record, stored by its key, named by its natural key (code or number) or its title.

    `parse` asks the database once per value; whoever parses many hands over a cache (`ReferenceCache`).
    """

    name = "reference"
    sheet_kind = "code"

    def parse(self, text: str, spec: FieldSpec) -> int | None:
        return ReferenceCache().find(text, spec)

    def check(self, value: Any, spec: FieldSpec) -> int | None:
        return value.get_id() if isinstance(value, peewee.Model) else value

    def sql_from_json(self, json_sql: str, spec: FieldSpec, engine: str) -> str:
        text = super().sql_from_json(json_sql, spec, engine)
        return text if engine == "sqlite" else f"{text}::bigint"


class ReferenceCache:
    """Finds records by what people call them and names records by key, asking the database once for each.

    One cache serves one request or one file; it must not outlive it, since titles change.
    """

    #: Tables up to this size are read whole at the first question.
    SMALL = 2_000

    def __init__(self) -> None:
        self._keys: dict[str, dict[str, int | None]] = {}
        self._titles: dict[str, dict[int, str]] = {}
        self._codes: dict[str, dict[int, str]] = {}
        self._whole: set[str] = set()

    def find(self, text: str, spec: FieldSpec) -> int | None:
        """The key of the record that `text` names; blank is None; an unknown or ambiguous name raises FieldError."""
        name = clean_line(text)
        if not name:
            return None
        target = spec.references
        keys = self._keys.setdefault(target.name, {})
        folded = name.casefold()
        if folded not in keys:
            self._load(target)
            if folded not in keys:
                self._ask(target, name, folded, keys)
        key = keys[folded]
        if key is None:
            raise FieldError(
                spec,
                name,
                gettext("ist unter „%(plural)s“ nicht vorhanden", plural=str(target.plural)),
                gettext("Bitte erst dort anlegen oder die Schreibweise prüfen."),
            )
        return key

    def _ask(self, target: Any, name: str, folded: str, keys: dict[str, int | None]) -> None:
        model = target.model
        keys[folded] = None
        for spec in target.naming_fields:
            if spec.type.name == "integer":
                if not is_number(name):
                    continue
                condition = spec.column_field == int(name)
            else:
                condition = spec.column_field == name
            found = [row[0] for row in model.select(model._meta.primary_key).where(condition).limit(2).tuples()]
            if len(found) == 1:
                keys[folded] = found[0]
                return
        keys[folded] = model.find_by_words(name) if hasattr(model, "find_by_words") else None

    def _load(self, target: Any) -> None:
        if target.name in self._whole:
            return
        self._whole.add(target.name)
        model, fields = target.model, target.naming_fields
        columns = [model._meta.primary_key, *(spec.column_field for spec in fields)]
        rows = list(model.select(*columns).limit(self.SMALL + 1).tuples())
        if len(rows) > self.SMALL:
            return
        keys = self._keys.setdefault(target.name, {})
        for position in range(len(fields), 0, -1):  # the first naming field wins over the later ones
            seen: dict[str, int | None] = {}
            for row in rows:
                if row[position] is not None:
                    folded = clean_line(str(row[position])).casefold()
                    seen[folded] = row[0] if folded not in seen else None
            keys.update({name: key for name, key in seen.items() if key is not None})
        for row in rows:
            title = " ".join(str(row[1 + i]) for i, spec in enumerate(fields) if row[1 + i] is not None)
            keys.setdefault(title.casefold(), row[0])

    def titles(self, target: Any, keys: set[int]) -> dict[int, str]:
        """Key -> title for the keys asked for, with one query for those not known yet."""
        return self._named(target, keys, self._titles, target.title_specs)

    def codes(self, target: Any, keys: set[int]) -> dict[int, str]:
        """Key -> natural key as text, as it stands in files and on the command line."""
        return self._named(target, keys, self._codes, (target.naming_fields or target.title_specs)[:1])

    @staticmethod
    def _named(target: Any, keys: set[int], known: dict[str, dict[int, str]], fields: Any) -> dict[int, str]:
        names = known.setdefault(target.name, {})
        missing = sorted(key for key in keys if key is not None and key not in names)
        model = target.model
        for start in range(0, len(missing), 500):
            part = missing[start : start + 500]
            columns = [model._meta.primary_key, *(spec.column_field for spec in fields)]
            for row in model.select(*columns).where(model._meta.primary_key << part).tuples():
                shown = (spec.format(value) for spec, value in zip(fields, row[1:], strict=True))
                names[row[0]] = " ".join(text for text in shown if text)
            for key in part:
                names.setdefault(key, f"#{key}")
        return names

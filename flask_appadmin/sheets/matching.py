"""Which record a row of a file is, and whether it is new: by row key, by a chosen field, by its owner and number.

Shape: a `Matcher` lives as long as a plan, since it remembers what stood in earlier rows. Every record it finds is one
that the operator may see; the number of a merged record leads on to the one it became.
Errors: none; a row that fits none or several is refused by a finding. Source: design.md section 6; goals I4, I9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_appadmin.changes import known_specs
from flask_appadmin.database import key_condition, value_condition
from flask_appadmin.errors import FieldError
from flask_appadmin.i18n import gettext
from flask_appadmin.merging import current_key, current_keys
from flask_appadmin.rights import visible
from flask_appadmin.sheets.damage.doctor import SheetDoctor
from flask_appadmin.sheets.import_modes import names_only_children
from flask_appadmin.sheets.mapping import find_target
from flask_appadmin.sheets.planned import CHUNK, Named, Planned, as_text, batches
from flask_appadmin.sheets.surveying import SurveyedSheet
from flask_appadmin.specs import FieldSpec, ModelSpec

if TYPE_CHECKING:
    from flask_appadmin.sheets.planning import Planner


def value_of(row: Planned, target: str) -> Any:
    """What the row says in a field of its record, or of a child that it names ("card.number")."""
    table, _dot, name = target.rpartition(".")
    values = row.values if not table else next((found for entity, found in row.children if entity == table), {})
    return values.get(name)


class Matcher:
    """Finds the records of planned rows."""

    def __init__(self, planner: Planner) -> None:
        self.spec, self.operator, self.options = planner.spec, planner.operator, planner.options
        self.names = planner.names
        #: Several rows may name the same record where they only say something about its children.
        self.repeats = planner.deletes or names_only_children(planner.options, planner.spec)
        #: What was met before -> the number of its row, to find rows that stand twice.
        self._seen: dict[tuple[str, str], dict[Any, int]] = {}
        #: Natural keys of new records as text -> the number of their row, for children of our own files.
        self.new_owners: dict[str, int] = {}
        #: (table, owner) -> its children by number and by title.
        self._named: dict[tuple[str, Any], dict[str, int]] = {}

    def match(self, planned: list[Planned], entity: ModelSpec, sheet: SurveyedSheet, doctor: SheetDoctor) -> None:
        key_name = self.options.key if entity is self.spec else ""
        if sheet.own is not None:
            self._match_own(planned, entity, doctor)
            if entity is self.spec and entity.natural_key:
                key_name = entity.natural_key[0].name
        elif self.options.matches:
            self._match_chosen(planned, entity, sheet)
        if key_name:
            without = [row for row in planned if row.key is None and row.state == ""]
            if "." in key_name:
                self._match_by_child(without, key_name)
            else:
                self._match_by_key(without, entity, entity.field(key_name))
        if self.options.matches and entity is self.spec and not self.repeats:
            for row in (each for each in planned if each.key is not None and each.state == ""):
                self.check_twice(row, entity, row.key, "", row.title, gettext("Zeilenschlüssel"))
        for row in planned:
            self._decide(row)
        if entity is self.spec:
            self._note_new_owners(planned, entity)
            self._find_duplicates([row for row in planned if row.state == "new"], entity)

    def _match_own(self, planned: list[Planned], entity: ModelSpec, doctor: SheetDoctor) -> None:
        present = self._present(entity, [row.key for row in planned if row.key is not None])
        for row in planned:
            if row.key is None:
                continue
            if row.key not in present:
                row.refuse("", row.title, gettext("Der Eintrag wurde inzwischen gelöscht."))
            else:
                self.check_twice(row, entity, row.key, gettext("Zeilenschlüssel"), row.key, doctor=doctor)
        if entity.owner is not None:
            without = [row for row in planned if row.key is None and row.state == ""]
            self._match_owners(without, entity)
            self._match_numbers([row for row in without if row.state == "" and isinstance(row.owner, int)], entity)

    def _match_chosen(self, planned: list[Planned], entity: ModelSpec, sheet: SurveyedSheet) -> None:
        """New rows of which the operator says that they are a record which is there."""
        chosen = {row.number: self.options.matches.get(f"{sheet.name[:60]}|{row.number}") for row in planned}
        present = self._present(entity, [key for key in chosen.values() if key is not None])
        for row in planned:
            key = chosen[row.number]
            if key is None or row.state or key not in present:
                continue
            row.key = key
            for item in entity.natural_key:
                row.values.pop(item.name, None)  # the record keeps the number it has

    def _present(self, entity: ModelSpec, keys: list[int]) -> set[int]:
        key_field = entity.model._meta.primary_key
        query = entity.model.select(key_field).where(key_condition(key_field, keys))
        condition = visible(self.operator, entity)
        return {row[0] for row in (query if condition is None else query.where(condition)).tuples()}

    def check_twice(
        self,
        row: Planned,
        entity: ModelSpec,
        key: Any,
        heading: str,
        value: Any,
        among: str = "",
        doctor: SheetDoctor | None = None,
    ) -> None:
        if row.state == "error":
            return
        first = self._seen.setdefault((entity.name, among or heading), {}).setdefault(key, row.number)
        if first != row.number:
            words = gettext("steht schon in Zeile %(row)s. Diese Zeile wird nicht übernommen.", row=first)
            if doctor is not None:
                doctor.note("twice", -1, row.number, first, row.title)
                if doctor.choice("twice") == "repair":
                    row.state = "skipped"
                    row.find(heading, value, words, "note")
                    return
            row.refuse(heading, value, words)

    def is_first(self, entity: ModelSpec, key: Any, number: int, among: str = "") -> bool:
        """Whether no row before has named this."""
        seen = self._seen.setdefault((entity.name, among or gettext("Zeilenschlüssel")), {})
        return bool(seen.setdefault(key, number) == number)

    def _match_by_key(self, rows: list[Planned], entity: ModelSpec, item: FieldSpec) -> None:
        wanted = {row.values.get(item.name) for row in rows} - {None}
        known: dict[Any, list[int]] = {}
        key_field = entity.model._meta.primary_key
        condition = visible(self.operator, entity)
        for part in batches(sorted(wanted, key=str), CHUNK):
            query = entity.model.select(key_field, item.column_field).where(value_condition(item.column_field, part))
            for key, value in (query if condition is None else query.where(condition)).tuples():
                known.setdefault(value, []).append(key)
        for row in rows:
            value = row.values.get(item.name)
            if value is None:
                continue
            if not self.repeats:
                self.check_twice(row, entity, value, str(item.label), value)
            found = known.get(value, [])
            if len(found) > 1:
                words = gettext("gibt es im Bestand mehrfach; die Zeile ist nicht eindeutig.")
                row.refuse(str(item.label), value, words)
            elif found:
                row.key = found[0]
        self._lead_on([row for row in rows if row.key is not None], entity, item)

    def _match_by_child(self, rows: list[Planned], target: str) -> None:
        """Finds records by what one of their children has and nobody else's: the number of a card."""
        found = find_target(target, self.spec)
        assert found is not None
        child, item = found
        assert child.owner is not None
        values = {row.number: value_of(row, target) for row in rows}
        known: dict[Any, int] = {}
        conditions = [visible(self.operator, entity) for entity in (child, self.spec)]
        for part in batches(sorted({value for value in values.values() if value is not None}, key=str), CHUNK):
            query = child.model.select(item.column_field, child.owner.column_field)
            query = query.join(self.spec.model, on=(child.owner.column_field == self.spec.model._meta.primary_key))
            query = query.where(item.column_field.in_(part), *(each for each in conditions if each is not None))
            known.update(query.tuples())
        for row in rows:
            value = values[row.number]
            if value is not None and not self.repeats:
                self.check_twice(row, self.spec, value, str(item.label), value)
            row.key = known.get(value)
            if row.key is not None and not self.repeats:
                # Two cards may be one person's: then two rows name the same record.
                title = self.names.titles(self.spec, {row.key})[row.key]
                self.check_twice(row, self.spec, row.key, str(item.label), title, gettext("Zeilenschlüssel"))

    def _lead_on(self, rows: list[Planned], entity: ModelSpec, item: FieldSpec) -> None:
        """The number of a record that was merged with another one means that other one."""
        further = current_keys(entity, {row.key for row in rows if row.key is not None})
        if not further:
            return
        titles = self.names.titles(entity, set(further.values()))
        for row in rows:
            key = further.get(row.key or 0)
            if key is not None:
                row.key = key
                words = gettext("ist zusammengeführt: die Zeile ändert %(title)s.", title=titles[key])
                row.find(str(item.label), row.values.pop(item.name, ""), words, "note")
            if row.key in titles and not self.repeats:
                self.check_twice(row, entity, row.key, str(item.label), titles[row.key], gettext("Zeilenschlüssel"))

    def _match_owners(self, rows: list[Planned], entity: ModelSpec) -> None:
        """New rows on a child sheet name their owner by its number; he may be new in the same file."""
        assert entity.owner is not None and entity.owner.references is not None
        owner = entity.owner.references
        item = (owner.natural_key or owner.title_specs)[0]
        for row in rows:
            label = str(item.label)
            if row.owner in (None, ""):
                row.refuse(label, "", gettext("Bitte angeben, wozu die neue Zeile gehört."))
                continue
            text = as_text(row.owner)
            if text in self.new_owners:
                row.owner = [self.new_owners[text]]
                continue
            try:
                row.owner = current_key(owner, self.names.find(text, entity.owner) or 0)
            except FieldError as fault:
                row.refuse(label, row.owner, fault.found())

    def _match_numbers(self, rows: list[Planned], entity: ModelSpec) -> None:
        """Rows that give the number which a child has at its owner are that child; an unknown one is a fault.

        A number that people choose themselves (a cost centre) may be new.
        """
        owner = entity.owner
        assert owner is not None
        item = next((found for found in entity.natural_key if found.unique_with == (owner.name,)), None)
        rows = [row for row in rows if item is not None and row.values.get(item.name) is not None]
        if item is None or not rows:
            return
        known: dict[tuple[int, Any], int] = {}
        condition = visible(self.operator, entity)
        for part in batches(sorted({row.owner for row in rows}), CHUNK):
            query = entity.model.select(entity.model._meta.primary_key, owner.column_field, item.column_field)
            query = query.where(owner.column_field.in_(part))
            for key, holder, number in (query if condition is None else query.where(condition)).tuples():
                known[holder, number] = key
        for row in rows:
            value = row.values[item.name]
            key = known.get((row.owner, value))
            if key is not None:
                self.check_twice(row, entity, key, str(item.label), value, gettext("Zeilenschlüssel"))
                row.key = key
            elif not item.required:
                words = gettext("ist unter „%(plural)s“ dieses Datensatzes nicht vorhanden", plural=str(entity.plural))
                row.refuse(str(item.label), value, FieldError(item, value, words).found())

    def find_named(self, planned: list[Planned], entity: ModelSpec) -> None:
        """Cells that name a child of the row's own record ("2" for its second address) become its key, or a fault."""
        named = [item for item in entity.data_fields if item.within]
        for row in planned:
            for item in named:
                if isinstance(row.values.get(item.name), Named):
                    self._find_child(row, row.values, item, self._record_of(row, entity, item))
            for name, values in row.children:
                child = known_specs()[name]
                for item in child.data_fields:
                    if item.within and isinstance(values.get(item.name), Named):
                        own = child.owner is not None and item.within == child.owner.name
                        self._find_child(row, values, item, row.key if own else values.get(item.within))

    def _record_of(self, row: Planned, entity: ModelSpec, item: FieldSpec) -> Any:
        """The key of the record whose children a cell may name, None where it is not stored yet."""
        if item.within == "id":
            return row.key
        owner = entity.field(item.within)
        found = row.values.get(item.within, row.owner)
        if found is None and row.key is not None:
            query = entity.model.select(owner.column_field).where(entity.model._meta.primary_key == row.key)
            found = query.tuples().scalar()
        return found

    def _find_child(self, row: Planned, values: dict[str, Any], item: FieldSpec, owner: Any) -> None:
        cell: Named = values.pop(item.name)
        target = item.references
        wanted = as_text(cell.cell).casefold()
        place = (target.name, owner)
        if place not in self._named:
            self._named[place] = self._children_by_name(target, owner) if isinstance(owner, int) else {}
        key = self._named[place].get(wanted)
        if key is None:
            sentence = gettext("ist unter „%(plural)s“ dieses Datensatzes nicht vorhanden", plural=str(target.plural))
            row.refuse(cell.heading, cell.cell, sentence)
        else:
            values[item.name] = key

    def _children_by_name(self, target: ModelSpec, owner: int) -> dict[str, int]:
        """Number and title of the children that one record has in a table -> key."""
        assert target.owner is not None
        fields = tuple(dict.fromkeys((*target.natural_key, *target.title_specs)))
        query = target.model.select(target.model._meta.primary_key, *(item.column_field for item in fields))
        found: dict[str, int] = {}
        for row in query.where(target.owner.column_field == owner).tuples():
            known = {item.name: value for item, value in zip(fields, row[1:], strict=True)}
            for text in (target.title_of(known), *(item.format(known[item.name]) for item in target.natural_key)):
                found[text.casefold()] = row[0]
        return found

    def _note_new_owners(self, planned: list[Planned], entity: ModelSpec) -> None:
        naming = (entity.natural_key or entity.title_specs)[:1]
        for row in planned:
            value = row.values.get(naming[0].name) if naming and row.key is None else None
            if value is not None:
                self.new_owners[str(value)] = row.number

    def _decide(self, row: Planned) -> None:
        """New or known, and whether the mode lets it in."""
        if row.state:
            return
        mode = self.options.mode
        if mode == "delete":
            return
        if row.key is not None and mode == "new" and row.export is None:
            named = find_target(self.options.key, self.spec) if self.options.key else None
            item = named[1] if named is not None else None
            words = named[0].model.unique_messages.get(named[1].name) if named is not None else None
            value = value_of(row, self.options.key) if item is not None else row.title
            row.refuse(str(item.label) if item is not None else "", value, str(words or gettext("ist schon vorhanden")))
        elif row.key is None and mode == "replace" and not self.options.insert_missing:
            row.find("", row.title, gettext("ist nicht vorhanden; übernommen werden nur bekannte."), "note")
            row.state = "skipped"
        elif row.key is None:
            row.state = "new"

    def _find_duplicates(self, rows: list[Planned], entity: ModelSpec) -> None:
        """New rows that look like a record that is there, or like a row before: a hint, not a refusal."""
        names: tuple[str, ...] = getattr(entity.model, "duplicate_fields", ())
        items = [entity.field(name) for name in names]
        wanted: dict[tuple[Any, ...], list[Planned]] = {}
        for row in rows:
            values = tuple(row.values.get(name) for name in names)
            if values and all(value is not None for value in values):
                wanted.setdefault(values, []).append(row)
        if not wanted:
            return
        known: dict[tuple[Any, ...], int] = {}
        key_field = entity.model._meta.primary_key
        query = entity.model.select(key_field, *(item.column_field for item in items))
        for position, item in enumerate(items):
            query = query.where(
                value_condition(item.column_field, sorted({values[position] for values in wanted}, key=str))
            )
        condition = visible(self.operator, entity)
        for found in (query if condition is None else query.where(condition)).tuples():
            known.setdefault(tuple(found[1:]), found[0])
        titles = self.names.titles(entity, {key for values, key in known.items() if values in wanted})
        seen = self._seen.setdefault((entity.name, "#duplicates"), {})
        labels = ", ".join(str(item.label) for item in items)
        for values, group in wanted.items():
            for row in group:
                first = seen.setdefault(values, row.number)
                if values in known:
                    words = gettext(
                        "vielleicht schon da: %(title)s hat dieselben Angaben (%(fields)s).",
                        title=titles[known[values]],
                        fields=labels,
                    )
                elif first != row.number:
                    words = gettext(
                        "vielleicht doppelt: Zeile %(row)s hat dieselben Angaben (%(fields)s).",
                        row=first,
                        fields=labels,
                    )
                else:
                    continue
                row.duplicate = True
                row.find("", row.title, words)

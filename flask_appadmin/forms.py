"""FieldSpecs become WTForms forms, and posted forms become values, each with its faults.

Shape: a SpecForm is a WTForms form with one SpecField per field; a SpecField is at the same time the light object that
templates draw (name, kind, label, value, errors …; see templates/appadmin/fields.html). Text goes in, Python values
come out by the field's own kind of value; nothing about a field is decided here. WTForms builds each field once; what
rights, language and layouts make of it is worked out once for all who have the same, and the forms of a request copy
that, since building costs thirty times as much as copying and a page has hundreds of fields.
Errors: a value that cannot be read stays in the field as typed, with its sentence in `errors`.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import peewee
import wtforms
from wtforms.form import BaseForm
from wtforms.meta import DefaultMeta

from flask_appadmin import search
from flask_appadmin.arrangements import is_required, worked_out
from flask_appadmin.database import Prepared
from flask_appadmin.digits import is_number
from flask_appadmin.errors import FieldError
from flask_appadmin.i18n import current_locale, gettext
from flask_appadmin.rights import Operator, mask, may_edit, may_read, may_read_full, may_set_secret, visible
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache

#: Referenced tables up to this size are a drop-down; longer ones are typed ahead.
SELECT_LIMIT = 60

#: A table that was found too long for a drop-down is not asked again for so long.
_LONG_SECONDS = 60.0

#: So many references are kept with what they offer; each change of a short table makes them anew.
_MOST_REFERENCES = 2_000

#: Model -> the question for what a drop-down over its table offers.
_first_choices: dict[Any, Prepared] = {}

#: (model, language) -> the rows a drop-down was last made of, and what it offers as long as they are the same.
_known_choices: dict[tuple[Any, str], tuple[list[Any], list[tuple[str, str]]]] = {}

#: Table -> when it was last found too long.
_long_tables: dict[str, float] = {}

#: What is typed ahead has at least so many characters, and finds at most so many records.
LOOKUP_LEAST = 2
LOOKUP_CAP = 50

_KINDS = {
    "text": "text",
    "multiline": "textarea",
    "choice": "select",
    "integer": "number",
    "decimal": "number",
    "bool": "check",
    "date": "date",
    "datetime": "datetime",
    "json": "textarea",
}


@dataclass(frozen=True)
class Typed:
    """A record while it is typed: what a view is asked for proposals with (`AppModelView.propose`)."""

    #: The stored record's key, None for a new one.
    key: int | None
    #: The watched fields as they stand on the page; what cannot be read is None. "<child>.<field>": text of a cell.
    values: dict[str, Any]
    #: The same as they are stored, the defaults of a new record.
    stored: dict[str, Any]
    #: Fields that are empty, or hold what was proposed before: only these are proposed for.
    free: frozenset[str]
    #: The fields whose change led to the question.
    changed: frozenset[str]
    #: The texts of the fields that are on the page.
    texts: dict[str, str]
    operator: Operator


@dataclass
class Proposals:
    """What a view proposes."""

    #: Field -> value; None empties what was proposed before.
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    #: "<child>.<field>" -> text for the row of a child table that is typed; "" empties what was proposed before.
    cells: dict[str, str] = dataclasses.field(default_factory=dict)
    #: Field -> texts to choose from.
    choices: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    #: (field, sentence, keys of records of the same table that it names).
    notes: list[tuple[str, str, tuple[int, ...]]] = dataclasses.field(default_factory=list)


class SpecField(wtforms.Field):
    """A form field that draws and reads itself by its FieldSpec."""

    #: Nothing is checked here by WTForms; the gateway checks, for files and command line alike.
    validators = ()

    def __init__(self, spec: FieldSpec, **options: Any) -> None:
        super().__init__(label="", **options)
        self.spec = spec
        self.label = spec.label
        self.help = spec.help
        self.kind = _KINDS.get(spec.type.name, "text")
        if self.kind == "text" and spec.kind in ("email", "phone", "url"):
            self.kind = spec.kind
        self.unit = spec.unit
        self.unticked = spec.unticked
        self.maxlength = spec.max_length or 0
        self.required = spec.required
        self.readonly = False
        self.changed = False
        #: What somebody else stored meanwhile, while both versions wait for a choice.
        self.conflict: Any = None
        self.hint = ""
        #: What is odd about the value, though it is taken.
        self.note = ""
        #: "field:value,value": shown only while that field has one of these values; whether it has none of them now.
        self.when = ""
        self.hidden = False
        self.wide = 3 if self.kind == "textarea" else 1
        self.choices: Any = spec.choices if self.kind == "select" else ()
        self.display = ""
        #: (address, sign, words) of a call, a mail, a website or a place on the map.
        self.link: tuple[str, str, str] | None = None
        #: (address, title) of the window in which the record for this reference begins.
        self.begin: tuple[str, str] | None = None
        #: Whether what is typed ahead can also be chosen in a window of all there is.
        self.browsed = False
        self.lookup_url = self.open_url = self.reveal_url = self.placeholder = ""
        #: The text in the input (check box: bool).
        self.value: Any = ""
        #: What was posted: a Python value, valid while `errors` is empty.
        self.parsed: Any = None
        #: Whether the field was on the page that was posted.
        self.was_posted = False
        self.errors: list[str] = []
        #: Its fault is only that nothing was typed: what is said about it passes.
        self.missing = False
        #: How it is drawn without name and value, shared by all its copies (views/form_page/patterns.py).
        self.patterns: dict[Any, str] = {}

    def named(self, prefix: str) -> SpecField:
        """A copy of this field for one form."""
        copied = object.__new__(SpecField)
        state = copied.__dict__
        state.update(self.__dict__)
        state["name"] = state["id"] = prefix + self.short_name
        state["errors"] = []
        return copied

    def show(self, value: Any) -> None:
        """Puts a stored value into the field."""
        self.parsed = value
        if self.kind == "check":
            self.value = bool(value)
        elif self.kind == "secret":
            self.value = value is not None
        elif self.spec.target is not None:
            self.value = "" if value is None else str(value)
        elif self.spec.type.name == "choice":
            self.value = "" if value is None else value
            self.display = self.spec.format(value)
        else:
            self.value = _typed(self.spec, value)

    def read(self, posted: Any, shown: set[str], names: ReferenceCache, known: dict[str, Any] | None = None) -> None:
        """Takes what was posted; a field that was not on the page keeps `was_posted` False. `known` is what the page
        showed, as JSON: with it another value of a field that cannot be changed is refused."""
        if self.readonly:
            if known is not None and self._is_forced(posted, known):
                self.errors = [
                    gettext(
                        "Dieser Wert kann hier nicht geändert werden; gespeichert ist „%(value)s“.", value=self._told()
                    )
                ]
            return
        if self.kind == "masked":
            # Shown whole on the page, so that it could be changed; or set anew by somebody who may not see it.
            anew = posted.get(f"{self.name}_new", "").strip()
            if self.name not in posted and not anew:
                return
            self.kind = "text"
            posted = {self.name: anew} if anew else posted
        if self.kind == "check":
            self.was_posted = self.name in shown
            if self.was_posted:
                self.value = ticked = self.name in posted
                if ticked and posted[self.name] != "1":
                    # No box of ours sends anything else.
                    try:
                        self.value = ticked = bool(self.spec.type.parse(posted[self.name], self.spec))
                    except FieldError as fault:
                        self.errors = [fault.found()]
                # A box cannot say "not known": one that was so and stays without a tick is left alone.
                self.parsed = None if not ticked and self.parsed is None and self.spec.nullable else ticked
            return
        if self.name not in posted:
            return
        self.was_posted = True
        text = posted.get(self.name, "")
        try:
            if "\x00" in text or "\x00" in posted.get(f"{self.name}_text", ""):
                self.value = self.display = ""
                raise FieldError(self.spec, text.replace("\x00", ""), gettext("enthält ein unerlaubtes Zeichen"))
            if self.kind == "secret":
                self.was_posted = text != ""
                self.parsed = text
                return
            if self.spec.target is not None:
                self._read_reference(text, posted.get(f"{self.name}_text"), names)
                return
            self.value = text
            self.parsed = self.spec.parse(text)
        except FieldError as fault:
            self.errors = [fault.found()]

    def _is_forced(self, posted: Any, known: dict[str, Any]) -> bool:
        """Whether another value was posted than the page showed, and than is stored; masked ones are not shown."""
        if self.name not in posted or self.kind in ("secret", "masked"):
            return False
        if self.kind == "check":
            return not self.value
        text = posted[self.name].replace("\r\n", "\n").strip()
        stored = "" if self.value is None else str(self.value)
        if text == stored.replace("\r\n", "\n").strip():
            return False
        if self.spec.name not in known:
            return True
        try:
            then = self.spec.type.from_json(known[self.spec.name], self.spec)
        except (ValueError, TypeError, ArithmeticError, AttributeError):
            return True
        was = str(then or "") if self.spec.target is not None else _typed(self.spec, then)
        return bool(text != was.replace("\r\n", "\n").strip())

    def _told(self) -> str:
        return str(self.display or self.value or gettext("leer"))

    def _read_reference(self, text: str, typed: str | None, names: ReferenceCache) -> None:
        stored = self.parsed
        self.value = text
        if typed is not None:
            self.display = typed
            if not typed.strip():
                self.value, self.parsed = "", None
                return
        if text:
            if not is_number(text):
                raise FieldError(self.spec, text, gettext("ist hier nicht vorhanden"))
            self.parsed = int(text)
            if self.parsed != stored and not _exists(self.spec.references, self.parsed):
                raise FieldError(self.spec, typed or text, gettext("ist nicht mehr vorhanden"))
        else:
            self.parsed = names.find(typed or "", self.spec)
            self.value = "" if self.parsed is None else str(self.parsed)


def is_as_shown(field: SpecField, name: str, value: Any, posted: Any, shown: set[str]) -> bool:
    """Whether what was posted under `name` is what a page shows for this value: nothing that would have to be read."""
    if field.spec.masked and value is not None:
        return field.readonly or (name not in posted and not posted.get(f"{name}_new"))
    if field.readonly and field.kind == "check":
        return name not in posted or bool(value)
    if field.kind == "check":
        return name not in shown or (name in posted) == bool(value)
    if name not in posted:
        return True
    text = posted.get(name)
    if field.kind == "secret":
        return bool(text == "")
    if field.spec.target is not None:
        typed = posted.get(f"{name}_text", text)
        return bool(text == ("" if value is None else str(value)) and bool(typed.strip()) == (value is not None))
    if field.spec.type.name == "choice":
        return bool(text == ("" if value is None else value))
    # Browsers send line ends of their own kind.
    return bool(text.replace("\r\n", "\n") == _typed(field.spec, value).replace("\r\n", "\n"))


def _exists(target: ModelSpec | None, key: int) -> bool:
    assert target is not None
    return target.model.select().where(target.model._meta.primary_key == key).exists()


def _typed(spec: FieldSpec, value: Any) -> str:
    """A value as people type it: numbers without unit and grouping."""
    if value is None:
        return ""
    if spec.type.name == "integer":
        return str(value)
    return spec.format(value)


@functools.cache
def _prototype(item: FieldSpec) -> SpecField:
    """The field as WTForms builds it; forms hold copies."""
    unbound = wtforms.fields.core.UnboundField(SpecField, item)
    built: SpecField = unbound.bind(form=None, name=item.name, _meta=SpecForm.meta)
    return built


class SpecForm(BaseForm):
    """Reads all its fields from what was posted; names of rows in a grid begin with their prefix."""

    meta: ClassVar[Any] = DefaultMeta()

    def __init__(self, fields: tuple[SpecField, ...], prefix: str = "") -> None:
        self._prefix = f"{prefix}-" if prefix else ""
        self._fields = {field.spec.name: field.named(self._prefix) for field in fields}
        self.form_errors: list[str] = []

    def show(self, values: dict[str, Any]) -> None:
        for field in self:
            field.show(values.get(field.spec.name))

    def read(self, posted: Any, shown: set[str], names: ReferenceCache, known: dict[str, Any] | None = None) -> None:
        for field in self:
            field.read(posted, shown, names, known)

    def posted_values(self) -> dict[str, Any]:
        return {field.spec.name: field.parsed for field in self if field.was_posted and not field.errors}

    @property
    def has_errors(self) -> bool:
        return any(field.errors for field in self)


class FormMaker:
    """Makes forms for one request: knows the operator's rights and asks each referenced table only once."""

    def __init__(
        self,
        operator: Operator,
        lookup_url: Callable[[FieldSpec], str] | None = None,
        record_url: Callable[[ModelSpec, int], str] | None = None,
        reveal_url: Callable[[ModelSpec, int, FieldSpec], str] | None = None,
    ) -> None:
        self.operator = operator
        self.names = ReferenceCache()
        #: Functions that make addresses.
        self._lookup_url = lookup_url
        self._record_url = record_url
        self._reveal_url = reveal_url
        self._choices: dict[str, list[tuple[str, str]] | None] = {}
        #: The record whose form it is, and its key (None for a new one): references among its children stay inside.
        self.owner: tuple[ModelSpec, int | None] | None = None
        #: (table, owner) -> its children as `children_of` answers them.
        self._within: dict[tuple[str, int], list[tuple[int, str, bool]]] = {}

    def make(
        self, items: tuple[FieldSpec, ...], *, prefix: str = "", is_new: bool = False, read_only: bool = False
    ) -> Any:
        """An empty form over the fields the operator may see."""
        return SpecForm(self.arranged(items, is_new=is_new, read_only=read_only), prefix)

    def arranged(self, items: Iterable[FieldSpec], *, is_new: bool, read_only: bool) -> tuple[SpecField, ...]:
        """The fields the operator may see, as they stand in his forms; the same ones while they look the same."""
        kept = self.kept
        found = [self._arranged_field(item, is_new, read_only, kept) for item in items]
        return tuple(field for field in found if field is not None)

    @property
    def kept(self) -> dict[Any, Any]:
        """Where stays what is the same in all requests of such operators. Asked for anew for each form: arrangements
        begin and end within a request."""
        return worked_out(self.operator)

    def _arranged_field(self, item: FieldSpec, is_new: bool, read_only: bool, kept: dict[Any, Any]) -> SpecField | None:
        place = (item, is_new, read_only)
        if place not in kept:
            kept[place] = self._arrange(item, is_new, read_only)
        field: SpecField | None = kept[place]
        if field is None or item.target is None or item.within or item.secret:
            return field
        return self._referring(field, place, kept)

    def _arrange(self, item: FieldSpec, is_new: bool, read_only: bool) -> SpecField | None:
        """The field as it stands in every form that such an operator sees, None if it is hidden from him."""
        if not (may_set_secret(self.operator, item) or may_read(self.operator, item)):
            return None
        field: Any = _prototype(item).named("")
        field.patterns = {}
        # In the operator's language, once for all forms: looking words up costs more than drawing them.
        field.label, field.help, field.unit = str(item.label), str(item.help), str(item.unit)
        field.unticked = str(field.unticked)
        field.choices = [(code, str(words)) for code, words in field.choices]
        field.readonly = read_only or not may_edit(self.operator, item) or item.read_only is True
        if item.read_only == "after_first_save" and not is_new:
            field.readonly = True
        field.required = is_required(self.operator, item)
        if item.natural_key and not item.required and not item.nullable:
            field.placeholder = gettext("wird vergeben")
        if item.secret:
            field.kind = "secret"
        elif item.within:
            field.kind, field.choices = "select", []  # they depend on the record: see `show`
        return field

    def _referring(self, field: Any, place: tuple[Any, ...], kept: dict[Any, Any]) -> Any:
        """A reference as it stands in the forms of this request: what it offers changes with the records."""
        item = field.spec
        choices = None if item.among else self.choices_of(item)
        url = self._lookup_url(item) if choices is None and self._lookup_url else ""
        known = kept.setdefault("references", {})
        told = (place, url, choices if choices is None else tuple(choices))
        found = known.get(told)
        if found is None:
            found = field.named("")
            found.patterns = {}
            if choices is None:
                found.kind, found.browsed, found.lookup_url = "lookup", bool(item.among), url
            else:
                found.kind, found.choices = "select", told[2]
            if len(known) >= _MOST_REFERENCES:
                known.clear()
            known[told] = found
        return found

    def choices_of(self, item: FieldSpec) -> list[tuple[str, str]] | None:
        """(key, title) of all records of a short referenced table, None for a long one."""
        target = item.references
        assert target is not None
        if self._stays_inside(item, target):
            return self._own_choices(target)
        if target.name not in self._choices:
            self._choices[target.name] = None if _is_long(target) else self._read_choices(target)
        return self._choices[target.name]

    def _stays_inside(self, item: FieldSpec, target: ModelSpec) -> bool:
        """Whether a reference leads from the record of the form, or a child of it, to one of its own children."""
        if self.owner is None or item.owner or target.owner is None:
            return False
        spec = self.owner[0]
        inside = (spec.name, *(child.name for child in spec.children))
        return target.owner.target is spec.model and item.model_name in inside

    def _own_choices(self, target: ModelSpec) -> list[tuple[str, str]]:
        """(key, title) of all children of this kind; none of a record that is not stored yet."""
        assert self.owner is not None and target.owner is not None
        place = f"own {target.name}"
        if place not in self._choices:
            key = self.owner[1]
            condition = target.owner.column_field == key
            self._choices[place] = [] if key is None else self._read_choices(target, condition)
        return self._choices[place] or []

    def _record_within(self, item: FieldSpec, values: dict[str, Any], spec: ModelSpec, key: int | None) -> Any:
        """The key of the record among whose children a reference chooses."""
        if item.within == "id":
            return key
        found = values.get(item.within)
        is_own = spec.owner is not None and spec.owner.name == item.within
        return self.owner[1] if found is None and self.owner is not None and is_own else found

    def choices_within(self, item: FieldSpec, owner: Any, current: Any) -> list[tuple[str, str]]:
        """(key, title) of the children of one record that may be chosen, and of the one that is chosen already."""
        target = item.references
        if not isinstance(owner, int) or target.owner is None:
            return []
        asked = (target.name, owner)
        if asked not in self._within:
            self._within[asked] = children_of(target, owner, self.operator)
        return [(str(key), title) for key, title, offered in self._within[asked] if offered or key == current]

    def _read_choices(self, target: ModelSpec, only: Any = None) -> list[tuple[str, str]] | None:
        model = target.model
        fields = target.title_specs
        columns = [model._meta.primary_key, *(spec.column_field for spec in fields)]
        order = [target.field(name).column_field for name in target.description.order if name in target.by_name]
        order = order or [spec.column_field for spec in fields[:1]]
        if only is not None:
            return _named(fields, model.select(*columns).order_by(*order).where(only).tuples())
        if model not in _first_choices:
            query = model.select(*columns).order_by(*order).limit(SELECT_LIMIT + 1)
            _first_choices[model] = Prepared(lambda: query, 0)
        rows = _first_choices[model].stored()
        if len(rows) > SELECT_LIMIT:
            _long_tables[target.name] = time.monotonic()
            return None
        known = _known_choices.get((model, current_locale()))
        if known is None or known[0] != rows:
            found = _named(fields, _first_choices[model].read(rows))
            known = _known_choices[model, current_locale()] = (rows, found)
        return known[1]

    def show(self, form: Any, values: dict[str, Any], spec: ModelSpec, key: int | None = None) -> None:
        """Fills a form with stored values; titles of references are fetched together."""
        wanted: dict[str, tuple[Any, set[int]]] = {}
        for field in form:
            item = field.spec
            value = values.get(item.name)
            if item.within:
                within = self._record_within(item, values, spec, key)
                field.choices = self.choices_within(item, within, value)
            if item.masked and value is not None:
                field.kind = "masked"
                field.value = mask(str(value))
                if key is not None and self._reveal_url and may_read_full(self.operator, item):
                    field.reveal_url = self._reveal_url(spec, key, item)
                continue
            field.show(value)
            if item.read_only == "once_filled" and value is not None:
                field.readonly = True
            if item.target is not None and value is not None and (field.kind == "lookup" or field.readonly):
                wanted.setdefault(item.references.name, (item.references, set()))[1].add(value)
        titles = {name: self.names.titles(target, keys) for name, (target, keys) in wanted.items()}
        for field in form:
            item = field.spec
            if item.target is None or not field.value:
                continue
            found = titles.get(item.references.name, {}).get(int(field.value))
            if found:
                field.display = found
                if self._record_url:
                    field.open_url = self._record_url(item.references, int(field.value)) or ""


#: Model -> the question for those of its rows that belong to one record.
_children: dict[Any, Prepared] = {}


def children_of(target: ModelSpec, owner: int, operator: Operator) -> list[tuple[int, str, bool]]:
    """(key, title, whether it is offered) of the children that one record has in this table, in their order."""
    assert target.owner is not None
    owner_column = target.owner.column_field
    offered = target.description.offered
    names = [item.name for item in target.title_specs]
    columns = [target.field(name).column_field for name in (*names, *([offered] if offered else []))]
    order = [target.field(name).column_field for name in target.description.order if name in target.by_name]
    condition = visible(operator, target)

    def make(key: Any) -> Any:
        query = target.model.select(target.model._meta.primary_key, *columns).where(owner_column == key)
        query = query if condition is None else query.where(condition)
        return query.order_by(*order).limit(SELECT_LIMIT * 5)

    if condition is not None:
        rows = list(make(owner).tuples())
    else:
        if target.model not in _children:
            _children[target.model] = Prepared(make, 1)
        rows = _children[target.model](owner)
    found = []
    for row in rows:
        title = target.title_of(dict(zip(names, row[1:], strict=False)))
        found.append((row[0], title, bool(row[-1]) if offered else True))
    return found


def _named(fields: Sequence[FieldSpec], rows: Iterable[tuple[Any, ...]]) -> list[tuple[str, str]]:
    """(key, title) of rows that begin with their key."""
    found = []
    for row in rows:
        texts = (spec.format(value) for spec, value in zip(fields, row[1:], strict=True) if spec.target is None)
        found.append((str(row[0]), " ".join(text for text in texts if text)))
    return found


def _is_long(target: ModelSpec) -> bool:
    """Whether a table is typed ahead without asking how long it is: it can be searched, or was too long just now."""
    if search.has_index(target):
        return True
    known = _long_tables.get(target.name)
    return known is not None and time.monotonic() - known < _LONG_SECONDS


def lookup(
    spec: ModelSpec,
    question: str,
    operator: Operator,
    *,
    limit: int = 20,
    also: Sequence[str] = (),
    only: Any = None,
    least: int = LOOKUP_LEAST,
) -> list[dict[str, Any]]:
    """Records that the question finds, for typing ahead: [{"id", "text", "code", "more"}], at most LOOKUP_CAP of them.

    A question of less than `least` characters finds nothing: it would mean nearly everything. `also` names fields
    whose values stand behind the title; what the operator may not see whole is left out of both.
    `only` limits the records further.
    """
    question = question.replace("\x00", "").strip()[:60]
    if len(question) < least:
        return []
    if question:
        asked = _looks_like(spec, question, operator)
        only = asked if only is None else only & asked
    return titled(spec, operator, also, only, limit)


def titled(
    spec: ModelSpec, operator: Operator, also: Sequence[str], only: Any, limit: int = 20
) -> list[dict[str, Any]]:
    """These records as `lookup` answers them."""
    model = spec.model
    key = model._meta.primary_key
    conditions = [part for part in (visible(operator, spec), only) if part is not None]
    titles = tuple(item for item in spec.title_specs if item.target is None and may_read_full(operator, item))
    others = tuple(item for item in map(spec.field, also) if may_read_full(operator, item))
    query = model.select(key, *(item.column_field for item in (*titles, *others)))
    for part in conditions:
        query = query.where(part)
    rows = query.order_by(*(item.column_field for item in titles[:1]), key)
    found = []
    for row in rows.limit(limit if 0 < limit < LOOKUP_CAP else LOOKUP_CAP).tuples():
        texts = [item.format(value) for item, value in zip((*titles, *others), row[1:], strict=True)]
        text = " ".join(part for part in texts[: len(titles)] if part)
        more = " ".join(part for part in texts[len(titles) :] if part)
        found.append({"id": row[0], "text": text, "more": more} if also else {"id": row[0], "text": text})
    codes = ReferenceCache().codes(spec, {entry["id"] for entry in found})
    return [entry | {"code": codes[entry["id"]]} for entry in found]


def _looks_like(spec: ModelSpec, question: str, operator: Operator) -> Any:
    if search.has_index(spec):
        return search.matches(spec, question, operator)
    parts: list[Any] = []
    for item in (*spec.naming_fields, *spec.search_fields):
        if item.type.name == "text":
            parts.append(item.column_field.contains(question))
        elif item.type.name == "integer" and is_number(question, 17):
            parts.append(item.column_field == int(question))
    result = parts[0] if parts else peewee.SQL("1 = 0")
    for part in parts[1:]:
        result |= part
    return result

"""What a condition may name: fields, tables that belong to a model, functions.

Shape: `Names` finds a FieldSpec by what people call it (name, column, label in German or English) among the fields an
operator may read in full; `related_tables` are the models whose records point to a model. Only what is found here can
get into a condition. Errors: ConditionError with the place.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

from flask_appadmin.database import Record
from flask_appadmin.errors import ConditionError
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import Operator, may_read_full
from flask_appadmin.specs import FieldSpec, ModelSpec, spec_of

#: Functions of a condition: (name, how it is typed, what it answers).
FUNCTIONS: tuple[tuple[str, str, Any], ...] = (
    ("lower", "lower(…)", _("in Kleinbuchstaben")),
    ("upper", "upper(…)", _("in Großbuchstaben")),
    ("trim", "trim(…)", _("ohne Leerzeichen am Rand")),
    ("length", "length(…)", _("Zahl der Zeichen")),
    ("substr", "substr(…, 1, 3)", _("ein Teil des Textes: ab Zeichen 1, drei Zeichen")),
    ("coalesce", "coalesce(…, '')", _("ein anderer Wert, wo nichts steht")),
    ("abs", "abs(…)", _("ohne Vorzeichen")),
    ("round", "round(…, 2)", _("gerundet")),
    ("current_date", "current_date", _("heute; auch current_date - 30 (Tage)")),
)

#: A name that needs no quotes in a condition.
_BARE = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Link:
    """A table whose records point to those of another one, and the field by which they do."""

    spec: ModelSpec
    field: FieldSpec


@functools.cache
def related_tables(spec: ModelSpec) -> dict[str, tuple[Link, ...]]:
    """Table name -> its links to this model: its children, and whatever else refers to it and has a page."""
    found: dict[str, list[Link]] = {}
    for reference, model in spec.model._meta.backrefs.items():
        if not issubclass(model, Record):
            continue
        other = spec_of(model)
        field = other.by_name[reference.name]
        if field.secret or (other.menu == "none" and not field.owner):
            continue
        found.setdefault(other.name, []).append(Link(other, field))
    # The owner of a child is the way people mean, whatever else it refers to.
    return {name: tuple(sorted(links, key=lambda link: not link.field.owner)) for name, links in found.items()}


def searched_tables(spec: ModelSpec, operator: Operator) -> list[Link]:
    """The tables that EXISTS may ask, for an operator."""
    return [links[0] for links in related_tables(spec).values() if operator.may(f"{links[0].spec.right}.read")]


def field_word(item: FieldSpec) -> str:
    """The field's name as it is typed into a condition."""
    return f'"{item.name}"' if item.name in _reserved() else item.name


@functools.cache
def _reserved() -> frozenset[str]:
    from sqlglot.dialects.dialect import Dialect

    dialect = Dialect.get_or_raise(None)
    names = dialect.parser_class.ID_VAR_TOKENS
    words = dialect.tokenizer_class.KEYWORDS
    return frozenset(word.lower() for word, kind in words.items() if kind not in names)


def _called(spec: ModelSpec) -> dict[str, tuple[FieldSpec, ...]]:
    """Everything a field may be called, in small letters -> the fields. Names come before labels."""
    return _words_for((*spec.fields, *spec.further_fields))


@functools.cache
def _words_for(fields: tuple[FieldSpec, ...]) -> dict[str, tuple[FieldSpec, ...]]:
    words: dict[str, tuple[FieldSpec, ...]] = {}
    for item in fields:
        words[item.name.casefold()] = (item,)
    for item in fields:
        words.setdefault(item.column.casefold(), (item,))
    labels: dict[str, list[FieldSpec]] = {}
    for item in fields:
        for heading in {str(heading).casefold() for heading in item.headings()}:
            labels.setdefault(heading, []).append(item)
    for heading, items in labels.items():
        words.setdefault(heading, tuple(items))
    return words


def find_field(spec: ModelSpec, word: str, operator: Operator, place: tuple[int, int] | None) -> FieldSpec:
    """The field people call so; ConditionError for one that is unknown, ambiguous or not the operator's to read."""
    found = _called(spec).get(word.casefold(), ())
    # A secret is nobody's to ask: it does not exist here.
    found = tuple(item for item in found if not item.secret)
    if not found:
        raise ConditionError(
            gettext(
                "Das Feld „%(word)s“ gibt es unter „%(plural)s“ nicht.%(near)s",
                word=word[:60],
                plural=str(spec.plural),
                near=_near(spec, word, operator),
            ),
            place,
        )
    if len(found) > 1:
        names = ", ".join(item.name for item in found[:6])
        raise ConditionError(
            gettext(
                "„%(word)s“ heißen mehrere Felder. Bitte den Namen nehmen: %(names)s.", word=word[:60], names=names
            ),
            place,
        )
    item = found[0]
    if not may_read_full(operator, item):
        raise ConditionError(
            gettext(
                "Das Feld „%(field)s“ dürfen Sie nicht abfragen; Ihnen fehlt das Recht dazu.", field=str(item.label)
            ),
            place,
        )
    return item


def _near(spec: ModelSpec, word: str, operator: Operator) -> str:
    import difflib

    words = {
        called
        for called, items in _called(spec).items()
        if any(not item.secret and may_read_full(operator, item) for item in items)
    }
    near = difflib.get_close_matches(word.casefold()[:60], words, n=3, cutoff=0.75)
    if not near:
        return ""
    listed = ", ".join(called if _BARE.fullmatch(called) else f'"{called}"' for called in near)
    return " " + gettext("Meinten Sie: %(names)s?", names=listed)


def find_table(spec: ModelSpec, word: str, operator: Operator, place: tuple[int, int] | None) -> tuple[Link, ...]:
    """The links of the table people call so; ConditionError for one that is unknown or not the operator's to read."""
    tables = related_tables(spec)
    folded = word.casefold()
    for links in tables.values():
        other = links[0].spec
        words = {other.name.casefold(), str(other.label).casefold(), str(other.plural).casefold()}
        if folded in words and operator.may(f"{other.right}.read"):
            return links
    names = ", ".join(link.spec.name for link in searched_tables(spec, operator)[:12])
    raise ConditionError(
        gettext(
            "Die Tabelle „%(word)s“ gibt es hier nicht. Möglich sind: %(names)s.",
            word=word[:60],
            names=names or gettext("keine"),
        ),
        place,
    )

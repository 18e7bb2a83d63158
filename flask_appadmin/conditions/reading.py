"""The typed text becomes sqlglot's tree, if it is one condition and hides nothing.

Shape: `read_condition(text)` answers the root of the tree and the text itself. Tokens are looked at before they are
parsed: every character must belong to one of them, so a comment cannot hide, and depth is limited before the parser
recurses. Errors: ConditionError with line and character.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Any

from flask_appadmin.errors import ConditionError
from flask_appadmin.i18n import gettext

#: Limits of a condition: characters, words and signs, brackets in each other, NOT or signs in a row.
MOST_CHARACTERS, MOST_TOKENS, MOST_BRACKETS, MOST_IN_A_ROW = 2_000, 600, 15, 5

#: Marks that word processors and phones put in the place of ' and ".
_CURLY = "„“”«»‚‘’´`‹›"

_BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\t": " ", "\r": " "})

#: sqlglot's names of the tokens a condition is made of; beside them only what may be the name of a field.
_SIGNS = frozenset(
    {
        "VAR", "IDENTIFIER", "STRING", "NUMBER", "NULL", "TRUE", "FALSE", "EQ", "NEQ", "LT", "LTE", "GT", "GTE",
        "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ILIKE", "IS", "EXISTS", "L_PAREN", "R_PAREN", "COMMA", "DOT",
        "PLUS", "DASH", "STAR", "SELECT", "FROM", "WHERE", "CURRENT_DATE", "CURRENT_TIMESTAMP", "DATE", "INTERVAL",
    }
)  # fmt: skip
_BEFORE = frozenset({"NOT", "DASH", "PLUS"})


@functools.cache
def _parser() -> tuple[Any, Any, Any]:
    """sqlglot's dialect, the class of a condition and the tokens that may be names; a quarter second, once."""
    from sqlglot import exp
    from sqlglot.dialects.dialect import Dialect

    dialect = Dialect.get_or_raise(None)
    return dialect, exp.Condition, dialect.parser_class.ID_VAR_TOKENS


def read_condition(text: str) -> tuple[Any, str]:
    """The tree of a condition, and the text that its places count in; raises ConditionError for anything else."""
    text = _plain(text)
    dialect, condition, names = _parser()
    from sqlglot.errors import SqlglotError

    try:
        tokens = dialect.tokenize(text)
    except SqlglotError:
        raise ConditionError(gettext("Ein Text oder Name in Anführungszeichen ist nicht abgeschlossen.")) from None
    _look_at(text, tokens, names)
    try:
        found = dialect.parser().parse_into(condition, tokens, text)
    except RecursionError:
        raise ConditionError(gettext("Die Bedingung ist zu tief verschachtelt.")) from None
    except SqlglotError as fault:
        raise _not_understood(text, fault) from None
    except Exception:
        # A parser of this size may stumble in other ways over what no one has typed before; it has no side effects.
        raise ConditionError(gettext("Das ist keine Bedingung, die hier verstanden wird.")) from None
    if len(found) != 1 or found[0] is None:
        raise ConditionError(gettext("Das ist keine Bedingung, die hier verstanden wird."))
    return found[0], text


def _plain(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise ConditionError(
            gettext(
                "Die Bedingung hat %(found)s Zeichen; möglich sind %(most)s.", found=len(text), most=MOST_CHARACTERS
            )
        )
    text = text.translate(_BLANKS)
    for position, letter in enumerate(text):
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs") and letter != "\n":
            raise ConditionError(
                gettext("Hier steht ein unsichtbares Zeichen. Bitte tippen Sie die Stelle neu."), at(text, position)
            )
    if not text.strip():
        raise ConditionError(gettext("Bitte geben Sie eine Bedingung ein, zum Beispiel: %(example)s", example="id > 0"))
    return text


def at(text: str, position: int) -> tuple[int, int]:
    """Line and character of a position, both from 1."""
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def _look_at(text: str, tokens: list[Any], names: Any) -> None:
    if len(tokens) > MOST_TOKENS:
        raise ConditionError(gettext("Die Bedingung ist zu lang. Bitte teilen Sie sie."))
    last, depth, prefixes = 0, 0, 0
    for token in tokens:
        place = at(text, token.start)
        _nothing_hidden(text, last, token.start)
        last = token.end + 1
        kind = token.token_type.name
        if kind == "SEMICOLON":
            raise ConditionError(
                gettext(
                    "Hier steht ein Strichpunkt. Möglich ist nur eine einzige Bedingung; es wurde nichts ausgeführt."
                ),
                place,
            )
        if kind != "STRING" and any(mark in token.text for mark in _CURLY):
            raise ConditionError(gettext("Bitte gerade Anführungszeichen verwenden: 'Text' oder \"Feldname\"."), place)
        if kind == "COMMAND" or (kind not in _SIGNS and token.token_type not in names):
            raise ConditionError(
                gettext("„%(word)s“ gibt es in einer Bedingung nicht.", word=token.text[:30] or text[token.start]),
                place,
            )
        depth += (kind == "L_PAREN") - (kind == "R_PAREN")
        prefixes = prefixes + 1 if kind in _BEFORE else 0
        if depth > MOST_BRACKETS or prefixes > MOST_IN_A_ROW:
            raise ConditionError(gettext("Die Bedingung ist zu tief verschachtelt."), place)
    _nothing_hidden(text, last, len(text))
    if not tokens:
        raise ConditionError(gettext("Bitte geben Sie eine Bedingung ein, zum Beispiel: %(example)s", example="id > 0"))
    if tokens[0].token_type.name in ("SELECT", "WITH"):
        raise ConditionError(
            gettext("Hier steht nur der Teil nach WHERE, ohne SELECT. Welche Spalten erscheinen, bestimmt die Liste."),
            (1, 1),
        )


def _nothing_hidden(text: str, start: int, end: int) -> None:
    """Between two tokens stands nothing but blanks; sqlglot would skip a comment there."""
    between = text[start:end]
    if between.strip():
        position = start + len(between) - len(between.lstrip())
        raise ConditionError(
            gettext("Anmerkungen (-- oder /* */) sind in einer Bedingung nicht möglich."), at(text, position)
        )


def _not_understood(text: str, fault: Any) -> ConditionError:
    parts = (getattr(fault, "errors", None) or [{}])[0]
    word, line, column = parts.get("highlight") or "", parts.get("line"), parts.get("col")
    place = (line, max(column - len(word) + 1, 1)) if line and column else None
    if word:
        return ConditionError(gettext("Bei „%(word)s“ ist die Bedingung nicht verständlich.", word=word[:30]), place)
    return ConditionError(gettext("Die Bedingung ist unvollständig."), place)

"""„Abfragebedingung“: a WHERE condition typed by hand becomes a query expression over the fields of a model.

Shape: `translate(spec, text, operator)` answers a Translated: the expression on the model's own table, and the fields
it names. Nothing that was typed ever reaches the database as SQL: sqlglot reads the text, `reading` refuses what is not
one condition, `translating` builds a new expression out of FieldSpecs and values (`walk` says which file holds which
rules). What it has no rule for is refused, so the list of what is possible is the code itself. `vocabulary` is that
list for people.
Units: text up to MOST_CHARACTERS. Dates without a time mean the whole day in local time.
Errors: ConditionError with the place; nothing else, whatever is typed.
Source: PX-14; trust.md D6 and cases 135 to 144; docs/decisions/conditions.md.
"""

from __future__ import annotations

from flask_appadmin.conditions.reading import MOST_CHARACTERS
from flask_appadmin.conditions.translating import Translated, translate
from flask_appadmin.conditions.vocabulary import FUNCTIONS, field_word, searched_tables

__all__ = ["FUNCTIONS", "MOST_CHARACTERS", "Translated", "field_word", "searched_tables", "translate"]

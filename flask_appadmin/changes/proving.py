"""What a file may tick only with a proof: where the consent comes from, and of when it is.

Shape: fields described with `proof`; an import that ticks one of them needs a reason that names source and date. The
reason stands in the history with every record, beside file and row. Errors: MissingProof, by the gateway.
Source: trust.md section 4.6 and case 117; § 7a UWG.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator

from flask_appadmin.database import utcnow
from flask_appadmin.specs import FieldSpec, ModelSpec

_DATE = re.compile(r"(?<!\d)(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}))(?!\d)")
#: So many letters name a source.
_LETTERS = 3


def names_proof(reason: str) -> bool:
    """Whether a reason names a source and a day that is not to come.

    >>> names_proof("Messe Wels, 12.03.2024"), names_proof("Messe Wels"), names_proof("12.03.2024")
    (True, False, False)
    """
    rest = _DATE.sub(" ", reason)
    return sum(map(str.isalpha, rest)) >= _LETTERS and any(day <= utcnow().date() for day in _days(reason))


def _days(text: str) -> Iterator[datetime.date]:
    for found in _DATE.finditer(text):
        year, month, day = found.group(1, 2, 3) if found[1] else found.group(6, 5, 4)
        try:
            yield datetime.date(int(year), int(month), int(day))
        except ValueError:
            continue


def proven_fields(specs: Iterable[ModelSpec]) -> list[FieldSpec]:
    """The fields of these models that ask for a proof."""
    return [item for spec in specs for item in spec.data_fields if item.proof]


__all__ = ["names_proof", "proven_fields"]

"""Lives through some weeks with the demo customers, so that lists of changes, histories and undo have something to
show.

Shape: some sixty operations of three invented operators, all through the change gateway: single edits, some
changes of many, a copy, one operation taken back. Their times lie in the past six weeks, during office hours. Which
customers and values they concern follows from the seed. Errors: none; an edit that the rules refuse is left out.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from typing import Any

from domain.demo_data import words
from flask_appadmin.changes import ChangeSet, known_specs
from flask_appadmin.copying import plan_copy
from flask_appadmin.database import fixed_clock, utcnow
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.selections import Selection
from flask_appadmin.specs import ModelSpec

#: The invented operators; they have no account and cannot sign in.
OPERATORS = ("Sabine Weber", "Markus Steiner", "Julia Brandt")

_EDITS, _DAYS = 60, 42
_REASONS = ("Anruf des Kunden", "Schreiben vom Montag", "Abgleich mit dem Handelsregister", "Rücksprache Vertrieb", "")


def tell_story(seed: int, customers: Sequence[int]) -> int:
    """Makes the history for customers with these keys; answers how many operations it has."""
    if not customers:
        return 0
    rng = random.Random(f"{seed}/story/{customers[0]}")
    spec = known_specs()["customer"]
    people = [Operator(None, name, frozenset({"*"})) for name in OPERATORS]
    count = min(_EDITS, 2 * len(customers))
    told = 0
    for step, moment in enumerate(_office_hours(rng, count)):
        with fixed_clock(moment):
            operator = people[rng.randrange(len(people))]
            key = customers[rng.randrange(len(customers))]
            if step in (count // 4, count // 2, count - 5):
                change = _change_many(rng, spec, operator, customers)
            elif step == count // 3:
                change, _copied = plan_copy(spec, key, operator)
            elif step == count - 2:
                change, _copied = plan_copy(spec, key, operator, full=True)
            else:
                change = ChangeSet("form", reason=rng.choice(_REASONS))
                change.update(spec.model, key, _edit(rng))
            try:
                applied = change.apply(operator)
                told += applied.change_set is not None
                if step == count // 2 and applied.change_set is not None:
                    told += ChangeSet.undo(applied.change_set).apply(operator).change_set is not None
            except AppAdminError:
                # A rule refuses what chance proposed for this customer.
                continue
    return told


def _office_hours(rng: random.Random, count: int) -> list[datetime.datetime]:
    """Moments of the past weeks, in order, on weekdays between 7 and 16 o'clock UTC."""
    today = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - datetime.timedelta(days=back) for back in range(1, _DAYS + 1)]
    days = [day for day in days if day.weekday() < 5]
    moments = [rng.choice(days) + datetime.timedelta(seconds=rng.randrange(7 * 3600, 16 * 3600)) for _ in range(count)]
    return sorted(moments)


def _edit(rng: random.Random) -> dict[str, Any]:
    """What one operator changes at one customer."""
    kind = rng.randrange(9)
    if kind == 0:
        return {"phone": f"+49 30 {rng.randrange(100_000, 9_999_999)}"}
    if kind == 1:
        return {"street": f"{rng.choice(words.STREETS)} {rng.randrange(1, 99)}"}
    if kind < 4:
        return {"remark": rng.choice(words.REMARKS)}
    if kind < 6:
        return {"discount_percent": rng.choice(("2.50", "3.00", "5.00", "7.50"))}
    if kind < 8:
        return {"collective_invoice": rng.random() < 0.5, "dunning_lock": rng.random() < 0.2}
    return {"attention_to": f"{rng.choice(words.FEMALE_NAMES)} {rng.choice(words.SURNAMES)}"}


def _change_many(rng: random.Random, spec: ModelSpec, operator: Operator, customers: Sequence[int]) -> ChangeSet:
    """One value for a few hundred customers at once."""
    keys = rng.sample(range(len(customers)), min(len(customers), rng.choice((40, 150, 400))))
    selection = Selection.of_keys(spec, operator, [customers[place] for place in keys])
    change = ChangeSet("bulk", reason=gettext("Umstellung zum Monatswechsel"))
    change.assign(
        selection, rng.choice(({"charge_shipping": True}, {"collective_invoice": True}, {"no_free_articles": True}))
    )
    return change

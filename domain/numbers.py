"""Numbers for new customers: ranges, reserved blocks, and the one function that hands numbers out.

Shape: a range of a kind (customer number, FIBU number) has first, last and next. `draw_numbers` gives the lowest free
numbers from next on and moves next behind them; numbers of an open reservation are passed over.
Errors: FaultList when a range is exhausted. It must be called inside the saving transaction: the row of the range is
locked until that ends, so that no two savers draw the same number.
Source: domain.md section 3; PX-46 to PX-49, NE-22, NE-25.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from peewee import BooleanField, CharField, IntegerField, Table, fn

from domain.links import Reference
from domain.rules import ends_before_start, fault, missing
from domain.values.groups import CardType
from flask_appadmin.database import Record, database, engine, key_condition, utcnow
from flask_appadmin.errors import FaultList, FieldError
from flask_appadmin.i18n import _, gettext
from flask_appadmin.rights import User
from flask_appadmin.specs import Description, described


class NumberRange(Record):
    """From where new numbers are taken."""

    description = Description(
        label=_("Nummernkreis"),
        plural=_("Nummernkreise"),
        title=("kind",),
        menu="system",
        right="number",
        order=("kind",),
    )

    kind = described(
        CharField(
            max_length=20,
            choices=[("customer_number", _("Kundennummer")), ("debtor_account", _("FIBU-Nummer"))],
            unique=True,
            verbose_name=_("Nummernkreis"),
        ),
        copy="clear",
        listed=True,
        natural_key=True,
    )
    first_number = described(IntegerField(verbose_name=_("erste Nummer")), minimum=1, maximum=999999999, listed=True)
    last_number = described(
        IntegerField(null=True, verbose_name=_("letzte Nummer")), minimum=1, maximum=999999999, listed=True
    )
    next_number = described(
        IntegerField(
            verbose_name=_("nächste freie Nummer"), help_text=_("Ab hier wird die kleinste freie Nummer vorgeschlagen.")
        ),
        listed=True,
    )
    active = described(BooleanField(default=True, verbose_name=_("Nummer vorschlagen")), listed=True)

    class Meta:
        table_name = "number_range"

    rule_fields = ("first_number", "last_number", "next_number")

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        yield from ends_before_start(cls, values, "first_number", "last_number")
        yield from ends_before_start(cls, values, "first_number", "next_number")
        # One past the last number is what an exhausted range shows.
        if (
            values.get("last_number")
            and values.get("next_number")
            and values["next_number"] > values["last_number"] + 1
        ):
            yield fault(
                cls, "next_number", gettext("liegt hinter der letzten Nummer des Kreises"), values["next_number"]
            )


class NumberReservation(Record):
    """A block of customer numbers held for an operator until confirmed or discarded."""

    description = Description(
        label=_("Nummernreservierung"),
        plural=_("Nummernreservierungen"),
        title=("first_number", "quantity"),
        menu="system",
        right="number",
        order=("-id",),
    )

    quantity = described(
        IntegerField(verbose_name=_("Anzahl der Kundennummern")), minimum=1, maximum=1000, copy="clear", listed=True
    )
    first_number = described(
        IntegerField(verbose_name=_("erste reservierte Nummer")), copy="clear", read_only=True, listed=True
    )
    user = described(Reference(User, verbose_name=_("Benutzer")), copy="clear", listed=True)
    assign_cards = described(
        BooleanField(
            default=False,
            verbose_name=_("Kundenkarten automatisch zuordnen (Kundenkarten-Nr. identisch zur Kunden-Nr.)"),
        ),
        copy="clear",
        listed=True,
    )
    card_type = described(Reference(CardType, null=True, verbose_name=_("Kundenkartentyp")), copy="clear", listed=True)
    confirmed = described(
        BooleanField(default=False, verbose_name=_("Reservierung bestätigt")), copy="clear", listed=True
    )

    class Meta:
        table_name = "number_reservation"

    rule_fields = ("assign_cards", "card_type")

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        if values.get("assign_cards") and values.get("card_type") is None:
            yield missing(
                cls, "card_type", gettext("Für die Zuordnung von Kundenkarten ist der Kundenkartentyp nötig.")
            )


#: Kind of range -> table and column whose numbers are taken.
_TAKEN = {"customer_number": ("customer", "customer_number"), "debtor_account": ("customer", "debtor_account")}

#: The largest number a range without an end gives.
_LARGEST = 999_999_999


def draw_numbers(kind: str, count: int) -> list[int]:
    """The `count` lowest free numbers of the range; its next number moves behind the last of them.

    Raises FaultList when there is no such range, it is switched off, or it has not enough numbers left; then none is
    drawn. Has to be called in the transaction that uses the numbers: the range stays locked until that ends.
    """
    query = NumberRange.select().where(NumberRange.kind == kind)
    if engine() == "postgresql":
        query = query.for_update()
    found = query.first()
    if found is None or not found.active:
        raise _no_number(kind, gettext("Es gibt keinen aktiven Nummernkreis."), gettext("Bitte eine Nummer eingeben."))
    numbers = _free_numbers(found, count)
    if len(numbers) < count:
        raise _no_number(
            kind, gettext("Der Nummernkreis hat keine freie Nummer mehr."), gettext("Bitte den Nummernkreis erweitern.")
        )
    if numbers:
        # Where the next search starts is bookkeeping of the range, not a change an operator made.
        NumberRange.update(next_number=numbers[-1] + 1).where(NumberRange.id == found.id).execute()
    return numbers


def is_active(kind: str) -> bool:
    """Whether new records get a number of this kind by themselves."""
    return NumberRange.select().where(NumberRange.kind == kind, NumberRange.active).exists()


def propose_number(kind: str) -> int | None:
    """The number the next new record would get, for showing it before it is drawn; None when there is none."""
    found = NumberRange.get_or_none(NumberRange.kind == kind, NumberRange.active)
    free = _free_numbers(found, 1) if found else []
    return free[0] if free else None


def _free_numbers(found: NumberRange, count: int) -> list[int]:
    """Up to `count` numbers that nobody has, from the range's next one on, in order."""
    table, column = _TAKEN[found.kind]
    taken_table = Table(table, (column,)).bind(database)
    taken_column = getattr(taken_table, column)
    last = found.last_number or _LARGEST
    reserved = _reserved_blocks() if found.kind == "customer_number" else []
    free: list[int] = []
    start, size = max(found.next_number, found.first_number), count + 64
    while len(free) < count and start <= last:
        end = min(start + size - 1, last)
        taken = {row[0] for row in taken_table.select(taken_column).where(taken_column.between(start, end)).tuples()}
        for number in range(start, end + 1):
            if number not in taken and not any(low <= number <= high for low, high in reserved):
                free.append(number)
                if len(free) == count:
                    break
        start, size = end + 1, min(size * 4, 100_000)
    return free


def _reserved_blocks() -> list[tuple[int, int]]:
    """First and last number of each reservation that is not confirmed yet."""
    rows = NumberReservation.select(NumberReservation.first_number, NumberReservation.quantity)
    return [(first, first + quantity - 1) for first, quantity in rows.where(~NumberReservation.confirmed).tuples()]


def _no_number(kind: str, reason: str, advice: str) -> FaultList:
    return FaultList([FieldError(dict(NumberRange.kind.choices)[kind], None, reason, advice)])


# --- numbers of children ---------------------------------------------------------------------------------------------

#: How many keys one question names.
_BLOCK = 500

# The table belongs to a model that is declared further on.
_COUNTERS = Table("running_number", ("customer_id", "entity", "last_number")).bind(database)


def give_running_numbers(entity: str, rows: list[dict[str, Any]]) -> None:
    """Gives new children their Lfd.Nr., counted per customer from 1 and never given twice (ME-104, ME-114, ME-120).

    `entity` is the kind of children (code of `running_number`), `rows` their values. A number that came with a row is
    kept and counts as given.
    """
    rows = [values for values in rows if values.get("customer") is not None]
    last: dict[int, int] = {}
    customers = sorted({values["customer"] for values in rows})
    for start in range(0, len(customers), _BLOCK):
        block = customers[start : start + _BLOCK]
        query = _COUNTERS.select(_COUNTERS.customer_id, _COUNTERS.last_number)
        last.update(query.where(_COUNTERS.entity == entity, key_condition(_COUNTERS.customer_id, block)).tuples())
    for values in rows:
        if values.get("sequence_number") is not None:
            last[values["customer"]] = max(last.get(values["customer"], 0), values["sequence_number"])
    for values in rows:
        if values.get("sequence_number") is None:
            values["sequence_number"] = last[values["customer"]] = last.get(values["customer"], 0) + 1
    # The counters are bookkeeping: they stay even where the child is taken back, or its number would come twice.
    moment = utcnow()
    database.cursor().executemany(
        _KEEP_COUNTER.replace("?", database.param),
        [(customer, entity, last[customer], moment, moment) for customer in customers],
    )


_KEEP_COUNTER = (
    "INSERT INTO running_number (customer_id, entity, last_number, version, created_at, updated_at) "
    "VALUES (?, ?, ?, 1, ?, ?) ON CONFLICT (customer_id, entity) DO UPDATE SET last_number = excluded.last_number"
)


def append_positions(model: Any, owner: str, name: str, rows: list[dict[str, Any]]) -> None:
    """Puts new children without a position behind the last one of their owner, counted from 0."""
    rows = [values for values in rows if values.get(owner) is not None]
    column, position = model._meta.fields[owner], model._meta.fields[name]
    following: dict[int, int] = {}
    owners = sorted({values[owner] for values in rows})
    for start in range(0, len(owners), _BLOCK):
        part = key_condition(column, owners[start : start + _BLOCK])
        query = model.select(column, fn.MAX(position)).where(part).group_by(column)
        following.update({key: last + 1 for key, last in query.tuples()})
    for values in rows:
        if values.get(name) is not None:
            following[values[owner]] = max(following.get(values[owner], 0), values[name] + 1)
    for values in rows:
        if values.get(name) is None:
            values[name] = following.get(values[owner], 0)
            following[values[owner]] = values[name] + 1

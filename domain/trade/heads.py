"""What all documents of a customer do alike, and all runs: methods only, the fields stand in each model.

Shape: a model names the class before `Record` and says in class attributes what is its own. A mixin without fields
keeps the order of the columns as each model writes it. Source: PX-100, NE-96, NE-97, ME-100, ME-109.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from domain.trade.proposals import number_documents, offered_faults, propose_header
from domain.trade.receivers import printed_address, readdressed
from flask_appadmin.changes import Written
from flask_appadmin.errors import FieldError


class DocumentHead:
    """The head of a document: proposals of its customer, number, printed address, and whom it may name."""

    #: The letter before the seven digits of a number.
    number_prefix: ClassVar[str]
    #: Records of the customer that are offered on its documents while they are active.
    offered_here: ClassVar[tuple[str, ...]]

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        propose_header(cls, rows, operation)

    @classmethod
    def prepare_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        number_documents(cls, cls.number_prefix, rows)
        for row in rows:
            row["address_text"] = printed_address(cls, row)

    @classmethod
    def follow(cls, written: Sequence[Written], operation: Any) -> Iterable[Any]:
        return readdressed(cls, written)

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        return offered_faults(cls, values, cls.offered_here)


class ActingRun:
    """A run belongs to who starts it, and does its work once, when it is made."""

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        for row in rows:
            row.setdefault("user", operation.operator.user_id)

    @classmethod
    def follow(cls, written: Sequence[Written], operation: Any) -> Iterable[Any]:
        for run in written:
            if run.old is None:
                yield from cls.act(run, operation)

    @classmethod
    def act(cls, run: Written, operation: Any) -> Iterable[Any]:
        """What a new run makes: steps of the same set."""
        raise NotImplementedError

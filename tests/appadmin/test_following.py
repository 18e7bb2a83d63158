"""What a model takes over from another one, and what follows from a change: in the same set, and taken back with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from peewee import CharField, ForeignKeyField, IntegerField

from flask_appadmin.changes import ChangeSet, Update, Written
from flask_appadmin.database import Record, database
from flask_appadmin.filters import Filter
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.i18n import _
from flask_appadmin.rights import Operator
from flask_appadmin.schema import declare_models
from flask_appadmin.selections import Selection
from flask_appadmin.specs import Description, described, spec_of
from tests.appadmin.library import MODELS


class Shelf(Record):
    description = Description(label=_("Regal"), plural=_("Regale"), title=("name",), right="library")
    name = described(CharField(max_length=20, verbose_name=_("Name")))
    room = described(IntegerField(verbose_name=_("Raum")), bulk=True)

    follow_fields = ("room",)

    @classmethod
    def follow(cls, written: Sequence[Written], operation: Any) -> Iterable[Any]:
        moved = {shelf.key: shelf.new["room"] for shelf in written if shelf.old is not None}
        for volume in Volume.select().where(Volume.shelf << list(moved)):
            yield Update(spec_of(Volume), volume.id, {"room": moved[volume.shelf_id]})


class Volume(Record):
    description = Description(label=_("Band"), plural=_("Bände"), title=("room",), right="archive")
    shelf = described(ForeignKeyField(Shelf, verbose_name=_("Regal")))
    room = described(IntegerField(null=True, verbose_name=_("Raum")), read_only=True)

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        for row in rows:
            row.setdefault("room", Shelf.get_by_id(row["shelf"]).room)


def rooms() -> list[int | None]:
    return [row[0] for row in Volume.select(Volume.room).order_by(Volume.id).tuples()]


def test_what_follows_is_part_of_the_set_whoever_may_do_it(librarian: Operator) -> None:
    """A read-only field, a table that the operator may not write: the rule may, and undo takes it back."""
    declare_models((*MODELS, Shelf, Volume))
    database.create_tables([Shelf, Volume])
    made = ChangeSet("form")
    shelf = made.create(Shelf, {"name": "A", "room": 1})
    made.create(Volume, {"shelf": shelf})
    made.create(Volume, {"shelf": shelf, "room": None})
    made.apply(librarian)
    assert rooms() == [1, None], "what is named is not proposed"

    reader = Operator(None, "Herr Klein", frozenset({"library.read", "library.edit"}), "")
    change = ChangeSet("form")
    change.update(Shelf, shelf.key or 0, {"room": 2})
    applied = change.apply(reader)
    assert rooms() == [2, 2]
    ChangeSet.undo(applied.change_set or 0).apply(librarian)
    assert rooms() == [1, None]

    everywhere = Selection.of_filter(Filter(spec_of(Shelf)), librarian)
    change = ChangeSet("bulk")
    change.assign(everywhere, {"room": 3})
    change.apply(librarian)
    assert rooms() == [3, 3]
    assert ChangeSetRecord.select().count() == 4

"""Many records at once: values made of what each has, assignments, plans that say everything and are kept to."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from peewee import BooleanField, CharField, DateField, ForeignKeyField, IntegerField, TextField

from flask_appadmin.changes import (
    Applied,
    AssignPlan,
    ChangeSet,
    Relation,
    Update,
    Written,
    make_transform,
    plan_assign,
    transforms_for,
    values_from_json,
    values_to_json,
    words_of,
)
from flask_appadmin.changes.commonvalues import common_values
from flask_appadmin.database import Record, database, utcnow
from flask_appadmin.errors import FaultList, FieldError, PlanChanged
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.i18n import _
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.schema import declare_models
from flask_appadmin.selections import Selection
from flask_appadmin.specs import Description, described, spec_of
from tests.appadmin.library import MODELS


class Label(Record):
    description = Description(label=_("Firma"), plural=_("Firmen"), title=("name",), right="library")
    name = described(CharField(max_length=20, verbose_name=_("Name")), natural_key=True)
    town = described(CharField(max_length=20, null=True, verbose_name=_("Ort")))


class Disc(Record):
    """A record of the other sort, with every kind of value and every kind of rule."""

    description = Description(label=_("Platte"), plural=_("Platten"), title=("title",), right="library")
    title = described(CharField(max_length=20, verbose_name=_("Titel")), bulk=True)
    subtitle = described(CharField(max_length=20, null=True, verbose_name=_("Untertitel")), bulk=True)
    notes = described(TextField(null=True, verbose_name=_("Notiz")), bulk=True)
    price = described(DecimalField(8, 2, null=True, verbose_name=_("Preis")), minimum=-500, maximum=500, bulk=True)
    copies = described(IntegerField(null=True, verbose_name=_("Stück")), bulk=True)
    pressed_on = described(DateField(null=True, verbose_name=_("gepresst am")), bulk=True)
    sold_on = described(DateField(null=True, verbose_name=_("verkauft am")), bulk=True)
    mark = described(CharField(max_length=10, null=True, unique=True, verbose_name=_("Kennzeichen")), bulk=True)
    lent = described(BooleanField(default=False, verbose_name=_("verliehen")), bulk=True)
    reader = described(CharField(max_length=20, null=True, verbose_name=_("Leser")))
    company = described(ForeignKeyField(Label, null=True, verbose_name=_("Firma")), bulk=True)
    town = described(CharField(max_length=20, null=True, verbose_name=_("Ort")))
    rest = described(IntegerField(null=True, verbose_name=_("Rest")))

    rule_fields = ("pressed_on", "sold_on")
    shown_when = {"reader": ("lent", (True,))}
    mirrors = {"company": {"town": "town"}}
    derive_fields = ("copies", "rest")
    follow_fields = ("copies",)

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        if values.get("pressed_on") and values.get("sold_on") and values["sold_on"] < values["pressed_on"]:
            yield FieldError(spec_of(cls).field("sold_on"), None, "Liegt vor der Pressung")

    @classmethod
    def derive(cls, old: dict[str, Any], values: dict[str, Any], operation: Any) -> dict[str, Any]:
        return {"rest": None if values["copies"] is None else 100 - values["copies"]}

    @classmethod
    def follow(cls, written: Sequence[Written], operation: Any) -> Iterable[Any]:
        for disc in written:
            for track in Track.select().where(Track.disc == disc.key) if disc.old is not None else ():
                yield Update(spec_of(Track), track.id, {"copies": disc.new["copies"]})


class Track(Record):
    description = Description(label=_("Stück"), plural=_("Stücke"), right="library")
    disc = described(ForeignKeyField(Disc, backref="tracks", on_delete="CASCADE", verbose_name=_("Platte")), owner=True)
    copies = described(IntegerField(null=True, verbose_name=_("Anzahl")), read_only=True)


class Keyword(Record):
    """A pure assignment."""

    description = Description(label=_("Stichwort"), plural=_("Stichworte"), right="library", assigns="word")
    disc = described(
        ForeignKeyField(Disc, backref="keywords", on_delete="CASCADE", verbose_name=_("Platte")), owner=True
    )
    word = described(CharField(max_length=12, verbose_name=_("Wort")), unique_with=("disc",))
    weight = described(DecimalField(6, 2, default=Decimal("1.5"), verbose_name=_("Gewicht")))

    class Meta:
        indexes = ((("disc", "word"), True),)


class Place(Record):
    """One with a rule of its own for new rows: they are numbered."""

    description = Description(label=_("Standort"), plural=_("Standorte"), right="library", assigns="company")
    disc = described(ForeignKeyField(Disc, backref="places", on_delete="CASCADE", verbose_name=_("Platte")), owner=True)
    number = described(IntegerField(verbose_name=_("Nr.")), required=False)
    company = described(ForeignKeyField(Label, verbose_name=_("Firma")), unique_with=("disc",))

    @classmethod
    def prepare_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        for values in rows:
            values["number"] = cls.select().where(cls.disc == values["disc"]).count()


OWN = (Label, Disc, Track, Keyword, Place)


@pytest.fixture
def archive(librarian: Operator) -> Operator:
    """The toy library with an archive of records, whose tables are nowhere else."""
    declare_models((*MODELS, *OWN))
    database.create_tables(OWN)
    return librarian


def photograph() -> dict[str, list[tuple[Any, ...]]]:
    picture = {}
    for model in OWN:
        spec = spec_of(model)
        columns = [model.id, *(item.column_field for item in spec.data_fields)]
        picture[spec.name] = list(model.select(*columns).order_by(model.id).tuples())
    return picture


def make_discs(operator: Operator, *rows: dict[str, Any]) -> list[int]:
    change = ChangeSet("load")
    made = [change.create(Disc, {"title": f"Platte {number}", **row}) for number, row in enumerate(rows, 1)]
    change.apply(operator)
    return [record.key or 0 for record in made]


def all_of(operator: Operator, keys: Iterable[int] | None = None) -> Selection:
    found = keys if keys is not None else [row[0] for row in Disc.select(Disc.id).tuples()]
    return Selection.of_keys(spec_of(Disc), operator, found)


def adds_up(plan: AssignPlan, applied: Applied, *, total: int, refused: int = 0) -> None:
    """Nothing falls between: what was planned is what was changed, left alone and refused."""
    assert plan.count + refused == total
    assert plan.count == plan.changed + plan.same + len(plan.refused)
    assert (applied.updated, total) == (plan.changed, applied.updated + plan.same + refused)


def run_bulk(operator: Operator, values: dict[str, Any], *, keys: Iterable[int] | None = None) -> Applied:
    """Plans, applies exactly that without what refuses, and counts."""
    selection = all_of(operator, keys)
    plan = plan_assign(selection, dict(values), operator)
    left_out = [key for key, _title, _reason in plan.refused]
    kept = plan_assign(selection, dict(values), operator, without=left_out)
    change = ChangeSet("bulk")
    change.assign(selection, dict(values), expected=kept.state, without=left_out)
    applied = change.apply(operator)
    adds_up(kept, applied, total=plan.count, refused=len(left_out))
    return applied


#: (field, kind, arguments): every transform, with odd arguments.
_WAYS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("subtitle", "replace", ("ß", "ss")),
    ("subtitle", "replace", ("Wien",)),
    ("subtitle", "replace", ("%_'", '"\\')),
    ("subtitle", "replace", (" ", "")),
    ("subtitle", "before", ("Fa. ",)),
    ("subtitle", "after", (" GmbH ",)),
    ("subtitle", "after", ("ein viel zu langer Text",)),
    ("subtitle", "trim", ()),
    ("subtitle", "upper", ()),
    ("subtitle", "lower", ()),
    ("notes", "trim", ()),
    ("notes", "upper", ()),
    ("price", "percent", ("3",)),
    ("price", "percent", ("-12,5",)),
    ("price", "percent", ("-150",)),
    ("price", "percent", ("0,01",)),
    ("price", "plus", ("-0,05",)),
    ("price", "plus", ("499",)),
    ("copies", "percent", ("50",)),
    ("copies", "percent", ("-33,33",)),
    ("copies", "plus", ("-7",)),
    ("sold_on", "days", ("-1",)),
    ("sold_on", "days", ("14",)),
    ("sold_on", "days", ("36500",)),
    ("subtitle", "copy", ("title",)),
    ("notes", "copy", ("subtitle",)),
    ("sold_on", "copy", ("pressed_on",)),
    ("title", "copy", ("subtitle",)),
)

_ODD = (
    {},
    {"title": "X", "subtitle": "Ärger  in   Wien", "notes": "a  b\n  c   d ", "price": Decimal("19.99"), "copies": 3},
    {"title": "Straße", "subtitle": "Straße ÄÖÜ äöü éÉ", "price": Decimal("-0.05"), "copies": -3, "notes": "ß"},
    {"title": "ÇŒ", "subtitle": "%_' Wien %_'", "price": Decimal("0.05"), "copies": 0, "sold_on": "1800-01-01"},
    {"title": "Wien", "subtitle": "Wien", "price": Decimal("-499.995"[:-1]), "copies": 99, "sold_on": "2999-12-31"},
    {"title": "Ž", "subtitle": "Žofia ŽĐ łŁ", "price": Decimal("500"), "copies": -99, "sold_on": "2024-02-29"},
    {"title": "a", "subtitle": "x", "price": Decimal("0.5"), "pressed_on": "1900-03-01", "sold_on": "1900-03-01"},
)


def test_transforms_are_the_same_in_the_database_and_in_python(archive: Operator) -> None:
    """And every kind comes back from JSON, and reads as words."""
    rows = []
    for row in _ODD:
        dates = {name: datetime.date.fromisoformat(str(row[name])) for name in ("pressed_on", "sold_on") if name in row}
        rows.append({**row, **dates})
    make_discs(archive, *rows)
    spec, used = spec_of(Disc), set()
    for name, kind, given in _WAYS:
        item = spec.field(name)
        transform = make_transform(spec, item, kind, given)
        used.add(kind)
        sql, params = transform.sql(lambda column: f't."{spec.field(column).column}"')
        # Through a statement that stores, so that the value comes back as the field has it.
        found = database.execute_sql(f'SELECT t.id, {sql} FROM "{spec.name}" t ORDER BY t.id', params).fetchall()
        for (key, stored), disc in zip(found, Disc.select().order_by(Disc.id).dicts(), strict=True):
            made = item.column_field.python_value(stored)
            assert made == transform.changed(disc), (key, name, kind, given, disc[name])
        back = values_from_json(spec, values_to_json(spec, {name: transform}))
        assert back == {name: transform}
        assert words_of(spec, name, back[name]).startswith(f"{item.label}: ")
    assert used == {each.kind for item in spec.data_fields for each in transforms_for(item)}
    assert words_of(spec, "subtitle", make_transform(spec, spec.field("subtitle"), "replace", ("Wien", "Graz"))) == (
        "Untertitel: „Wien“ durch „Graz“ ersetzen"
    )


def test_transforms_refuse_what_cannot_be(archive: Operator) -> None:
    spec = spec_of(Disc)
    for name, kind, given, sentence in (
        ("subtitle", "replace", ("", "x"), "Bitte angeben, was ersetzt werden soll."),
        ("subtitle", "before", (" ",), "Bitte einen Text angeben."),
        ("price", "percent", ("viel",), "„viel“ ist keine Zahl."),
        ("price", "percent", ("1001",), "„1001“ ist zu groß. Erlaubt ist höchstens 1000."),
        ("price", "plus", ("0,005",), "„0,005“ hat zu viele Stellen hinter dem Komma. Erlaubt sind 2."),
        ("copies", "plus", ("1,5",), "„1,5“ hat zu viele Stellen hinter dem Komma. Erlaubt sind 0."),
        ("sold_on", "days", ("99999",), "„99999“ ist zu groß. Erlaubt ist höchstens 36500."),
        ("sold_on", "copy", ("title",), "„title“ ist kein Feld, dessen Wert hier passt."),
        ("sold_on", "copy", ("sold_on",), "„sold_on“ ist kein Feld, dessen Wert hier passt."),
        ("lent", "upper", (), "Das geht bei diesem Feld nicht."),
        ("lent", "drop table", (), "Das geht bei diesem Feld nicht."),
    ):
        with pytest.raises(FieldError) as refused:
            make_transform(spec, spec.field(name), kind, given)
        assert refused.value.found() == sentence


def test_a_transform_is_planned_written_and_taken_back_like_any_value(archive: Operator) -> None:
    """What the field does not take is refused with the reason, the groups say what becomes of which value."""
    keys = make_discs(
        archive,
        *({"subtitle": text} for text in ("Wien", "Wien", "Wiener Straße", "Graz", None, "Wien Wien Wien Wien")),
    )
    spec = spec_of(Disc)
    transform = make_transform(spec, spec.field("subtitle"), "replace", ("Wien", "Klagenfurt"))
    plan = plan_assign(all_of(archive), {"subtitle": transform, "lent": True}, archive, samples=5)
    told = [(group.count, group.old, group.new, group.same, group.fault) for group in plan.groups["subtitle"]]
    too_long = "„Klagenfurt Klagenfurt Klagenfurt Klagenfurt“ ist zu lang (43 Zeichen)."
    assert told[0] == (1, "Wien Wien Wien Wien", "", False, told[0][4])
    assert too_long in told[0][4]
    assert Counter(entry[:4] for entry in told[1:]) == Counter(
        [
            (2, "Wien", "Klagenfurt", False),
            (1, "Wiener Straße", "Klagenfurter Straße", False),
            (1, "Graz", "Graz", True),
            (1, "leer", "leer", True),
        ]
    )
    assert [(key, title) for key, title, _reason in plan.refused] == [(keys[5], "Platte 6")]
    assert [(sample.title, sample.lines) for sample in plan.samples[:2]] == [
        ("Platte 1", [("Untertitel", "Wien", "Klagenfurt"), ("verliehen", "Nein", "Ja")]),
        ("Platte 2", [("Untertitel", "Wien", "Klagenfurt"), ("verliehen", "Nein", "Ja")]),
    ]
    before = photograph()
    refusing = ChangeSet("bulk")
    refusing.assign(all_of(archive), {"subtitle": transform, "lent": True}, expected=plan.state)
    with pytest.raises(FaultList, match="Platte 6: Untertitel: „Klagenfurt"):
        refusing.apply(archive)
    assert photograph() == before
    applied = run_bulk(archive, {"subtitle": transform, "lent": True})
    assert [(disc.subtitle, disc.lent) for disc in Disc.select().order_by(Disc.id)] == [
        ("Klagenfurt", True),
        ("Klagenfurt", True),
        ("Klagenfurter Straße", True),
        ("Graz", True),
        (None, True),
        ("Wien Wien Wien Wien", False),
    ]
    rows = ChangeRecord.select().where(ChangeRecord.change_set == applied.change_set, ChangeRecord.field == "subtitle")
    assert [(row.old_value, row.new_value) for row in rows.order_by(ChangeRecord.record_id)] == [
        ('"Wien"', '"Klagenfurt"'),
        ('"Wien"', '"Klagenfurt"'),
        ('"Wiener Straße"', '"Klagenfurter Straße"'),
    ]
    ChangeSet.undo(applied.change_set or 0).apply(archive)
    assert photograph() == before
    numbers = {
        "price": make_transform(spec, spec.field("price"), "percent", ("10",)),
        "sold_on": make_transform(spec, spec.field("sold_on"), "days", ("1",)),
        "notes": make_transform(spec, spec.field("notes"), "copy", ("title",)),
    }
    Disc.update(price=Decimal("470"), sold_on=datetime.date(2999, 12, 31)).where(Disc.id == keys[0]).execute()
    Disc.update(price=Decimal("0.05"), sold_on=datetime.date(2024, 2, 28)).where(Disc.id == keys[1]).execute()
    before = photograph()
    applied = run_bulk(archive, numbers)
    second = Disc.get_by_id(keys[1])
    assert (second.price, second.sold_on, second.notes) == (Decimal("0.06"), datetime.date(2024, 2, 29), "Platte 2")
    assert Disc.get_by_id(keys[0]).notes is None, "517 euro and the year 3000 are refused"
    ChangeSet.undo(applied.change_set or 0).apply(archive)
    assert photograph() == before


def test_what_the_form_would_change_or_refuse_a_bulk_change_does_too(archive: Operator) -> None:
    """Fields that exist beside others only, followed and derived ones, other records, rules, values that occur once:
    the same as one by one in the form, shown beforehand, taken back together."""
    label = ChangeSet("load")
    graz = label.create(Label, {"name": "Amadeo", "town": "Graz"})
    label.apply(archive)
    keys = make_discs(
        archive,
        {"lent": True, "reader": "Groß", "copies": 1, "rest": 99, "sold_on": datetime.date(2026, 1, 1)},
        {"lent": True, "copies": 5, "rest": 95},
        {"town": "Graz", "copies": 5, "rest": 95},
        {"mark": "A"},
    )
    tracks = ChangeSet("load")
    tracks.create(Track, {"disc": keys[0]})
    tracks.apply(archive)
    before = photograph()
    day = datetime.date(2026, 5, 1)
    for values, effects, refused in (
        ({"lent": False}, [("Leser", 1)], []),
        ({"company": graz.key}, [("Ort", 3)], []),
        ({"copies": 5}, [("Rest", 2), ("Stücke: Anzahl", 1)], []),
        ({"pressed_on": day}, [], [(keys[0], "verkauft am: Liegt vor der Pressung.")]),
        ({"lent": False, "notes": "neu", "copies": 7}, [("Rest", 4), ("Leser", 1), ("Stücke: Anzahl", 1)], []),
        ({"mark": "A"}, [], [(key, "Kennzeichen: „A“ ist bereits vorhanden.") for key in keys[:3]]),
    ):
        plan = plan_assign(all_of(archive), dict(values), archive)
        assert plan.effects == effects, values
        assert [(key, reason) for key, _title, reason in plan.refused] == refused
        single = ChangeSet("bulk")
        refusing = {key for key, _reason in refused}
        for key in keys:
            if key not in refusing:
                single.update(Disc, key, dict(values))
        one_by_one = single.apply(archive)
        expected = photograph()
        if one_by_one.change_set is not None:
            ChangeSet.undo(one_by_one.change_set).apply(archive)
        assert photograph() == before
        applied = run_bulk(archive, values)
        assert photograph() == expected, values
        if applied.change_set is not None:
            ChangeSet.undo(applied.change_set).apply(archive)
        assert photograph() == before


def test_assignments_are_added_removed_and_replaced_without_doubling(archive: Operator) -> None:
    label = ChangeSet("load")
    amadeo, supra = (label.create(Label, {"name": name}) for name in ("Amadeo", "Supraphon"))
    label.apply(archive)
    keys = make_discs(archive, {}, {}, {})
    given = ChangeSet("load")
    for key, word in ((keys[0], "Jazz"), (keys[0], "Wien"), (keys[1], "Jazz")):
        given.create(Keyword, {"disc": key, "word": word})
    given.create(Place, {"disc": keys[0], "company": amadeo.key})
    given.apply(archive)

    def words() -> list[set[str]]:
        return [{row.word for row in Keyword.select().where(Keyword.disc == key)} for key in keys]

    spec = spec_of(Disc)
    for relation, expected, changed in (
        (Relation("add", ("Jazz",)), [{"Jazz", "Wien"}, {"Jazz"}, {"Jazz"}], 1),
        (Relation("add", ("Jazz", "Ruhe")), [{"Jazz", "Wien", "Ruhe"}, {"Jazz", "Ruhe"}, {"Jazz", "Ruhe"}], 3),
        (Relation("remove", ("Jazz",)), [{"Wien"}, set(), set()], 2),
        (Relation("replace", ("Jazz",)), [{"Jazz"}, {"Jazz"}, {"Jazz"}], 2),
        (Relation("replace", ()), [set(), set(), set()], 2),
    ):
        before = photograph()
        values = {"keyword.word": relation}
        assert values_from_json(spec, values_to_json(spec, values)) == values
        plan = plan_assign(all_of(archive), dict(values), archive)
        assert (plan.changed, plan.children[0][0]) == (changed, "Stichworte")
        applied = run_bulk(archive, values)
        assert (words(), applied.updated) == (expected, changed)
        assert (applied.created, applied.deleted) == plan.children[0][1:]
        again = ChangeSet("bulk")
        again.assign(all_of(archive), dict(values))
        assert again.apply(archive).change_set is None, "what is so already is done nothing to"
        snapshots = ChangeRecord.select(ChangeRecord.new_value).where(ChangeRecord.change_set == applied.change_set)
        for (content,) in snapshots.where(ChangeRecord.action == "create").tuples():
            assert '"weight":"1.50"' in content, "the snapshot has what the database filled in"
        ChangeSet.undo(applied.change_set or 0).apply(archive)
        assert photograph() == before
    before = photograph()
    applied = run_bulk(archive, {"place.company": Relation("add", (amadeo.key, supra.key)), "lent": True})
    assert [(row.disc_id, row.company_id, row.number) for row in Place.select().order_by(Place.disc, Place.number)] == [
        (keys[0], amadeo.key, 0),
        (keys[0], supra.key, 1),
        (keys[1], amadeo.key, 0),
        (keys[1], supra.key, 1),
        (keys[2], amadeo.key, 0),
        (keys[2], supra.key, 1),
    ]
    ChangeSet.undo(applied.change_set or 0).apply(archive)
    assert photograph() == before
    for wrong in (Relation("add", (4711,)), Relation("add", ()), Relation("double", (amadeo.key,))):
        with pytest.raises(FaultList):
            plan_assign(all_of(archive), {"place.company": wrong}, archive)


def test_whoever_changed_a_row_meanwhile_is_named_and_nothing_is_written(archive: Operator) -> None:
    """Another operator's second bulk change on the same records is refused with the name of the first."""
    keys = make_discs(archive, {"copies": 1}, {}, {})
    selection = all_of(archive)
    plan = plan_assign(selection, {"subtitle": "neu"}, archive)
    first = ChangeSet("bulk")
    first.assign(all_of(archive, keys[:1]), {"price": Decimal("5")})
    first.apply(system_operator("Herr Berger"))
    before = photograph()
    for state in (plan.state, "Unsinn", "[]", "[1, 2]", '{"a": 1}'):
        change = ChangeSet("bulk")
        change.assign(selection, {"subtitle": "neu"}, expected=state)
        with pytest.raises(PlanChanged) as stopped:
            change.apply(archive)
        assert photograph() == before
        if state == plan.state:
            assert str(stopped.value) == (
                "Seit der Vorschau hat sich etwas geändert. Platte 1: Preis leer → 5,00 (Herr Berger). Es wurde "
                "nichts geändert. Bitte sehen Sie die Vorschau noch einmal an."
            )
            assert [row.key for row in stopped.value.rows] == keys[:1]
    relation = {"keyword.word": Relation("add", ("Jazz",))}
    plan = plan_assign(selection, dict(relation), archive)
    other = ChangeSet("form")
    other.create(Keyword, {"disc": keys[1], "word": "Jazz"})
    other.apply(system_operator("Herr Berger"))
    change = ChangeSet("bulk")
    change.assign(selection, relation, expected=plan.state)
    with pytest.raises(PlanChanged, match=r"Platte 2 \(neu, Herr Berger\)"):
        change.apply(archive)


def test_what_the_selected_records_have_today_is_counted_for_any_number(archive: Operator) -> None:
    moment = utcnow()
    fixed = {"version": 1, "created_at": moment, "updated_at": moment, "lent": True}
    rows = [{"title": f"T{number}", "subtitle": "abc"[number % 3], "price": 5, **fixed} for number in range(3_000)]
    Disc.insert_many(rows).execute()
    Disc.update(price=None).where(Disc.title == "T7").execute()
    items = [item for item in spec_of(Disc).data_fields if item.bulk]
    found = common_values(all_of(archive), items, 3_000, seconds=60)
    assert set(found) == {item.name for item in items}
    told = {name: (common.number, common.most) for name, common in found.items()}
    assert told["lent"] == (1, ((True, 3_000),))
    assert told["mark"] == (1, ((None, 3_000),))
    assert told["price"] == (2, ((Decimal("5.00"), 2_999), (None, 1)))
    assert told["subtitle"][0] == 3
    assert sorted(told["subtitle"][1]) == [("a", 1_000), ("b", 1_000), ("c", 1_000)]
    assert told["title"][0] == 3_000
    assert len(common_values(all_of(archive), items, 3_000, seconds=-1)) < len(items), "only as far as the time goes"
    assert ChangeSetRecord.select().count() == 0

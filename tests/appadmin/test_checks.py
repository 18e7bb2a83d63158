"""Wrong declarations are found before anything starts, all of them at once, each with its place."""

from __future__ import annotations

from typing import Any

import pytest
from peewee import CharField, ForeignKeyField, IntegerField

from flask_appadmin.checks import (
    DeclarationFaults,
    Finding,
    check_configuration,
    check_declarations,
    check_operators,
    check_schema,
    require_sound,
)
from flask_appadmin.database import Record
from flask_appadmin.i18n import _
from flask_appadmin.rights import register_model_rights
from flask_appadmin.specs import Description, described, spec_of
from tests.appadmin.library import MODELS


class Shelf(Record):
    description = Description(
        label=_("Regal"), plural=_("Regale"), title=("colour",), order=("-size",), right="library"
    )
    name = described(CharField(max_length=10, verbose_name=_("Name")), natural_key=True)
    kind = described(CharField(max_length=3, choices=[("wood", _("Holz"))], default="iron", verbose_name=_("Art")))
    code = described(CharField(max_length=5, unique=True, verbose_name=_("Kürzel")), bulk=True, copy="keep")
    weight = described(IntegerField(null=True, verbose_name=_("Gewicht")), minimum=9, maximum=1, copy="twice")
    key = described(CharField(max_length=5, null=True, verbose_name=_("Schloss")), secret=True, listed=True)
    owner_name = described(CharField(max_length=5, null=True, verbose_name=_("Name des Besitzers")), masked=True)
    search = described(CharField(max_length=5, null=True), kind="colour", minimum=3, unique_with=("row",))

    rule_fields = ("height",)


class Board(Record):
    description = Description(label=_("Brett"), plural=_("Bretter"))
    shelf = described(ForeignKeyField(Shelf, verbose_name=_("Regal")), owner=True)


def found(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(finding.check, finding.place) for finding in findings}


def test_nothing_of_the_library_stops_the_start() -> None:
    specs = [spec_of(model) for model in MODELS]
    register_model_rights(specs)
    # Two authors may have the same name: worth a word, no reason not to start.
    assert found(check_declarations(specs)) == {("natural-key-ambiguous", "author.name")}
    require_sound(check_declarations(specs))


def test_everything_that_is_wrong_is_found_at_once() -> None:
    findings = check_declarations([spec_of(Board), spec_of(Shelf)])
    assert found(findings) == {
        ("title-unknown", "shelf"),
        ("order-unknown", "shelf"),
        ("rule-fields-unknown", "shelf"),
        ("title-missing", "shelf"),
        ("natural-key-ambiguous", "shelf.name"),
        ("choices-default", "shelf.kind"),
        ("choices-long", "shelf.kind"),
        ("bulk-unique", "shelf.code"),
        ("copy-unique", "shelf.code"),
        ("limits-crossed", "shelf.weight"),
        ("copy-unknown", "shelf.weight"),
        ("secret-shown", "shelf.key"),
        ("masked-without-right", "shelf.owner_name"),
        ("label-missing", "shelf.search"),
        ("kind-unknown", "shelf.search"),
        ("limits-without-number", "shelf.search"),
        ("unique-with-unknown", "shelf.search"),
        ("name-reserved", "shelf.search"),
        ("owner-cascade", "board.shelf"),
        ("title-missing", "board"),
    }
    with pytest.raises(DeclarationFaults) as refused:
        require_sound(findings)
    assert all(finding.is_error for finding in refused.value.findings)
    assert str(refused.value).count("\n") == len(refused.value.findings) - 1


def test_a_reference_to_a_table_nobody_declared_is_found() -> None:
    assert ("reference-undeclared", "board.shelf") in found(check_declarations([spec_of(Board)]))


def test_a_finding_says_where_and_what_would_be_right() -> None:
    finding = Finding("copy-unknown", "shelf.weight", "hat die Kopierregel „twice“.", "keep, clear, renew")
    assert finding.line() == "Fehler  shelf.weight: hat die Kopierregel „twice“. keep, clear, renew [copy-unknown]"


def test_a_weak_configuration_is_named(library: str, tmp_path: Any) -> None:
    tmp_path.chmod(0o755)
    settings = {"SECRET_KEY": "short", "DEBUG": True, "TRUSTED_HOSTS": [], "INSTANCE": tmp_path}
    checks = {finding.check for finding in check_configuration(settings)}
    assert checks >= {"secret-short", "debug-on", "hosts-open", "folder-open"}
    tmp_path.chmod(0o700)
    sound = {"SECRET_KEY": "x" * 32, "TRUSTED_HOSTS": ["localhost"], "INSTANCE": tmp_path}
    assert [finding for finding in check_configuration(sound) if finding.is_error] == []


def test_a_database_that_is_behind_or_ahead_is_named() -> None:
    assert [finding.check for finding in check_schema(["0002_more"], ["0009_later"])] == [
        "schema-behind",
        "schema-ahead",
    ]


def test_a_database_without_administrator_is_named(library: str) -> None:
    assert [finding.check for finding in check_operators()] == ["no-administrator"]

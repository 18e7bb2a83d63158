"""What administrators arrange about fields, on every page and through the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from domain.settings import Setting
from domain.values.countries import Country
from flask_appadmin.arrangements import LayoutField, arranged
from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import FaultList
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.rights import Operator, Role, is_hidden, system_operator
from flask_appadmin.selections import Selection
from flask_appadmin.sheets.mapping import own_targets
from flask_appadmin.specs import spec_of
from models import Customer
from tests.customers.test_spreadsheets import exported
from tests.reader import Page, get, send

# Pages: what they write and ask is tested on both engines where it is done.
pytestmark = pytest.mark.engines("sqlite", later="postgresql")

WEBER = system_operator("Frau Weber")
NEW = "/admin/customer/new/"


def arrange(client: FlaskClient, tab: str = "main", role: str = "", **typed: Any) -> Page:
    """Opens a tab of the window „Kunden“ and saves it with these words typed into it."""
    page = get(client, f"/admin/layouts/?window=customer&tab={tab}&role={role}")
    form = page.one("form", id="layout")
    return send(client, form["action"], form.fields(**{name.replace("__", "-"): text for name, text in typed.items()}))


def make(**values: Any) -> int:
    change = ChangeSet("import")
    record = change.create(Customer, {"status": "active", "name_1": "Huber", "city": "Graz", **values})
    change.apply(WEBER)
    return record.key or 0


def form_of(client: FlaskClient, url: str) -> Any:
    return get(client, url).one("form", id="form")


def labels(page: Any) -> list[str]:
    return [node.text for node in page.all("label")]


def chosen(node: Any) -> list[str]:
    return [option.text for option in node.all("option") if "selected" in option.attributes]


@pytest.mark.engines("sqlite", later="postgresql")
@pytest.mark.req("PX-96", "PX-97")
def test_hidden_and_renamed_fields_look_so_everywhere(operator: FlaskClient, tmp_path: Path) -> None:
    key = make(telex="huber.graz", pos_text="Duftprobe")
    form, table = f"/admin/customer/edit/?id={key}", "/admin/customer/?columns=customer_number,telex"
    token = operator.post("/admin/customer/selection", json={"add": [key]}).get_json()["token"]
    bulk = f"/admin/customer/action/change_settings?selection={token}"
    assert "Telex" in labels(get(operator, form)) and get(operator, table).columns == ["Kunden-Nr.", "Telex"]
    assert "Textfeld für Kasse" in labels(get(operator, bulk))

    assert arrange(operator, title__telex="Skype").toast == "Gespeichert."
    assert arrange(operator, "details", title__pos_text="Zettel").toast == "Gespeichert."
    page = get(operator, form)
    assert "Skype" in labels(page) and "Telex" not in labels(page)
    assert page.one("input", name="telex")["value"] == "huber.graz"
    shown = get(operator, table)
    assert (shown.columns, shown.rows[0][1]) == (["Kunden-Nr.", "Skype"], "huber.graz")
    assert {"Zettel", "Textfeld für Kasse"} & set(labels(get(operator, bulk))) == {"Zettel"}
    path = exported(operator, [key], tmp_path / "a.xlsx", columns="choose", column=["customer_number", "telex"])
    sheet = CalamineWorkbook.from_path(path).get_sheet_by_name("Kunden").to_python()
    place = sheet[0].index("Skype")
    assert ("Telex" in sheet[0], sheet[1][place]) == (False, "huber.graz")
    assert str(spec_of(Customer).field("telex").label) == "Telex", "outside of a request it is as declared"
    with arranged(WEBER):
        assert str(spec_of(Customer).field("telex").label) == "Skype"
        assert [target for target in own_targets(spec_of(Customer), sheet[0], WEBER) or () if target == "telex"]

    assert arrange(operator, visible__telex=None).toast == "Gespeichert."
    assert arrange(operator, "details", visible__pos_text=None).toast == "Gespeichert."
    page = get(operator, form)
    assert "Skype" not in labels(page) and not page.all("input", name="telex")
    assert "Skype" not in get(operator, table).html, "an address from before names a column that is not there"
    assert "PLZ" in get(operator, "/admin/customer/").columns
    arrange(operator, visible__postal_code=None)
    assert "PLZ" not in get(operator, "/admin/customer/").columns
    assert not {"Zettel", "Textfeld für Kasse"} & set(labels(get(operator, bulk)))
    edit = page.one("form", id="form")
    send(operator, edit["action"], edit.fields(name_2="und Söhne"))
    stored = Customer.get_by_id(key)
    assert (stored.telex, stored.pos_text, stored.name_2) == ("huber.graz", "Duftprobe", "und Söhne")

    last = (
        ChangeSetRecord.select().where(ChangeSetRecord.title.startswith("Layout")).order_by(ChangeSetRecord.id.desc())
    )
    operator.post(f"/admin/operations/undo?id={list(last)[1].id}")
    assert "Zettel" in labels(get(operator, bulk)), "an arrangement is taken back like any change"


def test_a_work_group_may_have_a_line_of_its_own(operator: FlaskClient) -> None:
    arrange(operator, title__telex="Skype")
    reader, admin = Role.get(Role.name != "Administrator"), Role.get(Role.name == "Administrator")
    arrange(operator, role=str(reader.id), title__telex="Herold-Nr.", visible__fax=None)
    page = get(operator, NEW)
    assert {"Skype", "Telefax"} <= set(labels(page)), "the other group's lines are not ours"
    for role, words in ((reader, ("Herold-Nr.", True)), (admin, ("Skype", False))):
        someone = Operator(None, "Test", frozenset({"*"}), role.name)
        with arranged(someone):
            fax = spec_of(Customer).field("fax")
            assert (str(spec_of(Customer).field("telex").label), is_hidden(someone, fax)) == words
    assert operator.get("/admin/layouts/?window=nothing").status_code == 404
    refused = get(operator, "/admin/layouts/?window=customer").one("form", id="layout")
    page = send(operator, refused["action"], refused.fields(**{"visible-city": None, "required-city": "1"}))
    assert (page.status, len(page.faults)) == (422, 1)


@pytest.mark.req("PX-53", "PX-54", "NE-64")
def test_new_records_start_with_the_presets_and_stored_ones_stay(operator: FlaskClient) -> None:
    key = make()
    consent = ("consent_post", "consent_email", "consent_phone", "consent_sms", "consent_fax")
    page = get(operator, "/admin/layouts/?window=customer&tab=parameters")
    names = {node["name"] for node in page.walk() if node.get("name")}
    for name in consent:
        assert f"visible-{name}" in names and not {f"mark-{name}", f"preset-{name}"} & names, "NE-64"
    arrange(operator, preset__country_text="Österreich", preset__country="")
    fresh = get(operator, NEW)
    assert fresh.one("input", name="country_text")["value"] == "AT Österreich"
    assert Customer.get_by_id(key).country_id is None, "existing customers are unchanged"
    company = next(name for name, item in spec_of(Customer).by_name.items() if str(item.own_label) == "Firma")
    tab = spec_of(Customer).field(company).group
    for mark, ticked in (("on", True), ("off", False), ("neutral", False)):
        arrange(operator, tab, **{f"mark-{company}": mark})
        box = get(operator, f"{NEW}?tab={tab}").one("input", name=company, type="checkbox")
        assert ("checked" in box.attributes) is ticked, mark
    arrange(operator, tab, **{f"mark-{company}": "on"})
    edit = fresh.one("form", id="form")
    send(operator, edit["action"], edit.fields(name_1="Neu"))
    made = Customer.get(Customer.name_1 == "Neu")
    assert made.country_id == Country.get(Country.code == "AT").id
    assert getattr(made, company) is True, "also on a tab that was not opened"
    assert not any(getattr(made, name) for name in consent)
    assert not getattr(Customer.get_by_id(key), company)


@pytest.mark.req("PX-56", "PX-59")
@pytest.mark.req("PX-57", "PX-58", partly=True)
def test_a_field_can_be_made_mandatory_for_form_bulk_and_import(operator: FlaskClient, app: Flask) -> None:
    key = make()
    arrange(operator, required__city="1")
    fresh = get(operator, NEW)
    assert fresh.one("input", name="city").get("required", "no") == ""
    edit = fresh.one("form", id="form")
    refused = send(operator, edit["action"], edit.fields(name_1="Ohne Ort"))
    assert (refused.status, refused.faults) == (422, ["Bitte eine Eingabe vornehmen."])
    stored = form_of(operator, f"/admin/customer/edit/?id={key}")
    refused = send(operator, stored["action"], stored.fields(city="", street="Ring 1"))
    assert (refused.status, refused.faults) == (422, ["Bitte eine Eingabe vornehmen."])
    words = refused.one("p", id="e-city")
    assert (words.text, "data-passing" in words.attributes) == ("Bitte eine Eingabe vornehmen.", True)
    assert [refused.one("input", name=name).get("value") or "" for name in ("city", "street")] == ["", "Ring 1"]
    assert (Customer.get_by_id(key).city, Customer.get_by_id(key).street) == ("Graz", None)
    barred = [field.one("label").text for field in refused.all("div", "field") if field.has_class("req")]
    assert ("Ort" in barred, "Straße" in barred) == (True, False)
    with arranged(WEBER):
        for kind in ("form", "import", "list"):
            change = ChangeSet(kind)
            change.create(Customer, {"name_1": "Ohne Ort"})
            with pytest.raises(FaultList, match="Ort: Bitte ausfüllen"):
                change.apply(WEBER)
        change = ChangeSet("bulk")
        change.assign(Selection.of_keys(spec_of(Customer), WEBER, [key]), {"city": None})
        with pytest.raises(FaultList, match="Ort"):
            change.apply(WEBER)
    assert Customer.select().count() == 1

    arrange(operator, required__city=None)
    assert LayoutField.select().count() == 0, "what is as declared needs no line"
    send(operator, edit["action"], edit.fields(name_1="Ohne Ort"))
    assert Customer.select().where(Customer.name_1 == "Ohne Ort").count() == 1


@pytest.mark.req("PX-129", "PX-132", partly=True)
def test_fields_of_modules_that_are_not_installed_are_not_shown(operator: FlaskClient) -> None:
    key = make()
    for name, label, tab in (("language_module", "Fremdsprache", "general"), ("currency_module", "Fremdwährung", "")):
        tab = tab or next(item.group for item in spec_of(Customer).fields if item.name == "currency")
        url = f"/admin/customer/edit/?id={key}&tab={tab}"
        assert label in labels(get(operator, url))
        Setting.update({name: False, "version": Setting.version + 1}).execute()
        assert label not in labels(get(operator, url))

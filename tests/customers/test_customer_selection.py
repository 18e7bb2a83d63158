"""„Kundenselektion“: choosing the customers of a mailing, writing to them, and remembering it."""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from actions import ACTIONS
from actions.import_sheet import run_import
from domain.values.groups import CustomerKind1
from flask_appadmin import rights
from flask_appadmin.changes import ChangeSet
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.rights import register_scope, system_operator
from flask_appadmin.specs import spec_of
from models import Customer, MailingActivity, MailingCriterion
from tests.reader import Page, get, send

WEBER = system_operator("Frau Weber")


def make(**customers: dict[str, Any]) -> dict[str, int]:
    """Active customers by their search name, "criteria" being their mailing criteria; answers their keys."""
    change = ChangeSet("import", reason="Messe Wels, 12.03.2024")
    made = {}
    for name, values in customers.items():
        own = {key: value for key, value in values.items() if key != "criteria"}
        made[name] = change.create(
            Customer, {"search_name": name, "name_1": f"{name} GmbH", "status": "active", "city": "Graz", **own}
        )
        for criterion in values.get("criteria", ()):
            change.create(MailingCriterion, {"customer": made[name], "criterion": criterion})
    change.apply(WEBER)
    return {name: record.key or 0 for name, record in made.items()}


def choose(client: FlaskClient, do: str = "list", **typed: Any) -> Page:
    """Fills the page as a person does and follows where it leads."""
    form = get(client, "/admin/customer/choose").one("form", css="choose")
    pairs = [pair for pair in form.typed({"do": do, **typed}).items(multi=True) if pair[1]]
    answer = client.get(form["action"], query_string=pairs)
    if answer.status_code != 302:
        return Page(answer.get_data(as_text=True), answer.status_code)
    return get(client, answer.location)


def listed(page: Page) -> list[str]:
    return [row[page.columns.index("Synonym")] for row in page.rows]


def test_the_menu_leads_to_the_page(operator: FlaskClient) -> None:
    make(A={"criteria": ["Katalog"]})
    page = get(operator, get(operator, "/admin/").link("Kundenselektion"))
    assert page.heading == "Kundenselektion"
    assert [link.text for link in page.one("nav", css="side").all("a", aria_current="page")] == ["Kundenselektion"]
    assert [option["value"] for option in page.all("datalist")[0].all("option")] == ["Katalog"]
    assert operator.get("/admin/country/choose").status_code == 404


@pytest.mark.req("NE-63", "PX-151", "ME-28")
def test_customers_are_chosen_by_a_way_of_advertising_that_is_open(operator: FlaskClient) -> None:
    yes = {"consent_email": True}
    banned, locked = {**yes, "no_email_advertising": True}, {**yes, "no_advertising": True}
    make(A=yes, B={}, C=yes, D={}, E={"consent_post": True}, F=banned, G=locked)
    assert listed(choose(operator)) == ["A", "B", "C", "D", "E", "F"], "PX-151: no mailing finds who is locked"
    page = choose(operator, way="email")
    assert listed(page) == ["A", "C"]
    assert "Werbekennzeichen: Email ist Ja" in page.chips
    marked = choose(operator, do="mark", way="email")
    assert marked.one("form", id="marked")["data-count"] == "2"
    token = marked.one("form", id="marked").one("input", name="token")["value"]
    for action in ("export_sheet", "print_labels"):
        assert get(operator, f"/admin/customer/action/{action}?selection={token}").status == 200


@pytest.mark.req("ME-28", "NE-64")
def test_a_file_that_forbids_nothing_gives_no_consent(operator: FlaskClient, tmp_path: Path) -> None:
    bans = ("Keine Werbung", "Keine E-Mail-Werbung", "Keine Fax-Werbung", "Keine Post-Werbung")
    path = tmp_path / "kunden.csv"
    path.write_text(f"Name 1;{';'.join(bans)}\nHuber;0;0;0;0\nMaier;1;1;1;1\n", encoding="utf-8")
    report = run_import(path, spec_of(Customer), WEBER)
    assert (report.new, report.errors) == (2, 0), report.findings
    for customer in Customer.select():
        forbidden = customer.name_1 == "Maier"
        assert customer.no_advertising is customer.no_email_advertising is forbidden
        assert customer.no_fax_advertising is customer.no_post_advertising is forbidden
        assert not any(getattr(customer, f"consent_{way}") for way in ("post", "email", "phone", "sms", "fax"))


def test_a_range_and_a_wrong_value(operator: FlaskClient) -> None:
    make(A={"turnover_current": "100"}, B={"turnover_current": "5000"}, C={"turnover_current": "9000"})
    assert listed(choose(operator, turnover_current__from="1.000", turnover_current__to="6.000,50")) == ["B"]
    wrong = choose(operator, turnover_current__from="viel")
    assert (wrong.status, "viel" in wrong.one("p", "message").text) == (400, True)
    assert wrong.one("input", name="turnover_current__from")["value"] == "viel"


@pytest.mark.req("PX-178")
def test_a_mailing_leaves_out_who_is_locked_and_is_remembered_with_each_customer(operator: FlaskClient) -> None:
    keys = make(
        A={"criteria": ["Katalog", "Messe"]},
        B={"criteria": ["Katalog"]},
        C={"criteria": ["Katalog"], "no_advertising": True},
        D={"criteria": ["Messe"]},
    )
    page = choose(operator, do="mark", **{"mailing_criterion.criterion": "Katalog"})
    assert listed(page) == ["A", "B"]
    token = page.one("form", id="marked").one("input", name="token")["value"]
    address = f"/admin/customer/action/record_mailing?selection={token}"
    form = get(operator, address).one("form", css="narrow")
    assert MailingActivity.select().count() == 0, "only if wanted"
    done = send(operator, form["action"], form.fields(kind="mail", activity_on="21.11.2026", text="Herbstkatalog"))
    assert done.toast == "2 angelegt."
    rows = MailingActivity.select(MailingActivity.customer, MailingActivity.kind, MailingActivity.activity_on)
    day = datetime.date(2026, 11, 21)
    assert sorted(rows.tuples()) == [(keys["A"], "mail", day), (keys["B"], "mail", day)]
    assert ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).get().title.startswith("Mailing-Aktivität")


def test_who_is_locked_gets_no_activity_however_he_was_marked(operator: FlaskClient) -> None:
    keys = make(A={}, C={"no_advertising": True})
    token = operator.post("/admin/customer/selection", json={"add": list(keys.values())}).get_json()["token"]
    page = get(operator, f"/admin/customer/action/record_mailing?selection={token}")
    assert "C GmbH" in page.all("section", "card")[0].text
    assert "möchte keine Werbung" in page.text
    form = page.one("form", css="narrow")
    refused = send(operator, form["action"], form.fields(kind="mail", activity_on=""))
    assert (refused.status, MailingActivity.select().count()) == (422, 0)
    send(operator, form["action"], form.fields(kind="call", activity_on="01.12.2026"))
    assert [row[0] for row in MailingActivity.select(MailingActivity.customer).tuples()] == [keys["A"]]


def test_no_action_is_done_in_part_with_customers_that_are_not_mine(
    operator: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Trust case 80: one marked customer left the operator's scope; a key from elsewhere is like one that is not."""
    keys = make(A={}, B={})
    token = operator.post("/admin/customer/selection", json={"add": list(keys.values())}).get_json()["token"]
    monkeypatch.setattr(rights, "_scopes", {})
    register_scope(Customer, lambda _operator: Customer.search_name != "B")
    before = list(Customer.select().order_by(Customer.id).dicts())
    history = ChangeSetRecord.select().count()
    for action in ACTIONS:
        url = f"/admin/customer/action/{action.name}"
        posted = {"token": token, "_do": "apply", "_state": "2.3", "_count": "2.3.0.1"}
        for answer in (operator.get(f"{url}?selection={token}"), operator.post(url, data=posted)):
            text = answer.get_data(as_text=True)
            assert answer.status_code == 403, (action.name, text[-2000:])
            assert "1 markierte Zeile dürfen Sie nicht sehen. Es wurde nichts getan." in text
            assert "B GmbH" not in text
        for key in (keys["B"], 999_999):
            assert operator.get(f"{url}?id={key}").status_code == 404, action.name
    assert operator.get(f"/admin/customer/delete/?id={keys['B']}").status_code == 404
    assert list(Customer.select().order_by(Customer.id).dicts()) == before
    assert ChangeSetRecord.select().count() == history
    assert "authz_fail" in caplog.text
    listing = operator.get(f"/admin/customer/?selection={token}")
    assert listing.status_code == 200 and "B GmbH" not in listing.get_data(as_text=True)


@pytest.mark.req("PX-106")
def test_a_mail_merge_file_has_the_lines_of_the_address(operator: FlaskClient) -> None:
    change = ChangeSet("import")
    trade = change.create(CustomerKind1, {"code": "H", "name": "Handel"})
    change.apply(WEBER)
    kind = {"customer_kind_1": trade.key, "street": "Hauptstraße 1", "postal_code": "8010"}
    make(A=kind, B={}, C={**kind, "name_2": "=Werk"}, D={}, E={})
    page = choose(operator, do="mark", customer_kind_1="H")
    assert listed(page) == ["A", "C"]
    token = page.one("form", id="marked").one("input", name="token")["value"]
    form = get(operator, f"/admin/customer/action/write_letters?selection={token}").one("form", css="narrow")
    answer = operator.post(form["action"], data=form.fields())
    text = answer.get_data().decode("utf-8-sig")
    answer.close()
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[0][:6] == ["Kundennummer", "Name 1", "Name 2", "PLZ", "Ort", "Zeile 1"]
    assert [row[5:9] for row in rows[1:]] == [
        ["A GmbH", "Hauptstraße 1", "8010 Graz", ""],
        ["C GmbH", "'=Werk", "Hauptstraße 1", "8010 Graz"],
    ]
    assert "Serienbrief.csv" in answer.headers["Content-Disposition"]

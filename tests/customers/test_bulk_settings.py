"""„Änderung der Kundeneinstellungen“: the page, the plan of 4,312 customers, and what is kept of it."""

from __future__ import annotations

import io
from collections import Counter
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient

from actions.change_settings import ChangeCustomerSettings
from domain.catalog import Supplier
from domain.values.delivery import Tour
from domain.values.groups import Category
from flask_appadmin.changes import ChangeSet, make_transform
from flask_appadmin.database import database, engine
from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.filters import Filter
from flask_appadmin.history import ChangeRecord, ChangeSetRecord
from flask_appadmin.rights import system_operator
from flask_appadmin.selections import Selection
from flask_appadmin.specs import spec_of
from models import Customer, CustomerCategory, MailingCriterion, SupplierAssignment
from tests.customers.test_customer_pages import change_page, make, photograph
from tests.reader import Page, get, read, send

WEBER = system_operator("Frau Weber")


def many_customers(number: int) -> None:
    """So many customers in a moment: the first one again and again, with numbers and some values of their own."""
    make(A={"free_2": "Wien", "free_3": "alt"})
    spec = spec_of(Customer)
    own = {
        "customer_number": "90000 + n.i",
        "search_name": "'K' || n.i",
        "version": "1",
        "free_2": "'Wien ' || n.i % 5",
    }
    names = [item for item in spec.fields if (item.name != "id" and not item.unique) or item.name == "customer_number"]
    columns = ", ".join(f'"{item.column}"' for item in names)
    values = ", ".join(own.get(item.name, f'c."{item.column}"') for item in names)
    database.execute_sql(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number - 1}) "
        f"INSERT INTO customer ({columns}) SELECT {values} FROM customer c, n WHERE c.search_name = 'A'"
        if engine() == "sqlite"
        else f"INSERT INTO customer ({columns}) SELECT {values.replace('n.i % 5', '(n.i %% 5)')} FROM customer c, "
        f"generate_series(1, {number - 1}) AS n(i) WHERE c.search_name = 'A'"
    )
    Customer.update(marker="VIP").where(Customer.customer_number / 10 * 10 == Customer.customer_number).execute()
    Customer.update(discount_percent=Decimal("2.5")).where(
        Customer.customer_number / 3 * 3 == Customer.customer_number
    ).execute()
    Customer.update(free_3=None).where(Customer.customer_number / 2 * 2 == Customer.customer_number).execute()


def preview_of(client: FlaskClient, page: Page, **typed: Any) -> tuple[Any, Page]:
    form = page.one("form", id="bulk")
    fields = form.fields(**typed)
    shown = read(client.post(form["action"], data=fields, headers={"X-Fragment": "bulk_preview"}))
    fields.setlist("plan", [node["value"] for node in shown.all("input", name="plan")])
    return fields, shown


# The figures are those of one engine; the small plans above run on both.
@pytest.mark.engines("sqlite")
def test_the_plan_of_4312_customers_is_what_happens_or_nothing(app: Flask) -> None:
    """M5: three fields set, one cleared, one transformed; groups, refusals, a change in between, the way back."""
    many_customers(4_312)
    long_ones = [row[0] for row in Customer.select(Customer.id).order_by(Customer.id).limit(3).offset(40).tuples()]
    Customer.update(free_2="Wien " * 5).where(Customer.id << long_ones).execute()
    spec = spec_of(Customer)
    values = {
        "marker": "VIP",
        "dunning_lock": True,
        "discount_percent": Decimal("2.50"),
        "free_3": None,
        "free_2": make_transform(spec, spec.field("free_2"), "replace", ("Wien", "Klagenfurt am Wörthersee")),
    }
    action = ChangeCustomerSettings()
    selection = Selection.of_filter(Filter.from_text(spec, "", WEBER), WEBER)
    plan = action.preview(selection, dict(values), samples=5)
    assert (plan.count, plan.changed, plan.same) == (4_312, 4_309, 0)
    assert [key for key, _title, _reason in plan.refused] == long_ones
    assert len(plan.samples) == 5
    assert "Klagenfurt" in plan.samples[0].lines[-1][2]
    kept = action.preview(selection, dict(values), long_ones)
    meanwhile = ChangeSet("form")
    meanwhile.update(Customer, long_ones[0] + 10, {"city": "Graz"})
    meanwhile.apply(system_operator("Herr Berger"))
    title = f"{Customer.get_by_id(long_ones[0] + 10).customer_number}"
    before = photograph()
    change = action.plan(selection, dict(values), expected=kept.state, without=long_ones, refused=plan.refused)
    with pytest.raises(Exception, match=rf"{title}.*Ort .* → Graz \(Herr Berger\)"):
        change.apply(WEBER)
    assert photograph() == before, "nothing was written"
    kept = action.preview(selection, dict(values), long_ones)
    change = action.plan(selection, dict(values), expected=kept.state, without=long_ones, refused=plan.refused)
    applied = change.apply(WEBER)
    assert (applied.updated, kept.changed + kept.same + len(long_ones)) == (kept.changed, 4_312)
    rows = ChangeRecord.select(ChangeRecord.field, ChangeRecord.old_value, ChangeRecord.new_value)
    written: Counter[Any] = Counter(rows.where(ChangeRecord.change_set == applied.change_set).tuples())
    told: Counter[Any] = Counter()
    for name, groups in kept.groups.items():
        item = spec.field(name)
        for group in groups:
            if not group.same:
                old, new = (None if text == "leer" else item.parse(text) for text in (group.old, group.new))
                told[name, json_text(item.type.to_json(old, item)), json_text(item.type.to_json(new, item))] += (
                    group.count
                )
    assert written == told, "the counts after it are those of the preview"
    kept_words = ChangeSetRecord.get_by_id(applied.change_set).details["words"]
    assert kept_words[-1].endswith("„Wien“ durch „Klagenfurt am Wörthersee“ ersetzen")
    ChangeSet.undo(applied.change_set or 0).apply(WEBER)
    assert photograph() == before


@pytest.mark.engines("sqlite", later="postgresql")
@pytest.mark.req("SC-34", "SC-36")
def test_a_setting_is_left_set_emptied_or_made_of_what_is_there(operator: FlaskClient) -> None:
    tours = ChangeSet("import")
    one, two = (tours.create(Tour, {"code": f"T{number}", "name": f"Tour {number}"}) for number in (1, 2))
    tours.apply(WEBER)
    keys = make(
        A={"tour": one.key, "free_2": "Wien", "marker": "a"},
        B={"tour": one.key, "free_2": "Wiener Neustadt", "marker": "a"},
        C={"tour": one.key, "free_2": "Wien" * 7},
    )
    page = change_page(operator, *keys)
    states = page.one("select", name="mode-tour")
    assert [(node.text, "disabled" in node.attributes) for node in states.all("option")[:3]] == [
        ("nicht ändern", False),
        ("setzen auf", False),
        ("leeren", False),
    ]
    mandatory = page.one("select", name="mode-status")
    assert [node.text for node in mandatory.all("option") if "disabled" in node.attributes] == ["leeren (Pflichtfeld)"]
    marker = next(row for row in page.all("tr") if row.get("data-setting") == "marker")
    assert marker.all("td")[2].text == "verschieden (2 Werte)"
    assert marker.all("td")[2]["title"] == "2 × a, 1 × leer"
    # SC-34: only what is ticked; an input without its tick is sent along and counts for nothing.
    before = photograph()
    fields, shown = preview_of(operator, page, change=["tour"], tour=str(two.key), marker="b", **{"mode-tour": "set"})
    assert [[cell.text for cell in row.all("td")] for row in shown.one("table", "groups").all("tr")[1:]] == [
        ["3 ×", "Tour", "T1 Tour 1 → T2 Tour 2"]
    ]
    fields.setlist("_do", ["apply"])
    done = send(operator, page.one("form", id="bulk")["action"], fields)
    assert done.toast == "3 Kunden geändert."
    assert list(Customer.select(Customer.tour, Customer.marker).order_by(Customer.id).tuples()) == [
        (two.key, "a"),
        (two.key, "a"),
        (two.key, None),
    ]
    send(operator, done.one("div", "toast").one("form")["action"], {})
    assert photograph() == before
    # SC-36, case 85: a mandatory field is not emptied, whoever asks for it.
    page = change_page(operator, *keys)
    form = page.one("form", id="bulk")
    sent = form.fields(change=["status"], **{"mode-status": "clear", "plan": "[3]", "_do": "apply"})
    refused = send(operator, form["action"], sent)
    assert "Status: Dieses Feld kann nicht leer sein: es ist ein Pflichtfeld." in " ".join(refused.faults)
    # Case 86: what is not on the page is not taken.
    for name in ("customer_number", "revenue_current", "shop_password", "gibtesnicht"):
        assert operator.post(form["action"], data=form.fields(change=[name])).status_code == 403
    assert photograph() == before
    # Case 84: made of what is there; who does not take it is named, left out by one click, recorded, handed out.
    ways = {"change": ["free_2"], "mode-free_2": "replace", "arg1-free_2": "Wien", "arg2-free_2": "Graz an der Mur"}
    _fields, shown = preview_of(operator, page, **ways)
    assert shown.one("div", css="pad").text == "2 Kunden werden geändert, 1 nicht."
    assert "disabled" in shown.one("button", "main-button").attributes
    card = shown.one("section", "refused")
    assert "ist zu lang" in card.text
    first = shown.one("table", "groups").all("tr")[1].text
    assert "ist zu lang" in first, "what fails stands first"
    samples = [row.all("td")[1].text for row in shown.one("section", "samples").all("tr")[1:]]
    assert [text.split(": ", 1)[1] for text in samples] == [
        "Wien → Graz an der Mur",
        "Wiener Neustadt → Graz an der Murer Neustadt",
    ]
    sheet = operator.post(form["action"], data=form.fields(**ways, _do="refused_xlsx"))
    book = openpyxl.load_workbook(io.BytesIO(sheet.data))
    rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert rows[0] == ["Kunde", "Grund"]
    assert "ist zu lang" in str(rows[1][1])
    table = operator.post(form["action"], data=form.fields(**ways, _do="refused_csv"))
    assert "ist zu lang" in table.get_data(as_text=True)
    fields, shown = preview_of(operator, page, **ways, _without_refused="1")
    assert shown.one("button", "main-button").text == "2 Kunden ändern"
    fields.setlist("_do", ["apply"])
    done = send(operator, form["action"], fields)
    assert done.toast == "2 Kunden geändert, 1 nicht."
    assert [row.free_2 for row in Customer.select().order_by(Customer.id)] == [
        "Graz an der Mur",
        "Graz an der Murer Neustadt",
        "Wien" * 7,
    ]
    last = ChangeSetRecord.select().order_by(ChangeSetRecord.id.desc()).get()
    operation = get(operator, f"/admin/operations/show?id={last.id}")
    assert "„Wien“ durch „Graz an der Mur“ ersetzen" in operation.text
    assert "10003 C GmbH: " in operation.text, "who was left out is named"
    assert "ist zu lang" in operation.text


@pytest.mark.engines("sqlite", later="postgresql")
def test_assignments_of_customers_are_changed_for_all_that_are_marked(operator: FlaskClient) -> None:
    """Categories (numbered in their order), suppliers, mailing criteria: without doubling, and taken back."""
    made = ChangeSet("import")
    workshop, office = (
        made.create(Category, {"code": code, "name": name}) for code, name in (("W", "Werkstatt"), ("B", "Büro"))
    )
    supplier = made.create(Supplier, {"number": 70001, "name_1": "Soennecken"})
    made.apply(WEBER)
    keys = make(A={}, B={}, C={})
    given = ChangeSet("import")
    given.create(CustomerCategory, {"customer": keys[0], "category": workshop.key})
    given.create(MailingCriterion, {"customer": keys[1], "criterion": "Weihnachten"})
    given.apply(WEBER)
    before = photograph()
    page = change_page(operator, *keys)
    names = ["customer_category.category", "supplier_assignment.supplier", "mailing_criterion.criterion"]
    typed = {
        "change": names,
        f"mode-{names[0]}": "add",
        names[0]: "Werkstatt; Büro",
        f"mode-{names[1]}": "add",
        names[1]: "70001",
        f"mode-{names[2]}": "remove",
        names[2]: "Weihnachten",
    }
    fields, shown = preview_of(operator, page, **typed)
    assert shown.one("div", css="pad").text == "3 Kunden werden geändert."
    assert "Kategorien: 5 kommen dazu, 0 fallen weg" in shown.one("section", "effects").text
    fields.setlist("_do", ["apply"])
    done = send(operator, page.one("form", id="bulk")["action"], fields)
    assert done.toast == "3 Kunden geändert."
    rows = CustomerCategory.select(
        CustomerCategory.customer, CustomerCategory.category, CustomerCategory.sequence_number
    )
    expected = [(key, category.key, number) for key in keys for number, category in enumerate((workshop, office))]
    assert sorted(rows.tuples()) == sorted(expected)
    assert SupplierAssignment.select().where(SupplierAssignment.supplier == supplier.key).count() == 3
    assert MailingCriterion.select().count() == 0
    send(operator, done.one("div", "toast").one("form")["action"], {})
    assert photograph() == before
    page = change_page(operator, *keys)
    _fields, shown = preview_of(
        operator, page, change=names[:1], **{f"mode-{names[0]}": "add", names[0]: "Gibtesnicht"}
    )
    assert "nicht vorhanden" in shown.text

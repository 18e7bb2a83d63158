"""What a form of customers gets that no page of ours sends, or too late: the cases of trust.md, one after the other.

Each case is a function called by its number; all of them run on one database, and each one has customers of its own.
A refusal is a sentence with status 422 at the field or row, with the input still there and nothing written.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from actions.import_sheet import run_import
from flask_appadmin.arrangements import arranged
from flask_appadmin.changes import ChangeSet
from flask_appadmin.customfields import CustomField, CustomFieldValue
from flask_appadmin.errors import FaultList
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.rights import Role
from flask_appadmin.specs import spec_of
from models import BankAccount, Contact, Customer
from tests.customers.test_child_tables import with_window
from tests.customers.test_custom_fields import define
from tests.customers.test_customer_form import WEBER, customers, greyed, open_form, save
from tests.customers.test_spreadsheets import exported
from tests.reader import Page, get, read, send
from tests.spreadsheets import edit_cells, rows_of

IBAN, OTHER_IBAN = "DE02120300000000202051", "DE02500105170137075030"


class Case:
    """One case: whoever is signed in, and what the log says meanwhile."""

    def __init__(self, client: FlaskClient, log: pytest.LogCaptureFixture, folder: Path) -> None:
        self.client = client
        self.log = log
        self.folder = folder

    def form(self, key: int, tab: str = "") -> Page:
        return open_form(self.client, key, tab=tab)

    def sent(self, page: Page, rows: list[str] | None = None, **typed: Any) -> Page:
        """The page with rows and values added to what it sends itself."""
        form = page.one("form", id="form")
        fields = form.fields()
        for start in rows or []:
            fields.add("_rows", start)
        for name, value in typed.items():
            if name.startswith("_"):
                fields.add(name, value)
            else:
                fields.setlist(name, value if isinstance(value, list) else [value])
        return send(self.client, form["action"], fields)

    def refused(self, page: Page, **kept: str) -> list[str]:
        """The sentences of a page that was refused, with this input still on it."""
        assert page.status == 422, (page.status, page.text[:500])
        fields = page.one("form", id="form").fields()
        assert {name: fields.get(name) for name in kept} == kept
        return page.summary


def written() -> list[Any]:
    return [
        sorted(model.select().tuples()) for model in (ChangeSetRecord, Customer, BankAccount, Contact, CustomFieldValue)
    ]


def account(customer: int, iban: str = IBAN) -> int:
    change = ChangeSet("import")
    made = change.create(BankAccount, {"customer": customer, "iban": iban})
    change.apply(WEBER)
    return made.key or 0


def case_47_an_id_twice_or_none(case: Case) -> None:
    first, second = customers("Auer", "Bauer")
    before = written()
    for words in (f"id={first}&id={second}", f"id={first}&id={first}", f"id={first},{second}", "id=", ""):
        answer = case.client.get(f"/admin/customer/edit/?{words}")
        assert answer.status_code == 404, words
        assert "ist nicht vorhanden, gelöscht oder für Sie nicht sichtbar." in answer.get_data(as_text=True)
    page = case.form(first)
    assert case.sent(page, id=str(second), name_2="Sohn").status == 404
    assert case.client.post("/admin/customer/edit/", data={"id": [first, second], "name_2": "Sohn"}).status_code == 404
    assert written() == before


def case_48_a_customer_that_somebody_deleted(case: Case) -> None:
    (key,) = customers("Auer")
    Customer.update(status="draft").where(Customer.id == key).execute()
    page = case.form(key, "general")
    change = ChangeSet("delete")
    change.delete(Customer, key)
    change.apply(WEBER)
    before = written()
    answer = case.sent(page, email="auer@example.org")
    (sentence,) = case.refused(answer, email="auer@example.org")
    assert (
        sentence.startswith("Frau Weber hat diesen Datensatz am ") and "gelöscht; gespeichert wurde nichts" in sentence
    )
    assert written() == before
    assert case.client.get(f"/admin/customer/edit/?id={key}").status_code == 404
    # Who may not make customers can at least copy the words.
    administrator = Role.get(Role.name == "Administrator")
    every, some = administrator.permissions, ["customer.read", "customer.edit"]
    Role.update(permissions=some, version=Role.version + 1).where(Role.id == administrator.id).execute()
    answer = case.sent(page, email="auer@example.org")
    Role.update(permissions=every, version=Role.version + 1).where(Role.id == administrator.id).execute()
    (sentence,) = case.refused(answer, email="auer@example.org")
    assert sentence.endswith("Ihre Eingaben stehen hier noch, damit Sie sie abschreiben oder kopieren können.")
    assert "Speichern (Strg+S)" in greyed(answer) and written() == before


def case_49_a_customer_that_somebody_changed(case: Case) -> None:
    (key,) = customers("Auer")
    page = case.form(key)
    change = ChangeSet("form")
    change.update(Customer, key, {"name_2": "Tochter"})
    change.apply(WEBER)
    before = written()
    answer = case.sent(page, name_2="Sohn")
    case.refused(answer, name_2="Sohn")
    assert "Inzwischen geändert: Frau Weber" in answer.text and "Tochter" in answer.text
    assert written() == before


def case_50_fields_that_are_not_in_the_form(case: Case) -> None:
    (key,) = customers("Auer")
    strange = {"version": "99", "role": "1", "csi_password": "geheim", "contact-n1-name_1": "Eva"}
    answer = case.sent(case.form(key), name_2="Sohn", **strange)
    assert answer.toast == "Gespeichert."
    stored = Customer.get_by_id(key)
    assert (stored.name_2, stored.version, stored.csi_password, stored.contacts.count()) == ("Sohn", 2, None, 0)
    line = next(text for text in case.log.messages if "input_field_unknown" in text)
    assert line.endswith("count=4 names='version' 'role' 'csi_password' 'contact-n1-name_1'")
    assert "geheim" not in case.log.text and "Eva" not in case.log.text
    settings = case.client.application.config
    before = written()
    settings["STRICT_FORMS"] = True
    try:
        assert case.sent(case.form(key), name_2="Enkel", **strange).status == 400
        assert written() == before
        # What a page sends itself is known, whichever of its tabs are open.
        change = ChangeSet("import")
        change.create(Contact, {"customer": key, "name_1": "Eva"})
        change.apply(WEBER)
        account(key)
        page = case.form(key)
        tabs = [node["data-tab"] for node in page.all("", role="tab")[1:] if node["data-tab"] != "history"]
        address = f"/admin/customer/edit/?id={key}&{'&'.join(f'tab={tab}' for tab in tabs)}"
        part = read(case.client.get(address, headers={"X-Fragment": "panel"}))
        form = page.one("form", id="form")
        answer = send(case.client, form["action"], with_window(page, part, {"name_2": "Enkel"}))
        assert answer.toast == "Gespeichert.", answer.text[:500]
    finally:
        settings["STRICT_FORMS"] = False


def case_66_steps_of_the_status(case: Case) -> None:
    (key,) = customers("Auer")
    for old, new in (("deleted", "active"), ("active", "draft"), ("active", "deleted"), ("active", "anonymised")):
        Customer.update(status=old).where(Customer.id == key).execute()
        page = case.form(key, "details")
        before = written()
        (sentence,) = case.refused(case.sent(page, status=new), status=new)
        assert "Von Hand geht es vom Entwurf zu Aktiv oder Gesperrt und zwischen diesen beiden." in sentence
        assert written() == before


def case_67_the_same_form_twice(case: Case) -> None:
    page = get(case.client, "/admin/customer/new/")
    for _time in range(2):
        assert case.sent(page, name_1="Zweimal", search_name="ZWEI").heading.endswith("Zweimal")
    assert Customer.select().where(Customer.name_1 == "Zweimal").count() == 1


def case_68_a_form_of_another_operator(case: Case) -> None:
    (key,) = customers("Auer")
    page = case.form(key)
    before = written()
    form = page.one("form", id="form")
    sentences = case.refused(send(case.client, form["action"], form.fields(_by="987", name_2="Sohn")), name_2="Sohn")
    assert sentences[0].startswith("Diese Seite wurde mit einer anderen Anmeldung ausgefüllt. Es wurde nichts ")
    assert written() == before


def case_70_a_row_of_another_customer(case: Case) -> None:
    first, second = customers("Auer", "Bauer")
    foreign = account(second, OTHER_IBAN)
    before = written()
    for key in (foreign, 987654):
        start = f"bank_account-{key}"
        typed = {f"{start}-version": "1", f"{start}-bank_name": "Meine Bank"}
        answer = case.sent(case.form(first, "banks"), [start], **typed)
        (sentence,) = case.refused(answer, **{f"bank_account-n{key}-bank_name": "Meine Bank"})
        assert sentence.startswith("Eine Zeile, die Sie geändert haben, gehört nicht zu diesem Datensatz.")
        # To delete it is no way, either.
        case.sent(case.form(first, "banks"), [start], **{f"{start}-version": "1", f"{start}-delete": "1"})
        assert written() == before
    assert OTHER_IBAN not in answer.text and BankAccount.get_by_id(foreign).customer_id == second


def case_71_a_row_that_somebody_deleted(case: Case) -> None:
    (key,) = customers("Auer")
    row = account(key)
    page = case.form(key, "banks")
    change = ChangeSet("form", reason="Konto erloschen")
    change.delete(BankAccount, row)
    change.apply(WEBER)
    before = written()
    answer = case.sent(page, **{f"bank_account-{row}-bank_name": "Meine Bank"})
    (sentence,) = case.refused(answer, **{f"bank_account-n{row}-bank_name": "Meine Bank"})
    assert sentence.startswith("Eine Zeile, die Sie geändert haben, wurde inzwischen gelöscht.")
    assert written() == before


def case_73_gaps_and_repeats_among_the_rows(case: Case) -> None:
    first, second = customers("Auer", "Bauer")
    names = {f"bank_account-{row}-bank_name": f"Bank {row}" for row in ("n7", "n3")}
    answer = case.sent(case.form(first, "banks"), ["bank_account-n7", "bank_account-n3"], **names)
    assert answer.toast == "Gespeichert."
    found = BankAccount.select().where(BankAccount.customer == first).order_by(BankAccount.sequence_number)
    assert [row.bank_name for row in found] == ["Bank n7", "Bank n3"]
    before = written()
    page = case.form(second, "banks")
    twice = (
        (["bank_account-n7", "bank_account-n7"], {"bank_account-n7-bank_name": "Bank A"}),
        (["bank_account-n7"], {"bank_account-n7-bank_name": ["Bank A", "Bank B"]}),
    )
    for rows, typed in twice:
        answer = case.sent(page, rows, **typed)
        (sentence,) = case.refused(answer, **{"bank_account-n7-bank_name": "Bank A"})
        assert sentence.startswith("Bankverbindungen: Eine Zeile kam zweimal an. Gespeichert wurde nichts;")
        assert written() == before
    assert save(case.client, answer).toast == "Gespeichert.", "as it stands there it can be saved"


def case_75_mandates(case: Case) -> None:
    (key,) = customers("Auer")
    start = "bank_account-n9"
    before = written()
    needed = "Lastschriften mit IBAN brauchen Mandatsreferenz und Datum. Bitte ausfüllen."
    odd: tuple[tuple[dict[str, str], list[str]], ...] = (
        (
            {"iban": IBAN, "mandate_reference": "M1", "mandate_date": "01.10.2099"},
            ["Mandatsreferenz-Datum: „01.10.2099“ liegt in der Zukunft."],
        ),
        (
            {"mandate_reference": "M1", "mandate_date": "01.10.2024"},
            ["IBAN: Ein Mandat gilt nur für ein Konto mit IBAN. Bitte ausfüllen."],
        ),
        (
            {"iban": IBAN, "direct_debit": "1"},
            [f"Mandatsreferenz: {needed}", f"Mandatsreferenz-Datum: {needed}"],
        ),
    )
    for typed, sentences in odd:
        values = {f"{start}-{name}": value for name, value in typed.items()}
        answer = case.sent(case.form(key, "banks"), [start], _shown=f"{start}-direct_debit", **values)
        assert case.refused(answer, **values) == sentences
        assert written() == before


def case_76_names_of_custom_fields(case: Case) -> None:
    odd = ("<b>fett</b>", "=cmd|'/c calc'!A1", "a.b[0]", "***")
    names = [define(case.client, label)[0] for label in odd]
    before = CustomField.select().count()
    for label in ("Name 1", "name 1", "customer_number", "PLZ"):
        _name, answer = define(case.client, label)
        assert answer.status == 422 and CustomField.select().count() == before, label
        assert answer.summary[0].startswith(f"Bezeichnung: „{label}“ heißt hier schon ein anderes Feld (")
        assert answer.one("form", id="form").fields()["label"] == label
    (key,) = customers("Auer")
    tabs = {node.text: node["data-tab"] for node in case.form(key).all("", role="tab")}
    page = case.form(key, tabs["Vertrieb"])
    assert "<b>fett</b>" not in page.html and set(odd) <= {node.text for node in page.all("label")}
    typed = {name: f"Wert {at}" for at, name in enumerate(names)}
    assert case.sent(page, **typed).toast == "Gespeichert."
    # A workbook of ours brings each of them home to its own field, and so does a list of somebody else's.
    path = exported(case.client, [key], case.folder / "heim.xlsx")
    heading, row = rows_of(path, "Kunden")[:2]
    assert [row[heading.index(label)] for label in odd] == list(typed.values())
    edit_cells(path, "Kunden", {(2, label): f"Neu {at}" for at, label in enumerate(odd)})
    listed = case.folder / "liste.csv"
    number = Customer.get_by_id(key).customer_number
    listed.write_text(f"Nummer;{odd[0]};{odd[2]};;Name 1\n{number};X;Y;nichts;Auer\n", "utf-8")
    with arranged(WEBER):
        assert run_import(path, spec_of(Customer), WEBER).changed == 1
        assert run_import(listed, spec_of(Customer), WEBER).changed == 1
    values = CustomFieldValue.select().where(CustomFieldValue.record_id == key).order_by(CustomFieldValue.custom_field)
    assert [row.value for row in values] == ["X", "Neu 1", "Y", "Neu 3"]
    assert Customer.get_by_id(key).name_1 == "Auer"


def case_77_another_type_or_length_while_there_are_values(case: Case) -> None:
    (key,) = customers("Auer")
    name, _page = define(case.client, "Dauer")
    field = int(name.partition("_")[2])
    with arranged(WEBER):
        change = ChangeSet("form")
        change.update(Customer, key, {name: "zwei Wochen"})
        change.apply(WEBER)
    before = written(), list(CustomField.select().tuples())
    for typed, words in (
        ({"field_type": "integer"}, "Feldtyp: Dieser Wert kann hier nicht geändert werden; gespeichert ist „Text“."),
        ({"length": "10"}, "Feldlänge: „10“ ist zu kurz: Es gibt schon Werte mit 11 Stellen."),
    ):
        answer = case.sent(get(case.client, f"/admin/custom_field/edit/?id={field}"), **typed)
        assert answer.status == 422 and answer.summary == [words]
    change = ChangeSet("form")
    change.update(CustomField, field, {"field_type": "integer"})
    with pytest.raises(FaultList, match="kann nicht mehr geändert werden"):
        change.apply(WEBER)
    assert (written(), list(CustomField.select().tuples())) == before


def case_78_values_that_a_custom_field_does_not_take(case: Case) -> None:
    names = {kind: define(case.client, f"Art {kind}", field_type=kind)[0] for kind in ("text", "bool", "integer")}
    (key,) = customers("Auer")
    tabs = {node.text: node["data-tab"] for node in case.form(key).all("", role="tab")}
    before = written()
    page = case.form(key, tabs["Vertrieb"])
    typed = {names["text"]: "ä" * 256, names["integer"]: "maybe"}
    sentences = case.refused(case.sent(page, **typed, **{names["bool"]: "maybe"}), **typed)
    assert [sentence.partition("…“ ")[2] or sentence for sentence in sentences] == [
        "ist zu lang (256 Zeichen). Höchstens 255 Zeichen passen hinein.",
        "Art bool: „maybe“ ist weder Ja noch Nein. Bitte Ja oder Nein eingeben.",
        "Art integer: „maybe“ ist keine ganze Zahl. Bitte nur Ziffern eingeben, zum Beispiel 30.",
    ]
    assert written() == before
    assert case.sent(page, **{names["text"]: "ä" * 255, names["bool"]: "1"}).toast == "Gespeichert."


CASES: tuple[Callable[[Case], None], ...] = tuple(
    found for name, found in list(globals().items()) if name.startswith("case_")
)


def test_each_case_is_refused_in_words_and_leaves_everything_as_it_was(
    operator: FlaskClient, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    assert len(CASES) == 14
    case = Case(operator, caplog, tmp_path)
    for run in CASES:
        caplog.clear()
        try:
            run(case)
        except AssertionError as fault:
            raise AssertionError(f"{run.__name__}: {fault}") from fault
    assert read(operator.get("/admin/customer/")).status == 200

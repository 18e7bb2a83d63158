"""What goes to other systems: XML files of imported customers, the file for the tills, invoices by EDIFACT."""

from __future__ import annotations

import datetime
import errno
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient

import admin_app
from actions.import_sheet import run_import
from domain.catalog import Article
from domain.customer_xml import customer_elements
from domain.settings import Setting, current_setting
from domain.till import TillCustomerFeed
from domain.trade import Invoice, InvoiceItem
from domain.trade.edifact import encoded, interchange
from domain.values.countries import Currency
from domain.values.groups import CardType
from domain.values.terms import PaymentTerm
from flask_appadmin import jobs
from flask_appadmin.changes import ChangeSet, departures_of
from flask_appadmin.database import fixed_clock, utcnow
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.rights import Operator
from flask_appadmin.sheets.forgetting import let_go
from flask_appadmin.sheets.outbox import OutboxFault, folder_below, lay_down, outbox
from flask_appadmin.sheets.sessions import ImportRun
from flask_appadmin.specs import spec_of
from flask_appadmin.views.imports import running
from models import Contact, Country, Customer, CustomerCard
from tests.customers.test_documents import DAY, change, clerk, customer, make, refusal
from tests.customers.test_spreadsheets import apply, follow, upload
from tests.reader import get, send
from tests.spreadsheets import form_values, words_of, write_csv

SPEC = spec_of(Customer)


def setting(**values: Any) -> None:
    stored = Setting.select().first()
    if stored is None:
        make(Setting, **values)
    else:
        change(stored, **values)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


# --- XML per customer -------------------------------------------------------------------------------------------------


@pytest.mark.req("ME-18")
def test_new_and_changed_customers_of_an_import_leave_as_xml_files(
    app: Flask, operator: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = outbox(tmp_path)
    head = ["Kunden-Nr.", "Name 1", "E-Mail", "Kreditlimit", "Ansprechpartner Name 1"]

    def bring(*rows: list[Any]) -> str:
        """Takes a list in through the pages; answers the words of the result."""
        path = write_csv(tmp_path / "liste.csv", [head, *rows])
        page, url = follow(operator, upload(operator, path))
        for _step in range(3):
            if "_do" in page and "/mapping" in url:
                answer = operator.post(url, data={**form_values(page), "_do": "preview"})
            elif "/preview" in url:
                answer = apply(operator, page)
            else:
                break
            jobs.run_waiting()
            page, url = follow(operator, answer)
        assert "/result" in url, words_of(page)
        return words_of(page)

    # Without a path there is no file.
    told = bring([20001, "Müller & Söhne", "", "", ""], [20002, "Öz", "", "", ""])
    assert "2 Datensätze übernommen." in told and "Ausgangsordner" not in told
    assert names_in(base) == []

    # A folder elsewhere is refused where it is entered; one that is missing is told, and the import stays.
    for wrong in ("../kunden", "/etc", "a/../../b", "C:\\export", "x\\..\\y"):
        assert "kein Ordner im Ausgangsordner" in refusal(lambda wrong=wrong: setting(customer_export_directory=wrong))
    setting(customer_export_directory="erp/kunden")
    told = bring([20001, "Müller & Söhne", "", "", ""], [20003, "Neu", "", "", ""])
    assert "1 Datensatz übernommen." in told
    assert "Es entstanden keine XML-Dateien. Den Ordner „erp/kunden“ gibt es" in told
    assert Customer.select().count() == 3 and names_in(base) == []
    (tmp_path / "outside").mkdir()
    (base / "erp").mkdir()
    (base / "erp" / "kunden").symlink_to(tmp_path / "outside")
    assert "liegt nicht im Ausgangsordner" in bring([20003, "Neu 2", "", "", ""])
    assert names_in(tmp_path / "outside") == []
    (base / "erp" / "kunden").unlink()
    folder = base / "erp" / "kunden"
    folder.mkdir()

    # One new, one changed, one unchanged, one faulty.
    contact = Contact.select().where(Contact.customer == Customer.get(Customer.customer_number == 20001).id)
    told = bring(
        [20001, "Müller & Söhne", "büro@müller.example", "1500,50", "Berger <x>"],
        [20002, "Öz", "", "", ""],
        [20004, "Vier", "", "", ""],
        [20005, "Fünf", "keine", "", ""],
    )
    assert "2 Dateien liegen im Ausgangsordner." in told, told
    assert names_in(folder) == ["kunde_20001.xml", "kunde_20004.xml"]
    assert (folder / "kunde_20001.xml").stat().st_mode & 0o077 == 0
    root = ElementTree.parse(folder / "kunde_20001.xml").getroot()
    found = {name: root.findtext(name) for name in ("name_1", "email", "credit_limit", "status", "fax", "active")}
    stored = Customer.get(Customer.customer_number == 20001)
    assert found == {
        "name_1": "Müller & Söhne", "email": stored.email, "credit_limit": "1500.50", "status": stored.status,
        "fax": "", "active": "true",
    }  # fmt: skip
    assert [node.findtext("name_1") for node in root.findall("contact_list/contact")] == ["Berger <x>"]
    assert contact.count() == 1 and root.find("contact_list/contact/password") is None

    # A change of a contact alone is a change of the customer; large imports do the same as a job.
    monkeypatch.setattr(running, "ROWS_AT_ONCE", 0)
    told = bring([20004, "Vier", "", "", "Auer"])
    assert "1 Datei liegt im Ausgangsordner." in told, told
    root = ElementTree.parse(folder / "kunde_20004.xml").getroot()
    assert [node.findtext("name_1") for node in root.findall("contact_list/contact")] == ["Auer"]

    # On the command line the same; what cannot be written is a finding and takes nothing back.
    (folder / "kunde_20007.xml").mkdir()
    path = write_csv(tmp_path / "liste.csv", [["Kunden-Nr.", "Name 1"], [20006, "Sechs"], [20007, "Sieben"]])
    report = run_import(path, SPEC, clerk(), instance=tmp_path)
    assert (report.new, report.errors, report.change_set is not None) == (2, 0, True)
    (sentence,) = report.findings
    assert sentence.startswith("1 von 2 XML-Dateien sind entstanden. Die Datei „kunde_20007.xml“ lässt sich nicht")
    assert sentence.endswith("Der Import selbst ist gespeichert.")
    assert (folder / "kunde_20006.xml").is_file() and not list(folder.glob(".*"))
    assert ImportRun.get_by_id(report.run).message == sentence

    # A process may have died before its files were written (test_kills): a later import sees to it after a while.
    ImportRun.update(owes_files=True).where(ImportRun.id == report.run).execute()
    (folder / "kunde_20006.xml").unlink()
    for seconds, started in ((0, 0), (jobs.TAKE_OVER_SECONDS + 1, 1)):
        path = write_csv(tmp_path / "liste.csv", [["Kunden-Nr.", "Name 1"], [20008, f"Acht {seconds}"]])
        with fixed_clock(utcnow() + datetime.timedelta(seconds=seconds)):
            run_import(path, SPEC, clerk(), instance=tmp_path)
            assert jobs.run_waiting() == started and (folder / "kunde_20006.xml").is_file() == bool(started)
    assert not ImportRun.select().where(ImportRun.owes_files == True).exists()  # noqa: E712


@pytest.mark.engines("sqlite")
@pytest.mark.req("ME-18", "NE-02", partly=True)
def test_a_file_lies_there_whole_or_not_at_all_and_says_what_its_reader_may_know(db: Any, tmp_path: Path) -> None:
    base = outbox(tmp_path)

    def breaking(number: int) -> Iterator[bytes]:
        yield b"half a file"
        raise OSError(number, "")

    folder = folder_below(base, "kasse", make=True)
    (folder / "x.xml").write_bytes(b"old")
    for number, words in (
        (errno.ENOSPC, "Der Datenträger ist voll"),
        (errno.EROFS, "Der Ordner ist schreibgeschützt"),
        (errno.EIO, "lässt sich nicht ablegen."),
    ):
        with pytest.raises(OutboxFault, match=words):
            lay_down(folder, "x.xml", breaking(number))
    folder.rename(base / "weg")
    with pytest.raises(OutboxFault, match="Den Ordner gibt es nicht mehr"):
        lay_down(folder, "x.xml", [b"new"])
    assert names_in(base) == ["x.xml"] and (base / "weg" / "x.xml").read_bytes() == b"old"
    for name in ("..", "a/../..", "x" * 5_000, "a\0b", str(tmp_path)):
        with pytest.raises(OutboxFault):
            folder_below(base, name)

    one = customer(1, credit_limit=Decimal(5), remark="a\x0bb")
    few = Operator(None, "Neu", frozenset({"customer.read", "export.run"}))
    fields = ("name_1", "credit_limit", "remark")
    for reader, expected in ((clerk(), {"name_1", "credit_limit", "remark"}), (few, {"name_1", "remark"})):
        ((number, element),) = customer_elements(SPEC, [one.id], reader, fields=fields, children=())
        assert (number, {node.tag for node in element}) == (1, expected)
        ElementTree.fromstring(ElementTree.tostring(element))

    # Who is anonymised goes out of what still waits.
    folder = folder_below(base, "weg")
    for name, text in (("kunde_1.xml", "<a>Firma 1</a>"), ("kunde_2.xml", "<a>Firma 2</a>")):
        lay_down(folder, name, [text.encode()])
    let_go(tmp_path, SPEC, departures_of(SPEC, [one.id]), clerk(), reason="Wunsch des Kunden")
    assert names_in(base) == ["kunde_2.xml", "x.xml"]


# --- the tills --------------------------------------------------------------------------------------------------------


@pytest.fixture
def kontor(
    db: Any, engine_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, Any]]:
    """`kontor("till-feed")` answers exit code and result."""
    monkeypatch.setenv("KONTOR_INSTANCE", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", engine_url)

    def run(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = admin_app.main([*arguments, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.mark.req("NE-02", "NE-28")
def test_the_tills_get_all_active_and_locked_customers(
    operator: FlaskClient, kontor: Callable[..., Any], sign_in_as: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    card = make(CardType, name="Kasse")
    active = customer(
        1, street="Ring 1", city="Graz", personal_discount_percent=Decimal("2.5"), pos_text="Text", warning_text="!",
        credit_sale=True, credit_limit=Decimal(900), country=Country.get(Country.code == "AT").id,
    )  # fmt: skip
    make(CustomerCard, customer=active.id, card_number="555", card_type=card.id)
    others = {"locked": {}, "draft": {}, "anonymised": {}, "deleted": {}, "inactive": {"active": False}}
    for number, (status, values) in enumerate(others.items(), start=2):
        made = customer(number, **values)
        if status != "inactive":
            Customer.update(status=status).where(Customer.id == made.id).execute()

    def fed() -> dict[str, ElementTree.Element]:
        (path,) = (tmp_path / "outbox" / "kasse").iterdir()
        return {node.findtext("customer_number", ""): node for node in ElementTree.parse(path).getroot()}

    page = get(operator, "/admin/till_customer_feed/transmit")
    assert "1 Aktiv" in page.text.replace("\n", " ") or "1Aktiv" in page.text, page.text
    sent = send(operator, "/admin/till_customer_feed/transmit", {})
    assert sent.toast.startswith("2 Kunden übertragen."), sent.text
    found = fed()
    assert {number: node.findtext("status") for number, node in found.items()} == {"1": "active", "2": "locked"}
    wanted = {
        "name_1": "Firma 1", "street": "Ring 1", "city": "Graz", "country": "AT", "personal_discount_percent": "2.50",
        "pos_text": "Text", "warning_text": "!", "credit_sale": "true", "credit_limit": "900.00",
    }  # fmt: skip
    assert {name: found["1"].findtext(name) for name in wanted} == wanted
    assert found["1"].findtext("customer_card_list/customer_card/card_number") == "555"
    feed = TillCustomerFeed.get()
    assert (feed.record_count, feed.file_name in get(operator, "/admin/till_customer_feed/").text) == (2, True)

    # A change of status is in the next transmission, by command this time; five confirmed blank customers are there.
    change(active, status="locked")
    for number in range(11, 16):
        customer(number, is_blank=True)
    Customer.update(status="locked").where(Customer.is_blank).execute()
    code, answer = kontor("till-feed")
    assert (code, answer["count"]) == (0, 7)
    found = fed()
    assert found["1"].findtext("status") == "locked"
    assert set(found) == {"1", "2", "11", "12", "13", "14", "15"}
    assert ChangeSetRecord.select().where(ChangeSetRecord.kind == "transmit").count() == 2

    # Who may see everybody whole fetches the newest file; others neither fetch nor start.
    newest = TillCustomerFeed.select().order_by(TillCustomerFeed.id.desc()).first()
    with operator.get(f"/admin/till_customer_feed/file?id={newest.id}") as answer:
        assert answer.data.startswith(b"<?xml")
    reader = sign_in_as("Lesen", "leser")
    assert reader.get(f"/admin/till_customer_feed/file?id={newest.id}").status_code == 404
    assert "Ihnen fehlt das Recht" in get(reader, "/admin/till_customer_feed/transmit").text
    assert reader.post("/admin/till_customer_feed/transmit").status_code == 403

    # Without a file there was no transmission.
    (tmp_path / "outbox" / "kasse").rename(tmp_path / "outbox" / "alt")
    (tmp_path / "outbox" / "kasse").write_text("")
    answer = operator.post("/admin/till_customer_feed/transmit")
    assert answer.status_code == 409 and TillCustomerFeed.select().count() == 2


# --- EDIFACT ----------------------------------------------------------------------------------------------------------


def segments_of(content: bytes) -> list[str]:
    """The segments of an interchange, split at terminators that are not released."""
    text = content.decode("latin-1")
    assert text.startswith("UNA:+.? '")
    found, start, position = [], 9, 9
    while position < len(text):
        if text[position] == "?":
            position += 2
            continue
        if text[position] == "'":
            found.append(text[start:position])
            start = position + 1
        position += 1
    assert start == len(text)
    return found


@pytest.mark.req("PX-119")
def test_invoices_to_marked_customers_leave_by_edifact_once(
    operator: FlaskClient, kontor: Callable[..., Any], sign_in_as: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    country = Country.get(Country.code == "DE").id
    one = customer(
        1, edifact_export=True, name_2="O'Neill + Söhne: GmbH?", street="Škoda-Straße 5", postal_code="01307",
        city="Dresden", country=country, gln="4000001000005", vat_id_country="DE", vat_id_code="136695976",
    )  # fmt: skip
    two = customer(2)
    article = make(Article, number="S-1", designation_1="Schraube 5'' – 10 €", list_price=Decimal(10))
    term = make(PaymentTerm, number=30, name="30 Tage", net_days=30)
    made = {
        at.customer_number: make(
            Invoice, customer=at.id, number=f"R+{at.customer_number}", invoiced_on=DAY, payment_term=term.id,
            final_discount_percent=Decimal(10), currency=Currency.get(Currency.code == "EUR").id,
        )
        for at in (one, two)
    }  # fmt: skip
    for invoice in made.values():
        for quantity, tax, discount in ((Decimal(4), 20, 0), (Decimal("1.5"), 10, 50)):
            make(
                InvoiceItem, invoice=invoice.id, article=article.id, quantity=quantity, unit_price=Decimal(10),
                discount_percent=Decimal(discount), tax_percent=Decimal(tax),
            )  # fmt: skip
    invoice = Invoice.get_by_id(made[1].id)
    assert (invoice.net_amount, invoice.tax_amount) == (Decimal("42.75"), Decimal("7.88"))

    page = get(operator, "/admin/invoice/edifact")
    assert ("R+1" in page.text, "R+2" in page.text) == (True, False)
    refused = operator.post("/admin/invoice/edifact", data={"key": str(invoice.id)})
    assert refused.status_code == 409 and "eigene Umsatzsteuer-ID" in refused.get_data(as_text=True)
    assert operator.post("/admin/invoice/edifact", data={}).status_code == 409
    setting(own_vat_id="DE129273398")
    fields = page.one("form", css="stack").fields()
    assert fields.getlist("key") == [str(invoice.id)]
    exported = send(operator, "/admin/invoice/edifact", fields)
    assert exported.toast.startswith("1 Rechnung exportiert."), exported.text
    assert "R+1" not in exported.text
    (path,) = (tmp_path / "outbox" / "edifact").iterdir()
    assert path.name == f"INVOIC_R-1_{invoice.id}.edi"
    invoice = Invoice.get_by_id(invoice.id)
    now = invoice.edifact_exported_at
    segments = segments_of(path.read_bytes())
    key = invoice.id
    assert segments == [
        f"UNB+UNOC:3+DE129273398+4000001000005:14+{now:%y%m%d}:{now:%H%M}+{key}",
        f"UNH+{key}+INVOIC:D:96A:UN",
        "BGM+380+R?+1+9",
        "DTM+137:20260518:102",
        "NAD+SU+DE129273398::92",
        "RFF+VA:DE129273398",
        "NAD+BY+4000001000005::9++Firma 1:O?'Neill ?+ Söhne?: GmbH??+Skoda-Straße 5+Dresden++01307+DE",
        "RFF+VA:DE136695976",
        "NAD+IV+1::92+" + segments[8].partition("::92+")[2],
        "CUX+2:EUR:4",
        "PAT+1",
        "DTM+13:20260617:102",
        "ALC+A",
        "MOA+204:4.75",
        "LIN+1++S-1:SA", "IMD+F++:::Schraube 5?'?' - 10 EUR", "QTY+47:4", "MOA+203:40.00", "PRI+AAA:10",
        "TAX+7+VAT+++:::20",
        "LIN+2++S-1:SA", "IMD+F++:::Schraube 5?'?' - 10 EUR", "QTY+47:1.5", "MOA+203:7.50", "PRI+AAB:10",
        "TAX+7+VAT+++:::10", "ALC+A", "PCD+3:50",
        "UNS+S", "CNT+2:2", "MOA+77:50.63", "MOA+79:47.50", "MOA+125:42.75", "MOA+124:7.88",
        "TAX+7+VAT+++:::20", "MOA+125:36.00", "MOA+124:7.20",
        "TAX+7+VAT+++:::10", "MOA+125:6.75", "MOA+124:0.68",
        f"UNT+{len(segments) - 2}+{key}",
        f"UNZ+1+{key}",
    ]  # fmt: skip
    assert "Skoda-Straße 5" in segments[8] and segments[8].count(":") >= 3
    content = operator.get(f"/admin/invoice/edifact_file?id={key}")
    assert content.data == path.read_bytes() == encoded(interchange(invoice, now))
    assert operator.get(f"/admin/invoice/edifact_file?id={made[2].id}").status_code == 404

    # Exported once is exported; taken back it is listed again, and the command exports all there are.
    assert "0 Rechnungen exportiert." in send(operator, "/admin/invoice/edifact", fields).toast
    assert kontor("edifact")[1]["count"] == 0
    done = ChangeSetRecord.get(ChangeSetRecord.kind == "transmit")
    ChangeSet.undo(done.id).apply(clerk())
    assert "R+1" in get(operator, "/admin/invoice/edifact").text
    code, answer = kontor("edifact")
    assert (code, answer["count"], answer["files"]) == (0, 1, [path.name])
    ChangeSet.undo(answer["change_set"]).apply(clerk())

    # Where a file cannot be written nothing is marked, and what was written of it is gone.
    late = make(Invoice, customer=one.id, number="R3", invoiced_on=DAY + datetime.timedelta(1))
    path.unlink()
    (path.parent / f"INVOIC_R3_{late.id}.edi").mkdir()
    answer = operator.post("/admin/invoice/edifact", data={"key": [str(key), str(late.id)]})
    assert answer.status_code == 409 and "lässt sich nicht ablegen" in answer.get_data(as_text=True)
    assert not path.exists() and not Invoice.select().where(Invoice.edifact_exported_at.is_null(False)).exists()

    # Without the right to change invoices nobody exports them.
    reader = sign_in_as("Lesen", "leser")
    assert "disabled" in get(reader, "/admin/invoice/edifact").html
    assert reader.post("/admin/invoice/edifact", data={"key": str(key)}).status_code == 403
    assert current_setting().own_vat_id == "DE129273398"

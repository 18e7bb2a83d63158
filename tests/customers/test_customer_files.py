"""Documents of a customer as files: brought in, listed, handed out, refused, taken back."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from flask_appadmin.changes import ChangeSet
from flask_appadmin.rights import system_operator
from models import Customer, Document
from tests.reader import Page, get, read

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 4096


def upload(client: FlaskClient, page: Page, name: str, content: bytes, kind: str = "") -> Page:
    form = page.one("form", css="entry-form")
    pairs: dict[str, object] = {**form.fields(kind=kind), "file": (io.BytesIO(content), name)}
    if not name:
        del pairs["file"]
    return read(client.post(form["action"], data=pairs, content_type="multipart/form-data", follow_redirects=True))


@pytest.mark.req("PX-181", "NE-154", "NE-155", "NE-156")
def test_a_document_is_uploaded_handed_out_unchanged_and_opened_by_its_name(
    operator: FlaskClient, sign_in_as: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    change = ChangeSet("form")
    values = {"name_1": "Huber", "credit_document_name": "auskunft.pdf"}
    key = change.create(Customer, values)
    other = change.create(Customer, {"name_1": "Auer", "credit_document_name": "auskunft.pdf"})
    change.apply(system_operator("Frau Weber"))
    tab = f"/admin/customer/edit/?id={key.key}&tab=documents"
    window = get(operator, get(operator, tab).one("a", **{"data-command": "new"})["href"])

    def credit(customer: int | None) -> list[str]:
        page = get(operator, f"/admin/customer/edit/?id={customer}&tab=credit")
        return [link["href"] for link in page.all("a", css="open") if "Dokument öffnen" in link["title"]]

    assert credit(key.key) == [], "an unknown name is plain text"
    # The button is the label, so that it is German in every browser; without a window there is a way back.
    choose = window.one("label", **{"for": "upload-file"})
    assert (choose.text, window.one("a", css="back")["href"]) == ("Datei auswählen", tab)
    refused = upload(operator, window, "", b"")
    assert (refused.status, refused.one("p", id="e-file").text) == (422, "Bitte eine Datei auswählen.")
    for name, content, sentence in (
        ("leer.pdf", b"", "„leer.pdf“ ist leer."),
        ("gross.pdf", b"%PDF" + bytes(20 * 1024 * 1024), "„gross.pdf“ ist größer als 20 MB."),
        ("seite.html", b"<html><script>alert(1)</script>", "„seite.html“ wird nicht angenommen."),
        ("bild.svg", b"<svg onload='alert(1)'/>", "„bild.svg“ wird nicht angenommen."),
        ("programm.pdf", b"MZ\x90\x00\x03", "„programm.pdf“ enthält etwas anderes, als der Name sagt."),
        ("seite.txt", b"<html><script>alert(1)</script>", "„seite.txt“ enthält etwas anderes, als der Name sagt."),
        ("ohne Ende", PDF, "„ohne Ende“ wird nicht angenommen."),
    ):
        refused = upload(operator, window, name, content)
        assert refused.status == 422 and refused.one("p", id="e-file").text.startswith(sentence), name
    assert not Document.select().exists() and not list((tmp_path / "documents").iterdir()), "nothing stays of them"

    for name, kind in (("vertrag.pdf", "contract"), ("../../etc/auskunft.pdf", ""), ("Antrag\u202e 1.pdf", "")):
        listed = upload(operator, window, name, PDF, kind)
        assert listed.status == 200, listed.text
    rows = listed.one("section", id="grid-document").all("tbody", css="row")
    assert (listed.status, len(rows), listed.toast) == (200, 3, "Dokument gespeichert.")
    found = {row.file_name: row for row in Document.select()}
    assert "Ablage" not in listed.text and found["vertrag.pdf"].storage_name not in listed.html, "the program's own"
    assert set(found) == {"vertrag.pdf", "auskunft.pdf", "Antrag 1.pdf"}
    contract = found["vertrag.pdf"]
    assert (contract.kind, contract.size_bytes, contract.uploaded_by.username) == ("contract", len(PDF), "weber")
    links = {link["href"] for row in rows for link in row.all("a") if "data-open" in link.attributes}
    assert links == {f"/admin/customer/file?id={row.id}" for row in found.values()}

    assert credit(key.key) == [f"/admin/customer/file?id={found['auskunft.pdf'].id}"]
    assert credit(other.key) == [], "of another customer"
    answer = operator.get(credit(key.key)[0])
    assert answer.data == PDF, "unchanged"
    assert answer.headers["Content-Disposition"] == "attachment; filename=auskunft.pdf"
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"

    change = ChangeSet("form")
    change.delete(Document, contract.id)
    removed = change.apply(system_operator("Frau Weber")).change_set or 0
    address = f"/admin/customer/file?id={contract.id}"
    assert operator.get(address).status_code == 404
    ChangeSet.undo(removed).apply(system_operator("Frau Weber"))
    assert operator.get(address).data == PDF, "its file waited for it"

    reader, nobody = sign_in_as("Lesen", "leser"), sign_in_as("Technik", "technik")
    upload_url = window.one("form", css="entry-form")["action"]
    assert [client.get(address).status_code for client in (reader, nobody)] == [200, 403]
    assert [client.get(upload_url).status_code for client in (reader, nobody)] == [403, 403]
    Document.update(storage_name="../../instance/secret").where(Document.id == contract.id).execute()
    assert operator.get(address).status_code == 404, "a name is never a path"

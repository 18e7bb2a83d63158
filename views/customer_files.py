"""Documents of a customer as files: „Neu“ brings one in, the row and „Dokumentenname“ hand it out again.

A file is always an attachment with the type its name stands for, in a sandbox, and only to whoever may see the customer
at that moment (trust.md D8). Its record goes through the gateway like any other row. Source: NE-154 to NE-156, PX-181.
"""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, send_file, session, url_for

from domain.documents import ACCEPTED, UnsuitableFile, check_file, media_type
from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import AppAdminError, FaultList, NotFound
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator, may_read_full, visible
from flask_appadmin.sheets import storage
from flask_appadmin.sheets.file_kinds import HEAD_BYTES
from flask_appadmin.shell import accepts_uploads
from flask_appadmin.specs import spec_of
from flask_appadmin.views import expose, operator
from flask_appadmin.views.jobs_page import instance_folder
from flask_appadmin.views.windows import for_window, in_window
from models import Customer, Document

#: A file is handed out without a page of ours around it, and can do nothing if somebody opens it here after all.
_SANDBOX = "sandbox; default-src 'none'"
#: So many characters of „Ablage“ are the name of the file.
_NAME_LENGTH = 32


class FilesOfCustomer:
    """The part of the customer's view that takes files and hands them out."""

    registry: Any

    @expose("/upload", methods=("GET", "POST"))
    @accepts_uploads
    def upload_view(self) -> Any:
        """„Neu“ in the table of documents: ?id=…"""
        me = operator()
        me.require("customer.edit")
        customer = _seen_customer(me, self._key())  # type: ignore[attr-defined]
        return for_window(self._upload(me, customer))

    def _upload(self, me: Operator, customer: Any) -> Any:
        kind = spec_of(Document).field("kind")
        chosen = request.form.get("kind", "")
        error = ""
        if request.method == "POST":
            try:
                change_set = _take(me, customer, chosen if chosen in kind.choice_labels else None)
            except FaultList as refused:
                error = " ".join(fault.sentence() for fault in refused.faults)
            except AppAdminError as fault:
                error = fault.sentence()
            else:
                session["toast"] = {
                    "text": gettext("Dokument gespeichert."),
                    "undo_url": self.registry.undo_url(change_set),
                }
                return redirect(_documents_url(self.registry, customer.id))
        context = {
            "page_title": gettext("Dokument hochladen"),
            "url": url_for("customer.upload_view", id=customer.id),
            "back_label": spec_of(Customer).title_of(customer.__data__),
            "back_url": _documents_url(self.registry, customer.id),
            "accept": ACCEPTED,
            "kind_label": str(kind.label),
            "kinds": [(code, str(label), code == chosen) for code, label in kind.choices],
            "error": error,
            "in_window": in_window(),
        }
        return render_template("document_upload.html", **context), 422 if error else 200

    @expose("/file")
    def file_view(self) -> Any:
        """The file of a document: ?id=<document>."""
        me = operator()
        found = Document.get_or_none(Document.id == self._key())  # type: ignore[attr-defined]
        if found is None:
            raise NotFound(spec_of(Document))
        _seen_customer(me, found.customer_id)
        path = storage.documents(instance_folder()).path(found.storage_name[:_NAME_LENGTH])
        answer = send_file(
            path, mimetype=media_type(found.file_name), as_attachment=True, download_name=found.file_name
        )
        answer.headers["Content-Security-Policy"] = _SANDBOX
        return answer

    def field_links(self, key: int, operator: Operator, values: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
        """„Dokumentenname“ leads to the customer's document of that name (PX-181)."""
        name = values.get("credit_document_name")
        if not name or not may_read_full(operator, spec_of(Customer).field("credit_document_name")):
            return {}
        query = Document.select(Document.id).where(Document.customer == key, Document.file_name == name)
        found = query.order_by(Document.id.desc()).tuples().scalar()
        if found is None:
            return {}
        return {"credit_document_name": (url_for("customer.file_view", id=found), "↗", gettext("Dokument öffnen"))}


def _seen_customer(me: Operator, key: int) -> Any:
    me.require("customer.read")
    query = Customer.select().where(Customer.id == key)
    condition = visible(me, spec_of(Customer))
    found = (query if condition is None else query.where(condition)).first()
    if found is None:
        raise NotFound(spec_of(Customer), key)
    return found


def _documents_url(registry: Any, customer: int) -> str:
    url: str = registry.views["customer"].record_url(customer, tab="documents")
    return url


def _take(me: Operator, customer: Any, kind: str | None) -> int | None:
    """Keeps the file that was brought and its record, or nothing of it; answers the change set."""
    given = request.files.get("file")
    if given is None or not given.filename:
        raise UnsuitableFile(gettext("Bitte eine Datei auswählen."))
    # Folders are nobody's business, and a line break would end a header.
    name = "".join(letter for letter in given.filename.replace("\\", "/").rpartition("/")[2] if letter.isprintable())
    store = storage.documents(instance_folder())
    stored = store.save(given.stream)  # type: ignore[arg-type]
    given.close()
    try:
        path = store.path(stored)
        with path.open("rb") as file:
            check_file(name, file.read(HEAD_BYTES), path.stat().st_size)
        change = ChangeSet("form", title=gettext("Dokument %(name)s", name=name))
        change.create(
            Document,
            {
                "customer": customer.id,
                "file_name": name,
                "kind": kind,
                "storage_name": stored,
                "uploaded_by": me.user_id,
                "size_bytes": path.stat().st_size,
            },
        )
        return change.apply(me).change_set
    except BaseException:
        store.remove(stored)
        raise

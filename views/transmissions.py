"""What goes to other systems: „Kassenübertragung“ and „EDIFACT Ausgangsrechnungen“.

Shape: each is a page that says what would go out now, and a button; the files lie in the outbox of the instance, the
history has who sent what. Context: templates/appadmin/confirm.html, templates/edifact.html.
Source: NE-02, NE-28, PX-119.
"""

from __future__ import annotations

import io
from typing import Any, ClassVar

from flask import redirect, render_template, request, send_file, session, url_for

from domain.till import TillCustomerFeed
from domain.till_feed import FOLDER as TILL_FOLDER
from domain.till_feed import STATES, count_by_status, may_fetch, transmit
from domain.trade import Invoice
from domain.trade.edifact import EdifactFault, encoded, export_invoices, file_name, interchange, open_invoices
from flask_appadmin.database import utcnow
from flask_appadmin.digits import is_number
from flask_appadmin.errors import AppAdminError, NotAllowed, NotFound
from flask_appadmin.i18n import _, format_datetime, format_decimal, gettext, ngettext
from flask_appadmin.rights import RIGHTS, Operator, visible
from flask_appadmin.sheets.outbox import laid_down, outbox
from flask_appadmin.specs import spec_of
from flask_appadmin.views import AppModelView, expose, operator
from flask_appadmin.views.jobs_page import instance_folder
from models import Customer

#: So many invoices stand on the page; the next ones follow when these are exported.
_LISTED = 500


class TillFeedView(AppModelView):
    """The transmissions to the tills, and the page that makes the next one."""

    model = TillCustomerFeed
    columns = ("fed_at", "file_name", "record_count")
    pages: ClassVar[dict[str, Any]] = {"transmit": _("Kassenübertragung")}

    def record_links(self, key: int, operator: Operator) -> list[tuple[str, str, str]]:
        if not may_fetch(operator) or _feed_file(key) is None:
            return []
        return [("special", gettext("Datei abholen"), url_for("till_customer_feed.file_view", id=key))]

    @expose("/transmit", methods=("GET", "POST"))
    def transmit_view(self) -> Any:
        """Asks, then lays down the file for the tills."""
        me = operator()
        me.require(f"{self.spec.right}.read")
        problem = ""
        if request.method == "POST":
            try:
                feed = transmit(me, outbox(instance_folder()))
            except NotAllowed:
                raise
            except AppAdminError as fault:
                problem = fault.sentence()
            else:
                text = ngettext("%(count)s Kunde übertragen.", "%(count)s Kunden übertragen.", feed.record_count)
                session["toast"] = {"text": text, "undo_url": ""}
                self.registry.forget_total(self.spec)
                return redirect(url_for("till_customer_feed.transmit_view"))
        return self._ask(me, problem), 409 if problem else 200

    def _ask(self, me: Operator, problem: str) -> str:
        counts = count_by_status()
        words = spec_of(Customer).field("status").choice_labels
        query = TillCustomerFeed.select().order_by(TillCustomerFeed.fed_at.desc(), TillCustomerFeed.id.desc())
        items = []
        for feed in query.limit(10):
            note = ngettext("%(count)s Kunde", "%(count)s Kunden", feed.record_count)
            items.append((f"{format_datetime(feed.fed_at)}  {feed.file_name}", self.record_url(feed.id), note))
        possible = me.may(f"{self.spec.right}.create")
        return render_template(
            "appadmin/confirm.html",
            page_title=gettext("Kassenübertragung"),
            back=(str(self.spec.plural), self.list_url()),
            text=gettext(
                "Die Kassen bekommen alle aktiven und gesperrten Kunden mit Anschrift, Status, Rabatten, Texten, "
                "Kreditangaben und Karten. Die Datei liegt danach im Ausgangsordner (outbox/kasse) der Instanz."
            ),
            warning=problem or ("" if possible else NotAllowed("account.create", RIGHTS["account.create"]).sentence()),
            danger=bool(problem),
            counts=[(counts[status], str(words[status])) for status in STATES],
            items=items,
            items_more=0,
            action=url_for("till_customer_feed.transmit_view"),
            hidden=[],
            confirm_label=gettext("Jetzt übertragen"),
            possible=possible,
            cancel_url=self.list_url(),
        )

    @expose("/file")
    def file_view(self) -> Any:
        """The file of a transmission, while it waits: ?id=…"""
        me = operator()
        me.require(f"{self.spec.right}.read")
        path = _feed_file(self._key())
        if path is None or not may_fetch(me):
            raise NotFound()
        return send_file(path, mimetype="application/xml", as_attachment=True, download_name=path.name)


def _feed_file(key: int) -> Any:
    feed = TillCustomerFeed.get_or_none(TillCustomerFeed.id == key)
    if feed is None:
        return None
    wanted = (TILL_FOLDER, feed.file_name)
    return next((path for path in laid_down(instance_folder()) if path.parts[-2:] == wanted), None)


class EdifactInvoices:
    """„EDIFACT Ausgangsrechnungen“, a part of the invoices' view."""

    registry: Any

    @expose("/edifact", methods=("GET", "POST"))
    def edifact_view(self) -> Any:
        """The invoices that wait for their export; POST with `key` exports the ticked ones."""
        me = operator()
        me.require("trade.read")
        me.require("customer.read")
        problem = ""
        if request.method == "POST":
            keys = [int(key) for key in request.form.getlist("key") if is_number(key, 17)]
            try:
                if not keys:
                    raise EdifactFault(gettext("Bitte haken Sie mindestens eine Rechnung an."))
                names, applied = export_invoices(keys, me, outbox(instance_folder()))
            except NotAllowed:
                raise
            except AppAdminError as fault:
                problem = fault.sentence()
            else:
                text = ngettext("%(count)s Rechnung exportiert.", "%(count)s Rechnungen exportiert.", len(names))
                change_set = applied.change_set if applied is not None else None
                session["toast"] = {"text": text, "undo_url": self.registry.undo_url(change_set) if change_set else ""}
                return redirect(url_for("invoice.edifact_view"))
        return self._list(me, problem), 409 if problem else 200

    def _list(self, me: Operator, problem: str) -> str:
        found = list(open_invoices(me).limit(_LISTED + 1))
        customers = self.registry.views["customer"]
        title = spec_of(Customer).title_of
        day = spec_of(Invoice).field("invoiced_on").format
        rows = [
            {
                "key": invoice.id,
                "number": invoice.number,
                "url": self.registry.record_url(spec_of(Invoice), invoice.id),
                "customer": title({name: getattr(invoice.customer, name) for name in _TITLE}),
                "customer_url": customers.record_url(invoice.customer_id),
                "day": day(invoice.invoiced_on),
                "total": format_decimal(invoice.total_amount, 2),
            }
            for invoice in found[:_LISTED]
        ]
        return render_template(
            "edifact.html",
            page_title=gettext("EDIFACT Ausgangsrechnungen"),
            action=url_for("invoice.edifact_view"),
            rows=rows,
            more=len(found) > _LISTED,
            problem=problem,
            possible=me.may("export.run") and me.may("trade.edit"),
            exported_url=self.registry.views["invoice"].list_url(edifact_exported_at__filled="1"),
        )

    @expose("/edifact_file")
    def edifact_file_view(self) -> Any:
        """The message of an invoice that was exported: ?id=…"""
        me = operator()
        me.require("export.run")
        query = Invoice.select().where(Invoice.id == self._key(), Invoice.edifact_exported_at.is_null(False))  # type: ignore[attr-defined]
        condition = visible(me, spec_of(Invoice))
        found = (query if condition is None else query.where(condition)).first()
        if found is None:
            raise NotFound()
        content = io.BytesIO(encoded(interchange(found, found.edifact_exported_at or utcnow())))
        return send_file(content, mimetype="application/edifact", as_attachment=True, download_name=file_name(found))


_TITLE = ("customer_number", "name_1", "name_2")

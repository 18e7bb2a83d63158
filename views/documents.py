"""Orders, delivery notes, invoices, credit notes: their forms, how they are printed, and „Belege“ of a customer."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import redirect, render_template, request, session, url_for

from domain.trade import CreditNote, DeliveryNote, Invoice, InvoiceItem, InvoiceRun, RepairOrder, SalesOrder
from domain.trade.making import delivery_of, invoice_of
from domain.trade.printouts import may_go_to_parent, printout
from flask_appadmin.changes import ChangeSet, NewRecord
from flask_appadmin.errors import NotFound
from flask_appadmin.i18n import _, gettext
from flask_appadmin.layouts import Group, Layout, Tab, form_fields
from flask_appadmin.rights import Operator, visible
from flask_appadmin.specs import ModelSpec, ReferenceCache, shown, spec_of
from flask_appadmin.views import AppModelView, expose, operator
from models import Customer
from views.transmissions import EdifactInvoices

#: So many documents of a kind stand on the page of a customer.
_LISTED = 12


def customer_notices(me: Operator, values: dict[str, Any]) -> list[tuple[str, str]]:
    """What whoever enters a document of this customer should read: input hint, delivery notes, agreements."""
    return _notices(me, values, ("input_hint", "agreements", "delivery_instructions", "order_info"))


def workshop_notices(me: Operator, values: dict[str, Any]) -> list[tuple[str, str]]:
    """What the workshop should read in a repair order of this customer (ME-90)."""
    return _notices(me, values, ("workshop_hint",))


def _notices(me: Operator, values: dict[str, Any], names: tuple[str, ...]) -> list[tuple[str, str]]:
    key = values.get("customer")
    if key is None or not me.may("customer.read"):
        return []
    spec = spec_of(Customer)
    query = Customer.select(*(spec.field(name).column_field for name in names)).where(Customer.id == key)
    condition = visible(me, spec)
    row = (query if condition is None else query.where(condition)).tuples().first()
    if row is None:
        return []
    return [(str(spec.field(name).label), text) for name, text in zip(names, row, strict=True) if text]


def _layout(model: Any, cards: tuple[tuple[Any, tuple[str, ...]], ...]) -> Layout:
    """One page: the cards, a last one with what they do not name, and the lines."""
    spec = spec_of(model)
    named = {name for _title, names in cards for name in names}
    rest = tuple(item.name for item in form_fields(spec) if item.name not in named)
    groups = [Group(title, names) for title, names in cards]
    if rest:
        groups.append(Group(_("Weitere Angaben"), rest))
    lines = tuple(child.name for child in spec.children)
    tabs = [Tab("main", _("Kopf"), tuple(groups[:1]), lines[:1])]
    if groups[1:] or lines[1:]:
        tabs.append(Tab("further", _("Weitere Angaben"), tuple(groups[1:]), lines[1:]))
    return Layout(tuple(tabs))


class DocumentView(AppModelView):
    """What the documents of a customer have in common."""

    begins_with: ClassVar[tuple[str, ...]] = ("customer",)
    notice_fields: ClassVar[tuple[str, ...]] = ("customer",)
    notices: ClassVar[Any] = staticmethod(customer_notices)

    def record_links(self, key: int, operator: Operator) -> list[tuple[str, str, str]]:
        return [("print", str(self.spec.label), url_for(f"{self.endpoint}.print_view", id=key))]

    @expose("/print")
    def print_view(self) -> Any:
        """The document as it is printed: ?id=…&to_parent=1."""
        operator().require("customer.read")
        return self._papers([self._document(self.model, self._key())])

    def _document(self, model: Any, key: int) -> Any:
        query = model.select().where(model.id == key)
        condition = visible(operator(), spec_of(model))
        found = (query if condition is None else query.where(condition)).first()
        if found is None:
            raise NotFound(spec_of(model), key)
        return found

    def _papers(self, documents: list[Any]) -> str:
        to_parent = request.args.get("to_parent") == "1"
        possible = any(may_go_to_parent(document) for document in documents)
        papers = [printout(document, to_parent=to_parent) for document in documents]
        has_parent = any("parent_customer" in spec_of(type(document)).by_name for document in documents)
        title = papers[0].title if len(papers) == 1 else str(self.spec.label)
        return render_template(
            "appadmin/paper.html",
            page_title=gettext("%(what)s drucken", what=title),
            back=(title, self.record_url(self._key())),
            hidden=[("id", str(self._key()))],
            choices=[("to_parent", gettext("an Hauptkunde"), to_parent and possible, possible)] if has_parent else [],
            papers=papers,
        )


class SalesOrderView(DocumentView):
    model = SalesOrder
    new_label = _("Neuer Auftrag")
    layout = _layout(
        SalesOrder,
        (
            (
                "",
                (
                    "customer", "number", "kind", "ordered_on", "status", "attention_to", "contact", "parent_customer",
                    "clerk", "shipping_method", "payment_term", "final_discount_percent", "customer_order_number",
                ),
            ),
            (
                _("Anschriften"),
                (
                    "delivery_address", "delivery_customer", "invoice_address", "invoice_customer",
                    "order_confirmation_address", "address_text",
                ),
            ),
            (
                _("Konditionen"),
                (
                    "payment_kind", "delivery_term", "document_discount_1", "document_discount_2", "currency",
                    "language", "gross_prices", "shipping_cost", "toll_charge", "environment_charge", "svs_rvs",
                ),
            ),
            (_("Vertrieb"), ("sales_representative", "intermediary", "association", "project", "follow_up_on")),
        ),
    )  # fmt: skip

    def record_links(self, key: int, operator: Operator) -> list[tuple[str, str, str]]:
        links = super().record_links(key, operator)
        if operator.may(f"{self.spec.right}.create"):
            for kind, label in (
                ("delivery_note", gettext("Lieferschein erstellen")),
                ("invoice", gettext("Rechnung erstellen")),
            ):
                links.append(("special", label, url_for("sales_order.make_view", id=key, kind=kind)))
        return links

    @expose("/make", methods=("GET", "POST"))
    def make_view(self) -> Any:
        """Makes a delivery note or an invoice of an order: ?id=…&kind=delivery_note|invoice; asks first."""
        operator().require(f"{self.spec.right}.create")
        order = self._document(SalesOrder, self._key())
        made = {"delivery_note": (DeliveryNote, delivery_of), "invoice": (Invoice, _invoice_of)}
        if request.args.get("kind") not in made or order.customer_id is None:
            raise NotFound()
        model, make = made[request.args["kind"]]
        label = str(spec_of(model).label)
        if request.method == "GET":
            return self._ask(order, label)
        steps = ChangeSet("form")
        head = steps.add(make(order.id))
        applied = steps.apply(operator())
        session["toast"] = {
            "text": gettext("%(what)s angelegt.", what=label),
            "undo_url": self.registry.undo_url(applied.change_set),
        }
        return redirect(self.registry.record_url(spec_of(model), head.key or 0))

    def _ask(self, order: Any, label: str) -> str:
        url = self.record_url(order.id)
        return render_template(
            "appadmin/confirm.html",
            page_title=gettext("%(what)s erstellen", what=label),
            back=(gettext("Auftrag %(number)s", number=order.number), url),
            text=gettext("Alle Positionen und die Angaben des Auftrags werden übernommen; danach ist alles änderbar."),
            counts=[(order.items.count(), gettext("Positionen"))],
            action=request.full_path,
            hidden=[],
            confirm_label=gettext("%(what)s erstellen", what=label),
            possible=True,
            cancel_url=url,
        )


def _invoice_of(order: int) -> list[NewRecord]:
    return invoice_of(order, Invoice, InvoiceItem)


class DeliveryNoteView(DocumentView):
    model = DeliveryNote
    new_label = _("Neuer Lieferschein")


class RepairOrderView(AppModelView):
    model = RepairOrder
    new_label = _("Neuer Reparaturauftrag")
    begins_with: ClassVar[tuple[str, ...]] = ("customer",)
    notice_fields: ClassVar[tuple[str, ...]] = ("customer",)
    notices: ClassVar[Any] = staticmethod(workshop_notices)


class InvoiceView(EdifactInvoices, DocumentView):
    model = Invoice
    pages: ClassVar[dict[str, Any]] = {"edifact": _("EDIFACT Ausgangsrechnungen")}
    new_label = _("Neue Rechnung")
    layout = _layout(
        Invoice,
        (
            (
                "",
                (
                    "customer", "number", "kind", "invoiced_on", "due_on", "attention_to", "contact",
                    "parent_customer", "payment_term", "final_discount_percent", "net_amount", "tax_amount",
                    "total_amount", "paid_amount", "settled",
                ),
            ),
            (_("Anschriften"), ("invoice_address", "invoice_customer", "delivery_address", "address_text")),
        ),
    )  # fmt: skip

    def record_links(self, key: int, operator: Operator) -> list[tuple[str, str, str]]:
        links = super().record_links(key, operator)
        if operator.may(f"{self.spec.right}.create"):
            links.append(("special", gettext("Gutschreiben"), url_for("credit_note.create_view", invoice=key)))
        exported = Invoice.select().where(Invoice.id == key, Invoice.edifact_exported_at.is_null(False)).exists()
        if exported and operator.may("export.run"):
            links.append(("special", gettext("EDIFACT-Datei"), url_for("invoice.edifact_file_view", id=key)))
        return links


class CreditNoteView(DocumentView):
    model = CreditNote
    new_label = _("Neue Gutschrift")
    begins_with = ("customer", "invoice")


class InvoiceRunView(DocumentView):
    model = InvoiceRun
    new_label = _("Neuer Rechnungslauf")
    begins_with = ()

    @expose("/print")
    def print_view(self) -> Any:
        """All invoices of the run, one below the other."""
        operator().require("customer.read")
        run = self._document(InvoiceRun, self._key())
        query = Invoice.select().where(Invoice.invoice_run == run.id).order_by(Invoice.id)
        condition = visible(operator(), spec_of(Invoice))
        return self._papers(list(query if condition is None else query.where(condition)))


class DocumentsOfCustomer:
    """„Belege“: the documents of a customer, and the way to new ones. A part of the customer's view."""

    registry: Any
    endpoint: str

    @expose("/documents")
    def documents_view(self) -> Any:
        """The last documents of each kind: ?id=…"""
        me = operator()
        me.require("trade.read")
        key = self._key()  # type: ignore[attr-defined]
        query = Customer.select().where(Customer.id == key)
        condition = visible(me, spec_of(Customer))
        customer = (query if condition is None else query.where(condition)).first()
        if customer is None:
            raise NotFound(spec_of(Customer), key)
        title = spec_of(Customer).title_of(customer.__data__)
        return render_template(
            "customer_documents.html",
            page_title=gettext("Belege"),
            subtitle=title,
            back=(title, self.registry.record_url(spec_of(Customer), key)),
            notices=customer_notices(me, {"customer": key}),
            new=self._new_links(key) if me.may("trade.create") else [],
            tables=[self._table(spec_of(model), key, me) for model in (SalesOrder, DeliveryNote, Invoice, CreditNote)],
        )

    def _new_links(self, key: int) -> list[tuple[str, str]]:
        return [
            (gettext("Neuer Auftrag"), url_for("sales_order.create_view", customer=key)),
            (gettext("Neues Angebot"), url_for("sales_order.create_view", customer=key, kind="offer")),
            (gettext("Neuer Lieferschein"), url_for("delivery_note.create_view", customer=key)),
            (gettext("Neue Rechnung"), url_for("invoice.create_view", customer=key)),
            (gettext("Neue Gutschrift"), url_for("credit_note.create_view", customer=key)),
        ]

    def _table(self, spec: ModelSpec, key: int, me: Operator) -> dict[str, Any]:
        items = [item for item in spec.fields if item.listed and item.name != "customer"][:5]
        query = spec.model.select(spec.model.id, *(item.column_field for item in items))
        query = query.where(spec.model.customer == key)
        condition = visible(me, spec)
        query = query if condition is None else query.where(condition)
        names = ReferenceCache()
        rows = list(query.order_by(spec.model.id.desc()).limit(_LISTED + 1).tuples())
        view = self.registry.views[spec.name]
        return {
            "title": str(spec.plural),
            "columns": [(view.heading(item)[0], item.type.is_number) for item in items],
            "rows": [
                (
                    view.record_url(row[0]),
                    url_for(f"{spec.name}.print_view", id=row[0]),
                    [shown(item, value, names) for item, value in zip(items, row[1:], strict=True)],
                )
                for row in rows[:_LISTED]
            ],
            "more": view.list_url(customer=key) if len(rows) > _LISTED else "",
        }


DOCUMENT_VIEWS = (SalesOrderView, DeliveryNoteView, InvoiceView, CreditNoteView, InvoiceRunView, RepairOrderView)

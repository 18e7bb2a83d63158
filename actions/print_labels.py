"""„Etiketten drucken“: address labels of the marked customers (NE-13 to NE-17)."""

from __future__ import annotations

from typing import Any

from domain.postal_address import chosen_addresses, labels_for
from domain.settings import current_setting
from domain.values.contacts import Salutation
from domain.values.countries import Country
from flask_appadmin.bulk import LabelRun, PrintLabels
from flask_appadmin.database import key_condition
from flask_appadmin.i18n import _, gettext
from flask_appadmin.selections import Selection
from models import Address, Customer

_ADDRESS_FIELDS = ("title", "name_1", "name_2", "name_3", "street", "po_box", "postal_code", "city", "country_name")
_MAIN_FIELDS = ("customer_number", "attention_to", *_ADDRESS_FIELDS)


class PrintCustomerLabels(PrintLabels):
    """Which address, in which order; the format and the start on a used sheet are the layer's business."""

    hint = _("Anschriften der markierten Kunden auf Etiketten drucken")

    def choices(self) -> tuple[tuple[str, Any, tuple[tuple[str, Any], ...]], ...]:
        return (
            (
                "address",
                _("Adresse"),
                (
                    ("main", _("Hauptanschrift")),
                    ("residence", _("Wohnort")),
                    ("delivery", _("Lieferadresse")),
                    ("invoice", _("Rechnungsadresse")),
                ),
            ),
            (
                "sort",
                _("Sortierung"),
                (("number", _("Kundennummer")), ("name", _("Name")), ("postal_code", _("PLZ"))),
            ),
        )

    def labels(self, selection: Selection, values: dict[str, Any]) -> LabelRun:
        records, skipped, countries, own_country = self.receivers(selection)
        addresses = self._addresses([record["id"] for record in records], values.get("address", "main"), countries)
        labels = labels_for(
            records, addresses=addresses, sort_order=values.get("sort", "number"), own_country=own_country
        )
        return LabelRun(list(labels), skipped)

    @staticmethod
    def receivers(
        selection: Selection,
    ) -> tuple[list[dict[str, Any]], list[tuple[int, str, str]], dict[int, str], str]:
        """The customers with an address as `labels_for` reads them, those without one, all countries, and our own."""
        countries = {row[0]: row[1] for row in Country.select(Country.id, Country.code).tuples()}
        titles = dict(Salutation.select(Salutation.id, Salutation.name).tuples())
        own = current_setting()
        own_country = countries.get(own.own_country_id, "DE") if own is not None else "DE"
        spec = selection.spec
        items = [spec.field(name) for name in (*_MAIN_FIELDS, "country")]
        names = [item.name for item in items]
        records = []
        skipped: list[tuple[int, str, str]] = []
        for row in selection.rows(items, order=[Customer.customer_number]):
            record = {"id": row[0], **dict(zip(names, row[1:], strict=True))}
            record["country"] = countries.get(record["country"], "")
            record["title"] = titles.get(record["title"], "")
            if not record["city"] and not record["street"] and not record["po_box"]:
                title = f"{record['customer_number']} {record['name_1'] or record['name_2'] or ''}".strip()
                skipped.append((row[0], title, gettext("ohne Straße, Postfach und Ort")))
                continue
            records.append(record)
        return records, skipped, countries, own_country

    @staticmethod
    def _addresses(keys: list[int], choice: str, countries: dict[int, str]) -> dict[int, Any]:
        if choice == "main" or not keys:
            return {}
        columns = (
            "customer",
            "sequence_number",
            "is_residence",
            "is_delivery",
            "is_invoice",
            "active",
            "no_print",
            "country",
            *_ADDRESS_FIELDS,
        )
        fields = [getattr(Address, name) for name in columns]
        rows = Address.select(*fields).where(key_condition(Address.customer, keys)).tuples()
        found = []
        titles = dict(Salutation.select(Salutation.id, Salutation.name).tuples())
        for row in rows:
            record = dict(zip(columns, row, strict=True))
            record["country"] = countries.get(record["country"], "")
            record["title"] = titles.get(record["title"], "")
            found.append(record)
        return chosen_addresses(found, choice)

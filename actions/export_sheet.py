"""„Exportieren“: marked customers as a workbook with their contacts, addresses, banks and categories (SC-40, SC-41)."""

from __future__ import annotations

from flask_appadmin.bulk import ExportSheet
from flask_appadmin.i18n import _


class ExportCustomers(ExportSheet):
    """The sheets that are offered ticked; all others may be chosen."""

    hint = _("Markierte Kunden als Excel- oder CSV-Datei, die sich bearbeitet wieder importieren lässt")
    first_sheets = ("contact", "address", "bank_account", "customer_category")

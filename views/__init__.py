"""What Kontor adds to the automatic pages: views of its own, the menu by work, the start page.

Shape: `VIEWS` are subclasses of AppModelView, which win over the automatic ones; `MENU` is (heading, tables) in the
order of the screen. Tables that are not in it stand on the page „alle Tabellen“.
"""

from __future__ import annotations

from typing import Any

from flask_appadmin.i18n import _
from views.connections import ConnectionView
from views.customer import CustomerView
from views.documents import DOCUMENT_VIEWS
from views.home import KontorHome
from views.reference import REFERENCE_VIEWS
from views.transmissions import TillFeedView

#: Views that differ from the automatic ones.
VIEWS: tuple[Any, ...] = (CustomerView, ConnectionView, *DOCUMENT_VIEWS, TillFeedView, *REFERENCE_VIEWS)

#: The start page.
HOME = KontorHome

#: (heading, names of tables); "<table>/choose" chooses its records, "<table>/<page>" is another page of its
#: view; "operations", "imports", "exports", "worklists", "layouts" and "tables" are pages of their own.
MENU: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (
        _("Kunden"),
        (
            "customer",
            "customer/choose",
            "customer/till",
            "customer/duplicates",
            "connection",
            "connection/requesting",
            "worklists",
        ),
    ),
    (
        _("Arbeiten"),
        ("imports", "exports", "operations", "label_format", "invoice/edifact", "till_customer_feed/transmit"),
    ),
    (
        _("Stammdaten"),
        ("payment_term", "shipping_method", "territory", "country", "supplier", "employee", "category", "tables"),
    ),
    (_("Einrichten"), ("setting", "custom_field", "number_range", "layouts", "app_user", "role")),
)

#: Headings of the page of all tables: key in the models' descriptions -> words.
TABLE_GROUPS: tuple[tuple[str, Any], ...] = (
    ("customers", _("Kunden")),
    ("values", _("Stammdaten")),
    ("catalog", _("Artikel und Lager")),
    ("trade", _("Aufträge und Rechnungen")),
    ("account", _("Konten")),
    ("system", _("Verwaltung")),
)

__all__ = ["HOME", "MENU", "TABLE_GROUPS", "VIEWS"]

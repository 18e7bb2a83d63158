"""Connections with companies on the platform: the form takes their requests in, the list shows them by section.

Source: SI-04, SI-05.
"""

from __future__ import annotations

from typing import Any, ClassVar

from flask import redirect

from domain.connections import Connection
from flask_appadmin.i18n import _
from flask_appadmin.layouts import Group, Layout, Tab
from flask_appadmin.views import AppModelView, expose


class ConnectionView(AppModelView):
    """„Anfragende Kunden“ are those that nobody has decided about: they requested, or are put off."""

    model = Connection
    columns = (
        "company_name",
        "simple_system_id",
        "city",
        "country",
        "vat_id",
        "status",
        "resubmission_on",
        "requested_at",
        "customer",
        "individual_customer_number",
    )
    new_label = _("Neue Anfrage")
    tags: ClassVar[dict[str, dict[Any, str]]] = {
        "status": {"requested": "warn", "deferred": "", "accepted": "good", "rejected": "bad"}
    }
    pages: ClassVar[dict[str, Any]] = {"requesting": _("Anfragende Kunden")}
    layout = Layout(
        (
            Tab(
                "main",
                _("Verbindung"),
                (
                    Group(
                        _("Anfrage"),
                        ("company_name", "simple_system_id", "vat_id", "currency", "requested_at"),
                    ),
                    Group(_("Anschrift"), ("street", "postal_code", "city", "country")),
                    Group(_("Ansprechpartner"), ("contacts",)),
                    Group(
                        _("Entscheidung"),
                        (
                            "status",
                            "resubmission_on",
                            "customer",
                            "individual_customer_number",
                            "decision_reason",
                            "decided_at",
                            "decided_by",
                        ),
                    ),
                ),
            ),
        )
    )

    @expose("/requesting")
    def requesting_view(self) -> Any:
        """The list of those that wait for a decision."""
        return redirect(self.list_url(status=["requested", "deferred"]))

"""The start page: search, my last changes, running jobs, what needs attention."""

from __future__ import annotations

from typing import Any

from flask import g, url_for

from flask_appadmin.database import utcnow
from flask_appadmin.history import FINAL_KINDS, KINDS, operations, taken_back
from flask_appadmin.i18n import format_age, gettext, ngettext, to_local
from flask_appadmin.jobs import jobs_of
from flask_appadmin.lists import count_rows
from flask_appadmin.registry import HomeView, Registry
from flask_appadmin.specs import spec_of
from flask_appadmin.views.jobs_page import job_rows
from models import Connection, Customer

_SHOWN = 8


class KontorHome(HomeView):
    """What an operator sees after signing in."""

    template = "home.html"

    def context(self) -> dict[str, Any]:
        registry: Registry = self.registry
        may_read = g.operator.may("customer.read")
        customers = spec_of(Customer)
        count = registry.total(customers) if may_read else 0
        list_url = url_for("customer.index_view") if may_read else ""
        return {
            "page_title": _greeting(g.operator.name),
            "attention": self._attention(list_url) if may_read else [],
            "jobs": job_rows(jobs_of(g.operator, running=True)),
            "jobs_url": url_for("jobs.index_view"),
            "changes": self._changes(registry),
            "changes_url": url_for("operations.index_view"),
            "opened": [],
            "totals": [(count, str(customers.plural), list_url)] if may_read and count else [],
            "new_url": url_for("customer.create_view") if g.operator.may("customer.create") else "",
            "import_url": registry.import_url(customers) if g.operator.may("import.new") else "",
            "empty": may_read and not count,
        }

    @staticmethod
    def _attention(list_url: str) -> list[tuple[int, str, str, str]]:
        """What waits for somebody: each a count, its words, and the list behind it."""
        spec = spec_of(Customer)
        waiting = []
        for condition, one, many, query, look in (
            (
                Customer.status == "draft",
                "Entwurf ist noch nicht aktiv",
                "Entwürfe sind noch nicht aktiv",
                "status=draft",
                "warn",
            ),
            (
                Customer.status == "locked",
                "Kunde ist gesperrt",
                "Kunden sind gesperrt",
                "status=locked",
                "bad",
            ),
        ):
            count, _capped = count_rows(spec, [condition])
            if count:
                waiting.append((count, ngettext(one, many, count), f"{list_url}?{query}", look))
        if g.operator.may(f"{spec_of(Connection).right}.read"):
            requested = Connection.select().where(Connection.status == "requested").count()
            if requested:
                words = ngettext("Anfrage ist offen", "Anfragen sind offen", requested)
                waiting.append((requested, words, url_for("connection.index_view", status="requested"), ""))
        return waiting

    @staticmethod
    def _changes(registry: Registry) -> list[dict[str, Any]]:
        now = utcnow()
        mine = operations(user_id=g.operator.user_id or -1, limit=_SHOWN)
        undone = taken_back(row.id for row in mine)
        return [
            {
                "url": registry.operation_url(row.id),
                "when": format_age(row.changed_at, now),
                "what": row.title if row.kind == "undo" else f"{KINDS[row.kind]}: {row.title}",
                "count": "",
                "state": (gettext("zurückgenommen"), "") if row.id in undone and undone[row.id].is_whole else None,
                "undo_url": registry.undo_url(row.id) if row.kind not in ("load", *FINAL_KINDS) else "",
            }
            for row in mine
        ]


def _greeting(name: str) -> str:
    hour = to_local(utcnow()).hour
    if hour < 11:
        return gettext("Guten Morgen, %(name)s", name=name)
    if hour < 18:
        return gettext("Guten Tag, %(name)s", name=name)
    return gettext("Guten Abend, %(name)s", name=name)

"""A list that was broken off for time: which columns made it slow, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask import request, url_for

from flask_appadmin.database import TooSlow
from flask_appadmin.filters import Filter
from flask_appadmin.i18n import gettext, ngettext
from flask_appadmin.indexing import RIGHT, slow_fields
from flask_appadmin.listviews import NO_VIEW
from flask_appadmin.rights import may_read_full
from flask_appadmin.specs import FieldSpec

if TYPE_CHECKING:
    from flask_appadmin.views.list_page import ListPage

#: So many columns the page names.
_NAMED = 4


class ListTooSlow(TooSlow):
    """The page of a list took longer than it may. `links` lead to what makes it faster."""

    def __init__(self, seconds: float, reasons: Sequence[str], links: Sequence[tuple[str, str]]) -> None:
        super().__init__(seconds)
        self.reasons = reasons
        self.links = links

    def sentence(self) -> str:
        return " ".join((super().sentence(), *self.reasons))

    @classmethod
    def of(cls, page: ListPage, fault: TooSlow) -> ListTooSlow:
        """The fault of this page, with the columns that it is filtered and sorted by."""
        found, usual = page.filter(), page.view.usual(page.operator)
        asked = Filter(page.spec, found.search, tuple(part for part in found.conditions if part not in usual))
        missing, read = slow_fields(asked, page.arranging.order())
        missing = [item for item in missing if may_read_full(page.operator, item)][:_NAMED]
        may = page.operator.may(RIGHT)
        reasons, links = [], []
        if missing:
            reasons.append(
                ngettext(
                    "Ohne Index ist die Spalte %(names)s.",
                    "Ohne Index sind die Spalten %(names)s.",
                    len(missing),
                    names=_names(missing),
                )
            )
            reasons.append(
                gettext("Sie können das hier ändern.")
                if may
                else gettext("Ihre Administration kann das ändern (Menü „Ansicht“, „Schnelle Spalten“).")
            )
        if read:
            names = _names(read[:_NAMED])
            reasons.append(gettext("Für den Filter auf %(names)s muss jede Zeile gelesen werden.", names=names))
        back = request.full_path.rstrip("?")
        for item in missing if may else ():
            view = page.view.registry.views.get(item.model_name)
            if view is not None:
                url = url_for(f"{view.endpoint}.indexes_view", field=item.name, back=back)
                links.append((gettext("„%(label)s“ schnell machen …", label=str(item.label)), url))
        links.append((gettext("Liste ohne Filter öffnen"), page.view.list_url(view=NO_VIEW)))
        return cls(fault.seconds, reasons, links)


def _names(fields: Sequence[FieldSpec]) -> str:
    return ", ".join(f"„{item.label}“" for item in fields)

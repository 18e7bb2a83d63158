"""One request for a form, and the page around its tabs. Contexts: templates/appadmin/form.html, form_panels.html."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_urlsafe
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from flask import flash, g, redirect, render_template, request, session, url_for
from werkzeug.datastructures import MultiDict

from flask_appadmin import drafts
from flask_appadmin.changes import ChangedMeanwhile
from flask_appadmin.errors import ConflictError, NotFound
from flask_appadmin.fieldtypes.columns import json_text
from flask_appadmin.i18n import format_datetime, gettext
from flask_appadmin.layouts import Tab
from flask_appadmin.rights import Operator
from flask_appadmin.shell import fixed_url, safe_path
from flask_appadmin.specs import ModelSpec
from flask_appadmin.views import places
from flask_appadmin.views.form_page import locking
from flask_appadmin.views.form_page.companions import draft_days, presence_text
from flask_appadmin.views.form_page.conflicts import deletion_sentence, last_change, merged_notice
from flask_appadmin.views.form_page.grids import (
    child_counts,
    grid_context,
    opened_row,
    stored_grid,
    window_context,
)
from flask_appadmin.views.form_page.panels import (
    Panel,
    fault_count,
    mark_changes,
    panel_context,
    read_ahead,
    stored_panel,
    tab_of,
)
from flask_appadmin.views.form_page.proposals import watched_fields
from flask_appadmin.views.form_page.record import FormRecord
from flask_appadmin.views.form_page.related import may_see
from flask_appadmin.views.form_page.saving import (
    conflict_list,
    place_faults,
    planned,
    posted_panels,
    read_base,
    rehearsed_faults,
    save,
)
from flask_appadmin.views.form_page.toolbar import came_from, told, toolbar

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView


#: From so many tabs on it pays to ask first which child tables are empty.
_MANY_TABS = 5


class FormPage:
    """One request for one record (`key`), or for a new one (None)."""

    def __init__(self, view: AppModelView, operator: Operator, key: int | None) -> None:
        self.record = FormRecord(view, operator, key)
        self.view = view
        self.spec = view.spec
        self.operator = operator
        self.key = key
        #: What was sent with this request, or the draft that is taken up again.
        self.sent: MultiDict[str, str] = request.form

    def answer(self) -> Any:
        if request.method == "POST":
            return self._save()
        key = request.args.get("tab", "")
        if request.headers.get("X-Fragment") == "panel":
            return self._panels(request.args.getlist("tab") or [key])
        if request.headers.get("X-Fragment") == "rows":
            return self._rows()
        if request.headers.get("X-Fragment") == "row":
            return self._row()
        draft = self._draft(request.args.get("draft", ""))
        if draft is not None:
            return self._resume(draft)
        return self._draw([stored_panel(self.record, key)], key)

    def _panels(self, keys: list[str]) -> Any:
        """Tabs alone, one or several: ?tab=<key>&tab=<key> …"""
        tabs = {tab_of(self.record, key).key: None for key in keys}
        if len(tabs) > 1:
            read_ahead(self.record, tabs)
        if len(tabs) > _MANY_TABS and self.key is not None:
            # Most tables of a record are empty: one question for all of them instead of one each.
            counts = child_counts(self.spec.children, self.key)
            self.record.childless = frozenset(name for name, count in counts.items() if not count)
        panels = [stored_panel(self.record, key) for key in tabs]
        context = [panel_context(self.record, panel, len(panels) == 1) for panel in panels]
        return render_template("appadmin/form_panels.html", panels=context, record_history=g.get("record_history"))

    def _draft(self, token: str) -> Any:
        """The draft that an address names, if the operator may still take it up."""
        if not token or not self.record.may_save:
            return None
        return drafts.find(self.spec, self.key, self.operator, token, draft_days())

    def _resume(self, draft: Any) -> Any:
        """The form as it stood when its input was last kept, beside what is stored by now."""
        self.sent = MultiDict((name, value) for name, value in draft.fields)
        base = read_base(self.sent)
        panels = posted_panels(self.record, self.sent, base)
        conflicts: list[Any] = []
        if self.key is not None:
            change, _target = planned(self.record, panels, base)
            faults = rehearsed_faults(self.record, change)
            conflicts = [fault for fault in faults if isinstance(fault, ConflictError | ChangedMeanwhile)]
        place_faults(self.record, panels, conflicts)
        return self._draw(panels, self.sent.get("_tab", ""), resumed=True)

    def _child(self, name: str) -> ModelSpec:
        """A child table that this form shows."""
        child = next((found for found in self.spec.children if found.name == name), None)
        if child is None or not self.view.form_layout.tab_of(name):
            raise NotFound()
        return child

    def _rows(self) -> Any:
        """Further rows of a child table: ?rows=<table>&skip=<rows before them>."""
        child = self._child(request.args.get("rows", ""))
        self.record.values([])
        base: dict[str, Any] = {}
        skip = request.args.get("skip", default=0, type=int)
        grid = stored_grid(self.record, child, base, skip=min(max(skip, 0), 10_000_000))
        return render_template("appadmin/child_rows.html", grid=grid_context(self.record, grid), base=json_text(base))

    def _row(self) -> Any:
        """All fields of one row, for its window: ?row=<table>-<key>."""
        name, _dash, key = request.args.get("row", "").rpartition("-")
        child = self._child(name)
        self.record.values([])
        if not key.isascii() or not key.isdecimal() or len(key) > 18:
            raise NotFound(child, key)
        base: dict[str, Any] = {}
        row = opened_row(self.record, child, int(key), base)
        return render_template("appadmin/child_window.html", window=window_context(self.record, child, row, base))

    def _save(self) -> Any:
        try:
            outcome = save(self.record)
        except NotFound:
            return self._gone()
        if outcome.applied is not None:
            return self._saved(outcome.key, outcome.applied)
        if any(isinstance(fault, NotFound) and fault.spec is self.spec for fault in outcome.faults):
            return self._gone()
        errors = place_faults(self.record, outcome.panels, outcome.faults)
        return self._draw(outcome.panels, request.form.get("_tab", ""), errors=errors)

    def _gone(self) -> Any:
        """Somebody removed the record while it was being typed into: what was typed stands in a new one."""
        sentence = deletion_sentence(self.record)
        if not sentence:
            raise NotFound(self.spec, self.key)
        page = FormPage(self.view, self.operator, None)
        may_create, page.record.may_save = page.record.may_save, True
        panels = posted_panels(page.record, request.form, {})
        for panel in panels:
            for grid in panel.grids:
                grid.errors = []
        page.record.may_save = may_create
        return page._draw(panels, request.form.get("_tab", ""), errors=[(sentence, "")])

    def _saved(self, key: int | None, applied: Any) -> Any:
        if applied.change_set is None:
            text = gettext("Es war nichts zu ändern.")
            undo_url = ""
        else:
            text = gettext("Gespeichert.")
            self.view.registry.forget_total(self.spec)
            undo_url = self.view.registry.undo_url(applied.change_set)
        session["toast"] = {"text": text, "undo_url": undo_url}
        if self.key is None:
            locking.end()
        if request.form.get("_draft"):
            drafts.close(self.spec, self.key, self.operator, request.form.get("_token", ""))
        merged = merged_notice(self.record, request.form.get("_seen", ""), applied.change_set)
        if merged:
            flash(merged, "info")
        then = request.form.get("_then", "")
        tab = self.view.form_layout.tab(request.form.get("_tab", ""))
        if then == "close" and tab.special:
            return redirect(self.view.record_url(key or 0))
        if then == "close":
            return redirect(places.remembered_list(self.spec) or self.view.list_url())
        if then == "go":
            return redirect(safe_path(request.form.get("_next"), self.view.list_url()))
        if then == "new":
            return redirect(url_for(f"{self.view.endpoint}.create_view"))
        return redirect(self.view.record_url(key or 0, tab=request.form.get("_tab", "")))

    def _draw(
        self,
        panels: list[Panel],
        tab_key: str,
        *,
        errors: list[tuple[str, str]] | None = None,
        resumed: bool = False,
    ) -> Any:
        refused = errors is not None or resumed
        hidden = self._hidden()
        if self.key is None and self.spec.owner is None:
            locking.begin(self.view, str(dict(hidden)["_token"]))
        listed = errors or []
        conflicts = conflict_list(panels) if refused else []
        keys = [panel.tab.key for panel in panels]
        active = tab_key if tab_key in keys else (keys[0] if keys else "")
        with_faults = next((panel.tab.key for panel in panels if fault_count(panel)), "")
        if refused and with_faults and not fault_count(next(p for p in panels if p.tab.key == active)):
            active = with_faults
        tab = self.view.form_layout.tab(active)
        head = self.record.head_values()
        title = self.spec.title_of(head) if self.key is not None else str(self.view.new_label or self._new_title())
        title = str(self.spec.label) if self.view.is_single else title
        changed = mark_changes(self.record, panels) if refused else 0
        own_url = (
            self.view.record_url(self.key)
            if self.key is not None
            else url_for(f"{self.view.endpoint}.create_view", **self.record.begun_arguments)
        )
        context = {
            "page_title": title,
            "title_error": bool(listed),
            "back": self._back(tab, title),
            "window_title": str(tab.label) if tab.special else "",
            "tags": self._tags(head),
            "tools": toolbar(self.record, tab, active),
            "save": self._save_context(tab),
            "notices": self._notices(),
            "begins_with": " ".join(self.view.begins_with) if self.key is None else "",
            "presence": presence_text(self.spec, self.key, self.operator) if self.key is not None else "",
            "changed_count": changed,
            "discard_url": own_url,
            "action": own_url,
            "hidden": hidden,
            "active_tab": active,
            "by_number": self._by_number(),
            "proposals": {
                "url": url_for(f"{self.view.endpoint}.propose_view", id=self.key),
                "watch": " ".join(watched_fields(self.record)),
            },
            "fields_url": fixed_url(f"{self.view.endpoint}.fields_view"),
            "tab_url": f"{own_url}{'&' if '?' in own_url else '?'}tab=",
            "tabs": self._tabs(panels, active) if not tab.special else [],
            "panels": [panel_context(self.record, panel, panel.tab.key == active) for panel in panels],
            "errors": listed,
            "conflicts": conflicts,
            "companions": self._companions(),
            "offer": None if refused else self._offer(own_url),
            "resumed": resumed,
            "reason": {
                "value": self.sent.get("_reason", ""),
                "needed_for": self._needed_for() if self.key is not None else "",
                "missing": any(target == "_reason" for _sentence, target in listed),
            },
        }
        answer = render_template("appadmin/form.html", record_history=g.get("record_history"), **context)
        return answer, 422 if errors is not None and not resumed else 200

    def _hidden(self) -> list[tuple[str, str]]:
        """What the page says about itself when it is sent: for whom it was drawn, and what it knew."""
        hidden = [("_by", str(self.operator.user_id)), ("_token", self.sent.get("_token") or token_urlsafe(24))]
        if self.sent.get("_draft") or request.args.get("draft"):
            hidden.append(("_draft", "1"))
        if self.key is not None:
            seen = self.sent.get("_seen") or str(last_change(self.spec, self.key))
            hidden += [("id", str(self.key)), ("_seen", seen)]
        key = came_from(self.record)
        return [*hidden, ("from", key)] if key else hidden

    def _needed_for(self) -> str:
        kept = self.record.maker.kept
        place = ("reasons", self.spec)
        if place not in kept:
            kept[place] = " ".join(_reasoned_names(self.spec))
        return str(kept[place])

    def _by_number(self) -> dict[str, str] | None:
        """Ctrl+R in a field that the view names leads to another record by its number."""
        name = self.view.number_key_field
        if not name:
            return None
        label = str(self.spec.natural_key[0].label)
        return {
            "field": name,
            "field_label": str(self.spec.field(name).label),
            "url": fixed_url(f"{self.view.endpoint}.open_view"),
            "suggest_url": self.view.registry.suggest_url(self.spec),
            "title": gettext("%(what)s über die Nummer öffnen", what=str(self.spec.label)),
            "label": label,
        }

    def _companions(self) -> dict[str, str]:
        """Where the page reports itself and keeps what is typed."""
        if self.operator.user_id is None:
            return {}
        found = {}
        if self.key is not None:
            found["presence"] = f"{fixed_url(f'{self.view.endpoint}.presence_view')}?id={self.key}"
        if self.record.may_save:
            found["draft"] = fixed_url(f"{self.view.endpoint}.draft_view")
        return found

    def _offer(self, own_url: str) -> dict[str, str] | None:
        """Unsaved input of an earlier time that can be taken up again."""
        draft = drafts.latest(self.spec, self.key, self.operator, draft_days()) if self.record.may_save else None
        if draft is None:
            return None
        resume_url = f"{own_url}{'&' if '?' in own_url else '?'}draft={draft.token}"
        return {
            "when": format_datetime(draft.saved_at),
            "resume_url": resume_url,
            "discard_url": fixed_url(f"{self.view.endpoint}.draft_view"),
            "token": draft.token,
            "own_url": own_url,
        }

    def _tags(self, head: dict[str, Any]) -> list[tuple[str, str, str]]:
        if self.view.head_tags is None or self.key is None:
            return []
        make: Any = self.view.head_tags
        tags: list[tuple[str, str, str]] = make(head, self.operator)
        return tags

    def _notices(self) -> list[tuple[str, str]]:
        if self.record.is_sealed:
            words = gettext("Name, Anschrift und Unterdaten sind entfernt; hier lässt sich nichts mehr ändern.")
            return [(gettext("Anonymisiert"), words)]
        if self.view.notices is None:
            return []
        make: Any = self.view.notices
        found: list[tuple[str, str]] = make(
            self.operator, self.record.values([self.spec.field(name) for name in self.view.notice_fields])
        )
        return found

    def _new_title(self) -> str:
        return gettext("Neu: %(label)s", label=str(self.spec.label))

    def _back(self, tab: Tab, title: str) -> tuple[str, str]:
        """From the window of a special function to the record, from the record to the list as it was last seen."""
        if tab.special and self.key is not None:
            return title, self.view.record_url(self.key)
        return str(self.spec.plural), places.remembered_list(self.spec) or self.view.list_url()

    def _save_context(self, tab: Tab) -> dict[str, Any] | None:
        if not self.record.may_save:
            return None
        more = [("close", gettext("Speichern und schließen"), gettext("Strg ↵"))]
        if self.operator.may(f"{self.spec.right}.create") and not tab.special and not self.view.is_single:
            more.append(("new", gettext("Speichern und neu"), ""))
        label = str(tab.save_label) or gettext("Speichern")
        return {"label": label, "more": more, "tip": f"{label} ({told('Ctrl+S')})"}

    def _tabs(self, panels: list[Panel], active: str) -> list[SimpleNamespace]:
        faults = {panel.tab.key: fault_count(panel) for panel in panels}
        tabs = []
        counts = self._child_counts()
        for tab in self.view.form_layout.tabs:
            if tab.special or (tab.related and not any(may_see(self.record, each) for each in tab.related)):
                continue
            count = sum(counts.get(name, 0) for name in tab.children) if tab.children and not tab.groups else None
            tabs.append(
                SimpleNamespace(
                    key=tab.key,
                    label=str(tab.label),
                    count=count,
                    active=tab.key == active,
                    errors=faults.get(tab.key, 0),
                )
            )
        if self.key is not None and self.operator.may("history.read"):
            tabs.append(
                SimpleNamespace(
                    key="history", label=gettext("Historie"), count=None, active=active == "history", errors=0
                )
            )
        return tabs

    def _child_counts(self) -> dict[str, int]:
        if self.key is None:
            return {}
        tabs = [tab for tab in self.view.form_layout.tabs if not tab.groups and not tab.special]
        names = {name for tab in tabs for name in tab.children}
        return child_counts([child for child in self.spec.children if child.name in names], self.key)


def _reasoned_names(spec: ModelSpec) -> Iterator[str]:
    """The fields of the form, and of its tables (`table:field`), whose change asks for a reason."""
    yield from (item.name for item in spec.data_fields if item.reason)
    for child in spec.children:
        yield from (f"{child.name}:{item.name}" for item in child.data_fields if item.reason)

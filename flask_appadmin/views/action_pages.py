"""The pages of actions on marked records: bulk change with its preview, confirmations, labels.

Contexts: templates/appadmin/bulk_change.html, bulk_preview.html, confirm.html, labels.html. A page never carries ids:
it has the token of the selection, and for a plan the `state` that names the very rows it was made of.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import jsonify, redirect, render_template, request, send_file, session, url_for

from flask_appadmin.bulk import (
    LARGE,
    MOST_ADDED,
    Action,
    AddToEach,
    ChangeSettings,
    CopyRecord,
    DeleteRecords,
    Document,
    DocumentAction,
    PrintLabels,
    check_size,
)
from flask_appadmin.changes import AssignPlan, ValueGroup
from flask_appadmin.database import transaction
from flask_appadmin.errors import AppAdminError, FaultList, FieldError, NotFound, PlanChanged
from flask_appadmin.filters import Filter
from flask_appadmin.forms import FormMaker
from flask_appadmin.i18n import format_number, gettext, ngettext
from flask_appadmin.labels import LabelFormat, find_format
from flask_appadmin.rights import Operator
from flask_appadmin.selections import CAP, Selection, counted
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache, shown
from flask_appadmin.views import places
from flask_appadmin.views.form_page import posted_reason
from flask_appadmin.views.windows import for_window, in_window

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

#: Up to this number the page shows what the marked records have today; beyond, the preview tells it.
_TODAY_LIMIT = 2_000
#: Pages that are drawn before more than CAP records are counted, and whose script asks for the number then.
_COUNT_LATER = ("export", "labels", "worklist")
#: The labels of so many records are looked at for a page that speaks of more than CAP.
_SAMPLE = 50
_LISTED = 20


class ActionPages:
    """One request for one action on one selection."""

    def __init__(self, view: AppModelView, operator: Operator, action: Action) -> None:
        self.view = view
        self.spec = view.spec
        self.operator = operator
        self.action = action
        self.selection = self._selection()
        #: Names the very rows this page speaks of; the next request brings it back.
        self.state = ""
        #: There are more than `count`: the page is there at once, and counts exactly while it is read.
        self.capped = False
        if action.page == "change" and request.method == "GET":
            self.count, self.capped = self.selection.tally()
        else:
            # One that takes a few only has refused more than CAP before the number matters.
            counts_later = action.page in _COUNT_LATER or isinstance(action, DeleteRecords | CopyRecord)
            counts_later = counts_later and request.method == "GET" and not self._is_counting()
            self.state = self.selection.state(CAP if counts_later else None)
            self.capped = not self.state
            self.count = int(self.state.partition(".")[0]) if self.state else CAP

    def answer(self) -> Any:
        return for_window(self._answer())

    def _answer(self) -> Any:
        if self._is_counting():
            return jsonify({"state": self.state, "what": self.what, "text": self.subtitle})
        if not self.count:
            raise AppAdminError(self._nothing())
        if self.action.page == "open":
            return self._open()
        if self.action.page == "change":
            return _ChangePage(self).answer()
        if self.action.page == "labels":
            return _LabelsPage(self).answer()
        if self.action.page == "worklist":
            from flask_appadmin.views.worklists_page import WorklistPage

            return WorklistPage(self).answer()
        if self.action.page == "export":
            from flask_appadmin.views.export_page import ExportPage

            return ExportPage(self).answer()
        return _ConfirmPage(self).answer()

    def _open(self) -> Any:
        """The first marked record; the others are the next ones."""
        from flask_appadmin.views.list_page import ListPage

        listing = ListPage(self.view, self.operator)
        page = listing.read(Filter(self.spec), only=self.selection.where())
        if not page.rows:
            raise AppAdminError(self._nothing())
        pairs = [("only", "marked"), ("selection", self.selection.token)]
        places.remember_place(self.spec, self.view.list_url(), pairs)
        listing.remember_rows(page)
        return redirect(self.view.record_url(page.rows[0][0]))

    def _selection(self) -> Selection:
        token = request.values.get("token") or request.values.get("selection") or ""
        if token:
            return Selection.load(self.spec, self.operator, token)
        key = request.args.get("id", "")
        if key.isascii() and key.isdigit() and len(key) < 19:
            return Selection.of_keys(self.spec, self.operator, [int(key)]).store()
        if "query" in request.args:
            found = Filter.from_text(self.spec, request.args["query"], self.operator)
            return Selection.of_filter(found, self.operator).store()
        raise AppAdminError(self._nothing())

    def _nothing(self) -> str:
        return str(self.action.nothing_marked or self.view.nothing_marked)

    # --- what all pages need ------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return url_for(f"{self.view.endpoint}.run_action", action_name=self.action.name)

    @property
    def list_url(self) -> str:
        """The list as the operator left it; a selection made elsewhere comes with a list that shows it."""
        kept = places.remembered_list(self.spec)
        if kept and ("selection", self.selection.token) in places.remembered_pairs(self.spec):
            return kept
        if request.args.get("id") and kept:
            return kept
        pairs = [("selection", self.selection.token)]
        if self.selection.filter is not None:
            pairs = [*self.view.url_pairs(self.selection.filter), *pairs]
        return f"{self.view.list_url()}?{urlencode(pairs)}"

    @staticmethod
    def _is_counting() -> bool:
        """Whether the script of a page asks that had not counted: {"state", "what", "text"}, see countlater.js."""
        return request.method == "GET" and request.headers.get("X-Fragment") == "count"

    @property
    def count_url(self) -> str:
        """Where the page asks for the very number, "" where it has it."""
        if not self.capped or self.action.page not in _COUNT_LATER:
            return ""
        arguments = {name: request.args[name] for name in ("shown",) if name in request.args}
        return f"{self.url}?{urlencode({'selection': self.selection.token, **arguments})}"

    @property
    def what(self) -> str:
        """„38 Bücher“, or „mehr als 10.000 Bücher“ while nobody has counted."""
        what = counted(self.spec, self.count)
        return gettext("mehr als %(what)s", what=what) if self.capped else what

    @property
    def back(self) -> tuple[str, str]:
        return str(self.spec.plural), self.list_url

    @property
    def subtitle(self) -> str:
        what = self.selection.describe(self.count)
        what = gettext("mehr als %(what)s", what=what) if self.capped else what
        parts = [what, self.selection.lost(), self._difference_to_the_list()]
        return " · ".join(part for part in parts if part)

    def _difference_to_the_list(self) -> str:
        """The list said how many are marked; since then rows may have come or gone."""
        shown_count = request.args.get("shown", "")
        if not shown_count.isascii() or not shown_count.isdigit() or len(shown_count) > 9:
            return ""
        if int(shown_count) == self.count or self.capped:
            return ""
        return gettext("in der Liste standen noch %(count)s", count=format_number(int(shown_count)))

    def hidden(self) -> list[tuple[str, str]]:
        kept = [("_state", self.state)] if self.state or self.count_url else []
        return [("token", self.selection.token), *kept]

    def difference(self) -> str:
        """What to say when the rows are no longer those the page showed; "" when they are."""
        shown_state = request.form.get("_state", self.state)
        if shown_state == self.state:
            return ""
        if not shown_state:
            return gettext(
                "Gezählt sind jetzt %(what)s. Es wurde nichts getan. Bitte prüfen Sie und bestätigen Sie noch einmal.",
                what=counted(self.spec, self.count),
            )
        return different_rows(self.spec, shown_state, self.state)

    def done(self, text: str, change_set: int | None, url: str = "") -> Any:
        """Back to where the operator came from, with the word on what was done and the way back."""
        undo = self.view.registry.undo_url(change_set) if change_set is not None else ""
        session["toast"] = {"text": text, "undo_url": undo}
        self.view.registry.forget_total(self.spec)
        # What was marked was marked for this; the list stays where it was and shows the result.
        Selection(self.spec, self.operator, token=self.selection.token).store()
        places.forget_selection(self.spec)
        return redirect(url or places.remembered_list(self.spec) or self.view.list_url())

    def titles(self, keys: list[int]) -> dict[int, str]:
        return ReferenceCache().titles(self.spec, set(keys))

    def send(self, action: DocumentAction, values: dict[str, Any]) -> Any:
        """Makes the document and sends it as a download; the file is gone afterwards."""
        folder = tempfile.TemporaryDirectory(prefix="kontor-")
        try:
            document = action.render(self.selection, values, Path(folder.name))
        except BaseException:
            folder.cleanup()
            raise
        return send_document(document, folder)


def _copy_hint(field: Any, proposed: dict[str, Any]) -> str:
    if proposed.get(field.spec.name) is not None:
        return gettext("vorgeschlagen")
    given = not field.required and (field.spec.natural_key or not proposed)
    return gettext("leer: wird vergeben") if given else ""


def different_rows(spec: ModelSpec, shown_state: str, state: str) -> str:
    """The difference between the rows a page showed and those there are now, as a sentence."""
    before, now = (int(part) if part.isascii() and part.isdigit() else 0 for part in _counts(shown_state, state))
    nothing_done = gettext("Es wurde nichts getan. Bitte prüfen Sie und bestätigen Sie noch einmal.")
    if before == now:
        return gettext(
            "Es sind noch %(what)s, aber nicht mehr dieselben. %(nothing)s",
            what=counted(spec, now),
            nothing=nothing_done,
        )
    return gettext(
        "Angezeigt waren %(before)s, jetzt sind es %(now)s. %(nothing)s",
        before=counted(spec, before),
        now=format_number(now),
        nothing=nothing_done,
    )


def _counts(*states: str) -> list[str]:
    return [state.partition(".")[0][:12] for state in states]


def send_document(document: Document, folder: tempfile.TemporaryDirectory[str]) -> Any:
    answer = send_file(
        document.path, mimetype=document.media_type, as_attachment=True, download_name=document.file_name
    )
    answer.call_on_close(folder.cleanup)
    return answer


class _ChangePage:
    """Bulk change: settings on the left, the preview of the very plan on the right."""

    def __init__(self, pages: ActionPages) -> None:
        assert isinstance(pages.action, ChangeSettings)
        self.pages = pages
        self.action: ChangeSettings = pages.action
        self.spec = pages.spec
        self.items = self.action.fields(self.spec, pages.operator)
        self.maker = FormMaker(pages.operator, lambda item: pages.view.registry.lookup_url(item.references))
        self.form = self.maker.make(self.items)
        self.checked: set[str] = set()
        self.modes: dict[str, str] = {}
        self.faulty = False
        #: Ticked settings that have no value yet.
        self.blank: set[str] = set()
        for field in self.form:
            self._as_editor(field)

    def _as_editor(self, field: Any) -> None:
        """A field of the bulk page starts empty and is asked for only when its box is ticked."""
        field.readonly = False
        field.required = False
        if field.kind == "check":
            field.kind = "select"
            field.choices = [("1", gettext("Ja")), ("0", gettext("Nein"))]
        if field.kind == "textarea":
            field.wide = 1
        field.value = ""

    def answer(self) -> Any:
        if request.method == "POST" and (
            "change" in request.form or "_do" in request.form or "X-Fragment" in request.headers
        ):
            values = self._values()
            if request.headers.get("X-Fragment") == "bulk_preview":
                return render_template("appadmin/bulk_preview.html", preview=self._preview(values), fragment=True)
            # Without the plan that was looked at nothing is applied.
            if request.form.get("_do") == "apply" and not self.faulty and values and request.form.get("plan"):
                return self._apply(values)
            return self._draw(self._preview(values))
        return self._draw(self._preview({}))

    def _values(self) -> dict[str, Any]:
        """What is to be set, by field; faults stay in the form's fields."""
        posted = request.form
        self.checked = {name for name in posted.getlist("change") if name in self.form}
        values: dict[str, Any] = {}
        for field in self.form:
            name = field.spec.name
            self.modes[name] = posted.get(f"mode-{name}", "set")
            if name not in self.checked:
                continue
            if self.modes[name] == "clear":
                values[name] = None
                continue
            field.read(posted, set(), self.maker.names)
            if not field.errors and field.parsed in (None, ""):
                words = gettext("Bitte einen Wert angeben oder „leeren“ wählen.")
                field.errors = [words if field.spec.nullable else gettext("Bitte einen Wert angeben.")]
                self.blank.add(name)
            if field.errors:
                self.faulty = True
                continue
            try:
                values[name] = field.spec.check(field.parsed)
            except FieldError as fault:
                field.errors = [fault.found()]
                self.faulty = True
        return values

    def _preview(self, values: dict[str, Any]) -> dict[str, Any]:
        empty = {"checked": "", "groups": [], "refused": [], "refused_count": 0, "mark_refused_url": "", "changed": 0}
        confirm = gettext("Ändern")
        faults = [f"{field.label}: {sentence}" for field in self.form for sentence in field.errors]
        if faults:
            # Whoever has just ticked a box has done nothing wrong yet.
            waiting = all(field.spec.name in self.blank for field in self.form if field.errors)
            state = "empty" if waiting and "X-Fragment" in request.headers else "faulty"
            return {"state": state, "text": " ".join(faults), "plan": "", "confirm_label": confirm, **empty}
        if not values:
            text = gettext("Wählen Sie links, was geändert werden soll. Hier sehen Sie dann, was geschehen würde.")
            return {"state": "empty", "text": text, "plan": "", "confirm_label": confirm, **empty}
        without_refused = request.form.get("_without_refused") == "1"
        try:
            plan = self.action.preview(self.pages.selection, values)
            refused = plan.refused
            if without_refused and refused:
                kept = self.action.preview(self.pages.selection, values, [key for key, _t, _r in refused])
                plan = AssignPlan(kept.count, kept.changed, kept.groups, refused, kept.state)
        except FaultList as fault:
            return {"state": "faulty", "text": str(fault), "plan": "", "confirm_label": confirm, **empty}
        possible = plan.changed if without_refused or not refused else 0
        return {
            "state": "ready",
            "text": self._sentence(plan, len(refused), without_refused),
            "checked": gettext("gerade geprüft"),
            "groups": self._groups(plan),
            "refused": [(title, self.pages.view.record_url(key), reason) for key, title, reason in refused[:_LISTED]],
            "refused_count": len(refused),
            "mark_refused_url": self._mark_url([key for key, _t, _r in refused]) if refused else "",
            "without_refused": without_refused,
            "changed": possible,
            "plan": plan.state,
            "confirm_label": self.change_label(possible) if possible else confirm,
        }

    def change_label(self, count: int) -> str:
        return gettext("%(what)s ändern", what=counted(self.spec, count))

    def _sentence(self, plan: AssignPlan, refused: int, without: bool) -> str:
        total = plan.count + (refused if without else 0)
        same = plan.count - plan.changed - (0 if without else refused)
        if not plan.changed:
            if total == 1:
                return gettext("Die Werte sind schon so.")
            return gettext("Alle %(count)s haben diese Werte schon.", count=format_number(total))
        changed = plan.changed if without else max(plan.changed - refused, 0)
        what = counted(self.spec, changed)
        parts = [ngettext("%(what)s wird geändert", "%(what)s werden geändert", changed, what=what)]
        if same > 0:
            parts.append(ngettext("%(count)s hat die Werte schon", "%(count)s haben die Werte schon", same))
        if refused:
            parts.append(gettext("%(count)s nicht", count=format_number(refused)))
        return ", ".join(parts) + "."

    def _groups(self, plan: AssignPlan) -> list[tuple[int, str, str, str, str]]:
        rows = []
        for name, groups in plan.groups.items():
            label = str(self.spec.field(name).label)
            shown_groups = groups[:5]
            for group in shown_groups:
                rows.append(self._group_row(label, group))
            rest = groups[5:]
            if rest:
                note = ngettext("und %(count)s weiterer Wert", "und %(count)s weitere Werte", len(rest))
                rows.append((sum(group.count for group in rest), label, "", "", note))
        return rows

    @staticmethod
    def _group_row(label: str, group: ValueGroup) -> tuple[int, str, str, str, str]:
        if group.same:
            return group.count, label, "", "", gettext("hat den Wert schon: %(value)s", value=group.new)
        return group.count, label, group.old, group.new, ""

    def _mark_url(self, keys: list[int]) -> str:
        chosen = Selection.of_keys(self.spec, self.pages.operator, keys).store()
        return self.pages.view.list_url(selection=chosen.token, only="marked")

    def _apply(self, values: dict[str, Any]) -> Any:
        without: list[int] = []
        if request.form.get("_without_refused") == "1":
            plan = self.action.preview(self.pages.selection, dict(values))
            without = [key for key, _title, _reason in plan.refused]
        change = self.action.plan(
            self.pages.selection,
            values,
            expected=request.form.get("plan", ""),
            without=without,
            reason=posted_reason(),
        )
        try:
            applied = change.apply(self.pages.operator)
        except (PlanChanged, FaultList) as fault:
            preview = self._preview(values)
            preview["text"] = f"{fault} {preview['text']}"
            preview["state"] = "faulty"
            return self._draw(preview), 409
        parts = [gettext("%(what)s geändert", what=counted(self.spec, applied.updated))]
        same = self.pages.count - len(without) - applied.updated
        if same > 0:
            parts.append(ngettext("%(count)s hatte die Werte schon", "%(count)s hatten die Werte schon", same))
        if without:
            parts.append(gettext("%(count)s nicht", count=format_number(len(without))))
        return self.pages.done(", ".join(parts) + ".", applied.change_set)

    def _draw(self, preview: dict[str, Any]) -> str:
        layout = self.pages.view.form_layout
        today = self._today()
        sections: dict[str, list[dict[str, Any]]] = {}
        labels = {tab.key: str(tab.label) for tab in layout.tabs}
        for field in self.form:
            item = field.spec
            modes = [("set", gettext("setzen auf"))]
            if item.nullable:
                modes.append(("clear", gettext("leeren")))
            heading = labels.get(layout.tab_of(item.name), gettext("Weitere Angaben"))
            sections.setdefault(heading, []).append(
                {
                    "field": field,
                    "checked": item.name in self.checked,
                    "today": today.get(item.name, ""),
                    "modes": modes,
                    "mode": self.modes.get(item.name, "set"),
                }
            )
        return render_template(
            "appadmin/bulk_change.html",
            page_title=str(self.action.title),
            back=self.pages.back,
            subtitle=self.pages.subtitle,
            hint=str(self.action.notice),
            action=self.pages.url,
            preview_url=self.pages.url,
            hidden=self.pages.hidden(),
            sections=[{"title": heading, "rows": rows} for heading, rows in sections.items()],
            reason=posted_reason(),
            cancel_url=self.pages.list_url,
            preview=preview,
        )

    def _today(self) -> dict[str, str]:
        """What the marked records have now: the common value, or how many different ones."""
        if self.pages.count > _TODAY_LIMIT:
            return {}
        seen: list[set[Any]] = [set() for _item in self.items]
        for row in self.pages.selection.rows(self.items):
            for values, value in zip(seen, row[1:], strict=True):
                values.add(value)
        words = {}
        for item, values in zip(self.items, seen, strict=True):
            if len(values) == 1:
                text = shown(item, next(iter(values)), self.maker.names) or gettext("leer")
                words[item.name] = gettext("%(value)s (alle)", value=text) if self.pages.count > 1 else text
            else:
                words[item.name] = gettext("verschieden (%(count)s Werte)", count=len(values))
        return words


class _ConfirmPage:
    """A question with what is concerned: copy and delete."""

    def __init__(self, pages: ActionPages) -> None:
        self.pages = pages
        self.spec = pages.spec

    def answer(self) -> Any:
        if isinstance(self.pages.action, CopyRecord):
            return self._copy(self.pages.action)
        if isinstance(self.pages.action, DeleteRecords):
            return self._delete(self.pages.action)
        if isinstance(self.pages.action, AddToEach):
            return self._add(self.pages.action)
        if isinstance(self.pages.action, DocumentAction):
            return self._document(self.pages.action)
        raise NotFound()

    def _common(self) -> dict[str, Any]:
        return {
            "in_window": in_window(),
            "back": self.pages.back,
            "action": self.pages.url,
            "hidden": self.pages.hidden(),
            "cancel_url": self.pages.list_url,
            "counts": [],
            "items": [],
            "items_more": 0,
            "problems": None,
            "warning": "",
            "fields": [],
            "typed": None,
            "reason": False,
            "danger": False,
            "possible": True,
            "text": "",
        }

    def _copy(self, action: CopyRecord) -> Any:
        key = action.key_of(self.pages.selection)
        items = action.fields(self.spec)
        maker = FormMaker(self.pages.operator)
        form = maker.make(items, is_new=True)
        proposed = action.proposals(self.spec)
        for field in form:
            field.readonly = False
            field.show(proposed.get(field.spec.name))
            field.hint = _copy_hint(field, proposed)
            field.required = field.required and field.spec.copy == "clear"
        problems: list[tuple[str, str, str]] = []
        if request.method == "POST" and request.form.get("_do") == "copy":
            form.read(request.form, set(), maker.names)
            values = {name: value for name, value in form.posted_values().items() if value is not None}
            if not form.has_errors:
                change = action.plan(self.pages.selection, values)
                try:
                    applied = change.apply(self.pages.operator)
                    made = change.made  # type: ignore[attr-defined]
                    title = self.pages.titles([made.key])[made.key]
                    text = gettext("Kopie angelegt: %(title)s", title=title)
                    return self.pages.done(text, applied.change_set, self.pages.view.record_url(made.key))
                except FaultList as refused:
                    for fault in refused.faults:
                        name = getattr(fault, "field", "")
                        if isinstance(name, str) and name in form:
                            form[name].errors = [fault.found()]  # type: ignore[attr-defined]
                        else:
                            problems.append(("", "", str(fault)))
        title = self.pages.titles([key])[key]
        words = gettext("Die Kopie ist danach geöffnet; das Original bleibt, wie es ist.")
        context = self._common() | {
            "page_title": gettext("%(label)s kopieren", label=str(self.spec.label))
            if not action.full
            else gettext("%(label)s vollständig kopieren", label=str(self.spec.label)),
            "text": gettext("Vorlage: %(title)s. %(words)s", title=title, words=words),
            "counts": self._child_counts([key]) if action.full else [],
            "fields": list(form),
            "hidden": [*self.pages.hidden(), ("_do", "copy")],
            "confirm_label": str(action.confirm_label or action.label),
            "problems": {"text": gettext("So geht es nicht"), "rows": problems} if problems else None,
        }
        return render_template("appadmin/confirm.html", **context), 422 if problems or form.has_errors else 200

    def _add(self, action: AddToEach) -> Any:
        """One row for each marked record, after a look at those that get none."""
        selection, pages = self.pages.selection, self.pages
        check_size(selection, "bulk.large")
        if pages.count > MOST_ADDED:
            most = format_number(MOST_ADDED)
            raise AppAdminError(gettext("Das geht für höchstens %(most)s auf einmal.", most=most))
        keys = selection.key_list()
        refused = dict(action.refusals(selection, keys))
        number = len(keys) - len(refused)
        maker = FormMaker(pages.operator)
        form = maker.make(action.fields(self.spec), is_new=True)
        for field in form:
            field.show(field.spec.default_value())
        problems: list[str] = []
        # The page has shown how many it will be; when that is no longer so, it is shown again.
        agreed = request.form.get("_do") == "add" and request.form.get("_count") == str(number)
        if request.method == "POST" and request.form.get("_do") == "add":
            form.read(request.form, set(request.form.getlist("_shown")), maker.names)
            if agreed and number and not form.has_errors:
                try:
                    applied = action.plan(selection, form.posted_values(), without=list(refused)).apply(pages.operator)
                except FaultList as fault:
                    for each in dict.fromkeys(map(str, fault.faults)):
                        problems.append(each)
                else:
                    return pages.done(gettext("%(count)s angelegt.", count=format_number(number)), applied.change_set)
        titles = pages.titles(list(refused)[:_LISTED])
        context = self._common() | {
            "page_title": str(action.label),
            "text": str(action.hint),
            "warning": " ".join(problems[:3]),
            "counts": [(number, str(self.spec.label if number == 1 else self.spec.plural))],
            "fields": list(form),
            "problems": {
                "text": gettext("bleiben außen vor"),
                "rows": [
                    (titles[key], pages.view.record_url(key), reason) for key, reason in list(refused.items())[:_LISTED]
                ],
                "count": len(refused),
            }
            if refused
            else None,
            "hidden": [*pages.hidden(), ("_do", "add"), ("_count", str(number))],
            "possible": number > 0,
            "confirm_label": gettext("Für %(what)s anlegen", what=counted(self.spec, number)),
        }
        return render_template("appadmin/confirm.html", **context), 422 if problems or form.has_errors else 200

    def _document(self, action: DocumentAction) -> Any:
        if request.method == "POST" and request.form.get("_do") == "write":
            return self.pages.send(action, {})
        context = self._common() | {
            "page_title": str(action.label),
            "text": str(action.hint),
            "counts": [(self.pages.count, str(self.spec.label if self.pages.count == 1 else self.spec.plural))],
            "hidden": [*self.pages.hidden(), ("_do", "write")],
            "confirm_label": gettext("Datei herunterladen"),
        }
        return render_template("appadmin/confirm.html", **context)

    def _child_counts(self, keys: list[int]) -> list[tuple[int, str]]:
        counts = []
        for child in self.spec.children:
            assert child.owner is not None
            number = child.model.select().where(child.owner.column_field.in_(keys)).count()
            if number:
                counts.append((number, str(child.plural)))
        return counts

    def _delete(self, action: DeleteRecords) -> Any:
        selection = self.pages.selection
        if request.method == "POST" and request.form.get("_do") == "delete":
            # The last look and the deletion see the same rows: nobody writes in between (SQLite), or it is refused.
            with transaction():
                plan = _DeletePlan.of(action, selection)
                answer = self._delete_now(action, plan)
            if not isinstance(answer, str):
                return answer
            return self._ask_for_deletion(action, _DeletePlan.of(action, selection), answer), 409
        return self._ask_for_deletion(action, _DeletePlan.of(action, selection))

    def _delete_now(self, action: DeleteRecords, plan: _DeletePlan) -> Any:
        """The answer after deletion, or the sentence that says why nothing was deleted."""
        shown_state = request.form.get("_count", "")
        if shown_state != plan.state:
            return different_rows(self.spec, shown_state, plan.state)
        if not plan.possible:
            return gettext("Es gibt nichts zu löschen.")
        chosen = Selection.of_keys(self.spec, self.pages.operator, plan.possible)
        try:
            applied = action.plan(chosen, {"reason": posted_reason()}).apply(self.pages.operator)
        except FaultList as fault:
            return str(fault)
        text = gettext("%(what)s gelöscht.", what=counted(self.spec, applied.deleted))
        if plan.refused:
            text = gettext(
                "%(what)s gelöscht, %(count)s nicht.",
                what=counted(self.spec, applied.deleted),
                count=len(plan.refused),
            )
        return self.pages.done(text, applied.change_set)

    def _named(self, keys: list[int], titles: dict[int, str]) -> list[tuple[str, str, str]]:
        """(what operators call it, address, title) of records; the title alone where they have no other word for it."""
        url = self.pages.view.record_url
        name = self.pages.view.named_by
        if not name:
            return [(titles[key], url(key), "") for key in keys]
        other = self.pages.view.instead_columns.get(name, name)
        items = [self.spec.field(name), self.spec.field(other)]
        rows = Selection.of_keys(self.spec, self.pages.operator, keys).rows(items)
        words = {row[0]: items[0].format(row[1]) or items[1].format(row[2]) for row in rows}
        return [(words.get(key) or titles[key], url(key), titles[key]) for key in keys]

    def _ask_for_deletion(self, action: DeleteRecords, plan: _DeletePlan, warning: str = "") -> str:
        keys, possible, refused = plan.keys, plan.possible, plan.refused
        titles = self.pages.titles(keys)
        url = self.pages.view.record_url
        context = self._common() | {
            "page_title": gettext("%(what)s löschen?", what=counted(self.spec, len(keys))),
            "text": " ".join(
                part
                for part in (
                    gettext("Über „Rückgängig“ und unter „Meine Vorgänge“ lässt sich das zurücknehmen."),
                    self.pages.selection.lost(),
                )
                if part
            ),
            "warning": warning,
            "counts": [
                (len(possible), str(self.spec.label if len(possible) == 1 else self.spec.plural)),
                *self._child_counts(possible),
            ],
            "items": self._named(possible[:_LISTED], titles),
            "items_more": max(len(possible) - _LISTED, 0),
            "problems": {
                "text": gettext("können nicht gelöscht werden"),
                "rows": [(titles[key], url(key), reason) for key, reason in list(refused.items())[:_LISTED]],
                "count": len(refused),
            }
            if refused
            else None,
            "hidden": [*self.pages.hidden(), ("_do", "delete"), ("_count", plan.state)],
            "reason": True,
            "danger": True,
            "possible": bool(possible),
            "confirm_label": gettext("Nur die anderen löschen (%(count)s)", count=len(possible))
            if refused and possible
            else gettext("Ja, löschen"),
        }
        return render_template("appadmin/confirm.html", **context)


@dataclass(frozen=True)
class _DeletePlan:
    """What a deletion would do, row by row."""

    keys: list[int]
    #: Key -> why it must stay.
    refused: dict[int, str]

    @classmethod
    def of(cls, action: DeleteRecords, selection: Selection) -> _DeletePlan:
        check_size(selection, "bulk.large")
        keys = selection.key_list(LARGE + 1)
        if len(keys) > LARGE:
            raise AppAdminError(
                gettext(
                    "Auf einmal lassen sich höchstens %(limit)s löschen; markiert sind %(count)s.",
                    limit=format_number(LARGE),
                    count=counted(selection.spec, selection.count()),
                )
            )
        return cls(keys, dict(action.refusals(selection, keys)))

    @property
    def possible(self) -> list[int]:
        return [key for key in self.keys if key not in self.refused]

    @property
    def state(self) -> str:
        """Names the very rows that would go."""
        return f"{len(self.possible)}.{sum(self.possible)}"


class _LabelsPage:
    """Labels: format, start on a used sheet, copies, and what the application lets choose."""

    def __init__(self, pages: ActionPages) -> None:
        assert isinstance(pages.action, PrintLabels)
        self.pages = pages
        self.action: PrintLabels = pages.action

    def answer(self) -> Any:
        errors: list[str] = []
        values: dict[str, Any] = self._defaults()
        if request.method == "POST" and "format" in request.form:
            try:
                values |= self._posted()
                if request.form.get("_do") != "preview":
                    difference = self.pages.difference()
                    if difference:
                        return self._draw(values, [difference]), 409
                    return self.pages.send(self.action, values)
            except AppAdminError as fault:
                errors.append(str(fault))
        return self._draw(values, errors), 422 if errors else 200

    def _defaults(self) -> dict[str, Any]:
        formats = list(LabelFormat.select().order_by(LabelFormat.id).limit(1))
        if not formats:
            raise AppAdminError(gettext("Es gibt noch kein Etikettenformat. Bitte legen Sie eines an."))
        chosen = {name: choices[0][0] for name, _label, choices in self.action.choices()}
        return {"format": formats[0], "start": 1, "copies": formats[0].copies or 1, **chosen}

    def _posted(self) -> dict[str, Any]:
        posted = request.form
        values: dict[str, Any] = {"format": find_format(posted.get("format", ""))}
        values["start"] = _whole(
            posted.get("start", "1"), gettext("Erstes freies Etikett"), 1, values["format"].geometry().per_page
        )
        values["copies"] = _whole(posted.get("copies", "1"), gettext("Exemplare je Anschrift"), 1, 100)
        for name, label, choices in self.action.choices():
            text = posted.get(name, choices[0][0])
            if text not in dict(choices):
                raise FieldError(label, text, gettext("gibt es hier nicht"))
            values[name] = text
        return values

    def _draw(self, values: dict[str, Any], errors: list[str]) -> str:
        chosen = values["format"]
        pages = self.pages
        # To lay out a million labels takes minutes: their page shows a few of them, and tells that the rest will be.
        many = pages.capped or pages.count > CAP
        shown_ones = pages.selection
        if many:
            shown_ones = Selection.of_keys(pages.spec, pages.operator, pages.selection.key_list(_SAMPLE))
        found = self.action.labels(shown_ones, values)
        number = len(found.labels) * values["copies"]
        per_page = chosen.geometry().per_page
        sheets = -(-(number + values["start"] - 1) // per_page) if number else 0
        fields = [
            {
                "name": name,
                "kind": "select",
                "label": str(label),
                "value": values[name],
                "choices": [(value, str(text)) for value, text in choices],
                "required": True,
            }
            for name, label, choices in self.action.choices()
        ]
        total = gettext(
            "%(labels)s Etiketten auf %(sheets)s Bögen", labels=format_number(number), sheets=format_number(sheets)
        )
        if many:
            total = gettext("Etiketten für %(what)s", what=pages.what)
        return render_template(
            "appadmin/labels.html",
            page_title=str(self.action.label),
            back=self.pages.back,
            subtitle=self.pages.subtitle,
            action=self.pages.url,
            hidden=self.pages.hidden(),
            formats=[
                _format_context(each, each.id == chosen.id) for each in LabelFormat.select().order_by(LabelFormat.id)
            ],
            start=values["start"],
            copies=values["copies"],
            fields=fields,
            count="" if many else len(found.labels),
            count_url=pages.count_url,
            sample=found.labels[0] if found.labels else [],
            skipped=[
                (title, self.pages.view.record_url(key), reason) for key, title, reason in found.skipped[:_LISTED]
            ],
            skipped_count=0 if many else len(found.skipped),
            errors=errors,
            total_text=total,
        )


def _format_context(each: LabelFormat, chosen: bool) -> dict[str, Any]:
    geometry = each.geometry()
    return {
        "value": each.name,
        "label": each.name,
        "page": (geometry.page_width, geometry.page_height),
        "label_size": (geometry.label_width, geometry.label_height),
        "margin": (geometry.margin_left, geometry.margin_top),
        "pitch": (geometry.pitch_x, geometry.pitch_y),
        "columns": geometry.columns,
        "rows": geometry.rows,
        "chosen": chosen,
    }


def _whole(text: str, label: str, low: int, high: int) -> int:
    text = text.strip() or str(low)
    if not text.isascii() or not text.isdigit() or len(text) > 6 or not low <= int(text) <= high:
        advice = gettext("Erlaubt ist %(low)s bis %(high)s.", low=low, high=high)
        raise FieldError(label, text, gettext("passt hier nicht"), advice)
    return int(text)


__all__ = ["ActionPages", "FieldSpec", "send_document"]

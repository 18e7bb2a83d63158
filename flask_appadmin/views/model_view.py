"""AppModelView: the routes of one model and what a subclass may declare about them.

Flask-Admin's Peewee view keeps its place in the menu and its addresses; its own pages, forms, filters, in-line editing
and export are not used, since they write past the gateway and ignore the gate (base.md). What it would build at
construction is switched off; every route here asks the rights of the request's operator.
Source: style.md section 5; written against Flask-Admin 2.2.1.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from typing import Any, ClassVar
from urllib.parse import urlencode

from flask import abort, g, has_request_context, jsonify, redirect, request, url_for
from flask_admin import expose
from flask_admin.contrib.peewee import ModelView
from werkzeug.datastructures import MultiDict

from flask_appadmin import forms, listviews, naming
from flask_appadmin.bulk import Action
from flask_appadmin.database import key_condition
from flask_appadmin.digits import is_number
from flask_appadmin.errors import FieldError, FilterError, NotFound
from flask_appadmin.filters import Filter, Part
from flask_appadmin.i18n import _
from flask_appadmin.layouts import ChildTable, Layout, automatic_layout, extended, grid_columns, list_columns
from flask_appadmin.merging import current_key, current_keys
from flask_appadmin.rights import Operator, may_read, may_read_full, may_set_secret, visible
from flask_appadmin.selections import Selection
from flask_appadmin.shell import fixed_url
from flask_appadmin.specs import FieldSpec, ModelSpec, spec_of
from flask_appadmin.views.action_pages import answer_action
from flask_appadmin.views.choosing import ChoosePage
from flask_appadmin.views.condition_page import ConditionPage
from flask_appadmin.views.duplicates_page import DuplicatesPage
from flask_appadmin.views.entry_window import EntryPage, EntryWindow
from flask_appadmin.views.form_page import FormPage, FormRecord, answer_draft, answer_presence, answer_proposals
from flask_appadmin.views.index_page import answer_indexes
from flask_appadmin.views.list_page import ListPage
from flask_appadmin.views.list_page.arranging_answers import answer_arranging
from flask_appadmin.views.list_page.filter_panel import FilterPanel
from flask_appadmin.views.list_page.saving import CellSaving
from flask_appadmin.views.list_page.table import ColumnSign
from flask_appadmin.views.marking import change_marks, mark_numbers
from flask_appadmin.views.preview import Preview
from flask_appadmin.views.search_window import SearchWindow
from flask_appadmin.views.split_page import answer_split
from flask_appadmin.views.stepping import step

log = logging.getLogger("appadmin")

_USUAL_TABLE = ChildTable()


def operator() -> Operator:
    """Whoever is signed in; 401 for nobody."""
    found: Operator | None = getattr(g, "operator", None)
    if found is None:
        abort(401)
    return found


class AppModelView(ModelView):
    """The pages of one model. What stands here may be said differently by a subclass; all else is in the spec."""

    #: The tabs of the form; None makes them from the groups of the fields.
    layout: ClassVar[Layout | None] = None
    #: Names of the list's columns; None takes the fields marked `listed`.
    columns: ClassVar[tuple[str, ...] | None] = None
    #: Names of the fields that always stand in the filter bar.
    quick_filters: ClassVar[tuple[str, ...]] = ()
    #: What the search box of the filter bar says.
    search_label: ClassVar[Any] = None
    #: The filter of a list that is opened without one, as text of a URL; "" for all rows.
    default_query: ClassVar[str] = ""
    #: Actions on marked records, in menu order; None takes the generic ones.
    actions: ClassVar[tuple[Action, ...] | None] = None
    #: Fields whose cells are links to the record.
    link_columns: ClassVar[tuple[str, ...]] = ()
    #: (field, code) -> look of its tag: "good", "warn", "bad", "info" or "".
    tags: ClassVar[dict[str, dict[Any, str]]] = {}
    #: Names of the fields that `head_tags` looks at.
    head_fields: ClassVar[tuple[str, ...]] = ()
    #: Function (values of a row, operator) -> [(text, look, tooltip)] for the head of the form.
    head_tags: ClassVar[Any] = None
    #: References from which a new record takes over values: choosing one reads the new form anew.
    begins_with: ClassVar[tuple[str, ...]] = ()
    #: Names of the fields that `notices` looks at.
    notice_fields: ClassVar[tuple[str, ...]] = ()
    #: Function (operator, values) -> [(heading, text)] of what whoever fills in the form should read first.
    notices: ClassVar[Any] = None
    #: What the button for a new record says; None makes it from the model's label.
    new_label: ClassVar[Any] = None
    #: Field -> a shorter word for the head of its column, where the form's own is too long; "<child>.<field>" in grids.
    short_labels: ClassVar[dict[str, Any]] = {}
    #: Field -> its word in the filter bar, where it is called differently there.
    filter_labels: ClassVar[dict[str, Any]] = {}
    #: References that the list shows by their short code.
    code_columns: ClassVar[tuple[str, ...]] = ()
    #: Column -> the field that stands in for it where it is empty.
    instead_columns: ClassVar[dict[str, str]] = {}
    #: Fields that stand in grey behind the title where records are typed ahead.
    suggestion_fields: ClassVar[tuple[str, ...]] = ()
    #: Column -> the sign before its values.
    signs: ClassVar[dict[str, ColumnSign]] = {}
    #: Table (this one or a child's) -> the fields of its postal address, for a link to the map.
    places_on_map: ClassVar[dict[str, tuple[str, ...]]] = {}
    #: Fields that the preview shows besides those of the list and of the form's first page.
    preview_fields: ClassVar[tuple[str, ...]] = ()
    #: Fields of the search window (F10); none named: what the record is called and found by.
    search_window_fields: ClassVar[tuple[str, ...]] = ()
    #: Field that has to be filled -> the other field that may stand in for it; the model's rule is told by its mark.
    mandatory_unless: ClassVar[dict[str, str]] = {}
    #: Field of the form in which Ctrl+R opens another record by its number (the natural key), or "".
    number_key_field: ClassVar[str] = ""
    #: Field by which the question before a deletion names records; `instead_columns` stands in for an empty one.
    named_by: ClassVar[str] = ""
    #: Boxes in the search window and the filter bar that leave rows out: (name, label, filter as text of a URL).
    exclusions: ClassVar[tuple[tuple[str, Any, str], ...]] = ()
    #: Name of a route of its own -> what a menu entry "<table>/<name>" says; the route is `<name>_view`.
    pages: ClassVar[dict[str, Any]] = {}
    #: The table has one row: its list is the form of that row.
    is_single: ClassVar[bool] = False
    #: Windows in which a record begins with few fields; they stand in a menu beside the button for a new record.
    entry_windows: ClassVar[tuple[EntryWindow, ...]] = ()
    #: The page that chooses records by what they have in common, for a menu entry "<table>/choose".
    choosing: ClassVar[Any] = None
    #: Function (forms.Typed) -> forms.Proposals: what the form proposes while one types; and the fields it reads.
    propose: ClassVar[Any] = None
    proposal_fields: ClassVar[tuple[str, ...]] = ()
    #: The groups of the fields that a file may set, in their order: (caption, keys of tabs, child tables, or the names
    #: in views/imports/targets.py). What is not named follows by the tabs of the form.
    import_groups: ClassVar[tuple[tuple[Any, tuple[str, ...]], ...]] = ()
    #: Child table -> how it stands in the form.
    grids: ClassVar[dict[str, ChildTable]] = {}
    #: What is said when an action is called while nothing is marked.
    nothing_marked: ClassVar[Any] = _("Bitte markieren Sie mindestens eine Zeile.")

    def __init__(self, model: Any, registry: Any) -> None:
        self.registry = registry
        #: Fields that operators defined -> the form with them, as it was last asked for.
        self._extended: tuple[tuple[FieldSpec, ...], Any] = ((), None)
        self.spec: ModelSpec = spec_of(model)
        super().__init__(model, name=str(self.spec.plural), endpoint=self.spec.name, url=f"/admin/{self.spec.name}")

    # --- what Flask-Admin would build at construction and nobody uses -------------------------------------------------

    def _refresh_cache(self) -> None:
        """Nothing is scaffolded: pages come from the spec, per request."""

    def scaffold_pk(self) -> str:
        return "id"

    def init_actions(self) -> None:
        """Actions take selections, not lists of ids."""

    def is_accessible(self) -> bool:
        found = getattr(g, "operator", None)
        return found is not None and found.may(f"{self.spec.right}.read")

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        operator().require(f"{self.spec.right}.read")
        abort(403)

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin would call again with `cls=` on a TypeError and so hide its cause.
        return fn(self, *args, **kwargs)

    # Routes of the base that must not exist: they write past the gateway or read past the gate.
    details_view = None
    action_view = None
    export = None
    ajax_lookup = None
    ajax_update = None

    # --- the pages ----------------------------------------------------------------------------------------------------

    @functools.cached_property
    def declared_layout(self) -> Layout:
        """The form without what operators add to it."""
        return self.layout or automatic_layout(self.spec)

    @property
    def form_layout(self) -> Layout:
        further = self.spec.further_fields
        if not further:
            return self.declared_layout
        if self._extended[0] != further:
            self._extended = (further, extended(self.declared_layout, self.spec))
        return self._extended[1]

    def grid_fields(self, child: ModelSpec) -> tuple[FieldSpec, ...]:
        """The columns of a child table in the form."""
        names = self.child_table(child).columns
        return tuple(child.field(name) for name in names) if names else grid_columns(child)

    def child_table(self, child: ModelSpec) -> ChildTable:
        """How a child table stands in the form."""
        return self.grids.get(child.name, _USUAL_TABLE)

    def record_links(self, key: int, operator: Operator) -> list[tuple[str, str, str]]:
        """("print" or "special", label, url) of pages of its own in these menus of a record's form."""
        return []

    def field_links(self, key: int, operator: Operator, values: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
        """Field -> (address, sign, words) of what a value of a stored record leads to, beside the usual links."""
        return {}

    @property
    def list_fields(self) -> tuple[FieldSpec, ...]:
        if self.columns is None:
            return list_columns(self.spec)
        return tuple(self.spec.field(name) for name in self.columns)

    def heading(self, item: FieldSpec) -> tuple[str, str]:
        """What stands over a column of the list or of a child table, and the hint with the whole label and the help."""
        name = item.name if item.model_name == self.spec.name else f"{item.model_name}.{item.name}"
        short = self.short_labels.get(name)
        # A title of the operators' own wins over the short word for the declared one.
        if short is None or item.is_retitled:
            return str(item.label), str(item.help)
        return str(short), ". ".join(str(text).rstrip(".") for text in (item.label, item.help) if str(text))

    def filter_label(self, item: FieldSpec, name: str = "") -> str:
        """The word for a field in the filter bar."""
        return str((not item.is_retitled and self.filter_labels.get(name or item.name)) or self.heading(item)[0])

    def filter_of(self, pairs: Iterable[tuple[str, str]], me: Operator) -> Filter:
        """The filter that an address of the list means.

        The conditions of `default_query` are its usual ones: see `listviews.filter_of`.
        """
        return listviews.filter_of(self.spec, me, pairs, self.usual(me))

    def expanded(self, pairs: Iterable[tuple[str, str]], me: Operator) -> list[tuple[str, str]]:
        """An address of the list with all that the view it names says written out: filter, order, rows per page."""
        return listviews.address(self.spec, me, pairs)

    def url_pairs(self, found: Filter) -> list[tuple[str, str]]:
        """A filter as it stands in the list's address; nothing for the usual one."""
        usual = self.usual(operator())
        own = tuple(condition for condition in found.conditions if condition not in usual)
        pairs = Filter(self.spec, found.search, own).pairs()
        named = found.named
        if any(condition.spec not in named for condition in usual):
            pairs.append(("view", "all"))
        return pairs

    def usual(self, me: Operator) -> tuple[Part, ...]:
        """The parts of a list that is opened without a filter."""
        if not self.default_query:
            return ()
        if not has_request_context():
            return Filter.from_text(self.spec, self.default_query, me).conditions
        # Read once for each request: a page asks for it with every link.
        known: dict[str, Any] = g.setdefault("usual_conditions", {})
        if self.spec.name not in known:
            known[self.spec.name] = Filter.from_text(self.spec, self.default_query, me).conditions
        found: tuple[Part, ...] = known[self.spec.name]
        return found

    def allowed_actions(self) -> list[Action]:
        offered = self.actions if self.actions is not None else self.registry.generic_actions
        return [action for action in offered if action.is_offered(self.spec, operator())]

    @expose("/")
    def index_view(self) -> Any:
        row = self._single_key() if not request.args else None
        return redirect(self.record_url(row)) if row is not None else ListPage(self, operator()).answer()

    def _single_key(self) -> int | None:
        """The row of a table that has one, once it is there."""
        if not self.is_single:
            return None
        key = self.spec.model._meta.primary_key
        found: int | None = self.spec.model.select(key).order_by(key).tuples().scalar()
        return found

    @expose("/arrange", methods=("POST",))
    def arrange_view(self) -> Any:
        """What the menu of views, the column panel and the heads of the columns send: see views/list_page/arranging."""
        return answer_arranging(self, operator())

    @expose("/indexes", methods=("GET", "POST"))
    def indexes_view(self) -> Any:
        """„Schnelle Spalten“: indexes that administrators add to this table."""
        return answer_indexes(self, operator())

    @expose("/filter-fields")
    def filter_fields_view(self) -> Any:
        """Fields to filter by, for typing ahead: ?query=…&within=… -> [{"id", "text", "more"}]."""
        panel = FilterPanel(ListPage(self, operator(), MultiDict()))
        return jsonify(panel.fields(request.args.get("query", ""), request.args.get("within", "")))

    @expose("/filter-row")
    def filter_row_view(self) -> Any:
        """A row of the filter window for a field that was just chosen."""
        if "field" not in request.args:
            raise NotFound()
        return FilterPanel(ListPage(self, operator(), MultiDict())).fragment()

    @expose("/filter-build")
    def filter_build_view(self) -> Any:
        """The filter that was put together in the window: leads to the list, or back to the window."""
        kept = MultiDict(pair for pair in request.args.items(multi=True) if pair[0] != "tree")
        return FilterPanel(ListPage(self, operator(), kept)).build(request.args.get("tree", ""))

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        operator().require(f"{self.spec.right}.{'create' if self.spec.owner is None else 'edit'}")
        row = self._single_key()
        return redirect(self.record_url(row)) if row is not None else FormPage(self, operator(), None).answer()

    @expose("/begin/<window_name>", methods=("GET", "POST"))
    def begin_view(self, window_name: str) -> Any:
        """A window in which a record begins (see entry_window.py)."""
        return EntryPage(self, operator(), window_name).answer()

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        return FormPage(self, operator(), self._key()).answer()

    @expose("/propose", methods=("POST",))
    def propose_view(self) -> Any:
        """What a form proposes while one types: JSON in, JSON out (see form_page/proposals.py); ?id=… unless new."""
        key = self._key() if "id" in request.args else None
        operator().require(f"{self.spec.right}.{'create' if key is None and self.spec.owner is None else 'edit'}")
        return answer_proposals(FormRecord(self, operator(), key))

    @expose("/delete/", methods=("GET", "POST"))
    def delete_view(self) -> Any:
        """The confirmation for one record: the same page as for many."""
        selection = Selection.of_record(self.spec, operator(), self._key()).store()
        return redirect(url_for(f"{self.endpoint}.run_action", action_name="delete", selection=selection.token))

    @expose("/step")
    def step_view(self) -> Any:
        """From one record to another one of the list as it was last seen: ?id=…&to=first|previous|next|last."""
        return step(self, operator(), self._key(), request.args.get("to", ""), request.args.get("tab", ""))

    @expose("/presence", methods=("POST",))
    def presence_view(self) -> Any:
        """The form of a record is open: ?id=…; JSON in, {"text"} out (see form_page/companions.py)."""
        operator().require(f"{self.spec.right}.read")
        return answer_presence(self, operator(), self._key())

    @expose("/draft", methods=("POST",))
    def draft_view(self) -> Any:
        """What was typed into a form so far, as it would be sent (see form_page/companions.py)."""
        key = self._key() if request.form.get("id") else None
        right = "edit" if key is not None or self.spec.owner is not None else "create"
        operator().require(f"{self.spec.right}.{right}")
        return answer_draft(self, operator(), key)

    @expose("/fields")
    def fields_view(self) -> Any:
        """All fields of the form with their tab, for "find a field": [{"name", "label", "tab", "place"}]."""
        layout = self.form_layout
        found = []
        for tab in layout.tabs:
            if tab.special:
                continue  # a window of its own, in the list of special functions
            for group in tab.groups:
                place = " › ".join(str(part) for part in (tab.label, group.title) if part)
                for name in group.fields:
                    item = self.spec.field(name)
                    if may_set_secret(operator(), item) or may_read(operator(), item):
                        found.append({"name": name, "label": str(item.label), "tab": tab.key, "place": place})
        return jsonify(found)

    @expose("/condition", methods=("GET", "POST"))
    def condition_view(self) -> Any:
        """„Abfragebedingung“: type a condition, run it, keep it under a name."""
        return ConditionPage(self, operator()).answer()

    @expose("/selection", methods=("POST",))
    def change_selection(self) -> Any:
        """Ticks and unticks: JSON in, JSON out (see list.html)."""
        return change_marks(self, operator())

    @expose("/selection/numbers", methods=("POST",))
    def mark_numbers_view(self) -> Any:
        """Ticks the records that a pasted list of numbers names: JSON in, JSON out (see list.html)."""
        return mark_numbers(self, operator())

    @expose("/cells", methods=("POST",))
    def save_cells(self) -> Any:
        """Cells that were edited in the list: JSON in, JSON out (see list_page/saving.py)."""
        return CellSaving(self, operator()).answer()

    @expose("/lookup")
    def lookup_view(self) -> Any:
        """Records for typing ahead: ?query=…&limit=… -> [{"id", "text", "more"}] (more: see suggestion_fields).

        &for=<table>.<field> offers only what that reference takes (`among`), and all of it without a question;
        &offered=1 only what forms offer (`Record.offered`); &all=1 answers without a question, too.
        """
        only = self.spec.model.offered() if "offered" in request.args else None
        return jsonify(self._typed_ahead(20, only))

    @expose("/suggest")
    def suggest_view(self) -> Any:
        """The first hits of a search that is being typed: ?query=… -> [{"id", "text", "more", "url"}]."""
        usual = self.filter_of([], operator()).where(operator())
        found = self._typed_ahead(8, usual) or self._led_on()
        return jsonify([{**entry, "url": self.record_url(entry["id"])} for entry in found])

    def _led_on(self) -> list[dict[str, Any]]:
        """The record that goes on for the one whose number was typed, where that one was merged."""
        question = (request.args.get("query") or request.args.get("q") or "").replace("\x00", "").strip()
        if self.model.merging is None or not question:
            return []
        meant = naming.find_named(self.spec, operator(), [question]).keys
        keys = current_keys(self.spec, meant)
        further = key_condition(self.model._meta.primary_key, sorted(keys.values()))
        return forms.titled(self.spec, operator(), self.suggestion_fields, further) if keys else []

    def _typed_ahead(self, usual: int, only: Any = None) -> list[dict[str, Any]]:
        question = request.args.get("query") or request.args.get("q") or ""
        limit = request.args.get("limit", "")
        least = forms.LOOKUP_LEAST
        table, _dot, field = request.args.get("for", "").partition(".")
        wanted = self.registry.specs_by_name.get(table)
        item = wanted.by_name.get(field) if wanted is not None else None
        if item is not None and item.among and item.target is self.model:
            least = 0
            only = Filter.from_text(self.spec, item.among, operator()).where(operator())
        if "all" in request.args:
            least = 0
        number = int(limit) if is_number(limit, 9) else usual
        return forms.lookup(
            self.spec, question, operator(), limit=number, also=self.suggestion_fields, only=only, least=least
        )

    @expose("/preview")
    def preview_view(self) -> Any:
        """A record in short for the pane beside the list: ?id=… (see preview.html)."""
        return Preview(self, operator(), self._key()).answer()

    @expose("/open")
    def open_view(self) -> Any:
        """The form of the record with exactly this number: ?number=… -> {"url"}."""
        me = operator()
        me.require(f"{self.spec.right}.read")
        text = request.args.get("number", "").replace("\x00", "").strip()
        item = self.spec.natural_key[0] if self.spec.natural_key else None
        if item is None:
            raise NotFound()
        try:
            number = item.parse(text)
        except FieldError as fault:
            return jsonify({"error": fault.sentence()}), 400
        query = self.model.select(self.model._meta.primary_key).where(item.column_field == number)
        condition = visible(me, self.spec)
        row = (query if condition is None else query.where(condition)).tuples().first()
        if row is None:
            return jsonify({"error": NotFound(self.spec, text).sentence()}), 404
        return jsonify({"url": self.record_url(current_key(self.spec, row[0]))})

    @expose("/find")
    def find_view(self) -> Any:
        """The search window: ?<field>=…&do=list|show (see search_window.py)."""
        return SearchWindow(self, operator()).answer()

    @expose("/duplicates", methods=("GET", "POST"))
    def duplicates_view(self) -> Any:
        """Records that are perhaps one, side by side (see duplicates_page.py)."""
        return DuplicatesPage(self, operator()).answer()

    @expose("/split", methods=("GET", "POST"))
    def split_view(self) -> Any:
        """Takes a merge back: ?id=<operation> (see split_page.py)."""
        return answer_split(self, operator())

    @expose("/choose")
    def choose_view(self) -> Any:
        """Records by what they have in common: ?<field>=…&do=list|mark (see choosing.py)."""
        return ChoosePage(self, operator()).answer()

    @expose("/reveal", methods=("POST",))
    def reveal_view(self) -> Any:
        """The whole value of a masked field, for those who may see it: ?id=…&field=… -> {"value"}."""
        item = self.spec.by_name.get(request.args.get("field", ""))
        me = operator()
        if item is None or not item.masked:
            raise NotFound()
        if not may_read_full(me, item):
            me.require(f"{item.right}.read_full")
        key = self._key()
        query = self.model.select(item.column_field).where(self.model._meta.primary_key == key)
        condition = visible(me, self.spec)
        row = (query if condition is None else query.where(condition)).tuples().first()
        if row is None:
            raise NotFound(self.spec, key)
        log.info("reveal user=%s record=%s/%s field=%s", me.user_id, self.spec.name, key, item.name)
        return jsonify({"value": item.format(row[0])})

    @expose("/action/", methods=("POST",))
    def start_action(self) -> Any:
        """The button of an action on the list: leads to the action's own page."""
        name, token = request.form.get("action", ""), request.form.get("token", "")
        shown_count = request.form.get("shown", "") or None
        return redirect(url_for(f"{self.endpoint}.run_action", action_name=name, selection=token, shown=shown_count))

    @expose("/action/<action_name>", methods=("GET", "POST"))
    def run_action(self, action_name: str) -> Any:
        action = next((found for found in self.allowed_actions() if found.name == action_name), None)
        me = operator()
        if action is None:
            known = next(
                (found for found in self.actions or self.registry.generic_actions if found.name == action_name), None
            )
            if known is not None:
                for right in known.rights:
                    me.require(right)
                me.require(f"{self.spec.right}.{known.verb}")
            raise NotFound()
        return answer_action(self, me, action)

    def _key(self) -> int:
        # What says two different things, or one of them twice, means no record.
        texts = request.args.getlist("id") or request.form.getlist("id")
        text = texts[0] if len(texts) == 1 else ", ".join(texts)
        if not is_number(text) or request.form.get("id", text) != text:
            raise NotFound(self.spec, text)
        return int(text)

    # --- addresses ----------------------------------------------------------------------------------------------------

    def list_url(self, **arguments: Any) -> str:
        if arguments:
            return url_for(f"{self.endpoint}.index_view", **arguments)
        return fixed_url(f"{self.endpoint}.index_view")

    def arrange_url(self) -> str:
        return fixed_url(f"{self.endpoint}.arrange_view")

    def record_url(self, key: int, **arguments: Any) -> str:
        url = f"{fixed_url(f'{self.endpoint}.edit_view')}?id={key}"
        given = [(name, value) for name, value in arguments.items() if value is not None]
        return f"{url}&{urlencode(given)}" if given else url


__all__ = ["AppModelView", "FieldError", "FilterError", "expose", "operator"]

"""The customer: tabs and cards of the form, columns and filters of the list, actions.

The tabs are the Registerkarten of the specification (`fields.tsv`); child tables stand where operators look for them.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any, ClassVar

from flask import url_for

from actions import ACTIONS
from actions.create_customer import plan_platform_customer, plan_quick_customer
from domain.credit import LIMIT_FIELDS, is_unpaid, level_of, limit_in_force, unpaid_sums
from domain.dates import today
from domain.settings import current_setting
from domain.trade import Invoice
from flask_appadmin.i18n import _, format_decimal, gettext, many
from flask_appadmin.layouts import ChildTable, Group, Layout, LinesPreview, Related, Tab, form_fields
from flask_appadmin.rights import Operator, may_read_full
from flask_appadmin.specs import spec_of
from flask_appadmin.views import AppModelView, Asked, Choosing, ColumnSign, EntryWindow, expose, operator
from models import CUSTOMER_TABS, Customer, CustomerUser
from views.customer_files import FilesOfCustomer
from views.customer_proposals import ADDRESS_FIELDS, PROPOSAL_FIELDS, address_lines, propose
from views.documents import DocumentsOfCustomer
from views.rebooking import answer_rebooking
from views.till import answer_till

#: Cards of the long tabs; what no card names follows in a last one.
_CARDS: dict[str, tuple[Group, ...]] = {
    "main": (
        Group(
            _("Name und Anschrift"),
            (
                "name_1", "name_2", "attention_to", "street", "po_box", "search_name", "country", "postal_code", "city",
                "phone", "fax", "telex",
            ),
            LinesPreview("address", _("Anschrift"), ADDRESS_FIELDS, address_lines),
        ),
        Group(
            _("Nummern und Art"),
            (
                "customer_number", "debtor_account", "address_provider_number", "portal_type", "customer_kind_1",
                "customer_kind_2", "customer_kind_3", "parent_customer", "association", "active",
            ),
        ),
        Group(_("Texte"), ("external_text", "input_hint", "delivery_text")),
    ),
    "master": (
        Group(_("Bearbeitung"), ("clerk", "technician", "business_unit", "territory", "marker", "successor_customer")),
        Group(
            _("Weitere Angaben zur Anschrift"),
            (
                "title", "name_3", "country_name", "federal_state", "address_number", "website", "gln",
                "external_customer_id", "external_address_id",
            ),
        ),
        Group(_("Geodaten"), ("latitude", "longitude", "geo_place", "geo_district")),
        Group(
            _("Werbung und Druck"),
            (
                "no_advertising", "no_email_advertising", "no_fax_advertising", "no_post_advertising",
                "print_serial_numbers", "print_serial_numbers_extra", "no_goods_issue_labels",
            ),
        ),
        Group(_("Hinweise"), ("hint", "remark")),
    ),
    "general": (
        Group(
            _("Verbindung und Steuer"),
            ("email", "tax_number", "vat_id_checked_on", "language", "first_contact", "intermediary"),
        ),
        Group(
            _("Vertrieb und Versand"),
            (
                "sales_representative", "shipping_method", "tour", "delivery_zone", "railway_station",
                "own_supplier_number", "base_discount_percent", "final_discount_percent", "charge_shipping",
            ),
        ),
        Group(_("Umsatz"), ("turnover_current", "turnover_previous_year", "last_turnover_on", "created_on")),
        Group(_("Zugänge"), ("csi_number", "csi_password", "shop_login", "shop_password")),
        Group(_("Organisation"), ("accounting_tenant", "organization_unit")),
    ),
    "further": (
        Group(
            _("Kreditlimit und Sperren"),
            (
                "credit_limit_from", "credit_limit_until", "internal_limit", "internal_limit_from",
                "internal_limit_until", "delivery_block", "dunning_mode", "credit_insurance_status",
            ),
        ),
        Group(
            _("Zahlung"),
            (
                "payment_kind", "payment_term_2", "payment_term_3", "payment_term_4", "payment_term_5",
                "payment_term_6", "payment_term_7", "payment_term_8", "payment_term_9", "payment_term_10",
                "direct_debit_return_on", "factor_number", "central_settlement_number",
            ),
        ),
        Group(
            _("Preise und Rabatte"),
            (
                "price_id", "price_type", "discount_percent", "document_discount_1", "document_discount_2",
                "conditions_percent", "calculation_percent", "commission_percent", "gross_prices", "graduated_prices",
                "print_discount", "accept_sales_price",
            ),
        ),
        Group(
            _("Versand und Fracht"),
            (
                "fixed_shipping_cost", "minimum_freight", "freight_free_from", "online_shipping_cost_type",
                "online_shipping_cost_value", "applies_to_addresses", "freight_free", "no_toll_charges",
                "no_environment_charge", "svs_rvs",
            ),
        ),
        Group(
            _("Elektronischer Belegtausch"),
            (
                "edi_address", "edi_format", "edi_transport", "edifact_partner", "email_text", "eme_password",
                "language_key", "comda_number",
            ),
        ),
        Group(_("Kooperation"), ("cooperation", "cooperation_member_number", "cooperation_from", "cooperation_until")),
    ),
}  # fmt: skip

#: Child tables that stand on a tab of fields, and tabs of their own, in the order of the screen.
_CHILDREN_OF: dict[str, tuple[str, ...]] = {
    "banks": ("bank_account",),
    "traits": ("customer_trait_assignment",),
    "conditions": ("sales_condition", "graduated_discount"),
}
_CHILD_TABS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("contacts", many("Ansprechpartner", "Ansprechpartner"), ("contact",)),
    ("addresses", _("Adressen"), ("address",)),
    ("categories", _("Kategorien"), ("customer_category",)),
    ("suppliers", _("Lieferanten"), ("supplier_assignment",)),
    ("mailing", _("Mailing-Merkmale"), ("mailing_criterion",)),
    ("mailing_activities", _("Mailing-Aktivitäten"), ("mailing_activity",)),
    ("documents", _("Dokumente"), ("document",)),
    ("communication", _("Kommunikation"), ("communication",)),
    ("notes", _("Notizen"), ("note",)),
    ("cards", _("Kundenkarten"), ("customer_card",)),
    ("devices", _("Kunden-Geräte"), ("customer_device",)),
    ("printing", _("Druckoptionen"), ("print_option",)),
    ("accounts", _("Konten für Export"), ("export_account",)),
    ("users", many("Benutzer", "Benutzer"), ("customer_user", "cost_centre")),
    ("portal", _("Sortimente"), ("catalog_assignment", "personal_assortment", "shopping_cart")),
    ("imports", _("Importplanung"), ("import_schedule",)),
    ("promotions", _("Aktionen"), ("promotion_participation",)),
)

#: What stands in the list of special functions, each a window of its own (PX-23).
_SPECIAL_TABS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("repair_agreements", _("Sondervereinbarungen Reparaturkosten"), ("repair_agreement",)),
    ("article_numbers", _("Kundenspezifische Artikelnummern"), ("customer_article_number",)),
    ("print_profiles", _("Druckprofile"), ("print_profile_assignment",)),
)

#: What is booked and billed elsewhere, to be read here (NE-01).
_RELATED_TABS = (
    Tab(
        "members",
        _("Zugehörige Kunden"),
        related=(
            Related(
                "customer",
                "parent_customer",
                ("customer_number", "name_1", "postal_code", "city", "status"),
                _("Keine. Untergeordnet ist, wer diesen Kunden als Haupt-Kunden-Nr. trägt."),
                label=_("Untergeordnete Kunden"),
            ),
            Related(
                "customer",
                "association",
                ("customer_number", "name_1", "postal_code", "city", "status"),
                _("Keine. Mitglied ist, wer diesen Kunden als Verband trägt."),
                label=_("Mitglieder des Verbands"),
            ),
        ),
    ),
    Tab(
        "account",
        _("Kundenkonto"),
        related=(
            Related(
                "account_entry",
                "customer",
                (
                    "booked_at", "turnover_kind", "receipt_number", "branch", "article", "quantity", "value",
                    "payment_method", "bonus",
                ),
                _("Noch keine Bewegungen. Einkäufe erscheinen hier, sobald sie verbucht sind."),
            ),
        ),
    ),
    Tab(
        "open_items",
        _("Offene Posten"),
        related=(
            Related(
                "invoice",
                "customer",
                ("number", "invoiced_on", "due_on", "total_amount", "paid_amount"),
                _("Keine offenen Posten: alle Rechnungen sind bezahlt oder erledigt."),
                label=_("Offene Posten"),
                only=is_unpaid,
            ),
        ),
    ),
)  # fmt: skip

#: The order of all tabs; what is missing here stands at the end.
_ORDER = (
    "main", "contacts", "addresses", "banks", "general", "master", "credit", "conditions", "order_info", "further",
    "traits", "categories", "details", "parameters", "cards", "credit_sale", "account", "open_items", "promotions",
    "notes", "communication", "documents", "mailing", "mailing_activities", "profile", "page_2",
)  # fmt: skip


#: The tabs under which the manual of the import lists the fields of a file (ME-07).
_IMPORT_GROUPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (_("Stammdaten"), ("main", "master")),
    (_("Weitere Daten"), ("further",)),
    (_("Seite 2"), ("page_2",)),
    (_("Merkmale"), ("traits", "customer_trait_assignment")),
    (_("Kategorien"), ("customer_category",)),
    (_("Ansprechpartner"), ("contact",)),
    (_("Anschriften"), ("address",)),
    (_("Banken"), ("banks", "bank_account")),
    (_("Kunden-Geräte"), ("customer_device",)),
    (_("Konten für Export"), ("export_account",)),
    (_("Kennz. „Löschen“"), ("#delete",)),
    (_("Druckoptionen"), ("print_option",)),
    (_("Benutzerdefinierte Felder"), ("#custom",)),
)


def _uses_group_accounts() -> bool:
    return bool(current_setting().use_group_account_numbers)


def _layout() -> Layout:
    spec = spec_of(Customer)
    labels = dict(CUSTOMER_TABS)
    by_group: dict[str, list[str]] = {}
    for item in form_fields(spec):
        by_group.setdefault(item.group, []).append(item.name)
    tabs: dict[str, Tab] = {}
    for key, names in by_group.items():
        groups = list(_CARDS.get(key, ()))
        placed = {name for group in groups for name in group.fields}
        ticks = tuple(name for name in names if name not in placed and spec.field(name).type.name == "bool")
        rest = tuple(name for name in names if name not in placed and name not in ticks)
        if rest:
            groups.append(Group(_("Weitere Angaben") if groups else "", rest))
        if ticks:
            groups.append(Group(_("Ja oder Nein"), ticks))
        tabs[key] = Tab(key, labels[key], tuple(groups), _CHILDREN_OF.get(key, ()))
    for key, label, children in _CHILD_TABS:
        tabs[key] = Tab(key, label, (), children)
    for tab in _RELATED_TABS:
        tabs[tab.key] = tab
    accounts = tabs.pop("special_accounts")
    for key, label, children in _SPECIAL_TABS:
        tabs[key] = Tab(key, label, (), children, special=True)
    # „Übernehmen“ assigns the accounts; the setting of the transfer decides whether there are any (PX-34, PX-40).
    tabs[accounts.key] = dataclasses.replace(
        accounts, special=True, offered=_uses_group_accounts, save_label=_("Übernehmen")
    )
    named = {name for tab in tabs.values() for name in tab.children}
    order = [*_ORDER, *(key for key in tabs if key not in _ORDER)]
    later = [Tab(child.name, child.plural, (), (child.name,)) for child in spec.children if child.name not in named]
    return Layout((*(tabs[key] for key in order if key in tabs), *later))


def _head_tags(values: dict[str, Any], operator: Operator) -> list[tuple[str, str, str]]:
    """State of the customer beside the name, and what to mind: blocks, credit, the warning."""
    looks = {"active": "good", "draft": "warn", "locked": "bad"}
    status = values.get("status")
    tags = []
    if status == "active" and not values.get("active"):
        tags.append((gettext("Inaktiv"), "", ""))
    elif status:
        tags.append((spec_of(Customer).field("status").format(status), looks.get(status, ""), ""))
    if values.get("delivery_block") in ("2", "3"):
        tags.append((gettext("Liefersperre"), "bad", ""))
    if values.get("dunning_lock"):
        tags.append((gettext("Mahnsperre"), "warn", ""))
    if "id" in values and may_read_full(operator, spec_of(Customer).field("credit_limit")):
        look, words = _credit_signs(operator, {values["id"]: values}).get(values["id"], ("good", ""))
        if look != "good":
            tags.append((words.partition(":")[0], look, words))
    if values.get("warning_text"):
        tags.append((gettext("Warnhinweis: %(text)s", text=values["warning_text"]), "warn", values["warning_text"]))
    return tags


def _credit_signs(operator: Operator, rows: dict[int, dict[str, Any]]) -> dict[int, tuple[str, str]]:
    """The use of the credit limit; nothing for customers without credit sale or without a limit."""
    if not operator.may(f"{spec_of(Invoice).right}.read"):
        return {}
    sold = {key: limit_in_force(values, today()) for key, values in rows.items() if values.get("credit_sale")}
    limits = {key: limit for key, limit in sold.items() if limit is not None}
    unpaid = unpaid_sums(list(limits), operator) if limits else {}
    words = {
        "good": gettext("Kreditlimit nicht erreicht"),
        "warn": gettext("Warnschwelle des Kreditlimits erreicht"),
        "bad": gettext("Kreditlimit erreicht"),
    }
    signs = {}
    for key, limit in limits.items():
        owed = unpaid.get(key, Decimal(0))
        level = level_of(owed, limit, rows[key].get("credit_warn_percent"))
        amounts = gettext(
            "%(unpaid)s € von %(limit)s € offen", unpaid=format_decimal(owed, 2), limit=format_decimal(limit, 2)
        )
        signs[key] = (level, f"{words[level]}: {amounts}")
    return signs


#: „Kundenselektion“: by advertising, kind, characteristics, kind of business, branch, turnover (NE-63, PX-106, PX-178).
#: A way of advertising is open with consent and without a ban (domain.md).
_CHOOSING = Choosing(
    label=_("Kundenselektion"),
    ways=(
        (
            "way",
            _("Werbeweg erlaubt"),
            (
                ("post", _("Post"), "consent_post=1&no_post_advertising=0"),
                ("email", _("E-Mail"), "consent_email=1&no_email_advertising=0"),
                ("phone", _("Telefon"), "consent_phone=1"),
                ("sms", _("SMS"), "consent_sms=1"),
                ("fax", _("Fax"), "consent_fax=1&no_fax_advertising=0"),
            ),
        ),
    ),
    groups=(
        (_("Kundenart"), ("customer_kind_1", "customer_kind_2", "customer_kind_3")),
        (_("Merkmale"), ("mailing_criterion.criterion", "customer_trait_assignment.customer_trait", "company_type")),
        (
            _("Geschäft"),
            (
                "customer_type",
                "home_branch",
                "territory",
                "sales_representative",
                "turnover_current",
                "last_turnover_on",
            ),
        ),
        (_("Anschrift"), ("country", "postal_code", "city")),
    ),
    always="no_advertising=0",
    note=_("Kunden, die keine Werbung möchten (Mailingsperre), bleiben außen vor."),
)


_ENTRY_WINDOWS = (
    EntryWindow(
        "so_procure",
        _("So.PROCURE Kunde Neu anlegen"),
        (Asked(CustomerUser, "username", required=True), Asked(CustomerUser, "password_hash", required=True)),
        plan_platform_customer,
        lead=_("Bitte legen Sie den Benutzer an, der als Administrator des neuen Kunden dient."),
        button=_("Administrator anlegen"),
        reason=_("So.PROCURE Kunde Neu anlegen"),
    ),
    EntryWindow(
        "quick",
        _("Kundenschnellanlage"),
        (
            Asked(Customer, "name_1", required=True),
            Asked(Customer, "country"),
            Asked(Customer, "postal_code"),
            Asked(Customer, "city"),
            Asked(Customer, "street"),
            Asked(Customer, "phone"),
        ),
        plan_quick_customer,
        lead=_("Der Kunde ist sofort aktiv und als „Unvollständig“ gekennzeichnet."),
        key="U",
        fills_references=True,
        reason=_("Kundenschnellanlage"),
    ),
    # The till has its own page; its window asks for what stands on a card that a customer fills in.
    EntryWindow(
        "till",
        _("Kunden an der Kasse aufnehmen"),
        (
            Asked(Customer, "name_1", required=True),
            Asked(Customer, "street"),
            Asked(Customer, "postal_code"),
            Asked(Customer, "city"),
        ),
        plan_quick_customer,
        lead=_("Der Kunde ist sofort aktiv und als „Unvollständig“ gekennzeichnet."),
        button=_("Aufnehmen"),
        reason=_("An der Kasse aufgenommen"),
        listed=False,
        lead_to=lambda key: url_for("customer.till_view", id=key),
    ),
)

#: How the child tables stand in the form. „Löschen“ asks where the manual says so (PX-168, PX-173, PX-177, PX-219).
_GRIDS: dict[str, ChildTable] = {
    "contact": ChildTable(
        ("sequence_number", "title", "name_1", "name_2", "function", "phone_1", "mobile", "email", "active"),
        window=_("Ansprechpartner"),
        groups=(
            Group(
                _("Person"),
                ("title", "name_1", "name_2", "name_3", "function", "specialization", "birth_date", "active"),
            ),
            Group(_("Erreichbar"), ("phone_1", "phone_2", "mobile", "private_phone", "fax", "email")),
            Group(
                _("Zuordnung"),
                ("sequence_number", "sort_order", "address", "clerk", "external_id", "dunning_delivery"),
            ),
            Group(_("Kundenbereich"), ("user_id", "password", "online_reports", "online")),
            Group(
                _("Werbung und Kennzeichen"),
                (
                    "no_advertising", "no_email_advertising", "no_fax_advertising", "no_post_advertising", "vip",
                    "contract_customer", "free_1", "free_2",
                ),
            ),
            Group(_("Bemerkung"), ("remark",)),
        ),
        asks=True,
        given=("sequence_number",),
    ),
    "address": ChildTable(
        (
            "sequence_number", "is_delivery", "is_invoice", "is_order_confirmation", "is_residence", "name_1",
            "street", "postal_code", "city", "country", "consignment_warehouse", "active",
        ),
        asks=True,
        given=("sequence_number",),
    ),
    "bank_account": ChildTable(
        (
            "iban", "bic", "bank_name", "account_holder", "direct_debit", "mandate_reference", "mandate_date",
            "transfers",
        ),
        least=2,
        row_label=_("Bank %(number)s"),
        given=("sequence_number",),
    ),
    "mailing_criterion": ChildTable(asks=True),
    "mailing_activity": ChildTable(asks=True),
    "document": ChildTable(
        ("file_name", "kind", "uploaded_at", "uploaded_by", "size_bytes"), begins="upload_view", opens="file_view"
    ),
    "customer_user": ChildTable(("username", "is_administrator", "password_hash")),
}  # fmt: skip


class CustomerView(DocumentsOfCustomer, FilesOfCustomer, AppModelView):
    """The list and form operators live in."""

    model = Customer
    layout: ClassVar[Layout | None] = _layout()
    import_groups = _IMPORT_GROUPS
    columns = (
        "customer_number",
        "search_name",
        "name_1",
        "postal_code",
        "city",
        "country",
        "status",
        "credit_limit",
        "payment_term_1",
        "updated_at",
    )
    quick_filters = ("customer_number", "portal_type", "supplier_assignment.supplier")
    short_labels: ClassVar[dict[str, Any]] = {
        "search_name": _("Synonym"),
        "country": _("Land"),
        "portal_type": _("Kundenart"),
        "payment_term_1": _("Zahlungsbedingung"),
        "address.is_delivery": _("L"),
        "address.is_invoice": _("R"),
        "address.is_order_confirmation": _("A"),
        "address.is_residence": _("Wohnort"),
        "address.country": _("Land"),
        "bank_account.sequence_number": _("Lfd.Nr."),
        "bank_account.direct_debit": _("Lastschr."),
        "bank_account.mandate_reference": _("Mandat"),
        "bank_account.mandate_date": _("Mandat vom"),
        "bank_account.transfers": _("Überw."),
    }
    filter_labels: ClassVar[dict[str, Any]] = {
        "customer_number": _("Kundennummer"),
        "supplier_assignment.supplier": _("Lieferant"),
    }
    code_columns = ("country",)
    instead_columns: ClassVar[dict[str, str]] = {"search_name": "customer_number", "name_1": "name_2"}
    suggestion_fields = ("postal_code", "city")
    nothing_marked = _("Bitte markieren Sie mindestens einen Kunden.")
    search_label = _("Kunde (Nr., Synonym oder Name 1)")
    default_query = "status__not=anonymised&status__not=deleted"
    actions = ACTIONS
    link_columns = ("customer_number", "search_name", "name_1")
    tags: ClassVar[dict[str, dict[Any, str]]] = {"status": {"active": "good", "draft": "warn", "locked": "bad"}}
    grids: ClassVar[dict[str, ChildTable]] = _GRIDS
    search_window_fields = (
        "customer_number", "search_name", "name_1", "name_2", "postal_code", "city", "phone", "email", "status",
    )  # fmt: skip
    # A customer counts as active with the status and the box (PX-82).
    exclusions = (
        ("without_inactive", _("Inaktive ausschließen"), "active=1&status=active"),
        ("blank_sold", _("Blanko mit Einkauf"), "is_blank=1&status=locked&till_purchase=1"),
    )
    choosing = _CHOOSING
    entry_windows = _ENTRY_WINDOWS
    preview_fields = ("email", "website", "sales_representative", "hint")
    signs: ClassVar[dict[str, ColumnSign]] = {
        "credit_limit": ColumnSign(("credit_sale", "credit_warn_percent", *LIMIT_FIELDS), _credit_signs)
    }
    places_on_map: ClassVar[dict[str, tuple[str, ...]]] = {
        "customer": ("street", "postal_code", "city", "country"),
        "address": ("street", "postal_code", "city", "country"),
    }
    propose = staticmethod(propose)
    proposal_fields = PROPOSAL_FIELDS
    pages: ClassVar[dict[str, Any]] = {"till": _("Kasse"), "duplicates": _("Dubletten")}
    head_fields = (
        "status", "active", "delivery_block", "dunning_lock", "warning_text", "credit_sale", "credit_warn_percent",
        *LIMIT_FIELDS,
    )  # fmt: skip
    head_tags = staticmethod(_head_tags)
    mandatory_unless: ClassVar[dict[str, str]] = {"name_1": "name_2"}
    number_key_field = "name_1"
    named_by = "search_name"
    new_label = _("Neuer Kunde")

    def record_links(self, key: int, operator: Operator) -> list[tuple[str, str, str]]:
        may = operator.may("trade.read")
        links = [("special", gettext("Belege"), url_for("customer.documents_view", id=key))] if may else []
        if operator.may("merge.run") and operator.may("customer.edit"):
            links.append(("special", gettext("Alle Statistikdaten umbuchen"), url_for("customer.rebook_view", id=key)))
        return links

    @expose("/rebook", methods=("GET", "POST"))
    def rebook_view(self) -> Any:
        """„Alle Statistikdaten umbuchen“: ?id=… (see rebooking.py)."""
        return answer_rebooking(self, operator())

    @expose("/till")
    def till_view(self) -> Any:
        """The customer as the till shows it: ?number=… or ?id=… (see till.py)."""
        return answer_till(operator())

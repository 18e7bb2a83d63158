"""Small tables whose automatic pages need a word more: what stands in their lists."""

from __future__ import annotations

from typing import Any

from domain.settings import Setting
from domain.values.company import Employee
from domain.values.terms import PaymentTerm
from flask_appadmin.i18n import _
from flask_appadmin.layouts import Group, Layout, Tab, form_fields
from flask_appadmin.specs import spec_of
from flask_appadmin.views import AppModelView
from models import NumberRange


class PaymentTermView(AppModelView):
    model = PaymentTerm
    columns = ("number", "name", "net_days", "is_cash")
    new_label = _("Neue Zahlungsbedingung")


class EmployeeView(AppModelView):
    model = Employee
    columns = ("number", "name", "city", "country")
    new_label = _("Neuer Bearbeiter")


class NumberRangeView(AppModelView):
    model = NumberRange
    columns = ("kind", "first_number", "last_number", "next_number", "active")


#: The cards of the settings, in the order of the page; what no card names follows in a last one.
_SETTING_CARDS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (_("Eigene Firma"), ("own_country", "own_language", "own_currency", "own_vat_id", "default_own_bank")),
    (_("Neue Kunden"), ("auto_customer_number", "default_customer_number", "lock_windows_on_new")),
    (
        _("Kreditverkauf: Vorgaben für neue Kunden"),
        ("default_credit_limit", "default_credit_warn_percent", "default_price_basis"),
    ),
    (
        _("Kundenstamm - Vorgabewerte für neue abweichende Adressen"),
        ("new_address_is_delivery", "new_address_is_invoice"),
    ),
    (_("Anschriften"), ("freight_rules_for_addresses", "invoice_address_as_dunning_address")),
    (_("Module"), ("language_module", "currency_module", "neo_till", "datev_export")),
    (
        _("Verkauf und Preise"),
        (
            "multi_level_sales_conditions", "multi_level_sales_prices", "fixed_discount_hierarchy",
            "auto_shipping_cost_by_zone", "toll_charge", "environment_charge",
        ),
    ),
    (_("Belege und Druck"), ("invoice_copies", "delivery_note_with_prices", "contact_print_defaults")),
    (
        _("Buchhaltung und Übertragung"),
        ("update_last_turnover_date", "use_group_account_numbers", "customer_export_directory"),
    ),
    (_("Löschen"), ("retention_years",)),
    (_("Wincard"), ("wincard_participation", "wincard_points_per_euro")),
)  # fmt: skip


def _setting_layout() -> Layout:
    placed = {name for _title, names in _SETTING_CARDS for name in names}
    rest = tuple(item.name for item in form_fields(spec_of(Setting)) if item.name not in placed)
    groups = [Group(title, names) for title, names in _SETTING_CARDS]
    if rest:
        groups.append(Group(_("Weitere Angaben"), rest))
    return Layout((Tab("main", _("Globale Einstellungen"), tuple(groups)),))


class SettingView(AppModelView):
    """„Globale Einstellungen“ (NE-03): one row of named settings, opened at once."""

    model = Setting
    is_single = True
    columns = ("own_country", "own_language", "own_currency", "auto_customer_number", "default_customer_number")
    layout = _setting_layout()


REFERENCE_VIEWS = (PaymentTermView, EmployeeView, NumberRangeView, SettingView)

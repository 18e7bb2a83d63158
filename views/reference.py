"""Small tables whose automatic pages need a word more: what stands in their lists."""

from __future__ import annotations

from domain.settings import Setting
from domain.values import Employee, PaymentTerm
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


def _setting_layout() -> Layout:
    items = form_fields(spec_of(Setting))
    ticks = tuple(item.name for item in items if item.type.name == "bool")
    rest = tuple(item.name for item in items if item.name not in ticks)
    return Layout((Tab("main", _("Grundlagen"), (Group(_("Vorgaben"), rest), Group(_("Schalter"), ticks))),))


class SettingView(AppModelView):
    """„Grundlagen Manager“: one row of named settings."""

    model = Setting
    columns = ("own_country", "own_language", "own_currency", "auto_customer_number", "default_customer_number")
    layout = _setting_layout()


REFERENCE_VIEWS = (PaymentTermView, EmployeeView, NumberRangeView, SettingView)

"""The settings of the installation: one row of named columns, edited like any other record.

Shape: `current_setting()` is that row; an installation without one behaves as the factory does.
Units: charges in euro, threshold in percent. Source: domain.md section 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from peewee import BooleanField, CharField, IntegerField

from domain.codes import PRICE_BASES
from domain.links import Reference
from domain.values import Country, Currency, Language, OwnBank
from flask_appadmin.arrangements import Absent, Place
from flask_appadmin.database import Record
from flask_appadmin.fieldtypes import DecimalField, JSONField
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, described


class Setting(Record):
    """The settings of the installation: one row."""

    description = Description(
        label=_("Grundlagen"), plural=_("Grundlagen"), title=("id",), menu="system", right="setting", order=("id",)
    )

    default_customer_number = described(
        CharField(
            max_length=30,
            null=True,
            verbose_name=_("Standardkundennummer"),
            help_text=_("Nur für Bestellungen aus öffentlichen Katalogen ohne eigene Nummer des Partners."),
        ),
        listed=True,
    )
    auto_customer_number = described(
        BooleanField(
            default=True,
            verbose_name=_("Kunden automatisch nummerieren"),
            help_text=_("Ohne Haken braucht jeder importierte Kunde eine Nummer."),
        ),
        listed=True,
    )
    own_country = described(
        Reference(
            Country,
            null=True,
            verbose_name=_("eigenes Land"),
            help_text=_("Die Regel zur Umsatzsteuerpflicht gilt nur, wenn es ein EU-Land ist."),
        ),
        listed=True,
    )
    own_language = described(Reference(Language, null=True, verbose_name=_("eigene Sprache")), listed=True)
    own_currency = described(Reference(Currency, null=True, verbose_name=_("eigene Währung")), listed=True)
    own_vat_id = described(CharField(max_length=20, null=True, verbose_name=_("eigene Umsatzsteuer-ID")), kind="vat_id")
    language_module = described(BooleanField(default=True, verbose_name=_("Modul Fremdsprachen")))
    currency_module = described(BooleanField(default=True, verbose_name=_("Modul Fremdwährung")))
    multi_level_sales_conditions = described(
        BooleanField(default=False, verbose_name=_("Mehrstufige Verkaufskonditionen verwenden"))
    )
    multi_level_sales_prices = described(BooleanField(default=False, verbose_name=_("mehrstufige Verkaufspreise")))
    fixed_discount_hierarchy = described(BooleanField(default=False, verbose_name=_("Fixe Rabatthierarchie")))
    auto_shipping_cost_by_zone = described(
        BooleanField(default=False, verbose_name=_("Automatische Versandkostenberechnung nach Lieferzonen"))
    )
    update_last_turnover_date = described(
        BooleanField(default=True, verbose_name=_("Datum letzter Umsatz aktualisieren"))
    )
    use_group_account_numbers = described(
        BooleanField(default=False, verbose_name=_("Konzernkontonummern verwenden(Sonderkontierung)"))
    )
    invoice_address_as_dunning_address = described(
        BooleanField(default=False, verbose_name=_("Rechnungsadresse = Mahnadresse für diverse Kunden"))
    )
    new_address_is_delivery = described(
        BooleanField(default=True, verbose_name=_("Vorgabewerte für neue abweichende Adressen: L"))
    )
    new_address_is_invoice = described(
        BooleanField(default=True, verbose_name=_("Vorgabewerte für neue abweichende Adressen: R"))
    )
    customer_export_directory = described(
        CharField(
            max_length=255,
            null=True,
            verbose_name=_("Kunden: Exportverzeichnis"),
            help_text=_("Ist ein Ordner angegeben, entsteht je importiertem Kunden eine XML-Datei."),
        )
    )
    contact_print_defaults = described(
        JSONField(null=True, default=list, verbose_name=_("Voreinstellungen Ansprechpartner-Druck"))
    )
    delivery_note_with_prices = described(BooleanField(default=True, verbose_name=_("Lieferschein mit Preisen")))
    freight_rules_for_addresses = described(
        BooleanField(default=True, verbose_name=_("Frachtfrei gilt für Anschriften"))
    )
    toll_charge = described(
        DecimalField(12, 2, null=True, default=Decimal(0), verbose_name=_("Mautgebühr je Auftrag")),
        unit="€",
        minimum=0,
    )
    environment_charge = described(
        DecimalField(12, 2, null=True, default=Decimal(0), verbose_name=_("Umweltpauschale je Auftrag")),
        unit="€",
        minimum=0,
    )
    invoice_copies = described(
        IntegerField(null=True, default=1, verbose_name=_("Anzahl Rechnungsexemplare")), minimum=1, maximum=9
    )
    default_own_bank = described(Reference(OwnBank, null=True, verbose_name=_("eigene Bankverbindung (Vorgabe)")))
    lock_windows_on_new = described(
        BooleanField(
            default=False,
            verbose_name=_("Neuanlage sperrt andere Fenster"),
            help_text=_("Aus: Beim Verlassen wird gefragt und die Eingabe bleibt als Entwurf erhalten."),
        )
    )
    wincard_points_per_euro = described(
        DecimalField(9, 2, null=True, default=Decimal(1), verbose_name=_("Umrechnungswert Wincard-Punkte")), minimum=0
    )
    wincard_participation = described(BooleanField(default=False, verbose_name=_("Teilnahme an WINCARD")))
    neo_till = described(BooleanField(default=True, verbose_name=_("NEO-Kasse")))
    default_credit_limit = described(
        DecimalField(14, 2, null=True, verbose_name=_("Kreditlimit (Vorgabe)")), unit="€", minimum=0
    )
    default_credit_warn_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Warnschwelle Kreditlimit (Vorgabe)")),
        unit="%",
        minimum=1,
        maximum=100,
    )
    default_price_basis = described(
        CharField(
            max_length=20, choices=PRICE_BASES, null=True, default="sales_price", verbose_name=_("Preisbasis (Vorgabe)")
        )
    )
    datev_export = described(BooleanField(default=False, verbose_name=_("DATEV-Export-Schnittstelle")))

    class Meta:
        table_name = "setting"


def current_setting() -> Setting:
    """The settings as they are now; those of the factory when none were stored yet."""
    return Setting.select().order_by(Setting.id).first() or Setting()


def _fields_of_absent_modules() -> Iterator[Place]:
    """Fields that only a module gives a meaning to (PX-129, PX-132); their stored values stay."""
    setting = current_setting()
    if not setting.language_module:
        yield "customer", "language"
    if not setting.currency_module:
        yield "customer", "currency"


#: What the registry keeps from every page.
ABSENT = (Absent(Setting, _fields_of_absent_modules),)

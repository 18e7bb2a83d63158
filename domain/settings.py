"""The settings of the installation: one row of named columns, edited like any other record.

Shape: `current_setting()` is that row; an installation without one behaves as the factory does.
Units: charges in euro, threshold in percent. Source: domain.md section 6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from peewee import BooleanField, CharField, IntegerField

from domain.codes import PRICE_BASES
from domain.links import Reference
from domain.rules import fault
from domain.values.company import OwnBank
from domain.values.countries import Country, Currency, Language
from flask_appadmin.arrangements import Absent, Place
from flask_appadmin.database import Prepared, Record
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.columns import DecimalField, JSONField
from flask_appadmin.i18n import _, gettext
from flask_appadmin.specs import Description, described

#: The documents for which the customer („Seite 2“) has a box `contact_print_…` of this name, too.
_PRINTED = [
    ("quote", _("Angebot")),
    ("order_confirmation", _("Auftragsbestätigung")),
    ("credit_note", _("Gutschrift")),
    ("workshop_credit_note", _("Gutschrift Werkstatt")),
    ("picking", _("Kommissionierung")),
    ("cost_estimate", _("Kostenvoranschlag")),
    ("loan", _("Leih-/Teststellung")),
    ("delivery_note", _("Lieferschein")),
    ("subsequent_delivery", _("Nachlieferschein")),
    ("workshop_subsequent", _("Nachlieferschein Werkstatt")),
    ("proforma", _("Proforma-Rechnung")),
    ("invoice", _("Rechnung")),
    ("workshop_invoice", _("Rechnung Werkstatt")),
    ("collective_order", _("Sammelauftrag")),
    ("advance_exchange", _("Voraustausch")),
    ("maintenance_contract", _("Wartungsvertrag")),
    ("workshop_order", _("Werkstattauftrag")),
    ("workshop_assembly", _("Werkstattmontage")),
]


class Setting(Record):
    """The settings of the installation: one row."""

    description = Description(
        label=_("Globale Einstellungen"),
        plural=_("Globale Einstellungen"),
        title=("id",),
        menu="system",
        right="setting",
        order=("id",),
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
    own_language = described(
        Reference(
            Language,
            null=True,
            verbose_name=_("eigene Sprache"),
            help_text=_("Kunden dieser Sprache haben keine Fremdsprache."),
        ),
        listed=True,
    )
    own_currency = described(
        Reference(
            Currency,
            null=True,
            verbose_name=_("eigene Währung"),
            help_text=_("Kunden dieser Währung haben keine Fremdwährung."),
        ),
        listed=True,
    )
    own_vat_id = described(
        CharField(
            max_length=20, null=True, verbose_name=_("eigene Umsatzsteuer-ID"), help_text=_("Steht auf Rechnungen.")
        ),
        kind="vat_id",
    )
    language_module = described(
        BooleanField(
            default=True,
            verbose_name=_("Modul Fremdsprachen"),
            help_text=_("Aus: Das Feld „Fremdsprache“ der Kunden erscheint nicht."),
        )
    )
    currency_module = described(
        BooleanField(
            default=True,
            verbose_name=_("Modul Fremdwährung"),
            help_text=_("Aus: Das Feld „Fremdwährung“ der Kunden erscheint nicht."),
        )
    )
    multi_level_sales_conditions = described(
        BooleanField(
            default=False,
            verbose_name=_("Mehrstufige Verkaufskonditionen verwenden"),
            help_text=_("Beim Wechsel der Währung werden die Verkaufskonditionen umgerechnet."),
        )
    )
    multi_level_sales_prices = described(
        BooleanField(
            default=False,
            verbose_name=_("mehrstufige Verkaufspreise"),
            help_text=_("Der Grundrabatt wirkt dann nicht."),
        )
    )
    fixed_discount_hierarchy = described(
        BooleanField(
            default=False,
            verbose_name=_("Fixe Rabatthierarchie"),
            help_text=_("Aus: Es gilt der für den Kunden beste Preis."),
        )
    )
    auto_shipping_cost_by_zone = described(
        BooleanField(
            default=False,
            verbose_name=_("Automatische Versandkostenberechnung nach Lieferzonen"),
            help_text=_("Die Versandkosten kommen aus der Lieferzone des Kunden."),
        )
    )
    update_last_turnover_date = described(
        BooleanField(
            default=True,
            verbose_name=_("Datum letzter Umsatz aktualisieren"),
            help_text=_("Die Übertragung an die Buchhaltung trägt das Datum beim Kunden ein."),
        )
    )
    use_group_account_numbers = described(
        BooleanField(
            default=False,
            verbose_name=_("Konzernkontonummern verwenden(Sonderkontierung)"),
            help_text=_("Zeigt beim Kunden die Sonderkontierung."),
        )
    )
    invoice_address_as_dunning_address = described(
        BooleanField(
            default=False,
            verbose_name=_("Rechnungsadresse = Mahnadresse für diverse Kunden"),
            help_text=_("Mahnungen diverser Kunden gehen an die Rechnungsadresse."),
        )
    )
    new_address_is_delivery = described(
        BooleanField(
            default=True,
            verbose_name=_("Vorgabewerte für neue abweichende Adressen: L"),
            help_text=_("Eine neue Anschrift ist zuerst Lieferadresse."),
        )
    )
    new_address_is_invoice = described(
        BooleanField(
            default=True,
            verbose_name=_("Vorgabewerte für neue abweichende Adressen: R"),
            help_text=_("Eine neue Anschrift ist zuerst Rechnungsadresse."),
        )
    )
    customer_export_directory = described(
        CharField(
            max_length=255,
            null=True,
            verbose_name=_("Kunden: Exportverzeichnis"),
            help_text=_(
                "Ein Ordner im Ausgangsordner (outbox) der Instanz. Ist er angegeben, entsteht beim Import je neuem "
                "oder geändertem Kunden eine XML-Datei."
            ),
        )
    )
    contact_print_defaults = described(
        JSONField(
            null=True,
            default=list,
            choices=_PRINTED,
            verbose_name=_("Voreinstellungen Ansprechpartner-Druck"),
            help_text=_("Belege, auf denen der Ansprechpartner gedruckt wird, mit Komma getrennt."),
        )
    )
    delivery_note_with_prices = described(
        BooleanField(
            default=True, verbose_name=_("Lieferschein mit Preisen"), help_text=_("Gilt für Kunden ohne eigene Angabe.")
        )
    )
    freight_rules_for_addresses = described(
        BooleanField(
            default=True,
            verbose_name=_("Frachtfrei gilt für Anschriften"),
            help_text=_("Gilt für Kunden ohne eigene Angabe."),
        )
    )
    toll_charge = described(
        DecimalField(
            12,
            2,
            null=True,
            default=Decimal(0),
            verbose_name=_("Mautgebühr je Auftrag"),
            help_text=_("Kommt zu jedem Auftrag hinzu, außer bei Kunden ohne Mautgebühr."),
        ),
        unit="€",
        minimum=0,
    )
    environment_charge = described(
        DecimalField(
            12,
            2,
            null=True,
            default=Decimal(0),
            verbose_name=_("Umweltpauschale je Auftrag"),
            help_text=_("Kommt zu jedem Auftrag hinzu, außer bei Kunden ohne Umweltpauschale."),
        ),
        unit="€",
        minimum=0,
    )
    invoice_copies = described(
        IntegerField(
            null=True,
            default=1,
            verbose_name=_("Anzahl Rechnungsexemplare"),
            help_text=_("So oft wird eine Rechnung gedruckt."),
        ),
        minimum=1,
        maximum=9,
    )
    default_own_bank = described(
        Reference(
            OwnBank,
            null=True,
            verbose_name=_("eigene Bankverbindung (Vorgabe)"),
            help_text=_("Steht auf Zahlscheinen von Kunden ohne eigene Angabe."),
        )
    )
    lock_windows_on_new = described(
        BooleanField(
            default=False,
            verbose_name=_("Neuanlage sperrt andere Fenster"),
            help_text=_("Aus: Beim Verlassen wird gefragt und die Eingabe bleibt als Entwurf erhalten."),
        )
    )
    wincard_points_per_euro = described(
        DecimalField(
            9,
            2,
            null=True,
            default=Decimal(1),
            verbose_name=_("Umrechnungswert Wincard-Punkte"),
            help_text=_("So viele Punkte gibt es je Euro Umsatz."),
        ),
        minimum=0,
    )
    wincard_participation = described(
        BooleanField(
            default=False, verbose_name=_("Teilnahme an WINCARD"), help_text=_("Aus: Es werden keine Punkte vergeben.")
        )
    )
    neo_till = described(
        BooleanField(
            default=True,
            verbose_name=_("NEO-Kasse"),
            help_text=_("An: „Bonus ausgezahlt“ erscheint nicht, die Kasse rechnet ihn ab."),
        )
    )
    default_credit_limit = described(
        DecimalField(
            14,
            2,
            null=True,
            verbose_name=_("Kreditlimit (Vorgabe)"),
            help_text=_("Gilt für Kunden, die neu auf Kredit kaufen."),
        ),
        unit="€",
        minimum=0,
    )
    default_credit_warn_percent = described(
        DecimalField(
            5,
            2,
            null=True,
            verbose_name=_("Warnschwelle Kreditlimit (Vorgabe)"),
            help_text=_("Neue Kunden beginnen mit diesem Wert; vorhandene behalten ihren."),
        ),
        unit="%",
        minimum=1,
        maximum=100,
    )
    default_price_basis = described(
        CharField(
            max_length=20,
            choices=PRICE_BASES,
            null=True,
            default="sales_price",
            verbose_name=_("Preisbasis (Vorgabe)"),
            help_text=_("Neue Kunden beginnen mit diesem Wert; vorhandene behalten ihren."),
        )
    )
    retention_years = described(
        IntegerField(
            null=True,
            default=0,
            verbose_name=_("Aufbewahrungsfrist in Jahren"),
            help_text=_(
                "Kunden, deren jüngster Beleg noch aufzubewahren ist, werden weder gelöscht noch anonymisiert. Üblich "
                "sind in Deutschland 8 Jahre (Belege) oder 10 (Bücher), in Österreich 7, jeweils ab Ende des Jahres. "
                "0 oder leer: ohne Frist."
            ),
        ),
        minimum=0,
        maximum=99,
    )
    datev_export = described(
        BooleanField(
            default=False, verbose_name=_("DATEV-Export-Schnittstelle"), help_text=_("Bietet den Export für DATEV an.")
        )
    )

    class Meta:
        table_name = "setting"

    rule_fields = ("customer_export_directory",)

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        """The folder is one below that of the instance; whether it is there is looked at when files are written."""
        name = values.get("customer_export_directory") or ""
        if PurePosixPath(name).is_absolute() or ".." in re.split(r"[/\\]", name) or re.search(r"[\\:\0]", name):
            yield fault(
                cls,
                "customer_export_directory",
                gettext("ist kein Ordner im Ausgangsordner der Instanz"),
                name,
                gettext("Bitte nur seinen Namen angeben, zum Beispiel „kunden“ oder „erp/kunden“."),
            )


def absent_fields() -> frozenset[str]:
    """The fields that belong to a module which is not installed: no form shows them, no document takes them over."""
    setting = current_setting()
    modules = (("language", setting.language_module), ("currency", setting.currency_module))
    return frozenset(name for name, installed in modules if not installed)


def current_setting() -> Setting:
    """The settings as they are now; those of the factory when none were stored yet."""
    row = next(iter(_stored()), None)
    return Setting(**dict(zip(Setting._meta.sorted_field_names, row, strict=True))) if row is not None else Setting()


_stored = Prepared(lambda: Setting.select().order_by(Setting.id).limit(1), 0)


def _fields_of_absent_modules() -> Iterator[Place]:
    """Fields that only a module gives a meaning to (PX-129, PX-132); their stored values stay."""
    setting = current_setting()
    if not setting.language_module:
        yield "customer", "language"
    if not setting.currency_module:
        yield "customer", "currency"


#: What the registry keeps from every page.
ABSENT = (Absent(Setting, _fields_of_absent_modules),)

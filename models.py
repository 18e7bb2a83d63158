"""The models of Kontor: the customer with everything that belongs to it, and `MODELS`, the list of all tables.

Shape: a customer is one wide row (main address and the settings of all four systems, NULL where nothing is known); what
comes in lists is a child table with a reference `customer`. Each field is one statement: Peewee's words first, the rest
in `described`. Value tables and neighbours stand in `domain/`.
Units: money in euro with 2 places, percentages 0 to 100, times UTC. Rules over several fields are in `validate`,
what a new record gets by itself in `prepare_many`; both hold for form, bulk change, import and copy alike.
Source: fields.tsv, domain.md sections 1 to 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from peewee import BooleanField, CharField, DateField, DateTimeField, ForeignKeyField, IntegerField, TextField

from domain import numbers
from domain.account import AccountEntry, AccountingPosting, AccountingTransfer, BusinessYear
from domain.banks import bank_of, differing_countries
from domain.catalog import Article, ArticlePrice, Catalog, CatalogArticle, PriceList, Supplier, Warehouse
from domain.codes import (
    DOCUMENT_FORMATS,
    DUNNING_DELIVERIES,
    PAYMENT_KINDS,
    PRICE_BASES,
    TAX_CODES,
    TRANSPORTS,
    TRANSPORTS_OR_NONE,
    VAT_MODES,
)
from domain.connections import Connection
from domain.customer_xml import write_customer_files
from domain.dates import today
from domain.deletion import departures
from domain.links import LaterForeignKey, Reference
from domain.numbers import NumberRange, NumberReservation
from domain.postal_codes import places_of, prefix_of
from domain.rules import ends_before_start, fault, missing, more_than_one
from domain.sales_conditions import converted_conditions
from domain.settings import Setting, absent_fields, current_setting
from domain.till import (
    BonusSettlement,
    BonusSettlementItem,
    Promotion,
    TillCustomerFeed,
    TillPayment,
    TillReceipt,
    TillReceiptItem,
)
from domain.trade import (
    CreditNote,
    CreditNoteItem,
    CustomerReturn,
    CustomerReturnItem,
    DeliveryNote,
    DeliveryNoteItem,
    DunningRun,
    GoodsRequest,
    Invoice,
    InvoiceItem,
    InvoiceRun,
    Outbox,
    Payment,
    PurchaseInvoice,
    PurchaseInvoiceItem,
    Reminder,
    RepairOrder,
    RepairOrderItem,
    RevenueFact,
    SalesOrder,
    SalesOrderItem,
    StockMovement,
)
from domain.values.company import Branch, BusinessUnit, Employee, OrganizationUnit, OwnBank, Tenant
from domain.values.contacts import ContactFunction, ContactSpecialization, Salutation
from domain.values.countries import Country, Currency, Language, PostalCode, Territory
from domain.values.delivery import CollectivePriority, DeliveryTerm, DeliveryZone, ShippingMethod, Tour
from domain.values.documents import DocumentType, EmailText, PrintProfile, Project
from domain.values.groups import (
    CardType,
    Category,
    Cooperation,
    CustomerKind1,
    CustomerKind2,
    CustomerKind3,
    CustomerTrait,
)
from domain.values.taxes import RevenueCode, TaxKey, TaxRate
from domain.values.terms import DiscountType, Intermediary, PaymentTerm, PriceType
from domain.values.traits import Authorization, CompanyType, Organization, Orientation, Specialization, Structure
from domain.vat_ids import VAT_COUNTRIES, split_vat_id
from flask_appadmin.changes import Departure, Written
from flask_appadmin.database import Record, key_condition, utcnow
from flask_appadmin.duplicates import CODE, NAME, PHONE, Likeness, Trait
from flask_appadmin.errors import FieldError
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _, gettext, many
from flask_appadmin.merging import Merging
from flask_appadmin.rights import Operator, User
from flask_appadmin.sheets.sessions import ImportSchema
from flask_appadmin.specs import ONE_IS_YES, Description, described, spec_of

#: The tabs of the customer's form in their order: key of the group and caption.
CUSTOMER_TABS = (
    ("main", _("Hauptfenster")),
    ("master", _("Stammdaten")),
    ("details", _("Details")),
    ("profile", _("Kundenprofil")),
    ("general", _("Allgemein")),
    ("credit", _("Bonitätsinfo")),
    ("banks", _("Banken")),
    ("conditions", _("Konditionen")),
    ("order_info", _("Auftragsinfo")),
    ("special_accounts", _("Sonderkontierung")),
    ("further", _("Weitere Daten")),
    ("page_2", _("Seite 2")),
    ("traits", _("Merkmale")),
    ("parameters", _("Parameter")),
    ("credit_sale", _("Kreditverkauf")),
)


class Customer(Record):
    """A customer: main address and all settings in one row; lists are children."""

    description = Description(
        label=_("Kunde"),
        plural=_("Kunden"),
        title=("customer_number", "name_1", "name_2"),
        menu="customers",
        right="customer",
        order=("customer_number",),
        external_key="external_customer_id",
    )

    customer_number = described(
        IntegerField(
            unique=True,
            verbose_name=_("Kunden-Nr."),
            help_text=_(
                "Wird beim ersten Speichern aus dem Nummernkreis vergeben, wenn das Feld leer bleibt; danach fest."
            ),
        ),
        group="main",
        minimum=1,
        maximum=999999999,
        copy="renew",
        aliases=("Kundennummer", "Nummer", "Kunde (Nr.)"),
        read_only="after_first_save",
        searchable=True,
        listed=True,
        natural_key=True,
        required=False,
    )
    debtor_account = described(
        IntegerField(
            null=True,
            verbose_name=_("FIBU Nummer"),
            help_text=_(
                "Debitorenkonto der Buchhaltung. Mehrere Kunden dürfen dasselbe haben; einmal gefüllt, bleibt es."
            ),
        ),
        group="main",
        minimum=1,
        copy="renew",
        aliases=("FIBU-Nummer", "Debitorennummer", "Debitorenkonto"),
        read_only="once_filled",
    )
    active = described(
        BooleanField(
            default=True,
            verbose_name=_("Aktiv"),
            help_text=_("Ohne Haken wird der Kunde nur noch in der Suche des Kundenstamms angeboten."),
        ),
        group="main",
        bulk=True,
        opposite=_("Nicht Aktiv"),
    )
    portal_type = described(
        CharField(
            max_length=20,
            choices=[("so_procure", _("So.PROCURE")), ("so_commerce", _("So.COMMERCE"))],
            null=True,
            verbose_name=_("Kundenart (So.PROCURE / So.COMMERCE)"),
            help_text=_("Auf welcher Plattform der Kunde einkauft; leer: auf keiner."),
        ),
        group="main",
        bulk=True,
    )
    customer_kind_1 = described(
        Reference(CustomerKind1, index=True, null=True, verbose_name=_("Kundenart1")), group="main", bulk=True
    )
    customer_kind_2 = described(
        Reference(CustomerKind2, null=True, verbose_name=_("Kundenart2")), group="main", bulk=True
    )
    customer_kind_3 = described(
        Reference(CustomerKind3, null=True, verbose_name=_("Kundenart3")), group="main", bulk=True
    )
    search_name = described(
        CharField(
            max_length=30,
            null=True,
            verbose_name=_("Suchbezeichnung"),
            help_text=_("Kurzer Name zum Suchen. Vorschlag: Name 1 und Ort, höchstens 30 Zeichen."),
        ),
        group="main",
        copy="renew",
        aliases=("Synonym",),
        searchable=True,
        listed=True,
        personal="name",
    )
    name_1 = described(
        CharField(
            max_length=60,
            null=True,
            verbose_name=_("Name 1"),
            help_text=_("Name 1 oder Name 2 muss gefüllt sein."),
        ),
        group="main",
        aliases=("Firmenname", "Name", "Firma", "Bezeichnung", "Bezeichnung 1", "Company", "Company name"),
        searchable=True,
        listed=True,
        overflow="name_2",
        personal="name",
    )
    name_2 = described(
        CharField(max_length=60, null=True, verbose_name=_("Name 2")),
        group="main",
        aliases=("Bezeichnung 2",),
        searchable=True,
        overflow="name_3",
        personal="wipe",
    )
    attention_to = described(
        CharField(
            max_length=60, null=True, verbose_name=_("zu Hd."), help_text=_("Wird auf neuen Belegen vorgeschlagen.")
        ),
        group="main",
        personal="wipe",
    )
    street = described(
        CharField(max_length=60, null=True, verbose_name=_("Straße")),
        group="main",
        aliases=("Strasse", "Straße und Hausnummer", "Adresse", "Address", "Address 1"),
        searchable=True,
        overflow="<name_3",
        personal="wipe",
    )
    po_box = described(
        CharField(
            max_length=40,
            null=True,
            verbose_name=_("Postfach"),
            help_text=_("Nur Ziffern werden mit „Postfach“ davor gedruckt; gilt nur, wenn keine Straße angegeben ist."),
        ),
        group="main",
        personal="wipe",
    )
    country = described(
        Reference(Country, null=True, verbose_name=_("Länderkennzeichen")),
        group="main",
        aliases=("Land (Kürzel)", "Land"),
        listed=True,
    )
    postal_code = described(
        CharField(max_length=10, null=True, verbose_name=_("PLZ")),
        group="main",
        aliases=("Plz", "Postleitzahl", "Postcode", "ZIP", "ZIP code"),
        kind="postal_code",
        searchable=True,
        listed=True,
        personal="quasi",
    )
    city = described(
        CharField(max_length=60, null=True, verbose_name=_("Ort")),
        group="main",
        searchable=True,
        listed=True,
        personal="quasi",
    )
    phone = described(
        CharField(max_length=40, null=True, verbose_name=_("Telefon")),
        group="main",
        kind="phone",
        searchable=True,
        aliases=("Tel", "Telefonnummer", "Telefonvorwahl", "Vorwahl"),
        personal="wipe",
    )
    fax = described(
        CharField(max_length=40, null=True, verbose_name=_("Telefax")),
        group="main",
        kind="fax",
        aliases=("Fax", "Faxvorwahl", "Faxnummer"),
        personal="wipe",
    )
    telex = described(CharField(max_length=40, null=True, verbose_name=_("Telex")), group="main", personal="wipe")
    parent_customer = described(
        Reference(
            "self",
            on_delete=None,
            deferrable="INITIALLY DEFERRED",
            null=True,
            verbose_name=_("Haupt-Kunden-Nr."),
            help_text=_("Übergeordneter Kunde (Zentrale)."),
        ),
        group="main",
        bulk=True,
        aliases=("Zentrale",),
        personal="quasi",
    )
    association = described(
        Reference(
            "self",
            on_delete=None,
            deferrable="INITIALLY DEFERRED",
            null=True,
            verbose_name=_("Verband"),
            help_text=_("Jeder Verband ist selbst ein Kunde; er steht auf allen Belegen."),
        ),
        group="main",
        bulk=True,
        personal="quasi",
    )
    address_provider_number = described(
        CharField(
            max_length=30,
            null=True,
            unique=True,
            verbose_name=_("Herold-Nr."),
            help_text=_("Kennung des Adressanbieters; daran wird der Kunde bei einer neuen Lieferung wiedererkannt."),
        ),
        group="main",
        copy="clear",
        aliases=("Herold Nr.",),
        searchable=True,
        personal="wipe",
    )
    external_text = described(
        TextField(null=True, verbose_name=_("Externer Text"), help_text=_("Wird auf Belege des Kunden gedruckt.")),
        group="main",
        bulk=True,
        personal="wipe",
    )
    input_hint = described(
        TextField(null=True, verbose_name=_("Eingabehinweis"), help_text=_("Erscheint bei der Auftragserfassung.")),
        group="main",
        bulk=True,
        personal="wipe",
    )
    delivery_text = described(
        TextField(null=True, verbose_name=_("Vormerktext"), help_text=_("Wird auf Lieferpapiere gedruckt.")),
        group="main",
        bulk=True,
        personal="wipe",
    )
    title = described(Reference(Salutation, null=True, verbose_name=_("Titel")), group="master")
    name_3 = described(
        CharField(max_length=60, null=True, verbose_name=_("Name 3")),
        group="master",
        aliases=("Bezeichnung 3",),
        searchable=True,
        personal="wipe",
    )
    country_name = described(
        CharField(
            max_length=60,
            null=True,
            verbose_name=_("Land"),
            help_text=_("Steht auf der Anschrift; wird nicht aus dem Länderkennzeichen importiert."),
        ),
        group="master",
        personal="quasi",
    )
    federal_state = described(
        CharField(max_length=40, null=True, verbose_name=_("Bundesstaat")),
        group="master",
        aliases=("Bundesland", "Region"),
        personal="quasi",
    )
    address_number = described(
        IntegerField(
            null=True,
            verbose_name=_("Adress-Nr."),
            help_text=_("Eine schon gespeicherte Nummer übernimmt deren Anschrift in den neuen Kunden."),
        ),
        group="master",
        copy="clear",
    )
    latitude = described(
        DecimalField(9, 6, null=True, verbose_name=_("Breitengrad")),
        group="master",
        minimum=-90,
        maximum=90,
        personal="quasi",
    )
    longitude = described(
        DecimalField(9, 6, null=True, verbose_name=_("Längengrad")),
        group="master",
        minimum=-180,
        maximum=180,
        personal="quasi",
    )
    geo_place = described(
        CharField(max_length=60, null=True, verbose_name=_("Geodaten: Ort")), group="master", personal="quasi"
    )
    geo_district = described(
        CharField(max_length=60, null=True, verbose_name=_("Geodaten: Ortsteil")), group="master", personal="quasi"
    )
    gln = described(
        CharField(
            max_length=13, null=True, verbose_name=_("ILN"), help_text=_("13 Ziffern; die letzte ist die Prüfziffer.")
        ),
        group="master",
        kind="gln",
        personal="wipe",
    )
    website = described(
        CharField(max_length=255, null=True, verbose_name=_("Homepage")),
        group="master",
        aliases=("Web-Seite", "Internet", "Website", "URL"),
        kind="url",
        personal="wipe",
    )
    external_customer_id = described(
        CharField(
            max_length=40,
            null=True,
            verbose_name=_("Fremd-ID-Nr.Kunde"),
            help_text=_("Schlüssel dieses Kunden in einem anderen System."),
        ),
        group="master",
        copy="clear",
        searchable=True,
        personal="wipe",
    )
    external_address_id = described(
        CharField(
            max_length=40,
            null=True,
            verbose_name=_("Fremd-ID-Nr.-Adresse"),
            help_text=_("Schlüssel dieser Anschrift in einem anderen System."),
        ),
        group="master",
        copy="clear",
        searchable=True,
        personal="wipe",
    )
    successor_customer = described(
        Reference(
            "self",
            on_delete=None,
            deferrable="INITIALLY DEFERRED",
            null=True,
            verbose_name=_("Neue Nummer"),
            help_text=_("Unter dieser Nummer wird der Kunde weitergeführt."),
        ),
        group="master",
        copy="clear",
        personal="keep",
    )
    hint = described(TextField(null=True, verbose_name=_("Hinweis")), group="master", bulk=True, personal="wipe")
    remark = described(TextField(null=True, verbose_name=_("Bemerkung")), group="master", bulk=True, personal="wipe")
    marker = described(
        CharField(max_length=20, null=True, verbose_name=_("Kennzeichen")), group="master", bulk=True, personal="quasi"
    )
    clerk = described(
        Reference(
            Employee,
            index=True,
            null=True,
            verbose_name=_("Bearbeiter"),
            help_text=_("Wird auf neuen Belegen vorgeschlagen."),
        ),
        group="master",
        bulk=True,
        aliases=("Bea", "Sachbearbeiter"),
    )
    technician = described(Reference(Employee, null=True, verbose_name=_("Techniker")), group="master", bulk=True)
    business_unit = described(
        Reference(BusinessUnit, null=True, verbose_name=_("Geschäftsbereich")), group="master", bulk=True
    )
    territory = described(
        Reference(Territory, index=True, null=True, verbose_name=_("Gebiet")), group="master", bulk=True
    )
    print_serial_numbers = described(
        BooleanField(default=False, verbose_name=_("Belegdruck mit Seriennummern")),
        group="master",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    print_serial_numbers_extra = described(
        BooleanField(default=False, verbose_name=_("Seriennummer extra drucken")),
        group="master",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    no_goods_issue_labels = described(
        BooleanField(default=False, verbose_name=_("Warenausgangsetiketten nicht drucken")),
        group="master",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    no_advertising = described(
        BooleanField(
            default=False, verbose_name=_("Keine Werbung"), help_text=_("Nimmt den Kunden von allen Mailings aus.")
        ),
        group="master",
        bulk=True,
        aliases=("Mailingsperre",),
        import_codes=ONE_IS_YES,
    )
    no_email_advertising = described(
        BooleanField(
            default=False,
            verbose_name=_("Keine E-Mail-Werbung"),
            help_text=_("Erlaubt ist ein Werbeweg nur mit Einwilligung und ohne Sperre."),
        ),
        group="master",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    no_fax_advertising = described(
        BooleanField(default=False, verbose_name=_("Keine Fax-Werbung")),
        group="master",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    no_post_advertising = described(
        BooleanField(default=False, verbose_name=_("Keine Post-Werbung")),
        group="master",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    status = described(
        CharField(
            max_length=20,
            choices=[
                ("draft", _("Entwurf")),
                ("active", _("Aktiv")),
                ("locked", _("Gesperrt")),
                ("anonymised", _("Anonymisiert")),
                ("deleted", _("Gelöscht")),
            ],
            default="draft",
            verbose_name=_("Status"),
            help_text=_("„Anonymisiert“ und „Gelöscht“ entstehen nur durch die eigenen Funktionen."),
        ),
        group="details",
        bulk=True,
        copy="clear",
        listed=True,
        required=True,
    )
    customer_type = described(
        CharField(
            max_length=20,
            choices=[
                ("end_customer", _("Endkunde")),
                ("colleague", _("Kollege")),
                ("employee", _("Mitarbeiter")),
                ("supplier", _("Lieferant")),
            ],
            default="end_customer",
            verbose_name=_("Kundentyp"),
            help_text=_("Kollege und Lieferant brauchen einen Lieferanten, Mitarbeiter einen Mitarbeiter."),
        ),
        group="details",
        bulk=True,
        copy="clear",
        required=True,
    )
    supplier = described(
        Reference(
            Supplier,
            null=True,
            unique=True,
            verbose_name=_("Lieferant"),
            help_text=_("Name und Anschrift folgen dem Lieferanten."),
        ),
        group="details",
        copy="clear",
    )
    employee = described(
        Reference(
            Employee,
            null=True,
            unique=True,
            verbose_name=_("Mitarbeiter"),
            help_text=_("Name und Anschrift folgen dem Mitarbeiter."),
        ),
        group="details",
        copy="clear",
    )
    pos_text = described(
        TextField(
            null=True, verbose_name=_("Textfeld für Kasse"), help_text=_("Erscheint an der Kasse hinter einem Symbol.")
        ),
        group="details",
        bulk=True,
        personal="wipe",
    )
    warning_text = described(
        TextField(
            null=True,
            verbose_name=_("Warnhinweis"),
            help_text=_("Erscheint an der Kasse, sobald der Kunde aufgerufen wird."),
        ),
        group="details",
        bulk=True,
        personal="wipe",
    )
    home_branch = described(
        Reference(
            Branch,
            index=True,
            null=True,
            verbose_name=_("Stammfiliale"),
            help_text=_("Dient der Zuordnung; Umsatz zählt dort, wo gekauft wurde."),
        ),
        group="details",
        bulk=True,
    )
    is_blank = described(
        BooleanField(
            default=False,
            verbose_name=_("Blanko-Kunde"),
            help_text=_("Reservierte Nummer ohne Kundendaten; endet mit dem Status „Aktiv“."),
        ),
        group="details",
        copy="clear",
        read_only=True,
    )
    simple_system_id = described(
        CharField(max_length=30, null=True, unique=True, verbose_name=_("simple system ID")),
        group="profile",
        copy="clear",
        searchable=True,
        personal="wipe",
    )
    currency = described(
        Reference(
            Currency,
            null=True,
            verbose_name=_("Fremdwährung"),
            help_text=_("Nur für abweichende Belegwährung; leer bedeutet eigene Währung."),
        ),
        group="profile",
        bulk=True,
        aliases=("Währung",),
    )
    vat_id_country = described(
        CharField(
            max_length=2,
            null=True,
            verbose_name=_("UID-Land"),
            help_text=_("Erster Teil der Umsatzsteuer-ID, zum Beispiel AT."),
        ),
        group="profile",
        aliases=("Umsatzsteuer-ID (Länderteil)",),
        kind="country_letters",
        personal="quasi",
    )
    vat_id_code = described(
        CharField(
            max_length=12,
            null=True,
            verbose_name=_("UID-Code"),
            help_text=_("Zweiter Teil der Umsatzsteuer-ID, zum Beispiel U52109800."),
        ),
        group="profile",
        aliases=("Umsatzsteuer-ID",),
        personal="wipe",
    )
    email = described(
        CharField(max_length=254, null=True, verbose_name=_("E-Mail")),
        group="general",
        kind="email",
        searchable=True,
        aliases=(
            "Mail",
            "E-Mail-Adresse",
        ),
        personal="wipe",
    )
    turnover_current = described(
        DecimalField(
            14,
            2,
            default=Decimal(0),
            verbose_name=_("Umsatz aktuell"),
            help_text=_("Wird durch die Überleitung in die FIBU fortgeschrieben."),
        ),
        group="general",
        unit="€",
        copy="clear",
        read_only=True,
    )
    turnover_previous_year = described(
        DecimalField(14, 2, default=Decimal(0), verbose_name=_("Umsatz Vorjahr")),
        group="general",
        unit="€",
        copy="clear",
    )
    last_turnover_on = described(
        DateField(null=True, verbose_name=_("letzter Umsatz am"), help_text=_("Datum der letzten Rechnung.")),
        group="general",
        copy="clear",
        read_only=True,
    )
    tax_number = described(
        CharField(max_length=30, null=True, verbose_name=_("Steuer-Nr.")),
        group="general",
        aliases=("Steuernummer",),
        personal="wipe",
    )
    incomplete = described(
        BooleanField(
            default=False, verbose_name=_("Unvollständig"), help_text=_("Wird bei der Schnellanlage gesetzt.")
        ),
        group="general",
        bulk=True,
    )
    edifact_export = described(
        BooleanField(
            default=False,
            verbose_name=_("EDIFACT Export"),
            help_text=_("Rechnungen erscheinen in der Liste „EDIFACT Ausgangsrechnungen“."),
        ),
        group="general",
        bulk=True,
    )
    final_discount_percent = described(
        DecimalField(
            5, 2, null=True, verbose_name=_("Schlußrabatt"), help_text=_("Wird nach allen anderen Rabatten abgezogen.")
        ),
        group="general",
        unit="%",
        minimum=0,
        maximum=100,
        bulk=True,
    )
    base_discount_percent = described(
        DecimalField(
            5, 2, null=True, verbose_name=_("Grundrabatt"), help_text=_("Wird vor allen anderen Rabatten abgezogen.")
        ),
        group="general",
        unit="%",
        minimum=0,
        maximum=100,
        bulk=True,
    )
    created_on = described(
        DateField(null=True, default=today, verbose_name=_("Anlagedatum")),
        group="general",
        copy="renew",
        read_only=True,
    )
    shipping_method = described(
        Reference(ShippingMethod, null=True, verbose_name=_("Versandart")), group="general", bulk=True
    )
    language = described(
        Reference(Language, null=True, verbose_name=_("Fremdsprache"), help_text=_("Leer bedeutet eigene Sprache.")),
        group="general",
        bulk=True,
        aliases=("Sprache",),
    )
    sales_representative = described(
        Reference(Employee, index=True, null=True, verbose_name=_("Vertreter")),
        group="general",
        bulk=True,
        aliases=("Verkäufer",),
    )
    vat_id_checked_on = described(
        DateField(null=True, verbose_name=_("UID-Datum"), help_text=_("Datum der letzten Prüfung.")),
        group="general",
        bulk=True,
        personal="quasi",
    )
    csi_number = described(
        CharField(
            max_length=30,
            null=True,
            unique=True,
            verbose_name=_("CSI-Nummer"),
            help_text=_("Anmeldung des Kunden zur Betreuung im Web."),
        ),
        group="general",
        copy="clear",
        personal="wipe",
    )
    csi_password = described(
        CharField(
            max_length=255,
            null=True,
            verbose_name=_("[CSI] Passwort"),
            help_text=_("Kann gesetzt, aber nicht gelesen werden."),
        ),
        group="general",
        copy="clear",
        aliases=("Passwort zur CSI-Nummer",),
        secret=True,
    )
    shop_login = described(
        CharField(max_length=30, null=True, unique=True, verbose_name=_("Shop-Login")),
        group="general",
        copy="clear",
        personal="wipe",
    )
    shop_password = described(
        CharField(
            max_length=255,
            null=True,
            verbose_name=_("[Shop] Passwort"),
            help_text=_("Kann gesetzt, aber nicht gelesen werden."),
        ),
        group="general",
        copy="clear",
        aliases=("Passwort zum WebShop-Login",),
        secret=True,
    )
    first_contact = described(
        CharField(max_length=120, null=True, verbose_name=_("Erstkontakt")),
        group="general",
        bulk=True,
        personal="quasi",
    )
    intermediary = described(
        Reference(Intermediary, null=True, verbose_name=_("Vermittlername"), help_text=_("Erhält die Provision.")),
        group="general",
        bulk=True,
    )
    own_supplier_number = described(
        CharField(
            max_length=30,
            null=True,
            verbose_name=_("Lieferanten Nr."),
            help_text=_("Unter dieser Nummer führt uns der Kunde; sie steht auf Belegen."),
        ),
        group="general",
        aliases=("Lieferanten-Nr.",),
        personal="wipe",
    )
    tour = described(Reference(Tour, null=True, verbose_name=_("Tour")), group="general", bulk=True)
    delivery_zone = described(
        Reference(
            DeliveryZone,
            null=True,
            verbose_name=_("Lieferzone"),
            help_text=_("Wirkt nur mit automatischer Versandkostenberechnung."),
        ),
        group="general",
        bulk=True,
    )
    charge_shipping = described(
        BooleanField(
            default=False,
            verbose_name=_("Versandkosten verrechnen"),
            help_text=_("Schaltet die automatischen Versandkosten für den Kunden ein."),
        ),
        group="general",
        bulk=True,
    )
    accounting_tenant = described(
        Reference(Tenant, null=True, verbose_name=_("Mandant (FIBU)")), group="general", bulk=True
    )
    organization_unit = described(
        Reference(OrganizationUnit, null=True, verbose_name=_("Organisation (organisatorische Einheit)")),
        group="general",
        bulk=True,
    )
    one_time_customer = described(
        BooleanField(default=False, verbose_name=_("Diverser Kunde")), group="general", bulk=True
    )
    railway_station = described(
        CharField(max_length=60, null=True, verbose_name=_("Bahnhof")),
        group="general",
        bulk=True,
        personal="quasi",
    )
    is_maintenance_address = described(
        BooleanField(
            default=False,
            verbose_name=_("Wartungsadresse"),
            help_text=_("Nur Standort gewarteter Geräte, kein echter Kunde."),
        ),
        group="general",
        bulk=True,
    )
    factoring = described(
        BooleanField(
            default=False, verbose_name=_("Factoring"), help_text=_("Wird bei der Überleitung in die FIBU mitgegeben.")
        ),
        group="general",
        bulk=True,
    )
    is_company = described(
        BooleanField(default=False, verbose_name=_("Firma"), help_text=_("Ohne Haken: Privatkunde.")),
        group="general",
        bulk=True,
        unticked=_("Privatkunde"),
    )
    incoming_invoice_per_supplier = described(
        BooleanField(default=False, verbose_name=_("Eingangsrechnung je Lieferant")), group="general", bulk=True
    )
    credit_rating = described(
        CharField(
            max_length=20,
            choices=[
                ("1", _("keine Warnung")),
                ("2", _("Warnung, Bonität überprüfen")),
                ("3", _("Barkondition vor Lieferschein verlangt")),
                ("4", _("kein Lieferschein möglich")),
            ],
            null=True,
            default="1",
            verbose_name=_("Bonität"),
            help_text=_("Wird vor jedem Lieferschein geprüft."),
        ),
        group="credit",
        bulk=True,
        aliases=("Bonitätseinstufung",),
        right="credit",
    )
    credit_limit = described(
        DecimalField(
            14,
            2,
            index=True,
            null=True,
            verbose_name=_("Kreditlimit"),
            help_text=_("Leer: kein Limit. 0: kein Kauf auf Rechnung."),
        ),
        group="credit",
        unit="€",
        minimum=0,
        bulk=True,
        aliases=("Limit", "Kreditlimit in EUR"),
        right="credit",
        listed=True,
    )
    insurance_info = described(
        TextField(null=True, verbose_name=_("Versicherung (Versicherungsdaten)")),
        group="credit",
        bulk=True,
        right="credit",
        personal="wipe",
    )
    bank_reference = described(
        TextField(null=True, verbose_name=_("Bankauskunft")),
        group="credit",
        bulk=True,
        aliases=("Bankauskünfte",),
        right="credit",
        personal="wipe",
    )
    own_assessment = described(
        TextField(null=True, verbose_name=_("eigene Beurteilung")),
        group="credit",
        bulk=True,
        right="credit",
        personal="wipe",
    )
    free_1 = described(DecimalField(14, 4, null=True, verbose_name=_("Frei1")), group="credit", bulk=True)
    free_2 = described(
        CharField(max_length=60, null=True, verbose_name=_("Frei2")), group="credit", bulk=True, personal="quasi"
    )
    free_3 = described(TextField(null=True, verbose_name=_("Frei3")), group="credit", bulk=True, personal="wipe")
    credit_document_name = described(
        CharField(
            max_length=255,
            null=True,
            verbose_name=_("Dokumentenname"),
            help_text=_("Dateiname der abgelegten Auskunft."),
        ),
        group="credit",
        right="credit",
        personal="wipe",
    )
    own_bank = described(
        Reference(
            OwnBank,
            null=True,
            verbose_name=_("eigene Bankverbindung"),
            help_text=_("Wird auf Zahlscheine gedruckt; leer bedeutet die Vorgabe."),
        ),
        group="banks",
        bulk=True,
    )
    fixed_discount_hierarchy = described(
        BooleanField(
            default=False,
            verbose_name=_("fixe Rabatthierarchie"),
            help_text=_("Rabatte in fester Reihenfolge statt des besten Preises."),
        ),
        group="conditions",
        bulk=True,
    )
    no_special_prices = described(
        BooleanField(default=False, verbose_name=_("Ohne Sonderpreise/Rabatte")), group="conditions", bulk=True
    )
    special_price_before_discountable = described(
        BooleanField(default=False, verbose_name=_("Sonderpreis vor rabattfähig")), group="conditions", bulk=True
    )
    cumulative_volume_discount = described(
        BooleanField(default=False, verbose_name=_("Staffelrabatt kumulativ")), group="conditions", bulk=True
    )
    separate_proof_of_delivery = described(
        BooleanField(default=False, verbose_name=_("Mit separatem Liefernachweis")), group="conditions", bulk=True
    )
    separate_empties_invoice = described(
        BooleanField(default=False, verbose_name=_("Separate Leergutrechnung")), group="conditions", bulk=True
    )
    no_invoice_batch = described(
        BooleanField(default=False, verbose_name=_("Kein Rechnungsbatch")), group="conditions", bulk=True
    )
    no_invoice_print_from_batch = described(
        BooleanField(default=False, verbose_name=_("Kein Rechnungsdruck aus Batch")), group="conditions", bulk=True
    )
    single_invoice_per_order = described(
        BooleanField(
            default=False, verbose_name=_("Einzelrechnung je AB und LS"), help_text=_("Schließt „Sammelrechnung“ aus.")
        ),
        group="conditions",
        bulk=True,
    )
    collective_invoice = described(
        BooleanField(
            default=False,
            verbose_name=_("Sammelrechnung"),
            help_text=_("Lieferscheine werden im Rechnungslauf gesammelt."),
        ),
        group="conditions",
        bulk=True,
        opposite=_("keine Sammelrechnung"),
    )
    separate_invoice_per_address = described(
        BooleanField(default=False, verbose_name=_("Separate Rechnung je Lieferadresse")), group="conditions", bulk=True
    )
    markup_calculation = described(
        BooleanField(
            default=False,
            verbose_name=_("Aufschlagskalkulation"),
            help_text=_("Preis ist der Einkaufspreis mit dem Aufschlag aus „Kalkulation“."),
        ),
        group="conditions",
        bulk=True,
    )
    dunning_lock = described(
        BooleanField(default=False, verbose_name=_("Mahnsperre")),
        group="conditions",
        bulk=True,
        aliases=("Kunde erhält keine Mahnungen",),
    )
    transfer_to_accounting = described(
        BooleanField(default=True, verbose_name=_("In FIBU überleiten")), group="conditions", bulk=True
    )
    eu_customer = described(BooleanField(default=False, verbose_name=_("EU-Kunde")), group="conditions", bulk=True)
    no_free_articles = described(
        BooleanField(default=False, verbose_name=_("Keine Gratisartikel")), group="conditions", bulk=True
    )
    vat_liable = described(
        BooleanField(
            default=False,
            verbose_name=_("Ust-pflichtig"),
            help_text=_("Wird bei neuen Kunden in EU-Ländern ohne Umsatzsteuer-ID eingeschaltet."),
        ),
        group="conditions",
        bulk=True,
        aliases=("Umsatzsteuerpflicht",),
    )
    no_follow_up_articles = described(
        BooleanField(default=False, verbose_name=_("Keine Folgeartikel aus Artikelreihe")),
        group="conditions",
        bulk=True,
    )
    self_billing = described(
        BooleanField(default=False, verbose_name=_("Abrechnung im Gutschriftsverfahren")), group="conditions", bulk=True
    )
    delivery_term = described(
        Reference(DeliveryTerm, null=True, verbose_name=_("Lieferung (Lieferkondition)")), group="conditions", bulk=True
    )
    payment_term_1 = described(
        Reference(
            PaymentTerm,
            index=True,
            null=True,
            verbose_name=_("ZB 1"),
            help_text=_("Wird auf neuen Belegen vorgeschlagen."),
        ),
        group="conditions",
        bulk=True,
        aliases=("Zahlungsbedingung",),
        listed=True,
    )
    order_info = described(
        TextField(null=True, verbose_name=_("Auftragsinfo")),
        group="order_info",
        bulk=True,
        aliases=("Informationen für die Auftragsbearbeitung",),
        personal="wipe",
    )
    delivery_instructions = described(
        TextField(null=True, verbose_name=_("Lieferhinweise")),
        group="order_info",
        bulk=True,
        personal="wipe",
    )
    agreements = described(
        TextField(null=True, verbose_name=_("Vereinbarungen")), group="order_info", bulk=True, personal="wipe"
    )
    invoice_customer = described(
        Reference(
            "self",
            on_delete=None,
            deferrable="INITIALLY DEFERRED",
            null=True,
            verbose_name=_("abweichende Rechnungsadresse (Kunde)"),
            help_text=_("Rechnungen gehen an diesen Kunden."),
        ),
        group="order_info",
        bulk=True,
        personal="quasi",
    )
    delivery_customer = described(
        Reference(
            "self",
            on_delete=None,
            deferrable="INITIALLY DEFERRED",
            null=True,
            verbose_name=_("abweichende Lieferadresse (Kunde)"),
            help_text=_("Lieferungen gehen an diesen Kunden."),
        ),
        group="order_info",
        bulk=True,
        personal="quasi",
    )
    condition_carrier = described(
        Reference(
            "self",
            on_delete=None,
            deferrable="INITIALLY DEFERRED",
            null=True,
            verbose_name=_("Konditionsträger"),
            help_text=_("Die Konditionen dieses Kunden gelten."),
        ),
        group="order_info",
        bulk=True,
        aliases=("abweichender Konditionsträger",),
        personal="quasi",
    )
    invoice_address = described(
        LaterForeignKey(
            "Address",
            created_later=True,
            on_delete=None,
            deferrable="INITIALLY DEFERRED",
            null=True,
            verbose_name=_("Rechnungsanschrift"),
            help_text=_("Eine der Anschriften des Kunden."),
        ),
        group="order_info",
        within="id",
        copy="renew",
    )
    delivery_address = described(
        LaterForeignKey(
            "Address",
            created_later=True,
            on_delete=None,
            deferrable="INITIALLY DEFERRED",
            null=True,
            verbose_name=_("Versandanschrift"),
            help_text=_("Eine der Anschriften des Kunden."),
        ),
        group="order_info",
        within="id",
        copy="renew",
        aliases=("abweichende Lieferadresse",),
    )
    group_taxable = described(
        BooleanField(
            default=False,
            verbose_name=_("Konzern steuerbar"),
            help_text=_("Von den drei Konzern-Angaben gilt höchstens eine."),
        ),
        group="special_accounts",
        bulk=True,
    )
    group_non_taxable = described(
        BooleanField(
            default=False,
            verbose_name=_("Konzern nicht steuerbar"),
            help_text=_("Von den drei Konzern-Angaben gilt höchstens eine."),
        ),
        group="special_accounts",
        bulk=True,
    )
    free_revenue_account = described(
        BooleanField(
            default=False,
            verbose_name=_("Erlöskonto frei AR"),
            help_text=_("Von den drei Konzern-Angaben gilt höchstens eine."),
        ),
        group="special_accounts",
        bulk=True,
    )
    tax_key = described(
        Reference(
            TaxKey,
            null=True,
            verbose_name=_("Steuerschlüssel AR"),
            help_text=_("Ist ein Schlüssel angegeben, wird die Steuer damit neu berechnet."),
        ),
        group="special_accounts",
        bulk=True,
    )
    edi_address = described(
        CharField(max_length=254, null=True, verbose_name=_("Adresse (elektronischer Belegtausch)")),
        group="further",
        personal="wipe",
    )
    other_vat_id = described(
        CharField(max_length=20, null=True, verbose_name=_("andere USt-ID")),
        group="further",
        kind="vat_id",
        personal="wipe",
    )
    order_confirmation_address = described(
        LaterForeignKey(
            "Address",
            created_later=True,
            on_delete=None,
            deferrable="INITIALLY DEFERRED",
            null=True,
            verbose_name=_("Auftragsbestätigung (Anschrift)"),
            help_text=_("Eine der Anschriften des Kunden."),
        ),
        group="further",
        within="id",
        copy="renew",
    )
    order_related_collective_invoice = described(
        BooleanField(default=False, verbose_name=_("Auftragsbezogene Sammel-RG")),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    document_discount_1 = described(
        Reference(DiscountType, null=True, verbose_name=_("Belegrabatt 1")), group="further", bulk=True
    )
    document_discount_2 = described(
        Reference(DiscountType, null=True, verbose_name=_("Belegrabatt 2")), group="further", bulk=True
    )
    order_reference_required = described(
        BooleanField(
            default=False,
            verbose_name=_("Bezugn.-Bestell-Nr.: nicht leer"),
            help_text=_("Aufträge brauchen die Bestellnummer des Kunden."),
        ),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    gross_prices = described(
        BooleanField(default=False, verbose_name=_("Bruttopreise")), group="further", bulk=True, import_codes=ONE_IS_YES
    )
    comda_number = described(
        CharField(max_length=30, null=True, verbose_name=_("Comda-Nr.")),
        group="further",
        searchable=True,
        personal="wipe",
    )
    direct_shipping_language = described(
        Reference(Language, null=True, verbose_name=_("Direktversand: Sprache")), group="further", bulk=True
    )
    edifact_partner = described(
        CharField(max_length=35, null=True, verbose_name=_("EDIFACT Partner")), group="further", personal="wipe"
    )
    is_end_customer = described(
        BooleanField(default=False, verbose_name=_("Endkunde")), group="further", bulk=True, import_codes=ONE_IS_YES
    )
    decision_time_days = described(
        IntegerField(
            null=True,
            verbose_name=_("Entscheidungszeit, Tage"),
            help_text=_("Daraus folgt die Wiedervorlage von Angeboten."),
        ),
        group="further",
        unit=_("Tage"),
        minimum=0,
        maximum=999,
        bulk=True,
    )
    factor_number = described(
        CharField(max_length=30, null=True, verbose_name=_("Factor-Nr.")), group="further", personal="wipe"
    )
    fixed_shipping_cost = described(
        DecimalField(12, 2, null=True, verbose_name=_("Feste Versandkosten")),
        group="further",
        unit="€",
        minimum=0,
        bulk=True,
    )
    edi_format = described(
        CharField(
            max_length=20,
            choices=[
                ("0", _("eme")),
                ("1", _("openTrans 1.0")),
                ("2", _("EANCOM D96A(AMAZON)")),
                ("3", _("openTRANS 2.1")),
                ("4", _("IDoc")),
                ("5", _("EANCOM D96A(CONRAD)")),
                ("6", _("EANCOM D96A(METRO)")),
                ("7", _("EANCOM D96A(GLOBUS)")),
                ("8", _("EANCOM D01B(MediaSaturn)")),
                ("9", _("EANCOM D96A(ALSO)")),
                ("10", _("EANCOM D96A(Hagemeyer)")),
                ("11", _("Bechtle (XML 4.0)")),
                ("12", _("EANCOM D01B(EDEKA)")),
                ("13", _("EANCOM D96A(OTTO)")),
                ("14", _("EANCOM D96A(Markant)")),
                ("15", _("EANCOM D96A(EURONICS)")),
                ("16", _("EANCOM D96A(Beauty Alliance)")),
                ("17", _("EANCOM D01B(MediaSaturn Online)")),
                ("18", _("EANCOM D96A(CONRAD Marketplace)")),
                ("19", _("EANCOM D96A(AMAZON DF)")),
            ],
            null=True,
            verbose_name=_("Format"),
        ),
        group="further",
        bulk=True,
    )
    freight_free = described(
        BooleanField(default=False, verbose_name=_("Frachtfrei")), group="further", bulk=True, import_codes=ONE_IS_YES
    )
    freight_free_from = described(
        DecimalField(12, 2, null=True, verbose_name=_("Frachtfrei ab Wert")),
        group="further",
        unit="€",
        minimum=0,
        bulk=True,
    )
    direct_shipping_new_addresses = described(
        BooleanField(default=False, verbose_name=_("für neue Anschriften")),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    applies_to_addresses = described(
        CharField(
            max_length=20,
            choices=[("0", _("Voreinstellung")), ("1", _("Ja")), ("2", _("Nein"))],
            null=True,
            default="0",
            verbose_name=_("Gilt für Anschriften"),
        ),
        group="further",
        bulk=True,
    )
    calculation_percent = described(
        DecimalField(
            7,
            3,
            null=True,
            verbose_name=_("Kalkulation"),
            help_text=_("Aufschlag auf den Einkaufspreis; darf über 100 liegen."),
        ),
        group="further",
        unit="%",
        minimum=0,
        bulk=True,
    )
    no_document_merging = described(
        BooleanField(default=False, verbose_name=_("kein Belege-Zusammenfassen")),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    no_automation = described(
        BooleanField(default=False, verbose_name=_("keine Automatik")),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    no_intra_community_addresses = described(
        BooleanField(default=False, verbose_name=_("keine innergem.Lieferung für Anschriften")),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    no_toll_charges = described(
        BooleanField(default=False, verbose_name=_("Keine Mautgebühren")),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    no_environment_charge = described(
        BooleanField(default=False, verbose_name=_("Keine Umweltpauschale")),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    eme_password = described(
        CharField(
            max_length=255,
            null=True,
            verbose_name=_("Kennwort"),
            help_text=_("Kennwort für den Belegimport; kann gesetzt, aber nicht gelesen werden."),
        ),
        group="further",
        copy="clear",
        secret=True,
    )
    email_text = described(
        Reference(EmailText, null=True, verbose_name=_("Kennzeichen E-Mail Texte")), group="further", bulk=True
    )
    conditions_percent = described(
        DecimalField(7, 3, null=True, verbose_name=_("Konditionen")),
        group="further",
        unit="%",
        minimum=0,
        maximum=100,
        bulk=True,
    )
    cooperation = described(
        Reference(Cooperation, null=True, verbose_name=_("Kooperation")), group="further", bulk=True
    )
    cooperation_until = described(
        DateField(null=True, verbose_name=_("Kooperation - bis"), help_text=_("Nicht vor dem Beginn.")),
        group="further",
        bulk=True,
    )
    cooperation_member_number = described(
        CharField(max_length=30, null=True, verbose_name=_("Kooperation - Mitglied-Nr.")),
        group="further",
        personal="wipe",
    )
    cooperation_from = described(DateField(null=True, verbose_name=_("Kooperation - von")), group="further", bulk=True)
    delivery_note_prices = described(
        CharField(
            max_length=20,
            choices=[("1", _("Keine Angabe")), ("2", _("ohne Preise")), ("3", _("mit Preisen"))],
            null=True,
            default="1",
            verbose_name=_("Lieferschein"),
        ),
        group="further",
        bulk=True,
    )
    delivery_block = described(
        CharField(
            max_length=20,
            choices=[("1", _("Nein")), ("2", _("Ja")), ("3", _("Liefer- und Bestellsperre"))],
            null=True,
            default="1",
            verbose_name=_("Liefersperre"),
        ),
        group="further",
        bulk=True,
    )
    credit_limit_until = described(
        DateField(null=True, verbose_name=_("Limit bis"), help_text=_("Außerhalb des Zeitraums gilt das Limit als 0.")),
        group="further",
        bulk=True,
        right="credit",
    )
    internal_limit = described(
        DecimalField(
            14,
            2,
            null=True,
            verbose_name=_("Limit intern"),
            help_text=_("Geht in seinem Zeitraum dem Kreditlimit vor."),
        ),
        group="further",
        unit="€",
        minimum=0,
        bulk=True,
        right="credit",
    )
    internal_limit_until = described(
        DateField(null=True, verbose_name=_("Limit intern bis")), group="further", bulk=True, right="credit"
    )
    internal_limit_from = described(
        DateField(null=True, verbose_name=_("Limit intern von")), group="further", bulk=True, right="credit"
    )
    credit_limit_from = described(
        DateField(null=True, verbose_name=_("Limit von")), group="further", bulk=True, right="credit"
    )
    dunning_mode = described(
        CharField(
            max_length=20,
            choices=[
                ("1", _("Keine Angabe")),
                ("2", _("Kontoauszug")),
                ("3", _("Nein")),
                ("4", _("Lastschrift")),
                ("5", _("OP: kein Kennwort")),
                ("6", _("Rechtsabteilung")),
            ],
            null=True,
            default="1",
            verbose_name=_("Mahnung"),
        ),
        group="further",
        bulk=True,
    )
    warehouse_tenant = described(Reference(Tenant, null=True, verbose_name=_("Mandant")), group="further", bulk=True)
    minimum_freight = described(
        DecimalField(12, 2, null=True, verbose_name=_("Mindestfrachtkosten")),
        group="further",
        unit="€",
        minimum=0,
        bulk=True,
    )
    vat_mode = described(
        CharField(max_length=20, choices=VAT_MODES, null=True, default="0", verbose_name=_("MwSt")),
        group="further",
        bulk=True,
    )
    online_shipping_cost_type = described(
        CharField(
            max_length=20,
            null=True,
            verbose_name=_("Online Versandkosten Typ"),
            help_text=_("Wird nur durch den Import gefüllt."),
        ),
        group="further",
        personal="keep",
    )
    online_shipping_cost_value = described(
        DecimalField(
            12,
            2,
            null=True,
            verbose_name=_("Online Versandkosten Wert"),
            help_text=_("Wird nur durch den Import gefüllt."),
        ),
        group="further",
        unit="€",
    )
    price_id = described(IntegerField(null=True, verbose_name=_("Preis-ID")), group="further")
    price_type = described(
        Reference(PriceType, null=True, verbose_name=_("Preis-Kennzeichen")), group="further", bulk=True
    )
    proforma_invoice = described(
        BooleanField(default=False, verbose_name=_("Proforma-Rechnung")),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    project = described(Reference(Project, null=True, verbose_name=_("Projekt")), group="further", bulk=True)
    commission_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Provision")),
        group="further",
        unit="%",
        minimum=0,
        maximum=100,
        bulk=True,
    )
    check_customer_order_number = described(
        BooleanField(default=False, verbose_name=_("Prüfung Kunden-Bestell-Nr.")),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    discount_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Rabatt"), help_text=_("Positionsrabatt nach dem Grundrabatt.")),
        group="further",
        unit="%",
        minimum=0,
        maximum=100,
        bulk=True,
    )
    print_discount = described(
        CharField(
            max_length=20,
            choices=[("0", _("Keine Angabe")), ("1", _("Nein")), ("2", _("Ja"))],
            null=True,
            default="0",
            verbose_name=_("Rabatt drucken"),
        ),
        group="further",
        bulk=True,
    )
    reference_cs5 = described(
        CharField(max_length=40, null=True, verbose_name=_("Ref.Nr. CS5")),
        group="further",
        searchable=True,
        personal="wipe",
    )
    reference_easylog = described(
        CharField(max_length=40, null=True, verbose_name=_("Ref.Nr. Easylog")),
        group="further",
        searchable=True,
        personal="wipe",
    )
    reference_gls = described(
        CharField(max_length=40, null=True, verbose_name=_("Ref.Nr. GLS")),
        group="further",
        searchable=True,
        personal="wipe",
    )
    invoice_copies = described(
        IntegerField(null=True, verbose_name=_("RG-Exempl."), help_text=_("Leer bedeutet die Vorgabe der Grundlagen.")),
        group="further",
        minimum=1,
        maximum=9,
        bulk=True,
    )
    direct_debit_return_on = described(
        DateField(null=True, verbose_name=_("Rückscheck/RLS")), group="further", bulk=True
    )
    collective_order_delivery_note_only = described(
        BooleanField(default=False, verbose_name=_("SA: nur Lieferschein")),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    collective_debtor = described(
        CharField(
            max_length=20,
            null=True,
            verbose_name=_("Sammeldebitor"),
            help_text=_("Tritt bei der Überleitung an die Stelle der FIBU Nummer."),
        ),
        group="further",
        bulk=True,
        personal="keep",
    )
    collective_priority = described(
        Reference(CollectivePriority, null=True, verbose_name=_("Sammelpriorität")), group="further", bulk=True
    )
    service_address = described(
        LaterForeignKey(
            "Address",
            created_later=True,
            on_delete=None,
            deferrable="INITIALLY DEFERRED",
            null=True,
            verbose_name=_("Serviceanschrift"),
            help_text=_("Eine der Anschriften des Kunden."),
        ),
        group="further",
        within="id",
        copy="renew",
    )
    language_key = described(
        CharField(
            max_length=20,
            choices=[("01", _("Deutsch")), ("02", _("Englisch"))],
            null=True,
            verbose_name=_("Sprachschlüssel"),
        ),
        group="further",
        bulk=True,
        import_codes={"1": "01", "2": "02"},
    )
    graduated_prices = described(
        CharField(
            max_length=20,
            choices=[("0", _("Ja")), ("1", _("Nein"))],
            null=True,
            default="0",
            verbose_name=_("Staffelpreise"),
        ),
        group="further",
        bulk=True,
    )
    svs_rvs = described(
        DecimalField(12, 2, null=True, verbose_name=_("SVS/RVS"), help_text=_("Betrag der Speditionsversicherung.")),
        group="further",
        unit="€",
        bulk=True,
    )
    edi_transport = described(
        CharField(
            max_length=20,
            choices=[
                ("0", _("E-Mail mit Anhang")),
                ("1", _("E-Mail mit Text")),
                ("2", _("Datei")),
                ("3", _("SQL Server")),
                ("4", _("FTP")),
                ("5", _("HTTP")),
                ("6", _("MXML-Connector")),
                ("7", _("Tabelle PREDI")),
            ],
            null=True,
            verbose_name=_("Transportweg"),
        ),
        group="further",
        bulk=True,
    )
    vat_id_valid_until = described(
        DateField(null=True, verbose_name=_("Umsatzsteuer-ID bis")),
        group="further",
        bulk=True,
        personal="quasi",
    )
    us_sales_tax = described(
        CharField(
            max_length=20,
            choices=[("0", _("Privat")), ("1", _("Unternehmen")), ("2", _("Drittland"))],
            null=True,
            verbose_name=_("US Sales Tax Kennzeichen"),
        ),
        group="further",
        bulk=True,
    )
    credit_insurance_status = described(
        CharField(
            max_length=20,
            choices=[
                ("1", _("Nein")),
                ("2", _("Antrag")),
                ("3", _("Ja")),
                ("4", _("Abgelehnt")),
                ("5", _("Gesperrt")),
                ("6", _("Neu")),
                ("7", _("gekündigt")),
            ],
            null=True,
            default="1",
            verbose_name=_("Versicherung"),
        ),
        group="further",
        bulk=True,
        right="credit",
    )
    accept_sales_price = described(
        BooleanField(default=False, verbose_name=_("VK-Preis akzeptieren")),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    workshop = described(
        BooleanField(
            default=False, verbose_name=_("Werkstatt"), help_text=_("Keine Limitprüfung für Werkstattvorgänge.")
        ),
        group="further",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    payment_kind = described(
        CharField(
            max_length=20,
            choices=PAYMENT_KINDS,
            null=True,
            default="1",
            verbose_name=_("Zahlart"),
            help_text=_("Lastschrift braucht eine Bankverbindung mit Lastschriften."),
        ),
        group="further",
        bulk=True,
    )
    payment_term_2 = described(Reference(PaymentTerm, null=True, verbose_name=_("ZB 2")), group="further", bulk=True)
    payment_term_3 = described(Reference(PaymentTerm, null=True, verbose_name=_("ZB 3")), group="further", bulk=True)
    payment_term_4 = described(Reference(PaymentTerm, null=True, verbose_name=_("ZB 4")), group="further", bulk=True)
    payment_term_5 = described(Reference(PaymentTerm, null=True, verbose_name=_("ZB 5")), group="further", bulk=True)
    payment_term_6 = described(Reference(PaymentTerm, null=True, verbose_name=_("ZB 6")), group="further", bulk=True)
    payment_term_7 = described(Reference(PaymentTerm, null=True, verbose_name=_("ZB 7")), group="further", bulk=True)
    payment_term_8 = described(Reference(PaymentTerm, null=True, verbose_name=_("ZB 8")), group="further", bulk=True)
    payment_term_9 = described(Reference(PaymentTerm, null=True, verbose_name=_("ZB 9")), group="further", bulk=True)
    payment_term_10 = described(Reference(PaymentTerm, null=True, verbose_name=_("ZB 10")), group="further", bulk=True)
    central_settlement_number = described(
        CharField(max_length=30, null=True, verbose_name=_("Zentralregulierungsnummer")),
        group="further",
        searchable=True,
        personal="wipe",
    )
    contact_print_deviates = described(
        BooleanField(
            default=False,
            verbose_name=_("Abweichend von Voreinstellungen"),
            help_text=_("Erst mit diesem Haken gelten die folgenden Angaben."),
        ),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_quote = described(
        BooleanField(default=False, verbose_name=_("Angebot")), group="page_2", bulk=True, import_codes=ONE_IS_YES
    )
    contact_print_order_confirmation = described(
        BooleanField(default=False, verbose_name=_("Auftragsbestätigung")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_credit_note = described(
        BooleanField(default=False, verbose_name=_("Gutschrift")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_workshop_credit_note = described(
        BooleanField(default=False, verbose_name=_("Gutschrift Werkstatt")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_picking = described(
        BooleanField(default=False, verbose_name=_("Kommissionierung")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_cost_estimate = described(
        BooleanField(default=False, verbose_name=_("Kostenvoranschlag")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_loan = described(
        BooleanField(default=False, verbose_name=_("Leih-/Teststellung")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_delivery_note = described(
        BooleanField(default=False, verbose_name=_("Lieferschein")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_subsequent_delivery = described(
        BooleanField(default=False, verbose_name=_("Nachlieferschein")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_workshop_subsequent = described(
        BooleanField(default=False, verbose_name=_("Nachlieferschein Werkstatt")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_proforma = described(
        BooleanField(default=False, verbose_name=_("Proforma-Rechnung")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_invoice = described(
        BooleanField(default=False, verbose_name=_("Rechnung")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_workshop_invoice = described(
        BooleanField(default=False, verbose_name=_("Rechnung Werkstatt")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_collective_order = described(
        BooleanField(default=False, verbose_name=_("Sammelauftrag")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_advance_exchange = described(
        BooleanField(default=False, verbose_name=_("Voraustausch")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_maintenance_contract = described(
        BooleanField(default=False, verbose_name=_("Wartungsvertrag")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_workshop_order = described(
        BooleanField(default=False, verbose_name=_("Werkstattauftrag")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    contact_print_workshop_assembly = described(
        BooleanField(default=False, verbose_name=_("Werkstattmontage")),
        group="page_2",
        bulk=True,
        import_codes=ONE_IS_YES,
    )
    credit_info_source = described(
        CharField(max_length=60, null=True, verbose_name=_("Auskunft durch")),
        group="page_2",
        bulk=True,
        right="credit",
        personal="quasi",
    )
    customer_reference = described(
        CharField(max_length=120, null=True, verbose_name=_("Bezugnahme Kunde")),
        group="page_2",
        bulk=True,
        personal="wipe",
    )
    entered_by = described(
        CharField(max_length=60, null=True, verbose_name=_("Eingegeben von")),
        group="page_2",
        copy="renew",
        personal="keep",
    )
    managing_director = described(
        CharField(max_length=120, null=True, verbose_name=_("Geschäftsführer")),
        group="page_2",
        personal="wipe",
    )
    shareholders = described(
        CharField(max_length=120, null=True, verbose_name=_("Gesell./Inhaber")), group="page_2", personal="wipe"
    )
    legal_form = described(
        CharField(max_length=40, null=True, verbose_name=_("Gesellschaftsform")),
        group="page_2",
        bulk=True,
        personal="quasi",
    )
    founding_year = described(
        IntegerField(null=True, verbose_name=_("Gründungsjahr")),
        group="page_2",
        minimum=1000,
        bulk=True,
        personal="quasi",
    )
    shipping_hint = described(
        TextField(null=True, verbose_name=_("Hinweis Versand")), group="page_2", bulk=True, personal="wipe"
    )
    workshop_hint = described(
        TextField(null=True, verbose_name=_("Hinweis Werkstatt")), group="page_2", bulk=True, personal="wipe"
    )
    supplier_gln = described(
        CharField(max_length=13, null=True, verbose_name=_("ILN Lieferant")),
        group="page_2",
        kind="gln",
        personal="wipe",
    )
    credit_info_limit = described(
        DecimalField(
            14,
            2,
            null=True,
            verbose_name=_("Kreditlimit (Auskunft)"),
            help_text=_("Limit laut Auskunft; das eigene steht unter Bonitätsinfo."),
        ),
        group="page_2",
        unit="€",
        minimum=0,
        bulk=True,
        right="credit",
        personal="quasi",
    )
    stock_value = described(
        DecimalField(14, 2, null=True, verbose_name=_("Lagerbestand")),
        group="page_2",
        unit="€",
        bulk=True,
        personal="quasi",
    )
    employees_info = described(
        IntegerField(null=True, verbose_name=_("Mitarbeiter (Auskunft)"), help_text=_("Anzahl laut Auskunft.")),
        group="page_2",
        minimum=0,
        bulk=True,
        personal="quasi",
    )
    other_assets = described(
        DecimalField(14, 2, null=True, verbose_name=_("Sonst. Verm.(ögen)")),
        group="page_2",
        unit="€",
        bulk=True,
        personal="quasi",
    )
    share_capital = described(
        DecimalField(14, 2, null=True, verbose_name=_("Stammkapital")),
        group="page_2",
        unit="€",
        bulk=True,
        personal="quasi",
    )
    company_turnover = described(
        DecimalField(14, 2, null=True, verbose_name=_("Umsatz"), help_text=_("Umsatz des Unternehmens laut Auskunft.")),
        group="page_2",
        unit="€",
        bulk=True,
        personal="quasi",
    )
    credit_info_on = described(
        DateField(null=True, verbose_name=_("vom")), group="page_2", bulk=True, right="credit", personal="quasi"
    )
    recruiter_number = described(
        CharField(max_length=20, null=True, verbose_name=_("Werber-Nr.")),
        group="page_2",
        bulk=True,
        personal="wipe",
    )
    recruiter_note = described(
        CharField(max_length=120, null=True, verbose_name=_("Werber-Nr. Bemerkung")),
        group="page_2",
        bulk=True,
        personal="wipe",
    )
    industry = described(
        CharField(max_length=60, null=True, verbose_name=_("Wirtschaftszweig")),
        group="page_2",
        bulk=True,
        personal="quasi",
    )
    payment_behaviour = described(
        CharField(max_length=60, null=True, verbose_name=_("Zahlungsmoral")),
        group="page_2",
        bulk=True,
        right="credit",
        personal="quasi",
    )
    employee_count = described(
        IntegerField(null=True, verbose_name=_("Anzahl Mitarbeiter")),
        group="traits",
        minimum=0,
        bulk=True,
        personal="quasi",
    )
    orientation = described(Reference(Orientation, null=True, verbose_name=_("Ausrichtung")), group="traits", bulk=True)
    authorization = described(
        Reference(Authorization, null=True, verbose_name=_("Autorisierung")), group="traits", bulk=True
    )
    organization = described(
        Reference(Organization, null=True, verbose_name=_("Organisation")), group="traits", bulk=True
    )
    rating = described(
        CharField(max_length=20, null=True, verbose_name=_("Rating")), group="traits", bulk=True, personal="quasi"
    )
    specialization = described(
        Reference(Specialization, null=True, verbose_name=_("Spezialisierung")), group="traits", bulk=True
    )
    structure = described(Reference(Structure, null=True, verbose_name=_("Struktur")), group="traits", bulk=True)
    company_type = described(Reference(CompanyType, null=True, verbose_name=_("Typ")), group="traits", bulk=True)
    personal_discount_percent = described(
        DecimalField(
            5,
            2,
            null=True,
            verbose_name=_("Persönlicher Rabattsatz (%)"),
            help_text=_("Wird bei jedem Einkauf an der Kasse abgezogen."),
        ),
        group="parameters",
        unit="%",
        minimum=0,
        maximum=100,
        bulk=True,
    )
    wincard_bonus_points = described(
        DecimalField(
            9,
            2,
            null=True,
            verbose_name=_("Abweichende Bonuspunkte für Wincard"),
            help_text=_("Punkte je Euro; leer bedeutet die Vorgabe."),
        ),
        group="parameters",
        minimum=0,
        bulk=True,
    )
    wincard_points_on_invoice = described(
        BooleanField(default=False, verbose_name=_("wincard-Punkte-Vergabe bei Rechnungserstellung")),
        group="parameters",
        bulk=True,
    )
    bonus_lock = described(
        BooleanField(default=False, verbose_name=_("Sperre gegen die Bonusabrechnung")), group="parameters", bulk=True
    )
    consent_post = described(
        BooleanField(
            default=False,
            verbose_name=_("Werbekennzeichen: Post"),
            help_text=_("Nur mit ausdrücklicher Einwilligung; wird nie voreingestellt."),
        ),
        group="parameters",
        copy="clear",
        preset=False,
        proof=True,
    )
    consent_email = described(
        BooleanField(
            default=False,
            verbose_name=_("Werbekennzeichen: Email"),
            help_text=_("Nur mit ausdrücklicher Einwilligung; wird nie voreingestellt."),
        ),
        group="parameters",
        copy="clear",
        preset=False,
        proof=True,
    )
    consent_phone = described(
        BooleanField(
            default=False,
            verbose_name=_("Werbekennzeichen: Telefon"),
            help_text=_("Nur mit ausdrücklicher Einwilligung; wird nie voreingestellt."),
        ),
        group="parameters",
        copy="clear",
        preset=False,
        proof=True,
    )
    consent_sms = described(
        BooleanField(
            default=False,
            verbose_name=_("Werbekennzeichen: SMS"),
            help_text=_("Nur mit ausdrücklicher Einwilligung; wird nie voreingestellt."),
        ),
        group="parameters",
        copy="clear",
        preset=False,
        proof=True,
    )
    consent_fax = described(
        BooleanField(
            default=False,
            verbose_name=_("Werbekennzeichen: Fax"),
            help_text=_("Nur mit ausdrücklicher Einwilligung; wird nie voreingestellt."),
        ),
        group="parameters",
        copy="clear",
        preset=False,
        proof=True,
    )
    credit_sale = described(
        BooleanField(
            default=False,
            verbose_name=_("Kreditverkauf"),
            help_text=_("Erlaubt Käufe auf Rechnung; erst dann gelten die Angaben dieser Seite."),
        ),
        group="credit_sale",
        bulk=True,
    )
    credit_warn_percent = described(
        DecimalField(
            5,
            2,
            null=True,
            verbose_name=_("Warnschwelle bei Ausnutzung des Kreditlimits (%)"),
            help_text=_("Ab dieser Ausnutzung des Kreditlimits wird gewarnt."),
        ),
        group="credit_sale",
        unit="%",
        minimum=1,
        maximum=100,
        bulk=True,
        right="credit",
    )
    price_basis = described(
        CharField(
            max_length=20, choices=PRICE_BASES, null=True, default="sales_price", verbose_name=_("zum Verkaufspreis")
        ),
        group="credit_sale",
        bulk=True,
    )
    invoice_discount_percent = described(
        DecimalField(
            5, 2, null=True, verbose_name=_("mit Rechnungsrabatt in Prozent"), help_text=_("Geht dem Schlußrabatt vor.")
        ),
        group="credit_sale",
        unit="%",
        minimum=0,
        maximum=100,
        bulk=True,
    )
    position_discount_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("mit Positionsrabatt in Prozent")),
        group="credit_sale",
        unit="%",
        minimum=0,
        maximum=100,
        bulk=True,
    )
    position_surcharge_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("plus (Positions) Zuschlag in Prozent")),
        group="credit_sale",
        unit="%",
        minimum=0,
        bulk=True,
    )
    cash_discount_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Skontosatz in Prozent")),
        group="credit_sale",
        unit="%",
        minimum=0,
        maximum=100,
        bulk=True,
    )
    value_days = described(
        IntegerField(null=True, verbose_name=_("Valuta in Tagen")),
        group="credit_sale",
        unit=_("Tage"),
        minimum=0,
        bulk=True,
    )

    class Meta:
        table_name = "customer"
        indexes = (
            # Columns of the list: each index serves the filter and, since equal values follow each other by number, the
            # order. With the status, which every list asks for, filtered rows are counted without reading them.
            (("status", "customer_number"), False),
            (("country", "customer_number", "status"), False),
            (("postal_code", "customer_number", "status"), False),
            (("city", "customer_number", "status"), False),
            (("portal_type", "customer_number", "status"), False),
            (("name_1", "customer_number"), False),
            (("search_name", "customer_number"), False),
            (("credit_limit", "customer_number"), False),
            (("updated_at", "customer_number"), False),
        )

    #: NE-09: not reversible, so nothing of it is changed any more.
    takes_fields = True
    sealed_when = ("status", "anonymised")
    #: The three marks of the window "Sonderkontierung"; at most one of them is set.
    GROUP_MARKS = ("group_taxable", "group_non_taxable", "free_revenue_account")
    #: References to other customers: none to itself, no circle.
    CUSTOMER_LINKS = (
        "parent_customer",
        "association",
        "successor_customer",
        "invoice_customer",
        "delivery_customer",
        "condition_carrier",
    )
    #: References to addresses of the customer itself.
    OWN_ADDRESSES = ("invoice_address", "delivery_address", "order_confirmation_address", "service_address")
    #: From status -> to which it may be changed by hand; the others are reached by functions of their own.
    STATUS_STEPS = {
        "draft": ("draft", "active", "locked"),
        "active": ("active", "locked"),
        "locked": ("locked", "active"),
        "anonymised": ("anonymised",),
        "deleted": ("deleted",),
    }

    #: Two customers that are one person: the one number goes on, the other leads to it (NE-138, D3, D4).
    merging = Merging(
        successor="successor_customer",
        ended={"status": "deleted"},
        together=(
            ("street", "po_box", "country", "country_name", "postal_code", "city", "federal_state"),
            ("title", "name_1", "name_2", "name_3", "attention_to", "search_name"),
            ("vat_id_country", "vat_id_code", "vat_id_checked_on", "vat_id_valid_until"),
            ("latitude", "longitude", "geo_place", "geo_district"),
            ("credit_limit", "credit_limit_from", "credit_limit_until"),
            ("internal_limit", "internal_limit_from", "internal_limit_until"),
            ("cooperation", "cooperation_member_number", "cooperation_from", "cooperation_until"),
            ("group_taxable", "group_non_taxable", "free_revenue_account"),
        ),
        any_of=(
            "no_advertising",
            "no_email_advertising",
            "no_fax_advertising",
            "no_post_advertising",
            "dunning_lock",
            "bonus_lock",
        ),
        added=("turnover_current", "turnover_previous_year"),
        latest=("last_turnover_on",),
        own=("debtor_account", "entered_by", "created_on"),
        stays=("running_number",),
    )
    likeness = Likeness(
        traits=(
            Trait("iban", _("gleiche IBAN"), ("bank_account.iban",), 50, CODE, 15),
            Trait("vat_id", _("gleiche UID"), ("vat_id_country", "vat_id_code"), 50, CODE, 6),
            Trait("email", _("gleiche E-Mail"), ("email",), 40, CODE, 6),
            Trait("name", _("gleicher Name"), ("name_1", "name_2"), 40, NAME),
            Trait("phone", _("gleiche Telefonnummer"), ("phone",), 35, PHONE, 6),
            Trait("street", _("gleiche Straße und PLZ"), ("postal_code", "street"), 30),
            Trait("postal_code", _("gleiche PLZ"), ("postal_code",), 15, beside=True),
        ),
        similar="name",
        similar_label=_("ähnlicher Name"),
        similar_points=20,
        fillers="gmbh|mbh|co|kg|ag|ohg|ug|se|ek|ev|eu|gbr|og|ges|gesellschaft|haftungsbeschrankt|fa|firma|und|herr|frau",
        among="status__not=deleted&status__not=anonymised",
        shown=(
            "customer_number", "name_1", "name_2", "street", "postal_code", "city", "country", "phone", "email",
            "vat_id_code", "bank_account.iban", "contact.name_1", "status", "created_on",
        ),
    )  # fmt: skip
    #: Where two customers agree in these, an import says that they may be the same.
    duplicate_fields = ("name_1", "postal_code")
    #: Customers that are a supplier or an employee have their name and address (NE-40, NE-41, NE-44, NE-45, NE-48).
    mirrors: ClassVar[dict[str, dict[str, str]]] = {
        "supplier": {
            "name_1": "name_1",
            "street": "street",
            "po_box": "po_box",
            "country": "country",
            "postal_code": "postal_code",
            "city": "city",
        },
        "employee": {
            "name_1": "name",
            "street": "street",
            "country": "country",
            "postal_code": "postal_code",
            "city": "city",
        },
    }
    #: NE-39, NE-43, NE-47.
    shown_when: ClassVar[dict[str, tuple[str, tuple[Any, ...]]]] = {
        "supplier": ("customer_type", ("colleague", "supplier")),
        "employee": ("customer_type", ("employee",)),
    }
    derive_fields = (
        "name_1",
        "name_2",
        "city",
        "search_name",
        "country",
        "postal_code",
        "phone",
        "fax",
        "vat_id_country",
        "vat_id_code",
        "vat_id_checked_on",
    )
    rule_fields = (
        "id",
        "name_1",
        "name_2",
        "status",
        "customer_type",
        "supplier",
        "employee",
        "vat_id_country",
        "vat_id_code",
        "language",
        "currency",
        "founding_year",
        "cooperation_from",
        "cooperation_until",
        "credit_limit_from",
        "credit_limit_until",
        "internal_limit_from",
        "internal_limit_until",
        "single_invoice_per_order",
        "collective_invoice",
        *GROUP_MARKS,
        *CUSTOMER_LINKS,
        *OWN_ADDRESSES,
    )
    unique_messages = {"customer_number": _("Kundennummer bereits vorhanden")}
    import_defaults = ("customer_category.category",)
    import_required = ("clerk",)
    follow_fields = ("currency",)

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        if values.get("id") is None and values.get("customer_number") is None:
            yield missing(cls, "customer_number", gettext("Kunden werden nicht automatisch nummeriert."))
        if not values.get("name_1") and not values.get("name_2") and not cls._begins_with_its_users(values):
            yield missing(cls, "name_1", gettext("Name 1 oder Name 2 muss gefüllt sein."))
        if values.get("id") is None and values.get("clerk") is None and getattr(operation, "kind", "") == "form":
            # Whoever is no clerk has none to begin with; a table without employees must not bar the first customers.
            if Employee.of(operation.operator) is not None:
                yield missing(cls, "clerk", gettext("Neue Kunden brauchen einen Bearbeiter."))
        yield from cls._status_faults(values, operation)
        yield from cls._kind_faults(values)
        yield from cls._tax_faults(values, operation)
        if values.get("id") is None and values.get("address_number") in _unknown_address_numbers(operation):
            yield fault(cls, "address_number", gettext("ist nicht vorhanden"), values["address_number"])
        yield from ends_before_start(cls, values, "cooperation_from", "cooperation_until")
        yield from ends_before_start(cls, values, "credit_limit_from", "credit_limit_until")
        yield from ends_before_start(cls, values, "internal_limit_from", "internal_limit_until")
        if values.get("founding_year") is not None and values["founding_year"] > today().year:
            yield fault(cls, "founding_year", gettext("liegt in der Zukunft"), values["founding_year"])
        if values.get("single_invoice_per_order") and values.get("collective_invoice"):
            yield fault(
                cls, "collective_invoice", gettext("„Einzelrechnung je AB und LS“ schließt die Sammelrechnung aus.")
            )
        if values.get("language") is not None or values.get("currency") is not None:
            yield from cls._own_language_faults(values)
        for name in cls.CUSTOMER_LINKS:
            if values.get(name) is not None:
                yield from cls._link_faults(name, values[name], values.get("id"))
        if values.get("id") is not None:
            yield from _foreign_addresses(cls, values, values["id"], cls.OWN_ADDRESSES)

    @classmethod
    def starting_values(cls, operator: Operator) -> dict[str, Any]:
        """The defaults of the global settings for new customers (NE-03), and the operator as their clerk (PX-55)."""
        setting = current_setting()
        given = {
            "credit_warn_percent": setting.default_credit_warn_percent,
            "price_basis": setting.default_price_basis,
            "clerk": Employee.of(operator),
        }
        return {name: value for name, value in given.items() if value is not None}

    @staticmethod
    def _begins_with_its_users(values: dict[str, Any]) -> bool:
        """A customer of So.PROCURE begins as a draft with its administrator; the form asks for its name (SC-16)."""
        is_new = values.get("id") is None
        return is_new and values.get("portal_type") == "so_procure" and values.get("status") == "draft"

    @classmethod
    def _status_faults(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        """By hand only draft → active or locked and active ↔ locked; a new record is none of the final states."""
        status = str(values.get("status"))
        if values.get("id") is None:
            allowed = status in ("draft", "active", "locked")
        else:
            allowed = status in cls.STATUS_STEPS.get(cls._stored_status(values["id"], operation), (status,))
        if not allowed:
            word = str(spec_of(cls).field("status").choice_labels.get(status, status))
            yield fault(
                cls,
                "status",
                gettext("lässt sich hier nicht setzen"),
                word,
                gettext("Von Hand geht es vom Entwurf zu Aktiv oder Gesperrt und zwischen diesen beiden."),
            )

    @classmethod
    def _stored_status(cls, key: int, operation: Any) -> str:
        """The status as it is in the database. A bulk change asks once for all customers that are not simply active."""
        if getattr(operation, "kind", "") != "bulk":
            return cls.select(cls.status).where(cls.id == key).tuples().scalar() or "draft"
        known = operation.memory.get("customer statuses")
        if known is None:
            query = cls.select(cls.id, cls.status).where(cls.status != "active")
            known = operation.memory["customer statuses"] = dict(query.tuples())
        return known.get(key, "active")

    @classmethod
    def _kind_faults(cls, values: dict[str, Any]) -> Iterator[FieldError]:
        """Kundentyp Kollege and Lieferant name their supplier, Mitarbeiter their employee, Endkunde neither."""
        kind = str(values.get("customer_type"))
        for name, (_deciding, kinds) in cls.shown_when.items():
            if kind in kinds and values.get(name) is None:
                word = str(spec_of(cls).field("customer_type").choice_labels[kind])
                yield missing(cls, name, gettext("Der Kundentyp „%(word)s“ braucht diese Angabe.", word=word))
            elif kind not in kinds and values.get(name) is not None:
                yield fault(
                    cls,
                    name,
                    gettext("Diese Angabe passt nicht zum Kundentyp."),
                    None,
                    gettext("Bitte leeren oder den Kundentyp ändern."),
                )
        if kind == "colleague" and values.get("supplier") is not None:
            if (
                not Supplier.select()
                .where(Supplier.id == values["supplier"], Supplier.supplier_type == "colleague")
                .exists()
            ):
                yield fault(cls, "supplier", gettext("Für Kollegen kommen nur Lieferanten vom Typ Kollege in Frage."))

    @classmethod
    def _tax_faults(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        yield from more_than_one(cls, values, cls.GROUP_MARKS)
        code = values.get("vat_id_code")
        for name, other in (("vat_id_country", "vat_id_code"), ("vat_id_code", "vat_id_country")):
            if not values.get(name) and values.get(other):
                yield missing(cls, name, gettext("Zur Umsatzsteuer-ID gehören Länderteil und Code."))
        if code and not re.fullmatch(r"[A-Za-z0-9+*]{1,12}", code):
            yield fault(cls, "vat_id_code", gettext("enthält andere Zeichen als Buchstaben und Ziffern"), code)
        country = values.get("vat_id_country")
        if country and country not in VAT_COUNTRIES and country not in _country_codes(operation):
            yield fault(
                cls,
                "vat_id_country",
                gettext("ist kein Länderkürzel der Tabelle „Länder“"),
                country,
                gettext("Bitte zwei Buchstaben, zum Beispiel DE."),
            )

    @classmethod
    def _own_language_faults(cls, values: dict[str, Any]) -> Iterator[FieldError]:
        setting = current_setting()
        if values.get("language") is not None and values["language"] == setting.own_language_id:
            yield fault(cls, "language", gettext("Die eigene Sprache wird hier nicht eingetragen."))
        if values.get("currency") is not None and values["currency"] == setting.own_currency_id:
            yield fault(cls, "currency", gettext("Die eigene Währung wird hier nicht eingetragen."))

    @classmethod
    def _link_faults(cls, name: str, target: int, key: int | None) -> Iterator[FieldError]:
        """Refuses a reference to the customer itself and one that closes a circle; carriers have one level only."""
        column = cls._meta.fields[name]
        if target == key:
            yield fault(cls, name, gettext("Ein Kunde kann nicht auf sich selbst verweisen."))
            return
        if name == "condition_carrier":
            carried = cls.select().where((cls.id == target) & column.is_null(False)).exists()
            carries = key is not None and cls.select().where(column == key).exists()
            if carried or carries:
                yield fault(cls, name, gettext("Ein Konditionsträger kann keinen anderen haben."))
            return
        seen: set[int] = set()
        following: int | None = target
        while following is not None and following not in seen and key is not None:
            seen.add(following)
            following = cls.select(column).where(cls.id == following).tuples().scalar()
            if following == key:
                yield fault(cls, name, gettext("Die Verweise der Kunden aufeinander ergäben einen Kreis."))
                return

    @classmethod
    def absent_fields(cls) -> frozenset[str]:
        """Language and currency belong to modules (PX-129, PX-132)."""
        return absent_fields()

    @classmethod
    def offered(cls) -> Any:
        """Customers that are active (PX-82, PX-83); a draft or an inactive one is found in the list only."""
        return (cls.status == "active") & cls.active

    @classmethod
    def provisional(cls) -> dict[str, tuple[Any, str]]:
        """The numbers a new customer would get now (PX-46, PX-47)."""
        found: dict[str, tuple[Any, str]] = {}
        for kind in ("customer_number", "debtor_account"):
            if numbers.is_active(kind):
                number = numbers.propose_number(kind)
                note = gettext("Vorschlag aus dem Nummernkreis")
                found[kind] = (number, note if number else gettext("Der Nummernkreis hat keine freie Nummer mehr."))
        return found

    @classmethod
    def derive(cls, old: dict[str, Any], values: dict[str, Any], operation: Any) -> dict[str, Any]:
        """The search name while nobody wrote one, both parts of the VAT id, the day it was checked (PX-62, PX-92)."""
        found: dict[str, Any] = {}
        # In a file the search name has a column of its own, and the preview has shown what happens to it.
        typed = operation.kind != "import" or operation.by_rule
        renamed = typed and any(values.get(name) != old.get(name) for name in ("name_1", "name_2", "city"))
        if renamed and values.get("search_name") in (None, old.get("search_name")):
            if old.get("search_name") in (None, search_name_of(old)):
                found["search_name"] = search_name_of(values)
        parts = values.get("vat_id_country"), values.get("vat_id_code")
        if parts != (old.get("vat_id_country"), old.get("vat_id_code")):
            found["vat_id_country"], found["vat_id_code"] = split_vat_id(*parts)
            # Another id was not checked yet.
            if values.get("vat_id_checked_on") == old.get("vat_id_checked_on"):
                found["vat_id_checked_on"] = None
        found.update(_without_bare_prefixes(old, values))
        return found

    @classmethod
    def prepare_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        """Numbers, search name, status, VAT mark, VAT id and author of new customers; one question for all rows."""
        kind = getattr(operation, "kind", "")
        without_number = [values for values in rows if values.get("customer_number") is None]
        # An import may be told not to number; its rows without a number are refused by `validate`.
        if without_number and (kind != "import" or current_setting().auto_customer_number):
            drawn = numbers.draw_numbers("customer_number", len(without_number))
            for values, number in zip(without_number, drawn, strict=True):
                values["customer_number"] = number
        by_hand = kind in ("form", "copy", "full_copy")
        without_account = [values for values in rows if values.get("debtor_account") is None] if by_hand else []
        if without_account and numbers.is_active("debtor_account"):
            drawn = numbers.draw_numbers("debtor_account", len(without_account))
            for values, number in zip(without_account, drawn, strict=True):
                values["debtor_account"] = number
        if kind == "import":
            _take_addresses(rows, operation)
        liable = _vat_rule(rows) if kind not in ("copy", "full_copy") else set()
        for values in rows:
            if by_hand and (kind != "form" or not values.get("entered_by")):
                values["entered_by"] = str(operation.operator.name)[:60]
            if not values.get("search_name"):
                values["search_name"] = search_name_of(values)
            if kind == "import" and values.get("status") in (None, "draft"):
                values["status"] = "active"
            if values.get("vat_id_code"):
                parts = split_vat_id(values.get("vat_id_country"), values["vat_id_code"])
                values["vat_id_country"], values["vat_id_code"] = parts
            if kind == "form":
                values.update(_without_bare_prefixes({}, values))
            if values.get("country") in liable and not values.get("vat_id_code"):
                values["vat_liable"] = True

    @classmethod
    def departures(cls, keys: Sequence[int]) -> dict[int, Departure]:
        return departures(cls, keys)

    @classmethod
    def hand_on(cls, keys: Sequence[int], operator: Operator, outbox: Path) -> tuple[int, list[str]]:
        """An XML file for each, where „Kunden: Exportverzeichnis“ names a folder (ME-18)."""
        folder = current_setting().customer_export_directory
        return write_customer_files(spec_of(cls), keys, operator, outbox, folder) if folder else (0, [])

    @classmethod
    def follow(cls, written: Sequence[Written], operation: Any) -> Iterable[Any]:
        yield from converted_conditions(SalesCondition, written)


class Contact(Record):
    """A person to talk to at a customer."""

    description = Description(
        label=_("Ansprechpartner"),
        plural=many("Ansprechpartner", "Ansprechpartner"),
        title=("name_1", "name_2"),
        menu="",
        right="customer",
        order=("sort_order", "sequence_number"),
        offered="active",
    )

    customer = described(
        ForeignKeyField(Customer, backref="contacts", on_delete="CASCADE", index=False, verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    sequence_number = described(
        IntegerField(verbose_name=_("Lfd.Nr."), help_text=_("Wird vergeben; eine Nummer kommt nie zweimal vor.")),
        minimum=1,
        listed=True,
        natural_key=True,
        unique_with=("customer",),
        required=False,
    )
    address = described(
        LaterForeignKey(
            "Address",
            on_delete=None,
            deferrable="INITIALLY DEFERRED",
            index=True,
            null=True,
            verbose_name=_("Anschrift"),
            help_text=_("Eine der Anschriften des Kunden."),
        ),
        within="customer",
        copy="renew",
    )
    clerk = described(Reference(Employee, null=True, verbose_name=_("Bearbeiter")))
    remark = described(TextField(null=True, verbose_name=_("Bemerkung")))
    user_id = described(
        CharField(
            max_length=60,
            null=True,
            verbose_name=_("Benutzer-ID"),
            help_text=_("Name des Ansprechpartners im Kundenbereich."),
        ),
        copy="clear",
    )
    password = described(
        CharField(
            max_length=255,
            null=True,
            verbose_name=_("Kennwort"),
            help_text=_("Kann gesetzt, aber nicht gelesen werden."),
        ),
        copy="clear",
        secret=True,
    )
    email = described(
        CharField(max_length=254, index=True, null=True, verbose_name=_("E-Mail")),
        kind="email",
        searchable=True,
        listed=True,
    )
    fax = described(CharField(max_length=40, null=True, verbose_name=_("Fax-Nr.")), kind="fax")
    free_1 = described(BooleanField(default=False, verbose_name=_("Frei 1")), import_codes=ONE_IS_YES)
    free_2 = described(BooleanField(default=False, verbose_name=_("Frei 2")), import_codes=ONE_IS_YES)
    external_id = described(
        CharField(max_length=40, null=True, verbose_name=_("Fremd-ID-Nr.")), copy="clear", searchable=True
    )
    function = described(Reference(ContactFunction, null=True, verbose_name=_("Funktion")), listed=True)
    birth_date = described(DateField(null=True, verbose_name=_("Geburtsdatum")))
    no_email_advertising = described(
        BooleanField(default=False, verbose_name=_("Keine E-Mail-Werbung")), import_codes=ONE_IS_YES
    )
    no_fax_advertising = described(
        BooleanField(default=False, verbose_name=_("Keine Fax-Werbung")), import_codes=ONE_IS_YES
    )
    no_post_advertising = described(
        BooleanField(default=False, verbose_name=_("Keine Postwerbung")), import_codes=ONE_IS_YES
    )
    no_advertising = described(BooleanField(default=False, verbose_name=_("Keine Werbung")), import_codes=ONE_IS_YES)
    dunning_delivery = described(
        CharField(
            max_length=20, choices=DUNNING_DELIVERIES, null=True, default="0", verbose_name=_("Mahnung/Kontoauszug")
        )
    )
    mobile = described(
        CharField(max_length=40, null=True, verbose_name=_("Mobiltelefon")), kind="phone", searchable=True, listed=True
    )
    name_1 = described(
        CharField(
            max_length=60,
            index=True,
            null=True,
            verbose_name=_("Name 1"),
            help_text=_("Name 1 oder Name 2 muss gefüllt sein."),
        ),
        searchable=True,
        listed=True,
    )
    name_2 = described(CharField(max_length=60, null=True, verbose_name=_("Name 2")), searchable=True, listed=True)
    name_3 = described(CharField(max_length=60, null=True, verbose_name=_("Name 3")), searchable=True)
    active = described(
        BooleanField(
            default=True, verbose_name=_("Aktiv"), help_text=_("Ohne Haken wird er auf Belegen nicht angeboten.")
        ),
        listed=True,
        opposite=_("Nicht Aktiv"),
    )
    online = described(BooleanField(default=False, verbose_name=_("Online")), import_codes=ONE_IS_YES)
    online_reports = described(
        CharField(
            max_length=20,
            choices=[("0", _("Nein")), ("1", _("nur eigene"))],
            null=True,
            default="0",
            verbose_name=_("Online-Auswertungen"),
            help_text=_("„nur eigene“: sieht im Kundenbereich nur Belege, auf denen er steht."),
        )
    )
    private_phone = described(
        CharField(max_length=40, null=True, verbose_name=_("Privat(telefon)")),
        aliases=("Privat",),
        kind="phone",
        searchable=True,
    )
    sort_order = described(
        IntegerField(null=True, verbose_name=_("Sortierung"), help_text=_("Reihenfolge in der Anzeige."))
    )
    specialization = described(Reference(ContactSpecialization, null=True, verbose_name=_("Spezialisierung")))
    phone_1 = described(
        CharField(max_length=40, null=True, verbose_name=_("Telefon 1")), kind="phone", searchable=True, listed=True
    )
    phone_2 = described(CharField(max_length=40, null=True, verbose_name=_("Telefon 2")), kind="phone", searchable=True)
    title = described(Reference(Salutation, null=True, verbose_name=_("Titel")), listed=True)
    contract_customer = described(BooleanField(default=False, verbose_name=_("Vertragskunde")), import_codes=ONE_IS_YES)
    vip = described(BooleanField(default=False, verbose_name=_("VIP")), import_codes=ONE_IS_YES)

    class Meta:
        table_name = "contact"
        indexes = ((("customer", "sequence_number"), True),)

    deleted_by = "sequence_number"

    takes_fields = True
    rule_fields = ("customer", "name_1", "name_2", "birth_date", "address")

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        if not values.get("name_1") and not values.get("name_2"):
            yield missing(cls, "name_1", gettext("Name 1 oder Name 2 muss gefüllt sein."))
        if values.get("birth_date") is not None and values["birth_date"] > today():
            yield fault(cls, "birth_date", gettext("liegt in der Zukunft"), values["birth_date"])
        yield from _foreign_addresses(cls, values, values.get("customer"), ("address",))

    @classmethod
    def prepare_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        numbers.give_running_numbers("contact", rows)


class Address(Record):
    """A further address of a customer, of at least one type."""

    description = Description(
        label=_("Anschrift"),
        plural=_("Anschriften"),
        title=("sequence_number", "name_1", "street", "city"),
        menu="",
        right="customer",
        order=("sequence_number",),
        offered="active",
    )

    customer = described(
        ForeignKeyField(Customer, backref="addresses", on_delete="CASCADE", index=False, verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    sequence_number = described(
        IntegerField(verbose_name=_("Lfd.Nr."), help_text=_("Wird vergeben; eine Nummer kommt nie zweimal vor.")),
        minimum=1,
        listed=True,
        natural_key=True,
        unique_with=("customer",),
        required=False,
    )
    address_number = described(
        IntegerField(
            index=True,
            null=True,
            verbose_name=_("Adresse"),
            help_text=_("Eine schon gespeicherte Nummer übernimmt deren Anschrift."),
        ),
        copy="clear",
    )
    number = described(CharField(max_length=20, null=True, verbose_name=_("Nummer")))
    is_delivery = described(
        BooleanField(
            default=True,
            verbose_name=_("L (Lieferadresse)"),
            help_text=_("Mindestens eine Art der Anschrift ist nötig."),
        ),
        aliases=("Art: Versandanschrift", "Adresstyp: Lieferadresse"),
        letter=("Art", "V"),
        listed=True,
    )
    is_invoice = described(
        BooleanField(default=True, verbose_name=_("R (Rechnungsadresse)")),
        aliases=("Art: Rechnungsanschrift",),
        letter=("Art", "R"),
        listed=True,
    )
    is_order_confirmation = described(
        BooleanField(default=False, verbose_name=_("Art: Auftragsbestätigung")), letter=("Art", "A"), listed=True
    )
    is_residence = described(BooleanField(default=False, verbose_name=_("Adresstyp: Wohnort")), listed=True)
    consignment_warehouse = described(
        Reference(
            Warehouse,
            index=True,
            null=True,
            verbose_name=_("Konsignationslager"),
            help_text=_("Nur Lager mit der Eigenschaft Konsignationslager."),
        ),
        among="consignment=1",
    )
    title = described(Reference(Salutation, null=True, verbose_name=_("Titel")))
    name_1 = described(
        CharField(
            max_length=60,
            null=True,
            verbose_name=_("Name 1"),
            help_text=_("Leer: Auf Belegen steht der Name des Kunden."),
        ),
        searchable=True,
        listed=True,
    )
    name_2 = described(CharField(max_length=60, null=True, verbose_name=_("Name 2")), searchable=True)
    name_3 = described(CharField(max_length=60, null=True, verbose_name=_("Name 3")), searchable=True)
    street = described(
        CharField(max_length=60, null=True, verbose_name=_("Strasse")),
        aliases=("Straße und Hausnummer",),
        searchable=True,
        listed=True,
    )
    po_box = described(
        CharField(
            max_length=40,
            null=True,
            verbose_name=_("Postfach"),
            help_text=_("Gilt nur, wenn keine Straße angegeben ist."),
        )
    )
    country = described(Reference(Country, null=True, verbose_name=_("Länderkennzeichen")), listed=True)
    country_name = described(CharField(max_length=60, null=True, verbose_name=_("Land")), personal="quasi")
    federal_state = described(CharField(max_length=40, null=True, verbose_name=_("Bundesstaat")), personal="quasi")
    postal_code = described(
        CharField(max_length=10, index=True, null=True, verbose_name=_("PLZ")),
        kind="postal_code",
        searchable=True,
        listed=True,
        personal="quasi",
    )
    city = described(
        CharField(max_length=60, null=True, verbose_name=_("Ort")), searchable=True, listed=True, personal="quasi"
    )
    direct_shipping = described(
        BooleanField(default=False, verbose_name=_("Direktversand (Streckengeschäft)")), import_codes=ONE_IS_YES
    )
    send_email = described(BooleanField(default=False, verbose_name=_("E-Mail")), import_codes=ONE_IS_YES)
    own = described(BooleanField(default=False, verbose_name=_("Eigene")), import_codes=ONE_IS_YES)
    format = described(
        CharField(max_length=20, choices=DOCUMENT_FORMATS, null=True, default="0", verbose_name=_("Format"))
    )
    external_id = described(
        CharField(max_length=40, null=True, verbose_name=_("Fremd-ID-Nr.")), copy="clear", searchable=True
    )
    shipping_hint = described(TextField(null=True, verbose_name=_("Hinweis Versand")))
    gln = described(CharField(max_length=13, null=True, verbose_name=_("ILN")), kind="gln")
    routing_key = described(
        CharField(
            max_length=60, null=True, verbose_name=_("Key"), help_text=_("Leitweg-ID; nötig für das Format XRechnung.")
        )
    )
    vat_mode = described(
        CharField(
            max_length=20,
            choices=VAT_MODES,
            null=True,
            verbose_name=_("MwSt"),
            help_text=_("Leer: Es gilt die Angabe beim Kunden."),
        )
    )
    active = described(BooleanField(default=True, verbose_name=_("Aktiv")), listed=True, opposite=_("Nicht Aktiv"))
    no_print = described(
        BooleanField(
            default=False,
            verbose_name=_("nicht drucken"),
            help_text=_("Belege gehen nur elektronisch an diese Anschrift."),
        ),
        import_codes=ONE_IS_YES,
    )
    transport = described(
        CharField(max_length=20, choices=TRANSPORTS_OR_NONE, null=True, default="0", verbose_name=_("Transportweg"))
    )
    vat_id = described(CharField(max_length=20, null=True, verbose_name=_("Umsatzsteuer-ID")), kind="vat_id")
    sales_representative = described(Reference(Employee, null=True, verbose_name=_("Verkäufer")))

    class Meta:
        table_name = "address"
        indexes = ((("customer", "sequence_number"), True),)

    deleted_by = "sequence_number"

    rule_fields = ("is_delivery", "is_invoice", "is_order_confirmation", "is_residence", "format", "routing_key",
        "consignment_warehouse")  # fmt: skip

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        if not any(values.get(name) for name in ("is_delivery", "is_invoice", "is_order_confirmation", "is_residence")):
            yield fault(
                cls,
                "is_delivery",
                gettext("Eine Anschrift braucht mindestens eine Art."),
                None,
                gettext("Bitte Liefer-, Rechnungs- oder Auftragsbestätigungsanschrift oder Wohnort ankreuzen."),
            )
        if values.get("format") == "5" and not values.get("routing_key"):
            yield missing(cls, "routing_key", gettext("Das Format XRechnung braucht den Key (Leitweg-ID)."))
        if values.get("id") is None and values.get("address_number") in _unknown_address_numbers(operation):
            yield fault(cls, "address_number", gettext("ist nicht vorhanden"), values["address_number"])
        warehouse = values.get("consignment_warehouse")
        if warehouse is not None:
            chosen = Warehouse.get_or_none(Warehouse.id == warehouse)
            if chosen is not None and not chosen.consignment:
                yield fault(cls, "consignment_warehouse", gettext("ist kein Konsignationslager"), chosen.name)

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        """L and R as the „Grundlagen Manager“ says (PX-225, PX-226), „Direktversand“ as the customer says (ME-48)."""
        presets = ("is_delivery", "is_invoice", "direct_shipping")
        rows = [values for values in rows if any(name not in values for name in presets)]
        if not rows:
            return
        setting = current_setting()
        owners = sorted({values["customer"] for values in rows if values.get("customer") is not None})
        direct: set[int] = set()
        for start in range(0, len(owners), 500):
            query = Customer.select(Customer.id).where(
                key_condition(Customer.id, owners[start : start + 500]), Customer.direct_shipping_new_addresses
            )
            direct.update(row[0] for row in query.tuples())
        for values in rows:
            values.setdefault("is_delivery", setting.new_address_is_delivery)
            values.setdefault("is_invoice", setting.new_address_is_invoice)
            values.setdefault("direct_shipping", values.get("customer") in direct)

    @classmethod
    def prepare_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        numbers.give_running_numbers("address", rows)
        if getattr(operation, "kind", "") == "import":
            _take_addresses(rows, operation)


class BankAccount(Record):
    """A bank account of a customer, with its direct debit mandate."""

    description = Description(
        label=_("Bankverbindung"),
        plural=_("Bankverbindungen"),
        title=("sequence_number", "bank_name"),
        menu="",
        right="customer",
        order=("sequence_number",),
    )

    customer = described(
        ForeignKeyField(Customer, backref="bank_accounts", on_delete="CASCADE", index=False, verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    sequence_number = described(
        IntegerField(verbose_name=_("Lfd.Nr. Bank"), help_text=_("Wird vergeben; eine Nummer kommt nie zweimal vor.")),
        minimum=1,
        listed=True,
        natural_key=True,
        unique_with=("customer",),
        required=False,
    )
    contact_name = described(CharField(max_length=60, null=True, verbose_name=_("Ansprechp.")))
    bank_name = described(
        CharField(max_length=60, null=True, verbose_name=_("Bank")), searchable=True, listed=True, personal="quasi"
    )
    remark = described(TextField(null=True, verbose_name=_("Bemerkung")))
    bic = described(
        CharField(max_length=11, null=True, verbose_name=_("BIC"), help_text=_("8 oder 11 Zeichen.")),
        right="bank",
        reason=True,
        kind="bic",
        listed=True,
        personal="quasi",
    )
    bank_code = described(CharField(max_length=20, null=True, verbose_name=_("BLZ")), right="bank", personal="quasi")
    fax = described(CharField(max_length=40, null=True, verbose_name=_("Fax-Nr.")), kind="fax")
    iban = described(
        CharField(max_length=34, index=True, null=True, verbose_name=_("IBAN")),
        masked=True,
        right="bank",
        reason=True,
        kind="iban",
        searchable=True,
        listed=True,
    )
    account_holder = described(
        CharField(max_length=60, null=True, verbose_name=_("Inhaber")),
        masked=True,
        right="bank",
        reason=True,
        listed=True,
    )
    account_number = described(
        CharField(max_length=20, null=True, verbose_name=_("Konto-Nr.")), masked=True, right="bank", reason=True
    )
    direct_debit = described(
        BooleanField(
            default=False,
            verbose_name=_("Lastschriften"),
            help_text=_("Braucht mit einer IBAN Mandatsreferenz und Datum."),
        ),
        listed=True,
        import_codes=ONE_IS_YES,
    )
    mandate_reference = described(
        CharField(max_length=35, null=True, verbose_name=_("Mandatsreferenz")),
        masked=True,
        right="bank",
        reason=True,
        listed=True,
    )
    mandate_date = described(
        DateField(null=True, verbose_name=_("Mandatsreferenz-Datum")), right="bank", reason=True, listed=True
    )
    sequence_type = described(
        CharField(
            max_length=20,
            choices=[
                ("0", _("Keine Angabe")),
                ("1", _("erste BL")),
                ("2", _("wiederkehrende BL")),
                ("3", _("erste FL")),
                ("4", _("wiederkehrende FL")),
                ("5", _("einmalige LS")),
            ],
            null=True,
            default="0",
            verbose_name=_("Sequenztyp LS"),
        ),
        right="bank",
    )
    phone = described(CharField(max_length=40, null=True, verbose_name=_("Telefon")), kind="phone")
    transfers = described(BooleanField(default=False, verbose_name=_("Überweisungen")), import_codes=ONE_IS_YES)
    currency = described(Reference(Currency, null=True, verbose_name=_("Währung")))

    class Meta:
        table_name = "bank_account"
        indexes = ((("customer", "sequence_number"), True),)

    rule_fields = ("direct_debit", "iban", "mandate_reference", "mandate_date")
    derive_fields = ("iban", "bank_name", "bic", "bank_code")
    remark_fields = ("iban", "bic")

    @classmethod
    def remarks(cls, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
        differing = differing_countries(values.get("iban"), values.get("bic"))
        if differing is not None:
            yield (
                "bic",
                gettext(
                    "Die Bank ist laut BIC in %(bank)s, das Konto laut IBAN in %(iban)s. Bitte beim Kunden nachfragen.",
                    bank=differing[1],
                    iban=differing[0],
                ),
            )

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        if values.get("direct_debit") and values.get("iban"):
            for name in ("mandate_reference", "mandate_date"):
                if values.get(name) is None:
                    yield missing(cls, name, gettext("Lastschriften mit IBAN brauchen Mandatsreferenz und Datum."))
        if not values.get("iban") and (values.get("mandate_reference") or values.get("mandate_date")):
            yield missing(cls, "iban", gettext("Ein Mandat gilt nur für ein Konto mit IBAN."))
        if values.get("mandate_date") is not None and values["mandate_date"] > today():
            yield fault(cls, "mandate_date", gettext("liegt in der Zukunft"), values["mandate_date"])

    @classmethod
    def prepare_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        numbers.give_running_numbers("bank_account", rows)
        if getattr(operation, "kind", "") not in ("form", "list", "import"):
            return
        for values in rows:
            values.update(cls.derive({}, values, operation))

    @classmethod
    def derive(cls, old: dict[str, Any], values: dict[str, Any], operation: Any) -> dict[str, Any]:
        """Another IBAN brings bank, BIC and sort code along, where nobody wrote others beside it."""
        if not values.get("iban") or values["iban"] == old.get("iban"):
            return {}
        free = [name for name in _OF_BANK if not values.get(name) or (old and values[name] == old.get(name))]
        bank = bank_of(values["iban"]) if free else None
        return {name: getattr(bank, _OF_BANK[name]) or None for name in free} if bank is not None else {}


#: Fields of a bank account -> what the IBAN gives them.
_OF_BANK = {"bank_name": "name", "bic": "bic", "bank_code": "code"}


class RunningNumber(Record):
    """The last number given to a customer's contacts, addresses or banks, so that none is given twice."""

    description = Description(
        label=_("Laufende Nummer"),
        plural=_("Laufende Nummern"),
        title=("entity", "last_number"),
        menu="",
        right="customer",
        order=("entity",),
    )

    customer = described(Reference(Customer, on_delete="CASCADE", verbose_name=_("Kunde")), copy="renew")
    entity = described(
        CharField(
            max_length=20,
            choices=[
                ("contact", many("Ansprechpartner", "Ansprechpartner")),
                ("address", _("Anschriften")),
                ("bank_account", _("Banken")),
            ],
            verbose_name=_("Tabelle"),
        ),
        listed=True,
        unique_with=("customer",),
    )
    last_number = described(
        IntegerField(default=0, verbose_name=_("letzte Lfd.Nr."), help_text=_("Die höchste je vergebene Nummer.")),
        read_only=True,
        listed=True,
        required=True,
    )

    class Meta:
        table_name = "running_number"
        indexes = ((("customer", "entity"), True),)


class CustomerCategory(Record):
    """A category of a customer; the order is kept, counted from 0."""

    description = Description(
        label=_("Kategorie des Kunden"),
        plural=_("Kategorien"),
        title=("category",),
        menu="",
        right="customer",
        order=("sequence_number",),
        assigns="category",
    )

    customer = described(
        ForeignKeyField(Customer, backref="categories", on_delete="CASCADE", index=False, verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    sequence_number = described(
        IntegerField(verbose_name=_("Lfd.Nr."), help_text=_("Reihenfolge der Kategorien, beginnend mit 0.")),
        minimum=0,
        listed=True,
        natural_key=True,
        unique_with=("customer",),
        required=False,
    )
    category = described(Reference(Category, verbose_name=_("Kategorie")), listed=True, unique_with=("customer",))

    class Meta:
        table_name = "customer_category"
        indexes = (
            (("customer", "sequence_number"), True),
            (("customer", "category"), True),
        )

    deleted_by = "category"
    position_field = "sequence_number"

    @classmethod
    def prepare_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        """Categories are counted from 0 and appended; other than addresses their numbers are given again."""
        numbers.append_positions(cls, "customer", "sequence_number", rows)


class CustomerDevice(Record):
    """A device that stands at the customer."""

    description = Description(
        label=_("Kunden-Gerät"), plural=_("Kunden-Geräte"), title=("article",), menu="", right="customer", order=("id",)
    )

    customer = described(
        ForeignKeyField(Customer, backref="devices", on_delete="CASCADE", verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    article = described(Reference(Article, index=True, verbose_name=_("Artikel - Nummer")), listed=True)
    ael_marker = described(
        CharField(
            max_length=20,
            choices=[("A", _("Artikel")), ("E", _("Ersatzteil"))],
            null=True,
            default="A",
            verbose_name=_("Kennzeichen AEL"),
        ),
        listed=True,
    )

    class Meta:
        table_name = "customer_device"


class ExportAccount(Record):
    """A revenue account of the accounting that applies to a customer from a day on."""

    description = Description(
        label=_("Konto für Export"),
        plural=_("Konten für Export"),
        title=("valid_from", "account"),
        menu="",
        right="customer",
        order=("tax", "valid_from"),
    )

    customer = described(
        ForeignKeyField(Customer, backref="export_accounts", on_delete="CASCADE", index=False, verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    valid_from = described(DateField(verbose_name=_("Gültig ab")), listed=True, unique_with=("customer", "tax"))
    account = described(CharField(max_length=20, verbose_name=_("Konto")), listed=True, personal="quasi")
    tax = described(
        CharField(
            max_length=20,
            choices=TAX_CODES,
            verbose_name=_("Steuer"),
            help_text=_("Die Steuersätze sind unter „Steuersätze“ angelegt."),
        ),
        listed=True,
    )

    class Meta:
        table_name = "export_account"
        indexes = ((("customer", "tax", "valid_from"), True),)

    rule_fields = ("tax",)

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        code = int(values.get("tax") or 0)
        number = code - 100 if code > 100 else code
        if number > 0 and not TaxRate.select().where(TaxRate.number == number).exists():
            yield fault(cls, "tax", gettext("Den Steuersatz %(number)s gibt es nicht.", number=number))


class PrintOption(Record):
    """How documents of a customer are sent and printed: at most one row per customer."""

    description = Description(
        label=_("Druckoption"), plural=_("Druckoptionen"), title=("customer",), menu="", right="customer", order=("id",)
    )

    customer = described(
        ForeignKeyField(Customer, backref="print_options", on_delete="CASCADE", unique=True, verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    address_1 = described(CharField(max_length=254, null=True, verbose_name=_("Adresse 1")))
    address_2 = described(CharField(max_length=254, null=True, verbose_name=_("Adresse 2")))
    print_manufacturer_number = described(
        BooleanField(default=False, verbose_name=_("Ausgabe Hersteller-Nr.")), import_codes=ONE_IS_YES
    )
    file_name_1 = described(CharField(max_length=255, null=True, verbose_name=_("Dateiname1")), personal="quasi")
    file_name_2 = described(CharField(max_length=255, null=True, verbose_name=_("Dateiname2")), personal="quasi")
    send_email = described(BooleanField(default=False, verbose_name=_("E-Mail")), listed=True)
    email_text = described(Reference(EmailText, null=True, verbose_name=_("E-Mail - Text Kennzeichen")))
    email_copy = described(
        BooleanField(default=False, verbose_name=_("E-Mail-Kopie(nicht Original)")), import_codes=ONE_IS_YES
    )
    format_1 = described(
        CharField(max_length=20, choices=DOCUMENT_FORMATS, null=True, default="0", verbose_name=_("Format1")),
        listed=True,
    )
    format_2 = described(
        CharField(max_length=20, choices=DOCUMENT_FORMATS, null=True, default="0", verbose_name=_("Format2")),
        listed=True,
    )
    credit_note_as_invoice = described(
        BooleanField(default=False, verbose_name=_("GS als RG mit negativen Pos.")), import_codes=ONE_IS_YES
    )
    no_tanss_pdf = described(
        BooleanField(default=False, verbose_name=_("kein TANSS-PDF drucken/senden")), import_codes=ONE_IS_YES
    )
    key_1 = described(
        CharField(
            max_length=60,
            null=True,
            verbose_name=_("Key 1"),
            help_text=_("Leitweg-ID; nötig für das Format XRechnung."),
        )
    )
    key_2 = described(
        CharField(
            max_length=60,
            null=True,
            verbose_name=_("Key 2"),
            help_text=_("Leitweg-ID; nötig für das Format XRechnung."),
        )
    )
    copy_instead_of_original = described(
        BooleanField(default=False, verbose_name=_("Kopie statt Original")), import_codes=ONE_IS_YES
    )
    short_form = described(BooleanField(default=False, verbose_name=_("Kurzform")), import_codes=ONE_IS_YES)
    no_print = described(BooleanField(default=False, verbose_name=_("nicht drucken")), listed=True)
    transport_1 = described(
        CharField(max_length=20, choices=TRANSPORTS, null=True, verbose_name=_("Transportweg1")), listed=True
    )
    transport_1_copy = described(
        BooleanField(default=False, verbose_name=_("Transportweg1-Kopie(nicht Original)")), import_codes=ONE_IS_YES
    )
    transport_2 = described(
        CharField(max_length=20, choices=TRANSPORTS, null=True, verbose_name=_("Transportweg2")), listed=True
    )
    transport_2_copy = described(
        BooleanField(default=False, verbose_name=_("Transportweg2-Kopie(nicht Original)")), import_codes=ONE_IS_YES
    )

    class Meta:
        table_name = "print_option"

    rule_fields = ("format_1", "key_1", "format_2", "key_2")

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        for form, key in (("format_1", "key_1"), ("format_2", "key_2")):
            if values.get(form) == "5" and not values.get(key):
                yield missing(cls, key, gettext("Das Format XRechnung braucht den Key (Leitweg-ID)."))


class CustomerCard(Record):
    """A card that identifies the customer at the till."""

    description = Description(
        label=_("Kundenkarte"),
        plural=_("Kundenkarten"),
        title=("card_number",),
        menu="",
        right="customer",
        order=("card_number",),
    )

    customer = described(
        ForeignKeyField(Customer, backref="cards", on_delete="CASCADE", verbose_name=_("Kunde")),
        owner=True,
        copy="clear",
    )
    card_number = described(
        CharField(
            max_length=30,
            unique=True,
            verbose_name=_("Kundenkarten-Nr."),
            help_text=_("Darf von der Kunden-Nr. abweichen."),
        ),
        copy="clear",
        searchable=True,
        listed=True,
        natural_key=True,
    )
    card_type = described(Reference(CardType, verbose_name=_("Kundenkartentyp")), copy="clear", listed=True)
    valid_from = described(DateField(null=True, verbose_name=_("Gültigkeitszeitraum (von)")), copy="clear", listed=True)
    valid_until = described(
        DateField(null=True, verbose_name=_("Gültigkeitszeitraum (bis)")), copy="clear", listed=True
    )

    class Meta:
        table_name = "customer_card"

    rule_fields = ("valid_from", "valid_until")
    unique_messages = {"card_number": _("Diese Kundenkarten-Nr. ist bereits vergeben")}

    @classmethod
    def propose_many(cls, rows: list[dict[str, Any]], operation: Any) -> None:
        """Files of the head office name no type: cards that they bring are Wincards (NE-65)."""
        if getattr(operation, "kind", "") != "import" or all(row.get("card_type") is not None for row in rows):
            return
        wincards = [key for (key,) in CardType.select(CardType.id).where(CardType.is_wincard).limit(2).tuples()]
        for row in rows:
            if row.get("card_type") is None and len(wincards) == 1:
                row["card_type"] = wincards[0]

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        yield from ends_before_start(cls, values, "valid_from", "valid_until")


class CustomerArticleNumber(Record):
    """The number and designations a customer uses for an article of ours."""

    description = Description(
        label=_("Kundenspezifische Artikelnummer"),
        plural=_("Kundenspezifische Artikelnummern"),
        title=("customer_article_number",),
        menu="",
        right="customer",
        order=("customer_article_number",),
    )

    customer = described(
        ForeignKeyField(Customer, backref="article_numbers", on_delete="CASCADE", index=False, verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    article = described(
        Reference(Article, index=True, verbose_name=_("Artikel")), listed=True, unique_with=("customer",)
    )
    customer_article_number = described(
        CharField(max_length=40, verbose_name=_("kundenspezifische Artikelnummer")),
        searchable=True,
        listed=True,
        unique_with=("customer",),
        personal="quasi",
    )
    designation_1 = described(
        CharField(
            max_length=80,
            null=True,
            verbose_name=_("kundenspezifische Bezeichnung 1"),
            help_text=_("Leer: Es gilt die Bezeichnung des Artikels."),
        ),
        listed=True,
        personal="quasi",
    )
    designation_2 = described(
        CharField(max_length=80, null=True, verbose_name=_("kundenspezifische Bezeichnung 2")),
        listed=True,
        personal="quasi",
    )
    designation_3 = described(
        CharField(max_length=80, null=True, verbose_name=_("kundenspezifische Bezeichnung 3")), personal="quasi"
    )
    designation_4 = described(
        CharField(max_length=80, null=True, verbose_name=_("kundenspezifische Bezeichnung 4")), personal="quasi"
    )
    designation_5 = described(
        CharField(max_length=80, null=True, verbose_name=_("kundenspezifische Bezeichnung 5")), personal="quasi"
    )
    designation_6 = described(
        CharField(max_length=80, null=True, verbose_name=_("kundenspezifische Bezeichnung 6")), personal="quasi"
    )
    designation_7 = described(
        CharField(max_length=80, null=True, verbose_name=_("kundenspezifische Bezeichnung 7")), personal="quasi"
    )
    designation_8 = described(
        CharField(max_length=80, null=True, verbose_name=_("kundenspezifische Bezeichnung 8")), personal="quasi"
    )
    designation_9 = described(
        CharField(max_length=80, null=True, verbose_name=_("kundenspezifische Bezeichnung 9")), personal="quasi"
    )

    class Meta:
        table_name = "customer_article_number"
        indexes = (
            (("customer", "article"), True),
            (("customer", "customer_article_number"), True),
        )


class RepairAgreement(Record):
    """What was agreed with a customer about repairs of an article."""

    description = Description(
        label=_("Sondervereinbarung Reparaturkosten"),
        plural=_("Sondervereinbarungen Reparaturkosten"),
        title=("article",),
        menu="",
        right="customer",
        order=("id",),
    )

    customer = described(
        ForeignKeyField(
            Customer, backref="repair_agreements", on_delete="CASCADE", index=False, verbose_name=_("Kunde")
        ),
        owner=True,
        copy="renew",
    )
    article = described(
        Reference(Article, index=True, verbose_name=_("Artikel")), listed=True, unique_with=("customer",)
    )
    maintenance_kind = described(
        CharField(max_length=60, null=True, verbose_name=_("Art der Wartungsvereinbarung")),
        listed=True,
        personal="quasi",
    )
    priority_handling = described(
        CharField(max_length=60, null=True, verbose_name=_("Prioritätsbehandlung")),
        listed=True,
        personal="quasi",
    )
    scrapping_procedure = described(
        CharField(max_length=120, null=True, verbose_name=_("Vorgangsweise beim Verwurf")),
        listed=True,
        personal="quasi",
    )

    class Meta:
        table_name = "repair_agreement"
        indexes = ((("customer", "article"), True),)


class PrintProfileAssignment(Record):
    """Which print profile applies to a kind of document of a customer."""

    description = Description(
        label=_("Druckprofil des Kunden"),
        plural=_("Druckprofile des Kunden"),
        title=("document_type", "print_profile"),
        menu="",
        right="customer",
        order=("document_type",),
    )

    customer = described(
        ForeignKeyField(Customer, backref="print_profiles", on_delete="CASCADE", index=False, verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    document_type = described(
        Reference(DocumentType, verbose_name=_("Dokumentenart")), listed=True, unique_with=("customer",)
    )
    print_profile = described(
        Reference(
            PrintProfile, null=True, verbose_name=_("Druckprofil"), help_text=_("Leer: Es gilt das Profil „Default“.")
        ),
        listed=True,
    )

    class Meta:
        table_name = "print_profile_assignment"
        indexes = ((("customer", "document_type"), True),)


class MailingCriterion(Record):
    """A criterion by which mailings choose customers."""

    description = Description(
        label=_("Mailing-Merkmal"),
        plural=_("Mailing-Merkmale"),
        title=("criterion",),
        menu="",
        right="customer",
        order=("criterion",),
        assigns="criterion",
    )

    customer = described(
        ForeignKeyField(
            Customer, backref="mailing_criteria", on_delete="CASCADE", index=False, verbose_name=_("Kunde")
        ),
        owner=True,
        copy="renew",
    )
    criterion = described(
        CharField(max_length=60, verbose_name=_("Mailing-Merkmal")),
        aliases=("Mailingkriterium",),
        listed=True,
        unique_with=("customer",),
        personal="quasi",
    )

    class Meta:
        table_name = "mailing_criterion"
        indexes = ((("customer", "criterion"), True),)


class MailingActivity(Record):
    """A mail or call in the course of a mailing."""

    description = Description(
        label=_("Mailing-Aktivität"),
        plural=_("Mailing-Aktivitäten"),
        title=("kind", "activity_on"),
        menu="",
        right="customer",
        order=("activity_on",),
    )

    customer = described(
        ForeignKeyField(Customer, backref="mailing_activities", on_delete="CASCADE", verbose_name=_("Kunde")),
        owner=True,
        copy="clear",
    )
    kind = described(
        CharField(
            max_length=20, choices=[("mail", _("Mail")), ("call", _("Call"))], verbose_name=_("Mailing-Aktivität")
        ),
        copy="clear",
        listed=True,
    )
    activity_on = described(DateField(verbose_name=_("Datum")), copy="clear", listed=True)
    text = described(TextField(null=True, verbose_name=_("Text")), copy="clear", listed=True)

    class Meta:
        table_name = "mailing_activity"


class CustomerTraitAssignment(Record):
    """A trait that was given to a customer."""

    description = Description(
        label=_("Kundenmerkmal des Kunden"),
        plural=_("Kundenmerkmale des Kunden"),
        title=("customer_trait",),
        menu="",
        right="customer",
        order=("customer_trait",),
        assigns="customer_trait",
    )

    customer = described(
        ForeignKeyField(
            Customer, backref="trait_assignments", on_delete="CASCADE", index=False, verbose_name=_("Kunde")
        ),
        owner=True,
        copy="renew",
    )
    customer_trait = described(
        Reference(CustomerTrait, verbose_name=_("Kundenmerkmal")), listed=True, unique_with=("customer",)
    )

    class Meta:
        table_name = "customer_trait_assignment"
        indexes = ((("customer", "customer_trait"), True),)


class SupplierAssignment(Record):
    """A supplier whose goods the customer buys; not the supplier that a customer is."""

    description = Description(
        label=_("Lieferantenzuordnung"),
        plural=_("Lieferantenzuordnungen"),
        title=("supplier",),
        menu="",
        right="customer",
        order=("supplier",),
        assigns="supplier",
    )

    customer = described(
        ForeignKeyField(
            Customer, backref="supplier_assignments", on_delete="CASCADE", index=False, verbose_name=_("Kunde")
        ),
        owner=True,
        copy="renew",
    )
    supplier = described(
        Reference(Supplier, index=True, verbose_name=_("Lieferant")), listed=True, unique_with=("customer",)
    )

    class Meta:
        table_name = "supplier_assignment"
        indexes = ((("customer", "supplier"), True),)


class CustomerUser(Record):
    """A person of the customer who signs in to the customer area."""

    description = Description(
        label=_("Kundenbenutzer"),
        plural=many("Kundenbenutzer", "Kundenbenutzer"),
        title=("username",),
        menu="",
        right="customer",
        order=("username",),
    )

    customer = described(
        ForeignKeyField(Customer, backref="users", on_delete="CASCADE", index=False, verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    username = described(
        CharField(max_length=64, verbose_name=_("Benutzername")),
        searchable=True,
        listed=True,
        unique_with=("customer",),
    )
    password_hash = described(
        CharField(
            max_length=255,
            null=True,
            verbose_name=_("Passwort"),
            help_text=_("Leer: keine eigene Anmeldung. Kann gesetzt, aber nicht gelesen werden."),
        ),
        secret=True,
        kind="password",
    )
    is_administrator = described(BooleanField(default=False, verbose_name=_("Administrator")), listed=True)

    class Meta:
        table_name = "customer_user"
        indexes = ((("customer", "username"), True),)

    rule_fields = ("customer", "username", "is_administrator")
    unique_messages = {"username": _("Diesen Benutzernamen gibt es bei diesem Kunden schon.")}

    @classmethod
    def settle(cls, turns: list[Any], operation: Any) -> Iterator[FieldError]:
        """The last administrator of a So.PROCURE customer stays (SC-18); with the customer itself all users go."""
        lost = [
            turn
            for turn in turns
            if turn.old.get("is_administrator") and (turn.new is None or not turn.new["is_administrator"])
        ]
        owners = {turn.old["customer"] for turn in lost}
        if not owners:
            return
        query = Customer.select(Customer.id).where(Customer.id << list(owners), Customer.portal_type == "so_procure")
        bound = {row[0] for row in query.tuples()}
        remaining = cls.select(cls.customer).where(cls.customer << list(bound), cls.is_administrator)
        without = bound - {row[0] for row in remaining.tuples()}
        for turn in lost:
            if turn.old["customer"] in without:
                without.remove(turn.old["customer"])
                broken = fault(
                    cls,
                    "is_administrator" if turn.new is not None else "username",
                    gettext("ist der letzte Administrator dieses So.PROCURE Kunden und bleibt."),
                    turn.old.get("username"),
                    gettext("Bitte erst einen anderen Administrator anlegen."),
                )
                broken.place = turn.place
                yield broken


class CostCentre(Record):
    """A cost centre of the customer."""

    description = Description(
        label=_("Kostenstelle"),
        plural=_("Kostenstellen"),
        title=("number", "name"),
        menu="",
        right="customer",
        order=("number",),
    )

    customer = described(
        ForeignKeyField(Customer, backref="cost_centres", on_delete="CASCADE", index=False, verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    number = described(
        CharField(max_length=20, verbose_name=_("Kostenstelle")),
        listed=True,
        unique_with=("customer",),
        personal="quasi",
    )
    name = described(CharField(max_length=60, null=True, verbose_name=_("Bezeichnung")), listed=True, personal="quasi")

    class Meta:
        table_name = "cost_centre"
        indexes = ((("customer", "number"), True),)


class ImportSchedule(Record):
    """An import that is planned for the customer."""

    description = Description(
        label=_("Importplanung"),
        plural=_("Importplanungen"),
        title=("import_schema", "interval"),
        menu="",
        right="customer",
        order=("id",),
    )

    customer = described(
        ForeignKeyField(Customer, backref="import_schedules", on_delete="CASCADE", verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    import_schema = described(Reference(ImportSchema, verbose_name=_("Importplanung")), listed=True)
    interval = described(CharField(max_length=60, null=True, verbose_name=_("Turnus")), listed=True, personal="quasi")
    next_run_at = described(DateTimeField(null=True, verbose_name=_("nächster Lauf")), listed=True)

    class Meta:
        table_name = "import_schedule"


class PersonalAssortment(Record):
    """An article in a personal assortment of the customer."""

    description = Description(
        label=_("Persönliches Sortiment"),
        plural=_("Persönliche Sortimente"),
        title=("name", "article"),
        menu="",
        right="customer",
        order=("name",),
    )

    customer = described(
        ForeignKeyField(Customer, backref="personal_assortments", on_delete="CASCADE", verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    name = described(CharField(max_length=60, verbose_name=_("Persönliches Sortiment")), listed=True, personal="quasi")
    catalog = described(
        Reference(Catalog, index=True, verbose_name=_("Katalog")), aliases=("Quellkatalog", "Zielkatalog"), listed=True
    )
    article = described(Reference(Article, index=True, verbose_name=_("Artikel")), listed=True)

    class Meta:
        table_name = "personal_assortment"


class ShoppingCart(Record):
    """An article in a cart of the customer."""

    description = Description(
        label=_("Warenkorb"),
        plural=_("Warenkörbe"),
        title=("name", "article", "quantity"),
        menu="",
        right="customer",
        order=("name",),
    )

    customer = described(
        ForeignKeyField(Customer, backref="shopping_carts", on_delete="CASCADE", verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    name = described(CharField(max_length=60, verbose_name=_("Warenkorb")), listed=True, personal="quasi")
    catalog = described(
        Reference(Catalog, index=True, verbose_name=_("Katalog")), aliases=("Quellkatalog", "Zielkatalog"), listed=True
    )
    article = described(Reference(Article, index=True, verbose_name=_("Artikel")), listed=True)
    quantity = described(
        DecimalField(12, 3, null=True, default=Decimal(1), verbose_name=_("Menge")),
        minimum=Decimal("0.001"),
        listed=True,
    )

    class Meta:
        table_name = "shopping_cart"


class CatalogAssignment(Record):
    """A catalogue, price list or other assortment that a partner customer sees."""

    customer = described(
        ForeignKeyField(Customer, backref="catalog_assignments", on_delete="CASCADE", verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    kind = described(
        CharField(
            max_length=20,
            choices=[
                ("catalog", _("Katalog")),
                ("price_list", _("Preisliste")),
                ("other", _("weitere Sortimentsdaten")),
            ],
            verbose_name=_("Art der Sortimentsdaten"),
        ),
        listed=True,
    )
    catalog = described(Reference(Catalog, index=True, null=True, verbose_name=_("zugewiesene Kataloge")), listed=True)
    price_list = described(Reference(PriceList, null=True, verbose_name=_("zugewiesene Preislisten")), listed=True)
    description = described(
        CharField(max_length=120, null=True, verbose_name=_("weitere Sortimentsdaten")),
        listed=True,
        personal="quasi",
    )

    class Meta:
        table_name = "catalog_assignment"
        # The table has a column of the name `description`, so the words about the model stand here.
        description = Description(
            label=_("Sortimentszuweisung"),
            plural=_("Sortimentszuweisungen"),
            title=("kind",),
            menu="",
            right="customer",
            order=("kind",),
        )

    rule_fields = ("kind", "catalog", "price_list", "description")

    @classmethod
    def validate(cls, values: dict[str, Any], operation: Any) -> Iterator[FieldError]:
        needed = {"catalog": "catalog", "price_list": "price_list", "other": "description"}.get(
            values.get("kind") or ""
        )
        if needed and values.get(needed) is None:
            yield missing(cls, needed, gettext("Für diese Art der Sortimentsdaten ist die Angabe nötig."))


class Document(Record):
    """A file that was put beside the customer."""

    description = Description(
        label=_("Dokument"),
        plural=_("Dokumente"),
        title=("file_name",),
        menu="",
        right="customer",
        order=("-uploaded_at",),
    )

    customer = described(
        ForeignKeyField(Customer, backref="documents", on_delete="CASCADE", verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    file_name = described(CharField(max_length=255, verbose_name=_("Dateiname")), searchable=True, listed=True)
    kind = described(
        CharField(
            max_length=20,
            choices=[
                ("contract", _("Vertrag")),
                ("direct_debit_mandate", _("Einzugsermächtigung")),
                ("card_application", _("Kundenkartenantrag")),
                ("other", _("sonstiges")),
            ],
            null=True,
            verbose_name=_("Art des Dokuments"),
        ),
        listed=True,
    )
    #: A copied customer leads to the same files, which never change: the name of the file and a word behind it.
    storage_name = described(
        CharField(max_length=255, verbose_name=_("Ablage")), copy="renew", read_only=True, internal=True
    )
    uploaded_at = described(
        DateTimeField(default=utcnow, verbose_name=_("Datum")), read_only=True, listed=True, required=True
    )
    uploaded_by = described(Reference(User, null=True, verbose_name=_("Benutzer")), read_only=True, listed=True)
    size_bytes = described(
        IntegerField(verbose_name=_("Größe (Byte)"), help_text=_("Höchstens 20 MB.")),
        unit="Byte",
        minimum=1,
        maximum=20971520,
        read_only=True,
        listed=True,
    )

    class Meta:
        table_name = "document"


class Communication(Record):
    """A talk with the customer."""

    description = Description(
        label=_("Kommunikation"),
        plural=_("Kommunikation"),
        title=("contacted_on", "topic"),
        menu="",
        right="customer",
        order=("-contacted_on",),
    )

    customer = described(
        ForeignKeyField(Customer, backref="communications", on_delete="CASCADE", verbose_name=_("Kunde")),
        owner=True,
        copy="clear",
    )
    contacted_on = described(
        DateField(default=today, verbose_name=_("Datum der Kontaktaufnahme")), copy="clear", listed=True, required=True
    )
    channel = described(
        CharField(
            max_length=20,
            choices=[("phone", _("Telefon")), ("email", _("Email")), ("other", _("sonstige"))],
            verbose_name=_("Art der Kontaktaufnahme"),
        ),
        copy="clear",
        listed=True,
    )
    topic = described(CharField(max_length=255, verbose_name=_("Thema")), copy="clear", searchable=True, listed=True)
    sales_order = described(
        Reference(SalesOrder, index=True, null=True, verbose_name=_("Auftrag")), copy="clear", listed=True
    )
    delivery_note = described(
        Reference(DeliveryNote, index=True, null=True, verbose_name=_("Lieferschein")), copy="clear", listed=True
    )
    invoice = described(
        Reference(Invoice, index=True, null=True, verbose_name=_("Rechnung")), copy="clear", listed=True
    )
    goods_request = described(
        Reference(GoodsRequest, index=True, null=True, verbose_name=_("Warenanforderung")), copy="clear", listed=True
    )

    class Meta:
        table_name = "communication"


class Note(Record):
    """A free note about the customer."""

    description = Description(
        label=_("Notiz"), plural=_("Notizen"), title=("text",), menu="", right="customer", order=("-id",)
    )

    customer = described(
        ForeignKeyField(Customer, backref="notes", on_delete="CASCADE", verbose_name=_("Kunde")),
        owner=True,
        copy="renew",
    )
    text = described(TextField(verbose_name=_("Notiz")), listed=True)

    class Meta:
        table_name = "note"


class PromotionParticipation(Record):
    """A promotion in which the customer took part."""

    description = Description(
        label=_("Aktionsteilnahme"),
        plural=_("Aktionsteilnahmen"),
        title=("promotion",),
        menu="",
        right="customer",
        order=("-id",),
    )

    customer = described(
        ForeignKeyField(
            Customer, backref="promotion_participations", on_delete="CASCADE", index=False, verbose_name=_("Kunde")
        ),
        owner=True,
        copy="clear",
    )
    promotion = described(
        Reference(Promotion, index=True, verbose_name=_("Aktion")), copy="clear", listed=True, unique_with=("customer",)
    )
    return_on = described(DateField(null=True, verbose_name=_("Rücklaufdatum")), copy="clear", listed=True)
    return_branch = described(
        Reference(Branch, null=True, verbose_name=_("Rücklauf in Filiale")), copy="clear", listed=True
    )
    turnover_quantity = described(
        DecimalField(12, 3, null=True, verbose_name=_("Umsatz (Stück)")), copy="clear", listed=True
    )
    turnover_amount = described(
        DecimalField(14, 2, null=True, verbose_name=_("Umsatz (€)")), unit="€", copy="clear", listed=True
    )

    class Meta:
        table_name = "promotion_participation"
        indexes = ((("customer", "promotion"), True),)


class SalesCondition(Record):
    """A special price or discount of the customer for an article."""

    description = Description(
        label=_("Verkaufskondition"),
        plural=_("Verkaufskonditionen"),
        title=("article",),
        menu="",
        right="customer",
        order=("id",),
    )

    customer = described(
        ForeignKeyField(
            Customer, backref="sales_conditions", on_delete="CASCADE", index=False, verbose_name=_("Kunde")
        ),
        owner=True,
        copy="renew",
    )
    article = described(
        Reference(Article, index=True, verbose_name=_("Artikel")), listed=True, unique_with=("customer",)
    )
    special_price = described(DecimalField(14, 4, null=True, verbose_name=_("Sonderpreis")), listed=True)
    discount_amount = described(DecimalField(14, 4, null=True, verbose_name=_("Rabattbetrag")), listed=True)
    discount_percent = described(
        DecimalField(5, 2, null=True, verbose_name=_("Rabatt in Prozent")),
        unit="%",
        minimum=0,
        maximum=100,
        listed=True,
    )

    class Meta:
        table_name = "sales_condition"
        indexes = ((("customer", "article"), True),)


class GraduatedDiscount(Record):
    """A discount on an article from a quantity on, for one customer or for all."""

    description = Description(
        label=_("Staffelrabatt"),
        plural=_("Staffelrabatte"),
        title=("article", "min_quantity"),
        menu="catalog",
        right="customer",
        order=("article", "min_quantity"),
    )

    customer = described(
        ForeignKeyField(
            Customer,
            backref="graduated_discounts",
            on_delete="CASCADE",
            index=False,
            null=True,
            verbose_name=_("Kunde"),
            help_text=_("Leer: gilt für alle Kunden."),
        ),
        owner=True,
        copy="renew",
    )
    article = described(Reference(Article, index=True, verbose_name=_("Artikel")), listed=True)
    min_quantity = described(
        DecimalField(12, 3, default=Decimal(1), verbose_name=_("ab Menge")),
        minimum=Decimal("0.001"),
        listed=True,
        unique_with=("customer", "article"),
        required=True,
    )
    discount_percent = described(
        DecimalField(5, 2, verbose_name=_("Staffelrabatt")), unit="%", minimum=0, maximum=100, listed=True
    )

    class Meta:
        table_name = "graduated_discount"
        indexes = ((("customer", "article", "min_quantity"), True),)


# Sparse columns of the wide table: the index holds only the rows where they are filled.
for _name in (
    "debtor_account",
    "address_number",
    "external_customer_id",
    "external_address_id",
    "email",
    "phone",
    "vat_id_code",
    *Customer.CUSTOMER_LINKS,
    *Customer.OWN_ADDRESSES,
):
    _column = Customer._meta.fields[_name]
    Customer.add_index(Customer.index(_column, where=_column.is_null(False)))


# --- what new records get ---------------------------------------------------------------------------------------------


def search_name_of(values: dict[str, Any]) -> str | None:
    """Name 1 (or Name 2), a blank and the city, cut to 30 characters (PX-62): "Huber", "Graz" -> "Huber Graz"."""
    name = values.get("name_1") or values.get("name_2") or ""
    return " ".join(part for part in (name, values.get("city") or "") if part)[:30].rstrip() or None


def _vat_rule(rows: list[dict[str, Any]]) -> set[int]:
    """The countries whose new customers without VAT id become liable to VAT (PX-63, PX-64)."""
    asked = {values["country"] for values in rows if values.get("country") is not None}
    setting = current_setting() if asked else None
    if setting is None or setting.own_country_id is None:
        return set()
    query = Country.select(Country.id).where(Country.is_eu, Country.id << [*asked, setting.own_country_id])
    union = {row[0] for row in query.tuples()}
    return union & asked if setting.own_country_id in union else set()


def _country_codes(operation: Any) -> set[str]:
    """The codes of all countries, asked once for each operation."""
    memory = getattr(operation, "memory", {})
    if "country codes" not in memory:
        memory["country codes"] = {row[0] for row in Country.select(Country.code).tuples()}
    found: set[str] = memory["country codes"]
    return found


def _without_bare_prefixes(old: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Phones in which nothing but the proposed prefix stands are empty."""
    found: dict[str, Any] = {}
    for name in ("phone", "fax"):
        text = values.get(name)
        if text and text != old.get(name) and text.startswith("+") and len(text) <= 12:
            places = places_of(values.get("country"), values.get("postal_code"))
            if text.strip() in {place.prefix for place in places} or text.strip() == prefix_of(places, None):
                found[name] = None
    return found


#: What a new customer or address takes over of an address that is stored already (ME-22, ME-106).
_ADDRESS_OF_NUMBER = ("name_1", "name_2", "name_3", "street", "country", "postal_code", "city")


def _take_addresses(rows: list[dict[str, Any]], operation: Any) -> None:
    """New rows of a file with an address number get that address, as far as the file does not say otherwise."""
    wanted = sorted({values["address_number"] for values in rows if values.get("address_number") is not None})
    if not wanted:
        return
    found: dict[int, dict[str, Any]] = {}
    for model in (Address, Customer):
        columns = [model._meta.fields[name] for name in _ADDRESS_OF_NUMBER]
        for start in range(0, len(wanted), 500):
            query = model.select(model.address_number, *columns).where(
                model.address_number << wanted[start : start + 500]
            )
            for row in query.order_by(model.id.desc()).tuples():
                found[row[0]] = dict(zip(_ADDRESS_OF_NUMBER, row[1:], strict=True))
    unknown = operation.memory.setdefault("unknown address numbers", set())
    unknown |= set(wanted) - set(found)
    for values in rows:
        for name, value in found.get(values.get("address_number") or 0, {}).items():
            if values.get(name) is None:
                values[name] = value


def _unknown_address_numbers(operation: Any) -> set[int]:
    found: set[int] = getattr(operation, "memory", {}).get("unknown address numbers", set())
    return found


def _foreign_addresses(
    model: Any, values: dict[str, Any], customer: int | None, names: tuple[str, ...]
) -> Iterator[FieldError]:
    """Complains about references to addresses that belong to another customer."""
    wanted = {name: values[name] for name in names if values.get(name) is not None}
    if not wanted:
        return
    own = Address.select(Address.id).where(Address.id << list(wanted.values()), Address.customer == customer)
    keys = {row[0] for row in own.tuples()}
    for name, key in wanted.items():
        if key not in keys:
            yield fault(model, name, gettext("Diese Anschrift gehört nicht zu diesem Kunden."))


#: All tables of Kontor in the order in which they are created; those of the layer come before.
MODELS = (
    Country,
    Currency,
    Language,
    Salutation,
    Category,
    CustomerKind1,
    CustomerKind2,
    CustomerKind3,
    CustomerTrait,
    Orientation,
    Authorization,
    Organization,
    Specialization,
    Structure,
    CompanyType,
    ContactFunction,
    ContactSpecialization,
    ShippingMethod,
    PaymentTerm,
    DeliveryTerm,
    Territory,
    BusinessUnit,
    OrganizationUnit,
    Tenant,
    DiscountType,
    EmailText,
    Cooperation,
    PriceType,
    Project,
    CollectivePriority,
    Intermediary,
    Tour,
    DeliveryZone,
    OwnBank,
    Branch,
    CardType,
    DocumentType,
    TaxKey,
    TaxRate,
    RevenueCode,
    PostalCode,
    Employee,
    PrintProfile,
    Supplier,
    Article,
    ArticlePrice,
    Catalog,
    CatalogArticle,
    PriceList,
    Warehouse,
    Setting,
    Customer,
    Address,
    Contact,
    BankAccount,
    RunningNumber,
    CustomerCard,
    NumberRange,
    NumberReservation,
    Connection,
    Promotion,
    TillReceipt,
    TillReceiptItem,
    TillPayment,
    TillCustomerFeed,
    BonusSettlement,
    BonusSettlementItem,
    SalesOrder,
    SalesOrderItem,
    DeliveryNote,
    DeliveryNoteItem,
    InvoiceRun,
    Invoice,
    InvoiceItem,
    Payment,
    CreditNote,
    CreditNoteItem,
    DunningRun,
    Reminder,
    GoodsRequest,
    CustomerReturn,
    CustomerReturnItem,
    RepairOrder,
    RepairOrderItem,
    PurchaseInvoice,
    PurchaseInvoiceItem,
    StockMovement,
    Outbox,
    AccountEntry,
    AccountingTransfer,
    AccountingPosting,
    BusinessYear,
    RevenueFact,
    CustomerCategory,
    CustomerDevice,
    ExportAccount,
    PrintOption,
    CustomerArticleNumber,
    RepairAgreement,
    PrintProfileAssignment,
    MailingCriterion,
    MailingActivity,
    CustomerTraitAssignment,
    SupplierAssignment,
    CustomerUser,
    CostCentre,
    ImportSchedule,
    PersonalAssortment,
    ShoppingCart,
    CatalogAssignment,
    Document,
    Communication,
    Note,
    PromotionParticipation,
    SalesCondition,
    GraduatedDiscount,
)

__all__ = [
    "CUSTOMER_TABS",
    "MODELS",
    "AccountEntry",
    "AccountingPosting",
    "AccountingTransfer",
    "Address",
    "Article",
    "ArticlePrice",
    "Authorization",
    "BankAccount",
    "BonusSettlement",
    "BonusSettlementItem",
    "Branch",
    "BusinessUnit",
    "BusinessYear",
    "CardType",
    "Catalog",
    "CatalogArticle",
    "CatalogAssignment",
    "Category",
    "CollectivePriority",
    "Communication",
    "CompanyType",
    "Connection",
    "Contact",
    "ContactFunction",
    "ContactSpecialization",
    "Cooperation",
    "CostCentre",
    "Country",
    "CreditNote",
    "CreditNoteItem",
    "Currency",
    "Customer",
    "CustomerArticleNumber",
    "CustomerCard",
    "CustomerCategory",
    "CustomerDevice",
    "CustomerKind1",
    "CustomerKind2",
    "CustomerKind3",
    "CustomerReturn",
    "CustomerReturnItem",
    "CustomerTrait",
    "CustomerTraitAssignment",
    "CustomerUser",
    "DeliveryNote",
    "DeliveryNoteItem",
    "DeliveryTerm",
    "DeliveryZone",
    "DiscountType",
    "Document",
    "DocumentType",
    "DunningRun",
    "EmailText",
    "Employee",
    "ExportAccount",
    "GoodsRequest",
    "GraduatedDiscount",
    "ImportSchedule",
    "Intermediary",
    "Invoice",
    "InvoiceItem",
    "InvoiceRun",
    "Language",
    "MailingActivity",
    "MailingCriterion",
    "Note",
    "NumberRange",
    "NumberReservation",
    "Organization",
    "OrganizationUnit",
    "Orientation",
    "Outbox",
    "OwnBank",
    "Payment",
    "PaymentTerm",
    "PersonalAssortment",
    "PostalCode",
    "PriceList",
    "PriceType",
    "PrintOption",
    "PrintProfile",
    "PrintProfileAssignment",
    "Project",
    "Promotion",
    "PromotionParticipation",
    "PurchaseInvoice",
    "PurchaseInvoiceItem",
    "Reminder",
    "RepairAgreement",
    "RepairOrder",
    "RepairOrderItem",
    "RevenueCode",
    "RevenueFact",
    "RunningNumber",
    "SalesCondition",
    "SalesOrder",
    "SalesOrderItem",
    "Salutation",
    "Setting",
    "ShippingMethod",
    "ShoppingCart",
    "Specialization",
    "StockMovement",
    "Structure",
    "Supplier",
    "SupplierAssignment",
    "TaxKey",
    "TaxRate",
    "Tenant",
    "Territory",
    "TillCustomerFeed",
    "TillPayment",
    "TillReceipt",
    "TillReceiptItem",
    "Tour",
    "Warehouse",
    "search_name_of",
]

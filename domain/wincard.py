"""„Wincard-Kundendaten-Import“: the mapping for files of the LWS head office, and the type their cards get.

Shape: an Importschema like those that operators keep: rows find their customer by the card number, unknown numbers
become new customers with that card. Headings that a file lacks are passed over.
Source: NE-65, NE-66.
"""

from __future__ import annotations

from flask_appadmin.changes import ChangeSet
from flask_appadmin.history import ChangeRecord
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import system_operator
from flask_appadmin.sheets.sessions import ImportSchema, ImportSchemaField

SCHEMA = "Wincard-Kundendaten-Import"
KEY = "customer_card.card_number"

#: Heading of the file -> target.
COLUMNS = {
    "Kartennummer": KEY, "Gültig von": "customer_card.valid_from",
    "Gültig bis": "customer_card.valid_until", "Name 1": "name_1", "Name 2": "name_2", "Straße": "street",
    "PLZ": "postal_code", "Ort": "city", "Land": "country", "Telefon": "phone",
    "E-Mail": "email", "Werbung Post": "consent_post",
    "Werbung E-Mail": "consent_email", "Werbung Telefon": "consent_phone", "Werbung SMS": "consent_sms",
    "Werbung Fax": "consent_fax",
}  # fmt: skip


def make_schema() -> int:
    """Puts the mapping into a database that never had it; answers how many were made. One that was deleted stays so."""
    known = ImportSchema.select().where(ImportSchema.name == SCHEMA).exists()
    made = ChangeRecord.select().where(ChangeRecord.entity == "import_schema", ChangeRecord.record_title == SCHEMA)
    if known or made.exists():
        return 0
    change = ChangeSet("setup", title=gettext("Importschema %(name)s", name=SCHEMA))
    values = {"name": SCHEMA, "entity": "customer", "import_mode": "both", "key_field": KEY}
    schema = change.create(ImportSchema, values)
    for heading, target in COLUMNS.items():
        change.create(ImportSchemaField, {"import_schema": schema, "source_column": heading, "target": target})
    change.apply(system_operator("Kontor"))
    return 1


__all__ = ["COLUMNS", "KEY", "SCHEMA", "make_schema"]

"""Codes that several tables share: what is stored, and the words operators read for it.

Shape: lists of (code, word), as Peewee's `choices` takes them. The codes are those of the import files.
Source: fields.tsv; ME-51 to ME-137.
"""

from __future__ import annotations

from flask_appadmin.i18n import _, gettext

#: In which form a document is sent.
DOCUMENT_FORMATS = [
    ("0", _("PDF")),
    ("1", _("openTRANS 1.0")),
    ("2", _("EANCOM D96A")),
    ("3", _("XimantiX")),
    ("4", _("openTRANS 2.1")),
    ("5", _("XRechnung")),
]

#: On which way a document is sent.
TRANSPORTS = [
    ("1", _("E-Mail mit PDF(Druckertreiber)")),
    ("2", _("E-Mail mit PDF(Mailer)")),
    ("3", _("E-Mail mit Anhang")),
    ("4", _("Datei")),
    ("5", _("FTP")),
    ("6", _("SOAP")),
    ("7", _("PREDI")),
]

#: The same where nothing may be said, too.
TRANSPORTS_OR_NONE = [("0", _("Keine Angabe")), *TRANSPORTS]

#: How a customer pays.
PAYMENT_KINDS = [
    ("1", _("Keine Angabe")),
    ("2", _("V-Scheck")),
    ("3", _("Rechnung")),
    ("4", _("Nachnahme")),
    ("5", _("Vorkasse")),
    ("6", _("Lastschrift")),
    ("7", _("Sichere")),
]

#: How VAT is dealt with.
VAT_MODES = [
    ("0", _("mit MwSt (Inland)")),
    ("1", _("Drittland")),
    ("2", _("EG-Ausland")),
    ("3", _("innerbetrieblich")),
]

#: From which price invoices start.
PRICE_BASES = [
    ("sales_price", _("zum Verkaufspreis")),
    ("purchase_price", _("zum Einkaufspreis")),
]

#: Whether there is still something to do.
PROGRESS = [
    ("open", _("offen")),
    ("done", _("erledigt")),
]

#: How reminders and statements reach a contact.
DUNNING_DELIVERIES = [
    ("0", _("Keine Angabe")),
    ("1", _("Drucken/Versenden")),
    ("2", _("E-Mail")),
    ("3", _("Fax")),
    ("4", _("Drucken")),
]


class _NumberedWords:
    """A text with a number in it that is looked up each time it is shown."""

    def __init__(self, message: str, number: int) -> None:
        self._message = message
        self._number = number

    def __str__(self) -> str:
        return gettext(self._message, number=self._number)


#: Tax of an export account: four fixed codes, n for the rate number n of the table of tax rates, and 100 + n for an
#: intra-community supply with that rate (ME-123 to ME-125). Which of them exist is up to that table.
TAX_CODES = [
    ("-2", _("innerbetrieblich")),
    ("-1", _("innergem. Lieferungen (steuerfrei)")),
    ("0", _("ohne Steuer Drittland")),
    ("1", _("Steuersatz 1 (allg. Steuersatz)")),
    ("2", _("Steuersatz 2 (ermäßigter Steuersatz)")),
    *((str(n), _NumberedWords("Steuersatz %(number)s", n)) for n in range(3, 100)),
    *((str(100 + n), _NumberedWords("i.g. Lief. Steuersatz %(number)s", n)) for n in range(1, 100)),
]

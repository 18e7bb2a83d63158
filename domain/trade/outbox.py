"""Documents on their way out."""

from __future__ import annotations

from peewee import BooleanField, CharField, DateTimeField, TextField

from domain.codes import TRANSPORTS
from domain.links import LaterForeignKey, Reference
from domain.values.documents import DocumentType
from flask_appadmin.database import Record
from flask_appadmin.i18n import _
from flask_appadmin.specs import Description, described


class Outbox(Record):
    """A document that was or will be sent; the one place instead of a mail server."""

    description = Description(
        label=_("Postausgang"),
        plural=_("Postausgang"),
        title=("recipient", "subject"),
        menu="trade",
        right="trade",
        order=("-id",),
    )

    customer = described(
        LaterForeignKey("Customer", index=True, null=True, verbose_name=_("Kunde")), copy="clear", listed=True
    )
    document_type = described(
        Reference(DocumentType, null=True, verbose_name=_("Dokumentenart")), copy="clear", listed=True
    )
    document_number = described(
        CharField(max_length=30, null=True, verbose_name=_("Belegnummer")), copy="clear", listed=True
    )
    transport = described(
        CharField(max_length=20, choices=TRANSPORTS, verbose_name=_("Transportweg")), copy="clear", listed=True
    )
    recipient = described(
        CharField(max_length=255, verbose_name=_("Empfänger")),
        copy="clear",
        aliases=("Dateiname",),
        searchable=True,
        listed=True,
        personal="name",
    )
    subject = described(
        CharField(max_length=255, null=True, verbose_name=_("Betreff")),
        copy="clear",
        searchable=True,
        listed=True,
        personal="wipe",
    )
    text = described(TextField(null=True, verbose_name=_("Text")), copy="clear", personal="wipe")
    storage_name = described(
        CharField(max_length=255, null=True, verbose_name=_("Anhang")), copy="clear", personal="wipe"
    )
    is_copy = described(BooleanField(default=False, verbose_name=_("Kopie")), copy="clear")
    status = described(
        CharField(
            max_length=20,
            choices=[("queued", _("wartet")), ("sent", _("gesendet")), ("failed", _("Fehler"))],
            index=True,
            default="queued",
            verbose_name=_("Status"),
        ),
        copy="clear",
        listed=True,
        required=True,
    )
    sent_at = described(
        DateTimeField(null=True, verbose_name=_("gesendet am")), copy="clear", read_only=True, listed=True
    )

    class Meta:
        table_name = "outbox"

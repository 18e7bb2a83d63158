"""„Änderung der Kundeneinstellungen“: one value per ticked setting for all marked customers (SC-33 to SC-39)."""

from __future__ import annotations

from flask_appadmin.bulk import ChangeSettings
from flask_appadmin.i18n import _


class ChangeCustomerSettings(ChangeSettings):
    """Which settings are offered stands in the models (`bulk=True`)."""

    title = _("Änderung der Kundeneinstellungen")
    hint = _("Einstellungen aller markierten Kunden auf einmal ändern, mit Vorschau")
    notice = _("Beachten Sie die möglichen Wechselwirkungen mit anderen Kundeneinstellungen!")

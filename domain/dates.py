"""The day of today, as operators see it."""

from __future__ import annotations

import datetime

from flask_appadmin.database import utcnow
from flask_appadmin.i18n import to_local


def today() -> datetime.date:
    """Today in local time, by the clock of the layer, so that tests can hold it still."""
    return to_local(utcnow()).date()

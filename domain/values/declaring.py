"""The one statement that nearly every value table begins with."""

from __future__ import annotations

from typing import Any

from flask_appadmin.specs import described


def natural_key(field: Any, **more: Any) -> Any:
    """The code or number that people and files name a value by: listed, and empty in a copy, since it is unique."""
    return described(field, copy="clear", listed=True, natural_key=True, **more)

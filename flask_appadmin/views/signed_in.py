"""The base of pages that belong to no model: open to whoever is signed in, each route asks for the rights it needs."""

from __future__ import annotations

from typing import Any

from flask import abort, g
from flask_admin import BaseView


class SignedInView(BaseView):
    """A Flask-Admin view for signed-in operators, whose routes are called as they are written."""

    def is_accessible(self) -> bool:
        return getattr(g, "operator", None) is not None

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        abort(401)

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin would call again with `cls=` on a TypeError and so hide its cause.
        return fn(self, *args, **kwargs)

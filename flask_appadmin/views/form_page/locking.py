"""A new record may lock the other windows of its operator, where the installation wants it so (PX-43, PX-44).

Shape: the sign-in's own cookie remembers which new record is open; nothing is kept in the database, and signing out
ends the lock. Other pages can be read and say why they take no input; what is sent to them all the same is refused. The
lock ends when the record is saved or discarded. Without the setting there is no lock, only drafts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import current_app, g, request, session, url_for

from flask_appadmin import drafts
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView

_LOCK = "new_record"

#: What the page of the new record sends itself, beside the record.
_OWN_VIEWS = ("create_view", "draft_view", "presence_view", "reveal_view")


class WindowLocked(AppAdminError):
    """A window that takes no input while a new record is open in another one."""

    status = 423

    def sentence(self) -> str:
        return lock_text()


def lock_text() -> str:
    return gettext(
        "In einem anderen Fenster ist ein neuer Datensatz offen. Bis er gespeichert oder verworfen ist, nimmt dieses "
        "Fenster keine Eingaben an."
    )


def _is_wanted() -> bool:
    asked: Callable[[], bool] | None = current_app.extensions["appadmin"].locks_on_new
    return asked is not None and asked()


def begin(view: AppModelView, token: str) -> None:
    """A new record is open; the other windows are locked if the installation wants it."""
    if _is_wanted():
        session[_LOCK] = {"view": view.endpoint, "token": token}


def end() -> None:
    """The new record was saved or discarded."""
    session.pop(_LOCK, None)


def current() -> dict[str, str] | None:
    """What this window has to say about the lock: {"text", "url"}, or None where there is none for it."""
    lock = session.get(_LOCK)
    if not lock or g.get("operator") is None or request.endpoint == f"{lock['view']}.create_view":
        return None
    if not _is_wanted():
        end()
        return None
    return {"text": lock_text(), "url": url_for(f"{lock['view']}.create_view")}


def keep() -> Any:
    """Before each request: refuses input for other windows, and ends the lock with the sign-in."""
    lock = session.get(_LOCK)
    if not lock:
        return None
    if request.endpoint == "security.logout":
        registry = current_app.extensions["appadmin"]
        if g.get("operator") is not None and _is_wanted():
            drafts.close(registry.views[lock["view"]].spec, None, g.operator, lock["token"])
        end()
        return None
    if request.method in ("GET", "HEAD", "OPTIONS") or g.get("operator") is None:
        return None
    own = {f"{lock['view']}.{name}" for name in _OWN_VIEWS}
    if request.endpoint in own or current() is None:
        return None
    raise WindowLocked()

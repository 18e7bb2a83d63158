"""What stands around every page: connection, language, answers to faults, headers, compression, files with long lives.

Shape: `init_shell(app)` once per application; it brings the templates and static files of the layer as the blueprint
`appadmin`. Order: `init_shell`, `init_security`, then the registry.
Units: sizes in bytes. Errors: an AppAdminError becomes a page (or JSON for scripts) with its sentence and status; any
other exception becomes a page with a number, and the log has type and place under that number, never a value.
Source: trust.md 1 D (headers, redirects, errors tell nothing internal), design.md section 8.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
import secrets
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import flask
from flask import Blueprint, Flask, Response, current_app, g, request, url_for
from markupsafe import Markup
from peewee import OperationalError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.routing import Rule

from flask_appadmin.database import busy_fault, database, engine
from flask_appadmin.errors import AppAdminError, FaultList, FieldError, NotFound
from flask_appadmin.i18n import (
    current_locale,
    format_date,
    format_datetime,
    format_decimal,
    format_number,
    gettext,
    ngettext,
    set_locale,
)

log = logging.getLogger("appadmin")

_FOLDER = Path(__file__).parent

#: Forms with hundreds of fields fit into this; files need a route that says so (`accepts_uploads`).
FORM_BYTES = 2 * 1024 * 1024
UPLOAD_BYTES = 60 * 1024 * 1024

_CONTENT_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "img-src 'self' data:"
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_COMPRESSED = ("text/", "application/json", "text/javascript", "application/javascript", "image/svg+xml")


@dataclass(frozen=True)
class Shell:
    """What the pages outside the registry know of the application."""

    #: Its name.
    brand: str
    #: Address of the start page; where everything leads that has nowhere else to go.
    home_url: str = "/admin/"


def shell_of(app: Flask) -> Shell:
    """The frame of an application's pages."""
    found: Shell = app.extensions["appadmin_shell"]
    return found


def accepts_uploads(view: Any) -> Any:
    """Marks a view whose requests may carry a file."""
    view.accepts_uploads = True
    return view


def needs_no_database(view: Any) -> Any:
    """Marks a view that answers without connection, session and sign-in."""
    view.needs_no_database = True
    return view


def wants_json() -> bool:
    """Whether a script asks, not a person following a link or sending a form."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return best == "application/json"


def safe_path(address: str | None, default: str = "") -> str:
    """The address if it is a path of this application, the default otherwise (no other host, no trick with slashes).

    >>> [safe_path(address, "/") for address in ("/admin/?search=a", "//evil", "/\\\\evil", "https:evil")]
    ['/admin/?search=a', '/', '/', '/']
    """
    if address and re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", address):
        return address
    return default


def fixed_url(endpoint: str, **values: Any) -> str:
    """`url_for` for the few addresses that stand on every page; they depend only on where the application is mounted.

    Each is built once. Nothing that grows with the data may be asked for here.
    """
    known: dict[tuple[Any, ...], str] = current_app.extensions["appadmin_urls"]
    place = (request.script_root, endpoint, *values.values())
    if place not in known:
        known[place] = url_for(endpoint, **values)
    return known[place]


def _asset(name: str) -> str:
    """The address of a file of the layer's look or behaviour, for templates."""
    return fixed_url("appadmin.static", filename=name)


class _LateRule(Rule):
    """An address whose way back (`url_for`) is worked out when it is first asked for.

    Werkzeug compiles it for every address at the start; with a hundred tables that takes seconds, and most are never
    asked for.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        compiled: Any = None

        def build(rule: Rule, **values: Any) -> Any:
            nonlocal compiled
            if compiled is None:
                compiled = Rule._compile_builder(rule, append_unknown)
            return compiled(rule, **values)

        return build


def init_shell(app: Flask, brand: str) -> Shell:
    """Puts the shell around an application; the extensions for sign-in and views come after it."""
    shell = Shell(brand=brand)
    app.extensions["appadmin_shell"] = shell
    app.extensions["appadmin_urls"] = {}
    app.url_rule_class = _LateRule
    # A form with some hundred fields and many children has more parts than the 1,000 that are allowed otherwise.
    set_defaults(app, {"MAX_CONTENT_LENGTH": FORM_BYTES, "MAX_FORM_MEMORY_SIZE": FORM_BYTES, "MAX_FORM_PARTS": 20_000})
    files = Blueprint(
        "appadmin",
        __name__,
        static_folder=str(_FOLDER / "static" / "appadmin"),
        # The version stands in the path, so that modules which import each other carry it along.
        static_url_path=f"/appadmin-static/{folder_version(_FOLDER / 'static' / 'appadmin')}",
        template_folder=str(_FOLDER / "templates"),
    )
    app.register_blueprint(files)
    app.jinja_env.globals.update(
        _=gettext,
        asset=_asset,
        gettext=gettext,
        ngettext=ngettext,
        current_locale=current_locale,
        format_decimal=format_decimal,
    )
    app.jinja_env.filters.update(number=format_number, date=format_date, datetime=format_datetime)
    app.context_processor(_frame)
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_give_back)
    app.register_error_handler(AppAdminError, _answer_fault)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)
    return shell


def set_defaults(app: Flask, settings: dict[str, Any]) -> None:
    """Settings that hold unless the application chose its own; what Flask comes with is not a choice."""
    for name, value in settings.items():
        if app.config.get(name) == Flask.default_config.get(name):
            app.config[name] = value


def folder_version(folder: Path) -> str:
    """A short name for the content of a folder: another content has another name."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


# --- one request ------------------------------------------------------------------------------------------------------


def _begin() -> Any:
    if isinstance(request.routing_exception, SecurityError):
        # No page can be drawn for a host that is not ours: every address in it would name that host.
        text = gettext(
            "Unter diesem Namen ist die Anwendung nicht eingerichtet. Bitte rufen Sie sie unter ihrem eigenen Namen "
            "auf oder lassen Sie diesen Namen freigeben (KONTOR_TRUSTED_HOSTS)."
        )
        return Response(text + "\n", 400, content_type="text/plain; charset=utf-8")
    set_locale("de")
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "accepts_uploads", False):
        request.max_content_length = UPLOAD_BYTES
        request.max_form_memory_size = UPLOAD_BYTES
    if not _is_static() and not getattr(view, "needs_no_database", False):
        g.opened_connection = database.connect(reuse_if_open=True)
    return None


def _is_static() -> bool:
    endpoint = request.endpoint or ""
    return endpoint == "static" or endpoint.endswith(".static")


def _give_back(_fault: BaseException | None = None) -> None:
    """PostgreSQL's connection returns to the pool; SQLite's stays with its thread, since opening costs more."""
    if g.pop("opened_connection", False) and engine() == "postgresql" and not database.is_closed():
        database.close()


def _frame() -> dict[str, Any]:
    """The frame of a page without a registry behind it; a registry puts menu, search and operator in its place."""
    shell = shell_of(current_app)
    return {"brand": shell.brand, "shell": {"brand": shell.brand, "home_url": shell.home_url, "menu": []}}


def _finish(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if current_app.config.get("SESSION_COOKIE_SECURE"):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if _is_static() and response.status_code in (200, 304):
        # Their address changes with their content.
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers["Cache-Control"] = "no-store"
    if response.location is not None:
        _keep_at_home(response)
    return _compressed(response)


def _keep_at_home(response: Response) -> None:
    """No answer sends anybody to another host, whoever put the address there."""
    parts = urlsplit(response.location or "")
    own = urlsplit(request.host_url)
    path = response.location or ""
    if parts.netloc == own.netloc and parts.scheme in ("http", "https"):
        path = path.split(parts.netloc, 1)[1] or "/"
    response.location = safe_path(path, shell_of(current_app).home_url)
    response.autocorrect_location_header = False


def _compressed(response: Response) -> Response:
    if (
        response.status_code != 200
        or response.content_encoding
        or not (response.mimetype or "").startswith(_COMPRESSED)
        or response.content_range.units is not None
        or "attachment" in response.headers.get("Content-Disposition", "")
        or not request.accept_encodings["gzip"]
    ):
        return response
    if response.direct_passthrough:
        if not _is_static():
            return response
        response.direct_passthrough = False
    elif response.is_streamed:
        return response
    source = response.response
    content = response.get_data()
    if hasattr(source, "close"):
        source.close()
    if len(content) < 1_000:
        return response
    # Level 2 is most of the gain (207 kB become 16) at a fifth of the time of level 9.
    response.set_data(gzip.compress(content, 2, mtime=0))
    response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    tag, _weak = response.get_etag()
    if tag:
        response.set_etag(tag, weak=True)
    return response


# --- faults -----------------------------------------------------------------------------------------------------------


def answer(
    status: int,
    title: str,
    text: str,
    *,
    work: str = "",
    advice: str = "",
    number: str = "",
    faults: list[Any] | None = None,
    links: Sequence[tuple[str, str]] = (),
) -> Response:
    """A page that only says what happened, or JSON for scripts: {"error": sentences, "number", "faults": […]}.

    work: what became of the operator's work. advice: what to do now. number: what to tell the people in charge.
    links: (label, address) of what can be done about it, besides the way home.
    """
    sentences = " ".join(part for part in (text, work, advice) if part)
    if wants_json():
        content = flask.json.dumps({"error": sentences, "number": number, "faults": faults or []})
        return Response(content, status, content_type="application/json")
    shell = shell_of(current_app)
    # The first one has the focus where the page offers something of its own.
    offered = [(label, url, place == 0) for place, (label, url) in enumerate(links)]
    try:
        page = flask.render_template(
            "appadmin/error.html",
            brand=shell.brand,
            page_title=title,
            text=text,
            work=work,
            advice=advice,
            status=status,
            number=number,
            links=[*offered, (gettext("Zur Startseite"), shell.home_url, not offered)],
            focus=bool(offered),
        )
    except Exception as fault:
        # The frame itself failed (its menu asks the database): the sentence must still arrive.
        log.error("fault %s page of a fault %s at %s", number or "-", type(fault).__name__, _places(fault))
        page = str(Markup("<!doctype html><title>%s</title><h1>%s</h1><p>%s</p>") % (title, title, sentences))
    return Response(page, status, content_type="text/html; charset=utf-8")


def _answer_fault(fault: AppAdminError) -> Response:
    titles = {
        403: gettext("Dafür fehlt Ihnen das Recht"),
        404: gettext("Nicht gefunden"),
        409: gettext("Inzwischen geändert"),
        423: gettext("Dieses Fenster ist gesperrt"),
        429: gettext("Bitte warten Sie einen Augenblick"),
    }
    parts = fault.faults if isinstance(fault, FaultList) else [fault]
    found = [
        {"field": part.field, "sentence": part.found(), "place": part.place}
        for part in parts
        if isinstance(part, FieldError)
    ]
    if fault.status == 403:
        log.warning("authz_fail user=%s endpoint=%s", getattr(g.get("operator"), "user_id", None), request.endpoint)
    title = str(fault.title) or titles.get(fault.status, gettext("Das geht so nicht"))
    return answer(fault.status, title, fault.sentence(), faults=found, links=fault.links)


def _answer_http(fault: HTTPException) -> Any:
    code = fault.code or 500
    if fault.response is not None or code < 400:
        return fault
    if code == 404:
        return answer(404, gettext("Nicht gefunden"), NotFound().sentence())
    if code == 405:
        return answer(405, gettext("So geht das nicht"), gettext("Diese Adresse lässt sich so nicht aufrufen."))
    if code == 413:
        limit = (request.max_content_length or FORM_BYTES) // (1024 * 1024)
        return answer(
            413,
            gettext("Zu groß"),
            gettext("Das sind zu viele Daten auf einmal; möglich sind %(limit)s MB.", limit=limit),
            work=_nothing_saved(),
        )
    if code >= 500:
        return _answer_unexpected(fault)
    return answer(code, gettext("Das geht so nicht"), gettext("Die Anfrage war nicht zu verstehen."))


def _nothing_saved() -> str:
    return gettext("Es wurde nichts gespeichert.")


def _places(fault: BaseException) -> str:
    """Where it happened, innermost first; never what the values were."""
    frames = reversed(traceback.extract_tb(fault.__traceback__)[-8:])
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)


def _answer_unexpected(fault: Exception) -> Any:
    """The operator gets a number, the log what belongs to it: type and place, no values."""
    if current_app.debug or current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise fault
    busy = busy_fault(fault)
    if busy is not None:
        return _answer_fault(busy)
    number = secrets.token_hex(3).upper()
    log.error("fault %s %s endpoint=%s at %s", number, type(fault).__name__, request.endpoint, _places(fault))
    if isinstance(fault, OperationalError):
        return answer(
            503,
            gettext("Gerade nicht möglich"),
            gettext("Die Datenbank antwortet gerade nicht."),
            work=_nothing_saved(),
            advice=gettext("Bitte versuchen Sie es gleich noch einmal."),
            number=number,
        )
    return answer(
        500,
        gettext("Das hat nicht geklappt"),
        gettext("Dabei ist ein Fehler aufgetreten."),
        work=_nothing_saved(),
        number=number,
    )
